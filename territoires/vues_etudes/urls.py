"""Addresses of accounts and studies."""

from django.urls import path

from . import api, comparaison, comptes, etudes, nouvelle, telechargements

urlpatterns = [
    path("connexion/", comptes.Connexion.as_view(), name="connexion"),
    path("deconnexion/", comptes.Deconnexion.as_view(), name="deconnexion"),
    path("etudes/", etudes.liste, name="etudes"),
    path("etudes/nouvelle/", nouvelle.nouvelle, name="etude-nouvelle"),
    path("etudes/<int:pk>/", etudes.fiche, name="etude"),
    path("etudes/<int:pk>/lancer", etudes.lancer, name="etude-lancer"),
    path("etudes/<int:pk>/copie/", nouvelle.dupliquer, name="etude-dupliquer"),
    path("etudes/<int:pk>/supprimer", etudes.supprimer, name="etude-supprimer"),
    path("etudes/<int:pk>/comparaison/", comparaison.comparaison, name="etude-comparaison"),
    path("etudes/<int:pk>/couches.json", comparaison.couches, name="etude-couches"),
    path("etudes/<int:pk>/comparaison.csv", telechargements.comparaison_csv, name="etude-csv"),
    path("etudes/<int:pk>/comparaison.xlsx", telechargements.comparaison_xlsx, name="etude-xlsx"),
    path("etudes/<int:pk>/export/<slug:code>", telechargements.export, name="etude-export"),
    path("passages/<int:pk>/etat.json", etudes.etat, name="passage-etat"),
    path("passages/<int:pk>/annuler", etudes.annuler, name="passage-annuler"),
    path("api/", api.racine, name="api"),
    path("api/etudes", api.liste, name="api-etudes"),
    path("api/etudes/<int:pk>", api.etude, name="api-etude"),
    path("api/etudes/<int:pk>/resultats", api.resultats, name="api-resultats"),
]
