"""Isochrones: what is reached within each of some times, as valid polygons nested in one another.

Pure module: numpy, shapely, contourpy. Method:

1. one search gives the time at every node; along each edge the time is interpolated between its ends (both directions,
   one-ways kept), so that an edge reached half-way counts for its half;
2. edges are sampled every ``pas_m`` and each sample put on the nearest vertex of a square grid of that step, aligned on
   its multiples, adding the time of the way to the vertex; motorways, their slip roads and tunnels are left out:
   one cannot leave them there;
3. from there one leaves the road in a straight line at the profile's access speed, up to ``marge_m``;
4. the bands are the filled contours of that one field. Contours of one field at growing levels are nested, and no
   vertex lies exactly on a level, so that polygons do not touch themselves;
5. holes smaller than ``trou_m2`` (blocks, fields) are filled, which keeps the bands nested.

The outline is right to about one step. Times on the grid are never shorter than the way they stand for.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from contourpy import FillType, contour_generator

from geodata.accrochage import Accroches
from geodata.graphe import Poids
from geodata.moteur_scipy import nearest_field
from geodata.profils import INF_MS
from geodata.reseau import F64, I64

#: How far one leaves the road (metres).
MARGE_M = 300.0

#: Holes up to this area are filled (square metres).
TROU_M2 = 250_000.0

#: Steps to choose from (metres), and cells the longer side should not exceed.
PAS_M = (25.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
CELLULES_COTE = 600


@dataclass(frozen=True)
class Isochrone:
    """Area within ``seuil_s`` seconds, in the network's metres: a valid MultiPolygon, empty when nothing is reached."""

    seuil_s: float
    geom: shapely.MultiPolygon


def isochrones(
    poids: Poids,
    sites: Accroches,
    seuils_s: Sequence[float],
    *,
    vers: bool = True,
    pas_m: float | None = None,
    marge_m: float = MARGE_M,
    trou_m2: float = TROU_M2,
    anneaux: bool = False,
) -> list[Isochrone]:
    """One area for each threshold, in the order given: from where a site is reached in that time (``vers``), or what
    is reached from a site. Several sites: the nearest counts. Access of the sites is not added.

    ``anneaux``: each area without that of the threshold below it. ``pas_m``: step of the grid, chosen from `PAS_M` by
    the extent when None. Raises ValueError on thresholds that are not positive and finite, or a step that is not.
    """
    if len(seuils_s) == 0 or any(not (np.isfinite(s) and s > 0) for s in seuils_s):
        raise ValueError("isochrones : les seuils doivent être des durées positives, en secondes")
    if pas_m is not None and not (np.isfinite(pas_m) and pas_m > 0):
        raise ValueError("isochrones : le pas doit être positif, en mètres")
    croissants = sorted({float(s) for s in seuils_s})
    x, y, ms = _samples(poids, sites, vers=vers, limite_ms=1000.0 * croissants[-1], pas_m=pas_m)
    aires = {s: shapely.MultiPolygon() for s in croissants}
    if len(x):
        if pas_m is None:
            pas_m = _step(x, y)
        vitesse = poids.profil.vitesse_acces_kmh / 3600.0
        xs, ys, champ = _grid(x, y, ms, pas_m, marge_m, vitesse, 1000.0 * croissants[-1])
        contours = contour_generator(xs, ys, champ, name="serial", fill_type=FillType.OuterOffset)
        aires = {s: _fill(contours.filled(-1.0, np.floor(1000.0 * s) + 0.5), trou_m2) for s in croissants}
    if anneaux:
        dessous = dict(zip(croissants[1:], croissants[:-1], strict=True))
        aires = {s: _multi(shapely.difference(a, aires[dessous[s]])) if s in dessous else a for s, a in aires.items()}
    return [Isochrone(float(s), aires[float(s)]) for s in seuils_s]


def _step(x: F64, y: F64) -> float:
    etendue = max(float(np.ptp(x)), float(np.ptp(y)))
    return next((p for p in PAS_M if etendue / p <= CELLULES_COTE), PAS_M[-1])


def _samples(
    poids: Poids, sites: Accroches, *, vers: bool, limite_ms: float, pas_m: float | None
) -> tuple[F64, F64, F64]:
    """Places on the reached parts of the roads, and ms there: three float64 arrays."""
    g = poids.graphe
    champ, _ = nearest_field(poids, sites, vers=vers, limite_ms=limite_ms)
    temps = np.where(champ == INF_MS, np.inf, champ)
    source, cible = g.reseau.source, g.reseau.cible
    atteints = (np.minimum(temps[source], temps[cible]) <= limite_ms) & poids.ouverts
    atteints[sites.troncon[sites.troncon >= 0]] = True
    # A motorway is a way through, not a place one gets off.
    troncons = np.flatnonzero(atteints & g.riveraines)
    if len(troncons) == 0:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    lignes = g.lignes[troncons]
    if pas_m is None:
        xmin, ymin, xmax, ymax = shapely.total_bounds(lignes)
        pas_m = _step(np.array([xmin, xmax]), np.array([ymin, ymax]))
    qui, fraction = _fractions(shapely.length(lignes), pas_m)
    k = troncons[qui]
    ms = _times_along(poids, temps, k, fraction, vers=vers)
    _direct(poids, sites, k, fraction, ms, vers=vers)
    garde = ms <= limite_ms
    fraction, ms = fraction[garde], ms[garde]
    # The sites themselves stand between two samples.
    eux = sites.take((sites.troncon >= 0) & g.riveraines[sites.troncon] & poids.ouverts[sites.troncon])
    x, y = g.places(np.concatenate([k[garde], eux.troncon]), np.concatenate([fraction, eux.fraction]))
    return x, y, np.concatenate([ms, np.zeros(len(eux))])


def _fractions(longueurs: F64, pas_m: float) -> tuple[I64, F64]:
    """Samples of lines every step at most, both ends included: position of the line, share of its length."""
    intervalles = np.maximum(np.ceil(longueurs / pas_m).astype(np.int64), 1)
    qui = np.repeat(np.arange(len(longueurs)), intervalles + 1)
    rang = np.arange(len(qui)) - np.repeat(np.cumsum(intervalles + 1) - (intervalles + 1), intervalles + 1)
    return qui, rang / intervalles[qui]


def _costs(poids: Poids, k: I64) -> tuple[F64, F64]:
    w = poids.ms.astype(np.float64)[np.stack([k, k + poids.graphe.m])]
    w[w == float(INF_MS)] = np.inf
    return w[0], w[1]


def _times_along(poids: Poids, temps: F64, k: I64, fraction: F64, *, vers: bool) -> F64:
    """Time at a share of an edge, coming from (or going to) its ends."""
    g = poids.graphe
    aller, retour = _costs(poids, k)
    debut, fin = temps[g.reseau.source[k]], temps[g.reseau.cible[k]]
    if vers:
        aller, retour = retour, aller
    with np.errstate(invalid="ignore"):
        # 0 * inf (a closed direction at its very start) is no way either.
        par_debut = np.nan_to_num(debut + fraction * aller, nan=np.inf, posinf=np.inf)
        par_fin = np.nan_to_num(fin + (1.0 - fraction) * retour, nan=np.inf, posinf=np.inf)
    resultat: F64 = np.minimum(par_debut, par_fin)
    resultat = np.where(fraction == 0, np.fmin(resultat, debut), resultat)
    return np.where(fraction == 1, np.fmin(resultat, fin), resultat)


def _direct(poids: Poids, sites: Accroches, k: I64, fraction: F64, ms: F64, *, vers: bool) -> None:
    """Lower the times of samples on the edge of a site (in place): no need to go round by its ends."""
    for i in np.flatnonzero(sites.troncon >= 0):
        # Samples of an edge follow one another.
        lo, hi = np.searchsorted(k, [sites.troncon[i], sites.troncon[i] + 1])
        if lo == hi:
            continue
        aller, retour = _costs(poids, k[lo:hi])
        ecart = fraction[lo:hi] - sites.fraction[i]
        if vers:
            ecart = -ecart
        with np.errstate(invalid="ignore"):
            direct = np.where(ecart >= 0, ecart * aller, -ecart * retour)
        ms[lo:hi] = np.fmin(ms[lo:hi], direct)


def _grid(
    x: F64, y: F64, ms: F64, pas_m: float, marge_m: float, vitesse_m_ms: float, limite_ms: float
) -> tuple[F64, F64, F64]:
    """Field of times on the grid: abscissas, ordinates, ms (rows, columns) capped beyond what is reached."""
    rayon = max(1, int(np.ceil(marge_m / pas_m)))
    col = np.rint(x / pas_m).astype(np.int64)
    lig = np.rint(y / pas_m).astype(np.int64)
    loin = np.hypot(x - col * pas_m, y - lig * pas_m) / vitesse_m_ms
    # One cell more than the reach on every side, so that contours close inside.
    c0, l0 = int(col.min()) - rayon - 1, int(lig.min()) - rayon - 1
    nc, nl = int(col.max()) + rayon + 2 - c0, int(lig.max()) + rayon + 2 - l0
    plafond = np.int32(min(2 * limite_ms + 1e6, 2e9))
    plat = np.full(nl * nc, plafond, dtype=np.int32)
    np.minimum.at(plat, (lig - l0) * nc + col - c0, np.minimum(ms + loin, plafond).astype(np.int32))
    base = plat.reshape(nl, nc)
    champ = base.copy()
    for dl in range(-rayon, rayon + 1):
        for dc in range(-rayon, rayon + 1):
            distance = pas_m * float(np.hypot(dl, dc))
            if (dl, dc) == (0, 0) or distance > max(marge_m, pas_m):
                continue
            ici = champ[max(dl, 0) : nl + min(dl, 0), max(dc, 0) : nc + min(dc, 0)]
            de = base[max(-dl, 0) : nl + min(-dl, 0), max(-dc, 0) : nc + min(-dc, 0)]
            np.minimum(ici, de + np.int32(distance / vitesse_m_ms), out=ici)
    # Beyond reach the field stays just above the last level: the outline then lies half-way to the last vertex.
    np.minimum(champ, np.int32(min(2 * limite_ms, 2e9)), out=champ)
    xs, ys = ((debut + np.arange(nombre, dtype=np.float64)) * pas_m for debut, nombre in ((c0, nc), (l0, nl)))
    return xs, ys, champ.astype(np.float64)


def _fill(contours: Any, trou_m2: float) -> shapely.MultiPolygon:
    """Polygons of filled contours (`contourpy.FillType.OuterOffset`), holes of up to ``trou_m2`` left out."""
    polygones = []
    for points, debuts in zip(*contours, strict=True):
        anneaux = [points[a:b] for a, b in itertools.pairwise(debuts)]
        polygones.append(shapely.Polygon(anneaux[0], [a for a in anneaux[1:] if _area(a) > trou_m2]))
    # Filling the hole of one polygon may swallow another that lay in it.
    return _multi(shapely.union_all(polygones))


def _area(anneau: F64) -> float:
    """Area enclosed by a closed ring (shoelace formula, from its first vertex to keep the digits)."""
    x, y = (anneau - anneau[0]).T
    return abs(float(x[:-1] @ y[1:] - x[1:] @ y[:-1])) / 2.0


def _multi(geom: shapely.Geometry) -> shapely.MultiPolygon:
    parties = [p for p in shapely.get_parts(geom) if p.geom_type == "Polygon" and p.area > 0]
    return shapely.MultiPolygon(parties)
