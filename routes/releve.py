"""The day of one truck, read step after step from its circuit alone: clock, metres, loads, and every rule it breaks.

Pure module, plain Python, nothing of the search: this is what `controle` judges plans by, what a timetable is written
from, and what says why a present circuit cannot be driven.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from territoires.nombres import avec_unite

from .probleme import AUCUN, F64, Circuit, Probleme

#: What a limit may be passed by and still be kept, relative to it (at least to 1): sums done in another order.
TOLERANCE = 1e-6


class Action(StrEnum):
    """What a truck does during a step."""

    TRAJET = "trajet"
    ATTENTE = "attente"
    TRAITEMENT = "traitement"
    RECHARGEMENT = "rechargement"


@dataclass(frozen=True)
class Etape:
    """One step of a duty; the next one begins where it ends.

    ``rank``: position of the visit in the circuit that the step leads to or does, the number of visits for the way to
    the end of duty. ``begin_s``, ``end_s``: s on the common clock. ``metres``: m driven. ``load``: t on board at the
    end, by product.
    """

    action: Action
    rank: int
    begin_s: float
    end_s: float
    metres: float
    load: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Releve:
    """One truck's duty: steps, figures as in `resultat.Tournees`, and ``faults``, French sentences.

    late_s F64 (L,) s of lateness by level; taken F64 (Q,) t loaded in all, first load included; drawn F64 (S, Q) t from
    each stock. Where a fault leaves the truck without a way on (``complete`` False), figures stop there.
    """

    truck: int
    steps: tuple[Etape, ...]
    driven_m: float
    treated_m: float
    duty_s: float
    driving_s: float
    service_s: float
    waiting_s: float
    reload_s: float
    late_s: F64
    taken: F64
    drawn: F64
    faults: tuple[str, ...]
    complete: bool


def exceeds(value: float, limit: float) -> bool:
    """Above the limit by more than rounding. An infinite limit is never passed."""
    return value > limit + TOLERANCE * max(1.0, abs(limit)) if np.isfinite(limit) else value > limit


def hours(seconds: float) -> str:
    """« 4 h 05 min 12 s », for a time of day or a duration; tenths of a second below a minute."""
    if not np.isfinite(seconds):
        return "—"
    if abs(seconds) < 60:
        return avec_unite(seconds, "s", 1)
    sign, whole = ("−" if seconds < 0 else ""), round(abs(seconds))
    return f"{sign}{whole // 3600} h {whole // 60 % 60:02d} min {whole % 60:02d} s"


def needs(problem: Probleme, circuit: Circuit) -> F64:
    """(segments, Q) t that must be on board when each segment begins, by the rule of `Probleme`, last one first."""
    segments: list[F64] = [np.zeros(problem.demand.shape[1])]
    for visit in (int(v) for v in reversed(circuit.visits)):
        if visit >= 0:
            segments[-1] = segments[-1] + problem.demand[visit // 2]
        else:
            segments.append(np.maximum(0.0, segments[-1] - problem.refill[-1 - visit]))
    return np.array(segments[::-1])


def walk(problem: Probleme, circuit: Circuit) -> Releve:
    """Follow a truck from home to the end of its duty.

    Locks and stocks concern several trucks: they are not judged here. Raises `IndexError` for an unknown truck.
    """
    return _Marche(problem, circuit).done()


class _Marche:
    """State of a truck along its circuit; each method is one thing it may have to do."""

    def __init__(self, problem: Probleme, circuit: Circuit) -> None:
        if not 0 <= circuit.truck < problem.n_trucks:
            raise IndexError(f"camion {circuit.truck} inconnu")
        self.p, self.circuit, self.truck = problem, circuit, circuit.truck
        self.name = problem.truck_name(self.truck)
        self.type = int(problem.truck_type[self.truck])
        self.profile = int(problem.type_profile[self.type])
        self.place = int(problem.home[self.truck, 0])
        self.begin = self.clock = float(problem.shift_start_s[self.truck])
        self.steps: list[Etape] = []
        self.faults: list[str] = []
        self.late = np.zeros(problem.n_levels)
        self.taken = np.zeros(problem.demand.shape[1])
        self.drawn = np.zeros(problem.stock.shape)
        self.load = np.zeros(problem.demand.shape[1])

    def done(self) -> Releve:
        """The whole duty."""
        complete = self._known_visits() and self._drive_all()
        if complete:
            self._limits()
            self._fullest()

        def seconds(*actions: Action) -> float:
            return float(sum(e.end_s - e.begin_s for e in self.steps if e.action in actions))

        return Releve(
            truck=self.truck,
            steps=tuple(self.steps),
            driven_m=float(sum(e.metres for e in self.steps)),
            treated_m=float(sum(e.metres for e in self.steps if e.action is Action.TRAITEMENT)),
            duty_s=self.clock - self.begin,
            driving_s=seconds(Action.TRAJET, Action.TRAITEMENT),
            service_s=seconds(Action.TRAITEMENT),
            waiting_s=seconds(Action.ATTENTE),
            reload_s=seconds(Action.RECHARGEMENT),
            late_s=self.late,
            taken=self.taken,
            drawn=self.drawn,
            faults=tuple(self.faults),
            complete=complete,
        )

    def _fault(self, text: str) -> bool:
        """Keep a fault; always False, so that callers may stop with it."""
        self.faults.append(f"{self.name} : {text}")
        return False

    def _known_visits(self) -> bool:
        """Every visit is an item or a point of the problem, in a mode that exists and that the truck may serve."""
        for visit in (int(v) for v in self.circuit.visits):
            if not -self.p.n_points <= visit < 2 * self.p.n_items:
                return self._fault(f"visite {visit} inconnue")
            if visit < 0:
                continue
            item, mode = divmod(visit, 2)
            if self.p.start[item, mode] == AUCUN:
                return self._fault(f"{self.p.item_name(item)} traité dans un sens qui n'existe pas")
            if not np.isfinite(self.p.service_s[self.type, item, mode]):
                return self._fault(f"{self.p.item_name(item)} ne peut être traité par ce type de camion dans ce sens")
        return True

    def _drive_all(self) -> bool:
        """Home, visits, end of duty; False where there is no way on."""
        need = needs(self.p, self.circuit)
        self._take(need[0], int(self.p.home_stock[self.truck]), self.p.initial_load[self.truck], "au départ")
        segment = 0
        for rank, visit in enumerate(int(v) for v in self.circuit.visits):
            if visit >= 0:
                if not self._serve(rank, *divmod(visit, 2)):
                    return False
            else:
                segment += 1
                if not self._reload(rank, -1 - visit, need[segment]):
                    return False
        return self._go_home(len(self.circuit.visits))

    def _step(self, action: Action, rank: int, seconds: float, metres: float = 0.0) -> None:
        end = self.clock + seconds
        self.steps.append(Etape(action, rank, self.clock, end, metres, tuple(float(t) for t in self.load)))
        self.clock = end

    def _go(self, rank: int, place: int, towards: str) -> bool:
        metres = float(self.p.distances_m[self.profile, self.place, place])
        seconds = float(self.p.durations_s[self.profile, self.place, place])
        if not (np.isfinite(metres) and np.isfinite(seconds)):
            return self._fault(f"aucun chemin pour ce gabarit vers {towards}")
        self._step(Action.TRAJET, rank, seconds, metres)
        self.place = place
        return True

    def _wait(self, rank: int, until: float) -> None:
        if until > self.clock:
            self._step(Action.ATTENTE, rank, until - self.clock)
            self.clock = until

    def _take(self, need: F64, stock: int, most: F64, where: str) -> None:
        """Load what the next segments need and is not on board."""
        taken = np.maximum(0.0, need - self.load)
        for product in _above(taken, most):
            self._fault(f"{_tonnes(taken[product], product)} à charger {where}, {_tonnes(most[product])} au plus")
        self.load = self.load + taken
        self.taken = self.taken + taken
        if stock != AUCUN:
            self.drawn[stock] += taken
        hold = self.p.capacity[self.type]
        for product in _above(self.load, hold):
            charge = _tonnes(self.load[product], product)
            self._fault(f"charge de {charge} {where}, capacité {_tonnes(hold[product])}")

    def _serve(self, rank: int, item: int, mode: int) -> bool:
        name = self.p.item_name(item)
        if not self._go(rank, int(self.p.start[item, mode]), name):
            return False
        self._wait(rank, float(self.p.earliest_s[item]))
        self.load = self.load - self.p.demand[item]
        for product in _short(self.load, self.p.capacity[self.type]):
            self._fault(f"il manque {_tonnes(-self.load[product], product)} pour traiter {name}")
        seconds = float(self.p.service_s[self.type, item, mode])
        self._step(Action.TRAITEMENT, rank, seconds, float(self.p.driven_m[item]))
        self.late[self.p.level[item]] += max(0.0, self.clock - float(self.p.deadline_s[item]))
        self.place = int(self.p.end[item, mode])
        return True

    def _reload(self, rank: int, point: int, need: F64) -> bool:
        where = f"au point de rechargement {point}"
        if not self._go(rank, int(self.p.point_place[point, 0]), f"le point de rechargement {point}"):
            return False
        opening, closing = (float(v) for v in self.p.opening_s[point])
        if opening == np.inf:
            return self._fault(f"rechargement {where}, jamais ouvert")
        self._wait(rank, opening)
        if exceeds(self.clock, closing):
            self._fault(f"arrivée {where} à {hours(self.clock)}, fermé depuis {hours(closing)}")
        self._take(need, int(self.p.point_stock[point]), self.p.refill[point], where)
        self._step(Action.RECHARGEMENT, rank, float(self.p.point_s[point]))
        self.place = int(self.p.point_place[point, 1])
        return True

    def _go_home(self, rank: int) -> bool:
        home, point = int(self.p.home[self.truck, 1]), self.circuit.end_point
        if home != AUCUN:
            if point != AUCUN:
                return self._fault(f"fin de service au point {point}, alors que le camion doit rentrer")
            return self._go(rank, home, "son lieu d'arrivée")
        if not 0 <= point < self.p.n_points:
            return self._fault(f"fin de service au point de rechargement {point}, inconnu")
        return self._go(rank, int(self.p.point_place[point, 0]), f"le point de rechargement {point} (fin de service)")

    def _limits(self) -> None:
        """Driving and span."""
        driving = sum(e.end_s - e.begin_s for e in self.steps if e.action in (Action.TRAJET, Action.TRAITEMENT))
        most = float(self.p.driving_limit_s[self.truck])
        if exceeds(driving, most):
            self._fault(f"conduite de {hours(driving)}, limite {hours(most)}")
        span, most = self.clock - self.begin, float(self.p.span_s[self.truck])
        if exceeds(span, most):
            self._fault(f"amplitude de {hours(span)}, limite {hours(most)}")

    def _fullest(self) -> None:
        """The same loads seen otherwise: leaving with all it may, filled at each visit, the truck never runs out.

        No plan can serve more, so this holds exactly where the rule of needs does; both are asked for.
        """
        hold = self.p.capacity[self.type]
        load = self.p.initial_load[self.truck].astype(np.float64)
        for visit in (int(v) for v in self.circuit.visits):
            if visit < 0:
                load = np.minimum(hold, load + self.p.refill[-1 - visit])
                continue
            load = load - self.p.demand[visit // 2]
            for product in _short(load, hold):
                name = self.p.item_name(visit // 2)
                self._fault(f"même au plus chargé, il manque {_tonnes(-load[product], product)} pour traiter {name}")
                load[product] = 0.0


def _above(values: F64, limits: F64) -> list[int]:
    """Products of which there is more than the limit."""
    return [q for q, (value, limit) in enumerate(zip(values, limits, strict=True)) if exceeds(value, limit)]


def _short(load: F64, hold: F64) -> list[int]:
    """Products of which there is less than nothing, by more than rounding in a truck that holds so much."""
    return [q for q, (value, most) in enumerate(zip(load, hold, strict=True)) if value < -TOLERANCE * max(1.0, most)]


def _tonnes(value: float, product: int | None = None) -> str:
    """« 1,250 t », « 1,250 t du produit 0 »."""
    return avec_unite(float(value), "t", 3) + ("" if product is None else f" du produit {product}")
