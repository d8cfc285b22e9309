"""Lower bound and plans by whole sectors: each collège chooses one sector, each zone is in one of them. Pure module.

The linear program over all sectors is solved with the few it needs (column generation): HiGHS gives prices to zones,
`collèges.secteurs` finds for each collège the best connected sector at these prices, and what the best ones are worth
is a proven bound of every plan (Lagrange). Prices are kept in a box around the best known ones, and mixed with them,
so that they settle (box step, Wentges smoothing). The integer program over the sectors seen gives plans.
Lives in the child process of `collèges.processus`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .probleme import F64, I32
from .programme import new_highs, solve, to_highs
from .relache import Relache, assignment, column_cost
from .secteurs import best_sectors

#: Sector of a collège: its number, its zones (bytes of rising int32).
Colonne = tuple[int, bytes]

#: Part of the best prices in those tried.
MELANGE = 0.5
#: Branches tried for one sector at first; more when this is what holds the bound down.
BRANCHES, BRANCHES_MAX = 20_000, 400_000
#: Sectors kept a search.
COMBIEN = 8
#: The same for plans, where many are wanted, and branches to look for them.
ENRICHI, BRANCHES_ENRICHI = 1000, 100_000


class Maitre:
    """State of the search of a bound.

    ``borne``: best bound so far (all terms but the constant of those whom no plan moves); ``fini``: it cannot rise
    much more.
    """

    def __init__(self, r: Relache, marge: float, seed: int) -> None:
        self.r, self.seed = r, seed
        self.n, self.c = r.lin.shape
        self.marge, self.marge_min = marge / self.c, 0.05 * marge / self.c
        self.colonnes: list[Colonne] = []
        self.couts: list[float] = []
        self.connues: set[Colonne] = set()
        self.borne = -np.inf
        self.fini, self.essais_longs = False, False
        self.melange = MELANGE
        #: Branches a collège's search may try: more where they were not enough.
        self.branches = np.full(self.c, BRANCHES)
        self._depart()
        self._highs = self._program()
        self._zones: list[I32] = []
        self._vus = 0

    def _depart(self) -> None:
        """Prices of the assignment without contiguity, and the half width of the box: one cost unit a pupil."""
        reponse = solve(assignment(self.r)[0], np.inf, None, seed=self.seed)
        duales = np.zeros(self.n) if reponse.duales is None else reponse.duales[: self.n]
        self.centre: F64 = np.where(self.r.couvrir, duales, 0.0)
        moyen = self.r.poids[self.r.couvrir].mean() if self.r.couvrir.any() else 1.0
        unite = max(self.r.sur, self.r.sous, 1.0) / 60.0
        self.largeur: F64 = unite * np.maximum(self.r.poids, 0.1 * moyen)

    def _program(self) -> Any:
        """Rows: zones, collèges. Columns: above and below each price's box, then no collège, then sectors."""
        n, c = self.n, self.c
        libres = np.flatnonzero(np.isfinite(self.r.sans) & self.r.couvrir).astype(np.int32)
        self.n_fixes = 2 * n + len(libres)
        couvre = self.r.couvrir.astype(np.float64)
        programme = assignment(self.r)[0]._replace(
            cout=np.concatenate([np.zeros(2 * n), self.r.sans[libres]]),
            bas=np.zeros(self.n_fixes),
            haut=np.full(self.n_fixes, np.inf),
            ligne_bas=np.concatenate([couvre, np.ones(c)]),
            ligne_haut=np.concatenate([couvre, np.ones(c)]),
            debut=np.arange(self.n_fixes + 1, dtype=np.int32),
            ligne=np.concatenate([np.arange(n), np.arange(n), libres]).astype(np.int32),
            valeur=np.concatenate([np.ones(n), -np.ones(n), np.ones(len(libres))]),
            entier=np.zeros(self.n_fixes, dtype=np.bool_),
        )
        highs = new_highs(self.seed)
        highs.passModel(to_highs(programme))
        return highs

    def _box(self) -> None:
        boite = np.arange(2 * self.n, dtype=np.int32)
        cout = np.concatenate([self.centre + self.largeur, self.largeur - self.centre])
        self._highs.changeColsCost(2 * self.n, boite, cout)

    def add(self, colonnes: list[Colonne]) -> int:
        """Give sectors; returns how many were new."""
        neuves = [c for c in dict.fromkeys(colonnes) if c not in self.connues]
        if not neuves:
            return 0
        self.connues.update(neuves)
        couts: list[float] = []
        debut, lignes = [0], []
        for j, octets in neuves:
            zones = np.frombuffer(octets, dtype=np.int32)
            cout = column_cost(self.r, j, zones)
            couts.append(cout)
            self._zones.append(zones)
            lignes += [zones, np.array([self.n + j], dtype=np.int32)]
            debut.append(debut[-1] + len(zones) + 1)
        self.colonnes += neuves
        self.couts += couts
        k, ligne = len(neuves), np.concatenate(lignes).astype(np.int32)
        self._highs.addCols(
            k,
            np.array(couts),
            np.zeros(k),
            np.full(k, np.inf),
            len(ligne),
            np.array(debut[:-1], dtype=np.int32),
            ligne,
            np.ones(len(ligne)),
        )
        return k

    def iterate(self) -> bool:
        """One turn of prices and sectors. Returns whether the bound rose."""
        self._box()
        self._highs.run()
        prix = np.where(self.r.couvrir, np.array(self._highs.getSolution().row_dual)[: self.n], 0.0)
        premier = not np.isfinite(self.borne)
        essai = self.centre if premier else self.melange * self.centre + (1.0 - self.melange) * prix
        borne, neuves, coupees = self._price(essai)
        nombre = self.add(neuves)
        monte = borne > self.borne + 1e-9
        if monte:
            self.borne, self.centre = borne, essai.copy()
        if nombre:
            self.melange = MELANGE
        elif not monte:
            # Nothing new at these prices: look at those of HiGHS alone, then longer, then closer.
            if self.melange > 0.0:
                self.melange = 0.0
            elif coupees and not self.essais_longs:
                self.essais_longs = True
            elif coupees or self.marge < self.marge_min:
                self.fini = True
            elif self._inside():
                # The box holds nothing back: only the branches left make a difference.
                self.marge /= 4.0
            else:
                self.largeur = self.largeur / 2.0
                self.fini = float(self.largeur.max()) < 1e-6 * max(1.0, float(np.abs(self.centre).max()))
        return monte

    def _inside(self) -> bool:
        """HiGHS's prices are those of the sectors alone: no row leans on its box."""
        return float(np.array(self._highs.getSolution().col_value)[: 2 * self.n].sum()) < 1e-7

    def _price(self, prix: F64, largeur: float = 0.0, combien: int = COMBIEN) -> tuple[float, list[Colonne], int]:
        """Bound at these prices, sectors worth more than those known, number of searches cut short.

        ``largeur`` > 0: sectors within it of the best too (the bound is then weaker).
        """
        r = self.r
        libres = np.isfinite(r.sans) & r.couvrir
        borne = r.fixe + float(prix.sum()) + float(np.minimum(0.0, r.sans[libres] - prix[libres]).sum())
        connues = self._worth(prix)
        neuves: list[Colonne] = []
        coupees = 0
        for j in range(self.c):
            haute, secteurs, _, branches = best_sectors(
                r.indptr,
                r.indices,
                r.portes[j],
                np.ascontiguousarray(r.possible[:, j]),
                r.seules[j],
                prix - r.lin[:, j],
                r.poids,
                r.base[j],
                r.bas[j],
                r.haut[j],
                r.sous,
                r.sur,
                connues[j],
                -largeur if largeur > 0.0 else self.marge,
                BRANCHES_ENRICHI if largeur > 0.0 else self.branches[j],
                combien,
                max(largeur, 2.0 * self.marge),
            )
            borne -= haute
            if largeur <= 0.0 and branches >= self.branches[j]:
                coupees += 1
                self.branches[j] = min(2 * self.branches[j], BRANCHES_MAX if self.essais_longs else BRANCHES_MAX // 4)
            for secteur in secteurs:
                zones = np.flatnonzero(secteur & r.couvrir).astype(np.int32)
                neuves.append((j, zones.tobytes()))
        return borne, neuves, coupees

    def _worth(self, prix: F64) -> F64:
        """What the best known sector of each collège is worth at these prices, (C,)."""
        valeurs = np.full(self.c, -1e15)
        if self.colonnes:
            reduit = reduced(self._zones, np.array(self.couts), prix)[2]
            np.maximum.at(valeurs, np.array([j for j, _ in self.colonnes]), -reduit)
        return valeurs

    def integer(self, meilleur: float, largeur: float, secondes: float, noeuds: int | None) -> I32 | None:
        """Best plan made of sectors seen: x (n,), C = none; None when none is better than ``meilleur``.

        With ``largeur`` > 0, of those too that come within it of the best ones at the best prices: most of them are in
        no optimal basis, so they are not given to the linear program.
        Sectors whose reduced cost at the best prices exceeds ``meilleur`` less the bound are in no better plan of
        these sectors (reduced-cost fixing).
        """
        reserve = self._price(self.centre, largeur, ENRICHI)[1] if largeur > 0.0 else []
        reserve = [colonne for colonne in dict.fromkeys(reserve) if colonne not in self.connues]
        if len(self.colonnes) + len(reserve) == self._vus:
            return None
        self._vus = len(self.colonnes) + len(reserve)
        siennes = [np.frombuffer(octets, dtype=np.int32) for _, octets in reserve]
        couts = np.array(self.couts + [column_cost(self.r, j, z) for (j, _), z in zip(reserve, siennes, strict=True)])
        college = np.array([j for j, _ in self.colonnes + reserve])
        zones, longueurs, reduit = reduced(self._zones + siennes, couts, self.centre)
        fins = np.cumsum(longueurs)
        moindre = -self._worth(self.centre)
        garde = np.flatnonzero(reduit - moindre[college] <= max(0.0, meilleur - self.borne) + 1e-6)
        libres = np.flatnonzero(np.isfinite(self.r.sans) & self.r.couvrir)
        lignes: list[NDArray[Any]] = [libres]
        colonnes: list[NDArray[Any]] = [len(garde) + np.arange(len(libres))]
        for rang, k in enumerate(garde):
            lignes += [zones[fins[k] - longueurs[k] : fins[k]], np.array([self.n + college[k]])]
            colonnes.append(np.full(longueurs[k] + 1, rang))
        i, q = np.concatenate(lignes), np.concatenate(colonnes)
        matrice = np.lexsort((i, q))
        total = len(garde) + len(libres)
        un = np.concatenate([self.r.couvrir.astype(np.float64), np.ones(self.c)])
        base = assignment(self.r)[0]
        programme = base._replace(
            cout=np.concatenate([couts[garde], self.r.sans[libres]]),
            bas=np.zeros(total),
            haut=np.ones(total),
            ligne_bas=un,
            ligne_haut=un,
            debut=np.concatenate([[0], np.cumsum(np.bincount(q, minlength=total))]).astype(np.int32),
            ligne=i[matrice].astype(np.int32),
            valeur=np.ones(len(i)),
            entier=np.ones(total, dtype=np.bool_),
        )
        reponse = solve(programme, secondes, noeuds, seed=self.seed)
        if reponse.x is None or reponse.objectif + self.r.fixe >= meilleur - 1e-6:
            return None
        x = np.full(self.n, self.c, dtype=np.int32)
        for choisi in np.flatnonzero(reponse.x[: len(garde)] > 0.5):
            k = garde[choisi]
            x[zones[fins[k] - longueurs[k] : fins[k]]] = college[k]
        return x


def reduced(secteurs: list[I32], couts: F64, prix: F64) -> tuple[I32, NDArray[np.intp], F64]:
    """Zones of all the sectors end to end, how many each one has, their reduced costs at these prices."""
    longueurs = np.array([len(zones) for zones in secteurs], dtype=np.intp)
    zones = np.concatenate([*secteurs, np.zeros(0, dtype=np.int32)])
    cumul = np.concatenate([[0.0], np.cumsum(prix[zones])])
    fins = np.cumsum(longueurs)
    return zones, longueurs, couts - (cumul[fins] - cumul[fins - longueurs])
