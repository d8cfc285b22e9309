"""The child process that holds HiGHS: serves requests on a socket given by its number, can be killed.

Started by `collèges.moteur` as ``python -m collèges.processus FD PARENT``. Pure module: no Django.
"""

from __future__ import annotations

import sys
from multiprocessing.connection import Connection

from territoires.sous_processus import open_link

from .maitre import Colonne, Maitre
from .programme import solve


def main(lancement: list[str]) -> None:
    """Serve until the socket closes or the parent dies.

    Requests: ("programme", number, *arguments of `programme.solve`) -> ("reponse", number, Reponse);
    ("maitre", Relache, marge, seed) -> nothing; ("avance", turns, sectors, best cost, width of the integer
    program or None, its seconds, its nodes) -> ("borne", value, finished, None) at each rise, then ("fait", value,
    finished, plan x or None).
    """
    lien = open_link(lancement)
    maitre: Maitre | None = None
    while lien is not None:
        try:
            quoi, *reste = lien.recv()
            if quoi == "programme":
                numero, *arguments = reste
                lien.send(("reponse", numero, solve(*arguments)))
            elif quoi == "maitre":
                maitre = Maitre(*reste)
            elif quoi == "avance" and maitre is not None:
                lien.send(("fait", *_advance(lien, maitre, *reste)))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return


def _advance(
    lien: Connection,
    maitre: Maitre,
    tours: int,
    colonnes: list[Colonne],
    meilleur: float,
    largeur: float | None,
    secondes: float,
    noeuds: int | None,
) -> tuple[float, bool, object]:
    """Some turns of the master, then its integer program when there are new sectors."""
    maitre.add(colonnes)
    for _ in range(tours):
        if maitre.fini:
            break
        if maitre.iterate():
            lien.send(("borne", maitre.borne, maitre.fini, None))
    x = None if largeur is None else maitre.integer(meilleur, largeur, secondes, noeuds)
    return maitre.borne, maitre.fini, x


if __name__ == "__main__":
    main(sys.argv[1:])
