"""Who may ask a server: settings, hosts, pages, keys, rates and bodies in front of an app."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.testclient import TestClient
from starlette.types import Message
from starlette.websockets import WebSocketDisconnect

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.infrastructure.serving.errors import install_error_handlers
from rag_llm_system.infrastructure.serving.keys import new_key
from rag_llm_system.infrastructure.serving.metrics import ServerMetrics
from rag_llm_system.infrastructure.serving.security import Access, access_for, protect

KEY, KEPT = new_key("ada")
OTHER, OTHER_KEPT = new_key("grace")
HERE = "http://localhost:8001"


def client(access: Access | None = None, base_url: str = HERE) -> TestClient:
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/health")
    async def health() -> str:
        return "ready"

    @app.get("/static/page.js")
    async def page() -> str:
        return "script"

    @app.get("/list")
    async def listed() -> str:
        return "read"

    @app.post("/ask")
    async def ask(request: Request) -> Response:
        return Response(await request.body())

    @app.get("/own")
    async def own() -> Response:
        return Response(headers={"Cache-Control": "max-age=60"})

    @app.post("/v1/ask")
    async def v1() -> str:
        return "asked"

    @app.get("/broken")
    async def broken() -> str:
        raise ValueError("nobody foresaw this")

    protect(app, access or Access())
    ServerMetrics("test").install(app)
    return TestClient(app, base_url=base_url)


def with_keys(**values: Any) -> TestClient:
    return client(Access(keys=(KEPT, OTHER_KEPT), **values))


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_on_loopback_no_key_is_needed_and_only_its_names_are_answered(host: str) -> None:
    access = access_for(host, keys_setting="", setting="RAG_API_KEYS")
    assert access.keys == ()
    assert access.allowed_hosts == ("localhost", "127.0.0.1", "[::1]")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "rag.example.org"])  # noqa: S104
def test_elsewhere_keys_are_needed(host: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        access_for(host, keys_setting="", setting="RAG_API_KEYS")
    assert str(raised.value) == (
        f"listening on {host} lets others ask, so it needs API keys: "
        "poe make-api-key -- NAME makes one for RAG_API_KEYS"
    )


def test_elsewhere_with_keys_any_host_name_is_answered_unless_some_are_listed() -> None:
    keyed = {"keys_setting": KEPT.entry, "setting": "RAG_API_KEYS"}
    assert access_for("0.0.0.0", **keyed).allowed_hosts == ()  # noqa: S104
    listed = access_for("0.0.0.0", **keyed, allowed_hosts="rag.example.org")  # noqa: S104
    assert listed.allowed_hosts == ("localhost", "127.0.0.1", "[::1]", "rag.example.org")


def test_what_the_settings_say_is_what_holds() -> None:
    access = access_for(
        "127.0.0.1",
        keys_setting=KEPT.entry,
        setting="RAG_API_KEYS",
        rate_per_minute=5,
        cors_origins="https://a.example",
    )
    assert (access.keys, access.rate_per_minute) == ((KEPT,), 5)
    assert access.cors_origins == ("https://a.example",)


@pytest.mark.parametrize("path", ["/health", "/static/page.js"])
def test_open_paths_need_no_key(path: str) -> None:
    assert with_keys().get(path).status_code == 200


@pytest.mark.parametrize(
    "path", ["/list", "/metrics", "/docs", "/openapi.json", "/nothing", "/health2", "/staticx"]
)
def test_everything_else_needs_one(path: str) -> None:
    asking = with_keys()
    refused = asking.get(path)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert asking.get(path, headers=bearer(KEY)).status_code != 401


@pytest.mark.parametrize(
    "headers", [{}, bearer("a"), bearer(KEY[:-1]), {"X-API-Key": ""}, {"Authorization": KEY}]
)
def test_a_missing_and_a_wrong_key_are_told_apart_by_nothing(headers: dict[str, str]) -> None:
    refused = with_keys().get("/list", headers=headers)
    assert refused.json() == {
        "error": "an API key is needed: Authorization: Bearer KEY, or X-API-Key: KEY"
    }


def test_openais_clients_read_what_is_wrong_with_the_key() -> None:
    refused = with_keys().post("/v1/ask", json={})
    assert refused.json()["error"]["code"] == "invalid_api_key"


def test_each_key_has_its_own_rate_whatever_address_it_comes_from() -> None:
    asking = with_keys(rate_per_minute=1)
    assert asking.get("/list", headers=bearer(KEY)).status_code == 200
    refused = asking.get("/list", headers={"X-API-Key": KEY})
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert asking.get("/list", headers=bearer(OTHER)).status_code == 200


def test_without_keys_the_rate_is_the_addresss_and_open_paths_are_free() -> None:
    asking = client(Access(rate_per_minute=1))
    statuses = [asking.get(path).status_code for path in ("/list", "/list", "/health", "/health")]
    assert statuses == [200, 429, 200, 200]


@pytest.mark.parametrize("host", ["localhost:8001", "127.0.0.1", "[::1]:9", "LOCALHOST"])
def test_names_of_this_machine_are_answered(host: str) -> None:
    assert client().get("/list", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "testserver", ""])
def test_other_names_are_not_as_a_page_could_have_pointed_them_here(host: str) -> None:
    for path in ("/list", "/health", "/"):
        refused = client().get(path, headers={"Host": host})
        assert refused.status_code == 421
        assert "ALLOWED_HOSTS" in refused.json()["error"]


def test_any_name_is_answered_where_none_is_listed() -> None:
    assert client(Access(allowed_hosts=()), "http://any.example").get("/list").status_code == 200


def test_a_page_of_another_site_may_not_ask() -> None:
    refused = client().post("/ask", json={}, headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers
    assert client().post("/ask", json={}, headers={"Origin": HERE}).status_code == 200


def test_what_another_sites_page_reads_its_browser_does_not_show_it() -> None:
    answer = client().get("/list", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_of_a_listed_origin_may_ask_and_reads_errors_too() -> None:
    asking = with_keys(cors_origins=("https://a.example",))
    page = {"Origin": "https://a.example"}
    wants = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    first = asking.options("/ask", headers={**page, **wants})
    assert first.status_code == 204
    assert first.headers["access-control-allow-headers"] == "x-api-key"
    for headers, status in ((page, 401), ({**page, **bearer(KEY)}, 200)):
        answer = asking.post("/ask", json={}, headers=headers)
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        assert "Origin" in answer.headers["vary"]
        assert "access-control-allow-credentials" not in answer.headers


def test_a_page_of_an_unlisted_origin_is_told_so_beforehand() -> None:
    asks = {"Origin": "https://b.example", "Access-Control-Request-Method": "POST"}
    assert (
        with_keys(cors_origins=("https://a.example",)).options("/ask", headers=asks).status_code
        == 403
    )


@pytest.mark.parametrize("path", ["/list", "/nothing", "/broken", "/health", "/metrics"])
def test_every_answer_tells_browsers_what_they_may_not_do(path: str) -> None:
    headers = client().get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'self'; ")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_refusals_carry_those_headers_and_are_counted() -> None:
    asking = client()
    assert "x-frame-options" in asking.get("/list", headers={"Host": "a.example"}).headers
    assert 'route="other",status="421"} 1.0' in asking.get("/metrics").text


def test_files_may_be_kept_if_asked_for_again_and_a_route_decides_for_itself() -> None:
    assert client().get("/static/page.js").headers["cache-control"] == "no-cache"
    assert client().get("/own").headers["cache-control"] == "max-age=60"


def test_only_the_docs_page_may_load_scripts_from_elsewhere() -> None:
    assert "cdn.jsdelivr.net" in client().get("/docs").headers["content-security-policy"]
    assert "cdn.jsdelivr.net" not in client().get("/list").headers["content-security-policy"]


def test_the_app_reads_the_body_as_it_was_sent() -> None:
    body = '{"query": "caf\\u00e9 \U0001f600", "k": 1.5}'.encode()
    answer = client().post("/ask", content=body, headers={"Content-Type": "application/json"})
    assert answer.content == body


def test_a_body_in_pieces_is_put_together_and_bounded_without_a_length() -> None:
    asking = client(Access(max_body_bytes=100))
    kind = {"Content-Type": "application/json; charset=utf-8"}
    whole = asking.post("/ask", content=iter([b'{"a"', b": 1}"]), headers=kind)
    assert whole.content == b'{"a": 1}'
    refused = asking.post("/ask", content=iter([b'"', b"a" * 60, b"a" * 60, b'"']), headers=kind)
    assert refused.status_code == 413
    assert refused.json() == {"error": "the body is too large; at most 100 bytes"}


def test_a_large_body_that_is_in_order_passes() -> None:
    body = b'"' + b"a" * 200_000 + b'"'
    answer = client().post("/ask", content=body, headers={"Content-Type": "application/json"})
    assert answer.content == body


def test_nobody_talks_by_web_socket() -> None:
    with pytest.raises(WebSocketDisconnect), client().websocket_connect("/list"):
        pass


def test_a_client_that_leaves_before_its_body_is_there_is_not_answered() -> None:
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        said.append(message)

    head = [
        (b"host", b"localhost"),
        (b"content-type", b"application/json"),
        (b"content-length", b"9"),
    ]
    scope = {"type": "http", "method": "POST", "path": "/ask", "query_string": b"", "headers": head}
    asyncio.run(client().app(scope, receive, send))
    assert said == []
