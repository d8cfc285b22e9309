"""bin/manage: one management command on the clone's own database, set up first if need be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bin.setup.command import run_command
from bin.setup.console import Console
from bin.setup.prepare import manage, prepared
from bin.setup.processes import run_attached
from bin.setup.project import Project
from bin.setup.steps import MIGRATE, run_step


def run_manage(root: Path, words: Sequence[str]) -> int:
    """Exit code of ``manage.py WORDS``, run where the user stands so that file names mean what they mean there."""
    console = Console()
    project = Project(root)

    def work() -> int:
        with prepared(project, console, "bin/manage", level="base", browser=False) as ready:
            run_step(ready, console, MIGRATE)
            ready.turn.release()
            return run_attached(manage(ready, *words), env=ready.env, cwd=Path.cwd())

    return run_command(console, "Commande interrompue.", work)
