"""Changes as agents write them."""

from __future__ import annotations

import pytest

from déchetteries.modifications import Action, Modification, ModificationsInvalides, parse


def test_every_action_with_accents_commas_and_remarks() -> None:
    texte = """
    # essai
    Fermer ; D1
    rouvrir;D2
    Déplacer ; D3 ; 4,25 ; 45.4   # vers la zone d'activités
    ouvrir ; Nouvelle ; 4.1 ; 45,1 ; 200066637 ; 12 000
    autoriser ; D4 ; 43
    interdire ; D5 ; 42
    """
    assert parse(texte) == (
        Modification(Action.FERMER, 3, centre="D1"),
        Modification(Action.ROUVRIR, 4, centre="D2"),
        Modification(Action.DEPLACER, 5, centre="D3", lon=4.25, lat=45.4),
        Modification(Action.OUVRIR, 6, nom="Nouvelle", collectivite="200066637", lon=4.1, lat=45.1, capacite=12000.0),
        Modification(Action.AUTORISER, 7, centre="D4", collectivite="43"),
        Modification(Action.INTERDIRE, 8, centre="D5", collectivite="42"),
    )
    assert parse("") == ()


@pytest.mark.parametrize(
    ("ligne", "mot"),
    [
        ("casser ; D1", "inconnue"),
        ("fermer", "écrivez : fermer"),
        ("fermer ; ", "écrivez : fermer"),
        ("deplacer ; D1 ; 4.2", "écrivez : déplacer"),
        ("deplacer ; D1 ; est ; 45", "n'est pas un nombre"),
        ("deplacer ; D1 ; 790000 ; 6480000", "degrés"),
        ("ouvrir ; N ; 4 ; 45 ; E ; -3", "négatives"),
        ("fermer ; D1\nrouvrir ; D1", "déjà modifié à la ligne 1"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(ligne: str, mot: str) -> None:
    with pytest.raises(ModificationsInvalides, match=mot) as erreur:
        parse(ligne)
    assert "Ligne" in str(erreur.value)


def test_all_bad_lines_are_told_at_once() -> None:
    with pytest.raises(ModificationsInvalides) as erreur:
        parse("casser ; D1\nfermer ; D2\nfermer")
    assert len(erreur.value.messages) == 2
