"""Programs with capacities: one column a demand and level that may serve it. Pure module: numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .contraintes import level_columns, rules, site_rows, uncovered_rows
from .mip import Lignes, Mip
from .probleme import F64, B, Capacites, Modele
from .rayons import reachable
from .vue import Vue

I64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Programme:
    """The program; its columns of levels y (m,); flows: demande, niveau (c,) positions in the view, x (c,) columns."""

    mip: Mip
    y: I64
    demande: I64
    niveau: I64
    x: I64


def capacity_program(
    vue: Vue, *, rayon: float | None = None, garde: B | None = None, cout: F64 | None = None, souple: bool = False
) -> Programme:
    """Any model with capacities; with ``rayon``, whether everyone can be served so near (no objective).

    ``cout`` (m,): what is minimised instead of the model's objective. ``garde`` (n, m): couples kept, None = all that
    may be used. ``souple``: see `uncovered_rows`.
    """
    problem = vue.probleme
    couvertures = problem.modele in (Modele.COUVERTURE_MAX, Modele.COUVERTURE_TOTALE)
    lignes = Lignes()
    objectif = rayon is None and cout is None
    if cout is None:
        cout = vue.fixe if objectif else np.zeros(vue.m)
    y = level_columns(vue, lignes, cout)
    site_rows(vue, lignes, y)
    minutes = reachable(vue)
    possible = vue.couvre if couvertures else np.isfinite(minutes)
    if rayon is not None:
        possible = possible & (minutes <= rayon)
    if garde is not None:
        possible = possible & garde
    demande, niveau = np.nonzero(possible)
    maximal = problem.modele is Modele.COUVERTURE_MAX and objectif
    poids = vue.poids[demande]
    if not objectif or problem.modele is Modele.COUVERTURE_TOTALE:
        prix = np.zeros(len(demande))
    elif maximal:
        prix = -poids
        lignes.constante += float(vue.poids.sum())
    else:
        prix = poids * minutes[demande, niveau]
    entier = problem.capacites is Capacites.UNIQUE
    x = lignes.columns(prix, entier=entier)
    # Who must be served: everybody, but in covers, or where not being served has a price (within no radius below it).
    non_servi = problem.minutes_non_servi
    libre = couvertures or (non_servi is not None and (rayon is None or rayon >= non_servi))
    lignes.rows(demande, x, 1.0, 0.0 if libre else 1.0, 1.0, vue.n)
    if libre and not couvertures and objectif and non_servi is not None:
        u = lignes.columns(vue.poids * non_servi)
        lignes.rows(np.concatenate([demande, np.arange(vue.n)]), np.concatenate([x, u]), 1.0, 1.0, np.inf, vue.n)
    c = len(demande)
    lignes.rows(
        np.concatenate([np.arange(c)] * 2), np.concatenate([x, y[niveau]]), np.repeat([1.0, -1.0], c), -np.inf, 0.0, c
    )
    limite = np.flatnonzero(np.isfinite(vue.capacite))
    rang = np.full(vue.m, -1)
    rang[limite] = np.arange(len(limite))
    dans = rang[niveau] >= 0
    if len(limite):
        lignes.rows(
            np.concatenate([rang[niveau[dans]], np.arange(len(limite))]),
            np.concatenate([x[dans], y[limite]]),
            np.concatenate([vue.volume[demande[dans]], -vue.capacite[limite]]),
            -np.inf,
            0.0,
            len(limite),
        )
    membres = rules(vue)
    if membres:
        manque = lignes.columns(np.zeros(vue.n))
        couvre = vue.couvre[demande, niveau]
        lignes.rows(
            np.concatenate([demande[couvre], np.arange(vue.n)]),
            np.concatenate([x[couvre], manque]),
            1.0,
            1.0,
            np.inf,
            vue.n,
        )
        uncovered_rows(vue, lignes, manque, vue.poids, membres, souple)
    return Programme(lignes.build(), y, demande, niveau, x)


def point_of(programme: Programme, ouverts: B, part: F64, n_colonnes: int) -> F64:
    """Point of the program with these levels open (m,) and shares (n, m), other columns at 0: a start to complete."""
    point = np.zeros(n_colonnes)
    point[programme.y] = ouverts
    point[programme.x] = part[programme.demande, programme.niveau]
    return point


def shares_at(vue: Vue, programme: Programme, x: F64) -> F64:
    """Shares (n, m) at a point of the program: none on a closed level, of which a point may leave crumbs."""
    valeurs = np.clip(x[programme.x], 0.0, 1.0)
    if vue.probleme.capacites is Capacites.UNIQUE:
        valeurs = np.round(valeurs)
    part = np.zeros((vue.n, vue.m))
    part[programme.demande, programme.niveau] = np.where(x[programme.y][programme.niveau] > 0.5, valeurs, 0.0)
    return part
