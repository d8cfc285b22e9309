"""Small winter problems without reload nor stock as a mixed integer programme (HiGHS): a third reading of the rules.

Arcs between services by truck, clocks by big M (services last, so clocks also forbid subtours), lateness as slack.
Written from the words of `routes.probleme` alone.
"""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np

from routes.probleme import AUCUN, Probleme

INF = float(highspy.kHighsInf)


class _Rows:
    """Columns and rows of a programme as they come, passed to HiGHS in one go."""

    def __init__(self) -> None:
        self.cost: list[float] = []
        self.upper: list[float] = []
        self.lower: list[float] = []
        self.whole: list[int] = []
        self.row_lower: list[float] = []
        self.row_upper: list[float] = []
        self.first: list[int] = [0]
        self.index: list[int] = []
        self.value: list[float] = []

    def column(self, cost: float, lower: float, upper: float, whole: bool) -> int:
        self.cost.append(cost)
        self.lower.append(lower)
        self.upper.append(upper)
        self.whole.append(int(whole))
        return len(self.cost) - 1

    def row(self, lower: float, upper: float, terms: list[tuple[int, float]]) -> None:
        self.row_lower.append(lower)
        self.row_upper.append(upper)
        self.index += [c for c, _ in terms]
        self.value += [v for _, v in terms]
        self.first.append(len(self.index))

    def minimum(self) -> float:
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self.cost), len(self.row_lower)
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = np.array(self.cost), np.array(self.lower), np.array(self.upper)
        lp.row_lower_, lp.row_upper_ = np.array(self.row_lower), np.array(self.row_upper)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.array(self.first, dtype=np.int32)
        lp.a_matrix_.index_ = np.array(self.index, dtype=np.int32)
        lp.a_matrix_.value_ = np.array(self.value)
        lp.integrality_ = [highspy.HighsVarType.kInteger if w else highspy.HighsVarType.kContinuous for w in self.whole]
        solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in (("output_flag", False), ("threads", 1), ("mip_rel_gap", 0.0), ("mip_abs_gap", 1e-6),
                              ("mip_feasibility_tolerance", 1e-9), ("primal_feasibility_tolerance", 1e-9)):  # fmt: skip
            solver.setOptionValue(option, value)
        solver.passModel(lp)
        solver.run()
        assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return float(solver.getInfo().objective_function_value)


def mip_optimum(p: Probleme) -> float:
    """Least objective; no reload point, balance or kept circuit, every service longer than 0 s; nothing is split."""
    assert not p.circuits
    assert p.weights.balance == 0
    assert p.n_points == 0
    w, skip, rows = p.weights, p.skip_cost(), _Rows()
    modes = [(i, m) for i in range(p.n_items) for m in range(2) if p.start[i, m] != AUCUN]
    longest = float(np.max(np.where(np.isfinite(p.service_s), p.service_s, 0.0), axis=(0, 2)).sum())
    travel = np.where(np.isfinite(p.durations_s), p.durations_s, 0.0).max()
    horizon = float(max(p.earliest_s.max(), p.shift_start_s.max()) + longest + (p.n_items + 1) * travel)
    left = [rows.column(float(s), 0, 1, True) for s in skip]
    ends = [rows.column(0.0, 0.0, horizon, False) for _ in range(p.n_items)]
    for i in range(p.n_items):
        late = rows.column(w.late[p.level[i]], 0.0, INF, False)
        if np.isfinite(p.deadline_s[i]):
            rows.row(-INF, float(p.deadline_s[i]), [(ends[i], 1.0), (late, -1.0)])
    served: list[list[tuple[int, float]]] = [[(left[i], 1.0)] for i in range(p.n_items)]
    by_truck: list[list[list[tuple[int, float]]]] = []
    for k in range(p.n_trucks):
        t = int(p.truck_type[k])
        metres, seconds = p.distances_m[p.type_profile[t]], p.durations_s[p.type_profile[t]]
        km = w.cost * float(p.cost_km[t]) / 1000.0
        shift, used = float(p.shift_start_s[k]), w.truck + w.cost * float(p.cost_fixed[k])
        may = [
            (i, m) for i, m in modes
            if np.isfinite(p.service_s[t, i, m]) and p.fixed_truck[i] in (AUCUN, k)
            and not any(a == i and b == k for a, b in p.forbidden)
        ]  # fmt: skip
        duty = rows.column(w.cost * float(p.cost_hour[t]) / 3600.0, 0.0, min(float(p.span_s[k]), horizon), False)
        into: dict[tuple[int, int], list[tuple[int, float]]] = {node: [] for node in may}
        out: dict[tuple[int, int], list[tuple[int, float]]] = {node: [] for node in may}
        leaves: list[tuple[int, float]] = []
        driving: list[tuple[int, float]] = []
        mine: list[list[tuple[int, float]]] = [[] for _ in range(p.n_items)]
        nodes: list[tuple[int, int] | None] = [None, *may]
        for a in nodes:
            for b in nodes:
                if (a is None and b is None) or (a is not None and b is not None and a[0] == b[0]):
                    continue
                here = int(p.home[k, 0] if a is None else p.end[a])
                there = int(p.home[k, 1] if b is None else p.start[b])
                trip, way = float(seconds[here, there]), float(metres[here, there])
                if not np.isfinite(trip + way):
                    continue
                service = 0.0 if b is None else float(p.service_s[t, b[0], b[1]])
                money = km * (way + (0.0 if b is None else float(p.driven_m[b[0]]))) + (used if a is None else 0.0)
                x = rows.column(money, 0, 1, True)
                driving.append((x, trip + service))
                if a is None:
                    leaves.append((x, 1.0))
                else:
                    out[a].append((x, -1.0))
                if b is not None:
                    into[b].append((x, 1.0))
                    mine[b[0]].append((x, 1.0))
                    served[b[0]].append((x, 1.0))
                # clocks: end of b, or duty, at least end of a + trip + service
                after, before = (duty, shift) if b is None else (ends[b[0]], 0.0)
                if a is None:
                    rows.row(shift + trip + service - horizon, INF, [(after, 1.0), (x, -horizon)])
                else:
                    rows.row(trip + service - before - horizon, INF, [(after, 1.0), (ends[a[0]], -1.0), (x, -horizon)])
                if b is not None:  # no service begins before its hour
                    rows.row(float(p.earliest_s[b[0]]) + service - horizon, INF, [(after, 1.0), (x, -horizon)])
        for node in may:
            rows.row(0.0, 0.0, into[node] + out[node])
        rows.row(-INF, 1.0, leaves)
        if np.isfinite(p.driving_limit_s[k]):
            rows.row(-INF, float(p.driving_limit_s[k]), driving)
        for q in range(p.demand.shape[1]):
            load = [(x, float(p.demand[i, q])) for i in range(p.n_items) for x, _ in mine[i] if p.demand[i, q] > 0]
            rows.row(-INF, float(p.initial_load[k, q]), load)
        by_truck.append(mine)
    for i in range(p.n_items):
        rows.row(1.0, 1.0, served[i])
    for mine in by_truck:
        for i, j in p.apart:
            rows.row(-INF, 1.0, mine[i] + mine[j])
    return rows.minimum()
