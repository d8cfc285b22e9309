"""Base of the parameter forms of operations."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Model, QuerySet

from .models import Collectivite, ZoneLimitrophe


class ParametresForm(forms.Form):
    """Parameters of a study, kept as JSON in ``Etude.parametres``.

    Built as ``form_class(data, zone=zone, collectivites=collectivites, initial=parametres)``, where ``initial`` is
    what `parametres` gave before, so that a study can be copied with changes. ``collectivites`` is sorted by code.
    Every field needs an initial value or ``required=False``: a study may be created from an empty form.
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *args: Any,
        zone: ZoneLimitrophe | None = None,
        collectivites: Sequence[Collectivite] = (),
        **kwargs: Any,
    ) -> None:
        self.zone = zone
        self.collectivites = list(collectivites)
        super().__init__(data, *args, **kwargs)

    def parametres(self) -> dict[str, Any]:
        """Cleaned values in JSON types: decimals as text, rows as primary keys, dates as ISO 8601."""
        return {name: plain(value) for name, value in self.cleaned_data.items()}


def plain(value: Any) -> Any:
    """A form's value in JSON types."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (datetime.date, datetime.datetime, datetime.time)):
        return value.isoformat()
    if isinstance(value, Model):
        return value.pk
    if isinstance(value, QuerySet):
        return sorted(value.values_list("pk", flat=True))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return value
