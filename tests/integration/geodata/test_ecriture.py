"""A network written to the database comes back equal, and a failure leaves the one that was there."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from django.db import connection

from geodata.ecriture import drop_old_partitions, write
from geodata.lecture_base import ImportAbsent, load
from geodata.models import ImportReseau, Noeud, PointPassage, Reseau, Troncon
from geodata.reseau import COLONNES_NOEUD, COLONNES_TRONCON, ReseauInvalide, TableauxReseau
from tests.unit.geodata.fabrique import network, random_network

pytestmark = pytest.mark.django_db


def new_import(code: str = "essai", decoupage: list[str] | None = None) -> ImportReseau:
    reseau, _ = Reseau.objects.get_or_create(code=code, defaults={"nom": code})
    return ImportReseau.objects.create(
        reseau=reseau, format="essai", fichier="essai.osm", empreinte="0" * 64, decoupage=decoupage or []
    )


def assert_same(a: TableauxReseau, b: TableauxReseau) -> None:
    """Equal in every array; texts compared by value, since their order is free."""
    for nom in (*COLONNES_NOEUD, *COLONNES_TRONCON, "geom_debut", "geom_x", "geom_y", "restrictions"):
        va, vb = getattr(a, nom), getattr(b, nom)
        if nom in ("ref", "nom", "revetement"):
            va, vb = np.array(a.textes)[va], np.array(b.textes)[vb]
        else:
            assert va.dtype == vb.dtype, nom
        np.testing.assert_array_equal(va, vb, err_msg=nom)
    assert (a.srid, a.decoupage) == (b.srid, b.decoupage)


@pytest.mark.parametrize(("n", "m"), [(2, 1), (40, 200)])
def test_round_trip(n: int, m: int) -> None:
    importation = new_import(decoupage=["42", "43"])
    ecrit = random_network(n, m)
    write(importation, ecrit)
    assert_same(load(importation.pk), ecrit)
    importation.reseau.refresh_from_db()
    assert importation.reseau.import_courant_id == importation.pk


def test_many_blocks_and_progress() -> None:
    importation = new_import(decoupage=["42", "43"])
    ecrit = random_network(30, 40_000)
    vus: list[int] = []
    write(importation, ecrit, vus.append)
    assert sum(vus) == ecrit.n_noeuds + 40_000
    assert_same(load(importation.pk), ecrit)


def test_orm_reads_the_rows() -> None:
    importation = new_import()
    write(importation, network([[(600_000, 6_500_000), (600_100, 6_500_000)]], textes=("", "D 1")))
    troncon = Troncon.objects.get(import_reseau=importation)
    assert troncon.geom.srid == 2154 and troncon.geom.length == pytest.approx(100)
    assert troncon.tonnage_max_t is None and troncon.departement == ""
    assert Noeud.objects.filter(import_reseau=importation).count() == 2


def test_partition_has_its_indexes() -> None:
    importation = new_import()
    write(importation, random_network(5, 5).replace(decoupage=()).replace(**_outside(5)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = %s", [f"geodata_troncon_i{importation.pk}"])
        definitions = " ".join(d for (d,) in cursor.fetchall())
    assert "gist (geom)" in definitions and "UNIQUE" in definitions
    assert definitions.count("gist") == 1, "attaching must match the index built, not build a second one"


def _outside(m: int) -> dict[str, np.ndarray]:
    hors = np.full(m, -1, dtype=np.int16)
    return {"departement": hors, "departement_gauche": hors, "departement_droite": hors}


def test_second_import_replaces_and_drops_the_first() -> None:
    premier, second = new_import(), new_import()
    write(premier, network([[(0, 0), (1, 0)]]))
    write(second, network([[(0, 0), (1, 0)], [(1, 0), (2, 0)]]))
    assert drop_old_partitions() == [premier.pk]
    assert Troncon.objects.count() == 2
    with pytest.raises(ImportAbsent):
        load(premier.pk)
    with pytest.raises(ImportAbsent):
        load(10**9)
    assert load(second.pk).n_troncons == 2
    assert drop_old_partitions() == []


def test_invalid_arrays_leave_the_network_that_was_there() -> None:
    premier, second = new_import(), new_import()
    write(premier, network([[(0, 0), (1, 0)]]))
    mauvais = network([[(0, 0), (1, 0)]]).replace(cible=np.array([7], dtype=np.int32))
    with pytest.raises(ReseauInvalide, match="nœud inexistant"):
        write(second, mauvais)
    with pytest.raises(ReseauInvalide, match="srid : 4326"):
        write(second, network([[(0, 0), (1, 0)]], srid=4326))
    assert Reseau.objects.get().import_courant_id == premier.pk
    assert load(premier.pk).n_troncons == 1


def test_points_de_passage_are_a_layer() -> None:
    importation = new_import(decoupage=["42", "43"])
    ecrit = network([[(0, 0), (1, 0)], [(1, 0), (2, 0)]], textes=("", "D 500"), decoupage=("43", "42"))
    dep = np.array([0, 1], dtype=np.int16)
    write(
        importation,
        dataclasses.replace(
            ecrit,
            departement=dep,
            departement_gauche=dep,
            departement_droite=dep,
            noeud_passage=np.array([False, True, False]),
            ref=np.array([1, 1], dtype=np.int32),
        ),
    )
    point = PointPassage.objects.get()
    assert (point.departement_a, point.departement_b, point.ref, point.noeud) == ("42", "43", "D 500", 1)
    assert point.geom.coords == (1.0, 0.0)
