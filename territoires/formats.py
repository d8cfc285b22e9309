"""Files agents have, as raw rows: CSV in any of its habits, spreadsheets, GeoJSON, GeoPackage, Shapefile.

`territoires.tableur` is what importers use; here is only how each format is opened. A file is opened by what its
first bytes say, never by letting GDAL guess: some formats GDAL knows name other files to read.

Pure module: no Django, no database.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyogrio
import shapely
from openpyxl.utils.exceptions import InvalidFileException
from pyogrio.errors import DataLayerError, DataSourceError

from .rapport import Rapport

SEPARATEURS = (";", ",", "\t", "|")

#: Longest CSV cell accepted; a polygon in WKT may be long.
_CELLULE_MAX = 1 << 24


@dataclass
class Brut:
    """Raw content: header, rows with their number, geometries as WKB-decoded shapely objects (None without)."""

    colonnes: list[str]
    lignes: list[tuple[int, list[Any]]]
    geoms: np.ndarray | None = None
    crs: str | None = None
    remarques: list[str] = field(default_factory=list)


class FichierIllisible(ValueError):
    """The file cannot be opened at all (message in French, without the file's name)."""


def decode(octets: bytes) -> tuple[str, str]:
    """Text and the encoding it was found in: UTF-8 (with or without mark), UTF-16 (with mark), else Windows-1252."""
    for marque, nom in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if octets.startswith(marque):
            try:
                return octets.decode(nom), nom
            except UnicodeDecodeError as error:
                raise FichierIllisible(f"texte abîmé à l'octet {error.start} ({nom})") from error
    if b"\0" in octets[:4096]:
        raise FichierIllisible("ce n'est pas un fichier de texte")
    for nom in ("utf-8", "cp1252"):
        try:
            return octets.decode(nom), nom
        except UnicodeDecodeError:
            continue
    return octets.decode("latin-1"), "latin-1"


def separator(texte: str) -> str:
    """The separator under which the first rows have most often the header's number of cells, more than one."""
    debut = "\n".join(texte.splitlines()[:60])
    notes = []
    for rang, sep in enumerate(SEPARATEURS):
        lignes = [ligne for ligne in csv.reader(io.StringIO(debut), delimiter=sep) if any(c.strip() for c in ligne)]
        largeur = len(lignes[0]) if lignes else 0
        regulieres = sum(len(ligne) == largeur for ligne in lignes) / max(1, len(lignes))
        notes.append(((largeur > 1) * regulieres, largeur, -rang, sep))
    return max(notes)[3]


def read_csv(octets: bytes) -> Brut:
    """Rows of a CSV; a row's number is that of its first line in the file (header = 1)."""
    texte, encodage = decode(octets)
    if not texte.strip():
        raise FichierIllisible("le fichier est vide")
    csv.field_size_limit(_CELLULE_MAX)
    sep = separator(texte)
    lecteur = csv.reader(io.StringIO(texte, newline=""), delimiter=sep)
    brutes = list(_numbered(lecteur))
    noms = {"cp1252": "Windows-1252", "latin-1": "ISO 8859-1"}
    remarques = [f"lu en encodage {noms[encodage]}, séparateur « {sep} »"] if encodage in noms else []
    return _with_header(brutes, remarques)


def _numbered(lecteur: Any) -> Iterator[tuple[int, list[Any]]]:
    fin = 0
    try:
        for ligne in lecteur:
            yield fin + 1, ligne
            fin = lecteur.line_num
    except csv.Error as error:
        raise FichierIllisible(f"ligne {lecteur.line_num} : CSV mal formé ({error})") from error


def _with_header(brutes: list[tuple[int, list[Any]]], remarques: list[str] | None = None) -> Brut:
    """First row that is not blank = header; blank rows are left out."""
    pleines = [(n, cellules) for n, cellules in brutes if any(c not in (None, "") and str(c).strip() for c in cellules)]
    if not pleines:
        raise FichierIllisible("le fichier est vide")
    colonnes = ["" if c is None else str(c).strip() for c in pleines[0][1]]
    while colonnes and not colonnes[-1]:
        colonnes.pop()
    return Brut(colonnes, pleines[1:], remarques=remarques or [])


def read_xlsx(path: Path, couche: str | None) -> Brut:
    """Rows of one sheet (the first without ``couche``)."""
    try:
        classeur = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError, ValueError) as error:
        raise FichierIllisible(f"classeur illisible ({error})") from error
    try:
        if couche is not None and couche not in classeur.sheetnames:
            raise FichierIllisible(f"pas de feuille « {couche} » (feuilles : {', '.join(classeur.sheetnames)})")
        feuille = classeur[couche] if couche else classeur.worksheets[0]
        brutes = [(n, list(cellules)) for n, cellules in enumerate(feuille.iter_rows(values_only=True), start=1)]
    finally:
        classeur.close()
    return _with_header(brutes)


def read_ods(path: Path, couche: str | None) -> Brut:
    """Rows of one sheet of an OpenDocument spreadsheet, every cell as text."""
    _, _, champs, remarques = _gdal(path, couche, HEADERS="DISABLE", FIELD_TYPES="STRING")
    n = len(champs[0]) if len(champs) else 0
    brutes = [(k + 1, [champ[k] for champ in champs]) for k in range(n)]
    return _with_header(brutes, remarques)


@contextmanager
def _opening() -> Iterator[list[warnings.WarningMessage]]:
    """GDAL's refusals as `FichierIllisible`, its warnings gathered."""
    with warnings.catch_warnings(record=True) as averties:
        warnings.simplefilter("always")
        try:
            yield averties
        except (DataSourceError, DataLayerError, UnicodeDecodeError) as error:
            raise FichierIllisible(f"fichier abîmé ou illisible ({error})") from error


def _gdal(path: Path, couche: str | None, **options: str) -> tuple[Any, Any, Any, list[str]]:
    """(meta, WKB, columns, warnings) of one layer."""
    with _opening() as averties:
        couches = [str(nom) for nom in pyogrio.list_layers(path)[:, 0]]
        if not couches:
            raise FichierIllisible("aucune couche dans ce fichier")
        if couche is not None and couche not in couches:
            raise FichierIllisible(f"pas de couche « {couche} » (couches : {', '.join(couches)})")
        if couche is None and len(couches) > 1:
            raise FichierIllisible(f"plusieurs couches, précisez laquelle : {', '.join(couches)}")
        meta, _, wkb, champs = pyogrio.raw.read(path, layer=couche or couches[0], **options)
    return meta, wkb, champs, list(dict.fromkeys(f"avertissement de GDAL ({w.message})" for w in averties))


def layers(path: Path) -> list[str]:
    """Names of the layers of a GeoPackage or Shapefile; empty for other formats."""
    if kind(path) not in ("gpkg", "shp", "fgb"):
        return []
    with _opening():
        return [str(nom) for nom in pyogrio.list_layers(path)[:, 0]]


def read_layer(path: Path, couche: str | None) -> Brut:
    """Rows and geometries of a layer; a row's number is the rank of the object, from 1."""
    meta, wkb, champs, remarques = _gdal(path, couche)
    n = len(wkb) if wkb is not None else (len(champs[0]) if len(champs) else 0)
    lignes = [(k + 1, [champ[k] for champ in champs]) for k in range(n)]
    geoms = None if wkb is None else np.asarray(shapely.from_wkb(wkb, on_invalid="ignore"), dtype=object)
    return Brut([str(c) for c in meta["fields"]], lignes, geoms, meta["crs"], remarques)


def read_geojson(octets: bytes) -> Brut:
    """Features of a GeoJSON; EPSG:4326 unless the (older) member ``crs`` says otherwise."""
    texte, _ = decode(octets)
    if not texte.strip():
        raise FichierIllisible("le fichier est vide")
    try:
        contenu = json.loads(texte)
    except json.JSONDecodeError as error:
        raise FichierIllisible(f"ligne {error.lineno}, colonne {error.colno} : JSON mal formé") from error
    objets = contenu.get("features") if isinstance(contenu, dict) else None
    if not isinstance(objets, list) or not all(isinstance(o, dict) for o in objets):
        raise FichierIllisible("ce n'est pas une collection d'objets GeoJSON (FeatureCollection)")
    crs = contenu.get("crs") or {}
    proprietes_crs = crs.get("properties") if isinstance(crs, dict) else None
    nom_crs = proprietes_crs.get("name") if isinstance(proprietes_crs, dict) else None
    proprietes = [_properties(objet, k) for k, objet in enumerate(objets, start=1)]
    colonnes = list(dict.fromkeys(nom for champs in proprietes for nom in champs))
    lignes = [(k, [champs.get(nom) for nom in colonnes]) for k, champs in enumerate(proprietes, start=1)]
    geoms = np.empty(len(objets), dtype=object)
    geoms[:] = [_geojson_geometry(objet.get("geometry"), k) for k, objet in enumerate(objets, start=1)]
    return Brut(colonnes, lignes, geoms, str(nom_crs) if nom_crs else "EPSG:4326")


def _properties(objet: dict[str, Any], rang: int) -> dict[str, Any]:
    proprietes = objet.get("properties") or {}
    if not isinstance(proprietes, dict):
        raise FichierIllisible(f"objet {rang} : propriétés mal formées")
    return proprietes


def _geojson_geometry(geometrie: Any, rang: int) -> shapely.Geometry | None:
    if geometrie is None:
        return None
    try:
        return shapely.from_geojson(json.dumps(geometrie))
    except shapely.GEOSException as error:
        raise FichierIllisible(f"objet {rang} : géométrie mal formée ({error})") from error


def kind(path: Path) -> str:
    """ "csv", "xlsx", "ods", "geojson", "gpkg", "shp" or "fgb", told by the first bytes (and the name for text)."""
    with path.open("rb") as fichier:
        debut = fichier.read(64)
    extension = path.suffix.lower()
    if debut.startswith(b"SQLite format 3\0"):
        return "gpkg"
    if debut.startswith(b"fgb"):
        return "fgb"
    if debut.startswith(b"PK"):
        if extension in (".xlsx", ".xlsm"):
            return "xlsx"
        if extension == ".ods":
            return "ods"
        raise FichierIllisible("archive ou classeur d'un type qui n'est pas lu (attendu : .xlsx, .ods)")
    if debut.startswith(b"\x00\x00\x27\x0a"):
        return "shp"
    if extension in (".geojson", ".json"):
        return "geojson"
    if extension in (".csv", ".txt", ".tsv"):
        return "csv"
    if extension in (".xlsx", ".ods", ".gpkg", ".shp", ".fgb"):
        raise FichierIllisible("le fichier est vide" if not debut else f"ce n'est pas un fichier {extension}")
    raise FichierIllisible(
        f"type de fichier « {extension or path.name} » non lu "
        "(attendu : .csv, .xlsx, .ods, .geojson, .gpkg, .shp ou .fgb)"
    )


def read_raw(path: Path, couche: str | None, rapport: Rapport) -> Brut | None:
    """Any of the formats; None, with the error in ``rapport``, where the file cannot be read."""
    try:
        genre = kind(path)
        if genre == "csv":
            return read_csv(path.read_bytes())
        if genre == "geojson":
            return read_geojson(path.read_bytes())
        if genre == "xlsx":
            return read_xlsx(path, couche)
        if genre == "ods":
            return read_ods(path, couche)
        return read_layer(path, couche)
    except FichierIllisible as error:
        rapport.error(f"{error}.")
    except OSError as error:
        rapport.error(f"lecture impossible ({error.strerror}).")
    return None


def to_text(valeur: Any) -> str:
    """A cell as an agent would read it: no trailing ``.0``, ISO dates, « oui »/« non », lists as JSON."""
    if valeur is None:
        return ""
    if isinstance(valeur, (bool, np.bool_)):
        return "oui" if valeur else "non"
    if isinstance(valeur, (float, np.floating)):
        if np.isnan(valeur):
            return ""
        return str(int(valeur)) if float(valeur).is_integer() else repr(float(valeur))
    if isinstance(valeur, np.datetime64):
        return "" if np.isnat(valeur) else str(valeur)
    if isinstance(valeur, (datetime.date, datetime.time)):
        return valeur.isoformat()
    if isinstance(valeur, np.ndarray):
        valeur = valeur.tolist()
    if isinstance(valeur, (list, dict)):
        return json.dumps(valeur, ensure_ascii=False)
    return str(valeur).strip()
