"""Table of texts: each distinct text once, told by its position. Pure module."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from geodata.reseau import I32


class Textes:
    """Gives each text its position; position 0 is the empty text."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {"": 0}

    def code(self, texte: str) -> int:
        """Position of the text, added where it is new."""
        return self._codes.setdefault(texte, len(self._codes))

    def codes(self, textes: Iterable[str]) -> I32:
        """Positions of many texts."""
        return np.fromiter((self.code(t) for t in textes), dtype=np.int32)

    @property
    def table(self) -> list[str]:
        """The texts in the order of their positions."""
        return list(self._codes)
