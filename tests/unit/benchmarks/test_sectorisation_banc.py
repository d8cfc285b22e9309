"""The bench of the sectors: one line a set and seed, whatever the folder; what does not read is told and left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from benchmarks import __main__ as banc
from benchmarks import sectorisation
from benchmarks import sectorisation_image as images
from benchmarks.sectorisation import holds
from benchmarks.sectorisation_lecture import Graphe, find, read_district
from collèges import solveur

from ..colleges.enfant_local import EnfantLocal
from .test_sectorisation_lecture import GRAPHE, made, real, table

CHAMPS = {"bench", "case", "seed", "limit_s", "seconds", "cost", "bound", "reference", "gap", "checked"}


@pytest.fixture(autouse=True, scope="module")
def _no_processes() -> Iterator[None]:
    """HiGHS here; loops compiled once, before any clock runs, as the bench does itself."""
    with pytest.MonkeyPatch.context() as remplace:
        remplace.setattr(solveur, "Enfant", EnfantLocal)
        sectorisation._warm_up()
        remplace.setattr(sectorisation, "_warm_up", lambda: None)
        yield


@pytest.fixture
def dossier(tmp_path: Path) -> Path:
    """Two districts and two graphs, one with its optimum: a square needs two borders cut."""
    racine = tmp_path / "tout"
    real(racine / "ville")
    made(racine / "fabriques" / "5x2")
    (racine / "comtes").mkdir()
    for nom in ("x", "y"):
        (racine / "comtes" / f"{nom}.json").write_text(json.dumps(GRAPHE))
    table(racine / "comtes" / "optima.csv", "instance,min_cut_edges", [("x", 2)])
    return racine


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[list[dict[str, Any]], str, str]:
    """The lines, what was said, and how it failed ("" = it did not)."""
    faute = ""
    try:
        assert banc.main(["sectorisation", *argv]) == 0
    except SystemExit as error:
        faute = str(error)
    sortie = capsys.readouterr()
    return [json.loads(ligne) for ligne in sortie.out.splitlines()], sortie.err, faute


def test_one_line_a_set_and_seed(capsys: pytest.CaptureFixture[str], dossier: Path) -> None:
    lignes, _, faute = run(capsys, str(dossier), "--limite", "1", "--graines", "2")
    assert faute == ""
    assert [(ligne["case"], ligne["seed"]) for ligne in lignes] == [
        (cas, graine) for cas in ("ville_mid", "fabriques_5x2", "comtes_x", "comtes_y") for graine in (1, 2)
    ]
    for ligne in lignes:
        assert ligne.keys() >= CHAMPS and ligne["bench"] == "sectorisation"
        assert ligne["checked"] is True and ligne["limit_s"] == 1.0
    plans, graphes = lignes[:4], lignes[4:]
    for ligne in plans:
        assert ligne["reference"] is None and ligne["cut_off"] == 0 and 0 < ligne["bound"] <= ligne["cost"]
        assert ligne["gap"] == pytest.approx(ligne["cost"] / ligne["bound"] - 1, abs=1e-6)
    assert [ligne["cost"] for ligne in graphes] == [2.0] * 4
    assert [(ligne["reference"], ligne["gap"]) for ligne in graphes] == [(2.0, 0.0)] * 2 + [(None, None)] * 2
    # The proven optimum ends a run; without one it lasts as long as it may.
    assert [ligne["seconds"] >= 1.0 for ligne in graphes] == [False, False, True, True]


def test_one_set_alone_against_a_value_that_is_known(
    capsys: pytest.CaptureFixture[str], dossier: Path, tmp_path: Path
) -> None:
    table(tmp_path / "valeurs.txt", "case,reference", [("ville_mid", 500)])
    lignes, _, faute = run(
        capsys, str(dossier / "ville"), "--limite", "0.5", "--reference", str(tmp_path / "valeurs.txt")
    )
    assert (faute, [ligne["case"] for ligne in lignes]) == ("", ["ville_mid"])
    assert lignes[0]["reference"] == 500.0
    assert lignes[0]["gap"] == pytest.approx(lignes[0]["cost"] / 500 - 1, abs=1e-6)
    (seule,), _, _ = run(capsys, str(dossier / "fabriques" / "5x2"), "--limite", "0.5")
    assert seule["case"] == "5x2"


def test_a_set_that_does_not_read_is_told_and_the_others_measured(
    capsys: pytest.CaptureFixture[str], dossier: Path
) -> None:
    (dossier / "ville" / "adjacency.csv").write_text("zone_a,zone_b,shared_border_m\nA,F,900\n")
    (dossier / "comtes" / "x.json").write_text(json.dumps(GRAPHE | {"edges": [[0, 1], [2, 3]]}))
    lignes, dit, faute = run(capsys, str(dossier), "--limite", "0.2")
    assert [ligne["case"] for ligne in lignes] == ["fabriques_5x2", "comtes_y"]
    assert "ville_mid, jeu écarté : adjacency.csv, ligne 2, zone_b : zone « F » inconnue" in dit
    assert "comtes_x, jeu écarté : graphe : " in dit and "sans lien" in dit
    assert faute == "Erreur : jeux illisibles, écartés : 2"


@pytest.mark.parametrize("changes", [{"population": None}, {"edges": None}, {"districts": float("inf")}])
def test_a_graph_that_makes_no_sense_stops_no_other(
    capsys: pytest.CaptureFixture[str], dossier: Path, changes: dict[str, Any]
) -> None:
    """Nor does a table that happens to lie beside it and is not of numbers."""
    (dossier / "comtes" / "x.json").write_text(json.dumps(GRAPHE | changes))
    table(dossier / "comtes" / "autre.csv", "case,reference", [("comtes_y", "inconnu")])
    lignes, dit, faute = run(capsys, str(dossier / "comtes"), "--limite", "0.2")
    assert [ligne["case"] for ligne in lignes] == ["comtes_y"]
    (champ,) = changes
    assert f"comtes_x, jeu écarté : x.json : {champ}" in dit
    assert "autre.csv, ligne 2, reference : « inconnu »" in dit
    assert faute == "Erreur : jeux illisibles, écartés : 1"


def test_what_cannot_run_says_why(capsys: pytest.CaptureFixture[str], dossier: Path, tmp_path: Path) -> None:
    (tmp_path / "vide").mkdir()
    assert run(capsys, str(tmp_path / "vide"))[2] == "Erreur : aucun jeu dans vide"
    assert run(capsys)[2] == "python -m benchmarks sectorisation DIR"
    table(tmp_path / "t.txt", "a,b", [(1, 2)])
    lignes, _, faute = run(capsys, str(dossier), "--reference", str(tmp_path / "t.txt"))
    assert lignes == [] and faute.startswith("Erreur : t.txt : colonnes case ou instance")


def square(partie: list[int], coupees: float = 2.0, **changes: Any) -> bool:
    valeurs: dict[str, Any] = {
        "population": np.full(4, 10.0), "arete": np.array(GRAPHE["edges"], dtype=np.int32), "parties": 2,
        "bas": 20.0, "haut": 20.0,
    }  # fmt: skip
    return holds(Graphe(**(valeurs | changes)), np.array(partie, dtype=np.int32), coupees)


def test_a_partition_is_checked_on_its_own() -> None:
    assert square([0, 0, 1, 1]) and square([1, 0, 0, 1])
    assert not square([0, 0, 1, 1], 1.0), "another count of borders"
    assert not square([0, 1, 0, 1], 4.0), "parts in two pieces"
    assert not square([-1] * 4, 0.0) and not square([0] * 4, 0.0) and not square([0, 0, 2, 2]), "a part is absent"
    assert not square([0, 0, 1, 1], population=np.array([10.0, 11, 10, 10])), "a part too large"
    assert not square([0, 0, 1, 1], population=np.array([10.0, 9, 10, 10])), "a part too small"
    assert square([0, 0, 1, 1], population=np.array([10.0, 11, 10, 10]), haut=21.0)


def test_maps_of_the_levels_asked_for(dossier: Path, tmp_path: Path) -> None:
    """One picture a district; its zones are cells that hold their positions."""
    assert images.main([str(dossier), str(tmp_path / "cartes"), "--limite", "0.2", "--niveaux", "mid"]) == 0
    assert [chemin.name for chemin in (tmp_path / "cartes").iterdir()] == ["sectorisation-ville-mid.png"]
    problem = read_district(next(d for d in find(dossier)[0] if d.niveau == "mid"))
    for zone, x, y in zip(images.cells(problem), problem.zone_x, problem.zone_y, strict=True):
        assert zone.polygone.contains(shapely.Point(x, y))
