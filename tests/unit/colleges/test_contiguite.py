"""No zone is ever cut off, on a thousand made cases; any plan of today loads, however faulty."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collèges import solveur
from collèges.controle import check, check_evaluation
from collèges.evaluation import evaluate
from collèges.probleme import AUCUN, Problem
from collèges.recalcul import cut_off
from collèges.resultat import BORNE_ECARTEE, Plan, present_plan
from territoires.calcul import Arret

from .cas import PLANS, make_case, problems, seeds
from .enfant_local import EnfantLocal


@pytest.fixture(autouse=True, scope="module")
def _no_processes() -> Iterator[None]:
    """HiGHS here: two interpreters a solve would make a thousand solves an hour. Shorter annealings, too."""
    with pytest.MonkeyPatch.context() as remplace:
        remplace.setattr(solveur, "Enfant", EnfantLocal)
        for nom, valeur in {"PAS": 100, "PAS_PAR_ZONE": 50, "MORCEAUX": 2, "TOURS_MAITRE": 1}.items():
            remplace.setattr(solveur, nom, valeur)
        yield


@pytest.mark.lent
@settings(max_examples=1000)
@given(problems(zones=(1, 25), colleges=(1, 5)), st.integers(0, 99))
def test_no_zone_is_ever_cut_off(problem: Problem, seed: int) -> None:
    solution = solveur.solve(problem, Arret(iterations=1), seed=seed)
    coupees, _ = cut_off(problem, solution.plan.college)
    assert coupees == set()
    check(problem, solution)
    assert BORNE_ECARTEE not in solution.bilan.remarks


@settings(max_examples=300)
@given(seeds(), st.integers(1, 20), st.integers(1, 5), st.sampled_from(PLANS), st.booleans())
def test_any_plan_of_today_loads(seed: int, n: int, c: int, plan: str, grille: bool) -> None:
    """Sectors in pieces, zones without collège, collèges without zone or outside the map: it is a plan, it has figures,
    and nothing of it is called cut off."""
    problem = make_case(seed, n, c, plan=plan, grille=grille)
    evaluation = evaluate(problem, present_plan(problem))
    assert evaluation.coupees == ()
    assert evaluation.difference.zones == 0
    check_evaluation(problem, present_plan(problem), evaluation)


def test_a_map_of_islands_and_a_college_of_nowhere() -> None:
    """No border at all: every zone is alone, and stays where it is, or goes to a collège whose door it is."""
    for seed in range(20):
        base = make_case(seed, 8, 3, plan="hasard", regles=False, g=1)
        problem = make_case(
            seed, 8, 3, plan="hasard", regles=False, g=1, frontiere_m=np.zeros(len(base.arete)),
            college_zone=np.full(3, AUCUN, dtype=np.int32),
        )  # fmt: skip
        solution = solveur.solve(problem, Arret(iterations=2), seed=seed)
        check(problem, solution)
        # The door of a collège outside any zone is the zone nearest to it.
        portes = np.argmin(problem.minutes, axis=0)
        for zone, (un, deux) in enumerate(solution.plan.college.tolist()):
            actuelle = (un, deux) == tuple(problem.present[zone].tolist())
            assert actuelle or un == AUCUN or portes[un] == zone or un in problem.present[zone]


@pytest.mark.parametrize("graine", range(4))
def test_a_plan_by_hand_may_cut_off_and_is_told(graine: int) -> None:
    problem = make_case(graine, 20, 4, plan="pousse", regles=False)
    rng = np.random.default_rng(graine)
    vus = 0
    for _ in range(50):
        college = np.column_stack([rng.integers(0, 4, 20), np.full(20, AUCUN)]).astype(np.int32)
        coupees, _ = cut_off(problem, college)
        evaluation = evaluate(problem, Plan(college))
        assert set(evaluation.coupees) == {zone for zone, _ in coupees}
        assert not evaluation.coupees or any("sans lien" in phrase for phrase in evaluation.manques)
        vus += len(coupees)
    assert vus > 100
