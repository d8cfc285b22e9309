"""Cutting at limits: nothing lost, nothing across, every piece in one area."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.classes import Classe
from geodata.decoupe import cut, points_passage, project
from geodata.erreurs import ImportImpossible
from geodata.reseau import TableauxReseau, validate
from tests.unit.geodata.fabrique import network

OUEST = ("A", shapely.box(0, 0, 1000, 1000))
EST = ("B", shapely.box(1000, 0, 2000, 1000))
#: A limit that is no straight line, shared exactly.
_BORD = [(1000.0, 0.0), (1100.0, 250.0), (900.0, 500.0), (1050.0, 750.0), (1000.0, 1000.0)]
OUEST_D = ("A", shapely.Polygon([(0, 0), *_BORD, (0, 1000)]))
EST_D = ("B", shapely.Polygon([(2000, 0), *_BORD, (2000, 1000)]))


def line_of(reseau: TableauxReseau, k: int) -> shapely.LineString:
    d, f = reseau.geom_debut[k : k + 2]
    return shapely.LineString(np.column_stack([reseau.geom_x[d:f], reseau.geom_y[d:f]]))


def departments(reseau: TableauxReseau) -> list[str]:
    return [reseau.decoupage[d] if d >= 0 else "" for d in reseau.departement]


def test_edge_across_becomes_two_pieces() -> None:
    avant = network(
        [[(400, 500), (1400, 500)]], rang=np.array([3], dtype=np.int32), longueur_m=np.array([1010.0], "f4")
    )
    apres = cut(avant, [OUEST, EST])
    validate(apres)
    assert departments(apres) == ["A", "B"]
    assert apres.longueur_m.tolist() == pytest.approx([606, 404])
    assert apres.noeud_passage.tolist() == [False, False, True]
    assert (apres.noeud_x[2], apres.noeud_y[2]) == (1000, 500)
    assert apres.noeud_id[2] < 0
    assert (apres.source.tolist(), apres.cible.tolist()) == ([0, 2], [2, 1])
    assert apres.rang.tolist() == [0, 1]
    (point,) = points_passage(apres)
    assert (point.departement_a, point.departement_b, point.noeud) == ("A", "B", 2)


def test_area_in_several_parts_with_a_hole() -> None:
    trou = shapely.box(400, 400, 600, 600)
    parties = ("A", shapely.MultiPolygon([OUEST[1].difference(trou), shapely.box(3000, 0, 4000, 1000)]))
    apres = cut(network([[(300, 500), (700, 500)], [(2900, 500), (3100, 500)]]), [parties, ("B", trou)])
    assert departments(apres) == ["A", "B", "A", "", "A"]
    assert len(points_passage(apres)) == 2


def test_same_cut_has_the_same_identifier() -> None:
    lignes = [[(400, 500), (1400, 500)], [(200, 100), (1300, 130)]]
    un = cut(network(lignes), [OUEST, EST])
    deux = cut(network(lignes[::-1]), [EST, OUEST])
    assert set(un.noeud_id[un.noeud_id < 0]) == set(deux.noeud_id[deux.noeud_id < 0])


def test_two_roads_one_above_the_other_stay_apart() -> None:
    apres = cut(network([[(400, 500), (1400, 500)], [(500, 0), (1500, 1000)]]), [OUEST, EST])
    validate(apres)
    assert apres.n_noeuds == 6 and len(set(apres.noeud_id)) == 6


def test_several_crossings() -> None:
    apres = cut(network([[(900, 100), (1100, 200), (900, 300), (1100, 400)]]), [OUEST, EST])
    assert departments(apres) == ["A", "B", "A", "B"]
    assert len(points_passage(apres)) == 3


def test_crossing_at_an_inner_vertex_is_written_once() -> None:
    apres = cut(network([[(900, 100), (1000, 150), (1100, 100)]]), [OUEST, EST])
    assert [line_of(apres, k).coords[:] for k in range(2)] == [
        [(900, 100), (1000, 150)],
        [(1000, 150), (1100, 100)],
    ]


def test_touching_is_not_crossing() -> None:
    apres = cut(network([[(900, 100), (1000, 150), (900, 200)]]), [OUEST, EST])
    assert departments(apres) == ["A"]
    assert not apres.noeud_passage.any()


def test_crossing_at_a_node() -> None:
    apres = cut(network([[(900, 100), (1000, 150)], [(1000, 150), (1100, 100)]]), [OUEST, EST])
    assert apres.n_noeuds == 3
    assert departments(apres) == ["A", "B"]
    assert apres.noeud_passage.tolist() == [False, True, False]


def test_narrow_gap_between_outlines_is_no_third_place() -> None:
    est = ("B", shapely.box(1001, 0, 2000, 1000))
    apres = cut(network([[(400, 500), (1400, 500)], [(900, 700), (1000.5, 700)]]), [OUEST, est])
    assert departments(apres) == ["A", "B", "A", ""]
    (point,) = points_passage(apres)
    assert (point.x, point.departement_a, point.departement_b) == (1001, "A", "B")
    large = ("B", shapely.box(1010, 0, 2000, 1000))
    assert departments(cut(network([[(400, 500), (1400, 500)]]), [OUEST, large])) == ["A", "", "B"]


def test_outside_and_outer_limit() -> None:
    apres = cut(network([[(-500, 500), (500, 500)], [(-10, -10), (-20, -30)]]), [OUEST, EST])
    assert departments(apres) == ["", "A", ""]
    assert not apres.noeud_passage.any(), "the outer limit has no point de passage"


def test_no_area_only_projects() -> None:
    apres = cut(network([[(4.0, 45.5), (4.1, 45.5)]], srid=4326), [])
    assert apres.srid == 2154 and apres.departement.tolist() == [-1]
    assert apres.noeud_x[0] == pytest.approx(778_000, abs=1500)
    # A node is exactly where the lines that end there end.
    assert apres.geom_x[0] == apres.noeud_x[0] and apres.geom_y[-1] == apres.noeud_y[1]


@pytest.mark.parametrize(("y", "attendu"), [(0.0, True), (4.0, True), (40.0, False)])
def test_road_along_the_limit_is_mitoyenne(y: float, attendu: bool) -> None:
    # The limit is the line y = 0 between north and south.
    nord, sud = ("N", shapely.box(-1000, 0, 1000, 500)), ("S", shapely.box(-1000, -500, 1000, 0))
    apres = cut(network([[(-300, y), (0, y + 1), (300, y)]]), [nord, sud])
    assert apres.mitoyenne.tolist() == [attendu]
    assert departments(apres) == ["N"]
    if attendu:
        assert apres.decoupage[apres.departement_gauche[0]] == "N"
        assert apres.decoupage[apres.departement_droite[0]] == "S"
    else:
        assert apres.departement_gauche.tolist() == apres.departement_droite.tolist() == [0]


@pytest.mark.parametrize(("y", "attendu"), [(5.0, "N"), (-5.0, "S")])
def test_mitoyenne_road_belongs_to_the_area_that_holds_its_middle(y: float, attendu: str) -> None:
    nord, sud = ("N", shapely.box(-1000, 0, 1000, 500)), ("S", shapely.box(-1000, -500, 1000, 0))
    for trace in ([(-300, y), (300, y)], [(300, y), (-300, y)]):
        apres = cut(network([trace]), [nord, sud])
        assert apres.mitoyenne.tolist() == [True] and departments(apres) == [attendu]


def test_mitoyenne_road_that_wiggles_is_not_cut() -> None:
    nord, sud = ("N", shapely.box(-1000, 0, 1000, 500)), ("S", shapely.box(-1000, -500, 1000, 0))
    zigzag = [(x, 3 if x % 100 else -3) for x in range(-300, 301, 50)]
    apres = cut(network([zigzag, [(300, -3), (310, 400)]]), [nord, sud])
    assert apres.mitoyenne.tolist()[0] and apres.n_troncons == 3
    # Turned round, left and right change places.
    renverse = cut(network([zigzag[::-1]]), [nord, sud])
    assert (renverse.departement_gauche[0], renverse.departement_droite[0]) == (
        apres.departement_droite[0],
        apres.departement_gauche[0],
    )


def test_short_road_across_is_not_mitoyenne() -> None:
    nord, sud = ("N", shapely.box(-1000, 0, 1000, 500)), ("S", shapely.box(-1000, -500, 1000, 0))
    apres = cut(network([[(0, -8), (0, 8)]]), [nord, sud])
    assert not apres.mitoyenne.any() and departments(apres) == ["S", "N"]


def test_mitoyenne_with_the_outside_belongs_to_the_inside() -> None:
    apres = cut(network([[(100, -4), (900, -4)]]), [OUEST, EST])
    assert apres.mitoyenne.tolist() == [True] and departments(apres) == ["A"]
    assert {int(apres.departement_gauche[0]), int(apres.departement_droite[0])} == {0, -1}


def test_point_de_passage_tells_the_busiest_road() -> None:
    apres = cut(
        network(
            [[(900, 100), (1000, 150)], [(1000, 150), (1100, 100)], [(1000, 150), (1200, 300)]],
            classe=np.array([Classe.LOCALE, Classe.PRIMAIRE, Classe.TERTIAIRE], dtype=np.int8),
            textes=("", "D 498"),
            ref=np.array([0, 1, 0], dtype=np.int32),
        ),
        [OUEST, EST],
    )
    (point,) = points_passage(apres)
    assert (point.ref, point.classe) == ("D 498", Classe.PRIMAIRE)


def test_three_areas_at_one_node_give_three_pairs() -> None:
    haut = ("C", shapely.Polygon([(0, 1000), (1000, 1000), (2000, 1000), (2000, 2000), (0, 2000)]))
    apres = cut(
        network([[(900, 900), (1000, 1000)], [(1000, 1000), (1100, 900)], [(1000, 1000), (1000, 1100)]]),
        [OUEST, EST, haut],
    )
    assert [(p.departement_a, p.departement_b) for p in points_passage(apres)] == [("A", "B"), ("A", "C"), ("B", "C")]


def test_ranks_follow_each_other_within_a_way() -> None:
    voie = np.array([7, 7, 8], dtype=np.int64)
    avant = network(
        [[(900, 100), (1100, 100)], [(1100, 100), (1200, 100)], [(0, 0), (5, 5)]],
        voie_id=voie,
        rang=np.array([0, 1, 0], dtype=np.int32),
    )
    apres = cut(avant, [OUEST, EST])
    assert list(zip(apres.voie_id.tolist(), apres.rang.tolist(), strict=True)) == [(7, 0), (7, 1), (7, 2), (8, 0)]


def test_bad_polygon_and_bad_coordinates_are_told() -> None:
    noeud_papillon = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    with pytest.raises(ImportImpossible, match=r"Contour de « 42 » inutilisable : Self-intersection"):
        cut(network([[(0, 0), (1, 1)]]), [("42", noeud_papillon)])
    with pytest.raises(ImportImpossible, match=r"Contour de « 43 » inutilisable"):
        cut(network([[(0, 0), (1, 1)]]), [("43", shapely.Polygon())])
    with pytest.raises(ImportImpossible, match="hors du domaine"):
        project(network([[(800_000, 6_500_000), (800_100, 6_500_000)]], srid=4326))


_coordonnee = st.integers(-100, 2100).map(float)
_lignes = st.lists(
    st.lists(st.tuples(_coordonnee, _coordonnee), min_size=2, max_size=6, unique=True), min_size=1, max_size=8
)


@settings(deadline=None, max_examples=150)
@given(_lignes)
def test_invariants(lignes: list[list[tuple[float, float]]]) -> None:
    avant = network(lignes)
    aires = [OUEST_D, EST_D]
    apres = cut(avant, aires)
    validate(apres)
    # Lengths: the total, and that of each way.
    assert apres.longueur_m.sum(dtype=float) == pytest.approx(avant.longueur_m.sum(dtype=float), rel=1e-5)
    for k, voie in enumerate(avant.voie_id):
        pieces = apres.voie_id == voie
        assert apres.longueur_m[pieces].sum(dtype=float) == pytest.approx(float(avant.longueur_m[k]), rel=1e-5)
        assert sorted(apres.rang[pieces]) == list(range(pieces.sum()))
    for k in range(apres.n_troncons):
        ligne = line_of(apres, k)
        # Drawn from its first node to its last.
        assert ligne.coords[0] == (apres.noeud_x[apres.source[k]], apres.noeud_y[apres.source[k]])
        assert ligne.coords[-1] == (apres.noeud_x[apres.cible[k]], apres.noeud_y[apres.cible[k]])
        if apres.mitoyenne[k]:
            continue
        # Nothing of it inside any other area than its own.
        for i, (_, polygone) in enumerate(aires):
            dedans = _length_in(ligne, polygone)
            if i == apres.departement[k]:
                assert dedans == pytest.approx(ligne.length, abs=0.25)
            else:
                assert dedans <= 0.25 or _along(ligne, polygone)
    # What was drawn is still drawn, in the same order; only cuts were added.
    for k, voie in enumerate(avant.voie_id):
        pieces = np.flatnonzero(apres.voie_id == voie)
        sommets = [p for i in pieces[np.argsort(apres.rang[pieces])] for p in line_of(apres, int(i)).coords]
        suite = iter(sommets)
        assert all(p in suite for p in lignes[k])
        ajoutes = [p for p in sommets if p not in lignes[k]]
        assert all(line_of(avant, k).distance(shapely.Point(p)) < 1e-6 for p in ajoutes)
    # A point de passage has two areas around it, and nothing else has.
    for noeud in range(apres.n_noeuds):
        autour = set(apres.departement[(apres.source == noeud) | (apres.cible == noeud)].tolist()) - {-1}
        assert bool(apres.noeud_passage[noeud]) == (len(autour) >= 2)


def _length_in(ligne: shapely.LineString, polygone: shapely.Polygon) -> float:
    """Length inside the polygon, segment by segment: a line that comes back over itself counts twice."""
    segments = shapely.linestrings(
        np.stack([shapely.get_coordinates(ligne)[:-1], shapely.get_coordinates(ligne)[1:]], 1)
    )
    return float(shapely.length(shapely.intersection(segments, polygone)).sum())


def _along(ligne: shapely.LineString, polygone: shapely.Polygon) -> bool:
    """The common part lies on the polygon's edge (a road exactly on a limit is in both)."""
    return shapely.intersection(ligne, polygone).difference(polygone.boundary.buffer(0.01)).length <= 0.25
