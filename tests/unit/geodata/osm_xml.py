"""OpenStreetMap files written by hand for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

#: Latitude and longitude of node n of a regular grid, about 100 m apart.
PAS = 0.001


def place(n: int) -> tuple[float, float]:
    """(lon, lat) of node ``n``: row n // 10, column n % 10."""
    return round(4.0 + (n % 10) * PAS, 7), round(45.5 + (n // 10) * PAS, 7)


def osm_xml(
    chemin: Path,
    voies: dict[int, tuple[list[int], dict[str, str]]],
    absents: set[int] | None = None,
    relations: dict[int, tuple[list[tuple[str, int, str]], dict[str, str]]] | None = None,
    places: dict[int, tuple[float, float]] | None = None,
    version: int = 1,
    voies_avant: bool = False,
) -> Path:
    """Write a file: ways {id: (nodes, tags)}, nodes where `place` (or ``places``) says, without the ``absents``."""
    noeuds = sorted({n for refs, _ in voies.values() for n in refs} - (absents or set()))
    blocs_noeuds = []
    for n in noeuds:
        lon, lat = (places or {}).get(n, place(n))
        blocs_noeuds.append(f'<node id="{n}" version="1" visible="true" lat="{lat}" lon="{lon}"/>')
    blocs_voies = []
    for voie, (refs, tags) in sorted(voies.items()):
        corps = "".join(f'<nd ref="{r}"/>' for r in refs) + _tags(tags)
        blocs_voies.append(f'<way id="{voie}" version="{version}" visible="true">{corps}</way>')
    blocs_relations = []
    for relation, (membres, tags) in sorted((relations or {}).items()):
        corps = "".join(f'<member type="{t}" ref="{r}" role="{role}"/>' for t, r, role in membres) + _tags(tags)
        blocs_relations.append(f'<relation id="{relation}" version="1" visible="true">{corps}</relation>')
    premiers = [*blocs_voies, *blocs_noeuds] if voies_avant else [*blocs_noeuds, *blocs_voies]
    contenu = "\n".join([*premiers, *blocs_relations])
    chemin.write_text(f'<?xml version="1.0"?>\n<osm version="0.6">\n{contenu}\n</osm>\n', encoding="utf-8")
    return chemin


def _tags(tags: dict[str, Any]) -> str:
    return "".join(f"<tag k={quoteattr(k)} v={quoteattr(str(v))}/>" for k, v in tags.items())
