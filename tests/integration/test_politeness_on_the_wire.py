"""What a crawl looks like from the servers' side: by their log, whatever the crawler believes of itself."""

import itertools
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest

from rag_llm_system.domain.crawling import FailureKind
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.http import HttpFetcher
from rag_llm_system.infrastructure.fetchers.polite import PoliteFetcher, Politeness
from tests.web_server import Handler, serve

INTERVAL_S = 0.5  # the scheduler of a busy machine makes requests late by milliseconds
THREADS = 8
ROBOTS = b"User-agent: *\nDisallow: /private\n"


class Asked(NamedTuple):
    at: float
    path: str


class Hosts:
    """The log of several hosts on one server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.asked: dict[str, list[Asked]] = defaultdict(list)
        self.most_at_once: Counter[str] = Counter()
        self._at_once: Counter[str] = Counter()
        self.robots: dict[str, bytes] = {}
        self.delay_s = 0.0
        self.arrived = threading.Semaphore(0)

    def begin(self, host: str, path: str) -> None:
        with self._lock:
            self.asked[host].append(Asked(time.monotonic(), path))
            self._at_once[host] += 1
            self.most_at_once[host] = max(self.most_at_once[host], self._at_once[host])
        self.arrived.release()

    def end(self, host: str) -> None:
        with self._lock:
            self._at_once[host] -= 1

    def paths(self, host: str) -> list[str]:
        return [asked.path for asked in self.asked[host]]

    def gaps(self, host: str) -> list[float]:
        times = [asked.at for asked in self.asked[host]]
        return [later - earlier for earlier, later in itertools.pairwise(times)]


def handler(hosts: Hosts) -> type[Handler]:
    """``/busy/<seconds>`` says so once per host; ``/to/<link>`` redirects; ``/broken`` is an error for ever."""

    class Site(Handler):
        def do_GET(self) -> None:
            host = self.headers["Host"].partition(":")[0]
            hosts.begin(host, self.path)
            if hosts.delay_s:
                time.sleep(hosts.delay_s)
            hosts.end(host)  # before the answer, as the next request may come right after it
            self._respond(host)

        def _respond(self, host: str) -> None:
            _, kind, *rest = self.path.split("/", 2)
            text = {"Content-Type": "text/plain"}
            if kind == "robots.txt" and hosts.robots.get(host) == b"broken":
                self.answer(500, text)
            elif kind == "robots.txt":
                self.answer(200, text, hosts.robots.get(host, ROBOTS))
            elif kind == "busy" and hosts.paths(host).count(self.path) == 1:
                self.answer(429, text | {"Retry-After": rest[0]})
            elif kind == "to":
                self.answer(302, {"Location": rest[0]})
            elif kind == "broken":
                self.answer(500, text)
            else:
                self.answer(200, {"Content-Type": "text/html"}, b"<p>Words.</p>")

    return Site


class Crawl(NamedTuple):
    hosts: Hosts
    politeness: Politeness
    fetcher: PoliteFetcher

    def links(self, links: Sequence[str]) -> Counter[str]:
        """Fetches them by several threads; how often which kind of failure or "page" came of it."""

        def fetch(link: str) -> str:
            try:
                return "page" if self.fetcher.fetch(link) else "unchanged"
            except CrawlError as error:
                return error.kind

        with ThreadPoolExecutor(THREADS) as pool:
            return Counter(pool.map(fetch, links))


Start = Callable[..., Crawl]


@pytest.fixture
def start() -> Iterator[Start]:
    hosts = Hosts()
    fetchers = []
    with serve(handler(hosts)) as port:
        names = [f"host{number}.example" for number in range(4)]
        rules = AddressRules(connect_to={name: f"127.0.0.1:{port}" for name in names})

        def crawl(*, interval_s: float = INTERVAL_S, per_host: int = 1, retries: int = 2) -> Crawl:
            politeness = Politeness(
                interval_s=interval_s, per_host=per_host, retries=retries, backoff_s=0.1
            )
            fetcher = PoliteFetcher(HttpFetcher(rules=rules), politeness)
            fetchers.append(fetcher)
            return Crawl(hosts, politeness, fetcher)

        yield crawl
        for fetcher in fetchers:
            fetcher.close()


def test_hosts_are_asked_one_request_at_a_time_and_an_interval_apart(start: Start) -> None:
    crawl = start()
    crawl.hosts.delay_s = 0.05
    links = [f"http://host{i % 3}.example/{i}" for i in range(12)]
    assert crawl.links(links) == {"page": 12}
    for host in ("host0.example", "host1.example", "host2.example"):
        assert crawl.hosts.most_at_once[host] == 1
        assert len(crawl.hosts.asked[host]) == 5
        assert min(crawl.hosts.gaps(host)) >= INTERVAL_S * 0.95
        assert crawl.hosts.paths(host).count("/robots.txt") == 1


@pytest.mark.parametrize("per_host", [2, 4])
def test_so_many_at_once_as_is_said_and_no_more(start: Start, per_host: int) -> None:
    crawl = start(interval_s=0, per_host=per_host)
    crawl.hosts.delay_s = 0.05
    assert crawl.links([f"http://host0.example/{i}" for i in range(24)]) == {"page": 24}
    assert crawl.hosts.most_at_once["host0.example"] == per_host


def test_pages_that_robots_txt_forbids_are_never_asked_for(start: Start) -> None:
    crawl = start(interval_s=0, per_host=8)
    links = [
        "http://host0.example/private",
        "http://host0.example/private/below?x=1",
        "http://HOST0.example:80/private",
        "http://host0.example/%70rivate",
        "http://host0.example/to//private/1",
        "http://host0.example/to/http://host1.example/private/2",
        "http://host1.example/to/http://host0.example/to//private/3",
        "http://host0.example/open",
        "http://host1.example/to/http://host2.example/open",
    ]
    assert crawl.links(links * 3) == {"robots": 21, "page": 6}
    for host in ("host0.example", "host1.example", "host2.example"):
        paths = crawl.hosts.paths(host)
        assert not [path for path in paths if path.startswith(("/private", "/%70rivate"))]
        assert paths.count("/robots.txt") == 1


def test_redirects_keep_to_the_interval_of_every_host_they_pass(start: Start) -> None:
    crawl = start()
    links = ["http://host0.example/to/http://host1.example/to/http://host0.example/end"] * 2
    assert crawl.links(links) == {"page": 2}
    for host in ("host0.example", "host1.example"):
        assert crawl.hosts.most_at_once[host] == 1
        assert min(crawl.hosts.gaps(host)) >= INTERVAL_S * 0.95


def test_a_crawl_delay_is_kept(start: Start) -> None:
    crawl = start(interval_s=0)
    crawl.hosts.robots["host0.example"] = b"User-agent: *\nCrawl-delay: 0.5\n"
    crawl.links([f"http://host0.example/{i}" for i in range(3)])
    assert min(crawl.hosts.gaps("host0.example")) >= 0.5 * 0.95


def test_a_host_that_is_busy_is_left_alone_for_as_long_as_it_asks(start: Start) -> None:
    crawl = start(interval_s=0, per_host=1)
    links = ["http://host0.example/busy/1", *(f"http://host0.example/{i}" for i in range(8))]
    assert crawl.links(links) == {"page": 9}
    log = crawl.hosts.asked["host0.example"]
    refused = next(asked.at for asked in log if asked.path == "/busy/1")
    after = [asked.at - refused for asked in log if asked.at > refused]
    assert len(after) >= 1
    assert min(after) >= 0.95


def test_a_host_that_asks_for_too_long_is_not_asked_again(start: Start) -> None:
    crawl = start(interval_s=0)
    with pytest.raises(CrawlError, match="asked to come back in 3600 s"):
        crawl.fetcher.fetch("http://host0.example/busy/3600")
    assert crawl.links([f"http://host0.example/{i}" for i in range(20)]) == {"busy": 20}
    assert crawl.hosts.paths("host0.example") == ["/robots.txt", "/busy/3600"]


def test_a_host_that_only_fails_is_given_up(start: Start) -> None:
    crawl = start(interval_s=0, retries=1)
    links = [f"http://host0.example/broken/{i}" for i in range(50)]
    assert crawl.links(links) == {"unreachable": 50}
    assert len(crawl.hosts.asked["host0.example"]) <= 1 + 2 * 5 + 2 * THREADS


@pytest.mark.parametrize("robots", [b"broken", b"User-agent: *\nDisallow: /"])
def test_a_site_that_forbids_everything_or_cannot_say_is_asked_for_nothing_else(
    start: Start, robots: bytes
) -> None:
    crawl = start(interval_s=0, retries=1)
    crawl.hosts.robots["host0.example"] = robots
    kind: FailureKind = "unreachable" if robots == b"broken" else "robots"
    assert crawl.links([f"http://host0.example/{i}" for i in range(20)]) == {kind: 20}
    assert set(crawl.hosts.paths("host0.example")) == {"/robots.txt"}


def test_a_download_is_rationed_like_a_page_and_keeps_its_place(start: Start) -> None:
    crawl = start(interval_s=0)
    link = "http://host0.example/to//private/file"
    done = threading.Event()

    def fetch() -> None:
        crawl.fetcher.fetch("http://host0.example/page")
        done.set()

    with crawl.fetcher.download(link, max_bytes=1000) as download:
        assert download is not None
        waiting = threading.Thread(target=fetch)
        waiting.start()
        assert not done.wait(0.2)
        assert b"".join(download.chunks) == b"<p>Words.</p>"
    waiting.join(timeout=10)
    assert done.is_set()
    assert crawl.hosts.paths("host0.example")[:2] == ["/to//private/file", "/private/file"]


def test_a_download_is_tried_again_and_fails_as_a_page_does(start: Start) -> None:
    crawl = start(interval_s=0)
    with crawl.fetcher.download("http://host0.example/busy/0", max_bytes=1000) as download:
        assert download is not None
        assert download.status == 200
    for link, kind in (
        ("http://host0.example/broken/", "unreachable"),
        ("http://[::1/", "malformed"),
    ):
        with (
            pytest.raises(CrawlError) as raised,
            crawl.fetcher.download(link, max_bytes=1000),
        ):
            pytest.fail("it cannot be had")
        assert raised.value.kind == kind


def test_a_stopped_crawl_ends_at_once(start: Start) -> None:
    crawl = start(interval_s=3600)
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(crawl.links, [f"http://host{i % 2}.example/{i}" for i in range(20)])
        for _ in range(2):
            assert crawl.hosts.arrived.acquire(timeout=10)
        stopped = time.monotonic()
        crawl.politeness.stop()
        assert outcome.result(timeout=10) == {"failed": 20}
        assert time.monotonic() - stopped < 2
