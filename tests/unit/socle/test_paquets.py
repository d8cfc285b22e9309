"""System packages: what is asked for, and the sentence where a tool or a right is missing."""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path

import pytest

from bin.setup import system
from bin.setup.__main__ import ROOT
from bin.setup.console import Console, Step
from bin.setup.errors import SetupError, cause


@pytest.fixture
def console() -> Console:
    return Console(io.StringIO())


def _server(root: Path, version: int, *, postgis: bool) -> system.Server:
    programs = root / "lib" / str(version) / "bin"
    programs.mkdir(parents=True)
    for name in ("initdb", "postgres"):
        (programs / name).touch()
    extension = root / "share" / str(version) / "extension"
    extension.mkdir(parents=True)
    if postgis:
        (extension / "postgis.control").touch()
    return system.Server(version, programs, root / "share" / str(version))


def test_servers_are_found_oldest_first_and_too_old_ones_left_out(tmp_path: Path) -> None:
    made = [_server(tmp_path, version, postgis=version == 15) for version in (9, 17, 15)]
    found = system.servers(tmp_path / "lib", tmp_path / "share")
    assert found == [made[2], made[1]]
    assert [server.has_postgis for server in found] == [True, False]


def test_only_what_is_missing_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "find_library", lambda name: None)
    monkeypatch.setattr(system, "distribution", lambda: "debian")
    monkeypatch.setattr(system, "chromium", lambda: "")

    def asked(*installed: system.Server, cluster: bool = True, browser: bool = False) -> list[str]:
        return system.missing_patterns(cluster=cluster, browser=browser, pg_version=None, installed=list(installed))

    bare = _server(tmp_path, 16, postgis=False)
    assert asked() == ["postgresql-[0-9]+-postgis-3"], "PostGIS amène GDAL et GEOS"
    assert asked(bare) == ["postgresql-16-postgis-3"], "PostGIS s'ajoute au serveur déjà là"
    assert asked(cluster=False) == ["libgdal[0-9]+(t64)?", "libgeos-c1(v5|t64)"], "DATABASE_URL : pas de serveur"
    assert asked(browser=True)[-3:] == ["chromium", "fonts-dejavu-core", "libatomic1"]
    monkeypatch.setattr(system, "distribution", lambda: "ubuntu")
    assert not {"chromium", "libatomic1"} & set(asked(browser=True)), "sur Ubuntu c'est un snap"
    monkeypatch.setattr(system, "find_library", lambda name: f"lib{name}.so.1")
    full = _server(tmp_path, 17, postgis=True)
    assert asked(full) == []
    kept = system.missing_patterns(cluster=True, browser=False, pg_version=15, installed=[full])
    assert kept == ["postgresql-15-postgis-3"], "une base existante garde sa version"


@pytest.mark.parametrize(
    ("available", "expected"),
    [
        (["postgresql-15-postgis-3"], ["postgresql-15-postgis-3", "postgresql-15"]),
        (["postgresql-9-postgis-3", "postgresql-17-postgis-3"], ["postgresql-17-postgis-3", "postgresql-17"]),
    ],
)
def test_the_newest_package_is_chosen_with_its_server(available: list[str], expected: list[str]) -> None:
    assert system.choose(["postgresql-[0-9]+-postgis-3"], [*available, "postgresql-17-postgis-3-scripts"]) == expected


def test_the_library_of_each_distribution_fits() -> None:
    pattern = ["libgdal[0-9]+(t64)?", "libgeos-c1(v5|t64)"]
    for names in (["libgdal32", "libgeos-c1v5"], ["libgdal34t64", "libgeos-c1t64"], ["libgdal30", "libgeos-c1v5"]):
        assert system.choose(pattern, [*names, "libgdal-dev"]) == names
    with pytest.raises(KeyError, match="libgdal"):
        system.choose(pattern, ["libgeos-c1v5"])


def _nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "missing_patterns", lambda **_: ["postgresql-[0-9]+-postgis-3"])


def test_without_apt_the_sentence_says_what_to_install(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _nothing_installed(monkeypatch)
    monkeypatch.setattr(system.shutil, "which", lambda name: None)
    with pytest.raises(SetupError, match=r"apt-get n'y est pas : installez .*PostgreSQL 14 ou plus récent.*bin/demo"):
        system.install_missing(console, tmp_path / "apt.log", "bin/demo", cluster=True, browser=False)
    assert not (tmp_path / "apt.log").exists()


def test_without_the_right_the_sentence_names_the_packages(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _nothing_installed(monkeypatch)
    monkeypatch.setattr(system.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(system.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    with pytest.raises(SetupError, match=r"n'a pas le droit .*apt-get install postgresql.*administrateur.*bin/test"):
        system.install_missing(console, tmp_path / "apt.log", "bin/test", cluster=True, browser=False)


def test_apt_lines_move_the_bar() -> None:
    step = Step("Paquets")
    read = system.apt_reader(step)
    for line in (
        "0 upgraded, 2 newly installed, 0 to remove and 1 not upgraded.",
        "Get:1 mirror bookworm/main amd64 libgdal32 amd64 [8 kB]",
        "Get:2 mirror bookworm/main amd64 libgeos-c1v5 amd64 [8 kB]",
        "Unpacking libgdal32 (3.6.2) ...",
        "Setting up libgdal32 (3.6.2) ...",
        "Processing triggers for libc-bin",
    ):
        read(line)
    assert (step.done, step.total) == (4, 6)


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("E: You don't have enough free space in /var/cache/apt/archives/.", "disque est plein"),
        ("OSError: [Errno 28] No space left on device", "disque est plein"),
        ("Temporary failure resolving 'mirror'", "réseau ne répond pas"),
        ("npm error code ENOTFOUND", "réseau ne répond pas"),
        ("ReadTimeoutError: Read timed out.", "réseau ne répond pas"),
        ("SSL: CERTIFICATE_VERIFY_FAILED", "certificat"),
        ("E: Could not get lock /var/lib/dpkg/lock-frontend", "autre programme"),
        ("E: dpkg was interrupted, you must manually run", "dpkg --configure -a"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES", "empreinte"),
        ("ERROR: No matching distribution found for numpy==9", "n'existe pas"),
        ("mkdir: Permission denied", "droit"),
        ("Segmentation fault", ""),
    ],
)
def test_known_causes_are_said_in_french(output: str, sentence: str) -> None:
    assert sentence in cause(output)
    assert bool(cause(output)) == bool(sentence)


def test_a_snap_is_not_a_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIMITROPHE_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    program = tmp_path / "chromium-browser"
    program.write_text("#!/bin/sh\nexec /snap/bin/chromium\n")
    program.chmod(0o755)
    assert system.chromium() == ""
    program.write_text("#!/bin/sh\n")
    assert system.chromium() == str(program)


def _sourced(tmp_path: Path, **programs: str) -> subprocess.CompletedProcess[str]:
    """python.sh in a system whose only programs are the given scripts and a few harmless ones."""
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{body}\n")
        (tmp_path / name).chmod(0o755)
    for name in ("mktemp", "sed", "tail", "rm"):
        target = next(Path(folder) / name for folder in ("/usr/bin", "/bin") if (Path(folder) / name).exists())
        (tmp_path / name).symlink_to(target)
    return subprocess.run(
        ["/bin/bash", "-eu", "-c", f'. "{ROOT}/bin/setup/python.sh"; echo "python: $PYTHON"'],
        env={"PATH": str(tmp_path), "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


_OLD = 'case "$2" in *print*) echo 3.10;; *) exit 1;; esac'


def test_a_recent_versioned_python_is_found_beside_an_old_one(tmp_path: Path) -> None:
    done = _sourced(tmp_path, python3=_OLD, **{"python3.12": "exit 0"})
    assert done.stdout == f"python: {tmp_path}/python3.12\n"


def test_an_old_python_without_apt_is_said(tmp_path: Path) -> None:
    done = _sourced(tmp_path, python3=_OLD)
    assert done.returncode == 1
    assert done.stderr.startswith("Il faut Python 3.11 ou plus récent (python3 est en version 3.10) : installez-le")


def test_no_python_and_no_right_is_said(tmp_path: Path) -> None:
    done = _sourced(tmp_path, id="echo 1000", **{"apt-get": "exit 1"})
    assert done.returncode == 1
    assert "(aucun python3), et ce compte n'a pas le droit de l'installer" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_no_network_is_said(tmp_path: Path) -> None:
    done = _sourced(tmp_path, id="echo 0", **{"apt-get": "echo 'Err:1 mirror' >&2; exit 100"})
    assert done.returncode == 1
    assert "apt-get update a échoué : vérifiez le réseau" in done.stderr


def test_the_versioned_package_is_installed_where_python3_is_old(tmp_path: Path) -> None:
    apt = f'echo "$@" >> {tmp_path}/apt; [ "$1" = update ] || printf "exit 0" > {tmp_path}/python3.11'
    done = _sourced(
        tmp_path,
        id="echo 0",
        env='shift; exec "$@"',
        python3=_OLD,
        **{"apt-get": apt + f"; chmod_={os.X_OK}", "apt-cache": 'echo "  Candidate: 3.10.6-1"', "python3.11": "exit 1"},
    )
    assert done.returncode == 0, done.stderr
    assert "install -y --no-install-recommends python3.11 python3.11-venv" in (tmp_path / "apt").read_text()
