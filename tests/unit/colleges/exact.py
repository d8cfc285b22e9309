"""The best contiguous plan of a tiny problem, by trying them all; costs from the checker's side."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np

from collèges.probleme import AUCUN, I32, Problem
from collèges.recalcul import costs, door, island_pairs, neighbours, permitted


def plans(problem: Problem) -> list[list[tuple[int, int]]]:
    """What a search may give each zone: what it has today (or either half of it), and each collège that is permitted,
    has a road and whose border is open (or that is imposed). Nobody who has a collège is left without."""
    choix = []
    for zone in range(problem.n_zones):
        possibles = {(int(problem.present[zone, 0]), int(problem.present[zone, 1]))}
        for j in range(problem.n_colleges):
            g, h = problem.zone_groupe[zone], problem.college_groupe[j]
            ferme = g != h and problem.passages_max[g, h] == 0 and problem.impose[zone] != j
            route = np.isfinite(problem.minutes[zone, j]) or problem.impose[zone] == j
            moitie = j in problem.present[zone] and problem.impose[zone] == AUCUN
            if moitie or (permitted(problem, zone, j) and route and not ferme):
                possibles.add((j, AUCUN))
        choix.append(sorted(possibles))
    return choix


def best_plan(problem: Problem) -> tuple[float, I32]:
    """Least cost over all contiguous plans, and one that has it. Sizes up to 4^8 plans."""
    voisins = neighbours(problem)
    voisinage = [sum(1 << v for v in liste) for liste in voisins]
    tolerees = [0] * problem.n_colleges
    for zone, j in island_pairs(problem, problem.present, voisins):
        tolerees[j] |= 1 << zone
    for zone, j in enumerate(problem.impose.tolist()):
        if j != AUCUN:
            tolerees[j] |= 1 << zone
    portes = [door(problem, j) for j in range(problem.n_colleges)]

    @cache
    def holds(j: int, secteur: int) -> bool:
        vues = front = 1 << portes[j]
        while front:
            suite = 0
            for zone in range(problem.n_zones):
                if front >> zone & 1:
                    suite |= voisinage[zone]
            front = suite & secteur & ~vues
            vues |= front
        return not secteur & ~vues & ~tolerees[j]

    meilleur, meilleur_plan = float("inf"), problem.present
    for plan in itertools.product(*plans(problem)):
        secteurs = [0] * problem.n_colleges
        for zone, paire in enumerate(plan):
            for j in paire:
                if j != AUCUN:
                    secteurs[j] |= 1 << zone
        if all(holds(j, secteur) for j, secteur in enumerate(secteurs) if secteur):
            college = np.array(plan, dtype=np.int32)
            cout = sum(costs(problem, college).values())
            if cout < meilleur:
                meilleur, meilleur_plan = cout, college
    return meilleur, meilleur_plan
