"""Compiled: what greedy insertion alone never tries. Two trucks exchange their circuits, a reload is made that nothing
asks for yet, a service is turned round. Each is one step of an iteration that goes on, and is judged as a whole.
"""

from __future__ import annotations

from geodata.compilation import inner

from .noyau_calcul import needs, rebuild, walk
from .noyau_chemin import EPS, INF
from .noyau_donnees import C_TOUCHED, PARCOURU, S_CURRENT, Donnees, Etat
from .noyau_hasard import draw, draw_int
from .noyau_insertion import touch
from .noyau_ruine import needless

#: Chance an iteration that two trucks exchange circuits; draws of a pair that differs.
ECHANGE, TIRAGES_ECHANGE = 0.02, 4
#: Chance an iteration of a reload that nothing asks for, that it is a double one, and that there is one more elsewhere.
RECHARGE, RECHARGE_DOUBLE, RECHARGE_SUITE = 0.15, 0.4, 0.4
#: Where modes are held: chance an iteration that services just inserted are turned round, and that one of them is.
DEMI_TOUR, DEMI_TOUR_SUITE = 0.1, 0.3
#: Chance an iteration, when items are absent, that the first is inserted whatever it costs; that one more is.
FORCE, FORCE_SUITE = 0.15, 0.2


@inner
def again(d: Donnees, s: Etat, k: int) -> None:
    """`rebuild`, called: these steps are rare, and compile faster so."""
    rebuild(d, s, k)


@inner
def allowed(d: Donnees, s: Etat, k: int, j: int) -> bool:
    """Whether truck j may serve all that route k holds."""
    for p in range(s.route[k].size):
        e = s.visit[k, p].e
        if e < d.n and not d.may[e, j]:
            return False
    return True


@inner
def take_over(s: Etat, k: int, j: int) -> None:
    """Route k becomes what route j was before this iteration (nothing is priced)."""
    size = s.route[j].old_size
    for p in range(size):
        s.visit[k, p].e, s.visit[k, p].mode = s.old[j, p].e, s.old[j, p].mode
    s.route[k].size = size


@inner
def sound(d: Donnees, s: Etat, k: int) -> bool:
    """Whether route k, just rebuilt, keeps the rules of its truck (not the stocks)."""
    return s.route[k].value < INF and (d.kind == PARCOURU or needs(d, s, k, s.visit[k], s.route[k].size))


@inner
def exchange(d: Donnees, s: Etat) -> None:
    """Two trucks that differ exchange their whole circuits, one of which may be empty, where both may drive them."""
    trucks = len(d.truck)
    for _ in range(TIRAGES_ECHANGE):
        k, j = draw_int(s.random, trucks), draw_int(s.random, trucks)
        if d.truck[k].group == d.truck[j].group or s.route[k].size + s.route[j].size == 0:
            continue
        if not allowed(d, s, k, j) or not allowed(d, s, j, k):
            continue
        touch(s, k)
        touch(s, j)
        before = s.route[k].value + s.route[j].value
        take_over(s, k, j)
        take_over(s, j, k)
        again(d, s, k)
        again(d, s, j)
        if not (sound(d, s, k) and sound(d, s, j)):
            take_over(s, k, k)
            take_over(s, j, j)
            again(d, s, k)
            again(d, s, j)
        s.sums[S_CURRENT] += s.route[k].value + s.route[j].value - before
        return


@inner
def extra_reload(d: Donnees, s: Etat, nr: int) -> None:
    """One or two reloads in a gap of a route, near an item about to be inserted: room for it, or for the stocks."""
    count = 2 if draw(s.random) < RECHARGE_DOUBLE else 1
    if s.counts[C_TOUCHED] > 0 and draw(s.random) < 0.7:
        k = s.touched[draw_int(s.random, s.counts[C_TOUCHED])]
    else:
        k = draw_int(s.random, len(d.truck))
    u = s.removed[draw_int(s.random, nr)]
    r = s.route[k]
    if not d.may[u, k] or r.size + count + 3 >= s.visit.shape[1]:
        return
    touch(s, k)
    gap, before, size = draw_int(s.random, r.size + 1), r.value, r.size
    near = d.near_points[u]
    for p in range(size - 1, gap - 1, -1):
        s.visit[k, p + count].e, s.visit[k, p + count].mode = s.visit[k, p].e, s.visit[k, p].mode
    for i in range(count):
        s.visit[k, gap + i].e, s.visit[k, gap + i].mode = d.n + near[draw_int(s.random, len(near))], 0
    r.size = size + count
    again(d, s, k)
    if not r.value < INF:
        for p in range(gap, size):
            s.visit[k, p].e, s.visit[k, p].mode = s.visit[k, p + count].e, s.visit[k, p + count].mode
        r.size = size
        again(d, s, k)
    s.sums[S_CURRENT] += r.value - before


@inner
def drop_reload(s: Etat, k: int, at: int) -> None:
    """Take the element at that position out of route k (nothing is priced)."""
    for p in range(at, s.route[k].size - 1):
        s.visit[k, p].e, s.visit[k, p].mode = s.visit[k, p + 1].e, s.visit[k, p + 1].mode
    s.route[k].size -= 1


@inner
def trim(d: Donnees, s: Etat, k: int) -> None:
    """Drop the reloads of route k that it is better without."""
    r = s.route[k]
    before, p = r.value, r.size - 1
    while p >= 0 and r.services < r.size:
        drop = s.visit[k, p].e >= d.n and needless(d, s, k, p)
        if drop and d.kind == PARCOURU:  # `needless` has left the shorter route in ``tmp``
            drop = walk(d, s, k, s.tmp, r.size - 1, True) < r.value + EPS
        if drop:
            drop_reload(s, k, p)
            again(d, s, k)
        p -= 1
    s.sums[S_CURRENT] += r.value - before


@inner
def turn_round(d: Donnees, s: Etat, u: int) -> None:
    """Item u served in its other mode, where its truck still keeps the rules."""
    k = s.item[u].truck
    if k < 0 or d.element[u].modes < 2:
        return
    r, v = s.route[k], s.visit[k, s.item[u].at]
    before = r.value
    v.mode = 1 - v.mode
    again(d, s, k)
    if not r.value < INF:
        v.mode = 1 - v.mode
        again(d, s, k)
    s.sums[S_CURRENT] += r.value - before
