"""One regime read as a whole: its blocks' results brought together by commune, by centre, by owner.

Pure module: what pages, layers and exports are made from.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .indicateurs import BANDES_MIN
from .probleme import EXTERIEUR, F64, B
from .resultat import Flux, Resultat, inhabitants, quantile


@dataclass(frozen=True)
class CommuneVue:
    """A commune in one regime. ``minutes`` one way, mean of its points (None = no centre or nobody); ``centre`` the one
    that receives most of its visits ("" = none); ``gain`` in minutes against staying alone, None = no meaning."""

    code: str
    nom: str
    epci: str
    epci_nom: str
    collectivite: str
    collectivite_nom: str
    population: float
    minutes: float | None
    km: float | None
    centre: str
    centre_nom: str
    gain: float | None
    x: float
    y: float


@dataclass(frozen=True)
class CentreVue:
    """A centre in one regime, all blocks together. ``capacite`` None = not limited; ``voisins``: visits by inhabitants
    of another collectivité; ``compte``: lies in the communes studied; ``depenses``: fixed and per-visit running costs,
    €/year."""

    code: str
    nom: str
    proprietaire: str
    proprietaire_nom: str
    collectivite: str
    collectivite_nom: str
    capacite: float | None
    visites: float
    voisins: float
    depenses: float
    ouvert: bool
    ouvert_base: bool
    compte: bool
    fictif: bool
    x: float
    y: float

    @property
    def charge(self) -> float | None:
        """Visits over capacity, None where not limited."""
        return None if self.capacite is None or self.capacite <= 0 else self.visites / self.capacite


@dataclass(frozen=True)
class Bandes:
    """Inhabitants by time band for one collectivité or for all: ``habitants[k]`` up to BANDES_MIN[k] and above the one
    before, the last above all; ``sans`` without centre; minutes one way (None where nobody has a centre)."""

    habitants: tuple[float, ...]
    sans: float
    moyenne: float | None
    p90: float | None
    maximum: float | None


@dataclass(frozen=True)
class FluxVue:
    """Visits of one commune at one centre; ``franchit``: they cross the limit between collectivités of the study."""

    commune: str
    commune_nom: str
    epci: str
    epci_nom: str
    centre: str
    centre_nom: str
    proprietaire: str
    proprietaire_nom: str
    visites: float
    minutes: float
    franchit: bool
    depart: tuple[float, float]
    arrivee: tuple[float, float]


def communes(resultats: Iterable[Resultat], scenario: str = "courant") -> dict[str, CommuneVue]:
    """Communes by code, in order of code."""
    vues: dict[str, CommuneVue] = {}
    for r in resultats:
        # Communes in order of their first point, and that point.
        premiers: dict[str, int] = {}
        rang = np.array([premiers.setdefault(code, len(premiers)) for code in r.point_commune], dtype=np.int64)
        _, un_point = np.unique(rang, return_index=True)
        n = len(premiers)
        minutes, km = _means(r, r.flux[scenario], rang, n)
        seul, _ = _means(r, r.flux["seul"], rang, n)
        population = np.bincount(rang, weights=r.population, minlength=n)
        # Where inhabitants are: the mean of their points (the mairie itself where the commune is one point).
        poids = np.where(population[rang] > 0, r.population, 1.0)
        total = np.bincount(rang, weights=poids, minlength=n)
        x = np.bincount(rang, weights=poids * r.point_x, minlength=n) / total
        y = np.bincount(rang, weights=poids * r.point_y, minlength=n) / total
        principal = _main_centre(r.flux[scenario], rang, n, r.n_centres)
        for code, k in premiers.items():
            i = int(un_point[k])
            j = int(principal[k])
            vues[code] = CommuneVue(
                code=code,
                nom=r.point_nom[i],
                epci=r.point_epci[i],
                epci_nom=r.point_epci_nom[i],
                collectivite=r.groupes[r.point_groupe[i]],
                collectivite_nom=r.noms[r.point_groupe[i]],
                population=float(population[k]),
                minutes=_known(minutes[k]),
                km=_known(km[k]),
                centre=r.centre_code[j] if j >= 0 else "",
                centre_nom=r.centre_nom[j] if j >= 0 else "",
                gain=_known(seul[k] - minutes[k]),
                x=float(x[k]),
                y=float(y[k]),
            )
    return dict(sorted(vues.items()))


def _known(valeur: float) -> float | None:
    return float(valeur) if np.isfinite(valeur) else None


def _means(r: Resultat, flux: Flux, rang: np.ndarray, n: int) -> tuple[F64, F64]:
    """Mean minutes and km of each commune's visits, NaN where it has none."""
    ici = rang[flux.point]
    visites = np.bincount(ici, weights=flux.visites, minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        minutes = np.bincount(ici, weights=flux.visites * flux.minutes, minlength=n) / visites
        km = np.bincount(ici, weights=flux.visites * flux.km, minlength=n) / visites
    return minutes, km


def _main_centre(flux: Flux, rang: np.ndarray, n: int, c: int) -> np.ndarray:
    """Centre (of c) that receives most of each commune's visits, -1 = none; ties go to the first code."""
    if not c:
        return np.full(n, -1)
    table = np.bincount(rang[flux.point] * c + flux.centre, weights=flux.visites, minlength=n * c).reshape(n, c)
    return np.where(table.max(axis=1) > 0, table.argmax(axis=1), -1)


def centres(resultats: Iterable[Resultat], scenario: str = "courant") -> dict[str, CentreVue]:
    """Centres by code, in order of code; one that several blocks may use is counted once, with all its visits."""
    vues: dict[str, CentreVue] = {}
    for r in resultats:
        flux = r.flux[scenario]
        visites = np.bincount(flux.centre, weights=flux.visites, minlength=r.n_centres)
        ailleurs = r.point_groupe[flux.point] != r.centre_groupe[flux.centre]
        voisins = np.bincount(flux.centre[ailleurs], weights=flux.visites[ailleurs], minlength=r.n_centres)
        ouverts = r.actif_base if scenario == "base" else r.actif
        for j, code in enumerate(r.centre_code):
            g = int(r.centre_groupe[j])
            avant = vues.get(code)
            limite = float(r.capacite[j]) if np.isfinite(r.capacite[j]) else None
            if avant is not None and (avant.capacite is None or limite is None):
                limite = None
            elif avant is not None and limite is not None:
                limite += avant.capacite or 0.0
            dehors = g == EXTERIEUR
            vues[code] = CentreVue(
                code=code,
                nom=r.centre_nom[j],
                proprietaire=r.proprietaire[j],
                proprietaire_nom=r.proprietaire_nom[j],
                collectivite=(avant.collectivite if avant else "") if dehors else r.groupes[g],
                collectivite_nom=(avant.collectivite_nom if avant else "hors de l'étude") if dehors else r.noms[g],
                capacite=limite,
                visites=float(visites[j]) + (avant.visites if avant else 0.0),
                voisins=float(voisins[j]) + (avant.voisins if avant else 0.0),
                depenses=float(r.cout_fixe[j]) * bool(ouverts[j])
                + r.couts.euro_visite * float(visites[j])
                + (avant.depenses if avant else 0.0),
                ouvert=bool(ouverts[j]),
                ouvert_base=bool(r.actif_base[j]),
                compte=bool(r.compte[j]) or (avant is not None and avant.compte),
                fictif=bool(r.fictif[j]),
                x=float(r.centre_x[j]),
                y=float(r.centre_y[j]),
            )
    return dict(sorted(vues.items()))


def bands(resultats: Sequence[Resultat], collectivite: str | None = None, scenario: str = "courant") -> Bandes:
    """Inhabitants by time band, of one collectivité (code) or of all; exact over all blocks."""
    minutes, habitants, sans = [], [], 0.0
    for r in resultats:
        flux = r.flux[scenario]
        points: B = np.ones(r.n_points, dtype=np.bool_)
        if collectivite is not None:
            points = np.array([r.groupes[g] == collectivite for g in r.point_groupe], dtype=np.bool_)
        ici = points[flux.point]
        minutes.append(flux.minutes[ici])
        habitants.append(inhabitants(r, scenario)[ici])
        sans += float(r.population[points & (flux.sans_centre > 0)].sum())
    m, h = np.concatenate(minutes), np.concatenate(habitants)
    limites = (0.0, *BANDES_MIN, np.inf)
    parts = tuple(
        float(h[(m > bas if bas else m >= 0) & (m <= haut)].sum()) for bas, haut in itertools.pairwise(limites)
    )
    if not h.sum():
        return Bandes(parts, sans, None, None, None)
    return Bandes(parts, sans, float(h @ m / h.sum()), quantile(m, h, 0.9), float(m[h > 0].max()))


def flows(resultats: Iterable[Resultat], scenario: str = "courant") -> list[FluxVue]:
    """Visits by commune and centre, in order of codes."""
    vues: dict[tuple[str, str], FluxVue] = {}
    lieux = communes(resultats := list(resultats), scenario)
    for r in resultats:
        flux = r.flux[scenario]
        for i, j, visites, minutes in zip(
            flux.point.tolist(), flux.centre.tolist(), flux.visites.tolist(), flux.minutes.tolist(), strict=True
        ):
            commune = lieux[r.point_commune[i]]
            cle = (commune.code, r.centre_code[j])
            avant = vues.get(cle)
            total = visites + (avant.visites if avant else 0.0)
            vues[cle] = FluxVue(
                commune=commune.code,
                commune_nom=commune.nom,
                epci=commune.epci or commune.collectivite,
                epci_nom=commune.epci_nom or commune.collectivite_nom,
                centre=r.centre_code[j],
                centre_nom=r.centre_nom[j],
                proprietaire=r.proprietaire[j],
                proprietaire_nom=r.proprietaire_nom[j],
                visites=total,
                minutes=(minutes * visites + (avant.minutes * avant.visites if avant else 0.0)) / total,
                franchit=int(r.point_groupe[i]) != int(r.centre_groupe[j]),
                depart=(commune.x, commune.y),
                arrivee=(float(r.centre_x[j]), float(r.centre_y[j])),
            )
    return [vues[cle] for cle in sorted(vues)]


@dataclass(frozen=True)
class Contribution:
    """What one owner or EPCI spends and what each key would make it pay, €/year; ``transferts`` = contribution minus
    what it spends: positive pays, negative receives; each key's transfers add up to zero."""

    code: str
    nom: str
    depenses: float
    habitants: float
    centres: int
    visites: float
    contributions: dict[str, float]

    @property
    def transferts(self) -> dict[str, float]:
        return {cle: montant - self.depenses for cle, montant in self.contributions.items()}


#: Keys of contribution: code -> French title.
CLES = {"habitants": "au prorata des habitants", "centres": "au prorata des déchetteries", "usage": "selon l'usage"}


def contributions(resultats: Sequence[Resultat]) -> list[Contribution]:
    """Running costs shared between EPCI (or owners that are none), by each key.

    Owners that the study neither serves nor charges (all of theirs lies outside it) are left out.
    "centres" is Touraine's rule: in proportion to the number of centres. "usage": each centre's cost is shared as its
    visits are. Communes without EPCI count for their collectivité.
    """
    noms: dict[str, str] = {}
    depenses: dict[str, float] = defaultdict(float)
    mesures: dict[str, dict[str, float]] = {cle: defaultdict(float) for cle in CLES}
    visites: dict[str, float] = defaultdict(float)
    for commune in communes(resultats).values():
        cle = commune.epci or commune.collectivite
        noms.setdefault(cle, commune.epci_nom or commune.collectivite_nom)
        mesures["habitants"][cle] += commune.population
    vues = centres(resultats)
    for centre in vues.values():
        noms.setdefault(centre.proprietaire, centre.proprietaire_nom)
        depenses[centre.proprietaire] += centre.depenses
        mesures["centres"][centre.proprietaire] += float(centre.ouvert and centre.compte)
        if not centre.visites:
            # Nobody goes there: its cost stays with its owner.
            mesures["usage"][centre.proprietaire] += centre.depenses
    for flux in flows(resultats):
        centre = vues[flux.centre]
        visites[flux.epci] += flux.visites
        mesures["usage"][flux.epci] += centre.depenses * flux.visites / centre.visites
    total = sum(depenses.values())
    sommes = {cle: sum(valeurs.values()) for cle, valeurs in mesures.items()}
    return [
        Contribution(
            code=code,
            nom=noms[code],
            depenses=depenses[code],
            habitants=mesures["habitants"][code],
            centres=int(mesures["centres"][code]),
            visites=visites[code],
            contributions={
                cle: total * valeurs[code] / sommes[cle] for cle, valeurs in mesures.items() if sommes[cle] > 0
            },
        )
        for code in sorted(noms)
        if mesures["habitants"][code] or mesures["centres"][code] or visites[code] or depenses[code]
    ]
