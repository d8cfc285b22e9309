"""Loire and Haute-Loire: what the preparation makes of their real main roads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from benchmarks.carp_42_43 import Demande, from_sorties, to_sorties
from benchmarks.carp_loire import MEMBRES, Hypotheses, Territoire, problem, read
from routes.controle import check
from routes.controle_trajet import check_trajectory
from routes.preparation import Preparation
from routes.probleme import AUCUN, Circuit
from routes.solveur import solve
from routes.trajet import expand
from territoires.calcul import Arret

pytestmark = pytest.mark.reel


@pytest.fixture(scope="module")
def territoire(donnees: Path) -> Territoire:
    return read(donnees, Hypotheses())


@pytest.fixture(scope="module")
def ensemble(territoire: Territoire) -> Preparation:
    return problem(territoire, MEMBRES, Hypotheses())


def test_the_block_is_the_sum_of_its_members(territoire: Territoire, ensemble: Preparation) -> None:
    alone = [problem(territoire, (code,), Hypotheses()).probleme for code in MEMBRES]
    whole = ensemble.probleme
    for name in ("length_m", "demand"):
        assert getattr(whole, name).sum() == pytest.approx(sum(getattr(p, name).sum() for p in alone))
    assert whole.n_items == sum(p.n_items for p in alone)
    assert whole.n_trucks == sum(p.n_trucks for p in alone)
    assert [round(p.length_m.sum() / 1e3) for p in alone] == [2766, 2893]
    assert whole.length_m.sum() * 6 * 20 / 1e6 == pytest.approx(whole.demand.sum())
    # Half of the kilometres in the first level, each member alike.
    for p in alone:
        shares = np.bincount(p.level, weights=p.length_m) / p.length_m.sum()
        assert shares == pytest.approx(np.array([0.50, 0.26, 0.24]), abs=0.01)


def test_every_arc_is_in_one_chain_and_distances_are_those_of_the_file(
    territoire: Territoire, ensemble: Preparation
) -> None:
    r, c, lieux = territoire.reseau, ensemble.contraction, ensemble.lieux
    assert sorted(c.arcs.tolist()) == list(range(r.arcs))
    order = np.lexsort((r.length_m, r.head, r.tail))
    pair = r.tail[order].astype(np.int64) * r.nodes + r.head[order]
    best = order[np.concatenate(([True], pair[1:] != pair[:-1]))]
    graph = csr_array((r.length_m[best], (r.tail[best], r.head[best])), shape=(r.nodes, r.nodes))
    some = np.arange(0, len(lieux), 40)
    nodes = c.node[lieux.leave_node]
    far = dijkstra(graph, indices=nodes[some])[:, nodes]
    assert np.allclose(ensemble.probleme.distances_m[0, some], far, rtol=1e-5)
    assert np.allclose(ensemble.probleme.durations_s[0, some], far * 3.6 / 50, rtol=1e-5)


def test_every_road_can_be_reached_and_every_depot_is_in_its_own_departement(
    territoire: Territoire, ensemble: Preparation
) -> None:
    p = ensemble.probleme
    assert np.isfinite(p.durations_s[0][p.home[0, 0], p.start[:, 0]]).all()
    assert len(set(p.home[:, 0].tolist())) == 47
    assert np.bincount(territoire.depot_member).tolist() == [23, 24]
    assert territoire.depot_name[0] == "Saint-Étienne"
    assert "Puy-en-Velay" in territoire.depot_name


def test_a_circuit_is_driven_on_the_roads_of_the_file(territoire: Territoire, ensemble: Preparation) -> None:
    p = ensemble.probleme
    # The nearest roads of one depot, in both directions, with a reload half-way.
    near = np.argsort(p.durations_s[0][p.home[0, 0], p.start[:, 0]], kind="stable")[:20]
    visits = [2 * int(item) + k % 2 for k, item in enumerate(near)]
    point = int(np.flatnonzero(p.point_place[:, 0] == p.home[0, 0])[0])
    circuit = Circuit(0, np.array([*visits[:10], -1 - point, *visits[10:]], dtype=np.int32))
    (trajet,) = expand(ensemble, [circuit])
    check_trajectory(ensemble, [circuit], [trajet])
    edges = territoire.reseau.edge[trajet.arc[trajet.served]]
    assert len(set(edges.tolist())) == len(edges)
    assert set(territoire.member[edges].tolist()) <= {0, 1}
    assert np.count_nonzero(trajet.arc == AUCUN) == 1


def test_plans_of_the_members_are_one_plan_of_the_block(
    donnees: Path, territoire: Territoire, ensemble: Preparation
) -> None:
    cost, sorties = 0.0, []
    for code in MEMBRES:
        demande = Demande(donnees, (code,), 1, 1.0, "limitrophe", Hypotheses())
        alone = problem(territoire, (code,), Hypotheses())
        plan = solve(alone.probleme, Arret(iterations=300), seed=1)
        cost += plan.objectif.total
        sorties += to_sorties(alone, territoire, demande, plan)
    both = Demande(donnees, MEMBRES, 1, 1.0, "limitrophe", Hypotheses(), tuple(sorties))
    start = from_sorties(ensemble, territoire, both)
    together = solve(ensemble.probleme, Arret(iterations=0), start=start)
    check(ensemble.probleme, together)
    assert not together.bilan.remarks
    assert together.objectif.total <= cost * (1 + 1e-6)
