"""Real road layers and extracts: counts of their documentation, limits crossed, lengths kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from geodata.classes import Classe, Gestion
from geodata.decoupe import cut, points_passage
from geodata.lecture_osm import OMIS_NOEUDS, read_osm
from geodata.lecture_routes import LIGNES, OMIS_NON_CARROSSABLE, read_lines
from geodata.reseau import TableauxReseau, validate

pytestmark = pytest.mark.reel


def departements(donnees: Path, *codes: str) -> list[tuple[str, shapely.Geometry]]:
    """Départements as the union of their communes: neighbours share exact edges."""
    communes = pyogrio.read_dataframe(donnees / "communes" / "communes-13-departements.gpkg").to_crs(2154)
    colonne = next(c for c in communes.columns if c.lower() in ("departement", "departement_id", "dep"))
    return [(code, shapely.union_all(communes.geometry[communes[colonne] == code].values)) for code in codes]


def assert_cut(avant: TableauxReseau, apres: TableauxReseau, aires: list[tuple[str, shapely.Geometry]]) -> None:
    """Length kept, every piece in one area, points de passage where two of them meet."""
    validate(apres)
    assert apres.longueur_m.sum(dtype=float) == pytest.approx(avant.longueur_m.sum(dtype=float), rel=1e-6)
    lignes = shapely.linestrings(
        np.column_stack([apres.geom_x, apres.geom_y]),
        indices=np.repeat(np.arange(apres.n_troncons), np.diff(apres.geom_debut)),
    )
    libres = ~apres.mitoyenne
    for i, (_, polygone) in enumerate(aires):
        shapely.prepare(polygone)
        touche = np.flatnonzero(libres & shapely.intersects(polygone, lignes))
        dedans = shapely.length(shapely.intersection(lignes[touche], polygone))
        ailleurs = apres.departement[touche] != i
        assert dedans[ailleurs].max(initial=0) < 0.25, "no piece goes on in another area"
        ici = touche[~ailleurs]
        np.testing.assert_allclose(dedans[~ailleurs], shapely.length(lignes[ici]), atol=0.25)
    assert len(points_passage(apres)) >= np.count_nonzero(apres.noeud_passage)


def test_main_roads_of_loire_and_haute_loire(donnees: Path) -> None:
    lu = read_lines(donnees / "routes" / "reseau-principal-42-43.gpkg", "troncons")
    validate(lu)
    assert (lu.n_noeuds, lu.n_troncons) == (4050, 5485) and not lu.omis
    assert lu.longueur_m.sum(dtype=float) / 1000 == pytest.approx(11_179, abs=1)
    assert np.bincount(lu.gestion, minlength=4).tolist()[:4] == [58, 162, 5001, 264]
    assert set(lu.classe[lu.gestion == Gestion.NATIONALE].tolist()) == {Classe.PRIMAIRE}
    aires = departements(donnees, "42", "43")
    apres = cut(lu, aires)
    assert_cut(lu, apres, aires)
    km = {c: apres.longueur_m[apres.departement == i].sum(dtype=float) / 1000 for i, c in enumerate(("42", "43"))}
    # The documentation gives each edge whole to the département it lies in.
    assert km["42"] == pytest.approx(3398, rel=0.01) and km["43"] == pytest.approx(3067, rel=0.01)
    refs = {p.ref for p in points_passage(apres)}
    assert {"D10", "D12", "D24", "D44", "D91", "D101", "D498", "D500", "D501", "D503", "M108", "M109", "N88"} <= refs
    # 22 edges join a node of one side to a node of the other: each is cut.
    nord, sud = (aires[0][1], aires[1][1])
    d42, d43 = (shapely.contains_xy(p, *_xy(lu, aires)) for p in (nord, sud))
    traversent = np.count_nonzero((d42[lu.source] & d43[lu.cible]) | (d43[lu.source] & d42[lu.cible]))
    assert traversent == 22
    assert apres.noeud_passage.sum() >= traversent


def _xy(lu: TableauxReseau, aires: list[tuple[str, shapely.Geometry]]) -> tuple[np.ndarray, np.ndarray]:
    projete = cut(lu, [])
    return projete.noeud_x, projete.noeud_y


def test_bd_topo_across_essonne_and_seine_et_marne(donnees: Path) -> None:
    lu = read_lines(donnees / "bdtopo" / "reseau-routier-91-77.csv", srid=4326)
    validate(lu)
    assert (lu.n_noeuds, lu.n_troncons, lu.lus[LIGNES]) == (5820, 8086, 8086)
    assert lu.longueur_m.sum(dtype=float) / 1000 == pytest.approx(686, rel=0.003)
    aires = departements(donnees, "91", "77")
    apres = cut(lu, aires)
    assert_cut(lu, apres, aires)
    assert len(points_passage(apres)) >= 60
    assert apres.mitoyenne.any(), "some streets follow the limit"


def test_bd_topo_v2_layer_and_words(donnees: Path) -> None:
    lu = read_lines(donnees / "bdtopo" / "olemps-12-bdtopo-v2.gpkg", "route")
    validate(lu)
    assert lu.srid == 2154 and lu.lus[LIGNES] + lu.omis[OMIS_NON_CARROSSABLE] == 4981
    departementales = lu.gestion == Gestion.DEPARTEMENTALE
    assert departementales.sum() == 589 and lu.longueur_m[departementales].sum() / 1000 == pytest.approx(57, abs=0.5)
    assert (lu.gestion == Gestion.NATIONALE).sum() == 67
    assert lu.sens_unique.any() and lu.pont.any() and not np.isnan(lu.largeur_m).all()
    assert not [nom for nom in lu.lus if "inconnu" in nom or "illisible" in nom]


def test_redon_is_cut_at_a_real_limit(donnees: Path) -> None:
    lu = read_osm([donnees / "osm" / "redon-35-44.osm.pbf"])
    assert lu.omis[OMIS_NOEUDS] == 212
    aires = departements(donnees, "35", "44")
    apres = cut(lu, aires)
    assert_cut(lu, apres, aires)
    assert {apres.decoupage[d] for d in set(apres.departement.tolist()) if d >= 0} == {"35", "44"}
    points = points_passage(apres)
    assert points and all((p.departement_a, p.departement_b) == ("35", "44") for p in points)


def test_several_extracts_read_as_one(donnees: Path) -> None:
    fichiers = [donnees / "osm" / f for f in ("redon-35-44.osm.pbf", "liechtenstein-2021-05.osm.pbf")]
    ensemble = read_osm([*fichiers, fichiers[0]])
    seuls = [read_osm([f]) for f in fichiers]
    validate(ensemble)
    assert ensemble.n_troncons == sum(s.n_troncons for s in seuls)
    assert ensemble.n_noeuds == sum(s.n_noeuds for s in seuls)
