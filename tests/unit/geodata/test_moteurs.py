"""Both engines give the same integers; the hierarchy follows scenarios and threads."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata import hierarchie, moteur_cch, moteur_scipy
from geodata.graphe import Graphe
from geodata.profils import INF_MS
from geodata.scenario import Scenario
from geodata.temps import engine_of
from tests.unit.geodata.fabrique_reseau import grid, on_edges, points, reseaux


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_engines_agree(data: st.DataObject) -> None:
    graphe = Graphe.from_tableaux(data.draw(reseaux()))
    for _ in range(data.draw(st.integers(1, 5))):
        fermes = data.draw(st.frozensets(st.integers(0, graphe.m - 1), max_size=3))
        poids = graphe.poids(data.draw(st.sampled_from(["voiture", "pieton"])), Scenario(fermes=fermes))
        o, d = data.draw(points(graphe.m)), data.draw(points(graphe.m))
        attendu = moteur_scipy.matrix_ms(poids, o, d)
        np.testing.assert_array_equal(moteur_cch.matrix_ms(poids, o, d), attendu)
        np.testing.assert_array_equal(hierarchie.matrix_ms(poids, o, d), attendu)
        for i in range(len(o)):
            un, autre = o.take([i]), d.take([0])
            par_scipy = moteur_scipy.path_arcs(poids, un, autre)
            par_cch = moteur_cch.path_arcs(poids, un, autre)
            assert par_scipy[0] == par_cch[0]
            for ms, arcs, sortie, entree in (par_scipy, par_cch):
                _check_path(graphe, poids, un, autre, ms, arcs, sortie, entree)


def _check_path(graphe, poids, o, d, ms, arcs, sortie, entree):  # type: ignore[no-untyped-def]
    """The arcs follow one another from an exit of the origin to an entry of the destination and add up."""
    if ms == INF_MS:
        assert len(arcs) == 0
        return
    n_dep, ms_dep = moteur_scipy.ends(poids, o, arrivee=False)
    n_arr, ms_arr = moteur_scipy.ends(poids, d, arrivee=True)
    suite = [n_dep[0, sortie], *graphe.head[arcs]]
    assert all(graphe.tail[a] == v for a, v in zip(arcs, suite, strict=False))
    assert suite[-1] == n_arr[0, entree]
    assert ms == int(ms_dep[0, sortie]) + int(poids.ms[arcs].astype(np.int64).sum()) + int(ms_arr[0, entree])


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_partial_customization_equals_a_full_one(data: st.DataObject) -> None:
    graphe = Graphe.from_tableaux(data.draw(reseaux(max_noeuds=14, max_troncons=40)))
    h = hierarchie.hierarchie_of(graphe)
    avant = hierarchie.arc_costs(graphe.poids("voiture"), metres=data.draw(st.booleans()))
    inf = hierarchie.customized(h, avant).inf
    changes = data.draw(st.dictionaries(st.integers(0, 2 * graphe.m - 1), st.integers(0, int(inf)), max_size=6))
    apres = avant.copy()
    for arc, cout in changes.items():
        apres[arc] = cout
    partielle = hierarchie.customized(h, apres, hierarchie.customized(h, avant))
    entiere = hierarchie.customized(h, apres)
    np.testing.assert_array_equal(partielle.monte, entiere.monte)
    np.testing.assert_array_equal(partielle.descend, entiere.descend)


def test_blocks_of_labels_cover_the_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    graphe = Graphe.from_tableaux(grid(10))
    poids, o, d = graphe.poids("voiture"), on_edges(range(50), [0.2] * 50), on_edges(range(60, 97), [0.6] * 37)
    entiere = hierarchie.matrix_ms(poids, o, d)
    monkeypatch.setattr(hierarchie, "MEMOIRE_OCTETS", 3000)
    np.testing.assert_array_equal(hierarchie.matrix_ms(poids, o, d), entiere)


def test_engine_follows_the_shape() -> None:
    graphe = Graphe.from_tableaux(grid(60))
    assert engine_of(Graphe.from_tableaux(grid(10)), 10_000, 10_000) == "scipy"
    assert engine_of(graphe, 1, 3000) == "scipy"
    assert engine_of(graphe, 1000, 1000) == engine_of(graphe, 1000, 1000) == "hierarchie"
    # Without an order, a middling question is not worth computing one; with it, it is.
    assert engine_of(graphe, 50, 50) == "scipy"
    graphe.ensure_ordre(moteur_cch.compute_ordre)
    assert engine_of(graphe, 50, 50) == "hierarchie"
    assert engine_of(graphe, 5, 3000) == "scipy"


def test_hierarchy_follows_scenarios_in_any_order() -> None:
    graphe = Graphe.from_tableaux(grid(12))
    o, d = on_edges(range(0, 60, 3), [0.4] * 20), on_edges(range(100, 130), [0.7] * 30)
    rng = np.random.default_rng(3)
    scenarios = [Scenario.make(fermes=rng.integers(0, graphe.m, k)) for k in (0, 1, 5, 200)]
    scenarios += [Scenario.make(facteur=1.5), Scenario.make(facteurs_troncon={7: 3.0})]
    for k in rng.integers(0, len(scenarios), 20):
        poids = graphe.poids("voiture", scenarios[k])
        attendu = moteur_scipy.matrix_ms(poids, o, d)
        np.testing.assert_array_equal(moteur_cch.matrix_ms(poids, o, d), attendu)
        np.testing.assert_array_equal(hierarchie.matrix_ms(poids, o, d), attendu)


def test_each_thread_has_its_own_hierarchy() -> None:
    graphe = Graphe.from_tableaux(grid(15))
    o, d = on_edges(range(30), [0.5] * 30), on_edges(range(300, 330), [0.5] * 30)
    attendus = [moteur_scipy.matrix_ms(graphe.poids("voiture", Scenario.make(fermes=[k])), o, d) for k in range(4)]
    faux: list[object] = []

    def work(k: int) -> None:
        for moteur in (moteur_cch, hierarchie) * 5:
            trouve = moteur.matrix_ms(graphe.poids("voiture", Scenario.make(fermes=[k])), o, d)
            if not np.array_equal(trouve, attendus[k]):
                faux.append(k)

    fils = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join()
    assert faux == []
    assert graphe.ordre is not None


def test_what_a_thread_built_for_a_graph_that_has_gone_is_dropped_by_that_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plaintes: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", plaintes.append)
    graphes = [Graphe.from_tableaux(grid(3))]

    def ask() -> tuple[int, int]:
        poids = graphes[0].poids("voiture")
        return moteur_cch.path_arcs(poids, on_edges([0], [0.5]), on_edges([3], [0.5]))[0], len(
            moteur_cch._local.gardees
        )

    with ThreadPoolExecutor(1) as fil:
        premier = fil.submit(ask).result()
        ancien = weakref.ref(graphes[0])
        graphes[0] = Graphe.from_tableaux(grid(3))
        gc.collect()
        assert ancien() is None
        assert fil.submit(ask).result() == premier == (premier[0], 1)
    gc.collect()
    assert plaintes == []
