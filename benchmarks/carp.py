"""Winter service: the search on published arc routing instances, real salting cases and generated grids.

``python -m benchmarks carp [DIR] [--limite S] [--graines N] [--reference CSV] [--moteur pyvrp] [--motif GLOB]
[--plans FOLDER]``

Cases: every .dat of DIR (its folders are the sets), every salting case (.json), and the generated grids
(``grille-1000``, ``grille-3000``) where ``--motif`` names them. ``--limite`` counts CPU seconds of this process, one
core, so that a loaded machine measures the same; compiled code is loaded before the first case; a plan that reaches
the proven bound of the table ends the run. ``--plans`` keeps each plan: salting cases in their published form
(``<name>_solution.json``, the shortest of the seeds), the others as circuits.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from benchmarks.carp_grilles import GRILLES, make_grid
from benchmarks.carp_lecture import GrapheCarp, fleet_bound, problem_of, read_graph
from benchmarks.carp_salage import CasSalage, open_dead_ends, plan_of, read_case, salting_problem
from benchmarks.carp_validation import validate
from benchmarks.mesure import peak_mb, say
from routes import solveur
from routes.controle import check
from routes.probleme import Probleme, ProblemeInvalide
from routes.resultat import Solution
from territoires.calcul import Arret, ControleEchoue

TABLE = "best_known.csv"
LIMITE_S = 30.0
MOTEUR = "limitrophe"


@dataclass(frozen=True)
class ArretCPU(Arret):
    """A stop whose clock is the CPU time of this process (all its threads)."""

    started: float = field(default_factory=time.process_time)

    def elapsed(self) -> float:
        """CPU seconds since the object was made."""
        return time.process_time() - self.started


@dataclass(frozen=True)
class Cas:
    """One case of the bench. ``path`` None = generated."""

    name: str
    group: str
    path: Path | None


@dataclass(frozen=True)
class Connu:
    """What is known of an instance: best cost, proven bound."""

    cost: float
    bound: float | None


def run(args: argparse.Namespace) -> Iterator[dict[str, object]]:
    """One line a case and seed."""
    engine = args.moteur or MOTEUR
    known = _known(args.reference, args.dossier)
    cases = _cases(args.dossier, args.motif)
    if not cases:
        say("Aucun cas : donner DIR (fichiers .dat ou .json) ou --motif 'grille*'")
        return
    if args.plans is not None:
        args.plans.mkdir(parents=True, exist_ok=True)
    _warm_up(engine)
    lines: list[tuple[str, dict[str, object]]] = []
    for case in cases:
        try:
            source, problem = _load(case)
        except ProblemeInvalide as erreur:
            say(f"{case.name} : laissé de côté, {erreur}")
            continue
        reference = known.get(case.name)
        best = math.inf
        for seed in range(1, args.graines + 1):
            stop = ArretCPU(seconds=args.limite or LIMITE_S, target=None if reference is None else reference.bound)
            solution = solve(problem, stop, seed, engine)
            line = _line(case, problem, solution, reference, stop, engine)
            if isinstance(source, CasSalage):
                line |= _judged(case, source, solution)
            if args.plans is not None:
                _write(args.plans, case, source, solution, seed, best)
            best = min(best, solution.objectif.total)
            lines.append((case.group, line))
            yield line
    _summary(lines)


def _line(
    case: Cas, problem: Probleme, solution: Solution, reference: Connu | None, stop: ArretCPU, engine: str
) -> dict[str, object]:
    seconds, cost, bound = stop.elapsed(), solution.objectif.total, solution.bilan.bound
    return {
        "bench": "carp",
        "case": case.name,
        "seed": solution.bilan.seed,
        "limit_s": stop.seconds,
        "seconds": round(seconds, 3),
        "cost": round(cost, 3),
        "bound": None if bound is None else round(float(bound), 3),
        "reference": None if reference is None else reference.cost,
        "gap": _gap(cost, reference, solution),
        "checked": _checked(problem, solution),
        "engine": engine,
        "set": case.group,
        "items": problem.n_items,
        "left_out": len(solution.left_out),
        "trucks": len(solution.circuits),
        "feasible_s": _first_whole(problem, solution),
        "peak_mb": peak_mb(),
    }


def solve(problem: Probleme, stop: Arret, seed: int, engine: str = MOTEUR) -> Solution:
    """One run of one engine."""
    return solveur.solve(problem, stop, seed, engine=engine)


def _first_whole(problem: Probleme, solution: Solution) -> float | None:
    """Seconds until the first plan told that surely leaves nothing out: it cost less than any single item left out."""
    least = float(problem.skip_cost().min(initial=math.inf))
    return next((round(point.seconds, 3) for point in solution.bilan.trace if point.cost < least), None)


def _checked(problem: Probleme, solution: Solution) -> bool:
    try:
        check(problem, solution)
    except ControleEchoue as erreur:
        say(f"Contrôle refusé : {erreur}")
        return False
    return True


def _gap(cost: float, reference: Connu | None, solution: Solution) -> float | None:
    if reference is not None:
        return round(cost / reference.cost - 1, 6)
    bound = solution.bilan.bound
    return None if bound is None or bound <= 0 else round(cost / float(bound) - 1, 6)


def _judged(case: Cas, source: CasSalage, solution: Solution) -> dict[str, object]:
    """What the rules of the salting format say of the plan, from its published form."""
    assert case.path is not None
    verdict = validate(json.loads(case.path.read_text(encoding="utf-8")), plan_of(source, solution.circuits))
    for fault in verdict.faults[:5]:
        say(f"{case.name} : {fault}")
    return {"length": round(verdict.length, 6), "minutes": round(verdict.minutes, 3), "valid": verdict.feasible}


def _known(table: Path | None, folder: Path | None) -> dict[str, Connu]:
    """Best known values by instance, from the table given or found in the folder or beside it."""
    if table is None and folder is not None:
        table = next((p for p in (folder / TABLE, folder.parent / TABLE) if p.is_file()), None)
    if table is None:
        return {}
    with table.open(encoding="utf-8", newline="") as lignes:
        return {
            row["instance"]: Connu(
                float(row["best_known"]), float(row["lower_bound"]) if row.get("lower_bound") else None
            )
            for row in csv.DictReader(lignes)
            if row.get("best_known")
        }


def _cases(folder: Path | None, pattern: str | None) -> list[Cas]:
    cases = []
    if folder is not None:
        files = sorted(folder.rglob("*"), key=lambda p: (p.parent.name, _natural(p)))
        cases = [Cas(p.stem, p.parent.name, p) for p in files if p.suffix.lower() == ".dat" or _is_salting(p)]
    if pattern is None:
        return cases
    # Grids take minutes: they run when they are asked for.
    cases += [Cas(name, "grille", None) for name in GRILLES]
    return [case for case in cases if fnmatch(case.name, pattern) or fnmatch(case.group, pattern)]


def _natural(path: Path) -> list[tuple[int, str]]:
    """gdb2 before gdb10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.stem)]


def _is_salting(path: Path) -> bool:
    """A case, and not a plan or another kind of file."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return isinstance(fields, dict) and {"A_R", "E_R", "vehicles", "depots"} <= fields.keys()


def _load(case: Cas) -> tuple[CasSalage | GrapheCarp, Probleme]:
    """What the case was read from, and its problem."""
    if case.path is None:
        graph, homes = GRILLES[case.name]()
        return graph, problem_of(graph, homes)
    if case.path.suffix.lower() == ".json":
        source, opened = open_dead_ends(read_case(case.path))
        if opened:
            say(f"{case.name} : sans demi-tour en {', '.join(opened)}, des routes ne peuvent être salées ; permis ici")
        return source, salting_problem(source)
    graph = read_graph(case.path)
    return graph, problem_of(graph, graph.depots[:1].repeat(fleet_bound(graph)))


def _warm_up(engine: str) -> None:
    """Compiled code, loaded or built before anything is timed."""
    graph, homes = make_grid(columns=4, rows=4, required=12, depots=1, trucks=4, slack=1.5, seed=0)
    solve(problem_of(graph, homes), Arret(iterations=200), 1, engine)


def _write(folder: Path, case: Cas, source: CasSalage | GrapheCarp, solution: Solution, seed: int, best: float) -> None:
    """Keep the plan: each seed's circuits, or in the published form the shortest plan of all seeds."""
    if isinstance(source, CasSalage):
        if solution.objectif.total >= best:
            return
        path, plan = folder / f"{case.name}_solution.json", plan_of(source, solution.circuits)
    else:
        path = folder / f"{case.name}-{seed}.json"
        plan = [{"truck": c.truck, "visits": c.visits.tolist()} for c in solution.circuits]
    path.write_text(json.dumps(plan, ensure_ascii=False), encoding="utf-8")


def _summary(lines: list[tuple[str, dict[str, object]]]) -> None:
    """Mean and worst gap by set, on standard error."""
    for group in dict.fromkeys(group for group, _ in lines):
        mine = [line for g, line in lines if g == group]
        gaps = [float(str(line["gap"])) for line in mine if line["gap"] is not None]
        refused = sum(not line["checked"] for line in mine)
        text = f"{group or '.'} : {len(mine)} passages"
        if gaps:
            worst = max(mine, key=lambda line: -1.0 if line["gap"] is None else float(str(line["gap"])))
            text += f", écart moyen {100 * sum(gaps) / len(gaps):.3f} %, pire {100 * max(gaps):.3f} % ({worst['case']})"
        print(text + (f", {refused} refusés au contrôle" if refused else ""), file=sys.stderr, flush=True)
