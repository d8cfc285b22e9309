"""Tables under the map: the same as each of its layers, in words and figures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from django.contrib.gis.db.models import Extent
from django.contrib.gis.db.models.functions import Area, Transform
from django.db import connection
from django.db.models import Count, F, Prefetch, Sum

from geodata.classes import LIBELLES_CLASSE, LIBELLES_GESTION, Classe, Gestion
from geodata.models import PointPassage, Reseau, Troncon
from territoires.models import Collectivite, Commune, Limite, LimiteCommune, ZoneLimitrophe
from territoires.nombres import nombre
from territoires.operation import Tableau

#: Rows of a table at most: a page of a whole country's communes helps nobody.
LIGNES_MAX = 1500

#: Cell that is a place on the map: the page turns it into a button that shows it.
Lieu = dict[str, str | float]


def limits_table() -> Tableau:
    """Limits: kind, sides, length, communes that touch it on each side."""
    limites = (
        Limite.objects.select_related("collectivite_a", "collectivite_b")
        .prefetch_related(Prefetch("limitecommune_set", LimiteCommune.objects.only("limite_id", "collectivite_id")))
        .annotate(point=Transform("geom", 4326))
        .order_by("collectivite_a__type", "-longueur_m")
        .defer("geom", "collectivite_a__geom", "collectivite_b__geom")
    )
    lignes: list[Sequence[Lieu | str]] = []
    for limite in limites[: LIGNES_MAX + 1]:
        cotes = [touche.collectivite_id for touche in limite.limitecommune_set.all()]
        ouest, sud, est, nord = limite.point.extent
        lignes.append(
            (
                _lieu(f"{limite.collectivite_a.nom} / {limite.collectivite_b.nom}", ouest, sud, est, nord),
                limite.collectivite_a.get_type_display(),
                nombre(limite.longueur_m / 1000, 1),
                f"{cotes.count(limite.collectivite_a_id)} + {cotes.count(limite.collectivite_b_id)}",
            )
        )
    return _table("limites", "Limites", ("Entre", "Type", "Longueur (km)", "Communes qui la touchent"), lignes)


def zones_table() -> Tableau:
    """Zones limitrophes: how each is drawn, communes, inhabitants, area."""
    zones = (
        ZoneLimitrophe.objects.annotate(
            nb=Count("communes", distinct=True), aire=Area("contour"), cadre=Transform("contour", 4326)
        )
        .defer("contour")
        .order_by("nom")
    )
    populations = dict(
        ZoneLimitrophe.communes.through.objects.values_list("zonelimitrophe_id").annotate(
            total=Sum("commune__population")
        )
    )
    lignes: list[Sequence[Lieu | str]] = []
    for zone in zones:
        # Not said twice: the demonstration's zones have it in their names.
        nom = f"{zone.nom} (fictif)" if zone.fictif and "fictiv" not in zone.nom else zone.nom
        lignes.append(
            (
                _lieu(nom, *zone.cadre.extent) if zone.cadre else nom,
                zone.get_mode_display(),
                nombre(zone.nb),
                nombre(populations.get(zone.pk) or 0),
                nombre(zone.aire.sq_km) if zone.aire is not None else "—",
            )
        )
    colonnes = ("Zone", "Tracée par", "Communes", "Habitants", "Superficie (km²)")
    return _table("zones", "Zones limitrophes", colonnes, lignes)


def passages_table(reseau: Reseau) -> Tableau:
    """Points de passage of a network, the busiest roads first."""
    points = (
        PointPassage.objects.filter(import_reseau=reseau.import_courant_id)
        .annotate(position=Transform("geom", 4326))
        .defer("geom")
        .order_by("departement_a", "departement_b", "classe", "ref", "nom")
    )
    lignes = [
        (
            _lieu(p.ref or p.nom or "route sans nom", *_autour(p.position.x, p.position.y)),
            p.nom if p.ref else "",
            LIBELLES_CLASSE[Classe(p.classe)],
            LIBELLES_GESTION[Gestion(p.gestion)],
            f"{p.departement_a} / {p.departement_b}",
        )
        for p in points[: LIGNES_MAX + 1]
    ]
    colonnes = ("Route", "Nom", "Classe", "Gestion", "Entre")
    return _table("passages", "Points de passage", colonnes, lignes)


def roads_table(reseau: Reseau) -> Tableau:
    """Kilometres of road of a network by class and by area of its découpage."""
    longueurs = _lengths(int(reseau.import_courant_id or 0))
    codes = sorted({code for _, code in longueurs}, key=lambda c: (c == "", c))
    noms = dict(Collectivite.objects.filter(code__in=codes).values_list("code", "nom"))
    lignes: list[Sequence[Lieu | str]] = []
    for classe, libelle in LIBELLES_CLASSE.items():
        ligne = [longueurs.get((int(classe), code), 0.0) for code in codes]
        if any(ligne):
            lignes.append((libelle, *(nombre(m / 1000) for m in ligne), nombre(sum(ligne) / 1000)))
    colonnes = (*(f"{noms.get(code, code)} (km)" if code else "Hors découpage (km)" for code in codes), "Total (km)")
    return Tableau("routes", "Routes par classe", ("Classe", *colonnes), lignes)


def communes_table(zone: ZoneLimitrophe | None) -> Tableau:
    """Communes of a zone, or all when there is none."""
    communes = Commune.objects.filter(active=True) if zone is None else zone.communes.all()
    communes = (
        communes.select_related("departement", "epci")
        .annotate(cadre=Transform("mairie", 4326))
        .defer("geom", "departement__geom", "epci__geom")
        .order_by("departement__code", "nom")
    )
    lignes = [
        (
            _lieu(c.nom, *_autour(c.cadre.x, c.cadre.y, 0.03)) if c.cadre else c.nom,
            c.code,
            c.departement.nom,
            c.epci.nom if c.epci else "—",
            nombre(c.population) if c.population is not None else "—",
        )
        for c in communes[: LIGNES_MAX + 1]
    ]
    titre = "Communes" if zone is None else f"Communes de la zone « {zone.nom} »"
    return _table("communes", titre, ("Commune", "Code", "Département", "EPCI", "Habitants"), lignes)


def extent_of(zone: ZoneLimitrophe | None) -> tuple[float, float, float, float] | None:
    """West, south, east, north in degrees of the zone, else of all active collectivités, else None."""
    zones = ZoneLimitrophe.objects.filter(pk=zone.pk if zone else None)
    cadre = zones.aggregate(e=Extent(Transform(F("contour"), 4326)))["e"]
    if cadre is None:
        cadre = Collectivite.objects.filter(active=True).aggregate(e=Extent(Transform(F("geom"), 4326)))["e"]
    return cadre


def _table(code: str, titre: str, colonnes: Sequence[str], lignes: Sequence[Sequence[Lieu | str]]) -> Tableau:
    """A table of at most `LIGNES_MAX` rows, which says when there are more."""
    note = f"Seules les {LIGNES_MAX} premières lignes sont affichées." if len(lignes) > LIGNES_MAX else ""
    return Tableau(code, titre, colonnes, lignes[:LIGNES_MAX], note)


@lru_cache(maxsize=16)
def _lengths(import_id: int) -> dict[tuple[int, str], float]:
    """Metres by class and area of an import, whose rows never change."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT classe, departement, sum(longueur_m) FROM {Troncon._meta.db_table} WHERE import_reseau_id = %s "
            "GROUP BY 1, 2",
            [import_id],
        )
        return {(classe, code): metres for classe, code, metres in cursor.fetchall()}


def _autour(x: float, y: float, marge: float = 0.01) -> tuple[float, float, float, float]:
    return x - marge, y - marge, x + marge, y + marge


def _lieu(nom: str, ouest: float, sud: float, est: float, nord: float) -> Lieu:
    return {"nom": nom, "cadre": ",".join(f"{v:.5f}" for v in (ouest, sud, est, nord))}
