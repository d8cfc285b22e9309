"""What follows set-up, in order: the one list of the management commands that make the demonstration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bin.setup.console import Console
from bin.setup.errors import SetupError
from bin.setup.prepare import Ready, manage
from bin.setup.processes import run, run_attached
from bin.setup.stamps import digest, source_files

_CODE = (".py", ".json", ".csv", ".sql", ".toml")
_PAGES = (".js", ".mjs", ".css", ".svg", ".png", ".webp", ".ico", ".woff2", ".json", ".html", ".py")


@dataclass(frozen=True)
class ManageStep:
    """A management command, idempotent, run again when the files it depends on have changed.

    `talks`: it writes its own progress to the terminal; otherwise its output goes to a log.
    """

    name: str
    title: str
    words: tuple[str, ...]
    suffixes: tuple[str, ...]
    talks: bool
    in_database: bool = True
    #: File or folder under .local that it leaves: made again where somebody has removed it.
    product: str = ""


def demo_steps(osm: Sequence[str] | None = None) -> list[ManageStep]:
    """Steps of bin/demo; `osm` = words given after ``--osm`` (none: download), None without that option."""
    roads = () if osm is None else ("--osm", *osm)
    return [
        MIGRATE,
        ManageStep(
            "demonstration",
            "Territoire de démonstration",
            ("creer_demonstration", *roads),
            _CODE,
            talks=True,
            product=ACCOUNTS,
        ),
        ManageStep("etudes", "Études de démonstration", ("lancer_etudes", "--nouvelles"), _CODE, talks=True),
        STATIC,
    ]


#: Where creer_demonstration keeps its accounts (lines of identifier, password and role; # for comments).
ACCOUNTS = "comptes-demonstration.txt"
MIGRATE = ManageStep("migrate", "Structure de la base", ("migrate", "--noinput"), (".py",), False)
STATIC = ManageStep(
    "static",
    "Fichiers du site",
    ("collectstatic", "--noinput", "--clear"),
    _PAGES,
    False,
    in_database=False,
    product="static",
)


def rooms(root: Path) -> list[str]:
    """Folders of the application: settings and every Django app."""
    return [*sorted(path.parent.name for path in root.glob("*/apps.py")), "config"]


def step_digest(ready: Ready, step: ManageStep) -> str:
    """Digest of all that the step's result depends on."""
    root = ready.project.root
    files = source_files(root, rooms(root), step.suffixes)
    files += [root / "requirements" / "base.txt", root / "package-lock.json"]
    # A file given by the user may be of gigabytes: its size and date stand for its content.
    given = [Path(word).stat() for word in step.words if Path(word).is_absolute()]
    states = [f"{state.st_size} {state.st_mtime_ns}" for state in given]
    return digest(files, ready.database, *step.words, *states)


def run_step(ready: Ready, console: Console, step: ManageStep) -> None:
    """Run `step` unless its stamp says that it is done. Raises `SetupError` when the command fails."""
    # A database of the user's may have been changed by others: only what is on the disk is taken as done there.
    trusted = bool(ready.database) or not step.in_database
    wanted = step_digest(ready, step)
    there = not step.product or (ready.project.local / step.product).exists()
    if trusted and there and ready.stamps.is_done(step.name, wanted):
        return
    ready.stamps.forget(step.name)
    command = manage(ready, *step.words)
    if step.talks:
        console.say(f"→ {step.title}")
        code = run_attached(command, env=ready.env, cwd=ready.project.root)
        if code != 0:
            raise SetupError(f"{step.title} : échec (« manage.py {' '.join(step.words)} », code {code}).")
    else:
        with console.step(step.title) as shown:

            def tell(line: str) -> None:
                shown.detail = line.strip()

            log = ready.project.logs / f"{step.name}.log"
            run(step.title, command, env=ready.env, cwd=ready.project.root, log=log, on_line=tell)
    ready.stamps.note(**{step.name: wanted})
