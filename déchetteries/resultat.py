"""What is kept of a solved block: enough for maps, tables, indicators and exports without solving or routing again.

Pure module. Kept as a NumPy archive (arrays) with one JSON text (names); the bytes depend on the content alone.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from territoires.calcul import SolutionIllisible

from .probleme import F32, F64, I16, B, Problem, UnitCosts
from .solveur import Affectation, Solution, total_euro

#: Version of the bytes; an unknown one is refused.
FORMAT = 2


class ResultatIllisible(SolutionIllisible):
    """The bytes are not a result of this version."""


@dataclass(frozen=True, eq=False)
class Flux:
    """Visits of one scenario: point, centre (k,) int32; visites (k,) float64 a year; secondes, km (k,) float32 one way,
    as they were in the problem, so that costs are found again to the cent;
    sans_centre (D,) float64 visits that no centre may receive."""

    point: NDArray[np.int32]
    centre: NDArray[np.int32]
    visites: F64
    secondes: F32
    km: F32
    sans_centre: F64

    @property
    def minutes(self) -> F64:
        """Minutes one way, (k,)."""
        return self.secondes.astype(np.float64) / 60.0


@dataclass(frozen=True, eq=False)
class Resultat:
    """One block as kept. Texts and arrays are those of `Problem`; ``flux`` has the keys "courant", "seul" (each
    collectivité with its own centres only) and, where the study changes something, "base" (without the changes)."""

    groupes: tuple[str, ...]
    noms: tuple[str, ...]
    point_code: tuple[str, ...]
    point_nom: tuple[str, ...]
    point_commune: tuple[str, ...]
    point_epci: tuple[str, ...]
    point_epci_nom: tuple[str, ...]
    centre_code: tuple[str, ...]
    centre_nom: tuple[str, ...]
    proprietaire: tuple[str, ...]
    proprietaire_nom: tuple[str, ...]
    remarques: tuple[str, ...]
    couts: UnitCosts
    modifie: bool
    cout: float
    cout_base: float | None
    point_groupe: I16
    population: F64
    visites: F64
    point_x: F64
    point_y: F64
    centre_groupe: I16
    centre_x: F64
    centre_y: F64
    cout_fixe: F64
    fictif: B
    compte: B
    capacite: F64
    actif: B
    actif_base: B
    flux: dict[str, Flux]

    @property
    def courant(self) -> Flux:
        return self.flux["courant"]

    @property
    def n_points(self) -> int:
        return len(self.point_code)

    @property
    def n_centres(self) -> int:
        return len(self.centre_code)


def make_resultat(problem: Problem, solution: Solution) -> Resultat:
    """What is kept of a solution."""
    flux = {"courant": _flux(problem, [solution.courante])}
    seuls = [a for nom, a in solution.affectations.items() if nom.startswith("seul:")]
    flux["seul"] = _flux(problem, seuls) if seuls else flux["courant"]
    cout_base = None
    if "base" in solution.affectations:
        base = solution.affectations["base"]
        flux["base"] = _flux(problem, [base])
        cout_base = round(total_euro(problem, problem.scenarios()["base"], base), 2)
    propres = {champ.name for champ in fields(Resultat)} & {champ.name for champ in fields(Problem)}
    return Resultat(
        **{nom: getattr(problem, nom) for nom in propres if nom != "remarques"},
        remarques=solution.bilan.remarks,
        cout=float(solution.bilan.cost),
        cout_base=cout_base,
        flux=flux,
    )


def _flux(problem: Problem, affectations: list[Affectation]) -> Flux:
    point = np.concatenate([a.point for a in affectations])
    centre = np.concatenate([a.centre for a in affectations])
    visites = np.concatenate([a.visites for a in affectations])
    ordre = np.lexsort((centre, point))
    point, centre, visites = point[ordre], centre[ordre], visites[ordre]
    return Flux(
        point=point,
        centre=centre,
        visites=visites,
        secondes=problem.secondes[point, centre],
        km=problem.km[point, centre],
        sans_centre=np.sum([a.sans_centre for a in affectations], axis=0),
    )


_TABLEAUX = tuple(
    champ.name for champ in fields(Resultat) if champ.type in ("I16", "F64", "B") and champ.name != "flux"
)
_TEXTES = tuple(champ.name for champ in fields(Resultat) if champ.type == "tuple[str, ...]")


def encode(problem: Problem, solution: Solution) -> bytes:
    """The bytes kept in the database."""
    return pack(make_resultat(problem, solution))


def pack(resultat: Resultat) -> bytes:
    """A result as bytes, the same for the same content."""
    entete = {
        "format": FORMAT,
        "textes": {nom: getattr(resultat, nom) for nom in _TEXTES},
        "couts": asdict(resultat.couts),
        "modifie": resultat.modifie,
        "cout": resultat.cout,
        "cout_base": resultat.cout_base,
        "flux": sorted(resultat.flux),
    }
    tableaux = {nom: getattr(resultat, nom) for nom in _TABLEAUX}
    for cle, flux in resultat.flux.items():
        tableaux |= {f"flux_{cle}_{champ.name}": getattr(flux, champ.name) for champ in fields(Flux)}
    texte = json.dumps(entete, ensure_ascii=False, sort_keys=True).encode()
    sortie = io.BytesIO()
    np.savez_compressed(sortie, entete=np.frombuffer(texte, dtype=np.uint8), **tableaux)
    return sortie.getvalue()


def decode(data: bytes | memoryview) -> Resultat:
    """A result from its bytes. Raises `ResultatIllisible`."""
    try:
        with np.load(io.BytesIO(bytes(data)), allow_pickle=False) as archive:
            contenu = {nom: archive[nom] for nom in archive.files}
        entete = json.loads(contenu["entete"].tobytes())
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ResultatIllisible(f"résultat illisible : {error}") from error
    if entete.get("format") != FORMAT:
        raise ResultatIllisible(
            f"résultat d'un ancien format ({entete.get('format')} au lieu de {FORMAT}) : relancez le calcul de l'étude"
        )
    try:
        champs: dict[str, Any] = {nom: tuple(valeurs) for nom, valeurs in entete["textes"].items()}
        champs |= {nom: contenu[nom] for nom in _TABLEAUX}
        return Resultat(
            **champs,
            couts=UnitCosts(**entete["couts"]),
            modifie=entete["modifie"],
            cout=entete["cout"],
            cout_base=entete["cout_base"],
            flux={
                cle: Flux(**{champ.name: contenu[f"flux_{cle}_{champ.name}"] for champ in fields(Flux)})
                for cle in entete["flux"]
            },
        )
    except (KeyError, TypeError) as error:
        raise ResultatIllisible(f"résultat sans le champ {error}") from error


def minutes_by_point(resultat: Resultat, scenario: str = "courant") -> F64:
    """Mean one-way minutes of each point, float64 (D,); inf without centre, NaN where nobody lives."""
    flux = resultat.flux[scenario]
    total = np.bincount(flux.point, weights=flux.visites * flux.minutes, minlength=resultat.n_points)
    visites = np.bincount(flux.point, weights=flux.visites, minlength=resultat.n_points)
    with np.errstate(invalid="ignore", divide="ignore"):
        minutes = total / visites
    return np.where(visites > 0, minutes, np.where(flux.sans_centre > 0, np.inf, np.nan))


def load_of(resultat: Resultat, scenario: str = "courant") -> F64:
    """Visits a year received by each centre, float64 (C,)."""
    flux = resultat.flux[scenario]
    return np.bincount(flux.centre, weights=flux.visites, minlength=resultat.n_centres).astype(np.float64)


def inhabitants(resultat: Resultat, scenario: str = "courant") -> F64:
    """Inhabitants behind each flow, float64 (k,): the point's population shared as its visits are."""
    flux = resultat.flux[scenario]
    with np.errstate(invalid="ignore", divide="ignore"):
        par_visite = np.where(resultat.visites > 0, resultat.population / resultat.visites, 0.0)
    return np.asarray(flux.visites * par_visite[flux.point], dtype=np.float64)


def quantile(valeurs: NDArray[np.floating], poids: F64, part: float) -> float:
    """Smallest value that at least ``part`` of the weight does not exceed; NaN where nothing weighs."""
    total = float(poids.sum())
    if total <= 0:
        return float("nan")
    ordre = np.argsort(valeurs, kind="stable")
    cumul = np.cumsum(poids[ordre])
    return float(valeurs[ordre][np.searchsorted(cumul, part * total * (1 - 1e-12))])
