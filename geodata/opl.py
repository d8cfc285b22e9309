"""Drivable ways and turn restrictions of an OpenStreetMap file as OPL lines, written by libosmium and read in bulk.

Python spends a microsecond on each node it is handed; libosmium filters, locates and writes a whole extract in a
tenth of the time, and numpy reads the numbers back at once. Pure module.
Format: https://osmcode.org/opl-file-format/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import osmium
from numpy.typing import NDArray

from geodata.classes import CLASSE_PAR_HIGHWAY
from geodata.reseau import I32, I64

#: Coordinate (1e-7 degree) of a node without a location.
INDEFINI = 2**31 - 1

_SEPARATEURS = bytes.maketrans(b"nxy,", b"    ")
_SANS_LIEU = f"x{INDEFINI / 1e7:.7f}y{INDEFINI / 1e7:.7f}".encode()
_ECHAPPE = re.compile(rb"%([0-9a-fA-F]+)%")


class FichierHistorique(ValueError):
    """The file holds several versions of its objects."""


def export(source: Path, destination: Path) -> None:
    """Write the drivable ways, with the locations of their nodes, and the restrictions of ``source`` as OPL.

    Raises `FichierHistorique`, and what osmium raises on a file it cannot read (RuntimeError, ValueError).
    """
    voie, relation = osmium.osm.WAY, osmium.osm.RELATION
    carrossables = osmium.filter.TagFilter(*(("highway", h) for h in CLASSE_PAR_HIGHWAY))
    carrossables.enable_for(voie)
    restrictions = osmium.filter.TagFilter(("type", "restriction"))
    restrictions.enable_for(relation)
    lieux = osmium.NodeLocationsForWays(osmium.index.create_map("flex_mem"))
    lieux.ignore_errors()
    entree = osmium.io.File(str(source))
    with osmium.io.Reader(entree, osmium.osm.NODE | voie | relation) as lecteur:
        if entree.has_multiple_object_versions or lecteur.header().has_multiple_object_versions:
            raise FichierHistorique
        fichier = osmium.io.File(str(destination), "opl,add_metadata=version,locations_on_ways=true")
        with osmium.SimpleWriter(fichier, overwrite=True) as sortie:
            filtres = (osmium.filter.EntityFilter(voie | relation), carrossables, restrictions)
            osmium.apply(lecteur, lieux, *filtres, sortie)


class Ligne(NamedTuple):
    """One object: ``genre`` "w" or "r", raw ``tags`` (still escaped), ``corps`` = its nodes or its members."""

    genre: str
    ident: int
    version: int
    tags: bytes
    corps: bytes


def read(chemin: Path) -> Iterator[Ligne]:
    """Objects of an OPL file, in order."""
    with chemin.open("rb") as flux:
        for brute in flux:
            champs = brute.split()
            version, tags, corps = 0, b"", b""
            for champ in champs[1:]:
                initiale = champ[:1]
                if initiale == b"T":
                    tags = champ[1:]
                elif initiale in b"NM":
                    corps = champ[1:]
                elif initiale == b"v":
                    version = int(champ[1:])
            yield Ligne(chr(brute[0]), int(champs[0][1:]), version, tags, corps)


def tags_of(tags: bytes) -> dict[str, str]:
    """Keys and values, unescaped."""
    paires = (paire.partition(b"=") for paire in tags.split(b",") if paire)
    return {_text(cle): _text(valeur) for cle, _, valeur in paires}


def _text(brut: bytes) -> str:
    if b"%" in brut:
        brut = _ECHAPPE.sub(lambda m: chr(int(m.group(1), 16)).encode("utf-8", "replace"), brut)
    return brut.decode("utf-8", "replace")


def members_of(membres: bytes) -> list[tuple[str, int, str]]:
    """(type "n", "w" or "r", identifier, role) of a relation's members."""
    sortie = []
    for membre in membres.split(b","):
        if membre:
            objet, _, role = membre.partition(b"@")
            sortie.append((chr(objet[0]), int(objet[1:]), _text(role)))
    return sortie


def nodes_of(corps: Sequence[bytes]) -> tuple[I32, I64, I32, I32]:
    """Nodes of many ways: how many each way has (w,), then identifiers and coordinates (1e-7 degree) end to end (N,).

    A node without a location has `INDEFINI` for both coordinates.
    """
    taille = np.fromiter((c.count(b"n") for c in corps), dtype=np.int32, count=len(corps))
    texte = b",".join(corps).replace(b"xy", _SANS_LIEU).translate(_SEPARATEURS)
    # Identifiers are far below 2**53: a float64 holds them exactly.
    nombres: NDArray[np.float64] = np.fromstring(texte, dtype=np.float64, sep=" ")
    triplets = nombres.reshape(-1, 3)
    fixes = np.rint(triplets[:, 1:] * 1e7).astype(np.int32)
    return taille, triplets[:, 0].astype(np.int64), fixes[:, 0].copy(), fixes[:, 1].copy()
