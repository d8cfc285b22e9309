"""Forms: parameters of a study, centres edited by hand, files to import."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import shapely
from django import forms
from django.conf import settings
from django.contrib.gis.geos import Point
from django.core.validators import MinValueValidator
from django.db.models import Exists, OuterRef, Q

from territoires.formulaires import ParametresForm
from territoires.importation.geometrie import outside_2154, project, to_degrees
from territoires.models import Collectivite, Commune

from .localisation import communes_of
from .models import Dechetterie, RegleAcces
from .modifications import Modification, ModificationsInvalides, parse
from .parametres import Parametres
from .probleme import UnitCosts

_COUTS = UnitCosts()
_DEFAUTS = Parametres()


def _plain(valeur: float) -> float:
    """60000 rather than 60000.0 in a field."""
    return int(valeur) if valeur == int(valeur) else valeur


def _figure(nom: str, libelle: str, aide: str, minimum: float = 0.0) -> forms.FloatField:
    return forms.FloatField(
        label=libelle,
        initial=_plain(getattr(_COUTS, nom)),
        help_text=aide,
        validators=[MinValueValidator(minimum, message="Indiquez une valeur d'au moins %(limit_value)s.")],
        widget=forms.NumberInput(attrs={"step": "any", "min": minimum}),
    )


def _outside(changements: list[Modification]) -> list[Modification]:
    """Changes whose place lies in no known commune."""
    points = np.array([shapely.Point(m.lon, m.lat) for m in changements], dtype=object)
    if not len(points):
        return []
    loin = outside_2154(points)
    metres = project(np.where(loin, shapely.Point(0, 0), points), 4326)
    ici = communes_of(np.array([p.x for p in metres]), np.array([p.y for p in metres]))
    return [m for m, dehors, commune in zip(changements, loin, ici, strict=True) if dehors or commune is None]


class ModificationsWidget(forms.Textarea):
    """A text area with a composer of its lines; centres and collectivités are read when it is drawn, not before."""

    template_name = "dechetteries/modifications.html"
    #: Keys of the collectivités whose centres are offered, empty = all.
    collectivites: Collection[int] = ()

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """What the template of the composer shows."""
        contexte: dict[str, Any] = super().get_context(name, value, attrs)
        proches = Q()
        if self.collectivites:
            membres = Q(departement__in=self.collectivites) | Q(epci__in=self.collectivites)
            dedans = Commune.objects.filter(membres, active=True, geom__covers=OuterRef("geom"))
            proches = Q(proprietaire__in=self.collectivites) | Q(Exists(dedans))
        centres = Dechetterie.objects.filter(proches).order_by("nom").values_list("code", "nom")
        auteurs = Collectivite.objects.filter(active=True)
        if self.collectivites:
            auteurs = auteurs.filter(
                Q(pk__in=self.collectivites)
                | Q(communes_epci__departement__in=self.collectivites)
                | Q(dechetteries__in=Dechetterie.objects.filter(proches))
            )
        contexte["widget"] |= {
            "centres": list(centres),
            "collectivites": list(auteurs.order_by("type", "nom").distinct().values_list("code", "nom")),
        }
        return contexte


class DechetteriesForm(ParametresForm):
    """Parameters of a study of access to déchetteries."""

    #: What is decided first, then the figures.
    field_order = ("perimetre", "points", "regle_interne", "choix", "capacites", "modifications")

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
        choices=[("temps", "la déchetterie la plus rapide"), ("cout", "la moins coûteuse (temps et kilomètres)")],
        initial=_COUTS.choix,
        help_text="Les trajets sont comptés comme ils sont choisis : au temps seul, ou au temps et aux kilomètres.",
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
    vitesse_kmh = _figure(
        "vitesse_kmh",
        "Vitesse moyenne des trajets (km/h)",
        "Convertit le coût de la voiture en coût horaire quand les habitants choisissent au temps. Hypothèse.",
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
        initial=_plain(_DEFAUTS.accrochage_max_m),
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
        widget=ModificationsWidget(attrs={"rows": 5, "spellcheck": "false"}),
        help_text=(
            "Une par ligne, par exemple « fermer ; code » ou « ouvrir ; nom ; longitude ; latitude ; code du "
            "propriétaire ; visites par an » ; le cadre ci-dessus les compose. "
            "L'étude est alors comparée à la situation sans ces modifications."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        widget: Any = self.fields["modifications"].widget
        widget.collectivites = [c.pk for c in self.collectivites]

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
        fautes += [
            f"Ligne {m.ligne} : la position n'est dans aucune commune connue (longitude d'abord, en degrés)."
            for m in _outside([m for m in lues if m.lon is not None])
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


class DechetterieForm(forms.ModelForm):
    """One centre by hand. Fields that change are noted in ``champs_manuels``: an import keeps them."""

    lon = forms.FloatField(
        label="Longitude (degrés)",
        localize=True,
        help_text="WGS 84, par exemple 4,0351.",
        min_value=-180,
        max_value=180,
    )
    lat = forms.FloatField(
        label="Latitude (degrés)", localize=True, help_text="WGS 84, par exemple 45,4338.", min_value=-90, max_value=90
    )
    dechets_texte = forms.CharField(
        label="Déchets acceptés", required=False, help_text="Séparés par des virgules.", max_length=800
    )

    class Meta:
        model = Dechetterie
        fields = [
            "code", "nom", "proprietaire", "adresse", "capacite_visites_an", "capacite_t_an", "cout_fixe_an",
            "horaires", "active",
        ]  # fmt: skip
        widgets = {"horaires": forms.Textarea(attrs={"rows": 2})}
        localized_fields = ["cout_fixe_an"]

    field_order = ["code", "nom", "proprietaire", "lon", "lat", "adresse"]

    def __init__(self, *args: Any, proprietaires: Collection[int] | None = None, **kwargs: Any) -> None:
        """``proprietaires``: keys of the owners to choose from, None = all."""
        super().__init__(*args, **kwargs)
        choix = Collectivite.objects.filter(active=True).defer("geom").order_by("type", "nom")
        if proprietaires is not None:
            choix = choix.filter(pk__in=proprietaires)
        champ: Any = self.fields["proprietaire"]
        champ.queryset = choix
        if self.instance.pk:
            self.fields["code"].disabled = True
            degres = to_degrees(np.array([shapely.Point(self.instance.geom.x, self.instance.geom.y)]), settings.SRID)[0]
            self.initial |= {
                "lon": round(degres.x, 6),
                "lat": round(degres.y, 6),
                "dechets_texte": ", ".join(self.instance.dechets),
            }

    def clean_dechets_texte(self) -> str:
        """Each kind of waste fits its column."""
        texte: str = self.cleaned_data["dechets_texte"]
        if any(len(d.strip()) > 60 for d in texte.split(",")):
            raise forms.ValidationError("Un nom de déchet ne peut pas dépasser 60 caractères.")
        return texte

    def clean(self) -> dict[str, Any]:
        """The place must lie in a known commune."""
        valeurs: dict[str, Any] = super().clean() or self.cleaned_data
        lon, lat = valeurs.get("lon"), valeurs.get("lat")
        if lon is None or lat is None:
            return valeurs
        degres = np.array([shapely.Point(lon, lat)], dtype=object)
        if outside_2154(degres)[0]:
            self.add_error("lon", "Ce point est hors de la France métropolitaine et de ses abords.")
            return valeurs
        metres = project(degres, 4326)[0]
        if communes_of(np.array([metres.x]), np.array([metres.y]))[0] is None:
            self.add_error("lon", "Ce point n'est dans aucune commune connue (en mer, ou territoire à importer).")
        valeurs["geom"] = Point(metres.x, metres.y, srid=settings.SRID)
        return valeurs

    def save(self, commit: bool = True) -> Dechetterie:
        """The centre, with the fields that changed noted as corrected by hand."""
        ecrits = {"lon": "geom", "lat": "geom", "dechets_texte": "dechets"}
        changes = {ecrits.get(nom, nom) for nom in self.changed_data}
        if "geom" in changes:
            self.instance.geom = self.cleaned_data["geom"]
        if "dechets" in changes:
            self.instance.dechets = [d.strip() for d in self.cleaned_data["dechets_texte"].split(",") if d.strip()]
        if not self.instance.pk:
            self.instance.source = "Saisie à la main"
        self.instance.champs_manuels = sorted({*self.instance.champs_manuels, *changes} - {"code"})
        return super().save(commit)


class RegleForm(forms.ModelForm):
    """One access rule of a centre."""

    class Meta:
        model = RegleAcces
        fields = ["collectivite", "autorise", "source"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        champ: Any = self.fields["collectivite"]
        champ.queryset = Collectivite.objects.filter(active=True).defer("geom").order_by("type", "nom")
        self.fields["autorise"].label = "Autorisés (sinon : exclus)"


class ImportForm(forms.Form):
    """A file of centres, of access rules or of points of population."""

    #: Largest file taken, bytes.
    TAILLE_MAX = 30 * 2**20

    genre = forms.ChoiceField(
        label="Que contient le fichier ?",
        choices=[
            ("centres", "des déchetteries"),
            ("regles", "des règles d'accès"),
            ("points", "des points de population"),
        ],
        initial="centres",
        widget=forms.RadioSelect,
    )
    fichier = forms.FileField(
        label="Fichier",
        help_text="CSV (points-virgules et virgules décimales acceptés), classeur XLSX ou ODS, GeoJSON, GeoPackage.",
    )
    couche = forms.CharField(
        label="Couche ou feuille", required=False, help_text="Si le fichier en contient plusieurs.", max_length=100
    )

    def clean_fichier(self) -> Any:
        """Refuse what is too large."""
        fichier = self.cleaned_data["fichier"]
        if fichier.size > self.TAILLE_MAX:
            raise forms.ValidationError(f"Fichier trop gros (plus de {self.TAILLE_MAX // 2**20} Mo).")
        return fichier
