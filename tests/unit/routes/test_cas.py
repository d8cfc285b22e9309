"""The random cases are worth testing with: always the same for a seed, and their feature changes the best plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from routes.probleme import AUCUN, Probleme

from .cas import FEATURES, make, planned
from .croquis import INF
from .exact import optimum
from .plans import plan

GRAINES = range(30)


def _boundless(p: Probleme) -> Probleme:
    capacity = np.full_like(p.capacity, 1e6)
    return replace(p, capacity=capacity, initial_load=capacity[p.truck_type])


def _one_kind_of_truck(p: Probleme) -> Probleme:
    return replace(
        p,
        service_s=np.stack([p.service_s.min(axis=0)] * 2),
        distances_m=np.stack([p.distances_m[0]] * 2),
        durations_s=np.stack([p.durations_s[0]] * 2),
    )


#: The same problem without its feature.
WITHOUT: dict[str, Callable[[Probleme], Probleme]] = {
    "capacity": _boundless,
    "reload": lambda p: replace(p, refill=np.zeros_like(p.refill)),
    "stock": lambda p: replace(p, stock=np.full_like(p.stock, INF)),
    "two_products": lambda p: replace(p, refill=np.full_like(p.refill, INF)),
    "mixed_fleet": _one_kind_of_truck,
    "deadline": lambda p: replace(p, deadline_s=np.full_like(p.deadline_s, INF)),
    "lock": lambda p: replace(p, fixed_truck=np.full_like(p.fixed_truck, AUCUN), forbidden=p.forbidden[:0],
                              apart=p.apart[:0], circuits=()),
    "optional": lambda p: replace(p, skip_price=np.full_like(p.skip_price, INF)),
    "opening": lambda p: replace(p, opening_s=np.tile([0.0, INF], (p.n_points, 1))),
    "end_point": lambda p: replace(p, home=np.stack([p.home[:, 0]] * 2, axis=1)),
    "span": lambda p: replace(p, span_s=np.full_like(p.span_s, INF), driving_limit_s=np.full_like(p.span_s, INF)),
}  # fmt: skip


@pytest.mark.parametrize("feature", FEATURES)
def test_a_seed_is_a_problem(feature: str) -> None:
    hashes = [make(feature, seed).input_hash() for seed in GRAINES]
    assert hashes == [make(feature, seed).input_hash() for seed in GRAINES]
    assert len(set(hashes)) == len(GRAINES)
    assert {make(feature, 0, n).n_items for n in (3, 6)} == {3, 6}


@pytest.mark.parametrize("feature", WITHOUT)
def test_the_feature_weighs_on_the_best_plan(feature: str) -> None:
    """In more than half of the cases the least objective is another one without the feature."""
    other = 0
    for seed in GRAINES:
        problem = make(feature, seed)
        free = WITHOUT[feature](problem)
        other += abs(optimum(problem).total - optimum(free).total) > 1e-6
    assert other > len(GRAINES) / 2


def test_balance_evens_out_the_best_plan() -> None:
    evened = 0
    for seed in GRAINES:
        problem = make("balance", seed)
        careless = replace(problem, weights=replace(problem.weights, balance=0.0))
        with_it, without = plan(problem, optimum(problem).circuits), plan(careless, optimum(careless).circuits)
        assert with_it.objectif.balance_h2 <= without.objectif.balance_h2 + 1e-9
        evened += with_it.objectif.balance_h2 < without.objectif.balance_h2 - 1e-6
    assert evened >= len(GRAINES) / 4


def test_roads_too_large_are_cut_in_every_case() -> None:
    for seed in GRAINES:
        problem = make("split", seed)
        assert planned(problem)[0].n_items > problem.n_items


def test_matrices_of_turns_and_one_ways_are_not_symmetric() -> None:
    """Nor without barred ways: turning round is forbidden somewhere, the diagonal is a detour."""
    barred = 0
    for seed in GRAINES:
        seconds = make("turn", seed).durations_s[0]
        assert not np.array_equal(seconds, seconds.T)
        assert float(np.diag(seconds).max()) > 0
        barred += bool(np.isinf(seconds).any())
        one_way = make("oneway", seed)
        assert not np.array_equal(one_way.durations_s[0], one_way.durations_s[0].T)
        assert len(set(one_way.road.tolist())) < one_way.n_items or (one_way.start[:, 1] == AUCUN).any()
    assert barred > 5
