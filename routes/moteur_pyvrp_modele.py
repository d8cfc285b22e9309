"""PyVRP's data for a problem of the winter service, and what its numbers stand for. Pure module; see `moteur_pyvrp`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .probleme import AUCUN, F64, B, Probleme

I64 = NDArray[np.int64]

#: Stands for "no way" in PyVRP's matrices: far above any plan, far below what its sums can hold.
LOIN = 1 << 40
#: Ticks of PyVRP's clock in one second.
_TICS = 10
_ROUNDING = 1e-6


def limits_of(p: Probleme) -> Iterator[str]:
    """What the problem asks and PyVRP cannot hold."""
    used = {int(s) for s in [*p.point_stock, *p.home_stock] if s != AUCUN}
    if any(np.isfinite(p.stock[s]).any() for s in used):
        yield "les stocks limités"
    most = p.capacity[p.truck_type].max(axis=0)
    if p.n_points and (p.refill < most).any():
        yield "les rechargements partiels, ou d'une partie des produits"
    if p.n_points and (p.initial_load < p.capacity[p.truck_type]).any():
        yield "les camions qui partent à moitié chargés et se rechargent"
    if len(p.apart):
        yield "les tronçons à confier à des camions différents"
    if p.weights.balance > 0:
        yield "l'équilibre entre les camions"
    idle = bool(p.point_s.any()) or bool((p.earliest_s > p.shift_start_s.min()).any())
    idle = idle or bool((p.opening_s[:, 0] > p.shift_start_s.min()).any())
    if idle and (p.driving_limit_s < p.span_s).any():
        yield "une durée de conduite limitée, différente de l'amplitude"
    if (p.earliest_s > p.shift_start_s.min()).any():
        finite = np.where(np.isfinite(p.service_s), p.service_s, np.nan)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", category=RuntimeWarning)  # items that no type may serve
            spread = np.nanmax(finite, axis=0) - np.nanmin(finite, axis=0)
        if (np.nan_to_num(spread) > 0).any():
            yield "un début au plus tôt quand la durée de traitement dépend du camion"


@dataclass(frozen=True, eq=False)
class Modele:
    """PyVRP's data and what its numbers stand for.

    visit_of: client -> visit code (2 * item + mode); point_of: depot -> reload point; trucks: vehicle type -> trucks;
    money: PyVRP units in one euro; offset: euro that its cost counts too much.
    """

    data: Any
    visit_of: list[int]
    point_of: dict[int, int]
    trucks: list[list[int]]
    money: float
    offset: float


def build(pyvrp: Any, p: Probleme) -> Modele:
    kept = {c.truck for c in p.circuits}
    served = {int(i) for c in p.circuits for i in c.items}
    trucks = [k for k in range(p.n_trucks) if k not in kept]
    may = _may_serve(p)
    items = [i for i in range(p.n_items) if i not in served and trucks and may[trucks, i].any()]
    visit_of = [2 * i + mode for i in items for mode in range(2) if p.start[i, mode] != AUCUN]
    visits = np.array(visit_of, dtype=np.int64)
    timed = bool(np.isfinite(p.span_s).any() or np.isfinite(p.driving_limit_s).any())
    timed = timed or bool(np.isfinite(p.deadline_s).any() or np.isfinite(p.opening_s[:, 1]).any())
    money = _scale(_sample_euro(p))
    clock = float(p.shift_start_s.min()) if p.n_trucks else 0.0
    # Locations: clients, reload points, homes (departure, arrival), each once.
    homes = sorted({(int(a), int(b)) for a, b in p.home[trucks]})
    rank = {home: len(visits) + p.n_points + h for h, home in enumerate(homes)}
    out = np.concatenate([p.end.ravel()[visits], p.point_place[:, 1], [a for a, _ in homes]]).astype(np.int64)
    into = np.concatenate([p.start.ravel()[visits], p.point_place[:, 0], [b for _, b in homes]]).astype(np.int64)
    depots = [_depot(pyvrp, p, r, len(visits) + r, clock) for r in range(p.n_points)]
    depots += [pyvrp.Depot(rank[home]) for home in homes]
    unit = _units(p)
    kinds: dict[tuple[Any, ...], list[int]] = {}
    profiles: dict[tuple[int, bytes], int] = {}
    for k in trucks:
        key = (int(p.truck_type[k]), may[k].tobytes())
        profiles.setdefault(key, len(profiles))
        limits = (p.shift_start_s[k], p.span_s[k], p.driving_limit_s[k], p.cost_fixed[k], *p.initial_load[k])
        kinds.setdefault((profiles[key], tuple(p.home[k].tolist()), *limits), []).append(k)
    types = [
        _vehicle(pyvrp, p, members, key[0], p.n_points + homes.index(key[1]), unit, money, clock)
        for key, members in kinds.items()
    ]
    pairs = [
        _matrices(p, kind, np.frombuffer(mask, dtype=np.bool_), visits, out, into, money, timed)
        for kind, mask in profiles
    ]
    clients, groups, offset = _clients(pyvrp, p, items, unit, money, clock, _all_fit(p, items, trucks))
    data = pyvrp.ProblemData(
        [pyvrp.Location(0, 0) for _ in out],
        clients,
        depots,
        types,
        [distances for distances, _ in pairs],
        [durations for _, durations in pairs],
        groups,
    )
    return Modele(data, visit_of, {r: r for r in range(p.n_points)}, list(kinds.values()), money, offset)


def _may_serve(p: Probleme) -> B:
    """(K, n) the truck may serve the item in some mode."""
    may: B = np.any(np.isfinite(p.service_s[p.truck_type]), axis=2)
    for item in np.flatnonzero(p.fixed_truck != AUCUN):
        others = np.arange(p.n_trucks) != p.fixed_truck[item]
        may[others, item] = False
    may[p.forbidden[:, 1], p.forbidden[:, 0]] = False
    return may


def _all_fit(p: Probleme, items: list[int], trucks: list[int]) -> bool:
    """True where every item to be treated is required, as in the problems that PyVRP is made for; else leaving out has
    its price. Required: where loads do not show that some must be left out and no limit of time may either, and where
    there are deadlines, because being late is worth far less than leaving out."""
    need = p.demand[items].sum(axis=0)
    loads = bool(p.n_points) or bool((need <= p.initial_load[trucks].sum(axis=0) * (1 + _ROUNDING)).all())
    limited = bool(np.isfinite(p.span_s).any() or np.isfinite(p.driving_limit_s).any())
    limited = limited or bool(np.isfinite(p.opening_s[:, 1]).any())
    return loads and (not limited or bool(np.isfinite(p.deadline_s).any()))


def _sample_euro(p: Probleme) -> F64:
    """Euro of some legs, enough to choose a unit of money."""
    step = max(1, p.distances_m.shape[1] // 500)
    parts = []
    for t, f in enumerate(p.type_profile):
        m = p.distances_m[f][::step, ::step].astype(np.float64).ravel()
        s = p.durations_s[f][::step, ::step].astype(np.float64).ravel()
        way = np.isfinite(m) & np.isfinite(s)
        parts.append(p.weights.cost * (p.cost_km[t] * m[way] / 1000.0 + p.cost_hour[t] * s[way] / 3600.0))
    legs: F64 = np.concatenate(parts)
    return legs


def _scale(values: F64) -> float:
    """Power of ten that turns values into whole numbers with four significant digits; 1 where they are whole."""
    positive = values[values > 0]
    if not len(positive) or np.allclose(positive, np.rint(positive), rtol=0, atol=_ROUNDING):
        return 1.0
    return float(10.0 ** np.ceil(4 - np.log10(np.median(positive))))


def _units(p: Probleme) -> F64:
    """(Q,) PyVRP units of load in one tonne."""
    return np.array([_scale(p.demand[:, q]) for q in range(p.demand.shape[1])])


def _depot(pyvrp: Any, p: Probleme, point: int, location: int, clock: float) -> Any:
    """A reload point with its hours; where it opens to nobody, it is open at the very beginning and `_circuits` takes
    such reloads out."""
    opening, closing = (float(s) - clock for s in p.opening_s[point])
    if not np.isfinite(opening) or closing < 0:
        opening = closing = 0.0
    early = _ceil(max(0.0, opening))
    hours = {} if not np.isfinite(closing) else {"tw_late": max(early, _floor(closing))}
    return pyvrp.Depot(location, tw_early=early, service_duration=_ceil(p.point_s[point]), **hours)


def _vehicle(
    pyvrp: Any,
    p: Probleme,
    members: list[int],
    profile: int,
    home: int,
    unit: F64,
    money: float,
    clock: float,
) -> Any:
    k = members[0]
    begin = _ceil(float(p.shift_start_s[k]) - clock)
    most = min(float(p.span_s[k]), float(p.driving_limit_s[k]))
    limit = {} if not np.isfinite(most) else {"shift_duration": _floor(most)}
    return pyvrp.VehicleType(
        len(members),
        [int(np.floor(load * u + _ROUNDING)) for load, u in zip(p.initial_load[k], unit, strict=True)],
        start_depot=home,
        end_depot=home,
        fixed_cost=round(money * (p.weights.truck + p.weights.cost * float(p.cost_fixed[k]))),
        tw_early=begin,
        start_late=begin,
        profile=profile,
        reload_depots=list(range(p.n_points)),
        **limit,
    )


def _clients(
    pyvrp: Any, p: Probleme, items: list[int], unit: F64, money: float, clock: float, required: bool
) -> tuple[list[Any], list[Any], float]:
    """Clients, groups, and the euro that two-way items count twice when left out or once when not."""
    prices = p.skip_cost()
    clients: list[Any] = []
    groups: list[Any] = []
    offset = 0.0
    for i in items:
        modes = [m for m in range(2) if p.start[i, m] != AUCUN]
        must = required and not np.isfinite(p.skip_price[i])
        prize = 0 if must else min(round(float(prices[i]) * money), LOIN)
        offset += 0.0 if must or len(modes) < 2 else prize / money
        delivery = [int(np.ceil(load * u - _ROUNDING)) for load, u in zip(p.demand[i], unit, strict=True)]
        window: dict[str, int] = {}
        if np.isfinite(p.deadline_s[i]):
            window["tw_late"] = max(0, _floor(float(p.deadline_s[i]) - clock))
        group = len(groups) if len(modes) == 2 else None
        if group is not None:
            groups.append(pyvrp.ClientGroup([len(clients), len(clients) + 1], must))
        for mode in modes:
            early = float(p.earliest_s[i]) - clock
            if early > 0:
                window["tw_early"] = _ceil(early + float(p.service_s[:, i, mode].min()))
                window["tw_late"] = max(window.get("tw_late", window["tw_early"]), window["tw_early"])
                if not np.isfinite(p.deadline_s[i]):
                    del window["tw_late"]
            clients.append(
                pyvrp.Client(
                    len(clients), delivery, required=must and group is None, prize=prize, group=group, **window
                )
            )
    return clients, groups, offset


def _matrices(
    p: Probleme, kind: int, may: B, visits: I64, out: I64, into: I64, money: float, timed: bool
) -> tuple[I64, I64]:
    """(locations, locations) money and ticks of a leg and of the service it leads to, for trucks of one type."""
    metres, seconds = p.distances_m[p.type_profile[kind]], p.durations_s[p.type_profile[kind]]
    km, hour = p.weights.cost * p.cost_km[kind] / 1000.0, p.weights.cost * p.cost_hour[kind] / 3600.0
    items, size = visits // 2, len(out)
    service = np.where(may[items], p.service_s[kind].ravel()[visits], np.inf)
    more_s = np.concatenate([service, np.zeros(size - len(visits))])
    more_euro = np.concatenate([km * p.driven_m[items] + hour * service, hour * p.point_s, np.zeros(size)])[:size]
    euro, time = np.empty((size, size), dtype=np.int64), np.zeros((size, size), dtype=np.int64)
    any_end = np.flatnonzero(into == AUCUN)
    target = np.where(into == AUCUN, 0, into)
    for first in range(0, size, 256):  # by slices: the 64-bit parts of the whole would not fit for thousands of items
        rows = slice(first, min(first + 256, size))
        m = metres[out[rows]][:, target].astype(np.float64)
        s = seconds[out[rows]][:, target].astype(np.float64)
        if len(any_end):
            nearest = nearest_point(p, kind, out[rows])
            places = p.point_place[nearest, 0]
            m[:, any_end] = metres[out[rows], places][:, None]
            s[:, any_end] = seconds[out[rows], places][:, None]
        with np.errstate(invalid="ignore"):
            price = money * (km * m + hour * s + more_euro)
            ticks = _TICS * (s + more_s) if timed else np.zeros_like(s)
        away = ~(np.isfinite(m) & np.isfinite(s) & np.isfinite(more_s))
        euro[rows] = np.rint(np.where(away, LOIN, np.minimum(np.nan_to_num(price), LOIN)))
        time[rows] = np.ceil(np.where(away, LOIN if timed else 0, np.nan_to_num(ticks)) - _ROUNDING)
    np.fill_diagonal(euro, 0)
    np.fill_diagonal(time, 0)
    return euro, time


def nearest_point(p: Probleme, kind: int, places: I64) -> I64:
    """For each place, the reload point where ending duty costs least to a truck of this type."""
    metres, seconds = p.distances_m[p.type_profile[kind]], p.durations_s[p.type_profile[kind]]
    m = metres[places][:, p.point_place[:, 0]].astype(np.float64)
    s = seconds[places][:, p.point_place[:, 0]].astype(np.float64)
    with np.errstate(invalid="ignore"):
        price = p.cost_km[kind] * m / 1000.0 + p.cost_hour[kind] * s / 3600.0
    price = np.where(np.isfinite(m) & np.isfinite(s), price, np.inf)
    nearest: I64 = np.argmin(price, axis=1)
    return nearest


def _ceil(seconds: float) -> int:
    return int(np.ceil(seconds * _TICS - _ROUNDING))


def _floor(seconds: float) -> int:
    return int(np.floor(seconds * _TICS + _ROUNDING))
