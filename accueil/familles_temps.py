"""Times that may be relaxed: the longest one allowed, the one of coverage, whether everybody is served. Pure module."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from territoires.calcul import Arret
from territoires.nombres import nombre

from .centre import solve_center
from .familles import Famille, feasible, told, with_field
from .familles_nombres import has_shares
from .probleme import TOLERANCE_MINUTES, Modele, Problem
from .vue import make_vue


def _round_up(minutes: float) -> float:
    """To the tenth above, but for what comparisons grant."""
    return float(np.ceil((minutes - TOLERANCE_MINUTES / 2) * 10)) / 10


def _farthest(problem: Problem) -> float:
    """At least the longest finite trip."""
    return float(np.float64(problem.minutes[np.isfinite(problem.minutes)].max(initial=0.0)) + problem.attente.max())


def _least_minutes(problem: Problem, nom: str, plafond: float, stop: Arret, seed: int) -> tuple[float, bool] | None:
    """Least value of the rule ``nom`` above its own, ``plafond`` at most, that leaves an answer, by bisection on the
    minutes of all trips, and whether it is proven the least."""
    minutes = make_vue(replace(problem, minutes_max=None)).minutes
    valeurs = np.unique(minutes[np.isfinite(minutes)])
    valeurs = valeurs[(valeurs > getattr(problem, nom)) & (valeurs <= plafond)]
    if not len(valeurs) or not feasible(with_field(problem, nom, float(valeurs[-1])), stop, seed):
        return None
    bas, haut, prouve = 0, len(valeurs) - 1, True
    while bas < haut:
        milieu = (bas + haut) // 2
        possible = feasible(with_field(problem, nom, float(valeurs[milieu])), stop, seed)
        if possible:
            haut = milieu
        else:
            bas = milieu + 1
            prouve = prouve and possible is False
    return float(valeurs[haut]), prouve


def _longer(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    if problem.minutes_non_servi is not None or not _must_serve(problem):
        # Somebody may be left out: the time that the other rules need, not the one that reaches everybody.
        trouve = _least_minutes(problem, "minutes_max", np.inf, stop, seed)
    else:
        rayon = solve_center(make_vue(replace(problem, minutes_max=None)), stop, seed, lambda *_: None)
        trouve = (rayon.rayon, rayon.borne >= rayon.rayon) if np.isfinite(rayon.rayon) else None
    if trouve is None:
        return None
    minutes = _round_up(trouve[0])
    phrase = f"Porter le temps maximal de {nombre(problem.minutes_max or 0, 1)} à {nombre(minutes, 1)} min."
    return replace(problem, minutes_max=minutes), told(phrase, trouve[1])


def _cap(problem: Problem) -> float:
    """A time of coverage within which everybody served is."""
    plafond = max(_farthest(problem), problem.seuil or 0.0)
    prix = problem.minutes_non_servi
    return plafond if prix is None else min(plafond, prix)


def _wider(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    trouve = _least_minutes(problem, "seuil", _cap(problem), stop, seed)
    if trouve is None:
        return None
    minutes = min(_round_up(trouve[0]), _cap(problem))
    phrase = f"Porter le temps de couverture de {nombre(problem.seuil or 0, 1)} à {nombre(minutes, 1)} min."
    return replace(problem, seuil=minutes), told(phrase, trouve[1])


def _unserved(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    libre = replace(problem, minutes_non_servi=max(_farthest(problem), problem.seuil or 0.0))
    if not feasible(libre, stop, seed):
        return None
    return libre, "Accepter que des points ne soient servis par aucun site, en donnant le temps à leur compter."


def _must_serve(problem: Problem) -> bool:
    couvertures = (Modele.COUVERTURE_MAX, Modele.COUVERTURE_TOTALE)
    return problem.minutes_non_servi is None and problem.modele not in couvertures


MAXIMAL = Famille(lambda p: p.minutes_max is not None, lambda p: replace(p, minutes_max=None), _longer)
COUVERTURE = Famille(has_shares, lambda p: replace(p, seuil=_cap(p)), _wider)
SERVIR = Famille(_must_serve, lambda p: replace(p, minutes_non_servi=max(1e6, p.seuil or 0.0)), _unserved)
