"""The small problem of the checker's tests, and solutions made by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from collèges.evaluation import evaluate
from collèges.probleme import AUCUN, Problem
from collèges.resultat import Evaluation, Plan, Solution
from territoires.calcul import Bilan, PointTrace, Statut
from territoires.empreinte import input_hash

from .cas import make_case


def solution_of(problem: Problem, plan: Plan, evaluation: Evaluation | None = None) -> Solution:
    """A solution that says of a plan what is true of it (or what is given)."""
    evaluation = evaluation or evaluate(problem, plan)
    bilan = Bilan(
        cost=Decimal(f"{evaluation.cout:.2f}"),
        bound=None,
        status=Statut.REALISABLE,
        seed=0,
        trace=(PointTrace(0.0, evaluation.cout + 5.0, None), PointTrace(1.0, evaluation.cout, None)),
        remarks=problem.remarques + evaluation.manques,
    )
    return Solution(bilan, plan, evaluation, input_hash(problem))


def plan_of(*colleges: int) -> Plan:
    return Plan(np.column_stack([colleges, [AUCUN] * len(colleges)]).astype(np.int32))


def small(**changes: Any) -> Problem:
    """Nine zones in a square, two groups (left column and the others), three collèges on the diagonal. Today the one
    in the middle (group 2) serves a zone of group 1. Nothing is limited."""
    base = make_case(5, n=9, c=3, g=2, t=2, grille=True, plan="pousse", regles=False)
    zone = np.array([0, 4, 8], dtype=np.int32)
    x, y = base.zone_x, base.zone_y
    present = plan_of(0, 0, 2, 0, 1, 2, 1, 1, 2).college
    valeurs: dict[str, Any] = {
        "zone_groupe": (x > 500).astype(np.int32),
        "zone_ips": np.array([80.0, 90, 100, 120, 85, 130, 95, 110, 140]),
        "eleves": np.stack([np.arange(10.0, 100.0, 10.0), np.arange(20.0, 110.0, 10.0)]),
        "present": present,
        "college_zone": zone,
        "college_x": x[zone],
        "college_y": y[zone],
        "college_groupe": np.array([0, 1, 1], dtype=np.int32),
        "capacite": np.full((2, 3), np.inf),
        "remplissage_max": np.ones(3),
        "remplissage_min": np.full(3, 0.75),
        "effectif_min": np.zeros(3),
        "college_voisins": np.array([[0, 1], [1, 2]], dtype=np.int32),
        "minutes": np.hypot(x[:, None] - x[zone], y[:, None] - y[zone]) / 500.0 + np.array([1.0, 1.5, 1.0]),
        "poids_annee": np.array([0.25, 0.75]),
    }
    return replace(base, **(valeurs | changes))


#: Zones 1 (group 2) and 3 (group 1) go to the collège of the middle.
CHANGE = plan_of(0, 1, 2, 1, 1, 2, 1, 1, 2)
