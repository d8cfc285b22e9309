"""Pages of déchetteries: list, one centre, access rules, import of files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.contrib.gis.db.models.functions import Transform
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from territoires.droits import may_read, protege
from territoires.operation import Tableau
from territoires.rapport import DonneesRefusees, Rapport

from .droits import may_add_centre, may_write_centre, may_write_regle, writable_owners
from .exports import csv_bytes
from .forms import DechetterieForm, ImportForm, RegleForm
from .importation import Bilan, Origine, check_centres, read_centres, write_centres
from .importation_annexe import import_points, import_rules
from .models import Dechetterie, RegleAcces

PAR_PAGE = 50
RUBRIQUE = "donnees"


def load_centre(pk: int) -> Dechetterie:
    """The centre an address names."""
    centre: Dechetterie = get_object_or_404(Dechetterie.objects.select_related("proprietaire"), pk=pk)
    return centre


def load_regle(pk: int) -> RegleAcces:
    """The rule an address names."""
    regle: RegleAcces = get_object_or_404(RegleAcces.objects.select_related("dechetterie"), pk=pk)
    return regle


@protege(may_read)
@require_safe
def liste(request: HttpRequest) -> HttpResponse:
    """All centres, searched by name, code or owner."""
    q = request.GET.get("q", "").strip()
    lignes = (
        Dechetterie.objects.select_related("proprietaire")
        .defer("proprietaire__geom")
        .annotate(nb_regles=Count("regles"))
    )
    if q:
        lignes = lignes.filter(Q(nom__icontains=q) | Q(code__icontains=q) | Q(proprietaire__nom__icontains=q))
    page = Paginator(lignes.order_by("proprietaire__nom", "nom", "code"), PAR_PAGE).get_page(request.GET.get("page"))
    contexte = {"page": page, "q": q, "peut_ajouter": may_add_centre(request.user), "rubrique": RUBRIQUE}
    return render(request, "dechetteries/liste.html", contexte)


@protege(may_read)
@require_safe
def liste_csv(request: HttpRequest) -> HttpResponse:
    """The list in the layout that an import reads."""
    colonnes = [
        "code", "nom", "proprietaire", "longitude", "latitude", "adresse", "capacite_visites_an", "capacite_t_an",
        "cout_fixe_an", "horaires", "dechets", "ouverte", "fictif", "source",
    ]  # fmt: skip
    lignes = [
        [
            d.code, d.nom, d.proprietaire.code, round(d.degres.x, 6), round(d.degres.y, 6), d.adresse,
            d.capacite_visites_an, d.capacite_t_an, None if d.cout_fixe_an is None else float(d.cout_fixe_an),
            d.horaires, ", ".join(d.dechets), "oui" if d.active else "non", "oui" if d.fictif else "non", d.source,
        ]
        for d in Dechetterie.objects.select_related("proprietaire")
        .defer("proprietaire__geom")
        .annotate(degres=Transform("geom", 4326))
    ]  # fmt: skip
    reponse = HttpResponse(csv_bytes(Tableau("", "", colonnes, lignes)), content_type="text/csv; charset=utf-8")
    reponse["Content-Disposition"] = 'attachment; filename="dechetteries.csv"'
    return reponse


@protege(may_add_centre)
@require_http_methods(["GET", "HEAD", "POST"])
def nouvelle(request: HttpRequest) -> HttpResponse:
    """Add a centre."""
    form = DechetterieForm(request.POST or None, proprietaires=writable_owners(request.user))
    if request.method == "POST" and form.is_valid():
        centre = form.save()
        messages.success(request, "Déchetterie ajoutée.")
        return redirect("dechetterie", centre.pk)
    return _form(request, form, None)


@protege(may_read)
@require_safe
def voir(request: HttpRequest, pk: int) -> HttpResponse:
    """One centre: its figures, what was corrected by hand, its access rules."""
    centre = load_centre(pk)
    peut_ecrire = may_write_centre(request.user, centre)
    libelles = {f.name: f.verbose_name for f in Dechetterie._meta.get_fields() if hasattr(f, "verbose_name")}
    contexte = {
        "centre": centre,
        "manuels": [libelles.get(nom, nom) for nom in centre.champs_manuels],
        "regles": centre.regles.select_related("collectivite").defer("collectivite__geom"),
        "peut_ecrire": peut_ecrire,
        "form_regle": RegleForm() if peut_ecrire else None,
        "rubrique": RUBRIQUE,
    }
    return render(request, "dechetteries/fiche.html", contexte)


@protege(may_write_centre, charge=load_centre)
@require_http_methods(["GET", "HEAD", "POST"])
def modifier(request: HttpRequest, centre: Dechetterie) -> HttpResponse:
    """Correct a centre by hand."""
    form = DechetterieForm(request.POST or None, instance=centre, proprietaires=writable_owners(request.user))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Corrections enregistrées : un nouvel import ne les remplacera pas.")
        return redirect("dechetterie", centre.pk)
    return _form(request, form, centre)


def _form(request: HttpRequest, form: DechetterieForm, centre: Dechetterie | None) -> HttpResponse:
    statut = 400 if request.method == "POST" else 200
    contexte = {"form": form, "centre": centre, "rubrique": RUBRIQUE}
    return render(request, "dechetteries/formulaire.html", contexte, status=statut)


@protege(may_write_centre, charge=load_centre)
@require_POST
def rendre(request: HttpRequest, centre: Dechetterie) -> HttpResponse:
    """Forget the corrections: the next import writes every field again."""
    centre.champs_manuels = []
    centre.save(update_fields=["champs_manuels"])
    messages.success(request, "Corrections oubliées : le prochain import remplacera tous les champs.")
    return redirect("dechetterie", centre.pk)


@protege(may_write_centre, charge=load_centre)
@require_POST
def supprimer(request: HttpRequest, centre: Dechetterie) -> HttpResponse:
    """Delete a centre and its rules; finished studies keep their results."""
    centre.delete()
    messages.success(request, f"{centre.nom} : déchetterie supprimée.")
    return redirect("dechetteries")


@protege(may_write_centre, charge=load_centre)
@require_POST
def ajouter_regle(request: HttpRequest, centre: Dechetterie) -> HttpResponse:
    """Add an access rule to a centre, or change the one of that collectivité."""
    form = RegleForm(request.POST)
    if form.is_valid():
        RegleAcces.objects.update_or_create(
            dechetterie=centre,
            collectivite=form.cleaned_data["collectivite"],
            defaults={"autorise": form.cleaned_data["autorise"], "source": form.cleaned_data["source"]},
        )
        messages.success(request, "Règle d'accès enregistrée.")
    else:
        for textes in form.errors.values():
            messages.error(request, " ".join(str(texte) for texte in textes))
    return redirect("dechetterie", centre.pk)


@protege(may_write_regle, charge=load_regle)
@require_POST
def supprimer_regle(request: HttpRequest, regle: RegleAcces) -> HttpResponse:
    """Delete an access rule."""
    regle.delete()
    messages.success(request, "Règle d'accès supprimée.")
    return redirect("dechetterie", regle.dechetterie_id)


@protege(may_add_centre)
@require_http_methods(["GET", "HEAD", "POST"])
def importer(request: HttpRequest) -> HttpResponse:
    """Import a file; the report names every row refused, and nothing is written then."""
    form = ImportForm(request.POST or None, request.FILES or None)
    contexte: dict[str, Any] = {"form": form, "rubrique": RUBRIQUE}
    statut = 200
    if request.method == "POST":
        statut = 400
        if form.is_valid():
            try:
                bilan, rapport = _import(request, form)
                contexte |= {"bilan": bilan, "constats": rapport.warnings}
                statut = 200
            except DonneesRefusees as error:
                contexte |= {"refuse": True, "constats": error.constats}
    return render(request, "dechetteries/importer.html", contexte, status=statut)


@transaction.atomic
def _import(request: HttpRequest, form: ImportForm) -> tuple[Bilan, Rapport]:
    """Read and write the uploaded file. Raises `DonneesRefusees`."""
    fichier = form.cleaned_data["fichier"]
    couche = form.cleaned_data["couche"] or None
    proprietaires = writable_owners(request.user)
    with tempfile.TemporaryDirectory() as dossier:
        chemin = Path(dossier) / Path(fichier.name).name
        with chemin.open("wb") as sortie:
            for morceau in fichier.chunks():
                sortie.write(morceau)
        if form.cleaned_data["genre"] != "centres" and proprietaires is not None:
            raise DonneesRefusees(
                "Seul un compte administrateur importe des règles d'accès ou des points de population."
            )
        if form.cleaned_data["genre"] == "regles":
            return import_rules(chemin)
        if form.cleaned_data["genre"] == "points":
            return import_points(chemin, couche=couche)
        rapport = Rapport(chemin.name)
        centres = read_centres(chemin, rapport, couche=couche)
        check_centres(centres, rapport)
        if proprietaires is not None:
            _check_rights(centres, proprietaires, rapport)
        rapport.raise_if_errors()
        try:
            return write_centres(centres, Origine(source=chemin.name)), rapport
        except IntegrityError as error:
            raise DonneesRefusees(f"La base refuse ces données : {error}") from error


def _check_rights(centres: list[Any], proprietaires: set[int], rapport: Rapport) -> None:
    """Rows of owners the account may not write, new or already in the database."""
    codes = [c.code for c in centres]
    actuels = dict(Dechetterie.objects.filter(code__in=codes).values_list("code", "proprietaire"))
    for centre in centres:
        if (
            centre.proprietaire not in proprietaires
            or actuels.get(centre.code, centre.proprietaire) not in proprietaires
        ):
            rapport.error(
                "votre compte ne peut pas modifier les déchetteries de ce propriétaire.",
                centre.ligne,
                "nom",
                centre.nom,
            )
