"""Parameters of a study of déchetteries, as kept in ``Etude.parametres``.

Pure module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .probleme import UnitCosts


@dataclass(frozen=True)
class Parametres:
    """What an agent chooses; unit costs and their sources are in `UnitCosts`.

    perimetre: "zone" (communes of the zone) or "entier" (all communes of the collectivités).
    points: "communes" (mairies) or "fins" (points of population where there are some).
    regle_interne: "ouvert" or "epci", see `déchetteries.acces`.
    accrochage_max_m: beyond this distance from a usable road a place is reported, not joined.
    population_defaut: inhabitants of a commune whose population is unknown.
    capacites: capacities bind. modifications: lines of `déchetteries.modifications`.
    """

    perimetre: str = "zone"
    points: str = "communes"
    regle_interne: str = "ouvert"
    accrochage_max_m: float = 5000.0
    population_defaut: int = 1000
    capacites: bool = True
    modifications: str = ""
    couts: UnitCosts = field(default_factory=UnitCosts)

    @classmethod
    def from_json(cls, valeurs: Mapping[str, Any]) -> Parametres:
        """From the values kept with a study; what is absent takes its default."""
        propres: dict[str, Any] = {}
        couts: dict[str, Any] = {}
        for dataclass_, cible in ((cls, propres), (UnitCosts, couts)):
            for champ in fields(dataclass_):
                if champ.name in valeurs and champ.name != "couts" and valeurs[champ.name] not in (None, ""):
                    cible[champ.name] = _as(champ.type, valeurs[champ.name])
        return cls(**propres, couts=UnitCosts(**couts))


def _as(type_: Any, valeur: Any) -> Any:
    """A JSON value in the field's type (decimals come as text)."""
    if type_ == "float":
        return float(valeur)
    if type_ == "int":
        return int(valeur)
    return valeur
