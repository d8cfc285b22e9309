"""This side of the child processes that hold HiGHS. Pure module.

A child is a plain subprocess with a socket: a solve may itself run in a daemonic process of multiprocessing, which may
not have children of its own. It is killed at once when nobody waits for it any more.
"""

from __future__ import annotations

import os
import queue
import socket
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self


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
        # A child that starts, or computes, does not read: whoever asks must not wait for it.
        self._a_envoyer: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        threading.Thread(target=self._write, daemon=True).start()

    def _write(self) -> None:
        while (message := self._a_envoyer.get()) is not None:
            try:
                self.lien.send(message)
            except OSError:
                # Closed, or dead: `receive` says so.
                return

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
        self._a_envoyer.put(None)
        self.lien.close()

    def send(self, *message: Any) -> None:
        """Ask something (see `collèges.processus.main`), without waiting."""
        self._a_envoyer.put(message)

    def receive(self, attente: float = 0.0) -> tuple[Any, ...] | None:
        """A message, None when none comes within ``attente`` seconds. Raises `ProcessusPerdu`."""
        try:
            return tuple(self.lien.recv()) if self.lien.poll(attente) else None
        except (EOFError, OSError) as error:
            raise ProcessusPerdu("le processus de calcul s'est arrêté brusquement") from error
