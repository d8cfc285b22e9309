"""Edges that polygons share, found all at once: what limits between collectivités are made of.

Neighbours of one source share their edges exactly; an edge is hashed by its two ends (to the millimetre) and the
two polygons that have it are neighbours there. Where two drawings differ (a vertex missing on one side, another
edition next door), the edges left alone are matched within a tolerance, and counted apart.

Pure module: no Django, no database. Lengths in metres, coordinates EPSG:2154.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from .importation.geometrie import Geometries

#: Coordinates are compared in whole millimetres.
_PAR_METRE = 1000.0

#: Metres within which two edges that are not equal are taken for one.
TOLERANCE_M = 1.0

#: A piece matched within the tolerance must be this many times longer than it: shorter ones only touch.
_ALLONGEMENT = 4.0


@dataclass(frozen=True)
class Partages:
    """k shared pieces of line: ``p[i] < q[i]`` are the positions of the two polygons.

    lignes (k,) LineString; longueur_m (k,); approche (k,) True where matched within the tolerance only.
    multiples: edges that three polygons or more have (polygons overlap there).
    """

    p: NDArray[np.int64]
    q: NDArray[np.int64]
    lignes: Geometries
    longueur_m: NDArray[np.float64]
    approche: NDArray[np.bool_]
    multiples: int


@dataclass(frozen=True)
class LimiteCalculee:
    """The limit between owners ``a < b``: its line, and the polygons along it with the length each has of it."""

    a: int
    b: int
    geom: shapely.MultiLineString
    longueur_m: float
    longueur_approchee_m: float
    #: Position of the polygon -> metres along the limit.
    longueur_par_polygone: dict[int, float]


def _segments(geoms: Geometries) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """All edges of all rings, (m, 4) x1 y1 x2 y2, and the polygon each belongs to."""
    polygones, de_geom = shapely.get_parts(geoms, return_index=True)
    anneaux, de_polygone = shapely.get_rings(polygones, return_index=True)
    xy, de_anneau = shapely.get_coordinates(anneaux, return_index=True)
    meme = de_anneau[1:] == de_anneau[:-1]
    segments = np.concatenate([xy[:-1], xy[1:]], axis=1)[meme]
    return segments, de_geom[de_polygone[de_anneau[:-1][meme]]].astype(np.int64)


def shared_edges(geoms: Geometries, tolerance_m: float = TOLERANCE_M) -> Partages:
    """Pieces of line along which two polygons of ``geoms`` (None allowed) are neighbours.

    ``tolerance_m`` = 0: exactly equal edges only.
    """
    segments, polygone = _segments(geoms)
    cles = np.rint(segments * _PAR_METRE).astype(np.int64)
    retourne = (cles[:, 0] > cles[:, 2]) | ((cles[:, 0] == cles[:, 2]) & (cles[:, 1] > cles[:, 3]))
    cles[retourne] = cles[retourne][:, [2, 3, 0, 1]]
    utiles = (cles[:, 0] != cles[:, 2]) | (cles[:, 1] != cles[:, 3])
    segments, polygone, cles = segments[utiles], polygone[utiles], cles[utiles]

    ordre = np.lexsort((polygone, cles[:, 3], cles[:, 2], cles[:, 1], cles[:, 0]))
    segments, polygone, cles = segments[ordre], polygone[ordre], cles[ordre]
    debut = np.ones(len(cles), dtype=bool)
    debut[1:] = (cles[1:] != cles[:-1]).any(axis=1)
    rang = np.flatnonzero(debut)
    taille = np.diff(np.append(rang, len(cles)))
    deux = rang[taille == 2]
    deux = deux[polygone[deux] != polygone[deux + 1]]
    exactes = shapely.linestrings(segments[deux].reshape(-1, 2, 2))
    p, q = polygone[deux], polygone[deux + 1]
    approche = np.zeros(len(deux), dtype=bool)
    if tolerance_m > 0:
        seules = rang[taille == 1]
        p2, q2, proches = _near(segments[seules], polygone[seules], tolerance_m)
        p, q = np.concatenate([p, p2]), np.concatenate([q, q2])
        exactes = np.concatenate([exactes, proches])
        approche = np.concatenate([approche, np.ones(len(p2), dtype=bool)])
    return Partages(p, q, exactes, shapely.length(exactes), approche, int((taille > 2).sum()))


def _near(
    segments: NDArray[np.float64], polygone: NDArray[np.int64], tolerance: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], Geometries]:
    """Pieces of edges without equal that run within ``tolerance`` of another polygon's."""
    vide = np.zeros(0, dtype=np.int64)
    lignes = shapely.linestrings(segments.reshape(-1, 2, 2))
    i, j = shapely.STRtree(lignes).query(lignes, predicate="dwithin", distance=tolerance)
    garde = polygone[i] < polygone[j]
    i, j = i[garde], j[garde]
    if not len(i):
        return vide, vide, np.empty(0, dtype=object)
    # One couple of multilines for each couple of polygons: only the edges concerned.
    n = int(polygone.max()) + 1
    couple, rang = np.unique(polygone[i] * n + polygone[j], return_inverse=True)
    cote_p = _gather(lignes, i, rang, len(couple))
    cote_q = _gather(lignes, j, rang, len(couple))
    communs = shapely.line_merge(
        shapely.intersection(cote_p, shapely.buffer(cote_q, tolerance, cap_style="flat", join_style="round"))
    )
    morceaux, de_couple = shapely.get_parts(communs, return_index=True)
    longs = (shapely.get_dimensions(morceaux) == 1) & (shapely.length(morceaux) > _ALLONGEMENT * tolerance)
    morceaux, de_couple = morceaux[longs], de_couple[longs]
    return couple[de_couple] // n, couple[de_couple] % n, morceaux


def _gather(lignes: Geometries, choix: NDArray[np.int64], rang: NDArray[np.int64], n: int) -> Geometries:
    """One MultiLineString for each of ``n`` groups, each edge once."""
    uniques = np.unique(np.column_stack([rang, choix]), axis=0)
    multi: Geometries = shapely.multilinestrings(lignes[uniques[:, 1]], indices=uniques[:, 0], out=np.empty(n, object))
    return multi


def limits(partages: Partages, proprietaire: NDArray[np.int64]) -> list[LimiteCalculee]:
    """Limits between the owners of the polygons (-1 = none), sorted by (a, b)."""
    op, oq = proprietaire[partages.p], proprietaire[partages.q]
    garde = np.flatnonzero((op != oq) & (op >= 0) & (oq >= 0))
    if not len(garde):
        return []
    op, oq = op[garde], oq[garde]
    n = int(proprietaire.max()) + 1
    cle = np.minimum(op, oq) * n + np.maximum(op, oq)
    ordre = np.argsort(cle, kind="stable")
    resultat = []
    for groupe in np.split(ordre, np.flatnonzero(np.diff(cle[ordre])) + 1):
        rangs = garde[groupe]
        longueurs = partages.longueur_m[rangs]
        par_polygone: dict[int, float] = {}
        for cote in (partages.p[rangs], partages.q[rangs]):
            qui, ou = np.unique(cote, return_inverse=True)
            for k, metres in zip(qui, np.bincount(ou, weights=longueurs), strict=True):
                par_polygone[int(k)] = par_polygone.get(int(k), 0.0) + float(metres)
        trace = shapely.line_merge(shapely.union_all(partages.lignes[rangs]))
        resultat.append(
            LimiteCalculee(
                a=int(cle[groupe[0]] // n),
                b=int(cle[groupe[0]] % n),
                geom=shapely.MultiLineString([m for m in shapely.get_parts(trace) if m.geom_type == "LineString"]),
                longueur_m=float(longueurs.sum()),
                longueur_approchee_m=float(longueurs[partages.approche[rangs]].sum()),
                longueur_par_polygone=par_polygone,
            )
        )
    return resultat
