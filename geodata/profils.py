"""Vehicle profiles: where each may go and how fast, as int32 milliseconds per directed edge.

Pure module: numpy only. A speed is ``min(share of the posted limit, cap of the road class, vehicle limit)``:
the posted limit alone gives times that are too short, because bends, crossings, villages and traffic
keep real means below it. The shares follow the practice of the two open route engines (OSRM's car profile
takes 0.8 of the posted limit, GraphHopper's 0.9) and the caps by class lie between their default tables;
inside built-up areas (limit <= 50 km/h) stops and crossings weigh more, hence a share of its own.
No turn cost and no time of day: times are those of a free-flowing weekday.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.classes import Acces, Classe
from geodata.reseau import F64, I32, B, TableauxReseau

#: Weight of a closed directed edge, and time of a journey that does not exist (int32 maximum).
INF_MS = np.int32(2**31 - 1)

#: Posted limit (km/h) up to which a road is taken for built-up.
LIMITE_VILLE_KMH = 50.0


@dataclass(frozen=True)
class Profil:
    """A kind of traveller.

    vitesses_kmh: cap by road class, in the order of `Classe` (9 values). part_vmax / part_vmax_ville: share of the
    posted limit really driven, outside / inside built-up areas. vmax_kmh: limit of the vehicle itself.
    masse_t, hauteur_m: an edge with a lower limit is closed (0 = not concerned). sens_unique: one-ways bind.
    vitesse_prive_kmh: cap on private roads (reachable, but too slow to be a way through; None = no penalty).
    vitesse_acces_kmh: speed of the straight-line access between a point and the road it is snapped to.
    """

    code: str
    libelle: str
    acces: Acces
    vitesses_kmh: tuple[float, ...]
    part_vmax: float
    part_vmax_ville: float
    vmax_kmh: float
    masse_t: float
    hauteur_m: float
    sens_unique: bool
    vitesse_prive_kmh: float | None
    vitesse_acces_kmh: float

    def __post_init__(self) -> None:
        if len(self.vitesses_kmh) != len(Classe):
            raise ValueError(f"profil {self.code} : {len(self.vitesses_kmh)} vitesses au lieu de {len(Classe)}")


#: Caps: A, voie rapide, principale, secondaire, liaison, locale, résidentielle, rencontre, desserte.
VOITURE = Profil(
    code="voiture",
    libelle="Voiture",
    acces=Acces.VOITURE,
    vitesses_kmh=(115.0, 95.0, 75.0, 68.0, 60.0, 45.0, 28.0, 15.0, 15.0),
    part_vmax=0.88,
    part_vmax_ville=0.70,
    vmax_kmh=130.0,
    masse_t=0.0,
    hauteur_m=0.0,
    sens_unique=True,
    vitesse_prive_kmh=8.0,
    vitesse_acces_kmh=15.0,
)

#: 19 t rigid truck, 4 m high. Above 12 t: 90 km/h on motorways, 80 elsewhere (code de la route, R413-8).
POIDS_LOURD = Profil(
    code="poids_lourd",
    libelle="Poids lourd (19 t)",
    acces=Acces.POIDS_LOURD,
    vitesses_kmh=(85.0, 76.0, 62.0, 56.0, 48.0, 35.0, 22.0, 10.0, 10.0),
    part_vmax=0.82,
    part_vmax_ville=0.62,
    vmax_kmh=85.0,
    masse_t=19.0,
    hauteur_m=4.0,
    sens_unique=True,
    vitesse_prive_kmh=8.0,
    vitesse_acces_kmh=10.0,
)

#: Coach of two axles (19.5 t, 3.5 m). Limits of R413-10: 100 km/h on motorways, 90 elsewhere. Stops are not counted.
CAR_SCOLAIRE = Profil(
    code="car_scolaire",
    libelle="Car scolaire",
    acces=Acces.CAR,
    vitesses_kmh=(90.0, 80.0, 65.0, 58.0, 50.0, 36.0, 22.0, 10.0, 10.0),
    part_vmax=0.82,
    part_vmax_ville=0.62,
    vmax_kmh=90.0,
    masse_t=19.5,
    hauteur_m=3.5,
    sens_unique=True,
    vitesse_prive_kmh=8.0,
    vitesse_acces_kmh=10.0,
)

#: Winter service truck running empty (deadhead): 50 km/h. Treating runs at `VITESSE_TRAITEMENT_KMH`.
ENGIN_VH = Profil(
    code="engin_vh",
    libelle="Engin de viabilité hivernale",
    acces=Acces.SERVICE,
    vitesses_kmh=(50.0, 50.0, 50.0, 50.0, 45.0, 35.0, 20.0, 10.0, 10.0),
    part_vmax=0.80,
    part_vmax_ville=0.60,
    vmax_kmh=50.0,
    masse_t=19.0,
    hauteur_m=3.5,
    sens_unique=True,
    vitesse_prive_kmh=8.0,
    vitesse_acces_kmh=10.0,
)

#: Speed of a winter service truck while it treats the road, km/h.
VITESSE_TRAITEMENT_KMH = 30.0

#: 4.5 km/h (1.25 m/s), the usual walking speed of accessibility studies; one-ways and private roads do not stop it.
PIETON = Profil(
    code="pieton",
    libelle="Piéton",
    acces=Acces.PIETON,
    vitesses_kmh=(4.5,) * 9,
    part_vmax=1.0,
    part_vmax_ville=1.0,
    vmax_kmh=4.5,
    masse_t=0.0,
    hauteur_m=0.0,
    sens_unique=False,
    vitesse_prive_kmh=None,
    vitesse_acces_kmh=4.5,
)

PROFILS: dict[str, Profil] = {p.code: p for p in (VOITURE, POIDS_LOURD, CAR_SCOLAIRE, ENGIN_VH, PIETON)}


class ProfilInconnu(KeyError):
    """No profile of that code; the message lists those that exist."""

    def __str__(self) -> str:
        return str(self.args[0])


def profil_of(profil: Profil | str) -> Profil:
    """The profile itself, from its code. Raises `ProfilInconnu`."""
    if isinstance(profil, Profil):
        return profil
    if profil not in PROFILS:
        raise ProfilInconnu(f"profil inconnu : « {profil} » (possibles : {', '.join(PROFILS)})")
    return PROFILS[profil]


def usable(profil: Profil, reseau: TableauxReseau) -> tuple[B, B]:
    """Which edges the profile may drive along / against the drawing, as two (m,) masks."""
    ouvert = (reseau.acces & np.uint8(profil.acces)) != 0
    # NaN (limit not said) compares False, hence open.
    if profil.masse_t > 0:
        ouvert &= ~(reseau.tonnage_max_t < profil.masse_t)
    if profil.hauteur_m > 0:
        ouvert &= ~(reseau.hauteur_max_m < profil.hauteur_m)
    return ouvert, ouvert & ~reseau.sens_unique if profil.sens_unique else ouvert.copy()


def speeds(profil: Profil, reseau: TableauxReseau) -> tuple[F64, F64]:
    """Speed in km/h along / against the drawing, two (m,) arrays, all > 0. Access is not looked at."""
    plafond = np.asarray(profil.vitesses_kmh)[reseau.classe]
    aller, retour = (_speed(profil, reseau, plafond, v) for v in (reseau.vmax_aller, reseau.vmax_retour))
    return aller, retour


def _speed(profil: Profil, reseau: TableauxReseau, plafond: F64, vmax: NDArray[np.float32]) -> F64:
    v = vmax.astype(np.float64)
    inconnue = ~(v > 0)
    part = np.where(v <= LIMITE_VILLE_KMH, profil.part_vmax_ville, profil.part_vmax)
    v = np.where(inconnue, plafond, np.minimum(v * part, plafond))
    v = np.minimum(v, profil.vmax_kmh)
    if profil.vitesse_prive_kmh is not None:
        prive = (reseau.acces & np.uint8(Acces.PRIVE)) != 0
        v = np.where(prive, np.minimum(v, profil.vitesse_prive_kmh), v)
    return v


def milliseconds(longueur_m: NDArray[np.float32], vitesse_kmh: F64, ouvert: B, facteur: F64 | float = 1.0) -> I32:
    """Driving time in ms, int32 (m,), rounded to the nearest; `INF_MS` where closed or slower than 24 days."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ms = np.rint(longueur_m.astype(np.float64) * 3600.0 / vitesse_kmh * facteur)
    ouvert = ouvert & (ms < float(INF_MS))
    return np.where(ouvert, ms, float(INF_MS)).astype(np.int32)
