"""Weights of profiles and scenarios."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from geodata.classes import ACCES_ORDINAIRE, Acces, Classe
from geodata.graphe import POIDS_GARDES, Graphe
from geodata.profils import INF_MS, PROFILS, ProfilInconnu, profil_of, speeds
from geodata.reseau import TableauxReseau
from geodata.scenario import Scenario, ScenarioInvalide
from tests.unit.geodata.fabrique_reseau import grid, make_reseau, reseaux


def one_edge(**attributs: object) -> TableauxReseau:
    return make_reseau([(0, 0), (1000, 0)], [(0, 1)], **attributs)  # type: ignore[arg-type]


def ms(profil: str, scenario: Scenario | None = None, **attributs: object) -> tuple[int, int]:
    aller, retour = Graphe.from_tableaux(one_edge(**attributs)).poids(profil, scenario or Scenario()).ms.tolist()
    return aller, retour


def test_a_kilometre_of_secondary_road() -> None:
    # 80 km/h posted: 0.88 x 80 = 70.4, capped at 68 km/h for the class.
    assert ms("voiture") == (round(3600_000 / 68), round(3600_000 / 68))
    # In a village at 50: 0.70 x 50 = 35 km/h.
    assert ms("voiture", vmax=50.0)[0] == round(3600_000 / 35)
    # A walker goes at 4.5 km/h whatever is posted.
    assert ms("pieton", vmax=30.0)[0] == 800_000
    # An empty winter truck never passes 50 km/h.
    assert ms("engin_vh", vmax=110.0, classe=int(Classe.VOIE_RAPIDE))[0] == 72_000


@pytest.mark.parametrize("vmax", [np.nan, 0.0])
def test_an_unknown_limit_falls_back_on_the_class(vmax: float) -> None:
    assert ms("voiture", vmax=vmax) == (round(3600_000 / 68), round(3600_000 / 68))


def test_one_way_binds_all_but_walkers() -> None:
    for profil in PROFILS.values():
        aller, retour = ms(profil.code, sens_unique=[True])
        assert aller != INF_MS
        assert (retour == int(INF_MS)) is profil.sens_unique
    assert not PROFILS["pieton"].sens_unique


@pytest.mark.parametrize(
    ("attributs", "fermes"),
    [
        ({"tonnage": 7.5}, {"poids_lourd", "car_scolaire", "engin_vh"}),
        ({"tonnage": 19.0}, {"car_scolaire"}),
        ({"hauteur": 3.8}, {"poids_lourd"}),
        ({"hauteur": 2.5}, {"poids_lourd", "car_scolaire", "engin_vh"}),
        ({"acces": int(ACCES_ORDINAIRE & ~Acces.PIETON)}, {"pieton"}),
        ({"acces": int(Acces.SERVICE)}, set(PROFILS) - {"engin_vh"}),
        ({"acces": 0}, set(PROFILS)),
    ],
)
def test_limits_close_the_road_to_those_concerned(attributs: dict[str, object], fermes: set[str]) -> None:
    assert {p for p in PROFILS if ms(p, **attributs)[0] == INF_MS} == fermes


def test_private_roads_are_slow_but_open() -> None:
    prive = int(ACCES_ORDINAIRE | Acces.PRIVE)
    assert ms("voiture", acces=prive)[0] == 450_000
    assert ms("pieton", acces=prive) == ms("pieton")


@given(reseaux())
@settings(max_examples=50, deadline=None)
def test_no_profile_passes_a_limit(reseau: TableauxReseau) -> None:
    for profil in PROFILS.values():
        for vitesse, vmax in zip(speeds(profil, reseau), (reseau.vmax_aller, reseau.vmax_retour), strict=True):
            assert np.all(vitesse > 0)
            assert np.all(vitesse <= profil.vmax_kmh)
            if profil.code != "pieton":
                assert np.all(vitesse <= vmax)


def test_unknown_profile_lists_those_there_are() -> None:
    with pytest.raises(ProfilInconnu, match=r"« trottinette » .possibles : voiture, poids_lourd"):
        profil_of("trottinette")


def test_scenario_changes_add_up() -> None:
    assert ms("voiture", Scenario.make(fermes=[0])) == (INF_MS, INF_MS)
    assert ms("voiture", Scenario.make(fermes_retour=[0]))[0] != INF_MS
    assert ms("voiture", Scenario.make(fermes_retour=[0]))[1] == INF_MS
    assert ms("voiture", Scenario.make(fermes_aller=[0]))[0] == INF_MS
    assert ms("voiture", Scenario.make(vitesses_classe={Classe.SECONDAIRE: 40.0}))[0] == 90_000
    assert (
        ms("voiture", Scenario.make(vitesses_classe={Classe.SECONDAIRE: 40.0}, vitesses_troncon={0: 20.0}))[0]
        == 180_000
    )
    assert (
        ms("voiture", Scenario.make(vitesses_troncon={0: 20.0}, facteur=1.5, facteurs_troncon={0: 2.0}))[0] == 540_000
    )
    assert ms("engin_vh", Scenario.make(vitesses_troncon={0: 90.0}))[0] == 72_000
    assert ms("voiture", Scenario.make(facteurs_classe={Classe.AUTOROUTE: 3.0})) == ms("voiture")


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario.make(fermes=[1]),
        Scenario.make(fermes=[-1]),
        Scenario.make(facteurs_troncon={5: 2.0}),
        Scenario.make(facteur=0.0),
        Scenario.make(facteurs_classe={Classe.LOCALE: -1.0}),
        Scenario.make(vitesses_troncon={0: float("nan")}),
        Scenario.make(vitesses_classe={Classe.LOCALE: 0.0}),
    ],
)
def test_impossible_scenarios_are_refused(scenario: Scenario) -> None:
    with pytest.raises(ScenarioInvalide):
        ms("voiture", scenario)


def test_a_graph_keeps_its_last_vectors() -> None:
    graphe = Graphe.from_tableaux(grid(3))
    premier = graphe.poids("voiture")
    assert graphe.poids("voiture", Scenario()) is premier
    ferme = graphe.poids("voiture", Scenario.make(fermes=[2]))
    assert ferme is graphe.poids("voiture", Scenario.make(fermes=[2])) and ferme is not premier
    for k in range(POIDS_GARDES):
        graphe.poids("voiture", Scenario.make(facteur=2.0 + k))
    assert graphe.poids("voiture") is not premier


def test_a_road_too_slow_to_count_is_closed() -> None:
    assert ms("voiture", Scenario.make(facteur=1e9)) == (INF_MS, INF_MS)
