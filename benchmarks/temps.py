"""``python -m benchmarks temps [DIR]``: travel times against networkx, pgRouting and scipy, exact in integer ms.

DIR: a folder with ``reseau-principal-france-*.csv.gz`` or with OpenStreetMap extracts (the one with the most roads is
taken); without it, two generated networks of 200,000 nodes each: bourgs joined by roads, as the country is, and a
grid (« quadrillage »), the hard case for a hierarchy. Slow peers run part of their searches within ``--limite`` seconds
each (20 by default) and are scaled; ``baseline_note`` says how many, and ``exact`` compares that part. A scenario's
weights are a case of their own, against the preparation.
"""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import shapely

from benchmarks.mesure import say, speed, timed, within
from benchmarks.pgrouting import PgroutingAbsent, costs
from benchmarks.reseaux import generated, grid, main_roads_france
from geodata import hierarchie, moteur_cch, moteur_scipy
from geodata.decoupe import project
from geodata.graphe import Graphe, Poids
from geodata.lecture_osm import read_osm
from geodata.profils import INF_MS
from geodata.reseau import TableauxReseau
from geodata.scenario import Scenario
from geodata.temps import Accroches, engine_of, isochrones, nearest_nodes, path, snap, snap_nodes, travel_times

N_ORIGINES, N_DESTINATIONS = 3000, 300
SEUILS_S = [300, 600, 900, 1200, 1800]


def run(args: argparse.Namespace) -> Iterator[dict[str, object]]:
    """The cases in turn. One core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for nom, reseau in _networks(args.dossier):
        yield from _cases(nom, reseau, args.limite or 20.0, args.graines)


def _cases(nom: str, reseau: TableauxReseau, budget: float, graines: int) -> Iterator[dict[str, object]]:
    """Every case on one network; ``budget`` seconds for each slow peer."""
    graphe = Graphe.from_tableaux(reseau)
    taille = f"{nom} {graphe.n} nœuds {graphe.m} tronçons"
    poids = graphe.poids("voiture")
    yield from _preparation(graphe, poids, taille)
    multi = _networkx(poids)
    for graine in range(graines):
        alea = np.random.default_rng(graine)
        noeuds = alea.choice(
            graphe.n, N_ORIGINES + N_DESTINATIONS, replace=graphe.n < N_ORIGINES + N_DESTINATIONS
        ).astype(np.int32)
        yield from _matrix(graphe, poids, multi, noeuds, f"{taille} graine {graine}", budget)
        yield from _matrix_on_edges(graphe, poids, alea, f"{taille} graine {graine}", budget)
        yield from _nearest(graphe, poids, multi, noeuds[-N_DESTINATIONS:], f"{taille} graine {graine}")
        yield from _paths(graphe, poids, multi, noeuds, f"{taille} graine {graine}", budget)
        yield from _isochrones(graphe, poids, multi, alea, f"{taille} graine {graine}")


def _networks(dossier: Path | None) -> Iterator[tuple[str, TableauxReseau]]:
    """Network of a folder or of those in it: main roads of France, else the largest extract; else generated ones."""
    france = next(dossier.rglob("reseau-principal-france-noeuds.csv.gz"), None) if dossier is not None else None
    if france is not None:
        say("lecture du réseau principal de la France")
        yield "france", main_roads_france(france.parent)
        return
    extraits = sorted(dossier.rglob("*.osm.pbf")) if dossier is not None else []
    if extraits:
        say(f"lecture de {len(extraits)} extraits")
        lus = {fichier.name.split(".")[0]: project(read_osm([fichier])) for fichier in extraits}
        nom = max(lus, key=lambda n: lus[n].n_troncons)
        yield nom, lus[nom]
        return
    say("réseaux générés" if dossier is None else f"aucun réseau lisible dans {dossier} : réseaux générés")
    yield "bourgs", generated()
    yield "quadrillage (cas difficile)", grid()


def _networkx(poids: Poids) -> nx.DiGraph:
    """The open arcs, parallel ones as the quickest, and its reversal for searches to a point."""
    matrice = poids.csr.tocoo()
    multi = nx.DiGraph()
    multi.add_nodes_from(range(poids.graphe.n))
    multi.add_weighted_edges_from(zip(matrice.row.tolist(), matrice.col.tolist(), matrice.data.tolist(), strict=True))
    return multi


def _preparation(graphe: Graphe, poids: Poids, taille: str) -> Iterator[dict[str, object]]:
    say("préparation : ordre de contraction, hiérarchie")
    ordre_s, _ = timed(lambda: graphe.ensure_ordre(moteur_cch.compute_ordre))
    _warm_up()
    structure_s, h = timed(lambda: hierarchie.hierarchie_of(graphe))
    preparation_s = ordre_s + structure_s
    say(f"  {ordre_s:.2f} s + {structure_s:.2f} s")
    hierarchie.metrique_of(poids)
    alea = np.random.default_rng(0)
    cas = {
        "scénario : 20 routes fermées": Scenario.make(fermes=alea.choice(graphe.m, 20, replace=False)),
        "scénario : toutes les durées changent": Scenario.make(facteur=1.37),
    }
    for titre, scenario in cas.items():
        autre = graphe.poids(poids.profil, scenario)
        couts = hierarchie.arc_costs(autre, metres=False)
        voisine = hierarchie.metrique_of(poids) if titre.startswith("scénario : 20") else None
        secondes, metrique = timed(partial(hierarchie.customized, h, couts, voisine), 5)
        entiere = hierarchie.customized(h, couts)
        exact = np.array_equal(metrique.monte, entiere.monte) and np.array_equal(metrique.descend, entiere.descend)
        o, d = (snap_nodes(graphe, alea.integers(0, graphe.n, k)) for k in (200, 5))
        exact = exact and np.array_equal(hierarchie.matrix_ms(autre, o, d), moteur_scipy.matrix_ms(autre, o, d))
        cas_s = f"{titre} ({taille})"
        yield speed("temps", cas_s, "hierarchie", secondes, "préparation (ordre + hiérarchie)", preparation_s, exact)


def _warm_up() -> None:
    """Compiled code is loaded (or made, after an installation) before the clock starts."""
    petit = Graphe.from_tableaux(generated(cote=2))
    points = snap_nodes(petit, [0, 24])
    hierarchie.matrix_ms(petit.poids("voiture"), points, points)


def _matrix(
    graphe: Graphe, poids: Poids, multi: nx.DiGraph, noeuds: np.ndarray, taille: str, budget: float
) -> Iterator[dict[str, object]]:
    # A network smaller than the question: a tenth of its points are destinations.
    milieu = len(noeuds) * N_ORIGINES // (N_ORIGINES + N_DESTINATIONS)
    o, d = snap_nodes(graphe, noeuds[:milieu]), snap_nodes(graphe, noeuds[milieu:])
    moteur = engine_of(graphe, len(o), len(d))
    cas = f"matrice {len(o)}x{len(d)} de nœuds ({taille})"
    say(cas)
    secondes, _ = timed(lambda: travel_times(graphe, poids, o, d), 3)
    ms = hierarchie.matrix_ms(poids, o, d).astype(np.int64)

    sweep_s, par_cch = timed(lambda: moteur_cch.matrix_ms(poids, o, d), 2)
    yield speed("temps", cas, moteur, secondes, "routingkit-cch", sweep_s, bool(np.array_equal(par_cch, ms)))

    par_scipy = within(
        budget, range(len(d)), lambda j: moteur_scipy.matrix_ms(poids, o, d.take([j]))[:, 0], au_moins=10
    )
    yield _scaled(cas, moteur, secondes, "scipy", par_scipy, ms)

    inverse = multi.reverse()

    def by_networkx(j: int) -> np.ndarray:
        atteints = nx.single_source_dijkstra_path_length(inverse, int(d.noeud[j]))
        return np.array([int(atteints.get(int(v), INF_MS)) for v in o.noeud])

    par_networkx = within(budget, range(len(d)), by_networkx)
    yield _scaled(cas, moteur, secondes, "networkx", par_networkx, ms)

    try:
        retourne = _reversed(poids)
        peu, plus = 2, 12
        peu_s, _ = costs(retourne, d.noeud[:peu], o.noeud)
        plus_s, matrice = costs(retourne, d.noeud[:plus], o.noeud)
    except PgroutingAbsent as absent:
        yield speed("temps", cas, moteur, secondes, "pgrouting", None, None, str(absent))
        return
    par_recherche = (plus_s - peu_s) / (plus - peu)
    total = peu_s + par_recherche * (len(d) - peu)
    exact = bool(np.array_equal(matrice.T, ms[:, :plus]))
    note = f"pgr_dijkstraCost, graphe retourné : {plus} recherches sur {len(d)}, lecture des arcs comptée une fois"
    yield speed("temps", cas, moteur, secondes, "pgrouting", total, exact, note)


def _reversed(poids: Poids) -> Poids:
    """The same weights with every edge driven the other way: searches to the fewer side, as ours are."""
    m = poids.graphe.m
    return Poids(poids.graphe, poids.profil, poids.scenario, np.concatenate([poids.ms[m:], poids.ms[:m]]))


def _scaled(
    cas: str, moteur: str, secondes: float, pair: str, mesure: tuple[float, list[np.ndarray]], ms: np.ndarray
) -> dict[str, object]:
    une, colonnes = mesure
    n = ms.shape[1]
    exact = bool(np.array_equal(np.column_stack(colonnes), ms[:, : len(colonnes)]))
    note = f"{len(colonnes)} recherches sur {n} (vers les destinations), durée mise à l'échelle"
    return speed("temps", cas, moteur, secondes, pair, une * n, exact, note)


def _matrix_on_edges(
    graphe: Graphe, poids: Poids, alea: np.random.Generator, taille: str, budget: float
) -> Iterator[dict[str, object]]:
    """Points beside the roads, put on edges: the real question."""
    qui = alea.integers(0, graphe.n, N_ORIGINES + N_DESTINATIONS)
    x = graphe.reseau.noeud_x[qui] + alea.normal(0, 150, len(qui))
    y = graphe.reseau.noeud_y[qui] + alea.normal(0, 150, len(qui))
    points = snap(graphe, x, y, poids.profil)
    o, d = points.take(slice(N_ORIGINES)), points.take(slice(N_ORIGINES, None))
    cas = f"matrice {len(o)}x{len(d)} de points sur les tronçons ({taille})"
    say(cas)
    secondes, _ = timed(lambda: travel_times(graphe, poids, o, d), 3)
    ms = hierarchie.matrix_ms(poids, o, d)
    par_scipy = within(
        budget, range(len(d)), lambda j: moteur_scipy.matrix_ms(poids, o, d.take([j]))[:, 0], au_moins=10
    )
    yield _scaled(cas, engine_of(graphe, len(o), len(d)), secondes, "scipy", par_scipy, ms)


def _nearest(
    graphe: Graphe, poids: Poids, multi: nx.DiGraph, sites: np.ndarray, taille: str
) -> Iterator[dict[str, object]]:
    cas = f"plus proche de {len(sites)} pour tous les nœuds ({taille})"
    say(cas)
    accroches = snap_nodes(graphe, sites)
    secondes, (trouve, _) = timed(lambda: nearest_nodes(graphe, poids, accroches), 5)
    inverse = multi.reverse()
    nx_s, atteints = timed(lambda: nx.multi_source_dijkstra_path_length(inverse, set(sites.tolist())))
    attendu = np.array([atteints.get(v, np.inf) for v in range(graphe.n)])
    exact = bool(np.array_equal((attendu / 1000.0).astype(np.float32), trouve))
    yield speed("temps", cas, "scipy", secondes, "networkx", nx_s, exact)


def _paths(
    graphe: Graphe, poids: Poids, multi: nx.DiGraph, noeuds: np.ndarray, taille: str, budget: float
) -> Iterator[dict[str, object]]:
    paires = [(snap_nodes(graphe, [a]), snap_nodes(graphe, [b])) for a, b in noeuds[:200].reshape(-1, 2)]
    cas = f"trajet avec tracé et noms ({taille})"
    say(cas)
    path(graphe, poids, *paires[0])
    une, trajets = within(np.inf, paires, lambda p: path(graphe, poids, *p))

    def by_networkx(paire: tuple[Accroches, Accroches]) -> int:
        try:
            return int(nx.bidirectional_dijkstra(multi, int(paire[0].noeud[0]), int(paire[1].noeud[0]))[0])
        except nx.NetworkXNoPath:
            return int(INF_MS)

    nx_s, attendus = within(budget, paires, by_networkx)
    exact = [INF_MS if t is None else t.ms for t in trajets[: len(attendus)]] == attendus
    note = f"moyenne de {len(attendus)} recherches bidirectionnelles, sans tracé ni noms"
    yield speed("temps", cas, "routingkit-cch", une, "networkx", nx_s, bool(exact), note)


def _isochrones(
    graphe: Graphe, poids: Poids, multi: nx.DiGraph, alea: np.random.Generator, taille: str
) -> Iterator[dict[str, object]]:
    """Against the usual recipe: a cut search by networkx for each band, and the union of the buffered roads."""
    principaux = np.flatnonzero(poids.troncons_principaux)
    centre = int(graphe.reseau.source[principaux[alea.integers(len(principaux))]])
    site = snap_nodes(graphe, [centre])
    cas = f"{len(SEUILS_S)} isochrones jusqu'à {SEUILS_S[-1] // 60} min ({taille})"
    say(cas)
    secondes, aires = timed(lambda: isochrones(graphe, poids, site, SEUILS_S, vers=False), 3)
    source, cible = graphe.reseau.source, graphe.reseau.cible

    def recipe() -> list[Any]:
        resultat = []
        for seuil in SEUILS_S:
            atteints = nx.single_source_dijkstra_path_length(multi, centre, cutoff=1000 * seuil)
            dedans = np.zeros(graphe.n, dtype=np.bool_)
            dedans[list(atteints)] = True
            lignes = graphe.lignes[dedans[source] & dedans[cible]]
            resultat.append(shapely.union_all(shapely.buffer(lignes, 300.0)))
        return resultat

    recette_s, _ = timed(recipe)
    emboites = all(b.geom.covers(a.geom) for a, b in itertools.pairwise(aires) if not a.geom.is_empty)
    exact = emboites and all(a.geom.is_valid for a in aires)
    yield speed(
        "temps",
        cas,
        "champ + contours",
        secondes,
        "networkx + tampons",
        recette_s,
        bool(exact),
        "exact : aires valides et emboîtées",
        km2=[round(a.geom.area / 1e6, 1) for a in aires],
    )
