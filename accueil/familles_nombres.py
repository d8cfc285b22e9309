"""Numbers that may be relaxed: sites, budgets, shares to cover, sites by collectivité, capacities. Pure module."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from territoires.calcul import Arret
from territoires.nombres import euros, nombre, pourcent

from .evaluation import nearest_flows, satisfies
from .familles import Famille, answer, feasible, least, program, sites_text, told, with_field
from .mip import Verdict, with_missing
from .probleme import Capacites, Modele, Problem
from .vue import Vue, make_vue


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
    reponse = answer(mip, stop, seed, 1e-9)
    if reponse.x is None:
        return None
    moindre = max(reponse.objectif, 0.0)
    change, phrase = _lowered(problem, vue, moindre)
    niveaux = vue.niveau[reponse.x[: vue.m] > 0.5]
    if problem.capacites is Capacites.AUCUNE and not satisfies(change, niveaux, nearest_flows(change, niveaux)):
        # A share just below a thousandth, which the program takes for it.
        change, phrase = _lowered(problem, vue, moindre + 1e-6)
    return change, told(phrase, reponse.verdict is Verdict.OPTIMAL)


def _lowered(problem: Problem, vue: Vue, moindre: float) -> tuple[Problem, str]:
    """Shares lowered by ``moindre``, rounded to thousandths so that it stays enough; a ten-billionth is what comparing
    shares grants."""
    baisse = min(1.0, max(1.0, float(np.ceil(moindre * 1000 - 1e-7))) / 1000)
    phrase = f"Abaisser de {nombre(100 * baisse, 1)} points les parts de demande à couvrir."
    part_min = problem.part_min
    if problem.modele is Modele.COUVERTURE_TOTALE and part_min is None:
        part_min = 1.0
    if len(vue.parts) == 1 and part_min:
        reste = max(0.0, float(np.floor((part_min - moindre) * 1000 + 1e-7)) / 1000)
        phrase = f"Demander une part couverte de {pourcent(reste)} au lieu de {pourcent(part_min)}."
        baisse = part_min - reste
    change = replace(
        problem,
        part_min=None if part_min is None else max(0.0, part_min - baisse),
        part_min_groupe=None if problem.part_min_groupe is None else np.maximum(0.0, problem.part_min_groupe - baisse),
        equite_min=None if problem.equite_min is None else max(0.0, problem.equite_min - baisse),
    )
    return change, phrase


def _without_shares(problem: Problem) -> Problem:
    part = 0.0 if problem.modele is Modele.COUVERTURE_TOTALE else None
    return replace(problem, part_min=part, part_min_groupe=None, equite_min=None, equite_poids=0.0)


def _fewer_by_group(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    """The fewest sites less, all collectivités together."""
    avant = problem.sites_min_groupe
    if avant is None:
        return None
    vue, mip = program(replace(problem, sites_min_groupe=None), np.zeros(problem.n_niveaux))
    concernes = np.flatnonzero(avant > 0)
    groupe = problem.site_groupe[vue.site]
    # One more column a collectivité: how many sites less; the levels are the first columns.
    lignes = [
        (np.append(np.flatnonzero(groupe == g), len(mip.cout) + k), int(avant[g])) for k, g in enumerate(concernes)
    ]
    reponse = answer(with_missing(mip, lignes), stop, seed)
    if reponse.x is None:
        return None
    minima = avant.copy()
    minima[concernes] -= np.round(reponse.x[len(mip.cout) :]).astype(np.int32)
    change = np.flatnonzero(minima < avant)
    if not len(change):
        return None
    noms = [f"{problem.noms[g]} : {minima[g]} au lieu de {avant[g]}" for g in change[:5]]
    suite = ", ..." if len(change) > 5 else ""
    phrase = f"Demander moins de sites par collectivité ({', '.join(noms)}{suite})."
    return replace(problem, sites_min_groupe=minima), told(phrase, reponse.verdict is Verdict.OPTIMAL)


def _larger(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    """Capacities all larger by the same whole percentage, the least one, by bisection."""
    limitees = np.isfinite(problem.capacite)
    if not feasible(replace(problem, capacite=np.where(limitees, np.inf, problem.capacite)), stop, seed):
        return None
    base = problem.capacite[limitees & (problem.capacite > 0)]
    if not len(base):
        return None
    # So much more and any level holds everybody.
    bas, haut = 0, max(1, int(np.ceil(100 * (float(problem.volume.sum()) / float(base.min()) - 1.0))))
    if not feasible(_scaled(problem, haut), stop, seed):
        return None
    prouve = True
    while haut - bas > 1 and not stop.reached():
        milieu = (bas + haut) // 2
        possible = feasible(_scaled(problem, milieu), stop, seed)
        if possible:
            haut = milieu
        else:
            bas = milieu
            prouve = prouve and possible is False
    phrase = f"Augmenter toutes les capacités de {pourcent(haut / 100, 0)}."
    return _scaled(problem, haut), told(phrase, prouve and haut - bas == 1)


def _scaled(problem: Problem, pourcents: int) -> Problem:
    return replace(problem, capacite=problem.capacite * (1.0 + pourcents / 100))


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
