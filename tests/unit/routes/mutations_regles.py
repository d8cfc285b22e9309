"""Ways of breaking the rules a truck follows: loads, stocks, hours, vehicles, locks (see `mutations`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from routes.probleme import AUCUN, Circuit, Probleme
from routes.resultat import Solution

from .cas import planned
from .mutations_outils import Broken, allowed, changed, pick, replaced, tighter, visit, with_visits
from .naif import walk
from .plans import plan

# --- loads and stocks ----------------------------------------------------------------------------------------------


def overload(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """An item goes to a tour that cannot carry it."""
    kept = {c.truck for c in p.circuits}
    place = pick(rng, [k for k, c in enumerate(s.circuits) if c.truck not in kept])
    item = pick(
        rng,
        [
            *s.left_out.tolist(),
            *(i for k, c in enumerate(s.circuits) if k != place and c.truck not in kept for i in c.items),
        ],
    )
    if place is None or item is None:
        return None
    circuit = s.circuits[place]
    with_it = with_visits(circuit, [2 * int(item), *circuit.visits.tolist()])
    cut, _ = planned(p)
    boundless = replace(cut, demand=np.zeros_like(cut.demand))
    if walk(cut, with_it) is not None or walk(boundless, with_it) is None:
        return None
    others = [
        with_it if k == place else with_visits(c, [v for v in c.visits.tolist() if v // 2 != item])
        for k, c in enumerate(s.circuits)
    ]
    circuits = tuple(c for c in others if len(c.items))
    return (p, plan(p, circuits)) if allowed(boundless, circuits) else None


def small_truck(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """The same tours with compartments just too small."""
    truck, q = pick(rng, range(p.n_trucks)), int(rng.integers(p.demand.shape[1]))
    kind = p.truck_type[truck]
    capacity = changed(p.capacity, (kind, q), p.capacity[kind, q] * rng.uniform(0.3, 0.9))
    if (p.demand > capacity.max(axis=0)).any():
        return None
    return tighter(p, s, capacity=capacity, initial_load=np.minimum(p.initial_load, capacity[p.truck_type]))


def half_empty_start(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    circuit = pick(rng, s.circuits)
    if circuit is None:
        return None
    used = s.tournees.taken[[c.truck for c in s.circuits].index(circuit.truck)]
    least = np.minimum(p.initial_load[circuit.truck], np.maximum(0.0, 0.4 * used - 0.01))
    return tighter(p, s, initial_load=changed(p.initial_load, circuit.truck, least))


def mean_point(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """Reload points that give next to nothing a visit."""
    return tighter(p, s, refill=np.minimum(p.refill, 0.01))


def empty_stock(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """Stocks that hold a little less than what was drawn."""
    stock, q = pick(rng, np.argwhere(s.tournees.stock_used > 0.02).tolist()) or (None, None)
    if stock is None:
        return None
    lower = replace(p, stock=changed(p.stock, (stock, q), s.tournees.stock_used[stock, q] - 0.01))
    return lower, plan(lower, s.circuits)


# --- time ----------------------------------------------------------------------------------------------------------


def closed_point(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """A point shuts 100 s before the last truck could have come."""
    place, k = visit(s, rng, lambda c, v: v < 0)
    if place is None:
        return None
    point = -1 - s.circuits[place].visits[k]
    closing = s.tournees.duty_s.max() + p.shift_start_s.min()
    while closing > 0:
        closing -= 300.0
        broken = tighter(p, s, opening_s=changed(p.opening_s, (point, 1), closing))
        if broken:
            return broken
    return None


def late_opening_untold(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """A point opens later, the truck waits, the clock said is the old one."""
    place, k = visit(s, rng, lambda c, v: v < 0)
    if place is None:
        return None
    point = -1 - s.circuits[place].visits[k]
    opening = p.shift_start_s[s.circuits[place].truck] + s.tournees.duty_s[place]
    return _untold(replace(p, opening_s=changed(p.opening_s, point, [opening, np.inf])), s)


def early_service_untold(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """An item may not begin so early, the clock said is the old one."""
    item = pick(rng, [i for c in s.circuits for i in c.items.tolist()])
    if item is None:
        return None
    return _untold(replace(p, earliest_s=changed(p.earliest_s, item, p.shift_start_s.max() + 20_000.0)), s)


def lateness_untold(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    item = pick(rng, [i for c in s.circuits for i in c.items.tolist()])
    if item is None:
        return None
    return _untold(replace(p, deadline_s=changed(p.deadline_s, item, p.shift_start_s.min())), s)


def _untold(other: Probleme, s: Solution) -> Broken:
    """Circuits that the changed problem still allows, with the account of before; None where nothing is different."""
    if not allowed(other, s.circuits):
        return None
    truth = plan(other, s.circuits)
    clocks = [(truth.tournees.duty_s, s.tournees.duty_s), (truth.tournees.late_s, s.tournees.late_s)]
    if all(np.allclose(a, b, atol=1e-3) for a, b in clocks):
        return None
    return other, replace(truth, objectif=s.objectif, tournees=s.tournees, bilan=s.bilan)


def long_driving(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    place = pick(rng, range(len(s.circuits)))
    if place is None:
        return None
    limit = changed(p.driving_limit_s, s.circuits[place].truck, s.tournees.driving_s[place] - 1.0)
    return tighter(p, s, driving_limit_s=limit)


def long_span(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    place = pick(rng, range(len(s.circuits)))
    if place is None:
        return None
    return tighter(p, s, span_s=changed(p.span_s, s.circuits[place].truck, s.tournees.duty_s[place] - 1.0))


# --- vehicles and locks --------------------------------------------------------------------------------------------


def no_way(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """The truck's profile may not go where it went."""
    circuit = pick(rng, s.circuits)
    if circuit is None:
        return None
    cut, _ = planned(p)
    stops, starts = [], [int(p.home[circuit.truck, 0])]
    for v in circuit.visits.tolist():
        stops.append(int(cut.start[v // 2, v % 2] if v >= 0 else p.point_place[-1 - v, 0]))
        starts.append(int(cut.end[v // 2, v % 2] if v >= 0 else p.point_place[-1 - v, 1]))
    home = int(p.home[circuit.truck, 1])
    stops.append(home if home != AUCUN else int(p.point_place[circuit.end_point, 0]))
    leg = int(rng.integers(len(stops)))
    where = (int(p.type_profile[p.truck_type[circuit.truck]]), starts[leg], stops[leg])
    field = pick(rng, ["distances_m", "durations_s"])
    return tighter(p, s, **{field: changed(getattr(p, field), where, np.inf)})


def wrong_type(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """The truck's type may not treat that road in that direction."""
    place, k = visit(s, rng, lambda c, v: v >= 0)
    if place is None:
        return None
    item, mode = divmod(int(s.circuits[place].visits[k]), 2)
    kind = p.truck_type[s.circuits[place].truck]
    return tighter(p, s, service_s=changed(p.service_s, (kind, item, mode), np.inf))


def forbidden_truck(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    circuit = pick(rng, s.circuits)
    if circuit is None:
        return None
    couple = np.array([[pick(rng, circuit.items.tolist()), circuit.truck]], dtype=np.int32)
    return tighter(p, s, forbidden=np.concatenate([p.forbidden, couple]))


def other_truck_fixed(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    circuit = pick(rng, s.circuits)
    if circuit is None or p.n_trucks < 2:
        return None
    other = (circuit.truck + 1) % p.n_trucks
    return tighter(p, s, fixed_truck=changed(p.fixed_truck, pick(rng, circuit.items.tolist()), other))


def together(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    circuit = pick(rng, [c for c in s.circuits if len(c.items) > 1])
    if circuit is None:
        return None
    couple = rng.permutation(circuit.items)[None, :2].astype(np.int32)
    return tighter(p, s, apart=np.concatenate([p.apart, couple]))


def _keeping(p: Probleme, kept: Circuit) -> Probleme:
    return replace(p, circuits=(*(c for c in p.circuits if c.truck != kept.truck), kept))


def kept_shortened(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """A circuit was to be kept whole; one of its items is left out."""
    place, k = visit(s, rng, lambda c, v: v >= 0 and len(c.items) > 1)
    if place is None:
        return None
    now = with_visits(s.circuits[place], np.delete(s.circuits[place].visits, k))
    circuits = replaced(s.circuits, place, now)
    locked = _keeping(p, s.circuits[place])
    return (locked, plan(locked, circuits)) if allowed(p, circuits) else None


def kept_reordered(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    place = pick(rng, [k for k, c in enumerate(s.circuits) if len(c.visits) > 1])
    if place is None:
        return None
    circuit = s.circuits[place]
    now = with_visits(circuit, rng.permutation(circuit.visits))
    circuits = replaced(s.circuits, place, now)
    locked = _keeping(p, circuit)
    same = np.array_equal(now.visits, circuit.visits)
    return None if same or not allowed(p, circuits) else (locked, plan(locked, circuits))


def kept_ends_elsewhere(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    place = pick(rng, [k for k, c in enumerate(s.circuits) if c.end_point != AUCUN])
    if place is None:
        return None
    other = replace(s.circuits[place], end_point=(s.circuits[place].end_point + 1) % p.n_points)
    circuits = replaced(s.circuits, place, other)
    locked = _keeping(p, s.circuits[place])
    return (locked, plan(locked, circuits)) if allowed(p, circuits) else None


def kept_forgotten(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    circuit = pick(rng, s.circuits)
    if circuit is None:
        return None
    locked = _keeping(p, circuit)
    return locked, plan(locked, tuple(c for c in s.circuits if c is not circuit))


def kept_at_home(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """A truck that was to stay at home goes out."""
    circuit = pick(rng, [c for c in s.circuits if c.truck not in {k.truck for k in p.circuits}])
    if circuit is None:
        return None
    locked = _keeping(p, Circuit(circuit.truck, np.zeros(0, dtype=np.int32)))
    return locked, plan(locked, s.circuits)
