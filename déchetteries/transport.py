"""The transport problem with a paid excess, by HiGHS (Huangfu and Hall 2018, simplex) on the columns that matter.

    min  sum w_ij x_ij + p sum s_j
    s.t. sum_j x_ij = d_i          every visit of point i goes somewhere
         sum_i x_ij - s_j <= K_j   capacity of centre j, s_j visits above it
         x, s >= 0

It always has an answer. Its dual gives each limited centre a price v_j in [0, p], what one more place is worth; any
such prices prove a bound, sum_i d_i min_j (w_ij + v_j) - sum_j K_j v_j, which the checker computes again.

Each point starts with its few lightest centres; the prices then tell which other couples could do better
(w_ij + v_j < min over those it has), they are added, and the simplex goes on from where it was, until there are none.
What is found is then the best of all couples.

Pure module: no Django, no database.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from territoires.calcul import Arret

from .probleme import F64

#: Share of a point's visits below which a flow is rounding noise.
BRUIT = 1e-9
#: Centres each point starts with.
COLONNES_AU_DEPART = 6
#: € a visit under which a couple that would do better is rounding noise (HiGHS's dual tolerance is 1e-7).
SEUIL = 1e-7

I32 = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Plan:
    """Flows sorted by row then centre: ligne, centre (k,) int32, visites (k,) float64; prix (C,) float64."""

    ligne: I32
    centre: I32
    visites: F64
    prix: F64


def transport(poids: F64, demande: F64, capacite: F64, surcharge: float, stop: Arret, seed: int) -> Plan | None:
    """Best flows of ``demande`` (D,) visits; ``poids`` (D, C) € a visit, inf = not allowed, at least one a row finite.

    ``capacite`` (C,), inf = not limited. None when stopped before the end.
    """
    moteur, limites = _engine(demande, capacite, surcharge, seed)
    if stop.cancelled is not None:
        moteur.cbSimplexInterrupt.subscribe(lambda e: e.interrupt(stop.reached()))
    d, m = len(demande), len(limites)
    rang_limite = np.full(len(capacite), -1)
    rang_limite[limites] = np.arange(m)
    # A visit never pays more than its lightest centre's price and an excess there.
    possible = np.isfinite(poids) & (poids <= poids.min(axis=1, keepdims=True) + surcharge + SEUIL)
    pris = _lightest(np.where(possible, poids, np.inf), COLONNES_AU_DEPART)
    ligne, centre = np.nonzero(pris)
    ajout = (ligne, centre)
    while True:
        _add(moteur, *ajout, poids[ajout], d, rang_limite)
        if np.isfinite(stop.remaining()):
            # HiGHS counts from the object's making.
            moteur.setOptionValue("time_limit", moteur.getRunTime() + stop.remaining())
        moteur.run()
        if moteur.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        reponse = moteur.getSolution()
        prix = np.zeros(len(capacite))
        prix[limites] = np.clip(-np.asarray(reponse.row_dual)[d:], 0.0, surcharge)
        vu = np.where(possible, poids + prix, np.inf)
        mieux = vu < np.where(pris, vu, np.inf).min(axis=1, keepdims=True) - SEUIL
        if not mieux.any():
            break
        if stop.reached():
            return None
        i, j = np.nonzero(mieux)
        ajout = (i, j)
        pris |= mieux
        ligne, centre = np.append(ligne, ajout[0]), np.append(centre, ajout[1])
    return _plan(ligne, centre, np.asarray(reponse.col_value)[m:], demande, prix)


def _engine(demande: F64, capacite: F64, surcharge: float, seed: int) -> tuple[Any, NDArray[np.int64]]:
    """HiGHS with the rows and the excess columns, and the limited centres."""
    limites = np.flatnonzero(np.isfinite(capacite))
    d, m = len(demande), len(limites)
    infini = highspy.kHighsInf
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = m, d + m
    lp.col_cost_ = np.full(m, surcharge)
    lp.col_lower_, lp.col_upper_ = np.zeros(m), np.full(m, infini)
    lp.row_lower_ = np.concatenate([demande, np.full(m, -infini)])
    lp.row_upper_ = np.concatenate([demande, capacite[limites]])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.arange(m + 1, dtype=np.int32)
    lp.a_matrix_.index_ = (d + np.arange(m)).astype(np.int32)
    lp.a_matrix_.value_ = np.full(m, -1.0)
    moteur: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    moteur.setOptionValue("output_flag", False)
    moteur.setOptionValue("threads", 1)
    moteur.setOptionValue("random_seed", int(seed) % 2_147_483_647)
    moteur.passModel(lp)
    return moteur, limites


def _lightest(poids: F64, nombre: int) -> NDArray[np.bool_]:
    """The ``nombre`` smallest finite entries of each row, (D, C) bool; ties go to the first."""
    rangs = np.argsort(poids, axis=1, kind="stable")[:, :nombre]
    choisis = np.zeros(poids.shape, dtype=np.bool_)
    np.put_along_axis(choisis, rangs, True, axis=1)
    return choisis & np.isfinite(poids)


def _add(
    moteur: Any, ligne: NDArray[np.int64], centre: NDArray[np.int64], cout: F64, d: int, rang_limite: NDArray[np.int64]
) -> None:
    """Add one column a couple: one visit of its point's row, and one place of its centre's where that is limited."""
    limite = rang_limite[centre] >= 0
    debut = np.concatenate([[0], np.cumsum(1 + limite)]).astype(np.int32)
    indice = np.empty(debut[-1], dtype=np.int32)
    indice[debut[:-1]] = ligne
    indice[debut[:-1][limite] + 1] = d + rang_limite[centre[limite]]
    k = len(ligne)
    moteur.addCols(
        k, cout, np.zeros(k), np.full(k, highspy.kHighsInf), len(indice), debut[:-1], indice, np.ones(len(indice))
    )


def _plan(ligne: NDArray[np.int64], centre: NDArray[np.int64], flux: F64, demande: F64, prix: F64) -> Plan:
    garde = flux > BRUIT * np.maximum(demande[ligne], 1.0)
    ligne, centre, flux = ligne[garde], centre[garde], flux[garde]
    # Rounding noise of the simplex goes back to the point it came from.
    flux = flux * (demande / np.bincount(ligne, weights=flux, minlength=len(demande)))[ligne]
    ordre = np.lexsort((centre, ligne))
    return Plan(ligne[ordre].astype(np.int32), centre[ordre].astype(np.int32), flux[ordre], prix)
