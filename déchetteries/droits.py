"""Who may change which déchetterie, refined here without touching views: a collectivité's agents change its own."""

from __future__ import annotations

from territoires.droits import Compte, may_read, may_write_donnees
from territoires.models import Collectivite

from .models import Dechetterie, RegleAcces


def writable_owners(user: Compte) -> set[int] | None:
    """Owners whose centres an account may change: its collectivité and the EPCI that have a commune in it.

    None = all of them. An account without collectivité may change none.
    """
    if may_write_donnees(user):
        return None
    propre = getattr(user, "collectivite_id", None)
    if not may_read(user) or propre is None:
        return set()
    epci = Collectivite.objects.filter(communes_epci__departement=propre).values_list("pk", flat=True)
    return {propre, *epci}


def may_add_centre(user: Compte) -> bool:
    """Add or import centres: whoever may change some."""
    owners = writable_owners(user)
    return owners is None or bool(owners)


def may_write_centre(user: Compte, centre: Dechetterie) -> bool:
    """Change or delete one centre and its access rules."""
    owners = writable_owners(user)
    return owners is None or centre.proprietaire_id in owners


def may_write_regle(user: Compte, regle: RegleAcces) -> bool:
    """Delete one access rule: whoever may change its centre."""
    return may_write_centre(user, regle.dechetterie)
