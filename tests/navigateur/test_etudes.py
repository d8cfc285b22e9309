"""A study in a browser: made on the form, followed while it runs, compared, shared, at both widths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from territoires.models import Collectivite, Etude, LotCalcul, Utilisateur, ZoneLimitrophe
from territoires.passages import executer_lot
from tests.integration.territoires.etudes.conftest import CHEMIN, make_zone

pytestmark = [pytest.mark.navigateur, pytest.mark.django_db(transaction=True)]

Ouvre = Callable[..., Page]
LARGEURS = pytest.mark.parametrize("largeur", [1440, 390])


@pytest.fixture(autouse=True)
def operation_mediane(settings: Any) -> None:
    """The small operation of the tests of runs."""
    settings.OPERATIONS = [CHEMIN]


@pytest.fixture
def zone(transactional_db: None) -> ZoneLimitrophe:
    return make_zone()


@pytest.fixture
def agent(zone: ZoneLimitrophe) -> Utilisateur:
    owner = Collectivite.objects.get(code="01")
    return Utilisateur.objects.create_user("agent", password="essai-essai", collectivite=owner)


def no_sideways_scroll(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def run_here() -> None:
    """What a worker would do."""
    for pk in LotCalcul.objects.filter(etat="en_attente").order_by("pk").values_list("pk", flat=True):
        executer_lot(pk)


@LARGEURS
def test_from_form_to_comparison(ouvre: Ouvre, agent: Utilisateur, largeur: int) -> None:
    page = ouvre(agent, "/etudes/", largeur=largeur)
    page.get_by_role("link", name="Nouvelle étude").click()
    no_sideways_scroll(page)
    page.get_by_label("Titre de l'étude").fill("Étude au navigateur")
    page.get_by_role("button", name="Chacune seule").click()
    expect(page.locator("[data-resume-groupes]")).to_contain_text("de leur côté")
    for code in ("01", "02"):
        page.get_by_role("radio", name=f"Groupe A, Département {code}").check()
    expect(page.locator("[data-resume-groupes]")).to_contain_text("groupe A : Département 01 + Département 02")
    page.get_by_role("button", name="Créer et calculer").click()
    expect(page.locator("[data-libelle]")).to_have_text("en attente")
    no_sideways_scroll(page)
    etude = Etude.objects.get()
    assert etude.partition == [["01", "02"], ["03"]]
    run_here()
    # The page polls, then reloads by itself.
    link = page.get_by_role("link", name="Voir la comparaison")
    expect(link).to_be_visible()
    link.click()
    expect(page.get_by_role("heading", name="Les quatre questions")).to_be_visible()
    no_sideways_scroll(page)
    page.get_by_label("Valeur de Shapley", exact=True).fill("50")
    page.get_by_label("Habitants", exact=True).fill("50")
    page.get_by_role("button", name="Appliquer").click()
    expect(page.get_by_text("Valeur de Shapley (50 %) + Habitants (50 %)")).to_be_visible()
    assert "cle-shapley=50" in page.url


def test_progress_is_shown_while_running(ouvre: Ouvre, agent: Utilisateur) -> None:
    page = ouvre(agent, "/etudes/nouvelle/")
    page.get_by_label("attente entre deux points").fill("0.15")
    page.get_by_role("button", name="Créer et calculer").click()
    expect(page.locator("[data-libelle]")).to_have_text("en attente")
    lot = LotCalcul.objects.order_by("pk").first()
    assert lot is not None
    seen: list[tuple[str, float]] = []

    def look(*args: Any, **more: Any) -> None:
        page.wait_for_timeout(300)
        value = page.locator("[data-barre]").evaluate("barre => barre.value")
        seen.append((page.locator("[data-libelle]").inner_text(), value))

    executer_lot(lot.pk, progress=look)
    assert ("en cours") in {label for label, _ in seen}
    assert max(value for _, value in seen) > 0
    page.get_by_role("button", name="Annuler le calcul").click()
    expect(page.get_by_text("Calcul annulé.")).to_be_visible()
    expect(page.get_by_role("button", name="Refaire le calcul")).to_be_visible()


def test_keyboard_alone_chooses_groups(ouvre: Ouvre, agent: Utilisateur) -> None:
    page = ouvre(agent, "/etudes/nouvelle/")
    page.get_by_role("radio", name="Groupe A, Département 03").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("radio", name="Seule, Département 03")).to_be_checked()
    expect(page.locator("[data-resume-groupes]")).to_contain_text("de leur côté : Département 03")
