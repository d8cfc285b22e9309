"""Compiled: loads and stocks of a route, the exact walk of a sequence, all that is kept of a route."""

from __future__ import annotations

from typing import Any

from geodata.compilation import inner, merged

from .noyau_chemin import EPS, INF, clocks, end_cost, end_time, price_both_ways, price_held
from .noyau_donnees import C_VERSION, MINUTE, PARCOURU, S_EXCESS, S_WAIT, Donnees, Etat


@inner
def segments(
    visit: Any, size: int, n: int, demand: Any, refill: Any, capacity: Any, first: Any, seg: Any, load: Any
) -> int:
    """Write segments of a route: demand, need, and how much each may still take. Number of segments."""
    at, products = 0, demand.shape[1]
    seg[0] = 0
    for q in range(products):
        load[0, q].before = 0.0
        load[0, q].demand = 0.0
    for p in range(size):
        e = visit[p].e
        if e >= n:
            at += 1
            for q in range(products):
                load[at, q].demand = 0.0
                load[p + 1, q].before = 0.0
        else:
            for q in range(products):
                load[at, q].demand += demand[e, q]
                load[p + 1, q].before = load[at, q].demand
        seg[p + 1] = at
    for q in range(products):
        later, i = 0.0, at
        for back in range(size):
            e = visit[size - 1 - back].e
            if e >= n:
                load[i, q].need = load[i, q].demand + later
                later = max(0.0, load[i, q].need - refill[e - n, q])
                i -= 1
        load[0, q].need = load[0, q].demand + later
        load[0, q].slack = first[q] - load[0, q].need
        i = 0
        for p in range(size):
            e = visit[p].e
            if e >= n:
                i += 1
                # What the visit gives beyond the need is room of its own; the rest must come from before.
                spare = max(0.0, refill[e - n, q] - load[i, q].need) + load[i - 1, q].slack
                load[i, q].slack = min(capacity[q] - load[i, q].need, spare)
    return at + 1


@inner
def needs(d: Donnees, s: Etat, k: int, seq: Any, size: int) -> bool:
    """Write the needs of a sequence's segments in ``tmp_seg``; whether truck k can hold them."""
    n, seg, products = d.n, 0, d.demand.shape[1]
    s.tmp_seg[0, :] = 0.0
    for p in range(size):
        e = seq[p].e
        if e >= n:
            seg += 1
            s.tmp_seg[seg, :] = 0.0
        else:
            for q in range(products):
                s.tmp_seg[seg, q] += d.demand[e, q]
    for q in range(products):
        later, at = 0.0, seg
        for back in range(size):
            e = seq[size - 1 - back].e
            if e >= n:
                need = s.tmp_seg[at, q] + later
                if need > d.capacity[k, q] + EPS:
                    return False
                s.tmp_seg[at, q] = need
                later = max(0.0, need - d.refill[e - n, q])
                at -= 1
        s.tmp_seg[0, q] += later
        if s.tmp_seg[0, q] > d.first_load[k, q] + EPS:
            return False
    return True


@merged
def draw_stocks(d: Donnees, s: Etat, k: int, seq: Any, size: int, bound: bool) -> bool:
    """Write in ``tmp_used`` what the sequence takes from each stock, after `needs`; whether the stocks suffice, what
    truck k draws at present being free again (always when they are not to ``bound``)."""
    products = d.demand.shape[1]
    s.tmp_used[:, :] = 0.0
    for q in range(products):
        hand, at = s.tmp_seg[0, q], 0
        if d.truck[k].stock >= 0:
            s.tmp_used[d.truck[k].stock, q] += hand
        for p in range(size):
            e = seq[p].e
            if e >= d.n:
                at += 1
                taken = max(0.0, s.tmp_seg[at, q] - hand)
                hand += taken
                s.tmp_used[d.element[e].stock, q] += taken
            else:
                hand -= d.demand[e, q]
    if bound:
        for i in range(len(d.stock)):
            for q in range(products):
                if s.stock_used[i, q] - s.used[k, i, q] + s.tmp_used[i, q] > d.stock[i, q] + EPS:
                    return False
    return True


@inner
def walk(d: Donnees, s: Etat, k: int, seq: Any, size: int, stocks: bool) -> Any:
    """Objective of truck k following the sequence (records with ``e`` and ``mode``), INF where a rule is broken.

    Writes the stocks drawn in ``tmp_used`` and the waiting in ``sums[S_WAIT]``. ``stocks``: they must suffice.
    """
    s.sums[S_WAIT] = 0.0
    if size == 0:
        s.tmp_used[:, :] = 0.0
        return 0.0
    if not needs(d, s, k, seq, size):
        return INF
    if d.kind == PARCOURU and not draw_stocks(d, s, k, seq, size, stocks):
        return INF
    truck = d.truck[k]
    cost, time, serve = d.cost[truck.costs], d.time[truck.profile], d.serve[truck.type]
    total, wait, late, driving = 0.0, 0.0, 0.0, 0.0
    clock, place = truck.shift, truck.home_out
    for p in range(size):
        v = seq[p]
        e = d.element[v.e]
        target = e.in1 if v.mode else e.in0
        total += cost[place, target] + (serve[v.e].cost1 if v.mode else serve[v.e].cost0)
        if d.kind:
            leg = float(time[place, target])
            spent = serve[v.e].time1 if v.mode else serve[v.e].time0
            clock += leg
            driving += leg
            if clock < e.earliest:
                wait += e.earliest - clock
                clock = e.earliest
            if clock > e.latest + EPS:
                return INF
            clock += spent
            if v.e < d.n:
                driving += spent
            if clock > e.deadline:
                late += e.late_price * (clock - e.deadline)
        place = e.out1 if v.mode else e.out0
    total += end_cost(cost, truck, d.fin, place)
    s.sums[S_WAIT] = wait
    if d.kind:
        leg = end_time(time, truck, d.fin, place)
        duty = clock + leg - truck.shift
        if duty > truck.span + EPS or driving + leg > truck.driving + EPS:
            return INF
        total += wait * truck.wait_price + late + d.balance * duty * duty
    return total + truck.fixed


@inner
def rebuild_full(d: Donnees, s: Etat, k: int) -> None:
    """`rebuild`, whatever the problem."""
    r, truck = s.route[k], d.truck[k]
    cost, serve = d.cost[truck.costs], d.serve[truck.type]
    size = r.size
    fixed = truck.fixed if size > 0 else 0.0
    if d.kind == 0:
        r.base = price_both_ways(cost, d.element, serve, truck, d.fin, s.visit[k], size, 0, size - 1)
        r.value = r.base + fixed
    else:
        r.base = price_held(cost, d.element, serve, truck, d.fin, s.visit[k], size)
        if d.kind == MINUTE:
            r.value = 0.0
            if size > 0:
                time = d.time[truck.profile]
                duty = clocks(time, d.element, serve, truck, d.fin, s.visit[k], s.times[k], size, d.n)
                r.value = r.base + fixed + (d.balance * duty * duty if d.balance > 0.0 else 0.0)
                if duty == INF:
                    r.value = INF
        else:
            r.value = walk(d, s, k, s.visit[k], size, False)
            r.wait = s.sums[S_WAIT]
            for i in range(len(d.stock)):
                for q in range(d.demand.shape[1]):
                    s.stock_used[i, q] += s.tmp_used[i, q] - s.used[k, i, q]
                    s.used[k, i, q] = s.tmp_used[i, q]
    if len(d.refill) > 0:
        r.segments = segments(
            s.visit[k], size, d.n, d.demand, d.refill, d.capacity[k], d.first_load[k], s.seg[k], s.load[k]
        )
    else:
        r.segments = 1
        for q in range(d.demand.shape[1]):
            total = 0.0
            for p in range(size):
                total += d.demand[s.visit[k, p].e, q]
            s.load[k, 0, q].need = total
            s.load[k, 0, q].slack = d.first_load[k, q] - total
    services = 0
    for p in range(size):
        e = s.visit[k, p].e
        if e < d.n:
            s.item[e].truck = k
            s.item[e].at = p
            services += 1
    r.services = services
    s.counts[C_VERSION] += 1
    r.version = s.counts[C_VERSION]


@merged
def simple(d: Donnees) -> bool:
    """Whether loads of one product, without reloads, are all there is to hold: the commonest problem."""
    return bool(d.kind == 0 and len(d.refill) == 0 and d.demand.shape[1] == 1)


@merged
def rebuild(d: Donnees, s: Etat, k: int) -> None:
    """All that is kept of route k from its sequence (and modes where they are held); a new version."""
    if simple(d):
        revise(d, s, k, 0, s.route[k].size - 1)
    else:
        rebuild_full(d, s, k)


@merged
def set_slack(s: Etat, k: int, slack: float) -> None:
    """What route k of a `simple` problem may still take, below 0 when it is over; the plan's excess follows."""
    s.sums[S_EXCESS] += max(0.0, -slack) - max(0.0, -s.load[k, 0, 0].slack)
    s.load[k, 0, 0].slack = slack


@inner
def revise(d: Donnees, s: Etat, k: int, first: int, last: int) -> None:
    """The same for a `simple` problem, where nothing is new before ``first`` nor after ``last``."""
    r, truck = s.route[k], d.truck[k]
    size = r.size
    r.base = price_both_ways(
        d.cost[truck.costs], d.element, d.serve[truck.type], truck, d.fin, s.visit[k], size, first, last
    )
    r.value = r.base + (truck.fixed if size > 0 else 0.0)
    load = 0.0
    for p in range(size):
        load += d.demand[s.visit[k, p].e, 0]
    s.load[k, 0, 0].need = load
    set_slack(s, k, d.first_load[k, 0] - load)
    for p in range(first, size):
        item = s.item[s.visit[k, p].e]
        item.truck = k
        item.at = p
    r.segments, r.services = 1, size
    s.counts[C_VERSION] += 1
    r.version = s.counts[C_VERSION]
