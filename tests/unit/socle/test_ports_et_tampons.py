"""Port choice, stamps of what is done, locks between commands, secret files."""

from __future__ import annotations

import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bin.setup.__main__ import ROOT, parser
from bin.setup.errors import SetupError
from bin.setup.locks import FileLock
from bin.setup.ports import LOOPBACK, any_free, is_free, next_free
from bin.setup.project import Project, write_secret_once
from bin.setup.stamps import Stamps, digest, source_files


def test_a_busy_port_gives_the_next_free_one() -> None:
    with socket.socket() as busy:
        busy.bind((LOOPBACK, 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert not is_free(port)
        chosen = next_free(port)
        assert port < chosen < port + 100
        with pytest.raises(SetupError, match=f"Aucun port libre entre {port} et {port}"):
            next_free(port, tries=1)
    assert is_free(any_free())


def test_the_command_line_refuses_what_is_no_port(capsys: pytest.CaptureFixture[str]) -> None:
    assert parser().parse_args(["--port", "8123", "--osm"]).osm == ""
    assert parser().parse_args([]).osm is None
    assert parser().parse_args(["--osm", "a.osm.pbf", "--no-serve"]).osm == "a.osm.pbf"
    for text in ("0", "65536", "huit"):
        with pytest.raises(SystemExit):
            parser().parse_args(["--port", text])
    assert "bin/demo : --port: « huit » n'est pas un port" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        parser().parse_args(["--serveur"])
    assert "option inconnue: --serveur" in capsys.readouterr().err


def test_the_digest_follows_content_name_and_words(tmp_path: Path) -> None:
    one, two = tmp_path / "a.txt", tmp_path / "b.txt"
    one.write_text("x")
    before = digest([one], "mot")
    assert digest([one], "mot") == before
    assert digest([one], "mot", "autre") != before
    assert digest([one, two], "mot") != before, "un fichier absent compte comme absent"
    one.write_text("y")
    assert digest([one], "mot") != before
    one.rename(two)
    assert digest([two], "mot") != digest([one], "mot")


def test_source_files_leave_caches_out(tmp_path: Path) -> None:
    (tmp_path / "geodata" / "__pycache__").mkdir(parents=True)
    for name in ("geodata/a.py", "geodata/a.txt", "geodata/__pycache__/b.py"):
        (tmp_path / name).write_text("")
    assert source_files(tmp_path, ["geodata", "absente"], [".py"]) == [tmp_path / "geodata" / "a.py"]


def test_a_stamp_is_forgotten_before_the_step_and_survives_a_broken_file(tmp_path: Path) -> None:
    stamps = Stamps(tmp_path / "fait.json")
    assert not stamps.is_done("npm", "h1")
    stamps.note(npm="h1", venv="h2")
    assert Stamps(tmp_path / "fait.json").is_done("npm", "h1")
    stamps.forget("npm", "inconnu")
    assert not stamps.is_done("npm", "h1")
    assert stamps.is_done("venv", "h2")
    (tmp_path / "fait.json").write_text('{"npm": "h')
    assert not stamps.is_done("venv", "h2")
    stamps.note(npm="h3")
    assert stamps.is_done("npm", "h3")


_HOLD = """
import sys
from pathlib import Path
from bin.setup.locks import FileLock
lock = FileLock(Path(sys.argv[1]))
print(lock.try_lock(shared=sys.argv[2] == "shared"), flush=True)
sys.stdin.read()
"""


def _holder(path: Path, kind: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, path, kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    return process


def test_a_lock_is_held_between_processes_and_dropped_by_a_killed_one(tmp_path: Path) -> None:
    path = tmp_path / "verrou"
    other = _holder(path, "exclusive")
    waited: list[bool] = []
    mine = FileLock(path)
    assert not mine.try_lock()
    other.kill()
    other.communicate()
    mine.lock(lambda: waited.append(True))
    assert not FileLock(path).try_lock(shared=True)
    mine.release()


def test_only_the_last_user_of_a_shared_lock_gets_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "verrou"
    other = _holder(path, "shared")
    mine = FileLock(path)
    assert mine.try_lock(shared=True)
    assert not mine.try_lock(), "l'autre s'en sert encore"
    other.communicate("")
    assert mine.try_lock()
    mine.release()


def test_a_secret_is_written_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    assert write_secret_once(path, "un") == "un"
    assert write_secret_once(path, "deux") == "un"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("")
    assert write_secret_once(path, "trois") == "trois"


def test_a_project_is_prepared_twice_with_one_key(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.prepare()
    key = (project.local / "secret_key").read_text()
    project.prepare()
    assert (project.local / "secret_key").read_text() == key
    assert len(key) >= 50
