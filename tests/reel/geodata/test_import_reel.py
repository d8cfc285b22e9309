"""Commands on real data: territory, roads, limits, the same twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.models import Count, Sum

from geodata.lecture_base import load
from geodata.models import ImportReseau, PointPassage, Reseau, Troncon

pytestmark = [pytest.mark.reel, pytest.mark.django_db]


def test_main_roads_over_the_real_limit(donnees: Path) -> None:
    call_command("importer_territoire", "42", "43", verbosity=0)
    fichier = str(donnees / "routes" / "reseau-principal-42-43.gpkg")
    call_command("importer_routes", fichier, "--couche", "troncons", "--reseau", "principal", verbosity=0)
    importation = ImportReseau.objects.get()
    assert importation.etat == ImportReseau.Etat.REUSSI and importation.decoupage == ["42", "43"]
    assert importation.attendus["lignes du fichier"] == importation.lus["lignes du fichier"] == 5485
    km = {
        ligne["departement"]: ligne["m"] / 1000
        for ligne in Troncon.objects.values("departement").annotate(m=Sum("longueur_m"), n=Count("rang"))
    }
    assert km["42"] == pytest.approx(3398, rel=0.01) and km["43"] == pytest.approx(3067, rel=0.01)
    points = PointPassage.objects.filter(import_reseau=importation)
    assert {"N88", "D500", "D501", "M108"} <= set(points.values_list("ref", flat=True))
    assert set(points.values_list("departement_a", "departement_b")) == {("42", "43")}
    # In the database as in the arrays.
    relu = load(importation.pk)
    assert relu.noeud_passage.sum() == points.values("noeud").distinct().count()
    call_command("importer_routes", fichier, "--couche", "troncons", "--reseau", "principal", verbosity=0)
    assert ImportReseau.objects.latest("pk").etat == ImportReseau.Etat.INCHANGE
    assert Reseau.objects.get().import_courant_id == importation.pk


def test_liechtenstein_and_its_two_collectivites(donnees: Path) -> None:
    extrait = str(donnees / "osm" / "liechtenstein-2021-05.osm.pbf")
    call_command(
        "importer_territoire", "--osm", extrait, "--niveau-collectivite", "6", "--niveau-commune", "8", verbosity=0
    )
    call_command("importer_osm", extrait, verbosity=0)
    importation = ImportReseau.objects.get()
    assert importation.decoupage == ["oberland", "unterland"]
    assert importation.edition == "2021-05-05T20:21:43Z"
    assert importation.attendus["voies carrossables"] == importation.lus["voies carrossables"] + 3
    assert importation.omis["voies : surface (area=yes), sans axe"] == 3
    points = PointPassage.objects.order_by("classe")
    # The primary road 16 and one secondary cross; the third way of the border is closed to cars and ends on it.
    assert [(p.ref, p.nom) for p in points] == [("16", "Feldkircher Strasse"), ("", "Benderer Strasse")]
    assert importation.lus["restrictions de virage"] == 85
    assert importation.restrictions.count() == 78
