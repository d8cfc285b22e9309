"""Fictive waste centres for the demonstration: real EPCI as owners, all the rest made up and said to be so.

`plan_centres` is a pure function of communes and a seed; `create_centres` writes what it gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from django.contrib.gis.geos import Point
from django.db import transaction
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geodata.classes import Classe
from geodata.lecture_base import load
from geodata.models import Reseau
from territoires.demonstration.hasard import text_key, uniform
from territoires.demonstration.numeros import de
from territoires.models import Commune, ZoneLimitrophe

from .models import Dechetterie, RegleAcces

F64 = NDArray[np.float64]

PREFIXE = "FICTIF-"
SOURCE = "Données fictives, générées pour la démonstration"
CONVENTION = "Convention fictive de la démonstration"
#: One centre for so many inhabitants or so much ground, whichever asks for more (hypothèse).
HABITANTS_PAR_CENTRE = 14_000
KM2_PAR_CENTRE = 150.0
#: A site lies this far from the mairie of its commune before it is put on a road.
RECUL_M = (450.0, 1_100.0)
#: No centre is made where the network has no road within this: it covers less than the départements.
ROUTE_MAX_M = 3_000.0
#: Visits that a centre can take, against those of the inhabitants nearest to it at the rate below (hypothèses).
VISITES_PAR_HABITANT = 5.0
TONNES_PAR_VISITE = 0.045
MARGE = (0.95, 1.75)
#: A neighbour whose mairie is nearer than this may have been given access by a convention, in so many cases; never one
#: with many more inhabitants, who would take most of the places.
VOISIN_M = 9_000.0
VOISIN_FOIS = 1.5
PART_CONVENTIONS = 0.22

HORAIRES = (
    "Lundi au samedi, 9 h - 12 h et 14 h - 18 h",
    "Mardi au samedi, 9 h - 12 h et 13 h 30 - 17 h 30",
    "Lundi, mercredi, vendredi et samedi, 8 h 30 - 12 h et 14 h - 17 h 30",
    "Mercredi et vendredi, 14 h - 18 h ; samedi, 9 h - 12 h et 14 h - 18 h",
)
DECHETS = (
    "encombrants", "gravats", "végétaux", "bois", "métaux", "cartons",
    "appareils électriques", "mobilier", "produits dangereux", "piles", "huiles de vidange", "pneus",
)  # fmt: skip


@dataclass(frozen=True)
class CommuneDesservie:
    """A commune as the plan sees it: metres (EPSG:2154) of the mairie, EPCI code."""

    code: str
    nom: str
    epci: str
    population: int
    surface_km2: float
    x: float
    y: float


@dataclass(frozen=True)
class CentreFictif:
    """One centre: ``voisins`` are EPCI whose inhabitants a convention lets in."""

    code: str
    nom: str
    epci: str
    x: float
    y: float
    visites_an: int
    tonnes_an: int
    cout_fixe_an: Decimal
    horaires: str
    dechets: tuple[str, ...]
    voisins: tuple[str, ...]


def plan_centres(communes: Sequence[CommuneDesservie], seed: int = 1) -> list[CentreFictif]:
    """Centres of every EPCI, sorted by code; the same whatever the order of communes.

    In each EPCI the largest commune gets one, then again and again the commune whose centre shortens most the way of
    all its inhabitants, until there is one for ``HABITANTS_PAR_CENTRE`` and for ``KM2_PAR_CENTRE``.
    """
    communes = sorted(communes, key=lambda c: c.code)
    par_epci: dict[str, list[CommuneDesservie]] = {}
    for commune in communes:
        par_epci.setdefault(commune.epci, []).append(commune)
    habitants_epci = {epci: sum(c.population for c in membres) for epci, membres in par_epci.items()}
    plan: list[CentreFictif] = []
    for epci, membres in sorted(par_epci.items()):
        proches = [
            c for c in communes if c.epci != epci and habitants_epci[c.epci] <= VOISIN_FOIS * habitants_epci[epci]
        ]
        for commune, habitants in _places(membres):
            plan.append(_centre(commune, epci, habitants, _neighbours(commune, proches, seed), seed))
    return sorted(plan, key=lambda c: c.code)


def _places(membres: Sequence[CommuneDesservie]) -> list[tuple[CommuneDesservie, int]]:
    """Communes of one EPCI that get a centre, with the inhabitants of those nearest to each."""
    population = np.array([c.population for c in membres], dtype=np.float64)
    x, y = np.array([c.x for c in membres]), np.array([c.y for c in membres])
    gap = np.sqrt((x[:, None] - x[None, :]) ** 2 + (y[:, None] - y[None, :]) ** 2)
    km2 = sum(c.surface_km2 for c in membres)
    wanted = max(1, round(float(population.sum()) / HABITANTS_PAR_CENTRE), round(km2 / KM2_PAR_CENTRE))
    chosen = [int(np.argmax(population))]
    nearest = gap[chosen[0]]
    while len(chosen) < min(wanted, len(membres)):
        # A lasting minimum of inhabitants keeps villages in the count where one town has nearly all.
        shortened = ((population + 150)[None, :] * np.maximum(nearest[None, :] - gap, 0)).sum(axis=1)
        # Of two places that serve as well, the more populated one.
        best = int(np.argmax((shortened * (population + 300) ** 0.2).round()))
        if best in chosen:
            break
        chosen.append(best)
        nearest = np.minimum(nearest, gap[best])
    of = np.argmin(gap[chosen], axis=0)
    return [(membres[k], int(population[of == rank].sum())) for rank, k in enumerate(chosen)]


def _neighbours(commune: CommuneDesservie, others: Sequence[CommuneDesservie], seed: int) -> tuple[str, ...]:
    """The EPCI of the nearest of the other communes, if near enough and if a convention is drawn."""
    if not others or uniform(seed, text_key(commune.code), 71)[0] >= PART_CONVENTIONS:
        return ()
    gap2, epci = min(((c.x - commune.x) ** 2 + (c.y - commune.y) ** 2, c.epci) for c in others)
    return (epci,) if gap2 < VOISIN_M**2 else ()


def _centre(commune: CommuneDesservie, epci: str, habitants: int, voisins: tuple[str, ...], seed: int) -> CentreFictif:
    key = text_key(commune.code)
    draws = uniform(seed, key, 72, np.arange(6))
    # A direction without trigonometry: a point of a square, pushed out to the distance drawn.
    u, v = draws[0] * 2 - 1, draws[1] * 2 - 1
    norm = max(float(np.sqrt(u * u + v * v)), 0.05)
    away = RECUL_M[0] + (RECUL_M[1] - RECUL_M[0]) * draws[2]
    visites = max(1_500.0, habitants * VISITES_PAR_HABITANT) * (MARGE[0] + (MARGE[1] - MARGE[0]) * draws[3])
    visites_an = int(round(visites, -2))
    small = visites_an < 20_000
    kinds = 7 + int(draws[4] * 3) if small else 9 + int(draws[4] * 4)
    return CentreFictif(
        code=f"{PREFIXE}{commune.code}",
        nom=f"Déchetterie {de(commune.nom)}",
        epci=epci,
        x=round(float(commune.x + u / norm * away), 1),
        y=round(float(commune.y + v / norm * away), 1),
        visites_an=visites_an,
        tonnes_an=int(round(visites_an * TONNES_PAR_VISITE, -1)),
        cout_fixe_an=Decimal(round(48_000 + 1.15 * visites_an + 9_000 * float(draws[5]), -2)).quantize(Decimal(1)),
        horaires=HORAIRES[2 + int(draws[4] * 2)] if small else HORAIRES[int(draws[4] * 2)],
        dechets=DECHETS[: min(kinds, len(DECHETS))],
        voisins=voisins,
    )


def on_roads(centres: Sequence[CentreFictif], x: F64, y: F64) -> list[tuple[float, float] | None]:
    """Place of each centre moved to the nearest of the given points of roads (metres), None where all are too far.

    Centres are kept where they are when there is no point at all.
    """
    if not len(x):
        return [(c.x, c.y) for c in centres]
    gap, nearest = cKDTree(np.column_stack([x, y])).query([(c.x, c.y) for c in centres])
    return [(float(x[k]), float(y[k])) if far <= ROUTE_MAX_M else None for far, k in zip(gap, nearest, strict=True)]


def road_points(reseau: Reseau | None) -> tuple[F64, F64]:
    """Vertices of ordinary roads of a network, metres: where a site may have its gate."""
    none = np.zeros(0)
    if reseau is None or reseau.import_courant_id is None:
        return none, none
    r = load(reseau.import_courant_id)
    fit = (r.classe >= int(Classe.SECONDAIRE)) & (r.classe <= int(Classe.RESIDENTIELLE)) & ~r.bretelle & ~r.pont
    chosen = np.repeat(fit, np.diff(r.geom_debut))
    return r.geom_x[chosen], r.geom_y[chosen]


@transaction.atomic
def create_centres(zone: ZoneLimitrophe, seed: int = 1) -> int:
    """Write the fictive centres of all the départements that a zone touches; returns how many there are.

    Nothing is changed where they are already there, so that what an agent has corrected by hand stays. Where the
    zone's network has no road there is no centre.
    """
    communes = _communes(zone)
    plan = plan_centres(communes, seed)
    there = set(Dechetterie.objects.filter(code__startswith=PREFIXE).values_list("code", flat=True))
    missing = [c for c in plan if c.code not in there]
    places = on_roads(missing, *road_points(zone.reseau)) if missing else []
    made = [(c, place) for c, place in zip(missing, places, strict=True) if place is not None]
    if not made:
        return len(plan) - len(missing)
    owners = dict(
        Commune.objects.filter(code__in=[c.code for c in communes]).values_list("epci__code", "epci_id").distinct()
    )
    Dechetterie.objects.bulk_create(
        Dechetterie(
            code=c.code,
            nom=c.nom,
            proprietaire_id=owners[c.epci],
            geom=Point(x, y, srid=Dechetterie._meta.get_field("geom").srid),
            capacite_visites_an=c.visites_an,
            capacite_t_an=c.tonnes_an,
            cout_fixe_an=c.cout_fixe_an,
            horaires=c.horaires,
            dechets=list(c.dechets),
            fictif=True,
            source=SOURCE,
        )
        for c, (x, y) in made
    )
    ids = dict(Dechetterie.objects.filter(code__in=[c.code for c, _ in made]).values_list("code", "pk"))
    RegleAcces.objects.bulk_create(
        RegleAcces(dechetterie_id=ids[c.code], collectivite_id=owners[epci], autorise=True, source=CONVENTION)
        for c, _ in made
        for epci in c.voisins
    )
    return len(plan) - len(missing) + len(made)


def _communes(zone: ZoneLimitrophe) -> list[CommuneDesservie]:
    """Active communes with an EPCI and a mairie in the départements of the zone's communes."""
    departements = zone.communes.order_by().values("departement").distinct()
    rows: Iterable[Commune] = (
        Commune.objects.filter(active=True, departement__in=departements, epci__isnull=False)
        .exclude(mairie__isnull=True, geom__isnull=True)
        .select_related("epci")
        .only("code", "nom", "epci__code", "population", "geom", "mairie")
    )
    out = []
    for commune in rows:
        centre = commune.mairie or commune.geom.point_on_surface
        assert commune.epci is not None
        out.append(
            CommuneDesservie(
                code=commune.code,
                nom=commune.nom,
                epci=commune.epci.code,
                population=commune.population or 0,
                surface_km2=commune.geom.area / 1e6 if commune.geom else 0.0,
                x=centre.x,
                y=centre.y,
            )
        )
    return out
