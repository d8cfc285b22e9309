"""The generated road network of the demonstration, as the arrays every reader of roads makes.

Not a real network and never meant to be taken for one: mairies are where they are, all the rest is drawn.
The same communes and seed give the same network on any machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from geodata.classes import ACCES_ORDINAIRE, Acces, Classe, gestion_of
from geodata.reseau import HORS_DECOUPAGE, TableauxReseau, validate

from .details import Ouvrage, Piece, finish
from .graphe_plan import planar_edges
from .hierarchie import Aretes, classify, is_street
from .numeros import FICTIF, Noms, name_roads
from .semis import CommuneSource, Semis, sow
from .traces import draw, relax
from .trafic import VITESSE_CAMPAGNE_M_S, VITESSE_RUE_M_S, faster, traffic

F64 = NDArray[np.float64]

SRID_CALCUL = 2154
RAYON_TERRE_M = 6_371_009.0
ATTRIBUTION = "Réseau routier fictif, généré pour la démonstration entre les mairies réelles (IGN, DILA)"
LICENCE = "Licence Ouverte 2.0 (mairies) ; tracés fictifs"
#: Rounds of traffic: the crossings are pulled into line before the last one.
TOURS = 4

VITESSE_CAMPAGNE = {
    Classe.PRIMAIRE: 80.0, Classe.SECONDAIRE: 80.0, Classe.TERTIAIRE: 80.0, Classe.LOCALE: 80.0,
    Classe.DESSERTE: 50.0,
}  # fmt: skip
VITESSE_VILLE = {Classe.RESIDENTIELLE: 30.0, Classe.RENCONTRE: 20.0}
LARGEUR_M = {
    Classe.PRIMAIRE: 7.0, Classe.SECONDAIRE: 6.0, Classe.TERTIAIRE: 5.5, Classe.LOCALE: 4.0,
    Classe.RESIDENTIELLE: 5.0, Classe.RENCONTRE: 4.5, Classe.DESSERTE: 3.0,
}  # fmt: skip


def _quiet(fraction: float, message: str) -> None:
    """A progress that says nothing."""


def generate_roads(
    communes: Sequence[CommuneSource], seed: int = 1, progress: Callable[[float, str], None] = _quiet
) -> TableauxReseau:
    """A fictive road network between real mairies, in degrees (EPSG:4326), one component.

    ``progress`` is told a share done (0 to 1) and a French sentence. Raises `ValueError` (French) where there is
    nothing to draw. Communes may come in any order.
    """
    communes = sorted(communes, key=lambda c: c.code)
    if len({c.code for c in communes}) != len(communes):
        raise ValueError("Deux communes ont le même code.")
    progress(0.0, "Carrefours et hameaux")
    semis = sow(communes, seed)
    codes = sorted({c.departement for c in communes})
    side = np.array([codes.index(c.departement) for c in communes], dtype=np.int32)[semis.commune]
    shapes = [c.contour for c in communes if c.contour is not None]
    emprise = shapely.union_all(shapes) if len(shapes) == len(communes) else None
    a, b = planar_edges(semis, side, seed, emprise)
    progress(0.1, "Trafic entre communes")
    semis, aretes = _assign(communes, semis, a, b, progress)
    progress(0.4, "Hiérarchie et numéros des routes")
    classe = classify(communes, semis, aretes, seed)
    noms = name_roads(communes, semis, aretes, classe, seed)
    progress(0.45, "Tracé des routes")
    lignes = draw(semis, aretes, classe, noms, seed, lambda f: progress(0.45 + 0.35 * f, "Tracé des routes"))
    progress(0.8, "Rues, ponts et giratoires")
    population = np.array([c.population for c in communes], dtype=np.int64)
    ouvrage = finish(semis, aretes, classe, lignes, population, seed)
    progress(0.95, "Mise en tableaux")
    reseau = _arrays(communes, semis, aretes, classe, noms, ouvrage)
    validate(reseau)
    progress(1.0, "Réseau fictif dessiné")
    return reseau


def _assign(
    communes: Sequence[CommuneSource],
    semis: Semis,
    a: NDArray[np.int32],
    b: NDArray[np.int32],
    progress: Callable[[float, str], None],
) -> tuple[Semis, Aretes]:
    mairies = np.arange(len(communes))
    population = np.array([c.population for c in communes], dtype=np.float64)
    street = is_street(semis, a, b)
    speed = np.where(street, VITESSE_RUE_M_S, VITESSE_CAMPAGNE_M_S)
    duration: F64 | None = None
    aretes = None
    for tour in range(TOURS):
        length = np.sqrt((semis.x[a] - semis.x[b]) ** 2 + (semis.y[a] - semis.y[b]) ** 2)
        duration = length / speed if duration is None else duration
        flow = traffic(
            semis.n, a, b, duration, mairies, semis.x[mairies], semis.y[mairies], population,
            only_large=tour < TOURS - 1,
            step=lambda f, tour=tour: progress(0.1 + 0.3 * (tour + f) / TOURS, "Trafic entre communes"),  # type: ignore[misc]
        )  # fmt: skip
        duration = faster(length / speed, length, flow)
        aretes = Aretes(a=a, b=b, longueur_m=length, rue=street, flux=flow, duree_s=duration)
        if tour == TOURS - 2:
            semis = relax(semis, aretes)
    assert aretes is not None
    return semis, aretes


def _arrays(
    communes: Sequence[CommuneSource],
    semis: Semis,
    aretes: Aretes,
    classe: NDArray[np.int8],
    noms: Noms,
    ouvrage: Ouvrage,
) -> TableauxReseau:
    textes = {texte: k for k, texte in enumerate(noms.textes)}
    pieces = sorted(ouvrage.pieces, key=lambda p: _way(p, noms))
    m = len(pieces)
    ways = np.array([_way(p, noms) for p in pieces], dtype=np.int64)
    edge = np.array([p.arete for p in pieces])
    lane = np.array([p.desserte for p in pieces])
    ring = np.array([p.giratoire >= 0 for p in pieces])
    bridge = np.array([p.pont for p in pieces])
    one_way = np.array([p.sens_unique for p in pieces])
    kind = classe[edge].copy()
    kind[lane] = int(Classe.DESSERTE)
    ref, nom = noms.ref[edge].copy(), noms.nom[edge].copy()
    ref[lane | ring] = 0
    # A ring belongs to the busiest road that meets there: its class and number.
    for way in np.unique(ways[ring, 0]):
        arcs = np.flatnonzero(ways[:, 0] == way)
        best = arcs[np.lexsort((arcs, classe[edge[arcs]]))[0]]
        kind[arcs], ref[arcs] = classe[edge[best]], noms.ref[edge[best]]
    nom[ring] = textes.setdefault(f"Giratoire {FICTIF}", len(textes))
    for k in np.flatnonzero(lane).tolist():
        town = communes[int(semis.commune[aretes.a[edge[k]]])].nom
        nom[k] = textes.setdefault(f"Chemin de ferme, {town} {FICTIF}", len(textes))
    in_town = aretes.rue[edge] | ring
    speed = np.array([VITESSE_CAMPAGNE.get(Classe(c), 80.0) for c in kind])
    town_speed = np.array([VITESSE_VILLE.get(Classe(c), 50.0) for c in kind])
    speed = np.where(in_town, town_speed, speed).astype(np.float32)
    surface = textes.setdefault("asphalt", len(textes))
    rough = textes.setdefault("compacted", len(textes))
    lon, lat, debut = _degrees(pieces, noms, edge)
    # Drawn along the road, except where a street is one-way and its draw goes against it: then so is its use.
    flipped = _flipped(pieces, noms)
    source = np.array([p.cible if f else p.source for p, f in zip(pieces, flipped, strict=True)], dtype=np.int32)
    cible = np.array([p.source if f else p.cible for p, f in zip(pieces, flipped, strict=True)], dtype=np.int32)
    node_lon, node_lat = _project(np.array(ouvrage.x), np.array(ouvrage.y))
    acces = np.full(m, int(ACCES_ORDINAIRE), dtype=np.uint8)
    acces[lane] = int(ACCES_ORDINAIRE & ~Acces.CAR)
    tonnage = np.full(m, np.nan, dtype=np.float32)
    weak = bridge & (kind == int(Classe.LOCALE))
    tonnage[weak] = np.where(np.arange(int(weak.sum())) % 2 == 0, 12.0, 19.0)
    outside = np.full(m, HORS_DECOUPAGE, dtype=np.int16)
    liste = tuple(textes)
    return TableauxReseau(
        srid=4326,
        noeud_id=np.arange(1, len(ouvrage.x) + 1, dtype=np.int64),
        noeud_x=node_lon,
        noeud_y=node_lat,
        noeud_passage=np.zeros(len(ouvrage.x), dtype=bool),
        source=source,
        cible=cible,
        longueur_m=_lengths(lon, lat, debut),
        sens_unique=one_way,
        classe=kind.astype(np.int8),
        bretelle=np.zeros(m, dtype=bool),
        gestion=np.array([int(gestion_of(liste[r])) for r in ref], dtype=np.int8),
        vmax_aller=speed,
        vmax_retour=speed.copy(),
        vmax_ecrite=np.zeros(m, dtype=bool),
        acces=acces,
        tonnage_max_t=tonnage,
        hauteur_max_m=np.full(m, np.nan, dtype=np.float32),
        largeur_m=np.array([LARGEUR_M.get(Classe(c), 5.0) for c in kind], dtype=np.float32),
        voies=np.where(one_way | lane, 1, 2).astype(np.int8),
        pont=bridge,
        tunnel=np.zeros(m, dtype=bool),
        ref=ref.astype(np.int32),
        nom=nom.astype(np.int32),
        revetement=np.where(lane, rough, surface).astype(np.int32),
        voie_id=ways[:, 0],
        rang=ways[:, 1].astype(np.int32),
        departement=outside,
        departement_gauche=outside.copy(),
        departement_droite=outside.copy(),
        mitoyenne=np.zeros(m, dtype=bool),
        geom_debut=debut,
        geom_x=lon,
        geom_y=lat,
        textes=liste,
        lus={"communes": len(communes), "noeuds": len(ouvrage.x), "troncons": m},
    )


#: Ranks kept for the pieces of one edge, and first way identifiers of lanes and rings.
_PIECES_PAR_ARETE = 4
_DESSERTES = 1_000_000_000
_GIRATOIRES = 2_000_000_000


def _way(piece: Piece, noms: Noms) -> tuple[int, int]:
    """Way and rank of a piece: pieces of one road follow each other in the direction it is drawn."""
    if piece.giratoire >= 0:
        return _GIRATOIRES + piece.giratoire, piece.rang
    if piece.desserte:
        return _DESSERTES + piece.arete, 0
    within = piece.rang if noms.sens[piece.arete] > 0 else _PIECES_PAR_ARETE - 1 - piece.rang
    return int(noms.voie[piece.arete]), int(noms.rang[piece.arete]) * _PIECES_PAR_ARETE + within


def _flipped(pieces: Sequence[Piece], noms: Noms) -> list[bool]:
    return [p.giratoire < 0 and not p.desserte and bool(noms.sens[p.arete] < 0) for p in pieces]


def _degrees(pieces: Sequence[Piece], noms: Noms, edge: NDArray[np.int64]) -> tuple[F64, F64, NDArray[np.int64]]:
    lines = [p.ligne[::-1] if f else p.ligne for p, f in zip(pieces, _flipped(pieces, noms), strict=True)]
    debut = np.zeros(len(pieces) + 1, dtype=np.int64)
    np.cumsum([len(line) for line in lines], out=debut[1:])
    points = np.concatenate(lines)
    lon, lat = _project(points[:, 0], points[:, 1])
    return lon, lat, debut


def _project(x: F64, y: F64) -> tuple[F64, F64]:
    """Degrees kept to 1e-7 (a centimetre), as OpenStreetMap does."""
    lon, lat = Transformer.from_crs(SRID_CALCUL, 4326, always_xy=True).transform(x, y)
    return np.round(lon, 7), np.round(lat, 7)


def _lengths(lon: F64, lat: F64, debut: NDArray[np.int64]) -> NDArray[np.float32]:
    """Great-circle length (m) of each line (haversine)."""
    phi, lam = np.radians(lat), np.radians(lon)
    h = np.sin(np.diff(phi) / 2) ** 2 + np.cos(phi[1:]) * np.cos(phi[:-1]) * np.sin(np.diff(lam) / 2) ** 2
    step = np.r_[2 * RAYON_TERRE_M * np.arcsin(np.sqrt(h)), 0.0]
    step[debut[1:] - 1] = 0.0
    return np.add.reduceat(step, debut[:-1]).astype(np.float32)
