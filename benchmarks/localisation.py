"""Siting core against published instances, real roads and spopt.

``python -m benchmarks localisation DIR [--limite S] [--graines N] [--reference CSV] [--motif GLOB]``: DIR has the
layout of shared/data/location (or is one of its folders); ``--motif`` keeps the cases whose name it fits.

Quality lines: every graph (p-median, p-center, maximal and total cover at several radii), every capacitated instance,
road-like problems (real network of Porto when ``osm/`` lies beside DIR, else a triangulation), and a 300 x 100 problem
changed by one site and solved again. Speed lines: total and model building at 500 x 100 against spopt with CBC.
``seconds`` is the whole solve, the clock that a user sees; compiled code is loaded before the first case.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np

from accueil.changements import with_minutes, with_state
from accueil.controle import check
from accueil.moteur import children_cpu_s, prepare
from accueil.probleme import Capacites, Etat, Modele, Problem, make_problem
from accueil.rayons import median_program
from accueil.resultat import Solution, open_sites
from accueil.solveur import solve
from accueil.vue import make_vue
from benchmarks.localisation_lecture import Instance, read_all
from benchmarks.localisation_routes import road_problem, roads
from benchmarks.mesure import say, speed, timed
from territoires.calcul import Arret, ControleEchoue

BANC = "localisation"
LIMITE_S = 60.0
#: Radii of the covers, as shares of the least radius of the graph.
RAYONS = (0.5, 0.75, 1.0)
#: Road-like cases: demands, sites, open sites, seconds.
ROUTES = ((2000, 300, 10, 10.0), (2000, 300, 25, 10.0), (5000, 500, 10, 60.0), (5000, 500, 40, 60.0))


def run(args: argparse.Namespace) -> Iterator[dict[str, object]]:
    """The cases in turn."""
    dossier: Path = args.dossier if args.dossier is not None else Path("../shared/data/location")
    limite = args.limite or LIMITE_S
    motif = getattr(args, "motif", None) or "*"
    warm()
    for graine in range(1, args.graines + 1):
        if dossier.is_dir():
            for instance in read_all(dossier, args.reference):
                if fnmatch(instance.nom, motif):
                    yield from _instance(instance, graine, limite)
        yield from _roads(dossier, graine, limite, motif)
        yield from _again(graine, limite, motif)
    if fnmatch("500x100", motif):
        yield from _spopt()


def warm() -> None:
    """Load what is compiled and start the child process, which a worker has already done."""
    alea = np.random.default_rng(0)
    minutes = alea.integers(1, 50, (40, 30))
    prepare()
    for modele in Modele:
        solve(make_problem(minutes, modele, sites_max=4, seuil=12.0), Arret(seconds=20))
    solve(make_problem(minutes, sites_max=8, capacites=Capacites.UNIQUE, capacite=np.full(30, 8.0)), Arret(seconds=20))


def _instance(instance: Instance, graine: int, limite: float) -> Iterator[dict[str, object]]:
    problem = instance.problem
    nom = f"{instance.famille}/{instance.nom}"
    if instance.famille != "pmed":
        yield quality(nom, problem, graine, limite, instance.reference)
        return
    yield quality(nom, problem, graine, limite, instance.reference)
    centre = replace(problem, modele=Modele.CENTRE)
    ligne = quality(nom, centre, graine, limite, instance.reference_centre)
    yield ligne
    rayon = float(str(ligne["cost"]))
    for part in RAYONS:
        seuil = float(round(part * rayon))
        for modele in (Modele.COUVERTURE_MAX, Modele.COUVERTURE_TOTALE):
            couverture = replace(
                problem,
                modele=modele,
                seuil=seuil,
                sites_max=problem.sites_max if modele is Modele.COUVERTURE_MAX else None,
            )
            yield quality(f"{nom} T={seuil:g}", couverture, graine, limite, None)


def quality(
    nom: str, problem: Problem, graine: int, limite: float, reference: float | None, depart: Solution | None = None
) -> dict[str, object]:
    """Solve, check, one line."""
    debut, cpu = time.perf_counter(), _cpu_s()
    solution = solve(problem, Arret(seconds=limite), graine, depart=depart)
    secondes, cpu = time.perf_counter() - debut, _cpu_s() - cpu
    return _line(nom, problem, solution, graine, limite, secondes, reference) | {"cpu_s": round(cpu, 3)}


def _cpu_s() -> float:
    """CPU seconds of this process and of the one that holds HiGHS: what a loaded machine does not blur."""
    return time.process_time() + children_cpu_s()


def _line(
    nom: str,
    problem: Problem,
    solution: Solution,
    graine: int,
    limite: float,
    secondes: float,
    reference: float | None,
) -> dict[str, object]:
    bilan = solution.bilan
    try:
        check(problem, solution)
        controle = True
    except ControleEchoue as error:
        say(f"{nom} {problem.modele} : {error}")
        controle = False
    cout = float(bilan.cost)
    borne = None if bilan.bound is None else float(bilan.bound)
    contre = reference if reference is not None else borne
    ecart = None
    if contre is not None and np.isfinite(cout):
        ecart = round(cout / contre - 1, 8) if contre else (0.0 if cout == 0 else None)
    say(f"{nom} {problem.modele} : {cout:g} ({bilan.status}, {secondes:.2f} s)")
    return {
        "bench": BANC,
        "case": f"{nom} {problem.modele}",
        "seed": graine,
        "limit_s": limite,
        "seconds": round(secondes, 3),
        "cost": cout if np.isfinite(cout) else None,
        "bound": borne,
        "reference": reference,
        "gap": ecart,
        "checked": controle,
        "status": str(bilan.status),
        "bound_gap": None if borne is None or not borne else round(cout / borne - 1, 8),
    }


def _roads(dossier: Path, graine: int, limite: float, motif: str) -> Iterator[dict[str, object]]:
    voulus = [cas for cas in ROUTES if fnmatch(f"routes-{cas[0]}x{cas[1]}", motif)]
    if not voulus:
        return
    reseau = roads(dossier)
    for demandes, sites, p, secondes in voulus:
        problem = road_problem(reseau, demandes, sites, p, graine)
        nom = f"routes-{demandes}x{sites} {reseau.nom} p={p}"
        yield quality(nom, problem, graine, min(limite, secondes), None)


def _again(graine: int, limite: float, motif: str) -> Iterator[dict[str, object]]:
    """300 x 100 problems of each kind, then one site locked, forbidden, moved, each solved again from the answer
    before."""
    if not fnmatch("reprise-300x100", motif):
        return
    alea = np.random.default_rng(graine)
    points, places = alea.uniform(0, 60, (300, 2)), alea.uniform(0, 60, (100, 2))
    poids = np.round(alea.lognormal(5.0, 1.0, 300)) + 1

    def minutes(vers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.hypot(*(points[:, None] - vers[None]).transpose(2, 0, 1)) * 1.3

    problem = make_problem(minutes(places), sites_max=8, poids=poids)
    couts = alea.uniform(20, 80, 100)
    place = np.full(100, float(poids.sum()) / 8 * 1.25)
    sortes = {
        "": problem,
        "couverture": replace(problem, modele=Modele.COUVERTURE_MAX, seuil=10.0),
        "couverture totale": replace(problem, modele=Modele.COUVERTURE_TOTALE, seuil=15.0, sites_max=None),
        "centre": replace(problem, modele=Modele.CENTRE),
        "centre puis médiane": replace(problem, modele=Modele.CENTRE_PUIS_MEDIANE),
        "budget": replace(problem, cout_annuel=couts, budget_annuel=8 * 35.0),
        "équité": replace(
            problem,
            groupes=("A", "B"),
            noms=("A", "B"),
            demande_groupe=np.where(points[:, 0] < 30, 0, 1).astype(np.int16),
            seuil=12.0,
            equite_min=0.7,
        ),
        "capacités partagées": replace(problem, capacites=Capacites.PARTAGEE, capacite=place),
        "capacités entières": replace(problem, capacites=Capacites.UNIQUE, capacite=place),
    }
    la_bas = minutes(alea.uniform(0, 60, (1, 2)))[:, 0]
    for sorte, base in sortes.items():
        avant = solve(base, Arret(seconds=limite), graine)
        ouverts = open_sites(base, avant)
        ferme = int(np.setdiff1d(np.arange(100), ouverts)[0])
        changements = {
            "verrouiller": with_state(base, ferme, Etat.REQUIS),
            "interdire": with_state(base, int(ouverts[0]), Etat.INTERDIT),
            "déplacer": with_minutes(base, int(ouverts[1]), la_bas),
        }
        for quoi, change in changements.items():
            yield quality(
                f"reprise-300x100 {sorte} {quoi}".replace("  ", " "), change, graine, limite, None, depart=avant
            )


def _spopt() -> Iterator[dict[str, object]]:
    """The classic p-median at 500 x 100, p = 10: whole solve and building alone, both engines in this run."""
    alea = np.random.default_rng(1)
    points, places = alea.uniform(0, 60, (500, 2)), alea.uniform(0, 60, (100, 2))
    cout = np.round(np.hypot(*(points[:, None] - places[None]).transpose(2, 0, 1)), 3)
    poids = np.round(alea.lognormal(4.0, 1.0, 500)) + 1
    matrice = cout.astype(np.float32)

    def ours() -> Solution:
        return solve(make_problem(matrice, sites_max=10, poids=poids), Arret(seconds=60))

    def build() -> object:
        return median_program(make_vue(make_problem(matrice, sites_max=10, poids=poids)))

    secondes, notre = timed(ours, 3)
    construction, _ = timed(build, 3)
    if importlib.util.find_spec("spopt") is None or importlib.util.find_spec("pulp") is None:
        say("spopt absent : comparaison sautée (requirements/bench.txt)")
        return
    import pulp
    from spopt.locate import PMedian

    exacte = matrice.astype(np.float64)
    temps_modele, modele = timed(lambda: PMedian.from_cost_matrix(exacte, poids, p_facilities=10))
    temps_resolu, _ = timed(lambda: modele.solve(pulp.PULP_CBC_CMD(msg=False, threads=1)))
    leur = float(pulp.value(modele.problem.objective))
    exact = abs(leur - float(notre.bilan.cost)) <= 1e-6 * leur
    yield speed(
        BANC, "500x100 p=10 total", "limitrophe", secondes, "spopt+CBC", temps_modele + temps_resolu, exact,
        bound_gap=notre.bilan.gap,
    )  # fmt: skip
    yield speed(BANC, "500x100 p=10 modèle", "limitrophe", construction, "spopt", temps_modele, exact)
