"""Which edges are main roads, which are departmental, which are streets and lanes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from geodata.classes import Classe

from .hasard import uniform
from .semis import HAMEAU, CommuneSource, Semis

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
I8 = NDArray[np.int8]
B = NDArray[np.bool_]

#: Length of departmental roads by area: 3,400 km in Loire (4,781 km²) and in Haute-Loire (4,977 km²).
RD_KM_PAR_KM2 = 0.70
#: Share of all roads that are departmental where areas are unknown.
RD_PART = 0.5
#: One main town for so many km², and so far apart at least.
VILLES = (650.0, 8_000.0)
BOURGS = (105.0, 3_500.0)
RENCONTRE_RAYON_M = 220.0


@dataclass(frozen=True)
class Aretes:
    """The m edges of the graph: ends, straight length (m), in a town or not, trips and travel time (s)."""

    a: I32
    b: I32
    longueur_m: F64
    rue: B
    flux: F64
    duree_s: F64


def classify(communes: Sequence[CommuneSource], semis: Semis, aretes: Aretes, seed: int) -> I8:
    """`Classe` (m,) of each edge.

    Main towns are joined to each other by primary roads, market towns by secondary ones; the busiest other
    edges are tertiary until the départements have the length of real ones, and every mairie is on one of them.
    """
    classe = np.full(len(aretes.a), int(Classe.LOCALE), dtype=np.int8)
    classe[aretes.rue] = int(Classe.RESIDENTIELLE)
    _calm_streets(semis, aretes, classe, seed)
    area_km2 = _areas(communes)
    main = _towns(communes, semis, area_km2, *VILLES)
    market = _towns(communes, semis, area_km2, *BOURGS)
    links_main = _links(semis, aretes, main, aretes.duree_s)
    # Lesser roads gladly follow the main ones.
    eased = aretes.duree_s * np.where(links_main, 0.7, 1.0)
    links_market = _links(semis, aretes, market, eased)
    rd = links_main | links_market
    rd |= _busiest(communes, semis, aretes, rd, area_km2)
    rd |= _to_every_mairie(semis, aretes, rd, len(communes))
    classe[rd] = int(Classe.TERTIAIRE)
    classe[links_market] = int(Classe.SECONDAIRE)
    classe[links_main] = int(Classe.PRIMAIRE)
    return classe


def _calm_streets(semis: Semis, aretes: Aretes, classe: I8, seed: int) -> None:
    centre = semis.commune[aretes.a]
    x = (semis.x[aretes.a] + semis.x[aretes.b]) / 2 - semis.x[centre]
    y = (semis.y[aretes.a] + semis.y[aretes.b]) / 2 - semis.y[centre]
    near = aretes.rue & (x * x + y * y < RENCONTRE_RAYON_M**2)
    classe[near & (uniform(seed, aretes.a, aretes.b, 31) < 0.2)] = int(Classe.RENCONTRE)


def _areas(communes: Sequence[CommuneSource]) -> dict[str, float]:
    """Area (km²) of each département; 17 km² are counted for a commune without outline."""
    out: dict[str, float] = {}
    for commune in communes:
        km2 = 17.0 if commune.contour is None else float(shapely.area(commune.contour)) / 1e6
        out[commune.departement] = out.get(commune.departement, 0.0) + km2
    return out


def _towns(
    communes: Sequence[CommuneSource], semis: Semis, area_km2: dict[str, float], km2_each: float, apart_m: float
) -> I64:
    """The most populated communes of each département, a given distance apart."""
    left = {code: max(1, round(km2 / km2_each)) for code, km2 in area_km2.items()}
    chosen: list[int] = []
    order = sorted(range(len(communes)), key=lambda k: (-communes[k].population, communes[k].code))
    for k in order:
        if not left[communes[k].departement]:
            continue
        if all((semis.x[k] - semis.x[o]) ** 2 + (semis.y[k] - semis.y[o]) ** 2 > apart_m**2 for o in chosen):
            chosen.append(k)
            left[communes[k].departement] -= 1
    return np.array(sorted(chosen), dtype=np.int64)


def _links(semis: Semis, aretes: Aretes, towns: I64, duration_s: F64) -> B:
    """Mask (m,) of the edges on fastest paths between towns that have no other town between them."""
    used = np.zeros(len(aretes.a), dtype=bool)
    if len(towns) < 2:
        return used
    first, second = gabriel_pairs(semis.x[towns], semis.y[towns])
    before = _trees(semis.n, aretes, towns, duration_s)
    index = _EdgeIndex(semis.n, aretes)
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        index.mark_path(used, before[i], int(towns[j]))
    return used


def gabriel_pairs(x: F64, y: F64) -> tuple[I64, I64]:
    """Pairs of points such that no other lies in the disc that has them as diameter."""
    points = np.column_stack([x, y])
    i, j = np.triu_indices(len(points), k=1)
    tree = cKDTree(points)
    # The point nearest to the middle is one of the two ends unless another lies within the disc.
    gap, _ = tree.query((points[i] + points[j]) / 2)
    half = np.sqrt(((points[i] - points[j]) ** 2).sum(axis=1)) / 2
    clear = gap >= half * (1 - 1e-9)
    return i[clear].astype(np.int64), j[clear].astype(np.int64)


def _trees(n: int, aretes: Aretes, sources: I64, duration_s: F64) -> NDArray[np.int32]:
    weight = np.round(duration_s * 1000) + 1
    matrix = coo_array((weight, (aretes.a, aretes.b)), shape=(n, n)).tocsr()
    _, before = dijkstra(matrix, directed=False, indices=sources, return_predecessors=True)
    return np.asarray(before, dtype=np.int32)


class _EdgeIndex:
    """Edge between two nodes."""

    def __init__(self, n: int, aretes: Aretes) -> None:
        keys = (np.minimum(aretes.a, aretes.b).astype(np.int64) * n + np.maximum(aretes.a, aretes.b)).tolist()
        self.n = n
        self.of = {key: k for k, key in enumerate(keys)}

    def mark_path(self, used: B, before: NDArray[np.int32], node: int) -> None:
        """Mark the edges from ``node`` up to the root, stopping nowhere else."""
        while (parent := int(before[node])) >= 0:
            used[self.of[min(node, parent) * self.n + max(node, parent)]] = True
            node = parent


def _busiest(communes: Sequence[CommuneSource], semis: Semis, aretes: Aretes, have: B, area_km2: dict[str, float]) -> B:
    codes = sorted(area_km2)
    of_commune = np.array([codes.index(c.departement) for c in communes])
    of_edge = of_commune[semis.commune[aretes.a]]
    known = any(c.contour is not None for c in communes)
    out = np.zeros(len(aretes.a), dtype=bool)
    for k, code in enumerate(codes):
        mine = np.flatnonzero(of_edge == k)
        total = aretes.longueur_m[mine].sum()
        wanted = RD_KM_PAR_KM2 * area_km2[code] * 1000 / SINUOSITE if known else RD_PART * total
        wanted -= aretes.longueur_m[mine[have[mine]]].sum()
        others = mine[~have[mine]]
        others = others[np.lexsort((others, -aretes.flux[others]))]
        out[others[np.cumsum(aretes.longueur_m[others]) <= wanted]] = True
    return out


#: Drawn roads are longer than straight ones by about this.
SINUOSITE = 1.09


def _to_every_mairie(semis: Semis, aretes: Aretes, rd: B, k: int) -> B:
    """Fastest way from each mairie that no departmental road reaches to the nearest one; also joins the pieces."""
    used = np.zeros(len(aretes.a), dtype=bool)
    # Departmental roads cost next to nothing: the tree from the busiest of them leaves it as late as it can.
    cost = np.where(rd, 0.0, aretes.duree_s)
    root = int(aretes.a[np.argmax(np.where(rd, aretes.flux, -1.0))])
    before = _trees(semis.n, aretes, np.array([root]), cost)[0]
    index = _EdgeIndex(semis.n, aretes)
    served = np.zeros(semis.n, dtype=bool)
    served[aretes.a[rd]] = True
    served[aretes.b[rd]] = True
    for mairie in range(k):
        index.mark_path(used, before, mairie)
    return used & ~rd


def is_street(semis: Semis, a: I32, b: I32) -> B:
    """True for the edges inside one town."""
    inside = (semis.genre[a] != HAMEAU) & (semis.genre[b] != HAMEAU) & (semis.commune[a] == semis.commune[b])
    return np.asarray(inside, dtype=bool)
