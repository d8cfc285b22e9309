"""Kilometres of the quickest ways: a matrix of times and, for the same ways, of lengths.

Pure module. Both come at once from `geodata.hierarchie`, whose costs carry the length below the time: of several
quickest ways the shortest is measured, whatever the shape of the question.
"""

from __future__ import annotations

import numpy as np

from geodata.accrochage import Accroches
from geodata.graphe import Poids
from geodata.profils import INF_MS
from geodata.reseau import F32, I32


def times_and_lengths(poids: Poids, origines: Accroches, destinations: Accroches) -> tuple[I32, F32]:
    """Times in ms, int32 (n_o, n_d) with `INF_MS` = unreachable, and metres of those ways, float32, inf there.

    Times are those of `geodata.temps.travel_times_ms`. Each edge counts for its length to the centimetre. Access to
    the road is in neither.
    """
    # Compiled code takes half a second to load: not when this module is only imported.
    from geodata import hierarchie

    couts = hierarchie.matrix(poids, origines, destinations, metres=True)
    ms = (couts >> np.uint64(32)).astype(np.int32)
    cm = (couts & np.uint64(2**32 - 1)).astype(np.float64)
    return ms, np.where(ms == INF_MS, np.inf, cm / 100.0).astype(np.float32)
