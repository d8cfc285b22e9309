"""Drawings of a road network for map tiles: per level of detail, merged and simplified, in Web Mercator.

Made once for each import (its rows never change), in a partition of ``geodata_trace`` of its own, dropped
with the import's other partitions. A level serves the zooms of tiles up to its ``zoom_max``; its lines are
simplified by half a pixel there, joined through nodes where only one road goes on, and each row says from
which zoom on it is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from geodata.classes import Classe
from geodata.models import Troncon

#: Table of the drawings, partitioned by import (made by migration 0002; no model: only tiles read it).
TABLE = "geodata_trace"
#: Zooms are those of data tiles, drawn 512 px wide: one less than the zoom the map shows.
ZOOM_MIN, ZOOM_MAX = 4, 14
#: Circumference of the Web Mercator square, metres.
TOUR_M = 2 * 20_037_508.342789244
PIXELS_TUILE = 512

#: Last class drawn at a zoom however dense the network is; beyond the table, everything.
CLASSE_MINIMALE: dict[int, Classe] = {
    4: Classe.AUTOROUTE,
    5: Classe.VOIE_RAPIDE,
    6: Classe.PRIMAIRE,
    7: Classe.PRIMAIRE,
    8: Classe.SECONDAIRE,
    9: Classe.SECONDAIRE,
    10: Classe.TERTIAIRE,
    11: Classe.LOCALE,
    12: Classe.RESIDENTIELLE,
}
#: A sparse network shows more: classes are added while the fullest tile has at most this many edges.
TRONCONS_PAR_TUILE = 1500
#: Levels that end below this zoom have neither names of roads nor slip roads.
ZOOM_NOMS = 11


@dataclass(frozen=True)
class Niveau:
    """A level of detail: tiles of zooms ``zoom_min`` to ``zoom_max`` read it."""

    numero: int
    zoom_min: int
    zoom_max: int

    @property
    def tolerance_m(self) -> float:
        """Half a pixel at ``zoom_max``, in metres of Web Mercator."""
        return TOUR_M / 2**self.zoom_max / PIXELS_TUILE / 2


#: The last one is the network as it is (still without what is below half a pixel at the last zoom).
NIVEAUX: tuple[Niveau, ...] = (Niveau(0, 4, 6), Niveau(1, 7, 8), Niveau(2, 9, 10), Niveau(3, 11, 12), Niveau(4, 13, 14))


def level_of(zoom: int) -> Niveau:
    """The level that tiles of ``zoom`` read (the nearest one out of range)."""
    for niveau in NIVEAUX:
        if zoom <= niveau.zoom_max:
            return niveau
    return NIVEAUX[-1]


def partition_name(import_id: int) -> str:
    """Name of the partition of one import."""
    return f"{TABLE}_i{int(import_id)}"


def is_ready(import_id: int) -> bool:
    """True when the drawings of the import are there.

    Reads the catalogue as a table: ``to_regclass`` may answer from a cache that missed another session's commit.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = %s::regclass AND c.relname = %s)",
            [TABLE, partition_name(import_id)],
        )
        return bool(cursor.fetchone()[0])


def prepare(import_id: int) -> bool:
    """Make the drawings of an import unless they are there; returns whether they had to be made.

    One transaction, under a lock of the import's own: two callers at once make them once.
    """
    if is_ready(import_id):
        return False
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s), %s)", [TABLE, int(import_id)])
        if is_ready(import_id):
            return False
        partition = partition_name(import_id)
        cursor.execute(f"CREATE TABLE {partition} (LIKE {TABLE} INCLUDING DEFAULTS)")
        shown = first_zooms(_edges_by_tile(import_id))
        for niveau in reversed(NIVEAUX):
            _fill(partition, import_id, niveau, shown)
        for niveau in NIVEAUX:
            cursor.execute(f"CREATE INDEX ON {partition} USING gist (geom) WHERE niveau = {niveau.numero}")
        cursor.execute(f"ALTER TABLE {partition} ADD CONSTRAINT bonne_partition CHECK (import_reseau_id = {import_id})")
        cursor.execute(f"ALTER TABLE {TABLE} ATTACH PARTITION {partition} FOR VALUES IN ({int(import_id)})")
        cursor.execute(f"ALTER TABLE {partition} DROP CONSTRAINT bonne_partition")
        cursor.execute(f"ANALYZE {partition}")
    return True


def first_zooms(compte: NDArray[np.int64]) -> dict[Classe, int]:
    """Lowest zoom at which each class is drawn.

    ``compte`` (k, 4) int64: class, column and row of the tile of zoom `ZOOM_MAX` an edge starts in, number of such
    edges. A class shows at a zoom where `CLASSE_MINIMALE` says so, or where no tile then has more than
    `TRONCONS_PAR_TUILE` edges.
    """
    shown = dict.fromkeys(Classe, ZOOM_MAX - 1)
    for zoom in range(ZOOM_MAX - 1, ZOOM_MIN - 1, -1):
        minimale = CLASSE_MINIMALE.get(zoom, max(Classe))
        recul = ZOOM_MAX - zoom
        tuiles = (compte[:, 1] >> recul) << 32 | (compte[:, 2] >> recul)
        for classe in Classe:
            choix = compte[:, 0] <= classe
            _, place = np.unique(tuiles[choix], return_inverse=True)
            fullest = int(np.bincount(place, weights=compte[choix, 3]).max()) if len(place) else 0
            if classe > minimale and fullest > TRONCONS_PAR_TUILE:
                break
            shown[classe] = zoom
    return shown


def _edges_by_tile(import_id: int) -> NDArray[np.int64]:
    """Numbers of edges by class and by tile of zoom `ZOOM_MAX`, as `first_zooms` takes them."""
    cote = TOUR_M / 2**ZOOM_MAX
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT classe, floor((ST_X(p) + {TOUR_M / 2}) / {cote})::int, floor(({TOUR_M / 2} - ST_Y(p)) / {cote})::int,
                   count(*)
            FROM (SELECT classe, ST_Transform(ST_StartPoint(geom), 3857) AS p FROM {Troncon._meta.db_table}
                  WHERE import_reseau_id = %s) AS t
            GROUP BY 1, 2, 3
            """,
            [import_id],
        )
        return np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 4)


def _fill(partition: str, import_id: int, niveau: Niveau, shown: dict[Classe, int]) -> None:
    """Fill one level from the next finer one (the finest from the edges)."""
    zoom = "CASE classe " + " ".join(f"WHEN {int(c)} THEN {z}" for c, z in shown.items()) + f" ELSE {ZOOM_MAX} END"
    classes = [int(c) for c, z in shown.items() if z <= niveau.zoom_max]
    finest = niveau is NIVEAUX[-1]
    source, geom = (Troncon._meta.db_table, "ST_Transform(geom, 3857)") if finest else (partition, "geom")
    choix = "true" if finest else f"niveau = {niveau.numero + 1}"
    # Far away a road is its number: names would cut it into pieces, and slip roads are specks.
    far = niveau.zoom_max < ZOOM_NOMS
    nom = "''" if far else "nom"
    if far:
        choix += " AND NOT bretelle"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO {partition} (import_reseau_id, niveau, zoom_min, classe, ref, nom, departement, mitoyenne,
                                     bretelle, geom)
            SELECT %s, {niveau.numero}, {zoom}, classe, ref, nom, departement, mitoyenne, bretelle, geom
            FROM (
                SELECT classe, ref, {nom} AS nom, departement, mitoyenne, bretelle,
                       ST_Simplify((ST_Dump(ST_LineMerge(ST_Collect({geom})))).geom, %s, true) AS geom
                FROM {source}
                WHERE import_reseau_id = %s AND classe = ANY(%s) AND {choix}
                GROUP BY 1, 2, 3, 4, 5, 6
            ) AS traces
            WHERE ST_GeometryType(geom) = 'ST_LineString'
            """,
            [import_id, niveau.tolerance_m, import_id, classes],
        )
