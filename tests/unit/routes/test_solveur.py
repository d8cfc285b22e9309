"""How the search behaves: limits, seeds, cancelling, bound, present circuits, what nobody can serve."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.carp_grilles import make_grid
from benchmarks.carp_lecture import problem_of, read_dat
from routes import recherche
from routes.controle import check
from routes.probleme import AUCUN, Circuit, Probleme, ProblemeInvalide, split_oversized
from routes.resultat import Solution
from routes.solveur import MoteurInconnu, solve, solve_seeds
from territoires.calcul import Arret, Statut

from .cas import FEATURES, make
from .exact import optimum


def same(one: Solution, other: Solution) -> bool:
    """Whether two plans are visit for visit the same."""
    return len(one.circuits) == len(other.circuits) and all(
        a.truck == b.truck and np.array_equal(a.visits, b.visits)
        for a, b in zip(one.circuits, other.circuits, strict=True)
    )


@pytest.mark.parametrize("feature", FEATURES)
def test_same_seed_and_iterations_give_the_same_plan(feature: str) -> None:
    problem = make(feature, 3, 12)
    runs = [solve(problem, Arret(iterations=2_000), seed=5) for _ in range(2)]
    assert same(*runs)
    assert runs[0].bilan.iterations <= 2_000


@pytest.mark.parametrize("feature", FEATURES)
def test_the_bound_is_never_above_the_optimum(feature: str) -> None:
    for case in range(25):
        problem = make(feature, case)
        bound = solve(problem, Arret(iterations=100)).bilan.bound
        assert bound is not None
        assert float(bound) <= optimum(problem).total * (1 + 1e-6)


def test_a_proven_plan_ends_the_search_and_says_so(tmp_path: Path) -> None:
    ring = tmp_path / "anneau.dat"
    ring.write_text(
        " NOMBRE : anneau\n VERTICES : 3\n ARISTAS_REQ : 3\n ARISTAS_NOREQ : 0\n VEHICULOS : 1\n CAPACIDAD : 9\n"
        " LISTA_ARISTAS_REQ :\n ( 1, 2)  coste 13 demanda 1\n ( 2, 3)  coste 17 demanda 1\n"
        " ( 3, 1)  coste 5 demanda 1\n DEPOSITO : 1\n"
    )
    bilan = solve(read_dat(ring), Arret(iterations=50_000)).bilan
    assert bilan.status is Statut.OPTIMAL
    assert bilan.iterations < 50_000
    assert bilan.cost == bilan.bound == 35


def test_cancelling_is_quick_and_keeps_the_best_plan() -> None:
    problem = make("mixture", 1, 16)
    told: list[float] = []

    def progress(fraction: Any, message: str, best: Any = None, bound: Any = None, solution: Any = None) -> None:
        assert best is not None
        told.append(best)

    solve(problem, Arret(iterations=200))
    begun = time.monotonic()
    solution = solve(
        problem, Arret(seconds=60.0, cancelled=lambda: time.monotonic() - begun > 0.5), seed=1, progress=progress
    )
    assert time.monotonic() - begun < 2.0
    check(problem, solution)
    assert told == sorted(told, reverse=True)
    assert solution.objectif.total == pytest.approx(told[-1], rel=1e-5)


def test_progress_shows_plans_that_the_checker_accepts() -> None:
    problem = make("reload", 2, 14)
    shown: list[Solution] = []

    def progress(fraction: Any, message: str, best: Any = None, bound: Any = None, solution: Any = None) -> None:
        if solution is not None:
            shown.append(solution)

    solve(problem, Arret(iterations=5_000), seed=2, progress=progress)
    assert shown
    for solution in shown:
        check(problem, solution)


def test_present_circuits_are_taken_and_never_lost() -> None:
    problem = make("reload", 4, 12)
    present = solve(problem, Arret(iterations=5_000), seed=1)
    again = solve(problem, Arret(iterations=0), seed=9, start=present.circuits)
    assert again.objectif.total <= present.objectif.total * (1 + 1e-9)
    assert not again.bilan.remarks


def test_present_circuits_that_break_rules_are_repaired_and_told() -> None:
    problem = make("capacity", 4, 12)
    visits = (2 * np.arange(problem.n_items)).astype(np.int32)
    overloaded = Circuit(0, np.concatenate((visits, visits[:1])))
    solution = solve(problem, Arret(iterations=500), seed=1, start=(overloaded,))
    check(problem, solution)
    assert any("retirée" in remark and problem.truck_name(0) in remark for remark in solution.bilan.remarks)


def test_present_circuits_of_items_that_are_split() -> None:
    for case in range(10):
        problem = make("split", case)
        planned, origin = split_oversized(problem)
        if planned is problem:
            continue
        start = (Circuit(0, np.array([0], dtype=np.int32)),)
        solution = solve(problem, Arret(iterations=300), start=start)
        check(problem, solution)
        assert solution.origin is not None
        assert np.array_equal(solution.origin, origin)
        return
    pytest.fail("no case is split")


def test_what_nobody_can_serve_is_named_and_the_rest_planned() -> None:
    problem = make("capacity", 1, 8)
    service = problem.service_s.copy()
    service[:, 3, :] = np.inf
    names = tuple(f"D {i}" for i in range(problem.n_items))
    problem = replace(problem, service_s=service, item_names=names)
    solution = solve(problem, Arret(iterations=2_000))
    check(problem, solution)
    assert 3 in solution.left_out
    assert any(remark.startswith("D 3 : ") for remark in solution.bilan.remarks)
    assert len(solution.left_out) < problem.n_items


def test_a_kept_circuit_is_kept_and_a_wrong_one_refused() -> None:
    problem = make("capacity", 2, 10)
    free = solve(problem, Arret(iterations=2_000))
    kept = replace(problem, circuits=(free.circuits[0],))
    solution = solve(kept, Arret(iterations=2_000))
    check(kept, solution)
    assert np.array_equal(solution.circuits[0].visits, free.circuits[0].visits)
    everything = Circuit(0, (2 * np.arange(problem.n_items)).astype(np.int32))
    with pytest.raises(ProblemeInvalide, match="circuits"):
        solve(replace(problem, circuits=(everything,)), Arret(iterations=10))


def test_seeds_in_parallel_give_the_best_of_them() -> None:
    problem = make("mixture", 7, 12)
    alone = [solve(problem, Arret(iterations=400), seed=seed) for seed in (1, 2, 3)]
    best = solve_seeds(problem, Arret(iterations=400), (1, 2, 3), processes=2)
    assert same(best, min(alone, key=lambda solution: solution.objectif.total))
    check(problem, best)


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(MoteurInconnu, match="limitrophe"):
        solve(make("capacity", 0), Arret(iterations=1), engine="autre")


def test_a_target_ends_the_search() -> None:
    problem = make("capacity", 5)
    goal = optimum(problem).total
    solution = solve(problem, Arret(iterations=100_000, target=goal * (1 + 1e-6)))
    assert solution.bilan.iterations < 100_000
    assert solution.bilan.cost >= Decimal(repr(goal * (1 - 1e-6)))


def of_two_types(problem: Probleme, slower: float) -> Probleme:
    """The same with every second truck of a further type, and the first type that many times slower in its work."""
    double = {
        name: np.concatenate((getattr(problem, name), getattr(problem, name)))
        for name in ("type_profile", "service_s", "cost_km", "cost_hour", "capacity")
    }
    double["service_s"][: len(problem.type_profile)] *= slower
    second = np.arange(problem.n_trucks) % 2 == 1
    return replace(problem, **double, truck_type=problem.truck_type + second * np.int32(len(problem.type_profile)))


@pytest.mark.parametrize("case", range(12))
def test_the_bound_counts_the_quickest_type(case: int) -> None:
    problem = of_two_types(make("capacity", case), slower=50.0)
    bilan = solve(problem, Arret(iterations=100)).bilan
    assert bilan.bound is not None
    assert float(bilan.bound) <= optimum(problem).total * (1 + 1e-6)


@pytest.mark.parametrize("case", range(3))
def test_how_long_a_slice_lasts_changes_no_plan(case: int, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = make("capacity", case, 40)
    plans = []
    for seconds in (1e-9, 10.0):
        monkeypatch.setattr(recherche, "TRANCHE_S", seconds)
        plans.append(solve(problem, Arret(iterations=9_000), seed=3))
    assert same(*plans)
    assert plans[0].bilan.iterations == plans[1].bilan.iterations


def test_an_item_of_a_far_truck_alone_is_served_in_a_large_problem() -> None:
    graph, homes = make_grid(22, 22, required=600, depots=2, trucks=30, slack=1.4, seed=3)
    problem = problem_of(graph, homes)
    far = int(np.argmax(problem.distances_m[0][homes[0], problem.start[:, 0]]))
    near = int(np.argmin(problem.distances_m[0][homes[-1], problem.start[:, 0]]))
    fixed = problem.fixed_truck.copy()
    fixed[[far, near]] = 0
    solution = solve(replace(problem, fixed_truck=fixed), Arret(iterations=3_000), seed=1)
    assert not len(solution.left_out)
    assert {far, near} <= set(next(c for c in solution.circuits if c.truck == 0).items.tolist())


@pytest.mark.parametrize("why", ["no way", "no product", "too long"])
def test_what_no_truck_can_ever_do_is_named(why: str) -> None:
    problem = make("span" if why == "too long" else "two_products" if why == "no product" else "capacity", 2, 8)
    if why == "no way":
        away = problem.durations_s.copy()
        away[:, problem.home[:, 0], problem.start[3, 0]] = np.inf
        if problem.start[3, 1] != AUCUN:
            away[:, problem.home[:, 0], problem.start[3, 1]] = np.inf
        problem = replace(problem, durations_s=away)
    elif why == "no product":
        held, first = problem.capacity.copy(), problem.initial_load.copy()
        held[:, 1] = first[:, 1] = 0.0
        asked = np.where(np.arange(problem.n_items)[:, None] == 3, 0.1, problem.demand * [1.0, 0.0])
        given = np.where([True, False], problem.refill, 0.0)
        problem = replace(problem, capacity=held, initial_load=first, demand=asked, refill=given)
    else:
        service = problem.service_s.copy()
        service[:, 3] += 1e6
        problem = replace(problem, service_s=service)
    solution = solve(problem, Arret(iterations=500))
    assert 3 in solution.left_out
    assert f"{problem.item_name(3)} : aucun camion ne peut le traiter" in solution.bilan.remarks


def test_present_circuits_of_what_does_not_exist_are_left_aside_and_told() -> None:
    problem = make("capacity", 4, 10)
    strange = Circuit(problem.n_trucks, np.array([0], dtype=np.int32))
    partly = Circuit(0, np.array([2, 2 * problem.n_items + 4, -9], dtype=np.int32))
    solution = solve(problem, Arret(iterations=200), start=(strange, partly))
    check(problem, solution)
    assert any("n'existe pas" in r and str(problem.n_trucks) in r for r in solution.bilan.remarks)
    assert any("2 visite(s)" in r and problem.truck_name(0) in r for r in solution.bilan.remarks)
