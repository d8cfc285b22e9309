"""What goes wrong on the site is written where who runs it looks."""

from __future__ import annotations

import logging

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory
from django.test.utils import override_settings


@override_settings(DEBUG=False)
def test_an_error_of_a_page_is_written_with_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[logging.LogRecord] = []
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler:
            monkeypatch.setattr(handler, "emit", written.append)

    def broken(*args: object) -> None:
        raise RuntimeError("page en panne")

    site = WSGIHandler()
    monkeypatch.setattr(site, "resolve_request", broken)
    assert site.get_response(RequestFactory().get("/")).status_code == 500
    assert [record.exc_info is not None for record in written] == [True]
