"""Where the fictive network has its crossings: mairies, streets around them, hamlets in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from .hasard import relief, text_key, uniform, value_noise

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I8 = NDArray[np.int8]

MAIRIE, RUE, HAMEAU = 0, 1, 2
#: One crossing of streets for so many inhabitants, on top of those every village has.
HABITANTS_PAR_CARREFOUR = 250
CARREFOURS_DE_VILLAGE = 4
CARREFOURS_MAX = 1500
#: Spacing of hamlets and crossroads in the country.
PAS_HAMEAUX_M = 1_400.0
#: Nothing is sown closer than this to the streets of a town.
ECART_HAMEAU_M = 430.0


@dataclass(frozen=True)
class CommuneSource:
    """What is needed of a real commune: mairie in metres (EPSG:2154), outline if known."""

    code: str
    nom: str
    departement: str
    population: int
    x: float
    y: float
    contour: BaseGeometry | None = None


@dataclass(frozen=True)
class Semis:
    """n points: metres, kind (`MAIRIE`, `RUE`, `HAMEAU`) and position of their commune in the list given."""

    x: F64
    y: F64
    genre: I8
    commune: I32

    @property
    def n(self) -> int:
        return len(self.x)


def sow(communes: Sequence[CommuneSource], seed: int) -> Semis:
    """All points of the network. The k-th point of kind `MAIRIE` belongs to the k-th commune.

    A mairie less than 30 m from another (two communes in one building) is moved 60 m aside.
    """
    if not communes:
        raise ValueError("Aucune commune : rien à dessiner.")
    mx = np.array([c.x for c in communes], dtype=np.float64).round(1)
    my = np.array([c.y for c in communes], dtype=np.float64).round(1)
    _spread(mx, my)
    mairies = cKDTree(np.column_stack([mx, my]))
    xs, ys = [mx], [my]
    of = [np.arange(len(communes), dtype=np.int32)]
    for i, commune in enumerate(communes):
        x, y = _town(commune, mx[i], my[i], i, mairies, seed)
        xs.append(x)
        ys.append(y)
        of.append(np.full(len(x), i, dtype=np.int32))
    tx, ty = np.concatenate(xs), np.concatenate(ys)
    hx, hy, hc = _hamlets(communes, mairies, tx, ty, seed)
    genre = np.full(len(tx) + len(hx), HAMEAU, dtype=np.int8)
    genre[: len(tx)] = RUE
    genre[: len(mx)] = MAIRIE
    return Semis(
        x=np.concatenate([tx, hx]),
        y=np.concatenate([ty, hy]),
        genre=genre,
        commune=np.concatenate([*of, hc]).astype(np.int32),
    )


def _spread(x: F64, y: F64) -> None:
    """Move apart mairies that stand at one place, in place."""
    for _ in range(20):
        pairs = cKDTree(np.column_stack([x, y])).query_pairs(30.0, output_type="ndarray")
        if not len(pairs):
            return
        seconds = np.unique(pairs.max(axis=1))
        x[seconds] += 60.0 * (1 + np.arange(len(seconds)) % 3)
        y[seconds] += 35.0
    raise ValueError("Trop de mairies au même endroit pour dessiner un réseau.")


def _town(commune: CommuneSource, x0: float, y0: float, rank: int, mairies: cKDTree, seed: int) -> tuple[F64, F64]:
    """Crossings of streets around one mairie: a turned, slightly warped grid, grown unevenly."""
    wanted = min(CARREFOURS_MAX, CARREFOURS_DE_VILLAGE + max(0, commune.population) // HABITANTS_PAR_CARREFOUR)
    key = text_key(commune.code)
    step = 105.0 + 60.0 * min(1.0, wanted / 500)
    half = int(np.ceil(1.25 * np.sqrt(wanted))) + 2
    i, j = (grid.ravel() for grid in np.meshgrid(np.arange(-half, half + 1), np.arange(-half, half + 1)))
    here = (i != 0) | (j != 0)
    i, j = i[here], j[here]
    u = i * step * (1 + 0.12 * (uniform(seed, key, i, 1) - 0.5)) + step * 0.2 * (uniform(seed, key, i, j, 2) - 0.5)
    v = j * step * (1 + 0.12 * (uniform(seed, key, j, 3) - 0.5)) + step * 0.2 * (uniform(seed, key, i, j, 4) - 0.5)
    # The turn is a rotation by a rational point of the circle: no trigonometry, the same bits everywhere.
    t = float(uniform(seed, key, 5)[0]) * 0.8 - 0.4
    cos, sin = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
    x, y = x0 + u * cos - v * sin, y0 + u * sin + v * cos
    # The warp is nil at the mairie, so that the grid stays hooked to it.
    x, y = np.append(x, x0), np.append(y, y0)
    warp_x, warp_y = (1.6 * step * value_noise(x, y, 900.0, seed, salt) for salt in (6, 7))
    x, y = np.round((x + warp_x - warp_x[-1])[:-1], 1), np.round((y + warp_y - warp_y[-1])[:-1], 1)
    distance = np.sqrt((x - x0) ** 2 + (y - y0) ** 2)
    score = distance * (0.6 + 0.8 * value_noise(x, y, 700.0 + 2 * wanted, seed, 8))
    fits = distance > 0.5 * step
    gap, nearest = mairies.query(np.column_stack([x, y]), k=min(2, mairies.n))
    if mairies.n > 1:
        fits &= (nearest[:, 0] == rank) & (gap[:, 1] - gap[:, 0] > 1.2 * step)
    if commune.contour is not None:
        fits &= shapely.contains_xy(commune.contour, x, y)
    order = np.flatnonzero(fits)
    order = order[np.argsort(score[order], kind="stable")][:wanted]
    return x[order], y[order]


def _hamlets(communes: Sequence[CommuneSource], mairies: cKDTree, tx: F64, ty: F64, seed: int) -> tuple[F64, F64, I32]:
    """Points of a jittered triangular lattice tied to the ground, thinned in the hills."""
    known = [k for k, c in enumerate(communes) if c.contour is not None]
    shapes = [communes[k].contour for k in known]
    reach = 4_000.0
    x_min, y_min, x_max, y_max = tx.min() - reach, ty.min() - reach, tx.max() + reach, ty.max() + reach
    if shapes:
        west, south, east, north = shapely.total_bounds(shapes)
        x_min, y_min, x_max, y_max = min(x_min, west), min(y_min, south), max(x_max, east), max(y_max, north)
    step, rise = PAS_HAMEAUX_M, PAS_HAMEAUX_M * 0.866
    columns, rows = (
        np.arange(int(low // d), int(high // d) + 1) for low, high, d in ((x_min, x_max, step), (y_min, y_max, rise))
    )
    i, j = (grid.ravel() for grid in np.meshgrid(columns, rows))
    x = np.round((i + 0.5 * (j % 2) + 0.62 * (uniform(seed, i, j, 11) - 0.5)) * step, 1)
    y = np.round((j + 0.62 * (uniform(seed, i, j, 12) - 0.5)) * rise, 1)
    gap, commune = mairies.query(np.column_stack([x, y]))
    # Where outlines are known they say what is inside; elsewhere, nearness to a mairie.
    inside = np.zeros(len(x), dtype=bool)
    free = gap < reach
    if shapes:
        point, shape = shapely.STRtree(shapes).query(shapely.points(x, y), predicate="within")
        commune[point] = np.asarray(known)[shape]
        inside[point] = True
        without = np.array([c.contour is None for c in communes])
        free &= without[commune]
    keep = (inside | free) & (uniform(seed, i, j, 13) > 0.06 + 0.34 * relief(x, y, seed))
    near, _ = cKDTree(np.column_stack([tx, ty])).query(np.column_stack([x, y]))
    keep &= near > ECART_HAMEAU_M
    return x[keep], y[keep], commune[keep].astype(np.int32)
