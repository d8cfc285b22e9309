"""Vector tiles of the territories: départements, EPCI, communes, limits, zones, names (Mapbox Vector Tile 2.1)."""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.db import connection

from geodata.generalisation import PIXELS_TUILE, TOUR_M
from geodata.tuiles import COTE, MARGE, Tuile

#: First zoom of tiles (drawn 512 px wide) at which each layer shows.
ZOOM_EPCI = 7
ZOOM_COMMUNES = 8
#: Smallest population named at a zoom; from `ZOOM_TOUS_NOMS` on, every commune is.
POPULATION_NOMMEE = {6: 50_000, 7: 20_000, 8: 8_000, 9: 3_000, 10: 800}
ZOOM_TOUS_NOMS = 11
#: Below this zoom even the far outlines are simplified, as the tile is made: there are few of them.
ZOOM_LOIN = 6
#: Collectivités drawn as départements: they and their equals abroad.
DEPARTEMENTS = "t.type IN ('departement', 'autre')"


def etag(contenu: bytes) -> str:
    """Strong ETag of a tile's content, quotes included: territories may be corrected at any time."""
    return f'"t{hashlib.sha256(contenu).hexdigest()[:24]}"'


def territory_tile(tuile: Tuile) -> bytes:
    """Active territories in one tile; empty bytes where there is nothing.

    Layers (properties): departements and epci (code, nom), communes (code, nom), limites (id, genre, a, b, km),
    zones (code, nom, fictif), noms (genre "commune" or "departement", nom, population).
    """
    couches = [_outlines("departements", DEPARTEMENTS, tuile.z), _limits(tuile.z), _zones(tuile.z), _names(tuile.z)]
    if tuile.z >= ZOOM_EPCI:
        couches.append(_outlines("epci", "t.type = 'epci'", tuile.z))
    if tuile.z >= ZOOM_COMMUNES:
        couches.append(_communes(tuile.z))
    definitions = ",\n".join(f"{nom} AS ({sql})" for nom, sql in couches)
    morceaux = " || ".join(
        f"(SELECT COALESCE(ST_AsMVT({nom}, '{nom}', {COTE}, 'geom'), '') FROM {nom} WHERE geom IS NOT NULL)"
        for nom, _ in couches
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH e AS (SELECT ST_TileEnvelope(%(z)s, %(x)s, %(y)s) AS cadre,
                              ST_Expand(ST_TileEnvelope(%(z)s, %(x)s, %(y)s), %(marge_m)s) AS large,
                              ST_Transform(ST_Expand(ST_TileEnvelope(%(z)s, %(x)s, %(y)s), 4 * %(marge_m)s),
                                           {settings.SRID})::box2d AS boite),
            {definitions}
            SELECT {morceaux}
            """,
            {"z": tuile.z, "x": tuile.x, "y": tuile.y, "marge_m": tuile.margin_m},
        )
        return bytes(cursor.fetchone()[0])


def _geometry(zoom: int, exacte: str = "geom") -> tuple[str, str]:
    """Expression of what a zoom draws, and the test that a row ``t`` meets the tile ``e``."""
    colonne = "trace_loin" if zoom <= 7 else "trace_moyen" if zoom <= 10 else ""
    # Exact outlines may have tens of thousands of vertices: what is far from the tile is cut off before the rest.
    dessin = f"t.{colonne}" if colonne else f"ST_Transform(ST_ClipByBox2D(t.{exacte}, e.boite), 3857)"
    if zoom < ZOOM_LOIN:
        dessin = f"ST_Simplify({dessin}, {TOUR_M / 2**zoom / PIXELS_TUILE / 2}, true)"
    # The index of the simplified column serves every zoom: a box hardly changes by simplifying.
    return f"ST_AsMVTGeom({dessin}, e.cadre, {COTE}, {MARGE}, true) AS geom", f"t.{colonne or 'trace_moyen'} && e.large"


def _outlines(nom: str, genres: str, zoom: int) -> tuple[str, str]:
    geom, choix = _geometry(zoom)
    return nom, (
        f"SELECT t.code, t.nom, {geom} FROM territoires_collectivite t, e WHERE {genres} AND t.active AND {choix}"
    )


def _communes(zoom: int) -> tuple[str, str]:
    geom, choix = _geometry(zoom)
    return "communes", f"SELECT t.code, t.nom, {geom} FROM territoires_commune t, e WHERE t.active AND {choix}"


def _limits(zoom: int) -> tuple[str, str]:
    geom, choix = _geometry(zoom)
    genre = "" if zoom >= ZOOM_EPCI else " AND a.type <> 'epci'"
    return "limites", (
        f"SELECT t.id, a.type AS genre, a.nom AS a, b.nom AS b, round(t.longueur_m / 1000)::int AS km, {geom} "
        "FROM territoires_limite t JOIN territoires_collectivite a ON a.id = t.collectivite_a_id "
        f"JOIN territoires_collectivite b ON b.id = t.collectivite_b_id, e WHERE {choix}{genre}"
    )


def _zones(zoom: int) -> tuple[str, str]:
    geom, choix = _geometry(zoom, "contour")
    return "zones", (
        f"SELECT t.code, t.nom, NULLIF(t.fictif, false) AS fictif, {geom} FROM territoires_zonelimitrophe t, e "
        f"WHERE {choix}"
    )


def _names(zoom: int) -> tuple[str, str]:
    if zoom < ZOOM_COMMUNES:
        # A point inside the simplified outline, and only in the tile that holds it.
        return "noms", (
            "SELECT 'departement' AS genre, p.nom, NULL::int AS population, "
            f"ST_AsMVTGeom(p.point, e.cadre, {COTE}, 0, true) AS geom FROM (SELECT t.nom, "
            "ST_PointOnSurface(t.trace_loin) AS point FROM territoires_collectivite t, e "
            f"WHERE {DEPARTEMENTS} AND t.active AND t.trace_loin && e.cadre) AS p, e WHERE p.point && e.cadre"
        )
    seuil = 0 if zoom >= ZOOM_TOUS_NOMS else POPULATION_NOMMEE.get(zoom, 0)
    return "noms", (
        f"SELECT 'commune' AS genre, t.nom, t.population, ST_AsMVTGeom(ST_Transform(COALESCE(t.mairie, "
        f"ST_PointOnSurface(t.geom)), 3857), e.cadre, {COTE}, 0, true) AS geom "
        f"FROM territoires_commune t, e WHERE t.active AND COALESCE(t.population, 0) >= {seuil} "
        "AND t.trace_moyen && e.large ORDER BY t.population DESC NULLS LAST"
    )
