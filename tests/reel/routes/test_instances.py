"""Published instances: read as their authors describe them; both small salting cases and their optimum."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.carp_lecture import read_dat, read_graph
from benchmarks.carp_salage import plan_of, read_case, salting_problem
from benchmarks.carp_validation import validate
from routes.controle import check
from routes.solveur import solve
from territoires.calcul import Arret
from tests.unit.benchmarks.exact_salage import least_length

pytestmark = pytest.mark.reel

#: Least length of the two small cases, by the exact method of the test below.
OPTIMUM = {"gualandi": 70.0, "belben": 12.0}


@pytest.fixture(scope="module")
def carp(donnees: Path) -> Path:
    folder = donnees / "carp"
    if not folder.is_dir():
        pytest.skip("instances absentes (carp)")
    return folder


def fields(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_every_instance_reads_as_its_table_says(carp: Path) -> None:
    with (carp / "best_known.csv").open(encoding="utf-8", newline="") as lignes:
        rows = list(csv.DictReader(lignes))
    assert len(rows) == 181
    for row in rows:
        path = carp / row["set"] / f"{row['instance']}.dat"
        graph, problem = read_graph(path), read_dat(path)
        assert len(graph.labels) == int(row["nodes"]), path.name
        assert problem.n_items == int(row["required_edges"]), path.name
        assert len(graph.ends) - problem.n_items == int(row["other_edges"]), path.name
        assert problem.capacity.tolist() == [[float(row["capacity"])]], path.name
        assert problem.demand.sum() == float(row["total_demand"]), path.name
        assert problem.driven_m.sum() == float(row["service_cost"]), path.name
        assert np.isfinite(problem.distances_m).all(), path.name
        assert problem.n_trucks >= int(row["min_vehicles"]), path.name


@pytest.mark.parametrize("name", OPTIMUM)
def test_optimum_of_the_small_salting_cases(carp: Path, name: str) -> None:
    case = fields(carp / "salting" / f"{name}.json")
    assert least_length(case) == OPTIMUM[name]
    assert least_length(case, depot_uturn=True) == OPTIMUM[name], "turning at depots would not help"


def test_published_plans_are_judged(carp: Path) -> None:
    verdict = validate(fields(carp / "salting" / "belben.json"), fields(carp / "salting" / "belben_solution.json"))
    assert verdict.feasible and verdict.length == 27.0
    case, plan = fields(carp / "salting" / "gualandi.json"), fields(carp / "salting" / "gualandi_solution.json")
    # This one turns round at depot 7, which is not among the nodes where the case allows it.
    assert validate(case, plan).faults == ("camion 1, étape 9 : demi-tour interdit en 7",)
    verdict = validate(case, plan, depot_uturn=True)
    assert verdict.feasible and verdict.length == 110.0


@pytest.mark.parametrize("name", OPTIMUM)
@pytest.mark.parametrize("engine", ["limitrophe", "pyvrp"])
def test_search_finds_the_optimum_of_the_small_cases(carp: Path, name: str, engine: str) -> None:
    if engine == "pyvrp":
        pytest.importorskip("pyvrp", reason="PyVRP n'est pas installé (requirements/bench.txt)")
    path = carp / "salting" / f"{name}.json"
    case = read_case(path)
    problem = salting_problem(case)
    solution = solve(problem, Arret(iterations=3_000), 1, engine=engine)
    check(problem, solution)
    verdict = validate(fields(path), plan_of(case, solution.circuits))
    assert verdict.feasible, verdict.faults
    assert verdict.length == OPTIMUM[name]


@pytest.mark.parametrize("name", ["gdb/gdb1", "gdb/gdb8", "gdb/gdb14", "gdb/gdb23", "val/val1A", "egl/egl-e1-A"])
def test_plans_come_close_to_the_best_known(carp: Path, name: str) -> None:
    with (carp / "best_known.csv").open(encoding="utf-8", newline="") as lignes:
        known = {row["instance"]: float(row["best_known"]) for row in csv.DictReader(lignes)}
    problem = read_dat(carp / f"{name}.dat")
    solution = solve(problem, Arret(iterations=20_000), 1)
    check(problem, solution)
    best = known[name.split("/")[1]]
    # Below the best known value, either the reader or the checker would be wrong: all of these are proven optimal.
    assert best <= solution.objectif.total <= best * 1.02
