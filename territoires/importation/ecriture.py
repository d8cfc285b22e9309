"""A territory as read, written in one transaction: all of it or nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from django.conf import settings
from django.contrib.gis.geos import GEOSGeometry
from django.db import connection, transaction

from territoires.models import Collectivite, Commune
from territoires.rapport import DonneesRefusees, Rapport

from .controle import check
from .geometrie import union
from .lu import CommuneLue, TerritoireLu

_CHAMPS_COMMUNE = ("nom", "departement", "epci", "population", "geom", "mairie", "active")
_CHAMPS_COLLECTIVITE = ("nom", "active")
_CHAMPS_REFERENCE = ("edition", "source", "licence")
_LOT = 2000

#: Contours that differ by less (m²) are the same, drawn again.
CHANGEMENT_M2 = 100.0

#: Key of the lock every import of territories takes (any number that no one else uses).
_VERROU = 4_243_154

#: A source that makes a larger share of the communes vanish is taken for an incomplete one.
PART_DISPARUE_MAX = 0.2


@dataclass(frozen=True)
class BilanImport:
    """What an import did; ``disparues`` are communes now inactive, ``conserves`` counts values kept from hand edits."""

    communes_creees: int
    communes_mises_a_jour: int
    collectivites: dict[str, int]
    disparues: list[str]
    conserves: int
    reparees: int
    #: Codes of collectivités that cut roads and whose contour is not what it was.
    contours_changes: list[str]
    rapport: Rapport


def to_geos(geom: shapely.Geometry | None) -> GEOSGeometry | None:
    """A shapely geometry (EPSG:2154) as a model field takes it; an empty one is no geometry."""
    return None if geom is None or geom.is_empty else GEOSGeometry(memoryview(shapely.to_wkb(geom)), srid=settings.SRID)


def to_shapely(geom: GEOSGeometry | None) -> shapely.Geometry | None:
    """A model field's geometry as shapely's."""
    return None if geom is None else shapely.from_wkb(bytes(geom.wkb))


@transaction.atomic
def write(lu: TerritoireLu, progress: Callable[[str], None] = lambda _: None) -> BilanImport:
    """Insert or update collectivités and communes; fields of ``champs_manuels`` keep their value.

    A commune of the collectivités read that is not in the source any more becomes inactive (where the source is
    complete), and so does an EPCI left without active commune. Contours are unions of the active communes.
    Raises `DonneesRefusees` before anything is written.
    """
    lu = check(lu)
    _alone()
    reference = {"edition": lu.edition, "source": lu.source, "licence": lu.licence}
    progress("Écriture des collectivités…")
    par_cle = _write_collectivites(lu, reference)
    decoupage = [c for (type_, _), c in par_cle.items() if type_ == lu.type_decoupage]
    epci = {c.pk for (type_, _), c in par_cle.items() if type_ == Collectivite.Type.EPCI}
    epci |= set(Commune.objects.filter(departement__in=decoupage, epci__isnull=False).values_list("epci", flat=True))
    progress("Écriture des communes…")
    creees, conserves = _write_communes(lu, par_cle, reference)
    disparues = _retire_communes(lu, decoupage) if lu.complet else []
    _retire_epci(epci)
    progress("Calcul des contours…")
    avant = _contours(decoupage)
    donnes = {(c.type, c.code): c.geom for c in lu.collectivites if c.geom is not None}
    refresh_contours(list(par_cle.values()), donnes)
    apres = _contours(decoupage)
    return BilanImport(
        communes_creees=creees,
        communes_mises_a_jour=len(lu.communes) - creees,
        collectivites=dict(Counter(type_ for type_, _ in par_cle)),
        disparues=disparues,
        conserves=conserves,
        reparees=lu.reparees,
        contours_changes=[code for code, geom in apres.items() if _moved(avant[code], geom)],
        rapport=lu.rapport,
    )


def _alone() -> None:
    """Wait for another import to end: two at once would undo each other's work."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_VERROU])


def _contours(collectivites: list[Collectivite]) -> dict[str, shapely.Geometry | None]:
    pks = [c.pk for c in collectivites]
    lignes = Collectivite.objects.filter(pk__in=pks).order_by("code").values_list("code", "geom")
    return {code: to_shapely(geom) for code, geom in lignes}


def _moved(avant: shapely.Geometry | None, apres: shapely.Geometry | None) -> bool:
    """True where there was a contour and it is not the same any more."""
    if avant is None:
        return False
    if apres is None:
        return True
    return bool(shapely.area(shapely.symmetric_difference(avant, apres)) > CHANGEMENT_M2)


def _write_collectivites(lu: TerritoireLu, reference: dict[str, str]) -> dict[tuple[str, str], Collectivite]:
    types = {c.type for c in lu.collectivites}
    codes = {c.code for c in lu.collectivites}
    existantes = Collectivite.objects.filter(type__in=types, code__in=codes)
    manuelles = {(c.type, c.code): c for c in existantes.only("type", "code", "nom", "champs_manuels")}
    rows = []
    for lue in lu.collectivites:
        row = Collectivite(type=lue.type, code=lue.code, nom=lue.nom, active=True, **reference)
        ancienne = manuelles.get((lue.type, lue.code))
        if ancienne and "nom" in ancienne.champs_manuels:
            row.nom = ancienne.nom
        rows.append(row)
    Collectivite.objects.bulk_create(
        rows,
        batch_size=_LOT,
        update_conflicts=True,
        unique_fields=["type", "code"],
        update_fields=[*_CHAMPS_COLLECTIVITE, *_CHAMPS_REFERENCE],
    )
    ecrites = Collectivite.objects.filter(type__in=types, code__in=codes).only("type", "code", "champs_manuels")
    voulues = {(c.type, c.code) for c in lu.collectivites}
    return {(c.type, c.code): c for c in ecrites if (c.type, c.code) in voulues}


def _write_communes(
    lu: TerritoireLu, par_cle: dict[tuple[str, str], Collectivite], reference: dict[str, str]
) -> tuple[int, int]:
    """Number of communes created, number of values kept because they were edited by hand."""
    codes = [c.code for c in lu.communes]
    connues = set(Commune.objects.filter(code__in=codes).values_list("code", flat=True))
    corrigees = {c.code: c for c in Commune.objects.filter(code__in=codes).exclude(champs_manuels=[])}
    conserves = 0
    rows = []
    for lue in lu.communes:
        row = _row(lue, lu.type_decoupage, par_cle, reference)
        ancienne = corrigees.get(lue.code)
        if ancienne:
            for champ in set(ancienne.champs_manuels) & set(_CHAMPS_COMMUNE):
                setattr(row, champ, getattr(ancienne, champ))
                conserves += 1
        rows.append(row)
    Commune.objects.bulk_create(
        rows,
        batch_size=_LOT,
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=[*_CHAMPS_COMMUNE, *_CHAMPS_REFERENCE],
    )
    return len(codes) - len(connues), conserves


def _row(
    lue: CommuneLue,
    type_decoupage: str,
    par_cle: dict[tuple[str, str], Collectivite],
    reference: dict[str, str],
) -> Commune:
    return Commune(
        code=lue.code,
        nom=lue.nom,
        departement=par_cle[type_decoupage, lue.departement],
        epci=par_cle[Collectivite.Type.EPCI, lue.epci] if lue.epci else None,
        population=lue.population,
        geom=to_geos(lue.geom),
        mairie=to_geos(lue.mairie),
        active=True,
        **reference,
    )


def _retire_communes(lu: TerritoireLu, decoupage: list[Collectivite]) -> list[str]:
    restantes = Commune.objects.filter(departement__in=decoupage, active=True).exclude(
        code__in=[c.code for c in lu.communes]
    )
    restantes = restantes.exclude(champs_manuels__contains=["active"])
    disparues = [str(c) for c in restantes.only("code", "nom")]
    if len(disparues) > PART_DISPARUE_MAX * (len(lu.communes) + len(disparues)):
        raise DonneesRefusees(
            f"{len(disparues)} communes de la base ne sont pas dans la source, qui n'en a que {len(lu.communes)} : "
            "elle n'est sans doute pas complète. Ajoutez --partiel pour les garder."
        )
    restantes.update(active=False)
    return disparues


def _retire_epci(candidats: set[int]) -> None:
    """EPCI that have no active commune any more."""
    Collectivite.objects.filter(pk__in=candidats, active=True).exclude(
        pk__in=Commune.objects.filter(active=True, epci__in=candidats).values("epci_id")
    ).exclude(champs_manuels__contains=["active"]).update(active=False, geom=None)


def refresh_contours(
    collectivites: list[Collectivite], donnes: dict[tuple[str, str], shapely.MultiPolygon] | None = None
) -> None:
    """Set the contour of each collectivité: the one given, else the union of its active communes."""
    donnes = donnes or {}
    pks = [c.pk for c in collectivites]
    membres: dict[int, list[shapely.Geometry]] = defaultdict(list)
    communes = Commune.objects.filter(active=True, geom__isnull=False)
    for dep, epci, geom in (communes.filter(departement__in=pks) | communes.filter(epci__in=pks)).values_list(
        "departement_id", "epci_id", "geom"
    ):
        polygone = to_shapely(geom)
        membres[dep].append(polygone)
        if epci is not None:
            membres[epci].append(polygone)
    touchees = [c for c in collectivites if "geom" not in c.champs_manuels]
    for collectivite in touchees:
        contour = donnes.get((collectivite.type, collectivite.code))
        if contour is None:
            contour = union(np.array(membres[collectivite.pk], dtype=object))
        collectivite.geom = to_geos(contour)
    Collectivite.objects.bulk_update(touchees, ["geom"], batch_size=200)
