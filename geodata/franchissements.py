"""Where edges meet the limits of areas: crossings, and roads that run along a limit. Pure module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.reseau import F64, HORS_DECOUPAGE, I64, TableauxReseau

#: A piece shorter than this is not a road: sources know positions to a centimetre at best.
TOLERANCE_M = 0.1
#: A road is mitoyenne when it keeps within this distance of a limit...
LARGEUR_MITOYENNE_M = 10.0
#: ... over this share of its length, and is longer than `LONGUEUR_MITOYENNE_M` (a shorter one only crosses).
PART_MITOYENNE = 0.8
LONGUEUR_MITOYENNE_M = 50.0
_SONDES = 21
#: Outlines of neighbours that were drawn apart may leave a gap: a piece of road that crosses one narrower than this
#: goes with the piece before it.
LACUNE_M = 2.0


I16 = NDArray[np.int16]


def locate(x: F64, y: F64, polygones: Sequence[shapely.Geometry]) -> I16:
    """Position of the polygon that holds each point (k,), -1 = none; the first one where a point is on a limit."""
    place = np.full(len(x), HORS_DECOUPAGE, dtype=np.int16)
    for predicat in (shapely.contains_xy, shapely.intersects_xy):
        for i, polygone in enumerate(polygones):
            xmin, ymin, xmax, ymax = polygone.bounds
            libres = (place == HORS_DECOUPAGE) & (x >= xmin) & (x <= xmax) & (y >= ymin) & (y <= ymax)
            choix = np.flatnonzero(libres)
            place[choix[predicat(polygone, x[choix], y[choix])]] = i
    return place


def limit_segments(polygones: Sequence[shapely.Geometry]) -> NDArray[np.object_]:
    """Every side of the polygons as a line of two points, once (neighbours share theirs)."""
    anneaux = shapely.get_rings(shapely.get_parts(np.asarray(polygones, dtype=object)))
    xy, anneau = shapely.get_coordinates(anneaux, return_index=True)
    suite = anneau[1:] == anneau[:-1]
    bouts = np.hstack([xy[:-1][suite], xy[1:][suite]])
    # The lower end first, so that a side drawn both ways is one.
    retourne = (bouts[:, 0] > bouts[:, 2]) | ((bouts[:, 0] == bouts[:, 2]) & (bouts[:, 1] > bouts[:, 3]))
    bouts[retourne] = bouts[retourne][:, [2, 3, 0, 1]]
    segments: NDArray[np.object_] = shapely.linestrings(np.unique(bouts, axis=0).reshape(-1, 2, 2))
    return segments


def sides_along(
    lignes: NDArray[np.object_], arbre: shapely.STRtree, polygones: Sequence[shapely.Geometry]
) -> tuple[I16, I16]:
    """Areas left and right (m,) of the edges that run along a limit; equal for all the others."""
    gauche = np.full(len(lignes), HORS_DECOUPAGE, dtype=np.int16)
    droite = gauche.copy()
    proches = np.unique(arbre.query(lignes, predicate="dwithin", distance=LARGEUR_MITOYENNE_M)[0])
    longueur = shapely.length(lignes[proches])
    proches = proches[longueur >= LONGUEUR_MITOYENNE_M]
    if not len(proches):
        return gauche, droite
    fractions = (np.arange(_SONDES) + 0.5) / _SONDES
    sondes = shapely.line_interpolate_point(lignes[proches][:, None], fractions, normalized=True)
    pres = np.zeros(sondes.size, dtype=bool)
    pres[np.unique(arbre.query(sondes.ravel(), predicate="dwithin", distance=LARGEUR_MITOYENNE_M)[0])] = True
    le_long = pres.reshape(sondes.shape).mean(axis=1) >= PART_MITOYENNE
    proches, sondes = proches[le_long], sondes[le_long]
    if not len(proches):
        return gauche, droite
    pas = 0.5 / _SONDES
    avant = shapely.line_interpolate_point(lignes[proches][:, None], fractions - pas / 2, normalized=True)
    apres = shapely.line_interpolate_point(lignes[proches][:, None], fractions + pas / 2, normalized=True)
    dx, dy = shapely.get_x(apres) - shapely.get_x(avant), shapely.get_y(apres) - shapely.get_y(avant)
    norme = np.maximum(np.hypot(dx, dy), 1e-9)
    ecart = 1.5 * LARGEUR_MITOYENNE_M
    x, y = shapely.get_x(sondes), shapely.get_y(sondes)
    for cote, signe in ((gauche, -1.0), (droite, 1.0)):
        px, py = x + signe * ecart * dy / norme, y - signe * ecart * dx / norme
        places = locate(px.ravel(), py.ravel(), polygones).reshape(x.shape)
        cote[proches] = _most_frequent(places)
    return gauche, droite


def _most_frequent(places: I16) -> I16:
    """Most frequent value of each row (k, p); the lowest of equals."""
    valeurs = np.unique(places)
    comptes = np.stack([(places == v).sum(axis=1) for v in valeurs], axis=1)
    resultat: I16 = valeurs[np.argmax(comptes, axis=1)]
    return resultat


@dataclass(frozen=True)
class Coupures:
    """Cuts sorted by edge then along it: ``abscisse`` is the plane distance from the start of edge ``troncon``."""

    troncon: I64
    abscisse: F64


def plane_abscissa(reseau: TableauxReseau) -> F64:
    """Plane distance of each vertex from the start of its edge (V,)."""
    pas = np.hypot(np.diff(reseau.geom_x, prepend=0.0), np.diff(reseau.geom_y, prepend=0.0))
    pas[reseau.geom_debut[:-1]] = 0.0
    cumul = np.cumsum(pas)
    resultat: F64 = cumul - np.repeat(cumul[reseau.geom_debut[:-1]], np.diff(reseau.geom_debut))
    return resultat


def crossings(
    reseau: TableauxReseau,
    troncons: I64,
    arbre: shapely.STRtree,
    limites: NDArray[np.object_],
    polygones: Sequence[shapely.Geometry],
) -> Coupures:
    """Places where ``troncons`` go from one area to another. Merely touching a limit is not one."""
    rien = Coupures(np.zeros(0, dtype=np.int64), np.zeros(0))
    if not len(troncons):
        return rien
    abscisse = plane_abscissa(reseau)
    debut, fin = reseau.geom_debut[troncons], reseau.geom_debut[troncons + 1]
    n_segments = fin - debut - 1
    premier = np.repeat(debut - np.cumsum(n_segments) + n_segments, n_segments) + np.arange(n_segments.sum())
    a = np.column_stack([reseau.geom_x[premier], reseau.geom_y[premier]])
    b = np.column_stack([reseau.geom_x[premier + 1], reseau.geom_y[premier + 1]])
    segments = shapely.linestrings(np.stack([a, b], axis=1))
    ici, la = arbre.query(segments, predicate="intersects")
    # Where a segment lies on a side the intersection is a line: both its ends are kept.
    points, paire = shapely.get_coordinates(shapely.intersection(segments[ici], limites[la]), return_index=True)
    ici = ici[paire]
    s = abscisse[premier[ici]] + np.hypot(*(points - a[ici]).T)
    t = np.repeat(troncons, n_segments)[ici]
    longueur = abscisse[reseau.geom_debut[t + 1] - 1]
    interieur = (s > TOLERANCE_M) & (s < longueur - TOLERANCE_M)
    t, s = t[interieur], s[interieur]
    ordre = np.lexsort((s, t))
    t, s = t[ordre], s[ordre]
    distinct = np.ones(len(t), dtype=bool)
    distinct[1:] = (t[1:] != t[:-1]) | (s[1:] - s[:-1] > TOLERANCE_M)
    t, s = t[distinct], s[distinct]
    if not len(t):
        return rien
    return _only_changes(reseau, abscisse, t, s, polygones)


def _only_changes(
    reseau: TableauxReseau, abscisse: F64, t: I64, s: F64, polygones: Sequence[shapely.Geometry]
) -> Coupures:
    """Keep the cuts between pieces of different areas (areas are read in the middle of the pieces)."""
    premier = np.ones(len(t), dtype=bool)
    premier[1:] = t[1:] != t[:-1]
    dernier = np.append(premier[1:], True)
    longueur = abscisse[reseau.geom_debut[t + 1] - 1]
    avant = np.where(premier, 0.0, np.concatenate([[0.0], s[:-1]]))
    apres = np.where(dernier, longueur, np.append(s[1:], 0.0))
    place_avant = locate(*point_at(reseau, abscisse, t, (avant + s) / 2), polygones)
    place_apres = locate(*point_at(reseau, abscisse, t, (s + apres) / 2), polygones)
    lacune = ~dernier[:-1] & (place_apres[:-1] == HORS_DECOUPAGE) & (np.diff(s) < LACUNE_M)
    i = np.flatnonzero(lacune & (place_avant[:-1] != HORS_DECOUPAGE) & (place_apres[1:] != HORS_DECOUPAGE))
    place_apres[i] = place_avant[i + 1] = place_avant[i]
    change = place_avant != place_apres
    return Coupures(t[change], s[change])


def point_at(reseau: TableauxReseau, abscisse: F64, t: I64, s: F64) -> tuple[F64, F64]:
    """Points (k,) at plane distance ``s`` from the start of edges ``t``."""
    # Edges laid end to end on one axis, so that one search serves all.
    longueurs = abscisse[reseau.geom_debut[1:] - 1]
    origine = np.cumsum(longueurs) - longueurs
    axe = abscisse + np.repeat(origine, np.diff(reseau.geom_debut))
    i = np.searchsorted(axe, origine[t] + s, side="right") - 1
    i = np.clip(i, reseau.geom_debut[t], reseau.geom_debut[t + 1] - 2)
    pas = abscisse[i + 1] - abscisse[i]
    part = np.divide(s - abscisse[i], pas, out=np.zeros_like(s), where=pas > 0)
    part = np.clip(part, 0.0, 1.0)
    x = reseau.geom_x[i] + part * (reseau.geom_x[i + 1] - reseau.geom_x[i])
    y = reseau.geom_y[i] + part * (reseau.geom_y[i + 1] - reseau.geom_y[i])
    return x, y
