"""Broken wishes of a plan, in French sentences with units. Pure module.

Pupils are those of a mean year once the whole plan holds, but for the wishes on a year's load (filling, minimum size,
outsiders), which name the collège's worst year. A zone without pupils breaks no wish that is counted in pupils.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from territoires.nombres import avec_unite, nombre, pourcent

from .couts import Etat, Tables, ips_gaps
from .probleme import F64, I32, Problem

#: Names written before « et N autres ».
NOMS = 6
#: Pupils below which a wish is not called broken (rounding).
SEUIL = 0.5


def listed(noms: Iterable[str]) -> str:
    """« A, B, C et 4 autres »."""
    tous = list(dict.fromkeys(noms))
    reste = len(tous) - NOMS
    if reste > 0:
        return ", ".join(tous[:NOMS]) + (f" et {reste} autres" if reste > 1 else " et un autre")
    return ", ".join(tous)


def _eleves(valeur: float) -> str:
    return avec_unite(valeur, "élèves")


def _zones(combien: int) -> str:
    return f"{combien} zone" + ("s" if combien > 1 else "")


def _verb(sujet: str, valeur: float, un: str, plusieurs: str) -> str:
    """Subject and verb, in the singular below two as `avec_unite` writes the noun."""
    return f"{sujet} {un if nombre(valeur) in ('0', '1') else plusieurs}"


def broken_wishes(
    problem: Problem,
    t: Tables,
    college: I32,
    etat: Etat,
    coupees: NDArray[np.intp],
    iles: NDArray[np.intp],
) -> tuple[str, ...]:
    """One sentence a broken wish: contiguity first, then zones, then collèges, then the block."""
    return (
        *_contiguity(problem, coupees, iles),
        *_zone_wishes(problem, t, college, etat),
        *_college_wishes(problem, etat),
        *_block_wishes(problem, t, etat),
    )


def _names(problem: Problem, zones: Iterable[int | np.intp]) -> str:
    return listed(problem.zone_nom[i] for i in zones)


def _contiguity(problem: Problem, coupees: NDArray[np.intp], iles: NDArray[np.intp]) -> list[str]:
    phrases = []
    if len(coupees):
        phrases.append(f"{_zones(len(coupees))} sans lien avec le reste du secteur : {_names(problem, coupees)}.")
    if len(iles):
        phrases.append(f"{_zones(len(iles))} en îlot, comme aujourd'hui ou par choix : {_names(problem, iles)}.")
    return phrases


def _zone_wishes(problem: Problem, t: Tables, college: I32, etat: Etat) -> list[str]:
    r, phrases = problem.regles, []
    servi = college[:, 0] >= 0
    sans = np.flatnonzero(~servi)
    if len(sans):
        phrases.append(f"{_zones(len(sans))} sans collège ({_eleves(t.eleves[sans].sum())}) : {_names(problem, sans)}.")
    phrases += _refused(problem, t, etat)
    # Half of a shared sector may have a road: shares (n,) of each zone without one.
    a_pied = (etat.parts * ~np.isfinite(problem.minutes)).sum(axis=1)
    coupe = np.flatnonzero(a_pied > 0)
    if len(coupe):
        phrases.append(
            f"{_zones(len(coupe))} sans route vers le collège ({_eleves((t.eleves * a_pied).sum())}) : "
            f"{_names(problem, coupe)}."
        )
    # Pupils of each zone (n, C) who have a road to their collège.
    eleves = t.eleves[:, None] * etat.parts * np.isfinite(problem.minutes)
    trop = eleves * (problem.minutes > r.minutes_max)
    if trop.sum() > SEUIL:
        phrases.append(
            f"{_eleves(trop.sum())} à plus de {nombre(r.minutes_max, _dec(r.minutes_max))} min du collège : "
            f"{_names(problem, np.flatnonzero(trop.any(axis=1)))}."
        )
    sert = problem.present[:, 0] >= 0
    plus = eleves * (sert[:, None] & (t.minutes - t.minutes_0[:, None] > r.allongement_max))
    if plus.sum() > SEUIL:
        phrases.append(
            f"Trajet allongé de plus de {nombre(r.allongement_max, _dec(r.allongement_max))} min pour "
            f"{_eleves(plus.sum())} : {_names(problem, np.flatnonzero(plus.any(axis=1)))}."
        )
    phrases += _groups_apart(problem, t, etat)
    return phrases


def _refused(problem: Problem, t: Tables, etat: Etat) -> list[str]:
    """Zones in a collège that is not permitted, by reason: another one is imposed, it is forbidden, or the zone holds
    a collège of its own."""
    refuse = etat.parts * ~t.permis
    impose = problem.impose >= 0
    interdit = ~impose & ((refuse > 0) & problem.interdit).any(axis=1)
    phrases = []
    for cas, un, plusieurs in (
        (impose, "à un autre collège que celui qui lui est imposé", "à un autre collège que celui qui leur est imposé"),
        (interdit, "à un collège interdit", "à un collège interdit"),
        (
            ~impose & ~interdit,
            "à un autre collège que celui qu'elle abrite",
            "à un autre collège que celui qu'elles abritent",
        ),
    ):
        zones = np.flatnonzero(cas & (refuse > 0).any(axis=1))
        if len(zones):
            eleves = (t.eleves[zones, None] * refuse[zones]).sum()
            mot = plusieurs if len(zones) > 1 else un
            phrases.append(f"{_zones(len(zones))} {mot} ({_eleves(eleves)}) : {_names(problem, zones)}.")
    return phrases


def _groups_apart(problem: Problem, t: Tables, etat: Etat) -> list[str]:
    phrases = []
    for ref in np.unique(t.reference[t.reference >= 0]):
        zones = np.flatnonzero(t.reference == ref)
        commun = np.minimum(etat.parts[zones], etat.parts[ref][None, :]).sum(axis=1)
        seules = zones[commun < 1.0 - 1e-9]
        if len(seules):
            # Those of a zone that shares one of two collèges with the reference are apart by half, as in the cost.
            eleves = float((t.eleves[zones] * (1.0 - commun)).sum())
            debut = "Zones à garder ensemble, séparées" if len(seules) > 1 else "Zone à garder avec d'autres, séparée"
            phrases.append(f"{debut} de {problem.zone_nom[ref]} : {_names(problem, seules)} ({_eleves(eleves)}).")
    return phrases


def _dec(valeur: float) -> int:
    return 0 if float(valeur).is_integer() else 1


def _college_wishes(problem: Problem, etat: Etat) -> list[str]:
    """The worst year of each collège for each wish."""
    phrases = []
    bornee = np.isfinite(problem.capacite)
    capacite = np.where(bornee, problem.capacite, 0.0)
    haut = np.where(bornee, capacite * problem.remplissage_max, np.inf)
    bas = np.where(bornee, capacite * problem.remplissage_min, 0.0)
    for ecart, limite, texte in (
        (etat.charge - haut, haut, "{nom} : {charge} en {annee} pour {limite} au plus, soit {ecart} de trop"),
        (bas - etat.charge, bas, "{nom} : {charge} en {annee} pour {limite} au moins, il en manque {ecart}"),
        (
            problem.effectif_min[None, :] - etat.charge,
            np.broadcast_to(problem.effectif_min, etat.charge.shape),
            "{nom} : {charge} en {annee}, sous l'effectif minimal de {limite}, il en manque {ecart}",
        ),
    ):
        for j in np.flatnonzero((ecart > SEUIL).any(axis=0)):
            an = int(np.argmax(ecart[:, j]))
            phrase = texte.format(
                nom=problem.college_nom[j],
                charge=_eleves(etat.charge[an, j]),
                annee=problem.annees[an],
                limite=nombre(limite[an, j]),
                ecart=nombre(ecart[an, j]),
            )
            phrases.append(phrase + _filling(etat.charge[an, j], problem.capacite[an, j]))
    return phrases


def _filling(charge: float, capacite: float) -> str:
    if not np.isfinite(capacite) or capacite <= 0:
        return "."
    return f" (rempli à {pourcent(charge / capacite, 0)})."


def _block_wishes(problem: Problem, t: Tables, etat: Etat) -> list[str]:
    r, phrases = problem.regles, []
    zones, eleves = float((etat.quitte > 0).sum()), float((t.eleves * etat.quitte).sum())
    if zones > r.max_zones:
        sujet = _verb(_zones(int(zones)), zones, "change", "changent")
        phrases.append(f"{sujet} de collège, pour {nombre(r.max_zones)} au plus.")
    if eleves > r.max_eleves + SEUIL:
        sujet = _verb(_eleves(eleves), eleves, "change", "changent")
        phrases.append(f"{sujet} de collège, pour {nombre(r.max_eleves)} au plus.")
    trop: F64 = etat.passages - problem.passages_max
    for g, h in zip(*np.nonzero(trop > SEUIL), strict=True):
        if g != h:
            sujet = _verb(_eleves(etat.passages[g, h]), etat.passages[g, h], "passe", "passent")
            phrases.append(
                f"{sujet} de {problem.groupe_noms[g]} vers {problem.groupe_noms[h]}, "
                f"pour {nombre(problem.passages_max[g, h])} au plus."
            )
    phrases += _outsiders(problem, etat)
    ecarts = ips_gaps(problem, etat.ips)
    if r.poids_ecart_ips > 0:
        for p in np.flatnonzero(ecarts > r.ecart_ips + 0.05):
            a, b = problem.college_voisins[p]
            phrases.append(
                f"Écart d'IPS de {avec_unite(ecarts[p], 'points', 1)} entre {problem.college_nom[a]} et "
                f"{problem.college_nom[b]}, pour {nombre(r.ecart_ips, 1)} au plus."
            )
    return phrases


def _outsiders(problem: Problem, etat: Etat) -> list[str]:
    """L213-8: from this share on, the other département may be asked to contribute."""
    if problem.n_groupes < 2:
        return []
    phrases = []
    part = problem.regles.part_exterieurs
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = np.where(etat.charge > 0, etat.etrangers / etat.charge, 0.0)
    trop = etat.etrangers - part * etat.charge
    for j in np.flatnonzero((trop > SEUIL).any(axis=0)):
        an = int(np.argmax(trop[:, j]))
        phrases.append(
            f"{problem.college_nom[j]} : {pourcent(parts[an, j])} des élèves habitent un autre département en "
            f"{problem.annees[an]}, au-delà de {pourcent(part, 0)} (code de l'éducation, L213-8)."
        )
    return phrases
