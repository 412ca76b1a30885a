"""Both servers against their own OpenAPI files: what a schema allows is answered as the schema says."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, CheckFunction, load_all_checks
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi.checks import negative_data_rejection

from tests.inference_apps import ScriptedEngine, app_with
from tests.rag_apis import ADA, GRACE, index, memory_system, serving, written_by

BASE = "http://127.0.0.1"
EXAMPLES = 20
"""For each route and each kind of data, right and wrong; which ones is decided by no chance."""

ENOUGH_S = 5.0

DECLARED = (
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
RAG_ROUTES = (
    "POST /rag",
    "POST /retrieve",
    "POST /v1/chat/completions",
    "GET /v1/models",
    "GET /v1/models/{model_id}",
    "POST /feedback",
    "GET /filters",
    "GET /preferences",
    "POST /preferences",
    "DELETE /preferences/{id}",
    "GET /health",
    "GET /ready",
)
INFERENCE_ROUTES = (
    "POST /infer",
    "POST /v1/chat/completions",
    "GET /v1/models",
    "GET /v1/models/{model}",
    "GET /health",
    "GET /ready",
)


@pytest.fixture(scope="module")
def rag_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    system = memory_system(tmp_path_factory.mktemp("data"))
    texts = {
        ADA: "The embedded server stops by itself when its last client is gone.",
        GRACE: "A long chunk is embedded as several windows that point to the one chunk.",
    }
    index(system, [written_by(who, f"{BASE}/{who.id}", text) for who, text in texts.items()])
    with serving(lambda: system) as client:
        yield client


@pytest.fixture(scope="module")
def inference() -> Iterator[TestClient]:
    app = app_with(lambda: ScriptedEngine("An answer", " in two pieces."))
    with TestClient(app, base_url=BASE, raise_server_exceptions=False) as client:
        while client.get("/ready").status_code != 200:
            continue
        yield client


def answers_hold(
    client: TestClient, route: str, mode: GenerationMode, *more: CheckFunction
) -> None:
    """Asks the route with examples, and compares each answer with what its schema declares."""
    load_all_checks()
    checks = [no_failure_of_the_server, *CHECKS.get_by_names(DECLARED), *more]
    schema: Any = from_dict(client.get("/openapi.json").json())
    method, path = route.split(" ")

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    def hold(case: Any) -> None:
        case.validate_response(sent(client, case), checks=checks)

    hold()


def no_failure_of_the_server(context: Any, response: Any, case: Any) -> None:
    """Who gives an answer no time gets 504 for it."""
    asked_s = case.body.get("deadline_s") if isinstance(case.body, dict) else None
    is_late = response.status_code == 504 and asked_s is not None and asked_s < ENOUGH_S
    assert response.status_code < 500 or is_late, response.text


def refused(context: Any, response: Any, case: Any) -> None:
    """What a schema does not allow is not taken; too large a body has a status of its own."""
    if response.status_code < 300:
        negative_data_rejection(context, response, case)


def sent(client: TestClient, case: Any) -> Any:
    asked = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
    return client.request(
        str(asked.method), str(asked.url), content=asked.body, headers=dict(asked.headers)
    )


@pytest.mark.parametrize("route", RAG_ROUTES)
def test_the_rag_api_answers_as_it_declares(rag_api: TestClient, route: str) -> None:
    answers_hold(rag_api, route, GenerationMode.POSITIVE)


@pytest.mark.parametrize("route", INFERENCE_ROUTES)
def test_the_inference_server_answers_as_it_declares(inference: TestClient, route: str) -> None:
    answers_hold(inference, route, GenerationMode.POSITIVE)


@pytest.mark.parametrize(
    "route", ["POST /rag", "POST /retrieve", "POST /feedback", "POST /preferences"]
)
def test_the_rag_api_refuses_what_it_does_not_declare(rag_api: TestClient, route: str) -> None:
    answers_hold(rag_api, route, GenerationMode.NEGATIVE, refused)


def test_the_inference_server_refuses_what_it_does_not_declare(inference: TestClient) -> None:
    answers_hold(inference, "POST /infer", GenerationMode.NEGATIVE, refused)


@pytest.mark.parametrize("server", ["rag_api", "inference"])
def test_openais_clients_get_an_answer_whatever_they_send(
    request: pytest.FixtureRequest, server: str
) -> None:
    """It is taken generously, as OpenAI's own API takes it."""
    client: TestClient = request.getfixturevalue(server)
    answers_hold(client, "POST /v1/chat/completions", GenerationMode.NEGATIVE)


def test_every_route_is_asked(rag_api: TestClient, inference: TestClient) -> None:
    for client, routes in ((rag_api, RAG_ROUTES), (inference, INFERENCE_ROUTES)):
        schema: Any = from_dict(client.get("/openapi.json").json())
        assert {one.ok().label for one in schema.get_all_operations()} == set(routes)


def test_errors_are_declared_as_they_come(rag_api: TestClient, inference: TestClient) -> None:
    for client in (rag_api, inference):
        assert "ValidationError" not in json.dumps(client.get("/openapi.json").json())
