"""Polygons made fit to be kept, and the gaps between them."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from territoires.importation.geometrie import (
    CHANGEMENT_MAX,
    ReferenceInconnue,
    is_degrees,
    outside_2154,
    project,
    repair,
    sliver,
    to_degrees,
    union,
)
from territoires.importation.lacunes import find_gaps


def geoms(*formes: shapely.Geometry | None) -> np.ndarray:
    resultat = np.empty(len(formes), dtype=object)
    resultat[:] = formes
    return resultat


def test_projection_of_the_origin_and_back() -> None:
    # 3° E, 46.5° N is the origin of Lambert-93: x0 = 700 000 m, y0 = 6 600 000 m (IGN, NTG 87).
    (point,) = project(geoms(shapely.Point(3, 46.5, 12)), 4326)
    assert (point.x, point.y) == pytest.approx((700_000, 6_600_000), abs=1e-6)
    assert not point.has_z
    (retour,) = to_degrees(geoms(point), 2154)
    assert (retour.x, retour.y) == pytest.approx((3, 46.5), abs=1e-9)


def test_shared_vertices_stay_shared() -> None:
    xy = np.random.default_rng(1).uniform((-4, 42), (8, 51), size=(200, 2))
    a, b = project(geoms(shapely.MultiPoint(xy), shapely.MultiPoint(xy[::-1])), 4326)
    np.testing.assert_array_equal(shapely.get_coordinates(a), shapely.get_coordinates(b)[::-1])


@pytest.mark.parametrize("source", ["EPSG:1", "latin", 0])
def test_unknown_reference(source: str | int) -> None:
    with pytest.raises(ReferenceInconnue, match="inconnu"):
        project(geoms(shapely.Point(0, 0)), source)


def test_degrees() -> None:
    assert is_degrees(4326) and is_degrees("EPSG:4171") and not is_degrees(2154)


@pytest.mark.parametrize(
    ("lon", "lat", "dehors"),
    [
        (4.4, 45.4, False),
        (9.5, 47.2, False),
        (1.5, 42.5, False),
        (9.2, 41.9, False),
        (-61.5, 16.2, True),
        (55, -21, True),
    ],
)
def test_where_lambert_93_may_be_used(lon: float, lat: float, dehors: bool) -> None:
    assert outside_2154(geoms(shapely.Point(lon, lat), None)).tolist() == [dehors, False]


def test_what_is_not_a_number_is_nowhere() -> None:
    nulle_part = geoms(shapely.Point(float("nan"), 45), shapely.Point(), None, shapely.Point(float("inf"), 45))
    assert outside_2154(nulle_part).tolist() == [True, False, False, True]


def test_repair_keeps_what_is_valid_and_says_what_it_did() -> None:
    carre = shapely.box(0, 0, 10, 10)
    # A spike of no width: nothing is lost by taking it off.
    epine = shapely.Polygon([(0, 0), (10, 0), (10, 10), (10, 20), (10, 10), (0, 10)])
    papillon = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    ligne = shapely.Polygon([(0, 0), (10, 0), (0, 0)])
    resultat = repair(geoms(carre, epine, papillon, None, ligne))
    assert [g.geom_type if g else None for g in resultat.geoms] == ["MultiPolygon"] * 3 + [None, None]
    assert resultat.reparee.tolist() == [False, True, True, False, True]
    assert resultat.geoms[0].equals(carre) and resultat.geoms[1].equals(carre)
    assert resultat.raison[0] == "" and "intersection" in resultat.raison[2].lower()
    assert resultat.changement[1] < CHANGEMENT_MAX < resultat.changement[2]
    assert np.isinf(resultat.changement[4])
    assert all(shapely.is_valid(g) for g in resultat.geoms if g is not None)


def test_union_fills_slivers_and_keeps_enclaves() -> None:
    gauche = shapely.Polygon([(0, 0), (1000, 0), (1000, 1000), (0, 1000)])
    # The right neighbour bends 10 cm away: a sliver of 50 m² and 1 km, and a true hole of 100 m x 100 m.
    droite = shapely.Polygon([(1000, 0), (2000, 0), (2000, 1000), (1000, 1000), (1000.1, 500)]).difference(
        shapely.box(1500, 400, 1600, 500)
    )
    ensemble = union(geoms(gauche, droite, shapely.box(0, -1000, 2000, 0), None))
    assert ensemble is not None
    (polygone,) = ensemble.geoms
    assert [round(shapely.Polygon(t).area) for t in polygone.interiors] == [10_000]
    assert union(geoms(None)) is None


def test_sliver() -> None:
    assert sliver(shapely.box(0, 0, 1000, 0.5)) and not sliver(shapely.box(0, 0, 1000, 5))


def _around_a_hole() -> np.ndarray:
    """Four rectangles around an empty square of 100 m."""
    return geoms(
        shapely.box(0, 0, 300, 100), shapely.box(0, 100, 100, 200), shapely.box(200, 100, 300, 200),
        shapely.box(0, 200, 300, 300),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("incompletes", "attribuee"), [([], None), ([1], 1), ([3], 3), ([1, 2], None)], ids=["none", "one", "other", "two"]
)
def test_a_gap_goes_to_the_only_neighbour_with_missing_parts(incompletes: list[int], attribuee: int | None) -> None:
    incomplete = np.isin(np.arange(4), incompletes)
    (lacune,) = find_gaps(_around_a_hole(), incomplete)
    assert lacune.geom.area == pytest.approx(10_000)
    assert (lacune.voisines, lacune.attribuee) == ((0, 1, 2, 3), attribuee)


def test_no_gap_in_a_full_map() -> None:
    plein = np.append(_around_a_hole(), shapely.box(100, 100, 200, 200))
    assert find_gaps(plein, np.ones(5, dtype=bool)) == []
    assert find_gaps(geoms(None), np.array([True])) == []
