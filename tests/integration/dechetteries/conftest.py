"""Two départements of three communes in a row, their EPCI, one road through all mairies, three déchetteries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.contrib.gis.geos import MultiPolygon, Point, Polygon

from déchetteries.models import Dechetterie
from geodata import graphe_cache
from geodata.ecriture import write
from geodata.models import ImportReseau, Reseau
from territoires.etudes import creer_etude
from territoires.models import Collectivite, Commune, Etude, Utilisateur, ZoneLimitrophe
from tests.unit.geodata.fabrique_reseau import make_reseau

X0, Y0, COTE = 780_000.0, 6_480_000.0, 10_000.0
#: (code, département, EPCI, population); the limit lies between the third and the fourth.
COMMUNES = [
    ("42001", "42", "200000001", 5000),
    ("42002", "42", "200000001", 1000),
    ("42003", "42", "200000002", 2000),
    ("43001", "43", "200000003", 1500),
    ("43002", "43", "200000003", 800),
    ("43003", "43", "200000004", 3000),
]


@dataclass
class Territoire:
    """The objects of this small territory."""

    zone: ZoneLimitrophe
    departements: dict[str, Collectivite]
    epci: dict[str, Collectivite]
    communes: dict[str, Commune]
    centres: dict[str, Dechetterie]


def square(k: int) -> MultiPolygon:
    """Outline of the k-th commune."""
    x = X0 + k * COTE
    return MultiPolygon(Polygon.from_bbox((x, Y0, x + COTE, Y0 + COTE)), srid=2154)


def mairie(k: float) -> Point:
    """Mairie of the k-th commune, on the road."""
    return Point(X0 + (k + 0.5) * COTE, Y0 + COTE / 2, srid=2154)


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    graphe_cache.clear()
    yield
    graphe_cache.clear()


@pytest.fixture
def territoire(db: None) -> Territoire:
    departements = {
        code: Collectivite.objects.create(type="departement", code=code, nom=nom)
        for code, nom in (("42", "Loire"), ("43", "Haute-Loire"))
    }
    epci = {
        code: Collectivite.objects.create(type="epci", code=code, nom=f"CC {code[-1]}")
        for code in sorted({c[2] for c in COMMUNES})
    }
    communes = {
        code: Commune.objects.create(
            code=code, nom=f"Commune {code}", departement=departements[departement], epci=epci[cc],
            population=population, geom=square(k), mairie=mairie(k), edition="essai",
        )
        for k, (code, departement, cc, population) in enumerate(COMMUNES)
    }  # fmt: skip
    reseau = Reseau.objects.create(code="essai", nom="Route unique")
    importation = ImportReseau.objects.create(reseau=reseau, format="essai", fichier="f", empreinte="0" * 64)
    noeuds = [(mairie(k).x, mairie(k).y) for k in range(len(COMMUNES))]
    write(importation, make_reseau(noeuds, [(k, k + 1) for k in range(len(COMMUNES) - 1)]))
    zone = ZoneLimitrophe.objects.create(code="essai", nom="Zone d'essai", mode="entiere", reseau=reseau)
    zone.collectivites.set(departements.values())
    zone.communes.set(communes.values())
    # Commune 42003 has none of its own: the nearest is over the limit, in 43001.
    centres = {
        code: Dechetterie.objects.create(code=code, nom=f"Centre {code}", proprietaire=epci[cc], geom=mairie(k))
        for code, cc, k in (("D1", "200000001", 0), ("D3", "200000003", 3), ("D4", "200000004", 5))
    }
    return Territoire(zone, departements, epci, communes, centres)


@pytest.fixture
def etude(territoire: Territoire) -> Etude:
    return creer_etude("Déchetteries", "dechetteries", territoire.zone, territoire.departements.values())


@pytest.fixture
def agent(territoire: Territoire) -> Utilisateur:
    """An account of the Loire."""
    return Utilisateur.objects.create_user("agent", password="essai-essai", collectivite=territoire.departements["42"])


@pytest.fixture
def administrateur(territoire: Territoire) -> Utilisateur:
    return Utilisateur.objects.create_superuser("admin", password="essai-essai")
