"""The independent checker: finds the plan's rules, contiguity, costs and every figure again from the data alone.

Pure module. Nothing of the solver's arithmetic is used; the definitions are those of `collèges.probleme` and
`collèges.resultat`, recomputed by `collèges.recalcul` (costs, contiguity) and `collèges.recalcul_chiffres` (figures).
"""

from __future__ import annotations

import re
from dataclasses import fields
from itertools import pairwise

import numpy as np

from territoires.calcul import ControleEchoue, Statut
from territoires.empreinte import input_hash

from .probleme import AUCUN, F64, Problem
from .recalcul import Zones, broken, costs, cut_off, dissimilarity, pairs_of, permitted
from .recalcul_chiffres import Jeu, figures_of_colleges, figures_of_groups
from .resultat import BORNE_ECARTEE, Bascule, Chiffres, Couts, Evaluation, Plan, Solution

#: Relative difference taken for rounding.
TOLERANCE = 1e-6


def check(problem: Problem, solution: Solution) -> None:
    """Raise `ControleEchoue` (French: which zone, collège or figure) unless the plan is allowed and all it says true.

    Checked: the plan's form, contiguity (today's islands tolerated), no new forbidden collège nor closed border
    (``passages_max`` 0), nobody left without, every cost term, every figure by collège, group and year, the difference
    with today's plan, cost, bound, status, trace, sentences and input hash. A solution may not cost more than today's
    plan, which is always allowed.
    """
    college = _check_plan(problem, solution.plan)
    empreinte = input_hash(problem)
    if solution.empreinte != empreinte:
        raise ControleEchoue(f"empreinte des données {solution.empreinte[:12]} au lieu de {empreinte[:12]}")
    coupees, _ = cut_off(problem, college)
    for zone, j in sorted(coupees):
        raise ControleEchoue(f"zone {problem.zone_code[zone]} coupée du collège {problem.college_code[j]}")
    check_evaluation(problem, solution.plan, solution.evaluation)
    _check_moves(problem, solution.plan)
    _check_account(problem, solution)


def check_evaluation(problem: Problem, plan: Plan, evaluation: Evaluation) -> None:
    """The same for the figures of one plan, which may be made by hand: cut-off zones must be named, not absent."""
    college = _check_plan(problem, plan)
    _check_islands(problem, plan, evaluation)
    attendus = costs(problem, college)
    _check_costs(evaluation, attendus)
    couples, zones = pairs_of(problem, college)
    jeux = figures_of_colleges(problem, couples, zones)
    _check_figures("collège", problem.college_code, problem.annees, evaluation.colleges, jeux)
    jeux = figures_of_groups(problem, couples, zones)
    _check_figures("groupe", problem.groupes, problem.annees, evaluation.groupes, jeux)
    _same("dissimilarité", evaluation.dissimilarite, dissimilarity(problem, couples, zones))
    _check_difference(problem, plan, evaluation, zones, sum(attendus.values()))
    _check_sentences(problem, plan, evaluation.manques)


def _check_sentences(problem: Problem, plan: Plan, phrases: tuple[str, ...]) -> None:
    """Each wish that the plan breaks is said of one at least of the zones or collèges that break it, by its name."""
    if any(not phrase.strip() for phrase in phrases):
        raise ControleEchoue("souhait non tenu : phrase vide")
    noms = sorted({*problem.zone_nom, *problem.college_nom, *problem.groupe_noms}, key=len, reverse=True)
    for rompu in broken(problem, plan.college):
        if not any(all(_says(phrase, texte, noms) for texte in dit) for dit in rompu.dits for phrase in phrases):
            raise ControleEchoue(f"souhait non tenu ({rompu.sorte}) qui n'est pas dit : {' et '.join(rompu.dits[0])}")


def _says(phrase: str, texte: str, noms: list[str]) -> bool:
    """Whether the sentence has this text as a whole word, elsewhere than inside a longer one of ``noms`` (longest
    first)."""
    if texte not in phrase:
        return False
    for nom in noms:
        if len(nom) <= len(texte):
            break
        if texte in nom and nom in phrase:
            phrase = _whole(nom).sub("\0", phrase)
    return _whole(texte).search(phrase) is not None


def _whole(texte: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(texte)}(?![\w-])")


def _same(quoi: str, annonce: float, calcule: float, echelle: float = 1.0) -> None:
    """Refuse a figure that is not the one found again (NaN equals NaN); ``echelle``: size of what was added up."""
    if np.isnan(annonce) and np.isnan(calcule):
        return
    # Written so that a NaN on one side fails.
    if annonce == calcule or abs(annonce - calcule) <= TOLERANCE * max(echelle, abs(calcule), 1e-3):
        return
    raise ControleEchoue(f"{quoi} : {annonce:.10g} annoncé, {calcule:.10g} recalculé")


def _check_plan(problem: Problem, plan: Plan) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    """Every zone has one collège, none, or stays shared as it is today; the chain of flips gives the plan."""
    college = plan.college
    if college.shape != (problem.n_zones, 2):
        raise ControleEchoue(f"plan de {college.shape[0]} zones au lieu de {problem.n_zones}")
    for zone, (un, deux) in enumerate(college.tolist()):
        nom = f"zone {problem.zone_code[zone]}"
        for j in (un, deux):
            if j != AUCUN and not 0 <= j < problem.n_colleges:
                raise ControleEchoue(f"{nom} : collège inexistant (numéro {j})")
        if deux != AUCUN and (un, deux) != tuple(problem.present[zone].tolist()):
            raise ControleEchoue(f"{nom} : partagée entre deux collèges qu'elle n'a pas aujourd'hui")
    if plan.parent is not None:
        suite = plan.parent.college.copy()
        for bascule in plan.bascules:
            if tuple(suite[bascule.zone].tolist()) != bascule.avant:
                raise ControleEchoue(f"zone {problem.zone_code[bascule.zone]} : bascule depuis un autre collège")
            suite[bascule.zone] = bascule.apres
        if not np.array_equal(suite, college):
            raise ControleEchoue("les bascules ne mènent pas du plan parent au plan")
    return college


def _check_islands(problem: Problem, plan: Plan, evaluation: Evaluation) -> None:
    couples_coupes, couples_toleres = cut_off(problem, plan.college)
    coupees = {zone for zone, _ in couples_coupes}
    iles = {zone for zone, _ in couples_toleres} - coupees
    for mot, annoncees, attendues in (("coupées", evaluation.coupees, coupees), ("en île", evaluation.iles, iles)):
        if list(annoncees) != sorted(attendues):
            noms = sorted(problem.zone_code[zone] for zone in set(annoncees) ^ attendues)
            raise ControleEchoue(f"zones {mot} : la liste diffère pour {', '.join(noms) or 'son ordre'}")


def _check_costs(evaluation: Evaluation, attendus: dict[str, float]) -> None:
    noms = {champ.name for champ in fields(Couts)}
    if noms != set(attendus):
        raise ControleEchoue(f"termes de coût inconnus : {', '.join(sorted(noms ^ set(attendus)))}")
    total = sum(attendus.values())
    for nom, valeur in attendus.items():
        _same(f"coût « {nom} » (élèves-minutes)", getattr(evaluation.couts, nom), valeur)
    _same("coût (élèves-minutes)", evaluation.cout, total)


def _check_figures(
    sorte: str, codes: tuple[str, ...], annees: tuple[str, ...], chiffres: Chiffres, jeux: list[list[Jeu]]
) -> None:
    """``jeux[t][k]``: what was found again for year t and collège or group k."""
    forme = (len(annees), len(codes))
    for champ in fields(Chiffres):
        valeurs: F64 = getattr(chiffres, champ.name)
        if valeurs.shape != (forme[1:] if champ.name in Jeu.FIXES else forme):
            raise ControleEchoue(f"{champ.name} par {sorte} : forme {valeurs.shape} au lieu de {forme}")
        for t, annee in enumerate(annees):
            for k, code in enumerate(codes):
                annonce = float(valeurs[k] if champ.name in Jeu.FIXES else valeurs[t, k])
                nom = f"{champ.name}, {sorte} {code}, année {annee}"
                if champ.name == "minutes_p90":
                    if not jeux[t][k].is_p90(annonce):
                        raise ControleEchoue(f"{nom} : {annonce:.10g} n'est pas le 90e centile")
                else:
                    _same(nom, annonce, getattr(jeux[t][k], champ.name))


def _check_difference(problem: Problem, plan: Plan, evaluation: Evaluation, zones: Zones, cout: float) -> None:
    """Difference with today's plan: zones, pupils, cost, flips."""
    difference = evaluation.difference
    flips = [
        Bascule(zone, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])))
        for zone, (a, b) in enumerate(zip(problem.present, plan.college, strict=True))
        if not np.array_equal(a, b)
    ]
    if sorted(difference.bascules, key=lambda b: b.zone) != flips:
        fausses = {b.zone for b in set(flips) ^ set(difference.bascules)}
        noms = ", ".join(sorted(problem.zone_code[zone] for zone in fausses)) or "une zone en double"
        raise ControleEchoue(f"différence avec aujourd'hui : bascules fausses pour {noms}")
    if difference.zones != len(flips):
        raise ControleEchoue(f"différence avec aujourd'hui : {difference.zones} zones au lieu de {len(flips)}")
    _same("différence avec aujourd'hui, élèves", difference.eleves, float(zones.moyenne @ zones.deplacee))
    aujourdhui = sum(costs(problem, problem.present).values())
    _same("différence avec aujourd'hui, coût", difference.cout, cout - aujourdhui, max(abs(cout), abs(aujourdhui)))


def _check_moves(problem: Problem, plan: Plan) -> None:
    """What no search may do, whatever it gains: take the collège away from a zone, give it one that rules refuse, or,
    but where it is imposed, one that no road leads to or beyond a closed border. What is so today may stay."""
    couples, zones = pairs_of(problem, plan.college)
    for zone in np.flatnonzero(zones.avait & ~zones.garde):
        raise ControleEchoue(f"zone {problem.zone_code[zone]} : avait un collège, n'en a plus")
    for zone, j, neuf, actuel in zip(
        couples.zone.tolist(), couples.college.tolist(), couples.neuf.tolist(), couples.actuel.tolist(), strict=True
    ):
        # What a zone has today it may keep, a shared sector may end in either of its two collèges.
        if neuf <= actuel or actuel > 0:
            continue
        qui = f"zone {problem.zone_code[zone]} passée au collège {problem.college_code[j]}"
        if not permitted(problem, zone, j):
            raise ControleEchoue(f"{qui}, qui lui est interdit")
        if np.isinf(problem.minutes[zone, j]) and problem.impose[zone] != j:
            raise ControleEchoue(f"{qui}, où aucune route ne mène")
        g, h = problem.zone_groupe[zone], problem.college_groupe[j]
        ferme = g != h and problem.passages_max[g, h] == 0 and problem.impose[zone] != j
        if ferme and zones.moyenne[zone] > 0:
            raise ControleEchoue(
                f"{qui} : aucun passage de {problem.groupes[g]} vers {problem.groupes[h]} n'est permis"
            )


def _check_account(problem: Problem, solution: Solution) -> None:
    """Cost, bound, status, trace and sentences of the account."""
    bilan, evaluation = solution.bilan, solution.evaluation
    cout = float(bilan.cost)
    # The account is rounded to the hundredth.
    marge = 0.011 + TOLERANCE * abs(cout)
    if not abs(cout - evaluation.cout) <= marge:
        raise ControleEchoue(f"coût du bilan {cout:.4f}, coût du plan {evaluation.cout:.4f} élèves-minutes")
    aujourdhui = sum(costs(problem, problem.present).values())
    if cout > aujourdhui + marge:
        raise ControleEchoue(f"coût {cout:.4f} supérieur à celui du plan actuel, {aujourdhui:.4f} élèves-minutes")
    if bilan.bound is not None and not float(bilan.bound) <= cout + marge:
        raise ControleEchoue(f"borne {bilan.bound} au-dessus du coût {bilan.cost}")
    if bilan.status is Statut.IRREALISABLE:
        raise ControleEchoue("statut irréalisable, alors que le plan actuel est toujours possible")
    if bilan.status is Statut.OPTIMAL and (bilan.bound is None or cout - float(bilan.bound) > 0.011 + 1e-4 * abs(cout)):
        raise ControleEchoue(f"statut optimal, coût {bilan.cost}, borne {bilan.bound}")
    couts = [point.cost for point in bilan.trace]
    if any(suivant > avant + marge for avant, suivant in pairwise(couts)):
        raise ControleEchoue("trace : le coût remonte")
    if couts and abs(couts[-1] - cout) > marge:
        raise ControleEchoue(f"trace : finit à {couts[-1]:.4f}, coût {cout:.4f}")
    attendues = problem.remarques + evaluation.manques
    if bilan.remarks not in (attendues, (*attendues, BORNE_ECARTEE)):
        raise ControleEchoue("remarques du bilan : ce ne sont pas celles des données puis les souhaits non tenus")
