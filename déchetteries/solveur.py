"""Who goes where: the nearest open centre, or a transport problem where centres are limited.

Pure module: no Django, no database.

Without capacity every visit goes to the centre that weighs least for its point (ties: the first code). With capacity,
see `déchetteries.transport`: one that cannot hold is a broken wish, named and priced, never an absence of result. A
point without any centre it may use and reach is left out, named and priced too.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

import numpy as np
from numpy.typing import NDArray

from territoires.calcul import Arret, Bilan, PointTrace, Progres, Statut, silent
from territoires.nombres import euros, nombre

from .probleme import F64, Problem, Scenario
from .transport import transport


@dataclass(frozen=True, eq=False)
class Affectation:
    """Where the visits of one scenario go.

    point, centre (k,) int32, visites (k,) float64: flows, sorted by point then centre, at most one row a couple.
    sans_centre (D,) float64: visits that no centre may receive.
    prix (C,) float64: price of one more place, €/visit (0 where the capacity does not bind).
    optimale: proven to weigh the least.
    """

    point: NDArray[np.int32]
    centre: NDArray[np.int32]
    visites: F64
    sans_centre: F64
    prix: F64
    optimale: bool = True


@dataclass(frozen=True, eq=False)
class Solution:
    """Answer to one block: its flows in every scenario of ``Problem.scenarios()`` and its account."""

    bilan: Bilan
    affectations: dict[str, Affectation]

    @property
    def courante(self) -> Affectation:
        return self.affectations["courant"]


def solve(problem: Problem, stop: Arret, seed: int = 1, progress: Progres = silent) -> Solution:
    """Solve every scenario of the block. Stopped early, what is left goes to the nearest centre (not proven)."""
    poids = problem.travel_euro()
    scenarios = problem.scenarios()
    affectations: dict[str, Affectation] = {}
    for rang, (nom, scenario) in enumerate(scenarios.items()):
        progress(rang / len(scenarios), _step(nom, problem))
        affectations[nom] = _assign(poids, scenario, problem.couts.euro_surcharge, stop, seed)
    courante = affectations["courant"]
    cout = Decimal(f"{total_euro(problem, scenarios['courant'], courante):.2f}")
    prouve = Decimal(_bound(problem, scenarios["courant"], courante))
    borne = min(prouve.quantize(Decimal("0.01"), rounding=ROUND_FLOOR), cout)
    statut = Statut.OPTIMAL if all(a.optimale for a in affectations.values()) else Statut.REALISABLE
    progress(1.0, "Répartition terminée", float(cout), float(borne))
    bilan = Bilan(
        cost=cout,
        bound=borne,
        status=statut,
        seed=seed,
        iterations=len(scenarios),
        trace=(PointTrace(round(stop.elapsed(), 3), float(cout), float(borne)),),
        remarks=problem.remarques + _remarks(problem, scenarios["courant"], courante),
    )
    return Solution(bilan, affectations)


def _step(nom: str, problem: Problem) -> str:
    if nom.startswith("seul:"):
        return f"{problem.noms[problem.groupes.index(nom.removeprefix('seul:'))]} : habitants limités à leurs centres"
    return {"courant": "Répartition des habitants entre les centres", "base": "Répartition sans les changements"}[nom]


def _assign(poids: F64, scenario: Scenario, surcharge: float, stop: Arret, seed: int) -> Affectation:
    """Flows of one scenario; ``poids`` (D, C) is what a visit weighs, €."""
    ouvert = scenario.autorise & scenario.actif[None, :] & np.isfinite(poids)
    servi = ouvert.any(axis=1) & (scenario.visites > 0)
    sans = np.where(~ouvert.any(axis=1), scenario.visites, 0.0)
    points = np.flatnonzero(servi).astype(np.int32)
    vu = np.where(ouvert, poids, np.inf)
    choix = np.argmin(vu[points], axis=1).astype(np.int32) if len(points) else np.zeros(0, dtype=np.int32)
    charge = np.bincount(choix, weights=scenario.visites[points], minlength=len(scenario.actif))
    libre = np.zeros(len(scenario.actif))
    proche = Affectation(points, choix, scenario.visites[points], sans, libre)
    if np.all(charge <= scenario.capacite):
        return proche
    if not stop.reached():
        trouvee = _filled(vu, points, sans, scenario, surcharge, stop, seed)
        if trouvee is not None:
            return trouvee
    return Affectation(points, choix, scenario.visites[points], sans, libre, optimale=False)


def _filled(
    vu: F64, points: NDArray[np.int32], sans: F64, scenario: Scenario, surcharge: float, stop: Arret, seed: int
) -> Affectation | None:
    """Flows where capacities bind; None when the search was stopped before its end."""
    trouve = transport(vu[points], scenario.visites[points], scenario.capacite, surcharge, stop, seed)
    if trouve is None:
        return None
    return Affectation(points[trouve.ligne], trouve.centre, trouve.visites, sans, trouve.prix)


def loads(affectation: Affectation, n_centres: int) -> F64:
    """Yearly visits received by each centre, float64 (C,)."""
    return np.bincount(affectation.centre, weights=affectation.visites, minlength=n_centres).astype(np.float64)


def excess(scenario: Scenario, affectation: Affectation) -> F64:
    """Yearly visits above each centre's capacity, float64 (C,)."""
    charge = loads(affectation, len(scenario.actif))
    return np.maximum(charge - scenario.capacite, 0.0)


def total_euro(problem: Problem, scenario: Scenario, affectation: Affectation) -> float:
    """Yearly cost of one scenario: users' travel, running and fixed costs, prices of broken wishes; €."""
    couts = problem.couts
    trajet = problem.travel_euro()[affectation.point, affectation.centre]
    return float(
        (affectation.visites * (trajet + couts.euro_visite)).sum()
        + problem.cout_fixe[scenario.actif].sum()
        + couts.euro_surcharge * excess(scenario, affectation).sum()
        + couts.euro_sans_centre * affectation.sans_centre.sum()
    )


def _bound(problem: Problem, scenario: Scenario, affectation: Affectation) -> float:
    """Lower bound of the whole cost that the prices of the answer prove, €."""
    ouvert = scenario.autorise & scenario.actif[None, :]
    prix = affectation.prix
    vu = np.where(ouvert, problem.travel_euro() + prix[None, :], np.inf)
    meilleur = vu.min(axis=1, initial=np.inf)
    servi = np.isfinite(meilleur)
    limite = prix > 0
    return float(
        (scenario.visites[servi] * (meilleur[servi] + problem.couts.euro_visite)).sum()
        - (scenario.capacite[limite] * prix[limite]).sum()
        + problem.cout_fixe[scenario.actif].sum()
        + problem.couts.euro_sans_centre * scenario.visites[~servi].sum()
    )


def _prix(valeur: float) -> str:
    """« 15 € », « 7,50 € »."""
    return euros(valeur, centimes=not float(valeur).is_integer())


def _remarks(problem: Problem, scenario: Scenario, affectation: Affectation) -> tuple[str, ...]:
    """Broken wishes in French sentences: points without centre, centres above their capacity."""
    phrases = []
    sans = np.flatnonzero(affectation.sans_centre > 0)
    if len(sans):
        lieux = list(dict.fromkeys(problem.point_nom[i] for i in sans))
        noms = ", ".join(lieux[:8]) + (f" et {len(lieux) - 8} autres" if len(lieux) > 8 else "")
        phrases.append(
            f"Aucun centre autorisé et joignable pour {noms} : {nombre(problem.population[sans].sum())} habitants, "
            f"comptés {_prix(problem.couts.euro_sans_centre)} par visite ; ils n'entrent ni dans les temps ni dans les "
            "kilomètres."
        )
    trop = excess(scenario, affectation)
    phrases += [
        f"{problem.centre_nom[j]} reçoit {nombre(trop[j])} visites par an de plus que sa capacité "
        f"({nombre(scenario.capacite[j])}), comptées {_prix(problem.couts.euro_surcharge)} chacune."
        for j in np.flatnonzero(trop > 0.5)
    ]
    return tuple(phrases)
