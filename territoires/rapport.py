"""What an import says of its input: each remark names file, row, field and value.

Pure module: no Django, no database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


def accord(n: int, singulier: str, pluriel: str = "") -> str:
    """« 1 commune », « 2 communes »; ``pluriel`` where every word does not simply take an s."""
    if n < 2:
        return f"{n} {singulier}"
    return f"{n} {pluriel or ' '.join(f'{mot}s' for mot in singulier.split())}"


class Gravite(StrEnum):
    """Whether the row can be kept."""

    ERREUR = "erreur"
    AVERTISSEMENT = "avertissement"


@dataclass(frozen=True)
class Constat:
    """One remark (French) on one place of one file; ``ligne`` is the number an agent sees in a spreadsheet."""

    gravite: Gravite
    message: str
    fichier: str = ""
    ligne: int | None = None
    champ: str = ""
    valeur: str = ""

    def __str__(self) -> str:
        place = [self.fichier] if self.fichier else []
        if self.ligne is not None:
            place.append(f"ligne {self.ligne}")
        if self.champ:
            place.append(f"champ « {self.champ} »")
        if self.valeur:
            place.append(f"valeur « {self.valeur} »")
        return f"{', '.join(place)} : {self.message}" if place else self.message


@dataclass
class Rapport:
    """Remarks gathered while reading one file; reading goes on so that the agent sees them all at once."""

    fichier: str = ""
    constats: list[Constat] = field(default_factory=list)

    def error(self, message: str, ligne: int | None = None, champ: str = "", valeur: object = "") -> None:
        """Add something that forbids keeping the row (or the file, where ``ligne`` is None)."""
        self._add(Gravite.ERREUR, message, ligne, champ, valeur)

    def warn(self, message: str, ligne: int | None = None, champ: str = "", valeur: object = "") -> None:
        """Add something the agent should know but that does not stop the import."""
        self._add(Gravite.AVERTISSEMENT, message, ligne, champ, valeur)

    def _add(self, gravite: Gravite, message: str, ligne: int | None, champ: str, valeur: object) -> None:
        texte = "" if valeur is None else str(valeur)
        if len(texte) > 60:
            texte = f"{texte[:57]}..."
        self.constats.append(Constat(gravite, message, self.fichier, ligne, champ, texte))

    @property
    def errors(self) -> list[Constat]:
        """What forbids the import, in the order of the file."""
        return sorted((c for c in self.constats if c.gravite is Gravite.ERREUR), key=lambda c: c.ligne or 0)

    @property
    def warnings(self) -> list[Constat]:
        return [c for c in self.constats if c.gravite is Gravite.AVERTISSEMENT]

    def raise_if_errors(self) -> None:
        """Raise `DonneesRefusees` with every error found so far."""
        if self.errors:
            raise DonneesRefusees(self.errors)


class DonneesRefusees(ValueError):
    """Input refused as a whole: nothing was written. ``constats`` holds every error."""

    #: How many errors the message shows before it only counts them.
    MONTRES = 20

    def __init__(self, constats: Iterable[Constat] | str):
        self.constats = [Constat(Gravite.ERREUR, constats)] if isinstance(constats, str) else list(constats)
        lignes = [str(c) for c in self.constats[: self.MONTRES]]
        reste = len(self.constats) - self.MONTRES
        if reste > 0:
            lignes.append(f"… et {accord(reste, 'autre erreur')}.")
        super().__init__("\n".join(lignes))
