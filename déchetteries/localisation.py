"""In which commune places lie, and whether a road is near. One query for any number of places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from django.conf import settings
from django.contrib.gis.db.models.functions import AsWKB
from django.contrib.gis.geos import Polygon
from numpy.typing import NDArray

from geodata.graphe_cache import current_graphe
from geodata.temps import snap
from territoires.models import Commune


@dataclass(frozen=True)
class Ici:
    """The commune a place lies in; ``autorite`` is its EPCI, or the collectivité it belongs to where it has none."""

    pk: int
    code: str
    nom: str
    autorite: int
    epci: int | None


def communes_of(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[Ici | None]:
    """Commune of each place (EPSG:2154), None outside every active commune; on a border, the first code."""
    if not len(x):
        return []
    boite = Polygon.from_bbox((float(x.min()) - 1, float(y.min()) - 1, float(x.max()) + 1, float(y.max()) + 1))
    boite.srid = settings.SRID
    lignes = list(
        Commune.objects.filter(active=True, geom__intersects=boite)
        .order_by("code")
        .values_list("pk", "code", "nom", "epci_id", "departement_id", AsWKB("geom"))
    )
    trouvees: list[Ici | None] = [None] * len(x)
    if not lignes:
        return trouvees
    arbre = shapely.STRtree([shapely.from_wkb(bytes(ligne[-1])) for ligne in lignes])
    points, communes = arbre.query(shapely.points(x, y), predicate="intersects")
    for p, c in sorted(zip(points.tolist(), communes.tolist(), strict=True), reverse=True):
        pk, code, nom, epci, departement, _ = lignes[c]
        trouvees[p] = Ici(pk, code, nom, departement if epci is None else epci, epci)
    return trouvees


def close_pairs(x: NDArray[np.float64], y: NDArray[np.float64], distance_m: float) -> list[tuple[int, int, float]]:
    """Pairs of places (positions i < j, metres) nearer to each other than a distance."""
    if len(x) < 2:
        return []
    points = shapely.points(x, y)
    a, b = shapely.STRtree(points).query(points, predicate="dwithin", distance=distance_m)
    couples = sorted((i, j) for i, j in zip(a.tolist(), b.tolist(), strict=True) if i < j)
    return [(i, j, float(shapely.distance(points[i], points[j]))) for i, j in couples]


def far_from_roads(x: Sequence[float], y: Sequence[float], reseau: str, limite_m: float) -> list[tuple[int, str]]:
    """(position, French sentence) of each place without a usable road of the network within a distance.

    Raises `geodata.graphe_cache.ReseauAbsent`.
    """
    return list(snap(current_graphe(reseau), x, y, "voiture", limite_m).anomalies())
