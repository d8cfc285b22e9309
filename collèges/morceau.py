"""A piece of the plan as an integer program: some neighbouring collèges share out their zones anew. Pure module.

Contiguity by precedence: a zone may go to collège j only if a neighbour nearer to j's door does, so that every zone has
a path of falling distances to the door. Distances are by Dijkstra on the plan in hand, where edges inside the sector of
j count 0.001 of their length: the plan in hand is always one of the answers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from .donnees import Donnees, Memoire
from .probleme import F64, I32, Problem
from .programme import Programme, assemble

#: What an edge inside the present sector counts of its length.
DEDANS = 0.001


@dataclass(frozen=True, eq=False)
class Morceau:
    """The program of a piece; (zone, collège) of its first columns; the plan in hand as a point of it."""

    programme: Programme
    zone: I32
    college: I32
    depart: F64


def edge_lengths(problem: Problem, d: Donnees) -> F64:
    """Length of each edge of ``d.indices``, km: 50 m and the straight distance."""
    depart = np.repeat(np.arange(problem.n_zones), np.diff(d.indptr))
    ecart = np.hypot(
        problem.zone_x[depart] - problem.zone_x[d.indices], problem.zone_y[depart] - problem.zone_y[d.indices]
    )
    return np.asarray(0.05 + ecart / 1000.0, dtype=np.float64)


def order_of(d: Donnees, m: Memoire, longueurs: F64, j: int) -> F64:
    """Distance of each zone to j's door (n,), edges inside j's sector shortened; inf = not connected."""
    n = len(m.x)
    dedans = (m.x == j) | (m.x2 == j)
    dedans[d.portes[j]] = True
    depart = np.repeat(np.arange(n), np.diff(d.indptr))
    poids = np.where(dedans[depart] & dedans[d.indices], DEDANS, 1.0) * longueurs
    graphe = csr_matrix((poids, d.indices, d.indptr), shape=(n, n))
    return np.asarray(dijkstra(graphe, indices=int(d.portes[j])), dtype=np.float64)


def sector_graph(d: Donnees, x: I32) -> list[set[int]]:
    """Neighbouring sectors of each collège; one without any (a new collège) is next to those around its door."""
    c = len(d.portes)
    depart = np.repeat(np.arange(len(x)), np.diff(d.indptr))
    a, b = x[depart], x[d.indices]
    voisins: list[set[int]] = [set() for _ in range(c)]
    for u, v in {(int(u), int(v)) for u, v in zip(a, b, strict=True) if u != v and u < c and v < c}:
        voisins[u].add(v)
    for j, porte in enumerate(d.portes):
        autour = {int(k) for k in x[d.indices[d.indptr[porte] : d.indptr[porte + 1]]]} | {int(x[porte])}
        for k in autour - {j, c}:
            voisins[j].add(k)
            voisins[k].add(j)
    return voisins


def build(d: Donnees, m: Memoire, longueurs: F64, colleges: list[int]) -> Morceau | None:
    """The piece of these collèges; None when no zone of it may move."""
    n, c, t = len(m.x), len(d.portes), len(d.w)
    dans = np.isin(m.x, colleges) & (m.x2 < 0)
    libres = dans & ~d.fige
    if not libres.any():
        return None
    couples = np.zeros((n, c), dtype=np.bool_)
    couples[:, colleges] = d.permis[:, colleges] & libres[:, None]
    figes = np.flatnonzero(dans & ~libres)
    couples[figes, m.x[figes]] = True
    # Columns, and the precedence rows that hold them.
    lignes: list[NDArray[np.int64]] = []
    colonnes: list[NDArray[np.int64]] = []
    valeurs: list[F64] = []
    precede: list[tuple[int, int, NDArray[np.int64]]] = []
    for j in colleges:
        distance = order_of(d, m, longueurs, j)
        porte = d.portes[j]
        # From near to far, so that a zone with no nearer neighbour left cannot be j's, nor those behind it.
        for i in np.argsort(distance, kind="stable"):
            if not couples[i, j] or i == porte or d.tolerees[i, j]:
                continue
            proches = d.indices[d.indptr[i] : d.indptr[i + 1]].astype(np.int64)
            if (proches == porte).any():
                continue
            proches = proches[distance[proches] < distance[i]]
            partages = (m.x2[proches] >= 0) & (
                ((m.x[proches] == j) & m.lie[proches]) | ((m.x2[proches] == j) & m.lie2[proches])
            )
            if partages.any():
                continue
            proches = proches[couples[proches, j]]
            if len(proches):
                precede.append((int(i), j, proches))
            else:
                couples[i, j] = False
    couples[np.flatnonzero(dans), m.x[dans]] = True
    zone, college = (a.astype(np.int32) for a in np.nonzero(couples))
    k = len(zone)
    numero = np.full((n, c), -1, dtype=np.int64)
    numero[zone, college] = np.arange(k)
    rang_zone = np.cumsum(dans) - 1
    n_zones = int(dans.sum())
    lignes.append(rang_zone[zone].astype(np.int64))
    colonnes.append(np.arange(k))
    valeurs.append(np.ones(k))
    ligne_bas, ligne_haut = [np.ones(n_zones)], [np.ones(n_zones)]
    rang = n_zones
    for i, j, proches in precede:
        q = numero[proches, j]
        q = q[q >= 0]
        lignes.append(np.full(len(q) + 1, rang))
        colonnes.append(np.concatenate([[numero[i, j]], q]))
        valeurs.append(np.concatenate([[1.0], -np.ones(len(q))]))
        rang += 1
    ligne_bas.append(np.full(rang - n_zones, -np.inf))
    ligne_haut.append(np.zeros(rang - n_zones))
    cout = [d.lin[zone, college]]
    depart = [(m.x[zone] == college).astype(np.float64)]
    # Loads: pupils of the piece's zones on top of what stays.
    reste = m.charge[:, colleges].copy()
    dehors = m.etrangers[:, colleges].copy()
    for rang_j, j in enumerate(colleges):
        siens = np.flatnonzero(dans & (m.x == j))
        reste[:, rang_j] -= d.suivent[:, siens].sum(axis=1)
        dehors[:, rang_j] -= (d.suivent[:, siens] * d.etranger[siens, j]).sum(axis=1)
    suivant = k
    for annee in range(t):
        for rang_j, j in enumerate(colleges):
            q = np.flatnonzero(college == j)
            e = d.suivent[annee, zone[q]]
            x = d.etranger[zone[q], j] * e
            part, charge = d.limites[0], m.charge[annee, j]
            for genre, coefficients, limite, manque in (
                (0, e, d.haut[annee, j] - reste[annee, rang_j], charge - d.haut[annee, j]),
                (1, -e, reste[annee, rang_j] - d.bas[annee, j], d.bas[annee, j] - charge),
                (2, -e, reste[annee, rang_j] - d.minimum[j], d.minimum[j] - charge),
                (
                    3,
                    x - part * e,
                    part * reste[annee, rang_j] - dehors[annee, rang_j],
                    m.etrangers[annee, j] - part * charge,
                ),
            ):
                if d.poids[genre] <= 0.0 or not np.isfinite(limite) or (genre == 1 and d.bas[annee, j] <= 0.0):
                    continue
                lignes.append(np.full(len(q) + 1, rang))
                colonnes.append(np.concatenate([q, [suivant]]))
                valeurs.append(np.concatenate([coefficients, [-1.0]]))
                ligne_bas.append(np.array([-np.inf]))
                ligne_haut.append(np.array([limite]))
                cout.append(np.array([d.w[annee] * d.poids[genre]]))
                depart.append(np.array([max(0.0, manque)]))
                rang += 1
                suivant += 1
    # At most so many zones, so many pupils moved: what the piece may use of it.
    for genre, total, poids in ((4, 0, (d.quitte > 0.0).astype(np.float64)), (5, 1, d.eleves[:, None] * d.quitte)):
        if d.poids[genre] <= 0.0:
            continue
        v = poids[zone, college]
        siens_poids = float(poids[np.flatnonzero(dans), m.x[dans]].sum())
        lignes.append(np.full(k + 1, rang))
        colonnes.append(np.concatenate([np.arange(k), [suivant]]))
        valeurs.append(np.concatenate([v, [-1.0]]))
        ligne_bas.append(np.array([-np.inf]))
        plafond = float(d.limites[1 + total])
        ligne_haut.append(np.array([plafond - (m.totaux[total] - siens_poids)]))
        cout.append(np.array([d.poids[genre]]))
        depart.append(np.array([max(0.0, m.totaux[total] - plafond)]))
        rang += 1
        suivant += 1
    couts = np.concatenate(cout)
    programme = assemble(
        cout=couts,
        haut=np.concatenate([np.ones(k), np.full(len(couts) - k, np.inf)]),
        ligne_bas=np.concatenate(ligne_bas),
        ligne_haut=np.concatenate(ligne_haut),
        lignes=list(lignes),
        colonnes=list(colonnes),
        valeurs=list(valeurs),
        entier=np.arange(len(couts)) < k,
    )
    return Morceau(programme, zone, college, np.concatenate(depart))
