"""Instances of the Spanish format become the problem they describe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.carp_lecture import GrapheCarp, fleet_bound, problem_of, read_dat, read_graph, shortest_lengths
from routes.probleme import AUCUN, ProblemeInvalide, split_oversized

PETIT = """NOMBRE : petit
 COMENTARIO : 10000 (cota superior, año 1983)
 VERTICES : 5
 ARISTAS_REQ : 3
 ARISTAS_NOREQ : 2
 VEHICULOS : 2
 CAPACIDAD : 7
 TIPO_COSTES_ARISTAS : EXPLICITOS
 COSTE_TOTAL_REQ : 30
 LISTA_ARISTAS_REQ :
 ( 1, 2)  coste 10 demanda 3
 (2,4)   coste 12   demanda 4
( 4, 9 )   coste 8   demanda 20
 LISTA_ARISTAS_NOREQ :
 ( 9, 1)  coste 5
 ( 9, 1)  coste 6
 DEPOSITO :   4
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "petit.dat"
    path.write_text(text, encoding="latin-1")
    return path


def test_numbers_of_an_instance(tmp_path: Path) -> None:
    path = write(tmp_path, PETIT)
    problem, graph = read_dat(path), read_graph(path)
    assert graph.labels == ("1", "2", "4", "9")
    assert problem.driven_m.tolist() == [10, 12, 8]
    assert problem.demand[:, 0].tolist() == [3, 4, 20]
    assert problem.capacity.tolist() == [[7]]
    # Depot 4 is the third node seen; of the two roads from 9 to 1 the shorter one is driven.
    assert set(problem.home.ravel().tolist()) == {2}
    assert problem.distances_m[0].tolist() == [[0, 10, 13, 5], [10, 0, 12, 15], [13, 12, 0, 8], [5, 15, 8, 0]]
    assert problem.start[0].tolist() == [0, 1] and problem.end[0].tolist() == [1, 0]


def test_one_unit_of_cost_is_one_euro(tmp_path: Path) -> None:
    problem = read_dat(write(tmp_path, PETIT))
    assert problem.cost_km.tolist() == [1000.0]
    assert problem.weights.cost == 1.0 and problem.weights.truck == 0.0


def test_demand_above_the_capacity_is_cut(tmp_path: Path) -> None:
    problem = read_dat(write(tmp_path, PETIT))
    planned, origin = split_oversized(problem)
    assert origin.tolist() == [0, 1, 2, 2, 2]
    assert planned.n_trucks >= 5, "a truck for each piece, should no two fit together"


def test_lists_of_arcs_are_one_way(tmp_path: Path) -> None:
    problem = read_dat(write(tmp_path, PETIT.replace("LISTA_ARISTAS_REQ", "LISTA_ARCOS_REQ")))
    assert problem.start[:, 1].tolist() == [AUCUN] * 3
    assert np.isinf(problem.service_s[0, :, 1]).all()
    assert problem.distances_m[0, 1, 0] == 12 + 8 + 5, "no way back along 1-2"


@pytest.mark.parametrize("keyword", ["CAPACIDAD", "DEPOSITO"])
def test_missing_keyword_is_told(tmp_path: Path, keyword: str) -> None:
    path = write(tmp_path, PETIT.replace(keyword, "AUTRE"))
    with pytest.raises(ProblemeInvalide, match=r"petit\.dat : DEPOSITO ou CAPACIDAD absent"):
        read_dat(path)


def test_unreadable_edge_is_told_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, PETIT.replace("( 1, 2)  coste 10", "( 1, 2)  costo 10"))
    with pytest.raises(ProblemeInvalide, match="ligne 11"):
        read_dat(path)


def test_unreadable_number_is_told_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, PETIT.replace("coste 12 ", "coste 1.2.3 "))
    with pytest.raises(ProblemeInvalide, match="ligne 12"):
        read_dat(path)


def test_file_without_edges_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "CAPACIDAD : 5\nDEPOSITO : 1\n")
    with pytest.raises(ProblemeInvalide, match="aucune arête"):
        read_dat(path)


@st.composite
def graphs(draw: st.DrawFn) -> GrapheCarp:
    n = draw(st.integers(2, 7))
    node = st.integers(0, n - 1)
    edge = st.tuples(node, node, st.integers(0, 20), st.integers(0, 9), st.booleans())
    edges = draw(st.lists(edge, min_size=1, max_size=15))
    return GrapheCarp(
        name="g",
        labels=tuple(map(str, range(n))),
        ends=np.array([e[:2] for e in edges], dtype=np.int32),
        cost=np.array([e[2] for e in edges], dtype=np.float64),
        demand=np.array([e[3] for e in edges], dtype=np.float64),
        one_way=np.array([e[4] for e in edges]),
        depots=np.array([0], dtype=np.int32),
        capacity=4.0,
    )


@given(graphs())
def test_shortest_lengths_are_those_of_floyd(graph: GrapheCarp) -> None:
    n = len(graph.labels)
    far = np.full((n, n), np.inf)
    np.fill_diagonal(far, 0.0)
    for (i, j), cost, one_way in zip(graph.ends.tolist(), graph.cost, graph.one_way, strict=True):
        far[i, j] = min(far[i, j], cost)
        if not one_way:
            far[j, i] = min(far[j, i], cost)
    for k in range(n):
        far = np.minimum(far, far[:, k : k + 1] + far[k])
    assert np.array_equal(shortest_lengths(graph), far.astype(np.float32))


@given(graphs(), st.integers(1, 3))
def test_problem_has_one_item_a_required_edge_and_one_truck_a_home(graph: GrapheCarp, trucks: int) -> None:
    problem = problem_of(graph, np.zeros(trucks, dtype=np.int32))
    assert problem.n_items == int((graph.demand > 0).sum())
    assert problem.n_trucks == trucks
    for k, edge in enumerate(graph.required.tolist()):
        assert problem.start[k, 0] == graph.ends[edge, 0] and problem.end[k, 0] == graph.ends[edge, 1]
        assert (problem.start[k, 1] == AUCUN) == graph.one_way[edge]


@given(graphs())
def test_more_trucks_than_the_bound_cannot_all_be_more_than_half_full(graph: GrapheCarp) -> None:
    bound, total = fleet_bound(graph), float(graph.demand.sum())
    assert bound >= 1
    assert bound * graph.capacity >= total, "enough for everything"
    pieces = int(np.ceil(graph.demand[graph.demand > 0] / graph.capacity).sum())
    assert bound == max(1, pieces) or (bound + 1) * graph.capacity / 2 > total


def test_several_edges_a_line_and_other_separators(tmp_path: Path) -> None:
    text = PETIT.replace(" ( 1, 2)  coste 10 demanda 3\n (2,4)   coste 12   demanda 4\n",
                         " ( 1, 2)  coste = 10, demanda = 3   (2 4) coste: 12; demanda: 4\n")  # fmt: skip
    graph, same = read_graph(write(tmp_path, text)), read_graph(write(tmp_path, PETIT))
    assert np.array_equal(graph.cost, same.cost)
    assert np.array_equal(graph.demand, same.demand)


def test_a_required_edge_without_demand_is_served(tmp_path: Path) -> None:
    graph = read_graph(write(tmp_path, PETIT.replace("coste 10 demanda 3", "coste 10 demanda 0")))
    assert graph.required.tolist() == [0, 1, 2]
    assert problem_of(graph, np.repeat(graph.depots, 2)).n_items == 3


@pytest.mark.parametrize(
    "change", [(" ARISTAS_REQ : 3", " ARISTAS_REQ : 4"), (" ARISTAS_NOREQ : 2", " ARISTAS_NOREQ : 1")]
)
def test_edges_that_are_not_as_many_as_announced_are_told(tmp_path: Path, change: tuple[str, str]) -> None:
    with pytest.raises(ProblemeInvalide, match="l'en-tête en annonce"):
        read_graph(write(tmp_path, PETIT.replace(*change)))
