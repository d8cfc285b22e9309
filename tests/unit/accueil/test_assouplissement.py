"""What would make an infeasible problem feasible: enough, as small as can be, none forgotten (brute force)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from accueil import assouplissement, centre, familles, familles_nombres, familles_sites
from accueil.controle import check
from accueil.mip import Reponse, Verdict
from accueil.moteur import solve_mip
from accueil.probleme import Capacites, Modele, Problem, make_problem
from accueil.solveur import solve
from accueil.vue import make_vue
from territoires.calcul import Arret, Statut

from .cas import draw_problem
from .exact import solve_exact

#: Steps to which told numbers are rounded: euro, minutes, share.
PAS_EUROS, PAS_MINUTES, PAS_PART = 0.01, 0.1, 0.001


def infeasible(modele: Modele, combien: int) -> Iterator[Problem]:
    """Random infeasible problems of a model."""
    trouves = graine = 0
    while trouves < combien:
        graine += 1
        capacites = list(Capacites)[graine % 3]
        problem = draw_problem(np.random.default_rng([graine, 21]), modele, capacites)
        if not solve_exact(problem).faisable:
            trouves += 1
            yield problem


def less(avant: Problem, apres: Problem) -> Problem | None:
    """``apres`` with a little less of the number it changed, None where the change is no number or cannot be less."""
    if apres.sites_max != avant.sites_max and apres.sites_max:
        return replace(apres, sites_max=apres.sites_max - 1, sites_min=min(apres.sites_min, apres.sites_max - 1))
    if apres.sites_min != avant.sites_min:
        return replace(apres, sites_min=apres.sites_min + 1)
    if apres.budget_ouverture != avant.budget_ouverture:
        return replace(apres, budget_ouverture=max(0.0, (apres.budget_ouverture or 0) - 2 * PAS_EUROS))
    if apres.budget_annuel != avant.budget_annuel:
        return replace(apres, budget_annuel=max(0.0, (apres.budget_annuel or 0) - 2 * PAS_EUROS))
    if apres.minutes_max is not None and apres.minutes_max != avant.minutes_max:
        return replace(apres, minutes_max=apres.minutes_max - 1.1 * PAS_MINUTES)
    if apres.sites_min_groupe is not None and avant.sites_min_groupe is not None:
        moindre = np.flatnonzero(apres.sites_min_groupe < avant.sites_min_groupe)
        if len(moindre):
            minima = apres.sites_min_groupe.copy()
            minima[moindre[0]] += 1
            return replace(apres, sites_min_groupe=minima)
    if not np.array_equal(apres.capacite, avant.capacite):
        limitees = np.isfinite(avant.capacite) & (avant.capacite > 0)
        facteur = float((apres.capacite[limitees] / avant.capacite[limitees]).max())
        return replace(apres, capacite=avant.capacite * (facteur - 0.01)) if facteur > 1.015 else None
    if apres.seuil is not None and apres.seuil != avant.seuil:
        return replace(apres, seuil=apres.seuil - 1.1 * PAS_MINUTES)
    for nom in ("pmr", "etat"):
        change = np.flatnonzero(getattr(apres, nom) != getattr(avant, nom))
        if len(change):
            moins = getattr(apres, nom).copy()
            moins[change[0]] = getattr(avant, nom)[change[0]]
            champ: dict[str, Any] = {nom: moins}
            return replace(apres, **champ)
    if _shares(apres) != _shares(avant):
        baisse = max(a - b for a, b in zip(_shares(avant), _shares(apres), strict=True)) - 1.1 * PAS_PART
        return _lowered(avant, baisse)
    return None


def _shares(problem: Problem) -> list[float]:
    total = 1.0 if problem.modele is Modele.COUVERTURE_TOTALE and problem.part_min is None else problem.part_min
    groupes = [] if problem.part_min_groupe is None else problem.part_min_groupe.tolist()
    return [total or 0.0, problem.equite_min or 0.0, *groupes]


def _lowered(problem: Problem, baisse: float) -> Problem:
    total, equite, *groupes = (max(0.0, part - baisse) for part in _shares(problem))
    return replace(problem, part_min=total, equite_min=equite, part_min_groupe=np.array(groupes) if groupes else None)


@pytest.mark.parametrize("modele", Modele)
def test_each_change_told_is_enough_and_least_and_none_is_forgotten(modele: Modele) -> None:
    moindres = 0
    for problem in infeasible(modele, 25):
        solution = solve(problem, Arret(), 0)
        check(problem, solution)
        assert solution.bilan.status is Statut.IRREALISABLE
        trouve = False
        for famille in assouplissement.FAMILLES:
            if not famille.presente(problem):
                continue
            change = famille.moindre(problem, Arret(), 0)
            if change is None:
                assert not solve_exact(famille.sans(problem)).faisable, "a change that is enough was forgotten"
                continue
            trouve = True
            apres, phrase = change
            assert phrase in solution.relaxations
            assert solve_exact(apres).faisable, phrase
            moins = less(problem, apres)
            if moins is not None:
                moindres += 1
                assert not solve_exact(moins).faisable, f"less is enough: {phrase}"
        if trouve:
            assert not any(phrase.startswith("Avec les autres") for phrase in solution.relaxations)
    assert moindres >= 5


def test_explaining_ends_soon_after_the_time_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits kills the solver a few seconds after its limit, and would lose the reason."""
    restes: list[float] = []

    def listen(mip: object, stop: Arret, **kwargs: Any) -> Reponse:
        restes.append(stop.remaining())
        return Reponse(Verdict.INCONNU, None, np.inf, -np.inf)

    monkeypatch.setattr(familles, "solve_mip", listen)
    vue = make_vue(make_problem([[0.0, 9.0], [9.0, 0.0]], sites_max=0))
    for secondes, au_plus in ((0.0, 3.0), (5.0, 8.0), (None, 20.0)):
        restes.clear()
        causes, _ = assouplissement.explain(vue, Arret(seconds=secondes), 1)
        assert causes
        assert au_plus - 1 < max(restes) <= au_plus
    # Time already spent is not given again.
    assouplissement.explain(vue, Arret(seconds=5.0, started=time.monotonic() - 60), 1)
    assert restes[-1] <= 3.0


def test_the_longer_time_told_is_the_one_of_the_trip() -> None:
    """32.4 minutes as a float32 are a little more than 32.4: not told as 32.5."""
    problem = make_problem([[32.4], [1.0]], sites_max=1, minutes_max=30.0)
    solution = solve(problem, Arret())
    assert "Porter le temps maximal de 30,0 à 32,4 min." in solution.relaxations
    assert solve(replace(problem, minutes_max=32.4), Arret()).bilan.status is Statut.OPTIMAL


def unproven(monkeypatch: pytest.MonkeyPatch, tait: bool = False) -> None:
    """Programs end without a proof: with their answer, or (``tait``) without a word where nothing is feasible."""

    def interrupted(*args: Any, **kwargs: Any) -> Reponse:
        reponse = solve_mip(*args, **kwargs)
        if reponse.x is None:
            return Reponse(Verdict.INCONNU, None, np.inf, -np.inf) if tait else reponse
        return replace(reponse, verdict=Verdict.REALISABLE, borne=-np.inf)

    monkeypatch.setattr(familles, "solve_mip", interrupted)
    monkeypatch.setattr(centre, "solve_mip", interrupted)


AU_PLUS = "au plus ce qu'il faut"
#: Infeasible, each by the rule that its name says.
PAR_REGLE = {
    "sites_max": make_problem([[0.0, np.inf], [np.inf, 0.0]], sites_max=1),
    "sites_min": make_problem([[0.0, 9.0]], etat=[0, 3], sites_min=2),
    "budget": make_problem([[0.0, 9.0]], cout_annuel=[10.0, 20.0], budget_annuel=5.0),
    "parts": make_problem([[0.0, 9.0], [9.0, 0.0]], sites_max=1, seuil=3.0, part_min=0.7),
    "groupes": make_problem([[0.0, 9.0]], sites_min_groupe=[2], etat=[0, 3]),
    "capacites": make_problem([[0.0, 9.0]] * 3, capacites=Capacites.UNIQUE, capacite=[1.0, 1.0]),
    "interdits": make_problem([[0.0, np.inf], [np.inf, 0.0]], etat=[0, 3]),
    "requis": make_problem([[0.0, 1.0, 2.0]], etat=[2, 2, 0], sites_max=1),
    "acces": make_problem([[0.0, np.inf], [np.inf, 0.0]], pmr_exige=True, pmr=[True, False]),
    "temps": make_problem([[4.0, 3.0], [5.0, 9.0], [7.0, 8.0]], Modele.COUVERTURE_TOTALE, seuil=4.0),
}


@pytest.mark.parametrize("nom", PAR_REGLE)
def test_what_is_not_proven_least_is_told_as_enough(nom: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = PAR_REGLE[nom]
    court = Arret(seconds=20)
    _, preuves = assouplissement.explain(make_vue(problem), court, 1)
    assert preuves
    assert not any(AU_PLUS in phrase for phrase in preuves)
    tait = nom in ("groupes", "capacites", "temps")
    unproven(monkeypatch, tait)
    _, phrases = assouplissement.explain(make_vue(problem), court, 1)
    assert phrases
    # Freeing demands altogether is no number that could be smaller; a bisection whose steps are all proven is a proof.
    prouves = ("Accepter",) if tait else ("Accepter", "Porter le temps de couverture")
    assert all(AU_PLUS in phrase or phrase.startswith(prouves) for phrase in phrases), phrases


def test_a_longer_time_not_proven_least_is_told_as_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = make_problem(
        [[4.0, 3.0], [5.0, 9.0], [6.0, 2.0]], sites_max=1, minutes_max=3.0, capacites=Capacites.UNIQUE
    )
    _, preuves = assouplissement.explain(make_vue(problem), Arret(), 1)
    assert "Porter le temps maximal de 3,0 à 6,0 min." in preuves
    unproven(monkeypatch, tait=True)
    _, phrases = assouplissement.explain(make_vue(problem), Arret(), 1)
    assert any(phrase.startswith("Porter le temps maximal") and AU_PLUS in phrase for phrase in phrases), phrases


def test_not_known_is_not_taken_for_infeasible(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be said of a change whose programs end without a word, and it is told so."""

    def dead(mip: object, stop: Arret, **kwargs: Any) -> Reponse:
        return Reponse(Verdict.INCONNU, None, np.inf, -np.inf)

    monkeypatch.setattr(familles, "solve_mip", dead)
    for problem in PAR_REGLE.values():
        causes, phrases = assouplissement.explain(make_vue(problem), Arret(), 1)
        assert not phrases
        assert "Aucun changement de règle qui suffise n'a été trouvé" in causes[-1]


def test_one_site_is_told_in_the_singular() -> None:
    (_, phrases), (_, aucun) = (
        assouplissement.explain(make_vue(problem), Arret(), 1)
        for problem in (PAR_REGLE["sites_min"], make_problem([[0.0]], minutes_non_servi=9.0, etat=[3], sites_min=1))
    )
    assert "Demander au moins 1 site au lieu de 2." in phrases
    assert "Ne plus demander de nombre minimal de sites." in aucun


def test_times_and_access_are_told() -> None:
    """Three demands, two sites; each rule alone is in the way of everybody being covered."""
    minutes = [[4.0, 30.0], [30.0, 12.3], [8.0, 25.0]]
    couverture = make_problem(minutes, Modele.COUVERTURE_TOTALE, seuil=10.0)
    ferme = make_problem(
        minutes, Modele.COUVERTURE_TOTALE, seuil=15.0, pmr_exige=True, pmr=[True, False], site_nom=("Bourg", "Gare")
    )
    limite = make_problem(minutes, Modele.COUVERTURE_TOTALE, seuil=15.0, minutes_max=9.0)
    un_seul = make_problem(minutes, Modele.COUVERTURE_MAX, seuil=10.0, part_min=1.0, sites_max=1)
    borne = replace(couverture, minutes_non_servi=12.0)
    for problem, phrase in (
        (couverture, "Porter le temps de couverture de 10,0 à 12,3 min."),
        (ferme, "Rendre accessible aux personnes à mobilité réduite 1 site (« Gare »)."),
        (limite, "Porter le temps maximal de 9,0 à 12,3 min."),
        (un_seul, "Porter le temps de couverture de 10,0 à 30,0 min."),
    ):
        assert phrase in solve(problem, Arret()).relaxations
    # A time of coverage is never more than what not being served counts.
    assert not any("temps de couverture" in phrase for phrase in solve(borne, Arret()).relaxations)


def test_a_time_that_leaves_somebody_out_may_be_enough() -> None:
    """Half of the demand must be covered, the rest may stay unserved: nobody asks for everybody's time."""
    problem = make_problem(
        [[4.0, 8.0], [60.0, 60.0], [60.0, 60.0]],
        poids=[2, 1, 1],
        minutes_max=3.0,
        minutes_non_servi=100.0,
        seuil=10.0,
        part_min=0.5,
    )
    assert "Porter le temps maximal de 3,0 à 4,0 min." in solve(problem, Arret()).relaxations


def test_the_share_told_is_enough_once_rounded() -> None:
    problem = make_problem([[0.0, 9.0], [9.0, 0.0]], poids=[93255, 6745], sites_max=1, seuil=3.0, part_min=0.95555)
    assert "Demander une part couverte de 93,2\u202f% au lieu de 95,6\u202f%." in solve(problem, Arret()).relaxations
    # A drop just above a thousandth.
    juste = make_problem([[0.0, 9.0], [9.0, 0.0]], poids=[0.9 - 5e-8, 0.1 + 5e-8], sites_max=1, seuil=3.0, part_min=0.9)
    change = familles_nombres.PARTS.moindre(juste, Arret(), 0)
    assert change is not None
    assert solve_exact(change[0]).faisable


def test_required_sites_without_access_are_freed_as_they_stand() -> None:
    problem = make_problem(
        [[1.0, np.inf, np.inf], [1.0, np.inf, 9.0]],
        etat=[2, 2, 2],
        pmr=[False, True, True],
        pmr_exige=True,
        sites_max=2,
        site_nom=("Bourg", "Gare", "Mairie"),
    )
    solution = solve(problem, Arret())
    assert any(phrase.startswith("Ne plus imposer 1 site (") for phrase in solution.relaxations)
    change = familles_sites.REQUIS.moindre(problem, Arret(), 0)
    assert change is not None and solve_exact(change[0]).faisable


def test_a_forbidden_site_without_access_takes_both_changes() -> None:
    problem = make_problem(
        [[1.0, np.inf], [np.inf, 1.0]], etat=[0, 3], pmr=[True, False], pmr_exige=True, site_nom=("Bourg", "Gare")
    )
    # Serving everybody is asked: only the second site serves the second demand.
    phrases = assouplissement._together(problem, [familles_sites.INTERDITS, familles_sites.ACCES], Arret(), 0)
    assert phrases == [
        "Avec les autres changements : ne plus interdire 1 site (« Gare »).",
        "Avec les autres changements : rendre accessible aux personnes à mobilité réduite 1 site (« Gare »).",
    ]


def test_the_fewest_sites_less_whatever_the_order_of_the_collectivites() -> None:
    problem = make_problem(
        [[0.0, 0.0, 0.0]],
        groupes=("A", "B"),
        noms=("Aval", "Bassin"),
        demande_groupe=[0],
        site_groupe=[0, 1, 1],
        sites_min_groupe=[1, 2],
        cout_annuel=[10.0, 5.0, 5.0],
        budget_annuel=10.0,
    )
    assert "Demander moins de sites par collectivité (Aval : 0 au lieu de 1)." in solve(problem, Arret()).relaxations


def test_capacities_by_the_least_whole_percentage() -> None:
    problem = make_problem([[1.0]], capacites=Capacites.UNIQUE, capacite=[10.0], volume=[11.0])
    assert "Augmenter toutes les capacités de 10\u202f%." in solve(problem, Arret()).relaxations


def test_a_threshold_longer_than_any_price_is_explained_too() -> None:
    problem = make_problem(
        [[1.0]], capacites=Capacites.UNIQUE, capacite=[1.0], seuil=2e6, part_min=0.5, etat=[3], sites_min=1
    )
    assert solve(problem, Arret()).impossible


def test_hundreds_of_collectivites_do_not_overrun_the_time() -> None:
    """One program for all of them: looking at each in turn took longer than whoever waits would."""
    alea = np.random.default_rng(0)
    problem = make_problem(
        alea.uniform(1, 60, (300, 120)),
        groupes=tuple(str(g) for g in range(120)),
        demande_groupe=np.arange(300) % 120,
        site_groupe=np.arange(120),
        sites_min_groupe=np.ones(120),
        sites_max=20,
    )
    trouve = familles_nombres.COLLECTIVITES.moindre(problem, Arret(), 0)
    assert trouve is not None
    assert trouve[0].sites_min_groupe is not None and trouve[0].sites_min_groupe.sum() == 20
    assert trouve[1].count("au lieu de") == 5 and trouve[1].endswith("...).")
