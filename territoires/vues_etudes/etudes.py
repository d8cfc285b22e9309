"""Pages of studies: list, one study with its live progress, run, cancel, delete."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from territoires.droits import (
    may_cancel_passage,
    may_create_etude,
    may_read,
    may_read_etude,
    may_read_passage,
    may_run_etude,
    may_write_etude,
    protege,
)
from territoires.etudes import EtudeInvalide, annuler_passage, demander_passage
from territoires.models import Etude, PassageEtude
from territoires.operation import operations

from .formulaires import PassageForm
from .lecture import avancement, describe_partition, readable_parameters

PAR_PAGE = 25
#: Runs listed on a study's page.
PASSAGES = 20


def load_etude(pk: int) -> Etude:
    """The study of an address, with its zone, or 404."""
    return get_object_or_404(
        Etude.objects.select_related("zone__reseau", "auteur", "proprietaire", "origine").defer(
            "zone__contour", "proprietaire__geom"
        ),
        pk=pk,
    )


def load_passage(pk: int) -> PassageEtude:
    """The run of an address, with its study, or 404."""
    return get_object_or_404(PassageEtude.objects.select_related("etude"), pk=pk)


@protege(may_read)
@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """All studies, last changed first, with the state and the saving of their last run."""
    last = PassageEtude.objects.filter(etude=OuterRef("pk")).order_by("-demande_le", "-pk")
    found = (
        Etude.objects.select_related("zone", "auteur", "proprietaire")
        .defer("zone__contour", "proprietaire__geom")
        .annotate(
            dernier_etat=Subquery(last.values("etat")[:1]),
            derniere_synthese=Subquery(last.filter(etat=PassageEtude.Etat.REUSSI).values("synthese__couts")[:1]),
            nb_collectivites=Count("collectivites"),
        )
        .order_by("-modifiee_le", "-pk")
    )
    words = request.GET.get("q", "").strip()
    if words:
        found = found.filter(Q(titre__icontains=words) | Q(zone__nom__icontains=words))
    page = Paginator(found, PAR_PAGE).get_page(request.GET.get("page"))
    states = dict(PassageEtude.Etat.choices)
    for etude in page.object_list:
        operation = operations().get(etude.operation)
        etude.titre_operation = operation.titre if operation else etude.operation
        etude.libelle_etat = states.get(etude.dernier_etat, "jamais calculée")
        costs = etude.derniere_synthese or {}
        etude.economie = float(costs["cloisonne"]) - float(costs["mutualise"]) if costs else None
    return render(
        request,
        "etudes/liste.html",
        {"page": page, "q": words, "rubrique": "etudes", "peut_creer": may_create_etude(request.user)},
    )


@protege(may_read_etude, charge=load_etude)
@require_safe
def fiche(request: HttpRequest, etude: Etude) -> HttpResponse:
    """One study: question, state of its last run, earlier runs."""
    passages = list(etude.passages.select_related("auteur")[:PASSAGES])
    last = passages[0] if passages else None
    operation = operations().get(etude.operation)
    context: dict[str, Any] = {
        "etude": etude,
        "operation": operation,
        "collectivites": etude.collectivites.defer("geom").order_by("code"),
        "partition": describe_partition(etude),
        "parametres": readable_parameters(etude),
        "passage": last,
        "avancement": avancement(last) if last else None,
        "passages": passages,
        "dernier_reussi": next((one for one in passages if one.etat == PassageEtude.Etat.REUSSI), None),
        "formulaire": PassageForm(initial=_last_settings(last)),
        "peut_ecrire": may_write_etude(request.user, etude),
        "peut_lancer": operation is not None and may_run_etude(request.user, etude) and (last is None or last.termine),
        "peut_annuler": last is not None and not last.termine and may_cancel_passage(request.user, last),
        "peut_creer": may_create_etude(request.user),
        "rubrique": "etudes",
    }
    return render(request, "etudes/etude.html", context)


def _last_settings(passage: PassageEtude | None) -> dict[str, Any]:
    if passage is None:
        return {}
    return {
        name: getattr(passage, name)
        for name in ("graine", "nb_graines", "limite_s", "limite_iterations", "avec_coalitions")
    }


@protege(may_read_passage, charge=load_passage, json=True)
@require_safe
@never_cache
def etat(request: HttpRequest, passage: PassageEtude) -> JsonResponse:
    """State and progress of a run, polled by the study's page."""
    return JsonResponse(avancement(passage))


@protege(may_run_etude, charge=load_etude)
@require_POST
def lancer(request: HttpRequest, etude: Etude) -> HttpResponse:
    """Ask for a run."""
    form = PassageForm(request.POST)
    if not form.is_valid():
        for field, errors in form.errors.items():
            label = form.fields[field].label if field in form.fields else ""
            messages.error(request, f"{label} : {' '.join(str(error) for error in errors)}")
        return redirect("etude", etude.pk)
    try:
        demander_passage(etude, auteur=request.user, **form.cleaned_data)
    except EtudeInvalide as error:
        messages.error(request, str(error))
    else:
        Etude.objects.filter(pk=etude.pk).update(modifiee_le=timezone.now())
        messages.success(request, "Calcul demandé : il commence dès qu'un calculateur est libre.")
    return redirect("etude", etude.pk)


@protege(may_cancel_passage, charge=load_passage)
@require_POST
def annuler(request: HttpRequest, passage: PassageEtude) -> HttpResponse:
    """Stop a run."""
    passage = annuler_passage(passage)
    if passage.etat == PassageEtude.Etat.ANNULE:
        messages.success(request, "Calcul annulé.")
    elif passage.termine:
        messages.info(request, "Ce calcul était déjà terminé.")
    else:
        messages.success(request, "Annulation demandée : le calcul s'arrête dans une seconde environ.")
    return redirect("etude", passage.etude_id)


@protege(may_write_etude, charge=load_etude)
@require_POST
def supprimer(request: HttpRequest, etude: Etude) -> HttpResponse:
    """Delete a study and all its runs; not while one is going on."""
    if etude.passages.exclude(etat__in=PassageEtude.FINALS).exists():
        messages.error(request, "Annulez d'abord le calcul en cours.")
        return redirect("etude", etude.pk)
    etude.delete()
    messages.success(request, f"Étude « {etude.titre} » supprimée.")
    return redirect("etudes")
