"""A study from its form to its files, through the study runner and its child process."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
from openpyxl import load_workbook

from déchetteries.couches import colours
from déchetteries.models import Dechetterie
from déchetteries.operation import OPERATION
from déchetteries.regime import CentreVue
from déchetteries.resultat import minutes_by_point
from territoires.calcul import COUT
from territoires.etudes import creer_etude, demander_passage
from territoires.models import Etude, PassageEtude, ResultatBloc
from territoires.operation import Operation
from territoires.passages import run_etude
from territoires.resultats import CLOISONNE, MUTUALISE, Resultats

from .conftest import Territoire

pytestmark = pytest.mark.django_db


def _run(etude: Etude) -> Resultats:
    passage = run_etude(demander_passage(etude, enfile=False, limite_s=20))
    assert passage.etat == PassageEtude.Etat.REUSSI, passage.journal
    return Resultats(passage)


def test_the_object_follows_the_protocol() -> None:
    assert isinstance(OPERATION, Operation)


def test_opening_across_the_limit_through_the_runner(etude: Etude) -> None:
    resultats = _run(etude)
    lignes = {ligne.indicateur.code: ligne for ligne in resultats.lignes}
    assert lignes["gain_5"].ensemble.apres == 2000  # commune 42003, 20 km from D1 and 10 km from D3
    assert lignes["temps_moyen"].ensemble.apres < lignes["temps_moyen"].ensemble.avant
    assert lignes[COUT].ensemble.apres < lignes[COUT].ensemble.avant
    # A percentile of all is none of its parts: the operation gives it, the same as in its table.
    p90 = lignes["temps_p90"].ensemble
    ensemble = [ligne for ligne in _table(resultats, "bandes").lignes if ligne[0] == "Ensemble"]
    assert [round(p90.avant, 1), round(p90.apres, 1)] == [ligne[9] for ligne in ensemble]
    # The border is a parameter: the alone rows never hold the neighbour's centre.
    for row in resultats.avec_solutions()[CLOISONNE]:
        lu = OPERATION.decode(row.solution)
        assert len(lu.groupes) == 1
        assert set(lu.centre_code) == ({"D1"} if row.bloc == ["42"] else {"D3", "D4"})
    for cle in ("habitants", "centres", "usage", "shapley"):
        partage = resultats.partager({cle: 1.0})
        # Keys share the running costs, to the cent; Shapley's value the gain of all, inhabitants included.
        assert float(sum(part.paye for part in partage.lignes)) == pytest.approx(3 * 60_000 + 66_500 * 5, abs=0.01)
    parts = {part.collectivite: part for part in resultats.partager({"shapley": 1.0}).lignes}
    assert all(part.gain_total is not None and part.gain_total > 0 for part in parts.values())


def test_two_runs_give_the_same_bytes(etude: Etude) -> None:
    Dechetterie.objects.update(capacite_visites_an=20_000)
    premier, second = _run(etude), _run(etude)
    assert premier.passage.empreinte == second.passage.empreinte
    for a, b in zip(premier.avec_solutions()[MUTUALISE], second.avec_solutions()[MUTUALISE], strict=True):
        assert bytes(a.solution) == bytes(b.solution)
        assert (a.cout, a.borne, a.indicateurs) == (b.cout, b.borne, b.indicateurs)


def test_capacities_bind_and_what_breaks_is_said(etude: Etude) -> None:
    Dechetterie.objects.filter(code="D3").update(capacite_visites_an=9_000)
    Dechetterie.objects.filter(code="D4").update(capacite_visites_an=5_000)
    resultats = _run(etude)
    remarques = [phrase for row in ResultatBloc.objects.all() for phrase in row.remarques]
    assert any(
        "Centre D4 reçoit" in phrase and "de plus que sa capacité (5\u202f000)" in phrase for phrase in remarques
    )
    charges = {ligne[0]: ligne for ligne in _table(resultats, "charges").lignes}
    assert charges["D3"][5] == 9_000
    # D3 is full with its own: commune 42003, which would gain 10 km, stays at D1.
    assert charges["D1"][7] == 40_000
    assert charges["D3"][7] == 11_500


def test_what_a_shared_block_knows_of_each_alone_is_the_other_regime(etude: Etude) -> None:
    """Gains are told against the same figures as « chacun de son côté », capacities included."""
    Dechetterie.objects.update(capacite_visites_an=9_000)
    lignes = _run(etude).avec_solutions()
    (ensemble,) = (OPERATION.decode(row.solution) for row in lignes[MUTUALISE])
    seul = dict(zip(ensemble.point_code, minutes_by_point(ensemble, "seul"), strict=True))
    cloisonne = {}
    for row in lignes[CLOISONNE]:
        lu = OPERATION.decode(row.solution)
        cloisonne |= dict(zip(lu.point_code, minutes_by_point(lu), strict=True))
    assert seul == pytest.approx(cloisonne, abs=1e-9)
    assert seul != pytest.approx(dict(zip(ensemble.point_code, minutes_by_point(ensemble), strict=True)), abs=0.1)


def _table(resultats: Resultats, code: str) -> Any:
    return {t.code: t for t in OPERATION.tables(resultats.avec_solutions())}[code]


def test_tables_add_up(etude: Etude) -> None:
    resultats = _run(etude)
    population = 13_300
    for ligne in _table(resultats, "bandes").lignes[-2:]:
        assert sum(ligne[2:8]) == population
    flux = _table(resultats, "flux").lignes
    assert sum(ligne[2] for ligne in flux) == sum(ligne[3] for ligne in flux) == population * 5
    charges = _table(resultats, "charges").lignes
    assert sum(ligne[7] for ligne in charges) == population * 5
    assert {ligne[0]: ligne[-1] for ligne in charges} == {"D1": 0, "D3": 10_000, "D4": 0}
    contributions = _table(resultats, "contributions").lignes
    for colonne in (6, 8, 10):
        assert abs(sum(ligne[colonne] for ligne in contributions)) <= len(contributions)
    communes = _table(resultats, "communes").lignes
    assert communes[0][0] == "42003"
    assert (communes[0][5], communes[0][7]) == ("Centre D1", "Centre D3")


def test_a_study_with_changes_tells_their_effect(territoire: Territoire) -> None:
    etude = creer_etude(
        "Fermer", "dechetteries", territoire.zone, territoire.departements.values(),
        parametres={"modifications": "fermer ; D4"},
    )  # fmt: skip
    resultats = _run(etude)
    effet = _table(resultats, "modifications").lignes
    assert [ligne[0] for ligne in effet] == ["chacun de son côté", "en partageant"]
    # 43003 goes 20 km to D3 instead of having D4 at its door: 3000 inhabitants lose.
    assert effet[1][-1] == 3000
    assert effet[1][3] == pytest.approx(effet[1][2] - effet[1][1], abs=1)
    etats = {ligne[0]: ligne[4] for ligne in _table(resultats, "charges").lignes}
    assert etats["D4"] == "fermée par l'étude"


def test_layers_are_features_the_map_can_draw(etude: Etude, django_assert_max_num_queries: Any) -> None:
    resultats = _run(etude).avec_solutions()
    with django_assert_max_num_queries(1):
        couches = {c.code: c for c in OPERATION.layers(resultats[MUTUALISE])}
    assert set(couches) == {"bassins", "temps", "gains", "franchissements", "centres"}
    assert len(couches["bassins"].features) == 6
    for couche in couches.values():
        for feature in couche.features:
            assert feature["type"] == "Feature"
            x, y = _first(feature["geometry"]["coordinates"])
            assert 3 < x < 6 and 44 < y < 47
            assert {"nom", "details", "fictif"} <= set(feature["properties"])
    trajet = couches["franchissements"].features[0]
    assert trajet["properties"]["nom"] == "Commune 42003 vers Centre D3"
    assert trajet["properties"]["valeur"] == 10_000
    assert "gains" not in {c.code for c in OPERATION.layers(resultats[CLOISONNE])}
    sites = OPERATION.sites()
    assert [len(c.features) for c in sites] == [3]


def test_neighbouring_centres_have_different_colours() -> None:
    rng = np.random.default_rng(2)
    vide = dict.fromkeys(("proprietaire", "proprietaire_nom", "collectivite", "collectivite_nom"), "")
    vues = [
        CentreVue(
            code=f"C{k:03d}", nom="", capacite=None, visites=0, voisins=0, depenses=0, ouvert=True, ouvert_base=True,
            compte=True, fictif=False, x=x, y=y, **vide,
        )
        for k, (x, y) in enumerate(rng.uniform(0, 100, (150, 2)).tolist())
    ]  # fmt: skip
    couleurs = colours(vues)
    assert set(couleurs.values()) <= set(range(12))
    lieux = np.array([(v.x, v.y) for v in vues])
    ecarts = np.hypot(*(lieux[:, None] - lieux[None]).transpose(2, 0, 1))
    np.fill_diagonal(ecarts, np.inf)
    for k, proche in enumerate(ecarts.argmin(axis=1)):
        assert couleurs[vues[k].code] != couleurs[vues[proche].code]
    assert colours([]) == {}
    assert colours(vues[:1]) == {"C000": 0}


def _first(coordonnees: Any) -> tuple[float, float]:
    while not isinstance(coordonnees[0], float):
        coordonnees = coordonnees[0]
    return coordonnees[0], coordonnees[1]


def test_files_open_again(etude: Etude, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resultats = _run(etude)
    lignes = resultats.avec_solutions()

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("an export never builds nor solves")

    monkeypatch.setattr(type(OPERATION), "build_problem", staticmethod(refuse))
    monkeypatch.setattr(type(OPERATION), "solve", staticmethod(refuse))
    fichiers = {e.code: OPERATION.export(e.code, etude, lignes) for e in OPERATION.exports()}

    classeur = load_workbook(io.BytesIO(fichiers["classeur"]))
    assert classeur.sheetnames == ["Étude", "bandes", "charges", "flux", "contributions", "communes"]
    assert classeur["communes"]["A3"].value == "42003"
    garde = {ligne[0]: ligne[1] for ligne in classeur["Étude"].iter_rows(values_only=True)}
    assert garde["Paramètre : Tenir compte des capacités"] == "oui"

    assert fichiers["communes"].startswith(b"\xef\xbb\xbf")
    texte = fichiers["communes"].decode("utf-8-sig")
    rangees = list(csv.reader(io.StringIO(texte), delimiter=";"))
    assert rangees[0][0] == "Code INSEE"
    assert len(rangees) == 7
    assert "," in rangees[1][6] and "." not in rangees[1][6]

    chemin = tmp_path / "couches.gpkg"
    chemin.write_bytes(fichiers["geopackage"])
    assert {nom for nom, _ in pyogrio.list_layers(chemin)} == {"communes", "dechetteries", "trajets"}
    table = pyogrio.read_dataframe(chemin, layer="communes")
    assert table.crs.to_epsg() == 2154
    assert table.set_index("code_insee").loc["42003", "centre_mutualise"] == "D3"


def test_a_cell_that_looks_like_a_formula_stays_text(etude: Etude) -> None:
    Dechetterie.objects.filter(code="D1").update(nom="=1+1")
    lignes = _run(etude).avec_solutions()
    assert b";'=1+1;" in OPERATION.export("charges", etude, lignes)
    classeur = load_workbook(io.BytesIO(OPERATION.export("classeur", etude, lignes)))
    assert classeur["charges"]["B3"].value == "'=1+1"
    assert classeur["charges"]["B3"].data_type == "s"


def test_an_unknown_file_is_a_key_error(etude: Etude) -> None:
    with pytest.raises(KeyError):
        OPERATION.export("inconnu", etude, _run(etude).avec_solutions())
