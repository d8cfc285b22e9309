"""How many pupils each zone will have: cohorts that go up one class a year, at rates fitted on past years. Pure module.

Each year the pupils of a class become those of the next one, multiplied by a passage rate (moves in and out, private
schools, repeated years): 6e from the CM2 of the year before, or from births, then 5e, 4e, 3e. This is the
cohort-survival (grade progression) method that school authorities use.

A small zone's rate is mostly chance. It is drawn towards the département's by the global empirical Bayes estimator of
R. J. Marshall, "Mapping disease and mortality rates using empirical Bayes estimators", Journal of the Royal
Statistical Society, series C, 40 (2), 1991, p. 283-294. With n_z pupils of whom y_z are found one year later,
x_z = y_z / n_z:

    m = sum y / sum n                            rate of the département
    s2 = sum n (x - m)^2 / sum n                 spread of the zones' rates
    A = max(0, s2 - m / mean(n))                 what is left of it when Poisson's chance is taken away
    w_z = A / (A + m / n_z)                      weight of the zone's own rate (0 without pupils)
    r_z = m + w_z (x_z - m),  var(r_z) = A (1 - w_z)

Forecasts carry a variance of two kinds. The error of a rate is the same in every class and year the rate is applied to
(`fit_two_counts` has one for the three passages, and each serves every year): the derivative d of the forecast with
respect to each estimated rate goes up with the cohorts, and gives d^2 var(r) by the delta method, d being summed over
the classes before it is squared where they are added up. Poisson's chance is drawn anew for each class and year:
var' = r^2 var + r e. ``bas`` and ``haut`` are the central value less and plus 1.2816 standard deviations: eight years
out of ten between them if the rates stay what they were. An error common to the whole département (births, economy)
is not in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .probleme import F64

#: Classes of a collège, in order.
NIVEAUX = ("6e", "5e", "4e", "3e")
#: Standard deviations on either side of the central value: 80 % of a normal law.
ECARTS_80 = 1.2815515655446004


class PrevisionImpossible(ValueError):
    """The counts do not form a history; the message (French) says which and why."""


@dataclass(frozen=True, eq=False)
class Taux:
    """Passage rates of Z zones: ``valeur`` (Z,) after shrinkage, ``variance`` (Z,), ``poids`` (Z,) of the zone's own
    rate in [0, 1], ``moyenne`` the département's, ``dispersion`` A: variance between zones."""

    valeur: F64
    variance: F64
    poids: F64
    moyenne: float
    dispersion: float

    def common(self) -> Taux:
        """The département's rate for every zone, whose own differences are left to the variance."""
        n = len(self.valeur)
        return Taux(np.full(n, self.moyenne), np.full(n, self.dispersion), np.zeros(n), self.moyenne, self.dispersion)


@dataclass(frozen=True, eq=False)
class Modele:
    """``entree``: rate from those who come (CM2, births, or the zone's usual 6e) to 6e; ``passages``: 6e to 5e,
    5e to 4e, 4e to 3e.

    One rate estimated for several of them is one and the same `Taux`: its error is then theirs together."""

    entree: Taux
    passages: tuple[Taux, Taux, Taux]


@dataclass(frozen=True)
class Logements:
    """Dwellings delivered in a zone, entered by hand.

    zone: index; annee: rank of the forecast year (0 = the first) in which their pupils are first seen; nombre:
    dwellings (negative: pulled down); eleves_par_logement: pupils of public collège age for each, all four classes
    together: 0.15 to 0.35 according to size and tenure: the collectivité's own surveys say; repartition: their shares
    of the four classes, which add up to 1.

    The yield is steady: from that year on, every year, each class has its share of it, 6e included. Households go on
    having children and moving in and out: those who leave 3e are replaced. New estates begin with young families and
    peak some years later; a yield that ages is entered as several lots. Those who may enter 6e (CM2, births) must be
    counted without these dwellings' children, or they are counted twice.
    """

    zone: int
    annee: int
    nombre: float
    eleves_par_logement: float
    repartition: tuple[float, float, float, float] = (0.25, 0.25, 0.25, 0.25)


@dataclass(frozen=True, eq=False)
class Prevision:
    """Pupils of each year, zone and class, (H, Z, 4); 0 <= bas <= central <= haut.

    ``ecart`` (H, Z): standard deviation of the zone's pupils, all classes; `totals` gives the three scenarios of it.
    """

    bas: F64
    central: F64
    haut: F64
    ecart: F64

    def totals(self) -> dict[str, F64]:
        """Pupils of all classes, (H, Z), of the scenarios "bas", "central" and "haut" (what a `Problem` takes)."""
        total = self.central.sum(axis=2)
        marge = ECARTS_80 * self.ecart
        return {"bas": np.maximum(total - marge, 0.0), "central": total, "haut": total + marge}


def shrunk_rates(avant: F64, apres: F64) -> Taux:
    """Rates from ``avant`` (Z,) to ``apres`` (Z,), pupils; zones without pupils before take the département's.

    Raises `PrevisionImpossible` for counts that are negative or absent, or when nobody was there before.
    """
    n, y = np.asarray(avant, dtype=np.float64), np.asarray(apres, dtype=np.float64)
    if n.ndim != 1 or n.shape != y.shape:
        raise PrevisionImpossible(f"effectifs de deux années : formes {n.shape} et {y.shape}")
    for valeurs in (n, y):
        if not np.all(np.isfinite(valeurs)) or np.any(valeurs < 0):
            raise PrevisionImpossible("effectifs : valeur négative ou absente")
    if n.sum() <= 0:
        raise PrevisionImpossible("taux de passage : aucun élève l'année de départ")
    # Those who appear where nobody was belong to no rate of a zone, but to the département's.
    moyenne = float(y.sum() / n.sum())
    vues = n > 0
    x = np.full(len(n), moyenne)
    x[vues] = y[vues] / n[vues]
    dispersion = float(n @ (x - moyenne) ** 2) / float(n.sum())
    a = max(0.0, dispersion - moyenne / float(n[vues].mean()))
    poids = np.zeros(len(n))
    if a > 0:
        poids[vues] = a / (a + moyenne / n[vues])
    return Taux(moyenne + poids * (x - moyenne), a * (1.0 - poids), poids, moyenne, a)


def _several_years(avant: F64, apres: F64) -> Taux:
    """The same from pairs of years (T, Z) added up."""
    return shrunk_rates(avant.sum(axis=0), apres.sum(axis=0))


def fit(entrants: F64, effectifs: F64) -> Modele:
    """Rates of a history of T >= 2 consecutive years.

    effectifs (T, Z, 4): pupils by class. entrants (T - 1, Z): those who may enter 6e in the years 1 to T - 1: the CM2
    of the year before, or the births eleven years before. Raises `PrevisionImpossible`.
    """
    effectifs = np.asarray(effectifs, dtype=np.float64)
    if effectifs.ndim != 3 or effectifs.shape[2] != len(NIVEAUX) or len(effectifs) < 2:
        raise PrevisionImpossible(f"effectifs : forme {effectifs.shape} au lieu de (2 années ou plus, zones, 4)")
    entrants = np.asarray(entrants, dtype=np.float64)
    if entrants.shape != (len(effectifs) - 1, effectifs.shape[1]):
        raise PrevisionImpossible(f"entrants : forme {entrants.shape} au lieu d'une année de moins que les effectifs")
    a, b, c = (_several_years(effectifs[:-1, :, k], effectifs[1:, :, k + 1]) for k in range(3))
    return Modele(_several_years(entrants, effectifs[1:, :, 0]), (a, b, c))


def fit_two_counts(sixiemes: F64, total: F64) -> Modele:
    """Rates where only the 6e and the total are published, (T, Z) each, T >= 2 consecutive years.

    5e, 4e and 3e together, one year, come from the 6e of the year before and two thirds of the 5e-4e-3e: one rate for
    the three passages. Without CM2 or births, the 6e of one year says no more of the next than the level of its zone:
    the rate of entry is the département's, from the 6e of one year to the next, to be applied to the zone's mean 6e
    (`forecast` with ``entrants=level_of(sixiemes, annees)``). Raises `PrevisionImpossible`.
    """
    sixiemes, total = np.asarray(sixiemes, dtype=np.float64), np.asarray(total, dtype=np.float64)
    if sixiemes.ndim != 2 or sixiemes.shape != total.shape or len(sixiemes) < 2:
        raise PrevisionImpossible(f"6e et total : formes {sixiemes.shape} et {total.shape}, 2 années ou plus attendues")
    if np.any(total < sixiemes):
        raise PrevisionImpossible("total inférieur aux 6e")
    autres = total - sixiemes
    passage = _several_years(sixiemes[:-1] + autres[:-1] * (2.0 / 3.0), autres[1:])
    return Modele(_several_years(sixiemes[:-1], sixiemes[1:]).common(), (passage, passage, passage))


def level_of(sixiemes: F64, annees: int) -> F64:
    """Who may enter 6e where neither CM2 nor births are known: the zone's mean 6e (T, Z) each year, (annees, Z)."""
    niveau = np.asarray(sixiemes, dtype=np.float64).mean(axis=0)
    return np.repeat(niveau[None, :], annees, axis=0)


def split_classes(sixiemes: F64, total: F64) -> F64:
    """Pupils by class (Z, 4) where 6e and total are known: the others in three equal parts."""
    autres = (np.asarray(total, dtype=np.float64) - sixiemes) / 3.0
    return np.stack([np.asarray(sixiemes, dtype=np.float64), autres, autres, autres], axis=1)


def forecast(modele: Modele, depart: F64, entrants: F64, logements: Sequence[Logements] = ()) -> Prevision:
    """Pupils of the H years after ``depart`` (Z, 4), the last known year by class.

    entrants (H, Z): those who may enter 6e in each of these years, counted as in the fit (CM2 of the year before,
    births eleven years before, or `level_of`). Raises `PrevisionImpossible`.
    """
    depart = np.asarray(depart, dtype=np.float64)
    zones = len(modele.entree.valeur)
    if depart.shape != (zones, len(NIVEAUX)):
        raise PrevisionImpossible(f"effectifs de départ : forme {depart.shape} au lieu de ({zones}, 4)")
    if not np.all(np.isfinite(depart)) or np.any(depart < 0):
        raise PrevisionImpossible("effectifs de départ : valeur négative ou absente")
    entrants = np.asarray(entrants, dtype=np.float64)
    if entrants.ndim != 2 or not len(entrants) or entrants.shape[1] != zones:
        raise PrevisionImpossible(f"entrants : forme {entrants.shape} au lieu de (années, {zones})")
    if not np.all(np.isfinite(entrants)) or np.any(entrants < 0):
        raise PrevisionImpossible("entrants : valeur négative ou absente")
    annees = len(entrants)
    ajouts = _housing(annees, zones, logements)
    taux = (modele.entree, *modele.passages)
    r = np.stack([t.valeur for t in taux], axis=1)
    # A rate that serves several passages is one unknown: P of them, var_r (P, Z), and which serves each class (P, 4).
    distincts = list({id(t): t for t in taux}.values())
    var_r = np.stack([t.variance for t in distincts])
    sert = np.array([[t is distinct for t in taux] for distinct in distincts], dtype=np.float64)
    effectif, hasard = depart, np.zeros_like(depart)
    derivee = np.zeros((len(distincts), *depart.shape))
    centraux, par_niveau, par_zone = [], [], []
    for h in range(annees):
        avant = np.empty_like(effectif)
        hasard_avant, derivee_avant = np.zeros_like(hasard), np.zeros_like(derivee)
        avant[:, 0] = entrants[h]
        avant[:, 1:], hasard_avant[:, 1:] = effectif[:, :-1], hasard[:, :-1]
        derivee_avant[:, :, 1:] = derivee[:, :, :-1]
        derivee = r * derivee_avant + sert[:, None, :] * avant
        hasard = r**2 * hasard_avant + r * avant
        effectif = r * avant
        # Housing pulled down takes away no more than there is.
        centraux.append(np.maximum(effectif + ajouts[h], 0.0))
        # Poisson's chance again: who comes with the dwellings, or leaves with them.
        tirage = hasard + np.abs(ajouts[h])
        par_niveau.append(tirage + (derivee**2 * var_r[:, :, None]).sum(axis=0))
        par_zone.append(tirage.sum(axis=1) + (derivee.sum(axis=2) ** 2 * var_r).sum(axis=0))
    central = np.stack(centraux)
    marge = ECARTS_80 * np.sqrt(np.stack(par_niveau))
    return Prevision(
        bas=np.maximum(central - marge, 0.0),
        central=central,
        haut=central + marge,
        ecart=np.sqrt(np.stack(par_zone)),
    )


def _housing(annees: int, zones: int, logements: Sequence[Logements]) -> F64:
    """Pupils of new dwellings, (annees, Z, 4): the same every year from the one in which they are first seen."""
    ajouts = np.zeros((annees, zones, len(NIVEAUX)))
    for lot in logements:
        if not 0 <= lot.zone < zones or not 0 <= lot.annee < annees:
            raise PrevisionImpossible(f"logements : zone {lot.zone} ou année {lot.annee} hors de la prévision")
        if not np.isfinite(lot.nombre) or not 0 <= lot.eleves_par_logement < np.inf:
            raise PrevisionImpossible(f"logements, zone {lot.zone} : nombre ou élèves par logement impossible")
        parts = np.asarray(lot.repartition, dtype=np.float64)
        if parts.shape != (len(NIVEAUX),) or not np.all(parts >= 0) or not abs(parts.sum() - 1.0) < 1e-6:
            raise PrevisionImpossible(f"logements, zone {lot.zone} : parts des quatre niveaux, de somme 1, attendues")
        ajouts[lot.annee :, lot.zone] += lot.nombre * lot.eleves_par_logement * parts
    return ajouts


@dataclass(frozen=True)
class Erreurs:
    """A forecast against what came: n counts compared (those that are not 0), mean absolute error in percent (MAPE),
    ``biais`` in percent of the total (positive = too many), mean and largest absolute error in pupils, and the share
    of counts between ``bas`` and ``haut`` (None = no interval)."""

    n: int
    mape: float
    biais: float
    ecart_moyen: float
    ecart_max: float
    couverture: float | None = None


def errors(prevu: F64, reel: F64, bas: F64 | None = None, haut: F64 | None = None) -> Erreurs:
    """Errors of a forecast (Z,) against what was counted (Z,); counts of 0 have no percentage and are left out."""
    prevu, reel = np.asarray(prevu, dtype=np.float64), np.asarray(reel, dtype=np.float64)
    vus = reel > 0
    if not vus.any():
        raise PrevisionImpossible("aucun effectif réel à comparer")
    ecarts = prevu[vus] - reel[vus]
    dedans = None
    if bas is not None and haut is not None:
        dedans = float(np.mean((bas[vus] <= reel[vus]) & (reel[vus] <= haut[vus])))
    return Erreurs(
        n=int(vus.sum()),
        mape=float(np.mean(np.abs(ecarts) / reel[vus]) * 100.0),
        biais=float(ecarts.sum() / reel[vus].sum() * 100.0),
        ecart_moyen=float(np.abs(ecarts).mean()),
        ecart_max=float(np.abs(ecarts).max()),
        couverture=dedans,
    )
