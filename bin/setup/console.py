"""What the user sees: one line a step, updated in place on a terminal, sober lines elsewhere."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_BAR_CELLS = 24


def duration(seconds: float) -> str:
    """Elapsed time as read by people: ``4 s``, ``1 min 05 s``."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def bar(done: int, total: int) -> str:
    """Progress bar of fixed width with its percentage; `done` beyond `total` counts as full."""
    share = min(max(done, 0), total) / total
    full = int(share * _BAR_CELLS)
    return f"[{'█' * full}{'·' * (_BAR_CELLS - full)}] {int(share * 100):3d} %"


class Step:
    """One step under way: `total` and `done` draw a bar, `detail` says what is being done."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.total = 0
        self.done = 0
        self.detail = ""
        self.started = time.monotonic()

    def line(self, beat: int, columns: int) -> str:
        """The step as one terminal line of at most `columns` characters."""
        parts = [_SPINNER[beat % len(_SPINNER)], self.title]
        if self.total:
            parts.append(bar(self.done, self.total))
        parts.append(duration(time.monotonic() - self.started))
        if self.detail:
            parts.append(self.detail)
        return "  ".join(parts)[: max(columns - 1, 10)]


class Console:
    """Writes to `stream` (standard output unless said otherwise)."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.interactive = self.stream.isatty()
        self.closed = False

    def say(self, text: str = "") -> None:
        self._write(text + "\n")

    def fail(self, text: str) -> None:
        """Say why the command stops, on standard error."""
        self._write(text + "\n", sys.stderr)

    def _write(self, text: str, stream: TextIO | None = None) -> None:
        if self.closed:
            return
        stream = stream or self.stream
        try:
            stream.write(text)
            stream.flush()
        except OSError:
            # The terminal was closed or the pipe cut: what is running must still be stopped in order.
            self.closed = True

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show `title` until the block ends, then how long it took."""
        step = Step(title)
        stop = threading.Event()
        painter = threading.Thread(target=self._paint, args=(step, stop), daemon=True)
        if self.interactive:
            painter.start()
        else:
            self.say(f"→ {title}…")
        mark = "✗"
        try:
            yield step
            mark = "✓"
        finally:
            stop.set()
            if self.interactive:
                painter.join()
                self._write("\r\033[K")
            self.say(f"{mark} {title} ({duration(time.monotonic() - step.started)})")

    def _paint(self, step: Step, stop: threading.Event) -> None:
        beat = 0
        while not stop.wait(0.1):
            columns = shutil.get_terminal_size().columns
            self._write("\r\033[K" + step.line(beat, columns))
            beat += 1
