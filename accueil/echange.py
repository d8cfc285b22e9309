"""Fast interchange for the uncapacitated core: open sites that minimise assignment plus fixed costs.

The core, shared by p-median and maximal cover: ``cout`` (S, D) float64, cost of serving each demand from each site
(finite: what cannot serve carries a price that no good answer pays), ``fixe`` (S,) float64, ``verrou`` (S,) int8
(1 = open for good, 0 = free, -1 = closed for good), between p_min and p_max open sites.

Whitaker's swap evaluation (INFOR 1983; Resende and Werneck, EJOR 2007): with each demand's two best open sites, every
removal is valued together with one insertion in one reading of the row of the site inserted.

Random numbers come from a generator kept in an array (xorshift64*, Vigna 2016), so that the same seed gives the same
answer on any machine. numba loops, compiled once and cached.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geodata.compilation import compiled, merged

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I8 = NDArray[np.int8]
U64 = NDArray[np.uint64]

_FIN = 1e-9


def generator(seed: int) -> U64:
    """State (1,) uint64 of the random generator."""
    # Odd multiplier spreads neighbouring seeds; the state must not be 0.
    return np.array([(seed * 0x9E3779B97F4A7C15 + 0x1234567) % 2**64 or 1], dtype=np.uint64)


@compiled
def draw(state: U64, n: int) -> int:
    """Whole number from 0 to n - 1."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return int(((x * np.uint64(2685821657736338717)) >> np.uint64(33)) % np.uint64(n))


@merged
def _offer(i: int, j: int, c: float, premier: I32, second: I32, d1: F64, d2: F64) -> None:
    """Site j at cost c becomes demand i's best or second best if it is."""
    if c < d1[i]:
        d2[i] = d1[i]
        second[i] = premier[i]
        d1[i] = c
        premier[i] = j
    elif c < d2[i]:
        d2[i] = c
        second[i] = j


@compiled
def two_best(cout: F64, ouvert: I8, premier: I32, second: I32, d1: F64, d2: F64) -> None:
    """Each demand's best and second best open site (-1 = none) and their costs (inf = none)."""
    m, n = cout.shape
    for i in range(n):
        premier[i] = -1
        second[i] = -1
        d1[i] = np.inf
        d2[i] = np.inf
    for j in range(m):
        if ouvert[j] == 0:
            continue
        for i in range(n):
            _offer(i, j, cout[j, i], premier, second, d1, d2)


@compiled
def _rescan(cout: F64, liste: I32, p: int, i: int, premier: I32, second: I32, d1: F64, d2: F64) -> None:
    premier[i] = -1
    second[i] = -1
    d1[i] = np.inf
    d2[i] = np.inf
    for k in range(p):
        j = liste[k]
        _offer(i, j, cout[j, i], premier, second, d1, d2)


@compiled
def _replace(cout: F64, liste: I32, p: int, sort: int, entre: int, premier: I32, second: I32, d1: F64, d2: F64) -> None:
    """Two best after ``sort`` (-1 = none) left and ``entre`` (-1 = none) came; ``liste[:p]`` is the new set."""
    n = cout.shape[1]
    for i in range(n):
        if sort >= 0 and (premier[i] == sort or second[i] == sort):
            _rescan(cout, liste, p, i, premier, second, d1, d2)
        elif entre >= 0:
            _offer(i, entre, cout[entre, i], premier, second, d1, d2)


@compiled
def value(cout: F64, fixe: F64, ouvert: I8) -> float:
    """Objective of a set of open sites, inf for the empty one."""
    m, n = cout.shape
    meilleur = np.full(n, np.inf)
    total = 0.0
    for j in range(m):
        if ouvert[j] == 0:
            continue
        total += fixe[j]
        for i in range(n):
            if cout[j, i] < meilleur[i]:
                meilleur[i] = cout[j, i]
    for i in range(n):
        total += meilleur[i]
    return total


@compiled
def descend(
    cout: F64, fixe: F64, verrou: I8, p_min: int, p_max: int, ouvert: I8, state: U64, travail: int
) -> tuple[float, int]:
    """Improve ``ouvert`` in place by swaps, insertions and removals (first improvement, sites in random rotation)
    until none is left or about ``travail`` cells were read. Returns the objective and the work left (0 = not ended)."""
    m, n = cout.shape
    premier = np.empty(n, dtype=np.int32)
    second = np.empty(n, dtype=np.int32)
    d1 = np.empty(n)
    d2 = np.empty(n)
    two_best(cout, ouvert, premier, second, d1, d2)
    liste = np.empty(m, dtype=np.int32)
    p = 0
    total = 0.0
    for j in range(m):
        if ouvert[j] != 0:
            liste[p] = j
            p += 1
            total += fixe[j]
    for i in range(n):
        total += d1[i]
    perte = np.zeros(m)
    debut = draw(state, m)
    sans = 0
    k = 0
    while sans < m and travail > 0:
        j = (debut + k) % m
        k += 1
        sans += 1
        if ouvert[j] != 0:
            if verrou[j] == 0 and p > p_min and fixe[j] > 0 and p > 1:
                # Removal alone pays only where a site costs something.
                delta = -fixe[j]
                for i in range(n):
                    if premier[i] == j:
                        delta += d2[i] - d1[i]
                travail -= n
                if delta < -_FIN:
                    ouvert[j] = 0
                    for q in range(p):
                        if liste[q] == j:
                            liste[q] = liste[p - 1]
                            break
                    p -= 1
                    _replace(cout, liste, p, j, -1, premier, second, d1, d2)
                    total += delta
                    travail -= n
                    sans = 0
            continue
        if verrou[j] < 0:
            continue
        gain = -fixe[j]
        for q in range(p):
            perte[liste[q]] = -fixe[liste[q]]
        for i in range(n):
            c = cout[j, i]
            if c < d1[i]:
                gain += d1[i] - c
            else:
                perte[premier[i]] += min(c, d2[i]) - d1[i]
        travail -= n + p
        sort = -1
        moindre = np.inf
        for q in range(p):
            r = liste[q]
            if verrou[r] == 0 and perte[r] < moindre:
                moindre = perte[r]
                sort = r
        seul = p < p_max and (sort < 0 or moindre >= 0.0)
        if not seul and sort < 0:
            continue
        delta = -gain if seul else moindre - gain
        if delta < -_FIN * max(1.0, abs(total)):
            ouvert[j] = 1
            if seul:
                liste[p] = j
                p += 1
                _replace(cout, liste, p, -1, j, premier, second, d1, d2)
            else:
                ouvert[sort] = 0
                for q in range(p):
                    if liste[q] == sort:
                        liste[q] = j
                        break
                _replace(cout, liste, p, sort, j, premier, second, d1, d2)
            total += delta
            travail -= 2 * n
            sans = 0
    return total, max(travail, 0)


@compiled
def greedy(cout: F64, fixe: F64, verrou: I8, p_min: int, p_max: int, ouvert: I8) -> None:
    """Add the best site again and again, in place, up to p_max or, from p_min on, while it pays."""
    m, n = cout.shape
    meilleur = np.full(n, np.inf)
    p = 0
    for j in range(m):
        if ouvert[j] != 0:
            p += 1
            for i in range(n):
                meilleur[i] = min(meilleur[i], cout[j, i])
    while p < p_max:
        choix = -1
        mieux = np.inf
        for j in range(m):
            if ouvert[j] != 0 or verrou[j] < 0:
                continue
            v = fixe[j]
            for i in range(n):
                c = cout[j, i]
                if p == 0:
                    v += c
                elif c < meilleur[i]:
                    v += c - meilleur[i]
            if v < mieux:
                mieux = v
                choix = j
        if choix < 0 or (p >= max(p_min, 1) and mieux >= 0.0):
            return
        ouvert[choix] = 1
        p += 1
        for i in range(n):
            meilleur[i] = min(meilleur[i], cout[choix, i])


@compiled
def random_open(verrou: I8, p: int, ouvert: I8, state: U64) -> None:
    """Locked sites and random free ones, p in all (in place)."""
    m = len(verrou)
    libres = np.empty(m, dtype=np.int32)
    n_libres = 0
    compte = 0
    for j in range(m):
        ouvert[j] = 1 if verrou[j] > 0 else 0
        compte += ouvert[j]
        if verrou[j] == 0:
            libres[n_libres] = j
            n_libres += 1
    while compte < p and n_libres > 0:
        k = draw(state, n_libres)
        ouvert[libres[k]] = 1
        n_libres -= 1
        libres[k] = libres[n_libres]
        compte += 1


@compiled
def shake(verrou: I8, ouvert: I8, force: int, state: U64) -> None:
    """Swap ``force`` random open free sites for random closed ones, in place."""
    m = len(verrou)
    for _ in range(force):
        for sens in (1, 0):
            combien = 0
            for j in range(m):
                if verrou[j] == 0 and ouvert[j] == sens:
                    combien += 1
            if combien == 0:
                return
            rang = draw(state, combien)
            for j in range(m):
                if verrou[j] == 0 and ouvert[j] == sens:
                    if rang == 0:
                        ouvert[j] = 1 - sens
                        break
                    rang -= 1
