"""Compiled: where an absent item costs least, alone or with a reload before or after it."""

from __future__ import annotations

from typing import Any

from geodata.compilation import inner, merged

from .noyau_calcul import EPS, INF, end_cost, end_time, rebuild, revise, simple, walk
from .noyau_donnees import (
    C_ABSENT,
    C_BLINK,
    C_STAMP,
    C_TOUCHED,
    PARCOURU,
    S_BLINK,
    S_CURRENT,
    S_PENALTY,
    SURCHARGE_MAX,
    TIRAGES,
    Donnees,
    Etat,
)
from .noyau_hasard import draw_int

#: Routes with more elements are only looked at next to an item's neighbours.
LONGUE = 96
#: From so many items on, only routes that hold one of the nearest neighbours are tried.
GRAND = 500
VOISINS_ESSAYES = 60
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


@inner
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


@inner
def block(
    d: Donnees, s: Etat, k: int, gap: int, u: int, shape: int, m: int, first: int, second: int, best: float
) -> Any:
    """Price of inserting item u in mode m, with points as the shape says; at least ``best`` when no better."""
    truck, r, n = d.truck[k], s.route[k], d.n
    cost, serve = d.cost[truck.costs], d.serve[truck.type]
    u_in, u_out = (d.element[u].in1, d.element[u].out1) if m else (d.element[u].in0, d.element[u].out0)
    price = serve[u].cost1 if m else serve[u].cost0
    start, end = u_in, u_out
    before, after = -1, -1
    if shape >= POINT_PUIS:
        before = n + first
        price += cost[d.element[before].out0, u_in] + serve[before].cost0
        start = d.element[before].in0
    if shape == PUIS_POINT or shape == ENTRE_POINTS:
        after = n + (first if shape == PUIS_POINT else second)
        price += cost[u_out, d.element[after].in0] + serve[after].cost0
        end = d.element[after].out0
    price += around(cost, truck, d.fin, s.visit[k], r.size, gap, start, end) - r.base
    if r.size == 0:
        price += truck.fixed
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
    spent = serve[u].time1 if m else serve[u].time0
    driven = spent
    if before >= 0:
        leg = float(time[d.element[before].out0, u_in])
        spent += leg + serve[before].time0
        driven += leg
    if after >= 0:
        leg = float(time[u_out, d.element[after].in0])
        spent += leg + serve[after].time0
        driven += leg
    duty = timely(
        time, truck, d.fin, s.visit[k], s.times[k], r.size, gap, start, end, spent, driven
    )  # fmt: skip
    if duty == INF:
        return INF
    if d.balance > 0.0:
        price += d.balance * duty * duty - (r.value - r.base - (truck.fixed if r.size > 0 else 0.0))
    return price


@merged
def try_gap(d: Donnees, s: Etat, k: int, gap: int, u: int, best: float) -> float:
    """Least price of item u in that gap of route k; ``found`` tells how, and only changes for a better one."""
    modes = d.element[u].modes
    serve = d.serve[d.truck[k].type, u]
    if s.route[k].size + 4 > s.visit.shape[1]:
        return best  # no room is left: reloads that nothing asks for have taken it
    if fits(d.demand, s.load[k], s.seg[k, gap], u):
        for m in range(modes):
            if (serve.cost1 if m else serve.cost0) == INF:
                continue
            price = block(d, s, k, gap, u, SEUL, m, 0, 0, best)
            if price < best:
                best = price
                s.found[0], s.found[1], s.found[2], s.found[3], s.found[4] = gap, SEUL, m, 0, 0
        return best
    if len(d.refill) == 0 or s.route[k].size + 3 >= s.visit.shape[1]:
        return best
    return try_reloads(d, s, k, gap, u, best)


@merged
def try_reloads(d: Donnees, s: Etat, k: int, gap: int, u: int, best: float) -> float:
    """The same with a reload after the item or before it; on both sides where neither is enough."""
    serve = d.serve[d.truck[k].type, u]
    near = d.near_points[u]
    alone = False
    for shape in (PUIS_POINT, POINT_PUIS):
        for i in range(len(near)):
            if not fits_with(d, s, k, gap, u, shape, near[i], 0):
                continue
            alone = True
            for m in range(d.element[u].modes):
                if (serve.cost1 if m else serve.cost0) == INF:
                    continue
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
                if (serve.cost1 if m else serve.cost0) == INF:
                    continue
                price = block(d, s, k, gap, u, ENTRE_POINTS, m, near[i], near[j], best)
                if price < best:
                    best = price
                    s.found[0], s.found[1], s.found[2] = gap, ENTRE_POINTS, m
                    s.found[3], s.found[4] = near[i], near[j]
    return best


@inner
def best_in_route(d: Donnees, s: Etat, k: int, u: int) -> float:
    """Least price of item u in route k, INF when it may not be there."""
    size, best, count = s.route[k].size, INF, 0
    if size <= LONGUE:
        count = size + 1
        for gap in range(count):
            s.gaps[gap] = gap
    else:
        s.gaps[0], s.gaps[1], count = 0, size, 2
        near = d.near[u]
        for i in range(min(len(near), VOISINS_ESSAYES)):
            if s.item[near[i]].truck == k:
                s.gaps[count] = s.item[near[i]].at
                s.gaps[count + 1] = s.item[near[i]].at + 1
                count += 2
        for p in range(size):
            if s.visit[k, p].e >= d.n:
                s.gaps[count] = p
                s.gaps[count + 1] = p + 1
                count += 2
    for i in range(count):
        best = try_gap(d, s, k, s.gaps[i], u, best)
    return best


@merged
def apart_here(d: Donnees, s: Etat, k: int, u: int) -> bool:
    """Whether route k holds an item that must not share a truck with u."""
    for i in range(d.apart_from[u], d.apart_from[u + 1]):
        if s.item[d.apart[i]].truck == k:
            return True
    return False


@merged
def insert_best(d: Donnees, s: Etat, u: int, force: bool) -> bool:
    """Put absent item u where it costs least (now and then a route is overlooked); False when nothing beats leaving
    it out (``force``: nothing that may be done is too dear)."""
    trucks = len(d.truck)
    s.counts[C_STAMP] += 1
    mark = s.counts[C_STAMP]
    best, route = INF if force else d.element[u].skip, -1
    gap, shape, mode, first, second = 0, 0, 0, 0, 0
    cached = s.cache.shape[0] > 1 or s.cache.shape[1] > 1
    plain = d.kind == 0 and len(d.refill) == 0
    soft, penalty = simple(d), s.sums[S_PENALTY]
    has_apart = d.apart_from[u + 1] > d.apart_from[u]
    # First the routes of the nearest neighbours, then (small problems) all; then one empty truck of each group.
    tried = min(d.near.shape[1], VOISINS_ESSAYES) if d.n > GRAND else 0
    for i in range(tried + trucks):
        if i < tried:
            k = s.item[d.near[u, i]].truck
            if k < 0:
                continue
        else:
            k = i - tried
            if s.route[k].size == 0:
                group = d.n + trucks + d.truck[k].group
                if s.stamp[group] == mark:
                    continue
                s.stamp[group] = mark
            elif tried > 0:
                continue
        if s.stamp[d.n + k] == mark:
            continue
        s.stamp[d.n + k] = mark
        if not d.may[u, k] or (has_apart and apart_here(d, s, k, u)):
            continue
        s.counts[C_BLINK] -= 1
        if s.counts[C_BLINK] < 0:
            s.counts[C_BLINK] = int(d.draws[draw_int(s.random, TIRAGES)] / s.sums[S_BLINK])
            continue
        r = s.route[k]
        over = 0.0
        if soft:
            room, ask = s.load[k, 0, 0].slack, d.demand[u, 0]
            if ask > room + EPS:
                if penalty == 0.0 or ask - room > SURCHARGE_MAX * d.first_load[k, 0]:
                    continue
                over = penalty * (ask - room - max(0.0, -room))
        if cached and s.cache[u, k].version == r.version:
            c = s.cache[u, k]
            if c.price + over < best:
                best, route = c.price + over, k
                gap, shape, mode, first, second = c.gap, c.shape, c.mode, c.first, c.second
            continue
        if plain:
            price = INF
            if soft or fits(d.demand, s.load[k], 0, u):
                truck = d.truck[k]
                price = plain_gaps(
                    d.cost[truck.costs], d.element, truck, d.fin, s.visit[k], r.size, u, d.serve[truck.type], s.found
                )
                price += (truck.fixed if r.size == 0 else 0.0) - r.base
        else:
            price = best_in_route(d, s, k, u)
        if price + over < best:
            best, route = price + over, k
            gap, shape, mode, first, second = s.found[0], s.found[1], s.found[2], s.found[3], s.found[4]
        if cached:
            c = s.cache[u, k]
            c.version = r.version
            c.price = price
            c.gap, c.shape, c.mode, c.first, c.second = s.found[0], s.found[1], s.found[2], s.found[3], s.found[4]
    if route < 0:
        return False
    touch(s, route)
    put(d, s, route, gap, u, shape, mode, first, second)
    s.sums[S_CURRENT] -= d.element[u].skip
    s.counts[C_ABSENT] -= 1
    return True


@merged
def touch(s: Etat, k: int) -> None:
    """Keep route k as it was before its first change of this iteration."""
    r = s.route[k]
    if r.touched:
        return
    r.touched = 1
    s.touched[s.counts[C_TOUCHED]] = k
    s.counts[C_TOUCHED] += 1
    for p in range(r.size):
        s.old[k, p] = s.visit[k, p]
    r.old_size, r.old_version, r.old_base, r.old_value = r.size, r.version, r.base, r.value
    r.old_slack = s.load[k, 0, 0].slack


@merged
def put(d: Donnees, s: Etat, k: int, gap: int, u: int, shape: int, m: int, first: int, second: int) -> None:
    """Insert the block in the gap and price the route again."""
    s.sums[S_CURRENT] -= s.route[k].value
    if simple(d):
        size = s.route[k].size
        for p in range(size, gap, -1):
            s.visit[k, p] = s.visit[k, p - 1]
        s.visit[k, gap].e, s.visit[k, gap].mode = u, m
        s.route[k].size = size + 1
        revise(d, s, k, gap, gap)
        s.sums[S_CURRENT] += s.route[k].value
        return
    size = spread(s, d.n, k, gap, u, shape, m, first, second)
    for p in range(gap, size):
        s.visit[k, p].e, s.visit[k, p].mode = s.tmp[p].e, s.tmp[p].mode
    s.route[k].size = size
    rebuild(d, s, k)
    s.sums[S_CURRENT] += s.route[k].value
