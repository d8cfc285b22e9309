"""The solver against brute force and scipy, on many small problems, and what it says when wishes break."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from déchetteries.controle import check
from déchetteries.probleme import ProblemeInvalide, UnitCosts, validate
from déchetteries.solveur import excess, loads, solve
from territoires.calcul import Arret, Statut
from territoires.empreinte import input_hash

from .fabrique import make_problem


@st.composite
def problems(draw: Any, *, capacity: bool, groups: int = 2) -> Any:
    d, c = draw(st.integers(1, 7)), draw(st.integers(1, 5))
    graine = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(graine)
    secondes = rng.integers(30, 3600, size=(d, c)).astype(np.float32)
    secondes[rng.random((d, c)) < 0.15] = np.inf
    population = rng.integers(0, 400, size=d)
    return make_problem(
        secondes,
        km=np.where(np.isfinite(secondes), rng.integers(1, 60, size=(d, c)), np.inf),
        population=population,
        groupes=tuple(f"{k:02d}" for k in range(groups)),
        autorise=rng.random((d, c)) < 0.8,
        actif=rng.random(c) < 0.85,
        capacite=np.where(rng.random(c) < 0.7, rng.integers(0, 1500, size=c), np.inf) if capacity else None,
        couts=UnitCosts(choix=draw(st.sampled_from(["temps", "cout"]))),
    )


@settings(deadline=None)
@given(problems(capacity=False))
def test_without_capacity_everyone_goes_to_the_nearest_open_centre(problem: Any) -> None:
    solution = solve(problem, Arret())
    poids = np.where(problem.autorise & problem.actif, problem.travel_euro(), np.inf)
    flux = dict(zip(solution.courante.point.tolist(), solution.courante.centre.tolist(), strict=True))
    for i in range(problem.n_points):
        if problem.population[i] > 0 and np.isfinite(poids[i]).any():
            assert poids[i, flux[i]] == poids[i].min()
        else:
            assert i not in flux
    check(problem, solution)
    assert solution.bilan.status is Statut.OPTIMAL


@settings(deadline=None)
@given(problems(capacity=True))
def test_with_capacity_the_plan_weighs_what_scipy_finds(problem: Any) -> None:
    solution = solve(problem, Arret())
    check(problem, solution)
    for nom, scenario in problem.scenarios().items():
        poids = np.where(
            scenario.autorise & scenario.actif & np.isfinite(problem.secondes), problem.travel_euro(), np.inf
        )
        i, j = np.nonzero(np.isfinite(poids) & (scenario.visites[:, None] > 0))
        affectation = solution.affectations[nom]
        pese = (affectation.visites * poids[affectation.point, affectation.centre]).sum()
        pese += problem.couts.euro_surcharge * excess(scenario, affectation).sum()
        if not len(i):
            assert pese == 0
            continue
        limites = np.flatnonzero(np.isfinite(scenario.capacite))
        points = np.unique(i)
        k = len(i)
        egal = np.zeros((len(points), k + len(limites)))
        egal[np.searchsorted(points, i), np.arange(k)] = 1
        borne = np.zeros((len(limites), k + len(limites)))
        for rang, centre in enumerate(limites):
            borne[rang, :k] = j == centre
            borne[rang, k + rang] = -1
        attendu = linprog(
            np.concatenate([poids[i, j], np.full(len(limites), problem.couts.euro_surcharge)]),
            A_ub=borne if len(limites) else None,
            b_ub=scenario.capacite[limites] if len(limites) else None,
            A_eq=egal,
            b_eq=scenario.visites[points],
        )
        assert attendu.success
        assert pese == pytest.approx(attendu.fun, rel=1e-7, abs=1e-4)


@settings(deadline=None)
@given(problems(capacity=True))
def test_the_bound_meets_the_cost(problem: Any) -> None:
    bilan = solve(problem, Arret()).bilan
    assert bilan.bound is not None
    assert bilan.bound <= bilan.cost
    assert float(bilan.bound) == pytest.approx(float(bilan.cost), rel=1e-6, abs=0.05)


@settings(deadline=None)
@given(problems(capacity=False))
def test_sharing_never_lengthens_anyone_s_way(problem: Any) -> None:
    """More open centres: no point is farther than alone, in what its inhabitants weigh."""
    large = dataclasses.replace(problem, autorise_seul=problem.autorise & problem.autorise_seul)
    solution = solve(large, Arret())
    poids = large.travel_euro()
    seul = {
        i: poids[i, j]
        for nom, a in solution.affectations.items()
        if nom.startswith("seul:")
        for i, j in zip(a.point.tolist(), a.centre.tolist(), strict=True)
    }
    ensemble = {
        i: poids[i, j] for i, j in zip(solution.courante.point.tolist(), solution.courante.centre.tolist(), strict=True)
    }
    assert set(seul) <= set(ensemble)
    assert all(ensemble[i] <= seul[i] for i in seul)


@settings(deadline=None)
@given(problems(capacity=True))
def test_two_runs_give_the_same_answer(problem: Any) -> None:
    a, b = solve(problem, Arret(), seed=3), solve(problem, Arret(), seed=3)
    assert a.bilan.cost == b.bilan.cost
    for nom in a.affectations:
        assert np.array_equal(a.affectations[nom].visites, b.affectations[nom].visites)
        assert np.array_equal(a.affectations[nom].centre, b.affectations[nom].centre)


def test_ties_go_to_the_first_code() -> None:
    problem = make_problem([[600.0, 600.0, 600.0]], groupes=("42",))
    assert solve(problem, Arret()).courante.centre.tolist() == [0]


def test_a_commune_without_centre_is_named_and_priced() -> None:
    problem = make_problem([[600.0], [np.inf]], population=[100, 10], groupes=("42",), cout_fixe=[0.0])
    solution = solve(problem, Arret())
    check(problem, solution)
    assert solution.courante.sans_centre.tolist() == [0.0, 50.0]
    assert "Commune 1" in solution.bilan.remarks[0]
    trajet = float(problem.travel_euro()[0, 0])
    assert float(solution.bilan.cost) == pytest.approx(500 * (trajet + 5) + 50 * 60, abs=0.01)


def test_no_centre_at_all_still_has_an_answer() -> None:
    problem = make_problem(np.zeros((2, 0)), groupes=("42",))
    solution = solve(problem, Arret())
    check(problem, solution)
    assert solution.courante.sans_centre.tolist() == [500.0, 500.0]


def test_too_small_centres_are_filled_then_overfilled_and_said() -> None:
    problem = make_problem(
        [[300.0, 900.0], [300.0, 900.0]], population=[100, 100], groupes=("42",), capacite=[400.0, 500.0]
    )
    solution = solve(problem, Arret())
    check(problem, solution)
    charges = loads(solution.courante, 2)
    assert charges.sum() == pytest.approx(1000)
    # 10 minutes more each way (8.58 €) weigh less than the price of an excess: the second centre is filled too.
    assert charges[1] == pytest.approx(500)
    assert any("de plus que sa capacité" in phrase for phrase in solution.bilan.remarks)


def test_cancelled_falls_back_on_the_nearest_and_says_so() -> None:
    problem = make_problem([[300.0, 900.0]], capacite=[10.0, 10.0], groupes=("42",))
    solution = solve(problem, Arret(cancelled=lambda: True))
    check(problem, solution)
    assert solution.bilan.status is Statut.REALISABLE
    assert solution.courante.centre.tolist() == [0]


def test_closing_a_centre_is_compared_with_today() -> None:
    problem = make_problem(
        [[300.0, 900.0]], groupes=("42",), actif=[False, True], actif_base=[True, True], modifie=True
    )
    solution = solve(problem, Arret())
    check(problem, solution)
    assert solution.courante.centre.tolist() == [1]
    assert solution.affectations["base"].centre.tolist() == [0]


def test_a_block_sees_progress() -> None:
    dits: list[float | None] = []
    solve(
        make_problem([[300.0, 900.0]]),
        Arret(),
        1,
        lambda fraction, message, best=None, bound=None: dits.append(fraction),
    )
    assert dits[0] == 0 and dits[-1] == 1 and len(dits) == 4


def test_hash_sees_every_field() -> None:
    problem = make_problem([[300.0, 900.0]])
    autres = [
        dataclasses.replace(problem, secondes=problem.secondes + np.float32(1)),
        dataclasses.replace(problem, couts=UnitCosts(euro_km=0.5)),
        dataclasses.replace(problem, autorise=~problem.autorise),
        dataclasses.replace(problem, noms=("A", "B")),
    ]
    assert len({input_hash(p) for p in [problem, *autres]}) == 5
    assert input_hash(problem) == input_hash(make_problem([[300.0, 900.0]]))


@pytest.mark.parametrize(
    ("champ", "valeur"),
    [
        ("population", np.array([-1.0])),
        ("secondes", np.full((1, 2), np.nan, dtype=np.float32)),
        ("capacite", np.array([-5.0, 1.0])),
        ("point_groupe", np.array([7], dtype=np.int16)),
        ("centre_groupe", np.array([0, -2], dtype=np.int16)),
        ("km", np.full((1, 2), np.inf, dtype=np.float32)),
        ("point_code", ("A", "B")),
        ("centre_code", ("B", "A")),
        ("groupes", ("43", "42")),
        ("autorise", np.ones((2, 2), dtype=bool)),
        ("noms", ("A",)),
        ("point_nom", ()),
        ("proprietaire", ("A",)),
        ("compte", np.zeros(2, dtype=bool)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(champ: str, valeur: Any) -> None:
    with pytest.raises(ProblemeInvalide):
        validate(dataclasses.replace(make_problem([[300.0, 900.0]]), **{champ: valeur}))


@pytest.mark.parametrize("champs", [{"euro_km": -1}, {"euro_heure": 0}, {"choix": "vent"}, {"cout_fixe": float("nan")}])
def test_unit_costs_that_make_no_sense_are_refused(champs: dict[str, Any]) -> None:
    with pytest.raises(ProblemeInvalide):
        UnitCosts(**champs)
