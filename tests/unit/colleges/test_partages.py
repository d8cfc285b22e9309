"""Shared sectors end together where ending them one by one leads nowhere, and are shared again where that was rash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from collèges import solveur
from collèges.controle import check
from collèges.donnees import to_x
from collèges.probleme import AUCUN, Problem
from collèges.solveur import Recherche
from territoires.calcul import Arret, silent

from .cas import make_case
from .enfant_local import EnfantLocal
from .exact import best_plan
from .petit import plan_of, small


@pytest.fixture(autouse=True, scope="module")
def _no_processes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as remplace:
        remplace.setattr(solveur, "Enfant", EnfantLocal)
        yield


def line() -> Problem:
    """Six zones in a row: two of A, two shared, two of B. The shared ones are 100 pupils each; the second of them is a
    little nearer to A, the first one much nearer to B, but cannot be B's while the second one hangs on A through it."""
    n = 6
    base = make_case(1, n, 2, g=1, t=1, grille=True, regles=False, partages=0.0)
    portes = np.array([0, n - 1], dtype=np.int32)
    present = plan_of(0, 0, 0, 0, 1, 1).college.copy()
    present[2:4] = 0, 1
    minutes = np.full((n, 2), 10.0)
    minutes[2, 1], minutes[3, 0] = 1.0, 8.0
    return replace(
        base,
        arete=np.array([(i, i + 1) for i in range(n - 1)], dtype=np.int32),
        frontiere_m=np.full(n - 1, 1000.0),
        eleves=np.full((1, n), 100.0),
        present=present,
        college_zone=portes,
        minutes=minutes,
        capacite=np.full((1, 2), np.inf),
        zone_x=np.arange(n, dtype=np.float64) * 1000.0,
        zone_y=np.zeros(n),
        impose=np.array([0, 0, AUCUN, AUCUN, 1, 1], dtype=np.int32),
        regles=replace(base.regles, poids_depart=0.0),
    )


def test_a_shared_group_ends_at_once() -> None:
    problem = line()
    meilleur, college = best_plan(problem)
    np.testing.assert_array_equal(college, plan_of(0, 0, 1, 1, 1, 1).college)
    recherche = Recherche(problem, Arret(iterations=1), 1, silent)
    recherche.unshare()
    np.testing.assert_array_equal(recherche.m.x, college[:, 0])
    assert recherche.suivi.cout + recherche.constante == pytest.approx(meilleur)


def test_what_was_ended_is_shared_again() -> None:
    """From the plan where both went to A: only today's sharing fills both collèges exactly, and the first zone cannot
    be shared again without the second one."""
    un = np.ones(2)
    eleves = np.array([[100.0, 100.0, 100.0, 0.0, 100.0, 100.0]])
    problem = replace(
        line(), minutes=np.full((6, 2), 10.0), eleves=eleves, capacite=np.full((1, 2), 250.0), remplissage_min=un,
        remplissage_max=un,
    )  # fmt: skip
    recherche = Recherche(problem, Arret(iterations=1), 1, silent)
    aujourdhui = recherche.suivi.cout
    autre = recherche.memory(*to_x(plan_of(0, 0, 0, 0, 1, 1).college, 2))
    assert autre is not None and autre.totaux[2] > aujourdhui + 1.0
    recherche.m = autre
    recherche.suivi.x, recherche.suivi.x2, recherche.suivi.cout = autre.x, autre.x2, float(autre.totaux[2])
    recherche.unshare()
    assert recherche.suivi.cout == pytest.approx(aujourdhui)
    assert recherche.m.x2[2] == 1


@pytest.mark.parametrize("second", [1, AUCUN])
@pytest.mark.parametrize("loin", [False, True])
def test_what_a_rule_imposes_has_its_price(second: int, loin: bool) -> None:
    """Zone 1, shared or not, imposed to the third collège: 1,000 a pupil is the price of the rule, and 900 or 1,100
    minutes that of following it. The answer is never dearer than today's, whatever the turns."""
    base = small()
    present, impose, minutes = base.present.copy(), np.full(9, AUCUN, dtype=np.int32), base.minutes.copy()
    present[1], impose[1], minutes[1, 2] = (0, second), 2, 1100.0 if loin else 900.0
    problem = replace(base, present=present, impose=impose, minutes=minutes)
    meilleur, plan = best_plan(problem)
    assert (plan[1, 0] == 2) != loin
    for tours in (0, 1, 2):
        solution = solveur.solve(problem, Arret(iterations=tours), seed=1)
        check(problem, solution)
        np.testing.assert_array_equal(solution.plan.college[1], (0, second) if loin else (2, AUCUN))
    assert solution.evaluation.cout == pytest.approx(meilleur)


def test_one_imposed_sector_stays_shared_beside_one_that_ends() -> None:
    """The rule is worth its price for zone 3 alone; for zones 1 and 3 together today's plan is cheaper."""
    base = small()
    present, impose, minutes = base.present.copy(), np.full(9, AUCUN, dtype=np.int32), base.minutes.copy()
    present[[1, 3]], impose[[1, 3]] = (0, 1), 2
    minutes[[1, 3], 2] = 5000.0, 900.0
    problem = replace(base, present=present, impose=impose, minutes=minutes)
    solution = solveur.solve(problem, Arret(iterations=2), seed=1)
    check(problem, solution)
    assert solution.plan.college[[1, 3]].tolist() == [[0, 1], [2, AUCUN]]
    assert solution.evaluation.cout == pytest.approx(best_plan(problem)[0])


def test_nearly_all_maps_with_shared_sectors_end_at_the_best_plan() -> None:
    """In three turns: 185 of 189 such maps (150 when sectors ended zone by zone and no piece held them); of maps of
    eight zones, most of them shared, 188 of 200 (116)."""
    trouves, vus = 0, 0
    for graine in range(50):
        problem = make_case(graine, 6, 2, g=1, t=1, regles=False, partages=0.4)
        if not (problem.present[:, 1] != AUCUN).any():
            continue
        solution = solveur.solve(problem, Arret(iterations=2), seed=1)
        check(problem, solution)
        meilleur, _ = best_plan(problem)
        assert solution.evaluation.cout >= meilleur - 1e-6 * abs(meilleur)
        trouves += solution.evaluation.cout <= meilleur + 1e-3 + 1e-6 * abs(meilleur)
        vus += 1
    assert vus > 40 and trouves >= 0.95 * vus
