"""Layers of the shared map: catchments, times, gains, ways over the limit, centres; from stored results only.

Coordinates in EPSG:4326: 5 decimals (about a metre) for places, 4 for outlines, which are simplified.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from django.conf import settings
from django.contrib.gis.db.models.functions import AsGeoJSON, Transform
from django.db.models import F, FloatField, Func, Value
from scipy.spatial import cKDTree

from territoires.importation.geometrie import to_degrees
from territoires.models import Commune
from territoires.nombres import nombre
from territoires.operation import Couche

from . import regime
from .indicateurs import BANDES_MIN, GAIN_MIN
from .models import Dechetterie
from .resultat import Resultat

#: Metres within which outlines of communes are simplified for the map.
TOLERANCE_M = 100.0
#: Bounds of the gain layer, minutes.
SEUILS_GAIN = (1, GAIN_MIN, 10, 15)
SEUILS_VISITES = (500, 1_000, 2_500, 5_000)
NB_COULEURS = 12
#: Centres around one that must not have its colour.
VOISINS = 7


def layers(resultats: Sequence[Resultat]) -> list[Couche]:
    """Layers of one regime."""
    communes = regime.communes(resultats)
    centres = regime.centres(resultats)
    flux = regime.flows(resultats)
    fictif = any(centre.fictif for centre in centres.values())
    contours = outlines(communes)
    couleurs = colours([vue for vue in centres.values() if vue.ouvert])
    couches = [
        Couche(
            "bassins",
            "Bassins des déchetteries",
            [
                _feature(
                    contours[code],
                    vue.nom,
                    _commune_details(vue),
                    couleur=couleurs.get(vue.centre, 0),
                    categorie=vue.centre_nom,
                )
                for code, vue in communes.items()
                if code in contours and vue.centre
            ],
            fictif=fictif,
        ),
        Couche(
            "temps",
            "Temps vers la déchetterie (aller)",
            [
                _feature(contours[code], vue.nom, _commune_details(vue), valeur=round(vue.minutes, 1))
                for code, vue in communes.items()
                if code in contours and vue.minutes is not None
            ],
            style="valeur",
            seuils=BANDES_MIN,
            unite="min",
            fictif=fictif,
        ),
    ]
    gagnantes = {code: vue for code, vue in communes.items() if vue.gain is not None and vue.gain > 0.05}
    if gagnantes:
        couches.append(
            Couche(
                "gains",
                "Temps gagné (aller) à ne plus s'arrêter à la limite",
                [
                    _feature(contours[code], vue.nom, _commune_details(vue), valeur=round(vue.gain or 0.0, 1))
                    for code, vue in gagnantes.items()
                    if code in contours
                ],
                style="valeur",
                seuils=SEUILS_GAIN,
                unite="min",
                fictif=fictif,
            )
        )
    sans = [vue for code, vue in communes.items() if not vue.centre and vue.population > 0 and code in contours]
    if sans:
        couches.append(
            Couche(
                "sans_centre",
                "Communes sans déchetterie autorisée et joignable",
                [_feature(contours[vue.code], vue.nom, _commune_details(vue), couleur=0) for vue in sans],
                fictif=fictif,
            )
        )
    franchissants = [f for f in flux if f.franchit]
    if franchissants:
        lignes = _degrees([shapely.LineString([f.depart, f.arrivee]) for f in franchissants])
        couches.append(
            Couche(
                "franchissements",
                "Trajets qui franchissent la limite",
                [
                    _feature(
                        geometrie,
                        f"{f.commune_nom} vers {f.centre_nom}",
                        {"visites par an": nombre(f.visites), "minutes (aller)": nombre(f.minutes, 1)},
                        valeur=round(f.visites),
                    )
                    for geometrie, f in zip(lignes, franchissants, strict=True)
                ],
                style="valeur",
                seuils=SEUILS_VISITES,
                unite="visites par an",
                fictif=fictif,
            )
        )
    ouverts = [vue for vue in centres.values() if vue.ouvert]
    points = _degrees([shapely.Point(vue.x, vue.y) for vue in ouverts])
    couches.append(
        Couche(
            "centres",
            "Déchetteries et leur charge",
            [
                _feature(geometrie, vue.nom, _centre_details(vue), couleur=couleurs.get(vue.code, 0), fictif=vue.fictif)
                for geometrie, vue in zip(points, ouverts, strict=True)
            ],
            fictif=fictif,
        )
    )
    return couches


def colours(centres: Sequence[regime.CentreVue]) -> dict[str, int]:
    """A colour for each centre, by code, such that neighbours differ: the least used by none of the nearest ones."""
    if not centres:
        return {}
    lieux = np.array([(vue.x, vue.y) for vue in centres])
    _, voisins = cKDTree(lieux).query(lieux, k=min(VOISINS + 1, len(centres)))
    voisins = voisins.reshape(len(centres), -1)
    proches: list[set[int]] = [set() for _ in centres]
    for k, rangs in enumerate(voisins.tolist()):
        for j in rangs:
            proches[k].add(j)
            proches[j].add(k)
    choisies: list[int] = []
    for k in range(len(centres)):
        prises = {choisies[j] for j in proches[k] if j < k}
        choisies.append(next((c for c in range(NB_COULEURS) if c not in prises), k % NB_COULEURS))
    return {vue.code: couleur for vue, couleur in zip(centres, choisies, strict=True)}


def sites() -> list[Couche]:
    """Every déchetterie as it is today, for the shared map."""
    couches = []
    lignes = list(Dechetterie.objects.select_related("proprietaire").defer("proprietaire__geom"))
    for fictif, titre in ((False, "Déchetteries"), (True, "Déchetteries (fictif)")):
        choix = [d for d in lignes if d.fictif == fictif]
        if not choix:
            continue
        proprietaires = sorted({d.proprietaire.code for d in choix})
        points = _degrees([shapely.Point(d.geom.x, d.geom.y) for d in choix])
        couches.append(
            Couche(
                "dechetteries_fictives" if fictif else "dechetteries",
                titre,
                [
                    _feature(
                        geometrie,
                        str(d),
                        _site_details(d),
                        couleur=proprietaires.index(d.proprietaire.code) % NB_COULEURS,
                        fictif=d.fictif,
                    )
                    for geometrie, d in zip(points, choix, strict=True)
                ],
                fictif=fictif,
            )
        )
    return couches


def outlines(codes: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Outlines of communes (EPSG:4326, simplified), by code. One query."""
    simple = Func(F("geom"), Value(TOLERANCE_M, output_field=FloatField()), function="ST_SimplifyPreserveTopology")
    simple.output_field = Commune._meta.get_field("geom")
    lignes = (
        Commune.objects.filter(code__in=list(codes), geom__isnull=False)
        .annotate(json=AsGeoJSON(Transform(simple, 4326), precision=4))
        .values_list("code", "json")
    )
    return {code: json.loads(texte) for code, texte in lignes}


def _degrees(geoms: Sequence[shapely.Geometry]) -> list[dict[str, Any]]:
    """Geometries of EPSG:2154 as GeoJSON."""
    if not geoms:
        return []
    degres = to_degrees(np.array(geoms, dtype=object), settings.SRID)
    return [json.loads(texte) for texte in shapely.to_geojson(shapely.set_precision(degres, 1e-5))]


def _feature(geometrie: Mapping[str, Any], nom: str, details: Mapping[str, Any], **proprietes: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": geometrie,
        "properties": {"nom": nom, "details": dict(details), "fictif": False, **proprietes},
    }


def _commune_details(vue: regime.CommuneVue) -> dict[str, Any]:
    details = {
        "habitants": nombre(vue.population),
        "EPCI": vue.epci_nom or "aucun",
        "déchetterie": vue.centre_nom or "aucune",
        "minutes (aller)": "—" if vue.minutes is None else nombre(vue.minutes, 1),
    }
    if vue.gain is not None and abs(vue.gain) > 0.05:
        details["minutes gagnées (aller)"] = nombre(vue.gain, 1)
    return details


def _centre_details(vue: regime.CentreVue) -> dict[str, Any]:
    details = {"propriétaire": vue.proprietaire_nom, "visites par an": nombre(vue.visites)}
    if vue.capacite is not None:
        details["capacité (visites par an)"] = nombre(vue.capacite)
    if vue.charge is not None:
        details["charge (% de la capacité)"] = nombre(100 * vue.charge)
    details["dont visites de voisins"] = nombre(vue.voisins)
    return details


def _site_details(d: Dechetterie) -> dict[str, Any]:
    details = {"propriétaire": d.proprietaire.nom, "état": "ouverte" if d.active else "fermée"}
    if d.capacite_visites_an is not None:
        details["capacité (visites par an)"] = nombre(d.capacite_visites_an)
    if d.capacite_t_an is not None:
        details["capacité (t par an)"] = nombre(d.capacite_t_an)
    if d.horaires:
        details["horaires"] = d.horaires
    if d.dechets:
        details["déchets acceptés"] = ", ".join(d.dechets)
    if d.hypothese:
        details["emplacement"] = "supposé (hypothèse)"
    return details
