"""A small drawing of the territory (SVG) for the start page: outlines, limits, main roads."""

from __future__ import annotations

from django.db import connection

from geodata import generalisation
from geodata.models import Reseau

LARGEUR, HAUTEUR = 560, 420
#: Level of detail of the roads, and the last class drawn.
NIVEAU, CLASSE_MAX = 1, 3
#: Pixels at least so large (m) are drawn from the far outlines.
PIXEL_LOIN_M = 300


def draw(reseau: Reseau | None) -> str:
    """The drawing of all active départements, with the roads of ``reseau`` when there is one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e) FROM (SELECT ST_Extent(trace_loin) AS e "
            "FROM territoires_collectivite WHERE type IN ('departement', 'autre') AND active) t"
        )
        ouest, sud, est, nord = cursor.fetchone()
        if ouest is None:
            return _svg((0, 0, LARGEUR, HAUTEUR), "")
        pixel = max((est - ouest) / LARGEUR, (nord - sud) / HAUTEUR)
        trace = "trace_loin" if pixel >= PIXEL_LOIN_M else "trace_moyen"
        cursor.execute(
            f"SELECT ST_AsSVG(ST_Simplify({trace}, %s, true), 1, 0) FROM territoires_collectivite "
            "WHERE type IN ('departement', 'autre') AND active AND trace_loin IS NOT NULL ORDER BY code",
            [pixel],
        )
        corps = "".join(
            f'<path d="{d}" fill="{("#f6ead0", "#dcefec")[i % 2]}" stroke="#7a8987"/>'
            for i, (d,) in enumerate(cursor.fetchall())
        )
        if reseau is not None and reseau.import_courant_id is not None:
            generalisation.prepare(reseau.import_courant_id)
            cursor.execute(
                f"SELECT classe, string_agg(ST_AsSVG(ST_Simplify(geom, %s, true), 1, 0), ' ') "
                f"FROM {generalisation.TABLE} WHERE import_reseau_id = %s AND niveau = {NIVEAU} AND classe <= %s "
                # Bits of lesser roads shorter than three pixels are specks.
                "AND (classe <= 1 OR ST_Length(geom) > %s) GROUP BY 1 ORDER BY 1 DESC",
                [pixel, reseau.import_courant_id, CLASSE_MAX, 3 * pixel],
            )
            for classe, d in cursor.fetchall():
                couleur, trait = ("#8c2d19", 2.2) if classe <= 1 else ("#a07c2c", 1.1 if classe == 2 else 0.6)
                corps += f'<path d="{d}" fill="none" stroke="{couleur}" stroke-width="{trait}"/>'
        cursor.execute(
            f"SELECT ST_AsSVG(ST_Simplify(l.{trace}, %s, true), 1, 0) FROM territoires_limite l "
            "JOIN territoires_collectivite a ON a.id = l.collectivite_a_id WHERE a.type <> 'epci'",
            [pixel],
        )
        for (d,) in cursor.fetchall():
            corps += f'<path d="{d}" fill="none" stroke="#4b2a7b" stroke-width="3"/>'
    marge = 0.04 * max(est - ouest, nord - sud)
    return _svg((ouest - marge, -nord - marge, est - ouest + 2 * marge, nord - sud + 2 * marge), corps)


def _svg(cadre: tuple[float, float, float, float], corps: str) -> str:
    boite = " ".join(f"{v:.0f}" for v in cadre)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LARGEUR}" height="{HAUTEUR}" viewBox="{boite}">'
        "<style>path{vector-effect:non-scaling-stroke;stroke-linejoin:round}</style>"
        f"{corps}</svg>"
    )
