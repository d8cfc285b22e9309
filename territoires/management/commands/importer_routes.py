"""Road network from any layer of lines."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from geodata.importation import lines_source
from geodata.vocabulaires import COLONNES_CONNUES
from territoires.management.reseau_routier import add_network_arguments, network_code, run_import


class Command(BaseCommand):
    help = (
        "Importe les routes d'une couche de lignes (BD TOPO, ROUTE 500, GeoPackage, Shapefile, CSV avec WKT),"
        " découpées aux limites. Les colonnes de ces bases sont reconnues ; les autres se disent avec --colonnes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("fichier", type=Path, metavar="FICHIER")
        parser.add_argument("--couche", help="couche à lire (par défaut : la seule qui soit faite de lignes)")
        parser.add_argument(
            "--colonnes",
            nargs="+",
            default=[],
            metavar="NOTRE=LEUR",
            help=f"par exemple ref=NUMERO classe=CL_ADMIN sens=SENS ; possibles : {', '.join(COLONNES_CONNUES)} ;"
            " rien après « = » : ne pas utiliser",
        )
        parser.add_argument("--srid", type=int, metavar="CODE", help="projection EPSG, si le fichier ne la dit pas")
        parser.add_argument("--attribution", default="", help="mention de la source, affichée avec la carte")
        parser.add_argument("--licence", default="", help="licence des données")
        add_network_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        fichier: Path = options["fichier"]
        source = lines_source(fichier, options["couche"], _mapping(options["colonnes"]), options["srid"])
        code = network_code(options, [fichier])
        run_import(self, code, source, options, options["attribution"], options["licence"])


def _mapping(paires: list[str]) -> dict[str, str]:
    mapping = {}
    for paire in paires:
        notre, egal, leur = paire.partition("=")
        if not egal or not notre:
            raise CommandError(f"--colonnes : « {paire} » devrait être de la forme notre=leur, par exemple ref=NUMERO.")
        mapping[notre] = leur
    return mapping
