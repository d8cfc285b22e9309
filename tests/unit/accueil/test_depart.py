"""Earlier answers under other rules, and steps that end without a word: nothing false is proven, nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from accueil import voie_directe
from accueil.controle import check
from accueil.mip import Reponse, Verdict
from accueil.probleme import Capacites, Problem, make_problem
from accueil.solveur import solve
from territoires.calcul import Arret, Statut

from .exact import solve_exact


def tight(capacites: Capacites, **champs: Any) -> Problem:
    """Two near sites that three demands fill only if one is cut in two, and a far one."""
    minutes = [[1.0, 2.0, 9.0], [2.0, 1.0, 9.0], [1.5, 1.5, 9.0]]
    defaut: dict[str, Any] = {"poids": [2.0] * 3, "capacite": [3.0, 3.0, 9.0], "sites_max": 3}
    return make_problem(minutes, capacites=capacites, **(defaut | champs))


def test_a_shared_answer_proves_nothing_of_whole_demands() -> None:
    avant = solve(tight(Capacites.PARTAGEE), Arret())
    assert (avant.part < 1).any()
    problem = tight(Capacites.UNIQUE)
    solution = solve(problem, Arret(), depart=avant)
    check(problem, solution)
    assert solution.bilan.status is Statut.OPTIMAL
    assert float(solution.bilan.cost) == pytest.approx(solve_exact(problem).cout)


@pytest.mark.parametrize("capacites", [Capacites.UNIQUE, Capacites.PARTAGEE])
def test_who_weighs_nothing_has_no_flow_under_capacities(capacites: Capacites) -> None:
    """Without capacities everybody has one: the earlier answer is taken without it."""
    problem = tight(capacites, capacite=[9.0] * 3, populations=[[2.0], [0.0], [2.0]])
    avant = solve(replace(problem, capacites=Capacites.AUCUNE), Arret())
    assert len(avant.demande) == 3
    for stop in (Arret(), Arret(seconds=0.0)):
        solution = solve(problem, stop, depart=avant)
        check(problem, solution)
        assert solution.bilan.cost <= avant.bilan.cost


def test_a_program_that_ends_without_a_word_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child may die (memory) with time left."""

    def dead(*args: object, **kwargs: object) -> Reponse:
        return Reponse(Verdict.INCONNU, None, np.inf, -np.inf)

    monkeypatch.setattr(voie_directe, "solve_mip", dead)
    problem = make_problem([[1.0, np.inf], [np.inf, 1.0], [2.0, 3.0]], sites_max=2)
    solution = solve(problem, Arret())
    check(problem, solution)
    assert solution.bilan.status is not Statut.IRREALISABLE
