"""Every installed operation follows the protocol, and its solver runs where there is no Django."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest
from django.conf import settings

from territoires.formulaires import ParametresForm
from territoires.operation import Operation, operations
from tests.codebase.arbre import RACINE

OPERATIONS = list(operations().values())


@pytest.mark.parametrize("operation", OPERATIONS, ids=[one.code for one in OPERATIONS])
def test_operation_has_the_whole_protocol(operation: Operation) -> None:
    assert isinstance(operation, Operation)
    assert issubclass(operation.form_class, ParametresForm)
    form = operation.form_class()
    unset = [
        name
        for name, field in form.fields.items()
        if field.required and form.get_initial_for_field(field, name) in (None, "")
    ]
    assert not unset, f"champs obligatoires sans valeur initiale : {unset}"


def test_codes_are_distinct() -> None:
    assert len(OPERATIONS) == len(settings.OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=[one.code for one in OPERATIONS])
def test_solver_and_check_load_without_django(operation: Operation) -> None:
    """What the child process does: unpickle the function by its name, import what it needs."""
    for function in (operation.solve, operation.check):
        program = (
            "import pickle, sys\n"
            f"pickle.loads({pickle.dumps(function)!r})\n"
            "import territoires.enfant\n"
            "print(sorted(name for name in sys.modules if name.split('.')[0] == 'django'))"
        )
        done = subprocess.run([sys.executable, "-c", program], cwd=RACINE, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]", f"{function.__module__} importe Django : {done.stdout[:300]}"
