"""Steps of the demonstration: each names a real command, is skipped when done and run again when its inputs change."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from bin.setup.console import Console
from bin.setup.demo import accounts, services
from bin.setup.errors import SetupError
from bin.setup.locks import FileLock
from bin.setup.prepare import Ready, environment
from bin.setup.project import Project
from bin.setup.stamps import Stamps
from bin.setup.steps import ACCOUNTS, ManageStep, demo_steps, rooms, run_step, step_digest


@pytest.mark.parametrize("osm", [None, [], ["a.osm.pbf"]])
def test_every_command_exists_and_takes_its_options(osm: list[str] | None) -> None:
    known = get_commands()
    for step in demo_steps(osm):
        name, *words = step.words
        assert name in known, name
        load_command_class(str(known[name]), name).create_parser("manage.py", name).parse_args(words)


@pytest.fixture
def ready(tmp_path: Path) -> Ready:
    """A prepared clone whose manage.py notes its words in a file and fails on « echec »."""
    (tmp_path / "geodata").mkdir()
    for name in ("geodata/apps.py", "geodata/modele.py"):
        (tmp_path / name).write_text("")
    (tmp_path / "manage.py").write_text(
        "import sys\nopen('appels', 'a').write(' '.join(sys.argv[1:]) + '\\n')\nsys.exit('echec' in sys.argv)\n"
    )
    project = Project(tmp_path)
    project.prepare()
    project.python.parent.mkdir(parents=True)
    project.python.symlink_to(sys.executable)
    return _ready(project, "une base")


def _ready(project: Project, database: str) -> Ready:
    return Ready(
        project,
        environment(project, "postgis://a@b/c"),
        Stamps(project.local / "fait.json"),
        database,
        FileLock(project.local / "tour"),
    )


def _calls(ready: Ready) -> int:
    path = ready.project.root / "appels"
    return len(path.read_text().splitlines()) if path.exists() else 0


def _run(ready: Ready, step: ManageStep) -> None:
    run_step(ready, Console(io.StringIO()), step)


def _step(*words: str, talks: bool = False, in_database: bool = True) -> ManageStep:
    return ManageStep("essai", "Essai", words, (".py",), talks, in_database)


@pytest.mark.parametrize("talks", [True, False])
def test_a_done_step_is_not_run_again_until_its_inputs_change(ready: Ready, talks: bool) -> None:
    step = _step("faire", talks=talks)
    _run(ready, step)
    _run(ready, step)
    assert _calls(ready) == 1
    (ready.project.root / "geodata" / "modele.py").write_text("x = 1")
    _run(ready, step)
    assert _calls(ready) == 2
    _run(_ready(ready.project, "une autre base"), step)
    assert _calls(ready) == 3
    _run(ready, _step("faire", "autrement"))
    assert _calls(ready) == 4


@pytest.mark.parametrize("talks", [True, False])
def test_a_failed_step_is_said_and_not_taken_as_done(ready: Ready, talks: bool) -> None:
    for count in (1, 2):
        with pytest.raises(SetupError, match="Essai : échec"):
            _run(ready, _step("echec", talks=talks))
        assert _calls(ready) == count


def test_a_database_of_the_users_is_never_taken_as_it_was_left(ready: Ready) -> None:
    given = _ready(ready.project, "")
    for step, expected in ((_step("faire"), 2), (_step("fichiers", in_database=False), 3)):
        _run(given, step)
        _run(given, step)
        assert _calls(given) == expected


def test_a_removed_product_is_made_again(ready: Ready) -> None:
    step = ManageStep("essai", "Essai", ("faire",), (".py",), talks=False, product="comptes.txt")
    _run(ready, step)
    _run(ready, step)
    assert _calls(ready) == 2, "rien n'a été laissé"
    (ready.project.local / "comptes.txt").touch()
    _run(ready, step)
    assert _calls(ready) == 2


def test_the_accounts_are_shown_without_the_comments(ready: Ready) -> None:
    assert accounts(ready) == []
    (ready.project.local / ACCOUNTS).write_text("# à garder pour soi\n\nagent-loire  bade-12  agent, Loire\n")
    assert accounts(ready)[1:] == ["  agent-loire  bade-12  agent, Loire"]


def test_a_given_file_counts_by_its_size_and_date(ready: Ready) -> None:
    file = ready.project.root / "routes.osm.pbf"
    file.write_text("a")
    step = _step("faire", "--osm", str(file))
    before = step_digest(ready, step)
    file.write_text("ab")
    assert step_digest(ready, step) != before


def test_commands_get_their_own_variables(ready: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "ailleurs")
    env = environment(ready.project, "postgis://a@b/c")
    assert "PYTHONPATH" not in env
    assert env["DATABASE_URL"] == "postgis://a@b/c"
    assert env["PATH"].split(os.pathsep)[0] == str(ready.project.venv / "bin")


def test_the_site_listens_on_the_loopback_only(ready: Ready) -> None:
    site, worker = services(ready, 8123)
    assert "127.0.0.1:8123" in site.command
    assert worker.command[2:4] == ["procrastinate", "worker"]


def test_rooms_are_the_apps_and_the_settings(ready: Ready) -> None:
    assert rooms(ready.project.root) == ["geodata", "config"]
