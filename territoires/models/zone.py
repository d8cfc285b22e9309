"""Zones limitrophes: the communes on both sides of limits that a study looks at."""

from __future__ import annotations

from django.conf import settings
from django.contrib.gis.db import models

from geodata.models import Reseau

from .collectivite import Collectivite, Commune


class ZoneLimitrophe(models.Model):
    """Communes near the limits between 2 to 12 collectivités, and the road network they are studied on."""

    class Mode(models.TextChoices):
        DISTANCE = "distance", "distance à la limite"
        TEMPS = "temps", "temps de trajet depuis les points de passage"
        LISTE = "liste", "liste de communes choisies"
        ENTIERE = "entiere", "toutes les communes des collectivités"

    code = models.SlugField("code", unique=True)
    nom = models.CharField("nom", max_length=200)
    mode = models.CharField("mode", max_length=10, choices=Mode.choices)
    distance_m = models.FloatField("distance à la limite (m)", null=True, blank=True)
    temps_s = models.FloatField("temps depuis les points de passage (s)", null=True, blank=True)
    collectivites = models.ManyToManyField(Collectivite, verbose_name="collectivités", related_name="zones")
    communes = models.ManyToManyField(Commune, related_name="zones")
    reseau = models.ForeignKey(
        Reseau, verbose_name="réseau routier", null=True, blank=True, on_delete=models.SET_NULL, related_name="zones"
    )
    contour = models.MultiPolygonField("contour", srid=settings.SRID, null=True)
    fictif = models.BooleanField("comprend des données fictives", default=False)
    creee_le = models.DateTimeField("créée le", auto_now_add=True)
    calculee_le = models.DateTimeField("calculée le", null=True)

    class Meta:
        verbose_name = "zone limitrophe"
        verbose_name_plural = "zones limitrophes"
        constraints = [
            models.CheckConstraint(
                name="zone_parametre",
                # A comparison with NULL is neither true nor false, and a check lets it through.
                condition=models.Q(mode="distance", distance_m__isnull=False, distance_m__gt=0)
                | models.Q(mode="temps", temps_s__isnull=False, temps_s__gt=0)
                | models.Q(mode__in=["liste", "entiere"]),
            )
        ]

    def __str__(self) -> str:
        return self.nom

    @property
    def distance_km(self) -> float | None:
        """Distance to the limit in km, as pages write it."""
        return None if self.distance_m is None else self.distance_m / 1000

    @property
    def temps_min(self) -> float | None:
        """Travel time in minutes, as pages write it."""
        return None if self.temps_s is None else self.temps_s / 60
