"""One run of the search: construction or present circuits, cycles of cooling, set partitioning, the account.

Pure module: no clock but ``stop``.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np

from territoires.calcul import Arret, Bilan, PointTrace, Progres, Statut, silent

from .borne import lower_bound
from .evaluation import end_point, evaluate
from .noyau import PAS, compare, construct, iterate
from .noyau_donnees import (
    C_ITER,
    KEPT,
    S_BEST,
    S_BLINK,
    S_COOLING,
    S_PENALTY,
    S_PRICE,
    S_REMOVALS,
    S_TEMPERATURE,
    Donnees,
    Etat,
)
from .noyau_reserve import clear, settle
from .probleme import I32, Circuit, Probleme
from .recouvrement import choose
from .reserve import gather, groups, limited_stocks
from .resultat import Solution

#: Mean number of services removed at each iteration, and chance that a route is overlooked.
RETRAITS, CLIGNEMENT = 10.0, 0.01
#: Temperatures at the ends of a cycle, as shares of the mean price of a service and the way to it. Where trucks reload,
#: plans are far apart: a reload moved is worth many services.
CHAUD_RECHARGE = 0.7
CHAUD, FROID = 0.15, 0.015
#: First price of excess load, as a share of the mean price of a service for the mean load of one. The search makes it
#: follow: dearer while the plan is over, cheaper while it is not.
SURCHARGE = 1.0
#: Coolings of a run, each after the first from the best of set partitioning; iterations of one turn of an endless run.
CYCLES, ITERATIONS = 2, 2_000_000
#: Set partitionings of a cycle, at equal intervals, the last at its end.
REPRISES = 3
#: Share of the time limit, and nodes, that one set partitioning may take.
PART_HIGHS, NOEUDS = 0.025, 300
#: Relative difference between a cost and its bound that counts as none.
PROUVE = 1e-9
#: Seconds between two plans shown.
MONTRE_S = 0.5
#: Seconds that compiled code runs between two looks at the clock.
TRANCHE_S = 0.02


class Recherche:
    """One run of the search: temperatures, looks at the clock, what is told."""

    def __init__(
        self, problem: Probleme, d: Donnees, s: Etat, stop: Arret, seed: int, progress: Progres, origin: I32 | None
    ) -> None:
        self.problem, self.d, self.s, self.stop, self.seed, self.progress = problem, d, s, stop, seed, progress
        self.origin = origin
        self.trace: list[PointTrace] = []
        self.remarks: list[str] = []
        self.told = (-math.inf, math.inf)
        self.endless = stop.seconds is None and stop.iterations is None
        self.hot = 1.0
        self.warm = CHAUD_RECHARGE if len(d.refill) else CHAUD
        self.circuits_kept = tuple(c for c in problem.circuits if len(c.items))
        self.kept = sum(_value(problem, c) for c in self.circuits_kept) + self._lost()
        #: The part of the items that nobody may serve is in `kept` and in the bound: counted once.
        self.bound = lower_bound(problem, d) + self.kept - self._lost()

    def run(self, start: tuple[Circuit, ...] | None = None) -> Solution:
        """Take the present circuits, construct the rest, search, give the best."""
        d, s = self.d, self.s
        s.sums[S_REMOVALS], s.sums[S_BLINK] = RETRAITS, CLIGNEMENT
        self.name_lone()
        clear(d, s)
        if start is not None:
            self.take(start)
            # Present circuits are worth more than what so warm a start would leave of them.
            self.warm = min(self.warm, CHAUD)
        construct(d, s)
        self.tell()
        self.hot = self.mean_price()
        steps, part, parts = PAS, -1, CYCLES * REPRISES
        while not self.over():
            done = self.fraction()
            if done >= 1.0 and not self.endless:
                self.recombine()
                self.tell()
                break
            if int(done * parts) > part:
                part = int(done * parts)
                if part > 0:
                    self.recombine()
                if part % REPRISES == 0:
                    self.heat()
                self.loosen()
                continue
            if self.stop.iterations is None:
                self.cool(done)
                self.loosen()
            before = self.stop.elapsed()
            iterate(d, s, self.limited(steps, part))
            spent = self.stop.elapsed() - before
            if spent < TRANCHE_S / 2:
                steps *= 2
            elif spent > 2 * TRANCHE_S:
                steps = max(1, steps // 2)
            self.tell()
        return self.solution()

    def over(self) -> bool:
        """Whether to stop now: the limit, or nothing better can exist."""
        best = float(self.s.sums[S_BEST]) + self.kept
        return best <= self.bound * (1 + PROUVE) or self.stop.reached(int(self.s.counts[C_ITER]), best)

    def loosen(self) -> None:
        """Allow excess loads at a price, once there is a plan that serves all: tight fleets are crossed more freely so.

        Only where loads of one product are all there is to hold; plans that are over are never kept.
        """
        s, d = self.s, self.d
        if s.sums[S_PENALTY] == 0.0 and int(s.route["best_size"].sum()) >= int((s.item["truck"] > -2).sum()):
            s.sums[S_PENALTY] = s.sums[S_PRICE] = SURCHARGE * self.hot / max(1e-9, float(d.demand[: d.n].mean()))

    def name_lone(self) -> None:
        """Say which items no truck may serve."""
        for item in np.flatnonzero(self.s.item["truck"] == -2):
            if not any(item in c.items for c in self.problem.circuits):
                self.remarks.append(f"{self.problem.item_name(int(item))} : aucun camion ne peut le traiter")

    def take(self, start: tuple[Circuit, ...]) -> None:
        """Begin with the present circuits, each truck's own, leaving out what breaks a rule."""
        d, n = self.d, self.d.n
        fixed = {c.truck for c in self.problem.circuits}
        for circuit in start:
            if circuit.truck in fixed:
                continue
            visits = circuit.visits.astype(np.int64)
            sequence = np.zeros(len(visits), dtype=KEPT)
            sequence["e"] = np.where(visits >= 0, visits // 2, n - 1 - visits)
            sequence["mode"] = np.where(visits >= 0, visits % 2, 0)
            dropped = settle(d, self.s, circuit.truck, sequence)
            if dropped:
                nom = self.problem.truck_name(circuit.truck)
                self.remarks.append(f"circuit actuel de {nom} : {dropped} visite(s) retirée(s), contraires aux règles")
        compare(d, self.s)

    def total(self) -> int:
        """Iterations of the run, or of one turn of an endless one."""
        return self.stop.iterations or ITERATIONS

    def limited(self, steps: int, part: int) -> int:
        """Iterations that overrun neither the part of the run nor the limit."""
        if self.stop.iterations is None:
            return steps
        end = min(self.total(), -(-self.total() * (part + 1) // (CYCLES * REPRISES)))
        return max(1, min(steps, end - int(self.s.counts[C_ITER])))

    def fraction(self) -> float:
        """Share of the run done, the last set partitioning apart; an endless run counts its turns from 0 on."""
        if self.stop.iterations is None and self.stop.seconds is not None:
            return self.stop.elapsed() / max(1e-9, self.stop.seconds * (1.0 - PART_HIGHS))
        return int(self.s.counts[C_ITER]) / self.total()

    def heat(self) -> None:
        """Temperature at the beginning of a cycle, and its fall where iterations alone are counted."""
        s = self.s
        steps = max(1, self.total() // CYCLES // PAS)
        s.sums[S_TEMPERATURE] = self.hot * self.warm
        # Rounded: the last bits of a machine's power function change no plan.
        s.sums[S_COOLING] = round((FROID / self.warm) ** (1 / steps), 9) if self.stop.iterations is not None else 1.0

    def cool(self, done: float) -> None:
        """Temperature by the clock."""
        part = done * CYCLES - math.floor(done * CYCLES)
        self.s.sums[S_TEMPERATURE] = self.hot * self.warm * (FROID / self.warm) ** part

    def recombine(self) -> None:
        """Set partitioning of the routes kept; its plan, when better, becomes the current one."""
        s, d = self.s, self.d
        if len(s.pool) < 2 or self.stop.remaining() <= 0:
            return
        columns, sequences = gather(d, s, self.problem)
        if not len(columns.value):
            return
        left = math.inf if self.stop.seconds is None else self.stop.remaining()
        chosen = choose(
            columns, np.where(s.item["truck"] > -2, d.element["skip"][: d.n], np.inf), groups(d),
            limited_stocks(self.problem)[1], float(s.sums[S_BEST]),
            math.inf if self.stop.iterations is not None else min(left, PART_HIGHS * (self.stop.seconds or math.inf)),
            NOEUDS, lambda: self.stop.cancelled is not None and self.stop.cancelled(),
        )  # fmt: skip
        if chosen is not None:
            self.load([sequences[c] for c in chosen], [int(columns.group[c]) for c in chosen])

    def load(self, sequences: list[Any], of_group: list[int]) -> None:
        """Make these routes the current plan, and the best one if it is."""
        d, s = self.d, self.s
        clear(d, s)
        free = {g: list(np.flatnonzero(d.truck["group"] == g)) for g in set(of_group)}
        for sequence, group in zip(sequences, of_group, strict=True):
            settle(d, s, int(free[group].pop(0)), sequence)
        compare(d, s)

    def mean_price(self) -> float:
        """Mean price of a service and the way to it in the first plan."""
        best = self.s.sums[S_BEST] - self.d.element["skip"][: self.d.n][self.s.item["truck"] == -1].sum()
        served = int((self.s.item["truck"] >= 0).sum())
        return max(float(best) / max(1, served), 1e-9)

    def tell(self) -> None:
        """Progress."""
        best = float(self.s.sums[S_BEST]) + self.kept
        if not self.trace or best < self.trace[-1].cost - 1e-9:
            self.trace.append(PointTrace(self.stop.elapsed(), best, self.bound))
        done = None if self.endless else min(1.0, self.fraction())
        self.progress(done, "recherche de circuits", best, self.bound, self.shown(best))

    def shown(self, best: float) -> Solution | None:
        """The best plan when it is better than the one shown before, not more than twice a second."""
        if self.progress is silent or best >= self.told[1] - 1e-9 or self.stop.elapsed() < self.told[0] + MONTRE_S:
            return None
        self.told = (self.stop.elapsed(), best)
        return self.solution()

    def circuits(self) -> tuple[Circuit, ...]:
        """Circuits of the best plan."""
        n, found = self.d.n, list(self.circuits_kept)
        for k, route in enumerate(self.s.route):
            size = int(route["best_size"])
            if size == 0:
                continue
            e, m = self.s.best[k, :size]["e"], self.s.best[k, :size]["mode"]
            visits = np.where(e < n, 2 * e + m, n - e - 1).astype(np.int32)
            found.append(Circuit(k, visits, end_point(self.problem, k, _last_place(self.problem, visits))))
        return tuple(sorted(found, key=lambda c: c.truck))

    def solution(self) -> Solution:
        """The best plan with its account."""
        circuits = self.circuits()
        objectif, tournees = evaluate(self.problem, circuits)
        served = np.zeros(self.problem.n_items, dtype=np.bool_)
        for c in circuits:
            served[c.items] = True
        bilan = Bilan(
            cost=Decimal(repr(objectif.total)), bound=Decimal(repr(min(self.bound, objectif.total))),
            status=Statut.OPTIMAL if objectif.total <= self.bound * (1 + PROUVE) else Statut.REALISABLE, seed=self.seed,
            iterations=int(self.s.counts[C_ITER]), trace=tuple(self.trace), remarks=tuple(self.remarks),
        )  # fmt: skip
        return Solution(
            circuits, np.flatnonzero(~served).astype(np.int32), objectif, tournees, bilan,
            self.problem.input_hash(), self.origin,
        )  # fmt: skip

    def _lost(self) -> float:
        """Objective of the items that no truck may serve."""
        lone = self.s.item["truck"] == -2
        for circuit in self.problem.circuits:
            lone[circuit.items] = False
        return float(self.d.element["skip"][: self.d.n][lone].sum())


def _value(problem: Probleme, circuit: Circuit) -> float:
    """Part of the objective of one circuit."""
    objectif, _ = evaluate(problem, [circuit])
    return objectif.total - float(np.dot(problem.weights.untreated, objectif.untreated_m) + objectif.skipped_euro)


def _last_place(problem: Probleme, visits: I32) -> int:
    last = int(visits[-1])
    return int(problem.end[last // 2, last % 2] if last >= 0 else problem.point_place[-1 - last, 1])
