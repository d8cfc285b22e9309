"""The checker accepts every allowed plan and refuses every plan broken on purpose."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from routes.controle import check
from routes.probleme import Circuit
from territoires.calcul import ControleEchoue, Statut

from .cas import FEATURES, make
from .exact import optimum
from .mutations import MUTATIONS
from .plans import plan, random_plan

GRAINES = st.integers(0, 10_000)


@given(st.sampled_from(FEATURES), GRAINES, st.integers(3, 8))
@settings(max_examples=300)
def test_every_allowed_plan_is_accepted(feature: str, seed: int, n_items: int) -> None:
    problem = make(feature, seed, n_items)
    check(problem, random_plan(problem, seed))


@pytest.mark.parametrize("feature", FEATURES)
def test_the_best_plan_is_accepted_as_the_optimum(feature: str) -> None:
    """Plans of the exact method use what random ones seldom do: the last tonne, the last second."""
    for seed in range(6):
        problem = make(feature, seed)
        best = optimum(problem)
        solution = plan(problem, best.circuits)
        assert solution.objectif.total == pytest.approx(best.total, rel=1e-9, abs=1e-6)
        proven = replace(solution.bilan, bound=solution.bilan.cost, status=Statut.OPTIMAL)
        check(problem, replace(solution, bilan=proven))


@pytest.mark.parametrize("name", MUTATIONS)
@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_a_broken_plan_is_refused(name: str, data: st.DataObject) -> None:
    """Whatever is broken, alone, is refused, and named; the same plan unbroken is accepted."""
    mutation = MUTATIONS[name]
    seed = data.draw(GRAINES)
    problem = make(data.draw(st.sampled_from(mutation.features)), seed)
    solution = random_plan(problem, seed)
    check(problem, solution)
    broken = mutation.way(problem, solution, np.random.default_rng(seed))
    assume(broken is not None)
    assert broken is not None
    with pytest.raises(ControleEchoue, match=mutation.word):
        check(*broken)


@given(st.sampled_from(FEATURES), GRAINES)
@settings(max_examples=100)
def test_a_limit_reached_to_the_point_is_kept(feature: str, seed: int) -> None:
    """The very figures of a plan as its limits: accepted, so that the refusals above are those of the limits."""
    problem = make(feature, seed)
    solution = random_plan(problem, seed)
    driving, span = problem.driving_limit_s.copy(), problem.span_s.copy()
    for c, circuit in enumerate(solution.circuits):
        driving[circuit.truck] = solution.tournees.driving_s[c]
        span[circuit.truck] = solution.tournees.duty_s[c]
    tight = replace(problem, driving_limit_s=driving, span_s=span, stock=solution.tournees.stock_used)
    check(tight, plan(tight, solution.circuits))


def test_a_kept_circuit_is_accepted_as_it_is() -> None:
    kept = 0
    for seed in range(40):
        problem = make("lock", seed)
        check(problem, random_plan(problem, seed))
        kept += len(problem.circuits)
    assert kept >= 10
    problem = make("capacity", 3)
    idle = replace(problem, circuits=(Circuit(0, np.zeros(0, dtype=np.int32)),))
    check(idle, plan(idle, ()))


def test_messages_name_truck_item_value_and_limit() -> None:
    problem = make("span", 1)
    named = replace(
        problem,
        truck_names=tuple(f"Saleuse {k}" for k in range(problem.n_trucks)),
        item_names=tuple(f"RD {k}" for k in range(problem.n_items)),
    )
    solution = plan(named, optimum(named).circuits)
    truck, item = solution.circuits[0].truck, int(solution.circuits[0].items[0])
    short = replace(named, span_s=np.full(named.n_trucks, 60.0), driving_limit_s=np.full(named.n_trucks, np.inf))
    with pytest.raises(ControleEchoue, match=rf"^Saleuse {truck} : amplitude de .* min .* s, limite 0 h 01 min 00 s$"):
        check(short, plan(short, solution.circuits))
    empty = replace(named, initial_load=np.zeros_like(named.initial_load))
    with pytest.raises(ControleEchoue, match=rf"^Saleuse {truck} : .* du produit 0 à charger au départ, 0,000.t au"):
        check(empty, plan(empty, solution.circuits))
    refused = replace(named, forbidden=np.array([[item, truck]], dtype=np.int32))
    with pytest.raises(ControleEchoue, match=rf"^Saleuse {truck} : traite RD {item}, qui lui est interdit$"):
        check(refused, plan(refused, solution.circuits))


def test_nothing_to_do_and_nobody_to_do_it() -> None:
    """Without items, or without trucks, the empty plan is the plan."""
    problem = make("capacity", 0)
    nobody = replace(
        problem,
        truck_type=problem.truck_type[:0], home=problem.home[:0], home_stock=problem.home_stock[:0],
        initial_load=problem.initial_load[:0], shift_start_s=problem.shift_start_s[:0],
        driving_limit_s=problem.driving_limit_s[:0], span_s=problem.span_s[:0], cost_fixed=problem.cost_fixed[:0],
    )  # fmt: skip
    solution = plan(nobody, ())
    assert solution.left_out.tolist() == list(range(problem.n_items))
    assert solution.bilan.cost == Decimal(repr(float(nobody.skip_cost().sum())))
    check(nobody, solution)
    with pytest.raises(ControleEchoue, match="ni traité ni dit"):
        check(nobody, replace(solution, left_out=solution.left_out[:0]))
