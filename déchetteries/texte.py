"""Tables and paragraphs for a terminal. Pure module."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

LARGEUR = 110


def table(colonnes: Sequence[str], lignes: Sequence[Sequence[str]], *, titre: int = 38, reste: int = 14) -> str:
    """Rows under wrapped headers, first column to the left, others to the right.

    ``titre`` and ``reste`` are the widest the first and the other headers may be before they are wrapped.
    """
    largeurs = [titre, *[reste] * (len(colonnes) - 1)]
    tetes = [textwrap.wrap(c, w, break_long_words=False) or [""] for c, w in zip(colonnes, largeurs, strict=True)]
    corps = [
        [textwrap.wrap(c, titre, break_long_words=False) or [""] if k == 0 else [c] for k, c in enumerate(ligne)]
        for ligne in lignes
    ]
    tailles = [
        max([len(mot) for mot in tetes[k]] + [len(mot) for ligne in corps for mot in ligne[k]] + [1])
        for k in range(len(colonnes))
    ]

    def render(cellules: Sequence[Sequence[str]], en_bas: bool) -> list[str]:
        hauteur = max(len(c) for c in cellules)
        rendu = []
        for rang in range(hauteur):
            morceaux = []
            for k, cellule in enumerate(cellules):
                place = rang - (hauteur - len(cellule) if en_bas or k else 0)
                mot = cellule[place] if 0 <= place < len(cellule) else ""
                morceaux.append(mot.ljust(tailles[k]) if k == 0 else mot.rjust(tailles[k]))
            rendu.append("  ".join(morceaux).rstrip())
        return rendu

    trait = "─" * (sum(tailles) + 2 * (len(tailles) - 1))
    sortie = [*render(tetes, en_bas=True), trait]
    for ligne in corps:
        sortie += render(ligne, en_bas=False)
    return "\n".join(sortie)


def title(texte: str, trait: str = "═") -> str:
    """A line of text underlined."""
    return f"{texte}\n{trait * min(len(texte), LARGEUR)}"


def paragraph(texte: str, puce: str = "") -> str:
    """Text wrapped, with a bullet."""
    return textwrap.fill(texte, LARGEUR, initial_indent=puce, subsequent_indent=" " * len(puce))
