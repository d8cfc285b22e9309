"""Capacities with no other rule than states and a number of sites: p-median or facility location.

Bound: the assignment constraints relaxed, each site solves a knapsack (Beasley, EJOR 1993; Pirkul 1987), subgradient
steps. Answers: from the multipliers, iterated local search (shifts, exchanges, moves of sites). The program of
`accueil.capacites` then starts from the best answer, on the sites that the bound left free. Where demands may be
shared, knapsacks are of shares, and answers that share nothing are still answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from territoires.calcul import Arret

from .echange import F64, I8, I32, generator, random_open
from .probleme import Capacites, Etat, Modele
from .sacs import ENTIER, PARTAGE, RELACHE, assign_all, climb_sacs, improve, total_cost
from .secousses import perturb
from .suivi import Suivi, flows_of
from .vue import Vue

#: Largest capacity for which a knapsack is solved exactly, and most cells of one step.
CAPACITE_DP = 20_000
CELLULES_DP = 200_000_000
#: Subgradient steps, and local searches after each part of them.
PARTIES, PAS = 40, 25
SECOUSSES = 150
#: Couples left under which the program of shared demands, whose relaxation is tight, is quicker than more steps.
COUPLES_PARTAGES = 30_000
#: A walk may be so much worse than the best, and returns to it after so many steps without a better one.
ECART, EGARE = 0.01, 30


@dataclass(frozen=True, eq=False)
class Preparation:
    """What the bound leaves: locks of levels (m,), whether infeasibility is proven, and a little more local search for
    who waits for a program to end."""

    verrou: I8
    irrealisable: bool
    encore: Callable[[], None]


def applies(vue: Vue) -> bool:
    """Whether the problem is of this kind."""
    problem = vue.probleme
    return (
        problem.capacites is not Capacites.AUCUNE
        and problem.modele is Modele.MEDIANE
        and problem.minutes_non_servi is None
        and vue.n > 0
        and vue.m > 0
        and bool(np.isfinite(vue.minutes).all())
        and len(vue.sites) == vue.m
        and problem.budget_ouverture is None
        and problem.budget_annuel is None
        and not vue.parts
        and problem.equite_poids == 0
        and (problem.sites_min_groupe is None or not problem.sites_min_groupe.any())
    )


def prepare_single(vue: Vue, suivi: Suivi, stop: Arret, seed: int, gap: float) -> Preparation:
    """Bound and answers into ``suivi``; sites that the bound locks."""
    r = _Recherche(vue, suivi, stop, seed)
    if r.p_max < r.p_min:
        return Preparation(r.verrou, True, r.shake)
    r.start()
    r.run(gap)
    return Preparation(r.locks(gap), False, r.shake)


class _Recherche:
    def __init__(self, vue: Vue, suivi: Suivi, stop: Arret, seed: int) -> None:
        self.vue, self.suivi, self.stop = vue, suivi, stop
        problem = vue.probleme
        self.cout = np.ascontiguousarray((vue.minutes * vue.poids[:, None]).T)
        self.fixe = np.ascontiguousarray(vue.fixe)
        self.vol = np.ascontiguousarray(vue.volume)
        # More room than everybody takes is no limit.
        self.cap = np.minimum(vue.capacite, self.vol.sum())
        self.verrou = np.where(problem.etat[vue.site] == Etat.REQUIS, 1, 0).astype(np.int8)
        self.p_min, self.p_max = max(problem.sites_min, int((self.verrou > 0).sum()), 1), vue.sites_max
        entiers = bool(np.all(self.vol == np.round(self.vol)))
        petit = float(self.cap.max()) <= CAPACITE_DP and vue.n * float(self.cap.sum()) <= CELLULES_DP
        if problem.capacites is Capacites.PARTAGEE:
            self.sorte = PARTAGE
        else:
            self.sorte = ENTIER if entiers and petit else RELACHE
        if self.sorte == ENTIER:
            self.cap = np.floor(self.cap)
        self.hasard = generator(seed)
        # Dearer per unit of volume than any detour: no overload is worth it.
        positifs = self.vol[self.vol > 0]
        self.peine_max = 2.0 * float(self.cout.max(initial=1.0)) / max(float(positifs.min(initial=1.0)), 1e-9)
        self.peine = self.peine_max
        self.meilleur = np.inf
        self.courant: tuple[float, I8, I32, F64] | None = None
        n, m = vue.n, vue.m
        self.u, self.direction, self.meilleur_u = np.zeros(n), np.zeros(n), np.zeros(n)
        self.rho, self.choix = np.zeros(m), np.zeros(m, dtype=np.int8)
        # Bound, step factor, stale steps, thresholds to open and to close, infeasible.
        self.etat = np.array([-np.inf, 1.5, 0.0, 0.0, 0.0, 0.0])

    def start(self) -> None:
        """First answers: a random set, and multipliers from the costs."""
        ouvert = np.zeros(self.vue.m, dtype=np.int8)
        voulu = max(self.p_min, min(self.p_max, self._needed()))
        random_open(self.verrou, voulu, ouvert, self.hasard)
        self.search(ouvert)
        triees = np.sort(self.cout, axis=0)
        self.u[:] = triees[min(len(triees) - 1, 2)] + self.fixe.mean() * self.vol / max(self.vol.mean(), 1e-9) * 0.1
        self.meilleur_u[:] = self.u

    def _needed(self) -> int:
        """Fewest sites, the largest ones, that hold everybody, and one more."""
        place = np.cumsum(np.sort(self.cap)[::-1])
        return int(np.searchsorted(place, self.vol.sum())) + 2

    def over(self) -> bool:
        """Time to return the best answer."""
        return self.stop.reached(self.suivi.iterations, self.suivi.cout)

    def search(self, ouvert: I8) -> None:
        """Assignment and local search on a set of sites."""
        affecte, charge = np.zeros(self.vue.n, dtype=np.int32), np.zeros(self.vue.m)
        assign_all(self.cout, self.vol, self.cap, ouvert, affecte, charge, self.peine)
        self.polish(ouvert, affecte, charge)

    def polish(self, ouvert: I8, affecte: I32, charge: F64) -> bool:
        """Local search; keeps what is better. True when the current answer is replaced."""
        improve(self.cout, self.fixe, self.vol, self.cap, self.verrou, ouvert, affecte, charge, self.peine)
        self.suivi.iterations += 1
        total, trop = total_cost(self.cout, self.fixe, self.cap, ouvert, affecte, charge, self.peine)
        # Overload is a detour of the search: cheaper after answers without, dearer after answers with.
        self.peine = min(self.peine * (0.9 if trop == 0.0 else 1.4), self.peine_max)
        if trop == 0.0 and total < self.meilleur - 1e-9 * abs(total):
            self.meilleur = total
            self.courant = (total, ouvert.copy(), affecte.copy(), charge.copy())
            self.offer(ouvert, affecte)
            return True
        if self.courant is None:
            self.courant = (np.inf, ouvert.copy(), affecte.copy(), charge.copy())
        return False

    def offer(self, ouvert: I8, affecte: I32) -> None:
        """Tell an answer that overloads nothing."""
        vue = self.vue
        part = np.zeros((vue.n, vue.m))
        part[np.arange(vue.n), affecte] = 1.0
        charge = np.bincount(affecte, weights=vue.volume, minlength=vue.m)
        if (charge <= vue.capacite * (1 + 1e-12)).all():
            self.suivi.offer(vue.niveau[ouvert > 0], flows_of(vue, part))

    def run(self, gap: float) -> None:
        """Bound and local searches in turn."""
        for _ in range(PARTIES):
            for _ in range(PAS):
                if self.over():
                    return
                haut = self.suivi.cout if self.suivi.found else float(self.etat[0]) * 1.1 + abs(self.u).sum() * 0.05
                if not np.isfinite(haut):
                    haut = float(self.u.sum()) * 2 + 1.0
                climb_sacs(
                    self.cout, self.fixe, self.vol, self.cap, self.verrou, self.sorte, self.p_min, self.p_max, self.u,
                    self.direction, self.meilleur_u, self.rho, self.choix, self.etat, haut, 1,
                )  # fmt: skip
                self.suivi.iterations += 1
            if np.isfinite(self.etat[0]):
                self.suivi.bound(min(float(self.etat[0]), self.suivi.cout))
            if self.suivi.found and self.suivi.cout - self.suivi.borne < gap:
                return
            if self.choix.any():
                self.search(self.choix.copy())
            self.shake()
            if self.sorte == PARTAGE and self.vue.n * int((self.locks(gap) >= 0).sum()) <= COUPLES_PARTAGES:
                return

    def shake(self) -> None:
        """A walk of perturbed answers, none much worse than the best, to which it returns when lost."""
        marche, perdu = self.courant, 0
        for _ in range(SECOUSSES):
            if self.over() or self.courant is None or marche is None:
                return
            if perdu > EGARE:
                marche, perdu = self.courant, 0
            _, ouvert, affecte, charge = marche
            ouvert, affecte, charge = ouvert.copy(), affecte.copy(), charge.copy()
            perturb(
                self.cout, self.vol, self.cap, self.verrou, self.p_min, self.p_max, ouvert, affecte, charge, self.peine,
                self.hasard,
            )  # fmt: skip
            mieux = self.polish(ouvert, affecte, charge)
            perdu = 0 if mieux else perdu + 1
            total, _ = total_cost(self.cout, self.fixe, self.cap, ouvert, affecte, charge, self.peine)
            if total <= self.courant[0] * (1 + ECART):
                marche = (total, ouvert, affecte, charge)

    def locks(self, gap: float) -> I8:
        """Sites whose other state would push the bound above the best answer."""
        verrou = self.verrou.copy()
        if not self.suivi.found or not np.isfinite(self.etat[0]):
            return verrou
        libre: NDArray[np.bool_] = verrou == 0
        limite = self.suivi.cout - gap
        choisi = self._chosen()
        verrou[libre & ~choisi & (self.etat[0] + self.rho - self.etat[3] > limite)] = -1
        verrou[libre & choisi & (self.etat[0] - self.rho + self.etat[4] > limite)] = 1
        return verrou

    def _chosen(self) -> NDArray[np.bool_]:
        """Sites that the best step opened: the p of least ``rho`` (the negative ones, between p_min and p_max)."""
        choisi = self.verrou > 0
        ordre = np.argsort(self.rho)
        p = int(choisi.sum())
        for j in ordre:
            if self.verrou[j] != 0:
                continue
            if p < self.p_max and (p < self.p_min or self.rho[j] < 0.0):
                choisi[j] = True
                p += 1
            else:
                break
        return choisi
