"""Départementales of Loire and Haute-Loire as problems of the winter search: what is read, what is assumed.

Read: the main roads of both départements and 10 km around (ends, length, class, who manages each piece), communes
(inhabitants, mairie). The file says nothing of levels, depots, trucks, traffic: all of that is assumed here, in
`Hypotheses`, the same for each département alone and for both together.

The border is which rows go in. A block treats the départementales that its members manage, from its members' depots.
Its trucks may drive empty on every open road of the file, whoever manages it: a public road is closed to nobody. Only
autoroutes are left out (toll, and their interchanges do not join the other roads in this file).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pyogrio
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import KDTree

from routes.contraction import contract_reseau
from routes.preparation import Camion, Depot, Niveau, Passes, Preparation, Troncons, TypeCamion, prepare
from routes.probleme import AUCUN, F64, I32
from routes.reseau import Gabarit, Limites, ReseauHiver, make

H = 3600.0
MEMBRES = ("42", "43")


@dataclass(frozen=True)
class Hypotheses:
    """What the file does not say. Times in s after the common start of duty (4:30 in the Loire).

    depots: of both together, shared out as evenly as can be, in the biggest communes of each member that lie at
    least ``spacing_m`` from a bigger one already chosen. level_share: share of each member's kilometres in each level,
    the roads of most traffic first (Haute-Loire: D1 1,710 km of 3,430, D2 880, D3 840); traffic is a gravity model on
    the communes' inhabitants. deadline_s: of each level. Loads, doses, speeds: the issue's. Costs: our own figures,
    only their orders matter. A duty is kept within the 10 h that driving alone may last (the law's span is 12 h)."""

    depots: int = 47
    spacing_m: float = 8_000.0
    trucks_per_depot: int = 4
    load_t: float = 6.0
    dose_g_m2: float = 20.0
    width_m: float = 6.0
    treating_kmh: float = 30.0
    empty_kmh: float = 50.0
    level_share: tuple[float, ...] = (0.50, 0.26, 0.24)
    deadline_s: tuple[float, ...] = (4 * H, 6 * H, 8 * H)
    reload_s: float = 900.0
    driving_limit_s: float = 10 * H
    span_s: float = 10 * H
    cost_fixed: float = 60.0
    cost_km: float = 1.1
    cost_hour: float = 45.0
    gravity_reach_m: float = 60_000.0


@dataclass(frozen=True, eq=False)
class Territoire:
    """Both départements: network (autoroutes left out), who manages each edge, levels, depots.

    member (E,): index in `MEMBRES` of who treats the edge, AUCUN = nobody here; level (E,); xy (N, 2) m EPSG:2154;
    depot_node (D,), depot_member (D,), depot_name; refs (E,); outline: lines of the limit between both, m."""

    reseau: ReseauHiver
    member: I32
    level: I32
    xy: F64
    depot_node: I32
    depot_member: I32
    depot_name: tuple[str, ...]
    refs: tuple[str, ...]
    limite: Any


def read(folder: Path, h: Hypotheses) -> Territoire:
    """The territory, from the folder of real data (``routes/`` and ``communes/``)."""
    path = folder / "routes" / "reseau-principal-42-43.gpkg"
    roads = pyogrio.read_dataframe(path, layer="troncons", read_geometry=False)
    nodes = pyogrio.read_dataframe(path, layer="noeuds").to_crs(2154)
    roads = roads[roads["classe"] != "autoroute"].reset_index(drop=True)
    rank = pd.Series(np.arange(len(nodes)), index=nodes["id"])
    u, v = rank[roads["source"]].to_numpy(), rank[roads["cible"]].to_numpy()
    length = roads["longueur_m"].to_numpy(dtype=np.float64)
    edge = np.tile(np.arange(len(roads), dtype=np.int32), 2)
    tail, head = np.concatenate([u, v]).astype(np.int32), np.concatenate([v, u]).astype(np.int32)
    both = np.concatenate([length, length])
    xy = np.column_stack([nodes.geometry.x, nodes.geometry.y])
    seconds = Gabarit(h.empty_kmh).seconds(both, Limites.none(len(both)))[None]
    reseau = make(len(nodes), tail, head, both, seconds, edge=edge, xy=xy)
    managed = roads["departement_gestionnaire"].fillna("").str.split("|")
    departmental = roads["classe"] == "départementale"
    member = np.full(len(roads), AUCUN, dtype=np.int32)
    for k, code in enumerate(MEMBRES):
        member[departmental & managed.apply(lambda codes, code=code: code in codes)] = k
    communes = _communes(folder, xy)
    flow = _traffic(reseau, communes, h)
    level = _levels(reseau, member, flow, h)
    chosen = _depots(communes, h)
    return Territoire(
        reseau=reseau,
        member=member,
        level=level,
        xy=xy,
        depot_node=chosen["node"].to_numpy(dtype=np.int32),
        depot_member=chosen["member"].to_numpy(dtype=np.int32),
        depot_name=tuple(chosen["nom"]),
        refs=tuple(roads["ref"].fillna("")),
        limite=geopandas.read_file(path, layer="limite").to_crs(2154).geometry.iloc[0],
    )


def _communes(folder: Path, xy: F64) -> pd.DataFrame:
    """Communes near the network: inhabitants, member, nearest node, position; the biggest first."""
    table = pd.read_csv(folder / "communes" / "communes-13-departements.csv", dtype={"code_insee": str})
    table["departement"] = table["departement"].astype(str).str.zfill(2)
    table = table.dropna(subset=["mairie_lon", "population_municipale"])
    points = geopandas.GeoSeries.from_xy(table["mairie_lon"], table["mairie_lat"], crs=4326).to_crs(2154)
    where = np.column_stack([points.x, points.y])
    away, node = KDTree(xy).query(where)
    table = table.assign(x=where[:, 0], y=where[:, 1], node=node)[away < 3_000.0]
    table["member"] = [MEMBRES.index(d) if d in MEMBRES else AUCUN for d in table["departement"]]
    return table.sort_values(["population_municipale", "code_insee"], ascending=[False, True]).reset_index(drop=True)


def _traffic(reseau: ReseauHiver, communes: pd.DataFrame, h: Hypotheses) -> F64:
    """(E,) trips on each edge, in no unit: inhabitants x inhabitants / km², along the shortest ways."""
    n = reseau.nodes
    people = np.bincount(communes["node"], weights=communes["population_municipale"], minlength=n)
    order = np.lexsort((reseau.length_m, reseau.head, reseau.tail))
    keep = np.ones(len(order), dtype=np.bool_)
    tail, head = reseau.tail[order], reseau.head[order]
    keep[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    arcs = order[keep]
    graph = csr_array((reseau.length_m[arcs], (reseau.tail[arcs], reseau.head[arcs])), shape=(n, n))
    number = {
        (int(a), int(b)): int(e)
        for a, b, e in zip(reseau.tail[arcs], reseau.head[arcs], reseau.edge[arcs], strict=True)
    }
    flow = np.zeros(reseau.edges)
    for source in np.flatnonzero(people).tolist():
        far, before = dijkstra(graph, indices=source, limit=h.gravity_reach_m, return_predecessors=True)
        near = np.isfinite(far)
        trips = np.where(near, people[source] * people / np.maximum(far / 1_000.0, 1.0) ** 2, 0.0)
        trips[source] = 0.0
        reached = np.flatnonzero(near)
        for v in reached[np.argsort(-far[reached], kind="stable")].tolist():
            if (u := int(before[v])) >= 0:
                flow[number[u, v]] += trips[v]
                trips[u] += trips[v]
    return flow


def _levels(reseau: ReseauHiver, member: I32, flow: F64, h: Hypotheses) -> I32:
    """(E,) level of each edge: chains of each member by decreasing traffic, in the shares assumed."""
    level = np.zeros(reseau.edges, dtype=np.int32)
    small, contraction = contract_reseau(reseau, key=member[reseau.edge])
    bounds = np.cumsum(h.level_share)[:-1]
    for k in range(len(MEMBRES)):
        # One arc a chain is enough: both its ways have the same edges.
        arcs = [a for a in range(small.arcs) if member[reseau.edge[contraction.chain(a)[0]]] == k]
        first = np.unique(small.edge[arcs], return_index=True)[1]
        chains = [reseau.edge[contraction.chain(arcs[i])] for i in first]
        length = np.array([small.length_m[arcs[i]] for i in first])
        mean = np.array([flow[chain].mean() for chain in chains])
        order = np.argsort(-mean, kind="stable")
        done = (np.cumsum(length[order]) - length[order] / 2) / length.sum()
        for i, share in zip(order.tolist(), done.tolist(), strict=True):
            level[chains[i]] = int(np.searchsorted(bounds, share))
    return level


def _depots(communes: pd.DataFrame, h: Hypotheses) -> pd.DataFrame:
    """Communes with a depot, those of the first member first, the biggest first."""
    lots = [h.depots // len(MEMBRES) + (k >= len(MEMBRES) - h.depots % len(MEMBRES)) for k in range(len(MEMBRES))]
    chosen: list[int] = []
    for k, count in enumerate(lots):
        mine: list[int] = []
        for i in np.flatnonzero(communes["member"] == k).tolist():
            if len(mine) == count:
                break
            here = communes.loc[i, ["x", "y"]].to_numpy(dtype=np.float64)
            others = communes.loc[mine, ["x", "y"]].to_numpy(dtype=np.float64)
            taken = set(communes.loc[mine, "node"])
            if communes.loc[i, "node"] not in taken and np.all(np.hypot(*(others - here).T) >= h.spacing_m):
                mine.append(i)
        chosen += mine
    return communes.loc[chosen]


def problem(territoire: Territoire, block: tuple[str, ...], h: Hypotheses) -> Preparation:
    """The problem of one block of members."""
    members = [MEMBRES.index(code) for code in block]
    edges = territoire.reseau.edges
    treated: NDArray[np.bool_] = np.isin(territoire.member, members)
    troncons = Troncons(
        passes=np.where(treated, int(Passes.UNE), int(Passes.NON_TRAITE)).astype(np.int32),
        width_m=np.full(edges, h.width_m),
        dose_g_m2=np.full((edges, 1), h.dose_g_m2),
        level=territoire.level,
        owner=territoire.member,
        names=territoire.refs,
    )
    mine = np.flatnonzero(np.isin(territoire.depot_member, members)).tolist()
    depots = [Depot(int(territoire.depot_node[d]), reload_s=h.reload_s) for d in mine]
    kind = TypeCamion(0, (h.load_t,), h.treating_kmh, h.cost_km, h.cost_hour)
    camions = [
        Camion(
            0, k, driving_limit_s=h.driving_limit_s, span_s=h.span_s, cost_fixed=h.cost_fixed,
            name=f"{territoire.depot_name[d]} {rank}",
        )
        for k, d in enumerate(mine)
        for rank in range(1, h.trucks_per_depot + 1)
    ]  # fmt: skip
    levels = [Niveau(deadline) for deadline in h.deadline_s]
    return prepare(territoire.reseau, troncons, levels, depots, [kind], camions)
