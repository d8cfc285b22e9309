"""A study's what-if lines applied to the centres and rules read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from django.conf import settings
from django.contrib.gis.db.models.functions import AsWKB
from django.db.models import Q

from territoires.importation.geometrie import project
from territoires.models import Collectivite, Commune
from territoires.operation import DonneesInsuffisantes

from .lecture import Centre
from .modifications import Action, Modification
from .parametres import Parametres

#: End of the code of a centre's new place.
DEPLACE = " (déplacé)"


def change(
    centres: list[Centre],
    changements: Sequence[Modification],
    rang: Mapping[int, int],
    perimetre: set[str],
    parametres: Parametres,
) -> tuple[list[Centre], list[tuple[int, int, bool]]]:
    """Centres and rules (centre's key, collectivité's key, allowed) with the study's changes, sorted by code.

    Raises `DonneesInsuffisantes` naming the lines whose centre or collectivité is not known.
    """
    if not changements:
        return centres, []
    par_code = {c.code: c for c in centres}
    noms = {m.collectivite for m in changements if m.collectivite}
    connues: dict[str, Collectivite] = {}
    for collectivite in Collectivite.objects.filter(code__in=noms).order_by("-type").only("pk", "code", "nom", "type"):
        # The study's own first, then any other of that code.
        if collectivite.code not in connues or collectivite.pk in rang:
            connues[collectivite.code] = collectivite
    places = _places([m for m in changements if m.lon is not None])
    messages, regles, numero = [], [], 0
    for m in changements:
        if m.centre and m.centre not in par_code:
            messages.append(f"Modification, ligne {m.ligne} : centre « {m.centre} » inconnu dans cette étude.")
            continue
        if m.collectivite and m.collectivite not in connues:
            messages.append(f"Modification, ligne {m.ligne} : collectivité « {m.collectivite} » inconnue.")
            continue
        if m.ligne in places and places[m.ligne].commune is None:
            messages.append(f"Modification, ligne {m.ligne} : la position n'est dans aucune commune connue.")
            continue
        if m.action in (Action.AUTORISER, Action.INTERDIRE):
            regles.append((par_code[m.centre].pk, connues[m.collectivite].pk, m.action is Action.AUTORISER))
        elif m.action is Action.OUVRIR:
            numero += 1
            place, proprietaire = places[m.ligne], connues[m.collectivite]
            groupe = next((rang[k] for k in (proprietaire.pk, place.epci, place.departement) if k in rang), None)
            if groupe is None:
                messages.append(
                    f"Modification, ligne {m.ligne} : « {m.nom} » n'est dans aucune collectivité de l'étude."
                )
                continue
            nouveau = Centre(
                code=f"nouveau-{numero:02d}", nom=f"{m.nom} (nouveau)", pk=0, proprietaire=proprietaire.pk,
                proprietaire_code=proprietaire.code, proprietaire_nom=proprietaire.nom,
                proprietaire_type=proprietaire.type, groupe=groupe, dans_perimetre=place.commune in perimetre,
                cout_fixe=parametres.couts.cout_fixe,
                capacite=float("inf") if m.capacite is None or not parametres.capacites else m.capacite, fictif=False,
                x=place.x, y=place.y, actif=True, actif_base=False,
            )  # fmt: skip
            par_code[nouveau.code] = nouveau
        else:
            par_code |= _moved(par_code[m.centre], m, places, perimetre)
    if messages:
        raise DonneesInsuffisantes("\n".join(messages))
    return sorted(par_code.values(), key=lambda c: c.code), regles


@dataclass(frozen=True)
class Place:
    """A new position (EPSG:2154) and where it lies; keys are None outside every commune."""

    x: float
    y: float
    commune: str | None
    departement: int | None
    epci: int | None


def _moved(centre: Centre, m: Modification, places: Mapping[int, Place], perimetre: set[str]) -> dict[str, Centre]:
    if m.action is not Action.DEPLACER:
        return {centre.code: replace(centre, actif=m.action is Action.ROUVRIR)}
    place = places[m.ligne]
    la_bas = replace(
        centre,
        code=centre.code + DEPLACE,
        nom=centre.nom + DEPLACE,
        dans_perimetre=place.commune in perimetre,
        x=place.x,
        y=place.y,
        actif=True,
        actif_base=False,
    )
    return {centre.code: replace(centre, actif=False), la_bas.code: la_bas}


def _places(changements: Sequence[Modification]) -> dict[int, Place]:
    """Where new positions lie, by line. One query for all."""
    if not changements:
        return {}
    xy = project(np.array([shapely.Point(m.lon, m.lat) for m in changements], dtype=object), 4326)
    filtre = Q()
    for point in xy:
        filtre |= Q(geom__contains=f"SRID={settings.SRID};{shapely.to_wkt(point, rounding_precision=3)}")
    trouvees = [
        (shapely.from_wkb(bytes(wkb)), code, departement, epci)
        for wkb, code, departement, epci in Commune.objects.filter(filtre, active=True).values_list(
            AsWKB("geom"), "code", "departement_id", "epci_id"
        )
    ]
    places = {}
    for m, point in zip(changements, xy, strict=True):
        ici = next((t for t in trouvees if t[0].intersects(point)), (None, None, None, None))
        places[m.ligne] = Place(point.x, point.y, ici[1], ici[2], ici[3])
    return places
