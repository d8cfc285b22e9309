"""The road network as a graph in memory: int32 CSR and its transpose, one weight vector a profile and scenario.

Pure module: numpy, scipy, shapely. Directed edges ("arcs") are numbered once for all: arc k (0 <= k < m) drives
edge k as drawn, arc m + k drives it backwards; a direction that a profile may not use has the weight `INF_MS`.
The CSR has one entry for each ordered pair of distinct nodes, so that parallel edges are one entry whose weight is
the least of theirs (scipy would add duplicates up); loops join nothing and are left out of it.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geodata.classes import Classe
from geodata.profils import INF_MS, Profil, profil_of
from geodata.reseau import F64, I32, I64, B, TableauxReseau
from geodata.scenario import NORMAL, Scenario

#: Weight vectors kept by a graph, most recent first.
POIDS_GARDES = 8

#: A component with at least this share of the profile's usable edges is a network of its own, not an islet.
PART_COMPOSANTE = 0.01


class GrapheInvalide(ValueError):
    """The network cannot be made a graph; the message says why."""


@dataclass(frozen=True)
class Structure:
    """Entries of a CSR sorted by (row, column) without duplicates, and the arcs behind each.

    arcs (2 m - loops,) int32: arcs in the order of the entries; debut (entries + 1,): first arc of each entry;
    indptr (n + 1,), indices (entries,) int32.
    """

    indptr: I32
    indices: I32
    arcs: I32
    debut: I64


def _structure(n: int, tail: I32, head: I32) -> Structure:
    reels = np.flatnonzero(tail != head)
    arcs: I32 = reels[np.lexsort((head[reels], tail[reels]))].astype(np.int32)
    t, h = tail[arcs], head[arcs]
    neuf = np.ones(len(arcs), dtype=np.bool_)
    neuf[1:] = (t[1:] != t[:-1]) | (h[1:] != h[:-1])
    debut = np.append(np.flatnonzero(neuf), len(arcs))
    indptr = np.zeros(n + 1, dtype=np.int32)
    np.cumsum(np.bincount(t[debut[:-1]], minlength=n), out=indptr[1:])
    return Structure(indptr, h[debut[:-1]], arcs, debut)


@dataclass(frozen=True, eq=False)
class Poids:
    """Weights of a graph for one profile in one scenario: ms (2 m,) int32, `INF_MS` = closed."""

    graphe: Graphe = field(repr=False)
    profil: Profil
    scenario: Scenario
    ms: I32 = field(repr=False)
    _derives: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def derived(self, cle: Hashable, make: Callable[[], Any]) -> Any:
        """What an engine made of this vector under that key, made once."""
        # Under the graph's lock: a scenario's times may rest on those of the profile.
        with self.graphe.verrou:
            if cle not in self._derives:
                self._derives[cle] = make()
            return self._derives[cle]

    @cached_property
    def csr(self) -> csr_array:
        """Open entries as float64 (n, n), the exact integers of ``ms`` (scipy's Dijkstra takes nothing else)."""
        return _open_csr(self.graphe.structure, self.ms, self.graphe.n)

    @cached_property
    def csr_transposee(self) -> csr_array:
        """The same for searches against the direction of travel."""
        return _open_csr(self.graphe.structure_transposee, self.ms, self.graphe.n)

    @cached_property
    def ouverts(self) -> B:
        """Edges open in at least one direction, (m,) bool."""
        m = self.graphe.m
        ouverts: B = (self.ms[:m] != INF_MS) | (self.ms[m:] != INF_MS)
        return ouverts

    @cached_property
    def composantes(self) -> tuple[I32, I32]:
        """Strongly connected component of each node, and of each edge (-1: closed, or its ends differ).

        Components are numbered by decreasing number of edges, 0 the largest.
        """
        g = self.graphe
        _, noeuds = connected_components(self.csr, directed=True, connection="strong")
        a, b = noeuds[g.reseau.source], noeuds[g.reseau.cible]
        meme = (a == b) & self.ouverts
        taille = np.bincount(a[meme], minlength=int(noeuds.max(initial=0)) + 1)
        rang = np.empty(len(taille), dtype=np.int32)
        rang[np.argsort(-taille, kind="stable")] = np.arange(len(taille), dtype=np.int32)
        return rang[noeuds], np.where(meme, rang[a], -1).astype(np.int32)

    @cached_property
    def troncons_principaux(self) -> B:
        """Edges of a component that holds at least `PART_COMPOSANTE` of the open edges (islets left out), (m,)."""
        troncons = self.composantes[1]
        taille = np.bincount(troncons[troncons >= 0], minlength=1)
        grande = taille >= max(1.0, PART_COMPOSANTE * self.ouverts.sum())
        principaux: B = (troncons >= 0) & grande[troncons]
        return principaux


def _open_csr(structure: Structure, ms: I32, n: int) -> csr_array:
    if len(structure.indices) == 0:
        return csr_array((n, n), dtype=np.float64)
    poids = np.minimum.reduceat(ms[structure.arcs], structure.debut[:-1])
    ouvert = poids != INF_MS
    avant = np.zeros(len(poids) + 1, dtype=np.int32)
    np.cumsum(ouvert, out=avant[1:])
    matrice = csr_array(
        (poids[ouvert].astype(np.float64), structure.indices[ouvert], avant[structure.indptr]), shape=(n, n)
    )
    matrice.has_sorted_indices = True
    matrice.has_canonical_format = True
    return matrice


class Graphe:
    """A network of n nodes and m edges ready for searches, made by `from_tableaux`; read-only, shared by threads."""

    def __init__(self, reseau: TableauxReseau, ordre: I32 | None = None) -> None:
        self.reseau = reseau
        self.n, self.m = reseau.n_noeuds, reseau.n_troncons
        self.tail = np.concatenate([reseau.source, reseau.cible]).astype(np.int32, copy=False)
        self.head = np.concatenate([reseau.cible, reseau.source]).astype(np.int32, copy=False)
        self._ordre = ordre
        self._poids: OrderedDict[tuple[str, Scenario], Poids] = OrderedDict()
        self._derives: dict[Hashable, Any] = {}
        #: Held while something is made of the graph, so that it is made once.
        self.verrou = threading.RLock()
        #: Called with an order that had to be computed and the seconds it took (the cache saves it).
        self.garder_ordre: Callable[[I32, float], None] | None = None

    @classmethod
    def from_tableaux(cls, reseau: TableauxReseau, ordre: I32 | None = None) -> Graphe:
        """A graph of the network, which must be in metres. ``ordre``: node order of the hierarchy, if it is known.

        Raises `GrapheInvalide` for an empty network, one in degrees, or an order that is not one of its nodes.
        """
        if reseau.srid == 4326:
            raise GrapheInvalide("réseau en degrés (EPSG:4326) : il doit être projeté en mètres")
        if reseau.n_noeuds == 0 or reseau.n_troncons == 0:
            raise GrapheInvalide("réseau vide : aucun tronçon")
        if ordre is not None and not np.array_equal(np.sort(ordre), np.arange(reseau.n_noeuds)):
            raise GrapheInvalide("ordre de contraction d'un autre réseau : à recalculer")
        return cls(reseau, ordre)

    @cached_property
    def structure(self) -> Structure:
        return _structure(self.n, self.tail, self.head)

    @cached_property
    def structure_transposee(self) -> Structure:
        return _structure(self.n, self.head, self.tail)

    @cached_property
    def lignes(self) -> Any:
        """Geometry of the edges, (m,) array of shapely LineString."""
        r = self.reseau
        sommets = np.column_stack([r.geom_x, r.geom_y])
        return shapely.from_ragged_array(shapely.GeometryType.LINESTRING, sommets, (r.geom_debut,))

    @cached_property
    def riveraines(self) -> B:
        """Edges that one joins and leaves from the land beside them, (m,) bool: no motorway, slip road or tunnel."""
        r = self.reseau
        riveraines: B = ~((r.classe == int(Classe.AUTOROUTE)) | r.bretelle | r.tunnel)
        return riveraines

    @cached_property
    def abscisses(self) -> F64:
        """Metres run from the first vertex of all to each one, following the edges in turn, (vertices,) float64."""
        r = self.reseau
        pas = np.hypot(np.diff(r.geom_x, prepend=r.geom_x[:1]), np.diff(r.geom_y, prepend=r.geom_y[:1]))
        # From the end of an edge to the start of the next one there is no way to go.
        pas[r.geom_debut[:-1]] = 0.0
        return np.cumsum(pas)

    def places(self, troncons: I64 | I32, fraction: F64) -> tuple[F64, F64]:
        """Coordinates of points at a share of the drawn length of edges, two float64 arrays (p,)."""
        r, s = self.reseau, self.abscisses
        debut, fin = r.geom_debut[troncons], r.geom_debut[troncons + 1] - 1
        place = s[debut] + fraction * (s[fin] - s[debut])
        avant = np.clip(np.searchsorted(s, place, side="right") - 1, debut, fin - 1)
        longueur = s[avant + 1] - s[avant]
        part = np.divide(place - s[avant], longueur, out=np.zeros(len(place)), where=longueur > 0)
        part = np.clip(part, 0.0, 1.0)
        x = r.geom_x[avant] + part * (r.geom_x[avant + 1] - r.geom_x[avant])
        y = r.geom_y[avant] + part * (r.geom_y[avant + 1] - r.geom_y[avant])
        return x, y

    def poids(self, profil: Profil | str, scenario: Scenario = NORMAL) -> Poids:
        """Weights of a profile in a scenario; the last `POIDS_GARDES` are kept.

        Raises `geodata.profils.ProfilInconnu` and `geodata.scenario.ScenarioInvalide`.
        """
        profil = profil_of(profil)
        cle = (profil.code, scenario)
        with self.verrou:
            trouve = self._poids.get(cle)
            if trouve is None or trouve.profil != profil:
                trouve = Poids(self, profil, scenario, scenario.weights(profil, self.reseau))
                self._poids[cle] = trouve
                while len(self._poids) > POIDS_GARDES:
                    self._poids.popitem(last=False)
            self._poids.move_to_end(cle)
        return trouve

    def derived(self, cle: Hashable, make: Callable[[], Any]) -> Any:
        """What was made of this graph under that key (search trees, hierarchies), made once under a lock."""
        with self.verrou:
            if cle not in self._derives:
                self._derives[cle] = make()
            return self._derives[cle]

    def arc_between(self, poids: Poids, tail: I32, head: I32) -> I32:
        """Quickest open arc of each ordered pair of nodes that the CSR joins, (k,) int32; the first where equal."""
        s = self.structure
        arcs = np.empty(len(tail), dtype=np.int32)
        for k, (a, b) in enumerate(zip(tail, head, strict=True)):
            lo, hi = s.indptr[a], s.indptr[a + 1]
            entree = lo + int(np.searchsorted(s.indices[lo:hi], b))
            choix = s.arcs[s.debut[entree] : s.debut[entree + 1]]
            arcs[k] = choix[np.argmin(poids.ms[choix])]
        return arcs

    @property
    def ordre(self) -> I32 | None:
        """Node order of the contraction hierarchy (ordre[0] is contracted first), None until it is computed."""
        return self._ordre

    def ensure_ordre(self, compute: Callable[[Graphe], I32]) -> I32:
        """The order, computed once under a lock if need be, then given to ``garder_ordre`` with the seconds it took."""
        with self.verrou:
            if self._ordre is None:
                debut = time.perf_counter()
                self._ordre = compute(self)
                if self.garder_ordre is not None:
                    self.garder_ordre(self._ordre, time.perf_counter() - debut)
            return self._ordre
