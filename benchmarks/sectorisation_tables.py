"""Tables of a published set, read so that every error names file, line, column and value."""

from __future__ import annotations

import csv
import gzip
import io
import math
from pathlib import Path

import numpy as np

from collèges.probleme import F64, I32


class JeuInvalide(ValueError):
    """A set cannot be read; the message (French) names file, line, column and value."""


class Table:
    """A CSV file (plain or gzip) as rows of text; every error names file, line, column and value."""

    def __init__(self, chemin: Path, champs: tuple[str, ...]) -> None:
        self.chemin = chemin
        self.lignes: list[dict[str, str]] = []
        self._numeros: list[int] = []
        try:
            with gzip.open(chemin, "rb") if chemin.suffix == ".gz" else chemin.open("rb") as octets:
                lecteur = csv.DictReader(io.TextIOWrapper(octets, encoding="utf-8-sig", newline=""), restval="")
                self.champs = tuple(lecteur.fieldnames or ())
                for ligne in lecteur:
                    if None in ligne:
                        raise JeuInvalide(f"{chemin.name}, ligne {lecteur.line_num} : plus de valeurs que de colonnes")
                    self.lignes.append({champ: texte.strip() for champ, texte in ligne.items()})
                    self._numeros.append(lecteur.line_num)
        except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
            raise JeuInvalide(f"{chemin.name} : fichier illisible ({error})") from error
        self.need(*champs)

    def need(self, *champs: str) -> None:
        for champ in champs:
            if champ not in self.champs:
                raise JeuInvalide(f"{self.chemin.name} : colonne {champ} absente")

    def place(self, k: int) -> str:
        return f"{self.chemin.name}, ligne {self._numeros[k]}"

    def ranks(self, champ: str) -> dict[str, int]:
        """Row of each identifier."""
        rangs: dict[str, int] = {}
        for k, ligne in enumerate(self.lignes):
            if not ligne[champ] or ligne[champ] in rangs:
                raise JeuInvalide(f"{self.place(k)}, {champ} : « {ligne[champ]} » vide ou en double")
            rangs[ligne[champ]] = k
        return rangs

    def references(self, champ: str, rangs: dict[str, int], mot: str, blank: int | None = None) -> I32:
        """Number of what each row names; ``blank`` where it names nothing."""
        vus = []
        for k, ligne in enumerate(self.lignes):
            numero = blank if not ligne[champ] else rangs.get(ligne[champ])
            if numero is None:
                raise JeuInvalide(f"{self.place(k)}, {champ} : {mot} « {ligne[champ]} » inconnue")
            vus.append(numero)
        return np.array(vus, dtype=np.int32)

    def numbers(self, champ: str, minimum: float = 0.0, blank: float | None = None) -> F64:
        """Numbers of a column, at least ``minimum``; ``blank`` where it is empty."""
        return np.array(
            [
                blank
                if blank is not None and ligne[champ] in ("", str(blank))
                else number(self.place(k), champ, ligne[champ], minimum)
                for k, ligne in enumerate(self.lignes)
            ],
            dtype=np.float64,
        )

    def texts(self, champ: str) -> list[str] | None:
        """A column that may be absent."""
        return [ligne[champ] for ligne in self.lignes] if champ in self.champs else None


def number(place: str, champ: str, texte: str, minimum: float = 0.0) -> float:
    try:
        valeur = float(texte)
    except ValueError:
        valeur = math.nan
    if not math.isfinite(valeur) or valeur < minimum:
        attendu = "nombre" if minimum < 0 else "nombre positif"
        raise JeuInvalide(f"{place}, {champ} : « {texte} » ({attendu} attendu)")
    return valeur
