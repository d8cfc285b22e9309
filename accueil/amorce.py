"""A first answer in one look, for when the time was too short to find any other. Pure module: numpy only.

Required sites, then one site after the other, the one that brings most, as far as numbers and budgets allow; failing
that, everything open. With capacities, whole demands in descending volume to the nearest level that has room.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .evaluation import Flux, nearest_flows, satisfies, sorted_flows
from .probleme import F64, Capacites, Modele, Problem
from .vue import Vue

#: Most sites added one by one: each is a reading of the matrix.
PAS = 80

I64 = NDArray[np.int64]


def first_answer(vue: Vue) -> tuple[I64, Flux] | None:
    """Open levels and flows that respect every rule, None where none of the tries does."""
    problem = vue.probleme
    if not vue.m:
        essais: Iterator[I64] = iter([np.zeros(0, dtype=np.int64)])
    else:
        essais = _tries(vue)
    for essai in essais:
        niveaux = np.sort(vue.niveau[essai]) if len(essai) else essai
        flux = nearest_flows(problem, niveaux) if problem.capacites is Capacites.AUCUNE else _fill(vue, essai)
        if satisfies(problem, niveaux, flux):
            return niveaux, flux
    return None


def _tries(vue: Vue) -> Iterator[I64]:
    """Sets of columns of the view worth trying, one level a site."""
    problem = vue.probleme
    yield _greedy(vue)
    # One level of each site: the nearest, the cheapest, the largest.
    cout = problem.cout_ouverture[vue.niveau] + problem.cout_annuel[vue.niveau]
    for cle in (problem.attente[vue.niveau], cout, -vue.capacite):
        ordre = np.lexsort((cle, vue.site))
        yield ordre[np.unique(vue.site[ordre], return_index=True)[1]]


def _greedy(vue: Vue) -> I64:
    """Required sites and collectivités first, then what brings most, until nothing fits or nothing is gained."""
    problem = vue.probleme
    loin = 2.0 * float(vue.minutes[np.isfinite(vue.minutes)].max(initial=1.0))
    minutes = np.minimum(vue.minutes, loin)
    proche, couvert = np.full(vue.n, loin), np.zeros(vue.n, dtype=np.bool_)
    distance = problem.modele not in (Modele.COUVERTURE_MAX, Modele.COUVERTURE_TOTALE)
    ouverts: list[int] = []
    while len(ouverts) < min(vue.sites_max, PAS + len(vue.requis)):
        possible = _fitting(vue, ouverts)
        for urgent in (np.isin(vue.site, vue.requis), _owed(problem, vue, ouverts)):
            if (possible & urgent).any():
                possible &= urgent
                break
        if not possible.any():
            break
        gain: F64 = loin * (vue.poids @ (vue.couvre & ~couvert[:, None]))
        if distance:
            gain += vue.poids @ np.maximum(0.0, proche[:, None] - minutes)
        choix = int(np.argmax(np.where(possible, gain, -1.0)))
        if gain[choix] <= 0 and len(ouverts) >= max(problem.sites_min, 1):
            break
        ouverts.append(choix)
        proche = np.minimum(proche, minutes[:, choix])
        couvert |= vue.couvre[:, choix]
    return np.array(ouverts, dtype=np.int64)


def _fitting(vue: Vue, ouverts: list[int]) -> NDArray[np.bool_]:
    """Levels (m,) of closed sites that both budgets still pay."""
    problem = vue.probleme
    possible = ~np.isin(vue.site, vue.site[ouverts])
    for couts, budget in (
        (problem.cout_ouverture[vue.niveau], problem.budget_ouverture),
        (problem.cout_annuel[vue.niveau], problem.budget_annuel),
    ):
        if budget is not None:
            possible &= couts <= budget - couts[ouverts].sum() + 1e-9
    return np.asarray(possible, dtype=np.bool_)


def _owed(problem: Problem, vue: Vue, ouverts: list[int]) -> NDArray[np.bool_]:
    """Levels (m,) in collectivités that still lack sites."""
    if problem.sites_min_groupe is None:
        return np.zeros(vue.m, dtype=np.bool_)
    groupe = problem.site_groupe[vue.site]
    dans = groupe[ouverts]
    manque = np.bincount(dans[dans >= 0], minlength=len(problem.groupes)) < problem.sites_min_groupe
    return np.asarray((groupe >= 0) & manque[groupe], dtype=np.bool_)


def _fill(vue: Vue, essai: I64) -> Flux:
    """Whole demands to the nearest of these columns that has room for them."""
    reste = vue.capacite[essai].copy()
    demande, niveau = [], []
    for i in np.argsort(-vue.volume, kind="stable"):
        for j in np.argsort(vue.minutes[i, essai], kind="stable"):
            if np.isfinite(vue.minutes[i, essai[j]]) and vue.volume[i] <= reste[j]:
                reste[j] -= vue.volume[i]
                demande.append(int(vue.demande[i]))
                niveau.append(int(vue.niveau[essai[j]]))
                break
    return sorted_flows(np.array(demande, dtype=np.int64), np.array(niveau, dtype=np.int64), np.ones(len(demande)))
