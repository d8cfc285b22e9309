"""Reads a network back from the database into arrays, by binary COPY."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from numpy.typing import NDArray

from geodata.copie import ENTETE, FIN, decode_records
from geodata.models import ImportReseau, Noeud, RestrictionVirage, Troncon
from geodata.reseau import TableauxReseau

_FIXES: tuple[tuple[str, str], ...] = (
    ("noeud_source", ">i4"),
    ("noeud_cible", ">i4"),
    ("longueur_m", ">f8"),
    ("sens_unique", "u1"),
    ("classe", ">i2"),
    ("bretelle", "u1"),
    ("gestion", ">i2"),
    ("vmax_aller", ">f8"),
    ("vmax_retour", ">f8"),
    ("vmax_ecrite", "u1"),
    ("acces", ">i2"),
    ("voies", ">i2"),
    ("pont", "u1"),
    ("tunnel", "u1"),
    ("voie_id", ">i8"),
    ("rang_voie", ">i4"),
    ("mitoyenne", "u1"),
)
_NULLABLES = ("tonnage_max_t", "hauteur_max_m", "largeur_m")
_TEXTES = ("ref", "nom", "revetement", "departement", "departement_gauche", "departement_droite")


#: Rows joined by the server in one value.
_BLOC = 4096


class ImportAbsent(LookupError):
    """The import does not exist, or its rows have been dropped since (a newer one replaced it)."""


def load(import_id: int) -> TableauxReseau:
    """The network of one import, in ``settings.SRID``; equal to what `geodata.ecriture.write` was given.

    Raises `ImportAbsent`. The order of ``textes`` may differ from the one written.
    """
    # One transaction: it keeps the partitions from being dropped between two reads.
    with transaction.atomic():
        return _load(import_id)


def _load(import_id: int) -> TableauxReseau:
    importation = ImportReseau.objects.filter(pk=import_id).first()
    if importation is None:
        raise ImportAbsent(f"Import de réseau {import_id} : inconnu.")
    noeuds = _records(
        Noeud, import_id, [("source_id", ">i8"), ("passage", "u1"), ("ST_X(geom)", ">f8"), ("ST_Y(geom)", ">f8")]
    )
    if not len(noeuds):
        raise ImportAbsent(f"Import de réseau {import_id} : ses tronçons ne sont plus dans la base.")
    nullables = [(f"COALESCE({nom}, 'NaN')", ">f8") for nom in _NULLABLES]
    condenses = [(f"hashtextextended({nom}, 0)", ">i8") for nom in _TEXTES]
    t = _records(Troncon, import_id, [*_FIXES, *nullables, *condenses, ("ST_NPoints(geom)", ">i4")])
    debut = np.zeros(len(t) + 1, dtype=np.int64)
    np.cumsum(t["ST_NPoints(geom)"], out=debut[1:])
    x, y = _vertices(import_id, int(debut[-1]))
    decoupage = tuple(importation.decoupage)
    textes, codes = _texts(import_id, [t[nom] for nom, _ in condenses], decoupage)
    restrictions = RestrictionVirage.objects.filter(import_reseau=import_id).order_by("pk")
    return TableauxReseau(
        srid=settings.SRID,
        noeud_id=noeuds["source_id"].astype(np.int64),
        noeud_x=noeuds["ST_X(geom)"].astype(np.float64),
        noeud_y=noeuds["ST_Y(geom)"].astype(np.float64),
        noeud_passage=noeuds["passage"].astype(bool),
        source=t["noeud_source"].astype(np.int32),
        cible=t["noeud_cible"].astype(np.int32),
        longueur_m=t["longueur_m"].astype(np.float32),
        sens_unique=t["sens_unique"].astype(bool),
        classe=t["classe"].astype(np.int8),
        bretelle=t["bretelle"].astype(bool),
        gestion=t["gestion"].astype(np.int8),
        vmax_aller=t["vmax_aller"].astype(np.float32),
        vmax_retour=t["vmax_retour"].astype(np.float32),
        vmax_ecrite=t["vmax_ecrite"].astype(bool),
        acces=t["acces"].astype(np.uint8),
        tonnage_max_t=t["COALESCE(tonnage_max_t, 'NaN')"].astype(np.float32),
        hauteur_max_m=t["COALESCE(hauteur_max_m, 'NaN')"].astype(np.float32),
        largeur_m=t["COALESCE(largeur_m, 'NaN')"].astype(np.float32),
        voies=t["voies"].astype(np.int8),
        pont=t["pont"].astype(bool),
        tunnel=t["tunnel"].astype(bool),
        ref=codes[0],
        nom=codes[1],
        revetement=codes[2],
        voie_id=t["voie_id"].astype(np.int64),
        rang=t["rang_voie"].astype(np.int32),
        departement=codes[3].astype(np.int16),
        departement_gauche=codes[4].astype(np.int16),
        departement_droite=codes[5].astype(np.int16),
        mitoyenne=t["mitoyenne"].astype(bool),
        geom_debut=debut,
        geom_x=x,
        geom_y=y,
        textes=textes,
        decoupage=decoupage,
        lus=dict(importation.lus),
        omis=dict(importation.omis),
        restrictions=np.array(
            list(restrictions.values_list("voie_depuis", "noeud", "voie_vers", "genre")), dtype=np.int64
        ).reshape(-1, 4),
    )


def _blocks(modele: type[Noeud] | type[Troncon], import_id: int, expression: str) -> list[bytes]:
    """One bytes value a row, joined by blocks of `_BLOC` rows in the order of ``rang``.

    The server joins them because handing rows one by one to Python costs ten times more than reading them.
    """
    table, filtre = modele._meta.db_table, f"import_reseau_id = {int(import_id)}"
    requete = f"""
        SELECT (SELECT string_agg({expression}, ''::bytea ORDER BY rang) FROM {table}
                WHERE {filtre} AND rang >= b * {_BLOC} AND rang < (b + 1) * {_BLOC})
        FROM generate_series(0, (SELECT max(rang) FROM {table} WHERE {filtre}) / {_BLOC}) AS b
    """
    ordre = f"COPY ({requete}) TO STDOUT (FORMAT BINARY)"
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(ordre) as copie:
        octets = b"".join(copie)
    # Each row: one column (2 bytes), its size (4 bytes, -1 where a block is empty), its bytes.
    blocs, place = [], len(ENTETE)
    while octets[place : place + 2] != FIN:
        taille = max(int.from_bytes(octets[place + 2 : place + 6], "big", signed=True), 0)
        blocs.append(octets[place + 6 : place + 6 + taille])
        place += 6 + taille
    return blocs


def _records(
    modele: type[Noeud] | type[Troncon], import_id: int, champs: Sequence[tuple[str, str]]
) -> NDArray[np.void]:
    """Rows as a structured array whose fields are named by their SQL expression; none may be NULL."""
    expressions = ", ".join(nom for nom, _ in champs)
    return decode_records(b"".join(_blocks(modele, import_id, f"record_send(ROW({expressions}))")), champs)


def _vertices(import_id: int, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Vertices (n,) of the lines end to end: 13 bytes of EWKB stand before those of each line."""
    octets = b"".join(_blocks(Troncon, import_id, "substring(ST_AsEWKB(geom, 'NDR') FROM 14)"))
    sommets = np.frombuffer(octets, dtype="<f8").reshape(n, 2)
    return np.ascontiguousarray(sommets[:, 0]), np.ascontiguousarray(sommets[:, 1])


def _texts(
    import_id: int, condenses: Sequence[NDArray[np.int64]], decoupage: tuple[str, ...]
) -> tuple[tuple[str, ...], list[NDArray[np.int32]]]:
    """Texts and their positions; the last three columns are positions in ``decoupage`` (-1 outside)."""
    table = Troncon._meta.db_table
    colonnes = ", ".join(_TEXTES)
    requete = f"""
        SELECT t, hashtextextended(t, 0)
        FROM (SELECT DISTINCT unnest(ARRAY[{colonnes}]) AS t
              FROM (SELECT DISTINCT {colonnes} FROM {table} WHERE import_reseau_id = %s) AS d) AS u
        ORDER BY 2
    """
    with connection.cursor() as cursor:
        cursor.execute(requete, [import_id])
        lus = cursor.fetchall()
    cles = np.array([cle for _, cle in lus], dtype=np.int64)
    if len(np.unique(cles)) != len(cles):
        raise RuntimeError(f"import {import_id} : deux textes ont le même condensé de 64 bits")
    textes = {"": 0} | {t: i for i, t in enumerate((t for t, _ in lus if t), start=1)}
    place = {"": -1} | {code: i for i, code in enumerate(decoupage)}
    positions = np.array([textes[t] for t, _ in lus], dtype=np.int32)
    areas = np.array([place.get(t, -1) for t, _ in lus], dtype=np.int32)
    rangs = [np.searchsorted(cles, c.astype(np.int64)) for c in condenses]
    return tuple(textes), [(positions if i < 3 else areas)[r] for i, r in enumerate(rangs)]
