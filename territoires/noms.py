"""Names of collectivités short enough for tables. Pure module."""

from __future__ import annotations

#: Usual abbreviations of the kinds of EPCI and syndicats.
ABREGES = (
    ("Communauté de communes ", "CC "),
    ("Communauté d'agglomération ", "CA "),
    ("Communauté d’agglomération ", "CA "),
    ("Communauté urbaine ", "CU "),
    ("Syndicat intercommunal ", "SI "),
    ("Syndicat mixte ", "SM "),
)


def nom_court(nom: str) -> str:
    """« Communauté de communes des Monts du Pilat » : « CC des Monts du Pilat »."""
    for long, short in ABREGES:
        if nom.lower().startswith(long.lower()) and len(nom) > len(long):
            return short + nom[len(long) :]
    return nom
