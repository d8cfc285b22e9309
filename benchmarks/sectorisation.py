"""Sectorisation: plans and bounds on real and made districts, connected partitions with a proven optimum.

Reads the layout of shared/data/districting, whose README fixes the objective: ``lcps/`` (zones, adjacency, schools_*
and assignment_*), ``synthetic/NAME/``, ``cut_edges/``; a folder that is absent is left out. Without ``--limite`` each
case has the seconds of its target (`LIMITES`). ``gap`` is against the bound, or against ``--reference`` (columns case,
reference) where it knows the case; ``cost_at`` gives the cost reached after so many seconds, ``cpu_seconds`` the
processor time had (twice the seconds on two idle cores, at most).
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, dijkstra

from benchmarks.mesure import say
from collèges.controle import check
from collèges.decoupage import split
from collèges.probleme import F64, I32, Problem, Regles
from collèges.resultat import Solution
from collèges.solveur import solve
from territoires.calcul import Arret, ControleEchoue

#: Seconds a case when ``--limite`` is not given, by the number of zones times collèges, and for cut edges.
LIMITES = ((2_500, 3.0), (8_000, 15.0), (18_000, 20.0), (30_000, 120.0), (10**9, 60.0))
LIMITE_DECOUPAGE = 20.0
#: Times at which the cost is told.
INSTANTS = (3.0, 15.0, 20.0, 30.0, 60.0, 120.0)


def run(args: argparse.Namespace) -> Iterator[dict[str, object]]:
    """One line a case and seed."""
    if args.dossier is None:
        raise SystemExit("python -m benchmarks sectorisation DIR")
    connues = {} if args.reference is None else {r["case"]: float(r["reference"]) for r in _rows(args.reference)}
    _warm_up()
    for nom, lire in _cases(args.dossier):
        problem = lire()
        taille = problem.n_zones * problem.n_colleges
        limite = args.limite or next(s for maximum, s in LIMITES if taille <= maximum)
        for graine in range(1, args.graines + 1):
            say(f"{nom}, graine {graine} : {limite:g} s")
            yield _line(nom, problem, graine, limite, connues.get(nom))
    dossier = args.dossier / "cut_edges"
    if (dossier / "optima.csv").is_file():
        for ligne in _rows(dossier / "optima.csv"):
            for graine in range(1, args.graines + 1):
                yield _cut_edges(dossier, ligne, graine, args.limite or LIMITE_DECOUPAGE)


def _cases(dossier: Path) -> Iterator[tuple[str, Callable[[], Problem]]]:
    for chemin in sorted((dossier / "lcps").glob("schools_*.csv"), reverse=True):
        niveau = chemin.stem.removeprefix("schools_")
        yield f"lcps_{niveau}", lambda niveau=niveau: read_lcps(dossier / "lcps", niveau)  # type: ignore[misc]
    made = [chemin.parent for chemin in (dossier / "synthetic").glob("*/zones.csv")]
    for sous in sorted(made, key=lambda chemin: (len(chemin.name), chemin.name)):
        yield f"synthetic_{sous.name}", lambda sous=sous: read_synthetic(sous)  # type: ignore[misc]


def _warm_up() -> None:
    """Compile the loops, or read them from the cache: once an installation, not once a case."""
    say("compilation des boucles...")
    n = 6
    debut = time.monotonic()
    problem = _problem(
        codes=[str(i) for i in range(n)],
        xy=np.arange(2.0 * n).reshape(n, 2) * 1000.0,
        eleves=np.full(n, 10.0),
        present=np.array([0, 0, 0, 0, 0, 1], dtype=np.int32),
        arete=np.array([(i, i + 1) for i in range(n - 1)], dtype=np.int32),
        frontiere=np.ones(n - 1),
        ecoles=[("A", "A"), ("B", "B")],
        portes=np.array([0, n - 1], dtype=np.int32),
        capacite=np.array([30.0, 30.0]),
        minutes=np.abs(np.arange(n)[:, None] - np.array([0, n - 1])[None, :]) * 5.0,
    )
    solve(problem, Arret(iterations=1))
    split(np.array([(0, 1), (1, 2)], dtype=np.int32), np.ones(3), 1, 0.0, 9.0, Arret(iterations=1))
    say(f"compilation : {time.monotonic() - debut:.1f} s")


def _line(nom: str, problem: Problem, graine: int, limite: float, reference: float | None) -> dict[str, object]:
    debut, avant = time.perf_counter(), _processor()
    solution: Solution = solve(problem, Arret(seconds=limite), graine)
    secondes, processeur = time.perf_counter() - debut, _processor() - avant
    bilan = solution.bilan
    cout, borne = float(bilan.cost), None if bilan.bound is None else float(bilan.bound)
    contre = reference if reference is not None else borne
    try:
        check(problem, solution)
        verifie = True
    except ControleEchoue as error:
        say(f"{nom} : {error}")
        verifie = False
    atteint = {
        f"{t:g}": next(point.cost for point in reversed(bilan.trace) if point.seconds <= t or point is bilan.trace[0])
        for t in INSTANTS
        if t <= limite
    }
    return {
        "bench": "sectorisation",
        "case": nom,
        "seed": graine,
        "limit_s": limite,
        "seconds": round(secondes, 2),
        "cpu_seconds": round(processeur, 2),
        "cost": cout,
        "bound": borne,
        "reference": reference,
        "gap": round(cout / contre - 1, 6) if contre else None,
        "checked": verifie,
        "cost_at": atteint,
        "cut_off": len(solution.evaluation.coupees),
        "turns": bilan.iterations,
    }


def _processor() -> float:
    """Processor seconds of this process and of its children that have ended: on a loaded machine, what was had of the
    two cores that a solve uses."""
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _cut_edges(dossier: Path, ligne: dict[str, str], graine: int, limite: float) -> dict[str, object]:
    """Connected partition of a county graph, stopped at the proven optimum."""
    nom = ligne["instance"]
    graphe = json.loads((dossier / f"{nom}.json").read_text(encoding="utf-8"))
    arete = np.array(graphe["edges"], dtype=np.int32)
    population = np.array(graphe["population"], dtype=np.float64)
    optimum, bas, haut = float(ligne["min_cut_edges"]), float(ligne["pop_min"]), float(ligne["pop_max"])
    debut = time.perf_counter()
    stop = Arret(seconds=limite, target=optimum)
    partage = split(arete, population, int(ligne["districts"]), bas, haut, stop, graine)
    secondes = time.perf_counter() - debut
    parties = partage.partie
    verifie = bool((parties >= 0).all())
    for k in range(int(ligne["districts"]) if verifie else 0):
        dedans = np.flatnonzero(parties == k)
        interieures = arete[(parties[arete] == k).all(axis=1)]
        liens = csr_matrix((np.ones(len(interieures)), interieures.T), shape=(len(population), len(population)))
        vus = breadth_first_order(liens, int(dedans[0]), directed=False, return_predecessors=False)
        verifie &= len(vus) == len(dedans) and bas <= population[dedans].sum() <= haut
    verifie = bool(verifie and float((parties[arete[:, 0]] != parties[arete[:, 1]]).sum()) == partage.coupees)
    return {
        "bench": "sectorisation",
        "case": f"cut_edges_{nom}",
        "seed": graine,
        "limit_s": limite,
        "seconds": round(secondes, 2),
        "cost": partage.coupees if verifie else None,
        "bound": None,
        "reference": optimum,
        "gap": round(partage.coupees / optimum - 1, 6) if verifie else None,
        "checked": verifie,
        "zones": len(population),
    }


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
