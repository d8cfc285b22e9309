"""The container files, which nothing here can run: all that they name must exist in the project."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands, load_command_class
from gunicorn.config import Config

from tests.codebase.arbre import RACINE, python_files, relative, tracked_files

DOSSIER = RACINE / "docker"
SERVICES = ["postgis", "web", "worker"]


def dockerfile(text: str) -> list[tuple[str, str]]:
    """Instructions of a Dockerfile: keyword and the rest, continued lines joined."""
    joined = re.sub(r"\\\n\s*", " ", text)
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


INSTRUCTIONS = dockerfile((DOSSIER / "Dockerfile").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((DOSSIER / "compose.yml").read_text())


def instructions(keyword: str) -> list[str]:
    return [rest for found, rest in INSTRUCTIONS if found == keyword]


def command_lines() -> list[list[str]]:
    """Every program call of both files, as words: RUN, CMD, command and health checks."""
    calls: list[list[str]] = []
    for rest in instructions("RUN"):
        calls += [shlex.split(part) for part in rest.split("&&")]
    calls += [json.loads(rest) for rest in instructions("CMD")]
    for service in COMPOSE["services"].values():
        words = service.get("command", [])
        if words[:2] == ["sh", "-c"]:
            calls += [shlex.split(part) for part in words[2].split("&&")]
        elif words:
            calls.append(words)
        calls.append(service["healthcheck"]["test"][1:])
    return [call[1:] if call[0] == "exec" else call for call in calls]


def environment(service: str) -> dict[str, str]:
    return dict(COMPOSE["services"][service]["environment"])


def test_the_services_are_healthy_and_ordered() -> None:
    assert list(COMPOSE["services"]) == SERVICES
    for name, service in COMPOSE["services"].items():
        check = service["healthcheck"]
        assert check["test"][0] == "CMD", name
        assert {"interval", "timeout", "retries"} <= set(check), name
        for other, condition in service.get("depends_on", {}).items():
            assert other in COMPOSE["services"]
            assert condition == {"condition": "service_healthy"}


def test_every_path_exists_and_enters_the_image() -> None:
    build = COMPOSE["services"]["web"]["build"]
    context = (DOSSIER / build["context"]).resolve()
    assert context == RACINE
    assert (context / build["dockerfile"]).is_file()
    ignored = (DOSSIER / "Dockerfile.dockerignore").read_text().split()
    tracked = {relative(path) for path in tracked_files()}
    for rest in instructions("COPY"):
        *sources, _ = rest.split()
        for source in sources:
            if source == ".":
                continue
            assert source in tracked, source
            assert not any(fnmatch(source, pattern) for pattern in ignored), source
    # What the image runs must not be kept out of it.
    rooms = {path.parent.name for path in RACINE.glob("*/apps.py")} | {"config", "manage.py", "package.json"}
    assert not rooms & set(ignored)
    assert {".git", ".local", ".venv", "node_modules"} <= set(ignored)


def test_every_management_command_exists_with_its_options() -> None:
    known = get_commands()
    seen = set()
    for call in command_lines():
        if call[:2] == ["python", "manage.py"]:
            name, *words = call[2:]
            assert name in known, name
            command = load_command_class(str(known[name]), name)
            command.create_parser("manage.py", name).parse_args(words)
            seen.add(" ".join([name, *[word for word in words if not word.startswith("-")]]))
    assert seen == {"collectstatic", "migrate", "procrastinate worker", "procrastinate healthchecks"}


def test_every_gunicorn_call_is_valid_and_serves_the_application() -> None:
    calls = [call for call in command_lines() if call[0] == "gunicorn"]
    assert len(calls) == 2
    for call in calls:
        options = Config().parser().parse_args(call[1:])
        assert options.args == [settings.WSGI_APPLICATION.rpartition(".")[0]]
        assert options.bind == ["0.0.0.0:8000"]
    assert calls[0] == calls[1]


def test_every_other_program_is_known() -> None:
    others = {call[0] for call in command_lines()} - {"gunicorn"}
    assert others == {"apt-get", "rm", "pip", "python", "useradd", "pg_isready"}


@pytest.mark.parametrize("service", ["web", "worker"])
def test_every_variable_is_read_by_the_project(service: str) -> None:
    sources = "\n".join(path.read_text() for path in python_files() if relative(path).startswith("config/"))
    for name in environment(service):
        assert re.search(rf"environ(\.get\(|\[)\s*[\"']{name}[\"']", sources), name
    assert {"DATABASE_URL", "LIMITROPHE_SECRET_KEY"} <= set(environment(service))


def test_no_secret_has_a_default() -> None:
    text = (DOSSIER / "compose.yml").read_text()
    for name in ("POSTGRES_PASSWORD", "LIMITROPHE_SECRET_KEY"):
        uses = re.findall(rf"\$\{{{name}([^}}]*)\}}", text)
        assert uses
        assert all(use.startswith(":?") for use in uses)


def test_the_database_address_is_that_of_the_database_service() -> None:
    database = environment("postgis")
    url = environment("web")["DATABASE_URL"]
    password = database["POSTGRES_PASSWORD"]
    expected = f"postgis://{database['POSTGRES_USER']}:{password}@postgis:5432/{database['POSTGRES_DB']}"
    assert url == expected
    check = COMPOSE["services"]["postgis"]["healthcheck"]["test"]
    assert check[check.index("--username") + 1] == database["POSTGRES_USER"]
    assert check[check.index("--dbname") + 1] == database["POSTGRES_DB"]


def test_every_port_is_the_one_served() -> None:
    assert instructions("EXPOSE") == ["8000"]
    assert COMPOSE["services"]["web"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "http://127.0.0.1:8000/" in COMPOSE["services"]["web"]["healthcheck"]["test"][-1]
    assert "127.0.0.1" in settings.ALLOWED_HOSTS
    assert "127.0.0.1" in environment("web")["LIMITROPHE_HOSTS"]


def test_the_python_lines_compile() -> None:
    lines = [call[2] for call in command_lines() if call[:2] == ["python", "-c"]]
    assert len(lines) == 2
    for line in lines:
        compile(line, "docker", "exec")


def test_the_volume_is_named_and_holds_the_data() -> None:
    mounts = [mount.split(":") for mount in COMPOSE["services"]["postgis"]["volumes"]]
    assert mounts == [["base", "/var/lib/postgresql/data"]]
    assert set(COMPOSE["volumes"]) == {"base"}


def test_the_image_fits_the_requirements() -> None:
    (image,) = instructions("FROM")
    version = re.fullmatch(r"python:(\d+)\.(\d+)-slim-bookworm", image)
    assert version
    project = tomllib.loads((RACINE / "pyproject.toml").read_text())["project"]
    lowest = tuple(int(part) for part in project["requires-python"].removeprefix(">=").split("."))
    assert (int(version[1]), int(version[2])) >= lowest
    assert (int(version[1]), int(version[2])) <= sys.version_info[:2]
    (requirements,) = [call for call in command_lines() if call[0] == "pip"]
    assert "--require-hashes" in requirements
    assert Path(requirements[-1]).name == "base.txt"
    assert os.path.normpath(requirements[-1]) in {rest.split()[-1] for rest in instructions("COPY")}
