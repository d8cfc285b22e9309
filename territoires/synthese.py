"""The four questions of elected members, answered in plain French sentences from the figures.

Pure module. The wording claims no more than what is known: a gain for all is told with those it does not reach, a
saving with what is proven of it, and every summary ends with its limits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .calcul import COUT, Indicateur, Question
from .comparaison import Bornes, Ecart, Ligne, Verdict, by_question
from .nombres import avec_unite, euros, pourcent, typographie

TITRES = {
    Question.EFFICACE: typographie("Le service est-il plus efficace ?"),
    Question.ECONOMIE: typographie("Cela fait-il des économies ?"),
    Question.SERVICE: typographie("Est-ce mieux pour les habitants ?"),
    Question.INCOHERENCE: typographie("Cela supprime-t-il une incohérence ?"),
}


#: So many collectivités are named in a sentence; more are counted.
NOMMEES = 3


class Avis(StrEnum):
    """Short answer shown beside a question."""

    OUI = "oui"
    PARTIE = "en partie"
    NON = "non"
    EGAL = "sans changement"
    INCONNU = "non mesuré"


@dataclass(frozen=True)
class Reponse:
    """One question, its short answer and the sentences that carry it."""

    question: Question
    titre: str
    avis: Avis
    phrases: tuple[str, ...]


@dataclass(frozen=True)
class Synthese:
    """The four answers and what limits them."""

    reponses: tuple[Reponse, ...]
    limites: tuple[str, ...]


def summarize(
    lines: Sequence[Ligne],
    cloisonne: Bornes,
    mutualise: Bornes,
    noms: Mapping[str, str],
    *,
    libelle_cout: str = "",
    depense: Ecart | None = None,
    fictif: bool = False,
    remarques: Iterable[str] = (),
) -> Synthese:
    """Answer the four questions.

    ``noms`` gives the name of each collectivité code; ``libelle_cout`` says what the cost is made of, ``depense``
    is the public part of it where it counts more; ``remarques`` are the solvers' own, repeated in the limits.
    """
    grouped = by_question(lines)
    answers = []
    for question in Question:
        mine = [line for line in grouped[question] if line.indicateur.code != COUT]
        verdicts = [line.ensemble.verdict for line in mine]
        losers = any(line.collectivites(Verdict.PERD) for line in mine)
        winners = any(line.collectivites(Verdict.GAGNE) for line in mine)
        sentences = [sentence for line in mine if not _same(line) for sentence in _sentences(line, noms)]
        sentences += _not_alike([line for line in mine if line.ensemble.verdict == Verdict.NEUTRE])
        sentences += _unchanged([line for line in mine if _same(line)])
        if question == Question.ECONOMIE:
            cost, verdict = _cost(cloisonne, mutualise, libelle_cout)
            sentences = cost + _spending(depense) + sentences
            verdicts = [verdict]
            # Trips saved are no saving of the budgets: a plain yes needs both.
            spared = depense is None or depense.verdict == Verdict.GAGNE
            losers = losers or (verdict == Verdict.GAGNE and not spared)
        answers.append(
            Reponse(question, TITRES[question], _opinion(verdicts, losers, winners), tuple(map(typographie, sentences)))
        )
    return Synthese(tuple(answers), tuple(map(typographie, _limits(cloisonne, mutualise, fictif, remarques))))


def _opinion(verdicts: Sequence[Verdict], losers: bool, winners: bool) -> Avis:
    told = {verdict for verdict in verdicts if verdict not in (Verdict.INCONNU, Verdict.NEUTRE)}
    if not told or (told == {Verdict.EGAL} and Verdict.NEUTRE in verdicts):
        return Avis.INCONNU
    if Verdict.GAGNE in told:
        return Avis.PARTIE if Verdict.PERD in told or losers else Avis.OUI
    if Verdict.PERD in told:
        return Avis.NON
    return Avis.PARTIE if losers or winners else Avis.EGAL


def _same(line: Ligne) -> bool:
    """Nothing changes, for all nor for anybody."""
    moved = (Verdict.GAGNE, Verdict.PERD)
    return line.ensemble.verdict == Verdict.EGAL and not any(line.collectivites(verdict) for verdict in moved)


def _not_alike(lines: Sequence[Ligne]) -> list[str]:
    """What cannot be compared because it is not about the same people, by whom it is about."""
    by_base: dict[str, list[Ligne]] = {}
    for line in lines:
        if line.base is not None:
            by_base.setdefault(line.base.indicateur.code, []).append(line)
    return [
        f"Ne se comparent pas d'un cas à l'autre : {', '.join(line.indicateur.libelle for line in group)}, car "
        f"{base.indicateur.libelle} : {_change(base.indicateur, base.ensemble, short=True)}."
        for group in by_base.values()
        if (base := group[0].base) is not None
    ]


def _unchanged(lines: Sequence[Ligne]) -> list[str]:
    if not lines:
        return []
    figures = ", ".join(
        f"{line.indicateur.libelle} ({_figure(line.indicateur, line.ensemble.apres)})" for line in lines
    )
    return [f"Sans changement : {figures}."]


def _sentences(line: Ligne, noms: Mapping[str, str]) -> list[str]:
    item, whole = line.indicateur, line.ensemble
    found = []
    if whole.verdict == Verdict.EGAL:
        found.append(f"{_capital(item.libelle)} : {_figure(item, whole.apres)} dans les deux cas.")
    elif whole.verdict != Verdict.INCONNU:
        found.append(f"{_capital(item.libelle)} : {_change(item, whole)}.")
    for verdict, one, many in ((Verdict.GAGNE, "y gagne", "y gagnent"), (Verdict.PERD, "y perd", "y perdent")):
        codes = line.collectivites(verdict)
        # What is true of all needs no list of who is concerned.
        if not codes or (whole.verdict == verdict and len(codes) == len(line.par_collectivite)):
            continue
        about = "" if found else f"{_capital(item.libelle)} : "
        words = _who(line, codes, noms, many if len(codes) > 1 else one)
        found.append(f"{about}{words if about else _capital(words)}.")
    return found


def _who(line: Ligne, codes: list[str], noms: Mapping[str, str], verb: str) -> str:
    """Who gains or loses: all of them up to three, else how many and the most concerned."""

    def size(code: str) -> float:
        return abs(line.par_collectivite[code].difference or 0.0)

    def told(code: str) -> str:
        return f"{noms.get(code, code)} ({_change(line.indicateur, line.par_collectivite[code], short=True)})"

    if len(codes) <= NOMMEES:
        return f"{verb} : {' ; '.join(told(code) for code in codes)}"
    most = max(codes, key=lambda code: (size(code), code))
    return f"{verb} : {len(codes)} collectivités sur {len(line.par_collectivite)}, le plus {told(most)}"


def _change(item: Indicateur, ecart: Ecart, *, short: bool = False) -> str:
    after, before = _figure(item, ecart.apres), _figure(item, ecart.avant)
    text = f"{after} au lieu de {before}"
    difference = ecart.difference
    if short or not ecart.avant or difference is None or not math.isfinite(difference):
        return text
    sign = avec_unite(difference, item.unite, item.decimales, signe=True)
    relative = "" if ecart.relative is None else f", {pourcent(ecart.relative, signe=True)}"
    return f"{text} ({sign}{relative})"


def _figure(item: Indicateur, value: float | None) -> str:
    if value is None:
        return "—"
    return avec_unite(value, item.unite, item.decimales) if math.isfinite(value) else "inaccessible"


def _cost(cloisonne: Bornes, mutualise: Bornes, libelle: str) -> tuple[list[str], Verdict]:
    if not cloisonne.realisable or not mutualise.realisable:
        which = "chacun de son côté" if not cloisonne.realisable else "en partageant"
        return [f"Aucun plan réalisable {which} : les coûts ne se comparent pas."], Verdict.INCONNU
    saved = cloisonne.cout - mutualise.cout
    after, before = euros(mutualise.cout), euros(cloisonne.cout)
    cost = f"Coût complet ({libelle})" if libelle else "Coût du service"
    if euros(abs(saved)) == euros(0):
        return [f"{cost} : {after} par an dans les deux cas."], Verdict.EGAL
    relative = "" if not cloisonne.cout else f" ({pourcent(float(-saved / abs(cloisonne.cout)), signe=True)})"
    how = "de moins" if saved > 0 else "de plus"
    sentences = [
        f"{cost} : {after} par an en partageant, au lieu de {before}, soit {euros(abs(saved))} {how}{relative}."
    ]
    if saved > 0 and not cloisonne.optimal:
        sure = None if cloisonne.borne is None else cloisonne.borne - mutualise.cout
        if sure is not None and sure > 0:
            sentences.append(
                f"L'économie est d'au moins {euros(sure)} par an, même face au meilleur plan cloisonné possible."
            )
        else:
            sentences.append(
                "Il n'est pas prouvé qu'un meilleur plan cloisonné ne ferait pas aussi bien : prenez cet écart comme "
                "un ordre de grandeur."
            )
    if saved < 0 and not mutualise.optimal:
        sentences.append("Un meilleur plan partagé existe peut-être : celui-ci n'est pas prouvé le moins cher.")
    return sentences, Verdict.GAGNE if saved > 0 else Verdict.PERD


def _spending(depense: Ecart | None) -> list[str]:
    if depense is None or depense.difference is None or not math.isfinite(depense.difference):
        return []
    if depense.verdict == Verdict.EGAL:
        return ["La dépense publique, elle, ne change pas dans l'ensemble."]
    how = "baisse" if depense.difference < 0 else "augmente"
    return [f"La dépense publique, elle, {how} de {euros(abs(depense.difference))} par an."]


def _limits(cloisonne: Bornes, mutualise: Bornes, fictif: bool, remarques: Iterable[str]) -> list[str]:
    limits = []
    if fictif:
        limits.append("Données fictives : ces chiffres montrent la méthode, pas la situation réelle des territoires.")
    limits.append(
        "Les montants annuels et les usages résultent des paramètres de l'étude ; ils ne tiennent compte ni des "
        "investissements, ni des habitudes, ni de ce que l'étude ne décrit pas."
    )
    for name, bornes in (("cloisonné", cloisonne), ("partagé", mutualise)):
        if not bornes.realisable:
            limits.append(f"Plan {name} : aucun plan ne respecte toutes les contraintes.")
        elif not bornes.optimal and bornes.ecart is not None:
            limits.append(
                f"Plan {name} : le moins cher trouvé ; aucun ne peut l'être de plus de "
                f"{pourcent(max(0.0, -_below(bornes)))} (écart à la borne : {pourcent(bornes.ecart)})."
            )
        elif not bornes.optimal:
            limits.append(f"Plan {name} : le moins cher trouvé, sans preuve qu'il n'en existe pas de meilleur.")
    seen = dict.fromkeys(remarques)
    limits.extend(seen)
    return limits


def _below(bornes: Bornes) -> float:
    """How far under the cost the bound lies, as a (negative) ratio of the cost."""
    if bornes.borne is None or not bornes.cout:
        return 0.0
    return float(bornes.borne / bornes.cout - 1)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
