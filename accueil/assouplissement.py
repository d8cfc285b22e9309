"""Why nothing is feasible, and the smallest change of each rule that would make it so, in French.

Each kind of rule is tried alone, the others kept; where none is enough alone, all are changed together, each as
little as the ones before it allow. Every change told is enough; where the time was too short to prove that no smaller
one is, its sentence says so. Pure module.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from territoires.calcul import Arret
from territoires.nombres import nombre

from . import familles_nombres, familles_sites, familles_temps
from .familles import Famille, feasible
from .probleme import Problem
from .vue import Vue

#: Seconds that explaining may take at most, and past the limit: whoever waits kills the solver soon after it.
EXPLIQUER_S, DEPASSER_S = 20.0, 3.0

FAMILLES = (
    familles_nombres.MAXIMUM,
    familles_nombres.MINIMUM,
    familles_nombres.OUVERTURE,
    familles_nombres.ANNUEL,
    familles_temps.MAXIMAL,
    familles_nombres.PARTS,
    familles_temps.COUVERTURE,
    familles_nombres.COLLECTIVITES,
    familles_nombres.CAPACITES,
    familles_sites.INTERDITS,
    familles_sites.REQUIS,
    familles_sites.ACCES,
    familles_temps.SERVIR,
)


def explain(vue: Vue, stop: Arret, seed: int) -> tuple[list[str], list[str]]:
    """Causes and relaxations of an infeasible problem."""
    problem = vue.probleme
    court = Arret(seconds=min(EXPLIQUER_S, stop.remaining() + DEPASSER_S), cancelled=stop.cancelled)
    causes = ["Aucune réponse ne respecte toutes les règles à la fois."]
    loin = np.flatnonzero(~np.isfinite(vue.minutes).any(axis=1)) if vue.m else np.arange(vue.n)
    if len(loin):
        exemples = ", ".join(problem.demande_code[vue.demande[i]] for i in loin[:3])
        sujet = "Un point de demande ne peut" if len(loin) == 1 else f"{nombre(len(loin))} points de demande ne peuvent"
        causes.append(f"{sujet} être servi{'s' if len(loin) > 1 else ''} par aucun site ({exemples}).")
    presentes = [famille for famille in FAMILLES if famille.presente(problem)]
    phrases = []
    for famille in presentes:
        trouve = famille.moindre(problem, court, seed)
        if trouve is not None:
            phrases.append(trouve[1])
    phrases = phrases or _together(problem, presentes, court, seed)
    if not phrases:
        causes.append("Aucun changement de règle qui suffise n'a été trouvé.")
    return causes, phrases


def _together(problem: Problem, presentes: list[Famille], stop: Arret, seed: int) -> list[str]:
    """The least change of each rule in turn, the later ones left out; together they are enough."""
    courant = problem
    phrases = []
    for rang, famille in enumerate(presentes):
        allege = courant
        for autre in presentes[rang + 1 :]:
            allege = autre.sans(allege)
        possible = feasible(allege, stop, seed)
        if possible is None:
            return []
        if possible:
            continue
        trouve = famille.moindre(allege, stop, seed)
        if trouve is None:
            return []
        change = trouve[0]
        phrases.append("Avec les autres changements : " + trouve[1][0].lower() + trouve[1][1:])
        for autre in presentes[rang + 1 :]:
            change = _restore(change, courant, autre)
        courant = change
    return phrases


def _restore(change: Problem, courant: Problem, famille: Famille) -> Problem:
    """``change`` with the rules of this family as they are in ``courant``."""
    nu = famille.sans(courant)
    champs = {nom: getattr(courant, nom) for nom in _CHAMPS if getattr(nu, nom) is not getattr(courant, nom)}
    if "etat" in champs:
        # Two families own the states: each gives back only the sites it freed.
        champs["etat"] = np.where(nu.etat != courant.etat, courant.etat, change.etat).astype(np.int8)
    return replace(change, **champs)


_CHAMPS = (
    "sites_min",
    "sites_max",
    "budget_ouverture",
    "budget_annuel",
    "minutes_max",
    "minutes_non_servi",
    "part_min",
    "part_min_groupe",
    "equite_min",
    "sites_min_groupe",
    "capacite",
    "etat",
    "pmr",
    "seuil",
)
