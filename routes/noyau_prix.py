"""Compiled: what an absent item costs in one route, alone or with a reload before it, after it or both."""

from __future__ import annotations

from typing import Any

from geodata.compilation import inner, merged

from .noyau_calcul import walk
from .noyau_chemin import EPS, INF, end_cost, end_time
from .noyau_donnees import PARCOURU, Donnees, Etat

#: Routes with more elements are only looked at next to an item's neighbours, and to so many of them.
LONGUE, VOISINS_ESSAYES = 96, 60
#: Shapes of an insertion: item alone; item, point; point, item; point, item, point.
SEUL, PUIS_POINT, POINT_PUIS, ENTRE_POINTS = 0, 1, 2, 3


@inner
def fits(demand: Any, load: Any, seg: int, u: int) -> bool:
    """Whether a segment may still take item u. ``load``: the route's."""
    for q in range(demand.shape[1]):
        if demand[u, q] > load[seg, q].slack + EPS:
            return False
    return True


@merged
def fits_with(d: Donnees, s: Etat, k: int, gap: int, u: int, shape: int, first: int, second: int) -> bool:
    """The same for a gap with a reload after the item (`PUIS_POINT`), before it, or both; first, second: points."""
    seg = s.seg[k, gap]
    for q in range(d.demand.shape[1]):
        cap, ask = d.capacity[k, q], d.demand[u, q]
        left, whole = s.load[k, gap, q].before, s.load[k, seg, q]
        # What remains of the segment after the gap, with what follows asks of it.
        last = whole.need - left
        if last > cap + EPS:
            return False
        if shape == PUIS_POINT:
            need = left + ask + max(0.0, last - d.refill[first, q])
        elif shape == POINT_PUIS:
            if ask + last > cap + EPS:
                return False
            need = left + max(0.0, ask + last - d.refill[first, q])
        else:
            middle = ask + max(0.0, last - d.refill[second, q])
            if middle > cap + EPS:
                return False
            need = left + max(0.0, middle - d.refill[first, q])
        if need - whole.need > whole.slack + EPS:
            return False
    return True


@inner
def plain_gaps(
    cost: Any, element: Any, truck: Any, fin: Any, visit: Any, size: int, u: int, serve: Any, found: Any
) -> float:
    """Least price of item u in a route when loads alone count, without the present price of the route."""
    best, e = INF, element[u]
    for m in range(e.modes):
        start, end = (e.in1, e.out1) if m else (e.in0, e.out0)
        spent = serve[u].cost1 if m else serve[u].cost0
        if spent == INF:
            continue
        into = float(cost[truck.home_out, start])
        for gap in range(size):
            v = visit[gap]
            rest = cost[end, v.in0] + v.bwd0
            after = v.fwd0 + cost[v.out0, start]
            if v.in1 >= 0:
                rest = min(rest, cost[end, v.in1] + v.bwd1)
                after = min(after, v.fwd1 + cost[v.out1, start])
            if into + rest + spent < best:
                best = into + rest + spent
                found[0], found[2] = gap, m
            into = after
        price = into + end_cost(cost, truck, fin, end) + spent
        if price < best:
            best = price
            found[0], found[2] = size, m
    found[1] = SEUL
    return best


@merged
def around(cost: Any, truck: Any, fin: Any, visit: Any, size: int, gap: int, start: int, end: int) -> Any:
    """Least price of a route with a block from place start to place end in the gap, the block's own price left out."""
    if gap == 0:
        price = float(cost[truck.home_out, start])
    else:
        v = visit[gap - 1]
        price = v.fwd0 + cost[v.out0, start]
        if v.out1 >= 0:
            price = min(price, v.fwd1 + cost[v.out1, start])
    if gap == size:
        return price + end_cost(cost, truck, fin, end)
    v = visit[gap]
    rest = cost[end, v.in0] + v.bwd0
    if v.in1 >= 0:
        rest = min(rest, cost[end, v.in1] + v.bwd1)
    return price + rest


@inner
def timely(
    time: Any, truck: Any, fin: Any, visit: Any, times: Any, size: int, gap: int, start: int, end: int,
    spent: float, driven: float,
) -> Any:  # fmt: skip
    """Seconds on duty of a route with a block of so many seconds in the gap (kind 1); INF beyond a limit."""
    if gap == 0:
        leg, now, driving = float(time[truck.home_out, start]), truck.shift, 0.0
    else:
        v = visit[gap - 1]
        leg = float(time[v.out1 if v.mode else v.out0, start])
        now, driving = times[gap - 1].clock, times[gap - 1].drive_f
    now += leg + spent
    driving += leg + driven
    if gap == size:
        leg = end_time(time, truck, fin, end)
    else:
        v = visit[gap]
        leg = float(time[end, v.in1 if v.mode else v.in0])
        now += times[gap].left
        driving += times[gap].drive_b
    duty = now + leg - truck.shift
    if duty > truck.span + EPS or driving + leg > truck.driving + EPS:
        return INF
    return duty


@merged
def spread(s: Etat, n: int, k: int, gap: int, u: int, shape: int, m: int, first: int, second: int) -> int:
    """Write route k with the block in the gap in ``tmp``: its size."""
    at = 0
    for p in range(gap):
        s.tmp[at].e, s.tmp[at].mode = s.visit[k, p].e, s.visit[k, p].mode
        at += 1
    if shape >= POINT_PUIS:
        s.tmp[at].e, s.tmp[at].mode = n + first, 0
        at += 1
    s.tmp[at].e, s.tmp[at].mode = u, m
    at += 1
    if shape == PUIS_POINT or shape == ENTRE_POINTS:
        s.tmp[at].e, s.tmp[at].mode = n + (first if shape == PUIS_POINT else second), 0
        at += 1
    for p in range(gap, s.route[k].size):
        s.tmp[at].e, s.tmp[at].mode = s.visit[k, p].e, s.visit[k, p].mode
        at += 1
    return at


@merged
def with_points(d: Donnees, s: Etat, k: int, gap: int, u: int, shape: int, m: int, first: int, second: int) -> float:
    """By the matrices alone, what item u in mode m, with points as the shape says, adds to route k in that gap; INF
    where it may not be served so."""
    truck, r, n = d.truck[k], s.route[k], d.n
    cost, serve, e = d.cost[truck.costs], d.serve[truck.type], d.element[u]
    start, end = (e.in1, e.out1) if m else (e.in0, e.out0)
    price = serve[u].cost1 if m else serve[u].cost0
    if price == INF:
        return INF
    if shape == PUIS_POINT or shape == ENTRE_POINTS:
        after = n + (first if shape == PUIS_POINT else second)
        price += cost[end, d.element[after].in0] + serve[after].cost0
        end = d.element[after].out0
    if shape >= POINT_PUIS:
        price += cost[d.element[n + first].out0, start] + serve[n + first].cost0
        start = d.element[n + first].in0
    price += around(cost, truck, d.fin, s.visit[k], r.size, gap, start, end) - r.base
    return float(price + (truck.fixed if r.size == 0 else 0.0))


@inner
def block(
    d: Donnees, s: Etat, k: int, gap: int, u: int, shape: int, m: int, first: int, second: int, best: float
) -> Any:
    """Price of inserting item u in mode m, with points as the shape says; at least ``best`` when no better."""
    truck, r, n = d.truck[k], s.route[k], d.n
    serve = d.serve[truck.type]
    price = with_points(d, s, k, gap, u, shape, m, first, second)
    if d.kind == 0:
        return price
    if d.kind == PARCOURU:
        # Waiting may shrink by as much as it costs: no lower bound without it.
        if price - r.wait * truck.wait_price >= best:
            return INF
        size = spread(s, n, k, gap, u, shape, m, first, second)
        return walk(d, s, k, s.tmp, size, True) - r.value
    if price >= best and d.balance == 0.0:
        return price
    time = d.time[truck.profile]
    start, end = (d.element[u].in1, d.element[u].out1) if m else (d.element[u].in0, d.element[u].out0)
    spent = serve[u].time1 if m else serve[u].time0
    driven = spent
    if shape == PUIS_POINT or shape == ENTRE_POINTS:
        after = n + (first if shape == PUIS_POINT else second)
        leg = float(time[end, d.element[after].in0])
        spent += leg + serve[after].time0
        driven += leg
        end = d.element[after].out0
    if shape >= POINT_PUIS:
        leg = float(time[d.element[n + first].out0, start])
        spent += leg + serve[n + first].time0
        driven += leg
        start = d.element[n + first].in0
    duty = timely(
        time, truck, d.fin, s.visit[k], s.times[k], r.size, gap, start, end, spent, driven
    )  # fmt: skip
    if duty == INF:
        return INF
    if d.balance > 0.0:
        price += d.balance * duty * duty - (r.value - r.base - (truck.fixed if r.size > 0 else 0.0))
    return price


@inner
def least_prices(
    cost: Any, truck: Any, fin: Any, visit: Any, size: int, e: Any, serve: Any, own: float, gaps: Any, least: Any,
    count: int,
) -> None:  # fmt: skip
    """Write in ``least`` what an item adds to a route at least in each of the gaps, by the matrices alone.

    e: its ELEMENT; serve: its SERVE for the truck; own: what the route costs without it, waiting twice.
    """
    for i in range(count):
        least[i] = INF
        if serve.cost0 < INF:
            least[i] = around(cost, truck, fin, visit, size, gaps[i], e.in0, e.out0) + serve.cost0 - own
        if e.modes > 1 and serve.cost1 < INF:
            price = around(cost, truck, fin, visit, size, gaps[i], e.in1, e.out1) + serve.cost1 - own
            least[i] = min(least[i], price)


@merged
def try_alone(d: Donnees, s: Etat, k: int, gap: int, u: int, best: float) -> float:
    """Least price of item u in that gap of route k; ``found`` tells how, and only changes for a better one."""
    spare = s.route[k].wait * d.truck[k].wait_price  # waiting may shrink by as much as it costs
    for m in range(d.element[u].modes):
        price = with_points(d, s, k, gap, u, SEUL, m, 0, 0)
        if price - spare >= best:
            continue
        if d.kind > 0:
            price = block(d, s, k, gap, u, SEUL, m, 0, 0, best)
        if price < best:
            best = price
            s.found[0], s.found[1], s.found[2], s.found[3], s.found[4] = gap, SEUL, m, 0, 0
    return best


@inner
def try_reloads(d: Donnees, s: Etat, k: int, gap: int, u: int, best: float) -> float:
    """The same with a reload after the item or before it; on both sides where neither is enough."""
    spare = s.route[k].wait * d.truck[k].wait_price
    near = d.near_points[u]
    alone = False
    for shape in (PUIS_POINT, POINT_PUIS):
        for i in range(len(near)):
            if not fits_with(d, s, k, gap, u, shape, near[i], 0):
                continue
            alone = True
            for m in range(d.element[u].modes):
                price = with_points(d, s, k, gap, u, shape, m, near[i], 0)
                if price - spare >= best:
                    continue
                if d.kind > 0:
                    price = block(d, s, k, gap, u, shape, m, near[i], 0, best)
                if price < best:
                    best = price
                    s.found[0], s.found[1], s.found[2], s.found[3] = gap, shape, m, near[i]
    if alone:
        return best
    for i in range(len(near)):
        for j in range(len(near)):
            if not fits_with(d, s, k, gap, u, ENTRE_POINTS, near[i], near[j]):
                continue
            for m in range(d.element[u].modes):
                price = block(d, s, k, gap, u, ENTRE_POINTS, m, near[i], near[j], best)
                if price < best:
                    best = price
                    s.found[0], s.found[1], s.found[2] = gap, ENTRE_POINTS, m
                    s.found[3], s.found[4] = near[i], near[j]
    return best


@merged
def gaps_to_try(d: Donnees, s: Etat, k: int, u: int) -> Any:
    """Write the gaps of route k worth trying for item u in ``gaps``: all, or those next to its neighbours, to reloads
    and to the ends of a long route; their number."""
    size = s.route[k].size
    if size <= LONGUE:
        for gap in range(size + 1):
            s.gaps[gap] = gap
        return size + 1
    for gap in range(size + 1):
        s.least[gap] = 0.0
    s.least[0] = s.least[size] = 1.0
    near = d.near[u]
    for i in range(min(len(near), VOISINS_ESSAYES)):
        if s.item[near[i]].truck == k:
            s.least[s.item[near[i]].at] = s.least[s.item[near[i]].at + 1] = 1.0
    count = 0
    for gap in range(size + 1):
        beside = gap > 0 and s.visit[k, gap - 1].e >= d.n
        if s.least[gap] > 0.0 or beside or (gap < size and s.visit[k, gap].e >= d.n):
            s.gaps[count] = gap
            count += 1
    return count


@inner
def best_in_route(d: Donnees, s: Etat, k: int, u: int) -> float:
    """Least price of item u in route k, INF when it may not be there.

    First where it fits, then with reloads, the gaps where it alone adds least first: a reload only adds to that, so
    the others are left aside once that alone is too dear.
    """
    if s.route[k].size + 4 > s.visit.shape[1]:
        return INF  # no room is left: reloads that nothing asks for have taken it
    best, count, full = INF, gaps_to_try(d, s, k, u), 0
    truck, e, serve = d.truck[k], d.element[u], d.serve[d.truck[k].type, u]
    own = s.route[k].base + s.route[k].wait * truck.wait_price - (truck.fixed if s.route[k].size == 0 else 0.0)
    least_prices(
        d.cost[truck.costs], truck, d.fin, s.visit[k], s.route[k].size, e, serve, own, s.gaps, s.least, count
    )  # fmt: skip
    for i in range(count):
        gap = s.gaps[i]
        if fits(d.demand, s.load[k], s.seg[k, gap], u):
            if s.least[i] < best:
                best = try_alone(d, s, k, gap, u, best)
        elif len(d.refill) > 0:
            s.gaps[full], s.least[full] = gap, s.least[i]
            full += 1
    while full > 0:
        i = 0
        for j in range(1, full):
            if s.least[j] < s.least[i]:
                i = j
        if s.least[i] >= best:
            break
        best = try_reloads(d, s, k, s.gaps[i], u, best)
        full -= 1
        s.gaps[i], s.least[i] = s.gaps[full], s.least[full]
    return best
