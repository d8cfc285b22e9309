"""Two regimes side by side: indicators of blocks brought together, differences, who gains and who loses.

Pure module; `territoires.resultats` reads the rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from .calcul import Indicateur, Question, Sens
from .partitions import Bloc


class IndicateurInvalide(ValueError):
    """An operation gave indicators that cannot be brought together; says which."""


class Verdict(StrEnum):
    """What a difference is, for who reads it."""

    GAGNE = "gagne"
    PERD = "perd"
    EGAL = "egal"
    NEUTRE = "neutre"
    INCONNU = "inconnu"


@dataclass(frozen=True)
class Bornes:
    """Yearly cost of a regime (sum of its blocks, euro), its proven lower bound when every block has one, and
    whether every block is proven optimal."""

    cout: Decimal
    borne: Decimal | None
    optimal: bool
    realisable: bool = True

    @property
    def ecart(self) -> float | None:
        """``cout / borne - 1``, None without a positive bound."""
        return None if self.borne is None or self.borne <= 0 else float(self.cout / self.borne - 1)


@dataclass(frozen=True)
class Regime:
    """Figures of one regime: ``ensemble[code]`` for all, ``par_collectivite[code][collectivite]`` for each."""

    bornes: Bornes
    ensemble: Mapping[str, float]
    par_collectivite: Mapping[str, Mapping[str, float]]
    indicateurs: Mapping[str, Indicateur]


@dataclass(frozen=True)
class Ecart:
    """One figure before (cloisonné) and after (mutualisé); None = not known."""

    avant: float | None
    apres: float | None
    verdict: Verdict

    @property
    def difference(self) -> float | None:
        """``apres - avant``."""
        return None if self.avant is None or self.apres is None else self.apres - self.avant

    @property
    def relative(self) -> float | None:
        """Difference over the figure before, None when that is zero or unknown."""
        return None if self.difference is None or not self.avant else self.difference / abs(self.avant)


@dataclass(frozen=True)
class Ligne:
    """One indicator in both regimes, for all and for each collectivité (in the order asked)."""

    indicateur: Indicateur
    ensemble: Ecart
    par_collectivite: Mapping[str, Ecart]
    #: The line that counts whom the figure is about, where the indicator names one.
    base: Ligne | None = None

    def collectivites(self, verdict: Verdict) -> list[str]:
        """Codes whose figure has this verdict."""
        return [code for code, ecart in self.par_collectivite.items() if ecart.verdict == verdict]


def add_up(blocs: Mapping[Bloc, Sequence[Indicateur]], bornes: Bornes) -> Regime:
    """Bring the blocks of a regime together.

    Figures of collectivités are kept as they are (each is in one block); the figure of all is made by each indicator's
    ``agregation``: of the block's own figures (``collectivite`` None) where every block gives one, else of those of the
    collectivités. Not finite figures (nobody reaches a site) stay so: they make a sum or a maximum infinite.
    """
    first: dict[str, Indicateur] = {}
    by_member: dict[str, dict[str, float]] = {}
    by_block: dict[str, dict[str, float]] = {}
    for bloc, items in blocs.items():
        for item in items:
            known = first.setdefault(item.code, item)
            if (known.unite, known.agregation, known.sens) != (item.unite, item.agregation, item.sens):
                raise IndicateurInvalide(f"L'indicateur « {item.code} » change d'unité, de sens ou d'agrégation.")
            if item.collectivite is None:
                by_block.setdefault(item.code, {})["+".join(sorted(bloc))] = item.valeur
            elif item.collectivite not in bloc:
                raise IndicateurInvalide(f"L'indicateur « {item.code} » parle de {item.collectivite}, hors du bloc.")
            else:
                by_member.setdefault(item.code, {})[item.collectivite] = item.valeur
    total: dict[str, float] = {}
    for code, item in first.items():
        whole = by_block.get(code, {})
        if len(whole) == 1 and len(blocs) == 1:
            total[code] = next(iter(whole.values()))
            continue
        full = len(whole) == len(blocs)
        value = _together(
            item.agregation, whole if full else by_member.get(code, {}), by_block if full else by_member, code
        )
        if value is not None:
            total[code] = value
    return Regime(bornes, total, by_member, first)


def _together(
    agregation: str,
    parts: Mapping[str, float],
    others: Mapping[str, Mapping[str, float]],
    code: str,
) -> float | None:
    if not parts or agregation == "aucune":
        return None
    if agregation == "somme":
        return math.fsum(parts.values())
    if agregation == "max":
        return max(parts.values())
    if agregation == "min":
        return min(parts.values())
    kind, _, weight_code = agregation.partition(":")
    if kind != "poids" or not weight_code:
        raise IndicateurInvalide(f"L'indicateur « {code} » a une agrégation inconnue : « {agregation} ».")
    weights = others.get(weight_code, {})
    missing = [part for part in parts if part not in weights]
    if missing:
        raise IndicateurInvalide(f"L'indicateur « {code} » se pondère par « {weight_code} », qui manque.")
    pairs = [(value, weights[part]) for part, value in parts.items() if weights[part] != 0]
    size = math.fsum(weight for _, weight in pairs)
    return math.fsum(value * weight for value, weight in pairs) / size if size else None


def as_json(item: Indicateur) -> dict[str, Any]:
    """An indicator as kept in the database; what is not finite is written as text (JSON knows no infinity)."""
    values = asdict(item)
    values["sens"] = str(item.sens)
    values["question"] = None if item.question is None else str(item.question)
    values["valeur"] = float(item.valeur) if math.isfinite(item.valeur) else str(float(item.valeur))
    return values


def from_json(values: Mapping[str, Any]) -> Indicateur:
    """Inverse of `as_json`."""
    question = values.get("question")
    return Indicateur(
        **{
            **values,
            "valeur": float(values["valeur"]),
            "sens": Sens(values["sens"]),
            "question": None if question is None else Question(question),
        }
    )


def judge(indicateur: Indicateur, avant: float | None, apres: float | None) -> Ecart:
    """The two figures and what their difference means; a difference within ``seuil`` is no change."""
    if avant is None or apres is None or math.isnan(avant) or math.isnan(apres):
        return Ecart(avant, apres, Verdict.INCONNU)
    size = max(abs(avant), abs(apres))
    if avant == apres or (math.isfinite(size) and abs(apres - avant) <= max(indicateur.seuil, 1e-9 * size)):
        return Ecart(avant, apres, Verdict.EGAL)
    if indicateur.sens == Sens.NEUTRE:
        return Ecart(avant, apres, Verdict.NEUTRE)
    better = apres < avant if indicateur.sens == Sens.MOINS else apres > avant
    return Ecart(avant, apres, Verdict.GAGNE if better else Verdict.PERD)


def compare(cloisonne: Regime, mutualise: Regime, collectivites: Iterable[str]) -> tuple[Ligne, ...]:
    """Every indicator of either regime, in the order the operation gave them."""
    codes = list(collectivites)
    lines = []
    for code, item in {**mutualise.indicateurs, **cloisonne.indicateurs}.items():
        before, after = cloisonne.par_collectivite.get(code, {}), mutualise.par_collectivite.get(code, {})
        lines.append(
            Ligne(
                item,
                judge(item, cloisonne.ensemble.get(code), mutualise.ensemble.get(code)),
                {one: judge(item, before.get(one), after.get(one)) for one in codes if one in before or one in after},
            )
        )
    by_code = {line.indicateur.code: line for line in lines}
    lines = [_fair(line, by_code.get(line.indicateur.base)) for line in lines]
    order = list(mutualise.indicateurs) + [code for code in cloisonne.indicateurs if code not in mutualise.indicateurs]
    lines.sort(key=lambda line: order.index(line.indicateur.code))
    return tuple(lines)


def _fair(line: Ligne, base: Ligne | None) -> Ligne:
    """The line, its gains and losses taken back where they only come from whom the figure is about."""
    if base is None:
        return line

    def verdict(ecart: Ecart, counted: Ecart | None) -> Ecart:
        more = 0.0 if counted is None else counted.difference or 0.0
        taken_back = Verdict.PERD if more > 0 else Verdict.GAGNE if more < 0 else None
        return replace(ecart, verdict=Verdict.NEUTRE) if ecart.verdict == taken_back else ecart

    each = {code: verdict(ecart, base.par_collectivite.get(code)) for code, ecart in line.par_collectivite.items()}
    return replace(line, ensemble=verdict(line.ensemble, base.ensemble), par_collectivite=each, base=base)


def by_question(lines: Iterable[Ligne]) -> dict[Question | None, list[Ligne]]:
    """Lines of each of the four questions, in their order, then those of none (key None)."""
    found: dict[Question | None, list[Ligne]] = {question: [] for question in Question}
    found[None] = []
    for line in lines:
        found[line.indicateur.question].append(line)
    return found
