"""How roads are drawn: smooth along a road, winding in the hills, and never across one another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.classes import Classe

from .hasard import relief, uniform
from .hierarchie import Aretes
from .numeros import Noms
from .semis import HAMEAU, Semis

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
B = NDArray[np.bool_]

#: How much a road of each class winds, against a lane in the hills.
SOUPLESSE = {Classe.PRIMAIRE: 0.3, Classe.SECONDAIRE: 0.5, Classe.TERTIAIRE: 0.8, Classe.LOCALE: 1.0}
ONDE_M = 300.0
PAS_SOMMETS_M = 36.0
TOLERANCE_M = 1.5
#: Bends are flattened in these steps until nothing crosses.
APLATIR = (1.0, 0.55, 0.2, 0.0)


def relax(semis: Semis, aretes: Aretes) -> Semis:
    """Pull the crossings of busy country roads between their neighbours, so that these roads run straighter.

    A crossing that would make two roads cross goes back to where it was.
    """
    a, b = aretes.a, aretes.b
    order = np.lexsort((np.arange(len(a)), -aretes.flux))
    busy = np.zeros(len(a))
    busy[order] = 1 - np.arange(len(a)) / len(a)
    weight = busy**6 + 1e-3
    free = semis.genre == HAMEAU
    pull = np.zeros(semis.n)
    np.maximum.at(pull, a, busy)
    np.maximum.at(pull, b, busy)
    pull = np.where(free, 0.6 * np.clip((pull - 0.4) / 0.4, 0, 1), 0.0)
    x, y = semis.x.copy(), semis.y.copy()
    total = np.bincount(a, weight, semis.n) + np.bincount(b, weight, semis.n) + 1e-12
    for _ in range(5):
        for z in (x, y):
            mean = (np.bincount(a, weight * z[b], semis.n) + np.bincount(b, weight * z[a], semis.n)) / total
            z += pull * (mean - z)
    x, y = np.round(x, 1), np.round(y, 1)
    for _ in range(30):
        wrong = _crossing(_straight(x, y, a, b))
        if not wrong.any():
            break
        back = np.concatenate([a[wrong], b[wrong]])
        x[back], y[back] = semis.x[back], semis.y[back]
    else:
        x, y = semis.x, semis.y
    return Semis(x=x, y=y, genre=semis.genre, commune=semis.commune)


def _straight(x: F64, y: F64, a: NDArray[np.int32], b: NDArray[np.int32]) -> list[F64]:
    return list(np.stack([np.column_stack([x[a], y[a]]), np.column_stack([x[b], y[b]])], axis=1))


def _crossing(lines: list[F64], asked: I64 | None = None) -> B:
    """Mask of the lines that cross another or lie on a part of it; a common end is no crossing.

    With ``asked``, only pairs with one of these lines are looked at.
    """
    shapes = shapely.linestrings(
        np.concatenate(lines), indices=np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    )
    tree = shapely.STRtree(shapes)
    wrong = np.zeros(len(lines), dtype=bool)
    asked = np.arange(len(lines)) if asked is None else asked
    for predicate in ("crosses", "overlaps"):
        one, other = tree.query(shapes[asked], predicate=predicate)
        wrong[asked[one]] = True
        wrong[other] = True
    return wrong


def draw(
    semis: Semis, aretes: Aretes, classe: NDArray[np.int8], noms: Noms, seed: int, step: Callable[[float], None]
) -> list[F64]:
    """Vertices (k, 2) of each edge from ``a`` to ``b``, metres rounded to 0.1 m; no two lines cross."""
    m = len(aretes.a)
    start, end = _tangents(semis, aretes, noms)
    middle_x, middle_y = (semis.x[aretes.a] + semis.x[aretes.b]) / 2, (semis.y[aretes.a] + semis.y[aretes.b]) / 2
    hills = relief(middle_x, middle_y, seed)
    supple = np.array([SOUPLESSE.get(Classe(c), 1.0) for c in range(len(Classe))])[classe]
    swing = np.where(aretes.rue, 3.0, (0.12 + 0.62 * hills**1.4) * ONDE_M * supple)
    key = np.column_stack([semis.x[aretes.a] + semis.x[aretes.b], semis.y[aretes.a] + semis.y[aretes.b]])
    shape = _Forme(
        depart=np.column_stack([semis.x, semis.y])[aretes.a],
        arrivee=np.column_stack([semis.x, semis.y])[aretes.b],
        tangente_depart=start,
        tangente_arrivee=end,
        balancement=swing,
        rue=aretes.rue,
        cle=np.round(key * 10).astype(np.int64),
        longueur=aretes.longueur_m,
    )
    level = np.zeros(m, dtype=np.int64)
    lines: list[F64] = [np.zeros((0, 2))] * m
    todo = np.arange(m)
    for turn in range(60):
        for e, line in zip(todo.tolist(), _bend(shape, todo, np.array(APLATIR)[level[todo]], seed), strict=True):
            lines[e] = line
        step(1 - 0.6 ** (turn + 1))
        wrong = np.flatnonzero(_crossing(lines, todo))
        if not len(wrong):
            step(1.0)
            return lines
        todo = wrong[level[wrong] < len(APLATIR) - 1]
        level[todo] += 1
    raise RuntimeError("Des routes se croisent encore après redressement.")


@dataclass(frozen=True)
class _Forme:
    """What gives m edges their shape: ends and Hermite tangents (m, 2), swing (m,) in metres, keys (m, 2)."""

    depart: F64
    arrivee: F64
    tangente_depart: F64
    tangente_arrivee: F64
    balancement: F64
    rue: B
    cle: I64
    longueur: F64


def _tangents(semis: Semis, aretes: Aretes, noms: Noms) -> tuple[F64, F64]:
    """Hermite tangents (m, 2) at both ends of each edge, drawn from a to b: smooth through a road's own nodes."""
    a, b = aretes.a.astype(np.int64), aretes.b.astype(np.int64)
    first, last = np.where(noms.sens > 0, a, b), np.where(noms.sens > 0, b, a)
    order = np.lexsort((noms.rang, noms.voie))
    follows = np.zeros(len(a), dtype=bool)
    follows[1:] = noms.voie[order][1:] == noms.voie[order][:-1]
    # Point before the edge's start and after its end along the road; its own end where the road begins or stops.
    before, after = first.copy(), last.copy()
    before[order[1:][follows[1:]]] = first[order[:-1][follows[1:]]]
    after[order[:-1][follows[1:]]] = last[order[1:][follows[1:]]]
    points = np.column_stack([semis.x, semis.y])
    out = []
    for low, high in ((before, last), (first, after)):
        direction = points[high] - points[low]
        norm = np.sqrt((direction**2).sum(axis=1))[:, None]
        out.append(direction / np.maximum(norm, 0.1) * aretes.longueur_m[:, None])
    start, end = out
    backwards = noms.sens[:, None] < 0
    return np.where(backwards, -end, start), np.where(backwards, -start, end)


def _bend(shape: _Forme, edges: I64, flat: F64, seed: int) -> list[F64]:
    """Vertices of some edges; ``flat`` (k,) is 1 for all their bends, 0 for a straight line."""
    length = shape.longueur[edges]
    n = np.where(shape.rue[edges], 3 + (length / 120).astype(np.int64), (length / PAS_SOMMETS_M).astype(np.int64) + 1)
    n = np.where((flat == 0.0) | (length < 25.0), 1, np.maximum(n, 3))
    # All vertices of all edges in one row: n + 1 of each.
    begin = np.r_[0, np.cumsum(n + 1)]
    row = np.repeat(np.arange(len(edges)), n + 1)
    t = ((np.arange(begin[-1]) - begin[row]) / n[row])[:, None]
    p, q = shape.depart[edges][row], shape.arrivee[edges][row]
    chord = q - p
    # Cubic Hermite curve, blended with the chord as it is flattened.
    f = flat[row][:, None]
    start = shape.tangente_depart[edges][row] * f + (1 - f) * chord
    end = shape.tangente_arrivee[edges][row] * f + (1 - f) * chord
    line = (
        (2 * t**3 - 3 * t**2 + 1) * p + (t**3 - 2 * t**2 + t) * start + (3 * t**2 - 2 * t**3) * q + (t**3 - t**2) * end
    )
    metres = length[row]
    side = np.column_stack([-chord[:, 1], chord[:, 0]]) / metres[:, None]
    window = np.minimum(1.0, 25.6 * (t[:, 0] * (1 - t[:, 0])) ** 2)
    swing = shape.balancement[edges][row] * flat[row] * np.minimum(1.0, metres / 600.0)
    line += side * (window * swing * _wave(t[:, 0] * metres, shape.cle[edges][row], seed))[:, None]
    line = np.round(line, 1)
    line[begin[:-1]], line[begin[1:] - 1] = shape.depart[edges], shape.arrivee[edges]
    simple = shapely.simplify(shapely.linestrings(line, indices=row), TOLERANCE_M)
    points, of = shapely.get_coordinates(simple, return_index=True)
    return np.split(points, np.flatnonzero(np.diff(of)) + 1)


def _wave(s: F64, key: I64, seed: int) -> F64:
    """Noise in about [-1.4, 1.4] at abscissas (k,) along roads of keys (k, 2), of two wavelengths."""
    out = np.zeros(len(s))
    for cell, gain, salt in ((ONDE_M, 2.0, 51), (ONDE_M / 2.3, 0.8, 52)):
        u = s / cell
        i = np.floor(u).astype(np.int64)
        f = u - i
        f = f * f * (3 - 2 * f)
        before, after = (uniform(seed, key[:, 0], key[:, 1], salt, i + k) - 0.5 for k in (0, 1))
        out += gain * (before * (1 - f) + after * f)
    return out
