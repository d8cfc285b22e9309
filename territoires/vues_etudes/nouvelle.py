"""New study: which service and zone, then who shares with whom and the operation's own parameters; or a copy."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from territoires.droits import may_create_etude, may_read_etude, protege
from territoires.etudes import EtudeInvalide, creer_etude, demander_passage
from territoires.models import Collectivite, Etude, ZoneLimitrophe
from territoires.operation import Operation, operations

from .etudes import load_etude
from .formulaires import DepartForm, GroupesForm, initial_groups


def candidates_of(zone: ZoneLimitrophe) -> list[Collectivite]:
    """Collectivités a study of the zone may compare: the zone's own, then the EPCI and syndicats of its communes."""
    own = list(zone.collectivites.defer("geom").order_by("type", "code"))
    known = {one.pk for one in own}
    inside = Collectivite.objects.filter(communes_epci__zones=zone).defer("geom").distinct().order_by("type", "code")
    return own + [one for one in inside if one.pk not in known]


@protege(may_create_etude)
@require_http_methods(["GET", "HEAD", "POST"])
def nouvelle(request: HttpRequest) -> HttpResponse:
    """Step 1 without ``operation`` and ``zone`` in the address, step 2 with them."""
    single = len(operations()) == 1 and ZoneLimitrophe.objects.count() == 1
    if single and "zone" not in request.GET:
        given = {
            "operation": next(iter(operations())),
            "zone": ZoneLimitrophe.objects.values_list("code", flat=True)[0],
        }
    else:
        given = request.GET.dict()
    depart = DepartForm(given if "zone" in given else None, initial={"operation": next(iter(operations()), None)})
    if not depart.is_bound or not depart.is_valid():
        return render(request, "etudes/depart.html", {"form": depart, "rubrique": "etudes"})
    zone, operation = depart.cleaned_data["zone"], operations()[depart.cleaned_data["operation"]]
    candidates = candidates_of(zone)
    members = list(zone.collectivites.defer("geom"))[:12]
    start = initial_groups(candidates, members, [[one.code for one in members]])
    return _form(request, operation, zone, candidates, {**start, "titre": f"{operation.titre}, {zone.nom}"}, {}, None)


@protege(may_read_etude, charge=load_etude)
@require_http_methods(["GET", "HEAD", "POST"])
def dupliquer(request: HttpRequest, etude: Etude) -> HttpResponse:
    """A copy with changed parameters or partition, by anybody who may create studies."""
    if not may_create_etude(request.user):
        messages.error(request, "Votre compte n'est rattaché à aucune collectivité : il ne peut pas créer d'étude.")
        return redirect("etude", etude.pk)
    operation = operations().get(etude.operation)
    if operation is None:
        messages.error(request, "L'opération de cette étude n'est plus installée.")
        return redirect("etude", etude.pk)
    members = list(etude.collectivites.defer("geom").order_by("type", "code"))
    candidates = candidates_of(etude.zone)
    candidates += [one for one in members if one.pk not in {other.pk for other in candidates}]
    start = initial_groups(candidates, members, etude.partition)
    title = f"{etude.titre} (copie)"[:200]
    return _form(request, operation, etude.zone, candidates, {**start, "titre": title}, etude.parametres, etude)


def _form(
    request: HttpRequest,
    operation: Operation,
    zone: ZoneLimitrophe,
    candidates: list[Collectivite],
    start: dict[str, Any],
    parametres: dict[str, Any],
    origine: Etude | None,
) -> HttpResponse:
    groups = GroupesForm(request.POST or None, candidates=candidates, initial=start)
    chosen = groups.members() if groups.is_bound and groups.is_valid() else _members(candidates, start)
    own = operation.form_class(request.POST or None, zone=zone, collectivites=chosen, initial=parametres)
    if request.method == "POST" and groups.is_valid() and own.is_valid():
        try:
            etude = creer_etude(
                groups.cleaned_data["titre"],
                operation.code,
                zone,
                chosen,
                partition=groups.partition(),
                parametres=own.parametres(),
                auteur=request.user,
                origine=origine,
            )
        except EtudeInvalide as error:
            for texts in error.erreurs.values():
                for text in texts:
                    groups.add_error(None, text)
        else:
            if request.POST.get("suite") == "lancer":
                demander_passage(etude, auteur=request.user)
                messages.success(request, "Étude créée ; son calcul commence dès qu'un calculateur est libre.")
            else:
                messages.success(request, "Étude créée.")
            return redirect("etude", etude.pk)
    return render(
        request,
        "etudes/nouvelle.html",
        {
            "groupes": groups,
            "form": own,
            "operation": operation,
            "zone": zone,
            "origine": origine,
            "rubrique": "etudes",
        },
        status=400 if request.method == "POST" else 200,
    )


def _members(candidates: list[Collectivite], start: dict[str, Any]) -> list[Collectivite]:
    members = [one for one in candidates if start.get(GroupesForm.field_name(one), "hors") != "hors"]
    return sorted(members, key=lambda one: one.code)
