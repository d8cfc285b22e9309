"""Partitions and the blocks a study asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from territoires.partitions import (
    MEMBRES_MAX,
    PartitionInvalide,
    as_lists,
    blocks_to_solve,
    chunks,
    cloisonne,
    coalitions,
    make_partition,
    mutualise,
)

codes_strategy = st.sets(st.text("0123456789AB", min_size=1, max_size=3), min_size=1, max_size=8)


@given(codes_strategy, st.data())
def test_partition_is_found_again_whatever_the_order(codes: set[str], data: st.DataObject) -> None:
    ranks = {code: data.draw(st.integers(0, 3)) for code in sorted(codes)}
    blocks = [[code for code in ranks if ranks[code] == rank] for rank in set(ranks.values())]
    partition = make_partition(blocks, codes)
    assert make_partition(reversed([list(reversed(block)) for block in blocks]), codes) == partition
    assert {code for block in partition for code in block} == codes
    assert make_partition(as_lists(partition), codes) == partition


@given(codes_strategy)
def test_every_coalition_once(codes: set[str]) -> None:
    found = list(coalitions(codes))
    assert len(found) == len(set(found)) == 2 ** len(codes) - 1


def test_extremes() -> None:
    assert cloisonne(["43", "42"]) == (frozenset(["42"]), frozenset(["43"]))
    assert mutualise(["43", "42"]) == (frozenset(["42", "43"]),)
    assert mutualise([]) == ()


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ([["a", "b"]], "oublie : c"),
        ([["a", "b"], ["b", "c"]], "b est dans deux"),
        ([["a", "a"], ["b", "c"]], "a est dans deux"),
        ([["a", "b", "c"], []], "vide"),
        ([["a", "b", "c", "d"]], "d n'est pas"),
    ],
)
def test_bad_partition_names_the_code(blocks: list[list[str]], words: str) -> None:
    with pytest.raises(PartitionInvalide, match=words):
        make_partition(blocks, {"a", "b", "c"})


def test_no_more_than_twelve() -> None:
    codes = [str(number) for number in range(MEMBRES_MAX + 1)]
    with pytest.raises(PartitionInvalide, match="12"):
        make_partition([codes], codes)


def test_blocks_to_solve_once_each() -> None:
    partition = make_partition([["a", "b", "c"], ["d"]], "abcd")
    regimes, others = blocks_to_solve(partition, True)
    assert regimes[0] == frozenset("abc")
    assert set(regimes) == {frozenset("abc"), *map(frozenset, "abcd")}
    assert set(others) == {frozenset("ab"), frozenset("ac"), frozenset("bc")}
    assert blocks_to_solve(partition, False) == (regimes, [])


def test_chunks_keep_all() -> None:
    blocks = list(coalitions("abcd"))
    pieces = list(chunks(blocks, 4))
    assert [len(piece) for piece in pieces] == [4, 4, 4, 3]
    assert [block for piece in pieces for block in piece] == blocks
