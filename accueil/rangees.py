"""Interchange under rows over the open sites: numba loop, compiled once and cached."""

from __future__ import annotations

import numpy as np

from geodata.compilation import compiled

from .echange import F64, I8, two_best

#: Swaps after which the search ends, whatever is left to gain.
ECHANGES = 500


@compiled
def _excess(charge: F64, limite: F64) -> float:
    total = 0.0
    for k in range(len(charge)):
        total += max(0.0, charge[k] - limite[k] - 1e-12)
    return total


@compiled
def descend_rows(
    cout: F64, fixe: F64, verrou: I8, a: F64, b: F64, p_min: int, p_max: int, ouvert: I8
) -> tuple[float, float]:
    """Best swaps, insertions and removals, in place, of ``ouvert`` (S,): first towards ``a @ ouvert <= b``, a (k, S),
    then of less cost within it. Returns what exceeds the rows (0 = fits) and the objective.

    ``cout`` (S, D), ``fixe`` (S,), ``verrou`` (S,): see `accueil.echange`.
    """
    m, n = cout.shape
    lignes = len(b)
    premier = np.empty(n, dtype=np.int32)
    second = np.empty(n, dtype=np.int32)
    d1 = np.empty(n)
    d2 = np.empty(n)
    perte = np.empty(m)
    charge = np.empty(lignes)
    essai = np.empty(lignes)
    total = np.inf
    exces = np.inf
    for _ in range(ECHANGES):
        two_best(cout, ouvert, premier, second, d1, d2)
        p = 0
        total = 0.0
        charge[:] = 0.0
        for j in range(m):
            if ouvert[j] != 0:
                p += 1
                total += fixe[j]
                for k in range(lignes):
                    charge[k] += a[k, j]
        for i in range(n):
            total += d1[i]
        exces = _excess(charge, b)
        mieux_exces = exces - 1e-9
        mieux_delta = np.inf
        sort = -1
        entre = -1
        # entre = m: nothing comes in; sort = m: nothing goes out.
        for j in range(m + 1):
            if j < m and (ouvert[j] != 0 or verrou[j] < 0):
                continue
            gain = 0.0
            for r in range(m):
                perte[r] = 0.0
            for i in range(n):
                c = cout[j, i] if j < m else np.inf
                if c < d1[i]:
                    gain += d1[i] - c
                else:
                    perte[premier[i]] += min(c, d2[i]) - d1[i]
            if j < m:
                gain -= fixe[j]
            for r in range(m + 1):
                if r < m and (ouvert[r] == 0 or verrou[r] > 0):
                    continue
                compte = p + (1 if j < m else 0) - (1 if r < m else 0)
                if compte < max(p_min, 1) or compte > p_max or (j == m and r == m):
                    continue
                delta = -gain
                if r < m:
                    delta += perte[r] - fixe[r]
                for k in range(lignes):
                    essai[k] = charge[k] + (a[k, j] if j < m else 0.0) - (a[k, r] if r < m else 0.0)
                apres = _excess(essai, b)
                if exces > 0.0:
                    prend = apres < mieux_exces - 1e-12 or (apres <= mieux_exces + 1e-12 and delta < mieux_delta)
                else:
                    prend = apres <= 0.0 and delta < mieux_delta and delta < -1e-9 * max(1.0, abs(total))
                if prend:
                    mieux_exces = min(mieux_exces, apres)
                    mieux_delta = delta
                    sort = r
                    entre = j
        if sort < 0:
            break
        if sort < m:
            ouvert[sort] = 0
        if entre < m:
            ouvert[entre] = 1
    return exces, total
