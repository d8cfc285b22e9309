"""The virtual environment, from requirement files whose every line is pinned by hash."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bin.setup.console import Console, Step
from bin.setup.errors import SetupError
from bin.setup.processes import run
from bin.setup.project import Project
from bin.setup.stamps import Stamps, digest

#: What each level installs: the development file holds the same pins as the base one, and more.
LEVELS = {"base": ("base",), "dev": ("base", "dev")}
_STATE = "état"


def requirement_file(project: Project, level: str) -> Path:
    return project.root / "requirements" / f"{level}.txt"


def ensure(project: Project, console: Console, level: str) -> None:
    """Make or bring up to date ``.venv`` for `level` ("base" or "dev").

    The stamp lies inside the environment and says "ready" only after pip has ended well: one left half-built by an
    interruption is made anew.
    """
    stamps = Stamps(project.venv / "limitrophe.json")
    wanted = {name: digest([], _content(project, name)) for name in LEVELS[level]}
    works = _works(project)
    if works and stamps.get(_STATE) == "prêt" and stamps.is_done(level, wanted[level]):
        return
    log = project.logs / "pip.log"
    new = not works or stamps.get(_STATE) == "en cours"
    try:
        if new:
            with console.step("Environnement Python (.venv)"):
                run(
                    "La création de l'environnement Python",
                    [sys.executable, "-m", "venv", "--clear", project.venv],
                    log=log,
                    env=_environment(),
                )
        stamps.forget(*LEVELS)
        stamps.note(**{_STATE: "en cours"})
        _install(project, console, requirement_file(project, level), log)
    except BaseException:
        # What was there before is kept, marked; what was being made takes no place on a disk that may be full.
        if new:
            shutil.rmtree(project.venv, ignore_errors=True)
        raise
    stamps.note(**wanted, **{_STATE: "prêt"})


def _install(project: Project, console: Console, requirements: Path, log: Path) -> None:
    with console.step("Bibliothèques Python") as step:
        step.total = 2 * pinned_count(requirements.read_text())
        run(
            "L'installation des bibliothèques Python",
            [
                *(project.python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"),
                # Everything is pinned, wheels only: nothing to resolve, nothing to compile.
                *("--progress-bar", "off", "--require-hashes", "--no-deps", "--only-binary", ":all:"),
                *("-r", requirements),
            ],
            log=log,
            env=_environment(),
            on_line=pip_reader(step),
        )


def _content(project: Project, name: str) -> str:
    """All that the environment's content depends on: the requirement text and Python's version."""
    try:
        text = requirement_file(project, name).read_text()
    except FileNotFoundError:
        raise SetupError(f"Le fichier requirements/{name}.txt est absent de cette copie du projet.") from None
    return f"{sys.version_info.major}.{sys.version_info.minor}\n{text}"


def _environment() -> dict[str, str]:
    # PYTHONPATH is this command's own (bin/demo sets it): the environment must be made without it.
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _works(project: Project) -> bool:
    """Whether the environment's Python starts, is of this version and has pip."""
    if not project.python.exists():
        return False
    test = f"import sys, pip; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"
    return subprocess.run([project.python, "-c", test], capture_output=True, check=False).returncode == 0


def pinned_count(text: str) -> int:
    """Number of packages pinned in a requirement file."""
    return len(re.findall(r"^[A-Za-z0-9][\w.\-]*(\[[^\]]*\])?==", text, flags=re.MULTILINE))


def pip_reader(step: Step) -> Callable[[str], None]:
    """Reads pip's lines into the bar of `step`: half for what is fetched, the other for the installation."""

    def read(line: str) -> None:
        if found := re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.\-]+)", line.strip()):
            step.done += 1
            step.detail = found[1]
        elif line.startswith("Installing collected packages"):
            step.detail = "mise en place"
        elif line.startswith("Successfully installed"):
            step.done = step.total

    return read
