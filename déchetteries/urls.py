"""Addresses of déchetteries."""

from django.urls import path

from . import views

urlpatterns = [
    path("dechetteries/", views.liste, name="dechetteries"),
    path("dechetteries/liste.csv", views.liste_csv, name="dechetteries-csv"),
    path("dechetteries/nouvelle/", views.nouvelle, name="dechetterie-nouvelle"),
    path("dechetteries/importer/", views.importer, name="dechetteries-importer"),
    path("dechetteries/<int:pk>/", views.voir, name="dechetterie"),
    path("dechetteries/<int:pk>/modifier/", views.modifier, name="dechetterie-modifier"),
    path("dechetteries/<int:pk>/rendre", views.rendre, name="dechetterie-rendre"),
    path("dechetteries/<int:pk>/supprimer", views.supprimer, name="dechetterie-supprimer"),
    path("dechetteries/<int:pk>/regles", views.ajouter_regle, name="dechetterie-regle"),
    path("dechetteries/regles/<int:pk>/supprimer", views.supprimer_regle, name="dechetterie-regle-supprimer"),
]
