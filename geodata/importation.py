"""Imports a network: read, cut, write, switch, with a row that tells what happened whatever happens."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from django.db import DatabaseError, connection, transaction
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata import generalisation, lecture_osm, lecture_routes
from geodata.decoupe import Aire, cut, points_passage, project
from geodata.ecriture import drop_old_partitions, write
from geodata.erreurs import ImportImpossible
from geodata.models import ImportReseau, Noeud, Reseau, Troncon
from geodata.reseau import ReseauInvalide, TableauxReseau

#: Part of every digest: raise it when a reader or the cut changes what it makes of the same file.
VERSION_LECTURE = 3

ATTRIBUTION_OSM = "© les contributeurs d'OpenStreetMap"
LICENCE_OSM = "ODbL 1.0"

#: Called with (step in French, amount done since the last call, total or None when unknown).
Progres = Callable[[str, int, int | None], None]
#: Gives the areas that cut a network from its bounds (xmin, ymin, xmax, ymax) in EPSG:2154.
Decoupeur = Callable[[tuple[float, float, float, float]], Sequence[Aire]]

ETAPE_LECTURE = "Lecture"
ETAPE_DECOUPE = "Découpage"
ETAPE_ECRITURE = "Écriture"
ETAPE_CARTE = "Dessins pour la carte"


def _silent(etape: str, fait: int, total: int | None) -> None:
    """Progress nobody looks at."""


@dataclass(frozen=True)
class Source:
    """Where a network comes from.

    ``lire`` makes the arrays (its argument is called with the amount read) and ``edition`` tells the date of the data;
    both may raise `ImportImpossible`. ``fichiers`` and ``parametres`` decide whether two sources are the same.
    ``unite``: the count of ``lus`` and prefix of ``omis`` that add up to what the file holds ("" = no such count).
    """

    format: str
    libelle: str
    lire: Callable[[Callable[[int], None]], TableauxReseau]
    fichiers: tuple[Path, ...] = ()
    parametres: dict[str, Any] = field(default_factory=dict)
    edition: Callable[[], str] = lambda: ""
    unite: str = ""
    prefixe_omis: str = ""


def osm_source(fichiers: Sequence[Path]) -> Source:
    """OpenStreetMap files read as one network."""
    return Source(
        format="osm",
        libelle=", ".join(f.name for f in fichiers),
        lire=lambda avance: lecture_osm.read_osm(fichiers, avance),
        fichiers=tuple(fichiers),
        edition=lambda: lecture_osm.data_date(fichiers),
        unite=lecture_osm.VOIES_LUES,
        prefixe_omis="voies",
    )


def lines_source(
    fichier: Path, couche: str | None = None, colonnes: dict[str, str] | None = None, srid: int | None = None
) -> Source:
    """A layer of road lines."""
    return Source(
        format="routes",
        libelle=fichier.name,
        lire=lambda _avance: lecture_routes.read_lines(fichier, couche, colonnes, srid),
        fichiers=(fichier,),
        parametres={"couche": couche, "colonnes": colonnes or {}, "srid": srid},
        unite=lecture_routes.LIGNES,
        prefixe_omis=lecture_routes.LIGNES,
    )


def import_network(
    code: str,
    source: Source,
    decouper: Decoupeur | Sequence[Aire] = (),
    *,
    nom: str = "",
    attribution: str = "",
    licence: str = "",
    fictif: bool = False,
    progres: Progres = _silent,
) -> ImportReseau:
    """Make ``source`` the content of network ``code``; returns the import's row (``reussi`` or ``inchange``).

    The same files, settings and areas as the current import change nothing. A failure is written in its row, leaves
    the network that was there untouched and is raised: `ImportImpossible` with a French message, or whatever else
    went wrong. One import of a network at a time (`ImportImpossible` for a second one).
    """
    reseau, _ = Reseau.objects.get_or_create(
        code=code,
        defaults={"nom": nom or code, "attribution": attribution, "licence": licence, "fictif": fictif},
    )
    with _alone(reseau):
        debut = time.monotonic()
        importation: ImportReseau = ImportReseau.objects.create(
            reseau=reseau, format=source.format, fichier=source.libelle[:500], parametres=source.parametres
        )
        try:
            _run(importation, source, decouper, progres)
        except BaseException as erreur:
            importation.etat = ImportReseau.Etat.ECHOUE
            importation.erreur = _told(erreur)
            importation.duree_s = time.monotonic() - debut
            # Without a database any more the next import says it: what matters is what went wrong first.
            with suppress(DatabaseError):
                importation.save()
            raise
        importation.duree_s = time.monotonic() - debut
        importation.save()
        if importation.etat == ImportReseau.Etat.REUSSI:
            changes = {"nom": nom, "attribution": attribution, "licence": licence}
            Reseau.objects.filter(pk=reseau.pk).update(fictif=fictif, **{k: v for k, v in changes.items() if v})
            drop_old_partitions()
            # Or the first reader of the map would wait for it.
            progres(ETAPE_CARTE, 0, 1)
            generalisation.prepare(importation.pk)
            progres(ETAPE_CARTE, 1, 1)
    return importation


def _told(erreur: BaseException) -> str:
    if isinstance(erreur, ImportImpossible):
        return str(erreur)
    if isinstance(erreur, KeyboardInterrupt):
        return "Import interrompu à la demande."
    return f"Erreur inattendue : {type(erreur).__name__} : {erreur}"


def _run(importation: ImportReseau, source: Source, decouper: Decoupeur | Sequence[Aire], progres: Progres) -> None:
    """Fill ``importation``; what is in the database changes in the last step only."""
    for fichier in source.fichiers:
        if not fichier.exists():
            raise ImportImpossible(f"{fichier} : fichier introuvable.")
    # Written at once: an import that fails or is killed tells which bytes it was given.
    importation.empreinte = digest(source, ())
    importation.save(update_fields=["empreinte"])
    lu = project(source.lire(lambda n: progres(ETAPE_LECTURE, n, None)))
    importation.edition = source.edition()[:60]
    if not lu.n_troncons:
        raise ImportImpossible(f"{source.libelle} : aucune route carrossable.")
    progres(ETAPE_DECOUPE, 0, 1)
    bornes = (float(lu.geom_x.min()), float(lu.geom_y.min()), float(lu.geom_x.max()), float(lu.geom_y.max()))
    aires = list(decouper(bornes) if callable(decouper) else decouper)
    importation.decoupage = [code for code, _ in aires]
    importation.empreinte = digest(source, aires)
    importation.lus, importation.omis = dict(lu.lus), dict(lu.omis)
    courant = Reseau.objects.select_related("import_courant").get(pk=importation.reseau_id).import_courant
    if courant is not None and courant.empreinte == importation.empreinte:
        importation.etat = ImportReseau.Etat.INCHANGE
        importation.attendus, importation.lus, importation.omis = courant.attendus, courant.lus, courant.omis
        return
    coupe = cut(lu, aires)
    if aires and not np.any(coupe.departement >= 0):
        raise ImportImpossible(
            f"{source.libelle} : aucune route dans {', '.join(importation.decoupage)}"
            f" (elles vont de {bornes[0]:.0f}, {bornes[1]:.0f} à {bornes[2]:.0f}, {bornes[3]:.0f} en Lambert 93)."
            " Vérifiez le fichier, sa projection et le découpage."
        )
    progres(ETAPE_DECOUPE, 1, 1)
    importation.lus.update(_cut_counts(lu, coupe))
    importation.attendus = _expected(source, lu, coupe)
    total = coupe.n_noeuds + coupe.n_troncons
    with transaction.atomic():
        try:
            write(importation, coupe, lambda n: progres(ETAPE_ECRITURE, n, total))
        except ReseauInvalide as erreur:
            raise ImportImpossible(f"{source.libelle} : réseau incohérent ({erreur}).") from erreur
        importation.lus.update(_written(importation))
        importation.etat = ImportReseau.Etat.REUSSI
        _check_counts(importation)
        importation.save()


def digest(source: Source, aires: Sequence[Aire]) -> str:
    """SHA-256 (hex) of the files' bytes, the settings and the polygons that cut; not of names and dates of files."""
    somme = hashlib.sha256(f"{VERSION_LECTURE} {source.format}".encode())
    somme.update(json.dumps(source.parametres, sort_keys=True, ensure_ascii=False).encode())
    for code, polygone in aires:
        somme.update(code.encode() + polygone.wkb)
    for fichier in source.fichiers:
        # A Shapefile is several files of one name; a folder (File GDB) is all it holds.
        for morceau in _pieces(fichier):
            with morceau.open("rb") as flux:
                somme.update(hashlib.file_digest(flux, "sha256").digest())
    return somme.hexdigest()


def _pieces(fichier: Path) -> list[Path]:
    if fichier.is_dir():
        return sorted(f for f in fichier.rglob("*") if f.is_file())
    if fichier.suffix.lower() == ".shp":
        return sorted(f for f in fichier.parent.glob(f"{fichier.stem}.*") if f.is_file())
    return [fichier]


def _cut_counts(lu: TableauxReseau, coupe: TableauxReseau) -> dict[str, int]:
    comptes = {"tronçons coupés du reste du réseau": _apart(coupe)}
    if not coupe.decoupage:
        return comptes
    return comptes | {
        "tronçons ajoutés par le découpage": coupe.n_troncons - lu.n_troncons,
        "tronçons mitoyens": int(np.count_nonzero(coupe.mitoyenne)),
        "tronçons hors du découpage": int(np.count_nonzero(coupe.departement < 0)),
        "points de passage": len(points_passage(coupe)),
    }


def _apart(reseau: TableauxReseau) -> int:
    """Edges outside the largest connected part (one-ways taken both ways): islands, or roads that do not quite meet."""
    n = reseau.n_noeuds
    liens = coo_array((np.ones(reseau.n_troncons, dtype=bool), (reseau.source, reseau.cible)), shape=(n, n))
    _, partie = connected_components(liens, directed=False)
    effectifs = np.bincount(partie[reseau.source])
    return int(reseau.n_troncons - effectifs.max())


def _expected(source: Source, lu: TableauxReseau, coupe: TableauxReseau) -> dict[str, int]:
    """What must be found in the end: rows of the file, then nodes and edges made of them."""
    attendus = {"nœuds": coupe.n_noeuds, "tronçons": coupe.n_troncons}
    if source.unite:
        ecartes = sum(n for raison, n in lu.omis.items() if raison.startswith(source.prefixe_omis))
        attendus[source.unite] = lu.lus.get(source.unite, 0) + ecartes
    return attendus


def _written(importation: ImportReseau) -> dict[str, int]:
    return {
        "nœuds": Noeud.objects.filter(import_reseau=importation).count(),
        "tronçons": Troncon.objects.filter(import_reseau=importation).count(),
    }


def _check_counts(importation: ImportReseau) -> None:
    for quoi in ("nœuds", "tronçons"):
        if importation.lus[quoi] != importation.attendus[quoi]:
            attendus, lus = importation.attendus[quoi], importation.lus[quoi]
            raise ImportImpossible(f"{importation.fichier} : {lus} {quoi} écrits au lieu de {attendus}.")


@contextmanager
def _alone(reseau: Reseau) -> Iterator[None]:
    """Hold the network's lock; imports found half-way under it were cut short (machine stopped, process killed)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('geodata_importreseau'), %s)", [reseau.pk])
        if not cursor.fetchone()[0]:
            raise ImportImpossible(f"Un autre import du réseau « {reseau.code} » est en cours.")
    try:
        ImportReseau.objects.filter(reseau=reseau, etat=ImportReseau.Etat.EN_COURS).update(
            etat=ImportReseau.Etat.ECHOUE, erreur="Import interrompu avant la fin."
        )
        yield
    finally:
        # A lost connection has released the lock already.
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('geodata_importreseau'), %s)", [reseau.pk])
