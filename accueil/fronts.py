"""Fronts of two objectives by epsilon-constraint: sites or euros against minutes, people left out or the longest time.

Each point is one problem of `accueil.solveur` under one more ceiling on the first objective; each starts from the
answer of the point before. Pure module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from territoires.calcul import Arret, Progres, Statut, silent

from .probleme import Modele, Problem
from .resultat import Solution
from .solveur import solve


class Moyen(StrEnum):
    """What is spent: open sites, opening costs, yearly costs."""

    SITES = "sites_max"
    OUVERTURE = "budget_ouverture"
    ANNUEL = "budget_annuel"


@dataclass(frozen=True, eq=False)
class Point:
    """One point: ceiling set, what the answer spends and reaches (mean weighted minutes; covered share, None without
    threshold; longest minutes), the answer. ``domine``: another point spends no more and its objective is no worse."""

    plafond: float
    depense: float
    moyenne: float
    couvert: float | None
    rayon: float
    solution: Solution
    domine: bool


def front(
    problem: Problem,
    moyen: Moyen,
    plafonds: Sequence[float],
    stop: Arret,
    seed: int = 1,
    progress: Progres = silent,
    *,
    secondes: float | None = None,
) -> list[Point]:
    """Points in ascending order of ceiling; ceilings under which nothing is feasible are left out.

    The second objective is that of ``problem.modele``: MEDIANE (mean), COUVERTURE_MAX (covered share), CENTRE (longest
    time) or CENTRE_PUIS_MEDIANE. ``secondes``: most time a point may take. Ceilings are taken in ascending order: what
    satisfies one satisfies the next, and seeds it.
    """
    trouves: list[tuple[float, Solution]] = []
    precedente: Solution | None = None
    ordre = sorted(set(plafonds))
    for rang, plafond in enumerate(ordre):
        if stop.reached():
            break
        reste = stop.remaining()
        limite = min(reste, secondes) if secondes is not None else reste
        court = Arret(
            seconds=limite if limite != float("inf") else None, iterations=stop.iterations, cancelled=stop.cancelled
        )
        progress(rang / len(ordre), f"Point {rang + 1} sur {len(ordre)}")
        solution = solve(_capped(problem, moyen, plafond), court, seed, depart=precedente)
        if solution.bilan.status is not Statut.IRREALISABLE:
            trouves.append((plafond, solution))
            precedente = solution
    poids = float((problem.populations @ problem.mix).sum())
    return [_point(moyen, plafond, solution, trouves, poids) for plafond, solution in trouves]


def _capped(problem: Problem, moyen: Moyen, plafond: float) -> Problem:
    if moyen is Moyen.SITES:
        return replace(problem, sites_max=round(plafond), sites_min=min(problem.sites_min, round(plafond)))
    if moyen is Moyen.OUVERTURE:
        return replace(problem, budget_ouverture=float(plafond))
    return replace(problem, budget_annuel=float(plafond))


def _spent(moyen: Moyen, solution: Solution) -> float:
    parties = solution.parties
    return float(
        {
            Moyen.SITES: parties.sites,
            Moyen.OUVERTURE: parties.cout_ouverture,
            Moyen.ANNUEL: parties.cout_annuel,
        }[moyen]
    )


def _goal(solution: Solution) -> float:
    if solution.modele in (Modele.CENTRE, Modele.CENTRE_PUIS_MEDIANE):
        return solution.parties.rayon
    return float(solution.bilan.cost)


def _point(
    moyen: Moyen, plafond: float, solution: Solution, tous: Sequence[tuple[float, Solution]], poids: float
) -> Point:
    depense, but = _spent(moyen, solution), _goal(solution)
    domine = any(
        autre is not solution
        and _spent(moyen, autre) <= depense
        and _goal(autre) <= but
        and (_spent(moyen, autre) < depense or _goal(autre) < but or rang < plafond)
        for rang, autre in tous
    )
    parties = solution.parties
    couvert = None if parties.non_couvert is None or poids <= 0 else 1.0 - parties.non_couvert / poids
    moyenne = parties.minutes / poids if poids > 0 else 0.0
    return Point(plafond, depense, moyenne, couvert, parties.rayon, solution, domine)
