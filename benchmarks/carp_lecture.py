"""Capacitated arc routing instances as problems of the winter search: the Spanish .dat format, graphs to `Probleme`.

The format (`gdb`, `val`, `egl`, `bmcv`...): a header of ``KEYWORD : value`` lines, lists of edges ``( i, j ) coste C
demanda Q`` (required) and ``( i, j ) coste C`` (others), `DEPOSITO` the depot, `CAPACIDAD` the capacity. One unit of
cost is 1 m here and 1 euro in the objective, so the objective of a plan without untreated edges is its published cost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from routes.probleme import AUCUN, F32, F64, I32, B, Poids, Probleme, ProblemeInvalide

_ARETE = re.compile(
    r"\(\s*(\w+)\s*[,\s]\s*(\w+)\s*\)[\s,;]*coste[\s:=]*([\d.eE+-]+)(?:[\s,;]*demanda[\s:=]*([\d.eE+-]+))?",
    re.IGNORECASE,
)
_ENTETE = re.compile(r"^\s*([A-Za-z_]+)\s*:\s*(.*?)\s*$")


@dataclass(frozen=True, eq=False)
class GrapheCarp:
    """A street network with demands. m edges, N nodes.

    ends I32 (m, 2); cost F64 (m,); demand F64 (m,); must B (m,) required, None = those with a demand; one_way B (m,),
    True = only from ends[:, 0] to ends[:, 1]; labels: names of the nodes; depots I32 (D,): nodes; capacity of a truck;
    xy F64 (N, 2) or None: positions, for drawing only.
    """

    name: str
    labels: tuple[str, ...]
    ends: I32
    cost: F64
    demand: F64
    one_way: B
    depots: I32
    capacity: float
    xy: F64 | None = None
    must: B | None = None

    @property
    def required(self) -> I32:
        """Numbers of the required edges, in order: item k of the problem is edge ``required[k]``."""
        return np.flatnonzero(self.demand > 0 if self.must is None else self.must).astype(np.int32)


def read_dat(path: Path) -> Probleme:
    """The instance of a .dat file, its trucks at the depot.

    Raises `ProblemeInvalide` (French) where a keyword is missing or a number does not read."""
    graph = read_graph(path)
    return problem_of(graph, np.repeat(graph.depots[:1], fleet_bound(graph)))


def read_graph(path: Path) -> GrapheCarp:
    """The network of a .dat file. Lists of arcs (``LISTA_ARCOS_...``) are one-way, lists of edges two-way.

    Raises `ProblemeInvalide` (French) where a keyword is missing, a number does not read, or the edges are not as many
    as the header says."""
    # Comments of these files are not always UTF-8; nothing that is read from them is beyond ASCII.
    lignes = path.read_text(encoding="latin-1").splitlines()
    header: dict[str, str] = {}
    numbers: dict[str, int] = {}
    ends, cost, demand, one_way, must = [], [], [], [], []
    section = ""
    for rang, ligne in enumerate(lignes, start=1):
        aretes = list(_ARETE.finditer(ligne))
        if len(aretes) < ligne.count("(") and ligne.strip().startswith("("):
            raise ProblemeInvalide(f"{path.name}, ligne {rang} : arête illisible « {ligne.strip()} »")
        if not aretes:
            entete = _ENTETE.match(ligne)
            if entete is not None:
                section = entete[1].upper()
                header[section] = entete[2]
        for arete in aretes:
            i, j = (numbers.setdefault(label, len(numbers)) for label in arete.group(1, 2))
            ends.append((i, j))
            try:
                cost.append(float(arete[3]))
                demand.append(float(arete[4] or 0))
            except ValueError as erreur:
                raise ProblemeInvalide(f"{path.name}, ligne {rang} : nombre illisible") from erreur
            one_way.append("ARCOS" in section)
            must.append(demand[-1] > 0 or (arete[4] is not None and "NOREQ" not in section))
    depot = re.search(r"\w+", header.get("DEPOSITO", ""))
    capacity = re.search(r"[\d.]+", header.get("CAPACIDAD", ""))
    if depot is None or capacity is None:
        raise ProblemeInvalide(f"{path.name} : DEPOSITO ou CAPACIDAD absent")
    if not ends:
        raise ProblemeInvalide(f"{path.name} : aucune arête")
    for keyword, found in (("REQ", sum(must)), ("NOREQ", len(must) - sum(must))):
        said = [header.get(f"{kind}_{keyword}", "") for kind in ("ARISTAS", "ARCOS")]
        if any(said) and sum(int(n) for n in said if n.isdigit()) != found:
            raise ProblemeInvalide(f"{path.name} : {found} arêtes lues ({keyword}), l'en-tête en annonce {said}")
    start = numbers.setdefault(depot[0], len(numbers))
    return GrapheCarp(
        name=path.stem,
        labels=tuple(numbers),
        ends=np.array(ends, dtype=np.int32),
        cost=np.array(cost),
        demand=np.array(demand),
        one_way=np.array(one_way, dtype=np.bool_),
        must=np.array(must, dtype=np.bool_),
        depots=np.array([start], dtype=np.int32),
        capacity=float(capacity[0]),
    )


def fleet_bound(graph: GrapheCarp) -> int:
    """Trucks that a best plan never needs more of. Distances keep the triangle inequality, so two circuits that fit in
    one truck are never worse as one: any two circuits carry more than one capacity, hence fewer than 2 total/capacity
    + 1 of them."""
    pieces = int(np.maximum(1, np.ceil(graph.demand[graph.required] / graph.capacity - 1e-9)).sum())
    return max(1, min(pieces, 2 * int(np.ceil(graph.demand.sum() / graph.capacity - 1e-9)) + 1))


def shortest_lengths(graph: GrapheCarp) -> F32:
    """(N, N) length of the shortest ways, ``inf`` = none. Exact below 2**24 when costs are whole numbers."""
    n = len(graph.labels)
    two = ~graph.one_way
    tail = np.concatenate([graph.ends[:, 0], graph.ends[two, 1]])
    head = np.concatenate([graph.ends[:, 1], graph.ends[two, 0]])
    length = np.concatenate([graph.cost, graph.cost[two]])
    # Of parallel edges the shortest: a sparse matrix would add them up.
    order = np.lexsort((length, head, tail))
    tail, head, length = tail[order], head[order], length[order]
    first = np.ones(len(tail), dtype=np.bool_)
    first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    starts = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(tail[first], minlength=n), out=starts[1:])
    matrix: F32 = dijkstra(csr_array((length[first], head[first], starts), shape=(n, n))).astype(np.float32)
    return matrix


def problem_of(graph: GrapheCarp, homes: I32) -> Probleme:
    """The plain problem of a network: one truck a home (node), back home at the end, no clock, no reload.

    Places are the nodes; item k is the edge ``graph.required[k]``, mode 0 from its first end, mode 1 from the second.
    """
    items = graph.required
    n, k = len(items), len(homes)
    lengths = shortest_lengths(graph)
    start = graph.ends[items].copy()
    end = graph.ends[items][:, ::-1].copy()
    service = np.zeros((1, n, 2))
    single = graph.one_way[items]
    start[single, 1] = end[single, 1] = AUCUN
    service[0, single, 1] = np.inf
    nothing = np.zeros((0, 2), dtype=np.int32)
    return Probleme(
        distances_m=lengths[None],
        durations_s=np.where(np.isfinite(lengths), np.float32(0), np.float32(np.inf))[None],
        start=start,
        end=end,
        driven_m=graph.cost[items],
        length_m=graph.cost[items],
        service_s=service,
        demand=graph.demand[items][:, None],
        level=np.zeros(n, dtype=np.int32),
        earliest_s=np.zeros(n),
        deadline_s=np.full(n, np.inf),
        skip_price=np.full(n, np.inf),
        road=np.arange(n, dtype=np.int32),
        point_place=nothing,
        point_s=np.zeros(0),
        refill=np.zeros((0, 1)),
        opening_s=np.zeros((0, 2)),
        point_stock=np.zeros(0, dtype=np.int32),
        stock=np.zeros((0, 1)),
        type_profile=np.zeros(1, dtype=np.int32),
        capacity=np.array([[graph.capacity]]),
        cost_km=np.array([1_000.0]),
        cost_hour=np.zeros(1),
        truck_type=np.zeros(k, dtype=np.int32),
        home=np.repeat(np.asarray(homes, dtype=np.int32)[:, None], 2, axis=1),
        home_stock=np.full(k, AUCUN, dtype=np.int32),
        initial_load=np.full((k, 1), graph.capacity),
        shift_start_s=np.zeros(k),
        driving_limit_s=np.full(k, np.inf),
        span_s=np.full(k, np.inf),
        cost_fixed=np.zeros(k),
        fixed_truck=np.full(n, AUCUN, dtype=np.int32),
        forbidden=nothing,
        apart=nothing,
        weights=Poids(untreated=(1e5,), late=(0.0,), truck=0.0, cost=1.0),
        item_names=tuple(f"({graph.labels[i]}, {graph.labels[j]})" for i, j in graph.ends[items]),
    )
