"""A piece's program against all that it allows: every answer is contiguous, and costs what its plan does."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_matrix

from collèges.morceau import Morceau, build
from collèges.probleme import AUCUN, Problem
from collèges.programme import solve
from collèges.solveur import Recherche
from territoires.calcul import Arret, silent

from .cas import make_case, problems

#: Answers of one piece tried at most.
PLANS = 3_000


def linear(problem: Problem) -> Problem:
    """Without social mix, which no piece counts."""
    return replace(problem, regles=replace(problem.regles, poids_ecart_ips=0.0, poids_dissimilarite=0.0))


def search(problem: Problem) -> Recherche:
    return Recherche(problem, Arret(iterations=1), 1, silent)


def piece(recherche: Recherche, colleges: list[int]) -> Morceau | None:
    return build(recherche.d, recherche.m, recherche.longueurs, colleges, recherche.problem.present)


def answers(morceau: Morceau) -> list[tuple[np.ndarray, float]] | None:
    """All choices that the rows allow, with what each one costs at least; None when they are too many."""
    p, k = morceau.programme, len(morceau.zone)
    choix = [np.flatnonzero(morceau.zone == zone).tolist() for zone in np.unique(morceau.zone)]
    if np.prod([float(len(c)) for c in choix]) > PLANS:
        return None
    matrice = csc_matrix((p.valeur, p.ligne, p.debut), shape=(len(p.ligne_bas), len(p.cout))).toarray()
    # Each further column is what one row is above its limit.
    trop = matrice[:, k:]
    assert ((trop == 0.0) | (trop == -1.0)).all()
    assert (trop.sum(axis=0) == -1.0).all() and (trop.sum(axis=1) >= -1.0).all()
    souple, prix = trop.any(axis=1), -trop @ p.cout[k:]
    trouves = []
    for plan in itertools.product(*choix):
        point = np.zeros(k)
        point[list(plan)] = 1.0
        valeur = matrice[:, :k] @ point
        dur = ~souple
        if (valeur[dur] > p.ligne_haut[dur] + 1e-9).any() or (valeur[dur] < p.ligne_bas[dur] - 1e-9).any():
            continue
        paye = prix[souple] @ np.maximum(0.0, valeur[souple] - p.ligne_haut[souple])
        trouves.append((point, float(p.cout[:k] @ point + paye)))
    return trouves


def prove(recherche: Recherche, colleges: list[int]) -> int:
    """Checks one piece, whose best answer becomes the plan in hand; returns how many answers it has."""
    morceau = piece(recherche, colleges)
    if morceau is None or (tous := answers(morceau)) is None:
        return 0
    avant = float(recherche.m.totaux[2])
    en_main = float(morceau.programme.cout @ morceau.depart)
    meilleur = np.inf
    for point, cout in tous:
        autre = recherche.memory(*morceau.plan(point, recherche.m))
        assert autre is not None, "cuts zones off"
        ecart = float(autre.totaux[2]) - avant
        assert cout - en_main == pytest.approx(ecart, abs=1e-5 + 1e-9 * abs(avant))
        meilleur = min(meilleur, ecart)
    assert meilleur <= 1e-6, "the plan in hand is not among them"
    reponse = solve(morceau.programme, float("inf"), None, morceau.depart)
    assert reponse.x is not None
    autre = recherche.memory(*morceau.plan(reponse.x, recherche.m))
    assert autre is not None
    assert float(autre.totaux[2]) - avant == pytest.approx(meilleur, abs=1e-3 + 2e-6 * abs(reponse.objectif))
    recherche.m = autre
    return len(tous)


@settings(max_examples=200)
@given(problems(zones=(2, 9), colleges=(2, 3)), st.integers(0, 9))
def test_every_answer_of_a_piece_is_a_plan_that_costs_what_it_says(problem: Problem, seed: int) -> None:
    recherche = search(linear(problem))
    rng = np.random.default_rng(seed)
    c = problem.n_colleges
    prove(recherche, sorted(rng.choice(c, int(rng.integers(2, c + 1)), replace=False).tolist()))


def with_rule(nom: str, graine: int) -> Problem:
    """A map of 8 zones where one rule is alone but for travel and places, and two zones are shared."""
    base = make_case(graine, 8, 3, g=2, t=1, regles=False, partages=0.25)
    rng = np.random.default_rng([graine, 7])
    changes: dict[str, dict[str, Any]] = {
        "passages": {"passages_max": np.full((2, 2), float(rng.integers(1, 60)))},
        "ensemble": {"ensemble": rng.integers(AUCUN, 2, 8).astype(np.int32)},
        "zones": {"regles": replace(base.regles, max_zones=float(rng.integers(0, 3)))},
        "eleves": {"regles": replace(base.regles, max_eleves=float(rng.integers(0, 90)))},
    }
    return replace(base, **changes[nom])


@pytest.mark.parametrize("nom", ["passages", "ensemble", "zones", "eleves"])
def test_a_piece_counts_each_linear_rule(nom: str) -> None:
    """Each rule alone, two collèges, two others, then all three, each piece from the plan that the one before found."""
    vus = 0
    for graine in range(25):
        recherche = search(with_rule(nom, graine))
        for colleges in ([0, 1], [1, 2], [0, 1, 2]):
            vus += prove(recherche, colleges) > 1
    assert vus > 60
