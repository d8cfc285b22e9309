"""Generated instances: street grids bent at random, with several depots, too large for the published sets.

Same seed, same instance on any machine. Salt needed is proportional to length, as on roads.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from benchmarks.carp_lecture import GrapheCarp
from routes.probleme import F64, I32

#: Side of a block before bending, in units of length.
_COTE = 100.0
#: Part of a block's side that a crossing may be moved by.
_COURBURE = 0.35


def make_grid(
    columns: int, rows: int, required: int, depots: int, trucks: int, slack: float, seed: int
) -> tuple[GrapheCarp, I32]:
    """A bent grid of streets of which ``required`` are to be treated, and the home (node) of each truck (trucks,).

    Depots lie far from each other; trucks live where the streets to treat are. Trucks hold ``slack`` times their equal
    share of what is needed, so plans exist but few trucks have room to spare. Raises ValueError where the grid has
    fewer streets than asked.
    """
    rng = np.random.default_rng(seed)
    nodes = columns * rows
    x, y = np.meshgrid(np.arange(columns), np.arange(rows))
    xy = _COTE * (np.stack([x.ravel(), y.ravel()], axis=1) + rng.uniform(-_COURBURE, _COURBURE, (nodes, 2)))
    number = np.arange(nodes, dtype=np.int32).reshape(rows, columns)
    ends = np.concatenate(
        [
            np.stack([number[:, :-1].ravel(), number[:, 1:].ravel()], axis=1),
            np.stack([number[:-1].ravel(), number[1:].ravel()], axis=1),
        ]
    )
    if required > len(ends):
        raise ValueError(f"{len(ends)} rues, {required} demandées")
    detour = rng.uniform(1.0, 1.3, len(ends))
    cost = np.maximum(1.0, np.rint(detour * np.hypot(*(xy[ends[:, 0]] - xy[ends[:, 1]]).T)))
    demand = np.zeros(len(ends))
    chosen = rng.choice(len(ends), required, replace=False)
    demand[chosen] = cost[chosen]
    places = _spread(xy, depots, rng)
    graph = GrapheCarp(
        name=f"grille-{required}",
        labels=tuple(str(i) for i in range(nodes)),
        ends=ends.astype(np.int32),
        cost=cost,
        demand=demand,
        one_way=np.zeros(len(ends), dtype=np.bool_),
        depots=places,
        capacity=float(np.ceil(slack * demand.sum() / trucks)),
        xy=xy,
    )
    return graph, _homes(graph, trucks)


def _spread(xy: F64, count: int, rng: np.random.Generator) -> I32:
    """Nodes far from each other: a first one near the middle, then each the farthest of 30 drawn from those taken."""
    taken = [int(np.argmin(np.hypot(*(xy - xy.mean(axis=0)).T)))]
    while len(taken) < count:
        drawn = rng.choice(len(xy), min(30, len(xy)), replace=False)
        far = np.min(np.hypot(*(xy[drawn][:, None] - xy[taken][None]).transpose(2, 0, 1)), axis=1)
        taken.append(int(drawn[np.argmax(far)]))
    return np.array(sorted(taken), dtype=np.int32)


def _homes(graph: GrapheCarp, trucks: int) -> I32:
    """(trucks,) homes: at least one truck a depot, the others in turn where most salt is needed a truck. A street
    belongs to the depot nearest to its first end."""
    n = len(graph.labels)
    both = np.concatenate([graph.ends, graph.ends[:, ::-1]])
    near = dijkstra(
        csr_array((np.tile(graph.cost, 2), (both[:, 0], both[:, 1])), shape=(n, n)), indices=graph.depots
    ).argmin(axis=0)
    need = np.bincount(near[graph.ends[:, 0]], weights=graph.demand, minlength=len(graph.depots))
    count = np.ones(len(graph.depots), dtype=np.int64)
    for _ in range(trucks - len(graph.depots)):
        count[np.argmax(need / count)] += 1
    return np.repeat(graph.depots, count)[:trucks].astype(np.int32)


#: Instances of the bench, by name.
GRILLES: dict[str, Callable[[], tuple[GrapheCarp, I32]]] = {
    "grille-1000": lambda: make_grid(26, 26, 1_000, depots=1, trucks=44, slack=1.05, seed=1_000),
    "grille-3000": lambda: make_grid(44, 44, 3_000, depots=46, trucks=110, slack=1.05, seed=3_000),
}
