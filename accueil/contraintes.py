"""Rows that every program shares: levels, number of sites, budgets, collectivités. Pure module: numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .mip import Lignes
from .probleme import F64, B
from .vue import Vue

I64 = NDArray[np.int64]


def level_columns(vue: Vue, lignes: Lignes, cout: F64 | None = None) -> I64:
    """One 0-1 column a level (m,), with its cost (by default that of the objective)."""
    return lignes.columns(vue.fixe if cout is None else cout, entier=True)


def site_rows(vue: Vue, lignes: Lignes, y: I64, *, limite: bool = True) -> None:
    """At most one level a site, sites that must open, number of sites (``limite`` false: no upper limit), budgets,
    sites of each collectivité."""
    problem = vue.probleme
    # Sites of several levels, and required ones: one row each.
    compte = np.bincount(vue.site, minlength=problem.n_sites)
    requis = np.zeros(problem.n_sites, dtype=np.bool_)
    requis[vue.requis] = True
    en_ligne = (compte > 1) | requis
    rang = np.cumsum(en_ligne) - 1
    dans = en_ligne[vue.site]
    combien = int(en_ligne.sum())
    if combien:
        lignes.rows(rang[vue.site[dans]], y[dans], 1.0, requis[en_ligne].astype(np.float64), 1.0, combien)
    plafond = np.inf if problem.sites_max is None or not limite else float(problem.sites_max)
    if problem.sites_min > 0 or np.isfinite(plafond):
        lignes.row(y, 1.0, float(problem.sites_min), plafond)
    for budget, cout in (
        (problem.budget_ouverture, problem.cout_ouverture),
        (problem.budget_annuel, problem.cout_annuel),
    ):
        if budget is not None:
            lignes.row(y, cout[vue.niveau], -np.inf, budget)
    minima = problem.sites_min_groupe
    if minima is not None:
        groupe = problem.site_groupe[vue.site]
        for g in np.flatnonzero(minima > 0):
            membres = groupe == g
            lignes.row(y[membres], 1.0, float(minima[g]), np.inf)


def uncovered_rows(vue: Vue, lignes: Lignes, manque: I64, poids: F64, membres: list[B], souple: bool = False) -> None:
    """Rules on covered weight, and the term of equity: ``manque`` (k,) columns, each the share not covered of ``poids``
    (k,) of weight; ``membres``: for each rule of ``vue.parts`` then of ``vue.equite`` (where it counts), who of (k,)
    belongs to it. ``souple``: one column of cost 1 more, by which all the shares asked may be lowered."""
    regles = vue.parts
    baisse = lignes.columns([1.0]) if souple else np.zeros(0, dtype=np.int64)
    for (_, reste), dans in zip(regles, membres, strict=False):
        totaux = np.full(len(baisse), -poids[dans].sum())
        lignes.row(np.append(manque[dans], baisse), np.append(poids[dans], totaux), -np.inf, reste)
    if vue.probleme.equite_poids > 0:
        # Share not covered of the worst-off group.
        pire = lignes.columns([vue.probleme.equite_poids])
        for (_, total), dans in zip(vue.equite, membres[len(regles) :], strict=True):
            lignes.row(np.append(manque[dans], pire), np.append(poids[dans], -total), -np.inf, 0.0)


def rules(vue: Vue) -> list[B]:
    """Who (n,) is in each rule of ``vue.parts``, then in each group of ``vue.equite`` where equity counts."""
    dans = [membres for membres, _ in vue.parts]
    if vue.probleme.equite_poids > 0:
        dans += [membres for membres, _ in vue.equite]
    return dans
