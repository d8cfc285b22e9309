"""Salting cases of the public format (.json) as problems of the winter search, and its plans in the published form.

Rules of the format (README of the data): trucks start full at their home; at a depot the load becomes min(capacity,
load + refill); after its last salted road a truck must still reach a depot, and what it drives after that counts
nowhere; no U-turn (u, v, u) but at the nodes of ``U``; the total length driven is minimised.

A place of the problem is a directed arc with its heading: read as an origin, the truck has just driven it; as a
destination, the truck is at its tail, about to drive it. A depot where no U-turn is allowed has one reload point for
each arc that enters it, because the heading outlives the visit; they share a stock.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from routes.probleme import AUCUN, F32, F64, I32, B, Circuit, Poids, Probleme, ProblemeInvalide

#: One unit of length of the format is 1 m here and 1 euro in the objective.
EURO_KM = 1_000.0
_MINUTE_S = 60.0


@dataclass(frozen=True, eq=False)
class CasSalage:
    """A salting case. N nodes, a directed arcs (each two-way road gives two), n roads to salt.

    tail, head I32 (a,); length F64 (a,), in the case's own unit; minutes F64 (a,); road I32 (a,): road to salt that
    driving this arc may salt, AUCUN = none; arcs of each road I32 (n, 2), the second AUCUN for a one-way; demand F64
    (n,); uturn B (N,): U-turn allowed; vehicles: (id, home node, capacity); depots: node -> most refill a visit;
    ``depot_uturn``: a truck may also turn round at a depot, where one trip ends and another begins; written: labels of
    the nodes as the file has them (texts or numbers), for plans.
    """

    name: str
    labels: tuple[str, ...]
    tail: I32
    head: I32
    length: F64
    minutes: F64
    road: I32
    arcs: I32
    demand: F64
    uturn: B
    vehicles: tuple[tuple[object, int, float], ...]
    depots: dict[int, float]
    max_minutes: float
    xy: F64
    depot_uturn: bool = False
    written: tuple[object, ...] = ()

    def turns(self, node: int) -> bool:
        """True when (u, node, u) is allowed."""
        return bool(self.uturn[node]) or (self.depot_uturn and node in self.depots)

    @cached_property
    def line_graph(self) -> csr_array:
        """(2a + N, 2a + N) ways a truck may go: 0..a-1 = at the end of an arc, with its heading; a..2a-1 = about to
        drive it; 2a + v = at node v without heading (the start of duty). Weight: length driven."""
        a, n = len(self.tail), len(self.labels)
        leaving: list[list[int]] = [[] for _ in range(n)]
        for arc, tail in enumerate(self.tail.tolist()):
            leaving[tail].append(arc)
        free = [self.turns(v) for v in range(n)]
        rows, columns = [], []
        for arc, (tail, head) in enumerate(zip(self.tail.tolist(), self.head.tolist(), strict=True)):
            for suite in leaving[head]:
                if free[head] or self.head[suite] != tail:
                    rows.append(arc)
                    columns.append(a + suite)
        for node in range(n):
            rows += [2 * a + node] * len(leaving[node])
            columns += [a + suite for suite in leaving[node]]
        # Turns weigh nothing: explicit zeros, which a sparse graph keeps as edges.
        row = np.concatenate([np.arange(a, 2 * a), np.array(rows, dtype=np.int64)])
        column = np.concatenate([np.arange(a), np.array(columns, dtype=np.int64)])
        weight = np.concatenate([self.length, np.zeros(len(rows))])
        return csr_array((weight, (row, column)), shape=(2 * a + n, 2 * a + n))


def read_case(path: Path, depot_uturn: bool = False) -> CasSalage:
    """A case from its file. Raises `ProblemeInvalide` (French) where the file does not follow the format."""
    try:
        return case_of(json.loads(path.read_text(encoding="utf-8")), depot_uturn)
    except (KeyError, TypeError, ValueError) as erreur:
        raise ProblemeInvalide(f"{path.name} : cas de salage illisible ({erreur})") from erreur


def case_of(fields: dict[str, Any], depot_uturn: bool = False) -> CasSalage:
    """A case from its parsed fields. Raises KeyError, TypeError, ValueError where they do not follow the format."""
    labels = tuple(str(node["label"]) for node in fields["nodes"])
    number = {label: i for i, label in enumerate(labels)}
    if len(number) < len(labels):
        raise ValueError("deux nœuds de même nom")

    def node(label: object) -> int:
        if str(label) not in number:
            raise ValueError(f"nœud inconnu « {label} »")
        return number[str(label)]

    tail, head, length, minutes, road = [], [], [], [], []
    for way, one_way, roads in _ways(fields):
        i, j = (node(label) for label in (way["arc"] if one_way else way["edge"]))
        for u, v in ((i, j),) if one_way else ((i, j), (j, i)):
            tail.append(u)
            head.append(v)
            length.append(float(way["len"]))
            minutes.append(float(way["time"] or 0.0))
            road.append(roads)
    if not tail:
        raise ValueError("aucune route")
    demand = [float(way["dem"]) for way in [*fields["A_R"], *fields["E_R"]]]
    arcs = np.full((len(demand), 2), AUCUN, dtype=np.int32)
    for arc, number_of in enumerate(road):
        if number_of != AUCUN:
            arcs[number_of, 0 if arcs[number_of, 0] == AUCUN else 1] = arc
    uturn = np.zeros(len(labels), dtype=np.bool_)
    uturn[[node(u["label"] if isinstance(u, dict) else u) for u in fields.get("U") or []]] = True
    positions = [n.get("position") or [0.0, 0.0] for n in fields["nodes"]]
    limit = fields.get("max_time")
    return CasSalage(
        name=str(fields["name"]),
        labels=labels,
        tail=np.array(tail, dtype=np.int32),
        head=np.array(head, dtype=np.int32),
        length=np.array(length),
        minutes=np.array(minutes),
        road=np.array(road, dtype=np.int32),
        arcs=arcs,
        demand=np.array(demand),
        uturn=uturn,
        vehicles=tuple((v["id"], node(v["home"]), float(v["capacity"])) for v in fields["vehicles"]),
        depots={node(d["label"]): float(d["refill"]) for d in fields["depots"]},
        max_minutes=np.inf if limit is None else float(limit),
        xy=np.array(positions, dtype=np.float64).reshape(-1, 2),
        depot_uturn=depot_uturn,
        written=tuple(n["label"] for n in fields["nodes"]),
    )


def _ways(fields: dict[str, Any]) -> Iterator[tuple[dict[str, Any], bool, int]]:
    """Roads of the case: fields, one-way?, number of the road to salt (AUCUN = driven only)."""
    for way in fields["A"]:
        yield way, True, AUCUN
    for number, way in enumerate(fields["A_R"]):
        yield way, True, number
    for number, way in enumerate(fields["E_R"], start=len(fields["A_R"])):
        yield way, False, number


def open_dead_ends(case: CasSalage) -> tuple[CasSalage, tuple[str, ...]]:
    """The case, or where its own rules leave roads that no truck can salt and come back from, or depots that none can
    leave while one load each is not enough, the case with U-turns allowed wherever there is no other way on; and the
    names of these nodes."""
    alone = sum(capacity for _, _, capacity in case.vehicles) < float(case.demand.sum())
    stuck = _without_way_on(case)
    if not len(stuck) or not (_lost(case) or (alone and not _can_be_left(case))):
        return case, ()
    uturn = case.uturn.copy()
    uturn[stuck] = True
    return replace(case, uturn=uturn), tuple(case.labels[node] for node in stuck.tolist())


def _without_way_on(case: CasSalage) -> I32:
    """Nodes that some arc enters after which no other may follow."""
    a = len(case.tail)
    follows = np.diff(case.line_graph.indptr)[:a]
    return np.unique(case.head[follows == 0]).astype(np.int32)


def _lost(case: CasSalage) -> bool:
    """Some road to salt cannot be reached from any home, or no depot can be reached after it."""
    a = len(case.tail)
    from_home = np.isfinite(dijkstra(case.line_graph, indices=[2 * a + h for _, h, _ in case.vehicles], min_only=True))
    at_depot = np.flatnonzero(np.isin(case.head, list(case.depots)))
    to_depot = np.isfinite(dijkstra(case.line_graph.T.tocsr(), indices=at_depot, min_only=True))
    good = from_home[a : 2 * a] & to_depot[:a]
    return not all(any(good[arc] for arc in arcs if arc != AUCUN) for arcs in case.arcs.tolist())


def _can_be_left(case: CasSalage) -> bool:
    """Some depot can be entered and left."""
    follows = np.diff(case.line_graph.indptr)
    return any(case.turns(depot) or (follows[np.flatnonzero(case.head == depot)] > 0).any() for depot in case.depots)


def reload_points(case: CasSalage) -> list[tuple[int, int]]:
    """(depot node, arc it is entered by) of each reload point; arc AUCUN where the way of entering is no matter,
    because the truck may turn round there."""
    points = []
    for depot in sorted(case.depots):
        entering = [AUCUN] if case.turns(depot) else np.flatnonzero(case.head == depot).tolist()
        points += [(depot, arc) for arc in entering]
    return points


def salting_problem(case: CasSalage) -> Probleme:
    """The case as a problem: items are the roads to salt (mode 0 = as written), one truck a vehicle, one type each.

    Places: arcs that can be salted (`place_arcs`), then reload points, then homes. The way between two places is the
    shortest in length; its time is that of this way."""
    salted, points = place_arcs(case), reload_points(case)
    homes = sorted({home for _, home, _ in case.vehicles})
    lengths, seconds = _matrices(case, salted, points, homes)
    a, r, k, n = len(salted), len(points), len(case.vehicles), len(case.demand)
    place = np.full(len(case.tail), AUCUN, dtype=np.int32)
    place[salted] = np.arange(a, dtype=np.int32)
    start = np.where(case.arcs == AUCUN, AUCUN, place[case.arcs]).astype(np.int32)
    service = np.where(case.arcs == AUCUN, np.inf, case.minutes[case.arcs] * _MINUTE_S)
    depots = sorted(case.depots)
    stock_of = {depot: s for s, depot in enumerate(depots)}
    at = a + np.arange(r, dtype=np.int32)
    home_place = np.array([a + r + homes.index(home) for _, home, _ in case.vehicles], dtype=np.int32)
    capacity = np.array([[capacity] for _, _, capacity in case.vehicles])
    return Probleme(
        distances_m=lengths[None],
        durations_s=seconds[None],
        start=start,
        end=start.copy(),
        driven_m=case.length[case.arcs[:, 0]],
        length_m=case.length[case.arcs[:, 0]],
        service_s=np.repeat(service[None], k, axis=0),
        demand=case.demand[:, None],
        level=np.zeros(n, dtype=np.int32),
        earliest_s=np.zeros(n),
        deadline_s=np.full(n, np.inf),
        skip_price=np.full(n, np.inf),
        road=np.arange(n, dtype=np.int32),
        point_place=np.stack([at, at], axis=1),
        point_s=np.zeros(r),
        refill=np.array([[case.depots[depot]] for depot, _ in points]).reshape(r, 1),
        opening_s=np.tile([0.0, np.inf], (r, 1)),
        point_stock=np.array([stock_of[depot] for depot, _ in points], dtype=np.int32),
        stock=np.full((len(depots), 1), np.inf),
        type_profile=np.zeros(k, dtype=np.int32),
        capacity=capacity,
        cost_km=np.full(k, EURO_KM),
        cost_hour=np.zeros(k),
        truck_type=np.arange(k, dtype=np.int32),
        home=np.stack([home_place, np.full(k, AUCUN, dtype=np.int32)], axis=1),
        home_stock=np.full(k, AUCUN, dtype=np.int32),
        initial_load=capacity,
        shift_start_s=np.zeros(k),
        driving_limit_s=np.full(k, np.inf),
        span_s=np.full(k, case.max_minutes * _MINUTE_S),
        cost_fixed=np.zeros(k),
        fixed_truck=np.full(n, AUCUN, dtype=np.int32),
        forbidden=np.zeros((0, 2), dtype=np.int32),
        apart=np.zeros((0, 2), dtype=np.int32),
        weights=Poids(untreated=(1e5,), late=(0.0,), truck=0.0, cost=1.0),
        item_names=tuple(f"({case.labels[case.tail[a]]}, {case.labels[case.head[a]]})" for a in case.arcs[:, 0]),
        truck_names=tuple(f"camion {name}" for name, _, _ in case.vehicles),
    )


def place_arcs(case: CasSalage) -> I32:
    """Arcs that can be salted, in order: the first places of the problem."""
    return np.flatnonzero(case.road != AUCUN).astype(np.int32)


def _origins_targets(
    case: CasSalage, salted: I32, points: list[tuple[int, int]], homes: list[int]
) -> tuple[I32, list[I32]]:
    """Node of the line graph that each place is as an origin; those, any of them, that it is as a destination."""
    a = len(case.tail)
    origins = [*salted.tolist()]
    targets = [np.array([a + arc], dtype=np.int32) for arc in salted.tolist()]
    for depot, arc in points:
        origins.append(2 * a + depot if arc == AUCUN else arc)
        targets.append((np.flatnonzero(case.head == depot) if arc == AUCUN else np.array([arc])).astype(np.int32))
    for home in homes:
        origins.append(2 * a + home)
        targets.append(np.zeros(0, dtype=np.int32))
    return np.array(origins, dtype=np.int32), targets


def _matrices(case: CasSalage, salted: I32, points: list[tuple[int, int]], homes: list[int]) -> tuple[F32, F32]:
    """(P, P) length and seconds of the shortest way from the end of each place to the beginning of each other."""
    origins, targets = _origins_targets(case, salted, points, homes)
    a = len(case.tail)
    steps = np.zeros(2 * a + len(case.labels))
    steps[:a] = case.minutes * _MINUTE_S
    places = len(origins)
    lengths = np.full((places, places), np.inf, dtype=np.float32)
    seconds = np.full((places, places), np.inf, dtype=np.float32)
    # By slices: predecessors of all origins at once would take several times the memory of the matrices.
    for first in range(0, places, 256):
        rows = slice(first, min(first + 256, places))
        far, before = dijkstra(case.line_graph, indices=origins[rows], return_predecessors=True)
        times = _along(before, steps, far)
        for column, target in enumerate(targets):
            if len(target) == 1:
                lengths[rows, column] = far[:, target[0]]
                seconds[rows, column] = times[:, target[0]]
            elif len(target):
                best = target[np.argmin(far[:, target], axis=1)]
                lengths[rows, column] = far[np.arange(len(best)), best]
                seconds[rows, column] = times[np.arange(len(best)), best]
        for column, (_, arc) in enumerate(points, start=len(salted)):
            if arc != AUCUN and first <= column < rows.stop:
                # A second visit is one after driving round: staying there gives nothing more.
                lengths[column, column] = far[column - first, a + arc] + case.length[arc]
                seconds[column, column] = times[column - first, a + arc] + steps[arc]
    return lengths, seconds


def _along(before: I32, steps: F64, far: F64) -> F64:
    """(s, V) sum of ``steps`` of the nodes on the way from each origin (its own not counted), by pointer doubling."""
    itself = np.arange(before.shape[1])
    pointer = np.where(before < 0, itself, before)
    total = np.where(before < 0, 0.0, steps)
    while True:
        further = np.take_along_axis(pointer, pointer, axis=1)
        if np.array_equal(further, pointer):
            break
        total = total + np.take_along_axis(total, pointer, axis=1)
        pointer = further
    return np.where(np.isfinite(far), total, np.inf)


def plan_of(case: CasSalage, circuits: tuple[Circuit, ...]) -> list[dict[str, Any]]:
    """The published form: for each vehicle used its route, arc by arc from home to its last depot."""
    points = reload_points(case)
    plan = []
    for circuit in circuits:
        name, home, _ = case.vehicles[circuit.truck]
        at, before = 2 * len(case.tail) + home, 0
        route: list[dict[str, Any]] = []
        for visit in [*circuit.visits.tolist(), -1 - circuit.end_point]:
            arc = AUCUN
            if visit >= 0:
                arc = int(case.arcs[visit // 2, visit % 2])
                driven = _way(case, at, np.array([len(case.tail) + arc]))
                at = arc
            else:
                depot, entry = points[-1 - visit]
                entries: NDArray[np.integer[Any]] = (
                    np.flatnonzero(case.head == depot) if entry == AUCUN else np.array([entry])
                )
                # Twice the same depot in a row: round by any way, and in by the same arc.
                around = before == visit and entry != AUCUN
                driven = _way(case, at, entries + len(case.tail) if around else entries)
                driven += [entry] if around else []
                at = 2 * len(case.tail) + depot if entry == AUCUN else entry
            before = visit
            route += [_step(case, way, False) for way in driven]
            if arc != AUCUN:
                route.append(_step(case, arc, True))
        plan.append({"vehicle": name, "route": route})
    return plan


def _way(case: CasSalage, origin: int, targets: NDArray[np.integer[Any]]) -> list[int]:
    """Arcs of the shortest way from a node of the line graph to the nearest of some others."""
    far, before = dijkstra(case.line_graph, indices=origin, return_predecessors=True)
    node = int(targets[np.argmin(far[targets])])
    if not np.isfinite(far[node]):
        raise ProblemeInvalide(f"{case.name} : aucun chemin dans le plan vers « {case.labels[case.head[node]]} »")
    arcs: list[int] = []
    while node != origin:
        if node < len(case.tail):
            arcs.append(node)
        node = int(before[node])
    return arcs[::-1]


def _step(case: CasSalage, arc: int, salted: bool) -> dict[str, Any]:
    names = case.written or case.labels
    return {"arc": [names[case.tail[arc]], names[case.head[arc]]], "salted": salted}
