"""Sketches of a winter problem for `cas`: random roads, matrices with and without turns, a problem with no feature."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import numpy as np

from routes.probleme import AUCUN, F64, Poids

KM_H = 1 / 3.6
TREATING = 30 * KM_H
#: t of product a metre: 20 g/m² over 6 m.
DOSE = 20e-6 * 6.0
INF = np.inf

Arc = tuple[int, int, float, float]  # from, to, m, s


def _roads(rng: np.random.Generator, nodes: int, extra: int) -> list[tuple[int, int, float]]:
    """Connected random roads (u, v, m): a tree of near nodes and some more short ones."""
    xy = rng.uniform(0, 8_000, (nodes, 2))
    gap = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    roads = [(int(np.argmin(gap[v, :v])), v) for v in range(1, nodes)]
    rest = sorted(
        ((gap[u, v], u, v) for u in range(nodes) for v in range(u + 1, nodes) if (u, v) not in roads),
    )
    roads += [(u, v) for _, u, v in rest[:extra]]
    return [(u, v, float(round(gap[u, v] * rng.uniform(1.0, 1.4) + 200.0))) for u, v in roads]


def node_matrices(nodes: int, arcs: list[Arc]) -> tuple[F64, F64]:
    """(P, P) metres and seconds between nodes along the quickest ways; inf where there is none."""
    metres, seconds = np.full((nodes, nodes), INF), np.full((nodes, nodes), INF)
    for source in range(nodes):
        heap = [(0.0, 0.0, source)]
        while heap:
            s, m, u = heapq.heappop(heap)
            if seconds[source, u] <= s:
                continue
            seconds[source, u], metres[source, u] = s, m
            for a, b, length, duration in arcs:
                if a == u and s + duration < seconds[source, b]:
                    heapq.heappush(heap, (s + duration, m + length, b))
    return metres, seconds


def arc_matrices(nodes: int, arcs: list[Arc], turn: Callable[[Arc, Arc], float]) -> tuple[F64, F64]:
    """Matrices over places = arcs (arrived by it, or about to leave on it), then nodes (where turning is free).

    ``turn(a, b)`` is the price in s of going on by b after a, inf = not allowed.
    """
    places = len(arcs) + nodes
    metres, seconds = np.full((places, places), INF), np.full((places, places), INF)
    for source in range(places):
        heap: list[tuple[float, float, int]] = []
        if source < len(arcs):
            node = arcs[source][1]
            heap = [
                (turn(arcs[source], arc), 0.0, b)
                for b, arc in enumerate(arcs)
                if arc[0] == node and turn(arcs[source], arc) < INF
            ]
        else:
            node = source - len(arcs)
            heap = [(0.0, 0.0, b) for b, arc in enumerate(arcs) if arc[0] == node]
        seconds[source, len(arcs) + node] = metres[source, len(arcs) + node] = 0.0
        heapq.heapify(heap)
        while heap:
            s, m, b = heapq.heappop(heap)
            if seconds[source, b] <= s:
                continue
            seconds[source, b], metres[source, b] = s, m
            _, head, length, duration = arcs[b]
            s, m = s + duration, m + length
            if s < seconds[source, len(arcs) + head]:
                seconds[source, len(arcs) + head], metres[source, len(arcs) + head] = s, m
            for c, arc in enumerate(arcs):
                if arc[0] == head and s + turn(arcs[b], arc) < seconds[source, c]:
                    heapq.heappush(heap, (s + turn(arcs[b], arc), m, c))
    return metres, seconds


def base(
    rng: np.random.Generator, n: int, trucks: int, share: float, *, oneway: bool = False, turn: bool = False
) -> dict[str, Any]:
    """Fields of a problem: one product, one level, one profile and type, ``trucks`` that hold ``share`` of all."""
    nodes = max(5, n + 1)
    roads = _roads(rng, nodes, 3)
    arcs: list[Arc] = []
    for u, v, m in roads:
        seconds = m / (rng.uniform(40, 60) * KM_H)
        arcs += [(u, v, m, seconds), (v, u, m, seconds)]
    chosen = [int(k) for k in rng.permutation(len(roads))]
    if oneway:  # a directed circle keeps every node within reach, the other roads may lose a direction
        ring = [int(k) for k in rng.permutation(nodes)]
        arcs = [a for k, a in enumerate(arcs) if k // 2 not in chosen[: len(chosen) // 2] or k % 2 == rng.integers(2)]
        for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
            if not any(x[:2] == (a, b) for x in arcs):
                m = float(round(rng.uniform(1_500, 6_000)))
                arcs.append((a, b, m, m / (50 * KM_H)))
    position = {a[:2]: k for k, a in enumerate(arcs)}
    # items: (first direction, second direction or None, road, m)
    items: list[tuple[int, int | None, int, float]] = []
    if oneway:
        while len(items) < n:
            k = int(rng.integers(len(arcs)))
            u, v, m, _ = arcs[k]
            back = position.get((v, u))
            if any(k == i[0] or k == i[1] for i in items):
                continue
            if back is None or (rng.random() < 0.4 and not any(back in i[:2] for i in items)):
                items.append((k, None if back is None or rng.random() < 0.5 else back, len(items), m))
            elif len(items) + 2 <= n and not any(back in i[:2] for i in items):  # one pass in each direction
                items += [(k, None, len(items), m), (back, None, len(items), m)]
    else:
        items = [(2 * k, 2 * k + 1, number, roads[k][2]) for number, k in enumerate(chosen[:n])]
    if turn:
        allowed = {int(v) for v in rng.choice(nodes, 2, replace=False)}
        for v in range(nodes):  # a dead end where nobody turns could not be left
            if sum(a[0] == v for a in arcs) == 1 and rng.random() < 0.7:
                allowed.add(v)
        bends = rng.choice([0.0, 10.0, 60.0, INF], (nodes, 3), p=[0.45, 0.25, 0.25, 0.05])

        def price(a: Arc, b: Arc) -> float:
            if b[1] == a[0]:
                return 40.0 if a[1] in allowed else INF
            return float(bends[a[1], (a[0] + 2 * b[1]) % 3])

        distances, durations = arc_matrices(nodes, arcs, price)
        place = {v: len(arcs) + v for v in range(nodes)}
        modes = [(a, a if b is None else b, b is not None) for a, b, _, _ in items]
        start = np.array([[a, b if two else AUCUN] for a, b, two in modes], dtype=np.int32)
        end = start.copy()
    else:
        distances, durations = node_matrices(nodes, arcs)
        place = {v: v for v in range(nodes)}
        start = np.array([[arcs[a][0], AUCUN if b is None else arcs[b][0]] for a, b, _, _ in items], dtype=np.int32)
        end = np.array([[arcs[a][1], AUCUN if b is None else arcs[b][1]] for a, b, _, _ in items], dtype=np.int32)
    length = np.array([m for *_, m in items])
    demand = (length * DOSE * rng.choice([1.0, 1.5], n)).round(3)[:, None]
    service = np.repeat((length / TREATING)[None, :, None], 2, axis=2)
    service[0, start[:, 1] == AUCUN, 1] = INF
    capacity = max(float(demand.max()), round(share * float(demand.sum()), 3))
    homes = [place[int(v)] for v in rng.integers(nodes, size=trucks)]
    if rng.random() < 0.5:
        homes = homes[:1] * trucks
    return {
        "distances_m": distances[None].astype(np.float32),
        "durations_s": durations[None].astype(np.float32),
        "start": start,
        "end": end,
        "driven_m": length.copy(),
        "length_m": length,
        "service_s": service,
        "demand": demand,
        "level": np.zeros(n, dtype=np.int32),
        "earliest_s": np.zeros(n),
        "deadline_s": np.full(n, INF),
        "skip_price": np.full(n, INF),
        "road": np.array([r for _, _, r, _ in items], dtype=np.int32),
        "point_place": np.zeros((0, 2), dtype=np.int32),
        "point_s": np.zeros(0),
        "refill": np.zeros((0, 1)),
        "opening_s": np.zeros((0, 2)),
        "point_stock": np.zeros(0, dtype=np.int32),
        "stock": np.zeros((0, 1)),
        "type_profile": np.zeros(1, dtype=np.int32),
        "capacity": np.array([[capacity]]),
        "cost_km": np.array([1.2]),
        "cost_hour": np.array([40.0]),
        "truck_type": np.zeros(trucks, dtype=np.int32),
        "home": np.array([[h, h] for h in homes], dtype=np.int32).reshape(-1, 2),
        "home_stock": np.full(trucks, AUCUN, dtype=np.int32),
        "initial_load": np.full((trucks, 1), capacity),
        "shift_start_s": np.full(trucks, 4 * 3600.0),
        "driving_limit_s": np.full(trucks, INF),
        "span_s": np.full(trucks, INF),
        "cost_fixed": rng.choice([0.0, 30.0, 60.0], trucks),
        "fixed_truck": np.full(n, AUCUN, dtype=np.int32),
        "forbidden": np.zeros((0, 2), dtype=np.int32),
        "apart": np.zeros((0, 2), dtype=np.int32),
        "weights": Poids(untreated=(10.0,), late=(0.5,), truck=20.0),
        "_nodes": np.array([place[v] for v in range(nodes)]),
    }


def with_points(rng: np.random.Generator, f: dict[str, Any], points: int, refills: F64 | None = None) -> None:
    """Reload points at nodes, each with a stock without limit; some give less than a full truck."""
    q = f["initial_load"].shape[1]
    places = rng.choice(f["_nodes"], points, replace=False)
    f["point_place"] = np.stack([places, places], axis=1).astype(np.int32)
    f["point_s"] = rng.choice([120.0, 300.0, 600.0], points)
    f["refill"] = np.full((points, q), INF) if refills is None else refills
    f["opening_s"] = np.tile([0.0, INF], (points, 1))
    f["point_stock"] = np.arange(points, dtype=np.int32)
    f["stock"] = np.full((points, q), INF)
