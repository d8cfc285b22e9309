"""Compiled loops of `geodata.hierarchie` (numba): nothing here knows roads or points.

Nodes are called by their rank (0 contracted first). Node v has the upward arcs ptr[v]:ptr[v + 1], sorted by head; its
parent in the elimination tree is the lowest of them, so that every head is an ancestor of v, and is known on the way
to the root by its depth alone: ``prof[e]`` is the depth of the head of arc e. Times are uint32 with INF = 2^31 - 1, two
of which can be added.

Compiled code is kept beside the module (or in the user's cache folder) and reused by later processes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geodata.profils import INF_MS

F = TypeVar("F", bound=Callable[..., Any])
U32 = NDArray[np.uint32]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
B = NDArray[np.bool_]
#: Unsigned, so that compiled loops need not look for negative positions.
Profondeurs = NDArray[np.unsignedinteger[Any]]

#: No way: the same value as `geodata.profils.INF_MS`.
INF = np.uint32(INF_MS)


def compiled(fonction: F) -> F:
    """Compile at the first call, without holding the interpreter's lock."""
    try:
        return cast(F, njit(cache=True, nogil=True)(fonction))
    except RuntimeError:
        # No folder to keep compiled code in (read-only installation without a home): compile in each process.
        return cast(F, njit(nogil=True)(fonction))


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
def lower_least(arcs: I32, ms: I32, sortie: U32) -> None:
    """sortie[arcs[i]] = least of itself and ms[i], in place."""
    for i in range(len(arcs)):
        sortie[arcs[i]] = min(sortie[arcs[i]], np.uint32(ms[i]))


@compiled
def customize(
    ptr: I64,
    head: I32,
    prof: Profondeurs,
    bas_ptr: I64,
    bas_arc: I32,
    bas_fin: I64,
    brut_monte: U32,
    brut_descend: U32,
    monte: U32,
    descend: U32,
    touche: B,
    profondeur_max: int,
) -> int:
    """Least time over every upward arc and back, through any lower node, in place in ``monte`` and ``descend``.

    Only the nodes marked in ``touche`` are computed again, and those that their changes reach (marked as they are): all
    of them for a new weight vector, a few for a scenario near one that is known. ``brut_*``: times of the roads alone.
    ``bas_*``: for each node, its arcs from lower nodes, and the end of the arcs of these. Returns the nodes computed.
    """
    n = len(ptr) - 1
    ligne_m = np.empty(profondeur_max + 1, np.uint32)
    ligne_d = np.empty(profondeur_max + 1, np.uint32)
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
                ligne_m[p] = min(ligne_m[p], np.uint32(vers_bas + monte[j]))
                ligne_d[p] = min(ligne_d[p], np.uint32(du_bas + descend[j]))
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
    noeuds: I32, ms: U32, parent: I32, profondeur: I32, ptr: I64, prof: Profondeurs, poids: U32, profondeur_max: int
) -> tuple[U32, I32, I32]:
    """Times from p points to each of their ancestors (or back, with downward weights).

    ``noeuds``, ``ms`` (p, 2): the nodes at the ends of each point's edge, one of which is an ancestor of the other, and
    the time to them (INF: no way). Returns times (p, depths) by depth of the ancestor, the ancestors themselves
    (p, depths), and the depth of the lowest one (p,) (-1: the point leads nowhere).
    """
    p = len(noeuds)
    temps = np.full((p, profondeur_max + 1), INF, np.uint32)
    ancetres = np.full((p, profondeur_max + 1), np.int32(-1), np.int32)
    fond = np.full(p, np.int32(-1), np.int32)
    for i in range(p):
        ligne = temps[i]
        u = np.int32(-1)
        for c in range(2):
            v = noeuds[i, c]
            if ms[i, c] < INF:
                ligne[profondeur[v]] = min(ligne[profondeur[v]], ms[i, c])
                if u < 0 or profondeur[v] > profondeur[u]:
                    u = v
        if u >= 0:
            fond[i] = profondeur[u]
        while u >= 0:
            ici = ligne[profondeur[u]]
            ancetres[i, profondeur[u]] = u
            if ici < INF:
                for e in range(ptr[u], ptr[u + 1]):
                    ligne[prof[e]] = min(ligne[prof[e]], np.uint32(ici + poids[e]))
            u = parent[u]
    return temps, ancetres, fond


@compiled
def join(temps_o: U32, ancetres_o: I32, fond_o: I32, temps_d: U32, ancetres_d: I32, fond_d: I32, sortie: I32) -> None:
    """Least sum over common ancestors, which are the first ones of both ways down from the root; into (n_o, n_d)."""
    for i in range(len(temps_o)):
        for j in range(len(temps_d)):
            bas, haut = -1, min(fond_o[i], fond_d[j])
            while bas < haut:
                milieu = (bas + haut + 1) // 2
                if ancetres_o[i, milieu] == ancetres_d[j, milieu]:
                    bas = milieu
                else:
                    haut = milieu - 1
            moindre = INF
            for k in range(bas + 1):
                moindre = min(moindre, np.uint32(temps_o[i, k] + temps_d[j, k]))
            sortie[i, j] = moindre
