"""States of sites that may be relaxed: forbidden, required, without access for disabled people. Pure module."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from territoires.calcul import Arret

from .familles import Famille, answer, program, sites_text, told
from .mip import Verdict
from .probleme import B, Etat, Problem


def _forbidden(problem: Problem) -> B:
    return np.asarray(problem.etat == Etat.INTERDIT)


def _required(problem: Problem) -> B:
    return np.asarray(problem.etat == Etat.REQUIS)


def _without_access(problem: Problem) -> B:
    """Sites that their access keeps closed, or would once they are no longer forbidden."""
    ferme = (problem.etat == Etat.CANDIDAT) | (problem.etat == Etat.INTERDIT)
    return np.asarray(ferme & ~problem.pmr & problem.pmr_exige)


def _freed(problem: Problem, sites: B | NDArray[np.integer]) -> Problem:
    """What was required may close, and is asked no more access than before."""
    etat = problem.etat.copy()
    etat[sites] = np.where(problem.etat[sites] == Etat.REQUIS, Etat.EXISTANT, Etat.CANDIDAT)
    return replace(problem, etat=etat)


def _granted(problem: Problem, sites: B | NDArray[np.integer]) -> Problem:
    """These sites are taken as accessible."""
    pmr = problem.pmr.copy()
    pmr[sites] = True
    return replace(problem, pmr=pmr)


def _opened(libre: Problem, sites: B, signe: float, stop: Arret, seed: int) -> tuple[NDArray[np.int64], bool] | None:
    """Which of these sites open when as few (``signe`` 1) or as many (-1) of them as can be do, and whether that is
    proven; None where there is no answer."""
    prix = signe * sites[libre.niveau_site].astype(np.float64)
    vue, mip = program(libre, prix)
    reponse = answer(mip, stop, seed)
    if reponse.x is None:
        return None
    ouverts = np.unique(vue.site[reponse.x[: vue.m] > 0.5])
    return ouverts[sites[ouverts]], reponse.verdict is Verdict.OPTIMAL


def _names(problem: Problem, sites: NDArray[np.integer]) -> str:
    noms = ", ".join(f"« {problem.site_nom[s]} »" for s in sites[:5])
    return noms + (", ..." if len(sites) > 5 else "")


def _reopen(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    interdits = _forbidden(problem)
    trouve = _opened(_freed(problem, interdits), interdits, 1.0, stop, seed)
    if trouve is None or not len(trouve[0]):
        return None
    sites, prouve = trouve
    phrase = f"Ne plus interdire {sites_text(len(sites))} ({_names(problem, sites)})."
    return _freed(problem, sites), told(phrase, prouve)


def _free_required(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    requis = _required(problem)
    trouve = _opened(_freed(problem, requis), requis, -1.0, stop, seed)
    if trouve is None:
        return None
    sites = np.setdiff1d(np.flatnonzero(requis), trouve[0])
    if not len(sites):
        return None
    phrase = f"Ne plus imposer {sites_text(len(sites))} ({_names(problem, sites)})."
    return _freed(problem, sites), told(phrase, trouve[1])


def _accept(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    fermes = _without_access(problem)
    trouve = _opened(_granted(problem, fermes), fermes, 1.0, stop, seed)
    if trouve is None or not len(trouve[0]):
        return None
    sites, prouve = trouve
    phrase = (
        f"Rendre accessible{'s' if len(sites) > 1 else ''} aux personnes à mobilité réduite"
        f" {sites_text(len(sites))} ({_names(problem, sites)})."
    )
    return _granted(problem, sites), told(phrase, prouve)


INTERDITS = Famille(lambda p: bool(_forbidden(p).any()), lambda p: _freed(p, _forbidden(p)), _reopen)
REQUIS = Famille(lambda p: bool(_required(p).any()), lambda p: _freed(p, _required(p)), _free_required)
ACCES = Famille(lambda p: bool(_without_access(p).any()), lambda p: _granted(p, _without_access(p)), _accept)
