"""Figures of a block, for each collectivité and for all, under the four questions.

Pure module. Inhabitants count where they live, centres where their owner is; the running costs of a centre opened by a
convention with someone outside the block count where its users live.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from territoires.calcul import COUT, POPULATION, Indicateur, Question, Sens

from .probleme import EXTERIEUR, F64, B, Problem
from .resultat import Resultat, inhabitants, load_of, make_resultat, minutes_by_point, quantile
from .solveur import Solution

#: Upper ends of the time bands, minutes (one way); one more band lies above the last.
BANDES_MIN = (10, 15, 20, 30)
#: Minutes one way from which a change is felt.
GAIN_MIN = 5.0
#: Code of the weight of means over inhabitants who have a centre.
DESSERVIS = "habitants_desservis"


def indicators(problem: Problem, solution: Solution) -> list[Indicateur]:
    """Every figure of a solved block."""
    return list(figures(make_resultat(problem, solution)))


def figures(resultat: Resultat) -> Iterator[Indicateur]:
    """Figures of the whole block, then of each of its collectivités."""
    yield from _figures(resultat, None)
    for g, code in enumerate(resultat.groupes):
        yield from (_of(item, code) for item in _figures(resultat, g))


def _of(item: Indicateur, collectivite: str) -> Indicateur:
    return Indicateur(**{**item.__dict__, "collectivite": collectivite})


def costs(resultat: Resultat, groupe: int | None) -> tuple[float, float, float]:
    """(users' travel, running of centres, prices of broken wishes) in €/year, of one collectivité or of the block."""
    c, flux = resultat.couts, resultat.courant
    d_groupe, c_groupe = resultat.point_groupe[flux.point], resultat.centre_groupe[flux.centre]
    habite = np.ones(len(flux.point), dtype=np.bool_) if groupe is None else d_groupe == groupe
    porte = np.where(c_groupe == EXTERIEUR, d_groupe, c_groupe)
    exploite = np.ones(len(flux.point), dtype=np.bool_) if groupe is None else porte == groupe
    centres = np.ones(resultat.n_centres, dtype=np.bool_) if groupe is None else resultat.centre_groupe == groupe
    points = np.ones(resultat.n_points, dtype=np.bool_) if groupe is None else resultat.point_groupe == groupe
    par_heure, par_km = c.euro_heure, c.euro_km
    if c.choix == "temps":
        par_heure, par_km = c.euro_heure + c.euro_km * c.vitesse_kmh, 0.0
    trajet = flux.minutes / 60.0 * par_heure + flux.km.astype(np.float64) * par_km
    usagers = c.trajets * float((flux.visites * trajet)[habite].sum())
    exploitation = float(resultat.cout_fixe[centres & resultat.actif].sum())
    exploitation += c.euro_visite * float(flux.visites[exploite].sum())
    depassement = np.maximum(load_of(resultat) - resultat.capacite, 0.0)
    # Excess of a centre outside the block is borne by those who go there.
    voeux = c.euro_surcharge * _excess_of(resultat, depassement, groupe)
    voeux += c.euro_sans_centre * float(flux.sans_centre[points].sum())
    return usagers, exploitation, voeux


def _excess_of(resultat: Resultat, depassement: F64, groupe: int | None) -> float:
    if groupe is None:
        return float(depassement.sum())
    propre = float(depassement[resultat.centre_groupe == groupe].sum())
    flux, charge = resultat.courant, load_of(resultat)
    dehors = (resultat.centre_groupe[flux.centre] == EXTERIEUR) & (resultat.point_groupe[flux.point] == groupe)
    j = flux.centre[dehors]
    return propre + float((depassement[j] * flux.visites[dehors] / charge[j]).sum())


def gains(resultat: Resultat) -> F64:
    """Minutes one way that each point gains against its collectivité's own centres, float64 (D,).

    inf: a point that had no centre has one; NaN: nobody lives there, or no centre either way.
    """
    seul, ensemble = minutes_by_point(resultat, "seul"), minutes_by_point(resultat)
    with np.errstate(invalid="ignore"):
        return seul - ensemble


def crossing(resultat: Resultat) -> B:
    """Flows whose centre is not of the collectivité of those who go there, (k,) bool."""
    flux = resultat.courant
    return np.asarray(resultat.point_groupe[flux.point] != resultat.centre_groupe[flux.centre], dtype=np.bool_)


def _figures(resultat: Resultat, groupe: int | None) -> Iterator[Indicateur]:
    points = np.ones(resultat.n_points, dtype=np.bool_) if groupe is None else resultat.point_groupe == groupe
    flux = resultat.courant
    ici = points[flux.point]
    habitants, minutes = inhabitants(resultat)[ici], flux.minutes[ici]
    km = resultat.couts.trajets * float((flux.visites * flux.km)[ici].sum())
    usagers, exploitation, voeux = costs(resultat, groupe)
    propres = resultat.actif & ((resultat.centre_groupe >= 0) if groupe is None else resultat.centre_groupe == groupe)
    centres = propres & resultat.compte
    charge = load_of(resultat)
    total = float(habitants.sum())
    population = float(resultat.population[points].sum())
    moins, plus, neutre = Sens.MOINS, Sens.PLUS, Sens.NEUTRE
    service, economie, efficace = Question.SERVICE, Question.ECONOMIE, Question.EFFICACE

    yield Indicateur(POPULATION, "habitants de la zone étudiée", "habitants", population, neutre)
    yield Indicateur(DESSERVIS, "habitants qui ont une déchetterie", "habitants", total, neutre)
    yield Indicateur(
        "habitants_sans_centre", "habitants sans déchetterie autorisée et joignable", "habitants",
        float(resultat.population[points & (flux.sans_centre > 0)].sum()), moins, question=service,
    )  # fmt: skip
    if total > 0:
        yield Indicateur(
            "temps_moyen", "temps moyen vers la déchetterie (aller)", "min", float(habitants @ minutes / total), moins,
            question=service, decimales=1, agregation=f"poids:{DESSERVIS}", seuil=0.05, base=DESSERVIS,
        )  # fmt: skip
        yield Indicateur(
            "temps_p90", "temps que 9 habitants sur 10 ne dépassent pas (aller)", "min",
            quantile(minutes, habitants, 0.9), moins, question=service, decimales=1, agregation="aucune", seuil=0.05,
            base=DESSERVIS,
        )  # fmt: skip
        yield Indicateur(
            "temps_max", "temps le plus long vers la déchetterie (aller)", "min", float(minutes.max()), moins,
            question=service, decimales=1, agregation="max", seuil=0.05, base=DESSERVIS,
        )  # fmt: skip
    for bande in BANDES_MIN:
        yield Indicateur(
            f"habitants_{bande}", f"habitants à {bande} minutes ou moins", "habitants",
            float(habitants[minutes <= bande].sum()), plus, question=service if bande in (15, 30) else None, seuil=0.5,
        )  # fmt: skip
    gain = gains(resultat)
    yield Indicateur(
        "gain_5", f"habitants qui gagnent plus de {GAIN_MIN:.0f} minutes (aller) à ne plus s'arrêter à la limite",
        "habitants", float(resultat.population[points & (gain > GAIN_MIN)].sum()), plus,
        question=Question.INCOHERENCE, seuil=0.5,
    )  # fmt: skip
    yield Indicateur(
        "perte_5", f"habitants qui perdent plus de {GAIN_MIN:.0f} minutes (aller)", "habitants",
        float(resultat.population[points & (gain < -GAIN_MIN)].sum()), moins, question=service, seuil=0.5,
    )  # fmt: skip
    yield Indicateur(
        "visites_limite", "visites par an qui franchissent la limite", "visites/an",
        float(flux.visites[ici & crossing(resultat)].sum()), neutre,
    )  # fmt: skip
    yield Indicateur(
        "km_an", "kilomètres parcourus par les usagers", "km/an", km, moins, question=efficace, seuil=0.5,
        base=DESSERVIS,
    )  # fmt: skip
    yield Indicateur(
        "co2_an", "émissions des trajets des usagers", "t CO2e/an", km * resultat.couts.kg_co2_km / 1000.0, moins,
        question=efficace, decimales=1, seuil=0.05, base=DESSERVIS,
    )  # fmt: skip
    yield Indicateur(
        "centres", "déchetteries ouvertes dans la zone étudiée", "déchetteries", float(centres.sum()), neutre
    )
    # All visits of the block, those to a centre outside it included; those of the collectivité's centres.
    recues = float(flux.visites.sum() if groupe is None else charge[propres].sum())
    yield Indicateur("visites", "visites reçues par an", "visites/an", recues, neutre)
    limites = propres & np.isfinite(resultat.capacite) & (resultat.capacite > 0)
    if limites.any():
        taux = 100.0 * float((charge[limites] / resultat.capacite[limites]).max())
        yield Indicateur(
            "charge_max", "déchetterie la plus chargée", "% de sa capacité", taux, moins, question=efficace,
            agregation="max", seuil=0.5,
        )  # fmt: skip
    yield Indicateur(
        "cout_usagers",
        "coût des trajets pour les usagers",
        "€/an",
        usagers,
        moins,
        question=economie,
        seuil=0.5,
        base=DESSERVIS,
    )
    yield Indicateur(
        "cout_exploitation", "coût d'exploitation des déchetteries", "€/an", exploitation, moins, question=economie,
        seuil=0.5,
    )  # fmt: skip
    yield Indicateur(
        "cout_voeux", "prix des souhaits non tenus (capacité dépassée, habitants sans déchetterie)", "€/an", voeux,
        moins, seuil=0.5,
    )  # fmt: skip
    yield Indicateur(COUT, "coût total", "€/an", usagers + exploitation + voeux, moins, question=economie, seuil=0.5)
    if resultat.cout_base is not None and groupe is None:
        yield Indicateur(
            "effet_modifications", "effet des modifications de l'étude sur le coût total", "€/an",
            resultat.cout - resultat.cout_base, neutre, seuil=0.5,
        )  # fmt: skip
