"""A new zone, with the list of its communes before it is written."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_safe

from territoires.droits import may_create_zone, may_read, protege
from territoires.models import ZoneLimitrophe
from territoires.rapport import DonneesRefusees
from territoires.zones import create_zone, select

from .formulaire import ApercuForm, ZoneForm
from .tableaux import selection_table


@protege(may_create_zone)
@require_http_methods(["GET", "HEAD", "POST"])
def nouvelle(request: HttpRequest) -> HttpResponse:
    """The form; « Aperçu » shows the communes, « Créer » writes the zone."""
    form = ZoneForm(request.POST or None)
    contexte = {"form": form, "rubrique": "zones"}
    if request.method == "POST" and form.is_valid():
        try:
            if "apercu" in request.POST:
                contexte["apercu"] = selection_table(select(form.demande()))
            elif ZoneLimitrophe.objects.filter(code=slugify(form.cleaned_data["nom"])[:50]).exists():
                form.add_error("nom", "Une zone a déjà ce nom.")
            else:
                zone, selection = create_zone(form.demande())
                messages.success(request, f"Zone « {zone.nom} » créée : {len(selection.communes)} communes.")
                for remarque in selection.remarques:
                    messages.warning(request, remarque)
                return redirect("zone", zone.code)
        except DonneesRefusees as error:
            for constat in error.constats:
                form.add_error(None, str(constat))
    return render(request, "zones/nouvelle.html", contexte, status=422 if form.errors else 200)


@protege(may_read)
@require_safe
def apercu(request: HttpRequest) -> HttpResponse:
    """A piece of page: the communes that the form as it stands would give, or what is still missing."""
    form = ApercuForm(request.GET)
    contexte: dict[str, object] = {}
    if form.is_valid():
        try:
            contexte["apercu"] = selection_table(select(form.demande()))
        except DonneesRefusees as error:
            contexte["erreurs"] = [str(constat) for constat in error.constats]
    else:
        contexte["erreurs"] = [texte for textes in form.errors.values() for texte in textes]
    return render(request, "zones/_apercu.html", contexte)
