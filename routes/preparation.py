"""From a road network, its roads to treat, depots and trucks to the problem the winter search takes.

Pure module. Chains are contracted, items made of the roads, places of their ends, matrices computed; all that is needed
to say on which roads a plan drives is kept beside the problem (`Preparation`, read by `trajet`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from .contraction import Contraction, contract_reseau
from .itineraires import Critere, Lieux, Registre, matrices
from .probleme import AUCUN, F64, I32, Poids, Probleme
from .reseau import ReseauHiver

#: g in a tonne.
_G_PAR_T = 1e6
HEURE_S = 3600.0


class PreparationImpossible(ValueError):
    """Roads, depots and trucks do not form a problem; the message (French) says which and why."""


class Passes(IntEnum):
    """How a piece of road is treated."""

    NON_TRAITE = 0
    #: At once, in either direction (a one-way in its own).
    UNE = 1
    #: Each direction in a pass of its own.
    UNE_PAR_SENS = 2


@dataclass(frozen=True, eq=False)
class Troncons:
    """What is to be treated on each of the E pieces of road (``ReseauHiver.edge``); Q products.

    passes      I32 (E,)     a `Passes`
    width_m     F64 (E,)     width treated by one pass
    dose_g_m2   F64 (E, Q)   g of each product on a m²
    level       I32 (E,)     rank in the levels
    skip_price  F64 (E,)     euro for leaving it out, all its passes; inf = to be treated. None = all to be treated
    fixed_truck I32 (E,)     the only truck that may treat it, AUCUN = any. None = any
    owner       I32 (E,)     who manages it: pieces of two owners are never one item. None = one for all
    names       one a piece; () = none
    """

    passes: I32
    width_m: F64
    dose_g_m2: F64
    level: I32
    skip_price: F64 | None = None
    fixed_truck: I32 | None = None
    owner: I32 | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Niveau:
    """A level of service: first hour of treatment and hour by which it should be done, s of the common day."""

    deadline_s: float = np.inf
    earliest_s: float = 0.0


@dataclass(frozen=True)
class Depot:
    """A yard at a node. ``stock_t``: t of each product, () = without limit. ``reload_s``: s of a reload, None = trucks
    do not reload here; ``refill_t``: most t of each product a visit gives, () = a full truck. ``opening_s``: a reload
    begins in between. ``turning``: trucks may turn round in the yard (else they go on by the turn rule of the road)."""

    node: int
    stock_t: tuple[float, ...] = ()
    reload_s: float | None = None
    refill_t: tuple[float, ...] = ()
    opening_s: tuple[float, float] = (0.0, np.inf)
    turning: bool = True


@dataclass(frozen=True)
class TypeCamion:
    """A kind of truck. ``profile``: row of ``ReseauHiver.seconds`` (where and how fast it drives empty);
    ``capacity_t``: of each product; speed when treating, never above what the road allows; euro a km, euro an hour."""

    profile: int
    capacity_t: tuple[float, ...]
    treating_kmh: float
    cost_km: float
    cost_hour: float


@dataclass(frozen=True)
class Camion:
    """A truck: rank of its type and of its depot. Loaded before duty with ``initial_t`` of each product (None = full),
    out of the depot's stock. ``returns``: duty ends at its depot; else at any reload point."""

    type: int
    depot: int
    shift_start_s: float = 0.0
    driving_limit_s: float = 10 * HEURE_S
    span_s: float = 12 * HEURE_S
    cost_fixed: float = 0.0
    initial_t: tuple[float, ...] | None = None
    returns: bool = True
    name: str = ""


@dataclass(frozen=True)
class Verrous:
    """Locks by piece of road: (edge, truck) never served by that truck; (edge, edge) never by the same one."""

    forbidden: tuple[tuple[int, int], ...] = ()
    apart: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, eq=False)
class Preparation:
    """The problem, and where it lies on the network.

    ``reseau``: contracted; ``contraction``: back to the arcs of ``original``; ``item_arc`` I32 (n, 2): contracted arc
    of each item and mode, AUCUN = none; ``point_depot`` I32 (R,): depot of each reload point.
    """

    probleme: Probleme
    original: ReseauHiver
    reseau: ReseauHiver
    contraction: Contraction
    lieux: Lieux
    critere: Critere
    item_arc: I32
    point_depot: I32

    def items_of(self, edge: int) -> I32:
        """Items that treat an original piece of road."""
        arcs = self.contraction.arcs
        chain_of = (
            np.searchsorted(self.contraction.first, np.flatnonzero(self.original.edge[arcs] == edge), "right") - 1
        )
        return np.flatnonzero(np.isin(self.item_arc, chain_of).any(axis=1)).astype(np.int32)


def build(
    reseau: ReseauHiver, troncons: Troncons, niveaux: Sequence[Niveau], depots: Sequence[Depot],
    types: Sequence[TypeCamion], camions: Sequence[Camion], weights: Poids | None = None,
    **options: object,
) -> Probleme:  # fmt: skip
    """The problem alone: `prepare`, same arguments."""
    return prepare(reseau, troncons, niveaux, depots, types, camions, weights, **options).probleme  # type: ignore[arg-type]


def prepare(
    reseau: ReseauHiver,
    troncons: Troncons,
    niveaux: Sequence[Niveau],
    depots: Sequence[Depot],
    types: Sequence[TypeCamion],
    camions: Sequence[Camion],
    weights: Poids | None = None,
    *,
    verrous: Verrous | None = None,
    critere: Critere | None = None,
    longest_m: float = np.inf,
    cancelled: Callable[[], bool] | None = None,
) -> Preparation:
    """The problem and its place on the network.

    Service of an item: its length at the treating speed, or the empty duration where that is longer. Demand = length x
    width x dose. A road treated in one pass in each direction makes two items, each counting half of its length and of
    its price of leaving out. Chains are cut where no truck could hold what they need, or above ``longest_m``.
    ``critere``: what the way driven between two items makes least. Raises `PreparationImpossible`, `ReseauInvalide`.
    """
    locks = verrous or Verrous()
    _validate(reseau, troncons, niveaux, depots, types, camions, locks)
    chosen = critere or Critere()
    edge = reseau.edge
    keep = np.zeros(reseau.nodes, dtype=np.bool_)
    keep[[depot.node for depot in depots]] = True
    need = _need(troncons, reseau.length_m, edge)
    share = reseau.length_m / longest_m
    capacity = np.array([t.capacity_t for t in types], dtype=np.float64).max(axis=0)
    # A product that no truck carries cuts nothing: who needs it is named by the search.
    share = np.maximum(share, (need[:, capacity > 0] / capacity[capacity > 0]).max(axis=1, initial=0.0))
    key = _keys(troncons, locks)[edge]
    small, contraction = contract_reseau(reseau, key=key, keep=keep, length=share, longest=1.0 + 1e-9)
    item_arc, half = _items(troncons.passes[contraction.one(edge)], small)
    registre = Registre(small)
    place = np.full((len(item_arc), 2, 2), AUCUN, dtype=np.int32)
    for item, mode in np.argwhere(item_arc >= 0).tolist():
        place[item, mode] = registre.service(int(item_arc[item, mode]))
    node_of = {int(node): k for k, node in enumerate(contraction.node)}
    yards = [registre.node(node_of[depot.node]) for depot in depots]
    point_depot, point_place = _points(registre, depots, node_of)
    lieux = registre.lieux()
    distances, durations = matrices(small, lieux, critere=chosen, cancelled=cancelled)
    main = item_arc[:, 0]
    first_edge = contraction.one(edge)[main]
    n, products = len(item_arc), troncons.dose_g_m2.shape[1]
    reload = [depots[d] for d in point_depot]
    hold = np.array([types[c.type].capacity_t for c in camions], dtype=np.float64).reshape(-1, products)
    loads = [np.inf if c.initial_t is None else np.asarray(c.initial_t) for c in camions]
    skip = np.full(n, np.inf)
    if troncons.skip_price is not None:
        skip = contraction.total(troncons.skip_price[edge])[main] * np.where(half, 0.5, 1.0)
    fixed = np.full(n, AUCUN, dtype=np.int32)
    if troncons.fixed_truck is not None:
        fixed = troncons.fixed_truck[first_edge].astype(np.int32)
    forbidden, apart = _locks(locks, contraction, edge, item_arc)
    problem = Probleme(
        distances_m=distances,
        durations_s=durations,
        start=place[:, :, 0].copy(),
        end=place[:, :, 1].copy(),
        driven_m=small.length_m[main],
        length_m=small.length_m[main] * np.where(half, 0.5, 1.0),
        service_s=_service(small, types, item_arc),
        demand=contraction.total(need.T).T[main],
        level=troncons.level[first_edge].astype(np.int32),
        earliest_s=np.array([niveau.earliest_s for niveau in niveaux])[troncons.level[first_edge]],
        deadline_s=np.array([niveau.deadline_s for niveau in niveaux])[troncons.level[first_edge]],
        skip_price=skip,
        road=small.edge[main],
        point_place=point_place,
        point_s=np.array([depot.reload_s or 0.0 for depot in reload], dtype=np.float64),
        refill=_amounts([depot.refill_t for depot in reload], products),
        opening_s=np.array([depot.opening_s for depot in reload], dtype=np.float64).reshape(-1, 2),
        point_stock=point_depot,
        stock=_amounts([depot.stock_t for depot in depots], products),
        type_profile=np.array([t.profile for t in types], dtype=np.int32),
        capacity=np.array([t.capacity_t for t in types], dtype=np.float64).reshape(-1, products),
        cost_km=np.array([t.cost_km for t in types], dtype=np.float64),
        cost_hour=np.array([t.cost_hour for t in types], dtype=np.float64),
        truck_type=np.array([c.type for c in camions], dtype=np.int32),
        home=np.array([(yards[c.depot], yards[c.depot] if c.returns else AUCUN) for c in camions], dtype=np.int32),
        home_stock=np.array([c.depot for c in camions], dtype=np.int32),
        initial_load=np.minimum(hold, np.array([np.broadcast_to(load, products) for load in loads])),
        shift_start_s=np.array([c.shift_start_s for c in camions], dtype=np.float64),
        driving_limit_s=np.array([c.driving_limit_s for c in camions], dtype=np.float64),
        span_s=np.array([c.span_s for c in camions], dtype=np.float64),
        cost_fixed=np.array([c.cost_fixed for c in camions], dtype=np.float64),
        fixed_truck=fixed,
        forbidden=forbidden,
        apart=apart,
        weights=weights or Poids.ordered(len(niveaux)),
        item_names=tuple(troncons.names[e] for e in first_edge) if troncons.names else (),
        truck_names=tuple(c.name for c in camions) if any(c.name for c in camions) else (),
    )
    return Preparation(problem, reseau, small, contraction, lieux, chosen, item_arc, point_depot)


def _need(troncons: Troncons, length_m: F64, edge: I32) -> F64:
    """(A, Q) t of each product to treat each arc once."""
    treated = (troncons.passes != Passes.NON_TRAITE)[edge]
    metres = np.where(treated, length_m * troncons.width_m[edge], 0.0)
    need: F64 = metres[:, None] * troncons.dose_g_m2[edge] / _G_PAR_T
    return need


def _keys(troncons: Troncons, locks: Verrous) -> NDArray[np.int64]:
    """(E,) pieces of the same number may be one item; what is not treated is all one."""
    edges = len(troncons.passes)
    named = {e for e, _ in locks.forbidden} | {e for pair in locks.apart for e in pair}
    own = np.zeros(edges)
    own[sorted(named)] = np.arange(1, len(named) + 1)
    columns = [troncons.passes, troncons.width_m, troncons.level, own, *troncons.dose_g_m2.T]
    if troncons.skip_price is not None:
        columns.append(np.isfinite(troncons.skip_price))
    columns += [column for column in (troncons.fixed_truck, troncons.owner) if column is not None]
    table = np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)
    table[troncons.passes == Passes.NON_TRAITE] = 0.0
    return np.unique(table, axis=0, return_inverse=True)[1].ravel().astype(np.int64)


def _items(passes: I32, reseau: ReseauHiver) -> tuple[I32, NDArray[np.bool_]]:
    """(n, 2) arcs of each item by mode, from the passes of each arc; (n,) whether it is one of two passes."""
    reverse = reseau.reverse()
    rows: list[tuple[int, int]] = []
    half: list[bool] = []
    for arc in np.flatnonzero(passes != Passes.NON_TRAITE).tolist():
        back = int(reverse[arc])
        both = back != AUCUN and passes[arc] == Passes.UNE_PAR_SENS
        if both or back == AUCUN:
            rows.append((arc, AUCUN))
            half.append(both)
        elif arc < back:
            rows.append((arc, back))
            half.append(False)
    return np.array(rows, dtype=np.int32).reshape(-1, 2), np.array(half, dtype=np.bool_)


def _points(registre: Registre, depots: Sequence[Depot], node_of: dict[int, int]) -> tuple[I32, I32]:
    """(R,) depot and (R, 2) places of the reload points: one a yard, or one a way of arriving at it."""
    rows: list[tuple[int, int]] = []
    for number, depot in enumerate(depots):
        node = node_of[depot.node]
        if depot.reload_s is None:
            continue
        if depot.turning or not registre.headings:
            rows.append((number, registre.node(node)))
        else:
            entering = np.flatnonzero(registre.reseau.head == node).tolist()
            rows += [(number, registre.heading(arc)) for arc in entering]
    table = np.array(rows, dtype=np.int32).reshape(-1, 2)
    return table[:, 0].copy(), np.repeat(table[:, 1:], 2, axis=1)


def _service(reseau: ReseauHiver, types: Sequence[TypeCamion], item_arc: I32) -> F64:
    """(T, n, 2) s of service; inf where the type may not drive or the mode does not exist."""
    service = np.full((len(types), *item_arc.shape), np.inf)
    exists = item_arc >= 0
    for rank, t in enumerate(types):
        empty = reseau.seconds[t.profile].astype(np.float64)
        seconds = np.maximum(3.6 * reseau.length_m / t.treating_kmh, empty)
        service[rank][exists] = seconds[item_arc[exists]]
    return service


def _amounts(rows: Sequence[tuple[float, ...]], products: int) -> F64:
    """(rows, Q) amounts, () = without limit."""
    return np.array([row or (np.inf,) * products for row in rows], dtype=np.float64).reshape(-1, products)


def _locks(locks: Verrous, contraction: Contraction, edge: I32, item_arc: I32) -> tuple[I32, I32]:
    items: dict[int, list[int]] = {}
    for item, arc in enumerate(item_arc[:, 0].tolist()):
        for original in np.unique(edge[contraction.chain(arc)]).tolist():
            items.setdefault(original, []).append(item)
    forbidden = [(item, truck) for e, truck in locks.forbidden for item in items.get(e, [])]
    apart = [(a, b) for e, f in locks.apart for a in items.get(e, []) for b in items.get(f, []) if a != b]
    return np.array(forbidden, dtype=np.int32).reshape(-1, 2), np.array(apart, dtype=np.int32).reshape(-1, 2)


def _validate(
    reseau: ReseauHiver, troncons: Troncons, niveaux: Sequence[Niveau], depots: Sequence[Depot],
    types: Sequence[TypeCamion], camions: Sequence[Camion], locks: Verrous,
) -> None:  # fmt: skip
    def refuse(phrase: str) -> None:
        raise PreparationImpossible(phrase)

    edges = reseau.edges
    if troncons.dose_g_m2.ndim != 2 or troncons.dose_g_m2.shape[1] < 1:
        refuse("dosages : au moins un produit attendu")
    products = troncons.dose_g_m2.shape[1]
    for nom in ("passes", "width_m", "dose_g_m2", "level", "skip_price", "fixed_truck", "owner"):
        values = getattr(troncons, nom)
        if values is not None and len(values) != edges:
            refuse(f"tronçons, {nom} : {len(values)} valeurs pour {edges} morceaux de route")
    if troncons.names and len(troncons.names) != edges:
        refuse(f"tronçons : {len(troncons.names)} noms pour {edges} morceaux de route")
    if not np.isin(troncons.passes, list(Passes)).all():
        refuse("tronçons : nombre de passages inconnu")
    treated = troncons.passes != Passes.NON_TRAITE
    for nom in ("width_m", "dose_g_m2"):
        values = getattr(troncons, nom)[treated]
        if not np.isfinite(values).all() or (values < 0).any():
            refuse(f"tronçons, {nom} : nombres positifs attendus")
    ranks = troncons.level[treated]
    if ranks.size and (ranks.min() < 0 or ranks.max() >= len(niveaux)):
        refuse(f"tronçons : niveau hors de 0..{len(niveaux) - 1}")
    if not depots or not types or not camions:
        refuse("il faut au moins un dépôt, un type de camion et un camion")
    for rank, depot in enumerate(depots):
        if not 0 <= depot.node < reseau.nodes:
            refuse(f"dépôt {rank} : nœud {depot.node} absent du réseau")
        if any(len(row) not in (0, products) for row in (depot.stock_t, depot.refill_t)):
            refuse(f"dépôt {rank} : une quantité par produit attendue ({products})")
    for rank, t in enumerate(types):
        if not 0 <= t.profile < len(reseau.seconds):
            refuse(f"type de camion {rank} : profil {t.profile} inconnu")
        if len(t.capacity_t) != products:
            refuse(f"type de camion {rank} : une capacité par produit attendue ({products})")
        if not t.treating_kmh > 0:
            refuse(f"type de camion {rank} : vitesse de traitement de {t.treating_kmh} km/h")
    for rank, camion in enumerate(camions):
        if not 0 <= camion.type < len(types) or not 0 <= camion.depot < len(depots):
            refuse(f"camion {camion.name or rank} : type ou dépôt inconnu")
        if camion.initial_t is not None and len(camion.initial_t) != products:
            refuse(f"camion {camion.name or rank} : une charge par produit attendue ({products})")
    named = [e for e, _ in locks.forbidden] + [e for pair in locks.apart for e in pair]
    if any(not 0 <= e < edges for e in named):
        refuse("verrous : morceau de route absent du réseau")
    if any(not 0 <= truck < len(camions) for _, truck in locks.forbidden):
        refuse("verrous : camion inconnu")
