"""Imports of road networks against OSMnx (arrays) and Django (database).

``python -m benchmarks import [DIR]``: DIR holds OpenStreetMap extracts (``*.osm.pbf``; ../shared/data/osm by default);
the largest network of them is tiled for the database. Both readers run in a process of their own, so that
``peak_mb`` is the whole of what each needs, libraries included.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.mesure import peak_mb, say, speed
from geodata.reseau import COLONNES_NOEUD, COLONNES_TRONCON, TableauxReseau

RACINE = Path(__file__).resolve().parent.parent
DEFAUT = RACINE.parent / "shared" / "data" / "osm"
_MOTEURS_OSMNX = (("osmnx graph_from_xml + simplify_graph", "simplifie"), ("osmnx graph_from_xml seul", "brut"))
#: A département with its local roads.
TRONCONS_BASE = 486_000
#: Rows given to the slow way, and scaled up.
TRONCONS_DJANGO = 10_000
#: Lengths are summed in float32 by us and in float64 by OSMnx.
ECART_RELATIF = 1e-6


def run(args: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Cases: each extract to arrays against OSMnx, then `TRONCONS_BASE` edges into PostGIS with their indexes."""
    dossier: Path = args.dossier or DEFAUT
    extraits = sorted(dossier.rglob("*.osm.pbf"), key=lambda f: f.stat().st_size, reverse=True)
    if not extraits:
        say(f"Aucun extrait .osm.pbf dans {dossier} : rien à mesurer.")
        return
    plus_grand, reseau = _largest(extraits)
    yield from _against_osmnx(plus_grand)
    yield from _into_database(reseau, plus_grand.name.split(".")[0])


def _largest(extraits: list[Path]) -> tuple[Path, TableauxReseau]:
    from geodata.lecture_osm import read_osm

    lus = [(f, read_osm([f])) for f in extraits]
    return max(lus, key=lambda couple: couple[1].n_troncons)


# --- arrays -----------------------------------------------------------------------------------------------


def _against_osmnx(extrait: Path) -> Iterator[dict[str, object]]:
    nom = extrait.name.split(".")[0]
    with tempfile.TemporaryDirectory() as dossier:
        xml = Path(dossier) / f"{nom}.osm"
        say(f"{nom} : conversion en XML pour OSMnx (non comptée)")
        _convert(extrait, xml)
        nous = _in_process("nous", extrait)
        for moteur, simplifie in _MOTEURS_OSMNX:
            say(f"{nom} : {moteur}")
            eux = _in_process(simplifie, xml)
            exact = abs(nous["longueur_m"] - eux["longueur_m"]) <= ECART_RELATIF * eux["longueur_m"]
            ligne = speed("import", f"{nom} -> tableaux", "lecture_osm", nous["seconds"], moteur, eux["seconds"], exact)
            yield ligne | {
                "peak_mb": nous["peak_mb"],
                "baseline_peak_mb": eux["peak_mb"],
                "memory_ratio": round(eux["peak_mb"] / nous["peak_mb"], 2),
                "troncons": nous["troncons"],
            }


def _convert(extrait: Path, xml: Path) -> None:
    """Drivable ways only, which favours OSMnx: it would read every line of the whole extract.

    One-ways that OpenStreetMap implies are written out, since OSMnx knows fewer of them: both then tell one length.
    """
    import osmium

    from geodata.classes import CLASSE_PAR_HIGHWAY

    utiles: set[int] = set()
    voies: dict[int, dict[str, str]] = {}
    for voie in osmium.FileProcessor(str(extrait), osmium.osm.WAY):
        assert isinstance(voie, osmium.osm.Way)
        tags = dict(voie.tags)
        if tags.get("highway") in CLASSE_PAR_HIGHWAY and tags.get("area") != "yes":
            utiles.update(n.ref for n in voie.nodes)
            if tags["highway"] == "motorway" or tags.get("junction") == "circular":
                tags.setdefault("oneway", "yes")
            elif tags.get("junction") == "roundabout" and tags.get("oneway") == "no":
                del tags["junction"]
            voies[voie.id] = tags
    with osmium.SimpleWriter(str(xml)) as sortie:
        for objet in osmium.FileProcessor(str(extrait), osmium.osm.NODE | osmium.osm.WAY):
            if isinstance(objet, osmium.osm.Node) and objet.id in utiles:
                sortie.add(objet)
            elif isinstance(objet, osmium.osm.Way) and objet.id in voies:
                sortie.add(objet.replace(tags=voies[objet.id]))


def _in_process(lecteur: str, fichier: Path) -> dict[str, Any]:
    """Figures of one reading in a fresh interpreter (of three for ours, the least: it lasts a second)."""
    commande = [sys.executable, "-m", "benchmarks.importation", lecteur, str(fichier)]
    sortie = subprocess.run(commande, cwd=RACINE, check=True, stdout=subprocess.PIPE, text=True).stdout
    figures: dict[str, Any] = json.loads(sortie.splitlines()[-1])
    return figures


def _read_alone(lecteur: str, fichier: Path) -> dict[str, object]:
    """Read once and tell: seconds (libraries already loaded), length of the streets, edges, peak memory."""
    if lecteur == "nous":
        from geodata.lecture_osm import read_osm

        debut = time.perf_counter()
        reseau = read_osm([fichier])
        secondes = time.perf_counter() - debut
        # Both directions of a two-way street are edges of OSMnx's graph.
        longueur = float((reseau.longueur_m * np.where(reseau.sens_unique, 1.0, 2.0)).sum())
        troncons = reseau.n_troncons
    else:
        import osmnx as ox

        debut = time.perf_counter()
        graphe = ox.graph.graph_from_xml(fichier, simplify=False, retain_all=True)
        if lecteur == "simplifie":
            # Our definition of an edge: pieces between crossings and ends of ways, isolated loops included.
            graphe = ox.simplification.simplify_graph(graphe, edge_attrs_differ=["osmid"], remove_rings=False)
        secondes = time.perf_counter() - debut
        longueur = sum(longueur for _, _, longueur in graphe.edges(data="length"))
        troncons = graphe.number_of_edges()
    return {"seconds": secondes, "longueur_m": longueur, "troncons": troncons, "peak_mb": _own_peak_mb()}


def _own_peak_mb() -> float:
    """Peak memory of this program alone: what getrusage tells a child counts its parent's memory before exec."""
    statut = Path("/proc/self/status")
    if not statut.exists():
        return peak_mb()
    ko = next(li for li in statut.read_text().splitlines() if li.startswith("VmHWM:")).split()[1]
    return round(int(ko) / 1024, 1)


# --- database ---------------------------------------------------------------------------------------------


def tile(reseau: TableauxReseau, troncons: int) -> TableauxReseau:
    """``troncons`` edges made of copies of a network laid side by side (no edge between two copies)."""
    k = -(-troncons // reseau.n_troncons)
    largeur = float(np.ptp(reseau.geom_x)) + 1000.0
    sommets, n = len(reseau.geom_x), reseau.n_noeuds
    pas_id = int(reseau.noeud_id.max()) + 1
    colonnes = {nom: np.tile(getattr(reseau, nom), k) for nom in (*COLONNES_NOEUD, *COLONNES_TRONCON)}
    for nom in ("source", "cible"):
        colonnes[nom] = (colonnes[nom] + np.repeat(np.arange(k) * n, reseau.n_troncons)).astype(np.int32)
    colonnes["noeud_id"] += np.repeat(np.arange(k) * pas_id, n)
    colonnes["noeud_x"] += np.repeat(np.arange(k) * largeur, n)
    debut = np.concatenate([reseau.geom_debut[:-1] + i * sommets for i in range(k)] + [[k * sommets]]).astype(np.int64)
    for nom in COLONNES_TRONCON:
        colonnes[nom] = colonnes[nom][:troncons]
    geom_x = np.tile(reseau.geom_x, k) + np.repeat(np.arange(k) * largeur, sommets)
    geom_y = np.tile(reseau.geom_y, k)
    fin = int(debut[troncons])
    return reseau.replace(
        **colonnes,
        geom_debut=debut[: troncons + 1],
        geom_x=geom_x[:fin],
        geom_y=geom_y[:fin],
        restrictions=np.zeros((0, 4), dtype=np.int64),
    )


def _into_database(reseau: TableauxReseau, nom: str) -> Iterator[dict[str, object]]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.db import connection
    from django.db.utils import DatabaseError

    from geodata.decoupe import project

    cas = f"{TRONCONS_BASE} tronçons dans PostGIS avec index"
    try:
        connection.ensure_connection()
    except DatabaseError as erreur:
        say(f"{cas} : base absente ({erreur}) ; voir DATABASE_URL.")
        return
    carrele = tile(project(reseau), TRONCONS_BASE)
    say(f"{cas} ({nom} répété)")
    yield _write_and_read(carrele, cas)


def _write_and_read(carrele: TableauxReseau, cas: str) -> dict[str, object]:
    from geodata.ecriture import drop_old_partitions, write
    from geodata.lecture_base import load
    from geodata.models import ImportReseau, Reseau

    banc, _ = Reseau.objects.get_or_create(code="banc-import", defaults={"nom": "Banc d'essai des imports"})
    try:
        importation = ImportReseau.objects.create(reseau=banc, format="banc", fichier="banc", empreinte="0" * 64)
        debut = time.perf_counter()
        write(importation, carrele)
        secondes = time.perf_counter() - debut
        debut = time.perf_counter()
        relu = load(importation.pk)
        lecture = time.perf_counter() - debut
        say("Django bulk_create sur une partie (mise à l'échelle)")
        django_s = _bulk_create(importation, carrele) * carrele.n_troncons / TRONCONS_DJANGO
    finally:
        # Its rows cascade to the imports; without a current import the partitions are nobody's and are dropped.
        Reseau.objects.filter(pk=banc.pk).delete()
        drop_old_partitions()
    note = f"mesuré sur {TRONCONS_DJANGO} tronçons et mis à l'échelle"
    ligne = speed("import", cas, "COPY binaire", secondes, "Django bulk_create", django_s, _same(carrele, relu), note)
    return ligne | {"load_seconds": round(lecture, 3), "bar_seconds": 15}


def _bulk_create(importation: Any, carrele: TableauxReseau) -> float:
    """Seconds that the first `TRONCONS_DJANGO` edges take as model instances, in a table with its indexes."""
    from django.contrib.gis.geos import LineString
    from django.db import connection, transaction

    from geodata.models import ImportReseau, Troncon

    autre = ImportReseau.objects.create(reseau=importation.reseau, format="banc", fichier="banc", empreinte="1" * 64)
    with transaction.atomic():
        with connection.cursor() as cursor:
            table = Troncon._meta.db_table
            cursor.execute(f"CREATE TABLE {table}_i{autre.pk} PARTITION OF {table} FOR VALUES IN ({autre.pk})")
        debut = time.perf_counter()
        d = carrele.geom_debut
        Troncon.objects.bulk_create(
            [
                Troncon(
                    import_reseau=autre, rang=k, noeud_source=int(carrele.source[k]), noeud_cible=int(carrele.cible[k]),
                    longueur_m=float(carrele.longueur_m[k]), sens_unique=bool(carrele.sens_unique[k]),
                    classe=int(carrele.classe[k]), bretelle=bool(carrele.bretelle[k]), gestion=int(carrele.gestion[k]),
                    vmax_aller=float(carrele.vmax_aller[k]), vmax_retour=float(carrele.vmax_retour[k]),
                    vmax_ecrite=bool(carrele.vmax_ecrite[k]), acces=int(carrele.acces[k]), voies=int(carrele.voies[k]),
                    pont=bool(carrele.pont[k]), tunnel=bool(carrele.tunnel[k]), ref=carrele.textes[carrele.ref[k]],
                    nom=carrele.textes[carrele.nom[k]], revetement=carrele.textes[carrele.revetement[k]],
                    voie_id=int(carrele.voie_id[k]), rang_voie=int(carrele.rang[k]), departement="",
                    departement_gauche="", departement_droite="", mitoyenne=False,
                    geom=LineString(
                        np.column_stack([carrele.geom_x[d[k]:d[k + 1]], carrele.geom_y[d[k]:d[k + 1]]]), srid=2154
                    ),
                )
                for k in range(TRONCONS_DJANGO)
            ],
            batch_size=1000,
        )  # fmt: skip
        secondes = time.perf_counter() - debut
        transaction.set_rollback(True)
    return secondes


def _same(ecrit: TableauxReseau, relu: TableauxReseau) -> bool:
    """Whether what comes back is what was written, array by array."""
    textes_e, textes_r = np.array(ecrit.textes), np.array(relu.textes)
    egaux = [
        np.array_equal(textes_e[getattr(ecrit, c)], textes_r[getattr(relu, c)]) for c in ("ref", "nom", "revetement")
    ]
    simples = [c for c in (*COLONNES_NOEUD, *COLONNES_TRONCON) if c not in ("ref", "nom", "revetement")]
    for nom in (*simples, "geom_debut", "geom_x", "geom_y"):
        a, b = getattr(ecrit, nom), getattr(relu, nom)
        egaux.append(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
    return all(egaux)


if __name__ == "__main__":
    print(json.dumps(_read_alone(sys.argv[1], Path(sys.argv[2]))))
