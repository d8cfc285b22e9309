"""Pages of docs/: each one is in the index, each link and picture is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.codebase.arbre import RACINE

PAGES = sorted((RACINE / "docs").glob("*.md"))
LIEN = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def links(page: Path) -> list[str]:
    """Targets of links and pictures that are not addresses."""
    return [cible for cible in LIEN.findall(page.read_text(encoding="utf-8")) if "://" not in cible]


def test_every_page_is_in_the_index() -> None:
    index = set(links(RACINE / "docs" / "README.md"))
    absentes = {page.name for page in PAGES if page.name != "README.md"} - index
    assert not absentes


@pytest.mark.parametrize("page", [*PAGES, RACINE / "README.md"], ids=lambda page: page.name)
def test_links_and_pictures_are_there(page: Path) -> None:
    perdus = [cible for cible in links(page) if not (page.parent / cible).exists()]
    assert not perdus


def test_every_picture_is_shown() -> None:
    montrees = {cible.rsplit("/", 1)[-1] for page in [*PAGES, RACINE / "README.md"] for cible in links(page)}
    images = {image.name for image in (RACINE / "docs" / "images").iterdir()}
    assert images <= montrees
