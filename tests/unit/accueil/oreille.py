"""Who listens to a solve: keeps the answers and the bounds told on the way."""

from __future__ import annotations

from accueil.resultat import Solution


class Oreille:
    """A `Progres` that remembers."""

    def __init__(self) -> None:
        self.vues: list[Solution] = []
        self.bornes: list[float] = []

    def __call__(
        self,
        fraction: float | None,
        message: str,
        best: float | None = None,
        bound: float | None = None,
        solution: object | None = None,
    ) -> None:
        if bound is not None:
            self.bornes.append(bound)
        if isinstance(solution, Solution):
            self.vues.append(solution)
