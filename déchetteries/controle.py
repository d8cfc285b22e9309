"""The independent checker: finds cost, bound, capacities and access rules again from the data alone.

Pure module. Nothing of the solver's arithmetic is used: flows are walked one by one.
"""

from __future__ import annotations

import math
from decimal import Decimal

from territoires.calcul import ControleEchoue, Statut

from .probleme import Problem, Scenario
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
    if not len(affectation.point) == len(affectation.centre) == len(affectation.visites):
        raise ControleEchoue(f"{nom} : flux de longueurs différentes")
    if len(affectation.sans_centre) != problem.n_points:
        raise ControleEchoue(f"{nom} : {len(affectation.sans_centre)} points sans centre au lieu de {problem.n_points}")
    places = [0.0] * problem.n_points
    vus: set[tuple[int, int]] = set()
    for i, j, visites in zip(
        affectation.point.tolist(), affectation.centre.tolist(), affectation.visites.tolist(), strict=True
    ):
        if not (0 <= i < problem.n_points and 0 <= j < problem.n_centres):
            raise ControleEchoue(f"{nom} : flux vers un point ou un centre inexistant ({i}, {j})")
        couple = f"{nom} : {problem.point_code[i]} vers {problem.centre_code[j]}"
        if (i, j) in vus:
            raise ControleEchoue(f"{couple} : flux en double")
        vus.add((i, j))
        if not (math.isfinite(visites) and visites > 0):
            raise ControleEchoue(f"{couple} : {visites} visites")
        if not scenario.actif[j]:
            raise ControleEchoue(f"{couple} : centre fermé")
        if not scenario.autorise[i, j]:
            raise ControleEchoue(f"{couple} : accès interdit")
        if not math.isfinite(problem.secondes[i, j]):
            raise ControleEchoue(f"{couple} : aucune route")
        places[i] += visites
    for i in range(problem.n_points):
        attendu, sans = float(scenario.visites[i]), float(affectation.sans_centre[i])
        possible = any(_usable(problem, scenario, i, j) for j in range(problem.n_centres))
        if not math.isfinite(sans) or sans < 0 or (sans > 0 and possible):
            raise ControleEchoue(f"{nom} : {problem.point_code[i]} laissé sans centre ({sans} visites)")
        if not math.isclose(places[i] + sans, attendu, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            raise ControleEchoue(f"{nom} : {problem.point_code[i]} place {places[i] + sans} visites sur {attendu}")


def _usable(problem: Problem, scenario: Scenario, i: int, j: int) -> bool:
    return bool(scenario.actif[j] and scenario.autorise[i, j] and math.isfinite(problem.secondes[i, j]))


def _check_prices(nom: str, problem: Problem, scenario: Scenario, affectation: Affectation) -> None:
    """Prices of capacity are what a dual may be: between zero and the price of an excess, zero without limit."""
    if len(affectation.prix) != problem.n_centres:
        raise ControleEchoue(f"{nom} : {len(affectation.prix)} prix au lieu de {problem.n_centres}")
    for j, prix in enumerate(affectation.prix.tolist()):
        plafond = problem.couts.euro_surcharge if math.isfinite(scenario.capacite[j]) else 0.0
        if not 0.0 <= prix <= plafond + 1e-12:
            raise ControleEchoue(f"{nom} : prix {prix} de {problem.centre_code[j]} hors de 0 à {plafond}")


def _weight(problem: Problem, i: int, j: int) -> float:
    """What an inhabitant of point i weighs before going to centre j, € a visit."""
    if problem.couts.choix == "cout":
        return _travel(problem, i, j)
    return problem.couts.trajets * float(problem.secondes[i, j]) / 3600.0 * problem.couts.euro_heure


def _travel(problem: Problem, i: int, j: int) -> float:
    """Time and kilometres of one visit, €."""
    couts = problem.couts
    temps = couts.trajets * float(problem.secondes[i, j]) / 3600.0 * couts.euro_heure
    return temps + couts.trajets * float(problem.km[i, j]) * couts.euro_km


def _overload(problem: Problem, scenario: Scenario, affectation: Affectation) -> float:
    """Visits above the capacities, all centres together."""
    charge = [0.0] * problem.n_centres
    for j, visites in zip(affectation.centre.tolist(), affectation.visites.tolist(), strict=True):
        charge[j] += visites
    return sum(max(0.0, c - float(k)) for c, k in zip(charge, scenario.capacite.tolist(), strict=True))


def _dual(problem: Problem, scenario: Scenario, affectation: Affectation, *, travel: bool) -> float:
    """What the prices prove: no plan weighs less. ``travel``: of the travel cost, else of what inhabitants weigh."""
    total = 0.0
    for i in range(problem.n_points):
        valeurs = [
            (_travel if travel else _weight)(problem, i, j) + float(affectation.prix[j])
            for j in range(problem.n_centres)
            if _usable(problem, scenario, i, j)
        ]
        if valeurs:
            total += float(scenario.visites[i]) * min(valeurs)
    for j, prix in enumerate(affectation.prix.tolist()):
        if prix > 0:
            total -= prix * float(scenario.capacite[j])
    return total


def _check_optimal(nom: str, problem: Problem, scenario: Scenario, affectation: Affectation) -> None:
    """Duality: the answer weighs what its own prices prove to be the least."""
    pese = problem.couts.euro_surcharge * _overload(problem, scenario, affectation)
    for i, j, visites in zip(
        affectation.point.tolist(), affectation.centre.tolist(), affectation.visites.tolist(), strict=True
    ):
        pese += visites * _weight(problem, i, j)
    prouve = _dual(problem, scenario, affectation, travel=False)
    if not math.isclose(pese, prouve, rel_tol=TOLERANCE, abs_tol=0.01):
        raise ControleEchoue(f"{nom} : réponse dite la meilleure à {pese:.4f}, ses prix ne prouvent que {prouve:.4f}")


def _check_account(problem: Problem, solution: Solution) -> None:
    """Cost, bound and status of the account."""
    scenario, courante = problem.scenarios()["courant"], solution.courante
    couts, bilan = problem.couts, solution.bilan
    fixe = sum(float(c) for c, ouvert in zip(problem.cout_fixe, scenario.actif, strict=True) if ouvert)
    sans = sum(float(v) for v in courante.sans_centre)
    commun = fixe + couts.euro_sans_centre * sans
    cout = commun + couts.euro_surcharge * _overload(problem, scenario, courante)
    for i, j, visites in zip(courante.point.tolist(), courante.centre.tolist(), courante.visites.tolist(), strict=True):
        cout += visites * (_travel(problem, i, j) + couts.euro_visite)
    if not math.isclose(cout, float(bilan.cost), rel_tol=1e-9, abs_tol=0.011):
        raise ControleEchoue(f"coût annoncé {bilan.cost} €, recalculé {cout:.2f} €")
    servies = sum(float(v) for v in scenario.visites) - sans
    borne = commun + couts.euro_visite * servies + _dual(problem, scenario, courante, travel=True)
    if bilan.bound is None:
        raise ControleEchoue("borne absente")
    if bilan.bound > bilan.cost or float(bilan.bound) > borne * (1 + 1e-9) + 0.01:
        raise ControleEchoue(f"borne annoncée {bilan.bound} €, recalculée {borne:.2f} €, coût {bilan.cost} €")
    if bilan.bound < 0 or bilan.cost < Decimal(0):
        raise ControleEchoue("coût ou borne négatif")
    if (bilan.status is Statut.OPTIMAL) != all(a.optimale for a in solution.affectations.values()):
        raise ControleEchoue(f"statut {bilan.status} en contradiction avec les scénarios")
