"""Isochrones: valid, nested, and around what is really reached."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.classes import Classe
from geodata.graphe import Graphe
from geodata.isochrones import MARGE_M
from geodata.moteur_scipy import nearest_field
from geodata.profils import PROFILS
from geodata.temps import isochrones, snap_nodes
from tests.unit.geodata.fabrique_reseau import grid, make_reseau, on_edges, points, reseaux


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_valid_and_nested(data: st.DataObject) -> None:
    graphe = Graphe.from_tableaux(data.draw(reseaux()))
    poids = graphe.poids(data.draw(st.sampled_from(["voiture", "pieton"])))
    seuils = data.draw(st.lists(st.integers(1, 900), min_size=1, max_size=5))
    options = {
        "vers": data.draw(st.booleans()),
        "pas_m": data.draw(st.sampled_from([None, 40.0, 130.0])),
        "trou_m2": data.draw(st.sampled_from([0.0, 250_000.0])),
    }
    sites = data.draw(points(graphe.m, 3))
    bandes = isochrones(graphe, poids, sites, seuils, **options)
    assert [b.seuil_s for b in bandes] == seuils
    for b in bandes:
        assert b.geom.geom_type == "MultiPolygon"
        assert b.geom.is_valid, shapely.is_valid_reason(b.geom)
    croissantes = sorted(bandes, key=lambda b: b.seuil_s)
    for dedans, dehors in itertools.pairwise(croissantes):
        assert dedans.geom.is_empty or dehors.geom.covers(dedans.geom)
    anneaux = isochrones(graphe, poids, sites, seuils, anneaux=True, **options)
    assert all(a.geom.is_valid for a in anneaux)
    uniques = {a.seuil_s: a.geom for a in anneaux}
    union = shapely.union_all(list(uniques.values()))
    assert union.area == pytest.approx(sum(g.area for g in uniques.values()))
    assert union.area == pytest.approx(croissantes[-1].geom.area)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_around_what_is_reached(data: st.DataObject) -> None:
    graphe = Graphe.from_tableaux(data.draw(reseaux()))
    poids = graphe.poids("voiture")
    sites, vers = data.draw(points(graphe.m, 2)), data.draw(st.booleans())
    seuil, pas = data.draw(st.integers(60, 600)), 40.0
    # Holes are kept: the middle of a filled one may lie far from every road.
    aire = isochrones(graphe, poids, sites, [seuil], vers=vers, pas_m=pas, trou_m2=0.0)[0].geom
    ms, _ = nearest_field(poids, sites, vers=vers)
    r = graphe.reseau
    xy = shapely.points(r.noeud_x, r.noeud_y)
    # Going from a node to its vertex of the grid takes at most half a diagonal at the access speed.
    jeu_ms = 1000 * pas * np.sqrt(2) / 2 / (PROFILS["voiture"].vitesse_acces_kmh / 3.6)
    quittables = poids.ouverts & (r.classe != int(Classe.AUTOROUTE))
    sur_route = np.zeros(graphe.n, dtype=bool)
    sur_route[r.source[quittables]] = sur_route[r.cible[quittables]] = True
    surs = sur_route & (ms < 1000 * seuil - jeu_ms)
    # The vertex is in the area; the node lies within half a diagonal of it.
    assert np.all(shapely.dwithin(aire, xy[surs], pas * 0.71))
    # Nothing lies farther than the margin and two steps and a half from a road.
    routes = shapely.union_all([*graphe.lignes[poids.ouverts], *xy])
    if not aire.is_empty:
        assert routes.buffer(MARGE_M + 2.5 * pas).covers(aire)


def test_a_straight_road_is_reached_as_far_as_the_time_goes() -> None:
    # 20 km of road at a known speed; the site in the middle of it.
    graphe = Graphe.from_tableaux(make_reseau([(0, 0), (20_000, 0)], [(0, 1)]))
    poids = graphe.poids("voiture")
    metres_s = 20_000 / (poids.ms[0] / 1000)
    aire = isochrones(graphe, poids, on_edges([0], [0.5]), [300.0], pas_m=50.0)[0].geom
    xmin, ymin, xmax, ymax = aire.bounds
    assert xmin == pytest.approx(10_000 - 300 * metres_s, abs=100)
    assert xmax == pytest.approx(10_000 + 300 * metres_s, abs=100)
    assert ymax == pytest.approx(MARGE_M, abs=60) and ymin == pytest.approx(-MARGE_M, abs=60)


def test_direction_matters_on_a_one_way() -> None:
    graphe = Graphe.from_tableaux(make_reseau([(0, 0), (20_000, 0)], [(0, 1)], sens_unique=[True]))
    poids, site = graphe.poids("voiture"), on_edges([0], [0.5])
    vers = isochrones(graphe, poids, site, [240.0], vers=True)[0].geom
    depuis = isochrones(graphe, poids, site, [240.0], vers=False)[0].geom
    assert vers.centroid.x < 9_000 < 11_000 < depuis.centroid.x


@pytest.mark.parametrize(("vers", "depart", "coupe"), [(True, 1, 3800.0), (False, 0, 1200.0)])
def test_an_edge_longer_than_the_time_counts_for_its_part(vers: bool, depart: int, coupe: float) -> None:
    """68 km/h on 5 km driven one way: 63.5 s are 1,200 m, before the site or after it."""
    graphe = Graphe.from_tableaux(make_reseau([(0, 0), (5000, 0)], [(0, 1)], sens_unique=[True]))
    site = snap_nodes(graphe, [depart])
    aire = isochrones(graphe, graphe.poids("voiture"), site, [1200 / 68 * 3.6], vers=vers, pas_m=25.0)[0].geom
    bord, loin = (coupe + 100, coupe - 150) if vers else (coupe - 100, coupe + 150)
    assert aire.covers(shapely.Point(bord, 0)) and not aire.covers(shapely.Point(loin, 0))


@pytest.mark.parametrize(("trou_m2", "trous"), [(0.0, 1), (1_000_000.0, 1), (4_000_000.0, 0)])
def test_small_holes_are_filled(trou_m2: float, trous: int) -> None:
    """Four roads around a field of 2 km a side: what lies farther than the margin is a hole of some 2 km²."""
    graphe = Graphe.from_tableaux(grid(2, 2000.0))
    aire = isochrones(graphe, graphe.poids("voiture"), snap_nodes(graphe, [0]), [3600.0], trou_m2=trou_m2)[0].geom
    assert sum(len(p.interiors) for p in aire.geoms) == trous


def test_one_does_not_get_off_a_motorway() -> None:
    reseau = make_reseau(
        [(0, 0), (1000, 0), (9000, 0), (10_000, 0)],
        [(0, 1), (1, 2), (2, 3)],
        classe=[int(Classe.SECONDAIRE), int(Classe.AUTOROUTE), int(Classe.SECONDAIRE)],
        vmax=[80, 130, 80],
    )
    graphe = Graphe.from_tableaux(reseau)
    aire = isochrones(graphe, graphe.poids("voiture"), snap_nodes(graphe, [0]), [900.0])[0].geom
    assert not aire.intersects(shapely.Point(5000, 0))
    assert aire.intersects(shapely.Point(9800, 0))


def test_nothing_reached_is_an_empty_area() -> None:
    graphe = Graphe.from_tableaux(grid(3))
    bandes = isochrones(graphe, graphe.poids("voiture"), on_edges([-1], [0.0]), [300.0, 600.0])
    assert all(b.geom.is_empty and b.geom.geom_type == "MultiPolygon" for b in bandes)


@pytest.mark.parametrize("seuils", [[], [0.0], [-5.0], [float("nan")], [float("inf")]])
def test_thresholds_must_be_durations(seuils: list[float]) -> None:
    graphe = Graphe.from_tableaux(grid(3))
    with pytest.raises(ValueError, match="seuils"):
        isochrones(graphe, graphe.poids("voiture"), snap_nodes(graphe, [0]), seuils)
