"""What a server counts about itself."""

import sys

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from starlette.staticfiles import StaticFiles

from rag_llm_system.infrastructure.serving.errors import install_error_handlers
from rag_llm_system.infrastructure.serving.metrics import ServerMetrics

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Server:
    def __init__(self, folder: str = ".") -> None:
        app = FastAPI()
        install_error_handlers(app)
        below = APIRouter(prefix="/v1")

        @below.get("/models/{model}")
        async def model(model: str) -> str:
            return model

        @below.get("/models")
        async def models() -> list[str]:
            raise ValueError("nobody foresaw this")

        app.include_router(below)
        app.mount("/static", StaticFiles(directory=folder, check_dir=False))
        self.metrics = ServerMetrics("test")
        self.metrics.install(app)
        self.client = TestClient(app)

    def value(self, name: str, **labels: str) -> float:
        return self.samples()[(name, tuple(sorted(labels.items())))]

    def samples(self) -> Samples:
        text = self.client.get("/metrics").text
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def routes(self) -> set[str]:
        return {dict(labels)["route"] for name, labels in self.samples() if "route" in dict(labels)}


def test_requests_are_counted_by_the_route_that_answered() -> None:
    server = Server()
    for path in ("/v1/models/a", "/v1/models/b", "/v1/models"):
        server.client.get(path)
    counted = "rag_http_requests_total"
    found = server.value(counted, method="GET", route="/v1/models/{model}", status="200")
    failed = server.value(counted, method="GET", route="/v1/models", status="500")
    assert (found, failed) == (2, 1)
    took = "rag_http_request_duration_seconds_count"
    assert server.value(took, method="GET", route="/v1/models/{model}") == 2


def test_made_up_paths_and_methods_add_no_labels() -> None:
    server = Server()
    for number in range(20):
        server.client.get(f"/{number}")
        server.client.get(f"/static/{number}")
        server.client.request(f"M{number}", "/v1/models")
    assert server.routes() == {"other", "/static", "/v1/models"}
    assert server.value("rag_http_requests_total", method="GET", route="other", status="404") == 20
    refused = {"method": "other", "route": "/v1/models", "status": "405"}
    assert server.value("rag_http_requests_total", **refused) == 20


def test_a_request_counts_while_it_is_answered() -> None:
    server = Server()
    assert server.value("rag_http_requests_in_flight") == 1  # the one that asks
    server.metrics.began()
    assert server.value("rag_http_requests_in_flight") == 2


def test_stages_events_and_values_are_named_by_the_server() -> None:
    server = Server()
    server.metrics.observe_stage("search", 0.02)
    server.metrics.count("answer_ungrounded")
    server.metrics.count("answer_ungrounded", by=2)
    server.metrics.gauge("waiting_requests", "Requests that wait", lambda: 7)
    assert server.value("rag_stage_duration_seconds_sum", stage="search") == 0.02
    assert server.value("rag_events_total", event="answer_ungrounded") == 3
    assert server.value("rag_waiting_requests") == 7
    assert server.value("rag_server_info", server="test") == 1


def test_two_servers_of_one_process_do_not_share_their_counts() -> None:
    one, other = Server(), Server()
    one.metrics.count("a")
    assert ("rag_events_total", (("event", "a"),)) not in other.samples()


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_the_processs_memory_is_reported() -> None:
    assert Server().value("process_resident_memory_bytes") > 1_000_000


def test_who_asks_for_open_metrics_gets_them() -> None:
    asked = Server().client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert asked.headers["content-type"].startswith("application/openmetrics-text")
    assert asked.text.endswith("# EOF\n")
