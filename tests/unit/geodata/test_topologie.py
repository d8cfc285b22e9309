"""Cutting ways at crossings, against the same rules written one node at a time."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.topologie import Coupe, Voies, ranks, split_at_crossings

N = 9


def one_by_one(
    voies: list[list[int]], absents: set[int], garde: list[bool], inverse: list[bool]
) -> list[tuple[int, tuple[int, ...]]]:
    """(way, nodes) of each edge, in order: the rules as one would write them without arrays."""
    suites: list[tuple[int, list[int]]] = []
    for v, noeuds in enumerate(voies):
        if not garde[v]:
            continue
        suite: list[int] = []
        for n in [*(reversed(noeuds) if inverse[v] else noeuds), None]:
            if n is None or n in absents:
                if len(suite) >= 2:
                    suites.append((v, suite))
                suite = []
            elif not suite or suite[-1] != n:
                suite.append(n)
    passages = Counter(n for _, suite in suites for n in suite)
    aretes = []
    for v, suite in suites:
        debut = 0
        for i in range(1, len(suite)):
            if i == len(suite) - 1 or passages[suite[i]] >= 2:
                aretes.append((v, tuple(suite[debut : i + 1])))
                debut = i
    return aretes


_voie = st.lists(st.integers(0, N - 1), min_size=1, max_size=7)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(_voie, st.booleans(), st.sampled_from([True, True, True, False])), min_size=1, max_size=7),
    st.sets(st.integers(0, N - 1), max_size=2),
)
def test_same_edges_as_one_by_one(voies: list[tuple[list[int], bool, bool]], absents: set[int]) -> None:
    x = np.arange(N, dtype=np.float64) * 0.001
    for n in absents:
        x[n] = np.nan
    coupe = split_at_crossings(
        Voies(
            noeud_id=np.arange(N, dtype=np.int64) * 10,
            x=x,
            y=np.where(np.isnan(x), np.nan, 45.0),
            taille=np.array([len(v) for v, _, _ in voies], dtype=np.int32),
            noeud=np.array([n for v, _, _ in voies for n in v], dtype=np.int32),
            garde=np.array([g for _, _, g in voies]),
            inverse=np.array([i for _, i, _ in voies]),
        )
    )
    attendues = one_by_one([v for v, _, _ in voies], absents, [g for _, _, g in voies], [i for _, i, _ in voies])
    assert edges(coupe) == attendues
    assert coupe.rang.tolist() == ranks_of([v for v, _ in attendues])
    restantes = {v for v, _ in attendues}
    assert coupe.voies_vides == sum(g for _, _, g in voies) - len(restantes)
    assert coupe.noeuds_absents == sum(n in absents for v, _, g in voies if g for n in v)
    bouts = {n for _, suite in attendues for n in (suite[0], suite[-1])}
    assert (coupe.noeud_id // 10).tolist() == sorted(bouts)


def edges(coupe: Coupe) -> list[tuple[int, tuple[int, ...]]]:
    sommets = np.rint(coupe.geom_x / 0.001).astype(int).tolist()
    suites = [
        tuple(sommets[d:f]) for d, f in zip(coupe.geom_debut[:-1].tolist(), coupe.geom_debut[1:].tolist(), strict=True)
    ]
    for s, c, suite in zip(coupe.source.tolist(), coupe.cible.tolist(), suites, strict=True):
        assert (coupe.noeud_id[s] // 10, coupe.noeud_id[c] // 10) == (suite[0], suite[-1])
    return list(zip(coupe.voie.tolist(), suites, strict=True))


def ranks_of(voies: list[int]) -> list[int]:
    vus: Counter[int] = Counter()
    rangs = []
    for v in voies:
        rangs.append(vus[v])
        vus[v] += 1
    return rangs


@given(st.lists(st.integers(0, 3), max_size=12), st.data())
def test_ranks(voies: list[int], data: st.DataObject) -> None:
    voie_id = np.array(voies, dtype=np.int64)
    assert ranks(voie_id).tolist() == ranks_of(voies)
    ordre = np.array(data.draw(st.permutations(range(len(voies)))), dtype=np.int32)
    rangs = ranks(voie_id, ordre)
    for v in set(voies):
        choix = voie_id == v
        assert rangs[choix][np.argsort(ordre[choix])].tolist() == list(range(choix.sum()))
