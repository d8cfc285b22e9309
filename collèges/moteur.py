"""This side of the child processes that hold HiGHS. Pure module.

A child is a plain subprocess with a socket: a solve may itself run in a daemonic process of multiprocessing, which may
not have children of its own. It is killed at once when nobody waits for it any more.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from territoires.calcul import Arret

#: Seconds between two looks at ``stop`` while waiting.
PAS_S = 0.02


class ProcessusPerdu(RuntimeError):
    """The child died (killed by the system for lack of memory?)."""


class Enfant:
    """One child process; use it as a context manager: it is killed on the way out."""

    def __init__(self) -> None:
        racine = Path(__file__).resolve().parent.parent
        ours, theirs = socket.socketpair()
        chemins = [str(racine), os.environ.get("PYTHONPATH", "")]
        environ = dict(os.environ) | {"PYTHONPATH": os.pathsep.join(c for c in chemins if c)}
        with theirs:
            self.processus = subprocess.Popen(
                [sys.executable, "-m", f"{__package__}.processus", str(theirs.fileno()), str(os.getpid())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                env=environ,
                cwd=racine,
            )
        self.lien = Connection(ours.detach())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill it."""
        self.processus.kill()
        self.processus.wait()
        self.lien.close()

    def send(self, *message: Any) -> None:
        """Ask something (see `collèges.processus.main`). Raises `ProcessusPerdu`."""
        try:
            self.lien.send(message)
        except OSError as error:
            raise ProcessusPerdu("le processus de calcul s'est arrêté brusquement") from error

    def receive(self, attente: float = 0.0) -> tuple[Any, ...] | None:
        """A message, None when none comes within ``attente`` seconds. Raises `ProcessusPerdu`."""
        try:
            return tuple(self.lien.recv()) if self.lien.poll(attente) else None
        except (EOFError, OSError) as error:
            raise ProcessusPerdu("le processus de calcul s'est arrêté brusquement") from error

    def wait(self, stop: Arret, secondes: float = float("inf")) -> tuple[Any, ...] | None:
        """The next message; None once ``stop`` is reached or after ``secondes``."""
        limite = stop.elapsed() + secondes
        while True:
            message = self.receive(PAS_S)
            if message is not None:
                return message
            if stop.reached() or stop.elapsed() > limite:
                return None
