"""Reads any layer of road lines (BD TOPO, ROUTE 500, GeoPackage, Shapefile, CSV with WKT) into a network.

Pure module: no Django, no database. Nodes are the ends of the lines: by identifier columns where there are some,
else by position rounded to the precision of the source.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geodata.classes import ACCES_ORDINAIRE, Acces, Classe
from geodata.couches import Couche, Objets, read_layer
from geodata.erreurs import ImportImpossible
from geodata.etiquettes_osm import (
    DEUX_CHAUSSEES_KMH,
    VILLE_KMH,
    implicit_speed,
    parse_length,
    parse_speed,
    parse_weight,
)
from geodata.reseau import F32, F64, I64, TableauxReseau
from geodata.textes import Textes
from geodata.topologie import great_circle, ranks, run_lengths
from geodata.vocabulaires import (
    ACCES_FERME,
    ACCES_PRIVE,
    EN_SERVICE,
    Categorie,
    categorize,
    direction_of,
    is_yes,
    normalize,
)

SRID_METRES = 2154
#: Ends closer than this are one node where no identifier says otherwise.
PRECISION_M = 0.01
PRECISION_DEGRES = 1e-7

OMIS_SANS_GEOMETRIE = "lignes du fichier sans géométrie lisible (la première : ligne {ligne})"
OMIS_NON_CARROSSABLE = "lignes du fichier non carrossables"
OMIS_PROJET = "lignes du fichier en projet ou en construction"
LIGNES = "lignes du fichier"


def read_lines(
    path: Path, layer: str | None = None, columns: Mapping[str, str] | None = None, srid: int | None = None
) -> TableauxReseau:
    """Network of a layer of lines, in EPSG:2154 where the layer is, else in EPSG:4326; z is ignored.

    ``layer``: the only one, or the first of lines, when None. ``columns``: our column (keys of
    `vocabulaires.COLONNES_CONNUES`) -> name in the file; known names are found without being told, and an empty name
    says "do not use". ``srid``: the reference of the coordinates when the file does not say it.

    ``lus["lignes du fichier"]`` plus the ``omis`` that start with the same words is the number of rows of the layer.
    Raises `ImportImpossible` (French; names file, layer, column or row).
    """
    couche = read_layer(path, layer, dict(columns or {}), srid)
    presentes = ~shapely.is_empty(couche.geom) & np.isfinite(shapely.length(couche.geom))
    if not presentes.all():
        couche = couche.take(presentes, OMIS_SANS_GEOMETRIE.format(ligne=couche.ligne[np.argmin(presentes)]))
    en_service = np.array([normalize(v) in EN_SERVICE for v in couche.column("etat")], dtype=bool)
    couche = couche.take(en_service, OMIS_PROJET)
    categories = _categories(couche)
    carrossables = np.array([c.carrossable for c in categories], dtype=bool)
    couche = couche.take(carrossables, OMIS_NON_CARROSSABLE)
    categories = categories[carrossables]
    couche.lus[LIGNES] = couche.n
    if not couche.n:
        raise ImportImpossible(f"{couche.fichier} : aucune route carrossable dans la couche.")
    return _assemble(couche, categories)


# --- values -----------------------------------------------------------------------------------------------


def _texts(valeurs: Objets) -> list[str]:
    return ["" if normalize(v) == "" else str(v).strip() for v in valeurs]


def _categories(couche: Couche) -> Objets:
    """`Categorie` of each row; class words we do not know are counted."""
    vues: dict[tuple[str, str, str, str], Categorie] = {}
    sortie = np.empty(couche.n, dtype=object)
    colonnes = [_texts(couche.column(nom)) for nom in ("nature", "classe", "importance", "ref")]
    for i, cle in enumerate(zip(*colonnes, strict=True)):
        if cle not in vues:
            vues[cle] = categorize(*cle)
        sortie[i] = vues[cle]
        if vues[cle].inconnue:
            couche.lus[f"classe inconnue « {vues[cle].inconnue} » (d'après le numéro)"] += 1
    return sortie


def _directions(couche: Couche) -> NDArray[np.int8]:
    lus = [direction_of(v) for v in couche.column("sens")]
    couche.complain("sens", [i for i, s in enumerate(lus) if s is None], "pris à double sens")
    return np.array([s or 0 for s in lus], dtype=np.int8)


def _numbers(couche: Couche, nom: str, parse: Any) -> F32:
    """Numbers of a column by ``parse`` (text -> value, NaN or None); decimal commas and units are understood."""
    vus: dict[str, float] = {}
    illisibles = []
    sortie = np.full(couche.n, np.nan, dtype=np.float32)
    for i, brut in enumerate(couche.column(nom)):
        texte = normalize(brut)
        if not texte or texte.replace(".", "").replace("-", "").strip("0") == "" or texte.startswith("-"):
            continue
        if texte not in vus:
            lu = parse(texte)
            vus[texte] = np.nan if lu is None else lu
        sortie[i] = vus[texte]
        if np.isnan(vus[texte]):
            illisibles.append(i)
    couche.complain(nom, illisibles, "ignoré")
    return sortie


def _access(couche: Couche) -> NDArray[np.uint8]:
    prives = np.array([is_yes(v) for v in couche.column("prive")], dtype=bool)
    mots = np.array([normalize(v) for v in couche.column("acces")], dtype=object)
    acces = np.full(couche.n, int(ACCES_ORDINAIRE), dtype=np.uint8)
    ferme = np.isin(mots, list(ACCES_FERME))
    acces[ferme] = int(Acces.PIETON | Acces.SERVICE)
    acces[~ferme & (prives | np.isin(mots, list(ACCES_PRIVE)))] |= int(Acces.PRIVE)
    return acces


def _identifiers(valeurs: Objets) -> I64:
    """Positive integers for identifiers that may be texts: the number itself, the figures at its end, or a digest."""
    textes = [str(v) for v in valeurs]
    entiers = [re.fullmatch(r"(\d{1,18})(?:\.0)?", t) for t in textes]
    if all(entiers):
        return np.array([int(e.group(1)) for e in entiers if e], dtype=np.int64)
    fins = [re.search(r"(\d{1,18})$", t) for t in textes]
    if all(fins):
        nombres = np.array([int(f.group(1)) for f in fins if f], dtype=np.int64)
        if len(np.unique(nombres)) == len(set(textes)):
            return nombres
    return np.array(
        [int.from_bytes(hashlib.blake2b(t.encode(), digest_size=8).digest(), "big") >> 1 for t in textes],
        dtype=np.int64,
    )


# --- network ----------------------------------------------------------------------------------------------


def _assemble(couche: Couche, categories: Objets) -> TableauxReseau:
    sens = _directions(couche)
    geom = couche.geom.copy()
    geom[sens < 0] = shapely.reverse(geom[sens < 0])
    xy = shapely.get_coordinates(geom)
    debut = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(geom))]).astype(np.int64)
    x, y, lon, lat, srid = _coordinates(couche, xy)
    longueur = run_lengths(debut, great_circle(lon[:-1], lat[:-1], lon[1:], lat[1:]))
    bouts = np.stack([debut[:-1], debut[1:] - 1])
    noeud_id, source, cible = _nodes(couche, sens, x[bouts], y[bouts], srid)
    position = np.zeros(len(noeud_id), dtype=np.int64)
    position[cible[::-1]], position[source[::-1]] = bouts[1][::-1], bouts[0][::-1]
    ecart = great_circle(lon[bouts], lat[bouts], lon[position[[source, cible]]], lat[position[[source, cible]]])
    loin = int(np.count_nonzero(ecart.max(axis=0) > 1.0))
    if loin:
        couche.lus["lignes dont un bout est à plus de 1 m de son nœud"] = loin

    textes = Textes()
    m = couche.n
    classe = np.array([c.classe for c in categories], dtype=np.int8)
    bretelle = np.array([c.bretelle for c in categories], dtype=bool)
    vmax, ecrite = _speeds(couche, categories)
    voie_id = _identifiers(couche.column("id")) if "id" in couche.valeurs else np.arange(1, m + 1, dtype=np.int64)
    hors = np.full(m, -1, dtype=np.int16)
    sol = _signed(couche.column("position_sol"))
    franchissement = np.array([normalize(v) for v in couche.column("franchissement")], dtype=object)
    paires = np.minimum(source, cible).astype(np.int64) * len(noeud_id) + np.maximum(source, cible)
    couche.lus.update(
        {
            "nœuds": len(noeud_id),
            "tronçons": m,
            "tronçons parallèles": m - len(np.unique(paires)),
            "tronçons de longueur nulle": int(np.count_nonzero(longueur == 0)),
            "boucles": int(np.count_nonzero(source == cible)),
        }
    )
    return TableauxReseau(
        srid=srid,
        noeud_id=noeud_id,
        noeud_x=x[position],
        noeud_y=y[position],
        noeud_passage=np.zeros(len(noeud_id), dtype=bool),
        source=source,
        cible=cible,
        longueur_m=longueur.astype(np.float32),
        sens_unique=sens != 0,
        classe=classe,
        bretelle=bretelle,
        gestion=np.array([c.gestion for c in categories], dtype=np.int8),
        vmax_aller=vmax,
        vmax_retour=vmax.copy(),
        vmax_ecrite=ecrite,
        acces=_access(couche),
        tonnage_max_t=_numbers(couche, "tonnage", parse_weight),
        hauteur_max_m=_numbers(couche, "hauteur", parse_length),
        largeur_m=_numbers(couche, "largeur", parse_length),
        voies=np.clip(np.nan_to_num(_numbers(couche, "voies", parse_length)), 0, 100).astype(np.int8),
        pont=np.isin(franchissement, ["pont"]) | (sol > 0) | np.array([is_yes(v) for v in couche.column("pont")]),
        tunnel=np.isin(franchissement, ["tunnel"]) | (sol < 0) | np.array([is_yes(v) for v in couche.column("tunnel")]),
        ref=textes.codes(_texts(couche.column("ref"))),
        nom=textes.codes(_texts(couche.column("nom"))),
        revetement=textes.codes(_texts(couche.column("revetement"))),
        voie_id=voie_id,
        rang=ranks(voie_id),
        departement=hors,
        departement_gauche=hors.copy(),
        departement_droite=hors.copy(),
        mitoyenne=np.zeros(m, dtype=bool),
        geom_debut=debut,
        geom_x=x,
        geom_y=y,
        textes=tuple(textes.table),
        lus=dict(couche.lus),
        omis=dict(couche.omis),
    )


def _coordinates(couche: Couche, xy: F64) -> tuple[F64, F64, F64, F64, int]:
    """(x, y) in the network's reference, (lon, lat), and the reference: 2154 where the layer is in it, else 4326."""
    x, y = np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1])
    if couche.crs.to_epsg() == 4326:
        return x, y, x, y, 4326
    lon, lat = pyproj.Transformer.from_crs(couche.crs, 4326, always_xy=True).transform(x, y)
    if not (np.all(np.isfinite(lon)) and np.all(np.isfinite(lat))):
        raise ImportImpossible(f"{couche.fichier} : coordonnées hors du domaine de {couche.crs.name}.")
    if couche.crs.to_epsg(min_confidence=25) == SRID_METRES:
        return x, y, lon, lat, SRID_METRES
    return lon, lat, lon, lat, 4326


def _nodes(
    couche: Couche, sens: NDArray[np.int8], x: F64, y: F64, srid: int
) -> tuple[I64, NDArray[np.int32], NDArray[np.int32]]:
    """Identifiers of the nodes and those at the ends (``x``, ``y`` of shape (2, m)) of each edge."""
    pas = PRECISION_M if srid == SRID_METRES else PRECISION_DEGRES
    ix, iy = np.round(x / pas).astype(np.int64), np.round(y / pas).astype(np.int64)
    # Both fit 33 bits in any reference; the identifier says the position and nothing else.
    place = ((ix + 2**31) << 31) ^ (iy + 2**30)
    if "source" in couche.valeurs:
        dits = np.stack([couche.valeurs["source"], couche.valeurs["cible"]])
        dits[:, sens < 0] = dits[::-1, sens < 0]
        connus = np.array([v is not None and v == v for v in dits.ravel()]).reshape(dits.shape)
        manquants = int(np.count_nonzero(~connus))
        if manquants:
            couche.lus["bouts sans identifiant (pris à leur position)"] += manquants
        place[connus] = _identifiers(dits[connus])
    noeud_id, rang = np.unique(place, return_inverse=True)
    rang = rang.reshape(2, -1).astype(np.int32)
    return noeud_id, rang[0], rang[1]


def _speeds(couche: Couche, categories: Objets) -> tuple[F32, NDArray[np.bool_]]:
    """Limits (km/h) and whether each was written; the rules by class apply to the others."""
    urbains = [normalize(v) for v in couche.column("urbain")]
    vmax = np.empty(couche.n, dtype=np.float32)
    for i, (c, urbain) in enumerate(zip(categories, urbains, strict=True)):
        if urbain in ("oui", "true", "1", "vrai") and c.classe != Classe.AUTOROUTE:
            vmax[i] = min(VILLE_KMH, implicit_speed(c.classe, c.bretelle))
        elif urbain in ("non", "false", "0", "faux") and c.deux_chaussees:
            vmax[i] = DEUX_CHAUSSEES_KMH
        else:
            vmax[i] = implicit_speed(c.classe, c.bretelle)

    def lire(texte: str) -> float | None:
        lue = parse_speed(texte.removesuffix(".0"), Classe.SECONDAIRE)
        return None if lue is None else lue[0]

    dites = _numbers(couche, "vmax", lire)
    ecrite = ~np.isnan(dites)
    return np.where(ecrite, dites, vmax).astype(np.float32), ecrite


def _signed(valeurs: Objets) -> F64:
    """Numbers that may be negative, 0 where there is none."""
    nombres = [re.match(r"^-?\d+(\.\d+)?$", normalize(v)) for v in valeurs]
    return np.array([float(n.group()) if n else 0.0 for n in nombres])
