"""Administration: hand edits are noted and survive the next import."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from territoires.importation.ecriture import write
from territoires.models import Collectivite, Commune, Limite, Utilisateur, ZoneLimitrophe
from territoires.zones import DemandeZone, create_zone

from .fabrique import SUD, install, territory

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(db: None) -> Client:
    install()
    client = Client()
    client.force_login(Utilisateur.objects.create_superuser("chef", password="x"))
    return client


def post(client: Client, commune: Commune, **champs: object) -> int:
    page = client.get(reverse("admin:territoires_commune_change", args=[commune.pk]))
    initial = {nom: page.context["adminform"].form[nom].value() for nom in page.context["adminform"].form.fields}
    donnees = {nom: "" if valeur is None else valeur for nom, valeur in {**initial, **champs}.items()}
    donnees["champs_manuels"] = (
        ",".join(initial["champs_manuels"] or []) if "champs_manuels" not in champs else champs["champs_manuels"]
    )
    reponse = client.post(reverse("admin:territoires_commune_change", args=[commune.pk]), donnees)
    return reponse.status_code


def test_a_correction_is_noted_and_kept(client: Client) -> None:
    commune = Commune.objects.get(code="42000")
    assert post(client, commune, nom="Nom corrigé", longitude="4.1", latitude="45.5") == 302
    commune.refresh_from_db()
    assert commune.champs_manuels == ["mairie", "nom"]
    write(territory())
    encore = Commune.objects.get(code="42000")
    assert encore.nom == "Nom corrigé" and encore.mairie == commune.mairie
    # The agent gives the name back to the imports.
    assert post(client, encore, champs_manuels="mairie") == 302
    write(territory())
    assert Commune.objects.get(code="42000").nom == "Commune 0-0"


def test_saving_without_a_change_notes_nothing(client: Client) -> None:
    commune = Commune.objects.get(code="42000")
    assert post(client, commune) == 302
    commune.refresh_from_db()
    assert commune.champs_manuels == []


@pytest.mark.parametrize(
    "champs", [{"longitude": "4"}, {"longitude": "", "latitude": "45"}, {"longitude": "100", "latitude": "45"}]
)
def test_a_position_must_be_whole_and_in_france(client: Client, champs: dict[str, str]) -> None:
    commune = Commune.objects.get(code="42000")
    donnees = {"latitude": "", **champs}
    assert post(client, commune, **donnees) == 200
    commune.refresh_from_db()
    assert commune.champs_manuels == []


def test_every_list_and_page_opens(client: Client) -> None:
    create_zone(DemandeZone("Au bord", "distance", ["42", "43"], distance_m=10))
    for modele in (Collectivite, Commune, Limite, ZoneLimitrophe):
        nom = modele._meta.model_name
        assert client.get(reverse(f"admin:territoires_{nom}_changelist"), {"q": "o"}).status_code == 200
        objet = modele.objects.all()[0]
        assert client.get(reverse(f"admin:territoires_{nom}_change", args=[objet.pk])).status_code == 200


def test_actions_compute_again(client: Client) -> None:
    zone, _ = create_zone(DemandeZone("Au bord", "distance", ["42", "43"], distance_m=10))
    Commune.objects.filter(code="42020").update(active=False)
    adresse = reverse("admin:territoires_zonelimitrophe_changelist")
    client.post(adresse, {"action": "recalculer", "_selected_action": [zone.pk]})
    assert not zone.communes.filter(code="42020").exists()
    sud = Collectivite.objects.get(code=SUD)
    avant = sud.geom.area
    adresse = reverse("admin:territoires_collectivite_changelist")
    client.post(adresse, {"action": "recalculer", "_selected_action": [sud.pk]})
    sud.refresh_from_db()
    assert sud.geom.area < avant
