"""Sectorisation: plans and bounds on real and made districts, connected partitions with a proven optimum.

Reads the layout of shared/data/districting, whose README fixes the objective.
"""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from collèges.probleme import F64, I32, Problem, Regles


def _rows(chemin: Path) -> list[dict[str, str]]:
    with chemin.open(encoding="utf-8", newline="") as fichier:
        return list(csv.DictReader(fichier))


def read_lcps(dossier: Path, niveau: str) -> Problem:
    """The real district: ``niveau`` = elem or mid."""
    zones, ecoles = _rows(dossier / "zones.csv"), _rows(dossier / f"schools_{niveau}.csv")
    de = {ligne["zone"]: ligne for ligne in _rows(dossier / f"assignment_{niveau}.csv")}
    rang = {ligne["zone"]: i for i, ligne in enumerate(zones)}
    bords = _rows(dossier / "adjacency.csv")
    arete = np.array([(rang[b["zone_a"]], rang[b["zone_b"]]) for b in bords], dtype=np.int32)
    # A border of 1 m or less is a point for the README.
    frontiere = np.array([float(b["shared_border_m"]) for b in bords])
    frontiere[frontiere <= 1.0] = 0.0
    xy = np.array([(float(z["x_km"]), float(z["y_km"])) for z in zones])
    portes = np.array([rang[e["zone"]] for e in ecoles], dtype=np.int32)
    vraies = arete[frontiere > 0]
    km = 0.05 + np.hypot(*(xy[vraies[:, 0]] - xy[vraies[:, 1]]).T)
    graphe = csr_matrix((km, (vraies[:, 0], vraies[:, 1])), shape=(len(zones), len(zones)))
    distance = dijkstra(graphe, directed=False, indices=portes).T
    return _problem(
        codes=[z["zone"] for z in zones],
        xy=xy * 1000.0,
        eleves=np.array([float(de[z["zone"]]["pupils"]) for z in zones]),
        present=np.array([int(de[z["zone"]]["current_school"]) for z in zones], dtype=np.int32),
        arete=arete,
        frontiere=frontiere,
        ecoles=[(e["code"], e["name"]) for e in ecoles],
        portes=portes,
        capacite=np.array([float(e["capacity"]) for e in ecoles]),
        minutes=np.round(1.2 * distance / 35 * 60 + 1, 1),
    )


def read_synthetic(dossier: Path) -> Problem:
    """One made case."""
    zones, ecoles, bords = (_rows(dossier / f"{nom}.csv") for nom in ("zones", "schools", "adjacency"))
    with gzip.open(dossier / "minutes.csv.gz", "rt", encoding="utf-8", newline="") as fichier:
        lignes = list(csv.reader(fichier))[1:]
    arete = np.array([(int(b["zone_a"]), int(b["zone_b"])) for b in bords], dtype=np.int32)
    return _problem(
        codes=[z["zone"] for z in zones],
        xy=np.array([(float(z["x_km"]), float(z["y_km"])) for z in zones]) * 1000.0,
        eleves=np.array([float(z["pupils"]) for z in zones]),
        present=np.array([int(z["current_school"]) for z in zones], dtype=np.int32),
        arete=arete,
        frontiere=np.full(len(arete), 1000.0),
        ecoles=[(e["school"], f"Collège {e['school']}") for e in ecoles],
        portes=np.array([int(e["zone"]) for e in ecoles], dtype=np.int32),
        capacite=np.array([float(e["capacity"]) for e in ecoles]),
        minutes=np.array([[float(v) for v in ligne[1:]] for ligne in lignes]),
    )


def _problem(
    *,
    codes: list[str],
    xy: F64,
    eleves: F64,
    present: I32,
    arete: I32,
    frontiere: F64,
    ecoles: list[tuple[str, str]],
    portes: I32,
    capacite: F64,
    minutes: F64,
) -> Problem:
    """One group, one year, the objective of the README."""
    n, c = len(codes), len(ecoles)
    return Problem(
        groupes=("A",),
        groupe_noms=("A",),
        annees=("1",),
        zone_code=tuple(codes),
        zone_nom=tuple(codes),
        zone_groupe=np.zeros(n, dtype=np.int32),
        zone_x=xy[:, 0],
        zone_y=xy[:, 1],
        zone_ips=np.full(n, np.nan),
        eleves=eleves[None, :],
        part_nouvelle=np.ones((1, n)),
        present=np.stack([present, np.full(n, -1, dtype=np.int32)], axis=1),
        arete=arete,
        frontiere_m=frontiere,
        college_code=tuple(code for code, _ in ecoles),
        college_nom=tuple(nom for _, nom in ecoles),
        college_groupe=np.zeros(c, dtype=np.int32),
        college_x=xy[portes, 0],
        college_y=xy[portes, 1],
        college_zone=portes,
        capacite=capacite[None, :],
        remplissage_max=np.ones(c),
        remplissage_min=np.full(c, 0.75),
        effectif_min=np.zeros(c),
        college_ips=np.full(c, np.nan),
        college_voisins=np.zeros((0, 2), dtype=np.int32),
        minutes=minutes,
        interdit=np.zeros((n, c), dtype=np.bool_),
        impose=np.full(n, -1, dtype=np.int32),
        ensemble=np.full(n, -1, dtype=np.int32),
        passages_max=np.full((1, 1), np.inf),
        poids_annee=np.ones(1),
        regles=Regles(),
    )
