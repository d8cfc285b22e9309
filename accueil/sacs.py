"""Loops of the single-source core: knapsack bound and local search. numba, compiled once and cached.

Arrays: ``cout`` (S, D) cost of serving each demand from each site (finite); ``fixe``, ``cap`` (S,); ``vol`` (D,);
``verrou`` (S,) int8, 1 = open for good; ``ouvert`` (S,) int8; ``affecte`` (D,) int32 site of each demand; ``charge``
(S,) volume received.
"""

from __future__ import annotations

import numpy as np

from geodata.compilation import compiled

from .echange import F64, I8, I32

_FIN = 1e-9
#: Most rounds of a local search; tens are many.
_TOURS = 1000

#: Knapsacks: of shares; of whole demands, exactly (dynamic programming, whole volumes); of whole demands, relaxed.
PARTAGE, ENTIER, RELACHE = 0, 1, 2


@compiled
def _knapsack(cout_j: F64, u: F64, vol: F64, cap: float, sorte: int, pris: F64, garde: bool) -> float:
    """Least ``sum (c_i - u_i) x_i`` within the capacity; ``sorte``: PARTAGE, ENTIER or RELACHE. ``pris`` (D,) receives
    x when ``garde``."""
    n = len(u)
    objets = np.empty(n, dtype=np.int32)
    k = 0
    somme = 0.0
    poids = 0.0
    for i in range(n):
        pris[i] = 0.0
        if u[i] > cout_j[i] and (sorte == PARTAGE or vol[i] <= cap):
            objets[k] = i
            k += 1
            somme += cout_j[i] - u[i]
            poids += vol[i]
    if poids <= cap:
        if garde:
            for q in range(k):
                pris[objets[q]] = 1.0
        return somme
    if sorte != ENTIER:
        rapport = np.empty(k)
        for q in range(k):
            i = objets[q]
            rapport[q] = -(u[i] - cout_j[i]) / max(vol[i], 1e-12)
        reste = cap
        total = 0.0
        for q in np.argsort(rapport):
            i = objets[q]
            part = min(1.0, reste / vol[i]) if vol[i] > 0 else 1.0
            if part <= 0:
                break
            total += part * (cout_j[i] - u[i])
            reste -= part * vol[i]
            if garde:
                pris[i] = part
        return total
    taille = int(cap)
    gain = np.zeros(taille + 1)
    traces = np.zeros((k if garde else 1, taille + 1), dtype=np.uint8)
    for q in range(k):
        i = objets[q]
        v = int(vol[i])
        g = u[i] - cout_j[i]
        for c in range(taille, v - 1, -1):
            avec = gain[c - v] + g
            if avec > gain[c]:
                gain[c] = avec
                if garde:
                    traces[q, c] = 1
    if garde:
        c = taille
        for q in range(k - 1, -1, -1):
            if traces[q, c] == 1:
                pris[objets[q]] = 1.0
                c -= int(vol[objets[q]])
    return -float(gain[taille])


@compiled
def _room_price(rho: F64, cap: F64, verrou: I8, besoin: float) -> tuple[float, int, float]:
    """Price of one unit of room when the sites open must hold everybody together: dual of the linear relaxation of
    ``min rho y, cap y >= besoin``. Returns it, the site it opens in part (-1 = none) and that part."""
    m = len(rho)
    rapport = np.empty(m)
    manque = besoin
    for j in range(m):
        rapport[j] = np.inf
        if verrou[j] > 0 or (verrou[j] == 0 and rho[j] < 0.0):
            manque -= cap[j]
        elif verrou[j] == 0 and cap[j] > 0.0:
            rapport[j] = rho[j] / cap[j]
    if manque <= 0.0:
        return 0.0, -1, 0.0
    for j in np.argsort(rapport):
        if rapport[j] == np.inf:
            break
        if cap[j] >= manque:
            return rapport[j], j, manque / cap[j]
        manque -= cap[j]
    return 0.0, -1, 0.0


@compiled
def climb_sacs(
    cout: F64,
    fixe: F64,
    vol: F64,
    cap: F64,
    verrou: I8,
    sorte: int,
    p_min: int,
    p_max: int,
    u: F64,
    direction: F64,
    meilleur_u: F64,
    rho_meilleur: F64,
    choix: I8,
    etat: F64,
    haut: float,
    pas: int,
) -> int:
    """Subgradient steps in place. ``etat``: [best bound, step factor, stale steps, threshold to open, threshold to
    close, 1 when proven infeasible]. Returns steps done."""
    m, n = cout.shape
    rho = np.empty(m)
    pris = np.empty(n)
    servi = np.empty(n)
    fait = 0
    besoin = vol.sum()
    while fait < pas and etat[1] > 1e-3 and etat[5] == 0.0:
        fait += 1
        for j in range(m):
            rho[j] = fixe[j] + _knapsack(cout[j], u, vol, cap[j], sorte, pris, False) if verrou[j] >= 0 else np.inf
        # Open sites together hold everybody: relaxed at its price, which the bound gets back for the whole volume.
        prix, partiel, fraction = _room_price(rho, cap, verrou, besoin)
        for j in range(m):
            choix[j] = 1 if verrou[j] > 0 else 0
            if verrou[j] >= 0:
                rho[j] -= prix * cap[j]
        ordre = np.argsort(rho)
        p = 0
        total = prix * besoin
        for j in range(m):
            if choix[j] == 1:
                p += 1
                total += rho[j]
        dernier = -np.inf
        suivant = np.inf
        for j in ordre:
            if verrou[j] != 0:
                continue
            if p < p_max and (p < p_min or rho[j] < 0.0):
                choix[j] = 1
                p += 1
                total += rho[j]
                dernier = rho[j]
            else:
                suivant = rho[j]
                break
        if p < p_min:
            etat[5] = 1.0
            break
        borne = total
        for i in range(n):
            borne += u[i]
        if borne > etat[0] + 1e-7:
            etat[0] = borne
            etat[2] = 0.0
            etat[3] = dernier if p >= p_max else max(0.0, dernier)
            etat[4] = suivant if p <= p_min or suivant < 0.0 else 0.0
            for i in range(n):
                meilleur_u[i] = u[i]
            for j in range(m):
                rho_meilleur[j] = rho[j]
        else:
            etat[2] += 1.0
            if etat[2] >= 20:
                etat[1] *= 0.7
                etat[2] = 0.0
                for i in range(n):
                    u[i] = meilleur_u[i]
                    direction[i] = 0.0
                continue
        for i in range(n):
            servi[i] = 0.0
        for j in range(m):
            if choix[j] == 1 or j == partiel:
                _knapsack(cout[j], u, vol, cap[j], sorte, pris, True)
                part = 1.0 if choix[j] == 1 else fraction
                for i in range(n):
                    servi[i] += part * pris[i]
        gd = 0.0
        dd = 0.0
        for i in range(n):
            gd += (1.0 - servi[i]) * direction[i]
            dd += direction[i] * direction[i]
        memoire = -1.5 * gd / dd if gd < 0.0 and dd > 0.0 else 0.0
        norme = 0.0
        for i in range(n):
            direction[i] = 1.0 - servi[i] + memoire * direction[i]
            norme += direction[i] * direction[i]
        if norme < 1e-12:
            break
        longueur = etat[1] * max(haut - borne, 1e-3 * abs(haut)) * 1.02 / norme
        for i in range(n):
            u[i] += longueur * direction[i]
    return fait


@compiled
def _over(charge: float, cap: float) -> float:
    return charge - cap if charge > cap + _FIN + 1e-12 * cap else 0.0


@compiled
def settle(cout: F64, vol: F64, cap: F64, ouvert: I8, affecte: I32, charge: F64, peine: float, i: int) -> None:
    """Give demand i to the open site where it costs least, overload priced."""
    choix = -1
    mieux = np.inf
    for j in range(len(ouvert)):
        if ouvert[j] == 0:
            continue
        prix = cout[j, i] + peine * (_over(charge[j] + vol[i], cap[j]) - _over(charge[j], cap[j]))
        if prix < mieux:
            mieux = prix
            choix = j
    affecte[i] = choix
    charge[choix] += vol[i]


@compiled
def assign_all(cout: F64, vol: F64, cap: F64, ouvert: I8, affecte: I32, charge: F64, peine: float) -> None:
    """Every demand, the largest first, to the open site where it costs least, overload priced."""
    for j in range(len(ouvert)):
        charge[j] = 0.0
    for i in np.argsort(-vol):
        settle(cout, vol, cap, ouvert, affecte, charge, peine, i)


@compiled
def total_cost(
    cout: F64, fixe: F64, cap: F64, ouvert: I8, affecte: I32, charge: F64, peine: float
) -> tuple[float, float]:
    """Cost with overload priced, and the overload."""
    total = 0.0
    trop = 0.0
    for i in range(len(affecte)):
        total += cout[affecte[i], i]
    for j in range(len(ouvert)):
        if ouvert[j] != 0:
            total += fixe[j]
            trop += _over(charge[j], cap[j])
    return total + peine * trop, trop


@compiled
def improve(
    cout: F64, fixe: F64, vol: F64, cap: F64, verrou: I8, ouvert: I8, affecte: I32, charge: F64, peine: float
) -> None:
    """Shifts of one demand, exchanges of two, moves of a site with all its demands, in place, until none helps."""
    m, n = cout.shape
    # What rounding may show as a gain where costs or volumes are many orders apart.
    gain = -1e-7 - 1e-12 * (cout.max() + peine * vol.max())
    change = True
    for _ in range(_TOURS):
        if not change:
            break
        change = False
        for i in range(n):
            a = affecte[i]
            allege = _over(charge[a], cap[a]) - _over(charge[a] - vol[i], cap[a])
            for j in range(m):
                if ouvert[j] == 0 or j == a:
                    continue
                delta = cout[j, i] - cout[a, i]
                delta += peine * (_over(charge[j] + vol[i], cap[j]) - _over(charge[j], cap[j]) - allege)
                if delta < gain:
                    charge[a] -= vol[i]
                    charge[j] += vol[i]
                    affecte[i] = j
                    a = j
                    allege = _over(charge[a], cap[a]) - _over(charge[a] - vol[i], cap[a])
                    change = True
        for i in range(n):
            for k in range(i + 1, n):
                a = affecte[i]
                b = affecte[k]
                if a == b:
                    continue
                delta = cout[b, i] + cout[a, k] - cout[a, i] - cout[b, k]
                if delta > 0.0 and charge[a] <= cap[a] and charge[b] <= cap[b]:
                    continue
                w = vol[k] - vol[i]
                delta += peine * (
                    _over(charge[a] + w, cap[a])
                    - _over(charge[a], cap[a])
                    + _over(charge[b] - w, cap[b])
                    - _over(charge[b], cap[b])
                )
                if delta < gain:
                    charge[a] += w
                    charge[b] -= w
                    affecte[i] = b
                    affecte[k] = a
                    change = True
        if change:
            continue
        for a in range(m):
            if ouvert[a] == 0 or verrou[a] != 0:
                continue
            membres = np.flatnonzero(affecte == a)
            mieux = gain
            choix = -1
            for t in range(m):
                if ouvert[t] != 0 or verrou[t] < 0:
                    continue
                delta = fixe[t] - fixe[a] + peine * (_over(charge[a], cap[t]) - _over(charge[a], cap[a]))
                for membre in membres:
                    delta += cout[t, membre] - cout[a, membre]
                if delta < mieux:
                    mieux = delta
                    choix = t
            if choix >= 0:
                ouvert[a] = 0
                ouvert[choix] = 1
                charge[choix] = charge[a]
                charge[a] = 0.0
                for membre in membres:
                    affecte[membre] = choix
                change = True
