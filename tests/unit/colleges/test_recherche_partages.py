"""The search where it is easily forgotten: sectors shared today, answers that come late, plans given to start from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from collèges import solveur
from collèges.controle import check
from collèges.evaluation import cost_of
from collèges.probleme import AUCUN, Problem
from collèges.programme import Reponse
from collèges.resultat import Plan, present_plan
from collèges.solveur import Recherche
from territoires.calcul import Arret, silent

from .cas import make_case
from .enfant_local import EnfantLocal
from .exact import best_plan


@pytest.fixture(autouse=True, scope="module")
def _no_processes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as remplace:
        remplace.setattr(solveur, "Enfant", EnfantLocal)
        yield


def shared(graine: int) -> Problem:
    return make_case(graine, 6, 2, g=1, t=1, regles=False, partages=0.4)


def halves(problem: Problem) -> Iterator[tuple[int, Recherche, Any, Any]]:
    """Shared zones that may end in either of their collèges: search, and sums of the dearer and of the cheaper end."""
    recherche = Recherche(problem, Arret(iterations=1), 1, silent)
    for zone in np.flatnonzero(problem.present[:, 1] != AUCUN):
        sommes = []
        for j in problem.present[zone]:
            x, x2 = recherche.m.x.copy(), recherche.m.x2.copy()
            x[zone], x2[zone] = j, AUCUN
            sommes.append(recherche.memory(x, x2))
        un, deux = sommes
        if un is not None and deux is not None and abs(un.totaux[2] - deux.totaux[2]) > 1.0:
            yield int(zone), recherche, max(un, deux, key=_cost), min(un, deux, key=_cost)


def _cost(m: Any) -> float:
    return float(m.totaux[2])


def test_a_zone_no_longer_shared_moves_like_any_other() -> None:
    vus = 0
    for graine in range(20):
        for zone, recherche, chere, bonne in halves(shared(graine)):
            recherche.m = chere
            recherche.suivi.x, recherche.suivi.x2, recherche.suivi.cout = chere.x, chere.x2, _cost(chere)
            assert recherche.take(bonne.x)
            assert recherche.m.x[zone] == bonne.x[zone]
            # But the master knows nothing of it: what it says there is left out.
            recherche.m = chere
            recherche.suivi.x, recherche.suivi.x2, recherche.suivi.cout = chere.x, chere.x2, _cost(chere)
            recherche.recu = bonne.x
            recherche.take_received()
            assert recherche.m is chere
            vus += 1
            break
    assert vus > 3


def test_shared_sectors_end_even_where_every_other_zone_is_fixed() -> None:
    vus = 0
    for graine in range(20):
        base = shared(graine)
        if not (base.present[:, 1] != AUCUN).any():
            continue
        # Every zone that is not shared is imposed where it is.
        impose = np.where(base.present[:, 1] == AUCUN, base.present[:, 0], AUCUN).astype(np.int32)
        problem = replace(base, impose=impose)
        aujourdhui = cost_of(problem, present_plan(problem))
        recherche = Recherche(problem, Arret(iterations=1), 1, silent)
        assert not len(recherche.zones)
        # One sector ended is enough to be better (the search ends them one by one).
        seule = min((_cost(bonne) for _, _, _, bonne in halves(problem)), default=np.inf) + recherche.constante
        if seule > aujourdhui - 1.0:
            continue
        solution = solveur.solve(problem, Arret(iterations=3), seed=1)
        check(problem, solution)
        assert solution.evaluation.cout < aujourdhui - 1e-6
        assert solution.bilan.bound is not None and float(solution.bilan.bound) <= best_plan(problem)[0] + 0.01
        vus += 1
    assert vus > 2


def test_an_answer_that_comes_late_is_not_the_next_one_s() -> None:
    recherche = Recherche(shared(1), Arret(iterations=1), 1, silent)
    recherche.pieceur = enfant = EnfantLocal()  # type: ignore[assignment]
    vieille, neuve = Reponse(None, 1.0, 1.0, None), Reponse(None, 2.0, 2.0, None)
    recherche.numero = 2
    enfant.messages.extend([("reponse", 1, vieille), ("reponse", 2, neuve)])
    assert recherche.answer(5.0) is neuve
    # One that is late alone is no answer, however long it is waited for.
    enfant.messages.append(("reponse", 1, vieille))
    assert recherche.answer(0.1) is None
    enfant.messages.append(("reponse", 1, vieille))
    assert recherche.answer(0.0) is None


def test_the_number_of_a_program_comes_back_with_its_answer() -> None:
    recherche = Recherche(shared(1), Arret(iterations=1), 1, silent)
    recherche.pieceur = enfant = EnfantLocal()  # type: ignore[assignment]
    recherche.ask_assignment()
    recherche.ask_assignment()
    assert [message[1] for message in enfant.messages] == [1, 2]
    assert recherche.assigned() and not enfant.messages


@pytest.mark.parametrize("graine", range(6))
def test_the_answer_is_never_dearer_than_a_plan_given(graine: int) -> None:
    problem = shared(graine)
    meilleur, college = best_plan(problem)
    # No turn at all: the plan given is the answer, the dearer one beside it is not.
    departs = [present_plan(problem), Plan(college)]
    solution = solveur.solve(problem, Arret(iterations=0), 1, departs=departs)
    check(problem, solution)
    assert solution.evaluation.cout == pytest.approx(meilleur, rel=1e-9)
    suite = solveur.solve(problem, Arret(iterations=1), 1, departs=departs)
    check(problem, suite)
    assert suite.evaluation.cout == pytest.approx(meilleur, rel=1e-9)
    # Today's plan given changes nothing.
    une, autre = (solveur.solve(problem, Arret(iterations=1), 1, departs=d) for d in ((), departs[:1]))
    assert une.plan == autre.plan


def test_a_plan_given_is_one_the_solver_may_give() -> None:
    problem = make_case(3, 9, 2, g=1, t=1, regles=False, partages=0.0)
    arret = Arret(iterations=0)
    with pytest.raises(ValueError, match="zones au lieu de 9"):
        solveur.solve(problem, arret, departs=[Plan(np.zeros((3, 2), dtype=np.int32))])
    sans = present_plan(problem).with_zones([4], AUCUN)
    with pytest.raises(ValueError, match="la zone Z04 ne peut pas recevoir"):
        solveur.solve(problem, arret, departs=[sans])
    partagee = present_plan(problem).with_zones([4], 0, 1)
    with pytest.raises(ValueError, match="la zone Z04 ne peut pas recevoir"):
        solveur.solve(problem, arret, departs=[partagee])
    seule = replace(
        problem, frontiere_m=np.zeros(len(problem.arete)), regles=replace(problem.regles, zones_propres=False)
    )
    loin = next(
        i
        for i in range(9)
        if i != int(np.argmin(seule.minutes[:, 1])) and i != seule.college_zone[1] and seule.present[i, 0] == 0
    )
    with pytest.raises(ValueError, match=f"la zone Z{loin:02d} est coupée"):
        solveur.solve(seule, arret, departs=[present_plan(seule).with_zones([loin], 1)])
