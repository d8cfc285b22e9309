"""The best sector of one collège at given prices of zones, by exact branch and bound (numba). Pure module.

A sector is a set of zones connected, with its collège's door, by borders. At prices ``gain`` (what covering a zone is
worth less what it costs here) the best one maximises sum of gains - cost of its load. Zones are taken or left one at a
time at the border of what is taken; what is left to gain is bounded by a continuous knapsack over the zones that can
still be reached, less what must be paid to reach them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geodata.compilation import compiled

from .probleme import F64, I32
from .sac import EPS, knapsack, load_cost, reach, with_links


@compiled
def _local(indptr: I32, indices: I32, choix: I32) -> tuple[I32, I32]:
    """Graph of the chosen zones alone, numbered as they come."""
    n = len(indptr) - 1
    k = len(choix)
    ici = np.full(n, -1, np.int32)
    for p in range(k):
        ici[choix[p]] = p
    ptr = np.zeros(k + 1, np.int32)
    voisins = np.empty(len(indices), np.int32)
    q = 0
    for p in range(k):
        for r in range(indptr[choix[p]], indptr[choix[p] + 1]):
            if ici[indices[r]] >= 0:
                voisins[q] = ici[indices[r]]
                q += 1
        ptr[p + 1] = q
    return ptr, voisins[:q].copy()


@compiled
def _sift_up(tas: I32, rang: int, borne: F64) -> None:
    while rang > 0:
        pere = (rang - 1) // 2
        if borne[tas[pere]] >= borne[tas[rang]]:
            break
        tas[pere], tas[rang] = tas[rang], tas[pere]
        rang = pere


@compiled
def _sift_down(tas: I32, taille: int, borne: F64) -> None:
    rang = 0
    while True:
        fils = 2 * rang + 1
        if fils >= taille:
            break
        if fils + 1 < taille and borne[tas[fils + 1]] > borne[tas[fils]]:
            fils += 1
        if borne[tas[rang]] >= borne[tas[fils]]:
            break
        tas[fils], tas[rang] = tas[rang], tas[fils]
        rang = fils


@compiled
def best_sectors(
    indptr: I32,
    indices: I32,
    porte: int,
    possible: NDArray[np.bool_],
    seules: NDArray[np.bool_],
    gain: F64,
    poids: F64,
    charge_0: float,
    bas: float,
    haut: float,
    sous: float,
    sur: float,
    seuil: float,
    marge: float,
    noeuds_max: int,
    combien: int,
    largeur: float,
) -> tuple[float, NDArray[np.bool_], F64, int]:
    """Best sectors of one collège, best branch first.

    ``possible`` (n,): zones that may be in it, its door among them or not; ``seules`` (n,): zones that
    may be islands in it. ``seuil``: value of a sector already known;
    ``marge``: a branch that cannot gain more than the best known + marge is left. At most ``noeuds_max`` branches.
    Returns (upper bound of the best value, sectors found (k, n) and their values, number of branches); at most
    ``combien`` of them, those better than ``seuil`` or within ``largeur`` of the best.
    """
    n = len(gain)
    # Zones by falling gain a pupil, those without pupils first (or last).
    ratio = np.empty(n)
    for i in range(n):
        ratio[i] = gain[i] / poids[i] if poids[i] > 0.0 else (np.inf if gain[i] > 0.0 else -np.inf)
    rangs = np.argsort(-ratio)
    choix = np.empty(n, np.int32)
    k = 0
    for p in range(n):
        if possible[rangs[p]]:
            choix[k] = rangs[p]
            k += 1
    choix = choix[:k]
    pres = seules.copy()
    pres[porte] = True
    for p in range(indptr[porte], indptr[porte + 1]):
        pres[indices[p]] = True
    # The best one in row 0, others that come within ``largeur`` of it in turn in the next ones.
    trouves = np.zeros((combien, n), np.bool_)
    valeurs = np.full(combien, -np.inf)
    nombre = 0
    meilleur = max(seuil, -load_cost(charge_0, bas, haut, sous, sur))
    ptr, voisins = _local(indptr, indices, choix)
    # The root first, over all zones: most of them can be in no good sector and are left for good.
    for tour in range(2):
        k = len(choix)
        g, e = gain[choix], poids[choix]
        etat = np.zeros(k, np.int8)
        touche = pres[choix]
        libre = np.zeros(k, np.int8)
        distance = np.empty(k)
        file = np.empty(k + 1, np.int32)
        dans_file = np.zeros(k, np.bool_)
        part = np.empty(k, np.int32)
        reach(ptr, voisins, g, etat, touche, libre, file)
        courant = -load_cost(charge_0, bas, haut, sous, sur)
        plus, prix = knapsack(g, e, libre, charge_0, bas, haut, sous, sur)
        if courant + plus > meilleur + marge:
            plus = min(
                plus,
                with_links(
                    ptr,
                    voisins,
                    touche,
                    libre,
                    g,
                    e,
                    distance,
                    file,
                    dans_file,
                    part,
                    prix,
                    charge_0,
                    bas,
                    haut,
                    sous,
                    sur,
                    courant,
                    meilleur + marge,
                ),
            )
        racine = courant + plus
        if racine <= meilleur + marge:
            return meilleur + marge, trouves[:0], valeurs[:0], 1
        if tour == 0:
            choix = choix[libre == 1]
            ptr, voisins = _local(indptr, indices, choix)
    # Open branches: states (0 undecided, 1 in, 2 out), bounds, a heap of them.
    capacite = min(noeuds_max, 1024)
    etats = np.zeros((capacite, k), np.int8)
    borne = np.empty(capacite)
    tas = np.empty(capacite + 1, np.int32)
    vides = np.empty(capacite, np.int32)
    n_vides, utilises, taille = 0, 1, 1
    etats[0] = np.where(libre == 1, 0, 2)
    borne[0] = racine
    tas[0] = 0
    branches = 0
    ouverte = -np.inf
    while taille > 0:
        noeud = tas[0]
        if borne[noeud] <= meilleur + marge:
            break
        if branches >= noeuds_max:
            ouverte = max(ouverte, borne[noeud])
            break
        taille -= 1
        tas[0] = tas[taille]
        _sift_down(tas, taille, borne)
        # A dive: in first, the « out » branch is kept for later, until nothing is left to gain.
        ici = etats[noeud].copy()
        b_ici = borne[noeud]
        vides[n_vides] = noeud
        n_vides += 1
        valeur, charge = 0.0, charge_0
        for i in range(k):
            touche[i] = pres[choix[i]]
            if ici[i] == 1:
                valeur += g[i]
                charge += e[i]
        for i in range(k):
            if ici[i] == 1:
                for p in range(ptr[i], ptr[i + 1]):
                    touche[voisins[p]] = True
        while True:
            v = -1
            for i in range(k):
                if ici[i] == 0 and touche[i]:
                    v = i
                    break
            if v < 0:
                break
            # Both branches; the bound of « out » first, kept when it may hold something.
            for dedans in range(2):
                branches += 1
                ici[v] = 1 if dedans == 1 else 2
                if dedans == 1:
                    valeur += g[v]
                    charge += e[v]
                    for p in range(ptr[v], ptr[v + 1]):
                        touche[voisins[p]] = True
                    courant = valeur - load_cost(charge, bas, haut, sous, sur)
                    if courant > meilleur + EPS or courant > meilleur - largeur:
                        place = 0
                        if courant <= meilleur + EPS:
                            place = 1 + nombre % (combien - 1)
                            nombre += 1
                        elif valeurs[0] > -np.inf:
                            trouves[1 + nombre % (combien - 1)] = trouves[0]
                            valeurs[1 + nombre % (combien - 1)] = valeurs[0]
                            nombre += 1
                        meilleur = max(meilleur, courant)
                        trouves[place, :] = False
                        for i in range(k):
                            if ici[i] == 1:
                                trouves[place, choix[i]] = True
                        valeurs[place] = courant
                courant = valeur - load_cost(charge, bas, haut, sous, sur)
                reach(ptr, voisins, g, ici, touche, libre, file)
                plus, prix = knapsack(g, e, libre, charge, bas, haut, sous, sur)
                if courant + plus > meilleur + marge:
                    plus = min(
                        plus,
                        with_links(
                            ptr,
                            voisins,
                            touche,
                            libre,
                            g,
                            e,
                            distance,
                            file,
                            dans_file,
                            part,
                            prix,
                            charge,
                            bas,
                            haut,
                            sous,
                            sur,
                            courant,
                            meilleur + marge,
                        ),
                    )
                b = min(b_ici, courant + plus)
                if dedans == 1:
                    b_ici = b
                    for i in range(k):
                        if ici[i] == 0 and libre[i] == 0:
                            ici[i] = 2
                elif b > meilleur + marge:
                    if n_vides > 0:
                        n_vides -= 1
                        place_noeud = vides[n_vides]
                    else:
                        if utilises == len(borne):
                            plus_grand = 2 * utilises
                            etats_2 = np.empty((plus_grand, k), np.int8)
                            etats_2[:utilises] = etats
                            borne_2 = np.empty(plus_grand)
                            borne_2[:utilises] = borne
                            tas_2 = np.empty(plus_grand + 1, np.int32)
                            tas_2[:taille] = tas[:taille]
                            etats, borne, tas = etats_2, borne_2, tas_2
                            vides_2 = np.empty(plus_grand, np.int32)
                            vides_2[:n_vides] = vides[:n_vides]
                            vides = vides_2
                        place_noeud = utilises
                        utilises += 1
                    for i in range(k):
                        etats[place_noeud, i] = 2 if ici[i] == 0 and libre[i] == 0 else ici[i]
                    borne[place_noeud] = b
                    tas[taille] = place_noeud
                    taille += 1
                    _sift_up(tas, taille - 1, borne)
            if b_ici <= meilleur + marge:
                break
            if branches >= noeuds_max:
                # The dive ends here: what is left of it stays open.
                ouverte = max(ouverte, b_ici)
                break
    haute = max(meilleur + marge, ouverte)
    if taille > 0:
        haute = max(haute, borne[tas[0]]) if branches >= noeuds_max else haute
    garde = valeurs > -np.inf
    return haute, trouves[garde], valeurs[garde], branches
