"""The road network as winter service drives it: arcs, trucks' profiles, where and at what price one turns.

Pure module: numpy, networkx only to read its graphs. Units: metres, seconds, tonnes; headings in degrees clockwise
from north. An *arc* is a road driven in one direction; an *edge* is a piece of road, of one arc (one-way) or two (one
each way). N nodes, A arcs, E edges, F truck profiles.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .probleme import AUCUN, F32, F64, I32, B

#: Names of edge data read by `from_networkx`: m, km/h, t, m, m (OSMnx's and our own importer's).
ATTRIBUTS = {"length": "length", "vmax_kmh": "vmax_kmh", "mass_t": "tonnage_max_t", "height_m": "hauteur_max_m",
             "width_m": "largeur_max_m"}  # fmt: skip


class ReseauInvalide(ValueError):
    """The arrays or the graph do not form a road network; the message (French) says which and where."""


@dataclass(frozen=True)
class Virages:
    """Price in time of turning, s; ``inf`` = forbidden.

    left_s, right_s: at junctions (three pieces of road or more), when the heading changes by more than
    ``straight_deg``; nothing where headings are unknown. uturn_s: turning round (leaving by the piece of road one
    arrived by) at the nodes of ``ReseauHiver.turn_allowed``; dead_end_s: where there is no other way on for the truck;
    uturn_elsewhere_s: anywhere else.
    """

    left_s: float = 0.0
    right_s: float = 0.0
    uturn_s: float = 0.0
    dead_end_s: float = 0.0
    uturn_elsewhere_s: float = 0.0
    straight_deg: float = 45.0

    def __post_init__(self) -> None:
        prices = (self.left_s, self.right_s, self.uturn_s, self.dead_end_s, self.uturn_elsewhere_s)
        if not all(price >= 0 for price in prices) or not np.isfinite([self.left_s, self.right_s]).all():
            raise ReseauInvalide("virages : prix en secondes positifs attendus (infinis pour les demi-tours seulement)")

    @property
    def free(self) -> bool:
        """Whether turning never costs anything: headings need not be kept."""
        return not any((self.left_s, self.right_s, self.uturn_s, self.dead_end_s, self.uturn_elsewhere_s))

    @staticmethod
    def forbidden_but(uturn_s: float = 0.0) -> Virages:
        """U-turns only at the allowed nodes, dead ends not excepted."""
        return Virages(uturn_s=uturn_s, dead_end_s=np.inf, uturn_elsewhere_s=np.inf)


@dataclass(frozen=True)
class Gabarit:
    """What decides where and how fast a kind of truck drives empty; 0 = no such limit concerns it."""

    speed_kmh: float
    mass_t: float = 0.0
    height_m: float = 0.0
    width_m: float = 0.0

    def seconds(self, length_m: F64, limites: Limites) -> F32:
        """(A,) s to drive each arc, inf where the truck is too heavy, too high or too wide."""
        if not self.speed_kmh > 0:
            raise ReseauInvalide(f"vitesse à vide de {self.speed_kmh} km/h (nombre positif attendu)")
        too_large = (self.mass_t > limites.mass_t) | (self.height_m > limites.height_m)
        too_large |= self.width_m > limites.width_m
        seconds = 3.6 * length_m / np.minimum(self.speed_kmh, limites.vmax_kmh)
        return np.where(too_large, np.inf, seconds).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Limites:
    """What signs say along each arc, F64 (A,): speed km/h, mass t, height m, width m; inf = no sign."""

    vmax_kmh: F64
    mass_t: F64
    height_m: F64
    width_m: F64

    @staticmethod
    def none(arcs: int) -> Limites:
        """No sign anywhere."""
        return Limites(*(np.full(arcs, np.inf) for _ in range(4)))


@dataclass(frozen=True, eq=False)
class ReseauHiver:
    """Directed arcs of the road network.

    tail, head      I32 (A,)     nodes
    length_m        F64 (A,)
    seconds         F32 (F, A)   empty driving; inf = forbidden to the profile
    edge            I32 (A,)     piece of road; the two arcs of a number are its two directions (going from one to the
                                 other is a U-turn). `pair_arcs` makes it
    heading_out     F32 (A,)     heading when leaving the tail, NaN = unknown
    heading_in      F32 (A,)     heading when arriving at the head, NaN = unknown
    turn_allowed    B (N,)       turning round is allowed at ``virages.uturn_s``
    geometry        I32 (A,)     index in whatever geometries the caller keeps, AUCUN = none
    labels          names of the nodes in the graph it was built from; () = their numbers
    """

    nodes: int
    tail: I32
    head: I32
    length_m: F64
    seconds: F32
    edge: I32
    heading_out: F32
    heading_in: F32
    turn_allowed: B
    virages: Virages = Virages()
    geometry: I32 = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    labels: tuple[Hashable, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.geometry) and self.arcs:
            object.__setattr__(self, "geometry", np.full(self.arcs, AUCUN, dtype=np.int32))
        _validate(self)

    @property
    def arcs(self) -> int:
        return len(self.tail)

    @property
    def edges(self) -> int:
        return int(self.edge.max()) + 1 if self.arcs else 0

    def reverse(self) -> I32:
        """(A,) the arc of the same piece of road in the other direction, AUCUN for a one-way."""
        found = np.full(self.arcs, AUCUN, dtype=np.int32)
        order = np.argsort(self.edge, kind="stable").astype(np.int32)
        twins = np.flatnonzero(self.edge[order][1:] == self.edge[order][:-1])
        found[order[twins]], found[order[twins + 1]] = order[twins + 1], order[twins]
        return found

    def number(self, label: Hashable) -> int:
        """Node of that name. Raises `ReseauInvalide`."""
        try:
            return self.labels.index(label)
        except ValueError:
            raise ReseauInvalide(f"nœud {label!r} absent du réseau") from None


def make(
    nodes: int,
    tail: Sequence[int] | I32,
    head: Sequence[int] | I32,
    length_m: Sequence[float] | F64,
    seconds: Sequence[Sequence[float]] | F32,
    *,
    virages: Virages | None = None,
    turn_allowed: Collection[int] | B = (),
    edge: I32 | None = None,
    xy: F64 | None = None,
    headings: tuple[F32, F32] | None = None,
    geometry: I32 | None = None,
    labels: Sequence[Hashable] = (),
) -> ReseauHiver:
    """A network from plain sequences. ``turn_allowed``: nodes, or (N,) booleans; ``edge``: by `pair_arcs` when None;
    headings from ``xy`` (N, 2; metres) when they are not given. Raises `ReseauInvalide`."""
    t, h = np.asarray(tail, dtype=np.int32), np.asarray(head, dtype=np.int32)
    length = np.asarray(length_m, dtype=np.float64)
    if not np.isfinite(length).all():
        raise ReseauInvalide("length_m : longueurs finies attendues, en mètres")
    if headings is None:
        headings = straight_headings(t, h, xy)
    allowed = np.asarray(turn_allowed if isinstance(turn_allowed, np.ndarray) else sorted(turn_allowed))
    if allowed.dtype != np.bool_:
        numbers = allowed.astype(np.int64)
        if numbers.size and (numbers.min() < 0 or numbers.max() >= nodes):
            raise ReseauInvalide(f"turn_allowed : nœud hors de 0..{nodes - 1}")
        allowed = np.zeros(nodes, dtype=np.bool_)
        allowed[numbers] = True
    return ReseauHiver(
        nodes=nodes,
        tail=t,
        head=h,
        length_m=length,
        seconds=np.atleast_2d(np.asarray(seconds, dtype=np.float32)),
        edge=pair_arcs(t, h, length) if edge is None else np.asarray(edge, dtype=np.int32),
        heading_out=headings[0],
        heading_in=headings[1],
        turn_allowed=allowed,
        virages=virages or Virages(),
        geometry=np.zeros(0, dtype=np.int32) if geometry is None else geometry,
        labels=tuple(labels),
    )


def pair_arcs(tail: I32, head: I32, length_m: F64 | None = None) -> I32:
    """(A,) number of the piece of road of each arc: an arc and one of the same length (mm; of any length when None)
    the other way round are its two directions; of several parallel ones, the first with the first, and so on. Two arcs
    from a node to itself are the two directions of a loop. Numbers follow the first arc of each piece."""
    arcs = len(tail)
    if arcs == 0:
        return np.zeros(0, dtype=np.int32)
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    mm = np.zeros(arcs, dtype=np.int64) if length_m is None else np.round(length_m * 1e3).astype(np.int64)
    backward = tail > head
    order = np.lexsort((np.arange(arcs), backward, mm, high, low))
    keys = np.stack([low, high, mm, backward], axis=1)[order]
    first = np.concatenate(([True], np.any(keys[1:] != keys[:-1], axis=1)))
    begin = np.flatnonzero(first)[np.cumsum(first) - 1]
    rank = np.empty(arcs, dtype=np.int64)
    rank[order] = np.arange(arcs) - begin
    rank = np.where(tail == head, rank // 2, rank)
    _, seen, number = np.unique(np.stack([low, high, mm, rank], axis=1), axis=0, return_index=True, return_inverse=True)
    by_first = np.empty(len(seen), dtype=np.int32)
    by_first[np.argsort(seen, kind="stable")] = np.arange(len(seen), dtype=np.int32)
    return by_first[number.ravel()]


def straight_headings(tail: I32, head: I32, xy: F64 | None) -> tuple[F32, F32]:
    """Headings (out, in) of straight arcs between nodes at ``xy`` (N, 2; metres); NaN without positions, and for arcs
    of no length."""
    if xy is None:
        unknown = np.full(len(tail), np.nan, dtype=np.float32)
        return unknown, unknown.copy()
    step = xy[head] - xy[tail]
    angle = np.degrees(np.arctan2(step[:, 0], step[:, 1])) % 360.0
    known: F32 = np.where(np.any(step != 0, axis=1), angle, np.nan).astype(np.float32)
    return known, known.copy()


def from_csr(
    indptr: NDArray[Any], indices: NDArray[Any], length_m: NDArray[Any], profiles: Sequence[Gabarit],
    limites: Limites | None = None, **options: Any,
) -> ReseauHiver:  # fmt: skip
    """A network from the arrays of a CSR matrix of lengths (arcs in its order; parallel arcs and loops are allowed).
    ``options``: those of `make`. Raises `ReseauInvalide`."""
    nodes = len(indptr) - 1
    if nodes < 0 or indptr[0] != 0 or np.any(np.diff(indptr) < 0) or indptr[-1] != len(indices):
        raise ReseauInvalide("indptr : suite croissante de 0 au nombre d'arcs attendue")
    tail = np.repeat(np.arange(nodes, dtype=np.int32), np.diff(indptr))
    length = np.asarray(length_m, dtype=np.float64)
    signs = limites or Limites.none(len(tail))
    seconds = np.stack([gabarit.seconds(length, signs) for gabarit in profiles])
    return make(nodes, tail, np.asarray(indices, dtype=np.int32), length, seconds, **options)


def from_networkx(
    graph: Any, profiles: Sequence[Gabarit], *, turn_allowed: Collection[Hashable] = (),
    attributs: dict[str, str] | None = None, virages: Virages | None = None,
) -> ReseauHiver:  # fmt: skip
    """A network from any networkx graph, arcs in the order of ``graph.edges`` (each way of an undirected edge in turn).

    ``attributs``: names of the edge data where they are not those of `ATTRIBUTS`; the length is needed, absent signs
    are no limit. Headings from the edge's ``geometry`` (a LineString) or the nodes' ``x`` and ``y``, metres in both.
    Raises `ReseauInvalide`.
    """
    names = ATTRIBUTS | (attributs or {})
    labels = list(graph.nodes)
    number = {label: k for k, label in enumerate(labels)}
    rows: list[tuple[int, int, dict[str, Any]]] = []
    for u, v, data in graph.edges(data=True):
        rows.append((number[u], number[v], data))
        if not graph.is_directed():
            rows.append((number[v], number[u], {k: w for k, w in data.items() if k != "geometry"}))
    tail = np.array([row[0] for row in rows], dtype=np.int32)
    head = np.array([row[1] for row in rows], dtype=np.int32)

    def column(key: str, absent: float) -> F64:
        return np.array([_number(row[2].get(names[key]), absent) for row in rows], dtype=np.float64)

    length = column("length", np.nan)
    if np.isnan(length).any():
        u, v, _ = rows[int(np.argmax(np.isnan(length)))]
        raise ReseauInvalide(f"arc {labels[u]!r} -> {labels[v]!r} : longueur absente (« {names['length']} »)")
    signs = Limites(*(column(key, np.inf) for key in ("vmax_kmh", "mass_t", "height_m", "width_m")))
    xy = None
    if labels and all({"x", "y"} <= set(graph.nodes[label]) for label in labels):
        xy = np.array([[graph.nodes[label]["x"], graph.nodes[label]["y"]] for label in labels], dtype=np.float64)
    out, into = straight_headings(tail, head, xy)
    for k, (_, _, data) in enumerate(rows):
        if data.get("geometry") is not None:
            points: F64 = np.asarray(data["geometry"].coords, dtype=np.float64)[:, :2]
            out[k], into[k] = _heading(points[0], points[1]), _heading(points[-2], points[-1])
    unknown = [label for label in turn_allowed if label not in number]
    if unknown:
        raise ReseauInvalide(f"turn_allowed : nœud {unknown[0]!r} absent du graphe")
    return make(
        len(labels), tail, head, length, np.stack([gabarit.seconds(length, signs) for gabarit in profiles]),
        virages=virages, turn_allowed=[number[label] for label in turn_allowed], headings=(out, into), labels=labels,
    )  # fmt: skip


def _heading(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(np.degrees(np.arctan2(b[0] - a[0], b[1] - a[1])) % 360.0) if np.any(a != b) else float("nan")


def _number(value: Any, absent: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return absent
    return absent if np.isnan(number) else number


def _validate(r: ReseauHiver) -> None:
    profiles = r.seconds.shape[0] if r.seconds.ndim == 2 else 0
    shapes: dict[str, tuple[int, ...]] = {
        "tail": (r.arcs,), "head": (r.arcs,), "length_m": (r.arcs,), "seconds": (profiles, r.arcs), "edge": (r.arcs,),
        "heading_out": (r.arcs,), "heading_in": (r.arcs,), "turn_allowed": (r.nodes,), "geometry": (r.arcs,),
    }  # fmt: skip
    for nom, shape in shapes.items():
        if getattr(r, nom).shape != shape:
            raise ReseauInvalide(f"{nom} : forme {getattr(r, nom).shape}, {shape} attendue")
    if profiles < 1:
        raise ReseauInvalide("seconds : au moins un profil de camion attendu")
    for nom in ("tail", "head"):
        values = getattr(r, nom)
        if values.size and (values.min() < 0 or values.max() >= r.nodes):
            raise ReseauInvalide(f"{nom} : nœud hors de 0..{r.nodes - 1}")
    if not np.isfinite(r.length_m).all() or (r.length_m < 0).any():
        raise ReseauInvalide("length_m : longueurs positives attendues, en mètres")
    if np.isnan(r.seconds).any() or (r.seconds < 0).any():
        raise ReseauInvalide("seconds : durées positives attendues (infini pour une route interdite)")
    if r.arcs and r.edge.min() < 0:
        raise ReseauInvalide("edge : numéros positifs attendus")
    order = np.argsort(r.edge, kind="stable")
    same = r.edge[order][1:] == r.edge[order][:-1]
    a, b = order[:-1][same], order[1:][same]
    wrong = (r.tail[a] != r.head[b]) | (r.head[a] != r.tail[b])
    if wrong.any() or np.any(same[1:] & same[:-1]):
        raise ReseauInvalide("edge : deux arcs opposés au plus par morceau de route")
    if r.labels and len(r.labels) != r.nodes:
        raise ReseauInvalide(f"labels : {len(r.labels)} noms pour {r.nodes} nœuds")
