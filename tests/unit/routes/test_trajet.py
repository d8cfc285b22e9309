"""Plans as they are driven: the clock of the matrices, every turn allowed, every road back on its own arcs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from routes.controle_trajet import check_trajectory
from routes.preparation import Camion, Depot, Niveau, Passes, Preparation, Troncons, TypeCamion, prepare
from routes.probleme import AUCUN, Circuit, split_oversized
from routes.releve import walk
from routes.reseau import Virages
from routes.resultat import Solution
from routes.trajet import expand

from .reseaux import network, networks


@st.composite
def plans(draw: st.DrawFn) -> tuple[Preparation, Circuit]:
    """A prepared network and a circuit of one truck that can be driven, whatever it is worth."""
    r = draw(networks(turns=draw(st.booleans())))
    passes = draw(st.lists(st.integers(0, 2), min_size=r.edges, max_size=r.edges))
    t = Troncons(
        passes=np.array(passes, dtype=np.int32), width_m=np.ones(r.edges), dose_g_m2=np.ones((r.edges, 1)),
        level=np.zeros(r.edges, dtype=np.int32),
    )  # fmt: skip
    node = st.integers(0, r.nodes - 1)
    depots = [Depot(draw(node), reload_s=5.0, turning=turning) for turning in (draw(st.booleans()), True)]
    kinds = [TypeCamion(profile, (1.0,), 1.8, 1.0, 40.0) for profile in (0, 1)]
    trucks = [Camion(draw(st.integers(0, 1)), 0, shift_start_s=100.0, returns=draw(st.booleans()))]
    p = prepare(r, t, [Niveau(earliest_s=draw(st.sampled_from([0.0, 120.0])))], depots, kinds, trucks)
    problem = p.probleme
    kind, profile = trucks[0].type, trucks[0].type
    here = int(problem.home[0, 0])
    visits: list[int] = []
    left = [2 * i + m for i in range(problem.n_items) for m in (0, 1) if np.isfinite(problem.service_s[kind, i, m])]
    left += [-1 - point for point in range(problem.n_points)]
    ends = [int(problem.home[0, 1])] if problem.home[0, 1] != AUCUN else problem.point_place[:, 0].tolist()

    def places(visit: int) -> tuple[int, int]:
        if visit < 0:
            return int(problem.point_place[-1 - visit, 0]), int(problem.point_place[-1 - visit, 1])
        return int(problem.start[visit // 2, visit % 2]), int(problem.end[visit // 2, visit % 2])

    def reachable(origin: int, target: int) -> bool:
        return bool(np.isfinite(problem.durations_s[profile, origin, target]))

    for visit in draw(st.permutations(left)) if left else []:
        start, end = places(visit)
        if (visit < 0 or visit ^ 1 not in visits) and reachable(here, start) and any(reachable(end, e) for e in ends):
            visits.append(visit)
            here = end
    final = next((k for k, e in enumerate(ends) if reachable(here, e)), None)
    assume(final is not None)
    end_point = AUCUN if problem.home[0, 1] != AUCUN else final
    return p, Circuit(0, np.array(visits, dtype=np.int32), AUCUN if end_point is None else end_point)


@given(plans())
def test_the_clock_is_the_checkers_and_every_turn_is_allowed(case: tuple[Preparation, Circuit]) -> None:
    p, circuit = case
    day = walk(p.probleme, circuit)
    for original in (True, False):
        (trajet,) = expand(p, [circuit], original=original)
        check_trajectory(p, [circuit], [trajet], original=original)
        r = p.original if original else p.reseau
        drives = trajet.arc != AUCUN
        assert r.length_m[trajet.arc[drives]].sum() == day.driven_m
        assert r.length_m[trajet.arc[trajet.served]].sum() == day.treated_m
        if len(trajet.end_s):
            assert trajet.end_s[-1] <= 100.0 + day.duty_s + 1e-6
        assert np.all(np.diff(trajet.begin_s) >= -1e-9)
        assert trajet.point[~drives].tolist() == [-1 - v for v in circuit.visits.tolist() if v < 0]
        assert np.all(trajet.point[drives] == AUCUN)
        nodes = trajet.nodes(r)
        assert np.all(r.tail[trajet.arc[drives]] == nodes[:-1])
        assert np.all(r.head[trajet.arc[drives]] == nodes[1:])


@given(plans())
def test_every_piece_of_an_item_is_driven_once_and_together(case: tuple[Preparation, Circuit]) -> None:
    p, circuit = case
    (trajet,) = expand(p, [circuit])
    for visit in circuit.visits[circuit.visits >= 0].tolist():
        item, mode = divmod(visit, 2)
        where = np.flatnonzero(trajet.item == item)
        assert trajet.arc[where].tolist() == p.contraction.chain(int(p.item_arc[item, mode])).tolist()
        assert where.tolist() == list(range(where[0], where[0] + len(where)))
        seconds = trajet.end_s[where[-1]] - trajet.begin_s[where[0]]
        kind = int(p.probleme.truck_type[0])
        assert seconds == pytest.approx(float(p.probleme.service_s[kind, item, mode]))


def street(**more: Any) -> Preparation:
    """0 - 1 - 2 - 3 with a side road 1 - 4, all to be treated, each direction in a pass; trucks may turn at ends."""
    r = network(5, [(0, 1, False, 10.0), (1, 2, False, 10.0), (2, 3, False, 10.0), (1, 4, False, 10.0)],
                Virages.forbidden_but(3.0), {0, 3, 4}, closed={3})  # fmt: skip
    ones = np.ones(r.edges)
    t = Troncons(
        np.full(r.edges, Passes.UNE_PAR_SENS, np.int32), ones, ones[:, None] * more.get("dose", 1.0),
        np.zeros(r.edges, dtype=np.int32),
    )  # fmt: skip
    kinds = [TypeCamion(profile, (1.0,), 1.8, 1.0, 40.0) for profile in (0, 1)]
    return prepare(r, t, [Niveau()], [Depot(0, reload_s=5.0)], kinds, [Camion(0, 0), Camion(1, 0)])


def item(p: Preparation, tail: int, head: int) -> int:
    """Visit that treats the road that begins and ends at these nodes."""
    small = p.reseau
    ends = [(int(p.contraction.node[small.tail[a]]), int(p.contraction.node[small.head[a]])) for a in p.item_arc[:, 0]]
    return 2 * ends.index((tail, head))


def test_a_street_driven_out_and_back() -> None:
    p = street()
    circuit = Circuit(0, np.array([item(p, 0, 1), item(p, 1, 3), -1, item(p, 3, 1)], dtype=np.int32))
    (trajet,) = expand(p, [circuit])
    assert trajet.nodes(p.original).tolist() == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0]
    assert trajet.served.tolist() == [True] * 3 + [False] * 7 + [True] * 2 + [False]
    assert trajet.point.tolist() == [AUCUN] * 6 + [0] + [AUCUN] * 6
    # 10 m at 0.5 m/s when treating, 1 m/s empty; a turn at 3 takes 3 s, none in the yard.
    assert trajet.begin_s[:4].tolist() == [0.0, 20.0, 40.0, 63.0]
    assert trajet.begin_s[6:8].tolist() == [93.0, 98.0]
    assert trajet.end_s[-1] == 98 + 30 + 3 + 40 + 10
    check_trajectory(p, [circuit], [trajet])


def test_a_road_cut_in_parts_is_driven_once_a_part() -> None:
    p = street(dose=150_000.0)
    planned, origin = split_oversized(p.probleme)
    assert len(origin) > p.probleme.n_items
    parts = np.flatnonzero(origin == item(p, 0, 1) // 2)
    circuits = (Circuit(0, np.array([2 * parts[0]], dtype=np.int32)), Circuit(1, np.array([2 * parts[1]], np.int32)))
    none: Any = None
    solution = Solution(circuits, np.zeros(0, np.int32), none, none, none, planned.input_hash(), origin)
    trajets = expand(p, solution)
    check_trajectory(p, solution, trajets)
    for trajet in trajets:
        assert trajet.arc[trajet.served].tolist() == trajets[0].arc[trajets[0].served].tolist()
        assert set(trajet.item[trajet.served].tolist()) == {item(p, 0, 1) // 2}
