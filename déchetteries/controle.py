"""The independent checker: finds cost, bound, capacities and access rules again from the data alone.

Pure module. Nothing of the solver's arithmetic is used: times, kilometres and rules are read again flow by flow.
"""

from __future__ import annotations

import numpy as np

from territoires.calcul import ControleEchoue, Statut

from .probleme import F64, B, Problem, Scenario
from .solveur import Affectation, Solution

#: Relative difference taken for rounding (simplex tolerances are 1e-7 a row).
TOLERANCE = 1e-6


def check(problem: Problem, solution: Solution) -> None:
    """Raise `ControleEchoue` unless every scenario is allowed, complete, as good as it says and priced right."""
    scenarios = problem.scenarios()
    if set(solution.affectations) != set(scenarios):
        raise ControleEchoue(f"scénarios {sorted(solution.affectations)} au lieu de {sorted(scenarios)}")
    for nom, scenario in scenarios.items():
        affectation = solution.affectations[nom]
        _check_flows(nom, problem, scenario, affectation)
        _check_prices(nom, problem, scenario, affectation)
        if affectation.optimale:
            _check_optimal(nom, problem, scenario, affectation)
    _check_account(problem, solution)


def _check_flows(nom: str, problem: Problem, scenario: Scenario, affectation: Affectation) -> None:
    """Every visit of every point goes, once, to a centre that is open, allowed and reachable, or to none at all."""
    i, j, visites, sans = affectation.point, affectation.centre, affectation.visites, affectation.sans_centre
    if not len(i) == len(j) == len(visites):
        raise ControleEchoue(f"{nom} : flux de longueurs différentes")
    if len(sans) != problem.n_points:
        raise ControleEchoue(f"{nom} : {len(sans)} points sans centre au lieu de {problem.n_points}")
    if np.any((i < 0) | (i >= problem.n_points) | (j < 0) | (j >= problem.n_centres)):
        raise ControleEchoue(f"{nom} : flux vers un point ou un centre inexistant")

    def refuse(faute: B, mot: str) -> None:
        for k in np.flatnonzero(faute):
            couple = f"{problem.point_code[i[k]]} vers {problem.centre_code[j[k]]}"
            raise ControleEchoue(f"{nom} : {couple} : {mot} ({visites[k]} visites)")

    couples = i.astype(np.int64) * problem.n_centres + j
    double = np.ones(len(couples), dtype=np.bool_)
    double[np.unique(couples, return_index=True)[1]] = False
    refuse(double, "flux en double")
    refuse(~(np.isfinite(visites) & (visites > 0)), "nombre de visites impossible")
    refuse(~scenario.actif[j], "centre fermé")
    refuse(~scenario.autorise[i, j], "accès interdit")
    refuse(~np.isfinite(problem.secondes[i, j]), "aucune route")

    place = np.zeros(problem.n_points)
    np.add.at(place, i, visites)
    possible = _usable(problem, scenario).any(axis=1)
    for k in np.flatnonzero(~np.isfinite(sans) | (sans < 0) | ((sans > 0) & possible)):
        raise ControleEchoue(f"{nom} : {problem.point_code[k]} laissé sans centre ({sans[k]} visites)")
    ecart = np.abs(place + sans - scenario.visites)
    for k in np.flatnonzero(ecart > TOLERANCE * np.maximum(1.0, scenario.visites)):
        total = place[k] + sans[k]
        raise ControleEchoue(f"{nom} : {problem.point_code[k]} place {total} visites sur {scenario.visites[k]}")


def _usable(problem: Problem, scenario: Scenario) -> B:
    """Couples (D, C) that a visit may take."""
    return scenario.autorise & scenario.actif & np.isfinite(problem.secondes)


def _check_prices(nom: str, problem: Problem, scenario: Scenario, affectation: Affectation) -> None:
    """Prices of capacity are what a dual may be: between zero and the price of an excess, zero without limit."""
    prix = affectation.prix
    if len(prix) != problem.n_centres:
        raise ControleEchoue(f"{nom} : {len(prix)} prix au lieu de {problem.n_centres}")
    plafond = np.where(np.isfinite(scenario.capacite), problem.couts.euro_surcharge, 0.0)
    for j in np.flatnonzero(~((prix >= 0) & (prix <= plafond + 1e-12))):
        raise ControleEchoue(f"{nom} : prix {prix[j]} de {problem.centre_code[j]} hors de 0 à {plafond[j]}")


def _visit_cost(problem: Problem) -> F64:
    """€ of one visit's travel, (D, C); anything where there is no road."""
    couts = problem.couts
    par_heure, par_km = couts.euro_heure, couts.euro_km
    if couts.choix == "temps":
        par_heure, par_km = par_heure + par_km * couts.vitesse_kmh, 0.0
    cout = np.where(np.isfinite(problem.secondes), problem.secondes, 0.0).astype(np.float64) * (par_heure / 3600.0)
    cout += np.where(np.isfinite(problem.km), problem.km, 0.0).astype(np.float64) * par_km
    return couts.trajets * cout


def _overload(problem: Problem, scenario: Scenario, affectation: Affectation) -> float:
    """Visits above the capacities, all centres together."""
    charge = np.zeros(problem.n_centres)
    np.add.at(charge, affectation.centre, affectation.visites)
    return float(np.clip(charge - scenario.capacite, 0.0, None).sum())


def _dual(problem: Problem, scenario: Scenario, affectation: Affectation, visite: F64) -> float:
    """What the prices prove: no plan costs less, ``visite`` (D, C) being what a visit costs."""
    usable = _usable(problem, scenario)
    servis = usable.any(axis=1)
    vus = np.where(usable, visite + affectation.prix, np.inf)[servis]
    payes = affectation.prix > 0
    gagne = float(scenario.visites[servis] @ vus.min(axis=1)) if len(vus) else 0.0
    return gagne - float(affectation.prix[payes] @ scenario.capacite[payes])


def _check_optimal(nom: str, problem: Problem, scenario: Scenario, affectation: Affectation) -> None:
    """Duality: the answer weighs what its own prices prove to be the least."""
    visite = _visit_cost(problem)
    pese = float(affectation.visites @ visite[affectation.point, affectation.centre])
    pese += problem.couts.euro_surcharge * _overload(problem, scenario, affectation)
    prouve = _dual(problem, scenario, affectation, visite)
    if not np.isclose(pese, prouve, rtol=TOLERANCE, atol=0.01):
        raise ControleEchoue(f"{nom} : réponse dite la meilleure à {pese:.4f}, ses prix ne prouvent que {prouve:.4f}")


def _check_account(problem: Problem, solution: Solution) -> None:
    """Cost, bound and status of the account."""
    scenario, courante = problem.scenarios()["courant"], solution.courante
    couts, bilan = problem.couts, solution.bilan
    visite = _visit_cost(problem) + couts.euro_visite
    sans = float(courante.sans_centre.sum())
    commun = float(problem.cout_fixe @ scenario.actif) + couts.euro_sans_centre * sans
    cout = commun + couts.euro_surcharge * _overload(problem, scenario, courante)
    cout += float(courante.visites @ visite[courante.point, courante.centre])
    if not np.isclose(cout, float(bilan.cost), rtol=1e-9, atol=0.011):
        raise ControleEchoue(f"coût annoncé {bilan.cost} €, recalculé {cout:.2f} €")
    if bilan.bound is None:
        raise ControleEchoue("borne absente")
    borne = commun + _dual(problem, scenario, courante, visite)
    if bilan.bound > bilan.cost or float(bilan.bound) > borne + 1e-9 * abs(borne) + 0.01:
        raise ControleEchoue(f"borne annoncée {bilan.bound} €, recalculée {borne:.2f} €, coût {bilan.cost} €")
    if (bilan.status is Statut.OPTIMAL) != all(a.optimale for a in solution.affectations.values()):
        raise ControleEchoue(f"statut {bilan.status} en contradiction avec les scénarios")
