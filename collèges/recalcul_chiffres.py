"""Figures by collège, group and year found again from the definitions of `collèges.resultat`. Pure module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .probleme import F64, B, Problem
from .recalcul import Couples, Zones, loads, sector_ips


@dataclass(frozen=True, eq=False)
class Jeu:
    """Figures of one collège or group in one year, named as in `Chiffres`; NaN = nobody.

    minutes, eleves (p,): the pupils whose time is known, for the percentile.
    """

    #: Figures that have no year.
    FIXES: ClassVar[frozenset[str]] = frozenset({"ips", "ecart_ips"})

    effectif: float
    remplissage: float
    minutes_moyenne: float
    minutes_max: float
    deplaces: float
    exterieurs: float
    ips: float
    ecart_ips: float
    minutes: F64
    eleves: F64

    def is_p90(self, valeur: float) -> bool:
        """Whether 90 % of the pupils are at most at this time, and it is the least such time (up to rounding)."""
        total = float(self.eleves.sum())
        if total <= 0:
            return bool(np.isnan(valeur))
        marge = 1e-9 * total
        ecart = 1e-6 * max(1.0, abs(valeur))
        present = bool(np.any(np.abs(self.minutes - valeur) <= ecart))
        dessous = float(self.eleves[self.minutes < valeur - ecart].sum())
        jusque = float(self.eleves[self.minutes <= valeur + ecart].sum())
        return present and jusque >= 0.9 * total - marge and dessous <= 0.9 * total + marge


def figures_of_colleges(problem: Problem, couples: Couples, zones: Zones) -> list[list[Jeu]]:
    """Figures of the collèges: ``[t][j]``."""
    charge, exterieurs = loads(problem, couples)
    ips, ecarts = sector_ips(problem, couples, zones), _gaps(problem, couples, zones)
    gagne = np.clip(couples.neuf - couples.actuel, 0.0, None)
    # Whoever had no collège, or has none any more, has not changed collège.
    gagne[zones.deplacee[couples.zone] == 0] = 0.0
    annees = []
    for t in range(problem.n_annees):
        suivent = problem.eleves[t] * zones.nouvelle[t]
        annee = []
        for j in range(problem.n_colleges):
            de_j = couples.college == j
            minutes, eleves = _known_times(couples, de_j, t)
            annee.append(
                Jeu(
                    effectif=float(charge[t, j]),
                    remplissage=_ratio(charge[t, j], problem.capacite[t, j]),
                    minutes_moyenne=_mean(minutes, eleves),
                    minutes_max=float(minutes.max()) if len(minutes) else float("nan"),
                    deplaces=float(suivent[couples.zone[de_j]] @ gagne[de_j]),
                    exterieurs=_ratio(exterieurs[t, j], charge[t, j]),
                    ips=float(ips[j]),
                    ecart_ips=float(ecarts[j]),
                    minutes=minutes,
                    eleves=eleves,
                )
            )
        annees.append(annee)
    return annees


def figures_of_groups(problem: Problem, couples: Couples, zones: Zones) -> list[list[Jeu]]:
    """Figures of the groups: ``[t][g]``."""
    charge, exterieurs = loads(problem, couples)
    ecarts = _gaps(problem, couples, zones)
    annees = []
    for t in range(problem.n_annees):
        suivent = problem.eleves[t] * zones.nouvelle[t]
        annee = []
        for g in range(problem.n_groupes):
            habitent = problem.zone_groupe == g
            siens = problem.college_groupe == g
            minutes, eleves = _known_times(couples, habitent[couples.zone], t)
            recus = float(charge[t, siens].sum())
            vus = ecarts[siens]
            vus = vus[~np.isnan(vus)]
            annee.append(
                Jeu(
                    effectif=float(couples.flux[t, habitent[couples.zone]].sum()),
                    remplissage=_ratio(recus, float(problem.capacite[t, siens].sum())),
                    minutes_moyenne=_mean(minutes, eleves),
                    minutes_max=float(minutes.max()) if len(minutes) else float("nan"),
                    deplaces=float(suivent[habitent] @ zones.deplacee[habitent]),
                    exterieurs=_ratio(float(exterieurs[t, siens].sum()), recus),
                    ips=_group_ips(zones, habitent),
                    ecart_ips=float(vus.max()) if len(vus) else float("nan"),
                    minutes=minutes,
                    eleves=eleves,
                )
            )
        annees.append(annee)
    return annees


def _known_times(couples: Couples, lesquels: B, t: int) -> tuple[F64, F64]:
    """Minutes and pupils of the pairs that somebody travels and whose time is known."""
    garde = lesquels & np.isfinite(couples.minutes) & (couples.flux[t] > 0)
    return couples.minutes[garde], couples.flux[t, garde]


def _ratio(haut: float, bas: float) -> float:
    """NaN where the denominator is zero or infinite."""
    return float(haut / bas) if 0 < bas < np.inf else float("nan")


def _mean(valeurs: F64, poids: F64) -> float:
    return _ratio(float(valeurs @ poids), float(poids.sum()))


def _group_ips(zones: Zones, habitent: B) -> float:
    garde = habitent & ~np.isnan(zones.ips)
    return _mean(zones.ips[garde], zones.moyenne[garde])


def _gaps(problem: Problem, couples: Couples, zones: Zones) -> F64:
    """Largest difference of IPS of each collège with those it is compared with, (C,), NaN = none."""
    ips = sector_ips(problem, couples, zones)
    ecarts = np.full(problem.n_colleges, np.nan)
    for a, b in problem.college_voisins:
        ecart = abs(float(ips[a] - ips[b]))
        if not np.isnan(ecart):
            ecarts[a] = ecart if np.isnan(ecarts[a]) else max(float(ecarts[a]), ecart)
            ecarts[b] = ecart if np.isnan(ecarts[b]) else max(float(ecarts[b]), ecart)
    return ecarts
