"""p-center: the least radius, by bisection on the distinct minutes, each step a set cover. Pure module.

Steps are answered by the cheapest means that can: an interchange that finds everybody covered, a Lagrangian bound that
proves somebody is not, and only then a program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from territoires.calcul import Arret

from .capacites import capacity_program, shares_at
from .coeur import Noyau, solve_core
from .evaluation import nearest_flows, satisfies
from .mip import Verdict
from .moteur import prepare, solve_mip
from .probleme import Capacites, Etat
from .rayons import cover_program, reachable
from .suivi import flows_of, shares_of
from .vue import Vue, make_vue

#: Told of open levels (positions in the view) and shares as in `Rayon`, of the radius they reach and of the proven one.
Ecoute = Callable[[NDArray[np.int64], NDArray[np.float64] | None, float, float], None]


@dataclass(frozen=True, eq=False)
class Rayon:
    """rayon: best radius reached, inf if none; borne: proven lower bound, inf when infeasible is proven; niveaux:
    open levels of the view; part (n, m) shares where capacities count, else None; iterations."""

    rayon: float
    borne: float
    niveaux: NDArray[np.int64]
    part: NDArray[np.float64] | None
    iterations: int


def solve_center(
    vue: Vue,
    stop: Arret,
    seed: int,
    ecoute: Ecoute,
    depart: tuple[NDArray[np.int64], NDArray[np.float64] | None] | None = None,
) -> Rayon:
    """Least radius of all the problem's rules. ``depart``: levels of the view and shares that satisfy all the rules."""
    if vue.probleme.equite_poids > 0:
        # A term of the objective, not a rule.
        vue = make_vue(replace(vue.probleme, equite_poids=0.0))
    minutes = reachable(vue)
    prix = vue.probleme.minutes_non_servi
    valeurs = np.unique(minutes[np.isfinite(minutes)])
    if prix is not None:
        # Not serving somebody is one more radius, the largest.
        valeurs = np.append(valeurs[valeurs < prix], prix)
    if not len(valeurs) and not vue.n:
        valeurs = np.zeros(1)
    # Nobody is nearer than his nearest level.
    if vue.n and vue.m:
        plancher = float(minutes.min(axis=1).max())
        plancher = min(plancher, np.inf if prix is None else prix)
        valeurs = valeurs[valeurs >= plancher]
    r = _Dichotomie(vue, minutes, valeurs, stop, seed, ecoute)
    if depart is not None:
        r.reach(*depart)
    if vue.plain:
        r.narrow()
    r.close()
    borne = float(r.valeurs[r.bas]) if r.bas < len(r.valeurs) else np.inf
    return Rayon(r.rayon, borne, r.niveaux, r.part, r.iterations)


class _Dichotomie:
    """Radii of position < ``bas`` are proven too short; ``haut`` is the best one reached (len = none)."""

    def __init__(
        self,
        vue: Vue,
        minutes: NDArray[np.float64],
        valeurs: NDArray[np.float64],
        stop: Arret,
        seed: int,
        ecoute: Ecoute,
    ) -> None:
        self.vue, self.minutes, self.valeurs = vue, minutes, valeurs
        self.stop, self.seed, self.ecoute = stop, seed, ecoute
        self.bas, self.haut = 0, len(valeurs)
        self.niveaux: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.part: NDArray[np.float64] | None = None
        self.iterations = 0

    @property
    def rayon(self) -> float:
        return float(self.valeurs[self.haut]) if self.haut < len(self.valeurs) else np.inf

    def reach(self, niveaux: NDArray[np.int64], part: NDArray[np.float64] | None = None) -> None:
        """Keep these levels if their radius is better."""
        if part is not None:
            pris = part > 1e-9
            rayon = float(self.minutes[pris].max(initial=0.0))
            incomplet = bool((part.sum(axis=1) < 1 - 1e-6).any())
        else:
            proche = self.minutes[:, niveaux].min(axis=1) if len(niveaux) else np.full(self.vue.n, np.inf)
            incomplet = bool(np.isinf(proche).any())
            rayon = float(proche[np.isfinite(proche)].max(initial=0.0))
        prix = self.vue.probleme.minutes_non_servi
        if incomplet:
            if prix is None:
                return
            rayon = max(rayon, prix)
        rang = int(np.searchsorted(self.valeurs, rayon))
        if rang < self.haut:
            self.haut, self.niveaux, self.part = rang, niveaux, part
            self.ecoute(niveaux, part, self.rayon, float(self.valeurs[min(self.bas, len(self.valeurs) - 1)]))

    def propose(self, niveaux: NDArray[np.int64], part: NDArray[np.float64] | None = None) -> None:
        """The same for a point that a program handed over, if it respects every rule."""
        vue = self.vue
        ouverts = vue.niveau[niveaux]
        flux = nearest_flows(vue.probleme, ouverts) if part is None else flows_of(vue, part)
        if satisfies(vue.probleme, ouverts, flux, vue):
            self.reach(niveaux, None if part is None else shares_of(vue, flux))

    def narrow(self) -> None:
        """Bisection by the core alone, up to what it cannot say at once."""
        vue, problem = self.vue, self.vue.probleme
        verrou = np.where(problem.etat[vue.site] == Etat.REQUIS, 1, 0).astype(np.int8)
        p_max = vue.sites_max
        if len(np.unique(vue.site[verrou > 0])) != len(vue.requis) or p_max < max(
            problem.sites_min, int(verrou.sum()), 1
        ):
            return
        court, long = self.bas, self.haut
        while court < long and not self.stop.reached(self.iterations):
            milieu = (court + long) // 2
            rayon = self.valeurs[milieu]
            if problem.minutes_non_servi is not None and rayon >= problem.minutes_non_servi:
                long = milieu
                continue
            loin = np.ascontiguousarray((self.minutes > rayon).T.astype(np.float64))
            noyau = Noyau(loin, np.zeros(vue.m), verrou, min(problem.sites_min, p_max), p_max, 1.0 - 1e-6)
            # Somebody uncovered counts 1: the bound of a proof is above 0, and a set of value 0 is a radius reached.
            borne_seule = Arret(
                seconds=self.stop.remaining() if np.isfinite(self.stop.remaining()) else None,
                target=0.0,
                cancelled=self.stop.cancelled,
            )
            trouve = solve_core(noyau, borne_seule, self.seed, lambda *_: None, tranches=0)
            self.iterations += trouve.iterations
            if trouve.valeur < 0.5:
                self.propose(np.flatnonzero(trouve.ouvert))
                long = min(milieu, self.haut)
            elif trouve.borne > 1e-5:
                court = milieu + 1
                self.bas = max(self.bas, court)
            else:
                # Not said: look on both sides of it later, with a program.
                court = milieu + 1
        self.haut = min(self.haut, len(self.valeurs))

    def close(self) -> None:
        """Bisection by programs until nothing is left between proof and answer."""
        if self.bas < self.haut:
            prepare()
        premier = True
        while self.bas < self.haut and not self.stop.reached(self.iterations):
            # Next to the best answer is where the last proof lies, once the core has narrowed.
            milieu = self.haut - 1 if premier and self.vue.plain else (self.bas + self.haut) // 2
            premier = False
            etat = self.step(milieu)
            if etat is None:
                return
            if not etat:
                self.bas = milieu + 1

    def step(self, rang: int) -> bool | None:
        """Whether the radius of this position can be reached (then kept); None = not known."""
        vue, rayon = self.vue, float(self.valeurs[rang])
        problem = vue.probleme
        aucune = problem.capacites is Capacites.AUCUNE
        tout = problem.minutes_non_servi is not None and rayon >= problem.minutes_non_servi
        if aucune:
            limite = not vue.plain
            programme = cover_program(
                vue, rayon=np.inf if tout else rayon, limite=limite, cout=np.ones(vue.m) if vue.plain else None
            )
            cible = float(vue.sites_max) if vue.plain else 0.0
            reponse = solve_mip(programme.mip, self.stop, gap_abs=0.999, cible=cible, seed=self.seed)
            self.iterations += 1 + reponse.noeuds
            if reponse.x is not None and (limite or reponse.objectif < vue.sites_max + 0.5):
                self.propose(np.flatnonzero(reponse.x[programme.y] > 0.5))
                return self.haut <= rang or None
            if reponse.verdict is Verdict.IRREALISABLE or (not limite and reponse.borne > vue.sites_max + 1e-4):
                return False
            return None
        detail = capacity_program(vue, rayon=rayon)
        reponse = solve_mip(detail.mip, self.stop, gap_abs=0.999, seed=self.seed)
        self.iterations += 1 + reponse.noeuds
        if reponse.x is not None:
            self.propose(np.flatnonzero(reponse.x[detail.y] > 0.5), shares_at(vue, detail, reponse.x))
            return self.haut <= rang or None
        return False if reponse.verdict is Verdict.IRREALISABLE else None
