"""Which messages a proxy takes, and what it passes on of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.infrastructure.fetchers.egress_messages import (
    BadMessage,
    parse_answer,
    parse_request,
    refusal,
)


def request(line: str, *headers: str) -> bytes:
    return ("\r\n".join([line, *headers]) + "\r\n\r\n").encode("latin-1")


@pytest.mark.parametrize(
    ("target", "host", "port", "line"),
    [
        ("http://site.example/a?b=c#d", "site.example", 80, "GET /a?b=c HTTP/1.1"),
        ("http://site.example", "site.example", 80, "GET / HTTP/1.1"),
        ("http://site.example?a", "site.example", 80, "GET /?a HTTP/1.1"),
        ("HTTP://Site.Example:8080/", "site.example", 8080, "GET / HTTP/1.1"),
        ("http://[::1]:81/", "::1", 81, "GET / HTTP/1.1"),
        (
            "http://site.example//other.example/",
            "site.example",
            80,
            "GET //other.example/ HTTP/1.1",
        ),
    ],
)
def test_a_request_names_where_to_go_and_what_to_ask(
    target: str, host: str, port: int, line: str
) -> None:
    parsed = parse_request(request(f"GET {target} HTTP/1.1", "Host: other.example"))
    lines = parsed.head.decode().split("\r\n")
    assert (parsed.host, parsed.port, parsed.tunnel) == (host, port, False)
    assert lines[0] == line
    assert [one for one in lines if one.startswith("Host:")] == [
        f"Host: {target.split('/')[2].split('?')[0]}"
    ]
    assert lines.count("Connection: close") == 1


def test_a_tunnel_names_host_and_port() -> None:
    parsed = parse_request(request("CONNECT site.example:443 HTTP/1.1", "Host: site.example:443"))
    assert parsed[:3] == ("site.example", 443, True)
    assert parsed.head == b""


def test_headers_for_one_hop_go_no_further() -> None:
    hop = ["Connection: X-Secret", "X-Secret: 1", "Trailer: X", "Upgrade: h2c", "Keep-Alive: 5"]
    parsed = parse_request(request("GET http://site.example/ HTTP/1.1", *hop, "X-Kept: 2"))
    assert (
        parsed.head
        == b"GET / HTTP/1.1\r\nHost: site.example\r\nX-Kept: 2\r\nConnection: close\r\n\r\n"
    )
    answer = request("HTTP/1.1 200 OK", "Connection: X-Secret", "X-Secret: 1", "Content-Length: 3")
    assert parse_answer(answer) == (
        200,
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n",
    )


def test_the_length_of_a_body_is_known() -> None:
    parsed = parse_request(request("POST http://site.example/ HTTP/1.1", "Content-Length: 12"))
    assert parsed.body_bytes == 12


@pytest.mark.parametrize(
    "line", ["HTTP/2 200", "HTTP/1.1 99 No", "ICY 200 OK", "", "HTTP/1.1 2000"]
)
def test_what_is_no_answer_is_refused(line: str) -> None:
    with pytest.raises(BadMessage):
        parse_answer(request(line))


def test_a_refusal_is_a_whole_answer() -> None:
    answer = refusal(403, "weil nicht öffentlich")
    status, head = parse_answer(answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    assert status == 403
    assert b"Content-Length: 22\r\n" in head
    assert answer.endswith("öffentlich".encode())


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_a_request_or_refused(head: bytes) -> None:
    for start in (b"", b"GET http://", b"CONNECT ", b"POST http://a.example/ HTTP/1.1\r\n"):
        try:
            parsed = parse_request(start + head + b"\r\n\r\n")
        except BadMessage:
            continue
        assert parsed.host
        assert 0 < parsed.port < 65_536
        assert parsed.tunnel or b"\n" not in parsed.head.replace(b"\r\n", b"")
