"""Opens a layer of lines with its columns found, its reference known and its geometries made simple. Pure module."""

from __future__ import annotations

import gzip
import shutil
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyogrio
import pyproj
import shapely
from numpy.typing import NDArray

from geodata.erreurs import ImportImpossible
from geodata.vocabulaires import COLONNES_CONNUES

Objets = NDArray[np.object_]


@dataclass
class Couche:
    """A layer as read: ``geom`` (r,) lines in ``crs``, ``valeurs`` by our column name.

    ``ligne`` (r,): number of each row in the file as a spreadsheet shows it (the header of a CSV is row 1).
    """

    fichier: str
    geom: Objets
    ligne: NDArray[np.int64]
    crs: pyproj.CRS
    colonnes: dict[str, str]
    valeurs: dict[str, Objets]
    lus: Counter[str] = field(default_factory=Counter)
    omis: Counter[str] = field(default_factory=Counter)

    @property
    def n(self) -> int:
        return len(self.geom)

    def column(self, nom: str) -> Objets:
        """Values of one of our columns, None everywhere where the layer has none."""
        return self.valeurs.get(nom, np.full(self.n, None, dtype=object))

    def take(self, choix: NDArray[np.bool_], raison: str) -> Couche:
        """Only the chosen rows; the others are counted under ``raison``."""
        ecartes = int(np.count_nonzero(~choix))
        if ecartes:
            self.omis[raison] += ecartes
        valeurs = {nom: v[choix] for nom, v in self.valeurs.items()}
        return replace(self, geom=self.geom[choix], ligne=self.ligne[choix], valeurs=valeurs)

    def complain(self, nom: str, fautes: Sequence[int], suite: str) -> None:
        """Count the rows ``fautes`` (positions) whose value of one of our columns is unreadable, with the first."""
        if fautes:
            premiere = fautes[0]
            quoi = f"champ « {self.colonnes[nom]} » illisible, {suite}"
            valeur = str(self.valeurs[nom][premiere])[:40]
            self.lus[f"{quoi} (ligne {self.ligne[premiere]} : « {valeur} »...)"] += len(fautes)


def read_layer(path: Path, layer: str | None, columns: dict[str, str], srid: int | None) -> Couche:
    """The layer's rows, one simple line each. Raises `ImportImpossible`; see `geodata.lecture_routes.read_lines`."""
    if not path.exists():
        raise ImportImpossible(f"{path} : fichier introuvable.")
    if path.is_file() and path.stat().st_size == 0:
        raise ImportImpossible(f"{path.name} : fichier vide.")
    with _plain(path) as ouvert:
        return _read(path.name, ouvert, layer, columns, srid)


@contextmanager
def _plain(path: Path) -> Iterator[Path]:
    """The file, decompressed first where its name ends in .gz."""
    if path.suffix.lower() != ".gz":
        yield path
        return
    with TemporaryDirectory() as dossier:
        clair = Path(dossier) / path.stem
        try:
            with gzip.open(path) as source, clair.open("wb") as sortie:
                shutil.copyfileobj(source, sortie)
        except (OSError, EOFError) as erreur:
            raise ImportImpossible(f"{path.name} : fichier compressé abîmé ({erreur}).") from erreur
        yield clair


def _read(nom: str, path: Path, layer: str | None, columns: dict[str, str], srid: int | None) -> Couche:
    options: dict[str, Any] = {}
    en_tete = path.suffix.lower() in (".csv", ".tsv", ".txt")
    if en_tete:
        options = {"GEOM_POSSIBLE_NAMES": "wkt,geom,geometry,the_geom,wkt_geom", "encoding": _encoding(path)}
    try:
        couches = {str(nom): genre for nom, genre in pyogrio.list_layers(path)}
        layer = _choose_layer(nom, couches, layer)
        # Keep what the file calls its columns: the mapping is told in these names.
        noms = [str(c) for c in pyogrio.read_info(path, layer=layer, **options)["fields"]]
        colonnes = _choose_columns(nom, layer, noms, columns)
        with warnings.catch_warnings():
            # Said in English and without its row: such rows come back without geometry and are told by the reader.
            warnings.filterwarnings("ignore", message="Ignoring invalid WKT", category=RuntimeWarning)
            meta, _, geometrie, champs = pyogrio.raw.read(
                path, layer=layer, columns=sorted(set(colonnes.values())), force_2d=True, **options
            )
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, UnicodeDecodeError) as erreur:
        raise ImportImpossible(f"{nom} : fichier illisible ({erreur}).") from erreur
    if geometrie is None:
        raise ImportImpossible(f"{nom}, couche « {layer} » : pas de géométrie (en CSV : colonne « wkt » attendue).")
    par_nom = dict(zip(meta["fields"].tolist(), champs, strict=True))
    valeurs = {ours: np.asarray(par_nom[theirs], dtype=object) for ours, theirs in colonnes.items()}
    try:
        geom = shapely.from_wkb(geometrie)
    except shapely.errors.ShapelyError as erreur:
        raise ImportImpossible(f"{nom}, couche « {layer} » : géométrie illisible ({erreur}).") from erreur
    crs = _crs(nom, meta.get("crs"), srid, geom)
    ligne = np.arange(len(geom), dtype=np.int64) + (2 if en_tete else 1)
    return _single_lines(layer, Couche(nom, geom, ligne, crs, colonnes, valeurs))


def _encoding(path: Path) -> str:
    """UTF-8 where the file is, else Windows' Latin-1: what agents' spreadsheets write."""
    with path.open("rb") as flux:
        for bloc in flux:
            try:
                bloc.decode("utf-8")
            except UnicodeDecodeError:
                return "cp1252"
    return "utf-8"


def _choose_layer(fichier: str, couches: dict[str, str | None], layer: str | None) -> str:
    if layer is not None:
        if layer not in couches:
            raise ImportImpossible(
                f"{fichier} : couche « {layer} » absente. Couches du fichier : {', '.join(couches) or 'aucune'}."
            )
        return layer
    lignes = [nom for nom, genre in couches.items() if genre and "LineString" in genre]
    if len(lignes) == 1 or (lignes and len(couches) == 1):
        return lignes[0]
    if len(couches) == 1:
        return next(iter(couches))
    raise ImportImpossible(f"{fichier} : plusieurs couches ({', '.join(couches)}). Précisez --couche.")


def _choose_columns(fichier: str, layer: str, noms: list[str], voulues: dict[str, str]) -> dict[str, str]:
    """Our column -> the file's, told ones first, then known names. Case does not matter."""
    inconnues = sorted(set(voulues) - set(COLONNES_CONNUES))
    if inconnues:
        raise ImportImpossible(
            f"Colonne inconnue : {', '.join(inconnues)}. Colonnes possibles : {', '.join(COLONNES_CONNUES)}."
        )
    par_nom = {nom.lower(): nom for nom in noms}
    choix: dict[str, str] = {}
    for ours, theirs in voulues.items():
        if theirs and theirs.lower() not in par_nom:
            raise ImportImpossible(
                f"{fichier}, couche « {layer} » : colonne « {theirs} » absente (demandée pour {ours})."
                f" Colonnes de la couche : {', '.join(noms) or 'aucune'}."
            )
        if theirs:
            choix[ours] = par_nom[theirs.lower()]
    for ours, connues in COLONNES_CONNUES.items():
        if ours not in voulues and (trouvee := next((par_nom[c] for c in connues if c in par_nom), None)):
            choix[ours] = trouvee
    # One end alone says nothing, and « source » often names where a record comes from.
    if not ("source" in choix and "cible" in choix):
        if "source" in voulues or "cible" in voulues:
            raise ImportImpossible(f"{fichier} : les colonnes source et cible vont ensemble.")
        choix.pop("source", None)
        choix.pop("cible", None)
    return choix


def _crs(fichier: str, du_fichier: str | None, srid: int | None, geom: Objets) -> pyproj.CRS:
    if srid is None and not du_fichier:
        raise ImportImpossible(f"{fichier} : projection inconnue. Précisez --srid (2154 = Lambert 93, 4326 = WGS 84).")
    try:
        crs = pyproj.CRS.from_user_input(srid if srid is not None else du_fichier)
    except pyproj.exceptions.CRSError as erreur:
        raise ImportImpossible(f"{fichier} : projection incompréhensible ({erreur}).") from erreur
    bornes = np.asarray(shapely.total_bounds(geom))
    if np.all(np.isfinite(bornes)):
        en_degres = bool(np.all(np.abs(bornes[[0, 2]]) <= 180) and np.all(np.abs(bornes[[1, 3]]) <= 90))
        if crs.is_geographic and not en_degres:
            raise ImportImpossible(
                f"{fichier} : coordonnées {bornes[0]:.0f}, {bornes[1]:.0f} impossibles en degrés ({crs.name})."
                " Précisez la bonne projection avec --srid."
            )
        if crs.is_projected and en_degres:
            raise ImportImpossible(
                f"{fichier} : coordonnées {bornes[0]:.4f}, {bornes[1]:.4f} en degrés alors que la projection dite est"
                f" en mètres ({crs.name}). Précisez --srid 4326."
            )
    return crs


def _single_lines(layer: str, couche: Couche) -> Couche:
    """One simple line a row: lines in several parts are joined where they touch, else each part is a row."""
    geom = couche.geom
    genres = shapely.get_type_id(geom)
    presents = genres[genres >= 0]
    if len(presents) and not np.any(np.isin(presents, (1, 2, 5))):
        raise ImportImpossible(f"{couche.fichier}, couche « {layer} » : ce ne sont pas des lignes.")
    autres = int(np.count_nonzero(~np.isin(presents, (1, 2, 5))))
    # What is no line becomes an empty one, counted with those without geometry.
    geom = np.where(np.isin(genres, (1, 2, 5)), geom, shapely.LineString())
    multiples = np.flatnonzero(shapely.get_type_id(geom) == 5)
    geom[multiples] = shapely.line_merge(geom[multiples])
    parties, ligne = shapely.get_parts(geom, return_index=True)
    vides = np.setdiff1d(np.arange(len(geom)), ligne)
    parties = np.concatenate([parties, np.full(len(vides), shapely.LineString(), dtype=object)])
    ligne = np.concatenate([ligne, vides])
    ordre = np.argsort(ligne, kind="stable")
    parties, ligne = parties[ordre], ligne[ordre]
    valeurs = {nom: v[ligne] for nom, v in couche.valeurs.items()}
    couche = replace(couche, geom=parties, ligne=couche.ligne[ligne], valeurs=valeurs)
    plusieurs = np.bincount(ligne, minlength=len(geom))[ligne] > 1
    if plusieurs.any():
        couche.lus["parties de lignes séparées"] = int(plusieurs.sum())
        # The identifiers told are those of the whole line's ends, not of each part's.
        for nom in ("source", "cible"):
            if nom in valeurs:
                valeurs[nom][plusieurs] = None
    if autres:
        couche.lus["géométries qui ne sont pas des lignes"] = autres
    return couche
