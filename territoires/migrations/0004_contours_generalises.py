"""Outlines simplified for map tiles, kept by PostgreSQL itself beside the exact ones (`territoires.tuiles`).

Generated columns always follow ``geom``, whatever writes it: imports, the administration, SQL by hand.
"""

from django.db import migrations

#: Table, column of the exact geometry. Tolerances are half a pixel of tiles drawn 512 px wide at zooms 7 and 10.
TABLES = (
    ("territoires_collectivite", "geom"),
    ("territoires_commune", "geom"),
    ("territoires_limite", "geom"),
    ("territoires_zonelimitrophe", "contour"),
)
TOLERANCES_M = {"trace_loin": 306, "trace_moyen": 38}


def _sql(table: str, geom: str) -> str:
    colonnes = ", ".join(
        f"ADD COLUMN {nom} geometry(Geometry, 3857) GENERATED ALWAYS AS "
        f"(ST_SimplifyPreserveTopology(ST_Transform({geom}, 3857), {tolerance})) STORED"
        for nom, tolerance in TOLERANCES_M.items()
    )
    index = " ".join(f"CREATE INDEX ON {table} USING gist ({nom});" for nom in TOLERANCES_M)
    return f"ALTER TABLE {table} {colonnes}; {index}"


def _reverse(table: str) -> str:
    return f"ALTER TABLE {table} " + ", ".join(f"DROP COLUMN {nom}" for nom in TOLERANCES_M)


class Migration(migrations.Migration):
    dependencies = [("territoires", "0003_collectivite_active")]

    operations = [migrations.RunSQL(_sql(table, geom), reverse_sql=_reverse(table)) for table, geom in TABLES]
