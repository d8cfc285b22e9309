"""Random small sectorisation problems: maps, plans of today however faulty, every rule."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from collèges.probleme import AUCUN, F64, I32, Problem, Regles, phase_in, touching_sectors

#: How today's plan is made: grown from the collèges (contiguous), drawn at random, grown then damaged, or absent.
PLANS = ("pousse", "hasard", "abime", "absent")


def graph(rng: np.random.Generator, n: int, grille: bool) -> tuple[F64, F64, I32, F64]:
    """Positions (metres) and borders of n zones: a grid with borders of 1 km, or a thinned Delaunay map.

    Some neighbours touch at a point only (border 0); a map may fall apart in pieces.
    """
    if grille:
        largeur = max(1, int(np.ceil(np.sqrt(n))))
        x, y = np.arange(n, dtype=np.float64) % largeur, np.arange(n, dtype=np.float64) // largeur
        arete = [(i, j) for i in range(n) for j in range(i) if abs(x[i] - x[j]) + abs(y[i] - y[j]) == 1]
        coins = [(i, j) for i in range(n) for j in range(i) if abs(x[i] - x[j]) == abs(y[i] - y[j]) == 1]
        paires = np.array(arete + coins, dtype=np.int32).reshape(-1, 2)
        longueur = np.where(np.arange(len(paires)) < len(arete), 1000.0, 0.0)
        return x * 1000.0, y * 1000.0, paires, longueur
    x, y = rng.uniform(0, 10_000, n), rng.uniform(0, 10_000, n)
    if n < 4:
        couples = {(i, i - 1) for i in range(1, n)}
    else:
        couples = {
            (int(max(a, b)), int(min(a, b)))
            for triangle in Delaunay(np.column_stack([x, y])).simplices
            for a, b in (triangle[[0, 1]], triangle[[1, 2]], triangle[[0, 2]])
        }
    bords = np.array(sorted(couples), dtype=np.int32).reshape(-1, 2)
    return x, y, bords, np.where(rng.random(len(bords)) < 0.8, rng.uniform(50, 3000, len(bords)), 0.0)


def grow(rng: np.random.Generator, n: int, portes: I32, arete: I32, longueur: F64) -> I32:
    """A contiguous plan (n,): sectors that grow from their doors in turn; zones out of reach get AUCUN."""
    voisins: list[list[int]] = [[] for _ in range(n)]
    for (a, b), metres in zip(arete.tolist(), longueur.tolist(), strict=True):
        if metres > 0:
            voisins[a].append(b)
            voisins[b].append(a)
    plan = np.full(n, AUCUN, dtype=np.int32)
    for j, porte in enumerate(portes):
        if plan[porte] == AUCUN:
            plan[porte] = j
    bords = [i for i in range(n) if plan[i] != AUCUN]
    while bords:
        i = bords[int(rng.integers(len(bords)))]
        libres = [v for v in voisins[i] if plan[v] == AUCUN]
        if not libres:
            bords.remove(i)
            continue
        v = libres[int(rng.integers(len(libres)))]
        plan[v] = plan[i]
        bords.append(v)
    return plan


def _present(rng: np.random.Generator, plan: str, n: int, c: int, pousse: I32, partages: float) -> I32:
    present = np.full((n, 2), AUCUN, dtype=np.int32)
    if plan == "pousse":
        present[:, 0] = pousse
    elif plan == "hasard":
        present[:, 0] = rng.integers(-1, c, n)
    elif plan == "abime":
        present[:, 0] = np.where(rng.random(n) < 0.3, rng.integers(-1, c, n), pousse)
    if plan != "absent" and c > 1:
        for i in np.flatnonzero((present[:, 0] != AUCUN) & (rng.random(n) < partages)):
            present[i, 1] = (present[i, 0] + rng.integers(1, c)) % c
    return present


def make_case(
    seed: int,
    n: int = 7,
    c: int = 3,
    *,
    g: int = 2,
    t: int = 2,
    grille: bool = True,
    plan: str = "pousse",
    regles: bool = True,
    partages: float = 0.15,
    **changes: Any,
) -> Problem:
    """A problem made of the seed. ``regles=False``: only travel, departures and capacities count; ``partages``: share
    of the zones that two collèges share; ``changes``: fields of the problem to replace."""
    rng = np.random.default_rng(seed)
    x, y, arete, longueur = graph(rng, n, grille)
    college_zone = rng.integers(0, n, c).astype(np.int32)  # Several may stand in one zone.
    college_zone[rng.random(c) < 0.1] = AUCUN
    cx = np.where(college_zone >= 0, x[college_zone], rng.uniform(0, 3000, c))
    cy = np.where(college_zone >= 0, y[college_zone], rng.uniform(0, 3000, c))
    minutes = np.hypot(x[:, None] - cx, y[:, None] - cy) / 1000.0 * rng.uniform(1, 2, (n, c)) + 1.0
    minutes = np.round(minutes, 1)
    if regles:
        minutes[rng.random((n, c)) < 0.05] = np.inf
    portes = np.where(college_zone >= 0, college_zone, np.argmin(minutes, axis=0)).astype(np.int32)
    present = _present(rng, plan, n, c, grow(rng, n, portes, arete, longueur), partages)
    eleves = np.round(rng.uniform(0, 100, (t, n)), 0)
    eleves[:, rng.random(n) < 0.1] = 0.0
    capacite = np.round(eleves.sum(axis=1)[:, None] / c * rng.uniform(0.6, 1.4, c), 0)
    poids_annee = rng.dirichlet(np.ones(t))
    zone_groupe = (x > np.median(x)).astype(np.int32) % g if g > 1 else np.zeros(n, dtype=np.int32)
    college_groupe = zone_groupe[portes].astype(np.int32)
    interdit = np.zeros((n, c), dtype=bool)
    impose, ensemble = np.full(n, AUCUN, dtype=np.int32), np.full(n, AUCUN, dtype=np.int32)
    passages = np.full((g, g), np.inf)
    zone_ips, college_ips = rng.uniform(70, 140, n), rng.uniform(70, 140, c)
    parametres: dict[str, Any] = {}
    # Drawn apart, so that the rest of a seed's case does not depend on it.
    a_part = np.random.default_rng([seed, 1])
    if regles and t > 1 and a_part.random() < 0.25:
        # A year that counts for nothing.
        poids_annee[a_part.integers(t)] = 0.0
        poids_annee /= poids_annee.sum()
    if regles:
        interdit = rng.random((n, c)) < 0.1
        capacite[:, rng.random(c) < 0.15] = np.inf
        impose[rng.random(n) < 0.08] = rng.integers(c)
        ou = np.flatnonzero(impose >= 0)
        interdit[ou, impose[ou]] = False
        ensemble[rng.random(n) < 0.4] = 0
        ensemble[rng.random(n) < 0.2] = 1
        passages[rng.random((g, g)) < 0.5] = 0.0
        passages[rng.random((g, g)) < 0.3] = float(rng.integers(0, 60))
        zone_ips[rng.random(n) < 0.2] = np.nan
        college_ips[rng.random(c) < 0.3] = np.nan
        parametres = {
            "minutes_max": float(rng.choice([np.inf, 3.0, 6.0])),
            "allongement_max": float(rng.choice([np.inf, 0.0, 2.0])),
            "max_zones": float(rng.choice([np.inf, 0.0, 2.0, 3.0])),
            "max_eleves": float(rng.choice([np.inf, 20.0, 100.0])),
            "poids_exterieurs": float(rng.choice([0.0, 30.0])),
            "poids_ecart_ips": float(rng.choice([0.0, 20.0])),
            "ecart_ips": float(rng.choice([0.0, 10.0])),
            "poids_dissimilarite": float(rng.choice([0.0, 3_000.0])),
            "zones_propres": bool(rng.random() < 0.7),
            "poids_depart": float(rng.choice([0.0, 10.0])),
        }
    donnees: dict[str, Any] = {
        "groupes": tuple(f"{k + 1:02d}" for k in range(g)),
        "groupe_noms": tuple(f"Groupe {k + 1}" for k in range(g)),
        "annees": tuple(str(2026 + k) for k in range(t)),
        "zone_code": tuple(f"Z{i:02d}" for i in range(n)),
        "zone_nom": tuple(f"Zone {i}" for i in range(n)),
        "zone_groupe": zone_groupe,
        "zone_x": np.asarray(x, dtype=np.float64),
        "zone_y": np.asarray(y, dtype=np.float64),
        "zone_ips": zone_ips,
        "eleves": eleves,
        "part_nouvelle": phase_in(t, n) if regles and rng.random() < 0.5 else np.ones((t, n)),
        "present": present,
        "arete": arete,
        "frontiere_m": longueur,
        "college_code": tuple(f"C{j}" for j in range(c)),
        "college_nom": tuple(f"Collège {j}" for j in range(c)),
        "college_groupe": college_groupe,
        "college_x": cx,
        "college_y": cy,
        "college_zone": college_zone,
        "capacite": capacite,
        "remplissage_max": np.round(rng.uniform(0.8, 1.1, c), 2),
        "remplissage_min": np.round(rng.uniform(0.0, 0.8, c), 2),
        "effectif_min": np.round(rng.uniform(0, 60, c)) if regles else np.zeros(c),
        "college_ips": college_ips,
        "college_voisins": touching_sectors(present, arete, longueur),
        "minutes": minutes,
        "interdit": interdit,
        "impose": impose,
        "ensemble": ensemble,
        "passages_max": passages,
        "poids_annee": poids_annee,
        "regles": Regles(**parametres),
        "remarques": ("Données d'essai.",),
    }
    return Problem(**(donnees | changes))


def seeds() -> st.SearchStrategy[int]:
    return st.integers(0, 2**32 - 1)


@st.composite
def problems(draw: st.DrawFn, zones: tuple[int, int] = (1, 14), colleges: tuple[int, int] = (1, 4)) -> Problem:
    """Any problem of these sizes."""
    n = draw(st.integers(*zones))
    return make_case(
        draw(seeds()),
        n,
        draw(st.integers(*colleges)),
        g=draw(st.integers(1, 3)) if n > 1 else 1,
        t=draw(st.integers(1, 3)),
        grille=draw(st.booleans()),
        plan=draw(st.sampled_from(PLANS)),
        regles=draw(st.booleans()),
    )
