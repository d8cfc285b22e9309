"""Small networks made for tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geodata.classes import ACCES_ORDINAIRE, Classe, Gestion
from geodata.reseau import TableauxReseau


def network(
    lignes: Sequence[Sequence[tuple[float, float]]],
    srid: int = 2154,
    decoupage: tuple[str, ...] = (),
    **changes: object,
) -> TableauxReseau:
    """A network of plane lines; ends with equal coordinates share a node. Lengths are plane."""
    noeuds: dict[tuple[float, float], int] = {}
    bouts = [[noeuds.setdefault(tuple(p), len(noeuds)) for p in (li[0], li[-1])] for li in lignes]
    source, cible = np.array(bouts, dtype=np.int32).reshape(-1, 2).T
    m, n = len(lignes), len(noeuds)
    xy = np.array([p for li in lignes for p in li], dtype=np.float64).reshape(-1, 2)
    debut = np.concatenate([[0], np.cumsum([len(li) for li in lignes])]).astype(np.int64)
    longueurs = [np.hypot(*np.diff(np.asarray(li, dtype=float), axis=0).T).sum() for li in lignes]
    positions = np.array(list(noeuds), dtype=np.float64).reshape(-1, 2)
    nan = np.full(m, np.nan, dtype=np.float32)
    hors = np.full(m, -1, dtype=np.int16)
    reseau = TableauxReseau(
        srid=srid,
        noeud_id=np.arange(1, n + 1, dtype=np.int64),
        noeud_x=positions[:, 0].copy(),
        noeud_y=positions[:, 1].copy(),
        noeud_passage=np.zeros(n, dtype=bool),
        source=source.copy(),
        cible=cible.copy(),
        longueur_m=np.array(longueurs, dtype=np.float32),
        sens_unique=np.zeros(m, dtype=bool),
        classe=np.full(m, Classe.SECONDAIRE, dtype=np.int8),
        bretelle=np.zeros(m, dtype=bool),
        gestion=np.full(m, Gestion.DEPARTEMENTALE, dtype=np.int8),
        vmax_aller=np.full(m, 80, dtype=np.float32),
        vmax_retour=np.full(m, 80, dtype=np.float32),
        vmax_ecrite=np.zeros(m, dtype=bool),
        acces=np.full(m, ACCES_ORDINAIRE, dtype=np.uint8),
        tonnage_max_t=nan,
        hauteur_max_m=nan.copy(),
        largeur_m=nan.copy(),
        voies=np.zeros(m, dtype=np.int8),
        pont=np.zeros(m, dtype=bool),
        tunnel=np.zeros(m, dtype=bool),
        ref=np.zeros(m, dtype=np.int32),
        nom=np.zeros(m, dtype=np.int32),
        revetement=np.zeros(m, dtype=np.int32),
        voie_id=np.arange(m, dtype=np.int64) + 100,
        rang=np.zeros(m, dtype=np.int32),
        departement=hors,
        departement_gauche=hors.copy(),
        departement_droite=hors.copy(),
        mitoyenne=np.zeros(m, dtype=bool),
        geom_debut=debut,
        geom_x=xy[:, 0].copy(),
        geom_y=xy[:, 1].copy(),
        textes=("",),
        decoupage=decoupage,
    )
    return reseau.replace(**changes)


def random_network(n: int, m: int, graine: int = 0) -> TableauxReseau:
    """A network with every kind of value, absent ones included, drawn from ``graine``."""
    r = np.random.default_rng(graine)
    points = r.uniform(600_000, 700_000, size=(n, 2))
    lignes = []
    for _ in range(m):
        a, b = r.integers(0, n, 2)
        milieu = r.uniform(600_000, 700_000, size=(int(r.integers(0, 6)), 2))
        lignes.append([tuple(points[a]), *map(tuple, milieu), tuple(points[b])])
    base = network(lignes)

    def manquant(echelle: float) -> np.ndarray:
        valeurs = r.uniform(1, echelle, m)
        return np.where(r.random(m) < 0.5, np.nan, valeurs).astype(np.float32)

    textes = ("", "D 500", "Rue de l'Église", "tab\tantislash\\ retour\nfin", "€ œ 漢", "\\N", "\\\\x")
    dep = r.integers(-1, 2, m).astype(np.int16)
    return base.replace(
        textes=textes,
        ref=r.integers(0, len(textes), m).astype(np.int32),
        nom=r.integers(0, len(textes), m).astype(np.int32),
        revetement=r.integers(0, len(textes), m).astype(np.int32),
        tonnage_max_t=manquant(40),
        hauteur_max_m=manquant(5),
        largeur_m=manquant(9),
        sens_unique=r.random(m) < 0.3,
        pont=r.random(m) < 0.1,
        acces=r.integers(0, 64, m).astype(np.uint8),
        classe=r.integers(0, 9, m).astype(np.int8),
        gestion=r.integers(0, 5, m).astype(np.int8),
        noeud_passage=r.random(base.n_noeuds) < 0.1,
        noeud_id=np.arange(base.n_noeuds, dtype=np.int64) - 5 + 2**40,
        decoupage=("42", "43"),
        departement=dep,
        departement_gauche=dep,
        departement_droite=dep,
        restrictions=np.array([[1, 2, 3, 0], [2**40, 5, 6, 1]], dtype=np.int64),
    )
