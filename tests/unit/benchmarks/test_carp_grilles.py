"""Generated grids: as asked, connected, with plans in sight."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.carp_grilles import GRILLES, make_grid
from benchmarks.carp_lecture import problem_of, shortest_lengths


def test_same_seed_same_grid() -> None:
    first, homes = make_grid(6, 5, 30, depots=3, trucks=6, slack=1.1, seed=4)
    again, same = make_grid(6, 5, 30, depots=3, trucks=6, slack=1.1, seed=4)
    other, _ = make_grid(6, 5, 30, depots=3, trucks=6, slack=1.1, seed=5)
    assert np.array_equal(first.cost, again.cost) and np.array_equal(homes, same)
    assert problem_of(first, homes).input_hash() == problem_of(again, same).input_hash()
    assert not np.array_equal(first.cost, other.cost)


def test_grid_is_as_asked() -> None:
    graph, homes = make_grid(8, 7, 60, depots=4, trucks=9, slack=1.1, seed=1)
    assert len(graph.required) == 60 < len(graph.ends)
    assert len(homes) == 9
    assert sorted(set(homes.tolist())) == graph.depots.tolist(), "every depot has a truck"
    assert np.isfinite(shortest_lengths(graph)).all()
    assert np.array_equal(graph.cost, np.rint(graph.cost)), "exact in float32"
    load = graph.capacity * len(homes) / graph.demand.sum()
    assert 1.1 <= load < 1.1 + len(homes) / graph.demand.sum()
    assert graph.capacity > graph.demand.max()


def test_more_streets_than_the_grid_has_is_refused() -> None:
    with pytest.raises(ValueError, match="demandées"):
        make_grid(3, 3, 13, depots=1, trucks=2, slack=1.1, seed=1)


@pytest.mark.parametrize(
    ("name", "required", "depots", "trucks"), [("grille-1000", 1000, 1, 44), ("grille-3000", 3000, 46, 110)]
)
def test_grids_of_the_bench(name: str, required: int, depots: int, trucks: int) -> None:
    graph, homes = GRILLES[name]()
    assert (len(graph.required), len(graph.depots), len(homes)) == (required, depots, trucks)
