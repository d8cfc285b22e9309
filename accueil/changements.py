"""One site locked, forbidden or moved: the problem that an agent's click makes. Pure module.

Solve it again from the last answer: ``solve(with_state(...), stop, depart=answer)``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from .probleme import Etat, Problem


def with_state(problem: Problem, site: int, etat: Etat) -> Problem:
    """The same problem with one site locked open (`REQUIS`), forbidden or freed."""
    etats = problem.etat.copy()
    etats[site] = etat
    return replace(problem, etat=etats)


def with_minutes(problem: Problem, site: int, minutes: ArrayLike) -> Problem:
    """The same problem with one site moved: ``minutes`` (D,) from every demand to its new place."""
    matrice = problem.minutes.copy()
    matrice[:, site] = np.asarray(minutes, dtype=np.float32)
    return replace(problem, minutes=matrice)
