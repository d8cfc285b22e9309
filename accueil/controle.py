"""The independent checker: finds every rule, part, cost and status of an answer again from the problem alone.

Pure module. It reads `accueil.probleme` (the definition) and `accueil.resultat` (the shape of an answer), never the
solver: times are read again open level by open level, flows are added up one by one.

What it cannot find again is a bound (no answer carries its proof): a bound is only refused above the cost, or where
the status says more than it proves.
"""

from __future__ import annotations

from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from territoires.calcul import ControleEchoue, Statut
from territoires.empreinte import input_hash

from .controle_compte import (
    TOLERANCE,
    TOLERANCE_MINUTES,
    TOLERANCE_PARTAGE,
    Constat,
    check_account,
    check_parts,
    demand_weights,
    parts_of,
    read_flows,
    sum_by,
)
from .probleme import I32, Capacites, Etat, Modele, Problem
from .resultat import Solution

_AVEC_DISTANCE = (Modele.MEDIANE, Modele.CENTRE, Modele.CENTRE_PUIS_MEDIANE)


def check(problem: Problem, solution: Solution) -> None:
    """Raise `ControleEchoue` (French, naming what) unless the answer is allowed, priced right and says what it is."""
    if solution.empreinte != input_hash(problem):
        raise ControleEchoue("cette réponse est celle d'un autre problème (empreintes différentes)")
    if solution.modele is not problem.modele:
        raise ControleEchoue(f"modèle {solution.modele} au lieu de {problem.modele}")
    if solution.bilan.status is Statut.IRREALISABLE:
        _check_infeasible(problem, solution)
        return
    if solution.relaxations or solution.impossible:
        raise ControleEchoue("assouplissements proposés, ou réponse dite impossible, alors qu'une réponse existe")
    _check_levels(problem, solution.niveaux)
    _check_flow_rows(problem, solution)
    constat = read_flows(problem, solution)
    _check_service(problem, solution, constat)
    _check_nearest(problem, solution)
    _check_capacities(problem, solution)
    _check_counts_and_budgets(problem, solution.niveaux)
    _check_coverage(problem, constat)
    parties = parts_of(problem, solution, constat)
    check_parts(solution.parties, parties)
    check_account(problem, solution, parties)
    _check_wishes(problem, solution)


# --- levels ------------------------------------------------------------------------------------------------


def _check_levels(problem: Problem, niveaux: I32) -> None:
    if np.any((niveaux < 0) | (niveaux >= problem.n_niveaux)):
        raise ControleEchoue("niveau ouvert inexistant")
    if np.any(np.diff(niveaux) <= 0):
        raise ControleEchoue("niveaux ouverts non triés ou en double")
    sites = problem.niveau_site[niveaux]
    for rang in np.flatnonzero(np.diff(sites) == 0):
        raise ControleEchoue(f"{problem.site_nom[sites[rang]]} : ouvert à deux niveaux à la fois")
    for site in sites:
        nom, etat = problem.site_nom[site], problem.etat[site]
        if etat == Etat.INTERDIT:
            raise ControleEchoue(f"{nom} : ouvert alors qu'il est interdit")
        if problem.pmr_exige and etat == Etat.CANDIDAT and not problem.pmr[site]:
            raise ControleEchoue(f"{nom} : ouvert sans accès pour les personnes à mobilité réduite")
    for site in np.setdiff1d(np.flatnonzero(problem.etat == Etat.REQUIS), sites):
        raise ControleEchoue(f"{problem.site_nom[site]} : fermé alors qu'il est requis")


def _sites(nombre: int) -> str:
    return f"{nombre} sites ouverts" if nombre > 1 else f"{nombre} site ouvert"


def _check_counts_and_budgets(problem: Problem, niveaux: I32) -> None:
    nombre = len(niveaux)
    if nombre < problem.sites_min:
        raise ControleEchoue(f"{_sites(nombre)} au lieu de {problem.sites_min} au moins")
    if problem.sites_max is not None and nombre > problem.sites_max:
        raise ControleEchoue(f"{_sites(nombre)} au lieu de {problem.sites_max} au plus")
    for nom, couts, budget in (
        ("d'ouverture", problem.cout_ouverture, problem.budget_ouverture),
        ("annuel", problem.cout_annuel, problem.budget_annuel),
    ):
        depense = float(couts[niveaux].sum())
        if budget is not None and depense > budget + TOLERANCE * max(1.0, budget):
            raise ControleEchoue(f"budget {nom} : {depense:.2f} € dépensés pour {budget:.2f} €")
    if problem.sites_min_groupe is not None:
        groupes = problem.site_groupe[problem.niveau_site[niveaux]]
        for g, minimum in enumerate(problem.sites_min_groupe):
            ouverts = int(np.count_nonzero(groupes == g))
            if ouverts < minimum:
                raise ControleEchoue(f"{problem.noms[g]} : {_sites(ouverts)} au lieu de {minimum} au moins")


# --- flows -------------------------------------------------------------------------------------------------


def _couple(problem: Problem, solution: Solution, rang: SupportsIndex) -> str:
    site = problem.niveau_site[solution.niveau[rang]]
    return f"{problem.demande_code[solution.demande[rang]]} vers {problem.site_nom[site]}"


def _check_flow_rows(problem: Problem, solution: Solution) -> None:
    """Rows exist, are sorted, go to open levels, and a share is a share."""
    i, n, part = solution.demande, solution.niveau, solution.part
    if not len(i) == len(n) == len(part):
        raise ControleEchoue("affectations de longueurs différentes")
    if np.any((i < 0) | (i >= problem.n_demandes) | (n < 0) | (n >= problem.n_niveaux)):
        raise ControleEchoue("affectation d'une demande ou à un niveau inexistant")
    rangs = i.astype(np.int64) * problem.n_niveaux + n
    if np.any(np.diff(rangs) <= 0):
        raise ControleEchoue("affectations non triées ou en double")
    for k in np.flatnonzero(~np.isin(n, solution.niveaux)):
        raise ControleEchoue(f"{_couple(problem, solution, k)} : site fermé, ou ouvert à un autre niveau")
    for k in np.flatnonzero(~((part > 0) & (part <= 1))):
        raise ControleEchoue(f"{_couple(problem, solution, k)} : part {part[k]} (entre 0 et 1 attendue)")
    if problem.capacites is not Capacites.PARTAGEE:
        for k in np.flatnonzero(part != 1):
            raise ControleEchoue(f"{_couple(problem, solution, k)} : demande partagée ({part[k]:.3f})")
        for k in np.flatnonzero(np.diff(i) == 0):
            raise ControleEchoue(f"{problem.demande_code[i[k]]} : affectée à plusieurs sites")


def _check_service(problem: Problem, solution: Solution, constat: Constat) -> None:
    """Flows are possible, nobody is served twice, and whoever must be served is."""
    for k in np.flatnonzero(~np.isfinite(constat.minutes)):
        raise ControleEchoue(f"{_couple(problem, solution, k)} : aucune route")
    if problem.minutes_max is not None:
        for k in np.flatnonzero(constat.minutes > problem.minutes_max + TOLERANCE_MINUTES):
            couple = _couple(problem, solution, k)
            raise ControleEchoue(f"{couple} : {constat.minutes[k]:.2f} min au lieu de {problem.minutes_max} au plus")
    for demande in np.flatnonzero(constat.servi > 1 + TOLERANCE_PARTAGE):
        raise ControleEchoue(f"{problem.demande_code[demande]} : servie à {100 * constat.servi[demande]:.4f} %")
    actives = constat.poids > 0
    if problem.capacites is not Capacites.AUCUNE:
        for demande in np.flatnonzero(~actives & (constat.servi > 0)):
            raise ControleEchoue(f"{problem.demande_code[demande]} : affectée sans poids")
    manque = 1 - constat.servi
    if problem.modele in _AVEC_DISTANCE and problem.minutes_non_servi is None:
        for demande in np.flatnonzero(actives & (manque > TOLERANCE_PARTAGE)):
            raise ControleEchoue(f"{problem.demande_code[demande]} : non servie ({100 * manque[demande]:.4f} %)")


def _check_nearest(problem: Problem, solution: Solution) -> None:
    """Without capacities, each demand goes to the nearest open level, the first of several, or to none."""
    if problem.capacites is not Capacites.AUCUNE:
        return
    attendu = np.full(problem.n_demandes, -1, dtype=np.int64)
    mieux = np.full(problem.n_demandes, np.inf)
    for niveau in solution.niveaux:
        trajet = problem.minutes[:, problem.niveau_site[niveau]].astype(np.float64) + problem.attente[niveau]
        if problem.minutes_max is not None:
            trajet[trajet > problem.minutes_max + TOLERANCE_MINUTES] = np.inf
        plus_pres = trajet < mieux
        attendu[plus_pres] = niveau
        mieux[plus_pres] = trajet[plus_pres]
    if problem.minutes_non_servi is not None and problem.modele in _AVEC_DISTANCE:
        attendu[mieux > problem.minutes_non_servi] = -1
    dit = np.full(problem.n_demandes, -1, dtype=np.int64)
    dit[solution.demande] = solution.niveau
    for demande in np.flatnonzero(dit != attendu):
        noms = [
            "personne" if niveau < 0 else problem.site_nom[problem.niveau_site[niveau]]
            for niveau in (dit[demande], attendu[demande])
        ]
        raise ControleEchoue(f"{problem.demande_code[demande]} : servie par {noms[0]} au lieu de {noms[1]}")


def _check_capacities(problem: Problem, solution: Solution) -> None:
    if problem.capacites is Capacites.AUCUNE:
        return
    volume = problem.volume[solution.demande] * solution.part
    charge = sum_by(solution.niveau, volume, problem.n_niveaux)
    tolerance = _flow_tolerance(problem)
    plafond = problem.capacite + tolerance * np.maximum(1.0, problem.capacite)
    for niveau in np.flatnonzero(charge > plafond):
        site = problem.site_nom[problem.niveau_site[niveau]]
        raise ControleEchoue(
            f"{site} : charge {charge[niveau]:.4f} pour une capacité de {problem.capacite[niveau]:.4f}"
        )


def _flow_tolerance(problem: Problem) -> float:
    return TOLERANCE_PARTAGE if problem.capacites is Capacites.PARTAGEE else TOLERANCE


def _check_coverage(problem: Problem, constat: Constat) -> None:
    """Covered shares: of all, of each group, and of each demand where everybody must be covered."""
    tolerance = _flow_tolerance(problem)
    total, couvert = float(constat.poids.sum()), float(constat.couvert_groupe.sum())
    part_min = problem.part_min
    if problem.modele is Modele.COUVERTURE_TOTALE and part_min is None:
        part_min = 1.0
    if part_min is not None and couvert < (part_min - tolerance) * total:
        raise ControleEchoue(f"part couverte : {100 * couvert / total:.4f} % au lieu de {100 * part_min:.4f} %")
    if part_min == 1.0:
        for demande in np.flatnonzero((constat.poids > 0) & (constat.couvert < 1 - tolerance)):
            raise ControleEchoue(f"{problem.demande_code[demande]} : à plus de {problem.seuil} min")
    for g, poids in enumerate(constat.poids_groupe):
        exige = max(
            0.0 if problem.part_min_groupe is None else float(problem.part_min_groupe[g]),
            0.0 if problem.equite_min is None else problem.equite_min,
        )
        part = 1.0 if poids <= 0 else float(constat.couvert_groupe[g] / poids)
        if part < exige - tolerance:
            raise ControleEchoue(f"{problem.noms[g]} : part couverte {100 * part:.4f} % au lieu de {100 * exige:.4f} %")


# --- wishes -----------------------------------------------------------------------------------------------


def _check_wishes(problem: Problem, solution: Solution) -> None:
    """Every existing site that closes is named by a broken wish."""
    ouverts = problem.niveau_site[solution.niveaux]
    for site in np.setdiff1d(np.flatnonzero(problem.etat == Etat.EXISTANT), ouverts):
        if not any(f"« {problem.site_nom[site]} »" in souhait for souhait in solution.souhaits):
            raise ControleEchoue(f"{problem.site_nom[site]} : fermeture d'un site existant passée sous silence")


# --- infeasible --------------------------------------------------------------------------------------------


def _check_infeasible(problem: Problem, solution: Solution) -> None:
    bilan = solution.bilan
    if len(solution.niveaux) or len(solution.demande) or len(solution.niveau) or len(solution.part):
        raise ControleEchoue("réponse dite irréalisable, avec des sites ou des affectations")
    if float(bilan.cost) != float("inf") or bilan.bound is not None:
        raise ControleEchoue(f"réponse dite irréalisable, avec un objectif {bilan.cost} ou une borne {bilan.bound}")
    if not any(remarque.strip() for remarque in bilan.remarks):
        raise ControleEchoue("réponse dite irréalisable, sans dire pourquoi")
    if solution.relaxations and not solution.impossible:
        raise ControleEchoue("assouplissements proposés sans preuve que rien n'est possible")
    if _everything_open_is_allowed(problem):
        raise ControleEchoue("réponse dite irréalisable, alors que tout ouvrir est permis")


def _everything_open_is_allowed(problem: Problem) -> bool:
    """Whether opening the nearest level of every site that may open breaks no rule, where capacities do not count.

    It is the best that coverage, service and minima by group may hope for: refused by them, so is everything.
    """
    if problem.capacites is not Capacites.AUCUNE:
        return False
    permis: NDArray[np.bool_] = problem.etat != Etat.INTERDIT
    if problem.pmr_exige:
        permis = permis & (problem.pmr | (problem.etat != Etat.CANDIDAT))
    ordre = np.lexsort((problem.attente, problem.niveau_site))
    sites, premiers = np.unique(problem.niveau_site[ordre], return_index=True)
    niveaux = np.sort(ordre[premiers][permis[sites]]).astype(np.int32)
    trajet = problem.minutes[:, problem.niveau_site[niveaux]].astype(np.float64) + problem.attente[niveaux]
    if problem.minutes_max is not None:
        trajet[trajet > problem.minutes_max + TOLERANCE_MINUTES] = np.inf
    mieux = trajet.min(axis=1, initial=np.inf)
    poids = demand_weights(problem)
    couvre = np.zeros(problem.n_demandes)
    if problem.seuil is not None:
        couvre = (mieux <= problem.seuil + TOLERANCE_MINUTES).astype(np.float64)
    n_groupes = len(problem.groupes)
    constat = Constat(
        poids=poids,
        minutes=mieux,
        servi=np.isfinite(mieux).astype(np.float64),
        couvert=couvre,
        poids_groupe=sum_by(problem.demande_groupe, poids, n_groupes),
        couvert_groupe=sum_by(problem.demande_groupe, poids * couvre, n_groupes),
    )
    servis = problem.modele not in _AVEC_DISTANCE or problem.minutes_non_servi is not None
    try:
        _check_levels(problem, niveaux)
        _check_counts_and_budgets(problem, niveaux)
        _check_coverage(problem, constat)
    except ControleEchoue:
        return False
    return servis or bool(np.all(np.isfinite(mieux[poids > 0])))
