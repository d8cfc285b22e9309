"""Pages of déchetteries: who sees and changes what, hand edits, import with its report."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from déchetteries.forms import ImportForm
from déchetteries.importation import CentreLu, write_centres
from déchetteries.models import Dechetterie, RegleAcces
from territoires.models import Utilisateur

from .conftest import Territoire, mairie
from .test_importation import ENTETE, ligne

pytestmark = pytest.mark.django_db


@pytest.fixture
def client_agent(client: Client, agent: Utilisateur) -> Client:
    client.force_login(agent)
    return client


def champs(centre: Dechetterie, **changes: Any) -> dict[str, Any]:
    """What the form of a centre sends."""
    return {
        "code": centre.code, "nom": centre.nom, "proprietaire": centre.proprietaire_id, "lon": "4,078", "lat": "45,44",
        "adresse": "", "capacite_visites_an": "", "capacite_t_an": "", "cout_fixe_an": "", "horaires": "",
        "dechets_texte": "", "active": "on",
    } | changes  # fmt: skip


def test_nothing_without_an_account(client: Client, territoire: Territoire) -> None:
    for nom, args in (
        ("dechetteries", []),
        ("dechetterie", [territoire.centres["D1"].pk]),
        ("dechetteries-importer", []),
    ):
        reponse = client.get(reverse(nom, args=args))
        assert reponse.status_code == 302
        assert reverse("connexion") in reponse["Location"]


def test_the_list_is_read_in_a_few_queries(
    client_agent: Client, territoire: Territoire, django_assert_max_num_queries: Any
) -> None:
    Dechetterie.objects.bulk_create(
        Dechetterie(code=f"X{k}", nom=f"Centre X{k}", proprietaire=territoire.epci["200000001"], geom=mairie(0))
        for k in range(30)
    )
    with django_assert_max_num_queries(6):
        reponse = client_agent.get(reverse("dechetteries"))
    page = reponse.content.decode()
    assert "33 déchetteries" in page
    assert page.count("<tr>") == 34
    assert "1 déchetterie<" in client_agent.get(reverse("dechetteries"), {"q": "D3"}).content.decode()
    assert (
        "Aucune déchetterie ne correspond" in client_agent.get(reverse("dechetteries"), {"q": "zzz"}).content.decode()
    )


def test_agents_change_their_own_side_only(client_agent: Client, territoire: Territoire) -> None:
    sien, autre = territoire.centres["D1"], territoire.centres["D3"]
    assert client_agent.get(reverse("dechetterie", args=[autre.pk])).status_code == 200
    assert client_agent.get(reverse("dechetterie-modifier", args=[autre.pk])).status_code == 403
    assert client_agent.post(reverse("dechetterie-supprimer", args=[autre.pk])).status_code == 403
    assert client_agent.post(reverse("dechetterie-regle", args=[autre.pk]), {}).status_code == 403
    assert client_agent.get(reverse("dechetterie-modifier", args=[sien.pk])).status_code == 200
    assert client_agent.get(reverse("dechetterie", args=[0])).status_code == 404


def test_a_hand_edit_survives_the_next_import(client_agent: Client, territoire: Territoire) -> None:
    centre = territoire.centres["D1"]
    reponse = client_agent.post(
        reverse("dechetterie-modifier", args=[centre.pk]),
        champs(centre, capacite_visites_an="9000", dechets_texte="bois, verre", cout_fixe_an="45000,5"),
    )
    assert reponse.status_code == 302, reponse.content.decode()
    centre.refresh_from_db()
    assert centre.capacite_visites_an == 9000
    assert centre.dechets == ["bois", "verre"]
    assert centre.champs_manuels == ["capacite_visites_an", "cout_fixe_an", "dechets", "geom"]
    place = centre.geom
    assert place.x == pytest.approx(784_000, abs=3_000)
    write_centres([CentreLu("D1", "Nouveau nom", centre.proprietaire_id, 0.0, 0.0, capacite_visites_an=1)])
    centre.refresh_from_db()
    assert (centre.nom, centre.capacite_visites_an) == ("Nouveau nom", 9000)
    assert centre.geom == place
    page = client_agent.get(reverse("dechetterie", args=[centre.pk])).content.decode()
    assert "Corrigé à la main" in page and "capacité (visites par an)" in page
    client_agent.post(reverse("dechetterie-rendre", args=[centre.pk]))
    centre.refresh_from_db()
    assert centre.champs_manuels == []


@pytest.mark.parametrize(
    ("changes", "mot"),
    [
        ({"lon": "-4,9", "lat": "47,9"}, "aucune commune connue"),
        ({"lon": "40"}, "hors de la France"),
        ({"lon": "est"}, "nombre"),
        ({"capacite_visites_an": "-3"}, "supérieure ou égale à 0"),
        ({"nom": ""}, "obligatoire"),
        ({"dechets_texte": "x" * 61}, "60 caractères"),
    ],
)
def test_what_a_form_refuses_is_said_beside_the_field(
    client_agent: Client, territoire: Territoire, changes: dict[str, str], mot: str
) -> None:
    centre = territoire.centres["D1"]
    reponse = client_agent.post(reverse("dechetterie-modifier", args=[centre.pk]), champs(centre, **changes))
    assert reponse.status_code == 400
    assert mot in reponse.content.decode()
    centre.refresh_from_db()
    assert centre.champs_manuels == []


def test_add_and_delete(client_agent: Client, territoire: Territoire) -> None:
    neuve = Dechetterie(code="N1", nom="Neuve", proprietaire=territoire.epci["200000002"])
    reponse = client_agent.post(reverse("dechetterie-nouvelle"), champs(neuve))
    assert reponse.status_code == 302, reponse.content.decode()
    centre = Dechetterie.objects.get(code="N1")
    assert centre.source == "Saisie à la main"
    d_en_face = champs(neuve, code="N2", proprietaire=territoire.epci["200000003"].pk)
    assert client_agent.post(reverse("dechetterie-nouvelle"), d_en_face).status_code == 400
    client_agent.post(reverse("dechetterie-supprimer", args=[centre.pk]))
    assert not Dechetterie.objects.filter(code="N1").exists()


def test_access_rules_of_a_centre(client_agent: Client, territoire: Territoire) -> None:
    centre = territoire.centres["D1"]
    adresse = reverse("dechetterie-regle", args=[centre.pk])
    voisin = territoire.epci["200000003"].pk
    client_agent.post(adresse, {"collectivite": voisin, "autorise": "on", "source": "Convention"})
    client_agent.post(adresse, {"collectivite": voisin, "source": "Refus"})
    regle = RegleAcces.objects.get()
    assert (regle.autorise, regle.source) == (False, "Refus")
    assert "exclu" in client_agent.get(reverse("dechetterie", args=[centre.pk])).content.decode()
    reponse = client_agent.post(adresse, {"collectivite": "0"}, follow=True)
    assert "message-error" in reponse.content.decode()
    client_agent.post(reverse("dechetterie-regle-supprimer", args=[regle.pk]))
    assert not RegleAcces.objects.exists()


def _send(client: Client, texte: str, genre: str = "centres", nom: str = "centres.csv") -> tuple[int, str]:
    fichier = SimpleUploadedFile(nom, texte.encode("latin-1"))
    reponse = client.post(reverse("dechetteries-importer"), {"genre": genre, "fichier": fichier})
    return reponse.status_code, reponse.content.decode()


def test_import_with_its_report(client_agent: Client, territoire: Territoire) -> None:
    statut, page = _send(client_agent, "\n".join([ENTETE, ligne("À nous", 1, "200000001", "100", "")]))
    assert statut == 200
    assert "Import réussi : 1 ligne créée" in page
    faux = "\n".join([ENTETE, ligne("Bon", 2, "200000002", "1", ""), ligne("Faux", 1, "999", "1", "", dy=2500.0)])
    statut, page = _send(client_agent, faux)
    assert statut == 400
    assert "rien n'a été écrit" in page.replace("&#x27;", "'")
    assert "collectivité inconnue" in page
    assert not Dechetterie.objects.filter(nom="Bon").exists()


def test_an_agent_cannot_import_the_neighbour_s_centres(client_agent: Client, territoire: Territoire) -> None:
    statut, page = _send(client_agent, "\n".join([ENTETE, ligne("En face", 4, "200000003", "100", "")]))
    assert statut == 400
    assert "ne peut pas modifier les déchetteries de ce propriétaire" in page
    # Nor take one over by writing its code with one's own collectivité.
    vol = f"code;nom;longitude;latitude;proprietaire\nD3;{ligne('Prise', 1, '200000001')}"
    assert _send(client_agent, vol)[0] == 400
    assert Dechetterie.objects.get(code="D3").proprietaire == territoire.epci["200000003"]
    assert _send(client_agent, "centre;collectivite;autorise\nD1;43;oui", "regles")[0] == 400


def test_an_administrator_imports_rules_and_points(
    client: Client, administrateur: Utilisateur, territoire: Territoire
) -> None:
    client.force_login(administrateur)
    assert _send(client, "centre;collectivite;autorise\nD1;43;oui", "regles")[0] == 200
    assert RegleAcces.objects.count() == 1
    assert _send(client, "code;population;x;y\na;10;785000;6485000", "points")[0] == 200


def test_too_large_a_file_is_refused(
    client_agent: Client, territoire: Territoire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImportForm, "TAILLE_MAX", 3)
    assert "Fichier trop gros" in _send(client_agent, "nom;longitude;latitude")[1]


def test_the_list_downloads_in_the_layout_an_import_reads(
    client: Client, administrateur: Utilisateur, territoire: Territoire
) -> None:
    client.force_login(administrateur)
    octets = client.get(reverse("dechetteries-csv")).content
    avant = {d.code: (d.nom, d.geom.coords) for d in Dechetterie.objects.all()}
    fichier = SimpleUploadedFile("liste.csv", octets)
    reponse = client.post(reverse("dechetteries-importer"), {"genre": "centres", "fichier": fichier})
    assert "3 mises à jour" in reponse.content.decode()
    for d in Dechetterie.objects.all():
        assert d.nom == avant[d.code][0]
        assert d.geom.coords == pytest.approx(avant[d.code][1], abs=0.2)


def test_an_account_of_no_collectivite_reads_only(client: Client, territoire: Territoire) -> None:
    client.force_login(Utilisateur.objects.create_user("passant", password="essai-essai"))
    assert client.get(reverse("dechetteries")).status_code == 200
    assert client.get(reverse("dechetterie-nouvelle")).status_code == 403
    assert client.get(reverse("dechetteries-importer")).status_code == 403
