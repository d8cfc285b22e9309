"""Searches against networkx on random multigraphs."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.graphe import Graphe
from geodata.profils import INF_MS
from geodata.scenario import Scenario
from geodata.temps import nearest, nearest_nodes, snap_nodes, travel_times, travel_times_ms
from tests.unit.geodata.fabrique_reseau import grid, make_reseau, on_edges, oracle, points, reseaux


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_matrix_equals_networkx(data: st.DataObject) -> None:
    graphe = Graphe.from_tableaux(data.draw(reseaux()))
    fermes = data.draw(st.frozensets(st.integers(0, graphe.m - 1), max_size=2))
    poids = graphe.poids(data.draw(st.sampled_from(["voiture", "pieton"])), Scenario(fermes=fermes))
    o, d = data.draw(points(graphe.m)), data.draw(points(graphe.m))
    trouve = travel_times_ms(graphe, poids, o, d)
    assert trouve.dtype == np.int32
    np.testing.assert_array_equal(trouve, oracle(graphe, poids, o, d))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_nearest_equals_the_matrix(data: st.DataObject) -> None:
    graphe = Graphe.from_tableaux(data.draw(reseaux()))
    poids = graphe.poids("voiture")
    p, sites = data.draw(points(graphe.m)), data.draw(points(graphe.m))
    for vers in (True, False):
        matrice = travel_times(graphe, poids, p, sites) if vers else travel_times(graphe, poids, sites, p).T
        secondes, rang = nearest(graphe, poids, p, sites, vers=vers)
        np.testing.assert_array_equal(secondes, matrice.min(axis=1))
        joints = np.isfinite(secondes)
        assert np.all(rang[~joints] == -1)
        np.testing.assert_array_equal(matrice[joints, rang[joints]], secondes[joints])
        champ, label = nearest_nodes(graphe, poids, sites, vers=vers)
        noeuds = snap_nodes(graphe, np.arange(graphe.n))
        tout = travel_times(graphe, poids, noeuds, sites) if vers else travel_times(graphe, poids, sites, noeuds).T
        np.testing.assert_array_equal(champ, tout.min(axis=1))
        joints = np.isfinite(champ)
        np.testing.assert_array_equal(tout[joints, label[joints]], champ[joints])


def test_one_way_forbids_the_short_way_back() -> None:
    # 0 -> 1 one-way; the way back goes round by 2.
    reseau = make_reseau([(0, 0), (1000, 0), (500, 800)], [(0, 1), (1, 2), (2, 0)], sens_unique=[True, False, False])
    graphe = Graphe.from_tableaux(reseau)
    poids = graphe.poids("voiture")
    aval, amont = on_edges([0], [0.75]), on_edges([0], [0.25])
    aller = travel_times_ms(graphe, poids, amont, aval)[0, 0]
    retour = travel_times_ms(graphe, poids, aval, amont)[0, 0]
    w = poids.ms
    assert aller == np.rint(0.75 * w[0]) - np.rint(0.25 * w[0])
    assert retour == (w[0] - np.rint(0.75 * w[0])) + w[1] + w[2] + np.rint(0.25 * w[0])
    # On foot the one-way does not bind.
    pieton = graphe.poids("pieton")
    assert travel_times_ms(graphe, pieton, aval, amont)[0, 0] < 1000 * 3600


def test_parallel_edges_are_not_added_up() -> None:
    reseau = make_reseau([(0, 0), (1000, 0)], [(0, 1), (0, 1)], longueur_m=[1000, 700])
    graphe = Graphe.from_tableaux(reseau)
    poids = graphe.poids("voiture")
    bouts = snap_nodes(graphe, [0, 1])
    assert travel_times_ms(graphe, poids, bouts, bouts)[0, 1] == poids.ms[1]
    sans = graphe.poids("voiture", Scenario(fermes=frozenset({1})))
    assert travel_times_ms(graphe, sans, bouts, bouts)[0, 1] == poids.ms[0]


def test_unsnapped_points_are_unreachable() -> None:
    graphe = Graphe.from_tableaux(grid(3))
    poids = graphe.poids("voiture")
    absent, la = on_edges([-1], [0.0]), on_edges([0], [0.5])
    assert np.isinf(travel_times(graphe, poids, absent, la)[0, 0])
    assert np.isinf(travel_times(graphe, poids, la, absent)[0, 0])
    secondes, rang = nearest(graphe, poids, absent, la)
    assert np.isinf(secondes[0]) and rang[0] == -1
    secondes, rang = nearest(graphe, poids, la, absent)
    assert np.isinf(secondes[0]) and rang[0] == -1


def test_reversed_searches_give_the_same() -> None:
    graphe = Graphe.from_tableaux(grid(8))
    poids = graphe.poids("voiture")
    o, d = on_edges(range(40), [0.3] * 40), on_edges([3, 50], [0.1, 0.9])
    large = travel_times_ms(graphe, poids, o, d)
    np.testing.assert_array_equal(large, np.vstack([travel_times_ms(graphe, poids, o.take([i]), d) for i in range(40)]))
    assert large.max() < INF_MS
