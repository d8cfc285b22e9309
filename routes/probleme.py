"""All that the winter search may see of one block: roads to treat, places, matrices, trucks, reload points, locks.

Pure module: numpy only. Units: metres, seconds (of one common day, 0 = the reference hour), tonnes, euro.

A *place* is a line of the matrices: a node of the road graph or, where turns have a price, one way of arriving at or
leaving a node (an arc with its heading). An *item* is one service: a road treated in one pass, in one of its *modes*:
two modes for a road treated at once in either direction, one for a one-way or for one of the two passes of a road
that needs each direction treated. `preparation` makes places, matrices and items from a road graph.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from territoires.empreinte import input_hash

from .validation import AUCUN as AUCUN
from .validation import ProblemeInvalide as ProblemeInvalide
from .validation import validate

B = NDArray[np.bool_]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]

#: Length under which a road that is left untreated still counts, m: no road is free to leave out.
LONGUEUR_COMPTEE_MIN_M = 1.0


@dataclass(frozen=True)
class Poids:
    """Weights that make one number of the objective; see `Probleme` for what each one multiplies.

    untreated   euro per m left untreated, by level (L,)
    late        euro per s of lateness, by level (L,)
    truck       euro per truck used, above its own costs
    cost        multiplies the euro of the plan
    balance     euro per h² : sum over the trucks used of the square of their hours on duty; convex, so two tours of
                3 h cost less than 2 h + 4 h. 0 = no wish of balance
    """

    untreated: tuple[float, ...] = (1e5,)
    late: tuple[float, ...] = (1.0,)
    truck: float = 1_000.0
    cost: float = 1.0
    balance: float = 0.0

    @staticmethod
    def ordered(levels: int) -> Poids:
        """Default weights for so many levels: untreated before late before trucks before cost, each level weighing
        ten times the next. A weighted sum, so the order is not absolute: 1 m of the last level is worth 100,000 €, 1 s
        late on it 1 €, a truck 1,000 €."""
        rangs = [10.0 ** (levels - 1 - rang) for rang in range(levels)]
        return Poids(untreated=tuple(1e5 * r for r in rangs), late=tuple(rangs))


@dataclass(frozen=True, eq=False)
class Probleme:
    """One block to plan. n items, P places, F truck profiles, T truck types, K trucks, R reload points, S stocks,
    L levels, Q products.

    Matrices (``inf`` = no way for that profile; the diagonal is 0 unless a turn is needed)
        distances_m       F32 (F, P, P)   m driven from place to place
        durations_s       F32 (F, P, P)   s, empty driving, turns included
    Items
        start, end        I32 (n, 2)      place where the mode's service begins / ends; both AUCUN = no second mode
        driven_m          F64 (n,)        m driven while serving
        length_m          F64 (n,)        m left untreated if nobody serves the item (at least 1 counts)
        service_s         F64 (T, n, 2)   s of service by truck type and mode; inf = this type may not (width...)
        demand            F64 (n, Q)      t of each product
        level             I32 (n,)        0 = first
        earliest_s        F64 (n,)        no service may begin before (the truck waits)
        deadline_s        F64 (n,)        end of service wished by then; what is after is lateness, inf = none
        skip_price        F64 (n,)        euro for leaving it out; inf = to be treated, at ``weights.untreated`` a metre
        road              I32 (n,)        number of the road the item comes from: passes and pieces of a road share it
    Reload points (several may share a stock and a yard: one a product, or one a way of entering)
        point_place       I32 (R, 2)      place of arrival, place of departure
        point_s           F64 (R,)        s of one reload
        refill            F64 (R, Q)      most t of each product a visit gives (inf = a full truck, 0 = none)
        opening_s         F64 (R, 2)      a reload may begin from the first to the second (waits before, never after)
        point_stock       I32 (R,)        number of its stock
        stock             F64 (S, Q)      t in the stock, for the whole plan; inf = no limit
    Truck types
        type_profile      I32 (T,)        line of the matrices
        capacity          F64 (T, Q)      t of each product, in separate compartments
        cost_km           F64 (T,)        euro per km driven
        cost_hour         F64 (T,)        euro per h on duty, waiting and reloads included
    Trucks
        truck_type        I32 (K,)
        home              I32 (K, 2)      place of departure, place of arrival at the end of duty; arrival AUCUN = duty
                                          ends at any reload point (what is driven after it counts nowhere)
        home_stock        I32 (K,)        stock that the first load is drawn from; AUCUN = loaded before
        initial_load      F64 (K, Q)      most t of the first load (at most the capacity)
        shift_start_s     F64 (K,)        on duty, and leaves home, from then if it serves anything
        driving_limit_s   F64 (K,)        most s of driving and service (not reloads, not waiting)
        span_s            F64 (K,)        most s from the start to the end of duty
        cost_fixed        F64 (K,)        euro if used
    Locks
        fixed_truck       I32 (n,)        the only truck that may serve the item, AUCUN = any
        forbidden         I32 (?, 2)      item, truck: that truck never serves it
        apart             I32 (?, 2)      item, item: never by the same truck
        circuits          circuits kept as they are, whole: their trucks do nothing else, their items nobody else does;
                          one that serves nothing keeps its truck at home
    weights               Poids

    What a plan costs. Trucks follow their visits in order, by the matrices, never waiting but for an earliest start
    or an opening. Clock: shift start, + travel, (wait), + service or reload, ..., + travel to the end of duty.
    ``hours`` = end - start of duty. euro of a truck used = cost_fixed + cost_km * km + cost_hour * hours.
    objective = sum untreated[level] * max(length_m, 1) over items to be treated that nobody serves + sum skip_price
    over optional items that nobody serves + sum late[level] * max(0, end of service - deadline_s) + truck * trucks
    used + cost * (euro of all trucks) + balance * sum hours².
    Hard: each item at most once; loads; stocks; openings; driving limit; span; profiles (finite matrix entries and
    service times); locks.

    Loads. A segment is what a truck serves between two visits of reload points (or the ends of duty). Need of a
    segment, a product: its demand + what the next visit cannot give of the next need,
    ``N_s = dem_s + max(0, N_{s+1} - g_{s+1})``, g = refill of that visit. Allowed when N_0 <=
    initial_load and every N_s <= capacity. What is taken at a visit is just what is needed: ``max(0, N_s - hand)``,
    hand = what is left in the truck; the first load is N_0. Taken amounts add up on the stocks (the first load on
    ``home_stock``).
    """

    distances_m: F32
    durations_s: F32
    start: I32
    end: I32
    driven_m: F64
    length_m: F64
    service_s: F64
    demand: F64
    level: I32
    earliest_s: F64
    deadline_s: F64
    skip_price: F64
    road: I32
    point_place: I32
    point_s: F64
    refill: F64
    opening_s: F64
    point_stock: I32
    stock: F64
    type_profile: I32
    capacity: F64
    cost_km: F64
    cost_hour: F64
    truck_type: I32
    home: I32
    home_stock: I32
    initial_load: F64
    shift_start_s: F64
    driving_limit_s: F64
    span_s: F64
    cost_fixed: F64
    fixed_truck: I32
    forbidden: I32
    apart: I32
    weights: Poids
    circuits: tuple[Circuit, ...] = ()
    #: Names for messages; "" = the number.
    item_names: tuple[str, ...] = ()
    truck_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        validate(self)

    @property
    def n_items(self) -> int:
        return len(self.level)

    @property
    def n_trucks(self) -> int:
        return len(self.truck_type)

    @property
    def n_points(self) -> int:
        return len(self.point_s)

    @property
    def n_levels(self) -> int:
        return len(self.weights.untreated)

    def item_name(self, item: int) -> str:
        """What messages call an item."""
        nom = self.item_names[item] if self.item_names else ""
        return nom or f"tronçon {item}"

    def truck_name(self, truck: int) -> str:
        """What messages call a truck."""
        nom = self.truck_names[truck] if self.truck_names else ""
        return nom or f"camion {truck}"

    def skip_cost(self) -> F64:
        """(n,) objective of leaving each item out."""
        untreated = np.asarray(self.weights.untreated)[self.level] * np.maximum(self.length_m, LONGUEUR_COMPTEE_MIN_M)
        return np.where(np.isfinite(self.skip_price), self.skip_price, untreated)

    def input_hash(self) -> str:
        """sha256 of all inputs, in hexadecimal."""
        return input_hash(self)


@dataclass(frozen=True, eq=False)
class Circuit:
    """What one truck does: ``visits`` (I32) in order, ``2 * item + mode`` for a service, ``-1 - point`` for a reload.

    ``end_point``: the reload point where duty ends, for a truck without place of arrival; AUCUN otherwise.
    """

    truck: int
    visits: I32
    end_point: int = AUCUN

    @property
    def items(self) -> I32:
        """Items served, in order."""
        return self.visits[self.visits >= 0] // 2


def matrices(profiles: int, places: int, fill: Callable[[int], tuple[F32, F32]]) -> tuple[F32, F32]:
    """(F, P, P) distances and durations from a function that gives both (P, P) matrices of one profile."""
    distances = np.empty((profiles, places, places), dtype=np.float32)
    durations = np.empty((profiles, places, places), dtype=np.float32)
    for profile in range(profiles):
        distances[profile], durations[profile] = fill(profile)
    return distances, durations


def split_oversized(problem: Probleme) -> tuple[Probleme, I32]:
    """Cut every item that no truck which may serve it can hold into equal pieces that one can.

    A piece has its share of the demand, of the untreated length and of the price of leaving out; its truck drives the
    whole road, treating its share: service time = share of the service + the rest of the road at the empty pace
    (the shortest way between its ends by the matrices, never more than the service itself). Gives the problem and, for
    each of its items, the item it comes from (I32). The same problem when nothing
    is oversized. Items of kept circuits are never cut.
    """
    parts = _parts(problem)
    if np.all(parts == 1):
        return problem, np.arange(problem.n_items, dtype=np.int32)
    origin = np.repeat(np.arange(problem.n_items, dtype=np.int32), parts)
    share = 1.0 / parts[origin]
    first = np.concatenate(([0], np.cumsum(parts)[:-1])).astype(np.int32)
    service = problem.service_s[:, origin, :].copy()
    for t, profile in enumerate(problem.type_profile):
        for mode in range(2):
            a, b = problem.start[origin, mode], problem.end[origin, mode]
            empty = np.where(a >= 0, problem.durations_s[profile][a, b].astype(np.float64), np.inf)
            whole = service[t, :, mode]
            empty = np.where(np.isfinite(empty), np.minimum(empty, whole), whole)
            cut = share < 1
            service[t, cut, mode] = share[cut] * whole[cut] + (1 - share[cut]) * empty[cut]

    def pairs(couples: I32, columns: int) -> I32:
        lignes = []
        for couple in couples:
            choix = [
                range(first[v], first[v] + parts[v]) if column < columns else [v] for column, v in enumerate(couple)
            ]
            lignes += [(a, b) for a in choix[0] for b in choix[1]]
        return np.array(lignes, dtype=np.int32).reshape(-1, 2)

    names = tuple(
        f"{problem.item_name(int(o))} (part {k - first[o] + 1}/{parts[o]})"
        if parts[o] > 1
        else problem.item_name(int(o))
        for k, o in enumerate(origin)
    )
    circuits = tuple(
        replace(
            c,
            visits=np.where(c.visits >= 0, 2 * first[np.maximum(c.visits, 0) // 2] + c.visits % 2, c.visits).astype(
                np.int32
            ),
        )
        for c in problem.circuits
    )
    by_item = ("start", "end", "driven_m", "level", "earliest_s", "deadline_s", "road", "fixed_truck")
    return (
        replace(
            problem,
            **{nom: getattr(problem, nom)[origin] for nom in by_item},
            length_m=problem.length_m[origin] * share,
            skip_price=problem.skip_price[origin] * share,
            demand=problem.demand[origin] * share[:, None],
            service_s=service,
            forbidden=pairs(problem.forbidden, 1),
            apart=pairs(problem.apart, 2),
            circuits=circuits,
            item_names=names,
        ),
        origin,
    )


def _parts(problem: Probleme) -> I32:
    """(n,) fewest equal pieces of each item that some truck allowed to serve it can hold; 1 where none could ever."""
    hold = problem.capacity[problem.truck_type]  # (K, Q)
    best = np.full(problem.n_items, np.inf)
    for truck, t in enumerate(problem.truck_type):
        may = np.isfinite(problem.service_s[t]).any(axis=1)
        may &= (problem.fixed_truck == AUCUN) | (problem.fixed_truck == truck)
        may[problem.forbidden[problem.forbidden[:, 1] == truck, 0]] = False
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(problem.demand > 0, problem.demand / hold[truck], 0.0).max(axis=1)
        best = np.where(may, np.minimum(best, ratio), best)
    parts = np.where(np.isfinite(best), np.maximum(1, np.ceil(best - 1e-9)), 1).astype(np.int32)
    for circuit in problem.circuits:
        parts[circuit.items] = 1
    return parts
