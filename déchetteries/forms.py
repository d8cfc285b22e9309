"""Forms: parameters of a study, centres edited by hand, files to import."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MinValueValidator

from territoires.formulaires import ParametresForm
from territoires.models import Collectivite

from .models import Dechetterie
from .modifications import ModificationsInvalides, parse
from .parametres import Parametres
from .probleme import UnitCosts

_COUTS = UnitCosts()
_DEFAUTS = Parametres()


def _figure(nom: str, libelle: str, aide: str, minimum: float = 0.0) -> forms.FloatField:
    return forms.FloatField(
        label=libelle,
        initial=getattr(_COUTS, nom),
        help_text=aide,
        validators=[MinValueValidator(minimum, message="Indiquez une valeur d'au moins %(limit_value)s.")],
        widget=forms.NumberInput(attrs={"step": "any", "min": minimum}),
    )


class DechetteriesForm(ParametresForm):
    """Parameters of a study of access to déchetteries."""

    perimetre = forms.ChoiceField(
        label="Habitants pris en compte",
        choices=[("zone", "communes de la zone"), ("entier", "toutes les communes des collectivités")],
        initial=_DEFAUTS.perimetre,
        help_text="Toutes les communes : nécessaire pour que les capacités des centres aient un sens.",
    )
    points = forms.ChoiceField(
        label="Départ des trajets",
        choices=[("communes", "mairie de chaque commune"), ("fins", "points de population, s'il y en a")],
        initial=_DEFAUTS.points,
    )
    regle_interne = forms.ChoiceField(
        label="Quand une collectivité reste seule",
        choices=[
            ("ouvert", "ses habitants vont dans toutes ses déchetteries"),
            ("epci", "chaque EPCI réserve les siennes à ses habitants"),
        ],
        initial=_DEFAUTS.regle_interne,
        help_text="Quand des collectivités partagent, toutes leurs déchetteries sont ouvertes à tous leurs habitants.",
    )
    choix = forms.ChoiceField(
        label="Les habitants choisissent",
        choices=[("temps", "le trajet le plus court en temps"), ("cout", "le trajet le moins coûteux (temps et km)")],
        initial=_COUTS.choix,
    )
    capacites = forms.BooleanField(
        label="Tenir compte des capacités",
        initial=_DEFAUTS.capacites,
        required=False,
        help_text="Les visites au-delà de la capacité d'un centre sont réparties vers d'autres, ou comptées à part.",
    )
    visites_hab_an = _figure(
        "visites_hab_an", "Visites par habitant et par an", "Hypothèse, à remplacer par vos comptages."
    )
    tonnes_hab_an = _figure(
        "tonnes_hab_an",
        "Tonnes par habitant et par an",
        "Sert à convertir les capacités en tonnes. Hypothèse (ordre de grandeur des enquêtes Collecte de l'ADEME).",
    )
    euro_km = _figure(
        "euro_km", "Coût de la voiture (€ par km)", "Hypothèse, entre le carburant seul et le barème fiscal."
    )
    euro_heure = _figure(
        "euro_heure", "Valeur du temps (€ par heure)", "Hypothèse (rapport Quinet 2013 : 7,9 € de 2010 en ville).", 0.1
    )
    euro_visite = _figure(
        "euro_visite", "Coût de traitement d'une visite (€)", "Bennes, transport, traitement. Hypothèse."
    )
    cout_fixe = _figure(
        "cout_fixe", "Coût fixe d'un centre dont le coût est inconnu (€ par an)", "Gardiennage, entretien. Hypothèse."
    )
    euro_surcharge = _figure(
        "euro_surcharge",
        "Prix d'une visite au-delà de la capacité (€)",
        "Ce prix pèse un souhait, ce n'est pas une dépense.",
    )
    euro_sans_centre = _figure(
        "euro_sans_centre",
        "Prix d'une visite impossible (€)",
        "Pour les habitants qui n'ont aucun centre autorisé et joignable : pèse un souhait, ce n'est pas une dépense.",
    )
    kg_co2_km = _figure(
        "kg_co2_km", "Émissions de la voiture (kg CO2e par km)", "ADEME, Base Empreinte, voiture moyenne."
    )
    accrochage_max_m = forms.FloatField(
        label="Distance maximale à une route (m)",
        initial=_DEFAUTS.accrochage_max_m,
        min_value=1,
        help_text="Au-delà, un lieu est signalé et compté sans déchetterie.",
    )
    population_defaut = forms.IntegerField(
        label="Habitants d'une commune de population inconnue",
        initial=_DEFAUTS.population_defaut,
        min_value=0,
        help_text="Hypothèse : les communes concernées pèsent alors toutes autant.",
    )
    modifications = forms.CharField(
        label="Modifications à essayer",
        required=False,
        initial="",
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        help_text=(
            "Une par ligne : « fermer ; code », « rouvrir ; code », « déplacer ; code ; longitude ; latitude », "
            "« ouvrir ; nom ; longitude ; latitude ; code du propriétaire ; visites par an », "
            "« autoriser ; code ; code de la collectivité », « interdire ; code ; code de la collectivité ». "
            "L'étude est alors comparée à la situation sans ces modifications."
        ),
    )

    def clean_modifications(self) -> str:
        """Lines that can be read and name centres and collectivités of the database."""
        texte: str = self.cleaned_data["modifications"].strip()
        try:
            lues = parse(texte)
        except ModificationsInvalides as error:
            raise forms.ValidationError(error.messages) from error
        voulus = {m.centre for m in lues if m.centre}
        connus = set(Dechetterie.objects.filter(code__in=voulus).values_list("code", flat=True)) if voulus else set()
        codes = {m.collectivite for m in lues if m.collectivite}
        presentes = set(Collectivite.objects.filter(code__in=codes).values_list("code", flat=True)) if codes else set()
        fautes = [
            f"Ligne {m.ligne} : centre « {m.centre} » inconnu." for m in lues if m.centre and m.centre not in connus
        ]
        fautes += [
            f"Ligne {m.ligne} : collectivité « {m.collectivite} » inconnue."
            for m in lues
            if m.collectivite and m.collectivite not in presentes
        ]
        if fautes:
            raise forms.ValidationError(fautes)
        return texte

    def clean(self) -> dict[str, Any]:
        """Whatever the single fields cannot see."""
        valeurs: dict[str, Any] = super().clean() or self.cleaned_data
        if valeurs.get("visites_hab_an") == 0:
            self.add_error("visites_hab_an", "Indiquez une valeur supérieure à zéro.")
        return valeurs
