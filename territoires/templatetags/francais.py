"""Numbers, money and durations as pages write them (`territoires.nombres`)."""

from __future__ import annotations

import math
from decimal import Decimal

from django import template

from territoires import nombres
from territoires.calcul import Indicateur

register = template.Library()

Valeur = float | Decimal | None


@register.filter
def chiffre(value: Valeur, decimales: int = 0) -> str:
    """A number; « — » when unknown."""
    return "—" if value is None else nombres.nombre(value, decimales)


@register.filter
def euros(value: Valeur) -> str:
    """Whole euro."""
    return "—" if value is None else nombres.euros(value)


@register.filter
def euros_signe(value: Valeur) -> str:
    """Whole euro with its sign."""
    return "—" if value is None else nombres.euros(value, signe=True)


@register.filter
def pourcent(value: float | None) -> str:
    """A ratio in percent."""
    return "—" if value is None else nombres.pourcent(value)


@register.filter
def duree(value: float | None) -> str:
    """Seconds, as minutes and hours."""
    return "—" if value is None else nombres.duree(value)


@register.simple_tag
def mesure(indicateur: Indicateur, value: float | None, signe: bool = False) -> str:
    """A figure of an indicator with its unit; with ``signe``, a difference."""
    if value is None or math.isnan(value):
        return "—"
    if not math.isfinite(value):
        return "—" if signe else "inaccessible"
    return nombres.avec_unite(value, indicateur.unite, indicateur.decimales, signe=signe)
