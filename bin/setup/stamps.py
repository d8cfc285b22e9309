"""What is already done: a digest of a step's inputs, written only once the step has succeeded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path


def digest(files: Iterable[Path], *extra: str) -> str:
    """SHA-256 over the names and contents of `files` (sorted; absent ones count as absent) and the `extra` texts."""
    total = hashlib.sha256()
    for path in sorted(set(files)):
        total.update(f"{path}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"absent")
    total.update(json.dumps(extra).encode())
    return total.hexdigest()


def source_files(root: Path, rooms: Iterable[str], suffixes: Iterable[str]) -> list[Path]:
    """Files of the given `rooms` (folders under `root`) with one of `suffixes`, caches left out."""
    wanted = set(suffixes)
    return [
        path
        for room in rooms
        for path in (root / room).rglob("*")
        if path.suffix in wanted and "__pycache__" not in path.parts
    ]


class Stamps:
    """Digests by step name in one JSON file. A step is forgotten before it starts and noted when it has ended well."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def _read(self) -> dict[str, str]:
        try:
            content = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _write(self, content: dict[str, str]) -> None:
        temporary = self.path.with_name(self.path.name + ".nouveau")
        temporary.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False))
        temporary.replace(self.path)

    def get(self, name: str) -> str:
        return self._read().get(name, "")

    def is_done(self, name: str, wanted: str) -> bool:
        return self.get(name) == wanted

    def forget(self, *names: str) -> None:
        content = self._read()
        if content.keys() & set(names):
            self._write({name: value for name, value in content.items() if name not in names})

    def note(self, **done: str) -> None:
        self._write({**self._read(), **done})
