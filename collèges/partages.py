"""Sectors that two collèges share today: which zones share the same, what they may become. Pure module."""

from __future__ import annotations

import numpy as np

from .donnees import Donnees
from .probleme import AUCUN, I32, B


def sharing(d: Donnees, present: I32, partages: B, zone: int, tirage: np.random.Generator) -> list[int]:
    """The zone, and those of ``partages`` (n,) that share the same two collèges today and hold to it by borders: all of
    them, or (one time in two) as many as drawn."""
    paires, groupe = np.sort(present, axis=1), [zone]
    for i in groupe:
        autour = d.indices[d.indptr[i] : d.indptr[i + 1]]
        memes = autour[(paires[autour] == paires[zone]).all(axis=1) & partages[autour]]
        groupe += [k for k in tirage.permutation(memes).tolist() if k not in groupe]
    return groupe[: int(tirage.integers(1, len(groupe) + 1))] if tirage.random() < 0.5 else groupe


def ended(d: Donnees, present: I32, x: I32, x2: I32, zones: list[int], j: int) -> tuple[I32, I32]:
    """The plan with these zones in collège j, those that may, or shared as they are today (AUCUN)."""
    siennes = [zone for zone in zones if j == AUCUN or d.permis[zone, j]]
    suite, suite2 = x.copy(), x2.copy()
    suite[siennes], suite2[siennes] = present[siennes].T if j == AUCUN else (j, AUCUN)
    return suite, suite2
