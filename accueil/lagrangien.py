"""Lagrangian bound of the uncapacitated core, and a branch and bound built on it.

The assignment constraints are relaxed with one multiplier a demand (Cornuejols, Fisher and Nemhauser, Management
Science 1977): given ``u`` (D,), opening site j is worth ``rho_j = f_j + sum_i min(0, c_ij - u_i)``, the best choice
of sites is read from the sorted ``rho``, and the sum of both is a lower bound. Multipliers climb by subgradient with
a direction that remembers (Camerini, Fratta and Maffioli 1975). What a site's ``rho`` adds to the bound fixes it open
or closed.

Lists are sorted by cost and read up to ``u_i`` only: their order is worth the sort.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geodata.compilation import compiled

from .echange import F64, I8, I32

B = NDArray[np.bool_]


@compiled
def price(trie: F64, ordre: I32, fixe: F64, verrou: I8, u: F64, rho: F64) -> int:
    """``rho`` (S,) in place for the multipliers ``u``; returns the number of cells read."""
    n, m = trie.shape
    lus = 0
    for j in range(len(fixe)):
        rho[j] = fixe[j]
    for i in range(n):
        ui = u[i]
        for k in range(m):
            c = trie[i, k]
            if c >= ui:
                lus += k + 1
                break
            rho[ordre[i, k]] += c - ui
    return lus


@compiled
def choose(
    rho: F64, verrou: I8, p_min: int, p_max: int, choix: I8, libres: I32, cle: F64
) -> tuple[float, float, float]:
    """Best set of sites for ``rho``, in place in ``choix``. Returns its worth, the largest ``rho`` chosen among the
    free sites and the least not chosen (what opening one more, closing one costs; 0 where the count is no limit)."""
    m = len(rho)
    total = 0.0
    p = 0
    q = 0
    for j in range(m):
        choix[j] = 0
        if verrou[j] > 0:
            choix[j] = 1
            total += rho[j]
            p += 1
        elif verrou[j] == 0:
            libres[q] = j
            cle[q] = rho[j]
            q += 1
    rang = np.argsort(cle[:q])
    pris = 0
    while pris < q:
        j = libres[rang[pris]]
        if p >= p_max or (p >= p_min and rho[j] >= 0.0):
            break
        choix[j] = 1
        total += rho[j]
        p += 1
        pris += 1
    if p < p_min:
        return np.inf, 0.0, 0.0
    dernier = cle[rang[pris - 1]] if pris > 0 else -np.inf
    suivant = cle[rang[pris]] if pris < q else np.inf
    # Opening a site not chosen replaces the last one only where the count is full; closing one calls the next one
    # only where it would be too few, or where the next one is negative.
    plein = p >= p_max
    seuil_ouvre = dernier if plein else max(0.0, dernier)
    seuil_ferme = suivant if p <= p_min or suivant < 0.0 else 0.0
    return total, seuil_ouvre, seuil_ferme


@compiled
def climb(
    trie: F64,
    ordre: I32,
    fixe: F64,
    verrou: I8,
    p_min: int,
    p_max: int,
    u: F64,
    direction: F64,
    etat: F64,
    haut: float,
    marge: float,
    iterations: int,
    patience: int,
    meilleur_u: F64,
    rho_meilleur: F64,
    choix_meilleur: I8,
    frequence: F64,
    travail: int,
) -> tuple[int, int]:
    """Subgradient steps from ``u``, in place. ``etat``: [best bound, step factor, stale steps, threshold to open,
    threshold to close]; ``frequence`` (S,): how often each site is chosen, of late.

    Ends when the bound exceeds ``haut - marge``, when the step factor has vanished, after ``iterations`` or when about
    ``travail`` cells were read. Returns steps done and the work left."""
    n, _ = trie.shape
    m = len(fixe)
    rho = np.empty(m)
    choix = np.empty(m, dtype=np.int8)
    libres = np.empty(m, dtype=np.int32)
    cle = np.empty(m)
    g = np.empty(n)
    fait = 0
    while fait < iterations and travail > 0 and etat[1] > 5e-4:
        travail -= price(trie, ordre, fixe, verrou, u, rho) + n + 4 * m
        fait += 1
        worth, ouvre, ferme = choose(rho, verrou, p_min, p_max, choix, libres, cle)
        for j in range(m):
            frequence[j] += 0.1 * (choix[j] - frequence[j])
        borne = worth
        for i in range(n):
            borne += u[i]
        if borne > etat[0] + 1e-9:
            etat[0] = borne
            etat[2] = 0.0
            etat[3] = ouvre
            etat[4] = ferme
            for i in range(n):
                meilleur_u[i] = u[i]
            for j in range(m):
                rho_meilleur[j] = rho[j]
                choix_meilleur[j] = choix[j]
            if borne > haut - marge:
                break
        else:
            etat[2] += 1.0
            if etat[2] >= patience:
                etat[1] *= 0.6
                etat[2] = 0.0
                for i in range(n):
                    u[i] = meilleur_u[i]
                    direction[i] = 0.0
                continue
        # Subgradient: 1 - number of chosen sites that would serve the demand.
        for i in range(n):
            g[i] = 1.0
        for i in range(n):
            ui = u[i]
            for k in range(trie.shape[1]):
                if trie[i, k] >= ui:
                    break
                if choix[ordre[i, k]] != 0:
                    g[i] -= 1.0
        norme = 0.0
        gd = 0.0
        dd = 0.0
        for i in range(n):
            gd += g[i] * direction[i]
            dd += direction[i] * direction[i]
        memoire = 0.0
        if gd < 0.0 and dd > 0.0:
            memoire = -1.5 * gd / dd
        for i in range(n):
            direction[i] = g[i] + memoire * direction[i]
            norme += direction[i] * direction[i]
        if norme < 1e-12:
            # The relaxed choice serves everybody exactly once: it is optimal.
            break
        pas = etat[1] * (haut - borne) * 1.02 / norme
        for i in range(n):
            u[i] += pas * direction[i]
    return fait, max(travail, 0)


@compiled
def fix(verrou: I8, rho: F64, choix: I8, borne: float, ouvre: float, ferme: float, haut: float, marge: float) -> int:
    """Lock, in place, the free sites whose other state would push the bound above ``haut - marge``; how many."""
    combien = 0
    for j in range(len(rho)):
        if verrou[j] != 0:
            continue
        if choix[j] != 0:
            if borne - rho[j] + ferme > haut - marge:
                verrou[j] = 1
                combien += 1
        elif borne + rho[j] - ouvre > haut - marge:
            verrou[j] = -1
            combien += 1
    return combien


@compiled
def explore(
    trie: F64,
    ordre: I32,
    cout: F64,
    fixe: F64,
    p_min: int,
    p_max: int,
    pile_verrou: I8,
    pile_u: F64,
    pile_borne: F64,
    pile_freq: F64,
    taille: int,
    incumbent: I8,
    haut: float,
    marge: float,
    iterations: int,
    travail: int,
) -> tuple[int, float, int, int]:
    """Depth-first branch and bound on the nodes of the stack, in place, until it is empty or about ``travail`` cells
    were read. Returns the stack's size, the best objective, the nodes closed and the subgradient steps.

    ``pile_*`` hold for each open node its locks (S,), multipliers (D,), bound and how often each site was chosen;
    ``incumbent`` (S,) is the best set, replaced when a better one is met.
    """
    n, _ = trie.shape
    m = len(fixe)
    verrou = np.empty(m, dtype=np.int8)
    u = np.empty(n)
    mieux_u = np.empty(n)
    direction = np.empty(n)
    rho = np.empty(m)
    choix = np.zeros(m, dtype=np.int8)
    freq = np.empty(m)
    etat = np.empty(5)
    noeuds = 0
    pas = 0
    while taille > 0 and travail > 0:
        taille -= 1
        if pile_borne[taille] > haut - marge:
            noeuds += 1
            continue
        verrou[:] = pile_verrou[taille]
        u[:] = pile_u[taille]
        mieux_u[:] = u
        freq[:] = pile_freq[taille]
        direction[:] = 0.0
        etat[0] = -np.inf
        etat[1] = 0.6
        etat[2] = 0.0
        etat[3] = 0.0
        etat[4] = 0.0
        fait, reste = climb(
            trie,
            ordre,
            fixe,
            verrou,
            p_min,
            p_max,
            u,
            direction,
            etat,
            haut,
            marge,
            iterations,
            6,
            mieux_u,
            rho,
            choix,
            freq,
            travail + 1_000_000_000,
        )
        travail -= travail + 1_000_000_000 - reste
        pas += fait
        noeuds += 1
        borne = max(etat[0], pile_borne[taille])
        if borne > haut - marge:
            continue
        total = 0.0
        for j in range(m):
            if choix[j] != 0:
                total += fixe[j]
        for i in range(n):
            for k in range(trie.shape[1]):
                if choix[ordre[i, k]] != 0:
                    total += trie[i, k]
                    break
                if k == trie.shape[1] - 1:
                    total = np.inf
        travail -= n * 4
        if total < haut - 1e-9 * abs(haut):
            haut = total
            incumbent[:] = choix
            if borne > haut - marge:
                continue
        fix(verrou, rho, choix, etat[0], etat[3], etat[4], haut, marge)
        ouverts = 0
        libres = 0
        branche = -1
        mieux = -1.0
        for j in range(m):
            if verrou[j] > 0:
                ouverts += 1
            elif verrou[j] == 0:
                libres += 1
                note = 0.5 - abs(freq[j] - 0.5)
                if note > mieux:
                    mieux = note
                    branche = j
        if ouverts > p_max or ouverts + libres < p_min:
            continue
        if libres == 0 or ouverts == p_max or ouverts + libres == p_min:
            # One answer is left: the locked sites (all the free ones with them when they are just enough).
            total = 0.0
            for j in range(m):
                choix[j] = 1 if verrou[j] > 0 or (verrou[j] == 0 and ouverts < p_max) else 0
                total += fixe[j] * choix[j]
            for i in range(n):
                for k in range(trie.shape[1]):
                    if choix[ordre[i, k]] != 0:
                        total += trie[i, k]
                        break
                    if k == trie.shape[1] - 1:
                        total = np.inf
            if total < haut - 1e-9 * abs(haut):
                haut = total
                incumbent[:] = choix
            continue
        for sens in (-1, 1):
            pile_verrou[taille] = verrou
            pile_verrou[taille, branche] = sens
            pile_u[taille] = mieux_u
            pile_borne[taille] = borne
            pile_freq[taille] = freq
            taille += 1
    return taille, haut, noeuds, pas
