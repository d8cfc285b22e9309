"""Figures by plain loops over people, one by one: oracles of `accueil.chiffres` for whole weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def people(minutes: Iterable[float], poids: Iterable[float]) -> list[float]:
    """Each inhabitant's minutes, sorted; weights must be whole."""
    gens = []
    for x, w in zip(minutes, poids, strict=True):
        assert float(w).is_integer()
        gens += [float(x)] * int(w)
    return sorted(gens)


def mean(gens: Sequence[float]) -> float:
    return sum(gens) / len(gens)


def percentile(gens: Sequence[float], part: float) -> float:
    """The nearest-rank percentile: time of the person of rank ceil(part n)."""
    return gens[max(0, math.ceil(part * len(gens) - 1e-9) - 1)]


def gini(gens: Sequence[float]) -> float:
    """Half the mean absolute difference of all couples, over the mean."""
    if not sum(gens):
        return 0.0
    ecart = sum(abs(a - b) for a in gens for b in gens) / len(gens) ** 2
    return ecart / (2 * mean(gens))


def palma(gens: Sequence[float]) -> float:
    """Mean of the farthest tenth over mean of the nearest four tenths; everybody cut in ten, both are whole."""
    dixiemes = sorted(x for x in gens for _ in range(10))
    n = len(gens)
    pres, loin = mean(dixiemes[: 4 * n]), mean(dixiemes[9 * n :])
    return loin / pres if pres > 0 else float("nan")


def share_within(gens: Sequence[float], bande: float, tous: int) -> float:
    return sum(x <= bande for x in gens) / tous
