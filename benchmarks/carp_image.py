"""A plan drawn as a picture: ``python -m benchmarks.carp_image INSTANCE PNG [--limite S] [--graine N]``.

INSTANCE: a .dat file, whose network has no positions and is laid out by its distances, or the name of a generated grid
(``grille-1000``...).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.carp import ArretCPU, solve
from benchmarks.carp_dessin import Trace, draw_plan, stress_layout
from benchmarks.carp_grilles import GRILLES
from benchmarks.carp_lecture import GrapheCarp, fleet_bound, problem_of, read_graph, shortest_lengths
from benchmarks.mesure import say
from routes.controle import check
from routes.itineraires import Chemins, Critere, Lieux, Registre, states
from routes.probleme import F64, Probleme
from routes.reseau import ReseauHiver, make
from routes.resultat import Solution
from territoires.calcul import Arret


def network_of(graph: GrapheCarp) -> tuple[ReseauHiver, Lieux]:
    """The instance's network, and its nodes as places, in order."""
    two = ~graph.one_way
    edge = np.arange(len(graph.ends), dtype=np.int32)
    tail = np.concatenate([graph.ends[:, 0], graph.ends[two, 1]])
    head = np.concatenate([graph.ends[:, 1], graph.ends[two, 0]])
    length = np.concatenate([graph.cost, graph.cost[two]])
    reseau = make(
        len(graph.labels), tail, head, length, length[None].astype(np.float32), edge=np.concatenate([edge, edge[two]])
    )
    registre = Registre(reseau)
    for node in range(reseau.nodes):
        registre.node(node)
    return reseau, registre.lieux()


def traces(graph: GrapheCarp, problem: Probleme, solution: Solution, xy: F64) -> list[Trace]:
    """What each truck drives, at the positions given."""
    reseau, lieux = network_of(graph)
    chemins = Chemins(states(reseau, 0, critere=Critere(0.0, 1.0)), lieux)

    def go(origin: int, target: int) -> list[tuple[int, int]]:
        arcs = chemins.way(origin, target)
        return list(zip(reseau.tail[arcs].tolist(), reseau.head[arcs].tolist(), strict=True))

    found = []
    for circuit in solution.circuits:
        pieces: list[tuple[int, int]] = []
        served: list[bool] = []
        here = int(problem.home[circuit.truck, 0])
        for visit in [*circuit.visits.tolist(), None]:
            if visit is None:
                start = end = int(problem.home[circuit.truck, 1])
            else:
                start, end = int(problem.start[visit // 2, visit % 2]), int(problem.end[visit // 2, visit % 2])
            way = go(here, start)
            pieces += way
            served += [False] * len(way)
            if visit is not None:
                pieces.append((start, end))
                served.append(True)
            here = end
        ends: NDArray[np.int64] = np.array(pieces, dtype=np.int64).reshape(-1, 2)
        found.append(Trace(xy[ends], np.array(served, dtype=np.bool_)))
    return found


def main() -> int:
    """Plan, check, draw. Returns 0, or 2 for an unknown instance."""
    analyse = argparse.ArgumentParser(prog="python -m benchmarks.carp_image", description=__doc__)
    analyse.add_argument("instance")
    analyse.add_argument("image", type=Path)
    analyse.add_argument("--limite", type=float, default=30.0, help="secondes de processeur")
    analyse.add_argument("--graine", type=int, default=1)
    analyse.add_argument("--moteur", default="limitrophe")
    args = analyse.parse_args()
    if args.instance in GRILLES:
        graph, homes = GRILLES[args.instance]()
    elif Path(args.instance).is_file():
        graph = read_graph(Path(args.instance))
        homes = np.repeat(graph.depots[:1], fleet_bound(graph))
    else:
        say(f"Erreur : instance inconnue : {args.instance}")
        return 2
    problem = problem_of(graph, homes)
    # Compiled code is built or loaded before the clock runs.
    solve(problem, Arret(iterations=1), args.graine, args.moteur)
    solution = solve(problem, ArretCPU(seconds=args.limite), args.graine, args.moteur)
    check(problem, solution)
    xy = graph.xy if graph.xy is not None else stress_layout(shortest_lengths(graph).astype(np.float64))
    needed = graph.demand > 0
    length = f"{solution.objectif.total:_.0f}".replace("_", " ")
    empty = f"{100 * solution.tournees.empty_share:.0f}"
    draw_plan(
        args.image,
        f"{graph.name} : {len(solution.circuits)} camions, {length} parcourus, {empty} % à vide",
        xy[graph.ends[needed]],
        traces(graph, problem, solution, xy),
        xy[graph.depots],
        optional=xy[graph.ends[~needed]],
        thin=len(graph.required) > 400,
    )
    say(f"{args.image.name} : {len(solution.circuits)} camions, {solution.objectif.total}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
