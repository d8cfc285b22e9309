"""Which road classes a zoom draws, and which level of detail it reads."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geodata.classes import Classe
from geodata.generalisation import (
    CLASSE_MINIMALE,
    NIVEAUX,
    TRONCONS_PAR_TUILE,
    ZOOM_MAX,
    ZOOM_MIN,
    first_zooms,
    level_of,
)

RIEN = np.zeros((0, 4), dtype=np.int64)


def test_levels_cover_every_zoom_once() -> None:
    zooms = [zoom for niveau in NIVEAUX for zoom in range(niveau.zoom_min, niveau.zoom_max + 1)]
    assert zooms == list(range(ZOOM_MIN, ZOOM_MAX + 1))
    for zoom in zooms:
        niveau = level_of(zoom)
        assert niveau.zoom_min <= zoom <= niveau.zoom_max
    assert level_of(0) is NIVEAUX[0]


def test_tolerance_is_half_a_pixel() -> None:
    # Zoom 14 drawn 512 px wide: 40,075,016.7 m / 2^14 / 512 = 4.78 m a pixel.
    assert abs(level_of(14).tolerance_m - 2.389) < 0.001


def test_sparse_network_shows_all_of_it_from_afar() -> None:
    compte = np.array([[int(c), 8400, 5900, 10] for c in Classe], dtype=np.int64)
    assert set(first_zooms(compte).values()) == {ZOOM_MIN}
    assert set(first_zooms(RIEN).values()) == {ZOOM_MIN}


def test_dense_network_shows_no_more_than_the_table_says() -> None:
    compte = np.array([[int(c), 8400, 5900, TRONCONS_PAR_TUILE + 1] for c in Classe], dtype=np.int64)
    shown = first_zooms(compte)
    for zoom, minimale in CLASSE_MINIMALE.items():
        assert {c for c, z in shown.items() if z <= zoom} == {c for c in Classe if c <= minimale}
    assert max(shown.values()) == ZOOM_MAX - 1


comptes = st.lists(
    st.tuples(st.sampled_from(list(Classe)), st.integers(8000, 8063), st.integers(5900, 5963), st.integers(1, 4000)),
    max_size=60,
)


@given(comptes)
def test_a_busier_class_never_comes_after_a_lesser_one(lignes: list[tuple[int, int, int, int]]) -> None:
    shown = first_zooms(np.array([list(map(int, ligne)) for ligne in lignes], dtype=np.int64).reshape(-1, 4))
    zooms = [shown[c] for c in sorted(Classe)]
    assert zooms == sorted(zooms)
    assert all(ZOOM_MIN <= z <= ZOOM_MAX - 1 for z in zooms)


@given(comptes)
def test_added_classes_keep_tiles_within_the_budget(lignes: list[tuple[int, int, int, int]]) -> None:
    compte = np.array([list(map(int, ligne)) for ligne in lignes], dtype=np.int64).reshape(-1, 4)
    shown = first_zooms(compte)
    for zoom in range(ZOOM_MIN, ZOOM_MAX - 1):
        last = max((c for c, z in shown.items() if z <= zoom), default=None)
        if last is None or last <= CLASSE_MINIMALE.get(zoom, max(Classe)):
            continue
        tuiles: dict[tuple[int, int], int] = {}
        for classe, x, y, n in compte.tolist():
            if classe <= last:
                tuile = (x >> (ZOOM_MAX - zoom), y >> (ZOOM_MAX - zoom))
                tuiles[tuile] = tuiles.get(tuile, 0) + n
        assert max(tuiles.values(), default=0) <= TRONCONS_PAR_TUILE
