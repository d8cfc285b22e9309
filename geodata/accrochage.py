"""Points put on the network: on the nearest usable edge (not node), with the access kept apart.

Pure module: numpy, shapely. A point snapped at the fraction f of edge k leaves towards the end of the drawing
(if the profile may drive that way) and towards its start (the same), and is reached from both likewise: one-ways
are kept. Positions along an edge are rounded to the millisecond once, so that the two parts of an edge add up to it
and every engine sees the same integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geodata.graphe import Graphe, Poids
from geodata.profils import INF_MS, Profil, profil_of
from geodata.reseau import F32, F64, I8, I32, I64, B

#: Farther than this from any usable road, a point is reported and not snapped (metres).
LIMITE_M = 1000.0


class Raison(IntEnum):
    """What happened to a point."""

    ACCROCHE = 0
    TROP_LOIN = 1
    COORDONNEES = 2
    ILOT = 3
    RESEAU_FERME = 4


LIBELLES_RAISON: dict[Raison, str] = {
    Raison.ACCROCHE: "accroché au réseau",
    Raison.TROP_LOIN: "aucune route praticable à moins de {limite:.0f} m",
    Raison.COORDONNEES: "coordonnées absentes ou hors du plan",
    Raison.ILOT: "accroché à un morceau de réseau isolé : aucune autre route à moins de {limite:.0f} m",
    Raison.RESEAU_FERME: "aucune route praticable dans ce réseau pour ce profil",
}


@dataclass(frozen=True)
class Accroches:
    """p points on the network.

    troncon (p,) int32: edge, -1 where not snapped or snapped to a node; fraction (p,) float64 in [0, 1] along the
    drawing; noeud (p,) int32: node, -1 unless the point is a node; x, y (p,) float64: place on the network (NaN
    where not snapped); distance_m, acces_s (p,) float32: straight-line access to it and its time at the profile's
    access speed (inf where not snapped), never part of travel times; raison (p,) int8: `Raison`;
    composante (p,) int32: strongly connected component for the profile, 0 the largest, -1 none.
    """

    troncon: I32
    fraction: F64
    noeud: I32
    x: F64
    y: F64
    distance_m: F32
    acces_s: F32
    raison: I8
    composante: I32
    limite_m: float = LIMITE_M

    def __len__(self) -> int:
        return len(self.troncon)

    @property
    def accroche(self) -> B:
        """Points that are on the network, (p,) bool."""
        return (self.troncon >= 0) | (self.noeud >= 0)

    def take(self, rangs: ArrayLike | slice) -> Accroches:
        """Some of the points, by positions, mask or slice."""
        if not isinstance(rangs, slice):
            rangs = np.asarray(rangs)
            # An empty list is an array of floats.
            rangs = rangs if rangs.size else rangs.astype(np.int64)
        colonnes = {
            nom: getattr(self, nom)[rangs]
            for nom in ("troncon", "fraction", "noeud", "x", "y", "distance_m", "acces_s", "raison", "composante")
        }
        return replace(self, **colonnes)

    def anomalies(self) -> Iterator[tuple[int, str]]:
        """(position, sentence in French) of each point that is not plainly snapped."""
        for k in np.flatnonzero(self.raison != Raison.ACCROCHE):
            yield int(k), LIBELLES_RAISON[Raison(int(self.raison[k]))].format(limite=self.limite_m)


def snap_nodes(graphe: Graphe, noeuds: ArrayLike) -> Accroches:
    """Nodes of the graph taken as points, without access. Raises ValueError on a node that does not exist."""
    noeud = np.asarray(noeuds, dtype=np.int32).reshape(-1)
    if len(noeud) and not (noeud.min() >= 0 and noeud.max() < graphe.n):
        raise ValueError(f"nœud absent du réseau ({graphe.n} nœuds)")
    p = len(noeud)
    zero = np.zeros(p, dtype=np.float32)
    return Accroches(
        troncon=np.full(p, -1, dtype=np.int32),
        fraction=np.zeros(p),
        noeud=noeud,
        x=graphe.reseau.noeud_x[noeud],
        y=graphe.reseau.noeud_y[noeud],
        distance_m=zero,
        acces_s=zero.copy(),
        raison=np.zeros(p, dtype=np.int8),
        composante=np.full(p, -1, dtype=np.int32),
    )


def snap(
    graphe: Graphe,
    x: ArrayLike,
    y: ArrayLike,
    profil: Profil | str,
    limite_m: float = LIMITE_M,
    *,
    ilots: bool = False,
    autoroutes: bool = False,
) -> Accroches:
    """Put p points (coordinates in the network's metres) on the nearest edge that the profile may use.

    Motorways, slip roads and tunnels (`Graphe.riveraines`) are left out, since one does not join them from the land
    beside them; ``autoroutes=True`` takes them, for points that lie on the road itself.
    Edges of islets (components under `geodata.graphe.PART_COMPOSANTE`, which includes the loose ends of one-ways at
    the rim of an extract) are taken only where nothing else lies within the limit, with the reason `Raison.ILOT`;
    ``ilots=True`` makes them ordinary. Raises ValueError when x and y differ in length.
    """
    x = np.asarray(x, dtype=np.float64).reshape(-1)
    y = np.asarray(y, dtype=np.float64).reshape(-1)
    if x.shape != y.shape:
        raise ValueError(f"{len(x)} abscisses pour {len(y)} ordonnées")
    profil = profil_of(profil)
    poids = graphe.poids(profil)
    p = len(x)
    troncon = np.full(p, -1, dtype=np.int32)
    distance = np.full(p, np.inf)
    raison = np.full(p, Raison.TROP_LOIN, dtype=np.int8)
    valide = np.isfinite(x) & np.isfinite(y) & (np.abs(x) < 1e8) & (np.abs(y) < 1e8)
    raison[~valide] = Raison.COORDONNEES
    if not (poids.ouverts if autoroutes else poids.ouverts & graphe.riveraines).any():
        raison[valide] = Raison.RESEAU_FERME
        valide[:] = False
    points = shapely.points(x, y)
    passes = [(True, Raison.ACCROCHE)] if ilots else [(False, Raison.ACCROCHE), (True, Raison.ILOT)]
    for avec_ilots, resultat in passes:
        reste = np.flatnonzero(valide & (troncon < 0))
        if len(reste) == 0:
            break
        arbre, rangs = _tree(graphe, poids, avec_ilots, autoroutes)
        if len(rangs) == 0:
            continue
        (qui, lequel), loin = arbre.query_nearest(
            points[reste], max_distance=limite_m, return_distance=True, all_matches=False
        )
        troncon[reste[qui]] = rangs[lequel]
        distance[reste[qui]] = loin
        raison[reste[qui]] = resultat
    ok = troncon >= 0
    fraction = np.zeros(p)
    px, py = np.full(p, np.nan), np.full(p, np.nan)
    if ok.any():
        lignes = graphe.lignes[troncon[ok]]
        # An edge without length (two nodes at one place) has no position along it.
        fraction[ok] = np.nan_to_num(shapely.line_locate_point(lignes, points[ok], normalized=True), nan=0.0)
        px[ok], py[ok] = graphe.places(troncon[ok], fraction[ok])
    composante = np.full(p, -1, dtype=np.int32)
    composante[ok] = poids.composantes[1][troncon[ok]]
    return Accroches(
        troncon=troncon,
        fraction=np.clip(fraction, 0.0, 1.0),
        noeud=np.full(p, -1, dtype=np.int32),
        x=px,
        y=py,
        distance_m=distance.astype(np.float32),
        acces_s=(distance * 3.6 / profil.vitesse_acces_kmh).astype(np.float32),
        raison=raison,
        composante=composante,
        limite_m=limite_m,
    )


def _tree(graphe: Graphe, poids: Poids, ilots: bool, autoroutes: bool) -> tuple[shapely.STRtree, I64]:
    """Search tree of the edges to choose from, and their positions; kept by the graph."""

    def make() -> tuple[shapely.STRtree, I64]:
        choix = poids.ouverts if ilots else poids.troncons_principaux
        rangs = np.flatnonzero(choix if autoroutes else choix & graphe.riveraines)
        return shapely.STRtree(graphe.lignes[rangs]), rangs

    arbre: tuple[shapely.STRtree, I64] = graphe.derived(("arbre", poids.profil, ilots, autoroutes), make)
    return arbre


def _along(poids: Poids, points: Accroches) -> tuple[I64, I64, I64, I64, NDArray[Any]]:
    """Positions of the edge-snapped points in ms: done and left along the drawing, done and left against it.

    Closed directions carry -1. Also returns the mask of these points.
    """
    m = poids.graphe.m
    sur = points.troncon >= 0
    k = np.where(sur, points.troncon, 0)
    parts = []
    for w, f in ((poids.ms[k], points.fraction), (poids.ms[m + k], 1.0 - points.fraction)):
        w = w.astype(np.int64)
        fait = np.rint(f * w).astype(np.int64)
        ouvert = sur & (w != INF_MS)
        parts += [np.where(ouvert, fait, -1), np.where(ouvert, w - fait, -1)]
    return parts[0], parts[1], parts[2], parts[3], sur


def ends(poids: Poids, points: Accroches, *, arrivee: bool) -> tuple[I32, I32]:
    """Nodes through which p points leave (or, with ``arrivee``, are reached), and the ms between node and point.

    Two int32 arrays (p, 2): nodes, and milliseconds with `INF_MS` where there is no such way. Column 0 goes with
    the travel along the drawing, column 1 against it.
    """
    g = poids.graphe
    aller_fait, aller_reste, retour_fait, retour_reste, sur = _along(poids, points)
    k = np.where(sur, points.troncon, 0)
    source, cible = g.reseau.source[k], g.reseau.cible[k]
    if arrivee:
        noeuds = np.column_stack([source, cible])
        ms = np.column_stack([aller_fait, retour_fait])
    else:
        noeuds = np.column_stack([cible, source])
        ms = np.column_stack([aller_reste, retour_reste])
    ms = np.where(ms < 0, int(INF_MS), ms)
    noeud = points.noeud >= 0
    noeuds[noeud] = points.noeud[noeud, None]
    ms[noeud] = (0, int(INF_MS))
    noeuds[ms == INF_MS] = 0
    return noeuds.astype(np.int32), ms.astype(np.int32)


def end_lengths(poids: Poids, points: Accroches, *, arrivee: bool) -> F64:
    """Metres between p points and the two nodes of `ends`, float64 (p, 2)."""
    sur = points.troncon >= 0
    longueur = np.where(sur, poids.graphe.reseau.longueur_m[np.where(sur, points.troncon, 0)], 0.0)
    faite, restante = points.fraction * longueur, (1.0 - points.fraction) * longueur
    deux = (faite, restante) if arrivee else (restante, faite)
    return np.where(sur[:, None], np.column_stack(deux), 0.0)


def same_edge(poids: Poids, origines: Accroches, destinations: Accroches) -> tuple[I64, I64, I64]:
    """Trips that stay on one edge: positions of origin and destination, and ms, of each possible pair (q,) int64."""
    do = np.flatnonzero(origines.troncon >= 0)
    dd = np.flatnonzero(destinations.troncon >= 0)
    dd = dd[np.argsort(destinations.troncon[dd], kind="stable")]
    cles = destinations.troncon[dd]
    lo = np.searchsorted(cles, origines.troncon[do], side="left")
    nombre = np.searchsorted(cles, origines.troncon[do], side="right") - lo
    i = np.repeat(do, nombre)
    decalage = np.arange(len(i)) - np.repeat(np.cumsum(nombre) - nombre, nombre)
    j = dd[np.repeat(lo, nombre) + decalage] if len(i) else np.zeros(0, dtype=np.int64)
    ao, _, ro, _, _ = _along(poids, origines)
    ad, _, rd, _, _ = _along(poids, destinations)
    fo, fd = origines.fraction[i], destinations.fraction[j]
    inf = int(INF_MS)
    aller = np.where((ao[i] >= 0) & (fd >= fo), ad[j] - ao[i], inf)
    retour = np.where((ro[i] >= 0) & (fd <= fo), rd[j] - ro[i], inf)
    ms = np.minimum(aller, retour)
    garde = ms < inf
    return i[garde], j[garde], ms[garde]
