"""Whether the arrays of a `Probleme` form a problem.

Pure module: numpy only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .probleme import I32, Probleme

#: "None" in an array of indices.
AUCUN = -1


class ProblemeInvalide(ValueError):
    """The arrays do not form a problem; the message (French) says which and where."""


def validate(p: Probleme) -> None:
    """Raise `ProblemeInvalide` unless shapes, indices, signs and kept circuits agree."""
    n, k, r, t = len(p.level), len(p.truck_type), len(p.point_s), len(p.type_profile)
    if p.distances_m.ndim != 3 or p.distances_m.shape[1] != p.distances_m.shape[2]:
        raise ProblemeInvalide(f"distances_m : forme {p.distances_m.shape}, (profils, lieux, lieux) attendue")
    profiles, places = p.distances_m.shape[:2]
    q, s, levels = p.demand.shape[1] if p.demand.ndim == 2 else 0, len(p.stock), len(p.weights.untreated)
    shapes: dict[str, tuple[int, ...]] = {
        "durations_s": (profiles, places, places), "start": (n, 2), "end": (n, 2), "driven_m": (n,), "length_m": (n,),
        "service_s": (t, n, 2), "demand": (n, q), "level": (n,), "earliest_s": (n,), "deadline_s": (n,),
        "skip_price": (n,), "road": (n,), "point_place": (r, 2), "point_s": (r,), "refill": (r, q),
        "opening_s": (r, 2), "point_stock": (r,), "stock": (s, q), "type_profile": (t,), "capacity": (t, q),
        "cost_km": (t,), "cost_hour": (t,), "truck_type": (k,), "home": (k, 2), "home_stock": (k,),
        "initial_load": (k, q), "shift_start_s": (k,), "driving_limit_s": (k,), "span_s": (k,), "cost_fixed": (k,),
        "fixed_truck": (n,), "forbidden": (len(p.forbidden), 2), "apart": (len(p.apart), 2),
    }  # fmt: skip
    for nom, shape in shapes.items():
        if getattr(p, nom).shape != shape:
            raise ProblemeInvalide(f"{nom} : forme {getattr(p, nom).shape}, {shape} attendue")
    if q < 1:
        raise ProblemeInvalide("demand : au moins un produit attendu")
    # index arrays: name -> (least, one above the most)
    ranges = {
        "start": (AUCUN, places), "end": (AUCUN, places), "level": (0, levels), "point_place": (0, places),
        "point_stock": (0, s), "type_profile": (0, profiles), "truck_type": (0, t), "home": (AUCUN, places),
        "home_stock": (AUCUN, s), "fixed_truck": (AUCUN, k),
    }  # fmt: skip
    for nom, (least, above) in ranges.items():
        _in_range(nom, getattr(p, nom), least, above)
    _in_range("forbidden", p.forbidden[:, 0], 0, n)
    _in_range("forbidden", p.forbidden[:, 1], 0, k)
    _in_range("apart", p.apart, 0, n)
    _in_range("start", p.start[:, 0], 0, places)
    _in_range("home", p.home[:, 0], 0, places)
    if np.any((p.start == AUCUN) != (p.end == AUCUN)):
        raise ProblemeInvalide("start et end : un mode a un début sans fin, ou une fin sans début")
    if np.any(np.isfinite(p.service_s[:, p.start[:, 1] == AUCUN, 1])):
        raise ProblemeInvalide("service_s : durée donnée pour un mode qui n'existe pas (inf attendu)")
    if r == 0 and np.any(p.home[:, 1] == AUCUN):
        raise ProblemeInvalide("home : fin de service à un point de rechargement, mais il n'y en a aucun")
    may_be_inf = {"distances_m", "durations_s", "service_s", "deadline_s", "skip_price", "refill", "opening_s", "stock",
                  "driving_limit_s", "span_s"}  # fmt: skip
    positive = may_be_inf | {"driven_m", "length_m", "demand", "point_s", "capacity", "cost_km", "cost_hour",
                             "initial_load", "cost_fixed"}  # fmt: skip
    for nom in positive | {"earliest_s", "shift_start_s"}:
        values = getattr(p, nom)
        if np.isnan(values).any() or (nom not in may_be_inf and not np.isfinite(values).all()):
            raise ProblemeInvalide(f"{nom} : nombre fini attendu")
        if nom in positive - {"opening_s", "deadline_s"} and (values < 0).any():
            raise ProblemeInvalide(f"{nom} : {float(values.min())} (nombre positif attendu)")
    for nom in ("untreated", "late"):
        poids = getattr(p.weights, nom)
        if len(poids) != levels or any(not np.isfinite(v) or v < 0 for v in poids):
            raise ProblemeInvalide(f"weights.{nom} : un poids positif par niveau attendu ({levels} niveaux)")
    if any(not np.isfinite(v) or v < 0 for v in (p.weights.truck, p.weights.cost, p.weights.balance)):
        raise ProblemeInvalide("weights : nombres positifs attendus")
    if (p.deadline_s == -np.inf).any():
        raise ProblemeInvalide("deadline_s : -inf (un nombre, ou inf pour aucune échéance)")
    if (p.apart[:, 0] == p.apart[:, 1]).any():
        raise ProblemeInvalide("apart : un tronçon ne peut être séparé de lui-même")
    for nom, count in (("item_names", n), ("truck_names", k)):
        if len(getattr(p, nom)) not in (0, count):
            raise ProblemeInvalide(f"{nom} : {len(getattr(p, nom))} noms, {count} attendus")
    if (p.initial_load > p.capacity[p.truck_type] + 1e-9).any():
        raise ProblemeInvalide("initial_load : plus que la capacité du camion")
    _circuits(p)


def _circuits(p: Probleme) -> None:
    trucks: set[int] = set()
    items: set[int] = set()
    for circuit in p.circuits:
        if not 0 <= circuit.truck < p.n_trucks or circuit.truck in trucks:
            raise ProblemeInvalide(f"circuits : camion {circuit.truck} inconnu ou fixé deux fois")
        visits = circuit.visits
        if np.any(visits >= 2 * p.n_items) or np.any(visits < -p.n_points):
            raise ProblemeInvalide(f"circuits : visite inconnue dans celui du camion {circuit.truck}")
        services = visits[visits >= 0]
        if np.any(p.start[services // 2, services % 2] == AUCUN):
            raise ProblemeInvalide(f"circuits : sens qui n'existe pas ({p.truck_name(circuit.truck)})")
        anywhere = len(services) > 0 and p.home[circuit.truck, 1] == AUCUN
        if not (0 <= circuit.end_point < p.n_points if anywhere else circuit.end_point == AUCUN):
            raise ProblemeInvalide(f"circuits : fin de service inconnue ({p.truck_name(circuit.truck)})")
        double = items & set(circuit.items.tolist())
        if double or len(set(circuit.items.tolist())) < len(circuit.items):
            raise ProblemeInvalide(f"circuits : tronçon traité deux fois ({p.truck_name(circuit.truck)})")
        trucks.add(circuit.truck)
        items |= set(circuit.items.tolist())


def _in_range(nom: str, values: I32, least: int, above: int) -> None:
    if values.size and (values.min() < least or values.max() >= above):
        raise ProblemeInvalide(f"{nom} : indice hors de {least}..{above - 1}")
