"""How a command ends: its exit code, whatever happens inside."""

from __future__ import annotations

from collections.abc import Callable

from bin.setup.console import Console
from bin.setup.errors import SetupError, system_cause
from bin.setup.processes import interruptible

#: What shells give for an interruption (128 + SIGINT).
INTERRUPTED = 130


def run_command(console: Console, interrupted: str, work: Callable[[], int]) -> int:
    """Exit code of `work`; failures and interruptions become one French sentence and a non-zero code."""
    try:
        with interruptible():
            try:
                return work()
            except KeyboardInterrupt:
                console.fail(f"\n{interrupted}")
                return INTERRUPTED
    except SetupError as error:
        console.fail(str(error))
    except OSError as error:
        text = system_cause(error)
        if not text:
            raise
        console.fail(text)
    return 1
