"""Tiles over HTTP: conditional answers, caching, compression."""

from __future__ import annotations

import gzip
from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.http import require_safe

from geodata import generalisation, tuiles
from geodata.models import Reseau
from geodata.tuiles import Tuile
from territoires import tuiles as tuiles_territoires
from territoires.droits import may_read_tiles, protege

TYPE_MIME = "application/vnd.mapbox-vector-tile"
#: Below this size compressing gains nothing.
OCTETS_COMPRESSES = 512
#: Rows of an import never change and its number is in the address. Private: reading asks for an account.
CACHE_ROUTES = "private, max-age=31536000, immutable"
#: Territories may be corrected: asked again after a minute, and not sent again if they were not.
CACHE_TERRITOIRES = "private, max-age=60, must-revalidate"


@protege(may_read_tiles, json=True)
@require_safe
def road_tile(request: HttpRequest, reseau: str, version: int, z: int, x: int, y: int) -> HttpResponse:
    """A tile of the current import of a network; 404 for an import that a newer one replaced."""
    tuile = _tuile(z, x, y)
    if not Reseau.objects.filter(code=reseau, import_courant=version).exists():
        raise Http404("Ce réseau n'est plus à cette version : rechargez la page.")

    def make() -> bytes:
        generalisation.prepare(version)
        return tuiles.road_tile(version, tuile)

    return _answer(request, tuiles.etag(version, tuile), make, CACHE_ROUTES)


@protege(may_read_tiles, json=True)
@require_safe
def territory_tile(request: HttpRequest, z: int, x: int, y: int) -> HttpResponse:
    """A tile of the territories as they are now."""
    contenu = tuiles_territoires.territory_tile(_tuile(z, x, y))
    return _answer(request, tuiles_territoires.etag(contenu), lambda: contenu, CACHE_TERRITOIRES)


def _tuile(z: int, x: int, y: int) -> Tuile:
    tuile = Tuile(z, x, y)
    if not tuile.exists:
        raise Http404("Cette tuile n'existe pas.")
    return tuile


def _answer(request: HttpRequest, etag: str, make: Callable[[], bytes], cache: str) -> HttpResponse:
    """The tile, 304 when the browser has it already (then it is not made), 204 when there is nothing in it."""
    # Weak: the same tile goes out compressed or not.
    etag = f"W/{etag}"
    response = get_conditional_response(request, etag=etag)
    if response is None:
        contenu = make()
        if contenu:
            compressed = len(contenu) >= OCTETS_COMPRESSES and "gzip" in request.headers.get("Accept-Encoding", "")
            response = HttpResponse(
                gzip.compress(contenu, 4, mtime=0) if compressed else contenu, content_type=TYPE_MIME
            )
            if compressed:
                response["Content-Encoding"] = "gzip"
        else:
            response = HttpResponse(status=204)
    response["ETag"] = etag
    response["Cache-Control"] = cache
    patch_vary_headers(response, ["Accept-Encoding"])
    return response
