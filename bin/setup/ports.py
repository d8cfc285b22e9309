"""Free TCP ports of the loopback address."""

from __future__ import annotations

import errno
import socket

from bin.setup.errors import SetupError

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether `port` can be listened on now."""
    with socket.socket() as probe:
        # As the servers do: a port left in TIME_WAIT by a run just ended is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def next_free(first: int, tries: int = 100) -> int:
    """First free port from `first` on. Raises `SetupError` when `tries` ports in a row are taken."""
    for port in range(first, min(first + tries, 65536)):
        if is_free(port):
            return port
    raise SetupError(f"Aucun port libre entre {first} et {first + tries - 1} : indiquez-en un autre avec --port.")


def any_free() -> int:
    """A free port chosen by the system."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port
