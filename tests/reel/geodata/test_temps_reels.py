"""Travel times on real networks: exact against networkx, and such as people know them."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

from geodata import hierarchie, moteur_cch, moteur_scipy
from geodata.accrochage import Accroches, Raison
from geodata.decoupe import project
from geodata.graphe import Graphe
from geodata.lecture_osm import read_osm
from geodata.lecture_routes import read_lines
from geodata.profils import INF_MS, PROFILS
from geodata.scenario import Scenario
from geodata.temps import isochrones, nearest, path, snap, snap_nodes, travel_times, travel_times_ms
from tests.unit.geodata.fabrique_reseau import oracle

pytestmark = pytest.mark.reel

VERS_METRES = pyproj.Transformer.from_crs(4326, 2154, always_xy=True)
SAINT_ETIENNE, LE_PUY, ROANNE = "42218", "43157", "42187"


def around(graphe: Graphe, nombre: int, graine: int, profil: str = "voiture") -> Accroches:
    """Points drawn beside the roads, put on them."""
    alea = np.random.default_rng(graine)
    k = alea.integers(0, graphe.n, nombre)
    x = graphe.reseau.noeud_x[k] + alea.normal(0, 60, nombre)
    y = graphe.reseau.noeud_y[k] + alea.normal(0, 60, nombre)
    return snap(graphe, x, y, profil, ilots=True)


@pytest.fixture(scope="module")
def redon(donnees: Path) -> Graphe:
    return Graphe.from_tableaux(project(read_osm([donnees / "osm" / "redon-35-44.osm.pbf"])))


@pytest.fixture(scope="module")
def liechtenstein(donnees: Path) -> Graphe:
    return Graphe.from_tableaux(project(read_osm([donnees / "osm" / "liechtenstein-2021-05.osm.pbf"])))


@pytest.fixture(scope="module")
def loire_haute_loire(donnees: Path) -> Graphe:
    fichier = donnees / "routes" / "reseau-principal-42-43.gpkg"
    return Graphe.from_tableaux(project(read_lines(fichier, layer="troncons")))


@pytest.fixture(scope="module")
def mairies(donnees: Path) -> pd.DataFrame:
    communes = pd.read_csv(donnees / "communes" / "communes-13-departements.csv", dtype={"code_insee": str})
    communes = communes[communes["code_insee"].str[:2].isin(["42", "43"])].dropna(subset=["mairie_lon"])
    communes["x"], communes["y"] = VERS_METRES.transform(communes["mairie_lon"], communes["mairie_lat"])
    return communes.set_index("code_insee")


@pytest.mark.parametrize("profil", sorted(PROFILS))
def test_redon_equals_networkx(redon: Graphe, profil: str) -> None:
    poids = redon.poids(profil, Scenario.make(fermes=[3, 50, 111]))
    o, d = around(redon, 25, 1, profil), around(redon, 40, 2, profil)
    attendu = oracle(redon, poids, o, d)
    for moteur in (moteur_scipy, moteur_cch, hierarchie):
        np.testing.assert_array_equal(moteur.matrix_ms(poids, o, d), attendu, err_msg=moteur.__name__)


@pytest.mark.parametrize("profil", sorted(PROFILS))
def test_engines_agree_on_liechtenstein(liechtenstein: Graphe, profil: str) -> None:
    poids = liechtenstein.poids(profil)
    o, d = around(liechtenstein, 200, 3, profil), around(liechtenstein, 60, 4, profil)
    attendu = moteur_scipy.matrix_ms(poids, o, d)
    np.testing.assert_array_equal(moteur_cch.matrix_ms(poids, o, d), attendu)
    np.testing.assert_array_equal(hierarchie.matrix_ms(poids, o, d), attendu)
    secondes, rang = nearest(liechtenstein, poids, o, d)
    matrice = travel_times(liechtenstein, poids, o, d)
    np.testing.assert_array_equal(secondes, matrice.min(axis=1))
    joints = rang >= 0
    np.testing.assert_array_equal(matrice[joints, rang[joints]], secondes[joints])


def test_vaduz_to_schaan(liechtenstein: Graphe) -> None:
    # Town hall to station: 3 km, six minutes as every route planner says.
    x, y = VERS_METRES.transform([9.5209, 9.5086], [47.1410, 47.1650])
    deux = snap(liechtenstein, x, y, "voiture")
    assert np.all(deux.raison == Raison.ACCROCHE)
    trajet = path(liechtenstein, liechtenstein.poids("voiture"), deux.take([0]), deux.take([1]))
    assert trajet is not None
    assert 4 < trajet.duree_s / 60 < 9
    assert 2500 < trajet.longueur_m < 4000
    assert any(e.nom == "Landstrasse" for e in trajet.etapes)
    assert trajet.ligne.length == pytest.approx(trajet.longueur_m, rel=0.01)
    a_pied = liechtenstein.poids("pieton")
    p = snap(liechtenstein, x, y, "pieton")
    assert 30 < travel_times(liechtenstein, a_pied, p, p)[0, 1] / 60 < 60


def test_isochrones_of_vaduz(liechtenstein: Graphe) -> None:
    x, y = VERS_METRES.transform([9.5209], [47.1410])
    site = snap(liechtenstein, x, y, "voiture")
    poids = liechtenstein.poids("voiture")
    seuils = [300, 600, 900, 1200, 1800]
    aires = [b.geom for b in isochrones(liechtenstein, poids, site, seuils)]
    assert all(a.is_valid and not a.is_empty for a in aires)
    assert all(b.covers(a) for a, b in itertools.pairwise(aires))
    # The country has 160 km², most of it mountain without roads.
    assert 30e6 < aires[-1].area < 160e6
    # Nodes that are well within the time are in the area, those well beyond are not (off motorways: there is none).
    noeuds = snap_nodes(liechtenstein, np.arange(liechtenstein.n))
    ms = travel_times_ms(liechtenstein, poids, noeuds, site)[:, 0]
    points = shapely.points(noeuds.x, noeuds.y)
    tunnels = liechtenstein.reseau.tunnel
    sous_terre = np.union1d(liechtenstein.reseau.source[tunnels], liechtenstein.reseau.cible[tunnels])
    surface = np.setdiff1d(np.arange(liechtenstein.n), sous_terre)
    for seuil, aire in zip(seuils, aires, strict=True):
        dedans = surface[ms[surface] < 1000 * (seuil - 20)]
        assert shapely.dwithin(aire, points[dedans], 25).mean() == 1.0
        # Beyond: only next to a road that is reached, or in a filled hole.
        loin = np.flatnonzero((ms > 1000 * (seuil + 120)) & (ms != INF_MS))
        assert shapely.contains_properly(aire, points[loin]).sum() <= 0.05 * len(loin)


def test_mairies_of_42_and_43(loire_haute_loire: Graphe, mairies: pd.DataFrame) -> None:
    graphe = loire_haute_loire
    accroches = snap(graphe, mairies["x"], mairies["y"], "voiture", limite_m=1000)
    assert accroches.accroche.mean() > 0.97
    assert np.median(accroches.distance_m) < 100
    assert all("1000 m" in phrase for _, phrase in accroches.anomalies())
    # No main road passes within 2 km of the town hall of Saint-Étienne.
    assert mairies.index[~accroches.accroche].tolist()[1] == SAINT_ETIENNE
    accroches = snap(graphe, mairies["x"], mairies["y"], "voiture", limite_m=5000)
    assert accroches.accroche.all()
    matrice = travel_times(graphe, graphe.poids("voiture"), accroches, accroches)
    rang = {code: mairies.index.get_loc(code) for code in (SAINT_ETIENNE, LE_PUY, ROANNE)}
    # About 1 h 15 by the N88, an hour to Roanne: main roads only, straight between waypoints.
    assert 55 < matrice[rang[SAINT_ETIENNE], rang[LE_PUY]] / 60 < 95
    assert 45 < matrice[rang[SAINT_ETIENNE], rang[ROANNE]] / 60 < 80
    # A road is as long one way as the other here: no one-way in this network.
    np.testing.assert_allclose(matrice, matrice.T, atol=0.01)


def test_closing_the_n88_lengthens_the_way(loire_haute_loire: Graphe, mairies: pd.DataFrame) -> None:
    graphe = loire_haute_loire
    villes = mairies.loc[[SAINT_ETIENNE, LE_PUY]]
    deux = snap(graphe, villes["x"], villes["y"], "voiture", limite_m=3000)
    normal = path(graphe, graphe.poids("voiture"), deux.take([0]), deux.take([1]))
    assert normal is not None
    assert any("N88" in e.ref for e in normal.etapes)
    # All of it but the edges on which the two points lie.
    n88 = {k for k, ref in enumerate(graphe.reseau.ref) if "N88" in graphe.reseau.textes[ref]} - set(
        deux.troncon.tolist()
    )
    ferme = graphe.poids("voiture", Scenario.make("N88 fermée", fermes=n88))
    detour = path(graphe, ferme, deux.take([0]), deux.take([1]))
    assert detour is not None and detour.ms > normal.ms
    assert n88.isdisjoint((detour.arcs % graphe.m).tolist())
    assert not n88.isdisjoint((normal.arcs % graphe.m).tolist())
