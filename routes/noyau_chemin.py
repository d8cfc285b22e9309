"""Compiled: what a route costs by the matrices, and its clock, written along it. See `noyau_donnees`.

Functions called most take the few arrays they read instead of the whole of `Donnees` and `Etat`: handing those on
costs more than the work itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from geodata.compilation import inner

INF = np.inf
#: Tonnes and seconds taken for rounding.
EPS = 1e-7


@inner
def end_cost(cost: Any, truck: Any, fin: Any, place: int) -> float:
    """From a place to the end of duty; cost: the truck's own matrix."""
    if truck.home_in >= 0:
        return float(cost[place, truck.home_in])
    return float(fin[truck.type, place].cost)


@inner
def end_time(time: Any, truck: Any, fin: Any, place: int) -> float:
    """Seconds from a place to the end of duty."""
    if truck.home_in >= 0:
        return float(time[place, truck.home_in])
    return float(fin[truck.type, place].time)


@inner
def price_both_ways(
    cost: Any, element: Any, serve: Any, truck: Any, fin: Any, visit: Any, size: int, first: int, last: int
) -> float:
    """Write ``fwd`` and ``bwd`` of a route over all modes of its elements; its price. ``serve``: the truck type's.

    ``fwd`` is right already before ``first``, ``bwd`` after ``last`` (a whole route: 0, size - 1).
    """
    a0, a1, price0, price1 = truck.home_out, -1, 0.0, INF
    if first > 0:
        v = visit[first - 1]
        a0, a1, price0, price1 = v.out0, v.out1, v.fwd0, v.fwd1
    for p in range(first, size):
        v = visit[p]
        e = element[v.e]
        x = price0 + cost[a0, e.in0]
        y = INF
        if e.modes > 1:
            y = price0 + cost[a0, e.in1]
            if a1 >= 0:
                y = min(y, price1 + cost[a1, e.in1])
        if a1 >= 0:
            x = min(x, price1 + cost[a1, e.in0])
        price0 = x + serve[v.e].cost0
        price1 = y + serve[v.e].cost1 if e.modes > 1 else INF
        v.fwd0 = price0
        v.fwd1 = price1
        v.in0, v.in1, v.out0, v.out1 = e.in0, e.in1, e.out0, e.out1
        a0, a1 = e.out0, e.out1
    if size == 0:
        return 0.0
    total = price0 + end_cost(cost, truck, fin, a0)
    if a1 >= 0:
        total = min(total, price1 + end_cost(cost, truck, fin, a1))
    b0, b1, price0, price1 = -1, -1, 0.0, INF
    if last < size - 1:
        v = visit[last + 1]
        b0, b1, price0, price1 = v.in0, v.in1, v.bwd0, v.bwd1
    for p in range(last, -1, -1):
        v = visit[p]
        y = INF
        if p == size - 1:
            x = end_cost(cost, truck, fin, v.out0)
            if v.out1 >= 0:
                y = end_cost(cost, truck, fin, v.out1)
        else:
            x = cost[v.out0, b0] + price0
            if b1 >= 0:
                x = min(x, cost[v.out0, b1] + price1)
            if v.out1 >= 0:
                y = cost[v.out1, b0] + price0
                if b1 >= 0:
                    y = min(y, cost[v.out1, b1] + price1)
        price0 = x + serve[v.e].cost0
        price1 = y + serve[v.e].cost1 if v.out1 >= 0 else INF
        v.bwd0 = price0
        v.bwd1 = price1
        b0, b1 = v.in0, v.in1
    return total


@inner
def price_held(cost: Any, element: Any, serve: Any, truck: Any, fin: Any, visit: Any, size: int) -> float:
    """The same, each element keeping its mode: the other one's prices are INF."""
    place, price = truck.home_out, 0.0
    for p in range(size):
        v = visit[p]
        e = element[v.e]
        v.fwd0 = v.fwd1 = INF
        v.in0, v.in1, v.out0, v.out1 = e.in0, e.in1, e.out0, e.out1
        if v.mode == 0:
            price += cost[place, e.in0] + serve[v.e].cost0
            v.fwd0 = price
            place = e.out0
        else:
            price += cost[place, e.in1] + serve[v.e].cost1
            v.fwd1 = price
            place = e.out1
    if size == 0:
        return 0.0
    total = price + end_cost(cost, truck, fin, place)
    after, price = -1, 0.0
    for back in range(size):
        v = visit[size - 1 - back]
        e = element[v.e]
        v.bwd0 = v.bwd1 = INF
        out = e.out0 if v.mode == 0 else e.out1
        price += end_cost(cost, truck, fin, out) if back == 0 else cost[out, after]
        if v.mode == 0:
            price += serve[v.e].cost0
            v.bwd0 = price
            after = e.in0
        else:
            price += serve[v.e].cost1
            v.bwd1 = price
            after = e.in1
    return total


@inner
def best_modes(cost: Any, element: Any, truck: Any, visit: Any, size: int, tmp: Any) -> bool:
    """Cheapest modes of a route, written in ``tmp`` after `price_both_ways`; whether they differ from its own."""
    place, differ = truck.home_out, False
    for p in range(size):
        v = visit[p]
        e = element[v.e]
        m = 0
        if e.modes > 1 and cost[place, e.in1] + v.bwd1 < cost[place, e.in0] + v.bwd0:
            m = 1
        tmp[p].e = v.e
        tmp[p].mode = m
        if m != v.mode:
            differ = True
        place = e.out1 if m else e.out0
    return differ


@inner
def clocks(time: Any, element: Any, serve: Any, truck: Any, fin: Any, visit: Any, times: Any, size: int, n: int) -> Any:
    """Write ``times`` of a route that never waits; its seconds on duty, INF beyond the truck's limits."""
    now, driving, place = truck.shift, 0.0, truck.home_out
    for p in range(size):
        v = visit[p]
        e = element[v.e]
        leg = float(time[place, e.in1 if v.mode else e.in0])
        spent = serve[v.e].time1 if v.mode else serve[v.e].time0
        now += leg + spent
        driving += leg + (spent if v.e < n else 0.0)
        times[p].clock = now
        times[p].drive_f = driving
        place = e.out1 if v.mode else e.out0
    rest = end_time(time, truck, fin, place)
    duty = now + rest - truck.shift
    if duty > truck.span + EPS or driving + rest > truck.driving + EPS:
        duty = INF
    driving, after = rest, -1
    for back in range(size):
        p = size - 1 - back
        v = visit[p]
        e = element[v.e]
        leg = float(time[e.out1 if v.mode else e.out0, after]) if back > 0 else 0.0
        spent = serve[v.e].time1 if v.mode else serve[v.e].time0
        rest += leg + spent
        driving += leg + (spent if v.e < n else 0.0)
        times[p].left = rest
        times[p].drive_b = driving
        after = e.in1 if v.mode else e.in0
    return duty
