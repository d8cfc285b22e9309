"""The changes a study tries (what-if), as agents write them: one line a change.

Pure module. A line holds an action and its fields, separated by semicolons::

    fermer ; CODE
    rouvrir ; CODE
    déplacer ; CODE ; longitude ; latitude
    ouvrir ; nom ; longitude ; latitude ; code du propriétaire [; visites par an]
    autoriser ; CODE ; code de la collectivité dont les habitants sont admis
    interdire ; CODE ; code de la collectivité dont les habitants ne sont plus admis

Longitude and latitude in degrees (WGS 84), point or comma. Empty lines and what follows ``#`` are not read.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What is changed."""

    FERMER = "fermer"
    ROUVRIR = "rouvrir"
    DEPLACER = "deplacer"
    OUVRIR = "ouvrir"
    AUTORISER = "autoriser"
    INTERDIRE = "interdire"


@dataclass(frozen=True)
class Modification:
    """One change. ``centre`` is the code of an existing centre ("" for a new one); the rest as its action needs."""

    action: Action
    ligne: int
    centre: str = ""
    nom: str = ""
    collectivite: str = ""
    lon: float | None = None
    lat: float | None = None
    capacite: float | None = None


class ModificationsInvalides(ValueError):
    """Lines that cannot be read; ``messages`` names each with its line number, in French."""

    def __init__(self, messages: list[str]) -> None:
        self.messages = messages
        super().__init__("\n".join(messages))


_USAGE = {
    Action.FERMER: "fermer ; code du centre",
    Action.ROUVRIR: "rouvrir ; code du centre",
    Action.DEPLACER: "déplacer ; code du centre ; longitude ; latitude",
    Action.OUVRIR: "ouvrir ; nom ; longitude ; latitude ; code du propriétaire [; visites par an]",
    Action.AUTORISER: "autoriser ; code du centre ; code de la collectivité",
    Action.INTERDIRE: "interdire ; code du centre ; code de la collectivité",
}
_CHAMPS = {
    Action.FERMER: (1, 1),
    Action.ROUVRIR: (1, 1),
    Action.DEPLACER: (3, 3),
    Action.OUVRIR: (4, 5),
    Action.AUTORISER: (2, 2),
    Action.INTERDIRE: (2, 2),
}


def parse(texte: str) -> tuple[Modification, ...]:
    """Changes in the order written. Raises `ModificationsInvalides` with every line that cannot be read."""
    trouvees: list[Modification] = []
    messages: list[str] = []
    for numero, brute in enumerate(texte.splitlines(), start=1):
        ligne = brute.split("#", 1)[0].strip()
        if not ligne:
            continue
        try:
            trouvees.append(_line(ligne, numero))
        except ValueError as error:
            messages.append(f"Ligne {numero} (« {ligne} ») : {error}")
    vus: dict[str, int] = {}
    for m in trouvees:
        if m.action in (Action.FERMER, Action.ROUVRIR, Action.DEPLACER):
            if m.centre in vus:
                messages.append(f"Ligne {m.ligne} : le centre {m.centre} est déjà modifié à la ligne {vus[m.centre]}.")
            vus[m.centre] = m.ligne
    if messages:
        raise ModificationsInvalides(messages)
    return tuple(trouvees)


def _line(ligne: str, numero: int) -> Modification:
    mot, *champs = [champ.strip() for champ in ligne.split(";")]
    plat = unicodedata.normalize("NFKD", mot.lower()).encode("ascii", "ignore").decode()
    try:
        action = Action(plat)
    except ValueError:
        raise ValueError(
            f"action « {mot} » inconnue (fermer, rouvrir, déplacer, ouvrir, autoriser, interdire)."
        ) from None
    minimum, maximum = _CHAMPS[action]
    if not minimum <= len(champs) <= maximum or not all(champs[:minimum]):
        raise ValueError(f"écrivez : {_USAGE[action]}.")
    if action is Action.OUVRIR:
        nom, lon, lat, proprietaire, *reste = champs
        capacite = _number(reste[0], "visites par an") if reste and reste[0] else None
        if capacite is not None and capacite < 0:
            raise ValueError("les visites par an ne peuvent pas être négatives.")
        x, y = _place(lon, lat)
        return Modification(action, numero, nom=nom, collectivite=proprietaire, lon=x, lat=y, capacite=capacite)
    if action is Action.DEPLACER:
        x, y = _place(champs[1], champs[2])
        return Modification(action, numero, centre=champs[0], lon=x, lat=y)
    return Modification(action, numero, centre=champs[0], collectivite=champs[1] if len(champs) > 1 else "")


def _place(lon: str, lat: str) -> tuple[float, float]:
    x, y = _number(lon, "longitude"), _number(lat, "latitude")
    if not -180 <= x <= 180 or not -90 <= y <= 90:
        raise ValueError("longitude et latitude en degrés attendues (longitude d'abord).")
    return x, y


def _number(texte: str, quoi: str) -> float:
    try:
        return float(texte.replace(",", ".").replace("\u202f", "").replace(" ", ""))
    except ValueError:
        raise ValueError(f"{quoi} : « {texte} » n'est pas un nombre.") from None
