"""Real demand for the siting core: the INSEE grid of Olemps on foot, the communes of Loire and Haute-Loire by car.

Nothing is kept: inputs are read in a folder laid out as shared/data, minutes are those of `geodata.temps`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyogrio
import pyproj
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from accueil.probleme import Etat, Modele, Problem, make_problem
from geodata.decoupe import project
from geodata.graphe import Graphe
from geodata.lecture_routes import read_lines
from geodata.temps import Accroches, snap, snap_nodes, travel_times, with_access

F64 = NDArray[np.float64]

#: A cell of the grid of at least so many inhabitants makes the road node nearest to its centre a candidate.
HABITANTS_PAR_CANDIDAT = 60
#: Main roads only: mairies and France services of small communes may stand off them.
LIMITE_ROUTES_PRINCIPALES_M = 5000.0
GENRE_FRANCE_SERVICES = "France services"
GENRE_MAIRIE = "mairie"


@dataclass(frozen=True, eq=False)
class Donnees:
    """Demands and possible sites of some collectivités, with minutes from each to each.

    populations (D, K); demande_groupe, site_groupe: positions in ``groupes``; places in metres of EPSG:2154;
    minutes (D, S) float32, inf = unreachable; perdus: French sentences about what could not be put on the roads.
    """

    nom: str
    groupes: tuple[str, ...]
    noms: tuple[str, ...]
    demande_code: tuple[str, ...]
    demande_nom: tuple[str, ...]
    demande_groupe: NDArray[np.int64]
    demande_xy: F64
    populations: F64
    population_noms: tuple[str, ...]
    site_code: tuple[str, ...]
    site_nom: tuple[str, ...]
    site_commune: tuple[str, ...]
    site_genre: tuple[str, ...]
    site_groupe: NDArray[np.int64]
    site_xy: F64
    minutes: NDArray[np.float32]
    perdus: tuple[str, ...] = ()

    @property
    def existants(self) -> NDArray[np.bool_]:
        """Sites that stand already, (S,)."""
        return np.array([genre == GENRE_FRANCE_SERVICES for genre in self.site_genre])

    def block(self, codes: Collection[str]) -> Donnees:
        """What the block of those collectivités may see: their demands, their sites, nothing of the others."""
        gardes = [g for g, code in enumerate(self.groupes) if code in codes]
        rang = np.full(len(self.groupes), -1)
        rang[gardes] = np.arange(len(gardes))
        i = np.flatnonzero(np.isin(self.demande_groupe, gardes))
        j = np.flatnonzero(np.isin(self.site_groupe, gardes))
        return Donnees(
            nom=" + ".join(self.noms[g] for g in gardes),
            groupes=tuple(self.groupes[g] for g in gardes),
            noms=tuple(self.noms[g] for g in gardes),
            demande_code=tuple(self.demande_code[k] for k in i),
            demande_nom=tuple(self.demande_nom[k] for k in i),
            demande_groupe=rang[self.demande_groupe[i]],
            demande_xy=self.demande_xy[i],
            populations=self.populations[i],
            population_noms=self.population_noms,
            site_code=tuple(self.site_code[k] for k in j),
            site_nom=tuple(self.site_nom[k] for k in j),
            site_commune=tuple(self.site_commune[k] for k in j),
            site_genre=tuple(self.site_genre[k] for k in j),
            site_groupe=rang[self.site_groupe[j]],
            site_xy=self.site_xy[j],
            minutes=self.minutes[np.ix_(i, j)],
        )

    def problem(
        self, modele: Modele, *, mix: Collection[float], existants: Etat = Etat.CANDIDAT, **regles: Any
    ) -> Problem:
        """The siting problem of these data; ``existants``: what stands already is a candidate like any other, may close
        (EXISTANT: the answer says so), or stays (REQUIS)."""
        etat = np.where(self.existants, int(existants), int(Etat.CANDIDAT))
        return make_problem(
            self.minutes,
            modele,
            groupes=self.groupes,
            noms=self.noms,
            demande_code=self.demande_code,
            demande_groupe=self.demande_groupe,
            populations=self.populations,
            population_noms=self.population_noms,
            mix=np.array(list(mix)),
            site_code=self.site_code,
            site_nom=self.site_nom,
            site_genre=self.site_genre,
            site_groupe=self.site_groupe,
            etat=etat,
            **regles,
        )


def olemps(dossier: Path) -> Donnees:
    """The 457 cells of the INSEE 200 m grid around Olemps by age, on foot; candidates: road nodes near dense cells."""
    fichier = dossier / "bdtopo" / "olemps-12-bdtopo-v2.gpkg"
    graphe = Graphe.from_tableaux(project(read_lines(fichier, "route")))
    carreaux = pyogrio.read_dataframe(fichier, layer="carreaux_200m")
    centres = carreaux.geometry.centroid
    xy = np.column_stack([centres.x, centres.y])
    habitants = carreaux["ind"].to_numpy(dtype=float)
    ages = [carreaux[nom].to_numpy(dtype=float) for nom in ("ind_65_79", "ind_80p")]
    populations = np.column_stack([np.maximum(0.0, habitants - ages[0] - ages[1]), *ages])
    poids = graphe.poids("pieton")
    demandes = snap(graphe, xy[:, 0], xy[:, 1], "pieton")
    noeuds = _dense_nodes(graphe, xy[habitants >= HABITANTS_PAR_CANDIDAT])
    sites = snap_nodes(graphe, noeuds)
    groupes = tuple(sorted(set(carreaux["depcom"])))
    rang = {code: g for g, code in enumerate(groupes)}
    demande_groupe = np.array([rang[code] for code in carreaux["depcom"]])
    site_xy = np.column_stack([graphe.reseau.noeud_x[noeuds], graphe.reseau.noeud_y[noeuds]])
    # A node belongs to the commune of the cell nearest to it.
    site_groupe = demande_groupe[cKDTree(xy).query(site_xy)[1]]
    # A few cells of the file have no identifier: the place of their centre is one.
    codes = tuple(
        f"{x:.0f} {y:.0f}" if pd.isna(code) else str(code)
        for code, (x, y) in zip(carreaux["id_car2010"], xy, strict=True)
    )
    communes = pd.read_csv(dossier / "communes" / "communes-13-departements.csv", dtype={"code_insee": str})
    nom_commune = dict(zip(communes["code_insee"], communes["nom"], strict=True))
    noms = tuple(nom_commune.get(code, code) for code in groupes)
    return Donnees(
        nom="Olemps et ses voisines",
        groupes=groupes,
        noms=noms,
        demande_code=codes,
        demande_nom=codes,
        demande_groupe=demande_groupe,
        demande_xy=xy,
        populations=populations,
        population_noms=("moins de 65 ans", "65 à 79 ans", "80 ans et plus"),
        site_code=tuple(f"N{n}" for n in noeuds),
        site_nom=tuple(f"carrefour {n} ({noms[g]})" for n, g in zip(noeuds, site_groupe, strict=True)),
        site_commune=tuple(noms[g] for g in site_groupe),
        site_genre=("carrefour",) * len(noeuds),
        site_groupe=site_groupe,
        site_xy=site_xy,
        minutes=_minutes(travel_times(graphe, poids, demandes, sites), demandes, sites),
        perdus=_lost(codes, demandes),
    )


def _dense_nodes(graphe: Graphe, xy: F64) -> NDArray[np.int64]:
    """Road nodes nearest to these places, each once; only nodes of the main component for a walker."""
    composante = graphe.poids("pieton").composantes[0]
    joints = np.flatnonzero(composante == 0)
    arbre = cKDTree(np.column_stack([graphe.reseau.noeud_x[joints], graphe.reseau.noeud_y[joints]]))
    return np.unique(joints[arbre.query(xy)[1]])


def loire_haute_loire(dossier: Path) -> Donnees:
    """Communes of Loire (42) and Haute-Loire (43), by car on main roads; France services stand, mairies may join."""
    routes = project(read_lines(dossier / "routes" / "reseau-principal-42-43.gpkg", "troncons"))
    graphe = Graphe.from_tableaux(routes)
    groupes = ("42", "43")
    communes = _communes(dossier, groupes)
    fs = pd.read_csv(dossier / "france-services" / "france-services-2024-08-01.csv", dtype=str)
    fs = fs[fs["insee_dep"].isin(groupes)]
    mairies = communes[["x", "y"]].to_numpy()
    maisons = _metres(fs["longitude"].astype(float), fs["latitude"].astype(float))
    # A second point where France services stands already would be none.
    libres = ~communes["code_insee"].isin(fs["insee_com"]).to_numpy()
    site_xy = np.vstack([maisons, mairies[libres]])
    demandes, sites = (
        snap(graphe, xy[:, 0], xy[:, 1], "voiture", LIMITE_ROUTES_PRINCIPALES_M) for xy in (mairies, site_xy)
    )
    secondes = travel_times(graphe, graphe.poids("voiture"), demandes, sites)
    code_demande, code_libre = tuple(communes["code_insee"]), communes["code_insee"][libres]
    site_nom = (*fs["lib_fs"], *communes["nom"][libres])
    departement = [*fs["insee_dep"], *code_libre.str[:2]]
    return Donnees(
        nom="Loire + Haute-Loire",
        groupes=groupes,
        noms=("Loire", "Haute-Loire"),
        demande_code=code_demande,
        demande_nom=tuple(communes["nom"]),
        demande_groupe=np.array([groupes.index(code[:2]) for code in code_demande]),
        demande_xy=mairies,
        populations=communes["population_municipale"].to_numpy(dtype=float)[:, None],
        population_noms=("habitants",),
        site_code=(*(f"FS{code}" for code in fs["id_fs"]), *code_libre),
        site_nom=site_nom,
        site_commune=(*fs["lib_com"], *communes["nom"][libres]),
        site_genre=(GENRE_FRANCE_SERVICES,) * len(fs) + (GENRE_MAIRIE,) * int(libres.sum()),
        site_groupe=np.array([groupes.index(code) for code in departement]),
        site_xy=site_xy,
        minutes=_minutes(secondes, demandes, sites),
        perdus=(*_lost(tuple(communes["nom"]), demandes), *_lost(site_nom, sites)),
    )


def _communes(dossier: Path, departements: tuple[str, ...]) -> pd.DataFrame:
    """code_insee, nom (with its article), population_municipale; x, y of the mairie, or of a point inside without."""
    communes = pyogrio.read_dataframe(dossier / "communes" / "communes-13-departements.gpkg").to_crs(2154)
    communes = communes[communes["departement"].isin(departements)].sort_values("code_insee", ignore_index=True)
    dedans = communes.geometry.representative_point()
    xy = _metres(communes["mairie_lon"], communes["mairie_lat"])
    sans = np.isnan(communes["mairie_lon"].to_numpy(dtype=float))
    communes["x"] = np.where(sans, dedans.x, xy[:, 0])
    communes["y"] = np.where(sans, dedans.y, xy[:, 1])
    noms = pd.read_csv(dossier / "communes" / "epci-42-43-37-41.csv", dtype=str).set_index("code_insee")["commune"]
    communes["nom"] = communes["code_insee"].map(noms).fillna(communes["nom"])
    return pd.DataFrame(communes.drop(columns="geometry"))


def _metres(lon: pd.Series, lat: pd.Series) -> F64:
    x, y = pyproj.Transformer.from_crs(4326, 2154, always_xy=True).transform(lon.to_numpy(), lat.to_numpy())
    return np.column_stack([x, y])


def _minutes(secondes: NDArray[np.float32], demandes: Accroches, sites: Accroches) -> NDArray[np.float32]:
    """Minutes with the access at both ends, rounded to the second, which is more than roads are known to."""
    total = with_access(secondes, demandes, sites).astype(np.float64)
    return (np.round(total) / 60).astype(np.float32)


def _lost(noms: tuple[str, ...], points: Accroches) -> tuple[str, ...]:
    return tuple(f"{noms[k]} : {phrase}" for k, phrase in points.anomalies())
