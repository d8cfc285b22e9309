"""Each feature of the random cases weighs: without it the optimum is another one in a good share of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from routes.probleme import AUCUN, Probleme, split_oversized

from .cas import make
from .exact import optimum
from .naif import walk

#: A load, t, or a time, s, that nothing reaches.
SANS_FIN = 1e9
CAS = 60


def without_capacity(p: Probleme) -> Probleme:
    return replace(p, capacity=np.full_like(p.capacity, SANS_FIN), initial_load=np.full_like(p.initial_load, SANS_FIN))


def without_points(p: Probleme) -> Probleme:
    r, q = np.zeros((0, 2)), p.demand.shape[1]
    return replace(
        p, point_place=r.astype(np.int32), point_s=np.zeros(0), refill=np.zeros((0, q)), opening_s=r,
        point_stock=np.zeros(0, dtype=np.int32),
    )  # fmt: skip


def one_product(p: Probleme) -> Probleme:
    """The second product asked for nowhere."""
    return replace(p, demand=p.demand * np.array([1.0, 0.0]))


def one_type(kind: int) -> Callable[[Probleme], Probleme]:
    """Every truck of the same type."""

    def changed(p: Probleme) -> Probleme:
        types = np.full_like(p.truck_type, kind)
        return replace(p, truck_type=types, initial_load=p.capacity[types])

    return changed


def free_turns(p: Probleme) -> Probleme:
    """Services begin and end at bare nodes: the turns next to them are free (places that are nodes: diagonal 0)."""
    seconds = p.durations_s[0]
    nodes = np.flatnonzero(np.diagonal(seconds) == 0)
    begin = nodes[np.argmin(seconds[nodes], axis=0)]
    stop = nodes[np.argmin(seconds[:, nodes], axis=1)]
    return replace(
        p, start=np.where(p.start == AUCUN, AUCUN, begin[p.start]).astype(np.int32),
        end=np.where(p.end == AUCUN, AUCUN, stop[p.end]).astype(np.int32),
    )  # fmt: skip


def both_ways(p: Probleme) -> Probleme:
    """One-ways may be treated against the way."""
    alone = p.start[:, 1] == AUCUN
    start, end, service = p.start.copy(), p.end.copy(), p.service_s.copy()
    start[alone, 1], end[alone, 1] = p.end[alone, 0], p.start[alone, 0]
    service[:, alone, 1] = service[:, alone, 0]
    return replace(p, start=start, end=end, service_s=service)


def without_locks(p: Probleme) -> Probleme:
    none = np.zeros((0, 2), dtype=np.int32)
    return replace(p, fixed_truck=np.full_like(p.fixed_truck, AUCUN), forbidden=none, apart=none, circuits=())


WITHOUT: dict[str, tuple[Callable[[Probleme], Probleme], ...]] = {
    "capacity": (without_capacity,),
    "reload": (without_points, without_capacity),
    "stock": (lambda p: replace(p, stock=np.full_like(p.stock, np.inf)),),
    "two_products": (one_product, without_capacity),
    "mixed_fleet": (one_type(0), one_type(1)),
    "deadline": (
        lambda p: replace(p, deadline_s=np.full_like(p.deadline_s, np.inf)),
        lambda p: replace(p, earliest_s=np.zeros_like(p.earliest_s)),
    ),
    "turn": (free_turns,),
    "oneway": (both_ways,),
    "lock": (without_locks,),
    "optional": (lambda p: replace(p, skip_price=np.full_like(p.skip_price, np.inf)),),
    "split": (without_capacity,),
    "opening": (lambda p: replace(p, opening_s=np.tile([0.0, np.inf], (p.n_points, 1))),),
    "end_point": (lambda p: replace(p, home=np.repeat(p.home[:, :1], 2, axis=1)),),
    "span": (
        lambda p: replace(p, span_s=np.full_like(p.span_s, np.inf), driving_limit_s=np.full_like(p.span_s, np.inf)),
    ),
}
#: Least share of cases where removing it changes the optimum.
PART = {"oneway": 0.4}


@pytest.mark.parametrize("feature", WITHOUT)
def test_a_feature_changes_the_optimum(feature: str) -> None:
    for change in WITHOUT[feature]:
        changed = 0
        for seed in range(CAS):
            problem = make(feature, seed)
            before, after = optimum(problem).total, optimum(change(problem)).total
            changed += abs(before - after) > 1e-6 * before
        assert changed >= PART.get(feature, 0.5) * CAS, (feature, changed)


def test_balance_changes_the_plan() -> None:
    """The best plan without the wish of balance costs more under it than the best one with it."""
    changed = 0
    for seed in range(CAS):
        problem = make("balance", seed)
        proven = optimum(problem)
        other = optimum(replace(problem, weights=replace(problem.weights, balance=0.0)))
        cost = sum(tour[0] for c in other.circuits if (tour := walk(proven.problem, c)) is not None)
        cost += float(problem.skip_cost()[list(other.left_out)].sum())
        assert cost >= proven.total * (1 - 1e-9)
        changed += cost > proven.total * (1 + 1e-6)
    assert changed >= 0.3 * CAS, changed


def test_a_split_case_is_cut_and_its_pieces_go_to_several_trucks_or_loads() -> None:
    cut = apart = 0
    for seed in range(CAS):
        problem, origin = split_oversized(make("split", seed))
        proven = optimum(problem)
        cut += problem.n_items > len(set(origin.tolist()))
        by_truck = [sorted(origin[c.items].tolist()) for c in proven.circuits]
        served = [i for items in by_truck for i in items]
        twice = {i for i in served if served.count(i) > 1}
        apart += bool(twice) and any(items.count(i) < served.count(i) for i in twice for items in by_truck)
    assert cut == CAS
    assert apart >= 0.25 * CAS, apart
