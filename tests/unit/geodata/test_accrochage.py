"""Points put on edges: the nearest usable one, access apart, nothing snapped silently."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.accrochage import Accroches, Raison, ends, snap, snap_nodes
from geodata.classes import ACCES_ORDINAIRE, Acces, Classe
from geodata.graphe import Graphe, GrapheInvalide
from geodata.profils import INF_MS, PROFILS
from geodata.temps import travel_times, with_access
from tests.unit.geodata.fabrique_reseau import grid, make_reseau, on_edges, points, reseaux


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_nearest_usable_edge(data: st.DataObject) -> None:
    graphe = Graphe.from_tableaux(data.draw(reseaux()))
    profil = data.draw(st.sampled_from(sorted(PROFILS)))
    n = data.draw(st.integers(1, 5))
    coordonnee = st.floats(-3000, 5000, allow_nan=False)
    x = np.array(data.draw(st.lists(coordonnee, min_size=n, max_size=n)))
    y = np.array(data.draw(st.lists(coordonnee, min_size=n, max_size=n)))
    limite = data.draw(st.sampled_from([50.0, 400.0, 2000.0]))
    autoroutes = data.draw(st.booleans())
    trouve = snap(graphe, x, y, profil, limite, ilots=True, autoroutes=autoroutes)
    ouverts = graphe.poids(profil).ouverts & (autoroutes | (graphe.reseau.classe != int(Classe.AUTOROUTE)))
    for i in range(n):
        distances = shapely.distance(graphe.lignes[ouverts], shapely.Point(x[i], y[i]))
        plus_pres = distances.min() if len(distances) else np.inf
        if plus_pres > limite:
            assert trouve.troncon[i] == -1 and trouve.raison[i] in (Raison.TROP_LOIN, Raison.RESEAU_FERME)
            assert np.isinf(trouve.distance_m[i]) and np.isnan(trouve.x[i])
            continue
        assert ouverts[trouve.troncon[i]]
        assert trouve.distance_m[i] == pytest.approx(plus_pres, rel=1e-6, abs=1e-3)
        assert np.hypot(trouve.x[i] - x[i], trouve.y[i] - y[i]) == pytest.approx(plus_pres, abs=1e-3)
        vitesse = PROFILS[profil].vitesse_acces_kmh / 3.6
        assert trouve.acces_s[i] == pytest.approx(trouve.distance_m[i] / vitesse, rel=1e-5)
        sur = graphe.lignes[trouve.troncon[i]].interpolate(trouve.fraction[i], normalized=True)
        assert (sur.x, sur.y) == pytest.approx((trouve.x[i], trouve.y[i]))


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_the_two_parts_of_an_edge_add_up(data: st.DataObject) -> None:
    graphe = Graphe.from_tableaux(data.draw(reseaux()))
    poids, p = graphe.poids("voiture"), data.draw(points(graphe.m))
    depart, arrivee = ends(poids, p, arrivee=False)[1], ends(poids, p, arrivee=True)[1]
    for i in range(len(p)):
        for sens in (0, 1):
            w = int(poids.ms[p.troncon[i] + sens * graphe.m])
            if w == INF_MS:
                assert depart[i, sens] == arrivee[i, sens] == INF_MS
            else:
                assert int(depart[i, sens]) + int(arrivee[i, sens]) == w


def test_the_islet_is_left_for_the_network_within_the_limit() -> None:
    # A 10 x 10 grid, and a lonely piece of road 150 m beyond its corner.
    base = grid(10)
    noeuds = [*zip(base.noeud_x, base.noeud_y, strict=True), (-200.0, -200.0), (-150.0, -200.0)]
    bouts = [*zip(base.source.tolist(), base.cible.tolist(), strict=True), (100, 101)]
    # One edge of 181 is under the share of a network of its own.
    graphe = Graphe.from_tableaux(make_reseau(noeuds, bouts))
    pres = snap(graphe, [-170.0], [-190.0], "voiture", limite_m=500)
    assert (pres.raison[0], pres.composante[0]) == (Raison.ACCROCHE, 0)
    assert pres.troncon[0] != 180
    isole = snap(graphe, [-170.0], [-190.0], "voiture", limite_m=100)
    assert (isole.troncon[0], isole.raison[0], isole.composante[0]) == (180, Raison.ILOT, 1)
    assert list(isole.anomalies()) == [
        (0, "accroché à un morceau de réseau isolé : aucune autre route à moins de 100 m")
    ]
    libre = snap(graphe, [-170.0], [-190.0], "voiture", limite_m=500, ilots=True)
    assert (libre.troncon[0], libre.raison[0]) == (180, Raison.ACCROCHE)


def test_reasons_are_told_apart() -> None:
    graphe = Graphe.from_tableaux(grid(4))
    trouve = snap(graphe, [10.0, 5000.0, np.nan, np.inf], [10.0, 0.0, 0.0, 0.0], "voiture", limite_m=250)
    assert trouve.raison.tolist() == [Raison.ACCROCHE, Raison.TROP_LOIN, Raison.COORDONNEES, Raison.COORDONNEES]
    assert trouve.accroche.tolist() == [True, False, False, False]
    assert dict(trouve.anomalies()) == {
        1: "aucune route praticable à moins de 250 m",
        2: "coordonnées absentes ou hors du plan",
        3: "coordonnées absentes ou hors du plan",
    }
    ferme = Graphe.from_tableaux(make_reseau([(0, 0), (100, 0)], [(0, 1)], acces=int(Acces.PIETON)))
    assert snap(ferme, [0.0], [0.0], "voiture").raison.tolist() == [Raison.RESEAU_FERME]
    assert snap(ferme, [0.0], [0.0], "pieton").raison.tolist() == [Raison.ACCROCHE]


def test_snapping_follows_the_profile() -> None:
    # The nearer road is limited to 7.5 t: a truck takes the other one.
    reseau = make_reseau(
        [(0, 0), (1000, 0), (0, 100), (1000, 100)],
        [(0, 1), (2, 3), (0, 2), (1, 3)],
        tonnage=[7.5, np.nan, np.nan, np.nan],
    )
    graphe = Graphe.from_tableaux(reseau)
    assert snap(graphe, [500.0], [10.0], "voiture").troncon[0] == 0
    assert snap(graphe, [500.0], [10.0], "poids_lourd").troncon[0] == 1


@pytest.mark.parametrize("colonne", ["classe", "bretelle", "tunnel"])
def test_one_does_not_join_a_motorway_a_slip_road_or_a_tunnel_from_the_field_beside_it(colonne: str) -> None:
    reseau = make_reseau(
        [(0, 0), (1000, 0), (0, 100), (1000, 100)], [(0, 1), (2, 3), (0, 2), (1, 3)], classe=int(Classe.LOCALE)
    )
    valeurs = getattr(reseau, colonne).copy()
    valeurs[0] = int(Classe.AUTOROUTE) if colonne == "classe" else True
    graphe = Graphe.from_tableaux(reseau.replace(**{colonne: valeurs}))
    assert snap(graphe, [500.0], [10.0], "voiture").troncon[0] == 1
    assert snap(graphe, [500.0], [10.0], "voiture", autoroutes=True).troncon[0] == 0
    seule = Graphe.from_tableaux(make_reseau([(0, 0), (1000, 0)], [(0, 1)], classe=int(Classe.AUTOROUTE)))
    assert snap(seule, [500.0], [10.0], "voiture").raison[0] == Raison.RESEAU_FERME


def test_access_is_kept_apart_and_added_on_demand() -> None:
    graphe = Graphe.from_tableaux(grid(4))
    o, d = snap(graphe, [50.0], [30.0], "voiture"), snap(graphe, [250.0], [-60.0], "voiture")
    reseau_seul = travel_times(graphe, graphe.poids("voiture"), o, d)
    avec = with_access(reseau_seul, o, d)
    assert avec[0, 0] == pytest.approx(reseau_seul[0, 0] + (30 + 60) / (15 / 3.6), rel=1e-5)


def test_take_and_empty_sets() -> None:
    graphe = Graphe.from_tableaux(grid(4))
    p = on_edges([0, 1, 2], [0.1, 0.2, 0.3])
    assert p.take([2, 0]).fraction.tolist() == [0.3, 0.1]
    assert p.take(np.array([False, True, False])).troncon.tolist() == [1]
    assert p.take(slice(1, None)).troncon.tolist() == [1, 2]
    vide = p.take([])
    assert isinstance(vide, Accroches) and len(vide) == 0
    poids = graphe.poids("voiture")
    assert travel_times(graphe, poids, vide, p).shape == (0, 3)
    assert travel_times(graphe, poids, p, vide).shape == (3, 0)
    assert len(snap(graphe, [], [], "voiture")) == 0


def test_bad_calls_say_what_is_wrong() -> None:
    graphe = Graphe.from_tableaux(grid(3))
    with pytest.raises(ValueError, match="2 abscisses pour 1 ordonnées"):
        snap(graphe, [1.0, 2.0], [1.0], "voiture")
    with pytest.raises(ValueError, match="9 nœuds"):
        snap_nodes(graphe, [9])
    with pytest.raises(ValueError, match="autre graphe"):
        travel_times(Graphe.from_tableaux(grid(3)), graphe.poids("voiture"), on_edges([0], [0]), on_edges([0], [0]))
    with pytest.raises(GrapheInvalide, match="degrés"):
        Graphe.from_tableaux(dataclasses.replace(grid(3), srid=4326))
    with pytest.raises(GrapheInvalide, match="vide"):
        Graphe.from_tableaux(dataclasses.replace(grid(3), source=np.zeros(0, dtype=np.int32)))
    with pytest.raises(GrapheInvalide, match="ordre"):
        Graphe.from_tableaux(grid(3), np.zeros(9, dtype=np.int32))


def test_ordinary_access_opens_every_profile() -> None:
    graphe = Graphe.from_tableaux(make_reseau([(0, 0), (100, 0)], [(0, 1)], acces=int(ACCES_ORDINAIRE)))
    assert all(graphe.poids(p).ouverts.all() for p in PROFILS)
