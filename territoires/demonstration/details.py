"""What is added to the drawn network: dead-end lanes, bridges, roundabouts, one-way streets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree

from geodata.classes import Classe

from .hasard import relief, uniform
from .hierarchie import Aretes
from .semis import MAIRIE, Semis

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

PART_DESSERTES = 0.13
PART_PONTS = 0.035
PART_GIRATOIRES = 0.28
PART_SENS_UNIQUES = 0.16
RAYON_GIRATOIRE_M = 18.0
#: A roundabout's branches leave it at least this far apart (radians).
ECART_BRANCHES = 0.6
#: One-way streets are for towns of so many inhabitants.
HABITANTS_SENS_UNIQUE = 4_000


class Genre(IntEnum):
    """What a piece is, where it is not a plain stretch of an edge of the graph."""

    ROUTE = 0
    DESSERTE = 1
    GIRATOIRE = 2
    RAPIDE = 3
    BRETELLE = 4


@dataclass(frozen=True)
class Piece:
    """One edge of the finished network.

    ``arete`` is the edge of the graph it comes from or belongs to (-1: none) and ``abscisse`` orders the pieces of
    one edge; ``groupe`` tells the lane, ring or carriageway of the other kinds.
    """

    source: int
    cible: int
    ligne: F64
    arete: int
    abscisse: float
    pont: bool = False
    sens_unique: bool = False
    genre: Genre = Genre.ROUTE
    groupe: int = 0


@dataclass
class Ouvrage:
    """The network while it is being finished: nodes (metres) and pieces."""

    x: list[float]
    y: list[float]
    pieces: list[Piece] = field(default_factory=list)

    def node(self, point: F64) -> int:
        self.x.append(float(point[0]))
        self.y.append(float(point[1]))
        return len(self.x) - 1


def finish(
    semis: Semis, aretes: Aretes, classe: NDArray[np.int8], lignes: list[F64], population: NDArray[np.int64], seed: int
) -> Ouvrage:
    """Pieces of the whole network. ``population`` (k,) by commune decides where streets are one-way."""
    work = Ouvrage(x=semis.x.tolist(), y=semis.y.tolist())
    lanes = _lanes(semis, aretes, classe, lignes, seed)
    country = ~aretes.rue & (aretes.longueur_m > 500)
    draw = uniform(seed, *_keys(semis, aretes), 61)
    for e, line in enumerate(lignes):
        a, b = int(aretes.a[e]), int(aretes.b[e])
        if e in lanes:
            rank, lane = lanes[e]
            middle, tip = work.node(line[rank]), work.node(lane[-1])
            work.pieces.append(Piece(a, middle, line[: rank + 1], e, 0.0))
            work.pieces.append(Piece(middle, b, line[rank:], e, 1.0))
            work.pieces.append(Piece(middle, tip, lane, e, 0.0, genre=Genre.DESSERTE, groupe=e))
        elif country[e] and draw[e] < PART_PONTS:
            _bridge(work, line, a, b, e)
        else:
            work.pieces.append(Piece(a, b, line, e, 0.0))
    _one_way(semis, aretes, classe, population, work, seed)
    _roundabouts(semis, aretes, classe, work, seed)
    return work


def _keys(semis: Semis, aretes: Aretes) -> tuple[I64, I64]:
    """Integers that tell an edge by its place, whatever else is drawn."""
    x, y = semis.x[aretes.a] + semis.x[aretes.b], semis.y[aretes.a] + semis.y[aretes.b]
    return np.round(x * 10).astype(np.int64), np.round(y * 10).astype(np.int64)


def _lanes(
    semis: Semis, aretes: Aretes, classe: NDArray[np.int8], lignes: list[F64], seed: int
) -> dict[int, tuple[int, F64]]:
    """Dead-end lanes to farms: edge -> (vertex it leaves from, its own vertices); they meet nothing else."""
    kx, ky = _keys(semis, aretes)
    lesser = (classe == int(Classe.LOCALE)) | (classe == int(Classe.TERTIAIRE))
    chosen = np.flatnonzero(
        ~aretes.rue & lesser & (aretes.longueur_m > 600) & (uniform(seed, kx, ky, 62) < PART_DESSERTES)
    )
    proposed: list[tuple[int, int, F64, F64]] = []
    for e in chosen.tolist():
        line = lignes[e]
        if len(line) < 5:
            continue
        draws = uniform(seed, kx[e], ky[e], 63, np.arange(5))
        rank = 1 + int((0.3 + 0.4 * draws[0]) * (len(line) - 2))
        along = line[rank + 1] - line[rank - 1]
        side = np.array([-along[1], along[0]]) / np.sqrt((along**2).sum()) * (1.0 if draws[1] < 0.5 else -1.0)
        length = 150.0 + 450.0 * draws[2]
        bend = np.array([side[1], -side[0]]) * length * 0.35 * (draws[3] - 0.5)
        steps = np.linspace(0.0, 1.0, 5)[:, None]
        lane = np.round(line[rank] + side * length * steps + bend * 4 * steps * (steps - 0.6), 1)
        lane[0] = line[rank]
        proposed.append((e, rank, lane, np.vstack([lane[1:], lane[-1] + (lane[-1] - lane[-2])])))
    if not proposed:
        return {}
    drawn = shapely.linestrings(
        np.concatenate(lignes), indices=np.repeat(np.arange(len(lignes)), [len(line) for line in lignes])
    )
    # What must stay clear: the lane beyond its first stretch, with room around and ahead of it.
    room = shapely.buffer(shapely.linestrings([far for *_, far in proposed]), 25.0)
    blocked = {int(k) for k in shapely.STRtree(drawn).query(room, predicate="intersects")[0]}
    first = shapely.linestrings([lane[:2] for _, _, lane, _ in proposed])
    one, other = shapely.STRtree(drawn).query(first, predicate="intersects")
    own = np.array([p[0] for p in proposed])
    blocked |= set(one[other != own[one]].tolist())
    crosses_own = shapely.crosses(first, drawn[own])
    blocked |= set(np.flatnonzero(crosses_own).tolist())
    one, other = shapely.STRtree(room).query(room, predicate="intersects")
    for k, j in sorted(zip(one.tolist(), other.tolist(), strict=True)):
        if k < j and k not in blocked:
            blocked.add(j)
    return {e: (rank, lane) for k, (e, rank, lane, _) in enumerate(proposed) if k not in blocked}


def _bridge(work: Ouvrage, line: F64, a: int, b: int, e: int) -> None:
    """Three pieces, the middle one (12 to 60 m) on a bridge."""
    shape = shapely.linestrings(line)
    length = float(shapely.length(shape))
    span = 12.0 + 48.0 * float(uniform(int(line[0][0] * 10), int(line[-1][1] * 10), 64)[0])
    cuts = [0.0, length / 2 - span / 2, length / 2 + span / 2, length]
    along = np.r_[0.0, np.cumsum(np.sqrt((np.diff(line, axis=0) ** 2).sum(axis=1)))]
    ends = [line[0], *(np.round(_at(line, along, s), 1) for s in cuts[1:3]), line[-1]]
    nodes = [a, work.node(ends[1]), work.node(ends[2]), b]
    for k in range(3):
        inner = line[(along > cuts[k] + 1.0) & (along < cuts[k + 1] - 1.0)] if k != 1 else line[:0]
        piece = np.vstack([ends[k], inner, ends[k + 1]])
        work.pieces.append(Piece(nodes[k], nodes[k + 1], piece, e, float(k), pont=k == 1))


def _at(line: F64, along: F64, s: float) -> F64:
    return np.array([np.interp(s, along, line[:, 0]), np.interp(s, along, line[:, 1])])


def _one_way(
    semis: Semis,
    aretes: Aretes,
    classe: NDArray[np.int8],
    population: NDArray[np.int64],
    work: Ouvrage,
    seed: int,
) -> None:
    """One-way streets, chosen among those a two-way spanning tree does without: all stays within reach of all."""
    small = classe >= int(Classe.RESIDENTIELLE)
    town = population[semis.commune[aretes.a]] >= HABITANTS_SENS_UNIQUE
    draw = uniform(seed, *_keys(semis, aretes), 65)
    # Streets weigh more than roads, so that the tree uses a street only where it must.
    weight = np.where(small, 2.0, 1.0) + draw / 2
    tree = minimum_spanning_tree(coo_array((weight, (aretes.a, aretes.b)), shape=(semis.n, semis.n)).tocsr()).tocoo()
    needed = set((tree.row.astype(np.int64) * semis.n + tree.col).tolist())
    key = aretes.a.astype(np.int64) * semis.n + aretes.b
    for k, piece in enumerate(work.pieces):
        e = piece.arete
        if not (aretes.rue[e] and small[e] and town[e]) or draw[e] >= PART_SENS_UNIQUES or int(key[e]) in needed:
            continue
        work.pieces[k] = replace(piece, sens_unique=True)


def _roundabouts(semis: Semis, aretes: Aretes, classe: NDArray[np.int8], work: Ouvrage, seed: int) -> None:
    """Replace some crossings of numbered roads by a one-way ring, turned anticlockwise."""
    at: dict[int, list[tuple[int, bool]]] = {}
    for k, piece in enumerate(work.pieces):
        at.setdefault(piece.source, []).append((k, True))
        at.setdefault(piece.cible, []).append((k, False))
    x = np.round(semis.x * 10).astype(np.int64)
    y = np.round(semis.y * 10).astype(np.int64)
    draw = uniform(seed, x, y, 66)
    flat = relief(semis.x, semis.y, seed) < 0.75
    for node in range(semis.n):
        branches = at.get(node, [])
        levels = sorted(int(classe[work.pieces[k].arete]) for k, _ in branches)
        if (
            len(branches) < 3
            or semis.genre[node] == MAIRIE
            or draw[node] >= PART_GIRATOIRES
            or not flat[node]
            or levels[0] > int(Classe.SECONDAIRE)
            or levels[2] > int(Classe.TERTIAIRE)
        ):
            continue
        _ring(work, node, branches, min(levels))


def _ring(work: Ouvrage, node: int, branches: list[tuple[int, bool]], level: int) -> None:
    centre = np.array([work.x[node], work.y[node]])
    radius = RAYON_GIRATOIRE_M if level <= int(Classe.PRIMAIRE) else RAYON_GIRATOIRE_M - 4
    cut: list[tuple[float, int, bool, F64]] = []
    for k, leaves in branches:
        piece = work.pieces[k]
        trimmed = _trim(piece.ligne if leaves else piece.ligne[::-1], centre, radius)
        if trimmed is None or piece.sens_unique or piece.pont:
            return
        bearing = float(np.arctan2(trimmed[0][1] - centre[1], trimmed[0][0] - centre[0]))
        cut.append((bearing, k, leaves, trimmed))
    cut.sort(key=lambda c: (c[0], c[1]))
    gaps = [(cut[(i + 1) % len(cut)][0] - c[0]) % (2 * np.pi) for i, c in enumerate(cut)]
    if min(gaps) < ECART_BRANCHES:
        return
    # The first branch keeps the crossing's own node, moved on to the ring.
    nodes = []
    for i, (_, k, leaves, trimmed) in enumerate(cut):
        if i == 0:
            work.x[node], work.y[node] = float(trimmed[0][0]), float(trimmed[0][1])
            nodes.append(node)
        else:
            nodes.append(work.node(trimmed[0]))
        piece = work.pieces[k]
        if leaves:
            work.pieces[k] = replace(piece, source=nodes[-1], ligne=trimmed)
        else:
            work.pieces[k] = replace(piece, cible=nodes[-1], ligne=trimmed[::-1].copy())
    for i, (bearing, k, _, trimmed) in enumerate(cut):
        j = (i + 1) % len(cut)
        steps = max(2, int(gaps[i] / 0.45) + 1)
        angle = bearing + np.linspace(0.0, gaps[i], steps + 1)
        arc = np.round(centre + radius * np.column_stack([np.cos(angle), np.sin(angle)]), 1)
        arc[0], arc[-1] = trimmed[0], cut[j][3][0]
        edge = work.pieces[k].arete
        work.pieces.append(
            Piece(nodes[i], nodes[j], arc, edge, float(i), sens_unique=True, genre=Genre.GIRATOIRE, groupe=node)
        )


def _trim(line: F64, centre: F64, radius: float) -> F64 | None:
    """The line from where it leaves the circle on; None where it is too short or comes back."""
    gap = np.sqrt(((line - centre) ** 2).sum(axis=1))
    out = np.flatnonzero(gap > radius + 5.0)
    if not len(out) or (gap[out[0] :] < radius + 5.0).any():
        return None
    first = int(out[0])
    p, q = line[first - 1], line[first]
    low, high = 0.0, 1.0
    for _ in range(40):
        t = (low + high) / 2
        low, high = (t, high) if ((p + t * (q - p) - centre) ** 2).sum() < radius**2 else (low, t)
    return np.vstack([np.round(p + high * (q - p), 1), line[first:]])
