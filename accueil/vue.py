"""A problem as the solvers read it: only the demands that count and the levels that may open. Pure module."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .probleme import (
    F64,
    TOLERANCE_MINUTES,
    B,
    Capacites,
    Etat,
    Modele,
    Problem,
    group_share_min,
    level_minutes,
    may_open,
    weights,
)


@dataclass(frozen=True, eq=False)
class Vue:
    """n active demands, m levels that may open.

    demande (n,), niveau (m,): positions in the problem. poids, volume (n,); minutes (n, m), inf = may not serve.
    groupe (n,); site (m,): site of each level; fixe (m,): its cost in the objective (terms; for COUVERTURE_TOTALE one
    more, the site itself). couvre (n, m): within ``seuil`` (all false without one).
    """

    probleme: Problem
    demande: NDArray[np.int64]
    niveau: NDArray[np.int64]
    poids: F64
    volume: F64
    minutes: F64
    groupe: NDArray[np.int64]
    site: NDArray[np.int64]
    capacite: F64
    fixe: F64
    couvre: B

    @property
    def n(self) -> int:
        return len(self.demande)

    @property
    def m(self) -> int:
        return len(self.niveau)

    @cached_property
    def requis(self) -> NDArray[np.int64]:
        """Sites that must be open, even those of which no level may."""
        return np.flatnonzero(self.probleme.etat == Etat.REQUIS)

    @cached_property
    def sites(self) -> NDArray[np.int64]:
        """Sites with a level that may open, sorted."""
        return np.unique(self.site)

    @property
    def sites_max(self) -> int:
        """Most sites that may be open."""
        limite = self.probleme.sites_max
        return len(self.sites) if limite is None else min(limite, len(self.sites))

    @cached_property
    def parts(self) -> list[tuple[B, float]]:
        """Rules on the covered weight: demands (n,) and the weight not covered that they may have at most."""
        regles: list[tuple[B, float]] = []
        problem = self.probleme
        total = problem.part_min
        if problem.modele is Modele.COUVERTURE_TOTALE and total is None:
            total = 1.0
        if total:
            tous = np.ones(self.n, dtype=np.bool_)
            regles.append((tous, _slack(total, float(self.poids.sum()))))
        for g, part in enumerate(group_share_min(problem)):
            membres = self.groupe == g
            if part > 0 and membres.any():
                regles.append((membres, _slack(float(part), float(self.poids[membres].sum()))))
        return regles

    @cached_property
    def plain(self) -> bool:
        """True when the rules are about the number of sites and the states alone, without capacity nor several
        levels: what the uncapacitated core solves."""
        problem = self.probleme
        return (
            problem.capacites is Capacites.AUCUNE
            and len(self.sites) == self.m
            and problem.budget_ouverture is None
            and problem.budget_annuel is None
            and not self.parts
            and problem.equite_poids == 0
            and (problem.sites_min_groupe is None or not problem.sites_min_groupe.any())
        )

    @property
    def equite(self) -> list[tuple[B, float]]:
        """Demands and weight of each group that weighs something."""
        groupes = np.unique(self.groupe)
        return [(self.groupe == g, float(self.poids[self.groupe == g].sum())) for g in groupes]


def _slack(part: float, poids: float) -> float:
    # A share of everything leaves nothing to rounding.
    return 0.0 if part >= 1 else (1.0 - part) * poids


def make_vue(problem: Problem) -> Vue:
    """Read a problem."""
    poids = weights(problem)
    demande = np.flatnonzero(poids > 0)
    niveau = np.flatnonzero(may_open(problem))
    minutes = level_minutes(problem)[np.ix_(demande, niveau)]
    fixe = problem.poids_ouverture * problem.cout_ouverture + problem.poids_annuel * problem.cout_annuel
    if problem.modele is Modele.COUVERTURE_TOTALE:
        fixe = fixe + 1.0
    if problem.seuil is None:
        couvre = np.zeros(minutes.shape, dtype=np.bool_)
    else:
        couvre = minutes <= problem.seuil + TOLERANCE_MINUTES
    return Vue(
        probleme=problem,
        demande=demande,
        niveau=niveau,
        poids=poids[demande],
        volume=problem.volume[demande],
        minutes=minutes,
        groupe=problem.demande_groupe[demande].astype(np.int64),
        site=problem.niveau_site[niveau].astype(np.int64),
        capacite=problem.capacite[niveau],
        fixe=fixe[niveau],
        couvre=couvre,
    )
