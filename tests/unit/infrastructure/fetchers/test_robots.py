"""robots.txt is read once per site, understood as RFC 9309 says, and kept to."""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from rag_llm_system.domain.crawling import FailureKind
from rag_llm_system.domain.documents import Page
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Wanted
from rag_llm_system.infrastructure.fetchers.charset import encoding_of
from rag_llm_system.infrastructure.fetchers.memory import MemoryFetcher
from rag_llm_system.infrastructure.fetchers.polite import PoliteFetcher, Politeness, user_agent
from rag_llm_system.infrastructure.fetchers.robots import (
    FAILURE_KEPT_S,
    KEPT_S,
    MAX_ROBOTS_BYTES,
    Robots,
    Rules,
)

SITE = "http://site.example"
ROBOTS = f"{SITE}/robots.txt"


def text(content: str | bytes, link: str = ROBOTS) -> Page:
    data = content if isinstance(content, bytes) else content.encode()
    return Page(
        url=link,
        final_url=link,
        status=200,
        content=data,
        content_type="text/plain",
        encoding=encoding_of(data, "text/plain"),
        fetched_at=datetime.now(UTC),
    )


class Counting:
    """A Fetcher that notes what it is asked for; an HTML page is at every link that is not listed."""

    def __init__(self, pages: Mapping[str, Page | CrawlError]) -> None:
        self.pages = MemoryFetcher(pages)
        self.listed = set(pages)
        self.asked: list[str] = []

    def fetch(
        self, link: str, *, wanted: Wanted = "page", etag: str = "", last_modified: str = ""
    ) -> Page | None:
        self.asked.append(link)
        if link in self.listed:
            return self.pages.fetch(link, wanted=wanted)
        if link.endswith("/robots.txt"):
            raise CrawlError(link, "HTTP 404 Not Found", kind="gone")
        return text("<p>Words.</p>", link).model_copy(update={"content_type": "text/html"})

    def close(self) -> None:
        """Nothing is held open."""


def polite(fetcher: Counting, **options: object) -> PoliteFetcher:
    return PoliteFetcher(fetcher, Politeness(interval_s=0, per_host=8, retries=0), **options)  # type: ignore[arg-type]


def is_allowed(robots: str | bytes, path: str, contact: str = "") -> bool:
    fetcher = Counting({ROBOTS: text(robots)})
    politeness = Politeness(interval_s=0, user_agent=user_agent(contact))
    try:
        PoliteFetcher(fetcher, politeness).fetch(f"{SITE}{path}", wanted="text")
    except CrawlError as error:
        return error.kind != "robots"
    return True


def test_a_page_that_is_not_allowed_is_not_asked_for_and_an_error_says_why() -> None:
    fetcher = Counting({ROBOTS: text("User-agent: *\nDisallow: /no")})
    with pytest.raises(CrawlError) as raised:
        polite(fetcher).fetch(f"{SITE}/no")
    assert (raised.value.kind, raised.value.link) == ("robots", f"{SITE}/no")
    assert raised.value.reason == "robots.txt of site.example does not allow this page"
    assert fetcher.asked == [ROBOTS]


EXAMPLE = """
# Comments, odd case and CRLF are fine.\r
USER-AGENT: *  # everyone\r
Disallow: /private\r
Allow: /private/but-open\r
Disallow: /*.pdf$\r
Disallow: /search?q=
Disallow: /%C3%BCber
Disallow:

User-agent: rag-llm-system
User-agent: otherbot
Disallow: /not-for-us

User-agent: evilbot
Disallow: /
"""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", True),
        ("/private", True),
        ("/not-for-us", False),
        ("/not-for-us/below?x=1", False),
        ("/not-for-others", True),
        ("/robots.txt", True),
    ],
)
def test_the_group_that_names_us_counts_alone(path: str, allowed: bool) -> None:
    assert is_allowed(EXAMPLE, path) is allowed


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", True),
        ("/private", False),
        ("/private/but-open", True),
        ("/private/but-shut", False),
        ("/paper.pdf", False),
        ("/paper.pdf?page=2", True),
        ("/search?q=x", False),
        ("/search", True),
        ("/über", False),
        ("/%c3%bcber", False),
        ("/Private", True),
    ],
)
def test_otherwise_the_group_for_everyone_does_and_the_longest_rule_wins(
    path: str, allowed: bool
) -> None:
    assert is_allowed(EXAMPLE.replace("rag-llm-system", "somebot"), path) is allowed


@pytest.mark.parametrize(
    ("agent", "named"),
    [
        ("rag-llm-system", True),
        ("RAG-LLM-System", True),
        ("rag-llm-system/0.1", True),
        ("rag-llm*", True),
        ("llm-system", False),
        ("rag-llm-system-2", False),
        ("site", False),
        ("googlebot", False),
    ],
)
def test_we_are_named_by_our_name_and_not_by_our_contact(agent: str, named: bool) -> None:
    robots = f"User-agent: {agent}\nDisallow: /"
    contact = "https://googlebot.site.example/"
    assert is_allowed(robots, "/", contact) is not named


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_hides_no_rule(mark: str) -> None:
    assert not is_allowed("User-agent: *\nDisallow: /".encode(mark), "/")


def test_bytes_that_are_no_text_hide_no_rule() -> None:
    assert not is_allowed(b"\xff\xfe\x00junk\nUser-agent: *\nDisallow: /x\n"[2:], "/x")


def test_no_more_than_a_limit_is_read_and_no_half_lines() -> None:
    start = "User-agent: *\nDisallow: /early\n"
    filled = start + "#" * (MAX_ROBOTS_BYTES - len(start) - 12) + "\nDisallow: /only-this\n"
    assert not is_allowed(filled, "/early")
    assert is_allowed(filled, "/only-this")
    assert is_allowed(filled, "/on")


@pytest.mark.parametrize(
    "error",
    [
        CrawlError(ROBOTS, "HTTP 404 Not Found", kind="gone"),
        CrawlError(ROBOTS, "HTTP 403 Forbidden", kind="refused"),
        CrawlError(ROBOTS, "more than 5 redirects", kind="failed"),
    ],
)
def test_without_a_robots_txt_everything_is_allowed(error: CrawlError) -> None:
    assert polite(Counting({ROBOTS: error})).fetch(f"{SITE}/page") is not None


def test_a_host_that_does_not_answer_is_what_the_reason_names() -> None:
    lane = polite(Counting({ROBOTS: CrawlError(ROBOTS, "connection failed", kind="unreachable")}))
    with pytest.raises(CrawlError) as raised:
        lane.fetch(f"{SITE}/page")
    assert raised.value.reason == "connection failed"


@pytest.mark.parametrize("kind", ["unreachable", "busy", "damaged", "too large", "not text"])
def test_with_one_that_cannot_be_read_nothing_is(kind: FailureKind) -> None:
    fetcher = Counting({ROBOTS: CrawlError(ROBOTS, "HTTP 500", kind=kind)})
    lane = polite(fetcher)
    for path in ("/page", "/other"):
        with pytest.raises(CrawlError) as raised:
            lane.fetch(f"{SITE}{path}")
        assert raised.value.kind == "unreachable"
        assert raised.value.reason == "robots.txt could not be read: HTTP 500"
    assert fetcher.asked == [ROBOTS]


def test_what_is_unsafe_about_the_site_is_said_as_it_is() -> None:
    error = CrawlError(ROBOTS, "site.example is the private address 10.0.0.1", kind="unsafe")
    with pytest.raises(CrawlError, match=r"page: site\.example is the private") as raised:
        polite(Counting({ROBOTS: error})).fetch(f"{SITE}/page")
    assert raised.value.kind == "unsafe"


def test_each_origin_has_its_own_and_it_is_read_once() -> None:
    fetcher = Counting({ROBOTS: text("User-agent: *\nDisallow: /")})
    lane = polite(fetcher)
    for link in (f"{SITE}/1", "http://SITE.example:80/2", "HTTP://site.example./3"):
        with pytest.raises(CrawlError, match="does not allow"):
            lane.fetch(link)
    for link in ("https://site.example/", "http://site.example:8080/", "http://www.site.example/"):
        assert lane.fetch(link) is not None
    assert [link for link in fetcher.asked if link.endswith("robots.txt")] == [
        ROBOTS,
        "https://site.example/robots.txt",
        "http://site.example:8080/robots.txt",
        "http://www.site.example/robots.txt",
    ]


def test_threads_that_come_at_once_wait_for_one_answer() -> None:
    go = threading.Event()

    class Slow(Counting):
        def fetch(
            self, link: str, *, wanted: Wanted = "page", etag: str = "", last_modified: str = ""
        ) -> Page | None:
            if link.endswith("robots.txt"):
                assert go.wait(timeout=10)
            return super().fetch(link, wanted=wanted)

    fetcher = Slow({ROBOTS: text("User-agent: *\nDisallow: /no")})
    lane = polite(fetcher)
    threads = [threading.Thread(target=lane.fetch, args=(f"{SITE}/{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(timeout=10)
    assert fetcher.asked.count(ROBOTS) == 1
    assert len(fetcher.asked) == 9


def test_who_waits_for_anothers_answer_notices_that_the_crawl_was_stopped() -> None:
    go, arrived = threading.Event(), threading.Event()

    def never(link: str) -> Page:
        arrived.set()
        assert go.wait(timeout=10)
        return text("")

    politeness = Politeness()
    robots = Robots(never, politeness)
    first = threading.Thread(target=robots.check, args=(f"{SITE}/1",))
    first.start()
    assert arrived.wait(timeout=10)
    politeness.stop()
    with pytest.raises(CrawlError, match="the crawl was stopped"):
        robots.check(f"{SITE}/2")
    go.set()
    first.join()


def test_a_stopped_crawl_does_not_count_as_permission() -> None:
    politeness = Politeness()
    lane = PoliteFetcher(Counting({}), politeness)
    politeness.stop()
    with pytest.raises(CrawlError, match="the crawl was stopped") as raised:
        lane.fetch(f"{SITE}/page")
    assert raised.value.kind == "failed"


@pytest.mark.parametrize(
    ("found", "kept_s"),
    [(text("User-agent: *\nDisallow: /"), KEPT_S),
     (CrawlError(ROBOTS, "HTTP 500", kind="unreachable"), FAILURE_KEPT_S)],
)  # fmt: skip
def test_after_a_while_it_is_read_again(found: Page | CrawlError, kept_s: float) -> None:
    now = [0.0]
    fetcher = Counting({ROBOTS: found})
    politeness = Politeness(interval_s=0, retries=0, clock=lambda: now[0])
    lane = PoliteFetcher(fetcher, politeness)
    for now[0], times in ((0.0, 1), (kept_s - 1, 1), (kept_s + 1, 2)):
        with pytest.raises(CrawlError):
            lane.fetch(f"{SITE}/page")
        assert len(fetcher.asked) == times


def test_a_crawl_delay_slows_the_host_down_up_to_a_limit() -> None:
    def starts(delay: str, interval_s: float) -> list[float]:
        now = [0.0]

        def sleep(seconds: float) -> None:
            now[0] += seconds

        robots = f"User-agent: *\nCrawl-delay: {delay}"
        politeness = Politeness(interval_s=interval_s, clock=lambda: now[0], sleep=sleep)
        lane = PoliteFetcher(Counting({ROBOTS: text(robots)}), politeness)
        times = []
        for _ in range(3):
            lane.fetch(f"{SITE}/page")
            times.append(now[0])
        return times

    assert starts("5", 1) == [5, 10, 15]
    assert starts("0.5", 0) == [0.5, 1, 1.5]
    assert starts("2", 3) == [3, 6, 9]
    assert starts("86400", 1) == [30, 60, 90]
    assert starts("-1", 1) == starts("soon", 1) == starts("nan", 1) == [1, 2, 3]


def test_robots_txt_is_not_asked_for_when_it_is_not_obeyed() -> None:
    fetcher = Counting({ROBOTS: text("User-agent: *\nDisallow: /")})
    assert polite(fetcher, obey_robots=False).fetch(f"{SITE}/page") is not None
    assert fetcher.asked == [f"{SITE}/page"]


def test_where_a_page_was_redirected_to_must_be_allowed_as_well() -> None:
    moved = text("<p>", f"{SITE}/old").model_copy(
        update={"final_url": f"{SITE}/no/new", "content_type": "text/html"}
    )
    fetcher = Counting({ROBOTS: text("User-agent: *\nDisallow: /no"), f"{SITE}/old": moved})
    with pytest.raises(CrawlError, match="does not allow this page"):
        polite(fetcher).fetch(f"{SITE}/old")


def test_two_lanes_can_share_what_was_read() -> None:
    http = Counting({ROBOTS: text("User-agent: *\nDisallow: /no")})
    browser = Counting({})
    lane = polite(browser, robots=polite(http).robots)
    assert lane.fetch(f"{SITE}/page") is not None
    with pytest.raises(CrawlError, match="does not allow this page"):
        lane.fetch(f"{SITE}/no")
    assert (http.asked, browser.asked) == ([ROBOTS], [f"{SITE}/page"])


def test_sitemaps_are_listed_once_each_wherever_they_stand() -> None:
    robots = """Sitemap: https://site.example/a.xml
        User-agent: *
        Disallow: /
        sitemap: http://cdn.example/b.xml
        Sitemap: https://site.example/a.xml
        Sitemap: /relative.xml
        Sitemap: file:///etc/passwd"""
    fetcher = Counting({ROBOTS: text(robots)})
    lane = polite(fetcher)
    expected = ["https://site.example/a.xml", "http://cdn.example/b.xml"]
    assert lane.sitemaps(f"{SITE}/page") == lane.sitemaps(f"{SITE}/") == expected
    assert lane.sitemaps("http://other.example/") == []
    assert fetcher.asked == [ROBOTS, "http://other.example/robots.txt"]


AGENTS = "".join(f"User-agent: bot{i}\n" for i in range(14_000))
RULES = "".join(f"Allow: /{i}/\n" for i in range(18_000))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "robots",
    [
        AGENTS + RULES,
        AGENTS + "User-agent: *\n" + RULES,
        "User-agent: *\n" + "Disallow: /" + "*a" * 200_000 + "b\n",
        "User-agent: *\n" + "Disallow: /*a*a*a*a*a*a*a*a*a*a*a*b$\n" * 12_000,
        "User-agent: *\n" * 30_000,
        "\x00" * 400_000,
        "User-agent" + " " * 400_000,
    ],
)
def test_no_robots_txt_takes_long_or_much_memory(robots: str) -> None:
    rules = Rules(robots, "rag-llm-system/0.1")
    for number in range(20):
        assert rules.allow(f"{SITE}/{number}/{'a' * 1000}")
