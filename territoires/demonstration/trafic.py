"""Traffic between communes on a graph: what makes some roads main ones.

A gravity model gives the trips between every two communes, shortest paths carry them, roads that carry much
become faster and draw more: after a few rounds a hierarchy of axes has formed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

VITESSE_RUE_M_S = 10.0
VITESSE_CAMPAGNE_M_S = 17.0
#: Share of the length that becomes faster after a round, and by how much.
GAINS: tuple[tuple[float, float], ...] = ((0.035, 1.75), (0.12, 1.4), (0.35, 1.12))
#: Communes whose trips are followed without limit; the others' to this time only.
GRANDES = 140
PORTEE_S = 1_700.0
#: Trees held in memory at once.
LOT = 96


def traffic(
    n: int,
    a: I32,
    b: I32,
    duration_s: F64,
    mairie: I64,
    x: F64,
    y: F64,
    population: F64,
    only_large: bool,
    step: Callable[[float], None],
) -> F64:
    """Trips (m,) on each edge, no unit: only their order matters.

    ``mairie`` (k,) nodes of the communes, ``x``, ``y`` (k,) metres and ``population`` (k,) of each; trips go from
    the ``GRANDES`` largest communes to all, and unless ``only_large`` from the others to those around.
    """
    duration = np.round(duration_s * 1000)
    matrix = coo_array((duration, (a, b)), shape=(n, n)).tocsr()
    key = a.astype(np.int64) * n + b
    order = np.argsort(key)
    key_sorted = key[order]
    by_size = np.lexsort((np.arange(len(population)), -population))
    large, small = by_size[:GRANDES], by_size[GRANDES:]
    flow = np.zeros(len(a))
    lots = [(lot, np.inf) for lot in _lots(large)]
    if not only_large:
        lots += [(lot, PORTEE_S * 1000) for lot in _lots(small)]
    # Damped, so that one large town does not draw every main road to itself.
    weight = np.maximum(population, 60.0) ** 0.75
    for done, (lot, limit) in enumerate(lots):
        distance, before = dijkstra(matrix, directed=False, indices=mairie[lot], return_predecessors=True, limit=limit)
        gap2 = (x[lot, None] - x[None, :]) ** 2 + (y[lot, None] - y[None, :]) ** 2
        trips = weight[lot, None] * weight[None, :] / (gap2 + 4.0e6)
        load = np.zeros(distance.shape)
        rows = np.arange(len(lot))
        # Several communes never share a node, so a plain assignment adds nothing twice.
        load[:, mairie] = np.where(np.isfinite(distance[:, mairie]), trips, 0.0)
        load[rows, mairie[lot]] = 0.0
        _sum_up(before, load)
        row, child = np.nonzero((before >= 0) & (load > 0))
        parent = before[row, child].astype(np.int64)
        used = np.minimum(parent, child) * n + np.maximum(parent, child)
        flow += np.bincount(order[np.searchsorted(key_sorted, used)], weights=load[row, child], minlength=len(a))
        step((done + 1) / len(lots))
    return flow


def _lots(rows: I64) -> list[I64]:
    return [rows[k : k + LOT] for k in range(0, len(rows), LOT)]


def _sum_up(before: I32, load: F64) -> None:
    """Add to every node of each shortest-path tree the load of all that hangs below it, in place.

    ``before`` (s, n) parents (negative = none), ``load`` (s, n). Trees are worked from their deepest level up.
    """
    s, n = before.shape
    flat = (before + (np.arange(s, dtype=np.int64) * n)[:, None]).ravel()
    rooted = before.ravel() >= 0
    own = np.arange(s * n)
    depth = rooted.astype(np.int32)
    jump = np.where(rooted, flat, own)
    # Pointer jumping: depths double their reach at each turn.
    while True:
        further = depth + depth[jump]
        if np.array_equal(further, depth):
            break
        depth, jump = further, jump[jump]
    order = np.argsort(depth, kind="stable")
    bounds = np.searchsorted(depth[order], np.arange(1, int(depth.max()) + 2))
    total = load.ravel()
    for level in range(len(bounds) - 1, 0, -1):
        nodes = order[bounds[level - 1] : bounds[level]]
        np.add.at(total, flat[nodes], total[nodes])
    load[:] = total.reshape(s, n)


def faster(duration_s: F64, length: F64, flow: F64) -> F64:
    """Durations (m,) once the roads that carry most have been improved."""
    order = np.lexsort((np.arange(len(flow)), -flow))
    share = np.cumsum(length[order]) / length.sum()
    out = duration_s.copy()
    start = 0.0
    for until, gain in GAINS:
        out[order[(share > start) & (share <= until)]] /= gain
        start = until
    return out
