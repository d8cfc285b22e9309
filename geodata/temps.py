"""Travel times: the façade that every other room calls.

    graphe = geodata.graphe_cache.load_graphe(import_id)         # or Graphe.from_tableaux(reseau)
    poids = graphe.poids("voiture")                              # or graphe.poids("voiture", Scenario.make(fermes=...))
    communes = snap(graphe, x, y, "voiture", limite_m=1000)      # metres of EPSG:2154; see communes.anomalies()
    secondes = travel_times(graphe, poids, communes, sites)      # float32 (n_o, n_d), inf = unreachable
    secondes, rang = nearest(graphe, poids, communes, sites)     # nearest site of each point, -1 = none
    secondes, rang = nearest_nodes(graphe, poids, sites)         # the same for all nodes
    trajet = path(graphe, poids, communes.take([3]), sites.take([0]))   # Trajet or None: line, names, lengths
    aires = isochrones(graphe, poids, sites, [300, 600, 900])    # Isochrone: seuil_s, geom (MultiPolygon), nested

Times are those of the network alone: the access of a point (``Accroches.distance_m`` and ``acces_s``) is kept apart;
`with_access` adds it. All times are sums of int32 milliseconds, the same integers whatever the engine.

Two engines: scipy's Dijkstra (always right, no preparation) and the contraction hierarchy (one sweep an order of
magnitude quicker, but prepared). `engine_of` chooses by the shape of the question alone, never by its data.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geodata import isochrones as _isochrones
from geodata import itineraire, moteur_cch, moteur_scipy
from geodata.accrochage import LIMITE_M, Accroches, Raison, ends, same_edge, snap, snap_nodes
from geodata.graphe import Graphe, Poids
from geodata.isochrones import MARGE_M, TROU_M2, Isochrone
from geodata.itineraire import Etape, Trajet
from geodata.profils import INF_MS, PROFILS, Profil
from geodata.reseau import F32, I32, I64
from geodata.scenario import NORMAL, Scenario

__all__ = [
    "INF_MS",
    "LIMITE_M",
    "NORMAL",
    "PROFILS",
    "Accroches",
    "Etape",
    "Graphe",
    "Isochrone",
    "Poids",
    "Profil",
    "Raison",
    "Scenario",
    "Trajet",
    "engine_of",
    "isochrones",
    "nearest",
    "nearest_nodes",
    "path",
    "snap",
    "snap_nodes",
    "to_seconds",
    "travel_times",
    "travel_times_ms",
    "with_access",
]


#: Below this many nodes scipy answers before a hierarchy would be looked up.
NOEUDS_MIN_CCH = 2_000

#: Searches from which the hierarchy pays: its order known (customization is worth three searches), or to be computed
#: (as long as some 150 searches; later questions find it ready).
RECHERCHES_MIN_CCH = 6
RECHERCHES_MIN_ORDRE = 150


def engine_of(graphe: Graphe, n_origines: int, n_destinations: int) -> str:
    """``"scipy"`` or ``"cch"`` for a matrix of that shape.

    The searches are as many as the fewer side. A sweep of the hierarchy reads the nodes above the points of the other
    side, so with points on more than a quarter of the nodes it is no quicker than a plain search.
    """
    recherches, autres = sorted((n_origines, n_destinations))
    if graphe.n < NOEUDS_MIN_CCH or 4 * autres > graphe.n:
        return "scipy"
    return "cch" if recherches >= (RECHERCHES_MIN_ORDRE if graphe.ordre is None else RECHERCHES_MIN_CCH) else "scipy"


def to_seconds(ms: I32 | I64) -> F32:
    """Integer ms -> float32 seconds, inf where unreachable."""
    return np.where(ms >= INF_MS, np.inf, ms / 1000.0).astype(np.float32)


def travel_times_ms(graphe: Graphe, poids: Poids, origines: Accroches, destinations: Accroches) -> I32:
    """Exact travel times in ms, int32 (n_o, n_d), `INF_MS` = unreachable (points that are not snapped included)."""
    _check(graphe, poids)
    if engine_of(graphe, len(origines), len(destinations)) == "cch":
        return moteur_cch.matrix_ms(poids, origines, destinations)
    return moteur_scipy.matrix_ms(poids, origines, destinations)


def travel_times(graphe: Graphe, poids: Poids, origines: Accroches, destinations: Accroches) -> F32:
    """Travel times in seconds, float32 (n_o, n_d), inf = unreachable. Raises ValueError if poids is another graph's."""
    return to_seconds(travel_times_ms(graphe, poids, origines, destinations))


def with_access(secondes: F32, origines: Accroches, destinations: Accroches) -> F32:
    """The same matrix with the access at both ends added."""
    return (secondes + origines.acces_s[:, None] + destinations.acces_s[None, :]).astype(np.float32)


def nearest_nodes(graphe: Graphe, poids: Poids, sites: Accroches, *, vers: bool = True) -> tuple[F32, I32]:
    """Time from every node to its nearest site, float32 seconds (n,), and that site, int32 (n,) (-1 = none).

    ``vers=False``: from the sites to the nodes. Between equal sites the choice is one of them, always the same.
    """
    _check(graphe, poids)
    ms, rang = moteur_scipy.nearest_field(poids, sites, vers=vers)
    return to_seconds(ms), rang


def nearest(graphe: Graphe, poids: Poids, points: Accroches, sites: Accroches, *, vers: bool = True) -> tuple[F32, I32]:
    """Nearest site of each of p points: float32 seconds (p,) and position of the site, int32 (p,) (-1 = none).

    ``vers``: travel from the point to the site, else from the site to the point.
    """
    ms, rang = nearest_ms(graphe, poids, points, sites, vers=vers)
    return to_seconds(ms), rang


def nearest_ms(
    graphe: Graphe, poids: Poids, points: Accroches, sites: Accroches, *, vers: bool = True
) -> tuple[I64, I32]:
    """`nearest` in exact ms, int64 (p,)."""
    _check(graphe, poids)
    champ, label = moteur_scipy.nearest_field(poids, sites, vers=vers)
    noeuds, bout = ends(poids, points, arrivee=not vers)
    total = np.minimum(champ[noeuds].astype(np.int64) + bout, int(INF_MS))
    total[(bout == INF_MS) | (champ[noeuds] == INF_MS)] = int(INF_MS)
    colonne = np.argmin(total, axis=1)
    lignes = np.arange(len(points))
    ms = total[lignes, colonne]
    rang = np.where(ms < INF_MS, label[noeuds[lignes, colonne]], -1).astype(np.int32)
    if vers:
        i, j, direct = same_edge(poids, points, sites)
    else:
        j, i, direct = same_edge(poids, sites, points)
    # Several sites may share the point's edge: the quickest, then the first.
    ordre = np.lexsort((j, direct, i))
    i, j, direct = i[ordre], j[ordre], direct[ordre]
    premier = np.ones(len(i), dtype=np.bool_)
    premier[1:] = i[1:] != i[:-1]
    i, j, direct = i[premier], j[premier], direct[premier]
    mieux = direct < ms[i]
    ms[i[mieux]] = direct[mieux]
    rang[i[mieux]] = j[mieux]
    return ms, rang


def path(graphe: Graphe, poids: Poids, origine: Accroches, destination: Accroches) -> Trajet | None:
    """Quickest way between two single points with its line, length and road names; None where there is none.

    By the hierarchy when its order is known, else by scipy. Raises ValueError when either is not exactly one point.
    """
    _check(graphe, poids)
    prete = graphe.ordre is not None and graphe.n >= NOEUDS_MIN_CCH
    return itineraire.path(poids, origine, destination, (moteur_cch if prete else moteur_scipy).path_arcs)


def isochrones(
    graphe: Graphe,
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
    """Areas within each of some times of the sites; see `geodata.isochrones.isochrones`."""
    _check(graphe, poids)
    return _isochrones.isochrones(
        poids, sites, seuils_s, vers=vers, pas_m=pas_m, marge_m=marge_m, trou_m2=trou_m2, anneaux=anneaux
    )


def _check(graphe: Graphe, poids: Poids) -> None:
    if poids.graphe is not graphe:
        raise ValueError("poids d'un autre graphe")
