"""How loops are compiled: what makes compiled code old, one form a function."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geodata import compilation
from geodata.compilation import compiled, stamp


@compiled
def power(base: int, times: int) -> int:
    found = 1
    for _ in range(times):
        found *= base
    return found


@compiled
def cubes(a: int) -> int:
    return power(a, 3) + power(2, 3) + power(a, a)


@compiled
def ratio(a: float, b: float) -> float:
    return a / b


def test_one_form_whatever_the_constants_in_a_call() -> None:
    assert cubes(4) == 64 + 8 + 256
    forms: Any = power
    assert len(forms.signatures) == 1


def test_division_by_zero_is_numpys() -> None:
    assert ratio(1.0, 0.0) == np.inf


def folder(path: Path) -> Path:
    path.mkdir()
    (path / "noyau.py").write_text("from geodata.compilation import compiled\n\nfrom .donnees import N\n")
    (path / "donnees.py").write_text("N = 1\n")
    (path / "pages.py").write_text("M = 1\n")
    return path


@pytest.mark.parametrize(("name", "old"), [("noyau.py", True), ("donnees.py", True), ("pages.py", False)])
def test_compiled_code_is_old_when_what_it_calls_changes(tmp_path: Path, name: str, old: bool) -> None:
    before = stamp(folder(tmp_path / "avant"))
    after = folder(tmp_path / "apres")
    assert stamp(after) == before
    compilation.stamp.cache_clear()
    (after / name).write_text((after / name).read_text() + "# autre\n")
    assert (stamp(after) != before) is old


def test_the_mark_is_on_what_is_kept() -> None:
    kept: Any = cubes
    assert kept._cache._cache_file._source_stamp == stamp(Path(__file__).parent)
