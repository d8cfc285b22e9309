"""Roads of a zone or of départements, downloaded from Overpass and imported."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

import pyproj
import shapely
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from geodata.erreurs import ImportImpossible
from geodata.importation import ATTRIBUTION_OSM, LICENCE_OSM, osm_source
from geodata.telechargement import download
from territoires.decoupage import decoupage
from territoires.importation.ecriture import to_shapely
from territoires.management.reseau_routier import add_network_arguments, run_import
from territoires.models import ZoneLimitrophe
from territoires.rapport import DonneesRefusees

#: Simplification of the outline asked for (m): a request of thousands of points is refused.
SIMPLIFICATION_M = 200.0


class Command(BaseCommand):
    help = "Télécharge d'un serveur Overpass les routes d'une zone limitrophe ou de départements, et les importe."

    def add_arguments(self, parser: ArgumentParser) -> None:
        lieu = parser.add_mutually_exclusive_group(required=True)
        lieu.add_argument("--zone", metavar="CODE", help="code d'une zone limitrophe")
        lieu.add_argument("--departements", nargs="+", metavar="CODE", help="codes de départements de la base")
        parser.add_argument("--marge", type=float, default=5.0, metavar="KM", help="autour du lieu (5 km par défaut)")
        parser.add_argument("--fichier", type=Path, help="où écrire l'extrait (.osm.pbf)")
        parser.add_argument("--serveur", default=settings.OVERPASS_URL, help="adresse du serveur Overpass")
        parser.add_argument("--sans-attente", action="store_true", help="serveur à soi : ne pas demander son tour")
        parser.add_argument("--sans-import", action="store_true", help="écrire le fichier seulement")
        add_network_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        lieu, contour = _place(options)
        fichier: Path = options["fichier"] or (
            settings.BASE_DIR / ".local" / "osm" / f"{lieu}-{date.today().isoformat()}.osm.pbf"
        )
        self.stderr.write(f"Téléchargement depuis {options['serveur']}…")
        try:
            comptes = download(
                _asked(contour, options["marge"]),
                fichier,
                options["serveur"],
                attendre=not options["sans_attente"],
                dire=self.stderr.write,
            )
        except ImportImpossible as erreur:
            raise CommandError(f"Téléchargement impossible, rien n'a changé.\n{erreur}") from erreur
        self.stdout.write(f"{fichier} : {comptes['voies']} voies, {comptes['nœuds']} nœuds.")
        if not options["sans_import"]:
            code = options["reseau"] or f"osm-{lieu}"[:50]
            run_import(self, code, osm_source([fichier]), options, ATTRIBUTION_OSM, LICENCE_OSM)


def _place(options: dict[str, Any]) -> tuple[str, shapely.Geometry]:
    """Name and outline (EPSG:2154) of what to download."""
    if options["zone"]:
        zone = ZoneLimitrophe.objects.filter(code=options["zone"]).first()
        if zone is None:
            connues = ", ".join(ZoneLimitrophe.objects.order_by("code").values_list("code", flat=True)) or "aucune"
            raise CommandError(f"Zone limitrophe « {options['zone']} » inconnue. Zones de la base : {connues}.")
        if zone.contour is None:
            raise CommandError(f"La zone « {zone.code} » n'a pas de contour : elle n'a encore aucune commune.")
        return zone.code, to_shapely(zone.contour)
    try:
        aires = decoupage(options["departements"])
    except DonneesRefusees as erreur:
        raise CommandError(str(erreur)) from erreur
    return "-".join(code for code, _ in aires), shapely.union_all([contour for _, contour in aires])


def _asked(contour: shapely.Geometry, marge_km: float) -> shapely.Polygon | shapely.MultiPolygon:
    """Outline with its margin in EPSG:4326; simplified outwards, so that nothing of the place is left out."""
    large = contour.buffer(marge_km * 1000 + SIMPLIFICATION_M).simplify(SIMPLIFICATION_M)
    vers_degres = pyproj.Transformer.from_crs(settings.SRID, 4326, always_xy=True)
    return shapely.transform(large, vers_degres.transform, interleaved=False)
