"""The same problem through PyVRP: what it holds is solved, what it does not is refused, every plan is valid."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from routes.controle import check
from routes.moteur_pyvrp import MoteurAbsent, MoteurLimite, solve_pyvrp
from routes.probleme import Circuit, Probleme
from routes.resultat import Solution
from territoires.calcul import Arret, Statut

from . import cas, exact

pyvrp = pytest.importorskip("pyvrp", reason="PyVRP n'est pas installé (requirements/bench.txt)")

#: Features that its model holds exactly.
TENUES = ("capacity", "mixed_fleet", "turn", "oneway", "optional", "split")
#: Those it holds in part, or refuses for some cases.
EN_PARTIE = ("reload", "deadline", "lock", "opening", "end_point", "span")
#: What makes it refuse.
REFUS = {
    "stock": "stocks limités",
    "balance": "équilibre",
    "mixture": "PyVRP ne sait pas",
}


def run(problem: Probleme, iterations: int = 500, seed: int = 1) -> Solution:
    solution = solve_pyvrp(problem, Arret(iterations=iterations), seed)
    check(problem, solution)
    return solution


@pytest.mark.parametrize("feature", TENUES)
@pytest.mark.parametrize("seed", range(6))
def test_small_cases_to_their_optimum(feature: str, seed: int) -> None:
    problem = cas.make(feature, seed)
    best = exact.optimum(problem).total
    assert run(problem).objectif.total == pytest.approx(best, rel=1e-4)


@pytest.mark.parametrize("feature", EN_PARTIE)
def test_other_cases_have_a_valid_plan_or_a_refusal(feature: str) -> None:
    solved = 0
    for seed in range(10):
        problem = cas.make(feature, seed)
        try:
            solution = run(problem, 200)
        except MoteurLimite as refus:
            assert str(refus).startswith("PyVRP ne sait pas : ")
            continue
        solved += 1
        assert solution.objectif.total >= exact.optimum(problem).total * (1 - 1e-6)
        assert solution.bilan.status is Statut.REALISABLE and solution.engine == "pyvrp"
    assert solved


@pytest.mark.parametrize(("feature", "phrase"), REFUS.items())
def test_what_it_cannot_hold_is_refused(feature: str, phrase: str) -> None:
    with pytest.raises(MoteurLimite, match=phrase):
        solve_pyvrp(cas.make(feature, 1), Arret(iterations=10))


def test_deadlines_are_said_to_be_strict() -> None:
    assert any("strictes" in remark for remark in run(cas.make("deadline", 1), 50).bilan.remarks)


def test_same_seed_and_iterations_same_plan() -> None:
    problem = cas.make("capacity", 3, 6)
    first, again = run(problem, 40, 7), run(problem, 40, 7)
    assert [c.visits.tolist() for c in first.circuits] == [c.visits.tolist() for c in again.circuits]


def test_kept_circuits_stay() -> None:
    problem = cas.make("capacity", 2, 6)
    kept = run(problem).circuits[0]
    fixed = replace(problem, circuits=(kept,))
    assert any(c.truck == kept.truck and np.array_equal(c.visits, kept.visits) for c in run(fixed, 50).circuits)


def test_begins_with_the_circuits_given() -> None:
    problem = cas.make("capacity", 4, 6)
    best = run(problem)
    again = solve_pyvrp(problem, Arret(iterations=0), 1, start=best.circuits)
    assert again.objectif.total == pytest.approx(best.objectif.total)


def test_impossible_circuits_to_begin_with_are_left_aside() -> None:
    problem = cas.make("capacity", 4, 6)
    everything = Circuit(0, np.arange(0, 2 * problem.n_items, 2, dtype=np.int32))
    assert problem.demand.sum() > problem.capacity.max()
    solution = solve_pyvrp(problem, Arret(iterations=200), 1, start=(everything,))
    check(problem, solution)
    assert solution.objectif.total == pytest.approx(exact.optimum(problem).total, rel=1e-4)


def test_stops_when_told() -> None:
    calls = []

    def cancelled() -> bool:
        calls.append(1)
        return len(calls) > 20

    problem = cas.make("capacity", 5, 6)
    solution = solve_pyvrp(problem, Arret(cancelled=cancelled), 1)
    check(problem, solution)
    assert len(calls) == 21 and solution.bilan.iterations == 20


def test_target_ends_the_search() -> None:
    problem = cas.make("capacity", 5, 6)
    goal = exact.optimum(problem).total
    solution = solve_pyvrp(problem, Arret(iterations=100_000, target=goal + 0.01), 1)
    assert solution.bilan.iterations < 100_000
    assert solution.objectif.total == pytest.approx(goal, rel=1e-4)


def test_improvements_are_told_as_solutions() -> None:
    problem, told = cas.make("capacity", 5, 6), []

    def progress(
        fraction: float | None,
        message: str,
        best: float | None = None,
        bound: float | None = None,
        solution: object | None = None,
    ) -> None:
        told.append((fraction, best, solution))

    final = solve_pyvrp(problem, Arret(iterations=30), 1, progress)
    assert told[-1][0] == 1.0 and told[-1][1] == final.objectif.total
    for _, best, solution in told:
        assert isinstance(solution, Solution) and best == solution.objectif.total
        check(problem, solution)


def test_nothing_to_do() -> None:
    problem = cas.make("capacity", 1)
    nobody = replace(problem, service_s=np.full_like(problem.service_s, np.inf))
    solution = run(nobody, 10)
    assert not solution.circuits and len(solution.left_out) == problem.n_items


def test_absent_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvrp", None)
    with pytest.raises(MoteurAbsent, match="requirements/bench"):
        solve_pyvrp(cas.make("capacity", 1), Arret(iterations=1))
