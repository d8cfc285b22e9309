"""The bench of the winter core: its lines, its options, the plans it writes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as banc
from benchmarks.carp import ArretCPU
from benchmarks.carp_communes import make_case
from benchmarks.carp_validation import validate

from .exact_salage import least_length
from .test_carp_lecture import PETIT

pytest.importorskip("pyvrp", reason="PyVRP n'est pas installé (requirements/bench.txt)")

#: Least cost of PETIT with the demand of its last edge lowered to 7: two trucks, found by hand.
FACILE = PETIT.replace("demanda 20", "demanda 7")
MOTEUR = ["--moteur", "pyvrp", "--limite", "0.3"]


@pytest.fixture
def dossier(tmp_path: Path) -> Path:
    (tmp_path / "jeu").mkdir()
    for name in ("p2", "p10"):
        (tmp_path / "jeu" / f"{name}.dat").write_text(FACILE, encoding="latin-1")
    (tmp_path / "best_known.csv").write_text("set,instance,lower_bound,best_known\njeu,p10,51,51\n")
    (tmp_path / "salage").mkdir()
    (tmp_path / "salage" / "commune.json").write_text(json.dumps(make_case(9, 2, 1, 3) | {"max_time": None}))
    (tmp_path / "salage" / "commune_solution.json").write_text("[]")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[list[dict[str, Any]], str]:
    assert banc.main(["carp", *argv]) == 0
    sortie = capsys.readouterr()
    return [json.loads(ligne) for ligne in sortie.out.splitlines()], sortie.err


def test_one_line_a_case_and_seed(capsys: pytest.CaptureFixture[str], dossier: Path) -> None:
    lines, summary = run(capsys, str(dossier), "--graines", "2", *MOTEUR)
    assert [(line["case"], line["seed"]) for line in lines] == [
        ("p2", 1), ("p2", 2), ("p10", 1), ("p10", 2), ("commune", 1), ("commune", 2),
    ]  # fmt: skip
    fields = {"bench", "case", "seed", "limit_s", "seconds", "cost", "bound", "reference", "gap", "checked"}
    assert all(fields <= line.keys() and line["checked"] is True for line in lines)
    # 4-2-1-9-4 serves 4-2 and 2-1: 12 + 10 + 5 + 8; 4-9-4: 16.
    assert [line["cost"] for line in lines[:4]] == [51.0] * 4
    assert [line["gap"] for line in lines[:4]] == [None, None, 0.0, 0.0]
    assert "jeu : 4 passages, écart moyen 0.000 %, pire 0.000 % (p10)" in summary


def test_the_proven_bound_ends_a_run(capsys: pytest.CaptureFixture[str], dossier: Path) -> None:
    (line,), _ = run(capsys, str(dossier / "jeu"), "--motif", "p10", "--moteur", "pyvrp", "--limite", "20")
    assert line["reference"] == 51.0 and line["seconds"] < 10


def test_reference_table_may_be_named(capsys: pytest.CaptureFixture[str], dossier: Path) -> None:
    table = dossier / "autre.csv"
    table.write_text("instance,lower_bound,best_known\np2,,34\n")
    lines, _ = run(capsys, str(dossier / "jeu"), "--reference", str(table), "--motif", "p2", *MOTEUR)
    assert [line["gap"] for line in lines] == [0.5]


def test_published_plan_is_the_shortest_and_judged(
    capsys: pytest.CaptureFixture[str], dossier: Path, tmp_path: Path
) -> None:
    plans = tmp_path / "plans"
    lines, _ = run(capsys, str(dossier), "--motif", "salage", "--plans", str(plans), "--graines", "2", *MOTEUR)
    fields = json.loads((dossier / "salage" / "commune.json").read_text())
    verdict = validate(fields, json.loads((plans / "commune_solution.json").read_text()))
    assert verdict.feasible and all(line["valid"] for line in lines)
    assert verdict.length == pytest.approx(min(line["length"] for line in lines))
    assert verdict.length == pytest.approx(
        least_length(
            fields | {"A": _timeless(fields["A"]), "A_R": _timeless(fields["A_R"]), "E_R": _timeless(fields["E_R"])}
        )
    )


def _timeless(ways: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [way | {"time": 0} for way in ways]


def test_plans_of_other_cases_are_circuits(capsys: pytest.CaptureFixture[str], dossier: Path, tmp_path: Path) -> None:
    run(capsys, str(dossier / "jeu"), "--plans", str(tmp_path / "plans"), *MOTEUR)
    plan = json.loads((tmp_path / "plans" / "p2-1.json").read_text())
    assert sorted(visit // 2 for circuit in plan for visit in circuit["visits"]) == [0, 1, 2]


def test_nothing_to_run_is_told(capsys: pytest.CaptureFixture[str], dossier: Path) -> None:
    lines, said = run(capsys, str(dossier), "--motif", "inconnu", *MOTEUR)
    assert not lines and "Aucun cas" in said


def test_the_clock_of_a_case_counts_cpu_only() -> None:
    stop = ArretCPU(seconds=0.2)
    time.sleep(0.3)
    assert not stop.reached()
    while not stop.reached():
        sum(range(1000))
    assert 0.2 <= stop.elapsed() < 2
