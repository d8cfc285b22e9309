"""Administrative boundaries of small OpenStreetMap files written for the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import shapely

from territoires.importation import osm
from territoires.rapport import DonneesRefusees

LON0, LAT0, PAS = 9.50, 47.10, 0.02


class Carte:
    """Squares of a grid as boundary relations whose ways neighbours share, as in OpenStreetMap."""

    def __init__(self) -> None:
        self.noeuds: dict[tuple[int, int], int] = {}
        self.chemins: dict[tuple[tuple[int, int], tuple[int, int]], int] = {}
        self.relations: list[str] = []
        self.lieux: list[str] = []

    def _side(self, a: tuple[int, int], b: tuple[int, int]) -> int:
        for point in (a, b):
            self.noeuds.setdefault(point, len(self.noeuds) + 1)
        return self.chemins.setdefault((min(a, b), max(a, b)), len(self.chemins) + 1)

    def add(
        self,
        cases: Sequence[tuple[int, int]],
        niveau: int,
        centre: int | None = None,
        role: str = "admin_centre",
        incomplete: bool = False,
        **tags: str,
    ) -> None:
        """A boundary around grid cells."""
        cotes: dict[int, int] = {}
        for i, j in cases:
            for a, b in (
                ((i, j), (i + 1, j)),
                ((i + 1, j), (i + 1, j + 1)),
                ((i, j + 1), (i + 1, j + 1)),
                ((i, j), (i, j + 1)),
            ):
                chemin = self._side(a, b)
                cotes[chemin] = cotes.get(chemin, 0) + 1
        membres = [c for c, n in cotes.items() if n == 1]
        if incomplete:
            membres[0] = 999
        textes = {"boundary": "administrative", "type": "boundary", "admin_level": str(niveau), **tags}
        self.relations.append(
            f'<relation id="{len(self.relations) + 1}" version="1">'
            + "".join(f'<member type="way" ref="{c}" role="outer"/>' for c in membres)
            + (f'<member type="node" ref="{centre}" role="{role}"/>' if centre else "")
            + _tags(textes)
            + "</relation>"
        )

    def place(self, x: float, y: float, **tags: str) -> int:
        """A node with tags; returns its number."""
        numero = 500 + len(self.lieux)
        lon, lat = LON0 + PAS * x, LAT0 + PAS * y
        self.lieux.append(f'<node id="{numero}" version="1" lon="{lon}" lat="{lat}">{_tags(tags)}</node>')
        return numero

    def write(self, path: Path) -> Path:
        noeuds = "".join(
            f'<node id="{n}" version="1" lon="{LON0 + PAS * i}" lat="{LAT0 + PAS * j}"/>'
            for (i, j), n in self.noeuds.items()
        )
        chemins = "".join(
            f'<way id="{n}" version="1"><nd ref="{self.noeuds[a]}"/><nd ref="{self.noeuds[b]}"/></way>'
            for (a, b), n in self.chemins.items()
        )
        path.write_text(
            f'<?xml version="1.0"?><osm version="0.6">{noeuds}{"".join(self.lieux)}{chemins}'
            f"{''.join(self.relations)}</osm>",
            encoding="utf-8",
        )
        return path


def _tags(tags: Mapping[str, str]) -> str:
    return "".join(f'<tag k="{k.replace("__", ":")}" v="{v}"/>' for k, v in tags.items())


def country() -> Carte:
    """Oberland of two communes, Unterland of one, side by side."""
    carte = Carte()
    mairie = carte.place(0.9, 0.9, amenity="townhall", name="Mairie")
    assert mairie == 500
    carte.place(0.5, 0.5, place="town", name="Vaduz", population="5 229")
    centre = carte.place(1.3, 0.3, place="village", name="Ailleurs", population="450")
    carte.place(2.5, 0.5, place="hamlet", name="Hameau", population="12")
    carte.add([(0, 0), (1, 0)], 6, name="Oberland")
    carte.add([(2, 0)], 6, name="Unterland", ISO3166_2="x")
    carte.add([(0, 0)], 8, name="Vaduz", wikidata="Q1844")
    carte.add([(1, 0)], 8, centre=centre, name="Schaan")
    carte.add([(2, 0)], 8, name="Eschen", **{"ISO3166-2": "LI-02"})
    return carte


def test_communes_lie_in_their_collectivites(tmp_path: Path) -> None:
    lu = osm.read(country().write(tmp_path / "pays.osm"), 6, 8)
    assert lu.type_decoupage == "autre"
    assert {(c.type, c.code, c.nom) for c in lu.collectivites} == {
        ("autre", "oberland", "Oberland"),
        ("autre", "unterland", "Unterland"),
    }
    assert {(c.code, c.nom, c.departement, c.population) for c in lu.communes} == {
        ("Q1844", "Vaduz", "oberland", 5229),
        ("r4", "Schaan", "oberland", 450),
        ("LI-02", "Eschen", "unterland", None),
    }
    # The outlines of collectivités are those of their communes, so that shared edges are exact.
    assert all(c.geom is None for c in lu.collectivites)
    assert all(c.geom.is_valid and c.geom.contains(c.mairie) for c in lu.communes)
    par_nom = {c.nom: c for c in lu.communes}
    # Town hall before the place of the same name; the relation's centre before any other place.
    assert par_nom["Vaduz"].mairie.distance(shapely.Point(par_nom["Vaduz"].geom.centroid)) > 500
    assert [str(c) for c in lu.rapport.warnings if "Eschen" in c.message] == [
        "pays.osm, champ « population » : Eschen : population absente du fichier."
    ]
    assert "OpenStreetMap" in lu.source and lu.licence == "ODbL 1.0"


def test_neighbours_share_their_edges_exactly(tmp_path: Path) -> None:
    lu = osm.read(country().write(tmp_path / "pays.osm"), 6, 8)
    vaduz, schaan = (next(c.geom for c in lu.communes if c.nom == nom) for nom in ("Vaduz", "Schaan"))
    assert vaduz.intersection(schaan).geom_type == "LineString"
    assert vaduz.intersection(schaan).length == pytest.approx(2223, rel=0.01)


def test_one_level_for_both(tmp_path: Path) -> None:
    carte = Carte()
    for i, nom in enumerate(("Canillo", "Encamp")):
        carte.add([(i, 0)], 7, name=nom, **{"ISO3166-2": f"AD-0{i}"})
    lu = osm.read(carte.write(tmp_path / "pays.osm"), 7, 7)
    assert [(c.code, c.departement) for c in lu.communes] == [("AD-00", "AD-00"), ("AD-01", "AD-01")]


def test_french_boundaries_are_departements(tmp_path: Path) -> None:
    carte = Carte()
    carte.add([(0, 0)], 6, name="Loire", **{"ref:INSEE": "42"})
    carte.add([(0, 0)], 8, name="Roanne", population="34 000", **{"ref:INSEE": "42187"})
    lu = osm.read(carte.write(tmp_path / "pays.osm"), 6, 8)
    assert [(c.type, c.code) for c in lu.collectivites] == [("departement", "42")]
    assert [(c.code, c.population) for c in lu.communes] == [("42187", 34000)]


def test_what_does_not_fit_is_left_out_and_said(tmp_path: Path) -> None:
    carte = country()
    carte.add([(5, 5)], 8, name="Dehors")
    carte.add([(7, 7)], 6, name="Sans commune")
    carte.add([(8, 8)], 8, name="Coupée", incomplete=True)
    lu = osm.read(carte.write(tmp_path / "pays.osm"), 6, 8)
    assert len(lu.communes) == 3 and len(lu.collectivites) == 2
    textes = " ".join(str(c) for c in lu.rapport.warnings)
    assert "1 commune hors de toute collectivité lue, non reprise(s) : Dehors" in textes
    assert "sans commune dans le fichier, laissées de côté : Sans commune" in textes
    assert "1 limite administrative incomplète dans le fichier, sans contour : Coupée" in textes


def test_a_collectivite_larger_than_its_communes_keeps_its_own_boundary(tmp_path: Path) -> None:
    carte = Carte()
    carte.add([(0, 0), (1, 0)], 6, name="Grand")
    carte.add([(0, 0)], 8, name="Seule", population="n/c")
    lu = osm.read(carte.write(tmp_path / "pays.osm"), 6, 8)
    (grand,) = lu.collectivites
    assert grand.geom is not None and grand.geom.area > 1.9 * lu.communes[0].geom.area
    assert any("couvrent autre chose" in c.message and "50,0 %" in c.message for c in lu.rapport.warnings)
    assert lu.communes[0].population is None


def test_equal_names_get_different_codes(tmp_path: Path) -> None:
    carte = Carte()
    for i in range(2):
        carte.add([(i, 0)], 6, name="Nord")
        carte.add([(i, 0)], 8, name=f"C{i}")
    assert sorted(c.code for c in osm.read(carte.write(tmp_path / "p.osm"), 6, 8).collectivites) == ["nord", "nord-2"]


def test_levels_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(DonneesRefusees, match=r"aucune limite administrative complète de niveau 4 .*6 \(2\), 8 \(3\)"):
        osm.read(country().write(tmp_path / "pays.osm"), 4, 8)


@pytest.mark.parametrize("octets", [b"", b"\x00\x01garbage", b"<osm><node"])
def test_files_that_cannot_be_read(tmp_path: Path, octets: bytes) -> None:
    chemin = tmp_path / "abime.osm.pbf"
    chemin.write_bytes(octets)
    with pytest.raises(DonneesRefusees, match=r"abime\.osm\.pbf : fichier OpenStreetMap absent, vide ou abîmé"):
        osm.read(chemin, 6, 8)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DonneesRefusees, match="absent"):
        osm.read(tmp_path / "rien.osm.pbf", 6, 8)
