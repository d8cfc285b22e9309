"""Reads OpenStreetMap files into a road network: one pass in C++, then whole arrays.

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
from tempfile import TemporaryDirectory
from typing import cast

import numpy as np
import osmium

from geodata import opl
from geodata.classes import gestion_of
from geodata.erreurs import ImportImpossible
from geodata.etiquettes_osm import CLES, Attributs, interpret_cached
from geodata.reseau import I32, I64, TableauxReseau
from geodata.textes import Textes
from geodata.topologie import Voies, split_at_crossings

#: Called with the number of ways read since the last call.
Avance = Callable[[int], None]

_PAS = 1000
_VOIES_PAR_BLOC = 20_000

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
    """What the pass collects. Ways are end to end in ``refs``, ``x``, ``y`` (an array for some thousands of ways)."""

    taille: list[I32] = field(default_factory=list)
    refs: list[I64] = field(default_factory=list)
    x: list[I32] = field(default_factory=list)
    y: list[I32] = field(default_factory=list)
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


def _read_file(path: Path, lecture: _Lecture, textes: Textes, avance: Avance | None) -> None:
    if not path.is_file():
        raise ImportImpossible(f"{path} : fichier introuvable.")
    if path.stat().st_size == 0:
        raise ImportImpossible(f"{path.name} : fichier vide.")
    if avance is not None:
        avance(0)  # the bar shows while libosmium works
    with TemporaryDirectory() as dossier:
        lignes = Path(dossier) / "voies.opl"
        try:
            opl.export(path, lignes)
        except opl.FichierHistorique as erreur:
            raise ImportImpossible(
                f"{path.name} : fichier d'historique ; il faut un extrait à une seule version."
            ) from erreur
        except (RuntimeError, ValueError) as erreur:
            raise ImportImpossible(f"{path.name} : fichier OpenStreetMap illisible ou abîmé ({erreur}).") from erreur
        _read_lines(lignes, lecture, textes, avance)


#: (position of the attributes or -1 for an area, of the number, of the name) told by a way's tags.
_Sens = tuple[int, int, int]


def _read_lines(lignes: Path, lecture: _Lecture, textes: Textes, avance: Avance | None) -> None:
    """Ways and restrictions of an OPL file. Many ways have the very same tags: each set is read once."""
    vus: dict[bytes, _Sens] = {}
    corps: list[bytes] = []
    n = 0
    for ligne in opl.read(lignes):
        if ligne.genre == "r":
            _restriction(ligne, lecture)
            continue
        n += 1
        if n % _PAS == 0 and avance is not None:
            avance(_PAS)
        lu = vus.get(ligne.tags)
        if lu is None:
            lu = vus[ligne.tags] = _understand(ligne.tags, lecture, textes)
        attributs, ref, nom = lu
        if attributs < 0:
            lecture.omis[OMIS_SURFACE] += 1
            continue
        corps.append(ligne.corps)
        lecture.voie_id.append(ligne.ident)
        lecture.version.append(ligne.version)
        lecture.attributs.append(attributs)
        lecture.ref.append(ref)
        lecture.nom.append(nom)
        if len(corps) == _VOIES_PAR_BLOC:
            _nodes(corps, lecture)
    _nodes(corps, lecture)
    lecture.lus[VOIES_LUES] += n
    if avance is not None:
        avance(n % _PAS)


def _nodes(corps: list[bytes], lecture: _Lecture) -> None:
    """Read the nodes of the ways at hand, and empty the list."""
    taille, refs, x, y = opl.nodes_of(corps)
    for liste, valeurs in ((lecture.taille, taille), (lecture.refs, refs), (lecture.x, x), (lecture.y, y)):
        liste.append(valeurs)  # type: ignore[arg-type]
    corps.clear()


def _understand(brut: bytes, lecture: _Lecture, textes: Textes) -> _Sens:
    tags = opl.tags_of(brut)
    attributs = interpret_cached(tuple((cle, valeur) for cle, valeur in tags.items() if cle in CLES))
    if attributs is None:
        raise ImportImpossible(f"highway={tags.get('highway')} inattendu.")  # the filter lets drivable ways only
    if attributs.surface:
        return -1, 0, 0
    place = lecture.table.setdefault(attributs, len(lecture.table))
    return place, textes.code(tags.get("ref", "")), textes.code(tags.get("name", ""))


def _restriction(ligne: opl.Ligne, lecture: _Lecture) -> None:
    lecture.lus["restrictions de virage"] += 1
    tags = opl.tags_of(ligne.tags)
    genre = next((v for k, v in tags.items() if k == "restriction" or k.startswith("restriction:")), "")
    if not genre.startswith(("no_", "only_")):
        lecture.omis[OMIS_RESTRICTION_GENRE] += 1
        return
    membres: dict[tuple[str, str], list[int]] = {}
    for sorte, numero, role in opl.members_of(ligne.corps):
        membres.setdefault((role, sorte), []).append(numero)
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
    taille, refs = np.concatenate(lecture.taille), np.concatenate(lecture.refs)
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
    lx, ly = np.concatenate(lecture.x), np.concatenate(lecture.y)
    x = np.full(len(noeuds), opl.INDEFINI, dtype=np.int32)
    y = x.copy()
    connus = lx != opl.INDEFINI
    # Reversed: the first file wins where two place a node differently.
    x[rang[connus][::-1]], y[rang[connus][::-1]] = lx[connus][::-1], ly[connus][::-1]
    manquants = np.flatnonzero(x == opl.INDEFINI)
    if len(manquants):
        place = {int(noeuds[i]): int(i) for i in manquants}
        for path in paths:
            filtre = osmium.filter.IdFilter(place)
            for objet in osmium.FileProcessor(str(path), osmium.osm.NODE).with_filter(filtre):
                position, i = cast(osmium.osm.Node, objet).location, place[objet.id]
                if x[i] == opl.INDEFINI and position.valid():
                    x[i], y[i] = position.x, position.y
    absent = x == opl.INDEFINI
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
    effectifs = np.bincount(np.frombuffer(lecture.attributs, dtype=np.int32)[voies.garde], minlength=len(table))
    for lu, effectif in zip(table, effectifs.tolist(), strict=True):
        lus.update(dict.fromkeys(lu.notes, effectif))

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
