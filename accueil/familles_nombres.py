"""Numbers that may be relaxed: sites, budgets, shares to cover, sites by collectivité, capacities. Pure module."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from territoires.calcul import Arret
from territoires.nombres import euros, nombre, pourcent

from .familles import Famille, answer, feasible, least, program, sites_text, told, with_field
from .mip import Verdict
from .probleme import I32, Capacites, Modele, Problem
from .vue import make_vue


def _more_sites(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    minimum = least(replace(problem, sites_max=None), np.ones(problem.n_niveaux), stop, seed)
    if minimum.x is None or problem.sites_max is None:
        return None
    sites = round(minimum.objectif)
    phrase = f"Autoriser {sites_text(sites)} au lieu de {problem.sites_max} au plus."
    return replace(problem, sites_max=sites), told(phrase, minimum.verdict is Verdict.OPTIMAL)


def _fewer_sites(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    maximum = least(replace(problem, sites_min=0), -np.ones(problem.n_niveaux), stop, seed)
    if maximum.x is None:
        return None
    sites = round(-maximum.objectif)
    phrase = f"Demander au moins {sites_text(sites)} au lieu de {problem.sites_min}."
    if not sites:
        phrase = "Ne plus demander de nombre minimal de sites."
    return replace(problem, sites_min=sites), told(phrase, maximum.verdict is Verdict.OPTIMAL)


def _budget(nom: str, couts: str, mot: str) -> Famille:
    def moindre(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
        minimum = least(with_field(problem, nom, None), getattr(problem, couts), stop, seed)
        if minimum.x is None:
            return None
        # A cent more than the sum, so that it stays enough once rounded.
        montant = float(np.ceil(minimum.objectif * 100 - 1e-6)) / 100
        avant = getattr(problem, nom)
        phrase = f"Porter le budget {mot} de {euros(avant, centimes=True)} à {euros(montant, centimes=True)}."
        return with_field(problem, nom, montant), told(phrase, minimum.verdict is Verdict.OPTIMAL)

    return Famille(lambda p: getattr(p, nom) is not None, lambda p: with_field(p, nom, None), moindre)


def _lower_shares(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    """All shares asked lowered by the same number of points, as few as possible."""
    vue, mip = program(problem, np.zeros(problem.n_niveaux), souple=True)
    reponse = answer(mip, stop, seed, 1e-7)
    if reponse.x is None:
        return None
    baisse = min(1.0, float(np.ceil(max(reponse.objectif, 0.0) * 1000 - 1e-4)) / 1000)
    phrase = f"Abaisser de {nombre(100 * baisse, 1)} points les parts de demande à couvrir."
    part_min = problem.part_min
    if problem.modele is Modele.COUVERTURE_TOTALE and part_min is None:
        part_min = 1.0
    change = replace(
        problem,
        part_min=None if part_min is None else max(0.0, part_min - baisse),
        part_min_groupe=None if problem.part_min_groupe is None else np.maximum(0.0, problem.part_min_groupe - baisse),
        equite_min=None if problem.equite_min is None else max(0.0, problem.equite_min - baisse),
    )
    if len(vue.parts) == 1 and part_min:
        reste = pourcent(max(0.0, part_min - baisse))
        phrase = f"Demander une part couverte de {reste} au lieu de {pourcent(part_min)}."
    return change, told(phrase, reponse.verdict is Verdict.OPTIMAL)


def _without_shares(problem: Problem) -> Problem:
    part = 0.0 if problem.modele is Modele.COUVERTURE_TOTALE else None
    return replace(problem, part_min=part, part_min_groupe=None, equite_min=None, equite_poids=0.0)


def _fewer_by_group(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    libre = replace(problem, sites_min_groupe=None)
    if problem.sites_min_groupe is None or not feasible(libre, stop, seed):
        return None
    minima = problem.sites_min_groupe.copy()
    noms, prouve = [], True
    # Group by group, the largest number of sites that still holds with the others as asked. None at all holds: it is
    # what the group before was tried with.
    for g in np.flatnonzero(minima > 0):
        voulu = int(minima[g])
        while minima[g] > 0:
            possible = feasible(replace(problem, sites_min_groupe=_later_free(minima, int(g))), stop, seed)
            if possible:
                break
            prouve = prouve and possible is False
            minima[g] -= 1
        if minima[g] < voulu:
            noms.append(f"{problem.noms[g]} : {minima[g]} au lieu de {voulu}")
    if not noms:
        return None
    phrase = f"Demander moins de sites par collectivité ({', '.join(noms)})."
    return replace(problem, sites_min_groupe=minima), told(phrase, prouve)


def _later_free(minima: I32, g: int) -> I32:
    essai = minima.copy()
    essai[g + 1 :] = 0
    return essai


def _larger(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    """Capacities all multiplied by the least factor, found by bisection to a hundredth."""
    limitees = np.isfinite(problem.capacite)
    if not feasible(replace(problem, capacite=np.where(limitees, np.inf, problem.capacite)), stop, seed):
        return None
    total = float(problem.volume.sum())
    base = problem.capacite[limitees]
    haut = total / max(float(base[base > 0].min(initial=np.inf)), 1e-9) if (base > 0).any() else 0.0
    if not np.isfinite(haut) or haut <= 1.0 or not feasible(_scaled(problem, haut), stop, seed):
        return None
    bas, prouve = 1.0, True
    while haut - bas > 0.01 and not stop.reached():
        milieu = (bas + haut) / 2
        possible = feasible(_scaled(problem, milieu), stop, seed)
        if possible:
            haut = milieu
        else:
            bas = milieu
            prouve = prouve and possible is False
    prouve = prouve and haut - bas <= 0.01
    haut = float(np.ceil(haut * 100)) / 100
    return _scaled(problem, haut), told(f"Augmenter toutes les capacités de {pourcent(haut - 1, 0)}.", prouve)


def _scaled(problem: Problem, facteur: float) -> Problem:
    return replace(problem, capacite=problem.capacite * facteur)


def has_shares(problem: Problem) -> bool:
    return bool(make_vue(problem).parts)


MAXIMUM = Famille(lambda p: p.sites_max is not None, lambda p: replace(p, sites_max=None), _more_sites)
MINIMUM = Famille(lambda p: p.sites_min > 0, lambda p: replace(p, sites_min=0), _fewer_sites)
OUVERTURE = _budget("budget_ouverture", "cout_ouverture", "d'ouverture")
ANNUEL = _budget("budget_annuel", "cout_annuel", "annuel")
PARTS = Famille(has_shares, _without_shares, _lower_shares)
COLLECTIVITES = Famille(
    lambda p: p.sites_min_groupe is not None and bool(p.sites_min_groupe.any()),
    lambda p: replace(p, sites_min_groupe=None),
    _fewer_by_group,
)
CAPACITES = Famille(
    lambda p: p.capacites is not Capacites.AUCUNE,
    lambda p: replace(p, capacite=np.full(p.n_niveaux, np.inf)),
    _larger,
)
