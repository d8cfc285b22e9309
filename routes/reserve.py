"""Columns of the set partitioning from the routes that the search kept. Pure module."""

from __future__ import annotations

from typing import Any

import numpy as np

from .evaluation import loads
from .noyau_donnees import Donnees, Etat
from .probleme import F64, I32, Circuit, Probleme
from .recouvrement import Colonnes

#: Most columns given to the solver.
COLONNES_MAX = 12_000


def groups(d: Donnees) -> I32:
    """(groups,) trucks of each group of alike trucks."""
    return np.bincount(d.truck["group"]).astype(np.int32)


def limited_stocks(problem: Probleme) -> tuple[tuple[I32, I32], F64]:
    """Indices (stock, product) of the limited stocks, and what they hold."""
    where = np.nonzero(np.isfinite(problem.stock))
    return (where[0].astype(np.int32), where[1].astype(np.int32)), problem.stock[where]


def gather(d: Donnees, s: Etat, problem: Probleme) -> tuple[Colonnes, list[Any]]:
    """Columns, those of the best plan first, and their sequences (records with ``e``, ``mode``)."""
    best = [k for k in range(len(s.route)) if s.route[k]["best_size"] > 0]
    sequences = [s.best[k, : s.route[k]["best_size"]].copy() for k in best]
    values = [float(s.route[k]["best_value"]) for k in best]
    group = [int(d.truck[k]["group"]) for k in best]
    cells = np.flatnonzero(s.pool["size"] > 0)
    # An item's price: an equal share of its route in the best plan.
    price = d.element["skip"][: d.n].copy()
    for sequence, value in zip(sequences, values, strict=True):
        items = sequence["e"][sequence["e"] < d.n]
        price[items] = value / len(items)
    sizes = s.pool["size"][cells]
    e = s.pool_visit["e"][cells]
    counted = (np.arange(e.shape[1])[None, :] < sizes[:, None]) & (e < d.n)
    reduced = s.pool["value"][cells] - np.where(counted, price[np.minimum(e, d.n - 1)], 0.0).sum(axis=1)
    kept = cells[np.argsort(reduced, kind="stable")[:COLONNES_MAX]]
    for cell in kept:
        sequences.append(s.pool_visit[cell, : s.pool["size"][cell]].copy())
        values.append(float(s.pool["value"][cell]))
        group.append(int(d.truck[s.pool["truck"][cell]]["group"]))
    rows = [q["e"][q["e"] < d.n] for q in sequences]
    (stock, product), _ = limited_stocks(problem)
    drawn = np.zeros((len(sequences), len(stock)))
    if len(stock):
        first = {int(g): int(k) for k, g in reversed(list(enumerate(d.truck["group"])))}
        for i, q in enumerate(sequences):
            visits = np.where(q["e"] < d.n, 2 * q["e"] + q["mode"], d.n - q["e"] - 1).astype(np.int32)
            drawn[i] = loads(problem, Circuit(first[group[i]], visits))[1][stock, product]
    columns = Colonnes(
        np.concatenate(rows).astype(np.int32) if rows else np.empty(0, np.int32),
        np.concatenate(([0], np.cumsum([len(r) for r in rows]))).astype(np.int32),
        np.array(values), np.array(group, dtype=np.int32), drawn,
    )  # fmt: skip
    return columns, sequences
