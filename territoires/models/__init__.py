"""Collectivités, limits, zones limitrophes, studies and accounts."""

from .collectivite import Collectivite, Commune, Limite, LimiteCommune
from .etude import Etude, PassageEtude, ResultatBloc
from .utilisateur import Utilisateur
from .zone import ZoneLimitrophe

__all__ = [
    "Collectivite",
    "Commune",
    "Etude",
    "Limite",
    "LimiteCommune",
    "PassageEtude",
    "ResultatBloc",
    "Utilisateur",
    "ZoneLimitrophe",
]
