"""Tables as agents send them: every habit read, every fault named by file, row and field."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from territoires.formats import decode, separator
from territoires.rapport import DonneesRefusees, Gravite, Rapport
from territoires.tableur import normalise, parse_number, read_table

TITRES = "Nom;Capacité (t/an);Longitude;Latitude;Code INSEE\n"


def _read(path: Path, **options: object) -> tuple[object, Rapport]:
    rapport = Rapport()
    return read_table(path, rapport, **options), rapport  # type: ignore[arg-type]


@pytest.mark.parametrize("encodage", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("sep", [";", ",", "\t"])
def test_csv_of_any_habit_reads_the_same(tmp_path: Path, encodage: str, sep: str) -> None:
    fichier = tmp_path / "centres.csv"
    lignes = [
        ["Nom", "Capacité (t/an)", "Longitude", "Latitude", "Code INSEE"],
        ["Déchèterie « L’Étrat »", '"1 234,5"', '"4,3872"', '"45,4397"', "42092"],
    ]
    fichier.write_bytes("\r\n".join(sep.join(ligne) for ligne in lignes).encode(encodage))
    tableau, rapport = _read(fichier)
    assert not rapport.errors
    (ligne,) = tableau.lignes
    assert ligne.text("nom") == "Déchèterie « L’Étrat »"
    assert ligne.number("capacite_t_an") == 1234.5
    assert ligne.insee("code_insee") == "42092"
    point = ligne.point()
    # Lambert-93 of 4.3872 E, 45.4397 N by IGN's formulas.
    assert (point.x, point.y) == pytest.approx((808_459, 6_482_946), abs=400)


@pytest.mark.parametrize(
    ("texte", "valeur"),
    [
        ("12", 12.0),
        ("12,5", 12.5),
        ("12.5", 12.5),
        ("1 234,5", 1234.5),
        ("1\u202f234,5", 1234.5),
        ("1\u00a0234", 1234.0),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("-3,0", -3.0),
        ("1e3", 1000.0),
        ("", None),
        ("NC", None),
        (" - ", None),
    ],
)
def test_numbers(texte: str, valeur: float | None) -> None:
    assert parse_number(texte) == valeur


@pytest.mark.parametrize("texte", ["douze", "12 t", "inf", "nan", "1,2,3", "--5", "0x10"])
def test_not_a_number(texte: str) -> None:
    with pytest.raises(ValueError, match=texte.replace("+", "")):
        parse_number(texte)


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.booleans())
def test_any_number_written_with_point_or_comma_reads_back(nombre: float, virgule: bool) -> None:
    texte = repr(nombre).replace(".", ",") if virgule else repr(nombre)
    assert parse_number(texte) == nombre


@given(st.text())
def test_normalised_names_are_stable(nom: str) -> None:
    assert normalise(normalise(nom)) == normalise(nom)
    assert normalise(nom.upper()) == normalise(nom.upper().lower())


@given(st.binary(max_size=200).filter(lambda b: b"\0" not in b and not b.startswith((b"\xff\xfe", b"\xfe\xff"))))
def test_any_text_without_mark_decodes(octets: bytes) -> None:
    texte, _ = decode(octets)
    assert isinstance(texte, str)


def test_separator_is_told_by_regular_rows() -> None:
    assert separator("a;b\n1,5;2,5\n3,5;4,5\n") == ";"
    assert separator('a,b\n"1;5",2\n') == ","


def test_every_fault_names_file_row_and_field(tmp_path: Path) -> None:
    fichier = tmp_path / "centres.csv"
    fichier.write_text(
        TITRES
        + "A;douze;4,4;45,4;42218\n"
        + "B;-5;45,4;4,4;1004\n"
        + "\n"
        + ";1;812000;6485000;42ABC\n"
        + "D;1;4,4;45,4;42218;en trop\n"
        + "E;1;-70;45,4;42218\n",
        encoding="utf-8",
    )
    tableau, rapport = _read(fichier)
    points = []
    for ligne in tableau.lignes:
        ligne.text("nom", required=True)
        ligne.number("Capacité (t/an)", minimum=0)
        ligne.insee("code insee", required=True)
        points.append(ligne.point(required=True))
    vus = {(c.gravite, c.ligne, c.champ, c.valeur) for c in rapport.constats}
    assert vus == {
        (Gravite.ERREUR, 2, "Capacité (t/an)", "douze"),
        (Gravite.ERREUR, 3, "Capacité (t/an)", "-5"),
        (Gravite.AVERTISSEMENT, 3, "Code INSEE", "1004"),
        (Gravite.ERREUR, 3, "Longitude, Latitude", "45,4 ; 4,4"),
        (Gravite.ERREUR, 5, "Nom", ""),
        (Gravite.ERREUR, 5, "Code INSEE", "42ABC"),
        (Gravite.ERREUR, 6, "", ""),
        (Gravite.ERREUR, 7, "Longitude, Latitude", "-70 ; 45,4"),
    }
    assert [p is None for p in points] == [False, True, False, True]
    assert "inversées" in str(rapport.errors) and "centres.csv, ligne 3" in str(
        next(str(c) for c in rapport.errors if c.valeur == "45,4 ; 4,4")
    )
    with pytest.raises(DonneesRefusees, match=r"centres\.csv, ligne 2, champ « Capacité \(t/an\) », valeur « douze »"):
        rapport.raise_if_errors()


def test_a_row_on_two_lines_keeps_its_first_number(tmp_path: Path) -> None:
    fichier = tmp_path / "x.csv"
    fichier.write_text('nom;n\n"deux\nlignes";1\nsuite;x\n', encoding="utf-8")
    tableau, _ = _read(fichier)
    assert [ligne.numero for ligne in tableau.lignes] == [2, 4]


@pytest.mark.parametrize(
    ("nom", "octets", "message"),
    [
        ("vide.csv", b"", "vide"),
        ("vide.csv", b"  \n\n", "vide"),
        ("titre.csv", b"a;b\n", "aucune ligne"),
        ("x.csv", b"a;a\n1;2\n", "en double"),
        ("x.csv", b"PNG\x00\x01\x02;;", "texte"),
        ("x.geojson", b"{", "ligne 1, colonne 2"),
        ("x.geojson", b'{"type": "Point"}', "FeatureCollection"),
        ("x.gpkg", b"", "vide"),
        ("x.gpkg", b"<OGRVRTDataSource/>", "pas un fichier .gpkg"),
        ("x.gpkg", b"SQLite format 3\0" + b"\x01" * 300, "illisible"),
        ("x.xlsx", b"PK\x03\x04abc", "illisible"),
        ("x.doc", b"abc", "non lu"),
    ],
)
def test_unreadable_files_say_why(tmp_path: Path, nom: str, octets: bytes, message: str) -> None:
    fichier = tmp_path / nom
    fichier.write_bytes(octets)
    _tableau, rapport = _read(fichier)
    assert message in str([str(c) for c in rapport.errors])
    assert rapport.errors[0].fichier == nom


def test_missing_file(tmp_path: Path) -> None:
    _, rapport = _read(tmp_path / "absent.csv")
    assert "lecture impossible" in str(rapport.errors[0])


def test_required_columns(tmp_path: Path) -> None:
    fichier = tmp_path / "x.csv"
    fichier.write_text("nom,y\na,1\n", encoding="utf-8")
    tableau, rapport = _read(fichier)
    tableau.require("nom", ("proprietaire", "epci"))
    assert [str(c) for c in rapport.errors] == [
        "x.csv : colonne « proprietaire » ou « epci » absente (colonnes : nom, y)."
    ]


def test_xlsx_numbers_dates_and_booleans(tmp_path: Path) -> None:
    classeur = openpyxl.Workbook()
    feuille = classeur.active
    feuille.append(["nom", "code", "ouvert", "tonnes"])
    feuille.append(["Lay", 42118, True, 12.25])
    feuille.append([None, None, None, None])
    feuille.append(["Régny", 42181.0, "non", "1 200"])
    classeur.save(tmp_path / "x.xlsx")
    tableau, rapport = _read(tmp_path / "x.xlsx")
    assert [(r.numero, r.insee("code"), r.boolean("ouvert"), r.number("tonnes")) for r in tableau.lignes] == [
        (2, "42118", True, 12.25),
        (4, "42181", False, 1200.0),
    ]
    assert not rapport.constats


def test_ods(tmp_path: Path) -> None:
    geoms = None
    pyogrio.raw.write(
        tmp_path / "x.ods",
        geometry=geoms,
        field_data=[np.array(["Lay", "Régny"], dtype=object), np.array(["01004", "42181"], dtype=object)],
        fields=["nom", "code"],
        driver="ODS",
        layer="centres",
    )
    tableau, rapport = _read(tmp_path / "x.ods")
    assert not rapport.errors
    assert [(r.numero, r.text("nom"), r.insee("code")) for r in tableau.lignes] == [
        (2, "Lay", "01004"),
        (3, "Régny", "42181"),
    ]


def _geojson(path: Path, coordonnees: list[list[float]], crs: str | None = None) -> Path:
    contenu: dict[str, object] = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"nom": str(k), "liste": ["a", "b"]},
                "geometry": {"type": "Point", "coordinates": c},
            }
            for k, c in enumerate(coordonnees)
        ],
    }
    if crs:
        contenu["crs"] = {"type": "name", "properties": {"name": crs}}
    path.write_text(json.dumps(contenu))
    return path


def test_geojson_is_degrees_unless_it_says_otherwise(tmp_path: Path) -> None:
    degres, _ = _read(_geojson(tmp_path / "a.geojson", [[3.0, 46.5]]))
    metres, _ = _read(_geojson(tmp_path / "b.geojson", [[700_000, 6_600_000]], "urn:ogc:def:crs:EPSG::2154"))
    # 3 E, 46.5 N is the origin of Lambert-93: x = 700 000, y = 6 600 000 by definition.
    for tableau in (degres, metres):
        assert tableau.lignes[0].point().distance(shapely.Point(700_000, 6_600_000)) < 0.01
    assert degres.lignes[0].text("liste") == '["a", "b"]'


def test_metres_said_to_be_degrees(tmp_path: Path) -> None:
    fichier = _geojson(tmp_path / "a.geojson", [[700_000, 6_600_000]])
    _, rapport = _read(fichier)
    assert "en mètres" in str(rapport.errors[0])
    tableau, rapport = _read(fichier, srid=2154)
    assert not rapport.errors and tableau.lignes[0].point() == shapely.Point(700_000, 6_600_000)


def test_one_stray_position_and_all_stray(tmp_path: Path) -> None:
    _, rapport = _read(_geojson(tmp_path / "a.geojson", [[3.0, 46.5], [100.0, 10.0]]))
    assert [(c.ligne, c.champ) for c in rapport.errors] == [(2, "géométrie")]
    _, rapport = _read(_geojson(tmp_path / "b.geojson", [[100.0, 10.0]]))
    assert [c.ligne for c in rapport.errors] == [None]


@pytest.mark.parametrize("crs", ["EPSG:999999", "n'importe quoi"])
def test_unknown_reference(tmp_path: Path, crs: str) -> None:
    _, rapport = _read(_geojson(tmp_path / "a.geojson", [[3.0, 46.5]], crs))
    assert "inconnu" in str(rapport.errors[0])


def test_geopackage_layers_and_missing_reference(tmp_path: Path) -> None:
    fichier = tmp_path / "x.gpkg"
    points = shapely.to_wkb(np.array([shapely.Point(700_000, 6_600_000)]))
    nom = [np.array(["a"], dtype=object)]
    with pytest.warns(UserWarning, match="crs"):
        pyogrio.raw.write(fichier, points, nom, ["nom"], geometry_type="Point", layer="sans", driver="GPKG")
    pyogrio.raw.write(
        fichier, points, nom, ["nom"], geometry_type="Point", layer="avec", driver="GPKG", crs="EPSG:2154", append=True
    )
    _, rapport = _read(fichier)
    assert "plusieurs couches" in str(rapport.errors[0]) and "sans, avec" in str(rapport.errors[0])
    _, rapport = _read(fichier, couche="autre")
    assert "pas de couche « autre »" in str(rapport.errors[0])
    _, rapport = _read(fichier, couche="sans")
    assert "ne dit pas son système" in str(rapport.errors[0])
    tableau, rapport = _read(fichier, couche="avec")
    assert not rapport.errors and tableau.lignes[0].point() == shapely.Point(700_000, 6_600_000)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats() | st.text(max_size=5),
    lambda feuilles: st.lists(feuilles, max_size=4) | st.dictionaries(st.text(max_size=5), feuilles, max_size=4),
    max_leaves=12,
)
FEATURE = st.fixed_dictionaries(
    {"type": st.just("Feature")},
    optional={
        "properties": JSON,
        "geometry": JSON
        | st.fixed_dictionaries(
            {"type": st.sampled_from(["Point", "Polygon", "MultiPolygon", "Rien"])}, optional={"coordinates": JSON}
        ),
    },
)


def _never_raises(path: Path) -> None:
    rapport = Rapport()
    tableau = read_table(path, rapport)
    for ligne in tableau.lignes:
        ligne.point()
        ligne.number(*tableau.colonnes or ["x"])
    assert tableau.lignes or rapport.errors


@given(st.binary(max_size=300), st.sampled_from([".csv", ".geojson", ".xlsx", ".ods", ".gpkg", ".shp", ".fgb"]))
def test_no_file_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, octets: bytes, extension: str) -> None:
    debuts = {".xlsx": b"PK\x03\x04", ".ods": b"PK\x03\x04", ".gpkg": b"SQLite format 3\0", ".fgb": b"fgb\x03fgb\x00"}
    fichier = tmp_path_factory.getbasetemp() / f"hasard{extension}"
    fichier.write_bytes(debuts.get(extension, b"") + octets)
    _never_raises(fichier)


@given(
    st.fixed_dictionaries(
        {"type": st.just("FeatureCollection"), "features": st.lists(FEATURE | JSON, max_size=4)}, optional={"crs": JSON}
    )
)
def test_no_geojson_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, contenu: dict) -> None:
    fichier = tmp_path_factory.getbasetemp() / "hasard.geojson"
    fichier.write_text(json.dumps(contenu))
    _never_raises(fichier)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_truncated_geopackage(tmp_path: Path, part: float) -> None:
    fichier = tmp_path / "x.gpkg"
    points = shapely.to_wkb(shapely.points(np.random.default_rng(0).uniform(0, 1, (2000, 2))))
    pyogrio.raw.write(
        fichier,
        points,
        [np.array(["nom"] * 2000, dtype=object)],
        ["nom"],
        geometry_type="Point",
        driver="GPKG",
        crs="EPSG:2154",
    )
    octets = fichier.read_bytes()
    fichier.write_bytes(octets[: int(len(octets) * part)])
    _, rapport = _read(fichier)
    assert rapport.errors
