"""What a solve has found so far: best answer, bound, trace, words for who waits. Pure module."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from territoires.calcul import Arret, PointTrace, Progres, silent

from .evaluation import Flux, make_solution, nearest_flows, objective, parts_of, satisfies, sorted_flows
from .probleme import F64, Problem
from .resultat import Solution
from .vue import Vue

#: A better bound alone is told with its complete answer at most once in so many seconds. A better answer always is: who
#: waits may have to kill the solver, and then keeps the last one it was given.
DEBIT_S = 0.25


class Suivi:
    """Keeps the best answer offered; every bound told must hold for the whole problem."""

    def __init__(self, vue: Vue, stop: Arret, seed: int, progress: Progres) -> None:
        self.vue, self.stop, self.seed, self.progress = vue, stop, seed, progress
        self.probleme: Problem = vue.probleme
        self.cout = np.inf
        self.borne = -np.inf
        self.niveaux: NDArray[np.integer] = np.zeros(0, dtype=np.int64)
        self.flux: Flux | None = None
        self.iterations = 0
        self.trace: list[PointTrace] = []
        self.message = ""
        self._montre = -np.inf

    @property
    def found(self) -> bool:
        """Whether there is an answer."""
        return bool(np.isfinite(self.cout))

    def offer(self, niveaux: NDArray[np.integer], flux: Flux | None = None, cout: float | None = None) -> None:
        """An answer that satisfies every rule: levels of the problem, flows (None = nearest), its cost when known."""
        if cout is None:
            flux = nearest_flows(self.probleme, niveaux) if flux is None else flux
            cout = objective(self.probleme, parts_of(self.probleme, niveaux, flux))
        if cout >= self.cout:
            return
        self.cout, self.niveaux, self.flux = cout, np.array(niveaux), flux
        self._tell(better=True)

    def propose(self, niveaux: NDArray[np.integer], flux: Flux | None = None) -> bool:
        """A point that a program handed over: offered where it respects every rule, its tolerances being others."""
        flux = nearest_flows(self.probleme, niveaux) if flux is None else flux
        if not satisfies(self.probleme, niveaux, flux, self.vue):
            return False
        self.offer(niveaux, flux)
        return True

    def bound(self, borne: float) -> None:
        """A proven lower bound of the objective."""
        if borne > self.borne:
            self.borne = borne
            self._tell()

    def say(self, message: str) -> None:
        """What is being done, a French sentence."""
        self.message = message
        self.progress(None, message, self._best(), self._bound())

    def solution(self, rayon_borne: float | None = None) -> Solution:
        """The best answer, complete."""
        borne = self.borne if np.isfinite(self.borne) else None
        return make_solution(
            self.probleme,
            self.niveaux,
            borne,
            seed=self.seed,
            flux=self.flux,
            rayon_borne=rayon_borne,
            iterations=self.iterations,
            trace=self.trace,
        )

    def _tell(self, *, better: bool = False) -> None:
        if not self.found:
            return
        self.trace.append(PointTrace(round(self.stop.elapsed(), 3), self.cout, self._bound()))
        now = time.monotonic()
        if self.progress is silent or (not better and now - self._montre < DEBIT_S):
            return
        self._montre = now
        self.progress(None, self.message, self._best(), self._bound(), self.solution())

    def _best(self) -> float | None:
        return float(self.cout) if self.found else None

    def _bound(self) -> float | None:
        return float(min(self.borne, self.cout)) if np.isfinite(self.borne) else None


def flows_of(vue: Vue, part: F64) -> Flux:
    """Flows of the problem from shares (n, m) in the view."""
    i, j = np.nonzero(part > 0)
    return sorted_flows(vue.demande[i], vue.niveau[j], part[i, j])


def shares_of(vue: Vue, flux: Flux) -> F64:
    """Shares (n, m) in the view from flows of the problem."""
    lignes = np.full(vue.probleme.n_demandes, -1)
    lignes[vue.demande] = np.arange(vue.n)
    colonnes = np.full(vue.probleme.n_niveaux, -1)
    colonnes[vue.niveau] = np.arange(vue.m)
    part = np.zeros((vue.n, vue.m))
    actif = lignes[flux.demande] >= 0
    part[lignes[flux.demande[actif]], colonnes[flux.niveau[actif]]] = flux.part[actif]
    return part
