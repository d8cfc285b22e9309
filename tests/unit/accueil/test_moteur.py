"""HiGHS here and in the child: same answers, limits, cancellation, a killed child."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from accueil import moteur
from accueil.mip import Lignes, Mip, Verdict
from accueil.moteur import close_all, prepare, solve_mip
from territoires.calcul import Arret


@pytest.fixture(autouse=True)
def no_child_left() -> Iterator[None]:
    yield
    close_all()


def knapsack(n: int, seed: int = 1) -> Mip:
    """Several knapsack rows over the same objects: easy to fill, slow to prove when large."""
    alea = np.random.default_rng(seed)
    lignes = Lignes()
    x = lignes.columns(-alea.integers(10, 99, n).astype(float), entier=True)
    for _ in range(max(2, n // 10)):
        poids = alea.integers(5, 60, n).astype(float)
        lignes.row(x, poids, -np.inf, float(poids.sum() // 3))
    return lignes.build()


def test_small_program_by_hand() -> None:
    lignes = Lignes()
    x = lignes.columns([-5.0, -4.0, -3.0], entier=True)
    lignes.row(x, [2.0, 3.0, 1.0], -np.inf, 5.0)
    lignes.constante = 10.0
    reponse = solve_mip(lignes.build(), Arret())
    assert reponse.verdict is Verdict.OPTIMAL
    assert reponse.objectif == pytest.approx(1.0)
    assert reponse.borne == pytest.approx(1.0)
    assert reponse.x == pytest.approx([1, 1, 0])


def test_child_answers_as_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    mip = knapsack(30)
    ici = solve_mip(mip, Arret())
    monkeypatch.setattr(moteur, "PETIT", 0)
    suivis: list[float] = []
    la = solve_mip(mip, Arret(), ecoute=lambda x, objectif, borne: suivis.append(objectif))
    assert la.verdict is ici.verdict is Verdict.OPTIMAL
    assert la.objectif == pytest.approx(ici.objectif)
    assert min(suivis, default=la.objectif) == pytest.approx(la.objectif)


@pytest.mark.parametrize("petit", [0, 10**9], ids=["child", "here"])
def test_infeasible_and_empty(monkeypatch: pytest.MonkeyPatch, petit: int) -> None:
    monkeypatch.setattr(moteur, "PETIT", petit)
    lignes = Lignes()
    x = lignes.columns([1.0, 1.0], entier=True)
    lignes.row(x, 1.0, 3.0, np.inf)
    assert solve_mip(lignes.build(), Arret()).verdict is Verdict.IRREALISABLE
    vide = Lignes(constante=2.0)
    assert solve_mip(vide.build(), Arret()).objectif == 2.0
    vide.row([], [], 1.0, np.inf)
    assert solve_mip(vide.build(), Arret()).verdict is Verdict.IRREALISABLE


def test_limit_keeps_the_best_point_and_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moteur, "PETIT", 0)
    prepare()
    mip = knapsack(200)
    debut = time.monotonic()
    reponse = solve_mip(mip, Arret(seconds=2.0))
    # A quarter of a second late on an idle machine; left to itself it would take minutes.
    assert time.monotonic() - debut < 20
    assert reponse.verdict is Verdict.REALISABLE
    assert reponse.x is not None
    assert reponse.objectif == pytest.approx(float(mip.cout @ reponse.x), abs=1e-3)
    assert reponse.borne < reponse.objectif


def test_cancellation_is_seen_at_once_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moteur, "PETIT", 0)
    mip = knapsack(200)
    vu: list[float] = []
    demande: list[float] = []

    def cancelled() -> bool:
        if vu and not demande and time.monotonic() - vu[0] > 0.3:
            demande.extend((time.monotonic(), time.process_time()))
        return bool(demande)

    reponse = solve_mip(
        mip, Arret(cancelled=cancelled), ecoute=lambda x, *_: vu.append(time.monotonic()) if x is not None else None
    )
    # The promise is 50 ms on an idle machine: in processor time, which a loaded one does not blur.
    assert time.process_time() - demande[1] < 0.25
    assert time.monotonic() - demande[0] < 10
    assert reponse.verdict is Verdict.REALISABLE
    # The killed child is replaced.
    assert solve_mip(knapsack(20), Arret()).verdict is Verdict.OPTIMAL


def test_a_child_that_dies_costs_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moteur, "PETIT", 0)
    prepare()
    enfant = moteur._LIBRES[0]
    vu: list[float] = []

    def follow(x: np.ndarray | None, objectif: float, borne: float) -> None:
        if x is not None and not vu:
            vu.append(objectif)
            os.kill(enfant.processus.pid, signal.SIGKILL)

    reponse = solve_mip(knapsack(200), Arret(seconds=20), ecoute=follow)
    assert vu
    assert reponse.verdict is Verdict.REALISABLE
    assert reponse.objectif <= vu[0]


def test_this_process_may_work_while_the_child_solves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moteur, "PETIT", 0)
    prepare()
    fois: list[int] = []
    reponse = solve_mip(knapsack(200), Arret(seconds=1.5), pendant=lambda: fois.append(1))
    assert reponse.verdict is Verdict.REALISABLE
    assert len(fois) >= 5
    fois.clear()
    monkeypatch.setattr(moteur, "PETIT", 10**9)
    solve_mip(knapsack(20), Arret(), pendant=lambda: fois.append(1))
    assert not fois, "nobody waits for what is solved here"


def test_start_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moteur, "PETIT", 0)
    mip = knapsack(40)
    optimum = solve_mip(mip, Arret())
    assert optimum.x is not None
    # With the optimum given and nothing better allowed, the first point told is as good.
    premiers: list[float] = []
    solve_mip(
        replace(mip, cout=mip.cout), Arret(), depart=np.round(optimum.x),
        ecoute=lambda x, objectif, _b: premiers.append(objectif) if x is not None else None,
    )  # fmt: skip
    assert premiers[0] == pytest.approx(optimum.objectif)
