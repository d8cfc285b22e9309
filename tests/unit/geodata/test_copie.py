"""Binary COPY made by whole arrays, against the same rows packed one value at a time."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.copie import ENTETE, FIN, Colonnes, decode_records, encode

TEXTES = ("", "D 500", "Église", "漢字 😀", "x" * 300, "nul\x00ici")


def packed(valeur: bytes | None) -> bytes:
    return struct.pack(">i", -1) if valeur is None else struct.pack(">i", len(valeur)) + valeur


def one_by_one(
    rangs: list[int], nombres: list[float], textes: list[int], lignes: list[list[tuple[float, float]]]
) -> bytes:
    """The reference: every field by `struct`."""
    sortie = ENTETE
    for rang, nombre, texte, ligne in zip(rangs, nombres, textes, lignes, strict=True):
        geom = struct.pack("<BIII", 1, 0x20000002, 2154, len(ligne)) + b"".join(struct.pack("<dd", *p) for p in ligne)
        sortie += struct.pack(">h", 5)
        sortie += packed(struct.pack(">i", rang)) + packed(struct.pack(">q", 7))
        sortie += packed(None if np.isnan(nombre) else struct.pack(">d", nombre))
        sortie += packed(TEXTES[texte].replace("\x00", "").encode()) + packed(geom)
    return sortie + FIN


_coordonnee = st.floats(-1e7, 1e7)
_ligne = st.lists(st.tuples(_coordonnee, _coordonnee), min_size=2, max_size=5)
_rangee = st.tuples(
    st.integers(-(2**31), 2**31 - 1), st.floats(width=32), st.integers(0, len(TEXTES) - 1), _ligne
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(_rangee, max_size=12), st.integers(1, 13))
def test_same_bytes_as_one_value_at_a_time(rangees: list[tuple[int, float, int, list]], bloc: int) -> None:
    rangs, nombres, textes, lignes = (list(c) for c in zip(*rangees, strict=True)) if rangees else ([], [], [], [])
    xy = np.array([p for li in lignes for p in li]).reshape(-1, 2)
    colonnes = Colonnes(
        m=len(rangees),
        fixes=[("rang", ">i4", np.array(rangs, dtype=np.int64)), ("import", ">i8", 7)],
        nullables=[("largeur", np.array(nombres, dtype=np.float32))],
        textes=[("nom", np.array(textes, dtype=np.int32), TEXTES)],
        ligne=(np.cumsum([0, *map(len, lignes)]).astype(np.int64), xy[:, 0].copy(), xy[:, 1].copy()),
    )
    assert colonnes.noms == ["rang", "import", "largeur", "nom", "geom"]
    blocs = list(encode(colonnes, bloc))
    assert sum(n for n, _ in blocs) == len(rangees)
    assert b"".join(o for _, o in blocs) == one_by_one(rangs, nombres, textes, lignes)


def test_points() -> None:
    colonnes = Colonnes(1, [("passage", "u1", np.array([True]))], point=(np.array([1.5]), np.array([2.5])))
    octets = b"".join(o for _, o in encode(colonnes))
    geom = struct.pack("<BIIdd", 1, 0x20000001, 2154, 1.5, 2.5)
    assert octets == ENTETE + struct.pack(">h", 2) + packed(b"\x01") + packed(geom) + FIN


def test_records_that_are_not_what_was_asked() -> None:
    record = struct.pack(">iiii", 1, 23, 4, 42)
    assert decode_records(record * 3, [("n", ">i4")])["n"].tolist() == [42, 42, 42]
    with pytest.raises(ValueError, match="taille inattendue"):
        decode_records(record[:-1], [("n", ">i4")])
    with pytest.raises(ValueError, match="champ n de taille inattendue"):
        decode_records(struct.pack(">iii", 1, 23, -1) + b"    ", [("n", ">i4")])
