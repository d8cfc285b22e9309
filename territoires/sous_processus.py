"""A child process on a socket, for solvers that hold a library which only a kill can stop. Pure module.

A plain subprocess: a solve may itself run in a daemonic process of multiprocessing, which may not have children of its
own. `SousProcessus` is the parent's side; the module it starts calls `open_link` and serves what comes.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path


class SousProcessus:
    """One child, started as ``python -m module FD PARENT``; ``lien``: our end of its socket."""

    def __init__(self, module: str) -> None:
        racine = Path(__file__).resolve().parent.parent
        ours, theirs = socket.socketpair()
        chemins = [str(racine), os.environ.get("PYTHONPATH", "")]
        environ = dict(os.environ) | {"PYTHONPATH": os.pathsep.join(c for c in chemins if c)}
        with theirs:
            self.processus = subprocess.Popen(
                [sys.executable, "-m", module, str(theirs.fileno()), str(os.getpid())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                # What its libraries print must not get between our own lines.
                stdout=2,
                env=environ,
                cwd=racine,
            )
        self.lien = Connection(ours.detach())

    def alive(self) -> bool:
        """Whether it still runs."""
        return self.processus.poll() is None

    def close(self) -> None:
        """Kill it."""
        self.processus.kill()
        self.processus.wait()
        self.lien.close()


def open_link(arguments: list[str]) -> Connection | None:
    """The child's end of the socket, from its arguments (FD, PARENT); None when the parent is gone already.

    From then on the child ends with its parent, and leaves Ctrl-C to it.
    """
    descripteur, parent = map(int, arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return Connection(descripteur) if die_with(parent) else None


def die_with(parent: int) -> bool:
    """Ask the kernel to kill this process when its parent dies; False when that has happened already."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))  # PR_SET_PDEATHSIG, Linux only
    return os.getppid() == parent
