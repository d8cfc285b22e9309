"""Real workers in processes of their own: killed in the middle, stopped, cancelled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from territoires.etudes import annuler_passage, creer_etude, demander_passage
from territoires.lots import TENTATIVES_MAX, Battement, LotPerdu, lock_lot, prendre_lot
from territoires.models import LotCalcul, PassageEtude, ZoneLimitrophe
from territoires.passages import executer_lot
from territoires.taches import reprendre_lots

from .conftest import make_zone

RACINE = Path(__file__).resolve().parents[4]
Etat = PassageEtude.Etat


@contextmanager
def worker(delai_s: float = 2.0) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process on the test database; whatever is left of it is killed at the end."""
    values = connection.settings_dict
    host, port = values["HOST"] or "127.0.0.1", values["PORT"] or 5432
    secret = f":{values['PASSWORD']}" if values["PASSWORD"] else ""
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.integration.territoires.etudes.reglages",
        "DATABASE_URL": f"postgis://{values['USER']}{secret}@{host}:{port}/{values['NAME']}",
        "LIMITROPHE_DELAI_REPRISE": str(delai_s),
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "procrastinate", "worker", "--fetch-job-polling-interval", "0.3"],
        cwd=RACINE,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def wait_until(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    """Look every 0.1 s until the condition holds; fails after ``seconds``."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "la condition n'est pas venue à temps"
        time.sleep(0.1)


def children(pid: int) -> list[int]:
    """Processes started by ``pid`` (Linux)."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(text) for text in task.read_text().split()]
    return found


def alive(pid: int) -> bool:
    """True while the process runs (not a zombie)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def slow_run(attente_s: float = 0.3) -> PassageEtude:
    zone = make_zone()
    etude = creer_etude(
        "Calcul long", "mediane", zone, zone.collectivites.all(), parametres={"attente_s": str(attente_s)}
    )
    return demander_passage(etude)


@pytest.mark.django_db(transaction=True)
def test_killed_worker_is_replaced_without_duplicates() -> None:
    passage = slow_run()
    with worker() as first:
        wait_until(lambda: LotCalcul.objects.filter(etat=Etat.EN_COURS, progres__gt=0).exists())
        inner = children(first.pid)
        first.send_signal(signal.SIGKILL)
        first.wait(10)
    wait_until(lambda: not any(alive(pid) for pid in inner), 10)
    passage.refresh_from_db()
    assert passage.etat == Etat.EN_COURS
    with worker():
        wait_until(lambda: PassageEtude.objects.get(pk=passage.pk).termine, 90)
    passage.refresh_from_db()
    assert passage.etat == Etat.REUSSI, passage.message
    keys = [(tuple(bloc), graine) for bloc, graine in passage.resultats.values_list("bloc", "graine")]
    assert len(keys) == len(set(keys)) == 7
    assert max(passage.lots.values_list("tentatives", flat=True)) == 2
    assert passage.progres == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_a_run() -> None:
    passage = slow_run(attente_s=0.15)
    with worker(30), worker(30):
        wait_until(lambda: LotCalcul.objects.filter(etat=Etat.EN_COURS).count() == 2)
        wait_until(lambda: PassageEtude.objects.get(pk=passage.pk).termine)
    passage.refresh_from_db()
    assert passage.etat == Etat.REUSSI, passage.message
    assert passage.resultats.count() == 7
    assert set(passage.lots.values_list("tentatives", flat=True)) == {1}


@pytest.mark.django_db(transaction=True)
def test_cancel_reaches_a_working_worker_quickly() -> None:
    passage = slow_run(attente_s=2.0)
    with worker():
        wait_until(lambda: LotCalcul.objects.filter(etat=Etat.EN_COURS, progres__gt=0).exists())
        started = time.monotonic()
        annuler_passage(passage)
        wait_until(lambda: PassageEtude.objects.get(pk=passage.pk).etat == Etat.ANNULE, 15)
        assert time.monotonic() - started < 6
    assert not passage.resultats.exists()


@pytest.mark.django_db(transaction=True)
def test_stopped_worker_gives_its_lot_back() -> None:
    passage = slow_run(attente_s=2.0)
    with worker() as process:
        wait_until(lambda: LotCalcul.objects.filter(etat=Etat.EN_COURS, progres__gt=0).exists())
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    lots = passage.lots.all()
    assert {lot.etat for lot in lots} == {Etat.EN_ATTENTE}
    assert {lot.tentatives for lot in lots} == {0}
    assert ProcrastinateJob.objects.filter(status="todo").count() >= len(lots)


@pytest.fixture
def passage_en_file(zone: ZoneLimitrophe) -> PassageEtude:
    return demander_passage(creer_etude("En file", "mediane", zone, zone.collectivites.all()))


def silence(lot: LotCalcul, seconds: float = 120) -> None:
    """As if the worker that has this lot had died so long ago."""
    LotCalcul.objects.filter(pk=lot.pk).update(battement=timezone.now() - timedelta(seconds=seconds))


def test_lot_of_a_dead_worker_is_queued_once(passage_en_file: PassageEtude) -> None:
    lot = prendre_lot(passage_en_file.lots.values_list("pk", flat=True)[0])
    assert lot is not None
    ProcrastinateJob.objects.filter(queueing_lock=f"lot-{lot.pk}").update(queueing_lock=None)
    assert reprendre_lots() == []
    silence(lot)
    assert reprendre_lots() == [lot.pk]
    assert reprendre_lots() == []


def test_too_many_deaths_fail_the_run(passage_en_file: PassageEtude) -> None:
    pk = passage_en_file.lots.values_list("pk", flat=True)[0]
    for _ in range(TENTATIVES_MAX):
        lot = prendre_lot(pk)
        assert lot is not None
        silence(lot)
    reprendre_lots()
    passage_en_file.refresh_from_db()
    assert passage_en_file.etat == Etat.ECHOUE
    assert f"{TENTATIVES_MAX} fois" in passage_en_file.message


@pytest.mark.parametrize("silence_before", [True, False])
def test_cancelled_run_of_a_dead_worker_ends(passage_en_file: PassageEtude, silence_before: bool) -> None:
    """Found dead when cancelled, or later by the next worker."""
    lot = prendre_lot(passage_en_file.lots.values_list("pk", flat=True)[0])
    assert lot is not None
    if silence_before:
        silence(lot)
        annuler_passage(passage_en_file)
    else:
        annuler_passage(passage_en_file)
        silence(lot)
        reprendre_lots()
    passage_en_file.refresh_from_db()
    assert passage_en_file.etat == Etat.ANNULE


def test_late_worker_writes_nothing(passage: PassageEtude) -> None:
    """A worker thought dead comes back after another has done its lot."""
    pk = passage.lots.values_list("pk", flat=True)[0]
    late = prendre_lot(pk)
    assert late is not None
    assert prendre_lot(pk) is None
    silence(late)
    assert executer_lot(pk)
    count = passage.resultats.count()
    with pytest.raises(LotPerdu):
        lock_lot(late)
    assert passage.resultats.count() == count


def test_a_worker_whose_lot_was_taken_is_told_to_stop(passage: PassageEtude) -> None:
    pk = passage.lots.values_list("pk", flat=True)[0]
    late = prendre_lot(pk)
    assert late is not None
    assert not Battement(late).tick()
    silence(late)
    assert prendre_lot(pk) is not None
    assert Battement(late).tick()
