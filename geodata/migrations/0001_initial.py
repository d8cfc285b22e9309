"""Tables of the road networks; nodes and edges are partitioned by import (one partition each an import)."""

import django.contrib.gis.db.models.fields
import django.db.models.deletion
from django.db import migrations, models

# Django cannot describe a partitioned table: these two are made by hand and only declared to its state.
# Indexes on the parents are copied to a partition when it is attached, or matched with those it already has.
NOEUD_SQL = """
CREATE TABLE geodata_noeud (
    import_reseau_id bigint NOT NULL,
    rang integer NOT NULL,
    source_id bigint NOT NULL,
    passage boolean NOT NULL,
    geom geometry(Point, 2154) NOT NULL,
    PRIMARY KEY (import_reseau_id, rang)
) PARTITION BY LIST (import_reseau_id);
CREATE INDEX geodata_noeud_geom_idx ON geodata_noeud USING gist (geom);
"""

TRONCON_SQL = """
CREATE TABLE geodata_troncon (
    import_reseau_id bigint NOT NULL,
    rang integer NOT NULL,
    noeud_source integer NOT NULL,
    noeud_cible integer NOT NULL,
    longueur_m double precision NOT NULL,
    sens_unique boolean NOT NULL,
    classe smallint NOT NULL,
    bretelle boolean NOT NULL,
    gestion smallint NOT NULL,
    vmax_aller double precision NOT NULL,
    vmax_retour double precision NOT NULL,
    vmax_ecrite boolean NOT NULL,
    acces smallint NOT NULL,
    tonnage_max_t double precision,
    hauteur_max_m double precision,
    largeur_m double precision,
    voies smallint NOT NULL,
    pont boolean NOT NULL,
    tunnel boolean NOT NULL,
    ref text NOT NULL,
    nom text NOT NULL,
    revetement text NOT NULL,
    voie_id bigint NOT NULL,
    rang_voie integer NOT NULL,
    departement varchar(20) NOT NULL,
    departement_gauche varchar(20) NOT NULL,
    departement_droite varchar(20) NOT NULL,
    mitoyenne boolean NOT NULL,
    geom geometry(LineString, 2154) NOT NULL,
    PRIMARY KEY (import_reseau_id, rang)
) PARTITION BY LIST (import_reseau_id);
CREATE INDEX geodata_troncon_geom_idx ON geodata_troncon USING gist (geom);
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="ImportReseau",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("format", models.CharField(max_length=20, verbose_name="format")),
                ("fichier", models.CharField(max_length=500, verbose_name="fichier")),
                (
                    "empreinte",
                    models.CharField(max_length=64, verbose_name="empreinte SHA-256 du fichier et des réglages"),
                ),
                ("edition", models.CharField(blank=True, max_length=60, verbose_name="date des données")),
                (
                    "etat",
                    models.CharField(
                        choices=[
                            ("en_cours", "en cours"),
                            ("reussi", "réussi"),
                            ("inchange", "inchangé (même fichier)"),
                            ("echoue", "échoué"),
                        ],
                        default="en_cours",
                        max_length=10,
                        verbose_name="état",
                    ),
                ),
                ("debut", models.DateTimeField(auto_now_add=True, verbose_name="début")),
                ("duree_s", models.FloatField(blank=True, null=True, verbose_name="durée (s)")),
                ("attendus", models.JSONField(default=dict, verbose_name="comptes attendus")),
                ("lus", models.JSONField(default=dict, verbose_name="comptes lus")),
                ("omis", models.JSONField(default=dict, verbose_name="laissé de côté, par raison")),
                (
                    "decoupage",
                    models.JSONField(
                        default=list,
                        help_text="Codes des collectivités qui découpent le réseau.",
                        verbose_name="découpage",
                    ),
                ),
                ("parametres", models.JSONField(default=dict, verbose_name="réglages")),
                ("erreur", models.TextField(blank=True, verbose_name="erreur")),
            ],
            options={
                "verbose_name": "import de réseau",
                "verbose_name_plural": "imports de réseau",
                "ordering": ["-debut"],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(NOEUD_SQL, reverse_sql="DROP TABLE geodata_noeud")],
            state_operations=[
                migrations.CreateModel(
                    name="Noeud",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "import_reseau_id",
                                "rang",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("rang", models.IntegerField(verbose_name="rang")),
                        ("source_id", models.BigIntegerField(verbose_name="identifiant dans la source")),
                        ("passage", models.BooleanField(verbose_name="point de passage")),
                        (
                            "geom",
                            django.contrib.gis.db.models.fields.PointField(
                                spatial_index=False, srid=2154, verbose_name="position"
                            ),
                        ),
                        (
                            "import_reseau",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="noeuds",
                                to="geodata.importreseau",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "nœud",
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name="OrdreContraction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("methode", models.CharField(max_length=40, verbose_name="méthode")),
                ("duree_s", models.FloatField(verbose_name="durée du calcul (s)")),
                ("rangs", models.BinaryField(verbose_name="ordre")),
                (
                    "import_reseau",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="ordre", to="geodata.importreseau"
                    ),
                ),
            ],
            options={
                "verbose_name": "ordre de contraction",
            },
        ),
        migrations.CreateModel(
            name="Reseau",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(unique=True, verbose_name="code")),
                ("nom", models.CharField(max_length=200, verbose_name="nom")),
                (
                    "fictif",
                    models.BooleanField(
                        default=False, help_text="Réseau généré pour la démonstration.", verbose_name="fictif"
                    ),
                ),
                ("attribution", models.CharField(blank=True, max_length=300, verbose_name="attribution")),
                ("licence", models.CharField(blank=True, max_length=100, verbose_name="licence")),
                (
                    "import_courant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="geodata.importreseau",
                        verbose_name="import courant",
                    ),
                ),
            ],
            options={
                "verbose_name": "réseau routier",
                "verbose_name_plural": "réseaux routiers",
            },
        ),
        migrations.AddField(
            model_name="importreseau",
            name="reseau",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="imports",
                to="geodata.reseau",
                verbose_name="réseau",
            ),
        ),
        migrations.CreateModel(
            name="RestrictionVirage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("voie_depuis", models.BigIntegerField(verbose_name="voie d'où l'on vient")),
                ("noeud", models.BigIntegerField(verbose_name="identifiant du nœud dans la source")),
                ("voie_vers", models.BigIntegerField(verbose_name="voie où l'on va")),
                (
                    "genre",
                    models.SmallIntegerField(choices=[(0, "interdit"), (1, "obligatoire")], verbose_name="genre"),
                ),
                (
                    "import_reseau",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="restrictions",
                        to="geodata.importreseau",
                    ),
                ),
            ],
            options={
                "verbose_name": "restriction de virage",
                "verbose_name_plural": "restrictions de virage",
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TRONCON_SQL, reverse_sql="DROP TABLE geodata_troncon")],
            state_operations=[
                migrations.CreateModel(
                    name="Troncon",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "import_reseau_id",
                                "rang",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("rang", models.IntegerField(verbose_name="rang")),
                        ("noeud_source", models.IntegerField(verbose_name="rang du nœud de départ")),
                        ("noeud_cible", models.IntegerField(verbose_name="rang du nœud d'arrivée")),
                        ("longueur_m", models.FloatField(verbose_name="longueur (m)")),
                        ("sens_unique", models.BooleanField(verbose_name="sens unique")),
                        ("classe", models.SmallIntegerField(verbose_name="classe")),
                        ("bretelle", models.BooleanField(verbose_name="bretelle")),
                        ("gestion", models.SmallIntegerField(verbose_name="gestion")),
                        ("vmax_aller", models.FloatField(verbose_name="vitesse maximale dans le sens du tracé (km/h)")),
                        ("vmax_retour", models.FloatField(verbose_name="vitesse maximale en sens inverse (km/h)")),
                        ("vmax_ecrite", models.BooleanField(verbose_name="vitesse écrite dans la source")),
                        ("acces", models.SmallIntegerField(verbose_name="accès")),
                        ("tonnage_max_t", models.FloatField(null=True, verbose_name="tonnage maximal (t)")),
                        ("hauteur_max_m", models.FloatField(null=True, verbose_name="hauteur maximale (m)")),
                        ("largeur_m", models.FloatField(null=True, verbose_name="largeur (m)")),
                        ("voies", models.SmallIntegerField(verbose_name="nombre de voies")),
                        ("pont", models.BooleanField(verbose_name="pont")),
                        ("tunnel", models.BooleanField(verbose_name="tunnel")),
                        ("ref", models.TextField(verbose_name="numéro")),
                        ("nom", models.TextField(verbose_name="nom")),
                        ("revetement", models.TextField(verbose_name="revêtement")),
                        ("voie_id", models.BigIntegerField(verbose_name="identifiant de la voie dans la source")),
                        ("rang_voie", models.IntegerField(verbose_name="rang dans la voie")),
                        ("departement", models.CharField(max_length=20, verbose_name="département")),
                        ("departement_gauche", models.CharField(max_length=20, verbose_name="département à gauche")),
                        ("departement_droite", models.CharField(max_length=20, verbose_name="département à droite")),
                        ("mitoyenne", models.BooleanField(verbose_name="mitoyenne")),
                        (
                            "geom",
                            django.contrib.gis.db.models.fields.LineStringField(
                                spatial_index=False, srid=2154, verbose_name="tracé"
                            ),
                        ),
                        (
                            "import_reseau",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="troncons",
                                to="geodata.importreseau",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "tronçon",
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name="PointPassage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("noeud", models.IntegerField(verbose_name="rang du nœud")),
                ("departement_a", models.CharField(max_length=20, verbose_name="département")),
                ("departement_b", models.CharField(max_length=20, verbose_name="département voisin")),
                ("ref", models.TextField(blank=True, verbose_name="numéro")),
                ("nom", models.TextField(blank=True, verbose_name="nom")),
                ("classe", models.SmallIntegerField(verbose_name="classe")),
                ("gestion", models.SmallIntegerField(verbose_name="gestion")),
                ("geom", django.contrib.gis.db.models.fields.PointField(srid=2154, verbose_name="position")),
                (
                    "import_reseau",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="points_passage",
                        to="geodata.importreseau",
                    ),
                ),
            ],
            options={
                "verbose_name": "point de passage",
                "verbose_name_plural": "points de passage",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("departement_a__lt", models.F("departement_b"))), name="point_passage_ordre"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="importreseau",
            index=models.Index(fields=["reseau", "empreinte"], name="geodata_imp_reseau__098dd4_idx"),
        ),
    ]
