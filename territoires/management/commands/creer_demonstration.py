"""The demonstration: real communes, fictive roads and services, accounts and studies ready to be run."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from geodata.erreurs import ImportImpossible
from geodata.models import ImportReseau, Reseau
from territoires.creation_demonstration import (
    RESEAU,
    RESEAU_OSM,
    Compte,
    Dessin,
    check_osm,
    create_accounts,
    create_services,
    create_studies,
    create_zones,
    departements,
    draw_network,
    import_osm,
    network_name,
    territory_is_there,
    zone_to_download,
)
from territoires.etudes import EtudeInvalide
from territoires.management.reseau_routier import progress_bars
from territoires.models import Etude, Utilisateur
from territoires.nombres import duree
from territoires.rapport import DonneesRefusees

#: The départements shown, and what --osm alone means: download.
DEPARTEMENTS = ("42", "43")
TELECHARGER = Path()


class Command(BaseCommand):
    """Idempotent: what is already there is left as it is, so that a second call ends at once."""

    help = (
        "Crée la démonstration : communes réelles, routes et déchetteries fictives, comptes, études à calculer "
        "(puis : lancer_etudes)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--osm",
            nargs="?",
            type=Path,
            const=TELECHARGER,
            metavar="FICHIER",
            help="routes réelles d'un extrait OpenStreetMap au lieu de routes fictives (sans fichier : téléchargées)",
        )
        parser.add_argument(
            "--departements",
            nargs="+",
            default=DEPARTEMENTS,
            metavar="CODE",
            help="départements voisins à montrer (par défaut : Loire et Haute-Loire)",
        )
        parser.add_argument(
            "--comptes",
            type=Path,
            default=settings.BASE_DIR / ".local" / "comptes-demonstration.txt",
            metavar="FICHIER",
            help="où garder les mots de passe des comptes de démonstration",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        codes: Sequence[str] = list(dict.fromkeys(options["departements"]))
        if len(codes) < 2:
            raise CommandError("La démonstration réunit au moins deux départements voisins.")
        try:
            self._territory(codes, options)
            reseau = self._roads(codes, options)
            zones = create_zones(codes, reseau)
            for titre, nombre in create_services(zones[0]).items():
                self.stdout.write(f"{titre} : {nombre} sites fictifs.")
            comptes = create_accounts(departements(codes), options["comptes"])
            auteur = Utilisateur.objects.filter(username=comptes[0].identifiant).first()
            etudes = create_studies(zones, auteur)
        except (DonneesRefusees, ImportImpossible, EtudeInvalide) as error:
            raise CommandError(f"La démonstration n'est pas complète.\n{error}") from error
        self._report(etudes, comptes, options["comptes"], time.monotonic() - started)

    def _territory(self, codes: Sequence[str], options: dict[str, Any]) -> None:
        if territory_is_there(codes):
            return
        self.stdout.write(f"Communes, EPCI et départements {', '.join(codes)}…")
        call_command(
            "importer_territoire", *codes, stdout=self.stdout, stderr=self.stderr, verbosity=options["verbosity"]
        )

    def _roads(self, codes: Sequence[str], options: dict[str, Any]) -> str:
        """Code of the network that the zones are to use."""
        osm: Path | None = options["osm"]
        if osm is None:
            with _drawing_bar(options["verbosity"]) as dessin, progress_bars(options["verbosity"]) as progres:
                importation = draw_network(codes, dessin, progres)
            self._say_import(importation)
            return RESEAU
        if osm == TELECHARGER:
            self._download(codes, options)
        else:
            with progress_bars(options["verbosity"]) as progres:
                self._say_import(import_osm(codes, osm, progres))
        return RESEAU_OSM

    def _download(self, codes: Sequence[str], options: dict[str, Any]) -> None:
        """Roads of the zone through Overpass, unless they have already been downloaded."""
        if Reseau.objects.filter(code=RESEAU_OSM, import_courant__isnull=False).exists():
            self.stdout.write("Routes OpenStreetMap déjà téléchargées (telecharger_osm pour les mettre à jour).")
        else:
            call_command(
                "telecharger_osm",
                *("--zone", zone_to_download(codes).code, "--reseau", RESEAU_OSM),
                *("--nom", network_name(codes), "--decoupage", *codes),
                stdout=self.stdout,
                stderr=self.stderr,
                verbosity=options["verbosity"],
            )
        check_osm(codes, "Routes téléchargées")

    def _say_import(self, importation: ImportReseau | None) -> None:
        if importation is None or importation.etat == ImportReseau.Etat.INCHANGE:
            self.stdout.write("Réseau routier : déjà en place.")
            return
        lus = importation.lus
        self.stdout.write(
            f"{importation.reseau.nom} : {lus['tronçons']} tronçons, {lus['nœuds']} nœuds, "
            f"{lus.get('points de passage', 0)} points de passage ({duree(importation.duree_s or 0)})."
        )

    def _report(self, etudes: Sequence[Etude], comptes: Sequence[Compte], fichier: Path, seconds: float) -> None:
        for etude in etudes:
            self.stdout.write(f"Étude {etude.pk} : {etude.titre}.")
        self.stdout.write("Comptes de démonstration (à ne pas garder sur un vrai service) :")
        width = max(len(c.identifiant) for c in comptes)
        for compte in comptes:
            self.stdout.write(f"  {compte.identifiant.ljust(width)}  {compte.mot_de_passe}  {compte.role}")
        self.stdout.write(f"Gardés dans {fichier}. Démonstration prête en {duree(seconds)}.")


@contextmanager
def _drawing_bar(verbosity: int) -> Iterator[Dessin]:
    """A bar that appears with the first step of the drawing."""
    bar: list[tqdm[Any]] = []

    def tell(fraction: float, message: str) -> None:
        if not bar:
            bar.append(
                tqdm(
                    total=100,
                    bar_format="{desc} |{bar}| {percentage:3.0f} %",
                    disable=verbosity < 1 or None,
                    leave=True,
                )
            )
        bar[0].set_description_str(message, refresh=False)
        bar[0].update(round(100 * fraction) - bar[0].n)
        if fraction >= 1:
            bar[0].close()

    try:
        yield tell
    finally:
        for one in bar:
            one.close()
