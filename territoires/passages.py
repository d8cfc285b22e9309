"""Running a study: the lots of a run, solved one block after the other, checked, written, and brought together.

The same code serves the workers (`territoires.taches`), the commands and the tests (`run_etude`). Every solution is
checked here, in the parent, before any row of it exists; one that fails ends its run.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
import traceback
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from .calcul import ControleEchoue, Progres, Statut, silent
from .comparaison import as_json
from .enfant import Calculateur, CalculEchoue, CalculInterrompu, Reserve
from .etudes import operation_of
from .lots import Battement, LotPerdu, journaliser, lock_lot, prendre_lot, rendre_lot
from .models import Etude, LotCalcul, PassageEtude, ResultatBloc, Utilisateur, ZoneLimitrophe
from .models.etude import Etat
from .nombres import duree, euros
from .noms import nom_court
from .operation import DonneesInsuffisantes, Operation, Solution
from .version import version

logger = logging.getLogger(__name__)

#: Rows of coalitions are written at least so often (s), so that a killed worker loses no more.
ECRITURE_S = 2.0


#: Children of this process.
RESERVE = Reserve()


class PassageEchoue(RuntimeError):
    """The run cannot give a result; the message is for agents."""


def run_etude(passage: PassageEtude, progress: Progres = silent) -> PassageEtude:
    """Run here and now all lots of a run that nobody works on, and give the run back as it then is.

    ``progress`` is told the share of the whole run. Lots that workers have taken are left to them: the state is
    then still « en cours ».
    """
    lots = list(passage.lots.values_list("pk", "blocs", "etat"))
    total = sum(len(blocs) for _, blocs, _ in lots) or 1
    done = sum(len(blocs) for _, blocs, etat in lots if etat == Etat.REUSSI)
    for pk, blocs, etat in lots:
        if etat == Etat.REUSSI:
            continue

        def tell(
            fraction: float | None,
            message: str,
            best: float | None = None,
            bound: float | None = None,
            solution: object | None = None,
            before: int = done,
            size: int = len(blocs),
        ) -> None:
            progress((before + (fraction or 0.0) * size) / total, message, best, bound, solution)

        executer_lot(pk, progress=tell)
        done += len(blocs)
        progress(done / total, "")
    passage.refresh_from_db()
    return passage


def executer_lot(
    lot_id: int,
    *,
    progress: Progres = silent,
    should_stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Take a lot and solve it; false when there was nothing to take or when it was given back (``should_stop``).

    What the run cannot survive (check, missing data, a solver's error) ends the run as « échoué »; errors of the
    database are raised, and the lot is taken again later.
    """
    lot = prendre_lot(lot_id)
    if lot is None:
        return False
    _begin(lot)
    try:
        with Battement(lot) as beat, RESERVE.take() as calculateur:
            _solve_blocks(lot, beat, progress, should_stop, calculateur)
        _close_lot(lot)
    except CalculInterrompu:
        if beat.annule:
            abandonner(lot)
        elif not beat.perdu:
            rendre_lot(lot)
        return False
    except LotPerdu:
        logger.info("lot %s : repris par un autre calculateur ou passage terminé", lot.pk)
        return False
    except PassageEchoue as error:
        echouer(lot, str(error), _trace_of(error))
    except (OperationalError, InterfaceError):
        raise
    except (KeyboardInterrupt, SystemExit):
        rendre_lot(lot)
        raise
    except Exception as error:  # whatever an operation's code raises: the run ends with it in its log
        logger.exception("lot %s : erreur imprévue", lot.pk)
        echouer(lot, f"Erreur imprévue ({type(error).__name__}) : {error}", traceback.format_exc())
    return True


def _begin(lot: LotCalcul) -> None:
    """First lot of a run: state, start, version, data read."""
    with transaction.atomic():
        passage = PassageEtude.objects.select_for_update(of=("self",)).select_related("etude").get(pk=lot.passage_id)
        if passage.etat != Etat.EN_ATTENTE:
            return
        passage.etat = Etat.EN_COURS
        passage.debut = timezone.now()
        passage.version = version()
        passage.provenance = provenance(passage.etude)
        passage.message = "Calcul en cours"
        passage.save(update_fields=["etat", "debut", "version", "provenance", "message"])
    journaliser(lot.passage_id, f"Début du calcul, version {version()}, graine {passage.graine}")


def provenance(etude: Etude) -> dict[str, Any]:
    """Which data a run reads: the zone and the editions of its communes, the road import. Read afresh each time."""
    zone = ZoneLimitrophe.objects.select_related("reseau__import_courant").defer("contour").get(pk=etude.zone_id)
    found: dict[str, Any] = {
        "editions": sorted(
            {edition for edition in zone.communes.order_by().values_list("edition", flat=True).distinct() if edition}
        ),
        "fictif": zone.fictif,
        "communes": zone.communes.count(),
        "zone_calculee_le": zone.calculee_le.isoformat() if zone.calculee_le else "",
    }
    network = zone.reseau
    if network is not None:
        found["reseau"] = {"code": network.code, "nom": network.nom, "fictif": network.fictif}
        current = network.import_courant
        if current is not None:
            found["import"] = {
                "id": current.pk,
                "fichier": current.fichier.rsplit("/", 1)[-1],
                "empreinte": current.empreinte,
                "edition": current.edition,
                "debut": current.debut.isoformat(),
            }
    return found


def _solve_blocks(
    lot: LotCalcul,
    beat: Battement,
    progress: Progres,
    should_stop: Callable[[], bool],
    calculateur: Calculateur,
) -> None:
    passage, operation = lot.passage, _operation(lot.passage)
    seeds = range(passage.graine, passage.graine + passage.nb_graines)
    written = {
        (frozenset(bloc), seed)
        for bloc, seed in ResultatBloc.objects.filter(passage=passage, variante=0, origine="calcul").values_list(
            "bloc", "graine"
        )
    }
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
        problem = _build(operation, passage.etude, bloc, label)
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
        row = _row(passage, operation, problem, solution, bloc, digest, detailed=lot.regime)
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


def _row(
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


CENT = Decimal("0.01")


def _write(lot: LotCalcul, rows: list[ResultatBloc]) -> None:
    if not rows:
        return
    with transaction.atomic():
        lock_lot(lot)
        ResultatBloc.objects.bulk_create(rows)


def _build(operation: Operation, etude: Etude, bloc: frozenset[str], label: str) -> Any:
    try:
        return operation.build_problem(etude, bloc)
    except DonneesInsuffisantes as error:
        raise PassageEchoue(f"{label} : {error}") from error


def _operation(passage: PassageEtude) -> Operation:
    try:
        return operation_of(passage.etude)
    except ValueError as error:
        raise PassageEchoue(str(error)) from error


def _trace_of(error: PassageEchoue) -> str:
    cause = error.__cause__
    if isinstance(cause, CalculEchoue):
        return cause.trace
    if cause is None or isinstance(cause, (ControleEchoue, DonneesInsuffisantes)):
        return ""
    return "".join(traceback.format_exception(cause))


def _close_lot(lot: LotCalcul) -> None:
    """The lot is done; the last one of a run brings its results together."""
    with transaction.atomic():
        passage = lock_lot(lot)
        LotCalcul.objects.filter(pk=lot.pk).update(etat=Etat.REUSSI, progres=1, message="Terminé", jeton=None)
        states = list(passage.lots.values_list("etat", "blocs"))
        total = sum(len(blocs) for _, blocs in states)
        passage.progres = sum(len(blocs) for etat, blocs in states if etat == Etat.REUSSI) / total
        if all(etat == Etat.REUSSI for etat, _ in states):
            finaliser(passage)
        elif passage.annulation:
            _cancelled(passage)
        passage.save(update_fields=["progres", "message", "etat", "fin", "empreinte", "synthese"])


def finaliser(passage: PassageEtude) -> None:
    """All lots are done: hash of the inputs, comparison kept with the run, state « terminé » (caller saves)."""
    from .resultats import resume

    passage.fin = timezone.now()
    if passage.provenance != provenance(passage.etude):
        passage.etat = Etat.ECHOUE
        passage.message = "Les données ont changé pendant le calcul (nouvel import) : relancez l'étude."
        passage.resultats.all().delete()
        return
    passage.empreinte = empreinte_entrees(passage)
    passage.synthese = resume(passage)
    passage.etat = Etat.REUSSI
    passage.message = "Terminé"


def empreinte_entrees(passage: PassageEtude) -> str:
    """SHA-256 of all that decides the figures: question, seeds, limits and the hash of every block's problem."""
    etude = passage.etude
    problems = passage.resultats.filter(origine="calcul", variante=0).values_list("bloc", "graine", "empreinte")
    content = {
        "operation": etude.operation,
        "partition": etude.partition,
        "parametres": etude.parametres,
        "limites": [passage.limite_s, passage.limite_iterations, passage.avec_coalitions],
        "problemes": sorted([*bloc, str(graine), digest] for bloc, graine, digest in problems),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def abandonner(lot: LotCalcul) -> None:
    """Leave a lot of a cancelled run; the run ends with its last one."""
    with transaction.atomic():
        passage = PassageEtude.objects.select_for_update().get(pk=lot.passage_id)
        LotCalcul.objects.filter(pk=lot.pk, jeton=lot.jeton).update(etat=Etat.ANNULE, message="Annulé", jeton=None)
        if not passage.termine:
            _cancelled(passage)
            passage.save(update_fields=["message", "etat", "fin"])


def _cancelled(passage: PassageEtude) -> None:
    """A cancelled run ends once no worker has a lot of it any more."""
    passage.lots.filter(etat=Etat.EN_ATTENTE).update(etat=Etat.ANNULE, message="Annulé")
    if not passage.lots.filter(etat=Etat.EN_COURS).exists():
        passage.etat, passage.message, passage.fin = Etat.ANNULE, "Annulé avant la fin du calcul", timezone.now()
        passage.resultats.all().delete()


def echouer(lot: LotCalcul, message: str, trace: str = "") -> None:
    """End the run of a lot as « échoué »: no result of it is kept, its other lots stop."""
    with transaction.atomic():
        try:
            passage = lock_lot(lot)
        except LotPerdu:
            return
        now = timezone.now()
        LotCalcul.objects.filter(pk=lot.pk).update(etat=Etat.ECHOUE, message=message[:300], jeton=None)
        passage.lots.exclude(etat__in=[Etat.REUSSI, Etat.ECHOUE]).update(etat=Etat.ANNULE, message="Arrêté")
        passage.resultats.all().delete()
        passage.etat, passage.message, passage.fin = Etat.ECHOUE, message[:300], now
        passage.save(update_fields=["etat", "message", "fin"])
        journaliser(passage.pk, f"Échec. {message}\n{trace}".strip())


def save_manual_plan(
    parent: ResultatBloc, solution: Any, *, auteur: Utilisateur | None = None, libelle: str = ""
) -> ResultatBloc:
    """Keep a plan edited by hand beside the one it came from: checked and measured as a computed one.

    ``solution`` is made by the operation's own code from the edits. Raises `PassageEchoue` when the check refuses it
    or when the data are no longer those of the parent (its figures would not compare).
    """
    passage = parent.passage
    operation = _operation(passage)
    bloc = frozenset(parent.bloc)
    label = libelle or "Plan modifié"
    problem = _build(operation, passage.etude, bloc, label)
    digest = operation.problem_hash(problem)
    if digest != parent.empreinte:
        raise PassageEchoue("Les données ont changé depuis le calcul : relancez l'étude avant de modifier son plan.")
    controler(operation, problem, solution, label)
    row = _row(passage, operation, problem, solution, bloc, digest, detailed=True)
    row.origine, row.parent, row.auteur, row.libelle = ResultatBloc.Origine.MANUEL, parent, auteur, libelle
    row.statut = str(Statut.REALISABLE) if row.statut == Statut.OPTIMAL else row.statut
    row.graine = parent.graine
    row.save()
    return row
