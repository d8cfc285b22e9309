"""The protocol an operation follows; all that studies, comparison, map, exports and API know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, runtime_checkable

from django import forms
from django.conf import settings
from django.utils.module_loading import import_string

from .calcul import Arret, Bilan, Indicateur, Progres
from .models import Etude, ResultatBloc

Bloc = frozenset[str]


class Solution(Protocol):
    """Any frozen dataclass that carries a `Bilan`."""

    @property
    def bilan(self) -> Bilan: ...


@dataclass(frozen=True)
class Couche:
    """A result layer of the shared map: GeoJSON features (EPSG:4326) with a style by property."""

    code: str
    titre: str
    features: Sequence[Mapping[str, Any]]
    #: "categorie" (property ``couleur`` 0 to 11) or "valeur" (property ``valeur``, bounds in ``seuils``).
    style: str = "categorie"
    seuils: Sequence[float] = ()
    unite: str = ""
    fictif: bool = False


@dataclass(frozen=True)
class Export:
    """A downloadable file made from stored results only."""

    code: str
    titre: str
    nom_fichier: str
    type_mime: str


@dataclass(frozen=True)
class Tableau:
    """A table as agents read it: French headers with units, rows of plain values."""

    code: str
    titre: str
    colonnes: Sequence[str]
    lignes: Sequence[Sequence[Any]]
    note: str = ""


@runtime_checkable
class Operation(Protocol):
    """One public service that can be run alone or shared.

    ``solve`` and ``check`` are pure: they run in a child process that can be killed and see only the problem.
    ``encode``/``decode`` turn a solution into bytes kept in the database and back.
    ``alternatives`` gives the other points of a front, each with a French label (empty for most operations).
    """

    code: str
    titre: str
    form_class: type[forms.Form]

    def build_problem(self, etude: Etude, bloc: Bloc) -> Any:
        """The problem of one block: only the rows of that block go in. Raises `DonneesInsuffisantes`."""

    def solve(self, problem: Any, stop: Arret, seed: int, progress: Progres) -> Solution: ...

    def check(self, problem: Any, solution: Any) -> None:
        """Raise `ControleEchoue` unless cost and every constraint are found again from the data."""

    def alternatives(self, solution: Any) -> Sequence[tuple[str, Solution]]: ...

    def indicators(self, problem: Any, solution: Any) -> Sequence[Indicateur]: ...

    def problem_hash(self, problem: Any) -> str:
        """SHA-256 of all arrays and parameters of the problem, hexadecimal."""

    def encode(self, problem: Any, solution: Any) -> bytes: ...

    def decode(self, data: bytes) -> Any: ...

    def layers(self, resultats: Sequence[ResultatBloc]) -> Sequence[Couche]:
        """Layers of one regime (its blocks' results)."""

    def tables(self, resultats: Mapping[str, Sequence[ResultatBloc]]) -> Sequence[Tableau]:
        """Detail tables under the comparison; key = regime ("cloisonne", "mutualise")."""

    def exports(self) -> Sequence[Export]: ...

    def export(self, code: str, etude: Etude, resultats: Mapping[str, Sequence[ResultatBloc]]) -> bytes: ...

    def sharing_keys(self, resultats: Sequence[ResultatBloc]) -> Mapping[str, Mapping[str, float]]:
        """Weights of the operation's own keys by collectivité, e.g. {"sites": {"42": 7}, "usage": {...}}."""


class DonneesInsuffisantes(ValueError):
    """The problem cannot be built; the message (French) names what is missing and where."""


@cache
def operations() -> dict[str, Operation]:
    """Operations of `settings.OPERATIONS` by code, in order."""
    found = [import_string(path) for path in settings.OPERATIONS]
    return {operation.code: operation for operation in found}
