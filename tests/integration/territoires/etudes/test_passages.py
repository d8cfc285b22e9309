"""A run from demand to result, synchronously."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F

from territoires.blocs import PassageEchoue
from territoires.enfant import Calculateur
from territoires.etudes import EtudeInvalide, annuler_passage, creer_etude, demander_passage
from territoires.models import Collectivite, Commune, Etude, PassageEtude, ResultatBloc, ZoneLimitrophe
from territoires.operation import operations
from territoires.passages import executer_lot, run_etude
from territoires.plans import save_manual_plan
from territoires.resultats import CLOISONNE, MUTUALISE, SHAPLEY, Resultats, ResultatsAbsents

from .mediane import Solution

pytestmark = pytest.mark.django_db

Etat = PassageEtude.Etat


def test_run_gives_every_coalition_and_a_summary(passage: PassageEtude) -> None:
    told: list[float] = []
    run_etude(passage, lambda fraction, *rest, **more: told.append(fraction or 0.0))
    assert passage.etat == Etat.REUSSI, passage.message
    assert passage.progres == 1
    assert told == sorted(told)
    assert told[-1] == 1
    rows = list(passage.resultats.all())
    assert len(rows) == 7
    assert {tuple(row.bloc) for row in rows if row.solution} == {("01",), ("02",), ("03",), ("01", "02", "03")}
    assert passage.empreinte
    assert passage.version.startswith("0.")
    assert passage.provenance["editions"] == ["essai"]
    assert "contrôle passé" in passage.journal
    couts = passage.synthese["couts"]
    assert Decimal(couts["cloisonne"]) == sum(row.cout for row in rows if len(row.bloc) == 1)


def test_two_runs_of_one_input_give_the_same(etude: Etude) -> None:
    first = run_etude(demander_passage(etude, enfile=False))
    second = run_etude(demander_passage(etude, enfile=False))
    assert first.empreinte == second.empreinte
    assert second.synthese["refait"]["passage"] == first.pk
    assert second.synthese["refait"]["identique"] is True

    def content(one: PassageEtude) -> list[tuple[object, ...]]:
        rows = one.resultats.order_by("bloc", "graine")
        return [
            (row.bloc, row.graine, row.cout, row.statut, bytes(row.solution), row.indicateurs, row.trace, row.empreinte)
            for row in rows
        ]

    assert content(first) == content(second)


def test_hash_changes_with_parameters_and_with_data(etude: Etude, zone: ZoneLimitrophe) -> None:
    first = run_etude(demander_passage(etude, enfile=False))
    copy = creer_etude(
        "Autre prix", "mediane", zone, zone.collectivites.all(), parametres={"euro_km": "2"}, origine=etude
    )
    assert run_etude(demander_passage(copy, enfile=False)).empreinte != first.empreinte
    Commune.objects.filter(code="01000").update(population=5)
    again = run_etude(demander_passage(etude, enfile=False))
    assert again.empreinte != first.empreinte
    assert again.synthese["refait"] is None


def test_several_seeds_keep_the_cheapest(etude: Etude) -> None:
    passage = run_etude(
        demander_passage(etude, enfile=False, graine=5, nb_graines=3, limite_iterations=1, avec_coalitions=False)
    )
    assert passage.etat == Etat.REUSSI
    rows = passage.resultats.filter(bloc=["01", "02", "03"])
    assert {row.graine for row in rows} == {5, 6, 7}
    kept = Resultats(passage).par_regime[MUTUALISE][0]
    assert kept.cout == min(row.cout for row in rows)
    assert kept.statut == "realisable"


def test_sharing_takes_the_cheapest_seed_of_each_coalition(etude: Etude) -> None:
    passage = run_etude(demander_passage(etude, enfile=False, nb_graines=2))
    before = Resultats(passage).partager({SHAPLEY: 1.0})
    dearer = passage.resultats.filter(graine=max(passage.resultats.values_list("graine", flat=True)))
    assert dearer.update(cout=F("cout") + 1000) == 7
    assert Resultats(passage).partager({SHAPLEY: 1.0}) == before


def test_check_failure_is_an_error_not_a_result(zone: ZoneLimitrophe) -> None:
    etude = creer_etude("Triche", "mediane", zone, zone.collectivites.all(), parametres={"faute": "triche"})
    passage = run_etude(demander_passage(etude, enfile=False))
    assert passage.etat == Etat.ECHOUE
    assert "contrôle" in passage.message
    assert not passage.resultats.exists()
    with pytest.raises(ResultatsAbsents):
        Resultats(PassageEtude.objects.get(pk=passage.pk))


def test_solver_that_raises_ends_the_run_with_its_trace(zone: ZoneLimitrophe) -> None:
    etude = creer_etude("Panne", "mediane", zone, zone.collectivites.all(), parametres={"faute": "plante"})
    passage = run_etude(demander_passage(etude, enfile=False))
    assert passage.etat == Etat.ECHOUE
    assert "panne du solveur" in passage.message
    assert "mediane.py" in passage.journal
    assert set(passage.lots.values_list("etat", flat=True)) == {Etat.ECHOUE, Etat.ANNULE}


def test_missing_data_end_the_run_naming_the_block(zone: ZoneLimitrophe) -> None:
    empty = Collectivite.objects.create(type="departement", code="09", nom="Ariège")
    etude = creer_etude("Vide", "mediane", zone, [*zone.collectivites.all(), empty])
    passage = run_etude(demander_passage(etude, enfile=False))
    assert passage.etat == Etat.ECHOUE
    assert "Ariège" in passage.message


def test_killed_at_the_limit_keeps_the_last_solution_told(
    zone: ZoneLimitrophe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A solver deaf to its time limit is killed, and what it had told is checked and kept."""
    monkeypatch.setattr(Calculateur.solve, "__kwdefaults__", {**Calculateur.solve.__kwdefaults__, "grace_s": 0.5})
    etude = creer_etude("Sourd", "mediane", zone, zone.collectivites.all()[:2], parametres={"faute": "sourd"})
    passage = run_etude(demander_passage(etude, enfile=False, limite_s=0.5, avec_coalitions=False))
    assert passage.etat == Etat.REUSSI, passage.message
    for row in passage.resultats.all():
        assert row.statut == "realisable"
        assert any("limite de temps" in remark for remark in row.remarques)


def test_one_run_at_a_time(etude: Etude) -> None:
    demander_passage(etude, enfile=False)
    with pytest.raises(EtudeInvalide, match="déjà en cours"):
        demander_passage(etude, enfile=False)


def test_cancelled_before_a_worker_has_it(passage: PassageEtude) -> None:
    annuler_passage(passage)
    passage.refresh_from_db()
    assert passage.etat == Etat.ANNULE
    assert not any(executer_lot(pk) for pk in passage.lots.values_list("pk", flat=True))


def test_cancelled_while_running_stops_and_leaves_nothing(zone: ZoneLimitrophe) -> None:
    etude = creer_etude("Long", "mediane", zone, zone.collectivites.all(), parametres={"attente_s": "0.2"})
    passage = demander_passage(etude, enfile=False)

    def cancel(fraction: float | None, message: str, *rest: object, **more: object) -> None:
        if "essayés" in message:
            annuler_passage(passage)

    run_etude(passage, cancel)
    assert passage.etat == Etat.ANNULE
    assert not passage.resultats.exists()
    assert passage.fin is not None


def test_worker_being_stopped_gives_the_lot_back(passage: PassageEtude) -> None:
    lot = passage.lots.first()
    assert lot is not None
    assert not executer_lot(lot.pk, should_stop=lambda: True)
    lot.refresh_from_db()
    assert lot.etat == Etat.EN_ATTENTE
    assert lot.tentatives == 0
    assert run_etude(passage).etat == Etat.REUSSI
    assert passage.resultats.count() == 7


def test_plan_edited_by_hand_is_checked_and_compared(passage: PassageEtude) -> None:
    run_etude(passage)
    operation = operations()["mediane"]
    parent = passage.resultats.get(bloc=["01", "02", "03"])
    problem = operation.build_problem(passage.etude, frozenset(parent.bloc))
    computed = operation.decode(parent.solution)
    other = (computed.site + 1) % len(problem.points)
    cost = Decimal(f"{problem.cost_of(other):.2f}")
    edited = Solution(other, replace_cost(computed, cost))
    plan = save_manual_plan(parent, edited, libelle="Site déplacé")
    assert plan.origine == ResultatBloc.Origine.MANUEL
    assert plan.parent == parent
    assert plan.cout == cost
    found = Resultats(passage, [plan.pk])
    assert found.regimes[MUTUALISE].bornes.cout == cost
    assert found.regimes[CLOISONNE].bornes.cout == Resultats(passage).regimes[CLOISONNE].bornes.cout
    with pytest.raises(PassageEchoue, match="contrôle"):
        save_manual_plan(parent, Solution(other, replace_cost(computed, cost - 1)))
    Commune.objects.filter(code="01000").update(population=5)
    with pytest.raises(PassageEchoue, match="ont changé"):
        save_manual_plan(parent, edited)
    assert passage.resultats.filter(origine="manuel").count() == 1


def replace_cost(solution: Solution, cost: Decimal) -> object:
    from dataclasses import replace

    return replace(solution.bilan, cost=cost)


@pytest.mark.parametrize("change", [{"edition": "autre"}, {"population": 5}], ids=["import", "correction"])
def test_data_changed_on_the_way_end_the_run(passage: PassageEtude, change: dict[str, object]) -> None:
    first = passage.lots.first()
    assert first is not None
    executer_lot(first.pk)
    Commune.objects.filter(code="01000").update(**change)
    run_etude(passage)
    assert passage.etat == Etat.ECHOUE
    assert "changé" in passage.message
    assert not passage.resultats.exists()


def test_a_result_exists_once(passage: PassageEtude) -> None:
    run_etude(passage)
    row = passage.resultats.first()
    assert row is not None
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"titre": " "}, "titre", "titre"),
        ({"partition": [["01", "02"]]}, "partition", "03"),
        ({"partition": [["01", "02"], ["02", "03"]]}, "partition", "02"),
        ({"parametres": {"euro_km": "-1"}}, "coût par km et habitant (€)", "0"),
        ({"parametres": {"inconnu": 1}}, "", "inconnu"),
        ({"operation": "rien"}, "operation", "installée"),
    ],
)
def test_bad_study_is_refused_with_its_field(
    zone: ZoneLimitrophe, changes: dict[str, object], field: str, words: str
) -> None:
    values: dict[str, object] = {"titre": "Essai", "operation": "mediane", **changes}
    with pytest.raises(EtudeInvalide) as caught:
        creer_etude(zone=zone, collectivites=zone.collectivites.all(), **values)  # type: ignore[arg-type]
    assert words in " ".join(caught.value.erreurs[field])
    assert not Etude.objects.exists()


def test_partition_of_two_blocks(zone: ZoneLimitrophe) -> None:
    etude = creer_etude("Deux sur trois", "mediane", zone, zone.collectivites.all(), partition=[["03"], ["02", "01"]])
    assert etude.partition == [["01", "02"], ["03"]]
    passage = run_etude(demander_passage(etude, enfile=False))
    assert sorted(tuple(row.bloc) for row in passage.resultats.all()) == [("01",), ("01", "02"), ("02",), ("03",)]
