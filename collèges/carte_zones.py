"""From a carte scolaire and communes to a `Problem` at commune level. Pure module: shapely, pyproj, roads of `geodata`.

What a published carte scolaire does not say is made up here, always the same way and said in ``remarques``:

- pupils of a zone: its inhabitants times the block's pupils an inhabitant (`pupils_by_population`);
- capacity of a collège: the most pupils it has had (`build_problem`);
- a commune cut by streets has no published limits inside: it is cut in parts nearest to each of its collèges
  (Voronoi cells), its inhabitants shared out as their pupils, and each part is imposed on its collège, since streets
  cannot be moved from one sector to another at this level;
- a commune where several collèges stand is cut in the same way where no sector is known, its parts free to move;
- a merged commune whose former communes have different collèges is shared by them: their limits are not published;
- a commune of more than two collèges keeps the two nearest ones;
- where there are no sectors at all, today's collège is the nearest one of the département by road (`nearest_today`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pyproj
import shapely

from geodata.graphe import Graphe
from geodata.temps import snap, travel_times, with_access

from .carte_scolaire import CarteScolaire, CollegePublic, enumerate_names, sectors_of_today
from .probleme import AUCUN, F64, I32, Problem, Regles, touching_sectors

#: Borders shorter than this are points of contact, and polygons may be this far apart (metres): drawings at other
#: scales, limits cut anew.
CONTACT_M = 5.0
ECART_M = 0.5
#: A mairie farther than this from its commune is a fault of the file, metres.
HORS_M = 2000.0
#: Farthest main road from a mairie, metres.
ACCROCHAGE_M = 8000.0

_VERS_METRES = pyproj.Transformer.from_crs(4326, 2154, always_xy=True)


@dataclass(frozen=True, eq=False)
class Commune:
    """A commune in EPSG:2154; x, y: its mairie, or a point inside where that is unknown or lies elsewhere
    (``mairie`` False)."""

    code: str
    nom: str
    departement: str
    population: float
    polygone: Any
    x: float
    y: float
    mairie: bool = True


@dataclass(frozen=True, eq=False)
class Zone:
    """A commune or a part of one: ``colleges``: UAI of today (none, one, or two for a shared sector); ``figee``: the
    part of a commune cut by streets, which stays with its collège."""

    code: str
    nom: str
    departement: str
    population: float
    polygone: Any
    x: float
    y: float
    colleges: tuple[str, ...] = ()
    figee: bool = False

    @property
    def commune(self) -> str:
        """INSEE code."""
        return self.code.partition("-")[0]


def read_communes(path: Path, departements: Sequence[str], layer: str = "communes") -> list[Commune]:
    """Communes of some départements, in the order of their codes, from a layer of polygons in EPSG:4326 with the
    columns code_insee, nom, departement, population_municipale, mairie_lon, mairie_lat."""
    meta, _, geometrie, valeurs = pyogrio.raw.read(path, layer=layer)
    colonnes = dict(zip(meta["fields"], valeurs, strict=True))
    garde = np.flatnonzero(np.isin(colonnes["departement"].astype(str), list(departements)))
    polygones = shapely.make_valid(
        shapely.transform(
            shapely.from_wkb(geometrie[garde]),
            lambda xy: np.column_stack(_VERS_METRES.transform(xy[:, 0], xy[:, 1])),
        )
    )
    communes = []
    for k, polygone in zip(garde, polygones, strict=True):
        lon, lat = float(colonnes["mairie_lon"][k]), float(colonnes["mairie_lat"][k])
        point = shapely.Point(*_VERS_METRES.transform(lon, lat)) if np.isfinite(lon) and np.isfinite(lat) else None
        vraie = point is not None and shapely.distance(point, polygone) < HORS_M
        if point is None or not vraie:
            point = shapely.point_on_surface(polygone)
        communes.append(
            Commune(
                str(colonnes["code_insee"][k]),
                str(colonnes["nom"][k]),
                str(colonnes["departement"][k]),
                float(colonnes["population_municipale"][k]),
                polygone,
                float(point.x),
                float(point.y),
                vraie,
            )
        )
    return sorted(communes, key=lambda c: c.code)


def located(colleges: Sequence[CollegePublic]) -> tuple[F64, F64]:
    """Places (C,), (C,) in metres of EPSG:2154. Raises ValueError where one has no coordinates."""
    sans = [c.uai for c in colleges if c.lon is None or c.lat is None]
    if sans:
        raise ValueError(f"collèges sans coordonnées : {enumerate_names(sans)}")
    x, y = _VERS_METRES.transform([c.lon for c in colleges], [c.lat for c in colleges])
    return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)


# --- zones ------------------------------------------------------------------------------------------------


def zones_of_carte(
    carte: CarteScolaire,
    communes: Sequence[Commune],
    colleges: dict[str, CollegePublic],
    fusions: dict[str, str] | None = None,
) -> tuple[list[Zone], list[str]]:
    """Zones of the communes that have a polygon, with their collèges of today, and French remarks on what was made up.

    Communes that the carte scolaire does not know have no collège; collèges without place are left out. ``fusions``:
    commune of today of each former one, None = as far as names tell (`sectors_of_today`).
    """
    secteurs, remarques = sectors_of_today(carte, {c.code: c.nom for c in communes}, fusions)
    zones: list[Zone] = []
    reduites, decoupees, loin, memes = [], [], [], []
    for commune in communes:
        secteur = secteurs.get(commune.code)
        connus = tuple(
            u for u in (secteur.colleges if secteur else ()) if u in colleges and colleges[u].lon is not None
        )
        entiere = Zone(
            commune.code, commune.nom, commune.departement, commune.population, commune.polygone, commune.x, commune.y
        )
        if secteur is not None and secteur.par_rues and len(connus) > 1:
            parts = _parts(entiere, [colleges[u] for u in connus])
            zones += [replace(part, figee=True) for part in parts]
            decoupees.append(f"{commune.nom} ({len(parts)} parties)")
            servis = {part.colleges[0] for part in parts}
            loin += [f"{colleges[u].nom} ({u}, {commune.nom})" for u in connus if u not in servis]
            places = np.round(np.column_stack(located([colleges[u] for u in connus])))
            ensemble = [u for u, p in zip(connus, places, strict=True) if np.sum(np.all(places == p, axis=1)) > 1]
            memes += [f"{commune.nom} ({', '.join(ensemble)})"] if ensemble else []
            continue
        if len(connus) > 2:
            cx, cy = located([colleges[u] for u in connus])
            ordre = np.argsort(np.hypot(cx - commune.x, cy - commune.y), kind="stable")
            connus = tuple(connus[k] for k in sorted(ordre[:2]))
            reduites.append(f"{commune.nom} (gardés : {', '.join(connus)})")
        zones.append(replace(entiere, colleges=connus))
    if reduites:
        remarques.append(f"communes de plus de deux collèges, réduites aux deux plus proches : {', '.join(reduites)}")
    if decoupees:
        remarques.append(
            "communes découpées par rues, coupées en parties les plus proches de chaque collège, "
            f"qui gardent leur collège : {', '.join(decoupees)}"
        )
    if memes:
        remarques.append(f"collèges au même endroit, séparés par une limite arbitraire : {', '.join(memes)}")
    if loin:
        remarques.append(f"collèges trop loin de la commune pour y avoir une partie : {', '.join(loin)}")
    return zones, remarques


def _parts(entiere: Zone, colleges: Sequence[CollegePublic]) -> list[Zone]:
    """Parts of a commune nearest to each collège, theirs today; a collège whose cell does not reach it has none."""
    points = shapely.points(_apart(np.column_stack(located(colleges))))
    cellules = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(points), extend_to=entiere.polygone.envelope)
    )
    trouvees: list[tuple[CollegePublic, Any]] = []
    for college, point in zip(colleges, points, strict=True):
        siennes = [cellule for cellule in cellules if cellule.covers(point)]
        morceau = shapely.intersection(siennes[0], entiere.polygone) if siennes else shapely.Polygon()
        if morceau.area > 0 and not any(m.equals(morceau) for _, m in trouvees):
            trouvees.append((college, morceau))
    poids = np.array([max(college.effectif or 0.0, 1.0) for college, _ in trouvees])
    parts = []
    for (college, morceau), part in zip(trouvees, poids / poids.sum(), strict=True):
        centre = shapely.point_on_surface(morceau)
        parts.append(
            replace(
                entiere,
                code=f"{entiere.code}-{college.uai}",
                nom=f"{entiere.nom} ({college.nom.removeprefix('Collège ')})",
                population=entiere.population * float(part),
                polygone=morceau,
                x=centre.x,
                y=centre.y,
                colleges=(college.uai,),
            )
        )
    return parts


def _apart(xy: F64) -> F64:
    """Places (n, 2), those to the same metre set a metre around it, so that each of them has a cell of its own."""
    _, groupe, combien = np.unique(np.round(xy), axis=0, return_inverse=True, return_counts=True)
    ecartes = xy.copy()
    for k in np.flatnonzero(combien > 1):
        ici = np.flatnonzero(groupe.ravel() == k)
        angles = 2.0 * np.pi * np.arange(len(ici)) / len(ici)
        ecartes[ici] = xy[ici[0]] + np.column_stack([np.cos(angles), np.sin(angles)])
    return ecartes


def zones_of_communes(communes: Sequence[Commune], colleges: Sequence[CollegePublic]) -> list[Zone]:
    """Zones of communes of which no sector is known: whole, or where several collèges stand in one, its parts nearest
    to each."""
    arbre = shapely.STRtree([commune.polygone for commune in communes])
    ou, laquelle = arbre.query(shapely.points(*located(colleges)), predicate="intersects")
    dedans: dict[int, list[CollegePublic]] = {}
    for j, i in sorted(zip(ou.tolist(), laquelle.tolist(), strict=True)):
        dedans.setdefault(i, []).append(colleges[j])
    zones = []
    for i, c in enumerate(communes):
        entiere = Zone(c.code, c.nom, c.departement, c.population, c.polygone, c.x, c.y)
        zones += _parts(entiere, dedans[i]) if len(dedans.get(i, [])) > 1 else [entiere]
    return zones


def towns_in_parts(zones: Sequence[Zone]) -> list[str]:
    """A French remark that names the communes of `zones_of_communes` that are in several parts."""
    parts = Counter(zone.commune for zone in zones)
    noms = {zone.commune: zone.nom.partition(" (")[0] for zone in zones}
    coupees = [f"{noms[code]} ({fois})" for code, fois in parts.items() if fois > 1]
    return [f"communes de plusieurs collèges, coupées en parties : {', '.join(coupees)}"] if coupees else []


def adjacency(polygones: Sequence[Any]) -> tuple[I32, F64]:
    """Pairs (m, 2) of polygons that touch and the length of their shared border, metres (0 below `CONTACT_M`)."""
    formes = np.asarray(polygones, dtype=object)
    larges = shapely.buffer(formes, ECART_M)
    i, j = shapely.STRtree(formes).query(larges, predicate="intersects")
    i, j = i[i < j], j[i < j]
    commun = shapely.length(shapely.intersection(shapely.boundary(formes[i]), larges[j]))
    return np.column_stack([i, j]).astype(np.int32), np.where(commun < CONTACT_M, 0.0, commun)


def road_minutes(graphe: Graphe, x: F64, y: F64, cx: F64, cy: F64) -> F64:
    """Minutes by car from zones (n,) to collèges (C,), accesses to the road at both ends included, inf = no road."""
    poids = graphe.poids("voiture")
    depart = snap(graphe, x, y, "voiture", limite_m=ACCROCHAGE_M)
    arrivee = snap(graphe, cx, cy, "voiture", limite_m=ACCROCHAGE_M)
    return with_access(travel_times(graphe, poids, depart, arrivee), depart, arrivee).astype(np.float64) / 60.0


def nearest_today(zones: Sequence[Zone], colleges: Sequence[CollegePublic], minutes: F64) -> list[Zone]:
    """The same zones, those without collège given the nearest one (by ``minutes`` (n, C)) of their own département."""
    suite = []
    for zone, ligne in zip(zones, minutes, strict=True):
        siens = [j for j, c in enumerate(colleges) if c.departement == zone.departement and np.isfinite(ligne[j])]
        proche = min(siens, key=lambda j: float(ligne[j]), default=None)
        # The part of a town that is a collège's neighbourhood is its own.
        uai = zone.colleges or (() if proche is None else (colleges[proche].uai,))
        suite.append(replace(zone, colleges=uai))
    return suite


def border_block(
    zones: Sequence[Zone], colleges: Sequence[CollegePublic], minutes: F64, distance_m: float
) -> tuple[list[int], list[int]]:
    """Zones and collèges (indices, rising) of the border of some départements: the collèges less than ``distance_m``
    from another one of them, and every zone whose collège of today is one of those, so that sectors stay whole."""
    cx, cy = located(colleges)
    points = shapely.points(cx, cy)
    departements = sorted({zone.departement for zone in zones})
    territoires = {d: shapely.union_all([z.polygone for z in zones if z.departement == d]) for d in departements}
    proches = [
        j
        for j, college in enumerate(colleges)
        if any(
            shapely.distance(points[j], forme) < distance_m
            for d, forme in territoires.items()
            if d != college.departement
        )
    ]
    gardes = {colleges[j].uai for j in proches}
    return [i for i, zone in enumerate(zones) if gardes.intersection(zone.colleges)], proches


# --- problem ----------------------------------------------------------------------------------------------


def pupils_by_population(zones: Sequence[Zone], colleges: Sequence[CollegePublic]) -> F64:
    """Pupils (n,) of each zone: its inhabitants times the pupils an inhabitant of its département, of which these
    collèges' pupils and these zones' inhabitants are taken."""
    eleves = np.zeros(len(zones))
    for departement in {zone.departement for zone in zones}:
        ici = np.array([zone.departement == departement for zone in zones])
        recus = sum(c.effectif or 0.0 for c in colleges if c.departement == departement)
        habitants = np.array([zone.population for zone in zones]) * ici
        if habitants.sum() > 0:
            eleves += recus * habitants / habitants.sum()
    return eleves


def build_problem(
    zones: Sequence[Zone],
    colleges: Sequence[CollegePublic],
    minutes: F64,
    eleves: F64,
    *,
    annee: str,
    capacite: F64 | None = None,
    noms: dict[str, str] | None = None,
    passages: float = np.inf,
    regles: Regles | None = None,
    remarques: Sequence[str] = (),
) -> Problem:
    """One block of one year. minutes (n, C); eleves (n,); capacite (C,) pupils, None = the pupils of ``colleges``.

    ``noms``: départements' names by code; ``passages``: pupils who may be moved from one département to another
    (inf = free). Fill is wished between 75 % and 100 %. Raises `ProblemeInvalide` where the block is empty.
    """
    groupes = sorted({z.departement for z in zones} | {c.departement for c in colleges})
    rang = {groupe: k for k, groupe in enumerate(groupes)}
    numero = {c.uai: j for j, c in enumerate(colleges)}
    cx, cy = located(colleges)
    present = np.full((len(zones), 2), AUCUN, dtype=np.int32)
    impose = np.full(len(zones), AUCUN, dtype=np.int32)
    for i, zone in enumerate(zones):
        siens = [numero[uai] for uai in zone.colleges if uai in numero]
        present[i, : len(siens)] = siens
        if zone.figee and siens:
            impose[i] = siens[0]
    arete, frontiere = adjacency([zone.polygone for zone in zones])
    places = capacite if capacite is not None else np.array([c.effectif or np.inf for c in colleges])
    g = len(groupes)
    passages_max = np.full((g, g), passages)
    np.fill_diagonal(passages_max, np.inf)
    return Problem(
        groupes=tuple(groupes),
        groupe_noms=tuple((noms or {}).get(groupe, groupe) for groupe in groupes),
        annees=(annee,),
        zone_code=tuple(z.code for z in zones),
        zone_nom=tuple(z.nom for z in zones),
        zone_groupe=np.array([rang[z.departement] for z in zones], dtype=np.int32),
        zone_x=np.array([z.x for z in zones], dtype=np.float64),
        zone_y=np.array([z.y for z in zones], dtype=np.float64),
        zone_ips=np.full(len(zones), np.nan),
        eleves=np.asarray(eleves, dtype=np.float64)[None, :],
        part_nouvelle=np.ones((1, len(zones))),
        present=present,
        arete=arete,
        frontiere_m=frontiere,
        college_code=tuple(c.uai for c in colleges),
        college_nom=tuple(c.nom for c in colleges),
        college_groupe=np.array([rang[c.departement] for c in colleges], dtype=np.int32),
        college_x=cx,
        college_y=cy,
        college_zone=_zone_of(zones, cx, cy),
        capacite=np.asarray(places, dtype=np.float64)[None, :],
        remplissage_max=np.ones(len(colleges)),
        remplissage_min=np.full(len(colleges), 0.75),
        effectif_min=np.zeros(len(colleges)),
        college_ips=np.array([np.nan if c.ips is None else c.ips for c in colleges], dtype=np.float64),
        college_voisins=touching_sectors(present, arete, frontiere),
        minutes=np.asarray(minutes, dtype=np.float64),
        interdit=np.zeros((len(zones), len(colleges)), dtype=np.bool_),
        impose=impose,
        ensemble=np.full(len(zones), AUCUN, dtype=np.int32),
        passages_max=passages_max,
        poids_annee=np.ones(1),
        regles=regles or Regles(),
        remarques=tuple(remarques),
    )


def _zone_of(zones: Sequence[Zone], cx: F64, cy: F64) -> I32:
    """Zone that each collège stands in, AUCUN where it is in none of them."""
    trouvees = np.full(len(cx), AUCUN, dtype=np.int32)
    arbre = shapely.STRtree([zone.polygone for zone in zones])
    points, polygones = arbre.query(shapely.points(cx, cy), predicate="intersects")
    # On a limit, the first of the zones.
    for college, zone in sorted(zip(points.tolist(), polygones.tolist(), strict=True), reverse=True):
        trouvees[college] = zone
    return trouvees
