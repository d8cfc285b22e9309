"""Plans broken on purpose: one way a rule, or a figure, at a time.

Each way takes a problem, an allowed plan of it and a generator, and gives a problem and a plan that break one rule
while every other figure of the account stays true; None where this plan offers no occasion, or where the change leaves
it allowed (`naif.walk` is asked, not the checker). ``word`` is what the refusal must say.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

import numpy as np

from routes.probleme import Probleme
from routes.resultat import Objectif, Solution, Tournees
from territoires.calcul import Statut

from . import mutations_plan as faits
from . import mutations_regles as regles
from .cas import FEATURES, planned
from .mutations_outils import Broken, Way, changed, pick

RELOADING = ("reload", "stock", "two_products", "opening", "end_point", "mixture")
UNCUT = tuple(f for f in FEATURES if f != "split")
FLEETS = ("capacity", "mixed_fleet", "lock", "span", "balance", "stock", "oneway", "split")


@dataclass(frozen=True)
class Mutation:
    """A way of breaking plans, what the refusal says, and in which kinds of problems there is occasion to."""

    way: Way
    word: str
    features: tuple[str, ...] = FEATURES


# --- account -------------------------------------------------------------------------------------------------------


def _nudged(rng: np.random.Generator, value: float) -> float:
    """Another number: a hundredth more, a thousandth less, or none at all."""
    step = max(0.01, 0.001 * abs(value))
    return float(pick(rng, [value + step, value - step, np.nan]))


def figure(part: str, field: str) -> Way:
    """One number of the account is false."""

    def way(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
        values = np.array(getattr(getattr(s, part), field), dtype=np.float64)
        if not values.size:
            return None
        index = np.unravel_index(int(rng.integers(values.size)), values.shape)
        wrong = changed(values, index, _nudged(rng, float(values[index])))
        said: Any = tuple(wrong.tolist()) if part == "objectif" and wrong.ndim else wrong
        said = float(wrong) if not wrong.ndim else said
        return p, replace(s, **{part: replace(getattr(s, part), **{field: said})})

    return way


def shorter_table(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """A figure is missing from a table."""
    if not s.circuits:
        return None
    field = pick(rng, [f.name for f in fields(Tournees) if f.name != "stock_used"])
    return p, replace(s, tournees=replace(s.tournees, **{field: getattr(s.tournees, field)[1:]}))


def wrong_cost(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    step = Decimal(repr(max(1.0, 0.001 * abs(s.objectif.total))))
    wrong = pick(rng, [s.bilan.cost + step, s.bilan.cost - step, Decimal("nan")])
    return p, replace(s, bilan=replace(s.bilan, cost=wrong, bound=None))


def bound_above(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    above = s.bilan.cost + Decimal(repr(max(1.0, 0.001 * abs(s.objectif.total))))
    return p, replace(s, bilan=replace(s.bilan, bound=pick(rng, [above, Decimal("nan"), Decimal("inf")])))


def optimal_without_proof(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    if s.bilan.cost < 1:
        return None
    bound = pick(rng, [None, Decimal(0)])
    return p, replace(s, bilan=replace(s.bilan, bound=bound, status=Statut.OPTIMAL))


def called_infeasible(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    return p, replace(s, bilan=replace(s.bilan, status=Statut.IRREALISABLE))


def other_problem(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    """The plan of a problem that differs in one number that changes nothing here."""
    other = replace(p, service_s=p.service_s + 1.0)
    return p, replace(s, problem_hash=pick(rng, ["", planned(other)[0].input_hash()]))


def origin_forgotten(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    return None if s.origin is None else (p, replace(s, origin=None))


def origin_altered(p: Probleme, s: Solution, rng: np.random.Generator) -> Broken:
    if s.origin is None:
        return None
    k = int(rng.integers(len(s.origin)))
    return p, replace(s, origin=changed(s.origin, k, s.origin[k] + 1))


LOADS = "à charger|charge de|il manque"
MUTATIONS: dict[str, Mutation] = {
    "drop_item": Mutation(faits.drop_item, "ni traité ni dit"),
    "served_said_left_out": Mutation(faits.served_said_left_out, "à tort"),
    "left_out_twice": Mutation(faits.left_out_twice, "en double", ("stock", "span", "mixture", "split", "oneway")),
    "left_out_unknown": Mutation(faits.left_out_unknown, "inconnu"),
    "twice_in_a_tour": Mutation(faits.twice_in_a_tour, "deux fois"),
    "twice_by_two": Mutation(faits.twice_by_two, "deux fois.* et ", FLEETS),
    "missing_mode": Mutation(faits.missing_mode, "sens qui n'existe pas", ("oneway", "turn", "mixture")),
    "other_mode_untold": Mutation(faits.other_mode_untold, "recalcul"),
    "other_order_untold": Mutation(faits.other_order_untold, "recalcul"),
    "idle_truck": Mutation(faits.idle_truck, "sans rien traiter|tel quel", FLEETS),
    "unknown_truck": Mutation(faits.unknown_truck, "inconnu"),
    "trucks_out_of_order": Mutation(faits.trucks_out_of_order, "hors de l'ordre", FLEETS),
    "truck_twice": Mutation(faits.truck_twice, "en double"),
    "unknown_visit": Mutation(faits.unknown_visit, "visite .* inconnue"),
    "unreadable_visits": Mutation(faits.unreadable_visits, "illisibles"),
    "end_at_a_point": Mutation(faits.end_at_a_point, "doit rentrer", ("reload", "stock", "two_products", "opening")),
    "end_nowhere": Mutation(faits.end_nowhere, "fin de service", ("end_point", "mixture")),
    "other_end_untold": Mutation(faits.other_end_untold, "recalcul", ("end_point", "mixture")),
    "overload": Mutation(regles.overload, LOADS, ("capacity", "stock", "lock", "mixed_fleet", "two_products", "split")),
    "small_truck": Mutation(regles.small_truck, LOADS, UNCUT),
    "half_empty_start": Mutation(regles.half_empty_start, LOADS, UNCUT),
    "mean_point": Mutation(regles.mean_point, LOADS, RELOADING),
    "empty_stock": Mutation(regles.empty_stock, "stock . : .* il en contient", RELOADING),
    "closed_point": Mutation(regles.closed_point, "fermé depuis", RELOADING),
    "late_opening_untold": Mutation(regles.late_opening_untold, "recalcul", ("reload", "stock", "two_products")),
    "early_service_untold": Mutation(regles.early_service_untold, "recalcul", ("capacity", "turn", "lock", "deadline")),
    "lateness_untold": Mutation(regles.lateness_untold, "retard .*recalcul", UNCUT),
    "long_driving": Mutation(regles.long_driving, "conduite de .*limite"),
    "long_span": Mutation(regles.long_span, "amplitude de .*limite"),
    "no_way": Mutation(regles.no_way, "aucun chemin"),
    "wrong_type": Mutation(regles.wrong_type, "type de camion", UNCUT),
    "forbidden_truck": Mutation(regles.forbidden_truck, "interdit", UNCUT),
    "other_truck_fixed": Mutation(regles.other_truck_fixed, "fixé à", FLEETS[:-1]),
    "together": Mutation(regles.together, "à ne pas réunir", UNCUT),
    "kept_shortened": Mutation(regles.kept_shortened, "tel quel", UNCUT),
    "kept_reordered": Mutation(regles.kept_reordered, "tel quel", UNCUT),
    "kept_ends_elsewhere": Mutation(regles.kept_ends_elsewhere, "tel quel", ("end_point", "mixture")),
    "kept_forgotten": Mutation(regles.kept_forgotten, "tel quel", UNCUT),
    "kept_at_home": Mutation(regles.kept_at_home, "tel quel"),
    **{f"objectif.{f.name}": Mutation(figure("objectif", f.name), "recalcul") for f in fields(Objectif)},
    **{f"tournees.{f.name}": Mutation(figure("tournees", f.name), "recalcul", RELOADING) for f in fields(Tournees)},
    "shorter_table": Mutation(shorter_table, "chiffres au lieu de"),
    "wrong_cost": Mutation(wrong_cost, "coût annoncé"),
    "bound_above": Mutation(bound_above, "borne annoncée"),
    "optimal_without_proof": Mutation(optimal_without_proof, "dit optimal"),
    "called_infeasible": Mutation(called_infeasible, "irréalisable"),
    "other_problem": Mutation(other_problem, "autre problème"),
    "origin_forgotten": Mutation(origin_forgotten, "devait être coupé", ("split",)),
    "origin_altered": Mutation(origin_altered, "origin", ("split",)),
}  # fmt: skip
