"""pgRouting as a peer: many-to-many costs in a temporary table of the database of DATABASE_URL."""

from __future__ import annotations

import os
import time

import numpy as np
import psycopg

from geodata.graphe import Poids
from geodata.profils import INF_MS
from geodata.reseau import I32, I64


class PgroutingAbsent(RuntimeError):
    """No database, or no pgRouting in it; the message says which."""


def costs(poids: Poids, sources: I32, cibles: I32) -> tuple[float, I64]:
    """Seconds and times (sources, cibles) in ms by ``pgr_dijkstraCost``, `INF_MS` = unreachable.

    Loading the table is not counted. Nothing stays in the database: all is rolled back. Raises `PgroutingAbsent`.
    """
    adresse = os.environ.get("DATABASE_URL", "").replace("postgis://", "postgresql://", 1)
    if not adresse:
        raise PgroutingAbsent("pgrouting absent : DATABASE_URL n'est pas défini")
    try:
        connexion = psycopg.connect(adresse)
    except psycopg.OperationalError as erreur:
        raise PgroutingAbsent("pgrouting absent : base injoignable") from erreur
    with connexion:
        try:
            connexion.execute("CREATE EXTENSION IF NOT EXISTS postgis")
            connexion.execute("CREATE EXTENSION IF NOT EXISTS pgrouting")
        except psycopg.Error as erreur:
            raise PgroutingAbsent("pgrouting absent de ce serveur PostgreSQL") from erreur
        secondes, matrice = _measure(connexion, poids, sources, cibles)
        connexion.rollback()
    return secondes, matrice


def _measure(connexion: psycopg.Connection, poids: Poids, sources: I32, cibles: I32) -> tuple[float, I64]:
    m = poids.graphe.m
    aller, retour = (np.where(w == INF_MS, -1, w) for w in (poids.ms[:m], poids.ms[m:]))
    connexion.execute(
        "CREATE TEMP TABLE arcs (id int PRIMARY KEY, source int, target int, cost float8, reverse_cost float8)"
    )
    reseau = poids.graphe.reseau
    with connexion.cursor().copy("COPY arcs FROM STDIN") as copie:
        for ligne in zip(range(m), reseau.source.tolist(), reseau.cible.tolist(), aller.tolist(), retour.tolist()):  # noqa: B905
            copie.write_row(ligne)
    connexion.execute("ANALYZE arcs")
    debut = time.perf_counter()
    lignes = connexion.execute(
        "SELECT start_vid, end_vid, agg_cost FROM pgr_dijkstraCost("
        "'SELECT id, source, target, cost, reverse_cost FROM arcs', %s::int[], %s::int[], true)",
        [sources.tolist(), cibles.tolist()],
    ).fetchall()
    secondes = time.perf_counter() - debut
    trouve = {(a, b): int(c) for a, b, c in lignes}
    matrice = np.full((len(sources), len(cibles)), int(INF_MS), dtype=np.int64)
    for i, a in enumerate(sources.tolist()):
        for j, b in enumerate(cibles.tolist()):
            matrice[i, j] = 0 if a == b else trouve.get((a, b), int(INF_MS))
    return secondes, matrice
