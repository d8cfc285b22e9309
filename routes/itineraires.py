"""Shortest ways between places of a road network, turns priced or not: the matrices of the search, and their ways.

Pure module: numpy and numba. Where turns cost nothing a truck's state is its node. Where they do, the search for ways
is made on the line graph: the state is the arc about to be driven, and going from one to the next is driving the first,
then turning into the second. Memory is linear in arcs and turns, the matrices apart; one source at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.compilation import compiled

from .probleme import AUCUN, F32, F64, I32
from .reseau import ReseauHiver, ReseauInvalide

#: Sources between two looks at ``cancelled``.
LOT = 16


@dataclass(frozen=True)
class Critere:
    """What the way between two places makes least: ``per_second`` * s + ``per_metre`` * m; of equal ones the
    shortest in metres, then in seconds. The default is the quickest."""

    per_second: float = 1.0
    per_metre: float = 0.0

    def __post_init__(self) -> None:
        if not (self.per_second >= 0 and self.per_metre >= 0 and self.per_second + self.per_metre > 0):
            raise ReseauInvalide("critère de chemin : poids positifs attendus, dont un au moins n'est pas nul")


@dataclass(frozen=True, eq=False)
class Lieux:
    """P places: how a truck leaves each one (its row) and how it comes to it (its column). I32 (P,) all.

    leave_node, leave_arc   it stands at the node, having arrived by the arc; AUCUN = free to leave by any way
    reach_node, reach_arc   it comes to the node: about to leave by the arc (``reach_ready``, a service begins), or
                            having arrived by it; AUCUN = from anywhere
    """

    leave_node: I32
    leave_arc: I32
    reach_node: I32
    reach_arc: I32
    reach_ready: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.leave_node)


class Registre:
    """Makes `Lieux`: each way of leaving and reaching a place is one place, however often it is asked for.

    With ``headings`` False every place is its node."""

    def __init__(self, reseau: ReseauHiver, headings: bool | None = None) -> None:
        self.reseau = reseau
        self.headings = not reseau.virages.free if headings is None else headings
        self._number: dict[tuple[int, int, int, int, bool], int] = {}

    def _place(self, leave: tuple[int, int], reach: tuple[int, int], ready: bool) -> int:
        cle = (*leave, *reach, ready)
        return self._number.setdefault(cle, len(self._number))

    def node(self, node: int) -> int:
        """Reached from anywhere and left by any way: a yard where trucks may turn."""
        return self._place((node, AUCUN), (node, AUCUN), False)

    def service(self, arc: int) -> tuple[int, int]:
        """Places where the service of an arc begins and ends: one and the same where headings are kept (its row is
        the end, its column the beginning)."""
        r = self.reseau
        if not self.headings:
            return self.node(int(r.tail[arc])), self.node(int(r.head[arc]))
        place = self._place((int(r.head[arc]), arc), (int(r.tail[arc]), arc), True)
        return place, place

    def heading(self, arc: int) -> int:
        """The head of the arc, reached by it and left as the turn rule allows: a stop on the road."""
        node = int(self.reseau.head[arc])
        return self._place((node, arc), (node, arc), False) if self.headings else self.node(node)

    def lieux(self) -> Lieux:
        """All places so far, in the order of their numbers."""
        table = np.array([cle[:4] for cle in self._number], dtype=np.int32).reshape(-1, 4)
        ready = np.array([cle[4] for cle in self._number], dtype=np.bool_)
        return Lieux(table[:, 0].copy(), table[:, 1].copy(), table[:, 2].copy(), table[:, 3].copy(), ready)


def turn_seconds(reseau: ReseauHiver, profile: int, before: I32, after: I32) -> F64:
    """s of turning from each arc ``before`` into the arc ``after`` of the same rank, at the node between them; inf =
    forbidden. The rule of `Virages`."""
    v = reseau.virages
    first = np.unique(reseau.edge, return_index=True)[1]
    ends = np.bincount(np.concatenate([reseau.tail[first], reseau.head[first]]), minlength=reseau.nodes)
    open_arc = np.isfinite(reseau.seconds[profile])
    exits = np.bincount(reseau.tail[open_arc], minlength=reseau.nodes)
    node = reseau.head[before]
    # 0 to 360 clockwise; straight back into another road (180 but for rounding) counts as a left turn.
    delta = (reseau.heading_out[after].astype(np.float64) - reseau.heading_in[before]) % 360.0
    turns = (ends[node] >= 3) & (delta > v.straight_deg) & (delta < 360.0 - v.straight_deg)
    price = np.where(turns, np.where(delta < 180.0 - 1e-3, v.right_s, v.left_s), 0.0)
    forced = exits[node] - open_arc[after] == 0
    round_s = np.where(forced, v.dead_end_s, v.uturn_elsewhere_s)
    round_s = np.where(reseau.turn_allowed[node], v.uturn_s, round_s)
    back = (after == reseau.reverse()[before]) & (after != before)
    return np.where(back, round_s, price)


@dataclass(frozen=True, eq=False)
class Etats:
    """States of one profile's trucks and the steps between them (CSR): each step drives one arc, ``arc``, in
    ``seconds`` (turn into the next included; inf = forbidden) over ``metres``; ``turn_s`` is the turn alone (empty
    where turns are free)."""

    reseau: ReseauHiver
    profile: int
    headings: bool
    critere: Critere
    indptr: I32
    target: I32
    arc: I32
    seconds: F64
    metres: F64
    turn_s: F64

    @property
    def n(self) -> int:
        return len(self.indptr) - 1


def states(reseau: ReseauHiver, profile: int, headings: bool | None = None, critere: Critere | None = None) -> Etats:
    """The states of one profile; headings are kept where turns have a price unless told otherwise.
    Raises `ReseauInvalide` for an unknown profile."""
    if not 0 <= profile < len(reseau.seconds):
        raise ReseauInvalide(f"profil {profile} : hors de 0..{len(reseau.seconds) - 1}")
    first, leaving = by_node(reseau.tail, reseau.nodes)
    drive = reseau.seconds[profile].astype(np.float64)
    lines = not reseau.virages.free if headings is None else headings
    if lines:
        counts = np.diff(first)[reseau.head]
        indptr = np.concatenate(([0], np.cumsum(counts)))
        arc = np.repeat(np.arange(reseau.arcs, dtype=np.int32), counts)
        rank = np.arange(len(arc)) - np.repeat(indptr[:-1], counts)
        target = leaving[first[reseau.head[arc]] + rank]
        turn_s = turn_seconds(reseau, profile, arc, target)
        seconds = drive[arc] + turn_s
    else:
        indptr, arc, target = first, leaving, reseau.head[leaving]
        turn_s, seconds = np.zeros(0), drive[leaving]
    return Etats(
        reseau, profile, lines, critere or Critere(), indptr.astype(np.int32), target.astype(np.int32), arc, seconds,
        reseau.length_m[arc], turn_s,
    )  # fmt: skip


def by_node(node: I32, nodes: int) -> tuple[I32, I32]:
    """CSR of the arcs by their ``node`` (tail or head): (N + 1,) first, (A,) arcs."""
    order = np.argsort(node, kind="stable").astype(np.int32)
    return np.searchsorted(node[order], np.arange(nodes + 1)).astype(np.int32), order


def matrices(
    reseau: ReseauHiver, lieux: Lieux, *, headings: bool | None = None, critere: Critere | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[F32, F32]:  # fmt: skip
    """(F, P, P) m and s from place to place along the best way by ``critere``, inf = none; `Probleme`'s matrices.

    ``cancelled`` is asked every few sources; what is not computed then is inf.
    """
    profiles, places = len(reseau.seconds), len(lieux)
    metres = np.full((profiles, places, places), np.inf, dtype=np.float32)
    seconds = metres.copy()
    for profile in range(profiles):
        chemins = Chemins(states(reseau, profile, headings, critere), lieux)
        for place in range(places):
            if place % LOT == 0 and cancelled is not None and cancelled():
                return metres, seconds
            metres[profile, place], seconds[profile, place] = chemins.row(place)
    return metres, seconds


class Chemins:
    """Best ways of one profile from a place to all others; keeps the labels of the last origin."""

    def __init__(self, etats: Etats, lieux: Lieux) -> None:
        self.etats, self.lieux = etats, lieux
        n, places = etats.n, len(lieux)
        self._labels = np.empty(n), np.empty(n), np.empty(n)
        self._step, self._previous = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
        self._heap = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
        self._origin = AUCUN
        self._row = np.empty(places), np.empty(places)
        self._last = np.empty(places, dtype=np.int32)
        reseau = etats.reseau
        # State in which a place is reached, or the arcs that may be driven last to reach it.
        if etats.headings:
            self._state = np.where(lieux.reach_ready, lieux.reach_arc, AUCUN).astype(np.int32)
            first, entering = by_node(reseau.head, reseau.nodes)
            last = [
                [] if ready else [arc] if arc != AUCUN else entering[first[node] : first[node + 1]].tolist()
                for node, arc, ready in zip(lieux.reach_node, lieux.reach_arc, lieux.reach_ready, strict=True)
            ]
        else:
            self._state = lieux.reach_node
            last = [[] for _ in range(places)]
        self._last_first = np.cumsum([0, *map(len, last)]).astype(np.int32)
        self._last_arcs = np.array([arc for arcs in last for arc in arcs], dtype=np.int32)

    def row(self, origin: int) -> tuple[F64, F64]:
        """(P,) m and s from a place to all; valid until the next call."""
        if origin == self._origin:
            return self._row
        e, lieux = self.etats, self.lieux
        first, first_s = self._sources(origin)
        criterion = e.critere.per_second, e.critere.per_metre
        _settle(
            e.indptr, e.target, e.seconds, e.metres, *criterion, first, first_s, *self._labels, self._step,
            self._previous, *self._heap,
        )  # fmt: skip
        _reach(
            self._state, self._last_first, self._last_arcs, e.reseau.seconds[e.profile], e.reseau.length_m, *criterion,
            *self._labels, lieux.reach_node, lieux.reach_arc, lieux.leave_node[origin], lieux.leave_arc[origin],
            *self._row, self._last,
        )  # fmt: skip
        self._origin = origin
        return self._row

    def way(self, origin: int, target: int) -> I32:
        """Arcs driven, whose m and s are those of `row`. Raises `ReseauInvalide` where there is no way."""
        metres, _ = self.row(origin)
        if not np.isfinite(metres[target]):
            a, b = self.lieux.leave_node[origin], self.lieux.reach_node[target]
            raise ReseauInvalide(f"aucun chemin du nœud {a} au nœud {b} pour le profil {self.etats.profile}")
        last = int(self._last[target])
        if last == _ICI:
            return np.zeros(0, dtype=np.int32)
        state = int(self._state[target]) if last == AUCUN else last
        arcs = [] if last == AUCUN else [last]
        while (step := int(self._step[state])) != AUCUN:
            arcs.append(int(self.etats.arc[step]))
            state = int(self._previous[state])
        return np.array(arcs[::-1], dtype=np.int32)

    def _sources(self, origin: int) -> tuple[I32, F64]:
        e, node, arc = self.etats, int(self.lieux.leave_node[origin]), int(self.lieux.leave_arc[origin])
        if not e.headings:
            return np.array([node], dtype=np.int32), np.zeros(1)
        if arc == AUCUN:
            free = np.flatnonzero(e.reseau.tail == node).astype(np.int32)
            return free, np.zeros(len(free))
        turns = slice(e.indptr[arc], e.indptr[arc + 1])
        possible = np.isfinite(e.turn_s[turns])
        return e.target[turns][possible], e.turn_s[turns][possible]


#: In place of the arc driven last: the truck is there already.
_ICI = -2


@compiled
def _settle(
    indptr: I32, target: I32, seconds: F64, metres: F64, per_second: float, per_metre: float, first: I32,
    first_s: F64, cost: F64, total_m: F64, total_s: F64, step: I32, previous: I32, heap: I32, position: I32,
) -> None:  # fmt: skip
    """Dijkstra from the states ``first``, each reached after ``first_s``. Labels compare by (cost, m, s): steps of no
    cost do not make the answer depend on the order of the arcs."""
    cost[:] = np.inf
    total_m[:] = np.inf
    total_s[:] = np.inf
    step[:] = -1
    previous[:] = -1
    position[:] = -1
    size = 0
    for k in range(len(first)):
        v = first[k]
        c = per_second * first_s[k]
        if c < cost[v] or (c == cost[v] and first_s[k] < total_s[v]):
            cost[v], total_m[v], total_s[v] = c, 0.0, first_s[k]
            if position[v] < 0:
                position[v] = size
                size += 1
            _rise(heap, position, position[v], v, cost, total_m, total_s)
    while size > 0:
        u = heap[0]
        size -= 1
        if size > 0:
            _sink(heap, position, size, heap[size], cost, total_m, total_s)
        for e in range(indptr[u], indptr[u + 1]):
            if seconds[e] == np.inf:
                continue
            v = target[e]
            new_c = cost[u] + (per_second * seconds[e] + per_metre * metres[e])
            new_m = total_m[u] + metres[e]
            new_s = total_s[u] + seconds[e]
            if new_c > cost[v] or (
                new_c == cost[v] and (new_m > total_m[v] or (new_m == total_m[v] and new_s >= total_s[v]))
            ):
                continue
            cost[v], total_m[v], total_s[v] = new_c, new_m, new_s
            step[v], previous[v] = e, u
            if position[v] < 0:
                position[v] = size
                size += 1
            _rise(heap, position, position[v], v, cost, total_m, total_s)


@compiled
def _before(u: int, v: int, cost: F64, total_m: F64, total_s: F64) -> bool:
    if cost[u] != cost[v]:
        return bool(cost[u] < cost[v])
    if total_m[u] != total_m[v]:
        return bool(total_m[u] < total_m[v])
    return bool(total_s[u] < total_s[v])


@compiled
def _rise(heap: I32, position: I32, i: int, v: int, cost: F64, total_m: F64, total_s: F64) -> None:
    """Put ``v`` at ``i`` or above."""
    while i > 0:
        up = (i - 1) // 2
        if not _before(v, heap[up], cost, total_m, total_s):
            break
        heap[i] = heap[up]
        position[heap[i]] = i
        i = up
    heap[i] = v
    position[v] = i


@compiled
def _sink(heap: I32, position: I32, size: int, v: int, cost: F64, total_m: F64, total_s: F64) -> None:
    """Put ``v`` at the top or below, in a heap of so many states."""
    i = 0
    while True:
        low = 2 * i + 1
        if low >= size:
            break
        if low + 1 < size and _before(heap[low + 1], heap[low], cost, total_m, total_s):
            low += 1
        if not _before(heap[low], v, cost, total_m, total_s):
            break
        heap[i] = heap[low]
        position[heap[i]] = i
        i = low
    heap[i] = v
    position[v] = i


@compiled
def _reach(
    state: I32, last_first: I32, last_arcs: I32, drive: F32, length: F64, per_second: float, per_metre: float,
    cost: F64, total_m: F64, total_s: F64, node: I32, arrival: I32, here_node: int, here_arc: int,
    metres: F64, seconds: F64, last: I32,
) -> None:  # fmt: skip
    """m and s to every place, and the arc driven last where it is not part of the state."""
    for p in range(len(state)):
        last[p] = -1
        if state[p] >= 0:
            metres[p], seconds[p] = total_m[state[p]], total_s[state[p]]
            continue
        if node[p] == here_node and (arrival[p] < 0 or here_arc < 0 or arrival[p] == here_arc):
            metres[p], seconds[p], last[p] = 0.0, 0.0, -2
            continue
        metres[p], seconds[p], best = np.inf, np.inf, np.inf
        for k in range(last_first[p], last_first[p + 1]):
            a = last_arcs[k]
            if drive[a] == np.inf or cost[a] == np.inf:
                continue
            c = cost[a] + (per_second * drive[a] + per_metre * length[a])
            m, s = total_m[a] + length[a], total_s[a] + drive[a]
            if c < best or (c == best and (m < metres[p] or (m == metres[p] and s < seconds[p]))):
                best, metres[p], seconds[p], last[p] = c, m, s, a
