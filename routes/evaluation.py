"""Exact account of a plan: figures of each circuit and parts of the objective, as `Probleme` defines them.

Pure module. The search prices its plans in single precision; what a solution says is computed here, from its circuits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .probleme import AUCUN, F64, LONGUEUR_COMPTEE_MIN_M, Circuit, Probleme
from .resultat import Objectif, Tournees


@dataclass(frozen=True)
class Etape:
    """One circuit: m driven, m treated, s (duty, driving, service, waiting, reloads, late), t taken a visit, euro."""

    driven_m: float
    treated_m: float
    duty_s: float
    driving_s: float
    service_s: float
    waiting_s: float
    reload_s: float
    late_s: F64
    taken: F64
    stock_used: F64
    euro: float


def evaluate(problem: Probleme, circuits: Sequence[Circuit]) -> tuple[Objectif, Tournees]:
    """Parts of the objective and figures of a plan that keeps the rules (what breaks them is for `controle`)."""
    etapes = [follow(problem, circuit) for circuit in circuits]
    served = np.zeros(problem.n_items, dtype=np.bool_)
    for circuit in circuits:
        served[circuit.items] = True
    wanted = np.isinf(problem.skip_price)
    counted = np.maximum(problem.length_m, LONGUEUR_COMPTEE_MIN_M)
    untreated = np.bincount(problem.level, weights=np.where(wanted & ~served, counted, 0.0), minlength=problem.n_levels)
    skipped = float(problem.skip_price[~wanted & ~served].sum())
    late = np.sum([e.late_s for e in etapes], axis=0) if etapes else np.zeros(problem.n_levels)
    euro = float(sum(e.euro for e in etapes))
    balance = float(sum((e.duty_s / 3600) ** 2 for e in etapes))
    w = problem.weights
    total = float(
        np.dot(w.untreated, untreated)
        + skipped
        + np.dot(w.late, late)
        + w.truck * len(etapes)
        + w.cost * euro
        + w.balance * balance
    )
    shape = problem.stock.shape
    return (
        Objectif(tuple(untreated.tolist()), skipped, tuple(late.tolist()), len(etapes), euro, balance, total),
        Tournees(
            **{
                nom: np.array([getattr(e, nom) for e in etapes], dtype=np.float64)
                for nom in ("driven_m", "treated_m", "duty_s", "driving_s", "service_s", "waiting_s", "reload_s")
            },
            late_s=np.array([e.late_s.sum() for e in etapes], dtype=np.float64),
            taken=np.array([e.taken for e in etapes], dtype=np.float64).reshape(len(etapes), shape[1]),
            stock_used=np.sum([e.stock_used for e in etapes], axis=0) if etapes else np.zeros(shape),
        ),
    )


def follow(problem: Probleme, circuit: Circuit) -> Etape:
    """Drive one circuit."""
    k = circuit.truck
    t = int(problem.truck_type[k])
    distances, durations = (m[problem.type_profile[t]] for m in (problem.distances_m, problem.durations_s))
    place, clock = int(problem.home[k, 0]), float(problem.shift_start_s[k])
    metres, treated, driving, service, waiting, reload = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    late = np.zeros(problem.n_levels)
    for visit in circuit.visits.tolist():
        item, mode = divmod(visit, 2)
        point = -1 - visit
        target = int(problem.start[item, mode] if visit >= 0 else problem.point_place[point, 0])
        leg = float(durations[place, target])
        metres += float(distances[place, target])
        clock += leg
        driving += leg
        opens = float(problem.earliest_s[item] if visit >= 0 else problem.opening_s[point, 0])
        wait = max(0.0, opens - clock)
        waiting += wait
        clock += wait
        if visit >= 0:
            spent = float(problem.service_s[t, item, mode])
            clock += spent
            driving += spent
            service += spent
            metres += float(problem.driven_m[item])
            treated += float(problem.driven_m[item])
            late[problem.level[item]] += max(0.0, clock - float(problem.deadline_s[item]))
            place = int(problem.end[item, mode])
        else:
            clock += float(problem.point_s[point])
            reload += float(problem.point_s[point])
            place = int(problem.point_place[point, 1])
    last = int(problem.home[k, 1])
    if last == AUCUN:
        last = int(problem.point_place[circuit.end_point, 0])
    metres += float(distances[place, last])
    clock += float(durations[place, last])
    driving += float(durations[place, last])
    duty = clock - float(problem.shift_start_s[k])
    taken, used = loads(problem, circuit)
    euro = float(problem.cost_fixed[k] + problem.cost_km[t] * metres / 1000 + problem.cost_hour[t] * duty / 3600)
    return Etape(metres, treated, duty, driving, service, waiting, reload, late, taken, used, euro)


def loads(problem: Probleme, circuit: Circuit) -> tuple[F64, F64]:
    """t taken by a circuit, by product (Q,), and from each stock (S, Q), by the rule of need."""
    visits = circuit.visits
    cuts = np.flatnonzero(visits < 0)
    segments = np.split(visits, cuts)
    demand = np.array([problem.demand[s[s >= 0] // 2].sum(axis=0) for s in segments])
    points = -1 - visits[cuts]
    need = demand.copy()
    for s in range(len(points) - 1, -1, -1):
        need[s] += np.maximum(0.0, need[s + 1] - problem.refill[points[s]])
    used = np.zeros(problem.stock.shape)
    taken = need[0].copy()
    home = int(problem.home_stock[circuit.truck])
    if home != AUCUN:
        used[home] += need[0]
    hand = need[0] - demand[0]
    for s, point in enumerate(points, start=1):
        quantity = np.maximum(0.0, need[s] - hand)
        hand = hand + quantity - demand[s]
        taken += quantity
        used[problem.point_stock[point]] += quantity
    return taken, used


def end_point(problem: Probleme, truck: int, place: int) -> int:
    """The cheapest reload point for a truck without place of arrival to end duty at, from a place."""
    if problem.home[truck, 1] != AUCUN:
        return AUCUN
    t = int(problem.truck_type[truck])
    to = problem.point_place[:, 0]
    profile = problem.type_profile[t]
    metres, seconds = problem.distances_m[profile, place, to], problem.durations_s[profile, place, to]
    known = np.isfinite(metres) & np.isfinite(seconds)
    euro = np.full(len(to), np.inf)
    euro[known] = problem.cost_km[t] * metres[known] / 1000 + problem.cost_hour[t] * seconds[known] / 3600
    return int(euro.argmin())
