"""Short names."""

from __future__ import annotations

import pytest

from territoires.noms import nom_court


@pytest.mark.parametrize(
    ("nom", "court"),
    [
        ("Communauté de communes des Monts du Pilat", "CC des Monts du Pilat"),
        ("Communauté d'agglomération Loire Forez", "CA Loire Forez"),
        ("Communauté de Communes Arlanc", "CC Arlanc"),
        ("Saint-Etienne Métropole", "Saint-Etienne Métropole"),
        ("Haute-Loire", "Haute-Loire"),
        ("Communauté de communes ", "Communauté de communes "),
    ],
)
def test_usual_abbreviations(nom: str, court: str) -> None:
    assert nom_court(nom) == court
