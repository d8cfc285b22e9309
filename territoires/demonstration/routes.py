"""The generated road network of the demonstration, as the arrays every reader of roads makes.

Not a real network and never meant to be taken for one: mairies are where they are, all the rest is drawn.
The same communes and seed give the same network on any machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.reseau import TableauxReseau, validate

from .details import finish
from .graphe_plan import planar_edges
from .hierarchie import Aretes, classify, is_street
from .numeros import name_roads
from .semis import CommuneSource, Semis, sow
from .tableaux import make_arrays
from .traces import draw, relax
from .trafic import VITESSE_CAMPAGNE_M_S, VITESSE_RUE_M_S, faster, traffic
from .voies_rapides import add_fast_roads

F64 = NDArray[np.float64]

#: Raise it when the same communes and seed give another network.
VERSION_DESSIN = 1
ATTRIBUTION = "Réseau routier fictif, généré pour la démonstration entre les mairies réelles (IGN, DILA)"
LICENCE = "Licence Ouverte 2.0 (mairies) ; tracés fictifs"
#: Rounds of traffic: the crossings are pulled into line before the last one.
TOURS = 4


def _quiet(fraction: float, message: str) -> None:
    """A progress that says nothing."""


def generate_roads(
    communes: Sequence[CommuneSource], seed: int = 1, progress: Callable[[float, str], None] = _quiet
) -> TableauxReseau:
    """A fictive road network between real mairies, in degrees (EPSG:4326), one component.

    ``progress`` is told a share done (0 to 1) and a French sentence. Raises `ValueError` (French) where there is
    nothing to draw. Communes may come in any order.
    """
    communes = sorted(communes, key=lambda c: c.code)
    if len({c.code for c in communes}) != len(communes):
        raise ValueError("Deux communes ont le même code.")
    progress(0.0, "Carrefours et hameaux")
    semis = sow(communes, seed)
    codes = sorted({c.departement for c in communes})
    side = np.array([codes.index(c.departement) for c in communes], dtype=np.int32)[semis.commune]
    shapes = [c.contour for c in communes if c.contour is not None]
    emprise = shapely.union_all(shapes) if len(shapes) == len(communes) else None
    a, b = planar_edges(semis, side, seed, emprise)
    progress(0.1, "Trafic entre communes")
    semis, aretes = _assign(communes, semis, a, b, progress)
    progress(0.4, "Hiérarchie et numéros des routes")
    classe = classify(communes, semis, aretes, seed)
    noms = name_roads(communes, semis, aretes, classe, seed)
    progress(0.45, "Tracé des routes")
    lignes = draw(semis, aretes, classe, noms, seed, lambda f: progress(0.45 + 0.35 * f, "Tracé des routes"))
    progress(0.8, "Rues, ponts et giratoires")
    population = np.array([c.population for c in communes], dtype=np.int64)
    ouvrage = finish(semis, aretes, classe, lignes, population, seed)
    progress(0.95, "Mise en tableaux")
    rapides = add_fast_roads(semis, aretes, classe, noms, ouvrage)
    reseau = make_arrays(communes, semis, aretes, classe, noms, ouvrage, rapides)
    validate(reseau)
    progress(1.0, "Réseau fictif dessiné")
    return reseau


def _assign(
    communes: Sequence[CommuneSource],
    semis: Semis,
    a: NDArray[np.int32],
    b: NDArray[np.int32],
    progress: Callable[[float, str], None],
) -> tuple[Semis, Aretes]:
    mairies = np.arange(len(communes))
    population = np.array([c.population for c in communes], dtype=np.float64)
    street = is_street(semis, a, b)
    speed = np.where(street, VITESSE_RUE_M_S, VITESSE_CAMPAGNE_M_S)
    duration: F64 | None = None
    aretes = None
    for tour in range(TOURS):
        length = np.sqrt((semis.x[a] - semis.x[b]) ** 2 + (semis.y[a] - semis.y[b]) ** 2)
        duration = length / speed if duration is None else duration
        flow = traffic(
            semis.n, a, b, duration, mairies, semis.x[mairies], semis.y[mairies], population,
            only_large=tour < TOURS - 1,
            step=lambda f, tour=tour: progress(0.1 + 0.3 * (tour + f) / TOURS, "Trafic entre communes"),  # type: ignore[misc]
        )  # fmt: skip
        duration = faster(length / speed, length, flow)
        aretes = Aretes(a=a, b=b, longueur_m=length, rue=street, flux=flow, duree_s=duration)
        if tour == TOURS - 2:
            semis = relax(semis, aretes)
    assert aretes is not None
    return semis, aretes
