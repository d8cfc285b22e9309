"""Waste centres, who owns them, who may use them, and where their users live when finer than communes."""

from __future__ import annotations

from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.fields import ArrayField

from territoires.models import Collectivite, Commune
from territoires.models.collectivite import Reference


class Dechetterie(Reference):
    """A waste centre of one EPCI, syndicat or other collectivité.

    ``fictif``: generated for the demonstration. ``hypothese``: placed by a rule on a real territory for want of a list.
    """

    code = models.CharField("code", max_length=40, unique=True)
    nom = models.CharField("nom", max_length=200)
    proprietaire = models.ForeignKey(
        Collectivite, verbose_name="propriétaire", on_delete=models.PROTECT, related_name="dechetteries"
    )
    geom = models.PointField("position", srid=settings.SRID)
    adresse = models.CharField("adresse", max_length=300, blank=True)
    capacite_visites_an = models.PositiveIntegerField(
        "capacité (visites par an)", null=True, blank=True, help_text="Vide : non limitée ou inconnue."
    )
    capacite_t_an = models.PositiveIntegerField(
        "capacité (t par an)", null=True, blank=True, help_text="Vide : non limitée ou inconnue."
    )
    cout_fixe_an = models.DecimalField(
        "coût fixe (€ par an)",
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="Gardiennage, entretien, amortissement. Vide : valeur supposée dans chaque étude.",
    )
    horaires = models.TextField("horaires", blank=True)
    dechets = ArrayField(models.CharField(max_length=60), verbose_name="déchets acceptés", default=list, blank=True)
    fictif = models.BooleanField("fictif", default=False)
    hypothese = models.BooleanField("emplacement supposé", default=False)
    active = models.BooleanField("ouverte", default=True)

    class Meta:
        verbose_name = "déchetterie"
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(cout_fixe_an__isnull=True) | models.Q(cout_fixe_an__gte=0),
                name="dechetterie_cout_positif",
            ),
            models.CheckConstraint(condition=~models.Q(code=""), name="dechetterie_code"),
        ]

    def __str__(self) -> str:
        if self.fictif:
            return f"{self.nom} (fictif)"
        return f"{self.nom} (hypothèse)" if self.hypothese else self.nom


class RegleAcces(models.Model):
    """Who may use a centre besides its owner's inhabitants, or may no longer: holds in every regime."""

    dechetterie = models.ForeignKey(
        Dechetterie, verbose_name="déchetterie", on_delete=models.CASCADE, related_name="regles"
    )
    collectivite = models.ForeignKey(
        Collectivite, verbose_name="habitants de", on_delete=models.CASCADE, related_name="+"
    )
    autorise = models.BooleanField("autorisé", default=True)
    source = models.CharField("convention ou règlement", max_length=300, blank=True)

    class Meta:
        verbose_name = "règle d'accès"
        verbose_name_plural = "règles d'accès"
        ordering = ["dechetterie__code", "collectivite__code"]
        constraints = [
            models.UniqueConstraint(fields=["dechetterie", "collectivite"], name="regle_acces_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.dechetterie} : {self.collectivite} {'autorisé' if self.autorise else 'exclu'}"


class PointDemande(Reference):
    """Inhabitants at one place, finer than the commune (for instance a cell of the INSEE grid of 200 m)."""

    code = models.CharField("code", max_length=60, unique=True)
    commune = models.ForeignKey(Commune, on_delete=models.CASCADE, related_name="points_demande")
    geom = models.PointField("position", srid=settings.SRID)
    population = models.FloatField("habitants")

    class Meta:
        verbose_name = "point de population"
        verbose_name_plural = "points de population"
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=models.Q(population__gte=0), name="point_demande_population"),
        ]

    def __str__(self) -> str:
        return self.code
