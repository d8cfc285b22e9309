"""The checker refuses an account that is not the plan's."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from collèges.controle import check, check_evaluation
from collèges.evaluation import evaluate
from collèges.probleme import AUCUN, Regles
from collèges.resultat import present_plan
from territoires.calcul import ControleEchoue, PointTrace, Statut

from .petit import plan_of, small, solution_of
from .test_manques import SOUHAITS, Souhait, case


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


@pytest.mark.parametrize("souhait", SOUHAITS, ids=[f"{k}-{s.regle}" for k, s in enumerate(SOUHAITS)])
def test_a_broken_wish_must_be_told_by_its_name(souhait: Souhait) -> None:
    """Not at all, or of zones, collèges and figures that are others: 5 is written after each number."""
    problem = case(**souhait.rompu)
    evaluation = evaluate(problem, souhait.plan)
    check_evaluation(problem, souhait.plan, evaluation)
    for phrases in ((), ("Un souhait n'est pas tenu.",), (re.sub(r"(\d+)", r"\g<1>5", evaluation.manques[0]),)):
        with pytest.raises(ControleEchoue, match=r"souhait non tenu .* qui n'est pas dit"):
            check_evaluation(problem, souhait.plan, replace(evaluation, manques=phrases))


def test_a_name_inside_a_longer_one_names_nobody() -> None:
    noms = list(small().zone_nom)
    noms[6:9] = ["Zone 2-la-Forêt", "Zone 2 bis", "Vieille Zone 2"]
    problem = case(zone_nom=tuple(noms))
    plan = plan_of(0, 0, AUCUN, 0, 1, 2, 1, 1, 2)
    evaluation = evaluate(problem, plan)
    check_evaluation(problem, plan, evaluation)
    check_evaluation(problem, plan, replace(evaluation, manques=("Sans collège : Zone 2 bis, Zone 2.",)))
    for autre in (*noms[6:9], "Zone 21", "Zone 1"):
        with pytest.raises(ControleEchoue, match=r"sans collège.*: Zone 2$"):
            check_evaluation(problem, plan, replace(evaluation, manques=(f"1 zone sans collège : {autre}.",)))


def test_each_broken_wish_is_asked_for() -> None:
    """A sentence on another zone does not do for the second wish."""
    problem = case(minutes=np.where(np.arange(27).reshape(9, 3) == 10, np.inf, small().minutes))
    plan = plan_of(0, 0, AUCUN, 1, 1, 2, 1, 1, 2)
    evaluation = evaluate(problem, plan)
    assert len(evaluation.manques) == 2
    check_evaluation(problem, plan, evaluation)
    for phrase in evaluation.manques:
        with pytest.raises(ControleEchoue, match="souhait non tenu"):
            check_evaluation(problem, plan, replace(evaluation, manques=(phrase,)))


def test_data_of_another_problem() -> None:
    solution = replace(solution_of(small(), present_plan(small())), empreinte="0" * 64)
    with pytest.raises(ControleEchoue, match="empreinte"):
        check(small(), solution)
