"""Command line of bin/demo, bin/test and bin/manage."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from bin.setup.checks import run_tests
from bin.setup.commands import run_manage
from bin.setup.demo import run_demo

ROOT = Path(__file__).resolve().parent.parent.parent


class FrenchParser(argparse.ArgumentParser):
    """argparse whose refusals are French."""

    def error(self, message: str) -> NoReturn:
        french = (
            message.replace("unrecognized arguments", "option inconnue")
            .replace("expected one argument", "il faut une valeur")
            .replace("argument ", "")
        )
        self.exit(2, f"{self.prog} : {french} (aide : {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """Options of bin/demo."""
    options = FrenchParser(
        prog="bin/demo",
        description="Prépare et sert la démonstration de Limitrophe (Loire et Haute-Loire).",
        add_help=False,
    )
    options.add_argument("-h", "--help", action="help", help="affiche cette aide")
    options.add_argument("--no-serve", action="store_true", help="s'arrêter après les études, sans servir le site")
    options.add_argument(
        "--osm",
        nargs="?",
        const="",
        metavar="FICHIER",
        help="routes réelles d'OpenStreetMap au lieu des routes générées (sans FICHIER : téléchargées)",
    )
    options.add_argument("--port", type=port_number, default=8000, help="premier port essayé (8000)")
    return options


def port_number(text: str) -> int:
    """A TCP port as typed. Raises argparse's error for anything else."""
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"« {text} » n'est pas un port (1 à 65535)")
    return int(text)


def main(words: list[str]) -> int:
    if words[:1] == ["test"]:
        return run_tests(ROOT, words[1:])
    if words[:1] == ["manage"]:
        return run_manage(ROOT, words[1:])
    options = parser().parse_args(words[1:])
    osm: list[str] | None = None
    if options.osm is not None:
        osm = []
        if options.osm:
            file = Path(options.osm).resolve()
            if not file.is_file():
                parser().error(f"le fichier {options.osm} n'existe pas")
            osm = [str(file)]
    return run_demo(ROOT, to_serve=not options.no_serve, port=options.port, osm=osm)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        # A bare system has no locale: accents must not stop anything.
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))
