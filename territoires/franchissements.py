"""Where roads cross the limits between collectivités of any type.

Between collectivités that cut the network these are its points de passage. Between EPCI, whose limits do not cut
it, they are found where an edge crosses the line; on stretches both kinds share, points de passage are taken as
they are, so that no crossing counts twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db import connection
from scipy.spatial import cKDTree

from geodata.models import PointPassage

from .models import Collectivite, Limite

#: Two crossings of one limit nearer than this are one (metres).
CONFONDUS_M = 5.0

#: A point de passage this near a limit is on it: it was computed on the same line in floating point (metres).
_SUR_LA_LIMITE_M = 0.5


@dataclass(frozen=True)
class Franchissement:
    """A road crossing the limit between ``a < b`` (primary keys); x, y in EPSG:2154.

    ``noeud`` is the node's position in the network, None where the limit does not cut it.
    """

    a: int
    b: int
    x: float
    y: float
    classe: int
    gestion: int
    ref: str
    nom: str
    noeud: int | None = None


def crossings(import_id: int, collectivites: Sequence[Collectivite]) -> list[Franchissement]:
    """Crossings of the limits between these collectivités on one import of a network, sorted by limit and class."""
    decoupage = {c.code: c.pk for c in collectivites if c.type != Collectivite.Type.EPCI}
    points = [
        Franchissement(
            *sorted((decoupage[p.departement_a], decoupage[p.departement_b])),
            x=p.geom.x,
            y=p.geom.y,
            classe=p.classe,
            gestion=p.gestion,
            ref=p.ref,
            nom=p.nom,
            noeud=p.noeud,
        )
        for p in PointPassage.objects.filter(
            import_reseau=import_id, departement_a__in=decoupage, departement_b__in=decoupage
        )
    ]
    epci = [c.pk for c in collectivites if c.type == Collectivite.Type.EPCI]
    if len(epci) > 1:
        points += _between_epci(import_id, epci)
    return sorted(points, key=lambda p: (p.a, p.b, p.classe, p.ref, p.nom, p.x, p.y))


def _between_epci(import_id: int, epci: Sequence[int]) -> list[Franchissement]:
    limites = Limite.objects.filter(collectivite_a__in=epci, collectivite_b__in=epci)
    pks = list(limites.values_list("pk", flat=True))
    trouves = [Franchissement(*ligne) for ligne in _rows(_SUR_POINTS, import_id, pks)]
    trouves += [Franchissement(*ligne) for ligne in _rows(_SUR_TRONCONS, import_id, pks)]
    if not trouves:
        return []
    # Points de passage come first, then the busiest road: those are the ones kept among neighbours.
    xy = np.array([(p.x, p.y) for p in trouves])
    rang = sorted(range(len(trouves)), key=lambda k: (trouves[k].noeud is None, trouves[k].classe, k))
    priorite = {k: i for i, k in enumerate(rang)}
    ecartes = set()
    for i, j in cKDTree(xy).query_pairs(CONFONDUS_M):
        if (trouves[i].a, trouves[i].b) == (trouves[j].a, trouves[j].b):
            ecartes.add(max(i, j, key=priorite.__getitem__))
    return [p for k, p in enumerate(trouves) if k not in ecartes]


def _rows(sql: str, import_id: int, limites: list[int]) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"import": import_id, "limites": limites, "pres": _SUR_LA_LIMITE_M})
        return cursor.fetchall()


_SUR_POINTS = """
    SELECT l.collectivite_a_id, l.collectivite_b_id, ST_X(p.geom), ST_Y(p.geom), p.classe, p.gestion, p.ref, p.nom,
           p.noeud
    FROM territoires_limite l
    JOIN geodata_pointpassage p ON p.import_reseau_id = %(import)s AND ST_DWithin(p.geom, l.geom, %(pres)s)
    WHERE l.id = ANY(%(limites)s)
"""

# Only points: a road that runs along the limit does not cross it there.
_SUR_TRONCONS = """
    SELECT a, b, ST_X(point.geom), ST_Y(point.geom), classe, gestion, ref, nom, NULL::integer
    FROM (
        SELECT l.collectivite_a_id AS a, l.collectivite_b_id AS b, t.classe, t.gestion, t.ref, t.nom,
               ST_Intersection(t.geom, l.geom) AS commun
        FROM territoires_limite l
        JOIN geodata_troncon t ON t.import_reseau_id = %(import)s AND ST_Intersects(t.geom, l.geom)
        WHERE l.id = ANY(%(limites)s) AND NOT t.bretelle
    ) croise, ST_Dump(ST_CollectionExtract(commun, 1)) point
"""
