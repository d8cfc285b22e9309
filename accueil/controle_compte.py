"""What the independent checker finds again in the flows of an answer, and the account it makes of it.

Pure module: `accueil.probleme` and `accueil.resultat` only, never the solver.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from territoires.calcul import ControleEchoue, Statut

from .probleme import F64, Capacites, Modele, Problem
from .resultat import Parties, Solution

#: Minutes granted to comparisons with a threshold, as the definition of the problem says; read again here, so that a
#: solver which would grant itself more is caught.
TOLERANCE_MINUTES = 1e-4
#: Relative difference granted to sums, and to rules whose left side is a sum of whole demands or of levels.
TOLERANCE = 1e-9
#: The same where demands are shared: what a linear program leaves on a row.
TOLERANCE_PARTAGE = 1e-6
#: Relative gap below which a bound proves its answer.
TOLERANCE_PREUVE = 1e-6


@dataclass(frozen=True, eq=False)
class Constat:
    """What is read again in the flows.

    poids (D,): weights. minutes (k,): of each flow. servi, couvert (D,): share served, share served within ``seuil``.
    poids_groupe, couvert_groupe (G,): weights.
    """

    poids: F64
    minutes: F64
    servi: F64
    couvert: F64
    poids_groupe: F64
    couvert_groupe: F64


def demand_weights(problem: Problem) -> F64:
    """Weight of each demand, (D,): populations through the mix, one population after the other."""
    poids = np.zeros(problem.n_demandes)
    for rang, part in enumerate(problem.mix):
        poids += part * problem.populations[:, rang]
    return poids


def sum_by(rangs: NDArray[np.integer[Any]], valeurs: F64, nombre: int) -> F64:
    """Sum of the values by rank, (nombre,)."""
    return np.bincount(rangs, weights=valeurs, minlength=nombre).astype(np.float64)


def read_flows(problem: Problem, solution: Solution) -> Constat:
    """Add the flows up; rows must exist (positions in range)."""
    i, n, part = solution.demande, solution.niveau, solution.part
    poids = demand_weights(problem)
    minutes = problem.minutes[i, problem.niveau_site[n]].astype(np.float64) + problem.attente[n]
    servi = sum_by(i, part, problem.n_demandes)
    couvre = np.zeros(len(i), dtype=np.bool_)
    if problem.seuil is not None:
        couvre = minutes <= problem.seuil + TOLERANCE_MINUTES
    couvert = sum_by(i[couvre], part[couvre], problem.n_demandes)
    n_groupes = len(problem.groupes)
    return Constat(
        poids=poids,
        minutes=minutes,
        servi=servi,
        couvert=couvert,
        poids_groupe=sum_by(problem.demande_groupe, poids, n_groupes),
        couvert_groupe=sum_by(problem.demande_groupe, poids * couvert, n_groupes),
    )


# --- account -----------------------------------------------------------------------------------------------


def parts_of(problem: Problem, solution: Solution, constat: Constat) -> Parties:
    """What `Parties` defines, found again."""
    i, part = solution.demande, solution.part
    actives = constat.poids > 0
    manque = np.where(actives, np.maximum(0.0, 1 - constat.servi), 0.0)
    tolerance = TOLERANCE_PARTAGE if problem.capacites is Capacites.PARTAGEE else 0.0
    incomplet = bool(np.any(manque > tolerance))
    penalite = problem.minutes_non_servi
    minutes = float((constat.poids[i] * part * constat.minutes).sum())
    rayon = float(constat.minutes[actives[i]].max(initial=0.0))
    if penalite is not None:
        minutes += float(constat.poids @ manque) * penalite
        rayon = max(rayon, penalite) if incomplet else rayon
    elif incomplet:
        minutes = rayon = float("inf")
    non_couvert = pire = None
    if problem.seuil is not None:
        non_couvert = float(constat.poids @ (1 - constat.couvert))
        pesants = constat.poids_groupe > 0
        pire = float((constat.couvert_groupe[pesants] / constat.poids_groupe[pesants]).min(initial=1.0))
    return Parties(
        minutes=minutes,
        non_couvert=non_couvert,
        rayon=rayon,
        sites=len(solution.niveaux),
        cout_ouverture=float(problem.cout_ouverture[solution.niveaux].sum()),
        cout_annuel=float(problem.cout_annuel[solution.niveaux].sum()),
        pire_part=pire,
    )


def _close(dit: float, trouve: float, echelle: float = 1.0) -> bool:
    if not np.isfinite(trouve) or not np.isfinite(dit):
        return dit == trouve
    return abs(dit - trouve) <= 1e-7 * max(echelle, abs(trouve))


_LIBELLES = {
    "minutes": "minutes pondérées",
    "non_couvert": "poids non couvert",
    "rayon": "temps le plus long",
    "sites": "nombre de sites",
    "cout_ouverture": "coût d'ouverture",
    "cout_annuel": "coût annuel",
    "pire_part": "part couverte de la collectivité la moins bien servie",
}


def check_parts(dites: Parties, trouvees: Parties) -> None:
    """Raise `ControleEchoue` where a part told is not the one found again."""
    for nom, libelle in _LIBELLES.items():
        dit, trouve = getattr(dites, nom), getattr(trouvees, nom)
        if (dit is None) != (trouve is None) or (dit is not None and not _close(dit, trouve)):
            raise ControleEchoue(f"{libelle} : {dit} annoncé, {trouve} recalculé")


def _objective(problem: Problem, parties: Parties) -> float:
    if problem.modele is Modele.CENTRE:
        return parties.rayon
    termes = problem.poids_ouverture * parties.cout_ouverture + problem.poids_annuel * parties.cout_annuel
    if parties.pire_part is not None:
        termes += problem.equite_poids * (1 - parties.pire_part)
    if problem.modele is Modele.COUVERTURE_MAX:
        assert parties.non_couvert is not None
        return parties.non_couvert + termes
    if problem.modele is Modele.COUVERTURE_TOTALE:
        return parties.sites + termes
    return parties.minutes + termes


def check_account(problem: Problem, solution: Solution, parties: Parties) -> None:
    """Raise `ControleEchoue` where cost, bounds or status do not follow from the parts."""
    bilan = solution.bilan
    cout, dit = _objective(problem, parties), float(bilan.cost)
    if not _close(dit, cout):
        raise ControleEchoue(f"objectif annoncé {dit}, recalculé {cout}")
    borne = None if bilan.bound is None else float(bilan.bound)
    if borne is not None and not borne <= dit + TOLERANCE * max(1.0, abs(dit)):
        raise ControleEchoue(f"borne {borne} au-dessus de l'objectif {dit}")
    prouve = borne is not None and _proves(borne, dit)
    centre = problem.modele in (Modele.CENTRE, Modele.CENTRE_PUIS_MEDIANE)
    if not centre and solution.rayon_borne is not None:
        raise ControleEchoue("borne du temps le plus long donnée hors de son modèle")
    if solution.rayon_borne is not None and not solution.rayon_borne <= parties.rayon * (1 + TOLERANCE) + TOLERANCE:
        raise ControleEchoue(f"borne du temps le plus long {solution.rayon_borne}, temps {parties.rayon}")
    if problem.modele is Modele.CENTRE_PUIS_MEDIANE:
        prouve = prouve and solution.rayon_borne is not None and _proves(solution.rayon_borne, parties.rayon)
    if bilan.status is Statut.OPTIMAL and not prouve:
        raise ControleEchoue(
            f"réponse dite optimale, mais l'objectif {dit} n'est prouvé qu'à {borne}"
            + (f" (temps le plus long : {parties.rayon}, prouvé à {solution.rayon_borne})" if centre else "")
        )


def _proves(borne: float, valeur: float) -> bool:
    return valeur - borne <= TOLERANCE_PREUVE * max(1.0, abs(valeur))
