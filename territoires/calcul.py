"""What every solver shares: when to stop, how to tell progress, what an answer says of itself.

Pure module: no Django, no database; the only clock a solver may read is `Arret`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class Statut(StrEnum):
    """What is proven of an answer."""

    OPTIMAL = "optimal"
    REALISABLE = "realisable"
    IRREALISABLE = "irrealisable"


@dataclass(frozen=True)
class Arret:
    """When a solver stops: whichever of the four comes first; None = no such limit.

    ``seconds`` is counted from the creation of the object; ``target`` is a cost at or below which to stop;
    ``cancelled`` is asked often (about every 20 ms) and must be cheap.
    """

    seconds: float | None = None
    iterations: int | None = None
    target: float | None = None
    cancelled: Callable[[], bool] | None = None
    started: float = field(default_factory=time.monotonic)

    def reached(self, iterations: int = 0, best: float | None = None) -> bool:
        """True once the search must return its best answer."""
        if self.cancelled is not None and self.cancelled():
            return True
        if self.iterations is not None and iterations >= self.iterations:
            return True
        if self.target is not None and best is not None and best <= self.target:
            return True
        return self.seconds is not None and self.elapsed() >= self.seconds

    def elapsed(self) -> float:
        """Seconds since the object was made."""
        return time.monotonic() - self.started

    def remaining(self) -> float:
        """Seconds left, `inf` without a time limit."""
        return float("inf") if self.seconds is None else max(0.0, self.seconds - self.elapsed())


class Progres(Protocol):
    """Called by a solver: share done (0 to 1, None = unknown), a French sentence, best cost and bound so far.

    ``solution`` is the best complete solution so far (it carries a `Bilan`); give it whenever it improves: if the
    process must be killed at the time limit, the last one given is checked and kept. Sending is throttled by the
    caller, so a solver may call as often as it likes.
    """

    def __call__(
        self,
        fraction: float | None,
        message: str,
        best: float | None = None,
        bound: float | None = None,
        solution: object | None = None,
    ) -> None: ...


def silent(
    fraction: float | None,
    message: str,
    best: float | None = None,
    bound: float | None = None,
    solution: object | None = None,
) -> None:
    """A `Progres` that says nothing."""


@dataclass(frozen=True)
class PointTrace:
    """One improvement: seconds since the start, cost, bound (None = unknown)."""

    seconds: float
    cost: float
    bound: float | None


@dataclass(frozen=True)
class Bilan:
    """What every solution carries as ``bilan``: yearly cost in euro, proven lower bound, status, seed, trace."""

    cost: Decimal
    bound: Decimal | None
    status: Statut
    seed: int
    iterations: int = 0
    trace: tuple[PointTrace, ...] = ()
    #: Why nothing is feasible, or soft wishes that are broken, in French sentences.
    remarks: tuple[str, ...] = ()

    @property
    def gap(self) -> float | None:
        """``cost / bound - 1``, None where no bound is known or the bound is zero."""
        if self.bound is None or self.bound <= 0:
            return None
        return float(self.cost / self.bound - 1)


class ControleEchoue(AssertionError):
    """The independent checker disagrees with a solution: the study is an error, not a result."""


class SolutionIllisible(ValueError):
    """Kept bytes that ``decode`` does not understand: made by another version of the software, or damaged."""


class Sens(StrEnum):
    """Which way an indicator is better."""

    MOINS = "moins"
    PLUS = "plus"
    NEUTRE = "neutre"


class Question(StrEnum):
    """The four questions elected members ask."""

    EFFICACE = "efficace"
    ECONOMIE = "economie"
    SERVICE = "service"
    INCOHERENCE = "incoherence"


#: Code of the indicator (euro a year) saying which part of the block's cost falls on which collectivité and its
#: inhabitants before any sharing (its own sites, trucks, trips...); over a block it adds up to the cost of the
#: solution. With it the sharing tables give net transfers between collectivités.
COUT = "cout"
#: Code of the indicator "inhabitants" when an operation gives it: the administrative key of that name reads it.
POPULATION = "population"


@dataclass(frozen=True)
class Indicateur:
    """One figure of one collectivité (code) or of the whole block (code None).

    The four-question summary speaks of the indicators that have a ``question`` and a ``sens`` that is not neutral;
    ``libelle`` is written so that it can follow « : » in a sentence ("temps moyen vers la déchetterie").
    """

    code: str
    libelle: str
    unite: str
    valeur: float
    sens: Sens
    collectivite: str | None = None
    question: Question | None = None
    decimales: int = 0
    #: How the blocks of a regime add up: "somme", "poids:CODE" = mean weighted by the indicator CODE of the same
    #: collectivité or block, "max", "min", or "aucune" = no figure for several blocks together (a percentile),
    #: but what the operation's ``regime_figures`` gives.
    agregation: str = "somme"
    #: Differences not larger than this are « sans changement » in the summary (unit of the indicator).
    seuil: float = 0.0
    #: Code of the indicator that counts those whom the figure is about ("" = always the same ones). Worse because it is
    #: about more of them is no loss, better because of fewer is no gain.
    base: str = ""
