"""Imports go down the list of rooms, never up, never sideways between operations; pure modules know no Django."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from bin.setup.checks import pure_modules
from tests.codebase.arbre import RACINE, python_files, relative

OPERATIONS = sorted({chemin.split(".")[0] for chemin in settings.OPERATIONS})
#: Room -> rooms it may import. bin/ imports none; tests and benchmarks import all.
PERMIS = {
    "geodata": set(),
    "territoires": {"geodata"},
    **{operation: {"territoires", "geodata"} for operation in OPERATIONS},
    "config": {"territoires", "geodata", *OPERATIONS},
    "bin": set(),
}
PIECES = set(PERMIS) | {"benchmarks", "tests"}


def imported_modules(source: str, package: str) -> set[str]:
    """Dotted names imported anywhere in `source` (functions and type-checking blocks included)."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                base = ".".join([*parents[: len(parents) - node.level + 1], *([base] if base else [])])
            names.add(base)
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


@cache
def imports_of(path: Path) -> frozenset[str]:
    parts = path.relative_to(RACINE).with_suffix("").parts
    return frozenset(imported_modules(path.read_text(encoding="utf-8"), ".".join(parts[:-1])))


def forbidden(room: str, names: frozenset[str]) -> set[str]:
    """Imports of other rooms than `room` may use."""
    rooms = {name.split(".")[0] for name in names} & PIECES
    return rooms - PERMIS[room] - {room}


def test_every_app_is_a_known_room() -> None:
    apps = {path.parent.name for path in RACINE.glob("*/apps.py")}
    assert apps <= set(PERMIS), "une application n'est ni une pièce ni une opération de settings.OPERATIONS"


def test_relative_imports_are_resolved() -> None:
    assert "geodata.classes" in imported_modules("from .classes import X", "geodata")
    assert "territoires.models" in imported_modules("from ..models import X", "territoires.demonstration")


def test_an_upward_and_a_sideways_import_are_seen() -> None:
    assert forbidden("geodata", frozenset({"territoires.models"})) == {"territoires"}
    assert forbidden("territoires", frozenset({f"{OPERATIONS[0]}.models"})) == {OPERATIONS[0]}
    assert forbidden("territoires", frozenset({"geodata.models", "numpy"})) == set()


def test_imports_go_down_only() -> None:
    wrong = {
        relative(path): sorted(found)
        for path in python_files()
        if (room := path.relative_to(RACINE).parts[0]) in PERMIS and (found := forbidden(room, imports_of(path)))
    }
    assert not wrong


def _module_path(name: str) -> Path | None:
    base = RACINE.joinpath(*name.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def _reaches_django(path: Path, seen: set[Path]) -> list[str]:
    """Chain of modules from `path` to the first import of Django or of a module that needs it; empty if none."""
    seen.add(path)
    for name in sorted(imports_of(path)):
        if name.split(".")[0] in ("django", "procrastinate", "psycopg"):
            return [relative(path), name]
        other = _module_path(name)
        if other and other not in seen and (chain := _reaches_django(other, seen)):
            return [relative(path), *chain]
    return []


@pytest.mark.parametrize("module", pure_modules(RACINE))
def test_pure_modules_never_reach_django(module: str) -> None:
    assert not _reaches_django(RACINE / module, set())


def test_each_pattern_of_pure_modules_names_something() -> None:
    patterns = tomllib.loads((RACINE / "pyproject.toml").read_text())["tool"]["limitrophe"]["purs"]
    assert [pattern for pattern in patterns if not list(RACINE.glob(pattern))] == []
