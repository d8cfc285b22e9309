"""What the winter search gives: circuits, the parts of the objective, figures a truck.

Pure module: numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from territoires.calcul import Bilan

from .probleme import F64, I32, Circuit

__all__ = ["Circuit", "Objectif", "Solution", "Tournees"]


@dataclass(frozen=True)
class Objectif:
    """Parts of the objective, in their own units; ``total`` is the weighted sum that `Probleme` defines.

    untreated_m by level (items to be treated that nobody serves, at least 1 m each), skipped_euro (prices of optional
    items left out), late_s by level, trucks used, cost_euro, balance_h2 (sum of squared hours).
    """

    untreated_m: tuple[float, ...]
    skipped_euro: float
    late_s: tuple[float, ...]
    trucks: int
    cost_euro: float
    balance_h2: float
    total: float


@dataclass(frozen=True, eq=False)
class Tournees:
    """Figures of each circuit, in the order of ``Solution.circuits`` (C of them; Q products; R points; S stocks).

    driven_m (all), treated_m (driven while serving), duty_s, driving_s (driving and service), service_s, waiting_s,
    reload_s, late_s: F64 (C,); taken: F64 (C, Q), t loaded, first load included; stock_used: F64 (S, Q), t drawn from
    each stock by the whole plan.
    """

    driven_m: F64
    treated_m: F64
    duty_s: F64
    driving_s: F64
    service_s: F64
    waiting_s: F64
    reload_s: F64
    late_s: F64
    taken: F64
    stock_used: F64

    @property
    def empty_share(self) -> float:
        """Share of the kilometres driven without treating, 0 to 1 (0 when nothing is driven)."""
        total = float(self.driven_m.sum())
        return 0.0 if total <= 0 else 1.0 - float(self.treated_m.sum()) / total


@dataclass(frozen=True, eq=False)
class Solution:
    """A plan: circuits of the trucks used (by increasing truck), items left out, account.

    ``problem_hash`` is the input hash of the problem planned: after `split_oversized` where an item was too large, then
    ``origin`` (I32, one an item of the planned problem) says which item each one comes from; None otherwise.
    """

    circuits: tuple[Circuit, ...]
    left_out: I32
    objectif: Objectif
    tournees: Tournees
    bilan: Bilan
    problem_hash: str = ""
    origin: I32 | None = None
    engine: str = "limitrophe"

    def served(self, n_items: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """(n,) True where an item is served."""
        fait = np.zeros(n_items, dtype=np.bool_)
        for circuit in self.circuits:
            fait[circuit.items] = True
        return fait
