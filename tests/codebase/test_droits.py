"""Every address of the site passes through a named permission: of `territoires.droits`, or of an operation's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

from territoires import droits

#: Django's own administration checks its users itself (`AdminSite.has_permission`).
HORS = ("admin/",)
OPERATIONS = {path.split(".")[0] for path in settings.OPERATIONS}
PUBLIQUES = {"connexion", "deconnexion", "sante"}


def every_url(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from every_url(pattern.url_patterns, route)
        else:
            yield route, pattern


URLS = [(route, pattern) for route, pattern in every_url(get_resolver().url_patterns) if not route.startswith(HORS)]


def test_there_are_addresses_to_look_at() -> None:
    assert {"etudes", "etude-comparaison", "connexion"} <= {pattern.name for _, pattern in URLS}


@pytest.mark.parametrize(("route", "pattern"), URLS, ids=[route for route, _ in URLS])
def test_view_has_a_named_permission(route: str, pattern: URLPattern) -> None:
    permission = getattr(pattern.callback, "permission", None)
    assert permission is not None, f"la vue de {route} ne passe par aucune fonction de territoires.droits"
    if permission is droits.public:
        assert pattern.name in PUBLIQUES, f"{route} est publique sans être dans la liste"
        return
    assert permission.__name__.startswith("may_"), f"{route} : {permission.__name__} ne dit pas ce qu'elle permet"
    room = permission.__module__.split(".")[0]
    assert room in {"territoires", *OPERATIONS}, f"{route} : {permission.__module__} n'a pas à donner de droits"
