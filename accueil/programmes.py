"""Problems with further rules, as programs: radius or cover rows without capacity, couples with capacities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from territoires.calcul import Arret

from .capacites import Programme, capacity_program, point_of, shares_at
from .coeur import whole
from .echange import I8
from .evaluation import Flux, nearest_flows, proven, satisfies
from .mip import Reponse, Verdict
from .moteur import Ecoute, prepare, solve_mip
from .multiplicateurs import solve_priced
from .probleme import F64, TOLERANCE_MINUTES, Capacites, Modele
from .rayons import cover_program, median_program, reachable
from .source_unique import applies, prepare_single
from .suivi import Suivi, flows_of, shares_of
from .voie_directe import core_costs, empty_cost, fixed, locks, make_noyau, open_array
from .vue import Vue

#: Seconds of branch and bound given to the problem without its further rules.
RELACHE_S = 0.5
#: Couples up to which lists are not cut.
LISTES_ENTIERES = 20_000
#: Sites kept in a list beyond the multiplier.
AU_DELA = 3
#: Times that cut lists are enlarged before they are given whole.
AGRANDIR = 6


def gap_of(vue: Vue, cout: float) -> float:
    """Difference of objectives that counts as proven: nearly one unit where every answer is a whole number."""
    problem = vue.probleme
    if problem.equite_poids == 0 and problem.capacites is not Capacites.PARTAGEE and whole(vue.fixe):
        if problem.modele is Modele.COUVERTURE_TOTALE:
            return 0.999
        if problem.modele is Modele.COUVERTURE_MAX and whole(vue.poids):
            return 0.999
        if problem.modele is Modele.MEDIANE:
            minutes = vue.minutes[np.isfinite(vue.minutes)]
            prix = problem.minutes_non_servi
            if whole(minutes) and whole(vue.poids) and (prix is None or float(prix).is_integer()):
                return 0.999
    return 2e-7 * max(1.0, abs(cout) if np.isfinite(cout) else 1.0)


def whole_bound(borne: float, gap: float) -> float:
    """A bound rounded up where answers are whole numbers (``gap`` says so)."""
    return float(np.ceil(borne - 1e-5)) if gap > 0.5 and np.isfinite(borne) else borne


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
        programme.mip, stop, gap_abs=gap, depart=point, ecoute=_listen(vue, suivi, programme.y, gap), seed=seed
    )
    return _conclude(vue, suivi, reponse, programme.y, gap)


def _listen(vue: Vue, suivi: Suivi, y: NDArray[np.int64], gap: float) -> Ecoute:
    def better(x: F64 | None, objectif: float, borne: float) -> None:
        if x is not None:
            suivi.propose(vue.niveau[x[y] > 0.5])
        suivi.bound(min(whole_bound(borne, gap), suivi.cout))

    return better


def _conclude(vue: Vue, suivi: Suivi, reponse: Reponse, y: NDArray[np.int64], gap: float) -> bool | None:
    suivi.iterations += 1 + reponse.noeuds
    if reponse.verdict is Verdict.IRREALISABLE:
        return suivi.found
    if reponse.x is not None:
        suivi.propose(vue.niveau[reponse.x[y] > 0.5])
    suivi.bound(min(whole_bound(reponse.borne, gap), suivi.cout))
    return True if suivi.found else None


def _median(vue: Vue, suivi: Suivi, stop: Arret, seed: int) -> bool | None:
    """Relaxed core, then the radius program on lists cut by its multipliers, enlarged while they bind."""
    limites: F64 | None
    limites, verrou = _relaxed(vue, suivi, stop, seed)
    gap = gap_of(vue, suivi.cout)
    if suivi.found and proven(suivi.cout, suivi.borne):
        return True
    suivi.say("Preuve par programme")
    minutes = reachable(vue)
    for essai in range(AGRANDIR + 1):
        if essai == AGRANDIR or vue.n * vue.m <= LISTES_ENTIERES:
            limites = None
        programme = median_program(vue, limites)
        mip = fixed(programme.mip, programme.y, verrou)
        point = None
        if suivi.found:
            point = np.zeros(len(mip.cout))
            point[programme.y] = open_array(vue, suivi)
        reponse = solve_mip(
            mip,
            stop,
            gap_abs=gap,
            depart=point,
            ecoute=_listen(vue, suivi, programme.y, gap),
            seed=seed,
        )
        faisable = _conclude(vue, suivi, reponse, programme.y, gap)
        if reponse.verdict is not Verdict.OPTIMAL or limites is None or proven(suivi.cout, suivi.borne):
            return faisable
        assert reponse.x is not None
        proche = minutes[:, reponse.x[programme.y] > 0.5].min(axis=1, initial=np.inf)
        serre = proche > limites
        suivante = np.where(minutes > limites[:, None], minutes, np.inf).min(axis=1)
        plus_loin = np.where(np.isfinite(proche), proche, 2 * suivante)
        limites = np.where(serre, np.maximum(plus_loin, suivante), limites)
    return True if suivi.found else None


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
    minutes = reachable(vue)
    triees = np.sort(minutes, axis=1)
    rang = (triees <= (u / vue.poids)[:, None]).sum(axis=1) + AU_DELA
    limites = triees[np.arange(vue.n), np.minimum(rang, vue.m) - 1]
    if suivi.found:
        limites = np.maximum(limites, minutes[:, open_array(vue, suivi) > 0].min(axis=1, initial=np.inf))
    if vue.probleme.seuil is not None and (vue.parts or vue.probleme.equite_poids > 0):
        limites = np.maximum(limites, vue.probleme.seuil + 2 * TOLERANCE_MINUTES)
    return np.asarray(limites, dtype=np.float64), verrou


def solve_capacities(vue: Vue, suivi: Suivi, stop: Arret, seed: int) -> bool | None:
    """Any model with capacities but the radius. Fill ``suivi``; false when nothing is feasible, None when not known."""
    if vue.n * vue.m > LISTES_ENTIERES // 20:
        prepare()
    suivi.say("Répartition entre les sites selon leur capacité")
    verrou = None
    gap = gap_of(vue, suivi.cout)
    if applies(vue):
        preparation = prepare_single(vue, suivi, stop, seed, gap)
        if preparation.irrealisable:
            return False
        suivi.bound(min(whole_bound(suivi.borne, gap), suivi.cout))
        if suivi.found and proven(suivi.cout, suivi.borne):
            return True
        verrou = preparation.verrou
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

    reponse = solve_mip(mip, stop, gap_abs=gap, depart=point, ecoute=better, seed=seed)
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
