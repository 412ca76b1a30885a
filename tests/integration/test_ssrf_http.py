"""What links, names, redirects and answers must not do to the machine that crawls.

A canary listens on loopback, at the port that the links name; it must not see a single connection. The port is opened
by an allow-list entry for an address that is not used otherwise, so that it is the address that is refused.
"""

import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest

from rag_llm_system.domain.crawling import FailureKind
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.http import HttpFetcher
from tests.web_server import Handler, serve, serve_raw

CANARY, PUBLIC = "127.0.0.1", "127.0.0.2"
HTML = {"Content-Type": "text/html"}
PAGE = b"<html><body><p>Words.</p></body></html>"


NAMES: Mapping[str, Sequence[str]] = {
    "public.example": [PUBLIC],
    "private.example": [CANARY],
    "private6.example": ["::1"],
    "mixed.example": [PUBLIC, CANARY],
    "mixed-the-other-way.example": [CANARY, PUBLIC],
    "mixed6.example": [PUBLIC, "::1"],
    "ten.example": ["10.0.0.1"],
    "metadata.example": ["169.254.169.254"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "nat64.example": ["64:ff9b::7f00:1"],
    "zone.example": ["fe80::1%lo"],
}


def resolve(host: str, port: int, **options: Any) -> Sequence[tuple[Any, ...]]:
    """The names below ``.example`` are ours; numbers are read as this system reads them."""
    name = host.lower().rstrip(".")
    if not name.endswith(".example"):
        return socket.getaddrinfo(host, port, **options)
    if name not in NAMES:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return [(0, 0, 0, "", (address, port)) for address in NAMES[name]]


class PublicSite(Handler):
    """``/to/<status>/<link>`` redirects there; everything else is a page."""

    def do_GET(self) -> None:
        _, kind, *rest = self.path.split("/", 3)
        if kind == "to":
            self.answer(int(rest[0]), {"Location": rest[1]})
        else:
            self.answer(200, HTML, PAGE)


class Machine(NamedTuple):
    """What a link may meet here."""

    port: int
    connections: list[str]


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    connections: list[str] = []

    def note(connection: socket.socket) -> None:
        connections.append(repr(connection.getpeername()))

    over = threading.Event()

    def accept(listening: socket.socket) -> None:
        while True:
            connection, _ = listening.accept()
            with connection:
                if over.is_set():
                    return
                note(connection)

    with ExitStack() as stack, socket.create_server((CANARY, 0)) as canary:
        port = canary.getsockname()[1]
        canaries = [canary]
        if socket.has_ipv6:
            six = socket.create_server(("::1", port), family=socket.AF_INET6)
            canaries.append(stack.enter_context(six))
        stack.enter_context(serve(PublicSite, address=PUBLIC, port=port))
        threads = [threading.Thread(target=accept, args=(each,)) for each in canaries]
        for thread in threads:
            thread.start()
        yield Machine(port, connections)
        over.set()
        for each in canaries:
            socket.create_connection(each.getsockname()[:2]).close()
        for thread in threads:
            thread.join()


@pytest.fixture
def fetcher(machine: Machine) -> Iterator[HttpFetcher]:
    allowed = [f"{PUBLIC}:{machine.port}"]
    rules = AddressRules(allow_hosts=allowed, resolve=resolve)
    fetcher = HttpFetcher(rules=rules, timeout_s=5.0, max_bytes=1_000_000)
    yield fetcher
    fetcher.close()


class Case(NamedTuple):
    """``PORT`` in the link stands for the canary's."""

    link: str
    reason: str = "is the private address"
    kind: FailureKind = "unsafe"


REFUSED = [
    # addresses of IPv4
    Case("http://127.0.0.1:PORT/"),
    Case("http://127.255.255.254:PORT/"),
    Case("http://0.0.0.0:PORT/"),
    Case("http://0.1.2.3:PORT/"),
    Case("http://10.0.0.1/"),
    Case("http://172.16.0.1/"),
    Case("http://172.31.255.255/"),
    Case("http://192.168.0.1/"),
    Case("http://169.254.0.1/"),
    Case("http://169.254.169.254/latest/meta-data/"),
    Case("http://100.64.0.1/"),
    Case("http://100.100.100.200/latest/meta-data/"),
    Case("http://192.0.0.1/"),
    Case("http://192.0.0.192/opc/v2/instance/"),
    Case("http://168.63.129.16/metadata/"),
    Case("http://192.0.2.1/"),
    Case("http://198.18.0.1/"),
    Case("http://192.88.99.1/"),
    Case("http://224.0.0.1/"),
    Case("http://239.255.255.250/"),
    Case("http://240.0.0.1/"),
    Case("http://255.255.255.255/"),
    # addresses of IPv6, and IPv4 inside them
    Case("http://[::1]:PORT/"),
    Case("http://[0:0:0:0:0:0:0:1]:PORT/"),
    Case("http://[::]:PORT/"),
    Case("http://[fe80::1]/"),
    Case("http://[fc00::1]/"),
    Case("http://[fd00:ec2::254]/latest/meta-data/"),
    Case("http://[fec0::1]/"),
    Case("http://[ff02::1]/"),
    Case("http://[2001:db8::1]/"),
    Case("http://[3fff::1]/"),
    Case("http://[100::1]/"),
    Case("http://[5f00::1]/"),
    Case("http://[::ffff:127.0.0.1]:PORT/"),
    Case("http://[::ffff:7f00:1]:PORT/"),
    Case("http://[::ffff:169.254.169.254]/"),
    Case("http://[::ffff:0:127.0.0.1]:PORT/"),
    Case("http://[::127.0.0.1]:PORT/"),
    Case("http://[::7f00:1]:PORT/"),
    Case("http://[2002:7f00:1::]:PORT/"),
    Case("http://[2002:a9fe:a9fe::]/"),
    Case("http://[64:ff9b::127.0.0.1]:PORT/"),
    Case("http://[64:ff9b:1::127.0.0.1]:PORT/"),
    Case("http://[2001:0:7f00:1::]:PORT/"),
    Case("http://[fe80::1%25lo]:PORT/", "is not a host name or address"),
    Case("http://[::1%25lo]:PORT/", "is not a host name or address"),
    Case("http://[::1%lo]:PORT/", "is not a host name or address"),
    # other spellings of 127.0.0.1 and localhost
    Case("http://2130706433:PORT/"),
    Case("http://017700000001:PORT/"),
    Case("http://0177.0.0.1:PORT/", "malformed", "malformed"),
    Case("http://0x7f000001:PORT/"),
    Case("http://0x7f.0x0.0x0.0x1:PORT/"),
    Case("http://0x7F.1:PORT/"),
    Case("http://127.1:PORT/"),
    Case("http://127.0.1:PORT/"),
    Case("http://0:PORT/"),
    Case("http://localhost:PORT/"),
    Case("http://LOCALHOST:PORT/"),
    Case("http://127。0。0。1:PORT/"),
    Case("http://１２７.０.０.１:PORT/", "malformed", "malformed"),
    Case("http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/", "malformed", "malformed"),
    Case("http://127%2e0%2e0%2e1:PORT/", "is not a host name or address"),
    Case("http://%6c%6f%63alhost:PORT/", "is not a host name or address"),
    Case("http://%31%32%37.0.0.1:PORT/", "is not a host name or address"),
    Case("http:///127.0.0.1:PORT/", "names no host", "malformed"),
    Case("http:/127.0.0.1:PORT/", "names no host", "malformed"),
    Case("http:\\\\127.0.0.1:PORT/", "names no host", "malformed"),
    Case("http://[::1]:PORT:80/", "malformed", "malformed"),
    # names that lead inside
    Case("http://private.example:PORT/"),
    Case("http://PRIVATE.example.:PORT/"),
    Case("http://private6.example:PORT/"),
    Case("http://mixed.example:PORT/"),
    Case("http://mixed-the-other-way.example:PORT/"),
    Case("http://mixed6.example:PORT/"),
    Case("http://ten.example/"),
    Case("http://metadata.example/"),
    Case("http://mapped.example:PORT/"),
    Case("http://nat64.example:PORT/"),
    Case("http://zone.example:PORT/"),
    Case("https://private.example:PORT/"),
    # a host that looks like another
    Case("http://public.example@127.0.0.1:PORT/", "user name or password"),
    Case("http://public.example:80@127.0.0.1:PORT/", "user name or password"),
    Case("http://@127.0.0.1:PORT/", "user name or password"),
    Case("http://:@127.0.0.1:PORT/", "user name or password"),
    Case("http://127.0.0.1:PORT#@public.example/"),
    Case("http://127.0.0.1:PORT?@public.example/"),
    Case("http://127.0.0.1:PORT\\@public.example/", "malformed|user name or password", "unsafe"),
    Case("http://public.example\\@127.0.0.1:PORT/", "user name or password"),
    Case("http://127.0.0.1\\.public.example:PORT/", "is not a host name or address"),
    Case("http://public.example\t@127.0.0.1:PORT/", "malformed", "malformed"),
    Case("http://127.0.0.1\n.public.example:PORT/", "malformed", "malformed"),
    Case("http://public.example\r\nHost: 127.0.0.1:PORT/", "malformed", "malformed"),
    Case("http://127.0.0.1 .public.example:PORT/", "is not a host name or address"),
    # ports of other services
    *(
        Case(f"http://public.example:{port}/", f"port {port} is not crawled")
        for port in (1, 22, 25, 53, 110, 143, 445, 2375, 3306, 5432, 6379, 9200, 11211, 27017)
    ),
    Case("http://public.example:0/", "there is no port 0", "malformed"),
    Case("http://public.example:65616/", "malformed", "malformed"),
    # other schemes
    *(
        Case(link, "only http and https pages can be fetched")
        for link in (
            "file:///etc/passwd",
            "file://127.0.0.1/etc/passwd",
            "FILE:///etc/passwd",
            "ftp://127.0.0.1:PORT/",
            "gopher://127.0.0.1:PORT/_GET",
            "dict://127.0.0.1:PORT/info",
            "ldap://127.0.0.1:PORT/",
            "data:text/html,hello",
            "javascript:alert(1)",
            "view-source:http://127.0.0.1:PORT/",
            "ws://127.0.0.1:PORT/",
            "http+unix://%2Fvar%2Frun%2Fdocker.sock/info",
            "//127.0.0.1:PORT/",
            "127.0.0.1",
            "/etc/passwd",
            "",
        )
    ),
]


def refusal(fetcher: HttpFetcher, link: str) -> CrawlError:
    with pytest.raises(CrawlError) as raised:
        fetcher.fetch(link)
    return raised.value


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.link)
def test_a_link_that_leads_inside_is_refused(
    machine: Machine, fetcher: HttpFetcher, case: Case
) -> None:
    error = refusal(fetcher, case.link.replace("PORT", str(machine.port)))
    assert error.kind == case.kind
    assert any(reason in error.reason for reason in case.reason.split("|"))
    assert machine.connections == []


def test_the_canary_notices_who_comes(machine: Machine) -> None:
    fetcher = HttpFetcher(rules=AddressRules(allow_hosts=[f"{CANARY}:{machine.port}"]))
    assert refusal(fetcher, f"http://{CANARY}:{machine.port}/").kind == "unreachable"
    assert len(machine.connections) == 1
    machine.connections.clear()
    fetcher.close()


REDIRECTED = [
    *(Case(f"/to/{status}/http://127.0.0.1:PORT/") for status in (301, 302, 303, 307, 308)),
    Case("/to/302/http://private.example:PORT/"),
    Case("/to/302///127.0.0.1:PORT/"),
    Case("/to/302/http://[::1]:PORT/"),
    Case("/to/302/http://[::ffff:7f00:1]:PORT/"),
    Case("/to/302/http://2130706433:PORT/"),
    Case("/to/302/http://169.254.169.254/latest/meta-data/"),
    Case("/to/302/https://127.0.0.1:PORT/"),
    Case("/to/301//to/302//to/303/http://127.0.0.1:PORT/"),
    Case("/to/302/http://public.example:PORT/to/302/http://localhost:PORT/"),
    Case("/to/302/http://public.example:PORT/to/302///private.example:PORT/"),
    Case("/to/302/http://public.example:22/", "port 22 is not crawled"),
    Case("/to/302/http://a:b@127.0.0.1:PORT/", "user name or password"),
    Case("/to/302/http://public.example@127.0.0.1:PORT/", "user name or password"),
    Case("/to/302/http://[::1%25lo]:PORT/", "is not a host name or address"),
    Case("/to/302/file:///etc/passwd", "only http and https"),
    Case("/to/302/ftp://127.0.0.1:PORT/", "only http and https"),
    Case("/to/302/gopher://127.0.0.1:PORT/_", "only http and https"),
    Case("/to/302/data:text/html,hello", "only http and https"),
    Case("/to/302/javascript:alert(1)", "only http and https"),
    Case("/to/302/http://127.0.0.1:x/", "malformed", "failed"),
]


@pytest.mark.parametrize("case", REDIRECTED, ids=lambda case: case.link)
def test_a_redirect_that_leads_inside_is_not_followed(
    machine: Machine, fetcher: HttpFetcher, case: Case
) -> None:
    path = case.link.replace("PORT", str(machine.port))
    error = refusal(fetcher, f"http://public.example:{machine.port}{path}")
    assert error.kind == case.kind
    assert case.reason in error.reason
    assert machine.connections == []


@pytest.mark.parametrize("host", ["localhost.", "127.0.0.1.", "ip6-localhost", "loopback"])
def test_a_name_that_only_some_systems_know_leads_nowhere(
    machine: Machine, fetcher: HttpFetcher, host: str
) -> None:
    error = refusal(fetcher, f"http://{host}:{machine.port}/")
    assert error.kind in {"unsafe", "unreachable"}
    assert machine.connections == []


class Flipping:
    """A name whose owner answers otherwise each time: DNS rebinding."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = iter(addresses)
        self.asked = 0

    def __call__(self, host: str, port: int, **_: Any) -> Sequence[tuple[Any, ...]]:
        self.asked += 1
        return [(0, 0, 0, "", (next(self.addresses), port))]


def test_the_address_that_was_checked_is_the_one_that_is_dialled(machine: Machine) -> None:
    names = Flipping(PUBLIC, CANARY, CANARY)
    rules = AddressRules(allow_hosts=[f"{PUBLIC}:{machine.port}"], resolve=names)
    fetcher = HttpFetcher(rules=rules)
    link = f"http://rebinding.example:{machine.port}/"
    assert fetcher.fetch(link) is not None
    assert names.asked == 1
    assert fetcher.fetch(link) is not None  # over the same connection, so nobody is asked again
    assert names.asked == 1
    fetcher.close()
    anew = HttpFetcher(rules=rules)
    assert "is the private address" in refusal(anew, link).reason
    assert names.asked == 2
    anew.close()
    assert machine.connections == []


def test_a_refused_name_is_not_asked_for_until_its_answer_suits(machine: Machine) -> None:
    names = Flipping(CANARY, PUBLIC)
    rules = AddressRules(allow_hosts=[f"{PUBLIC}:{machine.port}"], resolve=names)
    fetcher = HttpFetcher(rules=rules)
    assert refusal(fetcher, f"http://rebinding.example:{machine.port}/").kind == "unsafe"
    assert names.asked == 1
    assert machine.connections == []
    fetcher.close()


def test_the_environment_cannot_send_requests_through_a_proxy(
    machine: Machine, fetcher: HttpFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://{CANARY}:{machine.port}")
    assert fetcher.fetch(f"http://public.example:{machine.port}/") is not None
    assert machine.connections == []


@pytest.mark.parametrize(
    ("entry", "link"),
    [
        ("127.0.0.2", "http://127.0.0.2:PORT/"),
        ("127.0.0.2:PORT", "http://127.0.0.2:PORT/"),
        ("127.0.0.2/32", "http://public.example:PORT/"),
        ("127.0.0.2/31:PORT", "http://public.example:PORT/"),
        ("public.example", "http://public.example:PORT/"),
        ("Public.Example:PORT", "http://PUBLIC.example.:PORT/"),
        ("127.0.0.2:PORT", "http://public.example:PORT/to/301/http://127.0.0.2:PORT/page"),
        ("127.0.0.2:PORT", "http://public.example:PORT/to/307//page"),
        ("127.0.0.2:PORT", "http://public.example:PORT/to/308//page?x=http://127.0.0.1:PORT/"),
    ],
)
def test_what_the_operator_allows_is_fetched(machine: Machine, entry: str, link: str) -> None:
    port = str(machine.port)
    rules = AddressRules(allow_hosts=[entry.replace("PORT", port)], resolve=resolve)
    fetcher = HttpFetcher(rules=rules)
    page = fetcher.fetch(link.replace("PORT", port))
    assert page is not None
    assert page.content == PAGE
    assert machine.connections == []
    fetcher.close()


def test_a_host_that_the_operator_sends_elsewhere_is_fetched_there(machine: Machine) -> None:
    rules = AddressRules(connect_to={"elsewhere.example": f"{PUBLIC}:{machine.port}"})
    fetcher = HttpFetcher(rules=rules)
    page = fetcher.fetch("http://elsewhere.example/")
    assert page is not None
    assert page.final_url == "http://elsewhere.example/"
    fetcher.close()


def deflated(block: bytes, times: int) -> bytes:
    """A gzip stream of the block so many times over, without its end, made in a moment."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    start = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    return start + (packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)) * times


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
GZIP = HEAD + b"Content-Encoding: gzip\r\n"
BOMB = deflated(bytes(1 << 20), 1024)


def answer(*pieces: bytes, endless: bytes = b"") -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        connection.recv(65_536)
        for piece in pieces:
            connection.sendall(piece)
        while endless:
            connection.sendall(endless)

    return talk


def drip(head: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    """One piece at a time, slowly, until the client goes away."""

    def talk(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(head)
        connection.settimeout(0.05)
        while True:
            connection.sendall(piece)
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                continue

    return talk


CHUNK = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
GZIP_START, EMPTY_BLOCK = deflated(b"", 0), b"\x00\x00\x00\xff\xff"


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("talk", "kind", "reason"),
    [
        (answer(GZIP + b"\r\n", BOMB), "too large", "larger than 1,000,000 bytes"),
        (
            answer(HEAD + b"Content-Encoding: gzip, gzip\r\n\r\n", BOMB),
            "damaged",
            "unsupported content coding",
        ),
        (
            answer(HEAD + b"Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n\r\n", BOMB),
            "damaged",
            "unsupported content coding",
        ),
        (answer(HEAD + b"\r\n", endless=b"a" * 65_536), "too large", "larger than 1,000,000"),
        (
            answer(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", endless=CHUNK),
            "too large",
            "larger than 1,000,000",
        ),
        (
            answer(HEAD + b"Content-Length: 99999999999999\r\n\r\n"),
            "too large",
            "99,999,999,999,999 bytes, larger than 1,000,000",
        ),
        (
            answer(GZIP + b"\r\n", GZIP_START, endless=EMPTY_BLOCK * 10_000),
            "too large",
            "larger than 1,000,000",
        ),
        (answer(HEAD, endless=b"X-Header: 1\r\n"), "damaged", "broke the HTTP protocol"),
        (answer(HEAD, endless=b"X" * 65_536), "damaged", "broke the HTTP protocol"),
        (
            answer(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", endless=b"x" * 65_536),
            "damaged",
            "broke the HTTP protocol",
        ),
        (answer(endless=b"HTTP/1.1 100 Continue\r\n\r\n"), "unreachable", "in time"),
        (drip(b"", b"H"), "unreachable", "in time"),
        (drip(HEAD, b"a"), "unreachable", "in time"),
        (drip(HEAD + b"\r\n", b"a"), "unreachable", "in time"),
        (drip(GZIP + b"\r\n" + GZIP_START, EMPTY_BLOCK), "unreachable", "in time"),
        (
            answer(
                b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 99999999\r\n\r\n",
                endless=b"a" * 65_536,
            ),
            "failed",
            "more than 5 redirects",
        ),
    ],
)
def test_an_answer_without_an_end_ends(
    talk: Callable[[socket.socket], None], kind: FailureKind, reason: str
) -> None:
    with serve_raw(talk) as port:
        rules = AddressRules(connect_to={"bomb.example": f"127.0.0.1:{port}"})
        fetcher = HttpFetcher(rules=rules, timeout_s=1.0, max_bytes=1_000_000)
        error = refusal(fetcher, "http://bomb.example/")
        assert error.kind == kind
        assert reason in error.reason
        fetcher.close()


def test_what_follows_a_compressed_page_without_an_end_is_left_out() -> None:
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    whole = packer.compress(PAGE) + packer.flush()
    with serve_raw(answer(GZIP + b"\r\n", whole, endless=bytes(65_536))) as port:
        rules = AddressRules(connect_to={"bomb.example": f"127.0.0.1:{port}"})
        fetcher = HttpFetcher(rules=rules, max_bytes=1_000_000)
        page = fetcher.fetch("http://bomb.example/")
        assert page is not None
        assert page.content == PAGE
        fetcher.close()


MEASURE = """
import resource, sys
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.http import HttpFetcher

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

fetcher = HttpFetcher(rules=AddressRules(connect_to={"bomb.example": sys.argv[1]}))
before = peak_mb()
try:
    fetcher.fetch("http://bomb.example/")
except CrawlError as error:
    print(error.kind, int(peak_mb() - before))
"""


@pytest.mark.parametrize(
    ("talk", "kind"),
    [
        (answer(GZIP + b"\r\n", BOMB), "too large"),
        (answer(HEAD + b"Content-Encoding: gzip, gzip\r\n\r\n", BOMB), "damaged"),
        (answer(HEAD + b"\r\n", endless=b"a" * 65_536), "too large"),
        (answer(b"HTTP/1.1 500 No\r\n" + GZIP[17:] + b"\r\n", BOMB), "unreachable"),
    ],
)
def test_a_bomb_does_not_fill_the_memory(
    talk: Callable[[socket.socket], None], kind: FailureKind
) -> None:
    with serve_raw(talk) as port:
        ran = subprocess.run(
            [sys.executable, "-c", MEASURE, f"127.0.0.1:{port}"],
            capture_output=True,
            text=True,
            check=True,
        )
    found, _, grown_mb = ran.stdout.strip().rpartition(" ")
    assert found == kind
    assert int(grown_mb) < 40
