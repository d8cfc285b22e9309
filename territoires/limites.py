"""Limits between adjacent collectivités, kept with the communes that touch each along a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from django.db import transaction

from .aretes import TOLERANCE_M, LimiteCalculee, limits, shared_edges
from .importation.ecriture import to_geos, to_shapely
from .models import Commune, Limite, LimiteCommune


@dataclass(frozen=True)
class BilanLimites:
    """How many limits there are, and how exact: metres matched within the tolerance only, edges in three polygons."""

    limites: int
    longueur_m: float
    longueur_approchee_m: float
    aretes_multiples: int


@transaction.atomic
def refresh_limites(tolerance_m: float = TOLERANCE_M) -> BilanLimites:
    """Compute again every limit between départements (or their equals) and between EPCI of the active communes.

    A limit that is still there keeps its row. A constant number of queries.
    """
    communes = list(
        Commune.objects.filter(active=True, geom__isnull=False).values_list("pk", "departement_id", "epci_id", "geom")
    )
    geoms = np.empty(len(communes), dtype=object)
    geoms[:] = [to_shapely(geom) for _, _, _, geom in communes]
    partages = shared_edges(geoms, tolerance_m)
    trouvees: dict[tuple[int, int], LimiteCalculee] = {}
    proprietaires: dict[tuple[int, int], list[int]] = {}
    for colonne in (1, 2):
        owner = np.array([c[colonne] if c[colonne] is not None else -1 for c in communes], dtype=np.int64)
        for limite in limits(partages, owner):
            trouvees[limite.a, limite.b] = limite
            proprietaires[limite.a, limite.b] = owner.tolist()
    _store(trouvees, proprietaires, [c[0] for c in communes])
    return BilanLimites(
        limites=len(trouvees),
        longueur_m=sum(limite.longueur_m for limite in trouvees.values()),
        longueur_approchee_m=sum(limite.longueur_approchee_m for limite in trouvees.values()),
        aretes_multiples=partages.multiples,
    )


def _store(
    trouvees: Mapping[tuple[int, int], LimiteCalculee],
    proprietaires: Mapping[tuple[int, int], list[int]],
    communes: list[int],
) -> None:
    anciennes = {(a, b): pk for pk, a, b in Limite.objects.values_list("pk", "collectivite_a", "collectivite_b")}
    LimiteCommune.objects.all().delete()
    Limite.objects.filter(pk__in=[pk for cle, pk in anciennes.items() if cle not in trouvees]).delete()
    Limite.objects.bulk_create(
        [
            Limite(
                collectivite_a_id=a,
                collectivite_b_id=b,
                geom=to_geos(limite.geom),
                longueur_m=limite.longueur_m,
                longueur_approchee_m=limite.longueur_approchee_m,
            )
            for (a, b), limite in trouvees.items()
        ],
        update_conflicts=True,
        unique_fields=["collectivite_a", "collectivite_b"],
        update_fields=["geom", "longueur_m", "longueur_approchee_m"],
    )
    pks = {(a, b): pk for pk, a, b in Limite.objects.values_list("pk", "collectivite_a", "collectivite_b")}
    LimiteCommune.objects.bulk_create(
        [
            LimiteCommune(
                limite_id=pks[cle],
                commune_id=communes[k],
                collectivite_id=proprietaires[cle][k],
                longueur_m=metres,
            )
            for cle, limite in trouvees.items()
            for k, metres in limite.longueur_par_polygone.items()
        ],
        batch_size=5000,
    )
