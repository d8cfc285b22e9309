"""Zones limitrophes on a small map where every answer can be counted."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from geodata.graphe_cache import clear
from geodata.models import Reseau
from territoires.franchissements import crossings
from territoires.limites import refresh_limites
from territoires.models import Collectivite, Commune, ZoneLimitrophe
from territoires.rapport import DonneesRefusees
from territoires.zones import DemandeZone, create_zone, refresh_zone, select

from .fabrique import COTE, HAUTEUR, LARGEUR, NORD, SUD, X0, Y0, code, install, roads

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def territoire(db: None) -> None:
    install()


@pytest.fixture
def reseau() -> Reseau:
    clear()
    return roads()


def demande(**champs: Any) -> DemandeZone:
    return DemandeZone(**{"nom": "Essai", "mode": "distance", "collectivites": ["42", "43"], **champs})


@pytest.mark.parametrize(
    ("distance_m", "colonnes"),
    [(0.5, {2, 3}), (COTE - 1, {2, 3}), (COTE, {1, 2, 3, 4}), (2 * COTE, set(range(6)))],
)
def test_by_distance(distance_m: float, colonnes: set[int]) -> None:
    """A commune is in when any part of it is within the distance, its edge included."""
    selection = select(demande(distance_m=distance_m))
    assert {c.code for c in selection.communes} == {code(i, j) for i in colonnes for j in range(HAUTEUR)}
    assert sum(selection.by_collectivite().values()) == len(selection.communes)


def test_between_epci() -> None:
    selection = select(demande(distance_m=10, collectivites=[SUD, NORD]))
    assert {c.code for c in selection.communes} == {code(i, j) for i in range(LARGEUR) for j in (1, 2)}
    assert selection.by_collectivite() == {SUD: LARGEUR, NORD: LARGEUR}


def test_by_time_along_one_road(reseau: Reseau) -> None:
    """Driven at 68 km/h west and 60 km/h east, mairies at 1, 3 and 5 km are 53, 159, 265 and 60, 180, 300 s away."""
    for secondes, colonnes in ((61, {2, 3}), (170, {1, 2, 3}), (290, {0, 1, 2, 3, 4}), (301, set(range(6)))):
        selection = select(demande(mode="temps", temps_s=secondes, reseau="essai"))
        dans_la_rangee = {c.code for c in selection.communes if c.code.endswith("0")}
        assert dans_la_rangee == {code(i, 0) for i in colonnes}


def test_time_is_counted_from_the_point_de_passage() -> None:
    """On a road driven eastwards only, nobody drives from the limit to the mairies of the west."""
    clear()
    roads(sens_unique=True)
    with pytest.raises(DonneesRefusees, match="aucune commune de Loire"):
        select(demande(mode="temps", temps_s=600, reseau="essai"))


def test_communes_far_from_any_road_are_told(reseau: Reseau) -> None:
    # Row 3 is 6 km from the road, beyond the access limit of 5 km.
    selection = select(demande(mode="temps", temps_s=36_000, reseau="essai"))
    assert {c.code[-1] for c in selection.communes} == {"0", "1", "2"}
    assert "6 communes sans route" in selection.remarques[0] and "Commune 0-3 (42003)" in selection.remarques[0]


def test_crossings_of_limits_that_do_not_cut_the_network(reseau: Reseau) -> None:
    import_id = reseau.import_courant_id
    departements = list(Collectivite.objects.filter(type="departement"))
    (point,) = crossings(import_id, departements)
    assert (point.x, point.y, point.ref) == (X0 + 3 * COTE, Y0 + COTE / 2, "D 500")
    epci = list(Collectivite.objects.filter(type="epci"))
    # The road runs west to east inside the south: it crosses no limit between the two.
    assert crossings(import_id, epci) == []
    # With the east of the south given to the north, it crosses at the same place, once.
    Commune.objects.filter(departement__code="43").update(epci=epci[1])
    Commune.objects.filter(departement__code="42").update(epci=epci[0])
    refresh_limites()
    (point,) = crossings(import_id, epci)
    assert (point.x, point.y, point.noeud is not None) == (X0 + 3 * COTE, Y0 + COTE / 2, True)
    # And elsewhere than on a département's limit, in the middle of an edge.
    Commune.objects.filter(code__startswith="4202").update(epci=epci[1])
    refresh_limites()
    (point,) = crossings(import_id, epci)
    assert (point.x, point.y, point.noeud) == (pytest.approx(X0 + 2 * COTE), pytest.approx(Y0 + COTE / 2), None)
    assert len(select(demande(mode="temps", temps_s=60, reseau="essai", collectivites=[SUD, NORD])).communes) == 2


def test_list_and_whole() -> None:
    codes = [code(0, 0), f" {code(5, 3)} ", code(0, 0), ""]
    assert [c.code for c in select(demande(mode="liste", communes=codes)).communes] == [code(0, 0), code(5, 3)]
    assert len(select(demande(mode="entiere")).communes) == LARGEUR * HAUTEUR


@pytest.mark.parametrize(
    ("champs", "message"),
    [
        ({"collectivites": ["42"]}, "de 2 à 12 collectivités ; 1 demandée"),
        ({"collectivites": [str(k) for k in range(13)]}, "de 2 à 12 collectivités ; 13 demandées"),
        ({"collectivites": ["42", "44"]}, "valeur « 44 » : collectivité absente"),
        ({"collectivites": ["42", NORD]}, "soit des EPCI, soit des départements"),
        ({"distance_m": None}, "une distance en mètres"),
        ({"distance_m": -1}, "une distance en mètres"),
        ({"distance_m": float("inf")}, "une distance en mètres"),
        ({"mode": "temps", "temps_s": 60}, "demande un réseau"),
        ({"mode": "temps", "temps_s": 60, "reseau": "rien"}, "valeur « rien » : réseau routier inconnu"),
        ({"mode": "liste"}, "la liste de communes est vide"),
        ({"mode": "liste", "communes": ["42000", "42999"]}, "valeur « 42999 » : code de commune inconnu"),
        ({"mode": "liste", "communes": ["42000"]}, r"aucune commune de Haute-Loire \(43\)"),
        ({"mode": "rayon"}, "mode inconnu"),
        ({"nom": " ", "mode": "entiere"}, "pas de nom"),
    ],
)
def test_refusals(champs: dict[str, Any], message: str) -> None:
    with pytest.raises(DonneesRefusees, match=message):
        create_zone(demande(**{"distance_m": 10, **champs}))
    assert not ZoneLimitrophe.objects.exists()


def test_a_commune_of_elsewhere_and_collectivites_that_do_not_touch() -> None:
    tiers = Collectivite.objects.create(type="departement", code="63", nom="Puy-de-Dôme")
    Commune.objects.create(code="63001", nom="Loin", departement=tiers)
    with pytest.raises(DonneesRefusees, match="Loin n'est dans aucune des collectivités de la zone"):
        select(demande(mode="liste", communes=["42000", "43030", "63001"]))
    with pytest.raises(DonneesRefusees, match=r"Puy-de-Dôme \(63\) ne touche aucune autre"):
        select(demande(distance_m=10, collectivites=["42", "43", "63"]))


def test_a_network_without_crossing_is_said(reseau: Reseau) -> None:
    reseau.import_courant.points_passage.all().delete()
    with pytest.raises(DonneesRefusees, match="aucun point de passage entre ces collectivités"):
        select(demande(mode="temps", temps_s=60, reseau="essai"))


def test_zone_is_kept_with_its_contour_and_computed_again() -> None:
    zone, _ = create_zone(demande(nom="Loire / Haute-Loire", distance_m=10))
    assert (zone.code, zone.mode, zone.distance_m, zone.temps_s) == ("loire-haute-loire", "distance", 10, None)
    assert zone.contour.area == pytest.approx(2 * HAUTEUR * COTE**2)
    assert zone.communes.count() == 2 * HAUTEUR
    Commune.objects.filter(code=code(2, 0)).update(active=False)
    encore, _ = refresh_zone(ZoneLimitrophe.objects.get(pk=zone.pk))
    assert encore.pk == zone.pk
    assert encore.communes.count() == 2 * HAUTEUR - 1
    assert encore.contour.area == pytest.approx((2 * HAUTEUR - 1) * COTE**2)


def test_a_fictive_network_makes_a_fictive_zone(reseau: Reseau) -> None:
    Reseau.objects.update(fictif=True)
    zone, _ = create_zone(demande(distance_m=10, reseau="essai"))
    assert zone.fictif


def test_queries_do_not_grow_with_communes(reseau: Reseau) -> None:
    comptes = []
    for mode in ({"distance_m": 10}, {"distance_m": 1e5}, {"mode": "temps", "temps_s": 60, "reseau": "essai"}):
        select(demande(**mode))  # the graph is in memory from here on
        with CaptureQueriesContext(connection) as requetes:
            select(demande(**mode))
        comptes.append(len(requetes))
    assert comptes[0] == comptes[1] <= 5
    assert comptes[2] <= 6


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("creer_zone", "42", "43", nom="Au bord", distance=0.1)
    assert capsys.readouterr().out == "Zone « Au bord » (au-bord) : 8 communes : 4 (42) + 4 (43).\n"
    with pytest.raises(CommandError, match="rien n'a été écrit"):
        call_command("creer_zone", "42", "99", nom="x", entiere=True)


@pytest.mark.parametrize(
    "champs",
    [
        {"mode": "distance", "distance_m": None},
        {"mode": "distance", "distance_m": 0.0},
        {"mode": "temps", "temps_s": None},
        {"mode": "temps", "temps_s": -1.0, "distance_m": 10.0},
        {"mode": "autre"},
    ],
)
def test_the_database_refuses_a_zone_without_its_parameter(champs: dict[str, Any]) -> None:
    zone, _ = create_zone(demande(distance_m=10))
    with pytest.raises(IntegrityError, match="zone_parametre"), transaction.atomic():
        ZoneLimitrophe.objects.filter(pk=zone.pk).update(**champs)
