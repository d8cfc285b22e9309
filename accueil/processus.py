"""The child process that holds HiGHS: reads programs on a socket given by its number, tells what it finds.

Started by `accueil.moteur` as ``python -m accueil.processus FD PARENT``. Pure module: no Django.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from multiprocessing.connection import Connection

from .highs import run
from .probleme import F64

#: At least so many seconds between two words about the bound alone.
DEBIT_S = 0.2


def main(descripteur: int, parent: int) -> None:
    """Serve until the socket closes or the parent dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))  # PR_SET_PDEATHSIG, Linux only
    if os.getppid() != parent:
        return
    lien = Connection(descripteur)
    while True:
        try:
            mip, seconds, gap_abs, depart, cible, seed = lien.recv()
        except (EOFError, OSError):
            return
        dit = [time.monotonic()]

        def follow(x: F64 | None, objectif: float, borne: float, dit: list[float] = dit) -> bool:
            now = time.monotonic()
            if x is not None or now - dit[0] >= DEBIT_S:
                dit[0] = now
                lien.send(("suivi", x, objectif, borne))
            return False

        try:
            reponse = run(mip, seconds, gap_abs, depart, cible, follow, seed)
            lien.send(("fini", reponse))
        except (BrokenPipeError, ConnectionResetError):
            return


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
