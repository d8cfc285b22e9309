"""The always-present engine, and the oracle of the other one: scipy's Dijkstra on the CSR of a weight vector.

Pure module. Each point becomes a node of its own, appended to the graph with an entry for each way out of it, so that
one search serves a point wherever it lies on its edge. Weights are integers held in float64: sums below 2^53 ms are
exact.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geodata.accrochage import Accroches, ends, same_edge
from geodata.graphe import Poids
from geodata.profils import INF_MS
from geodata.reseau import F64, I32

#: Bytes of distances held at a time by a matrix.
MEMOIRE_OCTETS = 128 * 2**20


def extended(matrice: csr_array, noeuds: I32, ms: I32) -> csr_array:
    """The graph with one more node a point (n + i), joined to ``noeuds[i, :]`` in ``ms[i, :]`` (closed: `INF_MS`)."""
    n = matrice.shape[0]
    ouvert = ms != INF_MS
    # Both ways out of a loop lead to one node: one entry, the least.
    double = ouvert.all(axis=1) & (noeuds[:, 0] == noeuds[:, 1])
    ms = ms.copy()
    ms[double, 0] = ms[double].min(axis=1)
    ouvert[double, 1] = False
    fin = matrice.indptr[-1] + np.cumsum(ouvert.sum(axis=1))
    etendue = csr_array(
        (
            np.concatenate([matrice.data, ms[ouvert].astype(np.float64)]),
            np.concatenate([matrice.indices, noeuds[ouvert]]),
            np.concatenate([matrice.indptr, fin.astype(np.int32)]),
        ),
        shape=(n + len(ms), n + len(ms)),
    )
    # Rows hold no duplicates; said here so that scipy never sums or sorts (a zero entry must stay an edge).
    etendue.has_canonical_format = True
    return etendue


def _fields(poids: Poids, points: Accroches, *, arrivee: bool) -> Iterator[tuple[slice, F64]]:
    """Times from (or, with ``arrivee``, to) every point and each node, by blocks (positions, (block, n) ms)."""
    g = poids.graphe
    matrice = poids.csr_transposee if arrivee else poids.csr
    etendue = extended(matrice, *ends(poids, points, arrivee=arrivee))
    pas = max(1, MEMOIRE_OCTETS // (8 * etendue.shape[0]))
    for debut in range(0, len(points), pas):
        bloc = slice(debut, min(debut + pas, len(points)))
        yield bloc, dijkstra(etendue, indices=np.arange(g.n + bloc.start, g.n + bloc.stop))[:, : g.n]


def matrix_ms(poids: Poids, origines: Accroches, destinations: Accroches) -> I32:
    """Travel times in ms, int32 (n_o, n_d), `INF_MS` = unreachable. Searches start from the fewer side."""
    inverse = len(destinations) < len(origines)
    points, autres = (destinations, origines) if inverse else (origines, destinations)
    noeuds, ms = ends(poids, autres, arrivee=not inverse)
    reste = np.where(ms == INF_MS, np.inf, ms)
    resultat = np.full((len(points), len(autres)), np.inf)
    for bloc, champ in _fields(poids, points, arrivee=inverse):
        resultat[bloc] = np.minimum(champ[:, noeuds[:, 0]] + reste[:, 0], champ[:, noeuds[:, 1]] + reste[:, 1])
    entiers = to_int(resultat.T if inverse else resultat)
    i, j, direct = same_edge(poids, origines, destinations)
    np.minimum.at(entiers, (i, j), direct.astype(np.int32))
    return entiers


def to_int(ms: F64) -> I32:
    """float64 ms -> int32, `INF_MS` where unreachable (or beyond 24 days)."""
    return np.where(ms < float(INF_MS), ms, float(INF_MS)).astype(np.int32)


def nearest_field(poids: Poids, sites: Accroches, *, vers: bool, limite_ms: float = np.inf) -> tuple[I32, I32]:
    """Time in ms (n,) int32 from each node to its nearest site (``vers``) or from it, and that site (n,) int32 or -1.

    One search for all sites: the label of the site is carried along.
    """
    g = poids.graphe
    matrice = poids.csr_transposee if vers else poids.csr
    etendue = extended(matrice, *ends(poids, sites, arrivee=vers))
    if len(sites) == 0:
        return np.full(g.n, INF_MS, dtype=np.int32), np.full(g.n, -1, dtype=np.int32)
    ms, _, origine = dijkstra(
        etendue,
        indices=np.arange(g.n, g.n + len(sites)),
        min_only=True,
        return_predecessors=True,
        limit=limite_ms,
    )
    entiers = to_int(ms[: g.n])
    return entiers, np.where(entiers != INF_MS, origine[: g.n] - g.n, -1).astype(np.int32)


def path_arcs(poids: Poids, origine: Accroches, destination: Accroches) -> tuple[int, I32, int, int]:
    """Quickest way between two single points through nodes: (ms, whole arcs in order, exit column, entry column).

    Columns are those of `geodata.accrochage.ends`. (`INF_MS`, empty, -1, -1) where there is no way. A trip that stays
    on one edge is not looked at here.
    """
    g = poids.graphe
    n_dep, ms_dep = ends(poids, origine, arrivee=False)
    n_arr, ms_arr = ends(poids, destination, arrivee=True)
    etendue = extended(poids.csr, n_dep, ms_dep)
    ms, avant = dijkstra(etendue, indices=g.n, return_predecessors=True)
    total = np.where(ms_arr[0] == INF_MS, np.inf, ms[n_arr[0]] + ms_arr[0])
    entree = int(np.argmin(total))
    if not total[entree] < float(INF_MS):
        return int(INF_MS), np.zeros(0, dtype=np.int32), -1, -1
    noeuds: list[int] = [int(n_arr[0, entree])]
    while avant[noeuds[-1]] != g.n:
        noeuds.append(int(avant[noeuds[-1]]))
    noeuds.reverse()
    suite = np.asarray(noeuds, dtype=np.int32)
    arcs = g.arc_between(poids, suite[:-1], suite[1:])
    sorties = np.where(
        (n_dep[0] == suite[0]) & (ms_dep[0] != INF_MS), ms_dep[0].astype(np.int64), np.iinfo(np.int64).max
    )
    return int(total[entree]), arcs, int(np.argmin(sorties)), entree
