"""Readers of published location instances, in the layout of shared/data/location, and of their known values."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from accueil.probleme import Capacites, Problem, make_problem

F64 = NDArray[np.float64]

#: Best values known of the instances of Sao Jose dos Campos (Lorena and Senne, Computers & OR 2004).
SJC = {"SJC1": 17288.99, "SJC2": 33270.94}

#: Column of a table that names the instance, and those that give its value.
_NOM = "instance"
_VALEURS = ("pmedian_optimum", "best_known", "optimum")
_CENTRE = "pcenter_optimum"


@dataclass(frozen=True, eq=False)
class Instance:
    """One instance: name, problem (p-median or single-source location), known value of it, of its p-center."""

    nom: str
    famille: str
    problem: Problem
    reference: float | None
    reference_centre: float | None = None


def read_tables(dossier: Path, reference: Path | None) -> dict[str, dict[str, str]]:
    """Rows of every table of known values in the folder or beside it (or of ``reference`` alone), by instance."""
    tables = [reference] if reference is not None else [*dossier.glob("*.csv"), *dossier.parent.glob("*.csv")]
    lignes: dict[str, dict[str, str]] = {}
    for table in tables:
        # Tables of other things, in any encoding, may lie beside the folder: only the heading tells.
        with table.open(encoding="utf-8", errors="replace", newline="") as fichier:
            lecteur = csv.DictReader(fichier)
            if _NOM in (lecteur.fieldnames or ()):
                lignes |= {ligne[_NOM]: ligne for ligne in lecteur}
    return lignes


def known(ligne: dict[str, str] | None, champs: tuple[str, ...] = _VALEURS) -> float | None:
    """First of these values in the row, None where there is none."""
    if ligne is None:
        return None
    return next((float(ligne[champ]) for champ in champs if ligne.get(champ)), None)


def files(dossier: Path) -> list[Path]:
    """Instance files of a folder and its subfolders, in natural order."""
    trouves = [
        chemin
        for chemin in dossier.rglob("*")
        if chemin.is_file()
        and (chemin.suffix in (".txt", ".dat") or chemin.stem.startswith("pmedcap"))
        and not chemin.stem.endswith("_best")
    ]
    return sorted(trouves, key=lambda c: [int(m) if m.isdigit() else m for m in re.split(r"(\d+)", str(c))])


def read_all(dossier: Path, reference: Path | None) -> Iterator[Instance]:
    """Every instance of the folder."""
    tables = read_tables(dossier, reference)
    for chemin in files(dossier):
        yield read(chemin, tables.get(chemin.stem))


def read(chemin: Path, ligne: dict[str, str] | None) -> Instance:
    """One instance, by what its file looks like. Raises `ValueError` (French) where it is none of the known formats."""
    nom = chemin.stem
    if chemin.suffix == ".csv":
        if ligne is None or not ligne.get("p") or not ligne.get("capacity"):
            raise ValueError(f"{chemin.name} : nombre de sites et capacité absents de la table des valeurs connues")
        problem = _capacitated_plane(chemin, int(ligne["p"]), float(ligne["capacity"]))
        return Instance(nom, "pmedcap", problem, known(ligne))
    nombres = np.array(chemin.read_text(encoding="utf-8").split(), dtype=np.float64)
    if chemin.suffix == ".dat":
        return Instance(nom, "sjc", _sao_jose(nombres), SJC.get(nom, known(ligne)))
    if len(nombres) == 3 + 3 * int(nombres[1]):
        return Instance(nom, "pmed", _graph(nombres), known(ligne), known(ligne, (_CENTRE,)))
    sites, clients = int(nombres[0]), int(nombres[1])
    if len(nombres) == 2 + 2 * sites + clients + sites * clients:
        return Instance(nom, "sscflp", _facilities(nombres, sites, clients), known(ligne))
    raise ValueError(f"{chemin.name} : format inconnu ({len(nombres)} nombres)")


def _graph(nombres: F64) -> Problem:
    """OR-Library graph: n, edges, p, then edges; of an edge listed twice the last cost counts."""
    n, p = int(nombres[0]), int(nombres[2])
    aretes = nombres[3:].reshape(-1, 3)
    i, j = aretes[:, 0].astype(np.int64) - 1, aretes[:, 1].astype(np.int64) - 1
    dense = np.full((n, n), np.inf)
    for a, b, cout in zip(i, j, aretes[:, 2], strict=True):
        dense[a, b] = dense[b, a] = cout
    ligne, colonne = np.nonzero(np.isfinite(dense))
    graphe = csr_array((dense[ligne, colonne], (ligne, colonne)), shape=(n, n))
    return make_problem(shortest_path(graphe, directed=False), sites_max=p)


def _capacitated_plane(chemin: Path, p: int, capacite: float) -> Problem:
    """Capacitated p-median of OR-Library: euclidean distances rounded down, one capacity for all."""
    with chemin.open(encoding="utf-8", newline="") as fichier:
        lignes = list(csv.DictReader(fichier))
    xy = np.array([[float(ligne["x"]), float(ligne["y"])] for ligne in lignes])
    minutes = np.floor(np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)))
    return make_problem(
        minutes,
        sites_max=p,
        sites_min=p,
        capacites=Capacites.UNIQUE,
        volume=np.array([float(ligne["demand"]) for ligne in lignes]),
        capacite=np.full(len(xy), capacite),
    )


def _sao_jose(nombres: F64) -> Problem:
    """Lorena and Senne: n, p, then x, y, capacity, demand; euclidean distances."""
    n, p = int(nombres[0]), int(nombres[1])
    points = nombres[2:].reshape(n, 4)
    minutes = np.hypot(*(points[:, None, :2] - points[None, :, :2]).transpose(2, 0, 1))
    return make_problem(
        minutes,
        sites_max=p,
        sites_min=p,
        capacites=Capacites.UNIQUE,
        volume=points[:, 3],
        capacite=points[:, 2],
    )


def _facilities(nombres: F64, sites: int, clients: int) -> Problem:
    """Single-source facility location: capacities, opening costs, demands, then one row of costs a customer."""
    reste = nombres[2:]
    capacite, fixe, volume = np.split(reste[: 2 * sites + clients], [sites, 2 * sites])
    return make_problem(
        reste[2 * sites + clients :].reshape(clients, sites),
        capacites=Capacites.UNIQUE,
        volume=volume,
        capacite=capacite,
        cout_ouverture=fixe,
        poids_ouverture=1.0,
    )
