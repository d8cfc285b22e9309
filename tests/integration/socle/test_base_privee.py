"""The private cluster: a real one, made, shared, stopped by its last user, started again after a crash."""

from __future__ import annotations

import io
import os
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bin.setup import cluster as module
from bin.setup.cluster import Cluster, configuration, memory_mb
from bin.setup.console import Console
from bin.setup.errors import SetupError
from bin.setup.project import Project
from bin.setup.system import server_with_postgis

pytestmark = pytest.mark.skipif(server_with_postgis() is None, reason="PostgreSQL avec PostGIS n'est pas installé")


@pytest.fixture
def project() -> Iterator[Project]:
    """A clone in a folder that every account may enter."""
    root = Path(tempfile.mkdtemp(prefix="limitrophe-"))
    root.chmod(0o755)
    project = Project(root)
    project.prepare()
    yield project
    shutil.rmtree(root)


def _cluster(project: Project) -> Cluster:
    return Cluster(project, Console(io.StringIO()))


def _select(url: str, query: str) -> object:
    with psycopg.connect(url.replace("postgis://", "postgresql://")) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[arg-type, unused-ignore]
    assert row is not None
    return row[0]


def _pid(project: Project) -> int:
    return int((project.local / "pg" / "postmaster.pid").read_text().split()[0])


def test_the_life_of_a_cluster(project: Project) -> None:
    first, second, third = (_cluster(project) for _ in range(3))
    assert first.version is None
    try:
        url = first.acquire()
        assert str(_select(url, "SELECT postgis_version()")).startswith("3.")
        assert _select(url, "SHOW server_encoding") == "UTF8"
        assert _select(url, "SHOW listen_addresses") == "127.0.0.1"
        assert _select(url, "SHOW unix_socket_directories") == ""
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(url.replace("postgis://", "postgresql://").replace(first._password(), "faux"))
        assert stat.S_IMODE((project.local / "pg_password").stat().st_mode) == 0o600
        assert (project.local / "pg").stat().st_uid != 0, "jamais root"

        assert second.acquire() == url, "deux commandes se partagent la base"
        first.release()
        assert _select(url, "SELECT 1") == 1, "la seconde s'en sert encore"
        pid = _pid(project)
        second.release()
        assert _gone(pid)
        assert not (project.local / "pg" / "postmaster.pid").exists()

        assert third.version == int((project.local / "pg" / "PG_VERSION").read_text())
        identity = third.identity
        third.acquire()
        _crash(project)
        # The dead server's number now belongs to a process that is no server: this one.
        file = project.local / "pg" / "postmaster.pid"
        file.write_text(f"{os.getpid()}\n" + "\n".join(file.read_text().split("\n")[1:]))
        after = third.acquire()
        assert _select(after, "SELECT count(*) FROM pg_extension WHERE extname = 'postgis'") == 1
        assert third.identity == identity
        pid = _pid(project)
        third.release()
        assert _gone(pid)
    finally:
        for cluster in (first, second, third):
            cluster.release()


def _gone(*pids: int) -> bool:
    """Whether all `pids` end within ten seconds (a zombie, whose command line is empty, has ended)."""
    deadline = time.monotonic() + 10
    for path in (Path(f"/proc/{pid}/cmdline") for pid in pids):
        while path.exists() and path.read_bytes():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
    return True


def _crash(project: Project) -> None:
    pid = _pid(project)
    pids = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    for number in pids:
        os.kill(number, signal.SIGKILL)
    assert _gone(*pids)


def test_a_failed_creation_leaves_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DATABASE", 'x"; SELECT')
    cluster = _cluster(project)
    monkeypatch.setattr(cluster, "_password", lambda: "")  # initdb refuses an empty one
    with pytest.raises(SetupError, match="La création de la base : échec"):
        cluster.acquire()
    assert not list(project.local.glob("pg*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="seul root donne la base à un autre compte")
def test_a_closed_folder_sends_the_cluster_elsewhere(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    system_folder = Path(tempfile.mkdtemp(prefix="limitrophe-"))
    system_folder.chmod(0o755)
    monkeypatch.setattr(module, "SYSTEM_FOLDER", system_folder)
    project.root.chmod(0o700)
    out = io.StringIO()
    cluster = Cluster(project, Console(out))
    try:
        url = cluster.acquire()
        assert f"ne peut pas entrer dans {project.root} : la base est dans {system_folder}" in out.getvalue()
        assert _select(url, "SELECT 1") == 1
        assert _cluster(project).folder == cluster.folder
        cluster.release()
        assert not (cluster.folder / "postmaster.pid").exists()
    finally:
        cluster.release()
        shutil.rmtree(system_folder)


def test_a_cluster_of_a_server_no_longer_there_is_said(project: Project) -> None:
    folder = project.local / "pg"
    folder.mkdir()
    (folder / "PG_VERSION").write_text("9\n")
    with pytest.raises(SetupError, match=r"PostgreSQL 9, qui n'est plus installé : installez postgresql-9-postgis-3"):
        _cluster(project).acquire()


@pytest.mark.parametrize("memory", [256, 2048, 64_000])
def test_the_settings_fit_the_memory(memory: int) -> None:
    lines = dict(line.split(" = ") for line in configuration(memory).strip().splitlines())
    assert 64 <= int(lines["shared_buffers"].removesuffix("MB")) <= max(memory // 4, 64)


def test_the_memory_is_read(tmp_path: Path) -> None:
    file = tmp_path / "meminfo"
    file.write_text("MemTotal:       24684328 kB\nMemFree: 1 kB\n")
    assert memory_mb(file) == 24105
    assert memory_mb(tmp_path / "absent") == 2048
