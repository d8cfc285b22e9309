"""Small road networks, any shape, for the tests of what is done before and after the search."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from heapq import heappop, heappush

import numpy as np
from hypothesis import strategies as st

from routes.probleme import I32
from routes.reseau import ReseauHiver, Virages, make

#: Multiples of a half: sums are exact, in float32 too.
DEMI = st.integers(0, 12).map(lambda n: n / 2)


def network(
    nodes: int,
    roads: list[tuple[int, int, bool, float]],
    virages: Virages | None = None,
    turn_allowed: set[int] | None = None,
    closed: set[int] | None = None,
    xy: np.ndarray | None = None,
) -> ReseauHiver:
    """``roads``: (from, to, one-way, length); driven at 1 m/s, by the second profile at 0.5, ``closed`` to it."""
    rows = []
    for edge, (u, v, oneway, length) in enumerate(roads):
        rows.append((u, v, length, edge))
        if not oneway:
            rows.append((v, u, length, edge))
    tail, head, length, edge = (np.array(column) for column in zip(*rows, strict=True))
    second = np.where(np.isin(edge, sorted(closed or ())), np.inf, 2 * length)
    return make(
        nodes, tail, head, length, np.stack([length, second]), virages=virages, turn_allowed=turn_allowed or set(),
        edge=edge.astype(np.int32), xy=xy,
    )  # fmt: skip


@st.composite
def networks(draw: st.DrawFn, turns: bool = False) -> ReseauHiver:
    """Loops, parallel roads, one-ways, dead ends, rings, pieces apart, all that may be."""
    nodes = draw(st.integers(1, 8))
    node = st.integers(0, nodes - 1)
    roads = draw(st.lists(st.tuples(node, node, st.booleans(), DEMI.map(lambda d: d + 0.5)), min_size=1, max_size=12))
    virages = None
    if turns:
        price = st.sampled_from([0.0, 0.5, 3.0, 20.0])
        either = st.one_of(price, st.just(np.inf))
        virages = Virages(draw(price), draw(price), draw(price), draw(either), draw(either))
    allowed = draw(st.sets(node))
    closed = draw(st.sets(st.integers(0, len(roads) - 1), max_size=2))
    xy = np.array(draw(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=nodes, max_size=nodes)))
    return network(nodes, roads, virages, allowed, closed, xy.astype(np.float64))


def turn_price(r: ReseauHiver, profile: int, a: int, b: int) -> float:
    """The rule of `Virages`, one turn at a time, said in another way than the code."""
    node, v = r.head[a], r.virages
    if a != b and r.edge[a] == r.edge[b]:
        if r.turn_allowed[node]:
            return v.uturn_s
        others = [c for c in range(r.arcs) if r.tail[c] == node and c != b and np.isfinite(r.seconds[profile, c])]
        return v.uturn_elsewhere_s if others else v.dead_end_s
    pieces = {(int(e), end) for e in set(r.edge.tolist()) for end in _ends(r, e) if end[1] == node}
    if len(pieces) < 3 or np.isnan(r.heading_in[a]) or np.isnan(r.heading_out[b]):
        return 0.0
    right = (float(r.heading_out[b]) - float(r.heading_in[a])) % 360.0
    if right <= v.straight_deg or right >= 360.0 - v.straight_deg:
        return 0.0
    return v.right_s if right < 179.999 else v.left_s


def _ends(r: ReseauHiver, edge: int) -> list[tuple[int, int]]:
    arc = int(np.argmax(r.edge == edge))
    return [(0, int(r.tail[arc])), (1, int(r.head[arc]))]


@dataclass(frozen=True)
class Oracle:
    """Textbook Dijkstra whose states are the arcs just driven, turns priced one by one, s."""

    reseau: ReseauHiver
    profile: int

    @cached_property
    def turns(self) -> list[dict[int, float]]:
        """Price of each turn that may be made, by arc before and arc after."""
        r = self.reseau
        every = [
            {b: turn_price(r, self.profile, a, b) for b in np.flatnonzero(r.tail == r.head[a]).tolist()}
            for a in range(r.arcs)
        ]
        return [{b: s for b, s in turns.items() if np.isfinite(s)} for turns in every]

    def driven(self, start: dict[int, float]) -> dict[int, float]:
        """Hour by which each arc can have been driven, from the hours at which some may first be begun."""
        drive = self.reseau.seconds[self.profile].tolist()
        done: dict[int, float] = {}
        heap = [(s + drive[a], a) for a, s in start.items() if drive[a] < np.inf]
        heap.sort()
        while heap:
            clock, arc = heappop(heap)
            if arc not in done:
                done[arc] = clock
                for b, turn in self.turns[arc].items():
                    if b not in done and drive[b] < np.inf:
                        heappush(heap, (clock + turn + drive[b], b))
        return done

    def begun(self, start: dict[int, float]) -> list[float]:
        """Hour at which each arc can be begun, after the last turn."""
        best = [start.get(b, np.inf) for b in range(self.reseau.arcs)]
        for arc, clock in self.driven(start).items():
            for b, turn in self.turns[arc].items():
                best[b] = min(best[b], clock + turn)
        return best


def arcs_between(r: ReseauHiver, arcs: I32) -> bool:
    """Whether arcs follow one another."""
    return bool(np.all(r.head[arcs[:-1]] == r.tail[arcs[1:]]))
