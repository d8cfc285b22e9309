"""Compiled search over plans (numba): zone shifts, swaps and chains under simulated annealing. Pure module.

Every step keeps the plan contiguous, by an exact test: a zone leaves a sector when nothing that hung on it is cut off,
and enters one next to a zone attached to its collège's door. No clock and no other randomness than `uniform`: the same
seed and the same number of steps give the same plan on every machine.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from geodata.compilation import compiled

from .donnees import I64, Donnees, Memoire
from .probleme import F64, I32, B
from .variation import other_costs, shift_cost, total

#: Longest chain of shifts tried as one step.
CHAINE = 4


@compiled
def uniform(etat: NDArray[np.uint64]) -> float:
    """xorshift64*, uniform in [0, 1)."""
    z = etat[0]
    z ^= z >> np.uint64(12)
    z ^= z << np.uint64(25)
    z ^= z >> np.uint64(27)
    etat[0] = z
    return float((z * np.uint64(2685821657736338717)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled
def flood(
    indptr: I32, indices: I32, porte: int, x: I32, x2: I32, j: int, sans: int, marque: I64, pile: I32, nouvelle: int
) -> None:
    """Mark with ``nouvelle`` what j's door reaches inside its sector without zone ``sans``."""
    marque[porte] = nouvelle
    pile[0] = porte
    haut = 1
    while haut > 0:
        haut -= 1
        zone = pile[haut]
        for p in range(indptr[zone], indptr[zone + 1]):
            autre = indices[p]
            if marque[autre] != nouvelle and autre != sans and (x[autre] == j or x2[autre] == j):
                marque[autre] = nouvelle
                pile[haut] = autre
                haut += 1


@compiled
def relink(d: Donnees, m: Memoire, j: int) -> None:
    """Find again which zones of j are attached."""
    m.compteur[0] += 1
    nouvelle = m.compteur[0]
    flood(d.indptr, d.indices, d.portes[j], m.x, m.x2, j, -1, m.marque, m.pile, nouvelle)
    for zone in range(len(m.x)):
        if m.x[zone] == j:
            m.lie[zone] = m.marque[zone] == nouvelle
        if m.x2[zone] == j:
            m.lie2[zone] = m.marque[zone] == nouvelle


@compiled
def relink_all(d: Donnees, m: Memoire) -> None:
    """`relink` of every collège."""
    for j in range(len(d.portes)):
        relink(d, m, j)


@compiled
def holds_together(
    indptr: I32, indices: I32, porte: int, x: I32, x2: I32, zone: int, a: int, marque: I64, pile: I32, nouvelle: int
) -> bool:
    """Neighbours of the zone in sector a (or a's door) hold together by borders between themselves."""
    debut, fin = indptr[zone], indptr[zone + 1]
    combien, premier = 0, -1
    for p in range(debut, fin):
        v = indices[p]
        if x[v] == a or x2[v] == a or v == porte:
            combien += 1
            if premier < 0:
                premier = v
    if combien <= 1:
        return True
    marque[premier] = nouvelle
    pile[0] = premier
    haut, vus = 1, 1
    while haut > 0:
        haut -= 1
        u = pile[haut]
        for p in range(indptr[u], indptr[u + 1]):
            v = indices[p]
            if marque[v] != nouvelle and (x[v] == a or x2[v] == a or v == porte):
                for q in range(debut, fin):
                    if indices[q] == v:
                        marque[v] = nouvelle
                        pile[haut] = v
                        haut += 1
                        vus += 1
                        break
    return vus == combien


@compiled
def _cuts_none(d: Donnees, m: Memoire, zone: int, a: int) -> bool:
    """No zone of a but tolerated ones loses its collège's door without this zone (exact)."""
    m.compteur[0] += 1
    nouvelle = m.compteur[0]
    flood(d.indptr, d.indices, d.portes[a], m.x, m.x2, a, zone, m.marque, m.pile, nouvelle)
    if not d.speciaux[a]:
        for p in range(d.indptr[zone], d.indptr[zone + 1]):
            v = d.indices[p]
            if m.marque[v] != nouvelle and (m.x[v] == a or m.x2[v] == a or d.portes[a] == v):
                return False
        return True
    for v in range(len(m.x)):
        liee = (m.x[v] == a and m.lie[v]) or (m.x2[v] == a and m.lie2[v])
        if liee and v != zone and m.marque[v] != nouvelle and not d.tolerees[v, a]:
            return False
    return True


@compiled
def _adjoins(indptr: I32, indices: I32, porte: int, x: I32, x2: I32, lie: B, lie2: B, zone: int, b: int) -> bool:
    """The zone is b's door, or next to it or to a zone attached to it."""
    if zone == porte:
        return True
    for p in range(indptr[zone], indptr[zone + 1]):
        v = indices[p]
        if v == porte or (x[v] == b and lie[v]) or (x2[v] == b and lie2[v]):
            return True
    return False


@compiled
def may_leave(d: Donnees, m: Memoire, zone: int) -> bool:
    """No other zone is cut off when this one leaves its sector."""
    a = m.x[zone]
    if a == len(d.portes) or d.portes[a] == zone or not m.lie[zone]:
        return True
    m.compteur[0] += 1
    if holds_together(d.indptr, d.indices, d.portes[a], m.x, m.x2, zone, a, m.marque, m.pile, m.compteur[0]):
        return True
    return _cuts_none(d, m, zone, a)


@compiled
def may_enter(d: Donnees, m: Memoire, zone: int, b: int) -> bool:
    """The zone would be attached in b, or may be an island there; b = C (none): it has no collège today either."""
    if b == len(d.portes):
        return bool(d.parts_0[zone].sum() == 0.0)
    if not d.permis[zone, b]:
        return False
    if d.tolerees[zone, b]:
        return True
    return _adjoins(d.indptr, d.indices, d.portes[b], m.x, m.x2, m.lie, m.lie2, zone, b)


@compiled
def _move(
    x: I32, lie: B, membres: I32, nombre: I32, rang: I32, charge: F64, suivent: F64, zone: int, b: int, c: int
) -> None:
    """The part of a shift that is always needed: plan, loads, lists of members."""
    a = x[zone]
    for t in range(suivent.shape[0]):
        if a < c:
            charge[t, a] -= suivent[t, zone]
        if b < c:
            charge[t, b] += suivent[t, zone]
    # Lists of members: the last one takes the place of the one that leaves.
    nombre[a] -= 1
    dernier = membres[a, nombre[a]]
    membres[a, rang[zone]] = dernier
    rang[dernier] = rang[zone]
    membres[b, nombre[b]] = zone
    rang[zone] = nombre[b]
    nombre[b] += 1
    x[zone] = b
    lie[zone] = b < c


@compiled
def _move_others(d: Donnees, m: Memoire, zone: int, a: int, b: int) -> None:
    """Sums that only some rules read."""
    c = len(d.portes)
    e = d.eleves[zone]
    for tour in range(2):
        j = a if tour == 0 else b
        signe = -1.0 if tour == 0 else 1.0
        q = d.quitte[zone, j]
        m.totaux[0] += signe * (1.0 if q > 0.0 else 0.0)
        m.totaux[1] += signe * e * q
        if j == c:
            continue
        if d.etranger[zone, j]:
            for t in range(len(d.w)):
                m.etrangers[t, j] += signe * d.suivent[t, zone]
            m.passages[d.zone_groupe[zone], d.college_groupe[j]] += signe * e * max(0.0, 1.0 - d.parts_0[zone, j])
        if d.classe[zone] > 0:
            m.ips_somme[j] += signe * e * d.ips[zone]
            m.ips_poids[j] += signe * e
            if d.classe[zone] == 1:
                m.classe_a[j] += signe * e
            else:
                m.classe_b[j] += signe * e


@compiled
def apply(d: Donnees, m: Memoire, zone: int, b: int) -> None:
    """Give the zone to b; the sums follow."""
    a = m.x[zone]
    c = len(d.portes)
    _move(m.x, m.lie, m.membres, m.nombre, m.rang, m.charge, d.suivent, zone, b, c)
    if d.autres:
        _move_others(d, m, zone, a, b)
    if a < c and d.speciaux[a]:
        relink(d, m, a)
    if b < c and d.speciaux[b]:
        relink(d, m, b)


@compiled
def _target(
    indptr: I32, indices: I32, x: I32, x2: I32, portes: I32, retour: I32, zone: int, alea: NDArray[np.uint64]
) -> int:
    """A collège to try for the zone: a neighbour's mostly (C = to have none); -1: nothing to try."""
    c = len(portes)
    degre = indptr[zone + 1] - indptr[zone]
    tirage = uniform(alea)
    if degre == 0 or tirage < 0.02:
        # Its own collège of today, or the one imposed; or one whose door it is.
        if tirage < 0.002:
            return c
        if tirage < 0.01 or (degre == 0 and tirage < 0.5):
            return int(retour[zone]) if retour[zone] >= 0 else c
        j = int(uniform(alea) * c)
        return j if portes[j] == zone else -1
    autre = indices[indptr[zone] + int(uniform(alea) * degre)]
    if x2[autre] >= 0 and uniform(alea) < 0.5:
        return int(x2[autre])
    b = x[autre]
    if (b == c or b == x[zone]) and uniform(alea) < 0.1:
        # A collège whose door lies in somebody else's sector.
        j = int(uniform(alea) * c)
        if portes[j] == autre:
            return j
    return b if b < c else -1


@compiled
def anneal(
    d: Donnees,
    m: Memoire,
    alea: NDArray[np.uint64],
    zones: NDArray[np.int32],
    chaud: float,
    froid: float,
    debut: int,
    pas: int,
    sur: int,
) -> None:
    """``pas`` steps of simulated annealing from step ``debut`` of ``sur``, over the given zones (those that may move).

    Temperature falls from ``chaud`` to ``froid`` (cost units) geometrically. A step is a chain of 1 to `CHAINE`
    shifts: a zone of the border goes next door, another one of the sector that received it goes on, and so on;
    the chain is kept as soon as its whole change is accepted, or undone. ``m.totaux[2]`` follows the cost,
    ``m.meilleur`` and ``m.totaux[3]`` keep the best plan seen.
    """
    n_choix = len(zones)
    chaine_zone = np.zeros(CHAINE, np.int32)
    chaine_avant = np.zeros(CHAINE, np.int32)
    c = len(d.portes)
    if n_choix == 0:
        return
    raison = math.log(froid / chaud) / max(1, sur)
    temperature = chaud
    for k in range(pas):
        if k % 64 == 0:
            temperature = chaud * math.exp(raison * (debut + k))
        zone = zones[int(uniform(alea) * n_choix)]
        seuil = -temperature * math.log(1.0 - uniform(alea))
        delta = 0.0
        longueur = 0
        accepte = False
        while longueur < CHAINE:
            b = _target(d.indptr, d.indices, m.x, m.x2, d.portes, d.retour, zone, alea)
            a = m.x[zone]
            if b < 0 or b == a or d.fige[zone] or not may_enter(d, m, zone, b) or not may_leave(d, m, zone):
                break
            delta += shift_cost(
                d.lin,
                d.w,
                d.poids,
                m.charge,
                m.etrangers,
                d.suivent,
                d.etranger,
                d.haut,
                d.bas,
                d.minimum,
                d.limites[0],
                zone,
                a,
                b,
                c,
            )
            if d.autres:
                delta += other_costs(d, m, zone, b)
            apply(d, m, zone, b)
            chaine_zone[longueur] = zone
            chaine_avant[longueur] = a
            longueur += 1
            if delta <= seuil:
                accepte = True
                break
            # Too dear alone: another zone of the receiving sector moves on, or of the one left comes back.
            # Sometimes any zone at all: what counts over the whole block (zones moved) is given back anywhere.
            tirage = uniform(alea)
            if tirage < 0.1:
                zone = zones[int(uniform(alea) * n_choix)]
            else:
                source = b if tirage < 0.8 or a == c else a
                if m.nombre[source] == 0:
                    break
                zone = m.membres[source, int(uniform(alea) * m.nombre[source])]
            deja = False
            for p in range(longueur):
                deja = deja or chaine_zone[p] == zone
            if deja:
                break
        if accepte:
            m.totaux[2] += delta
            if m.totaux[2] < m.totaux[3] - 1e-7:
                m.totaux[3] = m.totaux[2]
                m.meilleur[:] = m.x
        else:
            for p in range(longueur - 1, -1, -1):
                apply(d, m, chaine_zone[p], chaine_avant[p])


@compiled
def restart(d: Donnees, m: Memoire) -> float:
    """Go back to the best plan seen; its cost, counted anew."""
    n = len(m.x)
    for zone in range(n):
        if m.x[zone] != m.meilleur[zone]:
            apply(d, m, zone, m.meilleur[zone])
    relink_all(d, m)
    m.totaux[2] = total(d, m)
    m.totaux[3] = m.totaux[2]
    return float(m.totaux[2])


def seeded(seed: int) -> NDArray[np.uint64]:
    """State of `uniform` from a seed (splitmix64)."""
    z = (seed * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return np.array([(z ^ (z >> 31)) or 1], dtype=np.uint64)
