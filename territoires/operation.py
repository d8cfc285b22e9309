"""The protocol an operation follows; all that studies, comparison, map, exports and API know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, runtime_checkable

from django.conf import settings
from django.utils.module_loading import import_string

from .calcul import Arret, Bilan, Indicateur, Progres
from .formulaires import ParametresForm
from .models import Etude, ResultatBloc

Bloc = frozenset[str]


class Solution(Protocol):
    """Any frozen dataclass that carries a `Bilan`."""

    @property
    def bilan(self) -> Bilan: ...


@dataclass(frozen=True)
class Couche:
    """A layer of the shared map: GeoJSON features (EPSG:4326) with a style by property.

    Properties the map reads: ``nom`` (title of the pop-up and of the table row), ``details`` (mapping of French label
    with unit -> text or number: pop-up and table), ``fictif`` (true: marked so), ``couleur`` or ``valeur``,
    and ``categorie`` (what the colour means, for the legend; needed only where there are at most 12).
    """

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


@dataclass(frozen=True)
class CleOperation:
    """A key of cost sharing: weights by collectivité code (same unit for all, none negative)."""

    titre: str
    unite: str
    poids: Mapping[str, float]


@runtime_checkable
class Operation(Protocol):
    """One public service that can be run alone or shared.

    ``solve`` and ``check`` are pure: ``solve`` runs in a child process that can be killed and sees only the problem.
    It is sent there by reference, so declare it ``solve = staticmethod(solveur.solve)``; neither its module nor the
    problem's may import Django. Problems and solutions are frozen dataclasses that pickle.
    ``check`` is ``staticmethod(controle.check)`` and runs after every solve and before any row is written.
    ``encode``/``decode`` turn a solution into bytes kept in the database and back.
    An operation may also have ``creer_demonstration(zone) -> int``: it makes fictive sites (marked so, and only those
    that are missing) for `territoires.creation_demonstration` and tells how many there are.
    It may have ``regime_figures(resultats) -> Mapping[str, float]``: by code of indicator, the figures of a whole
    regime that those of its blocks do not add up to (``agregation`` "aucune": a percentile).
    ``alternatives`` gives the other points of a front, each with a French label (empty for most operations).
    An operation with pages of its own data may say so: ``page`` (name of the URL) and ``titre_page`` (French).

    Cost sharing asks ``v(S)`` of every coalition: ``build_problem`` may be called up to 4,095 times in a row for one
    study, so what all blocks share (graph, matrices) is worth keeping between calls of one process. Only ``solve``,
    ``check``, ``problem_hash`` and the cost are used of coalitions that belong to no regime.
    """

    code: str
    titre: str
    #: One sentence under the title on the form and in the list, French.
    resume: str
    form_class: type[ParametresForm]
    #: What the yearly cost of a solution is made of, French, after « coût » ("exploitation et trajets des usagers").
    libelle_cout: str
    #: Code of the indicator (euro a year, by collectivité) that is public spending: what administrative keys share.
    #: None: all of the cost is.
    code_depense: str | None

    def build_problem(self, etude: Etude, bloc: Bloc) -> Any:
        """The problem of one block (codes): only the rows of that block go in. Raises `DonneesInsuffisantes`."""

    @staticmethod
    def solve(problem: Any, stop: Arret, seed: int, progress: Progres) -> Solution:
        """Same problem, seed and ``stop.iterations`` give the same solution, to the byte."""

    @staticmethod
    def check(problem: Any, solution: Any) -> None:
        """Raise `ControleEchoue` unless cost and every constraint are found again from the data."""

    def alternatives(self, solution: Any) -> Sequence[tuple[str, Solution]]: ...

    def indicators(self, problem: Any, solution: Any) -> Sequence[Indicateur]: ...

    def problem_hash(self, problem: Any) -> str:
        """SHA-256 of all arrays and parameters of the problem, hexadecimal."""

    def encode(self, problem: Any, solution: Any) -> bytes: ...

    def decode(self, data: bytes) -> Any:
        """Raises `territoires.calcul.SolutionIllisible` for bytes of another version (count the format's versions)."""

    def sites(self) -> Sequence[Couche]:
        """Places of the service as they are today, every collectivité's, for the shared map; no study needed."""

    def layers(self, resultats: Sequence[ResultatBloc]) -> Sequence[Couche]:
        """Layers of one regime (its blocks' results)."""

    def tables(self, resultats: Mapping[str, Sequence[ResultatBloc]]) -> Sequence[Tableau]:
        """Detail tables under the comparison; key = regime ("cloisonne", "mutualise")."""

    def exports(self) -> Sequence[Export]: ...

    def export(self, code: str, etude: Etude, resultats: Mapping[str, Sequence[ResultatBloc]]) -> bytes: ...

    def sharing_keys(self, resultats: Sequence[ResultatBloc]) -> Mapping[str, CleOperation]:
        """The operation's own keys from the shared regime's results, e.g. sites, use, kilometres."""


class DonneesInsuffisantes(ValueError):
    """The problem cannot be built; the message (French) names what is missing and where."""


def operations() -> dict[str, Operation]:
    """Operations of `settings.OPERATIONS` by code, in order."""
    return _load(tuple(settings.OPERATIONS))


@cache
def _load(paths: tuple[str, ...]) -> dict[str, Operation]:
    found: list[Operation] = [import_string(path) for path in paths]
    return {operation.code: operation for operation in found}
