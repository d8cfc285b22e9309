"""The mark of a solver's inputs: two problems have the same one when every array, text and number is the same.

Pure module.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def input_hash(inputs: Any) -> str:
    """SHA-256, hexadecimal, of a dataclass and all it holds: arrays (kind, shape, content), dataclasses, sequences,
    mappings, texts, numbers. Raises `TypeError` for anything else."""
    empreinte = hashlib.sha256()
    _feed(empreinte, inputs)
    return empreinte.hexdigest()


def _feed(empreinte: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        empreinte.update(f"{value.dtype.str}{value.shape}".encode())
        empreinte.update(np.ascontiguousarray(value).tobytes())
    elif is_dataclass(value):
        for champ in fields(value):
            empreinte.update(champ.name.encode())
            _feed(empreinte, getattr(value, champ.name))
    elif isinstance(value, tuple | list):
        empreinte.update(f"[{len(value)}]".encode())
        for part in value:
            _feed(empreinte, part)
    else:
        plain = value.item() if isinstance(value, np.generic) else value
        empreinte.update(json.dumps(plain, ensure_ascii=False, sort_keys=True).encode())
