"""Random small siting problems: every model, every way to count capacities, every rule.

A guide (a random plan) is drawn first and the rules are set around it, so that most problems have answers and rules
bind; one problem in five asks for more than the guide gives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from accueil.probleme import Capacites, Etat, Modele, Problem, level_minutes, make_problem

#: What a problem may have besides its model and its capacities. Each is drawn with `CHANCE`.
TRAITS = (
    "etats",
    "pmr",
    "niveaux",
    "nombre",
    "budget_ouverture",
    "budget_annuel",
    "minutes_max",
    "non_servi",
    "part_min",
    "part_min_groupe",
    "equite_min",
    "equite_poids",
    "sites_min_groupe",
    "couts",
    "sans_poids",
    "inatteignable",
    "egalites",
    "groupes",
    "mix",
)
CHANCE = 0.42
SEVERE = 0.2
#: Most demands and sites: what the brute force can enumerate.
TAILLES = {Capacites.AUCUNE: (8, 7), Capacites.UNIQUE: (5, 5), Capacites.PARTAGEE: (6, 5)}


def impossible(modele: Modele, trait: str) -> bool:
    """Traits that the definition refuses for a model."""
    return modele is Modele.CENTRE and trait in ("couts", "equite_poids")


def draw_traits(alea: np.random.Generator, modele: Modele) -> frozenset[str]:
    traits = {trait for trait in TRAITS if alea.random() < CHANCE and not impossible(modele, trait)}
    if traits & {"part_min_groupe", "sites_min_groupe", "equite_min", "equite_poids"}:
        traits.add("groupes")
    return frozenset(traits)


def draw_problem(
    alea: np.random.Generator,
    modele: Modele,
    capacites: Capacites,
    traits: frozenset[str] | None = None,
    tailles: tuple[int, int] | None = None,
) -> Problem:
    """One problem with those traits (drawn when None), of at most so many demands and sites (`TAILLES` when None)."""
    traits = draw_traits(alea, modele) if traits is None else traits
    d_max, s_max = TAILLES[capacites] if tailles is None else tailles
    d, s = int(alea.integers(1, d_max + 1)), int(alea.integers(2, s_max + 1))
    champs: dict[str, Any] = {"capacites": capacites}
    minutes = alea.integers(0, 13, (d, s)).astype(float) if "egalites" in traits else alea.uniform(0, 30, (d, s))
    if "inatteignable" in traits:
        minutes[alea.random((d, s)) < 0.15] = np.inf
    n_groupes = int(alea.integers(2, 4)) if "groupes" in traits else 1
    champs["groupes"] = tuple("ABC"[:n_groupes])
    champs["demande_groupe"] = alea.integers(0, n_groupes, d)
    champs["site_groupe"] = alea.integers(-1 if "groupes" in traits else 0, n_groupes, s)
    champs |= _people(alea, d, traits)
    champs |= _sites(alea, s, traits)
    champs |= _levels(alea, s, traits)
    libre = make_problem(minutes, Modele.MEDIANE, **champs)
    severe = float(alea.random() < SEVERE)
    guide = _guide(alea, libre)
    if capacites is not Capacites.AUCUNE:
        champs["capacite"] = _capacities(alea, libre, guide, severe)
    champs |= _rules(alea, modele, libre, guide, traits, severe)
    return make_problem(minutes, modele, **champs)


def _people(alea: np.random.Generator, d: int, traits: frozenset[str]) -> dict[str, Any]:
    k = 2 if "mix" in traits else 1
    populations = alea.integers(1, 10, (d, k)).astype(float)
    if "sans_poids" in traits:
        populations[alea.random(d) < 0.3] = 0
    return {
        "populations": populations,
        "mix": np.array([1.0, 2.5])[:k],
        "volume": alea.integers(0 if "sans_poids" in traits else 1, 8, d).astype(float),
    }


def _sites(alea: np.random.Generator, s: int, traits: frozenset[str]) -> dict[str, Any]:
    etats = [Etat.CANDIDAT, Etat.EXISTANT, Etat.REQUIS, Etat.INTERDIT]
    return {
        "etat": alea.choice(etats, s, p=[0.5, 0.2, 0.12, 0.18]) if "etats" in traits else np.zeros(s),
        "pmr": alea.random(s) < 0.7 if "pmr" in traits else np.ones(s),
        "pmr_exige": "pmr" in traits,
        "site_nom": tuple(f"site n° {j}" for j in range(s)),
    }


def _levels(alea: np.random.Generator, s: int, traits: frozenset[str]) -> dict[str, Any]:
    combien = alea.integers(1, 3, s) if "niveaux" in traits else np.ones(s, dtype=int)
    niveau_site = np.repeat(np.arange(s), combien)
    n = len(niveau_site)
    return {
        "niveau_site": niveau_site,
        "demi_journees": alea.integers(1, 11, n).astype(float),
        "attente": alea.choice([0.0, 0.0, 2.0, 5.0], n) if "niveaux" in traits else np.zeros(n),
        "cout_ouverture": alea.integers(0, 20, n).astype(float),
        "cout_annuel": alea.integers(0, 20, n).astype(float),
    }


def _guide(alea: np.random.Generator, problem: Problem) -> np.ndarray:
    """Levels of a plan that respects the states of the sites."""
    niveaux = []
    for site in range(problem.n_sites):
        etat = problem.etat[site]
        refuse = etat == Etat.INTERDIT or (problem.pmr_exige and etat == Etat.CANDIDAT and not problem.pmr[site])
        if not refuse and (etat == Etat.REQUIS or alea.random() < 0.55):
            niveaux.append(int(alea.choice(np.flatnonzero(problem.niveau_site == site))))
    return np.array(niveaux, dtype=int)


def _capacities(alea: np.random.Generator, problem: Problem, guide: np.ndarray, severe: float) -> np.ndarray:
    total = float(problem.volume.sum())
    base = total / max(1, len(guide)) * (0.8 if severe else 1.3)
    capacite = np.floor(base * alea.uniform(0.6, 1.6, problem.n_niveaux)) + 1
    capacite[alea.random(problem.n_niveaux) < 0.1] = np.inf
    return capacite


def _rules(
    alea: np.random.Generator,
    modele: Modele,
    problem: Problem,
    guide: np.ndarray,
    traits: frozenset[str],
    severe: float,
) -> dict[str, Any]:
    regles: dict[str, Any] = {}
    trajets = level_minutes(problem)[:, guide].min(axis=1, initial=np.inf)
    finis = trajets[np.isfinite(trajets)]
    parts = {"part_min", "part_min_groupe", "equite_min", "equite_poids"} & traits
    seuil = None
    if parts or modele in (Modele.COUVERTURE_MAX, Modele.COUVERTURE_TOTALE):
        # A time met exactly as often as not.
        seuil = float(alea.choice(finis)) if len(finis) else 10.0
        if modele is Modele.COUVERTURE_TOTALE and alea.random() < 0.6:
            seuil = float(finis.max(initial=10.0))
        regles["seuil"] = seuil
    plus_loin = float(finis.max(initial=5.0))
    if "minutes_max" in traits:
        regles["minutes_max"] = plus_loin * (0.8 if severe else float(alea.uniform(1.0, 1.3)))
    if "non_servi" in traits:
        regles["minutes_non_servi"] = max(seuil or 0.0, float(alea.uniform(0.4, 1.5)) * plus_loin)
    if "nombre" in traits:
        au_moins = max(0, len(guide) - int(alea.integers(0, 2)) + int(severe))
        au_plus = max(au_moins, len(guide) + int(alea.integers(0, 2)) - int(severe))
        regles |= {"sites_min": au_moins, "sites_max": au_plus}
    for nom in ("ouverture", "annuel"):
        if f"budget_{nom}" in traits:
            depense = float(getattr(problem, f"cout_{nom}")[guide].sum())
            regles[f"budget_{nom}"] = depense * (0.8 if severe else float(alea.uniform(1.0, 1.2)))
    poids = problem.populations @ problem.mix
    couvert = poids * (trajets <= (seuil or 0.0) + 1e-4)
    n_groupes = len(problem.groupes)
    par_groupe = np.bincount(problem.demande_groupe, couvert, n_groupes) / np.maximum(
        np.bincount(problem.demande_groupe, poids, n_groupes), 1e-9
    )
    facteur = 1.15 if severe else float(alea.choice([0.7, 1.0]))
    if "part_min" in traits:
        regles["part_min"] = float(np.clip(couvert.sum() / max(poids.sum(), 1e-9) * facteur, 0, 1))
    if "part_min_groupe" in traits:
        regles["part_min_groupe"] = np.clip(par_groupe * facteur, 0, 1)
    if "equite_min" in traits:
        regles["equite_min"] = float(np.clip(par_groupe.min() * facteur, 0, 1))
    if "sites_min_groupe" in traits:
        groupes = problem.site_groupe[problem.niveau_site[guide]]
        ouverts = np.array([np.count_nonzero(groupes == g) for g in range(n_groupes)])
        regles["sites_min_groupe"] = np.maximum(0, ouverts - alea.integers(0, 2, n_groupes) + int(severe))
    if "couts" in traits:
        regles |= {
            "poids_ouverture": float(alea.choice([0.0, 0.5, 3.0])),
            "poids_annuel": float(alea.choice([0.2, 2.0])),
        }
    if "equite_poids" in traits:
        regles["equite_poids"] = float(alea.choice([0.5, 5.0, 100.0]))
    return regles
