"""Problems of the uncapacitated core: p-median and maximal cover with states and a number of sites, no other rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from territoires.calcul import Arret

from .coeur import Noyau, Trouve, solve_core, whole
from .echange import F64, I8
from .evaluation import PREUVE
from .mip import Mip, Verdict
from .moteur import prepare, solve_mip
from .probleme import Etat, Modele
from .rayons import cover_program, median_program, reachable
from .suivi import Suivi
from .vue import Vue

#: Seconds of branch and bound before a program takes over, where it cuts fractional answers better: maximal cover, and
#: p-median where many couples are forbidden, which is a cover too.
ARBRE_COUVERTURE_S = 0.3


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
    noyau = make_noyau(vue, cout, verrou, max(p_min, 1), p_max)
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

    borne_arbre = ARBRE_COUVERTURE_S if couverture or np.isfinite(interdit) else float("inf")
    trouve = solve_core(noyau, stop, seed, better, depart=depart, seconds=borne_arbre)
    suivi.iterations += trouve.iterations
    suivi.bound(min(proven_bound(trouve, noyau), vide))
    if np.isfinite(borne_arbre) and not trouve.closed(noyau) and not stop.reached():
        _finish(vue, suivi, trouve, noyau, vide, stop, seed)
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
    marge = 1.0 - 1e-6 if entier else 0.4 * PREUVE * max(1.0, float(cout.min(axis=0).sum()))
    return Noyau(cout, np.ascontiguousarray(vue.fixe), verrou, p_min, p_max, marge)


def proven_bound(trouve: Trouve, noyau: Noyau) -> float:
    """What the search proves: of whole values nothing lies between bound and answer, of others up to the margin."""
    if not trouve.closed(noyau):
        return trouve.borne
    return trouve.valeur if noyau.marge > 0.5 and whole(noyau.cout) else trouve.valeur - noyau.marge


def open_array(vue: Vue, suivi: Suivi) -> I8:
    """Levels (m,) of the best answer."""
    return np.isin(vue.niveau, suivi.niveaux).astype(np.int8)


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


def fixed(mip: Mip, y: NDArray[np.int64], verrou: I8) -> Mip:
    """The program with levels locked open (1) or closed (-1)."""
    bas, haut = mip.bas.copy(), mip.haut.copy()
    bas[y[verrou > 0]] = 1.0
    haut[y[verrou < 0]] = 0.0
    return Mip(
        mip.cout, bas, haut, mip.entier, mip.debut, mip.colonne, mip.valeur, mip.ligne_bas, mip.ligne_haut,
        mip.constante,
    )  # fmt: skip


def _finish(vue: Vue, suivi: Suivi, trouve: Trouve, noyau: Noyau, vide: float, stop: Arret, seed: int) -> None:
    """The problem as a program on the sites that the bound left free; ``vide``: cost of opening nothing."""
    prepare()
    suivi.say("Preuve par programme")
    couverture = vue.probleme.modele is Modele.COUVERTURE_MAX
    programme = cover_program(vue) if couverture else median_program(vue)
    mip = fixed(programme.mip, programme.y, trouve.verrou)
    point = np.zeros(len(mip.cout))
    point[programme.y] = trouve.ouvert
    gap = min(noyau.marge, 0.999)

    def better(x: F64 | None, objectif: float, borne: float) -> None:
        if x is not None:
            suivi.offer(vue.niveau[x[programme.y] > 0.5])
        suivi.bound(min(borne, suivi.cout, vide))

    reponse = solve_mip(mip, stop, gap_abs=gap, depart=point, ecoute=better, seed=seed)
    suivi.iterations += reponse.noeuds
    better(reponse.x, reponse.objectif, -np.inf)
    # The locks leave out nothing better than the best answer by more than the margin.
    dehors = suivi.cout - (0.0 if gap > 0.5 else gap)
    if reponse.verdict is Verdict.OPTIMAL and gap > 0.5:
        suivi.bound(min(suivi.cout, vide))
    elif reponse.verdict is Verdict.IRREALISABLE:
        suivi.bound(min(dehors, vide))
    else:
        suivi.bound(min(reponse.borne, dehors, vide))
