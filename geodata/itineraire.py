"""The way between two points: its line, its length, and the named stretches it follows.

Pure module: numpy, shapely.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely

from geodata.accrochage import Accroches, same_edge
from geodata.graphe import Graphe, Poids
from geodata.profils import INF_MS
from geodata.reseau import F64, I32, I64

Recherche = Callable[[Poids, Accroches, Accroches], tuple[int, I32, int, int]]


@dataclass(frozen=True)
class Etape:
    """A stretch of one road: its number and name (either may be ""), metres and seconds."""

    ref: str
    nom: str
    longueur_m: float
    duree_s: float

    @property
    def libelle(self) -> str:
        """What a sign would say: ``"D 500 (Route de Bas)"``."""
        if self.ref and self.nom:
            return f"{self.ref} ({self.nom})"
        return self.ref or self.nom or "voie sans nom"


@dataclass(frozen=True)
class Trajet:
    """A way found: exact ms, seconds, metres, line in the network's metres, stretches in order, directed edges.

    arcs (q,) int32: whole or partial directed edges in order (k along the drawing of edge k, m + k against it);
    parts (q, 2) float64: share of each where it is entered and left, in the direction of travel.
    Access at both ends is not part of it.
    """

    ms: int
    longueur_m: float
    ligne: shapely.LineString
    etapes: tuple[Etape, ...]
    arcs: I32
    parts: F64

    @property
    def duree_s(self) -> float:
        return self.ms / 1000.0


def path(poids: Poids, origine: Accroches, destination: Accroches, search: Recherche) -> Trajet | None:
    """Quickest way from the single point ``origine`` to ``destination``, None where there is none.

    ``search`` is an engine's ``path_arcs``. Raises ValueError when either is not exactly one point.
    """
    if len(origine) != 1 or len(destination) != 1:
        raise ValueError(f"un trajet joint un point à un autre : reçu {len(origine)} et {len(destination)}")
    graphe, m = poids.graphe, poids.graphe.m
    ms, arcs, sortie, entree = search(poids, origine, destination)
    _, _, direct = same_edge(poids, origine, destination)
    if len(direct) and int(direct[0]) <= ms:
        fo, fd = float(origine.fraction[0]), float(destination.fraction[0])
        k = int(origine.troncon[0])
        recule = _goes_back(poids, origine, destination, int(direct[0]))
        part = (1.0 - fo, 1.0 - fd) if recule else (fo, fd)
        return _trajet(poids, int(direct[0]), np.asarray([k + m * recule], dtype=np.int32), np.asarray([part]))
    if ms >= INF_MS:
        return None
    suite, parts = [int(a) for a in arcs], [(0.0, 1.0)] * len(arcs)
    if origine.troncon[0] >= 0:
        k, f = int(origine.troncon[0]), float(origine.fraction[0])
        suite.insert(0, k + m * sortie)
        parts.insert(0, (1.0 - f if sortie else f, 1.0))
    if destination.troncon[0] >= 0:
        k, f = int(destination.troncon[0]), float(destination.fraction[0])
        suite.append(k + m * entree)
        parts.append((0.0, 1.0 - f if entree else f))
    if not suite:
        noeud = int(origine.noeud[0])
        xy = (graphe.reseau.noeud_x[noeud], graphe.reseau.noeud_y[noeud])
        vide = np.zeros(0, dtype=np.int32)
        return Trajet(ms, 0.0, shapely.LineString([xy, xy]), (), vide, np.zeros((0, 2)))
    return _trajet(poids, ms, np.asarray(suite, dtype=np.int32), np.asarray(parts))


def _goes_back(poids: Poids, origine: Accroches, destination: Accroches, ms: int) -> bool:
    """Whether the trip within one edge is the one against the drawing."""
    k, m = int(origine.troncon[0]), poids.graphe.m
    fo, fd = float(origine.fraction[0]), float(destination.fraction[0])
    if poids.ms[k] == INF_MS or fd < fo:
        return True
    aller = int(np.rint(fd * int(poids.ms[k]))) - int(np.rint(fo * int(poids.ms[k])))
    return bool(fd == fo and poids.ms[m + k] != INF_MS and aller != ms)


def _trajet(poids: Poids, ms: int, arcs: I32, parts: F64) -> Trajet:
    graphe = poids.graphe
    reseau, m = graphe.reseau, graphe.m
    troncons = np.where(arcs >= m, arcs - m, arcs)
    longueurs = reseau.longueur_m[troncons].astype(np.float64) * (parts[:, 1] - parts[:, 0])
    durees = _durations(poids, arcs, parts)
    # Equal successive names are one stretch.
    ref, nom = reseau.ref[troncons], reseau.nom[troncons]
    debuts = np.flatnonzero(np.r_[True, (ref[1:] != ref[:-1]) | (nom[1:] != nom[:-1])])
    etapes = tuple(
        Etape(reseau.textes[ref[d]], reseau.textes[nom[d]], float(longueur), float(duree) / 1000.0)
        for d, longueur, duree in zip(
            debuts, np.add.reduceat(longueurs, debuts), np.add.reduceat(durees, debuts), strict=True
        )
    )
    return Trajet(ms, float(longueurs.sum()), _line(graphe, arcs, parts), etapes, arcs, parts)


def _durations(poids: Poids, arcs: I32, parts: F64) -> I64:
    """Exact ms of each piece, rounded at the points as `geodata.accrochage` does."""
    w = poids.ms[arcs].astype(np.int64)
    # A point's place is rounded from the start of its direction of travel: `_along` rounds f * w for both parts.
    return (np.rint(parts[:, 1] * w) - np.rint(parts[:, 0] * w)).astype(np.int64)


def _line(graphe: Graphe, arcs: I32, parts: F64) -> shapely.LineString:
    reseau, m = graphe.reseau, graphe.m
    sommets: list[F64] = []
    for arc, (de, a) in zip(arcs.tolist(), parts.tolist(), strict=True):
        k = arc - m if arc >= m else arc
        bout = slice(int(reseau.geom_debut[k]), int(reseau.geom_debut[k + 1]))
        xy = np.column_stack([reseau.geom_x[bout], reseau.geom_y[bout]])
        if arc >= m:
            xy = xy[::-1]
        if (de, a) != (0.0, 1.0):
            xy = _cut(xy, de, a)
        # The joint is already there.
        sommets.append(xy[1:] if sommets and np.array_equal(sommets[-1][-1], xy[0]) else xy)
    ligne = np.vstack(sommets)
    return shapely.LineString(ligne if len(ligne) > 1 else np.vstack([ligne, ligne]))


def _cut(xy: F64, de: float, a: float) -> F64:
    """The piece of a line between two shares of its length, ends included (at least two vertices)."""
    pas = np.hypot(*np.diff(xy, axis=0).T)
    fait = np.concatenate([[0.0], np.cumsum(pas)])
    debut, fin = de * fait[-1], a * fait[-1]
    bouts = np.column_stack([np.interp([debut, fin], fait, xy[:, 0]), np.interp([debut, fin], fait, xy[:, 1])])
    dedans = xy[(fait > debut) & (fait < fin)]
    return np.vstack([bouts[:1], dedans, bouts[1:]])
