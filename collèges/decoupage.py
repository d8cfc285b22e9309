"""Connected parts of balanced population with few borders cut, without given centres (numba). Pure module.

A harder test of contiguity than sectors, for graphs of a few dozen nodes whose optimum is known: nothing holds a part
but its own connection. The search moves nodes one by one under annealing with the contiguity test of
`collèges.recherche`; the door of a part is any other node of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.compilation import compiled
from territoires.calcul import Arret

from .donnees import I64, marks
from .graphe import adjacency
from .probleme import F64, I32
from .recherche import flood, holds_together, seeded, uniform

#: Steps of one annealing, and between two looks at the clock.
PAS_TOTAL, PAS = 400_000, 20_000
#: Hottest and coldest temperatures, cut edges; prices of 1 % of the mean population outside the window, in turn: low
#: ones let a search cross to other parts, high ones keep it inside a narrow window.
CHAUD, FROID, PRIX = 4.0, 0.15, (0.3, 1.0, 4.0)


@dataclass(frozen=True, eq=False)
class Partage:
    """Part of each node (n,), -1 everywhere when none was found; borders cut (inf when none); annealings made."""

    partie: I32
    coupees: float
    essais: int


@compiled
def _outside(population: float, bas: float, haut: float, unite: float) -> float:
    return float(max(0.0, bas - population) + max(0.0, population - haut)) / unite


@compiled
def _grow(indptr: I32, indices: I32, k: int, alea: NDArray[np.uint64]) -> I32:
    """k connected parts grown from nodes drawn at random."""
    n = len(indptr) - 1
    x = np.full(n, -1, np.int32)
    pose = 0
    while pose < k:
        i = int(uniform(alea) * n)
        if x[i] < 0:
            x[i] = pose
            pose += 1
    reste = n - k
    while reste > 0:
        i = int(uniform(alea) * n)
        degre = indptr[i + 1] - indptr[i]
        if x[i] < 0 and degre > 0:
            j = indices[indptr[i] + int(uniform(alea) * degre)]
            if x[j] >= 0:
                x[i] = x[j]
                reste -= 1
    return x


@compiled
def _anneal(
    indptr: I32,
    indices: I32,
    x: I32,
    population: F64,
    somme: F64,
    combien: I32,
    bas: float,
    haut: float,
    unite: float,
    alea: NDArray[np.uint64],
    debut: int,
    pas: int,
    total: int,
    chaud: float,
    froid: float,
    prix: float,
    meilleur: I32,
    coupees: float,
    mieux: float,
    marque: I64,
    pile: I32,
    compteur: I64,
) -> tuple[float, float]:
    """Some steps; returns (borders cut now, fewest with every part inside its window)."""
    n, k = len(x), len(somme)
    personne = np.full(n, -1, np.int32)
    raison = math.log(froid / chaud) / total
    for pas_ici in range(pas):
        temperature = chaud * math.exp(raison * (debut + pas_ici))
        i = int(uniform(alea) * n)
        degre = indptr[i + 1] - indptr[i]
        if degre == 0:
            continue
        a, b = x[i], x[indices[indptr[i] + int(uniform(alea) * degre)]]
        if a == b or combien[a] == 1:
            continue
        delta = 0.0
        porte = -1
        for p in range(indptr[i], indptr[i + 1]):
            v = x[indices[p]]
            if v == a:
                delta += 1.0
                porte = indices[p]
            elif v == b:
                delta -= 1.0
        e = population[i]
        avant = _outside(somme[a], bas, haut, unite) + _outside(somme[b], bas, haut, unite)
        apres = _outside(somme[a] - e, bas, haut, unite) + _outside(somme[b] + e, bas, haut, unite)
        if delta + prix * (apres - avant) > -temperature * math.log(1.0 - uniform(alea)) or porte < 0:
            continue
        compteur[0] += 1
        if not holds_together(indptr, indices, porte, x, personne, i, a, marque, pile, compteur[0]):
            compteur[0] += 1
            flood(indptr, indices, porte, x, personne, a, i, marque, pile, compteur[0])
            tenu = True
            for p in range(indptr[i], indptr[i + 1]):
                v = indices[p]
                tenu = tenu and (x[v] != a or marque[v] == compteur[0])
            if not tenu:
                continue
        x[i] = b
        somme[a] -= e
        somme[b] += e
        combien[a] -= 1
        combien[b] += 1
        coupees += delta
        if coupees < mieux:
            dedans = True
            for j in range(k):
                dedans = dedans and bas <= somme[j] <= haut
            if dedans:
                mieux = coupees
                meilleur[:] = x
    return coupees, mieux


def split(arete: I32, population: F64, k: int, bas: float, haut: float, stop: Arret, seed: int = 1) -> Partage:
    """``k`` connected parts with population in [bas, haut] and as few edges cut as the search finds.

    arete (m, 2) int32, a connected graph; population (n,). Stops at ``stop.target`` cut edges, or after
    ``stop.iterations`` annealings. Raises `ValueError` when the graph is not connected or has fewer nodes than parts.
    """
    n = len(population)
    indptr, indices = adjacency(n, arete, np.ones(len(arete)))
    marque, compteur, pile = marks(n)
    flood(indptr, indices, 0, np.zeros(n, dtype=np.int32), np.full(n, -1, dtype=np.int32), 0, -1, marque, pile, 1)
    if k < 1 or k > n or not marque.all():
        raise ValueError("graphe : moins de sommets que de parties, ou sommets sans lien")
    compteur[0] = 1
    meilleur, mieux, essais = np.full(n, -1, dtype=np.int32), math.inf, 0
    alea = seeded(seed)
    unite = 0.01 * float(population.sum()) / k
    while not stop.reached(essais, mieux):
        x = _grow(indptr, indices, k, alea)
        somme = np.bincount(x, weights=population, minlength=k).astype(np.float64)
        combien = np.bincount(x, minlength=k).astype(np.int32)
        coupees = float((x[arete[:, 0]] != x[arete[:, 1]]).sum())
        # Steps look at what they reach, not at where they begin: nothing moves in a single part.
        if coupees < mieux and bas <= somme.min() and somme.max() <= haut:
            mieux, meilleur = coupees, x.copy()
        for debut in range(0, PAS_TOTAL, PAS):
            coupees, mieux = _anneal(
                indptr, indices, x, population, somme, combien, bas, haut, unite, alea, debut, PAS, PAS_TOTAL,
                CHAUD, FROID, PRIX[essais % len(PRIX)], meilleur, coupees, mieux, marque, pile, compteur,
            )  # fmt: skip
            if stop.reached(essais, mieux):
                break
        essais += 1
    return Partage(meilleur, mieux, essais)
