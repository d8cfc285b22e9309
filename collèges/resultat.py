"""Plans and what is said of them. Pure module.

A plan never changes: a change makes a child that keeps its parent and the flips between them, so undo is the parent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from territoires.calcul import Bilan

from .probleme import AUCUN, F64, I32, Problem

#: Remark of an account whose bound turned out to be false.
BORNE_ECARTEE = (
    "Une borne inférieure calculée dépassait le coût d'un plan trouvé : elle est fausse et a été écartée. "
    "Le plan reste valable ; ce défaut du calcul est à signaler."
)


@dataclass(frozen=True)
class Bascule:
    """One zone's change: collèges before and after, (first, second), AUCUN = none (see `Plan.college`)."""

    zone: int
    avant: tuple[int, int]
    apres: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Plan:
    """Who goes where: ``college`` (n, 2) int32, read-only, as ``Problem.present``: the zone's collège and AUCUN, two
    collèges for a shared sector left as it is today, AUCUN twice for a zone without any.

    ``parent`` is the plan it was changed from (None = none) and ``bascules`` the difference with it.
    """

    college: I32
    parent: Plan | None = None
    bascules: tuple[Bascule, ...] = ()

    def __post_init__(self) -> None:
        college = self.college
        if college.ndim != 2 or college.shape[1] != 2:
            raise ValueError(f"plan : forme {college.shape} au lieu de (zones, 2)")
        if college.dtype != np.int32 or college.flags.writeable:
            college = college.astype(np.int32)
            college.setflags(write=False)
            object.__setattr__(self, "college", college)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and np.array_equal(self.college, other.college)

    def __hash__(self) -> int:
        return hash(self.college.tobytes())

    def __reduce__(self) -> tuple[object, ...]:
        # The chain of parents as a list: a long one would exceed the recursion limit of pickle.
        chaine: list[Plan] = [self]
        while chaine[-1].parent is not None:
            chaine.append(chaine[-1].parent)
        return (_rebuild, (chaine[-1].college, [plan.bascules for plan in reversed(chaine[:-1])]))

    @property
    def digest(self) -> str:
        """SHA-256 of the assignment, hexadecimal."""
        return hashlib.sha256(np.ascontiguousarray(self.college, dtype="<i4").tobytes()).hexdigest()

    def with_zones(self, zones: Sequence[int], college: int, second: int = AUCUN) -> Plan:
        """A child in which these zones (one given twice counts once) have this collège (AUCUN = none; ``second``: a
        shared sector)."""
        voulu = (int(college), int(second))
        suite = self.college.copy()
        bascules = []
        for zone in dict.fromkeys(zones):
            avant = (int(self.college[zone, 0]), int(self.college[zone, 1]))
            if avant != voulu:
                bascules.append(Bascule(int(zone), avant, voulu))
                suite[zone] = voulu
        return Plan(suite, self, tuple(bascules))


def _rebuild(racine: I32, changements: list[tuple[Bascule, ...]]) -> Plan:
    plan = Plan(racine)
    for bascules in changements:
        suite = plan.college.copy()
        for bascule in bascules:
            suite[bascule.zone] = bascule.apres
        plan = Plan(suite, plan, bascules)
    return plan


def present_plan(problem: Problem) -> Plan:
    """Today's plan."""
    return Plan(problem.present)


@dataclass(frozen=True)
class Couts:
    """What a plan costs, term by term, in pupil-minutes of a mean year (each one defined in `collèges.probleme`)."""

    trajet: float = 0.0
    trajet_long: float = 0.0
    allongement: float = 0.0
    depart: float = 0.0
    sureffectif: float = 0.0
    souseffectif: float = 0.0
    taille: float = 0.0
    sans_college: float = 0.0
    interdit: float = 0.0
    ensemble: float = 0.0
    limite_zones: float = 0.0
    limite_eleves: float = 0.0
    passages: float = 0.0
    exterieurs: float = 0.0
    ecart_ips: float = 0.0
    dissimilarite: float = 0.0

    @property
    def total(self) -> float:
        return float(sum(getattr(self, champ.name) for champ in fields(self)))


@dataclass(frozen=True, eq=False)
class Chiffres:
    """Figures of one set of pupils, K = collèges or groups; arrays (T, K) float64 unless said; NaN = nobody.

    Minutes: those of ``q`` with a finite time, one way; P90 = least time that 90 % of these pupils do not exceed.
    For collèges: pupils received (``effectif`` = load L); ``deplaces`` = pupils of ``e p moved`` who arrive (shared out
    as the new collèges of their zone that gain); ``exterieurs`` = share of X in L (L213-8).
    For groups: pupils living there who have a collège; ``deplaces`` = e p moved of its zones; ``exterieurs`` = share of
    the pupils received by the group's collèges who live in other groups; ``remplissage`` = pupils received by the
    group's collèges over their capacity.
    ``remplissage`` is NaN where capacity is infinite or zero; ``ips`` (K,): mean of E s ips over the sector, or over
    the zones of the group; ``ecart_ips`` (K,): largest |I(a) - I(b)| over the pairs of ``college_voisins`` that the
    collège, or a collège of the group, is in (NaN = none).
    """

    effectif: F64
    remplissage: F64
    minutes_moyenne: F64
    minutes_p90: F64
    minutes_max: F64
    deplaces: F64
    exterieurs: F64
    ips: F64
    ecart_ips: F64


@dataclass(frozen=True)
class Difference:
    """One plan against another (today's, mostly): zones that changed, pupils of a mean year behind them (E moved),
    difference of cost (negative = better), the flips."""

    zones: int
    eleves: float
    cout: float
    bascules: tuple[Bascule, ...]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All figures of one plan.

    ``coupees``: zones cut off, ``iles``: zones in tolerated islands (indices, rising; defined in `collèges.probleme`).
    ``manques``: broken wishes, French sentences. ``dissimilarite`` in [0, 1].
    """

    cout: float
    couts: Couts
    colleges: Chiffres
    groupes: Chiffres
    dissimilarite: float
    coupees: tuple[int, ...]
    iles: tuple[int, ...]
    manques: tuple[str, ...]
    difference: Difference


@dataclass(frozen=True, eq=False)
class Solution:
    """Answer to one block. ``bilan.cost`` and ``bilan.bound`` are in pupil-minutes of a mean year (not euro);
    ``bilan.remarks`` = remarks on the data, then broken wishes, then `BORNE_ECARTEE` where that happened.
    ``empreinte`` = `input_hash` of the input."""

    bilan: Bilan
    plan: Plan
    evaluation: Evaluation
    empreinte: str
