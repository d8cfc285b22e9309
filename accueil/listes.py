"""The p-median as a radius program on lists of near sites, enlarged while they bind. Pure module.

A demand served beyond its list pays only the next distance, so that the program is a relaxation: its bound stands, and
its answer is the best one where no list is exhausted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from territoires.calcul import Arret

from .coeur import whole
from .echange import I8
from .evaluation import proven
from .mip import Mip, Reponse, Verdict
from .moteur import Ecoute, solve_mip
from .probleme import F64, TOLERANCE_MINUTES, Capacites, Modele
from .rayons import median_program, reachable
from .suivi import Suivi
from .vue import Vue

#: Couples up to which lists are not cut.
LISTES_ENTIERES = 20_000
#: Sites kept in a list beyond the multiplier.
AU_DELA = 3
#: Times that cut lists are enlarged before they are given whole.
AGRANDIR = 6


def gap_of(vue: Vue, cout: float) -> float:
    """Difference of objectives that counts as proven: nearly one unit where every answer is a whole number."""
    problem = vue.probleme
    if problem.equite_poids == 0 and problem.capacites is not Capacites.PARTAGEE and whole(vue.fixe):
        if problem.modele is Modele.COUVERTURE_TOTALE:
            return 0.999
        if problem.modele is Modele.COUVERTURE_MAX and whole(vue.poids):
            return 0.999
        if problem.modele is Modele.MEDIANE:
            minutes = vue.minutes[np.isfinite(vue.minutes)]
            prix = problem.minutes_non_servi
            if whole(minutes) and whole(vue.poids) and (prix is None or float(prix).is_integer()):
                return 0.999
    return 2e-7 * max(1.0, abs(cout) if np.isfinite(cout) else 1.0)


def whole_bound(borne: float, gap: float) -> float:
    """A bound rounded up where answers are whole numbers (``gap`` says so)."""
    return float(np.ceil(borne - 1e-5)) if gap > 0.5 and np.isfinite(borne) else borne


def open_array(vue: Vue, suivi: Suivi) -> I8:
    """Levels (m,) of the best answer."""
    return np.isin(vue.niveau, suivi.niveaux).astype(np.int8)


def fixed(mip: Mip, y: NDArray[np.int64], verrou: I8) -> Mip:
    """The program with levels locked open (1) or closed (-1)."""
    bas, haut = mip.bas.copy(), mip.haut.copy()
    bas[y[verrou > 0]] = 1.0
    haut[y[verrou < 0]] = 0.0
    return Mip(
        mip.cout, bas, haut, mip.entier, mip.debut, mip.colonne, mip.valeur, mip.ligne_bas, mip.ligne_haut,
        mip.constante,
    )  # fmt: skip


def listen(vue: Vue, suivi: Suivi, y: NDArray[np.int64], gap: float, marge: float = 0.0) -> Ecoute:
    """Answers and bounds of a program told to ``suivi``; ``marge`` as in `median_on_lists`."""

    def better(x: F64 | None, objectif: float, borne: float) -> None:
        if x is not None:
            suivi.propose(vue.niveau[x[y] > 0.5])
        suivi.bound(min(whole_bound(borne, gap), suivi.cout - marge))

    return better


def conclude(
    vue: Vue, suivi: Suivi, reponse: Reponse, y: NDArray[np.int64], gap: float, marge: float = 0.0
) -> bool | None:
    """What a program ended with, told to ``suivi``; false when nothing is feasible, None when not known."""
    suivi.iterations += 1 + reponse.noeuds
    if reponse.verdict is Verdict.IRREALISABLE:
        # Nothing but what the locks leave out, and the best answer.
        if suivi.found:
            suivi.bound(suivi.cout - marge)
        return suivi.found
    if reponse.x is not None:
        suivi.propose(vue.niveau[reponse.x[y] > 0.5])
    suivi.bound(min(whole_bound(reponse.borne, gap), suivi.cout - marge))
    return True if suivi.found else None


def cut_lists(vue: Vue, suivi: Suivi, u: F64) -> F64:
    """Minutes (n,) at which each list may be cut: some sites beyond the multiplier ``u`` (n,), as far as the best
    answer goes, and all that is within a threshold which rules speak of."""
    minutes = reachable(vue)
    triees = np.sort(minutes, axis=1)
    rang = (triees <= (u / vue.poids)[:, None]).sum(axis=1) + AU_DELA
    limites = triees[np.arange(vue.n), np.minimum(rang, vue.m) - 1]
    if suivi.found:
        limites = np.maximum(limites, minutes[:, open_array(vue, suivi) > 0].min(axis=1, initial=np.inf))
    if vue.probleme.seuil is not None and (vue.parts or vue.probleme.equite_poids > 0):
        limites = np.maximum(limites, vue.probleme.seuil + 2 * TOLERANCE_MINUTES)
    return np.asarray(limites, dtype=np.float64)


def median_on_lists(
    vue: Vue, suivi: Suivi, verrou: I8, listes: F64, gap: float, stop: Arret, seed: int, marge: float = 0.0
) -> bool | None:
    """Fill ``suivi``; false when nothing is feasible, None when not known.

    ``verrou``: locks of levels (m,); what they leave out is better than the best answer by ``marge`` at most.
    ``listes`` (n,): minutes at which lists are cut at first.
    """
    minutes = reachable(vue)
    limites: F64 | None = listes
    for essai in range(AGRANDIR + 1):
        if essai == AGRANDIR or vue.n * vue.m <= LISTES_ENTIERES:
            limites = None
        programme = median_program(vue, limites)
        mip = fixed(programme.mip, programme.y, verrou)
        point = None
        if suivi.found:
            point = np.zeros(len(mip.cout))
            point[programme.y] = open_array(vue, suivi)
        reponse = solve_mip(
            mip, stop, gap_abs=gap, depart=point, ecoute=listen(vue, suivi, programme.y, gap, marge), seed=seed
        )
        faisable = conclude(vue, suivi, reponse, programme.y, gap, marge)
        if reponse.verdict is not Verdict.OPTIMAL or limites is None or proven(suivi.cout, suivi.borne):
            return faisable
        assert reponse.x is not None
        proche = minutes[:, reponse.x[programme.y] > 0.5].min(axis=1, initial=np.inf)
        serre = proche > limites
        if not serre.any():
            return faisable
        suivante = np.where(minutes > limites[:, None], minutes, np.inf).min(axis=1)
        plus_loin = np.where(np.isfinite(proche), proche, 2 * suivante)
        limites = np.where(serre, np.maximum(plus_loin, suivante), limites)
    return True if suivi.found else None
