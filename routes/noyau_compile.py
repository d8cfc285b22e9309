"""How the search is compiled (numba): kept on disk, without the interpreter's lock, without counting references."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

_array: Any = make_array
_null: Any = cgutils.get_null_value
F = TypeVar("F", bound=Callable[..., Any])


def compiled(fonction: F) -> F:
    """Compile at the first call, without holding the interpreter's lock; kept beside the module where possible."""
    return _compile(fonction)


def inner(fonction: F) -> F:
    """The same for a function that only compiled ones call: nothing is made to call it from the interpreter."""
    return _compile(fonction, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def merged(fonction: F) -> F:
    """The same, put in the place of each of its calls: handing on all of `Donnees` and `Etat` takes time."""
    return _compile(fonction, inline="always", no_cpython_wrapper=True, no_cfunc_wrapper=True)


#: numba looks at the file of a function to know whether its compiled code is old; what it calls is in other files.
_SOURCES = tuple(sorted(Path(__file__).parent.glob("noyau*.py")))
EMPREINTE = hashlib.sha256(b"".join(source.read_bytes() for source in _SOURCES)).hexdigest()


def _compile(fonction: F, **options: Any) -> F:
    try:
        found: Any = njit(cache=True, nogil=True, error_model="numpy", **options)(fonction)
        kept: Any = getattr(getattr(found, "_cache", None), "_cache_file", None)
        if hasattr(kept, "_source_stamp"):
            kept._source_stamp = EMPREINTE
        return cast(F, found)
    except RuntimeError:
        # No folder to keep compiled code in (read-only installation without a home): compile in each process.
        return cast(F, njit(nogil=True, error_model="numpy", **options)(fonction))


def _bare(typingctx: Any, argument: Any) -> Any:
    """A tuple whose arrays are not counted by reference: with 40 arrays, counting costs more than the search.

    Only for the time of a call whose caller holds the tuple itself.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind, value = signature.args[0], args[0]
        for i, element in enumerate(kind.types):
            if isinstance(element, types.Array):
                array = _array(element)(context, builder, builder.extract_value(value, i))
                array.meminfo = _null(array.meminfo.type)
                array.parent = _null(array.parent.type)
                value = builder.insert_value(value, array._getvalue(), i)
        return value

    return argument(argument), codegen


bare: Any = intrinsic(_bare)
