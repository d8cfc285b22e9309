"""The child process that holds HiGHS: reads programs on a socket given by its number, tells what it finds.

Started by `accueil.moteur` as ``python -m accueil.processus FD PARENT``. Pure module: no Django.
"""

from __future__ import annotations

import sys
import time
from multiprocessing.connection import Connection

from territoires.sous_processus import open_link

from .highs import run
from .probleme import F64

#: At least so many seconds between two words about the bound alone.
DEBIT_S = 0.2


def main(arguments: list[str]) -> None:
    """Serve until the socket closes or the parent dies."""
    lien = open_link(arguments)
    while lien is not None:
        try:
            mip, seconds, gap_abs, depart, cible, seed, noeuds = lien.recv()
        except (EOFError, OSError):
            return
        dit = [time.monotonic()]

        def follow(
            x: F64 | None, objectif: float, borne: float, dit: list[float] = dit, lien: Connection = lien
        ) -> bool:
            now = time.monotonic()
            if x is not None or now - dit[0] >= DEBIT_S:
                dit[0] = now
                lien.send(("suivi", x, objectif, borne))
            return False

        try:
            reponse = run(mip, seconds, gap_abs, depart, cible, follow, seed, noeuds)
            lien.send(("fini", reponse))
        except (BrokenPipeError, ConnectionResetError):
            return


if __name__ == "__main__":
    main(sys.argv[1:])
