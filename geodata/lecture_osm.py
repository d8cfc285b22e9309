"""Reads OpenStreetMap files into a road network: one pass, node locations kept in C++, cut at crossings in numpy.

Pure module: no Django, no database.

The graph is the one OSMnx makes before simplification for drivable ways, contracted to crossings: an edge runs
between two nodes that are ends of ways or used by two passages of drivable ways or more; service roads are kept.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import osmium

from geodata.classes import CLASSE_PAR_HIGHWAY, gestion_of
from geodata.erreurs import ImportImpossible
from geodata.etiquettes_osm import CLES, Attributs, interpret_cached
from geodata.reseau import I64, TableauxReseau
from geodata.textes import Textes
from geodata.topologie import Voies, split_at_crossings

#: Called with the number of ways read since the last call.
Avance = Callable[[int], None]

_INDEFINI = 2**31 - 1  # coordinate of a location libosmium does not have
_PAS = 1000

VOIES_LUES = "voies carrossables"
OMIS_SURFACE = "voies : surface (area=yes), sans axe"
OMIS_DOUBLON = "voies : déjà lues dans un autre fichier"
OMIS_TRONQUEE = "voies : moins de deux nœuds présents dans le fichier"
OMIS_NOEUDS = "nœuds de voies absents du fichier (voie coupée à cet endroit)"
OMIS_REPETES = "nœuds répétés de suite dans une voie"
OMIS_RESTRICTION_VOIE = "restrictions de virage : par une voie, ou membres manquants"
OMIS_RESTRICTION_GENRE = "restrictions de virage : genre inconnu"


@dataclass
class _Lecture:
    """What the pass collects. Ways are end to end in ``refs``, ``x``, ``y``."""

    refs: array[int] = field(default_factory=lambda: array("q"))
    x: array[int] = field(default_factory=lambda: array("i"))
    y: array[int] = field(default_factory=lambda: array("i"))
    taille: array[int] = field(default_factory=lambda: array("i"))
    voie_id: array[int] = field(default_factory=lambda: array("q"))
    version: array[int] = field(default_factory=lambda: array("i"))
    attributs: array[int] = field(default_factory=lambda: array("i"))
    ref: array[int] = field(default_factory=lambda: array("i"))
    nom: array[int] = field(default_factory=lambda: array("i"))
    table: dict[Attributs, int] = field(default_factory=dict)
    restrictions: list[tuple[int, int, int, int]] = field(default_factory=list)
    lus: Counter[str] = field(default_factory=Counter)
    omis: Counter[str] = field(default_factory=Counter)


def read_osm(paths: Sequence[Path], avance: Avance | None = None) -> TableauxReseau:
    """Drivable network of one or several OpenStreetMap files, in EPSG:4326.

    ``.osm.pbf``, ``.osm``, ``.osm.gz``, ``.osm.bz2``. A way or node found in several files is taken once (the
    highest version of the way). ``lus`` and ``omis`` of the result tell what was read and left out; the number of
    drivable ways of the files is the sum of ``lus["voies carrossables"]`` and of the ``omis`` that start with "voies".

    Raises `ImportImpossible` (French message naming the file) where a file is absent, empty, corrupt or not
    OpenStreetMap, and where no file holds a drivable road.
    """
    lecture, textes = _Lecture(), Textes()
    for path in paths:
        _read_file(path, lecture, textes, avance)
    if not lecture.voie_id:
        noms = ", ".join(p.name for p in paths)
        raise ImportImpossible(f"{noms} : aucune route carrossable dans le fichier.")
    voies = _merge(lecture, paths)
    return _assemble(lecture, voies, textes)


def data_date(paths: Iterable[Path]) -> str:
    """Date of the data as the files' headers say it (ISO, the oldest of them), "" where none does."""
    dates = []
    for path in paths:
        with osmium.io.Reader(str(path), osmium.osm.osm_entity_bits.NOTHING) as lecteur:
            dates.append(lecteur.header().get("osmosis_replication_timestamp", ""))
    return min((d for d in dates if d), default="")


# --- the pass ---------------------------------------------------------------------------------------------


def _processor(path: Path) -> osmium.FileProcessor:
    voie, relation = osmium.osm.WAY, osmium.osm.RELATION
    carrossables = osmium.filter.TagFilter(*(("highway", h) for h in CLASSE_PAR_HIGHWAY))
    carrossables.enable_for(voie)
    restrictions = osmium.filter.TagFilter(("type", "restriction"))
    restrictions.enable_for(relation)
    return (
        osmium.FileProcessor(str(path), osmium.osm.NODE | voie | relation)
        .with_locations("flex_mem")
        .with_filter(osmium.filter.EntityFilter(voie | relation))
        .with_filter(carrossables)
        .with_filter(restrictions)
    )


def _read_file(path: Path, lecture: _Lecture, textes: Textes, avance: Avance | None) -> None:
    if not path.is_file():
        raise ImportImpossible(f"{path} : fichier introuvable.")
    if path.stat().st_size == 0:
        raise ImportImpossible(f"{path.name} : fichier vide.")
    try:
        processeur = _processor(path)
        if processeur.header.has_multiple_object_versions:
            raise ImportImpossible(f"{path.name} : fichier d'historique ; il faut un extrait à une seule version.")
        n = 0
        for objet in processeur:
            if isinstance(objet, osmium.osm.Way):
                _way(objet, lecture, textes)
                n += 1
                if avance is not None and n % _PAS == 0:
                    avance(_PAS)
            elif isinstance(objet, osmium.osm.Relation):
                _restriction(objet, lecture)
        if avance is not None:
            avance(n % _PAS)
    except (RuntimeError, ValueError, UnicodeDecodeError) as erreur:
        raise ImportImpossible(f"{path.name} : fichier OpenStreetMap illisible ou abîmé ({erreur}).") from erreur


def _way(voie: osmium.osm.Way, lecture: _Lecture, textes: Textes) -> None:
    ref = nom = ""
    utiles = []
    for tag in voie.tags:
        cle = tag.k
        if cle in CLES:
            utiles.append((cle, tag.v))
        elif cle == "name":
            nom = tag.v
        elif cle == "ref":
            ref = tag.v
    attributs = interpret_cached(tuple(utiles))
    if attributs is None:  # the filter let it through: cannot be
        raise ImportImpossible(f"voie {voie.id} : highway inattendu.")
    lecture.lus[VOIES_LUES] += 1
    for note in attributs.notes:
        lecture.lus[note] += 1
    if attributs.surface:
        lecture.omis[OMIS_SURFACE] += 1
        return
    refs, x, y = lecture.refs, lecture.x, lecture.y
    avant = len(refs)
    for noeud in voie.nodes:
        position = noeud.location
        refs.append(noeud.ref)
        x.append(position.x)
        y.append(position.y)
    lecture.taille.append(len(refs) - avant)
    lecture.voie_id.append(voie.id)
    lecture.version.append(voie.version)
    lecture.attributs.append(lecture.table.setdefault(attributs, len(lecture.table)))
    lecture.ref.append(textes.code(ref))
    lecture.nom.append(textes.code(nom))


def _restriction(relation: osmium.osm.Relation, lecture: _Lecture) -> None:
    lecture.lus["restrictions de virage"] += 1
    tags = dict(relation.tags)
    genre = next((v for k, v in tags.items() if k == "restriction" or k.startswith("restriction:")), "")
    if not genre.startswith(("no_", "only_")):
        lecture.omis[OMIS_RESTRICTION_GENRE] += 1
        return
    membres: dict[tuple[str, str], list[int]] = {}
    for membre in relation.members:
        membres.setdefault((membre.role, membre.type), []).append(membre.ref)
    depuis, par, vers = membres.get(("from", "w")), membres.get(("via", "n")), membres.get(("to", "w"))
    if not depuis or not par or not vers or len(par) != 1:
        lecture.omis[OMIS_RESTRICTION_VOIE] += 1
        return
    # no_entry may have several "from", no_exit several "to".
    code = 1 if genre.startswith("only_") else 0
    lecture.restrictions.extend((de, par[0], a, code) for de in depuis for a in vers)


# --- after the pass ---------------------------------------------------------------------------------------


def _merge(lecture: _Lecture, paths: Sequence[Path]) -> Voies:
    """Ways of all files, each once, with one location for each node and the missing ones searched for."""
    taille = np.frombuffer(lecture.taille, dtype=np.int32)
    refs = np.frombuffer(lecture.refs, dtype=np.int64)
    voie_id = np.frombuffer(lecture.voie_id, dtype=np.int64)
    if refs.min(initial=0) < 0:
        raise ImportImpossible(
            f"{', '.join(p.name for p in paths)} : identifiants négatifs (fichier d'un éditeur, jamais versé dans OSM)."
        )
    noeuds, rang = np.unique(refs, return_inverse=True)
    x, y = _locations(lecture, noeuds, rang, paths)
    garde = np.ones(len(voie_id), dtype=bool)
    if len(paths) > 1:
        # Sorted by way then by falling version: the first of each way stays.
        ordre = np.lexsort((-np.frombuffer(lecture.version, dtype=np.int32), voie_id))
        garde[ordre[1:][voie_id[ordre[1:]] == voie_id[ordre[:-1]]]] = False
        doublons = int(np.count_nonzero(~garde))
        if doublons:
            lecture.omis[OMIS_DOUBLON] += doublons
    sens = np.array([a.sens for a in lecture.table], dtype=np.int8)[np.frombuffer(lecture.attributs, dtype=np.int32)]
    return Voies(noeud_id=noeuds, x=x, y=y, taille=taille, noeud=rang.astype(np.int32), garde=garde, inverse=sens < 0)


def _locations(lecture: _Lecture, noeuds: I64, rang: I64, paths: Sequence[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude (degrees) of each node, NaN where no file has it.

    A node absent from one file may be in another; and files that list ways before nodes (as Overpass writes
    them) need a second look at the nodes, at those that miss only.
    """
    lx, ly = np.frombuffer(lecture.x, dtype=np.int32), np.frombuffer(lecture.y, dtype=np.int32)
    x = np.full(len(noeuds), _INDEFINI, dtype=np.int32)
    y = x.copy()
    connus = lx != _INDEFINI
    # Reversed: the first file wins where two place a node differently.
    x[rang[connus][::-1]], y[rang[connus][::-1]] = lx[connus][::-1], ly[connus][::-1]
    manquants = np.flatnonzero(x == _INDEFINI)
    if len(manquants):
        place = {int(noeuds[i]): int(i) for i in manquants}
        for path in paths:
            filtre = osmium.filter.IdFilter(place)
            for objet in osmium.FileProcessor(str(path), osmium.osm.NODE).with_filter(filtre):
                position, i = cast(osmium.osm.Node, objet).location, place[objet.id]
                if x[i] == _INDEFINI and position.valid():
                    x[i], y[i] = position.x, position.y
    absent = x == _INDEFINI
    return np.where(absent, np.nan, x / 1e7), np.where(absent, np.nan, y / 1e7)


def _assemble(lecture: _Lecture, voies: Voies, textes: Textes) -> TableauxReseau:
    coupe = split_at_crossings(voies)
    omis, lus = lecture.omis, lecture.lus
    for raison, nombre in (
        (OMIS_TRONQUEE, coupe.voies_vides),
        (OMIS_NOEUDS, coupe.noeuds_absents),
        (OMIS_REPETES, coupe.noeuds_repetes),
    ):
        if nombre:
            omis[raison] += nombre
    lus[VOIES_LUES] -= sum(omis[r] for r in (OMIS_SURFACE, OMIS_DOUBLON, OMIS_TRONQUEE))
    if not len(coupe.source):
        raise ImportImpossible("Aucune route carrossable utilisable : les nœuds des voies manquent dans le fichier.")
    attributs = np.frombuffer(lecture.attributs, dtype=np.int32)[coupe.voie]
    table = list(lecture.table)

    def par_voie(valeurs: Iterable[object], dtype: type) -> np.ndarray:
        return np.array(list(valeurs), dtype=dtype)[attributs]

    # A way drawn against its direction of travel has been turned round: so are its speeds.
    aller = par_voie((a.vmax_retour if a.sens < 0 else a.vmax_aller for a in table), np.float32)
    retour = par_voie((a.vmax_aller if a.sens < 0 else a.vmax_retour for a in table), np.float32)
    ref = np.frombuffer(lecture.ref, dtype=np.int32)[coupe.voie]
    revetements = np.array([textes.code(a.revetement) for a in table], dtype=np.int32)
    gestions = np.array([gestion_of(t) for t in textes.table], dtype=np.int8)
    m = len(coupe.source)
    hors = np.full(m, -1, dtype=np.int16)
    voie_id: I64 = np.frombuffer(lecture.voie_id, dtype=np.int64)
    restrictions = _known_restrictions(lecture, voie_id[voies.garde], coupe.noeud_id)
    lus.update(coupe.counts())
    return TableauxReseau(
        srid=4326,
        noeud_id=coupe.noeud_id,
        noeud_x=coupe.noeud_x,
        noeud_y=coupe.noeud_y,
        noeud_passage=np.zeros(len(coupe.noeud_id), dtype=bool),
        source=coupe.source,
        cible=coupe.cible,
        longueur_m=coupe.longueur_m,
        sens_unique=par_voie((a.sens != 0 for a in table), np.bool_),
        classe=par_voie((a.classe for a in table), np.int8),
        bretelle=par_voie((a.bretelle for a in table), np.bool_),
        gestion=gestions[ref],
        vmax_aller=aller,
        vmax_retour=retour,
        vmax_ecrite=par_voie((a.vmax_ecrite for a in table), np.bool_),
        acces=par_voie((a.acces for a in table), np.uint8),
        tonnage_max_t=par_voie((a.tonnage_max_t for a in table), np.float32),
        hauteur_max_m=par_voie((a.hauteur_max_m for a in table), np.float32),
        largeur_m=par_voie((a.largeur_m for a in table), np.float32),
        voies=par_voie((a.voies for a in table), np.int8),
        pont=par_voie((a.pont for a in table), np.bool_),
        tunnel=par_voie((a.tunnel for a in table), np.bool_),
        ref=ref,
        nom=np.frombuffer(lecture.nom, dtype=np.int32)[coupe.voie],
        revetement=revetements[attributs],
        voie_id=voie_id[coupe.voie],
        rang=coupe.rang,
        departement=hors,
        departement_gauche=hors.copy(),
        departement_droite=hors.copy(),
        mitoyenne=np.zeros(m, dtype=bool),
        geom_debut=coupe.geom_debut,
        geom_x=coupe.geom_x,
        geom_y=coupe.geom_y,
        textes=tuple(textes.table),
        lus=dict(lus),
        omis=dict(omis),
        restrictions=restrictions,
    )


def _known_restrictions(lecture: _Lecture, voies: I64, noeuds: I64) -> I64:
    """Restrictions whose ways and node are in the network, each once; the others are counted."""
    tout = np.array(lecture.restrictions, dtype=np.int64).reshape(-1, 4)
    tout = np.unique(tout, axis=0)
    connues = np.isin(tout[:, 0], voies) & np.isin(tout[:, 2], voies) & np.isin(tout[:, 1], noeuds)
    inconnues = int(np.count_nonzero(~connues))
    if inconnues:
        lecture.omis[OMIS_RESTRICTION_VOIE] += inconnues
    return tout[connues]
