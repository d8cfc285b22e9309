"""What a plan costs and offers: the terms of `collèges.probleme`, all at once, on arrays. Pure module."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .graphe import adjacency, doors, tolerated
from .probleme import F64, I32, B, Problem
from .resultat import Couts


@dataclass(frozen=True, eq=False)
class Tables:
    """What does not depend on the plan, computed once a problem.

    eleves (n,): E; minutes (n, C) finite; minutes_0 (n,) m0 (0 where none); parts_0 (n, C) shares of today's plan;
    nouvelle (T, n): p; suivent (T, n): e p; restent (T, n): e (1 - p).
    trajet, trajet_long, allongement (n, C): what s(i, j) = 1 costs through ``e p``; the part of ``e (1 - p)`` is in
    ``fixe_trajet`` and ``fixe_long``.
    permis (n, C) bool; etranger (n, C) bool: zone and collège of two groups.
    charge_0, etrangers_0 (T, C): pupils who stay in today's collège, and those of another group.
    ips (n,) NaN = unknown; defavorise (n,) bool. indptr, indices, portes, tolerees: see `collèges.graphe`.
    reference (n,): reference zone of the zone's group kept together, -1 = none.
    """

    eleves: F64
    minutes: F64
    minutes_0: F64
    parts_0: F64
    nouvelle: F64
    suivent: F64
    restent: F64
    trajet: F64
    trajet_long: F64
    allongement: F64
    fixe_trajet: float
    fixe_long: float
    permis: B
    etranger: B
    charge_0: F64
    etrangers_0: F64
    ips: F64
    defavorise: B
    indptr: I32
    indices: I32
    portes: I32
    tolerees: B
    reference: I32


def shares(college: I32, n_colleges: int) -> F64:
    """s(i, j), (n, C) float64."""
    parts = np.zeros((len(college), n_colleges))
    un, deux = college[:, 0], college[:, 1]
    seules = np.flatnonzero((un >= 0) & (deux < 0))
    parts[seules, un[seules]] = 1.0
    double = np.flatnonzero(deux >= 0)
    parts[double, un[double]] = 0.5
    parts[double, deux[double]] = 0.5
    return parts


def tables(problem: Problem) -> Tables:
    """Everything about a problem that no plan changes."""
    r = problem.regles
    w = problem.poids_annee[:, None]
    present = problem.present
    sert = present[:, 0] >= 0
    minutes = np.where(np.isfinite(problem.minutes), problem.minutes, r.minutes_sans_route)
    parts_0 = shares(present, problem.n_colleges)
    minutes_0 = (parts_0 * minutes).sum(axis=1)
    nouvelle = np.where(sert[None, :], problem.part_nouvelle, 1.0)
    suivent = problem.eleves * nouvelle
    restent = problem.eleves - suivent
    moyenne, poids_suivent = (w * problem.eleves).sum(axis=0), (w * suivent).sum(axis=0)
    long_ = _excess(minutes, r.minutes_max) * r.poids_minutes_max
    plus_long = _excess(minutes - minutes_0[:, None], r.allongement_max) * r.poids_allongement
    fixe = (w * restent).sum(axis=0)[:, None] * parts_0
    etranger = problem.zone_groupe[:, None] != problem.college_groupe[None, :]
    indptr, indices = adjacency(problem.n_zones, problem.arete, problem.frontiere_m)
    portes = doors(problem)
    ips = zone_ips(problem)
    connue = np.isfinite(ips)
    poids = moyenne[connue].sum()
    milieu = float((moyenne[connue] * ips[connue]).sum() / poids) if poids > 0 else 0.0
    return Tables(
        eleves=moyenne,
        minutes=minutes,
        minutes_0=minutes_0,
        parts_0=parts_0,
        nouvelle=nouvelle,
        suivent=suivent,
        restent=restent,
        trajet=poids_suivent[:, None] * minutes * r.poids_minutes,
        trajet_long=poids_suivent[:, None] * long_,
        allongement=np.where(sert[:, None], poids_suivent[:, None] * plus_long, 0.0),
        fixe_trajet=float((fixe * minutes).sum() * r.poids_minutes),
        fixe_long=float((fixe * long_).sum()),
        permis=permitted(problem),
        etranger=etranger,
        charge_0=restent @ parts_0,
        etrangers_0=restent @ (parts_0 * etranger),
        ips=ips,
        defavorise=connue & (np.nan_to_num(ips, nan=np.inf) < milieu),
        indptr=indptr,
        indices=indices,
        portes=portes,
        tolerees=tolerated(problem, portes, indptr, indices),
        reference=_references(problem.ensemble, moyenne),
    )


def _excess(valeurs: F64, limite: float) -> F64:
    """max(0, values - limit); an infinite limit is never passed."""
    return np.maximum(valeurs - limite, 0.0) if np.isfinite(limite) else np.zeros_like(valeurs)


def permitted(problem: Problem) -> B:
    """(n, C) bool: assignments that are not priced as ``interdit``."""
    permis = ~problem.interdit
    if problem.regles.zones_propres:
        abrite = np.zeros_like(permis)
        dedans = np.flatnonzero(problem.college_zone >= 0)
        abrite[problem.college_zone[dedans], dedans] = True
        occupee = abrite.any(axis=1)
        for k in range(2):
            zones = np.flatnonzero(occupee & (problem.present[:, k] >= 0))
            abrite[zones, problem.present[zones, k]] = True
        permis[occupee] &= abrite[occupee]
    imposees = np.flatnonzero(problem.impose >= 0)
    permis[imposees] = False
    permis[imposees, problem.impose[imposees]] = True
    return np.asarray(permis, dtype=np.bool_)


def zone_ips(problem: Problem) -> F64:
    """IPS of each zone, its collèges' of today where it is unknown; NaN where both are."""
    ips = problem.zone_ips.copy()
    for zone in np.flatnonzero(np.isnan(ips)):
        connus = [problem.college_ips[j] for j in problem.present[zone] if j >= 0]
        connus = [valeur for valeur in connus if np.isfinite(valeur)]
        if connus:
            ips[zone] = float(np.mean(connus))
    return ips


def _references(ensemble: I32, eleves: F64) -> I32:
    reference = np.full(len(ensemble), -1, dtype=np.int32)
    for numero in np.unique(ensemble[ensemble >= 0]):
        zones = np.flatnonzero(ensemble == numero)
        reference[zones] = zones[int(np.argmax(eleves[zones]))]
    return reference


@dataclass(frozen=True, eq=False)
class Etat:
    """One plan's sums: shares s (n, C), load L and outsiders X (T, C), moved (n,) in {0, 1/2, 1}, changed (n,) bool,
    IPS of each collège (C,) NaN = unknown, dissimilarity, crossings P (G, G)."""

    parts: F64
    charge: F64
    etrangers: F64
    quitte: F64
    ips: F64
    dissimilarite: float
    passages: F64


def state(problem: Problem, t: Tables, college: I32) -> Etat:
    """Sums of a plan."""
    parts = shares(college, problem.n_colleges)
    sert, servi = problem.present[:, 0] >= 0, college[:, 0] >= 0
    quitte = np.where(sert & servi, np.abs(parts - t.parts_0).sum(axis=1) / 2, 0.0)
    groupes = np.zeros((problem.n_groupes, problem.n_groupes))
    if problem.n_groupes > 1:
        arrive = t.eleves[:, None] * np.maximum(parts - t.parts_0, 0.0)
        vers = np.zeros((problem.n_zones, problem.n_groupes))
        np.add.at(vers.T, problem.college_groupe, arrive.T)
        np.add.at(groupes, problem.zone_groupe, vers)
    return Etat(
        parts=parts,
        charge=t.charge_0 + t.suivent @ parts,
        etrangers=t.etrangers_0 + t.suivent @ (parts * t.etranger),
        quitte=quitte,
        ips=mean_ips(t, parts),
        dissimilarite=dissimilarity(t, parts),
        passages=groupes,
    )


def mean_ips(t: Tables, parts: F64) -> F64:
    """I(j), (C,); NaN where nobody's IPS is known."""
    connue = np.isfinite(t.ips)
    poids = t.eleves[connue] @ parts[connue]
    somme = (t.eleves[connue] * t.ips[connue]) @ parts[connue]
    return np.asarray(np.divide(somme, poids, out=np.full(len(poids), np.nan), where=poids > 0))


def dissimilarity(t: Tables, parts: F64) -> float:
    """D in [0, 1]."""
    connue = np.isfinite(t.ips)
    a = (t.eleves * t.defavorise) @ parts
    b = (t.eleves * (connue & ~t.defavorise)) @ parts
    if a.sum() <= 0 or b.sum() <= 0:
        return 0.0
    return float(np.abs(a / a.sum() - b / b.sum()).sum() / 2)


def costs(problem: Problem, t: Tables, college: I32, etat: Etat) -> Couts:
    """Every term of a plan's cost."""
    r, w = problem.regles, problem.poids_annee[:, None]
    parts, charge = etat.parts, etat.charge
    servi = college[:, 0] >= 0
    bornee = np.isfinite(problem.capacite)
    capacite = np.where(bornee, problem.capacite, 0.0)
    haut = np.where(bornee, capacite * problem.remplissage_max, np.inf)
    bas = np.where(bornee, capacite * problem.remplissage_min, 0.0)
    parts_suivent = (w * t.suivent).sum(axis=0)
    trop_passages = np.maximum(etat.passages - problem.passages_max, 0.0)
    np.fill_diagonal(trop_passages, 0.0)
    return Couts(
        trajet=t.fixe_trajet + float((t.trajet * parts).sum()),
        trajet_long=t.fixe_long + float((t.trajet_long * parts).sum()),
        allongement=float((t.allongement * parts).sum()),
        depart=float((parts_suivent * etat.quitte).sum() * r.poids_depart),
        sureffectif=float((w * np.maximum(charge - haut, 0.0)).sum() * r.poids_sureffectif),
        souseffectif=float((w * np.maximum(bas - charge, 0.0)).sum() * r.poids_souseffectif),
        taille=float((w * np.maximum(problem.effectif_min[None, :] - charge, 0.0)).sum() * r.poids_taille),
        sans_college=float(t.eleves[~servi].sum() * r.poids_sans_college),
        interdit=float((t.eleves[:, None] * parts * ~t.permis).sum() * r.poids_interdit),
        ensemble=float(apart(t, parts) * r.poids_ensemble),
        limite_zones=max(0.0, float((etat.quitte > 0).sum()) - r.max_zones) * r.poids_max_zones,
        limite_eleves=max(0.0, float((t.eleves * etat.quitte).sum()) - r.max_eleves) * r.poids_max_eleves,
        passages=float(trop_passages.sum() * r.poids_passages),
        exterieurs=float((w * np.maximum(etat.etrangers - r.part_exterieurs * charge, 0.0)).sum() * r.poids_exterieurs),
        ecart_ips=float(np.maximum(ips_gaps(problem, etat.ips) - r.ecart_ips, 0.0).sum() * r.poids_ecart_ips),
        dissimilarite=etat.dissimilarite * r.poids_dissimilarite,
    )


def apart(t: Tables, parts: F64) -> float:
    """Pupils of a mean year whose zone is not with its group's reference zone."""
    zones: NDArray[np.intp] = np.flatnonzero(t.reference >= 0)
    if not len(zones):
        return 0.0
    commun = np.minimum(parts[zones], parts[t.reference[zones]]).sum(axis=1)
    return float((t.eleves[zones] * (1.0 - commun)).sum())


def ips_gaps(problem: Problem, ips: F64) -> F64:
    """|I(a) - I(b)| of each pair of ``college_voisins``, 0 where one is unknown."""
    paires = problem.college_voisins
    ecarts: F64 = np.abs(ips[paires[:, 0]] - ips[paires[:, 1]])
    return np.where(np.isnan(ecarts), 0.0, ecarts)
