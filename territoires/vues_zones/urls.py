"""Addresses of zones."""

from django.urls import path

from . import nouvelle, zones

urlpatterns = [
    path("zones/", zones.liste, name="zones"),
    path("zones/nouvelle/", nouvelle.nouvelle, name="zone-nouvelle"),
    path("zones/apercu", nouvelle.apercu, name="zone-apercu"),
    path("zones/<slug:code>/", zones.fiche, name="zone"),
    path("zones/<slug:code>/portrait.csv", zones.portrait_csv, name="zone-portrait-csv"),
    path("zones/<slug:code>/communes.csv", zones.communes_csv, name="zone-communes-csv"),
    path("zones/<slug:code>/recalculer", zones.recalculer, name="zone-recalculer"),
    path("zones/<slug:code>/supprimer", zones.supprimer, name="zone-supprimer"),
]
