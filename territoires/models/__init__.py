"""Collectivités, limits, zones limitrophes, studies and accounts."""

from .collectivite import Collectivite, Commune, Limite, LimiteCommune
from .etude import Etude, LotCalcul, PassageEtude, ResultatBloc
from .utilisateur import Utilisateur
from .zone import ZoneLimitrophe

__all__ = [
    "Collectivite",
    "Commune",
    "Etude",
    "Limite",
    "LimiteCommune",
    "LotCalcul",
    "PassageEtude",
    "ResultatBloc",
    "Utilisateur",
    "ZoneLimitrophe",
]
