"""Fronts: one problem a point, monotone, each point what the solver alone finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from accueil.controle import check
from accueil.fronts import Moyen, front
from accueil.probleme import Modele, make_problem
from accueil.solveur import solve
from territoires.calcul import Arret


@pytest.mark.parametrize("modele", [Modele.MEDIANE, Modele.COUVERTURE_MAX, Modele.CENTRE])
def test_more_sites_never_serve_worse(modele: Modele) -> None:
    alea = np.random.default_rng(1)
    problem = make_problem(alea.uniform(1, 60, (40, 15)), modele, poids=alea.integers(1, 9, 40), seuil=12.0)
    points = front(problem, Moyen.SITES, [1, 2, 3, 4, 5], Arret())
    assert [point.plafond for point in points] == [1, 2, 3, 4, 5]
    couts = [float(point.solution.bilan.cost) for point in points]
    assert couts == sorted(couts, reverse=True)
    for point in points:
        pose = replace(problem, sites_max=int(point.plafond))
        check(pose, point.solution)
        assert float(point.solution.bilan.cost) == pytest.approx(float(solve(pose, Arret()).bilan.cost))
        assert point.depense == point.solution.parties.sites
        poids = problem.populations.sum()
        assert point.moyenne == pytest.approx(point.solution.parties.minutes / poids)
        assert point.couvert == pytest.approx(1 - (point.solution.parties.non_couvert or 0) / poids)


def test_budgets_too_small_are_left_out_and_dominated_points_are_told() -> None:
    problem = make_problem([[1.0, 30.0], [30.0, 1.0]], cout_annuel=[10.0, 20.0], sites_min=1)
    points = front(problem, Moyen.ANNUEL, [5, 10, 15, 30], Arret())
    assert [point.plafond for point in points] == [10, 15, 30]
    assert [point.depense for point in points] == [10, 10, 30]
    assert [point.domine for point in points] == [False, True, False]


def test_stopped_front_keeps_its_points() -> None:
    alea = np.random.default_rng(2)
    problem = make_problem(alea.uniform(1, 60, (30, 10)))
    tours: list[int] = []

    def cancelled() -> bool:
        return len(tours) >= 3

    points = front(problem, Moyen.SITES, range(1, 9), Arret(cancelled=cancelled), progress=lambda *a: tours.append(1))
    assert 1 <= len(points) <= 3
