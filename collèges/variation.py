"""Compiled change of cost when one zone changes collège, every term of `collèges.probleme` (numba). Pure module.

Checked against `collèges.couts` by the tests.
"""

from __future__ import annotations

from geodata.compilation import compiled

from .donnees import Donnees, Memoire
from .probleme import F64, B


@compiled
def _charge(
    w: F64,
    poids: F64,
    charge: F64,
    etrangers: F64,
    suivent: F64,
    dehors: bool,
    haut: F64,
    bas: F64,
    minimum: float,
    part: float,
    j: int,
    zone: int,
    signe: float,
) -> float:
    """Cost of collège j's load once ``signe`` times the zone is added; ``dehors``: it is of another group."""
    somme = 0.0
    for t in range(len(w)):
        plus = signe * suivent[t, zone]
        eleves = charge[t, j] + plus
        une = poids[0] * max(0.0, eleves - haut[t, j]) + poids[1] * max(0.0, bas[t, j] - eleves)
        if poids[2] > 0.0:
            une += poids[2] * max(0.0, minimum - eleves)
        if poids[3] > 0.0:
            une += poids[3] * max(0.0, etrangers[t, j] + (plus if dehors else 0.0) - part * eleves)
        somme += w[t] * une
    return somme


@compiled
def shift_cost(
    lin: F64,
    w: F64,
    poids: F64,
    charge: F64,
    etrangers: F64,
    suivent: F64,
    etranger: B,
    haut: F64,
    bas: F64,
    minimum: F64,
    part: float,
    zone: int,
    a: int,
    b: int,
    c: int,
) -> float:
    """Change of what every problem has (`Donnees.lin` and the costs of loads) when the zone goes from a to b."""
    delta = lin[zone, b] - lin[zone, a]
    for tour in range(2):
        j = a if tour == 0 else b
        signe = -1.0 if tour == 0 else 1.0
        if j == c:
            continue
        dehors = etranger[zone, j]
        delta += _charge(
            w, poids, charge, etrangers, suivent, dehors, haut, bas, minimum[j], part, j, zone, signe
        ) - _charge(w, poids, charge, etrangers, suivent, dehors, haut, bas, minimum[j], part, j, zone, 0.0)
    return float(delta)


@compiled
def _ecart(d: Donnees, m: Memoire, j: int, k: int, zone: int, a: int, b: int) -> float:
    """Price of the IPS gap of two neighbouring collèges once the zone has gone from a to b."""
    sj, nj, sk, nk = m.ips_somme[j], m.ips_poids[j], m.ips_somme[k], m.ips_poids[k]
    if zone >= 0 and d.classe[zone] > 0:
        e, v = d.eleves[zone], d.eleves[zone] * d.ips[zone]
        if j == a:
            sj, nj = sj - v, nj - e
        if j == b:
            sj, nj = sj + v, nj + e
        if k == a:
            sk, nk = sk - v, nk - e
        if k == b:
            sk, nk = sk + v, nk + e
    if nj <= 1e-9 or nk <= 1e-9:
        return 0.0
    return float(d.poids[7] * max(0.0, abs(sj / nj - sk / nk) - d.limites[3]))


@compiled
def _melange(d: Donnees, m: Memoire, zone: int, a: int, b: int) -> float:
    """Price of the dissimilarity once the zone has gone from a to b."""
    c = len(d.portes)
    ta, tb = 0.0, 0.0
    da = d.eleves[zone] if zone >= 0 and d.classe[zone] == 1 else 0.0
    db = d.eleves[zone] if zone >= 0 and d.classe[zone] == 2 else 0.0
    for j in range(c):
        ta += m.classe_a[j]
        tb += m.classe_b[j]
    if a == c:
        ta, tb = ta + da, tb + db
    if b == c:
        ta, tb = ta - da, tb - db
    if ta <= 1e-9 or tb <= 1e-9:
        return 0.0
    somme = 0.0
    for j in range(c):
        va, vb = m.classe_a[j], m.classe_b[j]
        if j == a:
            va, vb = va - da, vb - db
        if j == b:
            va, vb = va + da, vb + db
        somme += abs(va / ta - vb / tb)
    return float(d.poids[8] * somme / 2.0)


@compiled
def _commun(m: Memoire, i: int, x: int, k: int, y: int) -> float:
    """Share of collège that zone i (in x) and zone k (in y) have in common; shared sectors count halves."""
    c = len(m.nombre) - 1
    if x == c or y == c:
        return 0.0
    if m.x2[i] < 0 and m.x2[k] < 0:
        return 1.0 if x == y else 0.0
    u = 0.5 if m.x2[i] >= 0 else 1.0
    v = 0.5 if m.x2[k] >= 0 else 1.0
    somme = 0.0
    if x == y or x == m.x2[k]:
        somme += min(u, v)
    if m.x2[i] >= 0 and (m.x2[i] == y or m.x2[i] == m.x2[k]):
        somme += min(u, v)
    return somme


@compiled
def _apart(d: Donnees, m: Memoire, zone: int, b: int) -> float:
    """Price of the pupils apart in the zone's group to keep together, the zone being in b."""
    ref = d.reference[zone]
    somme = 0.0
    for p in range(d.ensemble_ptr[ref], d.ensemble_ptr[ref + 1]):
        i = d.ensemble_zones[p]
        xi = b if i == zone else m.x[i]
        xr = b if ref == zone else m.x[ref]
        somme += d.eleves[i] * (1.0 - _commun(m, i, xi, ref, xr))
    return float(d.poids_ensemble * somme)


@compiled
def _franchit(d: Donnees, m: Memoire, zone: int, a: int, b: int) -> float:
    """Change of the price of crossings when the zone goes from a to b."""
    c = len(d.portes)
    g = d.zone_groupe[zone]
    ha = d.college_groupe[a] if a < c else g
    hb = d.college_groupe[b] if b < c else g
    va = d.eleves[zone] * max(0.0, 1.0 - d.parts_0[zone, a]) if ha != g else 0.0
    vb = d.eleves[zone] * max(0.0, 1.0 - d.parts_0[zone, b]) if hb != g else 0.0
    if ha == hb:
        if ha == g:
            return 0.0
        p, lim = m.passages[g, ha], d.passages_max[g, ha]
        return float(d.poids[6] * (max(0.0, p - va + vb - lim) - max(0.0, p - lim)))
    somme = 0.0
    if ha != g:
        p, lim = m.passages[g, ha], d.passages_max[g, ha]
        somme += max(0.0, p - va - lim) - max(0.0, p - lim)
    if hb != g:
        p, lim = m.passages[g, hb], d.passages_max[g, hb]
        somme += max(0.0, p + vb - lim) - max(0.0, p - lim)
    return float(d.poids[6] * somme)


@compiled
def other_costs(d: Donnees, m: Memoire, zone: int, b: int) -> float:
    """Change of the terms that only some problems have, when the zone (not a shared one) goes to b (C = none)."""
    c = len(d.portes)
    a = m.x[zone]
    delta = 0.0
    if d.poids[4] > 0.0 or d.poids[5] > 0.0:
        qa, qb = d.quitte[zone, a], d.quitte[zone, b]
        zones = m.totaux[0] + (1.0 if qb > 0.0 else 0.0) - (1.0 if qa > 0.0 else 0.0)
        eleves = m.totaux[1] + d.eleves[zone] * (qb - qa)
        delta += d.poids[4] * (max(0.0, zones - d.limites[1]) - max(0.0, m.totaux[0] - d.limites[1]))
        delta += d.poids[5] * (max(0.0, eleves - d.limites[2]) - max(0.0, m.totaux[1] - d.limites[2]))
    if d.poids[6] > 0.0:
        delta += _franchit(d, m, zone, a, b)
    if d.reference[zone] >= 0:
        delta += _apart(d, m, zone, b) - _apart(d, m, zone, a)
    if d.poids[7] > 0.0 and d.classe[zone] > 0:
        for tour in range(2):
            j = a if tour == 0 else b
            if j == c:
                continue
            for p in range(d.voisins_ptr[j], d.voisins_ptr[j + 1]):
                u, v = d.voisins[d.voisins_idx[p], 0], d.voisins[d.voisins_idx[p], 1]
                if tour == 1 and (u == a or v == a):
                    continue
                delta += _ecart(d, m, u, v, zone, a, b) - _ecart(d, m, u, v, -1, a, b)
    if d.poids[8] > 0.0 and d.classe[zone] > 0:
        delta += _melange(d, m, zone, a, b) - _melange(d, m, -1, a, b)
    return float(delta)


@compiled
def total(d: Donnees, m: Memoire) -> float:
    """Cost of the plan in memory, but the constant of those whom no plan moves."""
    c, n = len(d.portes), len(m.x)
    somme = 0.0
    for i in range(n):
        if m.x2[i] < 0:
            somme += d.lin[i, m.x[i]]
        else:
            somme += d.lin_partage[i]
    for j in range(c):
        somme += _charge(
            d.w, d.poids, m.charge, m.etrangers, d.suivent, False, d.haut, d.bas, d.minimum[j], d.limites[0], j, 0, 0.0
        )
    somme += d.poids[4] * max(0.0, m.totaux[0] - d.limites[1]) if d.poids[4] > 0.0 else 0.0
    somme += d.poids[5] * max(0.0, m.totaux[1] - d.limites[2]) if d.poids[5] > 0.0 else 0.0
    if d.poids[6] > 0.0:
        for g in range(d.passages_max.shape[0]):
            for h in range(d.passages_max.shape[0]):
                if g != h:
                    somme += d.poids[6] * max(0.0, m.passages[g, h] - d.passages_max[g, h])
    for i in range(n):
        if d.reference[i] == i:
            somme += _apart(d, m, i, m.x[i])
    if d.poids[7] > 0.0:
        for p in range(len(d.voisins)):
            somme += _ecart(d, m, d.voisins[p, 0], d.voisins[p, 1], -1, 0, 0)
    if d.poids[8] > 0.0:
        somme += _melange(d, m, -1, 0, 0)
    return somme
