"""The checker of driven plans accepts every trajet of a plan and refuses each one broken on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from routes.controle_trajet import check_trajectory
from routes.preparation import Camion, Depot, Niveau, Passes, Preparation, Troncons, TypeCamion, prepare
from routes.probleme import AUCUN, Circuit, split_oversized
from routes.reseau import Virages
from routes.resultat import Solution
from routes.trajet import Trajet, expand
from territoires.calcul import ControleEchoue

from .reseaux import network
from .test_trajet import item, plans, street

#: Roads of a junction at node 0: to the south (1), the north (2), the east (3), the west (4), 100 m each.
CROIX = np.array([[0, 0], [0, -100], [0, 100], [100, 0], [-100, 0]], dtype=np.float64)
COLONNES = ("arc", "item", "point", "begin_s", "end_s")
Broken = tuple[Preparation, Circuit, Trajet] | None


@given(plans())
@settings(max_examples=100)
def test_every_trajet_of_a_plan_is_accepted(case: tuple[Preparation, Circuit]) -> None:
    p, circuit = case
    for original in (True, False):
        check_trajectory(p, [circuit], expand(p, [circuit], original=original), original=original)


def test_pieces_of_a_split_road_are_followed() -> None:
    p = street(dose=150_000.0)
    cut, origin = split_oversized(p.probleme)
    parts = np.flatnonzero(origin == item(p, 0, 1) // 2)
    circuits = tuple(Circuit(k, np.array([2 * parts[k]], dtype=np.int32)) for k in (0, 1))
    none: Any = None
    solution = Solution(circuits, np.zeros(0, np.int32), none, none, none, cut.input_hash(), origin)
    trajets = expand(p, solution)
    check_trajectory(p, solution, trajets)
    with pytest.raises(ControleEchoue, match=r"trajets des camions \[1, 0\], plan de \[0, 1\]"):
        check_trajectory(p, solution, trajets[::-1])


def rows(t: Trajet, keep: Any, **more: Any) -> Trajet:
    """Some steps of a trajet, in that order."""
    return replace(t, **({name: getattr(t, name)[np.asarray(keep, dtype=int)] for name in COLONNES} | more))


def changed(t: Trajet, **entries: tuple[int, Any]) -> Trajet:
    columns = {name: getattr(t, name).copy() for name in entries}
    for name, (index, value) in entries.items():
        columns[name][index] = value
    return replace(t, **columns)


def _pick(rng: np.random.Generator, where: Any) -> int | None:
    steps = np.flatnonzero(where)
    return int(rng.choice(steps)) if len(steps) else None


def _empty(t: Trajet) -> Any:
    return (t.arc != AUCUN) & (t.item == AUCUN)


def _uturn(p: Preparation, t: Trajet, rng: np.random.Generator) -> int | None:
    """A step that goes back by the road of the step before."""
    edge = p.original.edge[t.arc]
    back = (t.arc[1:] != AUCUN) & (t.arc[:-1] != AUCUN) & (edge[1:] == edge[:-1]) & (t.arc[1:] != t.arc[:-1])
    return _pick(rng, np.concatenate(([False], back)))


def skip_a_road(p: Preparation, c: Circuit, t: Trajet, rng: np.random.Generator) -> Broken:
    step = _pick(rng, _empty(t))
    return None if step is None else (p, c, rows(t, np.delete(np.arange(len(t.arc)), step)))


def there_and_back(p: Preparation, c: Circuit, t: Trajet, rng: np.random.Generator) -> Broken:
    """A detour into a road and back, before a step; the hours leave no time for it."""
    twin = p.original.reverse()
    step = _pick(rng, t.arc != AUCUN)
    if step is None:
        return None
    out = _pick(rng, (p.original.tail == p.original.tail[t.arc[step]]) & (twin != AUCUN))
    if out is None:
        return None
    longer = rows(t, [*range(step), step, step, *range(step, len(t.arc))])
    arcs, items = longer.arc.copy(), longer.item.copy()
    arcs[step : step + 2], items[step : step + 2] = (out, twin[out]), AUCUN
    return p, c, replace(longer, arc=arcs, item=items)


def treat_nothing(p: Preparation, c: Circuit, t: Trajet, rng: np.random.Generator) -> Broken:
    step = _pick(rng, t.item != AUCUN)
    return None if step is None else (p, c, changed(t, item=(step, AUCUN)))


def treat_on_the_way(p: Preparation, c: Circuit, t: Trajet, rng: np.random.Generator) -> Broken:
    """Treats a road that it only passes."""
    step = _pick(rng, _empty(t))
    return None if step is None or not p.probleme.n_items else (p, c, changed(t, item=(step, 0)))


def treat_backwards(p: Preparation, c: Circuit, t: Trajet, rng: np.random.Generator) -> Broken:
    twin = p.original.reverse()
    step = _pick(rng, (t.item != AUCUN) & (twin[t.arc] != AUCUN))
    return None if step is None else (p, c, changed(t, arc=(step, twin[t.arc[step]])))


def unknown_road(p: Preparation, c: Circuit, t: Trajet, rng: np.random.Generator) -> Broken:
    step = _pick(rng, _empty(t))
    return None if step is None else (p, c, changed(t, arc=(step, p.original.arcs)))


def forget_a_stop(p: Preparation, c: Circuit, t: Trajet, rng: np.random.Generator) -> Broken:
    step = _pick(rng, t.arc == AUCUN)
    return None if step is None else (p, c, rows(t, np.delete(np.arange(len(t.arc)), step)))


def stop_elsewhere(p: Preparation, c: Circuit, t: Trajet, rng: np.random.Generator) -> Broken:
    step = _pick(rng, t.arc == AUCUN)
    return None if step is None else (p, c, changed(t, point=(step, t.point[step] + 1)))


def drive_on(p: Preparation, c: Circuit, t: Trajet, rng: np.random.Generator) -> Broken:
    """A road more after the end of duty."""
    step = _pick(rng, t.arc != AUCUN)
    return None if step is None else (p, c, rows(t, [*range(len(t.arc)), step]))


def early(p: Preparation, c: Circuit, t: Trajet, rng: np.random.Generator) -> Broken:
    """A visit begins and ends a second too early."""
    step = _pick(rng, ~_empty(t))
    if step is None:
        return None
    return p, c, changed(t, begin_s=(step, t.begin_s[step] - 1.0), end_s=(step, t.end_s[step] - 1.0))


def fast(p: Preparation, c: Circuit, t: Trajet, rng: np.random.Generator) -> Broken:
    """A road driven in a second less."""
    step = _pick(rng, _empty(t))
    return None if step is None else (p, c, changed(t, end_s=(step, t.end_s[step] - 1.0)))


def lost_hour(p: Preparation, c: Circuit, t: Trajet, rng: np.random.Generator) -> Broken:
    step = _pick(rng, t.arc != AUCUN)
    return None if step is None else (p, c, changed(t, begin_s=(step, np.nan)))


def shorter_column(p: Preparation, c: Circuit, t: Trajet, rng: np.random.Generator) -> Broken:
    return None if not len(t.arc) else (p, c, replace(t, point=t.point[1:]))


def closed_road(p: Preparation, c: Circuit, t: Trajet, rng: np.random.Generator) -> Broken:
    """The profile may not go where it went."""
    step = _pick(rng, t.arc != AUCUN)
    if step is None:
        return None
    seconds = p.original.seconds.copy()
    seconds[p.probleme.type_profile[p.probleme.truck_type[c.truck]], t.arc[step]] = np.inf
    return replace(p, original=replace(p.original, seconds=seconds)), c, t


def uturn_forbidden(p: Preparation, c: Circuit, t: Trajet, rng: np.random.Generator) -> Broken:
    if _uturn(p, t, rng) is None or p.original.virages.free:
        return None
    nowhere = np.zeros(p.original.nodes, dtype=np.bool_)
    rule = Virages(dead_end_s=np.inf, uturn_elsewhere_s=np.inf)
    return replace(p, original=replace(p.original, turn_allowed=nowhere, virages=rule)), c, t


def uturn_dearer(p: Preparation, c: Circuit, t: Trajet, rng: np.random.Generator) -> Broken:
    """Turning round takes 5 s more than this truck took."""
    v = p.original.virages
    if _uturn(p, t, rng) is None or v.free:
        return None
    rule = replace(
        v, uturn_s=v.uturn_s + 5.0, dead_end_s=v.dead_end_s + 5.0, uturn_elsewhere_s=v.uturn_elsewhere_s + 5.0
    )
    return replace(p, original=replace(p.original, virages=rule)), c, t


def longer_matrix(p: Preparation, c: Circuit, t: Trajet, rng: np.random.Generator) -> Broken:
    """The matrices say a metre more than what is driven."""
    longer = p.probleme.distances_m + np.float32(1.0)
    return (replace(p, probleme=replace(p.probleme, distances_m=longer)), c, t) if len(c.visits) else None


#: What a way that is not the plan's may be refused for, wherever it is first felt.
CHEMIN = "attendu|arrivée au|virage interdit|route interdite|part du nœud|en entier|ne s'arrête pas"
WAYS: list[tuple[Callable[..., Broken], str]] = [
    (skip_a_road, CHEMIN),
    (there_and_back, CHEMIN),
    (treat_nothing, f"sans être traité|{CHEMIN}"),
    (treat_on_the_way, CHEMIN),
    (treat_backwards, "en entier"),
    (unknown_road, "inconnu"),
    (forget_a_stop, f"arrêt au point|{CHEMIN}"),
    (stop_elsewhere, "arrêt au point"),
    (drive_on, CHEMIN),
    (early, "prévu à|traitement continu|attendu"),
    (fast, "trajet de"),
    (lost_hour, "pas un nombre"),
    (shorter_column, "colonnes"),
    (closed_road, "route interdite"),
    (uturn_forbidden, "virage interdit|attendu"),
    (uturn_dearer, "attendu"),
    (longer_matrix, "chemin de"),
]


@pytest.mark.parametrize(("way", "words"), WAYS, ids=[way.__name__ for way, _ in WAYS])
@given(case=plans(), seed=st.integers(0, 1000))
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_a_broken_trajet_is_refused(
    way: Callable[..., Broken], words: str, case: tuple[Preparation, Circuit], seed: int
) -> None:
    p, circuit = case
    (trajet,) = expand(p, [circuit])
    check_trajectory(p, [circuit], [trajet])
    broken = way(p, circuit, trajet, np.random.default_rng(seed))
    assume(broken is not None)
    assert broken is not None
    prepared, same, now = broken
    with pytest.raises(ControleEchoue, match=words):
        check_trajectory(prepared, [same], [now])


@pytest.mark.parametrize(("to", "price"), [(2, 0.0), (3, 3.0), (4, 7.0)], ids=["ahead", "right", "left"])
def test_the_price_of_each_turn_is_asked_for(to: int, price: float) -> None:
    """From the south into each road, treated both: the turn takes its time, neither more nor less is accepted."""
    rule = Virages(left_s=7.0, right_s=3.0, uturn_s=5.0, dead_end_s=5.0, uturn_elsewhere_s=np.inf)
    r = network(5, [(1, 0, False, 100.0), *((0, k, False, 100.0) for k in (2, 3, 4))], rule, {0}, xy=CROIX)
    ones = np.ones(r.edges)
    t = Troncons(np.full(r.edges, Passes.UNE_PAR_SENS, np.int32), ones, ones[:, None], np.zeros(r.edges, np.int32))
    p = prepare(r, t, [Niveau()], [Depot(1, reload_s=5.0)], [TypeCamion(0, (1.0,), 1.8, 1.0, 40.0)], [Camion(0, 0)])
    circuit = Circuit(0, np.array([item(p, 1, 0), item(p, 0, to)], dtype=np.int32))
    (trajet,) = expand(p, [circuit])
    check_trajectory(p, [circuit], [trajet])
    assert trajet.begin_s[1] - trajet.end_s[0] == pytest.approx(price)
    for wrong in (replace(rule, left_s=9.0, right_s=5.0), replace(rule, left_s=6.0, right_s=2.0)):
        other = replace(p, original=replace(p.original, virages=wrong))
        if price:
            with pytest.raises(ControleEchoue, match=r"chemin de .*\ss, attendu .*\ss$"):
                check_trajectory(other, [circuit], [trajet])
        else:
            check_trajectory(other, [circuit], [trajet])
