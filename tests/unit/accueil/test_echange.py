"""The fast interchange against its definition: values, local optimality, locks, seeds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accueil.echange import descend, draw, generator, greedy, random_open, shake, value


def case(seed: int, m: int = 12, n: int = 25) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.random.Generator]:
    alea = np.random.default_rng(seed)
    cout = alea.integers(0, 40, (m, n)).astype(np.float64)
    fixe = alea.integers(0, 30, m).astype(np.float64) if seed % 2 else np.zeros(m)
    verrou = alea.choice([0, 0, 0, 0, 1, -1], m).astype(np.int8)
    return cout, fixe, verrou, alea


def objective(cout: np.ndarray, fixe: np.ndarray, ouvert: np.ndarray) -> float:
    return float(cout[ouvert > 0].min(axis=0).sum() + fixe[ouvert > 0].sum())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(0, 3))
def test_descent_ends_where_no_swap_insertion_or_removal_helps(seed: int, p_min: int, plus: int) -> None:
    cout, fixe, verrou, _ = case(seed)
    m = len(fixe)
    p_min = max(p_min, int((verrou > 0).sum()))
    p_max = min(p_min + plus, int((verrou >= 0).sum()))
    if p_max < p_min:
        return
    ouvert = np.zeros(m, dtype=np.int8)
    hasard = generator(seed)
    random_open(verrou, p_min, ouvert, hasard)
    avant = value(cout, fixe, ouvert)
    valeur, reste = descend(cout, fixe, verrou, p_min, p_max, ouvert, hasard, 10**9)
    assert reste > 0
    assert valeur <= avant
    assert valeur == pytest.approx(objective(cout, fixe, ouvert))
    assert p_min <= ouvert.sum() <= p_max
    assert np.all(ouvert[verrou > 0] == 1)
    assert np.all(ouvert[verrou < 0] == 0)
    libres = np.flatnonzero((verrou == 0) & (ouvert == 1))
    fermes = np.flatnonzero((verrou == 0) & (ouvert == 0))
    voisins = [(a, b) for a in libres for b in fermes]
    voisins += [(-1, b) for b in fermes if ouvert.sum() < p_max]
    voisins += [(a, -1) for a in libres if ouvert.sum() > max(p_min, 1)]
    for sort, entre in voisins:
        autre = ouvert.copy()
        if sort >= 0:
            autre[sort] = 0
        if entre >= 0:
            autre[entre] = 1
        assert objective(cout, fixe, autre) >= valeur - 1e-6, (sort, entre)


def test_work_is_cut_and_resumes() -> None:
    cout, fixe, verrou, _ = case(3, 30, 200)
    verrou[:] = 0
    ouvert = np.zeros(30, dtype=np.int8)
    hasard = generator(1)
    random_open(verrou, 5, ouvert, hasard)
    valeurs = []
    for _ in range(200):
        valeur, reste = descend(cout, fixe, verrou, 5, 5, ouvert, hasard, 5_500)
        valeurs.append(valeur)
        if reste:
            break
    assert reste > 0
    assert len(valeurs) > 2
    assert valeurs == sorted(valeurs, reverse=True)


def test_greedy_adds_the_best_site_each_time() -> None:
    cout, _, _, _ = case(4)
    fixe, verrou = np.zeros(12), np.zeros(12, dtype=np.int8)
    ouvert = np.zeros(12, dtype=np.int8)
    greedy(cout, fixe, verrou, 3, 3, ouvert)
    choisis: list[int] = []
    for _ in range(3):
        choisis.append(min(set(range(12)) - set(choisis), key=lambda j: (cout[[*choisis, j]].min(axis=0).sum(), j)))
    assert sorted(choisis) == list(np.flatnonzero(ouvert))


def test_same_seed_same_numbers_and_all_are_drawn() -> None:
    a, b = generator(7), generator(7)
    tirages = [draw(a, 10) for _ in range(500)]
    assert tirages == [draw(b, 10) for _ in range(500)]
    assert set(tirages) == set(range(10))
    assert tirages != [draw(generator(8), 10) for _ in range(500)]


def test_shaking_keeps_count_and_locks() -> None:
    verrou = np.array([1, -1, 0, 0, 0, 0, 0, 0], dtype=np.int8)
    ouvert = np.array([1, 0, 1, 1, 0, 0, 0, 0], dtype=np.int8)
    hasard = generator(2)
    vus = set()
    for force in (1, 2, 3):
        autre = ouvert.copy()
        shake(verrou, autre, force, hasard)
        assert autre.sum() == 3
        assert autre[0] == 1
        assert autre[1] == 0
        vus.add(tuple(autre))
    assert len(vus) > 1
