"""Polygons as they are read, made fit to be kept: EPSG:2154, multipolygon, valid.

Pure module: no Django, no database. Everything works on arrays of shapely geometries at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

Geometries = NDArray[np.object_]

#: Reference of stored geometry (same as ``settings.SRID``, not imported: this module is pure).
SRID = 2154

#: Where EPSG:2154 may be used, in degrees (west, south, east, north): mainland France, Corsica and around.
#: The area of use of the reference is -9.86, 41.15, 10.38, 51.56; one degree more serves the neighbours abroad.
EMPRISE_2154 = (-10.9, 40.1, 11.4, 52.6)

#: A repair that changes the area by more than this share is refused: the drawing is wrong, not untidy.
CHANGEMENT_MAX = 0.01

#: Metres under which a hole between neighbours is a fault of drawing, not an enclave.
LARGEUR_ECLAT = 1.0


class ReferenceInconnue(ValueError):
    """The coordinate reference is missing or unknown (message in French)."""


@dataclass(frozen=True)
class Reparees:
    """Polygons in EPSG:2154 with what was done to them; all arrays have the length of the input.

    geoms: MultiPolygon, or None where the input was None or empty.
    reparee: True where the input was not valid and was made so.
    raison: what GEOS said of the input, "" where valid.
    changement: relative change of area by the repair (0 where untouched), inf where nothing is left.
    """

    geoms: Geometries
    reparee: NDArray[np.bool_]
    raison: list[str]
    changement: NDArray[np.float64]


def project(geoms: Geometries, source: str | int) -> Geometries:
    """Geometries in EPSG:2154 from the reference ``source`` (anything pyproj knows); Z is dropped.

    Equal input coordinates give equal output coordinates, so shared edges stay shared exactly. Raises
    `ReferenceInconnue`.
    """
    return _transform(geoms, source, SRID)


def to_degrees(geoms: Geometries, source: str | int) -> Geometries:
    """Geometries in EPSG:4326 from the reference ``source``. Raises `ReferenceInconnue`."""
    return _transform(geoms, source, 4326)


def is_degrees(source: str | int) -> bool:
    """True where the reference counts in degrees. Raises `ReferenceInconnue`."""
    return bool(_crs(source).is_geographic)


@lru_cache(maxsize=64)
def _crs(source: str | int) -> CRS:
    try:
        return CRS.from_user_input(source)
    except CRSError as error:
        raise ReferenceInconnue(f"le système de coordonnées « {source} » est inconnu") from error


@lru_cache(maxsize=64)
def _transformer(source: str | int, cible: int) -> Transformer | None:
    """Made once (it takes 10 ms: rows of a file are projected one by one); None where there is nothing to do."""
    crs = _crs(source)
    return None if crs.to_epsg() == cible else Transformer.from_crs(crs, cible, always_xy=True)


def _transform(geoms: Geometries, source: str | int, cible: int) -> Geometries:
    transformer = _transformer(source, cible)
    plates: Geometries = shapely.force_2d(geoms)
    if transformer is None:
        return plates
    projetees: Geometries = shapely.transform(
        plates, lambda xy: np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))
    )
    return projetees


def outside_2154(geoms_4326: Geometries) -> NDArray[np.bool_]:
    """True where a geometry (degrees) leaves the area where EPSG:2154 may be used, or is not made of numbers.

    Missing and empty ones are inside.
    """
    bornes = shapely.bounds(geoms_4326)
    ouest, sud, est, nord = EMPRISE_2154
    with np.errstate(invalid="ignore"):
        dehors: NDArray[np.bool_] = (
            (bornes[:, 0] < ouest) | (bornes[:, 1] < sud) | (bornes[:, 2] > est) | (bornes[:, 3] > nord)
        )
    sans = shapely.is_missing(geoms_4326) | shapely.is_empty(geoms_4326)
    dehors |= ~np.isfinite(bornes).all(axis=1) & ~sans
    return dehors


def _polygonal(geom: shapely.Geometry) -> shapely.MultiPolygon | None:
    """The polygons of any geometry as one MultiPolygon; None when there are none."""
    morceaux = shapely.get_parts(geom)
    morceaux = shapely.get_parts(morceaux)
    polygones = [p for p in morceaux if p.geom_type == "Polygon" and not p.is_empty]
    return shapely.MultiPolygon(polygones) if polygones else None


def repair(geoms: Geometries) -> Reparees:
    """Make every polygon valid and a MultiPolygon; lines and points left by the repair are dropped."""
    n = len(geoms)
    absente = shapely.is_missing(geoms) | shapely.is_empty(geoms)
    valide = shapely.is_valid(geoms)
    raison = [""] * n
    changement = np.zeros(n)
    resultat = np.empty(n, dtype=object)
    reparee = ~valide & ~absente
    for k in range(n):
        if absente[k]:
            continue
        geom = geoms[k]
        if reparee[k]:
            raison[k] = str(shapely.is_valid_reason(geom))
            geom = shapely.make_valid(geom, method="structure")
        multi = _polygonal(geom)
        if multi is None:
            changement[k] = np.inf
            continue
        resultat[k] = multi
        if reparee[k]:
            avant = abs(shapely.area(geoms[k]))
            changement[k] = abs(shapely.area(multi) - avant) / avant if avant > 0 else np.inf
    return Reparees(resultat, reparee, raison, changement)


def sliver(polygone: shapely.Polygon) -> bool:
    """True where a polygon is so thin (mean width under `LARGEUR_ECLAT`) that it is only a fault of drawing."""
    perimetre = shapely.length(polygone)
    return bool(perimetre == 0 or 2 * shapely.area(polygone) / perimetre < LARGEUR_ECLAT)


def union(geoms: Geometries) -> shapely.MultiPolygon | None:
    """Union of polygons in metres as a MultiPolygon, None when there is nothing.

    Vertices of shared edges are kept; slivers between neighbours whose drawings differ a little are filled.
    """
    presentes = geoms[~shapely.is_missing(geoms)] if len(geoms) else geoms
    if not len(presentes):
        return None
    ensemble = _polygonal(shapely.union_all(presentes))
    if ensemble is None:
        return None
    return shapely.MultiPolygon(
        [
            shapely.Polygon(p.exterior, [trou for trou in p.interiors if not sliver(shapely.Polygon(trou))])
            for p in ensemble.geoms
        ]
    )
