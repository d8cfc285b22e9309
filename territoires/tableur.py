"""Tables from agents' files: rows with their number, cells read by name and type, every error named.

::

    rapport = Rapport("centres.csv")
    tableau = read_table(path, rapport)
    tableau.require(("nom", "name"), ("proprietaire", "epci"))
    for ligne in tableau.lignes:
        nom = ligne.text("nom", "name", required=True)
        capacite = ligne.number("capacite", minimum=0)
        position = ligne.point()          # EPSG:2154
    rapport.raise_if_errors()             # DonneesRefusees: nothing was written

Column names are compared without case, accents, spaces or punctuation: ``Capacité (t/an)`` is ``capacite_t_an``.

Pure module: no Django, no database.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import shapely

from .formats import read_raw, to_text
from .importation.geometrie import EMPRISE_2154, ReferenceInconnue, is_degrees, outside_2154, project, to_degrees
from .rapport import Rapport

#: What agents write for "not known".
_VIDES = frozenset({"", "-", "—", "nc", "n.c.", "nd", "n.d.", "na", "n/a", "null", "none", "?"})
_OUI = frozenset({"oui", "o", "vrai", "true", "t", "1", "x", "yes", "y"})
_NON = frozenset({"non", "n", "faux", "false", "f", "0", "no"})
_NOMBRE = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_ESPACES = re.compile(r"[\s\u00a0\u202f\u2009'’]")

LONGITUDE = ("lon", "lng", "long", "longitude", "x", "x_wgs84", "coord_x", "x_l93", "lambert_x")
LATITUDE = ("lat", "latitude", "y", "y_wgs84", "coord_y", "y_l93", "lambert_y")


@lru_cache(maxsize=4096)
def normalise(nom: str) -> str:
    """A column name as it is compared: ASCII lower case, words joined by ``_``."""
    plat = unicodedata.normalize("NFKD", nom).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plat.lower()).strip("_")


def parse_number(texte: str) -> float | None:
    """A number as written in France or not (``1 234,5``, ``1.234,5``, ``1,234.5``, ``12.5``); None where empty.

    A lone comma is decimal. Raises `ValueError`.
    """
    nettoye = _ESPACES.sub("", texte)
    if nettoye.lower() in _VIDES:
        return None
    if "," in nettoye and "." in nettoye:
        millier = "," if nettoye.rfind(",") < nettoye.rfind(".") else "."
        nettoye = nettoye.replace(millier, "")
    nettoye = nettoye.replace(",", ".")
    if not _NOMBRE.fullmatch(nettoye):
        raise ValueError(texte)
    return float(nettoye)


@dataclass
class Ligne:
    """One row. Every reader takes the column's possible names and returns None where the cell is empty.

    ``geom`` is in EPSG:2154. What cannot be read goes to the report and reads as None.
    """

    numero: int
    valeurs: dict[str, str]
    rapport: Rapport
    geom: shapely.Geometry | None = None
    #: Column names as written in the file, for messages.
    titres: dict[str, str] = field(default_factory=dict)

    def _find(self, noms: tuple[str, ...]) -> tuple[str, str]:
        """(title, text) of the first of these columns that is in the file and not empty."""
        presents = [cle for nom in noms if (cle := normalise(nom)) in self.valeurs]
        for cle in presents:
            if self.valeurs[cle].lower() not in _VIDES:
                return self.titres.get(cle, cle), self.valeurs[cle]
        titre = self.titres.get(presents[0], presents[0]) if presents else noms[0]
        return titre, ""

    def error(self, message: str, champ: str = "", valeur: object = "") -> None:
        """Report that this row cannot be kept."""
        self.rapport.error(message, self.numero, champ, valeur)

    def warn(self, message: str, champ: str = "", valeur: object = "") -> None:
        """Report something about this row."""
        self.rapport.warn(message, self.numero, champ, valeur)

    def text(self, *noms: str, required: bool = False, maximum: int | None = None) -> str | None:
        """Text, at most ``maximum`` characters."""
        titre, valeur = self._find(noms)
        if not valeur:
            if required:
                self.error("valeur obligatoire absente.", titre)
            return None
        if maximum is not None and len(valeur) > maximum:
            self.error(f"texte trop long (au plus {maximum} caractères).", titre, valeur)
            return None
        return valeur

    def number(
        self, *noms: str, required: bool = False, minimum: float | None = None, maximum: float | None = None
    ) -> float | None:
        """A number; decimal commas and spaces of thousands are read."""
        titre, valeur = self._find(noms)
        try:
            nombre = parse_number(valeur)
        except ValueError:
            self.error("ce n'est pas un nombre.", titre, valeur)
            return None
        if nombre is None:
            if required:
                self.error("valeur obligatoire absente.", titre)
            return None
        if minimum is not None and nombre < minimum:
            negatif = minimum == 0
            self.error("valeur négative." if negatif else f"valeur inférieure à {minimum:g}.", titre, valeur)
            return None
        if maximum is not None and nombre > maximum:
            self.error(f"valeur supérieure à {maximum:g}.", titre, valeur)
            return None
        return nombre

    def integer(
        self, *noms: str, required: bool = False, minimum: int | None = None, maximum: int | None = None
    ) -> int | None:
        """A whole number."""
        nombre = self.number(*noms, required=required, minimum=minimum, maximum=maximum)
        if nombre is None:
            return None
        if not nombre.is_integer():
            titre, valeur = self._find(noms)
            self.error("un nombre entier est attendu.", titre, valeur)
            return None
        return int(nombre)

    def boolean(self, *noms: str, required: bool = False) -> bool | None:
        """« oui »/« non » and their usual equals."""
        titre, valeur = self._find(noms)
        if not valeur:
            if required:
                self.error("valeur obligatoire absente (oui ou non).", titre)
            return None
        if valeur.lower() in _OUI | _NON:
            return valeur.lower() in _OUI
        self.error("oui ou non est attendu.", titre, valeur)
        return None

    def insee(self, *noms: str, required: bool = False) -> str | None:
        """Code INSEE of a commune; a leading zero lost by a spreadsheet is put back."""
        titre, valeur = self._find(noms)
        if not valeur:
            if required:
                self.error("code INSEE absent.", titre)
            return None
        code = valeur.upper()
        if re.fullmatch(r"\d{4}", code):
            self.warn("zéro initial du code INSEE rétabli.", titre, valeur)
            code = f"0{code}"
        if not re.fullmatch(r"(\d{2}|2[AB])\d{3}", code):
            self.error("ce n'est pas un code INSEE de commune (5 caractères).", titre, valeur)
            return None
        return code

    def point(self, required: bool = False) -> shapely.Point | None:
        """Position in EPSG:2154: the geometry, else longitude and latitude in degrees, else Lambert-93 metres."""
        if self.geom is not None:
            if self.geom.geom_type == "Point":
                return self.geom
            if self.geom.geom_type == "MultiPoint" and len(self.geom.geoms) == 1:
                return self.geom.geoms[0]
            self.error("un point est attendu.", "géométrie", self.geom.geom_type)
            return None
        return self.position(LONGITUDE, LATITUDE, required)

    def position(
        self, colonnes_x: tuple[str, ...], colonnes_y: tuple[str, ...], required: bool = False
    ) -> shapely.Point | None:
        """Position in EPSG:2154 from two columns, in degrees or in Lambert-93 metres (told by their size)."""
        x, y = self.number(*colonnes_x), self.number(*colonnes_y)
        titre_x, brut_x = self._find(colonnes_x)
        titre_y, brut_y = self._find(colonnes_y)
        if x is None or y is None:
            if required and not (brut_x and brut_y):
                self.error("position absente (longitude et latitude).", titre_x if x is None else titre_y)
            return None
        return self._located(x, y, f"{titre_x}, {titre_y}", f"{brut_x} ; {brut_y}")

    def _located(self, x: float, y: float, champ: str, brut: str) -> shapely.Point | None:
        ouest, sud, est, nord = EMPRISE_2154
        if abs(x) <= 180 and abs(y) <= 180:
            if ouest <= x <= est and sud <= y <= nord:
                point: shapely.Point = project(np.array([shapely.Point(x, y)], dtype=object), 4326)[0]
                return point
            if ouest <= y <= est and sud <= x <= nord:
                self.error("longitude et latitude semblent inversées.", champ, brut)
            else:
                self.error("position hors de la France métropolitaine et de ses abords.", champ, brut)
            return None
        if -400_000 <= x <= 1_700_000 and 5_700_000 <= y <= 7_500_000:
            return shapely.Point(x, y)
        self.error("coordonnées ni en degrés (WGS 84), ni en Lambert-93.", champ, brut)
        return None


@dataclass
class Tableau:
    """Rows of one table; ``colonnes`` as written in the file."""

    colonnes: list[str]
    lignes: list[Ligne]
    rapport: Rapport

    def has(self, *noms: str) -> bool:
        """True where one of these columns is there."""
        presentes = {normalise(c) for c in self.colonnes}
        return any(normalise(nom) in presentes for nom in noms)

    def require(self, *groupes: tuple[str, ...] | str) -> None:
        """Report each group of possible names of which no column is there."""
        for groupe in groupes:
            noms = (groupe,) if isinstance(groupe, str) else groupe
            if not self.has(*noms):
                self.rapport.error(
                    f"colonne « {' » ou « '.join(noms)} » absente (colonnes : {', '.join(self.colonnes) or 'aucune'})."
                )


def read_table(
    path: Path | str,
    rapport: Rapport,
    couche: str | None = None,
    srid: int | None = None,
    keep: Callable[[Ligne], bool] = lambda _: True,
    geometrie: bool = True,
) -> Tableau:
    """Read any format of `territoires.formats`; geometries come in EPSG:2154.

    ``srid`` overrides the reference the file says (or does not say); rows that ``keep`` refuses are left out before
    their geometry is looked at; ``geometrie=False`` reads columns only. What cannot be read goes to ``rapport`` as an
    error and gives fewer rows: the caller ends with ``rapport.raise_if_errors()``.
    """
    path = Path(path)
    rapport.fichier = rapport.fichier or path.name
    brut = read_raw(path, couche, rapport)
    if brut is None:
        return Tableau([], [], rapport)
    for remarque in brut.remarques:
        rapport.warn(f"{remarque}.")
    cles = [normalise(c) for c in brut.colonnes]
    for cle in sorted({c for c in cles if c and cles.count(c) > 1}):
        rapport.error(f"colonne « {brut.colonnes[cles.index(cle)]} » en double.")
    titres = dict(zip(cles, brut.colonnes, strict=True))
    lignes: list[Ligne] = []
    rangs: list[int] = []
    for rang, (numero, cellules) in enumerate(brut.lignes):
        textes = [to_text(c) for c in cellules]
        if any(textes[len(cles) :]):
            rapport.error(f"{len(textes)} cellules au lieu de {len(cles)} : séparateur en trop ?", numero)
            continue
        textes += [""] * (len(cles) - len(textes))
        valeurs = {cle: texte for cle, texte in zip(cles, textes, strict=False) if cle}
        ligne = Ligne(numero, valeurs, rapport, titres=titres)
        if keep(ligne):
            lignes.append(ligne)
            rangs.append(rang)
    if not brut.lignes and not rapport.errors:
        rapport.error("aucune ligne de données.")
    if geometrie and brut.geoms is not None and lignes:
        _set_geometries(lignes, brut.geoms[rangs], brut.crs if srid is None else f"EPSG:{srid}", rapport)
    return Tableau(brut.colonnes, lignes, rapport)


def _set_geometries(lignes: list[Ligne], geoms: np.ndarray, crs: str | None, rapport: Rapport) -> None:
    """Project the geometries onto the rows; one error for a wrong reference, one a row for a stray position."""
    if (shapely.is_missing(geoms) | ~np.isfinite(shapely.bounds(geoms)).any(axis=1)).all():
        return
    if crs is None:
        rapport.error("le fichier ne dit pas son système de coordonnées (précisez-le avec --srid).")
        return
    bornes = shapely.bounds(geoms)
    try:
        en_metres = is_degrees(crs) and np.nanmax(np.abs(bornes)) > 360
        degres = to_degrees(geoms, crs)
    except ReferenceInconnue as error:
        rapport.error(f"{error}.")
        return
    if en_metres:
        rapport.error(
            f"coordonnées incompatibles avec le système de coordonnées annoncé ({crs}, degrés) : elles semblent être "
            "en mètres (précisez le système avec --srid, par exemple 2154)."
        )
        return
    dehors = outside_2154(degres)
    if dehors[~shapely.is_missing(geoms)].all():
        rapport.error(
            f"toutes les positions sont hors de la France métropolitaine et de ses abords : le système de coordonnées "
            f"annoncé ({crs}) est sans doute faux."
        )
        return
    for ligne, geom, loin in zip(lignes, project(geoms, crs), dehors, strict=True):
        if loin:
            ligne.error("position hors de la France métropolitaine et de ses abords.", "géométrie")
        else:
            ligne.geom = None if geom is None or geom.is_empty else geom
