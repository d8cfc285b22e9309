"""Child processes: their output, their end, and the supervision of the site and the worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bin.setup.__main__ import ROOT
from bin.setup.errors import SetupError
from bin.setup.processes import CommandFailed, Service, Supervisor, run, run_attached


def _wait(true: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _alive(pid: int) -> bool:
    """Whether `pid` runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_output_is_returned_shown_and_logged(tmp_path: Path) -> None:
    log = tmp_path / "j.log"
    lines: list[str] = []
    output = run("Essai", ["sh", "-c", "echo un; echo deux >&2"], log=log, on_line=lines.append)
    assert sorted(lines) == ["deux", "un"]
    assert output.split() == lines
    assert "un\n" in log.read_text()


def test_a_failure_names_the_cause_or_the_last_lines(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"Essai : échec\. Le disque est plein") as known:
        run("Essai", ["sh", "-c", "echo 'No space left on device'; exit 3"], log=tmp_path / "j.log")
    assert "journal complet" in str(known.value)
    with pytest.raises(CommandFailed, match=r"Essai : échec\.\nquoi donc"):
        run("Essai", ["sh", "-c", "echo quoi donc; exit 3"])


def test_an_interruption_ends_the_tool_and_its_children(tmp_path: Path) -> None:
    pids: list[int] = []

    def interrupt(line: str) -> None:
        pids.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("Essai", ["sh", "-c", "sleep 60 & echo $!; wait"], on_line=interrupt)
    assert _wait(lambda: not _alive(pids[0]))


def test_an_attached_command_gives_its_code(tmp_path: Path) -> None:
    assert run_attached(["sh", "-c", 'exit "$CODE"'], env={**os.environ, "CODE": "7"}, cwd=tmp_path) == 7


def _service(tmp_path: Path, script: str, patience_s: float = 5) -> Service:
    return Service("Le service", ["sh", "-c", script], tmp_path / "service.log", patience_s)


def test_a_fallen_service_starts_again_and_all_is_stopped(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(dict(os.environ), tmp_path, said.append)
    service = _service(tmp_path, "echo départ; sleep 60")
    supervisor.start(service)
    first = service.process
    assert first is not None
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    supervisor.check()
    assert said == ["Le service s'est arrêté (code -9) : nouveau départ."]
    second = service.process
    assert second is not None
    assert second.pid != first.pid
    supervisor.check()
    assert service.process is second
    started = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - started < 4
    assert not _alive(second.pid)


def test_a_service_that_keeps_falling_is_a_failure(tmp_path: Path) -> None:
    supervisor = Supervisor(dict(os.environ), tmp_path, lambda text: None)
    service = _service(tmp_path, "echo base introuvable; exit 4")
    supervisor.start(service)
    with pytest.raises(SetupError, match=r"Le service : arrêts répétés\.\nbase introuvable"):
        for _ in range(Supervisor.MAX_FALLS + 1):
            assert service.process is not None
            service.process.wait()
            supervisor.check()
    supervisor.stop()


def test_a_deaf_service_is_stopped_with_its_children(tmp_path: Path) -> None:
    supervisor = Supervisor(dict(os.environ), tmp_path, lambda text: None)
    service = _service(tmp_path, "trap '' TERM; sleep 60 & echo $!; wait; sleep 60", patience_s=0.5)
    supervisor.start(service)
    assert _wait(lambda: service.log.read_text().strip().isdigit())
    child = int(service.log.read_text())
    supervisor.stop()
    assert _wait(lambda: not _alive(child))


_PARENT = """
import sys, time
from pathlib import Path
from bin.setup.processes import Service, Supervisor
supervisor = Supervisor({"PATH": "/usr/bin:/bin"}, Path("/"), print)
service = Service("s", ["sleep", "60"], Path(sys.argv[1]), 1)
supervisor.start(service)
print(service.process.pid, flush=True)
time.sleep(60)
"""


def test_services_end_with_a_supervisor_killed_outright(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, tmp_path / "s.log"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert _alive(child)
    parent.kill()
    parent.communicate()
    assert _wait(lambda: not _alive(child))
