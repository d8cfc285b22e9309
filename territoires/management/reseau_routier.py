"""What the commands that import road networks share: options, areas that cut, progress bars, report."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.text import slugify
from tqdm import tqdm

from geodata.decoupe import Aire
from geodata.erreurs import ImportImpossible
from geodata.graphe_cache import prepare_ordre
from geodata.importation import Decoupeur, Progres, Source, import_network
from geodata.models import ImportReseau
from territoires.decoupage import decoupage, decoupage_touching
from territoires.nombres import avec_unite, nombre
from territoires.rapport import DonneesRefusees

_UNITES = {"Lecture": " voies", "Découpage": "", "Écriture": " lignes"}


def add_network_arguments(parser: ArgumentParser) -> None:
    """Options of every import of a network."""
    parser.add_argument("--reseau", metavar="CODE", help="code du réseau (par défaut : le nom du fichier)")
    parser.add_argument("--nom", default="", help="nom du réseau affiché")
    groupe = parser.add_mutually_exclusive_group()
    groupe.add_argument(
        "--decoupage",
        nargs="+",
        metavar="CODE",
        help="codes des collectivités qui découpent le réseau (par défaut : toutes celles de la base qu'il touche)",
    )
    groupe.add_argument("--sans-decoupage", action="store_true", help="n'utiliser aucune limite")


def cutter(options: dict[str, Any]) -> Decoupeur | Sequence[Aire]:
    """Areas told by the options, or a function that finds those a network touches. Raises `CommandError`."""
    if options["sans_decoupage"]:
        return ()
    if not options["decoupage"]:
        return decoupage_touching
    try:
        return decoupage(options["decoupage"])
    except DonneesRefusees as erreur:
        raise CommandError(f"Import refusé, rien n'a été écrit.\n{erreur}") from erreur


def network_code(options: dict[str, Any], fichiers: Sequence[Path]) -> str:
    """Code told, or made from the first file's name without its extensions."""
    return options["reseau"] or slugify(fichiers[0].name.split(".")[0])[:50] or "reseau"


@contextmanager
def progress_bars(verbosity: int) -> Iterator[Progres]:
    """One bar (standard error) for each step."""
    barres: dict[str, tqdm[Any]] = {}

    def avance(etape: str, fait: int, total: int | None) -> None:
        if etape not in barres:
            for precedente in barres.values():
                precedente.close()
            barres[etape] = tqdm(
                desc=etape, total=total, unit=_UNITES.get(etape, ""), disable=verbosity < 1 or None, leave=True
            )
        barres[etape].update(fait)

    try:
        yield avance
    finally:
        for barre in barres.values():
            barre.close()


def run_import(
    commande: BaseCommand,
    code: str,
    source: Source,
    options: dict[str, Any],
    attribution: str = "",
    licence: str = "",
) -> ImportReseau:
    """Import with bars and report; an import that cannot be done is a `CommandError`."""
    try:
        with progress_bars(options["verbosity"]) as progres:
            importation = import_network(
                code,
                source,
                cutter(options),
                nom=options["nom"],
                attribution=attribution,
                licence=licence,
                progres=progres,
            )
    except ImportImpossible as erreur:
        raise CommandError(f"Import refusé, le réseau « {code} » n'a pas changé.\n{erreur}") from erreur
    report(commande, importation, options)
    if importation.etat == ImportReseau.Etat.REUSSI:
        # Here rather than at the first question: a page must not wait for it.
        commande.stdout.write("  Préparation des temps de parcours…")
        prepare_ordre(importation.pk)
    return importation


def report(commande: BaseCommand, importation: ImportReseau, options: dict[str, Any]) -> None:
    """What was imported, by what, and what was left out."""
    if importation.etat == ImportReseau.Etat.INCHANGE:
        commande.stdout.write(
            f"Réseau « {importation.reseau.code} » inchangé : mêmes fichiers, mêmes réglages, même découpage."
        )
        return
    edition = f" du {importation.edition}" if importation.edition else ""
    decoupage_dit = ", ".join(importation.decoupage) or "aucun"
    commande.stdout.write(
        f"Réseau « {importation.reseau.code} » : {importation.fichier}{edition}, découpage : {decoupage_dit},"
        f" {avec_unite(importation.duree_s or 0.0, 's', 1)}."
    )
    if not importation.decoupage and not options["sans_decoupage"]:
        commande.stderr.write(
            "Avertissement : ces routes ne touchent aucune collectivité de la base : aucun point de passage connu."
            " Vérifiez leur projection (longitude, puis latitude), ou lancez d'abord importer_territoire."
        )
    for titre, comptes in (("Lu", importation.lus), ("Laissé de côté", importation.omis)):
        if comptes:
            commande.stdout.write(f"{titre} :")
        for quoi, compte in comptes.items():
            commande.stdout.write(f"  {quoi} : {nombre(compte)}")
