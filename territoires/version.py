"""Which version of the software made a figure."""

from __future__ import annotations

import tomllib
from functools import cache

from django.conf import settings


@cache
def version() -> str:
    """Version of ``pyproject.toml``, with the commit where the folder is a git clone: ``0.1.0+2beae1e9f``."""
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        number = str(tomllib.load(file)["project"]["version"])
    commit = _commit()
    return f"{number}+{commit[:9]}" if commit else number


def _commit() -> str:
    git = settings.BASE_DIR / ".git"
    try:
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        reference = head.removeprefix("ref: ")
        if (git / reference).is_file():
            return (git / reference).read_text().strip()
        for line in (git / "packed-refs").read_text().splitlines():
            if line.endswith(f" {reference}"):
                return line.split()[0]
    except OSError:
        return ""
    return ""
