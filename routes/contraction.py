"""Chains of nodes of degree two, each made one arc: what a road network is before matrices are computed on it.

Pure module: numpy, networkx only to read and make its graphs. A node is inside a chain when exactly two pieces of road
end there, it is not to be kept, and in each direction either both pieces may be driven with the same key, or neither.
Loops, parallel roads, one-ways, dead ends and rings that touch nothing else are all networks like any other; a ring
without a node to keep is cut at its lowest node.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .probleme import AUCUN, F64, I32, B
from .reseau import ReseauHiver, ReseauInvalide, pair_arcs


@dataclass(frozen=True, eq=False)
class Contraction:
    """M nodes and C arcs left of N nodes and A arcs; each original arc is in exactly one chain.

    node            I32 (M,)     original node of each node, increasing
    tail, head      I32 (C,)     nodes of the contracted network; the ways of a chain have the same ``edge`` (C,)
    first, arcs     I32 (C + 1,), (A,): chain c is ``arcs[first[c]:first[c + 1]]``, in driving order
    """

    node: I32
    tail: I32
    head: I32
    edge: I32
    first: I32
    arcs: I32

    def chain(self, arc: int) -> I32:
        """Original arcs of a contracted arc, in driving order."""
        return self.arcs[self.first[arc] : self.first[arc + 1]]

    def expand(self, arcs: I32) -> I32:
        """Original arcs of several contracted arcs one after the other."""
        return np.concatenate([self.chain(int(arc)) for arc in arcs] or [np.zeros(0, dtype=np.int32)])

    def total(self, values: NDArray[Any]) -> NDArray[Any]:
        """(..., C) sums over the chains of (..., A) values of the original arcs."""
        if not len(self.tail):
            return np.zeros((*values.shape[:-1], 0), dtype=values.dtype)
        return np.add.reduceat(values[..., self.arcs], self.first[:-1], axis=-1)

    def one(self, values: NDArray[Any]) -> NDArray[Any]:
        """(..., C) values of the first original arc of each chain: for what is the same all along."""
        return values[..., self.arcs[self.first[:-1]]]


def contract(
    nodes: int,
    tail: I32,
    head: I32,
    edge: I32,
    *,
    key: NDArray[Any] | None = None,
    keep: B | None = None,
    length: F64 | None = None,
    longest: float = np.inf,
) -> Contraction:
    """Contract the chains of a network of A arcs; ``edge`` as `pair_arcs` gives it.

    ``key`` (A,): arcs of different keys never share a chain. ``keep`` (N,): nodes that stay. Chains whose ``length``
    (A,) passes ``longest`` are cut, at nodes, in as few pieces as can be; one arc alone may still be longer.
    Raises `ReseauInvalide`.
    """
    arcs = len(tail)
    keys = np.zeros(arcs, dtype=np.int64) if key is None else np.unique(key, return_inverse=True)[1].ravel()
    if len(keys) != arcs or (length is not None and len(length) != arcs):
        raise ReseauInvalide("contraction : une clé et une longueur par arc attendues")
    succ = _successors(nodes, tail, head, edge, keys, np.zeros(nodes, dtype=np.bool_) if keep is None else keep)
    has_pred = np.zeros(arcs, dtype=np.bool_)
    has_pred[succ[succ >= 0]] = True
    twin = _twins(edge)
    chains: list[list[int]] = []
    done = np.zeros(arcs, dtype=np.bool_)
    lengths = np.zeros(arcs) if length is None else np.asarray(length, dtype=np.float64)
    # Rings last, each from its lowest node: whatever is left once every chain with a beginning is made.
    starts = [np.flatnonzero(~has_pred), np.lexsort((np.arange(arcs), tail))]
    for origin in np.concatenate(starts).tolist():
        if done[origin]:
            continue
        chain = [origin]
        while (follow := int(succ[chain[-1]])) not in (AUCUN, origin):
            chain.append(follow)
        for piece in _pieces(chain, lengths, longest):
            chains.append(piece)
            done[piece] = True
            back = [int(twin[arc]) for arc in reversed(piece)]
            if back[0] >= 0 and back != piece and not done[back[0]]:
                chains.append(back)
                done[back] = True
    return _assemble(nodes, tail, head, twin, chains)


def _twins(edge: I32) -> I32:
    """(A,) the other arc of the same piece of road, AUCUN for a one-way."""
    twin = np.full(len(edge), AUCUN, dtype=np.int32)
    order = np.argsort(edge, kind="stable")
    same = np.flatnonzero(edge[order][1:] == edge[order][:-1])
    twin[order[same]], twin[order[same + 1]] = order[same + 1], order[same]
    return twin


def _successors(nodes: int, tail: I32, head: I32, edge: I32, key: NDArray[Any], keep: B) -> I32:
    """(A,) arc that continues each arc through a node inside a chain, AUCUN where the chain ends."""
    _, first = np.unique(edge, return_index=True)
    ends = np.bincount(np.concatenate([tail[first], head[first]]), minlength=nodes)
    inside = (ends == 2) & ~keep
    inside[tail[tail == head]] = False
    out: list[list[int]] = [[] for _ in range(nodes)]
    into: list[list[int]] = [[] for _ in range(nodes)]
    for arc in np.flatnonzero(inside[tail]).tolist():
        out[tail[arc]].append(arc)
    for arc in np.flatnonzero(inside[head]).tolist():
        into[head[arc]].append(arc)
    succ = np.full(len(tail), AUCUN, dtype=np.int32)
    for node in np.flatnonzero(inside).tolist():
        through = [(a, b) for a in into[node] for b in out[node] if edge[a] != edge[b] and key[a] == key[b]]
        # Every arc that touches the node must go on, once, or the node stays.
        if len(through) == len(into[node]) == len(out[node]):
            for a, b in through:
                succ[a] = b
    return succ


def _pieces(chain: list[int], length: F64, longest: float) -> list[list[int]]:
    pieces: list[list[int]] = [[]]
    total = 0.0
    for arc in chain:
        if pieces[-1] and total + length[arc] > longest:
            pieces.append([])
            total = 0.0
        pieces[-1].append(arc)
        total += float(length[arc])
    return pieces


def _assemble(nodes: int, tail: I32, head: I32, twin: I32, chains: list[list[int]]) -> Contraction:
    chains.sort(key=min)
    touched = np.zeros(nodes, dtype=np.bool_)
    touched[tail] = touched[head] = True
    stays = ~touched
    begin = np.array([chain[0] for chain in chains], dtype=np.int32)
    end = np.array([chain[-1] for chain in chains], dtype=np.int32)
    if chains:
        stays[tail[begin]] = stays[head[end]] = True
    node = np.flatnonzero(stays).astype(np.int32)
    number = np.full(nodes, AUCUN, dtype=np.int32)
    number[node] = np.arange(len(node), dtype=np.int32)
    chain_of = np.empty(len(tail), dtype=np.int32)
    for c, chain in enumerate(chains):
        chain_of[chain] = c
    # Both ways of a chain are numbered after the lower of the two.
    back = np.array([chain_of[twin[arc]] if twin[arc] >= 0 else c for c, arc in enumerate(begin)], dtype=np.int32)
    leader = np.minimum(np.arange(len(chains), dtype=np.int32), back)
    _, edge = np.unique(leader, return_inverse=True)
    counts = np.array([0, *(len(chain) for chain in chains)])
    return Contraction(
        node=node,
        tail=number[tail[begin]] if chains else np.zeros(0, dtype=np.int32),
        head=number[head[end]] if chains else np.zeros(0, dtype=np.int32),
        edge=edge.ravel().astype(np.int32),
        first=np.cumsum(counts).astype(np.int32),
        arcs=np.array([arc for chain in chains for arc in chain], dtype=np.int32),
    )


def useful_turns(reseau: ReseauHiver) -> B:
    """(N,) nodes inside chains that must stay because turning round there may beat every turn at the chain's ends."""
    v = reseau.virages
    price = np.where(reseau.turn_allowed, v.uturn_s, v.uturn_elsewhere_s)
    return np.isfinite(price) & (price < max(v.left_s, v.right_s, v.uturn_s, v.dead_end_s, v.uturn_elsewhere_s))


def contract_reseau(
    reseau: ReseauHiver, *, key: NDArray[Any] | None = None, keep: B | None = None,
    length: F64 | None = None, longest: float = np.inf,
) -> tuple[ReseauHiver, Contraction]:  # fmt: skip
    """The network with its chains contracted: lengths and durations added up, headings those of the ends.

    Ways between nodes that stay keep their price, turns included: nodes where a turn round may pay stay, and where a
    profile may not go on. ``key``, ``keep``, ``length`` (metres by default) and ``longest`` as in `contract`.
    """
    closed = np.unique(np.isinf(reseau.seconds), axis=1, return_inverse=True)[1].ravel()
    keys = closed
    if key is not None:
        keys = np.unique(np.stack([closed, np.unique(key, return_inverse=True)[1].ravel()]), axis=1,
                         return_inverse=True)[1].ravel()  # fmt: skip
    stay = useful_turns(reseau)
    if keep is not None:
        stay = stay | keep
    c = contract(
        reseau.nodes, reseau.tail, reseau.head, reseau.edge,
        key=keys, keep=stay, length=reseau.length_m if length is None else length, longest=longest,
    )  # fmt: skip
    last = c.arcs[c.first[1:] - 1]
    small = ReseauHiver(
        nodes=len(c.node),
        tail=c.tail,
        head=c.head,
        length_m=c.total(reseau.length_m),
        seconds=c.total(reseau.seconds.astype(np.float64)).astype(np.float32),
        edge=c.edge,
        heading_out=c.one(reseau.heading_out),
        heading_in=reseau.heading_in[last],
        turn_allowed=reseau.turn_allowed[c.node],
        virages=reseau.virages,
        labels=tuple(reseau.labels[n] for n in c.node) if reseau.labels else (),
    )
    return small, c


def contract_csr(
    indptr: NDArray[Any], indices: NDArray[Any], data: NDArray[Any], *, key: NDArray[Any] | None = None,
    keep: Collection[int] = (),
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], Contraction]:  # fmt: skip
    """Contract the arrays of a CSR matrix of lengths: (indptr, indices, data) of what is left, and the mapping, whose
    arcs are positions in the original ``data``. Parallel chains stay apart (duplicate entries).
    ``Contraction`` numbers its own arcs by chain: they are here in the order of the new ``data``."""
    nodes = len(indptr) - 1
    tail = np.repeat(np.arange(nodes, dtype=np.int32), np.diff(indptr))
    head = np.asarray(indices, dtype=np.int32)
    kept = np.zeros(nodes, dtype=np.bool_)
    kept[list(keep)] = True
    c = contract(nodes, tail, head, pair_arcs(tail, head, np.asarray(data, dtype=np.float64)), key=key, keep=kept)
    order = np.argsort(c.tail, kind="stable")
    counts = np.diff(c.first)[order]
    c = Contraction(
        node=c.node,
        tail=c.tail[order],
        head=c.head[order],
        edge=c.edge[order],
        first=np.concatenate(([0], np.cumsum(counts))).astype(np.int32),
        arcs=c.expand(order.astype(np.int32)),
    )
    rows = np.searchsorted(c.tail, np.arange(len(c.node) + 1)).astype(np.int32)
    return rows, c.head, c.total(np.asarray(data)), c


def contract_networkx(
    graph: Any, *, key: Sequence[str] = (), keep: Collection[Hashable] = (), length: str = "length"
) -> Any:
    """The same on a networkx MultiDiGraph: a new one, whose edges have the summed ``length``, the data named in
    ``key`` (the same all along a chain) and ``chain``, the (u, v, key) of the original edges in driving order.

    Raises `ReseauInvalide` for a graph of another kind or an edge without length."""
    if not (graph.is_directed() and graph.is_multigraph()):
        raise ReseauInvalide("contraction : MultiDiGraph attendu")
    labels = list(graph.nodes)
    number = {label: k for k, label in enumerate(labels)}
    rows = list(graph.edges(keys=True, data=True))
    without = [row for row in rows if length not in row[3]]
    if without:
        raise ReseauInvalide(f"arc {without[0][0]!r} -> {without[0][1]!r} : longueur absente (« {length} »)")
    tail = np.array([number[row[0]] for row in rows], dtype=np.int32)
    head = np.array([number[row[1]] for row in rows], dtype=np.int32)
    metres = np.array([float(row[3][length]) for row in rows])
    codes: dict[tuple[str, ...], int] = {}
    keys = np.array([codes.setdefault(tuple(repr(row[3].get(nom)) for nom in key), len(codes)) for row in rows])
    kept = np.array([label in keep for label in labels], dtype=np.bool_)
    c = contract(len(labels), tail, head, pair_arcs(tail, head, metres), key=keys, keep=kept)
    small = type(graph)()
    small.add_nodes_from((labels[n], graph.nodes[labels[n]]) for n in c.node)
    for arc in range(len(c.tail)):
        chain = [rows[k] for k in c.chain(arc)]
        data = {nom: chain[0][3][nom] for nom in key if nom in chain[0][3]}
        data |= {length: sum(row[3][length] for row in chain), "chain": [row[:3] for row in chain]}
        small.add_edge(labels[c.node[c.tail[arc]]], labels[c.node[c.head[arc]]], **data)
    return small
