"""Running a study: the lots of a run, solved one after the other and brought together.

The same code serves the workers (`territoires.taches`), the commands and the tests (`run_etude`). What a block gives is
in `territoires.blocs`; a solution that fails its check ends its run.
"""

from __future__ import annotations

import hashlib
import json
import logging
import traceback
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from .blocs import PassageEchoue, solve_blocks
from .calcul import ControleEchoue, Progres, silent
from .enfant import CalculEchoue, CalculInterrompu, Reserve
from .lots import Battement, LotPerdu, journaliser, lock_lot, prendre_lot, rendre_lot
from .models import Etude, LotCalcul, PassageEtude, ZoneLimitrophe
from .models.etude import Etat
from .operation import DonneesInsuffisantes
from .version import version

logger = logging.getLogger(__name__)

#: Children of this process.
RESERVE = Reserve()


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
            solve_blocks(lot, beat, progress, should_stop, calculateur)
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
    witnesses = passage.lots.order_by().values("temoin").distinct().count()
    if witnesses > 1 or passage.provenance != provenance(passage.etude):
        passage.etat = Etat.ECHOUE
        passage.message = "Les données ont changé pendant le calcul (import ou correction) : relancez l'étude."
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
