"""Imports from end to end: rows that tell, nothing half-written, the same file twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from geodata import importation as module
from geodata.classes import Classe
from geodata.erreurs import ImportImpossible
from geodata.importation import Source, import_network, lines_source, osm_source
from geodata.lecture_base import load
from geodata.models import ImportReseau, PointPassage, Reseau, RestrictionVirage, Troncon
from territoires.models import Collectivite, Commune
from tests.unit.geodata.fabrique import network
from tests.unit.geodata.osm_xml import osm_xml

pytestmark = pytest.mark.django_db

RUE = {"highway": "secondary", "ref": "D 500", "name": "Route de la Limite"}
#: The nodes of `osm_xml` lie around (778 150, 6 489 900) in EPSG:2154; the limit is x = 778 300.
A = ("A", shapely.box(770_000, 6_480_000, 778_300, 6_500_000))
B = ("B", shapely.box(778_300, 6_480_000, 790_000, 6_500_000))


@pytest.fixture
def extrait(tmp_path: Path) -> Path:
    non = {"type": "restriction", "restriction": "no_left_turn"}
    voies = {
        1: ([0, 1, 2, 3, 4, 5], RUE),
        2: ([1, 11], {"highway": "residential"}),
        3: ([7, 8], {"highway": "service", "area": "yes"}),
    }
    relations = {1: ([("way", 1, "from"), ("node", 1, "via"), ("way", 2, "to")], non)}
    return osm_xml(tmp_path / "extrait.osm", voies, relations=relations)


def test_import_fills_its_row(extrait: Path) -> None:
    vus: list[tuple[str, int, int | None]] = []
    importation = import_network(
        "essai",
        osm_source([extrait]),
        [A, B],
        nom="Réseau d'essai",
        attribution="©",
        progres=lambda e, n, t: vus.append((e, n, t)),
    )
    importation.refresh_from_db()
    assert importation.etat == ImportReseau.Etat.REUSSI and not importation.erreur
    assert Reseau.objects.get().import_courant_id == importation.pk
    assert (importation.format, importation.fichier, importation.decoupage) == ("osm", "extrait.osm", ["A", "B"])
    assert len(importation.empreinte) == 64 and importation.duree_s is not None and importation.duree_s > 0
    assert importation.attendus == {"voies carrossables": 3, "nœuds": 5, "tronçons": 4}
    assert importation.lus["voies carrossables"] == 2 and importation.lus["tronçons"] == 4
    assert importation.lus["points de passage"] == 1 and importation.lus["tronçons ajoutés par le découpage"] == 1
    assert importation.omis == {"voies : surface (area=yes), sans axe": 1}
    assert {t.departement for t in Troncon.objects.all()} == {"A", "B"}
    point = PointPassage.objects.get()
    assert (point.ref, point.nom, point.classe) == ("D 500", "Route de la Limite", Classe.SECONDAIRE)
    assert point.geom.x == pytest.approx(778_300)
    assert RestrictionVirage.objects.get().voie_depuis == 1
    assert list(dict.fromkeys(e for e, _, _ in vus))[:3] == ["Lecture", "Découpage", "Écriture"]
    assert sum(n for e, n, _ in vus if e == "Écriture") == 9


def test_same_file_twice_changes_nothing(extrait: Path) -> None:
    premier = import_network("essai", osm_source([extrait]), [A, B])
    avant = load(premier.pk)
    second = import_network("essai", osm_source([extrait]), [A, B])
    assert second.etat == ImportReseau.Etat.INCHANGE and second.empreinte == premier.empreinte
    assert second.attendus == premier.attendus
    assert Reseau.objects.get().import_courant_id == premier.pk
    assert load(premier.pk).noeud_id.tolist() == avant.noeud_id.tolist()
    # The name of the file says nothing; its bytes, the settings and the areas do.
    copie = extrait.with_name("copie.osm")
    copie.write_bytes(extrait.read_bytes())
    assert import_network("essai", osm_source([copie]), [A, B]).etat == ImportReseau.Etat.INCHANGE
    assert import_network("essai", osm_source([copie]), [B, A]).etat == ImportReseau.Etat.REUSSI
    assert import_network("essai", osm_source([copie]), [A]).etat == ImportReseau.Etat.REUSSI
    deplacee = ("A", shapely.box(770_000, 6_480_000, 778_250, 6_500_000))
    assert import_network("essai", osm_source([copie]), [deplacee]).etat == ImportReseau.Etat.REUSSI


def test_number_of_queries_does_not_grow_with_the_network(tmp_path: Path) -> None:
    def queries(n: int, code: str) -> int:
        voies = {i + 1: ([i, i + 1], RUE) for i in range(n)}
        fichier = osm_xml(tmp_path / f"{code}.osm", voies)
        with CaptureQueriesContext(connection) as contexte:
            import_network(code, osm_source([fichier]), [A, B])
        return len(contexte)

    assert queries(200, "grand") == queries(20, "petit")


def test_new_import_replaces_the_old_rows(extrait: Path, tmp_path: Path) -> None:
    premier = import_network("essai", osm_source([extrait]), [A, B])
    autre = osm_xml(tmp_path / "autre.osm", {1: ([0, 1], RUE)})
    second = import_network("essai", osm_source([autre]), [A, B])
    assert Troncon.objects.filter(import_reseau=premier).count() == 0
    assert PointPassage.objects.count() == 0 and RestrictionVirage.objects.count() == 0
    assert Troncon.objects.get().import_reseau_id == second.pk
    assert ImportReseau.objects.count() == 2, "the rows of old imports stay"


def test_two_networks_do_not_touch_each_other(extrait: Path) -> None:
    un = import_network("un", osm_source([extrait]), [A, B])
    deux = import_network("deux", osm_source([extrait]), [])
    assert load(un.pk).n_troncons == 4 and load(deux.pk).n_troncons == 3


FAUTES: list[tuple[str, Any, str]] = [
    ("vide.osm.pbf", b"", "vide.osm.pbf : fichier vide"),
    (
        "abime.osm.pbf",
        b"\x00\x00\x00\x0dn'importe quoi" * 40,
        "abime.osm.pbf : fichier OpenStreetMap illisible ou abîmé",
    ),
    ("absent.osm.pbf", None, "fichier introuvable"),
    ("sans.osm", b'<osm version="0.6"><node id="1" lat="45" lon="4"/></osm>', "sans.osm : aucune route carrossable"),
]


@pytest.mark.parametrize(("nom", "contenu", "message"), FAUTES)
def test_failed_import_says_why_and_leaves_the_network(
    extrait: Path, tmp_path: Path, nom: str, contenu: bytes | None, message: str
) -> None:
    bon = import_network("essai", osm_source([extrait]), [A, B])
    mauvais = tmp_path / nom
    if contenu is not None:
        mauvais.write_bytes(contenu)
    with pytest.raises(ImportImpossible, match=message):
        import_network("essai", osm_source([mauvais]), [A, B])
    ligne = ImportReseau.objects.latest("pk")
    assert ligne.etat == ImportReseau.Etat.ECHOUE and message in ligne.erreur and ligne.duree_s is not None
    assert ligne.empreinte != bon.empreinte and bool(ligne.empreinte) == mauvais.exists()
    assert Reseau.objects.get().import_courant_id == bon.pk
    assert load(bon.pk).n_troncons == 4


def test_polygon_that_crosses_itself(extrait: Path) -> None:
    papillon = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    with pytest.raises(ImportImpossible, match="Contour de « 42 » inutilisable"):
        import_network("essai", osm_source([extrait]), [("42", papillon)])
    assert Reseau.objects.get().import_courant is None


def test_roads_far_from_the_areas_are_refused(extrait: Path) -> None:
    ailleurs = ("C", shapely.box(100_000, 6_100_000, 200_000, 6_200_000))
    with pytest.raises(ImportImpossible, match=r"extrait\.osm : aucune route dans C .*Vérifiez le fichier"):
        import_network("essai", osm_source([extrait]), [ailleurs])


def test_disconnected_network_is_counted(tmp_path: Path) -> None:
    fichier = osm_xml(tmp_path / "iles.osm", {1: ([0, 1, 2], RUE), 2: ([2, 3], RUE), 3: ([55, 56], RUE)})
    importation = import_network("essai", osm_source([fichier]))
    assert importation.lus["tronçons coupés du reste du réseau"] == 1


def test_failure_while_writing_rolls_back(extrait: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bon = import_network("essai", osm_source([extrait]), [A, B])
    autre = osm_xml(tmp_path / "autre.osm", {1: ([0, 1], RUE)})

    def casse(importation: ImportReseau) -> dict[str, int]:
        assert Troncon.objects.filter(import_reseau=importation).count() == 1
        raise RuntimeError("disque plein")

    monkeypatch.setattr(module, "_written", casse)
    with pytest.raises(RuntimeError):
        import_network("essai", osm_source([autre]), [A, B])
    ligne = ImportReseau.objects.latest("pk")
    assert ligne.etat == ImportReseau.Etat.ECHOUE and ligne.erreur == "Erreur inattendue : RuntimeError : disque plein"
    assert Reseau.objects.get().import_courant_id == bon.pk
    assert Troncon.objects.filter(import_reseau=ligne).count() == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"geodata_troncon_i{ligne.pk}"])
        assert cursor.fetchone() == (None,)


def test_interrupted_import_says_so(extrait: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(importation: ImportReseau) -> dict[str, int]:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_written", stop)
    with pytest.raises(KeyboardInterrupt):
        import_network("essai", osm_source([extrait]), [A, B])
    ligne = ImportReseau.objects.get()
    assert (ligne.etat, ligne.erreur) == (ImportReseau.Etat.ECHOUE, "Import interrompu à la demande.")
    assert Troncon.objects.count() == 0


def test_counts_that_disagree_refuse_the_import(extrait: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_written", lambda importation: {"nœuds": 5, "tronçons": 3})
    with pytest.raises(ImportImpossible, match=r"extrait\.osm : 3 tronçons écrits au lieu de 4"):
        import_network("essai", osm_source([extrait]), [A, B])
    assert Reseau.objects.get().import_courant is None and Troncon.objects.count() == 0


def test_import_cut_short_is_told_by_the_next(extrait: Path) -> None:
    reseau = Reseau.objects.create(code="essai", nom="Essai")
    morte = ImportReseau.objects.create(reseau=reseau, format="osm", fichier="x", empreinte="")
    import_network("essai", osm_source([extrait]))
    morte.refresh_from_db()
    assert (morte.etat, morte.erreur) == (ImportReseau.Etat.ECHOUE, "Import interrompu avant la fin.")


def test_one_import_of_a_network_at_a_time(extrait: Path) -> None:
    reseau = Reseau.objects.create(code="essai", nom="Essai")
    autre = connections.create_connection("default")
    try:
        with autre.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext('geodata_importreseau'), %s)", [reseau.pk])
        with pytest.raises(ImportImpossible, match="Un autre import du réseau « essai » est en cours"):
            import_network("essai", osm_source([extrait]))
        with autre.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")
    finally:
        autre.close()
    assert import_network("essai", osm_source([extrait])).etat == ImportReseau.Etat.REUSSI


def test_network_made_by_code() -> None:
    source = Source(
        format="genere", libelle="réseau généré", lire=lambda _: network([[(0, 0), (5, 0)]]), parametres={"graine": 1}
    )
    importation = import_network("fictif", source, [], fictif=True, nom="Fictif")
    assert importation.etat == ImportReseau.Etat.REUSSI and Reseau.objects.get().fictif
    assert import_network("fictif", source, [], fictif=True).etat == ImportReseau.Etat.INCHANGE


# --- commands ---------------------------------------------------------------------------------------------


@pytest.fixture
def departements() -> None:
    """Two collectivités that communes name as theirs: they cut roads."""
    for code, polygone in (A, B):
        contour = MultiPolygon(Polygon.from_bbox(polygone.bounds), srid=2154)
        departement = Collectivite.objects.create(type="departement", code=code, nom=code, geom=contour)
        Commune.objects.create(code=f"0000{code}", nom=f"Commune {code}", departement=departement, geom=contour)


def test_command_finds_the_departements_that_the_extract_touches(
    extrait: Path, departements: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("importer_osm", str(extrait), verbosity=0)
    importation = ImportReseau.objects.get()
    assert importation.decoupage == ["A", "B"] and importation.reseau.code == "extrait"
    sortie = capsys.readouterr().out
    assert "découpage : A, B" in sortie and "points de passage : 1" in sortie and "sans axe : 1" in sortie
    call_command("importer_osm", str(extrait), "--decoupage", "A", "B", verbosity=0)
    assert "inchangé" in capsys.readouterr().out
    call_command("importer_osm", str(extrait), "--sans-decoupage", verbosity=0)
    assert ImportReseau.objects.latest("pk").decoupage == []


def test_command_refuses_with_a_sentence(extrait: Path, departements: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"collectivité absente de la base : 99"):
        call_command("importer_osm", str(extrait), "--decoupage", "99", verbosity=0)
    with pytest.raises(CommandError, match=r"le réseau « nul » n'a pas changé.\n.*nul\.osm : fichier introuvable"):
        call_command("importer_osm", str(tmp_path / "nul.osm"), verbosity=0)


def test_command_for_lines(departements: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chemin = tmp_path / "BD TOPO extrait.gpkg"
    lignes = [
        shapely.LineString([(778_000, 6_490_000), (778_600, 6_490_000)]),
        shapely.LineString([(778_600, 6_490_000), (779_000, 6_490_500)]),
    ]
    gdf = gpd.GeoDataFrame({"NUM": ["D500", "D12"], "MOT": ["Direct", "Inverse"]}, geometry=lignes, crs=2154)
    gdf.to_file(chemin, layer="troncon_de_route")
    call_command("importer_routes", str(chemin), "--colonnes", "ref=NUM", "sens=MOT", verbosity=0)
    importation = ImportReseau.objects.get()
    assert importation.reseau.code == "bd-topo-extrait"
    assert importation.parametres == {"couche": None, "colonnes": {"ref": "NUM", "sens": "MOT"}, "srid": None}
    assert importation.attendus == {"lignes du fichier": 2, "nœuds": 4, "tronçons": 3}
    assert [p.ref for p in PointPassage.objects.all()] == ["D500"]
    with pytest.raises(CommandError, match="devrait être de la forme notre=leur"):
        call_command("importer_routes", str(chemin), "--colonnes", "ref", verbosity=0)
    with pytest.raises(CommandError, match="couche « x » absente"):
        call_command("importer_routes", str(chemin), "--couche", "x", verbosity=0)


def test_settings_are_part_of_the_digest(tmp_path: Path) -> None:
    chemin = tmp_path / "r.gpkg"
    gdf = gpd.GeoDataFrame({"a": ["D1"], "b": ["D2"]}, geometry=[shapely.LineString([(0, 0), (9, 9)])], crs=2154)
    gdf = gdf.set_geometry(gdf.translate(800_000, 6_500_000))
    gdf.to_file(chemin, layer="r")
    un = import_network("r", lines_source(chemin, colonnes={"ref": "a"}))
    deux = import_network("r", lines_source(chemin, colonnes={"ref": "b"}))
    assert (un.etat, deux.etat) == (ImportReseau.Etat.REUSSI, ImportReseau.Etat.REUSSI)
    assert Troncon.objects.get().ref == "D2"


def test_roads_that_touch_no_collectivite_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Latitude taken for longitude: such roads lie in Africa."""
    chemin = tmp_path / "r.csv"
    chemin.write_text('id;wkt\n1;"LINESTRING (45.4 4.3, 45.41 4.31)"\n')
    call_command("importer_routes", str(chemin), "--srid", "4326", verbosity=0)
    assert "ne touchent aucune collectivité de la base" in capsys.readouterr().err
    call_command("importer_routes", str(chemin), "--srid", "4326", "--reseau", "b", "--sans-decoupage", verbosity=0)
    assert "collectivité" not in capsys.readouterr().err
