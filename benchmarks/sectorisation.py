"""Sectorisation: plans and bounds on real and made districts, connected partitions with a proven optimum.

DIR is a folder with sets in the layout of shared/data/districting, whose README fixes the objective, at any depth, or
one of them (`benchmarks.sectorisation_lecture` says how a set is known and named). Without ``--limite`` each case has
the seconds of its target (`LIMITES`). ``gap`` is against the known value of the case (``--reference``, or a table in
DIR or beside it), else against the bound; ``cost_at`` gives the cost reached after so many seconds, ``cpu_seconds``
the processor time had (twice the seconds on two idle cores, at most). A set that does not read is told on standard
error; the others are measured, and the command fails at the end.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from benchmarks.mesure import say
from benchmarks.sectorisation_lecture import (
    Graphe,
    find,
    known_values,
    problem_of,
    read_district,
    read_graph,
)
from benchmarks.sectorisation_tables import JeuInvalide
from collèges.controle import check
from collèges.decoupage import split
from collèges.probleme import I32, Problem
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
    districts, comtes = find(args.dossier)
    if not districts and not comtes:
        raise SystemExit(f"Erreur : aucun jeu dans {args.dossier.name}")
    try:
        connues = known_values(args.dossier, args.reference)
    except JeuInvalide as error:
        raise SystemExit(f"Erreur : {error}") from error
    _warm_up()
    ecartes = 0
    for district in districts:
        try:
            problem = read_district(district)
        except JeuInvalide as error:
            say(f"{district.nom}, jeu écarté : {error}")
            ecartes += 1
            continue
        for graine in range(1, args.graines + 1):
            yield _line(district.nom, problem, graine, args.limite, connues.get(district.nom))
    for jeu in comtes:
        optimum = connues.get(jeu.nom, connues.get(jeu.chemin.stem))
        try:
            graphe = read_graph(jeu)
            for graine in range(1, args.graines + 1):
                yield _cut_edges(jeu.nom, graphe, graine, args.limite or LIMITE_DECOUPAGE, optimum)
        except JeuInvalide as error:
            say(f"{jeu.nom}, jeu écarté : {error}")
            ecartes += 1
    if ecartes:
        raise SystemExit(f"Erreur : jeux illisibles, écartés : {ecartes}")


def _warm_up() -> None:
    """Compile the loops, or read them from the cache: once an installation, not once a case."""
    say("compilation des boucles...")
    n = 6
    debut = time.monotonic()
    problem = problem_of(
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


def _line(nom: str, problem: Problem, graine: int, limite: float | None, reference: float | None) -> dict[str, object]:
    limite = limite or next(s for maximum, s in LIMITES if problem.n_zones * problem.n_colleges <= maximum)
    say(f"{nom}, graine {graine} : {limite:g} s")
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


def _cut_edges(nom: str, graphe: Graphe, graine: int, limite: float, optimum: float | None) -> dict[str, object]:
    """Connected partition of a county graph, stopped at the optimum where it is known."""
    say(f"{nom}, graine {graine} : {limite:g} s")
    debut = time.perf_counter()
    stop = Arret(seconds=limite, target=optimum)
    try:
        partage = split(graphe.arete, graphe.population, graphe.parties, graphe.bas, graphe.haut, stop, graine)
    except ValueError as error:
        raise JeuInvalide(str(error)) from error
    secondes = time.perf_counter() - debut
    verifie = holds(graphe, partage.partie, partage.coupees)
    return {
        "bench": "sectorisation",
        "case": nom,
        "seed": graine,
        "limit_s": limite,
        "seconds": round(secondes, 2),
        "cost": partage.coupees if verifie else None,
        "bound": None,
        "reference": optimum,
        "gap": round(partage.coupees / optimum - 1, 6) if verifie and optimum else None,
        "checked": verifie,
        "zones": len(graphe.population),
    }


def holds(graphe: Graphe, partie: I32, coupees: float) -> bool:
    """Every part is there, connected, in its window, and so many borders are cut; without the search's code."""
    n, arete = len(graphe.population), graphe.arete
    if not np.array_equal(np.unique(partie), np.arange(graphe.parties)):
        return False
    meme = partie[arete[:, 0]] == partie[arete[:, 1]]
    liens = csr_matrix((np.ones(meme.sum()), arete[meme].T), shape=(n, n))
    morceaux, _ = connected_components(liens, directed=False)
    sommes = np.bincount(partie, weights=graphe.population)
    dedans = bool(((sommes >= graphe.bas) & (sommes <= graphe.haut)).all())
    # As many pieces as parts: each part is in one piece.
    return bool(morceaux == graphe.parties and dedans and (~meme).sum() == coupees)
