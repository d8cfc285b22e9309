"""Waste centres, who owns them, who may use them."""

from __future__ import annotations

from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField

from territoires.models import Collectivite
from territoires.models.collectivite import Reference


class Dechetterie(Reference):
    """A waste centre of one EPCI or syndicat."""

    code = models.CharField("code", max_length=40, unique=True)
    nom = models.CharField("nom", max_length=200)
    proprietaire = models.ForeignKey(
        Collectivite, verbose_name="propriétaire", on_delete=models.PROTECT, related_name="dechetteries"
    )
    geom = models.PointField("position", srid=settings.SRID)
    capacite_visites_an = models.PositiveIntegerField("capacité (visites par an)", null=True, blank=True)
    capacite_t_an = models.PositiveIntegerField("capacité (t par an)", null=True, blank=True)
    cout_fixe_an = models.DecimalField("coût fixe (€ par an)", max_digits=12, decimal_places=2, null=True, blank=True)
    horaires = models.TextField("horaires", blank=True)
    dechets = ArrayField(models.CharField(max_length=60), verbose_name="déchets acceptés", default=list, blank=True)
    fictif = models.BooleanField("fictif", default=False)
    active = models.BooleanField("ouverte", default=True)

    class Meta:
        verbose_name = "déchetterie"
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.nom} (fictif)" if self.fictif else self.nom


class RegleAcces(models.Model):
    """Who may use a centre besides its owner's inhabitants, or may no longer: holds in every regime."""

    dechetterie = models.ForeignKey(Dechetterie, on_delete=models.CASCADE, related_name="regles")
    collectivite = models.ForeignKey(
        Collectivite, verbose_name="habitants de", on_delete=models.CASCADE, related_name="+"
    )
    autorise = models.BooleanField("autorisé", default=True)
    source = models.CharField("convention ou règlement", max_length=300, blank=True)

    class Meta:
        verbose_name = "règle d'accès"
        verbose_name_plural = "règles d'accès"
        constraints = [
            models.UniqueConstraint(fields=["dechetterie", "collectivite"], name="regle_acces_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.dechetterie} : {self.collectivite} {'autorisé' if self.autorise else 'exclu'}"
