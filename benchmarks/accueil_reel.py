"""Joint reception points on real demand: ``python -m benchmarks.accueil_reel DIR [--json] [--limite S]``.

DIR is laid out as shared/data. Two inputs: the INSEE grid of Olemps on foot, the communes of Loire and Haute-Loire by
car on the main roads (each alone, and together). Answers and figures are checked. Printed: French tables by
collectivité, or one JSON object a line with ``--json``; progress goes to standard error. ``--images`` draws the
pictures of the docs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accueil.chiffres import BANDES, access, by_site
from accueil.controle import check
from accueil.controle_chiffres import check_access, check_sites
from accueil.fronts import Moyen, front
from accueil.probleme import Etat, Modele, Problem, weights
from accueil.resultat import Solution, open_sites
from accueil.solveur import solve
from benchmarks.accueil_donnees import Donnees, loire_haute_loire, olemps
from benchmarks.mesure import results_apart, say
from territoires.calcul import Arret, Statut, silent
from territoires.nombres import nombre

POINTS = (3, 5, 8)
#: Models asked for a number of points; COUVERTURE_TOTALE finds the number itself.
AVEC_NOMBRE = (Modele.MEDIANE, Modele.COUVERTURE_MAX, Modele.CENTRE, Modele.CENTRE_PUIS_MEDIANE)
LIBELLES = {
    Modele.MEDIANE: "temps moyen le plus court",
    Modele.COUVERTURE_MAX: "le plus d'habitants à {seuil:g} min",
    Modele.COUVERTURE_TOTALE: "le moins de points pour {part:g} % des habitants à {seuil:g} min",
    Modele.CENTRE: "temps le plus long le plus court",
    Modele.CENTRE_PUIS_MEDIANE: "temps le plus long, puis temps moyen",
}
#: Share of the inhabitants that COUVERTURE_TOTALE must cover.
PART = 0.95
LIMITE_S = 20.0
#: The front drawn: up to so many points, share of the inhabitants within so many minutes.
POINTS_FRONT = 20
SEUIL_FRONT = 30.0


@dataclass(frozen=True, eq=False)
class Cas:
    """One question: a block of some data, a model, a number of points, the time within which one is covered."""

    jeu: str
    variante: str
    donnees: Donnees
    modele: Modele
    mix: tuple[float, ...]
    seuil: float
    points: int | None
    existants: Etat = Etat.CANDIDAT
    regles: dict[str, Any] = field(default_factory=dict)

    @property
    def nom(self) -> str:
        nombre_points = "" if self.points is None else f" p={self.points}"
        return f"{self.jeu}, {self.variante}, {self.donnees.nom}, {self.modele}{nombre_points}"

    def problem(self) -> Problem:
        regles: dict[str, Any] = {"seuil": self.seuil} | self.regles
        debout = int(self.donnees.existants.sum())
        if self.points is not None and self.existants is Etat.EXISTANT:
            # As many sites as today; each new one costs 1, of which there are so many at most.
            neufs = np.where(self.donnees.existants, 0.0, 1.0)
            regles |= {"sites_max": debout, "cout_ouverture": neufs, "budget_ouverture": float(self.points)}
        elif self.points is not None:
            sites = self.points + (debout if self.existants is Etat.REQUIS else 0)
            regles |= {"sites_min": sites, "sites_max": sites}
        if self.modele is Modele.COUVERTURE_TOTALE:
            regles["part_min"] = PART
        return self.donnees.problem(self.modele, mix=self.mix, existants=self.existants, **regles)


def cases(
    jeu: str,
    variante: str,
    donnees: Donnees,
    *,
    mix: tuple[float, ...],
    seuil: float,
    existants: Etat = Etat.CANDIDAT,
) -> Iterator[Cas]:
    """Every model with every number of points; what stands already first, where it is kept or may move.

    Where it may move, only the models that look at everybody's time: the others close what they do not look at.
    """
    if existants is not Etat.CANDIDAT:
        yield Cas(jeu, variante, donnees, Modele.MEDIANE, mix, seuil, 0, existants)
    for modele in AVEC_NOMBRE if existants is not Etat.EXISTANT else (Modele.MEDIANE, Modele.CENTRE_PUIS_MEDIANE):
        for p in POINTS:
            yield Cas(jeu, variante, donnees, modele, mix, seuil, p, existants)
    if existants is not Etat.EXISTANT:
        yield Cas(jeu, variante, donnees, Modele.COUVERTURE_TOTALE, mix, seuil, None, existants)


def all_cases(dossier: Path) -> Iterator[Cas]:
    """Both inputs, in the order they are printed."""
    carreaux = olemps(dossier)
    yield from cases("Olemps à pied", "tous les habitants", carreaux, mix=(1, 1, 1), seuil=20)
    yield from cases("Olemps à pied", "65 ans et plus", carreaux, mix=(0, 1, 1), seuil=20)
    communes = loire_haute_loire(dossier)
    for variante, existants, seuil in (
        ("points seuls", Etat.CANDIDAT, 30.0),
        ("en plus des France services", Etat.REQUIS, 15.0),
        ("France services déplacées", Etat.EXISTANT, 15.0),
    ):
        for codes in (("42",), ("43",), ("42", "43")):
            yield from cases(
                "Loire et Haute-Loire", variante, communes.block(codes), mix=(1,), seuil=seuil, existants=existants
            )


def solve_case(cas: Cas, limite: float, graine: int = 0) -> tuple[Problem, Solution, float]:
    """The checked answer of a case, and the seconds it took."""
    problem = cas.problem()
    debut = time.perf_counter()
    solution = solve(problem, Arret(seconds=limite), graine, silent)
    secondes = time.perf_counter() - debut
    check(problem, solution)
    return problem, solution, secondes


def line(cas: Cas, problem: Problem, solution: Solution, secondes: float, limite: float) -> dict[str, object]:
    """The JSON line of a case: that of a quality bench, with the points chosen and the figures by collectivité."""
    bilan, parties = solution.bilan, solution.parties
    sites = open_sites(problem, solution)
    deja = cas.donnees.existants & (cas.existants is not Etat.CANDIDAT)
    nouveaux = [int(j) for j in sites if not deja[j]]
    return {
        "bench": "accueil_reel",
        "case": cas.nom,
        "seed": bilan.seed,
        "limit_s": limite,
        "seconds": round(secondes, 3),
        "cost": float(bilan.cost) if bilan.status is not Statut.IRREALISABLE else None,
        "bound": None if bilan.bound is None else float(bilan.bound),
        "reference": None,
        "gap": bilan.gap,
        "checked": True,
        "status": str(bilan.status),
        "block": list(cas.donnees.groupes),
        "model": str(cas.modele),
        "threshold_min": cas.seuil,
        "demands": problem.n_demandes,
        "candidates": problem.n_sites,
        "sites": parties.sites,
        "name": cas.donnees.nom,
        "places": [cas.donnees.site_commune[j] for j in nouveaux],
        "chosen": [f"{cas.donnees.site_nom[j]} [{cas.donnees.site_commune[j]}]" for j in nouveaux],
        "closed": [cas.donnees.site_commune[j] for j in np.setdiff1d(np.flatnonzero(deja), sites)],
        "figures": figures_by_group(cas, problem, solution),
    }


def figures_by_group(cas: Cas, problem: Problem, solution: Solution) -> list[dict[str, object]]:
    """Access of each collectivité, then of the block where it has several: minutes, shares within each band."""
    if solution.bilan.status is Statut.IRREALISABLE:
        return []
    poids = weights(problem)
    groupes: list[int | None] = [g for g in range(len(problem.groupes)) if poids[problem.demande_groupe == g].any()]
    if len(groupes) > 1:
        groupes.append(None)
    check_sites(problem, solution, by_site(problem, solution), BANDES)
    lignes = []
    for g in groupes:
        acces = access(problem, solution, g)
        check_access(problem, solution, acces, g, BANDES)
        ligne: dict[str, object] = {
            "group": cas.donnees.nom if g is None else problem.noms[g],
            "weight": round(acces.poids, 1),
            "served": round(acces.servi, 6),
            "elsewhere": round(elsewhere(problem, solution, g), 1),
        }
        ligne |= {f"within_{b:g}": round(part, 4) for b, part in zip(BANDES, acces.bandes, strict=True)}
        ligne |= {
            nom: round(getattr(acces, champ), 3)
            for nom, champ in (
                ("mean", "moyenne"),
                ("p90", "p90"),
                ("worst", "pire"),
                ("gini", "gini"),
                ("palma", "palma"),
            )
        }
        lignes.append(ligne)
    return lignes


def elsewhere(problem: Problem, solution: Solution, groupe: int | None) -> float:
    """Inhabitants (weight) of a collectivité, or of all, whose point stands in another one."""
    chez = problem.demande_groupe[solution.demande]
    ailleurs = problem.site_groupe[problem.niveau_site[solution.niveau]] != chez
    if groupe is not None:
        ailleurs &= chez == groupe
    return float(weights(problem)[solution.demande[ailleurs]] @ solution.part[ailleurs])


ENTETES = (
    "bloc",
    "points",
    "collectivité",
    "moyenne",
    "P90",
    "pire",
    "Gini",
    *(f"≤ {b:g}" for b in BANDES),
    "ailleurs",
    "preuve",
)


def table(lignes: Sequence[dict[str, Any]]) -> str:
    """French table of the lines of one question: times in minutes, shares in percent of the inhabitants counted, and
    those of them whose point stands in another collectivité."""
    rangs = [ENTETES]
    for ligne in lignes:
        preuve = "prouvé" if ligne["status"] == Statut.OPTIMAL else f"écart {100 * (ligne['gap'] or 0):.2f} %"
        for rang, chiffres in enumerate(ligne["figures"]):
            premiere = rang == 0
            rangs.append(
                (
                    ligne["name"] if premiere else "",
                    str(len(ligne["chosen"])) if premiere else "",
                    chiffres["group"],
                    *(nombre(chiffres[nom], 1) for nom in ("mean", "p90", "worst")),
                    nombre(chiffres["gini"], 2),
                    *(f"{nombre(100 * chiffres[f'within_{b:g}'], 1)} %" for b in BANDES),
                    nombre(chiffres["elsewhere"]) if len(ligne["figures"]) > 1 else "",
                    preuve if premiere else "",
                )
            )
    largeurs = [max(len(rang[k]) for rang in rangs) for k in range(len(ENTETES))]
    gauche = (0, 2, len(ENTETES) - 1)
    return "\n".join(
        "  ".join(
            texte.ljust(largeur) if k in gauche else texte.rjust(largeur)
            for k, (texte, largeur) in enumerate(zip(rang, largeurs, strict=True))
        ).rstrip()
        for rang in rangs
    )


def run(dossier: Path, limite: float, motif: str = "") -> Iterator[tuple[Cas, dict[str, Any]]]:
    """Every case whose name holds ``motif`` solved, checked and told."""
    for cas in all_cases(dossier):
        if motif not in cas.nom:
            continue
        problem, solution, secondes = solve_case(cas, limite)
        say(f"{cas.nom} : {secondes:.2f} s")
        yield cas, line(cas, problem, solution, secondes, limite)


def print_tables(resultats: Sequence[tuple[Cas, dict[str, Any]]]) -> None:
    """One table a question: same data, same model."""
    questions: dict[str, list[dict[str, Any]]] = {}
    for cas, ligne in resultats:
        libelle = LIBELLES[cas.modele].format(seuil=cas.seuil, part=100 * PART)
        questions.setdefault(f"{cas.jeu}, {cas.variante} : {libelle}", []).append(ligne)
    for titre, lignes in questions.items():
        print(f"\n{titre}\n{table(lignes)}")
        if len(lignes[0]["block"]) <= 2:
            for ligne in lignes:
                if ligne["places"]:
                    fermes = f" ; fermés : {', '.join(ligne['closed'])}" if ligne["closed"] else ""
                    print(f"  {ligne['name']}, {len(ligne['places'])} : {', '.join(ligne['places'])}{fermes}")


def main(argv: Sequence[str] | None = None) -> int:
    analyse = argparse.ArgumentParser(prog="python -m benchmarks.accueil_reel", description=__doc__)
    analyse.add_argument("dossier", metavar="DIR", type=Path, help="dossier de données")
    analyse.add_argument("--json", action="store_true", help="un objet JSON par ligne au lieu des tableaux")
    analyse.add_argument("--limite", type=float, default=LIMITE_S, help="secondes par cas")
    analyse.add_argument("--motif", default="", help="seulement les cas dont le nom contient ce texte")
    analyse.add_argument("--images", type=Path, default=None, help="dossier où dessiner le front et la carte")
    args = analyse.parse_args(argv)
    if args.images is not None:
        draw(args.dossier, args.images, args.limite)
        return 0
    resultats = []
    for cas, ligne in run(args.dossier, args.limite, args.motif):
        if args.json:
            print(json.dumps(ligne, ensure_ascii=False), flush=True)
        resultats.append((cas, ligne))
    if not args.json:
        print_tables(resultats)
    return 0


def draw(dossier: Path, images: Path, limite: float) -> None:
    """The front of each département and of both, and the map of 8 points: 5 and 3 on each side, or 8 together."""
    # matplotlib takes half a second to load, which tables need not wait for.
    from benchmarks.accueil_images import draw_front, draw_map

    communes = loire_haute_loire(dossier)
    fronts: dict[str, list[tuple[int, float, float]]] = {}
    for codes in (("42",), ("43",), ("42", "43")):
        bloc = communes.block(codes)
        problem = bloc.problem(Modele.MEDIANE, mix=(1,), seuil=SEUIL_FRONT)
        points = front(problem, Moyen.SITES, range(1, POINTS_FRONT + 1), Arret(), secondes=limite).points
        fronts[bloc.nom] = [(round(p.plafond), p.moyenne, p.couvert or 0.0) for p in points]
        for point in points:
            check(replace(problem, sites_max=round(point.plafond)), point.solution)
    draw_front(fronts, SEUIL_FRONT, images / "localisation-front.png")

    def chosen(codes: tuple[str, ...], points: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Sites (positions in the whole data) and minutes of each demand of the block."""
        bloc = communes.block(codes)
        cas = Cas("", "", bloc, Modele.CENTRE_PUIS_MEDIANE, (1,), SEUIL_FRONT, points)
        problem, solution, _ = solve_case(cas, limite)
        rang = {code: j for j, code in enumerate(communes.site_code)}
        sites = np.array([rang[bloc.site_code[j]] for j in open_sites(problem, solution)])
        return sites, communes.minutes[:, sites].min(axis=1).astype(np.float64)

    loire, haute_loire, ensemble = chosen(("42",), 5), chosen(("43",), 3), chosen(("42", "43"), 8)
    seuls = np.where(communes.demande_groupe == 0, loire[1], haute_loire[1])
    vues = [
        ("Chacun de son côté : 5 points en Loire, 3 en Haute-Loire", seuls, [*loire[0], *haute_loire[0]]),
        ("Ensemble : 8 points communs", ensemble[1], list(ensemble[0])),
    ]
    draw_map(dossier, communes, vues, images / "localisation-carte.png")


if __name__ == "__main__":
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"))
    results_apart()
    sys.exit(main())
