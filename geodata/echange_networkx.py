"""Networks to and from OSMnx's graphs (networkx ``MultiDiGraph``). Pure module: no Django, no database."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import Any

import networkx as nx
import numpy as np
import pyproj
import shapely

from geodata.classes import ACCES_ORDINAIRE, CLASSE_PAR_HIGHWAY, Acces, Classe, gestion_of
from geodata.etiquettes_osm import Attributs, interpret
from geodata.reseau import TableauxReseau
from geodata.textes import Textes
from geodata.topologie import great_circle, ranks, run_lengths

#: Class -> OSM ``highway`` value; slip roads add ``_link`` where OSM has one.
HIGHWAY_PAR_CLASSE: dict[Classe, str] = {
    Classe.AUTOROUTE: "motorway",
    Classe.VOIE_RAPIDE: "trunk",
    Classe.PRIMAIRE: "primary",
    Classe.SECONDAIRE: "secondary",
    Classe.TERTIAIRE: "tertiary",
    Classe.LOCALE: "unclassified",
    Classe.RESIDENTIELLE: "residential",
    Classe.RENCONTRE: "living_street",
    Classe.DESSERTE: "service",
}


def to_networkx(reseau: TableauxReseau) -> nx.MultiDiGraph:
    """OSMnx-compatible graph: what ``osmnx.routing``, ``osmnx.stats``, ``osmnx.plot`` and ``osmnx.project_graph`` take.

    Nodes are source identifiers with ``x``, ``y``, ``street_count`` (and ``passage`` on points de passage); a two-way
    edge becomes two directed ones, the second with ``reversed`` True and its line turned round. Edges have OSMnx's
    ``osmid``, ``length``, ``geometry``, ``oneway``, ``highway``, ``maxspeed`` (km/h, always, so that speeds need no
    guess), ``ref``, ``name``, ``lanes``, ``width``, ``bridge``, ``tunnel``, and ours: ``troncon`` (position in the
    arrays), ``departement``, ``mitoyenne``.
    """
    graphe = nx.MultiDiGraph(crs=f"epsg:{reseau.srid}", created_with="Limitrophe", simplified=True)
    ids = reseau.noeud_id.tolist()
    rues = np.bincount(np.concatenate([reseau.source, reseau.cible]), minlength=reseau.n_noeuds).tolist()
    for i, (x, y, passage) in enumerate(
        zip(reseau.noeud_x.tolist(), reseau.noeud_y.tolist(), reseau.noeud_passage.tolist(), strict=True)
    ):
        graphe.add_node(ids[i], x=x, y=y, street_count=rues[i], **({"passage": True} if passage else {}))
    lignes = shapely.linestrings(
        np.column_stack([reseau.geom_x, reseau.geom_y]),
        indices=np.repeat(np.arange(reseau.n_troncons), np.diff(reseau.geom_debut)),
    )
    inverses = shapely.reverse(lignes)
    for k in range(reseau.n_troncons):
        u, v = ids[reseau.source[k]], ids[reseau.cible[k]]
        commun = _attributes(reseau, k)
        aller, retour = float(reseau.vmax_aller[k]), float(reseau.vmax_retour[k])
        graphe.add_edge(u, v, **commun, reversed=False, maxspeed=f"{aller:g}", geometry=lignes[k])
        if not reseau.sens_unique[k]:
            graphe.add_edge(v, u, **commun, reversed=True, maxspeed=f"{retour:g}", geometry=inverses[k])
    return graphe


def _attributes(reseau: TableauxReseau, k: int) -> dict[str, Any]:
    """What both directions of an edge share; what is not said is left out, as OSMnx does."""
    classe = Classe(int(reseau.classe[k]))
    highway = HIGHWAY_PAR_CLASSE[classe]
    if reseau.bretelle[k] and f"{highway}_link" in CLASSE_PAR_HIGHWAY:
        highway += "_link"
    attributs: dict[str, Any] = {
        "osmid": int(reseau.voie_id[k]),
        "highway": highway,
        "oneway": bool(reseau.sens_unique[k]),
        "length": float(reseau.longueur_m[k]),
        "troncon": k,
    }
    for nom, codes in (("ref", reseau.ref), ("name", reseau.nom), ("surface", reseau.revetement)):
        if codes[k]:
            attributs[nom] = reseau.textes[codes[k]]
    if reseau.voies[k]:
        attributs["lanes"] = str(int(reseau.voies[k]))
    for nom, nombres in (
        ("width", reseau.largeur_m),
        ("maxweight", reseau.tonnage_max_t),
        ("maxheight", reseau.hauteur_max_m),
    ):
        if not math.isnan(nombres[k]):
            attributs[nom] = f"{float(nombres[k]):g}"
    for nom, oui in (("bridge", reseau.pont), ("tunnel", reseau.tunnel)):
        if oui[k]:
            attributs[nom] = "yes"
    attributs.update(_access_tags(Acces(int(reseau.acces[k]))))
    if reseau.departement[k] >= 0:
        attributs["departement"] = reseau.decoupage[int(reseau.departement[k])]
    if reseau.mitoyenne[k]:
        attributs["mitoyenne"] = True
    return attributs


def _access_tags(acces: Acces) -> dict[str, str]:
    """The tags that say who may not use the edge."""
    tags = {}
    if Acces.PRIVE in acces:
        tags["access"] = "private"
    for mode, cle in (
        (Acces.VOITURE, "motorcar"),
        (Acces.POIDS_LOURD, "hgv"),
        (Acces.CAR, "bus"),
        (Acces.PIETON, "foot"),
    ):
        if mode not in acces:
            tags[cle] = "no"
    return tags


class GrapheInattendu(ValueError):
    """The graph lacks what OSMnx's graphs have; the message names the node or edge."""


def from_networkx(graphe: nx.MultiDiGraph) -> TableauxReseau:
    """Network of an OSMnx graph (simplified or not, in any reference), in EPSG:2154 where it is, else in EPSG:4326.

    The two directions of a street (equal ways, ends and lines) become one two-way edge; an edge without its opposite
    is one-way. Values that OSMnx joined into lists give the first (speeds, heights, weights: the lowest); an edge
    without a drivable ``highway`` is left out and counted. Raises `GrapheInattendu`.
    """
    if "crs" not in graphe.graph:
        raise GrapheInattendu("graphe sans projection (graph['crs'])")
    crs = pyproj.CRS.from_user_input(graphe.graph["crs"])
    srid = 2154 if crs.to_epsg() == 2154 else 4326
    noeuds, ids = _node_ids(graphe)
    try:
        px = np.array([graphe.nodes[n]["x"] for n in noeuds], dtype=np.float64)
        py = np.array([graphe.nodes[n]["y"] for n in noeuds], dtype=np.float64)
    except KeyError as erreur:
        raise GrapheInattendu(f"un nœud n'a pas de coordonnée {erreur}") from erreur
    rang = {n: i for i, n in enumerate(noeuds)}
    aretes = _streets(graphe)
    attributs: list[Attributs] = []
    gardees: list[tuple[Hashable, Hashable, dict[str, Any], bool]] = []
    for u, v, donnees, sens_unique in aretes:
        lus = interpret(_tags(donnees))
        if lus is not None:
            attributs.append(lus)
            gardees.append((u, v, donnees, sens_unique))
    lignes = [
        np.asarray(d["geometry"].coords, dtype=np.float64)[:, :2]
        if "geometry" in d
        else np.array([[px[rang[u]], py[rang[u]]], [px[rang[v]], py[rang[v]]]])
        for u, v, d, _ in gardees
    ]
    xy = np.concatenate(lignes) if lignes else np.zeros((0, 2))
    debut = np.concatenate([[0], np.cumsum([len(li) for li in lignes])]).astype(np.int64)
    if crs.to_epsg() == srid:
        gx, gy, nx_, ny_ = xy[:, 0].copy(), xy[:, 1].copy(), px, py
    else:
        transformation = pyproj.Transformer.from_crs(crs, srid, always_xy=True)
        gx, gy = transformation.transform(xy[:, 0], xy[:, 1])
        nx_, ny_ = transformation.transform(px, py)
    return _tables(srid, ids, nx_, ny_, rang, gardees, attributs, debut, gx, gy, len(aretes) - len(gardees))


def _node_ids(graphe: nx.MultiDiGraph) -> tuple[list[Hashable], np.ndarray]:
    """Nodes and their integer identifiers: their own, or their rank where one is not an integer."""
    noeuds = list(graphe.nodes)
    if all(isinstance(n, int | np.integer) for n in noeuds):
        return noeuds, np.array(noeuds, dtype=np.int64)
    return noeuds, np.arange(1, len(noeuds) + 1, dtype=np.int64)


def _streets(graphe: nx.MultiDiGraph) -> list[tuple[Hashable, Hashable, dict[str, Any], bool]]:
    """(u, v, data, one-way) of each street: an edge and its opposite are one."""
    attente: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    rues: list[tuple[Hashable, Hashable, dict[str, Any], bool]] = []
    for u, v, donnees in graphe.edges(data=True):
        if "length" not in donnees and "geometry" not in donnees and "x" not in graphe.nodes[u]:
            raise GrapheInattendu(f"arête {u} - {v} sans longueur ni tracé")
        cle = _street_key(v, u, donnees, True)
        if attente[cle]:
            premiere = attente[cle].pop()
            a, b, anciennes, _ = rues[premiere]
            # OSMnx says which of the two is drawn against its way.
            principale = donnees if anciennes.get("reversed") is True else anciennes
            fin = (u, v) if principale is donnees else (a, b)
            autre = anciennes if principale is donnees else donnees
            rues[premiere] = (*fin, {**principale, "maxspeed:retour": autre.get("maxspeed")}, False)
            continue
        attente[_street_key(u, v, donnees, False)].append(len(rues))
        rues.append((u, v, donnees, True))
    return rues


def _street_key(u: Hashable, v: Hashable, donnees: dict[str, Any], renverser: bool) -> tuple[Any, ...]:
    """What an edge from ``u`` to ``v`` has in common with its opposite."""
    ligne = donnees.get("geometry")
    trace = () if ligne is None else tuple(ligne.coords[::-1] if renverser else ligne.coords)
    return u, v, tuple(sorted(map(str, _listed(donnees.get("osmid"))))), trace


def _listed(valeur: Any) -> list[Any]:
    if valeur is None or (isinstance(valeur, float) and math.isnan(valeur)):
        return []
    return list(valeur) if isinstance(valeur, list | tuple | set) else [valeur]


def _tags(donnees: dict[str, Any]) -> dict[str, str]:
    """The edge's attributes as tags of a way."""
    tags = {}
    for cle, valeur in donnees.items():
        valeurs = _listed(valeur)
        if valeurs and cle not in ("geometry", "length", "osmid", "oneway", "reversed", "troncon"):
            tags[cle] = (
                ";".join(map(str, valeurs))
                if cle.startswith(("maxspeed", "maxheight", "maxweight"))
                else str(valeurs[0])
            )
    if "maxspeed:retour" in tags:
        tags["maxspeed:backward"] = tags.pop("maxspeed:retour")
    return tags


def _tables(
    srid: int,
    ids: np.ndarray,
    px: np.ndarray,
    py: np.ndarray,
    rang: dict[Hashable, int],
    gardees: list[tuple[Hashable, Hashable, dict[str, Any], bool]],
    attributs: list[Attributs],
    debut: np.ndarray,
    gx: np.ndarray,
    gy: np.ndarray,
    ecartees: int,
) -> TableauxReseau:
    m = len(gardees)
    textes = Textes()
    lon, lat = (gx, gy) if srid == 4326 else pyproj.Transformer.from_crs(srid, 4326, always_xy=True).transform(gx, gy)
    calculees = run_lengths(debut, great_circle(lon[:-1], lat[:-1], lon[1:], lat[1:]))
    donnees = [d for _, _, d, _ in gardees]
    voie_id = np.array([_way_id(d, k) for k, d in enumerate(donnees)], dtype=np.int64)
    hors = np.full(m, -1, dtype=np.int16)

    def colonne(valeurs: Iterable[Any], dtype: type) -> np.ndarray:
        return np.array(list(valeurs), dtype=dtype)

    refs = [str(_listed(d.get("ref"))[0]) if _listed(d.get("ref")) else "" for d in donnees]
    return TableauxReseau(
        srid=srid,
        noeud_id=ids,
        noeud_x=px,
        noeud_y=py,
        noeud_passage=np.zeros(len(ids), dtype=bool),
        source=colonne((rang[u] for u, _, _, _ in gardees), np.int32),
        cible=colonne((rang[v] for _, v, _, _ in gardees), np.int32),
        longueur_m=colonne((d.get("length", c) for d, c in zip(donnees, calculees, strict=True)), np.float32),
        sens_unique=colonne((s for _, _, _, s in gardees), np.bool_),
        classe=colonne((a.classe for a in attributs), np.int8),
        bretelle=colonne((a.bretelle for a in attributs), np.bool_),
        gestion=colonne((gestion_of(r) for r in refs), np.int8),
        vmax_aller=colonne((a.vmax_aller for a in attributs), np.float32),
        vmax_retour=colonne((a.vmax_retour for a in attributs), np.float32),
        vmax_ecrite=colonne((a.vmax_ecrite for a in attributs), np.bool_),
        acces=colonne((a.acces for a in attributs), np.uint8) if m else np.full(0, ACCES_ORDINAIRE, dtype=np.uint8),
        tonnage_max_t=colonne((a.tonnage_max_t for a in attributs), np.float32),
        hauteur_max_m=colonne((a.hauteur_max_m for a in attributs), np.float32),
        largeur_m=colonne((a.largeur_m for a in attributs), np.float32),
        voies=colonne((a.voies for a in attributs), np.int8),
        pont=colonne((a.pont for a in attributs), np.bool_),
        tunnel=colonne((a.tunnel for a in attributs), np.bool_),
        ref=textes.codes(refs),
        nom=textes.codes(str(_listed(d.get("name"))[0]) if _listed(d.get("name")) else "" for d in donnees),
        revetement=textes.codes(a.revetement for a in attributs),
        voie_id=voie_id,
        rang=ranks(voie_id),
        departement=hors,
        departement_gauche=hors.copy(),
        departement_droite=hors.copy(),
        mitoyenne=np.zeros(m, dtype=bool),
        geom_debut=debut,
        geom_x=gx,
        geom_y=gy,
        textes=tuple(textes.table),
        lus={"nœuds": len(ids), "tronçons": m},
        omis={"arêtes sans highway carrossable": ecartees} if ecartees else {},
    )


def _way_id(donnees: dict[str, Any], k: int) -> int:
    valeurs = [v for v in _listed(donnees.get("osmid")) if isinstance(v, int | np.integer)]
    return int(valeurs[0]) if valeurs else k
