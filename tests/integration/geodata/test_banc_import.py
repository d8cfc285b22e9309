"""The bench of the imports on a small extract: the contract of its lines, and exactness."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import osmium
import pytest

from benchmarks import importation as banc
from geodata.lecture_osm import read_osm
from geodata.models import Reseau
from geodata.reseau import validate
from tests.unit.geodata.osm_xml import osm_xml

CLES = {"bench", "case", "engine", "seconds", "baseline", "baseline_seconds", "ratio", "peak_mb", "exact"}


@pytest.fixture
def extrait(tmp_path: Path) -> Path:
    voies = {
        1: ([0, 1, 2, 3], {"highway": "primary"}),
        2: ([2, 12, 22], {"highway": "motorway"}),
        3: ([1, 11, 12, 1], {"highway": "residential", "junction": "circular"}),
        4: ([30, 31], {"highway": "path"}),
    }
    xml = osm_xml(tmp_path / "source.osm", voies)
    dossier = tmp_path / "donnees"
    dossier.mkdir()
    with osmium.SimpleWriter(str(dossier / "petit.osm.pbf")) as sortie:
        for objet in osmium.FileProcessor(str(xml)):
            sortie.add(objet)
    return dossier / "petit.osm.pbf"


@pytest.mark.django_db
@pytest.mark.lent
def test_lines_of_the_bench(extrait: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(banc, "TRONCONS_BASE", 60)
    monkeypatch.setattr(banc, "TRONCONS_DJANGO", 20)
    lignes = list(banc.run(argparse.Namespace(dossier=extrait.parent)))
    assert len(lignes) == 3
    for ligne in lignes:
        assert ligne.keys() >= CLES and ligne["bench"] == "import" and ligne["exact"] is True
        assert isinstance(ligne["ratio"], float) and ligne["ratio"] > 0
    assert lignes[0]["memory_ratio"] and lignes[2]["bar_seconds"] == 15
    assert not Reseau.objects.exists(), "the bench leaves nothing in the database"


def test_no_extract_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(banc.run(argparse.Namespace(dossier=tmp_path))) == []
    assert "rien à mesurer" in capsys.readouterr().err


@pytest.mark.parametrize("troncons", [1, 7, 8, 50])
def test_tiles_are_a_valid_network(extrait: Path, troncons: int) -> None:
    reseau = read_osm([extrait])
    carrele = banc.tile(reseau, troncons)
    validate(carrele)
    assert carrele.n_troncons == troncons
    for k in (0, troncons - 1):
        assert carrele.geom_x[carrele.geom_debut[k]] == carrele.noeud_x[carrele.source[k]]
    assert np.ptp(carrele.geom_x) > 1000 * ((troncons - 1) // reseau.n_troncons)
