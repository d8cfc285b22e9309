"""Vector tiles of a network of 500,000 edges, each zoom, against the same tiles made from the edges themselves.

``python -m benchmarks tuiles [DIR]``: DIR holds OpenStreetMap extracts (``*.osm.pbf``; ../shared/data/osm by default);
the largest network of them is repeated. The base of DATABASE_URL is used and left as it was.
``seconds`` and ``baseline_seconds`` are medians over tiles drawn at random among those that hold roads.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.importation import DEFAUT, tile
from benchmarks.mesure import say, speed
from geodata.lecture_osm import read_osm

TRONCONS = 500_000
TUILES_PAR_ZOOM = 60
#: The bar of the project: median of a tile, at every zoom.
MEDIANE_S = 0.040


def run(args: argparse.Namespace) -> Iterator[dict[str, object]]:
    """One case a zoom; ``exact`` = the median is below the bar. Then the making of the drawings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.db import connection, transaction
    from django.db.utils import DatabaseError

    extraits = sorted((args.dossier or DEFAUT).rglob("*.osm.pbf"))
    if not extraits:
        say("Aucun extrait .osm.pbf : rien à mesurer.")
        return
    try:
        connection.ensure_connection()
    except DatabaseError as erreur:
        say(f"Base absente ({erreur}) ; voir DATABASE_URL.")
        return
    with transaction.atomic():
        yield from _measure(extraits)
        transaction.set_rollback(True)


def _measure(extraits: list[Path]) -> Iterator[dict[str, object]]:
    from geodata.decoupe import project
    from geodata.ecriture import write
    from geodata.generalisation import ZOOM_MAX, ZOOM_MIN, prepare
    from geodata.models import ImportReseau, Reseau
    from geodata.tuiles import road_tile

    reseau = tile(project(max((read_osm([f]) for f in extraits), key=lambda r: r.n_troncons)), TRONCONS)
    banc = Reseau.objects.create(code="banc-tuiles", nom="Banc d'essai des tuiles")
    importation = ImportReseau.objects.create(reseau=banc, format="banc", fichier="banc", empreinte="0" * 64)
    say(f"{reseau.n_troncons} tronçons : écriture")
    write(importation, reseau)
    debut = time.perf_counter()
    prepare(importation.pk)
    say(f"dessins généralisés en {time.perf_counter() - debut:.1f} s")
    for zoom in range(ZOOM_MIN, ZOOM_MAX + 1):
        tuiles = _tiles(importation.pk, zoom)
        nous, octets = _times(tuiles, lambda t: road_tile(importation.pk, t))
        eux, octets_eux = _times(tuiles[: max(3, len(tuiles) // 4)], lambda t: _from_edges(importation.pk, t))
        mediane = statistics.median(nous)
        yield speed(
            "tuiles",
            f"zoom {zoom}, {reseau.n_troncons} tronçons",
            "dessins généralisés",
            mediane,
            "tronçons tels quels",
            statistics.median(eux),
            mediane < MEDIANE_S,
            p95_s=round(sorted(nous)[int(0.95 * (len(nous) - 1))], 6),
            max_s=round(max(nous), 6),
            tuiles=len(tuiles),
            octets_median=int(statistics.median(octets)),
            baseline_octets_median=int(statistics.median(octets_eux)),
        )


def _tiles(import_id: int, zoom: int) -> list[Any]:
    """Tiles that hold a road, at most `TUILES_PAR_ZOOM` of them, always the same ones."""
    from django.db import connection

    from geodata.generalisation import TOUR_M
    from geodata.tuiles import Tuile

    cote = TOUR_M / 2**zoom
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT floor((ST_X(p) + %(demi)s) / %(cote)s)::int, floor((%(demi)s - ST_Y(p)) / %(cote)s)::int "
            "FROM (SELECT ST_StartPoint(geom) AS p FROM geodata_trace WHERE import_reseau_id = %(import)s "
            "AND niveau = 4) t ORDER BY 1, 2",
            {"demi": TOUR_M / 2, "cote": cote, "import": import_id},
        )
        tuiles = [Tuile(zoom, x, y) for x, y in cursor.fetchall()]
    return random.Random(zoom).sample(tuiles, min(len(tuiles), TUILES_PAR_ZOOM))


def _times(tuiles: list[Any], make: Callable[[Any], bytes]) -> tuple[list[float], list[int]]:
    secondes, octets = [], []
    for tuile in tuiles:
        debut = time.perf_counter()
        octets.append(len(make(tuile)))
        secondes.append(time.perf_counter() - debut)
    return secondes, octets


def _from_edges(import_id: int, tuile: Any) -> bytes:
    """All edges of the tile, transformed and clipped as they are."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH e AS (SELECT ST_TileEnvelope(%(z)s, %(x)s, %(y)s) AS cadre),
            troncons AS (
                SELECT classe, ref, nom, ST_AsMVTGeom(ST_Transform(t.geom, 3857), e.cadre, 4096, 128, true) AS geom
                FROM geodata_troncon t, e
                WHERE t.import_reseau_id = %(import)s
                      AND t.geom && ST_Transform(ST_TileEnvelope(%(z)s, %(x)s, %(y)s), 2154)
            )
            SELECT ST_AsMVT(troncons, 'troncons', 4096, 'geom') FROM troncons WHERE geom IS NOT NULL
            """,
            {"z": tuile.z, "x": tuile.x, "y": tuile.y, "import": import_id},
        )
        return bytes(cursor.fetchone()[0])
