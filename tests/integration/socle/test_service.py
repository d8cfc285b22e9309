"""The served site: a real gunicorn and a worker, answered, then stopped by each signal with nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from bin.setup.__main__ import ROOT
from bin.setup.ports import LOOPBACK

_SERVE = """
import sys, time
from pathlib import Path
from bin.setup.command import run_command
from bin.setup.console import Console
from bin.setup.demo import serve
from bin.setup.locks import FileLock
from bin.setup.prepare import Ready, environment
from bin.setup.project import Project
from bin.setup.stamps import Stamps
project = Project(Path(sys.argv[1]))
project.prepare()
ready = Ready(project, environment(project, "postgis://a@b/c"), Stamps(project.local / "fait.json"), "",
              FileLock(project.local / "tour"))
console = Console()
sys.exit(run_command(console, "", lambda: serve(ready, console, int(sys.argv[2]), time.monotonic())))
"""
_WSGI = "def application(environ, start):\n    start('{status}', [])\n    return [b'bonjour']\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A clone with the smallest site and a worker that waits."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "wsgi.py").write_text(_WSGI.format(status="200 OK"))
    (tmp_path / "manage.py").write_text("import time\ntime.sleep(600)\n")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def _start(site: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _SERVE, site, str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def _descendants(pid: int) -> list[int]:
    children = [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [other for child in children for other in _descendants(child)]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(site: Path, number: signal.Signals) -> None:
    with socket.socket() as busy:
        busy.bind((LOOPBACK, 0))
        busy.listen()
        wanted = busy.getsockname()[1]
        process = _start(site, wanted)
        try:
            assert process.stdout is not None
            lines = []
            while "est servi sur http" not in (line := process.stdout.readline()):
                assert line, process.communicate()
                lines.append(line)
            assert any(f"Le port {wanted} est occupé : le site est servi sur le port" in seen for seen in lines)
            address = re.search(rf"http://{LOOPBACK}:(\d+)/", line)
            assert address
            assert int(address[1]) > wanted
            with urllib.request.urlopen(address[0], timeout=10) as answer:
                assert answer.read() == b"bonjour"
            # gunicorn, its two processes (forked one after the other) and the worker.
            deadline = time.monotonic() + 20
            while len(pids := _descendants(process.pid)) < 4:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            started = time.monotonic()
            os.kill(process.pid, number)
            process.communicate(timeout=20)
            assert time.monotonic() - started < 12
        finally:
            process.kill()
            process.communicate()
    assert process.returncode == 0
    assert [pid for pid in pids if _alive(pid)] == []


def test_a_site_in_error_is_said_and_stopped(site: Path) -> None:
    (site / "config" / "wsgi.py").write_text(_WSGI.format(status="500 Internal Server Error"))
    out, err = _start(site, 20000 + os.getpid() % 10000).communicate(timeout=60)
    assert "Le site répond par une erreur 500 : voir .local/journaux/site.log." in err
    assert "est servi sur http" not in out
