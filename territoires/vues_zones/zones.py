"""List of zones, and the page of one: its portrait croisé, its limits, its communes, its downloads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from django.contrib import messages
from django.db.models import Count, ProtectedError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from territoires.droits import may_create_zone, may_read, may_write_zone, protege
from territoires.models import ZoneLimitrophe
from territoires.portrait import figures, limits_table, portrait, table
from territoires.rapport import DonneesRefusees
from territoires.zones import refresh_zone

from .tableaux import communes_table


def load_zone(code: str) -> ZoneLimitrophe:
    """The zone of that code with its network. Raises `Http404`."""
    zone = ZoneLimitrophe.objects.select_related("reseau").filter(code=code).first()
    if zone is None:
        raise Http404(f"Zone « {code} » inconnue.")
    return zone


@protege(may_read)
@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """Every zone, the last made first."""
    zones = (
        ZoneLimitrophe.objects.annotate(nb_communes=Count("communes", distinct=True))
        .prefetch_related("collectivites")
        .select_related("reseau")
        .defer("contour")
        .order_by("-creee_le")
    )
    contexte = {"zones": zones, "rubrique": "zones", "peut_creer": may_create_zone(request.user)}
    return render(request, "zones/liste.html", contexte)


@protege(may_read)
@require_safe
def fiche(request: HttpRequest, code: str) -> HttpResponse:
    """A zone."""
    zone = load_zone(code)
    faits = portrait(zone)
    contexte = {
        "zone": zone,
        "rubrique": "zones",
        "portrait": faits,
        "tableaux": [table(faits), limits_table(faits), communes_table(zone)],
        "peut_ecrire": may_write_zone(request.user, zone),
    }
    return render(request, "zones/fiche.html", contexte)


@protege(may_read)
@require_safe
def portrait_csv(request: HttpRequest, code: str) -> HttpResponse:
    """The portrait as spreadsheets of agents open it: UTF-8 with mark, semicolons, decimal commas."""
    zone = load_zone(code)
    faits = portrait(zone)
    titres = ["Donnée", "Unité", *(f"{c.nom} ({c.code})" for c in faits.cotes), "Ensemble"]
    lignes = [
        [libelle, unite, *("" if v is None else f"{v:.{decimales}f}".replace(".", ",") for v in valeurs)]
        for libelle, unite, valeurs, decimales in figures(faits)
    ]
    nom = f"portrait-{zone.code}{'-fictif' if faits.fictif else ''}.csv"
    return _csv(nom, [titres, *lignes])


@protege(may_read)
@require_safe
def communes_csv(request: HttpRequest, code: str) -> HttpResponse:
    """The communes of the zone."""
    zone = load_zone(code)
    tableau = communes_table(zone)
    lignes = [[str(c).replace("\u202f", "") for c in ligne] for ligne in tableau.lignes]
    return _csv(f"communes-{zone.code}.csv", [tableau.colonnes, *lignes])


def _csv(nom: str, lignes: Iterable[Sequence[str]]) -> HttpResponse:
    sortie = io.StringIO()
    ecrivain = csv.writer(sortie, delimiter=";", lineterminator="\r\n")
    for ligne in lignes:
        # A spreadsheet would run a cell that begins like a formula.
        ecrivain.writerow([f"'{c}" if c[:1] in ("=", "+", "@") else c for c in ligne])
    return HttpResponse(
        "\ufeff" + sortie.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{nom}"'},
    )


@protege(may_write_zone, charge=load_zone)
@require_POST
def recalculer(request: HttpRequest, zone: ZoneLimitrophe) -> HttpResponse:
    """Choose the communes again, after the territory or the network changed."""
    try:
        zone, selection = refresh_zone(zone)
    except DonneesRefusees as error:
        for constat in error.constats:
            messages.error(request, str(constat))
    else:
        messages.success(request, f"Zone recalculée : {len(selection.communes)} communes.")
        for remarque in selection.remarques:
            messages.warning(request, remarque)
    return redirect("zone", zone.code)


@protege(may_write_zone, charge=load_zone)
@require_POST
def supprimer(request: HttpRequest, zone: ZoneLimitrophe) -> HttpResponse:
    """Delete a zone that no study uses."""
    try:
        zone.delete()
    except ProtectedError:
        messages.error(request, "Des études portent sur cette zone : supprimez-les d'abord.")
        return redirect("zone", zone.code)
    messages.success(request, f"Zone « {zone.nom} » supprimée.")
    return redirect("zones")
