"""From ways (lists of nodes) to edges between crossings, by whole arrays. Pure module."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.reseau import F32, F64, I32, I64, B

#: Sphere of OSMnx (``osmnx.distance.EARTH_RADIUS_M``), so that lengths compare.
RAYON_TERRE_M = 6_371_009.0


@dataclass(frozen=True)
class Voies:
    """Ways as read. p nodes, w ways, N references.

    noeud_id (p,), x, y (p,) degrees, NaN = location unknown; taille (w,) references of each way;
    noeud (N,) positions in noeud_id; garde (w,) ways to take; inverse (w,) ways to turn round.
    """

    noeud_id: I64
    x: F64
    y: F64
    taille: I32
    noeud: I32
    garde: B
    inverse: B


@dataclass(frozen=True)
class Coupe:
    """Edges between crossings; ``voie`` (m,) is the position of the way each comes from, ``rang`` its order in it."""

    noeud_id: I64
    noeud_x: F64
    noeud_y: F64
    source: I32
    cible: I32
    voie: I64
    rang: I32
    longueur_m: F32
    geom_debut: I64
    geom_x: F64
    geom_y: F64
    voies_vides: int
    noeuds_absents: int
    noeuds_repetes: int

    def counts(self) -> dict[str, int]:
        """What the network holds, for the import's report; parallel and zero-length edges are kept."""
        bas, haut = np.minimum(self.source, self.cible), np.maximum(self.source, self.cible)
        paires = bas.astype(np.int64) * max(len(self.noeud_id), 1) + haut
        distinctes = len(np.unique(paires))
        return {
            "nœuds": len(self.noeud_id),
            "tronçons": len(self.source),
            "tronçons parallèles": len(paires) - distinctes,
            "tronçons de longueur nulle": int(np.count_nonzero(self.longueur_m == 0)),
            "boucles": int(np.count_nonzero(self.source == self.cible)),
        }


def great_circle(lon1: F64, lat1: F64, lon2: F64, lat2: F64) -> F64:
    """Distance in metres between points in degrees, on a sphere (haversine, as OSMnx)."""
    phi1, phi2 = np.radians(lat1), np.radians(lat2)
    h = np.sin((phi2 - phi1) / 2) ** 2 + np.cos(phi1) * np.cos(phi2) * np.sin(np.radians(lon2 - lon1) / 2) ** 2
    resultat: F64 = 2 * RAYON_TERRE_M * np.arcsin(np.sqrt(np.minimum(h, 1.0)))
    return resultat


def run_lengths(geom_debut: I64, segments: F64) -> F64:
    """Sum of the segments (one fewer than vertices in all, breaks between lines included) of each line."""
    cumul = np.concatenate([[0.0], np.cumsum(segments)])
    resultat: F64 = cumul[geom_debut[1:] - 1] - cumul[geom_debut[:-1]]
    return resultat


def ranks(voie_id: I64, ordre: I32 | None = None) -> I32:
    """Order (m,) of each edge among those of its way, from 0: by ``ordre`` where given, then as they come."""
    m = len(voie_id)
    tri = np.lexsort((np.arange(m), ordre, voie_id)) if ordre is not None else np.argsort(voie_id, kind="stable")
    tries = voie_id[tri]
    nouvelle = np.ones(m, dtype=bool)
    nouvelle[1:] = tries[1:] != tries[:-1]
    depart = np.maximum.accumulate(np.where(nouvelle, np.arange(m), 0))
    resultat = np.empty(m, dtype=np.int32)
    resultat[tri] = np.arange(m) - depart
    return resultat


def split_at_crossings(voies: Voies) -> Coupe:
    """Cut ways at nodes that two passages or more share, and at their ends.

    Nodes without a location are dropped and the way is cut there: joining over the gap would draw a road
    nobody surveyed. Nodes repeated one after the other are dropped. Ways left with fewer than two nodes vanish.
    """
    voie = np.repeat(np.arange(len(voies.taille)), voies.taille)
    noeud = voies.noeud.astype(np.int64)
    noeud, voie = _turn_round(noeud, voie, voies)
    prises = voies.garde[voie]
    noeud, voie = noeud[prises], voie[prises]

    # Runs: pieces of a way without a hole.
    present = ~np.isnan(voies.x[noeud])
    absents = int(np.count_nonzero(~present))
    nouvelle = np.concatenate([[True], voie[1:] != voie[:-1]]) if len(voie) else np.zeros(0, dtype=bool)
    coupure = nouvelle | np.concatenate([[False], ~present[:-1]])[: len(voie)]
    suite = np.cumsum(coupure)[present]
    noeud, voie = noeud[present], voie[present]
    repete = np.zeros(len(noeud), dtype=bool)
    repete[1:] = (noeud[1:] == noeud[:-1]) & (suite[1:] == suite[:-1])
    noeud, voie, suite = noeud[~repete], voie[~repete], suite[~repete]
    _, inverse, effectif = np.unique(suite, return_inverse=True, return_counts=True)
    utile = effectif[inverse] >= 2
    noeud, voie, suite = noeud[utile], voie[utile], suite[utile]
    vides = int(np.count_nonzero(voies.garde)) - len(np.unique(voie))

    # A node is a crossing when it is an end or when two passages use it; a closed way passes twice by its start.
    passages = np.bincount(noeud, minlength=len(voies.noeud_id))
    premier = np.ones(len(noeud), dtype=bool)
    premier[1:] = suite[1:] != suite[:-1]
    dernier = np.ones(len(noeud), dtype=bool)
    dernier[:-1] = premier[1:]
    borne = premier | dernier | (passages[noeud] >= 2)

    # An inner crossing ends one edge and starts the next: its vertex is written twice.
    debuts = np.flatnonzero(borne & ~dernier)
    fins = np.flatnonzero(borne & ~premier)
    n_sommets = fins - debuts + 1
    geom_debut = np.concatenate([[0], np.cumsum(n_sommets)]).astype(np.int64)
    sommets = np.arange(geom_debut[-1]) + np.repeat(debuts - geom_debut[:-1], n_sommets)
    gx, gy = voies.x[noeud[sommets]], voies.y[noeud[sommets]]
    segments = great_circle(gx[:-1], gy[:-1], gx[1:], gy[1:]) if len(gx) else np.zeros(0)

    bouts = np.unique(np.concatenate([noeud[debuts], noeud[fins]]))
    voie_arete = voie[debuts]
    return Coupe(
        noeud_id=voies.noeud_id[bouts],
        noeud_x=voies.x[bouts],
        noeud_y=voies.y[bouts],
        source=np.searchsorted(bouts, noeud[debuts]).astype(np.int32),
        cible=np.searchsorted(bouts, noeud[fins]).astype(np.int32),
        voie=voie_arete,
        rang=ranks(voie_arete),
        longueur_m=run_lengths(geom_debut, segments).astype(np.float32),
        geom_debut=geom_debut,
        geom_x=gx,
        geom_y=gy,
        voies_vides=vides,
        noeuds_absents=absents,
        noeuds_repetes=int(np.count_nonzero(repete)),
    )


def _turn_round(noeud: I64, voie: I64, voies: Voies) -> tuple[I64, NDArray[np.int64]]:
    """Node references with the ways of ``inverse`` read backwards."""
    if not voies.inverse.any():
        return noeud, voie
    debut = np.cumsum(voies.taille, dtype=np.int64) - voies.taille
    place = np.arange(len(noeud))
    dernier = (debut + voies.taille - 1)[voie]
    return noeud[np.where(voies.inverse[voie], debut[voie] + dernier - place, place)], voie
