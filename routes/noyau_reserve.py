"""Compiled: routes of good plans kept aside for set partitioning, and plans put into the search from outside."""

from __future__ import annotations

from typing import Any

from geodata.compilation import bare, compiled, inner

from .noyau_calcul import rebuild, simple, walk
from .noyau_chemin import EPS, INF
from .noyau_donnees import C_ABSENT, C_TOUCHED, S_CURRENT, Donnees, Etat
from .noyau_insertion import apart_here


@inner
def store(s: Etat, k: int, group: int, n: int) -> None:
    """Keep route k: the cheapest order of each set of items and group of trucks, the last that fell on a cell."""
    r = s.route[k]
    if r.services == 0 or len(s.pool) < 2 or r.size > s.pool_visit.shape[1]:
        return
    key = s.marks[n + group]
    for p in range(r.size):
        e = s.visit[k, p].e
        if e < n:
            key ^= s.marks[e]
    cell = int(key % len(s.pool))
    c = s.pool[cell]
    if c.size > 0 and c.key == key and c.value <= r.value:
        return
    c.key, c.value, c.size, c.truck = key, r.value, r.size, k
    for p in range(r.size):
        s.pool_visit[cell, p].e, s.pool_visit[cell, p].mode = s.visit[k, p].e, s.visit[k, p].mode


@inner
def store_touched(d: Donnees, s: Etat) -> None:
    """Keep the routes that the accepted iteration changed."""
    for i in range(s.counts[C_TOUCHED]):
        if simple(d) and s.load[s.touched[i], 0, 0].slack < -EPS:
            continue
        store(s, s.touched[i], d.truck[s.touched[i]].group, d.n)


@compiled
def clear(d: Donnees, s: Etat) -> None:
    """Empty every route: all items absent."""
    empty(bare(d), bare(s))


@inner
def empty(d: Donnees, s: Etat) -> None:
    """`clear`, on arrays that are not counted."""
    for k in range(len(d.truck)):
        s.route[k].size = 0
        rebuild(d, s, k)
    s.sums[S_CURRENT] = 0.0
    s.counts[C_ABSENT] = 0
    for u in range(d.n):
        if s.item[u].truck > -2:
            s.item[u].truck = -1
            s.counts[C_ABSENT] += 1
            s.sums[S_CURRENT] += d.element[u].skip


@compiled
def settle(d: Donnees, s: Etat, k: int, sequence: Any) -> int:
    """Give an empty truck a sequence (records with ``e``, ``mode``), leaving out in order what breaks a rule or is
    served already; the number of elements left out."""
    return follow(bare(d), bare(s), k, sequence)


@inner
def follow(d: Donnees, s: Etat, k: int, sequence: Any) -> int:
    """`settle`, on arrays that are not counted."""
    r = s.route[k]
    dropped = 0
    for i in range(len(sequence)):
        e, m, at = sequence[i].e, sequence[i].mode, r.size
        if e < d.n and (s.item[e].truck != -1 or not d.may[e, k] or apart_here(d, s, k, e) or m >= d.element[e].modes):
            dropped += 1
            continue
        if at >= s.visit.shape[1] - 4:
            dropped += 1
            continue
        s.visit[k, at].e, s.visit[k, at].mode = e, m
        if walk(d, s, k, s.visit[k], at + 1, True) == INF:
            dropped += 1
            continue
        s.sums[S_CURRENT] -= r.value
        r.size = at + 1
        rebuild(d, s, k)
        s.sums[S_CURRENT] += r.value
        if e < d.n:
            s.sums[S_CURRENT] -= d.element[e].skip
            s.counts[C_ABSENT] -= 1
    return dropped
