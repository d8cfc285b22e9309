"""Numbers as they are written in French: decimal comma, narrow no-break space between thousands, unit after one.

Pure module.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Decimal

#: Narrow no-break space (thousands, before a unit).
FINE = "\u202f"
#: A word in the plural at the head of a unit (symbols such as km or min are shorter and have no plural).
_PLURIEL = re.compile(r"^(\w{3,})s\b")
INSECABLE = "\u00a0"
MOINS = "\u2212"


def nombre(value: float | Decimal, decimales: int = 0, *, signe: bool = False) -> str:
    """``-1234.5`` with one decimal: « −1 234,5 ». ``signe`` writes + too; infinite or missing: « — »."""
    number = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    if not number.is_finite():
        return "—"
    number = number.quantize(Decimal(1).scaleb(-decimales), rounding=ROUND_HALF_UP)
    text = f"{abs(number):,.{decimales}f}".replace(",", FINE).replace(".", ",")
    if number < 0:
        return MOINS + text
    return f"+{text}" if signe and number > 0 else text


def avec_unite(value: float | Decimal, unite: str, decimales: int = 0, *, signe: bool = False) -> str:
    """Number and unit: « 12,5 km »; nothing after it when the unit is empty.

    A unit that is a plural word is written in the singular below two: « 0 habitant », « 1 visite/an ».
    """
    text = nombre(value, decimales, signe=signe)
    if not unite:
        return text
    number = Decimal(repr(float(value)))
    if number.is_finite() and abs(number.quantize(Decimal(1).scaleb(-decimales), rounding=ROUND_HALF_UP)) < 2:
        unite = _PLURIEL.sub(r"\1", unite)
    return f"{text}{FINE}{unite}"


def euros(value: float | Decimal, *, centimes: bool = False, signe: bool = False) -> str:
    """« 1 234 € », or « 1 234,50 € »."""
    return avec_unite(value, "€", 2 if centimes else 0, signe=signe)


def pourcent(ratio: float, decimales: int = 1, *, signe: bool = False) -> str:
    """A ratio in percent: 0.052 gives « 5,2 % »."""
    return avec_unite(ratio * 100, "%", decimales, signe=signe)


def typographie(text: str) -> str:
    """No-break spaces before « : ; ? ! » and inside French quotes, so that no line starts with them."""
    for mark in ";?!":
        text = text.replace(f" {mark}", f"{FINE}{mark}")
    return text.replace(" :", f"{INSECABLE}:").replace("« ", f"«{INSECABLE}").replace(" »", f"{INSECABLE}»")


def duree(seconds: float) -> str:
    """« 0,4 s », « 3 min 20 s », « 2 h 05 min »."""
    if not math.isfinite(seconds):
        return "—"
    if seconds < 10:
        return avec_unite(seconds, "s", 1)
    whole = round(seconds)
    if whole < 60:
        return avec_unite(whole, "s")
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes}{FINE}min" + (f" {rest:02d}{FINE}s" if rest else "")
    hours, rest = divmod(whole // 60, 60)
    return f"{hours}{FINE}h" + (f" {rest:02d}{FINE}min" if rest else "")
