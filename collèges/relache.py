"""The problem as the bound sees it: prices of zones and loads of a mean year, every other wish left out. Pure module.

Every term left out of a plan's cost is at least 0, and the cost of the loads of several years is at least that of
their mean (it is convex), so that a bound of this smaller problem is one of the whole.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .donnees import Donnees, marks
from .probleme import F64, I32, B
from .programme import Programme, assemble
from .recherche import flood


class Relache(NamedTuple):
    """lin (n, C), sans (n,): cost without collège, inf where not allowed; poids (n,): pupils of a mean year who follow;
    base, bas, haut (C,); sous, sur: prices; possible (n, C): collèges of each zone in some contiguous plan, as far as
    borders alone tell (a zone that no collège reaches has none: it costs ``sans``); seules (C, n): zones that may be
    islands;
    couvrir (n,): zones to give to exactly one collège: all but those shared today, which a plan may leave shared or
    not; fixe: the least that these cost. Their pupils count in ``bas`` as if all came, in ``haut`` as if none did."""

    indptr: I32
    indices: I32
    portes: I32
    lin: F64
    sans: F64
    poids: F64
    base: F64
    bas: F64
    haut: F64
    sous: float
    sur: float
    possible: B
    seules: B
    couvrir: B
    fixe: float


def relax(d: Donnees, present: I32) -> Relache:
    """From the arrays of a problem; ``present`` (n, 2): today's collèges. A zone shared today counts as one that may
    stay so, even where the first plan of a search unshares it."""
    c = len(d.portes)
    partagee = present[:, 1] >= 0
    poids = d.w @ d.suivent
    lin = d.lin[:, :c].copy()
    moindre = np.minimum(np.where(d.permis, lin, np.inf).min(axis=1), d.lin_partage)
    # A zone shared today is a link for any sector that may have it, and costs nothing more: for both its collèges of
    # today too, even where a rule imposes one of them, since others may hang on it.
    possible = _reachable(d, d.permis | (partagee[:, None] & (d.parts_0 > 0.0)))
    poids_zone = np.where(partagee, 0.0, poids)
    lin[partagee] = 0.0
    partages = poids[partagee] @ possible[partagee]
    # A year that counts for nothing may have no limit: 0 x inf would be no number.
    compte = d.w > 0.0
    return Relache(
        indptr=d.indptr,
        indices=d.indices,
        portes=d.portes,
        lin=lin,
        sans=np.where(present[:, 0] >= 0, np.inf, d.lin[:, c]),
        poids=poids_zone,
        base=d.w @ d.charge_0,
        bas=d.w @ d.bas - partages,
        haut=d.w[compte] @ d.haut[compte],
        sous=float(d.poids[1]),
        sur=float(d.poids[0]),
        possible=possible,
        seules=np.ascontiguousarray(d.tolerees.T),
        couvrir=~partagee,
        fixe=float(moindre[partagee].sum()),
    )


def _reachable(d: Donnees, possible: B) -> B:
    """``possible`` (n, C) without what contiguity refuses whatever the plan: a zone that a collège's door does not
    reach through zones that may be its own, unless it may be an island there. A column that offered it would be in no
    sector, and the price of a zone that nobody can take would have to climb there step by step."""
    reste = np.zeros_like(possible)
    marque, compteur, pile = marks(len(possible))
    personne = np.full(len(possible), -1, dtype=np.int32)
    for j, porte in enumerate(d.portes.tolist()):
        compteur[0] += 1
        siennes = np.where(possible[:, j], j, -1).astype(np.int32)
        flood(d.indptr, d.indices, porte, siennes, personne, j, -1, marque, pile, compteur[0])
        reste[:, j] = possible[:, j] & ((marque == compteur[0]) | d.tolerees[:, j])
    return reste


def column_cost(r: Relache, j: int, zones: I32) -> float:
    """Cost of a sector in the smaller problem."""
    charge = r.base[j] + r.poids[zones].sum()
    return float(r.lin[zones, j].sum() + r.sous * max(0.0, r.bas[j] - charge) + r.sur * max(0.0, charge - r.haut[j]))


def assignment(r: Relache) -> tuple[Programme, I32, I32]:
    """The assignment without contiguity, as a linear program, and (zone, collège) of its first columns.

    Rows: one a zone to cover, then loads above and below of each collège.
    """
    n, c = r.lin.shape
    zone, college = (a.astype(np.int32) for a in np.nonzero(r.possible & r.couvrir[:, None]))
    libres = np.flatnonzero(np.isfinite(r.sans) & r.couvrir)
    k, s = len(zone), len(libres)
    j = np.arange(c)
    couvre = r.couvrir.astype(np.float64)
    haut = np.where(np.isfinite(r.haut), r.haut, 1e9)
    programme = assemble(
        cout=np.concatenate([r.lin[zone, college], r.sans[libres], np.full(c, r.sur), np.full(c, r.sous)]),
        haut=np.full(k + s + 2 * c, np.inf),
        ligne_bas=np.concatenate([couvre, np.full(c, -np.inf), r.bas - r.base]),
        ligne_haut=np.concatenate([couvre, haut - r.base, np.full(c, np.inf)]),
        lignes=[zone, libres, n + college, n + j, n + c + college, n + c + j],
        colonnes=[np.arange(k), k + np.arange(s), np.arange(k), k + s + j, np.arange(k), k + s + c + j],
        valeurs=[np.ones(k), np.ones(s), r.poids[zone], -np.ones(c), r.poids[zone], np.ones(c)],
        entier=np.zeros(k + s + 2 * c, dtype=np.bool_),
    )
    return programme, zone, college
