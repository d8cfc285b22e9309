"""Winter circuits of one block: ruin and recreate over sequences of services, with set partitioning of good circuits.

`solve` gives the best plan found by the limit, never less than the best one told. Pure module: no Django, no clock but
``stop``.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from territoires.calcul import Arret, Progres, silent

from .noyau_donnees import make_data, make_state
from .probleme import Circuit, Probleme, ProblemeInvalide, split_oversized
from .recherche import Recherche
from .releve import walk
from .resultat import Solution


class MoteurInconnu(ValueError):
    """No engine of that name."""


def solve(
    problem: Probleme,
    stop: Arret,
    seed: int = 0,
    progress: Progres = silent,
    engine: str = "limitrophe",
    start: tuple[Circuit, ...] | None = None,
) -> Solution:
    """The best plan found until ``stop``. Raises `MoteurInconnu`, `ProblemeInvalide` for a kept circuit that breaks a
    rule.

    ``engine``: "limitrophe" or "pyvrp" (optional package). ``start``: present circuits, of the problem before any
    split; what breaks a rule in them is left to the search, and said in ``bilan.remarks``. With ``stop.iterations``
    and without ``stop.seconds`` the same seed gives the same plan on any machine.
    """
    if engine == "pyvrp":
        from .moteur_pyvrp import solve_pyvrp

        cut = None if start is None else _split_start(start, problem, split_oversized(problem)[1])[0]
        return solve_pyvrp(problem, stop, seed, progress, cut)
    if engine != "limitrophe":
        raise MoteurInconnu(f"moteur inconnu : « {engine} » (limitrophe ou pyvrp)")
    planned, origin = split_oversized(problem)
    for circuit in planned.circuits:
        faults = walk(planned, circuit).faults
        if len(circuit.visits) and faults:
            raise ProblemeInvalide(f"circuits : {faults[0]}")
    d = make_data(planned)
    run = Recherche(planned, d, make_state(d, seed), stop, seed, progress, None if planned is problem else origin)
    present, strange = ((), ()) if start is None else _split_start(start, problem, origin)
    run.remarks.extend(strange)
    return run.run(None if start is None else present)


def solve_seeds(
    problem: Probleme,
    stop: Arret,
    seeds: Sequence[int],
    processes: int,
    progress: Progres = silent,
    start: tuple[Circuit, ...] | None = None,
) -> Solution:
    """The best of several seeds, each in a process of its own, ``processes`` at a time; the first of equals.

    Limits are those of each seed. Progress says how many have ended; cancelling ends those under way.
    """
    context: Any = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        cancelled = manager.Event()
        limits = replace(stop, cancelled=None)
        with ProcessPoolExecutor(processes, mp_context=context) as pool:
            futures = [pool.submit(_one, problem, limits, seed, start, cancelled) for seed in seeds]
            best: Solution | None = None
            waiting = set(range(len(futures)))
            while waiting:
                if stop.cancelled is not None and stop.cancelled():
                    cancelled.set()
                for i in sorted(waiting):
                    if futures[i].done():
                        waiting.discard(i)
                        found = futures[i].result()
                        if best is None or found.objectif.total < best.objectif.total:
                            best = found
                        done = 1 - len(waiting) / len(futures)
                        progress(done, f"{len(futures) - len(waiting)} graines", best.objectif.total, None, best)
                if waiting:
                    context.Event().wait(0.02)
    found_all = [future.result() for future in futures]
    return min(found_all, key=lambda solution: solution.objectif.total)


class _Ecoute:
    """Asks another process now and then whether to stop: asking costs more than a slice of the search."""

    def __init__(self, event: Any) -> None:
        self.event, self.calls, self.answer = event, 0, False

    def __call__(self) -> bool:
        self.calls += 1
        if not self.answer and self.calls % 2 == 0:
            self.answer = bool(self.event.is_set())
        return self.answer


def _one(problem: Probleme, limits: Arret, seed: int, start: tuple[Circuit, ...] | None, cancelled: Any) -> Solution:
    """One seed, in its process; its seconds are counted from there."""
    stop = Arret(limits.seconds, limits.iterations, limits.target, _Ecoute(cancelled))
    return solve(problem, stop, seed, start=start)


def _split_start(
    start: tuple[Circuit, ...], problem: Probleme, origin: Any
) -> tuple[tuple[Circuit, ...], tuple[str, ...]]:
    """Present circuits with each item that was split replaced by its first piece (the search places the others), and
    what is said of trucks, items and points that are not of the problem: they are left out."""
    first = np.searchsorted(origin, np.arange(problem.n_items))
    kept, said = [], []
    for c in start:
        if not 0 <= c.truck < problem.n_trucks:
            said.append(f"circuit actuel du camion n° {c.truck} : ce camion n'existe pas, circuit laissé de côté")
            continue
        known = (c.visits >= -problem.n_points) & (c.visits < 2 * problem.n_items)
        if not known.all():
            said.append(
                f"circuit actuel de {problem.truck_name(c.truck)} : {int((~known).sum())} visite(s) de tronçons ou de "
                "points qui n'existent pas, laissée(s) de côté"
            )
        visits = c.visits[known]
        pieces = np.where(visits >= 0, 2 * first[np.maximum(visits, 0) // 2] + visits % 2, visits).astype(np.int32)
        kept.append(Circuit(c.truck, pieces, c.end_point))
    return tuple(kept), tuple(said)
