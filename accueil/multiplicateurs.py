"""Further rules of the p-median without capacity, relaxed at a price: the core is solved again and again under prices.

Budgets and minima of collectivités are rows over the sites; shares to cover and the term of equity are rows over what
is not covered. Each has a multiplier, which changes the sites' costs and the demands' costs; the core's bound then
bounds the whole problem, and the sets it finds are made to fit the rows by a local search (`descend_rows`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from territoires.calcul import Arret

from .coeur import Noyau, Trouve, solve_core
from .echange import F64, I8
from .evaluation import nearest_flows, proven, satisfies
from .lagrangien import fix
from .rangees import descend_rows
from .suivi import Suivi
from .voie_directe import margin_of
from .vue import Vue

#: Times that the prices change, and without a better bound before the step is halved.
TOURS, PATIENCE = 25, 3


@dataclass(frozen=True, eq=False)
class Rangees:
    """Rules as rows: ``a`` (k, m) over open levels at most ``b`` (k,); over what is not covered, who belongs (q, n) and
    how much weight may be missed (q,); the groups of the term of equity (e, n), their weights (e,) and its price."""

    a: F64
    b: F64
    qui: NDArray[np.bool_]
    reste: F64
    groupes: NDArray[np.bool_]
    total: F64
    equite: float


def rows_of(vue: Vue) -> Rangees:
    """The rules of a view."""
    problem = vue.probleme
    a: list[F64] = []
    b: list[float] = []
    for budget, cout in (
        (problem.budget_ouverture, problem.cout_ouverture),
        (problem.budget_annuel, problem.cout_annuel),
    ):
        if budget is not None:
            # A row in units of its own limit: steps then fit all of them.
            echelle = max(budget, 1e-9)
            a.append(cout[vue.niveau] / echelle)
            b.append(budget / echelle)
    minima = problem.sites_min_groupe
    if minima is not None:
        for g in np.flatnonzero(minima > 0):
            a.append(-(problem.site_groupe[vue.site] == g).astype(np.float64) / minima[g])
            b.append(-1.0)
    parts = vue.parts
    equite = vue.equite if problem.equite_poids > 0 else []
    return Rangees(
        a=np.array(a).reshape(len(a), vue.m),
        b=np.array(b),
        qui=np.array([dans for dans, _ in parts], dtype=np.bool_).reshape(len(parts), vue.n),
        reste=np.array([reste for _, reste in parts]),
        groupes=np.array([dans for dans, _ in equite], dtype=np.bool_).reshape(len(equite), vue.n),
        total=np.array([total for _, total in equite]),
        equite=problem.equite_poids,
    )


@dataclass(frozen=True, eq=False)
class Prix:
    """Multipliers of the rows, of the shares to cover, of the groups of equity."""

    ligne: F64
    part: F64
    groupe: F64


def solve_priced(vue: Vue, noyau: Noyau, suivi: Suivi, vide: float, stop: Arret, seed: int) -> tuple[F64, I8]:
    """Bounds and answers into ``suivi``. ``noyau``: the core without these rules; ``vide``: cost of opening
    nothing, where that is allowed (else inf). Returns multipliers of the demands (n,) at the best
    bound, and locks of levels (m,)."""
    r = rows_of(vue)
    prix = Prix(np.zeros(len(r.b)), np.zeros(len(r.reste)), np.zeros(len(r.total)))
    mieux: tuple[float, Trouve, float] | None = None
    depart: I8 | None = None
    facteur, sans = 1.0, 0
    meilleur_prix = prix
    for _ in range(TOURS):
        if stop.reached(suivi.iterations):
            break
        cout, fixe, constante = _priced(vue, noyau, r, prix)
        # Priced costs are not whole, whatever the others are.
        prise = replace(noyau, cout=cout, fixe=fixe, marge=margin_of(cout), entier=False)
        trouve = solve_core(prise, stop, seed, lambda *_: None, depart=depart, tranches=0)
        suivi.iterations += trouve.iterations
        borne = min(trouve.proven(prise) + constante, vide)
        if mieux is None or borne > mieux[0] + 1e-9 * abs(borne):
            mieux, meilleur_prix, sans = (borne, trouve, constante), prix, 0
            suivi.bound(min(borne, suivi.cout))
        else:
            sans += 1
        depart = trouve.ouvert
        _offer(vue, cout, noyau, r, trouve.ouvert, suivi)
        if suivi.found and proven(suivi.cout, suivi.borne):
            break
        if not np.isfinite(borne):
            # Stopped before the first bound.
            break
        if sans >= PATIENCE:
            facteur, sans, prix = facteur * 0.5, 0, meilleur_prix
        suivant = _step(vue, r, prix, trouve.ouvert, suivi, borne, facteur)
        if suivant is None:
            break
        prix = suivant
    if mieux is None:
        return np.zeros(vue.n), noyau.verrou
    return mieux[1].u, _locks(noyau, mieux[1], mieux[2], suivi)


def _priced(vue: Vue, noyau: Noyau, r: Rangees, prix: Prix) -> tuple[F64, F64, float]:
    """Costs (m, n) and (m,) under the prices, and what they give back."""
    fixe = noyau.fixe + prix.ligne @ r.a
    par_demande = (prix.part @ r.qui + prix.groupe @ r.groupes) * vue.poids
    cout = noyau.cout
    if par_demande.any():
        cout = np.ascontiguousarray(cout + (~vue.couvre * par_demande[:, None]).T)
    return cout, np.ascontiguousarray(fixe), -float(prix.ligne @ r.b) - float(prix.part @ r.reste)


def _offer(vue: Vue, cout: F64, noyau: Noyau, r: Rangees, ouvert: I8, suivi: Suivi) -> None:
    """Make a set fit the rows, by swaps that cost least, and offer it."""
    essai = ouvert.copy()
    # The prices of what is not covered stay in the costs: they keep shares fed while rows are repaired.
    descend_rows(cout, noyau.fixe, noyau.verrou, r.a, r.b, noyau.p_min, noyau.p_max, essai)
    for ensemble in (essai, ouvert):
        niveaux = vue.niveau[ensemble > 0]
        if len(np.unique(vue.site[ensemble > 0])) < len(niveaux):
            continue
        flux = nearest_flows(vue.probleme, niveaux)
        if satisfies(vue.probleme, niveaux, flux):
            suivi.offer(niveaux, flux)


def _step(vue: Vue, r: Rangees, prix: Prix, ouvert: I8, suivi: Suivi, borne: float, facteur: float) -> Prix | None:
    """Prices moved along what the set misses; None when it misses nothing that has a price."""
    ouverts = ouvert > 0
    manque = ~vue.couvre[:, ouverts].any(axis=1) * vue.poids
    ligne = r.a[:, ouverts].sum(axis=1) - r.b
    # Shares in units of the weight that they are about.
    masse = np.maximum((r.qui * vue.poids).sum(axis=1), 1e-9)
    part = (r.qui @ manque - r.reste) / masse
    groupe = r.groupes @ manque / np.maximum(r.total, 1e-9)
    if len(groupe):
        groupe = groupe - groupe.mean()
    norme = float(
        (np.where((prix.ligne > 0) | (ligne > 0), ligne, 0.0) ** 2).sum()
        + (np.where((prix.part > 0) | (part > 0), part, 0.0) ** 2).sum()
        + (groupe**2).sum()
    )
    if norme < 1e-16:
        return None
    ecart = suivi.cout - borne if suivi.found else 0.1 * abs(borne) + 1.0
    pas = facteur * max(ecart, 1e-3 * abs(borne)) / norme
    nouveau = np.maximum(0.0, prix.groupe * r.total + pas * groupe) if len(groupe) else prix.groupe
    if len(groupe):
        # Together they are worth at most the price of equity; the rest of it goes to all alike.
        base = nouveau if nouveau.sum() > 0 else np.ones(len(groupe))
        nouveau = base / base.sum() * r.equite / np.maximum(r.total, 1e-9)
    return Prix(
        np.maximum(0.0, prix.ligne + pas * ligne),
        np.maximum(0.0, prix.part * masse + pas * part) / masse,
        nouveau,
    )


def _locks(noyau: Noyau, trouve: Trouve, constante: float, suivi: Suivi) -> I8:
    """Levels whose other state would push the bound above the best answer."""
    verrou = noyau.verrou.copy()
    if suivi.found and np.isfinite(trouve.etat[0]):
        marge = 1e-7 * max(1.0, abs(suivi.cout))
        borne = float(trouve.etat[0]) + constante
        fix(verrou, trouve.rho, trouve.choix, borne, trouve.etat[3], trouve.etat[4], suivi.cout + 2 * marge, marge)
    return verrou
