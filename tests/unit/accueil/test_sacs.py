"""Single-source core: knapsack bound under the optimum, answers that hold, local search that ends."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accueil.controle import check
from accueil.evaluation import satisfies
from accueil.listes import gap_of
from accueil.probleme import Capacites, Etat, Problem, make_problem
from accueil.sacs import assign_all, improve, total_cost
from accueil.solveur import solve
from accueil.source_unique import _Recherche, applies
from accueil.suivi import Suivi
from accueil.vue import make_vue
from territoires.calcul import Arret, silent


def case(seed: int, entier: bool = True) -> Problem:
    alea = np.random.default_rng(seed)
    d, s = 7, 4
    volume = alea.integers(1, 9, d).astype(float) if entier else alea.uniform(1, 9, d)
    etat = np.zeros(s)
    etat[alea.integers(0, s)] = alea.choice([Etat.CANDIDAT, Etat.REQUIS])
    return make_problem(
        alea.integers(0, 30, (d, s)),
        poids=alea.integers(1, 5, d),
        capacites=Capacites.UNIQUE,
        volume=volume,
        capacite=alea.uniform(0.5, 1.1, s) * volume.sum() * 0.6,
        cout_ouverture=alea.integers(0, 60, s) if seed % 2 else np.zeros(s),
        poids_ouverture=1.0,
        sites_max=int(alea.integers(2, 5)),
        etat=etat,
    )


def optimum(problem: Problem) -> float:
    """Every assignment of every demand; inf when none holds."""
    poids = problem.populations[:, 0]
    cout = problem.minutes.astype(float) * poids[:, None]
    requis = set(np.flatnonzero(problem.etat == Etat.REQUIS))
    mieux = np.inf
    for choix in itertools.product(range(problem.n_sites), repeat=problem.n_demandes):
        ouverts = set(choix) | requis
        if len(ouverts) > (problem.sites_max or 9):
            continue
        charge = np.bincount(choix, weights=problem.volume, minlength=problem.n_sites)
        if np.any(charge > problem.capacite * (1 + 1e-12)):
            continue
        mieux = min(
            mieux,
            float(cout[np.arange(problem.n_demandes), list(choix)].sum() + problem.cout_ouverture[list(ouverts)].sum()),
        )
    return float(mieux)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_bound_answer_and_locks_surround_the_optimum(seed: int, entier: bool) -> None:
    problem = case(seed, entier)
    vue = make_vue(problem)
    assert applies(vue)
    stop = Arret()
    suivi = Suivi(vue, stop, seed, silent)
    recherche = _Recherche(vue, suivi, stop, seed)
    if recherche.p_max < recherche.p_min:
        return
    recherche.start()
    recherche.run(gap_of(vue, 1.0))
    exact = optimum(problem)
    assert suivi.borne <= exact + 1e-6
    if suivi.found:
        solution = suivi.solution()
        assert suivi.flux is not None
        assert satisfies(problem, suivi.niveaux, suivi.flux)
        assert float(solution.bilan.cost) >= exact - 1e-6
    # Nothing better than the best answer may be locked out.
    if suivi.found and exact < suivi.cout - 1.0:
        verrou = recherche.locks(0.999)
        libre = make_problem_with_locks(problem, verrou)
        assert optimum(libre) == pytest.approx(exact)


def make_problem_with_locks(problem: Problem, verrou: np.ndarray) -> Problem:
    """Closed sites hold nothing, open ones are required."""
    etat = np.where(verrou > 0, Etat.REQUIS, problem.etat).astype(np.int8)
    return replace(problem, etat=etat, capacite=np.where(verrou < 0, 0.0, problem.capacite))


def test_local_search_improves_and_keeps_its_accounts() -> None:
    alea = np.random.default_rng(3)
    m, n = 8, 60
    cout, fixe = alea.uniform(0, 50, (m, n)), alea.uniform(0, 20, m)
    vol, cap = alea.integers(1, 9, n).astype(float), np.full(m, 80.0)
    ouvert = np.array([1, 1, 1, 1, 1, 0, 0, 0], dtype=np.int8)
    verrou = np.array([1, 0, 0, 0, 0, 0, 0, -1], dtype=np.int8)
    affecte, charge = np.zeros(n, dtype=np.int32), np.zeros(m)
    # Sites open in the order of the array, demands given without looking at their costs.
    assign_all(np.zeros_like(cout), vol, cap, ouvert, affecte, charge, 100.0)
    avant, _ = total_cost(cout, fixe, cap, ouvert, affecte, charge, 100.0)
    improve(cout, fixe, vol, cap, verrou, ouvert, affecte, charge, 100.0)
    apres, trop = total_cost(cout, fixe, cap, ouvert, affecte, charge, 100.0)
    assert apres < avant
    assert trop == 0.0
    assert charge == pytest.approx(np.bincount(affecte, weights=vol, minlength=m))
    assert set(affecte) <= set(np.flatnonzero(ouvert))
    assert ouvert[0] == 1
    assert ouvert[7] == 0
    assert apres == pytest.approx(cout[affecte, np.arange(n)].sum() + fixe[ouvert > 0].sum())


@pytest.mark.parametrize("graine", range(3))
def test_weights_many_orders_apart_do_not_hold_the_search(graine: int) -> None:
    """Rounding shows gains that are none: a local search must end all the same."""
    alea = np.random.default_rng(graine)
    minutes, poids = alea.uniform(1, 60, (40, 10)), 10.0 ** alea.uniform(-3, 7, 40)
    problem = make_problem(
        minutes, poids=poids, capacites=Capacites.UNIQUE, capacite=np.full(10, poids.sum() / 4 * 1.05), sites_max=5
    )
    # Loops compiled.
    solve(
        make_problem(minutes[:8], capacites=Capacites.UNIQUE, capacite=np.full(10, 4.0), sites_max=3), Arret(), graine
    )
    debut = time.process_time()
    check(problem, solve(problem, Arret(seconds=1.0), graine))
    assert time.process_time() - debut < 15
