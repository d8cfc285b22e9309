"""The published districts and county graphs: read whole, costed as their README says, cut at the proven optimum."""

from __future__ import annotations

import csv
import heapq
from pathlib import Path

import numpy as np
import pytest

from benchmarks.sectorisation import holds
from benchmarks.sectorisation_lecture import District, find, known_values, read_district, read_graph
from collèges.decoupage import split
from collèges.evaluation import evaluate
from collèges.probleme import AUCUN
from collèges.resultat import Plan, present_plan
from territoires.calcul import Arret

pytestmark = pytest.mark.reel

#: Annealings allowed: the slowest of thirty seeds took 164 of them, one second, on Maine (few cuts fit its window).
ESSAIS = 1_000


def rows(chemin: Path) -> list[dict[str, str]]:
    with chemin.open(encoding="utf-8", newline="") as fichier:
        return list(csv.DictReader(fichier))


def test_every_published_set_is_found(donnees: Path) -> None:
    districts, comtes = find(donnees / "districting")
    noms = {d.nom: read_district(d) for d in districts}
    tailles = {nom: (problem.n_zones, problem.n_colleges) for nom, problem in noms.items()}
    assert tailles == {
        "lcps_elem": (453, 57), "lcps_mid": (453, 17), "synthetic_200x10": (200, 10), "synthetic_600x25": (600, 25),
        "synthetic_1500x60": (1500, 60),
    }  # fmt: skip
    # Today's plans are contiguous, the README says.
    assert all(not evaluate(problem, present_plan(problem)).iles for problem in noms.values())
    assert len(comtes) == len(known_values(donnees / "districting", None)) == 9


def readme_cost(dossier: Path, niveau: str, plan: dict[str, str]) -> float:
    """The README's objective for the real district, from the files' own numbers, in plain Python."""
    xy = {z["zone"]: (float(z["x_km"]), float(z["y_km"])) for z in rows(dossier / "zones.csv")}
    voisines: dict[str, list[tuple[str, float]]] = {zone: [] for zone in xy}
    for bord in rows(dossier / "adjacency.csv"):
        a, b = bord["zone_a"], bord["zone_b"]
        if float(bord["shared_border_m"]) > 1.0:
            km = 0.05 + ((xy[a][0] - xy[b][0]) ** 2 + (xy[a][1] - xy[b][1]) ** 2) ** 0.5
            voisines[a].append((b, km))
            voisines[b].append((a, km))
    ecoles = {e["school"]: e for e in rows(dossier / f"schools_{niveau}.csv")}
    cout, charges = 0.0, dict.fromkeys(ecoles, 0.0)
    lignes = {ligne["zone"]: ligne for ligne in rows(dossier / f"assignment_{niveau}.csv")}
    for ecole, e in ecoles.items():
        vues: dict[str, float] = {}
        tas = [(0.0, e["zone"])]
        while tas:
            km, zone = heapq.heappop(tas)
            if zone not in vues:
                vues[zone] = km
                for voisine, pas in voisines[zone]:
                    heapq.heappush(tas, (km + pas, voisine))
        for zone, ligne in lignes.items():
            if plan[zone] == ecole:
                eleves = float(ligne["pupils"])
                change = 10 if ligne["current_school"] != ecole else 0
                cout += eleves * (round(1.2 * vues[zone] / 35 * 60 + 1, 1) + change)
                charges[ecole] += eleves
        places = float(e["capacity"])
        cout += 60 * (max(0.0, charges[ecole] - places) + max(0.0, 0.75 * places - charges[ecole]))
    return cout


@pytest.mark.parametrize("niveau", ["mid", "elem"])
def test_the_objective_of_the_readme(donnees: Path, niveau: str) -> None:
    """Today's plan, and one drawn at random in which the zones that hold a school keep it."""
    dossier = donnees / "districting" / "lcps"
    problem = read_district(District("lcps", dossier, niveau))
    numeros = [e["school"] for e in rows(dossier / f"schools_{niveau}.csv")]
    hasard = np.random.default_rng(1).integers(0, problem.n_colleges, problem.n_zones)
    for zone, ecole in zip(problem.college_zone, range(problem.n_colleges), strict=True):
        hasard[zone] = ecole
    for choix in (problem.present[:, 0], hasard):
        plan = Plan(np.stack([choix, np.full(problem.n_zones, AUCUN)], axis=1).astype(np.int32))
        par_nom = {zone: numeros[j] for zone, j in zip(problem.zone_code, choix, strict=True)}
        attendu = readme_cost(dossier, niveau, par_nom)
        # Half minutes that round one way or the other are less than one per million.
        assert evaluate(problem, plan).cout == pytest.approx(attendu, rel=1e-6)


@pytest.mark.parametrize("nom", ["ME_county", "NM_county", "WV_county"])
@pytest.mark.parametrize("graine", [1, 2])
def test_the_proven_optimum_of_the_smallest_counties(donnees: Path, nom: str, graine: int) -> None:
    dossier = donnees / "districting" / "cut_edges"
    optimum = known_values(dossier, None)[nom]
    graphe = read_graph(next(c for c in find(dossier)[1] if c.chemin.stem == nom))
    stop = Arret(iterations=ESSAIS, target=optimum)
    partage = split(graphe.arete, graphe.population, graphe.parties, graphe.bas, graphe.haut, stop, graine)
    assert holds(graphe, partage.partie, partage.coupees)
    assert partage.coupees == optimum
