"""Kilometres of the quickest ways: a matrix of times and, for the same ways, of lengths.

Pure module. One search a destination, against the direction of travel, whose tree of predecessors gives at each node
the next one on the way; lengths are then summed along all ways at once by pointer jumping (each pass doubles the
stretch that is known, so log2 of the longest way passes).
"""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import dijkstra

from geodata.accrochage import Accroches, ends, same_edge
from geodata.graphe import Poids
from geodata.moteur_scipy import extended, to_int
from geodata.profils import INF_MS
from geodata.reseau import F32, F64, I32, I64


def times_and_lengths(poids: Poids, origines: Accroches, destinations: Accroches) -> tuple[I32, F32]:
    """Times in ms, int32 (n_o, n_d) with `INF_MS` = unreachable, and metres of those ways, float32, inf there.

    Times are those of `geodata.temps.travel_times_ms`. Of several quickest ways one is measured, always the same.
    Access to the road is in neither.
    """
    g = poids.graphe
    cles, longueurs = _entry_lengths(poids)
    noeuds, ms = ends(poids, destinations, arrivee=True)
    matrice = extended(poids.csr_transposee, noeuds, ms)
    sorties, ms_sortie = ends(poids, origines, arrivee=False)
    reste = np.where(ms_sortie == INF_MS, np.inf, ms_sortie)
    m_sortie = _end_lengths(poids, origines, arrivee=False)
    m_entree = _end_lengths(poids, destinations, arrivee=True)
    temps = np.full((len(origines), len(destinations)), np.inf)
    metres = np.full((len(origines), len(destinations)), np.inf)
    for j in range(len(destinations)):
        champ, suivant = dijkstra(matrice, indices=g.n + j, return_predecessors=True)
        champ, suivant = champ[: g.n], suivant[: g.n].astype(np.int64)
        pas = np.zeros(g.n + 1)
        dernier = suivant == g.n + j
        milieu = np.flatnonzero((suivant >= 0) & ~dernier)
        pas[milieu] = longueurs[np.searchsorted(cles, suivant[milieu] * g.n + milieu)]
        for colonne in (1, 0):
            noeud = noeuds[j, colonne]
            if dernier[noeud] and champ[noeud] == ms[j, colonne]:
                pas[noeud] = m_entree[j, colonne]
        parent = np.append(np.where((suivant >= 0) & ~dernier, suivant, g.n), g.n)
        while np.any(parent != g.n):
            pas += pas[parent]
            parent = parent[parent]
        total = champ[sorties] + reste
        choix = np.argmin(total, axis=1)
        lignes = np.arange(len(origines))
        temps[:, j] = total[lignes, choix]
        metres[:, j] = pas[sorties[lignes, choix]] + m_sortie[lignes, choix]
    entiers = to_int(temps)
    de, vers, direct = same_edge(poids, origines, destinations)
    mieux = direct <= entiers[de, vers]
    de, vers = de[mieux], vers[mieux]
    entiers[de, vers] = direct[mieux]
    part = np.abs(origines.fraction[de] - destinations.fraction[vers])
    metres[de, vers] = part * g.reseau.longueur_m[origines.troncon[de]]
    return entiers, np.where(entiers == INF_MS, np.inf, metres).astype(np.float32)


def _entry_lengths(poids: Poids) -> tuple[I64, F64]:
    """Each entry of the transposed graph as ``row * n + column`` (sorted), and metres of its quickest arc."""
    g, s = poids.graphe, poids.graphe.structure_transposee
    entree = np.repeat(np.arange(len(s.indices)), np.diff(s.debut))
    ordre = np.lexsort((poids.ms[s.arcs], entree))
    premiers = s.arcs[ordre[s.debut[:-1]]]
    rangees = np.repeat(np.arange(g.n, dtype=np.int64), np.diff(s.indptr))
    return rangees * g.n + s.indices, g.reseau.longueur_m[premiers % g.m].astype(np.float64)


def _end_lengths(poids: Poids, points: Accroches, *, arrivee: bool) -> F64:
    """Metres between each point and the two nodes of `geodata.accrochage.ends`, float64 (p, 2)."""
    sur = points.troncon >= 0
    longueur = np.where(sur, poids.graphe.reseau.longueur_m[np.where(sur, points.troncon, 0)], 0.0)
    faite, restante = points.fraction * longueur, (1.0 - points.fraction) * longueur
    deux = (faite, restante) if arrivee else (restante, faite)
    return np.where(sur[:, None], np.column_stack(deux), 0.0)
