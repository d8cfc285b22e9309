"""A small territory made for tests: squares of 2 km, two départements side by side, two EPCI across their limit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geodata.classes import Classe, Gestion
from geodata.ecriture import write as write_network
from geodata.models import ImportReseau, PointPassage, Reseau
from territoires.importation.ecriture import write
from territoires.importation.geometrie import to_degrees
from territoires.importation.lu import CollectiviteLue, CommuneLue, TerritoireLu
from territoires.limites import refresh_limites
from tests.unit.geodata.fabrique import network

X0, Y0, COTE = 780_000.0, 6_480_000.0, 2_000.0
LARGEUR, HAUTEUR = 6, 4
#: Columns 0 to 2 are département 42, 3 to 5 are 43; rows 0 and 1 are the EPCI of the south, 2 and 3 of the north.
SUD, NORD = "200000001", "200000002"


def square(i: int, j: int) -> shapely.MultiPolygon:
    """Commune in column i, row j."""
    return shapely.MultiPolygon([shapely.box(X0 + COTE * i, Y0 + COTE * j, X0 + COTE * (i + 1), Y0 + COTE * (j + 1))])


def code(i: int, j: int) -> str:
    return f"{42 if i < 3 else 43}{10 * i + j:03d}"


def communes(sauf: Sequence[tuple[int, int]] = (), **changes: Mapping[str, Any]) -> list[CommuneLue]:
    """All communes but some; ``changes`` replaces fields by commune code, e.g. ``c42000={"nom": "Autre"}``."""
    resultat = []
    for i in range(LARGEUR):
        for j in range(HAUTEUR):
            if (i, j) in sauf:
                continue
            champs: dict[str, Any] = {
                "code": code(i, j),
                "nom": f"Commune {i}-{j}",
                "departement": "42" if i < 3 else "43",
                "epci": SUD if j < 2 else NORD,
                "population": 100 * (i + 1) + 10 * j,
                "geom": square(i, j),
                "mairie": shapely.Point(X0 + COTE * (i + 0.5), Y0 + COTE * (j + 0.5)),
            }
            champs |= changes.get(f"c{code(i, j)}", {})
            resultat.append(CommuneLue(**champs))
    return resultat


def territory(sauf: Sequence[tuple[int, int]] = (), **changes: Mapping[str, Any]) -> TerritoireLu:
    return TerritoireLu(
        communes=communes(sauf, **changes),
        collectivites=[
            CollectiviteLue("departement", "42", "Loire"),
            CollectiviteLue("departement", "43", "Haute-Loire"),
            CollectiviteLue("epci", SUD, "Communauté du Sud"),
            CollectiviteLue("epci", NORD, "Communauté du Nord"),
        ],
        type_decoupage="departement",
        edition="essai 1",
        source="essai",
        licence="essai",
    )


def install() -> None:
    """Write the territory and its limits."""
    write(territory())
    refresh_limites()


def roads(rang: int = 0, *, sens_unique: bool = False) -> Reseau:
    """One straight road west to east through the middle of a row, in two edges cut at the limit, and its point.

    ``sens_unique``: eastwards only.
    """
    y = Y0 + COTE * (rang + 0.5)
    limite, fin = X0 + 3 * COTE, X0 + 6 * COTE
    reseau = Reseau.objects.create(code="essai", nom="Routes d'essai")
    importation = ImportReseau.objects.create(
        reseau=reseau, format="essai", fichier="essai", empreinte="0" * 64, decoupage=["42", "43"]
    )
    tableaux = network(
        [[(X0, y), (limite, y)], [(limite, y), (fin, y)]],
        decoupage=("42", "43"),
        textes=("", "D 500"),
        ref=np.array([1, 1], dtype=np.int32),
        departement=np.array([0, 1], dtype=np.int16),
        departement_gauche=np.array([0, 1], dtype=np.int16),
        departement_droite=np.array([0, 1], dtype=np.int16),
        noeud_passage=np.array([False, True, False]),
        classe=np.array([Classe.SECONDAIRE, Classe.TERTIAIRE], dtype=np.int8),
        sens_unique=np.array([sens_unique, sens_unique]),
    )
    write_network(importation, tableaux)
    reseau.refresh_from_db()
    assert PointPassage.objects.get().gestion == Gestion.DEPARTEMENTALE
    return reseau


def write_geojson(path: Path, objets: Sequence[tuple[shapely.Geometry | None, Mapping[str, Any]]]) -> Path:
    """Features given in EPSG:2154, written in degrees as GeoJSON wants."""
    geoms = np.empty(len(objets), dtype=object)
    geoms[:] = [g for g, _ in objets]
    degres = to_degrees(geoms, 2154)
    contenu = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": dict(proprietes),
                "geometry": None if geom is None else json.loads(shapely.to_geojson(geom)),
            }
            for geom, (_, proprietes) in zip(degres, objets, strict=True)
        ],
    }
    path.write_text(json.dumps(contenu), encoding="utf-8")
    return path
