"""A piece of the plan as an integer program: some neighbouring collèges share out their zones anew. Pure module.

Contiguity by precedence: a zone may go to collège j only if a neighbour nearer to j's door does, so that every zone has
a path of falling distances to the door. Distances are by Dijkstra on the plan in hand, where edges inside the sector of
j count 0.001 of their length: the plan in hand is always one of the answers.

A zone that two of the collèges share today may stay so or be shared again, half of it in each, or go to one of them
alone. Every term of the cost is there, but those of social mix (IPS gap, dissimilarity), which are quotients and not
linear: without them, two answers differ by what their plans do. What is outside the piece counts as it is in the plan
in hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from .couts import shares
from .donnees import Donnees, Memoire, to_college
from .probleme import AUCUN, F64, I32, B, Problem
from .programme import Programme, assemble

#: What an edge inside the present sector counts of its length.
DEDANS = 0.001


@dataclass(frozen=True, eq=False)
class Morceau:
    """The program of a piece; what its first columns stand for: zone (k,), its collèges (k, 2), the second one AUCUN
    but where it is shared; the plan in hand as a point of it."""

    programme: Programme
    zone: I32
    college: I32
    depart: F64

    def plan(self, point: F64, m: Memoire) -> tuple[I32, I32]:
        """(x, x2) of a point, the rest as in the plan in hand."""
        pris = np.flatnonzero(point[: len(self.zone)] > 0.5)
        x, x2 = m.x.copy(), m.x2.copy()
        x[self.zone[pris]], x2[self.zone[pris]] = self.college[pris].T
        return x, x2


@dataclass(frozen=True, eq=False)
class Choix:
    """What a piece may give: ``libres`` (n,), the zones it shares out; ``couples`` (n, C), a zone alone to a collège;
    ``partage`` (n,), a zone to its two collèges of today (``paires`` (n, 2)). ``precede``: (zone, collège, neighbours
    one of which must be in it too)."""

    dans: B
    couples: B
    partage: B
    paires: I32
    precede: list[tuple[int, int, NDArray[np.int64]]]


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


def sector_graph(d: Donnees, m: Memoire) -> list[set[int]]:
    """Neighbouring sectors of each collège; one without any (a new collège) is next to those around its door."""
    c = len(d.portes)
    depart = np.repeat(np.arange(len(m.x)), np.diff(d.indptr))
    paires = {(int(u), int(v)) for u, v in zip(m.x[depart], m.x[d.indices], strict=True)}
    paires |= {(int(u), int(v)) for u, v in zip(m.x, m.x2, strict=True) if v >= 0}
    voisins: list[set[int]] = [set() for _ in range(c)]
    for u, v in paires:
        if u != v and u < c and v < c:
            voisins[u].add(v)
            voisins[v].add(u)
    for j, porte in enumerate(d.portes):
        autour = {int(k) for k in m.x[d.indices[d.indptr[porte] : d.indptr[porte + 1]]]} | {int(m.x[porte])}
        for k in autour - {j, c}:
            voisins[j].add(k)
            voisins[k].add(j)
    return voisins


def build(d: Donnees, m: Memoire, longueurs: F64, colleges: list[int], present: I32) -> Morceau | None:
    """The piece of these collèges; ``present`` (n, 2): today's plan. None when no zone of it may move."""
    choix = _choices(d, m, longueurs, colleges, present)
    if choix is None:
        return None
    n, c = len(m.x), len(d.portes)
    zone_seule, seul = np.nonzero(choix.couples)
    partagees = np.flatnonzero(choix.partage)
    zone = np.concatenate([zone_seule, partagees]).astype(np.int32)
    seuls = np.stack([seul, np.full(len(seul), AUCUN)], axis=1)
    college = np.concatenate([seuls, choix.paires[partagees]]).astype(np.int32)
    cout = np.concatenate([d.lin[zone_seule, seul], d.lin_partage[partagees]])
    depart = (college == to_college(m.x, m.x2, c)[zone]).all(axis=1).astype(np.float64)
    r = _Rangees(cout, depart)
    # Each zone of the piece has one of its choices.
    ici = np.flatnonzero(choix.dans)
    r.rows(np.searchsorted(ici, zone), np.arange(len(zone)), np.ones(len(zone)), np.ones(len(ici)), np.ones(len(ici)))
    numero = np.full((n, c), -1, dtype=np.int64)
    numero[zone_seule, seul] = np.arange(len(seul))
    moitie = np.full((n, c), -1, dtype=np.int64)
    for k in range(2):
        moitie[partagees, choix.paires[partagees, k]] = len(seul) + np.arange(len(partagees))
    for i, j, proches in choix.precede:
        siens = np.array([numero[i, j], moitie[i, j]])
        leurs = np.concatenate([numero[proches, j], moitie[proches, j]])
        siens, leurs = siens[siens >= 0], leurs[leurs >= 0]
        # Who is not in the piece stays where he is.
        fixe = 0.0 if choix.dans[i] else -1.0
        r.row(np.concatenate([siens, leurs]), np.repeat([1.0, -1.0], [len(siens), len(leurs)]), fixe)
    _loads(r, d, m, zone, college, colleges)
    _limits(r, d, m, zone, college)
    _together(r, d, m, zone, college, choix.dans)
    return Morceau(r.programme(len(zone)), zone, college, np.concatenate(r.depart))


def _choices(d: Donnees, m: Memoire, longueurs: F64, colleges: list[int], present: I32) -> Choix | None:
    """The zones of a piece, what each one may have, and on whom it hangs then."""
    n, c = len(m.x), len(d.portes)
    # A zone shared now is in the piece when both its collèges are.
    dans = np.isin(m.x, colleges) & ((m.x2 < 0) | np.isin(m.x2, colleges))
    partage = dans & (present[:, 1] >= 0) & np.isin(present, colleges).all(axis=1)
    libres = dans & (~d.fige | partage)
    if not libres.any():
        return None
    couples = np.zeros((n, c), dtype=np.bool_)
    couples[:, colleges] = d.permis[:, colleges] & libres[:, None]
    figes = np.flatnonzero(dans & ~libres)
    couples[figes, m.x[figes]] = True
    precede: list[tuple[int, int, NDArray[np.int64]]] = []
    for j in colleges:
        distance = order_of(d, m, longueurs, j)
        porte = d.portes[j]
        moitie = partage & (present == j).any(axis=1)
        attache = ((m.x == j) & m.lie) | ((m.x2 == j) & m.lie2)
        # Who may be an island needs nobody and holds nobody, unless he is attached already.
        ile = d.tolerees[:, j] & ~attache
        # From near to far, so that a zone with no nearer neighbour left cannot be j's, nor those behind it.
        ordre = np.argsort(distance, kind="stable")
        besoin = (couples[:, j] | moitie | (attache & ~dans)) & ~ile
        besoin[porte] = False
        for i in ordre[besoin[ordre]]:
            proches = d.indices[d.indptr[i] : d.indptr[i + 1]].astype(np.int64)
            if (proches == porte).any():
                continue
            proches = proches[(distance[proches] < distance[i]) & ~ile[proches]]
            # Those who stay whatever the piece does.
            if (attache[proches] & ~dans[proches]).any():
                continue
            proches = proches[couples[proches, j] | moitie[proches]]
            if len(proches):
                precede.append((int(i), j, proches))
            else:
                couples[i, j] = moitie[i] = partage[i] = False
    seules, doubles = np.flatnonzero(dans & (m.x2 < 0)), np.flatnonzero(dans & (m.x2 >= 0))
    couples[seules, m.x[seules]] = True
    partage[doubles] = True
    return Choix(dans, couples, partage, present, precede)


class _Rangees:
    """Rows and columns of a program under construction; the first columns are the choices of the piece."""

    def __init__(self, cout: F64, depart: F64) -> None:
        self.cout, self.depart = [cout], [depart]
        self.colonnes_total, self.rangs = len(cout), 0
        self.lignes: list[NDArray[np.int64]] = []
        self.colonnes: list[NDArray[np.int64]] = []
        self.valeurs: list[F64] = []
        self.bas: list[F64] = []
        self.haut: list[F64] = []

    def rows(self, lignes: NDArray[np.int64], colonnes: NDArray[np.int64], valeurs: F64, bas: F64, haut: F64) -> None:
        """Several rows at once; ``lignes`` counted from 0."""
        self.lignes.append(self.rangs + lignes)
        self.colonnes.append(colonnes)
        self.valeurs.append(valeurs)
        self.bas.append(bas)
        self.haut.append(haut)
        self.rangs += len(bas)

    def row(self, colonnes: NDArray[np.int64], valeurs: F64, haut: float) -> None:
        """sum of values x columns <= haut."""
        self.rows(np.zeros(len(colonnes), dtype=np.int64), colonnes, valeurs, np.array([-np.inf]), np.array([haut]))

    def above(self, colonnes: NDArray[np.int64], valeurs: F64, limite: float, prix: float) -> None:
        """What the sum has above the limit is paid for."""
        if prix <= 0.0 or not np.isfinite(limite):
            return
        trop = max(0.0, float(valeurs @ self.depart[0][colonnes]) - limite)
        self.row(np.append(colonnes, self.colonnes_total), np.append(valeurs, -1.0), limite)
        self.cout.append(np.array([prix]))
        self.depart.append(np.array([trop]))
        self.colonnes_total += 1

    def programme(self, entieres: int) -> Programme:
        return assemble(
            cout=np.concatenate(self.cout),
            haut=np.concatenate([np.ones(entieres), np.full(self.colonnes_total - entieres, np.inf)]),
            ligne_bas=np.concatenate(self.bas),
            ligne_haut=np.concatenate(self.haut),
            lignes=list(self.lignes),
            colonnes=list(self.colonnes),
            valeurs=list(self.valeurs),
            entier=np.arange(self.colonnes_total) < entieres,
        )


def _loads(r: _Rangees, d: Donnees, m: Memoire, zone: I32, college: I32, colleges: list[int]) -> None:
    """Pupils of the piece on top of those who stay: too many, too few, a school too small, outsiders."""
    parts = np.where(college[:, 1] >= 0, 0.5, 1.0)
    pris = r.depart[0]
    for j in colleges:
        q = np.flatnonzero((college == j).any(axis=1))
        e = d.suivent[:, zone[q]] * parts[q]
        x = e * d.etranger[zone[q], j]
        reste = m.charge[:, j] - e @ pris[q]
        dehors = m.etrangers[:, j] - x @ pris[q]
        part = d.limites[0]
        for t, w in enumerate(d.w):
            r.above(q, e[t], d.haut[t, j] - reste[t], w * d.poids[0])
            if d.bas[t, j] > 0.0:
                r.above(q, -e[t], reste[t] - d.bas[t, j], w * d.poids[1])
            r.above(q, -e[t], reste[t] - d.minimum[j], w * d.poids[2])
            r.above(q, x[t] - part * e[t], part * reste[t] - dehors[t], w * d.poids[3])


def _limits(r: _Rangees, d: Donnees, m: Memoire, zone: I32, college: I32) -> None:
    """At most so many zones, so many pupils moved, so many over each border: what the piece may use of it."""
    seul, q = college[:, 1] < 0, np.arange(len(zone))
    quitte = np.where(seul, d.quitte[zone, college[:, 0]], 0.0)
    e, pris = d.eleves[zone], r.depart[0]
    for rang, v in enumerate((np.where(quitte > 0.0, 1.0, 0.0), e * quitte)):
        r.above(q, v, float(d.limites[1 + rang] - m.totaux[rang] + v @ pris), float(d.poids[4 + rang]))
    # A zone that stays shared sends nobody anywhere new.
    arrive = np.where(seul, e * np.maximum(1.0 - d.parts_0[zone, college[:, 0]], 0.0), 0.0)
    de, vers = d.zone_groupe[zone], d.college_groupe[college[:, 0]]
    for g, h in {(int(g), int(h)): None for g, h in zip(de, vers, strict=True) if g != h}:
        ici = np.flatnonzero((de == g) & (vers == h) & (arrive > 0.0))
        limite = float(d.passages_max[g, h] - m.passages[g, h] + arrive[ici] @ pris[ici])
        if len(ici):
            r.above(ici, arrive[ici], limite, float(d.poids[6]))


def _together(r: _Rangees, d: Donnees, m: Memoire, zone: I32, college: I32, dans: B) -> None:
    """Zones to keep together: what each one has in a collège and its group's reference zone has not.

    The shares of a zone add up to 1, so that 1 - sum over j of min(s, s') = sum over j of max(0, s - s').
    """
    c = len(d.portes)
    if d.poids_ensemble <= 0.0 or not (d.reference[zone] >= 0).any():
        return
    # Shares of each zone by collège, as columns and values; those outside are what they are.
    fixes = shares(to_college(m.x, m.x2, c), c)
    parts = shares(college, c)
    for i in np.flatnonzero((d.reference >= 0) & (d.reference != np.arange(len(d.reference)))):
        ref = int(d.reference[i])
        prix = float(d.poids_ensemble * d.eleves[i])
        if not (dans[i] or dans[ref]) or prix <= 0.0:
            continue
        sien, leur = (np.flatnonzero(zone == z) for z in (i, ref))
        for j in range(c):
            a, b = sien[parts[sien, j] > 0.0], leur[parts[leur, j] > 0.0]
            if (dans[i] and not len(a)) or (not dans[i] and fixes[i, j] == 0.0):
                continue
            # s(i, j) - s(ref, j) <= what is paid for.
            limite = (0.0 if dans[ref] else float(fixes[ref, j])) - (0.0 if dans[i] else float(fixes[i, j]))
            r.above(np.concatenate([a, b]), np.concatenate([parts[a, j], -parts[b, j]]), limite, prix)
