"""What both commands need before anything else: packages, virtual environment, front-end libraries, database."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bin.setup import node, system, venv
from bin.setup.cluster import Cluster
from bin.setup.console import Console
from bin.setup.errors import SetupError
from bin.setup.locks import FileLock
from bin.setup.processes import ignore_stop_signals
from bin.setup.project import Project
from bin.setup.stamps import Stamps

#: What a first set-up takes on the disk: libraries, front end, database.
NEEDED_GB = 3.0


@dataclass(frozen=True)
class Ready:
    """A prepared clone: the environment its commands run in, and what is already done in this database."""

    project: Project
    env: dict[str, str]
    stamps: Stamps
    #: Identity of the database, part of every digest; empty for a DATABASE_URL of the user's, never trusted to be
    #: as it was left.
    database: str
    #: Held while the clone is being prepared; released before what lasts (the site, the tests).
    turn: FileLock


@contextmanager
def prepared(project: Project, console: Console, command: str, *, level: str, browser: bool) -> Iterator[Ready]:
    """Set everything up, then give the block a running database; the cluster is left as found afterwards.

    One command prepares at a time: a second one waits, then finds the work done.
    """
    project.prepare()
    check_space(project)
    given = os.environ.get("DATABASE_URL", "")
    turn = FileLock(project.local / "preparation.lock")
    turn.lock(lambda: console.say("Une autre commande prépare ce dossier : attente de sa fin…"))
    cluster = None if given else Cluster(project, console)
    acquired = False
    try:
        system.install_missing(
            console,
            project.logs / "apt.log",
            command,
            cluster=cluster is not None,
            browser=browser,
            pg_version=cluster.version if cluster else None,
        )
        if cluster:
            # The server's account may have come with the packages.
            cluster = Cluster(project, console)
        venv.ensure(project, console, level)
        stamps = Stamps(project.local / "fait.json")
        node.ensure(project, console, stamps)
        if cluster:
            url = cluster.acquire()
            acquired = True
        else:
            url = given
            check_database(project, url)
        yield Ready(project, environment(project, url), stamps, cluster.identity if cluster else "", turn)
    finally:
        ignore_stop_signals()
        turn.release()
        if cluster and acquired:
            cluster.release()


def environment(project: Project, url: str) -> dict[str, str]:
    """Variables of the project's own commands."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    env["DATABASE_URL"] = url
    env["PATH"] = f"{project.venv / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}"
    env["VIRTUAL_ENV"] = str(project.venv)
    # Off a terminal too, warnings and results come in the order they were written.
    env["PYTHONUNBUFFERED"] = "1"
    return env


def check_space(project: Project, needed_gb: float = NEEDED_GB) -> None:
    """Raises `SetupError` before a first set-up that the disk cannot hold."""
    if (project.venv / "limitrophe.json").exists():
        return
    free_gb = shutil.disk_usage(project.root).free / 1e9
    if free_gb < needed_gb:
        raise SetupError(
            f"Il faut au moins {needed_gb:.0f} Go libres sur le disque de {project.root} "
            f"(libres : {free_gb:.1f} Go) : libérez de la place, puis relancez."
        )


def check_database(project: Project, url: str) -> None:
    """Raises `SetupError` where the database that the user chose does not answer."""
    script = (
        "import os, psycopg, sys\n"
        "try: psycopg.connect(os.environ['LIMITROPHE_ESSAI'], connect_timeout=10).close()\n"
        "except psycopg.Error as error: sys.exit(str(error).strip())\n"
    )
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("postgis", "postgres", "postgresql"):
        raise SetupError("DATABASE_URL doit avoir la forme postgis://compte:motdepasse@machine:port/base.")
    test = subprocess.run(
        [project.python, "-c", script],
        env={**os.environ, "LIMITROPHE_ESSAI": f"postgresql://{rest}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if test.returncode != 0:
        raise SetupError(f"La base indiquée par DATABASE_URL ne répond pas : {test.stderr.strip().splitlines()[0]}")


def manage(ready: Ready, *words: str) -> list[str | Path]:
    """Command line of a management command."""
    return [ready.project.python, ready.project.root / "manage.py", *words]
