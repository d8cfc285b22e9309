"""What the user reads: steps, bars, durations."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bin.setup.console import Console, Step, bar, duration
from bin.setup.errors import SetupError


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min 00 s"), (125.2, "2 min 05 s")])
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@given(done=st.integers(-5, 500), total=st.integers(1, 200))
def test_the_bar_has_one_width_and_stays_within_bounds(done: int, total: int) -> None:
    drawn = bar(done, total)
    assert len(drawn) == len(bar(0, 1))
    assert 0 <= int(drawn.split("]")[1].removesuffix("%")) <= 100


def test_a_line_never_passes_the_terminal() -> None:
    step = Step("Paquets du système : " + "postgresql " * 20)
    step.total, step.done, step.detail = 10, 3, "détail"
    assert len(step.line(3, 80)) <= 79


def test_off_a_terminal_a_step_is_two_sober_lines() -> None:
    out = io.StringIO()
    with Console(out).step("Base de données"):
        pass
    assert out.getvalue() == "→ Base de données…\n✓ Base de données (0 s)\n"


def test_a_failed_step_is_marked() -> None:
    out = io.StringIO()
    with pytest.raises(SetupError), Console(out).step("Base"):
        raise SetupError("non")
    assert out.getvalue().endswith("✗ Base (0 s)\n")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_line_is_updated_in_place() -> None:
    out = _Terminal()
    with Console(out).step("Base") as step:
        step.total, step.done = 4, 1
        while " 25 %" not in out.getvalue():
            pass
    assert out.getvalue().endswith("\r\033[K✓ Base (0 s)\n")


class _Closed(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")


def test_a_closed_terminal_stops_nothing() -> None:
    console = Console(_Closed())
    console.say("Arrêt du site")
    with console.step("Base"):
        pass
