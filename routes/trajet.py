"""A plan as it is driven: every arc of every circuit in order, what is treated on it, and the clock.

Pure module. The search knows distances between places only; here the ways are found again, one origin at a time, on the
network the matrices were computed on, and laid back on the original arcs. Used for maps, road books, published plans;
`controle_trajet` judges it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .itineraires import Chemins, states, turn_seconds
from .preparation import Preparation
from .probleme import AUCUN, F64, I32, Circuit, Probleme, split_oversized
from .reseau import ReseauHiver
from .resultat import Solution


@dataclass(frozen=True, eq=False)
class Trajet:
    """What one truck does, in S steps: it drives an arc, or stops at a reload point.

    arc         I32 (S,)   arc driven, AUCUN = a stop
    item        I32 (S,)   item treated while driving it, AUCUN = empty; of the prepared problem, also when the search
                           cut it in parts
    point       I32 (S,)   reload point, AUCUN = driving
    begin_s     F64 (S,)   begin and end of the step; between two steps the truck turns (junctions) or waits
    end_s       F64 (S,)
    """

    truck: int
    arc: I32
    item: I32
    point: I32
    begin_s: F64
    end_s: F64

    @property
    def served(self) -> NDArray[np.bool_]:
        """(S,) whether the truck treats what it drives on."""
        treats: NDArray[np.bool_] = self.item != AUCUN
        return treats

    def nodes(self, reseau: ReseauHiver) -> I32:
        """Nodes passed, in order, from the first to the last: of a truck that drives."""
        arcs = self.arc[self.arc != AUCUN]
        return np.concatenate([reseau.tail[arcs[:1]], reseau.head[arcs]])


def expand(
    preparation: Preparation, circuits: Solution | Sequence[Circuit], *, original: bool = True
) -> tuple[Trajet, ...]:
    """The trajets of a plan, circuit by circuit; arcs of the original network, or of the contracted one.

    A `Solution` whose items were cut in parts is understood (``origin``). Time on a chain is shared among its arcs by
    their empty durations, by their lengths when treated. Raises `ReseauInvalide` for a circuit that cannot be driven.
    """
    problem, origin = preparation.probleme, np.arange(preparation.probleme.n_items, dtype=np.int32)
    plan = circuits.circuits if isinstance(circuits, Solution) else circuits
    if isinstance(circuits, Solution) and circuits.origin is not None:
        problem, origin = split_oversized(problem)
    finders: dict[int, Chemins] = {}
    found = []
    for circuit in plan:
        profile = int(problem.type_profile[problem.truck_type[circuit.truck]])
        if profile not in finders:
            etats = states(preparation.reseau, profile, critere=preparation.critere)
            finders[profile] = Chemins(etats, preparation.lieux)
        trajet = _drive(preparation, problem, origin, finders[profile], circuit)
        found.append(_on_original(preparation, trajet) if original else trajet)
    return tuple(found)


@dataclass
class _Carnet:
    """Steps so far, and the hour."""

    clock: float
    steps: list[tuple[int, int, int, float, float]]

    def add(self, seconds: float, *, arc: int = AUCUN, item: int = AUCUN, point: int = AUCUN) -> None:
        self.steps.append((arc, item, point, self.clock, self.clock + seconds))
        self.clock += seconds


def _drive(preparation: Preparation, problem: Probleme, origin: I32, chemins: Chemins, circuit: Circuit) -> Trajet:
    truck = circuit.truck
    kind = int(problem.truck_type[truck])
    carnet = _Carnet(float(problem.shift_start_s[truck]), [])
    here = int(problem.home[truck, 0])
    for visit in circuit.visits.tolist():
        if visit >= 0:
            item, mode = divmod(visit, 2)
            _go(chemins, carnet, here, int(problem.start[item, mode]))
            carnet.clock = max(carnet.clock, float(problem.earliest_s[item]))
            source = int(origin[item])
            carnet.add(
                float(problem.service_s[kind, item, mode]), arc=int(preparation.item_arc[source, mode]), item=source
            )
            here = int(problem.end[item, mode])
        else:
            point = -1 - visit
            _go(chemins, carnet, here, int(problem.point_place[point, 0]))
            carnet.clock = max(carnet.clock, float(problem.opening_s[point, 0]))
            carnet.add(float(problem.point_s[point]), point=point)
            here = int(problem.point_place[point, 1])
    end = int(problem.home[truck, 1])
    if end == AUCUN:
        end = int(problem.point_place[circuit.end_point, 0])
    _go(chemins, carnet, here, end)
    return _trajet(truck, carnet.steps)


def _go(chemins: Chemins, carnet: _Carnet, origin: int, target: int) -> None:
    """Drive from a place to another; the truck is there after just the seconds of the matrices."""
    _, row_s = chemins.row(origin)
    arrival = carnet.clock + float(row_s[target])
    arcs = chemins.way(origin, target)
    reseau, profile = chemins.etats.reseau, chemins.etats.profile
    drive = reseau.seconds[profile][arcs].astype(np.float64)
    turns = np.zeros(len(arcs))
    if chemins.etats.headings and len(arcs):
        turns[1:] = turn_seconds(reseau, profile, arcs[:-1], arcs[1:])
        before = int(chemins.lieux.leave_arc[origin])
        if before != AUCUN:
            turns[0] = turn_seconds(reseau, profile, np.array([before], dtype=np.int32), arcs[:1])[0]
    for arc, seconds, turn in zip(arcs.tolist(), drive.tolist(), turns.tolist(), strict=True):
        carnet.clock += turn
        carnet.add(seconds, arc=arc)
    carnet.clock = arrival


def _trajet(truck: int, steps: list[tuple[int, int, int, float, float]]) -> Trajet:
    whole = np.array([step[:3] for step in steps], dtype=np.int32).reshape(-1, 3)
    clock = np.array([step[3:] for step in steps], dtype=np.float64).reshape(-1, 2)
    return Trajet(truck, whole[:, 0], whole[:, 1], whole[:, 2], clock[:, 0], clock[:, 1])


def _on_original(preparation: Preparation, trajet: Trajet) -> Trajet:
    contraction, original = preparation.contraction, preparation.original
    kind = int(preparation.probleme.truck_type[trajet.truck])
    empty = original.seconds[int(preparation.probleme.type_profile[kind])].astype(np.float64)
    steps: list[tuple[int, int, int, float, float]] = []
    for arc, item, point, begin, end in zip(
        trajet.arc.tolist(), trajet.item.tolist(), trajet.point.tolist(), trajet.begin_s.tolist(),
        trajet.end_s.tolist(), strict=True,
    ):  # fmt: skip
        if arc == AUCUN:
            steps.append((arc, item, point, begin, end))
            continue
        chain = contraction.chain(arc)
        share = original.length_m[chain] if item != AUCUN else empty[chain]
        total = float(share.sum())
        share = share / total if total > 0 else np.full(len(chain), 1.0 / len(chain))
        clock = begin + (end - begin) * np.concatenate(([0.0], np.cumsum(share)))
        clock[-1] = end
        steps += [
            (int(a), item, point, float(b), float(e)) for a, b, e in zip(chain, clock[:-1], clock[1:], strict=True)
        ]
    return _trajet(trajet.truck, steps)
