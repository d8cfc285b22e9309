"""Ways of breaking what a plan says is done: items, visits, trucks, ends of duty (see `mutations`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from routes.probleme import AUCUN, Circuit, Probleme
from routes.resultat import Solution

from .cas import planned
from .mutations_outils import Broken, allowed, changed, pick, replaced, stale, visit, with_visits
from .plans import plan

# --- items ---------------------------------------------------------------------------------------------------------


def drop_item(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """An item goes missing and nobody says so."""
    kept = {c.truck for c in p.circuits}
    place = pick(rng, [k for k, c in enumerate(s.circuits) if len(c.items) > 1 and c.truck not in kept])
    if place is None:
        return None
    circuit = s.circuits[place]
    lost = pick(rng, circuit.items.tolist())
    circuits = replaced(s.circuits, place, with_visits(circuit, [v for v in circuit.visits.tolist() if v // 2 != lost]))
    return (p, plan(p, circuits, left_out=s.left_out.tolist())) if allowed(p, circuits) else None


def served_said_left_out(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    item = pick(rng, [i for c in s.circuits for i in c.items.tolist()])
    return None if item is None else (p, replace(s, left_out=np.sort(np.append(s.left_out, np.int32(item)))))


def left_out_twice(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    item = pick(rng, s.left_out.tolist())
    return None if item is None else (p, replace(s, left_out=np.append(s.left_out, np.int32(item))))


def left_out_unknown(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    unknown = np.int32(pick(rng, [-1, planned(p)[0].n_items]))
    return p, replace(s, left_out=np.append(s.left_out, unknown))


def twice_in_a_tour(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    place = pick(rng, range(len(s.circuits)))
    if place is None:
        return None
    visits = s.circuits[place].visits.tolist()
    again = pick(rng, [v for v in visits if v >= 0])
    visits.insert(int(rng.integers(len(visits) + 1)), again)
    return p, plan(p, replaced(s.circuits, place, with_visits(s.circuits[place], visits)))


def twice_by_two(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    if len(s.circuits) < 2:
        return None
    a, b = rng.permutation(len(s.circuits))[:2]
    again = pick(rng, [v for v in s.circuits[a].visits.tolist() if v >= 0])
    return p, plan(p, replaced(s.circuits, b, with_visits(s.circuits[b], [*s.circuits[b].visits.tolist(), again])))


def missing_mode(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """A one-way is treated against its direction."""
    place, k = visit(s, rng, lambda c, v: v >= 0 and bool(planned(p)[0].start[v // 2, 1] == AUCUN))
    if place is None:
        return None
    circuit = s.circuits[place]
    return p, plan(
        p, replaced(s.circuits, place, with_visits(circuit, changed(circuit.visits, k, circuit.visits[k] + 1)))
    )


def other_mode_untold(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """An item is treated the other way round, the account stays."""
    place, k = visit(s, rng, lambda c, v: v >= 0)
    if place is None:
        return None
    circuit = s.circuits[place]
    return stale(
        p, s, replaced(s.circuits, place, with_visits(circuit, changed(circuit.visits, k, circuit.visits[k] ^ 1)))
    )


def other_order_untold(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    place = pick(rng, [k for k, c in enumerate(s.circuits) if len(c.visits) > 1])
    if place is None:
        return None
    circuit = s.circuits[place]
    return stale(p, s, replaced(s.circuits, place, with_visits(circuit, rng.permutation(circuit.visits))))


# --- shape of the plan ---------------------------------------------------------------------------------------------


def idle_truck(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """A truck that goes out for nothing."""
    used = {c.truck for c in s.circuits}
    truck = pick(rng, [k for k in range(p.n_trucks) if k not in used])
    if truck is None:
        return None
    end = AUCUN if p.home[truck, 1] != AUCUN else 0
    idle = Circuit(truck, np.array([-1] if p.n_points else [], dtype=np.int32), end)
    return p, plan(p, tuple(sorted((*s.circuits, idle), key=lambda c: c.truck)))


def unknown_truck(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    if not s.circuits:
        return None
    return p, replace(s, circuits=(*s.circuits[:-1], replace(s.circuits[-1], truck=p.n_trucks)))


def trucks_out_of_order(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    return (p, plan(p, s.circuits[::-1])) if len(s.circuits) > 1 else None


def truck_twice(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """One tour told as two of the same truck."""
    place = pick(rng, [k for k, c in enumerate(s.circuits) if len(c.items) > 1])
    if place is None:
        return None
    circuit = s.circuits[place]
    half = next(k for k, v in enumerate(circuit.visits.tolist()) if v >= 0) + 1
    parts = (with_visits(circuit, circuit.visits[:half]), with_visits(circuit, circuit.visits[half:]))
    return p, plan(p, (*s.circuits[:place], *parts, *s.circuits[place + 1 :]))


def unknown_visit(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    place, k = visit(s, rng, lambda c, v: True)
    if place is None:
        return None
    unknown = pick(rng, [2 * planned(p)[0].n_items, -1 - p.n_points])
    circuit = s.circuits[place]
    return p, replace(
        s, circuits=replaced(s.circuits, place, with_visits(circuit, changed(circuit.visits, k, unknown)))
    )


def unreadable_visits(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    if not s.circuits:
        return None
    visits: Any = pick(rng, [s.circuits[0].visits.astype(np.float64), s.circuits[0].visits[None]])
    return p, replace(s, circuits=(replace(s.circuits[0], visits=visits), *s.circuits[1:]))


def end_at_a_point(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """Duty ends at a point although the truck has a home to return to."""
    place = pick(rng, [k for k, c in enumerate(s.circuits) if p.home[c.truck, 1] != AUCUN])
    if place is None or not p.n_points:
        return None
    return p, plan(p, replaced(s.circuits, place, replace(s.circuits[place], end_point=0)))


def end_nowhere(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    place = pick(rng, [k for k, c in enumerate(s.circuits) if p.home[c.truck, 1] == AUCUN])
    if place is None:
        return None
    nowhere = replace(s.circuits[place], end_point=pick(rng, [AUCUN, p.n_points]))
    return p, replace(s, circuits=replaced(s.circuits, place, nowhere))


def other_end_untold(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    place = pick(rng, [k for k, c in enumerate(s.circuits) if c.end_point != AUCUN])
    if place is None:
        return None
    other = (s.circuits[place].end_point + 1) % p.n_points
    return stale(p, s, replaced(s.circuits, place, replace(s.circuits[place], end_point=other)))
