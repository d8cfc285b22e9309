"""How cells of a `territoires.operation.Tableau` are laid out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django import template

register = template.Library()

_NOMBRE = re.compile(r"[+\u2212-]?\d[\d\s\u202f\u00a0]*([.,]\d+)?\s*(%|€|km|min|h|s)?|—")


@register.filter
def est_nombre(cellule: Any) -> bool:
    """True for what is read as a quantity: aligned on the right."""
    if isinstance(cellule, bool):
        return False
    return isinstance(cellule, int | float) or (isinstance(cellule, str) and _NOMBRE.fullmatch(cellule) is not None)


@register.filter
def colonne_de_nombres(lignes: Sequence[Sequence[Any]], rang: int) -> bool:
    """True when every cell of a column is a quantity."""
    return bool(lignes) and all(est_nombre(ligne[rang]) for ligne in lignes)
