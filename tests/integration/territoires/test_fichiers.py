"""Territories from files agents have: layouts read, every fault named, nothing half-written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from django.core.management import CommandError, call_command

from territoires.importation import fichier
from territoires.models import Collectivite, Commune
from territoires.rapport import DonneesRefusees

from .fabrique import COTE, SUD, X0, Y0, code, square, write_geojson

pytestmark = pytest.mark.django_db

Objet = tuple[shapely.Geometry | None, dict[str, Any]]


def objets(n: int = 3) -> list[Objet]:
    """Communes 42000, 42010, 42020 in the columns of Admin Express."""
    return [
        (
            square(i, 0),
            {
                "INSEE_COM": code(i, 0),
                "NOM": f"L'Étrat {i}",
                "INSEE_DEP": "42",
                "SIREN_EPCI": SUD,
                "POPULATION": 100 + i,
            },
        )
        for i in range(n)
    ]


def write_layer(
    path: Path, couche: str, lignes: Sequence[Objet], crs: str | None = "EPSG:2154", driver: str = "GPKG"
) -> None:
    champs = list(lignes[0][1])
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array([g for g, _ in lignes], dtype=object)),
        [
            np.array([p[c] for _, p in lignes], dtype=object if isinstance(lignes[0][1][c], str) else None)
            for c in champs
        ],
        champs,
        geometry_type=lignes[0][0].geom_type,
        layer=couche,
        driver=driver,
        crs=crs,
        append=path.exists(),
        **({} if driver == "GPKG" else {"encoding": "ISO-8859-1"}),
    )


def admin_express(path: Path) -> Path:
    """The layers of a GeoPackage of Admin Express, in Lambert-93."""
    write_layer(path, "commune", objets())
    mairies = [
        (shapely.Point(X0 + COTE * (i + 0.25), Y0 + 500), {"INSEE_COM": code(i, 0), "NOM": "x"}) for i in range(2)
    ]
    write_layer(path, "chflieu_commune", mairies)
    write_layer(path, "epci", [(square(0, 0), {"CODE_SIREN": SUD, "NOM": "Communauté du Sud"})])
    write_layer(path, "departement", [(square(0, 0), {"INSEE_DEP": "42", "NOM": "La Loire"})])
    return path


def test_admin_express(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command(
        "importer_territoire", fichier=str(admin_express(tmp_path / "ade.gpkg")), licence="Licence Ouverte 2.0",
        edition="ADE 2025", verbosity=0,
    )  # fmt: skip
    commune = Commune.objects.select_related("departement", "epci").get(code="42010")
    assert (commune.nom, commune.population, commune.epci.nom, commune.departement.nom) == (
        "L'Étrat 1",
        101,
        "Communauté du Sud",
        "La Loire",
    )
    assert (commune.edition, commune.source, commune.licence) == (
        "ADE 2025",
        "fichier ade.gpkg",
        "Licence Ouverte 2.0",
    )
    assert commune.geom.area == pytest.approx(COTE**2)
    assert (commune.mairie.x, commune.mairie.y) == (X0 + 1.25 * COTE, Y0 + 500)
    assert "1 commune sans position de mairie : L'Étrat 2 (42020)" in capsys.readouterr().err


def test_the_same_in_a_shapefile_and_in_geojson(tmp_path: Path) -> None:
    write_layer(tmp_path / "COMMUNE.shp", "COMMUNE", objets(), driver="ESRI Shapefile")
    mairie = [(shapely.Point(X0 + 500, Y0 + 500), {"INSEE_COM": code(0, 0)})]
    write_layer(tmp_path / "CHFLIEU_COMMUNE.shp", "CHFLIEU_COMMUNE", mairie, driver="ESRI Shapefile")
    geojson = write_geojson(tmp_path / "communes.geojson", objets())
    lus = [fichier.read(tmp_path / "COMMUNE.shp"), fichier.read(geojson)]
    for lu in lus:
        assert [(c.code, c.nom, c.population, c.epci) for c in lu.communes] == [
            (code(i, 0), f"L'Étrat {i}", 100 + i, SUD) for i in range(3)
        ]
        assert all(c.geom.symmetric_difference(square(i, 0)).area < 1 for i, c in enumerate(lu.communes))
    assert lus[0].communes[0].mairie == shapely.Point(X0 + 500, Y0 + 500)


@pytest.mark.parametrize(
    ("champs", "attendu"),
    [
        ({"code_insee": "42000", "nom_officiel": "A", "code_insee_du_departement": "42",
          "codes_siren_des_epci": "200000001/200054781", "population": 5}, ("42000", "A", "42", SUD, 5)),
        ({"INSEE_COM": "2A004", "NOM_M": "AJACCIO", "POPULATION": 5}, ("2A004", "AJACCIO", "2A", None, 5)),
        ({"codgeo": "1004", "libgeo": "Ambérieu", "epci": "NR"}, ("01004", "Ambérieu", "01", None, None)),
        ({"code_insee": "42000", "nom": "A", "departement": "42", "population_municipale": "1 234",
          "epci_siren": SUD, "epci_nom": "CC"}, ("42000", "A", "42", SUD, 1234)),
    ],
)  # fmt: skip
def test_columns_of_every_edition(tmp_path: Path, champs: Mapping[str, Any], attendu: tuple[Any, ...]) -> None:
    lu = fichier.read(write_geojson(tmp_path / "c.geojson", [(square(0, 0), champs)]))
    (c,) = lu.communes
    assert (c.code, c.nom, c.departement, c.epci, c.population) == attendu


def test_only_the_departements_asked(tmp_path: Path) -> None:
    """A national file has overseas départements, which Lambert-93 does not hold: they do not get in the way."""
    loin = {"INSEE_COM": "97105", "NOM": "Basse-Terre", "INSEE_DEP": "971", "POPULATION": 1}
    chemin = write_geojson(tmp_path / "c.geojson", objets())
    contenu = chemin.read_text()
    ailleurs = write_geojson(tmp_path / "d.geojson", [(square(0, 0), loin)]).read_text()
    ailleurs = ailleurs[ailleurs.index('{"type": "Feature",') : -2].replace("[3.", "[-61.").replace("[4.", "[-61.")
    chemin.write_text(contenu[:-2] + ", " + ailleurs + "]}")
    assert {c.departement for c in fichier.read(chemin, ["42"]).communes} == {"42"}
    with pytest.raises(DonneesRefusees, match="ligne 4, champ « géométrie »"):
        fichier.read(chemin)
    with pytest.raises(DonneesRefusees, match="aucune commune du département 43"):
        fichier.read(chemin, ["42", "43"])


PAPILLON = shapely.Polygon([(X0, Y0), (X0 + 2000, Y0 + 2000), (X0 + 2000, Y0), (X0, Y0 + 2000)])


@pytest.mark.parametrize(
    ("rang", "geom", "champs", "message"),
    [
        (1, PAPILLON, {}, r"ligne 2, champ « géométrie » : contour qui se croise"),
        (1, None, {}, r"ligne 2, champ « géométrie » : contour absent"),
        (1, shapely.Point(X0, Y0), {}, r"ligne 2, champ « géométrie », valeur « Point » : un polygone"),
        (2, square(2, 0), {"INSEE_COM": "42000"}, r"ligne 3, champ « code », valeur « 42000 » : .* en double"),
        (0, square(0, 0), {"INSEE_COM": "ABC"}, r"ligne 1, champ « INSEE_COM », valeur « ABC » : ce n'est pas un code"),
        (0, square(0, 0), {"INSEE_COM": ""}, r"ligne 1, champ « INSEE_COM » : code INSEE absent"),
        (0, square(0, 0), {"POPULATION": -5}, r"ligne 1, champ « POPULATION », valeur « -5 » : valeur négative"),
        (0, square(0, 0), {"POPULATION": "beaucoup"}, r"valeur « beaucoup » : ce n'est pas un nombre"),
        (0, square(0, 0), {"INSEE_DEP": "971", "INSEE_COM": "97105"}, r"valeur « 971 » : code de département inconnu"),
        (0, square(0, 0), {"INSEE_DEP": "43"}, r"valeur « 42000 » : le code de la commune n'est pas du département 43"),
        (0, square(0, 0), {"SIREN_EPCI": "12"}, r"valeur « 12 » : numéro SIREN d'EPCI mal formé"),
        (0, square(0, 0), {"NOM": ""}, r"ligne 1, champ « NOM » : valeur obligatoire absente"),
    ],
)  # fmt: skip
def test_faults_name_file_row_and_field_and_nothing_is_written(
    tmp_path: Path, rang: int, geom: shapely.Geometry | None, champs: Mapping[str, Any], message: str
) -> None:
    lignes = objets()
    lignes[rang] = (geom, {**lignes[rang][1], **champs})
    chemin = write_geojson(tmp_path / "communes.geojson", lignes)
    with pytest.raises(CommandError, match=message) as erreur:
        call_command("importer_territoire", fichier=str(chemin), verbosity=0)
    assert "communes.geojson" in str(erreur.value) and "rien n'a été écrit" in str(erreur.value)
    assert not Commune.objects.exists() and not Collectivite.objects.exists()


def test_a_small_untidiness_is_repaired_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lignes = objets()
    # A spike: the ring goes out and back along one line.
    x1, y1 = X0 + COTE, Y0 + COTE
    lignes[0] = (shapely.Polygon([(X0, Y0), (x1, Y0), (x1, y1), (x1, y1 + 50), (x1, y1), (X0, y1)]), lignes[0][1])
    write_layer(
        tmp_path / "c.gpkg",
        "commune",
        [(shapely.MultiPolygon([g]) if g.geom_type == "Polygon" else g, p) for g, p in lignes],
    )
    call_command("importer_territoire", fichier=str(tmp_path / "c.gpkg"), verbosity=0)
    assert Commune.objects.get(code="42000").geom.area == pytest.approx(COTE**2)
    sortie = capsys.readouterr()
    assert "1 contour réparé" in sortie.out
    assert "ligne 1, champ « géométrie » : contour non valide" in sortie.err


@pytest.mark.parametrize(
    ("contenu", "message"),
    [
        ('{"type": "FeatureCollection", "features": []}', "aucune ligne"),
        ("", "vide"),
        ("{", "JSON mal formé"),
        ('{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"a": 1}, "geometry": null}]}',
         "colonne « INSEE_COM »"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_used(tmp_path: Path, contenu: str, message: str) -> None:
    chemin = tmp_path / "communes.geojson"
    chemin.write_text(contenu)
    with pytest.raises(DonneesRefusees, match=message):
        fichier.read(chemin)


def test_reference_missing_or_wrong(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="crs"):
        write_layer(tmp_path / "sans.gpkg", "commune", objets(), crs=None)
    with pytest.raises(DonneesRefusees, match="ne dit pas son système de coordonnées"):
        fichier.read(tmp_path / "sans.gpkg")
    assert len(fichier.read(tmp_path / "sans.gpkg", srid=2154).communes) == 3
    write_layer(tmp_path / "faux.gpkg", "commune", objets(), crs="EPSG:4326")
    with pytest.raises(DonneesRefusees, match="semblent être en mètres"):
        fichier.read(tmp_path / "faux.gpkg")
    write_layer(tmp_path / "utm.gpkg", "commune", objets(), crs="EPSG:32633")
    with pytest.raises(DonneesRefusees, match="sans doute faux"):
        fichier.read(tmp_path / "utm.gpkg")


def test_layer_that_must_be_told(tmp_path: Path) -> None:
    for couche in ("a", "b"):
        write_layer(tmp_path / "c.gpkg", couche, objets())
    with pytest.raises(DonneesRefusees, match="plusieurs couches, précisez laquelle : a, b"):
        fichier.read(tmp_path / "c.gpkg")
    with pytest.raises(DonneesRefusees, match="pas de couche « c »"):
        fichier.read(tmp_path / "c.gpkg", couche="c")
    assert len(fichier.read(tmp_path / "c.gpkg", couche="b").communes) == 3


def test_partial_file_keeps_the_others(tmp_path: Path) -> None:
    complet = write_geojson(tmp_path / "c.geojson", objets(3))
    call_command("importer_territoire", fichier=str(complet), verbosity=0)
    partiel = write_geojson(tmp_path / "p.geojson", objets(1))
    with pytest.raises(CommandError, match="--partiel"):
        call_command("importer_territoire", fichier=str(partiel), verbosity=0)
    call_command("importer_territoire", fichier=str(partiel), partiel=True, verbosity=0)
    assert Commune.objects.filter(active=True).count() == 3


def test_missing_file() -> None:
    with pytest.raises(CommandError, match="lecture impossible"):
        call_command("importer_territoire", fichier="/nulle/part.gpkg", verbosity=0)
