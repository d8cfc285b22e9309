"""Solving a `Mip` so that it stops when told: small ones here, the others in a child process that can be killed.

HiGHS looks at its clock and callbacks between steps only, and a root relaxation may be one long step; a killed process
has none. The child stays warm between calls and dies with its parent.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import resource
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from territoires.calcul import Arret
from territoires.sous_processus import SousProcessus

from .mip import Mip, Reponse, Verdict
from .probleme import F64

#: Nonzeros up to which a program is solved in this process: a few hundredths of a second at most.
PETIT = 1500
#: Seconds between two looks at the stop.
PAS_S = 0.02
#: Seconds left to HiGHS after its own limit before it is killed.
GRACE_S = 0.25

#: Told of every better point (x, objective, bound) and, x None, of a better bound.
Ecoute = Callable[[F64 | None, float, float], None]


def mute(x: F64 | None, objectif: float, borne: float) -> None:
    """An `Ecoute` that does nothing."""


def solve_mip(
    mip: Mip,
    stop: Arret,
    *,
    seconds: float = float("inf"),
    gap_abs: float = 1e-6,
    depart: F64 | None = None,
    cible: float | None = None,
    ecoute: Ecoute = mute,
    seed: int = 1,
    pendant: Callable[[], None] | None = None,
) -> Reponse:
    """Solve until done, until ``stop`` or for ``seconds``; the best point and bound known then are returned.

    ``stop.iterations`` limits the branches, those of this program alone. ``pendant``: a little work that this process
    does again and again while the child solves; how often depends on the machine.
    """
    limite = min(seconds, stop.remaining())
    if limite <= 0 or stop.reached():
        return Reponse(Verdict.INCONNU, None, np.inf, -np.inf)
    if len(mip.valeur) <= PETIT:
        return _here(mip, stop, limite, gap_abs, depart, cible, ecoute, seed)
    return _there(mip, stop, limite, gap_abs, depart, cible, ecoute, seed, pendant)


def _here(
    mip: Mip,
    stop: Arret,
    limite: float,
    gap_abs: float,
    depart: F64 | None,
    cible: float | None,
    ecoute: Ecoute,
    seed: int,
) -> Reponse:
    from .highs import run

    fin = time.monotonic() + limite

    def follow(x: F64 | None, objectif: float, borne: float) -> bool:
        if x is not None:
            ecoute(x, objectif, borne)
        return time.monotonic() >= fin or stop.reached()

    return run(mip, limite, gap_abs, depart, cible, follow, seed, stop.iterations)


def _there(
    mip: Mip,
    stop: Arret,
    limite: float,
    gap_abs: float,
    depart: F64 | None,
    cible: float | None,
    ecoute: Ecoute,
    seed: int,
    pendant: Callable[[], None] | None,
) -> Reponse:
    fin = time.monotonic() + limite
    enfant = _take()
    rendu = False
    x: F64 | None = None
    objectif, borne = np.inf, -np.inf
    try:
        enfant.lien.send((mip, limite, gap_abs, depart, cible, seed, stop.iterations))
        while True:
            if pendant is not None:
                pendant()
            while enfant.lien.poll(PAS_S):
                message = enfant.lien.recv()
                if message[0] == "fini":
                    rendu = True
                    return _merge(message[1], x, objectif, borne)
                _, point, valeur, connue = message
                borne = max(borne, connue)
                if point is not None and valeur < objectif:
                    x, objectif = point, valeur
                ecoute(point, objectif, borne)
            # The clock has a grace, so that HiGHS may hand over its own answer; a cancellation has none.
            if stop.cancelled is not None and stop.cancelled():
                break
            if time.monotonic() > fin + GRACE_S:
                break
    except (EOFError, OSError):
        # The child died (memory): what it told before is still good.
        pass
    finally:
        if rendu:
            _give_back(enfant)
        else:
            enfant.close()
    verdict = Verdict.INCONNU if x is None else Verdict.REALISABLE
    return Reponse(verdict, x, objectif, min(borne, objectif))


def _merge(reponse: Reponse, x: F64 | None, objectif: float, borne: float) -> Reponse:
    if reponse.verdict in (Verdict.OPTIMAL, Verdict.IRREALISABLE):
        return reponse
    if objectif < reponse.objectif:
        reponse = Reponse(Verdict.REALISABLE, x, objectif, reponse.borne, reponse.noeuds)
    borne = min(max(borne, reponse.borne), reponse.objectif)
    return Reponse(reponse.verdict, reponse.x, reponse.objectif, borne, reponse.noeuds)


_LIBRES: list[SousProcessus] = []
_VERROU = threading.Lock()


def prepare() -> None:
    """Start a child in advance, without waiting for it, when none is at hand: starting takes a third of a second."""
    with _VERROU:
        if not _LIBRES:
            _LIBRES.append(SousProcessus(f"{__package__}.processus"))


def children_cpu_s() -> float:
    """CPU seconds used so far by the child at rest and by those that ended (Linux; 0 elsewhere)."""
    fini = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = fini.ru_utime + fini.ru_stime
    with _VERROU:
        vivants = [enfant.processus.pid for enfant in _LIBRES]
    for pid in vivants:
        with contextlib.suppress(OSError):
            # Fields 14 and 15 of proc(5), counted after the name in brackets.
            champs = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
            total += (int(champs[11]) + int(champs[12])) / os.sysconf("SC_CLK_TCK")
    return total


def close_all() -> None:
    """Kill the children at rest."""
    with _VERROU:
        enfants, _LIBRES[:] = _LIBRES[:], []
    for enfant in enfants:
        enfant.close()


def _take() -> SousProcessus:
    while True:
        with _VERROU:
            enfant = _LIBRES.pop() if _LIBRES else None
        if enfant is None:
            return SousProcessus(f"{__package__}.processus")
        if enfant.alive():
            return enfant
        enfant.close()


def _give_back(enfant: SousProcessus) -> None:
    with _VERROU:
        if not _LIBRES:
            _LIBRES.append(enfant)
            return
    enfant.close()


# A fork inherits the list but not the right to use these sockets.
os.register_at_fork(after_in_child=_LIBRES.clear)
atexit.register(close_all)
