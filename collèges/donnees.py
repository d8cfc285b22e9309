"""A problem and a plan as the flat arrays that compiled loops read (`Donnees`) and write (`Memoire`). Pure module.

In them a plan is ``x`` (n,) int32, collège C meaning none, and ``x2`` (n,) int32, the second collège of a sector left
shared, else -1. Compiled loops do not move a zone while it is shared.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .couts import Tables, shares
from .probleme import F64, I32, B, Problem

I64 = NDArray[np.int64]


class Donnees(NamedTuple):
    """What compiled loops read: n zones, C collèges, T years, G groups.

    lin (n, C + 1): cost of zone in collège that depends on nothing else (column C: none); lin_partage (n,): the same of
    a zone left shared; permis (n, C): the solver may
    choose it; fige (n,): does not move; suivent (T, n): pupils who follow; charge_0, etrangers_0, haut, bas (T, C);
    minimum (C,); w (T,); poids (9,): sureffectif, souseffectif, taille, exterieurs, max_zones, max_eleves, passages,
    ecart_ips, dissimilarite; limites (4,): part_exterieurs, max_zones, max_eleves, ecart_ips;
    autres: some term needs more than ``lin`` and the loads.
    """

    indptr: I32
    indices: I32
    portes: I32
    tolerees: B
    speciaux: B
    lin: F64
    lin_partage: F64
    permis: B
    fige: B
    retour: I32
    suivent: F64
    etranger: B
    charge_0: F64
    etrangers_0: F64
    haut: F64
    bas: F64
    minimum: F64
    w: F64
    poids: F64
    limites: F64
    eleves: F64
    quitte: F64
    zone_groupe: I32
    college_groupe: I32
    parts_0: F64
    passages_max: F64
    reference: I32
    ensemble_ptr: I32
    ensemble_zones: I32
    poids_ensemble: float
    ips: F64
    classe: NDArray[np.int8]
    voisins: I32
    voisins_ptr: I32
    voisins_idx: I32
    autres: bool


class Memoire(NamedTuple):
    """What compiled loops write: the plan and its sums. ``totaux`` (4,): moved zones, moved pupils, cost, best cost."""

    x: I32
    x2: I32
    lie: B
    lie2: B
    charge: F64
    etrangers: F64
    passages: F64
    ips_somme: F64
    ips_poids: F64
    classe_a: F64
    classe_b: F64
    totaux: F64
    membres: I32
    nombre: I32
    rang: I32
    marque: I64
    compteur: I64
    pile: I32
    meilleur: I32


def marks(n: int) -> tuple[I64, I64, I32]:
    """Marks of the zones, their counter, and a stack, for `collèges.recherche.flood`. The marks are as wide as the
    counter: every test of a search takes a new one, and a mark that could not hold it would never be found again."""
    return np.zeros(n, dtype=np.int64), np.zeros(1, dtype=np.int64), np.zeros(n + 1, dtype=np.int32)


def donnees(problem: Problem, t: Tables) -> Donnees:
    """The arrays of a problem."""
    r, n, c = problem.regles, problem.n_zones, problem.n_colleges
    parts_suivent = (problem.poids_annee[:, None] * t.suivent).sum(axis=0)
    sert = problem.present[:, 0] >= 0
    quitte = np.zeros((n, c + 1))
    quitte[:, :c] = np.where(sert[:, None], 1.0 - t.parts_0, 0.0)
    lin = np.zeros((n, c + 1))
    lin[:, :c] = t.trajet + t.trajet_long + t.allongement + t.eleves[:, None] * ~t.permis * r.poids_interdit
    lin_partage = (lin[:, :c] * t.parts_0).sum(axis=1)
    lin += parts_suivent[:, None] * quitte * r.poids_depart
    lin[:, c] = t.eleves * r.poids_sans_college
    permis = may_choose(problem, t)
    bornee = np.isfinite(problem.capacite)
    capacite = np.where(bornee, problem.capacite, 0.0)
    membres = [np.flatnonzero(t.reference == zone) for zone in range(n)]
    paires = problem.college_voisins
    par_college = [np.flatnonzero((paires == j).any(axis=1)) for j in range(c)]
    classe = np.where(np.isnan(t.ips), 0, np.where(t.defavorise, 1, 2)).astype(np.int8)
    poids = np.array(
        [
            r.poids_sureffectif,
            r.poids_souseffectif,
            r.poids_taille if problem.effectif_min.any() else 0.0,
            r.poids_exterieurs if t.etranger.any() else 0.0,
            r.poids_max_zones if np.isfinite(r.max_zones) else 0.0,
            r.poids_max_eleves if np.isfinite(r.max_eleves) else 0.0,
            r.poids_passages
            if np.isfinite(problem.passages_max[~np.eye(problem.n_groupes, dtype=bool)]).any()
            else 0.0,
            r.poids_ecart_ips if len(paires) else 0.0,
            r.poids_dissimilarite,
        ]
    )
    return Donnees(
        indptr=t.indptr,
        indices=t.indices,
        portes=t.portes,
        tolerees=t.tolerees,
        speciaux=np.asarray(t.tolerees.any(axis=0), dtype=np.bool_),
        lin=lin,
        lin_partage=lin_partage,
        permis=permis,
        fige=permis.sum(axis=1) + ~sert <= 1,
        retour=np.where(problem.impose >= 0, problem.impose, problem.present[:, 0]).astype(np.int32),
        suivent=t.suivent,
        etranger=t.etranger,
        charge_0=t.charge_0,
        etrangers_0=t.etrangers_0,
        haut=np.where(bornee, capacite * problem.remplissage_max, np.inf),
        bas=np.where(bornee, capacite * problem.remplissage_min, 0.0),
        minimum=problem.effectif_min,
        w=problem.poids_annee,
        poids=poids,
        limites=np.array([r.part_exterieurs, r.max_zones, r.max_eleves, r.ecart_ips]),
        eleves=t.eleves,
        quitte=quitte,
        zone_groupe=problem.zone_groupe,
        college_groupe=problem.college_groupe,
        parts_0=t.parts_0,
        passages_max=problem.passages_max,
        reference=t.reference,
        ensemble_ptr=np.concatenate([[0], np.cumsum([len(zones) for zones in membres])]).astype(np.int32),
        ensemble_zones=np.concatenate([*membres, np.zeros(0)]).astype(np.int32),
        poids_ensemble=float(r.poids_ensemble),
        ips=np.nan_to_num(t.ips),
        classe=classe,
        voisins=paires,
        voisins_ptr=np.concatenate([[0], np.cumsum([len(p) for p in par_college])]).astype(np.int32),
        voisins_idx=np.concatenate([*par_college, np.zeros(0)]).astype(np.int32),
        autres=bool((poids[3:] > 0).any() or (t.reference >= 0).any()),
    )


def may_choose(problem: Problem, t: Tables) -> B:
    """(n, C) bool: what the solver may give a zone: permitted, with a road, not over a border that no pupil may cross;
    or the zone's own collèges of today (always), or the one imposed."""
    permis = t.permis & np.isfinite(problem.minutes)
    if problem.n_groupes > 1:
        ferme = problem.passages_max[problem.zone_groupe][:, problem.college_groupe] <= 0
        permis &= ~(ferme & t.etranger)
    for k in range(2):
        zones = np.flatnonzero((problem.present[:, k] >= 0) & (problem.impose < 0))
        permis[zones, problem.present[zones, k]] = True
    imposees = np.flatnonzero(problem.impose >= 0)
    permis[imposees, problem.impose[imposees]] = True
    # A zone that must change keeps the right to stay: it costs ``interdit``, and nothing is ever infeasible.
    simples = np.flatnonzero((problem.present[:, 0] >= 0) & (problem.present[:, 1] < 0))
    permis[simples, problem.present[simples, 0]] = True
    return np.asarray(permis, dtype=np.bool_)


def to_x(college: I32, n_colleges: int) -> tuple[I32, I32]:
    """(x, x2) of a plan."""
    x = np.where(college[:, 0] < 0, n_colleges, college[:, 0]).astype(np.int32)
    return x, college[:, 1].astype(np.int32).copy()


def to_college(x: I32, x2: I32, n_colleges: int) -> I32:
    """A plan's (n, 2) array."""
    premier = np.where(x == n_colleges, -1, x)
    return np.stack([premier, x2], axis=1).astype(np.int32)


def memoire(d: Donnees, x: I32, x2: I32) -> Memoire:
    """Sums of a plan, made anew (the cost is left to `collèges.variation.total`)."""
    n, c = len(x), len(d.portes)
    college = to_college(x, x2, c)
    parts = shares(college, c)
    g = d.passages_max.shape[0]
    arrive = d.eleves[:, None] * np.maximum(parts - d.parts_0, 0.0)
    passages = np.zeros((g, g))
    for j in range(c):
        passages[:, d.college_groupe[j]] += np.bincount(d.zone_groupe, weights=arrive[:, j], minlength=g)
    quitte = d.quitte[np.arange(n), x] * (x2 < 0)
    membres = np.zeros((c + 1, n), dtype=np.int32)
    nombre = np.zeros(c + 1, dtype=np.int32)
    rang = np.zeros(n, dtype=np.int32)
    for zone in np.flatnonzero(x2 < 0):
        j = x[zone]
        membres[j, nombre[j]], rang[zone] = zone, nombre[j]
        nombre[j] += 1
    connue = d.classe > 0
    marque, compteur, pile = marks(n)
    return Memoire(
        x=x.copy(),
        x2=x2.copy(),
        lie=np.zeros(n, dtype=np.bool_),
        lie2=np.zeros(n, dtype=np.bool_),
        charge=d.charge_0 + d.suivent @ parts,
        etrangers=d.etrangers_0 + d.suivent @ (parts * d.etranger),
        passages=passages,
        ips_somme=(d.eleves * d.ips * connue) @ parts,
        ips_poids=(d.eleves * connue) @ parts,
        classe_a=(d.eleves * (d.classe == 1)) @ parts,
        classe_b=(d.eleves * (d.classe == 2)) @ parts,
        totaux=np.array([float((quitte > 0).sum()), float((d.eleves * quitte).sum()), 0.0, np.inf]),
        membres=membres,
        nombre=nombre,
        rang=rang,
        marque=marque,
        compteur=compteur,
        pile=pile,
        meilleur=x.copy(),
    )
