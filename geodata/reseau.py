"""The road network as arrays: what every reader makes and every writer, cutter and graph takes.

Pure module: numpy only. Coordinates are EPSG:4326 degrees as read, or EPSG:2154 metres once projected
(``srid`` says which); an edge is one undirected piece of road between two nodes, drawn in the direction
of travel where it is one-way (``oneway=-1`` has already been turned round).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

I8 = NDArray[np.int8]
U8 = NDArray[np.uint8]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
B = NDArray[np.bool_]

#: ``departement`` index of an edge outside every area of the découpage.
HORS_DECOUPAGE = -1


@dataclass(frozen=True)
class TableauxReseau:
    """A road network of n nodes and m edges as flat arrays.

    Nodes
        noeud_id (n,) int64: identifier in the source, unique; nodes made by us are negative.
        noeud_x, noeud_y (n,) float64: longitude/latitude degrees, or metres, see ``srid``.
        noeud_passage (n,) bool: True for a point de passage (a node put on a limit by the cut).
    Edges
        source, cible (m,) int32: positions of the end nodes in the node arrays.
        longueur_m (m,) float32: great-circle length on a sphere of 6 371 009 m (as OSMnx), metres.
        sens_unique (m,) bool: True = source to cible only.
        classe (m,) int8: `geodata.classes.Classe`; bretelle (m,) bool: slip road.
        gestion (m,) int8: `geodata.classes.Gestion`.
        vmax_aller, vmax_retour (m,) float32: km/h along / against the drawing, implicit rules applied.
        vmax_ecrite (m,) bool: the speed was written in the source (not implied by class or zone).
        acces (m,) uint8: `geodata.classes.Acces` mask.
        tonnage_max_t, hauteur_max_m, largeur_m (m,) float32: NaN = not said.
        voies (m,) int8: lanes, 0 = not said.
        pont, tunnel (m,) bool.
        ref, nom, revetement (m,) int32: positions in ``textes`` (0 is always "").
        voie_id (m,) int64: way identifier in the source (several edges share it).
        rang (m,) int32: order of the piece within its way (voie_id, rang) is unique and stable.
        departement, departement_gauche, departement_droite (m,) int16: positions in ``decoupage``,
            -1 outside; gauche != droite only where the edge is mitoyenne (runs along a limit).
        mitoyenne (m,) bool.
    Geometry
        geom_debut (m + 1,) int64: edge k owns vertices geom_debut[k]:geom_debut[k + 1], both ends included.
        geom_x, geom_y float64: vertices.
    """

    srid: int
    noeud_id: I64
    noeud_x: F64
    noeud_y: F64
    noeud_passage: B
    source: I32
    cible: I32
    longueur_m: F32
    sens_unique: B
    classe: I8
    bretelle: B
    gestion: I8
    vmax_aller: F32
    vmax_retour: F32
    vmax_ecrite: B
    acces: U8
    tonnage_max_t: F32
    hauteur_max_m: F32
    largeur_m: F32
    voies: I8
    pont: B
    tunnel: B
    ref: I32
    nom: I32
    revetement: I32
    voie_id: I64
    rang: I32
    departement: NDArray[np.int16]
    departement_gauche: NDArray[np.int16]
    departement_droite: NDArray[np.int16]
    mitoyenne: B
    geom_debut: I64
    geom_x: F64
    geom_y: F64
    textes: tuple[str, ...]
    decoupage: tuple[str, ...] = ()
    #: What the reader counted: "lus" and "omis" (reason in French -> count), kept in the import row.
    lus: dict[str, int] = field(default_factory=dict)
    omis: dict[str, int] = field(default_factory=dict)
    #: Turn restrictions (k, 4) int64: way identifier from, node identifier, way identifier to, 0 no / 1 only.
    restrictions: I64 = field(default_factory=lambda: np.zeros((0, 4), dtype=np.int64))

    @property
    def n_noeuds(self) -> int:
        return len(self.noeud_id)

    @property
    def n_troncons(self) -> int:
        return len(self.source)

    def replace(self, **changes: object) -> TableauxReseau:
        """A copy with some arrays changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


#: Names of the per-edge arrays of shape (m,), in the order of the dataclass.
COLONNES_TRONCON: tuple[str, ...] = (
    "source", "cible", "longueur_m", "sens_unique", "classe", "bretelle", "gestion", "vmax_aller",
    "vmax_retour", "vmax_ecrite", "acces", "tonnage_max_t", "hauteur_max_m", "largeur_m", "voies",
    "pont", "tunnel", "ref", "nom", "revetement", "voie_id", "rang", "departement",
    "departement_gauche", "departement_droite", "mitoyenne",
)  # fmt: skip
COLONNES_NOEUD: tuple[str, ...] = ("noeud_id", "noeud_x", "noeud_y", "noeud_passage")


class ReseauInvalide(ValueError):
    """The arrays do not form a network; the message says which array and where."""


def validate(reseau: TableauxReseau) -> None:
    """Raise `ReseauInvalide` where shapes, ranges or order are wrong."""
    n, m = reseau.n_noeuds, reseau.n_troncons
    for nom in COLONNES_NOEUD:
        if getattr(reseau, nom).shape != (n,):
            raise ReseauInvalide(f"{nom} : {getattr(reseau, nom).shape} au lieu de ({n},)")
    for nom in COLONNES_TRONCON:
        if getattr(reseau, nom).shape != (m,):
            raise ReseauInvalide(f"{nom} : {getattr(reseau, nom).shape} au lieu de ({m},)")
    if len(np.unique(reseau.noeud_id)) != n:
        raise ReseauInvalide("noeud_id : identifiants en double")
    if m and (min(reseau.source.min(), reseau.cible.min()) < 0 or max(reseau.source.max(), reseau.cible.max()) >= n):
        raise ReseauInvalide("source/cible : nœud inexistant")
    if reseau.geom_debut.shape != (m + 1,) or (m and np.any(np.diff(reseau.geom_debut) < 2)):
        raise ReseauInvalide("geom_debut : chaque tronçon doit avoir au moins deux sommets")
    if int(reseau.geom_debut[-1]) != len(reseau.geom_x) or len(reseau.geom_x) != len(reseau.geom_y):
        raise ReseauInvalide("geom_x/geom_y : nombre de sommets différent de geom_debut")
    if not np.all(np.isfinite(reseau.geom_x)) or not np.all(np.isfinite(reseau.geom_y)):
        raise ReseauInvalide("geom_x/geom_y : coordonnée absente")
    if m and (not np.all(np.isfinite(reseau.longueur_m)) or reseau.longueur_m.min() < 0):
        raise ReseauInvalide("longueur_m : longueur absente ou négative")
    for nom in ("ref", "nom", "revetement"):
        valeurs = getattr(reseau, nom)
        if m and (valeurs.min() < 0 or valeurs.max() >= len(reseau.textes)):
            raise ReseauInvalide(f"{nom} : texte inexistant")
    if not reseau.textes or reseau.textes[0] != "":
        raise ReseauInvalide("textes : le premier doit être vide")
