"""The independent checker: drives every truck again from the plan alone, then adds everything up.

Pure module. Nothing of the search is used: `releve` walks each circuit step after step (ways, clock, loads, openings,
limits); here are the rules that tie trucks together, and the account.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import numpy as np
from numpy.typing import ArrayLike

from territoires.calcul import ControleEchoue, Statut
from territoires.nombres import avec_unite, nombre

from .probleme import AUCUN, LONGUEUR_COMPTEE_MIN_M, Circuit, Probleme, split_oversized
from .releve import Releve, exceeds, walk
from .resultat import Solution

#: Differences taken for rounding between a figure said and the same recomputed: relative, absolute.
RELATIF, ABSOLU = 1e-9, 1e-6
#: What an amount in cents may differ by, euro.
CENTIME = 0.011


def check(problem: Probleme, solution: Solution) -> None:
    """Raise `ControleEchoue` unless the plan keeps every rule of `Probleme` and says the truth about itself.

    ``problem`` is the one asked to be planned; where `split_oversized` cuts it, the plan is of the cut one.
    """
    planned = _planned(problem, solution)
    _check_circuits(planned, solution)
    _check_locks(planned, solution)
    walks = [walk(planned, circuit) for circuit in solution.circuits]
    for releve in walks:
        if releve.faults:
            raise ControleEchoue(releve.faults[0])
    _check_stocks(planned, walks)
    _check_left_out(planned, solution)
    _check_tours(planned, solution, walks)
    _check_account(solution, _check_objective(planned, solution, walks))


def _planned(problem: Probleme, solution: Solution) -> Probleme:
    """The problem whose items the plan numbers."""
    planned, origin = split_oversized(problem)
    if solution.origin is None:
        if planned is not problem:
            item = int(np.flatnonzero(np.bincount(origin, minlength=problem.n_items) > 1)[0])
            raise ControleEchoue(f"{problem.item_name(item)} : trop grand pour tout camion, devait être coupé")
    elif not np.array_equal(solution.origin, origin):
        raise ControleEchoue("origin : ne dit pas de quel tronçon vient chaque morceau")
    for whole, pieces in zip((problem.length_m, *problem.demand.T), (planned.length_m, *planned.demand.T), strict=True):
        if not np.allclose(np.bincount(origin, weights=pieces, minlength=problem.n_items), whole, RELATIF, ABSOLU):
            raise ControleEchoue("origin : les morceaux d'un tronçon ne font pas le tronçon")
    if solution.problem_hash != planned.input_hash():
        raise ControleEchoue(f"plan d'un autre problème (empreinte {solution.problem_hash[:12] or 'absente'})")
    return planned


def _check_circuits(p: Probleme, solution: Solution) -> None:
    """Trucks by increasing number, each useful; every visit exists; no item twice."""
    before = -1
    by_whom: dict[int, int] = {}
    for circuit in solution.circuits:
        if not before < circuit.truck < p.n_trucks:
            raise ControleEchoue(f"camion {circuit.truck} inconnu, en double ou hors de l'ordre")
        before = circuit.truck
        name = p.truck_name(circuit.truck)
        if circuit.visits.ndim != 1 or not np.issubdtype(circuit.visits.dtype, np.integer):
            raise ControleEchoue(f"{name} : visites illisibles")
        for visit in circuit.visits.tolist():
            if not -p.n_points <= visit < 2 * p.n_items:
                raise ControleEchoue(f"{name} : visite {visit} inconnue")
        if not len(circuit.items):
            raise ControleEchoue(f"{name} : sort sans rien traiter")
        for item in circuit.items.tolist():
            if item in by_whom:
                double = {p.truck_name(by_whom[item]), name}
                raise ControleEchoue(f"{p.item_name(item)} traité deux fois ({' et '.join(sorted(double))})")
            by_whom[item] = circuit.truck


def _check_locks(p: Probleme, solution: Solution) -> None:
    """Fixed trucks, forbidden pairs, items kept apart, whole circuits kept."""
    truck = np.full(p.n_items, AUCUN)
    for circuit in solution.circuits:
        truck[circuit.items] = circuit.truck
    for item in np.flatnonzero((truck != AUCUN) & (p.fixed_truck != AUCUN) & (truck != p.fixed_truck)).tolist():
        said, want = p.truck_name(int(truck[item])), p.truck_name(int(p.fixed_truck[item]))
        raise ControleEchoue(f"{said} : traite {p.item_name(item)}, fixé à {want}")
    for item, forbidden in p.forbidden.tolist():
        if truck[item] == forbidden:
            raise ControleEchoue(f"{p.truck_name(forbidden)} : traite {p.item_name(item)}, qui lui est interdit")
    for a, b in p.apart.tolist():
        if truck[a] != AUCUN and truck[a] == truck[b]:
            couple = f"{p.item_name(a)} et {p.item_name(b)}"
            raise ControleEchoue(f"{p.truck_name(int(truck[a]))} : traite {couple}, à ne pas réunir")
    done = {circuit.truck: circuit for circuit in solution.circuits}
    for kept in p.circuits:
        now = done.get(kept.truck, Circuit(kept.truck, np.zeros(0, dtype=np.int32), kept.end_point))
        wish = kept if len(kept.items) else Circuit(kept.truck, kept.visits[:0], now.end_point)
        if not np.array_equal(now.visits, wish.visits) or now.end_point != wish.end_point:
            raise ControleEchoue(f"{p.truck_name(kept.truck)} : son circuit était à garder tel quel")


def _check_stocks(p: Probleme, walks: list[Releve]) -> None:
    used = sum((w.drawn for w in walks), np.zeros(p.stock.shape))
    for stock, product in np.argwhere(np.isfinite(p.stock)).tolist():
        drawn, most = float(used[stock, product]), float(p.stock[stock, product])
        if exceeds(drawn, most):
            trucks = ", ".join(p.truck_name(w.truck) for w in walks if w.drawn[stock, product] > 0)
            charge = f"{avec_unite(drawn, 't', 3)} du produit {product}"
            raise ControleEchoue(f"stock {stock} : {charge} pris par {trucks}, il en contient {nombre(most, 3)}")


def _check_left_out(p: Probleme, solution: Solution) -> None:
    """Items left out are those that nobody serves, each once."""
    said, truth = solution.left_out, np.flatnonzero(~_served(p, solution))
    if sorted(said.tolist()) == truth.tolist():
        return
    for item in sorted(set(truth.tolist()) - set(said.tolist())):
        raise ControleEchoue(f"{p.item_name(item)} : ni traité ni dit laissé de côté")
    for item in sorted(set(said.tolist()) - set(truth.tolist())):
        name = p.item_name(item) if 0 <= item < p.n_items else f"tronçon {item} inconnu"
        raise ControleEchoue(f"{name} : dit laissé de côté à tort")
    raise ControleEchoue("left_out : un tronçon y est en double")


def _served(p: Probleme, solution: Solution) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    done = np.zeros(p.n_items, dtype=np.bool_)
    for circuit in solution.circuits:
        done[circuit.items] = True
    return done


def _check_tours(p: Probleme, solution: Solution, walks: list[Releve]) -> None:
    """Every figure of every circuit."""
    said = solution.tournees
    units = {
        "driven_m": ("distance", "m"), "treated_m": ("distance traitée", "m"), "duty_s": ("durée", "s"),
        "driving_s": ("conduite", "s"), "service_s": ("traitement", "s"), "waiting_s": ("attente", "s"),
        "reload_s": ("rechargement", "s"),
    }  # fmt: skip
    names = [p.truck_name(w.truck) for w in walks]
    for field, (word, unit) in units.items():
        _same(word, unit, getattr(said, field), [getattr(w, field) for w in walks], names)
    _same("retard", "s", said.late_s, [float(w.late_s.sum()) for w in walks], names)
    products = range(p.demand.shape[1])
    loaded = np.array([w.taken for w in walks]).reshape(-1, len(products))
    _same("produit chargé", "t", said.taken, loaded, [f"{n}, produit {q}" for n in names for q in products])
    used = sum((w.drawn for w in walks), np.zeros(p.stock.shape))
    stocks = [f"stock {s}, produit {q}" for s in range(len(p.stock)) for q in products]
    _same("produit pris", "t", said.stock_used, used, stocks)


def _check_objective(p: Probleme, solution: Solution, walks: list[Releve]) -> float:
    """Parts of the objective and their weighted sum, which is returned."""
    said, weights, out = solution.objectif, p.weights, ~_served(p, solution)
    due = out & ~np.isfinite(p.skip_price)
    untreated = np.zeros(p.n_levels)
    np.add.at(untreated, p.level[due], np.maximum(p.length_m[due], LONGUEUR_COMPTEE_MIN_M))
    skipped = float(p.skip_price[out & np.isfinite(p.skip_price)].sum())
    late = sum((w.late_s for w in walks), np.zeros(p.n_levels))
    cost = balance = 0.0
    for w in walks:
        kind, duty_h = p.truck_type[w.truck], w.duty_s / 3600.0
        cost += float(p.cost_fixed[w.truck] + p.cost_km[kind] * w.driven_m / 1000.0 + p.cost_hour[kind] * duty_h)
        balance += duty_h**2
    total = float(np.dot(weights.untreated, untreated) + np.dot(weights.late, late)) + skipped
    total += weights.truck * len(walks) + weights.cost * cost + weights.balance * balance
    levels = [f"niveau {level}" for level in range(p.n_levels)]
    _same("longueur non traitée", "m", said.untreated_m, untreated, levels)
    _same("prix des tronçons laissés de côté", "€", [said.skipped_euro], [skipped])
    _same("retard", "s", said.late_s, late, levels)
    _same("camions utilisés", "", [said.trucks], [len(walks)])
    _same("coût", "€", [said.cost_euro], [cost])
    _same("équilibre", "h²", [said.balance_h2], [balance])
    _same("objectif", "€", [said.total], [total])
    return total


def _check_account(solution: Solution, total: float) -> None:
    """Cost, bound and status."""
    bilan = solution.bilan
    if not abs(float(bilan.cost) - total) <= CENTIME + RELATIF * abs(total):
        raise ControleEchoue(f"coût annoncé {bilan.cost} €, recalculé {avec_unite(total, '€', 2)}")
    if bilan.status is Statut.IRREALISABLE:
        raise ControleEchoue("plan dit irréalisable, alors qu'il respecte toutes les règles")
    rounding = Decimal(CENTIME) + Decimal(RELATIF) * abs(bilan.cost)
    if bilan.bound is not None and not (bilan.bound.is_finite() and bilan.bound <= bilan.cost + rounding):
        raise ControleEchoue(f"borne annoncée {bilan.bound} €, au-dessus du coût {bilan.cost} €")
    if bilan.status is Statut.OPTIMAL and (bilan.bound is None or bilan.cost > bilan.bound + rounding):
        raise ControleEchoue(f"plan dit optimal à {bilan.cost} €, borne {bilan.bound} €")


def _same(word: str, unit: str, said: ArrayLike, truth: ArrayLike, names: Iterable[str] = ()) -> None:
    """Raise unless the figures said are those recomputed, one by one."""
    mine, theirs = np.asarray(truth, dtype=np.float64), np.asarray(said, dtype=np.float64)
    if theirs.shape != mine.shape:
        raise ControleEchoue(f"{word} : {theirs.shape} chiffres au lieu de {mine.shape}")
    label = [*names] or [""]
    for k, (a, b) in enumerate(zip(theirs.ravel().tolist(), mine.ravel().tolist(), strict=True)):
        if not abs(a - b) <= ABSOLU + RELATIF * abs(b):
            who = f"{label[k]} : " if label[k] else ""
            raise ControleEchoue(f"{who}{word} de {_exact(a, unit)}, recalcul {_exact(b, unit)}")


def _exact(value: float, unit: str) -> str:
    """A figure with what tells it from another: three decimals, or all of it when it is no number."""
    return avec_unite(value, unit, 3) if np.isfinite(value) else str(value)
