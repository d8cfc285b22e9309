"""Networks that the benchmarks run on: real ones of a data folder, or generated ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyproj
import shapely

from geodata.classes import ACCES_ORDINAIRE, Classe, Gestion, gestion_of
from geodata.reseau import F64, I32, TableauxReseau

_CLASSES = {
    "autoroute": (Classe.AUTOROUTE, 130.0),
    "nationale": (Classe.PRIMAIRE, 80.0),
    "métropolitaine": (Classe.SECONDAIRE, 70.0),
    "départementale": (Classe.SECONDAIRE, 80.0),
}


def assemble(
    x: F64,
    y: F64,
    source: I32,
    cible: I32,
    longueur_m: F64,
    classe: I32,
    vmax: F64,
    refs: list[str],
    geom_debut: np.ndarray,
    geom_x: F64,
    geom_y: F64,
    sens_unique: np.ndarray | None = None,
) -> TableauxReseau:
    """Arrays of a network in metres from the columns that differ; the rest says nothing."""
    m = len(source)
    textes: dict[str, int] = {"": 0}
    ref = np.array([textes.setdefault(r, len(textes)) for r in refs], dtype=np.int32)
    hors = np.full(m, -1, dtype=np.int16)
    nan = np.full(m, np.nan, dtype=np.float32)
    non = np.zeros(m, dtype=np.bool_)
    return TableauxReseau(
        srid=2154,
        noeud_id=np.arange(len(x), dtype=np.int64),
        noeud_x=x,
        noeud_y=y,
        noeud_passage=np.zeros(len(x), dtype=np.bool_),
        source=source.astype(np.int32),
        cible=cible.astype(np.int32),
        longueur_m=longueur_m.astype(np.float32),
        sens_unique=non if sens_unique is None else sens_unique,
        classe=classe.astype(np.int8),
        bretelle=non,
        gestion=np.array([gestion_of(r) for r in refs], dtype=np.int8) if any(refs) else np.full(m, Gestion.COMMUNALE),
        vmax_aller=vmax.astype(np.float32),
        vmax_retour=vmax.astype(np.float32),
        vmax_ecrite=non,
        acces=np.full(m, int(ACCES_ORDINAIRE), dtype=np.uint8),
        tonnage_max_t=nan,
        hauteur_max_m=nan,
        largeur_m=nan,
        voies=np.zeros(m, dtype=np.int8),
        pont=non,
        tunnel=non,
        ref=ref,
        nom=np.zeros(m, dtype=np.int32),
        revetement=np.zeros(m, dtype=np.int32),
        voie_id=np.arange(m, dtype=np.int64),
        rang=np.zeros(m, dtype=np.int32),
        departement=hors,
        departement_gauche=hors,
        departement_droite=hors,
        mitoyenne=non,
        geom_debut=geom_debut.astype(np.int64),
        geom_x=geom_x,
        geom_y=geom_y,
        textes=tuple(textes),
    )


def main_roads_france(dossier: Path) -> TableauxReseau:
    """Main roads of the whole of France (``reseau-principal-france-*.csv.gz``), projected."""
    noeuds = pd.read_csv(dossier / "reseau-principal-france-noeuds.csv.gz", usecols=["id", "lon", "lat"])
    troncons = pd.read_csv(
        dossier / "reseau-principal-france-troncons.csv.gz",
        usecols=["source", "cible", "ref", "classe", "longueur_m", "wkt"],
        dtype={"ref": str, "classe": str},
    )
    place = pd.Series(np.arange(len(noeuds)), index=noeuds["id"])
    lignes = shapely.from_wkt(troncons["wkt"].to_numpy(dtype=object))
    lonlat, rang = shapely.get_coordinates(lignes, return_index=True)
    projette = pyproj.Transformer.from_crs(4326, 2154, always_xy=True)
    gx, gy = projette.transform(lonlat[:, 0], lonlat[:, 1])
    x, y = projette.transform(noeuds["lon"].to_numpy(), noeuds["lat"].to_numpy())
    genre = [_CLASSES.get(c, (Classe.TERTIAIRE, 80.0)) for c in troncons["classe"]]
    return assemble(
        x=np.asarray(x),
        y=np.asarray(y),
        source=place[troncons["source"]].to_numpy(),
        cible=place[troncons["cible"]].to_numpy(),
        longueur_m=troncons["longueur_m"].to_numpy(dtype=np.float64),
        classe=np.array([int(c) for c, _ in genre]),
        vmax=np.array([v for _, v in genre]),
        refs=troncons["ref"].fillna("").tolist(),
        geom_debut=np.concatenate([[0], np.cumsum(np.bincount(rang, minlength=len(lignes)))]),
        geom_x=np.asarray(gx),
        geom_y=np.asarray(gy),
    )


#: Generated network: streets on a side of each bourg, bends of a road between two bourgs, metres between bourgs.
COTE_BOURG = 6
COUDES = 7
ECART_M = 2400.0


def generated(cote: int = 64, graine: int = 1) -> TableauxReseau:
    """About 51 cote² nodes shaped like the country: bourgs of small streets, one every 2.4 km, joined by winding roads.

    Roads join a bourg to the next ones of its line and column (one in eight is missing), one line in eight carries a
    principal road, one in two a secondary one. One street in five is missing, one in seven one-way. Every random draw
    comes from ``graine``.
    """
    alea = np.random.default_rng(graine)
    n_bourgs, par_bourg = cote * cote, COTE_BOURG * COTE_BOURG
    colonne, ligne = np.meshgrid(np.arange(cote), np.arange(cote))
    cx = (colonne * ECART_M + alea.uniform(-800, 800, colonne.shape)).ravel() + 600_000
    cy = (ligne * ECART_M + alea.uniform(-800, 800, ligne.shape)).ravel() + 6_400_000

    # Streets: a shaken grid of 110 m in each bourg.
    c, r = np.meshgrid(np.arange(COTE_BOURG), np.arange(COTE_BOURG))
    milieu = (COTE_BOURG - 1) / 2
    x = (cx[:, None] + (c.ravel() - milieu) * 110.0 + alea.uniform(-35, 35, (n_bourgs, par_bourg))).ravel()
    y = (cy[:, None] + (r.ravel() - milieu) * 110.0 + alea.uniform(-35, 35, (n_bourgs, par_bourg))).ravel()
    local = np.arange(par_bourg).reshape(COTE_BOURG, COTE_BOURG)
    rue_a = np.concatenate([local[:, :-1].ravel(), local[:-1, :].ravel()])
    rue_b = np.concatenate([local[:, 1:].ravel(), local[1:, :].ravel()])
    base = (np.arange(n_bourgs) * par_bourg)[:, None]
    garde = alea.random((n_bourgs, len(rue_a))) > 0.2
    rues = np.column_stack([(base + rue_a)[garde], (base + rue_b)[garde]])

    # Roads between neighbours: from the middle of one bourg to that of the next, by bends.
    rang = np.arange(n_bourgs).reshape(cote, cote)
    a = np.concatenate([rang[:, :-1].ravel(), rang[:-1, :].ravel()])
    b = np.concatenate([rang[:, 1:].ravel(), rang[1:, :].ravel()])
    porteuse = np.concatenate([ligne[:, :-1].ravel(), colonne[:-1, :].ravel()])
    garde = (porteuse % 8 == 0) | (alea.random(len(a)) > 0.125)
    a, b, porteuse = a[garde], b[garde], porteuse[garde]
    centre = local[COTE_BOURG // 2, COTE_BOURG // 2]
    part = np.arange(1, COUDES + 1) / (COUDES + 1)
    kx = cx[a, None] + (cx[b] - cx[a])[:, None] * part + alea.uniform(-120, 120, (len(a), COUDES))
    ky = cy[a, None] + (cy[b] - cy[a])[:, None] * part + alea.uniform(-120, 120, (len(a), COUDES))
    coudes = n_bourgs * par_bourg + np.arange(len(a) * COUDES).reshape(len(a), COUDES)
    chaine = np.column_stack([a * par_bourg + centre, coudes, b * par_bourg + centre])
    routes = np.column_stack([chaine[:, :-1].ravel(), chaine[:, 1:].ravel()])
    classe_route = np.where(porteuse % 2 == 0, int(Classe.SECONDAIRE), int(Classe.TERTIAIRE))
    classe_route[porteuse % 8 == 0] = int(Classe.PRIMAIRE)

    x, y = np.concatenate([x, kx.ravel()]), np.concatenate([y, ky.ravel()])
    source, cible = np.concatenate([rues, routes]).T
    classe = np.concatenate([np.full(len(rues), int(Classe.RESIDENTIELLE)), np.repeat(classe_route, COUDES + 1)])
    rue = classe == int(Classe.RESIDENTIELLE)
    bouts = np.stack([source, cible], axis=1).ravel()
    return assemble(
        x=x,
        y=y,
        source=source,
        cible=cible,
        longueur_m=np.hypot(x[source] - x[cible], y[source] - y[cible]) * alea.uniform(1.0, 1.2, len(source)),
        classe=classe,
        vmax=np.where(rue, 50.0, 80.0),
        refs=[""] * len(source),
        geom_debut=2 * np.arange(len(source) + 1),
        geom_x=x[bouts],
        geom_y=y[bouts],
        sens_unique=rue & (alea.random(len(source)) < 1 / 7),
    )


#: Side of a block of the grid (metres), and how far its crossings are shaken.
BLOC_M = 250.0
ECART_BLOC_M = 90.0


def grid(cote: int = 450, graine: int = 1) -> TableauxReseau:
    """About cote² nodes on a shaken grid, the hard case: nowhere do a few roads part it in two, as they do a country.

    One line in 16 is a principal road, one in 4 a secondary one; a quarter of the local ones are missing and one in
    ten is one-way. Separators are of the order of ``cote``, whatever the order of a hierarchy. Every random
    draw comes from ``graine``.
    """
    alea = np.random.default_rng(graine)
    colonne, ligne = np.meshgrid(np.arange(cote), np.arange(cote))
    rang = ligne * cote + colonne
    x = (colonne * BLOC_M + alea.uniform(-ECART_BLOC_M, ECART_BLOC_M, rang.shape)).ravel() + 600_000
    y = (ligne * BLOC_M + alea.uniform(-ECART_BLOC_M, ECART_BLOC_M, rang.shape)).ravel() + 6_400_000
    source = np.concatenate([rang[:, :-1].ravel(), rang[:-1, :].ravel()])
    cible = np.concatenate([rang[:, 1:].ravel(), rang[1:, :].ravel()])
    porteuse = np.concatenate([ligne[:, :-1].ravel(), colonne[:-1, :].ravel()])
    classe = np.where(porteuse % 4 == 0, int(Classe.SECONDAIRE), int(Classe.LOCALE))
    classe[porteuse % 16 == 0] = int(Classe.PRIMAIRE)
    garde = (classe != int(Classe.LOCALE)) | (alea.random(len(classe)) > 0.25)
    source, cible, classe = source[garde], cible[garde], classe[garde]
    locale = classe == int(Classe.LOCALE)
    bouts = np.stack([source, cible], axis=1).ravel()
    return assemble(
        x=x,
        y=y,
        source=source,
        cible=cible,
        longueur_m=np.hypot(x[source] - x[cible], y[source] - y[cible]) * alea.uniform(1.0, 1.3, len(source)),
        classe=classe,
        vmax=np.where(locale, 50.0, 80.0),
        refs=[""] * len(source),
        geom_debut=2 * np.arange(len(source) + 1),
        geom_x=x[bouts],
        geom_y=y[bouts],
        sens_unique=locale & (alea.random(len(source)) < 0.1),
    )
