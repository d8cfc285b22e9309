"""The checker accepts what is true and refuses each rule and each figure broken on purpose."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from collèges.controle import check, check_evaluation
from collèges.evaluation import evaluate
from collèges.probleme import AUCUN, I32, Problem, Regles, phase_in
from collèges.resultat import Bascule, Chiffres, Couts, Evaluation, Plan, Solution, present_plan
from territoires.calcul import ControleEchoue

from .cas import problems, seeds
from .petit import CHANGE, plan_of, small, solution_of

# --- accepted ---------------------------------------------------------------------------------------------


@settings(max_examples=150)
@given(problems(), seeds())
def test_figures_of_any_plan_are_found_again(problem: Problem, seed: int) -> None:
    """Two computations that share nothing, on plans however faulty."""
    check(problem, solution_of(problem, present_plan(problem)))
    rng = np.random.default_rng(seed)
    hasard = plan_of(*rng.integers(AUCUN, problem.n_colleges, problem.n_zones).tolist())
    check_evaluation(problem, hasard, evaluate(problem, hasard))


def test_the_small_case_is_accepted() -> None:
    check(small(), solution_of(small(), present_plan(small())))


# --- plans ------------------------------------------------------------------------------------------------


def forged(problem: Problem, college: I32) -> Solution:
    """A solution whose plan has another form than the one its figures are of."""
    return replace(solution_of(problem, present_plan(problem)), plan=Plan(college))


@pytest.mark.parametrize(
    ("zone", "paire", "mot"),
    [
        (3, (7, AUCUN), "Z03 : collège inexistant"),
        (3, (-2, AUCUN), "Z03 : collège inexistant"),
        (3, (0, 1), "Z03 : partagée"),
        (3, (AUCUN, 1), "Z03 : partagée"),
    ],
)
def test_forms_of_plans(zone: int, paire: tuple[int, int], mot: str) -> None:
    college = small().present.copy()
    college[zone] = paire
    with pytest.raises(ControleEchoue, match=mot):
        check(small(), forged(small(), college))


def test_a_plan_of_other_zones() -> None:
    with pytest.raises(ControleEchoue, match="8 zones au lieu de 9"):
        check(small(), forged(small(), small().present[:8].copy()))


def test_flips_that_do_not_lead_to_the_plan() -> None:
    actuel = present_plan(small())
    juste = actuel.with_zones([1], 1)
    check_evaluation(small(), juste, evaluate(small(), juste))
    for bascules, mot in (
        ((), "ne mènent pas"),
        ((Bascule(1, (2, AUCUN), (1, AUCUN)),), "Z01 : bascule"),
        ((*juste.bascules, Bascule(0, (0, AUCUN), (1, AUCUN))), "ne mènent pas"),
    ):
        with pytest.raises(ControleEchoue, match=mot):
            check_evaluation(small(), Plan(juste.college, actuel, bascules), evaluate(small(), juste))


#: Zone 2, a corner, to the collège of the middle, whose zone it touches at a point only.
COUPE = plan_of(0, 0, 1, 0, 1, 2, 1, 1, 2)


def test_a_zone_cut_off_is_refused_even_when_it_is_told() -> None:
    problem = small(minutes=np.ones((9, 3)), regles=Regles(poids_depart=0.0))
    touche = {tuple(sorted(paire)): m for paire, m in zip(problem.arete.tolist(), problem.frontiere_m, strict=True)}
    assert touche[2, 4] == 0
    evaluation = evaluate(problem, COUPE)
    assert evaluation.coupees == (2,)
    check_evaluation(problem, COUPE, evaluation)
    with pytest.raises(ControleEchoue, match="zone Z02 coupée du collège C1"):
        check(problem, solution_of(problem, COUPE, evaluation))


def test_an_island_of_today_is_tolerated_and_a_new_one_is_not() -> None:
    problem = small(present=COUPE.college)
    evaluation = evaluate(problem, COUPE)
    assert (evaluation.coupees, evaluation.iles) == ((), (2,))
    check(problem, solution_of(problem, COUPE))
    for champ in ("coupees", "iles"):
        for liste in ((2, 8), (), (2, 2), (2,)):
            if liste != getattr(evaluation, champ):
                fausse: dict[str, Any] = {champ: liste}
                with pytest.raises(ControleEchoue, match="la liste diffère"):
                    check_evaluation(problem, COUPE, replace(evaluation, **fausse))


def test_an_imposed_island_is_tolerated() -> None:
    impose = np.full(9, AUCUN, dtype=np.int32)
    impose[2] = 1
    problem = small(minutes=np.ones((9, 3)), regles=Regles(poids_depart=0.0), impose=impose)
    assert evaluate(problem, COUPE).iles == (2,)
    check(problem, solution_of(problem, COUPE))


def test_a_closed_border_is_not_passed() -> None:
    problem = small(passages_max=np.zeros((2, 2)), regles=Regles(poids_passages=0.0, poids_depart=0.0))
    ouvert = small(passages_max=np.array([[0.0, 0.0], [1000.0, 0.0]]), regles=problem.regles)
    minutes = np.where(np.arange(3) == 1, 1.0, problem.minutes)
    problem, ouvert = replace(problem, minutes=minutes), replace(ouvert, minutes=minutes)
    with pytest.raises(ControleEchoue, match="Z03 passée au collège C1 : aucun passage de 01 vers 02"):
        check(problem, solution_of(problem, CHANGE))
    # From group 2 to group 1 nobody went: opening that way only changes nothing.
    with pytest.raises(ControleEchoue, match="Z03 passée"):
        check(ouvert, solution_of(ouvert, CHANGE))
    impose = np.full(9, AUCUN, dtype=np.int32)
    impose[3] = 1
    libre = replace(problem, impose=impose)
    check(libre, solution_of(libre, CHANGE))


def test_nobody_loses_his_collège() -> None:
    problem = small(regles=Regles(poids_sans_college=0.0, poids_depart=0.0))
    plan = plan_of(0, 0, AUCUN, 0, 1, 2, 1, 1, 2)
    with pytest.raises(ControleEchoue, match="Z02 : avait un collège"):
        check(problem, solution_of(problem, plan))
    avant = small(present=plan.college, regles=problem.regles)
    check(avant, solution_of(avant, plan))


@pytest.mark.parametrize(
    "changes",
    [
        {"interdit": np.arange(27).reshape(9, 3) == 4},
        {"impose": np.array([-1, 0, *[-1] * 7], dtype=np.int32)},
        {"college_zone": np.array([1, 4, 8], dtype=np.int32)},
    ],
)
def test_no_new_forbidden_collège(changes: dict[str, Any]) -> None:
    """Zone 1 to the collège of the middle, which it is nearer to; what it has today it may keep."""
    regles = Regles(poids_interdit=0.0, poids_depart=0.0)
    minutes = np.where(np.arange(3) == 1, 1.0, small().minutes)
    plan = plan_of(0, 1, 2, 0, 1, 2, 1, 1, 2)
    libre = small(regles=regles, minutes=minutes)
    check(libre, solution_of(libre, plan))
    problem = small(regles=regles, minutes=minutes, **changes)
    with pytest.raises(ControleEchoue, match="Z01 passée au collège C1, qui lui est interdit"):
        check(problem, solution_of(problem, plan))
    avant = replace(problem, present=plan.college)
    check(avant, solution_of(avant, plan))


def test_no_collège_without_road() -> None:
    minutes = np.where(np.arange(27).reshape(9, 3) == 4, np.inf, small().minutes)
    regles = Regles(poids_depart=0.0, minutes_sans_route=0.0)
    problem = small(minutes=minutes, regles=regles)
    plan = plan_of(0, 1, 2, 0, 1, 2, 1, 1, 2)
    with pytest.raises(ControleEchoue, match="Z01 passée au collège C1, où aucune route ne mène"):
        check(problem, solution_of(problem, plan))
    avant = replace(problem, present=plan.college)
    check(avant, solution_of(avant, plan))


# --- rules: what the plan costs under a rule that its figures forget -----------------------------------------


def _matrix(valeur: Any, *ou: tuple[int, ...], sinon: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    matrice = np.full(shape, sinon, dtype=dtype)
    for place in ou:
        matrice[place] = valeur
    return matrice


REGLES: list[tuple[str, dict[str, Any]]] = [
    ("trajet", {"minutes": np.full((9, 3), 7.0)}),
    ("trajet", {"minutes": np.full((9, 3), np.inf)}),
    ("trajet", {"part_nouvelle": phase_in(2, 9)}),
    ("depart", {"part_nouvelle": phase_in(2, 9)}),
    ("depart", {"regles": Regles(poids_depart=11.0)}),
    ("trajet_long", {"regles": Regles(minutes_max=2.0)}),
    ("allongement", {"regles": Regles(allongement_max=0.0)}),
    ("sureffectif", {"capacite": np.full((2, 3), 60.0)}),
    ("souseffectif", {"capacite": np.full((2, 3), 900.0)}),
    ("taille", {"effectif_min": np.full(3, 80.0)}),
    ("interdit", {"interdit": _matrix(True, (1, 1), sinon=False, shape=(9, 3), dtype=bool)}),
    ("interdit", {"impose": _matrix(0, (3,), sinon=AUCUN, shape=(9,), dtype=np.int32)}),
    ("interdit", {"college_zone": np.array([1, 4, 8], dtype=np.int32)}),
    ("ensemble", {"ensemble": _matrix(0, (0,), (1,), sinon=AUCUN, shape=(9,), dtype=np.int32)}),
    ("limite_zones", {"regles": Regles(max_zones=1.0)}),
    ("limite_eleves", {"regles": Regles(max_eleves=20.0)}),
    ("passages", {"passages_max": np.full((2, 2), 10.0)}),
    ("exterieurs", {"regles": Regles(poids_exterieurs=5.0)}),
    ("ecart_ips", {"regles": Regles(poids_ecart_ips=5.0)}),
    ("ecart_ips", {"regles": Regles(poids_ecart_ips=5.0, ecart_ips=3.0)}),
    ("dissimilarite", {"regles": Regles(poids_dissimilarite=5.0)}),
]


@pytest.mark.parametrize(("terme", "changes"), REGLES, ids=[f"{k}-{nom}" for k, (nom, _) in enumerate(REGLES)])
def test_a_rule_that_is_forgotten(terme: str, changes: dict[str, Any]) -> None:
    """The figures are true of the problem without the rule: with it they are not."""
    sans, avec = small(), small(**changes)
    oubliee = evaluate(sans, CHANGE)
    vraie = evaluate(avec, CHANGE)
    assert getattr(vraie.couts, terme) != pytest.approx(getattr(oubliee.couts, terme)), "the rule says nothing here"
    check_evaluation(avec, CHANGE, vraie)
    with pytest.raises(ControleEchoue, match=f"coût « {terme} »"):
        check_evaluation(
            avec, CHANGE, replace(vraie, couts=replace(vraie.couts, **{terme: getattr(oubliee.couts, terme)}))
        )


def test_zones_without_college_are_priced() -> None:
    plan = plan_of(0, 0, AUCUN, 0, 1, 2, 1, 1, 2)
    vraie = evaluate(small(), plan)
    check_evaluation(small(), plan, vraie)
    with pytest.raises(ControleEchoue, match="sans_college"):
        check_evaluation(small(), plan, replace(vraie, couts=replace(vraie.couts, sans_college=0.0)))


# --- figures ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rich() -> tuple[Problem, Evaluation]:
    """A problem in which every term costs something for `CHANGE`, but the zone without collège."""
    problem = small(
        regles=Regles(
            minutes_max=1.5,
            allongement_max=0.0,
            max_zones=1.0,
            max_eleves=20.0,
            poids_exterieurs=5.0,
            poids_ecart_ips=5.0,
            poids_dissimilarite=5.0,
        ),
        capacite=np.array([[60.0, 200.0, 900.0]] * 2),
        effectif_min=np.full(3, 80.0),
        ensemble=_matrix(0, (0,), (1,), sinon=AUCUN, shape=(9,), dtype=np.int32),
        interdit=_matrix(True, (1, 1), sinon=False, shape=(9, 3), dtype=bool),
        passages_max=np.full((2, 2), 10.0),
        part_nouvelle=phase_in(2, 9),
    )
    evaluation = evaluate(problem, CHANGE)
    muets = [f.name for f in fields(Couts) if getattr(evaluation.couts, f.name) == 0]
    assert muets == ["sans_college"]
    check_evaluation(problem, CHANGE, evaluation)
    return problem, evaluation


@pytest.mark.parametrize("nom", [champ.name for champ in fields(Couts)])
@pytest.mark.parametrize("ecart", [0.5, -0.5, float("nan"), float("inf")])
def test_each_cost(rich: tuple[Problem, Evaluation], nom: str, ecart: float) -> None:
    problem, evaluation = rich
    couts = replace(evaluation.couts, **{nom: getattr(evaluation.couts, nom) + ecart})
    with pytest.raises(ControleEchoue, match=f"coût « {nom} »"):
        check_evaluation(problem, CHANGE, replace(evaluation, couts=couts))


@pytest.mark.parametrize("sorte", ["colleges", "groupes"])
@pytest.mark.parametrize("nom", [champ.name for champ in fields(Chiffres)])
def test_each_figure_of_each_year(rich: tuple[Problem, Evaluation], sorte: str, nom: str) -> None:
    problem, evaluation = rich
    chiffres = getattr(evaluation, sorte)
    valeurs = getattr(chiffres, nom)
    mot = f"{nom}, {'collège' if sorte == 'colleges' else 'groupe'}"

    def refuse(faux: Any, attendu: str) -> None:
        fausse = replace(evaluation, **{sorte: replace(chiffres, **{nom: faux})})
        with pytest.raises(ControleEchoue, match=attendu):
            check_evaluation(problem, CHANGE, fausse)

    for place in np.ndindex(valeurs.shape):
        faux = valeurs.copy()
        faux[place] = 0.5 if np.isnan(valeurs[place]) else valeurs[place] + 0.01
        refuse(faux, mot)
        if not np.isnan(valeurs[place]):
            faux[place] = np.nan
            refuse(faux, mot)
    refuse(valeurs[..., :-1], "forme")


@pytest.mark.parametrize(
    ("champ", "valeur", "mot"),
    [
        ("cout", 1.0, "coût .élèves-minutes"),
        ("cout", float("nan"), "coût .élèves-minutes"),
        ("dissimilarite", 0.123, "dissimilarité"),
        ("manques", (), "souhait non tenu .* qui n'est pas dit"),
        ("manques", ("Une phrase.", "  "), "phrase vide"),
    ],
)
def test_other_figures(rich: tuple[Problem, Evaluation], champ: str, valeur: Any, mot: str) -> None:
    problem, evaluation = rich
    with pytest.raises(ControleEchoue, match=mot):
        check_evaluation(problem, CHANGE, replace(evaluation, **{champ: valeur}))


def test_the_difference_with_today(rich: tuple[Problem, Evaluation]) -> None:
    problem, evaluation = rich
    difference = evaluation.difference
    assert [b.zone for b in difference.bascules] == [1, 3]
    for changes, mot in (
        ({"zones": 3}, "3 zones au lieu de 2"),
        ({"eleves": difference.eleves + 1}, "aujourd'hui, élèves"),
        ({"cout": difference.cout + 1}, "aujourd'hui, coût"),
        ({"bascules": difference.bascules[:1]}, "Z03"),
        ({"bascules": difference.bascules * 2}, "en double"),
        ({"bascules": (*difference.bascules, Bascule(8, (2, AUCUN), (1, AUCUN)))}, "Z08"),
    ):
        with pytest.raises(ControleEchoue, match=mot):
            check_evaluation(problem, CHANGE, replace(evaluation, difference=replace(difference, **changes)))


@settings(max_examples=80)
@given(problems(), seeds())
def test_one_false_figure_anywhere_is_refused(problem: Problem, seed: int) -> None:
    """A number drawn among all the figures of a random problem, moved by one per thousand or one thousandth."""
    rng = np.random.default_rng(seed)
    plan = present_plan(problem)
    evaluation = evaluate(problem, plan)
    sorte = ("couts", "colleges", "groupes")[int(rng.integers(3))]
    partie = getattr(evaluation, sorte)
    champ = fields(partie)[int(rng.integers(len(fields(partie))))].name
    juste = getattr(partie, champ)
    valeurs = np.array(juste, dtype=np.float64)
    place = tuple(int(rng.integers(k)) for k in valeurs.shape)
    avant = valeurs[place]
    valeurs[place] = (
        1.0 if np.isnan(avant) else avant + max(0.01, 1e-3 * abs(avant)) * (1 if rng.random() < 0.5 else -1)
    )
    faux = float(valeurs) if valeurs.ndim == 0 else valeurs
    with pytest.raises(ControleEchoue, match=champ):
        check_evaluation(problem, plan, replace(evaluation, **{sorte: replace(partie, **{champ: faux})}))
