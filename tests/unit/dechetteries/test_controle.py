"""The checker refuses every broken constraint: one mutation a constraint."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from déchetteries.controle import check
from déchetteries.probleme import Problem, UnitCosts
from déchetteries.solveur import Affectation, Solution, solve
from territoires.calcul import Arret, ControleEchoue, Statut

from .fabrique import make_problem


@pytest.fixture
def problem() -> Problem:
    autorise = np.ones((4, 3), dtype=bool)
    autorise[0, 2] = False
    secondes = [[300.0, 900.0, 200.0], [600.0, 500.0, 1200.0], [np.inf, 500.0, 700.0], [np.inf, np.inf, np.inf]]
    return make_problem(
        secondes,
        autorise=autorise,
        capacite=[400.0, 600.0, np.inf],
        couts=UnitCosts(choix="cout"),
        cout_fixe=[9.0, 9, 9],
    )


@pytest.fixture
def solution(problem: Problem) -> Solution:
    found = solve(problem, Arret())
    check(problem, found)
    assert found.courante.prix.any(), "the capacity binds, else the mutations say nothing"
    return found


def _mutated(solution: Solution, nom: str = "courant", **changes: Any) -> Solution:
    affectation = dataclasses.replace(solution.affectations[nom], **changes)
    return dataclasses.replace(solution, affectations=solution.affectations | {nom: affectation})


def _flux(affectation: Affectation, *lignes: tuple[int, int, float]) -> dict[str, Any]:
    """The same flows with those of the points named replaced."""
    garde = ~np.isin(affectation.point, [i for i, _, _ in lignes])
    return {
        "point": np.concatenate([affectation.point[garde], [i for i, _, _ in lignes]]).astype(np.int32),
        "centre": np.concatenate([affectation.centre[garde], [j for _, j, _ in lignes]]).astype(np.int32),
        "visites": np.concatenate([affectation.visites[garde], [v for _, _, v in lignes]]),
    }


@pytest.mark.parametrize(
    ("lignes", "mot"),
    [
        ([(0, 2, 500.0)], "accès interdit"),
        ([(2, 0, 500.0)], "aucune route"),
        ([(0, 0, 400.0)], "place"),
        ([(0, 0, 600.0)], "place"),
        ([(0, 0, 250.0), (0, 0, 250.0)], "double"),
        ([(0, 0, 600.0), (0, 1, -100.0)], "visites"),
        ([(0, 0, float("nan"))], "visites"),
        ([(0, 7, 500.0)], "inexistant"),
        ([(1, 2, 500.0)], "ne prouvent"),
    ],
)
def test_flows(problem: Problem, solution: Solution, lignes: Any, mot: str) -> None:
    with pytest.raises(ControleEchoue, match=mot):
        check(problem, _mutated(solution, **_flux(solution.courante, *lignes)))


def test_closed_centre(problem: Problem, solution: Solution) -> None:
    ferme = dataclasses.replace(problem, actif=np.array([False, True, True]))
    with pytest.raises(ControleEchoue, match="centre fermé"):
        check(ferme, solution)


def test_lengths(problem: Problem, solution: Solution) -> None:
    with pytest.raises(ControleEchoue, match="longueurs"):
        check(problem, _mutated(solution, visites=solution.courante.visites[:-1]))
    with pytest.raises(ControleEchoue, match="points sans centre"):
        check(problem, _mutated(solution, sans_centre=np.zeros(2)))
    with pytest.raises(ControleEchoue, match="prix au lieu"):
        check(problem, _mutated(solution, prix=np.zeros(2)))


def test_left_without_centre_though_one_is_open(problem: Problem, solution: Solution) -> None:
    garde = solution.courante.point != 1
    sans = solution.courante.sans_centre.copy()
    sans[1] = 500.0
    changes = {nom: getattr(solution.courante, nom)[garde] for nom in ("point", "centre", "visites")}
    with pytest.raises(ControleEchoue, match="laissé sans centre"):
        check(problem, _mutated(solution, sans_centre=sans, **changes))


def test_inhabitants_forgotten(problem: Problem, solution: Solution) -> None:
    with pytest.raises(ControleEchoue, match="place"):
        check(problem, _mutated(solution, sans_centre=np.zeros(4)))


@pytest.mark.parametrize("prix", [[-1.0, 0.0, 0.0], [99.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
def test_prices_out_of_range(problem: Problem, solution: Solution, prix: list[float]) -> None:
    with pytest.raises(ControleEchoue, match="hors de"):
        check(problem, _mutated(solution, prix=np.array(prix)))


def test_prices_that_prove_nothing(problem: Problem, solution: Solution) -> None:
    with pytest.raises(ControleEchoue, match="ne prouvent"):
        check(problem, _mutated(solution, prix=np.zeros(3)))


def test_scenario_missing(problem: Problem, solution: Solution) -> None:
    moins = {nom: a for nom, a in solution.affectations.items() if nom != "seul:42"}
    with pytest.raises(ControleEchoue, match="scénarios"):
        check(problem, dataclasses.replace(solution, affectations=moins))


def test_the_reading_alone_is_checked_too(problem: Problem, solution: Solution) -> None:
    seul = solution.affectations["seul:42"]
    with pytest.raises(ControleEchoue, match="seul:42"):
        check(problem, _mutated(solution, "seul:42", **_flux(seul, (0, 1, 500.0))))


@pytest.mark.parametrize(
    ("changes", "mot"),
    [
        ({"cost": Decimal("1.00"), "bound": Decimal("1.00")}, "coût annoncé"),
        ({"bound": Decimal("999999.00")}, "borne annoncée"),
        ({"bound": None}, "borne absente"),
        ({"status": Statut.REALISABLE}, "statut"),
    ],
)
def test_account(problem: Problem, solution: Solution, changes: dict[str, Any], mot: str) -> None:
    bilan = dataclasses.replace(solution.bilan, **changes)
    with pytest.raises(ControleEchoue, match=mot):
        check(problem, dataclasses.replace(solution, bilan=bilan))
