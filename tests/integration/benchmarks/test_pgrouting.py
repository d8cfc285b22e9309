"""pgRouting as a peer answers the same integers, and leaves nothing in the database."""

from __future__ import annotations

import os

import numpy as np
import psycopg
import pytest

from benchmarks.pgrouting import PgroutingAbsent, costs
from geodata import moteur_scipy
from geodata.accrochage import snap_nodes
from geodata.graphe import Graphe
from tests.unit.geodata.fabrique_reseau import make_reseau


def a_graph() -> Graphe:
    alea = np.random.default_rng(5)
    noeuds = [tuple(p) for p in alea.uniform(0, 9000, (40, 2))]
    troncons = [tuple(t) for t in alea.integers(0, 38, (90, 2))]
    return Graphe.from_tableaux(make_reseau(noeuds, troncons, sens_unique=(alea.random(90) < 0.3).tolist()))


def test_same_integers() -> None:
    graphe = a_graph()
    poids = graphe.poids("voiture")
    o, d = snap_nodes(graphe, range(40)), snap_nodes(graphe, range(25, 40))
    try:
        secondes, matrice = costs(poids, o.noeud, d.noeud)
    except PgroutingAbsent as absent:
        pytest.skip(str(absent))
    assert secondes > 0
    np.testing.assert_array_equal(matrice, moteur_scipy.matrix_ms(poids, o, d))
    adresse = os.environ["DATABASE_URL"].replace("postgis://", "postgresql://", 1)
    with psycopg.connect(adresse) as connexion:
        assert connexion.execute("SELECT to_regclass('arcs')").fetchone() == (None,)


def test_absence_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    graphe = a_graph()
    un = snap_nodes(graphe, [0]).noeud
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(PgroutingAbsent, match="DATABASE_URL"):
        costs(graphe.poids("voiture"), un, un)
    monkeypatch.setenv("DATABASE_URL", "postgis://personne@127.0.0.1:1/rien")
    with pytest.raises(PgroutingAbsent, match="injoignable"):
        costs(graphe.poids("voiture"), un, un)
