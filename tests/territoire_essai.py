"""A small territory with roads, written by the application's own functions, for tests of pages and tiles.

Two départements one above the other, 40 km wide, four communes each; the limit between them runs from west to
east. Five roads cross it; a national road runs along the north; streets around the first mairie.
"""

from __future__ import annotations

import numpy as np
import shapely
from django.contrib.gis.db.models import Union
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon, Point

from déchetteries.models import Dechetterie
from geodata.classes import Classe, Gestion
from geodata.decoupe import cut
from geodata.ecriture import write
from geodata.models import ImportReseau, Reseau
from geodata.reseau import TableauxReseau
from territoires.etudes import creer_etude, demander_passage
from territoires.limites import refresh_limites
from territoires.models import Collectivite, Commune, Etude, Utilisateur, ZoneLimitrophe
from territoires.passages import run_etude
from territoires.zones import DemandeZone, create_zone
from tests.unit.geodata.fabrique import network

#: Lambert-93, near the real limit of the Loire and the Haute-Loire.
X0, Y0, COTE = 780_000, 6_470_000, 10_000
LIMITE_Y = Y0 + COTE
NOMS = {
    "42": ("Étang-le-Haut", "Cœur-d'Arbre", "Saint-Éloi-la-Plaine", "Grand'Croix-des-Prés"),
    "43": ("Étang-le-Bas", "Vieille-Côte", "Saint-Éloi-la-Montagne", "Ânerie"),
}
MOT_DE_PASSE = "essai-navigateur"


def make_territory() -> ZoneLimitrophe:
    """Départements 42 and 43, their communes, their limit, and a zone of all of them."""
    for rang, (code, noms) in enumerate(NOMS.items()):
        bas = LIMITE_Y if code == "42" else Y0
        departement = Collectivite.objects.create(
            type="departement",
            code=code,
            nom={"42": "Loire", "43": "Haute-Loire"}[code],
            geom=_rectangle(X0, bas, X0 + 4 * COTE, bas + COTE),
            edition="essai",
        )
        for i, nom in enumerate(noms):
            ouest = X0 + i * COTE
            Commune.objects.create(
                code=f"{code}{i + 1:03}",
                nom=nom,
                departement=departement,
                population=1000 * (i + 1) + 100 * rang,
                geom=_rectangle(ouest, bas, ouest + COTE, bas + COTE),
                mairie=GEOSGeometry(f"SRID=2154;POINT({ouest + COTE / 2} {bas + COTE / 2})"),
                edition="essai",
                source="communes inventées pour les tests",
            )
    refresh_limites()
    zone, _ = create_zone(
        DemandeZone(
            nom="Zone d'essai", mode="distance", collectivites=["42", "43"], type="departement", distance_m=4000
        )
    )
    return zone


def make_roads(zone: ZoneLimitrophe | None = None, fictif: bool = True) -> Reseau:
    """The roads, cut at the limit; the zone then uses them."""
    reseau = Reseau.objects.create(
        code="essai", nom="Réseau d'essai", fictif=fictif, attribution="Routes inventées", licence="sans objet"
    )
    importation = ImportReseau.objects.create(
        reseau=reseau,
        format="essai",
        fichier="essai.osm.pbf",
        empreinte="0" * 64,
        etat=ImportReseau.Etat.REUSSI,
        attendus={"voies": 30},
        lus={"voies": 29, "tronçons": 50},
        omis={"voie dont un nœud manque": 1},
        decoupage=["42", "43"],
    )
    write(importation, _roads())
    reseau.refresh_from_db()
    if zone is not None:
        zone.reseau = reseau
        zone.save(update_fields=["reseau"])
    return reseau


def make_user(**champs: object) -> Utilisateur:
    """An agent of the Loire."""
    collectivite = Collectivite.objects.filter(code="42").first()
    return Utilisateur.objects.create_user(
        "agent", password=MOT_DE_PASSE, collectivite=collectivite, first_name="Agnès", last_name="Essai", **champs
    )


def make_study(zone: ZoneLimitrophe) -> Etude:
    """Three déchetteries, the third fictive, and a finished study of opening them across the limit."""
    epci = {}
    for code in NOMS:
        communes = Commune.objects.filter(departement__code=code)
        contour = communes.aggregate(u=Union("geom"))["u"]
        epci[code] = Collectivite.objects.create(
            type="epci", code=f"2000000{code}", nom=f"Communauté {code}", geom=MultiPolygon(contour, srid=2154)
        )
        communes.update(epci=epci[code])
    for code, cote, x, y, fictif in (
        ("A", "42", X0 + 4_000, LIMITE_Y + 5_000, False),
        ("B", "42", X0 + 28_000, LIMITE_Y + 5_000, False),
        ("C", "43", X0 + 12_000, Y0 + 5_000, True),
    ):
        Dechetterie.objects.create(
            code=code, nom=f"Centre {code}", proprietaire=epci[cote], geom=Point(x, y, srid=2154), fictif=fictif
        )
    etude = creer_etude("Déchetteries d'essai", "dechetteries", zone, zone.collectivites.all())
    passage = run_etude(demander_passage(etude, enfile=False, limite_s=20))
    assert passage.etat == "reussi", passage.journal
    return etude


def _roads() -> TableauxReseau:
    textes = ("", "N 88", "D 1", "D 2", "D 3", "D 4", "D 5", "Rue de l'Église")
    lignes: list[list[tuple[float, float]]] = []
    classes: list[int] = []
    refs: list[int] = []
    noms: list[int] = []

    def add(ligne: list[tuple[float, float]], classe: Classe, ref: int = 0, nom: int = 0) -> None:
        lignes.append(ligne)
        classes.append(int(classe))
        refs.append(ref)
        noms.append(nom)

    haut, bas = LIMITE_Y + 5_000, Y0 + 5_000
    colonnes = [X0 + 4_000 + 8_000 * i for i in range(5)]
    for i, x in enumerate(colonnes):
        add([(x, haut), (x + 400, LIMITE_Y + 500), (x, bas)], Classe.SECONDAIRE, ref=2 + i)
        if i:
            add([(colonnes[i - 1], haut), (x - 4_000, haut + 600), (x, haut)], Classe.PRIMAIRE, ref=1)
            add([(colonnes[i - 1], bas), (x, bas)], Classe.TERTIAIRE)
    for i in range(6):
        x, y = colonnes[0] + 150 * i, haut
        add([(x, y), (x, y + 900)], Classe.RESIDENTIELLE, nom=7)
        if i:
            add([(x - 150, y + 900), (x, y + 900)], Classe.DESSERTE)
            add([(x - 150, y), (x, y)], Classe.RESIDENTIELLE)
    m = len(lignes)
    reseau = network(
        lignes,
        classe=np.array(classes, dtype=np.int8),
        ref=np.array(refs, dtype=np.int32),
        nom=np.array(noms, dtype=np.int32),
        gestion=np.where(np.array(refs) == 1, Gestion.NATIONALE, Gestion.DEPARTEMENTALE).astype(np.int8),
        textes=textes,
        voie_id=np.arange(m, dtype=np.int64) + 1,
    )
    aires = [
        ("42", shapely.box(X0, LIMITE_Y, X0 + 4 * COTE, LIMITE_Y + COTE)),
        ("43", shapely.box(X0, Y0, X0 + 4 * COTE, LIMITE_Y)),
    ]
    return cut(reseau, aires)


def _rectangle(ouest: float, sud: float, est: float, nord: float) -> MultiPolygon:
    return MultiPolygon(GEOSGeometry(f"SRID=2154;{shapely.box(ouest, sud, est, nord).wkt}"), srid=2154)
