"""Files made from stored results: CSV as French spreadsheets open them, workbook, GeoPackage."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely
from django.conf import settings
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from territoires.importation.ecriture import to_shapely
from territoires.models import Commune, Etude
from territoires.operation import Export, Tableau
from territoires.vues_etudes.lecture import readable_parameters

from . import regime
from .tableaux import CLOISONNE, MUTUALISE, Regimes, tables

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXPORTS: tuple[Export, ...] = (
    Export("classeur", "Classeur : toutes les tables (XLSX)", "dechetteries.xlsx", XLSX),
    Export("geopackage", "Couches géographiques (GeoPackage)", "dechetteries.gpkg", "application/geopackage+sqlite3"),
    Export("communes", "Communes, avant et après (CSV)", "dechetteries-communes.csv", "text/csv; charset=utf-8"),
    Export("charges", "Charge des déchetteries (CSV)", "dechetteries-charges.csv", "text/csv; charset=utf-8"),
    Export("flux", "Flux entre EPCI (CSV)", "dechetteries-flux.csv", "text/csv; charset=utf-8"),
)


def export(code: str, etude: Etude, resultats: Regimes) -> bytes:
    """One file. Raises KeyError for an unknown code."""
    if code == "geopackage":
        return geopackage(resultats)
    toutes = tables(resultats)
    if code == "classeur":
        return workbook(etude, toutes, _remarks(resultats))
    return csv_bytes({t.code: t for t in toutes}[code])


def _remarks(resultats: Regimes) -> list[str]:
    return list(dict.fromkeys(phrase for blocs in resultats.values() for r in blocs for phrase in r.remarques))


def csv_bytes(tableau: Tableau) -> bytes:
    """Semicolons, decimal commas, UTF-8 with its mark: what a French spreadsheet opens by a double click."""
    texte = io.StringIO(newline="")
    plume = csv.writer(texte, delimiter=";", lineterminator="\r\n")
    plume.writerow(tableau.colonnes)
    plume.writerows([_csv_cell(valeur) for valeur in ligne] for ligne in tableau.lignes)
    return texte.getvalue().encode("utf-8-sig")


def _csv_cell(valeur: Any) -> str:
    if valeur is None:
        return ""
    if isinstance(valeur, float):
        return repr(valeur).replace(".", ",")
    texte = str(valeur)
    # A cell that a spreadsheet would run as a formula is kept as text.
    return f"'{texte}" if isinstance(valeur, str) and texte[:1] in "=+-@\t\r" and texte else texte


def workbook(etude: Etude, tableaux: Sequence[Tableau], remarques: Sequence[str]) -> bytes:
    """One sheet a table, and one that says what the study is."""
    classeur = Workbook()
    garde = classeur.active
    garde.title = "Étude"
    for ligne in [
        ["Étude", etude.titre],
        ["Zone", etude.zone.nom],
        ["Données fictives", "oui" if etude.zone.fictif else "non"],
        *([f"Paramètre : {libelle}", valeur] for libelle, valeur in readable_parameters(etude)),
        *(["Remarque", phrase] for phrase in remarques),
    ]:
        garde.append([_cell(valeur) for valeur in ligne])
    garde.column_dimensions["A"].width, garde.column_dimensions["B"].width = 34, 100
    for tableau in tableaux:
        feuille = classeur.create_sheet(tableau.code)
        feuille.append([tableau.titre])
        feuille["A1"].font = Font(bold=True)
        feuille.append(list(tableau.colonnes))
        for cellule in feuille[2]:
            cellule.font = Font(bold=True)
            cellule.alignment = Alignment(wrap_text=True, vertical="top")
        for ligne in tableau.lignes:
            feuille.append([_cell(valeur) for valeur in ligne])
        if tableau.note:
            feuille.append([])
            feuille.append([tableau.note])
        feuille.freeze_panes = "A3"
        for k, titre in enumerate(tableau.colonnes, start=1):
            largeur = max([min(len(titre), 22), *(len(str(ligne[k - 1])) for ligne in tableau.lignes[:200])])
            feuille.column_dimensions[get_column_letter(k)].width = min(largeur + 2, 48)
    sortie = io.BytesIO()
    classeur.save(sortie)
    return sortie.getvalue()


def _cell(valeur: Any) -> Any:
    if isinstance(valeur, str) and valeur[:1] == "=":
        return f"'{valeur}"
    return valeur if valeur is None or isinstance(valeur, (str, int, float, bool)) else str(valeur)


def geopackage(resultats: Regimes) -> bytes:
    """Layers communes, dechetteries and trajets in EPSG:2154, with figures of both regimes."""
    avant, apres = resultats.get(CLOISONNE, ()), resultats.get(MUTUALISE, ())
    couches = {
        "communes": _communes_frame(regime.communes(avant), regime.communes(apres)),
        "dechetteries": _centres_frame(regime.centres(avant), regime.centres(apres)),
        "trajets": _flows_frame(regime.flows(apres)),
    }
    with tempfile.TemporaryDirectory() as dossier:
        chemin = Path(dossier) / "dechetteries.gpkg"
        for nom, table in couches.items():
            if len(table):
                table.to_file(chemin, layer=nom, driver="GPKG", engine="pyogrio")
        return chemin.read_bytes()


def _communes_frame(avant: dict[str, regime.CommuneVue], apres: dict[str, regime.CommuneVue]) -> gpd.GeoDataFrame:
    contours = dict(Commune.objects.filter(code__in=[*avant, *apres]).values_list("code", "geom"))
    lignes, geoms = [], []
    for code in sorted({**avant, **apres}):
        a, b = avant.get(code), apres.get(code)
        vue = b or a
        if vue is None:
            continue
        geom = contours.get(code)
        geoms.append(to_shapely(geom) if geom is not None else shapely.Point(vue.x, vue.y))
        lignes.append(
            {
                "code_insee": code,
                "nom": vue.nom,
                "epci": vue.epci,
                "epci_nom": vue.epci_nom,
                "collectivite": vue.collectivite,
                "habitants": vue.population,
                "centre_cloisonne": a.centre if a else None,
                "minutes_cloisonne": a.minutes if a else None,
                "centre_mutualise": b.centre if b else None,
                "minutes_mutualise": b.minutes if b else None,
                "minutes_gagnees": None
                if not a or not b or a.minutes is None or b.minutes is None
                else a.minutes - b.minutes,
            }
        )
    return gpd.GeoDataFrame(lignes, geometry=geoms, crs=settings.SRID)


def _centres_frame(avant: dict[str, regime.CentreVue], apres: dict[str, regime.CentreVue]) -> gpd.GeoDataFrame:
    lignes, geoms = [], []
    for code in sorted({**avant, **apres}):
        a, b = avant.get(code), apres.get(code)
        vue = b or a
        if vue is None:
            continue
        geoms.append(shapely.Point(vue.x, vue.y))
        lignes.append(
            {
                "code": code,
                "nom": vue.nom,
                "proprietaire": vue.proprietaire,
                "proprietaire_nom": vue.proprietaire_nom,
                "ouvert": vue.ouvert,
                "fictif": vue.fictif,
                "capacite_visites_an": vue.capacite,
                "visites_cloisonne": a.visites if a else None,
                "visites_mutualise": b.visites if b else None,
                "visites_voisins": b.voisins if b else None,
            }
        )
    return gpd.GeoDataFrame(lignes, geometry=geoms, crs=settings.SRID)


def _flows_frame(flux: Sequence[regime.FluxVue]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        [
            {
                "commune": f.commune,
                "centre": f.centre,
                "visites_an": f.visites,
                "minutes": f.minutes,
                "franchit_la_limite": f.franchit,
            }
            for f in flux
        ],
        geometry=[shapely.LineString([f.depart, f.arrivee]) for f in flux],
        crs=settings.SRID,
    )
