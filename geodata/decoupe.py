"""Cuts a network at the limits of areas (départements): each piece knows its own. Pure module."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.reseau import TableauxReseau


@dataclass(frozen=True)
class Passage:
    """A point de passage: node ``noeud`` on the limit of two areas, with the busiest road that crosses there."""

    noeud: int
    departement_a: str
    departement_b: str
    ref: str
    nom: str
    classe: int
    gestion: int
    x: float
    y: float


def points_passage(reseau: TableauxReseau) -> list[Passage]:
    """Points de passage by node and pair of areas (a < b), in the order of the nodes.

    A node where three areas meet gives one point for each pair. The road told is the one of the lowest
    class number among the edges of the two areas that end there, then with a number, then with a name.
    """
    bouts = np.concatenate([reseau.source, reseau.cible])
    aretes = np.concatenate([np.arange(reseau.n_troncons)] * 2)
    choix = reseau.noeud_passage[bouts] & (reseau.departement[aretes] >= 0)
    par_noeud: dict[int, dict[str, set[int]]] = {}
    for noeud, arete in zip(bouts[choix].tolist(), aretes[choix].tolist(), strict=True):
        codes = {
            reseau.decoupage[int(d)]
            for d in (reseau.departement[arete], reseau.departement_gauche[arete], reseau.departement_droite[arete])
            if d >= 0
        }
        for code in codes:
            par_noeud.setdefault(noeud, {}).setdefault(code, set()).add(arete)

    def rang(arete: int) -> tuple[int, bool, bool, int]:
        return (int(reseau.classe[arete]), reseau.ref[arete] == 0, reseau.nom[arete] == 0, arete)

    points = []
    for noeud, par_code in sorted(par_noeud.items()):
        codes_tries = sorted(par_code)
        for i, a in enumerate(codes_tries):
            for b in codes_tries[i + 1 :]:
                arete = min(par_code[a] | par_code[b], key=rang)
                points.append(
                    Passage(
                        noeud=noeud,
                        departement_a=a,
                        departement_b=b,
                        ref=reseau.textes[reseau.ref[arete]],
                        nom=reseau.textes[reseau.nom[arete]],
                        classe=int(reseau.classe[arete]),
                        gestion=int(reseau.gestion[arete]),
                        x=float(reseau.noeud_x[noeud]),
                        y=float(reseau.noeud_y[noeud]),
                    )
                )
    return points
