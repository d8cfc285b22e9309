"""From files to the comparison: territory, roads, déchetteries, study, tables in the terminal."""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.text import slugify

from déchetteries import compte_rendu, importation, importation_annexe, placement
from déchetteries.importation import Bilan
from déchetteries.operation import OPERATION
from territoires.etudes import EtudeInvalide, creer_etude, demander_passage
from territoires.importation import osm
from territoires.management.barre import solving_bar
from territoires.models import Collectivite, Commune, Etude, PassageEtude, ZoneLimitrophe
from territoires.passages import run_etude
from territoires.rapport import DonneesRefusees, Rapport, accord
from territoires.resultats import Resultats
from territoires.tableur import normalise, read_table
from territoires.zones import DemandeZone, create_zone


class Command(BaseCommand):
    help = (
        "Étudie l'ouverture des déchetteries de part et d'autre d'une limite : importe ce qu'on lui donne (territoire, "
        "routes, déchetteries), calcule les deux régimes et imprime la comparaison."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        territoire = parser.add_argument_group("territoire (sinon : ce qui est déjà dans la base)")
        territoire.add_argument("--departements", nargs="+", metavar="CODE", help="départements de France, ex. 42 43")
        territoire.add_argument(
            "--osm", type=Path, metavar="FICHIER", help="communes, routes et centres d'un extrait OSM"
        )
        territoire.add_argument(
            "--niveaux", default="6,8", metavar="N,M", help="admin_level des collectivités et communes"
        )
        territoire.add_argument(
            "--population", type=Path, metavar="FICHIER", help="colonnes commune (code ou nom), population"
        )
        territoire.add_argument(
            "--points", type=Path, metavar="FICHIER", help="points de population (carreaux INSEE...)"
        )
        routes = parser.add_argument_group("routes")
        routes.add_argument(
            "--routes", type=Path, metavar="FICHIER", help="couche de routes (GeoPackage, Shapefile, CSV)"
        )
        routes.add_argument("--couche", help="couche à lire dans le fichier de routes")
        routes.add_argument("--colonnes", nargs="+", default=[], metavar="NOTRE=LEUR", help="voir importer_routes")
        routes.add_argument("--reseau", default="", metavar="CODE", help="réseau routier de la base, ou code à donner")
        centres = parser.add_argument_group("déchetteries (sinon : celles de la base)")
        choix = centres.add_mutually_exclusive_group()
        choix.add_argument("--centres", type=Path, metavar="FICHIER", help="CSV, classeur, GeoJSON ou GeoPackage")
        choix.add_argument(
            "--centres-osm", type=Path, metavar="FICHIER", help="centres d'un extrait OSM (par défaut avec --osm)"
        )
        choix.add_argument(
            "--centres-dans-les-villes",
            type=int,
            metavar="N",
            help="hypothèse : un centre à la mairie des N communes les plus peuplées de chaque EPCI",
        )
        centres.add_argument(
            "--regles", type=Path, metavar="FICHIER", help="règles d'accès (centre, collectivite, autorise)"
        )
        etude = parser.add_argument_group("étude")
        etude.add_argument("--zone", default="", metavar="CODE", help="zone de la base (sinon créée)")
        etude.add_argument("--collectivites", nargs="+", metavar="CODE", help="collectivités comparées")
        etude.add_argument(
            "--partage",
            nargs="+",
            metavar="A,B",
            help="groupes qui partagent, codes séparés par des virgules (par défaut : toutes ensemble), ex. 42,43 69",
        )
        etude.add_argument(
            "--distance", type=float, metavar="KM", help="seulement les communes à moins de KM km de la limite"
        )
        etude.add_argument(
            "--temps", type=float, metavar="MIN", help="... à moins de MIN minutes d'un point de passage"
        )
        etude.add_argument("--titre", default="", help="titre de l'étude")
        etude.add_argument("--parametre", nargs="+", default=[], metavar="NOM=VALEUR", help="paramètres de l'étude")
        etude.add_argument("--modifications", type=Path, metavar="FICHIER", help="une modification à essayer par ligne")
        etude.add_argument("--graine", type=int, default=1)
        etude.add_argument("--limite", type=float, default=120.0, metavar="S", help="secondes de calcul par bloc (120)")
        etude.add_argument("--exports", type=Path, metavar="DOSSIER", help="y écrire classeur, CSV et GeoPackage")

    def handle(self, *args: Any, **options: Any) -> None:
        for nom in ("osm", "population", "points", "routes", "centres", "centres_osm", "regles", "modifications"):
            if options[nom] is not None and not options[nom].is_file():
                raise CommandError(f"--{nom.replace('_', '-')} : fichier introuvable : {options[nom]}")
        try:
            codes = self._territory(options)
            reseau = self._roads(options, codes)
            zone = self._zone(options, codes, reseau)
            self._inhabitants(options)
            self._centres(options, zone, reseau)
            etude = self._study(options, zone, codes)
        except DonneesRefusees as error:
            raise CommandError(f"Données refusées.\n{error}") from error
        except EtudeInvalide as error:
            raise CommandError(f"Étude refusée : {error}") from error
        self._run(etude, options)

    def _territory(self, options: dict[str, Any]) -> list[str]:
        """Import the territory asked; codes of the collectivités compared."""
        codes: list[str] = options["collectivites"] or []
        if options["osm"]:
            try:
                collectivite, commune = (int(n) for n in options["niveaux"].split(","))
            except ValueError as error:
                raise CommandError(
                    "--niveaux : deux entiers séparés par une virgule sont attendus, ex. 6,8."
                ) from error
            self._step("Territoire")
            call_command(
                "importer_territoire",
                osm=str(options["osm"]),
                niveau_collectivite=collectivite,
                niveau_commune=commune,
                verbosity=options["verbosity"],
                stdout=self.stdout,
                stderr=self.stderr,
            )
            if not codes:
                codes = sorted(c.code for c in osm.read(options["osm"], collectivite, commune).collectivites)
        elif options["departements"]:
            self._step("Territoire")
            call_command(
                "importer_territoire",
                *options["departements"],
                verbosity=options["verbosity"],
                stdout=self.stdout,
                stderr=self.stderr,
            )
            codes = codes or options["departements"]
        if options["zone"] and not codes:
            zone = self._existing_zone(options["zone"])
            codes = list(zone.collectivites.order_by("code").values_list("code", flat=True))
        if len(codes) < 2:
            raise CommandError(
                "Il faut au moins deux collectivités : --departements, --osm, --zone ou --collectivites."
            )
        return codes

    def _roads(self, options: dict[str, Any], codes: Sequence[str]) -> str:
        """Import the roads given; code of the network."""
        commun = {
            "verbosity": options["verbosity"],
            "stdout": self.stdout,
            "stderr": self.stderr,
            "reseau": options["reseau"] or None,
        }
        if options["routes"]:
            self._step("Routes")
            voulu = {"couche": options["couche"], "colonnes": options["colonnes"]}
            call_command("importer_routes", options["routes"], **voulu, **commun)
            return options["reseau"] or slugify(options["routes"].name.split(".")[0])[:50]
        if options["osm"]:
            self._step("Routes")
            call_command("importer_osm", options["osm"], **commun)
            return options["reseau"] or slugify(options["osm"].name.split(".")[0])[:50]
        return str(options["reseau"])

    def _zone(self, options: dict[str, Any], codes: Sequence[str], reseau: str) -> ZoneLimitrophe:
        if options["zone"]:
            return self._existing_zone(options["zone"])
        if not reseau:
            raise CommandError("Quel réseau routier ? --routes FICHIER, --osm FICHIER, --reseau CODE ou --zone CODE.")
        mode = "distance" if options["distance"] else "temps" if options["temps"] else "entiere"
        nom = " / ".join(
            dict(Collectivite.objects.filter(code__in=codes).order_by("-type").values_list("code", "nom")).get(
                code, code
            )
            for code in codes
        )
        suffixe = {"distance": f" à {options['distance']} km", "temps": f" à {options['temps']} min"}.get(mode, "")
        suffixe = suffixe.replace(".0 ", " ").replace(".", ",")
        zone, selection = create_zone(
            DemandeZone(
                nom=_shorten(f"{nom}{suffixe}", 200),
                code=_zone_code(codes, suffixe),
                mode=mode,
                collectivites=codes,
                distance_m=options["distance"] * 1000 if options["distance"] else None,
                temps_s=options["temps"] * 60 if options["temps"] else None,
                reseau=reseau,
            )
        )
        for remarque in selection.remarques:
            self.stderr.write(f"Avertissement : {remarque}")
        comptes = ", ".join(f"{n} en {code}" for code, n in sorted(selection.by_collectivite().items()))
        self.stdout.write(f"Zone « {zone} » : {len(selection.communes)} communes ({comptes}).")
        return zone

    def _existing_zone(self, code: str) -> ZoneLimitrophe:
        zone: ZoneLimitrophe | None = ZoneLimitrophe.objects.filter(code=code).first()
        if zone is None:
            raise CommandError(f"Zone inconnue : {code}.")
        return zone

    def _inhabitants(self, options: dict[str, Any]) -> None:
        if options["population"]:
            self._step("Population")
            n = import_population(options["population"])
            self.stdout.write(f"{accord(n, 'commune renseignée', 'communes renseignées')}.")
        if options["points"]:
            self._step("Points de population")
            bilan, _ = importation_annexe.import_points(options["points"])
            self.stdout.write(
                f"{accord(bilan.crees, 'point de population importé', 'points de population importés')}, "
                f"{accord(bilan.retires, 'remplacé', 'remplacés')}."
            )

    def _centres(self, options: dict[str, Any], zone: ZoneLimitrophe, reseau: str) -> None:
        self._step("Déchetteries")
        if options["centres"]:
            bilan, rapport = importation.import_centres(options["centres"], reseau=reseau)
            self._warn(rapport)
            self.stdout.write(f"{_written(bilan, 'déchetterie créée', 'déchetteries créées')}.")
        elif options["centres_dans_les_villes"] is not None:
            bilan = placement.place_in_towns(zone, options["centres_dans_les_villes"])
            self.stdout.write(
                f"HYPOTHÈSE : {bilan.crees + bilan.mis_a_jour} déchetteries placées à la mairie des "
                f"{options['centres_dans_les_villes']} communes les plus peuplées de chaque EPCI."
            )
        elif options["centres_osm"] or options["osm"]:
            bilan, rapport = placement.import_osm(options["centres_osm"] or options["osm"])
            self._warn(rapport)
            self.stdout.write(
                f"{accord(bilan.crees, 'centre d’OpenStreetMap créé', 'centres d’OpenStreetMap créés')}, "
                f"{bilan.mis_a_jour} mis à jour (amenity=recycling, recycling_type=centre)."
            )
        if options["regles"]:
            bilan, rapport = importation_annexe.import_rules(options["regles"])
            self._warn(rapport)
            self.stdout.write(f"{_written(bilan, 'règle d’accès créée', 'règles d’accès créées')}.")

    def _warn(self, rapport: Rapport) -> None:
        for constat in rapport.warnings:
            self.stderr.write(f"Avertissement : {constat}")

    def _study(self, options: dict[str, Any], zone: ZoneLimitrophe, codes: Sequence[str]) -> Etude:
        """The study asked, a new row each time."""
        parametres: dict[str, Any] = {}
        for paire in options["parametre"]:
            nom, egal, valeur = paire.partition("=")
            if not egal:
                raise CommandError(f"--parametre : « {paire} » devrait être de la forme nom=valeur.")
            parametres[nom] = {"oui": True, "non": False}.get(valeur, valeur)
        if options["points"]:
            parametres.setdefault("points", "fins")
        if options["modifications"]:
            parametres["modifications"] = options["modifications"].read_text(encoding="utf-8")
        types = set(zone.collectivites.values_list("type", flat=True))
        membres = list(Collectivite.objects.filter(code__in=codes, type__in=types))
        titre = options["titre"] or _shorten(f"Déchetteries : {zone.nom}", 200)
        with transaction.atomic():
            return creer_etude(
                titre,
                OPERATION.code,
                zone,
                membres,
                partition=_partition(options["partage"], codes),
                parametres=parametres,
            )

    def _run(self, etude: Etude, options: dict[str, Any]) -> None:
        self._step("Calcul")
        passage = demander_passage(etude, graine=options["graine"], limite_s=options["limite"], enfile=False)
        with solving_bar("Calcul", shown=options["verbosity"] > 0) as tell:
            run_etude(passage, tell)
        if passage.etat != PassageEtude.Etat.REUSSI:
            raise CommandError(f"L'étude n'a pas donné de résultat : {passage.message}")
        self.stdout.write(compte_rendu.report(passage))
        if options["exports"]:
            self._exports(passage, options["exports"])
        self.stdout.write(f"\nÉtude n° {etude.pk} enregistrée, passage n° {passage.pk}.")

    def _exports(self, passage: PassageEtude, dossier: Path) -> None:
        dossier.mkdir(parents=True, exist_ok=True)
        resultats = Resultats(passage).avec_solutions()
        for offre in OPERATION.exports():
            (dossier / offre.nom_fichier).write_bytes(OPERATION.export(offre.code, passage.etude, resultats))
            self.stdout.write(f"Écrit : {dossier / offre.nom_fichier}")

    def _step(self, titre: str) -> None:
        if self.verbosity > 0:
            self.stderr.write(f"── {titre}")

    def execute(self, *args: Any, **options: Any) -> Any:
        self.verbosity = options["verbosity"]
        return super().execute(*args, **options)


def _written(bilan: Bilan, un: str, plusieurs: str) -> str:
    return f"{accord(bilan.crees, un, plusieurs)}, {accord(bilan.mis_a_jour, 'mise à jour', 'mises à jour')}"


def _shorten(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _zone_code(codes: Sequence[str], suffixe: str) -> str:
    """Code of the study's zone: the same for the same collectivités, however many they are (50 characters at most)."""
    code = slugify(f"dechetteries-{'-'.join(codes)}{suffixe}")
    if len(code) <= 50:
        return code
    return f"{code[:41].rstrip('-')}-{hashlib.sha256(code.encode()).hexdigest()[:8]}"


def _partition(partage: Sequence[str] | None, codes: Sequence[str]) -> list[list[str]] | None:
    """Groups as written; collectivités named in none stay alone. None = all together."""
    if not partage:
        return None
    groupes = [[code.strip() for code in groupe.split(",") if code.strip()] for groupe in partage]
    nommes = {code for groupe in groupes for code in groupe}
    return groupes + [[code] for code in codes if code not in nommes]


@transaction.atomic
def import_population(path: Path) -> int:
    """Inhabitants by commune (code or name) from a file; kept at later imports as corrected by hand.

    Returns the number of communes. Raises `DonneesRefusees`.
    """
    rapport = Rapport(path.name)
    tableau = read_table(path, rapport)
    cle = ("commune", "code", "code_insee", "insee", "nom")
    tableau.require(cle, ("population", "habitants"))
    rapport.raise_if_errors()
    communes = list(Commune.objects.filter(active=True).defer("geom"))
    par_cle: dict[str, list[Commune]] = {}
    for commune in communes:
        par_cle.setdefault(commune.code, []).append(commune)
        par_cle.setdefault(normalise(commune.nom), []).append(commune)
    changees: dict[int, Commune] = {}
    for ligne in tableau.lignes:
        dit = ligne.text(*cle, required=True)
        habitants = ligne.integer("population", "habitants", required=True, minimum=0)
        trouvees = (par_cle.get(dit) or par_cle.get(normalise(dit)) or []) if dit else []
        if dit and len(trouvees) != 1:
            ligne.error("commune inconnue." if not trouvees else "plusieurs communes portent ce nom.", "commune", dit)
            continue
        if habitants is not None and trouvees:
            commune = trouvees[0]
            commune.population = habitants
            commune.champs_manuels = sorted({*commune.champs_manuels, "population"})
            changees[commune.pk] = commune
    rapport.raise_if_errors()
    Commune.objects.bulk_update(changees.values(), ["population", "champs_manuels"])
    return len(changees)
