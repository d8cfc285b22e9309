"""What the tags of an OpenStreetMap way say about a road: class, direction, speeds, who may use it.

Pure module. Implicit speeds follow the French code de la route: R413-2 (130 km/h on motorways, 110 on roads with
two carriageways, 80 elsewhere outside towns), R413-3 (50 in towns), R110-2 (zone 30, zone de rencontre 20).
https://wiki.openstreetmap.org/wiki/Key:maxspeed, Key:access, Key:maxweight, Key:maxheight for the values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from geodata.classes import ACCES_ORDINAIRE, CLASSE_PAR_HIGHWAY, Acces, Classe

#: Tags that decide an `Attributs`; name and ref are kept apart because nearly every way has its own.
CLES = frozenset(
    {
        "highway", "area", "oneway", "junction", "motorroad", "service", "bridge", "tunnel", "lanes", "surface",
        "width", "est_width", "maxspeed", "maxspeed:forward", "maxspeed:backward", "zone:maxspeed", "source:maxspeed",
        "maxspeed:type", "zone:traffic", "access", "vehicle", "motor_vehicle", "motorcar", "hgv", "tourist_bus",
        "coach", "bus", "psv", "foot", "maxweight", "maxweightrating", "maxheight", "maxheight:physical",
    }
)  # fmt: skip

MILE_KM = 1.609344
PIED_M = 0.3048
POUCE_M = 0.0254
LIVRE_T = 0.00045359237
TONNE_COURTE_T = 0.90718474

#: Limits by zone and country (km/h): (motorway, outside towns). Others are taken for France.
_PAYS: dict[str, tuple[float, float]] = {
    "FR": (130, 80), "MC": (50, 50), "BE": (120, 90), "LU": (130, 90), "DE": (130, 100), "CH": (120, 80),
    "LI": (120, 80), "AT": (130, 100), "IT": (130, 90), "ES": (120, 90), "AD": (90, 90), "PT": (120, 90),
}  # fmt: skip
VILLE_KMH = 50.0
PAS_KMH = 6.0

_IMPLICITE: dict[Classe, float] = {
    Classe.AUTOROUTE: 130.0,
    Classe.VOIE_RAPIDE: 80.0,
    Classe.PRIMAIRE: 80.0,
    Classe.SECONDAIRE: 80.0,
    Classe.TERTIAIRE: 80.0,
    Classe.LOCALE: 80.0,
    Classe.RESIDENTIELLE: VILLE_KMH,
    Classe.RENCONTRE: 20.0,
    Classe.DESSERTE: VILLE_KMH,
}
DEUX_CHAUSSEES_KMH = 110.0
#: Slip roads have no rule of their own: posted 50 to 90 in practice; this is a convention.
BRETELLE_KMH = 70.0
#: Aisles of car parks and drives: a convention too.
ALLEE_KMH = 20.0

_INTERDIT = frozenset({"no", "agricultural", "forestry", "military", "emergency", "psv", "bus", "use_sidepath"})
_PRIVE = frozenset({"private", "destination", "customers", "delivery", "permit", "residents"})
_TRANSPORT_PUBLIC = frozenset({"psv", "bus"})
_OUI = frozenset({"yes", "true", "1"})
_NON = frozenset({"", "no", "false", "0"})
_INVERSE = frozenset({"-1", "reverse"})
_ALTERNE = frozenset({"reversible", "alternating"})

# Reasons are shown to agents.
NOTE_VITESSE = "maxspeed illisible (règle implicite appliquée)"
NOTE_ALTERNE = "sens réversible ou alterné (pris à double sens)"
NOTE_SENS = "oneway illisible (pris à double sens)"
NOTE_TONNAGE = "maxweight illisible (ignoré)"
NOTE_HAUTEUR = "maxheight illisible (ignoré)"


@dataclass(frozen=True)
class Attributs:
    """What one way's tags say. ``sens``: 1 along, -1 against, 0 both; speeds along / against the way as drawn."""

    classe: Classe
    bretelle: bool
    sens: int
    vmax_aller: float
    vmax_retour: float
    vmax_ecrite: bool
    acces: Acces
    tonnage_max_t: float
    hauteur_max_m: float
    largeur_m: float
    voies: int
    pont: bool
    tunnel: bool
    revetement: str
    surface: bool
    notes: tuple[str, ...]


def interpret(tags: Mapping[str, str]) -> Attributs | None:
    """Attributes of a way, or None where its ``highway`` is not drivable. Unknown values are told in ``notes``."""
    highway = tags.get("highway", "")
    classe = CLASSE_PAR_HIGHWAY.get(highway)
    if classe is None:
        return None
    notes: list[str] = []
    sens = _sens(tags, highway, notes)
    aller, retour, ecrite = _vitesses(tags, classe, highway.endswith("_link"), sens, notes)
    return Attributs(
        classe=classe,
        bretelle=highway.endswith("_link"),
        sens=sens,
        vmax_aller=aller,
        vmax_retour=retour,
        vmax_ecrite=ecrite,
        acces=_acces(tags, classe),
        tonnage_max_t=_lowest((tags.get("maxweight"), tags.get("maxweightrating")), parse_weight, notes, NOTE_TONNAGE),
        hauteur_max_m=_lowest(
            (tags.get("maxheight"), tags.get("maxheight:physical")), parse_length, notes, NOTE_HAUTEUR
        ),
        largeur_m=_lowest((tags.get("width") or tags.get("est_width"),), parse_length, notes, ""),
        voies=_voies(tags.get("lanes")),
        pont=tags.get("bridge", "no") not in _NON,
        tunnel=tags.get("tunnel", "no") not in _NON,
        revetement=tags.get("surface", ""),
        surface=tags.get("area") == "yes",
        notes=tuple(notes),
    )


@lru_cache(maxsize=65_536)
def interpret_cached(tags: tuple[tuple[str, str], ...]) -> Attributs | None:
    """`interpret` of the relevant tags of a way: few distinct sets exist, so most ways cost one look-up."""
    return interpret(dict(tags))


# --- direction --------------------------------------------------------------------------------------------


def _sens(tags: Mapping[str, str], highway: str, notes: list[str]) -> int:
    valeur = tags.get("oneway")
    if valeur is None:
        implicite = tags.get("junction") in ("roundabout", "circular") or highway == "motorway"
        return 1 if implicite else 0
    if valeur in _OUI:
        return 1
    if valeur in _INVERSE:
        return -1
    if valeur in _ALTERNE:
        notes.append(NOTE_ALTERNE)
    elif valeur not in _NON:
        notes.append(NOTE_SENS)
    return 0


# --- speed ------------------------------------------------------------------------------------------------

_VITESSE = re.compile(r"^(\d+(?:[.,]\d+)?)\s*(km/h|kmh|kph|mph|knots)?$", re.IGNORECASE)
_ZONE = re.compile(r"^([A-Z]{2})[:_](?:zone:?)?([a-z_]+|\d+)$", re.IGNORECASE)


def parse_speed(valeur: str, classe: Classe) -> tuple[float, bool] | None:
    """(km/h, written as a number) of a ``maxspeed``; NaN = "say the implicit rule"; None = unreadable.

    Several values (``50;30``) give the lowest. ``classe`` tells what ``none`` and ``FR:trunk`` mean.
    """
    lus = [_one_speed(v.strip(), classe) for v in valeur.split(";") if v.strip()]
    bons = [v for v in lus if v is not None]
    if not bons:
        return None
    return min(bons, key=lambda v: math.inf if math.isnan(v[0]) else v[0])


def _one_speed(valeur: str, classe: Classe) -> tuple[float, bool] | None:
    trouve = _VITESSE.match(valeur)
    if trouve:
        v = float(trouve.group(1).replace(",", "."))
        unite = (trouve.group(2) or "").lower()
        v *= MILE_KM if unite == "mph" else 1.852 if unite == "knots" else 1.0
        return (v, True) if 0 < v <= 150 else None
    bas = valeur.lower()
    if bas == "walk":
        return PAS_KMH, True
    if bas == "none":
        return (130.0 if classe == Classe.AUTOROUTE else math.nan), False
    if bas in ("signals", "variable", "implicit", "sign", "default"):
        return math.nan, False
    return _zone_speed(valeur, classe)


def _zone_speed(valeur: str, classe: Classe) -> tuple[float, bool] | None:
    """``FR:urban``, ``FR:zone30``, ``DE:rural``, ``CH:motorway``, ``FR:30``..."""
    trouve = _ZONE.match(valeur)
    if not trouve:
        return None
    autoroute, rase_campagne = _PAYS.get(trouve.group(1).upper(), _PAYS["FR"])
    zone = trouve.group(2).lower()
    if zone.removeprefix("zone").isdigit():
        v = float(zone.removeprefix("zone"))
        return (v, False) if 0 < v <= 150 else None
    connues = {
        "urban": VILLE_KMH,
        "rural": rase_campagne,
        "motorway": autoroute,
        "trunk": min(autoroute, DEUX_CHAUSSEES_KMH),
        "living_street": 20.0,
        "walk": PAS_KMH,
        "pedestrian_zone": PAS_KMH,
    }
    return (connues[zone], False) if zone in connues else None


def _vitesses(
    tags: Mapping[str, str], classe: Classe, bretelle: bool, sens: int, notes: list[str]
) -> tuple[float, float, bool]:
    """Speeds along and against the way, and whether one was written as a number."""
    commune = _read_speed(tags.get("maxspeed"), classe, notes)
    if commune is None or math.isnan(commune[0]):
        for cle in ("zone:maxspeed", "source:maxspeed", "maxspeed:type", "zone:traffic"):
            # These keys also hold prose ("sign", "survey"): what is not a zone says nothing, and is no error.
            valeur = tags.get(cle, "")
            lue = _zone_speed(valeur, classe) or (_one_speed(valeur, classe) if cle == "zone:maxspeed" else None)
            if lue is not None and not math.isnan(lue[0]):
                commune = (lue[0], False)
                break
    if commune is None or math.isnan(commune[0]):
        commune = (_implicit_of_tags(tags, classe, bretelle, sens), False)
    aller = _read_speed(tags.get("maxspeed:forward"), classe, notes)
    retour = _read_speed(tags.get("maxspeed:backward"), classe, notes)
    a = aller if aller is not None and not math.isnan(aller[0]) else commune
    r = retour if retour is not None and not math.isnan(retour[0]) else commune
    return a[0], r[0], a[1] or r[1]


def _read_speed(valeur: str | None, classe: Classe, notes: list[str]) -> tuple[float, bool] | None:
    if not valeur:
        return None
    lue = parse_speed(valeur, classe)
    if lue is None and NOTE_VITESSE not in notes:
        notes.append(NOTE_VITESSE)
    return lue


def implicit_speed(classe: Classe, bretelle: bool = False) -> float:
    """Limit (km/h) of a road of this class where nothing says it (R413-2, R413-3, R110-2)."""
    return min(BRETELLE_KMH, _IMPLICITE[classe]) if bretelle else _IMPLICITE[classe]


def _implicit_of_tags(tags: Mapping[str, str], classe: Classe, bretelle: bool, sens: int) -> float:
    if tags.get("service") in ("parking_aisle", "driveway", "drive-through"):
        return ALLEE_KMH
    if tags.get("highway") == "road" or tags.get("junction") in ("roundabout", "circular"):
        return min(VILLE_KMH, implicit_speed(classe))
    deux_chaussees = tags.get("motorroad") == "yes" or (classe == Classe.VOIE_RAPIDE and sens != 0)
    if deux_chaussees and not bretelle and classe != Classe.AUTOROUTE:
        return DEUX_CHAUSSEES_KMH
    return implicit_speed(classe, bretelle)


# --- access -----------------------------------------------------------------------------------------------

#: Keys from the most to the least precise, by kind of user.
_HIERARCHIE: tuple[tuple[Acces, tuple[str, ...]], ...] = (
    (Acces.VOITURE, ("motorcar", "motor_vehicle", "vehicle", "access")),
    (Acces.POIDS_LOURD, ("hgv", "motor_vehicle", "vehicle", "access")),
    (Acces.CAR, ("tourist_bus", "coach", "bus", "psv", "motor_vehicle", "vehicle", "access")),
    (Acces.PIETON, ("foot", "access")),
)


def _acces(tags: Mapping[str, str], classe: Classe) -> Acces:
    """Mask of who may use the way. Winter service and emergency vehicles always may: barriers open for them."""
    acces = ACCES_ORDINAIRE
    if classe == Classe.AUTOROUTE or tags.get("motorroad") == "yes":
        acces &= ~Acces.PIETON
    prive = False
    for mode, cles in _HIERARCHIE:
        for cle in cles:
            valeur = tags.get(cle)
            if valeur is None:
                continue
            ouvertes = {v.strip() for v in valeur.split(";")} - _INTERDIT
            if mode == Acces.CAR and _TRANSPORT_PUBLIC & {v.strip() for v in valeur.split(";")}:
                acces |= mode
            elif not ouvertes:
                acces &= ~mode
            else:
                acces |= mode
                prive |= ouvertes <= _PRIVE and mode == Acces.VOITURE
            break
    return acces | Acces.PRIVE if prive else acces


# --- sizes ------------------------------------------------------------------------------------------------

_NOMBRE_UNITE = re.compile(r"^(\d+(?:[.,]\d+)?)\s*([a-zA-Z]*)$")
_PIEDS = re.compile(r"^(\d+)\s*(?:'|ft)\s*(?:(\d+(?:[.,]\d+)?)\s*(?:\"|''|in)?)?$")
_SANS_LIMITE = frozenset(
    {"default", "below_default", "none", "no", "unsigned", "no_sign", "no_indications", "unlimited"}
)


def parse_weight(valeur: str) -> float | None:
    """Tonnes; NaN = no limit told; None = unreadable. ``3.5 t``, ``3,5``, ``3500 kg``, ``7.5st``, ``6000 lbs``."""
    if valeur.strip().lower() in _SANS_LIMITE:
        return math.nan
    trouve = _NOMBRE_UNITE.match(valeur.strip())
    if not trouve:
        return None
    v = float(trouve.group(1).replace(",", "."))
    unite = trouve.group(2).lower()
    facteurs = {"": 1.0, "t": 1.0, "to": 1.0, "ton": 1.0, "tonne": 1.0, "tonnes": 1.0, "kg": 0.001,
                "st": TONNE_COURTE_T, "lbs": LIVRE_T, "lb": LIVRE_T}  # fmt: skip
    if unite not in facteurs or v <= 0:
        return None
    # A bare number of thousands is kilograms: no road is signed for 3,500 t.
    return v * (0.001 if unite == "" and v >= 500 else facteurs[unite])


def parse_length(valeur: str) -> float | None:
    """Metres; NaN = no limit told; None = unreadable. ``3.8``, ``3,80 m``, ``12'6"``, ``350 cm``, ``12 ft 6 in``."""
    texte = valeur.strip()
    if texte.lower() in _SANS_LIMITE:
        return math.nan
    pieds = _PIEDS.match(texte)
    if pieds:
        return int(pieds.group(1)) * PIED_M + float((pieds.group(2) or "0").replace(",", ".")) * POUCE_M
    trouve = _NOMBRE_UNITE.match(texte)
    if not trouve:
        return None
    v = float(trouve.group(1).replace(",", "."))
    facteurs = {"": 1.0, "m": 1.0, "metres": 1.0, "cm": 0.01, "ft": PIED_M, "in": POUCE_M}
    unite = trouve.group(2).lower()
    return v * facteurs[unite] if unite in facteurs and v > 0 else None


def _lowest(valeurs: tuple[str | None, ...], parse: object, notes: list[str], note: str) -> float:
    """Lowest readable value, NaN where none is told."""
    assert callable(parse)
    plus_bas = math.nan
    for valeur in valeurs:
        for morceau in (valeur or "").split(";"):
            if not morceau.strip():
                continue
            lu = parse(morceau)
            if lu is None:
                if note and note not in notes:
                    notes.append(note)
            elif not math.isnan(lu) and not lu >= plus_bas:
                plus_bas = lu
    return plus_bas


def _voies(valeur: str | None) -> int:
    """Number of lanes, 0 = not said or unreadable; ``2;3`` gives the lowest."""
    nombres = [int(float(v)) for v in re.findall(r"\d+(?:\.\d+)?", valeur or "")]
    return max(0, min(min(nombres), 100)) if nombres else 0
