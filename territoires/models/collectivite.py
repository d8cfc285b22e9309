"""Collectivités, their communes and the limits between them."""

from __future__ import annotations

from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.gis.db.models.functions import IsValid
from django.contrib.postgres.fields import ArrayField


class Reference(models.Model):
    """What every row of reference data keeps: edition, source, licence, and what was edited by hand."""

    edition = models.CharField("édition", max_length=60, blank=True)
    source = models.CharField("source", max_length=200, blank=True)
    licence = models.CharField("licence", max_length=100, blank=True)
    champs_manuels = ArrayField(
        models.CharField(max_length=40),
        verbose_name="champs corrigés à la main",
        default=list,
        blank=True,
        help_text="Un nouvel import ne remplace pas ces champs.",
    )

    class Meta:
        abstract = True


class Collectivite(Reference):
    """A département, an EPCI, a syndicat or their equal abroad."""

    class Type(models.TextChoices):
        DEPARTEMENT = "departement", "département"
        EPCI = "epci", "EPCI"
        SYNDICAT = "syndicat", "syndicat"
        AUTRE = "autre", "autre collectivité"

    type = models.CharField("type", max_length=12, choices=Type.choices)
    code = models.CharField("code", max_length=20, help_text="Code INSEE du département ou numéro SIREN.")
    nom = models.CharField("nom", max_length=200)
    geom = models.MultiPolygonField("contour", srid=settings.SRID, null=True)
    active = models.BooleanField("existe dans l'édition courante", default=True)

    class Meta:
        verbose_name = "collectivité"
        ordering = ["type", "code"]
        constraints = [
            models.UniqueConstraint(fields=["type", "code"], name="collectivite_unique"),
            models.CheckConstraint(
                condition=models.Q(geom__isnull=True) | models.Q(IsValid("geom")), name="collectivite_contour_valide"
            ),
        ]

    def __str__(self) -> str:
        return self.nom


class Commune(Reference):
    """A commune of one edition of the code officiel géographique; codes are text."""

    code = models.CharField("code INSEE", max_length=10, unique=True)
    nom = models.CharField("nom", max_length=100)
    departement = models.ForeignKey(
        Collectivite, verbose_name="département", on_delete=models.PROTECT, related_name="communes_departement"
    )
    epci = models.ForeignKey(
        Collectivite,
        verbose_name="EPCI",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="communes_epci",
    )
    population = models.PositiveIntegerField("population municipale", null=True, blank=True)
    geom = models.MultiPolygonField("contour", srid=settings.SRID, null=True)
    mairie = models.PointField("mairie", srid=settings.SRID, null=True, blank=True)
    active = models.BooleanField("existe dans l'édition courante", default=True)

    class Meta:
        verbose_name = "commune"
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(geom__isnull=True) | models.Q(IsValid("geom")), name="commune_contour_valide"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.nom} ({self.code})"


class Limite(models.Model):
    """The line two adjacent collectivités of one type share, computed on their shared edges."""

    collectivite_a = models.ForeignKey(Collectivite, on_delete=models.CASCADE, related_name="limites_a")
    collectivite_b = models.ForeignKey(Collectivite, on_delete=models.CASCADE, related_name="limites_b")
    geom = models.MultiLineStringField("tracé", srid=settings.SRID)
    longueur_m = models.FloatField("longueur (m)")
    longueur_approchee_m = models.FloatField(
        "dont tracée à la tolérance près (m)",
        default=0,
        help_text="Là où les contours des deux côtés ne sont pas dessinés exactement pareil.",
    )
    communes = models.ManyToManyField(Commune, through="LimiteCommune", related_name="limites")

    class Meta:
        verbose_name = "limite"
        constraints = [
            models.UniqueConstraint(fields=["collectivite_a", "collectivite_b"], name="limite_unique"),
            models.CheckConstraint(condition=models.Q(longueur_m__gt=0), name="limite_longueur"),
            models.CheckConstraint(
                condition=models.Q(collectivite_a__lt=models.F("collectivite_b")), name="limite_ordre"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.collectivite_a} / {self.collectivite_b}"


class LimiteCommune(models.Model):
    """A commune that touches a limit along a line (not a single point), and on which side."""

    limite = models.ForeignKey(Limite, on_delete=models.CASCADE)
    commune = models.ForeignKey(Commune, on_delete=models.CASCADE)
    collectivite = models.ForeignKey(Collectivite, on_delete=models.CASCADE, verbose_name="côté")
    longueur_m = models.FloatField("longueur commune (m)")

    class Meta:
        verbose_name = "commune limitrophe"
        constraints = [
            models.UniqueConstraint(fields=["limite", "commune"], name="limite_commune_unique"),
            models.CheckConstraint(condition=models.Q(longueur_m__gt=0), name="limite_commune_longueur"),
        ]

    def __str__(self) -> str:
        return f"{self.commune} : {self.longueur_m:.0f} m"
