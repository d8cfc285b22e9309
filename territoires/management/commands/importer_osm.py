"""Road network from OpenStreetMap files."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from geodata.importation import ATTRIBUTION_OSM, LICENCE_OSM, osm_source
from territoires.management.reseau_routier import add_network_arguments, network_code, run_import


class Command(BaseCommand):
    help = "Importe les routes d'extraits OpenStreetMap (.osm.pbf, .osm, .osm.gz, .osm.bz2), découpées aux limites."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("fichiers", nargs="+", type=Path, metavar="FICHIER", help="extraits réunis en un réseau")
        add_network_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        fichiers: list[Path] = options["fichiers"]
        code = network_code(options, fichiers)
        run_import(self, code, osm_source(fichiers), options, ATTRIBUTION_OSM, LICENCE_OSM)
