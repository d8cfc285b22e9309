"""Winter service of Loire and Haute-Loire on their real main roads: each département alone, then both as one block.

``python -m benchmarks.carp_42_43 [DONNEES] [--limite S] [--graines N] [--image PNG] [--bloc 42|43|42+43]``

One JSON line a block and seed, then one with the gain of the common block over the sum of the two; assumptions are
those of `benchmarks.carp_loire.Hypotheses`, printed first. Each block is planned in a process of its own, whose peak
memory is given; ``--limite`` counts CPU seconds of the search. The common block begins with the plans of its members
put together: they are one of its own plans, so sharing can never look dearer than it is.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.carp_loire import MEMBRES, Hypotheses, Territoire, problem, read
from benchmarks.mesure import peak_mb, say
from routes import solveur
from routes.controle import check
from routes.controle_trajet import check_trajectory
from routes.preparation import Preparation
from routes.probleme import AUCUN, I32, Circuit
from routes.resultat import Solution
from routes.trajet import Trajet, expand
from territoires.calcul import Arret, ControleEchoue

BLOCS = (*((code,) for code in MEMBRES), MEMBRES)
LIMITE_S = 120.0


@dataclass(frozen=True)
class Sortie:
    """A truck's circuit in terms of the whole territory: depot and rank there, first road arc of each service (-1 -
    depot for a reload)."""

    depot: int
    rank: int
    visits: tuple[int, ...]


@dataclass(frozen=True)
class Demande:
    """One run: everything a child process needs."""

    donnees: Path
    block: tuple[str, ...]
    seed: int
    limit_s: float
    engine: str
    hypotheses: Hypotheses
    start: tuple[Sortie, ...] = ()


@dataclass(frozen=True)
class Reponse:
    """Its line, and the plan as it is driven on the roads of the file."""

    line: dict[str, object]
    trajets: tuple[Trajet, ...]
    sorties: tuple[Sortie, ...]


def plan_block(demande: Demande) -> Reponse:
    """Read, prepare, plan, check, expand."""
    from benchmarks.carp import ArretCPU, solve

    with contextlib.redirect_stdout(sys.stderr):
        debut = time.process_time()
        territoire = read(demande.donnees, demande.hypotheses)
        preparation = problem(territoire, demande.block, demande.hypotheses)
        prepared = time.process_time() - debut
        # Compiled code is built or loaded before the clock runs.
        solve(preparation.probleme, Arret(iterations=1), demande.seed, demande.engine)
        start = from_sorties(preparation, territoire, demande) if demande.start else None
        stop = ArretCPU(seconds=demande.limit_s)
        clock = time.monotonic()
        solution = solveur.solve(preparation.probleme, stop, demande.seed, engine=demande.engine, start=start)
        seconds, wall = stop.elapsed(), time.monotonic() - clock
        trajets = expand(preparation, solution)
        checked = _checked(preparation, solution, trajets)
    line: dict[str, object] = {
        "bench": "carp_42_43",
        "case": "+".join(demande.block),
        "seed": demande.seed,
        "limit_s": demande.limit_s,
        "seconds": round(seconds, 1),
        "wall_s": round(wall, 1),
        "preparation_s": round(prepared, 1),
        "cost": round(solution.objectif.total, 2),
        "bound": None if solution.bilan.bound is None else round(float(solution.bilan.bound), 2),
        "reference": None,
        "gap": None if solution.bilan.gap is None else round(solution.bilan.gap, 4),
        "checked": checked,
        "engine": demande.engine,
        **figures(preparation, solution),
        "exchanged_km": exchanged(territoire, demande, trajets),
        "peak_mb": peak_mb(),
    }
    return Reponse(line, trajets, to_sorties(preparation, territoire, demande, solution))


def depots_of(territoire: Territoire, block: tuple[str, ...]) -> I32:
    """Depots of a block, in the order of its problem."""
    members = [MEMBRES.index(code) for code in block]
    return np.flatnonzero(np.isin(territoire.depot_member, members)).astype(np.int32)


def first_arcs(preparation: Preparation) -> I32:
    """(n, 2) arc of the whole network that each item and mode begins with, AUCUN = none."""
    first = preparation.contraction.arcs[preparation.contraction.first[np.maximum(preparation.item_arc, 0)]]
    return np.where(preparation.item_arc == AUCUN, AUCUN, first).astype(np.int32)


def to_sorties(
    preparation: Preparation, territoire: Territoire, demande: Demande, solution: Solution
) -> tuple[Sortie, ...]:
    """A plan in terms of the whole territory."""
    depots, arcs = depots_of(territoire, demande.block), first_arcs(preparation)
    each = demande.hypotheses.trucks_per_depot
    sorties = []
    for circuit in solution.circuits:
        visits = tuple(
            int(arcs[v // 2, v % 2]) if v >= 0 else -1 - int(depots[preparation.point_depot[-1 - v]])
            for v in circuit.visits.tolist()
        )
        sorties.append(Sortie(int(depots[circuit.truck // each]), circuit.truck % each, visits))
    return tuple(sorties)


def from_sorties(preparation: Preparation, territoire: Territoire, demande: Demande) -> tuple[Circuit, ...]:
    """These circuits in the block's own numbers; roads that are no item of it are left to the search."""
    depots = {int(depot): k for k, depot in enumerate(depots_of(territoire, demande.block))}
    item = {int(arc): 2 * i + m for (i, m), arc in np.ndenumerate(first_arcs(preparation)) if arc != AUCUN}
    point = {int(depot): r for r, depot in reversed(list(enumerate(preparation.point_depot)))}
    circuits = []
    for sortie in demande.start:
        visits = [
            item[v] if v >= 0 else -1 - point[depots[-1 - v]] for v in sortie.visits if v < 0 or v in item
        ]  # fmt: skip
        truck = depots[sortie.depot] * demande.hypotheses.trucks_per_depot + sortie.rank
        circuits.append(Circuit(truck, np.array(visits, dtype=np.int32)))
    return tuple(circuits)


def figures(preparation: Preparation, solution: Solution) -> dict[str, object]:
    """What a road service reads: circuits (a truck's duty cut at its reloads), kilometres, lateness, money."""
    p, t = preparation.probleme, solution.tournees
    rounds = sum(_segments(c.visits) for c in solution.circuits)
    hours = t.duty_s / 3600.0
    return {
        "roads_km": round(float(p.length_m.sum()) / 1e3, 1),
        "items": p.n_items,
        "trucks": len(solution.circuits),
        "circuits": rounds,
        "driven_km": round(float(t.driven_m.sum()) / 1e3, 1),
        "treated_km": round(float(t.treated_m.sum()) / 1e3, 1),
        "empty_share": round(t.empty_share, 4),
        "untreated_km": [round(m / 1e3, 2) for m in solution.objectif.untreated_m],
        "late_min": [round(s / 60.0, 1) for s in solution.objectif.late_s],
        "salt_t": round(float(t.taken.sum()), 1),
        "duty_h": round(float(hours.sum()), 1),
        "longest_duty_h": round(float(hours.max(initial=0.0)), 2),
        "plan_euro": round(solution.objectif.cost_euro, 2),
    }


def exchanged(territoire: Territoire, demande: Demande, trajets: tuple[Trajet, ...]) -> dict[str, float]:
    """km of each member's roads that another member's trucks treat."""
    r = territoire.reseau
    members = [MEMBRES.index(code) for code in demande.block]
    homes = territoire.depot_member[np.isin(territoire.depot_member, members)]
    km = dict.fromkeys(demande.block, 0.0)
    for trajet in trajets:
        arcs = trajet.arc[trajet.served]
        owner = territoire.member[r.edge[arcs]]
        home = homes[trajet.truck // demande.hypotheses.trucks_per_depot]
        for member in set(owner[owner != home].tolist()):
            km[MEMBRES[member]] += float(r.length_m[arcs[owner == member]].sum()) / 1e3
    return {code: round(length, 1) for code, length in km.items()}


def _segments(visits: I32) -> int:
    """Circuits of one truck: what it treats between two loads."""
    served = np.split(visits, np.flatnonzero(visits < 0))
    return sum(bool(np.any(part >= 0)) for part in served)


def _checked(preparation: Preparation, solution: Solution, trajets: tuple[Trajet, ...]) -> bool:
    try:
        check(preparation.probleme, solution)
        check_trajectory(preparation, solution, trajets)
    except ControleEchoue as erreur:
        say(f"Contrôle refusé : {erreur}")
        return False
    return True


def gain(lines: list[dict[str, object]], limit_s: float) -> dict[str, object]:
    """The common block against the sum of the members alone: means over the seeds; positive = better together."""

    def mean(block: tuple[str, ...], nom: str) -> float:
        return statistics.fmean(float(str(line[nom])) for line in lines if line["case"] == "+".join(block))

    resultat: dict[str, object] = {"bench": "carp_42_43", "case": "gain", "limit_s": limit_s}
    for nom in ("cost", "plan_euro", "trucks", "circuits", "driven_km", "duty_h"):
        alone, together = sum(mean((code,), nom) for code in MEMBRES), mean(MEMBRES, nom)
        resultat[nom] = round(alone - together, 2)
        resultat[f"{nom}_percent"] = round(100 * (alone - together) / alone, 2) if alone else None
    treated = sum(mean((code,), "treated_km") for code in MEMBRES)
    driven = sum(mean((code,), "driven_km") for code in MEMBRES)
    empty_km = driven - treated - (mean(MEMBRES, "driven_km") - mean(MEMBRES, "treated_km"))
    resultat["empty_km"] = round(empty_km, 2)
    resultat["empty_km_percent"] = round(100 * empty_km / (driven - treated), 2) if driven > treated else None
    return resultat


def draw(demande: Demande, trajets: tuple[Trajet, ...], path: Path) -> None:
    """The plan of a block as a picture: each truck's treated roads in its colour, empty ways dashed."""
    from benchmarks.carp_dessin import Trace, draw_plan

    territoire: Territoire = read(demande.donnees, demande.hypotheses)
    reseau, xy = territoire.reseau, territoire.xy
    traces = [
        Trace(xy[np.column_stack([reseau.tail[t.arc[drives]], reseau.head[t.arc[drives]]])], t.served[drives])
        for t in trajets
        for drives in [t.arc >= 0]
    ]
    inside = np.isin(territoire.member, [MEMBRES.index(code) for code in demande.block])
    roads = np.flatnonzero(inside[reseau.edge])
    yards = territoire.depot_node[np.isin(territoire.depot_member, [MEMBRES.index(c) for c in demande.block])]
    draw_plan(
        path,
        f"Loire et Haute-Loire ensemble : {len(trajets)} camions"
        if len(demande.block) > 1
        else f"Département {demande.block[0]} : {len(trajets)} camions",
        xy[np.column_stack([reseau.tail[roads], reseau.head[roads]])],
        traces,
        xy[yards],
        limit=[np.asarray(line.coords) for line in territoire.limite.geoms],
        thin=True,
    )


def main() -> int:
    """Run the blocks. Returns 0, or 2 where the data are absent."""
    analyse = argparse.ArgumentParser(prog="python -m benchmarks.carp_42_43", description=__doc__)
    racine = Path(__file__).resolve().parent.parent
    analyse.add_argument("donnees", nargs="?", type=Path, default=racine.parent / "shared" / "data")
    analyse.add_argument("--limite", type=float, default=LIMITE_S, help="secondes de processeur par bloc")
    analyse.add_argument("--graines", type=int, default=1)
    analyse.add_argument("--image", type=Path, default=None, help="dessin du dernier bloc (PNG)")
    analyse.add_argument("--bloc", default=None, help="un seul bloc : 42, 43 ou 42+43")
    analyse.add_argument("--moteur", default="limitrophe")
    args = analyse.parse_args()
    if not (args.donnees / "routes").is_dir():
        say(f"Erreur : dossier de données absent : {args.donnees}")
        return 2
    blocks = [b for b in BLOCS if args.bloc is None or "+".join(b) == args.bloc]
    if not blocks or args.graines < 1 or not args.limite > 0:
        say("Erreur : --bloc inconnu, ou --graines et --limite qui ne sont pas positifs")
        return 2
    hypotheses = Hypotheses()
    print(json.dumps({"bench": "carp_42_43", "case": "assumptions", **asdict(hypotheses)}), flush=True)
    lines: list[dict[str, object]] = []
    alone: dict[str, tuple[Sortie, ...]] = {}
    for block in blocks:
        start = tuple(sortie for code in block for sortie in alone.get(code, ()))
        best: tuple[float, Demande, Reponse] | None = None
        for seed in range(1, args.graines + 1):
            demande = Demande(args.donnees, block, seed, args.limite, args.moteur, hypotheses, start)
            # A new process each time: its peak memory is that of one block.
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as enfant:
                reponse = enfant.submit(plan_block, demande).result()
            print(json.dumps(reponse.line, ensure_ascii=False), flush=True)
            lines.append(reponse.line)
            cost = float(str(reponse.line["cost"]))
            if best is None or cost < best[0]:
                best = (cost, demande, reponse)
        if best is not None and len(block) == 1:
            alone[block[0]] = best[2].sorties
        if args.image is not None and block == blocks[-1] and best is not None:
            draw(best[1], best[2].trajets, args.image)
    if len(blocks) == len(BLOCS):
        print(json.dumps(gain(lines, args.limite)), flush=True)
    return 0


if __name__ == "__main__":
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    sys.exit(main())
