"""The fictive centres: every EPCI has its own, enough of them, the same ones whatever is asked beside."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

demonstration = importlib.import_module("déchetteries.demonstration")
CommuneDesservie = demonstration.CommuneDesservie
plan_centres = demonstration.plan_centres


def communes(epci: int = 3, by_epci: int = 30, step_m: float = 4_000.0) -> list[object]:
    """EPCI side by side, a town of 20,000 inhabitants in each."""
    return [
        CommuneDesservie(
            code=f"{e:02d}{k:03d}",
            nom=f"Commune {k}",
            epci=f"20000000{e}",
            population=20_000 if k == 14 else 700,
            surface_km2=16.0,
            x=700_000.0 + (e * 6 + k // 5) * step_m,
            y=6_500_000.0 + k % 5 * step_m,
        )
        for e in range(epci)
        for k in range(by_epci)
    ]


def test_centres_of_each_epci_are_in_its_communes_and_in_its_town() -> None:
    plan = plan_centres(communes())
    for e in range(3):
        mine = [c for c in plan if c.epci == f"20000000{e}"]
        # 40,300 inhabitants for one centre by 14,000; 480 km² for one by 150.
        assert len(mine) == 3
        assert all(c.code.startswith(f"FICTIF-{e:02d}") for c in mine)
        assert f"FICTIF-{e:02d}014" in {c.code for c in mine}


def test_sites_are_near_their_mairie_and_apart_from_each_other() -> None:
    everywhere = {c.code: c for c in communes()}
    plan = plan_centres(list(everywhere.values()))
    for centre in plan:
        mairie = everywhere[centre.code.removeprefix("FICTIF-")]
        assert 300 < np.hypot(centre.x - mairie.x, centre.y - mairie.y) < 1_200
    assert len({(c.x, c.y) for c in plan}) == len(plan)


def test_capacity_is_of_the_order_of_the_visits_and_costs_follow_it() -> None:
    plan = plan_centres(communes())
    visits = 5.0 * sum(c.population for c in communes())
    assert 0.9 < sum(c.visites_an for c in plan) / visits < 1.8
    by_size = sorted(plan, key=lambda c: c.visites_an)
    assert by_size[0].cout_fixe_an < by_size[-1].cout_fixe_an
    assert all(c.horaires and "encombrants" in c.dechets for c in plan)


def test_conventions_let_in_another_epci_near_by() -> None:
    plan = plan_centres(communes(6))
    given_ = [c for c in plan if c.voisins]
    assert 0 < len(given_) < len(plan) / 2
    for centre in given_:
        assert centre.epci not in centre.voisins
        assert all(abs(int(voisin) - int(centre.epci)) == 1 for voisin in centre.voisins)


def test_an_epci_alone_gets_the_same_centres_as_among_others() -> None:
    among = [c for c in plan_centres(communes()) if c.epci == "200000000"]
    alone = plan_centres([c for c in communes() if c.epci == "200000000"])
    assert [(c.code, c.x, c.y, c.visites_an) for c in among] == [(c.code, c.x, c.y, c.visites_an) for c in alone]


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 1000))
def test_the_order_of_communes_changes_nothing(random: object, seed: int) -> None:
    shuffled = communes()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert plan_centres(shuffled, seed) == plan_centres(communes(), seed)


def test_one_commune_without_inhabitants_is_enough() -> None:
    (centre,) = plan_centres([CommuneDesservie("01001", "Les Bois", "1", 0, 3.0, 0.0, 0.0)])
    assert centre.nom == "Déchetterie des Bois"
    assert centre.visites_an > 0
    assert centre.voisins == ()


def test_without_roads_sites_stay_and_with_roads_they_move_to_one() -> None:
    plan = plan_centres(communes(1))
    assert demonstration.on_roads(plan, np.zeros(0), np.zeros(0)) == [(c.x, c.y) for c in plan]
    x, y = np.array([c.x + 12.0 for c in plan]), np.array([c.y - 5.0 for c in plan])
    assert demonstration.on_roads(plan, x, y) == [pytest.approx((c.x + 12.0, c.y - 5.0)) for c in plan]
    # Roads around one of them only: the others are not made.
    assert [place is not None for place in demonstration.on_roads(plan, x[:1], y[:1])] == [True, False, False]
