"""Tiles from the database: what is in them, how they are cached, who may read them."""

from __future__ import annotations

import gzip
import itertools
import threading
from collections.abc import Callable

import mapbox_vector_tile
import pyproj
import pytest
from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from geodata import generalisation
from geodata.classes import Classe
from geodata.ecriture import drop_old_partitions, write
from geodata.generalisation import TOUR_M, ZOOM_MAX, prepare
from geodata.lecture_base import load
from geodata.models import ImportReseau, Reseau
from geodata.tuiles import Tuile, road_tile
from territoires.models import Commune, Utilisateur, ZoneLimitrophe
from territoires.tuiles import ZOOM_COMMUNES, territory_tile
from tests.territoire_essai import COTE, LIMITE_Y, X0, make_roads, make_territory, make_user

pytestmark = pytest.mark.django_db

VERS_WEB = pyproj.Transformer.from_crs(2154, 3857, always_xy=True)
#: A point where D 1 crosses the limit.
PASSAGE = (X0 + 4_364, LIMITE_Y)


def tile_at(zoom: int, x: float = PASSAGE[0], y: float = PASSAGE[1]) -> Tuile:
    """The tile of a zoom that holds a point given in metres."""
    wx, wy = VERS_WEB.transform(x, y)
    cote = TOUR_M / 2**zoom
    return Tuile(zoom, int((wx + TOUR_M / 2) // cote), int((TOUR_M / 2 - wy) // cote))


def decode(contenu: bytes) -> dict[str, list[dict]]:
    """Features of a tile by layer; {} for an empty one."""
    return {nom: couche["features"] for nom, couche in mapbox_vector_tile.decode(contenu).items()} if contenu else {}


@pytest.fixture
def zone() -> ZoneLimitrophe:
    return make_territory()


@pytest.fixture
def reseau(zone: ZoneLimitrophe) -> Reseau:
    reseau = make_roads(zone)
    prepare(reseau.import_courant_id)
    return reseau


@pytest.fixture
def agent(zone: ZoneLimitrophe) -> Utilisateur:
    return make_user()


def test_road_tile_tells_class_number_and_side(reseau: Reseau) -> None:
    couches = decode(road_tile(reseau.import_courant_id, tile_at(13)))
    troncons = [f["properties"] for f in couches["troncons"]]
    assert {(t["ref"], t["classe"], t["departement"]) for t in troncons} == {("D 1", 3, "42"), ("D 1", 3, "43")}
    (passage,) = couches["passages"]
    assert passage["properties"]["ref"] == "D 1"
    assert (passage["properties"]["a"], passage["properties"]["b"]) == ("42", "43")


def test_far_tiles_have_fewer_classes_than_near_ones(zone: ZoneLimitrophe, monkeypatch: pytest.MonkeyPatch) -> None:
    # Any network is dense at this budget: only the table of classes by zoom counts.
    monkeypatch.setattr(generalisation, "TRONCONS_PAR_TUILE", 0)
    reseau = make_roads(zone)
    prepare(reseau.import_courant_id)
    rues = (X0 + 4_300, LIMITE_Y + 5_400)
    vues = {}
    for zoom in (6, 9, 12, 14):
        features = decode(road_tile(reseau.import_courant_id, tile_at(zoom, *rues))).get("troncons", [])
        vues[zoom] = {f["properties"]["classe"] for f in features}
    assert vues[6] == {Classe.PRIMAIRE}
    assert vues[9] == {Classe.PRIMAIRE, Classe.SECONDAIRE}
    assert Classe.RESIDENTIELLE in vues[12] and Classe.DESSERTE not in vues[12]
    assert Classe.DESSERTE in vues[14]


def test_lines_are_joined_and_simplified_far_away(reseau: Reseau) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT niveau, count(*), sum(ST_Length(geom)) FROM geodata_trace "
            "WHERE import_reseau_id = %s AND classe = 2 GROUP BY 1 ORDER BY 1",
            [reseau.import_courant_id],
        )
        lignes = cursor.fetchall()
    # The national road is one line at every level: four edges joined through their ends.
    assert [(niveau, n) for niveau, n, _ in lignes] == [(0, 1), (1, 1), (2, 1), (3, 1), (4, 1)]
    longueurs = [longueur for _, _, longueur in lignes]
    assert longueurs[0] < longueurs[-1] < 1.02 * longueurs[0]


def test_tile_away_from_roads_is_empty(reseau: Reseau) -> None:
    assert road_tile(reseau.import_courant_id, tile_at(12, X0 - 400_000, LIMITE_Y)) == b""


def test_whole_pyramid_holds_every_drawn_metre(reseau: Reseau) -> None:
    """The pieces of one zoom's tiles add up to the level's lines: nothing is lost at the edges of tiles."""
    zoom, total = 13, 0.0
    unite = TOUR_M / 2**zoom / 4096
    ouest, haut = tile_at(zoom, X0, LIMITE_Y + COTE).x, tile_at(zoom, X0, LIMITE_Y + COTE).y
    est, bas = tile_at(zoom, X0 + 4 * COTE, LIMITE_Y - COTE).x, tile_at(zoom, X0 + 4 * COTE, LIMITE_Y - COTE).y
    for x in range(ouest - 1, est + 2):
        for y in range(haut - 1, bas + 2):
            for f in decode(road_tile(reseau.import_courant_id, Tuile(zoom, x, y))).get("troncons", []):
                geometrie = f["geometry"]
                morceaux = geometrie["coordinates"]
                for ligne in [morceaux] if geometrie["type"] == "LineString" else morceaux:
                    total += sum(_inside(a, b) for a, b in itertools.pairwise(ligne))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(ST_Length(geom)) FROM geodata_trace WHERE import_reseau_id = %s AND niveau = 4",
            [reseau.import_courant_id],
        )
        attendu = cursor.fetchone()[0]
    assert total * unite == pytest.approx(attendu, rel=2e-3)


def _inside(a: list[float], b: list[float]) -> float:
    """Length of a segment inside the tile itself (0 to 4096), without its margin: Liang and Barsky's clipping."""
    t0, t1 = 0.0, 1.0
    dx, dy = b[0] - a[0], b[1] - a[1]
    for p, q in ((-dx, a[0]), (dx, 4096 - a[0]), (-dy, a[1]), (dy, 4096 - a[1])):
        if p == 0:
            if q < 0:
                return 0.0
        elif p < 0:
            t0 = max(t0, q / p)
        else:
            t1 = min(t1, q / p)
    return max(0.0, t1 - t0) * (dx * dx + dy * dy) ** 0.5


def test_drawings_are_made_once_and_dropped_with_their_import(reseau: Reseau) -> None:
    ancien = reseau.import_courant_id
    assert prepare(ancien) is False
    suivant = ImportReseau.objects.create(reseau=reseau, format="essai", fichier="b", empreinte="b", etat="reussi")
    write(suivant, load(ancien))
    assert drop_old_partitions() == [ancien]
    assert not generalisation.is_ready(ancien)
    assert prepare(suivant.pk) is True


@pytest.mark.django_db(transaction=True)
def test_two_callers_make_the_drawings_once() -> None:
    reseau = make_roads(make_territory())
    faits: list[bool] = []
    depart = threading.Barrier(3)

    def call() -> None:
        depart.wait()
        try:
            faits.append(prepare(reseau.import_courant_id))
        finally:
            connections.close_all()

    fils = [threading.Thread(target=call) for _ in range(3)]
    for fil in fils:
        fil.start()
    for fil in fils:
        fil.join()
    assert sorted(faits) == [False, False, True]


def test_territory_tile_layers(zone: ZoneLimitrophe) -> None:
    couches = decode(territory_tile(tile_at(ZOOM_COMMUNES)))
    assert {f["properties"]["code"] for f in couches["departements"]} == {"42", "43"}
    voisine = decode(territory_tile(tile_at(ZOOM_COMMUNES, X0 + 4 * COTE)))
    codes = [{f["properties"]["code"] for f in tuile["communes"]} for tuile in (couches, voisine)]
    assert len(codes[0] | codes[1]) == 8
    (limite,) = couches["limites"]
    assert limite["properties"]["km"] == 40
    assert {f["properties"]["code"] for f in couches["zones"]} == {zone.code}
    assert {f["properties"]["genre"] for f in decode(territory_tile(tile_at(11)))["noms"]} == {"commune"}
    loin = decode(territory_tile(tile_at(ZOOM_COMMUNES - 1)))
    assert "communes" not in loin
    assert {f["properties"]["nom"] for f in loin["noms"]} == {"Loire", "Haute-Loire"}


def test_names_come_once_and_the_largest_first(zone: ZoneLimitrophe) -> None:
    noms = []
    milieu = tile_at(12)
    for x in range(milieu.x - 2, milieu.x + 7):
        for y in range(milieu.y - 3, milieu.y + 4):
            noms += [f["properties"]["nom"] for f in decode(territory_tile(Tuile(12, x, y))).get("noms", [])]
    assert sorted(noms) == sorted(Commune.objects.values_list("nom", flat=True))
    populations = [f["properties"]["population"] for f in decode(territory_tile(tile_at(9, X0 + 35_000)))["noms"]]
    assert populations == sorted(populations, reverse=True)
    assert len(populations) > 1 and min(populations) >= 3000


def test_territory_tile_follows_corrections(zone: ZoneLimitrophe) -> None:
    avant = territory_tile(tile_at(10))
    Commune.objects.filter(code="42001").update(active=False)
    apres = territory_tile(tile_at(10))
    assert avant != apres
    assert "42001" not in {f["properties"]["code"] for f in decode(apres)["communes"]}


def tile_url(reseau: Reseau, tuile: Tuile) -> str:
    return reverse("tuile-routes", args=(reseau.code, reseau.import_courant_id, tuile.z, tuile.x, tuile.y))


def territory_url(tuile: Tuile) -> str:
    return reverse("tuile-territoires", args=(tuile.z, tuile.x, tuile.y))


def test_tiles_ask_for_an_account(client: Client, reseau: Reseau) -> None:
    for url in (tile_url(reseau, tile_at(12)), territory_url(tile_at(12))):
        assert client.get(url).status_code == 401


@pytest.mark.parametrize("address", [lambda r, t: tile_url(r, t), lambda r, t: territory_url(t)])
def test_tile_is_not_sent_twice(
    client: Client, reseau: Reseau, agent: Utilisateur, address: Callable[[Reseau, Tuile], str]
) -> None:
    client.force_login(agent)
    url = address(reseau, tile_at(12))
    premiere = client.get(url)
    assert premiere.status_code == 200
    assert premiere["Content-Type"] == "application/vnd.mapbox-vector-tile"
    assert "private" in premiere["Cache-Control"]
    seconde = client.get(url, headers={"If-None-Match": premiere["ETag"]})
    assert (seconde.status_code, seconde.content) == (304, b"")
    assert seconde["ETag"] == premiere["ETag"]
    assert client.get(url, headers={"If-None-Match": '"autre"'}).status_code == 200


def test_known_road_tile_is_not_made_again(
    client: Client, reseau: Reseau, agent: Utilisateur, django_assert_max_num_queries: Callable
) -> None:
    client.force_login(agent)
    url = tile_url(reseau, tile_at(12))
    etag = client.get(url)["ETag"]
    # Session, account, network: no tile.
    with django_assert_max_num_queries(3) as requetes:
        client.get(url, headers={"If-None-Match": etag})
    assert not any("ST_AsMVT" in r["sql"] for r in requetes.captured_queries)


def test_road_tiles_never_change_for_a_version(client: Client, reseau: Reseau, agent: Utilisateur) -> None:
    client.force_login(agent)
    url = tile_url(reseau, tile_at(12))
    assert "immutable" in client.get(url)["Cache-Control"]
    suivant = ImportReseau.objects.create(reseau=reseau, format="essai", fichier="b", empreinte="b", etat="reussi")
    write(suivant, load(reseau.import_courant_id))
    assert client.get(url).status_code == 404
    reseau.refresh_from_db()
    assert client.get(tile_url(reseau, tile_at(12))).status_code == 200


def test_compressed_when_asked(client: Client, reseau: Reseau, agent: Utilisateur) -> None:
    client.force_login(agent)
    url = tile_url(reseau, tile_at(9))
    brute = client.get(url)
    comprimee = client.get(url, headers={"Accept-Encoding": "gzip, br"})
    assert comprimee["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in comprimee["Vary"]
    assert gzip.decompress(comprimee.content) == brute.content
    assert len(comprimee.content) < len(brute.content)


def test_empty_tile_is_204_with_its_etag(client: Client, reseau: Reseau, agent: Utilisateur) -> None:
    client.force_login(agent)
    for url in (tile_url(reseau, Tuile(12, 0, 0)), territory_url(Tuile(12, 0, 0))):
        reponse = client.get(url)
        assert (reponse.status_code, reponse.content) == (204, b"")
        assert client.get(url, headers={"If-None-Match": reponse["ETag"]}).status_code == 304


@pytest.mark.parametrize("adresse", [(ZOOM_MAX + 1, 0, 0), (3, 8, 0), (3, 0, 8)])
def test_no_tile_out_of_the_pyramid(
    client: Client, reseau: Reseau, agent: Utilisateur, adresse: tuple[int, int, int]
) -> None:
    client.force_login(agent)
    assert client.get(territory_url(Tuile(*adresse))).status_code == 404
    assert client.get(tile_url(reseau, Tuile(*adresse))).status_code == 404


def test_drawings_are_made_at_the_first_tile(client: Client, zone: ZoneLimitrophe, agent: Utilisateur) -> None:
    reseau = make_roads(zone)
    client.force_login(agent)
    assert not generalisation.is_ready(reseau.import_courant_id)
    assert client.get(tile_url(reseau, tile_at(12))).status_code == 200
    assert generalisation.is_ready(reseau.import_courant_id)
