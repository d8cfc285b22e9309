"""Real extracts read by us and by OSMnx, compared edge by edge.

What may differ, and why:

- ``motorway`` without ``oneway``, and ``junction=circular``: one-way for us, as OpenStreetMap's conventions say
  (https://wiki.openstreetmap.org/wiki/Key:oneway, "implied oneway"); OSMnx takes ``oneway`` and roundabouts only.
- ``junction=roundabout`` with ``oneway=no``: the explicit tag wins for us, the junction for OSMnx.
- A way of a single node is no road: OSMnx keeps its node, alone; we count the way among those left out.
- The start of a closed way that nothing else touches is a node for us (a way's end) and a mere vertex for OSMnx.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import networkx as nx
import numpy as np
import osmium
import osmnx as ox
import pytest

from geodata.classes import CLASSE_PAR_HIGHWAY
from geodata.lecture_osm import VOIES_LUES, read_osm
from geodata.reseau import TableauxReseau, validate

pytestmark = pytest.mark.reel

EXTRAITS = [
    "redon-35-44",
    "monaco-frontiere-france-2016-03",
    "liechtenstein-2021-05",
    pytest.param("andorra-2025-01", marks=pytest.mark.lent),
]
Point = tuple[float, float]


def convert(source: Path, destination: Path) -> dict[int, dict[str, str]]:
    """Drivable ways of an extract, with their nodes, as the XML that OSMnx reads; returns their tags.

    Ways with missing nodes are left out here, because OSMnx cannot read them (ours are tested elsewhere), and areas
    because neither takes them.
    """
    presents = {n.id for n in osmium.FileProcessor(str(source), osmium.osm.NODE)}
    voies, utiles = {}, set()
    for voie in osmium.FileProcessor(str(source), osmium.osm.WAY):
        refs = [n.ref for n in voie.nodes]
        tags = dict(voie.tags)
        if tags.get("highway") in CLASSE_PAR_HIGHWAY and tags.get("area") != "yes" and presents.issuperset(refs):
            voies[voie.id] = tags
            utiles.update(refs)
    with osmium.SimpleWriter(str(destination)) as sortie:
        for objet in osmium.FileProcessor(str(source), osmium.osm.NODE | osmium.osm.WAY):
            if (objet.is_node() and objet.id in utiles) or (objet.is_way() and objet.id in voies):
                sortie.add(objet)
    return voies


@pytest.fixture(scope="module", params=EXTRAITS)
def lus(
    request: pytest.FixtureRequest, donnees: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TableauxReseau, nx.MultiDiGraph, set[int]]:
    """(ours, OSMnx's unsimplified graph, ways whose direction may differ)."""
    xml = tmp_path_factory.mktemp("osm") / f"{request.param}.osm"
    voies = convert(donnees / "osm" / f"{request.param}.osm.pbf", xml)
    reseau = read_osm([xml])
    validate(reseau)
    assert reseau.lus[VOIES_LUES] == len([v for v in voies if v in set(reseau.voie_id.tolist())])
    autrement = {
        v
        for v, t in voies.items()
        if (t.get("highway") == "motorway" and "oneway" not in t)
        or (t.get("junction") == "circular" and "oneway" not in t)
        or (t.get("junction") == "roundabout" and t.get("oneway") == "no")
    }
    assert len(autrement) < 0.02 * len(voies)
    return reseau, ox.graph.graph_from_xml(xml, simplify=False, retain_all=True), autrement


def our_segments(reseau: TableauxReseau) -> Counter[tuple[int, Point, Point]]:
    """Every directed piece of line between two vertices, with its way."""
    segments: Counter[tuple[int, Point, Point]] = Counter()
    x, y = reseau.geom_x.round(7).tolist(), reseau.geom_y.round(7).tolist()
    for k in range(reseau.n_troncons):
        voie = int(reseau.voie_id[k])
        for i in range(int(reseau.geom_debut[k]), int(reseau.geom_debut[k + 1]) - 1):
            a, b = (x[i], y[i]), (x[i + 1], y[i + 1])
            segments[voie, a, b] += 1
            if not reseau.sens_unique[k]:
                segments[voie, b, a] += 1
    return segments


def their_segments(graphe: nx.MultiDiGraph) -> Counter[tuple[int, Point, Point]]:
    lieux = {n: (round(d["x"], 7), round(d["y"], 7)) for n, d in graphe.nodes(data=True)}
    return Counter((d["osmid"], lieux[u], lieux[v]) for u, v, d in graphe.edges(data=True))


def test_every_directed_piece_of_line_is_the_same(lus: tuple[TableauxReseau, nx.MultiDiGraph, set[int]]) -> None:
    reseau, graphe, autrement = lus
    ours, theirs = our_segments(reseau), their_segments(graphe)

    def sure(segments: Counter[tuple[int, Point, Point]]) -> Counter[tuple[int, Point, Point]]:
        return Counter({c: n for c, n in segments.items() if c[0] not in autrement})

    assert sure(ours) == sure(theirs)
    # Where directions may differ, the lines do not.
    assert {(v, frozenset((a, b))) for v, a, b in ours} == {(v, frozenset((a, b))) for v, a, b in theirs}


def test_lengths_of_ways_are_the_same(lus: tuple[TableauxReseau, nx.MultiDiGraph, set[int]]) -> None:
    reseau, graphe, _ = lus
    theirs: Counter[int] = Counter()
    for _, _, d in graphe.edges(data=True):
        theirs[d["osmid"]] += d["length"] / (1 if d["oneway"] else 2)
    for voie, longueur in theirs.items():
        assert reseau.longueur_m[reseau.voie_id == voie].sum(dtype=float) == pytest.approx(longueur, rel=1e-5, abs=1e-3)


def closed_starts(reseau: TableauxReseau) -> set[int]:
    """Nodes where a closed way starts and ends, and that no other way touches."""
    bouts: dict[int, tuple[int, int]] = {}
    voies_autour: dict[int, set[int]] = {}
    for k in np.lexsort((reseau.rang, reseau.voie_id)).tolist():
        voie, s, c = int(reseau.voie_id[k]), int(reseau.source[k]), int(reseau.cible[k])
        bouts[voie] = (bouts[voie][0] if reseau.rang[k] else s, c)
        voies_autour.setdefault(s, set()).add(voie)
        voies_autour.setdefault(c, set()).add(voie)
    return {int(reseau.noeud_id[s]) for s, c in bouts.values() if s == c and len(voies_autour[s]) == 1}


def test_nodes_and_edges_are_those_of_the_simplified_graph(
    lus: tuple[TableauxReseau, nx.MultiDiGraph, set[int]],
) -> None:
    """With ``edge_attrs_differ=["osmid"]`` OSMnx keeps the ends of ways, as we do."""
    reseau, graphe, autrement = lus
    simple = ox.simplification.simplify_graph(graphe, edge_attrs_differ=["osmid"])
    ours = set(reseau.noeud_id.tolist())
    simple.remove_nodes_from(list(nx.isolates(simple)))
    en_trop = ours - set(simple.nodes)
    assert set(simple.nodes) <= ours
    assert en_trop <= closed_starts(reseau)
    assert len(en_trop) <= 0.02 * len(ours)
    assert all(isinstance(osmid, int) for _, _, osmid in simple.edges(data="osmid")), "one way an edge"

    # Edges of the ways that have no closed start and no direction of their own.
    touches = np.isin(reseau.noeud_id, list(en_trop))
    ecartees = autrement | set(reseau.voie_id[touches[reseau.source] | touches[reseau.cible]].tolist())
    nous: dict[tuple[int, int, int], list[float]] = {}
    for s, c, voie, longueur, unique in zip(
        reseau.noeud_id[reseau.source].tolist(),
        reseau.noeud_id[reseau.cible].tolist(),
        reseau.voie_id.tolist(),
        reseau.longueur_m.tolist(),
        reseau.sens_unique.tolist(),
        strict=True,
    ):
        if voie not in ecartees:
            nous.setdefault((voie, s, c), []).append(longueur)
            if not unique:
                nous.setdefault((voie, c, s), []).append(longueur)
    eux: dict[tuple[int, int, int], list[float]] = {}
    for u, v, d in simple.edges(data=True):
        if d["osmid"] not in ecartees:
            eux.setdefault((d["osmid"], u, v), []).append(d["length"])
    assert nous.keys() == eux.keys()
    for cle, longueurs in nous.items():
        assert sorted(longueurs) == pytest.approx(sorted(eux[cle]), rel=1e-5, abs=1e-3), cle
