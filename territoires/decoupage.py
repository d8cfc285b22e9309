"""The polygons that cut the road network: the collectivités that communes name as their ``departement``.

In France these are the départements; elsewhere what `importer_territoire --osm` was told (``--niveau-collectivite``).
"""

from __future__ import annotations

from collections.abc import Iterable

import shapely
from django.conf import settings
from django.contrib.gis.db.models import QuerySet
from django.contrib.gis.geos import Polygon

from .importation.ecriture import to_shapely
from .models import Collectivite
from .rapport import DonneesRefusees

Aire = tuple[str, shapely.MultiPolygon]


def _cutting() -> QuerySet[Collectivite]:
    """Active collectivités with a contour that are the ``departement`` of at least one commune."""
    return (
        Collectivite.objects.filter(active=True, geom__isnull=False, communes_departement__isnull=False)
        .distinct()
        .order_by("code")
    )


def decoupage(codes: Iterable[str] | None = None) -> list[Aire]:
    """(code, contour in EPSG:2154) of the collectivités that cut roads, sorted by code; all of them without ``codes``.

    Raises `DonneesRefusees` where a code is not in the database.
    """
    voulues = _cutting()
    if codes is not None:
        codes = list(dict.fromkeys(codes))
        voulues = voulues.filter(code__in=codes)
    aires = [(c.code, to_shapely(c.geom)) for c in voulues]
    if codes is not None and (manquantes := sorted(set(codes) - {code for code, _ in aires})):
        raise DonneesRefusees(
            f"collectivité absente de la base : {', '.join(manquantes)} ; lancez d'abord importer_territoire."
        )
    return aires


def decoupage_touching(bounds: tuple[float, float, float, float]) -> list[Aire]:
    """As `decoupage`, for the collectivités whose contour meets a box (xmin, ymin, xmax, ymax) in EPSG:2154."""
    boite = Polygon.from_bbox(bounds)
    boite.srid = settings.SRID
    return [(c.code, to_shapely(c.geom)) for c in _cutting().filter(geom__intersects=boite)]
