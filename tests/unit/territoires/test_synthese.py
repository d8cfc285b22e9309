"""The four answers: what they say and what they do not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from territoires.calcul import Indicateur, Question, Sens
from territoires.comparaison import Bornes, Ligne, judge
from territoires.synthese import Avis, Reponse, Synthese, summarize

NOMS = {"42": "Loire", "43": "Haute-Loire"}


def optimal(cost: int) -> Bornes:
    return Bornes(Decimal(cost), Decimal(cost), True)


def line(
    before: tuple[float, float, float], after: tuple[float, float, float], question: Question = Question.SERVICE
) -> Ligne:
    item = Indicateur("t", "temps moyen", "min", 0, Sens.MOINS, None, question, 1)
    whole, *each = [judge(item, b, a) for b, a in zip(before, after, strict=True)]
    return Ligne(item, whole, dict(zip(NOMS, each, strict=True)))


def answer(found: Synthese, question: Question) -> Reponse:
    return next(item for item in found.reponses if item.question == question)


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ").replace("\u2212", "-")


def test_four_questions_in_order_and_limits_always() -> None:
    found = summarize([], optimal(100), optimal(100), NOMS)
    assert [item.question for item in found.reponses] == list(Question)
    assert found.limites
    assert answer(found, Question.SERVICE).avis == Avis.INCONNU


def test_proven_saving() -> None:
    found = answer(summarize([], optimal(1_300_000), optimal(1_234_567), NOMS), Question.ECONOMIE)
    assert found.avis == Avis.OUI
    assert plain(found.phrases[0]) == (
        "Coût du service : 1 234 567 € par an en partageant, au lieu de 1 300 000 €, soit 65 433 € de moins (-5,0 %)."
    )
    assert len(found.phrases) == 1


@pytest.mark.parametrize(
    ("bound", "words"),
    [(Decimal(90), "au moins 10 €"), (Decimal(70), "ordre de grandeur"), (None, "ordre de grandeur")],
)
def test_saving_that_is_not_proven_is_told_so(bound: Decimal | None, words: str) -> None:
    before = Bornes(Decimal(100), bound, False)
    found = summarize([], before, Bornes(Decimal(80), None, False), NOMS)
    assert words in plain(" ".join(answer(found, Question.ECONOMIE).phrases))
    assert any("cloisonné" in limit for limit in found.limites)


def test_dearer_is_a_plain_no() -> None:
    found = answer(summarize([], optimal(100), optimal(120), NOMS), Question.ECONOMIE)
    assert found.avis == Avis.NON
    assert "20 € de plus (+20,0 %)" in plain(found.phrases[0])


def test_same_cost() -> None:
    found = answer(summarize([], optimal(100), optimal(100), NOMS), Question.ECONOMIE)
    assert found.avis == Avis.EGAL


def test_nothing_feasible_compares_nothing() -> None:
    impossible = Bornes(Decimal(0), None, False, realisable=False)
    found = summarize([], impossible, optimal(100), NOMS)
    assert answer(found, Question.ECONOMIE).avis == Avis.INCONNU
    assert any("contraintes" in limit for limit in found.limites)


def test_nothing_saved_and_nothing_spent_is_no_half_answer() -> None:
    spending = judge(Indicateur("d", "dépense", "€/an", 0, Sens.MOINS), 80, 80)
    found = answer(summarize([], optimal(100), optimal(100), NOMS, depense=spending), Question.ECONOMIE)
    assert found.avis == Avis.EGAL


def test_figures_about_others_are_told_not_to_compare() -> None:
    served = Indicateur("n", "habitants desservis", "habitants", 0, Sens.NEUTRE)
    counted = Ligne(served, judge(served, 9149, 12740), {})
    minutes = Indicateur("t", "temps moyen", "min", 0, Sens.NEUTRE, None, Question.SERVICE, 1)
    found = summarize([Ligne(minutes, judge(minutes, 7.2, 8.8), {}, counted)], optimal(1), optimal(1), NOMS)
    reply = answer(found, Question.SERVICE)
    assert reply.avis == Avis.INCONNU
    assert plain(reply.phrases[1]) == (
        "Ne se comparent pas d'un cas à l'autre : temps moyen, car habitants desservis : 12 740 habitants au lieu de "
        "9 149 habitants."
    )


def test_gain_of_some_with_none_for_all_is_only_partly() -> None:
    found = answer(summarize([line((10, 10, 10), (10, 10, 9))], optimal(1), optimal(1), NOMS), Question.SERVICE)
    assert found.avis == Avis.PARTIE
    assert any("Y gagne" in sentence for sentence in found.phrases)


def test_gain_for_all_with_a_loser_is_only_partly() -> None:
    found = answer(summarize([line((15, 10, 20), (13, 11, 15))], optimal(1), optimal(1), NOMS), Question.SERVICE)
    assert found.avis == Avis.PARTIE
    text = [plain(sentence) for sentence in found.phrases]
    assert text == [
        "Temps moyen : 13,0 min au lieu de 15,0 min (-2,0 min, -13,3 %).",
        "Y gagne : Haute-Loire (15,0 min au lieu de 20,0 min).",
        "Y perd : Loire (11,0 min au lieu de 10,0 min).",
    ]


def test_unchanged_figures_are_one_sentence() -> None:
    still = line((15, 10, 20), (15, 10, 20))
    found = answer(
        summarize([still, line((15, 10, 20), (12, 9, 15)), still], optimal(1), optimal(1), NOMS), Question.SERVICE
    )
    assert plain(found.phrases[-1]) == "Sans changement : temps moyen (15,0 min), temps moyen (15,0 min)."
    assert len(found.phrases) == 2


def test_many_are_counted_and_the_most_concerned_named() -> None:
    item = Indicateur("t", "temps moyen", "min", 0, Sens.MOINS, None, Question.SERVICE, 1)
    gaps = {str(code): judge(item, 20, 20 - code) for code in range(6)}
    found = answer(
        summarize([Ligne(item, judge(item, 20, 17), gaps)], optimal(1), optimal(1), {"5": "Loire"}), Question.SERVICE
    )
    assert plain(found.phrases[1]) == (
        "Y gagnent : 5 collectivités sur 6, le plus Loire (15,0 min au lieu de 20,0 min)."
    )


@pytest.mark.parametrize(
    ("after", "avis", "words"),
    [(50, Avis.PARTIE, "ne change pas"), (60, Avis.PARTIE, "augmente de 10 €"), (40, Avis.OUI, "baisse de 10 €")],
)
def test_trips_saved_are_no_public_saving(after: float, avis: Avis, words: str) -> None:
    spending = judge(Indicateur("d", "dépense", "€", 0, Sens.MOINS), 50, after)
    found = answer(summarize([], optimal(100), optimal(80), NOMS, depense=spending), Question.ECONOMIE)
    assert found.avis == avis
    assert words in plain(found.phrases[1])


def test_what_the_cost_is_made_of() -> None:
    found = summarize([], optimal(100), optimal(100), NOMS, libelle_cout="sites et trajets")
    assert plain(answer(found, Question.ECONOMIE).phrases[0]).startswith("Coût complet (sites et trajets) : ")


def test_gain_for_everyone_needs_no_names() -> None:
    found = answer(summarize([line((15, 10, 20), (12, 9, 15))], optimal(1), optimal(1), NOMS), Question.SERVICE)
    assert found.avis == Avis.OUI
    assert len(found.phrases) == 1


def test_both_lose() -> None:
    found = answer(summarize([line((15, 10, 20), (16, 11, 21))], optimal(1), optimal(1), NOMS), Question.SERVICE)
    assert found.avis == Avis.NON


def test_no_change_but_for_a_loser() -> None:
    found = answer(summarize([line((15, 10, 20), (15, 11, 19))], optimal(1), optimal(1), NOMS), Question.SERVICE)
    assert found.avis == Avis.PARTIE
    assert plain(found.phrases[0]) == "Temps moyen : 15,0 min dans les deux cas."


def test_unreachable_before() -> None:
    found = answer(
        summarize([line((float("inf"), 10, float("inf")), (15, 10, 20))], optimal(1), optimal(1), NOMS),
        Question.SERVICE,
    )
    assert found.avis == Avis.OUI
    assert plain(found.phrases[0]) == "Temps moyen : 15,0 min au lieu de inaccessible."


def test_fictive_data_come_first_in_the_limits() -> None:
    found = summarize([], optimal(1), optimal(1), NOMS, fictif=True, remarques=["Deux centres saturés."] * 2)
    assert found.limites[0].startswith("Données fictives")
    assert found.limites.count("Deux centres saturés.") == 1
