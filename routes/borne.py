"""A lower bound of the objective, in a fraction of a second.

Two bounds, the larger counts. Legs: every item served is entered and left, and a way between two visits is half of the
leaving of one and half of the entering of the other. Parity (trucks of one home, roads treated in either direction,
loads alone): where an odd number of roads to treat meet, one must be driven again, and every truck leaves the depot
and comes back; the least pairing of those ends, relaxed to an assignment (after Golden and Wong 1981; Assad, Pearn and
Golden 1987).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from .noyau_donnees import ADDITIF, Donnees
from .probleme import AUCUN, F64, I32, B, Probleme

#: Ends paired at most: the assignment takes a second at about 3,000.
EXTREMITES_MAX = 3_000


def lower_bound(problem: Probleme, d: Donnees) -> float:
    """No plan of the problem has a smaller objective (kept circuits not counted: their items are 0 here)."""
    wanted = np.asarray(d.may.any(axis=1), dtype=np.bool_)
    lone = np.logical_not(wanted)
    for circuit in problem.circuits:
        lone[circuit.items] = False
    skip = d.element["skip"][: d.n]
    lost = float(skip[lone].sum())
    if not wanted.any():
        return lost
    legs = float(np.minimum(skip, _leg_prices(problem, d))[wanted].sum())
    # Leaving out a single item costs at least the cheapest one: a bound for plans that leave none out needs no more.
    return lost + max(legs, min(_parity(problem, d, wanted), float(skip[wanted].min())))


def _leg_prices(problem: Probleme, d: Donnees) -> F64:
    """(n,) service and half of the cheapest ways in and out of each item, over types and modes."""
    n, best = d.n, np.full(d.n, np.inf)
    element = d.element
    outs = _places(element["out0"], element["out1"], problem.home[:, 0])
    ins = _places(element["in0"], element["in1"], problem.home[:, 1])
    for t in range(len(problem.type_profile)):
        cost = d.cost[d.truck["costs"][problem.truck_type == t][0]] if (problem.truck_type == t).any() else None
        if cost is None:
            continue
        enter, leave = cost[outs].min(axis=0), cost[:, ins].min(axis=1)
        if len(d.refill):
            leave = np.minimum(leave, d.fin["cost"][t])
        for mode in range(2):
            a, b = element[f"in{mode}"][:n], element[f"out{mode}"][:n]
            price = d.serve[f"cost{mode}"][t, :n] + (enter[a] + leave[b]).astype(np.float64) / 2
            best = np.where(a == AUCUN, best, np.minimum(best, price))
    return best


def _places(first: I32, second: I32, homes: I32) -> I32:
    places: I32 = np.unique(np.concatenate((first, second, homes)))
    return np.asarray(places[places != AUCUN], dtype=np.int32)


def _parity(problem: Probleme, d: Donnees, wanted: B) -> float:
    """Bound by pairing of a plan that serves every item; 0 where it does not apply."""
    homes, n = np.unique(problem.home), d.n
    one = len(homes) == 1 and homes[0] != AUCUN and d.kind == ADDITIF and not len(d.refill) and len(d.cost) == 1
    both = (problem.start[:, 0] == problem.end[:, 1]) & (problem.end[:, 0] == problem.start[:, 1])
    if not one or not both.all() or problem.n_trucks == 0:
        return 0.0
    depot = int(homes[0])
    cost = np.minimum(d.cost[0], d.cost[0].T).astype(np.float64)
    trips = max(
        int(np.ceil(problem.demand[wanted, q].sum() / most - 1e-9)) if most > 0 else 0
        for q, most in enumerate(d.first_load.max(axis=0))
    )
    degree = np.bincount(np.concatenate((problem.start[wanted, 0], problem.end[wanted, 0])), minlength=cost.shape[0])
    odd = np.flatnonzero(degree % 2 == 1)
    odd = odd[odd != depot]
    copies = max(0, 2 * trips - int(degree[depot]))
    ends = np.concatenate((odd, np.full(copies, depot)))
    serve = np.minimum(d.serve["cost0"][:, :n], d.serve["cost1"][:, :n]).min(axis=0)[wanted].sum()
    total = float(serve + trips * d.truck["fixed"].min())
    if not len(ends) or len(ends) > EXTREMITES_MAX:
        return total
    pair = cost[np.ix_(ends, ends)]
    # Two departures from the depot meet again after the shortest way out and back.
    away = np.delete(cost[depot], depot)
    pair[len(odd) :, len(odd) :] = 2.0 * float(away[away > 0].min(initial=np.inf)) if (away > 0).all() else 0.0
    np.fill_diagonal(pair, np.inf if len(ends) > 1 else 0.0)
    # A lone odd end (the depot would be the other one) may always be paired with the depot.
    alone = cost[depot, ends]
    np.fill_diagonal(pair, np.minimum(np.diag(pair), 2.0 * alone))
    pair[~np.isfinite(pair)] = 1e12
    row, column = linear_sum_assignment(pair)
    return total + float(pair[row, column].sum()) / 2
