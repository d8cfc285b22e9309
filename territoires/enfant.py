"""The child process that solves, and the parent's side of it. Pure module: no Django, no database.

The child is started by ``spawn`` and imports only what the pickled ``solve`` function and problem name. It can be
killed at any moment: the parent keeps the last solution told by progress. It dies with its parent: end of file on
the pipe, or the kernel's parent-death signal where a solver holds the interpreter.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from .calcul import Arret, Progres, silent
from .sous_processus import die_with

#: Seconds left to a solver after its own time limit to give its answer, before it is killed.
GRACE_S = 5.0
#: Seconds between two looks at `interrupted`.
PAS_S = 0.5
#: At most one progress message, and one intermediate solution, in so many seconds.
DEBIT_PROGRES_S = 0.2
DEBIT_SOLUTION_S = 0.5


class CalculInterrompu(RuntimeError):
    """The caller asked to stop; there is no answer."""


class CalculEchoue(RuntimeError):
    """The solver raised or its process died; ``trace`` is the child's traceback ("" when it died)."""

    def __init__(self, message: str, trace: str = "", erreur: str = "") -> None:
        super().__init__(message)
        self.trace = trace
        #: Name of the exception's class in the child.
        self.erreur = erreur


@dataclass(frozen=True)
class Demande:
    """One solve asked of the child."""

    solve: Callable[..., Any]
    problem: Any
    seed: int
    seconds: float | None
    iterations: int | None


@dataclass(frozen=True)
class Reponse:
    """Answer of one solve; ``complete`` is false when the child was killed at its limit and its last told solution
    is given instead."""

    solution: Any
    seconds: float
    complete: bool


class Calculateur:
    """A child process kept for several solves; started at the first one, and again after a kill."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._process: Any = None
        self._pipe: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Process id of the child, None when there is none."""
        return None if self._process is None else self._process.pid

    def close(self) -> None:
        """Kill the child, if any."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
            self._process = None
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    def solve(
        self,
        solve: Callable[..., Any],
        problem: Any,
        *,
        seed: int,
        seconds: float | None = None,
        iterations: int | None = None,
        progress: Progres = silent,
        interrupted: Callable[[], bool] = lambda: False,
        grace_s: float = GRACE_S,
    ) -> Reponse:
        """Run ``solve(problem, stop, seed, progress)`` in the child.

        ``interrupted`` is asked about twice a second: true = the child is killed and `CalculInterrompu` raised.
        Past ``seconds + grace_s`` the child is killed; the last solution it told is the answer, `CalculEchoue` is
        raised when it told none.
        """
        pipe = self._start()
        started = time.monotonic()
        best: Any = None
        try:
            pipe.send(Demande(solve, problem, seed, seconds, iterations))
        except (OSError, EOFError) as error:
            raise self._died() from error
        looked = started
        while True:
            try:
                message = pipe.recv() if pipe.poll(PAS_S / 2) else None
            except (EOFError, OSError) as error:
                raise self._died() from error
            now = time.monotonic()
            if message is not None:
                kind = message[0]
                if kind == "fini":
                    return Reponse(message[1], now - started, True)
                if kind == "erreur":
                    raise CalculEchoue(message[2], message[3], message[1])
                if kind == "solution":
                    best = message[1]
                if kind == "progres":
                    progress(*message[1:])
            if now - looked >= PAS_S:
                looked = now
                if interrupted():
                    self.close()
                    raise CalculInterrompu
            if seconds is not None and now - started > seconds + grace_s:
                self.close()
                if best is None:
                    raise CalculEchoue(
                        f"Aucune solution trouvée dans le temps accordé ({seconds:g} s) : donnez plus de temps."
                    )
                return Reponse(best, now - started, False)

    def _start(self) -> Connection:
        if self._process is not None and self._process.is_alive() and self._pipe is not None:
            return self._pipe
        self.close()
        ours, theirs = self._context.Pipe()
        self._process = self._context.Process(
            target=child_main, args=(theirs, os.getpid()), name="limitrophe-calcul", daemon=True
        )
        self._process.start()
        theirs.close()
        self._pipe = ours
        return ours

    def _died(self) -> CalculEchoue:
        self._process.join(1)
        code = self._process.exitcode
        self.close()
        why = f"signal {-code}" if code is not None and code < 0 else f"code {code}"
        return CalculEchoue(f"Le processus de calcul s'est arrêté brusquement ({why}) : mémoire insuffisante ?")


class Reserve:
    """Children kept a moment between the lots of one worker, so that starting one is not paid for each."""

    def __init__(self, idle_s: float = 30.0) -> None:
        self._idle_s = idle_s
        self._idle: list[Calculateur] = []
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def take(self) -> Iterator[Calculateur]:
        """A child for this caller alone; after an error it is killed, else kept for the next one."""
        with self._lock:
            one = self._idle.pop() if self._idle else Calculateur()
        try:
            yield one
        except BaseException:
            one.close()
            raise
        with self._lock:
            self._idle.append(one)
        timer = threading.Timer(self._idle_s, self._retire, (one,))
        timer.daemon = True
        timer.start()

    def _retire(self, one: Calculateur) -> None:
        with self._lock:
            if one not in self._idle:
                return
            self._idle.remove(one)
        one.close()

    def close(self) -> None:
        """Kill the children nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for one in idle:
            one.close()


def child_main(pipe: Connection, parent: int) -> None:
    """Loop of the child: solve what comes, until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not die_with(parent):
        os._exit(1)
    requests: queue.SimpleQueue[Demande] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, requests), daemon=True).start()
    lock = threading.Lock()

    def send(message: tuple[Any, ...]) -> None:
        with lock:
            pipe.send(message)

    while True:
        request = requests.get()
        try:
            stop = Arret(seconds=request.seconds, iterations=request.iterations)
            telling = _Telling(send)
            try:
                solution = request.solve(request.problem, stop, request.seed, telling)
            finally:
                telling.close()
            send(("fini", solution))
        except (BrokenPipeError, ConnectionResetError):
            return
        except Exception as error:  # noqa: BLE001 - told to the parent, whatever it is
            send(("erreur", type(error).__name__, str(error) or type(error).__name__, traceback.format_exc()))


def _listen(pipe: Connection, requests: queue.SimpleQueue[Demande]) -> None:
    while True:
        try:
            requests.put(pipe.recv())
        except (EOFError, OSError):
            os._exit(1)
        except Exception:  # noqa: BLE001 - a request that cannot be read: say it, and end
            with contextlib.suppress(OSError):
                pipe.send(("erreur", "ImportError", "Le problème ne peut être lu.", traceback.format_exc()))
            os._exit(1)


class _Telling:
    """The `Progres` given to the solver: sends, at a bounded rate, what it is told. No solution is left unsent for
    longer than `DEBIT_SOLUTION_S`, even when the solver says nothing more."""

    def __init__(self, send: Callable[[tuple[Any, ...]], None]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._last_progress = 0.0
        self._last_solution = 0.0
        self._pending: Any = None
        self._closed = False

    def __call__(
        self,
        fraction: float | None,
        message: str,
        best: float | None = None,
        bound: float | None = None,
        solution: object | None = None,
    ) -> None:
        now = time.monotonic()
        if solution is not None:
            with self._lock:
                late = self._pending is None
                self._pending = solution
            if now - self._last_solution >= DEBIT_SOLUTION_S:
                self._flush()
            elif late:
                timer = threading.Timer(DEBIT_SOLUTION_S, self._flush)
                timer.daemon = True
                timer.start()
        if now - self._last_progress >= DEBIT_PROGRES_S:
            self._send(("progres", fraction, message, best, bound))
            self._last_progress = now

    def close(self) -> None:
        """Send nothing more: the answer follows."""
        with self._lock:
            self._closed = True

    def _flush(self) -> None:
        with self._lock:
            if self._pending is None or self._closed:
                return
            self._last_solution = time.monotonic()
            # A broken pipe: the parent is gone, and the listening thread ends this process.
            with contextlib.suppress(OSError):
                self._send(("solution", self._pending))
            self._pending = None
