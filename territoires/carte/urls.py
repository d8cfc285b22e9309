"""Addresses of the map, its tiles, the start page and the page of data."""

from django.urls import path

from . import pages, tuiles_http, vues

urlpatterns = [
    path("", pages.accueil, name="accueil"),
    path("donnees/", pages.donnees, name="donnees"),
    path("carte/", vues.carte, name="carte"),
    path("carte/vignette.svg", pages.carte_vignette, name="carte-vignette"),
    path("carte/recherche", vues.recherche, name="carte-recherche"),
    path("carte/sites", vues.sites, name="carte-sites"),
    path("carte/etudes/<int:pk>.json", vues.resultats, name="carte-resultats"),
    path(
        "tuiles/routes/<slug:reseau>/<int:version>/<int:z>/<int:x>/<int:y>.mvt",
        tuiles_http.road_tile,
        name="tuile-routes",
    ),
    path("tuiles/territoires/<int:z>/<int:x>/<int:y>.mvt", tuiles_http.territory_tile, name="tuile-territoires"),
]
