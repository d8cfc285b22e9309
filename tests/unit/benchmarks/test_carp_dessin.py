"""Pictures of plans and the account of the common block."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.carp_42_43 import gain
from benchmarks.carp_dessin import Trace, _aside, colours, draw_plan, stress_layout
from benchmarks.carp_grilles import make_grid
from benchmarks.carp_image import network_of, traces
from benchmarks.carp_lecture import problem_of
from routes.solveur import solve
from territoires.calcul import Arret


def test_a_layout_keeps_distances_that_a_plane_can_keep() -> None:
    xy = np.random.default_rng(5).uniform(0, 10, (30, 2))
    far = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    found = stress_layout(far)
    assert np.allclose(np.hypot(*(found[:, None] - found[None]).transpose(2, 0, 1)), far, atol=1e-3)


def test_a_layout_of_a_street_network_is_better_than_scaling_alone() -> None:
    graph, _ = make_grid(columns=5, rows=5, required=40, depots=1, trucks=3, slack=1.5, seed=2)
    reseau, lieux = network_of(graph)
    assert len(lieux) == reseau.nodes == 25
    far = np.abs(np.arange(25)[:, None] // 5 - np.arange(25) // 5) + np.abs(
        np.arange(25)[:, None] % 5 - np.arange(25) % 5
    )

    def stress(xy: np.ndarray) -> float:
        drawn = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
        return float((((drawn - far) / np.maximum(far, 1)) ** 2).sum())

    assert stress(stress_layout(far.astype(np.float64))) < 0.9 * stress(stress_layout(far.astype(np.float64), rounds=0))


def test_colours_differ() -> None:
    assert len({tuple(np.round(c, 2)) for c in colours(110)}) > 100


def test_empty_ways_lie_to_the_right_of_where_one_drives() -> None:
    north = np.array([[[0.0, 0.0], [0.0, 1.0]], [[2.0, 2.0], [2.0, 2.0]]])
    assert _aside(north, 0.5).tolist() == [[[0.5, 0.0], [0.5, 1.0]], [[2.0, 2.0], [2.0, 2.0]]]


def test_a_plan_is_drawn_as_it_is_driven(tmp_path: Path) -> None:
    graph, homes = make_grid(columns=4, rows=4, required=12, depots=1, trucks=4, slack=1.5, seed=0)
    problem = problem_of(graph, homes)
    solution = solve(problem, Arret(iterations=200), 1)
    assert graph.xy is not None
    drawn = traces(graph, problem, solution, graph.xy)
    assert sum(int(t.served.sum()) for t in drawn) == 12
    for trace in drawn:
        # One goes on where one was, from the depot back to the depot.
        assert np.array_equal(trace.pieces[1:, 0], trace.pieces[:-1, 1])
        assert np.array_equal(trace.pieces[0, 0], graph.xy[graph.depots[0]])
        assert np.array_equal(trace.pieces[-1, 1], graph.xy[graph.depots[0]])
    path = tmp_path / "plan.png"
    draw_plan(path, "grille", graph.xy[graph.ends], drawn, graph.xy[graph.depots], limit=[np.zeros((2, 2))])
    assert path.read_bytes().startswith(b"\x89PNG")
    draw_plan(path, "rien", graph.xy[graph.ends], [Trace(np.zeros((0, 2, 2)), np.zeros(0, bool))], np.zeros((0, 2)))


def test_the_gain_is_the_members_alone_less_the_block() -> None:
    def line(case: str, seed: int, cost: float, driven: float, treated: float) -> dict[str, object]:
        same = {"plan_euro": cost, "trucks": 2, "circuits": 3, "duty_h": 4.0}
        return {"case": case, "seed": seed, "cost": cost, "driven_km": driven, "treated_km": treated, **same}

    lines = [line("42", 1, 90.0, 30.0, 20.0), line("42", 2, 110.0, 30.0, 20.0), line("43", 1, 100.0, 40.0, 30.0)]
    lines.append(line("42+43", 1, 150.0, 65.0, 50.0))
    found = gain(lines, 7.0)
    assert (found["cost"], found["cost_percent"]) == (50.0, 25.0)
    assert (found["driven_km"], found["empty_km"], found["empty_km_percent"]) == (5.0, 5.0, 25.0)
    assert found["trucks"] == 2.0
    assert found["limit_s"] == pytest.approx(7.0)
