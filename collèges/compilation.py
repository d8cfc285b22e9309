"""Compiling loops (numba). Pure module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(fonction: F) -> F:
    """Compile at the first call, without holding the interpreter's lock; keep the code for later processes."""
    try:
        return cast(F, njit(cache=True, nogil=True)(fonction))
    except RuntimeError:
        # No folder to keep compiled code in (read-only installation without a home): compile in each process.
        return cast(F, njit(nogil=True)(fonction))
