"""Ways with their line and names."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata import moteur_cch, moteur_scipy
from geodata.graphe import Graphe
from geodata.itineraire import path as path_by
from geodata.scenario import Scenario
from geodata.temps import path, snap, snap_nodes, travel_times_ms
from tests.unit.geodata.fabrique_reseau import grid, make_reseau, on_edges, points, reseaux


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_path_adds_up_to_the_matrix(data: st.DataObject) -> None:
    graphe = Graphe.from_tableaux(data.draw(reseaux()))
    poids = graphe.poids(data.draw(st.sampled_from(["voiture", "pieton"])))
    o, d = data.draw(points(graphe.m, 1)), data.draw(points(graphe.m, 1))
    ms = int(travel_times_ms(graphe, poids, o, d)[0, 0])
    for search in (moteur_scipy.path_arcs, moteur_cch.path_arcs):
        trajet = path_by(poids, o, d, search)
        if trajet is None:
            assert ms == np.iinfo(np.int32).max
            continue
        assert trajet.ms == ms
        assert sum(e.duree_s for e in trajet.etapes) == pytest.approx(ms / 1000)
        assert sum(e.longueur_m for e in trajet.etapes) == pytest.approx(trajet.longueur_m)
        assert trajet.ligne.is_valid or trajet.ligne.length == 0
        for accroches, bout in ((o, 0), (d, -1)):
            ligne = graphe.lignes[accroches.troncon[0]]
            place = ligne.interpolate(float(accroches.fraction[0]), normalized=True)
            np.testing.assert_allclose(trajet.ligne.coords[bout], place.coords[0], atol=1e-6)


def test_names_are_gathered_and_one_way_respected() -> None:
    # D 500 in two pieces, then a street; the bend of edge 1 is kept.
    reseau = make_reseau(
        [(0, 0), (1000, 0), (2000, 0), (2000, 500)],
        [(0, 1), (1, 2), (2, 3)],
        ref=[1, 1, 0],
        nom=[0, 0, 2],
        sens_unique=[False, True, False],
        traces={1: [(1000, 0), (1500, 300), (2000, 0)]},
    )
    graphe = Graphe.from_tableaux(reseau)
    poids = graphe.poids("voiture")
    o, d = snap(graphe, [400.0], [10.0], "voiture", ilots=True), snap(graphe, [2010.0], [250.0], "voiture", ilots=True)
    trajet = path(graphe, poids, o, d)
    assert trajet is not None
    assert [(e.ref, e.nom) for e in trajet.etapes] == [("D 500", ""), ("", "Rue du Lac")]
    assert [e.libelle for e in trajet.etapes] == ["D 500", "Rue du Lac"]
    assert shapely.get_coordinates(trajet.ligne).tolist() == [
        [400, 0], [1000, 0], [1500, 300], [2000, 0], [2000, 250],
    ]  # fmt: skip
    assert trajet.longueur_m == pytest.approx(trajet.ligne.length)
    assert path(graphe, poids, d, o) is None


def test_same_edge_trip_both_ways() -> None:
    graphe = Graphe.from_tableaux(make_reseau([(0, 0), (1000, 0)], [(0, 1)]))
    poids = graphe.poids("voiture")
    a, b = on_edges([0], [0.2]), on_edges([0], [0.9])
    aller, retour = path(graphe, poids, a, b), path(graphe, poids, b, a)
    assert aller is not None and retour is not None
    assert shapely.get_coordinates(aller.ligne).tolist() == [[200, 0], [900, 0]]
    assert shapely.get_coordinates(retour.ligne).tolist() == [[900, 0], [200, 0]]
    assert aller.longueur_m == pytest.approx(700)


def test_path_between_nodes_and_to_itself() -> None:
    graphe = Graphe.from_tableaux(grid(5))
    poids = graphe.poids("voiture")
    trajet = path(graphe, poids, snap_nodes(graphe, [0]), snap_nodes(graphe, [24]))
    assert trajet is not None and trajet.longueur_m == pytest.approx(800)
    sur_place = path(graphe, poids, snap_nodes(graphe, [3]), snap_nodes(graphe, [3]))
    assert sur_place is not None and (sur_place.ms, sur_place.longueur_m, sur_place.etapes) == (0, 0.0, ())


def test_closing_the_road_takes_the_detour() -> None:
    graphe = Graphe.from_tableaux(grid(3))
    o, d = snap_nodes(graphe, [0]), snap_nodes(graphe, [1])
    ferme = graphe.poids("voiture", Scenario.make(fermes=[0]))
    trajet = path(graphe, ferme, o, d)
    assert trajet is not None and trajet.longueur_m == pytest.approx(300)


def test_path_by_the_hierarchy_when_its_order_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    graphe = Graphe.from_tableaux(grid(46))
    poids, o, d = graphe.poids("voiture"), on_edges([0], [0.3]), on_edges([4000], [0.8])
    par_scipy = path(graphe, poids, o, d)
    graphe.ensure_ordre(moteur_cch.compute_ordre)

    def refuse(*args: object) -> None:
        raise AssertionError("scipy asked")

    monkeypatch.setattr(moteur_scipy, "path_arcs", refuse)
    par_cch = path(graphe, poids, o, d)
    assert par_scipy is not None and par_cch is not None
    assert par_cch.ms == par_scipy.ms


def test_path_takes_single_points() -> None:
    graphe = Graphe.from_tableaux(grid(3))
    with pytest.raises(ValueError, match="reçu 2 et 1"):
        path(graphe, graphe.poids("voiture"), snap_nodes(graphe, [0, 1]), snap_nodes(graphe, [2]))
