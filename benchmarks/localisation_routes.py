"""Road-like location problems: demands and sites drawn on a road network, minutes by car."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, shortest_path
from scipy.spatial import Delaunay

from accueil.probleme import Problem, make_problem
from benchmarks.mesure import say
from geodata.decoupe import project
from geodata.graphe import Graphe
from geodata.lecture_osm import read_osm
from geodata.temps import snap_nodes, travel_times

#: Nodes and side (km) of the triangulation, share of its edges kept, speeds drawn for them.
NOEUDS, COTE_KM, GARDE, VITESSES = 12_000, 60.0, 0.6, (40.0, 60.0, 90.0)


@dataclass(frozen=True, eq=False)
class Routes:
    """A network: its name, nodes that all reach each other, and either a graph of the base or a sparse matrix."""

    nom: str
    noeuds: NDArray[np.int64]
    graphe: Graphe | None
    matrice: csr_array | None

    def minutes(self, depuis: NDArray[np.int64], vers: NDArray[np.int64]) -> NDArray[np.float32]:
        """Minutes by car, (D, S)."""
        if self.graphe is not None:
            secondes = travel_times(
                self.graphe,
                self.graphe.poids("voiture"),
                snap_nodes(self.graphe, depuis),
                snap_nodes(self.graphe, vers),
            )
            return (secondes / 60).astype(np.float32)
        temps = shortest_path(self.matrice, directed=False, indices=vers)
        return np.ascontiguousarray(temps[:, depuis].T, dtype=np.float32)


def roads(dossier: Path) -> Routes:
    """The real network of Porto when an ``osm`` folder lies in or beside the folder, else a triangulation."""
    for lieu in (dossier, dossier.parent, dossier.parent.parent):
        extraits = sorted((lieu / "osm").glob("porto*.pbf")) if (lieu / "osm").is_dir() else []
        if extraits:
            say(f"réseau : {extraits[0].name}")
            graphe = Graphe.from_tableaux(project(read_osm([extraits[0]])))
            composante = graphe.poids("voiture").composantes[0]
            return Routes("porto", np.flatnonzero(composante == 0), graphe, None)
    say("réseau : triangulation (pas de dossier osm)")
    return _triangulation()


def _triangulation() -> Routes:
    alea = np.random.default_rng(0)
    points = alea.uniform(0, COTE_KM, (NOEUDS, 2))
    triangles = Delaunay(points).simplices
    aretes = np.unique(np.sort(triangles[:, [[0, 1], [1, 2], [0, 2]]].reshape(-1, 2), axis=1), axis=0)
    aretes = aretes[alea.random(len(aretes)) < GARDE]
    km = np.hypot(*(points[aretes[:, 0]] - points[aretes[:, 1]]).T)
    minutes = km / alea.choice(VITESSES, len(aretes)) * 60
    matrice = csr_array((minutes, (aretes[:, 0], aretes[:, 1])), shape=(NOEUDS, NOEUDS))
    _, etiquette = connected_components(matrice, directed=False)
    return Routes("delaunay", np.flatnonzero(etiquette == np.bincount(etiquette).argmax()), None, matrice)


def road_problem(routes: Routes, demandes: int, sites: int, p: int, graine: int) -> Problem:
    """p-median with demands and sites drawn among the nodes, weights of lognormal communes."""
    alea = np.random.default_rng(graine)
    depuis = alea.choice(routes.noeuds, demandes, replace=False)
    vers = alea.choice(routes.noeuds, sites, replace=False)
    poids = np.round(alea.lognormal(5.0, 1.2, demandes)) + 1
    return make_problem(routes.minutes(depuis, vers), sites_max=p, poids=poids)
