"""The bench of travel times on a small network: every case runs and is exact."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

import numpy as np
import pytest

from benchmarks import temps
from benchmarks.reseaux import generated, grid
from geodata.graphe import Graphe
from geodata.reseau import TableauxReseau, validate


def test_every_case_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temps, "generated", lambda cote=8: generated(cote=cote))
    monkeypatch.setattr(temps, "grid", lambda: grid(cote=20))
    monkeypatch.setattr(temps, "N_ORIGINES", 300)
    monkeypatch.setattr(temps, "N_DESTINATIONS", 30)
    monkeypatch.delattr("os.sched_setaffinity", raising=False)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    lignes = list(temps.run(argparse.Namespace(dossier=None, limite=0.2, graines=2, reference=None)))
    json.dumps(lignes)
    cas = {str(ligne["case"]) for ligne in lignes}
    assert len([c for c in cas if "bourgs" in c]) == len([c for c in cas if "quadrillage" in c]) == 2 + 2 * 5
    assert len(cas) == 2 * (2 + 2 * 5)
    for ligne in lignes:
        assert ligne["bench"] == "temps" and ligne["seconds"] > 0
        if ligne["baseline"] == "pgrouting":
            assert ligne["ratio"] is None and "DATABASE_URL" in ligne["baseline_note"]
        else:
            assert ligne["exact"] is True, ligne
            assert ligne["ratio"] == pytest.approx(ligne["baseline_seconds"] / ligne["seconds"], rel=0.05, abs=0.01)


@pytest.mark.parametrize(("make", "cote"), [(generated, 5), (grid, 30)])
def test_a_generated_network_is_always_the_same_and_joined(make: Callable[..., TableauxReseau], cote: int) -> None:
    un, autre = make(cote=cote), make(cote=cote)
    validate(un)
    np.testing.assert_array_equal(un.geom_x, autre.geom_x)
    np.testing.assert_array_equal(un.source, autre.source)
    assert not np.array_equal(un.noeud_x, make(cote=cote, graine=2).noeud_x)
    noeuds, _ = Graphe.from_tableaux(un).poids("pieton").composantes
    assert (noeuds == 0).mean() > 0.9
