"""Who may use which centre, in a block of collectivités that share.

Pure module. The rules, from the general to the particular:

1. inhabitants of a collectivité of the block may use the centres of every collectivité of the block;
2. a collectivité alone may keep the rule of each EPCI for itself (``interne="epci"``): then only the centres of one's
   own EPCI, and those that no EPCI owns;
3. the inhabitants of an EPCI may always use its centres, even those that lie in another collectivité of the study;
4. explicit rules (conventions, refusals), those on a département before those on an EPCI, hold in every regime.

By 3 and 4 a centre from outside the block may be open to some of its inhabitants: its row enters the block as
« extérieur ». What such rights take of its capacity is shared once and for all, in proportion to the inhabitants
entitled: no partition counts a place twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .probleme import F64, I16, B

I64 = NDArray[np.int64]
#: Key of a point without EPCI.
AUCUN = -1


@dataclass(frozen=True)
class Regle:
    """One explicit rule: position of the centre, key of the collectivité, allowed or not."""

    centre: int
    collectivite: int
    autorise: bool


@dataclass(frozen=True, eq=False)
class Acces:
    """What access depends on, for a whole study of G collectivités.

    point_groupe (D,) int16; point_departement, point_epci (D,) int64 keys (AUCUN = none); population (D,) float64.
    centre_groupe (C,) int16, EXTERIEUR (-1) outside the study; proprietaire (C,) int64 keys;
    proprietaire_epci (C,) bool: the owner is an EPCI. groupes (G,) int64: keys of the collectivités of the study.
    """

    groupes: I64
    point_groupe: I16
    point_departement: I64
    point_epci: I64
    population: F64
    centre_groupe: I16
    proprietaire: I64
    proprietaire_epci: B
    interne: str = "ouvert"

    def allowed(self, bloc: B, regles: tuple[Regle, ...]) -> B:
        """Couples that may be used when the collectivités of ``bloc`` (G,) share, (D, C); rows outside it are False."""
        dedans = bloc[self.point_groupe]
        partage = np.where(self.centre_groupe >= 0, bloc[self.centre_groupe], False)
        sien = (self.point_epci[:, None] == self.proprietaire[None, :]) & (self.point_epci != AUCUN)[:, None]
        ouvert = dedans[:, None] & partage[None, :]
        if self.interne == "epci" and bloc.sum() == 1:
            ouvert &= sien | ~self.proprietaire_epci[None, :] | (self.point_epci == AUCUN)[:, None]
        ouvert |= sien & dedans[:, None]
        epci = set(self.point_epci.tolist())
        for regle in sorted(regles, key=lambda r: r.collectivite in epci):
            c = regle.collectivite
            vises = (self.point_departement == c) | (self.point_epci == c) | (self.groupes[self.point_groupe] == c)
            ouvert[vises & dedans, regle.centre] = regle.autorise
        return np.asarray(ouvert, dtype=np.bool_)

    def alone(self, regles: tuple[Regle, ...]) -> B:
        """Couples that may be used when every collectivité stays alone, (D, C)."""
        seul = np.zeros((len(self.point_groupe), len(self.centre_groupe)), dtype=np.bool_)
        for g in range(len(self.groupes)):
            bloc = np.arange(len(self.groupes)) == g
            seul |= self.allowed(bloc, regles)
        return seul

    def outside_shares(self, seul: B) -> F64:
        """Part of each centre's capacity that goes to each collectivité it does not belong to, (G, C) float64.

        ``seul``: from `alone`. Entitled inhabitants over all who may come: those of the centre's own collectivité and
        those entitled elsewhere.
        """
        g_total, c_total = len(self.groupes), len(self.centre_groupe)
        ailleurs = np.zeros((g_total, c_total))
        for g in range(g_total):
            ici = self.point_groupe == g
            ailleurs[g] = (self.population[ici, None] * seul[ici]).sum(axis=0) * (self.centre_groupe != g)
        propres = np.bincount(self.point_groupe, weights=self.population, minlength=g_total)
        chez_lui = np.where(self.centre_groupe >= 0, propres[self.centre_groupe], 0.0)
        total = ailleurs.sum(axis=0) + chez_lui
        part: F64 = np.divide(ailleurs, total, out=np.zeros_like(ailleurs), where=total > 0)
        return part

    def capacity(self, bloc: B, capacite: F64, parts: F64) -> F64:
        """Part of each centre's capacity that a block may use, (C,); ``parts`` from `outside_shares`."""
        dedans = np.where(self.centre_groupe >= 0, bloc[self.centre_groupe], False)
        part = np.where(dedans, 1.0 - parts[~bloc].sum(axis=0), parts[bloc].sum(axis=0))
        # A centre that nobody of the block may use gets 0; an unlimited one stays so.
        return np.where(
            np.isinf(capacite), np.inf, np.where(np.isinf(capacite), 0.0, capacite) * np.clip(part, 0.0, 1.0)
        )
