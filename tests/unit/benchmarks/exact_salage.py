"""Least length of small salting cases, exactly: shortest ways through (where from, where, what is salted, load)."""

from __future__ import annotations

import heapq
from typing import Any


def least_length(case: dict[str, Any], depot_uturn: bool = False) -> float:
    """Least total length of a feasible plan, ``inf`` = none. For at most about ten roads to salt.

    Every vehicle alone first: least length to salt exactly each set of roads and reach a depot; then the sets are
    shared out. Driving times add up along the ways as lengths do, so a time limit would need more labels: refused.
    """
    roads = [*case["A_R"], *case["E_R"]]
    times = [float(way["time"]) for way in [*case["A"], *roads]]
    vehicles = case["vehicles"]
    if sum(times) > 0 and case.get("max_time") is not None:
        raise ValueError("temps de parcours : pas pour cette méthode")
    full = (1 << len(roads)) - 1
    best = {0: 0.0}
    for vehicle in vehicles:
        alone = {0: 0.0, **_alone(case, roads, vehicle, depot_uturn)}
        shared: dict[int, float] = {}
        for done, length in best.items():
            for more, further in alone.items():
                if not done & more:
                    shared[done | more] = min(shared.get(done | more, float("inf")), length + further)
        best = shared
    return best.get(full, float("inf"))


def _alone(
    case: dict[str, Any], roads: list[dict[str, Any]], vehicle: dict[str, Any], depot_uturn: bool
) -> dict[int, float]:
    """Set of roads (bits) -> least length for one vehicle to salt just these."""
    refill = {depot["label"]: float(depot["refill"]) for depot in case["depots"]}
    turning = {u["label"] for u in case["U"]} | (set(refill) if depot_uturn else set())
    out: dict[str, list[tuple[str, float, int, float]]] = {}  # from -> to, length, road bit, salt

    def drivable(i: str, j: str, length: float, bit: int, salt: float) -> None:
        out.setdefault(i, []).append((j, length, 0, 0.0))
        if bit:
            out[i].append((j, length, bit, salt))

    for way in case["A"]:
        drivable(*way["arc"], float(way["len"]), 0, 0.0)
    for rank, way in enumerate(roads):
        i, j = way.get("arc") or way["edge"]
        drivable(i, j, float(way["len"]), 1 << rank, float(way["dem"]))
        if "edge" in way:
            drivable(j, i, float(way["len"]), 1 << rank, float(way["dem"]))
    capacity = float(vehicle["capacity"])
    heap: list[tuple[float, str, str, int, float]] = [(0.0, "", vehicle["home"], 0, capacity)]
    # Most load with which a state was left at its least length or more: labels dominated in both are dropped.
    kept: dict[tuple[str, str, int], float] = {}
    found: dict[int, float] = {}
    while heap:
        length, before, here, done, spare = heapq.heappop(heap)
        if kept.get((before, here, done), -1.0) >= spare:
            continue
        kept[before, here, done] = spare
        if here in refill and done not in found:
            found[done] = length
        for there, step, bit, salt in out.get(here, []):
            if (there == before and here not in turning) or done & bit or salt > spare + 1e-9:
                continue
            load = spare - salt
            if there in refill:
                load = min(capacity, load + refill[there])
            heapq.heappush(heap, (length + step, here, there, done | bit, load))
    return found
