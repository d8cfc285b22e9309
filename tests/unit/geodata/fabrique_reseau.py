"""Small networks made by hand or at random, for the tests of searches."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import networkx as nx
import numpy as np
from hypothesis import strategies as st

from geodata.accrochage import Accroches
from geodata.classes import ACCES_ORDINAIRE, Classe
from geodata.graphe import Graphe, Poids
from geodata.profils import INF_MS
from geodata.reseau import TableauxReseau

TEXTES = ("", "D 500", "Rue du Lac", "Route de Bas", "N 88")


def make_reseau(
    noeuds: Sequence[tuple[float, float]],
    troncons: Sequence[tuple[int, int]],
    *,
    longueur_m: Sequence[float] | None = None,
    sens_unique: Sequence[bool] | None = None,
    vmax: float | Sequence[float] = 80.0,
    classe: int | Sequence[int] = int(Classe.SECONDAIRE),
    acces: int | Sequence[int] = int(ACCES_ORDINAIRE),
    tonnage: float | Sequence[float] = np.nan,
    hauteur: float | Sequence[float] = np.nan,
    ref: int | Sequence[int] = 1,
    nom: int | Sequence[int] = 0,
    traces: dict[int, Sequence[tuple[float, float]]] | None = None,
) -> TableauxReseau:
    """A network in metres; edges are straight unless ``traces`` says otherwise."""
    n, m = len(noeuds), len(troncons)
    xy = np.asarray(noeuds, dtype=np.float64).reshape(n, 2)
    bouts = np.asarray(troncons, dtype=np.int32).reshape(m, 2)
    lignes = [np.asarray((traces or {}).get(k, xy[bouts[k]]), dtype=np.float64) for k in range(m)]
    sommets = np.vstack(lignes)
    droites = np.array([np.hypot(*np.diff(ligne, axis=0).T).sum() for ligne in lignes])

    def per_edge(valeur: object, dtype: type) -> np.ndarray:
        return np.broadcast_to(np.asarray(valeur, dtype=dtype), (m,)).copy()

    rien = np.full(m, -1, dtype=np.int16)
    return TableauxReseau(
        srid=2154,
        noeud_id=np.arange(n, dtype=np.int64),
        noeud_x=xy[:, 0],
        noeud_y=xy[:, 1],
        noeud_passage=np.zeros(n, dtype=np.bool_),
        source=bouts[:, 0].copy(),
        cible=bouts[:, 1].copy(),
        longueur_m=per_edge(droites if longueur_m is None else longueur_m, np.float32),
        sens_unique=per_edge(False if sens_unique is None else sens_unique, np.bool_),
        classe=per_edge(classe, np.int8),
        bretelle=per_edge(False, np.bool_),
        gestion=per_edge(2, np.int8),
        vmax_aller=per_edge(vmax, np.float32),
        vmax_retour=per_edge(vmax, np.float32),
        vmax_ecrite=per_edge(False, np.bool_),
        acces=per_edge(acces, np.uint8),
        tonnage_max_t=per_edge(tonnage, np.float32),
        hauteur_max_m=per_edge(hauteur, np.float32),
        largeur_m=per_edge(np.nan, np.float32),
        voies=per_edge(0, np.int8),
        pont=per_edge(False, np.bool_),
        tunnel=per_edge(False, np.bool_),
        ref=per_edge(ref, np.int32),
        nom=per_edge(nom, np.int32),
        revetement=per_edge(0, np.int32),
        voie_id=np.arange(m, dtype=np.int64),
        rang=np.zeros(m, dtype=np.int32),
        departement=rien,
        departement_gauche=rien,
        departement_droite=rien,
        mitoyenne=per_edge(False, np.bool_),
        geom_debut=np.concatenate([[0], np.cumsum([len(ligne) for ligne in lignes])]).astype(np.int64),
        geom_x=sommets[:, 0].copy(),
        geom_y=sommets[:, 1].copy(),
        textes=TEXTES,
    )


def grid(cote: int, pas_m: float = 100.0) -> TableauxReseau:
    """A grid of two-way roads, cote x cote nodes."""
    noeuds = [(c * pas_m, r * pas_m) for r in range(cote) for c in range(cote)]
    troncons = [(r * cote + c, r * cote + c + 1) for r in range(cote) for c in range(cote - 1)]
    troncons += [(r * cote + c, (r + 1) * cote + c) for r in range(cote - 1) for c in range(cote)]
    return make_reseau(noeuds, troncons)


@st.composite
def reseaux(draw: st.DrawFn, max_noeuds: int = 9, max_troncons: int = 18) -> TableauxReseau:
    """Random multigraphs: parallel edges, loops, zero lengths, one-ways, closed edges, separate components."""
    n = draw(st.integers(2, max_noeuds))
    m = draw(st.integers(1, max_troncons))
    bout = st.integers(0, n - 1)
    return make_reseau(
        draw(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 2000)), min_size=n, max_size=n)),
        draw(st.lists(st.tuples(bout, bout), min_size=m, max_size=m)),
        longueur_m=draw(st.lists(st.sampled_from([0.0, 1.0, 50.0, 333.3, 1000.0, 4321.0]), min_size=m, max_size=m)),
        sens_unique=draw(st.lists(st.booleans(), min_size=m, max_size=m)),
        acces=draw(st.lists(st.sampled_from([int(ACCES_ORDINAIRE)] * 4 + [0]), min_size=m, max_size=m)),
        classe=draw(st.lists(st.integers(0, 8), min_size=m, max_size=m)),
    )


def on_edges(troncons: Sequence[int], fractions: Sequence[float]) -> Accroches:
    """Points put on edges by hand."""
    p = len(troncons)
    zero = np.zeros(p, dtype=np.float32)
    return Accroches(
        troncon=np.asarray(troncons, dtype=np.int32),
        fraction=np.asarray(fractions, dtype=np.float64),
        noeud=np.full(p, -1, dtype=np.int32),
        x=np.zeros(p),
        y=np.zeros(p),
        distance_m=zero,
        acces_s=zero,
        raison=np.zeros(p, dtype=np.int8),
        composante=np.zeros(p, dtype=np.int32),
    )


@st.composite
def points(draw: st.DrawFn, m: int, max_points: int = 6) -> Accroches:
    p = draw(st.integers(1, max_points))
    fraction = st.sampled_from([0.0, 1.0, 0.5, 0.25]) | st.floats(0, 1, allow_nan=False)
    return on_edges(
        draw(st.lists(st.integers(0, m - 1), min_size=p, max_size=p)),
        draw(st.lists(fraction, min_size=p, max_size=p)),
    )


#: What a millisecond weighs beside a tenth of a millimetre in `oracle_metres`.
MS = 10**12


def oracle(graphe: Graphe, poids: Poids, origines: Accroches, destinations: Accroches) -> np.ndarray:
    """Matrix in ms by networkx, on a multigraph whose edges are really cut at every point."""
    return oracle_metres(graphe, poids, origines, destinations)[0]


def oracle_metres(
    graphe: Graphe, poids: Poids, origines: Accroches, destinations: Accroches
) -> tuple[np.ndarray, np.ndarray]:
    """Times in ms, and metres of the shortest of the quickest ways (inf: none), by networkx on exact integers."""
    multi = nx.MultiDiGraph()
    multi.add_nodes_from(range(graphe.n))
    sur: dict[int, list[tuple[float, object]]] = {}
    for cote, accroches in (("o", origines), ("d", destinations)):
        for i in range(len(accroches)):
            multi.add_node((cote, i))
            if accroches.troncon[i] >= 0:
                sur.setdefault(int(accroches.troncon[i]), []).append((float(accroches.fraction[i]), (cote, i)))
    for k in range(graphe.m):
        a, b = int(graphe.reseau.source[k]), int(graphe.reseau.cible[k])
        haltes = sorted(sur.get(k, []), key=lambda h: h[0])
        chaine = [(0.0, a), *haltes, (1.0, b)]
        aller, retour = int(poids.ms[k]), int(poids.ms[graphe.m + k])
        for (f, u), (g, v) in itertools.pairwise(chaine):
            metres = round((g - f) * float(graphe.reseau.longueur_m[k]) * 1e4)
            if aller != INF_MS:
                ms = int(np.rint(g * aller)) - int(np.rint(f * aller))
                multi.add_edge(u, v, ms=ms * MS + metres)
            if retour != INF_MS:
                ms = int(np.rint((1 - f) * retour)) - int(np.rint((1 - g) * retour))
                multi.add_edge(v, u, ms=ms * MS + metres)
            if f == g and isinstance(u, tuple) and isinstance(v, tuple):
                # Two points at one place: no direction between them.
                for x, y in ((u, v), (v, u)):
                    if INF_MS not in (aller, retour) or aller != INF_MS or retour != INF_MS:
                        multi.add_edge(x, y, ms=0)
    attendu = np.full((len(origines), len(destinations)), int(INF_MS), dtype=np.int64)
    longueurs = np.full(attendu.shape, np.inf)
    for i in range(len(origines)):
        atteints = nx.single_source_dijkstra_path_length(multi, ("o", i), weight="ms")
        for j in range(len(destinations)):
            if ("d", j) in atteints:
                attendu[i, j], dixiemes = divmod(atteints["d", j], MS)
                longueurs[i, j] = dixiemes / 1e4
    return attendu, longueurs
