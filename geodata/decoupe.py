"""Cuts a network at the limits of areas (départements): each piece of road knows its own. Pure module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyproj
import shapely

from geodata.erreurs import ImportImpossible
from geodata.franchissements import (
    I16,
    Coupures,
    crossings,
    limit_segments,
    locate,
    plane_abscissa,
    point_at,
    sides_along,
)
from geodata.reseau import COLONNES_TRONCON, F64, HORS_DECOUPAGE, I64, B, TableauxReseau
from geodata.topologie import ranks

#: Reference of cut networks: RGF93 / Lambert-93, metres (``settings.SRID``).
SRID_METRES = 2154
#: (code, polygon in EPSG:2154). Neighbours must share exact edges.
Aire = tuple[str, shapely.Polygon | shapely.MultiPolygon]


def project(reseau: TableauxReseau, srid: int = SRID_METRES) -> TableauxReseau:
    """The network with coordinates in ``srid``; lengths are kept. Raises `ImportImpossible` outside its domain."""
    if reseau.srid == srid:
        return reseau
    transformation = pyproj.Transformer.from_crs(reseau.srid, srid, always_xy=True)
    nx, ny = transformation.transform(reseau.noeud_x, reseau.noeud_y)
    gx, gy = transformation.transform(reseau.geom_x, reseau.geom_y)
    if not (np.all(np.isfinite(gx)) and np.all(np.isfinite(gy))):
        i = int(np.flatnonzero(~(np.isfinite(gx) & np.isfinite(gy)))[0])
        raise ImportImpossible(
            f"Coordonnées hors du domaine de la projection EPSG:{srid} :"
            f" ({reseau.geom_x[i]:g}, {reseau.geom_y[i]:g}) en EPSG:{reseau.srid}. Vérifiez la projection du fichier."
        )
    return reseau.replace(srid=srid, noeud_x=nx, noeud_y=ny, geom_x=gx, geom_y=gy)


def cut(reseau: TableauxReseau, areas: Sequence[Aire]) -> TableauxReseau:
    """The network in EPSG:2154, cut at the limits of ``areas``; ``decoupage`` is the tuple of their codes.

    - An edge that crosses a limit becomes pieces that share its length in proportion; the node between has a
      negative identifier made from its position. Cuts within `franchissements.TOLERANCE_M` of an end are taken there.
    - ``departement`` is the area of each piece, -1 outside all of them.
    - An edge that runs along a limit (see `geodata.franchissements`) is not cut but marked mitoyenne, with
      the areas on its left and right; ``departement`` is then the one that holds its middle.
    - ``noeud_passage`` is True where pieces of two different areas meet (not at the outer limit).

    Raises `ImportImpossible` where a polygon is empty or invalid, or coordinates cannot be projected.
    """
    for code, polygone in areas:
        if polygone.is_empty or not polygone.is_valid:
            raise ImportImpossible(f"Contour de « {code} » inutilisable : {shapely.is_valid_reason(polygone)}.")
    reseau = project(reseau)
    codes = tuple(code for code, _ in areas)
    if not areas or not reseau.n_troncons:
        return _marked(reseau.replace(decoupage=codes), np.full(reseau.n_troncons, HORS_DECOUPAGE, dtype=np.int16))
    polygones = [p for _, p in areas]
    shapely.prepare(polygones)
    limites = limit_segments(polygones)
    arbre = shapely.STRtree(limites)
    lignes = shapely.linestrings(
        np.column_stack([reseau.geom_x, reseau.geom_y]),
        indices=np.repeat(np.arange(reseau.n_troncons), np.diff(reseau.geom_debut)),
    )
    gauche, droite = sides_along(lignes, arbre, polygones)
    mitoyenne = gauche != droite
    touches = np.unique(arbre.query(lignes, predicate="intersects")[0])
    positions = crossings(reseau, touches[~mitoyenne[touches]], arbre, limites, polygones)
    coupe, parent = _split(reseau.replace(decoupage=codes), positions)

    departement = locate(*_representative(coupe), polygones)
    le_long = mitoyenne[parent]
    bord = np.flatnonzero(le_long)
    g, d, dedans = gauche[parent[bord]], droite[parent[bord]], departement[bord]
    connu = (dedans != HORS_DECOUPAGE) & ((dedans == g) | (dedans == d))
    departement[bord] = np.where(connu, dedans, np.where(g != HORS_DECOUPAGE, g, d))
    marque = _marked(coupe, departement)
    return marque.replace(
        mitoyenne=le_long,
        departement_gauche=np.where(le_long, gauche[parent], departement).astype(np.int16),
        departement_droite=np.where(le_long, droite[parent], departement).astype(np.int16),
    )


# --- the cut network --------------------------------------------------------------------------------------


def _split(reseau: TableauxReseau, coupures: Coupures) -> tuple[TableauxReseau, I64]:
    """The network with edges cut, and the edge (m',) each piece comes from."""
    k = len(coupures.troncon)
    if not k:
        return reseau, np.arange(reseau.n_troncons)
    m, n = reseau.n_troncons, reseau.n_noeuds
    abscisse = plane_abscissa(reseau)
    cx, cy = point_at(reseau, abscisse, coupures.troncon, coupures.abscisse)
    nouveaux = n + np.arange(k)

    n_coupures = np.bincount(coupures.troncon, minlength=m)
    parent = np.repeat(np.arange(m), n_coupures + 1)
    # Cut i starts the piece that follows i earlier cuts and the edges before it.
    suivante = coupures.troncon + np.arange(k) + 1
    source = reseau.source[parent].astype(np.int64)
    cible = reseau.cible[parent].astype(np.int64)
    source[suivante] = nouveaux
    cible[suivante - 1] = nouveaux
    de = np.zeros(len(parent))
    longueur = abscisse[reseau.geom_debut[1:] - 1]
    a = longueur[parent]
    de[suivante] = coupures.abscisse
    a[suivante - 1] = coupures.abscisse
    part = np.divide(a - de, longueur[parent], out=np.ones(len(parent)), where=longueur[parent] > 0)
    debut_coupe, fin_coupe = np.zeros(len(parent), dtype=bool), np.zeros(len(parent), dtype=bool)
    debut_coupe[suivante] = fin_coupe[suivante - 1] = True

    # Vertices: those of the edge, and each cut twice (end of a piece, start of the next), sorted along the edge.
    troncon_sommet = np.repeat(np.arange(m), np.diff(reseau.geom_debut))
    origine = np.cumsum(longueur) - longueur
    rang_axe = np.searchsorted(origine[coupures.troncon] + coupures.abscisse, origine[troncon_sommet] + abscisse)
    piece_sommet = troncon_sommet + rang_axe
    # A vertex at the very place of a cut would be written twice.
    double = (debut_coupe[piece_sommet] & (abscisse - de[piece_sommet] < 1e-6)) | (
        fin_coupe[piece_sommet] & (a[piece_sommet] - abscisse < 1e-6)
    )
    sommets = np.flatnonzero(~double)
    piece = np.concatenate([piece_sommet[sommets], suivante - 1, suivante])
    # Within a piece the cut that starts it comes first and the one that ends it last.
    genre = np.concatenate([np.zeros(len(sommets)), np.ones(k), -np.ones(k)])
    ordre = np.lexsort((np.arange(len(piece)), genre, piece))
    gx = np.concatenate([reseau.geom_x[sommets], cx, cx])[ordre]
    gy = np.concatenate([reseau.geom_y[sommets], cy, cy])[ordre]
    geom_debut = np.concatenate([[0], np.cumsum(np.bincount(piece, minlength=len(parent)))]).astype(np.int64)

    colonnes = {nom: getattr(reseau, nom)[parent] for nom in COLONNES_TRONCON}
    colonnes.update(
        source=source.astype(np.int32),
        cible=cible.astype(np.int32),
        longueur_m=(reseau.longueur_m[parent].astype(np.float64) * part).astype(np.float32),
    )
    colonnes["rang"] = ranks(colonnes["voie_id"], colonnes["rang"])
    return (
        reseau.replace(
            **colonnes,
            noeud_id=np.concatenate([reseau.noeud_id, _new_ids(cx, cy, reseau.noeud_id)]),
            noeud_x=np.concatenate([reseau.noeud_x, cx]),
            noeud_y=np.concatenate([reseau.noeud_y, cy]),
            noeud_passage=np.concatenate([reseau.noeud_passage, np.zeros(k, dtype=bool)]),
            geom_debut=geom_debut,
            geom_x=gx,
            geom_y=gy,
        ),
        parent,
    )


def _new_ids(x: F64, y: F64, pris: I64) -> I64:
    """Negative identifiers made from positions in centimetres: the same cut has the same one at every import."""
    cx, cy = np.round(x * 100).astype(np.int64), np.round(y * 100).astype(np.int64)
    ids = -(((cx + 2**31) << 31) | (cy + 2**30)) - 1
    # Two roads may cross a limit at one place, one above the other: the later ones step aside.
    occupes = set(pris[pris < 0].tolist())
    for i, valeur in enumerate(ids.tolist()):
        while valeur in occupes:
            valeur += 1
        occupes.add(valeur)
        ids[i] = valeur
    return ids


def _representative(reseau: TableauxReseau) -> tuple[F64, F64]:
    """A point in the middle of each edge (m,): never one of its ends, which may lie on a limit."""
    abscisse = plane_abscissa(reseau)
    milieu = abscisse[reseau.geom_debut[1:] - 1] / 2
    return point_at(reseau, abscisse, np.arange(reseau.n_troncons), milieu)


def _marked(reseau: TableauxReseau, departement: I16) -> TableauxReseau:
    """The network with its areas, and the nodes where two of them meet."""
    bouts = np.concatenate([reseau.source, reseau.cible])
    places = np.concatenate([departement, departement])
    dans = places >= 0
    plus_bas = np.full(reseau.n_noeuds, np.iinfo(np.int16).max, dtype=np.int16)
    plus_haut = np.full(reseau.n_noeuds, -1, dtype=np.int16)
    np.minimum.at(plus_bas, bouts[dans], places[dans])
    np.maximum.at(plus_haut, bouts[dans], places[dans])
    passage: B = plus_haut > plus_bas
    return reseau.replace(
        departement=departement, departement_gauche=departement, departement_droite=departement, noeud_passage=passage
    )


# --- points de passage ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Passage:
    """A point de passage: node ``noeud`` on the limit of two areas, with the busiest road that crosses there."""

    noeud: int
    departement_a: str
    departement_b: str
    ref: str
    nom: str
    classe: int
    gestion: int
    x: float
    y: float


def points_passage(reseau: TableauxReseau) -> list[Passage]:
    """Points de passage by node and pair of areas (a < b), in the order of the nodes.

    A node where three areas meet gives one point for each pair. The road told is the one of the lowest
    class number among the edges of the two areas that end there, then with a number, then with a name.
    """
    bouts = np.concatenate([reseau.source, reseau.cible])
    aretes = np.concatenate([np.arange(reseau.n_troncons)] * 2)
    choix = reseau.noeud_passage[bouts] & (reseau.departement[aretes] >= 0)
    par_noeud: dict[int, dict[str, set[int]]] = {}
    for noeud, arete in zip(bouts[choix].tolist(), aretes[choix].tolist(), strict=True):
        code = reseau.decoupage[int(reseau.departement[arete])]
        par_noeud.setdefault(noeud, {}).setdefault(code, set()).add(arete)

    def rang(arete: int) -> tuple[int, bool, bool, int]:
        return (int(reseau.classe[arete]), reseau.ref[arete] == 0, reseau.nom[arete] == 0, arete)

    points = []
    for noeud, par_code in sorted(par_noeud.items()):
        codes_tries = sorted(par_code)
        for i, a in enumerate(codes_tries):
            for b in codes_tries[i + 1 :]:
                arete = min(par_code[a] | par_code[b], key=rang)
                points.append(
                    Passage(
                        noeud=noeud,
                        departement_a=a,
                        departement_b=b,
                        ref=reseau.textes[reseau.ref[arete]],
                        nom=reseau.textes[reseau.nom[arete]],
                        classe=int(reseau.classe[arete]),
                        gestion=int(reseau.gestion[arete]),
                        x=float(reseau.noeud_x[noeud]),
                        y=float(reseau.noeud_y[noeud]),
                    )
                )
    return points
