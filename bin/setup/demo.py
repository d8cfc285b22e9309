"""bin/demo: the demonstration from a fresh clone to a served site."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Sequence
from pathlib import Path

from bin.setup.command import run_command
from bin.setup.console import Console, duration
from bin.setup.errors import SetupError
from bin.setup.ports import LOOPBACK, next_free
from bin.setup.prepare import Ready, manage, prepared
from bin.setup.processes import Service, Supervisor, ignore_stop_signals
from bin.setup.project import Project
from bin.setup.steps import ACCOUNTS, demo_steps, run_step

#: Time the site may take to answer its first request.
START_LIMIT_S = 90


def run_demo(root: Path, *, to_serve: bool, port: int, osm: Sequence[str] | None) -> int:
    """Everything of bin/demo; the exit code."""
    console = Console()
    started = time.monotonic()
    project = Project(root)

    def work() -> int:
        with prepared(project, console, "bin/demo", level="base", browser=False) as ready:
            for step in demo_steps(osm):
                run_step(ready, console, step)
            ready.turn.release()
            if not to_serve:
                console.say(f"La démonstration est prête ({duration(time.monotonic() - started)}).")
                return 0
            return serve(ready, console, port, started)

    return run_command(console, "Arrêté avant la fin : relancez bin/demo pour reprendre.", work)


def services(ready: Ready, port: int) -> list[Service]:
    """The site and the worker of the queue."""
    memory = ("--worker-tmp-dir", "/dev/shm") if os.access("/dev/shm", os.W_OK) else ()
    return [
        Service(
            "Le site",
            [
                *(ready.project.venv / "bin" / "gunicorn", "config.wsgi", "--bind", f"{LOOPBACK}:{port}"),
                *("--workers", "2", "--threads", "4", "--timeout", "120", "--graceful-timeout", "3"),
                *("--no-control-socket", "--log-level", "warning", *memory),
            ],
            ready.project.logs / "site.log",
            patience_s=5,
        ),
        Service(
            "Le travailleur",
            manage(ready, "procrastinate", "worker", "--shutdown-graceful-timeout", "3"),
            ready.project.logs / "travailleur.log",
            patience_s=6,
        ),
    ]


def serve(ready: Ready, console: Console, wanted_port: int, started: float) -> int:
    port = next_free(wanted_port)
    if port != wanted_port:
        console.say(f"Le port {wanted_port} est occupé : le site est servi sur le port {port}.")
    supervisor = Supervisor(ready.env, ready.project.root, console.say)
    try:
        with console.step("Démarrage du site"):
            for service in services(ready, port):
                supervisor.start(service)
            _wait_answer(supervisor, port)
        console.say(f"Limitrophe est servi sur http://{LOOPBACK}:{port}/ ({duration(time.monotonic() - started)}).")
        for line in accounts(ready):
            console.say(line)
        console.say("Ctrl-C arrête le site, le travailleur et la base.")
        while True:
            time.sleep(0.5)
            supervisor.check()
    except KeyboardInterrupt:
        ignore_stop_signals()
        console.say("\nArrêt du site, du travailleur et de la base…")
        return 0
    finally:
        ignore_stop_signals()
        supervisor.stop()


def accounts(ready: Ready) -> list[str]:
    """Lines to show for the demonstration accounts, as creer_demonstration keeps them."""
    file = ready.project.local / ACCOUNTS
    if not file.is_file():
        return []
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip() and line[0] != "#"]
    return ["Comptes de démonstration (identifiant, mot de passe, rôle) :", *(f"  {line}" for line in lines)]


def _wait_answer(supervisor: Supervisor, port: int) -> None:
    """Wait for the site's first answer. Raises `SetupError` where it does not come or is an error."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        supervisor.check()
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=START_LIMIT_S)
        try:
            connection.request("GET", "/")
            status = connection.getresponse().status
        except OSError:
            time.sleep(0.1)
            continue
        finally:
            connection.close()
        if status >= 500:
            raise SetupError(f"Le site répond par une erreur {status} : voir .local/journaux/site.log.")
        return
    raise SetupError(f"Le site ne répond pas après {START_LIMIT_S} s : voir .local/journaux/site.log.")
