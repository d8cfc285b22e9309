"""Run here and now the studies that wait, without a worker."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from territoires.etudes import EtudeInvalide, demander_passage
from territoires.management.barre import solving_bar
from territoires.models import Etude, PassageEtude
from territoires.nombres import duree, euros
from territoires.passages import run_etude
from territoires.rapport import accord

#: Seconds between two looks at lots that workers have.
ATTENTE_S = 1.0


class Command(BaseCommand):
    """``lancer_etudes``: pending runs; ``lancer_etudes 3 5``: a run of these studies first where none waits."""

    help = "Calcule ici et maintenant les études en attente."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "etudes", nargs="*", type=int, metavar="ÉTUDE", help="Numéros d'études ; toutes par défaut."
        )
        parser.add_argument(
            "--nouvelles",
            action="store_true",
            help="Demande aussi un passage pour les études qui n'en ont encore aucun.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        numbers: list[int] = options["etudes"]
        missing = set(numbers) - set(Etude.objects.filter(pk__in=numbers).values_list("pk", flat=True))
        if missing:
            raise CommandError(f"Étude inconnue : {', '.join(map(str, sorted(missing)))}.")
        asked = Etude.objects.filter(pk__in=numbers)
        if options["nouvelles"]:
            asked = asked.union(Etude.objects.filter(passages__isnull=True))
        for etude in asked:
            try:
                demander_passage(etude, enfile=False)
            except EtudeInvalide as error:
                if not etude.passages.exclude(etat__in=PassageEtude.FINALS).exists():
                    raise CommandError(f"{etude} : {error}") from error
        waiting = PassageEtude.objects.exclude(etat__in=PassageEtude.FINALS).select_related("etude").order_by("pk")
        if numbers:
            waiting = waiting.filter(etude__in=numbers)
        passages = list(waiting)
        if not passages:
            self.stdout.write("Aucune étude en attente.")
            return
        failed = sum(not self._run(passage) for passage in passages)
        if failed:
            raise CommandError(f"{accord(failed, 'étude')} sans résultat sur {len(passages)}.")

    def _run(self, passage: PassageEtude) -> bool:
        with solving_bar(passage.etude.titre) as tell:
            run_etude(passage, tell)
            # Workers have some of its lots: wait for them, and take up what they may leave.
            while not passage.termine:
                time.sleep(ATTENTE_S)
                run_etude(passage, tell)
        if passage.etat == PassageEtude.Etat.REUSSI:
            couts = passage.synthese["couts"]
            self.stdout.write(
                f"{passage.etude} : terminée en {duree(passage.duree_s or 0)}, "
                f"{euros(float(couts['mutualise']))} par an en partageant, "
                f"{euros(float(couts['cloisonne']))} chacun de son côté."
            )
            return True
        self.stderr.write(f"{passage.etude} : {passage.get_etat_display()}. {passage.message}")
        return False
