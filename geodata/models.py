"""Road networks as they are kept: one row an import, one partition of nodes and edges an import.

An import fills partitions of its own and only then becomes the network's current one, so that readers
never see half of it and a failed one leaves what was there untouched. Rows are written by COPY
(`geodata.ecriture`); nothing else writes them.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.gis.db import models


class Reseau(models.Model):
    """A road network under one name, whose content is that of its current import."""

    code = models.SlugField("code", unique=True)
    nom = models.CharField("nom", max_length=200)
    fictif = models.BooleanField("fictif", default=False, help_text="Réseau généré pour la démonstration.")
    attribution = models.CharField("attribution", max_length=300, blank=True)
    licence = models.CharField("licence", max_length=100, blank=True)
    import_courant = models.ForeignKey(
        "ImportReseau",
        verbose_name="import courant",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    class Meta:
        verbose_name = "réseau routier"
        verbose_name_plural = "réseaux routiers"

    def __str__(self) -> str:
        return self.nom


class ImportReseau(models.Model):
    """One import, failed ones included: what was read, what was left out and why."""

    class Etat(models.TextChoices):
        EN_COURS = "en_cours", "en cours"
        REUSSI = "reussi", "réussi"
        INCHANGE = "inchange", "inchangé (même fichier)"
        ECHOUE = "echoue", "échoué"

    reseau = models.ForeignKey(Reseau, verbose_name="réseau", on_delete=models.CASCADE, related_name="imports")
    format = models.CharField("format", max_length=20)
    fichier = models.CharField("fichier", max_length=500)
    empreinte = models.CharField("empreinte SHA-256 du fichier et des réglages", max_length=64)
    edition = models.CharField("date des données", max_length=60, blank=True)
    etat = models.CharField("état", max_length=10, choices=Etat.choices, default=Etat.EN_COURS)
    debut = models.DateTimeField("début", auto_now_add=True)
    duree_s = models.FloatField("durée (s)", null=True, blank=True)
    attendus = models.JSONField("comptes attendus", default=dict)
    lus = models.JSONField("comptes lus", default=dict)
    omis = models.JSONField("laissé de côté, par raison", default=dict)
    decoupage = models.JSONField(
        "découpage", default=list, help_text="Codes des collectivités qui découpent le réseau."
    )
    parametres = models.JSONField("réglages", default=dict)
    erreur = models.TextField("erreur", blank=True)

    class Meta:
        verbose_name = "import de réseau"
        verbose_name_plural = "imports de réseau"
        ordering = ["-debut"]
        indexes = [models.Index(fields=["reseau", "empreinte"])]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(etat__in=["en_cours", "reussi", "inchange", "echoue"]), name="import_reseau_etat"
            )
        ]

    def __str__(self) -> str:
        return f"{self.fichier} ({self.get_etat_display()})"


class Noeud(models.Model):
    """End of edges. Partitioned by import; ``rang`` is the position in the arrays, 0 to n - 1."""

    pk = models.CompositePrimaryKey("import_reseau_id", "rang")
    import_reseau = models.ForeignKey(
        ImportReseau, on_delete=models.DO_NOTHING, db_constraint=False, related_name="noeuds"
    )
    rang = models.IntegerField("rang")
    source_id = models.BigIntegerField("identifiant dans la source")
    passage = models.BooleanField("point de passage")
    geom = models.PointField("position", srid=settings.SRID, spatial_index=False)

    class Meta:
        verbose_name = "nœud"


class Troncon(models.Model):
    """Undirected piece of road between two nodes. Partitioned by import; ``rang`` as for `Noeud`.

    ``departement*`` are codes of the découpage ("" outside every area).
    """

    pk = models.CompositePrimaryKey("import_reseau_id", "rang")
    import_reseau = models.ForeignKey(
        ImportReseau, on_delete=models.DO_NOTHING, db_constraint=False, related_name="troncons"
    )
    rang = models.IntegerField("rang")
    noeud_source = models.IntegerField("rang du nœud de départ")
    noeud_cible = models.IntegerField("rang du nœud d'arrivée")
    longueur_m = models.FloatField("longueur (m)")
    sens_unique = models.BooleanField("sens unique")
    classe = models.SmallIntegerField("classe")
    bretelle = models.BooleanField("bretelle")
    gestion = models.SmallIntegerField("gestion")
    vmax_aller = models.FloatField("vitesse maximale dans le sens du tracé (km/h)")
    vmax_retour = models.FloatField("vitesse maximale en sens inverse (km/h)")
    vmax_ecrite = models.BooleanField("vitesse écrite dans la source")
    acces = models.SmallIntegerField("accès")
    tonnage_max_t = models.FloatField("tonnage maximal (t)", null=True)
    hauteur_max_m = models.FloatField("hauteur maximale (m)", null=True)
    largeur_m = models.FloatField("largeur (m)", null=True)
    voies = models.SmallIntegerField("nombre de voies")
    pont = models.BooleanField("pont")
    tunnel = models.BooleanField("tunnel")
    ref = models.TextField("numéro")
    nom = models.TextField("nom")
    revetement = models.TextField("revêtement")
    voie_id = models.BigIntegerField("identifiant de la voie dans la source")
    rang_voie = models.IntegerField("rang dans la voie")
    departement = models.CharField("département", max_length=20)
    departement_gauche = models.CharField("département à gauche", max_length=20)
    departement_droite = models.CharField("département à droite", max_length=20)
    mitoyenne = models.BooleanField("mitoyenne")
    geom = models.LineStringField("tracé", srid=settings.SRID, spatial_index=False)

    class Meta:
        verbose_name = "tronçon"


class PointPassage(models.Model):
    """Place where a road crosses a limit of the découpage: a layer of its own."""

    import_reseau = models.ForeignKey(ImportReseau, on_delete=models.CASCADE, related_name="points_passage")
    noeud = models.IntegerField("rang du nœud")
    departement_a = models.CharField("département", max_length=20)
    departement_b = models.CharField("département voisin", max_length=20)
    ref = models.TextField("numéro", blank=True)
    nom = models.TextField("nom", blank=True)
    classe = models.SmallIntegerField("classe")
    gestion = models.SmallIntegerField("gestion")
    geom = models.PointField("position", srid=settings.SRID)

    class Meta:
        verbose_name = "point de passage"
        verbose_name_plural = "points de passage"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(departement_a__lt=models.F("departement_b")), name="point_passage_ordre"
            )
        ]


class RestrictionVirage(models.Model):
    """Turn restriction between two ways at a node, as read: kept for engines that can turn it into a cost."""

    class Genre(models.IntegerChoices):
        INTERDIT = 0, "interdit"
        OBLIGATOIRE = 1, "obligatoire"

    import_reseau = models.ForeignKey(ImportReseau, on_delete=models.CASCADE, related_name="restrictions")
    voie_depuis = models.BigIntegerField("voie d'où l'on vient")
    noeud = models.BigIntegerField("identifiant du nœud dans la source")
    voie_vers = models.BigIntegerField("voie où l'on va")
    genre = models.SmallIntegerField("genre", choices=Genre.choices)

    class Meta:
        verbose_name = "restriction de virage"
        verbose_name_plural = "restrictions de virage"


class OrdreContraction(models.Model):
    """Node order of the contraction hierarchy, computed once an import (int32 little-endian, deflated)."""

    import_reseau = models.OneToOneField(ImportReseau, on_delete=models.CASCADE, related_name="ordre")
    methode = models.CharField("méthode", max_length=40)
    duree_s = models.FloatField("durée du calcul (s)")
    rangs = models.BinaryField("ordre")

    class Meta:
        verbose_name = "ordre de contraction"
