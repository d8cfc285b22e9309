"""Drawings of the road networks for map tiles, one partition each an import (`geodata.generalisation`)."""

from django.db import migrations

TRACE_SQL = """
CREATE TABLE geodata_trace (
    import_reseau_id bigint NOT NULL,
    niveau smallint NOT NULL,
    zoom_min smallint NOT NULL,
    classe smallint NOT NULL,
    ref text NOT NULL,
    nom text NOT NULL,
    departement varchar(20) NOT NULL,
    mitoyenne boolean NOT NULL,
    bretelle boolean NOT NULL,
    geom geometry(LineString, 3857) NOT NULL
) PARTITION BY LIST (import_reseau_id);
"""


class Migration(migrations.Migration):
    dependencies = [("geodata", "0001_initial")]

    operations = [migrations.RunSQL(TRACE_SQL, reverse_sql="DROP TABLE geodata_trace")]
