"""Writes a network into the database: fresh partitions, binary COPY, indexes, attach, switch.

Everything happens in the caller's transaction: readers see the network that was there until it commits,
and a failure leaves it untouched. Building the indexes once the rows are in is several times faster than
feeding them row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.db.utils import OperationalError

from geodata import generalisation
from geodata.copie import Colonnes, encode
from geodata.decoupe import points_passage
from geodata.models import ImportReseau, Noeud, PointPassage, Reseau, RestrictionVirage, Troncon
from geodata.reseau import ReseauInvalide, TableauxReseau, validate

#: Called with the number of rows just written.
Avance = Callable[[int], None]


def partition_name(table: str, import_id: int) -> str:
    """Name of the partition of one import."""
    return f"{table}_i{int(import_id)}"


def write(importation: ImportReseau, reseau: TableauxReseau, avance: Avance | None = None) -> None:
    """Fill the partitions of ``importation`` and make it the current import of its network.

    ``reseau`` must be in ``settings.SRID`` and valid (`ReseauInvalide` else). Runs in one transaction;
    call `drop_old_partitions` after it has committed.
    """
    validate(reseau)
    if reseau.srid != settings.SRID:
        raise ReseauInvalide(f"srid : {reseau.srid} au lieu de {settings.SRID}")
    with transaction.atomic():
        _fill(Noeud._meta.db_table, importation.pk, _node_columns(importation.pk, reseau), avance)
        _fill(Troncon._meta.db_table, importation.pk, _edge_columns(importation.pk, reseau), avance)
        _write_points(importation, reseau)
        _write_restrictions(importation, reseau)
        Reseau.objects.filter(pk=importation.reseau_id).update(import_courant=importation)


def drop_old_partitions(delai_ms: int = 5000) -> list[int]:
    """Drop the partitions that no network uses any more; returns the imports they belonged to.

    Dropping needs a short exclusive lock: when a long reader holds the table the drop gives up after
    ``delai_ms`` and the next import tries again.
    """
    gardes = set(Reseau.objects.exclude(import_courant=None).values_list("import_courant_id", flat=True))
    anciens = sorted(set(_partitioned_imports()) - gardes)
    if not anciens:
        return []
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {int(delai_ms)}")
            for import_id in anciens:
                for table in (Noeud._meta.db_table, Troncon._meta.db_table, generalisation.TABLE):
                    cursor.execute(f"DROP TABLE IF EXISTS {partition_name(table, import_id)}")
            PointPassage.objects.filter(import_reseau__in=anciens).delete()
            RestrictionVirage.objects.filter(import_reseau__in=anciens).delete()
    except OperationalError:
        return []
    return anciens


def _partitioned_imports() -> Iterable[int]:
    """Imports that have partitions and are finished: those being filled are attached in their own transaction."""
    prefixe = partition_name(Noeud._meta.db_table, 0)[:-1]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = %s::regclass",
            [Noeud._meta.db_table],
        )
        return [int(nom.removeprefix(prefixe)) for (nom,) in cursor.fetchall()]


def _fill(table: str, import_id: int, colonnes: Colonnes, avance: Avance | None) -> None:
    partition = partition_name(table, import_id)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {partition} (LIKE {table} INCLUDING DEFAULTS)")
        # FREEZE is allowed because the table was made in this transaction: no later vacuum has to rewrite it.
        ordre = f"COPY {partition} ({', '.join(colonnes.noms)}) FROM STDIN (FORMAT BINARY, FREEZE)"
        with connection.wrap_database_errors, cursor.copy(ordre) as copie:
            for lignes, octets in encode(colonnes):
                copie.write(octets)
                if avance is not None and lignes:
                    avance(lignes)
        cursor.execute(f"ALTER TABLE {partition} ADD PRIMARY KEY (import_reseau_id, rang)")
        cursor.execute(f"CREATE INDEX ON {partition} USING gist (geom)")
        # The check spares the scan of the partition that attaching it would make.
        cursor.execute(f"ALTER TABLE {partition} ADD CONSTRAINT bonne_partition CHECK (import_reseau_id = {import_id})")
        cursor.execute(f"ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES IN ({import_id})")
        cursor.execute(f"ALTER TABLE {partition} DROP CONSTRAINT bonne_partition")
        cursor.execute(f"ANALYZE {partition}")


def _node_columns(import_id: int, r: TableauxReseau) -> Colonnes:
    return Colonnes(
        m=r.n_noeuds,
        fixes=[
            ("import_reseau_id", ">i8", int(import_id)),
            ("rang", ">i4", np.arange(r.n_noeuds)),
            ("source_id", ">i8", r.noeud_id),
            ("passage", "u1", r.noeud_passage),
        ],
        srid=r.srid,
        point=(r.noeud_x, r.noeud_y),
    )


def _edge_columns(import_id: int, r: TableauxReseau) -> Colonnes:
    # Position -1 (outside every area) is written as the empty code.
    codes = ("", *r.decoupage)
    return Colonnes(
        m=r.n_troncons,
        fixes=[
            ("import_reseau_id", ">i8", int(import_id)),
            ("rang", ">i4", np.arange(r.n_troncons)),
            ("noeud_source", ">i4", r.source),
            ("noeud_cible", ">i4", r.cible),
            ("longueur_m", ">f8", r.longueur_m),
            ("sens_unique", "u1", r.sens_unique),
            ("classe", ">i2", r.classe),
            ("bretelle", "u1", r.bretelle),
            ("gestion", ">i2", r.gestion),
            ("vmax_aller", ">f8", r.vmax_aller),
            ("vmax_retour", ">f8", r.vmax_retour),
            ("vmax_ecrite", "u1", r.vmax_ecrite),
            ("acces", ">i2", r.acces),
            ("voies", ">i2", r.voies),
            ("pont", "u1", r.pont),
            ("tunnel", "u1", r.tunnel),
            ("voie_id", ">i8", r.voie_id),
            ("rang_voie", ">i4", r.rang),
            ("mitoyenne", "u1", r.mitoyenne),
        ],
        nullables=[
            ("tonnage_max_t", r.tonnage_max_t),
            ("hauteur_max_m", r.hauteur_max_m),
            ("largeur_m", r.largeur_m),
        ],
        textes=[
            ("ref", r.ref, r.textes),
            ("nom", r.nom, r.textes),
            ("revetement", r.revetement, r.textes),
            ("departement", r.departement + 1, codes),
            ("departement_gauche", r.departement_gauche + 1, codes),
            ("departement_droite", r.departement_droite + 1, codes),
        ],
        srid=r.srid,
        ligne=(r.geom_debut, r.geom_x, r.geom_y),
    )


def _write_points(importation: ImportReseau, r: TableauxReseau) -> None:
    PointPassage.objects.bulk_create(
        [
            PointPassage(
                import_reseau=importation,
                noeud=p.noeud,
                departement_a=p.departement_a,
                departement_b=p.departement_b,
                ref=p.ref,
                nom=p.nom,
                classe=p.classe,
                gestion=p.gestion,
                geom=f"SRID={r.srid};POINT({p.x!r} {p.y!r})",
            )
            for p in points_passage(r)
        ],
        batch_size=5000,
    )


def _write_restrictions(importation: ImportReseau, r: TableauxReseau) -> None:
    RestrictionVirage.objects.bulk_create(
        [
            RestrictionVirage(import_reseau=importation, voie_depuis=de, noeud=n, voie_vers=vers, genre=genre)
            for de, n, vers, genre in r.restrictions.tolist()
        ],
        batch_size=5000,
    )
