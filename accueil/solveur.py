"""Where to place reception points: every model of `accueil.probleme`, with a bound on every answer.

Pure module: no Django, no database; the only clock is ``stop``. Which way a problem goes:

- no capacity and no rule but states and number of sites: `accueil.coeur` (interchange, Lagrangian bound, branch and
  bound), for maximal cover followed by a program on the sites that are left;
- no capacity, other rules: the core without these rules for a bound and an answer to start from, then the radius
  program of `accueil.rayons` on short lists, or cover rows;
- capacities: `accueil.source_unique` where it can, else the program of `accueil.capacites`;
- the least radius: `accueil.centre`.

Where nothing is feasible, `accueil.assouplissement` says what would be enough.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from territoires.calcul import Arret, Progres, silent

from .amorce import first_answer
from .assouplissement import explain
from .centre import solve_center
from .evaluation import Flux, make_solution, nearest_flows, no_solution, satisfies
from .probleme import F64, TOLERANCE_MINUTES, Capacites, Modele, Problem, weights
from .programmes import solve_capacities, solve_rules
from .resultat import Solution
from .suivi import Suivi, flows_of, shares_of
from .voie_directe import solve_plain
from .vue import Vue, make_vue

__all__ = ["solve"]

#: Minutes by which sums of times differ by rounding alone, at most.
ARRONDI_MINUTES = 1e-9


def solve(
    problem: Problem, stop: Arret, seed: int = 1, progress: Progres = silent, *, depart: Solution | None = None
) -> Solution:
    """Solve. ``depart``: an earlier answer to the same demands and sites, perhaps under other rules, to start from.

    The answer carries status, bound, trace and broken wishes; IRREALISABLE when infeasibility is proven, or when the
    time was too short to find anything, which ``impossible`` and the remarks tell apart.
    """
    vue = make_vue(problem)
    debut = _start(problem, depart)
    if problem.modele in (Modele.CENTRE, Modele.CENTRE_PUIS_MEDIANE):
        return _center(vue, stop, seed, progress, debut)
    suivi = Suivi(vue, stop, seed, progress)
    if debut is not None:
        suivi.offer(debut[0], debut[1])
    faisable = _solve(vue, suivi, stop, seed)
    if not suivi.found and faisable is None:
        debut = first_answer(vue)
        if debut is not None:
            suivi.offer(debut[0], debut[1])
    if suivi.found:
        return suivi.solution()
    return _nothing(vue, stop, seed, faisable)


def _solve(vue: Vue, suivi: Suivi, stop: Arret, seed: int) -> bool | None:
    """Fill ``suivi``; false when nothing is feasible, None when not known."""
    if vue.probleme.capacites is not Capacites.AUCUNE:
        return solve_capacities(vue, suivi, stop, seed)
    if vue.plain and vue.probleme.modele is not Modele.COUVERTURE_TOTALE:
        return solve_plain(vue, suivi, stop, seed)
    return solve_rules(vue, suivi, stop, seed)


def _start(problem: Problem, depart: Solution | None) -> tuple[NDArray[np.int64], Flux] | None:
    """An earlier answer made one of this problem, None where it cannot be."""
    if depart is None or not len(depart.niveaux) or depart.niveaux.max() >= problem.n_niveaux:
        return None
    niveaux = depart.niveaux.astype(np.int64)
    if problem.capacites is Capacites.AUCUNE:
        flux = nearest_flows(problem, niveaux)
    elif len(depart.demande) and depart.demande.max() >= problem.n_demandes:
        return None
    else:
        # Who weighs nothing here may have had a flow, under other rules or weights.
        pese = weights(problem)[depart.demande] > 0
        flux = Flux(depart.demande[pese], depart.niveau[pese], depart.part[pese])
    return (niveaux, flux) if satisfies(problem, niveaux, flux) else None


def _center(
    vue: Vue, stop: Arret, seed: int, progress: Progres, debut: tuple[NDArray[np.int64], Flux] | None
) -> Solution:
    problem = vue.probleme
    suivi = Suivi(vue, stop, seed, progress)
    suivi.say("Recherche du plus petit temps maximal")
    sans_capacite = problem.capacites is Capacites.AUCUNE
    depart: tuple[NDArray[np.int64], F64 | None] | None = None
    if debut is not None:
        depart = np.flatnonzero(np.isin(vue.niveau, debut[0])), None if sans_capacite else shares_of(vue, debut[1])

    def better(niveaux: NDArray[np.int64], part: F64 | None, rayon: float, borne: float) -> None:
        flux = None if part is None else flows_of(vue, part)
        if problem.modele is Modele.CENTRE:
            suivi.offer(vue.niveau[niveaux], flux, cout=rayon)
            suivi.bound(borne)
            progress(None, suivi.message, rayon, borne)
        elif progress is not silent:
            # The least radius comes first: any answer of a smaller one is better, whatever its other minutes.
            atteint = make_solution(problem, vue.niveau[niveaux], None, seed=seed, flux=flux, rayon_borne=borne)
            progress(None, suivi.message, rayon, borne, atteint)

    trouve = solve_center(vue, stop, seed, better, depart)
    if not np.isfinite(trouve.rayon):
        if debut is None and not np.isinf(trouve.borne):
            debut = first_answer(vue)
        if debut is not None:
            borne = trouve.borne if problem.modele is Modele.CENTRE else None
            return make_solution(problem, debut[0], borne, seed=seed, flux=debut[1], rayon_borne=trouve.borne)
        return _nothing(vue, stop, seed, False if np.isinf(trouve.borne) else None)
    niveaux = vue.niveau[trouve.niveaux]
    flux = None if trouve.part is None else flows_of(vue, trouve.part)
    rayon = make_solution(
        problem,
        niveaux,
        trouve.borne if problem.modele is Modele.CENTRE else None,
        seed=seed,
        flux=flux,
        rayon_borne=trouve.borne,
        iterations=trouve.iterations,
        trace=suivi.trace,
    )
    if problem.modele is Modele.CENTRE:
        return rayon
    return _median_within(problem, rayon, trouve.borne, stop, seed, progress)


def _median_within(
    problem: Problem, rayon: Solution, borne: float, stop: Arret, seed: int, progress: Progres
) -> Solution:
    """Second step of the lexicographic model: the best median among the answers of this radius."""
    plus_loin = rayon.parties.rayon
    # Rounding apart, no longer than the radius: what is granted to a threshold would let another radius in.
    limite = max(0.0, plus_loin - TOLERANCE_MINUTES + ARRONDI_MINUTES)
    prix = problem.minutes_non_servi
    second = replace(
        problem,
        modele=Modele.MEDIANE,
        minutes_max=limite if problem.minutes_max is None else min(limite, problem.minutes_max),
        minutes_non_servi=None if prix is not None and plus_loin < prix else prix,
    )
    vue = make_vue(second)

    def complete(trouve: Suivi) -> Solution:
        """The best answer to the second step, as one of the whole problem."""
        return make_solution(
            problem,
            trouve.niveaux,
            trouve.borne if np.isfinite(trouve.borne) else None,
            seed=seed,
            # Without capacity flows follow from the open levels, those of demands without weight too.
            flux=trouve.flux if problem.capacites is not Capacites.AUCUNE else None,
            rayon_borne=borne,
            iterations=rayon.bilan.iterations + trouve.iterations,
            trace=trouve.trace,
        )

    def tell(
        fraction: float | None,
        message: str,
        best: float | None = None,
        bound: float | None = None,
        solution: object | None = None,
    ) -> None:
        progress(fraction, message, best, bound, None if solution is None else complete(suivi))

    suivi = Suivi(vue, stop, seed, silent if progress is silent else tell)
    suivi.offer(rayon.niveaux, Flux(rayon.demande, rayon.niveau, rayon.part))
    if not stop.reached():
        _solve(vue, suivi, stop, seed)
    return complete(suivi)


def _nothing(vue: Vue, stop: Arret, seed: int, faisable: bool | None) -> Solution:
    if faisable is False:
        causes, relaxations = explain(vue, stop, seed)
        return no_solution(vue.probleme, causes, relaxations, seed=seed, impossible=True)
    cause = "Aucune réponse trouvée dans le temps accordé, sans preuve qu'il n'y en a pas : donnez plus de temps."
    return no_solution(vue.probleme, [cause], [], seed=seed, impossible=False)
