"""Pages of zones: who may do what, what they show, what is downloaded."""

from __future__ import annotations

import csv
import io

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from territoires.models import Collectivite, Etude, Utilisateur, ZoneLimitrophe
from territoires.zones import DemandeZone, create_zone

from .fabrique import HAUTEUR, code, install, roads

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def territoire(db: None) -> None:
    cache.clear()
    install()


@pytest.fixture
def zone() -> ZoneLimitrophe:
    return create_zone(DemandeZone("Au bord", "distance", ["42", "43"], distance_m=10))[0]


def signed_in(collectivite: str | None = "42") -> Client:
    client = Client()
    appartient = Collectivite.objects.get(type="departement", code=collectivite) if collectivite else None
    client.force_login(Utilisateur.objects.create_user(f"agent-{collectivite}", password="x", collectivite=appartient))
    return client


def formulaire(**champs: object) -> dict[str, object]:
    ids = list(Collectivite.objects.filter(type="departement").order_by("code").values_list("pk", flat=True))
    return {"nom": "Nouvelle", "collectivites": ids, "mode": "distance", "distance_km": "2,5", **champs}


def test_strangers_are_sent_to_sign_in(client: Client, zone: ZoneLimitrophe) -> None:
    for nom, args in (("zones", []), ("zone", [zone.code]), ("zone-portrait-csv", [zone.code]), ("zone-nouvelle", [])):
        reponse = client.get(reverse(nom, args=args))
        assert reponse.status_code == 302 and "/connexion/" in reponse.url


def test_list_and_page(zone: ZoneLimitrophe) -> None:
    client = signed_in()
    assert "Au bord" in client.get(reverse("zones")).content.decode()
    page = client.get(reverse("zone", args=[zone.code])).content.decode()
    for texte in (
        "Portrait croisé",
        "Loire (42)",
        "Haute-Loire (43)",
        "Ensemble",
        "Commune 2-0",
        "0,0 km",
        "Recalculer",
    ):
        assert texte in page, texte
    assert "fictif" not in page
    assert client.get(reverse("zone", args=["absente"])).status_code == 404


def test_fictive_data_is_marked(zone: ZoneLimitrophe) -> None:
    ZoneLimitrophe.objects.update(fictif=True)
    client = signed_in()
    assert "fictif" in client.get(reverse("zone", args=[zone.code])).content.decode()
    entete = client.get(reverse("zone-portrait-csv", args=[zone.code])).headers["Content-Disposition"]
    assert "fictif" in entete


def test_csv_opens_in_a_french_spreadsheet(zone: ZoneLimitrophe) -> None:
    client = signed_in()
    octets = client.get(reverse("zone-portrait-csv", args=[zone.code])).content
    assert octets.startswith(b"\xef\xbb\xbf")
    lignes = list(csv.reader(io.StringIO(octets.decode("utf-8-sig")), delimiter=";"))
    assert lignes[0] == ["Donnée", "Unité", "Loire (42)", "Haute-Loire (43)", "Ensemble"]
    donnees = {ligne[0]: ligne[2:] for ligne in lignes[1:]}
    assert donnees["Communes"] == [str(HAUTEUR), str(HAUTEUR), str(2 * HAUTEUR)]
    assert donnees["Superficie"][0].replace(",", ".").replace(".", "", 1).isdigit() and "," in donnees["Superficie"][0]
    communes = client.get(reverse("zone-communes-csv", args=[zone.code])).content.decode("utf-8-sig")
    assert len(communes.strip().splitlines()) == 1 + 2 * HAUTEUR and "42020" in communes


def test_page_has_a_constant_number_of_queries(zone: ZoneLimitrophe) -> None:
    entiere, _ = create_zone(DemandeZone("Entière", "entiere", ["42", "43"]))
    client = signed_in()
    comptes = []
    for objet in (zone, entiere):
        with CaptureQueriesContext(connection) as requetes:
            client.get(reverse("zone", args=[objet.code]))
        comptes.append(len(requetes))
    assert comptes[0] == comptes[1] <= 14


def test_preview_lists_communes_or_says_what_is_missing() -> None:
    client = signed_in()
    adresse = reverse("zone-apercu")
    reponse = client.get(adresse, {**formulaire(), "nom": ""}).content.decode()
    assert f"{4 * HAUTEUR} communes" in reponse and "Commune 1-0" in reponse
    assert "Donnez la distance" in client.get(adresse, formulaire(distance_km="")).content.decode()
    une = formulaire()
    une["collectivites"] = une["collectivites"][:1]  # type: ignore[index]
    assert "Choisissez de 2 à 12" in client.get(adresse, une).content.decode()
    assert "code de commune inconnu" in client.get(adresse, formulaire(mode="liste", communes="42999")).content.decode()
    assert not ZoneLimitrophe.objects.exists()


def test_the_only_network_is_proposed() -> None:
    client = signed_in()
    assert client.get(reverse("zone-nouvelle")).context["form"]["reseau"].initial is None
    reseau = roads()
    assert client.get(reverse("zone-nouvelle")).context["form"]["reseau"].initial == reseau.pk


def test_create_after_a_preview() -> None:
    client = signed_in()
    adresse = reverse("zone-nouvelle")
    assert client.get(adresse).status_code == 200
    apercu = client.post(adresse, formulaire(apercu="1"))
    assert apercu.status_code == 200 and "Commune 1-0" in apercu.content.decode()
    assert not ZoneLimitrophe.objects.exists()
    reponse = client.post(adresse, formulaire(), follow=True)
    assert reponse.redirect_chain == [(reverse("zone", args=["nouvelle"]), 302)]
    assert ZoneLimitrophe.objects.get().distance_m == 2500
    encore = client.post(adresse, formulaire())
    assert encore.status_code == 422 and "Une zone a déjà ce nom" in encore.content.decode()


@pytest.mark.parametrize(
    ("champs", "message"),
    [
        ({"nom": ""}, "obligatoire"),
        ({"distance_km": "-3"}, "supérieure ou égale à 0"),
        ({"mode": "temps", "temps_min": "15"}, "demande un réseau routier"),
        ({"mode": "liste", "communes": ""}, "codes INSEE des communes"),
        ({"mode": "liste", "communes": "42000, 42999"}, "valeur « 42999 » : code de commune inconnu"),
    ],
)
def test_faults_of_the_form(champs: dict[str, object], message: str) -> None:
    reponse = signed_in().post(reverse("zone-nouvelle"), formulaire(**champs))
    assert reponse.status_code == 422
    assert message in reponse.content.decode()
    assert not ZoneLimitrophe.objects.exists()


def test_an_agent_without_collectivite_reads_only(zone: ZoneLimitrophe) -> None:
    client = signed_in(None)
    page = client.get(reverse("zone", args=[zone.code]))
    assert page.status_code == 200 and "Recalculer" not in page.content.decode()
    assert client.get(reverse("zone-nouvelle")).status_code == 403
    for nom in ("zone-recalculer", "zone-supprimer"):
        assert client.post(reverse(nom, args=[zone.code])).status_code == 403
    assert ZoneLimitrophe.objects.filter(pk=zone.pk).exists()


def test_an_agent_of_elsewhere_may_not_write(zone: ZoneLimitrophe) -> None:
    Collectivite.objects.create(type="departement", code="63", nom="Puy-de-Dôme")
    assert signed_in("63").post(reverse("zone-supprimer", args=[zone.code])).status_code == 403


def test_compute_again_and_delete(zone: ZoneLimitrophe) -> None:
    client = signed_in()
    assert client.get(reverse("zone-recalculer", args=[zone.code])).status_code == 405
    reponse = client.post(reverse("zone-recalculer", args=[zone.code]), follow=True)
    assert f"Zone recalculée : {2 * HAUTEUR} communes" in reponse.content.decode()
    etude = Etude.objects.create(titre="Étude", operation="x", zone=zone, partition=[])
    reponse = client.post(reverse("zone-supprimer", args=[zone.code]), follow=True)
    assert "supprimez-les d'abord" in reponse.content.decode().replace("&#x27;", "'")
    etude.delete()
    client.post(reverse("zone-supprimer", args=[zone.code]))
    assert not ZoneLimitrophe.objects.exists()


def test_a_zone_that_cannot_be_computed_any_more_says_why(zone: ZoneLimitrophe) -> None:
    zone.communes.model.objects.filter(departement__code="43").update(active=False)
    reponse = signed_in().post(reverse("zone-recalculer", args=[zone.code]), follow=True)
    assert "Haute-Loire (43)" in reponse.content.decode()
    assert zone.communes.filter(code=code(2, 0)).exists()
