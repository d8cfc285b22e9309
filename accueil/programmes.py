"""Problems with further rules, as programs: radius or cover rows without capacity, couples with capacities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from territoires.calcul import Arret

from .capacites import Programme, capacity_program, point_of, shares_at
from .echange import I8
from .evaluation import Flux, nearest_flows, proven, satisfies
from .listes import (
    LISTES_ENTIERES,
    conclude,
    cut_lists,
    fixed,
    gap_of,
    listen,
    median_on_lists,
    open_array,
    whole_bound,
)
from .mip import Verdict
from .moteur import prepare, solve_mip
from .multiplicateurs import solve_priced
from .probleme import F64, Capacites, Modele
from .rayons import cover_program
from .source_unique import applies, prepare_single
from .suivi import Suivi, flows_of, shares_of
from .voie_directe import core_costs, empty_cost, locks, make_noyau
from .vue import Vue


def solve_rules(vue: Vue, suivi: Suivi, stop: Arret, seed: int) -> bool | None:
    """No capacity, further rules, or set cover. Fill ``suivi``; false when nothing is feasible, None = not known."""
    if vue.n * vue.m > LISTES_ENTIERES // 4:
        prepare()
    if vue.probleme.modele is Modele.MEDIANE:
        return _median(vue, suivi, stop, seed)
    programme = cover_program(vue)
    suivi.say("Recherche d'une couverture")
    gap = gap_of(vue, suivi.cout)
    point = None
    if suivi.found:
        point = np.zeros(len(programme.mip.cout))
        point[programme.y] = open_array(vue, suivi)
    reponse = solve_mip(
        programme.mip, stop, gap_abs=gap, depart=point, ecoute=listen(vue, suivi, programme.y, gap), seed=seed
    )
    return conclude(vue, suivi, reponse, programme.y, gap)


def _median(vue: Vue, suivi: Suivi, stop: Arret, seed: int) -> bool | None:
    """Relaxed core, then the radius program on lists cut by its multipliers, enlarged while they bind."""
    listes, verrou = _relaxed(vue, suivi, stop, seed)
    if suivi.found and proven(suivi.cout, suivi.borne):
        return True
    if suivi.found and stop.reached(suivi.iterations):
        return True
    suivi.say("Preuve par programme")
    return median_on_lists(vue, suivi, verrou, listes, gap_of(vue, suivi.cout), stop, seed)


def _relaxed(vue: Vue, suivi: Suivi, stop: Arret, seed: int) -> tuple[F64, I8]:
    """Solve with the further rules at a price: a bound, answers; returns where lists may be cut (n,), locks (m,)."""
    verrou = locks(vue)
    sites_requis = np.unique(vue.site[verrou > 0])
    # With several levels a site the lock says only that one of them is open.
    several = len(vue.sites) < vue.m
    if several:
        verrou[:] = 0
    p_min = max(vue.probleme.sites_min, int((verrou > 0).sum()), 1)
    p_max = len(vue.sites) if vue.probleme.sites_max is None else min(vue.sites_max, vue.m)
    infini = np.full(vue.n, np.inf)
    if not vue.n or p_max < p_min or len(sites_requis) > p_max:
        return infini, np.zeros(vue.m, dtype=np.int8)
    cout, _ = core_costs(vue)
    vide = np.inf
    rien = np.zeros(0, dtype=np.int64)
    if satisfies(vue.probleme, rien, nearest_flows(vue.probleme, rien)):
        vide = empty_cost(vue) + vue.probleme.equite_poids
        suivi.offer(rien)
    noyau = make_noyau(vue, cout, verrou, p_min, p_max)
    u, verrou = solve_priced(vue, noyau, suivi, vide, stop, seed)
    return cut_lists(vue, suivi, u), verrou


def solve_capacities(vue: Vue, suivi: Suivi, stop: Arret, seed: int) -> bool | None:
    """Any model with capacities but the radius. Fill ``suivi``; false when nothing is feasible, None when not known."""
    if vue.n * vue.m > LISTES_ENTIERES // 20:
        prepare()
    suivi.say("Répartition entre les sites selon leur capacité")
    verrou, pendant = None, None
    gap = gap_of(vue, suivi.cout)
    if applies(vue):
        preparation = prepare_single(vue, suivi, stop, seed, gap)
        if preparation.irrealisable:
            return False
        suivi.bound(min(whole_bound(suivi.borne, gap), suivi.cout))
        if suivi.found and proven(suivi.cout, suivi.borne):
            return True
        if suivi.found and stop.reached(suivi.iterations):
            return True
        verrou = preparation.verrou
        if vue.probleme.capacites is Capacites.UNIQUE and stop.seconds is not None:
            # Where the clock decides anyway: whole demands are harder to place than to bound.
            pendant = preparation.encore
        gap = gap_of(vue, suivi.cout)
        if vue.probleme.capacites is Capacites.PARTAGEE and suivi.found:
            _share(vue, suivi, open_array(vue, suivi), stop, seed)
    garde = None if verrou is None else np.broadcast_to(verrou >= 0, (vue.n, vue.m))
    programme = capacity_program(vue, garde=garde)
    mip = programme.mip if verrou is None else fixed(programme.mip, programme.y, verrou)
    # What the locks leave out is no better than the best answer less the gap.
    plafond = suivi.cout if gap > 0.5 or verrou is None else suivi.cout - gap
    point = None
    if suivi.found and suivi.flux is not None:
        point = point_of(programme, open_array(vue, suivi) > 0, shares_of(vue, suivi.flux), len(mip.cout))

    def better(x: F64 | None, objectif: float, borne: float) -> None:
        if x is not None:
            suivi.propose(*_answer(vue, programme, x))
        suivi.bound(min(whole_bound(borne, gap), suivi.cout, plafond))

    reponse = solve_mip(mip, stop, gap_abs=gap, depart=point, ecoute=better, seed=seed, pendant=pendant)
    suivi.iterations += 1 + reponse.noeuds
    if reponse.verdict is Verdict.IRREALISABLE:
        if suivi.found:
            suivi.bound(min(plafond, suivi.cout))
        return suivi.found
    refuse = reponse.x is not None and not suivi.propose(*_answer(vue, programme, reponse.x))
    if refuse and reponse.x is not None and vue.probleme.capacites is Capacites.PARTAGEE:
        # Its sites may be good: once they are fixed, shares are told more finely.
        _share(vue, suivi, (reponse.x[programme.y] > 0.5).astype(np.int8), stop, seed)
    better(None, reponse.objectif, reponse.borne)
    return True if suivi.found else None


def _share(vue: Vue, suivi: Suivi, ouvert: I8, stop: Arret, seed: int) -> None:
    """The best shares between these open levels (m,): a transport problem."""
    programme = capacity_program(vue, garde=np.broadcast_to(ouvert > 0, (vue.n, vue.m)))
    verrou = np.where(ouvert > 0, 1, -1).astype(np.int8)
    reponse = solve_mip(fixed(programme.mip, programme.y, verrou), stop, seed=seed)
    if reponse.x is not None:
        suivi.propose(*_answer(vue, programme, reponse.x))


def _answer(vue: Vue, programme: Programme, x: F64) -> tuple[NDArray[np.int64], Flux]:
    return vue.niveau[x[programme.y] > 0.5], flows_of(vue, shares_at(vue, programme, x))
