"""The transport problem on the columns that matter finds the optimum of all of them."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from déchetteries import transport as module
from déchetteries.transport import transport
from territoires.calcul import Arret


def best(poids: np.ndarray, demande: np.ndarray, capacite: np.ndarray, surcharge: float) -> float:
    """Optimum over every column, by scipy."""
    d = len(poids)
    i, j = np.nonzero(np.isfinite(poids))
    limites = np.flatnonzero(np.isfinite(capacite))
    egal = np.zeros((d, len(i) + len(limites)))
    egal[i, np.arange(len(i))] = 1
    borne = np.zeros((len(limites), len(i) + len(limites)))
    for rang, centre in enumerate(limites):
        borne[rang, : len(i)] = j == centre
        borne[rang, len(i) + rang] = -1
    trouve = linprog(
        np.concatenate([poids[i, j], np.full(len(limites), surcharge)]),
        A_ub=borne if len(limites) else None,
        b_ub=capacite[limites] if len(limites) else None,
        A_eq=egal,
        b_eq=demande,
    )
    assert trouve.success
    return float(trouve.fun)


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.sampled_from([0.5, 5.0, 200.0]))
def test_few_columns_at_first_and_the_optimum_of_all_in_the_end(graine: int, depart: int, surcharge: float) -> None:
    rng = np.random.default_rng(graine)
    d, c = rng.integers(1, 25), rng.integers(1, 14)
    poids = rng.integers(0, 60, size=(d, c)) / 4.0
    poids[rng.random((d, c)) < 0.3] = np.inf
    poids[np.arange(d), rng.integers(0, c, d)] = rng.integers(0, 60, d) / 4.0
    demande = rng.integers(1, 300, d).astype(float)
    capacite = np.where(rng.random(c) < 0.8, rng.integers(0, 400, c), np.inf).astype(float)
    with patch.object(module, "COLONNES_AU_DEPART", depart):
        plan = transport(poids, demande, capacite, surcharge, Arret(), 1)
    assert plan is not None
    assert np.bincount(plan.ligne, weights=plan.visites, minlength=d) == pytest.approx(demande)
    charge = np.bincount(plan.centre, weights=plan.visites, minlength=c)
    pese = (plan.visites * poids[plan.ligne, plan.centre]).sum() + surcharge * np.maximum(charge - capacite, 0).sum()
    assert pese == pytest.approx(best(poids, demande, capacite, surcharge), rel=1e-7, abs=1e-5)
    # The prices prove it: no couple, taken or not, could do better.
    limite = plan.prix > 0
    prouve = (demande * (poids + plan.prix).min(axis=1)).sum() - (plan.prix[limite] * capacite[limite]).sum()
    assert prouve == pytest.approx(pese, rel=1e-6, abs=1e-4)


def _large() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    x, y = rng.uniform(0, 100, (3000, 2)), rng.uniform(0, 100, (80, 2))
    demande = rng.integers(1, 2000, 3000).astype(float)
    poids = np.hypot(*(x[:, None] - y[None]).transpose(2, 0, 1))
    return poids, demande, np.full(80, demande.sum() / 80 * 1.05)


def test_stopping_gives_nothing_and_soon() -> None:
    poids, demande, capacite = _large()
    demandes = 0

    def cancelled() -> bool:
        nonlocal demandes
        demandes += 1
        return demandes > 5

    assert transport(poids, demande, capacite, 50.0, Arret(cancelled=cancelled), 1) is None
    assert 5 < demandes < 50
    assert transport(poids, demande, capacite, 50.0, Arret(seconds=0.0), 1) is None


def test_equal_seeds_give_equal_plans() -> None:
    poids, demande, capacite = _large()
    a, b = (transport(poids[:400], demande[:400], capacite / 8, 50.0, Arret(), 5) for _ in range(2))
    assert a is not None and b is not None
    assert np.array_equal(a.visites, b.visites) and np.array_equal(a.centre, b.centre)
