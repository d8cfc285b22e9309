"""Maps of sectors: what is on the plan is on the picture."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image as mpl_image
import numpy as np
import pytest
import shapely

from benchmarks.carte_secteurs import COULEURS, draw
from collèges.carte_zones import Zone
from collèges.probleme import AUCUN, Problem
from tests.unit.colleges.cas import make_case


@pytest.fixture
def problem() -> Problem:
    """Twelve squares of 1 km, three collèges, one shared zone, one without collège."""
    base = make_case(2, 12, 3, g=2, t=1, plan="pousse", regles=False)
    present = np.array([[j, AUCUN] for j in (0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, AUCUN)], dtype=np.int32)
    present[9] = [2, 0]
    return make_case(2, 12, 3, g=2, t=1, plan="pousse", regles=False, present=present, capacite=base.capacite)


def rgb(couleur: str) -> tuple[int, int, int]:
    return tuple(int(couleur[k : k + 2], 16) for k in (1, 3, 5))  # type: ignore[return-value]


def test_sectors_changes_and_limits_are_drawn(problem: Problem, tmp_path: Path) -> None:
    zones = [
        Zone(code, code, "42", 1.0, shapely.box(x - 500, y - 500, x + 500, y + 500), x, y)
        for code, x, y in zip(problem.zone_code, problem.zone_x, problem.zone_y, strict=True)
    ]
    plan = problem.present.copy()
    plan[4] = [1, AUCUN]
    image = tmp_path / "carte" / "essai.png"
    draw(problem, zones, [("Aujourd'hui", problem.present), ("Ensemble", plan)], image)
    # One quiet colour for each of the three sectors, the limit of the two groups, the dots of the changed zone.
    assert sum(_pixels(image, couleur) > 5_000 for couleur in COULEURS) == 3
    assert _pixels(image, "#1a1a1a") > 500
    sans = tmp_path / "sans.png"
    draw(problem, zones, [("Aujourd'hui", problem.present)], sans)
    # The legend names it, and nothing else is dotted.
    assert _red(sans) < 0.5 * _red(image)


def _red(image: Path) -> int:
    """Pixels of the dots of a zone that changes, blurred at their edge."""
    lue = mpl_image.imread(image)[..., :3]
    return int(((lue[..., 0] > 0.6) & (lue[..., 1] < 0.4) & (lue[..., 2] < 0.4)).sum())


def _pixels(image: Path, couleur: str) -> int:
    lue = (mpl_image.imread(image)[..., :3] * 255).round().astype(int)
    return int(np.all(lue == np.array(rgb(couleur)), axis=2).sum())
