"""The library's contraction hierarchy (package ``routingkit-cch``): the order of the nodes, paths, a second opinion.

Pure module. The order depends on the network alone and is computed once (`compute_ordre`, seconds; kept in the
database by `geodata.graphe_cache`); building the hierarchy from it takes a tenth of a second, a weight vector
(customization) some hundredths, and a scenario that changes a few arcs some milliseconds (partial update). Its
matrices, one sweep a point, check those of `geodata.hierarchie`, which replaces them in service.

The library's objects must not be shared between threads: each thread builds its own from the graph's order. A query's
result must be dropped before the next one, hence the small functions that copy what they need.
"""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import routingkit_cch as rk

from geodata.accrochage import Accroches, ends, same_edge
from geodata.graphe import Graphe, Poids
from geodata.profils import INF_MS
from geodata.reseau import F64, I32

#: Weight vectors customized at a time by a thread.
METRIQUES_GARDEES = 3

#: Up to this many changed arcs, a partial update is quicker than customizing all again (measured: 0.09 ms each).
ARCS_PARTIEL = 300

_local = threading.local()


def compute_ordre(graphe: Graphe) -> I32:
    """Contraction order by inertial flow on the node positions, int32 (n,): ordre[0] is contracted first."""
    arcs = np.flatnonzero(graphe.reseau.source != graphe.reseau.cible)
    a, b = graphe.reseau.source[arcs], graphe.reseau.cible[arcs]
    ordre = rk.compute_order_inertial(
        graphe.n,
        np.concatenate([a, b]).tolist(),
        np.concatenate([b, a]).tolist(),
        graphe.reseau.noeud_y.tolist(),
        graphe.reseau.noeud_x.tolist(),
    )
    return np.asarray(ordre, dtype=np.int32)


@dataclass
class _Metrique:
    #: Weak: a vector knows its graph, which must be free to go while a thread lives.
    poids: weakref.ref[Poids]
    ms: I32
    metrique: rk.CCHMetric


@dataclass
class _Hierarchie:
    """What one thread holds for one graph."""

    cch: rk.CCH
    arcs: I32
    modifieur: rk.CCHMetricPartialUpdater
    #: Most recently used last.
    metriques: list[_Metrique] = field(default_factory=list)

    def metric(self, poids: Poids) -> rk.CCHMetric:
        for rang, m in enumerate(self.metriques):
            if m.poids() is poids:
                self.metriques.append(self.metriques.pop(rang))
                return m.metrique
        ms = poids.ms[self.arcs]
        if len(self.metriques) < METRIQUES_GARDEES:
            self.metriques.append(_Metrique(weakref.ref(poids), ms, rk.CCHMetric(self.cch, ms.tolist())))
            return self.metriques[-1].metrique
        m = self.metriques.pop(0)
        change = np.flatnonzero(ms != m.ms)
        if len(change) <= ARCS_PARTIEL:
            self.modifieur.apply(m.metrique, dict(zip(change.tolist(), ms[change].tolist(), strict=True)))
        else:
            m.metrique.reset(ms.tolist())
        m.poids, m.ms = weakref.ref(poids), ms
        self.metriques.append(m)
        return m.metrique


def _hierarchie(graphe: Graphe) -> _Hierarchie:
    gardees: list[tuple[weakref.ref[Graphe], _Hierarchie]] | None = getattr(_local, "gardees", None)
    if gardees is None:
        gardees = _local.gardees = []
    # What was built for graphs that have gone is dropped here, by the thread that built it: the library refuses any
    # other, which a callback of the weak reference would run in.
    gardees[:] = [(ref, hierarchie) for ref, hierarchie in gardees if ref() is not None]
    for ref, hierarchie in gardees:
        if ref() is graphe:
            return hierarchie
    arcs = np.flatnonzero(graphe.tail != graphe.head).astype(np.int32)
    # False: a direction that is closed today may be open for another profile or scenario.
    cch = rk.CCH(
        graphe.ensure_ordre(compute_ordre).tolist(), graphe.tail[arcs].tolist(), graphe.head[arcs].tolist(), False
    )
    trouve = _Hierarchie(cch, arcs, rk.CCHMetricPartialUpdater(cch))
    gardees.append((weakref.ref(graphe), trouve))
    return trouve


def customize(poids: Poids) -> None:
    """Make this thread's hierarchy ready for a weight vector (done by the queries themselves when needed)."""
    _hierarchie(poids.graphe).metric(poids)


def matrix_ms(poids: Poids, origines: Accroches, destinations: Accroches) -> I32:
    """Travel times in ms, int32 (n_o, n_d), `INF_MS` = unreachable: one sweep for each point of the fewer side."""
    metrique = _hierarchie(poids.graphe).metric(poids)
    inverse = len(destinations) < len(origines)
    points, autres = (destinations, origines) if inverse else (origines, destinations)
    n_points, ms_points = ends(poids, points, arrivee=inverse)
    n_autres, ms_autres = ends(poids, autres, arrivee=not inverse)
    utiles = ms_autres != INF_MS
    noeuds, place = np.unique(n_autres[utiles], return_inverse=True)
    colonne = np.zeros(n_autres.shape, dtype=np.int64)
    colonne[utiles] = place
    reste = np.where(utiles, ms_autres, np.inf)
    resultat = np.full((len(points), len(autres)), np.inf)
    if len(noeuds):
        sweep = _sweep(metrique, noeuds, inverse=inverse)
        for k in range(len(points)):
            depart = [(int(v), int(t)) for v, t in zip(n_points[k], ms_points[k], strict=True) if t != INF_MS]
            if depart:
                champ = np.asarray(sweep(depart), dtype=np.float64)
                resultat[k] = np.fmin(champ[colonne[:, 0]] + reste[:, 0], champ[colonne[:, 1]] + reste[:, 1])
    # The library answers None (here NaN) where there is no way.
    entiers = np.where(resultat < float(INF_MS), resultat, float(INF_MS)).astype(np.int32)
    entiers = np.ascontiguousarray(entiers.T) if inverse else entiers
    i, j, direct = same_edge(poids, origines, destinations)
    np.minimum.at(entiers, (i, j), direct.astype(np.int32))
    return entiers


def _sweep(metrique: rk.CCHMetric, noeuds: I32, *, inverse: bool) -> Any:
    if inverse:
        return rk.CCHManyToOne(metrique, noeuds.tolist()).distances_to_multi
    return rk.CCHOneToMany(metrique, noeuds.tolist()).distances_from_multi


def path_arcs(poids: Poids, origine: Accroches, destination: Accroches) -> tuple[int, I32, int, int]:
    """As `geodata.moteur_scipy.path_arcs`, by one bidirectional search in the hierarchy."""
    hierarchie = _hierarchie(poids.graphe)
    requete = rk.CCHQuery(hierarchie.metric(poids))
    n_dep, ms_dep = ends(poids, origine, arrivee=False)
    n_arr, ms_arr = ends(poids, destination, arrivee=True)
    rien = int(INF_MS), np.zeros(0, dtype=np.int32), -1, -1
    departs, arrivees = _pairs(n_dep, ms_dep), _pairs(n_arr, ms_arr)
    if not departs or not arrivees:
        return rien
    resultat = requete.run_multi(departs, arrivees)
    ms, noeuds, arcs = resultat.distance, list(resultat.node_path), list(resultat.arc_path)
    del resultat
    if ms is None or ms >= INF_MS:
        return rien
    sortie, entree = _column(n_dep, ms_dep, noeuds[0]), _column(n_arr, ms_arr, noeuds[-1])
    return int(ms), hierarchie.arcs[np.asarray(arcs, dtype=np.int64)], sortie, entree


def _pairs(noeuds: I32, ms: I32) -> list[tuple[int, int]]:
    return [(int(v), int(t)) for v, t in zip(noeuds[0], ms[0], strict=True) if t != INF_MS]


def _column(noeuds: I32, ms: I32, noeud: int) -> int:
    """Which of the two ends is that node; where both are (a loop), the nearer."""
    cout: F64 = np.where(noeuds[0] == noeud, ms[0], np.inf)
    return int(np.argmin(cout))
