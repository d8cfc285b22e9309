"""Programs without capacity: the radius formulation of the p-median (Elloumi, JOCO 2010), and cover rows.

One column ``z`` a demand and distinct distance of its list: 1 when no open level is so near. A demand pays its first
distance, then each step that its z's do not save. Lists may be cut: beyond, the demand pays the next distance only,
which makes the program a relaxation; its bound stands, and its answer is optimal where no cut list is exhausted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .contraintes import level_columns, rules, site_rows, uncovered_rows
from .mip import Lignes, Mip
from .probleme import F64, TOLERANCE_MINUTES, Modele
from .vue import Vue

I64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Programme:
    """The program, and its columns of levels (m,)."""

    mip: Mip
    y: I64


def reachable(vue: Vue) -> F64:
    """Minutes (n, m) of who may serve whom at no more than the price of not serving."""
    prix = vue.probleme.minutes_non_servi
    if prix is None:
        return vue.minutes
    return np.where(vue.minutes <= prix, vue.minutes, np.inf)


def median_program(vue: Vue, limites: F64 | None = None) -> Programme:
    """MEDIANE without capacity. ``limites`` (n,): minutes at which each list is cut, None = whole lists."""
    lignes = Lignes()
    y = level_columns(vue, lignes)
    site_rows(vue, lignes, y)
    minutes = reachable(vue)
    prix = vue.probleme.minutes_non_servi
    ordre = np.argsort(minutes, axis=1, kind="stable")
    triees = np.take_along_axis(minutes, ordre, axis=1)
    garde = np.isfinite(triees)
    suivante = np.full(vue.n, np.inf if prix is None else prix)
    if limites is not None:
        dedans = triees <= limites[:, None]
        premiere = np.argmax(garde & ~dedans, axis=1)
        au_dela = (garde & ~dedans).any(axis=1)
        suivante[au_dela] = triees[np.flatnonzero(au_dela), premiere[au_dela]]
        garde &= dedans
    demande, colonne = np.nonzero(garde)
    distance = triees[demande, colonne]
    nouveau = np.ones(len(demande), dtype=np.bool_)
    nouveau[1:] = (demande[1:] != demande[:-1]) | (distance[1:] != distance[:-1])
    anneau = np.cumsum(nouveau) - 1
    a_demande, a_distance = demande[nouveau], distance[nouveau]
    # What the next ring costs more; after the last one, what not being served so near costs, or nothing allowed.
    n_anneaux = len(a_demande)
    dernier = np.ones(n_anneaux, dtype=np.bool_)
    dernier[:-1] = a_demande[1:] != a_demande[:-1]
    apres = np.empty(n_anneaux)
    apres[:-1] = a_distance[1:]
    apres[dernier] = suivante[a_demande[dernier]]
    bloque = np.isinf(apres)
    pas = np.where(bloque, 0.0, apres - a_distance)
    z = lignes.columns(vue.poids[a_demande] * pas, np.where(bloque, 0.0, 1.0))
    premier = np.ones(n_anneaux, dtype=np.bool_)
    premier[1:] = a_demande[1:] != a_demande[:-1]
    lignes.constante += float(vue.poids[a_demande[premier]] @ a_distance[premier])
    suite = np.flatnonzero(~premier)
    lignes.rows(
        np.concatenate([anneau, np.arange(n_anneaux), suite]),
        np.concatenate([y[ordre[demande, colonne]], z, z[suite - 1]]),
        np.concatenate([np.ones(len(anneau) + n_anneaux), -np.ones(len(suite))]),
        premier.astype(np.float64),
        np.inf,
        n_anneaux,
    )
    sans = np.setdiff1d(np.arange(vue.n), a_demande)
    if len(sans):
        if np.isinf(suivante[sans]).any():
            lignes.row([], [], 1.0, np.inf)
        else:
            lignes.constante += float(vue.poids[sans] @ suivante[sans])
    membres = rules(vue)
    if membres:
        manque = _uncovered_of_rings(vue, lignes, z, a_demande, a_distance)
        uncovered_rows(vue, lignes, manque, vue.poids, membres)
    return Programme(lignes.build(), y)


def _uncovered_of_rings(vue: Vue, lignes: Lignes, z: I64, demande: I64, distance: F64) -> I64:
    """Column (n,) that says a demand is not covered: its z of the last ring within the threshold."""
    seuil = vue.probleme.seuil
    assert seuil is not None
    dedans = distance <= seuil + TOLERANCE_MINUTES
    manque = np.full(vue.n, -1, dtype=np.int64)
    # Rings are in ascending order: the last one written stays.
    manque[demande[dedans]] = z[dedans]
    jamais = manque < 0
    if jamais.any():
        manque[jamais] = lignes.columns(np.zeros(int(jamais.sum())), 1.0, bas=1.0)
    return manque


def cover_program(
    vue: Vue, *, rayon: float | None = None, limite: bool = True, cout: F64 | None = None, souple: bool = False
) -> Programme:
    """COUVERTURE_MAX, COUVERTURE_TOTALE, or with ``rayon`` whether everyone can be served so near.

    An infinite radius: nobody need be served. ``cout`` (m,): what is minimised instead of the model's objective;
    ``limite`` false: without an upper limit on the number of sites; ``souple``: see `uncovered_rows`.
    """
    lignes = Lignes()
    maximal = vue.probleme.modele is Modele.COUVERTURE_MAX and rayon is None and cout is None
    if cout is None:
        cout = vue.fixe if rayon is None else np.zeros(vue.m)
    y = level_columns(vue, lignes, cout)
    site_rows(vue, lignes, y, limite=limite)
    membres = rules(vue)
    if rayon is not None and np.isfinite(rayon):
        _cover_rows(lignes, y, vue.minutes <= rayon)
    if maximal or membres:
        if not maximal and not souple and all(reste <= 0 for _, reste in vue.parts) and len(membres) == len(vue.parts):
            # Nobody may be left: plain cover rows.
            tous = np.any([dans for dans, _ in vue.parts], axis=0)
            _cover_rows(lignes, y, vue.couvre[tous])
        else:
            z = lignes.columns(vue.poids if maximal else np.zeros(vue.n))
            demande, niveau = np.nonzero(vue.couvre)
            lignes.rows(
                np.concatenate([demande, np.arange(vue.n)]), np.concatenate([y[niveau], z]), 1.0, 1.0, np.inf, vue.n
            )
            uncovered_rows(vue, lignes, z, vue.poids, membres, souple)
    return Programme(lignes.build(), y)


def _cover_rows(lignes: Lignes, y: I64, couvre: NDArray[np.bool_]) -> None:
    """One row a distinct set of levels: at least one open."""
    # Many demands see the same levels: packed bits make equal sets equal rows.
    _, uniques = np.unique(np.packbits(couvre, axis=1), axis=0, return_index=True)
    demande, niveau = np.nonzero(couvre[uniques])
    lignes.rows(demande, y[niveau], 1.0, 1.0, np.inf, len(uniques))
