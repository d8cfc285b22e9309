"""Readers of location instances on small files written here, and the lines of the bench."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

from accueil.moteur import close_all
from accueil.probleme import Capacites
from benchmarks.localisation import run
from benchmarks.localisation_lecture import files, read, read_all, read_tables


@pytest.fixture
def dossier(tmp_path: Path) -> Path:
    (tmp_path / "voisin.csv").write_bytes("commune;élèves\nBrédons;3\n".encode("cp1252"))
    tmp_path /= "localisation"
    tmp_path.mkdir()
    (tmp_path / "pmed").mkdir()
    # A path 1-2-3-4; the first edge is listed twice, the last cost counts.
    (tmp_path / "pmed" / "pmed1.txt").write_text("4 4 2\n1 2 9\n2 3 5\n3 4 1\n1 2 2\n")
    (tmp_path / "pmed_optima.csv").write_text("instance,pmedian_optimum,pcenter_optimum\npmed1,3,2\n")
    (tmp_path / "pmedcap").mkdir()
    (tmp_path / "pmedcap" / "pmedcap1.csv").write_text("id,x,y,demand\n1,0,0,3\n2,3,4,2\n3,0,1,2\n")
    (tmp_path / "pmedcap_best.csv").write_text("instance,p,capacity,best_known\npmedcap1,1,7,6\n")
    (tmp_path / "sjc").mkdir()
    (tmp_path / "sjc" / "autre.dat").write_text("2 1\n0 0 5 2\n3 4 5 3\n")
    (tmp_path / "sscflp").mkdir()
    (tmp_path / "sscflp" / "holmberg_p1.txt").write_text("2 3\n5 9\n10 20\n2 3 4\n1 5\n7 2\n3 3\n")
    (tmp_path / "sscflp_holmberg_optima.csv").write_text("instance,optimum\nholmberg_p1,30\n")
    return tmp_path


def test_readers(dossier: Path) -> None:
    lues = {instance.nom: instance for instance in read_all(dossier, None)}
    assert list(lues) == ["pmed1", "pmedcap1", "autre", "holmberg_p1"]
    graphe = lues["pmed1"]
    assert graphe.problem.minutes.tolist() == [[0, 2, 7, 8], [2, 0, 5, 6], [7, 5, 0, 1], [8, 6, 1, 0]]
    assert (graphe.reference, graphe.reference_centre, graphe.problem.sites_max) == (3, 2, 2)
    plan = lues["pmedcap1"].problem
    assert plan.minutes[0].tolist() == [0, 5, 1]
    assert plan.minutes[1, 2] == 4
    assert plan.capacites is Capacites.UNIQUE
    assert set(plan.capacite) == {7.0}
    assert lues["autre"].reference is None
    assert lues["autre"].problem.minutes[0, 1] == 5
    lieu = lues["holmberg_p1"].problem
    assert lieu.minutes.tolist() == [[1, 5], [7, 2], [3, 3]]
    assert lieu.cout_ouverture.tolist() == [10, 20]
    assert lieu.volume.tolist() == [2, 3, 4]


def test_a_subfolder_finds_the_table_beside_it(dossier: Path) -> None:
    assert read_tables(dossier / "pmed", None)["pmed1"]["pmedian_optimum"] == "3"
    assert [chemin.name for chemin in files(dossier / "pmed")] == ["pmed1.txt"]


def test_unknown_formats_are_refused(dossier: Path) -> None:
    (dossier / "x.txt").write_text("1 2 3 4 5\n")
    with pytest.raises(ValueError, match="format inconnu"):
        read(dossier / "x.txt", None)
    with pytest.raises(ValueError, match="table des valeurs"):
        read(dossier / "pmedcap" / "pmedcap1.csv", None)


def test_every_line_is_checked_and_proven(dossier: Path) -> None:
    args = argparse.Namespace(dossier=dossier, limite=20.0, graines=1, reference=None, motif="[phas]*[0-9e]")
    args.motif = "pmed*"
    lignes = list(run(args))
    args.motif = "holmberg*"
    lignes += list(run(args))
    close_all()
    # Two graph models, two covers at three radii, two capacitated instances.
    assert len(lignes) == 2 + 6 + 1 + 1
    for ligne in lignes:
        assert ligne["checked"] is True, ligne
        assert ligne["status"] == "optimal"
    par_cas = {ligne["case"]: ligne for ligne in lignes}
    assert par_cas["pmed/pmed1 mediane"]["gap"] == 0
    assert par_cas["pmed/pmed1 centre"]["cost"] == 2
    assert par_cas["sscflp/holmberg_p1 mediane"]["cost"] == pytest.approx(30 + 6, abs=6)
    assert np.isfinite(float(str(par_cas["pmedcap/pmedcap1 mediane"]["cost"])))
