"""Figures by collectivité add up to the block's cost, and what is kept gives them again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from déchetteries.controle import check
from déchetteries.indicateurs import BANDES_MIN, crossing, figures, gains, indicators
from déchetteries.probleme import EXTERIEUR, UnitCosts
from déchetteries.resultat import (
    Flux,
    ResultatIllisible,
    decode,
    encode,
    make_resultat,
    minutes_by_point,
    pack,
    quantile,
)
from déchetteries.solveur import solve
from territoires.calcul import COUT, Arret, Indicateur

from .fabrique import make_problem
from .test_solveur import problems


def _by_code(items: list[Indicateur], collectivite: str | None) -> dict[str, float]:
    return {item.code: item.valeur for item in items if item.collectivite == collectivite}


@settings(deadline=None)
@given(problems(capacity=True, groups=3))
def test_parts_of_the_collectivites_add_up_to_the_cost(problem: Any) -> None:
    solution = solve(problem, Arret())
    items = indicators(problem, solution)
    ensemble = _by_code(items, None)
    # To the cent: sharing rests on it.
    assert ensemble[COUT] == pytest.approx(float(solution.bilan.cost), abs=0.0051)
    assert sum(_by_code(items, g)[COUT] for g in problem.groupes) == pytest.approx(ensemble[COUT], abs=1e-5)
    for code in (
        COUT,
        "km_an",
        "cout_usagers",
        "cout_exploitation",
        "cout_voeux",
        "population",
        "habitants_15",
        "gain_5",
    ):
        somme = sum(_by_code(items, g)[code] for g in problem.groupes)
        assert somme == pytest.approx(ensemble[code], rel=1e-6, abs=1e-3)
    bandes = [ensemble[f"habitants_{b}"] for b in BANDES_MIN]
    assert bandes == sorted(bandes)
    assert bandes[-1] <= ensemble["population"] + 1e-6
    assert all(np.isfinite(item.valeur) for item in items)


@settings(deadline=None)
@given(problems(capacity=True))
def test_what_is_kept_is_read_back_whole(problem: Any) -> None:
    solution = solve(problem, Arret())
    octets = encode(problem, solution)
    lu = decode(octets)
    assert pack(lu) == octets
    assert list(figures(lu)) == indicators(problem, solution)
    assert isinstance(lu.courant, Flux)


def test_gains_are_against_staying_alone() -> None:
    # Point 0 (42) has its own centre at 20 min and the neighbour's at 5; point 1 (43) only its own.
    problem = make_problem(
        [[1200.0, 300.0], [np.inf, 600.0]], population=[100, 50], point_groupe=[0, 1], centre_groupe=[0, 1]
    )
    solution = solve(problem, Arret())
    check(problem, solution)
    resultat = make_resultat(problem, solution)
    assert minutes_by_point(resultat, "seul").tolist() == [20.0, 10.0]
    assert gains(resultat).tolist() == [15.0, 0.0]
    assert crossing(resultat).tolist() == [True, False]
    items = indicators(problem, solution)
    assert _by_code(items, "42")["gain_5"] == 100
    assert _by_code(items, "43")["gain_5"] == 0
    assert _by_code(items, "43")["visites"] == 750
    assert _by_code(items, None)["temps_p90"] == 10.0
    assert _by_code(items, None)["temps_moyen"] == pytest.approx((100 * 5 + 50 * 10) / 150)


def test_a_first_centre_is_a_gain_without_end() -> None:
    problem = make_problem([[np.inf, 300.0]], point_groupe=[0], centre_groupe=[0, 1])
    items = indicators(problem, solve(problem, Arret()))
    assert _by_code(items, "42")["gain_5"] == 100
    assert _by_code(items, "42")["habitants_sans_centre"] == 0


def test_a_convention_outside_the_block_is_paid_where_its_users_live() -> None:
    problem = make_problem(
        [[300.0]], groupes=("42",), centre_groupe=[EXTERIEUR], cout_fixe=[0.0], autorise_seul=[[True]],
        couts=UnitCosts(euro_surcharge=15.0), capacite=[100.0],
    )  # fmt: skip
    solution = solve(problem, Arret())
    check(problem, solution)
    seul = _by_code(indicators(problem, solution), "42")
    assert seul["cout_exploitation"] == 500 * 5
    assert seul["cout_voeux"] == pytest.approx(400 * 15)
    assert seul[COUT] == pytest.approx(float(solution.bilan.cost), abs=0.02)
    assert seul["centres"] == 0


def test_the_effect_of_changes_is_told() -> None:
    problem = make_problem(
        [[300.0, 900.0]], groupes=("42",), actif=[False, True], actif_base=[True, True], modifie=True,
        couts=UnitCosts(euro_km=0.0),
    )  # fmt: skip
    ensemble = _by_code(indicators(problem, solve(problem, Arret())), None)
    # 500 visits 10 minutes longer each way, and one centre of 1 000 € less.
    assert ensemble["effet_modifications"] == pytest.approx(500 * 2 * (600 / 3600) * 10 - 1000, abs=0.02)


@pytest.mark.parametrize("octets", [b"", b"PK\x03\x04rien", b"autre chose"])
def test_bytes_that_are_not_a_result(octets: bytes) -> None:
    with pytest.raises(ResultatIllisible):
        decode(octets)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 100, width=32), st.integers(1, 50)), min_size=1, max_size=12), st.floats(0.01, 1.0)
)
def test_quantile_is_the_smallest_that_holds_the_share(couples: list[tuple[float, int]], part: float) -> None:
    valeurs, poids = np.array([v for v, _ in couples]), np.array([float(w) for _, w in couples])
    q = quantile(valeurs, poids, part)
    total = poids.sum()
    assert poids[valeurs <= q].sum() >= part * total - 1e-6
    assert poids[valeurs < q].sum() <= part * total + 1e-6
