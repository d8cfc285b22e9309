"""Is a plan of a salting case feasible, and how long is it? From the published files alone.

Independent of the solver and of the reader of the bench: works on the parsed JSON of the case and of the plan, by the
rules that the README of the data gives, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Verdict:
    """What a plan is worth. ``faults``: French sentences, none = feasible; length driven on duty, in the case's unit;
    minutes: of the longest route."""

    faults: tuple[str, ...]
    length: float
    minutes: float

    @property
    def feasible(self) -> bool:
        """True when no rule is broken."""
        return not self.faults


def validate(case: dict[str, Any], plan: list[dict[str, Any]], depot_uturn: bool = False) -> Verdict:
    """Walk every route, arc by arc.

    ``depot_uturn``: also allow a U-turn at a depot, as the plan published with one of the two small cases does; the
    rules as written do not.
    """
    faults: list[str] = []
    links = _Links(case)
    vehicles = {str(v["id"]): v for v in case["vehicles"]}
    total, longest = 0.0, 0.0
    seen: set[str] = set()
    for entry in plan:
        name = str(entry["vehicle"])
        if name not in vehicles or name in seen:
            faults.append(f"camion {name} : inconnu, ou deux tournées")
            continue
        seen.add(name)
        length, minutes = _walk(case, links, vehicles[name], entry["route"], depot_uturn, faults)
        total += length
        longest = max(longest, minutes)
    limit = case.get("max_time")
    if limit is not None and longest > float(limit) * (1 + _TOLERANCE) + _TOLERANCE:
        faults.append(f"tournée de {longest:g} min, {limit:g} permises")
    faults += [f"route {pair[0]}-{pair[1]} : pas salée" for pair in links.unsalted()]
    return Verdict(tuple(faults), total, longest)


class _Links:
    """What may be driven from node to node, and what is still to salt."""

    def __init__(self, case: dict[str, Any]) -> None:
        # (from, to) -> roads there: length, minutes, demand (None = not to salt), number of the road
        self.ways: dict[tuple[str, str], list[tuple[float, float, float | None, int]]] = {}
        self.names: dict[int, tuple[str, str]] = {}
        self.done: set[int] = set()
        for kind, key in (("A", "arc"), ("A_R", "arc"), ("E_R", "edge")):
            for way in case[kind]:
                number = len(self.names)
                i, j = str(way[key][0]), str(way[key][1])
                self.names[number] = (i, j)
                demand = None if kind == "A" else float(way["dem"])
                if demand is None:
                    self.done.add(number)
                for pair in ((i, j), (j, i)) if kind == "E_R" else ((i, j),):
                    self.ways.setdefault(pair, []).append(
                        (float(way["len"]), float(way["time"] or 0.0), demand, number)
                    )

    def drive(self, pair: tuple[str, str]) -> tuple[float, float] | None:
        """Length and minutes, None = no such road."""
        ways = self.ways.get(pair)
        return min(way[:2] for way in ways) if ways else None

    def salt(self, pair: tuple[str, str]) -> tuple[float, float, float] | None:
        """Length, minutes and salt of a road there that is still to salt, None = no such road."""
        for length, minutes, demand, number in self.ways.get(pair, []):
            if number not in self.done and demand is not None:
                self.done.add(number)
                return length, minutes, demand
        return None

    def unsalted(self) -> list[tuple[str, str]]:
        """Roads still to salt."""
        return [pair for number, pair in self.names.items() if number not in self.done]


def _walk(
    case: dict[str, Any],
    links: _Links,
    vehicle: dict[str, Any],
    route: list[dict[str, Any]],
    depot_uturn: bool,
    faults: list[str],
) -> tuple[float, float]:
    """Length and minutes on duty of one route; adds what is wrong to ``faults``."""
    refill = {str(depot["label"]): float(depot["refill"]) for depot in case["depots"]}
    turning = {str(u["label"]) for u in case["U"]} | (set(refill) if depot_uturn else set())
    name, capacity = vehicle["id"], float(vehicle["capacity"])
    salted = [rank for rank, step in enumerate(route) if step["salted"]]
    last = salted[-1] if salted else len(route) - 1
    load, length, minutes = capacity, 0.0, 0.0
    here, before, on_duty = str(vehicle["home"]), "", True
    for rank, step in enumerate(route):
        u, v = str(step["arc"][0]), str(step["arc"][1])
        if u != here:
            faults.append(f"camion {name}, étape {rank} : part de {u}, mais le camion est en {here}")
        if rank and v == before and here not in turning:
            faults.append(f"camion {name}, étape {rank} : demi-tour interdit en {here}")
        way: tuple[float, ...] | None = links.salt((u, v)) if step["salted"] else links.drive((u, v))
        if way is None:
            faults.append(
                f"camion {name}, étape {rank} : {u}-{v} n'est pas à saler, ou l'est deux fois"
                if step["salted"]
                else f"camion {name}, étape {rank} : {u}-{v} ne se parcourt pas"
            )
            way = (0.0, 0.0)
        if on_duty:
            length, minutes = length + way[0], minutes + way[1]
        if step["salted"] and len(way) == 3:
            load -= way[2]
            if load < -_TOLERANCE * max(1.0, capacity):
                faults.append(f"camion {name}, étape {rank} : {-load:g} de sel manquent sur {u}-{v}")
        if v in refill:
            load = min(capacity, load + refill[v])
            on_duty = on_duty and rank < last
        before, here = u, v
    if route and on_duty:
        faults.append(f"camion {name} : n'atteint aucun dépôt après sa dernière route salée")
    return length, minutes
