"""Bound, locks and tree against enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accueil.coeur import Noyau, solve_core
from accueil.lagrangien import climb, fix, price
from territoires.calcul import Arret

INFINI = float("inf")


def case(seed: int, m: int = 9, n: int = 14) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, int]:
    alea = np.random.default_rng(seed)
    cout = alea.integers(0, 50, (m, n)).astype(np.float64) if seed % 3 else (alea.random((m, n)) < 0.6) * 1.0
    fixe = alea.integers(0, 40, m).astype(np.float64) if seed % 2 else np.zeros(m)
    verrou = alea.choice([0, 0, 0, 0, 0, 1, -1], m).astype(np.int8)
    p_min = max(1, int((verrou > 0).sum()))
    return cout, fixe, verrou, p_min, min(p_min + seed % 4, int((verrou >= 0).sum()))


def enumerate_best(
    cout: np.ndarray, fixe: np.ndarray, verrou: np.ndarray, p_min: int, p_max: int
) -> tuple[float, list[set[int]]]:
    requis, libres = np.flatnonzero(verrou > 0), np.flatnonzero(verrou == 0)
    mieux, sets = INFINI, []
    for p in range(max(p_min, 1), p_max + 1):
        for plus in itertools.combinations(libres, max(p - len(requis), 0)):
            ouverts = [*requis, *plus]
            if len(ouverts) != p:
                continue
            valeur = float(cout[ouverts].min(axis=0).sum() + fixe[ouverts].sum())
            if valeur < mieux - 1e-9:
                mieux, sets = valeur, []
            if valeur <= mieux + 1e-9:
                sets.append(set(map(int, ouverts)))
    return mieux, sets


def sorted_lists(cout: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ordre = np.argsort(cout.T, axis=1, kind="stable").astype(np.int32)
    return np.take_along_axis(np.ascontiguousarray(cout.T), ordre, axis=1), ordre


def test_price_is_the_sum_of_what_the_multipliers_save() -> None:
    cout, fixe, verrou, _, _ = case(1)
    triee, ordre = sorted_lists(cout)
    u = np.random.default_rng(0).uniform(0, 50, cout.shape[1])
    rho = np.empty(len(fixe))
    price(triee, ordre, fixe, verrou, u, rho)
    assert rho == pytest.approx(fixe + np.minimum(0, cout - u).sum(axis=1))


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 100_000))
def test_bound_never_exceeds_the_optimum_and_locks_keep_it(seed: int) -> None:
    cout, fixe, verrou, p_min, p_max = case(seed)
    if p_max < p_min:
        return
    optimum, sets = enumerate_best(cout, fixe, verrou, p_min, p_max)
    triee, ordre = sorted_lists(cout)
    n, m = triee.shape
    u = triee[:, min(1, m - 1)].copy()
    meilleur, rho, choix, frequence = u.copy(), np.zeros(m), np.zeros(m, dtype=np.int8), np.zeros(m)
    etat = np.array([-np.inf, 1.5, 0.0, 0.0, 0.0])
    climb(
        triee, ordre, fixe, verrou, p_min, p_max, u, np.zeros(n), etat, optimum, 1e-6, 300, 20, meilleur, rho, choix,
        frequence, 10**9,
    )  # fmt: skip
    assert etat[0] <= optimum + 1e-6
    apres = verrou.copy()
    # Above the optimum by more than nothing, so that an optimal set must survive.
    fix(apres, rho, choix, etat[0], etat[3], etat[4], optimum + 1e-6, 0.0)
    ouverts, fermes = set(np.flatnonzero(apres > 0)), set(np.flatnonzero(apres < 0))
    assert any(ouverts <= s and not (fermes & s) for s in sets)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000))
def test_core_is_solved_and_proven(seed: int) -> None:
    cout, fixe, verrou, p_min, p_max = case(seed)
    if p_max < p_min:
        return
    optimum, _ = enumerate_best(cout, fixe, verrou, p_min, p_max)
    noyau = Noyau(cout, fixe, verrou, p_min, p_max, 1.0 - 1e-6)
    bornes: list[float] = []
    trouve = solve_core(noyau, Arret(), seed, lambda _o, _v, borne: bornes.append(borne))
    assert trouve.valeur == pytest.approx(optimum)
    assert trouve.closed(noyau)
    assert all(borne <= optimum + 1e-6 for borne in bornes)


def test_same_seed_and_iterations_give_the_same_answer() -> None:
    alea = np.random.default_rng(5)
    cout = alea.uniform(0, 50, (60, 300))
    noyau = Noyau(cout, np.zeros(60), np.zeros(60, dtype=np.int8), 7, 7, 1e-3)
    un, deux = (solve_core(noyau, Arret(iterations=120), 4, lambda *_: None) for _ in range(2))
    assert un.valeur == deux.valeur
    assert un.borne == deux.borne
    assert np.array_equal(un.ouvert, deux.ouvert)
    assert un.iterations == deux.iterations


def test_stopped_search_keeps_an_answer_and_a_bound() -> None:
    alea = np.random.default_rng(6)
    cout = alea.uniform(0, 50, (80, 400))
    noyau = Noyau(cout, np.zeros(80), np.zeros(80, dtype=np.int8), 6, 6, 1e-3)
    trouve = solve_core(noyau, Arret(seconds=0.0), 1, lambda *_: None)
    assert trouve.ouvert.sum() == 6
    assert trouve.valeur == pytest.approx(float(cout[trouve.ouvert > 0].min(axis=0).sum()))
    assert trouve.borne <= trouve.valeur
