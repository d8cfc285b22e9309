"""Plans edited by hand, kept beside the computed one they came from."""

from __future__ import annotations

from typing import Any

from .blocs import PassageEchoue, build, controler, make_row, operation_for
from .calcul import Statut
from .models import ResultatBloc, Utilisateur


def save_manual_plan(
    parent: ResultatBloc, solution: Any, *, auteur: Utilisateur | None = None, libelle: str = ""
) -> ResultatBloc:
    """Keep a plan edited by hand beside the one it came from: checked and measured as a computed one.

    ``solution`` is made by the operation's own code from the edits. Raises `PassageEchoue` when the check refuses it
    or when the data are no longer those of the parent (its figures would not compare).
    """
    passage = parent.passage
    operation = operation_for(passage)
    bloc = frozenset(parent.bloc)
    label = libelle or "Plan modifié"
    problem = build(operation, passage.etude, bloc, label)
    digest = operation.problem_hash(problem)
    if digest != parent.empreinte:
        raise PassageEchoue("Les données ont changé depuis le calcul : relancez l'étude avant de modifier son plan.")
    controler(operation, problem, solution, label)
    row = make_row(passage, operation, problem, solution, bloc, digest, detailed=True)
    row.origine, row.parent, row.auteur, row.libelle = ResultatBloc.Origine.MANUEL, parent, auteur, libelle
    row.statut = str(Statut.REALISABLE) if row.statut == Statut.OPTIMAL else row.statut
    row.graine = parent.graine
    row.save()
    return row
