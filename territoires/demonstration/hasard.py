"""Randomness that is a function of what is drawn and of nothing else.

Every number is a hash (splitmix64) of integers: of a commune's code, of a cell of the ground, of a seed. The
same place gives the same number whatever else is drawn, in whatever order and on whatever machine; a
sequential generator would give another result as soon as one commune more is asked for.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import ArrayLike, NDArray

F64 = NDArray[np.float64]
U64 = NDArray[np.uint64]


def text_key(text: str) -> int:
    """A stable 62-bit integer for a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 2


def _mix(z: U64) -> U64:
    """The finaliser of splitmix64 (Steele, Lea and Flood, 2014)."""
    z = z + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniform(*keys: ArrayLike) -> F64:
    """Numbers in [0, 1) told by integer keys, broadcast together; shape (n,), (1,) for scalars."""
    z = np.zeros(1, dtype=np.uint64)
    for key in keys:
        z = _mix(z ^ np.atleast_1d(np.asarray(key, dtype=np.int64)).view(np.uint64))
    return (z >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def value_noise(x: F64, y: F64, cell_m: float, *keys: int) -> F64:
    """Smooth noise in [0, 1) over the plane: hashed values at the corners of cells, blended in between."""
    u, v = x / cell_m, y / cell_m
    i, j = np.floor(u), np.floor(v)
    s, t = u - i, v - j
    s, t = s * s * (3 - 2 * s), t * t * (3 - 2 * t)
    i, j = i.astype(np.int64), j.astype(np.int64)
    low = uniform(*keys, i, j) * (1 - s) + uniform(*keys, i + 1, j) * s
    high = uniform(*keys, i, j + 1) * (1 - s) + uniform(*keys, i + 1, j + 1) * s
    return np.asarray(low * (1 - t) + high * t, dtype=np.float64)


def relief(x: F64, y: F64, seed: int) -> F64:
    """How hilly the fictive ground is at each point, 0 (plain) to 1 (gorges)."""
    field = 0.65 * value_noise(x, y, 17_000.0, seed, 101) + 0.35 * value_noise(x, y, 6_000.0, seed, 102)
    return np.asarray(np.clip((field - 0.2) / 0.6, 0.0, 1.0), dtype=np.float64)
