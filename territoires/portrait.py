"""Portrait croisé: the same figures for each side of a zone, and for both together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import shapely
from django.core.cache import cache
from django.db import connection
from django.db.models import Q

from geodata.classes import LIBELLES_CLASSE, LIBELLES_GESTION, Classe, Gestion

from .franchissements import Franchissement, crossings
from .importation.ecriture import to_shapely
from .models import Collectivite, Limite, ZoneLimitrophe
from .nombres import nombre
from .noms import nom_court
from .operation import Tableau

#: A crossing this near the zone is in it: limits run along its outline (metres).
_AU_BORD_M = 1.0


@dataclass(frozen=True)
class Cote:
    """Figures of one collectivité inside the zone, or of all together (``code`` = "").

    ``population`` counts the communes whose figure is known; ``sans_population`` how many are not. Areas are
    measured on the ellipsoid, lengths in metres of carriageway (a road in two carriageways counts twice).
    """

    code: str
    nom: str
    communes: int
    population: int
    sans_population: int
    superficie_m2: float
    routes_par_classe_m: Mapping[Classe, float] = field(default_factory=dict)
    routes_par_gestion_m: Mapping[Gestion, float] = field(default_factory=dict)
    passages_par_classe: Mapping[Classe, int] = field(default_factory=dict)

    @property
    def population_connue(self) -> int | None:
        """Inhabitants of the communes whose figure is known, None where none is."""
        return None if self.communes and self.sans_population == self.communes else self.population

    @property
    def densite(self) -> float | None:
        """Inhabitants per km², None where a population is not known."""
        if self.sans_population or self.superficie_m2 <= 0:
            return None
        return self.population / (self.superficie_m2 / 1e6)

    @property
    def routes_m(self) -> float:
        return sum(self.routes_par_classe_m.values())

    @property
    def routes_par_habitant_m(self) -> float | None:
        """Metres of road per inhabitant, None where a population is not known or nobody lives there."""
        return None if self.sans_population or not self.population else self.routes_m / self.population

    @property
    def passages(self) -> int:
        return sum(self.passages_par_classe.values())


@dataclass(frozen=True)
class LimitePortrait:
    """A limit between two sides (codes) and its points de passage by class."""

    a: str
    b: str
    longueur_m: float
    passages_par_classe: Mapping[Classe, int]

    @property
    def passages(self) -> int:
        return sum(self.passages_par_classe.values())


@dataclass(frozen=True)
class Portrait:
    """What the two (or more) sides of a zone are made of; ``reseau`` is the network's name, "" without one."""

    cotes: tuple[Cote, ...]
    ensemble: Cote
    limites: tuple[LimitePortrait, ...]
    reseau: str
    fictif: bool


def portrait(zone: ZoneLimitrophe) -> Portrait:
    """The portrait croisé of a zone, in a constant number of queries; kept until zone or network change."""
    reseau = zone.reseau
    version = reseau.import_courant_id if reseau else 0
    cle = f"portrait:{zone.pk}:{zone.calculee_le.timestamp() if zone.calculee_le else 0}:{version}"
    garde: Portrait | None = cache.get(cle)
    if garde is None:
        garde = compute(zone)
        cache.set(cle, garde, timeout=None)
    return garde


def compute(zone: ZoneLimitrophe) -> Portrait:
    """`portrait`, computed now."""
    collectivites = list(zone.collectivites.defer("geom").order_by("code"))
    reseau = zone.reseau
    import_id = reseau.import_courant_id if reseau else None
    habitants = _communes(zone.pk, [c.pk for c in collectivites])
    routes = road_lengths(zone, collectivites, import_id) if import_id else {}
    points = _points(zone, collectivites, import_id) if import_id else []
    cotes = tuple(_side(c, habitants, routes, points) for c in collectivites)
    return Portrait(
        cotes=cotes,
        ensemble=_together(cotes, points),
        limites=_limits(collectivites, points),
        reseau=reseau.nom if reseau and import_id else "",
        fictif=zone.fictif or bool(reseau and reseau.fictif),
    )


def _side(
    collectivite: Collectivite,
    habitants: Mapping[int, tuple[int, int, int, float]],
    routes: Mapping[int, Mapping[tuple[int, int], float]],
    points: Sequence[Franchissement],
) -> Cote:
    communes, population, inconnues, superficie = habitants.get(collectivite.pk, (0, 0, 0, 0.0))
    longueurs = routes.get(collectivite.pk, {})
    return Cote(
        code=collectivite.code,
        nom=collectivite.nom,
        communes=communes,
        population=population,
        sans_population=inconnues,
        superficie_m2=superficie,
        routes_par_classe_m={c: sum(m for (k, _), m in longueurs.items() if k == c) for c in Classe},
        routes_par_gestion_m={g: sum(m for (_, k), m in longueurs.items() if k == g) for g in Gestion},
        passages_par_classe=_count(p for p in points if collectivite.pk in (p.a, p.b)),
    )


def _together(cotes: Sequence[Cote], points: Sequence[Franchissement]) -> Cote:
    """All sides as one; a crossing between two of them counts once."""
    return Cote(
        code="",
        nom="Ensemble",
        communes=sum(c.communes for c in cotes),
        population=sum(c.population for c in cotes),
        sans_population=sum(c.sans_population for c in cotes),
        superficie_m2=sum(c.superficie_m2 for c in cotes),
        routes_par_classe_m={k: sum(c.routes_par_classe_m[k] for c in cotes) for k in Classe},
        routes_par_gestion_m={k: sum(c.routes_par_gestion_m[k] for c in cotes) for k in Gestion},
        passages_par_classe=_count(points),
    )


def _limits(collectivites: Sequence[Collectivite], points: Sequence[Franchissement]) -> tuple[LimitePortrait, ...]:
    codes = {c.pk: c.code for c in collectivites}
    limites = Limite.objects.filter(Q(collectivite_a__in=codes) & Q(collectivite_b__in=codes)).values_list(
        "collectivite_a", "collectivite_b", "longueur_m"
    )
    trouvees = [
        LimitePortrait(
            *sorted((codes[a], codes[b])), longueur_m=metres, passages_par_classe=_count(_between(points, a, b))
        )
        for a, b, metres in limites
    ]
    return tuple(sorted(trouvees, key=lambda limite: (limite.a, limite.b)))


def _between(points: Sequence[Franchissement], a: int, b: int) -> list[Franchissement]:
    return [p for p in points if {p.a, p.b} == {a, b}]


def _count(points: object) -> dict[Classe, int]:
    comptes = Counter(p.classe for p in points)  # type: ignore[attr-defined]
    return {c: comptes.get(int(c), 0) for c in Classe}


def _points(zone: ZoneLimitrophe, collectivites: Sequence[Collectivite], import_id: int) -> list[Franchissement]:
    points = crossings(import_id, collectivites)
    contour = to_shapely(zone.contour)
    if contour is None or not points:
        return []
    xy = shapely.points([(p.x, p.y) for p in points])
    shapely.prepare(contour)
    return [p for p, dedans in zip(points, shapely.dwithin(contour, xy, _AU_BORD_M), strict=True) if dedans]


def _communes(zone: int, collectivites: Sequence[int]) -> dict[int, tuple[int, int, int, float]]:
    """By collectivité: communes, inhabitants known, communes without figure, m² on the ellipsoid."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            {_COTES}
            SELECT cote, count(*), coalesce(sum(population), 0), count(*) FILTER (WHERE population IS NULL),
                   coalesce(sum(ST_Area(ST_Transform(geom, 4326)::geography)), 0)
            FROM membre GROUP BY cote
            """,
            {"zone": zone, "collectivites": list(collectivites)},
        )
        return {cote: (n, int(pop), inconnues, float(m2)) for cote, n, pop, inconnues, m2 in cursor.fetchall()}


def road_lengths(
    zone: ZoneLimitrophe, collectivites: Sequence[Collectivite], import_id: int
) -> dict[int, dict[tuple[int, int], float]]:
    """By collectivité: metres of road by (class, manager) inside the zone."""
    cutting = all(c.type != Collectivite.Type.EPCI for c in collectivites)
    requete = _PAR_CODE if cutting and zone.mode == ZoneLimitrophe.Mode.ENTIERE else _PAR_CONTOUR
    with connection.cursor() as cursor:
        cursor.execute(requete, {"zone": zone.pk, "collectivites": [c.pk for c in collectivites], "import": import_id})
        resultat: dict[int, dict[tuple[int, int], float]] = {}
        for cote, classe, gestion, metres in cursor.fetchall():
            resultat.setdefault(cote, {})[classe, gestion] = float(metres or 0)
        return resultat


#: Communes of the zone with the side each is counted in.
_COTES = """
    WITH membre AS (
        SELECT c.population, c.geom,
               CASE WHEN c.epci_id = ANY(%(collectivites)s) THEN c.epci_id ELSE c.departement_id END AS cote
        FROM territoires_zonelimitrophe_communes z JOIN territoires_commune c ON c.id = z.commune_id
        WHERE z.zonelimitrophe_id = %(zone)s
          AND (c.epci_id = ANY(%(collectivites)s) OR c.departement_id = ANY(%(collectivites)s))
    )"""

#: Roads of whole départements (or their equals): an edge, cut at their limits, says which it is in.
_PAR_CODE = """
    SELECT c.id, t.classe, t.gestion, sum(t.longueur_m)
    FROM geodata_troncon t JOIN territoires_collectivite c ON c.code = t.departement
    WHERE t.import_reseau_id = %(import)s AND c.id = ANY(%(collectivites)s)
    GROUP BY c.id, t.classe, t.gestion
"""

#: Roads inside the zone's communes. Where limits cut the network an edge belongs to one side; elsewhere it is shared
#: out by the part of its length in each, a road along a limit by halves.
_PAR_CONTOUR = f"""
    {_COTES},
    piece AS (SELECT cote, ST_Subdivide(ST_Union(geom), 100) AS geom FROM membre GROUP BY cote),
    part AS (
        SELECT p.cote, t.rang, t.classe, t.gestion, t.longueur_m,
               least(1, sum(CASE WHEN ST_CoveredBy(t.geom, p.geom) THEN 1
                        ELSE ST_Length(ST_Intersection(t.geom, p.geom)) / nullif(ST_Length(t.geom), 0)
                        END)) AS part
        FROM piece p
        JOIN territoires_collectivite c ON c.id = p.cote
        JOIN geodata_troncon t ON t.import_reseau_id = %(import)s AND ST_Intersects(t.geom, p.geom)
         AND (c.type = 'epci' OR t.departement = c.code OR t.departement = '')
        GROUP BY p.cote, t.rang, t.classe, t.gestion, t.longueur_m
    ),
    partage AS (
        SELECT cote, classe, gestion, longueur_m * part / greatest(1, sum(part) OVER (PARTITION BY rang)) AS metres
        FROM part
    )
    SELECT cote, classe, gestion, sum(metres) FROM partage GROUP BY cote, classe, gestion
"""


Valeurs = Sequence[tuple[str, str, Sequence[float | None], int]]


def figures(portrait: Portrait) -> Valeurs:
    """Rows of the portrait: French label, unit, value for each side then for all together, decimals."""
    colonnes = [*portrait.cotes, portrait.ensemble]
    lignes: list[tuple[str, str, Sequence[float | None], int]] = [
        ("Communes", "", [c.communes for c in colonnes], 0),
        ("Population municipale", "hab.", [c.population_connue for c in colonnes], 0),
        ("Superficie", "km²", [c.superficie_m2 / 1e6 for c in colonnes], 1),
        ("Densité", "hab./km²", [c.densite for c in colonnes], 1),
    ]
    if portrait.ensemble.sans_population:
        lignes.append(("Communes sans population connue", "", [c.sans_population for c in colonnes], 0))
    if not portrait.reseau:
        return lignes
    lignes.append(("Routes", "km", [c.routes_m / 1000 for c in colonnes], 1))
    lignes.append(("Routes par habitant", "m/hab.", [c.routes_par_habitant_m for c in colonnes], 1))
    for classe, libelle in LIBELLES_CLASSE.items():
        if portrait.ensemble.routes_par_classe_m[classe]:
            texte = f"Classe : {libelle[0].lower()}{libelle[1:]}"
            lignes.append((texte, "km", [c.routes_par_classe_m[classe] / 1000 for c in colonnes], 1))
    for gestion, libelle in LIBELLES_GESTION.items():
        if portrait.ensemble.routes_par_gestion_m[gestion]:
            texte = f"Gestion : {libelle[0].lower()}{libelle[1:]}"
            lignes.append((texte, "km", [c.routes_par_gestion_m[gestion] / 1000 for c in colonnes], 1))
    lignes.append(("Points de passage", "", [c.passages for c in colonnes], 0))
    for classe, libelle in LIBELLES_CLASSE.items():
        if portrait.ensemble.passages_par_classe[classe]:
            texte = f"Points de passage : {libelle[0].lower()}{libelle[1:]}"
            lignes.append((texte, "", [c.passages_par_classe[classe] for c in colonnes], 0))
    return lignes


def table(portrait: Portrait) -> Tableau:
    """The portrait as a table for screens."""
    titres = [f"{nom_court(c.nom)} ({c.code})" for c in portrait.cotes] + ["Ensemble"]
    return Tableau(
        "portrait",
        "Portrait croisé",
        ("Donnée", "Unité", *titres),
        [
            (libelle, unite, *("—" if v is None else nombre(v, decimales) for v in valeurs))
            for libelle, unite, valeurs, decimales in figures(portrait)
        ],
        note=_note(portrait),
    )


def _note(portrait: Portrait) -> str:
    phrases = ["Superficies mesurées sur l'ellipsoïde."]
    if portrait.reseau:
        phrases.append(
            f"Routes de la zone d'après le réseau « {portrait.reseau} », en longueur de chaussée : une route à "
            "chaussées séparées compte deux fois. Un point de passage entre deux collectivités compte pour chacune, "
            "et une seule fois dans l'ensemble."
        )
    else:
        phrases.append("Sans réseau routier : les routes et les points de passage ne sont pas comptés.")
    if portrait.ensemble.sans_population:
        phrases.append("La population ne comprend pas les communes dont elle n'est pas connue.")
    return " ".join(phrases)


def limits_table(portrait: Portrait) -> Tableau:
    """The limits of the zone and their points de passage."""
    return Tableau(
        "limites",
        "Limites",
        ("Entre", "Longueur (km)", "Points de passage"),
        [(f"{li.a} / {li.b}", nombre(li.longueur_m / 1000, 1), nombre(li.passages)) for li in portrait.limites],
    )
