"""Tables of the pages of zones."""

from __future__ import annotations

from territoires.models import ZoneLimitrophe
from territoires.nombres import nombre
from territoires.operation import Tableau
from territoires.zones import Selection, sides


def selection_table(selection: Selection) -> Tableau:
    """Communes of a zone that is not written yet."""
    noms = {c.pk: c.nom for c in selection.collectivites}
    comptes = {c.code: c.nom for c in selection.collectivites}
    resume = ", ".join(f"{n} de {comptes[code]}" for code, n in sorted(selection.by_collectivite().items()))
    return Tableau(
        "apercu",
        f"{len(selection.communes)} communes : {resume}",
        ("Commune", "Code", "Côté", "Habitants"),
        [
            (c.nom, c.code, noms[selection.cote[c.pk]], "—" if c.population is None else nombre(c.population))
            for c in selection.communes
        ],
        note=" ".join(selection.remarques),
    )


def communes_table(zone: ZoneLimitrophe) -> Tableau:
    """Communes of a zone and the side each is counted in."""
    collectivites = list(zone.collectivites.defer("geom"))
    communes = list(zone.communes.select_related("epci").defer("geom", "epci__geom").order_by("code"))
    noms = {c.pk: c.nom for c in collectivites}
    cotes = sides(collectivites, communes)
    return Tableau(
        "communes",
        f"Communes ({len(communes)})",
        ("Commune", "Code", "Côté", "EPCI", "Habitants"),
        [
            (
                c.nom if c.active else f"{c.nom} (n'existe plus)",
                c.code,
                noms.get(cotes.get(c.pk, 0), "—"),
                c.epci.nom if c.epci else "—",
                "—" if c.population is None else nombre(c.population),
            )
            for c in communes
        ],
    )
