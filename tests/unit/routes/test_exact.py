"""The search against proven optima: two hundred random small cases of each feature, and the checker on every plan."""

from __future__ import annotations

from math import inf

import pytest

from routes.controle import check
from routes.solveur import solve
from territoires.calcul import Arret

from .cas import make
from .exact import optimum

#: Difference of objective taken for rounding, relative: the search prices in single precision.
MEME = 1e-6
#: Iterations allowed; the search stops at the optimum, mostly within a few hundred.
ITERATIONS = 20_000
#: Cases of each feature, cut in slices so that a failure says where.
CAS, TRANCHE = 200, 50
#: Features with fewer cases.
MOINS = {"capacity": 100, "opening": 100, "end_point": 100, "span": 100, "balance": 100, "mixture": 100}
FEATURES = (
    "reload", "stock", "two_products", "mixed_fleet", "deadline", "turn", "oneway", "lock", "optional", "split", *MOINS,
)  # fmt: skip
#: Several rules tie trucks to each other there: a run that misses is followed by others, as on a machine of many cores.
GRAINES = {"mixture": (1, 2, 3, 4), "opening": (1, 2, 3, 4)}
SLICES = [(feature, first) for feature in FEATURES for first in range(0, MOINS.get(feature, CAS), TRANCHE)]


@pytest.mark.parametrize(("feature", "first"), SLICES)
def test_the_search_finds_the_optimum(feature: str, first: int) -> None:
    missed = []
    for case in range(first, first + TRANCHE):
        problem = make(feature, case)
        proven = optimum(problem).total
        found = inf
        for seed in GRAINES.get(feature, (1,)):
            solution = solve(problem, Arret(iterations=ITERATIONS, target=proven * (1 + MEME)), seed=seed)
            check(problem, solution)
            found = min(found, solution.objectif.total)
            assert found >= proven * (1 - MEME), f"{feature} {case}: {found}, below the proven optimum {proven}"
            if found <= proven * (1 + 2 * MEME):
                break
        else:
            missed.append(f"{feature} {case}: {found:.2f}, optimum {proven:.2f}")
    assert not missed, "\n".join(missed)
