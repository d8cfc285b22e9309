"""Partitions of the collectivités of a study: who shares with whom.

Pure module. A block is a frozenset of collectivité codes, a partition a tuple of blocks in a fixed order (by their
sorted codes), so that equal partitions are equal values.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import combinations

Bloc = frozenset[str]
Partition = tuple[Bloc, ...]

#: Cost sharing asks the cost of every coalition: 2^12 - 1 = 4,095 of them at most.
MEMBRES_MAX = 12


class PartitionInvalide(ValueError):
    """The blocks are not a partition of the collectivités; the message (French) says which code is at fault."""


def cloisonne(codes: Iterable[str]) -> Partition:
    """Every collectivité alone."""
    return tuple(frozenset([code]) for code in sorted(set(codes)))


def mutualise(codes: Iterable[str]) -> Partition:
    """All in one block."""
    block = frozenset(codes)
    return (block,) if block else ()


def make_partition(blocks: Iterable[Collection[str]], codes: Collection[str]) -> Partition:
    """The partition of ``codes`` made of ``blocks``, in its fixed order.

    Raises `PartitionInvalide` for an empty block, a code in two blocks, unknown or left out, or more members than
    `MEMBRES_MAX`.
    """
    known = set(codes)
    if len(known) > MEMBRES_MAX:
        raise PartitionInvalide(f"Une étude réunit au plus {MEMBRES_MAX} collectivités ; {len(known)} sont données.")
    seen: set[str] = set()
    found: list[Bloc] = []
    for block in blocks:
        members = list(block)
        if not members:
            raise PartitionInvalide("Un groupe de la partition est vide.")
        for code in members:
            if code not in known:
                raise PartitionInvalide(f"La collectivité {code} n'est pas de l'étude.")
            if code in seen:
                raise PartitionInvalide(f"La collectivité {code} est dans deux groupes, ou deux fois dans le même.")
            seen.add(code)
        found.append(frozenset(members))
    missing = sorted(known - seen)
    if missing:
        raise PartitionInvalide(f"La partition oublie : {', '.join(missing)}.")
    return tuple(sorted(found, key=sorted))


def as_lists(partition: Iterable[Bloc]) -> list[list[str]]:
    """JSON form kept in the database."""
    return [sorted(block) for block in partition]


def coalitions(members: Collection[str]) -> Iterator[Bloc]:
    """Non-empty subsets, by size and then in the order of codes: 2^n - 1 of them."""
    ordered = sorted(members)
    for size in range(1, len(ordered) + 1):
        for subset in combinations(ordered, size):
            yield frozenset(subset)


def blocks_to_solve(partition: Partition, with_coalitions: bool) -> tuple[list[Bloc], list[Bloc]]:
    """Blocks of the two regimes (each one alone, and ``partition``), and the other coalitions sharing asks for.

    Blocks that both regimes have are solved once. The largest come first: they last longest.
    """
    alone = cloisonne(code for block in partition for code in block)
    regimes = set(alone) | set(partition)
    others: set[Bloc] = set()
    if with_coalitions:
        others = {subset for block in partition for subset in coalitions(block)} - regimes
    return _largest_first(regimes), _largest_first(others)


def _largest_first(blocks: Iterable[Bloc]) -> list[Bloc]:
    return sorted(blocks, key=lambda block: (-len(block), sorted(block)))


def chunks(blocks: Sequence[Bloc], size: int) -> Iterator[list[Bloc]]:
    """Successive runs of at most ``size`` blocks."""
    for start in range(0, len(blocks), size):
        yield list(blocks[start : start + size])
