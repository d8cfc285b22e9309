"""A real browser (Debian's Chromium, driven by Playwright) before the site, served with a real database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from bin.setup.system import chromium
from territoires.models import Utilisateur

CHROMIUM = chromium()
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
#: The dialogue of printing is replaced, or the test would wait for it for ever.
SANS_DIALOGUE = "window.print = () => { window.imprime = (window.imprime ?? 0) + 1; }"


@pytest.fixture(scope="session", autouse=True)
def _playwright_beside_django() -> Iterator[None]:
    """Playwright keeps an event loop in this thread, which Django takes for asynchronous code."""
    avant = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    if avant is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    else:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = avant


@pytest.fixture(scope="session")
def navigateur() -> Iterator[Browser]:
    """One browser for the session; skips, saying so, where there is no Chromium."""
    if not CHROMIUM:
        pytest.skip("Chromium absent : installez le paquet chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield browser
        browser.close()


@dataclass
class Journal:
    """What a page must not do: errors in its console, and requests that leave this machine."""

    erreurs: list[str] = field(default_factory=list)
    dehors: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        page.on("console", lambda m: self.erreurs.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: self.erreurs.append(str(e)))
        page.on("request", lambda r: self._request(r.url))

    def _request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in ("127.0.0.1", "localhost"):
            self.dehors.append(url)


@pytest.fixture
def journal() -> Iterator[Journal]:
    """Errors and outside requests of the test's pages; both must be empty at its end."""
    journal = Journal()
    yield journal
    assert journal.erreurs == []
    assert journal.dehors == []


OuvrePage = Callable[..., Page]


@pytest.fixture
def ouvre(navigateur: Browser, live_server: object, journal: Journal, client: object) -> Iterator[OuvrePage]:
    """``ouvre(user, "/carte/", largeur=1440, hauteur=900)``: a page signed in as ``user`` (None = nobody)."""
    contextes = []

    def open_page(user: Utilisateur | None, chemin: str, largeur: int = 1440, hauteur: int = 900) -> Page:
        contexte = navigateur.new_context(
            viewport={"width": largeur, "height": hauteur}, locale="fr-FR", base_url=live_server.url
        )
        contextes.append(contexte)
        contexte.add_init_script(SANS_DIALOGUE)
        contexte.set_default_timeout(20_000)
        if user is not None:
            client.force_login(user)
            contexte.add_cookies(
                [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
            )
        page = contexte.new_page()
        journal.follow(page)
        page.goto(chemin)
        return page

    yield open_page
    for contexte in contextes:
        contexte.close()
