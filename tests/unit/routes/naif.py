"""Small winter problems read word by word: one circuit walked, and every plan tried. Slow; `exact` is judged by it.

Written from the words of `routes.probleme` alone, without the solver's code or the checker's.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement, permutations, product
from typing import Any

import numpy as np

from routes.probleme import AUCUN, Circuit, Probleme

#: Slack on loads, t, and on times, s: sums of floats in another order are not the same number.
JEU = 1e-9


def walk(p: Probleme, circuit: Circuit) -> tuple[float, np.ndarray[Any, Any]] | None:
    """Objective of one circuit and what it draws from each stock (S, Q); None when it breaks a rule of its own.

    The words of `Probleme`, one after the other. Not looked at: what other circuits do (stocks, apart is inside one).
    """
    truck, t = circuit.truck, int(p.truck_type[circuit.truck])
    metres = p.distances_m[p.type_profile[t]].astype(np.float64)
    seconds = p.durations_s[p.type_profile[t]].astype(np.float64)
    place, clock, driven, driving, late = int(p.home[truck, 0]), float(p.shift_start_s[truck]), 0.0, 0.0, 0.0
    segments, gifts = [np.zeros(p.demand.shape[1])], []
    for visit in circuit.visits.tolist():
        item, mode = visit // 2, visit % 2
        a, b = (p.start[item, mode], p.end[item, mode]) if visit >= 0 else p.point_place[-1 - visit]
        if a == AUCUN or not np.isfinite(seconds[place, a] + metres[place, a]):
            return None
        clock += seconds[place, a]
        driving += seconds[place, a]
        driven += metres[place, a]
        place = int(b)
        if visit >= 0:
            if not np.isfinite(p.service_s[t, item, mode]) or p.fixed_truck[item] not in (AUCUN, truck):
                return None
            clock = max(clock, p.earliest_s[item]) + p.service_s[t, item, mode]
            driving += p.service_s[t, item, mode]
            driven += p.driven_m[item]
            late += p.weights.late[p.level[item]] * max(0.0, clock - p.deadline_s[item])
            segments[-1] = segments[-1] + p.demand[item]
        else:
            clock = max(clock, p.opening_s[-1 - visit, 0])
            if clock == np.inf or clock > p.opening_s[-1 - visit, 1] + JEU:
                return None
            clock += p.point_s[-1 - visit]
            gifts.append(-1 - visit)
            segments.append(np.zeros(p.demand.shape[1]))
    end = int(p.home[truck, 1]) if p.home[truck, 1] != AUCUN else int(p.point_place[circuit.end_point, 0])
    if not np.isfinite(seconds[place, end] + metres[place, end]):
        return None
    clock, driving = clock + seconds[place, end], driving + seconds[place, end]
    driven += metres[place, end]
    duty = clock - p.shift_start_s[truck]
    if duty > p.span_s[truck] + JEU or driving > p.driving_limit_s[truck] + JEU:
        return None
    served = set(circuit.items.tolist())
    if any(k == truck and i in served for i, k in p.forbidden) or any(a in served and b in served for a, b in p.apart):
        return None
    need = segments[-1]
    needs = [need]
    for demand, r in zip(segments[-2::-1], gifts[::-1], strict=True):
        need = demand + np.maximum(0.0, need - p.refill[r])
        needs.insert(0, need)
    if np.any(needs[0] > p.initial_load[truck] + JEU) or any(np.any(x > p.capacity[t] + JEU) for x in needs):
        return None
    used = np.zeros_like(p.stock)
    if p.home_stock[truck] != AUCUN:
        used[p.home_stock[truck]] += needs[0]
    hand = needs[0] - segments[0]
    for s, r in enumerate(gifts, 1):
        taken = np.maximum(0.0, needs[s] - hand)
        used[p.point_stock[r]] += taken
        hand = hand + taken - segments[s]
    euro = p.cost_fixed[truck] + p.cost_km[t] * driven / 1000.0 + p.cost_hour[t] * duty / 3600.0
    w = p.weights
    return float(w.truck + w.cost * euro + w.balance * (duty / 3600.0) ** 2 + late), used


def every_plan(p: Probleme, visits: int) -> float:
    """Least objective over every plan whose trucks visit at most so many reload points each (nothing is split here).

    Every share of the items among trucks and nobody, every order, mode, place of the visits and end of duty.
    """
    busy = {c.truck for c in p.circuits}
    kept = {i for c in p.circuits for i in c.items.tolist()}
    free = [i for i in range(p.n_items) if i not in kept]
    trucks = [k for k in range(p.n_trucks) if k not in busy]
    money, used = 0.0, np.zeros_like(p.stock)
    for circuit in p.circuits:
        if not len(circuit.items):  # keeps its truck at home
            continue
        fait = walk(p, circuit)
        assert fait is not None
        money, used = money + fait[0], used + fait[1]
    known: dict[tuple[int, tuple[int, ...]], list[tuple[float, Any]]] = {}
    skip = p.skip_cost()
    best = np.inf
    for share in product([AUCUN, *trucks], repeat=len(free)):
        parts = [tuple(i for i, k in zip(free, share, strict=True) if k == truck) for truck in trucks]
        tours = []
        for truck, part in zip(trucks, parts, strict=True):
            if part:
                if (truck, part) not in known:
                    known[truck, part] = [x for c in every_circuit(p, truck, part, visits) if (x := walk(p, c))]
                    known[truck, part].sort(key=lambda x: x[0])
                tours.append(known[truck, part])
        base = money + sum(float(skip[i]) for i, k in zip(free, share, strict=True) if k == AUCUN)
        if not np.isfinite(p.stock).any():
            tours = [t[:1] for t in tours]
        for choix in product(*tours):
            cost = base + sum(x[0] for x in choix)
            if cost < best and np.all(used + sum(x[1] for x in choix) <= p.stock + JEU):
                best = cost
    return float(best)


def every_circuit(p: Probleme, truck: int, items: tuple[int, ...], visits: int) -> Iterator[Circuit]:
    """Every order, mode, reloads (at most ``visits``) and end of duty of one truck that serves just these items."""
    ends = [AUCUN] if p.home[truck, 1] != AUCUN else list(range(p.n_points))
    for order in permutations(items):
        for modes in product(range(2), repeat=len(items)):
            suite = [2 * i + m for i, m in zip(order, modes, strict=True)]
            for count in range(visits + 1 if p.n_points else 1):
                for places in combinations_with_replacement(range(len(items) + 1), count):
                    for points in product(range(p.n_points), repeat=count):
                        codes = list(suite)
                        for place, point in reversed(list(zip(places, points, strict=True))):
                            codes.insert(place, -1 - point)
                        for end in ends:
                            yield Circuit(truck, np.array(codes, dtype=np.int32), end)
