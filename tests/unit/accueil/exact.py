"""Brute force: every set of open levels, with the best assignment of each. For small problems only.

Written from the text of `accueil.probleme`; nothing of the solver nor of the checker. Single-source assignments are
enumerated, shared ones are linear programs (scipy).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from accueil.probleme import Capacites, Etat, Modele, Problem

EPS = 1e-9
DISTANCE = (Modele.MEDIANE, Modele.CENTRE, Modele.CENTRE_PUIS_MEDIANE)
CENTRES = (Modele.CENTRE, Modele.CENTRE_PUIS_MEDIANE)


@dataclass(frozen=True)
class Exact:
    """Least objective (inf: infeasible), and least radius for CENTRE*, None elsewhere."""

    cout: float
    rayon: float | None

    @property
    def faisable(self) -> bool:
        return self.cout < np.inf


INFAISABLE = Exact(float("inf"), None)


@dataclass(frozen=True, eq=False)
class Vue:
    """Active demands against one set of open levels: minutes (d, k), couvre (d, k) bool, weights, volumes, groups."""

    problem: Problem
    ouverts: np.ndarray
    minutes: np.ndarray
    couvre: np.ndarray
    poids: np.ndarray
    volume: np.ndarray
    groupe: np.ndarray
    fixe: float

    @property
    def parts_exigees(self) -> list[tuple[np.ndarray, float]]:
        """(demands, least covered weight) of every rule about covered weight."""
        p, total = self.problem, self.poids.sum()
        part = p.part_min
        if p.modele is Modele.COUVERTURE_TOTALE and part is None:
            part = 1.0
        exigences = [] if part is None else [(np.ones(len(self.poids), dtype=bool), part * total)]
        for g in range(len(p.groupes)):
            ceux = self.groupe == g
            propre = 0.0 if p.part_min_groupe is None else p.part_min_groupe[g]
            exigences.append((ceux, max(propre, p.equite_min or 0.0) * self.poids[ceux].sum()))
        return exigences


def solve_exact(problem: Problem) -> Exact:
    """The least objective over every answer that the definition allows."""
    vues = [view(problem, ouverts) for ouverts in open_sets(problem)]
    if problem.capacites is Capacites.PARTAGEE:
        return _shared(problem, vues)
    mieux: list[tuple[float, float]] = []
    for vue in vues:
        _, permis, rayons, couts = assignments(vue)
        if problem.modele not in CENTRES:
            rayons = np.zeros(len(couts))
        if permis.any():
            moindre = rayons[permis].min()
            mieux.append((float(moindre), float(couts[permis & (rayons == moindre)].min())))
    if not mieux:
        return INFAISABLE
    rayon, cout = min(mieux)
    return Exact(cout, rayon if problem.modele in CENTRES else None)


def open_sets(problem: Problem) -> Iterator[np.ndarray]:
    """Sets of levels that respect states, numbers, budgets and minima of sites by group."""
    choix: list[list[int]] = []
    for site in range(problem.n_sites):
        etat, niveaux = problem.etat[site], [int(n) for n in np.flatnonzero(problem.niveau_site == site)]
        inaccessible = problem.pmr_exige and etat == Etat.CANDIDAT and not problem.pmr[site]
        if etat == Etat.INTERDIT or inaccessible:
            niveaux = []
        choix.append(niveaux if etat == Etat.REQUIS else [-1, *niveaux])
    for plan in itertools.product(*choix):
        ouverts = np.array([n for n in plan if n >= 0], dtype=int)
        p = problem
        if len(ouverts) < p.sites_min or (p.sites_max is not None and len(ouverts) > p.sites_max):
            continue
        if p.budget_ouverture is not None and p.cout_ouverture[ouverts].sum() > p.budget_ouverture + EPS:
            continue
        if p.budget_annuel is not None and p.cout_annuel[ouverts].sum() > p.budget_annuel + EPS:
            continue
        groupes = p.site_groupe[p.niveau_site[ouverts]]
        if p.sites_min_groupe is not None and any(
            np.count_nonzero(groupes == g) < minimum for g, minimum in enumerate(p.sites_min_groupe)
        ):
            continue
        yield ouverts


def view(problem: Problem, ouverts: np.ndarray) -> Vue:
    poids = (problem.populations * problem.mix).sum(axis=1)
    actives = poids > 0
    minutes = problem.minutes[actives][:, problem.niveau_site[ouverts]].astype(float) + problem.attente[ouverts]
    if problem.minutes_max is not None:
        minutes = np.where(minutes > problem.minutes_max + 1e-4, np.inf, minutes)
    couvre = np.zeros(minutes.shape, dtype=bool) if problem.seuil is None else minutes <= problem.seuil + 1e-4
    fixe = problem.poids_ouverture * problem.cout_ouverture[ouverts].sum()
    fixe += problem.poids_annuel * problem.cout_annuel[ouverts].sum()
    return Vue(
        problem,
        ouverts,
        minutes,
        couvre,
        poids[actives],
        problem.volume[actives],
        problem.demande_groupe[actives],
        float(fixe),
    )


# --- whole demands -----------------------------------------------------------------------------------------


def assignments(vue: Vue) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Every assignment of whole demands to this set: (n, d) columns of the set (-1: nobody), whether allowed, radius,
    objective, each (n,)."""
    p, (d, k) = vue.problem, vue.minutes.shape
    if p.capacites is Capacites.AUCUNE:
        lignes = np.array([[_nearest(vue, i) for i in range(d)]], dtype=int).reshape(1, d)
    else:
        lignes = np.array(list(itertools.product(range(-1, k), repeat=d)), dtype=int).reshape((k + 1) ** d, d)
    # Column k stands for "nobody".
    minutes = np.column_stack([vue.minutes, np.full(d, np.inf)])
    couvre = np.column_stack([vue.couvre, np.zeros(d, dtype=bool)])
    rang = np.arange(d)
    temps, couvertes, servies = minutes[rang, lignes], couvre[rang, lignes], lignes >= 0
    permis = np.all(np.isfinite(temps) | ~servies, axis=1)
    if p.capacites is Capacites.UNIQUE:
        for colonne, niveau in enumerate(vue.ouverts):
            permis &= ((lignes == colonne) * vue.volume).sum(axis=1) <= p.capacite[niveau] + EPS
    if p.modele in DISTANCE and p.minutes_non_servi is None:
        permis &= servies.all(axis=1)
    if p.minutes_non_servi is not None:
        temps = np.where(servies, temps, p.minutes_non_servi)
    for ceux, exige in vue.parts_exigees:
        permis &= (couvertes * vue.poids)[:, ceux].sum(axis=1) >= exige - EPS
    rayons = temps.max(axis=1, initial=0.0)
    if p.modele is Modele.CENTRE:
        return lignes, permis, rayons, rayons
    couts = vue.fixe + p.equite_poids * (1.0 - _worst(vue, couvertes))
    if p.modele is Modele.COUVERTURE_MAX:
        couts = couts + np.where(couvertes, 0.0, vue.poids).sum(axis=1)
    elif p.modele is Modele.COUVERTURE_TOTALE:
        couts = couts + len(vue.ouverts)
    else:
        couts = couts + temps @ vue.poids
    return lignes, permis, rayons, couts


def _nearest(vue: Vue, i: int) -> int:
    p = vue.problem
    if not vue.minutes.shape[1]:
        return -1
    colonne = int(np.argmin(vue.minutes[i]))
    temps = vue.minutes[i, colonne]
    trop_loin = p.modele in DISTANCE and p.minutes_non_servi is not None and temps > p.minutes_non_servi
    return -1 if trop_loin or not np.isfinite(temps) else colonne


def _worst(vue: Vue, couvertes: np.ndarray) -> np.ndarray:
    pire = np.ones(len(couvertes))
    for g in np.unique(vue.groupe):
        ceux = vue.groupe == g
        pire = np.minimum(pire, (couvertes * vue.poids)[:, ceux].sum(axis=1) / vue.poids[ceux].sum())
    return pire


# --- shared demands ----------------------------------------------------------------------------------------


def _shared(problem: Problem, vues: list[Vue]) -> Exact:
    rayon = None
    if problem.modele in CENTRES:
        rayon = _least_radius(problem, vues)
        if rayon is None:
            return INFAISABLE
        if problem.modele is Modele.CENTRE:
            return Exact(rayon, rayon)
    couts = [cout for vue in vues if (cout := _linear(vue, rayon)) is not None]
    return Exact(min(couts), rayon) if couts else INFAISABLE


def _least_radius(problem: Problem, vues: list[Vue]) -> float | None:
    mieux: float | None = None
    for vue in vues:
        candidats = {0.0, *vue.minutes[np.isfinite(vue.minutes)].tolist()}
        if problem.minutes_non_servi is not None:
            candidats.add(problem.minutes_non_servi)
        for rayon in sorted(candidats, reverse=True):
            if mieux is not None and rayon >= mieux:
                continue
            if _linear(vue, rayon) is None:
                break
            mieux = rayon
    return mieux


def _linear(vue: Vue, rayon: float | None) -> float | None:
    """Least objective of this set with flows of at most ``rayon`` minutes (None: any), None where there is none."""
    p, (d, k) = vue.problem, vue.minutes.shape
    permis = np.isfinite(vue.minutes)
    non_servi_permis = p.modele not in DISTANCE or p.minutes_non_servi is not None
    if rayon is not None:
        permis &= vue.minutes <= rayon
        non_servi_permis = p.minutes_non_servi is not None and p.minutes_non_servi <= rayon
    # Columns: x (d k), unserved (d), worst share (1).
    n = d * k + d + 1
    couts = np.zeros(n)
    gain = vue.poids[:, None] * vue.couvre
    if p.modele is Modele.COUVERTURE_MAX:
        couts[: d * k] = -gain.ravel()
    elif p.modele in DISTANCE:
        couts[: d * k] = (vue.poids[:, None] * np.where(permis, vue.minutes, 0.0)).ravel()
        couts[d * k : d * k + d] = vue.poids * (p.minutes_non_servi or 0.0)
    couts[-1] = -p.equite_poids
    bornes = [(0.0, 1.0 if ok else 0.0) for ok in permis.ravel()]
    bornes += [(0.0, 1.0 if non_servi_permis else 0.0)] * d + [(0.0, 1.0)]
    egal = np.zeros((d, n))
    for i in range(d):
        egal[i, i * k : (i + 1) * k] = 1
        egal[i, d * k + i] = 1
    lignes, droite = [], []
    for colonne, niveau in enumerate(vue.ouverts):
        if np.isfinite(p.capacite[niveau]):
            ligne = np.zeros(n)
            ligne[np.arange(d) * k + colonne] = vue.volume
            lignes.append(ligne)
            droite.append(p.capacite[niveau])
    for ceux, exige in vue.parts_exigees:
        ligne = np.zeros(n)
        ligne[: d * k] = -(gain * ceux[:, None]).ravel()
        lignes.append(ligne)
        droite.append(-exige + EPS)
    for g in np.unique(vue.groupe):
        ligne = np.zeros(n)
        ceux = vue.groupe == g
        ligne[: d * k] = -(gain * ceux[:, None]).ravel() / vue.poids[ceux].sum()
        ligne[-1] = 1
        lignes.append(ligne)
        droite.append(0.0)
    resultat = linprog(
        couts,
        A_ub=np.array(lignes) if lignes else None,
        b_ub=droite or None,
        A_eq=egal if d else None,
        b_eq=np.ones(d) if d else None,
        bounds=bornes,
    )
    if resultat.status == 2:
        return None
    assert resultat.status == 0, resultat.message
    cout = vue.fixe + p.equite_poids + float(resultat.fun)
    if p.modele is Modele.COUVERTURE_MAX:
        cout += float(vue.poids.sum())
    elif p.modele is Modele.COUVERTURE_TOTALE:
        cout += len(vue.ouverts)
    return cout
