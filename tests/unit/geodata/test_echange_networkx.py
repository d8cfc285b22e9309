"""Networks to OSMnx's graphs and back; OSMnx's own functions work on them."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import networkx as nx
import numpy as np
import osmnx as ox
import pytest

from geodata.classes import Acces, Classe
from geodata.decoupe import cut
from geodata.echange_networkx import GrapheInattendu, from_networkx, to_networkx
from geodata.lecture_osm import read_osm
from geodata.reseau import TableauxReseau, validate
from tests.unit.geodata.fabrique import network
from tests.unit.geodata.osm_xml import osm_xml
from tests.unit.geodata.test_decoupe import EST, OUEST


@pytest.fixture
def reseau(tmp_path: Path) -> TableauxReseau:
    chemin = osm_xml(
        tmp_path / "r.osm",
        {
            1: ([0, 1, 2, 3], {"highway": "primary", "ref": "D 500", "maxspeed": "80", "maxspeed:backward": "50"}),
            2: (
                [2, 12, 13],
                {"highway": "residential", "name": "Rue Haute", "oneway": "-1", "lanes": "1", "width": "3"},
            ),
            3: ([13, 3], {"highway": "motorway_link", "oneway": "yes", "bridge": "yes", "surface": "asphalt"}),
            4: ([12, 22, 23, 13, 12], {"highway": "service", "access": "private", "maxheight": "2.1", "hgv": "no"}),
            5: ([3, 4, 5], {"highway": "tertiary", "maxweight": "3.5", "tunnel": "yes"}),
            6: ([3, 14, 5], {"highway": "tertiary", "motor_vehicle": "no"}),
        },
    )
    return read_osm([chemin])


def test_graph_has_what_osmnx_expects(reseau: TableauxReseau) -> None:
    graphe = to_networkx(reseau)
    assert isinstance(graphe, nx.MultiDiGraph)
    assert graphe.graph["crs"] == "epsg:4326"
    assert graphe.number_of_nodes() == reseau.n_noeuds
    assert graphe.number_of_edges() == reseau.n_troncons + np.count_nonzero(~reseau.sens_unique)
    assert graphe.nodes[3]["street_count"] == 4 and graphe.nodes[3]["x"] == 4.003
    aller, retour = graphe.edges[0, 2, 0], graphe.edges[2, 0, 0]
    assert (aller["maxspeed"], retour["maxspeed"]) == ("80", "50")
    assert (aller["reversed"], retour["reversed"]) == (False, True)
    assert list(aller["geometry"].coords) == list(retour["geometry"].coords)[::-1]
    assert aller["ref"] == "D 500" and "name" not in aller
    assert not graphe.has_edge(2, 12), "oneway=-1 goes the other way"
    assert graphe.edges[13, 3, 0]["highway"] == "motorway_link"
    ox.convert.validate_graph(graphe)


def test_osmnx_routing_stats_projection_and_plot(reseau: TableauxReseau) -> None:
    mpl.use("Agg")
    graphe = ox.routing.add_edge_travel_times(ox.routing.add_edge_speeds(to_networkx(reseau)))
    assert graphe.edges[0, 2, 0]["speed_kph"] == 80
    chemin = ox.routing.shortest_path(graphe, 0, 5, weight="travel_time", cpus=1)
    assert chemin == [0, 2, 3, 5]
    stats = ox.stats.basic_stats(graphe)
    assert stats["n"] == reseau.n_noeuds and stats["m"] == graphe.number_of_edges()
    assert stats["street_length_total"] == pytest.approx(float(reseau.longueur_m.sum()), rel=1e-5)
    projete = ox.projection.project_graph(graphe)
    assert projete.graph["crs"].is_projected
    noeuds, aretes = ox.convert.graph_to_gdfs(graphe)
    assert len(aretes) == graphe.number_of_edges() and len(noeuds) == reseau.n_noeuds
    assert ox.distance.nearest_nodes(projete, *_xy(projete, 3)) == 3
    figure, _ = ox.plot.plot_graph(graphe, show=False, close=True)
    assert figure is not None


def _xy(graphe: nx.MultiDiGraph, noeud: int) -> tuple[float, float]:
    return graphe.nodes[noeud]["x"], graphe.nodes[noeud]["y"]


def canonical(reseau: TableauxReseau) -> list[tuple[object, ...]]:
    """Edges as comparable values, whatever their order and, two-way, the direction they are drawn in."""
    lignes = []
    for k in range(reseau.n_troncons):
        d, f = reseau.geom_debut[k : k + 2]
        trace = tuple(zip(reseau.geom_x[d:f].round(9).tolist(), reseau.geom_y[d:f].round(9).tolist(), strict=True))
        vitesses = (round(float(reseau.vmax_aller[k]), 3), round(float(reseau.vmax_retour[k]), 3))
        bouts = (int(reseau.noeud_id[reseau.source[k]]), int(reseau.noeud_id[reseau.cible[k]]))
        if not reseau.sens_unique[k] and (bouts[::-1], trace[::-1]) < (bouts, trace):
            bouts, trace, vitesses = bouts[::-1], trace[::-1], vitesses[::-1]
        if reseau.sens_unique[k]:
            vitesses = (vitesses[0],)  # type: ignore[assignment]
        lignes.append(
            (
                bouts, trace, vitesses, round(float(reseau.longueur_m[k]), 2), bool(reseau.sens_unique[k]),
                int(reseau.classe[k]), bool(reseau.bretelle[k]), int(reseau.gestion[k]), Acces(int(reseau.acces[k])),
                _shown(reseau.tonnage_max_t[k]), _shown(reseau.hauteur_max_m[k]), _shown(reseau.largeur_m[k]),
                int(reseau.voies[k]), bool(reseau.pont[k]), bool(reseau.tunnel[k]), reseau.textes[reseau.ref[k]],
                reseau.textes[reseau.nom[k]], reseau.textes[reseau.revetement[k]], int(reseau.voie_id[k]),
            )
        )  # fmt: skip
    return sorted(lignes, key=str)


def _shown(valeur: np.floating) -> str:
    return f"{valeur:.2f}"


def test_round_trip(reseau: TableauxReseau) -> None:
    revenu = from_networkx(to_networkx(reseau))
    validate(revenu)
    assert canonical(revenu) == canonical(reseau)
    assert revenu.srid == 4326 and not revenu.omis


def test_round_trip_of_a_cut_network_keeps_metres() -> None:
    lignes = [[(400.0, 500.0), (1400.0, 500.0)], [(400.0, 500.0), (300.0, 700.0), (1400.0, 500.0)]]
    avant = network(lignes, textes=("", "D 12"), ref=np.array([1, 1], dtype=np.int32))
    apres = cut(avant, [OUEST, EST])
    graphe = to_networkx(apres)
    assert [d for _, d in graphe.nodes(data="passage") if d] == [True, True]
    assert {d["departement"] for _, _, d in graphe.edges(data=True)} == {"A", "B"}
    revenu = from_networkx(graphe)
    assert revenu.srid == 2154 and canonical(revenu) == canonical(apres)


def test_graph_made_by_osmnx(reseau: TableauxReseau, tmp_path: Path) -> None:
    graphe = ox.graph.graph_from_xml(tmp_path / "r.osm", retain_all=True, simplify=True)
    revenu = from_networkx(graphe)
    validate(revenu)
    # OSMnx merges pieces where only one road goes on: lengths agree, pieces may be fewer.
    assert revenu.longueur_m.sum() == pytest.approx(float(reseau.longueur_m.sum()), rel=1e-5)
    assert revenu.n_troncons <= reseau.n_troncons
    lointain = from_networkx(ox.projection.project_graph(graphe))
    assert lointain.srid == 4326
    np.testing.assert_allclose(np.sort(lointain.geom_x), np.sort(revenu.geom_x), atol=1e-8)


def test_edges_without_geometry_lists_and_odd_nodes() -> None:
    graphe = nx.MultiDiGraph(crs="epsg:4326")
    graphe.add_node("a", x=4.0, y=45.0)
    graphe.add_node("b", x=4.01, y=45.0)
    graphe.add_edge("a", "b", osmid=[5, 6], highway=["tertiary", "residential"], maxspeed=["70", "50"], length=800.0)
    graphe.add_edge("b", "a", osmid=[6, 5], highway=["tertiary", "residential"], maxspeed=["70", "50"], length=800.0)
    graphe.add_edge("a", "b", osmid=7, highway="footway", length=790.0)
    revenu = from_networkx(graphe)
    validate(revenu)
    assert (revenu.n_troncons, revenu.sens_unique.tolist(), revenu.vmax_aller.tolist()) == (1, [False], [50])
    assert revenu.classe.tolist() == [Classe.TERTIAIRE] and revenu.voie_id.tolist() == [5]
    assert revenu.omis == {"arêtes sans highway carrossable": 1}


def test_graph_that_is_none_of_osmnx() -> None:
    with pytest.raises(GrapheInattendu, match="projection"):
        from_networkx(nx.MultiDiGraph())
    graphe = nx.MultiDiGraph(crs="epsg:4326")
    graphe.add_node(1, x=0.0)
    with pytest.raises(GrapheInattendu, match="coordonnée"):
        from_networkx(graphe)
