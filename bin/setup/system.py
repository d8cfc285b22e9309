"""System packages: what is missing, and its installation by apt-get where the right is there."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path

from bin.setup.console import Console, Step
from bin.setup.errors import SetupError
from bin.setup.processes import CommandFailed, run

#: Oldest server the project is tried on (Ubuntu 22.04's).
OLDEST_POSTGRESQL = 14
_APT_PROGRESS = re.compile(r"^(Get:\d+|Unpacking|Setting up) ")


@dataclass(frozen=True, order=True)
class Server:
    """An installed PostgreSQL server: its major version, programs and shared files."""

    version: int
    programs: Path
    shared: Path

    @property
    def has_postgis(self) -> bool:
        return (self.shared / "extension" / "postgis.control").is_file()


def servers(lib: Path = Path("/usr/lib/postgresql"), share: Path = Path("/usr/share/postgresql")) -> list[Server]:
    """Installed servers, oldest first: Debian's folders, else the one whose ``initdb`` is on the path."""
    found = [
        Server(int(folder.name), folder / "bin", share / folder.name)
        for folder in lib.glob("[0-9]*")
        if folder.name.isdigit() and (folder / "bin" / "initdb").is_file() and (folder / "bin" / "postgres").is_file()
    ]
    if not found and (initdb := shutil.which("initdb")) and (config := shutil.which("pg_config")):
        shared = subprocess.run([config, "--sharedir"], capture_output=True, text=True, check=True).stdout.strip()
        text = subprocess.run([initdb, "--version"], capture_output=True, text=True, check=True).stdout
        if number := re.search(r"(\d+)", text):
            found = [Server(int(number[1]), Path(initdb).resolve().parent, Path(shared))]
    return sorted(server for server in found if server.version >= OLDEST_POSTGRESQL)


def server_with_postgis(version: int | None = None) -> Server | None:
    """The newest installed server that has PostGIS, or the one of that major `version`."""
    usable = [server for server in servers() if server.has_postgis and version in (None, server.version)]
    return usable[-1] if usable else None


def distribution(release: Path = Path("/etc/os-release")) -> str:
    """Identifier of the distribution (``debian``, ``ubuntu``...), empty where unknown."""
    try:
        lines = release.read_text().splitlines()
    except OSError:
        return ""
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    return values.get("ID", "").strip('"').lower()


def chromium() -> str:
    """Path of a Chromium that tests can drive; empty where there is none. Ubuntu's snap is not one."""
    chosen = os.environ.get("LIMITROPHE_CHROMIUM", "")
    if chosen and Path(chosen).is_file():
        return chosen
    for name in ("chromium", "google-chrome-stable", "google-chrome", "chromium-browser"):
        path = shutil.which(name)
        # Ubuntu's chromium-browser is a script that calls the snap, whose sandbox hides the tests' folders.
        if path and "/snap/" not in os.path.realpath(path) and b"snap" not in Path(path).read_bytes()[:4096]:
            return path
    return ""


def missing_patterns(
    *, cluster: bool, browser: bool, pg_version: int | None, installed: list[Server] | None = None
) -> list[str]:
    """Patterns (anchored regular expressions) of the Debian packages whose content is not there."""
    wanted: list[str] = []
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        wanted.append(f"python{sys.version_info.major}\\.{sys.version_info.minor}-venv")
    if cluster:
        present = servers() if installed is None else installed
        usable = [s for s in present if s.has_postgis and pg_version in (None, s.version)]
        if not usable:
            # PostGIS is added to a server that is there; otherwise the distribution's newest.
            versions = [pg_version] if pg_version else [s.version for s in present]
            number = str(versions[-1]) if versions else "[0-9]+"
            wanted += [f"postgresql-{number}-postgis-3"]
    if find_library("gdal") is None and not any("postgis" in pattern for pattern in wanted):
        wanted.append("libgdal[0-9]+(t64)?")
    if find_library("geos_c") is None and not any("postgis" in pattern for pattern in wanted):
        wanted.append("libgeos-c1(v5|t64)")
    if browser and distribution() == "debian" and not chromium():
        # Chromium without any font draws empty pages.
        wanted += ["chromium", "fonts-dejavu-core"]
    if browser and (distribution() == "debian" or chromium()) and find_library("atomic") is None:
        # The Node.js that drives Chromium in the tests links to it; nothing else of ours asks for it.
        wanted.append("libatomic1")
    return wanted


def choose(patterns: list[str], available: list[str]) -> list[str]:
    """Package for each pattern, the highest version number first. Raises KeyError with a pattern that has none."""
    chosen: list[str] = []
    for pattern in patterns:
        matching = [name for name in available if re.fullmatch(pattern, name)]
        if not matching:
            raise KeyError(pattern)
        best = max(matching, key=lambda name: [int(number) for number in re.findall(r"\d+", name)])
        chosen.append(best)
        if server := re.fullmatch(r"(postgresql-\d+)-postgis-3", best):
            chosen.append(server[1])
    return chosen


class AptRight:
    """How this account may run apt-get as root: itself, through sudo, or not at all."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._prefix: list[str] | None = None

    def prefix(self, packages: str, command: str) -> list[str]:
        """Words to put before a root command. Raises `SetupError` naming the `packages` where the right is missing."""
        if self._prefix is None:
            self._prefix = self._find(packages, command)
        return self._prefix

    def _find(self, packages: str, command: str) -> list[str]:
        if os.geteuid() == 0:
            return []
        if shutil.which("sudo"):
            if subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
                return ["sudo"]
            if sys.stdin.isatty():
                self.console.say(f"Le mot de passe sert à installer par sudo : {packages}")
                if subprocess.run(["sudo", "-v"], check=False).returncode == 0:
                    return ["sudo"]
        raise SetupError(
            f"Il manque des paquets que ce compte n'a pas le droit d'installer : "
            f"demandez « apt-get install {packages} » à un administrateur, puis relancez {command}."
        )


def install_missing(
    console: Console, log: Path, command: str, *, cluster: bool, browser: bool, pg_version: int | None = None
) -> None:
    """Install the system packages that `command` needs and does not find. Raises `SetupError` where it cannot."""
    patterns = missing_patterns(cluster=cluster, browser=browser, pg_version=pg_version)
    if not patterns:
        return
    readable = " ".join(re.sub(r"\\|\(.*?\)\??|\[0-9\]\+", "", pattern) for pattern in patterns).replace("--", "-")
    if shutil.which("apt-get") is None:
        raise SetupError(
            f"Il manque au système : {readable}, et apt-get n'y est pas : installez Python 3.11 avec venv, "
            "PostgreSQL 14 ou plus récent avec PostGIS 3, GDAL et GEOS avec l'outil de votre système, "
            f"puis relancez {command}."
        )
    right = AptRight(console)
    prefix = right.prefix(readable, command)
    root = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"]
    own_session = not prefix
    try:
        packages = choose(patterns, _available(patterns))
        fresh = False
    except KeyError:
        _update(console, root, log, own_session)
        fresh = True
        try:
            packages = choose(patterns, _available(patterns))
        except KeyError as error:
            raise SetupError(
                f"Le paquet « {error.args[0]} » n'existe dans aucune source d'apt : ajoutez la section qui le porte "
                f"(sur Ubuntu : universe), puis relancez {command}."
            ) from None
    install = [*root, "sh", "-c", _INSTALL_SCRIPT, "install", *packages]
    try:
        _install(console, packages, install, log, own_session)
    except CommandFailed:
        if fresh:
            raise
        # Package lists older than the mirror.
        _update(console, root, log, own_session)
        _install(console, packages, install, log, own_session)
    left = missing_patterns(cluster=cluster, browser=browser, pg_version=pg_version)
    if left:
        raise SetupError(f"Après l'installation il manque encore : {' '.join(left)} (journal : {log}).")


#: Debian's server package makes and starts a cluster "main" of its own: not while this runs.
_INSTALL_SCRIPT = """
set -e
folder=/etc/postgresql-common/createcluster.d
mkdir -p $folder
printf 'create_main_cluster = false\\n' > $folder/limitrophe.conf
trap 'rm -f $folder/limitrophe.conf' EXIT
apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
"""


def _available(patterns: list[str]) -> list[str]:
    """Names of the packages that apt knows among those of `patterns`."""
    names: list[str] = []
    for pattern in patterns:
        found = subprocess.run(
            ["apt-cache", "search", "--names-only", f"^{pattern}$"], capture_output=True, text=True, check=False
        )
        names += [line.split(" ", 1)[0] for line in found.stdout.splitlines() if line]
    return names


def _update(console: Console, root: list[str], log: Path, own_session: bool) -> None:
    with console.step("Liste des paquets du système"):
        command = [*root, "apt-get", "update", "-o", "APT::Update::Error-Mode=any"]
        run("apt-get update", command, log=log, own_session=own_session)


def _install(console: Console, packages: list[str], command: list[str], log: Path, own_session: bool) -> None:
    with console.step(f"Paquets du système : {', '.join(packages)}") as step:
        run(
            "L'installation des paquets du système",
            command,
            log=log,
            own_session=own_session,
            on_line=apt_reader(step),
        )


def apt_reader(step: Step) -> Callable[[str], None]:
    """Reads apt-get's lines into the bar of `step`: each new package is fetched, unpacked and set up."""

    def read(line: str) -> None:
        if plan := re.search(r"(\d+) upgraded, (\d+) newly installed", line):
            step.total = 3 * (int(plan[1]) + int(plan[2]))
        elif _APT_PROGRESS.match(line):
            step.done += 1

    return read
