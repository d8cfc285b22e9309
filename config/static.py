"""Front-end libraries that npm installed: which of their files are served, and under which prefix."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, Warning, register

#: Prefix under STATIC_URL -> folder under node_modules.
BIBLIOTHEQUES = {"tiers/protomaps-leaflet": "protomaps-leaflet/dist"}


def front_end_folders(node_modules: Path) -> list[tuple[str, str]]:
    """Entries of STATICFILES_DIRS: the folders of `BIBLIOTHEQUES` that exist."""
    return [
        (prefixe, str(node_modules / dossier))
        for prefixe, dossier in BIBLIOTHEQUES.items()
        if (node_modules / dossier).is_dir()
    ]


@register(Tags.staticfiles)
def check_libraries(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn, in French, of each library the map needs and npm has not installed."""
    from django.conf import settings

    return [
        Warning(
            f"La bibliothèque « {dossier.split('/')[0]} » de la carte n'est pas installée.",
            hint="Dans le dossier du projet : npm ci --ignore-scripts (bin/demo et bin/test le font).",
            id="limitrophe.W001",
        )
        for dossier in BIBLIOTHEQUES.values()
        if not (settings.NODE_MODULES / dossier).is_dir()
    ]
