"""Imaginary communes to draw roads between."""

from __future__ import annotations

import shapely

from territoires.demonstration.hasard import uniform
from territoires.demonstration.semis import CommuneSource


def chequerboard(
    columns: int = 6, rows: int = 4, side_m: float = 4_500.0, outlines: bool = True
) -> list[CommuneSource]:
    """Square communes; the western half is département « 01 », the eastern half « 02 »; one town in each."""
    out = []
    for i in range(columns):
        for j in range(rows):
            west, south = 800_000.0 + i * side_m, 6_500_000.0 + j * side_m
            dx, dy = uniform(7, i, j, [0, 1]) * 0.5 + 0.25
            number = i * rows + j
            big = number in (rows + 1, (columns - 2) * rows + 2)
            out.append(
                CommuneSource(
                    code=f"{1 if i < columns // 2 else 2:02d}{number:03d}",
                    nom=f"Bourg {number}",
                    departement="01" if i < columns // 2 else "02",
                    population=18_000 if big else int(100 + 2_000 * float(uniform(8, i, j)[0])),
                    x=west + dx * side_m,
                    y=south + dy * side_m,
                    contour=shapely.box(west, south, west + side_m, south + side_m) if outlines else None,
                )
            )
    return out
