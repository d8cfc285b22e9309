"""The best plan of a search, its bound and trace, and how they are told. Pure module."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal

import numpy as np

from territoires.calcul import Arret, Bilan, PointTrace, Progres, Statut
from territoires.empreinte import input_hash
from territoires.nombres import nombre, pourcent

from .donnees import to_college
from .evaluation import evaluate
from .probleme import I32, Problem
from .resultat import BORNE_ECARTEE, Bascule, Plan, Solution, present_plan

#: Relative gap below which a plan is called optimal.
PROUVE = 1e-6
#: At least so many seconds between two plans told.
DEBIT_S = 0.25


class Suivi:
    """Best plan so far. ``constante``: what is added to the search's costs to make the plan's."""

    def __init__(
        self,
        problem: Problem,
        stop: Arret,
        seed: int,
        progress: Progres,
        x: I32,
        x2: I32,
        cout: float,
        constante: float,
    ) -> None:
        self.problem, self.stop, self.seed, self.progress = problem, stop, seed, progress
        self.x, self.x2, self.cout, self.constante = x.copy(), x2.copy(), cout, constante
        self.borne = -np.inf
        self.borne_fausse = False
        self.tours = 0
        self.trace = [PointTrace(round(stop.elapsed(), 3), round(cout + constante, 2), None)]
        self.empreinte = input_hash(problem)
        self._attend, self._dit = True, -np.inf

    def offer(self, x: I32, x2: I32, cout: float) -> bool:
        """A plan and its cost (search's units): kept when it is better."""
        if cout >= self.cout - 1e-7:
            return False
        self.x, self.x2, self.cout = x.copy(), x2.copy(), cout
        if self._impossible(self.borne):
            self._discard()
        self._attend = True
        self._mark()
        return True

    def bound(self, borne: float) -> None:
        """A proven bound (search's units). One above the best plan is a fault of the program: it is left out and told,
        since cut down to the cost it would make any plan look optimal."""
        if self._impossible(borne):
            self._discard(self.borne)
        elif borne > self.borne + 1e-9:
            self.borne = min(borne, self.cout)
            self._mark()

    def _impossible(self, borne: float) -> bool:
        """Above the best plan by more than rounding."""
        return borne > self.cout + PROUVE * max(1.0, abs(self.cout + self.constante))

    def _discard(self, reste: float = -np.inf) -> None:
        """A false bound was given: what is left of what was proven."""
        self.borne, self.borne_fausse, self._attend = reste, True, True
        if not np.isfinite(reste):
            self.trace = [replace(point, bound=None) for point in self.trace]

    def _mark(self) -> None:
        borne = None if not np.isfinite(self.borne) else round(self.borne + self.constante, 2)
        point = PointTrace(round(self.stop.elapsed(), 3), round(self.cout + self.constante, 2), borne)
        # What is said twice is left out, but no point for its time: the same search has the same points anywhere.
        if (self.trace[-1].cost, self.trace[-1].bound) != (point.cost, point.bound):
            self.trace.append(point)

    @property
    def proven(self) -> bool:
        """Nothing is left to gain."""
        total = abs(self.cout + self.constante)
        return self.borne >= self.cout - PROUVE * max(1.0, total)

    def reached(self) -> bool:
        """The search must end."""
        return self.stop.reached(self.tours, self.cout + self.constante) or self.proven

    def tell(self, force: bool = False) -> None:
        """Progress; the best plan with it when it is new, not too often."""
        maintenant = self.stop.elapsed()
        if maintenant - self._dit < DEBIT_S and not force:
            return
        self._dit = maintenant
        fraction = None
        if self.stop.seconds is not None:
            fraction = maintenant / self.stop.seconds if maintenant < self.stop.seconds else 1.0
        elif self.stop.iterations is not None:
            fraction = min(1.0, self.tours / max(1, self.stop.iterations))
        cout = self.cout + self.constante
        borne = self.borne + self.constante if np.isfinite(self.borne) else None
        phrase = f"Meilleur plan : {nombre(cout)} minutes d'élève"
        if borne is not None and borne > 0:
            phrase += f", à {pourcent(cout / borne - 1, 2)} au plus du meilleur possible"
        solution = self.solution() if self._attend else None
        self._attend = False
        self.progress(fraction, phrase, cout, borne, solution)

    def solution(self) -> Solution:
        """The best plan as an answer."""
        problem = self.problem
        present = present_plan(problem)
        college = to_college(self.x, self.x2, problem.n_colleges)
        changees = np.flatnonzero((college != problem.present).any(axis=1))
        bascules = tuple(
            Bascule(
                int(i),
                (int(problem.present[i, 0]), int(problem.present[i, 1])),
                (int(college[i, 0]), int(college[i, 1])),
            )
            for i in changees
        )
        plan = Plan(college, present, bascules) if bascules else present
        evaluation = evaluate(problem, plan)
        cout = Decimal(f"{evaluation.cout:.2f}")
        borne = None
        if np.isfinite(self.borne):
            # Half a cent of rounding must not put the bound above what it bounds.
            brute = Decimal(repr(self.borne + self.constante - 1e-6)).quantize(Decimal("0.01"), ROUND_FLOOR)
            borne = max(Decimal(0), min(brute, cout))
        bilan = Bilan(
            cost=cout,
            bound=borne,
            status=Statut.OPTIMAL if self.proven else Statut.REALISABLE,
            seed=self.seed,
            iterations=self.tours,
            trace=tuple(self.trace),
            remarks=problem.remarques + evaluation.manques + (BORNE_ECARTEE,) * self.borne_fausse,
        )
        return Solution(bilan, plan, evaluation, self.empreinte)
