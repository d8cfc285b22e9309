"""Read-only JSON of studies and their results, through the same rights as the pages."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from territoires.comparaison import Ecart
from territoires.droits import may_read, may_read_etude, protege
from territoires.models import Etude
from territoires.partage import PartageImpossible
from territoires.resultats import Resultats
from territoires.version import version

from .comparaison import MauvaiseDemande, chosen_keys, chosen_results
from .etudes import load_etude
from .lecture import lisible

PAR_PAGE = 100


def describe(etude: Etude) -> dict[str, Any]:
    """A study as the API gives it."""
    return {
        "id": etude.pk,
        "titre": etude.titre,
        "operation": etude.operation,
        "zone": etude.zone.code,
        "partition": etude.partition,
        "parametres": etude.parametres,
        "fictif": etude.zone.fictif,
        "creee_le": etude.creee_le.isoformat(),
        "modifiee_le": etude.modifiee_le.isoformat(),
    }


@protege(may_read, json=True)
@require_safe
def racine(request: HttpRequest) -> JsonResponse:
    """Where to start."""
    return JsonResponse(
        {"etudes": request.build_absolute_uri(reverse("api-etudes")), "version": version(), "lecture_seule": True}
    )


@protege(may_read, json=True)
@require_safe
def liste(request: HttpRequest) -> JsonResponse:
    """Studies, 100 a page (``?page=2``)."""
    found = Etude.objects.select_related("zone").defer("zone__contour").order_by("pk")
    page = Paginator(found, PAR_PAGE).get_page(request.GET.get("page"))
    return JsonResponse(
        {"nombre": page.paginator.count, "pages": page.paginator.num_pages, "etudes": [describe(one) for one in page]}
    )


@protege(may_read_etude, charge=load_etude, json=True)
@require_safe
def etude(request: HttpRequest, etude: Etude) -> JsonResponse:
    """One study and its runs."""
    passages = [
        {
            "id": one.pk,
            "etat": one.etat,
            "graine": one.graine,
            "empreinte": one.empreinte,
            "version": one.version,
            "fin": one.fin.isoformat() if one.fin else None,
        }
        for one in etude.passages.all()
    ]
    return JsonResponse({**describe(etude), "passages": passages})


@protege(may_read_etude, charge=load_etude, json=True)
@require_safe
@lisible
def resultats(request: HttpRequest, etude: Etude) -> JsonResponse:
    """Comparison, summary and sharing of a run; same query string as the comparison page."""
    try:
        found = chosen_results(etude, request.GET)
    except Http404 as error:
        return JsonResponse({"erreur": str(error)}, status=404)
    return JsonResponse(
        {
            "etude": etude.pk,
            "passage": found.passage.pk,
            "empreinte": found.passage.empreinte,
            "fictif": found.fictif,
            "couts": {
                name: {
                    "cout": str(regime.bornes.cout),
                    "borne": None if regime.bornes.borne is None else str(regime.bornes.borne),
                    "optimal": regime.bornes.optimal,
                    "realisable": regime.bornes.realisable,
                }
                for name, regime in found.regimes.items()
            },
            "indicateurs": [
                {
                    "code": line.indicateur.code,
                    "libelle": line.indicateur.libelle,
                    "unite": line.indicateur.unite,
                    "sens": str(line.indicateur.sens),
                    "question": line.indicateur.question and str(line.indicateur.question),
                    "ensemble": _gap(line.ensemble),
                    "collectivites": {code: _gap(gap) for code, gap in line.par_collectivite.items()},
                }
                for line in found.lignes
            ],
            "reponses": [
                {"question": str(one.question), "avis": str(one.avis), "phrases": list(one.phrases)}
                for one in found.synthese.reponses
            ],
            "limites": list(found.synthese.limites),
            "partage": _sharing(found, request),
        }
    )


def _gap(gap: Ecart) -> dict[str, Any]:
    return {
        "cloisonne": _number(gap.avant),
        "mutualise": _number(gap.apres),
        "difference": _number(gap.difference),
        "verdict": str(gap.verdict),
    }


def _number(value: float | None) -> float | str | None:
    """JSON knows no infinity: « inaccessible »."""
    if value is None or math.isnan(value):
        return None
    return value if math.isfinite(value) else "inaccessible"


def _sharing(found: Resultats, request: HttpRequest) -> dict[str, Any]:
    try:
        table = found.partager(chosen_keys(found, request.GET))
    except (PartageImpossible, MauvaiseDemande) as error:
        return {"erreur": str(error)}

    def text(value: Decimal | None) -> str | None:
        return None if value is None else str(value)

    return {
        "cle": table.titre,
        "parts": [
            {
                "collectivite": part.collectivite,
                "paye": text(part.paye),
                "seule": text(part.seule),
                "gain": text(part.gain),
                "porte": text(part.porte),
                "transfert": text(part.transfert),
                "gain_total": text(part.gain_total),
            }
            for part in table.lignes
        ],
        "objections": None
        if table.objections is None
        else [{"coalition": sorted(one.coalition), "manque": str(one.manque)} for one in table.objections],
    }
