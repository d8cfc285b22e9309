"""What every reader of territories gives to the writer.

Pure module: no Django, no database.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import shapely

from territoires.rapport import Rapport


@dataclass(frozen=True)
class CollectiviteLue:
    """A collectivité as read; ``type`` is a value of ``Collectivite.Type``.

    ``geom`` (EPSG:2154) is None when the contour is the union of the communes read with it.
    """

    type: str
    code: str
    nom: str
    geom: shapely.MultiPolygon | None = None


@dataclass(frozen=True)
class CommuneLue:
    """A commune as read; ``departement`` and ``epci`` are codes of collectivités read with it."""

    code: str
    nom: str
    departement: str
    epci: str | None
    population: int | None
    geom: shapely.MultiPolygon | None
    mairie: shapely.Point | None
    ligne: int | None = None


@dataclass(frozen=True)
class TerritoireLu:
    """All that one source says of a set of collectivités.

    ``type_decoupage`` is the type of the collectivités that communes name as ``departement``: those that cut the
    roads. ``complet`` tells that every commune of these is here, so that one which is not has vanished.
    """

    communes: list[CommuneLue]
    collectivites: list[CollectiviteLue]
    type_decoupage: str
    edition: str
    source: str
    licence: str
    complet: bool = True
    reparees: int = 0
    rapport: Rapport = field(default_factory=Rapport)
