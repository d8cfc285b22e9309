"""Cost sharing: Shapley value, core, administrative keys, net transfers.

Pure module. Money in `Decimal` euro, to the cent; whatever is shared adds up to the cent to what there was to share.
A game is ``costs``: the cost of every non-empty coalition of the members. Shapley, L. S. (1953), « A value for n-person
games »: each one pays the mean, over all orders of arrival, of what its arrival adds to the cost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from math import factorial

import numpy as np
import numpy.typing as npt

from .partitions import MEMBRES_MAX, Bloc, coalitions

I64 = npt.NDArray[np.int64]
CENT = Decimal("0.01")


class PartageImpossible(ValueError):
    """The cost cannot be shared this way; the message (French) says what is missing."""


@dataclass(frozen=True)
class Objection:
    """A coalition that would pay ``manque`` euro less by leaving."""

    coalition: Bloc
    seule: Decimal
    paye: Decimal

    @property
    def manque(self) -> Decimal:
        """What it pays above its own cost (positive)."""
        return self.paye - self.seule


@dataclass(frozen=True)
class Part:
    """What one collectivité pays under a key (euro a year).

    ``seule`` = its public spending alone; ``porte`` = what it spends itself in the shared regime before any sharing
    (None when the operation does not say); ``gain_total`` = what it and its inhabitants gain together.
    """

    collectivite: str
    paye: Decimal
    seule: Decimal
    porte: Decimal | None
    gain_total: Decimal | None = None

    @property
    def gain(self) -> Decimal:
        """What sharing saves its budget: ``seule - paye``."""
        return self.seule - self.paye

    @property
    def transfert(self) -> Decimal | None:
        """Positive: it pays so much to the others; negative: it receives."""
        return None if self.porte is None else self.paye - self.porte


@dataclass(frozen=True)
class Charges:
    """What falls on the members of one block in the shared regime, before sharing (euro a year, to the cent).

    ``couts`` adds up to the cost of the block; ``depenses`` is the public part of it, what keys share.
    """

    couts: Mapping[str, Decimal]
    depenses: Mapping[str, Decimal]

    @property
    def depense(self) -> Decimal:
        """Public spending of the block."""
        return sum(self.depenses.values(), Decimal(0))


def make_charges(total: Decimal, couts: Mapping[str, float], depenses: Mapping[str, float] | None) -> Charges | None:
    """Charges from the indicators of a block of cost ``total``; ``depenses`` None = all of the cost is public.

    None when the figures do not add up to the cost within a cent for each: there is nothing to base transfers on.
    """
    exact = {code: Fraction(value) * 100 for code, value in couts.items()}
    left = _cents(total) - sum(exact.values(), Fraction(0))
    if not exact or abs(left) > len(exact):
        return None
    first = min(exact)
    exact[first] += left
    rounded = round_cents(exact)
    if depenses is None:
        return Charges(rounded, rounded)
    return Charges(rounded, {code: _decimal(depenses.get(code, 0.0)) for code in rounded})


def contributions(
    total: Decimal,
    charges: Charges | None,
    keys: Sequence[tuple[Mapping[str, float] | None, float]],
    costs: Mapping[Bloc, Decimal],
) -> dict[str, Decimal]:
    """What each member pays, by weighted keys; a key None is Shapley's value of the game ``costs``.

    What is shared is the public spending of the block (``total``, its whole cost, without ``charges``). By Shapley each
    member, with its inhabitants, ends with its value of the whole cost: it pays its spending plus the transfer that
    brings this about. The sum is what was to share, to the cent.
    """
    whole = sum((_fraction(part, "Une pondération") for _, part in keys), Fraction(0))
    if whole == 0:
        raise PartageImpossible("Donnez une pondération à au moins une clé.")
    shared = total if charges is None else charges.depense
    mixed: dict[str, Fraction] = {}
    for weights, part in keys:
        if part == 0:
            continue
        if weights is not None:
            paid = by_key(shared, weights)
        else:
            paid = shapley(costs)
            if charges is not None:
                paid = {code: paid[code] - charges.couts[code] + charges.depenses[code] for code in paid}
        for code, value in paid.items():
            mixed[code] = mixed.get(code, Fraction(0)) + Fraction(part) / whole * _cents(value)
    return round_cents(mixed)


def shapley(costs: Mapping[Bloc, Decimal]) -> dict[str, Decimal]:
    """Shapley value by member, exact in rationals and then rounded to cents that add up to the whole cost.

    Over all 2^n subsets at once (n <= 12): ``phi_i = sum_S |S|! (n-|S|-1)! / n! (v(S + i) - v(S))``. The differences
    are summed by size of S in int64 cents, the weights applied in exact rationals. Raises `PartageImpossible` when a
    coalition is missing.
    """
    members, values = _game(costs)
    n = len(members)
    masks: I64 = np.arange(1 << n, dtype=np.int64)
    sizes: I64 = np.bitwise_count(masks).astype(np.int64)
    shares: dict[str, Fraction] = {}
    for rank, member in enumerate(members):
        without = masks[(masks >> rank) & 1 == 0]
        marginal = values[without | (1 << rank)] - values[without]
        by_size = [int(marginal[sizes[without] == size].sum()) for size in range(n)]
        total = sum(factorial(size) * factorial(n - size - 1) * cents for size, cents in enumerate(by_size))
        shares[member] = Fraction(total, factorial(n))
    return round_cents(shares)


def round_cents(cents: Mapping[str, Fraction]) -> dict[str, Decimal]:
    """Shares in rational cents to whole cents with the same (whole) sum: largest remainders first, then by code."""
    total = sum(cents.values(), Fraction(0))
    if total.denominator != 1:
        raise ValueError("the shares do not add up to whole cents")
    floors = {member: share.numerator // share.denominator for member, share in cents.items()}
    left = int(total) - sum(floors.values())
    order = sorted(cents, key=lambda member: (floors[member] - cents[member], member))
    for member in order[:left]:
        floors[member] += 1
    return {member: Decimal(value).scaleb(-2) for member, value in floors.items()}


def objections(paid: Mapping[str, Decimal], costs: Mapping[Bloc, Decimal]) -> tuple[Objection, ...]:
    """Coalitions that pay more than they would cost alone, worst first; none = the sharing is in the core."""
    members, values = _game(costs)
    if set(paid) != set(members):
        raise PartageImpossible("Le partage ne porte pas sur les mêmes collectivités que les coûts.")
    sums: I64 = np.zeros(1, dtype=np.int64)
    for member in members:
        sums = np.concatenate([sums, sums + _cents(paid[member])])
    worse = np.flatnonzero(sums > values)
    found = [
        Objection(
            frozenset(member for rank, member in enumerate(members) if mask >> rank & 1),
            Decimal(int(values[mask])).scaleb(-2),
            Decimal(int(sums[mask])).scaleb(-2),
        )
        for mask in worse.tolist()
    ]
    return tuple(sorted(found, key=lambda item: (-item.manque, len(item.coalition), sorted(item.coalition))))


def by_key(total: Decimal, weights: Mapping[str, float]) -> dict[str, Decimal]:
    """Share ``total`` in proportion to ``weights``. Raises `PartageImpossible` for a negative or all-zero key."""
    return by_keys(total, [(weights, 1.0)])


def by_keys(total: Decimal, keys: Sequence[tuple[Mapping[str, float], float]]) -> dict[str, Decimal]:
    """Share ``total`` by several keys, each for its part (``keys`` = (weights, part), parts scaled to one)."""
    members = sorted({member for weights, _ in keys for member in weights})
    parts = [_fraction(part, "Une pondération") for _, part in keys]
    whole = sum(parts, Fraction(0))
    if not members or whole == 0:
        raise PartageImpossible("Donnez une pondération à au moins une clé.")
    cents = Fraction(_cents(total))
    shares = dict.fromkeys(members, Fraction(0))
    for (weights, _), part in zip(keys, parts, strict=True):
        if part == 0:
            continue
        exact = {member: _fraction(weights.get(member, 0.0), f"Le poids de {member}") for member in members}
        size = sum(exact.values(), Fraction(0))
        if size == 0:
            raise PartageImpossible("Cette clé est nulle pour toutes les collectivités : elle ne peut rien partager.")
        for member in members:
            shares[member] += cents * part / whole * exact[member] / size
    return round_cents(shares)


def _game(costs: Mapping[Bloc, Decimal]) -> tuple[list[str], I64]:
    """Members in order and cents of every subset by bit mask (0 for the empty one)."""
    members = sorted({member for bloc in costs for member in bloc})
    if len(members) > MEMBRES_MAX:
        raise PartageImpossible(f"Le partage va jusqu'à {MEMBRES_MAX} collectivités ; {len(members)} sont données.")
    values: I64 = np.zeros(1 << len(members), dtype=np.int64)
    missing: list[str] = []
    ranks = {member: rank for rank, member in enumerate(members)}
    for bloc in coalitions(members):
        cost = costs.get(bloc)
        if cost is None:
            missing.append(" + ".join(sorted(bloc)))
        else:
            values[_mask(bloc, ranks)] = _cents(cost)
    if missing:
        head = ", ".join(missing[:3]) + ("…" if len(missing) > 3 else "")
        raise PartageImpossible(f"Le coût de {len(missing)} coalition(s) n'est pas connu : {head}.")
    return members, values


def _mask(bloc: Collection[str], ranks: Mapping[str, int]) -> int:
    return sum(1 << ranks[member] for member in bloc)


def _cents(value: Decimal) -> int:
    return int((value.quantize(CENT, rounding=ROUND_HALF_EVEN) * 100).to_integral_value())


def _decimal(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(CENT, rounding=ROUND_HALF_EVEN)


def _fraction(value: float, what: str) -> Fraction:
    try:
        exact = Fraction(value)
    except (ValueError, OverflowError):
        raise PartageImpossible(f"{what} n'est pas un nombre.") from None
    if exact < 0:
        raise PartageImpossible(f"{what} est négatif.")
    return exact
