"""Where things lie in a clone."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from bin.setup.errors import SetupError


@dataclass(frozen=True)
class Project:
    """Paths of one clone; everything that set-up makes is under `venv`, `local` and ``node_modules``."""

    root: Path

    @property
    def local(self) -> Path:
        return self.root / ".local"

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def logs(self) -> Path:
        return self.local / "journaux"

    def prepare(self) -> None:
        """Make the local folders and the secret key. Raises `SetupError` where the clone cannot be written."""
        if not os.access(self.root, os.W_OK):
            raise SetupError(f"Le dossier {self.root} n'est pas accessible en écriture à ce compte.")
        # Readable by all: the server's own account passes through it; what is secret is 0600.
        for folder in (self.local, self.logs):
            folder.mkdir(mode=0o755, exist_ok=True)
            if not os.access(folder, os.W_OK):
                raise SetupError(
                    f"Le dossier {folder} appartient à un autre compte : relancez avec le même compte, ou supprimez-le."
                )
        write_secret_once(self.local / "secret_key", secrets.token_urlsafe(50))


def write_secret_once(path: Path, value: str) -> str:
    """Value kept in `path` (mode 0600), written there first where the file is absent or empty."""
    if path.exists() and (kept := path.read_text().strip()):
        return kept
    temporary = path.with_name(path.name + ".nouveau")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(value)
    temporary.replace(path)
    return value
