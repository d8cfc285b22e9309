"""A new zone in a browser: fields of the chosen mode, filter, live preview, then its page, at both widths."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from territoires.models import Collectivite, Utilisateur, ZoneLimitrophe
from tests.integration.territoires.fabrique import HAUTEUR, install

pytestmark = [pytest.mark.navigateur, pytest.mark.django_db(transaction=True)]

Ouvre = Callable[..., Page]


@pytest.fixture
def agent(transactional_db: None) -> Utilisateur:
    install()
    loire = Collectivite.objects.get(type="departement", code="42")
    return Utilisateur.objects.create_user("agent", password="essai-essai", collectivite=loire)


@pytest.mark.parametrize("largeur", [1440, 390])
def test_a_zone_from_form_to_portrait(ouvre: Ouvre, agent: Utilisateur, largeur: int) -> None:
    page = ouvre(agent, "/zones/", largeur=largeur)
    page.get_by_role("link", name="Nouvelle zone").click()
    page.get_by_label("Nom de la zone").fill("Au bord")
    page.get_by_label("Filtrer les collectivités").fill("HAUTE")
    expect(page.get_by_label("Communauté du Sud")).to_be_hidden()
    page.get_by_label("Haute-Loire (département 43)").check()
    # What is chosen stays in sight under any filter.
    page.get_by_label("Filtrer les collectivités").fill("loire (d")
    expect(page.get_by_label("Haute-Loire (département 43)")).to_be_visible()
    page.get_by_label("Loire (département 42)", exact=True).check()
    expect(page.locator("#apercu h2")).to_contain_text("24 communes")
    page.get_by_label("Distance à la limite").fill("0,5")
    expect(page.locator("#apercu h2")).to_contain_text(f"{2 * HAUTEUR} communes")
    page.get_by_label("choisies une à une").check()
    expect(page.get_by_label("Distance à la limite")).to_be_hidden()
    expect(page.locator("#apercu")).to_contain_text("Donnez les codes INSEE")
    page.get_by_label("Codes INSEE des communes").fill("42020, 43030")
    expect(page.locator("#apercu h2")).to_contain_text("2 communes")
    page.get_by_role("button", name="Créer la zone").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Au bord")
    expect(page.get_by_role("region", name="Portrait croisé")).to_contain_text("Haute-Loire (43)")
    assert page.evaluate("document.documentElement.scrollWidth") <= largeur
    with page.expect_download() as telechargement:
        page.get_by_role("link", name="Portrait (CSV)").click()
    assert telechargement.value.suggested_filename == "portrait-au-bord.csv"
    page.get_by_text("Supprimer la zone").click()
    page.get_by_role("button", name="Supprimer définitivement").click()
    expect(page.get_by_text("Zone « Au bord » supprimée.")).to_be_visible()
    assert not ZoneLimitrophe.objects.exists()


def test_the_form_works_with_the_keyboard_alone(ouvre: Ouvre, agent: Utilisateur) -> None:
    page = ouvre(agent, "/zones/nouvelle/")
    page.get_by_label("Nom de la zone").focus()
    page.keyboard.type("Clavier")
    page.keyboard.press("Tab")
    page.keyboard.type("(département")
    for _ in range(2):
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
    expect(page.locator("#apercu h2")).to_contain_text("communes")
    page.get_by_label("Nom de la zone").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Clavier")
