"""Proven optimum of small winter problems, by dynamic programming over every order, mode and visit of a reload point.

Written from the words of `routes.probleme` alone: it shares no code with the solver or with the checker. For each
truck, labels over (items served so far, where the truck stands) hold what the rest of the tour can feel: money, clock,
driving, load and stock drawn; a label goes only when another one is no worse on all of them. Then trucks are put
together over disjoint sets of items. Labels are exact whatever the matrices (no triangle inequality is assumed) and
a tour may visit reload points as often as it likes.

Loads. The docstring of `Probleme` counts needs backward. Forward, the same plans are the ones in which a truck that
takes all it may at every visit (`hand` = min(capacity, hand + refill)) never lacks anything: N_s <= hand_s by
induction. What is really drawn is found forward too: a visit gives min(need, refill), so each tonne served comes from
the latest visit that can still give, then from the one before, the first load last; `sources` is that stack.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from operator import le
from typing import Any, NamedTuple

import numpy as np

from routes.probleme import AUCUN, Circuit, Probleme, split_oversized

from .naif import JEU, walk


@dataclass(frozen=True)
class Optimum:
    """Least objective, a plan that reaches it (items of ``problem``, after splitting) and the reloads it makes."""

    total: float
    circuits: tuple[Circuit, ...]
    left_out: tuple[int, ...]
    problem: Probleme


class _Label(NamedTuple):
    """A way of reaching a state: what must be small, then the stacks of sources; how it was reached."""

    vector: tuple[float, ...]  # money, clock, driving (0 where nothing depends on it), -hand by product, stock drawn
    sources: tuple[Any, ...]
    parent: _Label | None
    position: int


class _Tour(NamedTuple):
    """A whole tour of one truck: its objective, stock drawn, last label, where duty ends."""

    cost: float
    used: tuple[float, ...]
    label: _Label
    end_point: int


def optimum(problem: Probleme) -> Optimum:
    """The least objective of any plan allowed, and one such plan; meant for up to about 6 items and 3 trucks."""
    problem, _ = split_oversized(problem)
    stocks = [(int(s), int(q)) for s, q in np.argwhere(np.isfinite(problem.stock))]
    drawn = [0.0] * len(stocks)
    money = 0.0
    kept: set[int] = set()
    asked = [c for c in problem.circuits if len(c.items)]  # one that serves nothing keeps its truck at home
    for circuit in asked:
        fait = walk(problem, circuit)
        assert fait is not None, "a kept circuit breaks a rule"
        money += fait[0]
        drawn = [u + float(fait[1][s, q]) for u, (s, q) in zip(drawn, stocks, strict=True)]
        kept |= set(circuit.items.tolist())
    free = [i for i in range(problem.n_items) if i not in kept]
    room = [float(problem.stock[s, q]) - u + JEU for u, (s, q) in zip(drawn, stocks, strict=True)]
    skip = problem.skip_cost()
    leave = [0.0] * (1 << len(free))
    for ensemble in range(1, len(leave)):
        bit = ensemble & -ensemble
        leave[ensemble] = leave[ensemble ^ bit] + float(skip[free[bit.bit_length() - 1]])
    busy = {c.truck for c in problem.circuits}
    known: dict[Any, list[list[_Tour]]] = {}
    best: list[list[tuple[float, tuple[float, ...], Any]]] = [[] for _ in leave]
    best[0] = [(0.0, (0.0,) * len(stocks), None)]
    for truck in range(problem.n_trucks):
        if truck in busy:
            continue
        une = _Truck(problem, truck, free, stocks, room, leave)
        if une.key not in known:
            known[une.key] = une.tours()
        best = _combine(best, known[une.key], truck, room)
    lowest = inf
    choix: Any = None
    full = len(leave) - 1
    for ensemble, plans in enumerate(best):
        for cost, _, chain in plans:
            if cost + leave[full ^ ensemble] < lowest:
                lowest, choix = cost + leave[full ^ ensemble], chain
    circuits = list(asked)
    while choix is not None:
        truck, tour, choix = choix
        visits = []
        label: _Label | None = tour.label
        while label is not None and label.parent is not None:
            visits.append(_visit(label.position, free))
            label = label.parent
        circuits.append(Circuit(truck, np.array(visits[::-1], dtype=np.int32), tour.end_point))
    circuits.sort(key=lambda c: c.truck)
    done = {i for c in circuits for i in c.items.tolist()}
    left = tuple(i for i in range(problem.n_items) if i not in done)
    return Optimum(lowest + money, tuple(circuits), left, problem)


def _visit(position: int, free: list[int]) -> int:
    """Code of `Circuit.visits` of a position: 2 * rank + mode for the free items, then the points."""
    if position < 2 * len(free):
        return 2 * free[position // 2] + position % 2
    return -1 - (position - 2 * len(free))


def _combine(
    best: list[list[tuple[float, tuple[float, ...], Any]]], tours: list[list[_Tour]], truck: int, room: list[float]
) -> list[list[tuple[float, tuple[float, ...], Any]]]:
    """Plans of the trucks so far and of one more, by set of items served."""
    suite = [list(plans) for plans in best]
    for ensemble in range(len(best)):
        part = ensemble
        while part:
            for tour in tours[part]:
                for cost, used, chain in best[ensemble ^ part]:
                    total = tuple(a + b for a, b in zip(used, tour.used, strict=True))
                    if any(a > b for a, b in zip(total, room, strict=True)):
                        continue
                    _keep(suite[ensemble], (cost + tour.cost, total, (truck, tour, chain)))
            part = (part - 1) & ensemble
    return suite


def _keep(plans: list[Any], new: Any) -> None:
    """Add (cost, used, ...) to a list of which none is worse than another on cost and on every stock."""
    cost, used = new[0], new[1]
    for plan in plans:
        if plan[0] <= cost and all(a <= b for a, b in zip(plan[1], used, strict=True)):
            return
    plans[:] = [plan for plan in plans if plan[0] < cost or any(a < b for a, b in zip(plan[1], used, strict=True))] + [
        new
    ]


class _Truck:
    """One truck's part of a problem as plain lists; positions: 2 * rank + mode, then the points, then home."""

    def __init__(
        self, p: Probleme, truck: int, free: list[int], stocks: list[tuple[int, int]], room: list[float],
        leave: list[float],
    ) -> None:  # fmt: skip
        t = int(p.truck_type[truck])
        profile = int(p.type_profile[t])
        n, points, self.Q = len(free), p.n_points, p.demand.shape[1]
        self.n, self.points, self.room, self.leave, self.stocks = n, points, room, leave, stocks
        modes = [(i, m) for i in free for m in range(2)]
        arrive = [int(p.start[i, m]) for i, m in modes] + [int(p.point_place[r, 0]) for r in range(points)]
        depart = [int(p.end[i, m]) for i, m in modes] + [int(p.point_place[r, 1]) for r in range(points)]
        depart.append(int(p.home[truck, 0]))
        metres = p.distances_m[profile].astype(np.float64)[np.ix_(depart, arrive)]
        seconds = p.durations_s[profile].astype(np.float64)[np.ix_(depart, arrive)]
        # a position without place (second mode that does not exist) has an infinite service: never reached
        w = p.weights
        self.hour = w.cost * float(p.cost_hour[t])
        km = w.cost * float(p.cost_km[t]) / 1000.0
        self.money, self.seconds = (km * metres).tolist(), seconds.tolist()
        self.drive_money = [km * float(p.driven_m[i]) for i, _ in modes]
        self.service = [float(p.service_s[t, i, m]) for i, m in modes]
        self.earliest = [float(p.earliest_s[i]) for i in free]
        self.deadline = [float(p.deadline_s[i]) for i in free]
        self.late = [float(w.late[p.level[i]]) for i in free]
        self.demand = [p.demand[i].tolist() for i in free]
        self.refill = p.refill.tolist()
        self.point_s = p.point_s.tolist()
        self.opening = p.opening_s.tolist()
        self.capacity = p.capacity[t].tolist()
        self.first = p.initial_load[truck].tolist()
        self.shift, self.span = float(p.shift_start_s[truck]), float(p.span_s[truck])
        self.driving = float(p.driving_limit_s[truck])
        self.fixed, self.balance = w.truck + w.cost * float(p.cost_fixed[truck]), w.balance
        # where duty may end: (place of arrival, reload point or AUCUN)
        arrival = int(p.home[truck, 1])
        self.ends = [(arrival, AUCUN)] if arrival != AUCUN else [(int(a[0]), r) for r, a in enumerate(p.point_place)]
        places = [place for place, _ in self.ends]
        self.end_money = (km * p.distances_m[profile].astype(np.float64)[np.ix_(depart, places)]).tolist()
        self.end_seconds = p.durations_s[profile].astype(np.float64)[np.ix_(depart, places)].tolist()
        banned = {int(i) for i, k in p.forbidden if k == truck}
        self.may = [i not in banned and p.fixed_truck[i] in (AUCUN, truck) for i in free]
        rank = {item: r for r, item in enumerate(free)}
        self.apart = [0] * n
        for a, b in p.apart.tolist():
            if a in rank and b in rank and a != b:
                self.apart[rank[a]] |= 1 << rank[b]
                self.apart[rank[b]] |= 1 << rank[a]
        index = {couple: u for u, couple in enumerate(stocks)}
        self.source = [[index.get((int(p.point_stock[r]), q), -1) for q in range(self.Q)] for r in range(points)]
        home_stock = int(p.home_stock[truck])
        self.first_source = [index.get((home_stock, q), -1) for q in range(self.Q)]
        self.tracked = [any(q == c for _, c in stocks) for q in range(self.Q)]
        # what the rest of the tour can feel of the clock
        self.waits = any(e > self.shift for e in self.earliest) or any(o[0] > self.shift for o in self.opening)
        self.timed = (
            self.waits or np.isfinite(self.span) or self.balance > 0 or any(np.isfinite(o[1]) for o in self.opening)
            or any(np.isfinite(d) and x > 0 for d, x in zip(self.deadline, self.late, strict=True))
        )  # fmt: skip
        self.limited = bool(np.isfinite(self.driving))
        self.key = (
            t, tuple(p.home[truck].tolist()), home_stock, tuple(self.first), self.shift, self.span, self.driving,
            self.fixed, tuple(self.may),
        )  # fmt: skip

    def tours(self) -> list[list[_Tour]]:
        """Best tours by set of items served (bits are ranks of free items); several where stocks are limited."""
        n, full = self.n, (1 << self.n) - 1
        remaining = [
            [sum(self.demand[i][q] for i in range(n) if not ensemble >> i & 1) for q in range(self.Q)]
            for ensemble in range(full + 1)
        ]
        home = 2 * n + self.points
        states: list[dict[int, dict[Any, list[_Label]]]] = [{} for _ in range(full + 1)]
        first: tuple[float, ...] = (0.0, self.shift if self.timed else 0.0, 0.0)
        hand = tuple(-min(f, c, d) for f, c, d in zip(self.first, self.capacity, remaining[0], strict=True))
        sources = tuple(
            self._trim(((self.first_source[q], self.first[q]),), remaining[0][q]) if self.tracked[q] else ()
            for q in range(self.Q)
        )
        depart = _Label(first + hand + (0.0,) * len(self.stocks), sources, None, home)
        out: list[list[_Tour]] = [[] for _ in range(full + 1)]
        for ensemble in range(full + 1):
            here = states[ensemble]
            queue = [depart] if ensemble == 0 else [x for g in here.values() for ls in g.values() for x in ls]
            alive = list(queue)
            while queue and self.points:
                suite: list[_Label] = []
                for label in queue:
                    for r in range(self.points):
                        new = self._reload(label, r, remaining[ensemble])
                        if new is not None and _insert(here, new):
                            suite.append(new)
                queue = suite
            if self.points:
                alive = [depart] if ensemble == 0 else []
                alive += [x for g in here.values() for ls in g.values() for x in ls]
            for label in alive:
                if ensemble:
                    self._finish(label, out[ensemble], self.leave[ensemble])
                for i in range(n):
                    if ensemble >> i & 1 or not self.may[i] or self.apart[i] & ensemble:
                        continue
                    after = ensemble | 1 << i
                    for position in (2 * i, 2 * i + 1):
                        new = self._serve(label, position, remaining[after])
                        if new is not None:
                            _insert(states[after], new)
            states[ensemble] = {}
        return out

    def _serve(self, label: _Label, position: int, remaining: list[float]) -> _Label | None:
        i, v = position // 2, label.vector
        trip, service = self.seconds[label.position][position], self.service[position]
        money = v[0] + self.money[label.position][position] + self.drive_money[position]
        if not money + trip + service < inf:
            return None
        clock = v[1]
        if self.timed:
            clock = max(clock + trip, self.earliest[i]) + service
            if clock - self.shift > self.span + JEU:
                return None
            if clock > self.deadline[i]:
                money += self.late[i] * (clock - self.deadline[i])
        if not self.waits:
            money += self.hour * (trip + service) / 3600.0
        if money > self.leave[-1]:  # dearer than leaving everything out
            return None
        driving = v[2] + trip + service if self.limited else 0.0
        if self.limited and driving > self.driving + JEU:
            return None
        hand = []
        for q, d in enumerate(self.demand[i]):
            h = -v[3 + q] - d
            if h < -JEU:
                return None
            hand.append(-min(h, remaining[q]))
        used, sources = v[3 + self.Q :], label.sources
        if self.stocks:
            drawn, piles = list(used), []
            for q, d in enumerate(self.demand[i]):
                piles.append(self._draw(sources[q], d, drawn, remaining[q]) if self.tracked[q] else ())
            if any(a > b for a, b in zip(drawn, self.room, strict=True)):
                return None
            used, sources = tuple(drawn), tuple(piles)
        return _Label((money, clock, driving, *hand, *used), sources, label, position)

    def _reload(self, label: _Label, r: int, remaining: list[float]) -> _Label | None:
        v, position = label.vector, 2 * self.n + r
        trip, stop = self.seconds[label.position][position], self.point_s[r]
        money = v[0] + self.money[label.position][position]
        if not money + trip < inf:
            return None
        clock = v[1]
        if self.timed:
            begin = max(clock + trip, self.opening[r][0])
            clock = begin + stop
            if begin == inf or begin > self.opening[r][1] + JEU or clock - self.shift > self.span + JEU:
                return None
        if not self.waits:
            money += self.hour * (trip + stop) / 3600.0
        if money > self.leave[-1]:
            return None
        driving = v[2] + trip if self.limited else 0.0
        if driving > self.driving + JEU:
            return None
        hand = tuple(
            -min(self.capacity[q], self.refill[r][q] - v[3 + q], max(remaining[q], 0.0)) for q in range(self.Q)
        )
        sources = label.sources
        if self.stocks:
            sources = tuple(
                self._trim(((self.source[r][q], self.refill[r][q]), *pile), remaining[q])
                if self.tracked[q] and self.refill[r][q] > 0
                else pile
                for q, pile in enumerate(sources)
            )
        return _Label((money, clock, driving, *hand, *v[3 + self.Q :]), sources, label, position)

    def _finish(self, label: _Label, tours: list[_Tour], leave: float) -> None:
        v = label.vector
        for e, (_, point) in enumerate(self.ends):
            trip = self.end_seconds[label.position][e]
            money = v[0] + self.end_money[label.position][e] + self.fixed
            if not money + trip < inf or v[2] + trip > self.driving + JEU:
                continue
            if self.timed:
                duty = v[1] + trip - self.shift
                if duty > self.span + JEU:
                    continue
                money += self.balance * (duty / 3600.0) ** 2
                if self.waits:
                    money += self.hour * duty / 3600.0
            if not self.waits:
                money += self.hour * trip / 3600.0
            if money <= leave:
                _keep(tours, _Tour(money, v[3 + self.Q :], label, point))

    @staticmethod
    def _trim(pile: tuple[tuple[int, float], ...], need: float) -> tuple[tuple[int, float], ...]:
        """The sources, latest first, that the demand still to come can reach; those of one stock in a row as one."""
        garde: list[tuple[int, float]] = []
        for source, left in pile:
            left = min(left, need)
            if left <= JEU:
                continue
            need -= left
            if garde and garde[-1][0] == source:
                left += garde.pop()[1]
            garde.append((source, round(left, 9)))
        while garde and garde[-1][0] < 0:
            garde.pop()
        return tuple(garde)

    def _draw(
        self, pile: tuple[tuple[int, float], ...], demand: float, drawn: list[float], need: float
    ) -> tuple[tuple[int, float], ...]:
        """Take ``demand`` from the latest source that has some, and so on; what is below the pile is not counted."""
        reste = []
        for source, left in pile:
            part = min(left, demand)
            demand -= part
            if source >= 0:
                drawn[source] += part
            reste.append((source, left - part))
        return self._trim(tuple(reste), need)


def _insert(state: dict[int, dict[Any, list[_Label]]], new: _Label) -> bool:
    """Add a label unless one is as good; drop those it makes useless. True when added."""
    labels = state.setdefault(new.position, {}).setdefault(new.sources, [])
    v = new.vector
    for label in labels:
        if all(map(le, label.vector, v)):
            return False
    labels[:] = [label for label in labels if not all(map(le, v, label.vector))]
    labels.append(new)
    return True
