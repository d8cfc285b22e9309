"""A private PostgreSQL cluster under the clone, shared by the commands that run there, stopped by the last."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

from bin.setup.console import Console
from bin.setup.errors import SetupError
from bin.setup.locks import FileLock
from bin.setup.ports import LOOPBACK, any_free
from bin.setup.processes import CommandFailed, run
from bin.setup.project import Project, write_secret_once
from bin.setup.system import server_with_postgis

ROLE = DATABASE = "limitrophe"
#: Where the cluster goes when the server's account cannot enter the clone (for instance under /root).
SYSTEM_FOLDER = Path("/var/lib/limitrophe")


def configuration(memory_mb: int) -> str:
    """Settings for one machine that also runs the site, from its memory: a demonstration, not a production server."""
    shared = min(max(memory_mb // 8, 64), 1024)
    return "\n".join(
        [
            f"listen_addresses = '{LOOPBACK}'",
            # TCP only: the clone's path may be longer than a socket's may be (107 bytes).
            "unix_socket_directories = ''",
            "max_connections = 60",
            f"shared_buffers = {shared}MB",
            f"effective_cache_size = {max(memory_mb // 2, 128)}MB",
            "work_mem = 32MB",
            f"maintenance_work_mem = {min(max(memory_mb // 16, 64), 512)}MB",
            # Nothing is replicated, and the last moments before a power cut may be lost (never the consistency).
            "wal_level = minimal",
            "max_wal_senders = 0",
            "max_wal_size = 2GB",
            "synchronous_commit = off",
            "checkpoint_timeout = 15min",
            "random_page_cost = 1.1",
            "jit = off",
            "timezone = 'UTC'",
            "log_timezone = 'UTC'",
            "",
        ]
    )


def memory_mb(meminfo: Path = Path("/proc/meminfo")) -> int:
    """Memory of the machine in MiB; 2048 where it cannot be read."""
    try:
        found = re.search(r"MemTotal:\s+(\d+) kB", meminfo.read_text())
    except OSError:
        found = None
    return int(found[1]) // 1024 if found else 2048


def server_account() -> tuple[int, int] | None:
    """User and group the server runs under: None = this account; another when this one is root, which it refuses."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise SetupError("PostgreSQL refuse root, et aucun compte « postgres » ou « nobody » n'existe : créez-en un.")


def can_write(folder: Path, account: tuple[int, int] | None) -> bool:
    """Whether `account` can enter and write `folder` (every folder above must let it through)."""
    if account is None:
        return os.access(folder, os.W_OK | os.X_OK)
    test = subprocess.run(
        ["test", "-w", folder, "-a", "-x", folder], user=account[0], group=account[1], extra_groups=[], cwd="/"
    )
    return test.returncode == 0


class Cluster:
    """The cluster of one clone. `acquire` gives a DATABASE_URL, `release` stops the server if nobody else uses it."""

    def __init__(self, project: Project, console: Console) -> None:
        self.project = project
        self.console = console
        self.account = server_account()
        #: Held for the moment of a start or stop only.
        self._change = FileLock(project.local / "cluster.lock")
        #: Shared by every command that uses the server.
        self._users = FileLock(project.local / "cluster-users.lock")
        self.folder = self._existing() or project.local / "pg"

    @property
    def _elsewhere(self) -> Path:
        """File that says where the cluster is when it is not in the clone."""
        return self.project.local / "cluster-folder"

    def _existing(self) -> Path | None:
        folders = [self.project.local / "pg"]
        if self._elsewhere.is_file():
            folders.append(Path(self._elsewhere.read_text().strip()))
        for folder in folders:
            try:
                if (folder / "PG_VERSION").is_file():
                    return folder
            except PermissionError:
                # Made by another account (root first, then a user).
                raise SetupError(
                    f"Le dossier {folder} appartient à un autre compte : relancez avec le même compte, "
                    "ou supprimez le dossier .local."
                ) from None
        return None

    @property
    def version(self) -> int | None:
        """Major version of the existing cluster, None before the first run."""
        existing = self._existing()
        return int((existing / "PG_VERSION").read_text()) if existing else None

    @property
    def identity(self) -> str:
        """Text that is another one for each cluster made: what was done in one is not done in the next."""
        return (self.folder / "limitrophe.id").read_text()

    def acquire(self) -> str:
        with self._change:
            if self._existing() is None:
                self._create()
            port = self._running_port()
            if port is None:
                port = self._start()
            self._users.try_lock(shared=True)
        return self._url(port, DATABASE)

    def release(self) -> None:
        with self._change:
            last = self._users.try_lock()
            if last and self._running_port() is not None:
                self._control("L'arrêt de PostgreSQL", "stop", "-m", "fast", "-w", "-t", "60")
            self._users.release()

    def _password(self) -> str:
        return write_secret_once(self.project.local / "pg_password", secrets.token_urlsafe(24))

    def _url(self, port: int, database: str) -> str:
        return f"postgis://{ROLE}:{quote(self._password(), safe='')}@{LOOPBACK}:{port}/{database}"

    def _programs(self) -> Path:
        version = self.version
        server = server_with_postgis(version)
        if server is None:
            raise SetupError(
                f"La base de ce dossier est de PostgreSQL {version}, qui n'est plus installé : installez "
                f"postgresql-{version}-postgis-3, ou supprimez {self.folder} pour repartir de zéro."
            )
        return server.programs

    def _run(self, what: str, *command: str | Path, env: dict[str, str] | None = None) -> str:
        user, group = self.account or (None, None)
        # From "/": the server's account may not be allowed into the current folder.
        return run(
            what,
            command,
            log=self.project.logs / "postgresql.log",
            user=user,
            group=group,
            cwd="/",
            env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},
        )

    def _control(self, what: str, *words: str | Path) -> str:
        return self._run(what, self._programs() / "pg_ctl", "-D", self.folder, *words)

    def _create(self) -> None:
        """Make the cluster beside its final place and move it there once it is whole."""
        server = server_with_postgis()
        if server is None:
            raise SetupError("PostgreSQL avec PostGIS 3 est introuvable : installez-le, puis relancez.")
        final = self._place()
        new = final.with_name("pg.nouveau")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        password = new.with_name("pg.motdepasse")
        try:
            with self.console.step(f"Base de données (PostgreSQL {server.version})"):
                password.touch(mode=0o600)
                password.write_text(self._password())
                if self.account:
                    os.chown(new, *self.account)
                    os.chown(password, *self.account)
                self._run(
                    "La création de la base",
                    *(server.programs / "initdb", "-D", new, "-U", ROLE, f"--pwfile={password}"),
                    *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
                )
                with (new / "postgresql.conf").open("a") as file:
                    file.write("include_if_exists = 'limitrophe.conf'\n")
                (new / "limitrophe.id").write_text(secrets.token_hex(16))
                new.replace(final)
                self.folder = final
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        finally:
            password.unlink(missing_ok=True)

    def _place(self) -> Path:
        """Folder for a new cluster: in the clone, or under /var/lib where the server's account cannot come in."""
        final = self.project.local / "pg"
        parent = final.parent
        # The server's account needs to pass through the parent, not to write there; what it owns is inside.
        probe = parent / "pg.nouveau"
        shutil.rmtree(probe, ignore_errors=True)
        probe.mkdir(mode=0o700)
        try:
            if self.account:
                os.chown(probe, *self.account)
            if can_write(probe, self.account):
                return final
        finally:
            probe.rmdir()
        # A name of its own each time: a clone made again at the same place must not find another's data.
        other = SYSTEM_FOLDER / secrets.token_hex(6) / "pg"
        other.parent.mkdir(parents=True)
        for folder in (SYSTEM_FOLDER, other.parent):
            folder.chmod(0o755)
        self._elsewhere.write_text(f"{other}\n")
        self.console.say(
            f"Le compte de PostgreSQL ne peut pas entrer dans {self.project.root} : la base est dans {other}."
        )
        return other

    def _running_port(self) -> int | None:
        """Port of the server if it is running; a pid file left by a crash is removed."""
        file = self.folder / "postmaster.pid"
        try:
            lines = file.read_text().splitlines()
        except FileNotFoundError:
            return None
        if lines and lines[0].strip().isdigit() and self._is_server(int(lines[0])):
            return int(lines[3])
        # The number may have been given to another process since (a machine or container started again).
        file.unlink()
        return None

    def _is_server(self, pid: int) -> bool:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return str(self.folder).encode() in command and Path(os.fsdecode(command[0])).name in ("postgres", "postmaster")

    def _start(self) -> int:
        settings = self.folder / "limitrophe.conf"
        settings.write_text(configuration(memory_mb()))
        if self.account:
            os.chown(settings, *self.account)
        last: CommandFailed | None = None
        for _ in range(3):
            port = any_free()
            try:
                self._control(
                    "Le démarrage de PostgreSQL",
                    *("start", "-w", "-t", "60", "-l", self.folder / "journal.log", "-o", f"-p {port}"),
                )
            except CommandFailed as error:
                # Somebody may have taken the port between its choice and its use.
                last = error
                continue
            self._prepare_database(port)
            return port
        journal = self.folder / "journal.log"
        tail = journal.read_text(errors="replace")[-1500:] if journal.is_file() else ""
        raise SetupError(f"{last}\n{tail}")

    def _prepare_database(self, port: int) -> None:
        """Database and PostGIS, each made if absent (an interruption may have come between the two)."""
        psql = self._programs() / "psql"
        secret = {"PGPASSWORD": self._password(), "PGCONNECT_TIMEOUT": "10"}
        base: list[str | Path] = [
            psql,
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            LOOPBACK,
            "-p",
            str(port),
            "-U",
            ROLE,
        ]
        what = "La préparation de la base"
        known = self._run(what, *base, "-d", "postgres", "-c", "SELECT datname FROM pg_database", env=secret)
        if DATABASE not in known.split():
            self._run(what, *base, "-d", "postgres", "-c", f"CREATE DATABASE {DATABASE}", env=secret)
        self._run(what, *base, "-d", DATABASE, "-c", "CREATE EXTENSION IF NOT EXISTS postgis", env=secret)
