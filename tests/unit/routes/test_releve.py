"""The walk of one truck: a day worked out by hand, then agreement with the naive reading of the rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routes.probleme import AUCUN, Circuit, Poids, Probleme
from routes.releve import Action, exceeds, hours, needs, walk

from .cas import FEATURES, make, planned
from .naif import walk as naive_walk
from .plans import plan, random_plan

INF = np.inf


def _line() -> Probleme:
    """Places 0..4 every 1000 m on a line, 10 m/s; items 0-1 and 2-3 treated in 200 s; salt at place 4, from 7:00."""
    place = np.arange(5)
    metres = (1000.0 * np.abs(place[:, None] - place[None])).astype(np.float32)[None]
    return Probleme(
        distances_m=metres, durations_s=metres / np.float32(10),
        start=np.array([[0, 1], [2, 3]], dtype=np.int32), end=np.array([[1, 0], [3, 2]], dtype=np.int32),
        driven_m=np.array([1000.0, 1000.0]), length_m=np.array([1000.0, 1000.0]),
        service_s=np.full((1, 2, 2), 200.0), demand=np.array([[2.0], [3.0]]), level=np.array([0, 1], dtype=np.int32),
        earliest_s=np.array([0.0, 500.0]), deadline_s=np.array([150.0, INF]), skip_price=np.array([INF, INF]),
        road=np.arange(2, dtype=np.int32), point_place=np.array([[4, 4]], dtype=np.int32), point_s=np.array([60.0]),
        refill=np.array([[2.5]]), opening_s=np.array([[1000.0, 2000.0]]), point_stock=np.zeros(1, dtype=np.int32),
        stock=np.array([[10.0], [20.0]]), type_profile=np.zeros(1, dtype=np.int32), capacity=np.array([[4.0]]),
        cost_km=np.array([1.0]), cost_hour=np.array([36.0]), truck_type=np.zeros(1, dtype=np.int32),
        home=np.array([[0, 0]], dtype=np.int32), home_stock=np.array([1], dtype=np.int32),
        initial_load=np.array([[4.0]]), shift_start_s=np.array([0.0]), driving_limit_s=np.array([INF]),
        span_s=np.array([INF]), cost_fixed=np.array([5.0]), fixed_truck=np.full(2, AUCUN, dtype=np.int32),
        forbidden=np.zeros((0, 2), dtype=np.int32), apart=np.zeros((0, 2), dtype=np.int32),
        weights=Poids(untreated=(10.0, 1.0), late=(1.0, 1.0)), truck_names=("Saleuse",), item_names=("RD 1", "RD 2"),
    )  # fmt: skip


#: Item 0 forward, the point, item 1 backward, home.
JOURNEE = Circuit(0, np.array([0, -1, 3], dtype=np.int32))


def test_a_day_by_hand() -> None:
    day = walk(_line(), JOURNEE)
    assert day.faults == ()
    steps = [(e.action, e.rank, e.begin_s, e.end_s, e.metres, e.load) for e in day.steps]
    assert steps == [
        (Action.TRAJET, 0, 0.0, 0.0, 0.0, (2.5,)),
        (Action.TRAITEMENT, 0, 0.0, 200.0, 1000.0, (0.5,)),
        (Action.TRAJET, 1, 200.0, 500.0, 3000.0, (0.5,)),
        (Action.ATTENTE, 1, 500.0, 1000.0, 0.0, (0.5,)),
        (Action.RECHARGEMENT, 1, 1000.0, 1060.0, 0.0, (3.0,)),
        (Action.TRAJET, 2, 1060.0, 1160.0, 1000.0, (3.0,)),
        (Action.TRAITEMENT, 2, 1160.0, 1360.0, 1000.0, (0.0,)),
        (Action.TRAJET, 3, 1360.0, 1560.0, 2000.0, (0.0,)),
    ]
    assert needs(_line(), JOURNEE).tolist() == [[2.5], [3.0]]  # 2 t, and the half tonne that the point cannot give
    assert (day.driven_m, day.treated_m, day.duty_s) == (8000.0, 2000.0, 1560.0)
    assert (day.driving_s, day.service_s, day.waiting_s, day.reload_s) == (1000.0, 400.0, 500.0, 60.0)
    assert day.late_s.tolist() == [50.0, 0.0]
    assert day.taken.tolist() == [5.0]
    assert day.drawn.tolist() == [[2.5], [2.5]]


def test_the_truck_waits_for_an_earliest_start() -> None:
    day = walk(_line(), Circuit(0, np.array([2], dtype=np.int32)))
    assert [(e.action, e.begin_s, e.end_s) for e in day.steps] == [
        (Action.TRAJET, 0.0, 200.0),
        (Action.ATTENTE, 200.0, 500.0),
        (Action.TRAITEMENT, 500.0, 700.0),
        (Action.TRAJET, 700.0, 1000.0),
    ]


@pytest.mark.parametrize(
    ("changes", "visits", "end_point", "fault"),
    [
        ({"initial_load": np.array([[2.0]])}, [0, -1, 3], AUCUN, "2,500.t du produit 0 à charger au départ, 2,000.t"),
        ({"capacity": np.array([[2.4]]), "initial_load": np.array([[2.4]])}, [2], AUCUN, "3,000.t .*capacité 2,400.t"),
        ({}, [0, 2], AUCUN, "charge de 5,000.t du produit 0 au départ, capacité 4,000.t"),
        ({}, [0, 2], AUCUN, "même au plus chargé, il manque 1,000.t du produit 0 pour traiter RD 2"),
        ({"opening_s": np.array([[0.0, 499.0]])}, [0, -1, 3], AUCUN, "à 0 h 08 min 20 s, fermé depuis 0 h 08 min 19 s"),
        ({"opening_s": np.array([[INF, INF]])}, [0, -1, 3], AUCUN, "jamais ouvert"),
        ({"driving_limit_s": np.array([999.0])}, [0, -1, 3], AUCUN, "conduite de 0 h 16 min 40 s, limite 0 h 16 min"),
        ({"span_s": np.array([1559.0])}, [0, -1, 3], AUCUN, "amplitude de 0 h 26 min 00 s, limite 0 h 25 min 59 s"),
        ({}, [4], AUCUN, "visite 4 inconnue"),
        ({}, [-2], AUCUN, "visite -2 inconnue"),
        ({}, [0], 0, "alors que le camion doit rentrer"),
        ({"home": np.array([[0, -1]])}, [0], AUCUN, "fin de service au point de rechargement -1, inconnu"),
    ],
)  # fmt: skip
def test_faults_are_told_with_value_and_limit(
    changes: dict[str, Any], visits: list[int], end_point: int, fault: str
) -> None:
    circuit = Circuit(0, np.array(visits, dtype=np.int32), end_point)
    assert walk(_line(), JOURNEE).faults == ()
    faults = walk(replace(_line(), **changes), circuit).faults
    assert all(f.startswith("Saleuse : ") for f in faults)
    with pytest.raises(AssertionError, match=fault):
        raise AssertionError("\n".join(faults))


def test_a_truck_without_a_way_on_stops_there() -> None:
    line = _line()
    metres = line.distances_m.copy()
    metres[0, 4, 3] = INF
    day = walk(replace(line, distances_m=metres), JOURNEE)
    assert not day.complete
    assert day.faults == ("Saleuse : aucun chemin pour ce gabarit vers RD 2",)
    assert day.steps[-1].action is Action.RECHARGEMENT
    assert day.duty_s == 1060.0
    with pytest.raises(IndexError, match="camion 1 inconnu"):
        walk(line, Circuit(1, JOURNEE.visits))


def test_limits_and_hours_as_written() -> None:
    assert not exceeds(1.0 + 1e-7, 1.0)
    assert exceeds(1.0 + 1e-5, 1.0)
    assert not exceeds(1e9, INF)
    assert exceeds(1e-3, 0.0)
    assert [hours(s) for s in (12.34, 59.96, 3661.0, -90.0, INF)] == [
        "12,3\u202fs",
        "60,0\u202fs",
        "1 h 01 min 01 s",
        "−0 h 01 min 30 s",
        "—",
    ]


@given(st.sampled_from(FEATURES), st.integers(0, 10_000), st.data())
@settings(max_examples=400)
def test_what_the_naive_reading_refuses_has_a_fault_and_only_that(feature: str, seed: int, data: st.DataObject) -> None:
    """Any sequence of visits, allowed or not: faults exactly where the naive walk refuses; else the same stocks."""
    problem, _ = planned(make(feature, seed))
    n, k = problem.n_items, data.draw(st.integers(0, problem.n_trucks - 1))
    problem = replace(problem, fixed_truck=np.full(n, AUCUN, dtype=np.int32), forbidden=problem.forbidden[:0],
                      apart=problem.apart[:0], circuits=())  # fmt: skip
    items = data.draw(st.lists(st.integers(0, 2 * n - 1), min_size=1, max_size=4, unique_by=lambda v: v // 2))
    for _ in range(data.draw(st.integers(0, 2)) if problem.n_points else 0):
        point = data.draw(st.integers(0, problem.n_points - 1))
        items.insert(data.draw(st.integers(0, len(items))), -1 - point)
    end = AUCUN if problem.home[k, 1] != AUCUN else data.draw(st.integers(0, problem.n_points - 1))
    circuit = Circuit(k, np.array(items, dtype=np.int32), end)
    day, naive = walk(problem, circuit), naive_walk(problem, circuit)
    assert (day.faults == ()) == (naive is not None), day.faults
    if naive is not None:
        assert day.drawn == pytest.approx(naive[1], abs=1e-9)


@given(st.sampled_from(FEATURES), st.integers(0, 10_000))
@settings(max_examples=150)
def test_every_second_of_duty_is_accounted_for(feature: str, seed: int) -> None:
    """Steps follow one another from the start of duty to its end; loads never leave 0..capacity; sums are the sums."""
    problem = make(feature, seed)
    solution = random_plan(problem, seed)
    problem, _ = planned(problem)
    for c, circuit in enumerate(solution.circuits):
        day = walk(problem, circuit)
        clock = float(problem.shift_start_s[circuit.truck])
        for step in day.steps:
            assert step.begin_s == clock <= step.end_s
            clock = step.end_s
            assert np.all(np.array(step.load) >= -1e-9)
            assert np.all(np.array(step.load) <= problem.capacity[problem.truck_type[circuit.truck]] + 1e-9)
        assert clock - problem.shift_start_s[circuit.truck] == day.duty_s
        assert day.duty_s == pytest.approx(day.driving_s + day.waiting_s + day.reload_s)
        assert [e.rank for e in day.steps] == sorted(e.rank for e in day.steps)
        assert day.taken == pytest.approx(solution.tournees.taken[c])
        assert day.taken == pytest.approx(problem.demand[circuit.items].sum(axis=0))


def test_taken_is_what_is_served_whatever_the_points() -> None:
    """Nothing is loaded for nothing: what all trucks take is what they treat."""
    for feature in ("reload", "two_products", "stock"):
        for seed in range(20):
            problem = make(feature, seed)
            solution = random_plan(problem, seed)
            served = problem.demand[solution.served(problem.n_items)].sum(axis=0)
            assert plan(problem, solution.circuits).tournees.taken.sum(axis=0) == pytest.approx(served)
