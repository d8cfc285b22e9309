"""PostgreSQL's binary COPY format, made and read by whole arrays: no Python work for each row.

Pure module: numpy only. Format: https://www.postgresql.org/docs/current/sql-copy.html ("Binary Format");
geometries travel as EWKB, little-endian, with their SRID.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

ENTETE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
FIN = b"\xff\xff"
LIGNES_PAR_BLOC = 32_768

_POINT = 0x20000001
_LIGNE = 0x20000002
#: EWKB before the vertices of a line: byte order (1), type (4), SRID (4), number of vertices (4).
_TETE_LIGNE = np.dtype([("taille", ">i4"), ("ordre", "u1"), ("type", "<u4"), ("srid", "<u4"), ("n", "<u4")])
_CHAMP_POINT = np.dtype(
    [("taille", ">i4"), ("ordre", "u1"), ("type", "<u4"), ("srid", "<u4"), ("x", "<f8"), ("y", "<f8")]
)


@dataclass(frozen=True)
class Colonnes:
    """Columns of m rows. COPY must list them in this order: fixed, nullable, texts, then the geometry.

    fixes: (name, big-endian dtype, array (m,) or one value); dtype one of >i8 >i4 >i2 >f8 u1 (boolean).
    nullables: (name, float array (m,)), NaN = NULL.
    textes: (name, codes (m,), table of values).
    geometry: points (x, y) of shape (m,), or lines (debut (m + 1,), x, y).
    """

    m: int
    fixes: Sequence[tuple[str, str, NDArray[np.generic] | int]]
    nullables: Sequence[tuple[str, NDArray[np.floating]]] = ()
    textes: Sequence[tuple[str, NDArray[np.integer], Sequence[str]]] = ()
    srid: int = 2154
    point: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    ligne: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]] | None = None
    geom: str = "geom"

    @property
    def noms(self) -> list[str]:
        """Column names in the order of the encoded rows."""
        noms = [c[0] for c in self.fixes] + [c[0] for c in self.nullables] + [c[0] for c in self.textes]
        return noms + ([self.geom] if self.point or self.ligne else [])


def _fenetres(tampon: NDArray[np.uint8], largeur: int) -> NDArray[np.void]:
    """Every run of ``largeur`` bytes of the buffer as one item, so that one index moves a whole run."""
    return np.ndarray((max(len(tampon) - largeur + 1, 0),), dtype=f"V{largeur}", buffer=tampon.data, strides=(1,))


@dataclass(frozen=True)
class _TableTextes:
    """Texts in UTF-8, each behind its length, end to end."""

    octets: NDArray[np.uint8]
    debut: NDArray[np.int64]
    taille: NDArray[np.int64] = field(repr=False)

    @classmethod
    def of(cls, valeurs: Sequence[str]) -> _TableTextes:
        # A NUL byte cannot be stored by PostgreSQL.
        brut = [v.replace("\x00", "").encode("utf-8", "replace") for v in valeurs] or [b""]
        champs = [len(b).to_bytes(4, "big") + b for b in brut]
        taille = np.array([len(c) for c in champs], dtype=np.int64)
        return cls(np.frombuffer(b"".join(champs), dtype=np.uint8), np.cumsum(taille) - taille, taille)

    def scatter(self, tampon: NDArray[np.uint8], position: NDArray[np.int64], codes: NDArray[np.integer]) -> None:
        """Put text ``codes[i]`` at ``position[i]``."""
        taille, debut = self.taille[codes], self.debut[codes]
        for t in np.unique(taille):
            choix = taille == t
            _fenetres(tampon, int(t))[position[choix]] = _fenetres(self.octets, int(t))[debut[choix]]


def encode(colonnes: Colonnes, lignes_par_bloc: int = LIGNES_PAR_BLOC) -> Iterator[tuple[int, memoryview]]:
    """Blocks (number of rows, bytes) that end to end are one binary COPY, header and trailer included."""
    yield 0, memoryview(ENTETE)
    tables = [_TableTextes.of(valeurs) for _, _, valeurs in colonnes.textes]
    for debut in range(0, colonnes.m, lignes_par_bloc):
        fin = min(debut + lignes_par_bloc, colonnes.m)
        yield fin - debut, _bloc(colonnes, tables, debut, fin)
    yield 0, memoryview(FIN)


def _bloc(colonnes: Colonnes, tables: list[_TableTextes], debut: int, fin: int) -> memoryview:
    k = fin - debut
    fixe = _partie_fixe(colonnes, debut, fin)
    absents = [np.isnan(np.asarray(v[debut:fin])) for _, v in colonnes.nullables]
    codes = [np.asarray(c[debut:fin]) for _, c, _ in colonnes.textes]
    taille = np.full(k, fixe.dtype.itemsize, dtype=np.int64)
    for absent in absents:
        taille += np.where(absent, 4, 12)
    for table, code in zip(tables, codes, strict=True):
        taille += table.taille[code]
    n_sommets = None
    if colonnes.ligne is not None:
        n_sommets = np.diff(colonnes.ligne[0][debut : fin + 1])
        taille += _TETE_LIGNE.itemsize + 16 * n_sommets
    position = np.cumsum(taille) - taille
    tampon = np.zeros(int(taille.sum()), dtype=np.uint8)

    _fenetres(tampon, fixe.dtype.itemsize)[position] = fixe.view(f"V{fixe.dtype.itemsize}")
    position = position + fixe.dtype.itemsize
    for absent, (_, valeurs) in zip(absents, colonnes.nullables, strict=True):
        _fenetres(tampon, 4)[position] = np.where(absent, -1, 8).astype(">i4").view("V4")
        present = ~absent
        _fenetres(tampon, 8)[position[present] + 4] = valeurs[debut:fin][present].astype(">f8").view("V8")
        position = position + np.where(absent, 4, 12)
    for table, code in zip(tables, codes, strict=True):
        table.scatter(tampon, position, code)
        position = position + table.taille[code]
    if colonnes.ligne is not None and n_sommets is not None:
        _lignes(tampon, position, n_sommets, colonnes, debut, fin)
    return tampon.data


def _partie_fixe(colonnes: Colonnes, debut: int, fin: int) -> NDArray[np.void]:
    """The number of columns, then the columns of constant size, as one structured array (k,)."""
    champs: list[tuple[str, str | np.dtype[np.void]]] = [("n_colonnes", ">i2")]
    for nom, type_pg, _ in colonnes.fixes:
        champs += [(f"t_{nom}", ">i4"), (nom, type_pg)]
    if colonnes.point:
        champs.append(("point", _CHAMP_POINT))
    fixe = np.zeros(fin - debut, dtype=np.dtype(champs))
    fixe["n_colonnes"] = len(colonnes.noms)
    for nom, type_pg, valeurs in colonnes.fixes:
        fixe[f"t_{nom}"] = np.dtype(type_pg).itemsize
        fixe[nom] = valeurs if isinstance(valeurs, int) else valeurs[debut:fin]
    if colonnes.point:
        point = fixe["point"]
        point["taille"], point["ordre"], point["type"] = _CHAMP_POINT.itemsize - 4, 1, _POINT
        point["srid"] = colonnes.srid
        point["x"], point["y"] = colonnes.point[0][debut:fin], colonnes.point[1][debut:fin]
    return fixe


def _lignes(
    tampon: NDArray[np.uint8],
    position: NDArray[np.int64],
    n_sommets: NDArray[np.int64],
    colonnes: Colonnes,
    debut: int,
    fin: int,
) -> None:
    assert colonnes.ligne is not None
    geom_debut, x, y = colonnes.ligne
    tete = np.zeros(fin - debut, dtype=_TETE_LIGNE)
    tete["taille"] = _TETE_LIGNE.itemsize - 4 + 16 * n_sommets
    tete["ordre"], tete["type"], tete["srid"], tete["n"] = 1, _LIGNE, colonnes.srid, n_sommets
    _fenetres(tampon, _TETE_LIGNE.itemsize)[position] = tete.view(f"V{_TETE_LIGNE.itemsize}")
    premier, dernier = int(geom_debut[debut]), int(geom_debut[fin])
    sommets = np.empty((dernier - premier, 2), dtype="<f8")
    sommets[:, 0], sommets[:, 1] = x[premier:dernier], y[premier:dernier]
    place = np.repeat(position + _TETE_LIGNE.itemsize - 16 * (geom_debut[debut:fin] - premier), n_sommets)
    place += 16 * np.arange(dernier - premier)
    _fenetres(tampon, 16)[place] = sommets.view("V16").ravel()


def decode_records(octets: bytes, champs: Sequence[tuple[str, str]]) -> NDArray[np.void]:
    """Records of ``record_send`` end to end, whose fields all have a constant size and are never NULL.

    ``champs``: (name, big-endian dtype). Returns a structured array with these names.
    Raises ValueError where the bytes are not such records.
    """
    tout: list[tuple[str, str]] = [("n_champs", ">i4")]
    for nom, dtype in champs:
        tout += [(f"type {nom}", ">i4"), (f"taille {nom}", ">i4"), (nom, dtype)]
    dtype_ligne = np.dtype(tout)
    if len(octets) % dtype_ligne.itemsize:
        raise ValueError("enregistrements binaires : taille inattendue")
    lignes: NDArray[np.void] = np.frombuffer(octets, dtype_ligne)
    for nom, dtype in champs:
        if not np.all(lignes[f"taille {nom}"] == np.dtype(dtype).itemsize):
            raise ValueError(f"enregistrements binaires : champ {nom} de taille inattendue")
    return lignes
