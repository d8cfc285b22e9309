"""Fast roads beside the busiest national ones: two carriageways, interchanges, bridges over them.

They are the only roads that meet others without a crossing: wherever one of them and an ordinary road cross, the
ordinary one is on a bridge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from shapely.ops import substring

from geodata.classes import Classe

from .details import Genre, Ouvrage, Piece
from .hierarchie import Aretes
from .numeros import Noms
from .semis import RUE, Semis

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

PAS_M = 100.0
#: Smoothing of the national road's line, and how far from it the fast road lies.
LISSAGE_M = 1_300.0
ECART_M = 800.0
#: Clear of streets by this, as far as bends allow.
MARGE_VILLE_M = 450.0
DEMI_ECART_VOIES_M = 11.0
ENTRE_ECHANGEURS_M = 5_500.0
#: Slip roads leave this far before the road crossed and reach it this far beside.
BRETELLE_M = 420.0
PIED_M = 120.0
LONGUEUR_MIN_M = 15_000.0
#: Groups kept for the slip roads of one fast road.
ECHANGEURS_MAX = 1000


@dataclass(frozen=True)
class Echangeur:
    """Where a fast road (abscissa on its axis) and a piece of ordinary road (its rank, abscissa on it) meet."""

    axe_m: float
    piece: int
    piece_m: float


def add_fast_roads(semis: Semis, aretes: Aretes, classe: NDArray[np.int8], noms: Noms, work: Ouvrage) -> list[str]:
    """Add a fast road along each national road long enough, in place; returns their numbers, « A 1 » first.

    The k-th one has the pieces of group 2k (along) and 2k + 1 (back).
    """
    numbers: list[str] = []
    for text in sorted(t for t in noms.textes if t.startswith("N ")):
        axis = _axis(semis, aretes, noms, work, noms.textes.index(text))
        if axis is None:
            continue
        pieces = _build(semis, aretes, classe, work, axis, len(numbers))
        if pieces is not None:
            work.pieces = pieces
            numbers.append(f"N {100 + len(numbers)}" if numbers else "A 1")
    return numbers


def _axis(semis: Semis, aretes: Aretes, noms: Noms, work: Ouvrage, ref: int) -> F64 | None:
    """Line (k, 2) of a fast road beside the longest road of a number, None where it is too short."""
    edges = np.flatnonzero(noms.ref == ref)
    edges = edges[np.argsort(noms.rang[edges])]
    nodes = [int(aretes.a[e] if noms.sens[e] > 0 else aretes.b[e]) for e in edges]
    last = edges[-1]
    nodes.append(int(aretes.b[last] if noms.sens[last] > 0 else aretes.a[last]))
    line = shapely.linestrings(np.column_stack([semis.x[nodes], semis.y[nodes]]))
    if line.length < LONGUEUR_MIN_M:
        return None
    points = _resample(line)
    points = _smooth(points, LISSAGE_M)
    points = points + _normals(points) * ECART_M
    centres, radii = _towns(semis)
    for _ in range(12):
        away = points[:, None, :] - centres[None, :, :]
        gap = np.sqrt((away**2).sum(axis=2))
        short = np.maximum(radii[None, :] - gap, 0.0)
        worst = np.argmax(short, axis=1)
        rows = np.arange(len(points))
        push = away[rows, worst] / np.maximum(gap[rows, worst], 1.0)[:, None] * short[rows, worst][:, None]
        points = _smooth(points + push, 500.0)
    points = _resample(shapely.linestrings(points))
    axis = shapely.linestrings(np.round(points, 1))
    return np.round(points, 1) if axis.is_simple and axis.length >= LONGUEUR_MIN_M else None


def _towns(semis: Semis) -> tuple[F64, F64]:
    """Centres (k, 2) of the streets of each commune and how far from them the fast road stays."""
    street = semis.genre <= RUE
    k = int(semis.commune.max()) + 1
    count = np.maximum(np.bincount(semis.commune[street], minlength=k), 1)
    centre = np.column_stack(
        [np.bincount(semis.commune[street], z[street], minlength=k) / count for z in (semis.x, semis.y)]
    )
    gap = np.sqrt(((np.column_stack([semis.x, semis.y]) - centre[semis.commune]) ** 2).sum(axis=1))
    radius = np.zeros(k)
    np.maximum.at(radius, semis.commune[street], gap[street])
    return centre, radius + MARGE_VILLE_M


def _resample(line: shapely.LineString) -> F64:
    steps = np.linspace(0.0, line.length, max(2, int(line.length / PAS_M)) + 1)
    return np.asarray(shapely.get_coordinates(shapely.line_interpolate_point(line, steps)), dtype=np.float64)


def _smooth(points: F64, metres: float) -> F64:
    smoothed = gaussian_filter1d(points, metres / PAS_M, axis=0, mode="nearest")
    return np.asarray(smoothed, dtype=np.float64)


def _normals(points: F64) -> F64:
    """Unit vectors to the left of a line at each of its points."""
    along = np.gradient(points, axis=0)
    along /= np.maximum(np.sqrt((along**2).sum(axis=1)), 1e-6)[:, None]
    return np.column_stack([-along[:, 1], along[:, 0]])


def _build(
    semis: Semis, aretes: Aretes, classe: NDArray[np.int8], work: Ouvrage, points: F64, number: int
) -> list[Piece] | None:
    """All pieces with the fast road added, or None where it would have fewer than two interchanges."""
    axis = shapely.linestrings(points)
    lines = _lines(work.pieces)
    hit = np.flatnonzero(shapely.intersects(lines, shapely.buffer(axis, DEMI_ECART_VOIES_M + 6.0)))
    chosen = _interchanges(aretes, classe, work, axis, lines, hit)
    if len(chosen) < 2:
        return None
    start, end = chosen[0].axe_m - BRETELLE_M, chosen[-1].axe_m + BRETELLE_M
    feet: dict[int, list[tuple[float, int]]] = {}
    added: list[Piece] = []
    for way in (0, 1):
        # The carriageway of those who drive along the axis is on its right.
        side = -1.0 if way == 0 else 1.0
        stops: list[tuple[float, int]] = []
        for rank, exchange in enumerate(chosen):
            foot_m, foot = _foot(lines[exchange.piece], axis, exchange, side)
            foot_node = work.node(foot)
            feet.setdefault(exchange.piece, []).append((foot_m, foot_node))
            # Nobody leaves where the road begins, nobody comes in where it ends.
            first, final = (rank == 0, rank == len(chosen) - 1) if way == 0 else (rank == len(chosen) - 1, rank == 0)
            for leaving in (True, False):
                if first if leaving else final:
                    continue
                stop = exchange.axe_m + side * BRETELLE_M * (1.0 if leaving else -1.0)
                line = _slip(axis, stop, side, foot)
                node = work.node(line[0])
                stops.append((stop, node))
                ends = (node, foot_node) if leaving else (foot_node, node)
                group = (number * ECHANGEURS_MAX + rank) * 4 + way * 2 + (not leaving)
                added.append(
                    Piece(*ends, line if leaving else line[::-1].copy(), -1, 0.0, sens_unique=True,
                          genre=Genre.BRETELLE, groupe=group)
                )  # fmt: skip
        stops.sort(reverse=way == 1)
        for order, (one, other) in enumerate(pairwise(stops)):
            line = _carriageway(work, axis, one, other, side)
            added.append(
                Piece(one[1], other[1], line, -1, float(order), sens_unique=True, genre=Genre.RAPIDE,
                      groupe=2 * number + way)
            )  # fmt: skip
    return _bridged(work, axis, lines, hit, feet, start, end) + added


def _lines(pieces: Sequence[Piece]) -> NDArray[np.object_]:
    return np.asarray(
        shapely.linestrings(
            np.concatenate([p.ligne for p in pieces]),
            indices=np.repeat(np.arange(len(pieces)), [len(p.ligne) for p in pieces]),
        )
    )


def _meetings(axis: shapely.LineString, line: shapely.LineString) -> list[tuple[float, float]]:
    """(abscissa on the line, abscissa on the axis) of their crossings, in the line's order."""
    points = shapely.points(shapely.get_coordinates(shapely.intersection(axis, line)))
    return sorted(
        (float(shapely.line_locate_point(line, point)), float(shapely.line_locate_point(axis, point)))
        for point in points
    )


def _interchanges(
    aretes: Aretes,
    classe: NDArray[np.int8],
    work: Ouvrage,
    axis: shapely.LineString,
    lines: NDArray[np.object_],
    hit: I64,
) -> list[Echangeur]:
    """Interchanges with numbered roads, the busiest first as long as they are far enough apart, in the axis' order."""
    found: list[tuple[int, float, Echangeur]] = []
    for k in hit.tolist():
        piece = work.pieces[k]
        if piece.genre != Genre.ROUTE or piece.pont or piece.sens_unique or aretes.rue[piece.arete]:
            continue
        kind = int(classe[piece.arete])
        meetings = _meetings(axis, lines[k])
        if kind > int(Classe.TERTIAIRE) or len(meetings) != 1:
            continue
        ((s, along),) = meetings
        room = 2 * PIED_M
        if not (room < s < lines[k].length - room and BRETELLE_M + 50 < along < axis.length - BRETELLE_M - 50):
            continue
        ends = [axis.distance(lines[k].interpolate(s + d)) for d in (-PIED_M, PIED_M)]
        if min(ends) > 0.7 * PIED_M:
            found.append((kind, -float(aretes.flux[piece.arete]), Echangeur(along, k, s)))
    tree = shapely.STRtree(lines)
    chosen: list[Echangeur] = []
    for _, _, exchange in sorted(found, key=lambda f: (f[0], f[1], f[2].axe_m)):
        if any(abs(exchange.axe_m - o.axe_m) < ENTRE_ECHANGEURS_M for o in chosen):
            continue
        # Straight enough for the slip roads to stay on their side, their ground free of any other road.
        stretch = substring(axis, exchange.axe_m - BRETELLE_M - 20, exchange.axe_m + BRETELLE_M + 20)
        chord = shapely.distance(shapely.get_point(stretch, 0), shapely.get_point(stretch, -1))
        if chord < 0.985 * stretch.length:
            continue
        arm = substring(lines[exchange.piece], exchange.piece_m - PIED_M - 20, exchange.piece_m + PIED_M + 20)
        ground = shapely.convex_hull(shapely.union(shapely.buffer(stretch, 45.0), shapely.buffer(arm, 5.0)))
        others = set(tree.query(ground, predicate="intersects").tolist()) - {exchange.piece}
        if not others and _slips_are_clear(axis, lines[exchange.piece], exchange):
            chosen.append(exchange)
    return sorted(chosen, key=lambda e: e.axe_m)


def _beside(axis: shapely.LineString, s: float, side: float) -> F64:
    """Point of a carriageway at an abscissa of the axis; ``side`` +1 left, -1 right."""
    p, q = (np.array(axis.interpolate(s + d).coords[0]) for d in (-20.0, 20.0))
    along = (q - p) / max(float(np.sqrt(((q - p) ** 2).sum())), 1e-6)
    left = np.array([-along[1], along[0]])
    return np.asarray(np.round((p + q) / 2 + side * DEMI_ECART_VOIES_M * left, 1), dtype=np.float64)


def _foot(line: shapely.LineString, axis: shapely.LineString, exchange: Echangeur, side: float) -> tuple[float, F64]:
    """Where slip roads reach the ordinary road on one side of the axis: abscissa on it, point."""
    crossing = np.array(axis.interpolate(exchange.axe_m).coords[0])
    left = _beside(axis, exchange.axe_m, 1.0) - crossing
    for d in (-PIED_M, PIED_M):
        point = np.round(np.array(line.interpolate(exchange.piece_m + d).coords[0]), 1)
        if float(((point - crossing) * left).sum()) * side > 0:
            return exchange.piece_m + d, point
    raise AssertionError("les deux pieds d'un échangeur du même côté de son axe")


def _slip(axis: shapely.LineString, s: float, side: float, foot: F64) -> F64:
    """Line of a slip road from a carriageway at an abscissa to the ordinary road."""
    p, here = _beside(axis, s, side), np.array(axis.interpolate(s).coords[0])
    centre = float(shapely.line_locate_point(axis, shapely.points(foot)))
    # A quadratic curve, first along the carriageway.
    middle = np.array(axis.interpolate(s + 0.62 * (centre - s)).coords[0]) + (p - here) * 2.6
    t = np.linspace(0.0, 1.0, 9)[:, None]
    line = np.round((1 - t) ** 2 * p + 2 * t * (1 - t) * middle + t**2 * foot, 1)
    line[0], line[-1] = p, foot
    return np.asarray(line, dtype=np.float64)


def _slips_are_clear(axis: shapely.LineString, line: shapely.LineString, exchange: Echangeur) -> bool:
    """True where the four slip roads stay on their side of the axis and meet the ordinary road at its end only."""
    for side in (-1.0, 1.0):
        _, foot = _foot(line, axis, exchange, side)
        for d in (-BRETELLE_M, BRETELLE_M):
            slip = shapely.linestrings(_slip(axis, exchange.axe_m + d, side, foot))
            # It ends on the ordinary road, to within a rounding.
            before = slip.difference(shapely.Point(foot).buffer(2.0))
            if before.intersects(line) or slip.distance(axis) < DEMI_ECART_VOIES_M - 2.0:
                return False
    return True


def _carriageway(
    work: Ouvrage, axis: shapely.LineString, one: tuple[float, int], other: tuple[float, int], side: float
) -> F64:
    low, high = sorted((one[0], other[0]))
    steps = np.linspace(low, high, max(1, int((high - low) / PAS_M)) + 1)
    points = np.array([_beside(axis, float(s), side) for s in steps])
    points = points if one[0] < other[0] else points[::-1].copy()
    points[0] = work.x[one[1]], work.y[one[1]]
    points[-1] = work.x[other[1]], work.y[other[1]]
    return np.asarray(shapely.get_coordinates(shapely.simplify(shapely.linestrings(points), 0.8)), dtype=np.float64)


def _bridged(
    work: Ouvrage,
    axis: shapely.LineString,
    lines: NDArray[np.object_],
    hit: I64,
    feet: dict[int, list[tuple[float, int]]],
    start: float,
    end: float,
) -> list[Piece]:
    """The ordinary pieces, cut where slip roads reach them, those over the fast road on bridges."""
    used = shapely.buffer(substring(axis, start, end), DEMI_ECART_VOIES_M + 6.0)
    over = set(hit[shapely.intersects(lines[hit], used)].tolist())
    out: list[Piece] = []
    for k, piece in enumerate(work.pieces):
        if k not in over:
            out.append(piece)
            continue
        length = lines[k].length
        inside = shapely.get_parts(shapely.intersection(lines[k], used))
        spans = []
        for part in inside[shapely.length(inside) > 0]:
            ends = [float(lines[k].project(shapely.Point(c))) for c in (part.coords[0], part.coords[-1])]
            spans.append((max(0.0, min(ends) - 12.0), min(length, max(ends) + 12.0)))
        cuts: dict[float, int] = dict(feet.get(k, []))
        whole = piece.pont or piece.genre in (Genre.GIRATOIRE, Genre.BRETELLE) or length < 120.0
        for span in spans:
            for s in span:
                if not whole and 15.0 < s < length - 15.0:
                    cuts.setdefault(s, -1)
        out.extend(_cut(work, piece, lines[k], sorted(cuts.items()), [(0.0, length)] if whole else spans))
    return out


def _cut(
    work: Ouvrage,
    piece: Piece,
    line: shapely.LineString,
    cuts: list[tuple[float, int]],
    spans: list[tuple[float, float]],
) -> list[Piece]:
    """A piece cut at abscissas (node -1: to make); parts whose middle is in a span are bridges."""
    along = np.r_[0.0, np.cumsum(np.sqrt((np.diff(piece.ligne, axis=0) ** 2).sum(axis=1)))]
    stops: list[tuple[float, int, F64]] = [(0.0, piece.source, piece.ligne[0])]
    for s, node in cuts:
        point = np.round(np.array(line.interpolate(s).coords[0]), 1)
        stops.append((s, work.node(point) if node < 0 else node, point))
    stops.append((line.length, piece.cible, piece.ligne[-1]))
    out = []
    for order, (one, other) in enumerate(pairwise(stops)):
        inner = piece.ligne[(along > one[0] + 1.0) & (along < other[0] - 1.0)]
        middle = (one[0] + other[0]) / 2
        bridge = piece.pont or any(low <= middle <= high for low, high in spans)
        out.append(
            replace(
                piece,
                source=one[1],
                cible=other[1],
                ligne=np.vstack([one[2], inner, other[2]]),
                abscisse=piece.abscisse + order / 64,
                pont=bridge,
            )
        )
    return out
