"""Fixtures every room may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

RACINE = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def donnees() -> Path:
    """Folder of real data beside the project (``../shared/data`` or LIMITROPHE_DONNEES); skips where absent."""
    dossier = Path(os.environ.get("LIMITROPHE_DONNEES", RACINE.parent / "shared" / "data"))
    if not dossier.is_dir():
        pytest.skip(f"données réelles absentes : {dossier.name} (voir README)")
    return dossier
