"""The solver against all the plans of tiny problems: never below the best, equal to it, its bound never above."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collèges import moteur, solveur
from collèges.controle import check
from collèges.probleme import Problem
from collèges.recalcul import costs, cut_off
from collèges.resultat import BORNE_ECARTEE
from territoires.calcul import Arret, Statut

from .cas import make_case, problems
from .enfant_local import EnfantLocal
from .exact import best_plan

#: Turns of the search that are enough for maps of this size.
TOURS = 4


@pytest.fixture(autouse=True, scope="module")
def _no_processes() -> Iterator[None]:
    """HiGHS here; the real children are in the last test."""
    with pytest.MonkeyPatch.context() as remplace:
        remplace.setattr(solveur, "Enfant", EnfantLocal)
        yield


def tiny(graine: int) -> Problem | None:
    """A map of 3 to 7 zones and 2 or 3 collèges, every second one with all the rules; None unless every zone has a
    collège and every collège a zone (then a good plan may be out of reach of a few turns)."""
    c = 2 + (graine // 5) % 2
    problem = make_case(
        graine, 3 + graine % (7 - c), c, g=1 + graine % 2, t=1 + graine % 2, grille=bool(graine % 3),
        plan="pousse", regles=bool(graine % 2), partages=0.0,
    )  # fmt: skip
    entier = set(problem.present[:, 0].tolist()) == set(range(c))
    return problem if entier else None


CAS = [problem for graine in range(100) if (problem := tiny(graine)) is not None][:40]


@pytest.mark.parametrize("rang", range(40))
def test_the_best_plan_of_a_tiny_map_is_found(rang: int) -> None:
    problem = CAS[rang]
    meilleur, plan = best_plan(problem)
    assert cut_off(problem, plan)[0] == set()
    solution = solveur.solve(problem, Arret(iterations=TOURS), seed=1)
    check(problem, solution)
    assert BORNE_ECARTEE not in solution.bilan.remarks
    assert solution.bilan.bound is not None
    assert float(solution.bilan.bound) <= meilleur + 0.01
    # Never below: the brute force tries all that a search may do.
    assert solution.evaluation.cout == pytest.approx(meilleur, rel=1e-6, abs=1e-3)


@settings(max_examples=50)
@given(problems(zones=(1, 5), colleges=(1, 3)), st.integers(0, 9))
def test_never_below_the_best_and_the_bound_never_above(problem: Problem, seed: int) -> None:
    meilleur, _ = best_plan(problem)
    solution = solveur.solve(problem, Arret(iterations=1), seed=seed)
    check(problem, solution)
    assert BORNE_ECARTEE not in solution.bilan.remarks
    marge = 0.011 + 1e-6 * abs(meilleur)
    assert solution.evaluation.cout >= meilleur - marge
    if solution.bilan.bound is not None:
        assert float(solution.bilan.bound) <= meilleur + marge
    if solution.bilan.status is Statut.OPTIMAL:
        assert solution.evaluation.cout <= meilleur + marge + 1e-4 * abs(meilleur)


def test_the_brute_force_sees_what_it_should() -> None:
    """Two zones, one collège in the first one: the other follows across their border, and stays without where there is
    none."""
    changes: dict[str, Any] = {"college_zone": np.array([0], dtype=np.int32), "minutes": np.ones((2, 1))}
    libre = make_case(3, 2, 1, g=1, t=1, plan="absent", regles=False, **changes)
    cout, plan = best_plan(libre)
    assert plan.tolist() == [[0, -1], [0, -1]]
    assert cout == pytest.approx(sum(costs(libre, plan).values()))
    separe = replace(libre, frontiere_m=np.zeros(len(libre.arete)))
    assert best_plan(separe)[1].tolist() == [[0, -1], [-1, -1]]


def test_with_real_children_the_answer_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Same seed, same turns: the same plan and bound, whoever solves the programs."""
    problem = CAS[11]
    ici = solveur.solve(problem, Arret(iterations=2), seed=3)
    monkeypatch.setattr(solveur, "Enfant", moteur.Enfant)
    ailleurs = solveur.solve(problem, Arret(iterations=2), seed=3)
    assert ailleurs.plan == ici.plan
    assert (ailleurs.bilan.cost, ailleurs.bilan.bound) == (ici.bilan.cost, ici.bilan.bound)
