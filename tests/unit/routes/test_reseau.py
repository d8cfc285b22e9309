"""The road network: arcs paired, headings, trucks' profiles, refusals."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from shapely.geometry import LineString

from routes.reseau import Gabarit, Limites, ReseauInvalide, Virages, from_csr, from_networkx, make, pair_arcs

NAN = np.float32(np.nan)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.sampled_from([1.0, 2.0])), max_size=20))
def test_paired_arcs_are_opposite_and_as_many_as_can_be(arcs: list[tuple[int, int, float]]) -> None:
    tail, head = (np.array([a[k] for a in arcs], dtype=np.int32) for k in (0, 1))
    length = np.array([a[2] for a in arcs])
    edge = pair_arcs(tail, head, length)
    assert len(edge) == len(arcs)
    groups = [np.flatnonzero(edge == e) for e in range(edge.max() + 1)] if len(edge) else []
    for group in groups:
        assert 1 <= len(group) <= 2
        if len(group) == 2:
            a, b = group
            assert (tail[a], head[a], length[a]) == (head[b], tail[b], length[b])
    # No two one-ways are left that could have been paired.
    alone = [arcs[g[0]] for g in groups if len(g) == 1]
    assert not any((v, u, m) in alone and (u != v or alone.count((u, u, m)) > 1) for u, v, m in alone)
    assert [g[0] for g in groups] == sorted(g[0] for g in groups), "numbered by first arc"


def test_lengths_do_not_matter_when_not_given() -> None:
    assert pair_arcs(np.array([0, 1]), np.array([1, 0])).tolist() == [0, 0]
    assert pair_arcs(np.array([0, 1]), np.array([1, 0]), np.array([1.0, 2.0])).tolist() == [0, 1]


def test_a_profile_may_not_pass_what_is_too_low_too_narrow_or_too_weak() -> None:
    signs = Limites(
        vmax_kmh=np.array([30.0, np.inf, np.inf, np.inf]),
        mass_t=np.array([np.inf, 7.5, np.inf, np.inf]),
        height_m=np.array([np.inf, np.inf, 3.0, np.inf]),
        width_m=np.array([np.inf, np.inf, np.inf, 2.5]),
    )
    length = np.full(4, 500.0)
    light = Gabarit(50.0, mass_t=7.5, height_m=3.0, width_m=2.5).seconds(length, signs)
    assert light.tolist() == [60.0, 36.0, 36.0, 36.0]
    heavy = Gabarit(50.0, mass_t=19.0, height_m=3.5, width_m=2.6).seconds(length, signs)
    assert heavy.tolist() == [60.0, np.inf, np.inf, np.inf]


def test_a_networkx_graph_with_geometries_and_signs() -> None:
    graph = nx.MultiDiGraph()
    graph.add_node("a", x=0.0, y=0.0)
    graph.add_node("b", x=100.0, y=0.0)
    graph.add_edge("a", "b", length=120.0, geometry=LineString([(0, 0), (0, 10), (90, 10), (90, 0), (100, 0)]))
    graph.add_edge("b", "a", length=120.0, tonnage_max_t="3.5")
    graph.add_edge("a", "b", length=100.0)
    r = from_networkx(graph, [Gabarit(36.0), Gabarit(36.0, mass_t=19)], turn_allowed=["b"])
    assert r.labels == ("a", "b")
    assert r.number("b") == 1
    one_way = int(np.argmax(r.length_m == 100.0))
    assert r.reverse()[one_way] == -1
    back = int(np.argmax(r.tail == 1))
    curved = int(r.reverse()[back])
    assert (r.heading_out[curved], r.heading_in[curved]) == (0.0, 90.0)
    assert r.heading_out[one_way] == r.heading_in[one_way] == 90.0
    assert r.heading_out[back] == 270.0
    assert r.seconds[:, back].tolist() == [12.0, np.inf]
    assert r.turn_allowed.tolist() == [False, True]


def test_an_undirected_graph_is_driven_both_ways() -> None:
    graph = nx.MultiGraph()
    graph.add_edge(1, 2, length=10.0)
    graph.add_edge(1, 2, length=30.0)
    r = from_networkx(graph, [Gabarit(36.0)])
    assert (r.arcs, r.edges) == (4, 2)
    assert np.all(r.reverse() >= 0)


def test_a_csr_matrix() -> None:
    matrix = csr_matrix(np.array([[0.0, 5.0, 0.0], [5.0, 0.0, 2.0], [0.0, 0.0, 0.0]]))
    r = from_csr(matrix.indptr, matrix.indices, matrix.data, [Gabarit(36.0)], turn_allowed=[2])
    assert list(zip(r.tail.tolist(), r.head.tolist(), r.edge.tolist(), strict=True)) == [
        (0, 1, 0),
        (1, 0, 0),
        (1, 2, 1),
    ]
    assert r.seconds.tolist() == [[0.5, 0.5, np.float32(0.2)]]


def test_refusals_say_what_is_wrong() -> None:
    graph = nx.MultiDiGraph()
    graph.add_edge("a", "b")
    with pytest.raises(ReseauInvalide, match="longueur absente"):
        from_networkx(graph, [Gabarit(50)])
    graph.edges["a", "b", 0]["length"] = 3.0
    with pytest.raises(ReseauInvalide, match="'z' absent"):
        from_networkx(graph, [Gabarit(50)], turn_allowed=["z"])
    with pytest.raises(ReseauInvalide, match="vitesse"):
        from_networkx(graph, [Gabarit(0)])
    with pytest.raises(ReseauInvalide, match="virages"):
        Virages(left_s=np.inf)
    with pytest.raises(ReseauInvalide, match="virages"):
        Virages(uturn_s=-1)
    with pytest.raises(ReseauInvalide, match="head"):
        make(2, [0], [2], [1.0], [[1.0]])
    with pytest.raises(ReseauInvalide, match="turn_allowed"):
        make(2, [0], [1], [1.0], [[1.0]], turn_allowed=[2])
    with pytest.raises(ReseauInvalide, match="length_m"):
        make(2, [0], [1], [np.inf], [[1.0]])
    with pytest.raises(ReseauInvalide, match="seconds"):
        make(2, [0], [1], [1.0], [[-1.0]])
    with pytest.raises(ReseauInvalide, match="seconds : forme"):
        make(2, [0], [1], [1.0], [[1.0, 2.0]])
    with pytest.raises(ReseauInvalide, match="edge"):
        make(2, [0, 0], [1, 1], [1.0, 1.0], [[1.0, 1.0]], edge=np.zeros(2, dtype=np.int32))
    with pytest.raises(ReseauInvalide, match="indptr"):
        from_csr(np.array([0, 2]), np.array([0]), np.array([1.0]), [Gabarit(50)])
    with pytest.raises(ReseauInvalide, match="absent du réseau"):
        make(2, [0], [1], [1.0], [[1.0]], labels=("a", "b")).number("c")
