"""A mixed integer program as flat arrays, made row by block, and what a solver says of it. Pure module: numpy only.

Modelling layers take seconds where arrays take hundredths: rows are given as arrays of (row, column, value).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .probleme import F64, I32, B


@dataclass(frozen=True, eq=False)
class Mip:
    """Minimise ``cout @ x + constante`` with bas <= x <= haut, ``entier`` (n,) bool, and rows
    ligne_bas <= A x <= ligne_haut, A in compressed rows (debut, colonne, valeur)."""

    cout: F64
    bas: F64
    haut: F64
    entier: B
    debut: I32
    colonne: I32
    valeur: F64
    ligne_bas: F64
    ligne_haut: F64
    constante: float = 0.0


class Verdict(StrEnum):
    """What the solver says: proven optimal, feasible, proven infeasible, nothing yet."""

    OPTIMAL = "optimal"
    REALISABLE = "realisable"
    IRREALISABLE = "irrealisable"
    INCONNU = "inconnu"


@dataclass(frozen=True, eq=False)
class Reponse:
    """x: best point or None; objectif: its value, inf without; borne: proven lower bound, -inf without."""

    verdict: Verdict
    x: F64 | None
    objectif: float
    borne: float
    noeuds: int = 0


@dataclass
class Lignes:
    """Columns and rows under construction."""

    n: int = 0
    m: int = 0
    couts: list[F64] = field(default_factory=list)
    bas: list[F64] = field(default_factory=list)
    haut: list[F64] = field(default_factory=list)
    entier: list[B] = field(default_factory=list)
    ligne: list[NDArray[np.int64]] = field(default_factory=list)
    colonne: list[NDArray[np.int64]] = field(default_factory=list)
    valeur: list[F64] = field(default_factory=list)
    ligne_bas: list[F64] = field(default_factory=list)
    ligne_haut: list[F64] = field(default_factory=list)
    constante: float = 0.0

    def columns(
        self, cout: ArrayLike, haut: ArrayLike = 1.0, *, bas: ArrayLike = 0.0, entier: bool = False
    ) -> NDArray[np.int64]:
        """Add columns of these costs; returns their positions."""
        c = np.atleast_1d(np.asarray(cout, dtype=np.float64))
        k = len(c)
        self.couts.append(c)
        self.bas.append(np.broadcast_to(np.asarray(bas, dtype=np.float64), (k,)))
        self.haut.append(np.broadcast_to(np.asarray(haut, dtype=np.float64), (k,)))
        self.entier.append(np.full(k, entier))
        self.n += k
        return np.arange(self.n - k, self.n)

    def rows(
        self,
        ligne: ArrayLike,
        colonne: ArrayLike,
        valeur: ArrayLike,
        bas: ArrayLike,
        haut: ArrayLike,
        combien: int,
    ) -> int:
        """Add ``combien`` rows from (row from 0, column, value) triples; bounds of one row or of each. Returns the
        position of the first."""
        rang = np.asarray(ligne, dtype=np.int64)
        self.ligne.append(rang + self.m)
        self.colonne.append(np.asarray(colonne, dtype=np.int64))
        self.valeur.append(np.broadcast_to(np.asarray(valeur, dtype=np.float64), rang.shape))
        self.ligne_bas.append(np.broadcast_to(np.asarray(bas, dtype=np.float64), (combien,)))
        self.ligne_haut.append(np.broadcast_to(np.asarray(haut, dtype=np.float64), (combien,)))
        self.m += combien
        return self.m - combien

    def row(self, colonne: ArrayLike, valeur: ArrayLike, bas: float, haut: float) -> int:
        """Add one row."""
        colonnes = np.asarray(colonne, dtype=np.int64)
        return self.rows(np.zeros(len(colonnes)), colonnes, valeur, bas, haut, 1)

    def build(self) -> Mip:
        """The finished program."""
        ligne = _join(self.ligne, np.int64)
        ordre = np.argsort(ligne, kind="stable")
        debut = np.zeros(self.m + 1, dtype=np.int32)
        np.cumsum(np.bincount(ligne, minlength=self.m), out=debut[1:])
        return Mip(
            cout=_join(self.couts, np.float64),
            bas=_join(self.bas, np.float64),
            haut=_join(self.haut, np.float64),
            entier=_join(self.entier, np.bool_),
            debut=debut,
            colonne=_join(self.colonne, np.int64)[ordre].astype(np.int32),
            valeur=_join(self.valeur, np.float64)[ordre],
            ligne_bas=_join(self.ligne_bas, np.float64),
            ligne_haut=_join(self.ligne_haut, np.float64),
            constante=self.constante,
        )


def with_missing(mip: Mip, lignes: Sequence[tuple[NDArray[np.int64], int]]) -> Mip:
    """The program with one integer column of cost 1 more for each of ``lignes`` (columns, whole number), counted from
    the last column on: what the columns, themselves with it, must at least add up to."""
    k = len(lignes)
    manque = np.array([voulu for _, voulu in lignes], dtype=np.float64)
    tailles = [len(colonnes) for colonnes, _ in lignes]
    fin = mip.debut[-1] + np.cumsum(tailles)
    colonnes = np.concatenate([mip.colonne, *(colonnes for colonnes, _ in lignes)])
    return Mip(
        cout=np.concatenate([mip.cout, np.ones(k)]),
        bas=np.concatenate([mip.bas, np.zeros(k)]),
        haut=np.concatenate([mip.haut, manque]),
        entier=np.concatenate([mip.entier, np.ones(k, dtype=np.bool_)]),
        debut=np.concatenate([mip.debut, fin]).astype(np.int32),
        colonne=colonnes.astype(np.int32),
        valeur=np.concatenate([mip.valeur, np.ones(sum(tailles))]),
        ligne_bas=np.concatenate([mip.ligne_bas, manque]),
        ligne_haut=np.concatenate([mip.ligne_haut, np.full(k, np.inf)]),
        constante=mip.constante,
    )


def _join(morceaux: list, genre: type) -> NDArray:  # type: ignore[type-arg]
    return np.concatenate(morceaux).astype(genre) if morceaux else np.zeros(0, dtype=genre)
