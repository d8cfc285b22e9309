"""Graphs kept by the process follow the imports; the contraction order is computed once."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from geodata import graphe_cache, hierarchie
from geodata.ecriture import write
from geodata.graphe import Graphe, GrapheInvalide
from geodata.graphe_cache import ReseauAbsent, current_graphe, load_graphe, load_ordre, prepare_ordre, save_ordre
from geodata.lecture_base import ImportAbsent
from geodata.models import ImportReseau, OrdreContraction, Reseau
from geodata.temps import snap, snap_nodes, travel_times_ms
from tests.unit.geodata.fabrique_reseau import grid

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    graphe_cache.clear()
    yield
    graphe_cache.clear()


def make_import(cote: int = 5) -> ImportReseau:
    reseau, _ = Reseau.objects.get_or_create(code="essai", defaults={"nom": "Essai"})
    importation = ImportReseau.objects.create(reseau=reseau, format="essai", fichier="f", empreinte=f"{cote:064d}")
    write(importation, grid(cote))
    return importation


def test_times_from_the_database_equal_those_of_the_arrays() -> None:
    importation = make_import()
    lu, ecrit = load_graphe(importation.pk), Graphe.from_tableaux(grid(5))
    x, y = np.array([10.0, 250.0, 390.0]), np.array([5.0, 120.0, 400.0])
    matrices = []
    for graphe in (lu, ecrit):
        accroches = snap(graphe, x, y, "voiture")
        matrices.append(travel_times_ms(graphe, graphe.poids("voiture"), accroches, accroches))
    np.testing.assert_array_equal(*matrices)


def test_current_graph_costs_one_query_and_follows_the_import(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    make_import(5)
    premier = current_graphe("essai")
    with django_assert_num_queries(1):
        assert current_graphe("essai") is premier
    make_import(6)
    assert current_graphe("essai").n == 36


def test_order_is_saved_and_read_back(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    importation = make_import(46)
    assert load_graphe(importation.pk).ordre is None
    ordre = prepare_ordre(importation.pk).ordre
    assert ordre is not None
    np.testing.assert_array_equal(np.sort(ordre), np.arange(46 * 46))
    graphe_cache.clear()
    relu = load_graphe(importation.pk)
    np.testing.assert_array_equal(relu.ordre, ordre)
    with django_assert_num_queries(0):
        prepare_ordre(importation.pk)
    assert OrdreContraction.objects.get().methode == graphe_cache.METHODE


def test_a_small_network_needs_no_order() -> None:
    assert prepare_ordre(make_import(5).pk).ordre is None
    assert not OrdreContraction.objects.exists()


def test_an_order_computed_by_a_question_is_saved() -> None:
    importation = make_import(46)
    graphe = load_graphe(importation.pk)
    beaucoup = snap_nodes(graphe, np.arange(1500))
    travel_times_ms(graphe, graphe.poids("voiture"), beaucoup, beaucoup)
    np.testing.assert_array_equal(load_ordre(importation.pk), graphe.ordre)


def test_a_wrong_hierarchy_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    importation = make_import(46)
    monkeypatch.setattr(hierarchie, "matrix_ms", lambda poids, o, d: np.zeros((len(o), len(d)), dtype=np.int32))
    with pytest.raises(hierarchie.HierarchieFausse):
        prepare_ordre(importation.pk)


def test_an_order_of_another_network_is_refused() -> None:
    importation = make_import()
    save_ordre(importation.pk, np.arange(7, dtype=np.int32), 0.1)
    assert load_ordre(importation.pk) is not None
    with pytest.raises(GrapheInvalide, match="ordre"):
        load_graphe(importation.pk)


def test_absent_network_or_import() -> None:
    Reseau.objects.create(code="vide", nom="Vide")
    for code in ("vide", "inconnu"):
        with pytest.raises(ReseauAbsent, match=code):
            current_graphe(code)
    with pytest.raises(ImportAbsent):
        load_graphe(987_654)


def test_saving_the_order_of_a_dropped_import_does_nothing() -> None:
    save_ordre(987_654, np.arange(3, dtype=np.int32), 0.1)
    assert load_ordre(987_654) is None


@pytest.mark.django_db(transaction=True)
def test_two_threads_load_an_import_once(monkeypatch: pytest.MonkeyPatch) -> None:
    importation = make_import()
    appels: list[int] = []
    vrai = graphe_cache._load

    def counted(import_id: int) -> Graphe:
        appels.append(import_id)
        return vrai(import_id)

    monkeypatch.setattr(graphe_cache, "_load", counted)
    trouves: list[Graphe] = []

    def work() -> None:
        trouves.append(load_graphe(importation.pk))
        connection.close()

    fils = [threading.Thread(target=work) for _ in range(4)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join()
    assert appels == [importation.pk]
    assert len(trouves) == 4 and all(g is trouves[0] for g in trouves)
