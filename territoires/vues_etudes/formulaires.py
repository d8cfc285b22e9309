"""Forms of the pages of studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from territoires.models import Collectivite, PassageEtude, ZoneLimitrophe
from territoires.operation import operations
from territoires.partitions import MEMBRES_MAX

#: Radio values of the partition table: out of the study, alone, or the letter of a group.
HORS, SEULE = "hors", "seule"
LETTRES = "ABCDEF"


class PassageForm(forms.ModelForm):
    """How a run is calculated."""

    class Meta:
        model = PassageEtude
        fields = ("graine", "nb_graines", "limite_s", "limite_iterations", "avec_coalitions")

    graine = forms.IntegerField(label="Graine", min_value=0, max_value=2**31 - 1, initial=1)
    nb_graines = forms.IntegerField(
        label="Nombre de graines",
        min_value=1,
        max_value=20,
        initial=1,
        help_text="Chaque groupe est calculé avec chacune ; le plan le moins cher est retenu.",
    )
    limite_s = forms.FloatField(
        label="Temps de calcul accordé par groupe (s)", min_value=1, max_value=86_400, initial=60
    )
    limite_iterations = forms.IntegerField(
        label="Itérations accordées par groupe",
        min_value=1,
        max_value=2**31 - 1,
        required=False,
        help_text="Facultatif. Rend le résultat indépendant de la vitesse de la machine.",
    )


class DepartForm(forms.Form):
    """First step: which operation, on which zone."""

    operation = forms.ChoiceField(label="Service étudié", widget=forms.RadioSelect)
    zone = forms.ModelChoiceField(
        label="Zone limitrophe", queryset=ZoneLimitrophe.objects.none(), empty_label=None, to_field_name="code"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["operation"].choices = [
            (code, f"{operation.titre}. {operation.resume}") for code, operation in operations().items()
        ]
        self.fields["zone"].queryset = ZoneLimitrophe.objects.defer("contour").order_by("nom")


class BoutonsDeRang(forms.RadioSelect):
    """Radio buttons spread over the cells of a row: each one says its column and its row."""

    def __init__(self, nom: str) -> None:
        super().__init__()
        self.nom = nom

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(*args, **kwargs)
        option["attrs"]["aria-label"] = f"{option['label']}, {self.nom}"
        return option


class GroupesForm(forms.Form):
    """Title and partition: one radio row by collectivité."""

    titre = forms.CharField(label="Titre de l'étude", max_length=200)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        candidates: Sequence[Collectivite],
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        self.candidates = list(candidates)
        letters = LETTRES[: max(1, min(len(LETTRES), len(self.candidates) // 2))]
        self.choices = [(HORS, "Hors étude"), (SEULE, "Seule"), *((letter, f"Groupe {letter}") for letter in letters)]
        for one in self.candidates:
            self.fields[self.field_name(one)] = forms.ChoiceField(
                label=one.nom, choices=self.choices, widget=BoutonsDeRang(one.nom), initial=HORS
            )

    @staticmethod
    def field_name(one: Collectivite) -> str:
        """Field of a collectivité."""
        return f"groupe-{one.pk}"

    def rows(self) -> list[tuple[Collectivite, forms.BoundField]]:
        """Rows of the table."""
        return [(one, self[self.field_name(one)]) for one in self.candidates]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        members = self.members()
        if not 2 <= len(members) <= MEMBRES_MAX:
            self.add_error(None, f"Choisissez de 2 à {MEMBRES_MAX} collectivités ({len(members)} choisies).")
        departements = [one for one in members if one.type == Collectivite.Type.DEPARTEMENT]
        if departements and len(departements) < len(members):
            self.add_error(
                None, "Une étude compare des collectivités de même niveau : des départements, ou des EPCI et syndicats."
            )
        return values

    def members(self) -> list[Collectivite]:
        """Collectivités chosen."""
        chosen = getattr(self, "cleaned_data", {})
        return [one for one in self.candidates if chosen.get(self.field_name(one), HORS) != HORS]

    def partition(self) -> list[list[str]]:
        """Blocks chosen, in codes."""
        groups: dict[str, list[str]] = {}
        for one in self.members():
            value = self.cleaned_data[self.field_name(one)]
            groups.setdefault(f"{SEULE}-{one.pk}" if value == SEULE else value, []).append(one.code)
        return list(groups.values())


def initial_groups(
    candidates: Sequence[Collectivite], members: Sequence[Collectivite], partition: Sequence[Sequence[str]]
) -> dict[str, str]:
    """Radio values that give back a partition; members in no block of several are alone."""
    shared = [block for block in partition if len(block) > 1]
    letters = {code: LETTRES[rank] for rank, block in enumerate(shared[: len(LETTRES)]) for code in block}
    chosen = {one.pk for one in members}
    return {
        GroupesForm.field_name(one): letters.get(one.code, SEULE) if one.pk in chosen else HORS for one in candidates
    }
