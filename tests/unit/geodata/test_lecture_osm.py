"""OpenStreetMap files into arrays: the graph, its rules, and files with holes."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import numpy as np
import osmium
import pytest

from geodata.classes import Classe, Gestion
from geodata.erreurs import ImportImpossible
from geodata.lecture_osm import (
    OMIS_DOUBLON,
    OMIS_NOEUDS,
    OMIS_REPETES,
    OMIS_RESTRICTION_GENRE,
    OMIS_RESTRICTION_VOIE,
    OMIS_SURFACE,
    OMIS_TRONQUEE,
    VOIES_LUES,
    data_date,
    read_osm,
)
from geodata.reseau import TableauxReseau, validate
from tests.unit.geodata.osm_xml import osm_xml, place

RUE = {"highway": "residential"}
HGV = {"type": "restriction", "restriction:hgv": "no_u_turn"}


def read(chemin: Path, *autres: Path) -> TableauxReseau:
    reseau = read_osm([chemin, *autres])
    validate(reseau)
    # Every drivable way of the files is either read or told.
    return reseau


def edges(reseau: TableauxReseau) -> list[tuple[int, int]]:
    """(from, to) node identifiers of each edge, in order."""
    return list(zip(reseau.noeud_id[reseau.source].tolist(), reseau.noeud_id[reseau.cible].tolist(), strict=True))


def lines(reseau: TableauxReseau) -> list[list[tuple[float, float]]]:
    return [
        list(zip(reseau.geom_x[d:f].tolist(), reseau.geom_y[d:f].tolist(), strict=True))
        for d, f in zip(reseau.geom_debut[:-1], reseau.geom_debut[1:], strict=True)
    ]


def test_split_where_ways_meet_and_not_elsewhere(tmp_path: Path) -> None:
    reseau = read(osm_xml(tmp_path / "a.osm", {1: ([0, 1, 2, 3], RUE), 2: ([12, 2, 22], RUE)}))
    assert edges(reseau) == [(0, 2), (2, 3), (12, 2), (2, 22)]
    assert lines(reseau)[0] == [place(0), place(1), place(2)]
    assert reseau.voie_id.tolist() == [1, 1, 2, 2] and reseau.rang.tolist() == [0, 1, 0, 1]
    assert reseau.lus[VOIES_LUES] == 2 and reseau.lus["tronçons"] == 4 and not reseau.omis


def test_length_is_the_great_circle_of_osmnx(tmp_path: Path) -> None:
    import osmnx as ox

    reseau = read(osm_xml(tmp_path / "a.osm", {1: ([0, 1, 12, 25], RUE)}))
    (lon0, lat0), (lon1, lat1), (lon2, lat2), (lon3, lat3) = (place(n) for n in (0, 1, 12, 25))
    attendue = (
        ox.distance.great_circle(lat0, lon0, lat1, lon1)
        + ox.distance.great_circle(lat1, lon1, lat2, lon2)
        + ox.distance.great_circle(lat2, lon2, lat3, lon3)
    )
    assert reseau.longueur_m[0] == pytest.approx(attendue, rel=1e-6)


def test_ways_end_to_end_stay_two_edges(tmp_path: Path) -> None:
    assert edges(read(osm_xml(tmp_path / "a.osm", {1: ([0, 1], RUE), 2: ([1, 2], RUE)}))) == [(0, 1), (1, 2)]


def test_paths_do_not_make_crossings(tmp_path: Path) -> None:
    voies = {1: ([0, 1, 2], RUE), 2: ([11, 1, 21], {"highway": "path"}), 3: ([0, 11], {"railway": "rail"})}
    assert edges(read(osm_xml(tmp_path / "a.osm", voies))) == [(0, 2)]


def test_closed_way_alone_is_a_loop(tmp_path: Path) -> None:
    reseau = read(osm_xml(tmp_path / "a.osm", {1: ([0, 1, 11, 10, 0], RUE)}))
    assert edges(reseau) == [(0, 0)] and reseau.lus["boucles"] == 1
    assert reseau.geom_debut.tolist() == [0, 5]


def test_closed_way_met_in_two_places(tmp_path: Path) -> None:
    reseau = read(osm_xml(tmp_path / "a.osm", {1: ([0, 1, 11, 10, 0], RUE), 2: ([1, 2], RUE), 3: ([10, 20], RUE)}))
    assert edges(reseau) == [(0, 1), (1, 10), (10, 0), (1, 2), (10, 20)]


def test_way_that_crosses_itself(tmp_path: Path) -> None:
    # A figure of eight through node 5, and a lollipop: out, round and back to node 2.
    assert edges(read(osm_xml(tmp_path / "a.osm", {1: ([0, 5, 6, 16, 15, 5, 4], RUE)}))) == [(0, 5), (5, 5), (5, 4)]
    assert edges(read(osm_xml(tmp_path / "b.osm", {1: ([0, 1, 2, 12, 11, 1], RUE)}))) == [(0, 1), (1, 1)]


def test_parallel_and_zero_length_edges_are_kept_and_counted(tmp_path: Path) -> None:
    voies = {1: ([0, 1, 2], RUE), 2: ([0, 11, 2], RUE), 3: ([2, 3], RUE)}
    places = {3: place(2)}
    reseau = read(osm_xml(tmp_path / "a.osm", voies, places=places))
    assert edges(reseau) == [(0, 2), (0, 2), (2, 3)]
    assert reseau.lus["tronçons parallèles"] == 1 and reseau.lus["tronçons de longueur nulle"] == 1
    assert reseau.longueur_m[2] == 0


def test_oneway_against_is_drawn_the_way_one_drives(tmp_path: Path) -> None:
    voies = {
        1: ([0, 1, 2], {**RUE, "oneway": "-1", "maxspeed:forward": "30", "maxspeed:backward": "50"}),
        2: ([1, 11], {"highway": "motorway"}),
        3: ([2, 12], RUE),
    }
    reseau = read(osm_xml(tmp_path / "a.osm", voies))
    assert edges(reseau) == [(2, 1), (1, 0), (1, 11), (2, 12)]
    assert reseau.sens_unique.tolist() == [True, True, True, False]
    assert reseau.rang.tolist() == [0, 1, 0, 0]
    assert reseau.vmax_aller.tolist()[0] == 50, "the speed against the way is the one along the drive"
    assert lines(reseau)[0] == [place(2), place(1)]


def test_attributes_reach_every_piece(tmp_path: Path) -> None:
    tags = {
        "highway": "secondary_link", "ref": "D 500", "name": "Route Neuve", "surface": "asphalt", "lanes": "2",
        "bridge": "yes", "maxheight": "3.5", "maxspeed": "70", "access": "private",
    }  # fmt: skip
    reseau = read(osm_xml(tmp_path / "a.osm", {1: ([0, 1, 2], tags), 2: ([1, 11], RUE)}))
    for k in (0, 1):
        assert [reseau.textes[c[k]] for c in (reseau.ref, reseau.nom, reseau.revetement)] == [
            "D 500",
            "Route Neuve",
            "asphalt",
        ]
        assert reseau.classe[k] == Classe.SECONDAIRE and reseau.bretelle[k] and reseau.pont[k]
        assert reseau.gestion[k] == Gestion.DEPARTEMENTALE and reseau.voies[k] == 2
        assert reseau.hauteur_max_m[k] == 3.5 and reseau.vmax_aller[k] == 70 and reseau.vmax_ecrite[k]
    assert reseau.gestion[2] == Gestion.COMMUNALE and np.isnan(reseau.hauteur_max_m[2])


@pytest.mark.parametrize("nom", ["a, b = c % d @ e", "Œuf de 漢 😀 «»", "25%20%", "  deux  espaces ", "N1x2y3", "\\"])
def test_any_character_in_a_name(tmp_path: Path, nom: str) -> None:
    reseau = read(osm_xml(tmp_path / "a.osm", {1: ([0, 1], {**RUE, "name": nom, "ref": "D 1;D 2"})}))
    assert (reseau.textes[reseau.nom[0]], reseau.textes[reseau.ref[0]]) == (nom, "D 1;D 2")


def test_areas_are_left_out_and_told(tmp_path: Path) -> None:
    place_publique = ([5, 6, 16, 5], {"highway": "service", "area": "yes"})
    reseau = read(osm_xml(tmp_path / "a.osm", {1: ([0, 1], RUE), 2: place_publique}))
    assert reseau.omis == {OMIS_SURFACE: 1} and reseau.lus[VOIES_LUES] == 1


def test_missing_nodes_cut_the_way_and_are_told(tmp_path: Path) -> None:
    voies = {1: ([0, 1, 2, 3, 4, 5], RUE), 2: ([6, 7], RUE), 3: ([8, 9], RUE)}
    reseau = read(osm_xml(tmp_path / "a.osm", voies, absents={2, 6, 8, 9}))
    assert edges(reseau) == [(0, 1), (3, 5)]
    assert reseau.rang.tolist() == [0, 1]
    assert reseau.omis == {OMIS_NOEUDS: 4, OMIS_TRONQUEE: 2}
    assert reseau.lus[VOIES_LUES] == 1


def test_repeated_nodes(tmp_path: Path) -> None:
    reseau = read(osm_xml(tmp_path / "a.osm", {1: ([0, 1, 1, 2], RUE), 2: ([3, 3], RUE)}))
    assert edges(reseau) == [(0, 2)]
    assert reseau.omis == {OMIS_REPETES: 2, OMIS_TRONQUEE: 1}


def test_ways_before_nodes(tmp_path: Path) -> None:
    voies = {1: ([0, 1, 2], RUE), 2: ([1, 11], RUE)}
    reseau = read(osm_xml(tmp_path / "a.osm", voies, voies_avant=True))
    assert edges(reseau) == [(0, 1), (1, 2), (1, 11)] and not reseau.omis


@pytest.mark.parametrize("suffixe", [".osm", ".osm.gz", ".osm.bz2", ".osm.pbf"])
def test_formats(tmp_path: Path, suffixe: str) -> None:
    xml = osm_xml(tmp_path / "source.osm", {1: ([0, 1, 2], RUE), 2: ([1, 11], RUE)})
    chemin = tmp_path / f"extrait{suffixe}"
    if suffixe == ".osm.gz":
        chemin.write_bytes(gzip.compress(xml.read_bytes()))
    elif suffixe == ".osm.bz2":
        chemin.write_bytes(bz2.compress(xml.read_bytes()))
    elif suffixe == ".osm.pbf":
        with osmium.SimpleWriter(str(chemin)) as sortie:
            for objet in osmium.FileProcessor(str(xml)):
                sortie.add(objet)
    else:
        chemin.write_bytes(xml.read_bytes())
    assert edges(read(chemin)) == [(0, 1), (1, 2), (1, 11)]


def test_several_files_are_one_network_without_doubles(tmp_path: Path) -> None:
    # Two extracts cut at node 3: each has the common way, the first without one of its nodes.
    un = osm_xml(tmp_path / "42.osm", {1: ([0, 1, 2, 3, 4], RUE), 2: ([1, 11], RUE)}, absents={4})
    deux = osm_xml(tmp_path / "43.osm", {1: ([0, 1, 2, 3, 4], RUE), 3: ([4, 14], RUE)}, absents={0})
    reseau = read(un, deux)
    assert edges(reseau) == [(0, 1), (1, 4), (1, 11), (4, 14)]
    assert reseau.omis == {OMIS_DOUBLON: 1} and reseau.lus[VOIES_LUES] == 3
    a_l_envers = read(deux, un)
    assert sorted(edges(a_l_envers)) == sorted(edges(reseau))


def test_the_newest_version_of_a_way_wins(tmp_path: Path) -> None:
    vieux = osm_xml(tmp_path / "vieux.osm", {1: ([0, 1], {**RUE, "name": "Ancienne"})}, version=1)
    neuf = osm_xml(tmp_path / "neuf.osm", {1: ([0, 1, 2], {**RUE, "name": "Nouvelle"})}, version=2)
    for fichiers in ((vieux, neuf), (neuf, vieux)):
        reseau = read(*fichiers)
        assert edges(reseau) == [(0, 2)]
        assert reseau.textes[reseau.nom[0]] == "Nouvelle"


def test_turn_restrictions_are_read_and_counted(tmp_path: Path) -> None:
    voies = {1: ([0, 1], RUE), 2: ([1, 2], RUE), 3: ([1, 11], RUE)}
    non = {"type": "restriction", "restriction": "no_left_turn"}
    relations = {
        1: ([("way", 1, "from"), ("node", 1, "via"), ("way", 2, "to")], non),
        2: ([("way", 1, "from"), ("node", 1, "via"), ("way", 3, "to")], {**non, "restriction": "only_straight_on"}),
        3: ([("way", 1, "from"), ("way", 2, "via"), ("way", 3, "to")], non),
        4: ([("way", 1, "from"), ("node", 1, "via"), ("way", 99, "to")], non),
        5: ([("way", 1, "from"), ("node", 1, "via"), ("way", 3, "to")], {**non, "restriction": "give_way"}),
        6: ([("way", 1, "from"), ("node", 1, "via"), ("way", 3, "to")], HGV),
        7: ([("way", 1, "outer")], {"type": "multipolygon"}),
    }  # fmt: skip
    reseau = read(osm_xml(tmp_path / "a.osm", voies, relations=relations))
    assert reseau.restrictions.tolist() == [[1, 1, 2, 0], [1, 1, 3, 0], [1, 1, 3, 1]]
    assert reseau.lus["restrictions de virage"] == 6
    assert reseau.omis == {OMIS_RESTRICTION_VOIE: 2, OMIS_RESTRICTION_GENRE: 1}


def test_progress_counts_every_way(tmp_path: Path) -> None:
    vus: list[int] = []
    read_osm([osm_xml(tmp_path / "a.osm", {i: ([i, i + 1], RUE) for i in range(1, 1203)})], vus.append)
    assert sum(vus) == 1202 and len(vus) == 3


def test_bad_files_are_named(tmp_path: Path) -> None:
    bon = osm_xml(tmp_path / "bon.osm", {1: ([0, 1], RUE)})
    with pytest.raises(ImportImpossible, match=r"nulle\.osm\.pbf : fichier introuvable"):
        read_osm([bon, tmp_path / "nulle.osm.pbf"])
    vide = tmp_path / "vide.osm.pbf"
    vide.touch()
    with pytest.raises(ImportImpossible, match=r"vide\.osm\.pbf : fichier vide"):
        read_osm([vide])
    abime = tmp_path / "abime.osm.pbf"
    abime.write_bytes(b"\x00\x00\x00\x0d ce n'est pas un fichier PBF" * 50)
    with pytest.raises(ImportImpossible, match=r"abime\.osm\.pbf : fichier OpenStreetMap illisible"):
        read_osm([abime])
    coupe = tmp_path / "coupe.osm"
    coupe.write_text(bon.read_text()[:-60])
    with pytest.raises(ImportImpossible, match=r"coupe\.osm : fichier OpenStreetMap illisible"):
        read_osm([coupe])
    autre = tmp_path / "autre.txt"
    autre.write_text("bonjour")
    with pytest.raises(ImportImpossible, match=r"autre\.txt : fichier OpenStreetMap illisible"):
        read_osm([autre])
    historique = tmp_path / "historique.osh"
    historique.write_text(bon.read_text())
    with pytest.raises(ImportImpossible, match=r"historique\.osh : fichier d'historique"):
        read_osm([historique])
    sentiers = osm_xml(tmp_path / "sentiers.osm", {1: ([0, 1], {"highway": "path"})})
    with pytest.raises(ImportImpossible, match=r"sentiers\.osm : aucune route carrossable"):
        read_osm([sentiers])
    sans_noeuds = osm_xml(tmp_path / "sans.osm", {1: ([0, 1], RUE)}, absents={0, 1})
    with pytest.raises(ImportImpossible, match="les nœuds des voies manquent"):
        read_osm([sans_noeuds])
    brouillon = osm_xml(tmp_path / "brouillon.osm", {1: ([-1, -2], RUE)}, places={-1: place(1), -2: place(2)})
    with pytest.raises(ImportImpossible, match="identifiants négatifs"):
        read_osm([brouillon])


def test_data_date_is_the_oldest(tmp_path: Path) -> None:
    def pbf(nom: str, date: str) -> Path:
        entete = osmium.io.Header()
        entete.set("osmosis_replication_timestamp", date)
        with osmium.SimpleWriter(str(tmp_path / nom), header=entete) as sortie:
            sortie.add_node(osmium.osm.mutable.Node(id=1, location=(4.0, 45.0)))
        return tmp_path / nom

    un, deux = pbf("un.osm.pbf", "2025-01-19T21:21:36Z"), pbf("deux.osm.pbf", "2024-06-01T00:00:00Z")
    assert data_date([un, deux]) == "2024-06-01T00:00:00Z"
    assert data_date([osm_xml(tmp_path / "a.osm", {1: ([0, 1], RUE)})]) == ""
