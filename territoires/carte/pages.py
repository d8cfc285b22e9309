"""Start page and the page of what data the installation holds."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, F, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from geodata.models import ImportReseau, Reseau
from territoires.droits import may_read, protege
from territoires.models import Collectivite, Commune, Etude, Limite, ZoneLimitrophe
from territoires.operation import operations

from . import vignette
from .vues import chosen_network

#: How many zones and studies the start page lists.
DERNIERS = 5
IMPORTS = 50
#: Départements, and their equals abroad.
DEPARTEMENTS = (Collectivite.Type.DEPARTEMENT, Collectivite.Type.AUTRE)


@protege(may_read)
@require_safe
def accueil(request: HttpRequest) -> HttpResponse:
    """What Limitrophe does, and what was done last."""
    zones = (
        ZoneLimitrophe.objects.annotate(nb_communes=Count("communes", distinct=True))
        .prefetch_related("collectivites")
        .defer("contour")
        .order_by("-creee_le")[:DERNIERS]
    )
    etudes = (
        Etude.objects.select_related("zone")
        .annotate(nb_termines=Count("passages", filter=Q(passages__etat="reussi")))
        .defer("zone__contour")
        .order_by("-modifiee_le")[:DERNIERS]
    )
    limites = Limite.objects.filter(collectivite_a__type__in=DEPARTEMENTS)
    types = Collectivite.objects.filter(type__in=DEPARTEMENTS, active=True).values_list("type", flat=True)
    return render(
        request,
        "accueil.html",
        {
            "rubrique": "accueil",
            "zones": zones,
            "etudes": etudes,
            "operations": list(operations().values()),
            "nb_communes": Commune.objects.filter(active=True).count(),
            "nb_departements": len(types),
            "departements_francais": all(genre == Collectivite.Type.DEPARTEMENT for genre in types),
            "longueur_limites_km": (limites.aggregate(total=Sum("longueur_m"))["total"] or 0) / 1000,
            "nb_reseaux": Reseau.objects.exclude(import_courant=None).count(),
            "fictif": any(zone.fictif for zone in zones),
        },
    )


@protege(may_read)
@require_safe
def carte_vignette(request: HttpRequest) -> HttpResponse:
    """The drawing of the start page."""
    dessin = vignette.draw(chosen_network("", ZoneLimitrophe.objects.order_by("-creee_le").first()))
    response = HttpResponse(dessin, content_type="image/svg+xml")
    response["Cache-Control"] = "private, max-age=300"
    return response


@protege(may_read)
@require_safe
def donnees(request: HttpRequest) -> HttpResponse:
    """Where every figure comes from: territory editions, networks, imports with what they left out."""
    editions = (
        Commune.objects.filter(active=True)
        .values("edition", "source", "licence", code_dep=F("departement__code"), nom_dep=F("departement__nom"))
        .annotate(nb=Count("id"), habitants=Sum("population"))
        .order_by("code_dep", "edition")
    )
    return render(
        request,
        "donnees.html",
        {
            "rubrique": "donnees",
            "editions": editions,
            "reseaux": Reseau.objects.select_related("import_courant").order_by("nom"),
            "services": [operation for operation in operations().values() if getattr(operation, "page", None)],
            "imports": [
                {"import": i, "comptes": _counts(i)}
                for i in ImportReseau.objects.select_related("reseau").order_by("-debut")[:IMPORTS]
            ],
        },
    )


def _counts(importation: ImportReseau) -> list[dict[str, Any]]:
    """What was expected and what was read, by kind, those with an expectation first."""
    quoi = [*importation.attendus, *(nom for nom in importation.lus if nom not in importation.attendus)]
    return [{"quoi": n, "attendu": importation.attendus.get(n), "lu": importation.lus.get(n)} for n in quoi]
