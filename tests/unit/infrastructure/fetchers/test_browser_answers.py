"""What a browser's visit means for a crawl: a page, or which failure."""

from typing import Any

import pytest

from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.browser_answers import page_of
from rag_llm_system.infrastructure.fetchers.browser_log import Response
from rag_llm_system.infrastructure.fetchers.browser_session import Visit
from rag_llm_system.infrastructure.fetchers.egress_relay import Refused

LINK = "http://site.example/a"
OK = Response(200, {"server": "x", "cookie": "y"}, "text/html")
PRIVATE = Refused("10.0.0.1", 80, "10.0.0.1 is a private address", "unsafe")


def visit(**changes: Any) -> Visit:
    usual: dict[str, Any] = {"url": LINK, "response": OK, "html": "<p>Text</p>"}
    return Visit(**usual | changes)


def test_a_success_is_a_page() -> None:
    page = page_of(LINK, visit(url="https://site.example/b#part", html="<p>Ü\ud800</p>"))
    assert (page.url, page.final_url) == (LINK, "https://site.example/b")
    assert (page.status, page.content_type, page.via) == (200, "text/html", "browser")
    assert page.text == "<p>Ü?</p>"
    assert page.headers == {"server": "x"}


@pytest.mark.parametrize(
    ("changes", "kind", "reason"),
    [
        ({"too_large": "larger than 5"}, "too large", "larger than 5"),
        ({"html": " "}, "empty", "the page is empty"),
        ({"response": Response(404)}, "gone", "HTTP 404 Not Found"),
        ({"response": Response(410)}, "gone", "HTTP 410 Gone"),
        ({"response": Response(401)}, "refused", "HTTP 401 Unauthorized"),
        ({"response": Response(999)}, "refused", "HTTP 999"),
        ({"response": Response(503)}, "busy", "HTTP 503 Service Unavailable"),
        ({"response": Response(500)}, "unreachable", "HTTP 500 Internal Server Error"),
        (
            {"response": Response(200, {}, "application/json")},
            "not text",
            "not an HTML page but application/json",
        ),
        (
            {"url": "", "response": Response(200, {}, "application/pdf"), "has_download": True},
            "not text",
            "a download, not a page (application/pdf)",
        ),
        ({"url": "", "response": Response(204)}, "empty", "HTTP 204 No Content"),
        (
            {"url": "", "response": None, "error": "ERR_ABORTED"},
            "unreachable",
            "the browser got no page: ERR_ABORTED",
        ),
        (
            {"url": "", "response": None},
            "unreachable",
            "the browser got no page: no error named",
        ),
        (
            {"response": None, "has_error_page": True, "error": "ERR_CERT_DATE_INVALID"},
            "unreachable",
            "TLS certificate refused: ERR_CERT_DATE_INVALID",
        ),
        (
            {"response": None, "has_error_page": True, "error": "ERR_SSL_PROTOCOL_ERROR"},
            "unreachable",
            "TLS handshake failed: ERR_SSL_PROTOCOL_ERROR",
        ),
        (
            {"response": None, "has_error_page": True, "error": "ERR_UNSAFE_PORT"},
            "unsafe",
            "the browser does not connect to this port",
        ),
        (
            {"url": "blob:http://site.example/1", "response": None},
            "unsafe",
            "led to 'blob:http://site.example/1', which is not a web page",
        ),
        ({"response": None}, "failed", "the browser shows a page that no server sent"),
    ],
)
def test_what_is_no_page_has_a_kind_and_a_reason(
    changes: dict[str, Any], kind: str, reason: str
) -> None:
    with pytest.raises(CrawlError) as raised:
        page_of(LINK, visit(**changes))
    assert (raised.value.kind, raised.value.reason) == (kind, reason)
    assert raised.value.link == LINK


def test_an_answer_that_is_no_success_comes_with_its_page() -> None:
    busy = Response(429, {"retry-after": "9"}, "text/html")
    with pytest.raises(CrawlError) as raised:
        page_of(LINK, visit(response=busy))
    assert raised.value.retry_after_s == 9
    assert raised.value.page is not None
    assert raised.value.page.text == "<p>Text</p>"


def test_what_the_proxy_refused_counts_when_it_was_the_page_itself() -> None:
    refused = Refused("site.example", 80, "a private address", "unsafe")
    by_proxy = visit(response=Response(403, {}, "text/plain"), refused=[PRIVATE, refused])
    with pytest.raises(CrawlError) as raised:
        page_of(LINK, by_proxy)
    assert (raised.value.kind, raised.value.reason) == ("unsafe", "a private address")
    assert raised.value.page is None


def test_where_a_page_led_is_told_from_the_link_itself() -> None:
    led = visit(url="http://10.0.0.1/", response=Response(403), refused=[PRIVATE])
    with pytest.raises(CrawlError) as raised:
        page_of(LINK, led)
    assert raised.value.reason == "led elsewhere, but: 10.0.0.1 is a private address"


def test_a_part_that_was_refused_does_not_spoil_the_page() -> None:
    assert page_of(LINK, visit(refused=[PRIVATE])).status == 200
    with pytest.raises(CrawlError, match="HTTP 403 Forbidden"):
        page_of(LINK, visit(response=Response(403, {}, "text/html"), refused=[PRIVATE]))


def test_a_tunnel_that_was_refused_shows_the_proxys_reason() -> None:
    refused = Refused("site.example", 443, "host name not found", "unreachable")
    failed = visit(
        url="https://site.example/",
        response=None,
        has_error_page=True,
        error="ERR_TUNNEL_CONNECTION_FAILED",
        refused=[refused],
    )
    with pytest.raises(CrawlError) as raised:
        page_of("https://site.example/", failed)
    assert (raised.value.kind, raised.value.reason) == ("unreachable", "host name not found")
