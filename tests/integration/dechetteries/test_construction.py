"""The problem of a block holds that block's rows and nothing else; rules, conventions and changes are in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.contrib.gis.geos import Point
from pytest_django import DjangoAssertNumQueries

from déchetteries.construction import block_of, build_problem, read
from déchetteries.controle import check
from déchetteries.models import Dechetterie, PointDemande, RegleAcces
from déchetteries.probleme import EXTERIEUR, Problem
from déchetteries.solveur import solve
from territoires.calcul import Arret
from territoires.empreinte import input_hash
from territoires.etudes import EtudeInvalide, creer_etude, demander_passage
from territoires.models import Collectivite, Commune, Etude
from territoires.operation import DonneesInsuffisantes

from .conftest import Territoire, mairie

ENSEMBLE = frozenset({"42", "43"})


def _solved(etude: Etude, *codes: str) -> tuple[Problem, dict[str, str]]:
    """The problem and, for each commune, the centre its inhabitants go to."""
    problem = build_problem(etude, frozenset(codes))
    solution = solve(problem, Arret())
    check(problem, solution)
    return problem, {
        problem.point_code[i]: problem.centre_code[j]
        for i, j in zip(solution.courante.point.tolist(), solution.courante.centre.tolist(), strict=True)
    }


def _with(territoire: Territoire, **parametres: Any) -> Etude:
    return creer_etude(
        "Essai", "dechetteries", territoire.zone, territoire.departements.values(), parametres=parametres
    )


def test_a_block_has_its_own_rows_only(etude: Etude) -> None:
    loire, vers = _solved(etude, "42")
    assert loire.point_code == ("42001", "42002", "42003")
    assert loire.centre_code == ("D1",)
    assert loire.groupes == ("42",)
    assert vers == {"42001": "D1", "42002": "D1", "42003": "D1"}
    tout, vers = _solved(etude, "42", "43")
    assert tout.centre_code == ("D1", "D3", "D4")
    assert vers["42003"] == "D3"
    assert vers["43002"] == "D3"


def test_times_and_kilometres_come_from_the_road(etude: Etude) -> None:
    problem = build_problem(etude, ENSEMBLE)
    # 10 km between neighbours; a secondary road at 80 km/h is driven at 68 (cap of the class).
    assert problem.km[2, 1] == pytest.approx(10.0, abs=0.01)
    assert problem.secondes[2, 1] == pytest.approx(10_000 / 68_000 * 3600, rel=0.02)
    assert problem.secondes[0, 0] == pytest.approx(0.0, abs=1.0)


def test_nobody_goes_to_the_road_and_back_to_cross_the_street(etude: Etude, territoire: Territoire) -> None:
    """A mairie and its centre, 400 m apart and 3 km from the road: 400 m straight, not 6 km."""
    lieu = mairie(1)
    territoire.communes["42002"].mairie = Point(lieu.x, lieu.y + 3_000, srid=2154)
    territoire.communes["42002"].save()
    Dechetterie.objects.filter(code="D1").update(geom=Point(lieu.x + 400, lieu.y + 3_000, srid=2154))
    problem = build_problem(etude, frozenset({"42"}))
    assert problem.km[1, 0] == pytest.approx(0.4, abs=0.001)
    assert problem.secondes[1, 0] == pytest.approx(400 / (15 / 3.6), rel=0.001)
    # From farther away the road is taken, and both accesses count.
    assert problem.km[2, 0] == pytest.approx(10 - 0.4 + 3, abs=0.01)


def test_reading_takes_few_queries_whatever_the_number_of_rows(
    etude: Etude, territoire: Territoire, django_assert_max_num_queries: Any
) -> None:
    build_problem(etude, ENSEMBLE)
    Dechetterie.objects.bulk_create(
        Dechetterie(code=f"X{k:03d}", nom="X", proprietaire=territoire.epci["200000001"], geom=mairie(0.01 * k))
        for k in range(40)
    )
    with django_assert_max_num_queries(8):
        problem = build_problem(etude, ENSEMBLE)
    assert problem.n_centres == 43


def test_coalitions_of_a_run_share_one_reading(etude: Etude, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    demander_passage(etude, enfile=False)
    build_problem(etude, frozenset({"42"}))
    with django_assert_num_queries(1):
        build_problem(etude, frozenset({"43"}))


def test_a_coalition_that_only_sharing_asks_for_is_solved_once_at_the_same_cost(territoire: Territoire) -> None:
    etude = creer_etude("Essai", "dechetteries", territoire.zone, territoire.epci.values())
    coalition = frozenset(("200000001", "200000003"))
    bref, entier = build_problem(etude, coalition), block_of(read(etude), coalition)
    assert set(bref.scenarios()) == {"courant"}
    assert set(entier.scenarios()) == {"courant", "seul:200000001", "seul:200000003"}
    assert solve(bref, Arret()).bilan.cost == solve(entier, Arret()).bilan.cost
    assert build_problem(etude, frozenset(territoire.epci)).detaille
    assert build_problem(etude, frozenset(("200000001",))).detaille


def test_a_convention_opens_a_centre_from_outside_the_block(etude: Etude, territoire: Territoire) -> None:
    RegleAcces.objects.create(dechetterie=territoire.centres["D3"], collectivite=territoire.epci["200000002"])
    problem, vers = _solved(etude, "42")
    assert problem.centre_code == ("D1", "D3")
    assert problem.centre_groupe.tolist() == [0, EXTERIEUR]
    assert vers["42003"] == "D3"
    assert vers["42002"] == "D1"
    assert problem.cout_fixe.tolist() == [60_000.0, 0.0]


def test_a_refusal_holds_even_when_sharing(etude: Etude, territoire: Territoire) -> None:
    RegleAcces.objects.create(
        dechetterie=territoire.centres["D3"], collectivite=territoire.departements["42"], autorise=False
    )
    _, vers = _solved(etude, "42", "43")
    assert vers["42003"] == "D1"


def test_each_epci_for_itself_leaves_a_commune_without_centre_which_is_named(territoire: Territoire) -> None:
    etude = _with(territoire, regle_interne="epci")
    problem = build_problem(etude, frozenset({"42"}))
    solution = solve(problem, Arret())
    check(problem, solution)
    assert solution.courante.sans_centre.tolist() == [0.0, 0.0, 10_000.0]
    assert any("Commune 42003" in phrase for phrase in solution.bilan.remarks)


def test_capacity_in_tonnes_becomes_visits(etude: Etude, territoire: Territoire) -> None:
    Dechetterie.objects.filter(code="D1").update(capacite_t_an=220)
    problem = build_problem(etude, frozenset({"42"}))
    assert problem.capacite.tolist() == pytest.approx([220 / 0.22 * 5])
    assert build_problem(_with(territoire, capacites=False), frozenset({"42"})).capacite.tolist() == [np.inf]


def test_changes_are_in_the_problem_beside_today(territoire: Territoire) -> None:
    texte = "fermer ; D4\nouvrir ; Neuve ; 4,04 ; 45,42 ; 200000002 ; 9000\n"
    texte += "autoriser ; D3 ; 42\ndéplacer ; D1 ; 4.03 ; 45.42"
    etude = _with(territoire, modifications=texte)
    problem = build_problem(etude, ENSEMBLE)
    etats = {
        code: (bool(a), bool(b))
        for code, a, b in zip(problem.centre_code, problem.actif, problem.actif_base, strict=True)
    }
    assert etats == {
        "nouveau-01": (True, False),
        "D1": (False, True),
        "D1 (déplacé)": (True, False),
        "D3": (True, True),
        "D4": (False, True),
    }
    assert problem.modifie
    solution = solve(problem, Arret())
    check(problem, solution)
    assert set(solution.affectations) == {"courant", "base", "seul:42", "seul:43"}
    # The right of 42 to D3 is a change: today's rules do not have it.
    seul = build_problem(etude, frozenset({"42"}))
    d3 = seul.centre_code.index("D3")
    assert seul.autorise[:, d3].all() and not seul.autorise_base[:, d3].any()


def test_a_centre_of_a_third_neighbour_may_be_opened_by_a_change(territoire: Territoire) -> None:
    """It belongs to nobody of the study: outside every block, and open where the change says."""
    autre = Collectivite.objects.create(type="epci", code="209999999", nom="CC d'ailleurs")
    Dechetterie.objects.create(code="Z9", nom="Ailleurs", proprietaire=autre, geom=mairie(6))
    assert "Z9" not in build_problem(_with(territoire), ENSEMBLE).centre_code
    problem = build_problem(_with(territoire, modifications="autoriser ; Z9 ; 43"), frozenset({"43"}))
    z9 = problem.centre_code.index("Z9")
    assert problem.centre_groupe[z9] == EXTERIEUR
    assert problem.autorise[:, z9].all() and not problem.autorise_base[:, z9].any()
    assert not problem.compte[z9] and problem.cout_fixe[z9] == 0


def test_a_centre_closed_today_keeps_its_rules_when_it_opens_again(territoire: Territoire) -> None:
    Dechetterie.objects.filter(code="D3").update(active=False)
    RegleAcces.objects.create(
        dechetterie=territoire.centres["D3"], collectivite=territoire.departements["42"], autorise=False
    )
    problem = build_problem(_with(territoire, modifications="rouvrir ; D3"), ENSEMBLE)
    d3 = problem.centre_code.index("D3")
    assert (problem.actif[d3], problem.actif_base[d3]) == (True, False)
    assert problem.autorise[:, d3].tolist() == [False, False, False, True, True, True]


def test_a_rule_for_a_departement_is_read_when_players_are_epci(territoire: Territoire) -> None:
    RegleAcces.objects.create(dechetterie=territoire.centres["D4"], collectivite=territoire.departements["42"])
    etude = creer_etude("EPCI", "dechetteries", territoire.zone, list(territoire.epci.values()))
    problem = build_problem(etude, frozenset({"200000002"}))
    assert problem.point_code == ("42003",)
    assert problem.centre_code == ("D4",)
    assert problem.centre_groupe.tolist() == [EXTERIEUR]


@pytest.mark.parametrize(
    ("texte", "mot"),
    [
        ("fermer ; INCONNU", "centre « INCONNU » inconnu"),
        ("autoriser ; D1 ; 999", "collectivité « 999 » inconnue"),
        ("casser ; D1", "inconnue"),
        ("ouvrir ; En mer ; -4,9 ; 47,9 ; 42", "Ligne 1 : la position n'est dans aucune commune"),
        ("déplacer ; D1 ; 45,42 ; 4,04", "aucune commune connue"),
    ],
)
def test_changes_that_name_nothing_known_are_refused_by_the_form(territoire: Territoire, texte: str, mot: str) -> None:
    with pytest.raises(EtudeInvalide, match=mot):
        _with(territoire, modifications=texte)


def test_a_centre_that_vanished_since_is_told(territoire: Territoire) -> None:
    etude = _with(territoire, modifications="fermer ; D4")
    territoire.centres["D4"].delete()
    with pytest.raises(DonneesInsuffisantes, match="ligne 1 : centre « D4 » inconnu"):
        build_problem(etude, ENSEMBLE)


def test_finer_points_replace_their_commune(territoire: Territoire) -> None:
    PointDemande.objects.bulk_create(
        PointDemande(code=f"c{k}", commune=territoire.communes["42003"], geom=mairie(2 + 0.1 * k), population=100.0 * k)
        for k in range(1, 4)
    )
    problem = build_problem(_with(territoire, points="fins"), frozenset({"42"}))
    assert problem.point_code == ("42001", "42002", "42003/c1", "42003/c2", "42003/c3")
    assert problem.population.tolist() == [5000, 1000, 100, 200, 300]
    assert any("3 points de population dans 1 communes" in phrase for phrase in problem.remarques)


def test_unknown_population_is_supposed_and_said(etude: Etude) -> None:
    Commune.objects.filter(code="42002").update(population=None)
    problem = build_problem(etude, frozenset({"42"}))
    assert problem.population[1] == 1000
    assert any("Population inconnue" in p and "Commune 42002" in p for p in problem.remarques)


def test_a_place_far_from_any_road_is_named_and_left_without_centre(etude: Etude) -> None:
    Commune.objects.filter(code="42002").update(mairie=None)
    Commune.objects.filter(code="42003").update(mairie="SRID=2154;POINT(805000 6495000)")
    problem = build_problem(etude, frozenset({"42"}))
    assert any("Commune 42003" in p and "5000 m" in p for p in problem.remarques)
    assert any("placées à l'intérieur de leur contour : Commune 42002" in p for p in problem.remarques)
    assert np.isinf(problem.secondes[2]).all()


def test_what_is_missing_is_named(etude: Etude, territoire: Territoire) -> None:
    with pytest.raises(DonneesInsuffisantes, match="absente de l'étude : 69"):
        build_problem(etude, frozenset({"69"}))
    territoire.zone.communes.remove(*[c for code, c in territoire.communes.items() if code.startswith("43")])
    with pytest.raises(DonneesInsuffisantes, match="Aucune commune de la zone dans : Haute-Loire"):
        build_problem(etude, frozenset({"43"}))
    territoire.zone.communes.clear()
    with pytest.raises(DonneesInsuffisantes, match="Aucune commune des collectivités"):
        build_problem(etude, frozenset({"42"}))
    territoire.zone.reseau = None
    territoire.zone.save()
    with pytest.raises(DonneesInsuffisantes, match="pas de réseau routier"):
        build_problem(Etude.objects.get(pk=etude.pk), ENSEMBLE)


def test_no_centre_at_all_is_no_study(etude: Etude) -> None:
    Dechetterie.objects.update(active=False)
    with pytest.raises(DonneesInsuffisantes, match="Aucune déchetterie ouverte"):
        build_problem(etude, ENSEMBLE)


def test_the_hash_follows_the_data(etude: Etude, territoire: Territoire) -> None:
    avant = input_hash(build_problem(etude, ENSEMBLE))
    assert input_hash(build_problem(etude, ENSEMBLE)) == avant
    Dechetterie.objects.filter(code="D1").update(capacite_visites_an=10)
    assert input_hash(build_problem(etude, ENSEMBLE)) != avant


def test_no_part_of_a_capacity_is_counted_twice(etude: Etude, territoire: Territoire) -> None:
    Dechetterie.objects.filter(code="D3").update(capacite_visites_an=6100)
    RegleAcces.objects.create(dechetterie=territoire.centres["D3"], collectivite=territoire.epci["200000002"])
    lecture = read(etude)
    parts = [block_of(lecture, frozenset({code})) for code in ("42", "43")]
    total = sum(p.capacite[p.centre_code.index("D3")] for p in parts)
    assert total == pytest.approx(6100)
