"""Pages of déchetteries in a real browser: the composer of what-if lines, the import, narrow screens."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from déchetteries.models import Dechetterie
from territoires.models import Etude, Utilisateur
from tests.integration.dechetteries.conftest import Territoire, administrateur, empty_cache, territoire
from tests.navigateur.conftest import Journal, OuvrePage

__all__ = ["administrateur", "empty_cache", "territoire"]

pytestmark = [pytest.mark.navigateur, pytest.mark.django_db(transaction=True)]

NOUVELLE = "/etudes/nouvelle/?operation=dechetteries&zone=essai"


def too_wide(page: Page) -> bool:
    """True where the page scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def test_lines_are_composed_then_checked_by_the_server(
    ouvre: OuvrePage, administrateur: Utilisateur, territoire: Territoire
) -> None:
    page = ouvre(administrateur, NOUVELLE)
    assert page.is_visible("legend:has-text('Composer une modification')")
    assert page.is_hidden("#essai-lon")
    page.select_option("#essai-centre", "D4")
    page.click("[data-ajouter]")
    page.select_option("#essai-action", "ouvrir")
    page.click("[data-ajouter]")
    assert page.inner_text("[data-dit]") == "À remplir : Nom du nouveau centre."
    page.fill("#essai-nom", "Neuve ; au bord")
    page.fill("#essai-lon", "4,05")
    page.fill("#essai-lat", "45,42")
    page.select_option("#essai-collectivite", "200000002")
    page.press("#essai-lat", "Enter")
    texte = "fermer ; D4\nouvrir ; Neuve , au bord ; 4,05 ; 45,42 ; 200000002\n"
    assert page.input_value("#id_modifications") == texte
    page.click("button[value=creer]")
    etude = Etude.objects.latest("pk")
    assert etude.parametres["modifications"] == texte.strip().replace("\n", "\r\n")
    assert page.url.endswith(f"/etudes/{etude.pk}/")


def forget_refusal(journal: Journal) -> None:
    """A form sent back with its errors is a 400, which the browser writes in its console."""
    assert all("400 (Bad Request)" in erreur for erreur in journal.erreurs)
    journal.erreurs.clear()


def test_what_the_server_refuses_is_said_beside_the_field(
    ouvre: OuvrePage, administrateur: Utilisateur, territoire: Territoire, journal: Journal
) -> None:
    page = ouvre(administrateur, NOUVELLE)
    page.fill("#id_modifications", "fermer ; X99")
    with page.expect_response(lambda r: r.request.method == "POST"):
        page.click("button[value=creer]")
    assert "centre « X99 » inconnu" in page.inner_text(".champ:has(#id_modifications)")
    forget_refusal(journal)


@pytest.mark.parametrize("largeur", [1440, 390])
@pytest.mark.parametrize("chemin", ["/dechetteries/", "/dechetteries/importer/", "/dechetteries/nouvelle/", NOUVELLE])
def test_no_page_scrolls_sideways(
    ouvre: OuvrePage, administrateur: Utilisateur, territoire: Territoire, chemin: str, largeur: int
) -> None:
    Dechetterie.objects.update(
        nom="Déchetterie intercommunale de Saint-Germain-Laval et ses environs", hypothese=True, active=False
    )
    assert not too_wide(ouvre(administrateur, chemin, largeur=largeur))


def test_a_file_is_imported_and_its_faults_are_shown(
    ouvre: OuvrePage, administrateur: Utilisateur, territoire: Territoire, tmp_path: Path, journal: Journal
) -> None:
    fichier = tmp_path / "centres.csv"
    fichier.write_text("nom;longitude;latitude\nEn mer;-4,9;47,9\n", encoding="latin-1")
    page = ouvre(administrateur, "/dechetteries/importer/")
    page.set_input_files("#id_fichier", fichier)
    with page.expect_response(lambda r: r.request.method == "POST") as reponse:
        page.click("button:has-text('Importer')")
    assert reponse.value.status == 400
    assert "aucune commune connue" in page.inner_text("table >> nth=0")
    forget_refusal(journal)
