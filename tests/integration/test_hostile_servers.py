"""The hostile requests against both servers as they are, each on a real port."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from rag_llm_system.infrastructure.inference_pipeline_api import create_app
from rag_llm_system.infrastructure.serving.security import Access
from tests.hostile_requests import (
    Hostile,
    Target,
    answer_to,
    assert_refused,
    hostile_requests,
    said_by,
)
from tests.inference_apps import ScriptedEngine, app_with
from tests.rag_apis import memory_system, monitor
from tests.two_servers import WAIT_S, Served, served

ACCESS = Access(max_body_bytes=1_000_000, body_timeout_s=0.3)
HEAD_TIMEOUT_S = 0.3
QUESTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "/rag": ({"query": "a"}, "query"),
    "/retrieve": ({"query": "a"}, "query"),
    "/feedback": ({"trace_id": "a", "score": 1}, "trace_id"),
    "/infer": ({"prompt": "a"}, "prompt"),
    "/v1/chat/completions": ({"messages": [{"role": "user", "content": "a"}]}, "messages"),
}
"""A body for each path, and the field of it that hostile texts are put in."""


@pytest.fixture(scope="module")
def rag_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data_dir = tmp_path_factory.mktemp("data")
    app = create_app(lambda: memory_system(data_dir), monitor(), access=ACCESS)
    with served(app, head_timeout_s=HEAD_TIMEOUT_S) as server:
        yield server


@pytest.fixture(scope="module")
def inference() -> Iterator[Served]:
    app = app_with(lambda: ScriptedEngine("An answer."), access=ACCESS)
    with served(app, head_timeout_s=HEAD_TIMEOUT_S) as server:
        yield server


@pytest.fixture
def server(request: pytest.FixtureRequest, name: str) -> Served:
    found: Served = request.getfixturevalue(name)
    with asking(found) as client:
        while client.get("/ready").status_code != 200:
            continue
    return found


def asking(server: Served) -> httpx.Client:
    return httpx.Client(base_url=server.address, timeout=WAIT_S, trust_env=False)


def hostile(server: Served, path: str) -> Iterator[Hostile]:
    body, field = QUESTIONS[path]
    target = Target(f"127.0.0.1:{server.port}", path, body, field, ACCESS.max_body_bytes)
    yield from hostile_requests(target)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("rag_api", "/rag"),
        ("rag_api", "/retrieve"),
        ("rag_api", "/feedback"),
        ("rag_api", "/v1/chat/completions"),
        ("inference", "/infer"),
        ("inference", "/v1/chat/completions"),
    ],
)
def test_hostile_requests_get_one_clear_line_and_the_server_stays_well(
    server: Served, path: str
) -> None:
    lines = set()
    with asking(server) as client:
        for request in hostile(server, path):
            answer = answer_to(server.port, request)
            assert_refused(request, answer)
            lines.add(said_by(answer) if answer.status else "")
            assert client.get("/health").json()["status"] == "ready"
        told = client.get("/metrics").text
    assert len(lines) > 30
    assert 'status="5' not in told


@pytest.mark.parametrize(("name", "path"), [("rag_api", "/rag"), ("inference", "/infer")])
def test_who_is_let_in_is_answered_still(server: Served, path: str) -> None:
    with asking(server) as client:
        assert client.post(path, json=QUESTIONS[path][0]).status_code == 200


@pytest.mark.parametrize(("name", "path"), [("rag_api", "/rag"), ("inference", "/infer")])
def test_nothing_of_refused_requests_is_left(server: Served, path: str) -> None:
    before = server.tasks()
    for request in hostile(server, path):
        answer_to(server.port, request)
    while server.tasks() > before:
        continue
