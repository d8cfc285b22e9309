"""Downloads: the comparison as CSV or XLSX, and the operation's own exports. All from stored rows: the same address
gives the same figures."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_safe
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from territoires.calcul import Question
from territoires.comparaison import Verdict
from territoires.droits import may_read_etude, protege
from territoires.models import Etude
from territoires.partage import PartageImpossible
from territoires.resultats import CLOISONNE, MUTUALISE, REGIMES, Resultats
from territoires.synthese import TITRES

from .comparaison import MauvaiseDemande, chosen_keys, chosen_results
from .etudes import load_etude
from .lecture import lisible, readable_parameters

Cellule = str | float | Decimal | None
VERDICTS = {
    Verdict.GAGNE: "mieux",
    Verdict.PERD: "moins bien",
    Verdict.EGAL: "sans changement",
    Verdict.NEUTRE: "différent",
    Verdict.INCONNU: "non mesuré",
}
ENTETE = (
    "Question",
    "Indicateur",
    "Unité",
    "Collectivité",
    "Code",
    REGIMES[CLOISONNE],
    REGIMES[MUTUALISE],
    "Différence",
    "Lecture",
)


@protege(may_read_etude, charge=load_etude)
@require_safe
@lisible
def comparaison_csv(request: HttpRequest, etude: Etude) -> HttpResponse:
    """The comparison table as CSV as agents' spreadsheets read it: semicolons, decimal commas, UTF-8 with mark."""
    results = chosen_results(etude, request.GET)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(ENTETE)
    for line in comparison_rows(results):
        writer.writerow([_csv_cell(cell) for cell in line])
    return _file(text.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8", f"{_stem(etude)}-comparaison.csv")


@protege(may_read_etude, charge=load_etude)
@require_safe
@lisible
def comparaison_xlsx(request: HttpRequest, etude: Etude) -> HttpResponse:
    """Summary, comparison, cost sharing, detail tables and provenance as a workbook, one sheet each."""
    results = chosen_results(etude, request.GET)
    book = Workbook()
    book.remove(book.active)
    _sheet(book, "Synthèse", ("Question", "Réponse", "Détail"), _summary_rows(results), (45, 18, 110))
    _sheet(book, "Comparaison", ENTETE, comparison_rows(results), (40, 40, 12, 28, 12, 20, 20, 16, 18))
    for name, header, rows in _sharing_sheets(results, request):
        _sheet(book, name, header, rows, (30, 20, 20, 20, 22, 26, 22))
    for table in results.operation.tables(results.avec_solutions()):
        _sheet(book, table.titre, table.colonnes, table.lignes, tuple(22 for _ in table.colonnes))
    _sheet(book, "Provenance", ("Élément", "Valeur"), provenance_rows(results), (40, 90))
    stream = io.BytesIO()
    book.save(stream)
    mime = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return _file(stream.getvalue(), mime, f"{_stem(etude)}-comparaison.xlsx")


@protege(may_read_etude, charge=load_etude)
@require_safe
@lisible
def export(request: HttpRequest, etude: Etude, code: str) -> HttpResponse:
    """One of the operation's own exports."""
    results = chosen_results(etude, request.GET)
    found = next((one for one in results.operation.exports() if one.code == code), None)
    if found is None:
        raise Http404("Ce téléchargement n'existe pas.")
    content = results.operation.export(found.code, etude, results.avec_solutions())
    return _file(content, found.type_mime, found.nom_fichier)


def comparison_rows(results: Resultats) -> Iterator[list[Cellule]]:
    """One row by indicator and collectivité, after the one for all; first the cost of each regime."""
    before, after = (results.regimes[name].bornes.cout for name in (CLOISONNE, MUTUALISE))
    yield [
        TITRES[Question.ECONOMIE],
        "Coût annuel du service",
        "€",
        "Ensemble",
        "",
        before,
        after,
        after - before,
        "mieux" if after < before else "moins bien" if after > before else "sans changement",
    ]
    for line in results.lignes:
        item = line.indicateur
        question = TITRES[item.question] if item.question else ""
        for code, name, ecart in [
            ("", "Ensemble", line.ensemble),
            *((code, results.noms[code], ecart) for code, ecart in line.par_collectivite.items()),
        ]:
            yield [
                question,
                item.libelle,
                item.unite,
                name,
                code,
                ecart.avant,
                ecart.apres,
                ecart.difference,
                VERDICTS[ecart.verdict],
            ]


def provenance_rows(results: Resultats) -> list[list[Cellule]]:
    """What is needed to make the same figures again."""
    passage, etude = results.passage, results.etude
    data = passage.provenance
    rows: list[list[Cellule]] = [
        ["Étude", f"{etude.titre} (n° {etude.pk})"],
        ["Service", results.operation.titre],
        ["Zone", etude.zone.nom],
        ["Groupes", " | ".join(" + ".join(results.noms[code] for code in bloc) for bloc in etude.partition)],
        *([f"Paramètre : {label}", value] for label, value in readable_parameters(etude)),
        ["Passage", passage.pk],
        ["Graine", passage.graine],
        ["Nombre de graines", passage.nb_graines],
        ["Temps accordé par groupe (s)", passage.limite_s],
        ["Itérations accordées par groupe", passage.limite_iterations or "sans limite"],
        ["Terminé le", timezone.localtime(passage.fin).strftime("%d/%m/%Y %H:%M") if passage.fin else ""],
        ["Empreinte SHA-256 des entrées", passage.empreinte],
        ["Version du logiciel", passage.version],
        ["Réseau routier", data.get("reseau", {}).get("nom", "aucun")],
        ["Fichier des routes", data.get("import", {}).get("fichier", "")],
        ["Empreinte SHA-256 du fichier des routes", data.get("import", {}).get("empreinte", "")],
        ["Éditions des communes", ", ".join(data.get("editions", []))],
        ["Données fictives", "oui" if results.fictif else "non"],
    ]
    if results.modifie:
        rows.append(["Plan", "modifié à la main ou variante"])
    for name, blocks in results.par_regime.items():
        rows += [
            [
                f"{REGIMES[name]} : {' + '.join(results.noms[code] for code in row.bloc)}",
                f"{row.statut}, {row.cout} €, borne {row.borne if row.borne is not None else 'inconnue'}, "
                f"graine {row.graine}, problème {row.empreinte}",
            ]
            for row in blocks
        ]
    return rows


def _summary_rows(results: Resultats) -> Iterator[list[Cellule]]:
    for answer in results.synthese.reponses:
        for rank, sentence in enumerate(answer.phrases or ("",)):
            yield [answer.titre if rank == 0 else "", str(answer.avis) if rank == 0 else "", sentence]
    for rank, limit in enumerate(results.synthese.limites):
        yield ["Limites" if rank == 0 else "", "", limit]


def _sharing_sheets(
    results: Resultats, request: HttpRequest
) -> Iterator[tuple[str, Sequence[str], list[list[Cellule]]]]:
    try:
        table = results.partager(chosen_keys(results, request.GET))
    except (PartageImpossible, MauvaiseDemande) as error:
        yield "Partage", ("Partage du coût",), [[str(error)]]
        return
    header = (
        "Collectivité",
        f"Paye (€ par an), {table.titre}",
        "Seule (€ par an)",
        "Gain (€ par an)",
        "Porte avant partage (€ par an)",
        "Transfert net (€ par an ; positif : verse)",
        "Gain, habitants compris (€ par an)",
    )
    rows = [
        [
            results.noms.get(part.collectivite, "Total"),
            part.paye,
            part.seule,
            part.gain,
            part.porte,
            part.transfert,
            part.gain_total,
        ]
        for part in (*table.lignes, table.total)
    ]
    yield "Partage", header, rows


def _sheet(book: Workbook, title: str, header: Sequence[str], rows: Any, widths: Sequence[int]) -> None:
    # Excel allows 31 characters, and not these, in the name of a sheet.
    name = "".join(" " if letter in "[]:*?/\\" else letter for letter in title)[:31].strip() or "Tableau"
    sheet = book.create_sheet(name)
    sheet.append(list(header))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="E3EFED")
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    for row in rows:
        sheet.append([_xlsx_cell(value) for value in row])
    # A text starting with « = » is a text, never a formula.
    for line in sheet.iter_rows(min_row=2):
        for cell in line:
            if cell.data_type == "f":
                cell.data_type = "s"
            if isinstance(cell.value, str) and len(cell.value) > 40:
                cell.alignment = Alignment(wrap_text=True, vertical="top")
    for rank, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(rank)].width = width
    sheet.freeze_panes = "A2"


def _xlsx_cell(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "inaccessible" if math.isinf(value) else ""
    return value if value is None or isinstance(value, (int, float, Decimal)) else str(value)


def _csv_cell(value: Cellule) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        if not math.isfinite(value):
            return "inaccessible" if math.isinf(value) else ""
        return f"{value:.10g}".replace(".", ",")
    if isinstance(value, Decimal):
        return str(value).replace(".", ",")
    text = str(value)
    # A spreadsheet must not take a name for a formula.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _stem(etude: Etude) -> str:
    return f"limitrophe-{etude.pk}-{slugify(etude.titre)[:60]}".rstrip("-")


def _file(content: bytes, mime: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=mime)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response
