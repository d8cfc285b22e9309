"""Child processes: run to their end with their output kept, or served and supervised until told to stop."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bin.setup.errors import SetupError, cause

#: Signals that ask a command to stop; a closed terminal is one of them.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CommandFailed(SetupError):
    """A tool ended with an error: says the known cause, or the tool's last lines."""

    def __init__(self, what: str, output: str, log: Path | None) -> None:
        self.output = output
        known = cause(output)
        text = f"{what} : échec. {known}" if known else f"{what} : échec.\n{_tail(output, 12)}"
        super().__init__(f"{text}\n(journal complet : {log})" if log else text)


def _tail(text: str, lines: int) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside the block every stop signal raises KeyboardInterrupt, even where the shell had SIGINT ignored."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_stop_signals() -> None:
    """From now on the stop under way cannot be cut short by a second Ctrl-C."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def end_group(process: subprocess.Popen[bytes], patience_s: float) -> None:
    """Stop `process` and all of its session: politely, then not. `process` must lead its own session."""
    if process.poll() is None:
        _signal_group(process.pid, signal.SIGTERM)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
    # What the leader may have left behind in its session.
    _signal_group(process.pid, signal.SIGKILL)


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def run(
    what: str,
    command: Sequence[str | Path],
    *,
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | str | None = None,
    user: int | None = None,
    group: int | None = None,
    on_line: Callable[[str], None] | None = None,
    own_session: bool = True,
) -> str:
    """Run a tool to its end and return its output (both streams), also appended to `log`.

    Raises `CommandFailed` on a non-zero code. `own_session` must be False for sudo, whose right is tied to the
    terminal's session.
    """
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(env) if env is not None else None,
        cwd=cwd,
        user=user,
        group=group,
        extra_groups=[] if user is not None else None,
        start_new_session=own_session,
    )
    lines: list[str] = []
    assert process.stdout is not None
    try:
        with (log or Path(os.devnull)).open("a", encoding="utf-8") as journal:
            journal.write(f"$ {' '.join(str(part) for part in command)}\n")
            for raw in process.stdout:
                line = raw.decode("utf-8", "replace").rstrip()
                lines.append(line)
                journal.write(line + "\n")
                if on_line:
                    on_line(line)
        code = process.wait()
    except BaseException:
        if own_session:
            end_group(process, 5)
        else:
            process.wait()
        raise
    finally:
        process.stdout.close()
    output = "\n".join(lines)
    if code != 0:
        raise CommandFailed(what, output, log)
    return output


def run_attached(command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path) -> int:
    """Run a command that writes to the user's terminal itself (its own progress bars); its exit code."""
    process = subprocess.Popen([str(part) for part in command], env=dict(env), cwd=cwd, start_new_session=True)
    try:
        return process.wait()
    except BaseException:
        end_group(process, 5)
        raise


def _die_with_parent() -> None:
    """In a child: receive SIGTERM if the supervisor is killed outright (prctl PR_SET_PDEATHSIG, Linux)."""
    ctypes.CDLL(None).prctl(1, int(signal.SIGTERM))


@dataclass
class Service:
    """A process that must stay up, e.g. the site or the worker."""

    title: str
    command: Sequence[str | Path]
    log: Path
    patience_s: float
    process: subprocess.Popen[bytes] | None = None
    starts: list[float] = field(default_factory=list)


class Supervisor:
    """Starts services, starts again those that fall, and stops them all, each by its own process group."""

    #: More falls than this within a minute is a fault that starting again does not mend.
    MAX_FALLS = 3

    def __init__(self, env: Mapping[str, str], cwd: Path, say: Callable[[str], None]) -> None:
        self.env = dict(env)
        self.cwd = cwd
        self.say = say
        self.services: list[Service] = []

    def start(self, service: Service) -> None:
        if service not in self.services:
            self.services.append(service)
        service.starts.append(time.monotonic())
        with service.log.open("ab") as journal:
            service.process = subprocess.Popen(
                [str(part) for part in service.command],
                stdin=subprocess.DEVNULL,
                stdout=journal,
                stderr=subprocess.STDOUT,
                env=self.env,
                cwd=self.cwd,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def check(self) -> None:
        """Start again what has fallen. Raises `SetupError` for a service that keeps falling."""
        now = time.monotonic()
        for service in self.services:
            if service.process is None or service.process.poll() is None:
                continue
            recent = [start for start in service.starts if now - start < 60]
            if len(recent) > self.MAX_FALLS:
                tail = _tail(service.log.read_text(errors="replace"), 12)
                raise SetupError(f"{service.title} : arrêts répétés.\n{tail}\n(journal complet : {service.log})")
            end_group(service.process, 0)
            self.say(f"{service.title} s'est arrêté (code {service.process.returncode}) : nouveau départ.")
            self.start(service)

    def stop(self) -> None:
        """Stop every service, all asked first so that they end side by side."""
        running = [service for service in self.services if service.process is not None]
        for service in running:
            assert service.process is not None
            if service.process.poll() is None:
                _signal_group(service.process.pid, signal.SIGTERM)
        for service in running:
            assert service.process is not None
            deadline = time.monotonic() + service.patience_s
            while service.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
            end_group(service.process, 0.1)
        self.services.clear()
