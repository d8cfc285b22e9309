"""Locks between commands run at the same time in one clone. The kernel drops them with the process, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType


class FileLock:
    """flock(2) on a file. Not inherited by child processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def _open(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        return self._descriptor

    def try_lock(self, *, shared: bool = False) -> bool:
        """Take the lock if nobody else holds it; a shared lock held by this object becomes exclusive."""
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self._open(), kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def lock(self, on_wait: Callable[[], None] | None = None) -> None:
        """Take the lock exclusively, waiting for its holder; `on_wait` is called once if there is one."""
        if self.try_lock():
            return
        if on_wait:
            on_wait()
        while not self.try_lock():
            time.sleep(0.2)

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> FileLock:
        self.lock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
