"""Matrices between places, turns free or priced, against a textbook search with explicit turn states."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routes.itineraires import Chemins, Critere, Registre, matrices, states, turn_seconds
from routes.probleme import AUCUN
from routes.reseau import ReseauHiver, ReseauInvalide, Virages

from .reseaux import Oracle, arcs_between, network, networks


@given(networks())
def test_without_turn_costs_places_are_nodes(r: ReseauHiver) -> None:
    registre = Registre(r)
    places = [registre.node(node) for node in range(r.nodes)]
    assert {p for arc in range(r.arcs) for p in registre.service(arc)} <= set(places)
    assert registre.heading(0) == places[r.head[0]]
    metres, seconds = matrices(r, registre.lieux())
    assert metres.dtype == seconds.dtype == np.float32
    for profile in range(2):
        graph = nx.MultiDiGraph()
        graph.add_nodes_from(range(r.nodes))
        for arc in np.flatnonzero(np.isfinite(r.seconds[profile])):
            graph.add_edge(int(r.tail[arc]), int(r.head[arc]), s=float(r.seconds[profile, arc]))
        for a in range(r.nodes):
            found = nx.single_source_dijkstra_path_length(graph, a, weight="s")
            assert seconds[profile, a].tolist() == [found.get(b, np.inf) for b in range(r.nodes)]
        # Seconds are metres, and twice as many for the second profile.
        assert np.all(metres[profile] * (profile + 1) == seconds[profile])


@given(networks(turns=True))
def test_on_the_line_graph_every_kind_of_place_has_its_distance(r: ReseauHiver) -> None:
    registre = Registre(r, headings=True)
    service = [registre.service(arc) for arc in range(r.arcs)]
    assert all(begin == end for begin, end in service)
    stop = [registre.heading(arc) for arc in range(r.arcs)]
    yard = [registre.node(node) for node in range(r.nodes)]
    lieux = registre.lieux()
    assert len(lieux) == 2 * r.arcs + r.nodes
    _, seconds = matrices(r, lieux, headings=True)
    for profile in range(2):
        oracle = Oracle(r, profile)
        for place in range(len(lieux)):
            arc, node = int(lieux.leave_arc[place]), int(lieux.leave_node[place])
            free = dict.fromkeys(np.flatnonzero(r.tail == node).tolist(), 0.0)
            start = free if arc == AUCUN else oracle.turns[arc]
            driven, row = oracle.driven(start), seconds[profile, place]
            assert row[[b for b, _ in service]].tolist() == oracle.begun(start)
            for b in range(r.arcs):
                here = r.head[b] == node and arc in (AUCUN, b)
                assert row[stop[b]] == (0.0 if here else driven.get(b, np.inf))
            for other in range(r.nodes):
                hours = [s for b, s in driven.items() if r.head[b] == other]
                assert row[yard[other]] == (0.0 if other == node else min(hours, default=np.inf))


@given(networks(turns=True), st.sampled_from([Critere(), Critere(0.0, 1.0), Critere(1.0, 3.0)]))
def test_ways_are_those_of_the_matrices(r: ReseauHiver, critere: Critere) -> None:
    registre = Registre(r, headings=True)
    for arc in range(r.arcs):
        registre.service(arc)
    registre.node(0)
    registre.heading(0)
    lieux = registre.lieux()
    metres, seconds = matrices(r, lieux, headings=True, critere=critere)
    for profile in range(2):
        chemins = Chemins(states(r, profile, True, critere), lieux)
        for a in range(len(lieux)):
            for b in range(len(lieux)):
                if not np.isfinite(metres[profile, a, b]):
                    with pytest.raises(ReseauInvalide, match="aucun chemin"):
                        chemins.way(a, b)
                    continue
                arcs = chemins.way(a, b)
                assert arcs_between(r, arcs)
                chain = arcs.tolist()
                if lieux.leave_arc[a] != AUCUN and (chain or lieux.reach_ready[b]):
                    chain = [int(lieux.leave_arc[a]), *chain]
                if lieux.reach_ready[b]:
                    chain = [*chain, int(lieux.reach_arc[b])]
                turns = turn_seconds(r, profile, np.array(chain[:-1], np.int32), np.array(chain[1:], np.int32))
                assert metres[profile, a, b] == r.length_m[arcs].sum()
                assert seconds[profile, a, b] == r.seconds[profile, arcs].sum() + turns.sum()


@given(networks(turns=True))
def test_the_criterion_is_what_is_least(r: ReseauHiver) -> None:
    registre = Registre(r, headings=True)
    for arc in range(r.arcs):
        registre.service(arc)
    lieux = registre.lieux()
    quick_m, quick_s = matrices(r, lieux, headings=True)
    short_m, short_s = matrices(r, lieux, headings=True, critere=Critere(0.0, 1.0))
    assert np.all(quick_s <= short_s)
    assert np.all(short_m <= quick_m)


def test_ways_of_no_duration_are_still_the_shortest() -> None:
    # Published cases give 0 minutes to every road: only the length says which way is best.
    r = network(4, [(0, 1, False, 5.0), (1, 3, False, 5.0), (0, 2, False, 1.0), (2, 3, False, 2.0)])
    zero = ReseauHiver(**{**vars(r), "seconds": np.zeros_like(r.seconds)})
    registre = Registre(zero, headings=True)
    a, b = registre.node(0), registre.node(3)
    for critere in (Critere(), Critere(0.0, 1.0)):
        metres, seconds = matrices(zero, registre.lieux(), headings=True, critere=critere)
        assert (metres[0, a, b], seconds[0, a, b]) == (3.0, 0.0)


def test_a_u_turn_only_where_it_is_allowed() -> None:
    # A street 0 - 1 - 2 - 3; trucks may turn at 3 only.
    r = network(4, [(0, 1, False, 1.0), (1, 2, False, 1.0), (2, 3, False, 1.0)], Virages.forbidden_but(5.0), {3})
    registre = Registre(r)
    there, _ = registre.service(0)
    back, _ = registre.service(1)
    _, seconds = matrices(r, registre.lieux())
    assert seconds[0, there, back] == 2 + 5 + 2
    assert seconds[0, back, there] == np.inf, "0 is a dead end where turning is not allowed"


def test_cancelled_matrices_stop() -> None:
    r = network(4, [(0, 1, False, 1.0), (1, 2, False, 1.0)])
    registre = Registre(r)
    registre.node(0), registre.node(2)
    metres, _ = matrices(r, registre.lieux(), cancelled=lambda: True)
    assert np.isinf(metres).all()


def test_refusals() -> None:
    r = network(2, [(0, 1, False, 1.0)])
    with pytest.raises(ReseauInvalide, match="critère"):
        Critere(0.0, 0.0)
    with pytest.raises(ReseauInvalide, match="profil"):
        states(r, 2)
