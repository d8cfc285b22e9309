"""Jobs of the PostgreSQL queue: one a lot, and the periodic one that takes up what dead workers left.

Start as many workers as one likes, on as many machines: ``manage.py procrastinate worker``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

from asgiref.sync import sync_to_async
from django.db import transaction
from django.db.models.functions import Now
from procrastinate import JobContext, exceptions
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinateWorker
from procrastinate.jobs import Status

from .lots import TENTATIVES_MAX, delai_reprise, takeable
from .models import LotCalcul, PassageEtude
from .models.etude import Etat
from .passages import abandonner, echouer, executer_lot

logger = logging.getLogger(__name__)

FILE = "etudes"


@app.task(name="territoires.calculer_lot", queue=FILE, pass_context=True)
def calculer_lot(context: JobContext, lot: int) -> None:
    """Solve one lot; given back, and queued again, when the worker is being stopped."""
    executer_lot(lot, should_stop=context.should_abort)
    if LotCalcul.objects.filter(pk=lot, etat=Etat.EN_ATTENTE).exclude(passage__etat__in=PassageEtude.FINALS).exists():
        enfiler([lot])


def enfiler(lots: Iterable[int]) -> None:
    """Queue lots, each at most once."""
    for lot in lots:
        try:
            with transaction.atomic():
                calculer_lot.configure(queueing_lock=_lock(lot)).defer(lot=lot)
        except exceptions.AlreadyEnqueued:
            logger.info("lot %s : déjà dans la file", lot)


def calculateur_present() -> bool:
    """True when a worker has given a sign of life in the last minute."""
    return ProcrastinateWorker.objects.filter(last_heartbeat__gt=Now() - timedelta(minutes=1)).exists()


def _lock(lot: int) -> str:
    return f"lot-{lot}"


@app.periodic(cron="* * * * * */10")
@app.task(name="territoires.reprendre_calculs", queue=FILE, queueing_lock="reprendre_calculs", priority=10)
async def reprendre_calculs(timestamp: int) -> None:
    """Every ten seconds: free the jobs of dead workers, then `reprendre_lots`."""
    manager = app.job_manager
    for job in await manager.get_stalled_jobs(queue=FILE, seconds_since_heartbeat=delai_reprise().total_seconds()):
        logger.warning("tâche %s : son calculateur ne répond plus", job.id)
        await manager.finish_job(job, status=Status.FAILED, delete_job=False)
    await sync_to_async(reprendre_lots)()


def reprendre_lots() -> list[int]:
    """Queue again every lot that waits without a job or whose worker gives no sign of life; end the runs of those
    that have already been taken `TENTATIVES_MAX` times. Gives the lots queued."""
    open_lots = LotCalcul.objects.filter(takeable()).exclude(passage__etat__in=PassageEtude.FINALS)
    lots = list(open_lots.select_related("passage"))
    if not lots:
        return []
    queued = set(
        ProcrastinateJob.objects.filter(
            queueing_lock__in=[_lock(lot.pk) for lot in lots], status__in=["todo", "doing"]
        ).values_list("queueing_lock", flat=True)
    )
    again = []
    for lot in lots:
        if lot.etat == Etat.EN_COURS and lot.tentatives >= TENTATIVES_MAX:
            echouer(
                lot,
                f"Le calcul a été interrompu {lot.tentatives} fois sans finir (calculateur arrêté) : "
                "vérifiez la mémoire de la machine, puis relancez l'étude.",
            )
        elif lot.etat == Etat.EN_COURS and lot.passage.annulation:
            abandonner(lot)
        elif _lock(lot.pk) not in queued:
            again.append(lot.pk)
    enfiler(again)
    return again
