"""What the compiled search keeps of its routes after many changes is what it would compute afresh."""

from __future__ import annotations

import numpy as np
import pytest

from routes.noyau import construct, iterate
from routes.noyau_donnees import (
    S_BEST,
    S_BLINK,
    S_COOLING,
    S_CURRENT,
    S_EXCESS,
    S_PENALTY,
    S_REMOVALS,
    S_TEMPERATURE,
    Donnees,
    Etat,
    make_data,
    make_state,
)
from routes.noyau_reserve import clear, settle

from .cas import FEATURES, make, planned


def searched(feature: str, case: int, penalty: float) -> tuple[Donnees, Etat]:
    """A state after some iterations, warm enough that many are kept."""
    problem, _ = planned(make(feature, case, 14))
    d = make_data(problem)
    s = make_state(d, case)
    s.sums[S_REMOVALS], s.sums[S_BLINK], s.sums[S_COOLING] = 5.0, 0.01, 1.0
    clear(d, s)
    construct(d, s)
    s.sums[S_TEMPERATURE], s.sums[S_PENALTY] = abs(s.sums[S_CURRENT]) / 50, penalty
    iterate(d, s, 700)
    return d, s


@pytest.mark.parametrize("case", range(4))
@pytest.mark.parametrize("feature", FEATURES)
def test_what_is_kept_of_routes_is_as_if_made_afresh(feature: str, case: int) -> None:
    d, s = searched(feature, case, 0.0)
    fresh = make_state(d, case)
    clear(d, fresh)
    for k, route in enumerate(s.route):
        assert settle(d, fresh, k, s.visit[k, : route["size"]]) == 0
    assert np.allclose(fresh.route["value"], s.route["value"])
    assert np.allclose(fresh.sums[S_CURRENT], s.sums[S_CURRENT])
    assert np.array_equal(fresh.item["truck"], s.item["truck"])
    assert np.array_equal(fresh.item["at"][fresh.item["truck"] >= 0], s.item["at"][s.item["truck"] >= 0])
    for k, route in enumerate(s.route):
        for name in ("in0", "in1", "out0", "out1", "fwd0", "fwd1", "bwd0", "bwd1"):
            assert np.allclose(fresh.visit[name][k, : route["size"]], s.visit[name][k, : route["size"]]), name
        parts = route["segments"]
        assert np.allclose(fresh.load["slack"][k, :parts], s.load["slack"][k, :parts])


@pytest.mark.parametrize("case", range(12))
def test_excess_loads_are_counted_and_never_in_the_best_plan(case: int) -> None:
    d, s = searched("capacity", case, 1e-6)
    loads = np.array([d.demand[s.visit["e"][k, : r["size"]], 0].sum() for k, r in enumerate(s.route)])
    assert s.sums[S_EXCESS] == pytest.approx(np.maximum(0, loads - d.first_load[:, 0]).sum(), abs=1e-6)
    held = np.array([d.demand[s.best["e"][k, : r["best_size"]], 0].sum() for k, r in enumerate(s.route)])
    assert (held <= d.first_load[:, 0] + 1e-6).all()
    if s.route["best_size"].sum() == d.n:
        assert s.sums[S_BEST] == pytest.approx(s.route["best_value"].sum())
