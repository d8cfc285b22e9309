"""The progress bar of commands that solve."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from territoires.calcul import Progres


@contextmanager
def solving_bar(title: str, *, shown: bool = True) -> Iterator[Progres]:
    """A `Progres` drawn as a bar on a terminal's standard error; nothing elsewhere, or when not ``shown``."""
    with tqdm(
        total=100,
        desc=title[:40],
        bar_format="{desc} |{bar}| {percentage:3.0f} % {postfix}",
        file=sys.stderr,
        disable=None if shown else True,
    ) as bar:

        def tell(
            fraction: float | None,
            message: str,
            best: float | None = None,
            bound: float | None = None,
            solution: object | None = None,
        ) -> None:
            if fraction is not None:
                bar.n = round(100 * fraction)
            bar.set_postfix_str(message[:60])

        yield tell
