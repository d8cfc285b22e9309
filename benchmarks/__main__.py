"""``python -m benchmarks NAME [DIR] [--limite S] [--graines N] [--reference CSV]``: one JSON line a case.

Each bench is a module with ``run(args) -> Iterator[dict]``. Standard output carries the JSON lines and nothing else;
progress and errors go to standard error.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.mesure import results_apart

#: Name of a bench -> its module.
BANCS = {
    "temps": "benchmarks.temps",
    "import": "benchmarks.importation",
    "tuiles": "benchmarks.tuiles",
    "carp": "benchmarks.carp",
    "localisation": "benchmarks.localisation",
    "sectorisation": "benchmarks.sectorisation",
}

#: One core, the peers' libraries too; read when they are loaded.
_FILS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one bench. Returns 0, or 2 with a sentence on standard error when it cannot run."""
    analyse = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    analyse.add_argument("nom", metavar="NAME", help=", ".join(BANCS))
    analyse.add_argument("dossier", metavar="DIR", nargs="?", type=Path, help="dossier de données")
    analyse.add_argument("--limite", type=float, default=None, help="secondes par cas")
    analyse.add_argument("--graines", type=int, default=1, help="nombre de graines")
    analyse.add_argument("--reference", type=Path, default=None, help="table des valeurs connues (CSV)")
    analyse.add_argument("--moteur", default=None, help="autre moteur que celui de l'application (carp : pyvrp)")
    analyse.add_argument("--motif", default=None, help="cas dont le nom ou le jeu suit ce motif (carp : 'grille*')")
    analyse.add_argument("--plans", type=Path, default=None, help="dossier où écrire les plans (carp)")
    args = analyse.parse_args(argv)
    module = BANCS.get(args.nom)
    if module is None:
        return _refuse(f"banc inconnu : « {args.nom} » (possibles : {', '.join(BANCS)})")
    if args.dossier is not None and not args.dossier.is_dir():
        return _refuse(f"dossier absent : {args.dossier}")
    if args.reference is not None and not args.reference.is_file():
        return _refuse(f"table de référence absente : {args.reference}")
    if args.graines < 1 or (args.limite is not None and not args.limite > 0):
        return _refuse("--graines et --limite doivent être positifs")
    if importlib.util.find_spec(module) is None:
        return _refuse(f"le banc « {args.nom} » n'existe pas encore : son opération reste à construire")
    sortie = sys.stdout
    # Whatever a library prints must not get between the lines of the results.
    with contextlib.redirect_stdout(sys.stderr):
        for cas in importlib.import_module(module).run(args):
            print(json.dumps(cas, ensure_ascii=False), file=sortie, flush=True)
    return 0


def _refuse(phrase: str) -> int:
    print(f"Erreur : {phrase}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    os.environ.update(dict.fromkeys(_FILS, "1"))
    results_apart()
    sys.exit(main())
