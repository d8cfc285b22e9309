"""Sites and results of a study on the shared map, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from geodata import graphe_cache
from territoires.models import Etude, ResultatBloc, Utilisateur
from tests.navigateur.conftest import Journal, OuvrePage
from tests.navigateur.test_carte import wait_drawn
from tests.territoire_essai import make_roads, make_study, make_territory, make_user

pytestmark = [pytest.mark.navigateur, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def etude(transactional_db: None) -> Etude:
    graphe_cache.clear()
    zone = make_territory()
    make_roads(zone)
    return make_study(zone)


@pytest.fixture
def agent(etude: Etude) -> Utilisateur:
    return make_user()


def opaque_pixels(page: Page, panneau: str) -> int:
    """Pixels drawn on the canvas of a pane."""
    return page.evaluate(
        """(panneau) => {
            let n = 0;
            for (const toile of document.querySelectorAll(`.leaflet-${panneau}-pane > canvas`)) {
                const copie = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
                [copie.canvas.width, copie.canvas.height] = [toile.width, toile.height];
                copie.drawImage(toile, 0, 0);
                const d = copie.getImageData(0, 0, toile.width, toile.height).data;
                for (let i = 3; i < d.length; i += 4) n += d[i] > 60;
            }
            return n;
        }""",
        panneau,
    )


def test_sites_show_without_any_study(ouvre: OuvrePage, agent: Utilisateur) -> None:
    page = ouvre(agent, "/carte/")
    wait_drawn(page)
    assert opaque_pixels(page, "points") > 200
    expect(page.locator("#couches-sites .couche")).to_have_count(2)
    expect(page.locator("#couches-sites")).to_contain_text("fictif")
    lignes = page.locator("#tableaux-resultats tbody tr")
    expect(lignes).to_have_count(3)
    expect(page.locator("#tableaux-resultats")).to_contain_text("Centre A")
    for boite in page.locator("#couches-sites input").all():
        boite.uncheck()
    page.wait_for_timeout(200)
    assert opaque_pixels(page, "points") == 0


def test_results_by_regime(ouvre: OuvrePage, agent: Utilisateur, etude: Etude) -> None:
    page = ouvre(agent, f"/carte/?etude={etude.pk}")
    wait_drawn(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Déchetteries d'essai")
    expect(page.get_by_label("En partageant")).to_be_checked()
    assert opaque_pixels(page, "overlay") > 10_000
    # Surfaces would hide one another: one shows, the others wait.
    expect(page.locator("#couche-etude-bassins")).to_be_checked()
    expect(page.locator("#couche-etude-temps")).not_to_be_checked()
    assert page.url.endswith("/mutualise")
    lignes = page.locator("#tableau-etude-bassins tbody tr")
    expect(lignes).to_have_count(8)
    partage = lignes.all_inner_texts()
    page.get_by_label("Chacun de son côté").check()
    expect(page).to_have_url(re.compile("/cloisonne$"))
    expect(lignes).to_have_count(8)
    assert lignes.all_inner_texts() != partage
    expect(page.locator("#carte-annonce")).to_have_text("Résultats affichés : Chacun de son côté.")


def test_what_a_switch_keeps(ouvre: OuvrePage, agent: Utilisateur, etude: Etude) -> None:
    page = ouvre(agent, f"/carte/?etude={etude.pk}")
    wait_drawn(page)
    page.locator("#couche-etude-bassins").uncheck()
    page.locator("#couche-etude-temps").check()
    page.get_by_label("Chacun de son côté").check()
    expect(page.locator("#couche-etude-bassins")).not_to_be_checked()
    expect(page.locator("#couche-etude-temps")).to_be_checked()
    autre = ouvre(agent, page.url)
    wait_drawn(autre)
    expect(autre.get_by_label("Chacun de son côté")).to_be_checked()
    expect(autre.locator("#couche-etude-bassins")).not_to_be_checked()
    expect(autre.locator("#couche-etude-temps")).to_be_checked()


def test_what_lies_at_a_place_by_keyboard_and_pointer(ouvre: OuvrePage, agent: Utilisateur, etude: Etude) -> None:
    page = ouvre(agent, f"/carte/?etude={etude.pk}")
    wait_drawn(page)
    page.locator("#tableau-etude-centres .voir", has_text="Centre C").click()
    expect(page.locator("#carte")).to_be_focused()
    page.keyboard.press("Enter")
    fiche = page.locator(".leaflet-popup-content")
    expect(fiche).to_contain_text("Centre C")
    expect(fiche).to_contain_text("fictif")
    page.keyboard.press("Escape")
    expect(fiche).to_have_count(0)
    boite = page.locator("#carte").bounding_box()
    page.mouse.click(boite["x"] + boite["width"] / 2 + 60, boite["y"] + boite["height"] / 2 + 60)
    expect(fiche).to_contain_text("Commune")
    expect(fiche).to_contain_text("habitants")


def test_results_of_another_version_are_told_and_the_rest_shows(
    ouvre: OuvrePage, agent: Utilisateur, etude: Etude, journal: Journal
) -> None:
    ResultatBloc.objects.update(solution=b"d'une autre version")
    page = ouvre(agent, f"/carte/?etude={etude.pk}")
    wait_drawn(page)
    expect(page.get_by_role("alert")).to_contain_text("refaites le calcul")
    expect(page.locator("#couches-sites .couche")).to_have_count(2)
    # The browser itself reports the refused request.
    assert [e for e in journal.erreurs if "409" not in e] == []
    journal.erreurs.clear()


def test_study_without_finished_run_shows_no_regime(ouvre: OuvrePage, agent: Utilisateur, etude: Etude) -> None:
    etude.passages.all().delete()
    page = ouvre(agent, f"/carte/?etude={etude.pk}")
    wait_drawn(page)
    expect(page.locator("#carte-regimes")).to_be_hidden()
