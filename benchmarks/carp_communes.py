"""Generated salting cases in the public format: streets and lanes of a municipality, dead ends and one-ways included.

Same arguments, same case on any machine. Lengths are in km, times in minutes at one speed, salt in litres.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial import Delaunay

from benchmarks.carp_salage import case_of
from routes.probleme import F64, I32

_KM_H = 65.0
#: Litres a m².
_DOSE_L = 0.03
#: Roads for one crossing or end.
_ROADS_A_NODE = 1.4


def make_case(
    roads: int,
    vehicles: int,
    depots: int,
    seed: int,
    one_way: float = 0.1,
    required: float = 0.95,
    visits: float = 3.0,
    refill: float = 1.0,
    slack: float = 2.5,
) -> dict[str, Any]:
    """Fields of a case with about so many roads.

    ``one_way``: share of the roads to salt in a given direction (half of them can still be driven the other way);
    ``required``: share to be salted; ``visits``: loads that one vehicle needs for its share; ``refill``: what a depot
    gives, in capacities. A route may last ``slack`` times a vehicle's share of driving every road once. U-turns: at
    dead ends and at one crossing in twenty. Every road to salt can be reached and left.
    """
    rng = np.random.default_rng(seed)
    xy, pairs = _streets(max(6, round(roads / _ROADS_A_NODE)), roads, rng)
    km = np.maximum(
        0.02, np.round(np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T) * rng.uniform(1, 1.2, len(pairs)), 3)
    )
    wide = rng.uniform(4.0, 8.0, len(pairs))
    salt = np.round(km * 1000 * wide * _DOSE_L, 1)
    degree = np.bincount(pairs.ravel(), minlength=len(xy))
    kinds = np.where(rng.random(len(pairs)) < required, "E_R", "A").astype(object)
    inner = (degree[pairs] > 1).all(axis=1)
    kinds[(kinds == "E_R") & inner & (rng.random(len(pairs)) < one_way)] = "A_R"
    both_ways = rng.random(len(pairs)) < 0.5
    nodes = rng.permutation(len(xy))
    share = float(salt[kinds != "A"].sum()) / vehicles
    capacity = round(max(share / visits, 1.05 * float(salt.max())), 1)
    home = nodes[depots : depots + vehicles]
    fields: dict[str, Any] = {
        "name": f"commune-{roads}-{seed}",
        "max_time": round(slack * float(km.sum()) / vehicles / _KM_H * 60, 1),
        "nodes": [
            {"label": str(i), "position": [round(float(x), 3), round(float(y), 3)]} for i, (x, y) in enumerate(xy)
        ],
        "vehicles": [{"id": str(k + 1), "home": str(h), "capacity": capacity} for k, h in enumerate(home)],
        "depots": [{"label": str(d), "refill": round(refill * capacity, 1)} for d in nodes[:depots]],
        "U": [{"label": str(i)} for i in range(len(xy)) if degree[i] == 1 or rng.random() < 0.05],
    }
    while True:
        fields |= _ways(pairs, km, salt, kinds, both_ways)
        lost = _lost(fields, kinds)
        if not len(lost):
            return fields
        # One-ways that cut roads off are opened, then, should headings still do, trucks may turn anywhere.
        closed = np.flatnonzero((kinds == "A_R") & ~both_ways)
        both_ways[closed[: max(1, len(closed) // 2)]] = True
        if not len(closed):
            fields["U"] = [{"label": str(i)} for i in range(len(xy))]


def _streets(count: int, roads: int, rng: np.random.Generator) -> tuple[F64, I32]:
    """Crossings (N, 2) in km and planar roads (m, 2): a spanning tree of short ones and the shortest others, a few
    passed over."""
    xy = rng.uniform(0, np.sqrt(count) * 0.9, (count, 2))
    triangles = Delaunay(xy).simplices
    pairs = np.unique(
        np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]]), axis=1), axis=0
    )
    length = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T)
    tree = minimum_spanning_tree(csr_array((length, (pairs[:, 0], pairs[:, 1])), shape=(count, count))).tocoo()
    in_tree = np.isin(pairs @ [count, 1], np.stack([tree.row, tree.col], axis=1) @ [count, 1])
    others = np.flatnonzero(~in_tree)
    rank = others[np.argsort(length[others] * rng.uniform(0.6, 1.4, len(others)))]
    kept = np.sort(np.concatenate([np.flatnonzero(in_tree), rank[: max(0, roads - int(in_tree.sum()))]]))
    return xy, pairs[kept].astype(np.int32)


def _ways(pairs: I32, km: F64, salt: F64, kinds: Any, both_ways: Any) -> dict[str, list[dict[str, Any]]]:
    ways: dict[str, list[dict[str, Any]]] = {"A": [], "A_R": [], "E_R": []}
    for (i, j), length, dose, kind, both in zip(pairs.tolist(), km, salt, kinds, both_ways, strict=True):
        drive = {"time": round(float(length) / _KM_H * 60, 4), "len": float(length)}
        if kind == "E_R":
            ways["E_R"].append({"edge": [str(i), str(j)], **drive, "dem": float(dose)})
            continue
        if kind == "A_R":
            ways["A_R"].append({"arc": [str(i), str(j)], **drive, "dem": float(dose)})
        else:
            ways["A"].append({"arc": [str(i), str(j)], **drive})
        if kind == "A" or both:
            ways["A"].append({"arc": [str(j), str(i)], **drive})
    return ways


def _lost(fields: dict[str, Any], kinds: Any) -> I32:
    """Roads to salt outside the largest part of the network where a truck can go round for ever."""
    case = case_of(fields)
    count, part = connected_components(case.line_graph, connection="strong")
    main = int(np.argmax(np.bincount(part, minlength=count)))
    inside = part[len(case.tail) : 2 * len(case.tail)] == main
    reach = np.array([any(inside[arc] for arc in arcs if arc >= 0) for arcs in case.arcs.tolist()], dtype=np.bool_)
    return np.flatnonzero(~reach).astype(np.int32)
