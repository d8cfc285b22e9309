"""Fronts of two objectives by epsilon-constraint: sites or euros against minutes, people left out or the longest time.

Each point is one problem of `accueil.solveur` under one more ceiling on the first objective; each starts from the
answer of the point before. Pure module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from territoires.calcul import Arret, Progres, Statut, silent

from .chiffres import access
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
    """One point: ceiling set, what the answer spends and reaches (mean minutes of who is served; covered share, None
    without threshold; longest minutes), the answer. ``domine``: another point spends no more and its objective is no
    worse."""

    plafond: float
    depense: float
    moyenne: float
    couvert: float | None
    rayon: float
    solution: Solution
    domine: bool


@dataclass(frozen=True, eq=False)
class Front:
    """Points in ascending order of ceiling; ceilings under which nothing is feasible, proven; ceilings without answer
    for want of time, nothing being proven of them."""

    points: tuple[Point, ...]
    impossibles: tuple[float, ...]
    sans_reponse: tuple[float, ...]


def front(
    problem: Problem,
    moyen: Moyen,
    plafonds: Sequence[float],
    stop: Arret,
    seed: int = 1,
    progress: Progres = silent,
    *,
    secondes: float | None = None,
) -> Front:
    """One point a ceiling, added to the problem's own rules.

    The second objective is that of ``problem.modele``: MEDIANE (mean), COUVERTURE_MAX (covered share), CENTRE (longest
    time) or CENTRE_PUIS_MEDIANE (longest time, then mean). ``secondes``: most time a point may take. Ceilings are taken
    in ascending order: what satisfies one satisfies the next, and seeds it.
    """
    trouves: list[tuple[float, Solution]] = []
    impossibles: list[float] = []
    sans: list[float] = []
    precedente: Solution | None = None
    ordre = sorted(set(plafonds))
    for rang, plafond in enumerate(ordre):
        if stop.reached():
            sans += ordre[rang:]
            break
        pose = _capped(problem, moyen, plafond)
        if pose is None:
            impossibles.append(plafond)
            continue
        reste = stop.remaining()
        limite = min(reste, secondes) if secondes is not None else reste
        court = Arret(
            seconds=limite if limite != float("inf") else None, iterations=stop.iterations, cancelled=stop.cancelled
        )
        progress(rang / len(ordre), f"Point {rang + 1} sur {len(ordre)}")
        solution = solve(pose, court, seed, depart=precedente)
        if solution.bilan.status is not Statut.IRREALISABLE:
            trouves.append((plafond, solution))
            precedente = solution
        else:
            (impossibles if solution.impossible else sans).append(plafond)
    points = tuple(_point(problem, moyen, plafond, solution, trouves) for plafond, solution in trouves)
    return Front(points, tuple(impossibles), tuple(sans))


def _capped(problem: Problem, moyen: Moyen, plafond: float) -> Problem | None:
    """The problem with this ceiling or its own, whichever is lower; None where nothing can cost so little."""
    if plafond < 0:
        return None
    if moyen is Moyen.SITES:
        au_plus = problem.n_sites if problem.sites_max is None else problem.sites_max
        sites = int(min(au_plus, plafond))
        return None if sites < problem.sites_min else replace(problem, sites_max=sites)
    if moyen is Moyen.OUVERTURE:
        return replace(problem, budget_ouverture=_lower(problem.budget_ouverture, plafond))
    return replace(problem, budget_annuel=_lower(problem.budget_annuel, plafond))


def _lower(regle: float | None, plafond: float) -> float | None:
    if plafond == float("inf"):
        return regle
    return float(plafond if regle is None else min(regle, plafond))


def _spent(moyen: Moyen, solution: Solution) -> float:
    parties = solution.parties
    return float(
        {
            Moyen.SITES: parties.sites,
            Moyen.OUVERTURE: parties.cout_ouverture,
            Moyen.ANNUEL: parties.cout_annuel,
        }[moyen]
    )


def _goal(solution: Solution) -> tuple[float, ...]:
    """What the model minimises, in order."""
    cout = float(solution.bilan.cost)
    if solution.modele is Modele.CENTRE_PUIS_MEDIANE:
        return solution.parties.rayon, cout
    return (cout,)


def _point(
    problem: Problem, moyen: Moyen, plafond: float, solution: Solution, tous: Sequence[tuple[float, Solution]]
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
    acces = access(problem, solution)
    couvert = None if parties.non_couvert is None or acces.poids <= 0 else 1.0 - parties.non_couvert / acces.poids
    return Point(plafond, depense, acces.moyenne, couvert, parties.rayon, solution, domine)
