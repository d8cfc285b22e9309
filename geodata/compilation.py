"""How loops are compiled (numba): kept on disk, without the interpreter's lock, one form a function. Pure module.

Rooms import `compiled`; `inner`, `merged` and `bare` are for loops of many functions that share many arrays.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

_array: Any = make_array
_null: Any = cgutils.get_null_value
_unliteral: Any = types.unliteral
F = TypeVar("F", bound=Callable[..., Any])


def compiled(fonction: F) -> F:
    """Compile at the first call, without holding the interpreter's lock; kept beside the module where possible.

    Division by zero gives inf or nan, as in numpy.
    """
    return _compile(fonction)


def inner(fonction: F) -> F:
    """The same for a function that only compiled ones call: nothing is made to call it from the interpreter."""
    return _compile(fonction, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def merged(fonction: F) -> F:
    """The same, put in the place of each of its calls: handing on many arrays takes longer than a short loop."""
    return _compile(fonction, inline="always", no_cpython_wrapper=True, no_cfunc_wrapper=True)


@cache
def stamp(folder: Path) -> str:
    """Mark of the sources that compiled code of a folder may come from: modules that compile, what they import there.

    numba looks at the file of a function alone to know whether its compiled code is old; what it calls is in others.
    """
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}
    holding = {stem for stem, text in texts.items() if re.search(r"^from geodata\.compilation import", text, re.M)}
    near = re.compile(rf"^from (?:\.|{re.escape(folder.name)}\.)(\w+) import", re.M)
    for stem in tuple(holding):
        holding |= set(near.findall(texts[stem])) & texts.keys()
    here = Path(__file__).read_text(encoding="utf-8")
    return hashlib.sha256("\0".join([here, *(texts[stem] for stem in sorted(holding))]).encode()).hexdigest()


def _compile(fonction: F, **options: Any) -> F:
    try:
        found: Any = njit(cache=True, nogil=True, error_model="numpy", **options)(fonction)
    except RuntimeError:
        # No folder to keep compiled code in (read-only installation without a home): compile in each process.
        found = njit(nogil=True, error_model="numpy", **options)(fonction)
    kept: Any = getattr(getattr(found, "_cache", None), "_cache_file", None)
    if hasattr(kept, "_source_stamp"):
        kept._source_stamp = stamp(Path(fonction.__code__.co_filename).parent)
    _forget_values(found)
    return cast(F, found)


def _forget_values(found: Any) -> None:
    """One compiled form whatever the constants in a call: numba would make one for 0, one for 1, one for any number."""
    template = found.get_call_template

    def plain(args: Any, kws: Any) -> Any:
        return template(tuple(map(_unliteral, args)), {nom: _unliteral(kind) for nom, kind in kws.items()})

    found.get_call_template = plain


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
