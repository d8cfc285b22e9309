"""A stand-in for an Overpass server: answers OSMnx's requests in Overpass's format from an OpenStreetMap file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import osmium
import shapely

STATUT = "Connected as: 1\nCurrent time: 2026-01-01T00:00:00Z\nRate limit: 2\n\n2 slots available now.\n"


class FauxOverpass:
    """Ways and nodes of a file, and the requests received. ``panne``: (HTTP status, body) to answer instead."""

    def __init__(self, fichier: Path) -> None:
        self.requetes: list[str] = []
        self.panne: tuple[int, str] | None = None
        self.noeuds: dict[int, dict[str, Any]] = {}
        self.voies: list[dict[str, Any]] = []
        for objet in osmium.FileProcessor(str(fichier), osmium.osm.NODE | osmium.osm.WAY):
            if objet.is_node():
                self.noeuds[objet.id] = {
                    "type": "node",
                    "id": objet.id,
                    "lat": objet.location.lat,
                    "lon": objet.location.lon,
                    **({"tags": dict(objet.tags)} if len(objet.tags) else {}),
                }
            else:
                refs = [n.ref for n in objet.nodes]
                self.voies.append({"type": "way", "id": objet.id, "nodes": refs, "tags": dict(objet.tags)})

    def answer(self, requete: str) -> str:
        """The ways that the filter and the polygon choose, and their nodes."""
        self.requetes.append(requete)
        trouve = re.search(r"""way\["highway"~"([^"]+)"\]\(poly:'([^']+)'\)""", requete)
        assert trouve, requete
        nombres = [float(v) for v in trouve.group(2).split()]
        zone = shapely.Polygon(list(zip(nombres[1::2], nombres[::2], strict=True)))
        shapely.prepare(zone)
        voies = [
            v
            for v in self.voies
            if re.search(trouve.group(1), v["tags"].get("highway", ""))
            and any(zone.contains(shapely.Point(n["lon"], n["lat"])) for n in self._nodes(v))
        ]
        noeuds = {n["id"]: n for v in voies for n in self._nodes(v)}
        return json.dumps({"version": 0.6, "generator": "essai", "elements": [*noeuds.values(), *voies]})

    def _nodes(self, voie: dict[str, Any]) -> Iterator[dict[str, Any]]:
        return (self.noeuds[r] for r in voie["nodes"] if r in self.noeuds)


@contextmanager
def serve(faux: FauxOverpass) -> Iterator[str]:
    """Address of the stand-in while it runs."""

    class Reponse(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200, "text/plain", STATUT)

        def do_POST(self) -> None:
            corps = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if faux.panne:
                self._send(faux.panne[0], "text/html", faux.panne[1])
            else:
                self._send(200, "application/json", faux.answer(parse_qs(corps)["data"][0]))

        def _send(self, code: int, genre: str, texte: str) -> None:
            octets = texte.encode()
            self.send_response(code)
            self.send_header("Content-Type", genre)
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            self.wfile.write(octets)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests stay silent."""

    serveur = ThreadingHTTPServer(("127.0.0.1", 0), Reponse)
    fil = Thread(target=serveur.serve_forever, daemon=True)
    fil.start()
    try:
        yield f"http://127.0.0.1:{serveur.server_port}/api"
    finally:
        serveur.shutdown()
        serveur.server_close()
        fil.join()
