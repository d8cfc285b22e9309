"""Plans of circuits as pictures (matplotlib), and a layout for networks without positions."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from routes.probleme import F64, B

mpl.use("Agg")
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

_GRIS = "#b5b5b5"
_ENCRE = "#222222"


@dataclass(frozen=True, eq=False)
class Trace:
    """What one truck drives, in order: (S, 2, 2) ends of the pieces of road, (S,) whether it treats them."""

    pieces: F64
    served: B


def colours(count: int) -> list[tuple[float, float, float]]:
    """So many colours, neighbours in the list far apart: golden-angle hues, three lightnesses."""
    return [
        colorsys.hls_to_rgb((0.61803398875 * k) % 1.0, (0.36, 0.52, 0.44)[k % 3], (0.85, 0.75, 0.6)[k // 3 % 3])
        for k in range(count)
    ]


def draw_plan(
    path: Path,
    title: str,
    roads: F64,
    traces: Sequence[Trace],
    depots: F64,
    *,
    limit: Sequence[NDArray[np.float64]] = (),
    optional: F64 | None = None,
    thin: bool = False,
    size: tuple[float, float] = (11.0, 11.0),
) -> None:
    """A PNG: roads (m, 2, 2) grey, each truck's treated pieces solid in its colour, empty ones dashed beside the
    road (each truck at its own distance to the right of where it drives), depots (D, 2) black squares."""
    figure = Figure(figsize=size, dpi=110)
    axes = figure.add_axes((0.02, 0.06, 0.96, 0.88))
    span = float(np.ptp(roads.reshape(-1, 2), axis=0).max())
    axes.add_collection(LineCollection(list(roads), colors=_GRIS, linewidths=0.6 if thin else 1.2, zorder=1))
    if optional is not None and len(optional):
        axes.add_collection(
            LineCollection(list(optional), colors=_GRIS, linewidths=1.0, linestyles=(0, (1, 2)), zorder=1)
        )
    for line in limit:
        axes.plot(*line.T, color=_ENCRE, linewidth=1.1, linestyle=(0, (6, 2, 1, 2)), zorder=2)
    step = span / (900.0 if thin else 260.0)
    for rank, (trace, colour) in enumerate(zip(traces, colours(len(traces)), strict=True)):
        treated, empty = trace.pieces[trace.served], trace.pieces[~trace.served]
        axes.add_collection(
            LineCollection(list(treated), colors=[colour], linewidths=1.5 if thin else 2.6, zorder=3, capstyle="round")
        )
        beside = _aside(empty, step * (1 + 0.7 * (rank % (3 if thin else 6))))
        axes.add_collection(
            LineCollection(
                list(beside), colors=[colour], linewidths=0.7 if thin else 1.1, linestyles=(0, (4, 2)), zorder=4
            )
        )
    axes.plot(
        depots[:, 0], depots[:, 1], linestyle="none", marker="s", markersize=6 if thin else 9, color=_ENCRE,
        markeredgecolor="white", markeredgewidth=0.6, zorder=5,
    )  # fmt: skip
    axes.set_title(title, fontsize=15, color=_ENCRE)
    axes.set_aspect("equal")
    axes.autoscale_view()
    axes.margins(0.02)
    axes.axis("off")
    legend = [
        Line2D([], [], color=_ENCRE, linewidth=2.4, label="traité (une couleur par camion)"),
        Line2D([], [], color=_ENCRE, linewidth=1.1, linestyle=(0, (4, 2)), label="à vide"),
        Line2D([], [], color=_ENCRE, marker="s", linestyle="none", label="dépôt"),
    ]
    if limit:
        legend.append(Line2D([], [], color=_ENCRE, linewidth=1.1, linestyle=(0, (6, 2, 1, 2)), label="limite"))
    figure.legend(handles=legend, loc="lower center", ncols=len(legend), frameon=False, fontsize=11)
    figure.savefig(path)


def _aside(pieces: F64, step: float) -> F64:
    """Pieces moved to the right of the direction they are driven in."""
    along = pieces[:, 1] - pieces[:, 0]
    norm = np.hypot(along[:, 0], along[:, 1])
    norm[norm == 0] = 1.0
    right = np.stack([along[:, 1], -along[:, 0]], axis=1) / norm[:, None]
    moved: F64 = pieces + step * right[:, None, :]
    return moved


def stress_layout(distances: F64, rounds: int = 400) -> F64:
    """(N, 2) positions whose straight distances are those of the matrix (N, N; finite) as nearly as can be: stress
    majorisation (Gansner, Koren and North 2004, weights 1/d²) from classical scaling. Same matrix, same drawing."""
    d = np.minimum(distances, distances.T).astype(np.float64)
    n = len(d)
    centre = np.eye(n) - 1.0 / n
    values, vectors = np.linalg.eigh(-0.5 * centre @ (d**2) @ centre)
    xy: F64 = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 1e-9))
    apart = np.where(d > 0, d, 1.0)
    weight = np.where(d > 0, apart**-2.0, 0.0)
    laplacian = np.diag(weight.sum(axis=1)) - weight
    # Positions are known up to a shift: the first node stays where it is.
    inverse = np.linalg.inv(laplacian[1:, 1:])
    for _ in range(rounds):
        step = xy[:, None] - xy[None]
        far = np.hypot(step[..., 0], step[..., 1])
        pull = weight * d / np.where(far > 0, far, 1.0)
        pull[far == 0] = 0.0
        target = np.diag(pull.sum(axis=1)) - pull
        xy = xy - xy[0]
        xy[1:] = inverse @ (target @ xy)[1:]
    return xy
