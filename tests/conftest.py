"""Fixtures every room may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

RACINE = Path(__file__).resolve().parent.parent

# No test is timed: machines are noisy. In CI the examples are always the same, so that what is red there is red here.
hypothesis_settings.register_profile(
    "limitrophe",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
hypothesis_settings.load_profile("limitrophe")


@pytest.fixture(scope="session")
def donnees() -> Path:
    """Folder of real data beside the project (``../shared/data`` or LIMITROPHE_DONNEES); skips where absent."""
    dossier = Path(os.environ.get("LIMITROPHE_DONNEES", RACINE.parent / "shared" / "data"))
    if not dossier.is_dir():
        pytest.skip(f"données réelles absentes : {dossier.name} (voir README)")
    return dossier


@pytest.fixture(scope="session", autouse=True)
def statiques_simples() -> Iterator[None]:
    """Static files by their plain names: tests need neither collectstatic nor WhiteNoise, which wants its folder."""
    with override_settings(
        STORAGES={
            **settings.STORAGES,
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        },
        MIDDLEWARE=[nom for nom in settings.MIDDLEWARE if "whitenoise" not in nom],
    ):
        yield
