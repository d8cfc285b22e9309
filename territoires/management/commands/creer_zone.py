"""A zone limitrophe from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from territoires.models import Collectivite, ZoneLimitrophe
from territoires.rapport import DonneesRefusees
from territoires.zones import DemandeZone, create_zone


class Command(BaseCommand):
    help = "Crée (ou recalcule) une zone limitrophe entre 2 à 12 collectivités."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collectivites", nargs="+", metavar="CODE", help="codes des collectivités, ex. 42 43")
        parser.add_argument("--nom", required=True, help="nom de la zone")
        parser.add_argument("--code", default="", help="code de la zone (sinon tiré du nom)")
        parser.add_argument(
            "--type", default="", choices=["", *Collectivite.Type.values], help="type des collectivités, si besoin"
        )
        choix = parser.add_mutually_exclusive_group(required=True)
        choix.add_argument("--distance", type=float, metavar="KM", help="communes à moins de KM km de la limite")
        choix.add_argument("--temps", type=float, metavar="MIN", help="à moins de MIN minutes d'un point de passage")
        choix.add_argument("--communes", nargs="+", metavar="INSEE", help="communes choisies")
        choix.add_argument("--entiere", action="store_true", help="toutes les communes des collectivités")
        parser.add_argument("--reseau", default="", help="code du réseau routier de la zone")

    def handle(self, *args: Any, **options: Any) -> None:
        mode, distance_m, temps_s = ZoneLimitrophe.Mode.ENTIERE, None, None
        if options["distance"] is not None:
            mode, distance_m = ZoneLimitrophe.Mode.DISTANCE, options["distance"] * 1000
        elif options["temps"] is not None:
            mode, temps_s = ZoneLimitrophe.Mode.TEMPS, options["temps"] * 60
        elif options["communes"]:
            mode = ZoneLimitrophe.Mode.LISTE
        try:
            zone, selection = create_zone(
                DemandeZone(
                    nom=options["nom"],
                    code=options["code"],
                    type=options["type"],
                    mode=mode,
                    collectivites=options["collectivites"],
                    distance_m=distance_m,
                    temps_s=temps_s,
                    communes=options["communes"] or (),
                    reseau=options["reseau"],
                )
            )
        except DonneesRefusees as error:
            raise CommandError(f"Zone refusée, rien n'a été écrit.\n{error}") from error
        for remarque in selection.remarques:
            self.stderr.write(f"Avertissement : {remarque}")
        comptes = " + ".join(f"{n} ({code})" for code, n in sorted(selection.by_collectivite().items()))
        self.stdout.write(f"Zone « {zone} » ({zone.code}) : {len(selection.communes)} communes : {comptes}.")
