"""Pages, downloads and API of studies, and who may do what on them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from territoires.etudes import creer_etude, demander_passage
from territoires.models import Collectivite, Etude, PassageEtude, Utilisateur, ZoneLimitrophe
from territoires.passages import run_etude

Comptes = Callable[[str | None], Utilisateur]


@pytest.fixture
def agent(client: Client, compte: Comptes) -> Client:
    """Signed in for département 01."""
    client.force_login(compte("01"))
    return client


@pytest.fixture
def calculee(etude: Etude) -> Etude:
    """A study with a finished run."""
    passage = run_etude(demander_passage(etude, enfile=False))
    assert passage.etat == "reussi"
    return etude


LECTURE = [
    "etudes",
    "etude",
    "etude-comparaison",
    "etude-csv",
    "etude-xlsx",
    "etude-couches",
    "api-etudes",
    "api-etude",
    "api-resultats",
]


def address(name: str, etude: Etude) -> str:
    return reverse(name) if name in {"etudes", "api-etudes"} else reverse(name, args=(etude.pk,))


@pytest.mark.parametrize("name", LECTURE)
def test_signed_in_reads_and_nobody_else(client: Client, compte: Comptes, calculee: Etude, name: str) -> None:
    refused = client.get(address(name, calculee))
    if name.startswith("api-") or name == "etude-couches":
        assert refused.status_code == 401
        assert "erreur" in refused.json()
    else:
        assert refused.status_code == 302
        assert refused.url.startswith(reverse("connexion"))
    client.force_login(compte(None))
    assert client.get(address(name, calculee)).status_code == 200


@pytest.mark.parametrize(
    ("code", "allowed"), [("01", True), ("03", True), ("99", False), (None, False)], ids=["a", "b", "voisin", "sans"]
)
def test_both_sides_write_and_others_do_not(
    client: Client, compte: Comptes, etude: Etude, code: str | None, allowed: bool
) -> None:
    Collectivite.objects.create(type="departement", code="99", nom="Voisin")
    client.force_login(compte(code))
    data = {"graine": 1, "nb_graines": 1, "limite_s": 10, "avec_coalitions": "on"}
    response = client.post(reverse("etude-lancer", args=(etude.pk,)), data)
    assert response.status_code == (302 if allowed else 403)
    assert etude.passages.exists() == allowed
    passage = etude.passages.first() or demander_passage(etude, enfile=False)
    response = client.post(reverse("passage-annuler", args=(passage.pk,)))
    assert response.status_code == (302 if allowed else 403)
    passage.refresh_from_db()
    assert (passage.etat == "annule") == allowed
    if not allowed:
        assert "réservée" in response.content.decode()
        assert client.get(reverse("etude-nouvelle")).status_code == (403 if code is None else 200)
    PassageEtude.objects.filter(pk=passage.pk).update(etat="annule")
    assert client.post(reverse("etude-supprimer", args=(etude.pk,))).status_code == (302 if allowed else 403)
    assert Etude.objects.exists() != allowed


def test_writes_are_posts(agent: Client, etude: Etude) -> None:
    for name in ("etude-lancer", "etude-supprimer"):
        assert agent.get(reverse(name, args=(etude.pk,))).status_code == 405


def test_superuser_may_all_and_inactive_nothing(client: Client, compte: Comptes, etude: Etude) -> None:
    user = compte(None)
    Utilisateur.objects.filter(pk=user.pk).update(is_superuser=True)
    client.force_login(user)
    assert (
        client.post(
            reverse("etude-lancer", args=(etude.pk,)), {"graine": 1, "nb_graines": 1, "limite_s": 9}
        ).status_code
        == 302
    )
    assert etude.passages.get().auteur == user
    Utilisateur.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get(reverse("etudes")).status_code == 302


def test_sign_in_and_out(client: Client, compte: Comptes, etude: Etude) -> None:
    compte("01")
    wanted = reverse("etude", args=(etude.pk,))
    page = client.get(wanted)
    wrong = client.post(page.url, {"username": "agent-01", "password": "autre"})
    assert wrong.status_code == 200
    response = client.post(page.url, {"username": "agent-01", "password": "essai-essai", "next": wanted})
    assert response.url == wanted
    assert "Département 01" in client.get(wanted).content.decode()
    assert client.get(reverse("deconnexion")).status_code == 405
    assert client.post(reverse("deconnexion")).status_code == 302
    assert client.get(wanted).status_code == 302


def form_data(zone: ZoneLimitrophe, groups: dict[str, str], **more: str) -> dict[str, str]:
    """What the browser sends: a radio by collectivité."""
    rows = {f"groupe-{one.pk}": groups.get(one.code, "hors") for one in zone.collectivites.all()}
    return {
        "titre": "Étude saisie",
        "euro_km": "1.5",
        "euro_site": "50000",
        "attente_s": "0",
        "autres": "0",
        "suite": "lancer",
        **rows,
        **more,
    }


def test_study_made_on_the_page(agent: Client, zone: ZoneLimitrophe) -> None:
    url = reverse("etude-nouvelle") + "?operation=mediane&zone=essai"
    page = agent.get(url).content.decode()
    assert page.count("data-collectivite=") == 3
    response = agent.post(url, form_data(zone, {"01": "A", "02": "A", "03": "seule"}))
    etude = Etude.objects.get()
    assert response.url == reverse("etude", args=(etude.pk,))
    assert etude.partition == [["01", "02"], ["03"]]
    assert etude.parametres["euro_km"] == "1.5"
    assert etude.auteur is not None
    assert etude.proprietaire == Collectivite.objects.get(code="01")
    assert etude.passages.get().lots.count() == 4
    again = agent.get(response.url).content.decode()
    assert "Département 01 + Département 02" in again
    assert "en attente" in again


@pytest.mark.parametrize(
    ("groups", "more", "words"),
    [
        ({"01": "A"}, {}, "Choisissez de 2 à 12"),
        ({"01": "A", "02": "A"}, {"titre": ""}, "obligatoire"),
        ({"01": "A", "02": "Z"}, {}, "choix"),
        ({"01": "A", "02": "A"}, {"euro_km": "-3"}, "supérieure"),
    ],
)
def test_bad_form_says_where(
    agent: Client, zone: ZoneLimitrophe, groups: dict[str, str], more: dict[str, str], words: str
) -> None:
    url = reverse("etude-nouvelle") + "?operation=mediane&zone=essai"
    response = agent.post(url, form_data(zone, groups, **more))
    assert response.status_code == 400
    assert words in response.content.decode()
    assert not Etude.objects.exists()


def test_copy_keeps_what_is_not_changed(agent: Client, calculee: Etude, zone: ZoneLimitrophe) -> None:
    url = reverse("etude-dupliquer", args=(calculee.pk,))
    assert "(copie)" in agent.get(url).content.decode()
    agent.post(url, form_data(zone, {"01": "seule", "02": "A", "03": "A"}, suite="creer"))
    copy = Etude.objects.exclude(pk=calculee.pk).get()
    assert copy.origine == calculee
    assert copy.partition == [["01"], ["02", "03"]]
    assert not copy.passages.exists()


def test_progress_as_json(agent: Client, passage: PassageEtude) -> None:
    values = agent.get(reverse("passage-etat", args=(passage.pk,))).json()
    assert values["etat"] == "en_attente"
    assert values["termine"] is False
    assert (values["blocs_faits"], values["blocs"]) == (0, 7)
    run_etude(passage)
    values = agent.get(reverse("passage-etat", args=(passage.pk,))).json()
    assert values["etat"] == "reussi"
    assert values["pourcent"] == 100
    assert "contrôle passé" in values["journal"]


def test_comparison_page_answers_the_four_questions(agent: Client, calculee: Etude) -> None:
    page = agent.get(reverse("etude-comparaison", args=(calculee.pk,))).content.decode().replace("\u202f", " ")
    for words in (
        "Le service est-il plus efficace ?",
        "Cela fait-il des économies ?",
        "Est-ce mieux pour les habitants ?",
        "Cela supprime-t-il une incohérence ?",
        "Distance moyenne au site",
        "Où sont les sites",
        "Valeur de Shapley",
        "Nombre de sites",
        "Ces chiffres peuvent être refaits",
        calculee.passages.get().empreinte,
    ):
        assert words in page, words


def test_key_chosen_in_the_address(agent: Client, calculee: Etude) -> None:
    url = reverse("api-resultats", args=(calculee.pk,))
    shapley = agent.get(url).json()["partage"]
    assert shapley["cle"] == "Valeur de Shapley"
    people = agent.get(url, {"cle-habitants": "1"}).json()["partage"]
    mixed = agent.get(url, {"cle-habitants": "50", "cle-shapley": "50"}).json()["partage"]
    total = {
        name: sum(round(100 * float(part["paye"])) for part in table["parts"])
        for name, table in {"s": shapley, "p": people, "m": mixed}.items()
    }
    assert len(set(total.values())) == 1
    for one, two, three in zip(shapley["parts"], people["parts"], mixed["parts"], strict=True):
        assert abs(float(three["paye"]) - (float(one["paye"]) + float(two["paye"])) / 2) < 0.02
    assert sum(round(100 * float(part["transfert"])) for part in shapley["parts"]) == pytest.approx(0, abs=3)
    for bad, words in (
        ({"cle-x": "1"}, "inconnue"),
        ({"cle-habitants": "a"}, "nombre"),
        ({"cle-habitants": "-1"}, "positif"),
    ):
        assert words in agent.get(url, bad).json()["partage"]["erreur"]
        page = agent.get(reverse("etude-comparaison", args=(calculee.pk,)), bad)
        assert page.status_code == 200
        assert words in page.content.decode()


def test_points_of_a_front_are_kept_checked_and_compared(agent: Client, zone: ZoneLimitrophe) -> None:
    etude = creer_etude("Front", "mediane", zone, zone.collectivites.all(), parametres={"autres": 2})
    passage = run_etude(demander_passage(etude, enfile=False))
    assert passage.etat == "reussi", passage.message
    rows = passage.resultats.filter(bloc=["01", "02", "03"]).order_by("variante")
    assert [row.variante for row in rows] == [0, 1, 2]
    assert rows[0].cout <= rows[1].cout <= rows[2].cout
    assert rows[1].libelle.startswith("Site sur le point")
    assert not passage.resultats.filter(bloc=["01", "02"], variante__gt=0).exists()
    url = reverse("etude-comparaison", args=(etude.pk,))
    assert rows[2].libelle in agent.get(url).content.decode()
    page = agent.get(url, {"plan": rows[2].pk}).content.decode()
    assert "variante" in page
    found = agent.get(reverse("api-resultats", args=(etude.pk,)), {"plan": rows[2].pk}).json()
    assert found["couts"]["mutualise"]["cout"] == str(rows[2].cout)
    assert found["couts"]["mutualise"]["optimal"] is False
    assert found["couts"]["mutualise"]["borne"] == str(rows[0].cout)


def test_without_coalitions_shapley_says_what_is_missing(agent: Client, etude: Etude) -> None:
    run_etude(demander_passage(etude, enfile=False, avec_coalitions=False))
    page = agent.get(reverse("etude-comparaison", args=(etude.pk,)))
    assert page.status_code == 200
    text = page.content.decode()
    assert "coalition(s) n&#x27;est pas connu" in text
    assert "stabilité de ce partage n'est pas vérifiée" in text
    found = agent.get(reverse("api-resultats", args=(etude.pk,))).json()["partage"]
    assert found["cle"] == "Habitants"
    assert found["objections"] is None


def test_sharing_of_two_groups(agent: Client, zone: ZoneLimitrophe) -> None:
    etude = creer_etude("Deux", "mediane", zone, zone.collectivites.all(), partition=[["01", "02"], ["03"]])
    run_etude(demander_passage(etude, enfile=False))
    found = agent.get(reverse("api-resultats", args=(etude.pk,))).json()
    alone = found["partage"]["parts"][2]
    assert alone["collectivite"] == "03"
    assert float(alone["gain_total"]) == 0
    assert float(alone["transfert"]) == 0
    one, two = found["partage"]["parts"][:2]
    assert float(one["transfert"]) == pytest.approx(-float(two["transfert"]), abs=0.011)
    assert float(one["gain_total"]) == pytest.approx(float(two["gain_total"]), abs=0.011)


def test_waiting_run_says_that_no_worker_is_there(agent: Client, passage: PassageEtude) -> None:
    assert "Aucun calculateur" in agent.get(reverse("passage-etat", args=(passage.pk,))).json()["message"]
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
    assert "Aucun calculateur" not in agent.get(reverse("passage-etat", args=(passage.pk,))).json()["message"]


def test_keys_that_every_service_has(agent: Client, calculee: Etude) -> None:
    kept = calculee.passages.get().synthese["cles"]
    assert kept == {"habitants": {"01": 4600.0, "02": 8600.0, "03": 12600.0}}
    text = agent.get(reverse("etude-comparaison", args=(calculee.pk,))).content.decode()
    assert 'name="cle-habitants"' in text
    assert 'name="cle-kilometres"' not in text
    PassageEtude.objects.update(synthese={"cles": {**kept, "kilometres": {"01": 3.0, "02": 1.0, "03": 0.0}}})
    parts = agent.get(reverse("api-resultats", args=(calculee.pk,)), {"cle-kilometres": 1}).json()["partage"]["parts"]
    assert [part["paye"] for part in parts] == ["37500.00", "12500.00", "0.00"]


def test_study_without_result_has_no_comparison(agent: Client, etude: Etude) -> None:
    sent_back = agent.get(reverse("etude-comparaison", args=(etude.pk,)), follow=True)
    assert "pas encore de résultat" in sent_back.content.decode()
    for name in ("etude-csv", "api-resultats", "etude-couches"):
        assert agent.get(reverse(name, args=(etude.pk,))).status_code == 404
    assert agent.get(reverse("etude-comparaison", args=(10**6,))).status_code == 404


def test_results_of_another_version_ask_for_a_new_run(agent: Client, calculee: Etude) -> None:
    calculee.passages.get().resultats.update(solution=b"\x00")
    for name in ("etude-comparaison", "etude-xlsx"):
        page = agent.get(reverse(name, args=(calculee.pk,)), follow=True)
        assert "autre version du logiciel" in page.content.decode()
    assert agent.get(reverse("etude-export", args=(calculee.pk, "sites"))).status_code == 302
    for name in ("etude-couches", "api-resultats"):
        response = agent.get(reverse(name, args=(calculee.pk,)))
        assert response.status_code == 409
        assert "refaites" in response.json()["erreur"]


@pytest.mark.parametrize("query", ["passage=x", "passage=999999", "plan=999999"])
def test_address_of_something_else_is_not_found(agent: Client, calculee: Etude, query: str) -> None:
    assert agent.get(reverse("etude-comparaison", args=(calculee.pk,)) + "?" + query).status_code == 404


def test_csv_as_spreadsheets_read_it(agent: Client, calculee: Etude) -> None:
    response = agent.get(reverse("etude-csv", args=(calculee.pk,)))
    text = response.content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert rows[0][0] == "Question"
    cost = next(row for row in rows if row[1] == "Coût annuel du service")
    couts = calculee.passages.get().synthese["couts"]
    assert cost[5:7] == [couts["cloisonne"].replace(".", ","), couts["mutualise"].replace(".", ",")]
    assert sum(row[1] == "distance moyenne au site" for row in rows) == 4
    assert not any(cell.startswith("'") for row in rows for cell in row)
    again = agent.get(reverse("etude-csv", args=(calculee.pk,)))
    assert again.content == response.content


def test_workbook(agent: Client, calculee: Etude) -> None:
    Etude.objects.filter(pk=calculee.pk).update(titre="=1+1")
    response = agent.get(reverse("etude-xlsx", args=(calculee.pk,)))
    book = openpyxl.load_workbook(io.BytesIO(response.content))
    assert book.sheetnames == ["Synthèse", "Comparaison", "Partage", "Où sont les sites", "Provenance"]
    provenance = {row[0].value: row[1] for row in book["Provenance"].iter_rows(min_row=2)}
    assert provenance["Empreinte SHA-256 des entrées"].value == calculee.passages.get().empreinte
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    total = next(row for row in book["Partage"].iter_rows(min_row=2, values_only=True) if row[0] == "Total")
    couts = calculee.passages.get().synthese["couts"]
    assert float(total[1]) == 50_000
    assert float(total[6]) == pytest.approx(float(couts["cloisonne"]) - float(couts["mutualise"]))


def test_operation_export_and_layers(agent: Client, calculee: Etude) -> None:
    assert b"mutualise" in agent.get(reverse("etude-export", args=(calculee.pk, "sites"))).content
    assert agent.get(reverse("etude-export", args=(calculee.pk, "rien"))).status_code == 404
    layers = agent.get(reverse("etude-couches", args=(calculee.pk,)), {"regime": "cloisonne"}).json()
    assert len(layers["couches"][0]["geojson"]["features"]) == 3
    assert agent.get(reverse("etude-couches", args=(calculee.pk,)), {"regime": "x"}).status_code == 404


def test_api_lists_studies(agent: Client, calculee: Etude) -> None:
    found = agent.get(reverse("api-etudes")).json()
    assert found["nombre"] == 1
    assert found["etudes"][0]["partition"] == [["01", "02", "03"]]
    one = agent.get(reverse("api-etude", args=(calculee.pk,))).json()
    assert one["passages"][0]["etat"] == "reussi"
    json.dumps(one, allow_nan=False)


def test_number_of_queries_does_not_grow(agent: Client, zone: ZoneLimitrophe) -> None:
    """Two collectivités or three, one study or six: as many queries."""

    def queries(url: str) -> int:
        agent.get(url)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert agent.get(url).status_code == 200
        return len(captured)

    two = creer_etude("Deux", "mediane", zone, list(zone.collectivites.all())[:2])
    run_etude(demander_passage(two, enfile=False))
    names = ("etude-comparaison", "etude", "etude-csv", "etude-couches", "api-resultats")
    before = {name: queries(reverse(name, args=(two.pk,))) for name in names}
    listed = queries(reverse("etudes"))
    three = creer_etude("Trois", "mediane", zone, zone.collectivites.all())
    run_etude(demander_passage(three, enfile=False))
    for number in range(4):
        creer_etude(f"Autre {number}", "mediane", zone, zone.collectivites.all())
    assert {name: queries(reverse(name, args=(three.pk,))) for name in names} == before
    assert queries(reverse("etudes")) == listed
    assert before["etude-comparaison"] <= 16
    assert listed <= 6
