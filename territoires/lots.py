"""Taking, keeping and giving back a lot: tokens, heartbeat, cancellation, recovery of what a dead worker left.

A lot is taken by writing a fresh token in it. Whoever holds it writes a sign of life about every second; a lot without
sign for `delai_reprise` seconds is taken by another. Every later write names the token, so the first one, should it
only have been slow, changes nothing any more.
"""

from __future__ import annotations

import threading
import time
import uuid
from datetime import timedelta
from types import TracebackType
from typing import Self

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Now
from django.utils import timezone

from .models import LotCalcul, PassageEtude
from .models.etude import Etat

#: A lot taken so many times without an end fails its run: it kills its worker, most likely.
TENTATIVES_MAX = 3
#: Seconds between two signs of life.
BATTEMENT_S = 1.0


class LotPerdu(RuntimeError):
    """The lot was taken by another worker, or its run is over: write nothing."""


def delai_reprise() -> timedelta:
    """Without sign of life for so long, a lot may be taken by another worker."""
    return timedelta(seconds=settings.DELAI_REPRISE_S)


def takeable() -> Q:
    """Lots nobody works on: waiting, or without sign of life."""
    return Q(etat=Etat.EN_ATTENTE) | Q(etat=Etat.EN_COURS, battement__lt=Now() - delai_reprise())


def prendre_lot(lot_id: int) -> LotCalcul | None:
    """Take a lot, None when somebody works on it, when it is done or when its run is over or cancelled."""
    token = uuid.uuid4()
    with transaction.atomic():
        taken = (
            LotCalcul.objects.filter(takeable(), pk=lot_id, passage__annulation=False)
            .exclude(passage__etat__in=PassageEtude.FINALS)
            .update(
                etat=Etat.EN_COURS,
                jeton=token,
                battement=Now(),
                tentatives=F("tentatives") + 1,
                progres=0,
                message="Préparation",
                meilleur=None,
                borne=None,
            )
        )
        if not taken:
            return None
        return LotCalcul.objects.select_related("passage__etude__zone__reseau__import_courant").get(pk=lot_id)


def rendre_lot(lot: LotCalcul) -> None:
    """Give a lot back untouched (the worker is being stopped): this attempt does not count."""
    LotCalcul.objects.filter(pk=lot.pk, jeton=lot.jeton, etat=Etat.EN_COURS).update(
        etat=Etat.EN_ATTENTE, jeton=None, battement=None, tentatives=F("tentatives") - 1, message="Rendu, à reprendre"
    )


def lock_lot(lot: LotCalcul) -> PassageEtude:
    """Inside a transaction: lock the run then the lot, so that nothing else changes them. Raises `LotPerdu`."""
    passage = PassageEtude.objects.select_for_update().filter(pk=lot.passage_id).first()
    if passage is None or passage.termine:
        raise LotPerdu
    if not LotCalcul.objects.select_for_update().filter(pk=lot.pk, jeton=lot.jeton, etat=Etat.EN_COURS).exists():
        raise LotPerdu
    return passage


def journaliser(passage_id: int, lines: str) -> None:
    """Append to the run's log, each line with the time of day."""
    now = timezone.localtime().strftime("%H:%M:%S")
    text = "".join(f"{now} {line}\n" for line in lines.splitlines())
    PassageEtude.objects.filter(pk=passage_id).update(journal=Concat(F("journal"), Value(text)))


class Battement:
    """Signs of life of one lot, progress shown on the way, and whether to stop; used as a context.

    A thread with its own connection writes them, so that a long preparation does not look like a dead worker. Inside
    a transaction (nobody else sees the rows then) there is no thread and `tick` does it all.
    """

    def __init__(self, lot: LotCalcul) -> None:
        self.lot = lot
        self.progres = 0.0
        self.message = "Préparation"
        self.meilleur: float | None = None
        self.borne: float | None = None
        self.annule = False
        self.perdu = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._last = 0.0

    def __enter__(self) -> Self:
        if not connection.in_atomic_block:
            self._thread = threading.Thread(target=self._run, name=f"battement-{self.lot.pk}", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def tick(self) -> bool:
        """True when the work must stop: cancelled, or the lot is no longer ours."""
        if self._thread is None and time.monotonic() - self._last >= BATTEMENT_S:
            self._beat()
        return self.annule or self.perdu

    def _run(self) -> None:
        try:
            while not self._stop.wait(BATTEMENT_S):
                try:
                    self._beat()
                except OperationalError:
                    # The server is away for a moment: the next sign goes through a new connection.
                    connection.close()
        finally:
            connection.close()

    def _beat(self) -> None:
        self._last = time.monotonic()
        kept = LotCalcul.objects.filter(pk=self.lot.pk, jeton=self.lot.jeton, etat=Etat.EN_COURS).update(
            battement=Now(),
            progres=min(1.0, max(0.0, self.progres)),
            message=self.message[:300],
            meilleur=self.meilleur,
            borne=self.borne,
        )
        if not kept:
            self.perdu = True
            return
        passage = PassageEtude.objects.values("annulation", "etat").get(pk=self.lot.passage_id)
        self.annule = passage["annulation"] or passage["etat"] in PassageEtude.FINALS
