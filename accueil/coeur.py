"""The uncapacitated core solved: interchange for answers, Lagrangian bound, branch and bound, in slices of time.

Answers and bound help each other: the bound's multipliers say which sites to try, a better answer fixes more sites.
Work is counted in cells of the cost matrix that are read, and cut in slices small enough for a cancellation to be seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from territoires.calcul import Arret

from .echange import F64, I8, I32, U64, descend, generator, greedy, random_open, shake, value
from .lagrangien import climb, explore, fix

#: Cells read between two looks at the stop: 20 to 40 ms.
TRANCHE = 5_000_000
#: Costs sorted between two looks at the stop.
TRI = 200_000
#: Random starts, and shakings before the bound is first asked for.
DEPARTS = 2
SECOUSSES = 12
#: Subgradient steps at the root, in all, and at a node.
PAS_RACINE = 1000
PAS_NOEUD = 40

#: Told of a better set of open sites, its value and the bound.
Ecoute = Callable[[I8, float, float], None]


@dataclass(frozen=True, eq=False)
class Noyau:
    """``cout`` (S, D) finite costs; ``fixe`` (S,); ``verrou`` (S,) int8; p_min, p_max; ``marge``: difference between
    two values of the objective that matters; ``entier``: values are whole numbers (``marge`` is then close to 1);
    ``interdit``: price in ``cout`` of couples that no answer may use (inf: there are none)."""

    cout: F64
    fixe: F64
    verrou: I8
    p_min: int
    p_max: int
    marge: float
    entier: bool = False
    interdit: float = float("inf")


@dataclass(frozen=True, eq=False)
class Trouve:
    """Best set (S,), its value, proven bound (the value itself when closed), subgradient steps and shakings done; for
    who goes on, locks and multipliers of the root, and its bound: ``rho``, choice and state as `climb` leaves them."""

    ouvert: I8
    valeur: float
    borne: float
    iterations: int
    verrou: I8
    u: F64
    rho: F64
    choix: I8
    etat: F64

    def closed(self, noyau: Noyau) -> bool:
        """Nothing better exists."""
        return self.borne > self.valeur - noyau.marge

    def proven(self, noyau: Noyau) -> float:
        """What the search proves: of whole values nothing lies between bound and answer, of others up to the margin."""
        if not self.closed(noyau):
            return self.borne
        return self.valeur if noyau.entier else self.valeur - noyau.marge


class _Recherche:
    """State of one search; every method works for about one slice."""

    def __init__(self, noyau: Noyau, stop: Arret, seed: int, ecoute: Ecoute) -> None:
        self.noyau, self.stop, self.ecoute = noyau, stop, ecoute
        self.hasard: U64 = generator(seed)
        self.s, self.d = noyau.cout.shape
        self.ouvert: I8 = np.zeros(self.s, dtype=np.int8)
        self.valeur = np.inf
        self.borne = -np.inf
        self.iterations = 0
        self.force = 1
        # A descent ends with one reading of everything that finds nothing: a slice must hold it.
        self.tranche = max(TRANCHE, 2 * noyau.cout.size)

    def done(self) -> bool:
        return self.borne > self.valeur - self.noyau.marge

    def over(self) -> bool:
        return self.done() or self.stop.reached(self.iterations, self.valeur)

    def keep(self, ouvert: I8, valeur: float) -> bool:
        if valeur >= self.valeur - 1e-9 * max(1.0, abs(self.valeur)):
            return False
        self.ouvert, self.valeur = ouvert.copy(), valeur
        self.ecoute(self.ouvert, valeur, self.borne)
        return True

    def descent(self, ouvert: I8) -> bool:
        """Local search from a set, in slices; true when it is the best so far."""
        noyau = self.noyau
        while True:
            valeur, reste = descend(
                noyau.cout, noyau.fixe, noyau.verrou, noyau.p_min, noyau.p_max, ouvert, self.hasard, self.tranche
            )
            if reste > 0 or self.stop.reached():
                break
        self.iterations += 1
        return self.keep(ouvert, valeur)

    def start(self, depart: I8 | None) -> None:
        """A given set, or a greedy one and random ones."""
        noyau = self.noyau
        ouvert = np.zeros(self.s, dtype=np.int8)
        if depart is not None:
            ouvert[:] = depart
            self.keep(ouvert, value(noyau.cout, noyau.fixe, ouvert))
            self.descent(ouvert)
            return
        random_open(noyau.verrou, noyau.p_min if noyau.fixe.any() else noyau.p_max, ouvert, self.hasard)
        if ouvert.any():
            self.keep(ouvert, value(noyau.cout, noyau.fixe, ouvert))
        ouvert[:] = noyau.verrou > 0
        if not self.greed(ouvert):
            return
        self.descent(ouvert)
        milieu = max(int(ouvert.sum()), noyau.p_min)
        for _ in range(DEPARTS):
            if self.stop.reached():
                return
            random_open(noyau.verrou, milieu, ouvert, self.hasard)
            self.descent(ouvert)

    def greed(self, ouvert: I8) -> bool:
        """The best site again and again, a few in a slice; false when stopped on the way."""
        noyau = self.noyau
        sites = max(1, TRANCHE // noyau.cout.size)
        while True:
            avant = int(ouvert.sum())
            greedy(noyau.cout, noyau.fixe, noyau.verrou, noyau.p_min, min(avant + sites, noyau.p_max), ouvert)
            if int(ouvert.sum()) < min(avant + sites, noyau.p_max) or int(ouvert.sum()) >= noyau.p_max:
                return True
            if self.stop.reached():
                return False

    def shaking(self, fois: int) -> None:
        """Swaps at random from the best set, stronger and stronger until one helps, and descents."""
        plafond = max(1, min(8, int(self.ouvert.sum()) // 2))
        for _ in range(fois):
            if self.over():
                return
            ouvert = self.ouvert.copy()
            shake(self.noyau.verrou, ouvert, self.force, self.hasard)
            self.force = 1 if self.descent(ouvert) else self.force % plafond + 1


def solve_core(
    noyau: Noyau,
    stop: Arret,
    seed: int,
    ecoute: Ecoute,
    *,
    depart: I8 | None = None,
    tranches: int | None = None,
) -> Trouve:
    """Solve the core until closed, until ``stop`` or, past the root bound, for so many ``tranches`` of branch and bound
    (`TRANCHE`; None = no such limit). The locks must leave a feasible count."""
    r = _Recherche(noyau, stop, seed, ecoute)
    if not len(noyau.fixe) or not r.d:
        ouvert = (noyau.verrou > 0).astype(np.int8)
        libres = np.flatnonzero(noyau.verrou == 0)
        manque = max(0, noyau.p_min - int(ouvert.sum()))
        ouvert[libres[np.argsort(noyau.fixe[libres], kind="stable")][:manque]] = 1
        valeur = value(noyau.cout, noyau.fixe, ouvert) if r.d else float(noyau.fixe[ouvert > 0].sum())
        r.ouvert, r.valeur, r.borne = ouvert, valeur, valeur
        return _unbounded(r, noyau)
    r.start(depart)
    if depart is None:
        r.shaking(SECOUSSES)
    listes = _sorted_lists(noyau, stop)
    if listes is None:
        return _unbounded(r, noyau)
    triee, ordre = listes
    u, rho, choix, frequence, etat = _root(r, triee, ordre)
    verrou = noyau.verrou.copy()
    if not r.done():
        fix(verrou, rho, choix, etat[0], etat[3], etat[4], r.valeur, noyau.marge)
        if not stop.reached(r.iterations, r.valeur):
            _branch(r, triee, ordre, verrou, u, frequence, tranches)
    borne = r.valeur if r.done() else min(r.borne, r.valeur)
    return Trouve(r.ouvert, r.valeur, borne, r.iterations, verrou, u, rho, choix, etat)


def _unbounded(r: _Recherche, noyau: Noyau) -> Trouve:
    """What is known without multipliers."""
    etat = np.array([-np.inf, 0.0, 0.0, 0.0, 0.0])
    rien = np.zeros(r.s, dtype=np.int8)
    return Trouve(r.ouvert, r.valeur, r.borne, r.iterations, noyau.verrou, np.zeros(r.d), np.zeros(r.s), rien, etat)


def _sorted_lists(noyau: Noyau, stop: Arret) -> tuple[F64, I32] | None:
    """Costs of each demand in ascending order and their sites, (D, S); None when stopped on the way."""
    par_demande = np.ascontiguousarray(noyau.cout.T)
    d, s = par_demande.shape
    triee, ordre = np.empty((d, s)), np.empty((d, s), dtype=np.int32)
    pas = max(1, TRI // s)
    for debut in range(0, d, pas):
        if stop.reached():
            return None
        bloc = slice(debut, debut + pas)
        ordre[bloc] = np.argsort(par_demande[bloc], axis=1, kind="stable")
        triee[bloc] = np.take_along_axis(par_demande[bloc], ordre[bloc], axis=1)
    return triee, ordre


def _root(r: _Recherche, triee: F64, ordre: I32) -> tuple[F64, F64, I8, F64, F64]:
    """Climb from the costs of the best answer's second choice; answers are read from the multipliers on the way."""
    noyau = r.noyau
    mis = np.sort(noyau.cout[r.ouvert > 0], axis=0)
    u = mis[min(1, len(mis) - 1)].copy()
    # The price of what is forbidden says nothing of what serving somebody is worth.
    u = np.where(u >= noyau.interdit, 2.0 * mis[0], u)
    meilleur_u, direction = u.copy(), np.zeros(r.d)
    rho, choix, frequence = np.zeros(r.s), np.zeros(r.s, dtype=np.int8), np.zeros(r.s)
    # Bound, step factor, stale steps, thresholds to open and to close.
    etat = np.array([-np.inf, 1.5, 0.0, 0.0, 0.0])
    pas = 0
    while pas < PAS_RACINE and etat[1] > 5e-4 and not r.over():
        fait, _ = climb(
            triee, ordre, noyau.fixe, noyau.verrou, noyau.p_min, noyau.p_max, u, direction, etat, r.valeur, noyau.marge,
            min(200, PAS_RACINE - pas), 25, meilleur_u, rho, choix, frequence, TRANCHE,
        )  # fmt: skip
        if not fait:
            break
        pas += fait
        r.iterations += fait
        r.borne = max(r.borne, float(etat[0]))
        if r.done():
            break
        if choix.any():
            r.descent(choix.copy())
        r.ecoute(r.ouvert, r.valeur, r.borne)
    return meilleur_u, rho, choix, frequence, etat


def _branch(r: _Recherche, triee: F64, ordre: I32, verrou: I8, u: F64, frequence: F64, tranches: int | None) -> None:
    noyau = r.noyau
    garde = _compress(triee, ordre, verrou)
    triee, ordre = garde
    place = int((verrou == 0).sum()) + 4
    pile_verrou = np.zeros((place, r.s), dtype=np.int8)
    pile_u, pile_freq = np.zeros((place, r.d)), np.zeros((place, r.s))
    pile_borne = np.zeros(place)
    pile_verrou[0], pile_u[0], pile_freq[0], pile_borne[0] = verrou, u, frequence, r.borne
    taille = 1
    racine = r.borne
    faites = 0
    while taille and not r.over() and (tranches is None or faites < tranches):
        faites += 1
        ouvert, valeur = r.ouvert.copy(), r.valeur
        taille, valeur, noeuds, pas = explore(
            triee, ordre, noyau.cout, noyau.fixe, noyau.p_min, noyau.p_max, pile_verrou, pile_u, pile_borne, pile_freq,
            taille, ouvert, valeur, noyau.marge, PAS_NOEUD, TRANCHE,
        )  # fmt: skip
        r.iterations += noeuds + pas
        r.keep(ouvert, valeur)
        if not taille:
            r.borne = r.valeur
            break
        # Nodes closed on the way may hold values better by the margin.
        fermes = r.valeur if noyau.entier else r.valeur - noyau.marge
        r.borne = max(r.borne, racine, min(float(pile_borne[:taille].min()), fermes))
        r.ecoute(r.ouvert, r.valeur, r.borne)
        # A tree that lasts may lack a better answer: a quarter of the time goes to looking for one.
        r.shaking(max(1, TRANCHE // (4 * 6 * r.s * r.d)))


def _compress(triee: F64, ordre: I32, verrou: I8) -> tuple[F64, I32]:
    """Lists without the sites closed for good: reading them costs."""
    reste = verrou >= 0
    if reste.all():
        return triee, ordre
    dedans = reste[ordre]
    d = len(triee)
    return np.ascontiguousarray(triee[dedans].reshape(d, -1)), np.ascontiguousarray(ordre[dedans].reshape(d, -1))


def whole(valeurs: NDArray[np.float64]) -> bool:
    """True when every value is a whole number."""
    return bool(np.all(valeurs == np.round(valeurs)))
