"""The command line of the benches: what it refuses, and one JSON line a case on standard output."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import __main__ as bancs
from benchmarks.mesure import speed, within


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["vitesse"], "banc inconnu : « vitesse »"),
        (["temps", "dossier-absent"], "dossier absent"),
        (["temps", "--reference", "absente.csv"], "table de référence absente"),
        (["temps", "--graines", "0"], "doivent être positifs"),
    ],
)
def test_refusals_say_why(arguments: list[str], phrase: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert bancs.main(arguments) == 2
    sortie = capsys.readouterr()
    assert sortie.out == ""
    assert phrase in sortie.err


def test_a_bench_that_is_not_built_yet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(bancs.BANCS, "carp", "benchmarks.pas_encore_la")
    assert bancs.main(["carp"]) == 2
    assert "n'existe pas encore" in capsys.readouterr().err


def test_lines_are_json_whatever_a_library_prints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(args: argparse.Namespace) -> Iterator[dict[str, object]]:
        for graine in range(args.graines):
            sys.stdout.write("une bibliothèque bavarde\n")
            yield speed("temps", f"cas {graine}", "nôtre", 0.5, "pair", 2.0, True, "note", km2=[1])
        yield speed("temps", "sans pair", "nôtre", 0.5, "pair", None, None)

    module = types.ModuleType("benchmarks.essai")
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(bancs.BANCS, "temps", "json")
    monkeypatch.setattr(bancs.importlib, "import_module", lambda nom: module)
    assert bancs.main(["temps", "--graines", "2"]) == 0
    sortie = capsys.readouterr()
    lignes = [json.loads(ligne) for ligne in sortie.out.splitlines()]
    assert [ligne["case"] for ligne in lignes] == ["cas 0", "cas 1", "sans pair"]
    assert lignes[0]["ratio"] == 4.0 and lignes[0]["baseline_note"] == "note" and lignes[0]["km2"] == [1]
    assert lignes[2]["ratio"] is None
    assert {"bench", "case", "engine", "seconds", "baseline", "baseline_seconds", "ratio", "peak_mb", "exact"} <= set(
        lignes[2]
    )
    assert sortie.err.count("bavarde") == 2


def test_a_budget_stops_a_slow_peer() -> None:
    _, faits = within(0.0, range(100), lambda k: k, au_moins=3)
    assert faits == [0, 1, 2]
    _, tous = within(1e9, range(5), lambda k: k)
    assert tous == list(range(5))


def test_what_a_library_prints_is_not_among_the_results() -> None:
    """HiGHS writes a line of its own now and then, whatever it is told."""
    script = "import os; from benchmarks import mesure; mesure.results_apart(); os.write(1, b'bruit'); print('{}')"
    racine = Path(bancs.__file__).parent.parent
    fini = subprocess.run([sys.executable, "-c", script], cwd=racine, capture_output=True, text=True, check=True)
    assert (fini.stdout, fini.stderr) == ("{}\n", "bruit")
