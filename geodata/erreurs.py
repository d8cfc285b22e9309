"""Errors of the imports, whose messages are shown to agents as they are."""

from __future__ import annotations


class ImportImpossible(Exception):
    """The source cannot be imported; the French message names the file and, where known, the row and the field."""
