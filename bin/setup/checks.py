"""bin/test: set-up, then lint, types, migrations check and the tests."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from bin.setup import system
from bin.setup.command import run_command
from bin.setup.console import Console
from bin.setup.errors import SetupError
from bin.setup.locks import FileLock
from bin.setup.prepare import Ready, manage, prepared
from bin.setup.processes import CommandFailed, run, run_attached
from bin.setup.project import Project
from bin.setup.steps import STATIC, run_step

#: pytest's code for "no test was collected", which is no success.
_NO_TEST = 5


def run_tests(root: Path, words: Sequence[str]) -> int:
    """Everything of bin/test; the exit code. `words` go to pytest."""
    console = Console()
    project = Project(root)

    def work() -> int:
        with prepared(project, console, "bin/test", level="dev", browser=True) as ready:
            return _check(ready, console, words)

    return run_command(console, "Arrêté avant la fin.", work)


def _check(ready: Ready, console: Console, words: Sequence[str]) -> int:
    alone = FileLock(ready.project.local / "tests.lock")
    if not alone.try_lock():
        raise SetupError("Les tests tournent déjà dans ce dossier : attendez leur fin, puis relancez bin/test.")
    try:
        failed = [title for title, command in static_checks(ready) if not _passes(ready, console, title, command)]
        if failed:
            raise SetupError(f"À corriger avant les tests : {', '.join(failed)}.")
        run_step(ready, console, STATIC)
        ready.turn.release()
        env = {**ready.env, "LIMITROPHE_CHROMIUM": system.chromium()}
        if not env["LIMITROPHE_CHROMIUM"]:
            console.say("Chromium est absent : les tests dans un navigateur seront sautés.")
        processes = os.environ.get("LIMITROPHE_PROCESSUS", str(min(os.cpu_count() or 1, 4)))
        command: list[str | Path] = [ready.project.python, "-m", "pytest", "-n", processes, *words]
        code = run_attached(command, env=env, cwd=ready.project.root)
        return 1 if code == _NO_TEST else code
    finally:
        alone.release()


def _passes(ready: Ready, console: Console, title: str, command: list[str | Path]) -> bool:
    """Run one check; its whole output is shown when it fails."""
    try:
        with console.step(title):
            run(title, command, env=ready.env, cwd=ready.project.root, log=ready.project.logs / "contrôles.log")
    except CommandFailed as error:
        console.say(error.output)
        return False
    return True


def static_checks(ready: Ready) -> list[tuple[str, list[str | Path]]]:
    """Checks that come before the tests, quickest first: title and command line."""
    tools = ready.project.venv / "bin"
    # Not the oldest version allowed: the libraries' own annotations are written for the one that is installed.
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    mypy: list[str | Path] = [
        tools / "mypy",
        "--python-version",
        version,
        *pure_modules(ready.project.root),
        "bin/setup",
    ]
    return [
        ("Style (ruff check)", [tools / "ruff", "check", "."]),
        ("Mise en forme (ruff format)", [tools / "ruff", "format", "--check", "."]),
        ("Types des pièces pures (mypy)", mypy),
        ("Réglages (manage.py check)", manage(ready, "check", "--fail-level", "WARNING")),
        ("Migrations (makemigrations --check)", manage(ready, "makemigrations", "--check", "--dry-run")),
    ]


def pure_modules(root: Path) -> list[str]:
    """Modules that import no Django, from the patterns of pyproject.toml (table tool.limitrophe, key purs)."""
    settings = tomllib.loads((root / "pyproject.toml").read_text())
    patterns: list[str] = settings["tool"]["limitrophe"]["purs"]
    return sorted({str(path.relative_to(root)) for pattern in patterns for path in root.glob(pattern)})
