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

Engines: scipy's Dijkstra (always there, no preparation, the oracle of the others) and a contraction hierarchy on an
order computed once an import: our loops over its elimination tree for large matrices (`geodata.hierarchie`), the
library's search for paths (`geodata.moteur_cch`). `engine_of` chooses by the shape of the question alone.
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
NOEUDS_MIN = 2_000

#: Seconds measured on one core with 140,000 to 200,000 nodes; only their ratios matter. A search by scipy is linear in
#: the nodes; a label and a pair of the hierarchy follow the depth of its tree, about the square root of the nodes.
RECHERCHE_PAR_NOEUD_S = 1.5e-7
ORDRE_PAR_NOEUD_S = 3e-5
PONDERATION_PAR_NOEUD_S = 1e-6
ETIQUETTE_PAR_RACINE_S = 8e-8
PAIRE_PAR_RACINE_S = 2e-10


def engine_of(graphe: Graphe, n_origines: int, n_destinations: int) -> str:
    """``"scipy"`` or ``"hierarchie"`` for a matrix of that shape: the one whose estimated time is less.

    scipy searches the whole network once for each point of the fewer side. The hierarchy works on each point and on
    each pair, after the weight vector has been customized and, the first time an import is used, its order computed
    (then kept in the database). The answer depends on sizes alone, never on the data.
    """
    n = graphe.n
    if n < NOEUDS_MIN:
        return "scipy"
    scipy_s = min(n_origines, n_destinations) * n * RECHERCHE_PAR_NOEUD_S
    hierarchie_s = n * PONDERATION_PAR_NOEUD_S + np.sqrt(n) * (
        (n_origines + n_destinations) * ETIQUETTE_PAR_RACINE_S + n_origines * n_destinations * PAIRE_PAR_RACINE_S
    )
    if graphe.ordre is None:
        hierarchie_s += n * ORDRE_PAR_NOEUD_S
    return "hierarchie" if hierarchie_s < scipy_s else "scipy"


def to_seconds(ms: I32 | I64) -> F32:
    """Integer ms -> float32 seconds, inf where unreachable."""
    return np.where(ms >= INF_MS, np.inf, ms / 1000.0).astype(np.float32)


def travel_times_ms(graphe: Graphe, poids: Poids, origines: Accroches, destinations: Accroches) -> I32:
    """Exact travel times in ms, int32 (n_o, n_d), `INF_MS` = unreachable (points that are not snapped included)."""
    _check(graphe, poids)
    if engine_of(graphe, len(origines), len(destinations)) == "hierarchie":
        # Compiled code: half a second to load, which commands that ask for no large matrix need not wait.
        from geodata import hierarchie

        return hierarchie.matrix_ms(poids, origines, destinations)
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
    prete = graphe.ordre is not None and graphe.n >= NOEUDS_MIN
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
