"""What the search gives passes the independent checker, and broken on purpose no longer does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routes.controle import check
from routes.solveur import solve
from territoires.calcul import Arret, ControleEchoue

from .cas import FEATURES, make
from .mutations import MUTATIONS

#: Enough for plans of some worth; the checker does not ask for the best.
ITERATIONS = 300


@given(st.sampled_from(FEATURES), st.integers(0, 10_000), st.integers(3, 16), st.integers(0, 3))
@settings(max_examples=150)
def test_plans_of_the_search_are_accepted(feature: str, seed: int, n_items: int, run: int) -> None:
    """Cases up to sixteen items, too large for the exact method."""
    problem = make(feature, seed, n_items)
    check(problem, solve(problem, Arret(iterations=ITERATIONS), run))


@pytest.mark.parametrize("name", MUTATIONS)
def test_plans_of_the_search_broken_on_purpose_are_refused(name: str) -> None:
    mutation = MUTATIONS[name]
    refused = 0
    for seed in range(40):
        problem = make(mutation.features[seed % len(mutation.features)], seed, 6)
        solution = solve(problem, Arret(iterations=ITERATIONS), seed)
        broken = mutation.way(problem, solution, np.random.default_rng(seed))
        if broken is not None:
            with pytest.raises(ControleEchoue, match=mutation.word):
                check(*broken)
            refused += 1
        if refused == 3:
            break
    assert refused, "aucune occasion"
