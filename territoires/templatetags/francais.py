"""Numbers, money and durations as pages write them (`territoires.nombres`)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from territoires import nombres
from territoires.calcul import Indicateur
from territoires.noms import nom_court

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


@register.filter
def court(nom: str) -> str:
    """Name of a collectivité, short enough for a table."""
    return nom_court(nom)


@register.filter
def typo(text: object) -> str:
    """No-break spaces where French wants them."""
    return nombres.typographie(str(text))


@register.filter
def cle(values: Mapping[str, Any], key: str) -> Any:
    """A value of a mapping by its key; the key itself where there is none."""
    return values.get(key, key)


@register.simple_tag
def mesure(indicateur: Indicateur, value: float | None, signe: bool = False) -> str:
    """A figure of an indicator, its unit being said beside its name; with ``signe``, a difference."""
    if value is None or math.isnan(value):
        return "—"
    if not math.isfinite(value):
        return "—" if signe else "inaccessible"
    return nombres.nombre(value, indicateur.decimales, signe=signe)


@register.simple_tag
def cellule(value: Any) -> SafeString:
    """A cell of an operation's table: numbers to the right, one decimal at most where they are not whole."""
    if value is None:
        return SafeString("<td>—</td>")
    if isinstance(value, bool):
        return format_html("<td>{}</td>", "oui" if value else "non")
    if isinstance(value, (int, float, Decimal)):
        return format_html('<td class="nombre">{}</td>', _plain_number(value))
    return format_html("<td>{}</td>", value)


def _plain_number(value: float | Decimal) -> str:
    if not math.isfinite(value):
        return "—" if math.isnan(value) else "inaccessible"
    return nombres.nombre(value, 0 if value == int(value) else 1)
