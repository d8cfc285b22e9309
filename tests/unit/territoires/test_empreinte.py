"""The mark of a solver's inputs changes with all they hold, and with nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from territoires.empreinte import input_hash


@dataclass(frozen=True)
class Prix:
    km: float
    heure: float = np.inf


@dataclass(frozen=True)
class Entree:
    minutes: Any
    noms: tuple[str, ...]
    prix: Prix
    parts: tuple[Prix, ...] = ()


ENTREE = Entree(np.arange(6, dtype=np.float32).reshape(2, 3), ("Brédons", "Le Puy"), Prix(1.5), (Prix(2.0),))
CHANGEMENTS = (
    {"minutes": np.arange(6, dtype=np.float32).reshape(3, 2)},
    {"minutes": np.arange(6, dtype=np.float64).reshape(2, 3)},
    {"minutes": np.arange(6, dtype=np.float32).reshape(2, 3) + np.float32(1)},
    {"noms": ("Brédons Le", "Puy")},
    {"prix": Prix(1.5, 3.0)},
    {"parts": ()},
    {"parts": (Prix(2.0), Prix(2.0))},
)


def test_every_part_counts() -> None:
    marks = [input_hash(replace(ENTREE, **change)) for change in CHANGEMENTS]
    assert len({input_hash(ENTREE), *marks}) == len(CHANGEMENTS) + 1


def test_how_a_value_is_held_does_not() -> None:
    other = replace(ENTREE, minutes=np.asfortranarray(ENTREE.minutes), prix=Prix(np.float64(1.5)), noms=ENTREE.noms)  # type: ignore[arg-type]
    assert input_hash(other) == input_hash(ENTREE)


def test_what_has_no_mark_is_refused() -> None:
    with pytest.raises(TypeError):
        input_hash(replace(ENTREE, noms={1, 2}))  # type: ignore[arg-type]
