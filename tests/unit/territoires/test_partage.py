"""Properties of cost sharing."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from territoires.partage import (
    Part,
    PartageImpossible,
    by_key,
    by_keys,
    contributions,
    make_charges,
    objections,
    round_cents,
    shapley,
)
from territoires.partitions import Bloc, coalitions

CENT = Decimal("0.01")


def names(n: int) -> list[str]:
    return [f"{rank:02d}" for rank in range(n)]


@st.composite
def games(draw: st.DrawFn, low: int = 1, high: int = 5) -> dict[Bloc, Decimal]:
    """Any cost game: no property of the costs is assumed."""
    members = names(draw(st.integers(low, high)))
    cents = st.integers(-(10**9), 10**11)
    return {bloc: Decimal(draw(cents)).scaleb(-2) for bloc in coalitions(members)}


def brute_force(costs: dict[Bloc, Decimal]) -> dict[str, Fraction]:
    """Mean over all orders of arrival of what each arrival adds."""
    members = sorted({member for bloc in costs for member in bloc})
    total = dict.fromkeys(members, Fraction(0))
    orders = list(permutations(members))
    for order in orders:
        here: frozenset[str] = frozenset()
        before = Decimal(0)
        for member in order:
            here |= {member}
            total[member] += Fraction(costs[here] - before)
            before = costs[here]
    return {member: value / len(orders) for member, value in total.items()}


@settings(deadline=None)
@given(games())
def test_shapley_is_the_mean_over_orders(costs: dict[Bloc, Decimal]) -> None:
    found, exact = shapley(costs), brute_force(costs)
    for member, value in exact.items():
        assert abs(Fraction(found[member]) - value) < Fraction(1, 100)


@given(games(high=7))
def test_efficiency_to_the_cent(costs: dict[Bloc, Decimal]) -> None:
    whole = max(costs, key=len)
    assert sum(shapley(costs).values()) == costs[whole]


@given(games(low=2, high=6), st.integers(0, 10**8))
def test_dummy_pays_its_own_cost(costs: dict[Bloc, Decimal], cents: int) -> None:
    alone = Decimal(cents).scaleb(-2)
    extended = {**costs, frozenset(["zz"]): alone}
    extended |= {bloc | {"zz"}: cost + alone for bloc, cost in costs.items()}
    found = shapley(extended)
    assert abs(found["zz"] - alone) <= CENT
    inner = shapley(costs)
    assert all(abs(found[member] - inner[member]) <= CENT for member in inner)


@given(games(low=2, high=6))
def test_symmetry(costs: dict[Bloc, Decimal]) -> None:
    """Two members made interchangeable pay the same, but for the cent of rounding."""
    swap = {"00": "01", "01": "00"}
    both = {
        bloc: costs[min((bloc, frozenset(swap.get(member, member) for member in bloc)), key=sorted)] for bloc in costs
    }
    found = shapley(both)
    assert abs(found["00"] - found["01"]) <= CENT


@given(st.data())
def test_additivity(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 5))
    cents = st.integers(0, 10**10)
    one = {bloc: Decimal(data.draw(cents)).scaleb(-2) for bloc in coalitions(names(n))}
    two = {bloc: Decimal(data.draw(cents)).scaleb(-2) for bloc in coalitions(names(n))}
    both = shapley({bloc: one[bloc] + two[bloc] for bloc in one})
    first, second = shapley(one), shapley(two)
    assert all(abs(both[member] - first[member] - second[member]) <= 3 * CENT for member in both)


def test_airport_game() -> None:
    """Littlechild and Owen (1973): a runway of cost max(needs) is shared step by step among those who need it."""
    needs = {"a": 1200, "b": 2400, "c": 3600}
    costs = {bloc: Decimal(max(needs[member] for member in bloc)) for bloc in coalitions(needs)}
    assert shapley(costs) == {"a": Decimal(400), "b": Decimal(1000), "c": Decimal(2200)}
    assert objections(shapley(costs), costs) == ()


def test_twelve_members_and_no_more() -> None:
    members = names(12)
    costs = {bloc: Decimal(1000 * len(bloc)) for bloc in coalitions(members)}
    assert shapley(costs) == dict.fromkeys(members, Decimal(1000))
    with pytest.raises(PartageImpossible, match="12"):
        shapley({frozenset(names(13)): Decimal(1)})


def test_missing_coalition_is_named() -> None:
    with pytest.raises(PartageImpossible, match=r"a \+ b"):
        shapley({frozenset("a"): Decimal(1), frozenset("b"): Decimal(1), frozenset("c"): Decimal(1)})


def test_objection_of_a_pair() -> None:
    costs = {bloc: Decimal({1: 100, 2: 120, 3: 270}[len(bloc)]) for bloc in coalitions("abc")}
    found = objections(shapley(costs), costs)
    assert [set(item.coalition) for item in found] == [{"a", "b"}, {"a", "c"}, {"b", "c"}]
    assert {item.manque for item in found} == {Decimal(60)}


@given(games(low=2, high=5))
def test_objections_are_all_those_of_brute_force(costs: dict[Bloc, Decimal]) -> None:
    paid = shapley(costs)
    worse = {bloc for bloc, cost in costs.items() if sum(paid[member] for member in bloc) > cost}
    assert {item.coalition for item in objections(paid, costs)} == worse


@given(st.integers(-(10**9), 10**11), st.lists(st.floats(0, 1e9, allow_nan=False), min_size=1, max_size=12).filter(any))
def test_key_is_efficient_and_proportional(cents: int, weights: list[float]) -> None:
    total = Decimal(cents).scaleb(-2)
    key = dict(zip(names(len(weights)), weights, strict=True))
    found = by_key(total, key)
    assert sum(found.values()) == total
    size = sum(map(Fraction, weights))
    for member, weight in key.items():
        assert abs(Fraction(found[member]) - Fraction(total) * Fraction(weight) / size) < Fraction(1, 100)


def test_mixed_key() -> None:
    found = by_keys(Decimal(1000), [({"a": 3, "b": 1}, 1), ({"a": 0, "b": 5}, 3)])
    assert found == {"a": Decimal("187.50"), "b": Decimal("812.50")}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ([({"a": 0, "b": 0}, 1)], "nulle"),
        ([({"a": -1, "b": 2}, 1)], "négatif"),
        ([({"a": float("nan")}, 1)], "nombre"),
        ([({"a": 1}, 0)], "pondération"),
        ([], "pondération"),
    ],
)
def test_bad_key_is_refused(keys: list[tuple[dict[str, float], float]], words: str) -> None:
    with pytest.raises(PartageImpossible, match=words):
        by_keys(Decimal(10), keys)


def test_rounding_gives_cents_to_the_largest_remainders() -> None:
    third = Fraction(100, 3)
    assert round_cents({"a": third, "b": third, "c": third}) == {
        "a": Decimal("0.34"),
        "b": Decimal("0.33"),
        "c": Decimal("0.33"),
    }
    with pytest.raises(ValueError, match="whole cents"):
        round_cents({"a": third})


ALONE = {frozenset("a"): Decimal(100), frozenset("b"): Decimal(80), frozenset("ab"): Decimal(150)}


def test_shapley_splits_the_gain_of_all_through_transfers() -> None:
    """Trips are the inhabitants' own: what moves between budgets makes everybody's gain the same."""
    charges = make_charges(Decimal(150), {"a": 110.0, "b": 40.0}, {"a": 90.0, "b": 10.0})
    assert charges is not None
    paid = contributions(Decimal(150), charges, [(None, 1.0)], ALONE)
    assert paid == {"a": Decimal(65), "b": Decimal(35)}
    after = {code: paid[code] + charges.couts[code] - charges.depenses[code] for code in paid}
    assert [ALONE[frozenset(code)] - after[code] for code in "ab"] == [Decimal(15), Decimal(15)]


def test_key_shares_public_spending_only() -> None:
    charges = make_charges(Decimal(150), {"a": 110.0, "b": 40.0}, {"a": 90.0, "b": 10.0})
    paid = contributions(Decimal(150), charges, [({"a": 3, "b": 1}, 1.0)], ALONE)
    assert paid == {"a": Decimal(75), "b": Decimal(25)}
    whole = contributions(Decimal(150), None, [({"a": 3, "b": 1}, 1.0)], ALONE)
    assert whole == {"a": Decimal("112.50"), "b": Decimal("37.50")}


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.floats(0, 1e7), st.floats(0, 1)), min_size=1),
    st.lists(st.floats(0.01, 100), min_size=1, max_size=3),
)
def test_every_mix_shares_the_spending_to_the_cent(
    figures: dict[str, tuple[float, float]], weights: list[float]
) -> None:
    total = Decimal(f"{sum(cost for cost, _ in figures.values()):.2f}")
    charges = make_charges(
        total,
        {code: cost for code, (cost, _) in figures.items()},
        {code: cost * share for code, (cost, share) in figures.items()},
    )
    assert charges is not None
    assert sum(charges.couts.values()) == total
    costs = {bloc: total * len(bloc) / len(figures) for bloc in coalitions(figures)}
    costs[frozenset(figures)] = total
    keys = [(None if rank == 0 else dict.fromkeys(figures, float(rank)), weight) for rank, weight in enumerate(weights)]
    paid = contributions(total, charges, keys, costs)
    assert sum(paid.values()) == charges.depense


def test_charges_that_do_not_add_up_base_no_transfer() -> None:
    assert make_charges(Decimal(150), {"a": 110.0, "b": 41.0}, None) is None
    assert make_charges(Decimal(150), {}, None) is None


def test_gains_and_transfers() -> None:
    part = Part("a", paye=Decimal(60), seule=Decimal(80), porte=Decimal(100))
    assert (part.gain, part.transfert) == (Decimal(20), Decimal(-40))
    assert Part("a", Decimal(60), Decimal(80), None).transfert is None
