"""The solver against the brute force: same least objective, proven, allowed; nothing feasible said when nothing is."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accueil import listes, voie_directe
from accueil.amorce import first_answer
from accueil.controle import check
from accueil.evaluation import proven
from accueil.mip import Reponse
from accueil.moteur import solve_mip
from accueil.probleme import Capacites, Modele, Problem
from accueil.rayons import reachable
from accueil.resultat import Solution
from accueil.solveur import solve
from accueil.suivi import Suivi
from accueil.vue import make_vue
from territoires.calcul import Arret, Statut, silent

from .cas import TRAITS, draw_problem, draw_traits, impossible
from .exact import CENTRES, solve_exact
from .oreille import Oreille
from .programme import solve_program

#: Random cases of each model and way to count capacities; each rule is in four of ten of them.
CAS = 100


def generator(graine: int, modele: Modele, capacites: Capacites) -> np.random.Generator:
    return np.random.default_rng([graine, list(Modele).index(modele), list(Capacites).index(capacites)])


def answer(problem: Problem, seed: int = 0) -> Solution:
    """Solved to the proof and checked."""
    solution = solve(problem, Arret(), seed, silent)
    check(problem, solution)
    return solution


def compare(problem: Problem, seed: int) -> bool:
    """Whether there is an answer; raises where the solver and the brute force differ."""
    exact = solve_exact(problem)
    solution = answer(problem, seed)
    if not exact.faisable:
        assert solution.bilan.status is Statut.IRREALISABLE
        return False
    assert solution.bilan.status is Statut.OPTIMAL
    assert float(solution.bilan.cost) == pytest.approx(exact.cout, rel=1e-6, abs=1e-6)
    if problem.modele in CENTRES:
        assert solution.parties.rayon == pytest.approx(exact.rayon, rel=1e-9, abs=1e-9)
    return True


@pytest.mark.parametrize("capacites", Capacites)
@pytest.mark.parametrize("modele", Modele)
def test_the_solver_equals_the_brute_force(modele: Modele, capacites: Capacites) -> None:
    faisables = 0
    for graine in range(CAS):
        problem = draw_problem(generator(graine, modele, capacites), modele, capacites)
        try:
            faisables += compare(problem, graine)
        except AssertionError as faute:
            raise AssertionError(f"case {graine} of {modele}, {capacites}: {faute}") from faute
    assert CAS * 0.4 < faisables < CAS, "cases must be neither all feasible nor mostly infeasible"


@pytest.mark.parametrize("modele", Modele)
def test_every_rule_was_in_a_hundred_cases_of_every_model(modele: Modele) -> None:
    """What the test above drew, counted without solving."""
    vus: Counter[str] = Counter()
    for capacites in Capacites:
        for graine in range(CAS):
            vus.update(draw_traits(generator(graine, modele, capacites), modele))
    assert all(vus[trait] >= 100 for trait in TRAITS if not impossible(modele, trait)), vus


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from(Modele), st.sampled_from(Capacites))
def test_any_case(graine: int, modele: Modele, capacites: Capacites) -> None:
    compare(draw_problem(np.random.default_rng([graine, 99]), modele, capacites), graine % 1000)


#: What the plain program states; see its module.
PROGRAMMES = [
    (modele, capacites)
    for modele in Modele
    for capacites in Capacites
    if modele is not Modele.CENTRE_PUIS_MEDIANE and (modele, capacites) != (Modele.CENTRE, Capacites.PARTAGEE)
]


@pytest.mark.parametrize(("modele", "capacites"), PROGRAMMES)
def test_larger_cases_equal_one_plain_integer_program(modele: Modele, capacites: Capacites) -> None:
    """Up to 60 x 20: what reduced costs and branching leave out must not be missed."""
    for graine in range(5):
        compare_program(draw_problem(np.random.default_rng([graine, 31]), modele, capacites, tailles=(60, 20)), graine)


def test_cut_lists_lose_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists cut as in problems a hundred times as large; branching left to the program."""
    monkeypatch.setattr(listes, "LISTES_ENTIERES", 0)
    monkeypatch.setattr(listes, "AU_DELA", 0)
    monkeypatch.setattr(voie_directe, "TRANCHES_INTERDITS", 0)
    programmes: list[int] = []

    def count(*args: Any, **kwargs: Any) -> Reponse:
        programmes[-1] += 1
        return solve_mip(*args, **kwargs)

    monkeypatch.setattr(listes, "solve_mip", count)
    for graine in range(60):
        alea = np.random.default_rng([graine, 32])
        traits = None if graine % 2 else frozenset({"inatteignable", "nombre", "mix"})
        programmes.append(0)
        compare_program(draw_problem(alea, Modele.MEDIANE, Capacites.AUCUNE, traits, (60, 20)), graine)
    assert sum(fois > 0 for fois in programmes) >= 15


def test_lists_too_short_are_enlarged_until_the_answer_is_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of nearest sites alone, a relaxation far too cheap at first, with and without an answer at hand."""
    monkeypatch.setattr(listes, "LISTES_ENTIERES", 0)
    resolus = 0
    for graine in range(40):
        traits = None if graine % 2 else frozenset({"inatteignable", "nombre", "mix"})
        problem = draw_problem(
            np.random.default_rng([graine, 33]), Modele.MEDIANE, Capacites.AUCUNE, traits, tailles=(60, 20)
        )
        attendu = solve_program(problem)
        vue = make_vue(problem)
        if np.isinf(attendu) or not vue.n or not vue.m:
            continue
        suivi = Suivi(vue, Arret(), graine, silent)
        if graine % 3:
            # Even a poor answer must not close the proof.
            debut = first_answer(vue)
            assert debut is not None
            suivi.offer(debut[0], debut[1])
        proches = reachable(vue).min(axis=1)
        gap = listes.gap_of(vue, attendu)
        assert listes.median_on_lists(vue, suivi, np.zeros(vue.m, dtype=np.int8), proches, gap, Arret(), graine)
        assert suivi.cout == pytest.approx(attendu, rel=2e-6, abs=2e-6)
        assert proven(suivi.cout, suivi.borne)
        assert suivi.borne <= attendu + 2e-6 * max(1.0, attendu)
        resolus += 1
    assert resolus >= 20


def compare_program(problem: Problem, seed: int) -> None:
    attendu = solve_program(problem)
    solution = answer(problem, seed)
    if np.isinf(attendu):
        assert solution.bilan.status is Statut.IRREALISABLE
    else:
        assert solution.bilan.status is Statut.OPTIMAL
        assert float(solution.bilan.cost) == pytest.approx(attendu, rel=2e-6, abs=2e-6)


def rank(solution: Solution) -> tuple[float, Decimal]:
    """What is better is less: the radius first where it is what is minimised first."""
    rayon = solution.parties.rayon if solution.modele is Modele.CENTRE_PUIS_MEDIANE else 0.0
    return rayon, solution.bilan.cost


@pytest.mark.parametrize("capacites", Capacites)
@pytest.mark.parametrize("modele", Modele)
def test_what_is_stopped_at_once_is_still_allowed_and_never_lost(modele: Modele, capacites: Capacites) -> None:
    """One iteration, no time, or cancelled: the answers told on the way and the last one all pass the checker."""
    reponses = 0
    for graine in range(6):
        problem = draw_problem(np.random.default_rng([graine, 41]), modele, capacites)
        for stop in (Arret(iterations=1), Arret(seconds=0), Arret(cancelled=lambda: True)):
            oreille = Oreille()
            solution = solve(problem, stop, graine, oreille)
            check(problem, solution)
            reponses += solution.bilan.status is not Statut.IRREALISABLE
            for vue in oreille.vues:
                check(problem, vue)
                assert solution.bilan.status is not Statut.IRREALISABLE
                assert rank(solution) <= rank(vue)
    assert reponses >= 3, "a first answer is nearly always at hand"


@pytest.mark.parametrize("capacites", Capacites)
@pytest.mark.parametrize("modele", Modele)
def test_same_seed_and_iterations_same_answer(modele: Modele, capacites: Capacites) -> None:
    for graine in range(4):
        problem = draw_problem(np.random.default_rng([graine, 51]), modele, capacites, tailles=(25, 10))
        un, deux = (solve(problem, Arret(iterations=40), graine, silent) for _ in range(2))
        assert un.niveaux.tolist() == deux.niveaux.tolist()
        assert (un.bilan.cost, un.bilan.bound, un.bilan.status) == (
            deux.bilan.cost,
            deux.bilan.bound,
            deux.bilan.status,
        )


def test_bounds_of_what_is_interrupted_hold() -> None:
    """Whatever the iterations, no bound told or kept is above the optimum."""
    for rang, (modele, capacites) in enumerate(PROGRAMMES):
        problem = draw_problem(np.random.default_rng([rang, 61]), modele, capacites, tailles=(60, 20))
        optimum = solve_program(problem)
        for iterations in (1, 4, 20):
            oreille = Oreille()
            solution = solve(problem, Arret(iterations=iterations), rang, oreille)
            check(problem, solution)
            if solution.bilan.bound is not None:
                oreille.bornes.append(float(solution.bilan.bound))
            assert max(oreille.bornes, default=-np.inf) <= optimum + 2e-6 * max(1.0, abs(optimum))
