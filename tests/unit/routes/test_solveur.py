"""How the search behaves: limits, seeds, cancelling, bound, present circuits, what nobody can serve."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.carp_lecture import read_dat
from routes.controle import check
from routes.probleme import Circuit, ProblemeInvalide, split_oversized
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
    assert time.monotonic() - begun < 10.0
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
