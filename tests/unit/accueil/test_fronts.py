"""Fronts: one problem a point, monotone, each point what the solver alone finds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from accueil import fronts
from accueil.chiffres import access
from accueil.controle import check
from accueil.fronts import Moyen, front
from accueil.probleme import Capacites, Modele, Problem, make_problem
from accueil.resultat import Solution
from accueil.solveur import solve
from territoires.calcul import Arret, Statut

#: Field of the problem that each means caps.
CHAMPS = {Moyen.SITES: "sites_max", Moyen.OUVERTURE: "budget_ouverture", Moyen.ANNUEL: "budget_annuel"}


def problem_of(modele: Modele, graine: int = 1) -> Problem:
    alea = np.random.default_rng(graine)
    return make_problem(
        alea.uniform(1, 60, (30, 12)),
        modele,
        poids=alea.integers(1, 9, 30),
        seuil=12.0,
        cout_ouverture=alea.integers(20, 60, 12),
        cout_annuel=alea.integers(5, 15, 12),
        sites_max=8,
    )


@pytest.mark.parametrize(
    ("moyen", "plafonds"),
    [(Moyen.SITES, (1, 2, 3, 4, 5)), (Moyen.OUVERTURE, (60, 90, 130, 200)), (Moyen.ANNUEL, (15, 25, 40, 60))],
)
@pytest.mark.parametrize("modele", [Modele.MEDIANE, Modele.COUVERTURE_MAX, Modele.CENTRE, Modele.CENTRE_PUIS_MEDIANE])
def test_more_means_never_serve_worse_and_each_point_is_the_solver_s(
    modele: Modele, moyen: Moyen, plafonds: tuple[int, ...]
) -> None:
    problem = problem_of(modele)
    trouve = front(problem, moyen, plafonds, Arret())
    assert [point.plafond for point in trouve.points] == list(plafonds)
    assert not trouve.impossibles and not trouve.sans_reponse
    buts, depenses = [], []
    for point in trouve.points:
        pose = capped(problem, moyen, point.plafond)
        parties = point.solution.parties
        check(pose, point.solution)
        assert float(point.solution.bilan.cost) == pytest.approx(float(solve(pose, Arret()).bilan.cost))
        assert point.rayon == parties.rayon
        assert point.couvert == pytest.approx(1 - (parties.non_couvert or 0) / problem.populations.sum())
        assert point.moyenne == pytest.approx(parties.minutes / problem.populations.sum())
        premier = point.rayon if modele is Modele.CENTRE_PUIS_MEDIANE else 0.0
        buts.append((premier, float(point.solution.bilan.cost)))
        par_moyen = {Moyen.SITES: parties.sites, Moyen.OUVERTURE: parties.cout_ouverture}
        depenses.append(par_moyen.get(moyen, parties.cout_annuel))
    assert buts == sorted(buts, reverse=True)
    assert [point.depense for point in trouve.points] == depenses


def capped(problem: Problem, moyen: Moyen, plafond: float) -> Problem:
    champ: dict[str, Any] = {CHAMPS[moyen]: int(plafond) if moyen is Moyen.SITES else float(plafond)}
    return replace(problem, **champ)


def test_each_point_starts_from_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    departs: list[Solution | None] = []

    def listen(*args: Any, depart: Solution | None = None, **kwargs: Any) -> Solution:
        departs.append(depart)
        return solve(*args, depart=depart, **kwargs)

    monkeypatch.setattr(fronts, "solve", listen)
    trouve = front(problem_of(Modele.MEDIANE), Moyen.ANNUEL, (0, 30, 45, 60), Arret())
    assert trouve.impossibles == (0,)
    # What nothing satisfies seeds nothing.
    assert departs == [None, None, *(point.solution for point in trouve.points[:-1])]


def test_the_problem_s_own_rules_stay() -> None:
    problem = replace(problem_of(Modele.MEDIANE), sites_min=3, sites_max=4)
    trouve = front(problem, Moyen.SITES, range(1, 7), Arret())
    assert trouve.impossibles == (1, 2)
    assert [(point.plafond, point.depense) for point in trouve.points] == [(3, 3), (4, 4), (5, 4), (6, 4)]
    serre = replace(problem, budget_annuel=40.0)
    assert all(point.depense <= 40 for point in front(serre, Moyen.ANNUEL, (30, 40, 90), Arret()).points)


def test_budgets_too_small_are_told_and_dominated_points_too() -> None:
    problem = make_problem([[1.0, 30.0], [30.0, 1.0]], cout_annuel=[10.0, 20.0], sites_min=1)
    trouve = front(problem, Moyen.ANNUEL, [5, 10, 15, 30], Arret())
    assert trouve.impossibles == (5,)
    assert [point.plafond for point in trouve.points] == [10, 15, 30]
    assert [point.depense for point in trouve.points] == [10, 10, 30]
    assert [point.domine for point in trouve.points] == [False, True, False]


def test_a_better_mean_within_the_same_radius_is_not_dominated() -> None:
    problem = make_problem([[9.0, 9.0, 9.0], [5.0, 1.0, 9.0]], Modele.CENTRE_PUIS_MEDIANE, cout_annuel=[1.0, 2.0, 3.0])
    trouve = front(problem, Moyen.ANNUEL, (1, 2), Arret())
    assert [(point.rayon, point.moyenne, point.domine) for point in trouve.points] == [(9, 7, False), (9, 5, False)]


def test_the_mean_is_that_of_who_is_served() -> None:
    """Cover under capacities may leave people out: their time is unknown, not endless."""
    problem = make_problem(
        [[4.0], [6.0], [5.0]],
        Modele.COUVERTURE_MAX,
        seuil=10.0,
        capacites=Capacites.UNIQUE,
        capacite=[2.0],
    )
    (point,) = front(problem, Moyen.SITES, [1], Arret()).points
    assert point.couvert == pytest.approx(2 / 3)
    assert point.moyenne == access(problem, point.solution).moyenne <= 5.5


def test_what_the_time_leaves_unknown_is_not_called_impossible() -> None:
    alea = np.random.default_rng(2)
    problem = make_problem(
        alea.uniform(1, 60, (200, 40)), capacites=Capacites.UNIQUE, capacite=np.full(40, 24.0), sites_min=1
    )
    trouve = front(problem, Moyen.SITES, (2, 9), Arret(), secondes=0.0)
    assert set(trouve.sans_reponse) | {point.plafond for point in trouve.points} == {2, 9}
    assert not trouve.impossibles
    assert 2 in trouve.sans_reponse
    assert front(problem, Moyen.SITES, (2,), Arret()).impossibles == (2,)


def test_stopped_front_keeps_its_points_and_names_the_others() -> None:
    alea = np.random.default_rng(2)
    problem = make_problem(alea.uniform(1, 60, (30, 10)))
    tours: list[int] = []

    def cancelled() -> bool:
        return len(tours) >= 3

    trouve = front(problem, Moyen.SITES, range(1, 9), Arret(cancelled=cancelled), progress=lambda *a: tours.append(1))
    assert 1 <= len(trouve.points) <= 3
    assert len(trouve.points) + len(trouve.sans_reponse) == 8
    assert all(point.solution.bilan.status is not Statut.IRREALISABLE for point in trouve.points)


def test_odd_ceilings_are_told_or_are_none() -> None:
    problem = replace(problem_of(Modele.MEDIANE), sites_min=1)
    trouve = front(problem, Moyen.ANNUEL, (-5, 30, float("inf")), Arret())
    assert trouve.impossibles == (-5,)
    assert [point.plafond for point in trouve.points] == [30, float("inf")]
    assert front(problem, Moyen.SITES, (float("inf"),), Arret()).points[0].depense == 8
