"""Where centres stand when no list of them is known: OpenStreetMap, or the towns (marked « hypothèse »)."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import osmium
import shapely
from django.db import transaction
from django.db.models import Q
from osmium.osm import Area, Node

from territoires.demonstration.numeros import de
from territoires.importation.geometrie import outside_2154, project
from territoires.models import Commune, ZoneLimitrophe
from territoires.rapport import DonneesRefusees, Rapport

from .importation import Bilan, CentreLu, Origine, check_centres, write_centres
from .localisation import communes_of
from .models import Dechetterie

SOURCE_OSM = "OpenStreetMap"
LICENCE_OSM = "ODbL 1.0"
PREFIXE_HYPOTHESE = "HYP-"
#: OSM tag ``recycling:KEY=yes`` -> how the waste is said.
DECHETS_OSM = {
    "batteries": "piles", "cans": "métaux", "cardboard": "cartons", "clothes": "textiles",
    "electrical_appliances": "appareils électriques", "electrical_items": "appareils électriques", "glass": "verre",
    "glass_bottles": "verre", "green_waste": "végétaux", "hazardous_waste": "produits dangereux", "paper": "papiers",
    "plastic": "plastiques", "plastic_bottles": "plastiques", "plastic_packaging": "plastiques", "rubble": "gravats",
    "scrap_metal": "métaux", "tyres": "pneus", "waste_oil": "huiles", "wood": "bois", "bulky_waste": "encombrants",
}  # fmt: skip


def read_osm(path: Path, rapport: Rapport) -> list[CentreLu]:
    """Recycling centres (``amenity=recycling`` and ``recycling_type=centre``, nodes and areas) of an OSM file.

    An area stands at a point inside it. The owner is the EPCI of the commune, or its collectivité where it has none.
    Those outside every commune known are told and left out. Raises `DonneesRefusees` where the file cannot be read.
    """
    trouves: list[tuple[str, dict[str, str], shapely.Point]] = []
    usine = osmium.geom.WKBFactory()
    filtre = osmium.filter.TagFilter(("recycling_type", "centre"))
    try:
        for objet in osmium.FileProcessor(str(path)).with_areas(filtre).with_filter(filtre):
            if objet.tags.get("amenity") != "recycling":
                continue
            tags = dict(objet.tags)
            if isinstance(objet, Node):
                trouves.append((f"OSM-n{objet.id}", tags, shapely.Point(objet.lon, objet.lat)))
            elif isinstance(objet, Area) and objet.num_rings()[0]:
                contour = shapely.from_wkb(bytes.fromhex(usine.create_multipolygon(objet)))
                genre = "w" if objet.from_way() else "r"
                trouves.append((f"OSM-{genre}{objet.orig_id()}", tags, contour.representative_point()))
    except (RuntimeError, OSError) as error:
        raise DonneesRefusees(f"{path.name} : fichier OpenStreetMap absent, vide ou abîmé ({error}).") from error
    trouves.sort(key=lambda t: t[0])
    degres = np.array([point for *_, point in trouves], dtype=object)
    if len(degres) and outside_2154(degres).any():
        raise DonneesRefusees(f"{path.name} : des centres sont hors du domaine de Lambert-93 (EPSG:2154).")
    metres = project(degres, 4326) if len(degres) else degres
    ici = communes_of(np.array([p.x for p in metres], dtype=float), np.array([p.y for p in metres], dtype=float))
    centres = []
    for (code, tags, _), point, commune in zip(trouves, metres, ici, strict=True):
        if commune is None:
            rapport.warn("centre hors de toute commune connue, laissé de côté.", champ="position", valeur=code)
            continue
        centres.append(
            CentreLu(
                code=code,
                nom=(tags.get("name") or f"Déchetterie {de(commune.nom)}")[:200],
                proprietaire=commune.autorite,
                x=point.x,
                y=point.y,
                adresse=", ".join(
                    t
                    for t in (
                        f"{tags.get('addr:housenumber', '')} {tags.get('addr:street', '')}".strip(),
                        f"{tags.get('addr:postcode', '')} {tags.get('addr:city', '')}".strip(),
                    )
                    if t
                )[:300],
                horaires=tags.get("opening_hours", ""),
                dechets=sorted(
                    {
                        DECHETS_OSM[cle.removeprefix("recycling:")]
                        for cle, valeur in tags.items()
                        if valeur == "yes"
                        and cle.removeprefix("recycling:") in DECHETS_OSM
                        and cle.startswith("recycling:")
                    }
                ),
            )
        )
    return centres


def import_osm(path: Path) -> tuple[Bilan, Rapport]:
    """Recycling centres of an OSM file into the database. Raises `DonneesRefusees`."""
    rapport = Rapport(path.name)
    centres = read_osm(path, rapport)
    check_centres(centres, rapport)
    rapport.raise_if_errors()
    return write_centres(centres, Origine(source=SOURCE_OSM, edition=path.name, licence=LICENCE_OSM)), rapport


@transaction.atomic
def place_in_towns(zone: ZoneLimitrophe, nombre: int) -> Bilan:
    """One centre at the mairie of the ``nombre`` most populated communes of each EPCI of the zone (ties: first code).

    The whole EPCI counts, not only what lies in the zone. A commune without EPCI counts for its collectivité. The
    centres are marked « hypothèse »; those a former rule put in these EPCI go. Raises `DonneesRefusees` where no
    commune has a mairie.
    """
    if nombre < 1:
        raise DonneesRefusees("le nombre de centres par EPCI doit être d'au moins 1.")
    ici = list(Commune.objects.filter(zones=zone, active=True).values_list("epci", "departement"))
    membres = Q(epci__in={epci for epci, _ in ici if epci is not None})
    membres |= Q(epci=None, departement__in={departement for epci, departement in ici if epci is None})
    communes = (
        Commune.objects.filter(membres, active=True, mairie__isnull=False)
        .order_by("code")
        .values_list("code", "nom", "population", "mairie", "epci_id", "departement_id")
    )
    par_autorite: dict[int, list[tuple[int, str, str, float, float]]] = defaultdict(list)
    for code, nom, population, mairie, epci, departement in communes:
        cle = departement if epci is None else epci
        par_autorite[cle].append((-(population or 0), code, nom, mairie.x, mairie.y))
    if not par_autorite:
        raise DonneesRefusees(f"aucune commune de la zone « {zone.nom} » n'a de mairie connue.")
    centres = [
        CentreLu(f"{PREFIXE_HYPOTHESE}{code}", f"Déchetterie {de(nom)}", autorite, x, y, hypothese=True)
        for autorite, lieux in sorted(par_autorite.items())
        for _, code, nom, x, y in sorted(lieux)[:nombre]
    ]
    gardes = [c.code for c in centres]
    retires, _ = (
        Dechetterie.objects.filter(hypothese=True, code__startswith=PREFIXE_HYPOTHESE, proprietaire__in=par_autorite)
        .exclude(code__in=gardes)
        .delete()
    )
    regle = f"Hypothèse : mairies des {nombre} communes les plus peuplées de chaque EPCI"
    bilan = write_centres(centres, Origine(source=regle))
    return Bilan(bilan.crees, bilan.mis_a_jour, bilan.conserves, retires)
