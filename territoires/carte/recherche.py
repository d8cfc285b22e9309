"""Search of a commune by its name or code, whatever the accents, capitals, hyphens and abbreviations."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from django.db import connection

MAXIMUM = 12
#: Abbreviations agents type, as whole words.
ABREVIATIONS = {"st": "saint", "ste": "sainte"}
_LIGATURES = str.maketrans({"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae"})
#: The same folding for PostgreSQL, which needs neither an extension nor a locale for it.
_ACCENTS = "àâäáãåçèéêëìíîïñòóôöõùúûüýÿÀÂÄÁÃÅÇÈÉÊËÌÍÎÏÑÒÓÔÖÕÙÚÛÜÝŸABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SANS_ACCENTS = "aaaaaaceeeeiiiinooooouuuuyyaaaaaaceeeeiiiinooooouuuuyyabcdefghijklmnopqrstuvwxyz"
_NOM_SQL = (
    "trim(regexp_replace(translate(replace(replace(replace(replace(c.nom, 'œ', 'oe'), 'Œ', 'oe'), 'æ', 'ae'), "
    f"'Æ', 'ae'), '{_ACCENTS}', '{_SANS_ACCENTS}'), '[^a-z0-9]+', ' ', 'g'))"
)


@dataclass(frozen=True)
class CommuneTrouvee:
    """One answer: ``cadre`` is west, south, east, north in degrees, None for a commune without outline."""

    code: str
    nom: str
    departement: str
    population: int | None
    cadre: tuple[float, float, float, float] | None


def fold(texte: str) -> str:
    """Lower case without accents, one space between words: « St-Étienne » gives "saint etienne"."""
    plat = unicodedata.normalize("NFKD", texte.translate(_LIGATURES))
    plat = "".join(c for c in plat if not unicodedata.combining(c)).lower()
    return " ".join(ABREVIATIONS.get(mot, mot) for mot in re.findall(r"[a-z0-9]+", plat))


def search_communes(texte: str, maximum: int = MAXIMUM) -> list[CommuneTrouvee]:
    """Active communes whose name has words that begin so, or whose code does; the exact and the largest first."""
    plat = fold(texte)
    if not plat:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH trouvees AS (
                SELECT c.code, c.nom, c.population, c.departement_id, c.geom, c.mairie, {_NOM_SQL} AS plat
                FROM territoires_commune c WHERE c.active
            )
            SELECT t.code, t.nom, d.nom, t.population, ST_XMin(b.cadre), ST_YMin(b.cadre), ST_XMax(b.cadre),
                   ST_YMax(b.cadre)
            FROM trouvees t JOIN territoires_collectivite d ON d.id = t.departement_id,
                 LATERAL (SELECT ST_Transform(ST_Envelope(COALESCE(t.geom, ST_Expand(t.mairie, 1000))), 4326)
                          AS cadre) b
            WHERE t.plat LIKE %(debut)s OR t.plat LIKE %(mot)s OR lower(t.code) LIKE %(debut)s
            ORDER BY t.plat <> %(plat)s AND lower(t.code) <> %(plat)s, t.plat NOT LIKE %(debut)s,
                     t.population DESC NULLS LAST, t.code
            LIMIT %(maximum)s
            """,
            {"plat": plat, "debut": f"{plat}%", "mot": f"% {plat}%", "maximum": maximum},
        )
        return [
            CommuneTrouvee(code, nom, departement, population, None if cadre[0] is None else tuple(cadre))
            for code, nom, departement, population, *cadre in cursor.fetchall()
        ]
