"""Kinds of rules that may be relaxed where nothing is feasible, and the programs that measure by how much. Pure module.

What a program can say of a problem without looking at its objective: whether its rules leave an answer, and the least
sum of something over open levels under them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from territoires.calcul import Arret

from .capacites import capacity_program
from .mip import Mip, Reponse, Verdict
from .moteur import solve_mip
from .probleme import F64, Capacites, Modele, Problem
from .rayons import cover_program
from .vue import Vue, make_vue

#: Ends the sentence of a change that is enough, but not proven the least.
AU_PLUS = " C'est au plus ce qu'il faut : un changement plus petit suffirait peut-être."


@dataclass(frozen=True)
class Famille:
    """One kind of rule: whether the problem has it, the problem without it, the least change (problem, sentence), None
    where none is enough or none was found in time."""

    presente: Callable[[Problem], bool]
    sans: Callable[[Problem], Problem]
    moindre: Callable[[Problem, Arret, int], tuple[Problem, str] | None]


def program(problem: Problem, cout: F64, souple: bool = False) -> tuple[Vue, Mip]:
    """All rules, and the least ``cout`` (L,) of open levels instead of the objective."""
    vue = make_vue(replace(problem, equite_poids=0.0))
    couvertures = problem.modele in (Modele.COUVERTURE_MAX, Modele.COUVERTURE_TOTALE)
    prix = cout[vue.niveau]
    servir = not couvertures and problem.minutes_non_servi is None
    # Serving everybody is being within the longest time allowed.
    loin = float(vue.minutes[np.isfinite(vue.minutes)].max(initial=0.0)) if servir else np.inf
    if problem.capacites is Capacites.AUCUNE:
        return vue, cover_program(vue, rayon=loin, cout=prix, souple=souple).mip
    return vue, capacity_program(vue, rayon=None if couvertures else loin, cout=prix, souple=souple).mip


def answer(mip: Mip, stop: Arret, seed: int, gap_abs: float = 1e-6) -> Reponse:
    """Solve one of these programs, as far as the time allows."""
    return solve_mip(mip, stop, gap_abs=gap_abs, seed=seed)


def least(problem: Problem, cout: F64, stop: Arret, seed: int) -> Reponse:
    """Least sum of ``cout`` (L,) over open levels under all the rules."""
    return answer(program(problem, cout)[1], stop, seed)


def feasible(problem: Problem, stop: Arret, seed: int) -> bool | None:
    """Whether the rules leave an answer, None = not known."""
    reponse = least(problem, np.zeros(problem.n_niveaux), stop, seed)
    if reponse.x is not None:
        return True
    return False if reponse.verdict is Verdict.IRREALISABLE else None


def told(phrase: str, prouve: bool) -> str:
    """The sentence of a change, with a word more where it is not proven the least."""
    return phrase if prouve else phrase + AU_PLUS


def sites_text(combien: int) -> str:
    """Number of sites in words."""
    return f"{combien} site{'s' if combien > 1 else ''}"


def with_field(problem: Problem, nom: str, valeur: float | None) -> Problem:
    """The problem with another value of one rule."""
    champ: dict[str, Any] = {nom: valeur}
    return replace(problem, **champ)
