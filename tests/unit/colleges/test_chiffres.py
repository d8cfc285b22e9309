"""Figures of a plan and its difference to another one, against a count pupil by pupil."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collèges.evaluation import compare, evaluate
from collèges.probleme import AUCUN, Problem, phase_in
from collèges.recalcul import costs
from collèges.resultat import Chiffres, Plan, present_plan

from .cas import PLANS, make_case, seeds
from .petit import CHANGE, plan_of, small


@dataclass(frozen=True)
class Eleve:
    """One pupil of one year: where he lives, his collège, whether it is another one than without the plan."""

    zone: int
    college: int
    change: bool


def halves(paire: Any) -> list[int]:
    """The collège of each half of a zone's pupils, AUCUN = none."""
    un, deux = (int(j) for j in paire)
    return [un, un if deux == AUCUN else deux]


def pupils(problem: Problem, plan: Plan, annee: int) -> list[Eleve]:
    """Every pupil who has a collège. A zone's pupils who follow the plan go, half by half, where it says; a half moves
    when its collège is not among those of the halves of today. The others stay where they are today."""
    tous = []
    for zone in range(problem.n_zones):
        avant, apres = halves(problem.present[zone]), halves(plan.college[zone])
        eleves = problem.eleves[annee, zone]
        suivent = eleves if avant[0] == AUCUN else eleves * problem.part_nouvelle[annee, zone]
        for moitie in avant:
            tous += [Eleve(zone, moitie, False)] * whole((eleves - suivent) / 2)
        restent = Counter(avant)
        for moitie in apres:
            garde = restent[moitie] > 0
            restent[moitie] -= garde
            change = not garde and avant[0] != AUCUN
            tous += [Eleve(zone, moitie, change)] * whole(suivent / 2)
    return [eleve for eleve in tous if eleve.college != AUCUN]


def whole(valeur: float) -> int:
    assert valeur == int(valeur), "the case must not cut pupils in pieces"
    return int(valeur)


def counted(problem: Problem, annee: int, eleves: list[Eleve], siens: list[Eleve], places: float) -> dict[str, float]:
    """Figures of one collège or group: ``eleves`` received or living there, ``siens`` received by its collèges."""
    minutes = sorted(m for e in eleves if math.isfinite(m := problem.minutes[e.zone, e.college]))
    ailleurs = [e for e in siens if problem.zone_groupe[e.zone] != problem.college_groupe[e.college]]
    rien = float("nan")
    return {
        "effectif": len(eleves),
        "remplissage": len(siens) / places if 0 < places < math.inf else rien,
        "minutes_moyenne": sum(minutes) / len(minutes) if minutes else rien,
        # 0.9 n pupils do not exceed it.
        "minutes_p90": minutes[-(-9 * len(minutes) // 10) - 1] if minutes else rien,
        "minutes_max": minutes[-1] if minutes else rien,
        "deplaces": sum(e.change for e in eleves),
        "exterieurs": len(ailleurs) / len(siens) if siens else rien,
    }


def same(problem: Problem, chiffres: Chiffres, compte: Callable[[int, int], dict[str, float]], k: int) -> None:
    for annee in range(problem.n_annees):
        for j in range(k):
            for nom, attendu in compte(annee, j).items():
                assert getattr(chiffres, nom)[annee, j] == pytest.approx(attendu, rel=1e-9, nan_ok=True), (
                    annee,
                    j,
                    nom,
                )


def drawn(problem: Problem, rng: np.random.Generator) -> Plan:
    """Any plan, however faulty: collèges, none, shared sectors."""
    college = np.full((problem.n_zones, 2), AUCUN, dtype=np.int32)
    college[:, 0] = rng.integers(AUCUN, problem.n_colleges, problem.n_zones)
    for zone in np.flatnonzero((college[:, 0] >= 0) & (rng.random(problem.n_zones) < 0.3)):
        if problem.n_colleges > 1:
            college[zone, 1] = (college[zone, 0] + rng.integers(1, problem.n_colleges)) % problem.n_colleges
    return Plan(college)


def cases(seed: int, plan: str, g: int) -> tuple[Problem, Plan, Plan]:
    """A problem with every rule, three years of phase-in, pupils by eight; two plans."""
    rng = np.random.default_rng(seed)
    n, c = int(rng.integers(2, 12)), int(rng.integers(1, 5))
    eleves = 8.0 * rng.integers(0, 9, (3, n))
    problem = make_case(seed, n, c, g=g, t=3, plan=plan, eleves=eleves, part_nouvelle=phase_in(3, n))
    return problem, drawn(problem, rng), drawn(problem, rng)


@settings(max_examples=120)
@given(seeds(), st.sampled_from(PLANS), st.integers(1, 3))
def test_figures_by_collège_and_by_group_are_those_of_the_pupils(seed: int, plan: str, g: int) -> None:
    problem, choisi, _ = cases(seed, plan, g)
    evaluation = evaluate(problem, choisi)
    eleves = [pupils(problem, choisi, annee) for annee in range(3)]

    def college(annee: int, j: int) -> dict[str, float]:
        siens = [e for e in eleves[annee] if e.college == j]
        return counted(problem, annee, siens, siens, problem.capacite[annee, j])

    def groupe(annee: int, k: int) -> dict[str, float]:
        habitent = [e for e in eleves[annee] if problem.zone_groupe[e.zone] == k]
        recus = [e for e in eleves[annee] if problem.college_groupe[e.college] == k]
        return counted(
            problem, annee, habitent, recus, sum(problem.capacite[annee, problem.college_groupe == k].tolist())
        )

    same(problem, evaluation.colleges, college, problem.n_colleges)
    same(problem, evaluation.groupes, groupe, g)
    # Who leaves a group's zones arrives in some collège.
    assert evaluation.colleges.deplaces.sum() == pytest.approx(evaluation.groupes.deplaces.sum())


def elsewhere(zones: Iterable[int], poids: Any, ici: Plan, la: Plan, *, sans: bool) -> float:
    """Pupils of a mean year whose half has another collège; ``sans``: having one or none is a difference too."""
    total = 0.0
    for zone in zones:
        un, deux = Counter(halves(ici.college[zone])), Counter(halves(la.college[zone]))
        if sans or (un[AUCUN] == 0 and deux[AUCUN] == 0):
            total += poids[zone] * (un - deux).total() / 2
    return total


@settings(max_examples=120)
@given(seeds(), st.sampled_from(PLANS), st.integers(1, 3))
def test_the_difference_with_another_plan(seed: int, plan: str, g: int) -> None:
    problem, un, autre = cases(seed, plan, g)
    poids = problem.poids_annee @ problem.eleves
    difference = compare(problem, un, autre)
    differentes = [z for z in range(problem.n_zones) if un.college[z].tolist() != autre.college[z].tolist()]
    assert difference.zones == len(differentes) and [b.zone for b in difference.bascules] == differentes
    assert difference.eleves == pytest.approx(elsewhere(differentes, poids, un, autre, sans=True))
    cout = sum(costs(problem, un.college).values()) - sum(costs(problem, autre.college).values())
    assert difference.cout == pytest.approx(cout, rel=1e-9, abs=1e-6)
    refait = autre.college.copy()
    for bascule in difference.bascules:
        assert tuple(autre.college[bascule.zone]) == bascule.avant
        refait[bascule.zone] = bascule.apres
    assert Plan(refait) == un
    retour = compare(problem, autre, un)
    assert retour.zones == difference.zones and retour.eleves == pytest.approx(difference.eleves)
    assert retour.cout == pytest.approx(-difference.cout, abs=1e-6)
    # Against today's: a pupil who had no collège, or has none any more, has not moved (he is priced as such).
    actuelle = evaluate(problem, un).difference
    actuel = present_plan(problem)
    assert actuelle.eleves == pytest.approx(elsewhere(range(problem.n_zones), poids, un, actuel, sans=False))
    assert actuelle.zones == compare(problem, un, actuel).zones
    assert actuelle.cout == pytest.approx(compare(problem, un, actuel).cout, abs=1e-6)


def test_a_case_by_hand() -> None:
    """Zones 1 and 3 (20 and 40 pupils in 2026, 30 and 50 in 2027) leave the collège 0 for the one of the middle, half a
    minute farther; the second year counts three times."""
    problem = small()
    evaluation = evaluate(problem, CHANGE)
    assert evaluation.colleges.deplaces.tolist() == [[0, 60, 0], [0, 80, 0]]
    assert evaluation.groupes.deplaces.tolist() == [[40, 20], [50, 30]]
    assert evaluation.groupes.effectif.tolist() == [[120, 330], [150, 390]]
    assert evaluation.colleges.effectif.tolist() == [[10, 260, 180], [20, 310, 210]]
    # Group 1: zone 0 (1 minute), zone 3 (3.5), zone 6 (4.3 minutes and a third), 10, 40 and 70 pupils in 2026.
    loin = 1.5 + math.hypot(1000, 1000) / 500
    assert evaluation.groupes.minutes_moyenne[0, 0] == pytest.approx((10 * 1 + 40 * 3.5 + 70 * loin) / 120)
    assert evaluation.groupes.minutes_p90[:, 0] == pytest.approx([loin, loin])
    assert evaluation.colleges.minutes_max[:, 0].tolist() == [1.0, 1.0]
    assert evaluation.colleges.exterieurs[0].tolist() == pytest.approx([0, 110 / 260, 0])
    difference = evaluation.difference
    assert (difference.zones, difference.eleves) == (2, 0.25 * 60 + 0.75 * 80)
    entre_deux = compare(problem, CHANGE, plan_of(0, 1, 2, 0, 1, 2, 1, 1, 2))
    assert (entre_deux.zones, entre_deux.eleves) == (1, 0.25 * 40 + 0.75 * 50)
    # Zone 3: half a minute more and 10 a pupil for the change.
    assert entre_deux.cout == pytest.approx(47.5 * 10.5)
