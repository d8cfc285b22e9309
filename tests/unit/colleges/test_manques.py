"""What a plan breaks, in words: each wish alone, with its figure, and silence where it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import pytest

from collèges.evaluation import evaluate
from collèges.manques import listed
from collèges.probleme import AUCUN, Problem, Regles
from collèges.resultat import Plan, present_plan
from territoires.nombres import FINE

from .petit import CHANGE, plan_of, small

#: Today's plan of `small`.
ACTUEL = present_plan(small())
#: Zone 3 (45 pupils of a mean year, group 1) alone, zone 1 (25, group 2) alone, to the collège of the middle.
TROIS = plan_of(0, 0, 2, 1, 1, 2, 1, 1, 2)
UN = plan_of(0, 1, 2, 0, 1, 2, 1, 1, 2)


def case(regles: dict[str, Any] | None = None, **changes: Any) -> Problem:
    """`small` with 15, 25... 95 pupils in a mean year, and no limit on outsiders: nothing to say of any plan above."""
    return small(regles=Regles(**({"part_exterieurs": 1.0} | (regles or {}))), poids_annee=np.full(2, 0.5), **changes)


def said(problem: Problem, plan: Plan) -> list[str]:
    return [phrase.replace(FINE, " ") for phrase in evaluate(problem, plan).manques]


def at(valeur: Any, *zones: int) -> Any:
    """(9,) int32, AUCUN but at these zones."""
    place = np.full(9, AUCUN, dtype=np.int32)
    place[list(zones)] = valeur
    return place


def but(matrice: Any, *changes: tuple[Any, float]) -> Any:
    copie = np.array(matrice, dtype=np.float64)
    for place, valeur in changes:
        copie[place] = valeur
    return copie


@dataclass(frozen=True)
class Souhait:
    """A wish: the plan, the problem that breaks it and it only, the one sentence; the problem that just keeps it."""

    regle: str
    plan: Plan
    rompu: dict[str, Any]
    phrase: str
    tenu: dict[str, Any] = field(default_factory=dict)
    plan_tenu: Plan | None = None


LIBRE = np.full((2, 3), np.inf)
#: As in `small`, but zone 6 is of group 2: zone 3 alone comes from group 1 to the collège of the middle.
GROUPES = np.array([0, 1, 1, 0, 1, 1, 1, 1, 1], dtype=np.int32)
MINUTES = small().minutes
#: Minutes of no zone pass 7; zone 3 has 3.5 to the collège of the middle, 0.5 more than to its own.
SOUHAITS = [
    Souhait("contiguite", plan_of(0, 0, 1, 0, 1, 2, 1, 1, 2), {},
            "1 zone sans lien avec le reste du secteur : Zone 2.", plan_tenu=ACTUEL),
    Souhait("contiguite", plan_of(0, 0, 1, 0, 1, 2, 2, 1, 2), {},
            "2 zones sans lien avec le reste du secteur : Zone 2, Zone 6.", plan_tenu=ACTUEL),
    Souhait("iles", plan_of(0, 0, 1, 0, 1, 2, 1, 1, 2), {"present": plan_of(0, 0, 1, 0, 1, 2, 1, 1, 2).college},
            "1 zone en îlot, comme aujourd'hui ou par choix : Zone 2.", plan_tenu=ACTUEL),
    Souhait("iles", plan_of(0, 0, 1, 0, 1, 2, 2, 1, 2), {"present": plan_of(0, 0, 1, 0, 1, 2, 2, 1, 2).college},
            "2 zones en îlot, comme aujourd'hui ou par choix : Zone 2, Zone 6.", plan_tenu=ACTUEL),
    Souhait("iles", plan_of(0, 0, 1, 0, 1, 2, 1, 1, 2), {"impose": at(1, 2)},
            "1 zone en îlot, comme aujourd'hui ou par choix : Zone 2.", plan_tenu=ACTUEL, tenu={}),
    Souhait("sans_college", plan_of(0, 0, AUCUN, 0, 1, 2, 1, 1, 2), {},
            "1 zone sans collège (35 élèves) : Zone 2.", plan_tenu=ACTUEL),
    Souhait("sans_college", plan_of(0, AUCUN, AUCUN, 0, 1, 2, 1, 1, 2), {},
            "2 zones sans collège (60 élèves) : Zone 1, Zone 2.", plan_tenu=ACTUEL),
    Souhait("impose", ACTUEL, {"impose": at(1, 3)},
            "1 zone à un autre collège que celui qui lui est imposé (45 élèves) : Zone 3.", {"impose": at(0, 3)}),
    Souhait("impose", ACTUEL, {"impose": at(1, 1, 3)},
            "2 zones à un autre collège que celui qui leur est imposé (70 élèves) : Zone 1, Zone 3.",
            {"impose": at(1, 1, 3)}, CHANGE),
    Souhait("interdit", CHANGE, {"interdit": np.arange(27).reshape(9, 3) == 4},
            "1 zone à un collège interdit (25 élèves) : Zone 1.", {"interdit": np.arange(27).reshape(9, 3) == 3}),
    Souhait("interdit", CHANGE, {"interdit": np.isin(np.arange(27).reshape(9, 3), (4, 10))},
            "2 zones à un collège interdit (70 élèves) : Zone 1, Zone 3.", {"interdit": np.zeros((9, 3), dtype=bool)}),
    Souhait("zones_propres", UN, {"college_zone": np.array([1, 4, 8], dtype=np.int32)},
            "1 zone à un autre collège que celui qu'elle abrite (25 élèves) : Zone 1.",
            {"college_zone": np.array([1, 4, 8], dtype=np.int32), "regles": {"zones_propres": False}}),
    Souhait("zones_propres", plan_of(0, 1, 2, 0, 1, 1, 1, 1, 2), {"college_zone": np.array([1, 4, 5], dtype=np.int32)},
            "2 zones à un autre collège que celui qu'elles abritent (90 élèves) : Zone 1, Zone 5.",
            {"college_zone": np.array([1, 4, 5], dtype=np.int32), "regles": {"zones_propres": False}}),
    Souhait("route", TROIS, {"minutes": but(MINUTES, ((3, 1), np.inf))},
            "1 zone sans route vers le collège (45 élèves) : Zone 3.", {"minutes": but(MINUTES, ((3, 0), np.inf))}),
    Souhait("route", CHANGE, {"minutes": but(MINUTES, (([1, 3], 1), np.inf))},
            "2 zones sans route vers le collège (70 élèves) : Zone 1, Zone 3.", {}),
    Souhait("minutes_max", TROIS, {"minutes": but(np.ones((9, 3)), ((3, 1), 8.0)), "regles": {"minutes_max": 7.5}},
            "45 élèves à plus de 7,5 min du collège : Zone 3.",
            {"minutes": but(np.ones((9, 3)), ((3, 1), 8.0)), "regles": {"minutes_max": 8.0}}),
    Souhait("allongement_max", CHANGE, {"minutes": but(np.ones((9, 3)), (([1, 3], 1), 3.0)),
                                        "regles": {"allongement_max": 1.0}},
            "Trajet allongé de plus de 1 min pour 70 élèves : Zone 1, Zone 3.",
            {"minutes": but(np.ones((9, 3)), (([1, 3], 1), 3.0)), "regles": {"allongement_max": 2.0}}),
    Souhait("ensemble", TROIS, {"ensemble": at(0, 0, 3)},
            "Zone à garder avec d'autres, séparée de Zone 3 : Zone 0 (15 élèves).", {"ensemble": at(0, 3, 4)}),
    Souhait("ensemble", TROIS, {"ensemble": at(0, 0, 1, 3)},
            "Zones à garder ensemble, séparées de Zone 3 : Zone 0, Zone 1 (40 élèves).",
            {"ensemble": at(0, 0, 1, 3)}, ACTUEL),
    # Loads of today: 70, 200, 180 pupils in 2026 and 100, 230, 210 in 2027.
    Souhait("remplissage_max", ACTUEL, {"capacite": but(LIBRE, ((0, 1), 150), ((1, 1), 160))},
            "Collège 1 : 230 élèves en 2027 pour 160 au plus, soit 70 de trop (rempli à 144 %).",
            {"capacite": but(LIBRE, ((0, 1), 200), ((1, 1), 230))}),
    Souhait("remplissage_max", ACTUEL, {"capacite": but(LIBRE, ((0, 1), 250), ((1, 1), 250)),
                                        "remplissage_max": np.array([1.0, 0.75, 1.0])},
            "Collège 1 : 230 élèves en 2027 pour 188 au plus, soit 43 de trop (rempli à 92 %).",
            {"capacite": but(LIBRE, ((0, 1), 250), ((1, 1), 250)), "remplissage_max": np.array([1.0, 0.92, 1.0])}),
    Souhait("remplissage_min", ACTUEL, {"capacite": but(LIBRE, ((0, 0), 200), ((1, 0), 200))},
            "Collège 0 : 70 élèves en 2026 pour 150 au moins, il en manque 80 (rempli à 35 %).",
            {"capacite": but(LIBRE, ((0, 0), 200), ((1, 0), 200)), "remplissage_min": np.array([0.35, 0.5, 0.5])}),
    Souhait("effectif_min", ACTUEL, {"effectif_min": np.array([90.0, 0, 0])},
            "Collège 0 : 70 élèves en 2026, sous l'effectif minimal de 90, il en manque 20.",
            {"effectif_min": np.array([70.0, 0, 0])}),
    Souhait("max_zones", TROIS, {"regles": {"max_zones": 0.0}}, "1 zone change de collège, pour 0 au plus.",
            {"regles": {"max_zones": 1.0}}),
    Souhait("max_zones", CHANGE, {"regles": {"max_zones": 1.0}}, "2 zones changent de collège, pour 1 au plus.",
            {"regles": {"max_zones": 2.0}}),
    Souhait("max_eleves", CHANGE, {"regles": {"max_eleves": 60.0}}, "70 élèves changent de collège, pour 60 au plus.",
            {"regles": {"max_eleves": 70.0}}),
    # Zone 3 lives in group 1, the collège of the middle stands in group 2; zone 1 is of group 2 already.
    Souhait("passages_max", CHANGE, {"passages_max": np.array([[0.0, 20.0], [0.0, 0.0]])},
            "45 élèves passent de Groupe 1 vers Groupe 2, pour 20 au plus.",
            {"passages_max": np.array([[0.0, 45.0], [0.0, 0.0]])}),
    # Zone 3 beside zones 4, 6 and 7: 40 of 240 pupils in 2026, 50 of 280 in 2027; zone 1 is the collège 0's only one.
    Souhait("part_exterieurs", plan_of(0, 1, 2, 1, 1, 2, 1, 1, 2), {"regles": {"part_exterieurs": 0.15},
            "zone_groupe": GROUPES},
            "Collège 1 : 16,1 % des élèves habitent un autre département en 2027, au-delà de 15 % "
            "(code de l'éducation, L213-8).",
            {"regles": {"part_exterieurs": 0.17}, "zone_groupe": GROUPES}),
    Souhait("ecart_ips", ACTUEL, {"zone_ips": np.array([80.0, 80, 90, 80, 95, 90, 95, 95, 90]),
                                  "regles": {"poids_ecart_ips": 1.0, "ecart_ips": 12.5}},
            "Écart d'IPS de 15,0 points entre Collège 0 et Collège 1, pour 12,5 au plus.",
            {"zone_ips": np.array([80.0, 80, 90, 80, 95, 90, 95, 95, 90]),
             "regles": {"poids_ecart_ips": 1.0, "ecart_ips": 15.0}}),
    Souhait("ecart_ips", ACTUEL, {"zone_ips": np.array([95.0, 95, 96, 95, 95, 96, 95, 95, 96]),
                                  "regles": {"poids_ecart_ips": 1.0}},
            "Écart d'IPS de 1,0 point entre Collège 1 et Collège 2, pour 0,0 au plus.",
            {"zone_ips": np.array([95.0, 95, 96, 95, 95, 96, 95, 95, 96])}),
]  # fmt: skip
NOMS = [f"{k}-{souhait.regle}" for k, souhait in enumerate(SOUHAITS)]


@pytest.mark.parametrize("souhait", SOUHAITS, ids=NOMS)
def test_a_broken_wish_is_told_alone_and_a_kept_one_is_not(souhait: Souhait) -> None:
    assert said(case(**souhait.rompu), souhait.plan) == [souhait.phrase]
    assert said(case(**souhait.tenu), souhait.plan_tenu or souhait.plan) == []


def test_every_limit_of_the_rules_has_its_sentence() -> None:
    """Weights are prices, ``minutes_sans_route`` a convention of the count: the others are limits."""
    limites = {
        champ.name
        for champ in fields(Regles)
        if not champ.name.startswith("poids_") and champ.name != "minutes_sans_route"
    }
    assert limites <= {souhait.regle for souhait in SOUHAITS}


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        ({"regles": {"minutes_max": 3.4}}, "1 élève à plus de 3,4 min du collège : Zone 3."),
        ({"regles": {"allongement_max": 0.4}}, "Trajet allongé de plus de 0,4 min pour 1 élève : Zone 3."),
        ({"regles": {"max_eleves": 0.0}}, "1 élève change de collège, pour 0 au plus."),
        ({"passages_max": np.zeros((2, 2))}, "1 élève passe de Groupe 1 vers Groupe 2, pour 0 au plus."),
        ({"minutes": but(MINUTES, ((3, 1), np.inf))}, "1 zone sans route vers le collège (1 élève) : Zone 3."),
        (
            {"impose": at(0, 3)},
            "1 zone à un autre collège que celui qui lui est imposé (1 élève) : Zone 3.",
        ),
    ],
)
def test_one_pupil_is_singular_and_none_breaks_no_wish(changes: dict[str, Any], phrase: str) -> None:
    """One pupil in the whole block, then a zone without any: only what is not counted in pupils is still told."""
    sans = np.zeros((2, 9))
    problem = case(eleves=but(sans, ((slice(None), 3), 1.0)), **changes)
    assert said(problem, TROIS) == [phrase]
    reste = said(replace(problem, eleves=sans), TROIS)
    assert reste == ([phrase.replace("1 élève", "0 élève")] if "(" in phrase else [])


def test_a_limit_of_zones_counts_those_without_pupils() -> None:
    problem = case(eleves=np.zeros((2, 9)), regles={"max_zones": 0.0})
    assert said(problem, TROIS) == ["1 zone change de collège, pour 0 au plus."]


def test_a_refusal_is_told_once_and_for_its_reason() -> None:
    """An imposed collège before a forbidden one; a collège that is forbidden, but not the one the zone goes to."""
    problem = case(impose=at(1, 3), interdit=np.arange(27).reshape(9, 3) == 9)
    assert said(problem, ACTUEL) == ["1 zone à un autre collège que celui qui lui est imposé (45 élèves) : Zone 3."]
    problem = case(college_zone=np.array([1, 4, 8], dtype=np.int32), interdit=np.arange(27).reshape(9, 3) == 5)
    assert said(problem, UN) == ["1 zone à un autre collège que celui qu'elle abrite (25 élèves) : Zone 1."]


def test_no_road_is_not_also_too_long() -> None:
    problem = case({"minutes_max": 7.0, "allongement_max": 400.0}, minutes=but(MINUTES, ((3, 1), np.inf)))
    assert said(problem, TROIS) == ["1 zone sans route vers le collège (45 élèves) : Zone 3."]
    assert said(replace(problem, regles=replace(problem.regles, allongement_max=0.0)), TROIS) == said(problem, TROIS)


def test_half_of_a_shared_sector_may_have_a_road() -> None:
    """Zone 3 (45 pupils), shared, has no road to the collège of the middle: as many as the cost counts."""
    present = ACTUEL.college.copy()
    present[3] = 0, 1
    problem = case(present=present, minutes=but(np.ones((9, 3)), ((3, 1), np.inf)))
    assert said(problem, present_plan(problem)) == ["1 zone sans route vers le collège (23 élèves) : Zone 3."]
    autre = replace(problem, minutes=np.ones((9, 3)))
    plus = evaluate(problem, present_plan(problem)).cout - evaluate(autre, present_plan(autre)).cout
    assert plus == pytest.approx(22.5 * (problem.regles.minutes_sans_route - 1.0))


def test_who_had_no_collège_has_no_longer_way() -> None:
    present = plan_of(0, 0, 2, AUCUN, 1, 2, 1, 1, 2).college
    assert said(case({"allongement_max": 0.0}, present=present), TROIS) == []
    assert len(said(case({"allongement_max": 0.0}), TROIS)) == 1


def test_the_first_of_equal_zones_is_the_one_to_be_with() -> None:
    problem = case(eleves=np.full((2, 9), 30.0), ensemble=at(2, 0, 3))
    assert said(problem, TROIS) == ["Zone à garder avec d'autres, séparée de Zone 0 : Zone 3 (30 élèves)."]


def test_half_a_pupil_is_rounding() -> None:
    """Loads of 70 and 100: half a pupil more than the places is not told, a little more is."""
    for places, combien in ((99.5, 0), (99.4, 1)):
        phrases = said(case(capacite=but(LIBRE, ((1, 0), places))), ACTUEL)
        assert len(phrases) == combien
    for eleves, combien in ((0.5, 0), (0.6, 1)):
        peu = but(np.zeros((2, 9)), ((slice(None), 3), eleves))
        for regle in ({"minutes_max": 3.4}, {"allongement_max": 0.4}, {"max_eleves": 0.0}):
            assert len(said(case(regle, eleves=peu), TROIS)) == combien


def test_the_worst_year_of_each_collège() -> None:
    """2027 has more pupils, and yet 2026, with fewer places, is the worse year of the collège of the middle."""
    places = np.array([[60.0, 100.0, np.inf], [100.0, 200.0, np.inf]])
    assert said(case(capacite=places), ACTUEL) == [
        "Collège 0 : 70 élèves en 2026 pour 60 au plus, soit 10 de trop (rempli à 117 %).",
        "Collège 1 : 200 élèves en 2026 pour 100 au plus, soit 100 de trop (rempli à 200 %).",
    ]


def test_a_closed_collège_has_no_filling() -> None:
    assert said(case(capacite=but(LIBRE, ((1, 0), 0.0))), ACTUEL) == [
        "Collège 0 : 100 élèves en 2027 pour 0 au plus, soit 100 de trop."
    ]


def test_half_of_a_shared_sector_is_apart() -> None:
    """Zones 1 and 3 are kept together; zone 1 shares one of its two collèges with zone 3: half of its 25 pupils."""
    partage = ACTUEL.with_zones([1], 0, 1)
    problem = case(present=partage.college, ensemble=at(0, 1, 3))
    assert said(problem, partage) == ["Zone à garder avec d'autres, séparée de Zone 3 : Zone 1 (13 élèves)."]


def test_outsiders_of_one_group_alone_are_nobody() -> None:
    regles = Regles(part_exterieurs=0.0)
    un = replace(
        small(regles=regles), groupes=("01",), groupe_noms=("Groupe 1",), zone_groupe=np.zeros(9, dtype=np.int32),
        college_groupe=np.zeros(3, dtype=np.int32), passages_max=np.zeros((1, 1)),
    )  # fmt: skip
    assert said(un, CHANGE) == []
    assert len(said(small(regles=regles), CHANGE)) == 1


def test_sentences_follow_the_map_then_the_zones_the_collèges_the_block() -> None:
    problem = case(
        {"max_zones": 0.0},
        effectif_min=np.array([90.0, 0, 0]),
        minutes=but(MINUTES, ((1, 1), np.inf)),
    )
    phrases = said(problem, plan_of(0, 1, 1, 0, 1, 2, 2, 1, 2))
    assert [phrase.split(":")[0][:24].strip() for phrase in phrases] == [
        "1 zone sans lien avec le", "1 zone sans route vers l", "Collège 0", "3 zones changent de coll",
    ]  # fmt: skip


def test_long_lists_are_cut() -> None:
    assert listed("ABCDEF") == "A, B, C, D, E, F"
    assert listed("ABCDEFG") == "A, B, C, D, E, F et un autre"
    assert listed("ABCDEFGHA") == "A, B, C, D, E, F et 2 autres"
