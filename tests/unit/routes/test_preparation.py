"""From roads, depots and trucks to the problem: items, amounts, times, places, locks, refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routes.itineraires import Critere
from routes.preparation import (
    Camion,
    Depot,
    Niveau,
    Passes,
    Preparation,
    PreparationImpossible,
    Troncons,
    TypeCamion,
    Verrous,
    build,
    prepare,
)
from routes.probleme import AUCUN, Poids, ProblemeInvalide
from routes.reseau import ReseauHiver, Virages, make

from .reseaux import network, networks

#: 3.6 km/h = 1 m/s.
CAMION = TypeCamion(0, (6.0,), 1.8, 1.0, 40.0)
LOURD = TypeCamion(1, (10.0,), 3.6, 2.0, 50.0)


def roads(r: ReseauHiver, passes: Any = Passes.UNE, level: Any = 0, **more: Any) -> Troncons:
    ones = np.ones(r.edges)
    return Troncons(
        passes=np.broadcast_to(passes, r.edges).astype(np.int32),
        width_m=6.0 * ones,
        dose_g_m2=20.0 * ones[:, None],
        level=np.broadcast_to(level, r.edges).astype(np.int32),
        **more,
    )


def street(**more: Any) -> ReseauHiver:
    """0 - 1 - 2 - 3, 1 km each."""
    return network(4, [(k, k + 1, False, 1_000.0) for k in range(3)], **more)


def prepared(r: ReseauHiver, t: Troncons, depots: list[Depot] | None = None, **more: Any) -> Preparation:
    yards = depots or [Depot(0, reload_s=60.0)]
    return prepare(r, t, [Niveau(3_600.0), Niveau(earliest_s=10.0)], yards, [CAMION, LOURD], [Camion(0, 0)], **more)


@st.composite
def networks_with_roads(draw: st.DrawFn) -> tuple[ReseauHiver, Troncons]:
    r = draw(networks(turns=draw(st.booleans())))

    def column(strategy: st.SearchStrategy[Any]) -> Any:
        return np.array(draw(st.lists(strategy, min_size=r.edges, max_size=r.edges)))

    t = Troncons(
        passes=column(st.integers(0, 2)).astype(np.int32),
        width_m=column(st.sampled_from([3.0, 6.0])),
        dose_g_m2=np.stack([column(st.sampled_from([0.0, 2e4])), column(st.sampled_from([0.0, 1e4]))], axis=1),
        level=column(st.integers(0, 1)).astype(np.int32),
        skip_price=column(st.sampled_from([4.0, np.inf])),
        fixed_truck=column(st.sampled_from([AUCUN, AUCUN, 0])).astype(np.int32),
    )
    return r, t


@given(networks_with_roads(), st.sampled_from([np.inf, 1.0]))
def test_every_road_is_treated_as_asked_and_nothing_else(case: tuple[ReseauHiver, Troncons], longest: float) -> None:
    r, t = case
    kind = TypeCamion(0, (6.0, 6.0), 1.8, 1.0, 40.0)
    p = prepare(r, t, [Niveau(), Niveau()], [Depot(0)], [kind], [Camion(0, 0)], longest_m=longest)
    problem = p.probleme
    length = np.array([r.length_m[r.edge == e][0] for e in range(r.edges)])
    ways = np.bincount(r.edge, minlength=r.edges)
    for e in range(r.edges):
        items = p.items_of(e)
        wanted = 0 if t.passes[e] == 0 else 2 if t.passes[e] == 2 and ways[e] == 2 else 1
        assert len(items) == wanted
        for item in items:
            arcs = [p.contraction.chain(int(a)) for a in p.item_arc[item] if a != AUCUN]
            edges = r.edge[arcs[0]]
            assert e in edges
            assert len(set(edges.tolist())) == len(edges)
            for name in ("passes", "width_m", "level", "fixed_truck"):
                assert len(set(getattr(t, name)[edges].tolist())) == 1
            metres = length[edges].sum()
            assert problem.driven_m[item] == metres
            assert problem.length_m[item] == metres / wanted
            assert np.allclose(problem.demand[item], metres * t.width_m[e] * t.dose_g_m2[e] / 1e6)
            assert problem.level[item] == t.level[e]
            assert problem.fixed_truck[item] == t.fixed_truck[e]
            assert t.skip_price is not None
            assert problem.skip_price[item] == t.skip_price[edges].sum() / wanted
            # Twice as slow when treating as the first profile drives.
            assert problem.service_s[0, item, 0] == 2 * metres
            assert (problem.end[item, 1] != AUCUN) == (ways[e] == 2 and wanted == 1)
            if len(edges) > 1:
                assert metres <= longest
    assert problem.n_items == len({int(i) for e in range(r.edges) for i in p.items_of(e)})
    passes_road = [p.items_of(e) for e in range(r.edges) if len(p.items_of(e)) == 2]
    assert all(problem.road[a] == problem.road[b] for a, b in passes_road)


def test_demand_service_and_clock_of_a_street() -> None:
    p = prepared(street(), roads(street()))
    problem = p.probleme
    assert problem.n_items == 1
    assert problem.demand.tolist() == [[0.36]], "3 km, 6 m, 20 g/m²"
    # 1.8 km/h treating; the second type treats at 1 m/s but only drives at 0.5.
    assert problem.service_s[:, 0, 0].tolist() == [6_000.0, 6_000.0]
    assert (problem.deadline_s.tolist(), problem.earliest_s.tolist()) == ([3_600.0], [0.0])
    assert problem.initial_load.tolist() == [[6.0]]
    assert problem.n_points == 1
    assert np.isinf(problem.refill).all()
    # Loops have a name, an end has a depot: there and back again.
    assert problem.durations_s[0][problem.end[0, 0], problem.home[0, 1]] == 3_000.0


def test_roads_of_other_levels_widths_and_locks_are_other_items() -> None:
    r = street()
    assert prepared(r, roads(r, level=[0, 1, 1])).probleme.n_items == 2
    assert prepared(r, replace(roads(r), owner=np.array([0, 0, 1], np.int32))).probleme.n_items == 2
    assert prepared(r, replace(roads(r), width_m=np.array([6.0, 6.0, 3.0]))).probleme.n_items == 2
    assert prepared(r, roads(r), verrous=Verrous(apart=((0, 2),))).probleme.apart.tolist() in ([[0, 2]], [[0, 1]])
    p = prepared(r, roads(r), verrous=Verrous(forbidden=((1, 0),)))
    assert p.probleme.forbidden.tolist() == [[int(p.items_of(1)[0]), 0]]
    assert p.probleme.n_items == 3


def test_a_chain_is_cut_where_no_truck_could_hold_it() -> None:
    r = street()
    heavy = replace(roads(r), dose_g_m2=np.full((3, 1), 20_000.0 / 12))
    p = prepared(r, heavy)
    assert sorted(p.probleme.demand[:, 0].tolist()) == pytest.approx([10.0] * 3), "the largest truck holds 10 t"


def test_a_road_closed_to_a_kind_of_truck_is_not_served_by_it() -> None:
    r = street(closed={1})
    p = prepared(r, roads(r))
    (item,) = p.items_of(1)
    assert np.isfinite(p.probleme.service_s[0, item]).all()
    assert np.isinf(p.probleme.service_s[1, item]).all()


def test_reload_points_have_a_heading_where_the_yard_does_not_let_trucks_turn() -> None:
    r = street(virages=Virages.forbidden_but(), turn_allowed={0, 3})
    on_road = prepared(r, roads(r), [Depot(1, reload_s=60.0, turning=False, stock_t=(9.0,))])
    problem = on_road.probleme
    assert problem.n_points == 2
    assert problem.point_stock.tolist() == [0, 0]
    assert problem.stock.tolist() == [[9.0]]
    # Reached from 0, the truck goes on to 2 and must come back from 3.
    onward = problem.durations_s[0][problem.point_place[:, 1]][:, problem.start.ravel()]
    assert not np.array_equal(onward[0], onward[1])
    for point, place in enumerate(problem.point_place[:, 0]):
        assert problem.point_place[point, 1] == place
        arc = int(on_road.lieux.reach_arc[place])
        assert on_road.reseau.head[arc] == on_road.lieux.leave_node[place]
    yard = prepared(r, roads(r), [Depot(1, reload_s=60.0)])
    assert yard.probleme.n_points == 1
    free = prepared(street(), roads(r), [Depot(1, reload_s=60.0, turning=False)])
    assert free.probleme.n_points == 1, "without a price of turning a node has no heading"


def test_u_turns_are_in_the_matrices() -> None:
    # Serving both ways of the street needs a turn at its end; not allowed, the truck has no way.
    both = Passes.UNE_PAR_SENS
    allowed = street(virages=Virages.forbidden_but(30.0), turn_allowed={0, 3})
    p = prepared(allowed, roads(allowed, both)).probleme
    turns = [float(p.durations_s[0, p.end[a, 0], p.start[b, 0]]) for a, b in ((0, 1), (1, 0))]
    assert turns == [30.0, 30.0]
    refused = street(virages=Virages.forbidden_but(30.0), turn_allowed={0})
    p = prepared(refused, roads(refused, both)).probleme
    turns = [float(p.durations_s[0, p.end[a, 0], p.start[b, 0]]) for a, b in ((0, 1), (1, 0))]
    assert sorted(turns) == [30.0, np.inf]


def test_trucks_stocks_and_hours() -> None:
    r = street()
    depots = [Depot(0, stock_t=(5.0,)), Depot(3, reload_s=120.0, refill_t=(2.0,), opening_s=(100.0, 900.0))]
    trucks = [
        Camion(0, 0, name="A"),
        Camion(1, 1, shift_start_s=60.0, driving_limit_s=10.0, span_s=20.0, cost_fixed=7.0, initial_t=(0.5,),
               returns=False),
    ]  # fmt: skip
    p = build(r, roads(r), [Niveau()], depots, [CAMION, LOURD], trucks, Poids(truck=3.0), critere=Critere(0.0, 1.0))
    assert (p.n_points, p.point_s.tolist(), p.refill.tolist()) == (1, [120.0], [[2.0]])
    assert p.opening_s.tolist() == [[100.0, 900.0]]
    assert p.stock.tolist() == [[5.0], [np.inf]]
    assert p.point_stock.tolist() == [1]
    assert p.home[0, 0] == p.home[0, 1]
    assert p.home[1, 1] == AUCUN
    assert p.home_stock.tolist() == [0, 1]
    assert p.initial_load.tolist() == [[6.0], [0.5]]
    assert (p.shift_start_s[1], p.driving_limit_s[1], p.span_s[1], p.cost_fixed[1]) == (60.0, 10.0, 20.0, 7.0)
    assert p.weights.truck == 3.0
    assert p.truck_name(0) == "A"
    assert p.truck_name(1) == "camion 1"


def test_untreated_roads_are_only_driven() -> None:
    r = street()
    p = prepared(r, roads(r, [0, 1, 0], names=("D 1", "D 2", "D 3")))
    assert p.probleme.n_items == 1
    assert p.probleme.item_name(0) == "D 2"
    nothing = prepared(r, roads(r, Passes.NON_TRAITE))
    assert nothing.probleme.n_items == 0


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"passes": np.full(3, 3, np.int32)}, "passages"),
        ({"width_m": np.full(2, 1.0)}, "2 valeurs pour 3"),
        ({"width_m": np.full(3, np.nan)}, "width_m"),
        ({"dose_g_m2": np.full((3, 1), -1.0)}, "dose_g_m2"),
        ({"dose_g_m2": np.zeros((3, 0))}, "produit"),
        ({"level": np.full(3, 2, np.int32)}, "niveau"),
        ({"names": ("a",)}, "1 noms pour 3"),
    ],
)
def test_wrong_roads_are_refused(change: dict[str, Any], phrase: str) -> None:
    r = street()
    with pytest.raises(PreparationImpossible, match=phrase):
        prepared(r, replace(roads(r), **change))


def test_wrong_depots_trucks_and_locks_are_refused() -> None:
    r = street()
    t = roads(r)

    def refused(phrase: str, depots: list[Depot], types: list[TypeCamion], trucks: list[Camion], **more: Any) -> None:
        with pytest.raises(PreparationImpossible, match=phrase):
            build(r, t, [Niveau()], depots, types, trucks, **more)

    refused("au moins un dépôt", [], [CAMION], [Camion(0, 0)])
    refused("nœud 9", [Depot(9)], [CAMION], [Camion(0, 0)])
    refused("quantité par produit", [Depot(0, stock_t=(1.0, 2.0))], [CAMION], [Camion(0, 0)])
    refused("profil 5", [Depot(0)], [replace(CAMION, profile=5)], [Camion(0, 0)])
    refused("capacité par produit", [Depot(0)], [replace(CAMION, capacity_t=())], [Camion(0, 0)])
    refused("vitesse de traitement", [Depot(0)], [replace(CAMION, treating_kmh=0.0)], [Camion(0, 0)])
    refused("type ou dépôt", [Depot(0)], [CAMION], [Camion(0, 1)])
    refused("charge par produit", [Depot(0)], [CAMION], [Camion(0, 0, initial_t=(1.0, 1.0))])
    refused("verrous : morceau", [Depot(0)], [CAMION], [Camion(0, 0)], verrous=Verrous(apart=((0, 9),)))
    refused("verrous : camion", [Depot(0)], [CAMION], [Camion(0, 0)], verrous=Verrous(forbidden=((0, 9),)))
    with pytest.raises(ProblemeInvalide, match="point de rechargement"):
        build(r, t, [Niveau()], [Depot(0)], [CAMION], [Camion(0, 0, returns=False)])


def test_a_depot_may_share_its_node_and_a_road_may_be_a_loop() -> None:
    r = make(1, [0], [0], [100.0], [[100.0]])
    t = Troncons(np.ones(1, np.int32), np.ones(1), np.ones((1, 1)), np.zeros(1, np.int32))
    p = build(
        r, t, [Niveau()], [Depot(0, reload_s=0.0), Depot(0, reload_s=5.0)], [CAMION], [Camion(0, 0), Camion(0, 1)]
    )
    assert p.n_items == 1
    assert p.n_points == 2
    assert p.distances_m.shape == (1, 1, 1)
