"""Compiled: an absent item put where it costs least."""

from __future__ import annotations

from geodata.compilation import merged

from .noyau_calcul import rebuild, revise, simple
from .noyau_chemin import EPS, INF
from .noyau_donnees import (
    C_ABSENT,
    C_BLINK,
    C_STAMP,
    C_TOUCHED,
    S_BLINK,
    S_CURRENT,
    S_PENALTY,
    SURCHARGE_MAX,
    TIRAGES,
    Donnees,
    Etat,
)
from .noyau_hasard import draw_int
from .noyau_prix import VOISINS_ESSAYES, best_in_route, fits, plain_gaps, spread

#: From so many items on, only routes that hold one of the nearest neighbours are tried.
GRAND = 500


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
    # First the routes of the nearest neighbours, then (small problems) all, and one empty truck of each group; where
    # none of them will do, all the others.
    tried = min(d.near.shape[1], VOISINS_ESSAYES) if d.n > GRAND else 0
    for i in range(tried + 2 * trucks):
        if i < tried:
            k = s.item[d.near[u, i]].truck
            if k < 0:
                continue
        elif i >= tried + trucks:
            if tried == 0 or route >= 0:
                break
            k = i - tried - trucks
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
