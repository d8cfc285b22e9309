"""Three départements in a row, their communes, a zone, accounts on both sides, and the operation of these tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.gis.geos import Point

from territoires.etudes import creer_etude, demander_passage
from territoires.models import Collectivite, Commune, Etude, PassageEtude, Utilisateur, ZoneLimitrophe

CHEMIN = "tests.integration.territoires.etudes.operation.OPERATION"


@pytest.fixture(autouse=True)
def operation_mediane(settings: Any) -> None:
    """Only the operation of these tests is installed."""
    settings.OPERATIONS = [CHEMIN]


def make_zone(codes: tuple[str, ...] = ("01", "02", "03"), seed_population: int = 1000) -> ZoneLimitrophe:
    """Départements of four communes each, 10 km apart, more inhabitants in each further one."""
    zone = ZoneLimitrophe.objects.create(code="essai", nom="Zone d'essai", mode="entiere")
    communes = []
    for rank, code in enumerate(codes):
        departement = Collectivite.objects.create(type="departement", code=code, nom=f"Département {code}")
        zone.collectivites.add(departement)
        communes += [
            Commune(
                code=f"{code}{number:03d}",
                nom=f"Commune {code}-{number}",
                departement=departement,
                population=seed_population * (rank + 1) + 100 * number,
                mairie=Point(
                    700_000 + 10_000 * rank + 3_000 * (number % 2), 6_500_000 + 4_000 * (number // 2), srid=2154
                ),
                edition="essai",
            )
            for number in range(4)
        ]
    zone.communes.set(Commune.objects.bulk_create(communes))
    return zone


@pytest.fixture
def zone(db: None) -> ZoneLimitrophe:
    return make_zone()


@pytest.fixture
def etude(zone: ZoneLimitrophe) -> Etude:
    return creer_etude("Un site pour trois", "mediane", zone, zone.collectivites.all())


@pytest.fixture
def passage(etude: Etude) -> PassageEtude:
    """A run that is not queued: the test runs it."""
    return demander_passage(etude, enfile=False)


@pytest.fixture
def compte(zone: ZoneLimitrophe) -> Callable[[str | None], Utilisateur]:
    """``compte("01")``: an account of that département; None: of no collectivité."""

    def make(code: str | None) -> Utilisateur:
        owner = None if code is None else Collectivite.objects.get(code=code)
        return Utilisateur.objects.create_user(f"agent-{code}", password="essai-essai", collectivite=owner)

    return make
