"""Portrait croisé: figures counted by hand on the small map, in a constant number of queries."""

from __future__ import annotations

import numpy as np
import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pyproj import Geod

from geodata.classes import Classe, Gestion
from geodata.graphe_cache import clear
from territoires.importation.geometrie import to_degrees
from territoires.models import Commune, ZoneLimitrophe
from territoires.portrait import compute, figures, limits_table, portrait, table
from territoires.zones import DemandeZone, create_zone

from .fabrique import COTE, HAUTEUR, NORD, SUD, install, roads, square

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def territoire(db: None) -> None:
    clear()
    cache.clear()
    install()


def make(**champs: object) -> ZoneLimitrophe:
    valeurs = {"nom": "Essai", "mode": "entiere", "collectivites": ["42", "43"], **champs}
    return create_zone(DemandeZone(**valeurs))[0]  # type: ignore[arg-type]


def test_inhabitants_area_and_density() -> None:
    p = compute(make())
    loire, haute_loire = p.cotes
    # Population of column i, row j: 100 (i + 1) + 10 j.
    assert (loire.code, loire.communes, loire.population) == ("42", 12, HAUTEUR * (100 + 200 + 300) + 3 * 60)
    assert (haute_loire.communes, haute_loire.population) == (12, HAUTEUR * (400 + 500 + 600) + 3 * 60)
    assert (p.ensemble.communes, p.ensemble.population) == (24, loire.population + haute_loire.population)
    # Areas are those of the ellipsoid, a little larger than on the plan here.
    geod = Geod(ellps="WGS84")
    attendu = sum(
        abs(geod.geometry_area_perimeter(g)[0])
        for i in range(3)
        for j in range(HAUTEUR)
        for g in to_degrees(np.array([square(i, j), None], dtype=object), 2154)[0].geoms
    )
    assert loire.superficie_m2 == pytest.approx(attendu, rel=1e-6)
    assert loire.superficie_m2 == pytest.approx(12 * COTE**2, rel=0.003)
    assert loire.densite == pytest.approx(loire.population / (loire.superficie_m2 / 1e6))
    assert p.reseau == "" and p.ensemble.routes_m == 0
    assert [(li.a, li.b, li.longueur_m) for li in p.limites] == [("42", "43", pytest.approx(HAUTEUR * COTE))]
    assert "Sans réseau routier" in table(p).note


def test_roads_by_class_and_manager_and_crossings() -> None:
    reseau = roads()
    p = compute(make(reseau=reseau.code))
    loire, haute_loire = p.cotes
    assert loire.routes_par_classe_m[Classe.SECONDAIRE] == pytest.approx(6000)
    assert haute_loire.routes_par_classe_m[Classe.TERTIAIRE] == pytest.approx(6000)
    assert loire.routes_m == haute_loire.routes_m == pytest.approx(6000)
    assert p.ensemble.routes_par_gestion_m[Gestion.DEPARTEMENTALE] == pytest.approx(12_000)
    assert loire.routes_par_habitant_m == pytest.approx(6000 / loire.population)
    # One point, on the road's busier class; each side has it, both together have it once.
    assert [c.passages for c in (loire, haute_loire, p.ensemble)] == [1, 1, 1]
    assert p.ensemble.passages_par_classe[Classe.SECONDAIRE] == 1
    assert p.limites[0].passages == 1
    assert limits_table(p).lignes == [("42 / 43", "8,0", "1")]


def test_only_roads_and_crossings_inside_the_zone_count() -> None:
    reseau = roads()
    p = compute(make(reseau=reseau.code, mode="distance", distance_m=10))
    assert [c.routes_m for c in p.cotes] == [pytest.approx(2000), pytest.approx(2000)]
    # Without the row of the road, neither its length nor its crossing.
    p = compute(make(reseau=reseau.code, mode="liste", communes=["42023", "43033"]))
    assert p.ensemble.routes_m == 0 and p.ensemble.passages == 0


def test_epci_share_a_road_along_their_limit_by_halves() -> None:
    reseau = roads(rang=0)
    # The road of row 0 is in the south; moved onto the limit between rows 1 and 2 it is shared.
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE geodata_troncon SET geom = ST_Translate(geom, 0, %s) WHERE import_reseau_id = %s",
            [1.5 * COTE, reseau.import_courant_id],
        )
    p = compute(make(reseau=reseau.code, collectivites=[SUD, NORD]))
    assert [c.routes_m for c in p.cotes] == [pytest.approx(6000, abs=1), pytest.approx(6000, abs=1)]
    assert p.ensemble.routes_m == pytest.approx(12_000, abs=1)


def test_unknown_population_is_said_and_makes_no_density() -> None:
    Commune.objects.filter(code="42000").update(population=None)
    p = compute(make())
    assert (p.cotes[0].sans_population, p.cotes[0].densite, p.cotes[0].routes_par_habitant_m) == (1, None, None)
    assert p.cotes[1].densite is not None
    lignes = {ligne[0]: ligne[2:] for ligne in table(p).lignes}
    assert lignes["Communes sans population connue"] == ("1", "0", "1")
    assert lignes["Population municipale"][0] != "—"
    assert lignes["Densité"][0] == "—" and "dont elle n'est pas connue" in table(p).note


def test_no_known_population_is_not_nobody() -> None:
    Commune.objects.filter(departement__code="42").update(population=None)
    lignes = {ligne[0]: ligne[2:] for ligne in table(compute(make())).lignes}
    assert lignes["Population municipale"][0] == "—" and lignes["Population municipale"][1] != "—"


def test_rows_have_a_value_for_each_side_and_all_together() -> None:
    p = compute(make(reseau=roads().code))
    assert all(len(valeurs) == len(p.cotes) + 1 for _, _, valeurs, _ in figures(p))
    assert {len(ligne) for ligne in table(p).lignes} == {len(table(p).colonnes)}


def test_constant_number_of_queries_and_none_the_second_time() -> None:
    reseau = roads()
    petite = make(nom="Petite", reseau=reseau.code, mode="distance", distance_m=10)
    grande = make(nom="Grande", reseau=reseau.code)
    comptes = []
    for zone in (petite, grande):
        with CaptureQueriesContext(connection) as requetes:
            compute(zone)
        comptes.append(len(requetes))
    assert comptes[0] == comptes[1] <= 5
    premier = portrait(grande)
    with CaptureQueriesContext(connection) as requetes:
        assert portrait(grande) == premier
    assert len(requetes) == 0


def test_a_zone_computed_again_has_a_new_portrait() -> None:
    zone = make()
    avant = portrait(zone)
    Commune.objects.filter(code="42000").update(population=1_000_000)
    assert portrait(zone) == avant
    assert portrait(make()).cotes[0].population > 1_000_000
