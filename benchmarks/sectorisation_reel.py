"""``python -m benchmarks.sectorisation_reel [DIR] [--limite S] [--cas ...] [--images DIR] [--json]``: real sectors.

Reads the carte scolaire of Ille-et-Vilaine and the border of Loire and Haute-Loire (`benchmarks.cas_reels`), lists the
faults of the data, rebalances each block within the limit, and prints figures before and after as French tables (or
JSON lines). Every plan is checked. ``--images``: maps before and after, PNG. No file is written otherwise.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cas_reels import Cas, forecast_35, frontiere_42_43, ille_et_vilaine
from benchmarks.mesure import say
from collèges.controle import check
from collèges.evaluation import evaluate
from collèges.probleme import AUCUN, I32
from collèges.resultat import Evaluation, Plan, Solution, present_plan
from collèges.solveur import solve
from territoires.calcul import Arret

JOUR = "aujourd'hui"
CAS = ("prevision", "ille-et-vilaine", "frontiere-42-43")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the cases asked for. Returns 0, or 2 with a sentence on standard error."""
    analyse = argparse.ArgumentParser(prog="python -m benchmarks.sectorisation_reel", description=__doc__)
    analyse.add_argument("dossier", metavar="DIR", nargs="?", type=Path, default=Path("../shared/data"))
    analyse.add_argument("--limite", type=float, default=60.0, help="secondes par bloc")
    analyse.add_argument("--graine", type=int, default=1)
    analyse.add_argument("--cas", nargs="*", choices=CAS, default=list(CAS))
    analyse.add_argument("--images", type=Path, default=None, help="dossier des cartes avant/après")
    analyse.add_argument("--json", action="store_true", help="une ligne JSON par bloc au lieu des tableaux")
    args = analyse.parse_args(argv)
    if not args.dossier.is_dir():
        print(f"Erreur : dossier absent : {args.dossier}", file=sys.stderr)
        return 2
    if "prevision" in args.cas:
        _forecasts(args)
    if "ille-et-vilaine" in args.cas:
        cas = ille_et_vilaine(args.dossier)
        _, solution = _block(cas, args)
        _map(cas, [("Secteurs rééquilibrés", solution.plan.college)], args)
    if "frontiere-42-43" in args.cas:
        _alone_and_together(frontiere_42_43(args.dossier), args)
    return 0


def _forecasts(args: argparse.Namespace) -> None:
    for secteur, titre in (("PUBLIC", "publics"), ("PRIVE", "privés")):
        erreurs = forecast_35(args.dossier, secteur)
        if args.json:
            lignes = {nom: vars(e) for nom, e in erreurs.items()}
            print(json.dumps({"prevision": titre, "erreurs": lignes}, ensure_ascii=False))
            continue
        nombre = next(iter(erreurs.values())).n
        print(f"\nRentrée 2021 prévue depuis 2019 et 2020, {nombre} collèges {titre} d'Ille-et-Vilaine")
        print(f"{'':28}{'MAPE':>8}{'biais':>9}{'écart moyen':>13}{'écart max':>13}{'entre bas et haut':>19}")
        for nom, e in erreurs.items():
            dedans = "" if e.couverture is None else _french("{:.0%}", e.couverture)
            moyen, pire = (f"{_french('{:.0f}', valeur)} élèves" for valeur in (e.ecart_moyen, e.ecart_max))
            taux = f"{_french('{:.1f}%', e.mape):>8}{_french('{:+.1f}%', e.biais):>9}"
            print(f"{nom:28}{taux}{moyen:>13}{pire:>13}{dedans:>19}")


def _map(cas: Cas, plans: Sequence[tuple[str, I32]], args: argparse.Namespace) -> None:
    """Today's sectors, then these plans."""
    if args.images is not None:
        # Only here: nothing else needs to draw.
        from benchmarks.carte_secteurs import draw

        sortie = args.images / f"sectorisation-{cas.nom}.png"
        draw(cas.problem, cas.zones, [("Secteurs d'aujourd'hui", cas.problem.present), *plans], sortie)
        say(f"carte : {sortie.name}")


# --- one block --------------------------------------------------------------------------------------------


def _block(cas: Cas, args: argparse.Namespace, departs: Sequence[Plan] = ()) -> tuple[Evaluation, Solution]:
    """Solve (from these plans too), check, print."""
    problem = cas.problem
    avant = evaluate(problem, present_plan(problem))
    debut = time.perf_counter()
    solution = solve(problem, Arret(seconds=args.limite), seed=args.graine, departs=departs)
    secondes = time.perf_counter() - debut
    check(problem, solution)
    say(f"{cas.nom} : contrôlé, {secondes:.1f} s")
    if args.json:
        print(json.dumps(_as_dict(cas, avant, solution, secondes), ensure_ascii=False))
    else:
        _print_block(cas, avant, solution, secondes)
    return avant, solution


def _as_dict(cas: Cas, avant: Evaluation, solution: Solution, secondes: float) -> dict[str, Any]:
    bilan = solution.bilan
    figures = {
        titre: {"avant": lire(avant), "apres": lire(solution.evaluation)} for titre, _, lire in _rows(cas.problem)
    }
    return {
        "cas": cas.nom,
        "zones": cas.problem.n_zones,
        "colleges": cas.problem.n_colleges,
        "seconds": round(secondes, 2),
        "cost": float(bilan.cost),
        "bound": None if bilan.bound is None else float(bilan.bound),
        "gap": bilan.gap,
        "status": bilan.status.value,
        "seed": bilan.seed,
        "checked": True,
        "chiffres": figures,
        "fautes": cas.fautes,
    }


Lecture = Callable[[Evaluation], float]


def _rows(problem: Any) -> list[tuple[str, str, Lecture]]:
    """Lines of the table: title, format, and how to read the figure (first year) of an evaluation."""

    def minutes_mean(e: Evaluation) -> float:
        eleves = e.groupes.effectif[0]
        return float(np.nansum(e.groupes.minutes_moyenne[0] * eleves) / eleves.sum())

    def above(e: Evaluation) -> float:
        return float(np.clip(e.colleges.effectif[0] - problem.capacite[0], 0, None).sum())

    def missing(e: Evaluation) -> float:
        return float(np.clip(problem.remplissage_min * problem.capacite[0] - e.colleges.effectif[0], 0, None).sum())

    return [
        ("coût (élèves-minutes)", "{:,.0f}", lambda e: e.cout),
        ("élèves au-dessus des places", "{:,.0f}", above),
        ("élèves manquants sous 75 %", "{:,.0f}", missing),
        ("remplissage le plus fort", "{:.0%}", lambda e: float(np.nanmax(e.colleges.remplissage[0]))),
        ("remplissage le plus faible", "{:.0%}", lambda e: float(np.nanmin(e.colleges.remplissage[0]))),
        ("minutes, moyenne", "{:.1f}", minutes_mean),
        ("minutes, 90e centile (pire groupe)", "{:.1f}", lambda e: float(np.nanmax(e.groupes.minutes_p90[0]))),
        ("minutes, la plus longue", "{:.1f}", lambda e: float(np.nanmax(e.groupes.minutes_max[0]))),
        ("communes qui changent", "{:,.0f}", lambda e: e.difference.zones),
        ("élèves qui changent", "{:,.0f}", lambda e: e.difference.eleves),
        ("élèves venus de l'autre département", "{:.1%}", lambda e: _outside(e)),
        ("zones coupées de leur collège", "{:,.0f}", lambda e: len(e.coupees)),
        ("zones en île (tolérées)", "{:,.0f}", lambda e: len(e.iles)),
    ]


def _outside(e: Evaluation) -> float:
    recus = np.nansum(e.colleges.effectif[0])
    return float(np.nansum(e.colleges.exterieurs[0] * e.colleges.effectif[0]) / recus)


def _french(format_: str, valeur: float) -> str:
    """Figures with a narrow no-break space for thousands and a decimal comma."""
    texte = format_.format(valeur).replace(",", "\u202f").replace(".", ",")
    return texte.replace("%", "\u202f%")


def _print_block(cas: Cas, avant: Evaluation, solution: Solution, secondes: float) -> None:
    problem, bilan = cas.problem, solution.bilan
    print(f"\n{' + '.join(problem.groupe_noms)} : {problem.n_zones} zones, {problem.n_colleges} collèges")
    print("Défauts des données :")
    for faute in cas.fautes:
        print(f"  - {faute}")
    print(f"{'':38}{JOUR:>14}{'rééquilibré':>14}")
    for titre, format_, lire in _rows(problem):
        print(f"{titre:38}{_french(format_, lire(avant)):>14}{_french(format_, lire(solution.evaluation)):>14}")
    borne = "inconnue" if bilan.bound is None else _french("{:,.0f}", float(bilan.bound))
    ecart = "" if bilan.gap is None else f", écart {_french('{:.2%}', bilan.gap)}"
    print(f"borne inférieure {borne}{ecart}, {_french('{:.1f}', secondes)} s, graine {bilan.seed}, contrôle : accepté")
    for phrase in solution.evaluation.manques[:8]:
        print(f"  souhait non tenu : {phrase}")


# --- alone and together -----------------------------------------------------------------------------------


def joined(cas: Sequence[Cas], seuls: Sequence[Solution]) -> Plan:
    """Each one's plan as one plan of the last block, which is all of them together."""
    problem = cas[-1].problem
    chacun = problem.present.copy()
    zones = {code: i for i, code in enumerate(problem.zone_code)}
    colleges = {code: j for j, code in enumerate(problem.college_code)}
    for c, solution in zip(cas, seuls, strict=False):
        for code, paire in zip(c.problem.zone_code, solution.plan.college.tolist(), strict=True):
            chacun[zones[code]] = [AUCUN if j == AUCUN else colleges[c.problem.college_code[j]] for j in paire]
    return Plan(chacun)


def _alone_and_together(cas: Sequence[Cas], args: argparse.Namespace) -> None:
    """Both regimes. What each one does alone may be done together: the search of the whole block starts from it."""
    resultats = [_block(c, args) for c in cas[:-1]]
    problem = cas[-1].problem
    seuls = [solution for _, solution in resultats]
    chacun, cloisonne = joined(cas, seuls), sum(solution.evaluation.cout for solution in seuls)
    resultats.append(_block(cas[-1], args, [chacun]))
    plan, evaluation = resultats[-1][1].plan, resultats[-1][1].evaluation
    _map(cas[-1], [("Chacun chez soi", chacun.college), ("Ensemble", plan.college)], args)
    groupes = {
        nom: {
            "changent": float(evaluation.groupes.deplaces[0, g]),
            "exterieurs": float(evaluation.groupes.exterieurs[0, g]),
        }
        for g, nom in enumerate(problem.groupe_noms)
    }
    passent = int(np.sum(problem.college_groupe[plan.college[:, 0]] != problem.zone_groupe))
    if args.json:
        sortie = {"cas": "gain", "cloisonne": cloisonne}
        print(json.dumps(sortie | {"mutualise": evaluation.cout, "zones_passees": passent, "groupes": groupes}))
        return
    print("\nChacun chez soi ou ensemble (élèves-minutes)")
    for c, (avant, solution) in zip(cas, resultats, strict=True):
        print(
            f"  {' + '.join(c.problem.groupe_noms):24}aujourd'hui {_french('{:,.0f}', avant.cout):>9}"
            f"  rééquilibré {_french('{:,.0f}', solution.evaluation.cout):>9}"
        )
    print(
        f"  somme des deux seuls {_french('{:,.0f}', cloisonne)}, ensemble (recherche partie des deux plans) "
        f"{_french('{:,.0f}', evaluation.cout)} : gain {_french('{:,.0f}', cloisonne - evaluation.cout)} "
        f"({_french('{:.1%}', 1 - evaluation.cout / cloisonne)}), {passent} zones passent la limite"
    )
    for nom, chiffres in groupes.items():
        print(
            f"  {nom} : {_french('{:,.0f}', chiffres['changent'])} élèves changent de collège ; "
            f"ses collèges reçoivent {_french('{:.1%}', chiffres['exterieurs'])} d'élèves de l'autre département"
        )


if __name__ == "__main__":
    sys.exit(main())
