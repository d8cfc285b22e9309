"""Solver of the operation of these tests: one site per so many inhabitants, placed by enumeration. Pure module.

Real and small: the weighted 1-median of points, where a site may only stand on a point. Waiting between two
candidates makes it last as long as a test needs.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from territoires.calcul import Arret, Bilan, ControleEchoue, PointTrace, Progres, Statut

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """Points (n, 2) in metres, their inhabitants (n,) and collectivités; euro per km and inhabitant, and per site."""

    points: F64
    population: F64
    codes: tuple[str, ...]
    euro_km: float
    euro_site: float
    wait_s: float = 0.0
    fault: str = ""
    others: int = 0

    def cost_of(self, site: int) -> float:
        distances = np.linalg.norm(self.points - self.points[site], axis=1)
        return self.euro_site + float(self.population @ distances) / 1000 * self.euro_km


@dataclass(frozen=True)
class Solution:
    """Rank of the point where the site stands; ``autres`` = the next best places, when asked for."""

    site: int
    bilan: Bilan
    autres: tuple[Solution, ...] = ()


def solve(problem: Problem, stop: Arret, seed: int, progress: Progres) -> Solution:
    """Try every point, in an order drawn from the seed."""
    if problem.fault == "plante":
        raise RuntimeError("panne du solveur")
    order = np.random.default_rng(seed).permutation(len(problem.points))
    best: Solution | None = None
    for tried, site in enumerate(order.tolist(), 1):
        cost = problem.cost_of(site)
        if problem.fault == "triche":
            cost *= 0.9
        if best is None or cost < float(best.bilan.cost):
            point = PointTrace(float(tried), cost, None)
            trace = (*best.bilan.trace, point) if best else (point,)
            best = Solution(site, Bilan(Decimal(f"{cost:.2f}"), None, Statut.REALISABLE, seed, tried, trace))
        progress(tried / len(order), f"{tried} points essayés", float(best.bilan.cost), None, best)
        if problem.fault == "sourd":
            while True:
                time.sleep(0.05)
        if stop.reached(iterations=tried):
            return best
        time.sleep(problem.wait_s)
    assert best is not None
    others = sorted((problem.cost_of(site), site) for site in order.tolist() if site != best.site)
    return replace(
        best,
        bilan=replace(best.bilan, bound=best.bilan.cost, status=Statut.OPTIMAL, iterations=len(order)),
        autres=tuple(
            Solution(site, Bilan(Decimal(f"{cost:.2f}"), best.bilan.cost, Statut.REALISABLE, seed))
            for cost, site in others[: problem.others]
        ),
    )


def check(problem: Problem, solution: Solution) -> None:
    """The cost again, point by point."""
    x, y = problem.points[solution.site]
    total = problem.euro_site
    for (px, py), inhabitants in zip(problem.points, problem.population, strict=True):
        total += ((px - x) ** 2 + (py - y) ** 2) ** 0.5 / 1000 * inhabitants * problem.euro_km
    if abs(total - float(solution.bilan.cost)) > 0.01:
        raise ControleEchoue(f"Coût annoncé {solution.bilan.cost} €, recalculé {total:.2f} €.")
