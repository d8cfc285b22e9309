"""All that the siting solver may see of one block: demand, sites and their levels, minutes, rules, what is minimised.

Pure module: numpy only. This page is the definition of the problem: the solver, the independent checker and the
brute force of the tests are all written from it.

Vocabulary
    demand: a place with inhabitants (D of them). Its weight is ``populations @ mix``; a demand of weight 0 is ignored
    by every constraint and by the objective ("active" = weight > 0).
    site: a place where a reception point may stand (S). level: one way of opening a site, with its own capacity and
    costs (L, at least one a site): a fixed office, or an itinerant permanence of so many half-days a week. At most one
    level of a site is open; the site is then open.

Who may serve whom
    ``level_minutes(problem)[i, l]`` = ``minutes[i, site of l] + attente[l]``; `inf` (may not serve) where unreachable,
    where it exceeds ``minutes_max`` and where the level may not open. A level may not open when its site is `INTERDIT`,
    or when ``pmr_exige`` and its site is a `CANDIDAT` without access for disabled people. `TOLERANCE_MINUTES` is
    granted to every comparison with ``seuil`` and ``minutes_max``.

Answer
    open levels, and flows (demand, level, share of the demand). Shares of one demand add up to at most 1.
    capacities AUCUNE: a served demand goes entirely to one open level, of least minutes among the open ones (ties:
    least level index). UNIQUE: entirely to one open level, any. PARTAGEE: shared between open levels at will.
    Under UNIQUE and PARTAGEE the sum over a level of ``volume * share`` (active demands only) is at most its capacity.
    covered weight = sum of ``weight * share`` over flows of at most ``seuil`` minutes.
    radius = most minutes of a flow of an active demand (a part unserved counts ``minutes_non_servi``).

Constraints, for every model
    sites_min <= number of open sites <= sites_max; every `REQUIS` site is open;
    sum of ``cout_ouverture`` of open levels <= budget_ouverture, same with ``cout_annuel`` and budget_annuel (an
    existing site costs what its arrays say: give 0 as opening cost of what stands already);
    open sites in group g >= sites_min_groupe[g];
    covered weight of group g >= part_min_groupe[g] * weight of group g (groups of weight 0 are ignored); equite_min is
    the same for all groups at once; covered weight >= part_min * weight;
    no flow above minutes_max.

What a `Modele` minimises; ``terms`` = poids_ouverture * opening costs + poids_annuel * yearly costs
+ equite_poids * (1 - covered share of the worst-off group)
    MEDIANE: sum of ``weight * share * minutes`` + terms. Every active demand is served entirely, or, where
    ``minutes_non_servi`` is given, what is not served counts so many minutes.
    COUVERTURE_MAX: weight not covered + terms. Demands need not be served.
    COUVERTURE_TOTALE: number of open sites + terms, with a covered weight of at least ``part_min`` (all of it when
    None) of the weight: with None or 1, every active demand is covered entirely.
    CENTRE: the radius, no terms (they must be 0). Every active demand is served as in MEDIANE.
    CENTRE_PUIS_MEDIANE: first the least radius R as in CENTRE, then MEDIANE among the answers of radius at most R; the
    objective told is that of MEDIANE, R is told apart.
    Under AUCUNE the flows follow from the open levels: every demand, active or not, needed by the model or not, goes to
    its nearest open level, unless none may serve it or, in MEDIANE and CENTRE*, this is farther than minutes_non_servi
    (which is never less than ``seuil``). Under UNIQUE and PARTAGEE a demand of weight 0 never has a flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

B = NDArray[np.bool_]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I8 = NDArray[np.int8]
I16 = NDArray[np.int16]
I32 = NDArray[np.int32]

#: Minutes granted to comparisons with a threshold: more than float32 loses on a day of travel (6e-5), so that a trip of
#: 32.4 min is within 32.4 min.
TOLERANCE_MINUTES = 1e-4
#: ``site_groupe`` of a site that belongs to no collectivité of the block.
EXTERIEUR = -1


class ProblemeInvalide(ValueError):
    """The arrays do not form a problem; the message (French) says which and where."""


class Modele(StrEnum):
    """What is minimised: see the module's text."""

    MEDIANE = "mediane"
    COUVERTURE_MAX = "couverture_max"
    COUVERTURE_TOTALE = "couverture_totale"
    CENTRE = "centre"
    CENTRE_PUIS_MEDIANE = "centre_puis_mediane"


class Etat(IntEnum):
    """State of a site. EXISTANT may close (and says so as a broken wish); REQUIS is open; INTERDIT is closed."""

    CANDIDAT = 0
    EXISTANT = 1
    REQUIS = 2
    INTERDIT = 3


class Capacites(StrEnum):
    """Whether capacities count, and whether a demand may be shared between several levels."""

    AUCUNE = "aucune"
    UNIQUE = "unique"
    PARTAGEE = "partagee"


@dataclass(frozen=True, eq=False)
class Problem:
    """One block. Made by `make_problem` (which fills what is not given) or directly; always validated.

    Groups (collectivités)
        groupes, noms: G codes (distinct) and names.
    Demands
        demande_code: D texts; demande_groupe (D,) int16, position in ``groupes``;
        populations (D, K) float64 >= 0; population_noms: K texts; mix (K,) float64 >= 0, weight of one inhabitant of
        each population; volume (D,) float64 >= 0, what the demand takes of a capacity.
    Sites
        site_code, site_nom, site_genre: S texts (genre: mairie, France services, bus...);
        site_groupe (S,) int16, EXTERIEUR = none; etat (S,) int8, `Etat`; pmr (S,) bool, accessible.
        minutes (D, S) float32 >= 0, one way, inf = unreachable.
    Levels, sorted by site
        niveau_site (L,) int32; demi_journees (L,) float64, half-days open a week (0 = not said);
        capacite (L,) float64 in units of ``volume``, inf = no limit; cout_ouverture, cout_annuel (L,) float64 euro;
        attente (L,) float64 minutes added to every trip to this level (0: none).
    Rules: see the module's text; None = no such rule.
    """

    modele: Modele
    groupes: tuple[str, ...]
    noms: tuple[str, ...]
    demande_code: tuple[str, ...]
    demande_groupe: I16
    populations: F64
    population_noms: tuple[str, ...]
    mix: F64
    volume: F64
    site_code: tuple[str, ...]
    site_nom: tuple[str, ...]
    site_genre: tuple[str, ...]
    site_groupe: I16
    etat: I8
    pmr: B
    minutes: F32
    niveau_site: I32
    demi_journees: F64
    capacite: F64
    cout_ouverture: F64
    cout_annuel: F64
    attente: F64
    capacites: Capacites = Capacites.AUCUNE
    sites_min: int = 0
    sites_max: int | None = None
    budget_ouverture: float | None = None
    budget_annuel: float | None = None
    seuil: float | None = None
    minutes_max: float | None = None
    minutes_non_servi: float | None = None
    part_min: float | None = None
    part_min_groupe: F64 | None = None
    equite_min: float | None = None
    sites_min_groupe: I32 | None = None
    pmr_exige: bool = False
    poids_ouverture: float = 0.0
    poids_annuel: float = 0.0
    equite_poids: float = 0.0

    def __post_init__(self) -> None:
        validate(self)

    @property
    def n_demandes(self) -> int:
        return len(self.demande_code)

    @property
    def n_sites(self) -> int:
        return len(self.site_code)

    @property
    def n_niveaux(self) -> int:
        return len(self.niveau_site)


def weights(problem: Problem) -> F64:
    """Weight of each demand, (D,): its populations through the mix."""
    return np.asarray(problem.populations @ problem.mix, dtype=np.float64)


def may_open(problem: Problem) -> B:
    """Levels (L,) that may be open: see the module's text."""
    etat = problem.etat
    possible = etat != Etat.INTERDIT
    if problem.pmr_exige:
        possible &= problem.pmr | (etat != Etat.CANDIDAT)
    return np.asarray(possible[problem.niveau_site], dtype=np.bool_)


def level_minutes(problem: Problem) -> F64:
    """Minutes (D, L) float64 from each demand to each level, inf where it may not serve."""
    trajet = problem.minutes[:, problem.niveau_site].astype(np.float64)
    trajet += problem.attente
    interdit = ~may_open(problem)
    if interdit.any():
        trajet[:, interdit] = np.inf
    if problem.minutes_max is not None:
        trajet[trajet > problem.minutes_max + TOLERANCE_MINUTES] = np.inf
    return trajet


def group_share_min(problem: Problem) -> F64:
    """Least covered share that each group must have, (G,): the larger of its own and of the one for all."""
    part = np.zeros(len(problem.groupes))
    if problem.part_min_groupe is not None:
        part = np.maximum(part, problem.part_min_groupe)
    if problem.equite_min is not None:
        part = np.maximum(part, problem.equite_min)
    return part


def make_problem(
    minutes: ArrayLike,
    modele: Modele = Modele.MEDIANE,
    *,
    poids: ArrayLike | None = None,
    niveau_site: ArrayLike | None = None,
    **champs: object,
) -> Problem:
    """A `Problem` from its matrix (D, S) and what differs from the plainest one: one group, one population of weight
    ``poids`` (D,) (1 by default), candidates of one level without cost nor limit, volume = weight.

    Every other keyword is a field of `Problem`. Raises `ProblemeInvalide`.
    """
    matrice = np.asarray(minutes, dtype=np.float32)
    if matrice.ndim != 2:
        raise ProblemeInvalide(f"minutes : {matrice.ndim} dimensions au lieu de 2")
    d, s = matrice.shape
    niveaux = np.arange(s, dtype=np.int32) if niveau_site is None else np.asarray(niveau_site, dtype=np.int32)
    n = len(niveaux)
    valeurs: dict[str, object] = {
        "groupes": ("",),
        "demande_code": tuple(str(i) for i in range(d)),
        "demande_groupe": np.zeros(d),
        "populations": np.ones((d, 1)) if poids is None else np.asarray(poids, dtype=np.float64).reshape(d, 1),
        "site_code": tuple(str(j) for j in range(s)),
        "site_genre": ("",) * s,
        "site_groupe": np.zeros(s),
        "etat": np.full(s, Etat.CANDIDAT),
        "pmr": np.ones(s),
        "demi_journees": np.zeros(n),
        "capacite": np.full(n, np.inf),
        "cout_ouverture": np.zeros(n),
        "cout_annuel": np.zeros(n),
        "attente": np.zeros(n),
    } | champs
    populations = np.asarray(valeurs["populations"], dtype=np.float64)
    if populations.ndim != 2:
        raise ProblemeInvalide(f"populations : {populations.ndim} dimensions au lieu de 2")
    k = populations.shape[1]
    valeurs.setdefault("noms", valeurs["groupes"])
    valeurs.setdefault("site_nom", valeurs["site_code"])
    valeurs.setdefault("population_noms", tuple(f"population {rang + 1}" for rang in range(k)))
    valeurs.setdefault("mix", np.ones(k))
    mix = np.asarray(valeurs["mix"], dtype=np.float64)
    if "volume" not in valeurs:
        valeurs["volume"] = populations @ mix if mix.shape == (k,) else np.zeros(d)
    valeurs |= {"modele": modele, "minutes": matrice, "niveau_site": niveaux}
    for nom, genre in _TYPES.items():
        if valeurs.get(nom) is not None:
            valeurs[nom] = np.asarray(valeurs[nom]).astype(genre)
    for nom in _TEXTES:
        valeurs[nom] = tuple(valeurs[nom])  # type: ignore[arg-type]
    return Problem(**valeurs)  # type: ignore[arg-type]


_TEXTES = ("groupes", "noms", "demande_code", "population_noms", "site_code", "site_nom", "site_genre")
_TYPES: dict[str, type[np.generic]] = {
    "demande_groupe": np.int16,
    "populations": np.float64,
    "mix": np.float64,
    "volume": np.float64,
    "site_groupe": np.int16,
    "etat": np.int8,
    "pmr": np.bool_,
    "minutes": np.float32,
    "niveau_site": np.int32,
    "demi_journees": np.float64,
    "capacite": np.float64,
    "cout_ouverture": np.float64,
    "cout_annuel": np.float64,
    "attente": np.float64,
    "part_min_groupe": np.float64,
    "sites_min_groupe": np.int32,
}
_POSITIFS = ("populations", "mix", "volume", "demi_journees", "cout_ouverture", "cout_annuel", "attente")
_POIDS = ("poids_ouverture", "poids_annuel", "equite_poids")


def validate(problem: Problem) -> None:
    """Raise `ProblemeInvalide` where a shape, a type, a range or an order is wrong."""
    d, s, n = problem.n_demandes, problem.n_sites, problem.n_niveaux
    g, k = len(problem.groupes), len(problem.population_noms)
    if not d or not s:
        raise ProblemeInvalide("il faut au moins un point de demande et un site")
    for nom, codes in (
        ("groupes", problem.groupes),
        ("demande_code", problem.demande_code),
        ("site_code", problem.site_code),
    ):
        if len(set(codes)) != len(codes) or not codes:
            raise ProblemeInvalide(f"{nom} : codes absents ou en double")
    for nom, textes, combien in (
        ("noms", problem.noms, g),
        ("site_nom", problem.site_nom, s),
        ("site_genre", problem.site_genre, s),
    ):
        if len(textes) != combien:
            raise ProblemeInvalide(f"{nom} : {len(textes)} textes au lieu de {combien}")
    formes: dict[str, tuple[int, ...]] = {
        "demande_groupe": (d,),
        "populations": (d, k),
        "mix": (k,),
        "volume": (d,),
        "minutes": (d, s),
        "part_min_groupe": (g,),
        "sites_min_groupe": (g,),
    }
    formes |= dict.fromkeys(("site_groupe", "etat", "pmr"), (s,))
    formes |= dict.fromkeys(
        ("niveau_site", "demi_journees", "capacite", "cout_ouverture", "cout_annuel", "attente"), (n,)
    )
    for nom, genre in _TYPES.items():
        tableau = getattr(problem, nom)
        if tableau is None:
            continue
        if tableau.shape != formes[nom]:
            raise ProblemeInvalide(f"{nom} : forme {tableau.shape} au lieu de {formes[nom]}")
        if tableau.dtype != np.dtype(genre):
            raise ProblemeInvalide(f"{nom} : type {tableau.dtype} au lieu de {np.dtype(genre)}")
    for nom in _POSITIFS:
        valeurs = getattr(problem, nom)
        if not np.all(np.isfinite(valeurs)) or np.any(valeurs < 0):
            raise ProblemeInvalide(f"{nom} : valeur négative ou absente")
    for nom in ("minutes", "capacite"):
        valeurs = getattr(problem, nom)
        if np.any(np.isnan(valeurs)) or np.any(valeurs < 0):
            raise ProblemeInvalide(f"{nom} : valeur négative ou absente")
    if np.any(np.diff(problem.niveau_site) < 0) or not np.array_equal(np.unique(problem.niveau_site), np.arange(s)):
        raise ProblemeInvalide("niveau_site : niveaux non triés par site, ou site sans niveau")
    if problem.demande_groupe.min() < 0 or problem.demande_groupe.max() >= g:
        raise ProblemeInvalide("demande_groupe : collectivité inexistante")
    if problem.site_groupe.min() < EXTERIEUR or problem.site_groupe.max() >= g:
        raise ProblemeInvalide("site_groupe : collectivité inexistante")
    if problem.etat.min() < Etat.CANDIDAT or problem.etat.max() > Etat.INTERDIT:
        raise ProblemeInvalide("etat : valeur inconnue")
    _validate_rules(problem)


def _validate_rules(problem: Problem) -> None:
    if problem.sites_min < 0 or (problem.sites_max is not None and problem.sites_max < problem.sites_min):
        raise ProblemeInvalide(f"nombre de sites : de {problem.sites_min} à {problem.sites_max}")
    for nom in ("budget_ouverture", "budget_annuel", "seuil", "minutes_max", "minutes_non_servi", *_POIDS):
        valeur = getattr(problem, nom)
        if valeur is not None and not (np.isfinite(valeur) and valeur >= 0):
            raise ProblemeInvalide(f"{nom} : {valeur} (nombre positif attendu)")
    for nom in ("part_min", "equite_min"):
        valeur = getattr(problem, nom)
        if valeur is not None and not 0 <= valeur <= 1:
            raise ProblemeInvalide(f"{nom} : {valeur} (part de 0 à 1 attendue)")
    parts = problem.part_min_groupe
    if parts is not None and not np.all((parts >= 0) & (parts <= 1)):
        raise ProblemeInvalide("part_min_groupe : parts de 0 à 1 attendues")
    if problem.sites_min_groupe is not None and problem.sites_min_groupe.min() < 0:
        raise ProblemeInvalide("sites_min_groupe : nombre négatif")
    seuil, non_servi = problem.seuil, problem.minutes_non_servi
    if seuil is not None and non_servi is not None and non_servi < seuil:
        raise ProblemeInvalide("minutes_non_servi : moins que le seuil de couverture")
    couverture = problem.modele in (Modele.COUVERTURE_MAX, Modele.COUVERTURE_TOTALE)
    demande_part = problem.part_min is not None or parts is not None or problem.equite_min is not None
    if problem.seuil is None and (couverture or demande_part or problem.equite_poids > 0):
        raise ProblemeInvalide("seuil : temps de couverture à donner (en minutes)")
    if problem.modele is Modele.CENTRE and any(getattr(problem, nom) > 0 for nom in _POIDS):
        raise ProblemeInvalide(
            "le temps du plus éloigné ne s'ajoute pas à des coûts : choisissez « centre puis médiane »"
        )
