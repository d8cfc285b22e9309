"""What every speed bench needs: a clock, the peak memory, and a subset of a peer's work that fits a time budget."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


def say(message: str) -> None:
    """Progress, on standard error."""
    print(message, file=sys.stderr, flush=True)


def results_apart() -> None:
    """Keep standard output for results: what libraries written in C print goes to standard error from now on."""
    sys.stdout.flush()
    resultats = os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding)
    os.dup2(2, 1)
    sys.stdout = resultats


def timed(fonction: Callable[[], T], fois: int = 1) -> tuple[float, T]:
    """Least seconds of some runs, and the last result."""
    mieux = float("inf")
    for _ in range(fois):
        debut = time.perf_counter()
        resultat = fonction()
        mieux = min(mieux, time.perf_counter() - debut)
    return mieux, resultat


def within(
    budget_s: float, taches: Sequence[Any], fonction: Callable[[Any], T], au_moins: int = 2
) -> tuple[float, list[T]]:
    """Run the tasks in turn until the budget is spent: seconds a task, results of those that ran."""
    debut, resultats = time.perf_counter(), []
    for tache in taches:
        resultats.append(fonction(tache))
        if len(resultats) >= au_moins and time.perf_counter() - debut > budget_s:
            break
    return (time.perf_counter() - debut) / len(resultats), resultats


def peak_mb() -> float:
    """Peak memory of this process so far, in MB."""
    ko = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(ko / 1024, 1)


def speed(
    bench: str,
    case: str,
    engine: str,
    seconds: float,
    baseline: str,
    baseline_seconds: float | None,
    exact: bool | None,
    note: str = "",
    **plus: object,
) -> dict[str, object]:
    """One line of a speed bench; ``ratio`` = baseline / ours, None where the baseline could not run (``note``)."""
    ratio = None if baseline_seconds is None else round(baseline_seconds / seconds, 2)
    ligne: dict[str, object] = {
        "bench": bench,
        "case": case,
        "engine": engine,
        "seconds": round(seconds, 6),
        "baseline": baseline,
        "baseline_seconds": None if baseline_seconds is None else round(baseline_seconds, 6),
        "ratio": ratio,
        "peak_mb": peak_mb(),
        "exact": exact,
    }
    if note:
        ligne["baseline_note"] = note
    return ligne | plus
