"""Why nothing is feasible, and the smallest change of each rule that would make it so, in French.

Each family of rules is tried alone, the others kept; where none is enough alone, all are changed together, each as
little as the ones before it allow. Every change told is enough; where the time was too short to prove that no smaller
one is, its sentence says so. Pure module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from territoires.calcul import Arret
from territoires.nombres import euros, nombre, pourcent

from .capacites import capacity_program
from .centre import solve_center
from .mip import Mip, Reponse, Verdict
from .moteur import solve_mip
from .probleme import F64, I32, TOLERANCE_MINUTES, Capacites, Etat, Modele, Problem
from .rayons import cover_program
from .vue import Vue, make_vue

#: Seconds that explaining may take at most, and past the limit: whoever waits kills the solver soon after it.
EXPLIQUER_S, DEPASSER_S = 20.0, 3.0
#: Ends the sentence of a change that is enough, but not proven the least.
AU_PLUS = " C'est au plus ce qu'il faut : un changement plus petit suffirait peut-être."


@dataclass(frozen=True)
class Famille:
    """One kind of rule: whether the problem has it, the problem without it, the least change (problem, sentence), None
    where none is enough or none was found in time."""

    presente: Callable[[Problem], bool]
    sans: Callable[[Problem], Problem]
    moindre: Callable[[Problem, Arret, int], tuple[Problem, str] | None]


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
    presentes = [famille for famille in _FAMILLES if famille.presente(problem)]
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
        possible = _feasible(allege, stop, seed)
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
)


def _program(problem: Problem, cout: F64, souple: bool = False) -> tuple[Vue, Mip]:
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


def _least(problem: Problem, cout: F64, stop: Arret, seed: int) -> Reponse:
    """Least sum of ``cout`` over open levels, as far as the time allows."""
    return solve_mip(_program(problem, cout)[1], stop, seed=seed)


def _feasible(problem: Problem, stop: Arret, seed: int) -> bool | None:
    """Whether the rules leave an answer, None = not known."""
    reponse = _least(problem, np.zeros(problem.n_niveaux), stop, seed)
    if reponse.x is not None:
        return True
    return False if reponse.verdict is Verdict.IRREALISABLE else None


def _told(phrase: str, prouve: bool) -> str:
    return phrase if prouve else phrase + AU_PLUS


def _sites(nombre: int) -> str:
    return f"{nombre} site{'s' if nombre > 1 else ''}"


def _more_sites(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    minimum = _least(replace(problem, sites_max=None), np.ones(problem.n_niveaux), stop, seed)
    if minimum.x is None or problem.sites_max is None:
        return None
    sites = round(minimum.objectif)
    phrase = f"Autoriser {_sites(sites)} au lieu de {problem.sites_max} au plus."
    return replace(problem, sites_max=sites), _told(phrase, minimum.verdict is Verdict.OPTIMAL)


def _fewer_sites(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    maximum = _least(replace(problem, sites_min=0), -np.ones(problem.n_niveaux), stop, seed)
    if maximum.x is None:
        return None
    sites = round(-maximum.objectif)
    phrase = f"Demander au moins {_sites(sites)} au lieu de {problem.sites_min}."
    if not sites:
        phrase = "Ne plus demander de nombre minimal de sites."
    return replace(problem, sites_min=sites), _told(phrase, maximum.verdict is Verdict.OPTIMAL)


def _with(problem: Problem, nom: str, valeur: float | None) -> Problem:
    champ: dict[str, Any] = {nom: valeur}
    return replace(problem, **champ)


def _budget(nom: str, couts: str, mot: str) -> Famille:
    def moindre(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
        minimum = _least(_with(problem, nom, None), getattr(problem, couts), stop, seed)
        if minimum.x is None:
            return None
        # A cent more than the sum, so that it stays enough once rounded.
        montant = float(np.ceil(minimum.objectif * 100 - 1e-6)) / 100
        avant = getattr(problem, nom)
        phrase = f"Porter le budget {mot} de {euros(avant, centimes=True)} à {euros(montant, centimes=True)}."
        return _with(problem, nom, montant), _told(phrase, minimum.verdict is Verdict.OPTIMAL)

    return Famille(lambda p: getattr(p, nom) is not None, lambda p: _with(p, nom, None), moindre)


def _longer(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    libre = replace(problem, minutes_max=None)
    if problem.modele in (Modele.COUVERTURE_MAX, Modele.COUVERTURE_TOTALE):
        return (libre, "Supprimer le temps maximal.") if _feasible(libre, stop, seed) else None
    trouve = solve_center(make_vue(libre), stop, seed, lambda *_: None)
    if not np.isfinite(trouve.rayon):
        return None
    # Rounded up, but for what the comparison grants.
    minutes = float(np.ceil((trouve.rayon - TOLERANCE_MINUTES / 2) * 10)) / 10
    phrase = f"Porter le temps maximal de {nombre(problem.minutes_max or 0, 1)} à {nombre(minutes, 1)} min."
    return replace(problem, minutes_max=minutes), _told(phrase, trouve.borne >= trouve.rayon)


def _unserved(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    loin = float(np.float64(problem.minutes[np.isfinite(problem.minutes)].max(initial=0.0)) + problem.attente.max())
    prix = max(loin, problem.seuil or 0.0)
    libre = replace(problem, minutes_non_servi=prix)
    if not _feasible(libre, stop, seed):
        return None
    return libre, "Accepter que des points ne soient servis par aucun site, en donnant le temps à leur compter."


def _lower_shares(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    """All shares asked lowered by the same number of points, as few as possible."""
    vue, mip = _program(problem, np.zeros(problem.n_niveaux), souple=True)
    reponse = solve_mip(mip, stop, gap_abs=1e-7, seed=seed)
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
    return change, _told(phrase, reponse.verdict is Verdict.OPTIMAL)


def _without_shares(problem: Problem) -> Problem:
    part = 0.0 if problem.modele is Modele.COUVERTURE_TOTALE else None
    return replace(problem, part_min=part, part_min_groupe=None, equite_min=None, equite_poids=0.0)


def _fewer_by_group(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    libre = replace(problem, sites_min_groupe=None)
    if problem.sites_min_groupe is None or not _feasible(libre, stop, seed):
        return None
    minima = problem.sites_min_groupe.copy()
    noms, prouve = [], True
    # Group by group, the largest number of sites that still holds with the others as asked. None at all holds: it is
    # what the group before was tried with.
    for g in np.flatnonzero(minima > 0):
        voulu = int(minima[g])
        while minima[g] > 0:
            possible = _feasible(replace(problem, sites_min_groupe=_later_free(minima, int(g))), stop, seed)
            if possible:
                break
            prouve = prouve and possible is False
            minima[g] -= 1
        if minima[g] < voulu:
            noms.append(f"{problem.noms[g]} : {minima[g]} au lieu de {voulu}")
    if not noms:
        return None
    phrase = f"Demander moins de sites par collectivité ({', '.join(noms)})."
    return replace(problem, sites_min_groupe=minima), _told(phrase, prouve)


def _later_free(minima: I32, g: int) -> I32:
    essai = minima.copy()
    essai[g + 1 :] = 0
    return essai


def _larger(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    """Capacities all multiplied by the least factor, found by bisection to a hundredth."""
    limitees = np.isfinite(problem.capacite)
    if not _feasible(replace(problem, capacite=np.where(limitees, np.inf, problem.capacite)), stop, seed):
        return None
    total = float(problem.volume.sum())
    base = problem.capacite[limitees]
    haut = total / max(float(base[base > 0].min(initial=np.inf)), 1e-9) if (base > 0).any() else 0.0
    if not np.isfinite(haut) or haut <= 1.0 or not _feasible(_scaled(problem, haut), stop, seed):
        return None
    bas, prouve = 1.0, True
    while haut - bas > 0.01 and not stop.reached():
        milieu = (bas + haut) / 2
        possible = _feasible(_scaled(problem, milieu), stop, seed)
        if possible:
            haut = milieu
        else:
            bas = milieu
            prouve = prouve and possible is False
    prouve = prouve and haut - bas <= 0.01
    haut = float(np.ceil(haut * 100)) / 100
    return _scaled(problem, haut), _told(f"Augmenter toutes les capacités de {pourcent(haut - 1, 0)}.", prouve)


def _scaled(problem: Problem, facteur: float) -> Problem:
    return replace(problem, capacite=problem.capacite * facteur)


def _reopen(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    interdits = problem.etat == Etat.INTERDIT
    libre = replace(problem, etat=np.where(interdits, Etat.CANDIDAT, problem.etat).astype(np.int8))
    ouvre = np.isin(problem.niveau_site, np.flatnonzero(interdits)).astype(np.float64)
    vue, mip = _program(libre, ouvre)
    reponse = solve_mip(mip, stop, seed=seed)
    if reponse.x is None:
        return None
    lignes = reponse.x[: vue.m] > 0.5
    sites = np.unique(vue.site[lignes & (ouvre[vue.niveau] > 0)])
    if not len(sites):
        return None
    etat = problem.etat.copy()
    etat[sites] = Etat.CANDIDAT
    noms = ", ".join(f"« {problem.site_nom[s]} »" for s in sites[:5]) + (", ..." if len(sites) > 5 else "")
    phrase = f"Ne plus interdire {_sites(len(sites))} ({noms})."
    return replace(problem, etat=etat), _told(phrase, reponse.verdict is Verdict.OPTIMAL)


def _free_required(problem: Problem, stop: Arret, seed: int) -> tuple[Problem, str] | None:
    requis = problem.etat == Etat.REQUIS
    libre = replace(problem, etat=np.where(requis, Etat.CANDIDAT, problem.etat).astype(np.int8))
    garde = -np.isin(problem.niveau_site, np.flatnonzero(requis)).astype(np.float64)
    vue, mip = _program(libre, garde)
    reponse = solve_mip(mip, stop, seed=seed)
    if reponse.x is None:
        return None
    ouverts = np.unique(vue.site[reponse.x[: vue.m] > 0.5])
    sites = np.setdiff1d(np.flatnonzero(requis), ouverts)
    if not len(sites):
        return None
    etat = problem.etat.copy()
    etat[sites] = Etat.CANDIDAT
    noms = ", ".join(f"« {problem.site_nom[s]} »" for s in sites[:5])
    phrase = f"Ne plus imposer {_sites(len(sites))} ({noms})."
    return replace(problem, etat=etat), _told(phrase, reponse.verdict is Verdict.OPTIMAL)


def _has_shares(problem: Problem) -> bool:
    return bool(make_vue(problem).parts)


def _must_serve(problem: Problem) -> bool:
    couvertures = (Modele.COUVERTURE_MAX, Modele.COUVERTURE_TOTALE)
    return problem.minutes_non_servi is None and problem.modele not in couvertures


_FAMILLES = (
    Famille(lambda p: p.sites_max is not None, lambda p: replace(p, sites_max=None), _more_sites),
    Famille(lambda p: p.sites_min > 0, lambda p: replace(p, sites_min=0), _fewer_sites),
    _budget("budget_ouverture", "cout_ouverture", "d'ouverture"),
    _budget("budget_annuel", "cout_annuel", "annuel"),
    Famille(lambda p: p.minutes_max is not None, lambda p: replace(p, minutes_max=None), _longer),
    Famille(_has_shares, _without_shares, _lower_shares),
    Famille(
        lambda p: p.sites_min_groupe is not None and bool(p.sites_min_groupe.any()),
        lambda p: replace(p, sites_min_groupe=None),
        _fewer_by_group,
    ),
    Famille(
        lambda p: p.capacites is not Capacites.AUCUNE,
        lambda p: replace(p, capacite=np.full(p.n_niveaux, np.inf)),
        _larger,
    ),
    Famille(
        lambda p: bool((p.etat == Etat.INTERDIT).any()),
        lambda p: replace(p, etat=np.where(p.etat == Etat.INTERDIT, Etat.CANDIDAT, p.etat).astype(np.int8)),
        _reopen,
    ),
    Famille(
        lambda p: bool((p.etat == Etat.REQUIS).any()),
        lambda p: replace(p, etat=np.where(p.etat == Etat.REQUIS, Etat.CANDIDAT, p.etat).astype(np.int8)),
        _free_required,
    ),
    Famille(_must_serve, lambda p: replace(p, minutes_non_servi=1e6), _unserved),
)
