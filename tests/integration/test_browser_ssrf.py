"""No page leads the browser into the operator's own network, by whatever way it tries."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest

from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.browser import BrowserFetcher
from tests.browser_site import NEEDS_BROWSER, PARAGRAPH, WebServer, redirect, serving, wait_until

pytestmark = NEEDS_BROWSER

SECRET = "<title>Internal</title><p>SECRET of the internal network</p>"

# Every way in which a page may cause a request, of the address @ (http://HOST:PORT) or its // form, %.
PARTS = {
    "iframe": '<iframe src="@/"></iframe>',
    "iframe in a data link": "<iframe src=\"data:text/html,<iframe src='@/'></iframe>\"></iframe>",
    "script": '<script src="@/"></script>',
    "module": '<script type=module>import("@/").catch(() => 0)</script>',
    "style sheet": '<link rel=stylesheet href="@/">',
    "css import": "<style>@import url(@/);</style>",
    "object": '<object data="@/" type="text/html" width=9 height=9></object>',
    "embed": '<embed src="@/" type="text/html" width=9 height=9>',
    "fetch": '<script>fetch("@/", {mode: "no-cors"}).catch(() => 0)</script>',
    "fetch with a body": '<script>fetch("@/", {method: "POST", body: "x"}).catch(() => 0)</script>',
    "xhr": '<script>const x = new XMLHttpRequest(); x.open("GET", "@/"); x.send()</script>',
    "WebSocket": '<script>new WebSocket("ws:%/")</script>',
    "sendBeacon": '<script>navigator.sendBeacon("@/", "x")</script>',
    "EventSource": '<script>new EventSource("@/")</script>',
    "worker": "<script>new Worker(URL.createObjectURL(new Blob([`importScripts('@/')`])))</script>",
    "shared worker": "<script>new SharedWorker(URL.createObjectURL(new Blob([`fetch('@/')`])))</script>",
    "service worker": "<script>navigator.serviceWorker.register('/worker.js?to=@/')</script>",
    "form in a frame": '<iframe name=f></iframe><form action="@/" method=post target=f></form>'
    "<script>document.forms[0].submit()</script>",
    "preload": '<link rel=preload as=fetch href="@/">',
    "module preload": '<link rel=modulepreload href="@/">',
}
# These are not loaded at all, or only announced.
SILENT_PARTS = {
    "img": '<img src="@/x.png"><picture><source srcset="@/y.png"><img src="@/z.png"></picture>',
    "css url": "<style>body {background: url(@/x.png)}</style>",
    "font": "<style>@font-face {font-family: F; src: url(@/x.woff2)} * {font-family: F}</style>",
    "video": '<video autoplay src="@/x.mp4"></video><audio autoplay src="@/x"></audio>',
    "prefetch": '<link rel=prefetch href="@/">',
    "preconnect": '<link rel=preconnect href="@/"><link rel=dns-prefetch href="@/">',
    "speculation rules": '<script type=speculationrules>{"prerender": [{"source": "list", "urls": '
    '["@/"], "eagerness": "immediate"}]}</script>',
    "pop-up": '<script>open("@/"); open("@/", "_blank", "noopener")</script>',
    "clicked link with a ping": '<a href="#" ping="@/">a</a><script>document.links[0].click()</script>',
    "https": '<script>fetch("https:%/").catch(() => 0); new WebSocket("wss:%/")</script>',
    "QUIC": '<script>new WebTransport("https:%/").ready.catch(() => 0)</script>',
}
MOVES = {
    "meta refresh": '<meta http-equiv=refresh content="0;url=@/">',
    "location": '<script>location = "@/"</script>',
    "location after a moment": '<script>setTimeout(() => location.assign("@/"), 300)</script>',
    "form": '<form action="@/" method=post></form><script>document.forms[0].submit()</script>',
    "clicked link": '<a href="@/">a</a><script>document.links[0].click()</script>',
}


class Net:
    """A public site and an internal server, ``canary``; ``packets`` has what came to it over UDP."""

    def __init__(self, site: WebServer, canary: WebServer, packets: list[bytes]) -> None:
        self.site, self.canary, self.packets = site, canary, packets
        self.routes: dict[str, Any] = {}

    @property
    def internal(self) -> str:
        return f"http://127.0.0.1:{self.canary.server_port}"

    def page(self, name: str, html: str, target: str) -> str:
        filled = html.replace("@/", f"{target}/").replace("%/", f"{target.partition(':')[2]}/")
        path = "/" + "".join(c if c.isalnum() else "-" for c in f"{name} {target}")
        body = f"<!doctype html><title>{name}</title><article>{PARAGRAPH}</article>{filled}"
        self.site.routes[path] = body
        return f"http://site.example{path}"


@contextmanager
def udp_listener(port: int) -> Iterator[list[bytes]]:
    packets: list[bytes] = []
    over = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", port))
        listening.settimeout(0.1)

        def listen() -> None:
            while not over.is_set():
                with suppress(TimeoutError):
                    packets.append(listening.recv(2048))

        thread = threading.Thread(target=listen)
        thread.start()
        yield packets
        over.set()
        thread.join()


def worker(handler: Any) -> None:
    target = handler.query.partition("to=")[2]
    handler.answer(f"fetch('{target}', {{mode: 'no-cors'}})", kind="text/javascript")


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    everything = {path: SECRET for path in ("/", "/x", "/x.png", "/x.mp4", "/latest/meta-data/")}
    with ExitStack() as opened:
        canary = opened.enter_context(serving(everything))
        if socket.has_ipv6:
            with suppress(OSError):  # no IPv6 on this machine
                sixth = opened.enter_context(
                    serving(everything, host="::1", port=canary.server_port)
                )
                sixth.asked = canary.asked
        packets = opened.enter_context(udp_listener(canary.server_port))
        site = opened.enter_context(serving({"/worker.js": worker}))
        yield Net(site, canary, packets)


@pytest.fixture(scope="module")
def browser(net: Net) -> Iterator[BrowserFetcher]:
    """One network is open at the internal server's port, so that it is the address that decides."""
    rules = AddressRules(
        allow_hosts=[f"198.51.100.0/24:{net.canary.server_port}"],
        connect_to={
            "site.example": f"127.0.0.1:{net.site.server_port}",
            "partner.example": f"127.0.0.1:{net.canary.server_port}",
        },
    )
    # service workers are for secure origins, and the test's site has no certificate
    secure = "--unsafely-treat-insecure-origin-as-secure=http://site.example"
    fetcher = BrowserFetcher(
        rules=rules, page_timeout_s=5.0, settle_s=2.0, extra_args=[secure], max_scrolls=0
    )
    yield fetcher
    fetcher.close()


@pytest.mark.parametrize("name", PARTS)
def test_no_part_of_a_page_comes_from_the_internal_network(
    net: Net, browser: BrowserFetcher, name: str
) -> None:
    net.canary.asked.clear()
    page = browser.fetch(net.page(name, PARTS[name], net.internal))
    assert page is not None
    assert "SECRET" not in page.text
    assert net.canary.asked == []
    # the same page with an allowed host: the way in is one
    browser.fetch(net.page(name, PARTS[name], "http://partner.example"))
    assert wait_until(lambda: net.canary.asked, timeout_s=2.0)


@pytest.mark.parametrize("name", SILENT_PARTS)
def test_no_quiet_part_of_a_page_either(net: Net, browser: BrowserFetcher, name: str) -> None:
    net.canary.asked.clear()
    assert browser.fetch(net.page(name, SILENT_PARTS[name], net.internal)) is not None
    assert net.canary.asked == []
    assert net.packets == []


@pytest.mark.parametrize("name", MOVES)
def test_no_page_moves_into_the_internal_network(
    net: Net, browser: BrowserFetcher, name: str
) -> None:
    net.canary.asked.clear()
    with pytest.raises(CrawlError) as raised:
        browser.fetch(net.page(name, MOVES[name], net.internal))
    assert raised.value.kind == "unsafe"
    assert "led elsewhere, but: 127.0.0.1 is the private address" in raised.value.reason
    assert raised.value.page is None
    assert net.canary.asked == []
    page = browser.fetch(net.page(name, MOVES[name], "http://partner.example"))
    assert page is not None
    assert "SECRET" in page.text


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_leads_into_the_internal_network(
    net: Net, browser: BrowserFetcher, status: int
) -> None:
    net.canary.asked.clear()
    net.site.routes[f"/to-{status}"] = redirect(f"{net.internal}/", status)
    with pytest.raises(CrawlError) as raised:
        browser.fetch(f"http://site.example/to-{status}")
    assert raised.value.kind == "unsafe"
    assert net.canary.asked == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0", "2130706433", "127.1",
     "0x7f.1", "0177.0.0.1", "127.0.0.1.", "localhost.", "127%2E0.0.1", "①②⑦.0.0.1"],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_spelling_of_an_internal_address_is_visited(
    net: Net, browser: BrowserFetcher, scheme: str, host: str
) -> None:
    net.canary.asked.clear()
    with pytest.raises(CrawlError) as raised:
        browser.fetch(f"{scheme}://{host}:{net.canary.server_port}/")
    assert raised.value.kind in {"unsafe", "malformed", "unreachable"}
    assert raised.value.page is None
    assert net.canary.asked == []


@pytest.mark.parametrize(
    "link",
    ["http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://192.168.0.1:8080/",
     "http://[fe80::1]/", "http://[fd00::1]/", "http://x.example:25/", "http://1.1.1.1:22/"],
)  # fmt: skip
def test_private_hosts_and_ports_of_other_services_are_refused_at_once(
    browser: BrowserFetcher, link: str
) -> None:
    rules = "is not crawled|not crawled unless|does not connect to this port"
    with pytest.raises(CrawlError, match=rules):
        browser.fetch(link)


@pytest.mark.parametrize(
    "script",
    ["location = 'file:///etc/passwd'", "location = 'view-source:file:///etc/passwd'",
     "location = 'chrome://version/'", "location = 'data:text/html,<p>root:x:0</p>'",
     "document.body.innerHTML += '<iframe src=file:///etc/passwd></iframe>'",
     "fetch('file:///etc/passwd').then(a => a.text()).then(t => document.body.append(t))"],
)  # fmt: skip
def test_no_page_shows_files_or_the_browsers_own_pages(
    net: Net, browser: BrowserFetcher, script: str
) -> None:
    page = browser.fetch(net.page(script, f"<script>{script}</script>", ""))
    assert page is not None
    assert page.final_url.startswith("http://site.example/")
    assert "root:x:0:0" not in page.text


def test_a_page_that_becomes_a_blob_is_refused(net: Net, browser: BrowserFetcher) -> None:
    script = "location = URL.createObjectURL(new Blob(['<p>Made up</p>'], {type: 'text/html'}))"
    with pytest.raises(CrawlError, match="which is not a web page") as raised:
        browser.fetch(net.page("blob", f"<script>{script}</script>", ""))
    assert raised.value.kind == "unsafe"


def test_webrtc_sends_nothing_past_the_proxy(net: Net, browser: BrowserFetcher) -> None:
    net.canary.asked.clear()
    port = net.canary.server_port
    servers = (
        f"[{{urls: 'stun:127.0.0.1:{port}'}}, {{urls: ['turn:127.0.0.1:{port}', "
        f"'turn:127.0.0.1:{port}?transport=tcp'], username: 'u', credential: 'p'}}]"
    )
    script = (
        f"const c = new RTCPeerConnection({{iceServers: {servers}}}); c.createDataChannel('x');"
        "c.onicegatheringstatechange = () => document.body.append(c.iceGatheringState);"
        "c.createOffer().then(offer => c.setLocalDescription(offer))"
    )
    page = browser.fetch(net.page("webrtc", f"<script>{script}</script>", ""))
    assert page is not None
    assert "gathering" in page.text.partition("</script>")[2]
    assert net.packets == []
    assert net.canary.asked == []


def test_a_name_that_changes_its_address_is_not_followed() -> None:
    """The first answer of its DNS server is the site, all others are the internal server."""
    with ExitStack() as opened:
        canary = opened.enter_context(serving({"/data": SECRET, "/": SECRET}))
        port = canary.server_port
        script = "fetch('/data').then(a => a.text()).then(t => document.body.append(t))"
        page = f"<title>Rebinding</title>{PARAGRAPH}<script>{script}</script>"
        try:
            site = opened.enter_context(serving({"/": page}, host="127.0.0.2", port=port))
        except OSError:
            pytest.skip("this machine has no 127.0.0.2")
        answers = iter(["127.0.0.2"])
        names: list[str] = []

        def resolve(host: str, at: int, **_: Any) -> list[tuple[Any, ...]]:
            names.append(host)
            address = next(answers, "127.0.0.1")
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, at))]

        rules = AddressRules(allow_hosts=[f"127.0.0.2:{port}"], resolve=resolve)
        fetcher = BrowserFetcher(rules=rules)
        got = fetcher.fetch(f"http://rebinding.example:{port}/")
        with pytest.raises(CrawlError, match="is the private address 127") as raised:
            fetcher.fetch(f"http://rebinding.example:{port}/")
        fetcher.close()
    assert got is not None
    assert "SECRET" not in got.text
    assert raised.value.kind == "unsafe"
    assert names.count("rebinding.example") >= 3
    assert site.asked == [f"rebinding.example:{port}/"]
    assert canary.asked == []


def test_the_browser_asks_for_nothing_by_itself(net: Net) -> None:
    """Whatever Chromium would look up on its own goes through the proxy, which has to ask for it."""
    names: list[str] = []

    def resolve(host: str, *_: Any, **__: Any) -> Any:
        names.append(host)
        raise OSError("no network here")

    address = f"127.0.0.1:{net.site.server_port}"
    fetcher = BrowserFetcher(
        rules=AddressRules(connect_to={"site.example": address}, resolve=resolve)
    )
    shell = "<div id=app></div><script>window.ready = 1</script>"  # waited for, for some seconds
    net.site.routes["/shell"] = shell
    fetcher.fetch("http://site.example/shell")
    fetcher.fetch("http://site.example/shell")
    fetcher.close()
    assert names == []
