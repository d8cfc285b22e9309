"""The child process: answers, progress, intermediate solutions, limits, interruption, death."""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from territoires.calcul import Arret, Progres
from territoires.enfant import Calculateur, CalculEchoue, CalculInterrompu, Reserve


def count(problem: int, stop: Arret, seed: int, progress: Progres) -> tuple[int, int, int]:
    """(problem, seed, iterations), telling each."""
    done = 0
    while done < problem and not stop.reached(iterations=done):
        done += 1
        progress(done / problem, f"tour {done}", float(done), None, (problem, seed, done))
        time.sleep(0.01)
    return problem, seed, done


def deaf(problem: float, stop: Arret, seed: int, progress: Progres) -> None:
    """Tells two solutions, then never stops."""
    progress(0.1, "première", 2.0, None, "première")
    progress(0.2, "seconde", 1.0, None, "seconde")
    while True:
        time.sleep(problem)


def silent_and_deaf(problem: float, stop: Arret, seed: int, progress: Progres) -> None:
    while True:
        time.sleep(problem)


def fail(problem: str, stop: Arret, seed: int, progress: Progres) -> None:
    raise ValueError(problem)


def die(problem: int, stop: Arret, seed: int, progress: Progres) -> None:
    os.kill(os.getpid(), problem)


@pytest.fixture(scope="module")
def one() -> Iterator[Calculateur]:
    with Calculateur() as calculateur:
        yield calculateur


def test_answer_progress_and_same_child(one: Calculateur) -> None:
    told: list[float | None] = []
    answer = one.solve(count, 30, seed=7, progress=lambda fraction, *rest, **more: told.append(fraction))
    assert answer.solution == (30, 7, 30)
    assert answer.complete
    assert 1 <= len(told) < 30
    pid = one.pid
    assert one.solve(count, 5, seed=1, iterations=3).solution == (5, 1, 3)
    assert one.pid == pid


def test_solver_that_obeys_its_limit_is_not_killed(one: Calculateur) -> None:
    answer = one.solve(count, 10_000, seed=1, seconds=0.4)
    assert answer.complete
    assert answer.seconds < 3


def test_killed_with_the_last_solution_told(one: Calculateur) -> None:
    """Told within half a second of the one before, the second is not lost."""
    answer = one.solve(deaf, 0.05, seed=1, seconds=0.2, grace_s=1.0)
    assert answer.solution == "seconde"
    assert not answer.complete
    assert one.pid is None
    assert one.solve(count, 2, seed=1).solution == (2, 1, 2)


def test_killed_without_any_solution(one: Calculateur) -> None:
    with pytest.raises(CalculEchoue, match="temps accordé"):
        one.solve(silent_and_deaf, 0.05, seed=1, seconds=0.1, grace_s=0.3)


def test_interrupted(one: Calculateur) -> None:
    started = time.monotonic()
    with pytest.raises(CalculInterrompu):
        one.solve(silent_and_deaf, 0.05, seed=1, interrupted=lambda: True)
    assert time.monotonic() - started < 5


def test_error_comes_with_its_trace(one: Calculateur) -> None:
    with pytest.raises(CalculEchoue, match="rien ne va") as caught:
        one.solve(fail, "rien ne va", seed=1)
    assert caught.value.erreur == "ValueError"
    assert "in fail" in caught.value.trace
    assert one.solve(count, 1, seed=1).solution == (1, 1, 1)


def test_death_says_by_which_signal(one: Calculateur) -> None:
    with pytest.raises(CalculEchoue, match="signal 9"):
        one.solve(die, int(signal.SIGKILL), seed=1)
    assert one.solve(count, 1, seed=1).solution == (1, 1, 1)


def test_what_cannot_be_sent_is_told(one: Calculateur) -> None:
    # Python 3.13 words it otherwise than 3.11.
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        one.solve(lambda *args: None, 1, seed=1)
    assert one.solve(count, 1, seed=1).solution == (1, 1, 1)


def test_child_of_the_reserve_serves_again_and_retires() -> None:
    reserve = Reserve(idle_s=0.5)
    with reserve.take() as first:
        first.solve(count, 1, seed=1)
        pid = first.pid
        with reserve.take() as second:
            assert second is not first
    with reserve.take() as again:
        assert again in (first, second)
    assert pid is not None
    end = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert not Path(f"/proc/{pid}").exists()


def test_child_of_the_reserve_is_killed_after_an_error() -> None:
    reserve = Reserve()
    with pytest.raises(CalculEchoue), reserve.take() as one:
        one.solve(fail, "x", seed=1)
    assert one.pid is None
    reserve.close()
