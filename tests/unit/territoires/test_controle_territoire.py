"""Checks made of any territory before it is written."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from territoires.importation.controle import MAIRIE_HORS_M, check, stray
from territoires.importation.lu import CollectiviteLue, CommuneLue, TerritoireLu
from territoires.rapport import DonneesRefusees

X0, Y0 = 780_000.0, 6_480_000.0


def carre(i: int, decale: float = 0.0) -> shapely.MultiPolygon:
    return shapely.MultiPolygon([shapely.box(X0 + 2000 * i - decale, Y0, X0 + 2000 * (i + 1), Y0 + 2000)])


def commune(i: int, **champs: object) -> CommuneLue:
    valeurs = {
        "code": f"4200{i}",
        "nom": f"C{i}",
        "departement": "42",
        "epci": None,
        "population": 10,
        "geom": carre(i),
        "mairie": shapely.Point(X0 + 2000 * i + 500, Y0 + 500),
        "ligne": i + 2,
        **champs,
    }
    return CommuneLue(**valeurs)  # type: ignore[arg-type]


def territoire(*communes: CommuneLue) -> TerritoireLu:
    return TerritoireLu(list(communes), [CollectiviteLue("departement", "42", "Loire")], "departement", "e", "s", "l")


def test_a_sound_territory_is_left_as_it_is() -> None:
    lu = territoire(commune(0), commune(1))
    assert check(lu) == lu and not lu.rapport.constats


@pytest.mark.parametrize(("ecart", "garde"), [(MAIRIE_HORS_M - 1, True), (MAIRIE_HORS_M + 1, False), (4e5, False)])
def test_a_mairie_far_outside_its_commune_is_not_kept(ecart: float, garde: bool) -> None:
    loin = commune(1, mairie=shapely.Point(X0 + 4000 + ecart, Y0))
    lu = check(territoire(commune(0), loin))
    assert [c.mairie is not None for c in lu.communes] == [True, garde]
    assert len(lu.rapport.warnings) == (not garde)
    assert garde or "à plus de 500 m de sa commune, position laissée vide : C1 (42001)" in str(lu.rapport.warnings)


def test_missing_places_are_not_stray() -> None:
    mairies, geoms = np.array([None, shapely.Point(0, 0)], dtype=object), np.array([carre(0), None], dtype=object)
    assert stray(mairies, geoms).tolist() == [False, False]


def test_overlapping_communes_are_told_and_touching_ones_are_not() -> None:
    lu = check(territoire(commune(0), commune(1, geom=carre(1, decale=100)), commune(2)))
    assert [c.message for c in lu.rapport.warnings] == ["contours qui se recouvrent : C0 (42000) et C1 (42001)."]


def test_all_errors_are_told_at_once_with_their_rows() -> None:
    lu = territoire(
        commune(0, population=-1), commune(1, code="42000"), commune(2, departement="43"), commune(3, epci="1")
    )
    with pytest.raises(DonneesRefusees) as erreur:
        check(lu)
    assert [(c.ligne, c.champ, c.valeur) for c in erreur.value.constats] == [
        (2, "population", "-1"),
        (3, "code", "42000"),
        (4, "département", "43"),
        (5, "EPCI", "1"),
    ]


def test_nothing_to_import() -> None:
    with pytest.raises(DonneesRefusees, match="aucune commune à importer"):
        check(territoire())
