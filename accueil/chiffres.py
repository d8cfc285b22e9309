"""Figures of an answer, by site and by group, never a mean alone. Pure module: numpy only.

Every function takes ``poids`` (D,), the weight that each demand counts for: by default that of the model, or one column
of ``problem.populations`` to speak of the 75 and over alone. What is not served is in no band, and counts in means and
percentiles as told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .probleme import F64, I32, TOLERANCE_MINUTES, Problem, weights
from .resultat import Solution, open_sites

#: Bounds of the bands of minutes in which shares are told (a France services aims at 30).
BANDES = (10.0, 20.0, 30.0, 45.0)


@dataclass(frozen=True, eq=False)
class Acces:
    """Access of a set of demands.

    poids: their weight; servi: the share of it that is served. bandes: share of the weight within each of ``BANDES``
    (cumulated, unserved counts in none). moyenne, mediane, p90, pire: minutes of what is served (NaN where nothing
    is). gini: of minutes, 0 = all the same (Gini 1912, weighted). palma: mean minutes of the farthest tenth of the
    weight over mean minutes of the nearest four tenths (Palma's ratio of shares, each over its own weight, times 4);
    NaN where the nearest take no time.
    """

    poids: float
    servi: float
    bandes: tuple[float, ...]
    moyenne: float
    mediane: float
    p90: float
    pire: float
    gini: float
    palma: float


@dataclass(frozen=True, eq=False)
class Site:
    """One open site: its position, its level, volume received, number of demands, capacity of the level (inf = none),
    weight received of each group (G,), and the access of those whom it receives (its weight is what it receives)."""

    site: int
    niveau: int
    volume: float
    demandes: int
    capacite: float
    groupes: F64
    acces: Acces


def flow_minutes(problem: Problem, solution: Solution) -> F64:
    """Minutes of each flow, (k,)."""
    trajet = problem.minutes[solution.demande, problem.niveau_site[solution.niveau]].astype(np.float64)
    return np.asarray(trajet + problem.attente[solution.niveau], dtype=np.float64)


def access(
    problem: Problem,
    solution: Solution,
    groupe: int | None = None,
    poids: F64 | None = None,
    bandes: Sequence[float] = BANDES,
) -> Acces:
    """Access of one group (position in ``problem.groupes``) or of all."""
    tous = weights(problem) if poids is None else poids
    if groupe is not None:
        tous = np.where(problem.demande_groupe == groupe, tous, 0.0)
    return _access(float(tous.sum()), flow_minutes(problem, solution), tous[solution.demande] * solution.part, bandes)


def _access(total: float, minutes: F64, pese: F64, bandes: Sequence[float]) -> Acces:
    """Access of so much weight, of which flows (k,) serve ``pese`` in ``minutes``."""
    minutes, pese = minutes[pese > 0], pese[pese > 0]
    servi = float(pese.sum())
    nan = float("nan")
    if total <= 0 or servi <= 0:
        return Acces(total, 0.0, (0.0,) * len(bandes) if total > 0 else (nan,) * len(bandes), *(nan,) * 6)
    return Acces(
        poids=total,
        servi=min(servi / total, 1.0),
        bandes=tuple(min(float(pese[minutes <= bande + TOLERANCE_MINUTES].sum()) / total, 1.0) for bande in bandes),
        moyenne=float(pese @ minutes) / servi,
        mediane=percentile(minutes, pese, 0.5),
        p90=percentile(minutes, pese, 0.9),
        pire=float(minutes.max()),
        gini=gini(minutes, pese),
        palma=palma(minutes, pese),
    )


def by_group(problem: Problem, solution: Solution, poids: F64 | None = None) -> tuple[Acces, ...]:
    """Access of every group, in the order of ``problem.groupes``."""
    return tuple(access(problem, solution, g, poids) for g in range(len(problem.groupes)))


def by_site(
    problem: Problem, solution: Solution, poids: F64 | None = None, bandes: Sequence[float] = BANDES
) -> tuple[Site, ...]:
    """What each open site receives, sites in order."""
    tous = weights(problem) if poids is None else poids
    minutes = flow_minutes(problem, solution)
    # Capacities count active demands only.
    volume = np.where(weights(problem) > 0, problem.volume, 0.0)
    lignes = []
    for niveau in solution.niveaux:
        ici = solution.niveau == niveau
        demande = solution.demande[ici]
        pese = tous[demande] * solution.part[ici]
        groupes = np.bincount(problem.demande_groupe[demande], weights=pese, minlength=len(problem.groupes))
        lignes.append(
            Site(
                site=int(problem.niveau_site[niveau]),
                niveau=int(niveau),
                volume=float(volume[demande] @ solution.part[ici]),
                demandes=int((pese > 0).sum()),
                capacite=float(problem.capacite[niveau]),
                groupes=groupes.astype(np.float64),
                acces=_access(float(pese.sum()), minutes[ici], pese, bandes),
            )
        )
    return tuple(lignes)


def sites_by_group(problem: Problem, solution: Solution) -> I32:
    """Open sites standing in each group, (G,) int32 (those outside the block in none)."""
    groupe = problem.site_groupe[open_sites(problem, solution)]
    return np.bincount(groupe[groupe >= 0], minlength=len(problem.groupes)).astype(np.int32)


def percentile(valeurs: F64, poids: F64, part: float) -> float:
    """Smallest value that at least ``part`` of the weight does not exceed."""
    ordre = np.argsort(valeurs, kind="stable")
    cumul = np.cumsum(poids[ordre])
    rang = int(np.searchsorted(cumul, part * cumul[-1] * (1 - 1e-12)))
    return float(valeurs[ordre][min(rang, len(ordre) - 1)])


def gini(valeurs: F64, poids: F64) -> float:
    """Gini coefficient of weighted values: half the mean absolute difference over the mean; 0 where all are 0."""
    ordre = np.argsort(valeurs, kind="stable")
    x, w = valeurs[ordre], poids[ordre]
    total, masse = float(w.sum()), float(w @ x)
    if masse <= 0:
        return 0.0
    # Area under the Lorenz curve by trapezes.
    cumul_x = np.concatenate([[0.0], np.cumsum(w * x)]) / masse
    aire = float((w / total) @ (cumul_x[1:] + cumul_x[:-1])) / 2
    return max(0.0, 1.0 - 2.0 * aire)


def palma(valeurs: F64, poids: F64) -> float:
    """Mean of the farthest tenth of the weight over mean of the nearest four tenths; NaN where the latter is 0."""
    ordre = np.argsort(valeurs, kind="stable")
    x, w = valeurs[ordre], poids[ordre]
    fin = np.cumsum(w)
    total = float(fin[-1])
    debut = fin - w

    def between(bas: float, haut: float) -> float:
        """Mean over the weight from ``bas`` to ``haut`` of the total, demands cut where the limit falls."""
        dedans = np.maximum(0.0, np.minimum(fin, haut * total) - np.maximum(debut, bas * total))
        return float(dedans @ x) / ((haut - bas) * total)

    proches = between(0.0, 0.4)
    return between(0.9, 1.0) / proches if proches > 0 else float("nan")
