"""Administration of reference data: what is corrected here by hand survives the next import."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from django import forms
from django.contrib import admin, messages
from django.contrib.gis.db.models.functions import Area
from django.contrib.gis.geos import Point
from django.db.models import QuerySet
from django.http import HttpRequest

from . import admin_etudes  # noqa: F401 - accounts and studies are registered there
from .importation.ecriture import refresh_contours
from .importation.geometrie import EMPRISE_2154, project, to_degrees
from .limites import refresh_limites
from .models import Collectivite, Commune, Limite, LimiteCommune, ZoneLimitrophe
from .nombres import nombre
from .rapport import DonneesRefusees
from .zones import refresh_zone

_REFERENCE = ("edition", "source", "licence", "champs_manuels")


class ReferenceAdmin(admin.ModelAdmin):
    """Keeps the names of the fields an agent changes, so that an import leaves them alone."""

    #: Form field -> model field it stands for, where the names differ.
    champs_saisis: dict[str, str] = {}
    readonly_fields = ("edition", "source", "licence")

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        """Add the changed fields to ``champs_manuels``, unless the agent is editing that very list."""
        if change and "champs_manuels" not in form.changed_data:
            corriges = {self.champs_saisis.get(champ, champ) for champ in form.changed_data}
            obj.champs_manuels = sorted({*obj.champs_manuels, *corriges})
        super().save_model(request, obj, form, change)


@admin.register(Collectivite)
class CollectiviteAdmin(ReferenceAdmin):
    list_display = ("code", "nom", "type", "active", "edition")
    list_filter = ("type", "active")
    search_fields = ("code", "nom")
    fields = ("type", "code", "nom", "active", *_REFERENCE)
    actions = ("recalculer",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Collectivite]:
        return super().get_queryset(request).defer("geom")

    @admin.action(description="Recalculer les contours choisis et toutes les limites")
    def recalculer(self, request: HttpRequest, queryset: QuerySet[Collectivite]) -> None:
        """After communes changed hands."""
        refresh_contours(list(queryset))
        bilan = refresh_limites()
        self.message_user(request, f"{queryset.count()} contours recalculés, {bilan.limites} limites.")


class CommuneForm(forms.ModelForm):
    """A commune with its mairie as two numbers (no background map is needed to correct one)."""

    longitude = forms.FloatField(label="longitude de la mairie (degrés)", required=False)
    latitude = forms.FloatField(label="latitude de la mairie (degrés)", required=False)

    class Meta:
        model = Commune
        fields = ("code", "nom", "departement", "epci", "population", "active", "champs_manuels")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mairie = self.instance.mairie
        if mairie is not None:
            point = to_degrees(np.array([shapely.Point(mairie.x, mairie.y)], dtype=object), mairie.srid)[0]
            self.initial |= {"longitude": round(point.x, 6), "latitude": round(point.y, 6)}

    def clean(self) -> dict[str, Any]:
        donnees = super().clean() or {}
        lon, lat = donnees.get("longitude"), donnees.get("latitude")
        if (lon is None) != (lat is None):
            raise forms.ValidationError("Donnez la longitude et la latitude, ou aucune des deux.")
        ouest, sud, est, nord = EMPRISE_2154
        if lon is not None and lat is not None and not (ouest <= lon <= est and sud <= lat <= nord):
            raise forms.ValidationError("Position hors de la France métropolitaine et de ses abords.")
        return donnees

    def save(self, commit: bool = True) -> Any:
        if {"longitude", "latitude"} & set(self.changed_data):
            lon, lat = self.cleaned_data["longitude"], self.cleaned_data["latitude"]
            self.instance.mairie = None
            if lon is not None:
                point = project(np.array([shapely.Point(lon, lat)], dtype=object), 4326)[0]
                self.instance.mairie = Point(point.x, point.y, srid=2154)
        return super().save(commit)


@admin.register(Commune)
class CommuneAdmin(ReferenceAdmin):
    form = CommuneForm
    champs_saisis = {"longitude": "mairie", "latitude": "mairie"}
    list_display = ("code", "nom", "departement", "epci", "habitants", "active", "edition")
    list_filter = ("active", ("departement", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("departement", "epci")
    search_fields = ("code", "nom")
    autocomplete_fields = ("departement", "epci")
    fields = (
        "code",
        "nom",
        "departement",
        "epci",
        "population",
        ("longitude", "latitude"),
        "active",
        *_REFERENCE,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Commune]:
        return super().get_queryset(request).defer("geom", "departement__geom", "epci__geom")

    @admin.display(description="population municipale", ordering="population")
    def habitants(self, commune: Commune) -> str:
        return "—" if commune.population is None else nombre(commune.population)


class LimiteCommuneInline(admin.TabularInline):
    model = LimiteCommune
    fields = readonly_fields = ("commune", "collectivite", "longueur_m")
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[LimiteCommune]:
        communes = super().get_queryset(request).select_related("commune", "collectivite")
        return communes.defer("commune__geom", "collectivite__geom").order_by("collectivite", "commune__code")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Limite)
class LimiteAdmin(admin.ModelAdmin):
    """Limits are computed, never typed."""

    list_display = ("__str__", "longueur_km")
    list_filter = ("collectivite_a__type",)
    list_select_related = ("collectivite_a", "collectivite_b")
    search_fields = ("collectivite_a__nom", "collectivite_b__nom", "collectivite_a__code", "collectivite_b__code")
    fields = readonly_fields = ("collectivite_a", "collectivite_b", "longueur_m", "longueur_approchee_m")
    inlines = (LimiteCommuneInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Limite]:
        return super().get_queryset(request).defer("geom", "collectivite_a__geom", "collectivite_b__geom")

    @admin.display(description="longueur (km)", ordering="longueur_m")
    def longueur_km(self, limite: Limite) -> str:
        return nombre(limite.longueur_m / 1000, 1)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ZoneLimitrophe)
class ZoneLimitropheAdmin(admin.ModelAdmin):
    list_display = ("code", "nom", "mode", "superficie_km2", "reseau", "fictif", "calculee_le")
    list_filter = ("mode", "fictif")
    list_select_related = ("reseau",)
    search_fields = ("code", "nom")
    autocomplete_fields = ("collectivites", "communes")
    readonly_fields = ("creee_le", "calculee_le")
    exclude = ("contour",)
    actions = ("recalculer",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ZoneLimitrophe]:
        return super().get_queryset(request).annotate(aire=Area("contour")).defer("contour")

    @admin.display(description="superficie (km²)", ordering="aire")
    def superficie_km2(self, zone: Any) -> str:
        return "—" if zone.aire is None else nombre(zone.aire.sq_km)

    @admin.action(description="Recalculer les communes des zones choisies")
    def recalculer(self, request: HttpRequest, queryset: QuerySet[ZoneLimitrophe]) -> None:
        """Choose their communes again with their own parameters."""
        for zone in queryset.select_related("reseau"):
            try:
                _, selection = refresh_zone(zone)
            except DonneesRefusees as error:
                self.message_user(request, f"{zone} : {error}", messages.ERROR)
            else:
                self.message_user(request, f"{zone} : {len(selection.communes)} communes.")
