"""The project's own files as the tests of this room see them: what git tracks, or would."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

RACINE = Path(__file__).resolve().parent.parent.parent
#: Made by set-up or by tools, never tracked.
_FABRIQUES = {".git", ".venv", ".local", "node_modules", "__pycache__", "staticfiles"}
_FABRIQUES |= {".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", "cache", "tmp"}


@cache
def tracked_files() -> tuple[Path, ...]:
    """Tracked files, absolute; where git is absent or refuses, every file outside the made folders."""
    try:
        listed = subprocess.run(
            ["git", "-c", f"safe.directory={RACINE}", "ls-files", "-z"], cwd=RACINE, capture_output=True, check=True
        )
        found = [RACINE / name for name in listed.stdout.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        found = [
            path
            for path in RACINE.rglob("*")
            if path.is_file() and not _FABRIQUES.intersection(path.relative_to(RACINE).parts)
        ]
    return tuple(path for path in found if path.is_file())


def python_files() -> list[Path]:
    """Tracked Python modules."""
    return [path for path in tracked_files() if path.suffix == ".py"]


def relative(path: Path) -> str:
    return path.relative_to(RACINE).as_posix()
