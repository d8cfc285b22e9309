"""Roads downloaded from a local stand-in for Overpass."""

from __future__ import annotations

from pathlib import Path

import osmnx
import pytest
import shapely
from django.core.management import CommandError, call_command

from geodata.erreurs import ImportImpossible
from geodata.lecture_osm import read_osm
from geodata.models import ImportReseau, Reseau, Troncon
from geodata.telechargement import download
from tests.integration.geodata.overpass import FauxOverpass, serve
from tests.unit.geodata.osm_xml import osm_xml

ZONE = shapely.box(3.999, 45.499, 4.0095, 45.5095)


@pytest.fixture
def extrait(tmp_path: Path) -> Path:
    return osm_xml(
        tmp_path / "source.osm",
        {
            1: ([0, 1, 2, 3], {"highway": "primary", "ref": "D 500", "name": "Route de l'Église & du Bourg"}),
            2: ([2, 12, 22], {"highway": "residential", "oneway": "yes"}),
            3: ([1, 11], {"highway": "footway"}),
            4: ([95, 96], {"highway": "service"}),
        },
    )


def test_downloaded_file_reads_as_the_source(extrait: Path, tmp_path: Path) -> None:
    destination = tmp_path / "dossier" / "zone.osm.pbf"
    faux = FauxOverpass(extrait)
    avant = osmnx.settings.overpass_url
    with serve(faux) as url:
        comptes = download(ZONE, destination, url)
    assert comptes == {"nœuds": 8, "voies": 3}
    assert len(faux.requetes) == 1
    lu, source = read_osm([destination]), read_osm([extrait])
    assert lu.voie_id.tolist() == source.voie_id.tolist()
    assert lu.longueur_m.tolist() == source.longueur_m.tolist()
    assert lu.textes == source.textes
    assert osmnx.settings.overpass_url == avant, "OSMnx's settings are put back"
    assert [p.name for p in destination.parent.iterdir()] == ["zone.osm.pbf"]


def test_large_zone_is_asked_in_parts_and_merged(
    extrait: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geodata.telechargement.SURFACE_REQUETE_M2", 400_000)
    faux = FauxOverpass(extrait)
    with serve(faux) as url:
        comptes = download(ZONE, tmp_path / "z.osm.pbf", url, attendre=False)
    assert len(faux.requetes) > 1
    assert comptes == {"nœuds": 8, "voies": 3}


@pytest.mark.parametrize(
    ("panne", "message"),
    [
        ((400, "<html>syntax error</html>"), "ne répond pas ou refuse"),
        ((200, "<html>not JSON</html>"), "ne répond pas ou refuse"),
        ((200, '{"elements": [], "remark": "runtime error: Query timed out"}'), "incomplète"),
        ((200, '{"elements": []}'), "aucune route dans la zone"),
    ],
)
def test_server_that_fails_leaves_the_file(extrait: Path, tmp_path: Path, panne: tuple[int, str], message: str) -> None:
    destination = tmp_path / "z.osm.pbf"
    destination.write_bytes(b"ancien")
    faux = FauxOverpass(extrait)
    faux.panne = panne
    with serve(faux) as url, pytest.raises(ImportImpossible, match=message):
        download(ZONE, destination, url, attendre=False)
    assert destination.read_bytes() == b"ancien"


def test_no_server(tmp_path: Path) -> None:
    with pytest.raises(ImportImpossible, match="ne répond pas"):
        download(ZONE, tmp_path / "z.osm.pbf", "http://127.0.0.1:9/api", attendre=False)


@pytest.mark.django_db
def test_command_downloads_and_imports(extrait: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from django.contrib.gis.geos import MultiPolygon, Polygon

    from territoires.models import ZoneLimitrophe

    contour = Polygon.from_bbox((777_500, 6_489_000, 779_500, 6_491_500))
    contour.srid = 2154
    ZoneLimitrophe.objects.create(
        code="essai", nom="Essai", mode="distance", distance_m=1000, contour=MultiPolygon(contour, srid=2154)
    )
    fichier = tmp_path / "essai.osm.pbf"
    with serve(FauxOverpass(extrait)) as url:
        call_command("telecharger_osm", "--zone", "essai", "--serveur", url, "--fichier", str(fichier), verbosity=0)
    reseau = Reseau.objects.get(code="osm-essai")
    assert reseau.attribution == "© les contributeurs d'OpenStreetMap"
    assert Troncon.objects.filter(import_reseau=reseau.import_courant).count() == 4
    assert ImportReseau.objects.get().lus["voies carrossables"] == 3
    assert "essai.osm.pbf : 3 voies, 8 nœuds" in capsys.readouterr().out


@pytest.mark.django_db
def test_command_names_what_is_unknown() -> None:
    with pytest.raises(CommandError, match=r"Zone limitrophe « nulle » inconnue. Zones de la base : aucune"):
        call_command("telecharger_osm", "--zone", "nulle")
    with pytest.raises(CommandError, match="99"):
        call_command("telecharger_osm", "--departements", "99")
