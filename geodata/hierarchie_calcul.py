"""Compiled loops of `geodata.hierarchie` (numba): nothing here knows roads or points.

Nodes are called by their rank (0 contracted first). Node v has the upward arcs ptr[v]:ptr[v + 1], sorted by head; its
parent in the elimination tree is the lowest of them, so that every head is an ancestor of v, and is known on the way
to the root by its depth alone: ``prof[e]`` is the depth of the head of arc e.

Costs are unsigned integers of 32 bits (ms) or 64 (ms above, cm below, so that the least is the quickest, then the
shortest), with a value for "no way" that can be added to itself (`INF`, `INF_LONG`). Loops are compiled for each kind.
Compiled code is kept beside the module (or in the user's cache folder) and reused by later processes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.compilation import compiled
from geodata.profils import INF_MS

#: uint32 or uint64, the same in all the arguments of a loop.
Couts = NDArray[np.unsignedinteger[Any]]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
B = NDArray[np.bool_]
#: Unsigned, so that compiled loops need not look for negative positions.
Profondeurs = NDArray[np.unsignedinteger[Any]]

#: No way: `geodata.profils.INF_MS` milliseconds.
INF = np.uint32(INF_MS)
INF_LONG = np.uint64(int(INF_MS) << 32)


@compiled
def eliminate(indptr: I64, voisins: I32) -> tuple[I64, I32]:
    """Contract nodes in order: (ptr (n + 1,), head (arcs,)) of the upward arcs.

    ``indptr``, ``voisins``: higher neighbours of each node in the road network (any order, duplicates allowed).
    """
    n = len(indptr) - 1
    ptr = np.zeros(n + 1, np.int64)
    head = np.empty(4 * len(voisins) + 16, np.int32)
    premier = np.full(n, -1, np.int32)
    suivant = np.full(n, -1, np.int32)
    vu = np.full(n, -1, np.int32)
    liste = np.empty(n, np.int32)
    e = 0
    for v in range(n):
        k = 0
        for a in range(indptr[v], indptr[v + 1]):
            u = voisins[a]
            if vu[u] != v:
                vu[u] = v
                liste[k] = u
                k += 1
        enfant = premier[v]
        while enfant >= 0:
            for a in range(ptr[enfant], ptr[enfant + 1]):
                u = head[a]
                if u > v and vu[u] != v:
                    vu[u] = v
                    liste[k] = u
                    k += 1
            enfant = suivant[enfant]
        if e + k > len(head):
            plus = np.empty(2 * (e + k), np.int32)
            plus[:e] = head[:e]
            head = plus
        head[e : e + k] = np.sort(liste[:k])
        if k > 0:
            parent = head[e]
            suivant[v] = premier[parent]
            premier[parent] = v
        e += k
        ptr[v + 1] = e
    return ptr, head[:e].copy()


@compiled
def depths(ptr: I64, head: I32) -> tuple[I32, I32]:
    """Parent of each node (-1: a root) and its depth in the elimination tree, (n,) int32 each."""
    n = len(ptr) - 1
    parent = np.full(n, -1, np.int32)
    profondeur = np.zeros(n, np.int32)
    for v in range(n - 1, -1, -1):
        if ptr[v] < ptr[v + 1]:
            parent[v] = head[ptr[v]]
            profondeur[v] = profondeur[parent[v]] + 1
    return parent, profondeur


@compiled
def locate(ptr: I64, head: I32, bas: I32, haut: I32) -> I32:
    """Upward arc bas[i] -> haut[i] of each pair, which must exist, (k,) int32."""
    arcs = np.empty(len(bas), np.int32)
    for i in range(len(bas)):
        a = ptr[bas[i]]
        arcs[i] = a + np.searchsorted(head[a : ptr[bas[i] + 1]], haut[i])
    return arcs


@compiled
def lower_least(arcs: I32, couts: Couts, sortie: Couts) -> None:
    """sortie[arcs[i]] = least of itself and couts[i], in place."""
    for i in range(len(arcs)):
        sortie[arcs[i]] = min(sortie[arcs[i]], couts[i])


@compiled
def customize(
    ptr: I64,
    head: I32,
    prof: Profondeurs,
    bas_ptr: I64,
    bas_arc: I32,
    bas_fin: I64,
    brut_monte: Couts,
    brut_descend: Couts,
    monte: Couts,
    descend: Couts,
    touche: B,
    profondeur_max: int,
) -> int:
    """Least cost over every upward arc and back, through any lower node, in place in ``monte`` and ``descend``.

    Only the nodes marked in ``touche`` are computed again, and those that their changes reach (marked as they are): all
    of them for a new weight vector, a few for a scenario near one that is known. ``brut_*``: costs of the roads alone.
    ``bas_*``: for each node, its arcs from lower nodes, and the end of the arcs of these. Returns the nodes computed.
    """
    n = len(ptr) - 1
    ligne_m = np.empty(profondeur_max + 1, monte.dtype)
    ligne_d = np.empty(profondeur_max + 1, monte.dtype)
    faits = 0
    for x in range(n):
        if not touche[x]:
            continue
        faits += 1
        for e in range(ptr[x], ptr[x + 1]):
            ligne_m[prof[e]] = brut_monte[e]
            ligne_d[prof[e]] = brut_descend[e]
        for q in range(bas_ptr[x], bas_ptr[x + 1]):
            i = bas_arc[q]
            vers_bas = descend[i]
            du_bas = monte[i]
            for j in range(i + 1, bas_fin[q]):
                p = prof[j]
                ligne_m[p] = min(ligne_m[p], monte.dtype.type(vers_bas + monte[j]))
                ligne_d[p] = min(ligne_d[p], monte.dtype.type(du_bas + descend[j]))
        change = False
        for e in range(ptr[x], ptr[x + 1]):
            p = prof[e]
            if monte[e] != ligne_m[p] or descend[e] != ligne_d[p]:
                monte[e] = ligne_m[p]
                descend[e] = ligne_d[p]
                change = True
        if change:
            for e in range(ptr[x], ptr[x + 1]):
                touche[head[e]] = True
    return faits


@compiled
def labels(
    noeuds: I32,
    bouts: Couts,
    parent: I32,
    profondeur: I32,
    ptr: I64,
    prof: Profondeurs,
    poids: Couts,
    profondeur_max: int,
    inf: Any,
) -> tuple[Couts, I32, I32]:
    """Costs from p points to each of their ancestors (or back, with downward weights).

    ``noeuds``, ``bouts`` (p, 2): the nodes at the ends of each point's edge, one of which is an ancestor of the other,
    and the cost to them (inf: no way). Returns costs (p, depths) by depth of the ancestor, the ancestors themselves
    (p, depths), and the depth of the lowest one (p,) (-1: the point leads nowhere).
    """
    p = len(noeuds)
    couts = np.full((p, profondeur_max + 1), inf, poids.dtype)
    ancetres = np.full((p, profondeur_max + 1), np.int32(-1), np.int32)
    fond = np.full(p, np.int32(-1), np.int32)
    for i in range(p):
        ligne = couts[i]
        u = np.int32(-1)
        for c in range(2):
            v = noeuds[i, c]
            if bouts[i, c] < inf:
                ligne[profondeur[v]] = min(ligne[profondeur[v]], bouts[i, c])
                if u < 0 or profondeur[v] > profondeur[u]:
                    u = v
        if u >= 0:
            fond[i] = profondeur[u]
        while u >= 0:
            ici = ligne[profondeur[u]]
            ancetres[i, profondeur[u]] = u
            if ici < inf:
                for e in range(ptr[u], ptr[u + 1]):
                    ligne[prof[e]] = min(ligne[prof[e]], poids.dtype.type(ici + poids[e]))
            u = parent[u]
    return couts, ancetres, fond


@compiled
def join(
    couts_o: Couts, ancetres_o: I32, fond_o: I32, couts_d: Couts, ancetres_d: I32, fond_d: I32, inf: Any, sortie: Couts
) -> None:
    """Least sum over common ancestors, which are the first ones of both ways down from the root; into (n_o, n_d)."""
    for i in range(len(couts_o)):
        for j in range(len(couts_d)):
            bas, haut = -1, min(fond_o[i], fond_d[j])
            while bas < haut:
                milieu = (bas + haut + 1) // 2
                if ancetres_o[i, milieu] == ancetres_d[j, milieu]:
                    bas = milieu
                else:
                    haut = milieu - 1
            moindre = inf
            for k in range(bas + 1):
                moindre = min(moindre, couts_o.dtype.type(couts_o[i, k] + couts_d[j, k]))
            sortie[i, j] = moindre
