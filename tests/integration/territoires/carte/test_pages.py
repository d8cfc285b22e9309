"""Search, page of the map and its tables, start page, page of data."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from geodata import graphe_cache
from geodata.models import ImportReseau
from territoires.carte import tableaux
from territoires.carte.recherche import fold, search_communes
from territoires.carte.tableaux import communes_table, limits_table, passages_table, roads_table, zones_table
from territoires.models import Commune, Utilisateur, ZoneLimitrophe
from territoires.zones import DemandeZone, create_zone
from tests.territoire_essai import make_roads, make_study, make_territory, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def zone() -> ZoneLimitrophe:
    zone = make_territory()
    make_roads(zone)
    return zone


@pytest.fixture
def agent(zone: ZoneLimitrophe, client: Client) -> Utilisateur:
    agent = make_user()
    client.force_login(agent)
    return agent


@pytest.mark.parametrize(
    ("tape", "noms"),
    [
        ("etang", ["Étang-le-Bas", "Étang-le-Haut"]),
        ("ÉTANG LE HAUT", ["Étang-le-Haut"]),
        ("coeur d'arbre", ["Cœur-d'Arbre"]),
        ("Cœur", ["Cœur-d'Arbre"]),
        ("st eloi", ["Saint-Éloi-la-Montagne", "Saint-Éloi-la-Plaine"]),
        ("haut", ["Étang-le-Haut"]),
        ("42003", ["Saint-Éloi-la-Plaine"]),
        ("430", ["Ânerie", "Saint-Éloi-la-Montagne", "Vieille-Côte", "Étang-le-Bas"]),
        ("anerie", ["Ânerie"]),
        ("tang", []),
        ("%", []),
        ("  ", []),
    ],
)
def test_search(zone: ZoneLimitrophe, tape: str, noms: list[str]) -> None:
    assert [c.nom for c in search_communes(tape)] == noms


def test_search_forgets_communes_that_no_longer_exist(zone: ZoneLimitrophe) -> None:
    Commune.objects.filter(code="42001").update(active=False)
    assert search_communes("Étang-le-Haut") == []


def test_search_answers_with_a_frame_in_degrees(client: Client, agent: Utilisateur) -> None:
    (commune,) = client.get(reverse("carte-recherche"), {"q": "anerie"}).json()["communes"]
    assert commune["departement"] == "Haute-Loire"
    ouest, sud, est, nord = commune["cadre"]
    assert 4.4 < ouest < est < 4.6 and 45.3 < sud < nord < 45.5


def test_every_page_says_for_whom_one_is_signed_in(client: Client, agent: Utilisateur) -> None:
    Utilisateur.objects.filter(pk=agent.pk).update(demonstration=True)
    page = client.get(reverse("accueil")).content.decode()
    assert agent.collectivite is not None
    assert f', {agent.collectivite.nom} <span class="badge badge-fictif">fictif</span></span>' in page


def test_results_travel_compressed(zone: ZoneLimitrophe, client: Client, agent: Utilisateur) -> None:
    etude = make_study(zone)
    for adresse in (reverse("carte-resultats", args=[etude.pk]), reverse("etude-couches", args=[etude.pk])):
        plain = client.get(adresse)
        packed = client.get(adresse, headers={"accept-encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.content) == plain.content


@given(st.text(max_size=30))
def test_folded_text_is_plain_and_stays_so(texte: str) -> None:
    plat = fold(texte)
    assert plat == "" or all(c.isascii() and (c.isalnum() or c == " ") for c in plat)
    assert fold(plat) == plat


def test_tables_give_the_figures_of_the_layers(zone: ZoneLimitrophe) -> None:
    (limite,) = limits_table().lignes
    assert limite[0]["nom"] == "Loire / Haute-Loire"
    assert limite[1:] == ("département", "40,0", "4 + 4")
    (ligne,) = zones_table().lignes
    assert (ligne[2], ligne[3]) == ("8", "20\u202f400")
    assert ligne[4] == "800"
    passages = passages_table(zone.reseau).lignes
    assert [p[0]["nom"] for p in passages] == ["D 1", "D 2", "D 3", "D 4", "D 5"]
    assert {p[4] for p in passages} == {"42 / 43"}
    routes = {ligne[0]: ligne[1:] for ligne in roads_table(zone.reseau).lignes}
    # Four pieces of 2 x hypot(4000, 600) m in the Loire, none in the Haute-Loire.
    assert routes["Route principale"] == ("32", "0", "32")
    assert roads_table(zone.reseau).colonnes == ("Classe", "Loire (km)", "Haute-Loire (km)", "Total (km)")
    assert len(communes_table(zone).lignes) == 8


def test_tables_take_few_queries(zone: ZoneLimitrophe, django_assert_max_num_queries: Callable) -> None:
    for table in (limits_table, zones_table, lambda: passages_table(zone.reseau), lambda: communes_table(zone)):
        with django_assert_max_num_queries(2):
            table()


def test_map_page_works_without_scripts(client: Client, agent: Utilisateur) -> None:
    page = client.get(reverse("carte"))
    assert page.status_code == 200
    assert "Ânerie" in page.text and "Loire / Haute-Loire" in page.text
    configuration = page.context["configuration"]
    assert configuration["reseau"]["tuiles"].endswith("/{z}/{x}/{y}.mvt")
    assert configuration["fonds"] == []
    # No script in the page itself but data: a strict content policy can be set.
    assert "<script>" not in page.text and "onclick" not in page.text


def test_outside_backgrounds_are_a_setting(client: Client, agent: Utilisateur, settings: object) -> None:
    settings.FONDS_EXTERNES = ["ign", "inconnu"]
    fonds = client.get(reverse("carte")).context["configuration"]["fonds"]
    assert [f["code"] for f in fonds] == ["ign"]


def test_map_of_a_zone(client: Client, agent: Utilisateur, zone: ZoneLimitrophe) -> None:
    autre, _ = create_zone(
        DemandeZone(nom="Un coin", mode="liste", collectivites=["42", "43"], communes=["42001", "43001"])
    )
    cadres = {}
    for code in (zone.code, autre.code):
        configuration = client.get(reverse("carte"), {"zone": code}).context["configuration"]
        assert configuration["zone"] == code
        cadres[code] = configuration["cadre"]
    # The other zone is the western quarter of the first.
    ouest, _, est, _ = cadres[zone.code]
    assert cadres[autre.code][2] < ouest + 0.3 * (est - ouest)


@pytest.mark.parametrize("question", [{"reseau": "absent"}, {"etude": "99"}, {"etude": "x"}, {"zone": "absente"}])
def test_map_of_what_does_not_exist(client: Client, agent: Utilisateur, question: dict[str, str]) -> None:
    assert client.get(reverse("carte"), question).status_code == 404


@pytest.mark.parametrize("nom", ["accueil", "donnees", "carte"])
def test_pages_ask_for_an_account(client: Client, zone: ZoneLimitrophe, nom: str) -> None:
    reponse = client.get(reverse(nom))
    assert reponse.status_code == 302 and reverse("connexion") in reponse["Location"]


@pytest.mark.parametrize("nom", ["carte-recherche", "carte-sites"])
def test_data_ask_for_an_account(client: Client, zone: ZoneLimitrophe, nom: str) -> None:
    assert client.get(reverse(nom)).status_code == 401


def test_start_page(client: Client, agent: Utilisateur) -> None:
    page = client.get(reverse("accueil"))
    assert "Zone d&#x27;essai" in page.text
    assert "40\u00a0km" in page.text.replace("40 km", "40\u00a0km")
    dessin = client.get(reverse("carte-vignette"))
    assert dessin["Content-Type"] == "image/svg+xml"
    assert dessin.content.count(b"<path") >= 4


def test_empty_site_has_its_pages(client: Client) -> None:
    client.force_login(make_user())
    for nom in ("accueil", "donnees", "carte", "carte-vignette"):
        assert client.get(reverse(nom)).status_code == 200


def test_data_page_tells_what_imports_left_out(client: Client, agent: Utilisateur, zone: ZoneLimitrophe) -> None:
    ImportReseau.objects.create(
        reseau=zone.reseau,
        format="pbf",
        fichier="casse.osm.pbf",
        empreinte="1",
        etat="echoue",
        erreur="Fichier tronqué.",
    )
    texte = client.get(reverse("donnees")).text
    for attendu in ("essai.osm.pbf", "voie dont un nœud manque", "Fichier tronqué.", "communes inventées", "échoué"):
        assert attendu in texte


def test_results_take_few_queries_and_need_an_account(
    client: Client, zone: ZoneLimitrophe, django_assert_max_num_queries: Callable
) -> None:
    graphe_cache.clear()
    etude = make_study(zone)
    adresse = reverse("carte-resultats", args=(etude.pk,))
    assert client.get(adresse).status_code == 401
    client.force_login(make_user())
    with django_assert_max_num_queries(12):
        regimes = client.get(adresse).json()["regimes"]
    assert [r["code"] for r in regimes] == ["cloisonne", "mutualise"]
    for regime in regimes:
        codes = [couche["code"] for couche in regime["couches"]]
        assert "bassins" in codes and "centres" in codes
        assert all(couche["features"] for couche in regime["couches"])
    sites = client.get(reverse("carte-sites")).json()["couches"]
    assert {(c["origine"], c["fictif"], len(c["features"])) for c in sites} == {
        ("Accès aux déchetteries", False, 2),
        ("Accès aux déchetteries", True, 1),
    }


def test_long_tables_say_that_they_are_cut(zone: ZoneLimitrophe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tableaux, "LIGNES_MAX", 5)
    tableau = communes_table(zone)
    assert len(tableau.lignes) == 5
    assert tableau.note == "Seules les 5 premières lignes sont affichées."
    assert passages_table(zone.reseau).note == ""


def test_pages_allow_nothing_from_outside_but_chosen_backgrounds(
    client: Client, agent: Utilisateur, settings: object
) -> None:
    politique = client.get(reverse("carte"))["Content-Security-Policy"]
    assert "http" not in politique and "script" not in politique
    settings.FONDS_EXTERNES = ["osm"]
    politique = client.get(reverse("carte"))["Content-Security-Policy"]
    assert "img-src 'self' data: blob: https://tile.openstreetmap.org;" in politique
    assert "Content-Security-Policy" not in client.get(reverse("admin:login"))
