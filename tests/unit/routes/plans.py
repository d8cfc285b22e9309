"""Plans of small winter problems, without the search: circuits drawn at random that break no rule, and their account.

Rules are those of `naif.walk`, figures are added up here in arrays: neither the search nor the checker has a part in
them, so that the checker has something to be compared with.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from routes.probleme import AUCUN, F64, B, Circuit, Probleme
from routes.resultat import Objectif, Solution, Tournees
from territoires.calcul import Bilan, Statut

from .cas import planned
from .naif import walk

#: Draws of a place for an item before it is left out.
TRIES = 16


def random_circuits(p: Probleme, rng: np.random.Generator) -> tuple[Circuit, ...]:
    """Allowed circuits: kept ones, then items at random places, a reload at random beside some; what fits nowhere is
    left out."""
    tours = {c.truck: c for c in p.circuits}
    kept = set(tours)
    taken = {i for c in p.circuits for i in c.items.tolist()}
    free = [k for k in range(p.n_trucks) if k not in kept]
    used: dict[int, F64] = {}
    for truck, circuit in tours.items():
        done = walk(p, circuit)
        assert done is not None
        used[truck] = done[1]
    for item in rng.permutation(p.n_items).tolist():
        if item in taken or not free or rng.random() < 0.05:
            continue
        for attempt in range(TRIES):
            truck = int(rng.choice(free))
            end = AUCUN if p.home[truck, 1] != AUCUN else int(rng.integers(p.n_points))
            before = tours.get(truck, Circuit(truck, np.zeros(0, dtype=np.int32), end))
            visits = before.visits.tolist()
            place = int(rng.integers(len(visits) + 1))
            visits.insert(place, 2 * item + int(rng.integers(2)))
            if p.n_points and rng.random() < (0.2 if attempt < TRIES // 2 else 0.8):
                visits.insert(int(rng.integers(len(visits) + 1)), -1 - int(rng.integers(p.n_points)))
            tour = Circuit(truck, np.array(visits, dtype=np.int32), end if rng.random() < 0.5 else before.end_point)
            done = walk(p, tour)
            others = sum((u for k, u in used.items() if k != truck), np.zeros(p.stock.shape))
            if done is not None and np.all(others + done[1] <= p.stock + 1e-9):
                tours[truck], used[truck] = tour, done[1]
                break
    return tuple(tours[truck] for truck in sorted(tours) if len(tours[truck].items))


def random_plan(problem: Probleme, seed: int) -> Solution:
    """An allowed plan of a problem (split where it must be), with a true account."""
    cut, _ = planned(problem)
    return plan(problem, random_circuits(cut, np.random.default_rng(seed)))


def plan(problem: Probleme, circuits: tuple[Circuit, ...], left_out: list[int] | None = None) -> Solution:
    """The solution that these circuits are (of the cut problem), whatever they break, with true figures."""
    cut, origin = planned(problem)
    served = np.zeros(cut.n_items, dtype=np.bool_)
    for circuit in circuits:
        served[circuit.items] = True
    with np.errstate(all="ignore"):  # a way or a service that does not exist lasts for ever
        objectif, tournees = account(cut, circuits, served)
    return Solution(
        circuits=circuits,
        left_out=np.array(np.flatnonzero(~served) if left_out is None else left_out, dtype=np.int32),
        objectif=objectif,
        tournees=tournees,
        bilan=Bilan(Decimal(repr(objectif.total)), Decimal(0), Statut.REALISABLE, 0),
        problem_hash=cut.input_hash(),
        origin=origin,
    )


def account(p: Probleme, circuits: tuple[Circuit, ...], served: B) -> tuple[Objectif, Tournees]:
    """Figures of circuits in arrays; nothing is judged, what does not exist is read as the array gives it."""
    count, (stocks, products) = len(circuits), p.stock.shape
    driven, treated, duty, driving, service, waiting, reload, late = np.zeros((8, count))
    taken, stock, late_level = np.zeros((count, products)), np.zeros((stocks, products)), np.zeros(p.n_levels)
    cost = 0.0
    for c, circuit in enumerate(circuits):
        truck, visits = circuit.truck, circuit.visits
        kind = p.truck_type[truck]
        item, mode, point = np.maximum(visits, 0) // 2, np.maximum(visits, 0) % 2, np.maximum(-1 - visits, 0)
        isitem = visits >= 0
        arrive, leave = p.start[item, mode].copy(), p.end[item, mode].copy()
        if p.n_points:
            arrive[~isitem], leave[~isitem] = p.point_place[point[~isitem]].T
        home = p.home[truck, 1] if p.home[truck, 1] != AUCUN else p.point_place[circuit.end_point, 0]
        stops, starts = np.append(arrive, home), np.append(p.home[truck, 0], leave)
        metres = p.distances_m[p.type_profile[kind]][starts, stops].astype(np.float64)
        legs = p.durations_s[p.type_profile[kind]][starts, stops].astype(np.float64)
        clock = begin = p.shift_start_s[truck]
        for k in range(len(visits)):
            clock += legs[k]
            opens = p.earliest_s[item[k]] if isitem[k] else p.opening_s[point[k], 0]
            waiting[c] += max(0.0, opens - clock)
            length = p.service_s[kind, item[k], mode[k]] if isitem[k] else p.point_s[point[k]]
            clock = max(clock, opens) + length
            if isitem[k]:
                service[c] += length
                over = max(0.0, clock - p.deadline_s[item[k]])
                late[c] += over
                late_level[p.level[item[k]]] += over
            else:
                reload[c] += length
        clock += legs[-1]
        treated[c] = p.driven_m[circuit.items].sum()
        driven[c], duty[c], driving[c] = metres.sum() + treated[c], clock - begin, legs.sum() + service[c]
        # loads: what a visit gives is what is needed, but no more than it may give
        later = np.zeros(products)
        for k in range(len(visits) - 1, -1, -1):
            if isitem[k]:
                later = later + p.demand[item[k]]
            else:
                given = np.minimum(later, p.refill[point[k]])
                taken[c] += given
                stock[p.point_stock[point[k]]] += given
                later = later - given
        taken[c] += later
        if p.home_stock[truck] != AUCUN:
            stock[p.home_stock[truck]] += later
        cost += p.cost_fixed[truck] + p.cost_km[kind] * driven[c] / 1000 + p.cost_hour[kind] * duty[c] / 3600
    due, optional = ~served & np.isinf(p.skip_price), ~served & np.isfinite(p.skip_price)
    untreated = np.bincount(p.level[due], np.maximum(p.length_m[due], 1.0), minlength=p.n_levels)
    skipped, balance, w = float(p.skip_price[optional].sum()), float(np.sum((duty / 3600) ** 2)), p.weights
    total = untreated @ w.untreated + late_level @ w.late + skipped + w.truck * count + w.cost * cost
    return (
        Objectif(
            untreated_m=tuple(untreated.tolist()),
            skipped_euro=skipped,
            late_s=tuple(late_level.tolist()),
            trucks=count,
            cost_euro=float(cost),
            balance_h2=balance,
            total=float(total + w.balance * balance),
        ),
        Tournees(driven, treated, duty, driving, service, waiting, reload, late, taken, stock),
    )
