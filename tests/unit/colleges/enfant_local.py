"""A child process of the solver without process: HiGHS answers at once, here. A thousand solves need no thousand
interpreters; the real children are tested where a few solves do."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Any, Self

from collèges import processus
from collèges.maitre import Maitre
from collèges.programme import solve as solve_programme


class EnfantLocal:
    """Takes and gives the messages of `collèges.moteur.Enfant`, in the order a child would."""

    def __init__(self) -> None:
        self.messages: deque[tuple[Any, ...]] = deque()
        self.maitre: Maitre | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.messages.clear()

    def send(self, quoi: Any, *reste: Any) -> None:
        if isinstance(quoi, tuple):
            self.messages.append(quoi)
        elif quoi == "programme":
            numero, *arguments = reste
            self.messages.append(("reponse", numero, solve_programme(*arguments)))
        elif quoi == "maitre":
            self.maitre = Maitre(*reste)
        elif quoi == "avance":
            assert self.maitre is not None
            # Bounds on the way are messages like the others.
            self.messages.append(("fait", *processus._advance(self, self.maitre, *reste)))  # type: ignore[arg-type]
        else:
            raise ValueError(quoi)

    def receive(self, attente: float = 0.0) -> tuple[Any, ...] | None:
        return self.messages.popleft() if self.messages else None
