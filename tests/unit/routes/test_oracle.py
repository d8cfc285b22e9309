"""The oracle of small cases is itself judged: by every plan tried, by a MIP, and by the checker's own reading."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from routes import releve
from routes.probleme import Poids, Probleme, split_oversized

from .cas import FEATURES, make
from .exact import Optimum, optimum
from .mip import mip_optimum
from .naif import every_plan, walk

#: What a sum in another order may change, relative.
MEME = 1e-9
#: Reload visits a truck that the enumeration goes up to; the oracle has no limit.
VISITES = 2


def total_by_hand(proven: Optimum) -> float:
    """The objective of the oracle's plan, circuit by circuit; fails where a rule is broken."""
    p = proven.problem
    total, used = float(p.skip_cost()[list(proven.left_out)].sum()), np.zeros_like(p.stock)
    for circuit in proven.circuits:
        cost = walk(p, circuit)
        assert cost is not None
        total, used = total + cost[0], used + cost[1]
    assert np.all(used <= p.stock + 1e-6)
    return total


@pytest.mark.parametrize("feature", FEATURES)
def test_oracle_finds_what_trying_every_plan_finds(feature: str) -> None:
    for seed in range(5):
        problem, _ = split_oversized(make(feature, seed, 2 if feature == "split" else 3))
        if problem.n_items > 3:
            continue
        proven, tried = optimum(problem), every_plan(problem, VISITES)
        reloads = max((int(np.sum(c.visits < 0)) for c in proven.circuits), default=0)
        if reloads <= VISITES:
            assert proven.total == pytest.approx(tried, rel=MEME), (feature, seed)
        else:
            assert proven.total <= tried * (1 + MEME), (feature, seed)


@pytest.mark.parametrize(
    "feature", ["capacity", "mixed_fleet", "deadline", "turn", "oneway", "lock", "optional", "span"]
)
def test_oracle_finds_what_a_mip_finds(feature: str) -> None:
    for seed, n in ((100, 3), (101, 3), (102, 3), (103, 3), (104, 4)):
        problem = replace(make(feature, seed, n), circuits=())
        assert optimum(problem).total == pytest.approx(mip_optimum(problem), rel=1e-6), (feature, seed)


@pytest.mark.parametrize("feature", FEATURES)
def test_plans_of_the_oracle_keep_every_rule_as_the_checker_reads_them(feature: str) -> None:
    for seed in range(200, 215):
        proven = optimum(make(feature, seed))
        assert total_by_hand(proven) == pytest.approx(proven.total, rel=MEME), (feature, seed)
        p, w = proven.problem, proven.problem.weights
        total = float(p.skip_cost()[list(proven.left_out)].sum())
        for circuit in proven.circuits:
            day = releve.walk(p, circuit)
            assert not day.faults, (feature, seed)
            t, duty = p.truck_type[circuit.truck], day.duty_s / 3600
            euro = p.cost_fixed[circuit.truck] + p.cost_km[t] * day.driven_m / 1000 + p.cost_hour[t] * duty
            total += w.truck + w.cost * euro + w.balance * duty**2 + float(np.dot(w.late, day.late_s))
        assert total == pytest.approx(proven.total, rel=MEME), (feature, seed)


def _known_by_hand() -> Probleme:
    """Two roads of 3 km out of the depot, one each way, 1 t each; truck of 1 t; a reload point at the depot."""
    metres = np.array([[0, 3000, 3000], [3000, 0, 6000], [3000, 6000, 0]], dtype=np.float32)
    n = 2
    return Probleme(
        distances_m=metres[None], durations_s=metres[None] / np.float32(15.0),
        start=np.array([[0, 1], [0, 2]], dtype=np.int32), end=np.array([[1, 0], [2, 0]], dtype=np.int32),
        driven_m=np.full(n, 3000.0), length_m=np.full(n, 3000.0), service_s=np.full((1, n, 2), 300.0),
        demand=np.ones((n, 1)), level=np.zeros(n, dtype=np.int32), earliest_s=np.zeros(n),
        deadline_s=np.full(n, np.inf), skip_price=np.full(n, np.inf), road=np.arange(n, dtype=np.int32),
        point_place=np.zeros((1, 2), dtype=np.int32), point_s=np.array([100.0]), refill=np.full((1, 1), np.inf),
        opening_s=np.array([[0.0, np.inf]]), point_stock=np.zeros(1, dtype=np.int32), stock=np.full((1, 1), np.inf),
        type_profile=np.zeros(1, dtype=np.int32), capacity=np.ones((1, 1)), cost_km=np.ones(1),
        cost_hour=np.full(1, 3600.0), truck_type=np.zeros(1, dtype=np.int32), home=np.zeros((1, 2), dtype=np.int32),
        home_stock=np.zeros(1, dtype=np.int32), initial_load=np.ones((1, 1)), shift_start_s=np.zeros(1),
        driving_limit_s=np.full(1, np.inf), span_s=np.full(1, np.inf), cost_fixed=np.full(1, 7.0),
        fixed_truck=np.full(n, -1, dtype=np.int32), forbidden=np.zeros((0, 2), dtype=np.int32),
        apart=np.zeros((0, 2), dtype=np.int32), weights=Poids(untreated=(10.0,), late=(1.0,), truck=20.0),
    )  # fmt: skip


def test_figures_known_by_hand() -> None:
    both = _known_by_hand()
    # 12 km at 1 €; 2 × (200 + 300) s and a reload of 100 s at 1 € a second; the truck 20 + 7 €
    assert optimum(both).total == pytest.approx(12 + 1100 + 27)
    # a stock of 1 t serves one road: the other one, 3 km at 10 € a metre, is left
    assert optimum(replace(both, stock=np.ones((1, 1)))).total == pytest.approx(6 + 500 + 27 + 30_000)
    # nobody may be on duty for so little: both are left
    assert optimum(replace(both, span_s=np.full(1, 499.0))).total == pytest.approx(60_000)
    # the point opens at 900 s: 300 s of waiting after the first road, driven by 500 s
    late = replace(both, opening_s=np.array([[900.0, np.inf]]))
    assert optimum(late).total == pytest.approx(12 + 1500 + 27)
