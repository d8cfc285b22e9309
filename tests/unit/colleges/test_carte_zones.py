"""From communes and collèges to a problem: parts of towns, borders, who stands where, who is counted where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pyproj
import pytest
import shapely

from collèges.carte_scolaire import CarteScolaire, CollegePublic, SecteurCommune, merged_by_name
from collèges.carte_zones import (
    Commune,
    Zone,
    adjacency,
    border_block,
    build_problem,
    nearest_today,
    pupils_by_population,
    read_communes,
    towns_in_parts,
    zones_of_carte,
    zones_of_communes,
)
from collèges.controle import check_evaluation
from collèges.evaluation import evaluate
from collèges.probleme import AUCUN
from collèges.resultat import present_plan

VERS_DEGRES = pyproj.Transformer.from_crs(2154, 4326, always_xy=True)
X0, Y0 = 800_000.0, 6_450_000.0


def commune(nom: str, colonne: float, rang: float = 0.0, *, largeur: float = 1.0, dep: str = "42") -> Commune:
    """A square of 1 km (or wider) on a grid of kilometres."""
    x, y = X0 + colonne * 1000, Y0 + rang * 1000
    carre = shapely.box(x, y, x + 1000 * largeur, y + 1000)
    return Commune(f"{dep}00{nom}", nom, dep, 1000.0 * largeur, carre, x + 500 * largeur, y + 500)


def college(
    uai: str, colonne: float, rang: float = 0.5, *, dep: str = "42", effectif: float | None = 100.0
) -> CollegePublic:
    """A collège at a place given in kilometres of the same grid."""
    lon, lat = VERS_DEGRES.transform(X0 + colonne * 1000, Y0 + rang * 1000)
    return CollegePublic(uai, f"Collège {uai}", "Public", "", dep, float(lon), float(lat), effectif, 100.0)


def secteur(c: Commune, *uai: str, par_rues: bool = False) -> SecteurCommune:
    return SecteurCommune(c.code, c.nom, uai, (1,) * len(uai), par_rues)


# --- zones ------------------------------------------------------------------------------------------------


def test_a_town_cut_by_streets_becomes_parts_that_stay() -> None:
    ville, village = commune("1", 0, largeur=4), commune("2", 4)
    colleges = {c.uai: c for c in (college("A", 1.0, effectif=300.0), college("B", 3.0, effectif=100.0))}
    carte = CarteScolaire((secteur(ville, "A", "B", par_rues=True), secteur(village, "B")), 3, ())
    zones, remarques = zones_of_carte(carte, [ville, village], colleges)
    assert [(z.code, z.colleges, z.figee) for z in zones] == [
        ("42001-A", ("A",), True),
        ("42001-B", ("B",), True),
        ("42002", ("B",), False),
    ]
    assert [z.population for z in zones] == [3000.0, 1000.0, 1000.0]
    assert shapely.union_all([z.polygone for z in zones[:2]]).area == pytest.approx(4e6)
    # The limit between the two parts is half-way: x = 2 km.
    assert zones[0].polygone.bounds[2] == pytest.approx(X0 + 2000, abs=1.0)
    assert "1 (2 parties)" in remarques[0]


def test_a_collège_out_of_reach_has_no_part() -> None:
    ville = commune("1", 0)
    colleges = {c.uai: c for c in (college("A", 0.5), college("B", 0.6), college("C", 90.0))}
    carte = CarteScolaire((secteur(ville, "A", "B", "C", par_rues=True),), 3, ())
    zones, remarques = zones_of_carte(carte, [ville], colleges)
    assert remarques[-1] == "collèges trop loin de la commune pour y avoir une partie : Collège C (C, 1)"
    assert [z.colleges for z in zones] == [("A",), ("B",)]
    assert sum(z.population for z in zones) == pytest.approx(ville.population)


@pytest.mark.parametrize("autre", [None, 3.5])
@pytest.mark.parametrize("memes", ["AB", "ABC"])
def test_collèges_at_one_place_all_have_a_part(memes: str, autre: float | None) -> None:
    """Inhabitants shared as their pupils, and the arbitrary limit told."""
    ville = commune("1", 0, largeur=4)
    colleges = {u: college(u, 1.0, effectif=100.0 * (k + 1)) for k, u in enumerate(memes)}
    if autre is not None:
        colleges["Z"] = college("Z", autre, effectif=100.0)
    carte = CarteScolaire((secteur(ville, *colleges, par_rues=True),), 3, ())
    zones, remarques = zones_of_carte(carte, [ville], colleges)
    assert [z.colleges for z in zones] == [(u,) for u in colleges]
    eleves = np.array([c.effectif for c in colleges.values()], dtype=float)
    np.testing.assert_allclose([z.population for z in zones], 4000.0 * eleves / eleves.sum())
    assert all(z.polygone.area > 1e5 for z in zones)
    assert sum(z.polygone.area for z in zones) == pytest.approx(ville.polygone.area)
    assert f"séparés par une limite arbitraire : 1 ({', '.join(memes)})" in remarques[-1]
    # Where no sector is known too.
    assert len(zones_of_communes([ville], list(colleges.values()))) == len(colleges)


def test_more_than_two_collèges_are_brought_down_to_the_two_nearest() -> None:
    village = commune("1", 0)
    colleges = {c.uai: c for c in (college("A", 9.0), college("B", 0.5), college("C", 2.0))}
    zones, remarques = zones_of_carte(CarteScolaire((secteur(village, "A", "B", "C"),), 3, ()), [village], colleges)
    assert zones[0].colleges == ("B", "C")
    assert "gardés : B, C" in remarques[0]


def test_a_merged_commune_is_shared_by_the_collèges_of_its_former_communes() -> None:
    """The name of today has gained that of the former commune; another, whose trace is lost, is named."""
    neuve = replace(commune("1", 0), nom="Chapelle-Fleurigné")
    voisine = replace(commune("2", 1), nom="Fleury")
    colleges = {c.uai: c for c in (college("A", 0.5), college("B", 1.5))}
    lignes = (
        SecteurCommune("42001", "La Chapelle-Janson", ("A",), (1,), False),
        SecteurCommune("42002", "Fleury", ("A",), (1,), False),
        SecteurCommune("42112", "Fleurigné", ("B",), (1,), False),
        SecteurCommune("42113", "La Fontenelle", ("B",), (1,), False),
    )
    carte = CarteScolaire(lignes, 4, ())
    zones, remarques = zones_of_carte(carte, [neuve, voisine], colleges)
    assert [(z.code, z.colleges) for z in zones] == [("42001", ("A", "B")), ("42002", ("A",))]
    assert remarques == [
        "communes nouvelles dont les anciennes communes ont des collèges différents, partagées entre eux (1) : "
        "Chapelle-Fleurigné (42001 : La Chapelle-Janson A ; Fleurigné B)",
        "anciennes communes dont on ne sait pas la commune d'aujourd'hui, secteur non reporté (1) : "
        "La Fontenelle (42113, B)",
    ]
    # A table says more than names.
    zones, remarques = zones_of_carte(carte, [neuve, voisine], colleges, {"42112": "42001", "42113": "42002"})
    assert [z.colleges for z in zones] == [("A", "B"), ("A", "B")]
    assert len(remarques) == 1 and "Fleury (42002 : Fleury A ; La Fontenelle B)" in remarques[0]


def test_names_that_do_not_tell_merge_nothing() -> None:
    """Two communes have gained the word, or the word was there before: no guess."""
    lignes = (
        SecteurCommune("42001", "Le Bourg", ("A",), (1,), False),
        SecteurCommune("42002", "Le Val", ("A",), (1,), False),
        SecteurCommune("42003", "Saint-Marc-le-Blanc", ("A",), (1,), False),
        SecteurCommune("42111", "Dompierre", ("B",), (1,), False),
        SecteurCommune("42112", "Saint-Marc-sur-Couesnon", ("B",), (1,), False),
    )
    noms = {"42001": "Bourg-Dompierre", "42002": "Val-Dompierre", "42003": "Saint-Marc-le-Blanc"}
    assert merged_by_name(CarteScolaire(lignes, 5, ()), noms) == {}
    assert merged_by_name(CarteScolaire(lignes, 5, ()), noms | {"42002": "Le Val"}) == {"42111": "42001"}


def test_what_is_unknown_is_left_out() -> None:
    une, autre = commune("1", 0), commune("2", 1)
    sans_lieu = CollegePublic("B", "B", "Public", "", "42", None, None, 1.0, None)
    carte = CarteScolaire((secteur(une, "A", "B", "Z"),), 1, ())
    zones, remarques = zones_of_carte(carte, [une, autre], {"A": college("A", 0.5), "B": sans_lieu})
    assert [z.colleges for z in zones] == [("A",), ()]
    assert remarques == []


def test_towns_of_several_collèges_without_carte_scolaire() -> None:
    zones = zones_of_communes(
        [commune("1", 0, largeur=2), commune("2", 2)], [college("A", 0.5), college("B", 1.5), college("C", 2.5)]
    )
    assert [(z.code, z.colleges, z.figee) for z in zones] == [
        ("42001-A", ("A",), False),
        ("42001-B", ("B",), False),
        ("42002", (), False),
    ]
    assert towns_in_parts(zones) == ["communes de plusieurs collèges, coupées en parties : 1 (2)"]
    assert towns_in_parts(zones[1:]) == []


def test_the_nearest_of_the_same_département() -> None:
    zones = [
        Zone(c.code, c.nom, c.departement, 1.0, c.polygone, c.x, c.y)
        for c in (commune("1", 0), commune("2", 1, dep="43"), commune("3", 2, dep="43"))
    ]
    colleges = [college("A", 0.5), college("B", 1.5, dep="43")]
    minutes = np.array([[9.0, 1.0], [1.0, 9.0], [1.0, np.inf]])
    assert [z.colleges for z in nearest_today(zones, colleges, minutes)] == [("A",), ("B",), ()]


def test_the_border_keeps_sectors_whole() -> None:
    """Collèges within 2 km of the other département, and all their communes, however far."""
    gauche = [commune(str(k), k) for k in range(6)]
    droite = [commune(str(k), k, dep="43") for k in range(6, 9)]
    colleges = [college("A", 0.5), college("B", 4.5), college("C", 6.5, dep="43"), college("D", 8.9, dep="43")]
    zones = zones_of_communes([*gauche, *droite], colleges)
    minutes = np.abs(np.array([z.x for z in zones])[:, None] - (X0 + 1000 * np.array([0.5, 4.5, 6.5, 8.9])))
    zones = nearest_today(zones, colleges, minutes)
    retenues, proches = border_block(zones, colleges, minutes, 2000.0)
    assert proches == [1, 2]
    # Half-way between A and B: 2.5 km.
    assert [zones[i].nom for i in retenues] == ["3", "4", "5", "6", "7"]


# --- borders and problem -------------------------------------------------------------------------------------


def test_borders_and_corners() -> None:
    carres = [commune("1", 0), commune("2", 1), commune("3", 1, 1), commune("4", 5)]
    # The second and the third are drawn a little apart.
    formes = [c.polygone for c in carres]
    formes[2] = shapely.transform(formes[2], lambda xy: xy + np.array([0.0, 0.3]))
    paires, metres = adjacency(formes)
    trouves = {tuple(sorted(p)): m for p, m in zip(paires.tolist(), metres.tolist(), strict=True)}
    assert set(trouves) == {(0, 1), (0, 2), (1, 2)}
    assert trouves[0, 1] == pytest.approx(1000, abs=3)
    assert trouves[1, 2] == pytest.approx(1000, abs=3)
    assert trouves[0, 2] == 0


def test_a_problem_of_two_départements() -> None:
    communes = [commune("1", 0), commune("2", 1), commune("3", 2, dep="43"), commune("4", 3, dep="43")]
    colleges = [college("A", 0.5, effectif=120.0), college("B", 9.0, dep="43", effectif=None)]
    zones = [
        Zone(c.code, c.nom, c.departement, c.population * (k + 1), c.polygone, c.x, c.y, uai, figee)
        for k, (c, uai, figee) in enumerate(
            zip(communes, [("A",), ("A", "B"), ("B",), ("?",)], [True, False, False, True], strict=True)
        )
    ]
    eleves = pupils_by_population(zones, colleges)
    assert eleves.tolist() == [40.0, 80.0, 0.0, 0.0]
    minutes = np.arange(8, dtype=float).reshape(4, 2)
    problem = build_problem(zones, colleges, minutes, eleves, annee="2026", noms={"42": "Loire"}, passages=0.0)
    assert (problem.groupes, problem.groupe_noms) == (("42", "43"), ("Loire", "43"))
    assert problem.present.tolist() == [[0, AUCUN], [0, 1], [1, AUCUN], [AUCUN, AUCUN]]
    # A part stays with its collège; one without a known collège stays with none.
    assert problem.impose.tolist() == [0, AUCUN, AUCUN, AUCUN]
    assert problem.college_zone.tolist() == [0, AUCUN]
    assert problem.capacite.tolist() == [[120.0, np.inf]]
    assert problem.passages_max.tolist() == [[np.inf, 0.0], [0.0, np.inf]]
    check_evaluation(problem, present_plan(problem), evaluate(problem, present_plan(problem)))


def test_communes_are_read_and_their_mairies_doubted(tmp_path: Path) -> None:
    """A mairie absent, or kilometres away, is replaced by a point inside."""
    carres = [commune(str(k), k) for k in range(3)]
    formes = [shapely.transform(c.polygone, _to_degrees) for c in carres]
    lon, lat = VERS_DEGRES.transform([carres[0].x, 0.0, carres[2].x + 50_000], [carres[0].y, 0.0, carres[2].y])
    champs: dict[str, Any] = {
        "code_insee": np.array(["42002", "42001", "42003"], dtype=object),
        "nom": np.array(["b", "a", "c"], dtype=object),
        "departement": np.array(["42", "42", "42"], dtype=object),
        "population_municipale": np.array([10, 20, 30]),
        "mairie_lon": np.array([lon[0], np.nan, lon[2]]),
        "mairie_lat": np.array([lat[0], np.nan, lat[2]]),
    }
    fichier = tmp_path / "communes.gpkg"
    pyogrio.raw.write(
        fichier,
        geometry=shapely.to_wkb(np.array(formes, dtype=object)),
        field_data=list(champs.values()),
        fields=list(champs),
        geometry_type="Polygon",
        crs="EPSG:4326",
        layer="communes",
        driver="GPKG",
    )
    lues = read_communes(fichier, ["42"])
    assert [(c.code, c.nom, c.mairie) for c in lues] == [
        ("42001", "a", False),
        ("42002", "b", True),
        ("42003", "c", False),
    ]
    for c in lues:
        assert c.polygone.covers(shapely.Point(c.x, c.y))
        assert c.polygone.area == pytest.approx(1e6, rel=1e-3)
    assert read_communes(fichier, ["43"]) == []


def _to_degrees(xy: Any) -> Any:
    return np.column_stack(VERS_DEGRES.transform(xy[:, 0], xy[:, 1]))
