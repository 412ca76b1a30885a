"""The browser's proxy over real sockets: what it passes on, what it refuses, and where it stops."""

import contextlib
import http.client
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import trustme

from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.egress_proxy import EgressProxy
from tests.browser_site import Handler, WebServer, serving, wait_until


def echo(handler: Handler) -> None:
    length = int(handler.headers.get("Content-Length", 0))
    body = handler.rfile.read(length).decode()
    lines = [f"{name.lower()}: {value}" for name, value in handler.headers.items()]
    handler.answer(
        "\n".join([f"{handler.command} {handler.path}", *lines, body]), kind="text/plain"
    )


def early_hints(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
    handler.answer("after", kind="text/plain")


def raw(answer: bytes) -> Any:
    def send(handler: Handler) -> None:
        handler.wfile.write(answer)
        handler.close_connection = True

    return send


def silence(handler: Handler) -> None:
    handler.server.over.wait(20)
    handler.close_connection = True


ROUTES: dict[str, Any] = {
    "/echo": echo,
    "/hints": early_hints,
    "/kilobyte": lambda h: h.answer(b"x" * 1_000, kind="text/plain"),
    "/megabyte": lambda h: h.answer(b"x" * 1_000_000, kind="text/plain"),
    "/hop": lambda h: h.answer("hop", kind="text/plain", Keep_Alive="timeout=5", X_Kept="1"),
    "/no-http": raw(b"SSH-2.0-OpenSSH\r\n\r\n"),
    "/long-head": raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"),
    "/silent": silence,
}


@pytest.fixture(scope="module")
def site() -> Iterator[WebServer]:
    with serving(ROUTES) as server:
        yield server


def rules_for(server: WebServer) -> AddressRules:
    def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        known = {"internal.example": "127.0.0.1", "mixed.example": "10.0.0.1"}
        if host not in known:
            raise OSError("unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (known[host], port))]

    return AddressRules(
        connect_to={
            "site.example": f"127.0.0.1:{server.server_port}",
            "closed.example": "127.0.0.1:9",
        },
        resolve=resolve,
    )


@pytest.fixture
def proxy(site: WebServer) -> Iterator[EgressProxy]:
    with EgressProxy(rules_for(site), max_response_bytes=100_000, max_page_bytes=150_000) as proxy:
        yield proxy


def ask(
    proxy: EgressProxy, target: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, target, body, sent)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def exchange(proxy: EgressProxy, sent: bytes) -> bytes:
    """Everything the proxy answers to some bytes until it ends the connection."""
    with socket.create_connection(("127.0.0.1", proxy.port), 10) as client:
        client.sendall(sent)
        received = b""
        while piece := client.recv(65_536):
            received += piece
        return received


def test_a_request_reaches_its_server_without_what_is_for_the_proxy(proxy: EgressProxy) -> None:
    headers = {
        "Proxy_Connection": "keep-alive",
        "Proxy_Authorization": "Basic secret",
        "Connection": "X-Mine, keep-alive",
        "X_Mine": "1",
        "X_Kept": "2",
        "Host": "elsewhere.example",
        "Upgrade": "h2c",
    }
    answer, body = ask(proxy, "http://site.example/echo?a=b", "POST", b"the body", **headers)
    lines = body.decode().splitlines()
    assert lines[0] == "POST /echo?a=b"
    assert lines[-1] == "the body"
    assert "host: site.example" in lines
    assert "x-kept: 2" in lines
    assert "connection: close" in lines
    text = body.decode().lower()
    assert not any(word in text for word in ("proxy", "x-mine", "upgrade", "secret", "elsewhere"))
    assert answer.status == 200
    assert proxy.refused == []


def test_an_answer_ends_its_connection(proxy: EgressProxy) -> None:
    answer, body = ask(proxy, "http://site.example/hop")
    assert body == b"hop"
    assert answer.headers.get_all("Connection") == ["close"]
    assert answer.headers["Keep-Alive"] is None
    assert answer.headers["X-Kept"] == "1"


def test_a_second_request_on_a_connection_is_not_passed_on(
    proxy: EgressProxy, site: WebServer
) -> None:
    site.asked.clear()
    first = b"GET http://site.example/kilobyte HTTP/1.1\r\nHost: site.example\r\n\r\n"
    second = b"GET http://internal.example/kilobyte HTTP/1.1\r\nHost: internal.example\r\n\r\n"
    with socket.create_connection(("127.0.0.1", proxy.port), 10) as client:
        client.sendall(first + second)
        client.settimeout(1.0)
        received = b""
        while b"x" * 1000 not in received:
            received += client.recv(65_536)
    assert received.count(b"HTTP/1.1") == 1
    assert site.asked == ["site.example/kilobyte"]


def test_interim_answers_are_left_out(proxy: EgressProxy) -> None:
    assert ask(proxy, "http://site.example/hints")[1] == b"after"


def test_a_tunnel_passes_tls_through() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("site.example").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with serving(ROUTES, tls=context) as server, EgressProxy(rules_for(server)) as proxy:
        connection = http.client.HTTPSConnection(
            "127.0.0.1", proxy.port, timeout=10, context=trusting
        )
        connection.set_tunnel("site.example", 443)
        for _ in range(2):
            connection.request("GET", "/kilobyte")
            assert connection.getresponse().read() == b"x" * 1_000
        connection.close()
        assert proxy.refused == []


@pytest.mark.parametrize(
    ("host", "port", "kind", "reason"),
    [
        ("127.0.0.1", 80, "unsafe", "private address"),
        ("10.1.2.3", 443, "unsafe", "private address"),
        ("169.254.169.254", 80, "unsafe", "private address"),
        ("[::1]", 80, "unsafe", "private address"),
        ("internal.example", 80, "unsafe", "private address"),
        ("mixed.example", 443, "unsafe", "private address"),
        ("site.example.", 25, "unsafe", ""),
        ("8.8.8.8", 53, "unsafe", "port 53"),
        ("unknown.example", 80, "unreachable", "not found"),
        ("closed.example", 80, "unreachable", "connection failed"),
    ],
)
def test_what_the_rules_refuse_is_refused_and_noted(
    site: WebServer, host: str, port: int, kind: str, reason: str
) -> None:
    def resolve(name: str, at: int, **_: Any) -> Any:
        if name == "unknown.example":
            raise OSError("unknown")
        address = "10.0.0.1" if name.endswith("example") else name.strip("[]")
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, at))]

    rules = AddressRules(resolve=resolve, connect_to={"closed.example": "127.0.0.1:9"})
    status = 502 if kind == "unreachable" else 403
    with EgressProxy(rules) as proxy:
        answer, body = ask(proxy, f"http://{host}:{port}/")
        assert answer.status == status
        connect = f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"
        assert exchange(proxy, connect.encode()).startswith(f"HTTP/1.1 {status} ".encode())
        noted = proxy.refused
    assert len(noted) == 2
    assert {(one.host, one.port, one.kind) for one in noted} == {(host.strip("[]"), port, kind)}
    assert all(reason in one.reason for one in noted)
    assert noted[0].reason in body.decode()


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: site.example\r\n\r\n",
        b"GET ftp://site.example/ HTTP/1.1\r\n\r\n",
        b"GET https://site.example/ HTTP/1.1\r\n\r\n",
        b"GET http://user@site.example/ HTTP/1.1\r\n\r\n",
        b"GET http:///etc/passwd HTTP/1.1\r\n\r\n",
        b"GET http://site.example:x/ HTTP/1.1\r\n\r\n",
        b"GET http://site.example/ HTTP/2\r\n\r\n",
        b"GET  http://site.example/ HTTP/1.1\r\n\r\n",
        b"CONNECT site.example HTTP/1.1\r\n\r\n",
        b"CONNECT site.example:443/path HTTP/1.1\r\n\r\n",
        b"GET http://site.example/ HTTP/1.1\r\nA: 1\r\n folded\r\n\r\n",
        b"GET http://site.example/ HTTP/1.1\r\nA : 1\r\n\r\n",
        b"GET http://site.example/ HTTP/1.1\r\nA: 1\nB: 2\r\n\r\n",
        b"POST http://site.example/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST http://site.example/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST http://site.example/ HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
        b"\x16\x03\x01 TLS\r\n\r\n",
    ],
)
def test_what_is_no_clear_proxy_request_is_refused(
    proxy: EgressProxy, site: WebServer, sent: bytes
) -> None:
    site.asked.clear()
    assert exchange(proxy, sent).startswith(b"HTTP/1.1 403 ")
    assert site.asked == []
    assert len(proxy.refused) == 1


def test_an_endless_request_head_is_cut_off(proxy: EgressProxy) -> None:
    sent = b"GET http://site.example/ HTTP/1.1\r\nA: " + b"a" * 200_000
    with contextlib.suppress(ConnectionError):  # it may hang up while we are still sending
        assert exchange(proxy, sent) == b""
    assert ask(proxy, "http://site.example/kilobyte")[0].status == 200


@pytest.mark.parametrize("path", ["no-http", "long-head"])
def test_a_server_that_speaks_no_http_is_refused_or_cut_off(proxy: EgressProxy, path: str) -> None:
    received = exchange(proxy, f"GET http://site.example/{path} HTTP/1.1\r\n\r\n".encode())
    assert received == b"" or received.startswith(b"HTTP/1.1 502 ")


def test_one_response_over_the_limit_is_cut_and_ends_the_page(proxy: EgressProxy) -> None:
    proxy.begin_page()
    with pytest.raises((ConnectionError, http.client.IncompleteRead)):
        ask(proxy, "http://site.example/megabyte")
    assert proxy.too_large == "one response is larger than 100,000 bytes"
    answer, body = ask(proxy, "http://site.example/kilobyte")
    assert (answer.status, body.decode()) == (403, proxy.too_large)
    proxy.begin_page()
    assert proxy.too_large == ""
    assert proxy.refused == []
    assert ask(proxy, "http://site.example/kilobyte")[0].status == 200


def test_many_responses_over_the_limit_of_a_page_are_cut() -> None:
    with serving(ROUTES) as server, EgressProxy(rules_for(server), max_page_bytes=5_500) as proxy:
        for _ in range(2):
            proxy.begin_page()
            statuses = []
            for _ in range(8):
                try:
                    statuses.append(ask(proxy, "http://site.example/kilobyte")[0].status)
                except (ConnectionError, http.client.IncompleteRead):
                    statuses.append(0)
            assert statuses == [200, 200, 200, 200, 0, 403, 403, 403]
            assert "larger than 5,500 bytes together" in proxy.too_large


def test_the_proxy_never_dials_itself_or_the_ports_it_is_told(site: WebServer) -> None:
    with EgressProxy(AddressRules(allow_hosts=["127.0.0.1", "0.0.0.0"])) as proxy:  # noqa: S104
        proxy.keep_off(site.server_port)
        for host in ("127.0.0.1", "0.0.0.0"):  # noqa: S104
            for port in (proxy.port, site.server_port):
                answer, body = ask(proxy, f"http://{host}:{port}/kilobyte")
                assert (answer.status, body) == (403, b"the crawler's own ports are not crawled")


def test_hosts_closed_to_it_are_refused_whatever_the_rules_say(site: WebServer) -> None:
    with EgressProxy(rules_for(site), closed_hosts={"site.example"}) as proxy:
        assert ask(proxy, "http://site.example/kilobyte")[0].status == 403


def test_silent_connections_are_ended(site: WebServer) -> None:
    with EgressProxy(rules_for(site), idle_timeout_s=0.3) as proxy:
        before = time.monotonic()
        assert exchange(proxy, b"GET http://site.example/silent HTTP/1.1\r\n\r\n") == b""
        opened = exchange(proxy, b"CONNECT site.example:80 HTTP/1.1\r\n\r\n")
        assert opened == b"HTTP/1.1 200 Connection established\r\n\r\n"
        assert time.monotonic() - before < 5


def test_many_clients_are_served_at_once(proxy: EgressProxy) -> None:
    sizes: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: sizes.append(len(ask(proxy, "http://site.example/kilobyte")[1]))
        )
        for _ in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [1_000] * 40
    assert proxy.received_bytes >= 40_000


def test_closing_ends_open_tunnels_and_the_thread(site: WebServer) -> None:
    proxy = EgressProxy(rules_for(site)).start()
    with socket.create_connection(("127.0.0.1", proxy.port), 10) as client:
        client.sendall(b"CONNECT site.example:80 HTTP/1.1\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
        proxy.close()
        proxy.close()
        assert client.recv(1000) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port), 1)
    assert wait_until(lambda: not [t for t in threading.enumerate() if "egress" in t.name])


STRANGER = """
import encodings.idna, os, socket, sys
os.setuid(65534)
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10) as client:
    client.sendall(b"GET http://site.example/kilobyte HTTP/1.1\\r\\n\\r\\n")
    print(len(client.recv(65536)))
"""


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root can act as another user"
)
def test_other_users_of_this_machine_are_not_served(proxy: EgressProxy, site: WebServer) -> None:
    site.asked.clear()
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", STRANGER, str(proxy.port)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ran.stdout == "0\n" or "ConnectionResetError" in ran.stderr
    assert site.asked == []
