"""Gaps between communes: places the source's polygons leave empty, and the commune each belongs to.

Recent mergers leave some: the new commune keeps the polygon of one of its parts and the others have none, so that
roads there would be outside every département. A gap is given to a commune only where one neighbour alone has parts
without polygon; any other gap is reported and left.

Pure module: no Django, no database.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from .geometrie import Geometries, sliver, union


@dataclass(frozen=True)
class Lacune:
    """A hole of the coverage: its neighbours (positions), and the one it belongs to (None = cannot be told)."""

    geom: shapely.Polygon
    voisines: tuple[int, ...]
    attribuee: int | None


def find_gaps(geoms: Geometries, incomplete: NDArray[np.bool_]) -> list[Lacune]:
    """Holes wider than a sliver in the union of polygons (metres; None allowed).

    ``incomplete[k]`` tells that the k-th commune has parts whose polygon is missing from the source.
    """
    ensemble = union(geoms)
    if ensemble is None:
        return []
    trous = [shapely.Polygon(ring) for polygone in ensemble.geoms for ring in polygone.interiors]
    arbre = shapely.STRtree(geoms)
    resultat = []
    for trou in trous:
        if sliver(trou):
            continue
        voisines = sorted(int(k) for k in arbre.query(trou, predicate="intersects"))
        candidates = [k for k in voisines if incomplete[k] and _along(geoms[k], trou)]
        resultat.append(Lacune(trou, tuple(voisines), candidates[0] if len(candidates) == 1 else None))
    return resultat


def _along(geom: shapely.Geometry, trou: shapely.Polygon) -> bool:
    """True where the two share a line, not only points."""
    return bool(shapely.length(shapely.intersection(geom, trou.exterior)) > 0)
