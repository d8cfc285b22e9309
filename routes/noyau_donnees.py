"""Flat arrays that the compiled search reads (`Donnees`) and writes (`Etat`), made from a `Probleme`.

Elements: item i is element i, reload point r is element n + r. An element has one or two modes. Costs are in units of
the objective; level 0, 1 or 2 of ``kind`` says what a route needs to be priced exactly:
0 loads only (modes by dynamic programming); 1 hours, driving, balance without waiting; 2 deadlines, earliest starts,
openings or stocks: candidates are walked from end to end.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .probleme import AUCUN, F32, F64, I32, B, Probleme

I8 = NDArray[np.int8]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]

#: Neighbours kept for each item, nearest first; fewer in small problems.
VOISINS_MAX = 400
#: Reload points tried next to an item: all up to twice this number, else so many nearest after and before it.
POINTS_PROCHES = 4
#: Cells of the cache of insertions (item x truck) above which it is left out.
CACHE_MAX = 20_000_000
#: Routes kept for set partitioning, elements they may have in all, longest route worth keeping, and trucks from which
#: on keeping them pays: the fewer the trucks, the fewer the routes that go together.
RESERVE, RESERVE_ELEMENTS, RESERVE_LONGUEUR, RESERVE_CAMIONS = 16_384, 4_000_000, 400, 4
#: Share of a truck's load that it may be over by while the search passes between plans that hold.
SURCHARGE_MAX = 0.2
#: Steps of the table of -log(u).
TIRAGES = 1 << 14

ADDITIF, MINUTE, PARCOURU = 0, 1, 2


#: One element: places where each mode begins and ends, what an item asks. A point's opening is earliest..latest.
ELEMENT = np.dtype([
    ("modes", "i8"), ("in0", "i4"), ("in1", "i4"), ("out0", "i4"), ("out1", "i4"), ("stock", "i4"),
    ("earliest", "f8"), ("latest", "f8"), ("deadline", "f8"), ("late_price", "f8"), ("skip", "f8"), ("far", "f8"),
    ("bulk", "f8"),
], align=True)  # fmt: skip
#: Price and seconds of each mode of an element for a truck type; inf = not allowed.
SERVE = np.dtype([("cost0", "f8"), ("cost1", "f8"), ("time0", "f8"), ("time1", "f8")], align=True)
#: One truck; home_in AUCUN = any point; trucks of one group are interchangeable; wait_price per s.
TRUCK = np.dtype([
    ("type", "i4"), ("costs", "i4"), ("profile", "i4"), ("home_out", "i4"), ("home_in", "i4"), ("stock", "i4"),
    ("group", "i4"), ("fixed", "f8"), ("shift", "f8"), ("span", "f8"), ("driving", "f8"), ("wait_price", "f8"),
], align=True)  # fmt: skip
#: Cost and seconds from a place to the best point to end duty at.
FIN = np.dtype([("cost", "f8"), ("time", "f8")], align=True)
#: A truck's route: elements, items, segments; base = price by the matrices, value = its part of the objective.
ROUTE = np.dtype([
    ("size", "i8"), ("services", "i8"), ("segments", "i8"), ("touched", "i8"), ("base", "f8"), ("value", "f8"),
    ("wait", "f8"), ("version", "i8"), ("old_size", "i8"), ("best_size", "i8"), ("old_version", "i8"),
    ("old_base", "f8"), ("old_value", "f8"), ("old_slack", "f8"), ("best_value", "f8"),
], align=True)  # fmt: skip
#: An element of a route, with its places (so that reading a route reads one piece of memory); fwd = price from home to
#: the end of its service, bwd = from its beginning to the end of duty.
VISIT = np.dtype([
    ("e", "i4"), ("mode", "i4"), ("in0", "i4"), ("in1", "i4"), ("out0", "i4"), ("out1", "i4"),
    ("fwd0", "f8"), ("fwd1", "f8"), ("bwd0", "f8"), ("bwd1", "f8"),
], align=True)  # fmt: skip
#: Kind 1: end of its service, s from its beginning to the end of duty, the same for driving alone.
TIMES = np.dtype([("clock", "f8"), ("left", "f8"), ("drive_f", "f8"), ("drive_b", "f8")], align=True)
#: Of a gap and a product: demand of its segment before it. Of a segment: demand, need, what it may still take.
LOAD = np.dtype([("before", "f8"), ("demand", "f8"), ("need", "f8"), ("slack", "f8")], align=True)
#: An item: its truck (-1 absent, -2 out of the search) and position.
PLACED = np.dtype([("truck", "i8"), ("at", "i8")], align=True)
#: Best insertion of an item in a route, as of a version of it.
CACHED = np.dtype([
    ("version", "i8"), ("price", "f8"), ("gap", "i4"), ("shape", "i2"), ("mode", "i2"), ("first", "i4"),
    ("second", "i4"),
], align=True)  # fmt: skip
#: An element in a plan kept aside.
KEPT = np.dtype([("e", "i4"), ("mode", "i4")], align=True)
#: A route kept for set partitioning: mark of its items and group of trucks, value, a truck of the group.
POOL = np.dtype([("key", "u8"), ("value", "f8"), ("size", "i4"), ("truck", "i4")], align=True)


class Donnees(NamedTuple):
    """Read only. E = n + R elements, G cost matrices (types with equal costs share one). Few arrays, since compiled
    functions hand all of them on at each call."""

    n: int
    kind: int
    balance: float  # objective per s²
    cost: F32  # (G, P, P)
    time: F32  # (F, P, P), (F, 1, 1) of zeros when kind is 0
    element: Any  # ELEMENT (E,)
    serve: Any  # SERVE (T, E)
    truck: Any  # TRUCK (K,)
    fin: Any  # FIN (T, P)
    demand: F64  # (E, Q), 0 for a point
    refill: F64  # (R, Q)
    capacity: F64  # (K, Q)
    first_load: F64  # (K, Q)
    stock: F64  # (S, Q)
    may: B  # (n, K)
    apart_from: I64  # (n + 1,)
    apart: I32
    near: I64  # (n, V)
    near_points: I64  # (n, W)
    draws: F64  # (TIRAGES,) -log(u)


class Etat(NamedTuple):
    """The current plan with all that is kept of it, the best plan, and room to work."""

    route: Any  # ROUTE (K,)
    visit: Any  # VISIT (K, M)
    seg: I32  # (K, M + 1) segment of each gap
    times: Any  # TIMES (K, M) when kind is 1
    load: Any  # LOAD (K, M + 1, Q)
    item: Any  # PLACED (n,)
    cache: Any  # CACHED (n, K), (1, 1) when there is none
    old: Any  # VISIT (K, M)
    best: Any  # KEPT (K, M)
    used: F64  # (K, S, Q) t drawn from the stocks
    stock_used: F64  # (S, Q)
    touched: I64  # (K,)
    removed: I64  # (n,)
    key: F64  # (n,)
    stamp: I64  # (n + K + groups,)
    tmp: Any  # VISIT (M + 8,)
    tmp_seg: F64  # (M + 8, Q)
    tmp_used: F64  # (S, Q)
    marks: U64  # (n + groups,) random
    pool: Any  # POOL (cells,), (1,) when there is none
    pool_visit: Any  # KEPT (cells, M)
    gaps: I64  # (M + 1,) gaps to try
    least: F64  # same shape, least price of each gap
    found: I64  # (5,) last candidate: gap, shape, mode, first point, second point
    counts: I64  # see the C_ constants
    sums: F64  # see the S_ constants
    random: U64  # (1,)


# counts
C_TOUCHED, C_VERSION, C_STAMP, C_ITER, C_ABSENT, C_BLINK, C_ACCEPTED = 0, 1, 2, 3, 4, 5, 6
# sums
S_CURRENT, S_BEST, S_TEMPERATURE, S_COOLING, S_REMOVALS, S_BLINK, S_WAIT, S_EXCESS, S_PENALTY, S_PRICE = range(10)


def make_data(p: Probleme) -> Donnees:
    """The arrays of a problem. Cost matrices are merged where two types pay the same for the same roads."""
    n, points, products = p.n_items, p.n_points, p.demand.shape[1]
    types = len(p.type_profile)
    euro = p.weights.cost
    keys = [(int(f), float(a), float(b)) for f, a, b in zip(p.type_profile, p.cost_km, p.cost_hour, strict=True)]
    distinct = sorted(set(keys))
    cost = np.empty((max(len(distinct), 1), *p.distances_m.shape[1:]), dtype=np.float32)
    for g, (profile, km, hour) in enumerate(distinct):
        np.multiply(p.distances_m[profile], np.float32(euro * km / 1000), out=cost[g])
        if hour > 0:
            cost[g] += np.float32(euro * hour / 3600) * p.durations_s[profile]
        # 0 x inf is no number; a way without duration is no way either.
        cost[g][~(np.isfinite(p.distances_m[profile]) & np.isfinite(p.durations_s[profile]))] = np.inf
    type_cost = np.array([distinct.index(k) for k in keys], dtype=np.int32)
    serve = np.zeros((types, n + points), dtype=SERVE)
    for t in range(types):
        for mode in range(2):
            seconds = np.concatenate((p.service_s[t, :, mode], p.point_s if mode == 0 else np.full(points, np.inf)))
            driven = np.concatenate((p.driven_m, np.zeros(points)))
            price = euro * (
                p.cost_km[t] / 1000 * driven + p.cost_hour[t] / 3600 * np.where(seconds < np.inf, seconds, 0)
            )
            serve[f"time{mode}"][t] = seconds
            serve[f"cost{mode}"][t] = np.where(seconds < np.inf, price, np.inf)
    kind = _kind(p)
    may = _may(p)
    return Donnees(
        n=n, kind=kind, balance=p.weights.balance / 3600**2, cost=cost,
        time=p.durations_s if kind else np.zeros((p.durations_s.shape[0], 1, 1), dtype=np.float32),
        element=_elements(p, cost), serve=serve, truck=_trucks(p, type_cost, may), fin=_ends(p, cost, type_cost),
        demand=np.vstack((p.demand, np.zeros((points, products)))), refill=p.refill,
        capacity=p.capacity[p.truck_type], first_load=p.initial_load, stock=p.stock, may=may, **_apart(p),
        near=_near(p, cost), near_points=_near_points(p, cost),
        # Rounded, so that the last bits of a machine's logarithm change no plan.
        draws=np.round(-np.log((np.arange(TIRAGES, dtype=np.float64) + 0.5) / TIRAGES), 9).astype(np.float64),
    )  # fmt: skip


def _elements(p: Probleme, cost: F32) -> Any:
    """ELEMENT (n + R,)."""
    n = p.n_items
    element = np.zeros(n + p.n_points, dtype=ELEMENT)
    for mode in range(2):
        missing = np.full(p.n_points, AUCUN)
        element[f"in{mode}"] = np.concatenate((p.start[:, mode], missing if mode else p.point_place[:, 0]))
        element[f"out{mode}"] = np.concatenate((p.end[:, mode], missing if mode else p.point_place[:, 1]))
    element["modes"] = 1 + (element["in1"] != AUCUN)
    element["earliest"] = np.concatenate((p.earliest_s, p.opening_s[:, 0]))
    element["latest"] = np.concatenate((np.full(n, np.inf), p.opening_s[:, 1]))
    element["deadline"] = np.concatenate((p.deadline_s, np.full(p.n_points, np.inf)))
    element["stock"][n:] = p.point_stock
    element["late_price"][:n] = np.asarray(p.weights.late, dtype=np.float64)[p.level]
    element["skip"][:n] = p.skip_cost()
    # From the nearest home: an order to insert by, whatever truck serves in the end.
    far = np.full(n, np.inf)
    for home in np.unique(p.home[:, 0]):
        far = np.minimum(far, cost[:, home][:, p.start[:, 0]].min(axis=0))
    element["far"][:n] = np.where(np.isfinite(far), far, 0.0)
    # Share of the largest truck, for the product that fills it first.
    most = np.maximum(p.capacity.max(axis=0, initial=0.0), 1e-12)
    element["bulk"][:n] = (p.demand / most).max(axis=1)
    return element


def _trucks(p: Probleme, type_cost: I32, may: B) -> Any:
    """TRUCK (K,)."""
    truck = np.zeros(p.n_trucks, dtype=TRUCK)
    truck["type"], truck["costs"] = p.truck_type, type_cost[p.truck_type]
    truck["profile"], truck["stock"] = p.type_profile[p.truck_type], p.home_stock
    truck["home_out"], truck["home_in"] = p.home[:, 0], p.home[:, 1]
    truck["fixed"] = p.weights.cost * p.cost_fixed + p.weights.truck
    truck["shift"], truck["span"], truck["driving"] = p.shift_start_s, p.span_s, p.driving_limit_s
    truck["wait_price"] = p.weights.cost * p.cost_hour[p.truck_type] / 3600
    seen: dict[tuple[object, ...], int] = {}
    for k in range(p.n_trucks):
        alike = (*(truck[k][nom].item() for nom in TRUCK.names or () if nom != "group"),
                 *p.initial_load[k].tolist(), may[:, k].tobytes())  # fmt: skip
        truck["group"][k] = seen.setdefault(alike, len(seen))
    return truck


def _kind(p: Probleme) -> int:
    """How much of a route must be followed to price a change of it."""
    if (
        (np.isfinite(p.deadline_s) & (np.asarray(p.weights.late)[p.level] > 0)).any()
        or (p.earliest_s > p.shift_start_s.min(initial=np.inf)).any()
        or (p.opening_s[:, 0] > p.shift_start_s.min(initial=np.inf)).any()
        or np.isfinite(p.opening_s[:, 1]).any()
        or np.isfinite(p.stock).any()
    ):
        return PARCOURU
    return (
        MINUTE if np.isfinite(p.span_s).any() or np.isfinite(p.driving_limit_s).any() or p.weights.balance else ADDITIF
    )


def _ends(p: Probleme, cost: F32, type_cost: I32) -> Any:
    """FIN (T, P): the cheapest reload point to end duty at from each place."""
    places, types = cost.shape[1], len(type_cost)
    fin = np.full((types, places), np.inf, dtype=FIN)
    if p.n_points and (p.home[:, 1] == AUCUN).any():
        rows = np.arange(places)
        for t, g in enumerate(type_cost):
            to = cost[g][:, p.point_place[:, 0]]
            best = to.argmin(axis=1)
            fin["cost"][t] = to[rows, best]
            fin["time"][t] = p.durations_s[p.type_profile[t]][rows, p.point_place[best, 0]]
    return fin


def _may(p: Probleme) -> B:
    """(n, K) whether a truck may serve an item, locks included; trucks of kept circuits serve nothing else."""
    may = np.asarray(np.isfinite(p.service_s).any(axis=2), dtype=np.bool_)[p.truck_type].T.copy()
    locked = np.flatnonzero(p.fixed_truck != AUCUN)
    may &= _can(p)
    other = np.ones((len(locked), p.n_trucks), dtype=np.bool_)
    other[np.arange(len(locked)), p.fixed_truck[locked]] = False
    may[locked] &= ~other
    may[p.forbidden[:, 0], p.forbidden[:, 1]] = False
    for circuit in p.circuits:
        may[:, circuit.truck] = False
        may[circuit.items, :] = False
    return may


def _can(p: Probleme) -> B:
    """(n, K) whether a truck could serve an item if that were all it had to do: what it holds, the way there and back,
    its hours."""
    most = np.maximum(p.initial_load, p.capacity[p.truck_type] if p.n_points else 0.0)
    can = np.asarray((p.demand[:, None, :] <= most[None] + 1e-9).all(axis=2), dtype=np.bool_)
    into, out_of = p.point_place[:, 0], p.point_place[:, 1]
    duties = zip(p.truck_type, p.home[:, 0], p.home[:, 1], p.span_s, p.driving_limit_s, strict=True)
    seen: dict[tuple[float, ...], B] = {}
    for k, duty in enumerate(duties):
        if duty not in seen:
            t, out, back, span, driving = duty
            seconds = p.durations_s[p.type_profile[t]].astype(np.float64)
            home = seconds[:, into].min(axis=1, initial=np.inf) if back == AUCUN else seconds[:, back]
            between, away, left = seconds[np.ix_(out_of, into)], seconds[out, into], home[out_of]
            for _ in range(p.n_points):
                # By way of a point there may be one where there is none without: trucks turn round there.
                away = np.minimum(away, (away[:, None] + between).min(axis=0, initial=np.inf))
                left = np.minimum(left, (between + left[None]).min(axis=1, initial=np.inf))
            there_by = np.minimum(seconds[out], (away[:, None] + seconds[out_of]).min(axis=0, initial=np.inf))
            home = np.minimum(home, (seconds[:, into] + left[None]).min(axis=1, initial=np.inf))
            alone = np.full(p.n_items, np.inf)
            for mode in range(2):
                there = p.start[:, mode] != AUCUN
                ways = there_by[p.start[there, mode]] + p.service_s[t, there, mode] + home[p.end[there, mode]]
                alone[there] = np.minimum(alone[there], ways)
            seen[duty] = np.isfinite(alone) & (alone <= min(span, driving) + 1e-3)
        can[:, k] &= seen[duty]
    return can


def _apart(p: Probleme) -> dict[str, Any]:
    couples = np.vstack((p.apart, p.apart[:, ::-1]))
    couples = couples[np.argsort(couples[:, 0], kind="stable")]
    bounds = np.searchsorted(couples[:, 0], np.arange(p.n_items + 1)).astype(np.int64)
    return {"apart_from": bounds, "apart": np.ascontiguousarray(couples[:, 1]).astype(np.int32)}


def _near(p: Probleme, cost: F32) -> I64:
    """(n, V) other items by the least cost of going from one to the other, whatever the modes and the truck."""
    n = p.n_items
    kept = min(max(n - 1, 0), VOISINS_MAX)
    near = np.empty((n, kept), dtype=np.int64)
    least = cost.min(axis=0) if len(cost) > 1 else cost[0]
    ins = np.where(p.start == AUCUN, p.start[:, :1], p.start)
    outs = np.where(p.end == AUCUN, p.end[:, :1], p.end)
    for i in range(n):
        there = least[np.ix_(outs[i], ins.ravel())].min(axis=0).reshape(n, 2).min(axis=1)
        back = least[np.ix_(outs.ravel(), ins[i])].min(axis=1).reshape(n, 2).min(axis=1)
        gap = np.minimum(there, back)
        gap[i] = -1.0
        near[i] = np.argsort(gap, kind="stable")[1 : kept + 1]
    return near


def _near_points(p: Probleme, cost: F32) -> I64:
    """(n, W) reload points worth trying next to each item."""
    points = p.n_points
    if points <= 2 * POINTS_PROCHES:
        return np.tile(np.arange(points, dtype=np.int64), (p.n_items, 1))
    least = cost.min(axis=0) if len(cost) > 1 else cost[0]
    near = np.empty((p.n_items, 2 * POINTS_PROCHES), dtype=np.int64)
    for i in range(p.n_items):
        ends = p.end[i][p.end[i] != AUCUN]
        starts = p.start[i][p.start[i] != AUCUN]
        after = np.argsort(least[np.ix_(ends, p.point_place[:, 0])].min(axis=0), kind="stable")
        before = np.argsort(least[np.ix_(p.point_place[:, 1], starts)].min(axis=1), kind="stable")
        both = list(dict.fromkeys(v for pair in zip(after, before, strict=True) for v in pair))
        near[i] = both[: 2 * POINTS_PROCHES]
    return near


def make_state(d: Donnees, seed: int) -> Etat:
    """An empty plan: every item absent."""
    n, trucks, products, stocks = d.n, len(d.truck), d.demand.shape[1], len(d.stock)
    room = _room(d)
    cached = n * trucks <= CACHE_MAX and (d.kind != PARCOURU or not np.isfinite(d.stock).any())
    cache = np.zeros((n, trucks) if cached else (1, 1), dtype=CACHED)
    cache["version"] = -1
    item = np.zeros(n, dtype=PLACED)
    lone = ~d.may.any(axis=1)
    item["truck"] = np.where(lone, -2, -1)
    sums = np.zeros(10)
    sums[S_CURRENT] = sums[S_BEST] = d.element["skip"][:n][~lone].sum()
    counts = np.zeros(8, dtype=np.int64)
    counts[C_ABSENT] = n - lone.sum()
    groups = int(d.truck["group"].max(initial=-1)) + 1
    width = min(room, RESERVE_LONGUEUR)
    cells = min(RESERVE, RESERVE_ELEMENTS // width) if trucks >= RESERVE_CAMIONS else 1
    return Etat(
        route=np.zeros(trucks, dtype=ROUTE), visit=np.zeros((trucks, room), dtype=VISIT),
        seg=np.zeros((trucks, room + 1), dtype=np.int32),
        times=np.zeros((trucks, room if d.kind == MINUTE else 1), dtype=TIMES),
        load=np.zeros((trucks, room + 1 if len(d.refill) else 1, products), dtype=LOAD), item=item, cache=cache,
        old=np.zeros((trucks, room), dtype=VISIT), best=np.zeros((trucks, room), dtype=KEPT),
        used=np.zeros((trucks, stocks, products)), stock_used=np.zeros((stocks, products)),
        touched=np.zeros(trucks, dtype=np.int64), removed=np.zeros(n + 1, dtype=np.int64), key=np.zeros(n + 1),
        stamp=np.zeros(n + trucks + groups + 1, dtype=np.int64), tmp=np.zeros(room + 8, dtype=VISIT),
        tmp_seg=np.zeros((room + 8, products)), tmp_used=np.zeros((stocks, products)),
        marks=np.random.default_rng(seed).integers(1, 2**63, n + groups, dtype=np.uint64),
        pool=np.zeros(cells, dtype=POOL), pool_visit=np.zeros((cells, width), dtype=KEPT),
        gaps=np.zeros(room + 1, dtype=np.int64), least=np.zeros(room + 1),
        found=np.zeros(5, dtype=np.int64),
        counts=counts, sums=sums,
        random=np.array([(seed * 0x9E3779B97F4A7C15 + 0xD1B54A32D192ED03) % 2**64 or 1], dtype=np.uint64),
    )  # fmt: skip


def _room(d: Donnees) -> int:
    """Most elements a route can have: items that fit, with a reload between any two where there are points."""
    if len(d.refill):
        return 2 * d.n + 4
    most = d.n
    for q in range(d.demand.shape[1]):
        loads = np.cumsum(np.sort(d.demand[: d.n, q]))
        most = min(
            most,
            int(np.searchsorted(loads, (1 + SURCHARGE_MAX) * d.first_load[:, q].max(initial=0.0) + 1e-6, side="right")),
        )
    return most + 4
