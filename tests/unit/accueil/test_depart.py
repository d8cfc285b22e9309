"""Earlier answers under other rules, and steps that end without a word: nothing false is proven, nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from accueil import centre, controle_compte, probleme, programmes, voie_directe
from accueil.chiffres import access
from accueil.controle import check
from accueil.controle_chiffres import check_access
from accueil.mip import Mip, Reponse, Verdict
from accueil.moteur import mute, solve_mip
from accueil.probleme import Capacites, Modele, Problem, make_problem
from accueil.solveur import solve
from accueil.suivi import Suivi
from accueil.vue import make_vue
from territoires.calcul import Arret, Statut

from .exact import solve_exact
from .oreille import Oreille


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


def spread(modele: Modele, capacites: Capacites) -> Problem:
    """Enough distinct minutes for several steps of the bisection."""
    alea = np.random.default_rng(8)
    return make_problem(
        alea.uniform(0, 40, (12, 8)), modele, sites_max=4, capacites=capacites, capacite=np.full(8, 4.0)
    )


def first_step_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bisection has time for one program."""
    appels: list[int] = []

    def once(*args: Any, **kwargs: Any) -> Reponse:
        appels.append(1)
        if len(appels) > 1:
            return Reponse(Verdict.INCONNU, None, np.inf, -np.inf)
        return solve_mip(*args, **kwargs)

    monkeypatch.setattr(centre, "solve_mip", once)


@pytest.mark.parametrize("capacites", [Capacites.UNIQUE, Capacites.PARTAGEE])
@pytest.mark.parametrize("modele", [Modele.CENTRE, Modele.CENTRE_PUIS_MEDIANE])
def test_an_earlier_radius_is_kept_under_capacities(
    modele: Modele, capacites: Capacites, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = spread(modele, capacites)
    avant = solve(problem, Arret())
    assert avant.bilan.status is Statut.OPTIMAL
    first_step_only(monkeypatch)
    assert solve(problem, Arret()).parties.rayon > avant.parties.rayon, "the case must need more than one step"
    first_step_only(monkeypatch)
    apres = solve(problem, Arret(), depart=avant)
    check(problem, apres)
    assert apres.parties.rayon <= avant.parties.rayon


@pytest.mark.parametrize("capacites", Capacites)
@pytest.mark.parametrize("modele", [Modele.CENTRE, Modele.CENTRE_PUIS_MEDIANE])
def test_whoever_may_kill_the_solver_holds_its_last_answer(modele: Modele, capacites: Capacites) -> None:
    problem = spread(modele, capacites)
    oreille = Oreille()
    derniere = solve(problem, Arret(), 1, oreille)
    vues = oreille.vues
    assert vues
    for vue in vues:
        check(problem, vue)
    rangs = [(vue.parties.rayon, vue.bilan.cost) for vue in vues]
    assert rangs == sorted(rangs, reverse=True)
    assert rangs[-1] == (derniere.parties.rayon, derniere.bilan.cost)


def test_two_improvements_at_once_are_both_told() -> None:
    problem = make_problem([[1.0, 5.0, 3.0], [4.0, 1.0, 2.0]], sites_max=1)
    oreille = Oreille()
    suivi = Suivi(make_vue(problem), Arret(), 1, oreille)
    for niveau in (1, 0):
        suivi.offer(np.array([niveau]))
    assert [float(vue.bilan.cost) for vue in oreille.vues] == [6.0, 5.0]


@pytest.mark.parametrize("modele", list(Modele))
def test_a_time_equal_to_the_threshold_is_within_it(modele: Modele) -> None:
    """32.4 as a float32 is a little more than 32.4."""
    problem = make_problem([[32.4], [10.1]], modele, minutes_max=32.4, seuil=32.4, sites_max=1)
    solution = solve(problem, Arret())
    check(problem, solution)
    assert solution.bilan.status is Statut.OPTIMAL
    assert len(solution.demande) == 2
    acces = access(problem, solution, bandes=(32.4,))
    check_access(problem, solution, acces, None, (32.4,))
    assert acces.bandes == (1.0,)
    assert controle_compte.TOLERANCE_MINUTES == probleme.TOLERANCE_MINUTES


def test_radii_nearer_than_the_tolerance_are_told_apart() -> None:
    """The second step of the lexicographic model does not trade its radius for other minutes."""
    problem = make_problem([[20.00005, 20.0], [1.0, 15.0], [1.0, 15.0]], Modele.CENTRE_PUIS_MEDIANE, sites_max=1)
    solution = solve(problem, Arret())
    check(problem, solution)
    assert solution.niveaux.tolist() == [1]
    assert solution.bilan.status is Statut.OPTIMAL


def crumbs(modele: Modele) -> Problem:
    """Shared demands, of which one rule keeps the search of single sources away."""
    return make_problem(
        [[1.0, 2.0, 9.0], [2.0, 1.0, 9.0], [3.0, 3.0, 2.0]],
        modele,
        sites_max=2,
        seuil=5.0,
        part_min=0.5,
        capacites=Capacites.PARTAGEE,
        capacite=[9.0, 9.0, 9.0],
    )


@pytest.mark.parametrize("modele", [Modele.MEDIANE, Modele.CENTRE, Modele.COUVERTURE_MAX, Modele.COUVERTURE_TOTALE])
def test_crumbs_on_closed_levels_are_nobody(modele: Modele, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program's point may leave 5e-7 of a level open, and as much of a demand on it."""
    ajoutees: list[int] = []

    def crumbled(mip: Mip, stop: Arret, **kwargs: Any) -> Reponse:
        reponse = solve_mip(mip, stop, **kwargs | {"ecoute": mute})
        assert reponse.x is not None
        x = reponse.x.copy()
        # Columns: three levels, then the couples of the first demand, its levels in order.
        for ferme in np.flatnonzero(x[:3] < 0.5):
            if 3 + ferme < 6 and x[3:6].sum() > 0.5:
                x[ferme] += 5e-7
                x[3 + ferme] += 5e-7
                ouvert = 3 + int(np.argmax(x[3:6]))
                x[ouvert] -= 5e-7
                ajoutees.append(1)
        return replace(reponse, x=x)

    monkeypatch.setattr(programmes, "solve_mip", crumbled)
    monkeypatch.setattr(centre, "solve_mip", crumbled)
    problem = crumbs(modele)
    solution = solve(problem, Arret())
    assert ajoutees
    check(problem, solution)
    assert solution.bilan.status is Statut.OPTIMAL


def test_a_point_that_breaks_a_rule_is_not_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the program says, what it hands over is looked at before it is offered."""

    def wrong(mip: Mip, stop: Arret, **kwargs: Any) -> Reponse:
        reponse = solve_mip(mip, stop, **kwargs | {"ecoute": mute})
        # Everything open and everybody everywhere.
        return reponse if reponse.x is None else replace(reponse, x=np.ones_like(reponse.x))

    monkeypatch.setattr(programmes, "solve_mip", wrong)
    monkeypatch.setattr(centre, "solve_mip", wrong)
    for modele in Modele:
        for capacites in Capacites:
            problem = replace(crumbs(modele), capacites=capacites)
            solution = solve(problem, Arret())
            check(problem, solution)


def test_good_sites_with_bad_shares_are_shared_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A point that overfills a level: its sites are kept."""
    appels: list[int] = []

    def overfull(mip: Mip, stop: Arret, **kwargs: Any) -> Reponse:
        reponse = solve_mip(mip, stop, **kwargs | {"ecoute": mute})
        assert reponse.x is not None
        appels.append(1)
        if len(appels) > 1:
            return reponse
        x = reponse.x.copy()
        # Columns: three levels, then the couples, level after level of each demand: all to the first one.
        x[3:12] = [1.0, 0.0, 0.0] * 3
        return replace(reponse, x=x)

    monkeypatch.setattr(programmes, "solve_mip", overfull)
    problem = replace(crumbs(Modele.MEDIANE), capacite=np.array([1.5, 1.5, 0.0]), minutes_max=20.0)
    solution = solve(problem, Arret())
    check(problem, solution)
    assert len(appels) == 2
    assert solution.bilan.status is Statut.OPTIMAL
    assert float(solution.bilan.cost) == pytest.approx(solve_exact(problem).cout)
