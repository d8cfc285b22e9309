"""Random small problems of the winter service, one feature at a time, shared by every test of the room.

``make(feature, seed, n_items)`` is a plain function: same arguments, same problem, on any machine. Cases are small
(3 to 6 items, 1 to 3 trucks) so that an exact method can solve them, and drawn so that the feature weighs on the
best plan: a capacity below the demand, a stock below what the near point would give, a deadline that the shortest
tour misses...
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from routes.probleme import AUCUN, I32, Circuit, Poids, Probleme, split_oversized

from .croquis import INF, base, with_points


def _whole(rng: np.random.Generator, choices: tuple[int, ...]) -> int:
    return int(rng.choice(choices))


def _shortest_duty(f: dict[str, Any]) -> float:
    """s, a rough tour that serves all with one truck: nearest item next, first mode."""
    d = f["durations_s"][0].astype(np.float64)
    here, left, total = int(f["home"][0, 0]), set(range(len(f["level"]))), 0.0
    while left:
        item, mode = min(
            ((i, b) for i in left for b in range(2) if f["start"][i, b] != AUCUN),
            key=lambda im: d[here, f["start"][im]],
        )
        step = d[here, f["start"][item, mode]] + f["service_s"][0, item, mode]
        total += step if np.isfinite(step) else 0.0
        here = int(f["end"][item, mode])
        left.discard(item)
    last = d[here, f["home"][0, 1]] if f["home"][0, 1] != AUCUN else 0.0
    return total + float(last if np.isfinite(last) else 0.0)


def _capacity(rng: np.random.Generator, n: int) -> dict[str, Any]:
    return base(rng, n, _whole(rng, (2, 3)), rng.uniform(0.4, 0.7))


def _reload(rng: np.random.Generator, n: int) -> dict[str, Any]:
    f = base(rng, n, _whole(rng, (1, 2)), rng.uniform(0.3, 0.5))
    with_points(rng, f, _whole(rng, (1, 2)))
    if rng.random() < 0.5:  # visits that do not fill the truck
        f["refill"] = np.round(f["capacity"][0] * rng.choice([0.5, 0.8, INF], f["refill"].shape), 3)
    if rng.random() < 0.3:  # leaves half empty
        f["initial_load"] = np.round(f["initial_load"] * 0.5, 3)
    f["weights"] = replace(f["weights"], truck=float(rng.choice([20.0, 200.0])))
    return f


def _stock(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """The near stock does not hold what the trucks would take there."""
    f = base(rng, n, _whole(rng, (1, 2)), rng.uniform(0.35, 0.55))
    with_points(rng, f, 2)
    total = float(f["demand"].sum())
    if rng.random() < 0.5:
        f["home_stock"][:] = 0
        f["point_place"][0] = f["home"][0, 0]
        limit = rng.uniform(0.4, 0.8) * total
    else:
        limit = rng.uniform(0.1, 0.5) * (total - min(total, float(f["initial_load"].sum())) / 2)
    f["stock"] = np.round([[limit], [rng.uniform(0.3, 0.8) * total]], 3)
    if rng.random() < 0.3:  # one stock, two ways in
        f["point_stock"][:] = 0
    return f


def _two_products(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Salt or pouzzolane by item (one needs both), two compartments; a point gives one product, or both."""
    f = base(rng, n, _whole(rng, (1, 2)), 1.0)
    kind = rng.integers(2, size=n)
    kind[0], kind[1] = 0, 1
    two = np.zeros((n, 2))
    two[np.arange(n), kind] = f["demand"][:, 0]
    if n > 3:
        two[n - 1] = f["demand"][n - 1, 0] / 2
    f["demand"] = two
    most = np.maximum(two.max(axis=0), np.round(two.sum(axis=0) * rng.uniform(0.35, 0.7, 2), 3))
    f["capacity"] = most[None]
    f["initial_load"] = np.repeat(most[None], len(f["truck_type"]), axis=0)
    if rng.random() < 0.3:
        f["initial_load"][:, 1] = 0.0
    f["refill"] = np.zeros((0, 2))
    f["stock"] = np.zeros((0, 2))
    gives = np.array([[INF, 0.0], [0.0, INF]]) if rng.random() < 0.75 else np.array([[INF, INF], [0.0, INF]])
    with_points(rng, f, 2, gives)
    return f


def _mixed_fleet(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Two types: a cheap small one and a big dear one that some roads do not bear and that treats faster."""
    f = base(rng, n, 3, 0.4)
    small, big = float(f["capacity"][0, 0]), round(1.6 * float(f["capacity"][0, 0]), 3)
    f["capacity"] = np.array([[small], [big]])
    f["cost_km"], f["cost_hour"] = np.array([0.8, 1.6]), np.array([38.0, 45.0])
    f["type_profile"] = np.array([0, 1], dtype=np.int32)
    service = np.concatenate([f["service_s"], f["service_s"] * 0.8])
    service[1, int(rng.integers(n))] = INF
    service[0, int(rng.integers(n)), 0] = INF
    f["service_s"] = service
    heavy_m, heavy_s = f["distances_m"][0].copy(), f["durations_s"][0] * np.float32(1.2)
    closed = rng.random(heavy_m.shape) < 0.5
    shut = int(f["start"][int(rng.integers(n)), 0])
    if shut not in f["home"]:  # a place beyond a weak bridge
        closed[shut, :] = closed[:, shut] = True
    np.fill_diagonal(closed, False)
    for mode in range(2):  # a road that it treats, it may drive
        done = np.isfinite(service[1, :, mode])
        closed[f["start"][done, mode], f["end"][done, mode]] = False
    heavy_m[closed], heavy_s[closed] = INF, INF
    for k in range(len(closed)):  # round the closed ways, as on any network
        by = heavy_s[:, k, None] + heavy_s[None, k, :]
        heavy_m = np.where(by < heavy_s, heavy_m[:, k, None] + heavy_m[None, k, :], heavy_m)
        heavy_s = np.minimum(heavy_s, by)
    f["distances_m"] = np.stack([f["distances_m"][0], heavy_m])
    f["durations_s"] = np.stack([f["durations_s"][0], heavy_s])
    f["truck_type"] = np.array([0, 1, _whole(rng, (0, 1))], dtype=np.int32)
    f["initial_load"] = f["capacity"][f["truck_type"]]
    return f


def _deadline(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Two levels, deadlines before the end of a tour, lateness dearer than the detour; some wait for an hour."""
    f = base(rng, n, _whole(rng, (1, 2)), 1.0)
    duty, begin = _shortest_duty(f), float(f["shift_start_s"][0])
    f["level"] = rng.integers(2, size=n).astype(np.int32)
    f["deadline_s"] = np.where(rng.random(n) < 0.7, np.round(begin + duty * rng.uniform(0.15, 0.7, n)), INF)
    f["deadline_s"][0] = round(begin + duty * rng.uniform(0.15, 0.4))
    late = np.where(rng.random(n) < 0.3, np.round(begin + duty * rng.uniform(0.2, 0.8, n)), 0.0)
    f["earliest_s"] = late
    f["weights"] = Poids(untreated=(100.0, 10.0), late=(0.5, 0.05), truck=float(rng.choice([20.0, 500.0])))
    return f


def _turn(rng: np.random.Generator, n: int) -> dict[str, Any]:
    return base(rng, n, _whole(rng, (1, 2)), rng.uniform(0.55, 1.0), turn=True, oneway=bool(rng.random() < 0.3))


def _oneway(rng: np.random.Generator, n: int) -> dict[str, Any]:
    return base(rng, n, _whole(rng, (1, 2)), rng.uniform(0.5, 1.0), oneway=True)


def _lock(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Items bound to the far truck, pairs kept apart, a truck refused, sometimes a whole circuit kept."""
    f = base(rng, n, _whole(rng, (2, 3)), rng.uniform(0.6, 1.0))
    trucks = len(f["truck_type"])
    order = rng.permutation(n)
    f["fixed_truck"][order[0]] = rng.integers(trucks)
    if rng.random() < 0.6:
        f["apart"] = np.array([[order[1], order[2]]], dtype=np.int32)
    f["forbidden"] = np.array([[order[1], rng.integers(trucks)]], dtype=np.int32)
    if rng.random() < 0.5:  # a circuit nobody would draw so: in any order, in any mode
        truck = trucks - 1
        f["fixed_truck"][f["fixed_truck"] == truck] = 0
        f["forbidden"] = np.array([[order[1], 0]], dtype=np.int32)
        kept, load = [], 0.0
        for item in order[[1, 0, *range(3, n)][: _whole(rng, (1, 2))]]:
            load += float(f["demand"][item, 0])
            if load <= float(f["capacity"][0, 0]) + 1e-9:
                kept.append(2 * int(item) + int(rng.integers(2)))
        f["fixed_truck"][[v // 2 for v in kept]] = AUCUN
        f["circuits"] = (Circuit(truck, np.array(kept, dtype=np.int32)),)
    return f


def _optional(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Prices of leaving out near what serving costs."""
    f = base(rng, n, _whole(rng, (1, 2)), rng.uniform(0.6, 1.0))
    km, hours = f["length_m"] / 1000, f["service_s"][0, :, 0] / 3600
    price = np.round((1.2 * km + 40 * hours) * rng.uniform(0.6, 2.5, n), 2)
    f["skip_price"] = np.where(rng.random(n) < 0.75, price, INF)
    f["skip_price"][0] = price[0]
    f["cost_fixed"][:] = 0.0
    f["weights"] = replace(f["weights"], truck=float(rng.choice([0.0, 5.0])))
    return f


def _split(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """One road needs more than any truck holds: two pieces (three at times), for several trucks or several loads."""
    f = base(rng, n, _whole(rng, (2, 3)), rng.uniform(0.45, 0.8))
    capacity = float(f["capacity"][0, 0])
    f["demand"][int(rng.integers(n)), 0] = round(capacity * rng.choice([1.3, 1.8, 2.0, 2.4]), 3)
    if rng.random() < 0.5:
        with_points(rng, f, 1)
    if rng.random() < 0.5:  # a second truck costs no more than a second load
        f["cost_fixed"][:] = 0.0
        f["weights"] = replace(f["weights"], truck=0.0)
    return f


def _opening(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """A point that opens late, one that closes early."""
    f = _reload(rng, n)
    duty, begin = _shortest_duty(f), float(f["shift_start_s"][0])
    points = len(f["point_s"])
    f["opening_s"] = np.stack(
        [
            np.where(rng.random(points) < 0.75, begin + np.round(duty * rng.uniform(0.4, 0.9, points)), 0.0),
            np.where(rng.random(points) < 0.5, begin + np.round(duty * rng.uniform(0.2, 0.9, points)), INF),
        ],
        axis=1,
    )
    return f


def _end_point(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Duty ends at a reload point: what is driven home counts nowhere (the public format of salting)."""
    f = base(rng, n, _whole(rng, (1, 2)), rng.uniform(0.4, 0.8), turn=bool(rng.random() < 0.4))
    with_points(rng, f, 2)
    f["refill"] = np.round(f["capacity"][0] * rng.choice([0.6, INF], f["refill"].shape), 3)
    f["home"][:, 1] = AUCUN
    if len(f["home"]) == 2 and rng.random() < 0.3:
        f["home"][1, 1] = f["home"][1, 0]
    if rng.random() < 0.5:
        f["span_s"][:] = round(_shortest_duty(f) * rng.uniform(0.6, 1.1))
    return f


def _span(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Shorter duty than one tour of all: driving limit, span, or both; waits make the span bind alone."""
    f = base(rng, n, _whole(rng, (2, 3)), 1.0)
    duty = _shortest_duty(f)
    limit = np.round(duty * rng.uniform(0.45, 0.8, len(f["span_s"])))
    if rng.random() < 0.6:
        f["driving_limit_s"] = limit
    else:
        f["span_s"] = limit
    if rng.random() < 0.4:
        f["earliest_s"][0] = float(f["shift_start_s"][0]) + round(duty * rng.uniform(0.1, 0.5))
        f["span_s"] = np.minimum(f["span_s"], np.round(duty * 0.75))
    f["shift_start_s"] = f["shift_start_s"] + rng.choice([0.0, 900.0], len(f["span_s"]))
    return f


def _balance(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Tours of like length are worth a detour, or a second truck."""
    f = base(rng, n, 2, rng.choice([0.7, 1.0]))
    f["weights"] = replace(f["weights"], balance=float(rng.choice([300.0, 1_000.0, 4_000.0])), truck=0.0)
    f["home"][:] = f["home"][0, 0] if rng.random() < 0.5 else f["start"][0, 0]
    f["cost_fixed"][:] = 0.0
    return f


def _mixture(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Several features at once: turns, reloads with hours and stocks, deadlines, optional items, limits, locks."""
    f = base(rng, n, 2, rng.uniform(0.4, 0.6), turn=bool(rng.random() < 0.5), oneway=bool(rng.random() < 0.5))
    with_points(rng, f, 2)
    duty, begin = _shortest_duty(f), float(f["shift_start_s"][0])
    f["refill"] = np.round(f["capacity"][0] * rng.choice([0.7, INF], f["refill"].shape), 3)
    f["stock"] = np.round(float(f["demand"].sum()) * rng.uniform(0.2, 1.0, f["stock"].shape), 3)
    f["home_stock"][0] = 0
    f["opening_s"][0, 1] = begin + round(duty * rng.uniform(0.5, 1.2))
    f["home"][1, 1] = AUCUN
    f["level"] = rng.integers(2, size=n).astype(np.int32)
    f["deadline_s"] = np.where(rng.random(n) < 0.5, begin + np.round(duty * rng.uniform(0.3, 0.9, n)), INF)
    f["skip_price"] = np.where(rng.random(n) < 0.3, np.round(f["length_m"] * 0.01, 2), INF)
    f["driving_limit_s"][:] = round(duty * rng.uniform(0.6, 1.2))
    f["span_s"][:] = round(duty * rng.uniform(0.7, 1.4))
    f["forbidden"] = np.array([[rng.integers(n), rng.integers(2)]], dtype=np.int32)
    f["apart"] = np.array([rng.choice(n, 2, replace=False)], dtype=np.int32)
    f["weights"] = Poids(untreated=(100.0, 10.0), late=(0.2, 0.02), truck=20.0, balance=float(rng.choice([0.0, 5.0])))
    return f


MAKERS: dict[str, Callable[[np.random.Generator, int], dict[str, Any]]] = {
    "capacity": _capacity,
    "reload": _reload,
    "stock": _stock,
    "two_products": _two_products,
    "mixed_fleet": _mixed_fleet,
    "deadline": _deadline,
    "turn": _turn,
    "oneway": _oneway,
    "lock": _lock,
    "optional": _optional,
    "split": _split,
    "opening": _opening,
    "end_point": _end_point,
    "span": _span,
    "balance": _balance,
    "mixture": _mixture,
}
FEATURES = tuple(MAKERS)


def make(feature: str, seed: int, n_items: int | None = None) -> Probleme:
    """A random small problem where ``feature`` (one of `FEATURES`) weighs; 3 to 5 items unless told.

    "split" gives the problem before `split_oversized`.
    """
    rng = np.random.default_rng([FEATURES.index(feature), seed])
    n = n_items or _whole(rng, (3, 4, 5))
    champs = MAKERS[feature](rng, n)
    del champs["_nodes"]
    return Probleme(**champs)


def planned(problem: Probleme) -> tuple[Probleme, I32 | None]:
    """The problem that is planned and the ``origin`` of its items (None when nothing was split)."""
    cut, origin = split_oversized(problem)
    return (problem, None) if cut is problem else (cut, origin)


def problems(features: tuple[str, ...] = FEATURES, most_items: int = 6) -> st.SearchStrategy[Probleme]:
    """Problems of any of these features, for hypothesis."""
    return st.builds(make, st.sampled_from(features), st.integers(0, 10_000), st.integers(3, most_items))
