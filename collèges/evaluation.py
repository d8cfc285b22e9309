"""All figures of a plan, and a change made by hand. Pure module.

`evaluate` and `move` answer while an agent paints on the map: what does not depend on the plan is kept with the
problem (`known_tables`), the rest is a few passes over flat arrays.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .couts import Etat, Tables, costs, ips_gaps, state, tables
from .graphe import attached
from .manques import broken_wishes
from .probleme import AUCUN, F64, I32, Problem
from .resultat import Bascule, Chiffres, Difference, Evaluation, Plan

_connues: weakref.WeakKeyDictionary[Problem, tuple[Tables, float]] = weakref.WeakKeyDictionary()


def known_tables(problem: Problem) -> Tables:
    """`tables` of a problem, computed once."""
    return _known(problem)[0]


def _known(problem: Problem) -> tuple[Tables, float]:
    """Tables, cost of today's plan."""
    trouve = _connues.get(problem)
    if trouve is None:
        t = tables(problem)
        trouve = (t, costs(problem, t, problem.present, state(problem, t, problem.present)).total)
        _connues[problem] = trouve
    return trouve


def cost_of(problem: Problem, plan: Plan) -> float:
    """Cost of a plan alone, pupil-minutes of a mean year."""
    t = known_tables(problem)
    return costs(problem, t, plan.college, state(problem, t, plan.college)).total


def move(problem: Problem, plan: Plan, zones: Sequence[int], college: int) -> tuple[Plan, Evaluation]:
    """Give zones to a collège (AUCUN = none) by hand: the child plan and all its figures.

    Everything is accepted; what it breaks is in ``manques`` and ``coupees``. Undo is ``plan.parent``.
    Raises `ValueError` for a zone or a collège that does not exist.
    """
    if not AUCUN <= college < problem.n_colleges:
        raise ValueError(f"collège {college} inexistant")
    for zone in zones:
        if not 0 <= zone < problem.n_zones:
            raise ValueError(f"zone {zone} inexistante")
    suite = plan.with_zones(zones, college)
    return suite, evaluate(problem, suite)


def evaluate(problem: Problem, plan: Plan) -> Evaluation:
    """All figures of a plan, what it breaks in words, its difference to today's. Raises `ValueError` when the plan is
    not one of this problem."""
    check_shape(problem, plan)
    t, cout_0 = _known(problem)
    etat = state(problem, t, plan.college)
    couts = costs(problem, t, plan.college, etat)
    detachees = (plan.college >= 0) & ~attached(plan.college, t.portes, t.indptr, t.indices)
    zones = np.arange(problem.n_zones)[:, None]
    coupees = (detachees & ~t.tolerees[zones, np.maximum(plan.college, 0)]).any(axis=1)
    iles = detachees.any(axis=1) & ~coupees
    colleges, groupes = figures(problem, t, etat)
    changees = np.flatnonzero((plan.college != problem.present).any(axis=1))
    bascules = tuple(
        Bascule(
            int(i),
            (int(problem.present[i, 0]), int(problem.present[i, 1])),
            (int(plan.college[i, 0]), int(plan.college[i, 1])),
        )
        for i in changees
    )
    difference = Difference(
        zones=len(bascules),
        eleves=float((t.eleves * etat.quitte).sum()),
        cout=couts.total - cout_0,
        bascules=bascules,
    )
    return Evaluation(
        cout=couts.total,
        couts=couts,
        colleges=colleges,
        groupes=groupes,
        dissimilarite=etat.dissimilarite,
        coupees=tuple(int(i) for i in np.flatnonzero(coupees)),
        iles=tuple(int(i) for i in np.flatnonzero(iles)),
        manques=broken_wishes(problem, t, plan.college, etat, np.flatnonzero(coupees), np.flatnonzero(iles)),
        difference=difference,
    )


def check_shape(problem: Problem, plan: Plan) -> None:
    """Raise `ValueError` unless the plan names collèges of the problem, one row a zone."""
    college = plan.college
    if college.shape != (problem.n_zones, 2):
        raise ValueError(f"plan : {len(college)} zones au lieu de {problem.n_zones}")
    if college.min() < AUCUN or college.max() >= problem.n_colleges:
        raise ValueError("plan : collège inexistant")
    if np.any((college[:, 1] >= 0) & ((college[:, 0] < 0) | (college[:, 0] == college[:, 1]))):
        raise ValueError("plan : second collège sans premier, ou le même")


def compare(problem: Problem, plan: Plan, autre: Plan) -> Difference:
    """``plan`` against another one: zones that differ, pupils of a mean year whose collège differs (half of those
    of a shared sector), difference of cost (negative = ``plan`` is better), flips from the other to this one."""
    t = known_tables(problem)
    ici, la = state(problem, t, plan.college), state(problem, t, autre.college)
    zones = np.flatnonzero((plan.college != autre.college).any(axis=1))
    ecart = np.maximum(np.maximum(ici.parts - la.parts, 0.0).sum(axis=1), np.maximum(la.parts - ici.parts, 0.0).sum(1))
    return Difference(
        zones=len(zones),
        eleves=float((t.eleves * ecart).sum()),
        cout=costs(problem, t, plan.college, ici).total - costs(problem, t, autre.college, la).total,
        bascules=tuple(
            Bascule(
                int(i),
                (int(autre.college[i, 0]), int(autre.college[i, 1])),
                (int(plan.college[i, 0]), int(plan.college[i, 1])),
            )
            for i in zones
        ),
    )


def figures(problem: Problem, t: Tables, etat: Etat) -> tuple[Chiffres, Chiffres]:
    """Figures by collège and by group (`Chiffres`)."""
    zone, college, poids = _flows(t, etat)
    minutes = problem.minutes[zone, college]
    arrive = np.where((problem.present[:, 0] >= 0)[:, None], np.maximum(etat.parts - t.parts_0, 0.0), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        remplissage = np.where(problem.capacite > 0, etat.charge / problem.capacite, np.nan)
        remplissage[~np.isfinite(problem.capacite)] = np.nan
        exterieurs = etat.etrangers / np.where(etat.charge > 0, etat.charge, np.nan)
    ecarts = _worst_gaps(problem, etat.ips)
    colleges = Chiffres(
        effectif=etat.charge,
        remplissage=remplissage,
        deplaces=t.suivent @ arrive,
        exterieurs=exterieurs,
        ips=etat.ips,
        ecart_ips=ecarts,
        **_minutes(college, minutes, poids, problem.n_colleges),
    )
    g = problem.n_groupes
    de_zone, de_college = _indicator(problem.zone_groupe, g), _indicator(problem.college_groupe, g)
    effectif = poids @ de_zone[zone]
    recus, etrangers = etat.charge @ de_college, etat.etrangers @ de_college
    # Not a product: an unlimited collège counts in its own group alone, and inf times 0 is no number.
    capacite = np.stack([problem.capacite[:, problem.college_groupe == k].sum(axis=1) for k in range(g)], axis=1)
    connue = np.isfinite(t.ips)
    pese = (t.eleves * connue) @ de_zone
    somme = (t.eleves * np.where(connue, t.ips, 0.0)) @ de_zone
    with np.errstate(invalid="ignore", divide="ignore"):
        groupes = Chiffres(
            effectif=effectif,
            remplissage=np.where(np.isfinite(capacite) & (capacite > 0), recus / capacite, np.nan),
            deplaces=(t.suivent * etat.quitte) @ de_zone,
            exterieurs=np.where(recus > 0, etrangers / recus, np.nan),
            ips=np.where(pese > 0, somme / pese, np.nan),
            ecart_ips=np.array([_largest(ecarts[problem.college_groupe == k]) for k in range(g)]),
            **_minutes(problem.zone_groupe[zone], minutes, poids, g),
        )
    return colleges, groupes


def _indicator(groupe: I32, g: int) -> F64:
    return np.asarray(groupe[:, None] == np.arange(g)[None, :], dtype=np.float64)


def _flows(t: Tables, etat: Etat) -> tuple[NDArray[np.intp], NDArray[np.intp], F64]:
    """Zone and collège of each flow, and its pupils (T, k)."""
    zone, college = np.nonzero((etat.parts > 0) | (t.parts_0 > 0))
    poids = t.suivent[:, zone] * etat.parts[zone, college] + t.restent[:, zone] * t.parts_0[zone, college]
    return zone, college, poids


def _minutes(cle: NDArray[np.integer], minutes: F64, poids: F64, k: int) -> dict[str, F64]:
    """Mean, P90 and worst minutes by key (T, K), of pupils with a finite time."""
    fini = np.isfinite(minutes)
    cle, minutes, poids = cle[fini], minutes[fini], poids[:, fini]
    ordre = np.lexsort((minutes, cle))
    cle, minutes, poids = cle[ordre], minutes[ordre], poids[:, ordre]
    debuts = np.searchsorted(cle, np.arange(k + 1))
    moyenne, p90, pire = (np.full((len(poids), k), np.nan) for _ in range(3))
    for j in range(k):
        tranche = slice(debuts[j], debuts[j + 1])
        m = minutes[tranche]
        for annee, ligne in enumerate(poids[:, tranche]):
            cumul = np.cumsum(ligne)
            total = cumul[-1] if len(cumul) else 0.0
            if total <= 0:
                continue
            moyenne[annee, j] = (m * ligne).sum() / total
            p90[annee, j] = m[np.searchsorted(cumul, 0.9 * total * (1 - 1e-12))]
            pire[annee, j] = m[np.flatnonzero(ligne > 0)[-1]]
    return {"minutes_moyenne": moyenne, "minutes_p90": p90, "minutes_max": pire}


def _worst_gaps(problem: Problem, ips: F64) -> F64:
    """Largest IPS gap of each collège with those it is compared to (C,); NaN = none."""
    pire = np.full(problem.n_colleges, np.nan)
    ecarts = ips_gaps(problem, ips)
    for (a, b), ecart in zip(problem.college_voisins, ecarts, strict=True):
        if np.isfinite(ips[a]) and np.isfinite(ips[b]):
            pire[a], pire[b] = np.fmax(pire[a], ecart), np.fmax(pire[b], ecart)
    return pire


def _largest(valeurs: F64) -> float:
    connues = valeurs[np.isfinite(valeurs)]
    return float(connues.max()) if len(connues) else float("nan")
