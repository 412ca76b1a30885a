"""The crawling benchmark: its site over real sockets, and its contenders on a few pages."""

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from protego import Protego
from trafilatura import extract

from rag_llm_system.infrastructure.fetchers.browser import BrowserFetcher
from tools.bench_crawl.__main__ import main
from tools.bench_crawl.goals import Row
from tools.bench_crawl.pages import article, read_passages
from tools.bench_crawl.race import chosen, race
from tools.bench_crawl.site import BenchSite, Shape, serve_bench_site

FEW = Shape(pages=6, hosts=3)
needs_scrapy = pytest.mark.skipif(find_spec("scrapy") is None, reason="extra bench not installed")
NO_BROWSER = BrowserFetcher.why_unavailable() or ""
needs_browser = pytest.mark.skipif(bool(NO_BROWSER), reason=NO_BROWSER)


@pytest.fixture
def site() -> Iterator[BenchSite]:
    with serve_bench_site(FEW) as served:
        yield served


class Client:
    """One connection, kept open; the hosts of all links are at the site."""

    def __init__(self, site: BenchSite) -> None:
        self._connection = HTTPConnection("127.0.0.1", site.port, timeout=10)

    def get(self, link: str, **headers: str) -> tuple[HTTPResponse, str]:
        parts = urlsplit(link)
        self._connection.request("GET", parts.path, headers={"Host": parts.netloc, **headers})
        answer = self._connection.getresponse()
        return answer, answer.read().decode()

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def client(site: BenchSite) -> Iterator[Client]:
    opened = Client(site)
    yield opened
    opened.close()


def measured(contender: str) -> Row:
    """What a run of that contender alone gave, without a delay."""
    return list(race(FEW, 0, chosen([contender])))[-1]


def test_every_page_holds_its_article(site: BenchSite, client: Client) -> None:
    for number, link in enumerate(site.articles()):
        answer, html = client.get(link)
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        first, *_ = article(number, read_passages()).texts()
        assert first[:60] in (extract(html) or "")


def test_a_page_belongs_to_one_host(site: BenchSite, client: Client) -> None:
    first, second, *_ = site.articles()
    foreign = second.replace(urlsplit(second).netloc, urlsplit(first).netloc)
    assert client.get(foreign)[0].status == 404
    assert client.get(f"http://unknown.example:{site.port}/articles/0")[0].status == 404


def test_who_has_the_page_is_not_sent_it_again(site: BenchSite, client: Client) -> None:
    link = site.articles()[0]
    etag = client.get(link)[0].headers["ETag"]
    answer, body = client.get(link, **{"If-None-Match": etag})
    assert (answer.status, body, answer.headers["ETag"]) == (304, "", etag)
    assert client.get(link, **{"If-None-Match": '"other"'})[0].status == 200


def test_robots_forbid_what_the_log_counts_as_disallowed(site: BenchSite, client: Client) -> None:
    forbidden = site.disallowed()[0]
    robots, text = client.get(f"http://{urlsplit(forbidden).netloc}/robots.txt")
    rules = Protego.parse(text)
    assert robots.status == 200
    assert not rules.can_fetch(forbidden, "any-crawler")
    assert rules.can_fetch(site.articles()[0], "any-crawler")
    client.get(forbidden)
    log = site.take_log()
    assert (log.robots, log.disallowed, log.pages) == (1, 1, 0)


def test_the_log_counts_what_was_sent_and_begins_anew(site: BenchSite, client: Client) -> None:
    link = site.articles()[0]
    answer, html = client.get(link)
    client.get(link, **{"If-None-Match": answer.headers["ETag"]})
    client.get(link.replace("articles", "nothing"))
    log = site.take_log()
    assert (log.requests, log.pages, log.unchanged, log.not_found) == (3, 1, 1, 1)
    assert log.body_bytes == len(html.encode()) + len("not found")
    assert log.requests_per_second > 0
    assert site.take_log().requests == 0


def test_a_delay_is_waited_for_by_all_at_once() -> None:
    with serve_bench_site(FEW, delay_ms=200) as slow:
        clients = [HTTPConnection("127.0.0.1", slow.port, timeout=10) for _ in slow.articles()]
        for connection, link in zip(clients, slow.articles(), strict=True):
            parts = urlsplit(link)
            connection.request("GET", parts.path, headers={"Host": parts.netloc})
        assert [connection.getresponse().status for connection in clients] == [200] * FEW.pages
        for connection in clients:
            connection.close()
        log = slow.take_log()
    assert (log.most_in_flight, log.most_in_flight_per_host) == (6, 2)
    assert 0.2 <= log.seconds < 0.2 * FEW.pages


def test_requests_sent_without_waiting_are_answered_in_order(site: BenchSite) -> None:
    first, _, _, second, *_ = site.articles()  # of the same host
    sent = "".join(
        f"GET {urlsplit(link).path} HTTP/1.1\r\nHost: {urlsplit(link).netloc}\r\n{last}\r\n"
        for link, last in ((first, ""), (second, "Connection: close\r\n"))
    )
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
        connection.sendall(sent.encode())
        answers = b"".join(iter(lambda: connection.recv(65_536), b"")).decode()
    assert answers.index("note 0</h1>") < answers.index("note 3</h1>")
    assert answers.count("HTTP/1.1 200 OK") == 2


@needs_scrapy
def test_scrapy_crawls_the_site_and_obeys_robots() -> None:
    row = measured("scrapy")
    assert row.measured is not None, row.missing
    assert row.site is not None
    assert (row.measured.pages, row.measured.failed) == (FEW.pages, 0)
    assert row.measured.words > 1000 * FEW.pages
    assert row.measured.seconds > 0
    assert row.measured.cpu_s > 0
    assert (row.site.pages, row.site.disallowed, row.site.robots) == (6, 0, 3)


@needs_browser
@pytest.mark.parametrize("contender", ["reused-driver", "driver-per-link"])
def test_a_driver_sees_the_text_of_its_pages(contender: str) -> None:
    row = measured(contender)
    assert row.measured is not None, row.missing
    assert row.measured.failed == 0
    assert row.measured.words > 1000 * row.measured.pages > 0


def test_our_second_crawl_takes_nothing_out_of_unchanged_pages() -> None:
    first, again = race(FEW, 0, chosen(["ours-again"]))
    assert first.measured is not None, first.missing
    assert again.measured is not None, again.missing
    assert again.site is not None
    assert (first.measured.pages, first.measured.failed) == (FEW.pages, 0)
    assert (again.measured.pages, again.measured.unchanged) == (0, FEW.pages)
    assert (again.site.pages, again.site.unchanged) == (0, FEW.pages)


@needs_browser
def test_our_browser_lane_reads_pages_made_by_scripts() -> None:
    row = measured("ours-browser")
    assert row.measured is not None, row.missing
    assert (row.measured.pages, row.measured.failed) == (FEW.pages, 0)
    assert row.measured.words > 1000 * FEW.pages


def test_the_command_prints_a_table_and_writes_the_figures(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    ran = CliRunner().invoke(
        main,
        ["--pages", "4", "--hosts", "2", "--delays", "0", "--only", "ours-http", "--json", str(file)],
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    assert "4 pages, 2 hosts, 0 ms before each answer" in ran.output
    assert "not measured     0 ms  HTTP lane : Scrapy" in ran.output
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert [row["contender"] for row in figures["rows"]] == ["ours-http"]


def test_a_delay_that_is_no_number_is_refused() -> None:
    ran = CliRunner().invoke(main, ["--delays", "0,soon"])
    assert ran.exit_code == 2
    assert "'0,soon' is no list of milliseconds" in ran.output
