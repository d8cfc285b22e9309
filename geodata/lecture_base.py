"""Reads a network back from the database into arrays, by binary COPY."""

from __future__ import annotations

import numpy as np
from django.conf import settings
from django.db import connection, transaction

from geodata.copie import ENTETE, decode_fixed
from geodata.models import ImportReseau, Noeud, RestrictionVirage, Troncon
from geodata.reseau import TableauxReseau

_FIXES: tuple[tuple[str, str], ...] = (
    ("noeud_source", ">i4"),
    ("noeud_cible", ">i4"),
    ("longueur_m", ">f8"),
    ("sens_unique", "u1"),
    ("classe", ">i2"),
    ("bretelle", "u1"),
    ("gestion", ">i2"),
    ("vmax_aller", ">f8"),
    ("vmax_retour", ">f8"),
    ("vmax_ecrite", "u1"),
    ("acces", ">i2"),
    ("voies", ">i2"),
    ("pont", "u1"),
    ("tunnel", "u1"),
    ("voie_id", ">i8"),
    ("rang_voie", ">i4"),
    ("mitoyenne", "u1"),
)
_NULLABLES = ("tonnage_max_t", "hauteur_max_m", "largeur_m")
_TEXTES = ("ref", "nom", "revetement", "departement", "departement_gauche", "departement_droite")


class ImportAbsent(LookupError):
    """The import does not exist, or its rows have been dropped since (a newer one replaced it)."""


def load(import_id: int) -> TableauxReseau:
    """The network of one import, in ``settings.SRID``; equal to what `geodata.ecriture.write` was given.

    Raises `ImportAbsent`. The order of ``textes`` may differ from the one written.
    """
    # One transaction: it keeps the partitions from being dropped between two reads.
    with transaction.atomic():
        return _load(import_id)


def _load(import_id: int) -> TableauxReseau:
    importation = ImportReseau.objects.filter(pk=import_id).first()
    if importation is None:
        raise ImportAbsent(f"Import de réseau {import_id} : inconnu.")
    noeuds = decode_fixed(
        _copy(f"SELECT source_id, passage, ST_X(geom), ST_Y(geom) FROM {_rows(Noeud, import_id)}"),
        [("source_id", ">i8"), ("passage", "u1"), ("x", ">f8"), ("y", ">f8")],
    )
    if not len(noeuds):
        raise ImportAbsent(f"Import de réseau {import_id} : ses tronçons ne sont plus dans la base.")
    colonnes = [nom for nom, _ in _FIXES]
    colonnes += [f"COALESCE({nom}, 'NaN')" for nom in _NULLABLES]
    t = decode_fixed(
        _copy(f"SELECT {', '.join(colonnes)}, ST_NPoints(geom) FROM {_rows(Troncon, import_id)}"),
        [*_FIXES, *((nom, ">f8") for nom in _NULLABLES), ("n_sommets", ">i4")],
    )
    debut = np.zeros(len(t) + 1, dtype=np.int64)
    np.cumsum(t["n_sommets"], out=debut[1:])
    x, y = _vertices(import_id, debut)
    decoupage = tuple(importation.decoupage)
    textes, codes = _texts(import_id, decoupage)
    restrictions = RestrictionVirage.objects.filter(import_reseau=import_id).order_by("pk")
    return TableauxReseau(
        srid=settings.SRID,
        noeud_id=noeuds["source_id"].astype(np.int64),
        noeud_x=noeuds["x"].astype(np.float64),
        noeud_y=noeuds["y"].astype(np.float64),
        noeud_passage=noeuds["passage"].astype(bool),
        source=t["noeud_source"].astype(np.int32),
        cible=t["noeud_cible"].astype(np.int32),
        longueur_m=t["longueur_m"].astype(np.float32),
        sens_unique=t["sens_unique"].astype(bool),
        classe=t["classe"].astype(np.int8),
        bretelle=t["bretelle"].astype(bool),
        gestion=t["gestion"].astype(np.int8),
        vmax_aller=t["vmax_aller"].astype(np.float32),
        vmax_retour=t["vmax_retour"].astype(np.float32),
        vmax_ecrite=t["vmax_ecrite"].astype(bool),
        acces=t["acces"].astype(np.uint8),
        tonnage_max_t=t["tonnage_max_t"].astype(np.float32),
        hauteur_max_m=t["hauteur_max_m"].astype(np.float32),
        largeur_m=t["largeur_m"].astype(np.float32),
        voies=t["voies"].astype(np.int8),
        pont=t["pont"].astype(bool),
        tunnel=t["tunnel"].astype(bool),
        ref=codes[0],
        nom=codes[1],
        revetement=codes[2],
        voie_id=t["voie_id"].astype(np.int64),
        rang=t["rang_voie"].astype(np.int32),
        departement=codes[3].astype(np.int16),
        departement_gauche=codes[4].astype(np.int16),
        departement_droite=codes[5].astype(np.int16),
        mitoyenne=t["mitoyenne"].astype(bool),
        geom_debut=debut,
        geom_x=x,
        geom_y=y,
        textes=textes,
        decoupage=decoupage,
        lus=dict(importation.lus),
        omis=dict(importation.omis),
        restrictions=np.array(
            list(restrictions.values_list("voie_depuis", "noeud", "voie_vers", "genre")), dtype=np.int64
        ).reshape(-1, 4),
    )


def _rows(modele: type[Noeud] | type[Troncon], import_id: int) -> str:
    return f"{modele._meta.db_table} WHERE import_reseau_id = {int(import_id)} ORDER BY rang"


def _copy(requete: str, binaire: bool = True) -> bytes:
    ordre = f"COPY ({requete}) TO STDOUT" + (" (FORMAT BINARY)" if binaire else "")
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(ordre) as copie:
        return b"".join(copie)


def _vertices(import_id: int, debut: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices of the lines: 19 bytes stand before those of each line (2 + 4 of the row, 13 of EWKB)."""
    octets = np.frombuffer(_copy(f"SELECT geom FROM {_rows(Troncon, import_id)}"), dtype=np.uint8)
    n = np.diff(debut)
    place = len(ENTETE) + np.repeat(19 * (1 + np.arange(len(n))), n) + 16 * np.arange(int(debut[-1]))
    fenetres = np.ndarray((len(octets) - 15,), dtype="V16", buffer=octets.data, strides=(1,))
    sommets = fenetres[place].view("<f8").reshape(-1, 2)
    return np.ascontiguousarray(sommets[:, 0]), np.ascontiguousarray(sommets[:, 1])


def _texts(import_id: int, decoupage: tuple[str, ...]) -> tuple[tuple[str, ...], list[np.ndarray]]:
    """Texts and their positions; the last three columns are positions in ``decoupage`` (-1 outside)."""
    vus: dict[bytes, int] = {}
    ordre = f"COPY (SELECT {', '.join(_TEXTES)} FROM {_rows(Troncon, import_id)}) TO STDOUT"
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(ordre) as copie:
        lignes = np.fromiter((vus.setdefault(bytes(ligne), len(vus)) for ligne in copie), dtype=np.int32)
    textes: dict[str, int] = {"": 0}
    place = {"": -1, **{code: i for i, code in enumerate(decoupage)}}
    table = np.zeros((len(_TEXTES), max(len(vus), 1)), dtype=np.int32)
    for ligne, k in vus.items():
        champs = [_unescape(c) for c in ligne.decode().rstrip("\n").split("\t")]
        for i, champ in enumerate(champs):
            table[i, k] = textes.setdefault(champ, len(textes)) if i < 3 else place[champ]
    return tuple(textes), [table[i][lignes] for i in range(len(_TEXTES))]


_ECHAPPEMENTS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _unescape(champ: str) -> str:
    """One field of COPY's text format as it was written."""
    if "\\" not in champ:
        return champ
    morceaux = champ.split("\\")
    sortie, i = [morceaux[0]], 1
    while i < len(morceaux):
        m = morceaux[i]
        if m == "":  # an escaped backslash: the next piece follows it as it is
            sortie.append("\\" + (morceaux[i + 1] if i + 1 < len(morceaux) else ""))
            i += 2
        else:
            sortie.append(_ECHAPPEMENTS.get(m[0], m[0]) + m[1:])
            i += 1
    return "".join(sortie)
