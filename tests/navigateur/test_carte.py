"""The shared map in a real browser, on a small territory in a real database."""

from __future__ import annotations

import base64
import re
import struct
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.navigateur.conftest import Journal, OuvrePage
from tests.territoire_essai import make_roads, make_territory, make_user

pytestmark = [pytest.mark.navigateur, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def agent(transactional_db: None) -> object:
    make_roads(make_territory())
    return make_user()


def wait_drawn(page: Page) -> None:
    """Wait for tiles and layers of operations."""
    page.wait_for_selector("#carte[data-etat=prete][data-donnees=pretes]")


PIXELS = """
    // Tiles are copied first: reading them in place would change how the browser draws them.
    function* pixels() {
        const copie = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        for (const toile of document.querySelectorAll('#carte canvas.leaflet-tile')) {
            if (!toile.width) continue;
            [copie.canvas.width, copie.canvas.height] = [toile.width, toile.height];
            copie.drawImage(toile, 0, 0);
            const d = copie.getImageData(0, 0, toile.width, toile.height).data;
            for (let i = 0; i < d.length; i += 4) if (d[i + 3] === 255) yield d[i] << 16 | d[i + 1] << 8 | d[i + 2];
        }
    }
"""


def colours(page: Page) -> int:
    """Number of different opaque colours in the tiles that show."""
    return page.evaluate(f"() => {{ {PIXELS} return new Set(pixels()).size; }}")


def has_colour(page: Page, rouge: int, vert: int, bleu: int) -> bool:
    """True when some pixel of the tiles has exactly this colour."""
    voulue = rouge << 16 | vert << 8 | bleu
    script = f"(v) => {{ {PIXELS} for (const p of pixels()) if (p === v) return true; return false; }}"
    return page.evaluate(script, voulue)


#: Latitude and longitude of the middle of Étang-le-Haut.
CENTRE = (45.45918, 4.08764)
#: One blue pixel, PNG.
PIXEL_BLEU = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYPgPAAEDAQAIicLsAAAAAElFTkSuQmCC"
)
ROUTE_PRINCIPALE = (0xD9, 0x82, 0x2B)


def test_map_is_drawn_from_our_own_tiles(ouvre: OuvrePage, agent: object) -> None:
    page = ouvre(agent, "/carte/")
    wait_drawn(page)
    assert colours(page) > 20
    assert has_colour(page, *ROUTE_PRINCIPALE)
    expect(page.locator(".carte-fictif")).to_contain_text("fictif")
    expect(page.locator(".leaflet-control-attribution")).to_contain_text("Routes inventées")


def test_search_by_keyboard_without_accents(ouvre: OuvrePage, agent: object) -> None:
    page = ouvre(agent, "/carte/")
    wait_drawn(page)
    champ = page.get_by_role("combobox", name="Chercher une commune")
    champ.press_sequentially("etang le")
    expect(page.get_by_role("option")).to_have_count(2)
    champ.press("ArrowDown")
    champ.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Étang-le-Haut")
    champ.press("Enter")
    expect(champ).to_have_value("Étang-le-Haut")
    expect(champ).to_have_attribute("aria-expanded", "false")
    zoom, lat, lng = re.match(r".*#(\d+)/([\d.]+)/([\d.]+)", page.url).groups()
    assert int(zoom) >= 11
    assert abs(float(lat) - CENTRE[0]) < 0.01 and abs(float(lng) - CENTRE[1]) < 0.01
    expect(page.locator(".leaflet-popup-content")).to_contain_text("42001, Loire, 1\u202f000 habitants")
    champ.press("Escape")
    expect(champ).to_have_value("")


def test_layers_switch_by_keyboard(ouvre: OuvrePage, agent: object) -> None:
    page = ouvre(agent, "/carte/")
    wait_drawn(page)
    boite = page.get_by_label("Routes", exact=False).and_(page.locator("#couche-routes"))
    boite.focus()
    page.keyboard.press("Space")
    expect(boite).not_to_be_checked()
    page.wait_for_function("() => !location.hash.includes('routes')")
    page.wait_for_timeout(400)
    assert not has_colour(page, *ROUTE_PRINCIPALE)
    page.keyboard.press("Space")
    page.wait_for_timeout(400)
    assert has_colour(page, *ROUTE_PRINCIPALE)


def test_tab_reaches_search_then_layers_then_map(ouvre: OuvrePage, agent: object) -> None:
    page = ouvre(agent, "/carte/")
    wait_drawn(page)
    page.locator("#recherche-commune").focus()
    vus = []
    for _ in range(25):
        page.keyboard.press("Tab")
        vus.append(page.evaluate("document.activeElement.id"))
    assert [v for v in vus if v in ("couche-limites", "exporter-image", "carte")] == [
        "couche-limites",
        "exporter-image",
        "carte",
    ]


def test_keyboard_moves_zooms_and_tells_the_centre(ouvre: OuvrePage, agent: object) -> None:
    page = ouvre(agent, "/carte/#12/45.4592/4.0876/limites,communes,routes")
    wait_drawn(page)
    page.locator("#carte").focus()
    page.keyboard.press("Enter")
    fiche = page.locator(".leaflet-popup-content")
    expect(fiche).to_contain_text("Étang-le-Haut")
    page.keyboard.press("Escape")
    expect(fiche).to_have_count(0)
    page.keyboard.press("+")
    page.wait_for_function("() => location.hash.startsWith('#13/')")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => Number(location.hash.split('/')[2]) > 4.09")


def test_permalink_restores_the_view(ouvre: OuvrePage, agent: object) -> None:
    page = ouvre(agent, "/carte/#13/45.4592/4.0876/limites,communes")
    wait_drawn(page)
    expect(page.locator("#couche-routes")).not_to_be_checked()
    expect(page.locator("#couche-communes")).to_be_checked()
    assert not has_colour(page, *ROUTE_PRINCIPALE)
    page.locator("#couche-routes").check()
    adresse = page.url
    assert re.search(r"#13/45\.459\d*/4\.087\d*/limites,communes,routes", adresse)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copier le lien").click()
    expect(page.locator("#carte-annonce")).to_have_text("Lien de cette vue copié.")
    assert page.evaluate("navigator.clipboard.readText()") == adresse
    autre = ouvre(agent, adresse)
    wait_drawn(autre)
    expect(autre.locator("#couche-routes")).to_be_checked()
    expect(autre.locator("#couche-zones")).not_to_be_checked()


def test_tables_tell_what_the_map_shows(ouvre: OuvrePage, agent: object) -> None:
    page = ouvre(agent, "/carte/")
    wait_drawn(page)
    limites = page.locator("#tableau-limites tbody tr")
    expect(limites).to_have_count(1)
    expect(limites.first).to_contain_text("Loire / Haute-Loire")
    expect(limites.first).to_contain_text("40,0")
    expect(limites.first).to_contain_text("4 + 4")
    expect(page.locator("#tableau-passages tbody tr")).to_have_count(5)
    expect(page.locator("#tableau-passages")).to_contain_text("D 3")
    avant = page.url
    page.locator("#tableau-passages .voir", has_text="D 3").click()
    page.wait_for_function("(a) => location.href !== a", arg=avant)
    expect(page.locator("#carte")).to_be_focused()


def test_export_is_a_picture_of_the_map(ouvre: OuvrePage, agent: object) -> None:
    page = ouvre(agent, "/carte/")
    wait_drawn(page)
    with page.expect_download() as telechargement:
        page.get_by_role("button", name="Exporter l'image").click()
    assert telechargement.value.suggested_filename == "limitrophe-carte.png"
    octets = Path(telechargement.value.path()).read_bytes()
    assert octets[:8] == b"\x89PNG\r\n\x1a\n"
    largeur, hauteur = struct.unpack(">II", octets[16:24])
    assert largeur > 1500 and hauteur > 1000
    assert len(octets) > 60_000
    assert pixels_of(page, octets, ROUTE_PRINCIPALE) > 200


def pixels_of(page: Page, image: bytes, couleur: tuple[int, int, int]) -> int:
    """Pixels of the picture that have a colour, counted by the browser."""
    adresse = "data:image/png;base64," + base64.b64encode(image).decode()
    return page.evaluate(
        """async ([adresse, [r, v, b]]) => {
            const image = new Image();
            image.src = adresse;
            await image.decode();
            const toile = document.createElement('canvas');
            [toile.width, toile.height] = [image.width, image.height];
            const ctx = toile.getContext('2d');
            ctx.drawImage(image, 0, 0);
            const d = ctx.getImageData(0, 0, toile.width, toile.height).data;
            let n = 0;
            for (let i = 0; i < d.length; i += 4) n += d[i] === r && d[i + 1] === v && d[i + 2] === b;
            return n;
        }""",
        [adresse, list(couleur)],
    )


def test_print_loads_the_sheet_then_gives_the_screen_back(ouvre: OuvrePage, agent: object) -> None:
    page = ouvre(agent, "/carte/")
    wait_drawn(page)
    avant = page.locator("#carte").bounding_box()
    page.get_by_role("button", name="Imprimer").click()
    page.wait_for_function("() => window.imprime === 1")
    assert page.locator("#carte").bounding_box()["width"] == 1040
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("#carte").bounding_box() == avant
    page.emulate_media(media="print")
    expect(page.locator(".navigation")).to_be_hidden()
    expect(page.locator("#tableau-passages")).to_be_visible()


def test_outside_background_only_when_asked_and_under_the_map(
    ouvre: OuvrePage, agent: object, settings: object, journal: Journal
) -> None:
    settings.FONDS_EXTERNES = ["osm"]
    page = ouvre(agent, "/carte/")
    # A tile of one colour stands for the outside server.
    page.context.route(
        "https://tile.openstreetmap.org/**",
        lambda route: route.fulfill(
            body=PIXEL_BLEU, content_type="image/png", headers={"Access-Control-Allow-Origin": "*"}
        ),
    )
    wait_drawn(page)
    assert journal.dehors == []
    fond_clair = (0xFD, 0xFC, 0xF9)
    assert has_colour(page, *fond_clair)
    page.get_by_label("OpenStreetMap").check()
    page.wait_for_selector("img.leaflet-tile-loaded")
    page.wait_for_timeout(500)
    # Our own areas no longer hide it; the roads stay.
    assert not has_colour(page, *fond_clair) and has_colour(page, *ROUTE_PRINCIPALE)
    expect(page.locator(".leaflet-control-attribution")).to_contain_text("contributeurs d'OpenStreetMap")
    with page.expect_download() as telechargement:
        page.get_by_role("button", name="Exporter l'image").click()
    assert pixels_of(page, Path(telechargement.value.path()).read_bytes(), (0, 0, 255)) > 100_000
    assert {adresse.split("/")[2] for adresse in journal.dehors} == {"tile.openstreetmap.org"}
    journal.dehors.clear()


@pytest.mark.parametrize("chemin", ["/carte/", "/", "/donnees/"])
@pytest.mark.parametrize("largeur", [390, 768, 1440])
def test_no_page_scrolls_sideways(ouvre: OuvrePage, agent: object, chemin: str, largeur: int) -> None:
    page = ouvre(agent, chemin, largeur=largeur, hauteur=844)
    if chemin == "/carte/":
        wait_drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= largeur


def test_map_without_any_data_says_so(ouvre: OuvrePage, transactional_db: None) -> None:
    page = ouvre(make_user(), "/carte/")
    wait_drawn(page)
    expect(page.locator("#tableau-limites")).to_contain_text("Aucune donnée")
    expect(page.locator("#couche-routes")).to_have_count(0)
