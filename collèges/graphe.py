"""Adjacency, doors, connected parts: what `collèges.probleme` calls contiguity, on arrays. Pure module."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from .probleme import F64, I32, B, Problem


def adjacency(n: int, arete: I32, frontiere_m: F64) -> tuple[I32, I32]:
    """Neighbours with a border longer than 0, sorted: (indptr (n + 1,), indices) int32."""
    vraies = arete[frontiere_m > 0]
    a = np.concatenate([vraies[:, 0], vraies[:, 1]])
    b = np.concatenate([vraies[:, 1], vraies[:, 0]])
    ordre = np.lexsort((b, a))
    indptr = np.zeros(n + 1, dtype=np.int32)
    np.cumsum(np.bincount(a, minlength=n), out=indptr[1:])
    return indptr, b[ordre].astype(np.int32)


def doors(problem: Problem) -> I32:
    """Door of each collège, (C,) int32: its zone, or the nearest one for a collège outside any zone."""
    portes = problem.college_zone.copy()
    for j in np.flatnonzero(portes < 0):
        temps = problem.minutes[:, j]
        if not np.isfinite(temps).any():
            temps = np.hypot(problem.zone_x - problem.college_x[j], problem.zone_y - problem.college_y[j])
        portes[j] = int(np.argmin(temps))
    return portes


def attached(college: I32, portes: I32, indptr: I32, indices: I32) -> B:
    """Zones connected to their collège's door inside its sector: (n, 2) bool, for both columns of ``college``
    (False where there is no collège).

    One pass for all the sectors: each (zone, column) with a collège is a node, each door one more.
    """
    n, c = len(college), len(portes)
    # Node of (zone, column): zone + column * n; of a door: 2 n + collège.
    lignes = np.repeat(np.arange(n, dtype=np.int64), np.diff(indptr))
    depart, arrivee = [], []
    for k in range(2):
        for m in range(2):
            liees = (college[lignes, k] >= 0) & (college[lignes, k] == college[indices, m])
            depart.append(lignes[liees] + k * n)
            arrivee.append(indices[liees].astype(np.int64) + m * n)
    for j, porte in enumerate(portes):
        proches = np.append(indices[indptr[porte] : indptr[porte + 1]], porte).astype(np.int64)
        for k in range(2):
            liees_porte = proches[college[proches, k] == j]
            depart.append(liees_porte + k * n)
            arrivee.append(np.full(len(liees_porte), 2 * n + j, dtype=np.int64))
    a, b = np.concatenate(depart), np.concatenate(arrivee)
    taille = 2 * n + c
    graphe = csr_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(taille, taille))
    _, composante = connected_components(graphe, directed=False)
    noeud = np.arange(2 * n).reshape(2, n).T
    ok = (college >= 0) & (composante[noeud] == composante[2 * n + np.maximum(college, 0)])
    return np.asarray(ok, dtype=np.bool_)


def islands(problem: Problem, college: I32) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(zones cut off, zones in tolerated islands) of a plan, rising."""
    indptr, indices = adjacency(problem.n_zones, problem.arete, problem.frontiere_m)
    portes = doors(problem)
    detachees = (college >= 0) & ~attached(college, portes, indptr, indices)
    tolerees = tolerated(problem, portes, indptr, indices)
    zones = np.arange(problem.n_zones)[:, None]
    permises = tolerees[zones, np.maximum(college, 0)]
    coupees = (detachees & ~permises).any(axis=1)
    return np.flatnonzero(coupees), np.flatnonzero(detachees.any(axis=1) & ~coupees)


def tolerated(problem: Problem, portes: I32, indptr: I32, indices: I32) -> B:
    """Where a zone may be an island, (n, C) bool: today's islands and imposed collèges."""
    tolerees = np.zeros((problem.n_zones, problem.n_colleges), dtype=np.bool_)
    isolees = (problem.present >= 0) & ~attached(problem.present, portes, indptr, indices)
    for k in range(2):
        zones = np.flatnonzero(isolees[:, k])
        tolerees[zones, problem.present[zones, k]] = True
    imposees = np.flatnonzero(problem.impose >= 0)
    tolerees[imposees, problem.impose[imposees]] = True
    return tolerees
