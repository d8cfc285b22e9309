"""The generated network: valid, of one piece, planar, hierarchical, the same everywhere, and said to be fictive."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.classes import Acces, Classe, Gestion
from geodata.reseau import COLONNES_NOEUD, COLONNES_TRONCON, TableauxReseau, validate
from territoires.demonstration.routes import VERSION_DESSIN, generate_roads
from territoires.demonstration.semis import CommuneSource
from tests.unit.territoires.fabrique_demonstration import chequerboard


@pytest.fixture(scope="module")
def communes() -> list[CommuneSource]:
    return chequerboard(10, 4)


@pytest.fixture(scope="module")
def reseau(communes: list[CommuneSource]) -> TableauxReseau:
    return generate_roads(communes, seed=3)


def strong_components(r: TableauxReseau) -> int:
    """Number of parts within which one may drive from anywhere to anywhere, one-way streets respected."""
    both = ~r.sens_unique
    start, end = np.r_[r.source, r.cible[both]], np.r_[r.cible, r.source[both]]
    graph = coo_array((np.ones(len(start)), (start, end)), shape=(r.n_noeuds, r.n_noeuds))
    return int(connected_components(graph.tocsr(), directed=True, connection="strong")[0])


def lines(r: TableauxReseau) -> NDArray[np.object_]:
    x, y = Transformer.from_crs(4326, 2154, always_xy=True).transform(r.geom_x, r.geom_y)
    return np.asarray(
        shapely.linestrings(np.column_stack([x, y]), indices=np.repeat(np.arange(r.n_troncons), np.diff(r.geom_debut)))
    )


def assert_same(one: TableauxReseau, other: TableauxReseau) -> None:
    for name in (*COLONNES_NOEUD, *COLONNES_TRONCON, "geom_debut", "geom_x", "geom_y"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert one.textes == other.textes


def test_one_piece_even_with_one_way_streets(reseau: TableauxReseau) -> None:
    assert reseau.sens_unique.sum() > 20
    assert strong_components(reseau) == 1


def crossings_without_bridge(r: TableauxReseau) -> int:
    """Pairs of roads that cross elsewhere than at a node, neither being on a bridge."""
    drawn = lines(r)
    one, other = shapely.STRtree(drawn).query(drawn, predicate="crosses")
    return int(((one < other) & ~r.pont[one] & ~r.pont[other]).sum())


def test_no_road_crosses_another_without_a_node_or_a_bridge(reseau: TableauxReseau) -> None:
    assert crossings_without_bridge(reseau) == 0
    assert shapely.is_simple(lines(reseau)).all()


def test_fast_road_is_reached_by_slip_roads_only(reseau: TableauxReseau) -> None:
    fast = (reseau.classe <= int(Classe.VOIE_RAPIDE)) & ~reseau.bretelle
    assert fast.sum() > 4
    assert reseau.bretelle.sum() >= 4
    assert reseau.sens_unique[fast].all()
    assert set(reseau.gestion[fast]) <= {int(Gestion.AUTOROUTE), int(Gestion.NATIONALE)}
    assert (reseau.vmax_aller[fast] >= 110).all()
    assert not (reseau.acces[fast] & int(Acces.PIETON)).any()
    on_it = set(np.r_[reseau.source[fast], reseau.cible[fast]].tolist())
    for k in np.flatnonzero(~fast & ~reseau.bretelle).tolist():
        assert not {int(reseau.source[k]), int(reseau.cible[k])} & on_it
    # Only ordinary roads are on bridges over it.
    drawn = lines(reseau)
    over, _ = shapely.STRtree(drawn[fast]).query(drawn[~fast & ~reseau.bretelle], predicate="crosses")
    assert len(over) > 4
    assert reseau.pont[np.flatnonzero(~fast & ~reseau.bretelle)[over]].all()
    assert reseau.longueur_m[reseau.pont].max() < 400


def test_drawings_start_and_end_at_their_nodes(reseau: TableauxReseau) -> None:
    first, last = reseau.geom_debut[:-1], reseau.geom_debut[1:] - 1
    for drawn, node in ((reseau.geom_x, reseau.noeud_x), (reseau.geom_y, reseau.noeud_y)):
        np.testing.assert_array_equal(drawn[first], node[reseau.source])
        np.testing.assert_array_equal(drawn[last], node[reseau.cible])


def test_length_is_that_of_the_drawing(reseau: TableauxReseau) -> None:
    # Lambert 93 stretches by less than 1 in 1,000 there; drawn length and great circle differ by no more than that.
    np.testing.assert_allclose(reseau.longueur_m, shapely.length(lines(reseau)), rtol=4e-3, atol=0.05)


def test_every_mairie_is_on_the_network(communes: list[CommuneSource], reseau: TableauxReseau) -> None:
    points = shapely.points([c.x for c in communes], [c.y for c in communes])
    gap = shapely.distance(points, shapely.multilinestrings([lines(reseau)])[0])
    assert gap.max() < 5.0


def test_hierarchy(reseau: TableauxReseau) -> None:
    km = {classe: float(reseau.longueur_m[reseau.classe == int(classe)].sum()) / 1000 for classe in Classe}
    assert 0 < km[Classe.PRIMAIRE] < km[Classe.TERTIAIRE]
    assert km[Classe.SECONDAIRE] > 0
    assert km[Classe.RESIDENTIELLE] > 0
    area_km2 = 40 * 4.5**2
    departmental = float(reseau.longueur_m[reseau.classe <= int(Classe.TERTIAIRE)].sum()) / 1000
    assert 0.5 < departmental / area_km2 < 1.1
    # Primary roads join both towns: they are of one piece.
    main = reseau.classe == int(Classe.PRIMAIRE)
    graph = coo_array((np.ones(main.sum()), (reseau.source[main], reseau.cible[main])), shape=(reseau.n_noeuds,) * 2)
    _, part = connected_components(graph.tocsr(), directed=False)
    assert len({int(part[k]) for k in reseau.source[main]}) == 1


def test_numbers_tell_the_manager_and_are_borne_by_one_road_in_a_departement(reseau: TableauxReseau) -> None:
    numbered = reseau.classe <= int(Classe.TERTIAIRE)
    assert (reseau.ref[numbered & ~reseau.bretelle] > 0).all()
    assert (reseau.gestion[numbered] != int(Gestion.COMMUNALE)).all()
    assert (reseau.gestion[~numbered] == int(Gestion.COMMUNALE)).all()
    roads = [k for k, text in enumerate(reseau.textes) if text.startswith("D ")]
    assert len(roads) > 5
    rings = reseau.voie_id // 1_000_000_000 == 2
    for k in roads:
        # A roundabout bears the number of one of its roads and joins the others' pieces too.
        mine = np.flatnonzero(reseau.ref == k)
        joined = np.union1d(mine, np.flatnonzero(rings))
        ends = (reseau.source[joined], reseau.cible[joined])
        graph = coo_array((np.ones(len(joined)), ends), shape=(reseau.n_noeuds, reseau.n_noeuds))
        _, part = connected_components(graph.tocsr(), directed=False)
        pieces = len(np.unique(part[reseau.source[mine]]))
        # One in each département.
        assert pieces <= 2, f"{reseau.textes[k]} en {pieces} morceaux"


def test_every_name_says_fictif(reseau: TableauxReseau) -> None:
    assert (reseau.nom > 0).all()
    for k in np.unique(reseau.nom):
        assert reseau.textes[k].endswith("(fictif)")


def test_an_impasse_is_a_dead_end(reseau: TableauxReseau) -> None:
    degree = np.bincount(np.r_[reseau.source, reseau.cible], minlength=reseau.n_noeuds)
    impasses = [k for k, text in enumerate(reseau.textes) if text.startswith("Impasse ")]
    assert impasses
    for k in impasses:
        edges = np.flatnonzero(reseau.nom == k)
        for way in np.unique(reseau.voie_id[edges]):
            mine = edges[reseau.voie_id[edges] == way]
            assert degree[np.r_[reseau.source[mine], reseau.cible[mine]]].min() == 1


def test_pieces_of_a_way_are_in_order(reseau: TableauxReseau) -> None:
    ways = list(zip(reseau.voie_id.tolist(), reseau.rang.tolist(), strict=True))
    assert len(set(ways)) == len(ways)
    order = np.lexsort((reseau.rang, reseau.voie_id))
    # Along a numbered road the end of a piece is the start of the next, except across a roundabout.
    road = order[(reseau.voie_id[order] < 1_000_000_000)]
    follows = reseau.voie_id[road][1:] == reseau.voie_id[road][:-1]
    joined = reseau.cible[road[:-1]] == reseau.source[road[1:]]
    assert joined[follows].mean() > 0.9


def test_roundabouts_turn_anticlockwise(reseau: TableauxReseau) -> None:
    rings = reseau.voie_id // 1_000_000_000 == 2
    assert rings.any()
    assert reseau.sens_unique[rings].all()
    drawn = lines(reseau)
    for way in np.unique(reseau.voie_id[rings]):
        arcs = np.flatnonzero(reseau.voie_id == way)
        points = np.concatenate([shapely.get_coordinates(drawn[k])[:-1] for k in arcs[np.argsort(reseau.rang[arcs])]])
        assert shapely.is_ccw(shapely.linearrings(points))


def test_same_network_whatever_the_order_of_communes(communes: list[CommuneSource], reseau: TableauxReseau) -> None:
    assert_same(reseau, generate_roads(communes[::-1], seed=3))


def test_another_seed_another_network(communes: list[CommuneSource], reseau: TableauxReseau) -> None:
    other = generate_roads(communes, seed=4)
    assert other.n_troncons != reseau.n_troncons or not np.array_equal(other.geom_x, reseau.geom_x)


def test_progress_rises_to_one(communes: list[CommuneSource]) -> None:
    told: list[float] = []
    generate_roads(communes[:6], seed=1, progress=lambda f, _: told.append(f))
    assert told == sorted(told)
    assert told[-1] == 1.0


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    places=st.lists(
        st.tuples(
            st.integers(0, 14_000), st.integers(0, 14_000), st.integers(0, 9_000), st.sampled_from(["2A", "973"])
        ),
        min_size=1,
        max_size=9,
    ),
    seed=st.integers(0, 2**31),
)
def test_any_communes_give_a_valid_network_of_one_piece(places: list[tuple[int, int, int, str]], seed: int) -> None:
    """Mairies in line, at one place, without inhabitants, in far apart départements, without outline."""
    communes = [
        CommuneSource(f"{d}{k:03d}", f"La Commune {k}", d, population, 900_000.0 + x, 6_300_000.0 + y)
        for k, (x, y, population, d) in enumerate(places)
    ]
    r = generate_roads(communes, seed=seed)
    validate(r)
    assert strong_components(r) == 1
    assert (r.longueur_m > 0).all()
    assert crossings_without_bridge(r) == 0


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(ValueError, match="Aucune commune"):
        generate_roads([])


def test_a_code_given_twice_is_said(communes: list[CommuneSource]) -> None:
    with pytest.raises(ValueError, match="même code"):
        generate_roads([communes[0], communes[0]])


#: What each version draws, told to about a metre: the same on every machine. A change of drawing needs a new version,
#: so that a demonstration made before is drawn again.
DESSINS = {1: "fb0ec6cce874a706"}


def test_version_names_the_drawing(reseau: TableauxReseau) -> None:
    digest = hashlib.sha256()
    for name in ("source", "cible", "classe", "sens_unique", "pont", "ref", "voie_id", "rang", "geom_debut"):
        digest.update(np.ascontiguousarray(getattr(reseau, name)).astype(np.int64).tobytes())
    for coordinates in (reseau.geom_x, reseau.geom_y):
        digest.update(np.round(coordinates * 1e5).astype(np.int64).tobytes())
    assert digest.hexdigest()[:16] == DESSINS[VERSION_DESSIN]
