"""Answers made by hand: given open levels and flows, everything an answer tells, told honestly.

Plain loops over the text of `accueil.probleme`; nothing of the solver nor of the checker.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import numpy as np

from accueil.probleme import Capacites, Etat, Modele, Problem
from accueil.resultat import Parties, Solution
from territoires.calcul import Bilan, Statut
from territoires.empreinte import input_hash

Flow = tuple[int, int, float]
DISTANCE = (Modele.MEDIANE, Modele.CENTRE, Modele.CENTRE_PUIS_MEDIANE)


def minutes_of(problem: Problem, demande: int, niveau: int) -> float:
    return float(problem.minutes[demande, problem.niveau_site[niveau]]) + float(problem.attente[niveau])


def nearest_flows(problem: Problem, niveaux: Iterable[int]) -> list[Flow]:
    """Flows without capacities: everybody to the nearest open level."""
    flux = []
    for demande in range(problem.n_demandes):
        temps = [(minutes_of(problem, demande, n), n) for n in niveaux]
        if problem.minutes_max is not None:
            temps = [couple for couple in temps if couple[0] <= problem.minutes_max + 1e-4]
        temps = [couple for couple in temps if np.isfinite(couple[0])]
        if not temps:
            continue
        trop_loin = problem.modele in DISTANCE and problem.minutes_non_servi is not None
        if trop_loin and min(temps)[0] > (problem.minutes_non_servi or 0):
            continue
        flux.append((demande, min(temps)[1], 1.0))
    return flux


def parts(problem: Problem, niveaux: list[int], flux: list[Flow]) -> Parties:
    poids = [float(np.dot(ligne, problem.mix)) for ligne in problem.populations]
    minutes = rayon = couvert = 0.0
    servi = dict.fromkeys(range(problem.n_demandes), 0.0)
    par_groupe = dict.fromkeys(range(len(problem.groupes)), 0.0)
    for demande, niveau, part in flux:
        temps = minutes_of(problem, demande, niveau)
        servi[demande] += part
        minutes += poids[demande] * part * temps
        if poids[demande] > 0:
            rayon = max(rayon, temps)
        if problem.seuil is not None and temps <= problem.seuil + 1e-4:
            couvert += poids[demande] * part
            par_groupe[int(problem.demande_groupe[demande])] += poids[demande] * part
    non_servi = float("inf") if problem.minutes_non_servi is None else problem.minutes_non_servi
    for demande, part in servi.items():
        if poids[demande] > 0 and part < 1 - 1e-7:
            minutes += poids[demande] * (1 - part) * non_servi
            rayon = max(rayon, non_servi)
    pire = 1.0
    for groupe, dedans in par_groupe.items():
        total = sum(p for p, g in zip(poids, problem.demande_groupe, strict=True) if g == groupe)
        pire = min(pire, dedans / total) if total > 0 else pire
    return Parties(
        minutes=minutes,
        non_couvert=None if problem.seuil is None else sum(poids) - couvert,
        rayon=rayon,
        sites=len(niveaux),
        cout_ouverture=float(sum(problem.cout_ouverture[n] for n in niveaux)),
        cout_annuel=float(sum(problem.cout_annuel[n] for n in niveaux)),
        pire_part=None if problem.seuil is None else pire,
    )


def objective(problem: Problem, parties: Parties) -> float:
    base = {
        Modele.COUVERTURE_MAX: parties.non_couvert,
        Modele.COUVERTURE_TOTALE: float(parties.sites),
        Modele.CENTRE: parties.rayon,
    }.get(problem.modele, parties.minutes)
    assert base is not None
    equite = 0.0 if parties.pire_part is None else problem.equite_poids * (1 - parties.pire_part)
    return (
        base
        + problem.poids_ouverture * parties.cout_ouverture
        + problem.poids_annuel * parties.cout_annuel
        + (0.0 if problem.modele is Modele.CENTRE else equite)
    )


def honest(problem: Problem, niveaux: Iterable[int], flux: Iterable[Flow] | None = None) -> Solution:
    """The answer with those open levels and flows (the nearest ones when None), proven by nothing."""
    ouverts = [int(n) for n in niveaux]
    if flux is None:
        assert problem.capacites is Capacites.AUCUNE
        flux = nearest_flows(problem, ouverts)
    lignes = sorted(flux)
    parties = parts(problem, ouverts, lignes)
    sites = {int(problem.niveau_site[n]) for n in ouverts if 0 <= n < problem.n_niveaux}
    fermes = [j for j in range(problem.n_sites) if problem.etat[j] == Etat.EXISTANT and j not in sites]
    return Solution(
        bilan=Bilan(Decimal(repr(objective(problem, parties))), None, Statut.REALISABLE, seed=0),
        modele=problem.modele,
        empreinte=input_hash(problem),
        niveaux=np.array(ouverts, dtype=np.int32),
        demande=np.array([ligne[0] for ligne in lignes], dtype=np.int32),
        niveau=np.array([ligne[1] for ligne in lignes], dtype=np.int32),
        part=np.array([ligne[2] for ligne in lignes], dtype=np.float64),
        parties=parties,
        souhaits=tuple(f"« {problem.site_nom[j]} » fermerait" for j in fermes),
    )
