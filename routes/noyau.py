"""Compiled: the iteration of the search, ruin and recreate under simulated annealing, with nothing lost on the way."""

from __future__ import annotations

from geodata.compilation import bare, compiled, inner, merged

from .noyau_calcul import rebuild, set_slack, simple, walk
from .noyau_chemin import EPS, best_modes, price_both_ways
from .noyau_donnees import (
    C_ABSENT,
    C_ACCEPTED,
    C_ITER,
    C_TOUCHED,
    S_BEST,
    S_COOLING,
    S_CURRENT,
    S_EXCESS,
    S_PENALTY,
    S_PRICE,
    S_TEMPERATURE,
    TIRAGES,
    Donnees,
    Etat,
)
from .noyau_ecarts import (
    DEMI_TOUR,
    DEMI_TOUR_SUITE,
    ECHANGE,
    FORCE,
    FORCE_SUITE,
    RECHARGE,
    RECHARGE_SUITE,
    exchange,
    extra_reload,
    trim,
    turn_round,
)
from .noyau_hasard import draw, draw_int
from .noyau_insertion import insert_best
from .noyau_reserve import store_touched
from .noyau_ruine import ruin

#: Routes of plans within so much of the best are kept for set partitioning.
PRES = 0.02
#: Change of the price of excess load at each cooling, while there is some and while there is none.
PLUS, MOINS = 1.05, 0.95
#: How many times dearer or cheaper than at first it may become.
MARGE = 1_000.0
#: Iterations between two coolings.
PAS = 100


@merged
def order(d: Donnees, s: Etat, nr: int) -> None:
    """Sort ``removed``: at random, largest first, farthest first, nearest first, or most urgent first."""
    x = draw(s.random)
    for i in range(nr):
        u = s.removed[i]
        if x < 4.0 / 11.0:
            s.key[i] = draw(s.random)
        elif x < 8.0 / 11.0:
            s.key[i] = -d.element[u].bulk
        elif x < 10.0 / 11.0:
            s.key[i] = -d.element[u].far
        else:
            s.key[i] = d.element[u].far
    if d.kind == 2 and draw(s.random) < 0.3:
        for i in range(nr):
            s.key[i] = d.element[s.removed[i]].deadline
    for i in range(1, nr):
        u, key = s.removed[i], s.key[i]
        j = i
        while j > 0 and s.key[j - 1] > key:
            s.removed[j] = s.removed[j - 1]
            s.key[j] = s.key[j - 1]
            j -= 1
        s.removed[j] = u
        s.key[j] = key


@merged
def polish(d: Donnees, s: Etat, k: int) -> None:
    """Where modes are held: take the cheapest ones of the whole route when the route is better for it."""
    r, truck = s.route[k], d.truck[k]
    if r.size == 0:
        return
    cost = d.cost[truck.costs]
    price_both_ways(cost, d.element, d.serve[truck.type], truck, d.fin, s.visit[k], r.size, 0, r.size - 1)
    differ = best_modes(cost, d.element, truck, s.visit[k], r.size, s.tmp)
    if differ and walk(d, s, k, s.tmp, r.size, True) < r.value:
        for p in range(r.size):
            s.visit[k, p].mode = s.tmp[p].mode
    s.sums[S_CURRENT] -= r.value
    rebuild(d, s, k)
    s.sums[S_CURRENT] += r.value


@merged
def stocks_hold(d: Donnees, s: Etat) -> bool:
    """Whether no stock is overdrawn."""
    for i in range(len(d.stock)):
        for q in range(d.demand.shape[1]):
            if s.stock_used[i, q] > d.stock[i, q] + EPS:
                return False
    return True


@merged
def undo(d: Donnees, s: Etat, nr: int) -> None:
    """Put every touched route back."""
    for i in range(nr):
        s.item[s.removed[i]].truck = -1
    for i in range(s.counts[C_TOUCHED]):
        k = s.touched[i]
        r = s.route[k]
        r.size = r.old_size
        for p in range(r.size):
            s.visit[k, p] = s.old[k, p]
        if simple(d):
            r.base, r.value = r.old_base, r.old_value
            set_slack(s, k, r.old_slack)
            r.services = r.size
            for p in range(r.size):
                item = s.item[s.visit[k, p].e]
                item.truck = k
                item.at = p
        else:
            rebuild(d, s, k)
        r.version = r.old_version


@merged
def keep_best(d: Donnees, s: Etat) -> None:
    """The current plan is the best one. Modes that were left free (kind 0) are settled in it."""
    s.sums[S_BEST] = s.sums[S_CURRENT]
    for k in range(len(s.route)):
        r = s.route[k]
        r.best_size, r.best_value = r.size, r.value
        if d.kind == 0:
            truck = d.truck[k]
            best_modes(d.cost[truck.costs], d.element, truck, s.visit[k], r.size, s.best[k])
            continue
        for p in range(r.size):
            s.best[k, p].e, s.best[k, p].mode = s.visit[k, p].e, s.visit[k, p].mode


@compiled
def iterate(d: Donnees, s: Etat, iterations: int) -> None:
    """So many iterations; the temperature falls by ``S_COOLING`` every `PAS` of them."""
    run(bare(d), bare(s), iterations)


@inner
def run(d: Donnees, s: Etat, iterations: int) -> None:
    """`iterate`, on arrays that are not counted."""
    for _ in range(iterations):
        s.counts[C_ITER] += 1
        if s.counts[C_ITER] % PAS == 0:
            s.sums[S_TEMPERATURE] *= s.sums[S_COOLING]
            price = s.sums[S_PENALTY] * (PLUS if s.sums[S_EXCESS] > EPS else MOINS)
            s.sums[S_PENALTY] = min(max(price, s.sums[S_PRICE] / MARGE), s.sums[S_PRICE] * MARGE)
        penalty = s.sums[S_PENALTY]
        before, absent, excess = s.sums[S_CURRENT], s.counts[C_ABSENT], s.sums[S_EXCESS]
        limit = before + penalty * s.sums[S_EXCESS] + s.sums[S_TEMPERATURE] * d.draws[draw_int(s.random, TIRAGES)]
        s.counts[C_TOUCHED] = 0
        if len(d.truck) > 1 and draw(s.random) < ECHANGE:
            exchange(d, s)
        nr = ruin(d, s)
        order(d, s, nr)
        force = absent > 0 and draw(s.random) < FORCE
        turn = d.kind > 0 and draw(s.random) < DEMI_TOUR
        reload = len(d.refill) > 0 and nr > 0 and draw(s.random) < RECHARGE
        if reload:
            extra_reload(d, s, nr)
            while draw(s.random) < RECHARGE_SUITE:
                extra_reload(d, s, nr)
        # Nothing absent but what was just removed, and no insertion makes a route cheaper: what is too dear stays so.
        hopeless = d.kind == 0 and absent == 0 and not reload
        rest = 0.0
        if hopeless:
            for i in range(nr):
                rest += d.element[s.removed[i]].skip
        for i in range(nr):
            u = s.removed[i]
            insert_best(d, s, u, force and (i == 0 or draw(s.random) < FORCE_SUITE))
            if hopeless:
                rest -= d.element[u].skip
                if s.sums[S_CURRENT] + penalty * s.sums[S_EXCESS] - rest >= limit and i < nr - 1:
                    break
            if turn and draw(s.random) < DEMI_TOUR_SUITE:
                turn_round(d, s, u)
        if reload:
            for i in range(s.counts[C_TOUCHED]):
                trim(d, s, s.touched[i])
        if d.kind > 0:
            for i in range(s.counts[C_TOUCHED]):
                polish(d, s, s.touched[i])
        kept = s.sums[S_CURRENT] + penalty * s.sums[S_EXCESS] < limit and (d.kind < 2 or stocks_hold(d, s))
        if kept:
            s.counts[C_ACCEPTED] += 1
            if len(s.pool) > 1 and s.sums[S_CURRENT] < s.sums[S_BEST] + PRES * abs(s.sums[S_BEST]):
                store_touched(d, s)
            if s.sums[S_CURRENT] < s.sums[S_BEST] - EPS and s.sums[S_EXCESS] <= EPS:
                keep_best(d, s)
        else:
            undo(d, s, nr)
            s.sums[S_CURRENT], s.sums[S_EXCESS] = before, excess
            s.counts[C_ABSENT] = absent
        for i in range(s.counts[C_TOUCHED]):
            s.route[s.touched[i]].touched = 0


@compiled
def compare(d: Donnees, s: Etat) -> None:
    """Keep the current plan if it is the best one."""
    if s.sums[S_CURRENT] < s.sums[S_BEST] - EPS and s.sums[S_EXCESS] <= EPS and (d.kind < 2 or stocks_hold(d, s)):
        keep_best(d, s)


@compiled
def construct(d: Donnees, s: Etat) -> None:
    """Price the empty routes, then insert every absent item once, greedily, in a random order."""
    fill(bare(d), bare(s))


@inner
def fill(d: Donnees, s: Etat) -> None:
    """`construct`, on arrays that are not counted."""
    for k in range(len(s.route)):
        if s.route[k].size == 0:
            rebuild(d, s, k)
    nr = 0
    for u in range(d.n):
        if s.item[u].truck == -1:
            s.removed[nr] = u
            nr += 1
    for i in range(nr - 1, 0, -1):
        j = draw_int(s.random, i + 1)
        s.removed[i], s.removed[j] = s.removed[j], s.removed[i]
    s.counts[C_TOUCHED] = 0
    for i in range(nr):
        insert_best(d, s, s.removed[i], False)
    for i in range(s.counts[C_TOUCHED]):
        s.route[s.touched[i]].touched = 0
    if s.sums[S_CURRENT] < s.sums[S_BEST]:
        keep_best(d, s)
