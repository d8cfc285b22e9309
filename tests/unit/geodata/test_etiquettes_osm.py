"""What tags say, rule by rule."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.classes import CLASSE_PAR_HIGHWAY, Acces, Classe
from geodata.etiquettes_osm import (
    CLES,
    NOTE_ALTERNE,
    NOTE_HAUTEUR,
    NOTE_SENS,
    NOTE_TONNAGE,
    NOTE_VITESSE,
    Attributs,
    interpret,
    interpret_cached,
    parse_length,
    parse_weight,
)


def read(highway: str = "secondary", /, **tags: str) -> Attributs:
    """Attributes of a way; ``_`` in a key stands for ``:`` where OSM has one."""
    noms = {k.replace("__", ":"): v for k, v in tags.items()}
    lus = interpret({"highway": highway, **noms})
    assert lus is not None
    return lus


@pytest.mark.parametrize("highway", ["track", "path", "footway", "cycleway", "construction", "pedestrian", ""])
def test_not_drivable(highway: str) -> None:
    assert interpret({"highway": highway}) is None


@pytest.mark.parametrize(
    ("tags", "sens", "note"),
    [
        ({}, 0, None),
        ({"oneway": "yes"}, 1, None),
        ({"oneway": "true"}, 1, None),
        ({"oneway": "1"}, 1, None),
        ({"oneway": "-1"}, -1, None),
        ({"oneway": "reverse"}, -1, None),
        ({"oneway": "no"}, 0, None),
        ({"oneway": "0"}, 0, None),
        ({"oneway": "reversible"}, 0, NOTE_ALTERNE),
        ({"oneway": "alternating"}, 0, NOTE_ALTERNE),
        ({"oneway": "quelquefois"}, 0, NOTE_SENS),
        ({"junction": "roundabout"}, 1, None),
        ({"junction": "circular"}, 1, None),
        ({"junction": "roundabout", "oneway": "no"}, 0, None),
        ({"junction": "yes"}, 0, None),
        ({"highway": "motorway"}, 1, None),
        ({"highway": "motorway", "oneway": "no"}, 0, None),
        ({"highway": "motorway", "oneway": "-1"}, -1, None),
        ({"highway": "motorway_link"}, 0, None),
        ({"highway": "trunk"}, 0, None),
    ],
)
def test_direction(tags: dict[str, str], sens: int, note: str | None) -> None:
    lus = interpret({"highway": "secondary", **tags})
    assert lus is not None
    assert (lus.sens, lus.notes) == (sens, (note,) if note else ())


@pytest.mark.parametrize(
    ("valeur", "kmh", "ecrite"),
    [
        ("50", 50, True),
        ("50 km/h", 50, True),
        ("30 mph", 48.28, True),
        ("walk", 6, True),
        ("FR:urban", 50, False),
        ("FR:rural", 80, False),
        ("FR:motorway", 130, False),
        ("FR:zone30", 30, False),
        ("FR:zone:20", 20, False),
        ("FR:30", 30, False),
        ("FR:living_street", 20, False),
        ("FR:walk", 6, False),
        ("CH:rural", 80, False),
        ("DE:rural", 100, False),
        ("PT:motorway", 120, False),
        ("50;30", 30, True),
        ("none", 80, False),
        ("signals", 80, False),
        ("implicit", 80, False),
    ],
)
def test_maxspeed(valeur: str, kmh: float, ecrite: bool) -> None:
    lus = read(maxspeed=valeur)
    assert lus.vmax_aller == lus.vmax_retour == pytest.approx(kmh, abs=0.01)
    assert (lus.vmax_ecrite, lus.notes) == (ecrite, ())


@pytest.mark.parametrize("valeur", ["vite", "0", "-10", "500", "50,", "FR:lune"])
def test_unreadable_maxspeed_is_told_and_the_rule_applies(valeur: str) -> None:
    lus = read(maxspeed=valeur)
    assert (lus.vmax_aller, lus.vmax_ecrite, lus.notes) == (80, False, (NOTE_VITESSE,))


@pytest.mark.parametrize(
    ("highway", "tags", "kmh"),
    [
        ("motorway", {}, 130),
        ("trunk", {}, 80),
        ("trunk", {"oneway": "yes"}, 110),
        ("primary", {"motorroad": "yes"}, 110),
        ("trunk", {"junction": "roundabout", "oneway": "yes"}, 50),
        ("primary", {}, 80),
        ("unclassified", {}, 80),
        ("residential", {}, 50),
        ("living_street", {}, 20),
        ("service", {}, 50),
        ("service", {"service": "parking_aisle"}, 20),
        ("road", {}, 50),
        ("motorway_link", {"oneway": "yes"}, 70),
        ("secondary", {"source:maxspeed": "FR:urban"}, 50),
        ("secondary", {"source:maxspeed": "survey"}, 80),
        ("secondary", {"maxspeed:type": "FR:urban"}, 50),
        ("residential", {"zone:maxspeed": "FR:30"}, 30),
        ("residential", {"zone:maxspeed": "30"}, 30),
        ("residential", {"maxspeed": "signals", "zone:maxspeed": "FR:20"}, 20),
    ],
)
def test_implicit_speed(highway: str, tags: dict[str, str], kmh: float) -> None:
    lus = interpret({"highway": highway, **tags})
    assert lus is not None
    assert (lus.vmax_aller, lus.vmax_retour, lus.vmax_ecrite, lus.notes) == (kmh, kmh, False, ())


def test_speeds_by_direction() -> None:
    lus = read(maxspeed="80", maxspeed__backward="50")
    assert (lus.vmax_aller, lus.vmax_retour, lus.vmax_ecrite) == (80, 50, True)
    seule = read(maxspeed__forward="70")
    assert (seule.vmax_aller, seule.vmax_retour, seule.vmax_ecrite) == (70, 80, True)


V, L, C, P, S = Acces.VOITURE, Acces.POIDS_LOURD, Acces.CAR, Acces.PIETON, Acces.SERVICE


@pytest.mark.parametrize(
    ("highway", "tags", "acces"),
    [
        ("secondary", {}, V | L | C | P | S),
        ("motorway", {}, V | L | C | S),
        ("trunk", {"motorroad": "yes"}, V | L | C | S),
        ("service", {"access": "no"}, S),
        ("service", {"access": "private"}, V | L | C | P | S | Acces.PRIVE),
        ("service", {"access": "customers"}, V | L | C | P | S | Acces.PRIVE),
        ("service", {"access": "permissive"}, V | L | C | P | S),
        ("residential", {"motor_vehicle": "no"}, P | S),
        ("residential", {"motor_vehicle": "destination"}, V | L | C | P | S | Acces.PRIVE),
        ("residential", {"vehicle": "no", "motor_vehicle": "yes"}, V | L | C | P | S),
        ("residential", {"access": "no", "motorcar": "yes"}, V | S),
        ("unclassified", {"motor_vehicle": "agricultural;forestry"}, P | S),
        ("secondary", {"hgv": "no"}, V | C | P | S),
        ("secondary", {"hgv": "destination"}, V | L | C | P | S),
        ("service", {"access": "no", "bus": "yes"}, C | S),
        ("service", {"motor_vehicle": "psv"}, C | P | S),
        ("residential", {"foot": "no"}, V | L | C | S),
    ],
)
def test_access(highway: str, tags: dict[str, str], acces: Acces) -> None:
    lus = interpret({"highway": highway, **tags})
    assert lus is not None
    assert lus.acces == acces


@pytest.mark.parametrize(
    ("texte", "tonnes"),
    [("3.5", 3.5), ("3,5", 3.5), ("3.5 t", 3.5), ("19t", 19), ("3500 kg", 3.5), ("3500", 3.5), ("10 st", 9.0718474)],
)
def test_weight(texte: str, tonnes: float) -> None:
    assert parse_weight(texte) == pytest.approx(tonnes)


@pytest.mark.parametrize(
    ("texte", "metres"),
    [
        ("3.8", 3.8),
        ("3,80 m", 3.8),
        ("12'6\"", 3.81),
        ("12'", 3.6576),
        ("12 ft 6 in", 3.81),
        ("350 cm", 3.5),
    ],
)
def test_length(texte: str, metres: float) -> None:
    assert parse_length(texte) == pytest.approx(metres)


@pytest.mark.parametrize("texte", ["default", "none", "unsigned", "below_default"])
def test_no_limit(texte: str) -> None:
    lus = read(maxheight=texte, maxweight=texte)
    assert math.isnan(lus.hauteur_max_m) and math.isnan(lus.tonnage_max_t) and not lus.notes


def test_limits_of_a_way() -> None:
    lus = read(maxweight="7.5;3.5", maxheight="haut", width="4.5 m", lanes="2", surface="asphalt", bridge="viaduct")
    assert (lus.tonnage_max_t, lus.largeur_m, lus.voies, lus.revetement) == (3.5, 4.5, 2, "asphalt")
    assert math.isnan(lus.hauteur_max_m) and lus.notes == (NOTE_HAUTEUR,)
    assert lus.pont and not lus.tunnel
    assert read(maxweight="lourd").notes == (NOTE_TONNAGE,)
    assert read(tunnel="building_passage").tunnel and not read(tunnel="no").tunnel
    assert read(maxweight="10", maxweightrating="3.5").tonnage_max_t == 3.5
    assert [read(lanes=v).voies for v in ("3;2", "1.5", "many", "-1")] == [2, 1, 0, 1]


def test_link_and_area() -> None:
    assert read("trunk_link").bretelle and not read("trunk").bretelle
    assert read("service", area="yes").surface
    assert read("primary").classe is Classe.PRIMAIRE


@given(
    st.dictionaries(
        st.sampled_from(sorted(CLES - {"highway"})),
        st.text(max_size=12) | st.sampled_from(["yes", "no", "-1", "50", "FR:urban", "3.5", "12'6\"", "private", ";"]),
    ),
    st.sampled_from(sorted(CLASSE_PAR_HIGHWAY)),
)
def test_any_tags_give_usable_values(tags: dict[str, str], highway: str) -> None:
    lus = interpret_cached((("highway", highway), *sorted(tags.items())))
    assert lus is not None
    assert lus.sens in (-1, 0, 1)
    assert 0 < lus.vmax_aller <= 150 and 0 < lus.vmax_retour <= 150
    assert Acces.SERVICE in lus.acces
    assert 0 <= lus.voies <= 100
    for limite in (lus.tonnage_max_t, lus.hauteur_max_m, lus.largeur_m):
        assert math.isnan(limite) or limite > 0
