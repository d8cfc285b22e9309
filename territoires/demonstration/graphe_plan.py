"""A planar graph on given points: a subset of Delaunay's edges, so that straight edges never cross."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import Delaunay
from shapely.geometry.base import BaseGeometry

from .hasard import uniform
from .semis import HAMEAU, Semis

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
B = NDArray[np.bool_]

#: A country road longer than this is kept only where nothing else joins its ends.
LONGUEUR_MAX_M = 5_500.0
#: Two country roads do not leave a point closer than this (28 degrees).
ANGLE_MIN_RAD = 0.49
PART_TRIANGLES_OUVERTS_CAMPAGNE = 0.55
PART_TRIANGLES_OUVERTS_VILLE = 0.92
PART_RUES_OTEES = 0.10
#: Fewer roads cross a limit between départements than any other line.
PART_PASSAGES_OTES = 0.8


def planar_edges(semis: Semis, side: I32, seed: int, emprise: BaseGeometry | None = None) -> tuple[I32, I32]:
    """Ends (m,) of the edges, ``a < b``, sorted; connected and planar.

    Gabriel's edges (no point in the disc on the edge) are kept, most triangles are opened by taking out their
    longest side, a few streets are taken out. Unless the shortest spanning tree, which always stays, needs them, so
    are country edges that run outside ``emprise`` and some of those that join two départements (``side`` (n,)
    tells them apart).
    """
    if semis.n < 3:
        raise ValueError(f"{semis.n} point(s) : il en faut au moins trois pour dessiner un réseau.")
    points = np.column_stack([semis.x, semis.y])
    triangles = Delaunay(points - points.mean(axis=0).round()).simplices.astype(np.int64)
    # Three sides of every triangle, each with the corner that faces it.
    ends = np.concatenate([triangles[:, [1, 2]], triangles[:, [2, 0]], triangles[:, [0, 1]]])
    facing = triangles.T.ravel()
    ends.sort(axis=1)
    key = ends[:, 0] * semis.n + ends[:, 1]
    unique, edge_of_side = np.unique(key, return_inverse=True)
    a, b = unique // semis.n, unique % semis.n
    length = np.sqrt((semis.x[a] - semis.x[b]) ** 2 + (semis.y[a] - semis.y[b]) ** 2)

    pa, pb = points[ends[:, 0]] - points[facing], points[ends[:, 1]] - points[facing]
    wide = (pa * pb).sum(axis=1) < 0
    keep = np.ones(len(unique), dtype=bool)
    keep[edge_of_side[wide]] = False

    street = (semis.genre[a] != HAMEAU) & (semis.genre[b] != HAMEAU) & (semis.commune[a] == semis.commune[b])
    sides = edge_of_side.reshape(3, -1).T
    whole = keep[sides].all(axis=1)
    longest = sides[np.arange(len(sides)), np.argmax(length[sides], axis=1)]
    opened = np.where(street[longest], PART_TRIANGLES_OUVERTS_VILLE, PART_TRIANGLES_OUVERTS_CAMPAGNE)
    xa, ya = (semis.x[a] * 10).astype(np.int64), (semis.y[a] * 10).astype(np.int64)
    xb, yb = (semis.x[b] * 10).astype(np.int64), (semis.y[b] * 10).astype(np.int64)
    draw = uniform(seed, xa + xb, ya + yb, 21)
    keep[longest[whole & (draw[longest] < opened)]] = False
    keep &= ~(street & (uniform(seed, xa + xb, ya + yb, 22) < PART_RUES_OTEES))
    keep &= street | (length < LONGUEUR_MAX_M)
    keep &= (side[a] == side[b]) | (uniform(seed, xa + xb, ya + yb, 23) >= PART_PASSAGES_OTES)
    if emprise is not None:
        keep &= street | _inside(emprise, semis, a, b)
    tree = _spanning_tree(semis.n, a, b, length)
    keep |= tree
    _open_slivers(semis, a, b, length, keep, tree | street)
    return a[keep].astype(np.int32), b[keep].astype(np.int32)


def _open_slivers(semis: Semis, a: NDArray[np.int64], b: NDArray[np.int64], length: F64, keep: B, needed: B) -> None:
    """Take out, in place, the longer of two roads that leave a point almost side by side."""
    for _ in range(4):
        edge = np.flatnonzero(keep)
        start, end = np.concatenate([a[edge], b[edge]]), np.concatenate([b[edge], a[edge]])
        edge = np.concatenate([edge, edge])
        bearing = np.arctan2(semis.y[end] - semis.y[start], semis.x[end] - semis.x[start])
        order = np.lexsort((bearing, start))
        start, edge, bearing = start[order], edge[order], bearing[order]
        # The next road round the same point, the first one following the last.
        first = np.r_[True, start[1:] != start[:-1]]
        group = np.cumsum(first) - 1
        begins = np.flatnonzero(first)
        following = np.arange(1, len(start) + 1)
        following[np.r_[begins[1:], len(start)] - 1] = begins
        angle = (bearing[following] - bearing) % (2 * np.pi)
        alone = np.bincount(group)[group] < 2
        tight = (angle < ANGLE_MIN_RAD) & ~alone
        one, other = edge[tight], edge[following[tight]]
        swap = (length[one] < length[other]) | needed[one]
        out = np.where(swap, other, one)
        out = np.unique(out[~needed[out]])
        if not len(out):
            return
        keep[out] = False


def _inside(emprise: BaseGeometry, semis: Semis, a: NDArray[np.int64], b: NDArray[np.int64]) -> B:
    shapely.prepare(emprise)
    inside = np.ones(len(a), dtype=bool)
    for t in (0.25, 0.5, 0.75):
        x, y = semis.x[a] * (1 - t) + semis.x[b] * t, semis.y[a] * (1 - t) + semis.y[b] * t
        inside &= shapely.contains_xy(emprise, x, y)
    return inside


def _spanning_tree(n: int, a: NDArray[np.int64], b: NDArray[np.int64], length: F64) -> B:
    """Mask (m,) of the edges of the shortest spanning tree (Delaunay's graph contains it)."""
    rank = np.arange(1, len(a) + 1)
    # Weights are ranks by length then by number, so that equal lengths leave no choice to the algorithm.
    weight = np.empty(len(a))
    weight[np.lexsort((rank, length))] = rank
    tree = minimum_spanning_tree(coo_array((weight, (a, b)), shape=(n, n)).tocsr()).tocoo()
    mask = np.zeros(len(a), dtype=bool)
    mask[np.searchsorted(a * n + b, tree.row.astype(np.int64) * n + tree.col)] = True
    return mask
