"""What every way of breaking a plan uses (see `mutations`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np

from routes.probleme import Circuit, Probleme
from routes.resultat import Solution, Tournees

from .cas import planned
from .naif import walk
from .plans import plan

Broken = tuple[Probleme, Solution] | None
Way = Callable[[Probleme, Solution, np.random.Generator], Broken]


def pick(rng: np.random.Generator, choices: Any) -> Any:
    """One of them; None of none."""
    choices = list(choices)
    return choices[int(rng.integers(len(choices)))] if choices else None


def with_visits(circuit: Circuit, visits: Any) -> Circuit:
    return replace(circuit, visits=np.array(visits, dtype=np.int32))


def replaced(circuits: tuple[Circuit, ...], place: int, circuit: Circuit) -> tuple[Circuit, ...]:
    return (*circuits[:place], circuit, *circuits[place + 1 :])


def each_allowed(p: Probleme, circuits: tuple[Circuit, ...]) -> bool:
    """Each circuit keeps the rules of its own."""
    cut, _ = planned(p)
    return all(walk(cut, c) is not None for c in circuits)


def allowed(p: Probleme, circuits: tuple[Circuit, ...]) -> bool:
    """The same, and the stocks hold what all of them draw."""
    cut, _ = planned(p)
    walks = [walk(cut, c) for c in circuits]
    drawn = sum((w[1] for w in walks if w is not None), np.zeros(p.stock.shape))
    return all(w is not None for w in walks) and bool(np.all(drawn <= p.stock + 1e-9))


def tighter(p: Probleme, s: Solution, **changes: Any) -> Broken:
    """The same circuits under a changed problem; None where they are still allowed."""
    stricter = replace(p, **changes)
    if planned(stricter)[0].n_items != planned(p)[0].n_items:
        return None  # cut into other pieces: other items
    return None if each_allowed(stricter, s.circuits) else (stricter, plan(stricter, s.circuits))


def changed(values: np.ndarray[Any, Any], index: Any, value: Any) -> np.ndarray[Any, Any]:
    copy = values.copy()
    copy[index] = value
    return copy


def stale(p: Probleme, s: Solution, circuits: tuple[Circuit, ...]) -> Broken:
    """Other circuits, allowed, with the account of the old ones; None where the account is the same."""
    if not allowed(p, circuits) or any(
        kept.truck == c.truck and not np.array_equal(kept.visits, c.visits) for kept in p.circuits for c in circuits
    ):
        return None
    truth = plan(p, circuits)
    apart = [
        not np.allclose(getattr(truth.tournees, f.name), getattr(s.tournees, f.name), rtol=1e-6, atol=1e-4)
        for f in fields(Tournees)
    ]
    return (p, replace(truth, objectif=s.objectif, tournees=s.tournees, bilan=s.bilan)) if any(apart) else None


def visit(s: Solution, rng: np.random.Generator, wanted: Callable[[Circuit, int], bool]) -> tuple[Any, Any]:
    """Circuit and rank of one of the visits that are wanted."""
    return pick(
        rng, [(c, k) for c, t in enumerate(s.circuits) for k, v in enumerate(t.visits.tolist()) if wanted(t, v)]
    ) or (None, None)
