"""Random changes of an answer under capacities, for a local search to start from again. numba, compiled once, cached.

Arrays as in `accueil.sacs`.
"""

from __future__ import annotations

from geodata.compilation import compiled

from .echange import F64, I8, I32, U64, draw
from .sacs import settle


@compiled
def _pick(verrou: I8, ouvert: I8, sens: int, state: U64) -> int:
    combien = 0
    for j in range(len(ouvert)):
        if verrou[j] == 0 and ouvert[j] == sens:
            combien += 1
    if combien == 0:
        return -1
    rang = draw(state, combien)
    for j in range(len(ouvert)):
        if verrou[j] == 0 and ouvert[j] == sens:
            if rang == 0:
                return j
            rang -= 1
    return -1


@compiled
def perturb(
    cout: F64,
    vol: F64,
    cap: F64,
    verrou: I8,
    p_min: int,
    p_max: int,
    ouvert: I8,
    affecte: I32,
    charge: F64,
    peine: float,
    state: U64,
) -> None:
    """One site swapped, added or dropped at random, or a tenth of the demands given elsewhere, in place."""
    m, n = cout.shape
    p = 0
    for j in range(m):
        p += ouvert[j]
    sorte = draw(state, 4)
    ferme = -1
    if sorte == 0 and p < p_max:
        ajoute = _pick(verrou, ouvert, 0, state)
        if ajoute >= 0:
            ouvert[ajoute] = 1
            charge[ajoute] = 0.0
    elif sorte == 1 and p > max(p_min, 1):
        ferme = _pick(verrou, ouvert, 1, state)
    elif sorte == 2:
        for _ in range(max(1, n // 10)):
            i = draw(state, n)
            k = draw(state, n)
            if affecte[i] != affecte[k]:
                charge[affecte[i]] -= vol[i]
                charge[affecte[k]] += vol[i]
                affecte[i] = affecte[k]
        return
    else:
        ferme = _pick(verrou, ouvert, 1, state)
        ajoute = _pick(verrou, ouvert, 0, state)
        if ferme >= 0 and ajoute >= 0:
            ouvert[ajoute] = 1
            charge[ajoute] = 0.0
        else:
            ferme = -1
    if ferme >= 0:
        ouvert[ferme] = 0
        charge[ferme] = 0.0
        for i in range(n):
            if affecte[i] == ferme:
                settle(cout, vol, cap, ouvert, affecte, charge, peine, i)
