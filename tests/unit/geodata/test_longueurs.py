"""Lengths of the quickest ways: the same times as the matrix, and metres that follow from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.graphe import Graphe
from geodata.longueurs import times_and_lengths
from geodata.profils import INF_MS
from geodata.temps import path, snap_nodes, travel_times_ms
from tests.unit.geodata.fabrique_reseau import grid, make_reseau, on_edges, oracle_metres, points, reseaux


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_times_are_those_of_the_matrix_and_walking_speed_gives_the_metres(data: st.DataObject) -> None:
    """On foot every road goes at 1.25 m/s: metres are seconds times that, whatever the way."""
    graphe = Graphe.from_tableaux(data.draw(reseaux()))
    for profil in ("voiture", "pieton"):
        poids = graphe.poids(profil)
        o, d = data.draw(points(graphe.m)), data.draw(points(graphe.m))
        ms, metres = times_and_lengths(poids, o, d)
        assert np.array_equal(ms, travel_times_ms(graphe, poids, o, d))
        assert np.array_equal(np.isinf(metres), ms == INF_MS)
        if profil == "pieton":
            joint = ms != INF_MS
            assert metres[joint] == pytest.approx(ms[joint] / 1000 * 1.25, rel=1e-4, abs=0.05)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_the_shortest_of_the_quickest_ways_is_measured(data: st.DataObject) -> None:
    graphe = Graphe.from_tableaux(data.draw(reseaux()))
    poids, o, d = graphe.poids("voiture"), data.draw(points(graphe.m)), data.draw(points(graphe.m))
    ms, metres = times_and_lengths(poids, o, d)
    attendu_ms, attendu_m = oracle_metres(graphe, poids, o, d)
    np.testing.assert_array_equal(ms, attendu_ms)
    # Each end and edge is rounded to the centimetre.
    np.testing.assert_allclose(metres, attendu_m, rtol=1e-6, atol=0.2)


def test_metres_are_those_of_the_path_found_for_one_couple() -> None:
    rng = np.random.default_rng(7)
    noeuds = [tuple(p) for p in rng.uniform(0, 20_000, size=(60, 2))]
    troncons = [tuple(t) for t in rng.integers(0, 60, size=(160, 2)) if t[0] != t[1]]
    graphe = Graphe.from_tableaux(make_reseau(noeuds, troncons, classe=rng.integers(1, 7, size=len(troncons)).tolist()))
    poids = graphe.poids("voiture")
    o = on_edges(rng.integers(0, graphe.m, 8).tolist(), rng.random(8).tolist())
    d = on_edges(rng.integers(0, graphe.m, 5).tolist(), rng.random(5).tolist())
    ms, metres = times_and_lengths(poids, o, d)
    for i in range(8):
        for j in range(5):
            trajet = path(graphe, poids, o.take([i]), d.take([j]))
            if trajet is None:
                assert ms[i, j] == INF_MS
            else:
                assert (ms[i, j], metres[i, j]) == (trajet.ms, pytest.approx(trajet.longueur_m, rel=1e-5, abs=0.1))


def test_nodes_as_points() -> None:
    graphe = Graphe.from_tableaux(grid(5))
    noeuds = snap_nodes(graphe, [0, 24])
    _, metres = times_and_lengths(graphe.poids("voiture"), noeuds, noeuds)
    assert metres.tolist() == [[0.0, 800.0], [800.0, 0.0]]
