"""Real sectorisation blocks of a data folder laid out as shared/data: Ille-et-Vilaine, and the border of 42 and 43."""

from __future__ import annotations

import csv
import gzip
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from collèges.carte_scolaire import (
    CarteScolaire,
    compare,
    enumerate_names,
    read_colleges,
    read_enrolments,
    read_sectors,
)
from collèges.carte_zones import (
    Commune,
    Zone,
    border_block,
    build_problem,
    located,
    nearest_today,
    pupils_by_population,
    read_communes,
    road_minutes,
    towns_in_parts,
    zones_of_carte,
    zones_of_communes,
)
from collèges.prevision import Erreurs, errors, fit_two_counts, forecast, level_of, split_classes
from collèges.probleme import F64, Problem
from collèges.recalcul import cut_off
from geodata.decoupe import project
from geodata.graphe import Graphe
from geodata.lecture_routes import read_lines

#: Ille-et-Vilaine and the départements around it: roads that cross the limit and come back.
AUTOUR_35 = ("35", "22", "44", "49", "50", "53", "56")
NOMS = {"35": "Ille-et-Vilaine", "42": "Loire", "43": "Haute-Loire"}
#: Collèges this near to the other département make the border of 42 and 43.
LIMITROPHE_M = 25_000.0


@dataclass(frozen=True, eq=False)
class Cas:
    """One block with its zones (for the maps) and what is wrong with the data, French sentences."""

    nom: str
    problem: Problem
    zones: list[Zone]
    fautes: tuple[str, ...]


def main_roads(dossier: Path, departements: Sequence[str]) -> Graphe:
    """Main roads of some départements, from the file of the whole country."""
    with tempfile.TemporaryDirectory() as temporaire:
        extrait = Path(temporaire) / "troncons.csv"
        with (
            gzip.open(
                dossier / "routes" / "reseau-principal-france-troncons.csv.gz", "rt", encoding="utf-8", newline=""
            ) as source,
            extrait.open("w", encoding="utf-8", newline="") as sortie,
        ):
            lignes = csv.DictReader(source)
            ecrit = csv.DictWriter(sortie, lignes.fieldnames or [])
            ecrit.writeheader()
            ecrit.writerows(ligne for ligne in lignes if ligne["departement"] in departements)
        return Graphe.from_tableaux(project(read_lines(extrait, srid=4326)))


def _places(zones: Sequence[Zone] | Sequence[Commune]) -> tuple[F64, F64]:
    return np.array([z.x for z in zones]), np.array([z.y for z in zones])


def read_35(dossier: Path) -> tuple[CarteScolaire, list[Commune], list[str]]:
    """The carte scolaire of Ille-et-Vilaine, its communes, and all the faults but islands."""
    carte = read_sectors(dossier / "colleges" / "carte-scolaire-35-2023.csv")
    colleges = read_colleges(dossier / "colleges" / "colleges-france-2024-ips-2022.csv")
    communes = read_communes(dossier / "communes" / "communes-13-departements.gpkg", ["35"])
    connues = {c.code: c.nom for c in communes}
    return carte, communes, [*carte.fautes, *compare(carte, colleges, connues, "35"), *misplaced(communes)]


def misplaced(communes: Sequence[Commune]) -> list[str]:
    """Communes whose mairie is unknown or placed elsewhere."""
    noms = [f"{c.nom} ({c.code})" for c in communes if not c.mairie]
    quoi = "mairies absentes ou placées hors de leur commune (point intérieur pris à la place)"
    return [f"{quoi} ({len(noms)}) : {enumerate_names(noms)}"] if noms else []


def ille_et_vilaine(dossier: Path) -> Cas:
    """All of Ille-et-Vilaine at commune level: capacity = most pupils of 2019 to 2022, pupils by population."""
    carte, communes, fautes = read_35(dossier)
    tous = read_colleges(dossier / "colleges" / "colleges-france-2024-ips-2022.csv")
    zones, remarques = zones_of_carte(carte, communes, tous)
    colleges = [tous[uai] for uai in carte.colleges if uai in tous and tous[uai].lon is not None]
    places = {c.uai: c.effectif or 0.0 for c in colleges}
    for lu in read_enrolments(dossier / "colleges" / "effectifs-colleges-35.csv"):
        if lu.uai in places:
            places[lu.uai] = max(places[lu.uai], lu.total)
    graphe = main_roads(dossier, AUTOUR_35)
    problem = build_problem(
        zones,
        colleges,
        road_minutes(graphe, *_places(zones), *located(colleges)),
        pupils_by_population(zones, colleges),
        annee="2022",
        capacite=np.array([places[c.uai] for c in colleges]),
        noms=NOMS,
        remarques=remarques,
    )
    return Cas("ille-et-vilaine", problem, zones, (*fautes, *remarques, *island_sentences(problem)))


def island_sentences(problem: Problem) -> list[str]:
    """Today's islands, in words."""
    _, iles = cut_off(problem, problem.present)
    noms = [
        f"{problem.zone_nom[zone]} ({problem.college_nom[j]})"
        for zone, j in sorted(iles)
        if problem.impose[zone] != j or j not in problem.present[zone]
    ]
    imposees = len(iles) - len(noms)
    phrases = [f"communes séparées de leur collège aujourd'hui ({len(noms)}) : {', '.join(noms)}"] if noms else []
    if imposees:
        phrases.append(f"parties de communes découpées par rues, séparées de leur collège : {imposees}")
    return phrases


def frontiere_42_43(dossier: Path) -> list[Cas]:
    """The border of Loire and Haute-Loire: Loire alone, Haute-Loire alone, both together."""
    tous = read_colleges(dossier / "colleges" / "colleges-france-2024-ips-2022.csv")
    publics = [
        c
        for _, c in sorted(tous.items())
        if c.departement in ("42", "43") and c.secteur == "Public" and c.effectif and c.lon is not None
    ]
    communes = read_communes(dossier / "communes" / "communes-13-departements.gpkg", ["42", "43"])
    toutes = zones_of_communes(communes, publics)
    fichier = dossier / "routes" / "reseau-principal-42-43.gpkg"
    graphe = Graphe.from_tableaux(project(read_lines(fichier, layer="troncons")))
    minutes = road_minutes(graphe, *_places(toutes), *located(publics))
    toutes = nearest_today(toutes, publics, minutes)
    retenues, proches = border_block(toutes, publics, minutes, LIMITROPHE_M)
    # Pupils before the blocks are parted: the same everywhere, whoever shares.
    zones, colleges = [toutes[i] for i in retenues], [publics[j] for j in proches]
    eleves = pupils_by_population(zones, colleges)
    cas = []
    for departements in (["42"], ["43"], ["42", "43"]):
        i = [k for k, zone in enumerate(zones) if zone.departement in departements]
        j = [k for k, college in enumerate(colleges) if college.departement in departements]
        siennes = [zones[k] for k in i]
        leurs = {zone.commune for zone in siennes}
        remarques = [*towns_in_parts(siennes), *misplaced([c for c in communes if c.code in leurs])]
        problem = build_problem(
            siennes,
            [colleges[k] for k in j],
            minutes[np.ix_([retenues[k] for k in i], [proches[k] for k in j])],
            eleves[i],
            annee="2022",
            noms=NOMS,
            remarques=remarques,
        )
        nom = "-".join(departements)
        cas.append(Cas(nom, problem, siennes, (*remarques, *island_sentences(problem))))
    return cas


def forecast_35(dossier: Path, secteur: str = "PUBLIC") -> dict[str, Erreurs]:
    """2021 forecast from 2019 and 2020, against what came, and "the same as last year" beside it."""
    par_college: dict[str, dict[int, tuple[float, float]]] = {}
    for lu in read_enrolments(dossier / "colleges" / "effectifs-colleges-35.csv"):
        if lu.secteur == secteur and lu.est_college:
            par_college.setdefault(lu.uai, {})[lu.annee] = (lu.total, lu.sixiemes)
    # Those that opened or closed in between have no past to go by.
    suivis = [annees for _, annees in sorted(par_college.items()) if set(annees) >= {2019, 2020, 2021}]
    total, sixiemes = (np.array([[a[annee][k] for a in suivis] for annee in (2019, 2020, 2021)]) for k in (0, 1))
    prevision = forecast(
        fit_two_counts(sixiemes[:2], total[:2]), split_classes(sixiemes[1], total[1]), level_of(sixiemes[:2], 1)
    )
    totaux = prevision.totals()
    return {
        "total, cohortes": errors(totaux["central"][0], total[2], totaux["bas"][0], totaux["haut"][0]),
        "total, comme l'an dernier": errors(total[1], total[2]),
        "6e, prévision": errors(
            prevision.central[0, :, 0], sixiemes[2], prevision.bas[0, :, 0], prevision.haut[0, :, 0]
        ),
        "6e, comme l'an dernier": errors(sixiemes[1], sixiemes[2]),
    }
