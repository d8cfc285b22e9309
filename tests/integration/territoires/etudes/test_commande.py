"""lancer_etudes: pending runs here and now."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from territoires.etudes import creer_etude, demander_passage
from territoires.models import Etude, LotCalcul, PassageEtude, ZoneLimitrophe

pytestmark = pytest.mark.django_db


def run(*args: str) -> str:
    out = StringIO()
    call_command("lancer_etudes", *args, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_pending_runs_are_run_and_told(passage: PassageEtude) -> None:
    text = run()
    passage.refresh_from_db()
    assert passage.etat == "reussi"
    assert "Un site pour trois : terminée" in text
    assert "chacun de son côté" in text
    assert run() == "Aucune étude en attente.\n"


def test_new_studies_only_when_asked(etude: Etude) -> None:
    assert "Aucune" in run()
    run("--nouvelles")
    assert etude.passages.get().etat == "reussi"
    run("--nouvelles")
    assert etude.passages.count() == 1
    run(str(etude.pk))
    assert etude.passages.count() == 2


def test_unknown_study_and_failure_are_errors(zone: ZoneLimitrophe) -> None:
    with pytest.raises(CommandError, match="inconnue : 999"):
        run("999")
    etude = creer_etude("Triche", "mediane", zone, zone.collectivites.all(), parametres={"faute": "triche"})
    with pytest.raises(CommandError, match="1 étude"):
        run(str(etude.pk))


def test_waits_for_what_a_worker_has(passage: PassageEtude, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lot taken elsewhere is left to its worker; given back, it is done here."""
    pk = passage.lots.values_list("pk", flat=True)[0]
    LotCalcul.objects.filter(pk=pk).update(etat="en_cours", battement="2999-01-01T00:00:00Z")
    slept: list[float] = []

    def give_back(seconds: float) -> None:
        slept.append(seconds)
        LotCalcul.objects.filter(pk=pk).update(etat="en_attente", battement=None)

    monkeypatch.setattr("territoires.management.commands.lancer_etudes.time.sleep", give_back)
    run()
    passage.refresh_from_db()
    assert passage.etat == "reussi"
    assert len(slept) == 1
    assert demander_passage(passage.etude, enfile=False).pk != passage.pk
