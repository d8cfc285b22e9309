"""Compiled: random numbers, the same on any machine."""

from __future__ import annotations

from typing import Any

import numpy as np

from geodata.compilation import inner


@inner
def draw(random: Any) -> float:
    """Uniform in [0, 1): xorshift64*, the same on any machine."""
    x = random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    random[0] = x
    return float((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) / 9007199254740992.0


@inner
def draw_int(random: Any, n: int) -> int:
    """Uniform in 0..n-1."""
    return int(draw(random) * n)
