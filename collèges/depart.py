"""The plan a search starts from: today's, with what the rules impose (unless it costs more) and a collège for zones
that have none. Pure module."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from .donnees import Donnees, Memoire, memoire, to_college, to_x
from .evaluation import check_shape
from .graphe import attached
from .probleme import AUCUN, I32, Problem
from .recherche import apply, may_enter, may_leave, relink_all
from .resultat import Plan
from .variation import total


def start(problem: Problem, d: Donnees) -> Memoire:
    """Sums of the first plan: the cheaper of today's and of the one in which imposed zones are where rules want them,
    so that a search never ends above today's. A rule has its price (``interdit``), and what it costs may be more."""
    plans = [_with_zones_served(d, *_imposed(problem, d)), _with_zones_served(d, *to_x(problem.present, len(d.portes)))]
    return min(plans, key=lambda m: total(d, m))


def _imposed(problem: Problem, d: Donnees) -> tuple[I32, I32]:
    """(x, x2) of today's plan with imposed zones in their collège, where that cuts nobody off."""
    x, x2 = to_x(problem.present, problem.n_colleges)
    # A shared sector that a rule gives to one collège is no longer shared, unless somebody hangs on the other one.
    for zone in np.flatnonzero((problem.impose >= 0) & (x2 >= 0)):
        avant = x[zone], x2[zone]
        x[zone], x2[zone] = problem.impose[zone], AUCUN
        if len(_cut_off(d, to_college(x, x2, problem.n_colleges))):
            x[zone], x2[zone] = avant
    m = memoire(d, x, x2)
    relink_all(d, m)
    for zone in np.flatnonzero((problem.impose >= 0) & (m.x != problem.impose) & (m.x2 < 0)):
        if may_leave(d, m, int(zone)):
            apply(d, m, int(zone), int(problem.impose[zone]))
    return m.x, x2


def _with_zones_served(d: Donnees, x: I32, x2: I32) -> Memoire:
    """Sums of a plan in which zones without collège join an attached neighbour's, cheapest first (those that nobody can
    take stay without), unless leaving them without costs less (social mix, borders)."""
    sans, avec = memoire(d, x, x2), memoire(d, x, x2)
    relink_all(d, sans)
    relink_all(d, avec)
    _grow(d, avec)
    return avec if total(d, avec) <= total(d, sans) else sans


def given(problem: Problem, d: Donnees, plan: Plan) -> tuple[I32, I32]:
    """(x, x2) of a plan to start from instead of today's. Raises `ValueError` unless the solver could give it: the
    shape, what each zone may have, no zone cut off."""
    check_shape(problem, plan)
    college = plan.college.copy()
    # A shared sector is the same whichever collège is named first.
    garde = (np.sort(college, axis=1) == np.sort(problem.present, axis=1)).all(axis=1)
    college[garde] = problem.present[garde]
    seul = (college[:, 0] >= 0) & (college[:, 1] < 0)
    permise = seul & d.permis[np.arange(len(college)), np.maximum(college[:, 0], 0)]
    refusees = np.flatnonzero(~(garde | permise))
    if len(refusees):
        raise ValueError(
            f"plan de départ : la zone {problem.zone_code[refusees[0]]} ne peut pas recevoir ce que le plan lui donne"
        )
    coupees = _cut_off(d, college)
    if len(coupees):
        raise ValueError(f"plan de départ : la zone {problem.zone_code[coupees[0]]} est coupée de son collège")
    return to_x(college, problem.n_colleges)


def _cut_off(d: Donnees, college: I32) -> NDArray[np.intp]:
    """Zones of the plan in islands that are not tolerated, rising."""
    detachees = (college >= 0) & ~attached(college, d.portes, d.indptr, d.indices)
    zones = np.arange(len(college))[:, None]
    return np.flatnonzero((detachees & ~d.tolerees[zones, np.maximum(college, 0)]).any(axis=1))


def _grow(d: Donnees, m: Memoire) -> None:
    """Zones without collège join their neighbours', cheapest first."""
    c = len(d.portes)
    file: list[tuple[float, int, int]] = []

    def offer(zone: int) -> None:
        for j in range(c):
            if may_enter(d, m, zone, j):
                heapq.heappush(file, (float(d.lin[zone, j]), zone, j))

    for seule in np.flatnonzero(m.x == c):
        offer(int(seule))
    while file:
        _, zone, j = heapq.heappop(file)
        if m.x[zone] != c:
            continue
        apply(d, m, zone, j)
        for voisine in d.indices[d.indptr[zone] : d.indptr[zone + 1]]:
            if m.x[voisine] == c:
                offer(int(voisine))
