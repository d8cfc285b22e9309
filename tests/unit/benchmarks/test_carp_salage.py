"""Salting cases: what the problem sees, the plan as it is published, and who judges it."""

from __future__ import annotations

import copy
import heapq
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.carp_communes import make_case
from benchmarks.carp_salage import (
    case_of,
    open_dead_ends,
    place_arcs,
    plan_of,
    read_case,
    reload_points,
    salting_problem,
)
from benchmarks.carp_validation import validate
from routes.controle import check
from routes.probleme import AUCUN, Circuit, ProblemeInvalide
from routes.solveur import solve
from territoires.calcul import Arret

from .exact_salage import least_length

#: A street of three parts with a dead end at each end (0 and 3), depot in the middle, and a one-way loop 1-4-2.
PETIT: dict[str, Any] = {
    "name": "petit",
    "max_time": 60,
    "nodes": [{"label": c, "position": [i, 0]} for i, c in enumerate("abcde")],
    "vehicles": [{"id": "v", "home": "a", "capacity": 10.0}],
    "depots": [{"label": "c", "refill": 6.0}],
    "A": [{"arc": ["b", "e"], "time": 2, "len": 2}],
    "A_R": [{"arc": ["e", "c"], "dem": 5, "time": 3, "len": 3}],
    "E_R": [
        {"edge": ["a", "b"], "dem": 4, "time": 1, "len": 1},
        {"edge": ["b", "c"], "dem": 4, "time": 5, "len": 5},
        {"edge": ["c", "d"], "dem": 2, "time": 4, "len": 4},
    ],
    "U": [{"label": "d"}, {"label": "a"}],
}


def steps(*arcs: str) -> list[dict[str, Any]]:
    """``"ab*"``: from a to b, salted."""
    return [{"arc": [arc[0], arc[1]], "salted": arc.endswith("*")} for arc in arcs]


def route(*arcs: str) -> list[dict[str, Any]]:
    return [{"vehicle": "v", "route": steps(*arcs)}]


#: Salts everything: a-b, (refill at c), c-d and back, c-b, b-e, e-c.
BON = ("ab*", "bc*", "cd*", "dc", "cb", "be", "ec*")


def test_items_and_points_of_the_small_case() -> None:
    case = case_of(PETIT)
    problem = salting_problem(case)
    assert problem.item_names == ("(e, c)", "(a, b)", "(b, c)", "(c, d)")
    assert problem.start[0, 1] == AUCUN and (problem.start[1:, 1] != AUCUN).all()
    # The depot is entered from b, d and e; no U-turn there, so each way in keeps its heading.
    assert sorted(case.labels[case.tail[arc]] for _, arc in reload_points(case)) == ["b", "d", "e"]
    assert problem.refill.ravel().tolist() == [6.0] * 3
    assert set(problem.point_stock.tolist()) == {0}
    assert problem.span_s.tolist() == [3600.0]
    assert problem.home[0, 1] == AUCUN


def test_a_u_turn_at_a_depot_makes_one_point_of_it() -> None:
    assert reload_points(case_of(PETIT, depot_uturn=True)) == [(2, AUCUN)]


def test_good_plan_is_accepted() -> None:
    verdict = validate(PETIT, route(*BON))
    assert verdict.feasible, verdict.faults
    assert verdict.length == 1 + 5 + 4 + 4 + 5 + 2 + 3
    assert verdict.minutes == verdict.length


def test_what_is_driven_after_the_last_depot_does_not_count() -> None:
    assert validate(PETIT, route(*BON, "cb", "ba")).length == validate(PETIT, route(*BON)).length


@pytest.mark.parametrize(
    ("arcs", "fault"),
    [
        (("ab*", "bc*", "cd*", "dc", "cb", "be", "ec"), "e-c : pas salée"),
        (("ab*", "bc*", "cd*", "dc*", "cb", "be", "ec*"), "n'est pas à saler, ou l'est deux fois"),
        (("ab*", "bc*", "cb", "be", "ec*", "cd*", "dc"), "demi-tour interdit en c"),
        (("ab*", "bc*", "cd*", "cb", "be", "ec*"), "part de c, mais le camion est en d"),
        (("bc*", "cd*", "dc", "cb", "ba*", "ab", "be", "ec*"), "part de b, mais le camion est en a"),
        (("ab*", "be", "eb", "bc*", "cd*", "dc", "cb", "be", "ec*"), "e-b ne se parcourt pas"),
        (("ab*", "bc*", "cd*", "dc", "cb", "be*", "ec*"), "b-e n'est pas à saler"),
        (("ab", "bc", "cb", "be", "ec*", "cd*", "dc", "cb*", "ba*"), "n'atteint aucun dépôt"),
    ],
)
def test_each_broken_rule_is_told(arcs: tuple[str, ...], fault: str) -> None:
    faults = validate(PETIT, route(*arcs)).faults
    assert any(fault in phrase for phrase in faults), faults


def test_salt_that_lacks_is_told() -> None:
    dry = copy.deepcopy(PETIT)
    dry["depots"][0]["refill"] = 4.0  # 10 - 4 - 4, + 4, - 2, + 4 = 8: still 5 for the last; 3 is less than needed
    assert validate(dry, route(*BON)).feasible
    dry["depots"][0]["refill"] = 1.0
    assert any("de sel manquent sur e-c" in f for f in validate(dry, route(*BON)).faults)


def test_a_route_too_long_is_told() -> None:
    short = PETIT | {"max_time": 23.9}
    assert validate(short, route(*BON)).faults == ("tournée de 24 min, 23.9 permises",)


@pytest.mark.parametrize("vehicle", ["w", "v"])
def test_unknown_or_repeated_vehicle_is_told(vehicle: str) -> None:
    plan = [*route(*BON), {"vehicle": vehicle, "route": []}]
    assert any("inconnu, ou deux tournées" in f for f in validate(PETIT, plan).faults)


def test_depot_u_turn_is_a_matter_of_reading() -> None:
    arcs = ("ab*", "be", "ec*", "cd*", "dc", "cb*", "bc")
    assert any("demi-tour interdit en b" in f for f in validate(PETIT, route(*arcs)).faults)
    arcs = ("ab*", "bc*", "cb", "be", "ec*", "cd*", "dc")
    assert not validate(PETIT, route(*arcs), depot_uturn=True).faults


def test_turning_is_opened_only_where_there_is_no_other_way() -> None:
    assert open_dead_ends(case_of(PETIT))[1] == ()
    case, opened = open_dead_ends(case_of(PETIT | {"U": [{"label": "a"}]}))
    assert opened == ("d",), "c-d could be salted, but never come back from"
    assert case.uturn.tolist() == [True, False, False, True, False]
    # Nobody needs to come back from a: the truck starts there, and a-b is salted on the way out.
    assert open_dead_ends(case_of(PETIT | {"U": [{"label": "d"}]}))[1] == ()


def test_turning_is_opened_at_a_depot_without_other_way_on() -> None:
    end = PETIT | {"depots": [{"label": "d", "refill": 6.0}], "U": [{"label": "a"}]}
    assert sum(way["dem"] for way in [*PETIT["A_R"], *PETIT["E_R"]]) > PETIT["vehicles"][0]["capacity"]
    assert open_dead_ends(case_of(end))[1] == ("d",)
    roomy = end | {"vehicles": [{"id": "v", "home": "a", "capacity": 50.0}]}
    assert open_dead_ends(case_of(roomy))[1] == ()


def test_published_form_of_a_circuit() -> None:
    case = case_of(PETIT)
    entered_from_b = next(r for r, (_, arc) in enumerate(reload_points(case)) if case.labels[case.tail[arc]] == "b")
    entered_from_e = next(r for r, (_, arc) in enumerate(reload_points(case)) if case.labels[case.tail[arc]] == "e")
    visits = np.array([2, 4, -1 - entered_from_b, 6, 0], dtype=np.int32)
    assert plan_of(case, (Circuit(0, visits, entered_from_e),)) == route(*BON)


def test_a_plan_names_nodes_and_vehicles_as_the_file_does() -> None:
    named = json.loads(json.dumps(PETIT))
    number = {c: i for i, c in enumerate("abcde")}
    for node in [*named["nodes"], *named["depots"], *named["U"]]:
        node["label"] = number[node["label"]]
    for way in [*named["A"], *named["A_R"], *named["E_R"]]:
        key = "arc" if "arc" in way else "edge"
        way[key] = [number[c] for c in way[key]]
    named["vehicles"] = [{"id": 7, "home": 0, "capacity": 10.0}]
    case = case_of(named)
    plan = plan_of(case, (Circuit(0, np.array([2, 0], dtype=np.int32), 0),))
    assert plan[0]["vehicle"] == 7
    assert all(isinstance(end, int) for step in plan[0]["route"] for end in step["arc"])


def test_a_depot_gives_twice_only_to_who_drives_round() -> None:
    for depot_uturn in (False, True):
        case = case_of(PETIT, depot_uturn)
        problem = salting_problem(case)
        point = next(
            r for r, (_, arc) in enumerate(reload_points(case)) if arc == AUCUN or case.labels[case.tail[arc]] == "b"
        )
        place = int(problem.point_place[point, 0])
        length = float(problem.distances_m[0, place, place])
        if depot_uturn:
            assert length == 4 + 4, "to d, where turning is allowed, and back"
        else:
            assert length == 4 + 4 + 5 + 1 + 1 + 5, "to d, back through c to a, and in from b again"
        (entry_of,) = plan_of(case, (Circuit(0, np.array([2, 4, -1 - point, -1 - point], dtype=np.int32), point),))
        arcs = ["".join(step["arc"]) for step in entry_of["route"]]
        assert arcs[:2] == ["ab", "bc"] and arcs[2:4] == ["cd", "dc"]
        assert not [f for f in validate(PETIT, [entry_of], depot_uturn).faults if "demi-tour" in f or "part de" in f]


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"nodes": PETIT["nodes"][:2]}, "nœud inconnu"),
        ({"nodes": PETIT["nodes"] + PETIT["nodes"][:1]}, "deux nœuds de même nom"),
        ({"A": [], "A_R": [], "E_R": []}, "aucune route"),
        ({"E_R": [{"edge": ["a", "b"], "dem": "?", "time": 1, "len": 1}]}, "illisible"),
    ],
)
def test_unreadable_case_is_told(tmp_path: Path, change: dict[str, Any], phrase: str) -> None:
    path = tmp_path / "cas.json"
    path.write_text(json.dumps(PETIT | change))
    with pytest.raises(ProblemeInvalide, match=phrase):
        read_case(path)


def test_missing_field_is_told(tmp_path: Path) -> None:
    path = tmp_path / "cas.json"
    path.write_text(json.dumps({k: v for k, v in PETIT.items() if k != "E_R"}))
    with pytest.raises(ProblemeInvalide, match=r"cas\.json : cas de salage illisible \('E_R'\)"):
        read_case(path)


def ways(case: dict[str, Any], turning: set[str], start: tuple[str, str]) -> dict[tuple[str, str], float]:
    """(before, at) -> least length driven from a first (before, at), by the rules alone."""
    out: dict[str, dict[str, float]] = {}
    for way in [*case["A"], *case["A_R"], *case["E_R"]]:
        i, j = way.get("arc") or way["edge"]
        for u, v in ((i, j), (j, i)) if "edge" in way else ((i, j),):
            out.setdefault(u, {})[v] = min(way["len"], out.get(u, {}).get(v, np.inf))
    best: dict[tuple[str, str], float] = {}
    heap = [(0.0, *start)]
    while heap:
        length, before, at = heapq.heappop(heap)
        if (before, at) in best:
            continue
        best[before, at] = length
        for to, more in out.get(at, {}).items():
            if (to != before or at in turning) and (at, to) not in best:
                heapq.heappush(heap, (length + more, at, to))
    return best


@settings(max_examples=25)
@given(st.integers(8, 30), st.integers(0, 10_000), st.booleans())
def test_matrices_are_the_shortest_ways_that_turns_allow(roads: int, seed: int, depot_uturn: bool) -> None:
    fields = make_case(roads, 2, 2, seed, one_way=0.3)
    case = case_of(fields, depot_uturn)
    problem = salting_problem(case)
    turning = {u["label"] for u in fields["U"]} | ({d["label"] for d in fields["depots"]} if depot_uturn else set())
    salted = place_arcs(case).tolist()
    label = case.labels
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(salted))[:5].tolist()
    for row in [*rows, *range(len(salted), problem.distances_m.shape[1])]:
        if row < len(salted):
            start = (label[case.tail[salted[row]]], label[case.head[salted[row]]])
        elif row < len(salted) + problem.n_points:
            depot, arc = reload_points(case)[row - len(salted)]
            start = ("" if arc == AUCUN else label[case.tail[arc]], label[depot])
        else:
            start = ("", label[sorted({h for _, h, _ in case.vehicles})[row - len(salted) - problem.n_points]])
        far = ways(fields, turning, start)
        for column, arc in enumerate(salted):
            # To be about to drive the arc: at its tail, by any way after which the turn into it is allowed.
            u, v = label[case.tail[arc]], label[case.head[arc]]
            least = min((d for (w, x), d in far.items() if x == u and (w != v or u in turning)), default=np.inf)
            assert problem.distances_m[0, row, column] == pytest.approx(least, rel=1e-6)
        for point, (depot, arc) in enumerate(reload_points(case), start=len(salted)):
            entered = [
                d for (w, x), d in far.items() if x == label[depot] and (arc == AUCUN or w == label[case.tail[arc]])
            ]
            if row == point:  # from a depot back to it: never for nothing
                assert problem.distances_m[0, row, point] > 0
                continue
            assert problem.distances_m[0, row, point] == pytest.approx(min(entered, default=np.inf), rel=1e-6)
    # One speed everywhere: minutes go with the length.
    finite = np.isfinite(problem.distances_m)
    assert np.array_equal(finite, np.isfinite(problem.durations_s))
    assert np.allclose(problem.durations_s[finite], problem.distances_m[finite] / 65 * 3600, rtol=1e-2, atol=1.0)


@given(st.integers(8, 200), st.integers(1, 3), st.integers(1, 3), st.integers(0, 10_000))
@settings(max_examples=15)
def test_generated_cases_have_every_road_within_reach(roads: int, vehicles: int, depots: int, seed: int) -> None:
    fields = make_case(roads, vehicles, depots, seed)
    assert fields == make_case(roads, vehicles, depots, seed)
    problem = salting_problem(case_of(fields))
    far, last = problem.distances_m[0], problem.point_place[:, 0]
    out = np.isfinite(far[problem.home[:, 0]][:, problem.start]).all(axis=0)  # by item and mode
    back = np.isfinite(far[problem.end][:, :, last]).any(axis=2)
    assert (out & back & (problem.start != AUCUN)).any(axis=1).all()
    assert len(fields["vehicles"]) == vehicles and len(fields["depots"]) == depots
    assert problem.demand.max() <= problem.capacity.min()


def tiny(seed: int, refill: float) -> dict[str, Any]:
    """About eight roads, one or two vehicles that need two loads each, no limit of time."""
    fields = make_case(8, 1 + seed % 2, 1 + seed // 2 % 2, seed, one_way=0.3, refill=refill, visits=2.0)
    untimed = {kind: [way | {"time": 0} for way in fields[kind]] for kind in ("A", "A_R", "E_R")}
    return fields | untimed | {"max_time": None}


@pytest.mark.parametrize("seed", range(12))
def test_search_finds_the_least_length(seed: int) -> None:
    fields = tiny(seed, refill=1.0)
    case = case_of(fields)
    problem = salting_problem(case)
    solution = solve(problem, Arret(iterations=3_000), 1)
    check(problem, solution)
    verdict = validate(fields, plan_of(case, solution.circuits))
    assert verdict.feasible, verdict.faults
    assert verdict.length == pytest.approx(least_length(fields))


@pytest.mark.parametrize("seed", range(6))
def test_depots_that_give_half_a_load(seed: int) -> None:
    fields = tiny(seed, refill=0.5)
    case = case_of(fields)
    problem = salting_problem(case)
    solution = solve(problem, Arret(iterations=3_000), 1)
    check(problem, solution)
    verdict = validate(fields, plan_of(case, solution.circuits))
    assert verdict.feasible, verdict.faults
    assert verdict.length == pytest.approx(solution.objectif.total, rel=1e-6)
    assert verdict.length >= least_length(fields) * (1 - 1e-9)
