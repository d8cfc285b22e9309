"""What the pages of studies show, in words: progress, partition, parameters."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone

from territoires.calcul import SolutionIllisible
from territoires.droits import Vue
from territoires.etudes import bound_form, operation_of
from territoires.models import Etude, PassageEtude
from territoires.models.etude import Etat
from territoires.nombres import duree, euros, nombre
from territoires.noms import nom_court
from territoires.taches import calculateur_present

PERIMES = "Ces résultats ont été calculés par une autre version du logiciel : refaites le calcul pour les lire."


def lisible(view: Vue) -> Vue:
    """Where the results of a study (second argument) are of another version, say so instead of failing: on the
    study's page, or with status 409 where JSON is expected."""

    @wraps(view)
    def guarded(request: HttpRequest, etude: Etude, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, etude, *args, **kwargs)
        except SolutionIllisible:
            if "json" in request.path or request.path.startswith("/api/"):
                return JsonResponse({"erreur": PERIMES}, status=409)
            messages.warning(request, PERIMES)
            return redirect("etude", etude.pk)

    return guarded


def avancement(passage: PassageEtude) -> dict[str, Any]:
    """Progress of a run now, from its lots (one query): what the JSON of the page gives."""
    lots = list(passage.lots.all())
    total = sum(len(lot.blocs) for lot in lots)
    done = sum(len(lot.blocs) * (1.0 if lot.etat == Etat.REUSSI else lot.progres) for lot in lots)
    busy = [lot for lot in lots if lot.etat == Etat.EN_COURS]
    message = passage.message
    if not passage.termine and not passage.annulation and busy:
        message = busy[0].message or message
    elif passage.etat == Etat.EN_ATTENTE and not calculateur_present():
        message = "Aucun calculateur n'est démarré : le calcul attend (commande « manage.py procrastinate worker »)."
    spent = None
    if passage.debut is not None:
        spent = ((passage.fin or timezone.now()) - passage.debut).total_seconds()
    best = next((lot.meilleur for lot in busy if lot.meilleur is not None), None)
    bound = next((lot.borne for lot in busy if lot.borne is not None), None)
    progress = 1.0 if passage.etat == Etat.REUSSI else (done / total if total else 0.0)
    return {
        "etat": passage.etat,
        "libelle": passage.get_etat_display(),
        "termine": passage.termine,
        "progres": round(progress, 4),
        "pourcent": math.floor(100 * progress),
        "message": message,
        "meilleur": None if best is None else f"{euros(best)} par an",
        "borne": None if bound is None else f"{euros(bound)} par an",
        "blocs_faits": sum(len(lot.blocs) for lot in lots if lot.etat == Etat.REUSSI),
        "blocs": total,
        "duree": None if spent is None else duree(spent),
        "journal": passage.journal,
    }


def describe_partition(etude: Etude) -> list[list[str]]:
    """Names of the collectivités of each block (one query)."""
    names = {code: nom_court(nom) for code, nom in etude.collectivites.values_list("code", "nom")}
    return [[names.get(code, code) for code in block] for block in etude.partition]


def readable_parameters(etude: Etude) -> list[tuple[str, str]]:
    """Label and value of each parameter, as the operation's form names them; empty ones are left out."""
    try:
        operation = operation_of(etude)
        members = list(etude.collectivites.defer("geom").order_by("code"))
        known = set(operation.form_class(zone=etude.zone, collectivites=members).fields)
        values = {name: value for name, value in etude.parametres.items() if name in known}
        form = bound_form(operation, etude.zone, members, values)
    except ValueError:
        return [(name, str(value)) for name, value in etude.parametres.items()]
    found = []
    for name, field in form.fields.items():
        value = etude.parametres.get(name)
        if value in (None, "", [], {}):
            continue
        found.append((str(field.label or name), _readable(field, value)))
    return found


def _readable(field: forms.Field, value: Any) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(field, forms.ModelChoiceField):
        keys = value if isinstance(value, list) else [value]
        key = field.to_field_name or "pk"
        return ", ".join(str(item) for item in field.queryset.filter(**{f"{key}__in": keys}))
    if isinstance(field, forms.ChoiceField):
        labels: dict[str, str] = {}
        for key, label in field.choices:
            if isinstance(label, (list, tuple)):
                labels |= {str(inner): str(text) for inner, text in label}
            else:
                labels[str(key)] = str(label)
        keys = value if isinstance(value, list) else [value]
        return ", ".join(labels.get(str(item), str(item)) for item in keys)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(field, forms.IntegerField | forms.DecimalField | forms.FloatField):
        number = Decimal(str(value)).normalize()
        return nombre(number, max(0, -int(number.as_tuple().exponent)))
    return str(value)
