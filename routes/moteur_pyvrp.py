"""The same problem through PyVRP (optional extra): a second engine, and the baseline of the benchmarks.

Pure module. A road that may be treated in two directions is a group of two clients of which one must be visited; a
road with one direction is a client. Legs and what follows them (service, treated metres) are put together: an entry
of PyVRP's distance matrix is the *money* of the leg and of the service or reload it leads to, an entry of the duration
matrix their seconds, so that time windows bear on ends of service. There is one matrix pair a kind of truck.

Held: loads by product, home and arrival, end of duty at the nearest point, full reloads and their hours, fleets,
profiles, one truck for an item, forbidden trucks, circuits kept, prices of leaving out, span. Held otherwise than the
problem says it, and told in the remarks: a deadline is a strict one as long as a plan keeps them all, and waiting costs
nothing while searching. Not held, `MoteurLimite` is raised: limited stocks, partial reloads, trucks that leave partly
loaded and reload, items kept apart, balance, a driving limit below the span where a truck may wait or reload.

The account of the plan is made by `evaluation`, not from PyVRP's rounded numbers.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from territoires.calcul import Arret, Bilan, PointTrace, Progres, Statut, silent

from .evaluation import end_point, evaluate
from .moteur_pyvrp_modele import LOIN, Modele, build, limits_of
from .probleme import I32, Circuit, Probleme, split_oversized
from .releve import walk
from .resultat import Solution

NOM = "pyvrp"
#: Improved plans are handed to the caller at most so often, s.
_PERIODE_S = 0.5


class MoteurLimite(NotImplementedError):
    """The problem asks for what PyVRP's model cannot hold; the message (French) says what."""


class MoteurAbsent(ImportError):
    """PyVRP is not installed; the message (French) says how to add it."""


def solve_pyvrp(
    problem: Probleme,
    stop: Arret,
    seed: int = 1,
    progress: Progres = silent,
    start: Sequence[Circuit] | None = None,
) -> Solution:
    """Plan by PyVRP's iterated local search. ``stop`` is asked once an iteration (its first one, a whole local search,
    cannot be interrupted); ``iterations`` are PyVRP's. ``start``: circuits of the planned problem to begin with, left
    aside where PyVRP finds them infeasible. Raises `MoteurAbsent`, `MoteurLimite`."""
    pyvrp = _library()
    planned, origin = split_oversized(problem)
    limits = tuple(limits_of(planned))
    if limits:
        raise MoteurLimite("PyVRP ne sait pas : " + " ; ".join(limits))
    model = build(pyvrp, planned)
    trace: list[PointTrace] = []
    told = [-_PERIODE_S]
    best: list[Solution] = []

    def solution_of(routes: Any, iterations: int) -> Solution:
        circuits = _circuits(planned, model, routes)
        kept = origin if planned is not problem else None
        return _account(planned, circuits, kept, seed, iterations, tuple(trace), _remarks(planned, model))

    def keep(candidate: Solution) -> None:
        if not best or candidate.objectif.total < best[0].objectif.total:
            best[:] = [candidate]

    class Suivi(pyvrp.IteratedLocalSearchCallbacks):  # type: ignore[misc,name-defined]
        """Tells improvements while the search runs."""

        iterations = 0

        def on_iteration(self, *_: object) -> None:
            self.iterations += 1

        def on_best(self, plan: Any) -> None:
            now = stop.elapsed()
            if now - told[0] < _PERIODE_S or not plan.is_feasible():
                return
            told[0] = now
            keep(solution_of(plan.routes(), self.iterations))
            cost = best[0].objectif.total
            trace.append(PointTrace(round(now, 3), cost, None))
            progress(_share(stop, self.iterations), "Recherche par PyVRP", cost, None, best[0])

    suivi = Suivi()

    def reached(cost: float) -> bool:
        euro = cost / model.money - model.offset if cost < LOIN else None
        return stop.reached(suivi.iterations, euro)

    iterations = 0
    if model.visit_of:
        params = pyvrp.SolveParams(ils=pyvrp.IteratedLocalSearchParams(callbacks=suivi))
        with warnings.catch_warnings():
            # Cases without a feasible plan push its penalties to their bound; what is infeasible is dropped below.
            warnings.simplefilter("ignore", category=pyvrp.exceptions.PenaltyBoundWarning)
            result = pyvrp.solve(
                model.data,
                reached,
                seed=seed,
                collect_stats=False,
                params=params,
                initial_solution=_warm(pyvrp, planned, model, start),
            )
        iterations = result.num_iterations
        keep(solution_of(result.best.routes(), iterations))
    else:
        keep(solution_of([], 0))
    trace.append(PointTrace(round(stop.elapsed(), 3), best[0].objectif.total, None))
    final = _account(planned, best[0].circuits, best[0].origin, seed, iterations, tuple(trace), best[0].bilan.remarks)
    progress(1.0, "Recherche par PyVRP terminée", final.objectif.total, None, final)
    return final


def _library() -> Any:
    """PyVRP, loaded when it is used: the application does not need it."""
    try:
        import pyvrp
        import pyvrp.exceptions
    except ImportError as erreur:
        raise MoteurAbsent(
            "Le moteur « pyvrp » demande le paquet PyVRP (requirements/bench.txt), absent de cet environnement"
        ) from erreur
    return pyvrp


def _circuits(p: Probleme, model: Modele, routes: Any) -> tuple[Circuit, ...]:
    """Circuits of the problem from PyVRP's routes, whatever breaks a rule taken out of them, and those kept whole."""
    import pyvrp

    free = [list(members) for members in model.trucks]
    circuits = list(p.circuits)
    for route in routes:
        visits: list[int] = []
        for activity in [*route][1:-1]:
            if activity.type == pyvrp.ActivityType.CLIENT:
                visits.append(model.visit_of[activity.idx])
            else:
                visits.append(-1 - model.point_of[activity.idx])
        truck = free[route.vehicle_type()].pop(0)
        circuit = _circuit(p, truck, visits)
        while visits and (walk(p, circuit).faults or visits[-1] < 0):
            visits.pop()
            circuit = _circuit(p, truck, visits)
        if visits:
            circuits.append(circuit)
    return tuple(sorted(circuits, key=lambda c: c.truck))


def _circuit(p: Probleme, truck: int, visits: list[int]) -> Circuit:
    if not visits:
        return Circuit(truck, np.zeros(0, dtype=np.int32))
    last = visits[-1]
    place = p.end.ravel()[last] if last >= 0 else p.point_place[-1 - last, 1]
    return Circuit(truck, np.array(visits, dtype=np.int32), end_point(p, truck, int(place)))


def _warm(pyvrp: Any, p: Probleme, model: Modele, start: Sequence[Circuit] | None) -> Any:
    """PyVRP's solution from circuits, None where there are none or it finds them infeasible or incomplete."""
    if not start:
        return None
    client_of = {visit: client for client, visit in enumerate(model.visit_of)}
    kind_of = {truck: kind for kind, members in enumerate(model.trucks) for truck in members}
    routes = []
    for circuit in start:
        if circuit.truck not in kind_of:
            continue
        activities = [
            pyvrp.Activity(pyvrp.ActivityType.CLIENT, client_of[visit])
            if visit >= 0
            else pyvrp.Activity(pyvrp.ActivityType.DEPOT, -1 - visit)
            for visit in circuit.visits.tolist()
            if visit < 0 or visit in client_of
        ]
        routes.append(pyvrp.Route(model.data, activities, kind_of[circuit.truck]))
    solution = pyvrp.Solution(model.data, routes)
    return solution if solution.is_feasible() else None


def _account(
    p: Probleme,
    circuits: tuple[Circuit, ...],
    origin: I32 | None,
    seed: int,
    iterations: int,
    trace: tuple[PointTrace, ...],
    remarks: tuple[str, ...],
) -> Solution:
    """The plan with its figures."""
    objectif, tournees = evaluate(p, circuits)
    out = np.ones(p.n_items, dtype=np.bool_)
    for circuit in circuits:
        out[circuit.items] = False
    return Solution(
        circuits=circuits,
        left_out=np.flatnonzero(out).astype(np.int32),
        objectif=objectif,
        tournees=tournees,
        bilan=Bilan(
            cost=Decimal(f"{objectif.total:.2f}"),
            bound=None,
            status=Statut.REALISABLE,
            seed=seed,
            iterations=iterations,
            trace=trace,
            remarks=remarks,
        ),
        problem_hash=p.input_hash(),
        origin=origin,
        engine=NOM,
    )


def _remarks(p: Probleme, model: Modele) -> tuple[str, ...]:
    phrases = []
    if np.isfinite(p.deadline_s).any():
        phrases.append("PyVRP tient les échéances pour strictes : son plan peut être meilleur ailleurs qu'en retard")
    if model.offset:
        phrases.append("PyVRP peut laisser des tronçons de côté, à leur prix")
    return tuple(phrases)


def _share(stop: Arret, iterations: int) -> float | None:
    if stop.seconds:
        return min(1.0, stop.elapsed() / stop.seconds)
    return min(1.0, iterations / stop.iterations) if stop.iterations else None
