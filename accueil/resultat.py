"""What the siting solver answers, whatever the model. Pure module: numpy only.

``Bilan.cost`` is the objective of the model as `accueil.probleme` defines it (for CENTRE_PUIS_MEDIANE that of MEDIANE),
in its own unit (weighted minutes, weight not covered, sites, minutes) plus the terms; ``Bilan.bound`` a proven lower
bound of it, never above the cost. For CENTRE_PUIS_MEDIANE the bound holds among the answers of radius at most
``parties.rayon``, and OPTIMAL also says that this radius is the least (``rayon_borne``). IRREALISABLE: no flow nor
level, cost infinite, no bound, ``bilan.remarks`` says why; with ``impossible`` it is proven that no answer exists and
``relaxations`` says what would be enough, without it none was found in the time given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from territoires.calcul import Bilan

from .probleme import F64, I32, Modele, Problem, weights


@dataclass(frozen=True)
class Parties:
    """What the objective is made of, each in its own unit, whether it counts in the model or not.

    minutes: sum of weight * share * minutes, unserved parts at ``minutes_non_servi`` (inf when none is given and a part
    of an active demand is unserved). non_couvert: weight not covered, None without ``seuil``. rayon: most minutes of an
    active demand (unserved as above). sites: open sites. cout_ouverture, cout_annuel: euro, of open levels. pire_part:
    covered share of the worst-off group, None without ``seuil``, 1 when no group weighs anything.
    """

    minutes: float
    non_couvert: float | None
    rayon: float
    sites: int
    cout_ouverture: float
    cout_annuel: float
    pire_part: float | None


@dataclass(frozen=True, eq=False)
class Solution:
    """One answer.

    empreinte: `input_hash` of the problem it answers. niveaux: open levels, sorted.
    demande, niveau (k,) int32, part (k,) float64 in (0, 1]: flows, sorted by demand then level, one row a couple.
    rayon_borne: proven lower bound of the radius (CENTRE*), None elsewhere.
    souhaits: broken soft wishes, French sentences. relaxations: where nothing is feasible, French sentences, each of
    which alone would be enough unless it says otherwise, smallest change of its kind. impossible: proven that no answer
    exists.
    """

    bilan: Bilan
    modele: Modele
    empreinte: str
    niveaux: I32
    demande: I32
    niveau: I32
    part: F64
    parties: Parties
    rayon_borne: float | None = None
    souhaits: tuple[str, ...] = ()
    relaxations: tuple[str, ...] = ()
    impossible: bool = False


@dataclass(frozen=True, eq=False)
class Difference:
    """From one result to another of the same demands and sites (site positions, demand positions).

    ouverts, fermes: sites open only after / only before; niveau_change: open in both at another level.
    deplacees: active demands whose set of sites is not the same; poids_deplace: their weight.
    minutes: change of the sum of weighted minutes (NaN when one of them leaves somebody unserved without price).
    cout: change of the objective; NaN when the models differ.
    """

    ouverts: I32
    fermes: I32
    niveau_change: I32
    deplacees: I32
    poids_deplace: float
    minutes: float
    cout: float


def open_sites(problem: Problem, solution: Solution) -> I32:
    """Positions of the open sites, sorted."""
    return np.unique(problem.niveau_site[solution.niveaux]).astype(np.int32)


def difference(problem: Problem, avant: Solution, apres: Solution) -> Difference:
    """What changed from ``avant`` to ``apres``; weights and sites are those of ``problem``, which may be either's."""
    sites_avant, sites_apres = open_sites(problem, avant), open_sites(problem, apres)
    niveau = {int(problem.niveau_site[n]): int(n) for n in avant.niveaux}
    change = [
        int(problem.niveau_site[n]) for n in apres.niveaux if niveau.get(int(problem.niveau_site[n]), int(n)) != int(n)
    ]
    poids = weights(problem)
    servis = [_served_by(problem, solution) for solution in (avant, apres)]
    bouge = np.any(servis[0] != servis[1], axis=1) & (poids > 0)
    minutes = apres.parties.minutes - avant.parties.minutes
    return Difference(
        ouverts=np.setdiff1d(sites_apres, sites_avant).astype(np.int32),
        fermes=np.setdiff1d(sites_avant, sites_apres).astype(np.int32),
        niveau_change=np.array(sorted(change), dtype=np.int32),
        deplacees=np.flatnonzero(bouge).astype(np.int32),
        poids_deplace=float(poids[bouge].sum()),
        minutes=minutes if np.isfinite(minutes) else float("nan"),
        cout=float(apres.bilan.cost - avant.bilan.cost) if avant.modele is apres.modele else float("nan"),
    )


def _served_by(problem: Problem, solution: Solution) -> NDArray[np.bool_]:
    couples = np.zeros((problem.n_demandes, problem.n_sites), dtype=np.bool_)
    couples[solution.demande, problem.niveau_site[solution.niveau]] = True
    return couples
