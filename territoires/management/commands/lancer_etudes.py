"""Run here and now the studies that wait, without a worker."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from territoires.etudes import EtudeInvalide, demander_passage
from territoires.models import Etude, PassageEtude
from territoires.nombres import duree, euros
from territoires.passages import run_etude

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
            raise CommandError(f"{failed} étude(s) sans résultat sur {len(passages)}.")

    def _run(self, passage: PassageEtude) -> bool:
        with tqdm(
            total=100,
            desc=passage.etude.titre[:40],
            bar_format="{desc} |{bar}| {percentage:3.0f} % {postfix}",
            file=sys.stderr,
            disable=None,
        ) as bar:

            def tell(
                fraction: float | None,
                message: str,
                best: float | None = None,
                bound: float | None = None,
                solution: object | None = None,
            ) -> None:
                if fraction is not None:
                    bar.n = round(100 * fraction)
                bar.set_postfix_str(message[:60])

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
