"""The page of the shared map and the data its scripts ask for."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from geodata.models import Reseau
from territoires.droits import may_read, may_read_etude, may_read_tiles, protege
from territoires.models import Etude, ZoneLimitrophe
from territoires.operation import Couche, operations
from territoires.vues_etudes.lecture import lisible

from . import tableaux
from .configuration import configuration, territory_sources
from .recherche import search_communes
from .regimes import layers_by_regime


@protege(may_read)
@require_safe
def carte(request: HttpRequest) -> HttpResponse:
    """The map; ``?zone=code`` chooses the zone, ``?reseau=code`` the road network and ``?etude=id`` the study whose
    results (and zone) it shows."""
    etude = _chosen_etude(request)
    zone = etude.zone if etude else _chosen_zone(request)
    reseau = chosen_network(request.GET.get("reseau", ""), zone)
    tables = [tableaux.limits_table(), tableaux.zones_table()]
    if reseau is not None:
        tables += [tableaux.passages_table(reseau), tableaux.roads_table(reseau)]
    tables.append(tableaux.communes_table(zone))
    return render(
        request,
        "carte/carte.html",
        {
            "rubrique": "carte",
            "reseaux": Reseau.objects.exclude(import_courant=None).order_by("nom"),
            "reseau": reseau,
            "etude": etude,
            "zone_choisie": request.GET.get("zone", ""),
            "etudes": Etude.objects.filter(passages__etat="reussi").distinct().order_by("titre").only("id", "titre"),
            "operations": list(operations().values()),
            "tableaux": tables,
            "sources": [f"{source} ({licence})" if licence else source for source, licence in territory_sources()],
            "configuration": configuration(reseau, etude, zone),
        },
    )


@protege(may_read, json=True)
@require_safe
def recherche(request: HttpRequest) -> JsonResponse:
    """Communes found for ``?q=``."""
    trouvees = search_communes(request.GET.get("q", "")[:100])
    return JsonResponse({"communes": [vars(commune) for commune in trouvees]})


@protege(may_read_tiles, json=True)
@require_safe
@gzip_page
def sites(request: HttpRequest) -> JsonResponse:
    """Places of every operation's service as they are."""
    return JsonResponse(
        {
            "couches": [
                _layer(couche, operation.titre) for operation in operations().values() for couche in operation.sites()
            ]
        }
    )


def _etude(pk: int) -> Etude:
    return get_object_or_404(Etude.objects.select_related("zone"), pk=pk)


@protege(may_read_etude, charge=_etude, json=True)
@require_safe
@gzip_page
@lisible
def resultats(request: HttpRequest, etude: Etude) -> JsonResponse:
    """Layers of the last finished run of a study, by regime; no regime when there is none."""
    return JsonResponse(
        {
            "regimes": [
                {"code": code, "titre": titre, "couches": [_layer(couche, "") for couche in couches]}
                for code, titre, couches in layers_by_regime(etude)
            ]
        }
    )


def _layer(couche: Couche, origine: str) -> dict[str, Any]:
    return {
        "code": couche.code,
        "titre": couche.titre,
        "origine": origine,
        "style": couche.style,
        "seuils": list(couche.seuils),
        "unite": couche.unite,
        "fictif": couche.fictif,
        "features": list(couche.features),
    }


def _chosen_etude(request: HttpRequest) -> Etude | None:
    numero = request.GET.get("etude", "")
    if not numero:
        return None
    if not numero.isdecimal():
        raise Http404("Cette étude n'existe pas.")
    etude = _etude(int(numero))
    if not may_read_etude(request.user, etude):
        raise Http404("Cette étude n'existe pas.")
    return etude


def _chosen_zone(request: HttpRequest) -> ZoneLimitrophe | None:
    """The zone asked for, else the latest."""
    zones = ZoneLimitrophe.objects.defer("contour").order_by("-creee_le")
    code = request.GET.get("zone", "")
    return get_object_or_404(zones, code=code) if code else zones.first()


def chosen_network(code: str, zone: ZoneLimitrophe | None) -> Reseau | None:
    """The network of that code (`Http404` else); without a code the zone's, else the first."""
    reseaux = Reseau.objects.exclude(import_courant=None).order_by("nom")
    if code:
        return get_object_or_404(reseaux, code=code)
    de_la_zone = reseaux.filter(pk=zone.reseau_id).first() if zone is not None and zone.reseau_id else None
    return de_la_zone or reseaux.first()
