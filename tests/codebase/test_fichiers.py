"""What may lie in the repository: no machine's path, no data from outside, pinned libraries, short modules."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import pytest

from tests.codebase.arbre import RACINE, python_files, relative, tracked_files

#: Modules that may pass 400 lines, each with why it is one thing.
LONGS: dict[str, str] = {}
LIMITE_LIGNES = 400
#: Larger than any source: real data are never committed.
LIMITE_OCTETS = 1_500_000

# Built from pieces so that this file does not hold what it looks for.
_DEPOTS = "|".join(
    re.escape(".".join(pieces))
    for pieces in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("snapshot", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("docker", "io"),
    ]
)
_CHEMINS = "|".join(rf"(?<![\w.~$}}])/{folder}/" for folder in ("work", "home", "root", "Users", "opt/pypi", "var/tmp"))
_TEMPORAIRE = r"(?<![\w.~$}])/tmp/(?!$)\w"


def text_of(path: Path) -> str:
    """Content of a text file; empty for a binary one."""
    content = path.read_bytes()
    return "" if b"\0" in content[:8192] else content.decode("utf-8", "replace")


def found(pattern: str) -> list[str]:
    """``file: excerpt`` for each tracked text file where `pattern` occurs."""
    wanted = re.compile(pattern)
    return [f"{relative(path)}: {match[0]}" for path in tracked_files() if (match := wanted.search(text_of(path)))]


def test_no_package_registry_is_named() -> None:
    assert found(_DEPOTS) == []


def test_no_path_of_a_machine() -> None:
    assert found(f"{_CHEMINS}|{_TEMPORAIRE}") == []


def test_the_patterns_do_match() -> None:
    assert re.search(_DEPOTS, "see " + ".".join(["files", "pythonhosted", "org"]))
    assert re.search(_CHEMINS, "cd " + "/".join(["", "work", "main"]))
    assert re.search(_TEMPORAIRE, "/".join(["", "tmp", "essai"]))
    assert not re.search(f"{_CHEMINS}|{_TEMPORAIRE}", "https://example.fr/work/page $racine/tmp/x")


def test_nothing_of_the_shared_data_is_tracked(donnees: Path) -> None:
    """No tracked file is a copy of a data file (same name or same size and content)."""
    by_size: dict[int, list[Path]] = {}
    for path in tracked_files():
        by_size.setdefault(path.stat().st_size, []).append(path)
    copies = [
        f"{relative(path)} = {other.name}"
        for other in donnees.rglob("*")
        if other.is_file() and other.stat().st_size > 64
        for path in by_size.get(other.stat().st_size, [])
        if path.read_bytes() == other.read_bytes()
    ]
    assert copies == []


def test_no_file_is_large() -> None:
    assert [relative(path) for path in tracked_files() if path.stat().st_size > LIMITE_OCTETS] == []


def test_no_module_passes_the_limit_of_lines() -> None:
    lines = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    long = {name: count for name, count in lines.items() if count > LIMITE_LIGNES}
    assert {name: count for name, count in long.items() if name not in LONGS} == {}
    assert [name for name in LONGS if name not in long] == [], "exception devenue inutile"


def test_names_are_in_nfc() -> None:
    """On the disk as in git: an accent composed in one place and decomposed in the other makes two folders."""
    names = [relative(path) for path in tracked_files()]
    assert [name for name in names if name != unicodedata.normalize("NFC", name)] == []
    top = [path.name for path in RACINE.iterdir()]
    assert [name for name in top if name != unicodedata.normalize("NFC", name)] == []


@pytest.mark.parametrize("name", ["base", "dev"])
def test_requirements_are_pinned_and_hashed(name: str) -> None:
    text = (RACINE / "requirements" / f"{name}.txt").read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--?(index|extra|find|trusted|i\b|f\b)", text, flags=re.MULTILINE)
    entries = [entry for entry in re.sub(r"\\\n", " ", text).splitlines() if entry and not entry.startswith("#")]
    assert len(entries) > 20
    for entry in entries:
        assert re.match(r"[A-Za-z0-9][\w.\-]*(\[[^\]]*\])?==[\w.!+]+ ", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry


def test_development_pins_are_those_of_the_application() -> None:
    """bin/test takes the development file as holding the base one."""

    def pins(name: str) -> set[str]:
        text = (RACINE / "requirements" / f"{name}.txt").read_text()
        return set(re.findall(r"^[A-Za-z0-9][^\s\\]*==[^\\]*?(?=\s*\\?$)", text, flags=re.MULTILINE))

    assert pins("base") - pins("dev") == set()


def test_npm_lock_has_no_address_and_only_hashes() -> None:
    lock = json.loads((RACINE / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")] == []
    wanted = json.loads((RACINE / "package.json").read_text())["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())


def test_the_entry_points_are_programs() -> None:
    for name in ("bin/demo", "bin/manage", "bin/test", ".ci/run"):
        path = RACINE / name
        assert path.stat().st_mode & 0o111, name
        assert path.read_text().startswith("#!/usr/bin/env bash\n"), name
