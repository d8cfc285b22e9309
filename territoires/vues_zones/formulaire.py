"""The form of a new zone."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from geodata.models import Reseau
from territoires.models import Collectivite, ZoneLimitrophe
from territoires.zones import MAXIMUM, MINIMUM, DemandeZone

Mode = ZoneLimitrophe.Mode

#: Field each mode needs, with what to say when it is missing.
_EXIGE = {
    Mode.DISTANCE: ("distance_km", "Donnez la distance à la limite, en kilomètres."),
    Mode.TEMPS: ("temps_min", "Donnez le temps de trajet, en minutes."),
    Mode.LISTE: ("communes", "Donnez les codes INSEE des communes."),
}


class ZoneForm(forms.Form):
    """What an agent fills to draw a zone; `demande` gives it to `territoires.zones`."""

    nom = forms.CharField(label="Nom de la zone", max_length=200)
    collectivites = forms.ModelMultipleChoiceField(
        label="Collectivités",
        queryset=Collectivite.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text=f"De {MINIMUM} à {MAXIMUM} : des départements (ou leurs équivalents) ou des EPCI, pas les deux.",
    )
    mode = forms.ChoiceField(
        label="Communes retenues",
        choices=[
            (Mode.DISTANCE, "à moins d'une distance de la limite"),
            (Mode.TEMPS, "à moins d'un temps de trajet des points de passage"),
            (Mode.LISTE, "choisies une à une"),
            (Mode.ENTIERE, "toutes celles des collectivités"),
        ],
        initial=Mode.DISTANCE,
        widget=forms.RadioSelect,
    )
    distance_km = forms.FloatField(
        label="Distance à la limite (km)", required=False, min_value=0.1, max_value=200, initial=10, localize=True
    )
    temps_min = forms.FloatField(
        label="Temps de trajet en voiture (min)",
        required=False,
        min_value=1,
        max_value=240,
        initial=15,
        localize=True,
    )
    communes = forms.CharField(
        label="Codes INSEE des communes",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Séparés par des espaces, des virgules ou des retours à la ligne.",
    )
    reseau = forms.ModelChoiceField(
        label="Réseau routier",
        queryset=Reseau.objects.none(),
        required=False,
        empty_label="aucun",
        help_text="Sert au temps de trajet, aux kilomètres de routes et aux points de passage du portrait.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        collectivites = self.fields["collectivites"]
        reseau = self.fields["reseau"]
        assert isinstance(collectivites, forms.ModelMultipleChoiceField)
        assert isinstance(reseau, forms.ModelChoiceField)
        # Only those that have communes can be in a zone.
        possibles = Collectivite.objects.filter(active=True, geom__isnull=False).defer("geom")
        collectivites.queryset = possibles.order_by("type", "code")
        collectivites.label_from_instance = _label  # type: ignore[method-assign]
        reseau.queryset = Reseau.objects.exclude(import_courant=None).order_by("nom")
        connus = list(reseau.queryset.values_list("pk", flat=True)[:2])
        if len(connus) == 1:
            reseau.initial = connus[0]

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or {}
        champ, message = _EXIGE.get(donnees.get("mode", ""), ("", ""))
        if champ and not donnees.get(champ) and champ not in self.errors:
            self.add_error(champ, message)
        if donnees.get("mode") == Mode.TEMPS and not donnees.get("reseau") and "reseau" not in self.errors:
            self.add_error("reseau", "Le temps de trajet demande un réseau routier.")
        choisies = donnees.get("collectivites")
        if choisies is not None and not MINIMUM <= len(choisies) <= MAXIMUM:
            self.add_error("collectivites", f"Choisissez de {MINIMUM} à {MAXIMUM} collectivités.")
        return donnees

    def demande(self) -> DemandeZone:
        """The zone asked, once the form is valid."""
        donnees = self.cleaned_data
        choisies = list(donnees["collectivites"])
        types = {c.type for c in choisies}
        return DemandeZone(
            nom=donnees.get("nom", ""),
            mode=donnees["mode"],
            collectivites=[c.code for c in choisies],
            type=types.pop() if len(types) == 1 else "",
            distance_m=(donnees["distance_km"] or 0) * 1000,
            temps_s=(donnees["temps_min"] or 0) * 60,
            communes=re.split(r"[\s,;]+", donnees["communes"].strip()),
            reseau=donnees["reseau"].code if donnees["reseau"] else "",
        )


class ApercuForm(ZoneForm):
    """The same without a name: what the live preview sends."""

    nom = forms.CharField(required=False)


def _label(collectivite: Collectivite) -> str:
    return f"{collectivite.nom} ({collectivite.get_type_display()} {collectivite.code})"
