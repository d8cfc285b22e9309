"""The end of a command: one sentence on standard error and the exit code."""

from __future__ import annotations

import errno
import io
import os
import signal

import pytest

from bin.setup.command import INTERRUPTED, run_command
from bin.setup.console import Console
from bin.setup.errors import SetupError, system_cause


def _ends(work_error: BaseException | None, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    def work() -> int:
        if work_error is not None:
            raise work_error
        return 7

    code = run_command(Console(io.StringIO()), "Arrêté.", work)
    return code, capsys.readouterr().err


def test_the_code_of_the_work_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert _ends(None, capsys) == (7, "")


def test_failures_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert _ends(SetupError("Il manque X."), capsys) == (1, "Il manque X.\n")
    full = OSError(errno.ENOSPC, "No space left on device")
    assert _ends(full, capsys) == (1, "Le disque est plein : libérez de la place, puis relancez.\n")
    closed = PermissionError(errno.EACCES, "Permission denied", "secret_key")
    assert _ends(closed, capsys) == (1, "Ce compte n'a pas le droit d'écrire ou de lire secret_key.\n")


def test_a_fault_of_the_program_is_not_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    assert system_cause(OSError(errno.EBADF, "Bad file descriptor")) == ""
    with pytest.raises(OSError, match="Bad file"):
        _ends(OSError(errno.EBADF, "Bad file descriptor"), capsys)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_stop_signal_interrupts_even_where_the_shell_ignores_it(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        code = run_command(Console(io.StringIO()), "Arrêté.", lambda: os.kill(os.getpid(), number) or 0)
        assert signal.getsignal(number) == signal.SIG_IGN
    finally:
        signal.signal(number, before)
    assert code == INTERRUPTED
    assert capsys.readouterr().err == "\nArrêté.\n"
