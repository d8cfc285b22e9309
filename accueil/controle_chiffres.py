"""The independent checker of figures: finds access by group and reception by site again from the flows.

Pure module. It reads the shape of the figures in `accueil.chiffres`, not its arithmetic: weights are cut person by
person of the sorted times here (a step function), by areas and by positions in cumulated arrays there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from territoires.calcul import ControleEchoue

from .chiffres import Acces, Site
from .controle_compte import TOLERANCE_MINUTES, demand_weights, read_flows
from .probleme import F64, Problem
from .resultat import Solution

#: Relative difference granted to a figure.
TOLERANCE = 1e-7

#: Minutes and weight of people, sorted by minutes.
Gens = list[tuple[float, float]]


def check_access(
    problem: Problem,
    solution: Solution,
    dit: Acces,
    groupe: int | None,
    bandes: Sequence[float],
    poids: F64 | None = None,
) -> None:
    """Raise `ControleEchoue` where the access told of a group (None = all) is not that of the flows of the answer."""
    nom = "Ensemble" if groupe is None else problem.noms[groupe]
    tous = demand_weights(problem) if poids is None else poids
    membres = [i for i in range(problem.n_demandes) if groupe is None or problem.demande_groupe[i] == groupe]
    total = math.fsum(float(tous[i]) for i in membres)
    minutes = read_flows(problem, solution).minutes
    dedans = set(membres)
    gens = sorted(
        (float(minutes[k]), float(tous[i]) * float(solution.part[k]))
        for k, i in enumerate(solution.demande)
        if int(i) in dedans and tous[i] > 0
    )
    _check_people(nom, dit, total, gens, bandes)


def _check_people(nom: str, dit: Acces, total: float, gens: Gens, bandes: Sequence[float]) -> None:
    """The figures of these people, sorted by time, who are served of ``total``."""
    servi = math.fsum(w for _, w in gens)
    _same(nom, "poids", dit.poids, total)
    _same(nom, "part servie", dit.servi, servi / total if total > 0 else 0.0)
    if len(dit.bandes) != len(bandes):
        raise ControleEchoue(f"{nom} : {len(dit.bandes)} tranches de temps au lieu de {len(bandes)}")
    for bande, part in zip(bandes, dit.bandes, strict=True):
        dans = math.fsum(w for x, w in gens if x <= bande + TOLERANCE_MINUTES)
        _same(nom, f"part à {bande:g} min au plus", part, dans / total if total > 0 else math.nan)
    somme = math.fsum(w * x for x, w in gens)
    _same(nom, "temps moyen", dit.moyenne, somme / servi if gens else math.nan)
    for quoi, valeur, part in (("temps médian", dit.mediane, 0.5), ("P90", dit.p90, 0.9)):
        # Where the rank falls between two people, rounding may tell either.
        rangs = (_rank(gens, part * servi * (1 - 1e-9)), _rank(gens, part * servi * (1 + 1e-9)))
        _same(nom, quoi, valeur, rangs[1] if valeur == rangs[1] else rangs[0])
    _same(nom, "temps le plus long", dit.pire, gens[-1][0] if gens else math.nan)
    _same(nom, "indice de Gini", dit.gini, _gini(gens, servi, somme))
    pres, loin = _mean_of(gens, 0.4 * servi), _mean_of(gens[::-1], 0.1 * servi)
    _same(nom, "rapport de Palma", dit.palma, loin / pres if gens and pres > 0 else math.nan)


def check_sites(
    problem: Problem, solution: Solution, dits: Sequence[Site], bandes: Sequence[float], poids: F64 | None = None
) -> None:
    """Raise `ControleEchoue` where what a site is told to receive is not what the flows bring it."""
    tous = demand_weights(problem) if poids is None else poids
    actives = demand_weights(problem) > 0
    minutes = read_flows(problem, solution).minutes
    if [dit.niveau for dit in dits] != solution.niveaux.tolist():
        raise ControleEchoue("chiffres par site : ce ne sont pas les sites ouverts")
    for dit in dits:
        nom = problem.site_nom[problem.niveau_site[dit.niveau]]
        if dit.site != problem.niveau_site[dit.niveau]:
            raise ControleEchoue(f"{nom} : chiffres d'un autre site")
        recus = [k for k in range(len(solution.demande)) if solution.niveau[k] == dit.niveau]
        pese = {k: float(tous[solution.demande[k]] * solution.part[k]) for k in recus}
        total = math.fsum(pese.values())
        volume = math.fsum(
            float(problem.volume[solution.demande[k]] * solution.part[k]) for k in recus if actives[solution.demande[k]]
        )
        _same(nom, "volume accueilli", dit.volume, volume)
        _same(nom, "capacité", dit.capacite, float(problem.capacite[dit.niveau]))
        if dit.demandes != sum(w > 0 for w in pese.values()):
            raise ControleEchoue(f"{nom} : {dit.demandes} points de demande annoncés")
        gens = sorted((float(minutes[k]), w) for k, w in pese.items() if w > 0)
        _check_people(nom, dit.acces, total, gens, bandes)
        if len(dit.groupes) != len(problem.groupes):
            raise ControleEchoue(f"{nom} : {len(dit.groupes)} collectivités au lieu de {len(problem.groupes)}")
        for g, venu in enumerate(dit.groupes):
            attendu = math.fsum(w for k, w in pese.items() if problem.demande_groupe[solution.demande[k]] == g)
            _same(nom, f"poids venu de {problem.noms[g]}", float(venu), attendu)


def _same(nom: str, quoi: str, dit: float, trouve: float) -> None:
    if math.isnan(dit) and math.isnan(trouve):
        return
    if dit == trouve or abs(dit - trouve) <= TOLERANCE * max(1.0, abs(trouve)):
        return
    raise ControleEchoue(f"{nom} : {quoi} {dit} annoncé, {trouve} recalculé")


def _rank(gens: Gens, rang: float) -> float:
    """Time of the person of that rank, people lined up by time."""
    vus = 0.0
    for x, w in gens:
        vus += w
        if vus >= rang:
            return x
    return gens[-1][0] if gens else math.nan


def _mean_of(gens: Gens, combien: float) -> float:
    """Mean time of the first ``combien`` people of the line."""
    reste, somme = combien, 0.0
    for x, w in gens:
        pris = min(w, reste)
        somme += pris * x
        reste -= pris
    return somme / combien if combien > 0 else math.nan


def _gini(gens: Gens, servi: float, somme: float) -> float:
    """From the mean rank of the minutes: 2 sum(rank x) / (n sum(x)) - 1, ranks at the middle of each weight."""
    if not gens:
        return math.nan
    if somme <= 0:
        return 0.0
    rangs = np.cumsum([w for _, w in gens]) - np.array([w for _, w in gens]) / 2
    return float(2 * sum(r * w * x for r, (x, w) in zip(rangs, gens, strict=True)) / (servi * somme) - 1)
