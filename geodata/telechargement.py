"""Downloads the roads of an area from an Overpass endpoint, through OSMnx, into an OpenStreetMap file.

Pure module: no Django, no database. OSMnx asks the questions (it cuts large areas and waits for its turn); the
answers are written as they are, so that the file is read by the same code as any extract.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import osmium
import osmnx
import requests
import shapely

from geodata.classes import CLASSE_PAR_HIGHWAY
from geodata.erreurs import ImportImpossible

#: Largest area of one request (m²): Overpass refuses or times out on a whole département of dense roads.
SURFACE_REQUETE_M2 = 2_500_000_000
FILTRE = f'["highway"~"^({"|".join(CLASSE_PAR_HIGHWAY)})$"]'

_ERREURS = (
    requests.exceptions.RequestException,
    osmnx._errors.InsufficientResponseError,
    osmnx._errors.ResponseStatusCodeError,
)


def download(
    zone: shapely.Polygon | shapely.MultiPolygon,
    destination: Path,
    url: str,
    attendre: bool = True,
    delai_s: int = 300,
    dire: Callable[[str], None] | None = None,
) -> dict[str, int]:
    """Write the drivable roads of ``zone`` (EPSG:4326) to ``destination`` (.osm.pbf); returns how many of each kind.

    ``url``: Overpass endpoint without ``/interpreter``. ``attendre``: ask its ``/status`` and wait for a free place, as
    shared servers demand. Raises `ImportImpossible` where the server cannot be reached, refuses or has no road there;
    ``destination`` is then left as it was.
    """
    elements: dict[str, dict[int, dict[str, Any]]] = {"node": {}, "way": {}}
    with _osmnx_settings(url, attendre, delai_s):
        try:
            # The generator under graph_from_polygon: the graph itself drops tags, and the cached answers leave out
            # without a word those the server cut short.
            for n, reponse in enumerate(osmnx._overpass._download_overpass_network(zone, "all", FILTRE), start=1):
                _gather(reponse, elements, url)
                if dire is not None:
                    dire(f"Réponse {n} d'Overpass : {len(elements['way'])} voies en tout.")
        except _ERREURS as erreur:
            raise ImportImpossible(f"{url} : le serveur Overpass ne répond pas ou refuse ({erreur}).") from erreur
    if not elements["way"]:
        raise ImportImpossible(f"{url} : aucune route dans la zone demandée.")
    _write(elements, destination)
    return {"nœuds": len(elements["node"]), "voies": len(elements["way"])}


@contextmanager
def _osmnx_settings(url: str, attendre: bool, delai_s: int) -> Iterator[None]:
    """OSMnx's module-wide settings, put back afterwards."""
    voulus: dict[str, Any] = {
        "overpass_url": url,
        "use_cache": False,
        "overpass_rate_limit": attendre,
        "requests_timeout": delai_s,
        "max_query_area_size": SURFACE_REQUETE_M2,
        "doh_url_template": None,  # the system's resolver is the one that was configured
        "log_console": False,
    }
    avant = {nom: getattr(osmnx.settings, nom) for nom in voulus}
    try:
        for nom, valeur in voulus.items():
            setattr(osmnx.settings, nom, valeur)
        yield
    finally:
        for nom, valeur in avant.items():
            setattr(osmnx.settings, nom, valeur)


def _gather(reponse: dict[str, Any], elements: dict[str, dict[int, dict[str, Any]]], url: str) -> None:
    """Add an answer's nodes and ways by identifier: requests overlap where a road goes from one to the next."""
    remarque = str(reponse.get("remark", ""))
    if remarque:
        # A request cut short by time or memory answers 200 with what it had: half a network is none.
        raise ImportImpossible(f"{url} : réponse incomplète du serveur Overpass ({remarque}).")
    for element in reponse.get("elements", []):
        if element["type"] in elements:
            elements[element["type"]][element["id"]] = element


def _write(elements: dict[str, dict[int, dict[str, Any]]], destination: Path) -> None:
    """OpenStreetMap file, nodes then ways, each by rising identifier; put in place once complete."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    provisoire = destination.with_name(f"partiel-{destination.name}")
    try:
        with osmium.SimpleWriter(str(provisoire), overwrite=True) as sortie:
            for numero, noeud in sorted(elements["node"].items()):
                sortie.add_node(
                    osmium.osm.mutable.Node(
                        id=numero, location=(noeud["lon"], noeud["lat"]), tags=noeud.get("tags", {})
                    )
                )
            for numero, voie in sorted(elements["way"].items()):
                sortie.add_way(osmium.osm.mutable.Way(id=numero, nodes=voie["nodes"], tags=voie.get("tags", {})))
        provisoire.replace(destination)
    finally:
        provisoire.unlink(missing_ok=True)
