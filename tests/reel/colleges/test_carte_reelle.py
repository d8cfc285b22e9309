"""The published carte scolaire of Ille-et-Vilaine and the border of 42 and 43, read whole and rebalanced a little."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import shapely

from benchmarks.cas_reels import Cas, frontiere_42_43, ille_et_vilaine, read_35
from benchmarks.sectorisation_reel import joined, main
from collèges.carte_scolaire import read_colleges, valid_uai
from collèges.controle import check, check_evaluation
from collèges.evaluation import evaluate
from collèges.probleme import AUCUN
from collèges.recalcul import cut_off
from collèges.resultat import present_plan
from collèges.solveur import solve
from territoires.calcul import Arret

pytestmark = pytest.mark.reel


@cache
def _ille_et_vilaine(dossier: Path) -> Cas:
    return ille_et_vilaine(dossier)


@cache
def _frontiere(dossier: Path) -> list[Cas]:
    return frontiere_42_43(dossier)


@pytest.fixture
def cas_35(donnees: Path) -> Cas:
    return _ille_et_vilaine(donnees)


@pytest.fixture
def frontiere(donnees: Path) -> list[Cas]:
    return _frontiere(donnees)


def test_the_whole_file_is_read_and_its_faults_are_told(donnees: Path) -> None:
    carte, communes, fautes = read_35(donnees)
    assert (carte.lignes, len(carte.communes), len(carte.colleges)) == (5416, 340, 62)
    assert sum(sum(c.lignes) for c in carte.communes) == carte.lignes
    texte = "\n".join(fautes)
    for attendu in (
        "secteur partagé entre deux collèges (12)",
        "rattachées à plus de deux collèges (1) : Vezin-le-Coquet (35353, 3 collèges)",
        "découpées par rues (6)",
        "Rennes (35238, 12 collèges)",
        "plusieurs secteurs à la fois (453) : Rennes : 440",
        "absentes du fichier des communes (fusions) (8) : Baillé (35011)",
        "mairies absentes ou placées hors de leur commune",
    ):
        assert attendu in texte, attendu
    assert "Redon (35236)" in texte
    assert len(communes) == 332


def test_the_letter_of_every_published_uai_is_right(donnees: Path) -> None:
    lus = read_colleges(donnees / "colleges" / "colleges-france-2024-ips-2022.csv")
    assert len(lus) > 7000
    assert [uai for uai in lus if not valid_uai(uai)] == []


def test_ille_et_vilaine_is_a_problem(cas_35: Cas, donnees: Path) -> None:
    problem = cas_35.problem
    assert problem.n_colleges == 62
    # 332 communes, six of which in parts.
    assert problem.n_zones == 332 - 6 + 2 + 12 + 3 + 2 + 2 + 2
    assert np.all(problem.present[:, 0] != AUCUN)
    assert np.all(np.isfinite(problem.minutes))
    # Every commune touches another one, and the map is in one piece.
    voisines = problem.arete[problem.frontiere_m > 0]
    assert set(voisines.ravel().tolist()) == set(range(problem.n_zones))
    assert np.all(problem.college_zone != AUCUN)
    tous = read_colleges(donnees / "colleges" / "colleges-france-2024-ips-2022.csv")
    assert problem.eleves.sum() == pytest.approx(sum(tous[uai].effectif or 0.0 for uai in problem.college_code))
    # Places: at least the pupils of 2022.
    assert all(
        (tous[u].effectif or 0.0) <= places for u, places in zip(problem.college_code, problem.capacite[0], strict=True)
    )
    # Parts cover their communes: no hole, no overlap.
    rennes = [zone for zone in cas_35.zones if zone.code.startswith("35238")]
    assert sum(zone.polygone.area for zone in rennes) == pytest.approx(
        shapely.union_all([zone.polygone for zone in rennes]).area
    )


def test_a_merged_commune_keeps_both_its_sectors(cas_35: Cas) -> None:
    (zone,) = [z for z in cas_35.zones if z.code == "35062"]
    assert set(zone.colleges) == {"0350967L", "0350762N"}
    (phrase,) = [phrase for phrase in cas_35.fautes if phrase.startswith("communes nouvelles")]
    assert "(1) : Chapelle-Fleurigné (35062 : La Chapelle-Janson 0350967L ; Fleurigné 0350762N)" in phrase
    (perdues,) = [phrase for phrase in cas_35.fautes if phrase.startswith("anciennes communes")]
    assert "(35112" not in perdues
    assert "Baillé (35011, 0350040D)" in perdues


def test_today_is_told_as_it_is(cas_35: Cas) -> None:
    evaluation = evaluate(cas_35.problem, present_plan(cas_35.problem))
    check_evaluation(cas_35.problem, present_plan(cas_35.problem), evaluation)
    assert evaluation.coupees == ()
    assert evaluation.iles
    iles = " ".join(phrase for phrase in cas_35.fautes if "séparées de leur collège" in phrase)
    for zone in evaluation.iles:
        assert cas_35.problem.zone_nom[zone] in iles


def test_ille_et_vilaine_is_rebalanced(cas_35: Cas) -> None:
    problem = cas_35.problem
    solution = solve(problem, Arret(seconds=6.0), seed=1)
    check(problem, solution)
    avant = evaluate(problem, present_plan(problem))
    assert solution.evaluation.cout < 0.97 * avant.cout
    assert cut_off(problem, solution.plan.college)[0] == set()
    # Streets are not moved from one sector to another.
    figees = [i for i, zone in enumerate(cas_35.zones) if zone.figee]
    np.testing.assert_array_equal(solution.plan.college[figees], problem.present[figees])


def test_the_border_alone_and_together(frontiere: list[Cas]) -> None:
    """The block of both is its two parts, and sharing cannot cost more than staying at home."""
    loire, haute_loire, ensemble = frontiere
    assert ensemble.problem.groupes == ("42", "43")
    assert ensemble.problem.n_zones == loire.problem.n_zones + haute_loire.problem.n_zones
    assert ensemble.problem.n_colleges == loire.problem.n_colleges + haute_loire.problem.n_colleges
    assert np.all(np.isfinite(ensemble.problem.minutes))
    seules, seuls = [], 0.0
    for cas in (loire, haute_loire):
        solution = solve(cas.problem, Arret(seconds=3.0), seed=1)
        check(cas.problem, solution)
        # A few seconds of a loaded machine may find nothing better; never anything worse.
        assert solution.evaluation.cout <= evaluate(cas.problem, present_plan(cas.problem)).cout
        seules.append(solution)
        seuls += solution.evaluation.cout
    # Today's costs add up: no zone has a collège of the other side.
    aujourdhui = [evaluate(cas.problem, present_plan(cas.problem)).cout for cas in frontiere]
    assert aujourdhui[2] == pytest.approx(aujourdhui[0] + aujourdhui[1])
    solution = solve(ensemble.problem, Arret(seconds=8.0), seed=1, departs=[joined(frontiere, seules)])
    check(ensemble.problem, solution)
    assert solution.evaluation.cout <= aujourdhui[2]
    # However short the run: what each one does alone may be done together.
    assert solution.evaluation.cout <= seuls * (1.0 + 1e-9)


def test_a_closed_border_is_two_blocks(frontiere: list[Cas]) -> None:
    ferme = dataclasses.replace(frontiere[2].problem, passages_max=np.zeros((2, 2)))
    solution = solve(ferme, Arret(seconds=3.0), seed=1)
    check(ferme, solution)
    groupe = ferme.college_groupe[solution.plan.college[:, 0]]
    np.testing.assert_array_equal(groupe, ferme.zone_groupe)


def test_the_script_prints_lines_and_draws(donnees: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(donnees), "--cas", "prevision", "frontiere-42-43", "--limite", "1", "--images", str(tmp_path)]
    assert main([*arguments, "--json"]) == 0
    lignes = [json.loads(ligne) for ligne in capsys.readouterr().out.splitlines()]
    assert [ligne.get("cas", "prevision") for ligne in lignes] == ["prevision"] * 2 + ["42", "43", "42-43", "gain"]
    for ligne in lignes[2:5]:
        assert ligne["checked"]
        assert ligne["chiffres"]["zones coupées de leur collège"] == {"avant": 0, "apres": 0}
        # Told to the hundredth: where a second leaves no time to search, the cost is today's.
        assert ligne["cost"] <= ligne["chiffres"]["coût (élèves-minutes)"]["avant"] + 0.005
    assert lignes[5]["cloisonne"] == pytest.approx(lignes[2]["cost"] + lignes[3]["cost"], abs=0.02)
    # What each one does alone may be done together.
    assert lignes[5]["mutualise"] <= lignes[5]["cloisonne"] * (1.0 + 1e-9)
    assert (tmp_path / "sectorisation-42-43.png").stat().st_size > 20_000
    assert main([str(donnees), "--cas", "prevision"]) == 0
    assert "publics d'Ille-et-Vilaine" in capsys.readouterr().out
    assert main([str(tmp_path / "absent")]) == 2
