"""Accounts: every user belongs to one collectivité."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

from .collectivite import Collectivite


class Utilisateur(AbstractUser):
    """An agent or elected member; without collectivité only a superuser may write."""

    collectivite = models.ForeignKey(
        Collectivite,
        verbose_name="collectivité",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="utilisateurs",
    )
    demonstration = models.BooleanField("compte de démonstration", default=False)

    class Meta(AbstractUser.Meta):
        verbose_name = "utilisateur"
        verbose_name_plural = "utilisateurs"
