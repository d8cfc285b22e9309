"""Access rules in every regime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from déchetteries.acces import AUCUN, Acces, Regle

# Two départements 42 (key 1) and 43 (key 2), EPCI 10 and 11 in 42, 20 in 43, 30 on both sides.
POINTS = [(0, 1, 10), (0, 1, 11), (0, 1, 30), (1, 2, 20), (1, 2, 30), (1, 2, AUCUN)]
# Centres of EPCI 10, 11, 20, of 30 lying in 42, of the département 43, of an EPCI 99 outside the study.
CENTRES = [(0, 10, True), (0, 11, True), (1, 20, True), (0, 30, True), (1, 2, False), (-1, 99, True)]


def make_acces(**changes: Any) -> Acces:
    champs: dict[str, Any] = {
        "groupes": np.array([1, 2]),
        "point_groupe": np.array([p[0] for p in POINTS], dtype=np.int16),
        "point_departement": np.array([p[1] for p in POINTS]),
        "point_epci": np.array([p[2] for p in POINTS]),
        "population": np.array([100.0, 100, 50, 300, 50, 10]),
        "centre_groupe": np.array([c[0] for c in CENTRES], dtype=np.int16),
        "proprietaire": np.array([c[1] for c in CENTRES]),
        "proprietaire_epci": np.array([c[2] for c in CENTRES]),
    }
    return Acces(**(champs | changes))


def _open(table: np.ndarray, point: int) -> list[int]:
    return np.flatnonzero(table[point]).tolist()


SEUL_42, SEUL_43, ENSEMBLE = np.array([True, False]), np.array([False, True]), np.array([True, True])


def test_alone_then_together() -> None:
    acces = make_acces()
    assert _open(acces.allowed(SEUL_42, ()), 0) == [0, 1, 3]
    assert _open(acces.allowed(SEUL_42, ()), 3) == []
    assert _open(acces.allowed(SEUL_43, ()), 3) == [2, 4]
    assert _open(acces.allowed(ENSEMBLE, ()), 0) == [0, 1, 2, 3, 4]


def test_an_epci_over_the_limit_serves_all_its_inhabitants() -> None:
    assert _open(make_acces().allowed(SEUL_43, ()), 4) == [2, 3, 4]


def test_each_epci_for_itself_when_alone_only() -> None:
    acces = make_acces(interne="epci")
    assert _open(acces.allowed(SEUL_42, ()), 0) == [0]
    assert _open(acces.allowed(SEUL_43, ()), 3) == [2, 4]
    assert _open(acces.allowed(SEUL_43, ()), 5) == [2, 4]
    assert _open(acces.allowed(ENSEMBLE, ()), 0) == [0, 1, 2, 3, 4]


def test_explicit_rules_hold_in_every_regime_and_the_particular_wins() -> None:
    acces = make_acces()
    regles = (Regle(5, 10, True), Regle(2, 1, True), Regle(2, 11, False), Regle(0, 10, False))
    assert _open(acces.allowed(SEUL_42, regles), 0) == [1, 2, 3, 5]
    assert _open(acces.allowed(SEUL_42, regles), 1) == [0, 1, 3]
    assert _open(acces.allowed(ENSEMBLE, regles), 0) == [1, 2, 3, 4, 5]
    assert _open(acces.allowed(ENSEMBLE, regles), 1) == [0, 1, 3, 4]


def test_capacity_is_shared_once_between_those_entitled() -> None:
    acces = make_acces()
    regles = (Regle(2, 1, True),)
    parts = acces.outside_shares(acces.alone(regles))
    # Centre 2 (43, 360 inhabitants) is open to the 250 of 42.
    assert parts[0, 2] == pytest.approx(250 / 610)
    capacite = np.array([1000.0, 1000, 6100, np.inf, 1000, 1000])
    assert acces.capacity(SEUL_42, capacite, parts).tolist() == pytest.approx([1000, 1000, 2500, np.inf, 0, 0])
    assert acces.capacity(SEUL_43, capacite, parts)[2] == pytest.approx(3600)
    assert acces.capacity(ENSEMBLE, capacite, parts)[2] == pytest.approx(6100)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([1, 2, 10, 11, 20, 30, 99]), st.booleans()), max_size=6))
def test_no_partition_counts_a_place_twice(regles: list[tuple[int, int, bool]]) -> None:
    acces = make_acces()
    liste = tuple(Regle(*r) for r in regles)
    seul = acces.alone(liste)
    parts = acces.outside_shares(seul)
    capacite = np.full(6, 1000.0)
    total = acces.capacity(SEUL_42, capacite, parts) + acces.capacity(SEUL_43, capacite, parts)
    ensemble = acces.capacity(ENSEMBLE, capacite, parts)
    assert total == pytest.approx(ensemble)
    assert np.all(ensemble <= 1000.0 + 1e-9)
    # Whoever may come alone still may together, unless a refusal says otherwise: sharing takes no right away.
    assert not np.any(seul & ~acces.allowed(ENSEMBLE, liste))
