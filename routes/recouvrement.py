"""Set partitioning: the best plan that routes met by the search can make together, by HiGHS.

Columns are routes (a set of items, a group of alike trucks, a value); each item is in one of them or left out at its
price; no more trucks of a group than there are; no more drawn from a stock than it holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from scipy.sparse import csc_array

from .probleme import F64, I32

#: Relative difference with the plan in force that a better one must reach.
ECART = 1e-9


@dataclass(frozen=True, eq=False)
class Colonnes:
    """C routes. rows: items of all routes one after the other, bounded by starts (C + 1,); value F64 (C,);
    group I32 (C,); stock F64 (C, S'): drawn from each limited stock."""

    rows: I32
    starts: I32
    value: F64
    group: I32
    stock: F64


def choose(
    columns: Colonnes,
    skip: F64,
    trucks: I32,
    stocks: F64,
    present: I32,
    limit: float,
    seconds: float,
    nodes: int,
    interrupted: Callable[[], bool],
) -> I32 | None:
    """Columns of a plan that costs less than ``limit``, None when none was found.

    skip F64 (n,): price of leaving an item out, inf = not in the search; trucks I32 (groups,): trucks of each group;
    stocks F64 (S',): what they hold; present: columns of the plan in force, to start from. The solver ends after
    ``seconds`` or ``nodes``, whichever is first, or when ``interrupted`` says so.
    """
    n, count = len(skip), len(columns.value)
    wanted = np.flatnonzero(np.isfinite(skip))
    row_of = np.full(n, -1)
    row_of[wanted] = np.arange(len(wanted))
    column = np.repeat(np.arange(count), np.diff(columns.starts))
    row = [row_of[columns.rows], np.arange(len(wanted)), len(wanted) + columns.group]
    col = [column, count + np.arange(len(wanted)), np.arange(count)]
    entry = [np.ones(len(column)), np.ones(len(wanted)), np.ones(count)]
    rows = len(wanted) + len(trucks)
    for i in range(len(stocks)):
        drawn = np.flatnonzero(columns.stock[:, i])
        row.append(np.full(len(drawn), rows + i))
        col.append(drawn)
        entry.append(columns.stock[drawn, i])
    rows += len(stocks)
    total = count + len(wanted)
    matrix = csc_array((np.concatenate(entry), (np.concatenate(row), np.concatenate(col))), shape=(rows, total))
    cost = np.concatenate((columns.value, skip[wanted]))
    # Prices of leaving out are millions where routes cost thousands: what no plan as good could pay only harms.
    cost = np.minimum(cost, 10.0 * abs(limit) + 1.0)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = total, rows
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, np.zeros(total), np.ones(total)
    inf = highspy.kHighsInf
    lp.row_lower_ = np.concatenate((np.ones(len(wanted)), np.full(rows - len(wanted), -inf)))
    lp.row_upper_ = np.concatenate((np.ones(len(wanted)), trucks, stocks))
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    lp.integrality_ = [highspy.HighsVarType.kInteger] * total
    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    options: dict[str, Any] = {
        "output_flag": False, "threads": 1, "random_seed": 0, "mip_max_nodes": nodes, "mip_rel_gap": 1e-9,
        "mip_abs_gap": 1e-6, "objective_bound": limit, "mip_heuristic_effort": 0.1,
    }  # fmt: skip
    if np.isfinite(seconds):
        options["time_limit"] = seconds
    for nom, valeur in options.items():
        highs.setOptionValue(nom, valeur)
    highs.passModel(lp)
    point = highspy.HighsSolution()
    held = np.zeros(total)
    held[present] = 1.0
    held[count:] = matrix[: len(wanted), :count] @ held[:count] < 0.5
    point.col_value = list(held)
    highs.setSolution(point)

    def look(event: Any) -> None:
        if interrupted():
            event.data_in.user_interrupt = True

    for callback in (highs.cbMipInterrupt, highs.cbSimplexInterrupt):
        callback.subscribe(look)
    highs.run()
    value = np.asarray(highs.getSolution().col_value)
    if len(value) != total or highs.getInfo().objective_function_value >= limit - ECART * abs(limit):
        return None
    return np.flatnonzero(value[:count] > 0.5).astype(np.int32)
