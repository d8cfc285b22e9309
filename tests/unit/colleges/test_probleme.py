"""What is no problem is refused, with the field, the place and the value; what is odd but lawful is taken."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from collèges.probleme import AUCUN, Problem, ProblemeInvalide, Regles, phase_in, touching_sectors, validate

from .petit import small

BON = small()
TABLEAUX = [champ.name for champ in fields(Problem) if isinstance(getattr(BON, champ.name), np.ndarray)]
ENTIERS = [nom for nom in TABLEAUX if getattr(BON, nom).dtype == np.int32]


def but(nom: str, place: Any, valeur: float) -> dict[str, Any]:
    """The field of the good problem with one value changed."""
    valeurs = getattr(BON, nom).copy()
    valeurs[place] = valeur
    return {nom: valeurs}


def refused(changes: dict[str, Any], phrase: str) -> None:
    with pytest.raises(ProblemeInvalide, match="^" + re.escape(phrase)):
        replace(BON, **changes)


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        ({"groupes": (), "groupe_noms": ()}, "groupes : aucun code"),
        ({"zone_code": (), "zone_nom": ()}, "zone_code : aucun code"),
        ({"college_code": (), "college_nom": ()}, "college_code : aucun code"),
        ({"annees": ()}, "annees : aucun code"),
        ({"groupes": ("43", "43")}, "groupes : code « 43 » en double"),
        ({"zone_code": (*BON.zone_code[:8], "Z03")}, "zone_code : code « Z03 » en double"),
        ({"college_code": ("C0", "C2", "C2")}, "college_code : code « C2 » en double"),
        ({"annees": ("2026", "2026")}, "annees : code « 2026 » en double"),
        ({"groupe_noms": ("Loire",)}, "groupes : 1 noms pour 2 codes"),
        ({"zone_nom": BON.zone_nom[:7]}, "zone_code : 7 noms pour 9 codes"),
        ({"college_nom": (*BON.college_nom, "Un")}, "college_code : 4 noms pour 3 codes"),
    ],
)
def test_codes_and_names(changes: dict[str, Any], phrase: str) -> None:
    refused(changes, phrase)


@pytest.mark.parametrize("nom", TABLEAUX)
def test_each_shape_and_type(nom: str) -> None:
    valeurs = getattr(BON, nom)
    for axe in range(valeurs.ndim):
        # The lengths of ``arete`` and of ``college_voisins`` are free; the lengths of borders follow ``arete``.
        if (nom, axe) == ("arete", 0):
            refused({nom: valeurs[1:]}, f"frontiere_m : forme {BON.frontiere_m.shape} au lieu de ({len(valeurs) - 1},)")
        elif (nom, axe) == ("college_voisins", 0):
            assert len(replace(BON, college_voisins=valeurs[1:]).college_voisins) == len(valeurs) - 1
        else:
            court = np.delete(valeurs, 0, axis=axe)
            refused({nom: court}, f"{nom} : forme {court.shape} au lieu de {valeurs.shape}")
    autre = np.int64 if nom in ENTIERS else np.int8 if nom == "interdit" else np.float32
    refused({nom: valeurs.astype(autre)}, f"{nom} : type {np.dtype(autre)} au lieu de {valeurs.dtype}")


@pytest.mark.parametrize(
    ("nom", "place", "valeur", "phrase"),
    [
        ("zone_x", 3, np.nan, "zone_x : position absente (zone Z03 : nan)"),
        ("zone_y", 3, np.inf, "zone_y : position absente (zone Z03 : inf)"),
        ("college_x", 1, np.inf, "college_x : position absente (collège C1 : inf)"),
        ("college_y", 1, np.nan, "college_y : position absente (collège C1 : nan)"),
        ("eleves", (1, 4), -1.0, "eleves : valeur négative ou absente (année 2027, zone Z04 : -1.0)"),
        ("eleves", (0, 4), np.nan, "eleves : valeur négative ou absente (année 2026, zone Z04 : nan)"),
        ("eleves", (0, 4), np.inf, "eleves : valeur négative ou absente (année 2026, zone Z04 : inf)"),
        ("frontiere_m", 2, -5.0, "frontiere_m : valeur négative ou absente (limite n° 3 : -5.0)"),
        ("remplissage_max", 2, np.inf, "remplissage_max : valeur négative ou absente (collège C2 : inf)"),
        ("remplissage_min", 2, -0.1, "remplissage_min : valeur négative ou absente (collège C2 : -0.1)"),
        ("effectif_min", 0, np.nan, "effectif_min : valeur négative ou absente (collège C0 : nan)"),
        ("poids_annee", 1, -0.5, "poids_annee : valeur négative ou absente (année 2027 : -0.5)"),
        ("minutes", (8, 2), np.nan, "minutes : valeur négative ou absente (zone Z08, collège C2 : nan)"),
        ("minutes", (8, 2), -1.0, "minutes : valeur négative ou absente (zone Z08, collège C2 : -1.0)"),
        ("capacite", (0, 2), np.nan, "capacite : valeur négative ou absente (année 2026, collège C2 : nan)"),
        ("passages_max", (0, 1), -1.0, "passages_max : valeur négative ou absente (groupe 01, groupe 02 : -1.0)"),
        ("part_nouvelle", (1, 0), 1.01, "part_nouvelle : part hors de 0 à 1 (année 2027, zone Z00 : 1.01)"),
        ("part_nouvelle", (1, 0), -0.01, "part_nouvelle : part hors de 0 à 1 (année 2027, zone Z00 : -0.01)"),
        ("part_nouvelle", (1, 0), np.nan, "part_nouvelle : part hors de 0 à 1 (année 2027, zone Z00 : nan)"),
        ("remplissage_min", 1, 1.01, "remplissage_min : au-dessus de remplissage_max (collège C1 : 1.01)"),
        ("zone_ips", 6, np.inf, "zone_ips : valeur infinie (zone Z06 : inf)"),
        ("college_ips", 0, -np.inf, "college_ips : valeur infinie (collège C0 : -inf)"),
        ("zone_groupe", 0, 2, "zone_groupe : numéro inexistant (zone Z00 : 2)"),
        ("zone_groupe", 0, AUCUN, "zone_groupe : numéro inexistant (zone Z00 : -1)"),
        ("college_groupe", 2, 2, "college_groupe : numéro inexistant (collège C2 : 2)"),
        ("college_groupe", 2, AUCUN, "college_groupe : numéro inexistant (collège C2 : -1)"),
        ("college_zone", 2, 9, "college_zone : numéro inexistant (collège C2 : 9)"),
        ("college_zone", 2, -2, "college_zone : numéro inexistant (collège C2 : -2)"),
        ("present", (5, 0), 3, "present : numéro inexistant (zone Z05 : 3)"),
        ("present", (5, 1), -2, "present : numéro inexistant (zone Z05 : -2)"),
        ("impose", 5, 3, "impose : numéro inexistant (zone Z05 : 3)"),
        ("impose", 5, -2, "impose : numéro inexistant (zone Z05 : -2)"),
        ("ensemble", 5, -2, "ensemble : numéro inexistant (zone Z05 : -2)"),
        ("arete", (1, 0), 9, "arete : numéro inexistant (limite n° 2 : 9)"),
        ("arete", (1, 1), AUCUN, "arete : numéro inexistant (limite n° 2 : -1)"),
        ("college_voisins", (1, 1), 3, "college_voisins : numéro inexistant (paire n° 2 : 3)"),
        ("college_voisins", (1, 0), AUCUN, "college_voisins : numéro inexistant (paire n° 2 : -1)"),
        ("college_voisins", (1, 1), 1, "college_voisins : couple C1, C1 d'un même élément"),
        ("poids_annee", 0, 0.26, "poids_annee : total de 1.01 au lieu de 1"),
    ],
)
def test_each_value(nom: str, place: Any, valeur: float, phrase: str) -> None:
    refused(but(nom, place, valeur), phrase)


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        (but("present", (3, slice(None)), 1), "present : second collège sans premier, ou le même (zone Z03 : 1)"),
        ({"present": np.array([[0, AUCUN]] * 8 + [[AUCUN, 1]], dtype=np.int32)},
         "present : second collège sans premier, ou le même (zone Z08 : -1)"),
        ({"arete": np.array([[4, 1], [2, 2]], dtype=np.int32), "frontiere_m": np.ones(2)},
         "arete : couple Z02, Z02 d'un même élément"),
        ({"arete": np.array([[4, 1], [2, 3], [1, 4]], dtype=np.int32), "frontiere_m": np.ones(3)},
         "arete : couple Z01, Z04 donné plusieurs fois"),
        ({"college_voisins": np.array([[0, 1], [1, 0]], dtype=np.int32)},
         "college_voisins : couple C0, C1 donné plusieurs fois"),
        (but("interdit", (4, 1), True) | but("impose", 4, 1),
         "impose : collège imposé et interdit à la fois (zone Z04 : 1)"),
    ],
)  # fmt: skip
def test_what_does_not_go_together(changes: dict[str, Any], phrase: str) -> None:
    refused(changes, phrase)


@pytest.mark.parametrize(
    "changes",
    [
        but("minutes", (8, 2), np.inf),
        but("capacite", (0, 2), 0.0),
        but("passages_max", (0, 1), 0.0),
        but("zone_ips", 6, np.nan),
        but("college_ips", 0, np.nan),
        but("college_zone", 2, AUCUN),
        but("present", 5, AUCUN),
        but("present", (5, 1), 0),
        but("ensemble", 5, 7),
        but("eleves", slice(None), 0.0),
        but("frontiere_m", slice(None), 0.0),
        but("remplissage_min", slice(None), 1.0),
        but("interdit", (4, 1), True) | but("impose", 4, 2),
        {"arete": np.zeros((0, 2), dtype=np.int32), "frontiere_m": np.zeros(0)},
        {"college_voisins": np.zeros((0, 2), dtype=np.int32)},
        {"regles": Regles(minutes_max=0.0, max_zones=0.0, max_eleves=np.inf, part_exterieurs=0.0)},
    ],
)
def test_the_edges_of_what_is_lawful(changes: dict[str, Any]) -> None:
    validate(replace(BON, **changes))


@pytest.mark.parametrize("nom", [champ.name for champ in fields(Regles) if champ.name != "zones_propres"])
def test_each_weight_and_limit(nom: str) -> None:
    infinis = nom in ("minutes_max", "allongement_max", "max_zones", "max_eleves")
    for valeur in (-1.0, np.nan, *(() if infinis else (np.inf,))):
        with pytest.raises(ProblemeInvalide, match=rf"^{nom} : {valeur} \(nombre positif attendu\)"):
            replace(Regles(), **{nom: valeur})
    for valeur in (0.0, *((np.inf,) if infinis else ())):
        assert getattr(replace(Regles(), **{nom: valeur}), nom) == valeur


def test_nobody_else_writes_into_a_problem() -> None:
    """Neither through the array that was given nor through the problem's own."""
    eleves = BON.eleves.copy()
    problem = replace(BON, eleves=eleves, minutes=np.asfortranarray(BON.minutes))
    eleves[0, 0] = 999.0
    assert problem.eleves[0, 0] == BON.eleves[0, 0]
    for nom in TABLEAUX:
        assert getattr(problem, nom).flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            getattr(problem, nom)[...] = 0


def test_phase_in_is_one_class_more_a_year() -> None:
    np.testing.assert_array_equal(phase_in(6, 2)[:, 1], [0.25, 0.5, 0.75, 1, 1, 1])
    np.testing.assert_array_equal(phase_in(2, 3, niveaux=1), np.ones((2, 3)))


def test_sectors_touch_by_a_border_not_by_a_point() -> None:
    """Zones 0 - 1 - 2 in a row; zone 1 shared by collèges 2 and 0; zone 3 touches zone 0 at a point."""
    present = np.array([[0, AUCUN], [2, 0], [1, AUCUN], [3, AUCUN], [AUCUN, AUCUN]], dtype=np.int32)
    arete = np.array([[0, 1], [2, 1], [0, 3], [4, 0]], dtype=np.int32)
    paires = touching_sectors(present, arete, np.array([5.0, 5.0, 0.0, 5.0]))
    assert paires.tolist() == [[0, 1], [0, 2], [1, 2]] and paires.dtype == np.int32
    assert touching_sectors(present, arete, np.zeros(4)).shape == (0, 2)
