"""The independent checker of plans as they are driven: every arc again, against the plan, the matrices and the roads.

Pure module. `trajet` says which arcs each truck drives and when; here each of them is followed on the network alone.
The rule of turning is read again from the words of `reseau.Virages`; nothing of the search for ways is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from territoires.calcul import ControleEchoue
from territoires.nombres import avec_unite

from .probleme import AUCUN, I32, Circuit, Probleme, split_oversized
from .releve import Action, Releve, hours, walk
from .resultat import Solution

if TYPE_CHECKING:
    from .preparation import Preparation
    from .reseau import ReseauHiver
    from .trajet import Trajet

#: Entries of the matrices are float32: what sums of arcs may differ by, relative, and absolute (m or s a leg).
RELATIF, ABSOLU = 1e-5, 0.01


def check_trajectory(
    preparation: Preparation, plan: Solution | Sequence[Circuit], trajets: Sequence[Trajet], *, original: bool = True
) -> None:
    """Raise `ControleEchoue` (French, naming the truck) unless the trajets drive just this plan.

    One trajet a circuit, in order. Each truck leaves its home, drives arc after arc without a gap, only where its
    profile may, turns only where it may and takes the time of it; treats the items of its circuit in their order and
    direction, whole and once; stops at its points, arriving as they want it; ends where its duty ends. Metres and
    seconds between two visits are those of the matrices, hours those of `releve.walk`.
    """
    problem, origin = preparation.probleme, None
    circuits = plan.circuits if isinstance(plan, Solution) else tuple(plan)
    if isinstance(plan, Solution) and plan.origin is not None:
        problem, origin = split_oversized(problem)
    if [t.truck for t in trajets] != [c.truck for c in circuits]:
        raise ControleEchoue(f"trajets des camions {[t.truck for t in trajets]}, plan de {[c.truck for c in circuits]}")
    roads = [
        _Routes(preparation.original if original else preparation.reseau, profile)
        for profile in range(problem.distances_m.shape[0])
    ]
    for circuit, trajet in zip(circuits, trajets, strict=True):
        profile = int(problem.type_profile[problem.truck_type[circuit.truck]])
        where = _Plan(preparation, problem, origin, original)
        _Suivi(where, roads[profile], profile, circuit, trajet).follow()


class _Routes:
    """What one profile may do on the network."""

    def __init__(self, reseau: ReseauHiver, profile: int) -> None:
        self.reseau = reseau
        self.seconds = reseau.seconds[profile].astype(np.float64)
        self.open = np.isfinite(self.seconds)
        both = np.zeros((reseau.nodes, 2), dtype=np.int64)  # ends of pieces of road, ways out
        seen: set[int] = set()
        for arc, (tail, head) in enumerate(zip(reseau.tail.tolist(), reseau.head.tolist(), strict=True)):
            if int(reseau.edge[arc]) not in seen:
                seen.add(int(reseau.edge[arc]))
                both[tail, 0] += 1
                both[head, 0] += 1
            both[tail, 1] += bool(self.open[arc])
        self.ends, self.exits = both.T

    def turn(self, before: int, after: int) -> float:
        """s of going on by an arc after another, inf = not allowed: `reseau.Virages`, word by word."""
        r, rule = self.reseau, self.reseau.virages
        node = int(r.head[before])
        if r.edge[before] == r.edge[after] and before != after:  # back by the piece of road it came by
            if r.turn_allowed[node]:
                return rule.uturn_s
            return rule.uturn_elsewhere_s if self.exits[node] > bool(self.open[after]) else rule.dead_end_s
        bend = float(r.heading_out[after]) - float(r.heading_in[before])
        if self.ends[node] < 3 or np.isnan(bend):
            return 0.0
        bend = (bend + 180.0) % 360.0 - 180.0  # clockwise, -180 (straight back: over the left) to 180
        if abs(bend) <= rule.straight_deg:
            return 0.0
        return rule.right_s if 0 < bend < 180.0 - 1e-3 else rule.left_s


@dataclass(frozen=True)
class _Plan:
    """Where the plan's places and items lie on the network that is driven."""

    preparation: Preparation
    problem: Probleme
    origin: I32 | None
    original: bool

    def node(self, small: int) -> int:
        return int(self.preparation.contraction.node[small]) if self.original else small

    def arcs(self, small: int) -> list[int]:
        return self.preparation.contraction.chain(small).tolist() if self.original else [small]

    def source(self, item: int) -> int:
        return item if self.origin is None else int(self.origin[item])

    def treated(self, item: int, mode: int) -> list[int]:
        """Arcs of an item, in driving order."""
        return self.arcs(int(self.preparation.item_arc[self.source(item), mode]))

    def left_from(self, place: int) -> tuple[int, bool]:
        """Node a place is left from, and whether by any way, however the truck came."""
        lieux = self.preparation.lieux
        return self.node(int(lieux.leave_node[place])), int(lieux.leave_arc[place]) == AUCUN

    def come_to(self, place: int) -> tuple[int, int]:
        """Node a place is reached at, arc by which it must be (AUCUN = any)."""
        lieux = self.preparation.lieux
        arc = int(lieux.reach_arc[place])
        free = arc == AUCUN or bool(lieux.reach_ready[place])
        return self.node(int(lieux.reach_node[place])), AUCUN if free else self.arcs(arc)[-1]


class _Suivi:
    """One truck followed along its trajet."""

    def __init__(self, where: _Plan, roads: _Routes, profile: int, circuit: Circuit, trajet: Trajet) -> None:
        self.where, self.roads, self.profile, self.circuit, self.t = where, roads, profile, circuit, trajet
        self.p = where.problem
        self.name = self.p.truck_name(circuit.truck)
        self.step = 0
        self.place = int(self.p.home[circuit.truck, 0])
        self.node, _ = where.left_from(self.place)
        self.before = AUCUN
        self.clock = float(self.p.shift_start_s[circuit.truck])

    def refuse(self, text: str) -> NoReturn:
        raise ControleEchoue(f"{self.name}, étape {self.step} : {text}")

    def follow(self) -> None:
        """The whole trajet."""
        sizes = {len(getattr(self.t, field)) for field in ("arc", "item", "point", "begin_s", "end_s")}
        if len(sizes) != 1:
            self.refuse("colonnes de longueurs différentes")
        if not np.isfinite([self.t.begin_s, self.t.end_s]).all():
            self.refuse("heure qui n'est pas un nombre")
        day = walk(self.p, self.circuit)
        if not day.complete:
            raise ControleEchoue(day.faults[0])
        for rank, visit in enumerate(self.circuit.visits.tolist()):
            if visit >= 0:
                self._treat(day, rank, *divmod(visit, 2))
            else:
                self._stop(day, rank, -1 - visit)
        home = int(self.p.home[self.circuit.truck, 1])
        self._leg(home if home != AUCUN else int(self.p.point_place[self.circuit.end_point, 0]), AUCUN)
        if self.step < len(self.t.arc):
            self.refuse("ce trajet ne s'arrête pas à la fin de service")

    def _drive(self, arc: int) -> float:
        """Drive one arc; s of the turn before it."""
        reseau = self.roads.reseau
        if not 0 <= arc < reseau.arcs:
            self.refuse(f"arc {arc} inconnu")
        if int(reseau.tail[arc]) != self.node:
            self.refuse(f"la route part du nœud {int(reseau.tail[arc])}, le camion est au nœud {self.node}")
        if not self.roads.open[arc]:
            self.refuse("route interdite à ce camion")
        turn = 0.0 if self.before == AUCUN else self.roads.turn(self.before, arc)
        if not np.isfinite(turn):
            self.refuse(f"virage interdit au nœud {self.node}")
        self.node, self.before = int(reseau.head[arc]), arc
        return turn

    def _leg(self, place: int, service: int) -> None:
        """Empty to a place; ``service``: the arc treated there, whose turn is part of the way; AUCUN = none."""
        metres = seconds = 0.0
        while self.step < len(self.t.arc) and self.t.arc[self.step] != AUCUN and self.t.item[self.step] == AUCUN:
            arc = int(self.t.arc[self.step])
            begin, end = float(self.t.begin_s[self.step]), float(self.t.end_s[self.step])
            turn = self._drive(arc)
            self._same("virage et trajet", "s", end - self.clock, turn + float(self.roads.seconds[arc]))
            self._same("trajet", "s", end - begin, float(self.roads.seconds[arc]))
            metres += float(self.roads.reseau.length_m[arc])
            seconds += turn + float(self.roads.seconds[arc])
            self.clock = end
            self.step += 1
        node, arrival = self.where.come_to(place)
        if self.node != node:
            self.refuse(f"le camion est au nœud {self.node}, attendu au nœud {node}")
        if self.before == AUCUN:  # still in a yard where it may turn: it stands there as it likes
            self.before = arrival
        if arrival not in (AUCUN, self.before):
            self.refuse(f"arrivée au nœud {node} par une autre route que prévu")
        if service != AUCUN and self.before != AUCUN:
            seconds += self.roads.turn(self.before, service)
        self._same("chemin", "m", metres, float(self.p.distances_m[self.profile, self.place, place]))
        self._same("chemin", "s", seconds, float(self.p.durations_s[self.profile, self.place, place]))

    def _leave(self, place: int) -> None:
        node, anyhow = self.where.left_from(place)
        if node != self.node:
            self.refuse(f"départ du nœud {self.node}, attendu du nœud {node}")
        if anyhow:
            self.before = AUCUN
        self.place = place

    def _treat(self, day: Releve, rank: int, item: int, mode: int) -> None:
        arcs = self.where.treated(item, mode)
        self._leg(int(self.p.start[item, mode]), arcs[0])
        first = self.step
        for arc in arcs:
            if self.step >= len(self.t.arc) or self.t.arc[self.step] != arc:
                self.refuse(f"{self.p.item_name(item)} n'est pas parcouru en entier dans le sens prévu")
            if self.t.item[self.step] != self.where.source(item):
                self.refuse(f"{self.p.item_name(item)} est parcouru sans être traité")
            if self.step > first:
                self._same("traitement continu", "s", float(self.t.begin_s[self.step]), self.clock)
            if float(self.t.end_s[self.step]) < float(self.t.begin_s[self.step]):
                self.refuse("l'heure recule")
            self._drive(arc)
            self.clock = float(self.t.end_s[self.step])
            self.step += 1
        self._hours(day, rank, Action.TRAITEMENT, first)
        self._leave(int(self.p.end[item, mode]))

    def _stop(self, day: Releve, rank: int, point: int) -> None:
        self._leg(int(self.p.point_place[point, 0]), AUCUN)
        if self.step >= len(self.t.arc) or self.t.arc[self.step] != AUCUN or self.t.point[self.step] != point:
            self.refuse(f"arrêt au point de rechargement {point} attendu")
        self.clock = float(self.t.end_s[self.step])
        self.step += 1
        self._hours(day, rank, Action.RECHARGEMENT, self.step - 1)
        self._leave(int(self.p.point_place[point, 1]))

    def _hours(self, day: Releve, rank: int, action: Action, first: int) -> None:
        """A visit begins and ends at the hours of the plan, but for the rounding of the legs before it."""
        planned = next(e for e in day.steps if e.rank == rank and e.action is action)
        slack = (rank + 1) * ABSOLU + RELATIF * (planned.end_s - day.steps[0].begin_s)
        for word, said, truth in (
            ("début", float(self.t.begin_s[first]), planned.begin_s),
            ("fin", self.clock, planned.end_s),
        ):
            if abs(said - truth) > slack:
                self.refuse(f"{word} de {action} à {hours(said)}, prévu à {hours(truth)}")

    def _same(self, word: str, unit: str, said: float, truth: float) -> None:
        if not abs(said - truth) <= ABSOLU + RELATIF * abs(truth):
            self.refuse(f"{word} de {avec_unite(said, unit, 2)}, attendu {avec_unite(truth, unit, 2)}")
