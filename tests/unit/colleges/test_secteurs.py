"""The best sector at given prices, against all of them; connected parts without centres."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collèges.decoupage import split
from collèges.graphe import adjacency
from collèges.probleme import F64
from collèges.secteurs import best_sectors
from territoires.calcul import Arret

from .cas import graph


def _load(charge: float, bas: float, haut: float) -> float:
    return 60.0 * max(0.0, bas - charge) + 60.0 * max(0.0, charge - haut)


def _reached(indptr: np.ndarray, indices: np.ndarray, porte: int, zones: set[int]) -> set[int]:
    vues, file = {porte}, [porte]
    while file:
        u = file.pop()
        for v in indices[indptr[u] : indptr[u + 1]].tolist():
            if v in zones and v not in vues:
                vues.add(v)
                file.append(v)
    return vues


@settings(max_examples=80)
@given(st.integers(0, 100_000), st.integers(1, 10), st.booleans())
def test_the_best_sector_is_found_and_bounded(seed: int, n: int, grille: bool) -> None:
    rng = np.random.default_rng(seed)
    _, _, arete, longueur = graph(rng, n, grille)
    indptr, indices = adjacency(n, arete, longueur)
    porte = int(rng.integers(n))
    poids: F64 = np.round(rng.uniform(0, 100, n) * (rng.random(n) < 0.8))
    gain: F64 = np.round(rng.uniform(-4000, 3000, n), 1)
    bas, haut = float(rng.integers(0, 150)), float(rng.integers(150, 300))
    possible = rng.random(n) < 0.9
    meilleur = -_load(0.0, bas, haut)
    for k in range(1, n + 1):
        for choix in combinations(np.flatnonzero(possible).tolist(), k):
            if set(choix) <= _reached(indptr, indices, porte, set(choix)):
                zones = list(choix)
                meilleur = max(meilleur, float(gain[zones].sum()) - _load(float(poids[zones].sum()), bas, haut))
    haute, secteurs, valeurs, _ = best_sectors(
        indptr, indices, porte, possible, np.zeros(n, dtype=np.bool_), gain, poids, 0.0, bas, haut, 60.0, 60.0,
        -1e15, 1e-6, 100_000, 8, 0.0,
    )  # fmt: skip
    assert haute == pytest.approx(meilleur, abs=1e-3)
    for secteur, valeur in zip(secteurs, valeurs, strict=True):
        zones = np.flatnonzero(secteur).tolist()
        assert set(zones) <= _reached(indptr, indices, porte, set(zones))
        assert valeur == pytest.approx(float(gain[zones].sum()) - _load(float(poids[zones].sum()), bas, haut), abs=1e-6)
    # Cut short, what is said is still a bound.
    courte = best_sectors(
        indptr, indices, porte, possible, np.zeros(n, dtype=np.bool_), gain, poids, 0.0, bas, haut, 60.0, 60.0,
        -1e15, 0.0, 3, 8, 0.0,
    )[0]  # fmt: skip
    assert courte >= meilleur - 1e-6


def test_a_grid_is_cut_in_two_along_its_short_side() -> None:
    _, _, arete, longueur = graph(np.random.default_rng(0), 16, True)
    arete = arete[longueur > 0]
    partage = split(arete, np.ones(16), 2, 8.0, 8.0, Arret(iterations=6, target=4.0))
    assert partage.coupees == 4.0
    for k in range(2):
        dedans = set(np.flatnonzero(partage.partie == k).tolist())
        assert len(dedans) == 8
        indptr, indices = adjacency(16, arete, np.ones(len(arete)))
        assert _reached(indptr, indices, min(dedans), dedans) == dedans


@pytest.mark.parametrize(("n", "k"), [(1, 1), (2, 1), (2, 2), (4, 1)])
def test_parts_that_nothing_can_move(n: int, k: int) -> None:
    """One node without any border (degree 0), one part, or as many parts as nodes."""
    arete = np.array([(i, i + 1) for i in range(n - 1)], dtype=np.int32).reshape(-1, 2)
    partage = split(arete, np.ones(n), k, n / k, n / k, Arret(iterations=1))
    assert np.bincount(partage.partie, minlength=k).tolist() == [n // k] * k
    assert partage.coupees == k - 1
    # Outside the window there is none.
    assert split(arete, np.ones(n), k, n / k + 1, n / k + 2, Arret(iterations=1)).partie.tolist() == [-1] * n


def test_a_graph_in_pieces_is_refused() -> None:
    with pytest.raises(ValueError, match="sans lien"):
        split(np.array([[0, 1]], dtype=np.int32), np.ones(3), 1, 0.0, 3.0, Arret(iterations=1))
