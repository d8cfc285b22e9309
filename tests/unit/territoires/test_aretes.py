"""Shared edges: everything is checked on grids of squares, where limits can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from territoires.aretes import limits, shared_edges

COTE = 1000.0


def grid(largeur: int, hauteur: int) -> np.ndarray:
    """Squares of one kilometre, row by row."""
    return np.array(
        [
            shapely.box(COTE * i, COTE * j, COTE * (i + 1), COTE * (j + 1))
            for j in range(hauteur)
            for i in range(largeur)
        ],
        dtype=object,
    )


def by_hand(largeur: int, hauteur: int, owner: np.ndarray) -> dict[tuple[int, int], tuple[float, set[int]]]:
    """Length and squares of the limit of each couple of owners, counting the sides of squares one by one."""
    attendu: dict[tuple[int, int], tuple[float, set[int]]] = {}
    for k in range(largeur * hauteur):
        voisins = ([k + 1] if (k + 1) % largeur else []) + ([k + largeur] if k + largeur < largeur * hauteur else [])
        for v in voisins:
            if owner[k] != owner[v] and owner[k] >= 0 and owner[v] >= 0:
                cle = (min(owner[k], owner[v]), max(owner[k], owner[v]))
                longueur, qui = attendu.get(cle, (0.0, set()))
                attendu[cle] = (longueur + COTE, qui | {k, v})
    return attendu


@given(
    st.integers(2, 5).flatmap(
        lambda w: st.integers(2, 5).flatmap(
            lambda h: st.tuples(
                st.just(w), st.just(h), st.lists(st.integers(-1, 3), min_size=w * h, max_size=w * h), st.randoms()
            )
        )
    )
)
def test_limits_of_any_map_are_those_counted_by_hand(cas: tuple) -> None:
    largeur, hauteur, owners, hasard = cas
    geoms, owner = grid(largeur, hauteur), np.array(owners, dtype=np.int64)
    # Neither the order of the polygons, nor where their rings start, nor their direction may matter.
    ordre = list(range(len(geoms)))
    hasard.shuffle(ordre)
    tournes = np.array([shapely.Polygon(list(np.roll(geoms[k].exterior.coords[:-1], k, axis=0))) for k in ordre])
    tournes[::2] = shapely.reverse(tournes[::2])
    trouvees = limits(shared_edges(tournes), owner[ordre])
    obtenu = {
        (li.a, li.b): (pytest.approx(li.longueur_m), {ordre[k] for k in li.longueur_par_polygone}) for li in trouvees
    }
    attendu = by_hand(largeur, hauteur, owner)
    assert obtenu.keys() == attendu.keys()
    for cle, (longueur, qui) in attendu.items():
        assert obtenu[cle] == (longueur, qui)
    for li in trouvees:
        assert li.geom.length == pytest.approx(li.longueur_m)
        assert sum(li.longueur_par_polygone.values()) == pytest.approx(2 * li.longueur_m)
        assert li.longueur_approchee_m == 0


def test_a_corner_is_no_limit() -> None:
    assert limits(shared_edges(grid(2, 2)[[0, 3]]), np.array([0, 1])) == []


def test_an_enclave_and_its_ring() -> None:
    trou = shapely.box(300, 300, 700, 700)
    autour = shapely.box(0, 0, 1000, 1000).difference(trou)
    (limite,) = limits(shared_edges(np.array([shapely.MultiPolygon([autour]), trou])), np.array([0, 1]))
    assert limite.longueur_m == pytest.approx(1600)
    assert len(limite.geom.geoms) == 1 and limite.geom.geoms[0].is_ring


def test_missing_polygons_have_no_limit() -> None:
    geoms = np.array([shapely.box(0, 0, 1, 1), None, shapely.MultiPolygon()], dtype=object)
    assert limits(shared_edges(geoms), np.array([0, 1, 2])) == []


def test_drawings_that_differ_are_matched_within_the_tolerance_only_and_said() -> None:
    # South of y = 1000 one edge; north two polygons meet it with a vertex 20 cm off the line.
    sud = shapely.box(0, 0, 2000, 1000)
    ouest = shapely.Polygon([(0, 1000), (1000, 1000.2), (1000, 2000), (0, 2000)])
    est = shapely.Polygon([(1000, 1000.2), (2000, 1000), (2000, 2000), (1000, 2000)])
    geoms, owner = np.array([sud, ouest, est]), np.array([0, 1, 1])
    assert limits(shared_edges(geoms, tolerance_m=0), owner) == []
    (limite,) = limits(shared_edges(geoms), owner)
    assert limite.longueur_m == pytest.approx(2000, abs=1)
    assert limite.longueur_approchee_m == limite.longueur_m
    assert set(limite.longueur_par_polygone) == {0, 1, 2}


@pytest.mark.parametrize(("ecart", "trouve"), [(0.5, True), (5.0, False)])
def test_neighbours_farther_than_the_tolerance_are_not_neighbours(ecart: float, trouve: bool) -> None:
    geoms = np.array([shapely.box(0, 0, 1000, 1000), shapely.box(1000 + ecart, 0, 2000, 1000)])
    assert bool(limits(shared_edges(geoms), np.array([0, 1]))) is trouve


def test_edges_of_three_polygons_are_counted() -> None:
    carre = shapely.box(0, 0, 10, 10)
    assert shared_edges(np.array([carre, carre, carre])).multiples == 4
