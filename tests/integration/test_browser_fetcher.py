"""Pages as a real browser sees them: what scripts make of them, and what is no page."""

import hashlib
import re
import ssl
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import psutil
import pytest
import trustme
from bs4 import BeautifulSoup
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rag_llm_system.domain.documents import Page
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Fetcher
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.browser import BrowserFetcher
from tests.browser_site import (
    NEEDS_BROWSER,
    PARAGRAPH,
    Handler,
    WebServer,
    later,
    redirect,
    serving,
    wait_until,
)

pytestmark = NEEDS_BROWSER


def page(body: str, *, title: str = "Page") -> str:
    return f"<!doctype html><html><head><title>{title}</title></head><body>{body}</body></html>"


def scroll_batch(handler: Handler) -> None:
    """Ten posts; the third batch is slow."""
    number = int(parse_qs(handler.query)["n"][0])
    if not handler.server.over.wait(2.5 if number == 3 else 0.1):
        posts = "".join(f"<p class=post>POST-{number}-{i} {'words ' * 60}</p>" for i in range(10))
        handler.answer(posts)


INFINITE = page(
    """<div id=feed></div><script>
    let n = 0, busy = false;
    async function more() {
      if (busy || n >= 5) return;
      busy = true; n += 1;
      const answer = await fetch('/batch?n=' + n);
      feed.insertAdjacentHTML('beforeend', await answer.text());
      busy = false;
    }
    addEventListener('scroll', () => {
      if (scrollY + innerHeight > document.body.scrollHeight - 50) more();
    });
    more();
    </script>"""
)
LAZY = page(
    f"""<article>{PARAGRAPH * 12}<div id=rest style="min-height: 40px"></div></article><script>
    new IntersectionObserver((seen) => {{
      if (seen[0].isIntersecting && !rest.innerHTML)
        setTimeout(() => {{ rest.innerHTML = `{PARAGRAPH}SECOND HALF` }}, 200);
    }}).observe(rest);
    </script>"""
)


def cookies(handler: Handler) -> None:
    said = handler.headers.get("Cookie", "none")
    script = "<script>document.write(localStorage.seen || 'empty'); localStorage.seen = 'STORED'</script>"
    handler.answer(
        page(f"{PARAGRAPH}cookie: {said} storage: {script}"), Set_Cookie="id=1; Max-Age=9999"
    )


def challenge(handler: Handler) -> None:
    """Clears by itself when the page's script says so, as such pages do."""
    if "passed=1" in handler.headers.get("Cookie", ""):
        handler.answer(page(f"<article>{PARAGRAPH}PASSED</article>"))
        return
    script = "setTimeout(() => { document.cookie = 'passed=1'; location.reload() }, 1500)"
    handler.answer(
        page(f"<p>Checking.</p><script>{script}</script>", title="Just a moment..."),
        status=403,
        cf_mitigated="challenge",
    )


def endless_answer(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.end_headers()
    handler.wfile.write(b"<p>The beginning.")
    handler.wfile.flush()
    handler.server.over.wait()
    handler.close_connection = True


ROUTES: dict[str, Any] = {
    "/static": page("<h1>Title</h1><p>Überall.</p>"),
    "/late": page(
        f"<div id=app></div><script>setTimeout(() => {{ app.innerHTML = `{PARAGRAPH}LATE` }}, 1000)</script>"
    ),
    "/fetched": page(
        f"<nav>{PARAGRAPH}</nav><div id=app></div><script>fetch('/slow').then(a => a.text())"
        ".then(text => app.innerHTML = text)</script>"
    ),
    "/slow": later(1.5, f"<article>{PARAGRAPH}FETCHED</article>"),
    "/shell": page("<div id=app>Loading</div><script>window.ready = true</script>"),
    "/scroll": INFINITE,
    "/batch": scroll_batch,
    "/lazy": LAZY,
    "/alert": page(
        "<script>alert(1); if (!confirm(2) && prompt(3) === null) document.write('<p>AFTER</p>');"
        "setInterval(() => alert(4), 20); onbeforeunload = () => 'stay'; close()</script>"
    ),
    "/download": lambda h: h.answer(
        b"\0" * 50, kind="application/octet-stream", Content_Disposition="attachment"
    ),
    "/pdf": lambda h: h.answer(b"%PDF-1.4", kind="application/pdf"),
    "/picture": lambda h: h.answer(b"GIF89a", kind="image/gif"),
    "/json": lambda h: h.answer('{"a": 1}', kind="application/json"),
    "/nothing": lambda h: h.answer(status=204),
    "/forbidden": lambda h: h.answer(page("<p>Members only.</p>"), status=403),
    "/gone": lambda h: h.answer(page("<p>It was here.</p>"), status=410),
    "/busy": lambda h: h.answer(page("<p>Later.</p>"), status=429, Retry_After="7"),
    "/private": lambda h: h.answer(
        page("<p>Log in.</p>"), status=401, WWW_Authenticate='Basic realm="site"'
    ),
    "/no-proxy": lambda h: h.answer(
        page("<p>Proxy?</p>"), status=407, Proxy_Authenticate='Basic realm="site"'
    ),
    "/broken": lambda h: h.answer(page("<p>Oops.</p>"), status=500),
    "/moved": redirect("/static"),
    "/loop": redirect("/loop"),
    "/refresh": page('<meta http-equiv=refresh content="0;url=/static">'),
    "/scripted-move": page("<script>location.replace('/static')</script>"),
    "/pushed": page("<p>One</p><script>history.pushState({}, '', '/other#part')</script>"),
    "/hangs": lambda h: h.server.over.wait() and None,
    "/endless": endless_answer,
    "/hanging-part": page(f"<article>{PARAGRAPH}</article><script async src=/hangs></script>"),
    "/spins": page("<p>Text</p><script>while (true) {}</script>"),
    "/spins-later": page("<p>Text</p><script>setTimeout(() => { while (true) {} }, 100)</script>"),
    "/large": lambda h: h.answer(page("<p>word</p>" * 2_000_000)),
    "/grows": page("<script>document.write('<p>' + 'word '.repeat(1200000))</script>"),
    "/hog": page(
        "<script>const all = []; setInterval(() => all.push(new Uint8Array(5e7).fill(1)), 10)</script>"
    ),
    "/cookies": cookies,
    "/cookie": lambda h: h.answer(h.headers.get("Cookie", "none"), Set_Cookie="id=1"),
    "/challenge": challenge,
    "/popup": page("<p>Popup</p><script>open('/static'); open('/lazy', '_blank')</script>"),
    "/agent": lambda h: h.answer(page(f"agent={h.headers['User-Agent']}")),
    "/media": page(
        "<link rel=stylesheet href=/style.css><img src=/a.png><video src=/a.mp4 autoplay></video>"
        "<p class=f>Text</p><script src=/script.js></script>"
    ),
    "/style.css": lambda h: h.answer(
        "@font-face {font-family: F; src: url(/a.woff2)} .f {font-family: F; background: url(/b.png)}",
        kind="text/css",
    ),
    "/script.js": lambda h: h.answer("document.body.append('RAN')", kind="text/javascript"),
    "/forged": page(
        "<p>Text</p><script>JSON.stringify = () => 'x'; Array.prototype.toJSON = () => 'x';"
        "performance.getEntriesByType = () => [{responseStatus: 200}];"
        "document.documentElement.__defineGetter__('outerHTML', () => 'FORGED')</script>"
    ),
}


@pytest.fixture(scope="module")
def site() -> Iterator[WebServer]:
    with serving(ROUTES) as server:
        yield server


def rules_for(server: WebServer) -> AddressRules:
    address = f"127.0.0.1:{server.server_port}"
    return AddressRules(connect_to={"site.example": address, "other.example": address})


@pytest.fixture(scope="module")
def browser(site: WebServer) -> Iterator[BrowserFetcher]:
    fetcher = BrowserFetcher(
        rules=rules_for(site),
        page_timeout_s=3.0,
        total_timeout_s=25.0,
        settle_s=5.0,
        max_bytes=5_000_000,
        user_agent="rag-llm-system-test",
    )
    yield fetcher
    fetcher.close()


Ask = Callable[[str], Page]


@pytest.fixture
def fetch(browser: BrowserFetcher) -> Ask:
    def ask(path: str) -> Page:
        page = browser.fetch(f"http://site.example{path}")
        assert page is not None
        return page

    return ask


def test_it_is_a_fetcher(browser: BrowserFetcher) -> None:
    fetcher: Fetcher = browser
    with pytest.raises(CrawlError, match="a browser reads pages, not texts"):
        fetcher.fetch("http://site.example/static", wanted="text")


def test_a_page_comes_with_what_the_browser_knows_of_it(fetch: Ask) -> None:
    got = fetch("/static#part")
    assert "<p>Überall.</p>" in got.text
    assert (got.status, got.content_type, got.encoding, got.via) == (
        200,
        "text/html",
        "utf-8",
        "browser",
    )
    assert got.url == "http://site.example/static#part"
    assert got.final_url == "http://site.example/static"


def shown(page: Page) -> str:
    """The text of a page, without that of its scripts."""
    soup = BeautifulSoup(page.text, "lxml")
    for script in soup.find_all("script"):
        script.decompose()
    return soup.get_text(" ")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/late", "LATE"),
        ("/fetched", "FETCHED"),
        ("/lazy", "SECOND HALF"),
        ("/alert", "AFTER"),
        ("/challenge", "PASSED"),
        ("/hanging-part", "lazy dog"),
        ("/media", "RAN"),
    ],
)
def test_what_scripts_add_is_waited_for(fetch: Ask, path: str, text: str) -> None:
    assert text in shown(fetch(path))


def test_an_endless_list_is_scrolled_to_its_end(fetch: Ask) -> None:
    posts = re.findall(r"POST-(\d)-(\d)", shown(fetch("/scroll")))
    assert posts == [(str(batch), str(i)) for batch in range(1, 6) for i in range(10)]


def test_scrolling_ends_where_the_limit_is(site: WebServer) -> None:
    fetcher = BrowserFetcher(rules=rules_for(site), max_scrolls=1)
    page = fetcher.fetch("http://site.example/scroll")
    fetcher.close()
    assert page is not None
    assert 10 <= shown(page).count("POST-") <= 20


def test_a_script_shell_is_given_back_as_it_is(fetch: Ask) -> None:
    assert "Loading" in shown(fetch("/shell"))


@pytest.mark.parametrize("path", ["/moved", "/refresh", "/scripted-move"])
def test_redirects_of_all_kinds_are_followed(fetch: Ask, path: str) -> None:
    page = fetch(path)
    assert page.final_url == "http://site.example/static"
    assert "Überall" in page.text


def test_the_link_that_a_script_writes_into_the_address_bar_is_the_final_one(fetch: Ask) -> None:
    assert fetch("/pushed").final_url == "http://site.example/other"


@pytest.mark.parametrize(
    ("path", "kind", "reason"),
    [
        ("/nowhere", "gone", "HTTP 404 Not Found"),
        ("/gone", "gone", "HTTP 410 Gone"),
        ("/forbidden", "refused", "HTTP 403 Forbidden"),
        ("/private", "refused", "HTTP 401 Unauthorized"),
        ("/no-proxy", "refused", "HTTP 407 Proxy Authentication Required"),
        ("/busy", "busy", "HTTP 429 Too Many Requests"),
        ("/broken", "unreachable", "HTTP 500 Internal Server Error"),
        ("/nothing", "empty", "HTTP 204 No Content"),
        ("/json", "not text", "not an HTML page but application/json"),
        ("/picture", "not text", "not an HTML page but image/gif"),
        ("/pdf", "not text", "a download, not a page (application/pdf)"),
        ("/download", "not text", "a download, not a page (application/octet-stream)"),
        ("/loop", "unreachable", "too many redirects"),
        ("/hangs", "unreachable", "no complete answer in time"),
        ("/endless", "unreachable", "no complete answer in time"),
        ("/large", "too large", "one response is larger than 5,000,000 bytes"),
        ("/grows", "too large", "larger than 5,000,000 characters"),
    ],
)
def test_what_is_not_a_page_is_an_error_with_kind_and_reason(
    fetch: Ask, path: str, kind: str, reason: str
) -> None:
    assert "Überall" in fetch("/static").text
    with pytest.raises(CrawlError) as raised:
        fetch(path)
    assert (raised.value.kind, raised.value.reason) == (kind, reason)
    assert raised.value.link == f"http://site.example{path}"
    assert "Überall" in fetch("/static").text


def test_an_answer_that_is_no_success_can_be_looked_at(fetch: Ask) -> None:
    with pytest.raises(CrawlError) as raised:
        fetch("/busy")
    assert raised.value.retry_after_s == 7
    assert raised.value.page is not None
    assert "Later." in raised.value.page.text
    assert (raised.value.page.status, raised.value.page.via) == (429, "browser")


def test_a_challenge_that_stays_is_given_back_as_it_is(site: WebServer) -> None:
    fetcher = BrowserFetcher(rules=rules_for(site), challenge_s=0.5, settle_s=1.0)
    with pytest.raises(CrawlError) as raised:
        fetcher.fetch("http://site.example/challenge")
    fetcher.close()
    assert raised.value.kind == "refused"
    assert raised.value.page is not None
    assert raised.value.page.headers["cf-mitigated"] == "challenge"


@pytest.mark.parametrize("path", ["/spins", "/spins-later"])
def test_a_page_that_never_rests_is_given_up_and_the_next_one_read(
    site: WebServer, path: str
) -> None:
    fetcher = BrowserFetcher(rules=rules_for(site), page_timeout_s=2.0, total_timeout_s=20.0)
    before = time.monotonic()
    with pytest.raises(CrawlError) as raised:
        fetcher.fetch(f"http://site.example{path}")
    assert raised.value.kind == "unreachable"
    assert time.monotonic() - before < 15
    assert fetcher.fetch("http://site.example/static") is not None
    fetcher.close()


def test_a_visit_ends_when_its_time_is_over(site: WebServer) -> None:
    fetcher = BrowserFetcher(rules=rules_for(site), page_timeout_s=30.0, total_timeout_s=3.0)
    with pytest.raises(CrawlError, match="not complete after 3 s") as raised:
        fetcher.fetch("http://site.example/spins")
    assert raised.value.kind == "unreachable"
    fetcher.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of processes from /proc")
def test_a_page_that_takes_all_memory_is_ended(site: WebServer) -> None:
    fetcher = BrowserFetcher(rules=rules_for(site), max_rss_mb=900)
    with pytest.raises(CrawlError) as raised:
        fetcher.fetch("http://site.example/hog")
    assert raised.value.kind == "too large"
    assert raised.value.reason == "the page takes more memory than a browser may have"
    assert fetcher.fetch("http://site.example/static") is not None
    fetcher.close()


def test_what_a_host_stored_is_forgotten_before_the_next_one(browser: BrowserFetcher) -> None:
    def seen(host: str) -> str:
        page = browser.fetch(f"http://{host}/cookies")
        assert page is not None
        return " ".join(shown(page).split())

    seen("site.example")
    assert "cookie: id=1 storage: STORED" in seen("site.example")
    assert "cookie: none storage: empty" in seen("other.example")
    assert "cookie: none storage: empty" in seen("site.example")


def test_pictures_media_fonts_and_icons_are_not_loaded(fetch: Ask, site: WebServer) -> None:
    site.asked.clear()
    fetch("/media")
    paths = sorted(asked.removeprefix("site.example") for asked in site.asked)
    assert paths == ["/media", "/script.js", "/style.css"]


def test_pop_ups_do_not_open(fetch: Ask, site: WebServer) -> None:
    site.asked.clear()
    assert "Popup" in shown(fetch("/popup"))
    assert site.asked == ["site.example/popup"]


def test_the_browser_names_the_crawler(fetch: Ask) -> None:
    assert "agent=rag-llm-system-test" in fetch("/agent").text


def test_a_page_cannot_forge_what_is_read_of_it(fetch: Ask) -> None:
    assert "Text" in shown(fetch("/forged"))


@pytest.mark.parametrize(
    ("link", "kind"),
    [
        ("file:///etc/passwd", "unsafe"),
        ("view-source:http://site.example/static", "unsafe"),
        ("view-source:file:///etc/passwd", "unsafe"),
        ("chrome://version/", "unsafe"),
        ("data:text/html,<p>Text</p>", "unsafe"),
        ("javascript:alert(1)", "unsafe"),
        ("about:blank", "unsafe"),
        ("http://user:hunter2@site.example/static", "unsafe"),
        ("http://", "malformed"),
    ],
)
def test_other_schemes_and_passwords_never_reach_the_browser(
    browser: BrowserFetcher, link: str, kind: str
) -> None:
    with pytest.raises(CrawlError) as raised:
        browser.fetch(link)
    assert raised.value.kind == kind
    assert "hunter2" not in str(raised.value)


def test_unknown_and_closed_hosts_are_unreachable(site: WebServer) -> None:
    def resolve(host: str, *_: Any, **__: Any) -> Any:
        raise OSError(f"{host} is not known")

    rules = AddressRules(resolve=resolve, connect_to={"closed.example": "127.0.0.1:9"})
    fetcher = BrowserFetcher(rules=rules)
    for link, reason in (
        ("http://absent.example/", "host name 'absent.example' not found"),
        ("https://absent.example/", "host name 'absent.example' not found"),
        ("http://closed.example/", "connection failed"),
        ("https://closed.example/", "connection failed"),
    ):
        with pytest.raises(CrawlError) as raised:
            fetcher.fetch(link)
        assert (raised.value.kind, raised.value.reason) == ("unreachable", reason)
    fetcher.close()


def test_a_large_page_over_tls_is_cut_at_the_limit_of_all_its_parts() -> None:
    issued = trustme.CA().issue_cert("site.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    with serving(ROUTES, tls=context) as server:
        trusted = f"--ignore-certificate-errors-spki-list={spki(issued)}"
        fetcher = BrowserFetcher(
            rules=rules_for(server), extra_args=[trusted], max_bytes=1_000_000, settle_s=1.0
        )
        with pytest.raises(CrawlError) as raised:
            fetcher.fetch("https://site.example/large")
        fetcher.close()
    assert raised.value.kind == "too large"
    assert raised.value.reason == "its parts are larger than 5,000,000 bytes together"


def test_over_tls_the_certificate_must_be_trusted(tmp_path: Path) -> None:
    issued = trustme.CA().issue_cert("site.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    with serving(ROUTES, tls=context) as server:
        stranger = BrowserFetcher(rules=rules_for(server))
        with pytest.raises(CrawlError) as raised:
            stranger.fetch("https://site.example/static")
        stranger.close()
        trusted = f"--ignore-certificate-errors-spki-list={spki(issued)}"
        friend = BrowserFetcher(rules=rules_for(server), extra_args=[trusted])
        page = friend.fetch("https://site.example/fetched")
        friend.close()
    assert raised.value.kind == "unreachable"
    assert raised.value.reason == "TLS certificate refused: ERR_CERT_AUTHORITY_INVALID"
    assert page is not None
    assert "FETCHED" in shown(page)


def spki(issued: trustme.LeafCert) -> str:
    certificate = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b64encode(hashlib.sha256(key).digest()).decode()


def test_threads_take_turns(fetch: Ask) -> None:
    texts: list[str] = []
    threads = [
        threading.Thread(target=lambda p=path: texts.append(fetch(p).text))
        for path in ("/static", "/agent") * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted("Überall" in text for text in texts) == [False] * 3 + [True] * 3


def test_a_browser_is_replaced_after_its_number_of_pages(site: WebServer) -> None:
    fetcher = BrowserFetcher(rules=rules_for(site), pages_per_driver=1)
    fetcher.fetch("http://site.example/cookie")
    page = fetcher.fetch("http://site.example/cookie")
    fetcher.close()
    assert page is not None
    assert shown(page) == "none"


def test_closing_leaves_no_process_thread_or_folder_and_ends_fetching(site: WebServer) -> None:
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    fetcher = BrowserFetcher(rules=rules_for(site))
    fetcher.fetch("http://site.example/static")
    running = psutil.Process().children(recursive=True)
    processes = [process for process in running if process.pid not in before]
    folders = {
        Path(process.cmdline()[4]) for process in processes if "keeper" in str(process.cmdline())
    }
    threads = {thread for thread in threading.enumerate() if "egress" in thread.name}
    assert len(processes) > 5
    assert [folder.is_dir() for folder in folders] == [True]
    fetcher.close()
    assert [process for process in processes if process.is_running()] == []
    assert [folder for folder in folders if folder.exists()] == []
    assert len(threads - set(threading.enumerate())) >= 1
    with pytest.raises(CrawlError, match="it was closed"):
        fetcher.fetch("http://site.example/static")


def test_closing_interrupts_a_fetch(site: WebServer) -> None:
    fetcher = BrowserFetcher(rules=rules_for(site))
    failures: list[CrawlError] = []

    def work() -> None:
        try:
            fetcher.fetch("http://site.example/hangs")
        except CrawlError as error:
            failures.append(error)

    site.asked.clear()
    thread = threading.Thread(target=work)
    thread.start()
    assert wait_until(lambda: "site.example/hangs" in site.asked)
    fetcher.close()
    thread.join(10)
    assert [failure.reason for failure in failures] == ["the browser failed: it was closed"]


def test_without_a_browser_the_error_says_how_to_get_one() -> None:
    fetcher = BrowserFetcher(rules=AddressRules(), binary="no-such-browser")
    with pytest.raises(CrawlError) as raised:
        fetcher.fetch("http://site.example/")
    fetcher.close()
    assert raised.value.kind == "script"
    assert "apt-get install chromium chromium-driver" in raised.value.reason
