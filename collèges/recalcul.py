"""Costs, contiguity and figures of a plan found again from the definitions alone, for `collèges.controle`.

Pure module. It shares nothing with the solver's arithmetic (`collèges.couts`): everything is added up pair by pair
(zone, collège) from the words of `collèges.probleme` and `collèges.resultat`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from territoires.nombres import nombre

from .probleme import AUCUN, F64, I32, B, Problem

I64 = NDArray[np.int64]


@dataclass(frozen=True)
class Couples:
    """The k pairs (zone, collège) that the plan or today's plan use, k <= 4 n.

    zone, college (k,) int64; neuf, actuel (k,) float64: s and s0 of the pair; minutes (k,) float64 as published
    (inf = no road), comptees (k,) float64: those that are priced; flux (T, k) float64: pupils q of each year.
    """

    zone: I64
    college: I64
    neuf: F64
    actuel: F64
    minutes: F64
    comptees: F64
    flux: F64


@dataclass(frozen=True)
class Zones:
    """What the definitions say of each zone, (n,): E (mean year), moved, m0, ips (NaN = unknown), had a collège
    today, has one in the plan; nouvelle (T, n): share p that follows the new plan."""

    moyenne: F64
    deplacee: F64
    minutes_actuelles: F64
    ips: F64
    avait: B
    garde: B
    nouvelle: F64


def shares(college: I32) -> dict[tuple[int, int], float]:
    """s(zone, collège) of a plan (n, 2), its non-zero entries."""
    parts: dict[tuple[int, int], float] = {}
    for zone, (un, deux) in enumerate(college.tolist()):
        if un != AUCUN:
            parts[zone, un] = 1.0 if deux == AUCUN else 0.5
        if deux != AUCUN:
            parts[zone, deux] = 0.5
    return parts


def pairs_of(problem: Problem, college: I32) -> tuple[Couples, Zones]:
    """Pairs and zones of a plan."""
    neuves, actuelles = shares(college), shares(problem.present)
    cles = sorted(neuves.keys() | actuelles.keys())
    zone = np.array([i for i, _ in cles], dtype=np.int64)
    coll = np.array([j for _, j in cles], dtype=np.int64)
    neuf = np.array([neuves.get(cle, 0.0) for cle in cles])
    actuel = np.array([actuelles.get(cle, 0.0) for cle in cles])
    minutes = problem.minutes[zone, coll]
    comptees = np.where(np.isinf(minutes), problem.regles.minutes_sans_route, minutes)

    n = problem.n_zones
    avait, garde = problem.present[:, 0] != AUCUN, college[:, 0] != AUCUN
    nouvelle = np.where(avait, problem.part_nouvelle, 1.0)
    part = nouvelle[:, zone] * neuf + (1.0 - nouvelle[:, zone]) * actuel
    flux = problem.eleves[:, zone] * part

    def per_zone(valeurs: F64) -> F64:
        return np.asarray(np.bincount(zone, weights=valeurs, minlength=n), dtype=np.float64)

    deplacee = np.where(avait & garde, per_zone(np.abs(neuf - actuel)) / 2.0, 0.0)
    # s0 adds up to 1 over today's collèges and is the same for each: its weights are the mean.
    zones = Zones(
        moyenne=problem.poids_annee @ problem.eleves,
        deplacee=deplacee,
        minutes_actuelles=per_zone(actuel * comptees),
        ips=_ips(problem),
        avait=avait,
        garde=garde,
        nouvelle=nouvelle,
    )
    return Couples(zone, coll, neuf, actuel, minutes, comptees, flux), zones


def _ips(problem: Problem) -> F64:
    """ips(i): the zone's own, else the mean of its collèges of today that are known, else NaN."""
    valeurs = problem.zone_ips.copy()
    for i in np.flatnonzero(np.isnan(valeurs)):
        connus = [problem.college_ips[j] for j in problem.present[i] if j != AUCUN]
        connus = [v for v in connus if not np.isnan(v)]
        if connus:
            valeurs[i] = sum(connus) / len(connus)
    return valeurs


# --- contiguity -------------------------------------------------------------------------------------------


def door(problem: Problem, j: int) -> int:
    """The zone from which the sector of collège j must hold together."""
    if problem.college_zone[j] != AUCUN:
        return int(problem.college_zone[j])
    if np.isfinite(problem.minutes[:, j]).any():
        return int(np.argmin(problem.minutes[:, j]))
    return int(np.argmin(np.hypot(problem.zone_x - problem.college_x[j], problem.zone_y - problem.college_y[j])))


def neighbours(problem: Problem) -> list[list[int]]:
    """Zones that share a border longer than 0 with each zone."""
    voisins: list[list[int]] = [[] for _ in range(problem.n_zones)]
    for (a, b), longueur in zip(problem.arete.tolist(), problem.frontiere_m.tolist(), strict=True):
        if longueur > 0:
            voisins[a].append(b)
            voisins[b].append(a)
    return voisins


def island_pairs(problem: Problem, college: I32, voisins: list[list[int]]) -> set[tuple[int, int]]:
    """(zone, collège) for each zone of a sector that its door does not reach."""
    secteurs: dict[int, set[int]] = {}
    for zone, j in shares(college):
        secteurs.setdefault(j, set()).add(zone)
    isolees = set()
    for j, secteur in secteurs.items():
        depart = door(problem, j)
        vues, file = {depart}, deque([depart])
        while file:
            for voisine in voisins[file.popleft()]:
                if voisine in secteur and voisine not in vues:
                    vues.add(voisine)
                    file.append(voisine)
        isolees |= {(zone, j) for zone in secteur - vues}
    return isolees


def cut_off(problem: Problem, college: I32) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Pairs (zone, collège) that are cut off, and those in islands that are tolerated."""
    voisins = neighbours(problem)
    anciennes = island_pairs(problem, problem.present, voisins)
    coupees, tolerees = set(), set()
    for zone, j in island_pairs(problem, college, voisins):
        if (zone, j) in anciennes or problem.impose[zone] == j:
            tolerees.add((zone, j))
        else:
            coupees.add((zone, j))
    return coupees, tolerees


# --- costs ------------------------------------------------------------------------------------------------


def permitted(problem: Problem, zone: int, j: int) -> bool:
    """Whether rules let the zone have that collège."""
    if problem.impose[zone] != AUCUN:
        return bool(problem.impose[zone] == j)
    if problem.interdit[zone, j]:
        return False
    logee = bool(np.any(problem.college_zone == zone))
    if problem.regles.zones_propres and logee and problem.college_zone[j] != zone:
        return bool(j in problem.present[zone])
    return True


def loads(problem: Problem, couples: Couples) -> tuple[F64, F64]:
    """L and X (T, C): pupils received by each collège, and those of them who live in another group."""
    dehors = problem.zone_groupe[couples.zone] != problem.college_groupe[couples.college]
    charge = np.zeros((problem.n_annees, problem.n_colleges))
    exterieurs = np.zeros_like(charge)
    for k, j in enumerate(couples.college):
        charge[:, j] += couples.flux[:, k]
        if dehors[k]:
            exterieurs[:, j] += couples.flux[:, k]
    return charge, exterieurs


def sector_ips(problem: Problem, couples: Couples, zones: Zones) -> F64:
    """I(j) (C,), NaN where the sector is empty or of unknown IPS."""
    ips = np.full(problem.n_colleges, np.nan)
    for j in range(problem.n_colleges):
        k = np.flatnonzero((couples.college == j) & ~np.isnan(zones.ips[couples.zone]))
        poids = zones.moyenne[couples.zone[k]] * couples.neuf[k]
        if poids.sum() > 0:
            ips[j] = float(poids @ zones.ips[couples.zone[k]]) / float(poids.sum())
    return ips


def dissimilarity(problem: Problem, couples: Couples, zones: Zones) -> float:
    """D of the plan, in [0, 1]."""
    connus = ~np.isnan(zones.ips)
    eleves = float(zones.moyenne[connus].sum())
    if eleves <= 0:
        return 0.0
    moyenne = float(zones.moyenne[connus] @ zones.ips[connus]) / eleves
    bas, haut = np.zeros(problem.n_colleges), np.zeros(problem.n_colleges)
    for zone, j, part in zip(couples.zone, couples.college, couples.neuf, strict=True):
        if connus[zone]:
            cote = bas if zones.ips[zone] < moyenne else haut
            cote[j] += zones.moyenne[zone] * part
    if bas.sum() <= 0 or haut.sum() <= 0:
        return 0.0
    return float(np.abs(bas / bas.sum() - haut / haut.sum()).sum() / 2.0)


def crossings(problem: Problem, couples: Couples, zones: Zones) -> F64:
    """P (G, G): pupils of a mean year moved from the row's group into collèges of the column's."""
    deplaces = np.zeros((problem.n_groupes, problem.n_groupes))
    for zone, j, neuf, actuel in zip(couples.zone, couples.college, couples.neuf, couples.actuel, strict=True):
        g, h = problem.zone_groupe[zone], problem.college_groupe[j]
        if g != h:
            deplaces[g, h] += zones.moyenne[zone] * max(0.0, neuf - actuel)
    return deplaces


def apart(problem: Problem, college: I32, zones: Zones) -> dict[int, float]:
    """Pupils of a mean year who are not where the reference zone of their kept-together group is, by zone."""
    parts = shares(college)
    separes: dict[int, float] = {}
    for numero in sorted(set(problem.ensemble[problem.ensemble != AUCUN].tolist())):
        membres = np.flatnonzero(problem.ensemble == numero)
        reference = int(membres[np.argmax(zones.moyenne[membres])])
        for zone in membres.tolist():
            commune = sum(
                min(parts.get((zone, j), 0.0), parts.get((reference, j), 0.0)) for j in range(problem.n_colleges)
            )
            separes[zone] = float(zones.moyenne[zone]) * (1.0 - commune)
    return separes


def costs(problem: Problem, college: I32) -> dict[str, float]:
    """Every term of `Couts` by its name, in pupil-minutes of a mean year."""
    r, w = problem.regles, problem.poids_annee
    couples, zones = pairs_of(problem, college)
    charge, exterieurs = loads(problem, couples)
    flux = w @ couples.flux
    suivent = (w @ (problem.eleves * zones.nouvelle))[couples.zone] * couples.neuf
    allonge = couples.comptees - zones.minutes_actuelles[couples.zone] - r.allongement_max
    # Capacity x share only where it is finite: an unlimited collège has no minimum filling.
    finie = np.isfinite(problem.capacite)
    creux = np.where(finie, problem.remplissage_min * np.where(finie, problem.capacite, 0.0), 0.0)
    plein = np.where(finie, problem.remplissage_max * np.where(finie, problem.capacite, 0.0), np.inf)
    refus = [
        zones.moyenne[i] * s
        for i, j, s in zip(couples.zone.tolist(), couples.college.tolist(), couples.neuf.tolist(), strict=True)
        if s > 0 and not permitted(problem, i, j)
    ]
    deplaces = float(zones.moyenne @ zones.deplacee)
    passages = np.clip(crossings(problem, couples, zones) - problem.passages_max, 0.0, None)
    np.fill_diagonal(passages, 0.0)
    ips = sector_ips(problem, couples, zones)
    ecarts = [abs(float(ips[a] - ips[b])) for a, b in problem.college_voisins]
    bouges = float(np.count_nonzero(zones.deplacee > 0))

    def yearly(exces: F64) -> float:
        return float(w @ np.clip(exces, 0.0, None).sum(axis=1))

    return {
        "trajet": float(flux @ couples.comptees) * r.poids_minutes,
        "trajet_long": float(flux @ np.clip(couples.comptees - r.minutes_max, 0.0, None)) * r.poids_minutes_max,
        "allongement": float((suivent * np.clip(allonge, 0.0, None))[zones.avait[couples.zone]].sum())
        * r.poids_allongement,
        "depart": float((w @ (problem.eleves * zones.nouvelle)) @ zones.deplacee) * r.poids_depart,
        "sureffectif": yearly(charge - plein) * r.poids_sureffectif,
        "souseffectif": yearly(creux - charge) * r.poids_souseffectif,
        "taille": yearly(problem.effectif_min - charge) * r.poids_taille,
        "sans_college": float(zones.moyenne[~zones.garde].sum()) * r.poids_sans_college,
        "interdit": float(sum(refus)) * r.poids_interdit,
        "ensemble": float(sum(apart(problem, college, zones).values())) * r.poids_ensemble,
        "limite_zones": max(0.0, bouges - r.max_zones) * r.poids_max_zones,
        "limite_eleves": max(0.0, deplaces - r.max_eleves) * r.poids_max_eleves,
        "passages": float(passages.sum()) * r.poids_passages,
        "exterieurs": yearly(exterieurs - r.part_exterieurs * charge) * r.poids_exterieurs,
        "ecart_ips": sum(max(0.0, e - r.ecart_ips) for e in ecarts if not np.isnan(e)) * r.poids_ecart_ips,
        "dissimilarite": dissimilarity(problem, couples, zones) * r.poids_dissimilarite,
    }


# --- broken wishes ----------------------------------------------------------------------------------------

#: Pupils from which a wish that is not kept must be told, and points of IPS: below, it is rounding.
SOUHAIT_MIN, IPS_MIN = 0.75, 0.1


class Rompu(NamedTuple):
    """A wish that is not kept, and what its sentence must say: all the texts of one of ``dits`` (names of zones,
    collèges or groups; a figure where the wish is of the whole block)."""

    sorte: str
    dits: tuple[tuple[str, ...], ...]


def broken(problem: Problem, college: I32) -> list[Rompu]:
    """Wishes that a plan does not keep, found again from the data."""
    couples, zones = pairs_of(problem, college)
    coupees, tolerees = cut_off(problem, college)
    seules = {zone for zone, _ in coupees}
    siens = np.flatnonzero(couples.neuf > 0)
    par_zone: dict[str, set[int]] = {
        "zones coupées": seules,
        "îlots": {zone for zone, _ in tolerees} - seules,
        "sans collège": set(np.flatnonzero(~zones.garde).tolist()),
        "sans route": set(couples.zone[siens[np.isinf(couples.minutes[siens])]].tolist()),
    } | _refused(problem, couples)
    par_zone |= _too_far(problem, couples, zones)
    separes = apart(problem, college, zones)
    for numero in sorted({int(problem.ensemble[zone]) for zone in separes}):
        membres = [zone for zone in separes if problem.ensemble[zone] == numero]
        if sum(separes[zone] for zone in membres) > SOUHAIT_MIN:
            par_zone[f"ensemble {numero}"] = set(membres)
    rompus = [
        Rompu(sorte, tuple((problem.zone_nom[zone],) for zone in sorted(fautives)))
        for sorte, fautives in par_zone.items()
        if fautives
    ]
    return rompus + _broken_by_colleges(problem, couples) + _broken_by_the_block(problem, couples, zones)


def _refused(problem: Problem, couples: Couples) -> dict[str, set[int]]:
    """Zones in a collège that is not permitted, by reason; one that has two is in the first."""
    refus: dict[str, set[int]] = {"imposé": set(), "interdit": set(), "abrité": set()}
    for k in np.flatnonzero(couples.neuf > 0):
        zone, j = int(couples.zone[k]), int(couples.college[k])
        if not permitted(problem, zone, j):
            interdit = "interdit" if problem.interdit[zone, j] else "abrité"
            refus["imposé" if problem.impose[zone] != AUCUN else interdit].add(zone)
    refus["abrité"] -= refus["interdit"]
    return refus


def _too_far(problem: Problem, couples: Couples, zones: Zones) -> dict[str, set[int]]:
    """Zones whose pupils have a road that is too long, or too much longer than today's, where it is more than rounding:
    pupils enough above the limit, though a zone just at it may be the one that is named."""
    r, loin = problem.regles, {}
    eleves = zones.moyenne[couples.zone] * couples.neuf * np.isfinite(couples.minutes)
    plus = np.where(zones.avait[couples.zone], couples.comptees - zones.minutes_actuelles[couples.zone], -np.inf)
    for sorte, minutes, limite in (
        ("trajet long", couples.minutes, r.minutes_max),
        ("allongement", plus, r.allongement_max),
    ):
        if float(eleves[minutes > limite + 1e-6].sum()) > SOUHAIT_MIN:
            loin[sorte] = set(couples.zone[(minutes > limite - 1e-6) & (eleves > 0)].tolist())
    return loin


def _broken_by_colleges(problem: Problem, couples: Couples) -> list[Rompu]:
    """Each collège and wish on its load, whichever the year."""
    charge, exterieurs = loads(problem, couples)
    finie = np.isfinite(problem.capacite)
    capacite = np.where(finie, problem.capacite, 0.0)
    ecarts = {
        "sureffectif": np.where(finie, charge - problem.remplissage_max * capacite, 0.0),
        "sous-effectif": np.where(finie, problem.remplissage_min * capacite - charge, 0.0),
        "taille": problem.effectif_min - charge,
    }
    if problem.n_groupes > 1:
        ecarts["extérieurs"] = exterieurs - problem.regles.part_exterieurs * charge
    return [
        Rompu(sorte, ((problem.college_nom[j],),))
        for sorte, ecart in ecarts.items()
        for j in np.flatnonzero((ecart > SOUHAIT_MIN).any(axis=0))
    ]


def _broken_by_the_block(problem: Problem, couples: Couples, zones: Zones) -> list[Rompu]:
    """Limits on changes and borders, gaps of IPS."""
    r, rompus = problem.regles, []
    bougees = int(np.count_nonzero(zones.deplacee > 0))
    if bougees > r.max_zones:
        rompus.append(Rompu("limite de zones", ((str(bougees),),)))
    if float(zones.moyenne @ zones.deplacee) > r.max_eleves + SOUHAIT_MIN:
        rompus.append(Rompu("limite d'élèves", ((nombre(r.max_eleves),),)))
    passages = crossings(problem, couples, zones) - problem.passages_max
    np.fill_diagonal(passages, 0.0)
    for g, h in np.argwhere(passages > SOUHAIT_MIN):
        rompus.append(Rompu("passages", ((problem.groupe_noms[g], problem.groupe_noms[h]),)))
    ips = sector_ips(problem, couples, zones)
    for a, b in problem.college_voisins if r.poids_ecart_ips > 0 else ():
        if abs(float(ips[a] - ips[b])) > r.ecart_ips + IPS_MIN:
            rompus.append(Rompu("écart d'IPS", ((problem.college_nom[a], problem.college_nom[b]),)))
    return rompus
