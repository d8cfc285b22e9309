"""The search: what it counts is what a plan costs, the same seed gives the same plan, it stops at once, it leaves no
process behind, it finds today's plan and what is better."""

from __future__ import annotations

import pickle
import threading
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collèges import moteur, solveur
from collèges.controle import check, check_evaluation
from collèges.couts import costs, state
from collèges.donnees import donnees, marks, memoire, to_college, to_x
from collèges.evaluation import compare, cost_of, evaluate, known_tables, move
from collèges.probleme import AUCUN, Problem
from collèges.recherche import anneal, apply, may_enter, may_leave, relink_all, seeded
from collèges.resultat import Plan, Solution, present_plan
from collèges.solveur import Recherche, solve
from collèges.variation import other_costs, shift_cost, total
from territoires.calcul import Arret, silent

from .cas import make_case, problems
from .enfant_local import EnfantLocal


def full_cost(problem: Problem, college: Any) -> float:
    t = known_tables(problem)
    return costs(problem, t, college, state(problem, t, college)).total


@settings(max_examples=60)
@given(problems(zones=(2, 14), colleges=(2, 4)), st.integers(0, 10_000))
def test_each_shift_costs_what_the_plan_s_cost_changes_by(problem: Problem, seed: int) -> None:
    d = donnees(problem, known_tables(problem))
    m = memoire(d, *to_x(problem.present, problem.n_colleges))
    relink_all(d, m)
    constante = full_cost(problem, problem.present) - total(d, m)
    rng = np.random.default_rng(seed)
    for zone in rng.permutation(problem.n_zones):
        b, a = int(rng.integers(problem.n_colleges)), int(m.x[zone])
        if m.x2[zone] >= 0 or a == b or not may_enter(d, m, zone, b) or not may_leave(d, m, zone):
            continue
        delta = shift_cost(
            d.lin, d.w, d.poids, m.charge, m.etrangers, d.suivent, d.etranger, d.haut, d.bas, d.minimum, d.limites[0],
            zone, a, b, problem.n_colleges,
        )  # fmt: skip
        if d.autres:
            delta += other_costs(d, m, zone, b)
        avant = total(d, m)
        apply(d, m, zone, b)
        entier = full_cost(problem, to_college(m.x, m.x2, problem.n_colleges)) - constante
        assert total(d, m) == pytest.approx(entier, rel=1e-9, abs=1e-6)
        assert delta == pytest.approx(entier - avant, rel=1e-7, abs=1e-5)


@settings(max_examples=40)
@given(problems(zones=(2, 20), colleges=(2, 4)), st.integers(1, 99))
def test_annealing_keeps_count_and_cuts_nobody_off(problem: Problem, seed: int) -> None:
    d = donnees(problem, known_tables(problem))
    m = memoire(d, *to_x(problem.present, problem.n_colleges))
    relink_all(d, m)
    m.totaux[2] = m.totaux[3] = total(d, m)
    zones = np.flatnonzero(~d.fige & (m.x2 < 0)).astype(np.int32)
    anneal(d, m, seeded(seed), zones, 500.0, 1.0, 0, 2_000, 2_000)
    assert m.totaux[2] == pytest.approx(total(d, m), rel=1e-9, abs=1e-5)
    for x in (m.x, m.meilleur):
        assert evaluate(problem, Plan(to_college(x, m.x2, problem.n_colleges))).coupees == ()


def test_marks_hold_as_many_tests_as_a_search_ever_makes() -> None:
    """Marks narrower than their counter would be never found again past 2^31, and the flood never end."""
    problem = grid()
    d = donnees(problem, known_tables(problem))
    plans = []
    for depart in (0, 2**31 - 100):
        m = memoire(d, *to_x(problem.present, problem.n_colleges))
        # First: without it the next lines would write past the stack.
        assert np.iinfo(m.marque.dtype).max >= np.iinfo(m.compteur.dtype).max
        m.compteur[0] = depart
        relink_all(d, m)
        m.totaux[2] = m.totaux[3] = total(d, m)
        anneal(d, m, seeded(1), np.flatnonzero(~d.fige).astype(np.int32), 500.0, 1.0, 0, 5_000, 5_000)
        assert m.compteur[0] > depart + 1_000
        plans.append(m.x.copy())
    np.testing.assert_array_equal(plans[0], plans[1])
    marque, compteur, pile = marks(4)
    assert marque.dtype == compteur.dtype and len(pile) > 4


def grid(graine: int = 5, n: int = 80, c: int = 5) -> Problem:
    return make_case(graine, n, c, g=1, t=1, grille=True, plan="pousse", regles=False, partages=0.0)


def test_the_same_seed_and_turns_give_the_same_plan() -> None:
    problem = grid(n=40, c=3)
    une, autre, troisieme = (solve(problem, Arret(iterations=2), seed=graine) for graine in (3, 3, 4))
    assert une.plan == autre.plan
    assert une.bilan.cost == autre.bilan.cost and une.bilan.bound == autre.bilan.bound
    assert une.empreinte == autre.empreinte
    # On a problem that every seed solves alike this would prove nothing.
    assert troisieme.bilan.bound != une.bilan.bound


class EnfantLent(EnfantLocal):
    """Each message is there only at the third look, a little later."""

    def __init__(self) -> None:
        super().__init__()
        self.regards = 0

    def receive(self, attente: float = 0.0) -> tuple[Any, ...] | None:
        self.regards += 1
        if self.regards % 3:
            time.sleep(0.001)
            return None
        return super().receive(attente)


class ProcessusLent(moteur.Enfant):
    """A real child whose messages are late."""

    def receive(self, attente: float = 0.0) -> tuple[Any, ...] | None:
        time.sleep(0.01)
        return super().receive(attente)


def account(problem: Problem, tours: int) -> tuple[Any, ...]:
    """All that an answer says but seconds."""
    solution = solve(problem, Arret(iterations=tours), seed=2)
    check(problem, solution)
    b = solution.bilan
    trace = [(point.cost, point.bound) for point in b.trace]
    return solution.plan, b.cost, b.bound, b.status, b.iterations, b.remarks, trace


@pytest.mark.parametrize("graine", range(12))
def test_with_turns_alone_nothing_depends_on_how_quick_a_child_is(monkeypatch: pytest.MonkeyPatch, graine: int) -> None:
    """Small maps, most of them proven best on the way: the search ends there, whatever is still to be read."""
    problem = make_case(graine, 10 + graine, 3, g=1, t=1, regles=graine % 3 == 0, partages=0.1 * (graine % 2))
    comptes = []
    for enfant in (EnfantLocal, EnfantLent):
        monkeypatch.setattr(solveur, "Enfant", enfant)
        comptes.append(account(problem, 3))
    assert comptes[0] == comptes[1]


def test_a_search_that_has_ended_reads_nothing_more() -> None:
    """Or a quick child's last words would be in the account, and a slow one's not."""
    recherche = Recherche(grid(), Arret(iterations=1), 1, silent)
    enfant: Any = EnfantLocal()
    enfant.messages.append(("borne", 0.0, False, None))
    recherche.suivi.bound(recherche.suivi.cout)
    assert recherche.suivi.proven
    assert recherche.wait(enfant, float("inf")) is None and len(enfant.messages) == 1


def test_a_real_child_that_is_slow_changes_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = grid(n=40, c=4)
    comptes = []
    for enfant in (moteur.Enfant, ProcessusLent):
        monkeypatch.setattr(solveur, "Enfant", enfant)
        comptes.append(account(problem, 1))
    assert comptes[0] == comptes[1]


def test_better_than_today_with_a_bound_and_a_falling_trace() -> None:
    problem = grid(n=40, c=3)
    vues: list[Solution] = []

    def progress(part: Any, phrase: str, best: Any = None, bound: Any = None, shown: Any = None) -> None:
        if shown is not None:
            vues.append(shown)

    solution = solve(problem, Arret(iterations=3), 1, progress)
    check(problem, solution)
    for vue in vues:
        check(problem, vue)
    assert vues, "no plan was told on the way"
    assert solution.evaluation.difference.cout < 0
    assert solution.bilan.bound is not None and 0 < solution.bilan.bound <= solution.bilan.cost
    assert solution.bilan.gap is not None and solution.bilan.gap < 0.01
    couts = [point.cost for point in solution.bilan.trace]
    assert couts == sorted(couts, reverse=True)
    bornes = [point.bound for point in solution.bilan.trace if point.bound is not None]
    assert bornes == sorted(bornes)


def test_cancelled_at_once_and_no_process_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = grid(n=150, c=6)
    solve(grid(n=12, c=2), Arret(iterations=1))  # Loops compiled.
    enfants: list[moteur.Enfant] = []

    class Suivi(moteur.Enfant):
        def __init__(self) -> None:
            super().__init__()
            enfants.append(self)

    monkeypatch.setattr(solveur, "Enfant", Suivi)
    annule = threading.Event()
    instant: list[float] = []

    def cancel() -> None:
        instant.append(time.process_time())
        annule.set()

    threading.Timer(1.0, cancel).start()
    solution = solve(problem, Arret(cancelled=annule.is_set))
    # Processor time of this process: others may hold the machine.
    assert time.process_time() - instant[0] < 0.2
    check(problem, solution)
    assert len(enfants) == 2
    assert all(enfant.processus.poll() is not None for enfant in enfants)


def test_the_best_plan_outlives_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fragile(moteur.Enfant):
        def send(self, *message: Any) -> None:
            super().send(*message)
            if message[0] == "avance":
                self.processus.kill()

    monkeypatch.setattr(solveur, "Enfant", Fragile)
    dit: list[str] = []
    problem = grid(n=40, c=3)
    solution = solve(problem, Arret(iterations=3), 1, lambda f, m, *reste: dit.append(m))
    check(problem, solution)
    assert solution.evaluation.difference.cout < 0
    assert any("Recherche écourtée" in phrase for phrase in dit)


def test_nobody_writes_on_a_link_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer holds a message when the child is killed: the link stays open until it has done with it."""
    fermes: list[bool] = []

    class Lent:
        def __init__(self, lien: Any) -> None:
            self.lien = lien

        def send(self, message: Any) -> None:
            time.sleep(0.1)
            fermes.append(self.lien.closed)
            raise BrokenPipeError

        def close(self) -> None:
            self.lien.close()

    with moteur.Enfant() as enfant:
        monkeypatch.setattr(enfant, "lien", Lent(enfant.lien))
        enfant.send("maitre")
        while not enfant._a_envoyer.empty():
            time.sleep(0.001)
    time.sleep(0.3)
    assert fermes == [False]


def test_a_child_that_dies_is_told() -> None:
    with moteur.Enfant() as enfant:
        enfant.processus.kill()
        enfant.processus.wait()
        with pytest.raises(moteur.ProcessusPerdu, match="arrêté brusquement"):
            for _ in range(100):
                enfant.receive(0.01)


def test_changes_by_hand_are_quick_and_undone() -> None:
    problem = make_case(7, 600, 25, t=4, grille=True, plan="pousse", regles=True)
    depart = present_plan(problem)
    evaluate(problem, depart)
    rng = np.random.default_rng(1)
    durees = []
    plan = depart
    for _ in range(12):
        zones = rng.choice(600, 3, replace=False)
        debut = time.process_time()
        plan, evaluation = move(problem, plan, zones.tolist(), int(rng.integers(25)))
        durees.append(time.process_time() - debut)
        assert evaluation.cout == pytest.approx(cost_of(problem, plan))
        assert evaluation.manques
    assert sorted(durees)[len(durees) // 2] < 0.020
    assert compare(problem, plan, depart).zones == evaluation.difference.zones
    while plan.parent is not None:
        plan = plan.parent
    assert plan == depart


def test_a_zone_given_twice_is_changed_once() -> None:
    problem = grid()
    depart = present_plan(problem)
    autre = (int(problem.present[1, 0]) + 1) % problem.n_colleges
    suite, evaluation = move(problem, depart, [1, 1], autre)
    assert [(b.zone, b.apres) for b in suite.bascules] == [(1, (autre, AUCUN))]
    check_evaluation(problem, suite, evaluation)
    assert suite.parent == depart and pickle.loads(pickle.dumps(suite)) == suite


def test_no_time_at_all_is_today_s_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fraction of a search of 0 s is 1, from the first word on."""
    monkeypatch.setattr(solveur, "Enfant", EnfantLocal)
    problem = grid()
    dits: list[float | None] = []
    solution = solveur.solve(problem, Arret(seconds=0.0), 1, lambda fraction, *_: dits.append(fraction))
    check(problem, solution)
    assert solution.plan == present_plan(problem)
    assert dits and set(dits) == {1.0}


def test_a_change_by_hand_names_what_does_not_exist() -> None:
    problem = grid()
    plan = present_plan(problem)
    with pytest.raises(ValueError, match="collège 9 inexistant"):
        move(problem, plan, [0], 9)
    with pytest.raises(ValueError, match="zone 99 inexistante"):
        move(problem, plan, [99], AUCUN)
    with pytest.raises(ValueError, match="au lieu de 80"):
        evaluate(problem, Plan(np.zeros((3, 2), dtype=np.int32)))
