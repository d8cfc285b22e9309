"""Reception points on real demand: data as documented, answers proven and checked, what sharing must and may not do."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accueil.changements import with_state
from accueil.chiffres import access
from accueil.controle import check
from accueil.fronts import Moyen, front
from accueil.probleme import Etat, Modele, Problem
from accueil.resultat import Solution, difference, open_sites
from accueil.solveur import solve
from benchmarks.accueil_donnees import Donnees, loire_haute_loire, olemps
from benchmarks.accueil_reel import Cas, line, table
from territoires.calcul import Arret, Statut

pytestmark = pytest.mark.reel

LIMITE_S = 20.0
CHACUN, ENSEMBLE = (("42",), ("43",)), ("42", "43")


@pytest.fixture(scope="module")
def carreaux(donnees: Path) -> Donnees:
    return olemps(donnees)


@pytest.fixture(scope="module")
def communes(donnees: Path) -> Donnees:
    return loire_haute_loire(donnees)


def solved(problem: Problem) -> Solution:
    solution = solve(problem, Arret(seconds=LIMITE_S), 1)
    check(problem, solution)
    return solution


def test_the_grid_of_olemps_is_that_of_its_documentation(carreaux: Donnees) -> None:
    assert len(carreaux.demande_code) == 457 and not carreaux.perdus
    jeunes, ages, tres_ages = carreaux.populations.sum(axis=0)
    # 29,736 inhabitants, 3,999 aged 65-79, 1,896 aged 80 and over.
    assert (round(jeunes + ages + tres_ages), round(ages), round(tres_ages)) == (29_736, 3_999, 1_896)
    assert {"Olemps", "Rodez"} <= set(carreaux.noms)
    assert len(carreaux.site_code) > 100 and np.isfinite(carreaux.minutes).all()
    # On foot: nobody crosses 8 km in less than an hour, everybody in less than four.
    assert 60 < carreaux.minutes.max() < 240


def test_the_communes_of_42_and_43_and_their_france_services(communes: Donnees) -> None:
    assert len(communes.demande_code) == 320 + 257 and not communes.perdus
    assert communes.existants.sum() == 25 + 22
    deux = communes.site_groupe[communes.existants]
    assert np.bincount(deux).tolist() == [25, 22]
    assert np.isfinite(communes.minutes).all()
    rang = {code: i for i, code in enumerate(communes.demande_code)}
    # Saint-Étienne to Le Puy-en-Velay by the N88: a little more than an hour.
    le_puy = communes.site_commune.index("Le Puy-en-Velay")
    assert 50 < communes.minutes[rang["42218"], le_puy] < 90
    seule = communes.block(("43",))
    assert len(seule.demande_code) == 257 and set(seule.site_groupe) == {0} and seule.noms == ("Haute-Loire",)


@pytest.mark.parametrize("modele", [Modele.MEDIANE, Modele.COUVERTURE_MAX, Modele.CENTRE_PUIS_MEDIANE])
def test_five_points_of_olemps_for_the_aged(carreaux: Donnees, modele: Modele) -> None:
    problem = carreaux.problem(modele, mix=(0, 1, 1), seuil=20.0, sites_max=5)
    solution = solved(problem)
    assert solution.bilan.status is Statut.OPTIMAL
    acces = access(problem, solution)
    assert acces.poids == pytest.approx(3_998.7 + 1_896.1)
    # One tenth of the aged live in hamlets more than half an hour's walk from any of five points.
    assert acces.moyenne < acces.p90 <= acces.pire
    assert 0.5 < acces.bandes[1] < 1


def test_each_model_is_the_best_at_what_it_is_asked(communes: Donnees) -> None:
    """Haute-Loire alone, five points: no other model does better than the one whose aim it is."""
    seule = communes.block(("43",))
    modeles = (Modele.MEDIANE, Modele.COUVERTURE_MAX, Modele.CENTRE, Modele.CENTRE_PUIS_MEDIANE)
    parties = {}
    for modele in modeles:
        solution = solved(seule.problem(modele, mix=(1,), seuil=30.0, sites_max=5))
        assert solution.bilan.status is Statut.OPTIMAL
        parties[modele] = solution.parties
    for autre in parties.values():
        assert parties[Modele.MEDIANE].minutes <= autre.minutes * (1 + 1e-6)
        assert (parties[Modele.COUVERTURE_MAX].non_couvert or 0.0) <= (autre.non_couvert or 0.0) + 1e-6
        assert parties[Modele.CENTRE].rayon <= autre.rayon + 1e-6
    assert parties[Modele.CENTRE_PUIS_MEDIANE].rayon == pytest.approx(parties[Modele.CENTRE].rayon)
    assert parties[Modele.CENTRE_PUIS_MEDIANE].minutes <= parties[Modele.CENTRE].minutes * (1 + 1e-9)


def test_what_is_shared_is_never_worse_than_the_same_points_on_each_side(communes: Donnees) -> None:
    """Eight joint points against five and three: a border less is a constraint less."""
    total = 0.0
    for codes, p in zip(CHACUN, (5, 3), strict=True):
        total += solved(communes.block(codes).problem(Modele.MEDIANE, mix=(1,), sites_max=p)).parties.minutes
    ensemble = solved(communes.block(ENSEMBLE).problem(Modele.MEDIANE, mix=(1,), sites_max=8))
    assert ensemble.bilan.status is Statut.OPTIMAL
    assert ensemble.parties.minutes <= total


def test_points_added_to_the_france_services_that_stay(communes: Donnees) -> None:
    bloc = communes.block(ENSEMBLE)
    sans = bloc.problem(Modele.MEDIANE, mix=(1,), existants=Etat.REQUIS, sites_max=47, seuil=15.0)
    avec = bloc.problem(Modele.MEDIANE, mix=(1,), existants=Etat.REQUIS, sites_max=50, seuil=15.0)
    avant, apres = solved(sans), solved(avec)
    ouverts = open_sites(avec, apres)
    assert len(ouverts) == 50 and bloc.existants[ouverts].sum() == 47
    change = difference(avec, avant, apres)
    assert len(change.ouverts) == 3 and not len(change.fermes) and change.minutes < 0
    assert access(avec, apres).moyenne < access(sans, avant).moyenne


def test_france_services_that_may_move(communes: Donnees) -> None:
    """As many as today, three at most elsewhere: each one that closes is named."""
    bloc = communes.block(ENSEMBLE)
    neufs = np.where(bloc.existants, 0.0, 1.0)
    regles: dict[str, Any] = {"sites_max": 47, "cout_ouverture": neufs, "existants": Etat.EXISTANT}
    reste = bloc.problem(Modele.MEDIANE, mix=(1,), budget_ouverture=0.0, **regles)
    change = bloc.problem(Modele.MEDIANE, mix=(1,), budget_ouverture=3.0, **regles)
    avant, apres = solved(reste), solved(change)
    assert not avant.souhaits and bloc.existants[open_sites(reste, avant)].all()
    ecart = difference(change, avant, apres)
    assert len(ecart.ouverts) == len(ecart.fermes) == 3 and ecart.minutes < 0
    assert sorted(apres.souhaits) == sorted(
        f"Le site existant « {bloc.site_nom[site]} » ferme." for site in ecart.fermes
    )


def test_one_site_forbidden_and_solved_again_from_the_last_answer(communes: Donnees) -> None:
    problem = communes.block(("42",)).problem(Modele.MEDIANE, mix=(1,), sites_max=5)
    avant = solved(problem)
    ferme = int(open_sites(problem, avant)[0])
    sans = with_state(problem, ferme, Etat.INTERDIT)
    apres = solve(sans, Arret(seconds=LIMITE_S), 1, depart=avant)
    check(sans, apres)
    assert apres.bilan.status is Statut.OPTIMAL and ferme not in open_sites(sans, apres)
    assert apres.bilan.cost >= avant.bilan.cost


def test_the_front_falls_and_each_point_is_the_answer_of_its_number(communes: Donnees) -> None:
    problem = communes.block(("43",)).problem(Modele.MEDIANE, mix=(1,), seuil=30.0)
    points = front(problem, Moyen.SITES, range(1, 9), Arret(seconds=LIMITE_S)).points
    assert [p.depense for p in points] == list(range(1, 9))
    moyennes = [p.moyenne for p in points]
    assert all(b < a for a, b in pairwise(moyennes))
    cinq = solved(communes.block(("43",)).problem(Modele.MEDIANE, mix=(1,), seuil=30.0, sites_max=5))
    assert points[4].solution.parties.minutes == pytest.approx(cinq.parties.minutes, rel=1e-6)


def test_lines_and_tables_of_the_program(communes: Donnees) -> None:
    cas = Cas("essai", "points seuls", communes.block(ENSEMBLE), Modele.MEDIANE, (1,), 30.0, 3)
    problem = cas.problem()
    ligne = line(cas, problem, solved(problem), 0.5, LIMITE_S)
    assert {"bench", "case", "seed", "limit_s", "seconds", "cost", "bound", "reference", "gap", "checked"} <= set(ligne)
    figures = ligne["figures"]
    assert isinstance(figures, list)
    assert [f["group"] for f in figures] == ["Loire", "Haute-Loire", "Loire + Haute-Loire"]
    imprime = table([ligne]).splitlines()
    assert len(imprime) == 4 and imprime[0].split()[:3] == ["bloc", "points", "collectivité"]
    assert "Haute-Loire" in imprime[2] and imprime[1].endswith("prouvé")
