"""``python -m benchmarks.sectorisation_image DIR SORTIE [--limite S]``: maps of the districts, before and after.

DIR is the layout of shared/data/districting (or one of its districts); ``--niveaux`` keeps the levels named, "" being
a district of one level. The real district's polygons are not published any more: each zone is drawn as
the cell of its approximate position (Voronoi), so neighbours on the picture are not always neighbours of the data.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import shapely

from benchmarks.carte_secteurs import draw
from benchmarks.mesure import say
from benchmarks.sectorisation_lecture import find, read_district
from collèges.controle import check
from collèges.probleme import Problem
from collèges.solveur import solve
from territoires.calcul import Arret
from territoires.nombres import nombre


def main(argv: Sequence[str] | None = None) -> int:
    """Solve and draw each level of the district."""
    analyse = argparse.ArgumentParser(prog="python -m benchmarks.sectorisation_image", description=__doc__)
    analyse.add_argument("dossier", metavar="DIR", type=Path)
    analyse.add_argument("sortie", metavar="SORTIE", type=Path)
    analyse.add_argument("--limite", type=float, default=60.0, help="secondes par carte")
    analyse.add_argument("--niveaux", nargs="*", default=["elem", "mid"])
    args = analyse.parse_args(argv)
    for district in find(args.dossier)[0]:
        if district.niveau not in args.niveaux:
            continue
        problem = read_district(district)
        solution = solve(problem, Arret(seconds=args.limite))
        check(problem, solution)
        avant, apres = solution.evaluation.cout - solution.evaluation.difference.cout, solution.evaluation.cout
        plans = [
            (f"Aujourd'hui : {nombre(avant)} minutes d'élève", problem.present),
            (
                f"Proposé : {nombre(apres)}, {solution.evaluation.difference.zones} zones changent",
                solution.plan.college,
            ),
        ]
        sortie = args.sortie / f"sectorisation-{district.nom.replace('_', '-')}.png"
        draw(problem, cast(Any, cells(problem)), plans, sortie)
        say(f"{sortie.name} : coût {apres:.1f}, borne {solution.bilan.bound}")
    return 0


def cells(problem: Problem) -> list[SimpleNamespace]:
    """Voronoi cell of each zone's position inside a margin around them all, km as metres."""
    points = shapely.MultiPoint(list(zip(problem.zone_x, problem.zone_y, strict=True)))
    contour = shapely.buffer(shapely.concave_hull(points, ratio=0.25), 1200.0)
    cellules = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=contour))
    arbre = shapely.STRtree(cellules)
    quelle = arbre.query_nearest(shapely.points(problem.zone_x, problem.zone_y), all_matches=False)[1]
    return [SimpleNamespace(polygone=shapely.intersection(cellules[k], contour)) for k in quelle]


if __name__ == "__main__":
    sys.exit(main())
