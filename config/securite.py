"""Content security policy: pages run their own scripts only and ask nothing of outside servers."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from territoires.carte.configuration import FONDS


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware. The administration is left out: its map widgets come with scripts of their own."""
    administration = reverse("admin:index")

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not request.path.startswith(administration):
            response.headers.setdefault("Content-Security-Policy", policy())
        return response

    return middleware


def policy() -> str:
    """The header's value: only the backgrounds an installation has chosen may come from elsewhere."""
    fonds = (urlsplit(FONDS[code]["url"]) for code in settings.FONDS_EXTERNES if code in FONDS)
    images = " ".join(["'self'", "data:", "blob:", *(f"{u.scheme}://{u.netloc}" for u in fonds)])
    return "; ".join(
        (
            "default-src 'self'",
            f"img-src {images}",
            "style-src 'self' 'unsafe-inline'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
