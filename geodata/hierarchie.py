"""Engine of large matrices: our own loops over a customizable contraction hierarchy (elimination tree queries).

It rests on the same node order as `geodata.moteur_cch`. What it adds: a trip between two points goes over a common
ancestor in the elimination tree, so the times of each point to its few hundred ancestors (`labels`) are computed once a
point, not once a pair, and a pair costs one sum over the common ones. That makes a 3000 x 300 matrix some four
times quicker than sweeps by the library, a point on an edge costs no more than a node, and the arrays are plain
numpy: shared by threads, computed without the interpreter's lock. The price is numba (compiled at the first use
after an installation, some seconds).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from geodata import hierarchie_calcul as calcul
from geodata import moteur_scipy
from geodata.accrochage import Accroches, end_lengths, ends, same_edge, snap_nodes
from geodata.graphe import Graphe, Poids
from geodata.moteur_cch import compute_ordre
from geodata.profils import INF_MS
from geodata.reseau import F32, F64, I32, I64, B
from geodata.scenario import NORMAL

Couts = calcul.Couts

#: Bytes of labels held at a time by a matrix.
MEMOIRE_OCTETS = 256 * 2**20

#: Share of changed arcs up to which a scenario is computed from the profile's ordinary times.
PART_PARTIELLE = 0.05


@dataclass(frozen=True)
class Hierarchie:
    """Arcs of the hierarchy of a graph, whatever the weights. Nodes are ranks: rang (n,) gives that of each node."""

    rang: I32
    ptr: I64
    head: I32
    prof: calcul.Profondeurs
    parent: I32
    profondeur: I32
    profondeur_max: int
    bas_ptr: I64
    bas_arc: I32
    bas_fin: I64
    #: Road arcs that climb / go down in the order, and the arc of the hierarchy each lies on.
    arcs_monte: I32
    sur_monte: I32
    arcs_descend: I32
    sur_descend: I32


@dataclass(frozen=True)
class Metrique:
    """Least costs over the arcs of a hierarchy, up and down, and those of the roads alone, (arcs,) each.

    ``inf``: no way, of the same kind as the costs (`geodata.hierarchie_calcul`).
    """

    inf: Any

    brut_monte: Couts
    brut_descend: Couts
    monte: Couts
    descend: Couts


def hierarchie_of(graphe: Graphe) -> Hierarchie:
    """The hierarchy of a graph, built once (a tenth of a second for 200,000 nodes, its order being known)."""
    trouve: Hierarchie = graphe.derived("hierarchie", lambda: _build(graphe))
    return trouve


def _build(graphe: Graphe) -> Hierarchie:
    n = graphe.n
    ordre = graphe.ensure_ordre(compute_ordre)
    rang = np.empty(n, dtype=np.int32)
    rang[ordre] = np.arange(n, dtype=np.int32)
    tail, head = rang[graphe.tail], rang[graphe.head]
    monte = np.flatnonzero(tail < head).astype(np.int32)
    descend = np.flatnonzero(tail > head).astype(np.int32)
    # Every edge has both directions among the arcs, so those that climb are enough.
    tri = np.argsort(tail[monte], kind="stable")
    indptr = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(tail[monte], minlength=n), out=indptr[1:])
    ptr, haut = calcul.eliminate(indptr, head[monte][tri])
    parent, profondeur = calcul.depths(ptr, haut)
    queue = np.repeat(np.arange(n, dtype=np.int32), np.diff(ptr))
    bas_arc = np.argsort(haut, kind="stable").astype(np.int32)
    bas_ptr = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(haut, minlength=n), out=bas_ptr[1:])
    return Hierarchie(
        rang=rang,
        ptr=ptr,
        head=haut,
        # The shortest type that holds them: these arrays are read in the innermost loops.
        prof=profondeur[haut].astype(np.min_scalar_type(max(256, int(profondeur.max())))),
        parent=parent,
        profondeur=profondeur,
        profondeur_max=int(profondeur.max()),
        bas_ptr=bas_ptr,
        bas_arc=bas_arc,
        bas_fin=ptr[queue[bas_arc] + 1],
        arcs_monte=monte,
        sur_monte=calcul.locate(ptr, haut, tail[monte], head[monte]),
        arcs_descend=descend,
        sur_descend=calcul.locate(ptr, haut, head[descend], tail[descend]),
    )


class HierarchieFausse(RuntimeError):
    """The hierarchy does not answer what the oracle does: nothing of it may be used."""


def verify(graphe: Graphe, poids: Poids, paires: int = 8) -> None:
    """Compare some times with scipy's on the network itself; also compiles what later processes will find compiled.

    Raises `HierarchieFausse`.
    """
    noeuds = np.linspace(0, graphe.n - 1, 4 * paires).astype(np.int32)
    o, d = snap_nodes(graphe, noeuds[::4]), snap_nodes(graphe, noeuds)
    if not np.array_equal(matrix_ms(poids, o, d), moteur_scipy.matrix_ms(poids, o, d)):
        raise HierarchieFausse("la hiérarchie de contraction ne retrouve pas les durées exactes de ce réseau")


def metrique_of(poids: Poids, *, metres: bool = False) -> Metrique:
    """Customization of a weight vector, kept with it; ``metres``: lengths break the ties of times.

    A scenario that changes few arcs starts from the profile's ordinary times and computes what the changes reach.
    """
    trouve: Metrique = poids.derived(("metrique", metres), lambda: _customize(poids, metres))
    return trouve


def _customize(poids: Poids, metres: bool) -> Metrique:
    h = hierarchie_of(poids.graphe)
    if poids.scenario != NORMAL:
        normal = poids.graphe.poids(poids.profil)
        if np.count_nonzero(normal.ms != poids.ms) <= PART_PARTIELLE * len(poids.ms):
            return customized(h, arc_costs(poids, metres), metrique_of(normal, metres=metres))
    return customized(h, arc_costs(poids, metres))


def arc_costs(poids: Poids, metres: bool) -> Couts:
    """Cost of each arc, (2 m,): ms in uint32, or ms and cm in uint64."""
    if not metres:
        return poids.ms.astype(np.uint32)
    longueur = poids.graphe.reseau.longueur_m
    return _with_metres(poids.ms, np.concatenate([longueur, longueur]))


def _with_metres(ms: I32 | I64, metres: F32 | F64) -> Couts:
    """ms in the upper 32 bits, cm in the lower ones (42,000 km hold)."""
    cm = np.rint(metres * 100.0).astype(np.uint64)
    return np.where(ms == INF_MS, calcul.INF_LONG, (ms.astype(np.uint64) << np.uint64(32)) + cm)


def customized(h: Hierarchie, couts: Couts, voisine: Metrique | None = None) -> Metrique:
    """Customize the costs of the arcs, from nothing or from a neighbour of the same kind."""
    inf = calcul.INF if couts.dtype == np.uint32 else calcul.INF_LONG
    brut_monte = np.full(len(h.head), inf)
    brut_descend = brut_monte.copy()
    calcul.lower_least(h.sur_monte, couts[h.arcs_monte], brut_monte)
    calcul.lower_least(h.sur_descend, couts[h.arcs_descend], brut_descend)
    touche: B
    if voisine is None:
        monte, descend = brut_monte.copy(), brut_descend.copy()
        touche = np.ones(len(h.rang), dtype=np.bool_)
    else:
        monte, descend = voisine.monte.copy(), voisine.descend.copy()
        differe = (voisine.brut_monte != brut_monte) | (voisine.brut_descend != brut_descend)
        touche = np.zeros(len(h.rang), dtype=np.bool_)
        touche[np.searchsorted(h.ptr, np.flatnonzero(differe), side="right") - 1] = True
    calcul.customize(
        h.ptr,
        h.head,
        h.prof,
        h.bas_ptr,
        h.bas_arc,
        h.bas_fin,
        brut_monte,
        brut_descend,
        monte,
        descend,
        touche,
        h.profondeur_max,
    )
    return Metrique(inf, brut_monte, brut_descend, monte, descend)


def matrix_ms(poids: Poids, origines: Accroches, destinations: Accroches) -> I32:
    """Travel times in ms, int32 (n_o, n_d), `INF_MS` = unreachable; either side may be the larger."""
    return matrix(poids, origines, destinations).view(np.int32)


def matrix(poids: Poids, origines: Accroches, destinations: Accroches, *, metres: bool = False) -> Couts:
    """Costs (n_o, n_d): ms in uint32, or with ``metres`` ms in the upper half and cm in the lower half of uint64.

    With metres the way measured is the shortest of the quickest ones.
    """
    h = hierarchie_of(poids.graphe)
    m = metrique_of(poids, metres=metres)
    sortie = np.empty((len(origines), len(destinations)), dtype=m.monte.dtype)
    pas = max(1, MEMOIRE_OCTETS // (24 * (h.profondeur_max + 1)))
    for a in range(0, len(origines), pas):
        bloc_o = slice(a, a + pas)
        depart = _labels(h, m, poids, origines.take(bloc_o), arrivee=False)
        for b in range(0, len(destinations), pas):
            bloc_d = slice(b, b + pas)
            arrivee = _labels(h, m, poids, destinations.take(bloc_d), arrivee=True)
            calcul.join(*depart, *arrivee, m.inf, sortie[bloc_o, bloc_d])
    i, j, direct = same_edge(poids, origines, destinations)
    couts = direct.astype(np.uint32)
    if metres:
        part = np.abs(origines.fraction[i] - destinations.fraction[j])
        couts = _with_metres(direct, part * poids.graphe.reseau.longueur_m[origines.troncon[i]])
    np.minimum.at(sortie, (i, j), couts)
    return sortie


def _labels(h: Hierarchie, m: Metrique, poids: Poids, points: Accroches, *, arrivee: bool) -> tuple[Couts, I32, I32]:
    noeuds, ms = ends(poids, points, arrivee=arrivee)
    bouts: Couts = ms.astype(np.uint32)
    if m.monte.dtype == np.uint64:
        bouts = _with_metres(ms, end_lengths(poids, points, arrivee=arrivee))
    arcs = m.descend if arrivee else m.monte
    return calcul.labels(h.rang[noeuds], bouts, h.parent, h.profondeur, h.ptr, h.prof, arcs, h.profondeur_max, m.inf)
