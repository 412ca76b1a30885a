"""The Dockerfile and the recipes of hosts: linted, not root, and started as the poe tasks start them."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from rag_llm_system.settings import PROJECT_ROOT, Settings

DOCKERFILE = (PROJECT_ROOT / "Dockerfile").read_text(encoding="utf-8")
STAGES = dict(
    zip(
        re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE),
        re.split(r"^FROM .*$", DOCKERFILE, flags=re.MULTILINE)[1:],
        strict=True,
    )
)
COMPOSE = yaml.safe_load((PROJECT_ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
RENDER = yaml.safe_load((PROJECT_ROOT / "render.yaml").read_text(encoding="utf-8"))
TASKS = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["poe"][
    "tasks"
]

each_server = pytest.mark.parametrize(
    ("target", "task", "port"),
    [
        ("rag-api", "run-inference-ml-service", 8001),
        ("inference", "deploy-inference-local", 8000),
    ],
)


def test_the_dockerfile_passes_its_linter() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    linted = subprocess.run(
        [linter, PROJECT_ROOT / "Dockerfile"], capture_output=True, text=True, timeout=60
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr


@each_server
def test_a_server_starts_as_its_task_does(target: str, task: str, port: int) -> None:
    [command] = re.findall(r"^CMD (\[.*\])$", STAGES[target], re.MULTILINE)
    assert json.loads(command) == [*TASKS[task]["cmd"].split(), "--host", "0.0.0.0"]  # noqa: S104
    assert f"EXPOSE {port}" in STAGES[target]
    assert COMPOSE["services"][target]["build"]["target"] == target


@each_server
def test_a_server_is_not_root_and_says_whether_it_is_ready(
    target: str, task: str, port: int
) -> None:
    assert re.search(r"^USER [1-9]\d+$", STAGES[target], re.MULTILINE)
    check = f'"tools.healthy", "http://127.0.0.1:{port}/ready"'
    assert check in STAGES[target]
    assert COMPOSE["services"][target]["healthcheck"]["test"][-1].endswith(f":{port}/ready")


def test_the_rag_api_is_what_is_built_without_a_name() -> None:
    assert list(STAGES)[-1] == "rag-api"


def test_an_image_holds_nothing_but_what_is_named() -> None:
    lines = (PROJECT_ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"
    named = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert all((PROJECT_ROOT / name).exists() for name in named)
    assert not named & {".env", ".rag", ".git", "tests"}


def settings_in(services: list[dict[str, Any]]) -> set[str]:
    return {one["key"] for service in services for one in service["envVars"]} - {"PORT"}


def test_recipes_name_settings_that_exist() -> None:
    known = set(Settings.model_fields)
    assert settings_in(RENDER["services"]) <= known
    for target in ("rag-api", "inference"):
        assert set(COMPOSE["services"][target]["environment"]) <= known


def test_recipes_hold_no_secret() -> None:
    secrets = {
        one["key"]: one
        for service in RENDER["services"]
        for one in service["envVars"]
        if re.search(r"KEY|URL|HOSTS", one["key"]) and one["key"] != "USE_QDRANT_CLOUD"
    }
    assert all("value" not in one and one["sync"] is False for one in secrets.values())
