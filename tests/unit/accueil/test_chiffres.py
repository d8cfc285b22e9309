"""Figures by site and by group against plain loops, and against PySAL where it is installed (requirements/bench)."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accueil.chiffres import BANDES, Acces, Site, access, by_group, by_site, gini, palma, percentile, sites_by_group
from accueil.controle_chiffres import check_access, check_sites
from accueil.probleme import Capacites, Modele, Problem, make_problem
from accueil.resultat import Solution
from accueil.solveur import solve
from territoires.calcul import Arret, ControleEchoue

from . import formules
from .cas import draw_problem
from .plans import honest

temps_et_poids = st.lists(
    st.tuples(st.integers(0, 240).map(lambda quart: quart / 4), st.integers(1, 12)), min_size=1, max_size=12
)


@given(temps_et_poids)
def test_weighted_formulas_are_those_of_people_counted_one_by_one(couples: list[tuple[float, int]]) -> None:
    minutes, poids = (np.array(colonne, dtype=float) for colonne in zip(*couples, strict=True))
    gens = formules.people(minutes, poids)
    assert gini(minutes, poids) == pytest.approx(formules.gini(gens), abs=1e-9)
    for part in (0.5, 0.9):
        assert percentile(minutes, poids, part) == formules.percentile(gens, part)
    assert palma(minutes, poids) == pytest.approx(formules.palma(gens), rel=1e-9, nan_ok=True)


@given(temps_et_poids, st.integers(2, 5))
def test_formulas_do_not_depend_on_how_people_are_grouped(couples: list[tuple[float, int]], facteur: int) -> None:
    minutes, poids = (np.array(colonne, dtype=float) for colonne in zip(*couples, strict=True))
    ensemble = gini(minutes, poids), palma(minutes, poids)
    coupe = np.repeat(minutes, facteur), np.repeat(poids / facteur, facteur)
    assert (gini(*coupe), palma(*coupe)) == pytest.approx(ensemble, rel=1e-9, abs=1e-9, nan_ok=True)
    # Times all doubled are as unequal as before.
    assert (gini(2 * minutes, poids), palma(2 * minutes, poids)) == pytest.approx(ensemble, abs=1e-9, nan_ok=True)


def test_known_values() -> None:
    egaux = np.full(10, 12.0), np.ones(10)
    assert gini(*egaux) == pytest.approx(0) and palma(*egaux) == pytest.approx(1)
    un_seul = np.array([0.0] * 9 + [10.0]), np.ones(10)
    assert gini(*un_seul) == pytest.approx(0.9) and math.isnan(palma(*un_seul))
    assert percentile(*un_seul, 0.9) == 0 and percentile(*un_seul, 0.91) == 10


@given(temps_et_poids)
def test_gini_equals_pysal(couples: list[tuple[float, int]]) -> None:
    pysal = pytest.importorskip("inequality.gini", reason="PySAL inequality : requirements/bench.txt")
    minutes, poids = (np.array(colonne, dtype=float) for colonne in zip(*couples, strict=True))
    gens: list[float] = formules.people(minutes, poids)
    if not sum(gens):
        return
    assert gini(minutes, poids) == pytest.approx(float(pysal.Gini(np.array(gens)).g), abs=1e-9)


# PySAL's own use of pandas.
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_bands_equal_pysal_access() -> None:
    """A place is within the band where PySAL's catchment of that time counts an open site."""
    pandas = pytest.importorskip("pandas")
    pysal = pytest.importorskip("access", reason="PySAL access : requirements/bench.txt")
    alea = np.random.default_rng(3)
    minutes, poids = alea.uniform(0, 60, (40, 6)), alea.integers(1, 50, 40).astype(float)
    problem = make_problem(minutes, poids=poids)
    solution = honest(problem, [1, 3, 4])
    couts = pandas.DataFrame(
        [(i, j, float(problem.minutes[i, j])) for i in range(40) for j in (1, 3, 4)],
        columns=["origin", "dest", "cost"],
    )
    dits = access(problem, solution).bandes
    for bande, part in zip(BANDES, dits, strict=True):
        modele = pysal.Access(
            demand_df=pandas.DataFrame({"id": range(40), "pop": poids}),
            demand_index="id",
            demand_value="pop",
            supply_df=pandas.DataFrame({"id": [1, 3, 4], "site": 1.0}),
            supply_index="id",
            supply_value="site",
            cost_df=couts,
            cost_origin="origin",
            cost_dest="dest",
            cost_name="cost",
        )
        offre = modele.weighted_catchment(name="n", max_cost=bande)["n_site"].fillna(0)
        assert part == pytest.approx(poids[offre.to_numpy() > 0].sum() / poids.sum())


def solved(graine: int, capacites: Capacites) -> tuple[Problem, Solution] | None:
    """A random problem that has an answer, whole weights."""
    alea = np.random.default_rng([graine, 5])
    traits = frozenset({"groupes", "sans_poids", "niveaux", "inatteignable"})
    problem = draw_problem(alea, list(Modele)[graine % 5], capacites, traits)
    solution = solve(problem, Arret(), 0)
    return (problem, solution) if len(solution.niveaux) else None


def flows(problem: Problem, solution: Solution) -> list[tuple[int, int, float, float]]:
    """Demand, level, share and minutes of each flow."""
    return [
        (int(i), int(n), float(part), float(problem.minutes[i, problem.niveau_site[n]]) + float(problem.attente[n]))
        for i, n, part in zip(solution.demande, solution.niveau, solution.part, strict=True)
    ]


def test_access_by_group_is_what_its_people_travel() -> None:
    cas = [trouve for graine in range(30) if (trouve := solved(graine, Capacites.AUCUNE)) is not None]
    assert len(cas) >= 20
    for problem, solution in cas:
        poids = problem.populations[:, 0]
        groupes = by_group(problem, solution)
        for groupe, dit in [(None, access(problem, solution)), *enumerate(groupes)]:
            ceux = [i for i in range(problem.n_demandes) if groupe is None or problem.demande_groupe[i] == groupe]
            servis = [(temps, poids[i]) for i, _, _, temps in flows(problem, solution) if i in ceux and poids[i] > 0]
            assert_access(dit, servis, int(sum(poids[i] for i in ceux)))
        assert sum(g.poids for g in groupes) == pytest.approx(access(problem, solution).poids)


def assert_access(dit: Acces, servis: list[tuple[float, float]], tous: float) -> None:
    assert dit.poids == tous
    if not servis:
        assert all(math.isnan(v) for v in (dit.moyenne, dit.mediane, dit.p90, dit.pire, dit.gini, dit.palma))
        return
    gens = formules.people([temps for temps, _ in servis], [w for _, w in servis])
    assert dit.servi == pytest.approx(len(gens) / tous)
    assert dit.bandes == pytest.approx(tuple(formules.share_within(gens, bande, tous) for bande in BANDES))
    assert dit.moyenne == pytest.approx(formules.mean(gens))
    assert (dit.mediane, dit.p90, dit.pire) == (
        formules.percentile(gens, 0.5),
        formules.percentile(gens, 0.9),
        gens[-1],
    )
    assert dit.gini == pytest.approx(formules.gini(gens), abs=1e-9)
    assert dit.palma == pytest.approx(formules.palma(gens), nan_ok=True)


@pytest.mark.parametrize("capacites", Capacites)
def test_sites_receive_what_flows_bring(capacites: Capacites) -> None:
    cas = [trouve for graine in range(15) if (trouve := solved(graine, capacites)) is not None]
    assert len(cas) >= 5
    for problem, solution in cas:
        assert_reception(problem, solution)


def assert_reception(problem: Problem, solution: Solution) -> None:
    poids = problem.populations[:, 0]
    lignes = by_site(problem, solution)
    assert [ligne.niveau for ligne in lignes] == solution.niveaux.tolist()
    for ligne in lignes:
        recus = [(i, part, temps) for i, n, part, temps in flows(problem, solution) if n == ligne.niveau and poids[i]]
        attendu = sum(poids[i] * part for i, part, _ in recus)
        assert ligne.site == problem.niveau_site[ligne.niveau]
        assert ligne.acces.poids == pytest.approx(attendu) and ligne.demandes == len(recus)
        assert ligne.volume == pytest.approx(sum(problem.volume[i] * part for i, part, _ in recus))
        assert ligne.capacite == problem.capacite[ligne.niveau]
        for g in range(len(problem.groupes)):
            du_groupe = sum(poids[i] * part for i, part, _ in recus if problem.demande_groupe[i] == g)
            assert ligne.groupes[g] == pytest.approx(du_groupe)
        if problem.capacites is not Capacites.PARTAGEE:
            assert_access(ligne.acces, [(temps, poids[i]) for i, _, temps in recus], attendu)
        elif recus:
            # People cut in parts cannot be counted one by one.
            assert ligne.acces.pire == max(temps for _, _, temps in recus)
            assert ligne.acces.moyenne == pytest.approx(sum(poids[i] * part * t for i, part, t in recus) / attendu)
    dans = [problem.site_groupe[ligne.site] for ligne in lignes]
    assert sites_by_group(problem, solution).tolist() == [dans.count(g) for g in range(len(problem.groupes))]


def test_figures_of_one_population() -> None:
    """The aged alone: theirs are not the figures of all."""
    champs: dict[str, Any] = {"populations": [[90.0, 0], [10, 20]], "population_noms": ("jeunes", "âgés")}
    problem = make_problem([[5.0, 50], [40.0, 0]], groupes=("A", "B"), demande_groupe=[0, 1], **champs)
    solution = honest(problem, [0])
    ages = access(problem, solution, poids=problem.populations[:, 1])
    assert (ages.poids, ages.moyenne, ages.bandes) == (20, 40, (0, 0, 0, 1))
    assert access(problem, solution).bandes == pytest.approx((0.75, 0.75, 0.75, 1))
    assert by_site(problem, solution, problem.populations[:, 1])[0].groupes.tolist() == [0, 20]


@pytest.mark.parametrize("capacites", Capacites)
def test_the_checker_of_figures_accepts_those_of_every_answer(capacites: Capacites) -> None:
    cas = [trouve for graine in range(20) if (trouve := solved(graine, capacites)) is not None]
    assert len(cas) >= 8
    for problem, solution in cas:
        check_sites(problem, solution, by_site(problem, solution), BANDES)
        check_access(problem, solution, access(problem, solution), None, BANDES)
        for g, dit in enumerate(by_group(problem, solution)):
            check_access(problem, solution, dit, g, BANDES)


def test_the_checker_of_figures_refuses_each_of_them_changed() -> None:
    problem = make_problem(
        [[5.0, 50.0], [40.0, 0.0], [7.0, 9.0]],
        groupes=("A", "B"),
        demande_groupe=[0, 1, 1],
        poids=[3, 2, 5],
        capacite=[20.0, 9],
    )
    solution = honest(problem, [0, 1])
    for groupe in (None, 0, 1):
        dit = access(problem, solution, groupe)
        check_access(problem, solution, dit, groupe, BANDES)
        for champ in fields(Acces):
            valeur = getattr(dit, champ.name)
            tranches = champ.name == "bandes"
            mensonges: Any = [valeur[1:], (0.01, *valeur[1:])] if tranches else [0.9 * valeur - 0.1, math.nan]
            for faux in mensonges:
                with pytest.raises(ControleEchoue):
                    check_access(problem, solution, replace(dit, **{champ.name: faux}), groupe, BANDES)
    sites = by_site(problem, solution)
    check_sites(problem, solution, sites, BANDES)
    with pytest.raises(ControleEchoue):
        check_sites(problem, solution, sites[:1], BANDES)
    for champ in fields(Site):
        for rang, dit_site in enumerate(sites):
            if champ.name == "acces":
                for partie in fields(Acces):
                    valeur = getattr(dit_site.acces, partie.name)
                    faux = (*valeur[:-1], 0.01) if partie.name == "bandes" else 0.9 * np.nan_to_num(valeur) - 0.1
                    acces = replace(dit_site.acces, **{partie.name: faux})
                    with pytest.raises(ControleEchoue):
                        check_sites(
                            problem,
                            solution,
                            [*sites[:rang], replace(dit_site, acces=acces), *sites[rang + 1 :]],
                            BANDES,
                        )
                continue
            faux_site = replace(dit_site, **{champ.name: getattr(dit_site, champ.name) + 1})
            with pytest.raises(ControleEchoue):
                check_sites(problem, solution, [*sites[:rang], faux_site, *sites[rang + 1 :]], BANDES)
