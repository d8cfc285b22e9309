"""Studies: what is asked (`Etude`), each run of it (`PassageEtude`) and what each block gave (`ResultatBloc`).

A run is cut in `LotCalcul`: a few blocks that one worker solves in one go. A lot is taken with a fresh token and
every row is written under that token, so that a worker thought dead that comes back writes nothing.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from .collectivite import Collectivite
from .zone import ZoneLimitrophe


class Etude(models.Model):
    """One question asked of one operation on one zone: parameters and the partition to compare with cloisonné.

    ``partition`` is a list of blocks, each a sorted list of collectivité codes; every collectivité of the
    study is in exactly one block. The cloisonné regime (each one alone) is always computed beside it.
    Created by `territoires.etudes.creer_etude`, which checks all this.
    """

    titre = models.CharField("titre", max_length=200)
    operation = models.CharField("opération", max_length=40)
    zone = models.ForeignKey(ZoneLimitrophe, on_delete=models.PROTECT, related_name="etudes")
    collectivites = models.ManyToManyField(Collectivite, verbose_name="collectivités", related_name="etudes")
    partition = models.JSONField("partition")
    parametres = models.JSONField("paramètres", default=dict, blank=True)
    proprietaire = models.ForeignKey(
        Collectivite, verbose_name="collectivité propriétaire", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    auteur = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="auteur", null=True, on_delete=models.SET_NULL, related_name="etudes"
    )
    origine = models.ForeignKey("self", verbose_name="copie de", null=True, blank=True, on_delete=models.SET_NULL)
    creee_le = models.DateTimeField("créée le", auto_now_add=True)
    modifiee_le = models.DateTimeField("modifiée le", auto_now=True)

    class Meta:
        verbose_name = "étude"
        ordering = ["-creee_le"]

    def __str__(self) -> str:
        return self.titre


class Etat(models.TextChoices):
    """State of a run or of a lot."""

    EN_ATTENTE = "en_attente", "en attente"
    EN_COURS = "en_cours", "en cours"
    REUSSI = "reussi", "terminé"
    ECHOUE = "echoue", "échoué"
    ANNULE = "annule", "annulé"


class PassageEtude(models.Model):
    """One run of a study."""

    Etat = Etat
    #: States a run does not leave.
    FINALS = (Etat.REUSSI, Etat.ECHOUE, Etat.ANNULE)

    etude = models.ForeignKey(Etude, on_delete=models.CASCADE, related_name="passages")
    auteur = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="lancé par", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    etat = models.CharField("état", max_length=10, choices=Etat.choices, default=Etat.EN_ATTENTE)
    graine = models.BigIntegerField("graine", default=1)
    nb_graines = models.PositiveSmallIntegerField(
        "nombre de graines", default=1, help_text="Chaque bloc est calculé avec chacune ; le moins cher est retenu."
    )
    limite_s = models.FloatField("temps de calcul accordé par bloc (s)", default=60)
    limite_iterations = models.PositiveIntegerField(
        "itérations accordées par bloc",
        null=True,
        blank=True,
        help_text="Une limite en itérations rend le résultat indépendant de la vitesse de la machine.",
    )
    avec_coalitions = models.BooleanField(
        "calculer toutes les coalitions",
        default=True,
        help_text="Nécessaire au partage par la valeur de Shapley.",
    )
    progres = models.FloatField("progrès (0 à 1)", default=0)
    message = models.CharField("étape", max_length=300, blank=True)
    journal = models.TextField("journal", blank=True)
    annulation = models.BooleanField("annulation demandée", default=False)
    demande_le = models.DateTimeField("demandé le", auto_now_add=True)
    debut = models.DateTimeField("début", null=True)
    fin = models.DateTimeField("fin", null=True)
    empreinte = models.CharField("empreinte des entrées", max_length=64, blank=True)
    version = models.CharField("version du logiciel", max_length=40, blank=True)
    provenance = models.JSONField("données lues", default=dict, blank=True)
    synthese = models.JSONField("comparaison et partage", default=dict, blank=True)

    class Meta:
        verbose_name = "passage d'étude"
        verbose_name_plural = "passages d'étude"
        ordering = ["-demande_le", "-pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(progres__gte=0, progres__lte=1), name="passage_progres"),
            models.CheckConstraint(
                condition=models.Q(limite_s__gt=0, nb_graines__gte=1), name="passage_limites_positives"
            ),
            models.UniqueConstraint(
                fields=["etude"],
                condition=models.Q(etat__in=["en_attente", "en_cours"]),
                name="passage_un_seul_en_cours",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.etude} ({self.get_etat_display()})"

    @property
    def termine(self) -> bool:
        """True once the run no longer changes."""
        return self.etat in self.FINALS

    @property
    def duree_s(self) -> float | None:
        """Seconds from start to end, None while running."""
        if self.debut is None or self.fin is None:
            return None
        return float((self.fin - self.debut).total_seconds())


class LotCalcul(models.Model):
    """Blocks of one run that one worker solves in a row, in one child process."""

    passage = models.ForeignKey(PassageEtude, on_delete=models.CASCADE, related_name="lots")
    numero = models.PositiveIntegerField("numéro")
    blocs = models.JSONField("blocs", help_text="Liste de blocs, chacun une liste triée de codes.")
    regime = models.BooleanField(
        "blocs d'un régime", help_text="Faux : coalitions qui ne servent qu'au partage, dont seul le coût est gardé."
    )
    etat = models.CharField("état", max_length=10, choices=Etat.choices, default=Etat.EN_ATTENTE)
    jeton = models.UUIDField("jeton du calcul en cours", null=True)
    tentatives = models.PositiveSmallIntegerField("tentatives", default=0)
    battement = models.DateTimeField("dernier signe du calcul", null=True)
    progres = models.FloatField("progrès (0 à 1)", default=0)
    message = models.CharField("étape", max_length=300, blank=True)
    temoin = models.CharField(
        "empreinte témoin",
        max_length=64,
        blank=True,
        help_text="Empreinte du plus grand groupe telle que ce lot l'a lue : la même pour tous les lots d'un passage.",
    )
    meilleur = models.FloatField("meilleur coût (€)", null=True)
    borne = models.FloatField("borne (€)", null=True)

    class Meta:
        verbose_name = "lot de calcul"
        verbose_name_plural = "lots de calcul"
        ordering = ["numero"]
        constraints = [
            models.UniqueConstraint(fields=["passage", "numero"], name="lot_numero_unique"),
            models.CheckConstraint(condition=models.Q(progres__gte=0, progres__lte=1), name="lot_progres"),
        ]

    def __str__(self) -> str:
        return f"lot {self.numero} ({len(self.blocs)} blocs)"


class ResultatBloc(models.Model):
    """What one block gave in one run, for one seed and one point of the front (``variante``, 0 = the answer).

    A plan edited by hand is a row of its own with ``parent`` set to the plan it came from. Of a coalition that
    belongs to no regime only the cost is kept (``solution`` empty).
    """

    class Origine(models.TextChoices):
        CALCUL = "calcul", "calculé"
        MANUEL = "manuel", "modifié à la main"

    passage = models.ForeignKey(PassageEtude, on_delete=models.CASCADE, related_name="resultats")
    bloc = ArrayField(models.CharField(max_length=20), verbose_name="collectivités du bloc")
    graine = models.BigIntegerField("graine")
    variante = models.PositiveSmallIntegerField("variante", default=0)
    libelle = models.CharField("libellé", max_length=200, blank=True)
    origine = models.CharField("origine", max_length=8, choices=Origine.choices, default=Origine.CALCUL)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="modifications")
    auteur = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="modifié par", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    cree_le = models.DateTimeField("enregistré le", default=timezone.now, editable=False)
    cout = models.DecimalField("coût annuel (€)", max_digits=16, decimal_places=2)
    borne = models.DecimalField("borne (€)", max_digits=16, decimal_places=2, null=True)
    statut = models.CharField("statut", max_length=20)
    remarques = models.JSONField("remarques", default=list)
    duree_s = models.FloatField("durée du calcul (s)")
    empreinte = models.CharField("empreinte du problème", max_length=64)
    solution = models.BinaryField("solution")
    indicateurs = models.JSONField("indicateurs", default=list)
    trace = models.JSONField("trace", default=list)

    class Meta:
        verbose_name = "résultat d'un bloc"
        verbose_name_plural = "résultats par bloc"
        constraints = [
            models.UniqueConstraint(
                fields=["passage", "bloc", "graine", "variante"],
                condition=models.Q(origine="calcul"),
                name="resultat_bloc_unique",
            ),
            models.CheckConstraint(
                condition=~models.Q(origine="manuel") | models.Q(parent__isnull=False), name="resultat_manuel_parent"
            ),
        ]

    def __str__(self) -> str:
        return f"{' + '.join(self.bloc)} (graine {self.graine})"
