"""Bringing blocks together and comparing regimes."""

from __future__ import annotations

import json
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from territoires.calcul import Indicateur, Question, Sens
from territoires.comparaison import (
    Bornes,
    IndicateurInvalide,
    Regime,
    Verdict,
    add_up,
    as_json,
    by_question,
    compare,
    from_json,
    judge,
)

BORNES = Bornes(Decimal(100), None, False)
A, B, AB = frozenset("a"), frozenset("b"), frozenset("ab")


def item(code: str, value: float, member: str | None = None, agregation: str = "somme", **more: object) -> Indicateur:
    return Indicateur(code, code, "u", value, Sens.MOINS, member, agregation=agregation, **more)  # type: ignore[arg-type]


def test_weighted_mean_over_collectivites() -> None:
    regime = add_up(
        {
            A: [item("pop", 300, "a"), item("temps", 10, "a", "poids:pop")],
            B: [item("pop", 100, "b"), item("temps", 20, "b", "poids:pop")],
        },
        BORNES,
    )
    assert regime.ensemble == {"pop": 400, "temps": 12.5}
    assert regime.par_collectivite["temps"] == {"a": 10, "b": 20}


def test_block_figures_win_over_those_of_members() -> None:
    """A block's own P90 is not the sum of its members'."""
    regime = add_up({AB: [item("p90", 31), item("p90", 25, "a", "somme"), item("p90", 35, "b", "somme")]}, BORNES)
    assert regime.ensemble["p90"] == 31


def test_no_figure_for_several_blocks_where_none_can_be_made() -> None:
    lone = {A: [item("p90", 20, None, "aucune")], B: [item("p90", 30, None, "aucune")]}
    assert "p90" not in add_up(lone, BORNES).ensemble
    assert add_up({AB: [item("p90", 25, None, "aucune")]}, BORNES).ensemble["p90"] == 25


@pytest.mark.parametrize(("agregation", "expected"), [("max", 30), ("min", 20), ("somme", 50)])
def test_aggregations(agregation: str, expected: float) -> None:
    regime = add_up({A: [item("x", 20, "a", agregation)], B: [item("x", 30, "b", agregation)]}, BORNES)
    assert regime.ensemble["x"] == expected


def test_unreachable_stays_infinite_and_weight_zero_does_not_count() -> None:
    regime = add_up(
        {
            A: [item("w", 0, "a"), item("t", math.inf, "a", "poids:w"), item("worst", math.inf, "a", "max")],
            B: [item("w", 2, "b"), item("t", 7, "b", "poids:w"), item("worst", 9, "b", "max")],
        },
        BORNES,
    )
    assert regime.ensemble["t"] == 7
    assert regime.ensemble["worst"] == math.inf


@pytest.mark.parametrize(
    "blocks",
    [
        {A: [item("x", 1, "b")]},
        {A: [item("x", 1, "a", "mode")], B: [item("x", 1, "b", "mode")]},
        {A: [item("x", 1, "a", "poids:y")], B: [item("x", 1, "b", "poids:y")]},
        {A: [item("x", 1, "a")], B: [item("x", 1, "b", "max")]},
    ],
)
def test_indicators_that_do_not_fit_are_refused(blocks: dict[frozenset[str], list[Indicateur]]) -> None:
    with pytest.raises(IndicateurInvalide):
        add_up(blocks, BORNES)


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_gain_one_way_is_loss_the_other(before: float, after: float) -> None:
    less = Indicateur("x", "x", "", 0, Sens.MOINS)
    more = Indicateur("x", "x", "", 0, Sens.PLUS)
    pair = judge(less, before, after).verdict, judge(more, before, after).verdict
    assert pair in {
        (Verdict.GAGNE, Verdict.PERD),
        (Verdict.PERD, Verdict.GAGNE),
        (Verdict.EGAL, Verdict.EGAL),
    }
    back = judge(less, after, before).verdict
    assert (back == Verdict.EGAL) == (pair[0] == Verdict.EGAL)
    assert back != pair[0] or back == Verdict.EGAL


def test_judgements() -> None:
    less = Indicateur("x", "x", "", 0, Sens.MOINS, seuil=0.5)
    assert judge(less, 10, 10.5).verdict == Verdict.EGAL
    assert judge(less, 10, 10.6).verdict == Verdict.PERD
    assert judge(less, math.inf, 10).verdict == Verdict.GAGNE
    assert judge(less, math.inf, math.inf).verdict == Verdict.EGAL
    assert judge(less, None, 3).verdict == Verdict.INCONNU
    assert judge(less, math.nan, 3).verdict == Verdict.INCONNU
    assert judge(Indicateur("x", "x", "", 0, Sens.NEUTRE), 1, 2).verdict == Verdict.NEUTRE


@pytest.mark.parametrize(
    ("served", "after", "verdict"),
    [
        (100, 12, Verdict.PERD),
        (150, 12, Verdict.NEUTRE),
        (150, 9, Verdict.GAGNE),
        (80, 9, Verdict.NEUTRE),
        (80, 12, Verdict.PERD),
    ],
)
def test_worse_because_more_are_served_is_no_loss(served: float, after: float, verdict: Verdict) -> None:
    def regime(people: float, minutes: float) -> Regime:
        people_line = Indicateur("n", "habitants desservis", "habitants", people, Sens.NEUTRE)
        return add_up({A: [people_line, item("t", minutes, base="n")]}, BORNES)

    found = compare(regime(100, 10), regime(served, after), [])
    assert next(line for line in found if line.indicateur.code == "t").ensemble.verdict == verdict


def test_compare_keeps_the_operations_order_and_says_who_loses() -> None:
    before = add_up(
        {A: [item("t", 10, "a", question=Question.SERVICE)], B: [item("t", 20, "b", question=Question.SERVICE)]}, BORNES
    )
    after = add_up(
        {
            AB: [
                item("new", 1, "a"),
                item("t", 12, "a", question=Question.SERVICE),
                item("t", 15, "b", question=Question.SERVICE),
            ]
        },
        BORNES,
    )
    lines = compare(before, after, ["a", "b"])
    assert [line.indicateur.code for line in lines] == ["new", "t"]
    line = by_question(lines)[Question.SERVICE][0]
    assert line.ensemble.difference == -3
    assert line.collectivites(Verdict.PERD) == ["a"]
    assert line.collectivites(Verdict.GAGNE) == ["b"]
    assert lines[0].ensemble.verdict == Verdict.INCONNU


@given(st.floats(allow_nan=False), st.sampled_from([None, *Question]), st.sampled_from(list(Sens)))
def test_kept_as_json_and_back(value: float, question: Question | None, sens: Sens) -> None:
    one = Indicateur("c", "libellé", "km", value, sens, "a", question, 2, "poids:pop", 0.5)
    assert from_json(json.loads(json.dumps(as_json(one), allow_nan=False))) == one
