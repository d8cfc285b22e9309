"""Small problems for the tests: complete arrays from a few numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from déchetteries.probleme import EXTERIEUR, Problem, UnitCosts, validate


def make_problem(
    secondes: Any,
    *,
    km: Any = None,
    population: Any = None,
    point_groupe: Any = None,
    centre_groupe: Any = None,
    capacite: Any = None,
    capacite_seul: Any = None,
    autorise: Any = None,
    autorise_base: Any = None,
    autorise_seul: Any = None,
    actif: Any = None,
    actif_base: Any = None,
    cout_fixe: Any = None,
    groupes: tuple[str, ...] = ("42", "43"),
    couts: UnitCosts | None = None,
    modifie: bool = False,
) -> Problem:
    """A valid problem from one-way times (D, C) in seconds; everything else has a plain default."""
    secondes = np.asarray(secondes, dtype=np.float32)
    d, c = secondes.shape
    km = secondes / np.float32(72.0) if km is None else np.asarray(km, dtype=np.float32)
    population = np.full(d, 100.0) if population is None else np.asarray(population, dtype=np.float64)
    couts = couts or UnitCosts()
    g = len(groupes)
    point_groupe = np.arange(d) % g if point_groupe is None else np.asarray(point_groupe)
    centre_groupe = np.arange(c) % g if centre_groupe is None else np.asarray(centre_groupe)
    capacite = np.full(c, np.inf) if capacite is None else np.asarray(capacite, dtype=np.float64)
    if capacite_seul is None:
        capacite_seul = np.tile(capacite, (g, 1))
    autorise = np.ones((d, c), dtype=bool) if autorise is None else np.asarray(autorise, dtype=bool)
    meme = point_groupe[:, None] == centre_groupe[None, :]
    actif = np.ones(c, dtype=bool) if actif is None else np.asarray(actif, dtype=bool)
    noms_centres = [f"Centre {j}" for j in range(c)]
    problem = Problem(
        groupes=groupes,
        noms=tuple(f"Collectivité {code}" for code in groupes),
        point_code=tuple(f"P{i:04d}" for i in range(d)),
        point_nom=tuple(f"Commune {i}" for i in range(d)),
        point_commune=tuple(f"P{i:04d}" for i in range(d)),
        point_epci=tuple(f"E{g}" for g in point_groupe),
        point_epci_nom=tuple(f"EPCI {g}" for g in point_groupe),
        point_groupe=point_groupe.astype(np.int16),
        population=population,
        visites=population * couts.visites_hab_an,
        point_x=np.arange(d) * 1000.0 + 790_000.0,
        point_y=np.full(d, 6_480_000.0),
        centre_code=tuple(f"C{j:04d}" for j in range(c)),
        centre_nom=tuple(noms_centres),
        proprietaire=tuple("E?" if g == EXTERIEUR else f"E{g}" for g in centre_groupe),
        proprietaire_nom=tuple("EPCI voisin" if g == EXTERIEUR else f"EPCI {g}" for g in centre_groupe),
        centre_groupe=centre_groupe.astype(np.int16),
        centre_x=np.arange(c) * 1000.0 + 790_500.0,
        centre_y=np.full(c, 6_481_000.0),
        cout_fixe=np.full(c, 1000.0) if cout_fixe is None else np.asarray(cout_fixe, dtype=np.float64),
        fictif=np.zeros(c, dtype=bool),
        compte=centre_groupe != EXTERIEUR,
        capacite=capacite,
        actif=actif,
        actif_base=actif if actif_base is None else np.asarray(actif_base, dtype=bool),
        secondes=secondes,
        km=km,
        autorise=autorise,
        autorise_base=autorise if autorise_base is None else np.asarray(autorise_base, dtype=bool),
        autorise_seul=(autorise & meme) if autorise_seul is None else np.asarray(autorise_seul, dtype=bool),
        capacite_seul=np.asarray(capacite_seul, dtype=np.float64),
        couts=couts,
        modifie=modifie,
    )
    validate(problem)
    return problem
