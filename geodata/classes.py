"""Road classes and who manages a road: the vocabulary every reader maps its source to.

Pure module: no Django, no database.
"""

from __future__ import annotations

import re
from enum import IntEnum, IntFlag


class Classe(IntEnum):
    """Functional class of a road, from the busiest to the least; stored as a small integer."""

    AUTOROUTE = 0
    VOIE_RAPIDE = 1
    PRIMAIRE = 2
    SECONDAIRE = 3
    TERTIAIRE = 4
    LOCALE = 5
    RESIDENTIELLE = 6
    RENCONTRE = 7
    DESSERTE = 8


LIBELLES_CLASSE: dict[Classe, str] = {
    Classe.AUTOROUTE: "Autoroute",
    Classe.VOIE_RAPIDE: "Voie rapide",
    Classe.PRIMAIRE: "Route principale",
    Classe.SECONDAIRE: "Route secondaire",
    Classe.TERTIAIRE: "Route de liaison",
    Classe.LOCALE: "Route locale",
    Classe.RESIDENTIELLE: "Rue résidentielle",
    Classe.RENCONTRE: "Zone de rencontre",
    Classe.DESSERTE: "Voie de desserte",
}

#: OSM ``highway`` value -> class. What is not here is not drivable (and not imported).
CLASSE_PAR_HIGHWAY: dict[str, Classe] = {
    "motorway": Classe.AUTOROUTE,
    "motorway_link": Classe.AUTOROUTE,
    "trunk": Classe.VOIE_RAPIDE,
    "trunk_link": Classe.VOIE_RAPIDE,
    "primary": Classe.PRIMAIRE,
    "primary_link": Classe.PRIMAIRE,
    "secondary": Classe.SECONDAIRE,
    "secondary_link": Classe.SECONDAIRE,
    "tertiary": Classe.TERTIAIRE,
    "tertiary_link": Classe.TERTIAIRE,
    "unclassified": Classe.LOCALE,
    "road": Classe.LOCALE,
    "residential": Classe.RESIDENTIELLE,
    "living_street": Classe.RENCONTRE,
    "service": Classe.DESSERTE,
}


class Gestion(IntEnum):
    """Who manages the road, as its number says (A, N, D, M, none)."""

    AUTOROUTE = 0
    NATIONALE = 1
    DEPARTEMENTALE = 2
    METROPOLITAINE = 3
    COMMUNALE = 4


LIBELLES_GESTION: dict[Gestion, str] = {
    Gestion.AUTOROUTE: "Autoroute",
    Gestion.NATIONALE: "Route nationale",
    Gestion.DEPARTEMENTALE: "Route départementale",
    Gestion.METROPOLITAINE: "Route métropolitaine",
    Gestion.COMMUNALE: "Voie communale ou autre",
}

_REF = re.compile(r"^\s*(RN|RD|RM|[ANDM])\s*\.?\s*\d", re.IGNORECASE)
_GESTION_PAR_LETTRE = {
    "A": Gestion.AUTOROUTE,
    "N": Gestion.NATIONALE,
    "RN": Gestion.NATIONALE,
    "D": Gestion.DEPARTEMENTALE,
    "RD": Gestion.DEPARTEMENTALE,
    "M": Gestion.METROPOLITAINE,
    "RM": Gestion.METROPOLITAINE,
}


def gestion_of(ref: str) -> Gestion:
    """Manager told by a French road number: ``"D 500;D 501"`` -> départementale, ``""`` -> communale."""
    found = _REF.match(ref or "")
    return _GESTION_PAR_LETTRE[found.group(1).upper()] if found else Gestion.COMMUNALE


class Acces(IntFlag):
    """Who may use a piece of road (bit mask stored with the edge)."""

    VOITURE = 1
    POIDS_LOURD = 2
    CAR = 4
    PIETON = 8
    SERVICE = 16  # winter service and emergency vehicles
    PRIVE = 32  # private, destination or customers only: reachable, not a through road


ACCES_ORDINAIRE = Acces.VOITURE | Acces.POIDS_LOURD | Acces.CAR | Acces.PIETON | Acces.SERVICE
