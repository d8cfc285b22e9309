"""The checker accepts what the definition allows and refuses every rule broken and every figure falsified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from accueil.controle import check
from accueil.probleme import Capacites, Modele, Problem, make_problem
from accueil.resultat import Solution
from accueil.solveur import solve
from territoires.calcul import Arret, ControleEchoue, Statut, silent

from .cas import draw_problem
from .exact import assignments, open_sets, view
from .plans import Flow, honest

MINUTES = np.array([[1.0, 5, 20], [6, 2, 9], [30, 8, 3], [12, 4, np.inf]])
NOMS = ("Mairie", "Gare", "Halle")


def four_demands(modele: Modele = Modele.MEDIANE, **champs: Any) -> Problem:
    """Four demands (groups A A B B), three sites (groups A A B), weights 10 20 30 40."""
    valeurs: dict[str, Any] = {
        "poids": [10, 20, 30, 40],
        "site_nom": NOMS,
        "groupes": ("A", "B"),
        "noms": ("Amont", "Bas"),
        "demande_groupe": [0, 0, 1, 1],
        "site_groupe": [0, 0, 1],
        "cout_ouverture": [100.0, 200, 300],
        "cout_annuel": [10.0, 20, 30],
        "seuil": 5.0,
    }
    return make_problem(MINUTES, modele, **(valeurs | champs))


UNIQUE: dict[str, Any] = {"capacites": Capacites.UNIQUE, "volume": [1.0, 2, 3, 4], "capacite": [3.0, 6, 5]}
PARTAGEE: dict[str, Any] = UNIQUE | {"capacites": Capacites.PARTAGEE}
#: Rule -> (problem, plan that keeps it, plan that breaks it, words of the refusal). A plan: levels, flows or None.
Plan = tuple[list[int], list[Flow] | None]
REGLES: dict[str, tuple[Problem, Plan, Plan, str]] = {
    "interdit": (four_demands(etat=[3, 0, 0]), ([1], None), ([0, 1], None), "Mairie : ouvert alors qu'il est interdit"),
    "requis": (four_demands(etat=[2, 0, 0]), ([0, 1], None), ([1], None), "Mairie : fermé alors qu'il est requis"),
    "pmr": (
        four_demands(pmr=[False, True, True], pmr_exige=True),
        ([1], None),
        ([0, 1], None),
        "Mairie : ouvert sans accès",
    ),
    "un niveau par site": (
        four_demands(
            niveau_site=[0, 1, 1, 2],
            cout_ouverture=[1.0] * 4,
            cout_annuel=[1.0] * 4,
        ),
        ([1, 3], None),
        ([1, 2], None),
        "Gare : ouvert à deux niveaux",
    ),
    "nombre minimal": (four_demands(sites_min=2), ([0, 1], None), ([1], None), "1 site ouvert au lieu de 2 au moins"),
    "nombre maximal": (four_demands(sites_max=1), ([1], None), ([0, 1], None), "2 sites ouverts au lieu de 1 au plus"),
    "budget d'ouverture": (four_demands(budget_ouverture=300.0), ([0, 1], None), ([1, 2], None), "budget d'ouverture"),
    "budget annuel": (four_demands(budget_annuel=30.0), ([0, 1], None), ([1, 2], None), "budget annuel"),
    "sites par groupe": (
        four_demands(sites_min_groupe=[0, 1]),
        ([1, 2], None),
        ([0, 1], None),
        "Bas : 0 site ouvert au lieu de 1",
    ),
    "temps maximal": (four_demands(minutes_max=8.0), ([1], None), ([0, 2], None), "non servie"),
    "tous servis": (four_demands(), ([0, 2], None), ([2], None), "3 : non servie"),
    "part couverte": (four_demands(part_min=0.6), ([1, 2], None), ([0, 2], None), "part couverte : 40.0000 %"),
    "part couverte par groupe": (
        four_demands(part_min_groupe=[0.1, 0.5]),
        ([1, 2], None),
        ([0, 2], None),
        "Bas : part couverte 42.8571 %",
    ),
    "équité": (four_demands(equite_min=0.5), ([1, 2], None), ([0, 2], None), "part couverte 33.3333 %"),
    "tous couverts": (
        four_demands(Modele.COUVERTURE_TOTALE),
        ([1, 2], None),
        ([1], None),
        "part couverte : 70.0000 %",
    ),
    "tous couverts, même les plus petits": (
        make_problem([[1.0, 9.0], [9.0, 1.0]], Modele.COUVERTURE_TOTALE, poids=[1e10, 1.0], seuil=5.0),
        ([0, 1], None),
        ([0], None),
        "1 : à plus de 5.0 min",
    ),
    "part à couvrir": (
        four_demands(Modele.COUVERTURE_TOTALE, part_min=0.7),
        ([1], None),
        ([0, 2], None),
        "part couverte : 40.0000 %",
    ),
    "au plus proche": (
        four_demands(),
        ([0, 1], None),
        ([0, 1], [(0, 1, 1.0), (1, 1, 1.0), (2, 1, 1.0), (3, 1, 1.0)]),
        "0 : servie par Gare au lieu de Mairie",
    ),
    "à égalité, le premier": (
        make_problem([[4.0, 4.0]], site_nom=("Un", "Deux")),
        ([0, 1], [(0, 0, 1.0)]),
        ([0, 1], [(0, 1, 1.0)]),
        "servie par Deux au lieu de Un",
    ),
    "servi si possible": (
        four_demands(Modele.COUVERTURE_MAX),
        ([0], None),
        ([0], [(0, 0, 1.0), (1, 0, 1.0), (2, 0, 1.0)]),
        "3 : servie par personne au lieu de Mairie",
    ),
    "pas au-delà du non-servi": (
        four_demands(minutes_non_servi=7.0),
        ([1], None),
        ([1], [(0, 1, 1.0), (1, 1, 1.0), (2, 1, 1.0), (3, 1, 1.0)]),
        "2 : servie par Gare au lieu de personne",
    ),
    "une demande, un site": (
        four_demands(**UNIQUE),
        ([0, 1, 2], [(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0), (3, 1, 1.0)]),
        ([0, 1, 2], [(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0), (3, 0, 0.5), (3, 1, 0.5)]),
        "demande partagée",
    ),
    "un seul site": (
        four_demands(**UNIQUE),
        ([0, 1, 2], [(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0), (3, 1, 1.0)]),
        ([0, 1, 2], [(0, 0, 1.0), (0, 1, 1.0), (1, 1, 1.0), (2, 2, 1.0), (3, 1, 1.0)]),
        "0 : affectée à plusieurs sites",
    ),
    "capacité, un seul site": (
        four_demands(**UNIQUE),
        ([0, 1, 2], [(0, 0, 1.0), (1, 0, 1.0), (2, 2, 1.0), (3, 1, 1.0)]),
        ([0, 1, 2], [(0, 0, 1.0), (1, 1, 1.0), (2, 1, 1.0), (3, 1, 1.0)]),
        "Gare : charge 9.0000 pour une capacité de 6.0000",
    ),
    "capacité, partage": (
        four_demands(**PARTAGEE),
        ([0, 1, 2], [(0, 0, 1.0), (1, 0, 0.5), (1, 1, 0.5), (2, 2, 1.0), (3, 1, 1.0)]),
        ([0, 1, 2], [(0, 0, 1.0), (1, 0, 0.5), (1, 1, 0.5), (2, 1, 0.5), (2, 2, 0.5), (3, 1, 1.0)]),
        "Gare : charge 6.5000",
    ),
    "une demande, une fois": (
        four_demands(**PARTAGEE),
        ([0, 1, 2], [(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0), (3, 1, 1.0)]),
        ([0, 1, 2], [(0, 0, 1.0), (0, 1, 0.1), (1, 1, 0.9), (2, 2, 1.0), (3, 1, 1.0)]),
        "0 : servie à 110.0000 %",
    ),
    "toute la demande": (
        four_demands(**PARTAGEE),
        ([0, 1, 2], [(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0), (3, 1, 1.0)]),
        ([0, 1, 2], [(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0), (3, 1, 0.9)]),
        "3 : non servie (10.0000 %)",
    ),
    "route": (
        four_demands(**UNIQUE),
        ([0, 1, 2], [(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0), (3, 1, 1.0)]),
        ([0, 1, 2], [(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0), (3, 2, 1.0)]),
        "3 vers Halle : aucune route",
    ),
    "temps maximal, capacités": (
        four_demands(minutes_max=8.0, **UNIQUE),
        ([0, 1, 2], [(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0), (3, 1, 1.0)]),
        ([0, 1, 2], [(0, 2, 1.0), (1, 1, 1.0), (2, 2, 1.0), (3, 1, 1.0)]),
        "0 vers Halle : 20.00 min au lieu de 8.0 au plus",
    ),
    "sans poids, sans affectation": (
        four_demands(**(UNIQUE | {"poids": [0, 20, 30, 40]})),
        ([1, 2], [(1, 1, 1.0), (2, 2, 1.0), (3, 1, 1.0)]),
        ([0, 1, 2], [(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0), (3, 1, 1.0)]),
        "0 : affectée sans poids",
    ),
    "site ouvert": (
        four_demands(**UNIQUE),
        ([1, 2], [(0, 1, 1.0), (1, 2, 1.0), (2, 2, 1.0), (3, 1, 1.0)]),
        ([1, 2], [(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0), (3, 1, 1.0)]),
        "0 vers Mairie : site fermé",
    ),
    "niveau existant": (four_demands(), ([1], None), ([0, 1, 1], None), "non triés ou en double"),
}


@pytest.mark.parametrize("regle", REGLES)
def test_a_rule_broken_is_refused(regle: str) -> None:
    problem, bon, mauvais, mots = REGLES[regle]
    check(problem, honest(problem, *bon))
    with pytest.raises(ControleEchoue) as refus:
        check(problem, honest(problem, *mauvais))
    assert mots in str(refus.value)


def plain() -> tuple[Problem, Solution]:
    """A proven answer with every figure."""
    problem = four_demands(Modele.CENTRE_PUIS_MEDIANE, etat=[1, 0, 0], equite_poids=7.0, poids_annuel=2.0)
    solution = honest(problem, [1, 2])
    prouve = replace(solution.bilan, status=Statut.OPTIMAL, bound=solution.bilan.cost)
    return problem, replace(solution, bilan=prouve, rayon_borne=solution.parties.rayon)


def told(**champs: Any) -> Callable[[Solution], Solution]:
    return lambda s: replace(s, bilan=replace(s.bilan, **champs))


def part_told(nom: str, ecart: float) -> Callable[[Solution], Solution]:
    return lambda s: replace(s, parties=replace(s.parties, **{nom: getattr(s.parties, nom) + ecart}))


MENSONGES: dict[str, tuple[Callable[[Solution], Solution], str]] = {
    "empreinte": (lambda s: replace(s, empreinte="0" * 64), "autre problème"),
    "modèle": (lambda s: replace(s, modele=Modele.CENTRE), "modèle"),
    "objectif": (lambda s: told(cost=s.bilan.cost - Decimal("0.01"))(s), "objectif annoncé"),
    "objectif absent": (told(cost=Decimal("NaN")), "objectif annoncé"),
    "borne trop haute": (lambda s: told(bound=s.bilan.cost + 1)(s), "au-dessus de l'objectif"),
    "borne qui n'est pas un nombre": (told(bound=Decimal("NaN")), "au-dessus de l'objectif"),
    "preuve absente": (told(bound=None), "dite optimale"),
    "preuve insuffisante": (lambda s: told(bound=s.bilan.cost - 1)(s), "dite optimale"),
    "rayon non prouvé": (lambda s: replace(s, rayon_borne=None), "dite optimale"),
    "rayon mal prouvé": (lambda s: replace(s, rayon_borne=s.parties.rayon - 1), "dite optimale"),
    "borne du rayon trop haute": (lambda s: replace(s, rayon_borne=s.parties.rayon + 1), "borne du temps"),
    "minutes": (part_told("minutes", 0.01), "minutes pondérées"),
    "poids non couvert": (part_told("non_couvert", -1), "poids non couvert"),
    "poids non couvert absent": (
        lambda s: replace(s, parties=replace(s.parties, non_couvert=None)),
        "poids non couvert",
    ),
    "rayon": (part_told("rayon", -0.5), "temps le plus long"),
    "nombre": (part_told("sites", -1), "nombre de sites"),
    "coût d'ouverture": (part_told("cout_ouverture", 1), "coût d'ouverture"),
    "coût annuel": (part_told("cout_annuel", -1), "coût annuel"),
    "pire part": (part_told("pire_part", 0.01), "moins bien servie"),
    "part qui n'est pas un nombre": (part_told("minutes", float("nan")), "minutes pondérées"),
    "souhait tu": (lambda s: replace(s, souhaits=()), "passée sous silence"),
    "assouplissement sans objet": (lambda s: replace(s, relaxations=("un site de plus",)), "assouplissements"),
    "niveau inexistant": (lambda s: replace(s, niveaux=np.array([1, 3], dtype=np.int32)), "inexistant"),
    "niveaux non triés": (lambda s: replace(s, niveaux=s.niveaux[::-1]), "non triés"),
    "affectation perdue": (lambda s: replace(s, demande=s.demande[1:]), "longueurs différentes"),
    "demande inexistante": (lambda s: replace(s, demande=s.demande + 1), "inexistant"),
    "affectations non triées": (
        lambda s: replace(s, demande=s.demande[::-1], niveau=s.niveau[::-1]),
        "non triées",
    ),
    "part négative": (lambda s: replace(s, part=-s.part), "entre 0 et 1"),
    "part absente": (lambda s: replace(s, part=s.part * np.nan), "entre 0 et 1"),
    "part supérieure à 1": (lambda s: replace(s, part=s.part * 2), "entre 0 et 1"),
}


def test_an_honest_proven_answer_passes() -> None:
    check(*plain())


@pytest.mark.parametrize("mensonge", MENSONGES)
def test_a_false_figure_is_refused(mensonge: str) -> None:
    problem, solution = plain()
    falsifie, mots = MENSONGES[mensonge]
    with pytest.raises(ControleEchoue) as refus:
        check(problem, falsifie(solution))
    assert mots in str(refus.value)


def test_a_bound_of_the_radius_belongs_to_its_models() -> None:
    problem = four_demands()
    with pytest.raises(ControleEchoue, match="hors de son modèle"):
        check(problem, replace(honest(problem, [1]), rayon_borne=0.0))


def nothing(problem: Problem, **champs: Any) -> Solution:
    vide = honest(replace(problem, modele=Modele.COUVERTURE_MAX), [], [])
    bilan = replace(vide.bilan, cost=Decimal("Infinity"), status=Statut.IRREALISABLE, remarks=("trop peu de sites",))
    juste = honest(problem, [1])
    return replace(vide, modele=problem.modele, empreinte=juste.empreinte, bilan=replace(bilan, **champs))


def test_infeasible_answers() -> None:
    serre = four_demands(minutes_max=5.0, sites_max=1)
    check(serre, nothing(serre))
    for champs, mots in (
        ({"cost": Decimal(3)}, "avec un objectif"),
        ({"bound": Decimal(3)}, "une borne"),
        ({"remarks": ()}, "sans dire pourquoi"),
    ):
        with pytest.raises(ControleEchoue, match=mots):
            check(serre, nothing(serre, **champs))
    with pytest.raises(ControleEchoue, match="avec des sites"):
        check(serre, replace(nothing(serre), niveaux=np.array([1], dtype=np.int32)))
    assoupli = replace(nothing(serre), relaxations=("Autoriser 2 sites au lieu de 1 au plus.",))
    check(serre, replace(assoupli, impossible=True))
    with pytest.raises(ControleEchoue, match="sans preuve"):
        check(serre, assoupli)
    with pytest.raises(ControleEchoue, match="alors qu'une réponse existe"):
        check(four_demands(), replace(honest(four_demands(), [1]), impossible=True))
    large = four_demands(minutes_max=5.0)
    with pytest.raises(ControleEchoue, match="tout ouvrir est permis"):
        check(large, nothing(large))


def accepted(problem: Problem, solution: Solution) -> bool:
    try:
        check(problem, solution)
    except ControleEchoue:
        return False
    return True


@pytest.mark.parametrize("modele", Modele)
def test_random_sets_of_sites_are_judged_as_by_the_brute_force(modele: Modele) -> None:
    juges = {True: 0, False: 0}
    for graine in range(40):
        alea = np.random.default_rng([graine, 11])
        problem = draw_problem(alea, modele, Capacites.AUCUNE)
        permis = {tuple(o) for o in open_sets(problem) if assignments(view(problem, o))[1].all()}
        for _ in range(12):
            ouverts = np.flatnonzero(alea.random(problem.n_niveaux) < 0.5)
            juge = accepted(problem, honest(problem, ouverts))
            assert juge == (tuple(ouverts) in permis)
            juges[juge] += 1
    assert min(juges.values()) > 20


@pytest.mark.parametrize("modele", Modele)
def test_random_assignments_are_judged_as_by_the_brute_force(modele: Modele) -> None:
    juges = {True: 0, False: 0}
    for graine in range(40):
        alea = np.random.default_rng([graine, 12])
        problem = draw_problem(alea, modele, Capacites.UNIQUE)
        actives = np.flatnonzero(problem.populations @ problem.mix > 0)
        ensembles = list(open_sets(problem))
        for _ in range(4 if ensembles else 0):
            ouverts = ensembles[alea.integers(len(ensembles))]
            lignes, permis, _, couts = assignments(view(problem, ouverts))
            tirees = [*alea.integers(0, len(lignes), 4), *np.flatnonzero(permis)[:2]]
            for ligne in tirees:
                flux = [(int(i), int(ouverts[k]), 1.0) for i, k in zip(actives, lignes[ligne], strict=True) if k >= 0]
                solution = honest(problem, ouverts, flux)
                juge = accepted(problem, solution)
                assert juge == permis[ligne]
                juges[juge] += 1
                if juge:
                    assert float(solution.bilan.cost) == pytest.approx(float(couts[ligne]), rel=1e-9, abs=1e-9)
    assert min(juges.values()) > 20


@pytest.mark.parametrize("capacites", Capacites)
@pytest.mark.parametrize("modele", Modele)
def test_every_figure_of_every_plan_of_the_solver_falsified_is_refused(modele: Modele, capacites: Capacites) -> None:
    refusees = 0
    for graine in range(8):
        problem = draw_problem(np.random.default_rng([graine, 13]), modele, capacites)
        solution = solve(problem, Arret(), graine, silent)
        check(problem, solution)
        if solution.bilan.status is Statut.IRREALISABLE:
            continue
        cout, parties = solution.bilan.cost, solution.parties
        faux = [told(cost=cout + Decimal("0.01")), told(bound=cout + Decimal("0.01")), told(bound=cout - 1)]
        faux += [
            part_told(nom, 0.01)
            for nom in ("minutes", "non_couvert", "rayon", "sites", "cout_ouverture", "cout_annuel", "pire_part")
            if getattr(parties, nom) is not None and np.isfinite(getattr(parties, nom))
        ]
        if len(solution.demande):
            faux.append(lambda s: replace(s, demande=s.demande[1:], niveau=s.niveau[1:], part=s.part[1:]))
            faux.append(lambda s: replace(s, part=np.where(np.arange(len(s.part)) == 0, 0.5 * s.part, s.part)))
        if len(solution.niveaux):
            faux.append(lambda s: replace(s, niveaux=s.niveaux[1:]))
        for mensonge in faux:
            assert not accepted(problem, mensonge(solution))
            refusees += 1
    assert refusees > 30


def test_a_site_that_closes_is_named_by_its_whole_name() -> None:
    """« Bourg » is not told by a sentence about « Bourg-Argental »."""
    problem = make_problem([[1.0, 2.0, 3.0]], etat=[0, 1, 1], site_nom=("Gare", "Bourg", "Bourg-Argental"), sites_max=1)
    juste = solve(problem, Arret())
    check(problem, juste)
    assert len(juste.souhaits) == 2
    with pytest.raises(ControleEchoue, match="Bourg : fermeture"):
        check(problem, replace(juste, souhaits=(juste.souhaits[1],)))
