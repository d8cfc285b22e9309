"""URLs of territoires."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("territoires.carte.urls")),
    path("", include("territoires.vues_zones.urls")),
    path("", include("territoires.vues_etudes.urls")),
]
