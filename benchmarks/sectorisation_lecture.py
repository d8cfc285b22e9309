"""Readers of districts and of county graphs, in the layout of shared/data/districting, and of their known values.

A **district** is a folder with ``zones.csv`` (zone, x_km, y_km), ``adjacency.csv`` (zone_a, zone_b, shared_border_m)
and one ``schools.csv`` or several ``schools_LEVEL.csv`` (school, zone, capacity; code, name), each a problem of its
own. Pupils and the school of today (zone, pupils, current_school) stand in ``assignment.csv``
(``assignment_LEVEL.csv``) or in ``zones.csv``; the minutes in ``minutes.csv`` or ``minutes.csv.gz``
(``minutes_LEVEL``), whose columns are the schools' numbers with or without an s before, or are made as the README
says. Rows may stand in any order: a zone, a school is what its number says, never where it stands. A **county graph**
is a JSON with ``population``, ``edges`` (positions in ``population``), ``districts``, ``pop_min``, ``pop_max``.
"""

from __future__ import annotations

import csv
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from benchmarks.mesure import say
from benchmarks.sectorisation_tables import JeuInvalide, Table, number
from collèges.probleme import AUCUN, F64, I32, Problem, ProblemeInvalide, Regles

#: Border (m) from which two zones are neighbours, for the README.
FRONTIERE_MIN_M = 1.0
#: Two lengths (m) given for one border may differ by this: their mean is taken.
ARRONDI_M = 1.0
#: Border of neighbours whose border's length is not given.
FRONTIERE_M = 1_000.0
_NOM, _VALEURS = ("case", "instance"), ("reference", "best_known", "min_cut_edges", "optimum")


@dataclass(frozen=True)
class District:
    """A district to read: its name, folder and level ("" where it has one level only)."""

    nom: str
    dossier: Path
    niveau: str


@dataclass(frozen=True)
class Comtes:
    """A county graph to read."""

    nom: str
    chemin: Path


@dataclass(frozen=True, eq=False)
class Graphe:
    """n nodes: population (n,), arete (m, 2) int32; ``parties`` connected parts of population in [bas, haut]."""

    population: F64
    arete: I32
    parties: int
    bas: float
    haut: float


def find(dossier: Path) -> tuple[list[District], list[Comtes]]:
    """Every set of a folder and its sub-folders, the small ones first (by the size of their zones' file).

    A set is named by its path in the folder and its level, joined by underscores; by the folder's own name where it is
    the folder itself.
    """
    districts = []
    for zones in dossier.rglob("zones.csv"):
        ici = zones.parent
        for ecoles in (*ici.glob("schools.csv"), *sorted(ici.glob("schools_*.csv"))):
            niveau = ecoles.stem.removeprefix("schools").removeprefix("_")
            districts.append(District(_name(dossier, ici, niveau), ici, niveau))
    comtes = [
        Comtes(_name(dossier, chemin.parent, chemin.stem), chemin)
        for chemin in dossier.rglob("*.json")
        if {"population", "edges"} <= _json(chemin).keys()
    ]
    districts.sort(key=lambda d: ((d.dossier / "zones.csv").stat().st_size, _natural(d.nom)))
    comtes.sort(key=lambda c: (c.chemin.stat().st_size, _natural(c.nom)))
    return districts, comtes


def _name(racine: Path, dossier: Path, dernier: str) -> str:
    morceaux = dossier.relative_to(racine).parts or (racine.resolve().name,)
    return "_".join((*morceaux, dernier) if dernier else morceaux)


def _natural(nom: str) -> list[tuple[int, str]]:
    """Sort key in which 2 comes before 10."""
    return [(int(m), "") if m.isdigit() else (-1, m) for m in re.split(r"(\d+)", nom)]


def known_values(dossier: Path, reference: Path | None) -> dict[str, float]:
    """Known values by case, or by the name of a graph's file: of every table (CSV) in the folder, its sub-folders and
    beside it that has the columns, then of ``reference``, which is the stronger. Raises `JeuInvalide` for a fault of
    ``reference``; those of the other tables are told."""
    valeurs: dict[str, float] = {}
    # Tables of other things, in any encoding, may lie there: what is wrong with one of them is told and left.
    for table in [*sorted(dossier.parent.glob("*.csv")), *sorted(dossier.rglob("*.csv"))]:
        lues, fautes = _read_values(table)
        valeurs |= lues or {}
        for faute in fautes:
            say(f"valeur connue laissée de côté : {faute}")
    if reference is not None:
        lues, fautes = _read_values(reference)
        if fautes:
            raise JeuInvalide(fautes[0])
        if lues is None:
            raise JeuInvalide(f"{reference.name} : colonnes {' ou '.join(_NOM)}, {' ou '.join(_VALEURS)} attendues")
        valeurs |= lues
    return valeurs


def _read_values(table: Path) -> tuple[dict[str, float] | None, list[str]]:
    """Known values of a table (None = its heading is not one of them) and the faults found, French sentences."""
    valeurs: dict[str, float] = {}
    fautes: list[str] = []
    try:
        with table.open(encoding="utf-8", errors="replace", newline="") as fichier:
            lecteur = csv.DictReader(fichier)
            champs = lecteur.fieldnames or ()
            nom = next((champ for champ in _NOM if champ in champs), None)
            colonne = next((champ for champ in _VALEURS if champ in champs), None)
            if nom is None or colonne is None:
                return None, []
            for ligne in lecteur:
                try:
                    if ligne[colonne]:
                        place = f"{table.name}, ligne {lecteur.line_num}"
                        valeurs[ligne[nom]] = number(place, colonne, ligne[colonne])
                except JeuInvalide as error:
                    fautes.append(str(error))
    except (OSError, csv.Error) as error:
        fautes.append(f"{table.name} : fichier illisible ({error})")
    return valeurs, fautes


def read_district(district: District) -> Problem:
    """One group, one year, the objective of the README. Raises `JeuInvalide`."""
    dossier, suite = district.dossier, f"_{district.niveau}" if district.niveau else ""
    zones = Table(dossier / "zones.csv", ("zone", "x_km", "y_km"))
    ecoles = Table(dossier / f"schools{suite}.csv", ("school", "zone", "capacity"))
    rang, rang_ecole = zones.ranks("zone"), ecoles.ranks("school")
    apart = dossier / f"assignment{suite}.csv"
    eleves, present = _today(Table(apart, ()) if apart.is_file() else zones, rang, rang_ecole)
    arete, frontiere = _borders(Table(dossier / "adjacency.csv", ("zone_a", "zone_b")), rang)
    xy = np.array([zones.numbers("x_km", -math.inf), zones.numbers("y_km", -math.inf)]).T
    portes = ecoles.references("zone", rang, "zone")
    table = next((c for c in (dossier / f"minutes{suite}.csv{fin}" for fin in ("", ".gz")) if c.is_file()), None)
    minutes = _minutes(table, rang, rang_ecole) if table else _graph_minutes(xy, arete, frontiere, portes)
    codes, noms = (ecoles.texts(champ) for champ in ("code", "name"))
    try:
        return problem_of(
            codes=list(rang),
            xy=xy * 1000.0,
            eleves=eleves,
            present=present,
            arete=arete,
            frontiere=frontiere,
            ecoles=[
                (codes[j] if codes else ecole, noms[j] if noms else f"Collège {ecole}")
                for j, ecole in enumerate(rang_ecole)
            ],
            portes=portes,
            capacite=ecoles.numbers("capacity"),
            minutes=minutes,
        )
    except ProblemeInvalide as error:
        raise JeuInvalide(f"{district.nom} : {error}") from error


def _today(table: Table, rang: dict[str, int], rang_ecole: dict[str, int]) -> tuple[F64, I32]:
    """Pupils and school of each zone, from a table with one row a zone; a zone without school today is left blank."""
    table.need("zone", "pupils", "current_school")
    lignes = _one_row_each(table, rang)
    eleves, present = np.zeros(len(rang)), np.full(len(rang), AUCUN, dtype=np.int32)
    eleves[lignes] = table.numbers("pupils")
    present[lignes] = table.references("current_school", rang_ecole, "école", blank=AUCUN)
    return eleves, present


def _one_row_each(table: Table, rang: dict[str, int]) -> I32:
    """Zone of each row of a table that has one row for every zone."""
    lignes, vues = table.references("zone", rang, "zone"), table.ranks("zone")
    for zone in rang:
        if zone not in vues:
            raise JeuInvalide(f"{table.chemin.name} : zone {zone} absente")
    return lignes


def _borders(table: Table, rang: dict[str, int]) -> tuple[I32, F64]:
    """Pairs of zones, each once, with the length of their border (m), 0 where they touch at a point only."""
    a, b = table.references("zone_a", rang, "zone"), table.references("zone_b", rang, "zone")
    donnee = "shared_border_m" in table.champs
    longueurs = table.numbers("shared_border_m") if donnee else np.full(len(a), FRONTIERE_M)
    vues: dict[tuple[int, int], list[float]] = {}
    for k, (un, deux) in enumerate(np.sort(np.stack([a, b], axis=1), axis=1).tolist()):
        # Some lists give a pair both ways, its length rounded or drawn twice.
        donnees = vues.setdefault((un, deux), [])
        donnees.append(float(longueurs[k]))
        if un == deux or max(donnees) - min(donnees) > ARRONDI_M + 1e-9:
            defaut = "zone voisine d'elle-même" if un == deux else "couple déjà donné avec une autre longueur"
            raise JeuInvalide(f"{table.place(k)} : {defaut} ({table.lignes[k]['zone_a']}, {table.lignes[k]['zone_b']})")
    frontiere = np.array([sum(donnees) / len(donnees) for donnees in vues.values()], dtype=np.float64)
    frontiere[frontiere <= FRONTIERE_MIN_M] = 0.0
    return np.array(list(vues), dtype=np.int32).reshape(-1, 2), frontiere


def _graph_minutes(xy: F64, arete: I32, frontiere: F64, portes: I32) -> F64:
    """Minutes (n, C) of the README: along the borders, an edge being 0.05 km and the straight distance."""
    vraies = arete[frontiere > 0]
    km = 0.05 + np.hypot(*(xy[vraies[:, 0]] - xy[vraies[:, 1]]).T)
    graphe = csr_matrix((km, (vraies[:, 0], vraies[:, 1])), shape=(len(xy), len(xy)))
    distance: F64 = dijkstra(graphe, directed=False, indices=portes).T
    return np.round(1.2 * distance / 35 * 60 + 1, 1)


def _minutes(chemin: Path, rang: dict[str, int], rang_ecole: dict[str, int]) -> F64:
    """Minutes (n, C) of a table zone x school; a blank cell is no road."""
    table = Table(chemin, ("zone",))
    minutes = np.full((len(rang), len(rang_ecole)), np.inf)
    lignes = _one_row_each(table, rang)
    colonnes = {champ if champ in rang_ecole else champ.removeprefix("s"): champ for champ in table.champs}
    for ecole, j in rang_ecole.items():
        if ecole not in colonnes:
            raise JeuInvalide(f"{chemin.name} : colonne de l'école {ecole} absente")
        minutes[lignes, j] = table.numbers(colonnes[ecole], blank=math.inf)
    return minutes


def read_graph(comtes: Comtes) -> Graphe:
    """The graph of a JSON file. Raises `JeuInvalide`."""
    chemin, contenu = comtes.chemin, _json(comtes.chemin)
    for champ in ("districts", "pop_min", "pop_max"):
        if not _finite(contenu.get(champ)):
            raise JeuInvalide(f"{chemin.name} : {champ} absent, ou n'est pas un nombre ({contenu.get(champ)!r})")
    if contenu["districts"] != int(contenu["districts"]) or contenu["districts"] < 1:
        raise JeuInvalide(f"{chemin.name} : districts : {contenu['districts']!r} (entier positif attendu)")
    if contenu["pop_min"] > contenu["pop_max"]:
        raise JeuInvalide(f"{chemin.name} : pop_min : {contenu['pop_min']!r} supérieur à pop_max")
    for champ in ("population", "edges"):
        if not isinstance(contenu[champ], list):
            raise JeuInvalide(f"{chemin.name} : {champ} : {contenu[champ]!r} (liste attendue)")
    population, n = contenu["population"], len(contenu["population"])
    if n < contenu["districts"]:
        raise JeuInvalide(f"{chemin.name} : districts : {contenu['districts']!r} pour {n} sommets")
    for i, valeur in enumerate(population):
        if not _finite(valeur) or valeur < 0:
            raise JeuInvalide(f"{chemin.name} : population, sommet {i} : {valeur!r}")
    vues = set()
    for k, bout in enumerate(contenu["edges"]):
        bon = isinstance(bout, list) and len(bout) == 2 and all(type(i) is int and 0 <= i < n for i in bout)
        if not bon or bout[0] == bout[1]:
            raise JeuInvalide(f"{chemin.name} : edges, n° {k} : {bout} ({n} sommets)")
        if (min(bout), max(bout)) in vues:
            raise JeuInvalide(f"{chemin.name} : edges, n° {k} : {bout} donnée plusieurs fois")
        vues.add((min(bout), max(bout)))
    return Graphe(
        population=np.array(population, dtype=np.float64),
        arete=np.array(contenu["edges"], dtype=np.int32).reshape(-1, 2),
        parties=int(contenu["districts"]),
        bas=float(contenu["pop_min"]),
        haut=float(contenu["pop_max"]),
    )


def _finite(valeur: object) -> bool:
    """Whether a JSON value is a number, and one that a float can hold."""
    try:
        return isinstance(valeur, int | float) and not isinstance(valeur, bool) and math.isfinite(valeur)
    except OverflowError:
        return False


def _json(chemin: Path) -> dict[str, Any]:
    """Content of a JSON object; empty for anything else."""
    try:
        contenu = json.loads(chemin.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        say(f"{chemin.name} : laissé de côté ({error})")
        return {}
    return contenu if isinstance(contenu, dict) else {}


def problem_of(
    *,
    codes: list[str],
    xy: F64,
    eleves: F64,
    present: I32,
    arete: I32,
    frontiere: F64,
    ecoles: list[tuple[str, str]],
    portes: I32,
    capacite: F64,
    minutes: F64,
) -> Problem:
    """One group, one year, the objective of the README."""
    n, c = len(codes), len(ecoles)
    return Problem(
        groupes=("A",),
        groupe_noms=("A",),
        annees=("1",),
        zone_code=tuple(codes),
        zone_nom=tuple(codes),
        zone_groupe=np.zeros(n, dtype=np.int32),
        zone_x=xy[:, 0],
        zone_y=xy[:, 1],
        zone_ips=np.full(n, np.nan),
        eleves=eleves[None, :],
        part_nouvelle=np.ones((1, n)),
        present=np.stack([present, np.full(n, -1, dtype=np.int32)], axis=1),
        arete=arete,
        frontiere_m=frontiere,
        college_code=tuple(code for code, _ in ecoles),
        college_nom=tuple(nom for _, nom in ecoles),
        college_groupe=np.zeros(c, dtype=np.int32),
        college_x=xy[portes, 0],
        college_y=xy[portes, 1],
        college_zone=portes,
        capacite=capacite[None, :],
        remplissage_max=np.ones(c),
        remplissage_min=np.full(c, 0.75),
        effectif_min=np.zeros(c),
        college_ips=np.full(c, np.nan),
        college_voisins=np.zeros((0, 2), dtype=np.int32),
        minutes=minutes,
        interdit=np.zeros((n, c), dtype=np.bool_),
        impose=np.full(n, -1, dtype=np.int32),
        ensemble=np.full(n, -1, dtype=np.int32),
        passages_max=np.full((1, 1), np.inf),
        poids_annee=np.ones(1),
        regles=Regles(),
    )
