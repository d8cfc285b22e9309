"""The finished network as the arrays every reader of roads makes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from geodata.classes import ACCES_ORDINAIRE, Acces, Classe, gestion_of
from geodata.reseau import HORS_DECOUPAGE, TableauxReseau
from geodata.topologie import great_circle, ranks, run_lengths

from .details import Genre, Ouvrage, Piece
from .hierarchie import Aretes
from .numeros import FICTIF, Noms
from .semis import CommuneSource, Semis
from .voies_rapides import ECHANGEURS_MAX

F64 = NDArray[np.float64]

SRID_CALCUL = 2154

VITESSE_CAMPAGNE = {
    Classe.AUTOROUTE: 130.0, Classe.VOIE_RAPIDE: 110.0, Classe.DESSERTE: 50.0,
}  # fmt: skip
VITESSE_VILLE = {Classe.RESIDENTIELLE: 30.0, Classe.RENCONTRE: 20.0}
VITESSE_BRETELLE = 70.0
LARGEUR_M = {
    Classe.AUTOROUTE: 7.5, Classe.VOIE_RAPIDE: 7.0, Classe.PRIMAIRE: 7.0, Classe.SECONDAIRE: 6.0,
    Classe.TERTIAIRE: 5.5, Classe.LOCALE: 4.0, Classe.RESIDENTIELLE: 5.0, Classe.RENCONTRE: 4.5,
    Classe.DESSERTE: 3.0,
}  # fmt: skip


def make_arrays(
    communes: Sequence[CommuneSource],
    semis: Semis,
    aretes: Aretes,
    classe: NDArray[np.int8],
    noms: Noms,
    ouvrage: Ouvrage,
    rapides: Sequence[str],
) -> TableauxReseau:
    """Arrays (EPSG:4326) of the pieces, sorted by way; ``rapides`` are the numbers of the fast roads."""
    textes = {texte: k for k, texte in enumerate(noms.textes)}
    pieces = sorted(ouvrage.pieces, key=lambda p: _way(p, noms))
    m = len(pieces)
    ways = np.array([_way(p, noms)[0] for p in pieces], dtype=np.int64)
    genre = np.array([p.genre for p in pieces])
    edge = np.array([p.arete for p in pieces])
    lane, ring, slip = genre == Genre.DESSERTE, genre == Genre.GIRATOIRE, genre == Genre.BRETELLE
    fast = (genre == Genre.RAPIDE) | slip
    bridge = np.array([p.pont for p in pieces])
    one_way = np.array([p.sens_unique for p in pieces])
    kind = classe[edge].copy()
    kind[lane] = int(Classe.DESSERTE)
    ref, nom = noms.ref[edge].copy(), noms.nom[edge].copy()
    ref[lane | ring] = 0
    # A ring belongs to the busiest road that meets there: its class and number.
    for way in np.unique(ways[ring]):
        arcs = np.flatnonzero(ways == way)
        best = arcs[np.lexsort((arcs, classe[edge[arcs]]))[0]]
        kind[arcs], ref[arcs] = classe[edge[best]], noms.ref[edge[best]]
    for k, number in enumerate(rapides):
        mine = fast & (_axis_number(ways) == k)
        kind[mine] = int(Classe.VOIE_RAPIDE if k else Classe.AUTOROUTE)
        ref[mine & ~slip] = textes.setdefault(number, len(textes))
        ref[mine & slip] = 0
        nom[mine] = textes.setdefault(f"{'Voie rapide' if k else 'Autoroute'} {FICTIF}", len(textes))
        nom[mine & slip] = textes.setdefault(f"Bretelle {number} {FICTIF}", len(textes))
    nom[ring] = textes.setdefault(f"Giratoire {FICTIF}", len(textes))
    for k in np.flatnonzero(lane).tolist():
        town = communes[int(semis.commune[aretes.a[edge[k]]])].nom
        nom[k] = textes.setdefault(f"Chemin de ferme, {town} {FICTIF}", len(textes))
    in_town = (aretes.rue[edge] & ~fast) | ring
    speed = np.array([VITESSE_CAMPAGNE.get(Classe(c), 80.0) for c in kind])
    town_speed = np.array([VITESSE_VILLE.get(Classe(c), 50.0) for c in kind])
    speed = np.where(in_town, town_speed, speed)
    speed = np.where(slip, VITESSE_BRETELLE, speed).astype(np.float32)
    surface = textes.setdefault("asphalt", len(textes))
    rough = textes.setdefault("compacted", len(textes))
    lon, lat, debut = _degrees(pieces, noms)
    # All pieces of a road are drawn the same way; a one-way street turned round is one-way the other way.
    flipped = _flipped(pieces, noms)
    source = np.array([p.cible if f else p.source for p, f in zip(pieces, flipped, strict=True)], dtype=np.int32)
    cible = np.array([p.source if f else p.cible for p, f in zip(pieces, flipped, strict=True)], dtype=np.int32)
    node_lon, node_lat = _project(np.array(ouvrage.x), np.array(ouvrage.y))
    acces = np.full(m, int(ACCES_ORDINAIRE), dtype=np.uint8)
    acces[lane] = int(ACCES_ORDINAIRE & ~Acces.CAR)
    acces[fast] = int(ACCES_ORDINAIRE & ~Acces.PIETON)
    tonnage = np.full(m, np.nan, dtype=np.float32)
    weak = bridge & (kind == int(Classe.LOCALE))
    tonnage[weak] = np.where(np.arange(int(weak.sum())) % 2 == 0, 12.0, 19.0)
    outside = np.full(m, HORS_DECOUPAGE, dtype=np.int16)
    liste = tuple(textes)
    gestion = np.array([int(gestion_of(text)) for text in liste], dtype=np.int8)[ref]
    # Slip roads bear no number but belong to who manages the fast road.
    for k, number in enumerate(rapides):
        gestion[slip & (_axis_number(ways) == k)] = int(gestion_of(number))
    return TableauxReseau(
        srid=4326,
        noeud_id=np.arange(1, len(ouvrage.x) + 1, dtype=np.int64),
        noeud_x=node_lon,
        noeud_y=node_lat,
        noeud_passage=np.zeros(len(ouvrage.x), dtype=bool),
        source=source,
        cible=cible,
        longueur_m=run_lengths(debut, great_circle(lon[:-1], lat[:-1], lon[1:], lat[1:])).astype(np.float32),
        sens_unique=one_way,
        classe=kind.astype(np.int8),
        bretelle=slip,
        gestion=gestion,
        vmax_aller=speed,
        vmax_retour=speed.copy(),
        vmax_ecrite=np.zeros(m, dtype=bool),
        acces=acces,
        tonnage_max_t=tonnage,
        hauteur_max_m=np.full(m, np.nan, dtype=np.float32),
        largeur_m=np.array([LARGEUR_M.get(Classe(c), 5.0) for c in kind], dtype=np.float32),
        voies=np.where((one_way & (genre != Genre.RAPIDE)) | lane, 1, 2).astype(np.int8),
        pont=bridge,
        tunnel=np.zeros(m, dtype=bool),
        ref=ref.astype(np.int32),
        nom=nom.astype(np.int32),
        revetement=np.where(lane, rough, surface).astype(np.int32),
        voie_id=ways,
        rang=ranks(ways),
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


#: First way identifiers of the kinds that are not stretches of numbered roads and streets.
_VOIES = {
    Genre.DESSERTE: 1_000_000_000,
    Genre.GIRATOIRE: 2_000_000_000,
    Genre.RAPIDE: 3_000_000_000,
    Genre.BRETELLE: 4_000_000_000,
}


def _way(piece: Piece, noms: Noms) -> tuple[int, int, float]:
    """Way of a piece and what orders it there: pieces of one road follow each other as it is drawn."""
    if piece.genre != Genre.ROUTE:
        return _VOIES[piece.genre] + piece.groupe, 0, piece.abscisse
    edge = piece.arete
    return int(noms.voie[edge]), int(noms.rang[edge]), piece.abscisse * float(noms.sens[edge])


def _axis_number(ways: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which fast road a way of theirs is of (no meaning for other ways)."""
    slips = (ways - _VOIES[Genre.BRETELLE]) // (4 * ECHANGEURS_MAX)
    return np.asarray(np.where(ways >= _VOIES[Genre.BRETELLE], slips, (ways - _VOIES[Genre.RAPIDE]) // 2))


def _flipped(pieces: Sequence[Piece], noms: Noms) -> list[bool]:
    """Pieces drawn against their road: turned round, one-way streets with them."""
    return [p.genre == Genre.ROUTE and bool(noms.sens[p.arete] < 0) for p in pieces]


def _degrees(pieces: Sequence[Piece], noms: Noms) -> tuple[F64, F64, NDArray[np.int64]]:
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
