"""Problems of the uncapacitated core: p-median and maximal cover with states and a number of sites, no other rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from territoires.calcul import Arret

from .coeur import Noyau, Trouve, solve_core, whole
from .echange import F64, I8
from .evaluation import PREUVE
from .listes import conclude, cut_lists, fixed, gap_of, listen, median_on_lists, open_array
from .mip import Verdict
from .moteur import prepare, solve_mip
from .probleme import Etat, Modele
from .rayons import cover_program, reachable
from .suivi import Suivi
from .vue import Vue

#: Slices of branch and bound (20 to 40 ms each) before a program takes over, which cuts fractional answers better: of
#: covers, and of a p-median whose forbidden couples make it nearly one.
TRANCHES_COUVERTURE, TRANCHES_INTERDITS = 10, 60


def solve_plain(vue: Vue, suivi: Suivi, stop: Arret, seed: int) -> bool | None:
    """Fill ``suivi``; false when nothing is feasible, None when not known, true otherwise."""
    verrou = locks(vue)
    p_min, p_max = max(vue.probleme.sites_min, int((verrou > 0).sum())), vue.sites_max
    if p_max < p_min:
        return False
    if not vue.n or not p_max:
        return _trivial(vue, suivi, verrou, p_min, p_max)
    couverture = vue.probleme.modele is Modele.COUVERTURE_MAX
    cout, interdit = core_costs(vue)
    vide = empty_cost(vue) if p_min == 0 else np.inf
    if np.isfinite(vide):
        suivi.offer(np.zeros(0, dtype=np.int64), cout=vide)
    noyau = replace(make_noyau(vue, cout, verrou, max(p_min, 1), p_max), interdit=interdit)
    depart = open_array(vue, suivi) if suivi.found and len(suivi.niveaux) else None
    if depart is None and np.isfinite(interdit):
        depart, irrealisable = _feasible_start(vue, stop, seed)
        if depart is None:
            return False if irrealisable else None
    suivi.say("Recherche des meilleurs sites")

    def better(ouvert: I8, valeur: float, borne: float) -> None:
        if valeur < interdit:
            suivi.offer(vue.niveau[ouvert > 0], cout=valeur)
        suivi.bound(min(borne, vide))

    tranches = TRANCHES_COUVERTURE if couverture else TRANCHES_INTERDITS if np.isfinite(interdit) else None
    trouve = solve_core(noyau, stop, seed, better, depart=depart, tranches=tranches)
    suivi.iterations += trouve.iterations
    suivi.bound(min(trouve.proven(noyau), vide))
    if tranches is not None and not trouve.closed(noyau) and not stop.reached(suivi.iterations):
        _finish(vue, suivi, trouve, noyau, stop, seed)
    return True if suivi.found else None


def locks(vue: Vue) -> I8:
    """Levels (m,) of required sites at 1; at most one level a site (see `Vue.plain`)."""
    return np.where(vue.probleme.etat[vue.site] == Etat.REQUIS, 1, 0).astype(np.int8)


def core_costs(vue: Vue) -> tuple[F64, float]:
    """Costs (m, n) of the core, and the price of what is forbidden (inf when nothing is)."""
    if vue.probleme.modele is Modele.COUVERTURE_MAX:
        return np.ascontiguousarray((~vue.couvre * vue.poids[:, None]).T), np.inf
    minutes = reachable(vue)
    cout = minutes * vue.poids[:, None]
    absent = np.isinf(cout)
    prix = vue.probleme.minutes_non_servi
    interdit = np.inf
    if absent.any():
        if prix is not None:
            cout[absent] = np.broadcast_to((vue.poids * prix)[:, None], cout.shape)[absent]
        else:
            # Dearer than any answer that serves everybody.
            interdit = 1.0 + float(np.where(absent, 0.0, cout).max(axis=1).sum()) + float(np.abs(vue.fixe).sum())
            cout[absent] = interdit
    return np.ascontiguousarray(cout.T), interdit


def empty_cost(vue: Vue) -> float:
    """Objective when nothing is open and nobody is served, inf where somebody must be."""
    if vue.probleme.modele is Modele.COUVERTURE_MAX:
        return float(vue.poids.sum())
    prix = vue.probleme.minutes_non_servi
    return float("inf") if prix is None else float(vue.poids.sum()) * prix


def make_noyau(vue: Vue, cout: F64, verrou: I8, p_min: int, p_max: int) -> Noyau:
    """The core's data; whole costs make the next better answer one unit better."""
    entier = whole(cout) and whole(vue.fixe) and cout.sum(axis=1).max(initial=0.0) < 2**50
    marge = 1.0 - 1e-6 if entier else margin_of(cout)
    return Noyau(cout, np.ascontiguousarray(vue.fixe), verrou, p_min, p_max, marge, entier)


def margin_of(cout: F64) -> float:
    """Difference of objectives that counts as proven under costs (m, n) that are not whole."""
    return 0.4 * PREUVE * max(1.0, float(cout.min(axis=0).sum()))


def _trivial(vue: Vue, suivi: Suivi, verrou: I8, p_min: int, p_max: int) -> bool:
    """Nobody to serve, or nothing to open: the fewest, cheapest sites."""
    if vue.n and vue.probleme.modele is Modele.MEDIANE and vue.probleme.minutes_non_servi is None:
        return False
    ouvert = verrou.copy()
    for j in np.argsort(vue.fixe, kind="stable"):
        if ouvert.sum() >= p_min:
            break
        ouvert[j] = 1
    suivi.offer(vue.niveau[ouvert > 0])
    suivi.bound(suivi.cout)
    return True


def _feasible_start(vue: Vue, stop: Arret, seed: int) -> tuple[I8 | None, bool]:
    """A set of sites that reaches everybody, when not all sites do; None with true where there is proven to be none.

    None with false says nothing: the time was too short, or the process that looked for it died.
    """
    programme = cover_program(vue, rayon=float(vue.minutes[np.isfinite(vue.minutes)].max(initial=0.0)))
    reponse = solve_mip(programme.mip, stop, seed=seed)
    if reponse.x is None:
        return None, reponse.verdict is Verdict.IRREALISABLE
    return (reponse.x[programme.y] > 0.5).astype(np.int8), False


def _finish(vue: Vue, suivi: Suivi, trouve: Trouve, noyau: Noyau, stop: Arret, seed: int) -> None:
    """The problem as a program on the sites that the bound left free."""
    prepare()
    suivi.say("Preuve par programme")
    gap = gap_of(vue, suivi.cout)
    # The locks leave out nothing better than the best answer by more than the margin.
    marge = 0.0 if noyau.entier else noyau.marge
    if vue.probleme.modele is Modele.MEDIANE:
        median_on_lists(vue, suivi, trouve.verrou, cut_lists(vue, suivi, trouve.u), gap, stop, seed, marge)
        return
    programme = cover_program(vue)
    mip = fixed(programme.mip, programme.y, trouve.verrou)
    point = np.zeros(len(mip.cout))
    point[programme.y] = trouve.ouvert
    reponse = solve_mip(
        mip, stop, gap_abs=gap, depart=point, ecoute=listen(vue, suivi, programme.y, gap, marge), seed=seed
    )
    conclude(vue, suivi, reponse, programme.y, gap, marge)
