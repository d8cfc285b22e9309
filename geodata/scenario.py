"""Scenarios: what changes on the roads for a while (closures, winter, works), as a new weight vector.

The graph itself is never rebuilt. Pure module: numpy only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from geodata.classes import Classe
from geodata.profils import Profil, milliseconds, speeds, usable
from geodata.reseau import I32, TableauxReseau


class ScenarioInvalide(ValueError):
    """The scenario cannot be applied to this network; the message says which value."""


@dataclass(frozen=True)
class Scenario:
    """Changes to a profile's weights; hashable, so that a graph keeps the vectors it has made.

    fermes: edges closed both ways; fermes_aller / fermes_retour: closed along / against the drawing only.
    vitesses_classe (km/h, by `Classe`), then vitesses_troncon (km/h, by edge) replace the profile's speed, never
    above the vehicle's own limit; then time is multiplied by facteur, facteurs_classe and facteurs_troncon (> 0).
    """

    nom: str = ""
    fermes: frozenset[int] = frozenset()
    fermes_aller: frozenset[int] = frozenset()
    fermes_retour: frozenset[int] = frozenset()
    facteur: float = 1.0
    facteurs_classe: tuple[tuple[int, float], ...] = ()
    facteurs_troncon: tuple[tuple[int, float], ...] = ()
    vitesses_classe: tuple[tuple[int, float], ...] = ()
    vitesses_troncon: tuple[tuple[int, float], ...] = ()

    @classmethod
    def make(
        cls,
        nom: str = "",
        *,
        fermes: Iterable[int] = (),
        fermes_aller: Iterable[int] = (),
        fermes_retour: Iterable[int] = (),
        facteur: float = 1.0,
        facteurs_classe: Mapping[Classe, float] | None = None,
        facteurs_troncon: Mapping[int, float] | None = None,
        vitesses_classe: Mapping[Classe, float] | None = None,
        vitesses_troncon: Mapping[int, float] | None = None,
    ) -> Scenario:
        """A scenario from plain collections."""
        return cls(
            nom=nom,
            fermes=frozenset(int(e) for e in fermes),
            fermes_aller=frozenset(int(e) for e in fermes_aller),
            fermes_retour=frozenset(int(e) for e in fermes_retour),
            facteur=float(facteur),
            facteurs_classe=_pairs(facteurs_classe),
            facteurs_troncon=_pairs(facteurs_troncon),
            vitesses_classe=_pairs(vitesses_classe),
            vitesses_troncon=_pairs(vitesses_troncon),
        )

    def weights(self, profil: Profil, reseau: TableauxReseau) -> I32:
        """Milliseconds of the 2 m directed edges, int32 (2 m,): k along the drawing of edge k, m + k against it.

        `geodata.profils.INF_MS` = closed. Raises `ScenarioInvalide` on an unknown edge or a value <= 0.
        """
        m = reseau.n_troncons
        ouverts, vitesses = usable(profil, reseau), speeds(profil, reseau)
        par_classe = np.asarray([[k, v] for k, v in self.vitesses_classe], dtype=np.float64).reshape(-1, 2)
        for k, v in par_classe:
            _positive(v, "vitesse")
            for sens in vitesses:
                sens[reseau.classe == int(k)] = min(v, profil.vmax_kmh)
        for k, v in self.vitesses_troncon:
            _edge(k, m)
            _positive(v, "vitesse")
            for sens in vitesses:
                sens[k] = min(v, profil.vmax_kmh)
        _positive(self.facteur, "facteur")
        facteur = np.full(m, self.facteur)
        for k, v in self.facteurs_classe:
            _positive(v, "facteur")
            facteur[reseau.classe == int(k)] *= v
        for k, v in self.facteurs_troncon:
            _edge(k, m)
            _positive(v, "facteur")
            facteur[k] *= v
        for ouvert, aussi in zip(ouverts, (self.fermes_aller, self.fermes_retour), strict=True):
            for fermes in (self.fermes, aussi):
                if fermes:
                    rangs = np.fromiter(fermes, dtype=np.int64, count=len(fermes))
                    _edge(int(rangs.min()), m)
                    _edge(int(rangs.max()), m)
                    ouvert[rangs] = False
        return np.concatenate(
            [milliseconds(reseau.longueur_m, v, o, facteur) for v, o in zip(vitesses, ouverts, strict=True)]
        )


#: Nothing changed.
NORMAL = Scenario()


def _pairs(valeurs: Mapping[int, float] | Mapping[Classe, float] | None) -> tuple[tuple[int, float], ...]:
    return tuple(sorted((int(k), float(v)) for k, v in (valeurs or {}).items()))


def _positive(valeur: float, quoi: str) -> None:
    if not (np.isfinite(valeur) and valeur > 0):
        raise ScenarioInvalide(f"{quoi} de scénario non positif : {valeur}")


def _edge(rang: int, m: int) -> None:
    if not 0 <= rang < m:
        raise ScenarioInvalide(f"tronçon {rang} absent du réseau ({m} tronçons)")
