"""The virtual environment: made once, made anew when half-built, brought up to date when its files change."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from bin.setup import prepare, venv
from bin.setup.console import Console, Step
from bin.setup.errors import SetupError
from bin.setup.processes import CommandFailed
from bin.setup.project import Project
from bin.setup.stamps import Stamps


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A clone whose requirement files ask for nothing: set-up needs no network."""
    (tmp_path / "requirements").mkdir()
    for name in ("base", "dev"):
        (tmp_path / "requirements" / f"{name}.txt").write_text("# nothing\n")
    project = Project(tmp_path)
    project.prepare()
    return project


def _ensure(project: Project, level: str) -> str:
    out = io.StringIO()
    venv.ensure(project, Console(out), level)
    return out.getvalue()


@pytest.mark.lent
def test_the_life_of_an_environment(project: Project) -> None:
    assert "Environnement Python" in _ensure(project, "base")
    assert project.python.exists()
    assert _ensure(project, "base") == "", "rien à refaire"
    assert "Environnement" not in (update := _ensure(project, "dev"))
    assert "Bibliothèques" in update
    assert _ensure(project, "base") == "", "le niveau de développement contient l'autre"

    # An interruption while pip was working.
    Stamps(project.venv / "limitrophe.json").note(état="en cours")
    (project.venv / "reste").touch()
    assert "Environnement Python" in _ensure(project, "base")
    assert not (project.venv / "reste").exists()

    # A library that cannot be had: said, and never taken as done.
    (project.root / "requirements" / "base.txt").write_text(f"absente==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(CommandFailed, match="L'installation des bibliothèques Python : échec"):
        venv.ensure(project, Console(io.StringIO()), "base")

    (project.root / "requirements" / "base.txt").write_text("# nothing\n")
    assert "Environnement Python" in _ensure(project, "base")


def test_a_missing_requirement_file_is_said(project: Project) -> None:
    (project.root / "requirements" / "base.txt").unlink()
    with pytest.raises(SetupError, match=r"requirements/base\.txt est absent"):
        venv.ensure(project, Console(io.StringIO()), "base")


def test_pins_are_counted_and_pip_moves_the_bar() -> None:
    text = "numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:00\npsycopg[binary]==3 \\\n# no==1\n"
    assert venv.pinned_count(text) == 2
    step = Step("Bibliothèques")
    step.total = 4
    read = venv.pip_reader(step)
    read("Collecting numpy==2.4.6 (from -r base.txt (line 1))")
    assert (step.done, step.detail) == (1, "numpy")
    read("Successfully installed numpy-2.4.6")
    assert step.done == 4


def test_a_small_disk_is_said_before_anything_is_made(project: Project) -> None:
    with pytest.raises(SetupError, match=r"au moins 9+ Go libres .*libérez de la place"):
        prepare.check_space(project, needed_gb=999_999_999)
    prepare.check_space(project, needed_gb=0)


@pytest.mark.parametrize("url", ["sqlite:///x.db", "postgis", "mysql://a@b/c"])
def test_a_database_address_of_another_kind_is_said(project: Project, url: str) -> None:
    with pytest.raises(SetupError, match="DATABASE_URL doit avoir la forme postgis://"):
        prepare.check_database(project, url)
