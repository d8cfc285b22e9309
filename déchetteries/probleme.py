"""All that the solver may see of one block: demand points, centres, times, who may go where, unit costs.

Pure module: numpy only.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

B = NDArray[np.bool_]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I16 = NDArray[np.int16]

#: ``centre_groupe`` of a centre whose owner is outside the block and that a rule opens to inhabitants of the block.
EXTERIEUR = -1


class ProblemeInvalide(ValueError):
    """The arrays do not form a problem; the message (French) says which and where."""


@dataclass(frozen=True)
class UnitCosts:
    """Unit figures of a study; every default is an assumption to replace by local counts.

    Figure, default, where it comes from (hyp. = hypothèse, no source):
        visites_hab_an    5      visits per inhabitant and year: hyp.
        tonnes_hab_an     0.22   t per inhabitant and year: hyp., order of magnitude of ADEME's « enquêtes Collecte »
        euro_km           0.35   vehicle, €/km: hyp., between fuel alone (about 0.12) and the French tax scale
                                 (0.636 €/km for 5 CV under 5,000 km, arrêté of 27 March 2023)
        vitesse_kmh       45     mean speed that turns €/km into €/h where trips are valued by their time alone: hyp.
        euro_heure        10     value of time, €/h: hyp., above the 7.9 €2010/h in town of the Quinet report (2013)
        euro_visite       5      running cost that follows visits (skips, treatment), €/visit: hyp.
        euro_surcharge    15     a visit above a centre's capacity, €/visit: hyp. (price of a wish, not an expense)
        euro_sans_centre  60     a visit that no centre may receive, €/visit: hyp. (price of a wish, not an expense)
        cout_fixe         60000  fixed cost of a centre whose own is unknown, €/year: hyp.
        kg_co2_km         0.218  average car, kg CO2e/km: ADEME, Base Empreinte (whole life of the vehicle)
    A visit is one round trip: ``trajets`` = 2 times the one-way time and distance.

    ``choix`` says how inhabitants weigh a trip, which is also what it is counted for: "temps", its time alone, an hour
    on the road costing ``euro_heure + euro_km * vitesse_kmh`` (they go to the quickest centre); "cout", its time and
    its kilometres. One weight for choice and account keeps both promises of sharing: no group costs more than its
    parts and, where no capacity binds, nobody goes farther than he would alone.
    """

    visites_hab_an: float = 5.0
    tonnes_hab_an: float = 0.22
    euro_km: float = 0.35
    vitesse_kmh: float = 45.0
    euro_heure: float = 10.0
    euro_visite: float = 5.0
    euro_surcharge: float = 15.0
    euro_sans_centre: float = 60.0
    cout_fixe: float = 60_000.0
    kg_co2_km: float = 0.218
    trajets: int = 2
    #: "temps": inhabitants go where time is shortest; "cout": where time and kilometres together cost least.
    choix: str = "temps"

    def __post_init__(self) -> None:
        for champ in fields(self):
            valeur = getattr(self, champ.name)
            if champ.name == "choix":
                if valeur not in ("temps", "cout"):
                    raise ProblemeInvalide(f"choix : « {valeur} » inconnu (temps ou cout)")
            elif not np.isfinite(valeur) or valeur < 0:
                raise ProblemeInvalide(f"{champ.name} : {valeur} (nombre positif attendu)")
        if self.euro_heure <= 0 or self.visites_hab_an <= 0:
            raise ProblemeInvalide("euro_heure et visites_hab_an doivent être supérieurs à zéro")


@dataclass(frozen=True, eq=False)
class Scenario:
    """What changes between the readings of one block: who counts, which centres are open, to whom, how large.

    visites (D,) float64: yearly visits of each point (0 = does not count here).
    actif (C,) bool; autorise (D, C) bool; capacite (C,) float64 visits a year, inf = not limited.
    """

    visites: F64
    actif: B
    autorise: B
    capacite: F64


@dataclass(frozen=True, eq=False)
class Problem:
    """One block: D demand points, C centres, G collectivités that share.

    groupes: codes of the collectivités, sorted; noms: their names.
    Points, sorted by code
        point_code, point_nom, point_commune, point_epci, point_epci_nom: D texts (EPCI "" = none).
        point_groupe (D,) int16 position in ``groupes``; population (D,) float64; visites (D,) float64 a year.
        point_x, point_y (D,) float64 metres EPSG:2154.
    Centres, sorted by code; a moved centre has two rows, its old and its new place
        centre_code, centre_nom, proprietaire, proprietaire_nom: C texts.
        centre_groupe (C,) int16, EXTERIEUR for a centre opened to the block by a rule.
        centre_x, centre_y (C,) float64; fictif (C,) bool.
        compte (C,) bool: of the block and in the communes studied: counts in its costs and among its centres;
        cout_fixe (C,) float64 €/year, 0 where it does not count.
        capacite (C,) float64 visits a year, inf = not limited: the part of the capacity this block may use.
        actif (C,) bool: open with the study's changes; actif_base: open today.
    Between them
        secondes, km (D, C) float32, one way, access to the road included, inf = unreachable.
        autorise (D, C) bool with the study's changes; autorise_base: today's rules in the same block.
        autorise_seul (D, C) bool, capacite_seul (G, C): what each collectivité has when it stays alone.
    modifie: the study changes something, so that today's rules and centres are solved too.
    detaille: the block's result is shown; False where only its cost is asked, by cost sharing.
    remarques: French sentences on the data (points not snapped, populations supposed...).
    """

    groupes: tuple[str, ...]
    noms: tuple[str, ...]
    point_code: tuple[str, ...]
    point_nom: tuple[str, ...]
    point_commune: tuple[str, ...]
    point_epci: tuple[str, ...]
    point_epci_nom: tuple[str, ...]
    point_groupe: I16
    population: F64
    visites: F64
    point_x: F64
    point_y: F64
    centre_code: tuple[str, ...]
    centre_nom: tuple[str, ...]
    proprietaire: tuple[str, ...]
    proprietaire_nom: tuple[str, ...]
    centre_groupe: I16
    centre_x: F64
    centre_y: F64
    cout_fixe: F64
    fictif: B
    compte: B
    capacite: F64
    actif: B
    actif_base: B
    secondes: F32
    km: F32
    autorise: B
    autorise_base: B
    autorise_seul: B
    capacite_seul: F64
    couts: UnitCosts
    modifie: bool = False
    detaille: bool = True
    remarques: tuple[str, ...] = ()

    @property
    def n_points(self) -> int:
        return len(self.point_code)

    @property
    def n_centres(self) -> int:
        return len(self.centre_code)

    def scenarios(self) -> dict[str, Scenario]:
        """Every reading to solve: "courant"; "base" when the study changes something; "seul:CODE" for each one alone.

        A block of one collectivité is its own "seul". Where only the cost is asked, "courant" is all there is.
        """
        found = {"courant": Scenario(self.visites, self.actif, self.autorise, self.capacite)}
        if not self.detaille:
            return found
        if self.modifie:
            found["base"] = Scenario(self.visites, self.actif_base, self.autorise_base, self.capacite)
        if len(self.groupes) > 1:
            for g, code in enumerate(self.groupes):
                visites = np.where(self.point_groupe == g, self.visites, 0.0)
                found[f"seul:{code}"] = Scenario(visites, self.actif, self.autorise_seul, self.capacite_seul[g])
        return found

    def travel_euro(self) -> F64:
        """What one visit's travel weighs and is counted for, € there and back (D, C); inf = unreachable."""
        couts = self.couts
        heures = self.secondes.astype(np.float64) / 3600.0
        if couts.choix == "temps":
            return couts.trajets * heures * (couts.euro_heure + couts.euro_km * couts.vitesse_kmh)
        kilometres = np.where(np.isfinite(self.km), self.km, 0.0).astype(np.float64)
        return couts.trajets * (heures * couts.euro_heure + kilometres * couts.euro_km)


_PAR_POINT = ("point_groupe", "population", "visites", "point_x", "point_y")
_PAR_CENTRE = (
    "centre_groupe",
    "centre_x",
    "centre_y",
    "cout_fixe",
    "fictif",
    "compte",
    "capacite",
    "actif",
    "actif_base",
)
_PAR_COUPLE = ("secondes", "km", "autorise", "autorise_base", "autorise_seul")


def validate(problem: Problem) -> None:
    """Raise `ProblemeInvalide` where a shape, a range or an order is wrong."""
    d, c, g = problem.n_points, problem.n_centres, len(problem.groupes)
    if not g or list(problem.groupes) != sorted(set(problem.groupes)) or len(problem.noms) != g:
        raise ProblemeInvalide("groupes : codes absents, en double ou non triés")
    for nom, codes in (("point_code", problem.point_code), ("centre_code", problem.centre_code)):
        if list(codes) != sorted(set(codes)):
            raise ProblemeInvalide(f"{nom} : codes en double ou non triés")
    for nom in ("point_nom", "point_commune", "point_epci", "point_epci_nom"):
        if len(getattr(problem, nom)) != d:
            raise ProblemeInvalide(f"{nom} : {len(getattr(problem, nom))} textes au lieu de {d}")
    for nom in ("centre_nom", "proprietaire", "proprietaire_nom"):
        if len(getattr(problem, nom)) != c:
            raise ProblemeInvalide(f"{nom} : {len(getattr(problem, nom))} textes au lieu de {c}")
    formes = dict.fromkeys(_PAR_POINT, (d,)) | dict.fromkeys(_PAR_CENTRE, (c,)) | dict.fromkeys(_PAR_COUPLE, (d, c))
    formes["capacite_seul"] = (g, c)
    for nom, forme in formes.items():
        if getattr(problem, nom).shape != forme:
            raise ProblemeInvalide(f"{nom} : forme {getattr(problem, nom).shape} au lieu de {forme}")
    for nom in ("population", "visites", "cout_fixe"):
        valeurs = getattr(problem, nom)
        if not np.all(np.isfinite(valeurs)) or np.any(valeurs < 0):
            raise ProblemeInvalide(f"{nom} : valeur négative ou absente")
    for nom in ("secondes", "km", "capacite", "capacite_seul"):
        valeurs = getattr(problem, nom)
        if np.any(np.isnan(valeurs)) or np.any(valeurs < 0):
            raise ProblemeInvalide(f"{nom} : valeur négative ou absente")
    if np.any(np.isfinite(problem.secondes) != np.isfinite(problem.km)):
        raise ProblemeInvalide("secondes et km : couples joignables différents")
    if np.any((problem.cout_fixe > 0) & ~problem.compte):
        raise ProblemeInvalide("cout_fixe : coût d'un centre qui ne compte pas")
    if d and (problem.point_groupe.min() < 0 or problem.point_groupe.max() >= g):
        raise ProblemeInvalide("point_groupe : collectivité inexistante")
    if c and (problem.centre_groupe.min() < EXTERIEUR or problem.centre_groupe.max() >= g):
        raise ProblemeInvalide("centre_groupe : collectivité inexistante")
