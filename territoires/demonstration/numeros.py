"""Road numbers and names: chains of edges that an agent would call one road."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.classes import Classe

from .hasard import text_key, uniform
from .hierarchie import Aretes
from .semis import CommuneSource, Semis

I8 = NDArray[np.int8]
I32 = NDArray[np.int32]

FICTIF = "(fictif)"
#: A road does not go on beyond a turn sharper than this (cosine of the change of bearing).
COSINUS_ROUTE = -0.25
COSINUS_RUE = 0.75
#: Nor back towards where it began by more than this.
DEMI_TOUR_M = 2_500.0
#: One « route nationale » for so many départements drawn, and so long at least.
NATIONALE_KM = 25.0

VOIES = ("Rue", "Rue", "Rue", "Rue", "Avenue", "Chemin", "Allée", "Montée", "Passage")
NOMS = (
    "des Tilleuls", "des Acacias", "du Lavoir", "des Écoles", "du Stade", "de la Fontaine", "des Jardins",
    "du Moulin", "des Vergers", "du Four", "de la Forge", "des Noyers", "du Marché", "des Prés", "de l’Étang",
    "des Genêts", "du Pré Vert", "des Lilas", "du Coteau", "des Platanes", "des Cerisiers", "de la Scierie",
    "du Belvédère", "des Tanneurs", "des Tisserands", "du Lac", "des Rochers", "des Érables", "du Puits",
    "de la Croix", "des Chênes", "des Frênes", "du Verger", "de la Source", "des Alouettes", "des Mésanges",
    "du Levant", "du Couchant", "de la Plaine", "des Hirondelles", "des Sorbiers", "du Vallon", "des Bouleaux",
    "de la Halle", "du Pont Neuf", "des Maraîchers", "de la Vigne", "des Peupliers", "du Bois", "des Crêtes",
    "de la Gare", "du Château", "des Remparts", "de la Poste", "du Tonnelier", "des Charmes", "de la Garenne",
    "des Aubépines", "du Ruisseau", "des Fougères",
)  # fmt: skip


@dataclass(frozen=True)
class Chaine:
    """One road: its edges in order with the node it starts from."""

    aretes: tuple[int, ...]
    depart: int
    arrivee: int


def chains(semis: Semis, aretes: Aretes, chosen: Sequence[int], classe: I8, cosinus: float) -> list[Chaine]:
    """Cut the chosen edges into chains, the busiest first; each edge is in exactly one chain.

    A chain never comes back to one of its nodes, nor much nearer to where it began than it has been. At a node it goes
    on to the unused edge that turns least and whose class and traffic are closest.
    """
    at: dict[int, list[int]] = {}
    for e in chosen:
        at.setdefault(int(aretes.a[e]), []).append(e)
        at.setdefault(int(aretes.b[e]), []).append(e)
    x, y = semis.x.tolist(), semis.y.tolist()
    a, b, length = aretes.a.tolist(), aretes.b.tolist(), aretes.longueur_m.tolist()
    flux, rank = aretes.flux.tolist(), classe.tolist()
    used: set[int] = set()

    def extend(e: int, node: int, passed: set[int]) -> tuple[list[int], int]:
        """Edges that follow ``e`` from ``node`` on, and where they end; ``passed`` are the road's nodes so far."""
        out: list[int] = []
        origin, reached = a[e] + b[e] - node, 0.0
        while True:
            back = a[e] + b[e] - node
            best, best_score = -1, -9.0
            for f in at[node]:
                if f in used:
                    continue
                far = a[f] + b[f] - node
                if far in passed or away(origin, far) < reached - DEMI_TOUR_M:
                    continue
                dot = (x[node] - x[back]) * (x[far] - x[node]) + (y[node] - y[back]) * (y[far] - y[node])
                cos = dot / (length[e] * length[f])
                if cos < cosinus:
                    continue
                ratio = min(flux[e], flux[f]) / (max(flux[e], flux[f]) + 1e-9)
                score = cos - 0.8 * abs(rank[e] - rank[f]) + 0.6 * ratio
                if score > best_score:
                    best, best_score = f, score
            if best < 0 or best_score < cosinus - 0.2:
                return out, node
            out.append(best)
            used.add(best)
            node = a[best] + b[best] - node
            passed.add(node)
            reached = max(reached, away(origin, node))
            e = best

    def away(one: int, other: int) -> float:
        return float(((x[one] - x[other]) ** 2 + (y[one] - y[other]) ** 2) ** 0.5)

    result: list[Chaine] = []
    for e in sorted(chosen, key=lambda k: (rank[k], -flux[k], k)):
        if e in used:
            continue
        used.add(e)
        passed = {a[e], b[e]}
        ahead, end = extend(e, b[e], passed)
        behind, start = extend(e, a[e], passed)
        result.append(Chaine(aretes=(*reversed(behind), e, *ahead), depart=start, arrivee=end))
    return result


@dataclass(frozen=True)
class Noms:
    """Number and name (m,) as positions in ``textes``, and the road each edge belongs to with its rank there."""

    ref: I32
    nom: I32
    voie: I32
    rang: I32
    #: +1 where the edge is drawn along its road, -1 against.
    sens: I8
    textes: tuple[str, ...]


def name_roads(communes: Sequence[CommuneSource], semis: Semis, aretes: Aretes, classe: I8, seed: int) -> Noms:
    """Numbers for departmental and national roads, names for them and for streets; every name says « fictif »."""
    m = len(aretes.a)
    ref, nom = np.zeros(m, dtype=np.int32), np.zeros(m, dtype=np.int32)
    voie, rang, sens = np.zeros(m, dtype=np.int32), np.zeros(m, dtype=np.int32), np.ones(m, dtype=np.int8)
    textes: dict[str, int] = {"": 0}
    numbered = np.flatnonzero(classe <= int(Classe.TERTIAIRE)).tolist()
    streets = np.flatnonzero(aretes.rue & (classe > int(Classe.TERTIAIRE))).tolist()
    lanes = np.flatnonzero(~aretes.rue & (classe > int(Classe.TERTIAIRE))).tolist()
    routes = chains(semis, aretes, numbered, classe, COSINUS_ROUTE)
    refs = _numbers(communes, semis, aretes, routes, classe)
    rank = 0
    for chaine, number in zip(routes, refs, strict=True):
        ends = [communes[int(semis.commune[node])].nom for node in (chaine.depart, chaine.arrivee)]
        rank += 1
        _write(chaine, rank, aretes, voie, rang, sens)
        edges = list(chaine.aretes)
        ref[edges] = textes.setdefault(number, len(textes))
        nom[edges] = textes.setdefault(_route_name(*ends), len(textes))
    given: dict[int, int] = {}
    degree = np.bincount(aretes.a, minlength=semis.n) + np.bincount(aretes.b, minlength=semis.n)
    for chaine in chains(semis, aretes, streets, classe, COSINUS_RUE):
        rank += 1
        _write(chaine, rank, aretes, voie, rang, sens)
        town = int(semis.commune[chaine.depart])
        given[town] = given.get(town, -1) + 1
        dead_end = min(degree[chaine.depart], degree[chaine.arrivee]) == 1
        name = _street_name(communes[town].code, given[town], bool(dead_end), seed)
        nom[list(chaine.aretes)] = textes.setdefault(name, len(textes))
    for chaine in chains(semis, aretes, lanes, classe, COSINUS_RUE):
        rank += 1
        _write(chaine, rank, aretes, voie, rang, sens)
        ends = [communes[int(semis.commune[node])].nom for node in (chaine.depart, chaine.arrivee)]
        nom[list(chaine.aretes)] = textes.setdefault(f"Chemin communal {de(ends[0])} {FICTIF}", len(textes))
    return Noms(ref=ref, nom=nom, voie=voie, rang=rang, sens=sens, textes=tuple(textes))


def _write(chaine: Chaine, rank: int, aretes: Aretes, voie: I32, rang: I32, sens: I8) -> None:
    node = chaine.depart
    for position, e in enumerate(chaine.aretes):
        voie[e], rang[e] = rank, position
        along = int(aretes.a[e]) == node
        sens[e] = 1 if along else -1
        node = int(aretes.b[e]) if along else int(aretes.a[e])


def _numbers(
    communes: Sequence[CommuneSource], semis: Semis, aretes: Aretes, routes: Sequence[Chaine], classe: I8
) -> list[str]:
    """« N 1 »... for the busiest long roads, else the smallest « D n » free in all départements crossed."""
    departement = [c.departement for c in communes]
    length = [float(aretes.longueur_m[list(c.aretes)].sum()) / 1000 for c in routes]
    level = [int(np.median(classe[list(c.aretes)])) for c in routes]
    nationales = max(1, round(len(set(departement)) * 0.75))
    carried = [float((aretes.flux * aretes.longueur_m)[list(c.aretes)].sum()) for c in routes]
    main = [k for k in range(len(routes)) if level[k] == int(Classe.PRIMAIRE) and length[k] >= NATIONALE_KM]
    out = [""] * len(routes)
    for n, k in enumerate(sorted(main, key=lambda k: (-carried[k], k))[:nationales], 1):
        out[k] = f"N {n}"
    taken: dict[str, set[int]] = {}
    for k in sorted(range(len(routes)), key=lambda k: (level[k], -length[k], k)):
        if out[k]:
            continue
        crossed = {departement[int(semis.commune[i])] for e in routes[k].aretes for i in (aretes.a[e], aretes.b[e])}
        number = 1
        while any(number in taken.setdefault(code, set()) for code in crossed):
            number += 1
        for code in crossed:
            taken[code].add(number)
        out[k] = f"D {number}"
    return out


def de(nom: str) -> str:
    """« de » before the name of a commune: du Puy, des Estables, d’Ambert, de La Ricamarie."""
    if nom.startswith("Le "):
        return f"du {nom[3:]}"
    if nom.startswith("Les "):
        return f"des {nom[4:]}"
    return f"d’{nom}" if nom[:1] in "AEIOUYÉÈÊÂÎÔHaeiouyéèêâîôh" else f"de {nom}"


def a(nom: str) -> str:
    """« à » before the name of a commune: au Puy, aux Estables, à La Ricamarie."""
    if nom.startswith("Le "):
        return f"au {nom[3:]}"
    return f"aux {nom[4:]}" if nom.startswith("Les ") else f"à {nom}"


def _route_name(start: str, end: str) -> str:
    return f"Route {de(start)} {FICTIF}" if start == end else f"Route {de(start)} {a(end)} {FICTIF}"


def _street_name(code: str, number: int, dead_end: bool, seed: int) -> str:
    """The k-th street of a commune: no two share a name."""
    shift = int(uniform(seed, text_key(code), 41)[0] * len(NOMS))
    noun = NOMS[(shift + number * 7) % len(NOMS)]
    kind = "Impasse" if dead_end else VOIES[int(uniform(seed, text_key(code), number, 42)[0] * len(VOIES))]
    tour = number // len(NOMS)
    return f"{kind} {noun} {FICTIF}" if not tour else f"{kind} {noun} {tour + 1} {FICTIF}"
