"""HiGHS on a `Mip`, in this process. Its callbacks stop it and tell better points and bounds.

Only `accueil.moteur` and its child process call this. HiGHS >= 1.15.1 must not meet ortools in one process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import highspy
import numpy as np

from .mip import Mip, Reponse, Verdict
from .probleme import F64

#: Largest coefficients of a row, or of the objective, that are told as they are.
PETIT, GRAND = 1e-2, 1e5

#: Called with (best point or None, its objective, bound); true = stop.
Suivi = Callable[[F64 | None, float, float], bool]


def run(
    mip: Mip,
    seconds: float,
    gap_abs: float,
    depart: F64 | None,
    cible: float | None,
    suivi: Suivi,
    seed: int,
    noeuds: int | None = None,
) -> Reponse:
    """Solve. ``gap_abs``: difference of objectives that counts as proven; ``depart``: a point to start from;
    ``cible``: stop at a point at least so good; ``noeuds``: most branches (None = any number)."""
    if not len(mip.cout):
        return _empty(mip)
    # Coefficients far from 1 cost accuracy: the objective is told to HiGHS in units of its own size.
    plus = float(np.abs(mip.cout).max())
    echelle = plus / 1e3 if plus > 1e3 else plus if 0.0 < plus < PETIT else 1.0
    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    options: dict[str, Any] = {
        "output_flag": False,
        "threads": 1,
        "random_seed": seed % 2**31,
        "mip_rel_gap": 1e-7,
        "mip_abs_gap": max(gap_abs / echelle, 1e-9),
    }
    if np.isfinite(seconds):
        options["time_limit"] = max(seconds, 0.0)
    if noeuds is not None:
        options["mip_max_nodes"] = noeuds
    if cible is not None:
        options["objective_target"] = (cible - mip.constante) / echelle
    for nom, valeur in options.items():
        highs.setOptionValue(nom, valeur)
    highs.passModel(_model(mip, echelle))
    if depart is not None:
        point = highspy.HighsSolution()
        point.col_value = list(depart)
        highs.setSolution(point)

    mieux: list[Any] = [None, np.inf, -np.inf]

    def told(borne: float) -> None:
        if np.isfinite(borne):
            mieux[2] = max(mieux[2], borne * echelle + mip.constante)

    def improving(event: Any) -> None:
        objectif = float(event.data_out.objective_function_value) * echelle + mip.constante
        told(float(event.data_out.mip_dual_bound))
        if objectif < mieux[1]:
            mieux[0], mieux[1] = np.array(event.data_out.mip_solution), objectif
            suivi(mieux[0], objectif, mieux[2])

    def interrupted(event: Any) -> None:
        told(float(event.data_out.mip_dual_bound))
        if suivi(None, mieux[1], mieux[2]):
            event.interrupt()

    def pivot(event: Any) -> None:
        if suivi(None, mieux[1], mieux[2]):
            event.interrupt()

    if mip.entier.any():
        highs.cbMipImprovingSolution += improving
        highs.cbMipInterrupt += interrupted
    highs.cbSimplexInterrupt += pivot
    highs.run()
    return _answer(highs, mip, echelle, mieux)


def _empty(mip: Mip) -> Reponse:
    """Without columns every row is worth 0."""
    if np.any(mip.ligne_bas > 0) or np.any(mip.ligne_haut < 0):
        return Reponse(Verdict.IRREALISABLE, None, np.inf, np.inf)
    return Reponse(Verdict.OPTIMAL, np.zeros(0), mip.constante, mip.constante)


def _row_scale(mip: Mip) -> F64:
    """Factor of each row, a power of two: 1 but where its largest coefficient is far from those that HiGHS's absolute
    tolerance (1e-6) is made for."""
    facteur = np.ones(len(mip.ligne_bas))
    pleines = np.flatnonzero(np.diff(mip.debut) > 0)
    if len(pleines):
        plus = np.maximum.reduceat(np.abs(mip.valeur), mip.debut[pleines])
        voulu = np.clip(plus, PETIT, GRAND)
        facteur[pleines] = np.exp2(np.round(np.log2(voulu / np.where(plus > 0, plus, voulu))))
    return facteur


def _model(mip: Mip, echelle: float) -> highspy.HighsLp:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(mip.cout), len(mip.ligne_bas)
    lp.col_cost_ = mip.cout / echelle
    lp.col_lower_, lp.col_upper_ = mip.bas, mip.haut
    facteur = _row_scale(mip)
    lp.row_lower_, lp.row_upper_ = mip.ligne_bas * facteur, mip.ligne_haut * facteur
    valeur = mip.valeur * np.repeat(facteur, np.diff(mip.debut))
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.num_col_, lp.a_matrix_.num_row_ = lp.num_col_, lp.num_row_
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = mip.debut, mip.colonne, valeur
    if mip.entier.any():
        genres = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [genres[int(entier)] for entier in mip.entier]
    return lp


def _answer(highs: Any, mip: Mip, echelle: float, mieux: list[Any]) -> Reponse:
    etat, infos = highs.getModelStatus(), highs.getInfo()
    etats = highspy.HighsModelStatus
    noeuds = max(int(infos.mip_node_count), 0)
    if etat in (etats.kInfeasible, etats.kUnboundedOrInfeasible):
        return Reponse(Verdict.IRREALISABLE, None, np.inf, np.inf, noeuds)
    if infos.primal_solution_status == 2:
        objectif = float(infos.objective_function_value) * echelle + mip.constante
        if objectif <= mieux[1]:
            mieux[0], mieux[1] = np.array(highs.getSolution().col_value), objectif
    if etat == etats.kOptimal:
        borne = float(infos.mip_dual_bound) * echelle + mip.constante if mip.entier.any() else mieux[1]
        return Reponse(Verdict.OPTIMAL, mieux[0], mieux[1], min(borne, mieux[1]), noeuds)
    if mip.entier.any() and np.isfinite(infos.mip_dual_bound):
        mieux[2] = max(mieux[2], float(infos.mip_dual_bound) * echelle + mip.constante)
    verdict = Verdict.INCONNU if mieux[0] is None else Verdict.REALISABLE
    return Reponse(verdict, mieux[0], mieux[1], min(mieux[2], mieux[1]), noeuds)
