"""The winter problem: what it refuses, how it cuts what is too large, its hash and weights."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from routes.probleme import AUCUN, Circuit, Poids, Probleme, ProblemeInvalide, matrices, split_oversized

from .cas import FEATURES, make, problems

INF = np.inf


def _circuit(truck: int = 0, visits: tuple[int, ...] = (0,), end_point: int = AUCUN) -> Circuit:
    return Circuit(truck, np.array(visits, dtype=np.int32), end_point)


def _set(field: str, index: Any, value: Any) -> Any:
    """Change of one entry of an array."""

    def change(p: Probleme) -> dict[str, Any]:
        copy = getattr(p, field).copy()
        copy[index] = value
        return {field: copy}

    return change


def _shorter(field: str) -> Any:
    return lambda p: {field: getattr(p, field)[1:]}


WRONG: list[tuple[Any, str]] = [
    *((_shorter(nom), rf"^{nom} : forme") for nom in (
        "start", "driven_m", "service_s", "deadline_s", "road", "refill", "opening_s", "capacity",
        "home", "initial_load", "span_s", "fixed_truck", "earliest_s", "cost_fixed", "skip_price",
    )),
    (lambda p: {"distances_m": p.distances_m[0]}, "^distances_m : forme .*profils, lieux, lieux"),
    (lambda p: {"durations_s": p.durations_s[:, 1:, 1:]}, "^durations_s : forme"),
    (_shorter("point_s"), "^point_place : forme"),
    (lambda p: {"demand": p.demand[:, :0], "capacity": p.capacity[:, :0], "initial_load": p.initial_load[:, :0],
                "refill": p.refill[:, :0], "stock": p.stock[:, :0]}, "au moins un produit"),
    (_set("start", (0, 0), 999), r"^start : indice hors de"),
    (_set("end", (0, 0), 999), "^end : indice hors de"),
    (_set("level", 0, 1), r"^level : indice hors de 0\.\.0"),
    (_set("point_place", (0, 0), -1), "^point_place : indice"),
    (_set("point_stock", 0, 5), "^point_stock : indice"),
    (_set("truck_type", 0, 1), "^truck_type : indice"),
    (_set("home", (0, 0), AUCUN), "^home : indice"),
    (_set("home_stock", 0, 9), "^home_stock : indice"),
    (_set("fixed_truck", 0, 9), "^fixed_truck : indice"),
    (lambda p: {"forbidden": np.array([[0, 9]], dtype=np.int32)}, "^forbidden : indice"),
    (lambda p: {"forbidden": np.array([[99, 0]], dtype=np.int32)}, "^forbidden : indice"),
    (lambda p: {"apart": np.array([[0, 99]], dtype=np.int32)}, "^apart : indice"),
    (lambda p: {"apart": np.array([[1, 1]], dtype=np.int32)}, "séparé de lui-même"),
    (_set("start", (0, 1), AUCUN), "début sans fin"),
    (lambda p: _set("start", (0, 1), AUCUN)(p) | _set("end", (0, 1), AUCUN)(p), "mode qui n'existe pas"),
    (_set("home", (0, 1), AUCUN), "il n'y en a aucun"),
    *((_set(nom, 0, np.nan), f"^{nom} : nombre fini") for nom in ("driven_m", "deadline_s", "span_s", "earliest_s")),
    *((_set(nom, 0, INF), f"^{nom} : nombre fini") for nom in ("demand", "capacity", "shift_start_s", "cost_km")),
    *((_set(nom, 0, -1.0), f"^{nom} : -1.0 .nombre positif") for nom in ("length_m", "demand", "service_s", "span_s")),
    (_set("deadline_s", 0, -INF), "^deadline_s : -inf"),
    (lambda p: {"weights": replace(p.weights, late=(1.0, 1.0))}, r"weights\.late .*1 niveaux"),
    (lambda p: {"weights": replace(p.weights, untreated=(-1.0,))}, r"weights\.untreated"),
    (lambda p: {"weights": replace(p.weights, balance=INF)}, "^weights : nombres positifs"),
    (lambda p: {"initial_load": p.initial_load * 2}, "plus que la capacité"),
    (lambda p: {"item_names": ("a",)}, "^item_names : 1 noms"),
    (lambda p: {"truck_names": ("a",) * 9}, "^truck_names : 9 noms"),
    (lambda p: {"circuits": (_circuit(truck=9),)}, "camion 9 inconnu"),
    (lambda p: {"circuits": (_circuit(), _circuit(visits=(2,)))}, "camion 0 inconnu ou fixé deux fois"),
    (lambda p: {"circuits": (_circuit(visits=(99,)),)}, "visite inconnue"),
    (lambda p: {"circuits": (_circuit(visits=(-2,)),)}, "visite inconnue"),
    (lambda p: {"circuits": (_circuit(visits=(0, 1)),)}, "tronçon traité deux fois"),
    (lambda p: {"circuits": (_circuit(), _circuit(truck=1, visits=(1,)))}, "tronçon traité deux fois"),
    (lambda p: {"circuits": (_circuit(end_point=0),)}, "fin de service inconnue"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), WRONG, ids=[words for _, words in WRONG])
def test_arrays_that_form_no_problem_are_refused_in_french(change: Any, words: str) -> None:
    """Two trucks, one reload point (none where ending at one is the fault)."""
    feature = "capacity" if "aucun" in words else "reload"
    problem = next(p for p in (make(feature, s) for s in range(50)) if p.n_trucks > 1 and p.n_points < 2)
    with pytest.raises(ProblemeInvalide, match=words):
        replace(problem, **change(problem))


def test_a_kept_circuit_ends_where_its_truck_may() -> None:
    problem = make("end_point", 1)
    truck = int(np.flatnonzero(problem.home[:, 1] == AUCUN)[0])
    assert replace(problem, circuits=(_circuit(truck, (0,), 1),)).circuits[0].end_point == 1
    assert replace(problem, circuits=(_circuit(truck, ()),)).circuits[0].items.size == 0
    with pytest.raises(ProblemeInvalide, match="fin de service inconnue"):
        replace(problem, circuits=(_circuit(truck, (0,)),))


def test_a_kept_circuit_goes_in_directions_that_exist() -> None:
    problem = next(p for p in (make("oneway", s) for s in range(50)) if (p.start[:, 1] == AUCUN).any())
    item = int(np.flatnonzero(problem.start[:, 1] == AUCUN)[0])
    with pytest.raises(ProblemeInvalide, match="sens qui n'existe pas"):
        replace(problem, circuits=(_circuit(0, (2 * item + 1,)),))


NUMBERS = ("distances_m", "durations_s", "driven_m", "length_m", "demand", "earliest_s", "deadline_s", "skip_price",
           "point_s", "refill", "opening_s", "stock", "cost_km", "cost_hour", "shift_start_s", "driving_limit_s",
           "span_s", "cost_fixed", "road")  # fmt: skip


@given(problems(FEATURES), st.sampled_from(NUMBERS), st.integers(0, 10_000))
def test_the_hash_knows_every_number(problem: Probleme, field: str, place: int) -> None:
    """Equal arrays, equal hash; any one number changed, another hash."""
    same = {f.name: getattr(problem, f.name) for f in fields(problem)}
    same = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in same.items()}
    assert Probleme(**same).input_hash() == problem.input_hash()
    values = same[field]
    assume(values.size > 0)
    k = place % values.size
    values.flat[k] = values.flat[k] + 1 if np.isfinite(values.flat[k]) else 7.0
    assert Probleme(**same).input_hash() != problem.input_hash()


def test_the_hash_knows_weights_names_and_locks() -> None:
    problem = make("lock", 0)
    changes: list[dict[str, Any]] = [
        {},
        {"weights": replace(problem.weights, truck=1e9)},
        {"weights": replace(problem.weights, balance=1.0)},
        {"item_names": tuple("x" * problem.n_items)},
        {"truck_names": tuple("x" * problem.n_trucks)},
        {"circuits": (_circuit(0, (0,)),)},
        {"circuits": (_circuit(0, (1,)),)},
        {"circuits": (_circuit(1, (0,)),)},
        {"forbidden": np.array([[0, 1]], dtype=np.int32)},
        {"apart": np.array([[0, 1]], dtype=np.int32)},
        {"forbidden": problem.forbidden[:0], "apart": problem.forbidden[:0]},
        {"fixed_truck": np.zeros(problem.n_items, dtype=np.int32)},
    ]
    seen = {replace(problem, **change).input_hash() for change in changes}
    assert len(seen) == len(changes)
    assert {len(h) for h in seen} == {64}


def test_weights_in_order_of_levels() -> None:
    """Untreated before late before trucks before cost; the first level weighs ten times the next."""
    weights = Poids.ordered(3)
    assert weights.untreated == (1e7, 1e6, 1e5)
    assert weights.late == (100.0, 10.0, 1.0)
    assert (weights.truck, weights.cost, weights.balance) == (1000.0, 1.0, 0.0)
    assert min(weights.untreated) > 60 * max(weights.late) > weights.truck > weights.cost


def test_price_of_leaving_out() -> None:
    """Its own price where it has one, else its metres at the price of its level, one metre at least."""
    problem = make("deadline", 0)
    n = problem.n_items
    problem = replace(
        problem,
        level=np.arange(n, dtype=np.int32) % 2,
        length_m=np.array([0.2, 50.0, *[2000.0] * (n - 2)]),
        skip_price=np.array([INF, INF, *[12.5] * (n - 2)]),
        weights=replace(problem.weights, untreated=(100.0, 10.0)),
    )
    assert problem.skip_cost().tolist() == [100.0, 500.0, *[12.5] * (n - 2)]


def test_names_in_messages() -> None:
    problem = make("capacity", 0)
    assert (problem.item_name(1), problem.truck_name(0)) == ("tronçon 1", "camion 0")
    names = ("", *["RD 500"] * (problem.n_items - 1))
    named = replace(problem, item_names=names, truck_names=tuple("AB" if k else "" for k in range(problem.n_trucks)))
    assert (named.item_name(0), named.item_name(1), named.truck_name(1)) == ("tronçon 0", "RD 500", "AB")


def test_matrices_of_each_profile() -> None:
    def fill(profile: int) -> tuple[Any, Any]:
        return np.full((3, 3), profile, dtype=np.float32), np.full((3, 3), 10 * profile, dtype=np.float32)

    distances, durations = matrices(2, 3, fill)
    assert distances.shape == durations.shape == (2, 3, 3)
    assert distances.dtype == np.float32
    assert distances[1].tolist() == [[1.0] * 3] * 3
    assert durations[1].tolist() == [[10.0] * 3] * 3


# --- items too large -----------------------------------------------------------------------------------------------


@given(problems(("split",)), st.integers(1, 4))
def test_pieces_add_up_to_what_they_come_from(problem: Probleme, times: int) -> None:
    """Demand, metres and price are shared out; every piece fits some truck; nothing could be cut less."""
    problem = replace(problem, demand=problem.demand * times, skip_price=np.full(problem.n_items, 8.0))
    cut, origin = split_oversized(problem)
    most = float(problem.capacity.max())
    for item in range(problem.n_items):
        pieces = np.flatnonzero(origin == item)
        for field in ("demand", "length_m", "skip_price"):
            whole = getattr(problem, field)[item]
            assert np.allclose(getattr(cut, field)[pieces].sum(axis=0), whole)
        demand = float(problem.demand[item, 0])
        assert len(pieces) == max(1, int(np.ceil(demand / most - 1e-9)))
        assert np.all(cut.demand[pieces] <= most + 1e-9)
        assert set(cut.road[pieces].tolist()) == {int(problem.road[item])}
        assert np.all(cut.driven_m[pieces] == problem.driven_m[item])
        assert np.all(cut.service_s[:, pieces] <= problem.service_s[:, [item]] + 1e-9)
    again, same = split_oversized(cut)
    assert again is cut
    assert same.tolist() == list(range(cut.n_items))


def test_a_piece_takes_its_share_of_the_service_and_drives_the_rest_empty() -> None:
    problem = make("split", 4)
    item = int(np.argmax(problem.demand[:, 0]))
    problem = replace(problem, demand=np.where(np.arange(problem.n_items) == item, 1.0, 0.1)[:, None] * 0.9,
                      capacity=np.array([[0.5]]), initial_load=np.full_like(problem.initial_load, 0.5))  # fmt: skip
    cut, origin = split_oversized(problem)
    pieces = np.flatnonzero(origin == item)
    assert len(pieces) == 2
    empty = float(problem.durations_s[0, problem.start[item, 0], problem.end[item, 0]])
    whole = float(problem.service_s[0, item, 0])
    assert empty < whole
    assert cut.service_s[0, pieces, 0] == pytest.approx([(whole + empty) / 2] * 2)
    assert cut.item_name(int(pieces[1])) == f"tronçon {item} (part 2/2)"
    assert cut.length_m[pieces].tolist() == [problem.length_m[item] / 2] * 2


def test_locks_follow_the_pieces_and_one_ways_stay_so() -> None:
    problem = make("split", 4)
    item = int(np.argmax(problem.demand[:, 0]))
    other = (item + 1) % problem.n_items
    service, start, end = problem.service_s.copy(), problem.start.copy(), problem.end.copy()
    service[:, [item, other], 1] = INF
    start[[item, other], 1] = end[[item, other], 1] = AUCUN
    fixed = np.full(problem.n_items, AUCUN, dtype=np.int32)
    fixed[item] = 1
    small = float(problem.demand[item, 0]) / 2.5
    problem = replace(
        problem, start=start, end=end, service_s=service, fixed_truck=fixed,
        demand=np.minimum(problem.demand, np.where(np.arange(problem.n_items) == item, INF, small)[:, None]),
        capacity=np.array([[small]]), initial_load=np.full_like(problem.initial_load, small),
        forbidden=np.array([[item, 0]], dtype=np.int32), apart=np.array([[other, item]], dtype=np.int32),
        circuits=(_circuit(0, (2 * other,)),),
    )  # fmt: skip
    cut, origin = split_oversized(problem)
    pieces, rest = np.flatnonzero(origin == item).tolist(), int(np.flatnonzero(origin == other)[0])
    assert len(pieces) == 3
    assert cut.forbidden.tolist() == [[k, 0] for k in pieces]
    assert cut.apart.tolist() == [[rest, k] for k in pieces]
    assert cut.fixed_truck[pieces].tolist() == [1, 1, 1]
    assert cut.circuits[0].visits.tolist() == [2 * rest]
    assert np.isinf(cut.service_s[:, pieces, 1]).all()
    assert np.isfinite(cut.service_s[:, pieces, 0]).all()


def test_items_of_kept_circuits_and_items_nobody_could_ever_hold_are_not_cut() -> None:
    problem = make("split", 4)
    item = int(np.argmax(problem.demand[:, 0]))
    assert split_oversized(problem)[0].n_items > problem.n_items
    kept = replace(problem, circuits=(_circuit(0, (2 * item,)),))
    assert split_oversized(kept)[0] is kept
    nobody = replace(problem, capacity=np.zeros((1, 1)), initial_load=np.zeros_like(problem.initial_load))
    assert split_oversized(nobody)[0] is nobody
    unable = replace(problem, service_s=np.full_like(problem.service_s, INF))
    assert split_oversized(unable)[0] is unable


def test_only_trucks_that_may_serve_count_for_what_is_too_large() -> None:
    """The large truck is refused the road: it is cut for the small one."""
    problem = make("mixed_fleet", 0)
    small, big = (float(v) for v in problem.capacity[:, 0])
    demand = problem.demand.copy()
    demand[0] = (small + big) / 2
    service = np.where(np.isinf(problem.service_s), 60.0, problem.service_s)
    held = replace(problem, demand=demand, service_s=service)
    assert split_oversized(held)[0] is held
    large = np.flatnonzero(held.truck_type == 1)
    refused = replace(held, forbidden=np.array([[0, k] for k in large], dtype=np.int32))
    assert np.bincount(split_oversized(refused)[1])[0] == 2
    service = service.copy()
    service[1, 0] = INF
    assert np.bincount(split_oversized(replace(held, service_s=service))[1])[0] == 2
    fixed = held.fixed_truck.copy()
    fixed[0] = int(np.flatnonzero(held.truck_type == 0)[0])
    assert np.bincount(split_oversized(replace(held, fixed_truck=fixed))[1])[0] == 2
