"""This side of the child processes that hold HiGHS: killed at once when nobody waits for them. Pure module."""

from __future__ import annotations

import queue
import threading
from types import TracebackType
from typing import Any, Self

from territoires.sous_processus import SousProcessus


class ProcessusPerdu(RuntimeError):
    """The child died (killed by the system for lack of memory?)."""


class Enfant(SousProcessus):
    """One child process; use it as a context manager: it is killed on the way out."""

    def __init__(self) -> None:
        super().__init__(f"{__package__}.processus")
        # A child that starts, or computes, does not read: whoever asks must not wait for it.
        self._a_envoyer: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        self._ecrivain = threading.Thread(target=self._write, daemon=True)
        self._ecrivain.start()

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
        """Kill it. The link is closed once nobody writes on it: its number may be another file's at once."""
        self._a_envoyer.put(None)
        self.processus.kill()
        self.processus.wait()
        # The other end is gone: a write that waited fails now.
        self._ecrivain.join()
        super().close()

    def send(self, *message: Any) -> None:
        """Ask something (see `collèges.processus.main`), without waiting."""
        self._a_envoyer.put(message)

    def receive(self, attente: float = 0.0) -> tuple[Any, ...] | None:
        """A message, None when none comes within ``attente`` seconds. Raises `ProcessusPerdu`."""
        try:
            return tuple(self.lien.recv()) if self.lien.poll(attente) else None
        except (EOFError, OSError) as error:
            raise ProcessusPerdu("le processus de calcul s'est arrêté brusquement") from error
