"""Chains contracted: every distance kept, every arc in one chain, turns and kept nodes respected."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from routes.contraction import Contraction, contract, contract_csr, contract_networkx, contract_reseau
from routes.reseau import ReseauHiver, ReseauInvalide, Virages

from .reseaux import Oracle, arcs_between, network, networks


def shortest(nodes: int, tail: np.ndarray, head: np.ndarray, weight: np.ndarray) -> np.ndarray:
    table = np.full((nodes, nodes), np.inf)
    np.minimum.at(table, (tail, head), weight)
    table[np.arange(nodes), np.arange(nodes)] = 0
    return dijkstra(np.where(np.isfinite(table), table, 0))


def check_mapping(c: Contraction, tail: np.ndarray, head: np.ndarray, edge: np.ndarray) -> None:
    assert sorted(c.arcs.tolist()) == list(range(len(tail))), "each arc once"
    for arc in range(len(c.tail)):
        chain = c.chain(arc)
        assert np.all(head[chain[:-1]] == tail[chain[1:]])
        assert (tail[chain[0]], head[chain[-1]]) == (c.node[c.tail[arc]], c.node[c.head[arc]])
        twin = [k for k in np.flatnonzero(c.edge == c.edge[arc]) if k != arc]
        assert len(twin) <= 1
        for k in twin:
            assert edge[c.chain(k)[::-1]].tolist() == edge[chain].tolist()


@given(networks(), st.data())
def test_every_distance_between_nodes_that_stay_is_kept(r: ReseauHiver, data: st.DataObject) -> None:
    key = np.array(data.draw(st.lists(st.integers(0, 1), min_size=r.edges, max_size=r.edges)))[r.edge]
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=r.nodes, max_size=r.nodes)))
    c = contract(r.nodes, r.tail, r.head, r.edge, key=key, keep=keep)
    check_mapping(c, r.tail, r.head, r.edge)
    assert set(np.flatnonzero(keep)) <= set(c.node.tolist())
    for arc in range(len(c.tail)):
        assert len(set(key[c.chain(arc)].tolist())) == 1
    whole = shortest(r.nodes, r.tail, r.head, r.length_m)[np.ix_(c.node, c.node)]
    small = shortest(len(c.node), c.tail, c.head, c.total(r.length_m))
    assert np.allclose(whole, small)


@given(networks())
def test_nothing_is_left_to_contract(r: ReseauHiver) -> None:
    c = contract(r.nodes, r.tail, r.head, r.edge)
    again = contract(len(c.node), c.tail, c.head, c.edge)
    assert len(again.tail) == len(c.tail)


@given(networks(turns=True))
def test_ways_with_turns_are_kept(r: ReseauHiver) -> None:
    small, c = contract_reseau(r)
    check_mapping(c, r.tail, r.head, r.edge)
    first = [int(c.chain(arc)[0]) for arc in range(small.arcs)]
    for profile in range(2):
        before, after = Oracle(r, profile), Oracle(small, profile)
        for arc in range(small.arcs):
            whole = before.begun(before.turns[int(c.chain(arc)[-1])])
            assert after.begun(after.turns[arc]) == [whole[b] for b in first]


def test_a_chain_a_ring_and_a_lollipop() -> None:
    # 0 - 1 - 2 (a chain), 3 - 4 - 5 - 3 (a ring apart), 2 - 6 - 7 - 2 (a loop at 2).
    roads = [(0, 1), (1, 2), (3, 4), (4, 5), (5, 3), (2, 6), (6, 7), (7, 2)]
    r = network(8, [(u, v, False, 1.0) for u, v in roads])
    small, c = contract_reseau(r)
    assert c.node.tolist() == [0, 2, 3]
    assert sorted(small.length_m.tolist()) == [2.0, 2.0, 3.0, 3.0, 3.0, 3.0]
    assert small.edges == 3
    assert np.all(small.reverse() >= 0)


def test_a_one_way_ring_is_one_arc() -> None:
    r = network(3, [(0, 1, True, 1.0), (1, 2, True, 1.0), (2, 0, True, 1.0)])
    small, _ = contract_reseau(r)
    assert (small.arcs, small.nodes) == (1, 1)


def test_one_ways_that_meet_head_on_stay_apart() -> None:
    r = network(3, [(0, 1, True, 1.0), (2, 1, True, 1.0)])
    assert contract_reseau(r)[0].arcs == 2


def test_a_road_closed_to_a_profile_is_not_mixed() -> None:
    r = network(3, [(0, 1, False, 1.0), (1, 2, False, 1.0)], closed={1})
    assert contract_reseau(r)[0].nodes == 3


def test_nodes_where_turning_pays_stay() -> None:
    roads = [(0, 1, False, 1.0), (1, 2, False, 1.0), (2, 3, False, 1.0)]
    r = network(4, roads, Virages.forbidden_but(), turn_allowed={2})
    assert contract_reseau(r)[1].node.tolist() == [0, 2, 3]
    dear = network(4, roads, Virages(uturn_s=10, dead_end_s=10, uturn_elsewhere_s=60), turn_allowed=set())
    assert contract_reseau(dear)[1].node.tolist() == [0, 3]


def test_long_chains_are_cut_at_nodes() -> None:
    r = network(6, [(k, k + 1, False, 1.0) for k in range(5)])
    small, c = contract_reseau(r, longest=2.0)
    check_mapping(c, r.tail, r.head, r.edge)
    assert sorted(small.length_m[: small.arcs].tolist()) == [1.0, 1.0, 2.0, 2.0, 2.0, 2.0]
    one, _ = contract_reseau(r, longest=0.5)
    assert one.arcs == r.arcs


@given(networks())
def test_a_csr_matrix_keeps_its_distances(r: ReseauHiver) -> None:
    table = np.full((r.nodes, r.nodes), np.inf)
    np.minimum.at(table, (r.tail, r.head), r.length_m)
    matrix = csr_matrix(np.where(np.isfinite(table), table, 0))
    indptr, indices, data, c = contract_csr(matrix.indptr, matrix.indices, matrix.data, keep=[0])
    assert 0 in c.node
    small_tail = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    assert np.all(c.total(matrix.data) == data)
    assert sorted(c.arcs.tolist()) == list(range(matrix.nnz))
    whole = dijkstra(matrix)[np.ix_(c.node, c.node)]
    assert np.allclose(shortest(len(c.node), small_tail, indices, data), whole)


@given(networks())
def test_a_networkx_graph_keeps_its_distances_and_its_edges(r: ReseauHiver) -> None:
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(r.nodes))
    for arc in range(r.arcs):
        graph.add_edge(int(r.tail[arc]), int(r.head[arc]), length=float(r.length_m[arc]), niveau=int(arc % 3 == 0))
    small = contract_networkx(graph, key=["niveau"], keep={0})
    assert 0 in small
    chains = [edge for _, _, data in small.edges(data=True) for edge in data["chain"]]
    assert sorted(chains) == sorted(graph.edges(keys=True))
    for u, v, data in small.edges(data=True):
        assert (data["chain"][0][0], data["chain"][-1][1]) == (u, v)
        assert {graph.edges[edge]["niveau"] for edge in data["chain"]} == {data["niveau"]}
    for u in small:
        whole = nx.single_source_dijkstra_path_length(graph, u, weight="length")
        mine = nx.single_source_dijkstra_path_length(small, u, weight="length")
        assert mine == {v: s for v, s in whole.items() if v in small}


def test_refusals() -> None:
    with pytest.raises(ReseauInvalide, match="MultiDiGraph"):
        contract_networkx(nx.Graph())
    graph = nx.MultiDiGraph()
    graph.add_edge(0, 1)
    with pytest.raises(ReseauInvalide, match="longueur absente"):
        contract_networkx(graph)
    r = network(2, [(0, 1, False, 1.0)])
    with pytest.raises(ReseauInvalide, match="par arc"):
        contract(2, r.tail, r.head, r.edge, key=np.zeros(1))


def test_arcs_of_a_chain_follow_one_another() -> None:
    r = network(4, [(0, 1, False, 1.0), (2, 1, False, 1.0), (2, 3, False, 1.0)])
    _, c = contract_reseau(r)
    assert arcs_between(r, c.expand(np.array([0, 1], dtype=np.int32)))
