"""All that the solver may see of one block: zones, collèges, minutes, today's sectors, rules. Pure module: numpy only.

What a plan is
    Each zone i goes to one collège (``s(i, j) = 1``), to none (``s = 0`` everywhere), or stays shared between its two
    collèges of today (``s = 1/2`` for each). Today's plan (``present``) is a plan like any other, and always allowed.
    The solver gives a zone what it has today, or a collège that is permitted, has a road and whose border is open
    (``passages_max`` above 0), or the one imposed; none only where there is none today. It ends a shared sector, by
    zones or whole, when that makes the plan better, and makes none that is not shared today. What a rule imposes, on a
    shared sector as on any zone, has its price (``interdit``): today's stays possible where it costs less. Its bound is
    for such plans.

What a plan costs, in pupil-minutes of a mean year (`collèges.couts` computes it, `collèges.controle` again)
    e[t, i] = ``eleves``; w[t] = ``poids_annee`` (adds up to 1); E[i] = sum over t of w[t] e[t, i], the mean year.
    p[t, i] = ``part_nouvelle``, the share of a year's pupils who follow the new plan (phase-in: only the new 6e do);
    where the zone has no collège today p = 1. s0 = shares of today's plan.
    Pupils of zone i in collège j in year t:  q[t, i, j] = e[t, i] (p[t, i] s(i, j) + (1 - p[t, i]) s0(i, j)).
    Load:  L[t, j] = sum over i of q[t, i, j].
    m(i, j) = ``minutes``, ``minutes_sans_route`` where infinite; m0(i) = mean of m over today's collèges of the zone.
    moved(i) = half the sum over j of |s(i, j) - s0(i, j)|: 0, 1/2 (one of two shared collèges left) or 1, and 0 where
    the zone had no collège or has none any more (that is priced as ``sans_college``).
    The terms, each one a field of `collèges.resultat.Couts`:

    trajet          sum of w q m x poids_minutes
    trajet_long     sum of w q max(0, m - minutes_max) x poids_minutes_max
    allongement     sum over i, j of w e p s(i, j) max(0, m(i, j) - m0(i) - allongement_max) x poids_allongement,
                    zones with a collège today only
    depart          sum of w e p moved x poids_depart
    sureffectif     sum over t, j of w max(0, L - remplissage_max capacite) x poids_sureffectif
    souseffectif    sum over t, j of w max(0, remplissage_min capacite - L) x poids_souseffectif, finite capacities only
    taille          sum over t, j of w max(0, effectif_min - L) x poids_taille
    sans_college    sum of E over zones with no collège x poids_sans_college
    interdit        sum of E(i) s(i, j) over i, j that are not permitted x poids_interdit. j is not permitted to i when
                    ``interdit[i, j]``, or ``impose[i]`` names another collège, or ``zones_propres`` holds and zone i
                    holds collèges (``college_zone``) but not j, unless j is a collège of i today. ``interdit`` and
                    ``impose`` hold for today's collège too; ``impose`` is stronger than ``zones_propres``.
    ensemble        each group of ``ensemble`` has a reference, its zone with the largest E (the first of equals): sum
                    over the group's zones of E(i) (1 - sum over j of min(s(i, j), s(reference, j))) x poids_ensemble;
                    zones without collège: s = 0
    limite_zones    max(0, zones whose moved > 0 - max_zones) x poids_max_zones
    limite_eleves   max(0, sum of E moved - max_eleves) x poids_max_eleves
    passages        for each pair of groups g != h: max(0, P(g, h) - passages_max[g, h]) x poids_passages with
                    P(g, h) = sum over zones i of g, collèges j of h, of E(i) max(0, s(i, j) - s0(i, j))
    exterieurs      sum over t, j of w max(0, X - part_exterieurs L) x poids_exterieurs, X[t, j] = sum of q[t, i, j]
                    over zones of another group than collège j's (code de l'éducation, L213-8: 10 %)
    ecart_ips       sum over ``college_voisins`` (a, b) of max(0, |I(a) - I(b)| - ecart_ips) x poids_ecart_ips with
                    I(j) = sum of E s(i, j) ips(i) / sum of E s(i, j); pairs with an empty or unknown sector: 0
    dissimilarite   D x poids_dissimilarite, D = half the sum over j of |A(j)/A - B(j)/B|; A(j) = sum of E s(i, j) over
                    zones whose ips is below the block's mean (weights E, all zones with an ips), B(j) = the same over
                    the others with an ips; A, B = sums over j; 0 when A or B is 0
    ips(i) is ``zone_ips``; where unknown (NaN), mean of ``college_ips`` of its collèges of today that are known; where
    still unknown, the zone counts in neither I nor D.

What contiguity means
    Two zones are adjacent when they share a border longer than 0 (``frontiere_m``). The *door* of collège j is
    ``college_zone[j]``, or, for a collège outside any zone (-1), the zone with the least minutes to it (if none is
    finite, the least straight distance; the first of equals). The sector of j (zones with s(i, j) > 0) and its door
    make a graph; zones in the door's connected component are *attached*, even where the door itself belongs to
    another sector (several collèges in one zone; a faulty plan). The others are *islands*.
    A zone in an island of j is *tolerated* when it was in an island of j in today's plan, or ``impose[i] == j``. A plan
    is *contiguous* when every island zone is tolerated; island zones that are not are *cut off*. Cutting off costs
    nothing and is never done by the solver; a plan made by hand may do it and is told so.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

B = NDArray[np.bool_]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]

#: In ``present``, ``impose``, ``ensemble``, ``college_zone`` and plans: none.
AUCUN = -1


class ProblemeInvalide(ValueError):
    """The arrays do not form a problem; the message (French) says which and where."""


@dataclass(frozen=True)
class Regles:
    """Weights (pupil-minutes a unit) and limits of a study. Each limit is a wish with a price, so that there is always
    a plan; the defaults are hypotheses to replace by the département's own.

    poids_minutes        1     per pupil and minute
    minutes_max, poids_minutes_max      inf, 5: per pupil and minute above
    allongement_max, poids_allongement  inf, 5: per pupil and minute of lengthening above (against today)
    minutes_sans_route   240   minutes counted where there is no road
    poids_depart         10    per pupil who changes collège
    poids_sureffectif, poids_souseffectif, poids_taille  60 per pupil above, below, missing
    poids_sans_college, poids_interdit  1,000 per pupil
    poids_ensemble       60    per pupil apart from his group's reference zone
    max_zones, poids_max_zones    inf, 10,000 per zone above; max_eleves, poids_max_eleves  inf, 1,000 per pupil above
    poids_passages       1,000 per pupil above ``passages_max``
    part_exterieurs, poids_exterieurs   0.10 (L213-8), 0: per pupil above
    ecart_ips, poids_ecart_ips    0 points of IPS tolerated, 0: per point and pair of neighbouring collèges
    poids_dissimilarite  0     for an index of 1
    zones_propres        True: a zone that holds collèges goes to one of them, or stays as today
    """

    poids_minutes: float = 1.0
    minutes_max: float = float("inf")
    poids_minutes_max: float = 5.0
    allongement_max: float = float("inf")
    poids_allongement: float = 5.0
    minutes_sans_route: float = 240.0
    poids_depart: float = 10.0
    poids_sureffectif: float = 60.0
    poids_souseffectif: float = 60.0
    poids_taille: float = 60.0
    poids_sans_college: float = 1_000.0
    poids_interdit: float = 1_000.0
    poids_ensemble: float = 60.0
    max_zones: float = float("inf")
    poids_max_zones: float = 10_000.0
    max_eleves: float = float("inf")
    poids_max_eleves: float = 1_000.0
    poids_passages: float = 1_000.0
    part_exterieurs: float = 0.10
    poids_exterieurs: float = 0.0
    ecart_ips: float = 0.0
    poids_ecart_ips: float = 0.0
    poids_dissimilarite: float = 0.0
    zones_propres: bool = True

    def __post_init__(self) -> None:
        infinis = {"minutes_max", "allongement_max", "max_zones", "max_eleves"}
        for champ in fields(self):
            valeur = getattr(self, champ.name)
            if np.isnan(valeur) or valeur < 0 or (champ.name not in infinis and not np.isfinite(valeur)):
                raise ProblemeInvalide(f"{champ.name} : {valeur} (nombre positif attendu)")


@dataclass(frozen=True, eq=False)
class Problem:
    """One block: n zones, C collèges, G groups (départements), T years, m borders. All arrays are made read-only.

    groupes, groupe_noms: G codes (distinct) and names; annees: T labels ("2026").
    Zones
        zone_code (distinct), zone_nom: n texts; zone_groupe (n,) int32 position in ``groupes``.
        zone_x, zone_y (n,) float64 metres EPSG:2154; zone_ips (n,) float64, NaN = unknown.
        eleves (T, n) float64: pupils of public collège age living there, each year.
        part_nouvelle (T, n) float64 in [0, 1]: share of them who follow the new plan (see `phase_in`).
        present (n, 2) int32: today's collège; two for a shared sector; AUCUN (-1) elsewhere (second column first).
        arete (m, 2) int32, each pair of touching zones once; frontiere_m (m,) float64: length of the shared border,
        0 = they touch at a point only: not adjacent.
    Collèges
        college_code (distinct), college_nom: C texts; college_groupe (C,) int32; college_x, college_y (C,) float64.
        college_zone (C,) int32: zone it stands in, AUCUN = outside the block's zones.
        capacite (T, C) float64 pupils, inf = not limited; remplissage_max, remplissage_min (C,) float64 share of it.
        effectif_min (C,) float64 pupils: minimum size (0 = none); college_ips (C,) float64, NaN = unknown.
        college_voisins (k, 2) int32: pairs of neighbouring collèges whose IPS are compared (see `touching_sectors`).
    Between them
        minutes (n, C) float64, one way, inf = no road.
        interdit (n, C) bool: assignments that are refused; impose (n,) int32: collège that a zone must have,
        or AUCUN.
        ensemble (n,) int32: number of the group of zones to keep together, or AUCUN.
        passages_max (G, G) float64: pupils living in the row's group who may be moved to collèges of the column's;
        inf = free, 0 = the solver moves none; the diagonal is not read.
    poids_annee (T,) float64: weight of each year, adding up to 1.
    remarques: French sentences on the data.
    """

    groupes: tuple[str, ...]
    groupe_noms: tuple[str, ...]
    annees: tuple[str, ...]
    zone_code: tuple[str, ...]
    zone_nom: tuple[str, ...]
    zone_groupe: I32
    zone_x: F64
    zone_y: F64
    zone_ips: F64
    eleves: F64
    part_nouvelle: F64
    present: I32
    arete: I32
    frontiere_m: F64
    college_code: tuple[str, ...]
    college_nom: tuple[str, ...]
    college_groupe: I32
    college_x: F64
    college_y: F64
    college_zone: I32
    capacite: F64
    remplissage_max: F64
    remplissage_min: F64
    effectif_min: F64
    college_ips: F64
    college_voisins: I32
    minutes: F64
    interdit: B
    impose: I32
    ensemble: I32
    passages_max: F64
    poids_annee: F64
    regles: Regles = field(default_factory=Regles)
    remarques: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for champ in fields(self):
            valeur = getattr(self, champ.name)
            if isinstance(valeur, np.ndarray):
                # A copy, unless it is frozen already: nobody else may write into a problem.
                if valeur.flags.writeable or not valeur.flags.c_contiguous:
                    valeur = np.ascontiguousarray(valeur).copy()
                    valeur.setflags(write=False)
                object.__setattr__(self, champ.name, valeur)
        validate(self)

    @property
    def n_zones(self) -> int:
        return len(self.zone_code)

    @property
    def n_colleges(self) -> int:
        return len(self.college_code)

    @property
    def n_annees(self) -> int:
        return len(self.annees)

    @property
    def n_groupes(self) -> int:
        return len(self.groupes)


def phase_in(n_annees: int, n_zones: int, niveaux: int = 4) -> F64:
    """``part_nouvelle`` (T, n) when only new 6e pupils follow the plan from the first year on: 1/4, 2/4, 3/4, 1, 1...

    ``niveaux`` is the number of classes of a collège (1 = everybody moves at once).
    """
    parts = np.minimum(1.0, np.arange(1, n_annees + 1, dtype=np.float64) / niveaux)
    return np.repeat(parts[:, None], n_zones, axis=1)


def touching_sectors(present: I32, arete: I32, frontiere_m: F64) -> I32:
    """Pairs of collèges (k, 2), a < b, sorted, whose sectors of today share a border longer than 0."""
    paires = set()
    for a, b in arete[frontiere_m > 0]:
        for j in present[a]:
            for k in present[b]:
                if j >= 0 and k >= 0 and j != k:
                    paires.add((min(int(j), int(k)), max(int(j), int(k))))
    return np.array(sorted(paires), dtype=np.int32).reshape(-1, 2)


#: Axes of each array: t years, n zones, c collèges, g groups, m borders, k pairs of collèges, 2 columns.
_AXES = (
    dict.fromkeys(("zone_groupe", "zone_x", "zone_y", "zone_ips", "impose", "ensemble"), "n")
    | dict.fromkeys(("college_groupe", "college_x", "college_y", "college_zone"), "c")
    | dict.fromkeys(("remplissage_max", "remplissage_min", "effectif_min", "college_ips"), "c")
    | {"eleves": "tn", "part_nouvelle": "tn", "minutes": "nc", "interdit": "nc", "capacite": "tc"}
    | {"passages_max": "gg", "poids_annee": "t", "present": "n2", "arete": "m2", "frontiere_m": "m"}
    | {"college_voisins": "k2"}
)
_ENTIERS = {
    "zone_groupe",
    "impose",
    "ensemble",
    "college_groupe",
    "college_zone",
    "present",
    "arete",
    "college_voisins",
}


def validate(problem: Problem) -> None:
    """Raise `ProblemeInvalide` where a shape, a type, a range or an order is wrong: the first fault, and its place."""
    n, c, g = problem.n_zones, problem.n_colleges, problem.n_groupes
    for nom, codes, noms in (
        ("groupes", problem.groupes, problem.groupe_noms),
        ("zone_code", problem.zone_code, problem.zone_nom),
        ("college_code", problem.college_code, problem.college_nom),
        ("annees", problem.annees, problem.annees),
    ):
        if not codes:
            raise ProblemeInvalide(f"{nom} : aucun code")
        if len(set(codes)) != len(codes):
            raise ProblemeInvalide(f"{nom} : code « {next(k for k in codes if codes.count(k) > 1)} » en double")
        if len(noms) != len(codes):
            raise ProblemeInvalide(f"{nom} : {len(noms)} noms pour {len(codes)} codes")
    _check_shapes(problem)
    _check_ranges(problem)
    for nom, maximum, minimum in (
        ("zone_groupe", g, 0),
        ("college_groupe", g, 0),
        ("college_zone", n, AUCUN),
        ("present", c, AUCUN),
        ("impose", c, AUCUN),
        ("ensemble", np.inf, AUCUN),
        ("arete", n, 0),
        ("college_voisins", c, 0),
    ):
        valeurs = getattr(problem, nom)
        _refuse_any(problem, nom, (valeurs < minimum) | (valeurs >= maximum), "numéro inexistant")
    _check_present(problem)
    if not np.isclose(problem.poids_annee.sum(), 1.0, atol=1e-9):
        raise ProblemeInvalide(f"poids_annee : total de {problem.poids_annee.sum():g} au lieu de 1")
    _check_pairs("arete", problem.arete, problem.zone_code)
    _check_pairs("college_voisins", problem.college_voisins, problem.college_code)
    faux = (problem.impose >= 0) & problem.interdit[np.arange(n), np.maximum(problem.impose, 0)]
    _refuse_any(problem, "impose", faux, "collège imposé et interdit à la fois")


def _refuse_any(problem: Problem, nom: str, faux: B, defaut: str) -> None:
    """Raise `ProblemeInvalide` for the first True of ``faux``, of the shape of the field ``nom``."""
    if not faux.any():
        return
    codes = {"t": problem.annees, "n": problem.zone_code, "c": problem.college_code, "g": problem.groupes}
    mots = {"t": "année", "n": "zone", "c": "collège", "g": "groupe", "m": "limite n°", "k": "paire n°"}
    place = np.argwhere(faux)[0].tolist()
    ou = ", ".join(
        f"{mots[axe]} {codes[axe][rang] if axe in codes else rang + 1}"
        for axe, rang in zip(_AXES[nom], place, strict=True)
        if axe != "2"
    )
    raise ProblemeInvalide(f"{nom} : {defaut} ({ou} : {getattr(problem, nom)[tuple(place)]})")


def _check_pairs(nom: str, paires: I32, codes: tuple[str, ...]) -> None:
    """Two different ends, each pair once, in either order."""
    vus = set()
    for a, b in np.sort(paires, axis=1).tolist():
        if a == b:
            raise ProblemeInvalide(f"{nom} : couple {codes[a]}, {codes[b]} d'un même élément")
        if (a, b) in vus:
            raise ProblemeInvalide(f"{nom} : couple {codes[a]}, {codes[b]} donné plusieurs fois")
        vus.add((a, b))


def _check_shapes(problem: Problem) -> None:
    tailles = {"t": problem.n_annees, "n": problem.n_zones, "c": problem.n_colleges, "g": problem.n_groupes, "2": 2}
    tailles |= {"m": len(problem.arete), "k": len(problem.college_voisins)}
    for nom, axes in _AXES.items():
        valeurs, forme = getattr(problem, nom), tuple(tailles[axe] for axe in axes)
        if valeurs.shape != forme:
            raise ProblemeInvalide(f"{nom} : forme {valeurs.shape} au lieu de {forme}")
        attendu = np.int32 if nom in _ENTIERS else np.bool_ if nom == "interdit" else np.float64
        if valeurs.dtype != attendu:
            raise ProblemeInvalide(f"{nom} : type {valeurs.dtype} au lieu de {np.dtype(attendu)}")


def _check_ranges(problem: Problem) -> None:
    for nom in ("zone_x", "zone_y", "college_x", "college_y"):
        _refuse_any(problem, nom, ~np.isfinite(getattr(problem, nom)), "position absente")
    for nom in ("eleves", "frontiere_m", "remplissage_max", "remplissage_min", "effectif_min", "poids_annee"):
        valeurs = getattr(problem, nom)
        _refuse_any(problem, nom, ~(np.isfinite(valeurs) & (valeurs >= 0)), "valeur négative ou absente")
    for nom in ("minutes", "capacite", "passages_max"):
        _refuse_any(problem, nom, ~(getattr(problem, nom) >= 0), "valeur négative ou absente")
    parts = problem.part_nouvelle
    _refuse_any(problem, "part_nouvelle", ~((parts >= 0) & (parts <= 1)), "part hors de 0 à 1")
    dessus = problem.remplissage_min > problem.remplissage_max
    _refuse_any(problem, "remplissage_min", dessus, "au-dessus de remplissage_max")
    for nom in ("zone_ips", "college_ips"):
        _refuse_any(problem, nom, np.isinf(getattr(problem, nom)), "valeur infinie")


def _check_present(problem: Problem) -> None:
    un, deux = problem.present[:, 0], problem.present[:, 1]
    faux = (deux >= 0) & ((un < 0) | (un == deux))
    _refuse_any(problem, "present", np.stack([faux, faux], axis=1), "second collège sans premier, ou le même")
