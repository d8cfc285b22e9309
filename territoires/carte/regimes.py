"""Result layers of a study's last finished run, by regime."""

from __future__ import annotations

from collections.abc import Sequence

from territoires.models import Etude
from territoires.operation import Couche
from territoires.resultats import REGIMES, Resultats


def layers_by_regime(etude: Etude) -> list[tuple[str, str, Sequence[Couche]]]:
    """(code, title, layers) of each regime; empty when no run has finished.

    Raises `territoires.calcul.SolutionIllisible` for results of another version.
    """
    passage = etude.passages.filter(etat="reussi").order_by("-fin").first()
    if passage is None:
        return []
    resultats = Resultats(passage)
    return [
        (code, REGIMES[code], resultats.operation.layers(blocs)) for code, blocs in resultats.avec_solutions().items()
    ]
