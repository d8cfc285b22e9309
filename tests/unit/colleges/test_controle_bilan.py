"""The checker refuses an account that is not the plan's."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from collèges.controle import check
from collèges.evaluation import evaluate
from collèges.probleme import AUCUN, Regles
from collèges.resultat import present_plan
from territoires.calcul import ControleEchoue, PointTrace, Statut

from .petit import plan_of, small, solution_of


@pytest.mark.parametrize(
    ("changes", "mot"),
    [
        ({"cost": Decimal(1)}, "coût du bilan"),
        ({"bound": Decimal(10**9)}, "borne"),
        ({"bound": Decimal("NaN")}, "borne"),
        ({"status": Statut.IRREALISABLE}, "irréalisable"),
        ({"status": Statut.OPTIMAL}, "statut optimal"),
        ({"status": Statut.OPTIMAL, "bound": Decimal(1)}, "statut optimal"),
        ({"trace": (PointTrace(0.0, 1.0, None), PointTrace(1.0, 2.0, None))}, "remonte"),
        ({"trace": (PointTrace(0.0, 10.0**9, None),)}, "finit"),
        ({"remarks": ()}, "remarques"),
        ({"remarks": ("Données d'essai.", "Autre chose.")}, "remarques"),
    ],
)
def test_the_account(changes: dict[str, Any], mot: str) -> None:
    solution = solution_of(small(), present_plan(small()))
    with pytest.raises(ControleEchoue, match=mot):
        check(small(), replace(solution, bilan=dataclasses.replace(solution.bilan, **changes)))


def test_no_answer_is_worse_than_today() -> None:
    plan = plan_of(0, 0, 0, 0, 1, 2, 1, 1, 2)
    assert evaluate(small(), plan).cout > evaluate(small(), present_plan(small())).cout
    with pytest.raises(ControleEchoue, match="supérieur à celui du plan actuel"):
        check(small(), solution_of(small(), plan))


def test_an_imposed_zone_excuses_no_excess() -> None:
    """Zone 2 goes where a rule that weighs nothing wants it, and zone 1 follows, for nothing."""
    impose = np.full(9, AUCUN, dtype=np.int32)
    impose[2] = 1
    problem = small(impose=impose, regles=Regles(poids_interdit=0.0))
    plan = plan_of(0, 1, 1, 0, 1, 2, 1, 1, 2)
    assert evaluate(problem, plan).coupees == ()
    with pytest.raises(ControleEchoue, match="supérieur à celui du plan actuel"):
        check(problem, solution_of(problem, plan))


def test_data_of_another_problem() -> None:
    solution = replace(solution_of(small(), present_plan(small())), empreinte="0" * 64)
    with pytest.raises(ControleEchoue, match="empreinte"):
        check(small(), solution)
