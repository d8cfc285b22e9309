"""Solving the blocks of one lot: problem, child process, check, rows.

Every solution is checked here, in the parent, before any row of it exists.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import transaction

from .calcul import ControleEchoue, Progres
from .comparaison import as_json
from .enfant import Calculateur, CalculEchoue, CalculInterrompu
from .etudes import operation_of
from .lots import Battement, journaliser, lock_lot
from .models import Etude, LotCalcul, PassageEtude, ResultatBloc
from .nombres import duree, euros
from .noms import nom_court
from .operation import DonneesInsuffisantes, Operation, Solution

#: Rows of coalitions are written at least so often (s), so that a killed worker loses no more.
ECRITURE_S = 2.0
CENT = Decimal("0.01")


class PassageEchoue(RuntimeError):
    """The run cannot give a result; the message is for agents."""


def solve_blocks(
    lot: LotCalcul,
    beat: Battement,
    progress: Progres,
    should_stop: Callable[[], bool],
    calculateur: Calculateur,
) -> None:
    passage, operation = lot.passage, operation_for(lot.passage)
    seeds = range(passage.graine, passage.graine + passage.nb_graines)
    written = {
        (frozenset(bloc), seed)
        for bloc, seed in ResultatBloc.objects.filter(passage=passage, variante=0, origine="calcul").values_list(
            "bloc", "graine"
        )
    }
    read_witness(lot, operation)
    names = {code: nom_court(nom) for code, nom in passage.etude.collectivites.values_list("code", "nom")}
    rows: list[ResultatBloc] = []
    flushed = time.monotonic()
    for number, codes in enumerate(lot.blocs):
        bloc = frozenset(codes)
        todo = [seed for seed in seeds if (bloc, seed) not in written]
        if not todo:
            continue
        label = _label([names.get(code, code) for code in codes])
        beat.message = f"{label} : préparation des données"
        beat.progres = number / len(lot.blocs)
        progress(beat.progres, beat.message)
        problem = build(operation, passage.etude, bloc, label)
        digest = operation.problem_hash(problem)
        for rank, seed in enumerate(todo):

            def tell(
                fraction: float | None,
                message: str,
                best: float | None = None,
                bound: float | None = None,
                solution: object | None = None,
                base: float = number + rank / len(todo),
                share: float = 1 / len(todo),
                label: str = label,
            ) -> None:
                beat.progres = (base + share * (fraction or 0.0)) / len(lot.blocs)
                beat.message = f"{label} : {message}" if message else label
                beat.meilleur, beat.borne = best, bound
                progress(beat.progres, beat.message, best, bound, solution)

            rows += _solve_one(lot, operation, problem, digest, bloc, label, seed, tell, beat, should_stop, calculateur)
        if lot.regime or time.monotonic() - flushed >= ECRITURE_S:
            _write(lot, rows)
            rows, flushed = [], time.monotonic()
        if beat.tick() or should_stop():
            _write(lot, rows)
            raise CalculInterrompu
    _write(lot, rows)


def read_witness(lot: LotCalcul, operation: Operation) -> None:
    """Keep the hash of the study's largest block as this lot reads it: lots that read other data do not compare."""
    largest = max(lot.passage.etude.partition, key=lambda bloc: (len(bloc), bloc))
    problem = build(operation, lot.passage.etude, frozenset(largest), "Données de l'étude")
    LotCalcul.objects.filter(pk=lot.pk, jeton=lot.jeton).update(temoin=operation.problem_hash(problem))


def _label(names: list[str]) -> str:
    return " + ".join(names) if len(names) <= 4 else f"{' + '.join(names[:3])} et {len(names) - 3} autres"


def _solve_one(
    lot: LotCalcul,
    operation: Operation,
    problem: Any,
    digest: str,
    bloc: frozenset[str],
    label: str,
    seed: int,
    tell: Progres,
    beat: Battement,
    should_stop: Callable[[], bool],
    calculateur: Calculateur,
) -> list[ResultatBloc]:
    passage = lot.passage
    try:
        answer = calculateur.solve(
            operation.solve,
            problem,
            seed=seed,
            seconds=passage.limite_s,
            iterations=passage.limite_iterations,
            progress=tell,
            interrupted=lambda: beat.tick() or should_stop(),
        )
    except CalculEchoue as error:
        raise PassageEchoue(f"{label} : {error}") from error
    points: list[tuple[str, Solution]] = [("", answer.solution)]
    if lot.regime:
        points += operation.alternatives(answer.solution)
    rows = []
    for variant, (point_label, solution) in enumerate(points):
        controler(operation, problem, solution, label)
        row = make_row(passage, operation, problem, solution, bloc, digest, detailed=lot.regime)
        row.graine, row.variante, row.libelle = seed, variant, point_label
        row.duree_s = answer.seconds
        if not answer.complete:
            row.remarques = [*row.remarques, "Calcul arrêté à la limite de temps : meilleure solution connue alors."]
        rows.append(row)
    if lot.regime:
        journaliser(
            passage.pk,
            f"{label}, graine {seed} : {euros(rows[0].cout)} par an ({rows[0].statut}), en {duree(answer.seconds)}, "
            "contrôle passé",
        )
    return rows


def controler(operation: Operation, problem: Any, solution: Any, label: str) -> None:
    """Run the independent checker. Raises `PassageEchoue` when it disagrees: there is no result then."""
    try:
        operation.check(problem, solution)
    except ControleEchoue as error:
        raise PassageEchoue(f"{label} : le contrôle refuse la solution. {error}") from error


def make_row(
    passage: PassageEtude,
    operation: Operation,
    problem: Any,
    solution: Any,
    bloc: frozenset[str],
    digest: str,
    *,
    detailed: bool,
) -> ResultatBloc:
    bilan = solution.bilan
    row = ResultatBloc(
        passage=passage,
        bloc=sorted(bloc),
        graine=bilan.seed,
        cout=bilan.cost.quantize(CENT),
        borne=None if bilan.bound is None else bilan.bound.quantize(CENT),
        statut=str(bilan.status),
        remarques=list(bilan.remarks),
        duree_s=0.0,
        empreinte=digest,
        solution=b"",
    )
    if detailed:
        row.solution = operation.encode(problem, solution)
        row.indicateurs = [as_json(item) for item in operation.indicators(problem, solution)]
        row.trace = [[point.seconds, point.cost, point.bound] for point in bilan.trace]
    return row


def _write(lot: LotCalcul, rows: list[ResultatBloc]) -> None:
    if not rows:
        return
    with transaction.atomic():
        lock_lot(lot)
        ResultatBloc.objects.bulk_create(rows)


def build(operation: Operation, etude: Etude, bloc: frozenset[str], label: str) -> Any:
    try:
        return operation.build_problem(etude, bloc)
    except DonneesInsuffisantes as error:
        raise PassageEchoue(f"{label} : {error}") from error


def operation_for(passage: PassageEtude) -> Operation:
    try:
        return operation_of(passage.etude)
    except ValueError as error:
        raise PassageEchoue(str(error)) from error
