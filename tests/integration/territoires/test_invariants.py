"""What the database refuses, whoever writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.gis.geos import LineString, MultiLineString
from django.db import IntegrityError, transaction

from geodata.models import ImportReseau, Reseau
from territoires.models import Collectivite, Commune, Limite, LimiteCommune

pytestmark = pytest.mark.django_db


def _limite(longueur_m: float) -> Limite:
    a, b = (Collectivite.objects.create(type="departement", code=code, nom=code) for code in ("42", "43"))
    trace = MultiLineString(LineString((0, 0), (100, 0)), srid=2154)
    return Limite.objects.create(collectivite_a=a, collectivite_b=b, geom=trace, longueur_m=longueur_m)


def _cote(longueur_m: float) -> LimiteCommune:
    limite = _limite(100.0)
    commune = Commune.objects.create(code="42001", nom="A", departement=limite.collectivite_a)
    return LimiteCommune.objects.create(
        limite=limite, commune=commune, collectivite=limite.collectivite_a, longueur_m=longueur_m
    )


def _import(etat: str) -> ImportReseau:
    reseau = Reseau.objects.create(code="essai", nom="Essai")
    return ImportReseau.objects.create(reseau=reseau, format="osm", fichier="a.pbf", empreinte="", etat=etat)


@pytest.mark.parametrize(
    ("make", "good", "bad", "constraint"),
    [
        (_limite, 100.0, 0.0, "limite_longueur"),
        (_cote, 100.0, -1.0, "limite_commune_longueur"),
        (_import, "reussi", "inconnu", "import_reseau_etat"),
    ],
)
def test_bad_rows_are_refused(make: Callable[[Any], object], good: Any, bad: Any, constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        make(bad)
    assert make(good)
