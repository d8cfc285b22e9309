"""How roads are drawn: smooth along a road, winding in the hills, and never across one another."""

from __future__ import annotations

from collections.abc import Callable

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


def _crossing(lines: list[F64]) -> B:
    """Mask of the lines that meet another elsewhere than at a common end."""
    shapes = shapely.linestrings(
        np.concatenate(lines), indices=np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    )
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pair = one < other
    one, other = one[pair], other[pair]
    meeting = shapely.intersection(shapes[one], shapes[other])
    fine = (shapely.get_type_id(meeting) == 0) & shapely.touches(shapes[one], shapes[other])
    # A single common point that is an end of both: the crossing of roads that the network has there.
    point = shapely.get_coordinates(shapely.centroid(meeting))
    ends_one = np.stack([np.stack([lines[k][0], lines[k][-1]]) for k in one]) if len(one) else np.zeros((0, 2, 2))
    ends_other = np.stack([np.stack([lines[k][0], lines[k][-1]]) for k in other]) if len(one) else ends_one
    for ends in (ends_one, ends_other):
        fine &= (np.abs(ends - point[:, None, :]).max(axis=2) < 1e-6).any(axis=1)
    wrong = np.zeros(len(lines), dtype=bool)
    wrong[one[~fine]] = True
    wrong[other[~fine]] = True
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
    key = np.round(key * 10).astype(np.int64)
    points = np.column_stack([semis.x, semis.y])
    pa, pb = points[aretes.a], points[aretes.b]
    level = np.zeros(m, dtype=np.int64)
    lines: list[F64] = [np.zeros((0, 2))] * m
    todo = np.arange(m)
    for turn in range(60):
        for count, e in enumerate(todo.tolist()):
            flat = APLATIR[level[e]]
            lines[e] = _bend(
                pa[e], pb[e], start[e] * flat, end[e] * flat, swing[e] * flat, bool(aretes.rue[e]), key[e], seed, flat
            )
            if turn == 0 and count % 1000 == 0:
                step(0.8 * count / m)
        wrong = np.flatnonzero(_crossing(lines))
        if not len(wrong):
            step(1.0)
            return lines
        todo = wrong[level[wrong] < len(APLATIR) - 1]
        level[todo] += 1
    raise RuntimeError("Des routes se croisent encore après redressement.")


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


def _bend(p: F64, q: F64, start: F64, end: F64, swing: float, street: bool, key: I64, seed: int, flat: float) -> F64:
    chord = q - p
    length = float(np.sqrt((chord**2).sum()))
    if flat == 0.0 or length < 25.0:
        return np.array([p, q])
    n = max(3, int(length / PAS_SOMMETS_M) + 1) if not street else 3 + int(length / 120)
    t = np.linspace(0.0, 1.0, n + 1)[:, None]
    # Cubic Hermite curve, blended with the chord as it is flattened.
    start, end = start + (1 - flat) * chord, end + (1 - flat) * chord
    line = (
        (2 * t**3 - 3 * t**2 + 1) * p + (t**3 - 2 * t**2 + t) * start + (3 * t**2 - 2 * t**3) * q + (t**3 - t**2) * end
    )
    side = np.array([-chord[1], chord[0]]) / length
    window = np.minimum(1.0, 16 * (t * (1 - t)) ** 2 * 1.6)
    line += side * window * swing * min(1.0, length / 600.0) * _wave(t[:, 0] * length, key, seed)[:, None]
    line = np.round(line, 1)
    line[0], line[-1] = p, q
    return np.asarray(
        shapely.get_coordinates(shapely.simplify(shapely.linestrings(line), TOLERANCE_M)), dtype=np.float64
    )


def _wave(s: F64, key: I64, seed: int) -> F64:
    """Noise in about [-1.4, 1.4] along a road, of two wavelengths, told by the road's key."""
    out = np.zeros(len(s))
    for cell, gain, salt in ((ONDE_M, 2.0, 51), (ONDE_M / 2.3, 0.8, 52)):
        u = s / cell
        i = np.floor(u).astype(np.int64)
        f = u - i
        f = f * f * (3 - 2 * f)
        knots = uniform(seed, key[0], key[1], salt, np.arange(i[-1] + 2)) - 0.5
        out += gain * (knots[i] * (1 - f) + knots[i + 1] * f)
    return out
