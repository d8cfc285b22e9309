"""Déchetteries, access rules or points of population from files."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from déchetteries import importation, importation_annexe, placement
from déchetteries.importation import Bilan, Origine
from territoires.rapport import DonneesRefusees, Rapport, accord


class Command(BaseCommand):
    help = (
        "Importe des déchetteries (CSV, classeur, GeoJSON, GeoPackage, OpenStreetMap), leurs règles d'accès ou des "
        "points de population. Tout est écrit, ou rien ; chaque ligne refusée est nommée."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("fichier", type=Path, metavar="FICHIER")
        genre = parser.add_mutually_exclusive_group()
        genre.add_argument("--osm", action="store_true", help="extrait OpenStreetMap : centres de recyclage")
        genre.add_argument(
            "--regles", action="store_true", help="règles d'accès : colonnes centre, collectivite, autorise"
        )
        genre.add_argument("--points", action="store_true", help="points de population : population et position")
        parser.add_argument("--couche", help="couche ou feuille à lire")
        parser.add_argument(
            "--srid", type=int, metavar="CODE", help="système de coordonnées, si le fichier ne le dit pas"
        )
        parser.add_argument(
            "--reseau", default="", metavar="CODE", help="refuse les sites loin de toute route de ce réseau"
        )
        parser.add_argument(
            "--route-max",
            type=float,
            default=importation.ROUTE_MAX_M,
            metavar="M",
            help="distance à la route au-delà de laquelle un site est refusé (5000 m)",
        )
        parser.add_argument("--source", default="", help="source à inscrire (sinon le nom du fichier)")
        parser.add_argument("--edition", default="", help="date ou édition à inscrire")
        parser.add_argument("--licence", default="", help="licence à inscrire")

    def handle(self, *args: Any, **options: Any) -> None:
        fichier: Path = options["fichier"]
        if not fichier.is_file():
            raise CommandError(f"Fichier introuvable : {fichier}")
        try:
            bilan, rapport = self._import(fichier, options)
        except DonneesRefusees as error:
            raise CommandError(f"Import refusé, rien n'a été écrit.\n{error}") from error
        for constat in rapport.warnings:
            self.stderr.write(f"Avertissement : {constat}")
        morceaux = [
            accord(bilan.crees, "ligne créée", "lignes créées"),
            accord(bilan.mis_a_jour, "mise à jour", "mises à jour"),
        ]
        if bilan.conserves:
            morceaux.append(
                accord(bilan.conserves, "valeur corrigée à la main conservée", "valeurs corrigées à la main conservées")
            )
        if bilan.retires:
            morceaux.append(accord(bilan.retires, "remplacée", "remplacées"))
        self.stdout.write(f"{', '.join(morceaux)}.")

    def _import(self, fichier: Path, options: dict[str, Any]) -> tuple[Bilan, Rapport]:
        origine = Origine(options["source"] or fichier.name, options["edition"], options["licence"])
        if options["osm"]:
            return placement.import_osm(fichier)
        if options["regles"]:
            return importation_annexe.import_rules(fichier, source=options["source"])
        if options["points"]:
            return importation_annexe.import_points(
                fichier, couche=options["couche"], srid=options["srid"], origine=origine
            )
        return importation.import_centres(
            fichier,
            couche=options["couche"],
            srid=options["srid"],
            reseau=options["reseau"],
            route_max_m=options["route_max"],
            origine=origine,
        )
