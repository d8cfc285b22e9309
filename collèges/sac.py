"""What a sector under construction can still gain, at most (numba): for `collèges.secteurs`. Pure module.

Zones are those that may still be in the sector, numbered by falling gain a pupil.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geodata.compilation import compiled

from .probleme import F64, I32

I8 = NDArray[np.int8]
EPS = 1e-9


@compiled
def load_cost(charge: float, bas: float, haut: float, sous: float, sur: float) -> float:
    """Price of a load: ``sous`` a pupil below ``bas``, ``sur`` above ``haut``."""
    return float(sous * max(0.0, bas - charge) + sur * max(0.0, charge - haut))


@compiled
def knapsack(
    gain: F64,
    poids: F64,
    libre: I8,
    charge: float,
    bas: float,
    haut: float,
    sous: float,
    sur: float,
) -> tuple[float, float]:
    """Most that free zones can add to gains - load cost, parts of zones allowed, and the price of a pupil at which it
    stops (in [-sous, sur]); zones are sorted by falling gain a pupil."""
    somme = 0.0
    prix = -sous if charge < bas else (0.0 if charge < haut else sur)
    for i in range(len(gain)):
        if libre[i] != 1:
            continue
        e, g = poids[i], gain[i]
        if e <= 0.0:
            if g > 0.0:
                somme += g
            continue
        ratio = g / e
        reste = e
        # Three slopes of the load's cost, cheapest first.
        if charge < bas:
            if ratio <= -sous:
                return somme, -sous
            prix = min(0.0, ratio)
            pris = min(reste, bas - charge)
            somme += pris * (ratio + sous)
            charge += pris
            reste -= pris
        if reste > 0.0 and charge < haut:
            if ratio <= 0.0:
                return somme, max(ratio, -sous) if charge <= bas else 0.0
            prix = min(sur, ratio) if reste >= haut - charge else 0.0
            pris = min(reste, haut - charge)
            somme += pris * ratio
            charge += pris
            reste -= pris
        if reste > 0.0:
            if ratio <= sur:
                return somme, max(ratio, 0.0) if charge <= haut else sur
            prix = sur
            somme += reste * (ratio - sur)
            charge += reste
    return somme, prix


@compiled
def reach(indptr: I32, indices: I32, gain: F64, etat: I8, touche: NDArray[np.bool_], libre: I8, file: I32) -> None:
    """``libre`` = 1 for undecided zones that what is taken can reach."""
    haut = 0
    for i in range(len(gain)):
        libre[i] = 0
        if etat[i] == 0 and touche[i]:
            libre[i] = 1
            file[haut] = i
            haut += 1
    while haut > 0:
        haut -= 1
        u = file[haut]
        for p in range(indptr[u], indptr[u + 1]):
            v = indices[p]
            if etat[v] == 0 and libre[v] == 0:
                libre[v] = 1
                file[haut] = v
                haut += 1


@compiled
def with_links(
    indptr: I32,
    indices: I32,
    touche: NDArray[np.bool_],
    libre: I8,
    gain: F64,
    poids: F64,
    distance: F64,
    file: I32,
    dans_file: NDArray[np.bool_],
    part: I32,
    prix: float,
    charge: float,
    bas: float,
    haut: float,
    sous: float,
    sur: float,
    courant: float,
    but: float,
) -> float:
    """Bound of what can be added, links counted at the price ``prix`` of a pupil; zones that cannot be in a sector
    better than ``but`` are no longer ``libre``.

    At a fixed price the load's cost is a constant and zone i is worth gain - price x pupils: zones worth something are
    taken, others are dues to pay on the way to them. A group of worthy zones that does not touch what is taken pays at
    least its share of the cheapest due at its border, each due being shared between the groups that it touches.
    """
    n = len(gain)
    # Value at this price: the load's cost becomes price x load - price x (bas or haut).
    plafond = prix * (bas if prix < 0.0 else haut) if prix != 0.0 else 0.0
    total = -prix * charge + plafond + load_cost(charge, bas, haut, sous, sur)
    queue, taille = 0, 0
    for i in range(len(gain)):
        distance[i] = np.inf
        part[i] = -1
        if libre[i] == 1:
            valeur = gain[i] - prix * poids[i]
            total += max(0.0, valeur)
            if touche[i]:
                distance[i] = max(0.0, -valeur)
                file[taille] = i
                taille += 1
                dans_file[i] = True
    queue, tete = taille % (n + 1), 0
    while taille > 0:
        u = file[tete]
        tete = (tete + 1) % (n + 1)
        taille -= 1
        dans_file[u] = False
        for p in range(indptr[u], indptr[u + 1]):
            v = indices[p]
            if libre[v] == 1:
                longueur = distance[u] + max(0.0, prix * poids[v] - gain[v])
                if longueur < distance[v] - EPS:
                    distance[v] = longueur
                    if not dans_file[v]:
                        dans_file[v] = True
                        file[queue] = v
                        queue = (queue + 1) % (n + 1)
                        taille += 1
    if courant + total <= but:
        return total
    for i in range(len(gain)):
        if libre[i] == 1 and courant + total - distance[i] <= but:
            libre[i] = 0
            total -= max(0.0, gain[i] - prix * poids[i])
    # Groups of worthy zones that do not touch what is taken.
    groupes = 0
    for i in range(len(gain)):
        if libre[i] != 1 or part[i] >= 0 or distance[i] <= EPS or gain[i] - prix * poids[i] <= 0.0:
            continue
        pile = 1
        file[0] = i
        part[i] = groupes
        while pile > 0:
            pile -= 1
            u = file[pile]
            for q in range(indptr[u], indptr[u + 1]):
                v = indices[q]
                if libre[v] == 1 and part[v] < 0 and gain[v] - prix * poids[v] > 0.0:
                    part[v] = groupes
                    file[pile] = v
                    pile += 1
        groupes += 1
    if groupes == 0:
        return total
    valeur_groupe = np.zeros(groupes)
    du = np.full(groupes, np.inf)
    for i in range(len(gain)):
        if libre[i] != 1:
            continue
        if part[i] >= 0:
            valeur_groupe[part[i]] += gain[i] - prix * poids[i]
            continue
        peine = prix * poids[i] - gain[i]
        if peine < 0.0:
            continue
        # Groups that this due touches, each once (at most a few).
        touches = 0
        for q in range(indptr[i], indptr[i + 1]):
            v = indices[q]
            if libre[v] == 1 and part[v] >= 0:
                neuf = True
                for r in range(indptr[i], q):
                    w = indices[r]
                    neuf = neuf and not (libre[w] == 1 and part[w] == part[v])
                touches += 1 if neuf else 0
        if touches == 0:
            continue
        for q in range(indptr[i], indptr[i + 1]):
            v = indices[q]
            if libre[v] == 1 and part[v] >= 0:
                du[part[v]] = min(du[part[v]], peine / touches)
    for g in range(groupes):
        total -= min(valeur_groupe[g], du[g])
    return total
