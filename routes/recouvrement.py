"""Set partitioning: the best plan that routes met by the search can make together, by HiGHS.

Columns are routes (a set of items, a group of alike trucks, a value); each item is in one of them or left out at its
price; no more trucks of a group than there are; no more drawn from a stock than it holds. The relaxation is solved on
few columns, to which those that its prices find cheap are added until none is; a better plan can only be made of
columns whose reduced price is less than what may be gained, and those alone go to the integer program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from .probleme import F64, I32

#: Relative difference with the plan in force that a better one must reach.
ECART = 1e-9
#: Columns of the first relaxation and added at each turn; turns at most; columns of the
#: integer programs, tried in turn while time is left; nodes of the only one where time does not count.
PREMIERES, AJOUTEES, TOURS, ENTIERES, NOEUDS_SANS_HEURE = 800, 400, 25, (800, 1_600, 3_200), 10


@dataclass(frozen=True, eq=False)
class Colonnes:
    """C routes. rows: items of all routes one after the other, bounded by starts (C + 1,); value F64 (C,);
    group I32 (C,); stock F64 (C, S'): drawn from each limited stock. Those of the plan in force come first, then the
    others from the most promising one on."""

    rows: I32
    starts: I32
    value: F64
    group: I32
    stock: F64


@dataclass(frozen=True, eq=False)
class _Programme:
    """All columns, those that leave an item out last: A, costs, bounds of the rows."""

    matrix: csc_array
    cost: F64
    low: F64
    high: F64
    routes: int


def choose(
    columns: Colonnes,
    skip: F64,
    trucks: I32,
    stocks: F64,
    limit: float,
    seconds: float,
    nodes: int,
    interrupted: Callable[[], bool],
) -> I32 | None:
    """Columns of a plan that costs less than ``limit``, None when none was found.

    skip F64 (n,): price of leaving an item out, inf = not in the search; trucks I32 (groups,): trucks of each group;
    stocks F64 (S',): what they hold. The solver ends after ``seconds`` or ``nodes``, whichever is first, or when
    ``interrupted`` says so. Without a limit of time one integer program is tried, and few nodes.
    """
    program = _program(columns, skip, trucks, stocks, limit)
    count, total = program.routes, program.matrix.shape[1]
    inside = np.zeros(total, dtype=np.bool_)
    inside[: min(count, PREMIERES)] = True
    inside[count:] = True
    order = np.flatnonzero(inside)
    relaxed = _engine(seconds, interrupted)
    relaxed.passModel(_model(program, order, integer=False))
    for _ in range(TOURS):
        relaxed.run()
        if interrupted() or relaxed.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        reduced = program.cost - program.matrix.T @ np.asarray(relaxed.getSolution().row_dual)
        cheap = np.flatnonzero((reduced < -1e-6) & ~inside)
        if not len(cheap):
            break
        new = cheap[np.argsort(reduced[cheap], kind="stable")[:AJOUTEES]]
        part = program.matrix[:, new]
        relaxed.addCols(
            len(new), program.cost[new], np.zeros(len(new)), np.ones(len(new)), part.nnz,
            part.indptr[:-1].astype(np.int32), part.indices.astype(np.int32), part.data,
        )  # fmt: skip
        inside[new] = True
    bound = relaxed.getInfo().objective_function_value
    gain = limit - bound
    left = seconds - relaxed.getRunTime()
    if gain <= ECART * abs(limit) or left <= 0:
        return None
    worth = np.flatnonzero(reduced[:count] <= gain)
    worth = worth[np.argsort(reduced[worth], kind="stable")]
    timed = bool(np.isfinite(seconds))
    for most in ENTIERES if timed else ENTIERES[:1]:
        chosen = _integer(
            program, np.sort(worth[:most]), limit, left, nodes if timed else NOEUDS_SANS_HEURE, interrupted
        )
        left = seconds - relaxed.getRunTime() - chosen[1]
        if chosen[0] is not None or left <= 0 or most >= len(worth):
            return chosen[0]
        seconds = left + relaxed.getRunTime()
    return None


def _integer(
    program: _Programme, routes: I32, limit: float, seconds: float, nodes: int, interrupted: Callable[[], bool]
) -> tuple[I32 | None, float]:
    """The best plan of these columns if it costs less than ``limit``, and the seconds it took."""
    kept = np.concatenate((routes, np.arange(program.routes, program.matrix.shape[1])))
    whole = _engine(seconds, interrupted)
    for nom, valeur in (
        ("mip_max_nodes", nodes), ("mip_rel_gap", 1e-9), ("mip_abs_gap", 1e-6), ("objective_bound", limit),
    ):  # fmt: skip
        whole.setOptionValue(nom, valeur)
    whole.passModel(_model(program, kept, integer=True))
    whole.run()
    found = np.asarray(whole.getSolution().col_value)
    spent = float(whole.getRunTime())
    if len(found) != len(kept) or not whole.getInfo().objective_function_value < limit - ECART * abs(limit):
        return None, spent
    chosen = kept[found > 0.5]
    return chosen[chosen < program.routes].astype(np.int32), spent


def _program(columns: Colonnes, skip: F64, trucks: I32, stocks: F64, limit: float) -> _Programme:
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
    # Prices of leaving out are millions where routes cost thousands: what no plan as good could pay only harms.
    cost = np.minimum(np.concatenate((columns.value, skip[wanted])), 10.0 * abs(limit) + 1.0)
    return _Programme(
        csc_array((np.concatenate(entry), (np.concatenate(row), np.concatenate(col))), shape=(rows, len(cost))),
        cost,
        np.concatenate((np.ones(len(wanted)), np.full(rows - len(wanted), -highspy.kHighsInf))),
        np.concatenate((np.ones(len(wanted)), trucks, stocks)),
        count,
    )


def _model(program: _Programme, kept: NDArray[np.integer[Any]], integer: bool) -> Any:
    """These columns as a HiGHS model."""
    matrix = program.matrix[:, kept]
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.cost[kept], np.zeros(len(kept)), np.ones(len(kept))
    lp.row_lower_, lp.row_upper_ = program.low, program.high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    if integer:
        lp.integrality_ = [highspy.HighsVarType.kInteger] * len(kept)
    return lp


def _engine(seconds: float, interrupted: Callable[[], bool]) -> Any:
    """A silent HiGHS on one thread that asks now and then whether to stop."""
    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    options: dict[str, Any] = {"output_flag": False, "threads": 1, "random_seed": 0}
    if np.isfinite(seconds):
        options["time_limit"] = max(seconds, 0.0)
    for nom, valeur in options.items():
        highs.setOptionValue(nom, valeur)

    def look(event: Any) -> None:
        if interrupted():
            event.data_in.user_interrupt = True

    # Not at each simplex iteration: being asked there takes longer than the relaxations do.
    highs.cbMipInterrupt.subscribe(look)
    return highs
