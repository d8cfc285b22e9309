"""Graphs of the networks in the database, kept by the process.

The content of an import never changes, so a graph is kept under its import's id; which import a network stands for is
asked each time (one query), so that a new import is seen at once and the graph it replaces is let go.
"""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from functools import partial

import numpy as np
from django.db import transaction

from geodata import lecture_base, moteur_cch
from geodata.graphe import Graphe
from geodata.models import ImportReseau, OrdreContraction, Reseau
from geodata.profils import VOITURE
from geodata.reseau import I32
from geodata.temps import NOEUDS_MIN

#: Graphs kept by a process, the most recently used last (a département with all its roads takes some 100 MB).
GRAPHES_GARDES = 3

METHODE = "flot inertiel"


class ReseauAbsent(LookupError):
    """No network of that code, or nothing imported in it yet; the message is for agents."""


class _Cache:
    """Graphs by import id. Two threads that want the same one load it once; others are not held up."""

    def __init__(self) -> None:
        self._graphes: OrderedDict[int, Graphe] = OrderedDict()
        self._chargements: dict[int, threading.Lock] = {}
        self._verrou = threading.Lock()

    def get(self, import_id: int) -> Graphe:
        with self._verrou:
            chargement = self._chargements.setdefault(import_id, threading.Lock())
        with chargement:
            with self._verrou:
                if import_id in self._graphes:
                    self._graphes.move_to_end(import_id)
                    return self._graphes[import_id]
            graphe = _load(import_id)
            with self._verrou:
                self._graphes[import_id] = graphe
                while len(self._graphes) > GRAPHES_GARDES:
                    self._graphes.popitem(last=False)
            return graphe

    def clear(self) -> None:
        with self._verrou:
            self._graphes.clear()
            self._chargements.clear()


_cache = _Cache()


def load_graphe(import_id: int) -> Graphe:
    """The graph of one import, from memory or from the database.

    Raises `geodata.lecture_base.ImportAbsent` and `geodata.graphe.GrapheInvalide` (nothing in it).
    """
    return _cache.get(import_id)


def current_graphe(code: str) -> Graphe:
    """The graph of a network's current import: one query when it is in memory. Raises `ReseauAbsent`."""
    import_id = Reseau.objects.filter(code=code).values_list("import_courant", flat=True).first()
    if import_id is None:
        raise ReseauAbsent(f"Réseau « {code} » : inconnu, ou rien n'y a encore été importé.")
    return load_graphe(import_id)


def clear() -> None:
    """Forget every graph (tests, and processes that give memory back)."""
    _cache.clear()


def prepare_ordre(import_id: int) -> Graphe:
    """Compute and save the contraction order of an import that has none, and check what it gives.

    Some seconds for 200,000 nodes; nothing for a network too small to use one. Left undone, the first question that
    needs the order does it. Raises `geodata.hierarchie.HierarchieFausse`.
    """
    # Compiled code takes half a second to load: only where it is used.
    from geodata import hierarchie

    graphe = load_graphe(import_id)
    if graphe.n >= NOEUDS_MIN and graphe.ordre is None:
        graphe.ensure_ordre(moteur_cch.compute_ordre)
        hierarchie.verify(graphe, graphe.poids(VOITURE))
    return graphe


def save_ordre(import_id: int, ordre: I32, duree_s: float) -> None:
    """Keep an order, int32 (n,) little-endian, deflated. Nothing is kept of an import that is gone."""
    with transaction.atomic():
        if not ImportReseau.objects.filter(pk=import_id).exists():
            return
        OrdreContraction.objects.update_or_create(
            import_reseau_id=import_id,
            defaults={
                "methode": METHODE,
                "duree_s": duree_s,
                "rangs": zlib.compress(ordre.astype("<i4").tobytes(), level=6),
            },
        )


def load_ordre(import_id: int) -> I32 | None:
    """The order kept for an import, int32 (n,), or None."""
    rangs = OrdreContraction.objects.filter(import_reseau=import_id).values_list("rangs", flat=True).first()
    if rangs is None:
        return None
    return np.frombuffer(zlib.decompress(bytes(rangs)), dtype="<i4").astype(np.int32)


def _load(import_id: int) -> Graphe:
    graphe = Graphe.from_tableaux(lecture_base.load(import_id), load_ordre(import_id))
    graphe.garder_ordre = partial(save_ordre, import_id)
    return graphe
