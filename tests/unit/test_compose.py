"""docker-compose.yml: valid, pinned, on loopback only, and with health checks that work."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

COMPOSE_FILE = Path(__file__).resolve().parents[2] / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]

each_service = pytest.mark.parametrize("name", SERVICES)


def qdrant_is_healthy(port: int) -> bool:
    """Run Qdrant's own health check as the engine would, against a port of this machine."""
    kind, *command = SERVICES["qdrant"]["healthcheck"]["test"]
    assert kind == "CMD"
    seen_in_container = [part.replace("$$", "$").replace("6333", str(port)) for part in command]
    return subprocess.run(seen_in_container, capture_output=True, timeout=10).returncode == 0


@pytest.fixture
def web_root_and_port(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A folder and the loopback port where it is served: a file is 200, its absence 404."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    server = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with server:
        assert server.stdout
        announced = re.search(r"port (\d+)", server.stdout.readline())
        assert announced
        yield tmp_path, int(announced[1])
        server.terminate()


def test_the_file_is_a_valid_compose_file() -> None:
    command = [sys.executable, "-m", "check_jsonschema"]
    arguments = ["--builtin-schema", "vendor.compose-spec", str(COMPOSE_FILE)]
    checked = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@each_service
def test_an_image_is_pinned_to_a_full_version(name: str) -> None:
    assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+\.\d+", SERVICES[name]["image"])


@each_service
def test_ports_are_published_on_loopback_only(name: str) -> None:
    ports = SERVICES[name]["ports"]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


@each_service
def test_data_lives_in_a_named_volume(name: str) -> None:
    sources = [volume.partition(":")[0] for volume in SERVICES[name]["volumes"]]
    assert sources
    assert set(sources) - {"./.rag/models"} <= set(COMPOSE["volumes"])


@each_service
def test_what_is_mounted_of_the_clone_is_only_read(name: str) -> None:
    mounted = [v for v in SERVICES[name]["volumes"] if v.startswith(".")]
    assert all(volume.endswith(":ro") for volume in mounted)


def test_our_own_servers_are_opt_in() -> None:
    opt_in = {name for name, service in SERVICES.items() if service.get("profiles") == ["app"]}
    assert opt_in == {name for name, service in SERVICES.items() if "build" in service}
    assert opt_in == {"inference", "rag-api"}


@each_service
def test_a_service_has_a_health_check_that_ends(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert {"test", "interval", "timeout", "retries", "start_period"} == set(check)


def test_every_variable_has_a_default() -> None:
    variables = re.findall(r"(?<!\$)\$\{([^}]*)\}", COMPOSE_FILE.read_text(encoding="utf-8"))
    assert variables
    assert all(re.fullmatch(r"[A-Z_]+:-\w*", variable) for variable in variables)


def test_qdrant_is_healthy_when_it_says_that_it_is_ready(
    web_root_and_port: tuple[Path, int],
) -> None:
    root, port = web_root_and_port
    (root / "readyz").touch()
    assert qdrant_is_healthy(port)


def test_qdrant_is_unhealthy_when_it_answers_otherwise(
    web_root_and_port: tuple[Path, int],
) -> None:
    _, port = web_root_and_port
    assert not qdrant_is_healthy(port)


def test_qdrant_is_unhealthy_when_nothing_listens() -> None:
    assert not qdrant_is_healthy(port=1)  # reserved: no service of today uses it
