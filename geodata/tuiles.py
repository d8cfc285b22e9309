"""Vector tiles of a road network, straight from PostGIS (Mapbox Vector Tile 2.1, layers ``troncons`` and ``passages``).

A tile depends on the import and its address alone, so its ETag is known without making it.
Who may read a tile is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from geodata.generalisation import TABLE, TOUR_M, ZOOM_MAX, level_of
from geodata.models import PointPassage

#: To be raised with every change of what a tile holds.
FORMAT = 1
#: Units of a tile's side and of the margin drawn around it (8 units a pixel at 512 px).
COTE, MARGE = 4096, 128


@dataclass(frozen=True)
class Tuile:
    """Address of a tile (XYZ, Web Mercator)."""

    z: int
    x: int
    y: int

    @property
    def exists(self) -> bool:
        """False out of the pyramid: the map only asks for zooms 0 to `ZOOM_MAX`."""
        return 0 <= self.z <= ZOOM_MAX and 0 <= self.x < 2**self.z and 0 <= self.y < 2**self.z

    @property
    def margin_m(self) -> float:
        """Width of the margin in metres of Web Mercator."""
        return TOUR_M / 2**self.z * MARGE / COTE


def etag(import_id: int, tuile: Tuile) -> str:
    """Strong ETag of a tile of one import, quotes included."""
    return f'"r{FORMAT}-{int(import_id)}-{tuile.z}-{tuile.x}-{tuile.y}"'


def road_tile(import_id: int, tuile: Tuile) -> bytes:
    """Roads and points de passage of one import in one tile; empty bytes where there is nothing.

    The drawings must have been made (`geodata.generalisation.prepare`). Properties of ``troncons``: classe (int),
    ref, nom, departement (text, absent when empty), mitoyenne, bretelle (true or absent); of ``passages``: id, classe,
    ref, nom, a, b (codes of the two sides).
    """
    # The level is written in the query: the partial index of the level serves it only as a constant.
    niveau = level_of(tuile.z)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH e AS (SELECT ST_TileEnvelope(%(z)s, %(x)s, %(y)s) AS cadre,
                              ST_Expand(ST_TileEnvelope(%(z)s, %(x)s, %(y)s), %(marge_m)s) AS large),
            troncons AS (
                SELECT classe, NULLIF(ref, '') AS ref, NULLIF(nom, '') AS nom, NULLIF(departement, '') AS departement,
                       NULLIF(mitoyenne, false) AS mitoyenne, NULLIF(bretelle, false) AS bretelle,
                       ST_AsMVTGeom(t.geom, e.cadre, {COTE}, {MARGE}, true) AS geom
                FROM {TABLE} t, e
                WHERE t.import_reseau_id = %(import)s AND t.niveau = {niveau.numero} AND t.zoom_min <= %(z)s
                      AND t.geom && e.large
            ),
            passages AS (
                SELECT p.id, p.classe, NULLIF(p.ref, '') AS ref, NULLIF(p.nom, '') AS nom,
                       p.departement_a AS a, p.departement_b AS b,
                       ST_AsMVTGeom(ST_Transform(p.geom, 3857), e.cadre, {COTE}, {MARGE}, true) AS geom
                FROM {PointPassage._meta.db_table} p, e
                WHERE p.import_reseau_id = %(import)s AND p.geom && ST_Transform(e.large, ST_SRID(p.geom))
            )
            SELECT (SELECT COALESCE(ST_AsMVT(troncons, 'troncons', {COTE}, 'geom'), '') FROM troncons
                    WHERE geom IS NOT NULL)
                || (SELECT COALESCE(ST_AsMVT(passages, 'passages', {COTE}, 'geom'), '') FROM passages
                    WHERE geom IS NOT NULL)
            """,
            {"z": tuile.z, "x": tuile.x, "y": tuile.y, "import": int(import_id), "marge_m": tuile.margin_m},
        )
        return bytes(cursor.fetchone()[0])
