"""Result layers of a study's last finished run, by regime."""

from __future__ import annotations

from collections.abc import Sequence

from territoires.calcul import SolutionIllisible
from territoires.models import Etude
from territoires.operation import Couche
from territoires.resultats import REGIMES, Resultats


def layers_by_regime(etude: Etude) -> list[tuple[str, str, Sequence[Couche]]]:
    """(code, title, layers) of each regime; empty when no run has finished that this version can read."""
    passage = etude.passages.filter(etat="reussi").order_by("-fin").first()
    if passage is None:
        return []
    resultats = Resultats(passage)
    try:
        return [
            (code, REGIMES[code], resultats.operation.layers(blocs))
            for code, blocs in resultats.avec_solutions().items()
        ]
    except SolutionIllisible:
        # Made by another version of the software: the study's page says to run it again.
        return []
