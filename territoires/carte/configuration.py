"""What the page of the map tells its scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse

from geodata.classes import LIBELLES_CLASSE
from geodata.generalisation import ZOOM_MAX
from geodata.models import Reseau
from territoires.models import Collectivite, Commune, Etude, ZoneLimitrophe

from .tableaux import extent_of

#: Backgrounds from outside servers; `settings.FONDS_EXTERNES` lists those an installation wants.
FONDS: Mapping[str, Mapping[str, Any]] = {
    "ign": {
        "titre": "Plan IGN",
        "url": "https://data.geopf.fr/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&STYLE=normal&FORMAT=image/png"
        "&LAYER=GEOGRAPHICALGRIDSYSTEMS.PLANIGNV2&TILEMATRIXSET=PM&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}",
        "attribution": "Plan IGN © IGN, Géoplateforme",
        "zoomMax": 18,
    },
    "osm": {
        "titre": "OpenStreetMap",
        "url": "https://tile.openstreetmap.org/{z}/{x}/{y}.png",
        "attribution": "Fond © les contributeurs d'OpenStreetMap (ODbL)",
        "zoomMax": 19,
    },
}


def configuration(reseau: Reseau | None, etude: Etude | None, zone: ZoneLimitrophe | None) -> dict[str, Any]:
    """Addresses, names and extent, ready for ``json_script``."""
    fonds = [{"code": code, **FONDS[code]} for code in settings.FONDS_EXTERNES if code in FONDS]
    return {
        "cadre": extent_of(zone),
        "zoomDonnees": ZOOM_MAX,
        "classes": {str(int(classe)): libelle for classe, libelle in LIBELLES_CLASSE.items()},
        "zone": zone and zone.code,
        "reseau": reseau and network(reseau),
        "sourcesTerritoires": list(dict.fromkeys(source for source, _ in territory_sources())),
        "limitesEntre": "départements" if _departements() else "collectivités",
        "territoires": _modele(reverse("tuile-territoires", args=(0, 0, 0))),
        "recherche": reverse("carte-recherche"),
        "sites": reverse("carte-sites"),
        "resultats": etude and reverse("carte-resultats", args=(etude.pk,)),
        "etude": etude and etude.titre,
        "fonds": fonds,
    }


def territory_sources() -> list[tuple[str, str]]:
    """Sources of the communes and their licences, as they must be told with every map."""
    communes = Commune.objects.filter(active=True).exclude(source="")
    return list(communes.order_by("source", "licence").values_list("source", "licence").distinct())


def _departements() -> bool:
    """Whether the limits drawn are those of départements, not of their equals abroad."""
    return not Collectivite.objects.filter(type=Collectivite.Type.AUTRE, active=True).exists()


def network(reseau: Reseau) -> dict[str, Any]:
    """A network as the map draws it."""
    return {
        "code": reseau.code,
        "nom": reseau.nom,
        "fictif": reseau.fictif,
        "attribution": reseau.attribution,
        "tuiles": _modele(reverse("tuile-routes", args=(reseau.code, reseau.import_courant_id, 0, 0, 0))),
    }


def _modele(adresse: str) -> str:
    """Address of the tile 0/0/0 turned into the model that the map library fills."""
    return adresse.removesuffix("0/0/0.mvt") + "{z}/{x}/{y}.mvt"
