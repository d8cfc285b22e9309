"""Comparison page: two regimes under the four questions, cost sharing, provenance, downloads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import localtime
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from territoires.calcul import COUT, Statut
from territoires.comparaison import by_question
from territoires.droits import may_read_etude, protege
from territoires.models import Etude, PassageEtude, ResultatBloc
from territoires.partage import PartageImpossible
from territoires.resultats import HABITANTS, REGIMES, SHAPLEY, Resultats, ResultatsAbsents, TableauPartage

from .etudes import load_etude
from .lecture import describe_partition, lisible, readable_parameters

#: Prefix of the weights of keys in the query string (``cle-shapley=50``).
PREFIXE = "cle-"
#: Coalitions named on the page, worst first.
OBJECTIONS = 3
BADGES = {"oui": "badge-succes", "en partie": "badge-alerte", "non": "badge-erreur"}


class MauvaiseDemande(ValueError):
    """The address asks for something that does not exist; the message is for agents."""


def chosen_results(etude: Etude, query: QueryDict) -> Resultats:
    """Results an address asks for: ``passage`` (default: the last finished) and ``plan`` (repeatable)."""
    passages = etude.passages.filter(etat=PassageEtude.Etat.REUSSI)
    try:
        number = int(query["passage"]) if query.get("passage") else None
        plans = [int(text) for text in query.getlist("plan") if text]
    except ValueError:
        raise Http404("Adresse incorrecte.") from None
    if number is not None:
        passage = get_object_or_404(passages, pk=number)
    else:
        last = passages.order_by("-fin", "-pk").first()
        if last is None:
            raise Http404("Cette étude n'a pas encore de résultat.")
        passage = last
    passage.etude = etude
    try:
        return Resultats(passage, plans)
    except ResultatsAbsents as error:
        raise Http404(str(error)) from error


def chosen_keys(results: Resultats, query: QueryDict) -> dict[str, float]:
    """Weights of keys asked for; default: Shapley where every coalition is known, else inhabitants, else any.

    Raises `MauvaiseDemande` for a weight that is not a number from 0 up.
    """
    given: dict[str, float] = {}
    for name, text in query.items():
        if not name.startswith(PREFIXE) or not text.strip():
            continue
        try:
            weight = float(text.replace(",", "."))
        except ValueError:
            raise MauvaiseDemande(f"La pondération « {text} » n'est pas un nombre.") from None
        if not 0 <= weight < float("inf"):
            raise MauvaiseDemande("Une pondération est un nombre positif.")
        if weight:
            given[name.removeprefix(PREFIXE)] = weight
    if given:
        return given
    if results.passage.avec_coalitions:
        return {SHAPLEY: 1.0}
    return {HABITANTS if HABITANTS in results.cles else next(iter(results.cles), SHAPLEY): 1.0}


@dataclass(frozen=True)
class CleProposee:
    """One key of the form: its weight now, and what each one would pay by it alone (None = impossible, ``erreur``)."""

    code: str
    titre: str
    unite: str
    poids: float
    seule: TableauPartage | None
    erreur: str


def proposed_keys(results: Resultats, weights: dict[str, float]) -> list[CleProposee]:
    """Every key this run allows."""
    titles = {SHAPLEY: ("Valeur de Shapley", "")} | {code: (cle.titre, cle.unite) for code, cle in results.cles.items()}
    whole = sum(weights.values()) or 1.0
    found = []
    for code, (title, unit) in titles.items():
        table, error = None, ""
        try:
            table = results.partager({code: 1.0})
        except PartageImpossible as refusal:
            error = str(refusal)
        found.append(CleProposee(code, title, unit, round(100 * weights.get(code, 0.0) / whole, 2), table, error))
    return found


@protege(may_read_etude, charge=load_etude)
@require_safe
@lisible
def comparaison(request: HttpRequest, etude: Etude) -> HttpResponse:
    """The page; a study that has no result yet sends back to its own page."""
    if not etude.passages.filter(etat=PassageEtude.Etat.REUSSI).exists():
        messages.info(request, "Cette étude n'a pas encore de résultat.")
        return redirect("etude", etude.pk)
    results = chosen_results(etude, request.GET)
    sharing, refusal = None, ""
    weights: dict[str, float] = {}
    try:
        weights = chosen_keys(results, request.GET)
        sharing = results.partager(weights)
    except (MauvaiseDemande, PartageImpossible) as error:
        refusal = str(error)
    lines = by_question(line for line in results.lignes if line.indicateur.code != COUT)
    spending = results.ecart_depense
    answers = [
        {"reponse": answer, "badge": BADGES.get(answer.avis, ""), "lignes": lines[answer.question]}
        for answer in results.synthese.reponses
    ]
    context: dict[str, Any] = {
        "etude": etude,
        "passage": results.passage,
        "resultats": results,
        "regimes": REGIMES,
        "bornes": [(REGIMES[name], regime.bornes) for name, regime in results.regimes.items()],
        "economie": results.regimes["cloisonne"].bornes.cout - results.regimes["mutualise"].bornes.cout,
        "depense": spending,
        "gain_depense": None if spending is None or spending.difference is None else -spending.difference,
        "reponses": answers,
        "autres": lines[None],
        "partage": sharing,
        **_sharing_words(results, sharing),
        "refus": refusal,
        "cles": (keys := proposed_keys(results, weights)),
        "contributions": _contributions(results, keys),
        "partition": describe_partition(etude),
        "parametres": readable_parameters(etude),
        "tableaux": results.operation.tables(results.avec_solutions()),
        "exports": results.operation.exports(),
        "plans": [_plan(results, row, REGIMES[name]) for name, rows in results.par_regime.items() for row in rows],
        "variantes": [_plan(results, row) for row in results.variantes],
        "suffixe": request.GET.urlencode(),
        "rubrique": "etudes",
    }
    return render(request, "etudes/comparaison.html", context)


def _contributions(results: Resultats, keys: list[CleProposee]) -> list[dict[str, Any]]:
    """Rows « collectivité, alone, by each key » (None where a key cannot be used)."""
    alone = {part.collectivite: part.seule for key in keys if key.seule for part in key.seule.lignes}
    paid = [{part.collectivite: part.paye for part in key.seule.lignes} if key.seule else {} for key in keys]
    return [
        {"nom": results.noms[code], "seule": alone.get(code), "payes": [by.get(code) for by in paid]}
        for code in results.codes
    ]


def _sharing_words(results: Resultats, table: TableauPartage | None) -> dict[str, Any]:
    if table is None:
        return {}
    worst = (table.objections or ())[:OBJECTIONS]
    return {
        "contributions_choisies": [
            {"nom": results.noms[part.collectivite], "part": part, "recu": -part.transfert if part.transfert else None}
            for part in table.lignes
        ],
        "objections": [
            {
                "noms": _coalition(results, one.coalition),
                "manque": one.manque,
                "plusieurs": len(one.coalition) > 1,
            }
            for one in worst
        ],
        "autres_objections": len(table.objections or ()) - len(worst),
    }


def _coalition(results: Resultats, coalition: frozenset[str]) -> str:
    """Names of a coalition, by those it leaves out when it is nearly all of its group."""
    block = next(one for one in results.partition if coalition <= one)
    out = sorted(block - coalition)
    if 0 < len(out) <= 2 < len(coalition):
        group = "du groupe" if len(results.partition) > 1 else "de l'étude"
        return f"les collectivités {group} sauf {' et '.join(results.noms[code] for code in out)}"
    return " + ".join(results.noms[code] for code in sorted(coalition))


def _plan(results: Resultats, row: ResultatBloc, regime: str = "") -> dict[str, Any]:
    titles = {Statut.OPTIMAL: "optimal, prouvé", Statut.REALISABLE: "réalisable", Statut.IRREALISABLE: "irréalisable"}
    return {
        "regime": regime,
        "noms": " + ".join(results.noms[code] for code in row.bloc),
        "ligne": row,
        "statut": titles.get(row.statut, row.statut),
        "titre": row.libelle or (f"Plan modifié le {localtime(row.cree_le):%d/%m/%Y}" if row.parent_id else "Variante"),
    }


@protege(may_read_etude, charge=load_etude, json=True)
@require_safe
@gzip_page
@lisible
def couches(request: HttpRequest, etude: Etude) -> JsonResponse:
    """Layers of one regime (``regime`` in the query string) as GeoJSON in EPSG:4326, as the operation draws them."""
    results = chosen_results(etude, request.GET)
    regime = request.GET.get("regime", "mutualise")
    if regime not in REGIMES:
        return JsonResponse({"erreur": f"Régime inconnu : {regime}."}, status=404)
    layers = results.operation.layers(results.avec_solutions()[regime])
    return JsonResponse(
        {
            "etude": etude.pk,
            "passage": results.passage.pk,
            "regime": regime,
            "titre": REGIMES[regime],
            "couches": [
                {
                    "code": layer.code,
                    "titre": layer.titre,
                    "style": layer.style,
                    "seuils": list(layer.seuils),
                    "unite": layer.unite,
                    "fictif": layer.fictif,
                    "geojson": {"type": "FeatureCollection", "features": list(layer.features)},
                }
                for layer in layers
            ],
        }
    )
