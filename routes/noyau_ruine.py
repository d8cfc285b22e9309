"""Compiled: removal of strings of neighbouring services (Christiaens and Vanden Berghe 2020), segment by segment."""

from __future__ import annotations

from geodata.compilation import inner, merged

from .noyau_calcul import rebuild, revise, simple, walk
from .noyau_chemin import EPS, INF
from .noyau_donnees import C_ABSENT, C_STAMP, C_TOUCHED, PARCOURU, S_CURRENT, S_REMOVALS, Donnees, Etat
from .noyau_hasard import draw, draw_int
from .noyau_insertion import touch

#: Longest string.
CORDE_MAX = 10
#: Share of the strings that keep some services in their middle, and chance that one more is kept.
ENTAILLE = 0.5
ENTAILLE_PLUS = 0.01
#: Chance an iteration that a truck is emptied whole, if it serves no more than so many items.
VIDAGE, VIDAGE_MAX = 0.03, 40
#: Most absent items tried again at each iteration, beside those just removed.
ABSENTS_MAX = 12


@inner
def ruin(d: Donnees, s: Etat) -> int:
    """Remove strings around a random item; their number. ``removed`` holds them, then some of those absent before."""
    n = d.n
    segments, present = 0, 0
    for k in range(len(d.truck)):
        if s.route[k].services > 0:
            segments += s.route[k].segments
            present += s.route[k].services
    nr = 0
    if present > 0:
        longest = min(float(CORDE_MAX), present / segments)
        most = 4.0 * s.sums[S_REMOVALS] / (1.0 + longest) - 1.0
        strings = int(draw(s.random) * most + 1.0)
        seed = draw_int(s.random, n)
        if draw(s.random) < VIDAGE and s.item[seed].truck >= 0:
            nr = empty_truck(d, s, s.item[seed].truck)
        for i in range(-1, d.near.shape[1]):
            c = seed if i < 0 else d.near[seed, i]
            k = s.item[c].truck
            if k < 0:
                continue
            cut_to = cut(d, s, k, c, longest, nr)
            if cut_to > nr:
                strings -= 1
            nr = cut_to
            if strings <= 0 or nr >= n - 1:
                break
        for i in range(s.counts[C_TOUCHED]):
            close_up(d, s, s.touched[i])
    absent = s.counts[C_ABSENT] - nr
    if absent > 0:
        nr = recall(d, s, nr, absent)
    return nr


@merged
def lift(d: Donnees, s: Etat, u: int, nr: int) -> None:
    """Mark item u as removed, the one numbered nr."""
    s.item[u].truck = -1
    s.removed[nr] = u
    s.counts[C_ABSENT] += 1
    s.sums[S_CURRENT] += d.element[u].skip


@merged
def empty_truck(d: Donnees, s: Etat, k: int) -> int:
    """Mark all that route k serves as removed, if it is little enough to be placed elsewhere at once; their number."""
    nr = 0
    if s.route[k].services > VIDAGE_MAX:
        return nr
    touch(s, k)
    for at in range(s.route[k].size):
        if s.visit[k, at].e < d.n:
            lift(d, s, s.visit[k, at].e, nr)
            nr += 1
    return nr


@merged
def cut(d: Donnees, s: Etat, k: int, c: int, longest: float, nr: int) -> int:
    """Mark a string of the segment of item c as removed (`where` = -1); the new number removed."""
    p = s.item[c].at
    # One string a segment: the marks of the others would be in the way.
    low = p
    while low > 0 and s.visit[k, low - 1].e < d.n:
        low -= 1
        if s.item[s.visit[k, low].e].truck < 0:
            return nr
    high = p + 1
    while high < s.route[k].size and s.visit[k, high].e < d.n:
        if s.item[s.visit[k, high].e].truck < 0:
            return nr
        high += 1
    count = high - low
    length = int(draw(s.random) * min(longest, float(count)) + 1.0)
    length = min(length, count)
    kept = 0
    if length > 1 and length < count and draw(s.random) < ENTAILLE:
        kept = 1
        while length + kept < count and draw(s.random) < ENTAILLE_PLUS:
            kept += 1
    total = length + kept
    first = max(low, p - total + 1)
    start = first + draw_int(s.random, min(p, high - total) - first + 1)
    hole = start + 1 + draw_int(s.random, length - 1) if kept > 0 else high
    touch(s, k)
    for at in range(start, start + total):
        if hole <= at < hole + kept:
            continue
        lift(d, s, s.visit[k, at].e, nr)
        nr += 1
    return nr


@merged
def close_up(d: Donnees, s: Etat, k: int) -> None:
    """Drop the removed services of route k, then the reloads it can do without."""
    r = s.route[k]
    s.sums[S_CURRENT] -= r.value
    at, first, last = 0, r.size, -1
    for p in range(r.size):
        v = s.visit[k, p]
        if v.e >= d.n or s.item[v.e].truck == k:
            if at < p:
                s.visit[k, at] = v
            at += 1
        else:
            first, last = min(first, p), at - 1
    r.size = at
    if simple(d):
        revise(d, s, k, first, last)
    else:
        rebuild(d, s, k)
    if r.services < r.size:
        p = r.size - 1
        while p >= 0:
            if s.visit[k, p].e >= d.n and needless(d, s, k, p):
                for i in range(p, r.size - 1):
                    v = s.visit[k, i + 1]
                    s.visit[k, i].e, s.visit[k, i].mode = v.e, v.mode
                r.size -= 1
                rebuild(d, s, k)
            p -= 1
    s.sums[S_CURRENT] += r.value


@inner
def needless(d: Donnees, s: Etat, k: int, p: int) -> bool:
    """Whether route k can do without the reload at position p."""
    seg = s.seg[k, p + 1]
    for q in range(d.demand.shape[1]):
        before = s.load[k, seg - 1, q]
        if before.demand + s.load[k, seg, q].need - before.need > before.slack + EPS:
            return False
    if d.kind < PARCOURU:
        return True
    at = 0
    for i in range(s.route[k].size):
        if i != p:
            s.tmp[at].e, s.tmp[at].mode = s.visit[k, i].e, s.visit[k, i].mode
            at += 1
    return bool(walk(d, s, k, s.tmp, at, True) < INF)


@merged
def recall(d: Donnees, s: Etat, nr: int, absent: int) -> int:
    """Add some of the items absent before to ``removed``; the new number."""
    s.counts[C_STAMP] += 1
    mark = s.counts[C_STAMP]
    for i in range(nr):
        s.stamp[s.removed[i]] = mark
    wanted = min(absent, ABSENTS_MAX)
    start = draw_int(s.random, d.n)
    for i in range(d.n):
        u = start + i
        if u >= d.n:
            u -= d.n
        if s.item[u].truck == -1 and s.stamp[u] != mark:
            s.removed[nr] = u
            nr += 1
            wanted -= 1
            if wanted == 0:
                break
    return nr
